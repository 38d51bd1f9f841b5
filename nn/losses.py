"""Losses of numbers, distributions and vectors; those of classifiers are in `classification.py`.

Each is called with the prediction and the target, and a `sample_weight` if the examples shall not all count the same:
see `reduction.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.node import data_of
from autograd.wrapping import array_like

from . import functional
from ._checks import placed, together
from .functional.losses import per_example
from .reduction import Loss, in_dtype, signs

__all__ = [
    "CosineEmbeddingLoss",
    "GaussianNLLLoss",
    "HalfSquaredErrorLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


# Numbers


class MSELoss(Loss):
    """Squared error: (a − y)², averaged over all elements.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}

    Raises
    ------
    ValueError
        When called with targets of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.MSELoss()(np.array([1.0, 2.0]), np.array([0.0, 5.0])))
    5.0
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.squared_error(prediction, target), sample_weight)


class HalfSquaredErrorLoss(Loss):
    """Half the squared error of each example, L = ½ Σₖ (aₖ − yₖ)², averaged over the examples.

    ∂L/∂a = a − y, so that δ = (a − y) ∘ σ′(z) at the last layer. The elements of an example are summed up and not
    averaged, and there is a loss for each example: 'none' gives N of them. `MSELoss` averages over all elements.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}

    Raises
    ------
    ValueError
        When called with targets of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> a, y = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[0.0, 5.0], [0.0, 0.0]])
    >>> nn.HalfSquaredErrorLoss("none")(a, y), float(nn.HalfSquaredErrorLoss()(a, y))
    (array([5., 0.]), 2.5)
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.half_squared_error(prediction, target), sample_weight)


class L1Loss(Loss):
    """Absolute error: |a − y|, averaged over all elements.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}

    Raises
    ------
    ValueError
        When called with targets of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.L1Loss()(np.array([1.0, 2.0]), np.array([0.0, 5.0])))
    2.0
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.absolute_error(prediction, target), sample_weight)


class SmoothL1Loss(Loss):
    """For d = a − y: ½ d² / β where |d| < β and |d| − β/2 beyond, averaged over all elements (Girshick, 2015).

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    beta : float
        Where the parabola ends; for 0 it is `L1Loss`.

    Raises
    ------
    ValueError
        If `beta` is negative; when called, with targets of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.SmoothL1Loss("none")(np.array([0.5, 3.0]), np.zeros(2))
    array([0.125, 2.5  ])
    """

    def __init__(self, reduction: str = "mean", *, beta: float = 1.0):
        super().__init__(reduction)
        if not beta >= 0:
            raise ValueError(f"SmoothL1Loss: beta is not less than 0, got {beta!r}.")
        self.beta = float(beta)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.smooth_l1_loss(prediction, target, self.beta), sample_weight)


class HuberLoss(Loss):
    """For d = a − y: ½ d² where |d| ≤ δ and δ (|d| − δ/2) beyond, averaged over all elements (Huber, 1964).

    ∂L/∂a is d, clipped to [−δ, δ]: an outlier pulls no harder than that.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    delta : float

    Raises
    ------
    ValueError
        If `delta` is not above 0; when called, with targets of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.HuberLoss("none", delta=2.0)(np.array([0.5, 3.0]), np.zeros(2))
    array([0.125, 4.   ])
    """

    def __init__(self, reduction: str = "mean", *, delta: float = 1.0):
        super().__init__(reduction)
        if not delta > 0:
            raise ValueError(f"HuberLoss: delta is more than 0, got {delta!r}.")
        self.delta = float(delta)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.huber_loss(prediction, target, self.delta), sample_weight)


# Distributions


class KLDivLoss(Loss):
    """The terms of the Kullback-Leibler divergence of p from the target t: t (log t − log p).

    Parameters
    ----------
    reduction : {'mean', 'batchmean', 'sum', 'none'}
        'batchmean' is the mean of the examples' sums, and so the divergence; 'mean' averages over all elements.
    log_target : bool
        Whether the targets are given as log t.

    Raises
    ------
    ValueError
        When called with targets of another shape, or with negative ones that should be probabilities. On a device,
        whose values are not waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> log_p = np.log([[0.5, 0.5], [0.9, 0.1]])
    >>> round(float(nn.KLDivLoss("batchmean")(log_p, np.array([[0.5, 0.5], [0.0, 1.0]]))), 4)
    1.1513
    """

    reductions = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: str = "mean", *, log_target: bool = False):
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, log_prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        log_prediction, target = self._fit(log_prediction, target)
        if not (self.log_target or waits(data_of(target)) or (data_of(target) >= 0).all()):  # the log of others is NaN
            raise ValueError(
                f"KLDivLoss needs targets that are probabilities, got values from {data_of(target).min()}: for "
                "log-probabilities use log_target=True."
            )
        losses = functional.kl_div(log_prediction, target, self.log_target)
        return self._reduce(per_example(losses) if self.reduction == "batchmean" else losses, sample_weight)


