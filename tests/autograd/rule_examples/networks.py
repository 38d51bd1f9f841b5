"""Examples of the operations that `nn` is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import nn
import nn.functional as F
from nn.functional.classification import class_cross_entropy, soft_cross_entropy
from nn.functional.normal import normal_cdf
from nn.share import Share, all_sum

from .table import Example, binary, one, unary, values

__all__ = ["EXAMPLES"]


def _with(function: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, *options, **named)


def _part(function: Callable[..., Any], k: int, *options: Any, **named: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, *options, **named)[k]


# The formulas of the textbook, which are stable enough for small numbers


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _np_normal_cdf(x: Any) -> Any:
    return np.asarray(np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)) / 2, x.dtype)


def _np_gate_by_tanh(x: Any) -> Any:
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def _np_huber(a: Any, y: Any, delta: float = 1.0) -> Any:
    d = np.abs(a - y)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def _np_rectify(x: Any, slope: Any) -> Any:
    return np.where(x > 0, x, x * slope)


def _np_elu(x: Any, alpha: float, rate: float = 1.0, scale: float = 1.0) -> Any:
    return scale * np.where(x > 0, x, alpha * (np.exp(rate * x) - 1))


def _np_glu(x: Any, axis: int) -> Any:
    a, b = np.split(x, 2, axis)
    return a * _logistic(b)


def _np_softmax(x: Any, axis: Any = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def _np_log_softmax(x: Any, axis: Any = -1) -> Any:
    return np.log(_np_softmax(x, axis))


# Classes

_CLASSES: list[tuple[Any, Any]] = [
    *[((4, 3), [2, 0, 2, 1]), ((3,), 1), ((2, 3, 2), [[0, 2], [1, 1]]), ((0, 3), np.zeros(0, int)), ((2, 1), [0, 0])],
    *[((2, 3, 0), np.zeros((2, 0), int)), ((1,), 0)],
]
_WEIGHT = np.array([0.5, 2.0, 1.5])


def _one_hot(target: Any, like: Any) -> Any:
    axis = 1 if like.ndim > 1 else 0
    return np.moveaxis(np.eye(like.shape[axis], dtype=like.dtype)[np.asarray(target)], -1, axis)


def _np_cross_entropy(z: Any, y: Any) -> Any:
    axis = 1 if z.ndim > 1 else 0
    return -(y * _np_log_softmax(z, axis)).sum(axis)


def _np_class_cross_entropy(target: Any) -> Any:
    return lambda z: _np_cross_entropy(z, _one_hot(target, z))


def _np_slope(z: Any, y: Any) -> Any:
    """The derivative of the cross-entropy."""
    axis = 1 if z.ndim > 1 else 0
    return _np_softmax(z, axis) * y.sum(axis, keepdims=True) - y


def _to_logits(target: Any) -> Any:
    """A function of both results, for cotangents of both at once."""

    def call(z: Any) -> Any:
        losses, q = class_cross_entropy(z, np.asarray(target))
        return losses + (q * q).sum(1 if z.ndim > 1 else 0)

    return call


# Normalisation: x, the axes, the shapes of weight and bias

_NORMALIZED: list[tuple[Any, Any, Any]] = [
    *[((4, 3), 0, (3,)), ((4, 3), 0, (1, 3)), ((4, 3), 1, (3,)), ((2, 3, 4), (0, 2), (3, 1)), ((2, 3, 4), -1, (3, 4))],
    *[((2, 3, 4), (1, 2), (3, 4)), ((2, 3, 4), (1, 2), (3, 1)), ((2, 3, 4), (0, 1, 2), ()), ((5,), 0, (5,))],
    *[((0, 3), 1, (3,)), ((3, 2, 2), (0, 2), (2, 1)), ((3, 0), 0, (0,)), ((2, 3), 1, (2, 1)), ((2, 3), 1, (2, 3))],
]


def _np_standardize(x: Any, weight: Any, bias: Any, axis: Any, eps: float, centered: bool = True) -> Any:
    mean = x.mean(axis, keepdims=True) if centered else 0
    distance = x - mean
    return distance / np.sqrt((distance * distance).mean(axis, keepdims=True) + eps) * weight + bias


def _normalizations(**how: Any) -> list[Example]:
    examples = []
    for x, axis, affine in _NORMALIZED:
        options = {"axis": axis, "eps": 0.1, **how}
        call, reference = _affine(_part(F.standardize, 0, **options)), _with(_np_standardize, **options)
        examples.append(one(call, x, affine, affine, reference=reference))
    return examples


def _affine(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with weight and bias in the dtype of x, in which it wants them."""
    return lambda x, *affine: function(x, *[a.astype(x.dtype) for a in affine])


