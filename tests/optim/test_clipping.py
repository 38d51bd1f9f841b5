"""Clipping against PyTorch and at the ends of the range of numbers; accumulated gradients."""

import math

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor


def leaf(gradient):
    w = Tensor(np.zeros_like(gradient), requires_grad=True)
    w.grad = gradient
    return w


def gradients(dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = [(7,), (3, 4), (), (0, 2), (300, 300)]
    found = [np.asarray(rng.normal(size=s), dtype) for s in shapes]
    return [*found, np.asfortranarray(found[1]), np.repeat(found[0], 2)[::2]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.5, math.inf, 0.5])
@pytest.mark.parametrize("max_norm", [0.0, 1.0, 1e9])
def test_the_norm_and_what_is_left_are_pytorchs(dtype, norm_type, max_norm):
    torch = pytest.importorskip("torch")
    ours = [leaf(g) for g in gradients(dtype)] + [Tensor([1.0], requires_grad=True)]
    theirs = []
    for g in gradients(dtype):
        if g.size == 0 and norm_type == math.inf:  # PyTorch has no maximum of nothing
            continue
        theirs.append(torch.zeros(g.shape, dtype=getattr(torch, g.dtype.name), requires_grad=True))
        theirs[-1].grad = torch.from_numpy(np.array(g))
    norm = optim.clip_grad_norm_(iter(ours), max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    assert type(norm) is float
    np.testing.assert_allclose(norm, expected.item(), rtol=rtol)
    filled = [w for w in ours if w.grad is not None and (w.size or norm_type != math.inf)]
    for w, v in zip(filled, theirs, strict=True):
        assert w.grad.dtype == dtype
        np.testing.assert_allclose(w.grad, v.grad.numpy(), rtol=rtol)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 4.0])
@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float16, 6e4), (np.float32, 1e30), (np.float32, 1e38), (np.float64, 1e300)]
)
def test_large_gradients_do_not_overflow(dtype, size, norm_type):
    ws = [leaf(np.full(3, size, dtype)), leaf(np.full((2, 1), -size, dtype))]
    exact = float(ws[0].grad[0])
    norm = optim.clip_grad_norm_(ws, 1.0, norm_type)
    np.testing.assert_allclose(norm, exact * 5 ** (1 / norm_type), rtol=1e-12)
    for w in ws:
        np.testing.assert_allclose(np.abs(w.grad), 5 ** (-1 / norm_type), rtol=2 * np.finfo(dtype).eps)


def test_small_gradients_do_not_vanish():
    w = leaf(np.full(4, 1e-300))
    np.testing.assert_allclose(optim.clip_grad_norm_(w, 1.0), 2e-300, rtol=1e-12)
    np.testing.assert_array_equal(w.grad, 1e-300)


def test_complex_gradients_have_the_norm_of_their_absolute_values():
    for p in (1.0, 2.0, 3.0, math.inf):
        w = leaf(np.array([3 + 4j, 0, 1j], np.complex64))
        expected = np.linalg.norm([5, 0, 1], p)
        np.testing.assert_allclose(optim.clip_grad_norm_(w, 1.0, p), expected, rtol=1e-6)
        np.testing.assert_allclose(w.grad, np.array([3 + 4j, 0, 1j]) / expected, rtol=1e-5)
        assert w.grad.dtype == np.complex64


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf])
def test_what_is_not_finite(value, norm_type):
    w, v = leaf(np.array([1.0, value])), leaf(np.array([2.0]))
    with pytest.raises(RuntimeError, match="norm of the gradients is"):
        optim.clip_grad_norm_([w, v], 1.0, norm_type, error_if_nonfinite=True)
    np.testing.assert_array_equal(w.grad, [1.0, value])
    norm = optim.clip_grad_norm_([w, v], 1.0, norm_type)
    assert math.isnan(norm) if math.isnan(value) else norm == math.inf
    np.testing.assert_array_equal(v.grad, [math.nan if math.isnan(value) else 0.0])


def test_values_are_clipped_as_in_pytorch():
    torch = pytest.importorskip("torch")
    ours = [leaf(g) for g in gradients(np.float32)] + [Tensor([1.0], requires_grad=True)]
    arrays = [w.grad for w in ours]
    assert optim.clip_grad_value_(ours, np.float64(0.3)) is None
    for w, array, g in zip(ours, arrays, gradients(np.float32)):
        v = torch.zeros(g.shape, requires_grad=True)
        v.grad = torch.from_numpy(np.array(g))
        torch.nn.utils.clip_grad_value_([v], 0.3)
        assert w.grad is array
        assert w.grad.dtype == np.float32
        np.testing.assert_array_equal(w.grad, v.grad.numpy())


def test_no_gradients_have_no_norm():
    assert optim.clip_grad_norm_([Tensor([1.0], requires_grad=True)], 1.0) == 0.0
    assert optim.clip_grad_norm_([], 1.0) == 0.0


def test_a_parameter_that_is_given_twice_counts_once():
    w = leaf(np.array([3.0, 4.0]))
    assert optim.clip_grad_norm_([w, w], 1.0) == 5.0
    np.testing.assert_allclose(w.grad, [0.6, 0.8], rtol=1e-6)


def test_bad_arguments_are_refused():
    w = leaf(np.array([3 + 4j]))
    for arguments in ((-1.0,), (math.nan,), (1.0, 0.0), (1.0, -2.0)):
        with pytest.raises(ValueError, match="must be"):
            optim.clip_grad_norm_([w], *arguments)
    with pytest.raises(ValueError, match="clip_value"):
        optim.clip_grad_value_([w], -1.0)
    with pytest.raises(TypeError, match="complex gradients have no order"):
        optim.clip_grad_value_([w], 1.0)
    with pytest.raises(TypeError, match="got ndarray as parameter 1"):
        optim.clip_grad_norm_([w, np.ones(2)], 1.0)
    np.testing.assert_array_equal(w.grad, [3 + 4j])


@pytest.mark.parametrize("k", [1, 4, 8])
def test_small_batches_accumulate_to_the_gradient_of_the_large_one(k):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 5)), (rng.random((32, 1)) < 0.5).astype(float)
    model = nn.MLP([5, 4, 1], dtype=np.float64, rng=0)
    loss = nn.BCEWithLogitsLoss()
    loss(model(x), y).backward()
    whole = [p.grad for p in model.parameters()]
    model.zero_grad()
    for part in np.split(np.arange(32), k):
        (loss(model(x[part]), y[part]) / k).backward()
    for p, g in zip(model.parameters(), whole):
        np.testing.assert_allclose(p.grad, g, rtol=1e-12, atol=1e-16)
