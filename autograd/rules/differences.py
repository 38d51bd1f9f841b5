"""Differences and integrals along an axis: diff, ediff1d, gradient, trapezoid.

The distances between the points (`dx`, `x`, the spacing of `np.gradient`) have gradients too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..devices import is_foreign
from ..node import data_of
from ..primitive import composed
from ..wrapping import array_beside
from .constant import tracked
from .reduce import typed

__all__: list[str] = []


def _cut(a: Any, axis: int, *bounds: int | None) -> Any:
    """A slice along one axis."""
    return a[(slice(None),) * axis + (slice(*bounds),)]


def _difference(a: Any, axis: int) -> Any:
    return _cut(a, axis, 1, None) - _cut(a, axis, None, -1)


@composed(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ValueError(f"np.diff: the order n must not be negative, got {n}.")
    a = typed(a)
    if n == 0:
        return a
    axis = normalize_axis_index(axis, a.ndim)
    edge = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    ends = [None if end is None else typed(end) for end in (prepend, append)]
    ends = [end if end is None or end.ndim else np.broadcast_to(array_beside(end, a), edge) for end in ends]
    parts = [part for part in (ends[0], a, ends[1]) if part is not None]
    if len(parts) > 1:
        a = np.concatenate(parts, axis)
    for _ in range(n):
        a = _difference(a, axis)
    return a


@composed(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    a = typed(ary).reshape(-1)
    parts = [_difference(a, 0)]
    for end, at in ((to_begin, 0), (to_end, 2)):
        if end is not None:
            end = typed(end)
            if not np.can_cast(end.dtype, a.dtype, "same_kind"):
                raise TypeError(f"np.ediff1d cannot join {end.dtype} to differences of {a.dtype}.")
            parts.insert(at, typed(end.reshape(-1), a.dtype))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


@composed(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = typed(y)
    axis = normalize_axis_index(axis, y.ndim)
    d = dx
    if x is not None:
        x = typed(x)
        d = _difference(x, 0).reshape((-1, *(1,) * (y.ndim - 1 - axis))) if x.ndim == 1 else np.diff(x, axis=axis)
    return np.sum(d * (_cut(y, axis, 1, None) + _cut(y, axis, None, -1)) / 2, axis=axis)


if hasattr(np, "trapz"):  # its name before NumPy 2.4
    composed(getattr(np, "trapz"))(_trapezoid)  # noqa: B009


@composed(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = typed(f)
    f = f if f.dtype.kind in "fc" else typed(f, np.float64)
    axes = normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim)
    spacings = list(varargs) or [1.0]
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"np.gradient along {len(axes)} axes takes as many spacings, got {len(varargs)}.")
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order must be 1 or 2, got {edge_order}.")
    slopes = [_slope(f, along, spacing, edge_order) for along, spacing in zip(axes, spacings)]
    return slopes[0] if len(axes) == 1 else tuple(slopes)


def _slope(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    n = f.shape[axis]
    if n <= edge_order:
        raise ValueError(
            f"np.gradient with edge_order={edge_order} needs {edge_order + 1} points, axis {axis} has {n}."
        )
    if np.ndim(spacing) > 1 or (np.ndim(spacing) and len(spacing) != n):
        raise ValueError(f"np.gradient: the coordinates along axis {axis} must be {n} numbers in a row.")
    even: Any = True
    if np.ndim(spacing):
        d = _difference(typed(spacing) * 1.0, 0).reshape((-1, *(1,) * (f.ndim - 1 - axis)))
        first, second, ends = d[:-1], d[1:], (d[:1], d[1:2], d[-2:-1], d[-1:])
        even = not tracked(d) and not is_foreign(data_of(d)) and np.all(d == d[:1])
    else:
        first, second, ends = spacing, spacing, (spacing,) * 4
    h0, h1, h2, h3 = ends

    def at(*bounds: int | None) -> Any:
        return _cut(f, axis, *bounds)

    if even:  # the one in the middle has no weight, also if it is NaN
        inner = (at(2, None) - at(None, -2)) / (2.0 * h0)
    else:
        inner = _weighted(
            *(-second / (first * (first + second)), at(None, -2)),
            *((second - first) / (first * second), at(1, -1)),
            *(first / (second * (first + second)), at(2, None)),
        )
    if edge_order == 1:
        left, right = (at(1, 2) - at(None, 1)) / h0, (at(-1, None) - at(-2, -1)) / h3
    else:
        left = _weighted(
            *(-(2 * h0 + h1) / (h0 * (h0 + h1)), at(None, 1)),
            *((h0 + h1) / (h0 * h1), at(1, 2)),
            *(-h0 / (h1 * (h0 + h1)), at(2, 3)),
        )
        right = _weighted(
            *(h3 / (h2 * (h2 + h3)), at(-3, -2)),
            *(-(h2 + h3) / (h2 * h3), at(-2, -1)),
            *((2 * h3 + h2) / (h3 * (h2 + h3)), at(-1, None)),
        )
    return np.concatenate([typed(part, f.dtype) for part in (left, inner, right)], axis=axis)


def _weighted(a: Any, x: Any, b: Any, y: Any, c: Any, z: Any) -> Any:
    return a * x + b * y + c * z
