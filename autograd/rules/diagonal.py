"""Diagonals and triangles: diag, diagonal, diagflat, trace, tril, triu.

The elements of a diagonal of an (r, c) matrix are every (c + 1)-th of the raveled matrix: so what goes back
onto a diagonal is put there by one slice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import REGISTRY, composed, define, written
from .arrange import broadcast_to, ravel
from .elementwise import convert
from .index import scatter

__all__ = ["onto_diagonal"]


def diagonal_length(rows: int, columns: int, offset: int) -> int:
    """How many elements a diagonal has."""
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


@written("onto_diagonal(g)")
def onto_diagonal(g: Any, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros of `shape` with `g` on a diagonal: the VJP of `np.diagonal`."""
    axis1, axis2 = axis1 % len(shape), axis2 % len(shape)
    rows, columns = shape[axis1], shape[axis2]
    rest = [n for k, n in enumerate(shape) if k not in (axis1, axis2)]
    start = offset if offset >= 0 else -offset * columns
    stop = start + (diagonal_length(rows, columns, offset) - 1) * (columns + 1) + 1
    on = slice(start, max(start, stop), columns + 1)
    flat = scatter(g, shape=(*rest, rows * columns), key=(..., on))
    return np.moveaxis(flat.reshape(*rest, rows, columns), (-2, -1), (axis1, axis2))


@written("onto_diagonal(g)")
def _trace(g: Any, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """The VJP of a trace: each element of the diagonal gets the cotangent of their sum."""
    n = diagonal_length(shape[axis1], shape[axis2], offset)
    return onto_diagonal(broadcast_to(g.reshape(*g.shape, 1), (*g.shape, n)), shape, offset, axis1, axis2)


# Of a vector, tril and triu make a matrix by broadcasting it.
define(np.tril, "m; k=0 -> y", broadcasts=True, m=lambda g, k: np.tril(g, k))
define(np.triu, "m; k=0 -> y", broadcasts=True, m=lambda g, k: np.triu(g, k))
define(
    np.diag,
    "v; k=0 -> y",
    v=lambda g, v_shape, k: np.diagonal(g, k) if len(v_shape) == 1 else onto_diagonal(g, v_shape, k),
)
diagonal = define(
    np.diagonal,
    "a; offset=0, axis1=0, axis2=1 -> y",
    a=lambda g, a_shape, offset, axis1, axis2: onto_diagonal(g, a_shape, offset, axis1, axis2),
)
trace_of = define(
    np.trace,
    "a; offset=0, axis1=0, axis2=1 -> y",
    a=lambda g, a_shape, offset, axis1, axis2: _trace(g, a_shape, offset, axis1, axis2),
)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    """`np.trace`; with a dtype, of the elements converted to it."""
    return trace_of(a if dtype is None else convert(a, dtype), offset, axis1, axis2)


@composed(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    """`np.diagflat`."""
    return np.diag(ravel(v), k)


@composed(np.linalg.diagonal)
def _diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return diagonal(x, offset, -2, -1)


@composed(np.linalg.trace)
def _linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return trace(x, offset, -2, -1, dtype)


REGISTRY[np.trace] = trace
