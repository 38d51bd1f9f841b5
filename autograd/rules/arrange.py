"""Arrangement: functions that move values without changing them.

Their VJPs move the cotangent back; what copies a value sums the cotangents of its copies.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..cotangent import unbroadcast
from ..devices import move
from ..node import Value
from ..primitive import REGISTRY, define, written
from ..wrapping import array_like, known
from .elementwise import convert

__all__ = [
    "array_split",
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "join",
    "layers",
    "pile",
    "ravel",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "to",
    "transpose",
]


def _refuse_layout(order: str) -> None:
    if order not in ("C", "F"):
        raise ValueError(
            f"order={order!r} depends on how an array lies in memory, which a gradient must not: use order='C' or 'F'."
        )


# The usual order is not named: not every library of arrays has another one.


@written("reshape(g, a_shape, order=order)")
def _unshape(g: Any, a_shape: tuple[int, ...], order: str) -> Any:
    return g.reshape(a_shape) if order == "C" else np.reshape(g, a_shape, order=order)  # type: ignore[call-overload]


def _reshape(a: Any, shape: Any, order: str) -> Any:
    if order == "C":
        return np.reshape(a, (shape,) if shape.__class__ is int else shape)
    _refuse_layout(order)
    return np.reshape(a, shape, order=order)  # type: ignore[call-overload]


def _ravel(a: Any, order: str) -> Any:
    if order == "C":
        return np.ravel(a)
    _refuse_layout(order)
    return np.ravel(a, order=order)  # type: ignore[call-overload]


reshape = define(
    np.reshape,
    "a; shape, order='C' -> y",
    forward=_reshape,
    a=_unshape,
)
ravel = define(
    np.ravel,
    "a; order='C' -> y",
    forward=_ravel,
    a=_unshape,
)
expand_dims = define(np.expand_dims, "a; axis -> y", a=lambda g, a_shape: g.reshape(a_shape))
squeeze = define(np.squeeze, "a; axis=None -> y", a=lambda g, a_shape: g.reshape(a_shape))


def _inverse(axes: Sequence[int] | None) -> Any:
    return None if axes is None else tuple(np.argsort([a % len(axes) for a in axes]))


@written("g.transpose(_inverse(axes))")
def _put_back(g: Any, axes: Sequence[int] | None) -> Any:
    return g.T if axes is None else g.transpose(_inverse(axes))  # not all libraries take None


_transpose = define(
    np.transpose,
    "a; axes=None -> y",
    forward=lambda a, axes: a.T if axes is None else a.transpose(axes),
    a=_put_back,
)


def transpose(a: Any, axes: Any = None) -> Any:
    """`np.transpose`, with axes that nobody can change afterwards."""
    return _transpose(a, None if axes is None else tuple([operator.index(axis) for axis in axes]))


swapaxes = define(
    np.swapaxes,
    "a; axis1, axis2 -> y",
    forward=lambda a, axis1, axis2: a.swapaxes(axis1, axis2),
    a=lambda g, axis1, axis2: g.swapaxes(axis1, axis2),
)


def _broadcast_to(array: Any, shape: Any) -> Any:
    """`np.broadcast_to`; for the commonest case, a 0-d NumPy array, eight times as fast."""
    if isinstance(array, np.generic):
        array = np.asarray(array)
    if array.__class__ is np.ndarray and array.ndim == 0 and isinstance(shape, tuple):
        view: Any = np.ndarray(shape, array.dtype, array, 0, (0,) * len(shape))
        view.flags.writeable = False
        return view
    return np.broadcast_to(array, (shape,) if isinstance(shape, int) else shape)


broadcast_to = define(
    np.broadcast_to,
    "array; shape -> y",
    forward=_broadcast_to,
    array=lambda g, array_shape: unbroadcast(g, array_shape),
)


@written("x")
def to(x: Any, device: str, back: str) -> Any:
    """`x` on another device; its cotangent goes back to the one where it was."""
    return move(x, device)


to = define(to, "x; device, back -> y", x=lambda g, device, back: to(g, back, device))


@written("part(g, i)")
def _part(g: Any, i: int, arrays_shapes: list[tuple[int, ...]], axis: int | None) -> Any:
    """The VJP of a concatenation for input i: its part of the cotangent."""
    if axis is None:
        sizes = [int(np.prod(s)) for s in arrays_shapes]
        start = sum(sizes[:i])
        return g[start : start + sizes[i]].reshape(arrays_shapes[i])
    start = sum(s[axis] for s in arrays_shapes[:i])
    key: list[Any] = [slice(None)] * len(arrays_shapes[i])
    key[axis] = slice(start, start + arrays_shapes[i][axis])
    return g[tuple(key)]


concatenate = define(np.concatenate, "*arrays; axis=0 -> y", promotes=True, arrays=_part)


@written("g[i] if axis == 0 else take(g, i, axis)")
def _layer(g: Any, i: int, axis: int) -> Any:
    """The VJP of a stack for input i: its layer of the cotangent."""
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


stack = define(np.stack, "*arrays; axis=0 -> y", promotes=True, arrays=_layer)


def _cast(arrays: Any, dtype: Any, casting: str) -> Any:
    """The arrays to be joined, as `dtype` if one is given."""
    if dtype is None:
        return arrays
    arrays = [array_like(a) for a in arrays]
    for a in arrays:
        if not np.can_cast(a.dtype, dtype, casting):  # type: ignore[arg-type]
            raise TypeError(f"Cannot cast array data from {a.dtype!r} to {np.dtype(dtype)!r} according to '{casting}'")
    return [convert(a, dtype) if isinstance(a, Value) else a.astype(dtype) for a in arrays]


def join(arrays: Any, axis: Any = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """`np.concatenate`."""
    return concatenate(_cast(arrays, dtype, casting), axis)


def pile(arrays: Any, axis: int = 0, out: None = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    """`np.stack`."""
    return stack(_cast(arrays, dtype, casting), axis)


def _layers(x: Any) -> list[Any]:
    """`list(x)`, with 0-d arrays where that has scalars."""
    return [x[i, ...] for i in range(len(x))]


@written("stack(g)")
def _piled(g: Any) -> Any:
    """The VJP of taking an array apart: the cotangents of its layers, zeros for one that is not used."""
    given = next(layer for layer in g if layer is not None)
    zeros = np.zeros_like(given)
    return stack([zeros if layer is None else layer for layer in g])


layers: Any = define(_layers, "x -> *parts", x=_piled)
layers.primitive.name = "layers"


def _sections(indices_or_sections: Any, length: int) -> list[tuple[int, int]]:
    """Where the parts of an axis start and stop."""
    if isinstance(indices_or_sections, int):
        small, more = divmod(length, indices_or_sections)
        sizes = [small + 1] * more + [small] * (indices_or_sections - more)
        return list(itertools.pairwise(itertools.accumulate(sizes, initial=0)))
    bounds: list[Any] = [0, *indices_or_sections, None]
    ranges = [slice(*ends).indices(length) for ends in itertools.pairwise(bounds)]
    return [(start, max(start, stop)) for start, stop, _ in ranges]


@written("concatenate(g) if axis == 0 else concatenate(g, axis=axis)")
def _joined(g: Any, ary_shape: tuple[int, ...], indices_or_sections: Any, axis: int) -> Any:
    """The VJP of a split: the cotangents of the parts one after the other, zeros for a part that is not used."""
    sections = _sections(indices_or_sections, ary_shape[axis])
    given = next(part for part in g if part is not None)

    def zeros(n: int) -> Any:
        return np.zeros_like(given, shape=(*ary_shape[:axis], n, *ary_shape[axis + 1 :]))

    if any(stop != start for (_, stop), (start, _) in itertools.pairwise(sections)):  # they overlap, or leave a gap
        lone = [
            concatenate([zeros(start), part, zeros(ary_shape[axis] - stop)], axis)
            for part, (start, stop) in zip(g, sections)
            if part is not None
        ]
        return sum(lone[1:], lone[0])
    return concatenate([zeros(n - m) if part is None else part for part, (m, n) in zip(g, sections)], axis)


_array_split = define(np.array_split, "ary; indices_or_sections, axis=0 -> *parts", ary=_joined)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """`np.array_split`."""
    axis = normalize_axis_index(axis, np.ndim(ary))
    if not np.ndim(indices_or_sections):
        return _array_split(ary, operator.index(indices_or_sections), axis)
    return _array_split(ary, tuple([operator.index(k) for k in known(indices_or_sections)]), axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """`np.split`: parts of the same length, where only their number is given."""
    axis = normalize_axis_index(axis, np.ndim(ary))
    if not np.ndim(indices_or_sections) and np.shape(ary)[axis] % operator.index(indices_or_sections):
        raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


REGISTRY[np.transpose] = transpose
REGISTRY[np.concatenate], REGISTRY[np.stack] = join, pile
REGISTRY[np.array_split], REGISTRY[np.split] = array_split, split
