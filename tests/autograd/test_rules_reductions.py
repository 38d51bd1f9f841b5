"""Reductions, scans, order statistics and statistics: what the table of examples cannot say."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import NoRuleError, Tensor, check_gradients, no_grad

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def slope(function: Any, *at: Any, cotangent: Any = None) -> Any:
    """The gradients of a function, for a cotangent of ones or for the given one."""
    inputs = [Tensor(np.asarray(a, dtype=float), requires_grad=True) for a in at]
    y = function(*inputs)
    y.backward(np.ones_like(y.numpy()) if cotangent is None else np.asarray(cotangent, dtype=y.dtype))
    return inputs[0].grad if len(at) == 1 else [x.grad for x in inputs]


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


# Products and zeros


def _jacobian_of_cumprod(x: np.ndarray) -> np.ndarray:
    """∂y[k]/∂x[i], multiplied out."""
    n = len(x)
    return np.array([[np.prod(np.delete(x[: k + 1], i)) if i <= k else 0.0 for i in range(n)] for k in range(n)])


@QUICK
@given(st.lists(st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0]), min_size=1, max_size=17), st.integers(0, 99))
def test_products_of_numbers_with_zeros_are_exact(numbers: list[float], seed: int) -> None:
    x = np.array(numbers)
    g = np.random.default_rng(seed).integers(-3, 4, len(x)).astype(float)
    jacobian = _jacobian_of_cumprod(x)
    np.testing.assert_allclose(slope(np.cumprod, x, cotangent=g), g @ jacobian, rtol=1e-13, atol=1e-12)
    np.testing.assert_array_equal(slope(np.prod, x), jacobian[-1])


@pytest.mark.parametrize("zeros", [[1], [0, 2], [0, 1, 2, 3], []])
def test_the_second_derivatives_of_a_product_with_zeros(zeros: list[int]) -> None:
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[zeros] = 0
    expected = np.array([[0.0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(4)] for i in range(4)])
    t = Tensor(x, requires_grad=True)
    (g,) = (np.prod(t).gradient(t, create_graph=True),)
    hessian = [g[i].gradient(t, retain_graph=True).numpy() for i in range(4)]
    np.testing.assert_array_equal(hessian, expected)
    (g,) = (np.cumprod(t)[-1].gradient(t, create_graph=True),)
    hessian = [g[i].gradient(t, retain_graph=True).numpy() for i in range(4)]
    np.testing.assert_array_equal(hessian, expected)


@pytest.mark.parametrize("zeros", [0, 1, 2, 7])
def test_cumprod_against_pytorch(torch: Any, zeros: int) -> None:
    rng = np.random.default_rng(zeros)
    x, g = rng.normal(size=(3, 50)), rng.normal(size=(3, 50))
    for row in x:
        row[rng.choice(50, zeros, replace=False)] = 0
    theirs = torch.tensor(x, requires_grad=True)
    torch.cumprod(theirs, 1).backward(torch.tensor(g))
    ours = slope(lambda a: np.cumprod(a, axis=1), x, cotangent=g)
    np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-11, atol=1e-13)


def test_a_long_cumulative_product() -> None:
    x = 1 + np.random.default_rng(0).normal(size=100_001) / 1000
    x[99_990] = 0
    g = slope(np.cumprod, x)
    y = np.cumprod(x)
    before = (np.cumsum(y[:99_990][::-1])[::-1] / x[:99_990])[[0, 1000, 99_989]]
    np.testing.assert_allclose(g[[0, 1000, 99_989]], before, rtol=1e-10)
    np.testing.assert_allclose(g[99_990], y[99_989] * (1 + np.cumprod(x[99_991:]).sum()), rtol=1e-12)
    assert not g[99_991:].any()


# Ties, and who gets the cotangent


def test_of_equal_elements_the_one_that_argsort_picks() -> None:
    x = [3.0, 1.0, 1.0, 1.0, 2.0]
    assert slope(lambda a: np.sort(a, stable=True), x, cotangent=[1, 2, 3, 4, 5]).tolist() == [5, 1, 2, 3, 4]
    assert slope(np.median, x).sum() == 1
    assert slope(lambda a: np.quantile(a, [0.1, 0.6]), x).sum() == 2
    assert slope(np.median, [1.0, 2.0, 3.0, 4.0]).tolist() == [0, 0.5, 0.5, 0]
    assert slope(np.unique, [2.0, 1.0, 2.0, 1.0], cotangent=[5, 7]).tolist() == [7, 5, 0, 0]


def test_the_extremes_of_ptp_share() -> None:
    assert slope(np.ptp, [1.0, 3.0, 3.0, 1.0]).tolist() == [-0.5, 0.5, 0.5, -0.5]
    assert slope(np.ptp, [2.0, 2.0]).tolist() == [0, 0]


def test_initial_is_one_more_element() -> None:
    x, start = slope(lambda a, b: np.max(a, initial=b, where=a < 4), [5.0, 3.0, 1.0], 3.0)
    assert (x.tolist(), start) == ([0, 0.5, 0], 0.5)
    x, start = slope(lambda a, b: np.prod(a, initial=b), [5.0, 3.0], 2.0)
    assert (x.tolist(), start) == ([6, 10], 15)
    x, start = slope(lambda a, b: np.max(a, initial=b), [], 3.0)
    assert (x.shape, start) == ((0,), 1)


# NaNs and empty slices

NAN = np.nan
ROWS = [[1.0, NAN, 4.0, 2.0], [NAN, NAN, NAN, NAN], [3.0, 3.0, NAN, 7.0]]


@pytest.mark.parametrize(
    "function",
    [
        *(np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanmedian),
        *(lambda a, axis: np.nanquantile(a, 0.3, axis), lambda a, axis: np.nanpercentile(a, [20, 60], axis)),
        *(np.nancumsum, np.nancumprod),
        lambda a, axis: np.nanquantile(a, 0.3, axis, method="higher"),
        lambda a, axis: np.nanquantile(a, 0.3, axis, method="inverted_cdf", weights=np.ones((3, 4))),
    ],
)
def test_a_nan_that_is_left_out_has_the_gradient_0(function: Any) -> None:
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        expected = function(np.array(ROWS), axis=1)
    x = Tensor(ROWS, requires_grad=True)
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        y = function(x, axis=1)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-15)
    assert bool(theirs) is bool(ours)
    y.backward(np.ones(y.shape))
    assert not x.grad[np.isnan(ROWS)].any()
    assert np.isfinite(x.grad).all()


@pytest.mark.parametrize("function", [np.median, lambda a, axis: np.quantile(a, [0.2, 0.6], axis), np.ptp])
def test_a_nan_makes_the_rest_nan_as_in_numpy(function: Any) -> None:
    y = function(Tensor(ROWS, requires_grad=True), axis=1)
    np.testing.assert_array_equal(y.numpy(), function(np.array(ROWS), axis=1))


def test_sort_puts_nans_last() -> None:
    x = Tensor([NAN, 2.0, NAN, 1.0], requires_grad=True)
    y = np.sort(x)
    np.testing.assert_array_equal(y.numpy(), [1, 2, NAN, NAN])
    y.backward([1.0, 2.0, 0.0, 0.0])
    assert x.grad.tolist() == [0, 2, 0, 1]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: np.mean(a, axis=0, where=[[False, True]]), "Mean of empty slice"),
        (lambda a: np.var(a, axis=0, where=[[False, True]]), "Degrees of freedom"),
        (lambda a: np.nanmean(a * NAN), "Mean of empty slice"),
        (lambda a: np.nanvar(a * NAN, axis=1), "Degrees of freedom"),
        (lambda a: np.nanmax(a * NAN), "All-NaN"),
        (lambda a: np.nanmedian(a * NAN), "All-NaN"),
        (lambda a: np.cov(a[:, :1]), "Degrees of freedom"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_empty_slices_warn_as_in_numpy(function: Any, message: str) -> None:
    a = np.array([[1.0, 2.0], [4.0, 3.0]])
    with pytest.warns(RuntimeWarning, match=message):
        expected = function(a)
    with pytest.warns(RuntimeWarning, match=message):
        y = function(Tensor(a, requires_grad=True))
    np.testing.assert_array_equal(y.numpy(), expected)


def test_nothing_at_all() -> None:
    x = Tensor(np.empty(0), requires_grad=True)
    with pytest.raises(ValueError, match="zero-size"):
        np.max(x)
    with pytest.warns(RuntimeWarning), pytest.warns(RuntimeWarning, match="Mean of empty slice"):
        assert np.isnan(np.median(x).numpy())
    with pytest.raises(IndexError):
        np.quantile(x, 0.5)
    assert np.prod(x).numpy() == 1
    assert np.sort(x).shape == np.cumprod(x).shape == np.diff(x[:0]).shape == (0,)


def test_the_standard_deviation_of_a_constant_is_flat_also_with_options() -> None:
    assert slope(np.std, [2.0, 2.0, 2.0]).tolist() == [0, 0, 0]
    assert slope(lambda a: np.std(a, where=[True, True, False]), [2.0, 2.0, 5.0]).tolist() == [0, 0, 0]
    assert slope(np.nanstd, [2.0, 2.0, NAN]).tolist() == [0, 0, 0]


# Options


def test_methods_take_the_options_too() -> None:
    a = np.array([[1.0, 2.0], [4.0, 3.0]])
    x, w = Tensor(a, requires_grad=True), np.array([True, False])
    for name, how in [
        *[("sum", {"where": w, "initial": 2}), ("mean", {"where": w}), ("max", {"where": w, "initial": 0})],
        *[
            ("min", {"initial": 0, "axis": 1}),
            ("var", {"ddof": 1, "dtype": np.float32}),
            ("std", {"where": w, "axis": 1}),
        ],
        *[("sum", {"dtype": np.float32}), ("sum", {"dtype": np.complex128, "keepdims": True})],
    ]:
        expected = getattr(a, name)(**how)
        for t in (x, Tensor(a)):
            y = getattr(t, name)(**how)
            np.testing.assert_allclose(y.numpy(), expected)
            assert (y.dtype, y.shape, y.requires_grad) == (expected.dtype, expected.shape, t.requires_grad)


def test_positional_options_are_in_numpys_order() -> None:
    a = np.array([[1.0, 2.0], [4.0, 3.0]], dtype=np.float32)
    x = Tensor(a, requires_grad=True)
    assert np.sum(x, 0, np.float64).dtype == np.cumsum(x, 1, np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.prod(x, 1, None, None, True).numpy(), [[2], [12]])
    np.testing.assert_array_equal(np.std(x, 1, None, None, 1).numpy(), np.std(a, 1, None, None, 1))


def test_what_is_refused() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = np.zeros(())
    for call in (lambda: np.sum(x, out=out), lambda: x.sum(out=out), lambda: np.prod(x, None, None, out)):
        with pytest.raises(TypeError, match="out="):
            call()
    for call in (lambda: x.sum(wher=True), lambda: np.mean(x, initial=1)):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            call()
    with pytest.raises(ValueError, match="initial="):
        np.max(x, where=[True, True, False])
    with pytest.raises(ValueError, match="ddof or correction"):
        np.var(x, ddof=1, correction=1)
    with pytest.raises(ValueError, match="broadcast"):
        np.sum(x, where=np.ones(2, bool))
    with pytest.raises(TypeError, match="takes booleans"):
        np.mean(x, where=[2, 0, 1])
    with pytest.raises(NoRuleError, match="q"):
        np.quantile(x, Tensor(0.5, requires_grad=True))
    with pytest.raises(NoRuleError, match=r"np\.histogram"):
        np.histogram(x)
    with pytest.raises(NoRuleError, match="order="):
        np.sort(x, order="f")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        np.quantile(x, 1.5)
    with pytest.raises(ValueError, match="method"):
        np.quantile(x, 0.5, method="middle")
    with pytest.raises(ZeroDivisionError):
        np.average(x, weights=[1, -1, 0])
    with pytest.raises(TypeError, match="fweights"):
        np.cov(x, fweights=Tensor([1.0, 1.0, 1.0], requires_grad=True))


def test_what_is_not_tracked_is_numpys_own() -> None:
    x = Tensor([3, 1, 2])
    assert np.max(x, initial=7, where=[True, True, False]).numpy() == 7
    assert np.sum(x, dtype=np.int8).dtype == np.int8
    with no_grad():
        y = np.sort(Tensor([3.0, 1.0], requires_grad=True))
    assert (y.numpy().tolist(), y.requires_grad) == ([1, 3], False)


def test_the_input_of_a_median_is_never_overwritten() -> None:
    x = Tensor([3.0, 1.0, 2.0], requires_grad=True)
    assert np.median(x, overwrite_input=True).numpy() == np.quantile(x, 0.5, overwrite_input=True).numpy() == 2
    assert x.numpy().tolist() == [3, 1, 2]


def test_the_other_results_of_unique_are_numpys() -> None:
    a = np.array([2.0, 1.0, 2.0])
    for ours, theirs in zip(np.unique(Tensor(a, requires_grad=True), True, True, True), np.unique(a, True, True, True)):
        np.testing.assert_array_equal(ours.numpy(), theirs)
    found = np.unique_all(Tensor(a, requires_grad=True))
    assert type(found) is type(np.unique_all(a))
    assert found.values.requires_grad
    assert found.counts.numpy().tolist() == [1, 2]


def test_a_histogram_weighs_as_numpy_does() -> None:
    rng = np.random.default_rng(0)
    a, w = rng.normal(size=200).round(1), rng.normal(size=200) ** 2
    for how in ({}, {"bins": 7, "range": (-1, 1)}, {"bins": [-1, 0, 0.1, 2]}, {"density": True, "bins": 5}):
        heights, edges = np.histogram(a, weights=Tensor(w, requires_grad=True), **how)
        expected, at = np.histogram(a, weights=w, **how)
        np.testing.assert_allclose(heights.numpy(), expected, rtol=1e-13)
        np.testing.assert_array_equal(edges.numpy(), at)


# Axes and quantiles at random


@QUICK
@given(st.data())
def test_order_statistics_over_any_axes(data: Any) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    n = len(shape)
    axes: Any = data.draw(st.sets(st.integers(0, n - 1)).map(tuple) | st.none() | st.integers(-n, n - 1))
    keepdims = data.draw(st.booleans())
    q = data.draw(st.floats(0, 1) | st.lists(st.floats(0, 1), min_size=1, max_size=3))
    method = data.draw(st.sampled_from(["linear", "hazen", "lower", "nearest", "inverted_cdf", "midpoint", "weibull"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    a = rng.permutation(np.prod(shape)).reshape(shape) * 1.0
    holes = np.where(rng.random(shape) < 0.2, NAN, a)
    holes[np.isnan(holes).all(axis=axes, keepdims=True) & np.ones(shape, bool)] = 0.5
    for function, x in ((np.quantile, a), (np.nanquantile, holes)):
        y = function(Tensor(x, requires_grad=True), q, axis=axes, keepdims=keepdims, method=method)
        expected = function(x, q, axis=axes, keepdims=keepdims, method=method)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)
        g = slope(lambda t, f=function: f(t, q, axis=axes, keepdims=keepdims, method=method), x)
        np.testing.assert_allclose(g.sum(), y.size, rtol=1e-12)
        assert not g[np.isnan(x)].any()
    for function, x in ((np.median, a), (np.nanmedian, holes), (np.nanmean, holes), (np.nanvar, holes)):
        y = function(Tensor(x, requires_grad=True), axis=axes, keepdims=keepdims)
        np.testing.assert_allclose(y.numpy(), function(x, axis=axes, keepdims=keepdims), rtol=1e-12)


@pytest.mark.parametrize("q", [0.5, [0.2, 0.7], np.float64(0.3), np.array([0.1], np.float32), 1, [0, 1]])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ["quantile", "percentile", "nanquantile", "nanpercentile"])
def test_a_quantile_has_numpys_dtype(name: str, dtype: Any, q: Any) -> None:
    function, a = getattr(np, name), np.array([3.0, 1.0, 7.0, 2.0, 5.0], dtype=dtype)
    if name.startswith("nan"):
        a[2] = NAN
    for method in ("linear", "nearest", "hazen"):
        y = function(Tensor(a, requires_grad=True), q, method=method)
        expected = function(a, q, method=method)
        assert y.dtype == expected.dtype
        np.testing.assert_allclose(y.numpy(), expected, rtol=4 * np.finfo(dtype).eps)


def test_quantiles_against_pytorch(torch: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 7))
    for ours, theirs in [("linear", "linear"), ("lower", "lower"), ("higher", "higher"), ("midpoint", "midpoint")]:
        t = torch.tensor(x, requires_grad=True)
        torch.quantile(t, torch.tensor([0.3, 0.8], dtype=torch.float64), 1, interpolation=theirs).sum().backward()
        g = slope(lambda a, m=ours: np.quantile(a, [0.3, 0.8], axis=1, method=m), x)
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_statistics_against_pytorch(torch: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 8))
    w = np.random.default_rng(1).uniform(0.5, 2, size=8)
    u = np.random.default_rng(2).normal(size=(3, 3))
    t, v = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    (torch.cov(t, aweights=v) * torch.tensor(u)).sum().backward()
    gx, gw = slope(lambda a, b: np.cov(a, aweights=b), x, w, cotangent=u)
    np.testing.assert_allclose(gx, t.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(gw, v.grad.numpy(), rtol=1e-11)
    t = torch.tensor(x, requires_grad=True)
    (torch.corrcoef(t) * torch.tensor(u)).sum().backward()
    np.testing.assert_allclose(slope(np.corrcoef, x, cotangent=u), t.grad.numpy(), rtol=1e-11, atol=1e-15)


@QUICK
@given(st.data())
def test_differences_of_any_order_along_any_axis(data: Any) -> None:
    shape = tuple(data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)))
    axis, n = data.draw(st.integers(-len(shape), len(shape) - 1)), data.draw(st.integers(0, 4))
    a = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(np.diff(Tensor(a, requires_grad=True), n, axis).numpy(), np.diff(a, n, axis))
    edge = data.draw(st.integers(1, 2)) if a.shape[axis] > 2 else 1
    points = np.cumsum(np.random.default_rng(1).uniform(0.5, 1, a.shape[axis]))
    for spacing in ((), (0.3,), (points,)):
        ours = np.gradient(Tensor(a, requires_grad=True), *spacing, axis=axis, edge_order=edge)
        np.testing.assert_allclose(
            ours.numpy(), np.gradient(a, *spacing, axis=axis, edge_order=edge), rtol=1e-11, atol=1e-12
        )
    check_gradients(lambda f: np.gradient(f, points, axis=axis, edge_order=edge), a)


def test_a_constant_function_with_a_tracked_spacing() -> None:
    g = slope(lambda h: np.gradient(np.array([1, 2, 4]), h), 2.0)
    np.testing.assert_allclose(g, -(1 + 1.5 + 2) / 4)
