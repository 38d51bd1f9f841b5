"""A user's own errors stay what they are, also on a device: they are no fault of a library's, and happen once."""

import numpy as np
import pytest

from autograd import DeviceError, Tensor, define
from autograd.devices import move

ERRORS = [
    TypeError("an unexpected keyword of mine"),
    TypeError("too short"),
    NotImplementedError("later"),
    KeyError("k"),
]


def on(device, values=(1.0, 2.0, 3.0), **options):
    return Tensor(np.asarray(values), device=device, **options)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_of_a_users_function_is_raised_as_it_is_and_the_function_is_called_once(device, error):
    calls = []

    def failing(x, times=2):
        calls.append(times)
        raise error

    call = define(failing, "x; times=2 -> y", x=lambda g, times: g * times)
    with pytest.raises(type(error)) as caught:
        call(on(device, requires_grad=True))
    assert caught.value is error
    assert calls == [2]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_of_a_users_rule_is_raised_as_it_is(device, error):
    def rule(g):
        raise error

    def same(x):
        return x * 1

    y = define(same, "x -> y", x=rule)(on(device, requires_grad=True))
    with pytest.raises(type(error)) as caught:
        y.sum().backward()
    assert caught.value is error


def test_a_keyword_that_a_users_helper_does_not_take_is_the_users_mistake(device):
    def helper(x):
        return x

    def wrong(x, times=2):
        return helper(x, times=times)

    call = define(wrong, "x; times=2 -> y", x=lambda g, times: g * times)
    with pytest.raises(TypeError, match=r"helper.*unexpected keyword"):
        call(on(device, requires_grad=True))


def test_an_error_that_is_no_librarys_stays_where_operands_are_of_two_devices(device):
    other = "standin" if device == "cpu" else "cpu"
    table = {"a": 1.0}

    def looked_up(x, y):
        return x * table["b"]

    with pytest.raises(KeyError):
        define(looked_up, "x, y -> z", x=lambda g, y: g)(on(device), on(other))


def test_the_error_of_two_devices_keeps_what_the_library_said():
    with pytest.raises(DeviceError) as caught:
        on("standin") + np.ones(3)
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_function_that_is_applied_and_fails_is_called_once():
    calls = []

    def failing(row):
        calls.append(row)
        raise NotImplementedError("later")

    with pytest.raises(NotImplementedError, match="later"):
        np.apply_along_axis(failing, 0, Tensor([1.0, 2.0]))
    assert len(calls) == 1


def test_what_a_library_does_not_have_is_still_said_by_name():
    x = Tensor(move(np.ones((2, 2)), "standin"), requires_grad=True)
    with pytest.raises(NotImplementedError, match="Compute it on the CPU"):
        np.linalg.svd(x, hermitian=True)
    with pytest.raises(NotImplementedError, match="needs spacing"):
        np.spacing(x)


def test_an_operation_on_a_device_leaves_the_warnings_of_other_threads_alone(monkeypatch):
    def touched(*args, **kwargs):
        raise AssertionError("the filters of warnings are shared by all threads")

    x = Tensor(move(np.ones(3), "standin"), requires_grad=True)
    monkeypatch.setattr("warnings.catch_warnings", touched)
    np.cumsum(np.tanh(x) * np.sin(x)).sum().backward()
