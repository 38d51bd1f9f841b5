"""Compare gradients with numerical estimates, in random directions and to any order.

For f with inputs x, a random tangent v and a random cotangent u, the number ⟨u, ∂f/∂x · v⟩ can be had in two
ways: from the rules, as ⟨uᵀ ∂f/∂x, v⟩, and from differences of f along v. Each input gets its own tangent, so
that a disagreement names it. The cotangent is random too: with a cotangent of ones a softmax whose backward
rule returns zeros would pass. The second order is the first order of the gradient itself, as a function of
the inputs **and** of the cotangent.

The differences are central ones of fourth order, f′ ≈ (8 (f₁ − f₋₁) − (f₂ − f₋₂)) / 12h (Abramowitz & Stegun,
25.3.6), taken in double precision also for float32 inputs, wherever f lets them through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .errors import GradientCheckError
from .modes import enable_grad
from .tensor import Tensor

__all__ = ["check_gradients"]


class _Tolerance(NamedTuple):
    relative: float  # of the numerical estimate
    cancelling: float  # of the sum of the absolute terms in the estimate: their rounding errors
    step: float  # h of the differences, if they must be taken in this precision


#: By the number of bytes of a real number.
_TOLERANCES = {2: _Tolerance(2e-2, 2e-3, 0.25), 4: _Tolerance(1e-4, 3e-6, 2**-5), 8: _Tolerance(1e-6, 1e-9, 2**-13)}


def _tolerance(dtype: np.dtype[Any]) -> _Tolerance:
    width = dtype.itemsize // (2 if dtype.kind == "c" else 1)
    return _TOLERANCES[min(width, 8)]


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 2, seed: int = 0) -> None:
    """Check the gradients of `f` at `args` against numerical estimates.

    Parameters
    ----------
    f : callable
        Takes as many Tensors as there are `args`, and returns a Tensor (of any shape). It must be
        deterministic, and differentiable at `args` and near it.
    *args : array_like
        The inputs. Floating and complex ones are differentiated; others (integers, booleans) are passed on.
    order : int
        Check derivatives up to this order.
    seed : int
        Of the random directions.

    Raises
    ------
    GradientCheckError
        At the first disagreement: the input, the order and both numbers.
    TypeError
        If `f` does not return a Tensor of floating or complex numbers, or there is nothing to differentiate.
    ValueError
        If `order` is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import check_gradients, define
    >>> check_gradients(lambda x, y: np.sin(x) * y, [0.5, 1.0], 2.0)
    >>> wrong = define(lambda x: x * x, "x -> y", x=lambda g, x: g * 2.002 * x)
    >>> check_gradients(wrong, 3.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd.errors.GradientCheckError: the gradient of order 1 with respect to input 0 (float64[]) is wrong...
    """
    if order < 1:
        raise ValueError(f"check_gradients checks derivatives of order 1 and higher, got order={order}.")
    arrays = [_array(a) for a in args]
    if not any(a.dtype.kind in "fc" for a in arrays):
        raise TypeError("check_gradients needs at least one input of floating or complex numbers.")
    labels = [
        f"input {k}" + (f" ({a.name!r}, " if isinstance(a, Tensor) and a.name else " (") for k, a in enumerate(args)
    ]
    labels = [f"{label}{a.dtype}{list(a.shape)})" for label, a in zip(labels, arrays)]
    with enable_grad():
        _check(f, arrays, labels, 1, order, np.random.default_rng(seed))


def _array(value: Any) -> np.ndarray[Any, Any]:
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)


def _direction(rng: np.random.Generator, like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Random numbers of size 0.5 to 1 and either sign: none so small that it hides a fault."""

    def draw() -> Any:
        return rng.uniform(0.5, 1.0, like.shape) * rng.choice([-1.0, 1.0], like.shape)

    values = draw() + 1j * draw() if like.dtype.kind == "c" else draw()
    return np.asarray(values, dtype=like.dtype)


def _check(
    f: Callable[..., Any],
    arrays: list[np.ndarray[Any, Any]],
    labels: list[str],
    order: int,
    last: int,
    rng: np.random.Generator,
) -> None:
    inputs = [Tensor(a, requires_grad=a.dtype.kind in "fc") for a in arrays]
    tracked = [k for k, x in enumerate(inputs) if x.requires_grad]
    y = f(*inputs)
    if not isinstance(y, Tensor) or y.dtype.kind not in "fc":
        raise TypeError(
            f"check_gradients: the function must return a Tensor of floating or complex numbers, got {y!r:.80}."
        )
    u = _direction(rng, y.data)
    found = y.gradient(*[inputs[k] for k in tracked], cotangent=u)
    gradients = found if isinstance(found, tuple) else (found,)
    for k, g in zip(tracked, gradients):
        v = _direction(rng, arrays[k])
        tolerance = _tolerance(arrays[k].dtype)
        products = (g.numpy() * v).real
        by_rules = float(products.sum(dtype=np.float64))
        estimate = _estimate(f, arrays, k, u, v, tolerance)
        allowed = tolerance.relative * abs(estimate) + tolerance.cancelling * (1 + float(np.abs(products).sum()))
        if not abs(by_rules - estimate) <= allowed:
            raise GradientCheckError(
                f"the gradient of order {order} with respect to {labels[k]} is wrong: in a random direction the rules "
                f"give {by_rules:.10g}, the numerical estimate is {estimate:.10g} "
                f"(difference {abs(by_rules - estimate):.2g}, allowed {allowed:.2g})."
            )
    if order == last:
        return
    directions = [_direction(rng, arrays[k]) for k in tracked]

    def derivative(*values: Any) -> Any:
        """The gradient of f along `directions`, as a function of the inputs and of the cotangent."""
        *xs, cotangent = values
        wanted = [x if x.requires_grad else Tensor(x.data, requires_grad=True) for x in (xs[k] for k in tracked)]
        for k, x in zip(tracked, wanted):
            xs[k] = x
        gradients = f(*xs).gradient(*wanted, cotangent=cotangent, create_graph=True)
        pairs = zip(gradients if isinstance(gradients, tuple) else (gradients,), directions)
        total: Any = 0.0
        for g, v in pairs:
            total = total + np.sum(g * v.astype(g.dtype)).real
        return total

    _check(derivative, [*arrays, u], [*labels, f"the cotangent ({u.dtype}{list(u.shape)})"], order + 1, last, rng)


def _estimate(
    f: Callable[..., Any],
    arrays: list[np.ndarray[Any, Any]],
    k: int,
    u: np.ndarray[Any, Any],
    v: np.ndarray[Any, Any],
    tolerance: _Tolerance,
) -> float:
    """⟨u, ∂f/∂x · v⟩ by differences, in double precision if `f` takes it."""

    def double(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return a.astype(np.result_type(a.dtype, np.float64)) if a.dtype.kind in "fc" else a

    def along(h: float, points: list[np.ndarray[Any, Any]]) -> Any:
        moved = list(points)
        moved[k] = np.asarray(points[k] + np.asarray(h * v, dtype=points[k].dtype))
        return f(*[Tensor(a) for a in moved])

    points, h = [double(a) for a in arrays], _TOLERANCES[8].step
    try:
        sample = along(0.0, points)
        fits = sample.dtype.itemsize // (2 if sample.dtype.kind == "c" else 1) >= 8
    except (TypeError, ValueError, RuntimeError):
        fits = False  # a function that insists on its own precision, as a float32 layer does
    if not fits:
        points, h = arrays, tolerance.step
    y1, y_1, y2, y_2 = (along(step * h, points).numpy().astype(np.complex128) for step in (1, -1, 2, -2))
    slope = (8 * (y1 - y_1) - (y2 - y_2)) / (12 * h)
    return float((u * slope).real.sum())
