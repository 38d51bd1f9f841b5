"""Reductions: sum, prod, mean, max, min, var, std.

`max` and `min` share the cotangent evenly among equal extremes, so that the shares sum to 1. `std` that
is exactly 0 has the cotangent 0 (its derivative there is not defined; 0 is the middle of its slopes). The
rule of `prod` divides by nothing: it is exact where elements are 0.

The options that are seldom given (dtype, initial, where, mean, correction) are rewritten in terms of the plain
reductions, by the functions after the table. What `where` leaves out has the gradient 0. `initial` is one more
element: of equal extremes, half goes to it. Where nothing is tracked, NumPy's own function is called.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..devices import anywhere, is_foreign
from ..errors import NoRuleError
from ..node import Value, data_of
from ..primitive import REGISTRY, define, written
from ..wrapping import array_like, operand, unrecorded, unwrap
from .arrange import broadcast_to
from .constant import tracked
from .elementwise import convert, ratio

__all__ = [
    "amax",
    "amin",
    "as_lines",
    "axes_of",
    "count",
    "from_lines",
    "mean",
    "optional",
    "prod",
    "restore",
    "share",
    "spread",
    "std",
    "sum",
    "typed",
    "var",
]

Axis = int | tuple[int, ...] | None


@written("kept(y, shape, axis, keepdims)")
def restore(y: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Put the reduced axes of an array of `shape` back into `y`, with length 1."""
    if keepdims or axis is None:  # a 0-d array broadcasts as it is
        return y
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))} if shape else ()
    return y.reshape(tuple([1 if k in axes else n for k, n in enumerate(shape)]))


def spread(g: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """The VJP of a sum: each summand gets the cotangent of its sum."""
    return broadcast_to(restore(g, shape, axis, keepdims), shape)


@written("n")
def count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements of an array of `shape` go into one element of its reduction along `axis`."""
    if axis is None or not shape:
        return math.prod(shape)
    return math.prod([shape[a] for a in (axis if isinstance(axis, tuple) else (axis,))])


def axes_of(ndim: int, axis: Axis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that stay, and those that are reduced."""
    axes = tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim) if ndim else ()
    return tuple([k for k in range(ndim) if k not in axes]), axes


def as_lines(a: Any, axis: Axis) -> Any:
    """`a` with the axes that are reduced as one, the last."""
    kept, axes = axes_of(a.ndim, axis)
    n = math.prod([a.shape[k] for k in axes])
    return a.transpose((*kept, *axes)).reshape((*[a.shape[k] for k in kept], n))


