"""Elementwise functions and the methods of ufuncs: edge points, accuracy, branches, and each method of each ufunc."""

from __future__ import annotations

import functools
import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import NoRuleError, Tensor, check_gradients, no_grad
from autograd.primitive import REGISTRY
from autograd.rules import complete, ufunc_methods
from autograd.rules.constant import CONSTANT

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
INF, NAN = np.inf, np.nan

complete()


def slopes(function: Any, *at: Any, cotangent: Any = 1.0) -> list[Any]:
    """The gradients of an elementwise function at a point."""
    inputs = [Tensor(np.asarray(x, dtype=complex if isinstance(x, complex) else float), requires_grad=True) for x in at]
    y = function(*inputs)
    y.backward(np.asarray(cotangent, dtype=y.dtype))
    return [x.grad.item() if x.grad is not None else None for x in inputs]


# Where a derivative does not exist, or its formula is 0 / 0


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (np.arctan2, (0, 0), [0, 0]),
        (np.arctan2, (1e300, 1e300), [0.5e-300, -0.5e-300]),
        (np.arctan2, (1e-200, 1e-200), [0.5e200, -0.5e200]),
        (np.hypot, (0, 0), [0, 0]),
        (np.hypot, (3e200, 4e200), [0.6, 0.8]),
        (np.fabs, (0,), [0]),
        (np.copysign, (0, 1), [0, None]),
        (np.copysign, (-2, 1), [-1, None]),
        (np.copysign, (INF, -1), [-1, None]),
        (np.heaviside, (0, 0.5), [None, 1]),
        (np.heaviside, (2, 0.5), [None, 0]),
        (np.nextafter, (1, 2), [1, None]),
        (np.fmax, (1, 1), [0.5, 0.5]),
        (np.fmax, (NAN, 1), [0, 1]),
        (np.fmax, (1, NAN), [1, 0]),
        (np.fmax, (NAN, NAN), [0, 0]),
        (np.fmin, (1, 1), [0.5, 0.5]),
        (np.fmin, (NAN, 1), [0, 1]),
        (np.fmin, (INF, -INF), [0, 1]),
        (np.fmin, (NAN, NAN), [0, 0]),
        (np.logaddexp, (-INF, -INF), [0.5, 0.5]),
        (np.logaddexp, (INF, INF), [0.5, 0.5]),
        (np.logaddexp, (INF, 1), [1, 0]),
        (np.logaddexp, (-INF, 1), [0, 1]),
        (np.logaddexp2, (-INF, -INF), [0.5, 0.5]),
        (np.logaddexp2, (1e9, 1e9), [0.5, 0.5]),
        (np.mod, (6, 3), [1, -2]),
        (np.mod, (-7, 3), [1, 3]),
        (np.fmod, (6, 3), [1, -2]),
        (np.fmod, (-7, 3), [1, 2]),
        (np.fmod, (7, -3), [1, 2]),
        (lambda x: np.modf(x)[0], (2,), [1]),
        (lambda x: np.modf(x)[0], (-INF,), [1]),
        (lambda x: np.frexp(x)[0], (0,), [1]),
        (lambda x: np.frexp(x)[0], (8,), [1 / 16]),
        (np.sinc, (0,), [0]),
        (np.i0, (0,), [0]),
        (np.angle, (0j,), [0]),
        (np.angle, (-2.0,), [0]),
        (np.angle, (2j,), [-0.5]),
        (np.nan_to_num, (NAN,), [0]),
        (np.nan_to_num, (-INF,), [0]),
        (np.nan_to_num, (complex(1, INF),), [1]),
        (np.nan_to_num, (complex(NAN, 1),), [0]),
        (np.arcsin, (1,), [INF]),
        (np.arccos, (-1,), [-INF]),
        (np.arctanh, (1,), [INF]),
        (np.arccosh, (1,), [INF]),
        (np.cbrt, (0,), [INF]),
    ],
)
def test_edge_points(function: Any, at: Any, expected: list[Any]) -> None:
    with warnings.catch_warnings():
        if INF in expected or -INF in expected or function in (np.arctanh,):
            warnings.simplefilter("ignore")
        found = slopes(function, *at)
    for got, wanted in zip(found, expected, strict=True):
        assert got == wanted if wanted is None else got == pytest.approx(wanted, rel=1e-14)


