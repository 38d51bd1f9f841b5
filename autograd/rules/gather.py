"""Taking and choosing: take, choose, select, insert, delete, resize and the like.

What these do to values they would do to positions as well: so NumPy's own function says, called on an array of
positions, where each element of the result comes from, and the result is one gather, `x.ravel()[positions]`. Its
VJP adds what came from an element up at that element.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view as np_windows

from ..devices import anywhere, is_foreign
from ..node import Value, data_of
from ..primitive import composed, define, written
from ..wrapping import array_beside, array_like, known, unwrap, wrap
from .arrange import concatenate, pile, ravel
from .elementwise import convert, where
from .index import freeze, getitem, scatter
from .rearrange import frozen

__all__ = ["along", "gathered"]


def places_in(shape: tuple[int, ...], like: Any) -> Any:
    """The position of each element in an array of `shape`, on the device of `like`."""
    return np.arange(math.prod(shape), like=data_of(like)).reshape(shape)


def gathered(x: Any, function: Callable[[Any], Any]) -> Any:
    """What `function` makes of an array, if all that it does is to take elements out of it."""
    return getitem(ravel(x), function(places_in(x.shape, x)))


# At positions


def within(positions: Any, n: int, mode: str) -> Any:
    """The positions as an index into n elements: too large or too small ones wrapped or clipped, if `mode` says so."""
    positions = array_like(freeze(unwrap(positions)))
    if positions.dtype.kind in "biu":  # booleans are the positions 0 and 1 here, not a mask
        positions = positions.astype(np.intp, copy=False)
    if mode == "raise":
        return positions
    if mode not in ("wrap", "clip"):
        raise ValueError(f"mode is 'raise', 'wrap' or 'clip', got {mode!r}.")
    return positions % n if mode == "wrap" else positions.clip(0, max(n - 1, 0))


@composed(np.take)
def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    """`np.take`."""
    a = array_like(a)
    if axis is None:
        a, axis = ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    places = within(indices, a.shape[axis], mode)
    if isinstance(places, np.generic) and not is_foreign(data_of(a)):
        places = np.asarray(places)  # the result is a copy then, as NumPy's is
    return getitem(a, (*(slice(None),) * axis, places))


@composed(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """`np.compress`."""
    condition = array_like(unwrap(condition))
    if condition.ndim != 1:
        raise ValueError("condition must be a 1-d array")
    return take(a, np.flatnonzero(condition), axis)


@composed(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """`np.extract`."""
    return take(arr, np.flatnonzero(unwrap(condition)))


def along(shape: tuple[int, ...], indices: Any, axis: int) -> tuple[Any, ...]:
    """The index that `take_along_axis` and `put_along_axis` stand for."""
    indices = freeze(unwrap(indices))
    if not np.issubdtype(indices.dtype, np.integer):
        raise IndexError("`indices` must be an integer array")
    if indices.ndim != len(shape):
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    grid = np.ix_(*[np.arange(n, like=indices) for n in shape])
    return tuple([indices if k == axis else line for k, line in enumerate(grid)])


@composed(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """`np.take_along_axis`."""
    if axis is None:
        if np.ndim(indices) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        arr, axis = ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    return getitem(arr, along(arr.shape, indices, axis))


# From NumPy's own positions


@composed(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`np.delete`."""
    return gathered(arr, lambda places: np.delete(places, unwrap(obj), axis))


