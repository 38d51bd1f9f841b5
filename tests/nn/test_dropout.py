"""Dropout: which elements, by how much, and when."""

import copy

import numpy as np
import pytest

import nn
from autograd import Tensor, check_gradients
from nn.functional import dropout

x = np.random.default_rng(0).standard_normal((4, 3, 5)) + 5


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_share_p_is_dropped_and_the_rest_is_scaled_to_the_same_mean(p):
    n = 200_000
    y = dropout(np.ones(n), p, rng=0)
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-15)
    assert abs(kept.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n)


def test_no_dropout_and_nothing_but_dropout():
    assert dropout(x, 0) is x
    layer = nn.Dropout(1.0, rng=0)
    a = Tensor(x, requires_grad=True)
    y = layer(a)
    y.sum().backward()
    assert (y.data == 0).all()
    assert (a.grad == 0).all()


def test_evaluation_returns_the_input_itself_and_draws_nothing():
    layer = nn.Dropout(0.5, rng=0).eval()
    before = layer.rng.bit_generator.state
    a = Tensor(x)
    assert layer(a) is a
    assert layer.rng.bit_generator.state == before
    assert (layer.train()(a).data == 0).any()


def test_a_seed_gives_the_same_mask_for_every_dtype_and_layout():
    masks = [dropout(x.astype(dtype), 0.5, rng=7) != 0 for dtype in (np.float16, np.float32, np.float64, np.complex64)]
    masks.append(dropout(np.asfortranarray(x), 0.5, rng=7) != 0)
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])
    first, second = nn.Dropout(rng=3), nn.Dropout(rng=3)
    np.testing.assert_array_equal(first(x), second(x))
    assert (first(x) != first(x)).any()


def test_the_gradient_passes_where_the_element_has():
    a = Tensor(x.astype(np.float32), requires_grad=True)
    y = nn.Dropout(0.25, rng=0)(a)
    g = np.arange(x.size, dtype=np.float32).reshape(x.shape)
    y.backward(g)
    assert y.dtype == a.grad.dtype == np.float32
    np.testing.assert_allclose(a.grad, np.where(y.data != 0, g / 0.75, 0), rtol=1e-6)


@pytest.mark.parametrize("shared", [(), (2,), (0, 2)])
def test_gradients_are_right_to_second_order(shared):
    check_gradients(lambda a: dropout(a, 0.4, rng=1, shared=shared) ** 2, x, order=2)


def test_the_tape_keeps_one_byte_for_each_element():
    y = dropout(Tensor(np.ones(1000), requires_grad=True), rng=0)
    assert sum(np.asarray(value).nbytes for value in y.node.saved) <= 1000 + 8


@pytest.mark.parametrize(
    ("layer", "shape"), [(nn.Dropout1d(0.5, 0), (64, 8, 5)), (nn.Dropout2d(0.5, 0), (64, 8, 5, 3))]
)
def test_channels_are_dropped_as_a_whole(layer, shape):
    y = layer(np.ones(shape, np.float32)).reshape(64, 8, -1)
    assert (y == y[..., :1]).all()
    assert 0.35 < (y[..., 0] == 0).mean() < 0.65
    assert (y[:, 0] != y[:, 1]).any()
    with pytest.raises(ValueError, match=r"drops channels of an input of shape .*given shape \(4, 3\)"):
        layer(np.ones((4, 3), np.float32))
    assert layer.eval()(np.ones(shape)).all()


def test_empty_and_0d_inputs():
    assert nn.Dropout()(np.zeros((0, 3))).shape == (0, 3)
    assert dropout(Tensor(3.0), 0.5, rng=0).shape == ()


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), True, "0.5", None])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="p is the probability of a zero"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="p is the probability of a zero"):
        dropout(x, p)


def test_integers_are_refused():
    with pytest.raises(TypeError, match="int64"):
        dropout(np.ones(3, np.int64))


def test_the_generator_is_found_and_copied_with_the_model():
    model = nn.Sequential(nn.Dropout(0.5, rng=0))
    assert [name for name, _ in model.named_generators()] == ["0.rng"]
    assert model.state_dict() == {}
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(model(x), twin(x))
    assert repr(model) == "Sequential(\n  (0): Dropout(p=0.5)\n)"
