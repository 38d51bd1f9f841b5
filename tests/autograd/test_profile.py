"""`autograd.profile`: what is counted, how long it took, and inside which modules."""

import threading
import time

import numpy as np
import pytest
from profiled import BATCH, Net, counts, inside, leaf

import autograd
import nn
import optim
from autograd import Tensor, define
from autograd.inspection.calls import calls_of
from autograd.profiling import instruments
from autograd.rules import elementwise

# Counting


def test_each_call_and_each_rule_is_one_event():
    w, x = leaf(8), np.ones(8)
    h = leaf(8)
    with autograd.profile() as p:
        for _ in range(5):
            h = np.tanh(h * w + x)
        h.sum().backward()
    assert counts(p) == {"multiply": 5, "add": 5, "tanh": 5, "sum": 1}
    assert counts(p, "backward") == {"multiply": 10, "add": 5, "tanh": 5, "sum": 1}
    assert [e.kind for e in p.events].count("pass") == 1


def test_an_event_says_what_ran():
    w = Tensor(np.ones((3, 4)), requires_grad=True)
    x = np.ones((2, 3))
    with autograd.profile() as p:
        y = x @ w
        y.backward(np.ones((2, 4)))
    forward, around, backward = p.events
    assert forward[:3] == ("matmul", "operation", "forward")
    assert (forward.node, forward.input) == (y.node.index, None)
    assert (forward.shapes, forward.shape, forward.made) == (((2, 3), (3, 4)), (2, 4), 64)
    assert (forward.modules, forward.stack) == ((), ("forward", "matmul"))
    assert forward.thread == threading.get_ident()
    assert (around.kind, around.phase, around.stack) == ("pass", "backward", ("backward",))
    assert (backward.name, backward.phase, backward.node) == ("matmul", "backward", y.node.index)
    assert backward.input == p.events[-1].input
    assert (backward.shapes, backward.shape, backward.made) == (((2, 4),), (3, 4), 96)
    assert backward.stack == ("backward", "matmul")


def test_a_rule_says_which_input_it_is_for():
    a, b = leaf(2), leaf(2)
    with autograd.profile() as p:
        np.sum(np.concatenate([a * b, np.ones(2), a])).backward()
    rules = [(e.name, e.input) for e in p.events if e.phase == "backward" and e.kind == "operation"]
    assert rules == [
        ("sum", "a"), ("concatenate", "arrays[0]"), ("concatenate", "arrays[2]"), ("multiply", "x"), ("multiply", "y"),
    ]  # fmt: skip


def test_what_is_not_recorded_is_measured_too():
    x = leaf(3)
    with autograd.profile() as p:
        with autograd.no_grad():
            np.exp(x)
        nn.relu(np.ones(3))
    assert [(e.name, e.node) for e in p.events] == [("exp", None), ("relu", None)]


def test_a_function_may_return_plain_numbers():
    double = define(lambda x: 2.0 * x, "x -> y", x=lambda g: 2.0 * g)
    with autograd.profile() as p:
        assert double(3.0) == 6.0
    assert [(e.shapes, e.shape, e.made) for e in p.events] == [(((),), (), 0)]


def test_an_operation_made_of_others_is_its_parts():
    x = leaf(4)
    with autograd.profile() as p:
        np.sum(x, where=np.array([True, False, True, True]))
    assert counts(p)["sum"] == 1
    assert len(counts(p)) > 1


def test_an_operation_with_several_results_is_one_event():
    a = Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    with autograd.profile() as p:
        q, r = np.linalg.qr(a)
        np.sum(q * r).backward()
    (event,) = [e for e in p.events if e.name == "linalg.qr" and e.phase == "forward"]
    assert event.shape == ((2, 2), (2, 2))
    assert event.node == q.node.parents[0].index
    assert p.times()[event.node][1] > 0


def test_values_and_gradients_are_the_same_with_a_profile():
    def run():
        model = Net()
        loss = model(BATCH)
        loss.backward()
        return [loss.data, *[w.grad for w in model.parameters()]]

    plain = run()
    with autograd.profile():
        measured = run()
    assert all(np.array_equal(a, b) for a, b in zip(plain, measured, strict=True))


def test_wrong_arguments_get_the_same_error_as_without_a_profile():
    x = leaf(3)

    def message():
        with pytest.raises(TypeError) as caught:
            elementwise.exp(x, x, x)
        return str(caught.value)

    elementwise.exp(x)
    without = message()
    with autograd.profile():
        assert message() == without


