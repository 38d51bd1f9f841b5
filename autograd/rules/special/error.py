"""The error function and its family, and the normal distribution.

`erfcx` and Dawson's integral D satisfy y′ = 2xy − 2/√π and D′ = 1 − 2xD, where far out almost everything cancels;
there the asymptotic series is used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...primitive import written
from .table import either, polynomial, special

__all__ = ["dawsn", "erf", "erfc", "erfcx", "erfi", "log_ndtr", "ndtr", "ndtri", "wofz"]

_C = 2 / math.sqrt(math.pi)
_ROOT2, _ROOT2PI = math.sqrt(2), math.sqrt(2 * math.pi)

#: (2k − 1)!! for k = 1, 2, …
_ODD_FACTORIALS = [float(math.prod(range(1, 2 * k, 2))) for k in range(1, 11)]

#: Where the series is as good as the numbers are, and little has cancelled yet.
_FAR = 16.0


def _tail(x: Any, sign: float) -> Any:
    """Σ (2k − 1)!! (±t)ᵏ over k ≥ 1, with t = 1 / (2x²)."""
    t = sign * 0.5 / x / x
    return t * polynomial(_ODD_FACTORIALS, t)


@written("2 * x * y - _C")
def _erfcx_slope(x: Any, y: Any) -> Any:
    if np.iscomplexobj(x):
        return 2 * x * y - _C
    x = x.astype(y.dtype)  # the coefficients are too large for float16
    far = x > _FAR
    return np.where(far, _C * _tail(np.where(far, x, _FAR), -1), 2 * np.where(far, 0, x) * y - _C)


@written("1 - 2 * x * y")
def _dawsn_slope(x: Any, y: Any) -> Any:
    if np.iscomplexobj(x):
        return 1 - 2 * x * y
    x = x.astype(y.dtype)
    far = np.abs(x) > _FAR
    return np.where(far, -_tail(np.where(far, x, _FAR), 1), 1 - 2 * np.where(far, 0, x) * y)


erf: Any = special("erf", "x -> y", x=lambda g, x: g * (np.exp(-x * x) * _C))
erfc: Any = special("erfc", "x -> y", x=lambda g, x: g * (np.exp(-x * x) * -_C))
erfcx: Any = special("erfcx", "x -> y", x=lambda g, x, y: g * _erfcx_slope(x, y))
erfi: Any = special("erfi", "x -> y", x=lambda g, x: g * (np.exp(x * x) * _C))
dawsn: Any = special("dawsn", "x -> y", x=lambda g, x, y: g * _dawsn_slope(x, y))
wofz: Any = special("wofz", "x -> y", x=lambda g, x, y: g * (_C * 1j - 2 * x * y))
erfinv: Any = special("erfinv", "x -> y", x=lambda g, y: g * (np.exp(y * y) / _C))
erfcinv: Any = special("erfcinv", "x -> y", x=lambda g, y: g * (np.exp(y * y) / -_C))

# The normal distribution


def _density(x: Any) -> Any:
    return np.exp(x * x * -0.5) / _ROOT2PI


@written("_density(x) / ndtr(x)")
def _mills(x: Any) -> Any:
    """φ(x) / Φ(x), the derivative of log Φ. On the left, where both vanish, √(2/π) / erfcx(−x/√2)."""
    if np.iscomplexobj(x):
        return _density(x) / ndtr(x)
    return either(x < 0, x, lambda x: (2 / _ROOT2PI) / erfcx(x / -_ROOT2), -1.0, lambda x: _density(x) / ndtr(x), 1.0)


ndtr: Any = special("ndtr", "x -> y", x=lambda g, x: g * _density(x))
log_ndtr: Any = special("log_ndtr", "x -> y", x=lambda g, x: g * _mills(x))
ndtri: Any = special("ndtri", "p -> x", p=lambda g, x: g / _density(x))
ndtri_exp: Any = special("ndtri_exp", "p -> x", p=lambda g, x: g / _mills(x))
owens_t: Any = special(
    "owens_t",
    "h, a -> y",
    h=lambda g, h, a: g * (_density(h) * erf(a * h / _ROOT2) * -0.5),
    a=lambda g, h, a: g * (np.exp(h * (1 + a * a) * h * -0.5) / (2 * math.pi * (1 + a * a))),
)
