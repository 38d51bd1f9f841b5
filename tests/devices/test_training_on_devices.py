"""A training on a device: the history of the CPU, and a fixed number of copies in an epoch, however many batches."""

import math

import numpy as np
import pytest
import stand_in

import nn
import optim
from autograd import DeviceError, Tensor
from autograd.devices import device_of, move

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype(np.float32)
Y = (X[:, :1] > X[:, 1:2]).astype(np.float32)
CLASSES = (X[:, 0] > 0).astype(np.int64) + (X[:, 1] > 0)


class Training:
    """A small network on a device, its optimizer and its data; two of them are alike on two devices."""

    def __init__(self, device, batch_size=8, outputs=1, optimizer=optim.Adam, **loading):
        targets, self.loss = (Y, nn.BCEWithLogitsLoss()) if outputs == 1 else (CLASSES, nn.CrossEntropyLoss())
        self.model = nn.Sequential(
            # a bias here would have a gradient of zero but for rounding, of which Adam makes whole steps
            nn.Linear(3, 8, bias=False, rng=0),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Linear(8, outputs, rng=1),
        )
        self.model.to(device)
        self.optimizer = optimizer(self.model.parameters(), lr=0.02)
        loading = {"device": device, **loading}
        self.train = nn.DataLoader((X[:40], targets[:40]), batch_size, shuffle=True, rng=0, **loading)
        self.validation = nn.DataLoader((X[40:], targets[40:]), 4, **loading)

    def fit(self, epochs=3, **options):
        options = {"validation": self.validation, "progress": False, **options}
        return nn.fit(self.model, self.optimizer, self.loss, self.train, epochs=epochs, **options)


def assert_histories(found, expected):
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(np.array(found[name]), np.array(values), rtol=1e-4, err_msg=name)
        assert all(type(value) in (float, list) for value in found[name])


NAMES = ["accuracy", "precision", "recall", "f1", "confusion"]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("prefetch", [0, 2])
def test_the_history_is_that_of_the_cpu(device, outputs, prefetch):
    there, here = Training(device, outputs=outputs, prefetch=prefetch), Training("cpu", outputs=outputs)
    found, expected = there.fit(metrics=NAMES), here.fit(metrics=NAMES)
    assert_histories(found, expected)
    for p, q in zip(there.model.parameters(), here.model.parameters(), strict=True):
        assert device_of(p.data).partition(":")[0] == device
        np.testing.assert_allclose(move(p.data, "cpu"), q.data, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"accumulate": 2}, {"accumulate": 3, "metrics": ["accuracy"]}, {"validation": None}]
)
def test_other_ways_to_train(device, options):
    assert_histories(Training(device).fit(**options), Training("cpu").fit(**options))


def test_metrics_of_ones_own_get_numpys_arrays(device):
    kinds = set()

    def share(outputs, targets):
        kinds.update((type(outputs), type(targets)))
        return float((outputs > 0).mean())

    Training(device).fit(metrics={"share": share})
    assert kinds == {np.ndarray}


# How often something is copied


def copies(epochs=1, batch_size=8, **options):
    training = Training("cpu", batch_size)
    training.model.to("standin")
    parts = [
        tuple(move(a, "standin") for a in loader.dataset.arrays) for loader in (training.train, training.validation)
    ]
    training.train = nn.DataLoader(parts[0], batch_size, shuffle=True, rng=0)
    training.validation = nn.DataLoader(parts[1], 4)
    with stand_in.counted() as transfers:
        training.fit(epochs, **options)
    return transfers


@pytest.mark.parametrize(
    ("options", "there", "back"),
    [
        ({"validation": None}, 1, 1),  # the order of the epoch; the losses
        ({}, 1, 2),
        ({"metrics": NAMES}, 1, 6),  # losses, outputs, targets; the same of the validation
    ],
)
def test_copies_of_an_epoch_do_not_grow_with_the_number_of_batches(options, there, back):
    for batch_size in (2, 4, 40):
        assert copies(1, batch_size, **options) == {"to device": there, "to host": back}
    assert copies(3, 8, **options) == {"to device": 3 * there, "to host": 3 * back}


def test_what_happens_in_each_batch_waits_only_if_it_looks():
    class Clip(nn.Callback):
        def before_step(self, run):
            optim.clip_grad_norm_(run.model.parameters(), 1.0)

    class Look(nn.Callback):
        def __init__(self):
            self.values = []

        def on_batch_end(self, run):
            if run.batch % 5 == 0:
                self.values += [run.value, run.value]

    assert copies(callbacks=[Clip()]) == copies()
    look = Look()
    assert copies(callbacks=[look])["to host"] == copies()["to host"] + 1
    assert [type(value) for value in look.values] == [float, float]


def test_a_schedule_in_each_batch_waits_only_if_it_wants_the_loss():
    class Wanting:
        def step(self, value):
            assert type(value) is float

        def state_dict(self):
            return {}

    training = Training("cpu")
    schedule = optim.CosineAnnealingLR(training.optimizer, 10)
    assert copies(schedule=schedule, schedule_each="batch") == copies()
    assert copies(schedule=Wanting(), schedule_each="batch")["to host"] == copies()["to host"] + 5


