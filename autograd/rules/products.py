"""Products of vectors and tensors: inner, outer, tensordot, kron, cross, the vector products, chains of matrices.

They are made of `matmul` and `multiply`, which arrange the operands as NumPy does. `vdot`, `vecdot` and `vecmat`
conjugate their first argument; `inner`, `outer`, `tensordot`, `kron` and `cross` conjugate nothing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cotangent import unbroadcast
from ..devices import is_foreign
from ..errors import NoRuleError
from ..primitive import REGISTRY, composed, define
from ..wrapping import array_like
from .arrange import reshape, transpose
from .elementwise import conjugate, elementwise, multiply
from .index import scatter
from .product import matmul

__all__ = ["cross", "inner", "kron", "multi_dot", "outer", "tensordot", "vdot", "vecdot"]


def _conjugate(x: Any) -> Any:
    return conjugate(x) if x.dtype.kind == "c" else x


def _axes_last(x: Any, axes: list[int], places: int) -> Any:
    """`x` with these axes moved to the end, one for each of so many places, in their order."""
    if len(axes) != places:
        raise ValueError(f"{places} axes are needed here, got {axes}.")
    axes = [_axis(k, x.ndim) for k in axes]
    if axes == list(range(x.ndim - places, x.ndim)):
        return x
    return transpose(x, [*(k for k in range(x.ndim) if k not in axes), *axes])


def _axis(axis: Any, ndim: int) -> int:
    k = operator.index(axis)
    if not -ndim <= k < ndim:
        raise np.exceptions.AxisError(k, ndim)
    return k % ndim


def _last_to(x: Any, axis: int) -> Any:
    """`x` with its last axis moved to where `axis` says."""
    order = list(range(x.ndim - 1))
    order.insert(_axis(axis, x.ndim), x.ndim - 1)
    return transpose(x, order)


# Vectors


@composed(np.inner)
def inner(a: Any, b: Any) -> Any:
    """`np.inner`: the sum of products over the last axes."""
    a, b = array_like(a), array_like(b)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    return _contract(a, b, [a.ndim - 1], [b.ndim - 1], "inner")


@composed(np.outer)
def outer(a: Any, b: Any) -> Any:
    """`np.outer`: each element of `a` times each of `b`."""
    return multiply(reshape(array_like(a), (-1, 1)), reshape(array_like(b), (1, -1)))


@composed(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    """`np.vdot`: the sum of products of all elements, those of `a` conjugated."""
    return matmul(_conjugate(reshape(array_like(a), -1)), reshape(array_like(b), -1))


@composed(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any) -> Any:
    """`np.linalg.outer`: of two vectors."""
    x1, x2 = array_like(x1), array_like(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"Input arrays must be one-dimensional, but they are {x1.ndim=} and {x2.ndim=}.")
    return outer(x1, x2)


def _inner(x1: Any, x2: Any) -> Any:
    if is_foreign(x1) or is_foreign(x2):
        return (np.conjugate(x1) * x2).sum(-1)
    return np.vecdot(x1, x2)


_vecdot: Any = define(
    np.vecdot,
    "x1, x2 -> y",
    promotes=True,
    forward=_inner,
    x1=lambda g, x1_shape, x2: unbroadcast(_conjugate(g[..., None] * x2), x1_shape),
    x2=lambda g, x1, x2_shape: unbroadcast(g[..., None] * _conjugate(x1), x2_shape),
)


def _gufunc(name: str, function: Callable[[Any, Any], Any], cores: tuple[int, int, int]) -> Callable[..., Any]:
    """A ufunc of vectors or matrices in the last axes, with NumPy's options for other axes.

    `cores` says how many axes of each input, and of the output, are those of one vector or matrix.
    """

    def call(x1: Any, x2: Any, *, axes: Any = None, axis: Any = None, keepdims: bool = False, **others: Any) -> Any:
        if others:
            raise NoRuleError(f"np.{name} with {', '.join(f'{k}=' for k in others)} has no differentiation rule.")
        if (axis is not None or keepdims) and cores != (1, 1, 0):
            raise TypeError(f"np.{name}() has no one axis that axis= or keepdims= could mean: use axes=.")
        x1, x2 = array_like(x1), array_like(x2)
        if axis is not None:
            axes = [axis, axis, axis] if keepdims else [axis, axis]
        if axes is not None:
            lists = [[k] if np.ndim(k) == 0 else list(k) for k in axes]
            x1, x2 = (_axes_last(x, of, n) for x, of, n in zip((x1, x2), lists, cores))
        y = function(x1, x2)
        if keepdims:
            y = y[..., None]
        if axes is not None and len(lists) == 3 and lists[2]:
            y = _last_to(y, lists[2][0])
        return y

    call.__name__ = call.__qualname__ = name
    return call


_vector_dot = _gufunc("vecdot", _vecdot, (1, 1, 0))


@composed(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """`np.linalg.vecdot`: inner products along an axis, `x1` conjugated."""
    return _vector_dot(x1, x2, axis=axis)


def _matvec(x1: Any, x2: Any) -> Any:
    return matmul(x1, x2[..., None])[..., 0]


def _vecmat(x1: Any, x2: Any) -> Any:
    return matmul(_conjugate(x1)[..., None, :], x2)[..., 0, :]


if hasattr(np, "matvec"):  # NumPy 2.2
    REGISTRY[np.matvec] = _gufunc("matvec", _matvec, (2, 1, 1))
    REGISTRY[np.vecmat] = _gufunc("vecmat", _vecmat, (1, 2, 1))


# Tensors


def _contract(a: Any, b: Any, of_a: list[int], of_b: list[int], name: str) -> Any:
    """The sum of products over these axes of `a` and of `b`, which come in pairs, by one product of matrices."""
    free_a = [k for k in range(a.ndim) if k not in of_a]
    free_b = [k for k in range(b.ndim) if k not in of_b]
    if [a.shape[k] for k in of_a] != [b.shape[k] for k in of_b]:
        raise ValueError(
            f"{name}: shapes {a.shape} and {b.shape} differ along the axes to be summed over, {of_a} and {of_b}."
        )
    size = math.prod([a.shape[k] for k in of_a])
    rows, columns = [a.shape[k] for k in free_a], [b.shape[k] for k in free_b]
    left = _arranged(a, [*free_a, *of_a], (math.prod(rows), size))
    right = _arranged(b, [*of_b, *free_b], (size, math.prod(columns)))
    return _arranged(matmul(left, right), [0, 1], (*rows, *columns))


def _arranged(x: Any, order: list[int], shape: tuple[int, ...]) -> Any:
    """`x` with its axes in this order, then in this shape; nothing is recorded where nothing changes."""
    x = x if order == list(range(x.ndim)) else transpose(x, order)
    return x if x.shape == shape else reshape(x, shape)


@composed(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """`np.tensordot`: the sum of products over axes, given by their number or one by one."""
    a, b = array_like(a), array_like(b)
    if not isinstance(axes, list | tuple) and np.ndim(axes) == 0:
        n = operator.index(axes)
        if n < 0 or n > min(a.ndim, b.ndim):
            raise ValueError(f"tensordot: axes={n} is not a number of axes that {a.shape} and {b.shape} both have.")
        of_a, of_b = list(range(a.ndim - n, a.ndim)), list(range(n))
    else:
        first, second = axes
        of_a = [_axis(k, a.ndim) for k in ([first] if np.ndim(first) == 0 else first)]
        of_b = [_axis(k, b.ndim) for k in ([second] if np.ndim(second) == 0 else second)]
        if len(of_a) != len(of_b) or len({*of_a}) != len(of_a) or len({*of_b}) != len(of_b):
            raise ValueError(f"tensordot: axes={axes} does not pair axes of {a.shape} with axes of {b.shape}.")
    return _contract(a, b, of_a, of_b, "tensordot")


@composed(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """`np.linalg.tensordot`."""
    return tensordot(x1, x2, axes)


@composed(np.kron)
def kron(a: Any, b: Any) -> Any:
    """`np.kron`: each element of `a` replaced by its product with the whole of `b`."""
    a, b = array_like(a), array_like(b)
    n = max(a.ndim, b.ndim)
    rows, columns = (1,) * (n - a.ndim) + a.shape, (1,) * (n - b.ndim) + b.shape
    wide = reshape(a, [k for m in rows for k in (m, 1)])
    tall = reshape(b, [k for m in columns for k in (1, m)])
    return reshape(multiply(wide, tall), [k * m for k, m in zip(rows, columns)])


# The cross product. g · (da × b) = da · (b × g), and likewise for b.

_cross: Any = elementwise(np.cross, "a, b -> y", a=lambda g, b: _cross(b, g), b=lambda g, a: _cross(g, a))


def _in_space(x: Any) -> Any:
    """Vectors of the plane with a third component, 0."""
    return scatter(x, (*x.shape[:-1], 3), (..., slice(2))) if x.shape[-1] == 2 else x


@composed(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """`np.cross`: of vectors of length 3, or of length 2, whose product is the third component alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = array_like(a), array_like(b)
    a, b = _axes_last(a, [axisa], 1), _axes_last(b, [axisb], 1)
    if {a.shape[-1], b.shape[-1]} - {2, 3}:
        raise ValueError(
            f"incompatible dimensions for cross product (dimension must be 2 or 3), got {a.shape[-1]} and {b.shape[-1]}"
        )
    flat = a.shape[-1] == b.shape[-1] == 2
    y = _cross(_in_space(a), _in_space(b))
    return y[..., 2] if flat else _last_to(y, axisc)


