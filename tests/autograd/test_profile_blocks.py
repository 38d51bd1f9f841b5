"""`autograd.profile`: afterwards nothing is left behind; threads, tasks, and blocks inside one another."""

import asyncio
import gc
import inspect
import sys
import threading
import weakref
from unittest.mock import Mock

import numpy as np
import pytest
from profiled import counts, leaf, state

import autograd
import nn
import optim
from autograd import Tensor, tape
from autograd.primitive import define

# Off


def test_afterwards_everything_is_as_it_was():
    x = leaf(3)
    np.exp(x) * x + np.sinh(x)
    before = state()
    with autograd.profile() as outer:
        assert state() != before
        with autograd.profile():
            np.exp(x)
        np.exp(x)
    np.exp(x)
    assert state() == before
    assert tape.measured_pulls is None
    assert counts(outer) == {"exp": 2}


def test_an_operation_that_is_first_called_or_made_in_the_block_is_measured_and_afterwards_plain():
    def cube(x):
        return x * x * x

    early = define(cube, "x -> y", x=lambda g, x: g * 3 * x * x)
    x = leaf(3)
    with autograd.profile() as p:
        late = define(lambda x: cube(x), "x -> y", x=lambda g, x: g * 3 * x * x)
        y = early(x), early(x), late(x)
        codes = early.__code__, late.__code__
    assert [e.kind for e in p.events] == ["operation"] * 3
    assert codes[0] is codes[1]
    assert codes[0] is not early.__code__ is not late.__code__
    early(x)
    late(x)
    assert len(p.events) == 3
    np.sum(y[0] + y[2]).backward()
    assert np.allclose(x.grad, 6 * x.data**2)


def test_an_error_leaves_no_event_of_what_failed_and_nothing_switched_on():
    x = leaf(3)
    before = state()
    p = autograd.profile()

    def block():
        with p:
            np.exp(x)
            with pytest.raises(ValueError, match="matmul"):
                np.exp(x) @ leaf(2)
            np.exp(x)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    assert counts(p) == {"exp": 3}
    assert {e.stack for e in p.events} == {("forward", "exp")}
    assert state() == before


def test_an_error_in_a_rule_or_a_module_closes_what_was_open():
    def broken(g):
        raise RuntimeError("no")

    bad = define(lambda x: x + 1.0, "x -> y", x=broken)

    class Failing(nn.Module):
        def forward(self, x):
            raise KeyError("no")

    x = leaf(3)
    with autograd.profile() as p:
        with pytest.raises(RuntimeError, match="no"):
            np.sum(bad(x)).backward()
        with pytest.raises(KeyError):
            Failing()(x)
        np.exp(x)
    assert p.events[-1].stack == ("forward", "exp")
    assert not [e for e in p.events if e.kind == "module"]
    assert counts(p, "backward") == {"sum": 1}


def test_what_the_user_puts_in_the_place_of_a_function_is_left_there(monkeypatch):
    plain, model = nn.Module.__call__, nn.Tanh()
    with monkeypatch.context() as patch:
        patch.setattr(nn.Module, "__call__", lambda self, x: "other")
        p = autograd.profile()
        with p:
            assert model(leaf(3)) == "other"
            patch.undo()
        assert nn.Module.__call__ is plain
        with p:
            patch.setattr(nn.Module, "__call__", lambda self, x: "another")
        assert model(leaf(3)) == "another"
    model(leaf(3))
    assert [e.kind for e in p.events] == ["module"]


def test_what_is_no_function_keeps_being_called_without_the_object(monkeypatch):
    step = Mock()
    monkeypatch.setattr(optim.SGD, "step", step, raising=False)
    with autograd.profile():
        optim.SGD([leaf(3)], lr=0.1).step()
    step.assert_called_once_with()


def test_a_recursion_that_is_too_deep_leaves_nothing_open():
    def deep(frames):
        return np.exp(x) if not frames else deep(frames - 1)

    x, failed = leaf(3), 0
    room = sys.getrecursionlimit() - len(inspect.stack(0))
    np.exp(x)
    with autograd.profile() as p:
        for spare in range(3, 40):
            try:
                deep(room - spare)
            except RecursionError:
                failed += 1
    assert 0 < failed < 37
    assert {e.stack for e in p.events} == {("forward", "exp")}


# Threads, tasks, generators, nesting


def test_other_threads_run_unmeasured():
    x, started, done, found = leaf(3), threading.Event(), threading.Event(), []

    def work():
        started.wait(10)
        found.append(np.exp(x).data)
        np.sum(np.sin(x)).backward()
        nn.Tanh()(x)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with autograd.profile() as p:
        np.cos(x)
        started.set()
        assert done.wait(10)
        np.cos(x)
    thread.join()
    assert [e.name for e in p.events] == ["cos", "cos"]
    assert np.array_equal(found[0], np.exp(x.data))


