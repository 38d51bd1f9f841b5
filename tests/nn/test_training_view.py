"""The view of a training: what it shows, where, and that the training does not notice."""

import itertools
import json
import math
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from html_reading import read

import nn
import optim
from nn.checkpoint import pack, unpack
from nn.training import view as module
from nn.training.figures import curves, norms, weights

NAN = float("nan")


def data(n=64):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, 3)).astype(np.float32)
    return X, (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)


def train(*callbacks, epochs=3, model=None, schedule=False, **options):
    rng = np.random.default_rng(0)
    layers = nn.Linear(3, 8, rng=rng), nn.ReLU(), nn.Dropout(0.2, rng=rng), nn.Linear(8, 1, rng=rng)
    model = model or nn.Sequential(*layers)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    if schedule:
        options["schedule"] = optim.StepLR(optimizer, step_size=1, gamma=0.5)
    loader = nn.DataLoader(data(), batch_size=16, shuffle=True, rng=rng)
    history = nn.fit(
        model,
        optimizer,
        nn.BCEWithLogitsLoss(),
        loader,
        validation=nn.DataLoader(data(), batch_size=64),
        epochs=epochs,
        callbacks=callbacks,
        progress=False,
        **options,
    )
    return model, history


def test_a_training_is_the_same_with_and_without_it(tmp_path):
    model, history = train()
    for options in ({}, {"every": 1, "path": tmp_path / "view.html"}, {"norms": False, "histograms": False}):
        other, seen = train(nn.TrainingView(**options))
        assert dict(seen) == dict(history)
        for name, value in model.state_dict().items():
            assert value.tobytes() == other.state_dict()[name].tobytes()
        assert not any(part._hooks and vars(part._hooks).get("after") for part in other.modules())


def test_the_page_has_curves_rates_layers_and_weights(tmp_path):
    path = tmp_path / "view.html"
    train(nn.TrainingView(path), schedule=True, metrics=["accuracy"])
    page = path.read_text(encoding="utf-8")
    assert len(page) < 200_000
    found = read(page)
    for said in (
        "Training of Sequential",
        "After 3 epochs the loss is",
        "accuracy",
        "learning rate",
        "training",
        "validation",
        "activations",
        "gradients at the outputs",
        "gradients of the parameters",
        "0.weight",
        "3.bias",
        "Adam",
    ):
        assert said in found.text
    assert found.text.count("best ") == 2
    assert found.tags.count("svg") == 3
    assert "http-equiv" not in page
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_keeps_up_with_a_training_that_runs(tmp_path, monkeypatch):
    path = tmp_path / "view.html"
    seen = []

    class Look(nn.Callback):
        def on_epoch_begin(self, run):
            page = path.read_text(encoding="utf-8")
            assert 'http-equiv="refresh"' in page
            seen.append(read(page).text)

    monkeypatch.setattr(module, "_PATIENCE", 0)
    monkeypatch.setattr(module, "_FIRST", 0)
    train(nn.TrainingView(path, norms=False, histograms=False), Look(), epochs=2)
    assert "running, 0 epochs done There has been no epoch yet." in seen[0]
    assert "running, 1 epoch done After 1 epoch the loss" in seen[1]


def test_it_draws_seldom_and_at_the_end(monkeypatch, tmp_path):
    clock = itertools.count()
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(clock)))
    pages = []
    monkeypatch.setattr(nn.TrainingView, "save", lambda self, path: pages.append(self.history.epochs))
    train(nn.TrainingView(tmp_path / "view.html"), epochs=25)
    # on this clock each look takes 1, and so each drawing: after it, nothing is drawn for nine times as long
    assert pages == [0, 1, 10, 19, 25]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_page_is_written_when_a_training_is_broken_off(tmp_path, error):
    class Break(nn.Callback):
        def on_batch_end(self, run):
            if (run.epoch, run.batch) == (2, 3):
                raise error

    path = tmp_path / "view.html"
    with pytest.raises(error):
        train(nn.TrainingView(path, norms=False, histograms=False), Break())
    text = read(path.read_text(encoding="utf-8")).text
    assert "ended in batch 3 of epoch 2" in text
    assert "After 1 epoch the loss" in text


def test_an_early_end_is_said(tmp_path):
    path = tmp_path / "view.html"
    view = nn.TrainingView(path, norms=False, histograms=False)
    train(nn.EarlyStopping(patience=1, min_delta=10.0), view, epochs=9)
    assert "validation loss has not improved for 1 epochs" in read(path.read_text(encoding="utf-8")).text


def test_a_path_that_cannot_be_written_is_said_before_the_first_epoch(tmp_path):
    model = nn.Linear(3, 1)
    before = model.state_dict()
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        train(nn.TrainingView(tmp_path / "missing" / "view.html"), model=model)
    np.testing.assert_array_equal(model.weight.data, before["weight"])


