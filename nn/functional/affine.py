"""The affine map of a layer."""

from __future__ import annotations

import math
from typing import Any

from autograd.primitive import define

__all__ = ["linear"]


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


def _product(a: Any, matrix: Any) -> Any:
    """`a @ matrix`; between two matrices NumPy's `dot` is the same product and starts sooner."""
    return a.dot(matrix) if a.ndim == 2 else a @ matrix


def _rows(a: Any) -> Any:
    """All leading axes as one."""
    return a if a.ndim == 2 else a.reshape(math.prod(a.shape[:-1]), a.shape[-1])  # -1 would not do for empty rows


linear = define(
    linear,
    "x, weight, bias=None -> z",
    forward=_linear,
    promotes=True,
    x=lambda g, weight: _product(g, weight),
    weight=lambda g, x: _rows(g).T.dot(_rows(x)),
    bias=lambda g: _rows(g).sum(0),
)
