"""How modules, optimizers and histories look in a notebook."""

import sys

import numpy as np
import pytest
from html_reading import read

import nn
import optim
from autograd import Tape, Tensor
from nn.training.display import history_html

NAN = float("nan")


def html_of(value, limit=20_000):
    html = value._repr_html_()
    assert len(html.encode()) < limit
    return read(html)


# Modules


def test_a_module_is_a_tree_with_shapes_and_counts():
    found = html_of(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.ReLU()))
    assert found.text == (
        "Sequential 12 parameters, 72 B training mode "
        "0 Linear(3 → 2) 8 parameters weight [2, 3] float32 6 bias [2] float32 2 "
        "1 BatchNorm1d(2) 4 parameters "
        "weight [2] float32 2 bias [2] float32 2 "
        "running_mean [2] float32 2 buffer running_var [2] float32 2 buffer num_batches_tracked [] int64 1 buffer "
        "2 ReLU"
    )
    assert found.tags.count("details") == 3


def test_frozen_parameters_and_modes_are_marked():
    model = nn.MLP([2, 3, 1])
    model.linear1.requires_grad_(False)
    model.linear2.eval()
    text = html_of(model).text
    assert "MLP 13 parameters, 52 B 9 frozen training mode linear1 Linear(2 → 3) 9 parameters frozen weight" in text
    assert "weight [3, 2] float32 6 frozen" in text
    assert "linear2 Linear(3 → 1) 4 parameters evaluation mode" in text
    assert html_of(model.eval()).text.count("evaluation mode") == 1


def test_a_module_that_refers_to_those_around_it_is_shown_once():
    class Part(nn.Module):
        def __init__(self, whole):
            self.whole = whole

    class Whole(nn.Module):
        def __init__(self):
            self.part = Part(self)
            self.head = nn.Linear(2, 1)
            self.again = self.head

    text = html_of(Whole()).text
    assert "whole Whole the same as the whole" in text
    assert "again Linear(2 → 1) the same as head" in text


def test_names_in_modules_are_never_executed():
    model = nn.MLP([2, 1])
    model.layers = {"<script>alert(1)</script>": nn.Linear(1, 1), '"onload="x': nn.Parameter([1.0])}
    text = html_of(model).text
    assert "layers.<script>alert(1)</script> Linear(1 → 1)" in text
    assert 'layers."onload="x [1] float64' in text


def test_options_of_several_lines_are_shown_on_one():
    class Two(nn.Module):
        def extra_repr(self):
            return "a=1,\n  b=2"

    assert html_of(Two()).text == "Two(a=1, b=2) training mode"


def test_a_large_module_is_shown_in_part():
    deep = nn.Linear(1, 1)
    for _ in range(1200):
        deep = nn.Sequential(deep)
    assert "… 1,101 more modules" in html_of(deep, 60_000).text
    wide = nn.Sequential(*[nn.Linear(2, 2) for _ in range(500)])
    assert "… 401 more modules" in html_of(wide, 100_000).text
    many = nn.Module()
    many.weights = [nn.Parameter([1.0]) for _ in range(1000)]
    assert "… 980 more" in html_of(many).text


def test_a_tape_names_the_parameters_of_modules():
    model = nn.MLP([2, 3, 1])
    assert "%0 leaf [3, 2] float32 linear1.weight" in html_of(Tape(model(np.ones((4, 2), np.float32)))).text


# Optimizers


def test_an_optimizer_shows_its_groups_and_what_it_remembers():
    model = nn.MLP([2, 3, 1])
    model.linear2.requires_grad_(False)
    adam = optim.Adam([{"params": model.linear1.parameters(), "lr": 0.5}, {"params": model.linear2.parameters()}])
    text = html_of(adam).text
    assert text.startswith("Adam 13 numbers in 4 parameters 0 steps remembers 0 B group parameters numbers lr")
    assert " 0 2 9 0.5 0 0 False (0.9, 0.999) 1e−08 False 1 2, 2 frozen 4 0.001 " in text
    model(np.ones((4, 2), np.float32)).sum().backward()
    adam.step()
    assert "1 step remembers 72 B" in html_of(adam).text


@pytest.mark.parametrize("name", ["SGD", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Lion", "LBFGS"])
def test_every_optimizer_has_a_display(name):
    model = nn.Linear(2, 1)
    optimizer = getattr(optim, name)(model.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (model(np.ones((4, 2), np.float32)) ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    text = html_of(optimizer).text
    assert text.startswith(f"{name} 3 numbers in 2 parameters")
    assert " 0 steps" not in text


def test_an_optimizer_of_many_groups_is_shown_in_part():
    groups = [{"params": [nn.Parameter([1.0])]} for _ in range(100)]
    assert html_of(optim.SGD(groups, lr=0.1)).text.endswith("… 70 more groups")


# Histories


def test_a_history_shows_its_sentence_curves_and_table():
    pytest.importorskip("matplotlib")
    history = nn.History({"loss": [3.0, 2.0, 1.0], "validation loss": [3.0, 2.5, 2.8], "confusion": [[], [], []]})
    found = html_of(history, 60_000)
    assert found.text.startswith("After 3 epochs the loss is 1 on the training set")
    assert "best 2.5, epoch 2" in found.text
    assert found.text.endswith("epoch loss validation loss 1 3 3 2 2 2.5 3 1 2.8")
    assert found.tags.count("svg") == 1


def test_a_measure_may_be_a_number_of_numpy_or_a_tensor():
    history = nn.History({"loss": [np.float32(0.5)], "accuracy": [np.array(0.25)]})
    history.append({"loss": Tensor(0.125, requires_grad=True) * 2.0, "accuracy": np.int64(1)})
    assert history["loss"] == [0.5, 0.25]
    assert not hasattr(history["loss"][1], "node")
    assert read(history_html(history)).text.endswith("epoch loss accuracy 1 0.5 0.25 2 0.25 1")


def test_of_many_measures_some_are_drawn():
    pytest.importorskip("matplotlib")
    found = html_of(nn.History({f"m{k}": [0.5] for k in range(100)}), 200_000)
    assert "24 of 100 measures." in found.text
    assert "m99" in found.text  # in the table


def test_a_history_without_matplotlib_has_no_curves(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = html_of(nn.History({"loss": [3.0, NAN]}))
    assert "svg" not in found.tags
    assert found.text.endswith("epoch loss 1 3 2 NaN")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"loss": []},
        {"<b>$\\frac{$</b>": [1.0, NAN]},
        {"loss": [NAN, NAN], "validation loss": [float("inf"), NAN]},
        {"loss": [1e300, -1e300]},
        {"confusion": [np.eye(2)]},
        {"loss": [None]},
        {"loss": [1.0, 0.5], "validation loss": [None, 0.5]},
        {"loss": list(np.random.default_rng(0).normal(size=50_000))},
    ],
    ids=lambda values: str(values)[:30],
)
def test_every_history_has_a_display(values):
    pytest.importorskip("matplotlib")
    found = html_of(nn.History(values), 250_000)
    assert not values or "epoch" in found.text
    if "<b>$\\frac{$</b>" in values:
        assert "<b>$\\frac{$</b>" in found.text
