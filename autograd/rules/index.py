"""Indexing: `x[key]`, and `x[key] = v` as a new value.

Repeated indices accumulate in the gradient of `x[key]`; in `x[key] = v` the last one wins, as in NumPy, and
only it gets a gradient. An index that is an array or a list is copied, so that changing it later is harmless.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..primitive import define, written
from ..wrapping import unwrap

__all__ = ["freeze", "getitem", "put", "scatter"]


#: What the bounds of a slice usually are.
_BOUNDS = frozenset({int, type(None)})


def freeze(key: Any) -> Any:
    """An index without Tensors in it, and without arrays that somebody else could change."""
    key = unwrap(key)
    return tuple([_frozen(part) for part in key]) if isinstance(key, tuple) else _frozen(key)


def _frozen(part: Any) -> Any:
    if isinstance(part, list | tuple | range):  # inside a tuple, a tuple is a list of positions too
        return np.array(part, dtype=None if len(part) else np.intp)
    if part.__class__ is slice:
        start, stop, step = part.start, part.stop, part.step
        if start.__class__ in _BOUNDS and stop.__class__ in _BOUNDS and step.__class__ in _BOUNDS:
            return part
        return slice(*[b if b is None else operator.index(b) for b in (start, stop, step)])  # 0-d arrays can change
    return part.copy() if isinstance(part, np.ndarray) else part


def _is_positions(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind in "iu" and part.ndim > 0


def _repeats(key: Any) -> bool:
    """Whether `key` can name an element more than once: only an array of integers can."""
    return any(map(_is_positions, key)) if isinstance(key, tuple) else _is_positions(key)


@written("x[key]")
def _getitem(x: Any, key: Any) -> Any:
    return x[key]


def _scatter(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    if not _repeats(key):
        out = np.zeros_like(g, shape=shape)
        out[key] = g
    elif isinstance(g, np.ndarray | np.generic):
        half = g.dtype == np.float16  # whose sums end at 2048 + 1: added up in single precision, as np.sum does
        out = np.zeros(shape, np.float32 if half else g.dtype)
        _accumulate(out, key, g.astype(out.dtype, copy=False))
        out = out.astype(g.dtype, copy=False)
    else:
        import cupyx  # CuPy's own: its arrays do not take np.add.at with a tuple

        out = np.zeros_like(g, shape=shape)
        cupyx.scatter_add(out, key, g)
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


@written("replace(x, key, v)")
def _put(x: Any, v: Any, key: Any) -> Any:
    out = np.copy(x)  # writable, also where `x` is a scalar
    out[key] = v
    return out


@written("last_wins(g[key])")
def _last_wins(g: Any, key: Any) -> Any:
    """The cotangent of the values that are put at `key`: 0 for a value that a later one replaced."""
    picked = g[key]
    if not _repeats(key):
        return picked
    order = np.cumsum(np.ones_like(picked, dtype=np.intp)).reshape(picked.shape)
    slots = np.zeros_like(g, dtype=np.intp)
    slots[key] = order
    return np.where(slots[key] == order, picked, 0)


getitem: Any = define(_getitem, "x; key -> y", x=lambda g, x_shape, key: scatter(g, x_shape, key))
scatter: Any = define(_scatter, "g_; shape, key -> y", g_=lambda g, key: g[key])
put: Any = define(_put, "x, v; key -> y", x=lambda g, key: put(g, 0, key), v=lambda g, key: _last_wins(g, key))

for _function, _name in ((getitem, "getitem"), (scatter, "scatter"), (put, "setitem")):
    _function.primitive.name = _name
