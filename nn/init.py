"""Initialisers: how the weights of a layer are drawn.

An initialiser is called with a shape (out, in) and a `numpy.random.Generator` and returns float64 numbers,
which the layer converts: the same seed gives the same numbers for every dtype and device. Layers take one by
name (`init="he"`) or as a callable (`init=Normal(std=0.1)`, or a function of yours).

The aim is that the variance of what leaves a layer is that of what enters it, forward and backward. The
names are those of the literature and of PyTorch; lectures vary:

==========  ==========================  =====================================================================
here        variance of a weight        elsewhere
==========  ==========================  =====================================================================
`xavier`    2 / (fan_in + fan_out)      Glorot & Bengio, "Understanding the difficulty of training deep
                                        feedforward neural networks", 2010. Some lectures call √(1/fan_in)
                                        "Xavier", and this one "Xavier/He".
`he`        2 / fan_in                  He et al., "Delving deep into rectifiers", 2015; "Kaiming" in PyTorch.
==========  ==========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "INITIALIZERS",
    "Constant",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Normal",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "fans",
    "initializer",
]

Array = np.ndarray[Any, np.dtype[np.float64]]
Initializer = Callable[[tuple[int, ...], np.random.Generator], Array]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The numbers of inputs and outputs of a weight of shape (out, in).

    Raises
    ------
    ValueError
        If the shape has fewer than two axes: a bias has no fans.

    Examples
    --------
    >>> from nn.init import fans
    >>> fans((3, 12288))
    (12288, 3)
    """
    if len(shape) < 2:
        raise ValueError(f"fan_in and fan_out need a weight of shape (out, in), got shape {shape}.")
    field = int(np.prod(shape[2:]))
    return shape[1] * field, shape[0] * field


@dataclass(frozen=True)
class Constant:
    """The same value everywhere. As weights it keeps all neurons of a layer equal for ever (symmetry)."""

    value: float

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Zeros:
    """Zero everywhere: for biases. As weights it gives every neuron of a layer the same gradient."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Normal:
    """Independent draws from N(mean, std²); N(0, 0.01²) by default."""

    mean: float = 0.0
    std: float = 0.01

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.mean + self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class XavierNormal:
    """N(0, 2 / (fan_in + fan_out)): for tanh and sigmoid."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.sqrt(2 / sum(fans(shape))) * rng.standard_normal(shape)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class XavierUniform:
    """Uniform on ±√(6 / (fan_in + fan_out)): the variance of `XavierNormal`."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bound = np.sqrt(6 / sum(fans(shape)))
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class HeNormal:
    """N(0, 2 / fan_in): for ReLU, which halves the variance."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.sqrt(2 / fans(shape)[0]) * rng.standard_normal(shape)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class HeUniform:
    """Uniform on ±√(6 / fan_in): the variance of `HeNormal`."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bound = np.sqrt(6 / fans(shape)[0])
        return rng.uniform(-bound, bound, shape)


#: The initialisers that have a name.
INITIALIZERS: dict[str, Initializer] = {
    "zeros": Zeros(),
    "normal": Normal(),
    "xavier": XavierNormal(),
    "glorot": XavierNormal(),
    "xavier_normal": XavierNormal(),
    "xavier_uniform": XavierUniform(),
    "glorot_normal": XavierNormal(),
    "glorot_uniform": XavierUniform(),
    "he": HeNormal(),
    "kaiming": HeNormal(),
    "he_normal": HeNormal(),
    "he_uniform": HeUniform(),
    "kaiming_normal": HeNormal(),
    "kaiming_uniform": HeUniform(),
}


def initializer(init: str | Initializer) -> Initializer:
    """The initialiser of that name, or the callable itself.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a name nor a callable.

    Examples
    --------
    >>> from nn.init import initializer
    >>> initializer("he")
    HeNormal()
    """
    if isinstance(init, str):
        if init not in INITIALIZERS:
            raise ValueError(f"unknown initialiser {init!r}; the names are {', '.join(INITIALIZERS)}.")
        return INITIALIZERS[init]
    if not callable(init):
        raise TypeError(
            f"an initialiser is a name or a callable (shape, rng) -> array, got {type(init).__name__}; "
            "for one value everywhere write nn.init.Constant(value)."
        )
    return init
