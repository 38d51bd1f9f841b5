"""Products: matmul and dot. Their rules are what shape analysis says: transposes that make shapes fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..cotangent import unbroadcast
from ..primitive import REGISTRY, define
from ..wrapping import array_like
from .elementwise import multiply

__all__ = ["dot", "matmul"]


def _matmul_x(g: Any, x_shape: tuple[int, ...], y: Any) -> Any:
    """Z = XY, so the cotangent of X is G Yᵀ: (m, n) = (m, p)(p, n)."""
    if y.ndim == 1:  # y is a column, and g lacks its axis
        return unbroadcast(g[..., None] * y, x_shape)
    if len(x_shape) == 1:  # x is a row, and g lacks its axis
        return unbroadcast((g[..., None, :] @ y.swapaxes(-1, -2))[..., 0, :], x_shape)
    return unbroadcast(g @ y.swapaxes(-1, -2), x_shape)


def _matmul_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    """Z = XY, so the cotangent of Y is Xᵀ G: (n, p) = (n, m)(m, p)."""
    if x.ndim == 1:
        if len(y_shape) == 1:
            return g * x
        return unbroadcast(x[:, None] * g[..., None, :], y_shape)
    if len(y_shape) == 1:
        return unbroadcast((x.swapaxes(-1, -2) @ g[..., None])[..., 0], y_shape)
    return unbroadcast(x.swapaxes(-1, -2) @ g, y_shape)


matmul = define(
    np.matmul,
    "x, y -> z",
    promotes=True,
    x=_matmul_x,
    y=_matmul_y,
)


def dot(a: Any, b: Any) -> Any:
    """`np.dot`: a product of numbers, vectors or matrices; over the last axis of `a` and the last but one of `b`.

    It is recorded as the multiplications that it consists of.
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        a, b = (array_like(x) for x in (a, b))  # to `np.dot`, 2.0 is a float64
        return multiply(a, b)
    if np.ndim(b) <= 2:
        return matmul(a, b)
    (*rows, m), (*batch, n, p) = np.shape(a), np.shape(b)
    if m != n:
        raise ValueError(f"dot: shapes {np.shape(a)} and {np.shape(b)} not aligned: {m} != {n}")
    columns = np.reshape(np.transpose(b, (len(batch), *range(len(batch)), -1)), (n, math.prod(batch) * p))
    return np.reshape(matmul(a, columns), (*rows, *batch, p))


REGISTRY[np.dot] = dot
