"""Initialisers that do not ask how many inputs a layer has: constants, draws, and matrices with a structure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Constant",
    "Identity",
    "Normal",
    "Ones",
    "Sparse",
    "TruncatedNormal",
    "Uniform",
    "Zeros",
]

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Constant:
    """The same value everywhere. As weights it keeps all neurons of a layer equal for ever (symmetry).

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.init.Constant(0.5)((1, 2), np.random.default_rng(0))
    array([[0.5, 0.5]])
    """

    value: float

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Zeros:
    """Zero everywhere: for biases. As weights it gives every neuron of a layer the same gradient.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.init.Zeros()((1, 2), np.random.default_rng(0))
    array([[0., 0.]])
    """

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones:
    """One everywhere: for scales. As weights it is a `Constant`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.init.Ones()((1, 2), np.random.default_rng(0))
    array([[1., 1.]])
    """

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.ones(shape)


@dataclass(frozen=True)
class Normal:
    """Independent draws from N(mean, std²); N(0, 0.01²) by default.

    Parameters
    ----------
    mean : float
        Of the draws.
    std : float
        Their standard deviation, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.Normal(std=0.1)((300, 200), np.random.default_rng(0)).std().round(3))
    0.1
    """

    mean: float = 0.0
    std: float = 0.01

    def __post_init__(self) -> None:
        _require(self, self.std >= 0, "std is at least 0")

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.mean + self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform:
    """Independent draws from the interval [low, high).

    Parameters
    ----------
    low, high : float
        The bounds, finite; low is not above high.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.Uniform(-0.1, 0.1)((300, 200), np.random.default_rng(0)).std().round(3))
    0.058
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _require(self, -math.inf < self.low <= self.high < math.inf, "low is not above high, and both are finite")

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class TruncatedNormal:
    """Independent draws from N(mean, std²), given that they lie in [a, b].

    As in PyTorch, a and b are values and not multiples of std: for two standard deviations to either side of 0 write
    `TruncatedNormal(std=0.02, a=-0.04, b=0.04)`. They may be infinite. The variance is less than std².

    Parameters
    ----------
    mean, std : float
        Of the normal distribution; std is above 0.
    a, b : float
        The bounds, a less than b.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.init.TruncatedNormal(std=0.02, a=-0.04, b=0.04)((300, 200), np.random.default_rng(0)).std().round(3))
    0.018
    """

    mean: float = 0.0
    std: float = 1.0
    a: float = -2.0
    b: float = 2.0

    def __post_init__(self) -> None:
        _require(self, 0 < self.std < math.inf and math.isfinite(self.mean), "mean is finite and std above 0")
        _require(self, self.a < self.b and self.a < math.inf and self.b > -math.inf, "a is less than b")

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        far = 1e300  # in place of ∞, with which the proposals cannot calculate
        a, b = (min(max((limit - self.mean) / self.std, -far), far) for limit in (self.a, self.b))
        z = -_truncated(-b, -a, math.prod(shape), rng) if b < 0 else _truncated(a, b, math.prod(shape), rng)
        return np.clip(self.mean + self.std * z, self.a, self.b).reshape(shape)


def _truncated(a: float, b: float, n: int, rng: np.random.Generator) -> Array:
    """n draws from N(0, 1) on [a, b] with b ≥ 0: proposals, until they are accepted.

    At least a quarter of the proposals is accepted, wherever a and b are (after C. P. Robert, "Simulation of truncated
    normal variables", 1995).
    """
    share = (math.erfc(a / math.sqrt(2)) - math.erfc(b / math.sqrt(2))) / 2
    z = np.empty(n)
    pending = np.arange(n)
    while k := pending.size:
        if share > 0.3:
            t = rng.standard_normal(k)
            accepted = (a <= t) & (t <= b)
        elif a < 0.1:  # a short interval, near the peak
            t = rng.uniform(a, b, k)
            accepted = rng.random(k) < np.exp(-t * t / 2)
        else:  # in a tail the density falls like e^(−a t), and a little faster
            t = np.log1p(rng.random(k) * math.expm1(-a * (b - a))) / -a
            accepted = rng.random(k) < np.exp(-t * t / 2)
            t = t + a
        z[pending] = t
        pending = pending[~accepted]
    return z


# Matrices


@dataclass(frozen=True)
class Identity:
    """`gain` on the diagonal, zero elsewhere: a layer that only scales. L of them scale by gain^L.

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.init.Identity(2.0)((2, 3), np.random.default_rng(0))
    array([[2., 0., 0.],
           [0., 2., 0.]])
    """

    gain: float = 1.0

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return float(self.gain) * np.eye(*_matrix(self, shape))


@dataclass(frozen=True)
class Sparse:
    """Draws from N(0, std²), of which a fraction `sparsity` in each column is zero: ⌈sparsity · out⌉ of them.

    So each input reaches only some of the neurons (Martens, "Deep learning via Hessian-free optimization", 2010).

    Parameters
    ----------
    sparsity : float
        A fraction, from 0 to 1.
    std : float
        Of the others, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> (nn.init.Sparse(0.5)((4, 3), np.random.default_rng(0)) == 0).sum(0)
    array([2, 2, 2])
    """

    sparsity: float
    std: float = 0.01

    def __post_init__(self) -> None:
        _require(self, 0 <= self.sparsity <= 1, "sparsity is a fraction, from 0 to 1")
        _require(self, self.std >= 0, "std is at least 0")

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        rows, _ = _matrix(self, shape)
        zeros = math.ceil(self.sparsity * rows - 1e-9)  # 0.07 · 100 is 7.000000000000001
        w = self.std * rng.standard_normal(shape)
        w[rng.random(shape).argsort(0) < zeros] = 0
        return w


def _matrix(init: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """The shape, if it is one of a matrix."""
    if len(shape) != 2:
        raise ValueError(f"{init!r} makes matrices of shape (out, in), got shape {shape}.")
    return shape


def _require(init: Any, condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(f"{type(init).__name__}: {what}, got {init!r}.")
