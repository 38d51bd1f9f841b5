"""Compare gradients with numerical estimates, to any order, in random directions or entry by entry.

`slopes.py` estimates derivatives from values, and tells points without one from wrong rules; `faults.py` compares;
`blame.py` finds the operation whose rule is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices import device_of, is_foreign
from ..errors import DeviceError, GradientCheckError, NonDifferentiableError
from ..modes import enable_grad
from ..node import data_of
from ..tensor import Tensor
from .blame import Blame, find_blame
from .faults import Fault, Level, Options, find_fault

__all__ = ["check_gradients"]


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    full: bool = False,
) -> None:
    """Check the gradients of `f` at `args` against numerical estimates.

    Parameters
    ----------
    f : callable
        Takes as many Tensors as there are `args`, and returns a Tensor (of any shape), or a tuple, list or dict
        of Tensors. It must be deterministic, and differentiable at `args`.
    *args : array_like
        The inputs. Floating and complex ones are differentiated; others (integers, booleans) are passed on.
    order : int
        Check derivatives up to this order.
    seed : int
        Of the random directions.
    rtol, atol : float, optional
        The rules may differ from the estimate by `atol + rtol * abs(estimate)`, as in `np.allclose`. By default
        these follow from the coarsest dtype of the input and the outputs (a complex dtype counts as its real
        parts); the absolute part grows with the sum T of the absolute terms of the number that is compared:

        =========  ======  ===============
        dtype      rtol    atol
        =========  ======  ===============
        float64    1e-6    1e-9 · (1 + T)
        float32    1e-4    3e-6 · (1 + T)
        float16    2e-2    2e-3 · (1 + T)
        =========  ======  ===============
    full : bool
        Compare every entry of the Jacobian (for complex numbers real and imaginary parts, of inputs and outputs)
        instead of one number for each input, and name the entry that is wrong. It takes a backward pass for each
        entry of the outputs and four calls of `f` for each entry of the inputs. From the second order on, the
        function is the gradient along random directions, and every entry of *its* gradient is compared.

    Raises
    ------
    NonDifferentiableError
        If `f` has no derivative at `args`, or none that differences can show: at a kink, a jump, an infinite slope.
        It is a `GradientCheckError`. (Rules that give the mean of both slopes at a kink agree with central
        differences, and pass.)
    GradientCheckError
        At the first disagreement: the input, the order, both numbers, and the operation whose rule is wrong, if
        there is one that is wrong by itself. Also if `f` is not finite at `args`, or not deterministic.
    TypeError
        If `f` does not return Tensors of floating or complex numbers, or there is nothing to differentiate.
    ValueError
        If `order` is less than 1, or a tolerance is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import check_gradients, define
    >>> check_gradients(lambda x, y: np.sin(x) * y, [0.5, 1.0], 2.0)
    >>> check_gradients(lambda x: np.sqrt(np.sum(x * x)), [3.0, 4.0], order=3, full=True, rtol=1e-5)

    A wrong rule is named, wherever it is used:

    >>> def square(x):
    ...     return x * x
    >>> square = define(square, "x -> y", x=lambda g, x: g * 2.002 * x)
    >>> check_gradients(lambda x: np.exp(square(x) - 1.0), 1.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd.errors.GradientCheckError: the gradient of order 1 with respect to input 0 (float64[]) is wrong: ...
    The rule of `square` for input 0 ('x') is to blame: ...

    A kink is not a wrong rule:

    >>> check_gradients(lambda x: np.where(x > 0, x, 0.0), [-1.0, 0.0])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd.errors.NonDifferentiableError: the function is not differentiable at this point, ...
    """
    if order < 1:
        raise ValueError(f"check_gradients checks derivatives of order 1 and higher, got order={order}.")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not tolerance >= 0:
            raise ValueError(f"check_gradients: {name} must be a number that is not negative, got {tolerance!r}.")
    arrays = [_array(a) for a in args]
    if not any(a.dtype.kind in "fc" for a in arrays):
        raise TypeError("check_gradients needs at least one input of floating or complex numbers.")
    names = [a.name if isinstance(a, Tensor) else None for a in args]
    labels = [f"input {k}" if name is None else f"input {k} ({name!r})" for k, name in enumerate(names)]
    options, rng = Options(order, rtol, atol, full), np.random.default_rng(seed)
    with enable_grad():
        fault = find_fault(Level(f, arrays, labels), options, rng)
        if fault is not None:
            kind = fault.verdict.kind
            blame = find_blame(fault, options, rng) if kind not in ("value", "random") else None
            wrong = kind in ("wrong", "value", "random", "unsettled") or (blame is not None and blame.certain)
            raise (GradientCheckError if wrong else NonDifferentiableError)(_message(fault, blame))


def _array(value: Any) -> np.ndarray[Any, Any]:
    array = data_of(value)
    if is_foreign(array):
        raise DeviceError(
            f"check_gradients estimates derivatives with NumPy, on the CPU, and got an array on {device_of(array)!r}: "
            "check the function there, with t.cpu(). The rules are the same on each device."
        )
    return np.asarray(array)


def _message(fault: Fault, blame: Blame | None) -> str:
    order, verdict, label = fault.order, fault.verdict, fault.levels[-1].describe(fault.k)
    function = "the function" if order == 1 else f"its gradient of order {order - 1}"
    by_rules, estimate = verdict.by_rules, verdict.estimate
    if verdict.kind == "value":
        return f"check_gradients: {function} is not finite at this point ({verdict.finding}): choose another."
    if verdict.kind == "random":
        return (
            f"check_gradients: {function} is not deterministic: two calls at the same point returned values "
            f"{verdict.finding}. Give it a fixed seed, or switch its randomness off."
        )
    numbers = (
        f"the rules give {by_rules:.10g}, the numerical estimate is {estimate:.10g} "
        f"(difference {abs(by_rules - estimate):.2g}, allowed {verdict.allowed:.2g})."
    )
    head = f"the gradient of order {order} with respect to {label}"
    if verdict.kind == "wrong":
        text = f"{head} is wrong: {fault.where} {numbers}"
    elif verdict.kind == "unsettled":
        text = (
            f"{head} could not be confirmed: {fault.where} {numbers} But the estimates at different steps do not "
            "agree well enough to tell which is wrong: there are large rounding errors in the function, or "
            "the tolerance is too strict for differences."
        )
    else:
        text = (
            f"{function} is not differentiable at this point, or too near to where it is not: {fault.where} of "
            f"{label}, {verdict.finding}."
        )
    return text if blame is None else f"{text}\n{blame}"