class GaussianNLLLoss(Loss):
    """−log of a normal density with predicted mean and variance: ½ (log v + (y − μ)² / v), averaged over all elements.

    Called with three arrays, `loss(mean, target, var)`. The variances have the shape of the means, or that with a last
    axis of length 1 or without the last axis: one variance for each row; or are one number.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    full : bool
        Whether to add the constant ½ log 2π.
    eps : float
        A smaller variance is replaced by it. The gradient is that of `eps` then, so that the variance can grow again.

    Raises
    ------
    ValueError
        If `eps` is not above 0; when called, with other shapes or negative variances. On a device, whose values are not
        waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.GaussianNLLLoss()(np.array([1.0, 2.0]), np.array([3.0, 2.0]), np.array([1.0, 1.0])))
    1.0
    """

    def __init__(self, reduction: str = "mean", *, full: bool = False, eps: float = 1e-6):
        super().__init__(reduction)
        if not eps > 0:
            raise ValueError(f"GaussianNLLLoss: eps is more than 0, got {eps!r}.")
        self.full, self.eps = full, float(eps)

    def forward(self, prediction: Any, target: Any, var: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        if not isinstance(var, int | float):
            var, shape = placed(var, prediction), prediction.shape
            together("GaussianNLLLoss", "the predictions", prediction, "the variances", var)
            if var.shape not in (shape, shape[:-1] + (1,) * bool(shape), shape[:-1]):
                raise ValueError(
                    f"GaussianNLLLoss needs a variance for each prediction or for each row of them: the predictions "
                    f"have shape {shape}, the variances {var.shape}."
                )
            var = in_dtype(var, prediction.dtype)
            if var.ndim < prediction.ndim:
                var = var.reshape(*var.shape, 1)
        if waits(data_of(var)):
            var = np.where(data_of(var) >= 0, var, np.nan)
        elif not (data_of(array_like(var)) >= 0).all():
            raise ValueError("GaussianNLLLoss needs variances that are not negative.")
        losses = functional.gaussian_nll_loss(prediction, target, var, self.full, self.eps)
        return self._reduce(losses, sample_weight)


class PoissonNLLLoss(Loss):
    """−log of the Poisson probability of a count y, without log y!: λ − y log λ, averaged over all elements.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    log_input : bool
        Whether the predictions are log λ (any number), and not λ itself.
    full : bool
        Whether to add Stirling's approximation of log y! where y > 1.
    eps : float
        Is added to λ in the logarithm.

    Raises
    ------
    ValueError
        When called with targets of another shape, or with negative λ. On a device, whose values are not waited for,
        wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> round(float(nn.PoissonNLLLoss()(np.log([2.0]), np.array([3]))), 4)
    -0.0794
    """

    def __init__(self, reduction: str = "mean", *, log_input: bool = True, full: bool = False, eps: float = 1e-8):
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, float(eps)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        if not self.log_input and waits(data_of(prediction)):
            prediction = np.where(data_of(prediction) >= 0, prediction, np.nan)
        elif not (self.log_input or (data_of(prediction) >= 0).all()):
            raise ValueError("PoissonNLLLoss needs rates that are not negative: for log λ use log_input=True.")
        losses = functional.poisson_nll_loss(prediction, target, self.log_input, self.full, self.eps)
        return self._reduce(losses, sample_weight)


# Vectors


class CosineEmbeddingLoss(Loss):
    """For pairs of vectors that belong together (y = 1) or not (y = −1): 1 − cos, or max(0, cos − margin).

    Called with three arrays, `loss(x1, x2, target)`, of shapes (N, D), (N, D) and (N,); or (D,), (D,) and ().

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    margin : float
        Vectors that do not belong together cost nothing below this cosine.

    Raises
    ------
    ValueError
        When called with other shapes, or with targets that are not −1 or 1. On a device, whose values are not waited
        for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x1, x2 = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[3.0, 4.0], [3.0, 4.0]])
    >>> nn.CosineEmbeddingLoss("none", margin=0.5)(x1, x2, np.array([1, -1])).round(4)
    array([0.4, 0.1])
    """

    def __init__(self, reduction: str = "mean", *, margin: float = 0.0):
        super().__init__(reduction)
        self.margin = float(margin)

    def forward(self, x1: Any, x2: Any, target: Any, sample_weight: Any = None) -> Any:
        x1, x2 = self._fit(x1, x2)
        target = placed(target, x1)
        together("CosineEmbeddingLoss", "the vectors", x1, "the target", target)
        if not 1 <= x1.ndim <= 2 or target.shape != x1.shape[:-1]:
            raise ValueError(
                f"CosineEmbeddingLoss needs two arrays of vectors (N, D) and N targets: the vectors have shape "
                f"{x1.shape}, the targets {target.shape}."
            )
        target = signs("CosineEmbeddingLoss", target)
        losses = functional.cosine_embedding_loss(x1, x2, target, self.margin)
        if waits(data_of(target)):
            losses = np.where(np.isnan(data_of(target)), np.nan, losses)
        return self._reduce(losses, sample_weight)
