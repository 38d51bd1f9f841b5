"""Probabilities of classes that exclude each other, from logits: `softmax` and its logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import define, written
from autograd.rules.reduce import Axis
from autograd.rules.stable import exp_below

__all__ = ["log_softmax", "softmax"]


@written("exp(x) / sum(exp(x), axis, keepdims=True)")
def softmax(x: Any, axis: Axis = -1) -> Any:
    """y = eˣ / Σ eˣ along `axis`: positive numbers with the sum 1. Computed as e^(x − max x), so nothing overflows.

    Its rule for a cotangent g is y (g − Σ g y).

    Parameters
    ----------
    x : Tensor or array_like
        Real: logits. One that is −inf gets the probability 0.
    axis : int or tuple of int
        The classes; by default the last axis, as rows are examples.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.softmax(np.array([[0.0, 0.0], [1e4, -1e4]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """


@written("x - log(sum(exp(x), axis, keepdims=True))")
def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """y = x − log Σ eˣ along `axis`: exact where the softmax rounds to 0 or 1.

    Its rule for a cotangent g is g − eʸ Σ g.

    Parameters
    ----------
    x : Tensor or array_like
        Real: logits.
    axis : int or tuple of int
        The classes; by default the last axis, as rows are examples.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.log_softmax(np.array([[0.0, 0.0], [1e4, 0.0]])).round(4)
    array([[-6.931e-01, -6.931e-01],
           [ 0.000e+00, -1.000e+04]])
    """


def _with_top(x: Any, axis: Axis) -> Any:
    """The logits, and the largest of them."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    if x.dtype.kind != "f":
        if x.dtype.kind == "c":
            raise TypeError(f"the softmax is of real numbers, got {x.dtype}.")
        x = x.astype(np.float64)
    return x, x.max(axis=axis, keepdims=True) if x.size else 0.0


def _softmax(x: Any, axis: Axis) -> Any:
    y = exp_below(*_with_top(x, axis))
    return y / y.sum(axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Axis) -> Any:
    x, top = _with_top(x, axis)
    z = x - top
    with np.errstate(divide="ignore"):  # the sum is not less than 1, but for that of no classes at all
        return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


softmax = define(
    softmax,
    "x; axis=-1 -> y",
    forward=_softmax,
    x=lambda g, y, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),
)
log_softmax = define(
    log_softmax,
    "x; axis=-1 -> y",
    forward=_log_softmax,
    x=lambda g, y, axis: g - np.exp(y) * g.sum(axis=axis, keepdims=True),
)
