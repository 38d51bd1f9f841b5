"""Products with Jacobians and Hessians, without these matrices.

A call of the function leaves the linear map of its derivatives, J: `Stretch.pull` applies it from the left,
u ↦ uᵀJ (VJP). The product from the right, v ↦ Jv (JVP), comes from the same rules: uᵀJ is linear in u, and the
VJP of u ↦ uᵀJ with cotangent v is Jv. So the pull of a dummy u is recorded once, and each Jv is a pull through that
record. The dummy is ones, not zeros: some rules take a cotangent of 0 for a sign that nothing was used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..modes import enable_grad
from ..node import Value, tick
from ..wrapping import wrap
from .derivatives import grad
from .nested import differentiable, leaves_of, rebuilt
from .run import Run, described_as, positions
from .variables import Stretch, variable

__all__ = [
    "deriv",
    "hessian_tensor_product",
    "hessian_vector_product",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
]

Function = Callable[..., Any]


class _Linear:
    """The derivatives of a function at a point, as a linear map to apply from both sides."""

    def __init__(self, call: str, fun: Function, argnum: Any, args: tuple[Any, ...], kwargs: dict[str, Any]):
        self.run = Run(call, fun, argnum, args, kwargs, keep=True)
        self.outputs = leaves_of(self.run.result)
        self.stretch = self.run.stretch(self.outputs)
        self._transposed: Stretch | None = None

    @property
    def value(self) -> Any:
        """What the function returned, in memory of its own."""
        return self.run.presented(self.run.result, self.stretch.linked)

    def pull(self, cotangent: Any) -> Any:
        """uᵀJ, in the structure of the arguments."""
        return self.run.gradient(self.stretch.pull(self.run.cotangents(cotangent, "the cotangent")))

    def push(self, tangent: Any) -> Any:
        """Jv, in the structure of the result."""
        if self._transposed is None:
            self._transposed = self._transpose()
        found = iter(self._transposed.pull(self.run.tangents(tangent, "the tangent")))
        results = []
        for output, node in zip(self.outputs, self.stretch.outputs):
            g = None if node is None else next(found)
            if g is None and differentiable(output) is not None:
                g = np.zeros_like(differentiable(output))
            results.append(g if g is None or isinstance(g, Value) else wrap(g))
        return self.run.presented(rebuilt(self.run.result, results), linked=True)

    def _transpose(self) -> Stretch:
        """The tape of u ↦ uᵀJ, between u and the result."""
        start = tick()
        dummies = [
            None if node is None else variable(np.ones_like(output._array))
            for output, node in zip(self.outputs, self.stretch.outputs)
        ]
        with enable_grad():
            pulled = self.stretch.pull(dummies)
        nodes = [dummy._node for dummy in dummies if dummy is not None]
        return Stretch(pulled, nodes, start, self.stretch.linked)


def make_vjp(fun: Function, argnum: Any = 0) -> Function:
    """Products of row vectors with the Jacobian of a function: u ↦ uᵀJ, the backward pass by itself.

    Parameters
    ----------
    fun : callable
        Returns an array, or nested lists, tuples and dicts of arrays.
    argnum : int or tuple of int
        The position of the argument x, as in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It calls `fun` once and returns (vjp, value). `vjp(u)`, as often as wanted,
        takes a cotangent with the structure, the shapes and the dtypes of the value (None for zeros), and returns
        Σₖ uₖ ∂yₖ/∂xᵢ in the structure of x.

    Raises
    ------
    TypeError
        If x holds no floating or complex number; by `vjp`, if u has another structure than the value.
    ValueError
        By `vjp`, if a shape or dtype does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import make_vjp
    >>> vjp, value = make_vjp(lambda x: (x * x, np.sum(x)))(np.array([1.0, 2.0]))
    >>> value
    (array([1., 4.]), np.float64(3.0))
    >>> vjp((np.array([1.0, 0.0]), 10.0))
    array([12., 10.])
    """
    argnum = positions(argnum)

    def vjp_and_value(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        linear = _Linear("make_vjp", fun, argnum, args, kwargs)
        return linear.pull, linear.value

    return described_as(vjp_and_value, "make_vjp", fun, argnum)


def make_jvp(fun: Function, argnum: Any = 0) -> Function:
    """Products of the Jacobian of a function with column vectors: v ↦ Jv, the directional derivative.

    Parameters
    ----------
    fun, argnum
        As in `make_vjp`.

    Returns
    -------
    callable
        With the arguments of `fun`, which is called once. It returns `jvp`: `jvp(v)`, as often as wanted, takes a
        tangent with the structure, the shapes and the dtypes of x (None for zeros), and returns (value, Jv), both
        in the structure of the value: (Jv)ₖ = Σᵢ ∂yₖ/∂xᵢ vᵢ.

    Raises
    ------
    TypeError
        If x holds no floating or complex number; by `jvp`, if v has another structure than x.
    ValueError
        By `jvp`, if a shape or dtype does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import make_jvp
    >>> jvp = make_jvp(lambda x: x * x)(np.array([1.0, 2.0]))
    >>> jvp(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    argnum = positions(argnum)

    def jvp_of(*args: Any, **kwargs: Any) -> Function:
        linear = _Linear("make_jvp", fun, argnum, args, kwargs)

        def jvp(tangent: Any) -> tuple[Any, Any]:
            return linear.value, linear.push(tangent)

        return jvp

    return described_as(jvp_of, "make_jvp", fun, argnum)


def deriv(fun: Function, argnum: Any = 0) -> Function:
    """The derivative of a function of one number, whose result may be an array: dy/dx, by a forward product.

    Of an array x it is the derivative in the direction of ones, Σᵢ ∂yₖ/∂xᵢ.

    Parameters
    ----------
    fun, argnum
        As in `make_vjp`.

    Returns
    -------
    callable
        With the arguments of `fun`; it returns an array of the result's shape.

    Raises
    ------
    TypeError
        If the argument holds no floating or complex number.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import deriv
    >>> deriv(lambda t: np.stack([t, t**2, t**3]))(2.0)
    array([ 1.,  4., 12.])
    """
    argnum = positions(argnum)

    def derivative(*args: Any, **kwargs: Any) -> Any:
        linear = _Linear("deriv", fun, argnum, args, kwargs)
        ones = [None if array is None else np.ones_like(array) for array in linear.run.arrays]
        return linear.push(rebuilt(linear.run.x, ones))

    return described_as(derivative, "deriv", fun, argnum)


def make_hvp(fun: Function, argnum: Any = 0) -> Function:
    """Products with the Hessian of a function, v ↦ Hv, at the cost of a gradient each.

    Parameters
    ----------
    fun, argnum
        As in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns (hvp, gradient): `hvp(v)`, as often as wanted, takes and returns
        what has the structure, the shapes and the dtypes of x.

    Raises
    ------
    TypeError
        As in `grad`; by `hvp`, if v has another structure than x.
    ValueError
        By `hvp`, if a shape or dtype does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import make_hvp
    >>> hvp, gradient = make_hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 4.0]))
    >>> gradient
    array([24.,  9.])
    >>> hvp(np.array([1.0, 0.0]))
    array([8., 6.])
    """
    argnum = positions(argnum)
    gradient = grad(fun, argnum)

    def hvp_and_gradient(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        linear = _Linear("make_hvp", gradient, argnum, args, kwargs)
        return linear.pull, linear.value

    return described_as(hvp_and_gradient, "make_hvp", fun, argnum)


def _half_square(y: Any) -> Any:
    return 0.5 * np.sum(y**2, axis=-1)


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: Any = 0) -> Function:
    """Products with the generalised Gauss-Newton matrix of g(f(x)): v ↦ Jᵀ H J v.

    J is the Jacobian of f at x, H the Hessian of g at f(x). Where g is convex the matrix is positive semidefinite,
    which the Hessian of g(f(x)) need not be.

    Parameters
    ----------
    f : callable
        The model: returns what g takes.
    g : callable
        The loss: returns one real number; by default ½ Σ yₖ², of a vector y.
    f_argnum : int or tuple of int
        The position of the argument x of f.

    Returns
    -------
    callable
        With the arguments of `f`. It returns `ggnvp`, which takes and returns what has the structure, the shapes
        and the dtypes of x.

    Raises
    ------
    TypeError
        As in `grad` (of g) and `make_jvp` (of f).
    ValueError
        By `ggnvp`, if a shape or dtype does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import make_ggnvp
    >>> a = np.array([[1.0, 2.0], [0.0, 1.0]])
    >>> make_ggnvp(lambda x: a @ x)(np.zeros(2))(np.array([1.0, 0.0]))
    array([1., 2.])
    """
    f_argnum = positions(f_argnum)

    def ggnvp_of(*args: Any, **kwargs: Any) -> Function:
        linear = _Linear("make_ggnvp", f, f_argnum, args, kwargs)
        hvp, _ = make_hvp(g)(linear.value)

        def ggnvp(v: Any) -> Any:
            return linear.pull(hvp(linear.push(v)))

        return ggnvp

    return described_as(ggnvp_of, "make_ggnvp", f, f_argnum)


def hessian_tensor_product(fun: Function, argnum: Any = 0) -> Function:
    """The product of the Hessian with an array of x's shape: Σⱼ ∂²L/∂xᵢ∂xⱼ vⱼ.

    Parameters
    ----------
    fun, argnum
        As in `grad`.

    Returns
    -------
    callable
        Takes the arguments of `fun`, then v (of the structure, the shapes and the dtypes of x), then keyword
        arguments; it returns what x is. For many v at the same point, use `make_hvp`.

    Raises
    ------
    TypeError, ValueError
        As in `make_hvp`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian_vector_product
    >>> hessian_vector_product(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 4.0]), np.array([0.0, 1.0]))
    array([6., 0.])
    """
    argnum = positions(argnum)
    hvp_of = make_hvp(fun, argnum)

    def product(*args: Any, **kwargs: Any) -> Any:
        *args_of_fun, v = args
        hvp, _ = hvp_of(*args_of_fun, **kwargs)
        return hvp(v)

    return described_as(product, "hessian_tensor_product", fun, argnum, one_more=True)


hessian_vector_product = hessian_tensor_product
