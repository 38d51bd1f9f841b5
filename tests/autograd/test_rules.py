"""Every rule: a table of examples for each primitive, checked in several ways, and what the table cannot say.

The first half is the table and the tests that walk it: values against NumPy, gradients of the first and second
order against numerical estimates in each precision, recorded against unrecorded rules, memory layouts, dtypes. A
primitive without an example fails. The second half is the documented choices where a derivative does not exist,
indices and subscripts made at random, and a comparison with PyTorch.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rule_examples import EXAMPLES, Example, values
from rule_examples.core import _einsum, _gets, _np_logsumexp, _put, _puts
from rule_examples.networks import EXAMPLES as NETWORKS

import autograd
import nn
import nn.functional as F
from autograd import GradientCheckError, NoRuleError, Tape, Tensor, check_gradients, logsumexp, sigmoid, softplus
from autograd.primitive import REGISTRY, Primitive
from autograd.rules import complete

QUICK = settings(max_examples=40, deadline=None, derandomize=True)

# The table


def _each(keep: Callable[[Example], bool]) -> Any:
    """Run a test for every example of every primitive that `keep` lets through: a test for each primitive."""

    def decorate(test: Callable[[str, Example], None]) -> Any:
        @pytest.mark.parametrize("name", [name for name, examples in EXAMPLES.items() if any(map(keep, examples))])
        def run(name: str) -> None:
            for k, example in enumerate(EXAMPLES[name]):
                if keep(example):
                    try:
                        test(name, example)
                    except Exception as error:
                        error.add_note(
                            f"example {k} of {name}, with arguments of shape {[a.shape for a in example.args]}"
                        )
                        raise

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


every_example = _each(lambda example: True)
every_complex_example = _each(lambda example: example.complexes)


def _walk() -> Iterator[Any]:
    """Every module of the packages."""
    for package in (autograd, nn):
        yield package
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def _handlers() -> dict[str, Primitive | None]:
    """What the packages register or define, by name: its primitive, or None where it is made of other primitives."""
    complete()
    handlers: dict[str, Primitive | None] = {}
    aliases = set()
    for function, handler in REGISTRY.items():
        if handler in aliases:
            continue
        aliases.add(handler)
        primitive = getattr(handler, "primitive", None)
        ufunc = getattr(function, "__self__", None)
        if isinstance(ufunc, np.ufunc):
            handlers[f"{ufunc.__name__}.{function.__name__}"] = primitive
        elif _ours(function):
            handlers[_called(function) if primitive is None else primitive.name] = primitive
    for module in _walk():
        for value in vars(module).values():
            primitive = getattr(value, "primitive", None)
            if isinstance(primitive, Primitive) and _ours(primitive.function):
                handlers[primitive.name] = primitive
    return handlers


def _called(function: Any) -> str:
    """The name of a function of NumPy's, with that of its submodule: `linalg.inv`."""
    home = (getattr(function, "__module__", None) or "numpy").removeprefix("numpy").removeprefix(".")
    return f"{home}.{function.__name__}" if home in ("linalg", "fft") else function.__name__


def _ours(function: Any) -> bool:
    """Whether it is NumPy's or the packages', and not one that a test or a documentation example defined."""
    module = getattr(function, "__module__", None) or "numpy"
    return module.partition(".")[0] in ("numpy", "autograd", "nn") and module != "autograd.primitive"


HANDLERS = _handlers()  # before any test has defined a primitive


def differentiable(arrays: Any, dtype: Any = None) -> list[Tensor]:
    return [Tensor(a, requires_grad=True, dtype=dtype) for a in arrays]


def as_complex(arrays: Any) -> list[np.ndarray]:
    """The arrays with an imaginary part, different in each element, that keeps clear of branch cuts."""
    return [np.asarray(a + 1j * (0.3 + 0.2 * np.cos(7 * a))) for a in arrays]


def tuple_of(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def direction(like: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.asarray(values(like.shape, 0.3, 1.7, seed) * (1 if like.dtype.kind != "c" else 1 - 0.5j), like.dtype)


def gradients(call: Any, inputs: list[Tensor], **options: Any) -> list[np.ndarray]:
    y = call(*inputs)
    return [g.numpy() for g in tuple_of(y.gradient(*inputs, cotangent=direction(y.numpy()), **options))]


# Each primitive has examples


def test_there_are_examples_for_each_primitive_and_for_nothing_else() -> None:
    assert sorted(HANDLERS) == sorted(EXAMPLES)


@every_example
def test_an_example_records_its_primitive(name: str, example: Example) -> None:
    primitive = HANDLERS[name]
    y = example.call(*differentiable(example.args))
    recorded = {node.primitive for node in Tape(y) if not node.is_leaf}
    assert recorded
    assert primitive is None or primitive in recorded or primitive.wider is not None


def test_the_walk_notices_a_primitive_without_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(EXAMPLES, "tanh")
    with pytest.raises(AssertionError, match="tanh"):
        test_there_are_examples_for_each_primitive_and_for_nothing_else()


# Values


def reference(example: Example) -> Any:
    return example.call if example.reference is None else example.reference


@every_example
def test_values_are_numpys(name: str, example: Example) -> None:
    for dtype in (np.float64, np.float32):
        _check_values(name, example, dtype)


def _check_values(name: str, example: Example, dtype: Any) -> None:
    arrays = [a.astype(dtype) for a in example.args]
    expected = np.asarray(reference(example)(*[a.copy() for a in arrays]))
    for inputs in (differentiable(arrays), [Tensor(a) for a in arrays]):
        y = example.call(*inputs)
        assert isinstance(y, Tensor)
        assert y.requires_grad is inputs[0].requires_grad
        assert y.dtype == expected.dtype
        assert y.shape == expected.shape
        if example.reference is None and HANDLERS[name] is not None:
            np.testing.assert_array_equal(y.numpy(), expected)
        else:  # composed of other operations, perhaps in another order than NumPy's
            eps = example.rounding * np.finfo(dtype).eps
            np.testing.assert_allclose(y.numpy(), expected, rtol=20 * eps, atol=5 * eps)


@every_complex_example
def test_complex_values_are_numpys(name: str, example: Example) -> None:
    arrays = as_complex(example.args)
    expected = np.asarray(reference(example)(*[a.copy() for a in arrays]))
    y = example.call(*differentiable(arrays))
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-14 * example.rounding, atol=1e-15 * example.rounding)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "logsumexp", *sorted(NETWORKS.keys() - {"gate"})])
def test_functions_of_our_own_take_plain_arrays(name: str) -> None:
    example = EXAMPLES[name][0]
    y = example.call(*example.args)
    assert isinstance(y, np.ndarray | np.floating)
    np.testing.assert_allclose(y, reference(example)(*example.args), rtol=1e-13)


