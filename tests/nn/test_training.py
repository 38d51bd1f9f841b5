"""The training loop, and its callbacks."""

import io
import sys

import numpy as np
import pytest
from small_trainings import batches, data, same

import nn
import optim

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


def test_accumulated_batches_count_alike_for_parameters_that_a_callback_adds():
    X, y = data(80)
    second = nn.Linear(4, 1, rng=1)

    class Grow(nn.Callback):
        def __init__(self, epoch, batch):
            self.when, self.gradients = (epoch, batch), []

        def on_batch_end(self, run):
            if (run.epoch, run.batch) == self.when:
                run.model.append(second)
                run.optimizer.add_param_group({"params": [*second.parameters()]})

        def before_step(self, run):
            self.gradients.append(None if second.bias.grad is None else second.bias.grad.copy())

    found = []
    for size, accumulate in ((40, 1), (20, 2)):
        grow = Grow(1, accumulate)  # after the first update, in the middle of an epoch
        model = nn.Sequential(nn.Linear(3, 4, rng=0))
        sgd = optim.SGD(model.parameters(), lr=0.0)
        loss = lambda output, target: ((output.mean(1, keepdims=True) - target) ** 2).mean()  # noqa: E731
        nn.fit(model, sgd, loss, batches(X, y, size), epochs=1, accumulate=accumulate, callbacks=[grow])
        found.append(grow.gradients)
    assert [g is None for g in found[0]] == [g is None for g in found[1]] == [True, False]
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-5)


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
    pytest.importorskip("sklearn")
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


def test_what_is_left_over_is_averaged_also_for_a_parameter_of_no_axes_and_one_of_the_loss():
    X, y = data(30)

    class Scaled(nn.Module):
        def __init__(self):
            self.factor = nn.Parameter(np.float64(1.0))

        def forward(self, x, y=None):
            return x[:, :1] * self.factor if y is None else ((x - y) ** 2).mean() * self.factor

    results = []
    for parts, accumulate in ((batches(X.astype(float), y, 10), 5), (batches(X.astype(float), y, 30), 1)):
        model, loss = Scaled(), Scaled()
        sgd = optim.SGD([*model.parameters(), *loss.parameters()], lr=0.1)
        nn.fit(model, sgd, loss, parts, epochs=1, accumulate=accumulate, progress=False)
        results.append((model.factor.item(), loss.factor.item()))
    assert results[0] == pytest.approx(results[1], rel=1e-12)
    assert results[0][0] != 1.0 != results[0][1]


def test_gradients_that_no_optimizer_uses_do_not_grow():
    X, y = data()
    model = nn.MLP([3, 4, 1], rng=0)
    sizes = []

    class Watch(nn.Callback):
        def before_step(self, run):
            sizes.append(float(abs(model.linear1.weight.grad).sum()))

    sgd = optim.SGD(model.linear2.parameters(), lr=0.0)
    parts = [batches(X, y, 60)[0]] * 3
    nn.fit(model, sgd, nn.BCEWithLogitsLoss(), parts, epochs=1, callbacks=[Watch()], progress=False)
    assert sizes == [sizes[0]] * 3
    assert model.linear1.weight.grad is None


def test_parts_in_evaluation_mode_stay_so_in_a_model_that_is_trained():
    X, y = data()
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    sgd = optim.SGD(model.parameters(), lr=0.1)
    call = (model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20))
    model[1].eval()
    nn.fit(*call, epochs=2, validation=batches(X, y, 20), progress=False)
    assert (model[1].running_mean.data == 0).all()
    model.eval()
    nn.fit(*call, epochs=1, progress=False)
    assert all(module.training for module in model.modules())
    assert (model[1].running_mean.data != 0).any()


def test_an_optimizer_of_another_model_is_refused():
    X, y = data()
    model, other = nn.Linear(3, 1), nn.Linear(3, 1)
    with pytest.raises(ValueError, match="none of the model's parameters"):
        nn.fit(model, optim.SGD(other.parameters(), lr=0.1), nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=1)


def test_a_loss_that_nothing_can_be_learnt_from_is_refused():
    X, y = data()
    model = nn.Linear(3, 1)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    for loss in (lambda output, target: 1.0, lambda output, target: nn.MSELoss()(output.numpy(), target)):
        with pytest.raises(ValueError, match="does not depend on parameters"):
            nn.fit(model, sgd, loss, batches(X, y, 20), epochs=1, progress=False)


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
        ({"accumulate": 2.5}, "accumulate"),
        ({"epochs": 1.5}, "epochs"),
        ({"schedule_each": "step"}, "schedule_each"),
        ({"metrics": ["acuracy"]}, "unknown metric 'acuracy'; the names are accuracy"),
        ({"callbacks": [nn.EarlyStopping()]}, "give fit a validation set"),
        ({"callbacks": [nn.EarlyStopping(monitor="los", mode="min")]}, "'los', and what is measured is loss"),
    ):
        with pytest.raises(ValueError, match=message):
            nn.fit(*call, batches(X, y, 20), **{"epochs": 1, **options})
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


def test_a_notebook_shows_the_bar(monkeypatch):
    pytest.importorskip("tqdm")

    class OutStream(io.StringIO):
        """What sys.stderr is in a notebook: no terminal."""

    OutStream.__module__ = "ipykernel.iostream"
    monkeypatch.setattr(sys, "stderr", OutStream())
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    nn.fit(model, optim.SGD(model.parameters(), lr=0.1), nn.BCEWithLogitsLoss(), batches(X, y, 20), epochs=2)
    assert "2/2" in sys.stderr.getvalue()


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


def test_only_callbacks_that_have_begun_are_ended_and_all_of_these():
    X, y = data(30)
    model, diary, other = nn.Linear(3, 1, rng=0), Diary(), nn.Linear(3, 1, rng=1)
    before = other.state_dict()
    stopping = nn.EarlyStopping(monitor="loss")  # remembers the weights of another training
    parts = batches(X, y, 15)
    nn.fit(model, optim.SGD(model.parameters(), lr=0.1), nn.BCEWithLogitsLoss(), parts, epochs=1, callbacks=[stopping])

    class Broken(nn.Callback):
        def on_train_end(self, run):
            raise RuntimeError("broken")

    sgd = optim.SGD(other.parameters(), lr=0.1)
    call = (other, sgd, nn.BCEWithLogitsLoss(), parts)
    with pytest.raises(ValueError, match="give fit a validation set"):
        nn.fit(*call, epochs=1, callbacks=[diary, nn.EarlyStopping(), stopping], progress=False)
    same(before, other.state_dict())
    assert diary.lines == ["begin", "end"]
    diary.lines.clear()
    with pytest.raises(RuntimeError, match="broken"):
        nn.fit(*call, epochs=1, callbacks=iter([Broken(), diary]), progress=False)
    assert diary.lines[-1] == "end"
