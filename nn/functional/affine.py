"""The affine map of a layer."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.primitive import define, written

__all__ = ["linear"]

#: A large matrix times one with two or three columns: BLAS libraries pack the large one to multiply it, which takes
#: longer than to read it once for each of these columns (12288-3-2-1 in `benchmarks/training.py`).
LARGE, FEW = 1 << 19, 3


@written("x @ weight.T if bias is None else x @ weight.T + bias")
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """z = x Wᵀ + b, the affine map of a layer, on rows.

    With the cotangent G of z, the rules are G W for x, Gᵀ x for W and the sum of G's rows for b.

    Parameters
    ----------
    x : Tensor or array, shape (…, in)
    weight : Tensor or array, shape (out, in)
    bias : Tensor or array, shape (out,), optional

    Returns
    -------
    Tensor or array, shape (…, out)

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import linear
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    z = _product(x, weight.T)
    if bias is None:
        return z
    if z.dtype != bias.dtype:
        return z + bias
    z += bias
    return z


@written("a @ matrix")
def _product(a: Any, matrix: Any) -> Any:
    """`a @ matrix`; between two matrices NumPy's `dot` is the same product and starts sooner."""
    if a.ndim != 2:
        return a @ matrix
    if a.size >= LARGE and 1 < matrix.shape[1] <= FEW and _plain(a, matrix):
        z = np.empty((a.shape[0], matrix.shape[1]), a.dtype)
        for k in range(matrix.shape[1]):
            z[:, k] = a.dot(matrix[:, k])
        return z
    return a.dot(matrix)


@written("g.T @ x")
def _outer(g: Any, x: Any) -> Any:
    """`g.T @ x`, the sum over the rows of the outer products of g's with x's."""
    if x.size >= LARGE and 1 < g.shape[1] <= FEW and _plain(g, x):
        z = np.empty((g.shape[1], x.shape[1]), x.dtype)
        for k in range(g.shape[1]):
            g[:, k].dot(x, out=z[k])
        return z
    return g.T.dot(x)


@written("sum(g, axis=0)")
def _total(g: Any) -> Any:
    """The sum of the rows of `g`; for BLAS a product with ones, which is the quicker of the two."""
    if g.__class__ is np.ndarray and g.dtype.char in "fd":
        return _ones(len(g), g.dtype).dot(g)
    return g.sum(0)


@lru_cache(maxsize=4)
def _ones(n: int, dtype: Any) -> Any:
    return np.ones(n, dtype)


def _plain(a: Any, b: Any) -> bool:
    """Whether both are NumPy's own arrays of one dtype: not so in a pass that is recorded, or on another device."""
    return a.__class__ is np.ndarray is b.__class__ and a.dtype == b.dtype


def _rows(a: Any) -> Any:
    """All leading axes as one."""
    return a if a.ndim == 2 else a.reshape(math.prod(a.shape[:-1]), a.shape[-1])  # -1 would not do for empty rows


linear = define(
    linear,
    "x, weight, bias=None -> z",
    forward=_linear,
    promotes=True,
    x=lambda g, weight: _product(g, weight),
    weight=lambda g, x: _outer(_rows(g), _rows(x)),
    bias=lambda g: _total(_rows(g)),
)
