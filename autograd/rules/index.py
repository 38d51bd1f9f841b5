"""Indexing: `x[key]`, and `x[key] = v` as a new value.

Repeated indices accumulate in the gradient of `x[key]`; in `x[key] = v` the last one wins, as in NumPy, and
only it gets a gradient, also on a device that writes in no order. An index that is an array or a list is copied, so
that changing it later is harmless. A device is not waited for: an array of positions that are out of bounds raises
nothing there, and they wrap around, as CuPy has it.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..devices import check_same_device, is_foreign
from ..node import data_of
from ..primitive import define, written
from ..wrapping import operand, unwrap

__all__ = ["assign", "freeze", "getitem", "put", "scatter"]


#: What the bounds of a slice, and the parts of an index, usually are.
_BOUNDS = frozenset({int, type(None)})


def freeze(key: Any, array: Any = None) -> Any:
    """An index (of `array`, if given) without Tensors in it, and without arrays that somebody else could change."""
    key = unwrap(key)
    return tuple([_frozen(part, array) for part in key]) if isinstance(key, tuple) else _frozen(key, array)


def _frozen(part: Any, array: Any) -> Any:
    if part.__class__ in _BOUNDS:
        return part
    if isinstance(part, list | tuple | range):  # inside a tuple, a tuple is a list of positions too
        return np.array(part, dtype=None if len(part) else np.intp)
    if part.__class__ is slice:
        start, stop, step = part.start, part.stop, part.step
        if start.__class__ in _BOUNDS and stop.__class__ in _BOUNDS and step.__class__ in _BOUNDS:
            return part
        return slice(*[b if b is None else operator.index(b) for b in (start, stop, step)])  # 0-d arrays can change
    if isinstance(part, np.ndarray):  # one without axes is a number to a device, which need not be sent the array
        number = is_foreign(array) and not part.ndim and part.dtype.kind in "iu"
        return operator.index(part) if number else part.copy()
    if not is_foreign(part):
        return part
    if array.__class__ is np.ndarray:  # which would have a lazy index computed
        check_same_device("x[key]", {"x": array, "key": part})
    return part.copy()


def _is_positions(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind in "iu" and part.ndim > 0


def _is_mask(key: Any) -> bool:
    return is_foreign(key) and key.dtype.kind == "b"


def _repeats(key: Any) -> bool:
    """Whether `key` can name an element more than once: only an array of integers can."""
    return any(map(_is_positions, key)) if isinstance(key, tuple) else _is_positions(key)


def _widens(key: Any) -> bool:
    """Whether `key` makes new axes."""
    return any(part is None for part in key) if isinstance(key, tuple) else key is None


@written("x[key]")
def _getitem(x: Any, key: Any) -> Any:
    return x[key]


def _scatter(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    if not _repeats(key):
        out = np.zeros_like(g, shape=shape)
        if g.__class__ is not np.ndarray and _widens(key):  # not all libraries write at new axes
            key = tuple([part for part in key if part is not None]) if isinstance(key, tuple) else ()
            g = g.reshape(out[key].shape)
        if g.size:
            out[key] = g
    elif isinstance(g, np.ndarray | np.generic):
        half = g.dtype == np.float16  # whose sums end at 2048 + 1: added up in single precision, as np.sum does
        out = np.zeros(shape, np.float32 if half else g.dtype)
        _accumulate(out, key, g.astype(out.dtype, copy=False))
        out = out.astype(g.dtype, copy=False)
    else:
        out = _summed(g, shape, key)
    return out


#: Fewer values than this are not worth any preparation.
_FEW = 500

#: How many values are added at a time: their positions then stay in the processor's cache.
_CHUNK = 2**14


def _accumulate(out: Any, key: Any, g: Any) -> None:
    """Add `g` to `out` at `key`, each time that `key` names an element.

    `np.add.at` is quick with one axis and one index with one axis, and much slower with anything else:
    so the key is brought into that form where this does not cost more than it saves.
    """
    if g.size < _FEW or (out.ndim == 1 and key.__class__ is np.ndarray and key.ndim == 1):
        np.add.at(out, key, g)
        return
    rows, axes = _rows(key, out.shape)
    if rows is None:
        if out.size > 4 * g.size:
            np.add.at(out, key, g)
            return
        rows, axes = np.arange(out.size).reshape(out.shape)[key], out.ndim
    width = math.prod(out.shape[axes:])
    flat, g, rows = out.reshape(-1), g.reshape(-1), rows.reshape(-1)
    if width == 1:
        np.add.at(flat, rows, g)
    elif width:
        columns, step = np.arange(width), max(1, _CHUNK // width)
        for k in range(0, rows.size, step):
            places = rows[k : k + step, None] * width + columns
            np.add.at(flat, places.reshape(-1), g[k * width : (k + step) * width])


def _rows(key: Any, shape: tuple[int, ...]) -> tuple[Any, int]:
    """For a key of positions along the first axes: their positions in these axes raveled, and how many axes."""
    parts = key if isinstance(key, tuple) else (key,)
    if not all(_is_positions(p) or p.__class__ is int or isinstance(p, np.integer) for p in parts):
        return None, 0
    if len(parts) == 1:
        return parts[0].astype(np.intp, copy=False), 1  # a negative one counts from the end there as well
    return np.ravel_multi_index(parts, shape[: len(parts)], mode="wrap"), len(parts)


# On a device no order says which value is written last, and `np.add.at` takes one array of positions, no tuple.


def _summed(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """`g` added up at `key`, by a library that is not NumPy."""
    if g.dtype.kind == "c":  # of which CuPy has no atomic sums
        return _summed(g.real, shape, key) + 1j * _summed(g.imag, shape, key)
    wide = np.dtype(np.float32) if g.dtype == np.float16 else g.dtype
    if key.__class__ is g.__class__:
        out = np.zeros_like(g, dtype=wide, shape=shape)
        np.add.at(out, key, g.astype(wide, copy=False))
    else:
        out = np.zeros_like(g, dtype=wide, shape=(math.prod(shape),))
        np.add.at(out, _flat_positions(g, shape, key).reshape(-1), g.astype(wide, copy=False).reshape(-1))
    return out.astype(g.dtype, copy=False).reshape(shape)


def _flat_positions(like: Any, shape: tuple[int, ...], key: Any) -> Any:
    """Where the elements that `key` names are in an array of `shape` that is raveled."""
    return np.arange(math.prod(shape), like=like).reshape(shape)[key]


def _latest(like: Any, key: Any) -> tuple[Any, Any, Any]:
    """The values that are put at `key`, numbered from 1, and their positions; and for each position its last value."""
    positions = _flat_positions(like, like.shape, key)
    numbers = np.arange(1, positions.size + 1, like=like).reshape(positions.shape)
    latest = np.zeros_like(numbers, shape=(math.prod(like.shape),))
    np.maximum.at(latest, positions.reshape(-1), numbers.reshape(-1))
    return numbers, positions, latest


@written("replace(x, key, v)")
def _put(x: Any, v: Any, key: Any) -> Any:
    if x.__class__ is np.ndarray or not is_foreign(x):
        if v.__class__ is not np.ndarray and is_foreign(v):
            raise TypeError("an array of NumPy's cannot hold the values of another library's.")
        out = np.copy(x)  # writable, also where `x` is a scalar
        out[key] = v
        return out
    out = x.copy()
    single = np.shape(v) == ()  # one value for all places
    if not (_is_mask(key) if single else _repeats(key)):
        if _is_mask(key):  # where CuPy would move the values without a word
            check_same_device("x[key] = v", {"x": x, "v": v})
        out[key] = v
        return out
    if single:  # how many places it is need not be known then
        if key.shape != out.shape[: key.ndim]:
            raise IndexError(f"a mask of shape {key.shape} does not match an array of shape {out.shape}.")
        if not hasattr(v, "shape"):  # refused where NumPy refuses it: a complex number for a real array
            v = out.dtype.type(v)
        mask = key.reshape(key.shape + (1,) * (out.ndim - key.ndim))
        return np.where(mask, v, out).astype(out.dtype, copy=False)
    numbers, _, latest = _latest(out, key)
    if not numbers.size:
        return out
    fitted = v.reshape(v.shape[max(v.ndim - numbers.ndim, 0) :])  # NumPy drops leading axes of length 1
    values = np.broadcast_to(fitted, numbers.shape).reshape(-1)[np.maximum(latest - 1, 0)]
    return np.where(latest > 0, values, out.reshape(-1)).astype(out.dtype, copy=False).reshape(out.shape)


def assign(array: Any, key: Any, value: Any) -> None:
    """`array[key] = value` in place: of several values for one element, the last one stays."""
    if array.__class__ is np.ndarray:
        array[key] = value
        return
    value = operand(value)
    check_same_device("x[key] = v", {"x": array, "v": value})
    if _repeats(key) or _is_mask(key):
        value, key = _put(array, value, key), ...
    array[key] = value


@written("last_wins(g[key])")
def _last_wins(g: Any, key: Any) -> Any:
    """The cotangent of the values that are put at `key`: 0 for a value that a later one replaced."""
    picked = g[key]
    if not _repeats(key):
        return picked
    array = data_of(g)
    if is_foreign(array):
        numbers, positions, latest = _latest(array, key)
        return np.where(latest[positions] == numbers, picked, 0)
    order = np.arange(picked.size).reshape(picked.shape)
    slots = np.empty(array.shape, np.intp)
    slots[key] = order
    return np.where(slots[key] == order, picked, 0)


getitem: Any = define(_getitem, "x; key -> y", x=lambda g, x_shape, key: scatter(g, x_shape, key))
scatter: Any = define(_scatter, "g_; shape, key -> y", g_=lambda g, key: g[key])
put: Any = define(_put, "x, v; key -> y", x=lambda g, key: put(g, 0, key), v=lambda g, key: _last_wins(g, key))

for _function, _name in ((getitem, "getitem"), (scatter, "scatter"), (put, "setitem")):
    _function.primitive.name = _name