# Gradients


@every_example
def test_gradients(name: str, example: Example) -> None:
    check_gradients(example.call, *example.args, order=example.order)


@every_example
def test_gradients_in_single_precision(name: str, example: Example) -> None:
    check_gradients(example.call, *[a.astype(np.float32) for a in example.args], order=2)


@every_complex_example
def test_gradients_of_complex_numbers(name: str, example: Example) -> None:
    check_gradients(example.call, *as_complex(example.args), order=2)


@every_complex_example
def test_gradients_where_one_input_is_complex_and_the_others_are_real(name: str, example: Example) -> None:
    for k in range(len(example.args)):
        if name in ("setitem", "pad", "insert") and k:
            continue  # a complex value does not go into a real array
        arrays = list(example.args)
        arrays[k] = as_complex(arrays)[k]
        check_gradients(example.call, *arrays, order=1)


@every_example
def test_a_gradient_has_its_inputs_shape_and_dtype(name: str, example: Example) -> None:
    for dtype in (np.float32, np.float64, np.float16)[: 2 + example.half]:
        inputs = differentiable([a.astype(dtype) for a in example.args])
        for x, g in zip(inputs, gradients(example.call, inputs)):
            assert type(g) is np.ndarray
            assert (g.shape, g.dtype) == (x.shape, np.dtype(dtype))


@every_example
def test_inputs_of_different_dtypes_each_get_their_own(name: str, example: Example) -> None:
    exact = gradients(example.call, differentiable(example.args))
    for k in range(len(example.args)):
        dtypes = [np.float32 if i == k else np.float64 for i in range(len(example.args))]
        inputs = [Tensor(a.astype(d), requires_grad=True) for a, d in zip(example.args, dtypes)]
        for x, g, e in zip(inputs, gradients(example.call, inputs), exact):
            assert g.dtype == x.dtype
            np.testing.assert_allclose(g, e, rtol=2e-4 * example.rounding, atol=2e-5 * example.rounding)


@every_example
def test_a_recorded_backward_pass_gives_the_same(name: str, example: Example) -> None:
    for dtype in (np.float32, np.float64):
        inputs = differentiable([a.astype(dtype) for a in example.args])
        plain = gradients(example.call, inputs)
        recorded = gradients(example.call, inputs, create_graph=True)
        for p, r in zip(plain, recorded):
            assert p.dtype == r.dtype
            eps = example.rounding * np.finfo(dtype).eps
            np.testing.assert_allclose(p, r, rtol=4 * eps, atol=max(np.finfo(dtype).tiny, (example.rounding - 1) * eps))


@every_example
def test_each_input_alone(name: str, example: Example) -> None:
    """With plain arrays for the other inputs: what is not tracked is not saved, and nothing else changes."""
    together = gradients(example.call, differentiable(example.args))
    for k, a in enumerate(example.args):
        if name == "setitem" and k:
            others = [Tensor(b) for b in example.args]
        else:
            others = list(example.args)
        x = Tensor(a, requires_grad=True)

        def call(x: Tensor, k: int = k, others: list[Any] = others) -> Tensor:
            return example.call(*[x if i == k else b for i, b in enumerate(others)])

        np.testing.assert_array_equal(gradients(call, [x])[0], together[k])
        if name != "setitem":
            frozen = [Tensor(b) for b in example.args]
            np.testing.assert_array_equal(
                gradients(lambda x, k=k, o=frozen: example.call(*[x if i == k else b for i, b in enumerate(o)]), [x])[
                    0
                ],
                together[k],
            )


def _fortran(a: np.ndarray) -> np.ndarray:
    return np.asfortranarray(a).reshape(a.shape)


def _reversed(a: np.ndarray) -> np.ndarray:
    key = (slice(None, None, -1),) * a.ndim
    return np.asarray(a[key]).copy()[key] if a.ndim else a.copy()


def _strided(a: np.ndarray) -> np.ndarray:
    wide = np.full((*a.shape, 2), np.nan, dtype=a.dtype)
    wide[..., 0] = a
    return wide[..., 0] if a.ndim else a.copy()


def _read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = [_fortran, _reversed, _strided, _read_only]


@every_example
def test_the_layout_of_an_array_in_memory_does_not_matter(name: str, example: Example) -> None:
    expected = gradients(example.call, differentiable(example.args))
    y = example.call(*differentiable(example.args)).numpy()
    for layout in LAYOUTS:
        inputs = [Tensor(np.ones(0)) for _ in example.args]
        for x, a in zip(inputs, example.args):
            x._array = layout(a)  # Tensor(a) would copy, and lay out anew
            x.requires_grad = True
        before = [x.numpy().copy() for x in inputs]
        out = example.call(*inputs)
        loose = example.rounding
        np.testing.assert_allclose(out.numpy(), y, rtol=1e-12 * loose, atol=1e-14 * loose)
        u = layout(direction(y))
        unchanged = u.copy()
        for g, e in zip(tuple_of(out.gradient(*inputs, cotangent=u)), expected):
            np.testing.assert_allclose(g.numpy(), e, rtol=1e-12 * loose, atol=1e-13 * loose)
        np.testing.assert_array_equal(u, unchanged)
        for x, b in zip(inputs, before):
            np.testing.assert_array_equal(x.numpy(), b)