def test_fmod_takes_the_quotient_that_its_value_has() -> None:
    x, y = 1.0, 0.1
    assert x / y == 10.0  # rounded up: the remainder shows that it is 9 and something
    assert np.fmod(x, y) > 0.09
    assert slopes(np.fmod, x, y) == [1, -9]
    assert slopes(np.mod, x, y) == [1, -9]


@pytest.mark.parametrize("function", [np.arcsin, np.arccos, np.arctanh, np.arccosh, np.cbrt])
def test_an_infinite_derivative_times_zero_is_zero(function: Any) -> None:
    with np.errstate(divide="ignore"):
        assert slopes(function, 0.0 if function is np.cbrt else 1.0, cotangent=0.0) == [0]


def test_what_is_constant_piece_by_piece_gets_no_gradient() -> None:
    x = Tensor([2.5, -1.5], requires_grad=True)
    for y in (np.modf(x)[1], np.divmod(x, 2)[0], np.frexp(x)[1], np.heaviside(x, 0.5), np.copysign(1.0, x)):
        assert isinstance(y, Tensor)
        assert not y.requires_grad


@pytest.mark.parametrize("function", [np.modf, np.frexp, lambda x: np.divmod(x, 0.7)])
def test_functions_with_two_results_return_numpys(function: Any) -> None:
    data = np.array([2.5, -1.3, 0.0, -7.75, 1e-310])
    for y, wanted in zip(function(Tensor(data, requires_grad=True)), function(data), strict=True):
        np.testing.assert_array_equal(y.numpy(), wanted)
        assert y.dtype == wanted.dtype


def test_nan_to_num_does_not_write_into_a_tensor() -> None:
    x = Tensor([np.nan, 1.0], requires_grad=True)
    with pytest.raises(TypeError, match="copy=False"):
        np.nan_to_num(x, copy=False)
    assert np.isnan(x.numpy()[0])
    with pytest.raises(TypeError, match=r"np\.where\(np\.isnan"):
        np.nan_to_num(x, nan=x[1])


# Accuracy


def test_sinc_is_smooth_at_zero() -> None:
    """Its derivatives are −π²x/3 and −π²/3 near 0, where their formulas lose all digits."""
    for x in (1e-3, 1e-6, 1e-9, 1e-300):
        (slope,) = slopes(np.sinc, x)
        assert slope == pytest.approx(-(np.pi**2) * x / 3 + np.pi**4 * x**3 / 30, rel=1e-11)
    x = Tensor(0.0, requires_grad=True)
    (first,) = (np.sinc(x).gradient(x, create_graph=True),)
    second = first.gradient(x, create_graph=True)
    fourth = second.gradient(x, create_graph=True).gradient(x)
    assert float(second) == pytest.approx(-(np.pi**2) / 3, rel=1e-15)
    assert float(fourth) == pytest.approx(np.pi**4 / 5, rel=1e-15)


def test_i0_has_the_bessel_function_i1_for_a_derivative() -> None:
    special = pytest.importorskip("scipy.special")
    data = np.array([-700.0, -30.0, -8.0, -1e-9, 1e-300, 1e-5, 0.3, 3.7, 7.9, 8.1, 20.0, 100.0, 709.0])
    x = Tensor(data, requires_grad=True)
    slope = np.i0(x).sum().gradient(x, create_graph=True)
    np.testing.assert_allclose(slope.numpy(), special.i1(data), rtol=4e-15)
    curvature = slope.sum().gradient(x)
    np.testing.assert_allclose(curvature, (special.i0(data) + special.iv(2, data)) / 2, rtol=4e-15)


def test_small_probabilities_of_logaddexp_keep_their_digits() -> None:
    assert slopes(np.logaddexp, 1000.0, 1030.5)[0] == pytest.approx(np.exp(-30.5), rel=1e-13)
    assert slopes(np.logaddexp2, 1000.0, 1030.5)[0] == pytest.approx(2**-30.5, rel=1e-13)