# Times


def test_own_times_add_up_to_no_more_than_the_block():
    model = nn.MLP([2, 16, 1], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with autograd.profile() as p:
        for _ in range(3):
            np.mean(model(np.ones((10, 2), dtype=np.float32)) ** 2).backward()
            optimizer.step()
    assert all(0 <= e.own <= e.seconds for e in p.events)
    assert 0 < sum(e.own for e in p.events) <= p.seconds + 1e-9
    assert sum(row["share"] for row in p.table()) <= 1.0 + 1e-9
    assert p.overhead > 0


def test_what_ran_inside_something_that_failed_is_not_counted_twice():
    class Failing(nn.Module):
        def forward(self, x):
            time.sleep(0.01)
            raise KeyError(np.exp(x))

    class Patient(nn.Module):
        def forward(self, x):
            with pytest.raises(KeyError):
                Failing()(x)
            return np.sin(x)

    class Slow(nn.Module):
        def forward(self, x):
            time.sleep(0.01)
            return x

    class Hopeless(nn.Module):
        def forward(self, x):
            raise KeyError(Slow()(x))

    class Outer(nn.Module):
        def forward(self, x):
            with pytest.raises(KeyError):
                Hopeless()(x)
            return Patient()(x)

    with autograd.profile() as p:
        Outer()(leaf(3))
    assert next(e.own for e in p.events if e.name == "Patient") >= 0.01
    assert sum(e.own for e in p.events) <= p.seconds + 1e-9


def test_events_are_nested_on_the_clock():
    with autograd.profile() as p:
        Net()(BATCH).backward()
    last = [0.0]
    for event in p.events:
        while last and last[-1] <= event.start and len(last) > 1:
            last.pop()
        assert event.start >= last[0]
        assert len(last) == 1 or event.start + event.seconds <= last[-1] + 1e-9
        last.append(event.start + event.seconds)
    assert p.events[-1].start + p.events[-1].seconds <= p.seconds


def test_times_has_each_recorded_operation():
    x, y = leaf(3), leaf(3)
    with autograd.profile() as p:
        a = x * y
        b = np.exp(a)
        np.sum(b).backward()
    times = p.times()
    assert list(times) == [a.node.index, b.node.index, b.node.index + 1]
    assert all(forward > 0 and backward > 0 for forward, backward in times.values())
    rules = [e for e in p.events if e.node == a.node.index and e.phase == "backward"]
    assert len(rules) == 2
    assert times[a.node.index][1] == pytest.approx(sum(e.seconds for e in rules))


def test_what_a_recorded_rule_computes_is_not_counted_twice():
    x = leaf(3)
    with autograd.profile() as p:
        (dx,) = [np.sum(x**3).gradient(x, create_graph=True)]
        np.sum(dx).backward()
    rule = next(e for e in p.events if e.name == "power" and e.phase == "backward")
    parts = [e for e in p.events if e.stack[: len(rule.stack)] == rule.stack and e.phase == "forward"]
    assert parts
    assert rule.own <= rule.seconds - sum(e.own for e in parts if e.start < rule.start + rule.seconds) + 1e-9
    assert sum(e.own for e in p.events) <= p.seconds + 1e-9
    assert dx.node.index in p.times()


# Modules


def test_operations_know_the_modules_around_them():
    model = Net()
    with autograd.profile() as p:
        model(BATCH).backward()
    inner = [("Net", f"blocks.{k}", f"blocks.{k}.inner", f"blocks.{k}.inner.{i}") for k in range(2) for i in range(2)]
    assert inside(p, "forward") == [
        ("linear", inner[0]), ("tanh", inner[1]), ("add", inner[0][:2]),
        ("linear", inner[2]), ("tanh", inner[3]), ("add", inner[2][:2]),
        ("sum", ("Net",)),
    ]  # fmt: skip
    assert [e.modules for e in p.events if e.kind == "module"][:3] == [("Net",), inner[0][:2], inner[0][:3]]
    backward = dict.fromkeys(inside(p, "backward"))
    assert list(backward) == [
        ("sum", ("Net",)),
        ("add", inner[2][:2]), ("tanh", inner[3]), ("linear", inner[2]),
        ("add", inner[0][:2]), ("tanh", inner[1]), ("linear", inner[0]),
    ]  # fmt: skip


def test_rules_know_the_modules_of_what_was_recorded_before_the_block():
    model = Net()
    loss = model(BATCH)
    with autograd.profile() as p:
        loss.backward()
    with autograd.profile() as both:
        model(BATCH).backward()
    assert inside(p, "backward") == inside(both, "backward")


def test_networks_of_one_class_are_told_apart_also_if_they_ran_before_the_block():
    a, b = nn.MLP([3, 1], rng=0), nn.MLP([3, 1], rng=0)
    loss = np.sum(a(BATCH) * b(BATCH))
    with autograd.profile() as p:
        loss.backward()
        a(BATCH)
    modules = {e.modules for e in p.events if e.name == "linear" and e.phase == "backward"}
    assert modules == {("MLP", "linear1"), ("MLP 2", "linear1")}
    assert p.events[-1].modules == ("MLP", "linear1")


def test_what_was_recorded_before_the_block_is_looked_at_once(monkeypatch):
    looked = []
    monkeypatch.setattr(instruments, "calls_of", lambda nodes: looked.append(len(nodes)) or calls_of(nodes))
    h, found = leaf(3), []
    for _ in range(20):
        h = np.tanh(h)
        found.append(np.sin(h))
    with autograd.profile() as p:
        loss = np.sum(np.concatenate(found))
        loss.backward(retain_graph=True)
        loss.backward()
    assert looked == [43]
    assert counts(p, "backward") == {"tanh": 40, "sin": 40, "concatenate": 40, "sum": 2}


def test_a_module_has_its_own_time_and_that_of_the_modules_inside():
    with autograd.profile() as p:
        model = Net()
        for _ in range(3):
            model(BATCH).backward()
    rows = {row["module"]: row for row in p.by_module()}
    assert list(rows)[:3] == [("Net",), ("Net", "blocks.0"), ("Net", "blocks.0", "blocks.0.inner")]
    assert {row["calls"] for row in rows.values()} == {3}
    assert rows["Net", "blocks.1"]["kind"] == "Block"
    for path, row in rows.items():
        children = [other for other in rows if other[:-1] == path]
        for phase in ("forward", "backward"):
            total = row[f"own_{phase}"] + sum(rows[child][phase] for child in children)
            assert row[phase] == pytest.approx(total)
    calls = [e.seconds for e in p.events if e.kind == "module" and e.modules == ("Net",)]
    assert rows["Net",]["forward"] == pytest.approx(sum(calls))


def test_two_networks_of_one_class_are_told_apart():
    a, b = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=0)
    with autograd.profile() as p:
        b(a(BATCH))
        a(BATCH)
        for _ in range(3):
            nn.Tanh()(BATCH)
    assert [e.modules for e in p.events if e.kind == "module"] == [
        ("Linear",), ("Linear 2",), ("Linear",), ("Tanh",), ("Tanh",), ("Tanh",),
    ]  # fmt: skip


