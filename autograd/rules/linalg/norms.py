"""Norms: norm, vector_norm, matrix_norm, cond.

==================  ==================================================================================
at 0                the gradient of every norm is 0, and so is its second derivative
`ord` ±inf          elements, rows or columns that are equally large share evenly (matrix norms with `ord` ±1 too)
`ord` p < 2         an element that is 0 has the gradient 0, for p < 1 too, where its slope is infinite
`ord` 0             counts elements: 0
`ord` ±2, 'nuc'     of matrices: as the maximum, minimum or sum of `svdvals`: exactly equal extremes share
                    evenly, and a singular value that is 0 has the gradient 0
`cond`              of a singular matrix: infinite, its gradient is NaN
==================  ==================================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ...devices import is_foreign
from ...node import data_of
from ...primitive import composed, define, written
from ..reduce import restore, share
from .spectra import svd

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]


def _slope(x: Any) -> Any:
    """The derivative of |x|; at 0 it is 0, and so is its own derivative."""
    if x.dtype.kind != "c":
        return np.sign(x)
    size = abs(x)
    return np.conjugate(x) * ((data_of(size) != 0) / _safe(size))


@written("y")
def _safe(y: Any) -> Any:
    """`y`, but 1 where it is 0."""
    return y + (data_of(y) == 0)


def _matrix_axes(ndim: int, ord: Any, axis: Any) -> tuple[int, int] | None:
    """The axes of the matrices whose norm is taken; None if it is that of vectors, or of all elements."""
    if axis is None:
        return (0, 1) if ndim == 2 and ord is not None else None
    if not isinstance(axis, tuple) or len(axis) != 2:
        return None
    return normalize_axis_index(axis[0], ndim), normalize_axis_index(axis[1], ndim)


def _norm(g: Any, x: Any, y: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    shape = x.shape
    y, g = restore(y, shape, axis, keepdims), restore(g, shape, axis, keepdims)
    axes = _matrix_axes(x.ndim, ord, axis)
    if ord is None or ord in ("fro", "f") or (ord == 2 and axes is None):
        return np.conjugate(x) * (g * (data_of(y) != 0) / _safe(y))
    if axes is not None:  # ±1: the sum of each column, ±inf: of each row
        along, across = axes if abs(ord) == 1 else axes[::-1]
        sums = abs(x).sum(along, keepdims=True)
        extreme = sums.max(across, keepdims=True) if ord > 0 else sums.min(across, keepdims=True)
        return share(g, sums, extreme, sums.shape, across, True) * _slope(x)
    if abs(ord) == np.inf:
        return share(g, abs(x), y, shape, axis, True) * _slope(x)
    if ord == 1:
        return g * _slope(x)
    if ord == 0:
        return np.zeros_like(x)
    y_on, y = data_of(y) != 0, _safe(y)
    if ord > 2 and ord % 2 == 0:  # a polynomial in x
        part = x / y
        return np.conjugate(x) * (np.conjugate(part) * part).real ** (ord // 2 - 1) * (g * y_on / y)
    on = (data_of(x) != 0) & y_on
    return np.conjugate(x) * on * (_safe(abs(x)) / y) ** (ord - 2) * (g / y)


_norm_of: Any = define(np.linalg.norm, "x; ord=None, axis=None, keepdims=False -> y", x=_norm)


@composed(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`np.linalg.norm`; those that singular values are needed for, by way of these."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    axes = _matrix_axes(x.ndim, ord, axis)
    if axes is None or ord not in (2, -2, "nuc") or axes[0] == axes[1]:
        return _norm_of(x, ord, axis, keepdims)
    s = svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
    if ord == "nuc":
        y = s.sum(-1)
    elif not s.shape[-1]:
        y = s.sum(-1) if ord == 2 else s.min(-1)  # of nothing: 0, or NumPy's error
    else:
        y = s.max(-1) if ord == 2 else s.min(-1)
    return y.reshape([1 if k in axes else n for k, n in enumerate(x.shape)]) if keepdims else y


@composed(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """`np.linalg.vector_norm`: the norm of the elements along any axes."""
    shape = x.shape
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    kept = [k for k in range(x.ndim) if k not in axes]
    flat = np.transpose(x, (*axes, *kept)).reshape(-1, *[shape[k] for k in kept])
    y = _norm_of(flat, ord, 0)
    return y.reshape([1 if k in axes else n for k, n in enumerate(shape)]) if keepdims else y


@composed(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """`np.linalg.matrix_norm`."""
    return norm(x, ord, (-2, -1), keepdims)


@composed(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """`np.linalg.cond`: the ratio of singular values, or the product of two norms."""
    if 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = svd(x, compute_uv=False)
            y = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            inverse = np.linalg.inv(_solvable(x, p))
            y = norm(x, p, (-2, -1)) * norm(inverse, p, (-2, -1))
        unknown = np.isnan(data_of(y)) & ~np.isnan(data_of(x)).any((-2, -1))
        return np.where(unknown, np.inf, y) if is_foreign(unknown) or unknown.any() else y


def _solvable(x: Any, p: Any) -> Any:
    """`x`, with NaNs in place of the singular matrices, which NumPy's `cond` finds no inverse of either."""
    singular = np.isinf(np.linalg.cond(data_of(x), p))
    return np.where(singular[..., None, None], np.nan, x) if is_foreign(singular) or singular.any() else x
