"""Functions of our own that are stable where their textbook formula is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import data_of
from ..primitive import define, written
from .elementwise import of_reals
from .kernels import EXP_BELOW, LOGSUMEXP_RULE, SIGMOID, SOFTPLUS
from .reduce import Axis, restore

__all__ = ["logsumexp", "sigmoid", "softplus"]


def _sigmoid(x: Any) -> Any:
    # |x| times -1.0 and not negated: unsigned integers have no -x
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(np.absolute(x) * -1.0))


def above_ramp(x: Any) -> Any:
    """log(1 + e^(−|x|)): how much more `softplus` is than max(x, 0). For arrays alone, since it has a kink."""
    return np.log1p(np.exp(np.absolute(x) * -1.0))


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + above_ramp(x)  # far sooner there than np.logaddexp(x, 0)


def sigmoid(x: Any) -> Any:
    """The logistic function σ(x) = 1 / (1 + e⁻ˣ), elementwise: a probability from a logit.

    Computed as e^min(x, 0) / (1 + e^(−|x|)): nothing overflows, and small probabilities keep their digits.
    Its derivative is σ′ = σ (1 − σ).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`; values in [0, 1].

    Examples
    --------
    >>> from autograd import Tensor, sigmoid
    >>> x = Tensor([0.0, -1000.0], requires_grad=True)
    >>> y = sigmoid(x)
    >>> y.sum().backward()
    >>> y.numpy(), x.grad
    (array([0.5, 0. ]), array([0.25, 0.  ]))
    """


@written("log(1 + exp(x))")
def softplus(x: Any) -> Any:
    """log(1 + eˣ), elementwise, without overflow: the smooth ReLU. Its derivative is σ(x).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> from autograd import softplus
    >>> float(softplus(1000.0)), round(float(softplus(0.0)), 4)
    (1000.0, 0.6931)
    """


@written("log(sum(exp(a), axis, keepdims=keepdims))")
def logsumexp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log Σ eᵃ along `axis`, without overflow. Its gradient is the softmax of `a`.

    Parameters
    ----------
    a : Tensor or array_like
        Real.
    axis : int or tuple of int, optional
        The axes to sum over; all by default.
    keepdims : bool
        Whether the reduced axes stay, with length 1.

    Returns
    -------
    Tensor or array
        −inf where every element is −inf; the gradient there is 0.

    Examples
    --------
    >>> from autograd import Tensor, logsumexp
    >>> x = Tensor([1000.0, 1000.0], requires_grad=True)
    >>> logsumexp(x).backward()
    >>> x.grad
    array([0.5, 0.5])
    """


def _top(a: Any, axis: Axis) -> Any:
    """The largest element, a constant; 0 in place of an infinite one, which has no distance to itself."""
    top = data_of(a).max(axis=axis, keepdims=True)
    return np.where(np.isfinite(top), top, 0.0)  # not an integer: a - top could overflow


def exp_below(x: Any, top: Any) -> Any:
    """e^(x − top)."""
    done = None if x.__class__ is np.ndarray else EXP_BELOW(x, top)
    return np.exp(x - top) if done is None else done


def _logsumexp(a: Any, axis: Axis, keepdims: bool) -> Any:
    a = np.asarray(a) if isinstance(a, int | float) else a
    top = _top(a, axis)
    with np.errstate(divide="ignore"):  # log(0) is the right -inf here
        y = np.log(exp_below(a, top).sum(axis=axis, keepdims=True)) + top
    return y if keepdims else y.squeeze(axis)


@written("restore(g, a_shape, axis, keepdims) * exp(a) / sum(exp(a), axis, keepdims=True)")
def _logsumexp_a(g: Any, a: Any, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """g times the softmax of a. Not e^(a − y): where y is large, its rounding error is many digits of that."""
    e = exp_below(a, _top(a, axis))
    return _shared(restore(g, a_shape, axis, keepdims), e, e.sum(axis=axis, keepdims=True))


def _shared(g: Any, e: Any, total: Any) -> Any:
    """g e / Σ e, and 0 where the sum is."""
    done = None if g.__class__ is np.ndarray else LOGSUMEXP_RULE(g, e, total)
    return e * (g / (total + (total == 0))) if done is None else done


sigmoid = of_reals(sigmoid, "x -> y", forward=_sigmoid, kernels=SIGMOID, x=lambda g, y: g * y * (1 - y))
softplus = of_reals(softplus, "x -> y", forward=_softplus, kernels=SOFTPLUS, x=lambda g, x: g * sigmoid(x))
logsumexp = define(
    logsumexp,
    "a; axis=None, keepdims=False -> y",
    forward=_logsumexp,
    a=_logsumexp_a,
)