def test_a_training_goes_on_when_it_cannot_be_shown_any_more(tmp_path, monkeypatch):
    class Lose(nn.Callback):
        def on_epoch_begin(self, run):
            if run.epoch == 2:
                path.unlink()
                path.parent.rmdir()

    monkeypatch.setattr(module, "_PATIENCE", 0)
    monkeypatch.setattr(module, "_FIRST", 0)
    path = tmp_path / "pages" / "view.html"
    path.parent.mkdir()
    view = nn.TrainingView(path, norms=False, histograms=False)
    with pytest.warns(RuntimeWarning, match=r"after epoch 2 .* could not be shown, and goes on: .*no folder") as said:
        _, history = train(view, Lose(), epochs=2)
    assert (len(said), history.epochs) == (1, 2)
    path.parent.mkdir()
    view.save(path)
    assert "After 2 epochs" in read(path.read_text(encoding="utf-8")).text


def test_only_an_interrupt_ends_a_training_from_within_a_drawing(tmp_path, monkeypatch):
    def save(self, path):
        if self.history.epochs:
            raise KeyboardInterrupt

    monkeypatch.setattr(nn.TrainingView, "save", save)
    with pytest.raises(KeyboardInterrupt):
        train(nn.TrainingView(tmp_path / "view.html"), epochs=1)


def test_a_resumed_training_goes_on_with_the_same_view(tmp_path):
    whole, half, rest = nn.TrainingView(), nn.TrainingView(), nn.TrainingView()
    train(whole, epochs=4)
    train(half, epochs=2, checkpoint=tmp_path / "c")
    train(rest, epochs=4, checkpoint=tmp_path / "c")
    assert rest.state_dict() == whole.state_dict()
    assert unpack(*pack(whole.state_dict())) == whole.state_dict()
    assert rest._repr_html_() == whole._repr_html_()
    with pytest.raises(ValueError, match="not the state of a TrainingView"):
        rest.load_state_dict({"best": 1})


def test_a_second_training_starts_anew():
    view = nn.TrainingView()
    train(view, epochs=3)
    train(view, epochs=2)
    assert [epoch for epoch, _ in view.weights] == [1, 2]
    assert view.rates[0][0] == 0.25


def test_a_shorter_history_is_of_another_training():
    view = nn.TrainingView()
    for history, epochs in ((nn.History(), 3), (nn.History(), 2)):
        for k in range(epochs):
            history.append({"loss": 1.0 / (k + 1)})
            view.update(history, nn.MLP([2, 1]))
    assert [epoch for epoch, _ in view.weights] == [1, 2]
    assert "After 2 epochs" in read(view._repr_html_()).text


def test_what_is_kept_does_not_swell_a_checkpoint():
    view, history, model = nn.TrainingView(), nn.History(), nn.MLP([2, 1])
    for epoch in range(1, 601):
        history.append({"loss": 1.0})
        view._quiet_until = float("inf")
        view.sizes.append((epoch, {"activations": {"0": 1.0}}))
        view.update(history, model)
    assert len(view.sizes) <= 257
    assert len(view.weights) <= 33
    assert [view.sizes[0][0], view.weights[0][0], view.weights[-1][0]] == [1, 1, 600]


def test_the_sizes_are_those_of_the_recorder():
    view, recorded = nn.TrainingView(every=1), []

    class Record(nn.Callback):
        def on_train_begin(self, run):
            self.recorder = nn.NormRecorder(run.model).__enter__()

        def on_epoch_end(self, run):
            recorded.append({name: np.mean(sizes[-4:]) for name, sizes in self.recorder.activations.items()})

        def on_train_end(self, run):
            self.recorder.__exit__()

    train(view, Record())
    for (_, sizes), expected in zip(view.sizes, recorded, strict=True):
        assert sizes["activations"] == pytest.approx(expected)
        assert sizes["gradients of the parameters"].keys() == {"0.weight", "0.bias", "3.weight", "3.bias"}
    only_first = nn.TrainingView(every=100)
    train(only_first, epochs=1)
    assert only_first.sizes[0][1] != view.sizes[0][1]


def test_rates_are_those_of_the_steps():
    view = nn.TrainingView()
    train(view, schedule=True)
    assert view.rates[:5] == [(0.25, [0.01]), (0.5, [0.01]), (0.75, [0.01]), (1.0, [0.01]), (1.25, [0.005])]


def test_rates_that_are_no_numbers_are_drawn():
    rates = [(1.0, [0.1, math.inf]), (2.0, [NAN, 0.0])]
    assert "learning rate" in read(curves(nn.History({"loss": [1.0, 0.5]}), rates)).text


def test_of_many_learning_rates_it_is_said_how_many_are_drawn():
    rates = [(1.0, [10.0**-k for k in range(12)])]
    text = read(curves(nn.History({"loss": [1.0]}), rates)).text
    assert "learning rate, 8 of 12" in text
    assert "group 0" in text
    assert "group 8" not in text