@every_example
def test_a_second_pass_over_the_same_tape_gives_the_same(name: str, example: Example) -> None:
    """A rule writes neither into what was saved nor into the cotangent that it got."""
    inputs = differentiable(example.args)
    y = example.call(*inputs)
    u = direction(y.numpy())
    first = [g.numpy().copy() for g in tuple_of(y.gradient(*inputs, cotangent=u, retain_graph=True))]
    y.backward(u)
    for x, g in zip(inputs, first):
        np.testing.assert_array_equal(x.grad, g)
        assert x.grad.flags.writeable
        assert not np.shares_memory(x.grad, u)
        assert not np.shares_memory(x.grad, x.numpy())


@every_example
def test_cotangents_that_were_summed(name: str, example: Example) -> None:
    """A value that is used twice has the sum of two cotangents, which for 0-d arrays NumPy makes a scalar."""
    once = gradients(example.call, differentiable(example.args))

    def twice(*inputs: Any) -> Any:
        y = example.call(*[x * 1.0 for x in inputs])
        return y + y

    inputs = differentiable(example.args)
    y = twice(*inputs)
    y.backward(direction(y.numpy()))
    for x, g in zip(inputs, once):
        assert type(x.grad) is np.ndarray
        np.testing.assert_allclose(x.grad, 2 * g, rtol=1e-13 * example.rounding, atol=1e-15 * example.rounding)


@every_example
def test_nothing_is_recorded_without_need(name: str, example: Example) -> None:
    with autograd.no_grad():
        assert not example.call(*differentiable(example.args)).requires_grad


# Where a derivative does not exist: the documented choices


def slope(function: Any, *at: Any, cotangent: Any = None, dtype: Any = None) -> list[np.ndarray]:
    """The gradients of an elementwise function, for a cotangent of ones or for the given one."""
    inputs = differentiable(at, dtype)
    y = function(*inputs)
    y.backward(np.ones_like(y.numpy()) if cotangent is None else np.asarray(cotangent, dtype=y.dtype))
    return [x.grad for x in inputs]


@pytest.mark.parametrize("extreme", [np.maximum, np.minimum])
def test_a_tie_of_two_inputs_gives_half_to_each(extreme: Any) -> None:
    x, y = slope(extreme, [1.0, 2.0, 3.0], [1.0, 3.0, 2.0], cotangent=[8.0, 1.0, 1.0])
    assert x[0] == y[0] == 4
    np.testing.assert_array_equal(x + y, [8, 1, 1])
    assert slope(lambda x: extreme(x, 0.0), [0.0, 0.0], cotangent=[2.0, 4.0])[0].tolist() == [1, 2]
    both = slope(lambda x: extreme(x, x), [1.0], cotangent=[3.0])[0]
    assert both.tolist() == [3]


@pytest.mark.parametrize("extreme", [np.max, np.min, np.amax, np.amin])
def test_equal_extremes_share_evenly(extreme: Any) -> None:
    assert slope(extreme, [2.0, 2.0, 2.0, 2.0], cotangent=8.0)[0].tolist() == [2, 2, 2, 2]
    rows = slope(lambda a: extreme(a, axis=1), [[1.0, 1.0, 1.0], [5.0, 5.0, 5.0]], cotangent=[3.0, 6.0])[0]
    assert rows.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_only_the_extremes_share() -> None:
    assert slope(np.max, [1.0, 3.0, 2.0, 3.0])[0].tolist() == [0, 0.5, 0, 0.5]
    assert slope(np.min, [1.0, 3.0, 1.0, 3.0])[0].tolist() == [0.5, 0, 0.5, 0]
    kept = slope(lambda a: np.max(a, axis=(0, 1), keepdims=True), [[1.0, 3.0], [3.0, 0.0]], cotangent=[[4.0]])[0]
    assert kept.tolist() == [[0, 2], [2, 0]]


def test_the_extreme_of_a_nan_has_the_gradient_nan_without_a_warning() -> None:
    g = slope(lambda a: np.max(a, axis=1), [[1.0, np.nan], [1.0, 2.0]])[0]
    assert np.isnan(g[0]).all()
    assert g[1].tolist() == [0, 1]


def test_abs_at_0() -> None:
    assert slope(abs, [-2.0, 0.0, -0.0, 3.0])[0].tolist() == [-1, 0, 0, 1]
    np.testing.assert_allclose(slope(np.abs, [0j, 3 + 4j])[0], [0, 0.6 - 0.8j], rtol=1e-15)


def test_clip_at_its_bounds_gives_all_to_the_array() -> None:
    assert slope(lambda x: np.clip(x, 0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0])[0].tolist() == [0, 1, 1, 1, 0]
    x, low, high = slope(np.clip, [-1.0, 0.0, 0.5, 1.0, 2.0], 0.0, 1.0, cotangent=[1.0, 2.0, 4.0, 8.0, 16.0])
    assert x.tolist() == [0, 2, 4, 8, 0]
    assert (low, high) == (1, 16)


def test_where_the_bounds_of_clip_cross_the_upper_one_gets_all() -> None:
    x, low, high = slope(np.clip, [-1.0, 0.5, 2.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0])
    assert (x.tolist(), low.tolist(), high.tolist()) == ([0, 0, 0], [0, 0, 0], [1, 1, 1])


@pytest.mark.parametrize("zero", [0, 0.0, np.float64(0), np.array(0), np.array(0.0), np.array([0], np.uint8)])
def test_x_to_the_power_of_0_is_constant_also_at_0(zero: Any) -> None:
    assert slope(lambda x: x**zero, [0.0, 2.0, -3.0])[0].tolist() == [0, 0, 0]


def test_powers_at_0() -> None:
    x, y = slope(np.power, [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0])
    assert (x.tolist(), y.tolist()) == ([0, 1, 0, 0], [0, 0, 0, 0])
    assert slope(lambda y: 0**y, [0.0, 1.0, 2.5])[0].tolist() == [0, 0, 0]
    assert slope(lambda y: np.zeros(3) ** y, [0.0, 1.0, 2.5])[0].tolist() == [0, 0, 0]
    with np.errstate(divide="ignore"):
        assert slope(lambda y: 0.0**y, [-1.0])[0].tolist() == [0]
        assert slope(lambda x: x**0.5, [0.0])[0].tolist() == [np.inf]


