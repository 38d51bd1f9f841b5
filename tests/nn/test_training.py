"""The training loop, its history, early stopping, callbacks and metrics."""

import sys

import numpy as np
import pytest

import nn
import optim


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).astype(np.float32)
    return X, (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)


def batches(X, y, size):
    """Not a loader: any iterable of tuples will do."""
    return [(X[k : k + size], y[k : k + size]) for k in range(0, len(X), size)]


def same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


# The loop


def test_the_loop_is_the_one_that_people_write():
    X, y = data()
    criterion = nn.BCEWithLogitsLoss()

    model = nn.MLP([3, 4, 1], rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        total = 0.0
        for a, b in batches(X, y, 25):  # 25, 25 and 10
            loss = criterion(model(a), b)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            total += float(loss) * len(a)
        losses.append(total / len(X))

    other = nn.MLP([3, 4, 1], rng=0)
    descent = optim.SGD(other.parameters(), lr=0.1, momentum=0.9)
    history = nn.fit(other, descent, criterion, batches(X, y, 25), epochs=3, progress=False)
    assert history["loss"] == losses
    same(model.state_dict(), other.state_dict())


def test_accumulated_batches_are_one_large_batch_also_the_last_few():
    X, y = data(50)
    results = []
    for size, accumulate in ((20, 1), (10, 2)):  # 20, 20, 10 examples for each update
        model = nn.MLP([3, 4, 1], dtype=np.float64, rng=0)
        sgd = optim.SGD(model.parameters(), lr=0.1)
        parts = batches(X.astype(float), y, size)
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), parts, epochs=2, accumulate=accumulate, progress=False)
        results.append(model.state_dict())
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, rtol=1e-12, atol=1e-15)


def test_validation_is_measured_in_evaluation_mode_and_changes_nothing():
    X, y = data()
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.BatchNorm1d(8), nn.Dropout(0.5, rng=0), nn.Linear(8, 1, rng=1))
    sgd = optim.SGD(model.parameters(), lr=0.0)
    history = nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1, validation=batches(X, y, 7))
    state = model.state_dict()
    assert all(module.training for module in model.modules())
    measured = nn.evaluate(model, batches(X, y, 60), nn.BCEWithLogitsLoss())
    assert all(module.training for module in model.modules())
    same(state, model.state_dict())
    assert history["validation loss"][0] == pytest.approx(measured["loss"], rel=1e-6)


def test_frozen_parts_that_are_in_evaluation_mode_stay_so_after_validation():
    X, y = data()
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    model[0].eval()
    nn.evaluate(model, batches(X, y, 20), nn.BCEWithLogitsLoss())
    assert [module.training for module in model.modules()] == [True, False, True]


def test_metrics_know_whether_outputs_are_logits_or_probabilities():
    X, y = data()
    logits = nn.MLP([3, 4, 1], rng=0)
    probabilities = nn.Sequential(logits, nn.Sigmoid())
    first = nn.evaluate(logits, batches(X, y, 20), nn.BCEWithLogitsLoss(), ["accuracy", "recall"])
    second = nn.evaluate(probabilities, batches(X, y, 20), nn.BCELoss(), ["accuracy", "recall"])
    assert first["accuracy"] == second["accuracy"] == ((logits(X).numpy() > 0) == (y > 0)).mean()
    assert first["recall"] == second["recall"]
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)


def test_metrics_of_ones_own_get_the_plain_arrays_of_the_whole_epoch():
    X, y = data()
    seen = []

    def shapes(output, target):
        seen.append((type(output), output.shape, type(target), target.shape))
        return 1.0

    model = nn.Linear(3, 1)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 25), epochs=1, metrics={"shapes": shapes}, progress=False)
    assert seen == [(np.ndarray, (60, 1), np.ndarray, (60, 1))]


def test_the_schedule_goes_on_after_each_epoch_or_each_batch():
    X, y = data()
    for each, expected in (("epoch", 0.5**2), ("batch", 0.5**6)):
        model = nn.Linear(3, 1)
        sgd = optim.SGD(model.parameters(), lr=1.0)
        schedule = optim.ExponentialLR(sgd, gamma=0.5)
        options = {"schedule": schedule, "schedule_each": each, "progress": False}
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=2, **options)
        assert sgd.param_groups[0]["lr"] == pytest.approx(expected)