def _statistics(x: Any) -> Any:
    """All results at once."""
    y, mean, var = F.standardize(x, axis=(0, 2), eps=0.1)
    return y * y + mean * var


def _np_statistics(x: Any) -> Any:
    y = _np_standardize(x, 1, 0, (0, 2), 0.1)
    return y * y + x.mean((0, 2), keepdims=True) * x.var((0, 2), keepdims=True)


# Modules


class Pair(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, x: Any, y: Any) -> Any:
        return x * y, x - y


def _hooked(x: Any, y: Any) -> Any:
    """The outputs of a module with a hook, which has a gate before it and one behind it."""
    module = Pair()
    module.register_full_backward_hook(lambda module, grad_input, grad_output: None)
    return module(x, y)


def _summed(x: Any) -> Any:
    """The sum over three processes, which all have the same x."""
    return all_sum(x, Share(3, slice(0, 1), 1 / 3, lambda array: 3 * array))


def _kept(x: Any, p: float, shape: Any = None) -> Any:
    """Dropout with the generator of seed 3."""
    return x * (np.random.default_rng(3).random(x.shape if shape is None else shape, dtype=np.float32) >= p) / (1 - p)


EXAMPLES: dict[str, list[Example]] = {
    "linear": [
        one(F.linear, x, (2, 3), (2,), reference=lambda x, w, b: x @ w.T + b, complexes=True)
        for x in [(4, 3), (3,), (5, 4, 3), (0, 3), (1, 3), (2, 0, 3)]
    ]
    + [one(F.linear, x, (2, 3), reference=lambda x, w: x @ w.T) for x in [(4, 3), (3,), (5, 4, 3)]],
    # activations
    "relu": unary(F.relu, reference=lambda x: np.maximum(x, 0)),
    "smooth_relu": [
        *unary(F.softplus, reference=lambda x: np.log(1 + np.exp(x))),
        *unary(_with(F.softplus, 2.5), reference=lambda x: np.log(1 + np.exp(2.5 * x)) / 2.5),
        *unary(_with(F.softplus, beta=-0.5), reference=lambda x: np.log(1 + np.exp(-0.5 * x)) / -0.5),
        *unary(
            _with(F.softplus, 2.0, threshold=1.1),
            reference=lambda x: np.where(2 * x > 1.1, x, np.log(1 + np.exp(2 * x)) / 2),
        ),
    ],
    "logsigmoid": unary(F.logsigmoid, reference=lambda x: np.log(_logistic(x))),
    "softsign": unary(F.softsign, reference=lambda x: x / (1 + np.abs(x))),
    "bounded": [
        *unary(F.hardtanh, reference=lambda x: np.clip(x, -1, 1)),
        *unary(_with(F.hardtanh, 0.3, 1.1), reference=lambda x: np.clip(x, 0.3, 1.1)),
        *unary(F.relu6, -5.0, 9.0, reference=lambda x: np.clip(x, 0, 6)),
    ],
    "hardsigmoid": unary(F.hardsigmoid, -5.0, 5.0, reference=lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    # rectifiers with a negative side
    "rectify": [
        *unary(F.leaky_relu, reference=lambda x: _np_rectify(x, 0.01)),
        *unary(_with(F.leaky_relu, 1.5), reference=lambda x: _np_rectify(x, 1.5)),
        *unary(_with(F.leaky_relu, negative_slope=-0.5), reference=lambda x: _np_rectify(x, -0.5)),
        *[one(F.prelu, x, (1,), reference=_np_rectify, order=3) for x in [(4, 3), (5,), (0, 3), (2, 1, 3)]],
        *[one(F.prelu, x, (), reference=_np_rectify) for x in [(4, 3), (), (0,)]],
        one(F.prelu, (), (1,), reference=lambda x, w: _np_rectify(x, w[0])),
        *[one(F.prelu, x, (3,), reference=_np_rectify) for x in [(4, 3), (0, 3)]],
        *[one(F.prelu, x, (3,), reference=lambda x, w: _np_rectify(x, w[:, None])) for x in [(2, 3, 4), (2, 3, 0)]],
        one(F.prelu, (2, 2, 3, 2), (2,), reference=lambda x, w: _np_rectify(x, w[:, None, None])),
    ],
    "exponential_linear": [
        *unary(F.elu, reference=lambda x: _np_elu(x, 1)),
        *unary(_with(F.elu, 0.3), reference=lambda x: _np_elu(x, 0.3)),
        *unary(F.selu, reference=lambda x: _np_elu(x, 1.6732632423543772, 1.0, 1.0507009873554805)),
        *unary(_with(F.celu, 0.3), reference=lambda x: _np_elu(x, 0.3, 1 / 0.3)),
        *unary(_with(F.celu, alpha=2.0), reference=lambda x: _np_elu(x, 2, 0.5)),
    ],
    # products with a gate
    "silu": unary(F.silu, reference=lambda x: x * _logistic(x)),
    "mish": unary(F.mish, reference=lambda x: x * np.tanh(np.log(1 + np.exp(x)))),
    "normal_cdf": unary(normal_cdf, reference=_np_normal_cdf),
    "gaussian_gate": unary(F.gelu, reference=lambda x: x * _np_normal_cdf(x)),
    "gaussian_gate_by_tanh": unary(_with(F.gelu, "tanh"), reference=lambda x: x * _np_gate_by_tanh(x)),
    "hardswish": unary(F.hardswish, -5.0, 5.0, reference=lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "glu": [
        one(_with(F.glu, axis), shape, reference=_with(_np_glu, axis), order=3)
        for shape, axis in [((3, 4), -1), ((4,), 0), ((4, 3), 0), ((2, 4, 3), 1), ((2, 4, 3), -2)]
    ]
    + [one(F.glu, shape, reference=_with(_np_glu, -1)) for shape in [(2, 6), (0, 2), (3, 0)]],
    # probabilities
    **{
        name: [
            *unary(function, reference=reference),
            *[one(_with(function, k), (2, 3, 4), reference=_with(reference, k)) for k in (0, 1, -1, (0, 2), None)],
            *[one(_with(function, axis=0), s, reference=_with(reference, 0)) for s in [(3, 0), (1, 3)]],
        ]
        for name, function, reference in (
            ("softmax", F.softmax, _np_softmax),
            ("log_softmax", F.log_softmax, _np_log_softmax),
        )
    },
    # losses
    "squared_error": binary(F.squared_error, reference=lambda a, y: (a - y) ** 2, complexes=True),
    "huber_loss": [
        *binary(_with(F.huber_loss, 0.87), reference=_with(_np_huber, 0.87)),
        *binary(_with(F.huber_loss, delta=9.0), reference=_with(_np_huber, 9.0)),
        *binary(_with(F.smooth_l1_loss, 0.87), reference=lambda a, y: _np_huber(a, y, 0.87) / 0.87),
    ],
    "binary_cross_entropy": binary(
        F.binary_cross_entropy, 0.1, 0.9, reference=lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p))
    ),
    "binary_cross_entropy_with_logits": binary(
        F.binary_cross_entropy_with_logits, reference=lambda z, y: np.log(1 + np.exp(z)) - y * z
    ),
    "class_cross_entropy": [
        *[
            one(_with(F.cross_entropy, t), s, reference=_np_class_cross_entropy(t), order=3 if s == (4, 3) else 2)
            for s, t in _CLASSES
        ],
        *[
            one(_part(class_cross_entropy, 1, np.asarray(t)), s, reference=lambda z, t=t: _np_slope(z, _one_hot(t, z)))
            for s, t in _CLASSES
        ],
        *[one(_to_logits(t), s) for s, t in _CLASSES],
        one(
            _with(F.cross_entropy, [2, -1, 1, 0], _WEIGHT, -1),
            (4, 3),
            reference=lambda z: _np_cross_entropy(z, _one_hot([2, 0, 1, 0], z)) * z.dtype.type([1.5, 0, 2, 0.5]),
        ),
    ],
    "soft_cross_entropy": [
        *[
            one(F.cross_entropy, s, values(s, 0.1, 0.9, seed=1), reference=_np_cross_entropy, order=k)
            for s, k in [((4, 3), 3), ((3,), 2), ((2, 3, 2), 2), ((0, 3), 2), ((2, 1), 2), ((2, 3, 0), 2)]
        ],
        *[
            one(
                lambda z, y: soft_cross_entropy(z, y.astype(z.dtype))[1],
                s,
                values(s, 0.1, 0.9, seed=1),
                reference=_np_slope,
            )
            for s in [(4, 3), (3,), (2, 3, 2), (0, 3)]
        ],
        one(
            _with(F.cross_entropy, _WEIGHT, label_smoothing=0.3),
            (4, 3),
            values((4, 3), 0.1, 0.9, seed=1),
            reference=lambda z, y: _np_cross_entropy(z, (y * 0.7 + 0.1) * _WEIGHT.astype(z.dtype)),
        ),
        one(
            _with(F.cross_entropy, [0, 2], _WEIGHT, label_smoothing=0.3),
            (2, 3),
            reference=lambda z: _np_cross_entropy(z, (_one_hot([0, 2], z) * 0.7 + 0.1) * _WEIGHT.astype(z.dtype)),
        ),
    ],
    # normalisation
    "standardize": [
        *_normalizations(),
        *_normalizations(centered=False),
        *[one(_part(F.standardize, 1, axis=k), (2, 3, 4), reference=_with(np.mean, k, keepdims=True)) for k in (0, -1)],
        *[one(_part(F.standardize, 2, axis=k), (2, 3, 4), reference=_with(np.var, k, keepdims=True)) for k in (0, -1)],
        one(
            _part(F.standardize, 2, axis=1, centered=False),
            (3, 4),
            reference=lambda x: (x * x).mean(1, keepdims=True),
        ),
        one(_statistics, (2, 3, 4), reference=_np_statistics, order=3),
        one(_with(F.layer_norm, (3, 4), eps=0.1), (2, 3, 4), reference=_with(_np_standardize, 1, 0, (1, 2), 0.1)),
        one(
            _affine(lambda x, w: F.rms_norm(x, 4, w, eps=0.1)),
            (2, 3, 4),
            (4,),
            reference=lambda x, w: _np_standardize(x, w, 0, -1, 0.1, centered=False),
        ),
        one(
            _affine(lambda x, w, b: F.group_norm(x, 2, w, b, eps=0.1)),
            (2, 4, 3),
            (4,),
            (4,),
            reference=lambda x, w, b: _np_standardize(
                x.reshape(2, 2, 2, 3), w.reshape(2, 2, 1), b.reshape(2, 2, 1), (2, 3), 0.1
            ).reshape(x.shape),
        ),
    ],
    # random zeros, rows of a table
    "dropout": [
        *unary(_with(F.dropout, 0.25, rng=3), reference=_with(_kept, 0.25), complexes=True),
        *unary(_with(F.dropout, 1.0, rng=3), reference=lambda x: x * 0),
        one(_with(F.dropout, 0.5, rng=3, shared=(2,)), (4, 3, 2), reference=_with(_kept, 0.5, (4, 3, 1))),
    ],
    "embedding": [
        one(lambda w, k=k: F.embedding(k, w), (4, 3), reference=lambda w, k=k: w[np.asarray(k)], complexes=True)
        for k in ([0, 3, 0], 2, [[1, 1], [0, 2]], np.zeros(0, int), np.zeros((2, 0), int), np.array([[[3]]]))
    ]
    + [
        one(lambda w: F.embedding([0, 3, 0], w, padding_idx=-2), (4, 3), reference=lambda w: w[[0, 3, 0]]),
        one(lambda w: F.embedding([0, 1], w), (2, 0), reference=lambda w: w[[0, 1]]),
        one(lambda w: F.embedding(np.zeros(0, int), w), (0, 3), reference=lambda w: w[:0]),
    ],
    # modules
    "gate": [
        *binary(lambda x, y: np.multiply(*_hooked(x, y)), complexes=True),
        *[one(lambda x, y, k=k: _hooked(x, y)[k], (4, 3), (3,), complexes=True) for k in (0, 1)],
    ],
    "all_sum": [one(_summed, shape, reference=lambda x: 3 * x, complexes=True) for shape in [(), (4,), (2, 3), (0, 2)]],
}
