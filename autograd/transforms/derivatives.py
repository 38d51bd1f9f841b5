"""`grad` and its family: derivatives of one number, or of each element on its own, in one backward pass."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..node import Value
from .nested import leaves_of
from .run import Run, described_as, name_of, positions

__all__ = [
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "holomorphic_grad",
    "multigrad_dict",
    "value_and_grad",
]

Function = Callable[..., Any]


def _with_ones(run: Run, output: Any, *others: Any) -> tuple[Any, bool]:
    """The gradient of the sum of an output, and whether it or one of the others can be differentiated on."""
    stretch = run.stretch([output, *others])
    ones = np.ones_like(output._array) if isinstance(output, Value) else None
    return run.gradient(stretch.pull([ones], release=not stretch.linked)), stretch.linked


def grad(fun: Function, argnum: Any = 0) -> Function:
    """The gradient of a function that returns one real number.

    The gradient of L = fun(…, x, …) with respect to x is the array of all ∂L/∂xᵢ.

    Parameters
    ----------
    fun : callable
        Its result must have one element, and a real dtype.
    argnum : int or tuple of int
        The position of the argument x. With a tuple, the gradients come as a tuple. x is a Python number, an
        array, a Tensor, or any nesting of lists, tuples and dicts of them.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns what x is: a Python float for a Python float, an array of its
        shape and dtype for an array, the same structure for a nested x (with None at leaves that have no
        derivative, as integers and strings). A complex x gives ∂L/∂Re x − i ∂L/∂Im x. If `fun` does not depend on
        x, zeros. A tracked Tensor where the gradient depends on something else that is tracked.

    Raises
    ------
    TypeError
        If the result is not one real number, or x holds no floating or complex number.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(np.sin)))(0.0)
    -1.0
    >>> def loss(params, x):
    ...     return np.sum(np.tanh(x @ params["w"]) + params["b"])
    >>> grad(loss)({"w": np.zeros(2), "b": 0.5}, np.eye(2))
    {'w': array([1., 1.]), 'b': 2.0}
    """
    argnum = positions(argnum)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        run = Run("grad", fun, argnum, args, kwargs)
        return _with_ones(run, run.array(one=True))[0]

    return described_as(gradient, "grad", fun, argnum)


def value_and_grad(fun: Function, argnum: Any = 0) -> Function:
    """The value of a function and its gradient, from one call: what `scipy.optimize.minimize(jac=True)` takes.

    Parameters
    ----------
    fun, argnum
        As in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns (value, gradient): the value as a NumPy scalar (an array, if it has
        axes), the gradient as in `grad`.

    Raises
    ------
    TypeError
        As in `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    argnum = positions(argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run("value_and_grad", fun, argnum, args, kwargs)
        g, linked = _with_ones(run, run.array(one=True))
        return run.presented(run.result, linked), g

    return described_as(value_and_gradient, "value_and_grad", fun, argnum)


def elementwise_grad(fun: Function, argnum: Any = 0) -> Function:
    """The derivative of each element of the result, for a function that works on each element alone.

    What it computes is Σₖ ∂yₖ/∂xᵢ, the gradient of the sum of the result; where yₖ depends on xₖ only, that
    is dyᵢ/dxᵢ.

    Parameters
    ----------
    fun : callable
        Returns an array of real numbers, of any shape.
    argnum : int or tuple of int
        As in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`; it returns what `grad` would.

    Raises
    ------
    TypeError
        If the result is not one real array, or the argument holds no floating or complex number.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import elementwise_grad
    >>> elementwise_grad(lambda x: x**2)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """
    argnum = positions(argnum)

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        run = Run("elementwise_grad", fun, argnum, args, kwargs)
        return _with_ones(run, run.array())[0]

    return described_as(derivatives, "elementwise_grad", fun, argnum)


def holomorphic_grad(fun: Function, argnum: Any = 0) -> Function:
    """The complex derivative f′(z) of a holomorphic function.

    It is taken as the gradient of the real part, ∂u/∂x − i ∂u/∂y for f = u + iv, which is f′ by the
    Cauchy-Riemann equations. Whether `fun` is holomorphic is not checked.

    Parameters
    ----------
    fun : callable
        Returns one number; for an array z, the result is the array of all ∂f/∂zᵢ.
    argnum : int or tuple of int
        The position of the complex argument.

    Returns
    -------
    callable
        With the arguments of `fun`; it returns what `grad` would.

    Warns
    -----
    UserWarning
        If the argument is real: the result is then the derivative of the real part of `fun`.

    Raises
    ------
    TypeError
        If the result is not one number, or the argument holds no floating or complex number.

    Examples
    --------
    >>> from autograd import holomorphic_grad
    >>> holomorphic_grad(lambda z: z**2)(1 + 2j)
    (2+4j)
    """
    argnum = positions(argnum)

    def derivative(*args: Any, **kwargs: Any) -> Any:
        run = Run("holomorphic_grad", fun, argnum, args, kwargs)
        if any(array is not None and array.dtype.kind != "c" for array in run.arrays):
            warnings.warn(
                f"holomorphic_grad of {name_of(fun)} got a real argument: the result is the derivative of the real "
                "part. Pass a complex number, or use grad.",
                stacklevel=2,
            )
        return _with_ones(run, run.array(kinds="fc", one=True))[0]

    return described_as(derivative, "holomorphic_grad", fun, argnum)


def grad_and_aux(fun: Function, argnum: Any = 0) -> Function:
    """The gradient of the first of two results, and the second as it is.

    Parameters
    ----------
    fun : callable
        Returns a pair: one real number, and anything else.
    argnum : int or tuple of int
        As in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`. It returns (gradient, aux); Tensors in aux become plain values, unless they
        depend on something else that is tracked.

    Raises
    ------
    TypeError
        If the result is not a pair, and as in `grad`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad_and_aux
    >>> grad_and_aux(lambda x: (np.sum(x * x), {"doubled": 2 * x}))(np.array([1.0, 2.0]))
    (array([2., 4.]), {'doubled': array([2., 4.])})
    """
    argnum = positions(argnum)

    def gradient_and_aux(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run("grad_and_aux", fun, argnum, args, kwargs)
        if not isinstance(run.result, tuple | list) or len(run.result) != 2:
            raise TypeError(
                f"grad_and_aux needs {name_of(fun)} to return a pair (number, anything), it returned "
                f"{type(run.result).__name__}."
            )
        output, aux = run.result
        g, linked = _with_ones(run, run.checked(output, one=True), *leaves_of(aux))
        return g, run.presented(aux, linked)

    return described_as(gradient_and_aux, "grad_and_aux", fun, argnum)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient with respect to the argument of this name, which is passed by position.

    Parameters
    ----------
    fun : callable
        As in `grad`.
    argname : str
        One of its parameters; not one behind `*` or `**`.

    Returns
    -------
    callable
        As from `grad`.

    Raises
    ------
    ValueError
        If there is no such positional parameter.

    Examples
    --------
    >>> from autograd import grad_named
    >>> grad_named(lambda x, y: x * y, "y")(3.0, 4.0)
    3.0
    """
    parameters = inspect.signature(fun).parameters.values()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if argname not in names:
        raise ValueError(f"{name_of(fun)} has no positional argument {argname!r}; it has {', '.join(names) or 'none'}.")
    return grad(fun, names.index(argname))


def multigrad_dict(fun: Function) -> Function:
    """The gradients with respect to all arguments, by name.

    Parameters
    ----------
    fun : callable
        As in `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`, by position or by name. It returns a dict: parameter -> gradient, defaults
        included; a tuple for `*args`, a dict for `**kwargs`, None for what has no derivative.

    Raises
    ------
    TypeError
        As in `grad`; also if no argument has a derivative.

    Examples
    --------
    >>> from autograd import multigrad_dict
    >>> multigrad_dict(lambda x, y=2.0, power=2: x**power * y)(3.0)
    {'x': 12.0, 'y': 9.0, 'power': None}
    """
    signature = inspect.signature(fun)

    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()

        def of_all(arguments: dict[str, Any]) -> Any:
            bound.arguments = arguments
            return fun(*bound.args, **bound.kwargs)

        of_all.__name__ = name_of(fun)
        run = Run("multigrad_dict", of_all, 0, (dict(bound.arguments),), {})
        found: dict[str, Any] = _with_ones(run, run.array(one=True))[0]
        return found

    return described_as(gradients, "multigrad_dict", fun, "all")