def test_a_call_that_goes_on_in_the_base_class_counts_once_and_a_recursion_each_time():
    class Twice(nn.Module):
        def __call__(self, x):
            return super().__call__(x)

        def forward(self, x):
            return x if x.shape[0] == 1 else self(x[1:])

    with autograd.profile() as p:
        Twice()(Tensor(BATCH))
    assert [e.kind for e in p.events].count("module") == 4


def test_optimizer_steps_are_events():
    model = nn.Linear(3, 1, rng=0)
    sgd, lbfgs = optim.SGD(model.parameters(), lr=0.1), optim.LBFGS(model.parameters(), max_iter=2)

    def closure():
        model.zero_grad()
        loss = np.mean(model(BATCH) ** 2)
        loss.backward()
        return loss

    with autograd.profile() as p:
        closure()
        sgd.step()
        lbfgs.step(closure)
    steps = [e for e in p.events if e.kind == "step"]
    assert [(e.name, e.phase, e.stack) for e in steps] == [
        ("SGD", "step", ("step", "SGD")),
        ("LBFGS", "step", ("step", "LBFGS")),
    ]
    assert any(e.stack[:4] == ("step", "LBFGS", "forward", "Linear") for e in p.events)
    assert any(e.stack[:3] == ("step", "LBFGS", "backward") for e in p.events)
    assert steps[1].own < steps[1].seconds
