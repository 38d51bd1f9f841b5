"""Tensors and values in the arguments that are seldom given: no gradient is lost in silence, and values are NumPy's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from autograd import NoRuleError, Tensor, check_gradients, no_grad

NAN, INF = np.nan, np.inf


def tracked(*values: float) -> Tensor:
    return Tensor(list(values) if len(values) > 1 else values[0], requires_grad=True)


X = Tensor([1.0, 2.0, 4.0])

REFUSED = {
    "q in a list": lambda t: np.quantile(X, [t, 0.2]),
    "ddof": lambda t: np.var(X * t, ddof=t),
    "ddof of std": lambda t: (X * t).std(ddof=t),
    "correction": lambda t: np.nanvar(X * t, correction=t),
    "mean in a list": lambda t: np.var(X, mean=[t]),
    "what fills, in a list": lambda t: np.full_like(X, [t, t, t]),
    "bins": lambda t: np.histogram(X, bins=t * np.arange(4.0), weights=X * t, density=True),
    "range": lambda t: np.histogram(X, bins=3, range=(t, 4.0), weights=X * t, density=True),
    "weights in a list": lambda t: np.histogram(X, bins=3, weights=[t, t, t]),
    "edges of bins": lambda t: np.histogram_bin_edges(X * t),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED)
def test_a_gradient_is_not_lost_in_an_argument(call: Any) -> None:
    with pytest.raises((NoRuleError, TypeError), match=r"detach|lose its history"):
        call(tracked(0.5))
    with no_grad():
        call(tracked(0.5))


def test_a_mesh_of_numbers_keeps_its_gradient() -> None:
    check_gradients(lambda x, y: np.multiply(*np.ix_(x, y)), [1.0, 2.0], [3.0, 4.0, 5.0])
    rows, columns = np.ix_([0, 2], tracked(1.0, 2.0))
    assert rows.tolist() == [[0], [2]]
    assert columns.shape == (1, 2)
    with pytest.raises(ValueError, match="dimension"):
        np.ix_(tracked(1.0))


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", [(), (0.5,), (np.arange(5.0),)])
def test_a_slope_between_even_points_does_not_look_at_the_one_in_the_middle(spacing: Any, edge_order: int) -> None:
    f = np.array([1.0, 2.0, NAN, 3.0, INF])
    y = np.gradient(Tensor(f, requires_grad=True), *spacing, edge_order=edge_order)
    np.testing.assert_array_equal(y.numpy(), np.gradient(f, *spacing, edge_order=edge_order))
    y[2].backward()


def test_even_points_have_gradients_too() -> None:
    check_gradients(lambda f, x: np.gradient(f, x, edge_order=2), [1.0, 3.0, 2.0, 5.0], [0.0, 1.0, 2.0, 3.0], order=2)
    check_gradients(lambda f, h: np.gradient(f, h, edge_order=2), [1.0, 3.0, 2.0, 5.0], 0.5, order=2)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.linspace(t, 2, 4, dtype=int),  # rounded down, not to 0
        lambda t: np.linspace(t, [1, 2, 3], 3),
        lambda t: np.linspace(t, 2, 1, retstep=True)[1],
        lambda t: np.logspace(t, [1, 2, 3], 3),
        lambda t: np.logspace(0.0, t, 3, base=[2.0, 3.0]),
        lambda t: np.geomspace(-t, [1, 2, 3], 3),
        lambda t: np.geomspace(-t.astype(np.float16), 1e6, 3),  # computed in double precision
        lambda t: np.geomspace(-t.astype(np.float16), 3, 3, dtype=np.float32),
        lambda t: np.average(np.array([1, 2], np.int8), weights=np.astype(t, np.float32) * [-1, -3]),
        lambda t: np.average([True, False], weights=np.stack([t, t * 2]).astype(np.float16), returned=True)[1],
        lambda t: np.nansum(np.stack([t, t]), 0, None, None, True),
        lambda t: np.nanprod(np.stack([t, t]), 0, np.float32, None, True, 2.0),
        lambda t: np.var(np.stack([t, t + 1]), ddof=3),
    ],
)
def test_values_are_numpys(call: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, expected = call(tracked(-1.5)), call(np.array(-1.5))
    y = y.numpy() if isinstance(y, Tensor) else y
    assert np.asarray(y).dtype == expected.dtype if hasattr(expected, "dtype") else np.isnan(y)
    assert np.shape(y) == np.shape(expected)
    np.testing.assert_allclose(y, expected, rtol=1e-3 if np.asarray(y).dtype == np.float16 else 1e-6)


def test_the_parts_of_whole_numbers_have_numpys_dtype() -> None:
    for ours, numpys in zip(np.modf(Tensor([1, 2])), np.modf([1, 2]), strict=True):
        assert ours.dtype == numpys.dtype


def test_no_degrees_of_freedom_leave_no_finite_slope() -> None:
    x = tracked(1.0, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.var(x, ddof=5).backward()
    assert not np.isfinite(x.grad).any()


@pytest.mark.parametrize("function", [np.log2, np.log10])
def test_the_slope_of_a_logarithm_of_a_great_number(function: Any) -> None:
    x = Tensor(np.array(60000, np.float16), requires_grad=True)
    function(x).backward()
    np.testing.assert_allclose(x.grad, 1 / np.log(2 if function is np.log2 else 10) / 60000, rtol=0.02)


def test_absolute_keeps_one_array() -> None:
    x = Tensor([1.0, -2.0], requires_grad=True)
    assert len(np.absolute(x)._node.saved) == 1
    check_gradients(np.absolute, np.array([1 + 2j, -0.5j]), order=3)


@pytest.mark.parametrize("indices", [[0, 3, 7], [5, 0, 0, 3], [9], [9, 2], range(10), [0] * 4])
def test_reduceat_spreads_over_its_segments(indices: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 10))
    for ufunc in (np.add, np.logaddexp):
        check_gradients(lambda a, f=ufunc: f.reduceat(a, list(indices), -1), x)
        np.testing.assert_allclose(ufunc.reduceat(tracked(*x[0]), indices).numpy(), ufunc.reduceat(x[0], indices))


def test_many_turns_at_one_position() -> None:
    v = np.random.default_rng(0).uniform(0.9, 1.1, 12)

    def product(a: Any, v: Any) -> Any:
        a = a * 1.0 if isinstance(a, Tensor) else Tensor(a)
        np.multiply.at(a, ([0, 1] * 6, [1, 0] * 6), v)
        return a

    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = a * [[1, v[::2].prod()], [v[1::2].prod(), 1]]
    np.testing.assert_allclose(product(tracked(0.0) + a, v).numpy(), expected)
    check_gradients(product, a, v, order=2)


def test_conjugate_is_a_method_by_both_of_its_names() -> None:
    z = Tensor([1 + 2j], requires_grad=True)
    assert z.conjugate().tolist() == z.conj().tolist() == [1 - 2j]