def test_second_derivatives_of_powers_with_small_exponents() -> None:
    for exponent, second in [
        (0, 0),
        (1, 0),
        (2, 2),
        (3, 0),
        (np.array(1.0), 0),
        (np.array(2.0), 2),
        (np.array(3.0), 0),
    ]:
        x = Tensor(0.0, requires_grad=True)
        first = np.power(x, exponent).gradient(x, create_graph=True)
        assert first.gradient(x).item() == second, exponent


def test_the_mixed_derivative_of_a_power_at_exponent_0() -> None:
    """∂²(x^y)/∂x∂y = x^(y−1) (1 + y log x), which is 1/x at y = 0."""
    x, y = differentiable([4.0, 0.0])
    assert (x**y).gradient(x, create_graph=True).gradient(y).item() == 0.25
    check_gradients(np.power, [0.5, 2.0], [0.0, 0.0], order=3)


@pytest.mark.parametrize("base", [np.int8, np.uint8, np.int16, np.int64, np.float16, np.float32])
def test_the_logarithm_of_a_base_of_low_precision_is_exact(base: Any) -> None:
    y = Tensor([1.5], requires_grad=True)
    (np.array([3], base) ** y).backward()
    np.testing.assert_allclose(y.grad, 3**1.5 * np.log(3), rtol=1e-15)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.int64, np.float32])
def test_exponents_of_other_dtypes(kind: Any) -> None:
    for dtype in (np.float32, np.float64):
        x = Tensor([1.5, 1e20], requires_grad=True, dtype=dtype)
        y = x ** np.array([1, 0]).astype(kind)
        y.backward(np.ones_like(y.numpy()))
        assert x.grad.dtype == dtype
        assert x.grad.tolist() == [1, 0]


def test_a_negative_base_with_a_complex_exponent() -> None:
    check_gradients(lambda y: (-2.0) ** y, [1 + 1j, 0.5j])
    check_gradients(lambda y: np.array([-2.0, 3.0]) ** y, [1 + 1j, 0.5j])


def test_sqrt_at_0() -> None:
    with np.errstate(divide="ignore"):
        assert slope(np.sqrt, [0.0, 4.0])[0].tolist() == [np.inf, 0.25]
    assert slope(np.sqrt, [0.0, 4.0], cotangent=[0.0, 1.0])[0].tolist() == [0, 0.25]
    assert slope(lambda x: np.where(x > 0, np.sqrt(x), 0), [0.0, 4.0])[0].tolist() == [0, 0.25]
    assert slope(lambda x: np.where(x > 0, np.sqrt(x), 0).sum(), [0.0, 4.0], dtype=np.float32)[0].tolist() == [0, 0.25]


def test_std_of_a_constant_has_the_gradient_0() -> None:
    assert slope(np.std, [3.0, 3.0, 3.0])[0].tolist() == [0, 0, 0]
    assert slope(np.std, 3.0)[0] == 0
    g = slope(lambda a: np.std(a, axis=1), [[2.0, 2.0], [1.0, 3.0]])[0]
    assert g.tolist() == [[0, 0], [-0.5, 0.5]]


@pytest.mark.parametrize("reduction", [np.mean, np.var, np.std, np.max])
def test_reductions_of_more_elements_than_float16_can_count(reduction: Any) -> None:
    a = np.full(70000, 0.5, np.float16)
    a[::2] = -0.5
    x = Tensor(a, requires_grad=True)
    y = reduction(x)
    g = y.gradient(x, cotangent=np.array(100, np.float16)).numpy()
    expected = {np.mean: 1 / 70000, np.var: 2 * 0.5 / 70000, np.std: 1 / 70000, np.max: 2 / 70000}[reduction]
    np.testing.assert_allclose(np.abs(g).max(), 100 * expected, rtol=0.02)


@pytest.mark.parametrize("spread", [np.var, np.std])
def test_too_few_values_for_ddof_give_nan_as_in_numpy(spread: Any) -> None:
    x = Tensor([1.0], requires_grad=True)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        y = spread(x, ddof=1)
        y.backward()
    assert np.isnan(y.item())
    assert np.isnan(x.grad).all()


def test_relu_at_0() -> None:
    assert slope(F.relu, [-1.0, 0.0, 2.0])[0].tolist() == [0, 0, 1]


def test_logsumexp_of_minus_infinities() -> None:
    rows = [[-np.inf, -np.inf], [-np.inf, 1.0], [0.0, 0.0]]
    y = logsumexp(Tensor(rows), axis=1)
    np.testing.assert_allclose(y.numpy(), [-np.inf, 1, np.log(2)])
    assert slope(lambda a: logsumexp(a, axis=1), rows)[0].tolist() == [[0, 0], [0, 1], [0.5, 0.5]]
    assert slope(logsumexp, [-np.inf, -np.inf])[0].tolist() == [0, 0]
    x = Tensor(rows[0], requires_grad=True)
    first = logsumexp(x).gradient(x, create_graph=True)
    assert first[0].gradient(x).tolist() == [0, 0]


