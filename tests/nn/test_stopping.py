"""Early stopping: when it stops, and which weights it keeps."""

import numpy as np
import pytest

import nn
import optim


def data(n, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).astype(np.float32)
    return X, (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)


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
    X, y = data(24, seed=0)
    validation = [data(200, seed=1)]
    model = nn.MLP([3, 64, 1], rng=0)
    stopping = nn.EarlyStopping(patience=3)
    history = nn.fit(
        model,
        optim.Adam(model.parameters(), lr=0.05),
        nn.BCEWithLogitsLoss(),
        nn.DataLoader((X, 1 - y), batch_size=8),
        validation=validation,
        epochs=200,
        callbacks=[stopping],
        progress=False,
    )
    assert history.epochs == stopping.best_epoch + 3 < 200
    again = nn.evaluate(model, validation, nn.BCEWithLogitsLoss())
    assert again["loss"] == stopping.best == min(history["validation loss"])


@pytest.mark.parametrize("options", [{"patience": 0}, {"patience": 1.5}, {"min_delta": -1}, {"mode": "least"}])
def test_impossible_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        nn.EarlyStopping(**options)


def test_which_way_is_better_must_be_said_of_what_is_no_loss():
    assert nn.EarlyStopping(monitor="loss").mode == nn.EarlyStopping().mode == "min"
    with pytest.raises(ValueError, match="less or more of 'validation accuracy' is better must be said"):
        nn.EarlyStopping(monitor="validation accuracy")
    stopping, model = nn.EarlyStopping(monitor="validation accuracy", mode="max"), nn.Linear(1, 1)
    for value in (0.5, 0.9, 0.7):
        stopping.update(value, model)
    assert (stopping.best, stopping.best_epoch) == (0.9, 2)
