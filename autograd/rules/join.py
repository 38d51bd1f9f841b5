"""Joining and splitting under NumPy's other names: vstack, block, append, hsplit, unstack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..node import Value
from ..primitive import composed
from ..wrapping import array_beside
from .arrange import join, layers, reshape, split

__all__ = ["block"]


@composed(np.vstack, getattr(np, "row_stack", np.vstack))  # one function in NumPy 1, deprecated in 2
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """`np.vstack`."""
    return join([np.atleast_2d(a) for a in tup], 0, dtype=dtype, casting=casting)


@composed(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """`np.hstack`."""
    arrays = [np.atleast_1d(a) for a in tup]
    return join(arrays, 0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@composed(np.dstack)
def dstack(tup: Any) -> Any:
    """`np.dstack`."""
    return join([np.atleast_3d(a) for a in tup], 2)


@composed(np.column_stack)
def column_stack(tup: Any) -> Any:
    """`np.column_stack`: vectors are columns."""
    arrays = [np.atleast_1d(a) for a in tup]
    return join([reshape(a, (a.shape[0], 1)) if a.ndim == 1 else a for a in arrays], 1)


@composed(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`np.append`."""
    return join([array_beside(arr, values), array_beside(values, arr)], axis)


@composed(np.block)
def block(arrays: Any) -> Any:
    """`np.block`: the innermost lists are joined along the last axis, those around them along the last but one, …"""
    depth = _depth(arrays)
    ndim = max(depth, _widest(arrays))
    like = next(_leaves(arrays))

    def joined(part: Any, axis: int) -> Any:
        if isinstance(part, list):
            return join([joined(p, axis + 1) for p in part], axis)
        part = array_beside(part, like)
        return reshape(part, (1,) * (ndim - part.ndim) + part.shape)

    return joined(arrays, -depth)


def _depth(part: Any) -> int:
    if isinstance(part, tuple):
        raise TypeError("np.block takes lists, and in them arrays, not tuples: write [a, b] for (a, b).")
    if not isinstance(part, list):
        return 0
    depths = {_depth(p) for p in part}
    if len(depths) != 1:
        found = f"of the depths {sorted(depths)}" if depths else "none"
        raise ValueError(f"np.block takes lists that are equally deep and not empty; in one of them there are {found}.")
    return depths.pop() + 1


def _leaves(part: Any) -> Iterator[Any]:
    """The Tensors in nested lists."""
    if isinstance(part, list):
        for inner in part:
            yield from _leaves(inner)
    elif isinstance(part, Value):
        yield part


def _widest(part: Any) -> int:
    return max(map(_widest, part)) if isinstance(part, list) else np.ndim(part)


@composed(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """`np.hsplit`."""
    if ary.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@composed(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """`np.vsplit`."""
    if ary.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


@composed(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """`np.dsplit`."""
    if ary.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


if hasattr(np, "unstack"):  # since NumPy 2.1

    @composed(np.unstack)
    def unstack(x: Any, /, *, axis: int = 0) -> Any:
        """`np.unstack`."""
        if not x.ndim:
            raise ValueError("Input array must be at least 1-d.")
        return tuple(layers(np.moveaxis(x, axis, 0)))