@composed(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`np.insert`."""
    arr, values = array_beside(arr, values), array_beside(values, arr)
    if values.dtype != arr.dtype:
        values = convert(values, arr.dtype) if isinstance(values, Value) else values.astype(arr.dtype)
    numbers = np.arange(arr.size + values.size)  # NumPy's: no other library inserts
    old, new = numbers[: arr.size].reshape(arr.shape), numbers[arr.size :].reshape(values.shape)
    places = np.insert(old, known(obj), new, axis)
    return getitem(concatenate([ravel(arr), ravel(values)]), places)


@composed(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """`np.resize`: the elements over and over again."""
    if not a.size:
        return np.zeros_like(a, shape=new_shape)
    return gathered(a, lambda places: np.resize(places, new_shape))


@composed(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """`np.trim_zeros`: the slices of the box that holds everything that is not 0."""
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    found = np.argwhere(data_of(filt))
    axes = range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim, "axis")
    key: list[Any] = [slice(None)] * filt.ndim
    for k in axes:
        if len(found):
            start = found[:, k].min() if "f" in trim else None
            key[k] = slice(start, found[:, k].max() + 1 if "b" in trim else None)
        else:  # of nothing but zeros, nothing stays
            key[k] = slice(0)
    return getitem(filt, tuple(key))


@written("sum_over_windows(g)")
def _windows(g: Any, x_shape: tuple[int, ...], window_shape: Any, axis: Any) -> Any:
    """The VJP of the windows: each element gets the sum over the windows that it is in."""
    places = np_windows(places_in(x_shape, g), window_shape, axis)
    return scatter(g, shape=(math.prod(x_shape),), key=places).reshape(x_shape)


def _made_windows(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """The windows; a copy where a library does not say whose memory they are: a write into that would go unnoticed."""
    windows = np_windows(x, window_shape, axis)
    return windows.copy() if is_foreign(x) and getattr(windows, "base", windows) is None else windows


_windows_of = define(np_windows, "x; window_shape, axis=None -> y", forward=_made_windows, x=_windows)


@composed(np_windows)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """`np.lib.stride_tricks.sliding_window_view`: a view, as in NumPy, and not to be written into."""
    if writeable:
        raise TypeError("sliding_window_view of a Tensor is not writeable: values on a tape are never overwritten.")
    return _windows_of(x, frozen(window_shape), frozen(axis))


# By choice


def _common(values: Any) -> Any:
    """The dtype of all of them; a Python number does not widen it."""
    return np.result_type(*[v if isinstance(v, int | float | complex) else array_like(v).dtype for v in values])


@composed(np.choose)
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """`np.choose`."""
    number = len(choices)
    a = array_like(unwrap(a))
    if mode == "raise" and anywhere((a < 0) | (a >= number)):
        raise ValueError("invalid entry in choice array")
    a = within(a, number, mode)
    shape = np.broadcast_shapes(a.shape, *map(np.shape, choices))
    layers = pile(
        [np.broadcast_to(array_beside(c, a), shape) for c in choices], dtype=_common(choices), casting="unsafe"
    )
    return take_along_axis(layers, np.broadcast_to(a, shape)[None], 0)[0]


@composed(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """`np.select`: of the conditions that hold, the first one chooses.

    NumPy asks the conditions and the choices whether they are Tensors, not the default: if that alone is one, NumPy
    tries to make an array of it, which a Tensor refuses.
    """
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    dtype = _common([*choicelist, default])
    like = next(x for x in (*condlist, *choicelist, default) if isinstance(x, Value))
    result = default if isinstance(default, Value) else array_beside(default, like).astype(dtype)
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        condition = array_like(unwrap(condition))
        if condition.dtype != bool:
            raise TypeError(f"np.select: a condition holds booleans, got {condition.dtype}.")
        result = where(condition, choice, result)
    return result


@composed(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """`np.piecewise`: the functions get Tensors."""
    condlist = unwrap(condlist)
    if np.isscalar(condlist) or (not (isinstance(condlist[0], list) or np.ndim(condlist[0])) and x.ndim != 0):
        condlist = [condlist]
    conditions = np.stack([array_like(c) for c in condlist]).astype(bool)
    if len(conditions) == len(funclist) - 1:
        conditions = np.concatenate([conditions, ~conditions.any(axis=0, keepdims=True)])
    elif len(conditions) != len(funclist):
        n = len(conditions)
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    y: Any = wrap(np.zeros_like(data_of(x)))
    for condition, function in zip(conditions, funclist):
        if not callable(function):
            y[condition] = function
        else:
            picked = getitem(x, condition)
            if picked.size > 0:
                y[condition] = function(picked, *args, **kw)
    return y