def test_a_schedule_that_waits_for_a_plateau_gets_the_validation_loss():
    X, y = data()
    model = nn.Linear(3, 1)
    sgd = optim.SGD(model.parameters(), lr=1e-3)
    schedule = optim.ReduceLROnPlateau(sgd, patience=0, threshold=0.5)
    parts = batches(X, y, 20)
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), parts, validation=parts, epochs=3, schedule=schedule, progress=False)
    assert sgd.param_groups[0]["lr"] == pytest.approx(1e-5)


def test_a_loss_that_is_not_finite_ends_the_training_with_a_sentence():
    X, y = data()
    X[30] = np.inf
    model = nn.Linear(3, 1, rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="batch 2 of epoch 1"):
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1, progress=False)


def test_bad_arguments_are_refused_before_anything_is_changed():
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    before = model.state_dict()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    call = (model, sgd, nn.BCEWithLogitsLoss())
    with pytest.raises(ValueError, match="there are no batches"):
        nn.fit(*call, [], epochs=1)
    for options, message in (
        ({"accumulate": 0}, "accumulate"),
        ({"schedule_each": "step"}, "schedule_each"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'; the names are accuracy"),
        ({"callbacks": [nn.EarlyStopping()]}, "give fit a validation set"),
    ):
        with pytest.raises(ValueError, match=message):
            nn.fit(*call, batches(X, y, 20), epochs=1, **options)
    with pytest.raises(TypeError, match=r"write \['accuracy'\]"):
        nn.fit(*call, batches(X, y, 20), epochs=1, metrics="accuracy")
    same(before, model.state_dict())


def test_the_progress_bar_shows_the_measures_when_it_is_asked_for(capsys):
    pytest.importorskip("tqdm")
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=" in shown
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=2)  # nobody looks
    assert capsys.readouterr().err == ""


def test_without_tqdm_there_is_no_bar_unless_one_is_wanted(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1)
    with pytest.raises(ImportError, match=r"wengert\[examples\]"):
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1, progress=True)


# Callbacks


class Diary(nn.Callback):
    def __init__(self):
        self.lines = []

    def on_train_begin(self, run):
        self.lines.append("begin")

    def on_epoch_begin(self, run):
        self.lines.append(f"epoch {run.epoch}")

    def before_step(self, run):
        assert all(p.grad is not None for p in run.model.parameters())
        self.lines.append("step")

    def on_batch_end(self, run):
        self.lines.append(f"batch {run.batch}")

    def on_epoch_end(self, run):
        self.lines.append(f"over {run.history.epochs}")
        run.stopped = "enough"

    def on_train_end(self, run):
        self.lines.append("end")


def test_callbacks_are_called_in_order_and_can_stop():
    X, y = data(30)
    model, diary = nn.Linear(3, 1), Diary()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 15), epochs=5, callbacks=[diary], progress=False)
    assert diary.lines == ["begin", "epoch 1", "step", "batch 1", "step", "batch 2", "over 1", "end"]


def test_the_end_comes_also_when_something_fails():
    X, y = data(30)
    model, diary = nn.Linear(3, 1), Diary()
    sgd = optim.SGD(model.parameters(), lr=0.1)

    def loss(output, target):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        nn.fit(model, sgd, loss, batches(X, y, 15), epochs=5, callbacks=[diary], progress=False)
    assert diary.lines == ["begin", "epoch 1", "end"]


# Early stopping


@pytest.mark.parametrize(
    ("values", "options", "stops", "best"),
    [
        ([5, 4, 3, 2, 1], {"patience": 1}, None, 5),
        ([5, 4, 4.5, 4.2, 1], {"patience": 2}, 4, 2),
        ([5, 4, 4.5, 3.9, 3.8], {"patience": 2}, None, 5),
        ([5, 4.99, 4.98, 4.97, 4.96], {"patience": 3, "min_delta": 0.1}, 4, 1),
        ([5, 4, 3, 2, 1], {"patience": 1, "mode": "max"}, 2, 1),
        ([float("nan")] * 3, {"patience": 2}, 2, 0),
        ([2, float("nan"), float("nan")], {"patience": 2}, 3, 1),
    ],
)
def test_it_stops_after_patience_epochs_without_improvement(values, options, stops, best):
    stopping, model = nn.EarlyStopping(**options), nn.Linear(1, 1)
    stopped = next((k for k, value in enumerate(values, 1) if stopping.update(value, model)), None)
    assert stopped == stops
    assert stopping.best_epoch == best


def test_the_best_weights_come_back():
    model, stopping = nn.Linear(1, 1), nn.EarlyStopping(patience=2)
    for k, value in enumerate([3.0, 1.0, 2.0, 4.0]):
        model.weight.data = np.full((1, 1), k, np.float32)
        if stopping.update(value, model):
            break
    stopping.restore(model)
    assert model.weight.item() == 1.0


