"""Values that a layer or loss cannot take: refused on the CPU; NaN on a device, which is not waited for."""

import numpy as np
import pytest
import stand_in

import nn
import nn.functional as F
from autograd import Tensor
from autograd.devices import move


def row(*values, dtype=np.float32):
    return np.array(values, dtype)


P = row(0.2, 0.4, 0.9)
Z = np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
LOG_P = np.log(np.full((3, 3), 1 / 3, np.float32))

#: A loss, its prediction, and what it is called with else; a wrong value of the second example.
WRONG = {
    "a target above 1": (nn.BCELoss, P, row(1, 1.5, 0)),
    "a target below 0": (nn.BCEWithLogitsLoss, P, row(1, -0.5, 0)),
    "a target that is NaN": (nn.BCEWithLogitsLoss, P, row(1, np.nan, 0)),
    "a target of 2 as an integer": (nn.BCEWithLogitsLoss, P, row(1, 2, 0, dtype=np.int64)),
    "a probability above 1": (nn.BCELoss, row(0.1, 1.5, 0.2), row(1, 1, 0)),
    "a probability below 0": (nn.BCELoss, row(0.1, -0.5, 0.2), row(1, 1, 0)),
    "a sign of 0": (nn.HingeLoss, P, row(1, 0, -1)),
    "a class that is one too many": (nn.CrossEntropyLoss, Z, row(0, 3, 2, dtype=np.int64)),
    "a class below 0": (nn.CrossEntropyLoss, Z, row(0, -1, 2, dtype=np.int64)),
    "a class far beyond": (nn.CrossEntropyLoss, Z, row(0, 300, 2, dtype=np.int16)),
    "a class that is one too many, smoothed": (
        lambda r="mean": nn.CrossEntropyLoss(r, label_smoothing=0.1, weight=[1, 2, 3.0]),
        Z,
        row(0, 3, 2, dtype=np.int64),
    ),
    "a class below 0 of a likelihood": (nn.NLLLoss, LOG_P, row(0, -1, 2, dtype=np.int64)),
    "a class that is one too many, weighted": (
        lambda r="mean": nn.NLLLoss(r, weight=[1, 2, 3.0]),
        LOG_P,
        row(0, 3, 2, dtype=np.int64),
    ),
    "a class that is one too many, with a margin": (nn.MultiMarginLoss, Z, row(0, 3, 2, dtype=np.int64)),
    "a negative rate": (lambda r="mean": nn.PoissonNLLLoss(r, log_input=False), row(1, -1e-9, 2), row(0, 0, 1)),
    "a negative variance": (nn.GaussianNLLLoss, P, P, row(1, -1, 2)),
    "a negative probability": (nn.KLDivLoss, np.log(P), row(0.1, -0.1, 0.9)),
    "a sign of 2": (nn.CosineEmbeddingLoss, Z + 2, Z, row(1, 2, -1)),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_value_is_refused_on_the_cpu_and_nan_on_a_device(what, device):
    kind, prediction, *others = WRONG[what]
    loss, each = kind().to(device), kind("none").to(device)
    prediction, *others = [move(a, device) for a in (prediction, *others)]
    tensor = Tensor(prediction, requires_grad=True)
    if device == "cpu":
        for call in (loss, each):
            with pytest.raises(ValueError, match=type(loss).__name__ + "|cross_entropy|nll_loss|multi_margin_loss"):
                call(tensor, *others)
        return
    with stand_in.counted() as transfers, np.errstate(invalid="ignore"):
        result = loss(tensor, *others)
        result.backward()
        losses, plain = each(tensor, *others), loss(prediction, *others)
    assert transfers == {}
    assert np.isnan(float(result))
    assert np.isnan(float(plain))
    assert np.isnan(losses.numpy()).tolist() == [False, True, False]


@pytest.mark.parametrize("index", [-1, 5, 300])
def test_a_row_that_is_not_there_is_nan_on_a_device(index, device):
    layer = nn.Embedding(5, 3, rng=0).to(device)
    places = move(np.array([[0, index], [4, 4]]), device)
    if device == "cpu":
        with pytest.raises(IndexError, match=f"there is no row {index} in a table of 5 rows"):
            layer(places)
        return
    with stand_in.counted() as transfers:
        found = layer(places)
        found.sum().backward()
    assert transfers == {}
    expected = layer.cpu()(np.array([[0, 0], [4, 4]])).numpy().copy()
    expected[0, 1] = np.nan
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize(
    ("loss", "target", "weights"),
    [
        (nn.CrossEntropyLoss(), [-100, -100, -100], None),
        (nn.CrossEntropyLoss(weight=[0, 0, 1.0]), [0, 1, 0], None),
        (nn.CrossEntropyLoss(), [0, 1, 0], [0, 0, 0]),
        (nn.NLLLoss(), [0, 1, 0], [0, 0, 0]),
    ],
)
def test_a_mean_of_nothing_is_nan_on_a_device(loss, target, weights, device):
    arguments = [Z, np.array(target), *([np.float32(weights)] if weights else [])]
    arguments = [move(a, device) for a in arguments]
    loss.to(device)
    if device == "cpu":
        with pytest.raises(ValueError, match="a weighted mean needs weights with a mean above 0"):
            loss(*arguments)
        return
    with stand_in.counted() as transfers, np.errstate(invalid="ignore"):
        found = loss(*arguments)
    assert transfers == {}
    assert np.isnan(float(found))


def test_weights_with_a_negative_mean_are_nan_on_a_device(device):
    loss, arguments = nn.MSELoss(), [move(a, device) for a in (P, P + 1, row(1, -2, 0.5))]
    if device == "cpu":
        with pytest.raises(ValueError, match=r"mean above 0, it is -0\.1666"):
            loss(*arguments)
    else:
        assert np.isnan(float(loss(*arguments)))


def test_what_is_ignored_may_be_any_number_on_a_device(device):
    target = move(np.array([0, 255, 2], np.uint8), device)
    found = nn.CrossEntropyLoss("none", ignore_index=255).to(device)(move(Z, device), target)
    expected = F.cross_entropy(Z, np.array([0, 0, 2])) * [1, 0, 1]
    np.testing.assert_allclose(move(found, "cpu"), expected, rtol=1e-6)


def test_standardising_before_the_fit_is_nan_on_a_device(device):
    scale, x = nn.Standardize(3).to(device), move(Z, device)
    if device == "cpu":
        with pytest.raises(RuntimeError, match="has no mean and no standard deviation yet"):
            scale(x)
        return
    with stand_in.counted() as transfers:
        found = scale(x)
    assert transfers == {}
    assert np.isnan(move(found, "cpu")).all()
    scale.fit(x)
    assert not np.isnan(move(scale(x), "cpu")).any()
    assert scale.mean.device == scale.fitted.device != "cpu"