def test_a_loss_that_is_a_parameter_is_what_it_was_before_the_step(device):
    model = nn.Module()
    model.w = nn.Parameter(3.0)
    model.forward = lambda x: model.w
    model.to(device)
    x = move(np.zeros(2), device)
    sgd = optim.SGD(model.parameters(), lr=1.0)
    history = nn.fit(model, sgd, lambda output, target: output, [(x, x)] * 3, epochs=1, progress=False)
    assert history["loss"] == [2.0]  # 3, 2, 1


def test_evaluate_copies_the_losses_once(device):
    training = Training(device)
    with stand_in.counted() as transfers:
        found = nn.evaluate(training.model, training.validation, training.loss, ["accuracy"])
    if device == "standin":
        assert transfers == {"to device": 2 * len(training.validation), "to host": 3}
    here = Training("cpu")
    expected = nn.evaluate(here.model, here.validation, here.loss, ["accuracy"])
    assert found["accuracy"] == expected["accuracy"]
    assert math.isclose(found["loss"], expected["loss"], rel_tol=1e-5)


# What goes wrong


def test_a_loss_that_is_not_finite_is_named_with_its_batch(device):
    training = Training(device, batch_size=10)
    training.train = nn.DataLoader((np.where(np.arange(50)[:, None] == 25, np.nan, X), Y), 10, device=device)
    training.train.dataset.arrays = tuple(a.astype(np.float32) for a in training.train.dataset.arrays)
    seen = []

    class Count(nn.Callback):
        def on_batch_end(self, run):
            seen.append(run.batch)

    with pytest.raises(FloatingPointError, match="the loss is nan in batch 3 of epoch 1"):
        training.fit(callbacks=[Count()])
    assert seen == ([1, 2] if device == "cpu" else [1, 2, 3, 4, 5])  # a device is not waited for in each batch


def test_batches_of_another_device_are_refused(device):
    training = Training(device)
    elsewhere = "standin" if device == "cpu" else None
    training.train = nn.DataLoader((X, Y), 8, device=elsewhere)
    with pytest.raises(DeviceError, match="operands of different devices"):
        training.fit()
    with pytest.raises(DeviceError, match="operands of different devices"):
        nn.evaluate(training.model, training.train, training.loss)


def test_targets_of_another_device_are_refused(device):
    training = Training(device)
    other = "cpu" if device != "cpu" else "standin"
    batch = move(X, device), move(Y, other)
    with pytest.raises(DeviceError, match="operands of different devices"):
        nn.fit(training.model, training.optimizer, training.loss, [batch], epochs=1, progress=False)


def test_a_loss_with_axes_is_refused(device):
    training = Training(device)
    training.loss = lambda output, target: (output - target) ** 2
    with pytest.raises(ValueError, match=r"one number, such as the mean; got shape \(8, 1\)"):
        training.fit()


# Stopping, and going on


def test_early_stopping_keeps_the_best_weights_there(device):
    histories = []
    for place in (device, "cpu"):
        training = Training(place)
        stopping = nn.EarlyStopping(patience=1, min_delta=0.05)
        histories.append(training.fit(epochs=9, callbacks=[stopping]))
        assert histories[-1].epochs < 9
        assert {p.device.partition(":")[0] for p in training.model.parameters()} == {place}
    assert_histories(*histories)


@pytest.mark.parametrize("change", [None, "to the CPU", "from the CPU"])
def test_a_training_goes_on_from_its_checkpoint(device, change, tmp_path):
    first = "cpu" if change == "from the CPU" else device
    second = "cpu" if change == "to the CPU" else device
    path, whole = tmp_path / "checkpoint", Training(second)
    callbacks = [nn.EarlyStopping(patience=5)]
    Training(first).fit(epochs=2, checkpoint=path, callbacks=[nn.EarlyStopping(patience=5)])
    resumed = Training(second)
    found = resumed.fit(epochs=4, checkpoint=path, callbacks=callbacks)
    expected = whole.fit(epochs=4, callbacks=[nn.EarlyStopping(patience=5)])
    assert_histories(found, expected)
    for p, q in zip(resumed.model.parameters(), whole.model.parameters(), strict=True):
        assert p.device == q.device
        if change is None:
            np.testing.assert_array_equal(move(p.data, "cpu"), move(q.data, "cpu"))


def test_a_training_is_shown(device, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "training.html"
    view = nn.TrainingView(path, every=2)
    Training(device).fit(epochs=2, callbacks=[view])
    assert "validation" in path.read_text()
    assert not view._said


def test_norms_are_recorded(device):
    training, here = Training(device), Training("cpu")
    found = []
    for t in (training, here):
        with nn.NormRecorder(t.model) as norms:
            x, y = next(iter(t.train))
            t.loss(t.model(x), y).backward()
        found.append(norms)
    for name, sizes in found[1].activations.items():
        np.testing.assert_allclose(found[0].activations[name], sizes, rtol=1e-5)
    for name, sizes in found[1].parameters.items():
        np.testing.assert_allclose(found[0].parameters[name], sizes, rtol=1e-4, atol=1e-6)


def test_metrics_take_what_lies_on_a_device(device):
    outputs, targets = move(np.array([[2.0], [-1.0], [0.5]]), device), move(np.array([[1], [1], [1]]), device)
    assert nn.accuracy(Tensor(outputs), targets) == nn.accuracy(outputs, Tensor(targets)) == 2 / 3
