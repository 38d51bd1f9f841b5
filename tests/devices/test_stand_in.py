"""The stand-in for a device array is as strict as it says: each of its manners, and the table that it is held to."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import cupy_names
import numpy as np
import pytest
import stand_in
from stand_in import Array, counted, host, on_device

from autograd.devices import device_of, move


@pytest.fixture
def x() -> Array:
    return on_device(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))


def test_the_table_is_that_of_the_cupy_that_is_installed() -> None:
    pytest.importorskip("cupy", reason="CuPy is not installed: nothing to compare with")
    table, found = json.loads(cupy_names.TABLE.read_text(encoding="utf-8")), cupy_names.read()
    if table["version"] != found["version"]:
        pytest.skip(f"the table is that of CuPy {table['version']}, and {found['version']} is installed")
    assert table == found


# What it can do


def test_it_speaks_numpys_protocols(x: Array) -> None:
    for y in (np.tanh(x), np.concatenate([x, x]), x + 1, 2 * x, x @ x.T, x.sum(axis=0), np.linalg.inv(x @ x.T)):
        assert type(y) is Array
    np.testing.assert_array_equal(host(np.concatenate([x, x])), np.concatenate([host(x), host(x)]))
    np.testing.assert_array_equal(host(np.zeros(2, like=x)), [0, 0])
    np.testing.assert_array_equal(host(np.sinc(x)), np.sinc(host(x)))  # to NumPy a function, to CuPy a ufunc


def test_what_cupy_does_not_have_it_does_not_have(x: Array) -> None:
    for call in (lambda: np.insert(x, 0, 1.0), lambda: np.block([x, x]), lambda: np.vecdot(x, x)):
        with pytest.raises(TypeError, match=r"no implementation found|returned NotImplemented"):
            call()
    with pytest.raises(AttributeError):
        x.tobytes_and_more  # noqa: B018
    with pytest.raises(AttributeError):
        x.setflags(write=False)


def test_it_knows_the_parameters_that_cupy_knows(x: Array) -> None:
    for call in (
        lambda: x.max(initial=0.0),
        lambda: np.sum(x, where=x > 2),
        lambda: np.ones(2, like=x),
        lambda: np.linalg.svd(x, hermitian=False),
    ):
        with pytest.raises(TypeError, match="unexpected keyword"):
            call()
    with pytest.raises(TypeError, match="Wrong arguments"):
        np.add(x, x, where=host(x) > 2)


# What it refuses


def test_it_does_not_become_a_numpy_array_unasked(x: Array) -> None:
    for convert in (np.asarray, np.array, lambda a: np.zeros(6).reshape(2, 3).__iadd__(a)):
        with pytest.raises(TypeError):
            convert(x)
    with counted() as found:
        assert type(x.get()) is np.ndarray
    assert found == {"to host": 1}


@pytest.mark.parametrize(
    "operation",
    [
        lambda x, other: x + other,
        lambda x, other: other + x,
        lambda x, other: np.concatenate([x, other]),
        lambda x, other: np.where(x > 2, x, other),
        lambda x, other: x.__setitem__(slice(None), other),
        lambda x, other: x.__iadd__(other),
        lambda x, other: x @ other.T,
    ],
)
@pytest.mark.parametrize("other", [np.ones((2, 3)), on_device(np.ones((2, 3)), 1)], ids=["NumPy", "standin:1"])
def test_it_meets_arrays_of_its_own_device_only(operation: Any, other: Any, x: Array) -> None:
    before = host(x).copy()
    with pytest.raises((TypeError, ValueError), match=r"Unsupported type|Array device must be|NumPy array|'ufunc"):
        operation(x, other)
    np.testing.assert_array_equal(host(x), before)


def test_numbers_are_no_arrays(x: Array) -> None:
    for number in (2, 2.0, np.float64(2.0), np.float32(2.0)):
        np.testing.assert_array_equal(host(x * number), host(x) * number)
    assert (x * np.float32(2.0)).dtype == np.float64


def test_it_returns_arrays_without_axes_and_no_scalars(x: Array) -> None:
    for y in (x.sum(), np.max(x), x[0, 0], np.linalg.norm(x), x[0] @ x[1], np.add(x[0, 0], 1.0)):
        assert type(y) is Array
        assert y.shape == ()
    assert type(host(x)[0, 0]) is np.float64


def test_it_reduces_with_sums_and_products_only(x: Array) -> None:
    assert host(np.add.reduce(x)).tolist() == [5, 7, 9]
    assert host(np.multiply.accumulate(x)).tolist() == [[1, 2, 3], [4, 10, 18]]
    for call in (np.maximum.reduce, np.maximum.accumulate, np.logaddexp.reduce):
        with pytest.raises(NotImplementedError, match="not supported"):
            call(x)


def test_positions_of_at_are_one_array_and_numbers_are_real(x: Array) -> None:
    rows = on_device(np.array([0, 0]))
    np.add.at(x, rows, 1.0)
    assert host(x)[0].tolist() == [3, 4, 5]
    with pytest.raises(TypeError, match="NotImplemented"):
        np.add.at(x, (rows, rows), 1.0)
    with pytest.raises(TypeError, match="only supports"):
        np.add.at(x * 1j, rows, 1.0)
    with pytest.raises(NotImplementedError, match="not supported"):
        np.multiply.at(x, rows, 2.0)


def test_a_solver_that_fails_says_nothing(x: Array) -> None:
    singular = on_device(np.ones((2, 2)))
    for y in (np.linalg.inv(singular), np.linalg.solve(singular, x), np.linalg.cholesky(-singular)):
        assert np.isnan(host(y)).all()
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.inv(x)  # not square


def test_eigenvalues_are_complex_and_polynomials_are_of_hermitian_matrices_only() -> None:
    a = on_device(np.array([[2.0, 1.0], [0.0, 3.0]]))
    assert np.linalg.eigvals(a).dtype == np.linalg.eig(a).eigenvectors.dtype == np.complex128
    for call in (lambda: np.poly(a), lambda: np.roots(on_device(np.array([1.0, 2.0, 3.0])))):
        with pytest.raises(NotImplementedError, match="Hermitian"):
            call()
    assert host(np.poly(a @ a.T)).shape == (3,)


# Indices


def test_positions_out_of_bounds_wrap_around_if_they_are_in_an_array(x: Array) -> None:
    assert host(x[on_device(np.array([2, -3]))]).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert host(x[0, on_device(np.array([3]))]).tolist() == [1]
    y = np.zeros_like(x)
    np.add.at(y, on_device(np.array([5])), 1.0)
    assert host(y).tolist() == [[0, 0, 0], [1, 1, 1]]
    with pytest.raises(IndexError):
        x[2]


def test_of_several_values_for_one_place_it_is_not_the_last_that_stays() -> None:
    y = on_device(np.zeros(2))
    y[on_device(np.array([1, 1]))] = on_device(np.array([3.0, 4.0]))
    assert host(y).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("key", "used"),
    [
        (0, {}),
        ((slice(1), None, ...), {}),
        (on_device(np.array([0, 1])), {}),
        ([0, 1], {"to device": 1}),
        (np.array([0, 1]), {"to device": 1}),
        (on_device(np.array([True, False])), {"to host": 1}),
        (np.array([True, False]), {"to device": 1, "to host": 1}),
    ],
)
def test_an_index_copies_what_is_not_on_the_device_and_waits_for_a_mask(key: Any, used: Any, x: Array) -> None:
    with counted() as found:
        y = x[key]
    assert found == used
    np.testing.assert_array_equal(host(y), host(x)[host(key)])
    with counted() as found:
        x[key] = 0.0
    assert found == used


# What it counts


@pytest.mark.parametrize(
    "wait",
    [
        *(float, bool, int, repr, str, "{}".format, lambda x: x.item(), lambda x: x.tolist(), copy.copy),
        *(np.nonzero, np.unique, np.flatnonzero, np.argwhere, np.count_nonzero, pickle.dumps),
    ],
)
def test_it_counts_where_the_host_waits(wait: Any) -> None:
    one = on_device(np.array([1.0]))[0] if wait not in (np.nonzero, np.argwhere) else on_device(np.array([1.0]))
    with counted() as found:
        wait(one)
    assert found == {"to host": 1}


@pytest.mark.parametrize("keep", [copy.deepcopy, np.copy, np.tanh, len, lambda x: x.T, lambda x: x > 2, np.argsort])
def test_it_counts_nothing_where_nobody_waits(keep: Any, x: Array) -> None:
    with counted() as found:
        keep(x)
    assert not found


def test_it_counts_what_is_copied_to_it(x: Array) -> None:
    with counted() as found:
        np.asarray(np.ones(3), like=x)
        move(np.ones(3), "standin")
        np.take(x, [0, 1])
    assert found == {"to device": 3}


# Where it is


def test_a_list_is_copied_to_it_where_positions_say_and_refused_elsewhere(x: Array) -> None:
    with counted() as transfers:
        x[on_device(np.array([1, 0])), 0] = [7.0, 8.0]
    assert (host(x)[:, 0].tolist(), dict(transfers)) == ([8, 7], {"to device": 1})
    with pytest.raises(ValueError, match="cannot be used for fill"):
        x[0] = [1.0, 2.0, 3.0]


def test_there_are_two_devices(x: Array) -> None:
    there = move(x, "standin:1")
    assert (device_of(x), device_of(there)) == ("standin:0", "standin:1")
    assert move(x, "standin:0") is x
    assert move(there, "standin") is there
    assert device_of(there * 2) == device_of(np.concatenate([there])) == "standin:1"
    assert device_of(copy.deepcopy(there)) == "standin:1"


def test_a_moved_array_shares_no_memory() -> None:
    a = np.ones(3)
    b = move(a, "standin")
    a[0] = 5
    assert host(b).tolist() == [1, 1, 1]
    c = move(b, "cpu")
    c[0] = 7
    assert host(b).tolist() == [1, 1, 1]
    assert stand_in.DEVICES == 2