@pytest.mark.parametrize("shift", [0, 1e4, -1e6])
def test_the_gradient_of_logsumexp_does_not_depend_on_the_size_of_the_numbers(shift: float) -> None:
    a = np.array([[1.0, 0.0, 1.0], [0.0, -3.0, 2.0]], np.float32)
    p = np.exp(a.astype(float)) / np.exp(a.astype(float)).sum(1, keepdims=True)
    x = Tensor(a + np.float32(shift), requires_grad=True)
    first = logsumexp(x, axis=1).sum().gradient(x, create_graph=True)
    np.testing.assert_allclose(first.numpy(), p, rtol=3e-7)
    second = first[:, 0].sum().gradient(x).numpy()
    assert second.dtype == np.float32
    np.testing.assert_allclose(second, p[:, :1] * (np.eye(3)[0] - p), rtol=2e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_saturated_functions_do_not_warn(dtype: Any) -> None:
    far = np.array([-1e4, 1e4], dtype=dtype)
    for function, value, gradient in [
        (sigmoid, [0, 1], [0, 0]),
        (softplus, [0, 1e4], [0, 1]),
        (np.tanh, [-1, 1], [0, 0]),
        (lambda x: logsumexp(np.stack([x, -x]), axis=0), [1e4, 1e4], [-1, 1]),
        (lambda z: F.binary_cross_entropy_with_logits(z, np.array([1, 0], dtype)), [1e4, 1e4], [-1, 1]),
        (lambda z: F.binary_cross_entropy_with_logits(z, np.array([0, 1], dtype)), [0, 0], [0, 0]),
    ]:
        x = Tensor(far, requires_grad=True)
        y = function(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), np.array(value, dtype))
        y.backward(np.ones_like(far), retain_graph=True)
        np.testing.assert_allclose(x.grad, gradient)
        first = y.gradient(x, cotangent=np.ones_like(far), create_graph=True)
        assert first.sum().gradient(x).tolist() == [0, 0]


def test_small_probabilities_keep_their_digits() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-40.0, -700.0])), np.exp([-40.0, -700.0]), rtol=1e-14)
    np.testing.assert_allclose(softplus(np.array([-40.0])), np.exp([-40.0]), rtol=1e-14)


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int8, np.int64, np.float32])
def test_sigmoid_of_other_dtypes(kind: Any) -> None:
    np.testing.assert_allclose(sigmoid(np.array([0, 1, 100], kind)), [0.5, 1 / (1 + np.exp(-1)), 1], rtol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
def test_logsumexp_of_integers_does_not_overflow(kind: Any) -> None:
    a = np.array([np.iinfo(np.int8).max, 0, 100], kind)
    np.testing.assert_allclose(logsumexp(a), 127)
    low = np.array([-128, 127]) if kind != np.uint8 else np.array([0, 255])
    np.testing.assert_allclose(logsumexp(low.astype(kind)), low[1])


def test_saturated_probabilities_have_a_finite_gradient() -> None:
    p = Tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    y = F.binary_cross_entropy(p, np.array([0.0, 1.0, 1.0, 0.0]))
    assert y.tolist() == [0, 0, 100, 100]
    y.sum().backward()
    assert np.isfinite(p.grad).all()
    assert np.sign(p.grad).tolist() == [0, 0, -1, 1]


def test_integers_made_by_astype_are_constants() -> None:
    x = Tensor([1.7, 2.2], requires_grad=True)
    for y in (np.astype(x, int), x.astype(int), np.astype(x, bool)):
        assert not y.requires_grad
    assert np.astype(x, int).tolist() == [1, 2]


def test_where_with_one_argument_is_nonzero() -> None:
    (found,) = np.where(Tensor([0.0, 2.0, 0.0, 1.0], requires_grad=True))
    assert found.tolist() == [1, 3]


def test_a_condition_gets_no_gradient() -> None:
    condition = Tensor([1.0, 0.0], requires_grad=True)
    x, y = differentiable([[1.0, 2.0], [3.0, 4.0]])
    np.where(condition, x, y).sum().backward()
    assert condition.grad is None
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 0], [0, 1])


def test_an_order_that_depends_on_memory_is_refused() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    for order in ("A", "K"):
        with pytest.raises(ValueError, match="order"):
            np.ravel(x, order=order)
    with pytest.raises(ValueError, match="order"):
        np.reshape(x, (3, 2), order="A")


def test_options_without_a_rule_are_refused_by_name() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    for call in (
        lambda x: np.add(x, x, where=x > 0),
        lambda x: np.exp(x, where=[True, False, True]),
        lambda x: np.tanh(x, order="F"),
        lambda x: np.matmul(x, x.T, axes=[(0, 1), (0, 1), (0, 1)]),
    ):
        with pytest.raises(NoRuleError, match="no differentiation rule"):
            call(x)
    assert np.add(x.detach(), 1.0, order="F").tolist() == [[2, 2, 2], [2, 2, 2]]


@pytest.mark.parametrize("split", [np.split, np.array_split])
def test_splitting_along_an_axis_that_is_not_there(split: Any) -> None:
    for x, axis in [(Tensor(np.ones(2), requires_grad=True), 1), (Tensor(1.0, requires_grad=True), 0)]:
        with pytest.raises(np.exceptions.AxisError, match="out of bounds"):
            split(x, 1, axis)


def test_the_check_itself_notices_a_fault_and_refuses_an_order_that_does_not_exist() -> None:
    wrong = autograd.define(lambda x: x * x, "x -> y", x=lambda g, x: g * 2.001 * x)
    with pytest.raises(GradientCheckError, match="order 1 with respect to input 0"):
        check_gradients(wrong, [1.0, 2.0])
    with pytest.raises(ValueError, match="order=0"):
        check_gradients(np.tanh, 1.0, order=0)
    with autograd.no_grad():
        check_gradients(np.tanh, 1.0)


# Indexing


def test_repeated_positions_accumulate() -> None:
    for key in ([0, 0, 2], (0, 0, 2), np.array([0, 0, 2]), Tensor([0, 0, 2])):
        x = Tensor(np.zeros(4), requires_grad=True)
        y = x[key] if not isinstance(key, tuple) else x[(key,)]
        y.backward([1.0, 2.0, 4.0])
        assert x.grad.tolist() == [3, 0, 4, 0]


def test_a_tuple_inside_an_index_is_a_list_of_positions() -> None:
    x = Tensor(np.zeros((2, 2)), requires_grad=True)
    x[(0, 0), (1, 1)].backward([1.0, 2.0])
    assert x.grad.tolist() == [[0, 3], [0, 0]]
    v = Tensor([1.0, 2.0], requires_grad=True)
    y = _put(Tensor(np.zeros((2, 2))), v, ((0, 0), (1, 1)))
    y.backward(np.full((2, 2), 5.0))
    assert v.grad.tolist() == [0, 5]


