"""The mistakes that are made in the first hours with a library: each gets a sentence with a remedy."""

import re

import numpy as np
import pytest

import nn
from autograd import Tensor, no_grad
from nn.activation_names import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
IMAGES = np.zeros((5, 3, 2, 2), np.float32)
Y = np.array([0, 1, 2, 0])
YES = np.array([0, 1, 1, 0])


class Forgetful(nn.Module):
    """Its forward returns nothing."""

    def forward(self, x):
        x * 2


class Foreign:
    """An array of another library."""

    dtype, shape = object(), (4, 3)


def linear(x):
    return nn.Linear(3, 2)(x)


INPUTS = {
    "float64 data": (lambda: linear(X.astype(float)), TypeError, "nothing is converted silently; write x.astype(np.fl"),
    "bytes of an image": (lambda: linear(np.zeros((4, 3), np.uint8)), TypeError, "write x.astype(np.float32)"),
    "a list of objects": (
        lambda: linear([1.0, None, 2.0]),
        TypeError,
        "takes an array or a Tensor of float32",
    ),
    "digits as text": (lambda: linear(["1", "2", "3"]), TypeError, "and was given list"),
    "complex numbers": (lambda: linear([1.0, 2j, 0]), TypeError, "and was given list"),
    "a forgotten return": (lambda: nn.Sequential(Forgetful(), nn.Linear(3, 2))(X), TypeError, "return its result?"),
    "another library": (lambda: linear(Foreign()), TypeError, "takes NumPy arrays and Tensors, and was given"),
    "columns as examples": (lambda: linear(X.T), ValueError, "Rows are examples: write x.T."),
    "images as they are": (lambda: nn.Linear(12, 2)(IMAGES), ValueError, "Put nn.Flatten() before it"),
    "no batch axis": (lambda: nn.Flatten()(X[0]), ValueError, "for one example write x[None]"),
    "of another width": (lambda: linear(X[:, :2]), ValueError, "was given shape (4, 2)."),
    "channels last": (lambda: nn.BatchNorm2d(3)(IMAGES.transpose(0, 2, 3, 1)), ValueError, "of shape (N, 3, H, W)"),
}

CONSTRUCTION = {
    "sizes one by one": (lambda: nn.MLP(3, 4, 2), ValueError, "needs a sequence of at least the numbers"),
    "no sizes": (lambda: nn.MLP([]), ValueError, "as in [30, 16, 1]; got []"),
    "a misspelt activation": (lambda: nn.MLP([3, 1], "rleu"), ValueError, "the names are identity, relu,"),
    "no activation": (lambda: nn.MLP([3, 2, 1], None), TypeError, "such as 'relu' or 'identity'"),
    "a list": (lambda: nn.Sequential([nn.ReLU()]), TypeError, "write Sequential(*modules) rather than Sequential(mod"),
    "a class": (lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU), TypeError, "write nn.ReLU() rather than"),
    "a function": (lambda: nn.Sequential(nn.relu), TypeError, "write nn.ReLU() rather than"),
    "an input": (lambda: nn.Softmax(X), TypeError, "an input goes into Softmax()(x)"),
    "half an axis": (lambda: nn.GLU(0.5), TypeError, "GLU: axis is an integer, got 0.5"),
    "an input of a loss": (lambda: nn.MSELoss(X, X), TypeError, "write MSELoss()(prediction, target)"),
    "logits of a loss": (lambda: nn.CrossEntropyLoss(X, Y), TypeError, "write CrossEntropyLoss()(prediction, target)"),
    "percent": (lambda: nn.Dropout(50), ValueError, "a number from 0 to 1; got 50"),
    "a weight in place": (lambda: nn.CrossEntropyLoss(np.ones(3)), ValueError, "other options are given by name"),
}

LOSSES = {
    "(n, 1) with (n,)": (lambda: nn.MSELoss()(X[:, :1], Y), ValueError, "write target.reshape(4, 1)"),
    "floats for classes": (lambda: nn.CrossEntropyLoss()(X, Y * 1.0), TypeError, "write target.astype(np.int64)"),
    "one-hot": (
        lambda: nn.CrossEntropyLoss()(X, np.eye(3, dtype=int)[Y]),
        ValueError,
        "write target.argmax(1)",
    ),
    "classes from 1": (lambda: nn.CrossEntropyLoss()(X, Y + 1), ValueError, "to count from 0, write target - 1."),
    "a missing class": (lambda: nn.CrossEntropyLoss()(X, Y + 2), ValueError, "a model needs a score for each class"),
    "one score": (lambda: nn.CrossEntropyLoss()(X[:, :1], YES), ValueError, "use BCEWithLogitsLoss"),
    "the other way round": (lambda: nn.CrossEntropyLoss()(Y, X), TypeError, "as in loss(model(x), y)"),
    "signs": (lambda: nn.BCEWithLogitsLoss()(X[:, 0], 2 * YES - 1), ValueError, "write (target + 1) / 2"),
    "classes": (lambda: nn.BCEWithLogitsLoss()(X[:, 0], Y), ValueError, "use CrossEntropyLoss"),
    "missing targets": (lambda: nn.BCEWithLogitsLoss()(X[0], [0, 1, np.nan]), ValueError, "got values from nan to nan"),
    "logits for chances": (lambda: nn.BCELoss()(9 * X[:, 0], YES), ValueError, "for logits use BCEWithLogitsLoss"),
    "the model": (lambda: nn.MSELoss()(nn.Linear(3, 2), X), TypeError, "as in loss(model(x), y)"),
    "its forward": (lambda: nn.CrossEntropyLoss()(nn.Linear(3, 2).forward, Y), TypeError, "as in loss(model(x), y)"),
}

