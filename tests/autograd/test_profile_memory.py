"""`autograd.profile`: the bytes that results take, and what the tape holds."""

from collections import Counter

import numpy as np
from profiled import BATCH, counts, leaf

import autograd
import nn
from autograd import Tensor


def test_a_view_is_no_new_memory():
    x = leaf(4, 5)
    with autograd.profile() as p:
        np.reshape(x, (20,))
        np.transpose(x)
        np.broadcast_to(x, (100, 4, 5))
        np.exp(x)
        x[1:3]
    made = {e.name: e.made for e in p.events}
    assert made == {"reshape": 0, "transpose": 0, "broadcast_to": 0, "exp": 160, "getitem": made["getitem"]}
    assert made["getitem"] in (0, 80)


def test_memory_that_something_inside_has_made_counts_once():
    def function(h):
        return np.sin(np.exp(h))

    x = leaf(1000)
    with autograd.profile() as p:
        np.sum(autograd.checkpoint(function)(x)).backward()
    made = {(e.name, e.phase): e.made for e in p.events if e.kind == "operation"}
    assert made["checkpoint", "forward"] == made["checkpoint", "backward"] == 0
    assert made["exp", "backward"] == made["sin", "backward"] == 8000
    with autograd.profile() as p:
        np.sum(np.sin(x)).gradient(x, create_graph=True)
    rule = next(e for e in p.events if e.name == "sin" and e.phase == "backward")
    inner = [e for e in p.events if e.phase == "forward" and e.stack[: len(rule.stack)] == rule.stack]
    assert rule.made == 0
    assert sum(e.made for e in inner) == 16000  # the cosine, and its product with the cotangent


def test_the_tape_holds_what_rules_need_until_the_backward_pass():
    x = leaf(1000)
    with autograd.profile() as p:
        loss = np.sum(np.exp(np.sin(x)))  # sin keeps x, a leaf; exp keeps its result
        held = p.held[-1][1]
        loss.backward()
    assert held == p.peak == 8000
    assert p.held[0] == (0.0, 0)
    assert p.held[-1][1] == 0
    assert [n for _, n in p.held] == [0, 8000, 8000, 0, 0] or [n for _, n in p.held] == [0, 8000, 0, 0]
    assert [when for when, _ in p.held] == sorted(when for when, _ in p.held)


def test_shared_memory_counts_once_and_parameters_do_not():
    w = leaf(10, 10)
    x = leaf(10, 10)
    with autograd.profile() as p:
        h = np.exp(x @ w)  # exp keeps its result, 800 bytes; the product two leaves
        y = h * h.T  # the same memory twice
        z = y @ w.T  # y, 800 bytes, and a view of a parameter
        total = p.held[-1][1]
    assert total == p.peak == 1600
    kept = {e.name: e.kept for e in p.events}
    assert (kept["exp"], kept["multiply"]) == (800, 0)
    assert sum(e.kept for e in p.events) == 1600
    del h, y, z


def test_a_graph_that_is_dropped_is_not_held_any_more():
    x = leaf(1000)
    with autograd.profile() as p:
        y = np.exp(x)
        assert p.held[-1][1] == 8000
        del y
        assert p.held[-1][1] == 0
        y = np.exp(x)
        z = np.exp(x)
    assert p.peak == 16000
    assert p.held[-1][1] == 16000
    del y, z
    assert p.held[-1][1] == 16000


def test_data_counts_with_the_size_of_what_is_kept():
    data, w = np.ones((1000, 10)), Tensor(np.ones((10, 2)), requires_grad=True)
    with autograd.profile() as p:
        y = data[:20] @ w
    assert p.peak == 20 * 10 * 8
    del y


def test_the_arguments_of_a_differentiated_function_are_like_parameters():
    with autograd.profile() as p:
        gradient = autograd.grad(lambda w: np.sum(np.sin(w)))(np.ones(1000))
    assert gradient.shape == (1000,)
    assert p.peak == 0
    assert counts(p, "backward")["sin"] == 1
    assert [e.kind for e in p.events].count("pass") == 1


def test_checkpoint_keeps_less_and_is_measured_as_an_operation():
    def layers(h):
        for _ in range(5):
            h = np.tanh(h)
        return h

    def run(f):
        x = leaf(1000)
        h = np.exp(x)
        with autograd.profile() as p:
            y = f(np.exp(x) + h)
            before = p.held[-1][1]
            np.sum(y).backward()
        return p, before

    plain, plain_before = run(layers)
    thrifty, before = run(autograd.checkpoint(layers))
    assert plain_before == 6 * 8000  # exp, and five results of tanh
    assert before == 2 * 8000  # exp, and the input of the checkpoint
    assert counts(plain)["tanh"] == 5
    assert counts(thrifty)["tanh"] == 10
    assert counts(thrifty)["checkpoint"] == 1
    assert counts(thrifty, "backward") == counts(plain, "backward") + Counter(checkpoint=1)
    rule = next(e for e in thrifty.events if e.name == "checkpoint" and e.phase == "backward")
    again = [e.stack for e in thrifty.events if e.name == "tanh"][5:]
    assert again[0] == ("backward", "checkpoint", "forward", "tanh")
    assert again[-1] == ("backward", "checkpoint", "tanh")
    assert rule.own < rule.seconds
    assert thrifty.times()[rule.node][0] > 0
    assert sum(e.own for e in thrifty.events) <= thrifty.seconds + 1e-9


def test_modules_in_a_checkpoint_have_their_names_when_they_run_again():
    class Thrifty(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(3, 3, rng=0)

        def forward(self, x):
            return np.sum(autograd.checkpoint(self.layer)(x))

    with autograd.profile() as p:
        Thrifty()(Tensor(BATCH, requires_grad=True)).backward()
    assert {e.modules for e in p.events if e.name == "linear"} == {("Thrifty", "layer")}
    assert counts(p)["linear"] == 2