def test_a_tensor_is_an_index() -> None:
    x = Tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = x[x > 0]
    assert y.tolist() == [1, 3]
    y.backward([5.0, 7.0])
    assert x.grad.tolist() == [5, 0, 7]
    i = Tensor(1)
    assert x[i].item() == -2
    assert Tensor(np.arange(6).reshape(2, 3))[i, Tensor([0, 2])].tolist() == [3, 5]
    assert [10, 20, 30][i] == 20


@pytest.mark.parametrize("make", [np.array, Tensor])
def test_an_index_may_change_after_its_use(make: Any) -> None:
    key = make([0, 0])
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[key]
    (key if isinstance(key, np.ndarray) else key.data)[...] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]


def test_an_index_list_may_change_after_its_use() -> None:
    key = [0, 0]
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[key]
    key[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 0]


@pytest.mark.parametrize("key", [5, (0, 0, 0), 1.5, "name", [0.5]])
def test_a_wrong_index_is_numpys_error(key: Any) -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(IndexError):
        x[key]
    with pytest.raises(IndexError):
        _put(x, 1.0, key)


def test_setitem_is_a_new_value() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    before, alias, view = y * y, y.detach(), y[1:]
    y[0] = 10.0
    assert y.tolist() == [10, 4, 6]
    assert (alias.tolist(), view.tolist()) == ([2, 4, 6], [4, 6])
    (before.sum() + y.sum()).backward()
    assert x.grad.tolist() == [8, 18, 26]


def test_setitem_gives_the_replaced_elements_no_gradient() -> None:
    x, v = differentiable([[1.0, 2.0, 3.0], 5.0])
    y = x * 1.0
    y[1] = v * 2
    y.backward([1.0, 10.0, 100.0])
    assert x.grad.tolist() == [1, 0, 100]
    assert v.grad == 20


def test_of_repeated_positions_in_setitem_the_last_wins_and_gets_the_gradient() -> None:
    x, v = differentiable([np.zeros(3), [1.0, 2.0, 3.0, 4.0]])
    y = _put(x, v, [1, 0, 1, 1])
    assert y.tolist() == [2, 4, 0]
    y.backward([1.0, 10.0, 100.0])
    assert x.grad.tolist() == [0, 0, 100]
    assert v.grad.tolist() == [0, 1, 0, 10]


def test_setitem_with_a_broadcast_value() -> None:
    x, v = differentiable([np.zeros((2, 3)), [[1.0, 2.0, 3.0]]])
    y = _put(x, v, slice(None))
    assert y.tolist() == [[1, 2, 3], [1, 2, 3]]
    y.backward([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    assert v.grad.tolist() == [[11, 22, 33]]
    assert not x.grad.any()


def test_setitem_with_a_mask() -> None:
    x, v = differentiable([[1.0, -2.0, 3.0, -4.0], 0.5])
    y = x * 1.0
    y[y < 0] = v
    assert y.tolist() == [1, 0.5, 3, 0.5]
    y.backward([1.0, 2.0, 3.0, 4.0])
    assert (x.grad.tolist(), v.grad.item()) == ([1, 0, 3, 0], 6)


def test_setitem_on_a_constant_and_in_mixed_precision() -> None:
    v = Tensor([1.5], requires_grad=True, dtype=np.float32)
    y = Tensor(np.zeros(3))
    y[1] = v
    assert y.requires_grad
    y.backward([1.0, 2.0, 3.0])
    assert (v.grad.dtype, v.grad.tolist()) == (np.float32, [2])


def test_setitem_of_a_0d_value_that_is_used_twice() -> None:
    x = Tensor(2.0, requires_grad=True)
    y = x * 3.0
    y[...] = 1.0
    (y + y).backward()
    assert x.grad == 0


def test_in_place_operators_on_a_part() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1.0
    y[1:] *= 2
    y[[0, 0]] += 1  # as in NumPy, once
    assert y.tolist() == [2, 4, 6]
    y.sum().backward()
    assert x.grad.tolist() == [1, 2, 2]


def test_iteration_and_unpacking() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (a, _), (_, d) = x
    (a * d).backward()
    assert x.grad.tolist() == [[4, 0], [0, 1]]


# Made at random

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def shapes_and_indices(draw: Any) -> tuple[Any, Any]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    kind = draw(st.sampled_from(["basic", "integer", "mask", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True))
    if kind == "integer":
        return shape, draw(hnp.integer_array_indices(shape))
    if kind == "mask":
        return shape, draw(hnp.arrays(bool, shape[: draw(st.integers(1, len(shape)))]))
    parts = [
        draw(
            st.one_of(
                st.integers(-n, n - 1),
                st.lists(st.integers(-n, n - 1), min_size=2, max_size=2),
                st.slices(n),
                hnp.arrays(np.intp, (3, 1), elements=st.integers(-n, n - 1)),
            )
        )
        for n in shape[: draw(st.integers(1, len(shape)))]
    ]
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return shape, tuple(parts)


@given(shapes_and_indices())
@QUICK
def test_any_index(case: Any) -> None:
    shape, key = case
    a = values(shape)
    x = Tensor(a, requires_grad=True)
    y = x[key]
    np.testing.assert_array_equal(y.numpy(), a[key])
    u = np.asarray(direction(np.asarray(a[key])))
    expected = np.zeros(shape)
    np.add.at(expected, key, u)
    np.testing.assert_allclose(y.gradient(x, cotangent=u).numpy(), expected, rtol=1e-14)
    check_gradients(_gets(key), a, order=2)


@given(shapes_and_indices(), st.integers(0, 3), st.booleans())
@QUICK
def test_setitem_at_any_index(case: Any, fewer: int, ones: bool) -> None:
    shape, key = case
    a = values(shape)
    target = a[key].shape
    part = target[min(fewer, len(target)) :]
    v = values(tuple(1 if ones else n for n in part), seed=1)
    expected = a.copy()
    expected[key] = v
    np.testing.assert_array_equal(_put(Tensor(a), Tensor(v), key).numpy(), expected)
    check_gradients(_puts(key), a, v, order=2)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3, min_side=0))
@QUICK
def test_any_shapes_that_broadcast(shapes: Any) -> None:
    a, b = values(shapes.input_shapes[0]), values(shapes.input_shapes[1], 0.5, 2)
    x, y = differentiable([a, b])
    z = x / y
    np.testing.assert_array_equal(z.numpy(), a / b)
    assert z.shape == shapes.result_shape
    check_gradients(np.divide, a, b)
    g = x.astype(np.float32) * y
    assert all(h.dtype == np.float64 for h in g.gradient(x, y, cotangent=np.ones(g.shape)))


@given(hnp.mutually_broadcastable_shapes(signature="(m?,n),(n,p?)->(m?,p?)", max_dims=2, max_side=3, min_side=0))
@QUICK
def test_any_shapes_that_matmul_takes(shapes: Any) -> None:
    a, b = (values(s, seed=k) for k, s in enumerate(shapes.input_shapes))
    np.testing.assert_array_equal((Tensor(a) @ Tensor(b)).numpy(), a @ b)
    check_gradients(np.matmul, a, b)


@st.composite
def shapes_and_axes(draw: Any) -> tuple[Any, Any, bool]:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3))
    n = len(shape)
    axes = draw(st.lists(st.integers(-n, n - 1), max_size=n, unique_by=lambda a: a % n)) if n else []
    axis: Any = draw(st.sampled_from([None, tuple(axes)] + ([axes[0], np.int64(axes[0])] if axes else [])))
    return shape, axis, draw(st.booleans())


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "var", "std", "logsumexp"])
def test_reductions_over_any_axes(name: str) -> None:
    function, plain = (logsumexp, _np_logsumexp) if name == "logsumexp" else (getattr(np, name),) * 2

    @given(shapes_and_axes())
    @settings(QUICK, max_examples=25)
    def check(case: Any) -> None:
        shape, axis, keepdims = case
        a = values(shape)
        how = {"axis": axis, "keepdims": keepdims}
        np.testing.assert_allclose(function(Tensor(a), **how).numpy(), plain(a, **how), rtol=1e-13, atol=1e-14)
        x = Tensor(a, requires_grad=True)
        assert function(x, **how).sum().gradient(x).shape == shape
        if name != "std" or np.min(np.std(a, **how)) > 1e-3:
            check_gradients(lambda a: function(a, **how), a, order=2)

    check()