def from_lines(lines: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """Undo `as_lines` for an array of `shape`."""
    kept, axes = axes_of(len(shape), axis)
    order = (*kept, *axes)
    return lines.reshape(tuple([shape[k] for k in order])).transpose(tuple([order.index(k) for k in range(len(shape))]))


# The options that are seldom given. Each function has NumPy's parameters; the plain reductions are defined below.

F = Callable[..., Any]


def optional(function: F) -> Callable[[F], F]:
    """What `function` does to Tensors when other options are given than its primitive has."""

    def decorate(handler: F) -> F:
        handler.__qualname__ = function.__name__  # what Python's own TypeErrors call it

        @functools.wraps(function)
        def call(a: Any, out: Any = None, **options: Any) -> Any:
            if out is not None:
                raise TypeError(
                    f"{function.__name__} cannot write into out= with Tensors: values on a tape are never overwritten."
                )
            if not (tracked(a) or any(tracked(option) for option in options.values())):
                return unrecorded(function(unwrap(a), **unwrap(options)))
            return handler(a, **options)

        return call

    return decorate


def typed(a: Any, dtype: Any = None) -> Any:
    """`a` as something with a shape and a dtype, the given one: a Tensor stays one."""
    a = array_like(a if isinstance(a, Value) else operand(a))
    return a if dtype is None or np.dtype(dtype) == a.dtype else convert(a, dtype)


def _chosen(where: Any, shape: tuple[int, ...]) -> Any:
    """The option `where` for an array of `shape`: a plain array of booleans."""
    chosen = np.broadcast_to(unwrap(where), shape)
    if chosen.dtype.kind != "b":
        raise TypeError(f"where= takes booleans, got {chosen.dtype}: write a comparison, as in where=x > 0.")
    return chosen


def _masked(a: Any, where: Any, neutral: float) -> Any:
    """`a`, with the neutral element in place of what `where` leaves out."""
    return a if where is True else np.where(_chosen(where, a.shape), a, neutral)


def _from(initial: Any, y: Any, combine: F) -> Any:
    """The reduction `y`, begun with `initial`, which NumPy converts to its dtype."""
    if initial is None:
        return y
    return combine(convert(initial, y.dtype) if isinstance(initial, Value) else y.dtype.type(initial), y)


def _how_many(a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    """How many elements of `a` go into each element of its reduction: an array."""
    chosen = np.ones_like(data_of(a), dtype=bool) if where is True else _chosen(where, a.shape)
    return chosen.sum(axis=axis, keepdims=keepdims)


@optional(np.sum)
def _sum(a: Any, axis: Axis, keepdims: bool, dtype: Any = None, initial: Any = None, where: Any = True) -> Any:
    return _from(initial, sum(_masked(typed(a, dtype), where, 0), axis, keepdims=keepdims), np.add)


@optional(np.prod)
def _prod(a: Any, axis: Axis, keepdims: bool, dtype: Any = None, initial: Any = None, where: Any = True) -> Any:
    return _from(initial, prod(_masked(typed(a, dtype), where, 1), axis, keepdims=keepdims), np.multiply)


def _extreme(
    reduction: F, combine: F, worst: float, a: Any, axis: Axis, keepdims: bool, initial: Any = None, where: Any = True
) -> Any:
    if where is not True and initial is None:
        raise ValueError(f"{combine.__name__} has no neutral element: with where=, give an initial= too.")
    a = typed(a)
    if count(a.shape, axis):
        y = reduction(_masked(a, where, worst), axis, keepdims=keepdims)
    else:
        y = sum(a, axis, keepdims=keepdims) + worst
    return _from(initial, y, combine)


@optional(np.max)
def _max(a: Any, **options: Any) -> Any:
    return _extreme(amax, np.maximum, -np.inf, a, **options)


@optional(np.min)
def _min(a: Any, **options: Any) -> Any:
    return _extreme(amin, np.minimum, np.inf, a, **options)


@optional(np.mean)
def _mean_of(a: Any, axis: Axis, keepdims: bool, dtype: Any = None, where: Any = True) -> Any:
    a = typed(a, dtype)
    if where is True:
        return mean(a, axis, keepdims=keepdims)
    n = _how_many(a, axis, keepdims, where)
    if anywhere(n == 0):
        warnings.warn("Mean of empty slice.", RuntimeWarning, stacklevel=5)
    return typed(_shared(sum(_masked(_wide(a), where, 0), axis, keepdims=keepdims), n), a.dtype)


def _wide(a: Any) -> Any:
    """Half precision is added up in single precision, as NumPy does it."""
    return convert(a, np.float32) if a.dtype == np.float16 else a


def _shared(total: Any, n: Any) -> Any:
    """total / n, for an array of numbers of elements. Where that is 0, it is what NumPy says, and constant."""
    n = n.astype(np.finfo(total.dtype).dtype)
    none = n == 0
    if not is_foreign(none) and not none.any():
        return total / n
    return np.where(none, unwrap(total) / n, total / np.where(none, 1, n))


def _whole(ddof: Any) -> Any:
    """How many degrees of freedom are taken away: a constant."""
    if tracked(ddof):
        raise NoRuleError("np.var and np.std have no rule for ddof= (correction=): if it is constant, detach it.")
    return unwrap(ddof)


@optional(np.var)
def _var(
    a: Any,
    axis: Axis,
    ddof: float,
    keepdims: bool,
    dtype: Any = None,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    if correction is not None and ddof:
        raise ValueError("give ddof or correction, which are two names of one option, not both.")
    a = typed(a, dtype)
    centred = _wide(a)
    if mean is None:
        n = _how_many(a, axis, True, where)
        mean = _shared(sum(_masked(centred, where, 0), axis, keepdims=True), n)
    d = _masked(centred - mean, where, 0)
    squares = np.square(d.real) + np.square(d.imag) if a.dtype.kind == "c" else np.square(d)
    freedom = _how_many(a, axis, keepdims, where) - _whole(ddof if correction is None else correction)
    if anywhere(freedom <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=5)
    y = _shared(sum(squares, axis, keepdims=keepdims), np.maximum(freedom, 0))
    return typed(y, a.dtype) if a.dtype == np.float16 else y


@optional(np.std)
def _std(a: Any, **options: Any) -> Any:
    y = _var(a, **options)
    zero = unwrap(y) == 0
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, y)))


