"""The gradient check itself: planted faults are found and named, and nothing else is.

Faults of every kind are planted in rules (a factor, a sign, a transposed matrix, one entry, one dtype, the second
order alone); then right rules are checked where a function has no derivative, or nearly so.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import GradientCheckError, NonDifferentiableError, Tensor, check_gradients
from autograd.primitive import REGISTRY

X = np.array([0.7, -1.3, 0.4])


@pytest.fixture
def plant() -> Iterator[Callable[..., Any]]:
    """Define a throw-away primitive; it leaves the registry at the end of the test."""
    planted: list[Any] = []

    def make(forward: Callable[..., Any], signature: str = "x -> y", **rules: Any) -> Any:
        def function(*args: Any, **kwargs: Any) -> Any:
            return forward(*args, **kwargs)

        function.__name__ = f"planted{len(planted)}"
        planted.append(function)
        return autograd.define(function, signature, **rules)

    yield make
    for function in planted:
        del REGISTRY[function]


def fault(*args: Any, **options: Any) -> str:
    """The message about a wrong rule: not one about a point without a derivative."""
    with pytest.raises(GradientCheckError) as caught:
        check_gradients(*args, **options)
    assert caught.type is GradientCheckError
    return str(caught.value)


def doubt(*args: Any, **options: Any) -> str:
    """The message about a point without a derivative."""
    with pytest.raises(NonDifferentiableError) as caught, np.errstate(all="ignore"):
        check_gradients(*args, **options)
    return str(caught.value)


def plain(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


BOTH = pytest.mark.parametrize("full", [False, True])


# Wrong rules


@BOTH
@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0, 2.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_a_wrong_factor_is_found_and_the_operation_is_named(plant: Any, factor: float, dtype: Any, full: bool) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * (2 * factor) * x)
    x = X.astype(dtype) * (1 + 0.5j if np.issubdtype(dtype, np.complexfloating) else 1)
    text = fault(lambda x: np.exp(wrong(np.sin(x))), x, full=full)
    assert "the gradient of order 1 with respect to input 0" in text
    assert "The rule of `planted0` for input 0 ('x') is to blame" in text
    assert "test_gradcheck.py" in text


@BOTH
def test_a_rule_that_is_wrong_for_one_entry_alone(plant: Any, full: bool) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * 2 * x * np.array([1.0, 1.001, 1.0]))
    text = fault(lambda x: wrong(x) * 2.0, X, full=full)
    assert "is to blame" in text
    if full:
        assert "in the entry d output[1] / d input[1] the rules give -5.2052, the numerical estimate is -5.2" in text


@BOTH
def test_a_transposed_jacobian(plant: Any, full: bool) -> None:
    a = np.arange(9.0).reshape(3, 3) / 7
    wrong = plant(lambda x: a @ x, x=lambda g: a @ g)
    text = fault(wrong, X, full=full)
    assert "is wrong" in text
    if full:
        assert "d output[1] / d input[0] the rules give 0.1428571429, the numerical estimate is 0.4285714286" in text


@BOTH
def test_a_softmax_whose_gradient_is_zero(plant: Any, full: bool) -> None:
    zero = plant(lambda x: np.exp(x) / np.exp(x).sum(), x=lambda g: g * 0)
    assert "the rules give 0," in fault(zero, X, full=full)


@BOTH
def test_a_missing_term_of_the_second_order_alone(plant: Any, full: bool) -> None:
    hidden = plant(np.exp, x=lambda g, x: g * np.exp(plain(x)))
    check_gradients(hidden, X, order=1, full=full)
    text = fault(lambda x: hidden(x) * x, X, full=full)
    assert "order 2 with respect to input 0" in text
    assert "`planted0`, in its gradient of order 2 with respect to input 0 ('x'), is to blame" in text


def test_a_wrong_rule_that_only_the_gradient_uses_is_named(plant: Any) -> None:
    inner = plant(lambda x: x * x, x=lambda g, x: g * 2.1 * x)
    outer = plant(lambda x: x**3 / 3, x=lambda g, x: g * inner(x))
    text = fault(lambda x: np.sin(outer(x)), X)
    assert "order 2" in text
    assert "The rule of `planted0` for input 0 ('x') is to blame" in text


@BOTH
def test_a_rule_that_is_wrong_for_complex_numbers_alone(plant: Any, full: bool) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * 2 * x.conj())
    check_gradients(wrong, X, full=full)
    text = fault(wrong, X * (1 + 0.5j), full=full)
    assert "complex128[3]" in text
    if full:
        assert (
            "in the entry d Im(output[0]) / d Re(input[0]) the rules give -0.7, the numerical estimate is 0.7" in text
        )


@BOTH
def test_a_rule_that_is_wrong_in_float32_alone(plant: Any, full: bool) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * (2 if g.dtype == np.float64 else 2.002) * x)
    check_gradients(wrong, X, full=full)
    assert "(float32[3]) is wrong" in fault(wrong, X.astype(np.float32), full=full)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_function_that_insists_on_its_precision(plant: Any, dtype: Any) -> None:
    def insist(f: Any) -> Any:
        def function(x: Any) -> Any:
            if x.dtype != dtype:
                raise TypeError("not this precision")
            return f(x)

        return function

    check_gradients(insist(np.sin), X.astype(dtype), order=1)
    wrong = plant(np.sin, x=lambda g, x: g * np.cos(x) * 1.2)
    fault(insist(wrong), X.astype(dtype), order=1)


def test_the_coarsest_of_the_precisions_counts() -> None:
    check_gradients(lambda x: np.tanh(x.astype(np.float32)), X)


def test_the_input_is_named_and_so_is_the_second_operand_of_the_operation(plant: Any) -> None:
    wrong = plant(lambda x, y: x * y, "x, y -> z", x=lambda g, y: g * y, y=lambda g, x: g * x * 1.001)
    text = fault(lambda a, b: wrong(a + 1.0, np.sin(b)), X, Tensor(X, name="b"))
    assert "input 1 ('b', float64[3])" in text
    assert "The rule of `planted0` for input 1 ('y') is to blame: by itself, on float64[3], float64[3]" in text


def test_a_wrong_operation_with_options_and_one_of_a_sequence(plant: Any) -> None:
    scale = plant(lambda x, times: x * times, "x; times=2.0 -> y", x=lambda g: g * 2.0)
    check_gradients(scale, X)
    assert "`planted0` for input 0 ('x')" in fault(lambda x: np.sin(scale(x, times=3.0)), X)
    total = plant(lambda xs: xs[0] + xs[1], "*xs -> y", xs=lambda g, i: g * (1 + i))
    assert "`planted1` for input 1 is" in fault(lambda x, y: total([x, np.sin(y)]), X, X)


def test_an_operation_with_several_results(plant: Any) -> None:
    def rule(g: Any, x: Any, wrong: float) -> Any:
        sine, cosine = (0 * x if part is None else part for part in g)
        return sine * np.cos(x) - cosine * np.sin(x) * wrong

    both = plant(lambda x, wrong: (np.sin(x), np.cos(x)), "x; wrong=1.0 -> s, c", x=rule)
    for full in (False, True):
        check_gradients(both, X, full=full)
        check_gradients(lambda x: both(x)[1], X, full=full)
        text = fault(lambda x: both(x, wrong=1.01), X, full=full)
        assert "The rule of `planted0` for input 0 ('x') is to blame" in text
    assert "in the entry d output 1[0] / d input[0]" in text


def test_where_no_single_operation_is_wrong_none_is_blamed() -> None:
    text = fault(lambda x: x * x.detach(), X)
    assert "is wrong" in text
    assert "blame" not in text


# Where there is no derivative


def relu(x: Any) -> Any:
    return np.where(plain(x) > 0, x, 0.0)


@BOTH
def test_a_kink_is_not_a_wrong_rule(full: bool) -> None:
    text = doubt(relu, [0.5, 0.0], full=full)
    assert "the function is not differentiable at this point" in text
    assert "from the left and" in text
    assert "the rules gave 0, which is one of them" in text
    assert ("d output[1] / d input[1]" if full else "along entry [1]") in text


@pytest.mark.parametrize(
    ("f", "x", "reason"),
    [
        (lambda x: np.abs(x) * 2, 0.0, "its gradient of order 1 is not differentiable .* jumps"),
        (lambda x: np.maximum(x, x[::-1] * 3), [3.0, 1.0], "slopes|jumps"),
        (lambda x: np.sqrt(x), [0.0, 1.0], "to the right, its slope grows without bound"),
        (lambda x: x**1.5, [0.0, 1.0], "finite only to the right"),
        (lambda x: x * np.log(np.abs(x) + 1e-300), [0.0, 1.0], "grows without bound"),
        (lambda x: np.where(plain(x) >= 1, x + 2.0, x), [1.0, 0.3], "to the left, its value jumps by"),
        (lambda x: x * (plain(x) > 0) - 2.0 * relu(-x), [0.0, 1.0], "slopes .* the rules gave"),
    ],
)
def test_points_without_a_derivative_are_told_apart(f: Any, x: Any, reason: str) -> None:
    assert re.search(reason, doubt(f, x))


@pytest.mark.parametrize("distance", [1e-3, 1e-4, 1.2e-4, -1e-5, 1e-5])
@pytest.mark.parametrize("f", [np.abs, relu, lambda x: np.clip(x, 0.0, 7.0), lambda x: np.clip(x, -2e-3, 2e-3)])
@BOTH
def test_a_kink_near_the_point_is_not_one_at_it(plant: Any, f: Any, distance: float, full: bool) -> None:
    check_gradients(f, [distance, 0.5], full=full)
    wrong = plant(lambda x: x * 1.0, x=lambda g: g * 1.001)
    if (f(np.array(distance)) != f(np.array(distance * 0.9))).all():
        fault(lambda x: f(wrong(x)), [distance, 0.5], full=full)


@pytest.mark.parametrize("distance", [0.0, 1e-14, 1e-11, 1e-9, 1e-7, 2e-6])
@pytest.mark.parametrize("f", [np.abs, relu, lambda x: np.sqrt(np.abs(x)), lambda x: np.tanh(relu(x))])
def test_a_kink_too_near_to_resolve_is_never_called_a_wrong_rule(f: Any, distance: float) -> None:
    with np.errstate(all="ignore"), contextlib.suppress(NonDifferentiableError):
        check_gradients(f, [distance, 0.5, -1.0], order=1)


def test_a_kink_does_not_hide_a_wrong_rule_beside_it(plant: Any) -> None:
    wrong = plant(lambda x: np.where(x > 0, x, 0.0), x=lambda g, x: g * (plain(x) > 0) * 1.001)
    assert "along entry [1] the rules give" in fault(wrong, [0.0, 0.5], order=1)
    text = fault(lambda x: relu(x) + wrong(x + 2.0), [0.0, 0.5], order=1)
    assert "`planted0`" in text


def test_rules_that_choose_at_a_kink_may_not_add_up() -> None:
    text = fault(lambda x: relu(x) - relu(-x), [0.0, 1.0])  # this is x
    assert "is wrong" in text


def _times(factor: float) -> Any:
    return lambda g: g * factor


SMOOTH: list[Any] = [
    np.sin,
    np.exp,
    lambda x: x**3,
    lambda x: np.tanh(1e4 * x) + x,
    lambda x: 1e6 * np.cos(x),
    lambda x: np.exp(-50 * x * x) + 1e3 * x,
    lambda x: np.sin(300 * x),
    lambda x: np.log(x * x + 1e-3),
    lambda x: np.exp(x) / np.sum(np.exp(x)) * np.array([1.0, 2.0, 3.0]),
]


@pytest.mark.parametrize("f", SMOOTH)
def test_a_wrong_rule_at_a_smooth_point_is_never_excused(plant: Any, f: Any) -> None:
    for seed, factor in itertools.product(range(6), (1.001, 1.0001, 0.0, -1.0)):
        wrong = plant(lambda x: x * 1.0, x=_times(factor))
        x = np.random.default_rng(seed).normal(size=3)
        assert "is wrong" in fault(lambda x, wrong=wrong: f(wrong(x)), x, order=1, seed=seed)
        check_gradients(f, x, seed=seed)


# Functions that cannot be checked


def test_a_random_function_is_called_that() -> None:
    rng = np.random.default_rng(0)
    text = fault(lambda x: x * rng.normal(size=3), X)
    assert "is not deterministic: two calls at the same point returned values that differ by up to" in text
    assert "of shapes" in fault(lambda x: np.sin(x)[: rng.integers(2, 4)] * rng.normal(), np.ones(9))


def test_values_that_are_not_finite_are_named() -> None:
    with np.errstate(all="ignore"):
        assert "the function is not finite at this point (output[1] is -inf)" in fault(np.log, [1.0, 0.0])
        assert "(output is nan)" in fault(lambda x: np.sum(np.log(x)), [1.0, -1.0])


def test_large_rounding_errors_are_not_called_a_wrong_rule() -> None:
    text = fault(lambda x: (x + 1e8) - 1e8, X)
    assert "could not be confirmed" in text
    assert "rounding errors" in text


@BOTH
def test_empty_arrays_pass(full: bool) -> None:
    for shape in [(0,), (0, 3)]:
        check_gradients(lambda x: np.sin(x) * 2, np.zeros(shape), full=full)
        check_gradients(lambda x: np.sum(x), np.zeros(shape), full=full)
    check_gradients(lambda x, y: np.concatenate([x, y]), np.zeros(0), X, full=full)


@BOTH
def test_an_input_that_does_not_matter(plant: Any, full: bool) -> None:
    check_gradients(lambda x, y: np.sin(x), X, X, full=full)
    check_gradients(lambda x: Tensor([1.0, 2.0]), X, full=full)
    leak = plant(lambda x, y: x * 1.0, "x, y -> z", x=lambda g: g, y=lambda g: g)
    assert "respect to input 1" in fault(leak, X, X, full=full)


def test_what_is_no_tensor_is_refused() -> None:
    for result in (1.0, None, "x", [], np.ones(3), Tensor([1, 2]), [Tensor([1, 2])]):
        with pytest.raises(TypeError, match="must return a Tensor of floating"):
            check_gradients(lambda x, result=result: result, X)
    with pytest.raises(TypeError, match="must return"):
        check_gradients(lambda x: (x * 2, np.sum(x).item()), X)


# Options


def test_the_tolerances_are_numpys(plant: Any) -> None:
    near = plant(lambda x: x * x, x=lambda g, x: g * 2 * (1 + 1e-4) * x)
    fault(near, X)
    check_gradients(near, X, rtol=1e-3)
    check_gradients(near, X, atol=1e-2)
    tiny = plant(lambda x: 1e-12 * x, x=lambda g: g * 2e-12)
    check_gradients(tiny, X)
    fault(tiny, X, atol=0.0, order=1)
    with pytest.raises(ValueError, match="rtol"):
        check_gradients(near, X, rtol=-1.0)
    with pytest.raises(ValueError, match="atol"):
        check_gradients(near, X, atol=float("nan"))


def test_a_tolerance_that_no_difference_can_meet_is_said_to_be_that() -> None:
    assert "the tolerance is too strict" in fault(np.exp, X, rtol=0.0, atol=0.0)


Pair = collections.namedtuple("Pair", "first second")


@BOTH
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (np.sin(x), np.sum(x * x)),
        lambda x: [np.sin(x), [np.cos(x)], 3, None],
        lambda x: Pair(np.sin(x), Tensor([1, 2])),
        lambda x: {"a": np.sin(x), "b": np.exp(x) * 1j},
    ],
)
def test_several_outputs(f: Any, full: bool) -> None:
    check_gradients(f, X, full=full)
    check_gradients(f, X, order=3)


@BOTH
def test_a_fault_in_one_of_several_outputs(plant: Any, full: bool) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * 2.002 * x)
    text = fault(lambda x: {"a": np.sin(x), "b": wrong(x)}, X, full=full)
    assert "`planted0`" in text
    if full:
        assert "d output 1[0] / d input[0]" in text
    hidden = plant(np.exp, x=lambda g, x: plain(g) * np.exp(x))
    assert "the cotangent of output 1 (float64[3])" in fault(lambda x: (np.sin(x), hidden(x) * 1.0), X * 0)


@BOTH
def test_complex_functions_of_all_kinds(full: bool) -> None:
    z = X * (1 + 0.5j) + 0.2j
    for f in (np.exp, np.abs, np.conj, np.real, lambda z: np.sum(z * z), lambda z: z.imag * z):
        check_gradients(f, z, full=full)
    check_gradients(lambda x, z: x * z, X, z, full=full, order=3)


def test_a_failed_check_leaves_everything_as_it_was(plant: Any) -> None:
    wrong = plant(lambda x: x * x, x=lambda g, x: g * x)
    x = Tensor(X, requires_grad=True)
    fault(wrong, x)
    assert x.grad is None
    y = np.log(Tensor([0.5], requires_grad=True))  # nothing is watched any more
    assert y.node.notes is None