USE = {
    "not a state": (
        lambda: nn.Linear(3, 2).load_state_dict(nn.Linear(3, 2)),
        TypeError,
        "state_dict() returns",
    ),
    "a mode by name": (lambda: nn.Linear(3, 2).train("eval"), TypeError, "True for training or False for evaluation"),
    "an array as weight": (lambda: setattr(nn.Linear(3, 2), "weight", X), TypeError, "assign to its .data"),
}


@pytest.mark.parametrize(
    "mistake", [pytest.param(m, id=name) for table in (INPUTS, CONSTRUCTION, LOSSES, USE) for name, m in table.items()]
)
def test_a_mistake_gets_a_sentence_with_a_remedy(mistake):
    call, error, remedy = mistake
    with pytest.raises(error, match=re.escape(remedy)):
        call()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - {"identity", "tanh"}))
def test_activations_of_real_numbers_refuse_complex_ones(name):
    module = ACTIVATIONS[name]()
    for z in (np.array([1 + 2j]), np.array([1 + 2j], np.complex64), Tensor([1 + 2j], requires_grad=True)):
        with pytest.raises(TypeError, match=r"is of real numbers|has float32 parameters"):
            module(z)


def test_numbers_without_a_dtype_are_taken_in_that_of_the_layer():
    layer = nn.Linear(3, 2, rng=0)
    for x in ([1, 2, 3], [1.0, 2.0, 3.0], [True, True, False], [[1, 2, 3]]):
        assert layer(x).dtype == np.float32
        np.testing.assert_array_equal(layer(x).numpy(), layer(np.float32(x)).numpy())


def test_a_mode_may_be_a_bool_of_numpy():
    assert nn.ReLU().train(np.bool_(False)).training is False


def test_soft_targets_and_their_gradients_are_taken_by_binary_losses():
    y = Tensor([0.0, 0.25, 1.0], requires_grad=True)
    nn.BCEWithLogitsLoss("sum")(np.array([1.0, 2.0, 3.0]), y).backward()
    np.testing.assert_array_equal(y.grad, [-1.0, -2.0, -3.0])
    assert nn.BCEWithLogitsLoss("sum")(np.zeros((0, 2)), np.zeros((0, 2))) == 0


def test_many_weighted_losses_in_float16_have_a_mean():
    few, many = np.full(4, 30, np.float16), np.full(70_000, 30, np.float16)
    weights = np.ones(len(many))
    assert nn.L1Loss()(many, 0 * many, sample_weight=weights) == 30
    assert nn.L1Loss()(few, 0 * few, sample_weight=[0, 0, 1, 3]) == 30
    logits, classes = np.zeros((70_000, 2), np.float16), np.arange(70_000) % 2
    assert nn.CrossEntropyLoss(weight=[1, 3])(logits, classes) == pytest.approx(np.log(2), rel=1e-3)


def test_a_module_that_knows_its_owner_can_be_shown():
    class Owner(nn.Module):
        def __init__(self):
            self.part = nn.Linear(2, 1)
            self.part.owner = self

    assert repr(Owner()) == "Owner(\n  (part): Linear(2 → 1\n    (owner): ...\n  )\n)"


def test_a_part_of_a_sequential_can_be_exchanged():
    model = nn.MLP([3, 4, 2], rng=0)
    x = np.ones((5, 3), np.float32)
    hidden = model[:2](x).numpy()
    head = model[-1] = nn.Linear(4, 7, rng=1)
    assert list(model.state_dict()) == ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
    np.testing.assert_array_equal(model(x).numpy(), head(hidden).numpy())
    with pytest.raises(TypeError, match="MLP takes modules, got type as 'relu1'"):
        model[1] = nn.Tanh
    with pytest.raises(IndexError):
        model[3] = nn.Tanh()
    assert len(model) == 3


def test_evaluation_without_recording_keeps_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GELU(), nn.Linear(4, 2)).eval()
    before = model.state_dict()
    with no_grad():
        assert not model(X).requires_grad
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
