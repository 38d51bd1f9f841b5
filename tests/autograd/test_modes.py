"""no_grad, enable_grad and detect_anomaly: per thread, per task, restored on exceptions."""

import asyncio
import threading

import numpy as np
import pytest

import autograd
from autograd import AnomalyError, Tensor, detect_anomaly, enable_grad, is_grad_enabled, no_grad


def test_no_grad_and_enable_grad_nest_and_are_restored():
    x = Tensor([1.0], requires_grad=True)
    with no_grad():
        assert not (x * 2.0).requires_grad
        with enable_grad():
            assert (x * 2.0).requires_grad
            with no_grad():
                assert not is_grad_enabled()
            assert is_grad_enabled()
        assert not is_grad_enabled()
    assert (x * 2.0).requires_grad


def test_the_mode_is_restored_on_exceptions():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert is_grad_enabled()


def test_one_switch_object_can_be_used_again_and_inside_itself():
    switch = no_grad()
    with switch, switch:
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_decorated_functions():
    @no_grad()
    def f(x):
        """Doubles."""
        return x * 2.0

    assert not f(Tensor([1.0], requires_grad=True)).requires_grad
    assert f.__doc__ == "Doubles."
    assert is_grad_enabled()


def test_decorated_coroutines_have_the_mode_while_they_run():
    @no_grad()
    async def f():
        await asyncio.sleep(0)
        return is_grad_enabled()

    assert asyncio.run(f()) is False


def test_generators_are_refused_since_the_mode_would_leak():
    with pytest.raises(TypeError, match=r"cannot decorate the generator 'f'.*with no_grad\(\):"):

        @no_grad()
        def f():
            yield


def test_the_mode_belongs_to_the_thread():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_the_mode_belongs_to_the_task():
    async def quiet(entered, leave):
        with no_grad():
            entered.set()
            await leave.wait()

    async def main():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(entered, leave))
        await entered.wait()
        during = is_grad_enabled()
        leave.set()
        await task
        return during

    assert asyncio.run(main()) is True


def test_one_switch_object_can_be_shared_by_tasks():
    switch = no_grad()

    async def work(order, wait):
        with switch:
            order.append(is_grad_enabled())
            await asyncio.sleep(wait)
        order.append(is_grad_enabled())

    async def main():
        order = []
        await asyncio.gather(work(order, 0.02), work(order, 0.01))
        return order

    assert asyncio.run(main()) == [False, False, True, True]


# Anomalies


def test_a_nan_in_forward_names_the_operation_its_operands_and_the_line():
    x = Tensor([1.0, -1.0, np.pi], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"), pytest.raises(AnomalyError) as caught:
        np.log(x)  # the line to be named
    text = str(caught.value)
    assert "log returned a value that is not finite (1 of 3, the first at index (1,): nan)" in text
    assert "log(float64[3])" in text
    assert "test_modes.py" in text
    assert "the line to be named" in text


def test_an_infinity_in_backward_names_the_rule_and_the_forward_line():
    x = Tensor([0.0, 4.0], requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"):
        y = np.sqrt(x).sum()  # where the root was taken
        with pytest.raises(AnomalyError) as caught:
            y.backward()
    text = str(caught.value)
    assert "the backward rule of sqrt for input 0 ('x') returned a cotangent that is not finite" in text
    assert "where the root was taken" in text
    assert x.grad is None


def test_in_a_layer_the_users_line_is_named_and_not_the_librarys():
    import nn

    model = nn.MLP([2, 2, 1], rng=0)
    with detect_anomaly(), np.errstate(all="ignore"), pytest.raises(AnomalyError, match=r"test_modes\.py"):
        model(np.array([[np.inf, 1.0]], dtype=np.float32))


def test_finite_values_pass_and_nothing_is_noted_afterwards():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with detect_anomaly():
        y = np.log(x).sum()
        y.backward()
    assert "test_modes.py" in str(y.node.notes.site)
    assert (x * 2.0).node.notes is None


def test_anomaly_detection_and_no_grad_combine():
    x = Tensor([1.0], requires_grad=True)
    with detect_anomaly(), no_grad():
        assert not (x * 2.0).requires_grad
    with no_grad(), detect_anomaly(), autograd.enable_grad():
        assert (x * 2.0).node.notes.site is not None