def test_as_a_callback_it_ends_the_training_and_restores():
    X, y = data(24)
    model = nn.MLP([3, 64, 1], rng=0)
    stopping = nn.EarlyStopping(patience=3)
    history = nn.fit(
        model,
        optim.Adam(model.parameters(), lr=0.05),
        nn.BCEWithLogitsLoss(),
        batches(X, 1 - y, 8),
        validation=batches(*data(200, seed=1), 200),
        epochs=200,
        callbacks=[stopping],
        progress=False,
    )
    assert history.epochs == stopping.best_epoch + 3 < 200
    again = nn.evaluate(model, batches(*data(200, seed=1), 200), nn.BCEWithLogitsLoss())
    assert again["loss"] == stopping.best == min(history["validation loss"])


@pytest.mark.parametrize("options", [{"patience": 0}, {"patience": 1.5}, {"min_delta": -1}, {"mode": "least"}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        nn.EarlyStopping(**options)


# History


def test_the_report_says_when_training_and_validation_part():
    history = nn.History({"loss": [3.0, 2.0, 1.0], "validation loss": [3.0, 2.5, 2.8]})
    assert history.parting() == 2
    assert "lowest, 2.5, after epoch 2. Since then it has risen while the training loss fell from 2 to 1" in (
        history.report()
    )
    assert nn.History({"loss": [3.0, 2.0], "validation loss": [3.0, 2.5]}).parting() is None
    assert "still falling" in nn.History({"loss": [3.0, 2.0], "validation loss": [3.0, 2.5]}).report()
    assert "without a validation set" in nn.History({"loss": [3.0]}).report()
    assert nn.History().report() == "There has been no epoch yet."


def test_a_history_is_one_value_of_each_measure_for_each_epoch():
    history = nn.History()
    history.append({"loss": 1.0, "accuracy": 0.5})
    with pytest.raises(ValueError, match="has loss, accuracy; it was given loss"):
        history.append({"loss": 1.0})
    with pytest.raises(ValueError, match="one value of each"):
        nn.History({"loss": [1.0], "accuracy": []})
    with pytest.raises(KeyError, match="there are loss, accuracy"):
        history["acc"]
    assert dict(history) == {"loss": [1.0], "accuracy": [0.5]}
    assert repr(history) == "epoch  loss  accuracy\n    1     1       0.5"
    assert repr(nn.History({"loss": list(range(100))})).count("\n") == 21


def test_the_plot_has_a_panel_for_each_measure_and_marks_the_parting():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    history = nn.History(
        {
            "loss": [3.0, 2.0, 1.0],
            "validation loss": [3.0, 2.5, 2.8],
            "accuracy": [0.1, 0.2, 0.3],
            "confusion": [[], [], []],
        }
    )
    figure = history.plot()
    assert [ax.get_title() for ax in figure.axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["training", "validation", "they part"]
    with pytest.raises(ValueError, match="2 axes are needed"):
        history.plot(figure.axes[:1])
    pyplot.close(figure)


# Metrics


def test_classes_of_all_shapes():
    from nn.training.metrics import classes

    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6, 3))
    numbers = rng.integers(0, 3, 6)
    for target in (numbers, np.eye(3)[numbers]):
        predicted, true = classes(scores, target)
        np.testing.assert_array_equal(predicted, scores.argmax(1))
        np.testing.assert_array_equal(true, numbers)
    several = np.array([[1, 1, 0]] * 6)
    np.testing.assert_array_equal(classes(scores, several)[0], scores > 0)
    with pytest.raises(ValueError, match=r"shape \(6, 3\) and the targets \(6, 2\)"):
        classes(scores, several[:, :2])
    with pytest.raises(ValueError, match=r"shape \(6, 1\) and the targets \(6,\)"):
        classes(scores[:, :1], numbers)


def test_metrics_by_hand():
    pytest.importorskip("sklearn")
    output, target = np.array([[2.0], [1.0], [0.3], [-1.0], [-2.0]]), np.array([[1], [1], [0], [1], [0]])
    assert nn.accuracy(output, target) == 3 / 5
    assert nn.precision(output, target) == pytest.approx(2 / 3)
    assert nn.recall(output, target) == pytest.approx(2 / 3)
    assert nn.f1_score(output, target) == pytest.approx(2 / 3)
    assert nn.roc_auc(output, target) == pytest.approx(5 / 6)
    assert nn.confusion_matrix(output, target) == [[1, 1], [1, 2]]
    scores, numbers = np.array([[3.0, 1, 0], [0, 1, 0], [0, 1, 2], [5, 1, 2]]), np.array([0, 1, 2, 1])
    assert nn.confusion_matrix(scores, numbers) == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert nn.recall(scores, numbers) == pytest.approx((1 + 0.5 + 1) / 3)
    assert 0.5 < nn.roc_auc(scores, numbers) < 1


def test_without_scikit_learn_the_accuracy_remains(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    assert nn.accuracy([1.0], [1]) == 1.0
    with pytest.raises(ImportError, match=r"wengert\[examples\]"):
        nn.f1_score([1.0], [1])


# To be resumed


class Interrupted(Exception):
    """Stands for a machine that is switched off."""


class Power(nn.Callback):
    """Is cut in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, run):
        if (run.epoch, run.batch) == (self.epoch, 2):
            raise Interrupted


def training(path, seed=0, cut=None, epochs=8, patience=50):
    """With everything that has a state; returns the history and the objects."""
    rng = np.random.default_rng(seed)
    X, y = data(80, seed=3)
    model = nn.Sequential(
        nn.Standardize(3).fit(X),
        nn.Linear(3, 16, rng=rng),
        nn.BatchNorm1d(16),
        nn.ReLU(),
        nn.Dropout(0.3, rng=5),
        nn.Linear(16, 1, rng=rng),
    )
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    noise = nn.Compose([lambda x, rng: x + rng.normal(size=x.shape).astype(x.dtype)])
    stopping = nn.EarlyStopping(patience=patience)
    history = None
    try:
        history = nn.fit(
            model,
            optimizer,
            nn.BCEWithLogitsLoss(),
            nn.DataLoader((X[:60], y[:60]), batch_size=16, shuffle=True, rng=rng, transform=noise, prefetch=1),
            validation=nn.DataLoader((X[60:], y[60:])),
            epochs=epochs,
            metrics=["accuracy"],
            schedule=optim.CosineAnnealingLR(optimizer, T_max=8),
            callbacks=[stopping, *([Power(cut)] if cut else [])],
            checkpoint=path,
            progress=False,
        )
    except Interrupted:
        assert cut is not None
    return history, model, optimizer, stopping


def test_an_interrupted_training_goes_on_as_if_it_had_not_been_bit_for_bit(tmp_path):
    whole, model, optimizer, stopping = training(tmp_path / "whole")
    for cut in (1, 4, 6):
        training(tmp_path / "cut", cut=cut)
        again, other, optimizer2, stopping2 = training(
            tmp_path / "cut", seed=99
        )  # its own seed does not matter any more
        if cut == 1:  # nothing was saved yet: another training, which the seed does matter to
            assert dict(again) != dict(whole)
        else:
            assert dict(again) == dict(whole)
            same(model.state_dict(), other.state_dict())
            for a, b in zip(optimizer.state, optimizer2.state):
                same(a, b)
            assert stopping.best_epoch == stopping2.best_epoch
        (tmp_path / "cut").unlink()


def test_a_training_that_is_over_or_stopped_does_not_go_on(tmp_path):
    first, model, _, stopping = training(tmp_path / "file", patience=1, epochs=30)
    assert first.epochs == stopping.best_epoch + 1 < 30
    again, other, *_ = training(tmp_path / "file", patience=1, epochs=40)
    assert dict(again) == dict(first)
    same(model.state_dict(), other.state_dict())


def test_a_training_can_be_continued_with_more_epochs(tmp_path):
    training(tmp_path / "file", epochs=3)
    longer, *_ = training(tmp_path / "file", epochs=8)
    assert dict(longer) == dict(training(tmp_path / "other", epochs=8)[0])


def test_the_checkpoint_of_another_training_is_refused_and_changes_nothing(tmp_path):
    training(tmp_path / "file", epochs=2)
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    before = model.state_dict()
    sgd = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="nothing is changed"):
        nn.fit(model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1, checkpoint=tmp_path / "file")
    same(before, model.state_dict())


def test_callbacks_that_remember_must_be_those_of_the_checkpoint(tmp_path):
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    call = (model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20))
    nn.fit(*call, epochs=1, checkpoint=tmp_path / "file", progress=False)
    stopping = nn.EarlyStopping(monitor="loss")
    with pytest.raises(ValueError, match=r"had the callbacks \[\], this one has \['EarlyStopping'\]"):
        nn.fit(*call, epochs=2, checkpoint=tmp_path / "file", callbacks=[stopping], progress=False)
