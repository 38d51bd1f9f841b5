"""Indexing: `x[key]`, and `x[key] = v` as a new value.

Repeated indices accumulate in the gradient of `x[key]`; in `x[key] = v` the last one wins, as in NumPy, and
only it gets a gradient. An index that is an array or a list is copied, so that changing it later is harmless.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import define
from ..recorder import unwrap

__all__ = ["freeze", "getitem", "put", "scatter"]


def freeze(key: Any) -> Any:
    """An index without Tensors in it, and without arrays that somebody else could change."""
    key = unwrap(key)
    return tuple([_frozen(part) for part in key]) if isinstance(key, tuple) else _frozen(key)


def _frozen(part: Any) -> Any:
    if isinstance(part, list | tuple | range):  # inside a tuple, a tuple is a list of positions too
        return np.array(part, dtype=None if len(part) else np.intp)
    return part.copy() if isinstance(part, np.ndarray) else part


def _repeats(key: Any) -> bool:
    """Whether `key` can name an element more than once: only an array of integers can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(hasattr(p, "dtype") and p.dtype.kind in "iu" and p.ndim for p in parts)


def _getitem(x: Any, key: Any) -> Any:
    return x[key]


def _scatter(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    out = np.zeros_like(g, shape=shape)
    if not _repeats(key):
        out[key] = g
    elif isinstance(out, np.ndarray):
        np.add.at(out, key, g)
    else:
        import cupyx  # CuPy's own: its arrays do not take np.add.at with a tuple

        cupyx.scatter_add(out, key, g)
    return out


def _put(x: Any, v: Any, key: Any) -> Any:
    out = np.copy(x)  # writable, also where `x` is a scalar
    out[key] = v
    return out


def _last_wins(g: Any, key: Any) -> Any:
    """The cotangent of the values that are put at `key`: 0 for a value that a later one replaced."""
    picked = g[key]
    if not _repeats(key):
        return picked
    order = np.arange(picked.size).reshape(picked.shape)
    slots = np.empty(g.shape, dtype=np.intp)
    slots[key] = order
    return picked * (slots[key] == order).astype(g.dtype)


getitem: Any = define(_getitem, "x; key -> y", x=lambda g, x_shape, key: scatter(g, x_shape, key))
scatter: Any = define(_scatter, "g_; shape, key -> y", g_=lambda g, key: g[key])
put: Any = define(_put, "x, v; key -> y", x=lambda g, key: put(g, 0, key), v=lambda g, key: _last_wins(g, key))

for _function, _name in ((getitem, "getitem"), (scatter, "scatter"), (put, "setitem")):
    _function.primitive.name = _name
