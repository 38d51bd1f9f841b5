"""The methods of ufuncs: `reduce`, `accumulate`, `reduceat`, `outer`, `at`, for every ufunc that has a rule itself.

`f.outer` is f with broadcasting. The others are written as what they mean, a fold: f(f(x₀, x₁), x₂) …, one recorded
operation for each step. Those that have a rule of their own, or are functions of NumPy's by another name, are
registered at the end. NumPy itself runs first: it checks the arguments, and says what dtype and shape come out.

===========================  =========================================================================
extremes in a fold, ties     as of the function: half to the running value, half to the new element
`maximum.accumulate`,        the whole cotangent to the element that set the running extreme, of
`minimum`, `fmax`, `fmin`    equal ones to the first
`f.at` with repeated         one after the other, as in NumPy: the second occurrence sees what the first
positions                    has made; a new value, as `x[i] = v` is
===========================  =========================================================================
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..devices import as_array, is_foreign
from ..node import Value, data_of
from ..primitive import REGISTRY, define, written
from ..wrapping import array_beside, known, unwrap
from .arrange import array_split, broadcast_to
from .constant import CONSTANT, constant, tracked
from .index import freeze, scatter
from .reduce import as_lines
from .stable import logsumexp

__all__ = ["at", "converted", "generic"]


def generic(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What a ufunc's method does to Tensors, if it has no rule of its own but the ufunc has; else None."""
    ufunc: Any = getattr(function, "__self__", None)
    if ufunc.__class__ is not np.ufunc:
        return None
    if ufunc in CONSTANT:
        return _constant(function)
    return _folding(function) if ufunc in REGISTRY else None


_constant = functools.cache(constant)  # one for each method, which the dispatch may remember


@functools.cache
def _folding(function: Any) -> Callable[..., Any]:
    return functools.partial(_METHODS[function.__name__], function.__self__)


def converted(ufunc: Any, inputs: Sequence[Any], dtype: Any = None, casting: Any = "same_kind") -> list[Any]:
    """The inputs of a call of `ufunc` as it converts them before it computes: `dtype` is that of its result."""
    numbers = (int, float, complex)  # which adapt to the others; numpy.float64 does not
    inputs = [x if isinstance(x, Value) or type(x) in numbers else as_array(x) for x in inputs]
    dtypes = [type(x) if type(x) in numbers else x.dtype for x in inputs]
    asked = (None,) * ufunc.nin + (None if dtype is None else np.dtype(dtype),) * ufunc.nout
    found = ufunc.resolve_dtypes((*dtypes, *(None,) * ufunc.nout), signature=asked, casting=casting)
    return [x if type(x) in numbers else x.astype(to) for x, to in zip(inputs, found)]


# The generic methods