def test_logaddexp_of_equal_numbers_has_a_second_derivative() -> None:
    check_gradients(np.logaddexp, 0.7, 0.7, order=3)


@pytest.mark.parametrize(
    ("function", "points"),
    [
        (np.arcsin, [2 + 0j, 2 - 0j, -2 + 0j, -2 - 0j]),
        (np.arccos, [2 + 0j, 2 - 0j, -2 + 0j, -2 - 0j]),
        (np.arctanh, [2 + 0j, 2 - 0j, -2 + 0j, -2 - 0j]),
        (np.arccosh, [-2 + 0j, -2 - 0j, 0.5 + 0j, 0.5 - 0j]),
        (np.arcsinh, [0 + 2j, -0.0 + 2j, 0 - 2j, -0.0 - 2j]),
        (np.arctan, [0 + 2j, -0.0 + 2j, 0 - 2j, -0.0 - 2j]),
    ],
)
def test_on_a_branch_cut_the_derivative_is_that_of_the_values_branch(function: Any, points: list[complex]) -> None:
    for point in points:
        for z in (point, complex(point.real, -0.0) if not point.imag else complex(-0.0, point.imag)):
            along = 1e-6 if z.imag == 0 else 1e-6j  # along the cut, on the side that the zero's sign says

            def moved(step: complex, z: complex = z) -> complex:
                return complex(z.real + step.real, z.imag) if z.imag == 0 else complex(z.real, z.imag + step.imag)

            wanted = (function(moved(along)) - function(moved(-along))) / (2 * along)
            (got,) = slopes(lambda x: function(x).real, z)
            assert got == pytest.approx(complex(wanted), rel=1e-8)


# dtype=


def test_dtype_converts_the_inputs_first() -> None:
    x = Tensor(np.array([1.1, 2.2], np.float32), requires_grad=True)
    y = Tensor(np.array([0.3, 0.7], np.float32), requires_grad=True)
    z = np.multiply(x, y, dtype=np.float64)
    assert z.dtype == np.float64
    np.testing.assert_array_equal(z.numpy(), np.multiply(x.numpy(), y.numpy(), dtype=np.float64))
    z.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float32)
    np.testing.assert_array_equal(x.grad, y.numpy())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, 1, dtype=np.float64),
        lambda x: np.add(0.1, x, dtype=np.float32, casting="same_kind"),
        lambda x: np.exp(x, dtype=np.float32),
        lambda x: np.ldexp(x, 3, dtype=np.float64),
        lambda x: np.power(x, np.array([1, 2]), dtype=np.float64),
        lambda x: np.add(x, [True, False], dtype="g"),
        lambda x: np.absolute(x + 2j, dtype=np.float64),
        lambda x: np.float_power(x, 2, dtype=np.float64),
        lambda x: np.maximum(x, 0.7, casting="no"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_gives_numpys_values(call: Any, dtype: Any) -> None:
    data = np.array([0.3, 1.7], dtype)
    x = Tensor(data, requires_grad=True)
    y = call(x)
    assert y.dtype == call(data).dtype
    np.testing.assert_array_equal(y.numpy(), call(data))
    y.sum().backward()
    assert x.grad.dtype == dtype


def test_a_conversion_that_numpy_refuses_is_refused() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match="Cannot cast"):
        np.add(x, 1.0, dtype=int)


def test_where_without_out_would_leave_elements_undefined() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(NoRuleError, match=r"np\.add with where="):
        np.add(x, 1.0, where=[True, False])


# Methods

BINARY = sorted(
    {
        f
        for f in (getattr(np, name) for name in dir(np))
        if isinstance(f, np.ufunc) and f in REGISTRY and (f.nin, f.nout) == (2, 1) and f.signature is None
    }
    - {np.ldexp},
    key=lambda f: f.__name__,
)
_A = np.random.default_rng(0).uniform(0.2, 0.8, (3, 4))
_B = np.random.default_rng(1).uniform(0.2, 0.8, (2, 3))
every_ufunc = pytest.mark.parametrize("ufunc", BINARY, ids=lambda f: f.__name__)


def _same(y: Any, wanted: Any) -> None:
    assert isinstance(y, Tensor)
    assert y.dtype == wanted.dtype
    np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-13, strict=True)


