"""Embedding: rows by their numbers, and where their gradients go."""

import copy

import numpy as np
import pytest

import nn
from autograd import Tensor, check_gradients
from nn.functional import embedding

rng = np.random.default_rng(0)


@pytest.mark.parametrize("padding", [None, 2, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_are_those_of_pytorch(padding, dtype):
    torch = pytest.importorskip("torch")
    ours = nn.Embedding(50, 16, padding, dtype=dtype, rng=0)
    theirs = torch.nn.Embedding(50, 16, padding, dtype=getattr(torch, np.dtype(dtype).name))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({"weight": torch.from_numpy(ours.weight.data.copy())})
    indices = rng.integers(0, 50, (40, 30))
    g = rng.standard_normal((40, 30, 16)).astype(dtype)
    y, z = ours(indices), theirs(torch.from_numpy(indices))
    np.testing.assert_array_equal(y.data, z.detach().numpy())
    y.backward(g)
    z.backward(torch.from_numpy(g))
    assert ours.weight.grad.dtype == dtype
    tolerance = 1e-10 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_it_is_the_product_with_one_hot_rows():
    table, indices = rng.standard_normal((5, 3)), np.array([[1, 1], [4, 1]])
    g = rng.standard_normal((2, 2, 3))
    a, b = Tensor(table, requires_grad=True), Tensor(table, requires_grad=True)
    embedding(indices, a).backward(g)
    (np.eye(5)[indices] @ b).backward(g)
    np.testing.assert_allclose(a.grad, b.grad)


@pytest.mark.parametrize("padding", [None, 0, -2])
@pytest.mark.parametrize("indices", [3, [1, 1, 4], [[0, 3], [3, 3]], np.zeros((0, 2), int)])
def test_gradients_are_right_to_second_order(indices, padding):
    def function(table):
        free = table if padding is None else np.where((np.arange(5) == padding % 5)[:, None], 0, table)
        return embedding(indices, free, padding) ** 2

    check_gradients(function, rng.standard_normal((5, 3)), order=2)


def test_the_padding_row_starts_at_zero_and_gets_no_gradient():
    layer = nn.Embedding(6, 4, padding_idx=-1, rng=0)
    assert layer.padding_idx == 5
    y = layer([5, 0, 5])
    assert (y.data[[0, 2]] == 0).all()
    y.sum().backward()
    assert layer.weight.grad.sum(1).tolist() == [4, 0, 0, 0, 0, 0]
    layer.reset_parameters(1)
    assert (layer.weight.data[5] == 0).all()
    assert (layer.weight.data[:5] != 0).all()


def test_the_weight_is_drawn_from_the_standard_normal_distribution_and_the_same_for_every_dtype():
    single, double = (nn.Embedding(300, 100, dtype=dtype, rng=0).weight.data for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single, double.astype(np.float32))
    assert abs(double.mean()) < 0.02
    assert abs(double.std() - 1) < 0.02
    assert (nn.Embedding(3, 2, init="zeros").weight.data == 0).all()


def test_indices_that_are_changed_afterwards_do_not_change_the_gradient():
    layer, indices = nn.Embedding(4, 2, rng=0), np.array([1, 2])
    y = layer(indices)
    indices[:] = 0
    y.sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_every_integer_type_and_integer_tensors_are_indices(dtype):
    layer = nn.Embedding(200, 2, rng=0)
    indices = np.array([0, 100, 127], dtype)
    np.testing.assert_array_equal(layer(Tensor(indices)).data, layer.weight.data[[0, 100, 127]])
    layer(indices).sum().backward()
    assert np.flatnonzero(layer.weight.grad[:, 0]).tolist() == [0, 100, 127]


@pytest.mark.parametrize(("indices", "row"), [([0, -1], -1), ([4], 4), ([[1, 9], [0, 2]], 9)])
def test_an_index_out_of_range_is_refused(indices, row):
    with pytest.raises(IndexError, match=f"no row {row} in a table of 4 rows, whose numbers are 0 to 3"):
        nn.Embedding(4, 2)(indices)


@pytest.mark.parametrize("indices", [np.array([1.0]), np.array([True, False]), [0.5]])
def test_what_is_not_an_integer_is_refused(indices):
    with pytest.raises(TypeError, match="indices that are integers, got"):
        nn.Embedding(4, 2)(indices)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="num_embeddings must be a positive integer"):
        nn.Embedding(0, 2)
    with pytest.raises(ValueError, match="embedding_dim"):
        nn.Embedding(2, 1.5)
    with pytest.raises(ValueError, match="padding_idx is an index of one of 4 vectors, got 4"):
        nn.Embedding(4, 2, padding_idx=4)
    with pytest.raises(IndexError, match="padding_idx=7"):
        embedding([0], np.ones((4, 2)), 7)
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        embedding([0], np.ones(4))
    with pytest.raises(ValueError, match=r"returned shape \(2,\)"):
        nn.Embedding(4, 2, init=lambda shape, rng: np.zeros(2))


def test_copies_states_and_the_repr():
    layer = nn.Embedding(4, 2, padding_idx=1, rng=0)
    twin, other = copy.deepcopy(layer), nn.Embedding(4, 2, rng=1)
    other.load_state_dict(layer.state_dict())
    for module in (twin, other):
        np.testing.assert_array_equal(module([0, 3]).data, layer([0, 3]).data)
    assert repr(layer) == "Embedding(4 × 2, padding_idx=1)"
