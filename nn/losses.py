"""Losses. The cost is the mean of the examples' losses: J = (1/m) Σ L⁽ⁱ⁾."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from . import functional
from .module import Module

__all__ = ["BCELoss", "BCEWithLogitsLoss"]

REDUCTIONS = ("mean", "sum", "none")


class _Loss(Module):
    """A loss for each element, then its mean, its sum, or neither."""

    def __init__(self, reduction: str = "mean"):
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
        self.reduction = reduction

    def _fit(self, prediction: Any, target: Any) -> tuple[Any, Any]:
        """Both, the target in the dtype of the prediction, after a look at the shapes."""
        if not hasattr(prediction, "dtype"):
            prediction = np.asarray(prediction)
        if not hasattr(target, "dtype"):
            target = np.asarray(target)
        dtype = prediction.dtype
        if dtype.kind != "f":
            raise TypeError(f"{type(self).__name__} needs predictions of floating numbers, got {dtype}.")
        if target.shape != prediction.shape:
            raise ValueError(
                f"{type(self).__name__} needs a target for each prediction: the predictions have shape "
                f"{prediction.shape}, the targets {target.shape}. They are not broadcast, since (n, 1) with (n,) would "
                f"make n × n losses; write target.reshape({', '.join(map(str, prediction.shape))}) if that is meant."
            )
        if target.dtype != dtype and not (isinstance(target, Tensor) and target.requires_grad):
            target = target.astype(dtype)
        return prediction, target

    def _reduce(self, losses: Any) -> Any:
        if self.reduction == "none":
            return losses
        return losses.mean() if self.reduction == "mean" else losses.sum()

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities: L = −[y log ŷ + (1−y) log(1−ŷ)], averaged over all elements.

    For probabilities that a sigmoid made, prefer `BCEWithLogitsLoss` on its input: exact where ŷ saturates.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}

    Raises
    ------
    ValueError
        When called with targets of another shape, or with probabilities or targets outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loss = nn.BCELoss()
    >>> round(float(loss(np.array([0.5, 0.5]), np.array([0, 1]))), 4)
    0.6931
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        prediction, target = self._fit(prediction, target)
        for what, values in (("probabilities", prediction), ("targets", target)):
            data = values.data if isinstance(values, Tensor) else values
            if data.size and not (data.min() >= 0 and data.max() <= 1):
                raise ValueError(
                    f"BCELoss needs {what} in [0, 1], got values from {data.min()} to {data.max()}"
                    + (": for logits use BCEWithLogitsLoss." if what == "probabilities" else ".")
                )
        return self._reduce(functional.binary_cross_entropy(prediction, target))


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of logits: L = log(1 + eᶻ) − y z with ŷ = σ(z), averaged over all elements.

    ∂L/∂z = σ(z) − y. Exact for any z: no probability is ever rounded to 0 or 1.

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
    >>> loss = nn.BCEWithLogitsLoss()
    >>> float(loss(np.array([1000.0, -1000.0]), np.array([1, 0])))
    0.0
    """

    def forward(self, prediction: Any, target: Any) -> Any:
        prediction, target = self._fit(prediction, target)
        return self._reduce(functional.binary_cross_entropy_with_logits(prediction, target))
