"""Dask arrays as the data of Tensors: values and gradients, for what people do with them, are those of NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
import nn.functional as F
from autograd import Tensor, logsumexp, sigmoid, softplus

da = pytest.importorskip("dask.array", reason="needs dask.array")

from lazy_arrays import CUTS, cut, nothing_computed, numbers, results  # noqa: E402 (which imports Dask)


def check_same(call: Callable[..., Any], arrays: list[np.ndarray], how: str = "uneven") -> None:
    """Value and gradients of `call` for Dask arrays: lazy, and equal to those for NumPy's to rounding."""
    tensors = [Tensor(a, requires_grad=True) for a in arrays]
    lazy = [Tensor(cut(a, how), requires_grad=True) for a in arrays]
    expected = call(*tensors)
    cotangent = np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, expected.shape), expected.dtype)
    expected.backward(cotangent)
    with nothing_computed():
        y = call(*lazy)
        y.backward(da.from_array(cotangent))
    value, *gradients = results(y.data, *[t.grad for t in lazy])
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected.numpy(), rtol=1e-12, atol=1e-14)
    for gradient, t in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(gradient, t.grad, rtol=1e-12, atol=1e-14)


#: A call, and the shapes of its arguments.
CALLS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "arithmetic": (lambda x, y: x * y + x / (2 + y * y) - y**3 + (-x) + 2 * x, [(5, 4), (4,)]),
    "broadcasting both": (lambda x, y: x * y + y, [(5, 1), (1, 6)]),
    "matrix @ matrix": (lambda x, y: x @ y, [(5, 4), (4, 6)]),
    "matrix @ vector": (lambda x, y: x @ y, [(5, 4), (4,)]),
    "vector @ vector": (lambda x, y: x @ y, [(5,), (5,)]),
    "batches @ matrix": (lambda x, y: x @ y, [(3, 5, 4), (4, 2)]),
    "dot": (np.dot, [(5, 4), (4, 3)]),
    "tensordot": (lambda x, y: np.tensordot(x, y, axes=((1, 2), (0, 1))), [(5, 4, 3), (4, 3, 2)]),
    "einsum": (lambda x, y: np.einsum("ij,kj->ik", x, y), [(5, 4), (3, 4)]),
    "outer": (np.outer, [(5,), (4,)]),
    "sum": (lambda x: x.sum(), [(5, 4)]),
    "sum of an axis": (lambda x: x.sum(axis=0) * 2, [(5, 4)]),
    "mean": (lambda x: x.mean(axis=1, keepdims=True) * x, [(5, 4)]),
    "max": (lambda x: x.max(axis=0) + x.max(), [(5, 4)]),
    "min": (lambda x: np.min(x, axis=-1, keepdims=True) * x, [(5, 4)]),
    "var": (lambda x: x.var(axis=0) + x.var(), [(5, 4)]),
    "std": (lambda x: x.std(axis=1, ddof=1), [(5, 4)]),
    "prod": (lambda x: np.prod(x, axis=0), [(5, 4)]),
    "norm": (lambda x: np.linalg.norm(x), [(5, 4)]),
    "cumsum": (lambda x: np.cumsum(x, axis=0), [(5, 4)]),
    "exp, log": (lambda x: np.log(1 + np.exp(x)) + np.expm1(x) + np.log1p(x * x), [(5, 4)]),
    "tanh, sin, cos": (lambda x: np.tanh(x) + np.sin(x) * np.cos(x), [(5, 4)]),
    "sqrt, absolute": (lambda x: np.sqrt(x * x + 1) + np.abs(x), [(5, 4)]),
    "where": (lambda x, y: np.where(x > y, x * 2, y), [(5, 4), (4,)]),
    "maximum, minimum": (lambda x, y: np.maximum(x, y) * np.minimum(x, 0.5), [(5, 4), (5, 4)]),
    "clip": (lambda x: np.clip(x, -0.5, 0.75), [(5, 4)]),
    "slices": (lambda x: x[1:, ::2] + x[:-1, 1::2] * x[::-1][1:, :2], [(5, 4)]),
    "an integer": (lambda x: x[2] * x[:, -1:] + x[0, 1], [(4, 4)]),
    "new axes": (lambda x: x[:, None] * x[None] + x[..., None], [(5,)]),
    "a mask": (lambda x: np.where(x > 0, x, 0.1 * x), [(5, 4)]),
    "setting a slice": (lambda x: _with_first_row(x * 1.0), [(5, 4)]),
    "reshape": (lambda x: x.reshape(-1) * x.reshape(20), [(5, 4)]),
    "ravel": (lambda x: np.ravel(x) * 2, [(5, 4)]),
    "transpose": (lambda x: x.T @ x + np.transpose(x, (1, 0)) @ x, [(5, 4)]),
    "swapaxes": (lambda x: np.moveaxis(x, 0, -1) * x.swapaxes(0, 2).swapaxes(0, 1), [(3, 3, 3)]),
    "concatenate": (lambda x, y: np.concatenate([x, y, x], axis=1), [(5, 4), (5, 2)]),
    "stack": (lambda x, y: np.stack([x, y], axis=1), [(5, 4), (5, 4)]),
    "vstack, hstack": (
        lambda x, y: np.vstack([x, y]).T @ np.vstack([y, x]) + np.hstack([x, y])[:4, :4],
        [(5, 4), (5, 4)],
    ),
    "broadcast_to": (lambda x: np.broadcast_to(x, (3, 5)) * 2, [(5,)]),
    "sigmoid": (sigmoid, [(5, 4)]),
    "softplus": (softplus, [(5, 4)]),
    "logsumexp": (lambda x: logsumexp(x, axis=1) + logsumexp(x), [(5, 4)]),
    "softmax": (lambda x: nn.softmax(x) + nn.log_softmax(x, axis=0), [(5, 4)]),
    "of another dtype": (lambda x: x.astype(np.float32).astype(np.float64), [(5, 4)]),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, 4, w, b), [(5, 4), (4,), (4,)]),
}