def _folded(ufunc: Any, values: Any, initial: Any = None) -> Any:
    """`ufunc.reduce` along the first axis. NumPy's own is wrong for two functions on processors with AVX-512."""
    return functools.reduce(ufunc, values if initial is None else [initial, *values])


def _check(ufunc: Any, call: Any, fold: Any) -> None:
    """The gradients of a method are those of the fold that it stands for; and right, if NumPy's own values are."""
    found = []
    for function in (call, fold):
        x = Tensor(_A, requires_grad=True)
        y = function(x)
        found.append(y.gradient(x, cotangent=np.cos(np.arange(y.size)).reshape(y.shape)).numpy())
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-14)
    if ufunc not in (np.power, np.arctan2):
        check_gradients(call, _A, order=2)


def test_there_are_enough_of_them() -> None:
    assert len(BINARY) >= 18
    assert {np.add, np.arctan2, np.float_power, np.fmod, np.logaddexp2} <= set(BINARY)


@every_ufunc
def test_outer(ufunc: Any) -> None:
    _same(ufunc.outer(Tensor(_A, requires_grad=True), _B), ufunc.outer(_A, _B))
    _same(ufunc.outer(_A[0], Tensor(_B, requires_grad=True)), ufunc.outer(_A[0], _B))
    _same(ufunc.outer([0.5, 0.25], Tensor(0.3, requires_grad=True)), ufunc.outer([0.5, 0.25], 0.3))
    check_gradients(ufunc.outer, _A[:2], _B[0], order=2)


@every_ufunc
def test_reduce(ufunc: Any) -> None:
    a = Tensor(_A, requires_grad=True)
    start = ufunc.identity
    _same(ufunc.reduce(a), _folded(ufunc, _A, start))
    _same(ufunc.reduce(a, -1, keepdims=True), _folded(ufunc, _A.T, start)[:, None])
    _same(ufunc.reduce(a, axis=1, initial=0.6), _folded(ufunc, _A.T, 0.6))
    _same(ufunc.reduce(a, dtype=np.longdouble), _folded(ufunc, _A.astype(np.longdouble), start))
    _same(ufunc.reduce(a[0, 0]), ufunc.reduce(_A[0, 0]))
    _same(ufunc.reduce(a[:1]), ufunc.reduce(_A[:1]))
    _same(ufunc.reduce(a[:, :0]), ufunc.reduce(_A[:, :0]))
    _check(ufunc, lambda a: ufunc.reduce(a, axis=1), lambda a: _folded(ufunc, list(a.T), start))
    _check(
        ufunc,
        lambda a: ufunc.reduce(a, keepdims=True, initial=0.45),
        lambda a: _folded(ufunc, list(a), 0.45).reshape(1, 4),
    )


@every_ufunc
def test_reduce_where(ufunc: Any) -> None:
    mask = np.array([[True, False, True, True], [False, False, False, False], [True, True, False, True]])
    wanted = np.stack([_folded(ufunc, row[m], 0.65) for row, m in zip(_A, mask)])
    _same(ufunc.reduce(Tensor(_A, requires_grad=True), axis=1, initial=0.65, where=mask), wanted)
    _check(
        ufunc,
        lambda a: ufunc.reduce(a, axis=1, initial=0.65, where=mask),
        lambda a: np.stack([_folded(ufunc, list(row[m]), 0.65 + 0 * row[0]) for row, m in zip(a, mask)]),
    )
    left_out = Tensor(np.where(mask, _A, np.nan), requires_grad=True)
    slope = ufunc.reduce(left_out, axis=1, initial=0.65, where=mask).sum().gradient(left_out).numpy()
    assert (slope[~mask] == 0).all()
    assert np.isfinite(slope).all()


@every_ufunc
def test_accumulate(ufunc: Any) -> None:
    a = Tensor(_A, requires_grad=True)
    _same(ufunc.accumulate(a), np.stack(list(itertools.accumulate(_A, ufunc))))
    _same(ufunc.accumulate(a, 1), np.stack(list(itertools.accumulate(_A.T, ufunc)), axis=1))
    _same(ufunc.accumulate(a[:0]), ufunc.accumulate(_A[:0]))
    _check(
        ufunc,
        lambda a: ufunc.accumulate(a, axis=-1),
        lambda a: np.stack(list(itertools.accumulate(list(a.T), ufunc)), axis=1),
    )