def _outer(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    a, b = [x if isinstance(x, Value) else as_array(x) for x in (a, b)]
    return ufunc(a[(..., *(None,) * b.ndim)], b, **options)


def _layers(a: Any, axis: int) -> Any:
    """`a` cut along an axis, which stays with length 1: one operation for all the layers."""
    return array_split(a, a.shape[axis], axis) if a.shape[axis] else []


def _reduce(ufunc: Any, a: Any, axis: Any = 0, **options: Any) -> Any:
    plain = ufunc.reduce(unwrap(a), axis=axis, **unwrap(options))
    initial: Any = options.get("initial", ufunc.identity)
    if initial is not None:
        initial = initial.astype(plain.dtype) if hasattr(initial, "astype") else plain.dtype.type(initial)
    a = a.astype(plain.dtype)
    layers = _layers(as_lines(a, axis), -1)
    if not layers:  # there is nothing but the initial value: it and an empty sum, which on the tape depends on `a`
        return a.sum(axis).reshape(plain.shape) + initial
    if initial is not None:
        layers.insert(0, initial)
    if "where" not in options:
        return functools.reduce(ufunc, layers).reshape(plain.shape)
    y, *rest = layers
    masks = _layers(as_lines(np.broadcast_to(unwrap(options["where"]), a.shape), axis), -1)
    for x, mask in zip(rest, masks, strict=True):
        # what is left out must be harmless: 0 times an infinite derivative is NaN
        y = np.where(mask, ufunc(y, np.where(mask, x, 1)), y)
    return y.reshape(plain.shape)


def _accumulate(ufunc: Any, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    plain = ufunc.accumulate(unwrap(array), axis, dtype)
    layers = _layers(array.astype(plain.dtype), axis)
    return np.concatenate(list(itertools.accumulate(layers, ufunc)), axis) if layers else array


def _reduceat(ufunc: Any, array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    indices = unwrap(indices)
    plain = ufunc.reduceat(unwrap(array), indices, axis, dtype)
    layers = _layers(array.astype(plain.dtype), axis)
    sums = [functools.reduce(ufunc, layers[start:stop]) for start, stop in zip(*_segments(indices, len(layers)))]
    return np.concatenate(sums, axis) if sums else array.swapaxes(0, axis)[:0].swapaxes(0, axis)


def _segments(indices: Any, n: int) -> tuple[Any, Any]:
    """Where the slices that `reduceat` reduces start and stop: at the next index, but after one element at least."""
    starts = np.asarray(indices, dtype=np.intp)
    return starts, np.maximum(np.append(starts[1:], n), starts + 1)


_METHODS: dict[str, Callable[..., Any]] = {
    "outer": _outer,
    "reduce": _reduce,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
}


def at(ufunc: Any, a: Any, indices: Any, *values: Any) -> None:
    """`ufunc.at(a, indices, v)`: like `a[indices] = ufunc(a[indices], v)`, but repeated positions count each time."""
    name = f"np.{ufunc.__name__}.at"
    indices, plain = freeze(indices), unwrap(values)
    recorded = tracked((a, *values))
    if not isinstance(a, Value):
        if recorded:
            raise TypeError(
                f"{name} cannot write a Tensor's value into an existing array: values on a tape are never "
                f"overwritten. Make the array a Tensor first: t = Tensor(array); {name}(t, …)."
            )
        ufunc.at(a, indices, *plain)
        return
    target: Any = a
    foreign = is_foreign(target._array)  # no other library has this for every ufunc, and CuPy's takes no tuple
    if not foreign:
        changed = target._array.copy()
        ufunc.at(changed, indices, *plain)
    try:
        if recorded or foreign:
            _put_at(ufunc, a, indices, values)
        else:
            target[...] = changed
    except RuntimeError as error:  # `a` is a leaf whose gradient would be lost
        error.add_note(f"in {name}(x, i, v), which is x[i] = {ufunc.__name__}(x[i], v) for one i after the other")
        raise


def _put_at(ufunc: Any, a: Any, indices: Any, values: Sequence[Any]) -> None:
    positions = np.arange(math.prod(a.shape), like=data_of(a)).reshape(a.shape)[indices]
    sums = ufunc in (np.add, np.subtract)
    turns = None if sums and is_foreign(positions) else _turns(positions)  # for sums they need not be known
    if turns is not None and not turns.any():  # no position twice
        a[indices] = ufunc(a[indices], *values)
        return
    values = [broadcast_to(array_beside(v, a), positions.shape) for v in values]
    if turns is None or sums:
        a[...] = ufunc(a, scatter(values[0].astype(a.dtype), a.shape, indices))
        return
    places, place_of = np.unique(positions, return_inverse=True)  # a turn copies these, not the whole
    place_of, key = place_of.reshape(positions.shape), np.unravel_index(places, a.shape)
    changed = a[key]
    for turn in range(int(turns.max()) + 1):
        now = turns == turn
        changed[place_of[now]] = ufunc(changed[place_of[now]], *[v[now] for v in values])
    a[key] = changed


def _turns(positions: Any) -> Any:
    """For each position, how many equal ones come before it."""
    flat = positions.reshape(-1)
    order = np.argsort(flat, kind="stable")
    ranked = flat[order]
    turns = np.empty_like(order)
    turns[order] = np.arange(flat.size, like=flat) - np.searchsorted(ranked, ranked)
    return turns.reshape(positions.shape)


# Methods that are functions by another name, or have rules of their own


def _function(name: str) -> Callable[..., Any]:
    """A reduction by NumPy's function for it, whose axis is None by default where that of the method is 0."""

    def method(array: Any, axis: Any = 0, dtype: Any = None, **options: Any) -> Any:
        return getattr(np, name)(array if dtype is None else array.astype(dtype), axis=axis, **options)

    return method


for _ufunc, _reduction, _scan in ((np.add, "sum", "cumsum"), (np.multiply, "prod", "cumprod")):
    REGISTRY[_ufunc.reduce], REGISTRY[_ufunc.accumulate] = _function(_reduction), _function(_scan)
REGISTRY[np.maximum.reduce], REGISTRY[np.minimum.reduce] = _function("max"), _function("min")


def _logaddexp_reduce(array: Any, axis: Any = 0, keepdims: bool = False, **options: Any) -> Any:
    """`np.logaddexp.reduce` is `logsumexp`, except where there is nothing to sum, or more to it."""
    if options or not array.ndim or not array.size:
        return _reduce(np.logaddexp, array, axis, keepdims=keepdims, **options)
    return logsumexp(array, axis, keepdims)


REGISTRY[np.logaddexp.reduce] = _logaddexp_reduce


def _running(ufunc: Any) -> Callable[..., Any]:
    """The running extreme: each element of it is one of the array's."""

    def accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
        array = array if dtype is None else array.astype(dtype)
        y = _extremes(ufunc, unwrap(array), axis).swapaxes(0, axis)
        new = np.ones_like(y, dtype=bool)
        new[1:] = (y[1:] != y[:-1]) & ~(np.isnan(y[1:]) & np.isnan(y[:-1]))
        grid = np.ix_(*[np.arange(n, like=y) for n in y.shape])
        setter = _extremes(np.maximum, np.where(new, grid[0], 0), 0)
        return array.swapaxes(0, axis)[(setter, *grid[1:])].swapaxes(0, axis)

    return accumulate


def _extremes(ufunc: Any, array: Any, axis: int) -> Any:
    """`ufunc.accumulate`, of which other libraries than NumPy have no extremes: there of 1, 2, 4, … elements each."""
    if not is_foreign(array):
        return ufunc.accumulate(array, axis)
    lines, n = array.swapaxes(0, axis), 1
    while n < len(lines):
        lines, n = np.concatenate([lines[:n], ufunc(lines[n:], lines[:-n])]), 2 * n
    return lines.swapaxes(0, axis)


for _extreme in (np.maximum, np.minimum, np.fmax, np.fmin):
    REGISTRY[_extreme.accumulate] = _running(_extreme)


@written("spread_over_segments(g)")
def _spread_sums(g: Any, array_shape: tuple[int, ...], indices: Any, axis: int) -> Any:
    """The VJP of `add.reduceat`: each element gets the cotangents of the sums that it is in."""
    starts, stops = _segments(indices, array_shape[axis])
    sizes = stops - starts
    sums = np.repeat(np.arange(sizes.size), sizes)
    elements = np.arange(sums.size) + np.repeat(stops - sizes.cumsum(), sizes)
    lead = (slice(None),) * (axis % len(array_shape))
    return scatter(g[(*lead, sums)], array_shape, (*lead, elements))


add_reduceat = define(
    np.add.reduceat,
    "array; indices, axis=0 -> y",
    forward=lambda array, indices, axis: np.add.reduceat(array, indices, axis),
    array=_spread_sums,
)
add_reduceat.primitive.name = "add.reduceat"  # type: ignore[attr-defined]


def _add_reduceat(array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    indices = np.array(known(indices))
    if not indices.size:
        return _reduceat(np.add, array, indices, axis, dtype)
    return add_reduceat(array if dtype is None else array.astype(dtype), indices, axis)


REGISTRY[np.add.reduceat] = _add_reduceat
