"""What is measured in an epoch: the loss and the metrics, of `evaluate` and of `fit`."""

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor

X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)


def fit(loss, data, **options):
    """One epoch, of one layer."""
    model = options.pop("model", None) or nn.Linear(3, 1, rng=0)
    before = model.state_dict()
    try:
        return nn.fit(model, optim.SGD(model.parameters(), lr=0.1), loss, data, epochs=1, progress=False, **options)
    except (TypeError, ValueError):
        for name, value in model.state_dict().items():
            np.testing.assert_array_equal(value, before[name])
        raise


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_a_loss_that_is_no_mean_is_refused(reduction):
    model, loss = nn.Linear(3, 1), nn.BCEWithLogitsLoss(reduction)
    for size in (1, 20):
        with pytest.raises(ValueError, match=f"each must be a mean: BCEWithLogitsLoss has reduction='{reduction}'"):
            nn.evaluate(model, nn.DataLoader((X, Y), batch_size=size), loss)
        with pytest.raises(ValueError, match="each must be a mean"):
            fit(loss, nn.DataLoader((X, Y), batch_size=size))


def test_a_function_that_returns_many_losses_is_refused():
    with pytest.raises(ValueError, match=r"is one number, such as the mean; got shape \(50, 1\)"):
        fit(lambda output, target: (output - target) ** 2, [(X, Y)])


def test_batches_that_are_no_tuples_are_refused():
    bad = (nn.DataLoader(X, batch_size=2), (X, Y), [(X,)], ["xy"])
    for data in bad:
        with pytest.raises(TypeError, match=r"nn.DataLoader\(\(X, y\)"):
            fit(nn.MSELoss(), data, model=nn.Linear(3, 3))
        with pytest.raises(TypeError, match=r"nn.DataLoader\(\(X, y\)"):
            nn.evaluate(nn.Linear(3, 3), data, nn.MSELoss())
    assert fit(nn.BCEWithLogitsLoss(), [[X, Y]]).epochs == 1  # as PyTorch's loader makes them


def test_each_loss_knows_above_which_number_an_output_is_a_one():
    truth = Y[:, 0] > 0
    logits = nn.MLP([3, 8, 1], rng=1)
    probabilities = nn.Sequential(logits, nn.Sigmoid())
    right = float((logits(X).numpy()[:, 0] > 0).__eq__(truth).mean())
    assert 0.2 < right < 0.8
    for model, loss, target in (
        (logits, nn.BCEWithLogitsLoss(), Y),
        (logits, nn.HingeLoss(), 2 * Y - 1),
        (probabilities, nn.BCELoss(), Y),
        (probabilities, nn.MSELoss(), Y),
        (probabilities, nn.HalfSquaredErrorLoss(), Y),
        (probabilities, nn.L1Loss(), Y),
        (probabilities, nn.HuberLoss(), Y),
    ):
        assert nn.evaluate(model, [(X, target)], loss, ["accuracy"])["accuracy"] == right, type(loss).__name__
    with pytest.raises(ValueError, match=r"does not say .* threshold=0.5"):
        nn.evaluate(probabilities, [(X, Y)], lambda output, target: ((output - target) ** 2).mean(), ["accuracy"])


def test_examples_that_the_loss_ignores_are_ignored_by_the_metrics_too():
    model, numbers = nn.Linear(3, 3, rng=0), np.random.default_rng(1).integers(0, 3, 50)
    numbers[::4] = -100
    kept = numbers >= 0
    first = nn.evaluate(model, [(X, numbers)], nn.CrossEntropyLoss(), ["accuracy"])
    second = nn.evaluate(model, [(X[kept], numbers[kept])], nn.CrossEntropyLoss(), ["accuracy"])
    assert first["accuracy"] == second["accuracy"]


def test_metrics_may_return_what_numpy_or_the_engine_calls_a_number():
    metrics = {
        "mae": lambda output, target: abs(output - target).mean(),  # np.float32
        "tensor": lambda output, target: nn.L1Loss()(Tensor(output), target),
        "zero-d": lambda output, target: np.array(2.0),
        "per column": lambda output, target: output.mean(0),
    }
    history = fit(nn.BCEWithLogitsLoss(), [(X, Y)], metrics=metrics)
    assert [type(history[name][0]) for name in metrics] == [float, float, float, np.ndarray]
    assert history["mae"] == history["tensor"]
    assert "mae" in repr(history)


@pytest.mark.parametrize("name", ["loss", "validation loss", "validation accuracy"])
def test_metrics_do_not_take_the_names_of_what_fit_writes(name):
    with pytest.raises(ValueError, match=f"cannot be called '{name}'"):
        fit(nn.BCEWithLogitsLoss(), [(X, Y)], metrics={name: lambda output, target: 0.0})


def test_a_model_with_several_outputs_and_targets_is_weighed_by_examples_and_has_no_metrics():
    class Twice(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(3, 1, rng=0)

        def forward(self, x):
            return self.layer(x), -self.layer(x)

    def loss(output, target):
        return sum((nn.BCEWithLogitsLoss()(a, b) for a, b in zip(output, target)), start=0.0)

    parts = [(X[:40], (Y[:40], 1 - Y[:40])), (X[40:], (Y[40:], 1 - Y[40:]))]
    whole = nn.evaluate(Twice(), [(X, (Y, 1 - Y))], loss)["loss"]
    assert nn.evaluate(Twice(), parts, loss)["loss"] == pytest.approx(whole, rel=1e-6)
    with pytest.raises(TypeError, match="the output of a batch is a tuple of several"):
        nn.evaluate(Twice(), parts, loss, ["accuracy"])


def test_targets_may_be_tensors():
    first = nn.evaluate(nn.Linear(3, 1, rng=0), [(X, Tensor(Y))], nn.BCEWithLogitsLoss(), ["accuracy"])
    assert first == nn.evaluate(nn.Linear(3, 1, rng=0), [(X, Y)], nn.BCEWithLogitsLoss(), ["accuracy"])