def test_a_loop_of_ones_own_can_be_viewed(tmp_path):
    model, history, view = nn.MLP([3, 4, 1]), nn.History(), nn.TrainingView()
    for k in range(3):
        history.append({"accuracy": k / 3})
        view.update(history, model)
    view.save(tmp_path / "own.html")
    text = read((tmp_path / "own.html").read_text(encoding="utf-8")).text
    assert "best 0.6667, epoch 3" in text
    assert "learning rate" not in text
    with pytest.raises(TypeError, match=r"shows an nn\.History, got dict"):
        view.update({"loss": [1.0]})


def test_a_notebook_shows_it_once_and_then_changes_it(monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []

    class Handle:
        def update(self, view):
            shown.append(("update", read(view._repr_html_()).text[:24]))

    def show(view, display_id):
        shown.append(("display", display_id))
        return Handle()

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(module, "_PATIENCE", 0)
    monkeypatch.setattr(module, "_FIRST", 0)
    view = nn.TrainingView(norms=False, histograms=False)
    train(view)
    assert shown == []  # nobody is there
    shell = type("Shell", (), {"kernel": None})()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    train(view, epochs=2)
    assert shown == [
        ("display", True),
        ("update", "running, 2 epochs done A"),
        ("update", "After 2 epochs the loss "),
    ]


def test_nothing_is_printed(capsys):
    train(nn.TrainingView())
    assert capsys.readouterr() == ("", "")


def test_names_are_shown_and_never_executed(tmp_path):
    class Evil(nn.Module):
        def __init__(self):
            self.layers = {"<script>alert(1)</script>": nn.Linear(3, 1), "$\\frac{$ \" '&amp;名\ud800": nn.Linear(3, 1)}

        def forward(self, x):
            return sum(layer(x) for layer in self.layers.values())

    path = tmp_path / "<b>.html"
    model = Evil()
    view = nn.TrainingView(path)
    train(view, model=model, epochs=1)
    text = read(path.read_text(encoding="utf-8")).text
    for part in ("layers.<script>", "<script>alert(1)</script> Linear", "/script>.weight", "$\\frac{$ \" '&amp;名"):
        assert part in text


def test_a_long_training_of_a_large_network_is_a_page_of_bounded_size(tmp_path):
    view, history = nn.TrainingView(), nn.History()
    names = [f"blocks.{k}.weight" for k in range(200)]
    rng = np.random.default_rng(0)
    found = {"counts": rng.integers(0, 100, 24).tolist(), "edges": np.linspace(-1, 1, 25).tolist()}
    optimizer = optim.SGD([{"params": [nn.Parameter([1.0])], "lr": 0.1 + k} for k in range(100)], lr=0.1)
    for epoch in range(1, 3001):
        history.append({"loss": rng.random(), "validation loss": rng.random()})
        view._quiet_until = float("inf")
        view.update(history, None, optimizer)
        view.sizes.append((epoch, {"activations": dict.fromkeys(names, rng.random())}))
        view.weights.append((epoch, dict.fromkeys(names, found)))
    view.update(history)
    assert len(view.rates) <= 1001
    view.save(tmp_path / "long.html")
    assert (tmp_path / "long.html").stat().st_size < 1_500_000
    json.dumps(view.state_dict())


@pytest.mark.parametrize(
    "sizes",
    [
        [(1, {"a": 0.0})],
        [(1, {"a": NAN, "b": 1e-300}), (2, {"a": float("inf"), "b": 1e300})],
        [(1, {}), (7, {"late": 1.0})],
        [(1, {})],
    ],
    ids=["zero", "not finite", "late", "none"],
)
def test_sizes_that_vanish_or_explode_are_drawn(sizes):
    read(norms({"activations": sizes}))


def test_weights_that_are_all_equal_are_drawn():
    equal = {"counts": [3], "edges": [0.0, 0.0]}
    found = read(weights([(1, {"zeros": equal}), (2, {"zeros": {"counts": [1, 2], "edges": [0.0, 1.0, 2.0]}})]))
    assert found.text.startswith("zeros") or "zeros" in found.text


def test_weights_that_hardly_differ_are_drawn():
    one = float(np.nextafter(1.0, 2.0))
    read(weights([(1, {"nearly ones": {"counts": [4, 0, 0, 3], "edges": [1.0, 1.0, 1.0, one, one]}})]))


def test_a_history_without_a_number_is_shown_with_the_rates():
    view = nn.TrainingView()
    view.update(nn.History({"confusion": [np.eye(2)]}), None, optim.SGD([nn.Parameter([1.0])], lr=0.1))
    assert "learning rate" in read(view._repr_html_()).text


def test_without_matplotlib_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r"drawn by matplotlib, which is missing here: .pip install .wengert\[examples"
    ):
        nn.TrainingView()