@every_ufunc
def test_reduceat(ufunc: Any) -> None:
    a = Tensor(_A, requires_grad=True)
    wanted = np.stack([_folded(ufunc, _A[:2]), _A[2], _folded(ufunc, _A[1:])])
    _same(ufunc.reduceat(a, [0, 2, 1]), wanted)
    _same(ufunc.reduceat(a.T, np.array([0, 2, 1]), axis=-1), wanted.T)
    _same(ufunc.reduceat(a, np.array([], int)), ufunc.reduceat(_A, np.array([], int)))
    _check(
        ufunc,
        lambda a: ufunc.reduceat(a, [0, 2, 1]),
        lambda a: np.stack([_folded(ufunc, list(a[:2])), a[2], _folded(ufunc, list(a[1:]))]),
    )
    with pytest.raises(IndexError):
        ufunc.reduceat(a, [0, 3])


@every_ufunc
def test_at(ufunc: Any) -> None:
    """Repeated positions count each time."""
    key, v = ([0, 0, 2, 0], [1, 1, 2, 1]), np.array([0.3, 0.5, 0.7, 0.45])

    def at(x: Any, v: Any) -> Any:
        y = x * 1.0
        assert ufunc.at(y, key, v) is None
        return y

    _same(at(Tensor(_A, requires_grad=True), v), at(_A, v))
    _same(at(Tensor(_A), Tensor(v, requires_grad=True)), at(_A, v))
    _same(at(Tensor(_A), v), at(_A, v))
    check_gradients(at, _A, v, order=2)
    check_gradients(at, _A, 0.35, order=2)


@QUICK
@given(st.data())
def test_at_with_any_index(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=4))
    key = data.draw(
        st.one_of(
            hnp.basic_indices(shape),
            hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=5)),
            hnp.arrays(bool, shape),
        )
    )
    ufunc = data.draw(st.sampled_from([np.add, np.subtract, np.multiply, np.maximum, np.hypot]))
    x = np.random.default_rng(0).uniform(0.5, 1.5, shape)
    v = np.random.default_rng(1).uniform(0.5, 1.5, x[key].shape)
    wanted = x.copy()
    ufunc.at(wanted, key, v)
    t, u = Tensor(x, requires_grad=True) * 1.0, Tensor(v, requires_grad=True)
    ufunc.at(t, key, u)
    np.testing.assert_allclose(t.numpy(), wanted, rtol=1e-13)

    def at(x: Any, v: Any) -> Any:
        y = x * 1.0
        ufunc.at(y, key, v)
        return y

    check_gradients(at, x, v)


@pytest.mark.parametrize("ufunc", [np.negative, np.exp, np.sin, np.square])
def test_at_of_a_function_of_one_number(ufunc: Any) -> None:
    def at(x: Any) -> Any:
        y = x * 1.0
        ufunc.at(y, [0, 2, 2])
        return y

    _same(at(Tensor(_B, requires_grad=True).T), at(_B.T))
    check_gradients(lambda x: at(x.T), _B, order=2)


def test_at_on_tensors_without_a_gradient() -> None:
    x = Tensor([1, 2, 3])
    np.add.at(x, [0, 0], 5)
    np.bitwise_or.at(x, [1], 4)
    assert x.tolist() == [11, 6, 3]
    array = np.zeros(3)
    np.add.at(array, Tensor([0, 0]), 1.5)
    assert array.tolist() == [3, 0, 0]


