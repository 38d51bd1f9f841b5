"""No rule waits for a device, or copies to it, without need; and what a rule would refuse there becomes NaN."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from moving import moved
from rule_examples import EXAMPLES, Example
from rule_examples.networks import EXAMPLES as NETWORKS
from stand_in import counted, host, on_device

from autograd import DeviceError, NoRuleError, Tensor, no_grad

COPIES, WAITS = {"to device"}, {"to host"}

#: What primitives with these examples need, and why: a list of positions is copied where it is used.
NEEDED: list[tuple[str, set[str], str]] = [
    ("a list is the index", COPIES, "add.reduceat insert put take"),
    ("a list is the index, or a mask, which chooses so many", COPIES | WAITS, "getitem scatter setitem"),
    ("a list is the index, or the size depends on the values", COPIES | WAITS, "compress delete extract"),
    ("the steps, or their weights, are NumPy's, to the last digit", COPIES, "geomspace linspace logspace pad"),
    ("between which ranks quantiles lie is found on the CPU", COPIES | WAITS, "percentile quantile"),
    ("the size depends on the values", WAITS, "polymul unique unique_all unique_counts unique_inverse unique_values"),
    ("a mask chooses so many", WAITS, "histogram piecewise place putmask"),
    ("the array tells shapes", WAITS, "array_split frame tile"),
    ("the algorithm depends on the rank", WAITS, "cofactors linalg.det"),
    ("CuPy's function waits", WAITS, "linalg.cond linalg.lstsq polyfit real_if_close"),
]
KINDS = {name: kinds for _, kinds, names in NEEDED for name in names.split()}


def used(example: Example) -> Counter[str]:
    """What is copied or waited for: forward, backward, and backward again."""
    inputs = [Tensor(on_device(a), requires_grad=True) for a in example.args]
    with counted() as found:
        try:
            y = moved(example.call, on_device)(*inputs)
            gradients = y.gradient(*inputs, cotangent=on_device(np.ones(y.shape, y.dtype)), create_graph=True)
            total = sum(g.sum() for g in (gradients if isinstance(gradients, tuple) else (gradients,)))
            if total.requires_grad:
                total.gradient(*inputs, cotangent=on_device(np.ones((), total.dtype)))
        except (NotImplementedError, DeviceError):
            return Counter()  # looked at in test_rules_on_devices.py
    return found


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in NETWORKS and name != "to"])
def test_a_rule_copies_and_waits_only_where_it_must(name: str) -> None:
    assert {*sum(map(used, EXAMPLES[name]), Counter())} == KINDS.get(name, set())


# What a rule would refuse


def gradient(call: Any, *arrays: np.ndarray) -> np.ndarray:
    """The gradient in the first array, on a device that is not waited for."""
    inputs = [Tensor(on_device(a), requires_grad=True) for a in arrays]
    with counted() as found:
        result = call(*inputs).gradient(inputs[0])
    assert not found
    return host(result.data)


HERMITIAN = np.array([[2.0, 1 + 1j], [1 - 1j, 3.0]])
TALL = np.array([[1.0, 2.0], [0.5, 3.0], [2.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize("k", [0, 1])
def test_a_loss_that_depends_on_a_phase_has_the_gradient_nan(k: int) -> None:
    def phase(x: Any) -> Any:
        return (np.linalg.eigh(x)[1] if k == 0 else np.linalg.svd(x)[0])[1].imag.sum()

    x = Tensor(HERMITIAN, requires_grad=True)
    y = phase(x)
    with pytest.raises(ValueError, match="phase"):
        y.gradient(x)
    assert np.isnan(gradient(phase, HERMITIAN)).all()
    free = gradient(lambda x: (np.abs(np.linalg.eigh(x)[1]) ** 2)[0, 0], HERMITIAN)
    assert np.isfinite(free).all()


def test_a_loss_that_depends_on_a_basis_has_the_gradient_nan() -> None:
    x = Tensor(TALL, requires_grad=True)
    y = np.linalg.qr(x, "complete")[0][0, 3]
    with pytest.raises(ValueError, match="basis"):
        y.gradient(x)
    assert np.isnan(gradient(lambda x: np.linalg.qr(x, "complete")[0][0, 3], TALL)).any()
    assert np.isfinite(gradient(lambda x: np.linalg.qr(x, "complete")[0][0, 0], TALL)).all()


def test_a_third_derivative_of_a_singular_determinant_is_nan() -> None:
    def third(x: Tensor) -> Any:
        first = np.linalg.det(x).gradient(x, create_graph=True)
        second = (first * first).sum().gradient(x, create_graph=True)
        return second.sum().gradient(x)

    with pytest.raises(NoRuleError, match="third"):
        third(Tensor(np.ones((3, 3)), requires_grad=True))
    assert np.isnan(host(third(Tensor(on_device(np.ones((3, 3))), requires_grad=True)).data)).all()


def test_a_singular_matrix_has_the_gradients_of_its_determinant_nan_or_right() -> None:
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    x = Tensor(on_device(a), requires_grad=True)
    np.testing.assert_allclose(host(np.linalg.det(x).gradient(x).data), [[4, -2], [-2, 1]], atol=1e-13)
    assert np.isnan(host(np.linalg.slogdet(x)[1].gradient(x).data)).all()


def test_roots_of_a_leading_coefficient_of_zero_are_nan() -> None:
    p = Tensor(on_device(np.array([0.0, 1.0, -3.0, 2.0])), requires_grad=True)
    with counted() as found:
        r = np.roots(p)
    assert not found
    assert np.isnan(host(r.data)).all()


def test_negative_weights_of_a_covariance_make_it_nan() -> None:
    x = Tensor(on_device(np.array([[1.0, 2.0, 4.0], [1.0, 0.0, 2.0]])), requires_grad=True)
    with counted() as found:
        good = np.cov(x, aweights=on_device(np.array([1.0, 2.0, 1.0])))
        bad = np.cov(x, aweights=on_device(np.array([1.0, -2.0, 1.0])))
    assert not found
    assert np.isfinite(host(good.data)).all()
    assert np.isnan(host(bad.data)).all()


def test_a_mean_of_nothing_is_nan_without_a_warning() -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan]])
    x = Tensor(on_device(values), requires_grad=True)
    with counted() as found:
        mean, middle = np.nanmean(x, axis=1), np.nanmedian(x, axis=1)
    assert not found
    np.testing.assert_array_equal(host(mean.data), [1, np.nan])
    np.testing.assert_array_equal(host(middle.data), [1, np.nan])
    np.testing.assert_array_equal(gradient(lambda x: np.nanmean(x, axis=1)[0], values), [[1, 0], [0, 0]])


# Indices


def test_the_last_of_several_values_stays_and_gets_the_gradient() -> None:
    places = on_device(np.array([2, 0, 2, 2]))
    x = Tensor(on_device(np.zeros(3)), requires_grad=True)
    v = Tensor(on_device(np.array([1.0, 2.0, 3.0, 4.0])), requires_grad=True)
    with counted() as found:
        y = x * 1.0
        y[places] = v
        to_x, to_v = y.gradient(x, v, cotangent=on_device(np.array([5.0, 6.0, 7.0])))
    assert not found
    assert host(y.data).tolist() == [2, 0, 4]
    assert host(to_x.data).tolist() == [0, 6, 0]
    assert host(to_v.data).tolist() == [0, 5, 0, 7]


def test_the_last_of_several_values_stays_in_a_parameter_too() -> None:
    w = Tensor(on_device(np.zeros((2, 3))), requires_grad=True)
    array = w.data
    with no_grad(), counted() as found:
        w[:, on_device(np.array([0, 1, 0]))] = on_device(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert not found
    assert w.data is array
    assert host(array).tolist() == [[3, 2, 0], [6, 5, 0]]


def test_one_value_at_the_places_of_a_mask_waits_for_nothing() -> None:
    mask = on_device(np.array([True, False, True]))
    x = Tensor(on_device(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])), requires_grad=True)
    with counted() as found:
        y = x * 1.0
        y[mask] = 0
        gradient = y.sum().gradient(x)
        with no_grad():
            x[mask] = -1.0
    assert not found
    assert host(y.data).tolist() == [[0, 0], [3, 4], [0, 0]]
    assert host(gradient.data).tolist() == [[0, 0], [1, 1], [0, 0]]
    assert host(x.data).tolist() == [[-1, -1], [3, 4], [-1, -1]]


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.maximum])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_ufunc_at_repeated_positions_is_that_of_numpy(ufunc: np.ufunc, recorded: bool) -> None:
    rows, columns, values = np.array([0, 1, 0, 0]), np.array([2, 0, 2, 1]), np.array([2.0, -3.0, 5.0, 1.0])

    def changed(put: Any) -> tuple[Any, ...]:
        x = Tensor(put(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), requires_grad=recorded)
        v = Tensor(put(values), requires_grad=recorded)
        y = x * 1.0
        ufunc.at(y, (put(rows), put(columns)), v)
        results = (y, *y.sum().gradient(x, v)) if recorded else (y,)
        return tuple([result.data for result in results])

    with counted() as found:
        results = changed(on_device)
    assert not found or ufunc not in (np.add, np.subtract)
    for result, expected in zip(results, changed(lambda array: array)):
        np.testing.assert_array_equal(host(result), expected)


def test_positions_out_of_bounds_wrap_around() -> None:
    places = on_device(np.array([4, -5]))
    x = Tensor(on_device(np.array([1.0, 2.0, 4.0])), requires_grad=True)
    y = x[places]
    assert host(y.data).tolist() == [2, 2]
    assert host(y.sum().gradient(x).data).tolist() == [0, 2, 0]


def test_an_index_may_change_afterwards() -> None:
    places = on_device(np.array([0, 0]))
    x = Tensor(on_device(np.array([1.0, 2.0])), requires_grad=True)
    y = x[places].sum()
    places[...] = 1
    assert host(y.gradient(x).data).tolist() == [2, 0]


def test_sums_at_repeated_positions_of_half_precision_are_exact() -> None:
    x = Tensor(on_device(np.zeros(2, np.float16)), requires_grad=True)
    y = x[on_device(np.zeros(3000, np.intp))]
    assert host(y.sum().gradient(x).data).tolist() == [3000, 0]


def test_an_index_of_another_device_is_refused_by_name() -> None:
    places = on_device(np.array([0, 1]))
    x = Tensor(np.ones(3), requires_grad=True)
    with pytest.raises(DeviceError, match=r"x on 'cpu' .* on 'standin:0' .*nothing is moved without a word"):
        x[places]


# Functions that CuPy does not have, made of others: also where nothing is recorded


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.vecdot(x, x),
        lambda x: np.maximum.accumulate(x, axis=1),
        lambda x: np.insert(x, 1, 5.0, axis=1),
        lambda x: np.linalg.svdvals(x),
        lambda x: np.block([x, x]),
    ],
)
def test_a_function_made_of_others_needs_no_gradient_to_be_asked_for(call: Any) -> None:
    x = np.array([[1.0, 3.0, 2.0, 5.0], [4.0, np.e, 0.0, 1.0]])
    for wanted in (True, False):
        y = call(Tensor(on_device(x), requires_grad=wanted))
        assert y.requires_grad is wanted
        np.testing.assert_allclose(host(y.data), call(Tensor(x)).numpy(), rtol=1e-14)