# The plain ones

sum = define(
    np.sum,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.sum(axis=axis, keepdims=keepdims),
    wider=_sum,
    a=lambda g, a_shape, axis, keepdims: spread(g, a_shape, axis, keepdims),
)


def _before(lines: Any) -> Any:
    """For each element of a line, the product of those before it."""
    return np.concatenate([np.ones_like(lines[..., :1]), np.cumprod(lines[..., :-1], axis=-1)], axis=-1)


@written("prod(a, axis, keepdims=True) / a")
def _others(a: Any, a_shape: tuple[int, ...], axis: Axis) -> Any:
    """For each element, the product of the other ones: of those before it and those after it."""
    lines = as_lines(a, axis)
    return from_lines(_before(lines) * _before(lines[..., ::-1])[..., ::-1], a_shape, axis)


prod = define(
    np.prod,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.prod(axis=axis, keepdims=keepdims),
    wider=_prod,
    a=lambda g, a, a_shape, axis, keepdims: restore(g, a_shape, axis, keepdims) * _others(a, a_shape, axis),
)


@written("g / n")
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
    wider=_mean_of,
    a=lambda g, a_shape, axis, keepdims: spread(_divided(g, count(a_shape, axis)), a_shape, axis, keepdims),
)


def share(g: Any, a: Any, y: Any, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """The VJP of an extreme: its cotangent, shared by the elements that equal it."""
    winners = a == restore(y, a_shape, axis, keepdims)
    with np.errstate(invalid="ignore"):  # nothing equals a NaN: its gradient is NaN
        shares = (winners / winners.sum(axis, keepdims=True)).astype(g.dtype)
    return restore(g, a_shape, axis, keepdims) * shares


amax = define(
    np.max,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.max(axis=axis, keepdims=keepdims),
    wider=_max,
    a=share,
)
amin = define(
    np.min,
    "a; axis=None, *, keepdims=False -> y",
    forward=lambda a, axis, keepdims: a.min(axis=axis, keepdims=keepdims),
    wider=_min,
    a=share,
)


def _deviation(a: Any, axis: Axis) -> Any:
    """Each element's distance from the mean; its conjugate, as the rule of |z|² wants it."""
    return np.conjugate(a - a.mean(axis, keepdims=True))


@written("n - ddof")
def _freedom(shape: tuple[int, ...], axis: Axis, ddof: float) -> Any:
    return max(count(shape, axis) - ddof, 0)  # as NumPy: none is left, not less


var = define(
    np.var,
    "a; axis=None, *, ddof=0, keepdims=False -> y",
    forward=lambda a, axis, ddof, keepdims: np.var(a, axis, ddof=_whole(ddof), keepdims=keepdims),
    wider=_var,
    a=lambda g, a, a_shape, axis, ddof, keepdims: (
        _divided(restore(g, a_shape, axis, keepdims) * 2, _freedom(a_shape, axis, ddof)) * _deviation(a, axis)
    ),
)
std = define(
    np.std,
    "a; axis=None, *, ddof=0, keepdims=False -> y",
    forward=lambda a, axis, ddof, keepdims: np.std(a, axis, ddof=_whole(ddof), keepdims=keepdims),
    wider=_std,
    a=lambda g, a, y, a_shape, axis, ddof, keepdims: (
        restore(g, a_shape, axis, keepdims)
        * _divided(ratio(_deviation(a, axis), restore(y, a_shape, axis, keepdims)), _freedom(a_shape, axis, ddof))
    ),
)


REGISTRY[np.amax], REGISTRY[np.amin] = amax, amin