def test_at_refuses_what_item_assignment_refuses() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    for ufunc, v in ((np.add, [1.0]), (np.multiply, [2.0, 3.0]), (np.exp, [])):
        with pytest.raises(RuntimeError, match="leaf that requires a gradient") as caught:
            ufunc.at(x, [0] * max(1, len(v)), *([v] if v else []))
        assert f"np.{ufunc.__name__}.at" in caught.value.__notes__[0]
    with no_grad():
        np.add.at(x, [0, 0], 1.0)  # an update by hand, in place
    assert x.tolist() == [3, 2]
    assert x.is_leaf
    with pytest.raises(TypeError, match=r"np\.add\.at cannot write a Tensor's value into an existing array"):
        np.add.at(np.zeros(2), [0], x)
    with pytest.raises(TypeError, match="int64"):
        np.add.at(Tensor([1, 2]), [0], x[0])
    with pytest.raises(IndexError):
        np.add.at(x * 1.0, [5], 1.0)


def test_a_constant_at_some_positions_has_no_gradient() -> None:
    x = Tensor([1.5, 2.5, 3.5], requires_grad=True)
    y = x * 2
    np.floor_divide.at(y, [1], 2.0)
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 2]


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_a_running_extreme_is_the_first_of_equal_ones(ufunc: Any) -> None:
    x = Tensor([2.0, 2.0, 2.0], requires_grad=True)
    ufunc.accumulate(x).backward(np.array([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [111, 0, 0]


def test_a_running_extreme_with_nan() -> None:
    data = np.array([NAN, 1.0, NAN, 3.0, 2.0, NAN])
    weights = 10.0 ** np.arange(6)
    for ufunc, expected in ((np.fmax, [1, 110, 0, 111000, 0, 0]), (np.maximum, [111111, 0, 0, 0, 0, 0])):
        x = Tensor(data, requires_grad=True)
        y = ufunc.accumulate(x)
        np.testing.assert_array_equal(y.numpy(), ufunc.accumulate(data))
        y.backward(weights)
        assert x.grad.tolist() == expected


def test_logaddexp_reduce_is_stable() -> None:
    x = Tensor([1000.0, 1000.0, -INF], requires_grad=True)
    y = np.logaddexp.reduce(x)
    assert float(y) == 1000 + np.log(2)
    y.backward()
    assert x.grad.tolist() == pytest.approx([0.5, 0.5, 0], rel=1e-13)
    empty = np.logaddexp.reduce(Tensor(np.zeros((0, 2)), requires_grad=True))
    assert empty.tolist() == [-INF, -INF]
    assert empty.requires_grad


def test_reductions_over_several_axes() -> None:
    a = np.random.default_rng(2).uniform(0.5, 2, (2, 3, 2))
    for ufunc in (np.hypot, np.logaddexp2, np.fmax, np.fmin, np.logaddexp):
        for axis in (None, (0, 2), (2, 1), ()):
            y = ufunc.reduce(Tensor(a, requires_grad=True), axis=axis, keepdims=True)
            _same(y, ufunc.reduce(a, axis=axis, keepdims=True))
            check_gradients(lambda a, f=ufunc, axis=axis: f.reduce(a, axis=axis), a)
    with pytest.raises(ValueError, match="not reorderable"):
        np.subtract.reduce(Tensor(a, requires_grad=True), axis=(0, 1))


def test_the_initial_value_can_have_a_gradient() -> None:
    check_gradients(lambda a, start: np.hypot.reduce(a, initial=start), _A[0], 0.7, order=2)
    start = Tensor(2.0, requires_grad=True)
    np.hypot.reduce(Tensor(np.zeros((0, 3)), requires_grad=True), initial=start).sum().backward()
    assert start.grad == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.logical_and.reduce(x),
        lambda x: np.equal.outer(x, x),
        lambda x: np.greater.outer(x, 1.0),
        lambda x: np.logical_or.accumulate(x),
        lambda x: np.floor_divide.outer(x, x),
        lambda x: np.logical_xor.reduceat(x, [0, 1]),
        lambda x: np.floor_divide.reduce(x),
    ],
)
def test_methods_of_constant_functions_are_constant(call: Any) -> None:
    data = np.array([1.0, 2.0, 0.5])
    y = call(Tensor(data, requires_grad=True))
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy() if isinstance(y, Tensor) else y, call(data))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: np.sin.reduce(x), "binary"),
        (lambda x: np.divmod.reduce(x), "single value"),
        (lambda x: np.matmul.reduce(x), "signature"),
        (lambda x: np.hypot.accumulate(x[0]), "scalar"),
        (lambda x: np.arctan2.reduce(x[:0]), "zero-size"),
        (lambda x: np.fmax.reduce(x, where=[True, False]), "identity"),
    ],
)
def test_numpys_errors_are_numpys(call: Any, error: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError), match=error):
        call(Tensor([1.0, 2.0], requires_grad=True))