@given(SHAPES, st.data())
@QUICK
def test_arrangements(shape: Any, data: Any) -> None:
    a = values(shape)
    n = a.ndim
    axes = data.draw(st.permutations(range(n)))
    axes = tuple(k - n if data.draw(st.booleans()) else k for k in axes)
    target = list(data.draw(st.permutations([*shape, 1])))
    if a.size and data.draw(st.booleans()):
        target[data.draw(st.integers(0, n))] = -1
    order = data.draw(st.sampled_from("CF"))

    def arrange(x: Any) -> Any:
        return np.reshape(np.transpose(x, axes), tuple(target), order=order)

    x = Tensor(a, requires_grad=True)
    y = arrange(x)
    np.testing.assert_array_equal(y.numpy(), arrange(a))
    # The gradient of a rearrangement u · P a is Pᵀ u: the positions go back to where they came from.
    places = arrange(np.arange(a.size).reshape(shape))
    g = y.gradient(x, cotangent=places.astype(float))
    np.testing.assert_array_equal(g.numpy(), np.arange(a.size).reshape(shape))
    check_gradients(arrange, a)


@st.composite
def einsums(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts, with labels repeated within and across operands, summed out, and broadcast by length 1."""
    sizes = {label: draw(st.integers(1, 3)) for label in "abcd"}
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    dots = [draw(st.booleans()) for _ in terms] if draw(st.booleans()) else [False] * len(terms)
    lead = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=2)) if any(dots) else ()
    shapes, written = [], []
    for term, dotted in zip(terms, dots):
        shape = [sizes[c] for c in term]
        position = draw(st.integers(0, len(term))) if dotted else 0
        part = lead[draw(st.integers(0, len(lead))) :] if dotted else ()
        part = tuple(1 if draw(st.booleans()) else n for n in part)
        shapes.append((*shape[:position], *part, *shape[position:]))
        written.append(term[:position] + "..." + term[position:] if dotted else term)
    subscripts = ",".join(written)
    if draw(st.booleans()):
        labels = sorted(set("".join(terms)))
        output = "".join(draw(st.permutations(labels))[: draw(st.integers(0, len(labels)))]) if labels else ""
        subscripts += "->" + ("..." if any(dots) else "") + output
    return subscripts, shapes


@given(einsums(), st.booleans())
@settings(QUICK, max_examples=100)
def test_any_einsum(case: Any, optimize: bool) -> None:
    subscripts, shapes = case
    arrays = [values(s, 0.5, 1.5, seed=k) for k, s in enumerate(shapes)]
    call = _einsum(subscripts, optimize=optimize)
    np.testing.assert_allclose(call(*[Tensor(a) for a in arrays]).numpy(), call(*arrays), rtol=1e-13)
    check_gradients(call, *arrays, order=2)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(-2, 1), st.data())
@QUICK
def test_joining_and_splitting(widths: list[int], axis: int, data: Any) -> None:
    shapes = [(w, 2) if axis in (0, -2) else (2, w) for w in widths]
    arrays = [values(s, seed=k) for k, s in enumerate(shapes)]

    def joined(*xs: Any) -> Any:
        return np.concatenate(xs, axis=axis)

    np.testing.assert_array_equal(joined(*[Tensor(a) for a in arrays]).numpy(), joined(*arrays))
    check_gradients(joined, *arrays)
    whole = joined(*arrays)
    places = data.draw(st.lists(st.integers(0, sum(widths)), max_size=3))
    x = Tensor(whole, requires_grad=True)
    parts, expected = np.split(x, places, axis), np.split(whole, places, axis)
    for part, e in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(part.numpy(), e)
    if sorted(places) == places:
        np.testing.assert_array_equal(np.concatenate(parts, axis).gradient(x, cotangent=whole).numpy(), whole)


# Against PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


_A, _B, _V = values((3, 4)), values((4, 2), seed=1), values((4,), seed=2)
_P, _T = values((3, 4), 0.05, 0.95), values((3, 4), 0.05, 0.95, seed=3)
_I = np.array([0, 2, 0, 1])
_TIES = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])
COMPARISONS: dict[str, tuple[Any, Any, tuple[np.ndarray, ...]]] = {
    "tanh": (np.tanh, lambda t, x: t.tanh(x), (_A,)),
    "sigmoid": (sigmoid, lambda t, x: t.sigmoid(x), (_A * 20,)),
    "softplus": (softplus, lambda t, x: t.nn.functional.softplus(x, threshold=50), (_A * 10,)),
    "logsumexp": (lambda x: logsumexp(x, axis=1), lambda t, x: t.logsumexp(x, 1), (_A * 100,)),
    "log1p of exp": (lambda x: np.log1p(np.exp(x)), lambda t, x: t.log1p(t.exp(x)), (_A,)),
    "power": (np.power, lambda t, x, y: x**y, (_P, _A)),
    "power at 0": (np.power, lambda t, x, y: x**y, (np.zeros(3), np.array([1.0, 2.0, 3.0]))),
    "maximum with ties": (np.maximum, lambda t, x, y: t.maximum(x, y), (_TIES, _TIES[:, ::-1].copy())),
    "max with ties": (lambda x: np.max(x, axis=1), lambda t, x: t.amax(x, 1), (_TIES,)),
    "min with ties": (lambda x: np.min(x, axis=(0, 1)), lambda t, x: t.amin(x, (0, 1)), (_TIES,)),
    "abs": (np.abs, lambda t, x: t.abs(x), (np.array([-1.0, 0.0, 2.0]),)),
    "clip at its bounds": (lambda x: np.clip(x, 1, 2), lambda t, x: t.clamp(x, 1, 2), (_TIES,)),
    "mean": (lambda x: np.mean(x, axis=0), lambda t, x: t.mean(x, 0), (_A,)),
    "var": (lambda x: np.var(x, axis=1, ddof=1), lambda t, x: t.var(x, 1, correction=1), (_A,)),
    "std": (lambda x: np.std(x, axis=(0, 1)), lambda t, x: t.std(x, (0, 1), correction=0), (_A,)),
    "matmul": (np.matmul, lambda t, x, y: x @ y, (_A, _B)),
    "matmul with a vector": (np.matmul, lambda t, x, y: x @ y, (_A, _V)),
    "einsum": (_einsum("ij,jk,j->ki"), lambda t, *xs: t.einsum("ij,jk,j->ki", *xs), (_A, _B, _V)),
    "diagonal": (_einsum("ii->i"), lambda t, x: t.einsum("ii->i", x), (_A[:, :3].copy(),)),
    "repeated indices": (lambda x: x[_I] ** 3, lambda t, x: x[t.tensor(_I)] ** 3, (_A,)),
    "mask": (lambda x: x[x > 0] ** 2, lambda t, x: x[x > 0] ** 2, (_A,)),
    "where": (lambda x: np.where(x > 0, x, x * 3), lambda t, x: t.where(x > 0, x, x * 3), (_A,)),
    "linear": (F.linear, lambda t, *xs: t.nn.functional.linear(*xs), (_A, values((2, 4), seed=4), values((2,)))),
    "relu": (F.relu, lambda t, x: t.relu(x), (np.array([-1.0, 0.0, 2.0]),)),
    "cross-entropy": (
        F.binary_cross_entropy,
        lambda t, p, y: t.nn.functional.binary_cross_entropy(p, y, reduction="none"),
        (_P, _T),
    ),
    "saturated cross-entropy": (
        lambda p: F.binary_cross_entropy(p, np.array([1.0, 0.0])),
        lambda t, p: t.nn.functional.binary_cross_entropy(p, t.tensor([1.0, 0.0]).double(), reduction="none"),
        (np.array([0.0, 1.0]),),
    ),
    "cross-entropy of logits": (
        F.binary_cross_entropy_with_logits,
        lambda t, z, y: t.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none"),
        (_A * 30, _T),
    ),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_values_and_gradients_are_those_of_pytorch(torch: Any, name: str) -> None:
    ours, theirs, arrays = COMPARISONS[name]
    inputs = differentiable(arrays)
    y = ours(*inputs)
    their_inputs = [torch.tensor(a, requires_grad=True) for a in arrays]
    z = theirs(torch, *their_inputs)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-12, atol=1e-14)
    u = direction(y.numpy())
    y.backward(u)
    z.backward(torch.tensor(u))
    for x, t in zip(inputs, their_inputs):
        rtol = 1e-8 if name.startswith("saturated") else 1e-11  # PyTorch's floor of 1e-12 is rounded to float32
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=rtol, atol=1e-13)


def test_complex_gradients_are_the_conjugates_of_pytorchs(torch: Any) -> None:
    """PyTorch's gradient is ∂L/∂x + i ∂L/∂y, ours is ∂L/∂x − i ∂L/∂y."""
    (a,) = as_complex([_A])
    for ours, theirs in [
        (np.abs, torch.abs),
        (lambda z: (z * np.conj(z)).real, lambda z: (z * z.conj()).real),
        (lambda z: np.exp(z).imag, lambda z: torch.exp(z).imag),
        (lambda z: abs(np.sqrt(z) @ z.T), lambda z: abs(torch.sqrt(z) @ z.T)),
        (lambda z: np.std(z, axis=0), lambda z: torch.std(z, 0, correction=0)),
    ]:
        x = Tensor(a, requires_grad=True)
        t = torch.tensor(a, requires_grad=True)
        ours(x).sum().backward()
        theirs(t).sum().backward()
        np.testing.assert_allclose(x.grad, t.grad.numpy().conj(), rtol=1e-12)
