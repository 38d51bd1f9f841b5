"""Arrangement: functions that move values without changing them.

Their VJPs move the cotangent back; what copies a value sums the cotangents of its copies.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..cotangent import unbroadcast
from ..devices import move
from ..primitive import REGISTRY, define
from ..recorder import unwrap

__all__ = [
    "array_split",
    "broadcast_to",
    "concatenate",
    "expand_dims",
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


def _reshape(a: Any, shape: Any, order: str) -> Any:
    _refuse_layout(order)
    return np.reshape(a, shape, order=order)  # type: ignore[call-overload]


def _ravel(a: Any, order: str) -> Any:
    _refuse_layout(order)
    return np.ravel(a, order=order)  # type: ignore[call-overload]


reshape = define(
    np.reshape,
    "a; shape, order='C' -> y",
    forward=_reshape,
    a=lambda g, a_shape, order: np.reshape(g, a_shape, order=order),
)
ravel = define(
    np.ravel,
    "a; order='C' -> y",
    forward=_ravel,
    a=lambda g, a_shape, order: np.reshape(g, a_shape, order=order),
)
expand_dims = define(np.expand_dims, "a; axis -> y", a=lambda g, a_shape: g.reshape(a_shape))
squeeze = define(np.squeeze, "a; axis=None -> y", a=lambda g, a_shape: g.reshape(a_shape))


def _inverse(axes: Sequence[int] | None) -> Any:
    return None if axes is None else tuple(np.argsort([a % len(axes) for a in axes]))


_transpose = define(
    np.transpose,
    "a; axes=None -> y",
    forward=lambda a, axes: a.transpose(axes),
    a=lambda g, axes: g.transpose(_inverse(axes)),
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
    return np.broadcast_to(array, shape)


broadcast_to = define(
    np.broadcast_to,
    "array; shape -> y",
    forward=_broadcast_to,
    array=lambda g, array_shape: unbroadcast(g, array_shape),
)


def to(x: Any, device: str, back: str) -> Any:
    """`x` on another device; its cotangent goes back to the one where it was."""
    return move(x, device)


to = define(to, "x; device, back -> y", x=lambda g, device, back: to(g, back, device))


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


concatenate = define(
    np.concatenate,
    "*arrays; axis=0 -> y",
    promotes=True,
    arrays=_part,
)


def _layer(g: Any, i: int, axis: int) -> Any:
    """The VJP of a stack for input i: its layer of the cotangent."""
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


stack = define(np.stack, "*arrays; axis=0 -> y", promotes=True, arrays=_layer)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`np.array_split`: each part is a slice, and recorded as one."""
    return _slices(np.array_split, ary, indices_or_sections, axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """`np.split`: each part is a slice, and recorded as one."""
    return _slices(np.split, ary, indices_or_sections, axis)


def _slices(function: Any, ary: Any, indices_or_sections: Any, axis: int) -> list[Any]:
    axis = normalize_axis_index(axis, ary.ndim)
    positions = function(np.arange(ary.shape[axis]), unwrap(indices_or_sections))
    lead = (slice(None),) * axis
    starts_stops = [(int(p[0]), int(p[-1]) + 1) if len(p) else (0, 0) for p in positions]
    return [ary[(*lead, slice(start, stop))] for start, stop in starts_stops]


REGISTRY[np.transpose] = transpose
REGISTRY[np.array_split], REGISTRY[np.split] = array_split, split
