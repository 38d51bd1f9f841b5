"""For each module of `nn`: how it is made for a dtype, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import nn

__all__ = ["LAYERS", "LOSSES", "Case"]


class Case(NamedTuple):
    """A module, and what makes its arguments; those at the positions `tracked` are Tensors that require a gradient."""

    make: Callable[[Any], nn.Module]
    arguments: tuple[Callable[[Any], Any], ...]
    tracked: tuple[int, ...] = (0,)


def normal(*shape: int, seed: int = 0) -> Callable[[Any], Any]:
    return lambda dtype: np.random.default_rng(seed).normal(size=shape).astype(dtype)


def unit(*shape: int, seed: int = 1) -> Callable[[Any], Any]:
    """From 0.1 to 0.9."""
    return lambda dtype: np.random.default_rng(seed).uniform(0.1, 0.9, size=shape).astype(dtype)


def log_probabilities(*shape: int) -> Callable[[Any], Any]:
    def make(dtype: Any) -> Any:
        p = unit(*shape)(dtype)
        return np.log(p / p.sum(1, keepdims=True))

    return make


def integers(*values: Any, dtype: Any = np.int64) -> Callable[[Any], Any]:
    return lambda _: np.array(values, dtype)


def numbers(*values: Any) -> Callable[[Any], Any]:
    return lambda dtype: np.array(values, dtype)


#: Where a rectifier has its kink, and far out on both sides.
EDGES = numbers([-1e4, -30.0, -3.0, -1.0, -0.0, 0.0], [0.3, 1.0, 3.0, 6.0, 30.0, 1e4])


def activation(make: Callable[..., nn.Module], *options: Any, **named: Any) -> list[Case]:
    """It, and it with other options, of ordinary numbers and at the edges."""
    makes = [lambda dtype: make()] + [lambda dtype: make(*options, **named)] * bool(options or named)
    return [Case(m, (x,)) for m in makes for x in (normal(4, 6), EDGES)]


def layer(make: Callable[[Any], nn.Module], *shapes: tuple[int, ...]) -> list[Case]:
    return [Case(make, (normal(*shape),)) for shape in shapes]


def loss(kind: Any, *arguments: Callable[[Any], Any], tracked: tuple[int, ...] = (0,), **options: Any) -> list[Case]:
    """It with each reduction; the mean with weights for the examples too."""
    cases = [Case(lambda dtype, r=r: kind(r, **options), arguments, tracked) for r in kind.reductions]
    weights = numbers(1, 0, 2, 0.5)
    return [*cases, Case(lambda dtype: kind(**options), (*arguments, weights), tracked)]


def fitted(shape: Any, dtype: Any) -> nn.Module:
    return nn.Standardize(shape, dtype=dtype).fit(normal(20, 6, seed=3)(dtype))


def block(dtype: Any) -> nn.Module:
    return nn.Residual(nn.Sequential(nn.LayerNorm(6, dtype=dtype), nn.Linear(6, 6, dtype=dtype, rng=0)))


class Towers(nn.Module):
    """Modules in a list and in a dict; one of them is called twice."""

    def __init__(self, dtype: Any):
        self.layers = nn.ModuleList([nn.Linear(6, 6, rng=k, dtype=dtype) for k in range(3)])
        self.ends = nn.ModuleDict({"gate": nn.Sigmoid(), "scale": fitted(6, dtype)})

    def forward(self, x: Any) -> Any:
        x = self.ends["scale"](x)
        for part in self.layers:
            x = np.maximum(part(x), 0) * self.ends["gate"](x)
        return self.layers[0](x)


LAYERS: dict[str, list[Case]] = {
    # activations
    "CELU": activation(nn.CELU, 0.3),
    "ELU": activation(nn.ELU, 0.3),
    "GELU": activation(nn.GELU, "tanh"),
    "GLU": activation(nn.GLU, 0),
    "Hardsigmoid": activation(nn.Hardsigmoid),
    "Hardswish": activation(nn.Hardswish),
    "Hardtanh": activation(nn.Hardtanh, -2.0, 0.5),
    "Identity": activation(nn.Identity),
    "LeakyReLU": activation(nn.LeakyReLU, 0.3),
    "LogSigmoid": activation(nn.LogSigmoid),
    "LogSoftmax": activation(nn.LogSoftmax, 0),
    "Mish": activation(nn.Mish),
    "PReLU": [
        *layer(lambda dtype: nn.PReLU(dtype=dtype), (4, 6), (3,)),
        *layer(lambda dtype: nn.PReLU(6, dtype=dtype), (4, 6), (2, 6, 3)),
    ],
    "ReLU": activation(nn.ReLU),
    "ReLU6": activation(nn.ReLU6),
    "SELU": activation(nn.SELU),
    "SiLU": activation(nn.SiLU),
    "Sigmoid": activation(nn.Sigmoid),
    "Softmax": activation(nn.Softmax, 0),
    "Softplus": activation(nn.Softplus, 2.0, 1.5),
    "Softsign": activation(nn.Softsign),
    "Tanh": activation(nn.Tanh),
    # layers
    "Linear": [
        *layer(lambda dtype: nn.Linear(6, 3, dtype=dtype, rng=0), (4, 6), (6,), (2, 3, 6), (0, 6)),
        *layer(lambda dtype: nn.Linear(6, 3, bias=False, dtype=dtype, rng=0), (4, 6)),
    ],
    "Maxout": layer(lambda dtype: nn.Maxout(6, 3, 4, dtype=dtype, rng=0), (4, 6), (2, 4, 6)),
    "MLP": [
        *layer(lambda dtype: nn.MLP([6, 5, 4, 1], activation="gelu", dtype=dtype, rng=0), (4, 6)),
        *layer(lambda dtype: nn.MLP([6, 5, 2], output_activation="prelu", dtype=dtype, rng=0), (4, 6)),
    ],
    "Flatten": layer(lambda dtype: nn.Flatten(), (4, 3, 2)),
    "Residual": [
        *layer(block, (4, 6)),
        *layer(
            lambda dtype: nn.Residual(nn.Linear(6, 3, dtype=dtype, rng=0), nn.Linear(6, 3, dtype=dtype, rng=1)), (4, 6)
        ),
    ],
    "Embedding": [
        Case(
            lambda dtype, padding=padding: nn.Embedding(5, 3, padding_idx=padding, dtype=dtype, rng=0),
            (places,),
            tracked=(),
        )
        for padding in (None, 0)
        for places in (integers(0, 4, 0), integers([1, 1], [0, 2]), integers(3, 2, dtype=np.uint8), integers())
    ],
    "Standardize": [
        *layer(lambda dtype: fitted(6, dtype), (4, 6), (2, 3, 6)),
        *layer(lambda dtype: nn.Sequential(fitted((), dtype), nn.Linear(6, 2, dtype=dtype, rng=0)), (4, 6)),
    ],
    # noise
    "Dropout": [Case(lambda dtype, p=p: nn.Dropout(p, rng=0), (normal(4, 6),)) for p in (0.0, 0.3, 1.0)],
    "Dropout1d": layer(lambda dtype: nn.Dropout1d(0.5, rng=0), (3, 4, 2)),
    "Dropout2d": layer(lambda dtype: nn.Dropout2d(0.5, rng=0), (3, 4, 2, 2)),
    # normalisation
    "BatchNorm1d": [
        *layer(lambda dtype: nn.BatchNorm1d(6, dtype=dtype), (4, 6), (4, 6, 3)),
        *layer(lambda dtype: nn.BatchNorm1d(6, momentum=None, affine=False, dtype=dtype), (4, 6)),
        *layer(lambda dtype: nn.BatchNorm1d(6, track_running_stats=False, dtype=dtype), (4, 6)),
    ],
    "BatchNorm2d": layer(lambda dtype: nn.BatchNorm2d(3, dtype=dtype), (4, 3, 2, 2)),
    "InstanceNorm1d": [
        *layer(lambda dtype: nn.InstanceNorm1d(3), (4, 3, 5)),
        *layer(lambda dtype: nn.InstanceNorm1d(3, affine=True, track_running_stats=True, dtype=dtype), (4, 3, 5)),
    ],
    "InstanceNorm2d": layer(lambda dtype: nn.InstanceNorm2d(3, affine=True, dtype=dtype), (4, 3, 2, 2)),
    "GroupNorm": layer(lambda dtype: nn.GroupNorm(2, 4, dtype=dtype), (4, 4, 3), (4, 4)),
    "LayerNorm": [
        *layer(lambda dtype: nn.LayerNorm(6, dtype=dtype), (4, 6), (2, 4, 6)),
        *layer(lambda dtype: nn.LayerNorm((4, 6), elementwise_affine=False), (2, 4, 6)),
    ],
    "RMSNorm": layer(lambda dtype: nn.RMSNorm(6, dtype=dtype), (4, 6)),
    # containers
    "Sequential": layer(lambda dtype: nn.Sequential(nn.Linear(6, 3, dtype=dtype, rng=0), nn.Tanh()), (4, 6)),
    "ModuleList": layer(Towers, (4, 6)),
    "ModuleDict": layer(Towers, (4, 6)),
}

_CLASSES = integers(2, 0, 2, 1)
_BY_CLASS = np.array([0.5, 2.0, 1.5])
_SIGNS = integers(1, -1, -1, 1)

LOSSES: dict[str, list[Case]] = {
    "BCELoss": [
        *loss(nn.BCELoss, unit(4), unit(4, seed=2)),
        *loss(nn.BCELoss, numbers(0, 1, 0, 1), integers(0, 1, 1, 0)),
        *loss(nn.BCELoss, unit(4, 3), unit(4, 3, seed=2), weight=_BY_CLASS),
    ],
    "BCEWithLogitsLoss": [
        *loss(nn.BCEWithLogitsLoss, normal(4), integers(0, 1, 1, 0)),
        *loss(nn.BCEWithLogitsLoss, normal(4, 3), unit(4, 3), weight=_BY_CLASS, pos_weight=_BY_CLASS * 2),
        *loss(nn.BCEWithLogitsLoss, normal(4, 1), unit(4, 1), tracked=(0, 1)),
    ],
    "HingeLoss": loss(nn.HingeLoss, normal(4), _SIGNS),
    "CrossEntropyLoss": [
        *loss(nn.CrossEntropyLoss, normal(4, 3), _CLASSES),
        *loss(nn.CrossEntropyLoss, normal(4, 3), integers(2, 0, 2, 1, dtype=np.uint8)),
        *loss(nn.CrossEntropyLoss, normal(4, 3), _CLASSES, weight=_BY_CLASS),
        *loss(nn.CrossEntropyLoss, normal(4, 3), integers(2, -100, 2, 1)),
        *loss(nn.CrossEntropyLoss, normal(4, 3), _CLASSES, weight=_BY_CLASS, ignore_index=2, label_smoothing=0.1),
        *loss(nn.CrossEntropyLoss, normal(4, 3), unit(4, 3)),
        *loss(nn.CrossEntropyLoss, normal(4, 3, 2), integers([2, 0], [1, 1], [0, 0], [2, 2]))[:-1],
        Case(lambda dtype: nn.CrossEntropyLoss(), (normal(3), lambda _: np.array(1))),
    ],
    "NLLLoss": [
        *loss(nn.NLLLoss, log_probabilities(4, 3), _CLASSES),
        *loss(nn.NLLLoss, log_probabilities(4, 3), _CLASSES, weight=_BY_CLASS, ignore_index=2),
    ],
    "MultiMarginLoss": [
        *loss(nn.MultiMarginLoss, normal(4, 3), _CLASSES),
        *loss(nn.MultiMarginLoss, normal(4, 3), _CLASSES, p=2, margin=0.5, weight=_BY_CLASS),
    ],
    "MSELoss": loss(nn.MSELoss, normal(4, 3), normal(4, 3, seed=1), tracked=(0, 1)),
    "HalfSquaredErrorLoss": loss(nn.HalfSquaredErrorLoss, normal(4, 3), normal(4, 3, seed=1)),
    "L1Loss": loss(nn.L1Loss, normal(4, 3), normal(4, 3, seed=1)),
    "HuberLoss": loss(nn.HuberLoss, normal(4, 3), normal(4, 3, seed=1), delta=0.5),
    "SmoothL1Loss": [
        *loss(nn.SmoothL1Loss, normal(4, 3), normal(4, 3, seed=1)),
        *loss(nn.SmoothL1Loss, normal(4, 3), normal(4, 3, seed=1), beta=0.0),
    ],
    "KLDivLoss": [
        *loss(nn.KLDivLoss, log_probabilities(4, 3), unit(4, 3)),
        *loss(nn.KLDivLoss, log_probabilities(4, 3), lambda dtype: np.eye(4, 3, dtype=dtype)),
        *loss(nn.KLDivLoss, log_probabilities(4, 3), log_probabilities(4, 3), log_target=True),
    ],
    "GaussianNLLLoss": [
        *loss(nn.GaussianNLLLoss, normal(4, 3), normal(4, 3, seed=1), unit(4, 3), tracked=(0, 2)),
        *loss(nn.GaussianNLLLoss, normal(4, 3), normal(4, 3, seed=1), unit(4), tracked=(0, 2), full=True),
        Case(lambda dtype: nn.GaussianNLLLoss(), (normal(4), normal(4, seed=1), lambda _: 0.5)),
    ],
    "PoissonNLLLoss": [
        *loss(nn.PoissonNLLLoss, normal(4, 3), lambda dtype: np.arange(12).reshape(4, 3), full=True),
        *loss(nn.PoissonNLLLoss, unit(4, 3), lambda dtype: np.arange(12).reshape(4, 3), log_input=False),
    ],
    "CosineEmbeddingLoss": loss(
        nn.CosineEmbeddingLoss, normal(4, 3), normal(4, 3, seed=1), _SIGNS, tracked=(0, 1), margin=0.1
    ),
}