def _with_first_row(y: Any) -> Any:
    y[0] = y[1] * 2
    return y


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients_are_lazy_and_equal_to_numpys(name: str, how: str) -> None:
    call, shapes = CALLS[name]
    check_same(call, [numbers(*shape, seed=k) for k, shape in enumerate(shapes)], how)


@pytest.mark.parametrize(
    "activation",
    [
        *(nn.relu, nn.leaky_relu, nn.elu, nn.selu, nn.gelu, nn.silu, nn.mish, nn.softplus, nn.softsign, nn.hardtanh),
        *(nn.hardsigmoid, nn.hardswish, nn.logsigmoid, nn.relu6),
    ],
    ids=lambda function: function.__name__,
)
def test_activations_are_lazy_and_equal_to_numpys(activation: Any) -> None:
    check_same(activation, [3 * numbers(7, 4)])


# Losses

_SCORES, _CLASSES = numbers(7, 3), np.array([0, 2, 1, 1, 0, 2, 2])
_SHARES = np.exp(_SCORES) / np.exp(_SCORES).sum(1, keepdims=True)
_YES = (numbers(7, 3, seed=3) > 0).astype(float)
LOSSES = {
    "cross-entropy": (nn.CrossEntropyLoss(), _SCORES, _CLASSES),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.1), _SCORES, _CLASSES),
    "weighted, some ignored": (
        nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0]),
        _SCORES,
        np.where(np.arange(7) == 2, -100, _CLASSES),
    ),
    "of probabilities": (nn.CrossEntropyLoss(), _SCORES, _SHARES),
    "nll": (nn.NLLLoss(), np.log(_SHARES), _CLASSES),
    "multi-margin": (nn.MultiMarginLoss(), _SCORES, _CLASSES),
    "BCE with logits": (nn.BCEWithLogitsLoss(), _SCORES, _YES),
    "BCE with logits, weighted": (nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0, 3.0]), _SCORES, _YES),
    "BCE": (nn.BCELoss(), _SHARES, _YES),
    "MSE": (nn.MSELoss(), _SCORES, _YES),
    "L1": (nn.L1Loss(), _SCORES, _YES),
    "Huber": (nn.HuberLoss(), _SCORES, _YES),
    "KL": (nn.KLDivLoss(), np.log(_SHARES), _SHARES[::-1]),
    "hinge": (nn.HingeLoss(), _SCORES, 2 * _YES - 1),
    "Poisson": (nn.PoissonNLLLoss(), _SCORES, _YES),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_lazy_and_equal_to_numpys(name: str) -> None:
    loss, prediction, target = LOSSES[name]
    expected = Tensor(prediction, requires_grad=True)
    value = loss(expected, target)
    value.backward()
    lazy = Tensor(cut(prediction), requires_grad=True)
    with nothing_computed():
        y = copy.deepcopy(loss).to("dask")(lazy, cut(target))
        y.backward()
    found, gradient = results(y.data, lazy.grad)
    np.testing.assert_allclose(found, value.numpy(), rtol=1e-12)
    np.testing.assert_allclose(gradient, expected.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "wrong", "said"),
    [
        (nn.BCEWithLogitsLoss(), -_YES, "in \\[0, 1\\]"),
        (nn.CrossEntropyLoss(), _CLASSES + 1, "3 classes"),
        (nn.HingeLoss(), _YES, "−1 or 1"),
    ],
    ids=["outside [0, 1]", "a class that does not exist", "no sign"],
)
def test_a_wrong_target_that_nobody_has_looked_at_makes_the_loss_nan(loss: Any, wrong: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        loss(Tensor(_SCORES), wrong)
    with nothing_computed():
        y = loss(Tensor(cut(_SCORES)), cut(wrong))
    assert np.isnan(y.item())
