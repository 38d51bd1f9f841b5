"""Jacobians and Hessians: one call of the function, and one backward pass for each element of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..node import data_of
from ..rules import arrange
from .nested import leaves_of, rebuilt
from .run import Run, described_as, positions
from .variables import Stretch, fitted

__all__ = ["hessian", "jacobian", "tensor_jacobian_product", "vector_jacobian_product"]

Function = Callable[..., Any]


def _pulls(run: Run, stretch: Stretch, k: int, cotangents: Iterable[Any], shape: tuple[int, ...]) -> Any:
    """The pulls of many cotangents of output `k`, in the structure of x, with axes `shape` before those of x."""
    before = [None] * k
    rows = [stretch.pull([*before, cotangent]) for cotangent in cotangents]
    found: list[Any] = []
    for column, array in zip(zip(*rows), [array for array in run.arrays if array is not None]):
        if all(g is None for g in column):
            found.append(None)
            continue
        if not shape:
            found.append(column[0])
            continue
        g = arrange.stack([np.zeros_like(array) if g is None else g for g in column])
        found.append(g if len(shape) == 1 else g.reshape((*shape, *array.shape)))
    return run.gradient(found or [None] * len(stretch.variables), shape)


def _basis(like: Any, shape: tuple[int, ...]) -> Iterable[Any]:
    """The arrays of `shape` with a single 1 among zeros, in order."""
    for index in np.ndindex(shape):
        e = np.zeros_like(like, shape=shape)
        e[index] = 1
        yield e


def _jacobian(run: Run, outputs: list[Any]) -> list[Any]:
    """The Jacobian of each output, in the structure of x."""
    stretch = run.stretch(outputs)
    results = []
    for k, output in enumerate(outputs):
        array = data_of(output) if hasattr(output, "dtype") else np.zeros(())
        cotangents = _basis(array, array.shape) if stretch.outputs[k] is not None else ()
        results.append(_pulls(run, stretch, k, cotangents, array.shape))
    return results


def jacobian(fun: Function, argnum: Any = 0) -> Function:
    """The Jacobian of a function that returns a real array: all ∂yₖ/∂xᵢ.

    The function is called once; each element of the result costs one backward pass.

    Parameters
    ----------
    fun : callable
        Returns one array of real numbers, of any shape.
    argnum : int or tuple of int
        The position of the argument x, as in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns an array of shape `y.shape + x.shape`, of the dtype of x; in the
        structure of x, if that is nested.

    Raises
    ------
    TypeError
        If the result is not one real array, or x holds no floating or complex number.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jacobian
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[1]]))(np.array([3.0, 4.0]))
    array([[4., 3.],
           [0., 1.]])
    """
    argnum = positions(argnum)

    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Run("jacobian", fun, argnum, args, kwargs)
        return _jacobian(run, [run.array()])[0]

    return described_as(matrix, "jacobian", fun, argnum)


def hessian(fun: Function, argnum: Any = 0) -> Function:
    """The Hessian of a function that returns a real number: all ∂²L/∂xᵢ∂xⱼ. It is the Jacobian of the Jacobian.

    Parameters
    ----------
    fun : callable
        Returns one real number; of an array, the Hessian of each element.
    argnum : int or tuple of int
        The position of the argument x, as in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns an array of shape `y.shape + x.shape + x.shape`; of a nested x the
        structure of x, with that structure again at each leaf: `H["w"]["b"]` is ∂²L/∂w∂b.

    Raises
    ------
    TypeError
        As in `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 4.0]))
    array([[8., 6.],
           [6., 0.]])
    """
    argnum = positions(argnum)
    inner = jacobian(fun, argnum)

    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Run("hessian", inner, argnum, args, kwargs)
        outputs = leaves_of(run.result)
        blocks = iter(_jacobian(run, [output for output in outputs if output is not None]))
        return rebuilt(run.result, [None if output is None else next(blocks) for output in outputs])

    return described_as(matrix, "hessian", fun, argnum)


def tensor_jacobian_product(fun: Function, argnum: Any = 0) -> Function:
    """The product of an array with the Jacobian, over the first axes of the result: Σₖ uₖ ∂yₖ…/∂xᵢ.

    Parameters
    ----------
    fun, argnum
        As in `jacobian`.

    Returns
    -------
    callable
        Takes the arguments of `fun`, then u, then keyword arguments. With the shapes (k, m) of y and (k,) of u the
        result has the shape `(m,) + x.shape`; with u of the shape of y it has that of x, and costs one backward
        pass. For many u of y's shape at the same point, use `make_vjp`.

    Raises
    ------
    TypeError
        As in `jacobian`.
    ValueError
        If the shape of u is not that of the first axes of y, or its dtype is not that of y.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import vector_jacobian_product
    >>> vector_jacobian_product(lambda x: x * x)(np.array([3.0, 4.0]), np.array([1.0, 10.0]))
    array([ 6., 80.])
    """
    argnum = positions(argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *args_of_fun, u = args
        run = Run("tensor_jacobian_product", fun, argnum, tuple(args_of_fun), kwargs)
        array = data_of(run.array())
        array = array if hasattr(array, "dtype") else np.asarray(array, dtype=float)
        axes = np.ndim(u)
        u = fitted(u, np.empty_like(array, shape=array.shape[:axes]), "the array of tensor_jacobian_product")
        rest = array.shape[axes:]
        spread = u.reshape((*u.shape, *(1,) * len(rest))) if rest else u
        cotangents = (spread * e for e in _basis(array, rest)) if rest else (u,)
        return _pulls(run, run.stretch([run.result]), 0, cotangents, rest)

    return described_as(product, "tensor_jacobian_product", fun, argnum, one_more=True)


vector_jacobian_product = tensor_jacobian_product
