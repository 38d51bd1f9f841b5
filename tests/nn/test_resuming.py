"""Trainings that are interrupted, and go on from their checkpoint."""

import numpy as np
import pytest
from small_trainings import batches, data, same

import nn
import optim


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


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_first_epoch(tmp_path):
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    before = model.state_dict()
    sgd = optim.SGD(model.parameters(), lr=0.1)

    class Odd(nn.Callback):
        def state_dict(self):
            return {"what": object()}

        def load_state_dict(self, state):
            pass

    call = (model, sgd, nn.BCEWithLogitsLoss(), batches(X, y, 20))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        nn.fit(*call, epochs=1, checkpoint=tmp_path / "nowhere" / "file", progress=False)
    with pytest.raises(TypeError, match="what a checkpoint can hold"):
        nn.fit(*call, epochs=1, checkpoint=tmp_path / "file", callbacks=[Odd()], progress=False)
    same(before, model.state_dict())
    assert not list(tmp_path.iterdir())


def test_the_loss_and_the_validation_loader_are_part_of_what_goes_on(tmp_path):
    X, y = data(40)

    class Tempered(nn.Module):
        def __init__(self):
            self.temperature = nn.Parameter(np.float32(0.5))

        def forward(self, output, target):
            return nn.BCEWithLogitsLoss()(output * self.temperature, target)

    def run(path, cut=None, seed=0):
        model, loss = nn.MLP([3, 4, 1], rng=seed), Tempered()
        optimizer = optim.Adam([*model.parameters(), *loss.parameters()], lr=0.1)
        noise = nn.Compose([lambda x, rng: x + rng.normal(size=x.shape).astype(x.dtype)])
        validation = nn.DataLoader((X, y), batch_size=7, transform=noise, rng=seed)
        parts, callbacks = batches(X, y, 10), [Power(cut)] if cut else []
        options = {"validation": validation, "checkpoint": path, "callbacks": callbacks, "progress": False}
        return dict(nn.fit(model, optimizer, loss, parts, epochs=4, **options)), loss.temperature.item()

    whole = run(tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(tmp_path / "cut", cut=3)
    assert run(tmp_path / "cut", seed=9) == whole


def test_a_training_that_measures_something_else_is_not_taken_up(tmp_path):
    X, y = data()
    model = nn.Linear(3, 1, rng=0)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    parts = batches(X, y, 20)
    call = (model, sgd, nn.BCEWithLogitsLoss(), parts)
    nn.fit(*call, epochs=1, checkpoint=tmp_path / "file", progress=False)
    before = model.state_dict()
    for options in ({"metrics": ["accuracy"]}, {"validation": parts}):
        with pytest.raises(ValueError, match="saved measured loss; this one measures loss, "):
            nn.fit(*call, epochs=2, checkpoint=tmp_path / "file", progress=False, **options)
        same(before, model.state_dict())