@composed(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """`np.linalg.cross`: of vectors of length 3."""
    x1, x2 = array_like(x1), array_like(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, "
            f"but they are {x1.shape[axis]} and {x2.shape[axis]} dimensional instead."
        )
    return cross(x1, x2, axis=axis)


# Chains of matrices


def _split(sizes: list[int]) -> Callable[[int, int], int]:
    """Where to split a chain of matrices, the k-th of shape (sizes[k], sizes[k + 1]), for the fewest products."""
    n = len(sizes) - 1
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return lambda i, j: cost[i, j][1]


@composed(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    """`np.linalg.multi_dot`: the product of a chain of matrices, in the order that takes the fewest multiplications."""
    arrays = [array_like(a) for a in arrays]
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    for k, a in enumerate(arrays):
        if a.ndim != 2 and not (a.ndim == 1 and k in (0, len(arrays) - 1)):
            raise np.linalg.LinAlgError(
                f"{a.ndim}-dimensional array given. Array must be two-dimensional, "
                "or, if it is the first or the last, one-dimensional."
            )
    sizes = [1 if arrays[0].ndim == 1 else arrays[0].shape[0], *(a.shape[0] for a in arrays[1:])]
    sizes.append(1 if arrays[-1].ndim == 1 else arrays[-1].shape[1])
    at = _split(sizes)

    def product(i: int, j: int) -> Any:
        if i == j:
            return arrays[i]
        k = at(i, j)
        return matmul(product(i, k), product(k + 1, j))

    return product(0, len(arrays) - 1)


REGISTRY[np.vecdot], REGISTRY[np.linalg.matmul] = _vector_dot, matmul