def test_two_threads_can_have_a_profile_each():
    x, profiles, barrier = leaf(3), {}, threading.Barrier(2)

    def work(function):
        with autograd.profile() as p:
            barrier.wait(10)
            for _ in range(20):
                function(x)
            barrier.wait(10)
        profiles[function] = p

    threads = [threading.Thread(target=work, args=(f,)) for f in (np.sin, np.cos)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f: dict(counts(p)) for f, p in profiles.items()} == {np.sin: {"sin": 20}, np.cos: {"cos": 20}}
    assert tape.measured_pulls is None


def test_tasks_and_threads_started_in_the_block_run_unmeasured():
    x = leaf(3)

    async def other():
        np.sin(x)
        await asyncio.sleep(0)
        np.sin(x)

    async def main():
        with autograd.profile() as p:
            task = asyncio.create_task(other())
            np.cos(x)
            await task
            await asyncio.to_thread(lambda: np.sin(x))
            np.cos(x)
        return p

    assert [e.name for e in asyncio.run(main()).events] == ["cos", "cos"]


def test_a_generator_may_be_left_in_any_order():
    x = leaf(3)

    def block():
        with autograd.profile() as p:
            np.sin(x)
            yield p
            np.sin(x)

    before = state()
    a, b = block(), block()
    first, second = next(a), next(b)
    np.cos(x)
    next(a, None)
    np.exp(x)
    b.close()
    assert counts(first) == {"sin": 3, "cos": 1}
    assert counts(second) == {"sin": 2, "cos": 1, "exp": 1}
    assert state() == before


def test_a_profile_inside_another_sees_its_own_block():
    x = leaf(3)
    with autograd.profile() as outer:
        np.sin(x)
        with autograd.profile() as inner:
            y = np.exp(x)
        np.cos(x)
    assert [e.name for e in outer.events] == ["sin", "exp", "cos"]
    assert [e.name for e in inner.events] == ["exp"]
    assert inner.peak == outer.peak == 24
    assert 0 <= inner.events[0].start <= inner.seconds <= outer.seconds
    assert inner.times().keys() == {y.node.index}


def test_a_profile_can_have_several_blocks_one_after_another():
    x = leaf(3)
    p = autograd.profile()
    for _ in range(3):
        np.sin(x)
        with p:
            np.exp(x)
    assert counts(p) == {"exp": 3}
    assert [e.start for e in p.events] == sorted(e.start for e in p.events)
    assert p.events[-1].start + p.events[-1].seconds <= p.seconds
    assert [when for when, _ in p.held] == sorted(when for when, _ in p.held)
    with p, pytest.raises(RuntimeError, match="is on already"), p:
        pass
    np.exp(x)
    assert counts(p) == {"exp": 3}
    with pytest.raises(RuntimeError, match="is not on"):
        p.__exit__(None, None, None)


def test_a_profile_can_be_read_while_it_is_on():
    x = leaf(3)
    with autograd.profile() as p:
        np.exp(x)
        assert counts(p) == {"exp": 1}
        assert p.seconds > 0
        assert "exp" in str(p)
        np.exp(x)
    assert counts(p) == {"exp": 2}


@pytest.fixture
def no_gc():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_gc")
def test_measuring_makes_no_cycles_that_hold_the_graph():
    with autograd.profile() as p:
        y = np.sum(np.exp(leaf(1000)))
        y.backward(retain_graph=True)
        node = weakref.ref(y.node.parents[0].saved[0])
        del y
        assert p.held[-1][1] == 0
    assert node() is None


@pytest.mark.usefixtures("no_gc")
def test_a_graph_that_a_task_returns_does_not_hold_the_task():
    async def main():
        with autograd.profile():
            return np.exp(leaf(3))

    y = asyncio.run(main())
    array = weakref.ref(y.data)
    del y
    assert array() is None


class Device:
    waits = 0

    def synchronize(self):
        self.waits += 1


class OnDevice(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of another library, that computes in its own time."""

    base = None

    def __init__(self, data, device):
        self.data, self.device = data, device
        self.shape, self.dtype, self.ndim, self.nbytes = data.shape, data.dtype, data.ndim, data.nbytes

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [x.data if isinstance(x, OnDevice) else x for x in inputs]
        return OnDevice(getattr(ufunc, method)(*plain, **kwargs), self.device)

    def __array_function__(self, function, types, args, kwargs):
        raise NotImplementedError

    def copy(self):
        return OnDevice(self.data.copy(), self.device)


def test_on_a_gpu_each_operation_and_rule_waits_for_its_result():
    device = Device()
    x = Tensor(OnDevice(np.ones(1000), device), requires_grad=True)
    with autograd.profile() as p:
        y = np.exp(np.sin(x))
        assert device.waits == 2
        assert p.held[-1][1] == 8000
        y.backward(OnDevice(np.ones(1000), device))
    assert device.waits == 4
    assert [e.made for e in p.events if e.kind == "operation"] == [8000] * 4
    assert p.held[-1][1] == 0
    assert np.allclose(x.grad.data, np.exp(np.sin(1.0)) * np.cos(1.0))
