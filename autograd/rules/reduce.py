"""Reductions: sum, mean, max, min, var, std.

`max` and `min` share the cotangent evenly among equal extremes, so that the shares sum to 1. `std` that
is exactly 0 has the cotangent 0 (its derivative there is not defined; 0 is the middle of its slopes).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import REGISTRY, define
from .arrange import broadcast_to
from .elementwise import ratio

__all__ = ["amax", "amin", "count", "mean", "restore", "spread", "std", "sum", "var"]

Axis = int | tuple[int, ...] | None


def restore(y: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Put the reduced axes of an array of `shape` back into `y`, with length 1."""
    if keepdims or axis is None:  # a 0-d array broadcasts as it is
        return y
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))} if shape else ()
    return y.reshape(tuple([1 if k in axes else n for k, n in enumerate(shape)]))


def spread(g: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """The VJP of a sum: each summand gets the cotangent of its sum."""
    return broadcast_to(restore(g, shape, axis, keepdims), shape)


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements of an array of `shape` go into one element of its reduction along `axis`."""
    if axis is None or not shape:
        return math.prod(shape)
    return math.prod([shape[a] for a in (axis if isinstance(axis, tuple) else (axis,))])


sum = define(
    np.sum,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.sum(axis=axis, keepdims=keepdims),
    a=lambda g, a_shape, axis, keepdims: spread(g, a_shape, axis, keepdims),
)


def _divided(g: Any, n: int) -> Any:
    """g / n, also where n is beyond the range of float16."""
    return g / n if n < 2**15 else g * (1 / n)


def _mean(a: Any, axis: Axis, keepdims: bool) -> Any:
    """`np.mean` without what it does in Python for integers and float16, which it adds up in a wider type."""
    if a.dtype.kind in "fc" and a.dtype.itemsize >= 4 and a.size:
        return a.sum(axis=axis, keepdims=keepdims) / count(a.shape, axis)
    return a.mean(axis=axis, keepdims=keepdims)


mean = define(
    np.mean,
    "a; axis=None, *, keepdims=False -> y",
    forward=_mean,
    a=lambda g, a_shape, axis, keepdims: spread(_divided(g, count(a_shape, axis)), a_shape, axis, keepdims),
)


def _share(g: Any, a: Any, y: Any, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """The VJP of an extreme: its cotangent, shared by the elements that equal it."""
    winners = a == restore(y, a_shape, axis, keepdims)
    with np.errstate(invalid="ignore"):  # nothing equals a NaN: its gradient is NaN
        shares = (winners / winners.sum(axis, keepdims=True)).astype(g.dtype)
    return restore(g, a_shape, axis, keepdims) * shares


amax = define(
    np.max,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.max(axis=axis, keepdims=keepdims),
    a=_share,
)
amin = define(
    np.min,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.min(axis=axis, keepdims=keepdims),
    a=_share,
)


def _deviation(a: Any, axis: Axis) -> Any:
    """Each element's distance from the mean; its conjugate, as the rule of |z|² wants it."""
    return np.conjugate(a - a.mean(axis, keepdims=True))


var = define(
    np.var,
    "a; axis=None, *, ddof=0, keepdims=False -> y",
    a=lambda g, a, a_shape, axis, ddof, keepdims: (
        _divided(restore(g, a_shape, axis, keepdims) * 2, count(a_shape, axis) - ddof) * _deviation(a, axis)
    ),
)
std = define(
    np.std,
    "a; axis=None, *, ddof=0, keepdims=False -> y",
    a=lambda g, a, y, a_shape, axis, ddof, keepdims: (
        restore(g, a_shape, axis, keepdims)
        * _divided(ratio(_deviation(a, axis), restore(y, a_shape, axis, keepdims)), count(a_shape, axis) - ddof)
    ),
)


def _reduce(reduction: Any) -> Any:
    """`ufunc.reduce` has axis 0 by default, where the function has None."""

    def reduce(a: Any, axis: Axis = 0, keepdims: bool = False) -> Any:
        return reduction(a, axis=axis, keepdims=keepdims)

    reduce.primitive = reduction.primitive  # type: ignore[attr-defined]
    return reduce


REGISTRY[np.amax], REGISTRY[np.amin] = amax, amin
REGISTRY[np.add.reduce] = _reduce(sum)
REGISTRY[np.maximum.reduce], REGISTRY[np.minimum.reduce] = _reduce(amax), _reduce(amin)
