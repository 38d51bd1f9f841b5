"""Initialisers that keep variances or lengths: scaled by the numbers of inputs and outputs, and orthogonal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .plain import Array

__all__ = [
    "HeNormal",
    "HeUniform",
    "LeCunNormal",
    "LeCunUniform",
    "Orthogonal",
    "XavierNormal",
    "XavierUniform",
    "calculate_gain",
    "fans",
]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The numbers of inputs and outputs of a weight of shape (out, in).

    Parameters
    ----------
    shape : tuple of int
        Further axes, as those of a convolution's kernel, multiply both.

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
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By what the standard deviation of weights is multiplied, for the activation that follows.

    ==========================  =====================
    'linear', 'identity'        1
    'sigmoid'                   1
    'tanh'                      5/3
    'relu'                      √2
    'leaky_relu'                √(2 / (1 + slope²))
    'selu'                      3/4
    ==========================  =====================

    These are PyTorch's. For a network that shall normalise itself (Klambauer et al., 2017), 'selu' wants the gain 1.

    Parameters
    ----------
    nonlinearity : str
    param : float, optional
        The slope of 'leaky_relu', by default 0.01.

    Raises
    ------
    ValueError
        If the name is not in the table, or has no parameter.

    Examples
    --------
    >>> from nn.init import calculate_gain
    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if param and nonlinearity != "leaky_relu":
        raise ValueError(f"only 'leaky_relu' has a parameter, its slope: got {param!r} for {nonlinearity!r}.")
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"no gain is known for {nonlinearity!r}, only for {', '.join(_GAINS)} and leaky_relu.")
    return _GAINS[nonlinearity]


_GAINS = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


class _Scaled:
    """Draws around 0 with a standard deviation for the shape."""

    def std(self, shape: tuple[int, ...]) -> float:
        raise NotImplementedError


class _Gaussian(_Scaled):
    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.std(shape) * rng.standard_normal(shape)


class _Even(_Scaled):
    """Uniform on ±√3 standard deviations."""

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bound = math.sqrt(3) * self.std(shape)
        return rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class _Xavier(_Scaled):
    gain: float = 1.0

    def std(self, shape: tuple[int, ...]) -> float:
        return self.gain * math.sqrt(2 / max(1, sum(fans(shape))))


@dataclass(frozen=True)
class XavierNormal(_Xavier, _Gaussian):
    """N(0, gain² · 2 / (fan_in + fan_out)): for tanh and sigmoid.

    Parameters
    ----------
    gain : float
        For the activation that follows: see `calculate_gain`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.XavierNormal()((300, 200), np.random.default_rng(0)).std().round(3))
    0.063
    """


@dataclass(frozen=True)
class XavierUniform(_Xavier, _Even):
    """Uniform on ±gain · √(6 / (fan_in + fan_out)): the variance of `XavierNormal`.

    Parameters
    ----------
    gain : float
        For the activation that follows: see `calculate_gain`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.XavierUniform(gain=5 / 3)((300, 200), np.random.default_rng(0)).std().round(3))
    0.105
    """


@dataclass(frozen=True)
class _He(_Scaled):
    a: float = 0.0
    mode: str = "fan_in"
    nonlinearity: str = "leaky_relu"

    def __post_init__(self) -> None:
        if self.mode not in ("fan_in", "fan_out"):
            raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {self.mode!r}.")
        calculate_gain(self.nonlinearity, self.a)  # refuses what it does not know

    def std(self, shape: tuple[int, ...]) -> float:
        fan_in, fan_out = fans(shape)
        fan = fan_in if self.mode == "fan_in" else fan_out
        return calculate_gain(self.nonlinearity, self.a) / math.sqrt(max(1, fan))


@dataclass(frozen=True)
class HeNormal(_He, _Gaussian):
    """N(0, 2 / fan_in): for ReLU, which halves the variance.

    In general N(0, gain² / fan), with the gain of `nonlinearity` in `calculate_gain`: the default is that of a leaky
    ReLU of slope a = 0, which is ReLU. `mode` chooses the fan: 'fan_in' keeps the variance in the forward pass, and
    'fan_out' in the backward pass.

    Parameters
    ----------
    a : float
        The slope of 'leaky_relu' for x < 0.
    mode : {'fan_in', 'fan_out'}
    nonlinearity : str
        A name that `calculate_gain` knows.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.HeNormal()((300, 200), np.random.default_rng(0)).std().round(3))
    0.1
    """


@dataclass(frozen=True)
class HeUniform(_He, _Even):
    """Uniform on ±√(6 / fan_in): the variance of `HeNormal`, and its arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.HeUniform(mode="fan_out")((300, 200), np.random.default_rng(0)).std().round(3))
    0.082
    """


@dataclass(frozen=True)
class _LeCun(_Scaled):
    def std(self, shape: tuple[int, ...]) -> float:
        return math.sqrt(1 / max(1, fans(shape)[0]))


@dataclass(frozen=True)
class LeCunNormal(_LeCun, _Gaussian):
    """N(0, 1 / fan_in): for tanh in its linear region, and for SELU; some lectures call it "Xavier".

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.LeCunNormal()((300, 200), np.random.default_rng(0)).std().round(3))
    0.071
    """


@dataclass(frozen=True)
class LeCunUniform(_LeCun, _Even):
    """Uniform on ±√(3 / fan_in): the variance of `LeCunNormal`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.LeCunUniform()((300, 200), np.random.default_rng(0)).std().round(3))
    0.071
    """


@dataclass(frozen=True)
class Orthogonal:
    """`gain` times a random matrix Q with Q Qᵀ = I, or Qᵀ Q = I if it has more rows than columns.

    It keeps lengths, also through many layers, and not only their average (Saxe et al., 2013). Of a shape with more
    than two axes the axes after the first are one. Q is the Q of a normal matrix, with the signs that make R's diagonal
    positive, and so uniformly distributed (Mezzadri, "How to generate random matrices from the classical compact
    groups", 2007).

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> q = nn.init.Orthogonal()((2, 3), np.random.default_rng(0))
    >>> np.allclose(q @ q.T, np.eye(2))
    True
    """

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        fans(shape)  # refuses what has fewer than two axes
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return float(self.gain) * np.reshape(q if rows >= columns else q.T, shape)
