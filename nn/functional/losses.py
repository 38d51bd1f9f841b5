"""Losses of numbers, distributions and vectors, of each element or example: `nn.losses` reduces them to one number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.node import data_of
from autograd.primitive import define, written
from autograd.rules.constant import tracked
from autograd.rules.elementwise import elementwise

from .activations import relu
from .kernels import HUBER, SQUARED_ERROR

__all__ = [
    "absolute_error",
    "cosine_embedding_loss",
    "cosine_similarity",
    "gaussian_nll_loss",
    "half_squared_error",
    "huber_loss",
    "kl_div",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "squared_error",
]


def weighted(losses: Any, weights: Any) -> Any:
    """The losses times the weights (None: all are 1); what has the weight 0 is absent, even if its loss is infinite."""
    if weights is None:
        return losses
    if not tracked(weights) and (waits(data_of(weights)) or not data_of(weights).all()):
        losses = np.where(data_of(weights) == 0, 0, losses)
    return losses * weights


def per_example(losses: Any) -> Any:
    """The sums over all axes but the first."""
    return losses.sum(tuple(range(1, losses.ndim))) if losses.ndim > 1 else losses


# Numbers


@written("(a - y) ** 2")
def squared_error(a: Any, y: Any) -> Any:
    """(a − y)², elementwise.

    Parameters
    ----------
    a, y : Tensor or array
        Of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import squared_error
    >>> squared_error(np.array([1.0, 2.0]), np.array([0.0, 5.0]))
    array([1., 9.])
    """


squared_error = elementwise(
    squared_error,
    "a, y -> loss",
    forward=lambda a, y: np.square(a - y),
    kernels=SQUARED_ERROR,
    a=lambda g, a, y: g * 2 * (a - y),
    y=lambda g, a, y: g * 2 * (y - a),
)


def half_squared_error(a: Any, y: Any) -> Any:
    """½ Σ (a − y)² for each example, the sum over all axes but the first: ∂/∂a = a − y.

    Parameters
    ----------
    a, y : Tensor or array, shape (N, …)

    Returns
    -------
    Tensor or array, shape (N,)

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import half_squared_error
    >>> half_squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]]))
    array([5.])
    """
    return per_example(squared_error(a, y)) * 0.5


def absolute_error(a: Any, y: Any) -> Any:
    """|a − y|, elementwise. Its derivative is the sign of a − y, and 0 where they are equal.

    Parameters
    ----------
    a, y : Tensor or array
        Of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import absolute_error
    >>> absolute_error(np.array([1.0, 2.0]), np.array([0.0, 5.0]))
    array([1., 3.])
    """
    return np.absolute(a - y)


def huber_loss(a: Any, y: Any, delta: float = 1.0) -> Any:
    """½ d² where |d| ≤ δ, and δ (|d| − δ/2) beyond, for d = a − y, elementwise (Huber, 1964).

    Its derivative is d, clipped to [−δ, δ].

    Parameters
    ----------
    a, y : Tensor or array
        Of shapes that broadcast.
    delta : float
        More than 0.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import huber_loss
    >>> huber_loss(np.array([0.5, 3.0]), np.zeros(2))
    array([0.125, 2.5  ])
    """
    return _huber(a - y, float(delta))


def smooth_l1_loss(a: Any, y: Any, beta: float = 1.0) -> Any:
    """½ d² / β where |d| < β, and |d| − β/2 beyond, for d = a − y, elementwise: Huber's loss divided by β.

    Parameters
    ----------
    a, y : Tensor or array
        Of shapes that broadcast.
    beta : float
        Not less than 0; for 0 it is the absolute error.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import smooth_l1_loss
    >>> smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), beta=2.0)
    array([0.0625, 2.    ])
    """
    return huber_loss(a, y, beta) / float(beta) if beta else absolute_error(a, y)


def _huber_of(d: Any, delta: float) -> Any:
    near = np.clip(d, -delta, delta)
    return near * (d - near / 2)


_huber = define(
    _huber_of,
    "d; delta -> loss",
    kernels=HUBER,
    d=lambda g, d, delta: g * np.clip(d, -delta, delta),
)
_huber.primitive.name = "huber_loss"  # type: ignore[attr-defined]


# Distributions


def kl_div(log_p: Any, target: Any, log_target: bool = False) -> Any:
    """t (log t − log p), elementwise: their sum is the Kullback-Leibler divergence of p from the target distribution t.

    Parameters
    ----------
    log_p : Tensor or array
        Log-probabilities.
    target : Tensor or array
        Probabilities t, or log t if `log_target`. 0 log 0 is 0.
    log_target : bool

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import kl_div
    >>> kl_div(np.log([0.5, 0.5]), np.array([0.0, 1.0])).round(4)
    array([0.    , 0.6931])
    """
    if log_target:
        return np.exp(target) * (target - log_p)
    none = data_of(target) == 0
    return target * (np.log(np.where(none, 1, target)) - np.where(none, 0, log_p))


def gaussian_nll_loss(mean: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6) -> Any:
    """½ (log v + (y − μ)² / v), elementwise: −log of a normal density, without the constant (Nix and Weigend, 1994).

    Parameters
    ----------
    mean, target : Tensor or array
    var : Tensor, array or float
        The variances v, of a shape that broadcasts with them.
    full : bool
        Whether to add the constant, ½ log 2π.
    eps : float
        A smaller variance is replaced by it. The gradient is that of `eps` then, so that the variance can grow again.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import gaussian_nll_loss
    >>> gaussian_nll_loss(np.array([1.0]), np.array([3.0]), np.array([1.0]))
    array([2.])
    """
    eps = float(eps)
    if isinstance(var, int | float):
        var = max(float(var), eps)
        log = math.log(var)
    else:
        var = var + np.maximum(eps - data_of(var), 0)
        log = np.log(var)
    loss = (squared_error(mean, target) / var + log) * 0.5
    return loss + 0.5 * math.log(2 * math.pi) if full else loss


def poisson_nll_loss(rate: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Any:
    """λ − y log λ, elementwise: −log of the Poisson probability of the count y, without the term log y!.

    Parameters
    ----------
    rate : Tensor or array
        log λ, or λ itself if not `log_input`.
    target : Tensor or array
        The counts y.
    log_input : bool
    full : bool
        Whether to add Stirling's approximation of log y!, y log y − y + ½ log 2πy, where y > 1.
    eps : float
        Is added to λ in the logarithm.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import poisson_nll_loss
    >>> poisson_nll_loss(np.log([2.0]), np.array([3.0])).round(4)
    array([-0.0794])
    """
    loss = np.exp(rate) - target * rate if log_input else rate - target * np.log(rate + float(eps))
    if not full:
        return loss
    many = data_of(target) > 1
    y = np.where(many, target, 1)
    return loss + np.where(many, y * np.log(y) - y + 0.5 * np.log(2 * math.pi * y), 0)


# Vectors


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """x₁·x₂ / (‖x₁‖ ‖x₂‖) along an axis: from −1 to 1.

    Parameters
    ----------
    x1, x2 : Tensor or array
        Of shapes that broadcast.
    axis : int
        The axis of the vectors' elements.
    eps : float
        A smaller norm is replaced by it: the similarity to a vector of zeros is 0.

    Returns
    -------
    Tensor or array
        Without that axis.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import cosine_similarity
    >>> cosine_similarity(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]]))
    array([0.6])
    """
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    return (_unit(x1, shape, axis, eps) * _unit(x2, shape, axis, eps)).sum(axis)


def _unit(x: Any, shape: tuple[int, ...], axis: int, eps: float) -> Any:
    """`x`, broadcast to a shape, over its norm."""
    x = x if x.shape == shape else np.broadcast_to(x, shape)
    return x / np.maximum(np.sqrt(np.square(x).sum(axis, keepdims=True)), float(eps))


def cosine_embedding_loss(x1: Any, x2: Any, target: Any, margin: float = 0.0) -> Any:
    """1 − cos(x₁, x₂) for a pair with the target 1; max(0, cos(x₁, x₂) − margin) for one with −1.

    Parameters
    ----------
    x1, x2 : Tensor or array, shape (N, D) or (D,)
    target : array, shape (N,) or ()
    margin : float

    Returns
    -------
    Tensor or array, shape (N,) or ()

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import cosine_embedding_loss
    >>> x = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> cosine_embedding_loss(x, np.array([[3.0, 4.0], [3.0, 4.0]]), np.array([1, -1]))
    array([0.4, 0.6])
    """
    similarity = cosine_similarity(x1, x2, axis=-1)
    return np.where(data_of(target) == 1, 1 - similarity, relu(similarity - float(margin)))