def test_methods_of_a_ufunc_without_a_rule_are_refused_by_name() -> None:
    own = np.frompyfunc(lambda x, y: x + y, 2, 1)
    for call in (own.reduce, own.accumulate, lambda x: own.outer(x, x), lambda x: own.reduceat(x, [0])):
        with pytest.raises(NoRuleError, match="no differentiation rule"):
            call(Tensor([1.0, 2.0], requires_grad=True))


def test_methods_do_not_write_into_out() -> None:
    with pytest.raises(TypeError, match=r"np\.add\.accumulate cannot write"):
        np.add.accumulate(Tensor([1.0, 2.0]), out=np.zeros(2))


def test_every_ufunc_is_in_one_of_the_tables() -> None:
    ufuncs = {f for f in (getattr(np, name) for name in dir(np)) if isinstance(f, np.ufunc)}
    assert not {f for f in ufuncs if f in REGISTRY and f in CONSTANT}
    assert not {f for f in ufuncs if f not in REGISTRY and f not in CONSTANT} - {np.isnat}


# PyTorch

_X = np.array([0.3, -0.7, 1.9, -2.2])
_Y = np.array([0.9, 1.3, -0.4, -0.8])
_U = np.array([0.3, -0.7, 0.9, -0.2])
COMPARISONS: list[tuple[Any, str, tuple[Any, ...]]] = [
    *[(getattr(np, n), n, (_X,)) for n in ("tan", "arctan", "sinh", "cosh", "arcsinh", "exp2", "reciprocal", "sinc")],
    *[(getattr(np, n), n, (_U,)) for n in ("arcsin", "arccos", "arctanh", "deg2rad", "rad2deg", "i0")],
    *[(getattr(np, n), n, (np.abs(_X) + 1,)) for n in ("arccosh", "log2", "log10")],
    *[(getattr(np, n), n, (_X, _Y)) for n in ("arctan2", "hypot", "logaddexp", "logaddexp2", "fmax", "fmin", "fmod")],
    (np.remainder, "remainder", (_X, _Y)),
    (lambda x: np.float_power(x, 2.5), "float_power", (np.abs(_X),)),
    (lambda x: np.nan_to_num(x, nan=1.0), "nan_to_num", (np.array([1.0, NAN, INF, -2.0]),)),
    (np.maximum.accumulate, "cummax", (_X,)),
    (np.minimum.accumulate, "cummin", (_X,)),
]


@pytest.mark.parametrize(("ours", "theirs", "arrays"), COMPARISONS, ids=[c[1] for c in COMPARISONS])
def test_values_and_gradients_are_those_of_pytorch(ours: Any, theirs: str, arrays: Any) -> None:
    torch = pytest.importorskip("torch")
    calls = {
        "float_power": lambda x: torch.float_power(x, 2.5),
        "nan_to_num": lambda x: torch.nan_to_num(x, nan=1.0),
        "cummax": lambda x: torch.cummax(x, 0).values,
        "cummin": lambda x: torch.cummin(x, 0).values,
    }
    inputs = [Tensor(a, requires_grad=True) for a in arrays]
    their_inputs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y = ours(*inputs)
    z = calls.get(theirs, getattr(torch, theirs, None))(*their_inputs)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-12)
    weights = np.arange(1.0, 1 + y.size)
    y.backward(weights)
    z.backward(torch.tensor(weights))
    for x, t in zip(inputs, their_inputs, strict=True):
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-11)


def test_a_method_is_made_once_and_not_for_each_call() -> None:
    assert ufunc_methods.generic(np.hypot.outer) is ufunc_methods.generic(np.hypot.outer)
    assert ufunc_methods.generic(np.less.outer) is ufunc_methods.generic(np.less.outer)
    assert ufunc_methods.generic(np.frompyfunc(abs, 1, 1).reduce) is None
