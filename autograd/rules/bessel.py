"""`sinc` and `i0`: Bessel functions, with derivatives of every order that are accurate everywhere.

The textbook formulas for their derivatives, such as (cos πx − sinc x) / x, lose all digits near 0. Here the n-th
derivative is a function of its own, and the rule of the n-th is the (n+1)-th:

    sinc⁽ⁿ⁾(x) = πⁿ ∫₀¹ sⁿ cos(πxs + nπ/2) ds          1, 0, −π²/3, … at 0
    I₀⁽ⁿ⁾(x)   = (1/2π) ∫ cosⁿθ e^(x cos θ) dθ          over the circle; I₀′ is I₁
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .elementwise import elementwise

__all__ = ["i0", "i0_derivative", "sinc", "sinc_derivative"]


def _sinc_near(t: Any, n: int) -> Any:
    """The n-th derivative of sin(t)/t by its power series, for |t| ≤ n or so."""
    last = 20 + 4 * n
    y = np.zeros_like(t)
    for m in range(last - (last - n) % 2, -1, -2):  # Σ (−1)^((m+n)/2) tᵐ / ((m+n+1) m!), by Horner's rule
        y = y * (t * t) + (-1) ** ((m + n) // 2) / ((m + n + 1) * math.factorial(m))
    return y * t if n % 2 else y


def _sinc_far(t: Any, n: int) -> Any:
    """The n-th derivative of sin(t)/t by recurrence, for |t| ≥ n: that of t · sin(t)/t is that of sin."""
    waves = (np.sin(t), np.cos(t), -np.sin(t), -np.cos(t))
    y = waves[0] / t
    for k in range(1, n + 1):
        y = (waves[k % 4] - k * y) / t
    return y


def sinc_derivative(x: Any, n: int) -> Any:
    """The derivative of `np.sinc` of order `n` ≥ 1."""
    t = np.pi * x
    near = np.absolute(t) <= n
    return np.pi**n * np.where(near, _sinc_near(np.where(near, t, 0), n), _sinc_far(np.where(near, n, t), n))


def i0_derivative(x: Any, n: int) -> Any:
    """The derivative of `np.i0` of order `n`; `n` = 1 is the Bessel function I₁.

    The mean over equidistant points of the circle converges like I_N(x)/I_0(x), N being their number: N = 256 is
    enough for all x at which e^x does not overflow in double precision. Points at c and −c are taken together, and
    e^|x| apart, so that nothing cancels.
    """
    size = np.absolute(x)
    quarter = 64 if size.dtype.itemsize <= 8 else 512
    total = np.zeros_like(size)
    for k in range(quarter):
        theta = (k + 0.5) / quarter * (math.pi / 2)
        c = math.cos(theta)
        gap = np.expm1(-2 * c * size)  # e^(−2c|x|) − 1
        pair = -gap if n % 2 else 2 + gap
        total += c**n * np.exp(-2 * math.sin(theta / 2) ** 2 * size) * pair
    y = np.exp(size) * (total / (2 * quarter))
    return np.copysign(y, x) if n % 2 else y


sinc_derivative = elementwise(sinc_derivative, "x; n -> y", x=lambda g, x, n: g * sinc_derivative(x, n + 1))
i0_derivative = elementwise(i0_derivative, "x; n -> y", x=lambda g, x, n: g * i0_derivative(x, n + 1))
sinc = elementwise(np.sinc, "x -> y", x=lambda g, x: g * sinc_derivative(x, 1))
i0 = elementwise(np.i0, "x -> y", x=lambda g, x: g * i0_derivative(x, 1))
