"""Integrals (exponential, sine, Fresnel, elliptic), hypergeometric functions, Lambert's W, orthogonal polynomials.

Hypergeometric functions are differentiable in `z`, polynomials in `x`; elliptic integrals in `m` if they are complete,
in `phi` if they are not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special

from ...errors import NoRuleError
from ...primitive import REGISTRY, written
from ...wrapping import array_beside
from .table import Named, either, polynomial, special, total

__all__ = ["ellipe", "ellipk", "ellipkm1", "exp1", "expi", "expn", "hyp0f1", "hyp1f1", "hyp2f1", "lambertw", "spence"]

# Hypergeometric functions

hyp0f1: Any = special("hyp0f1", "v, z -> y", z=lambda g, v, z: g * (hyp0f1(v + 1.0, z) / v))
hyp1f1: Any = special("hyp1f1", "a, b, z -> y", z=lambda g, a, b, z: g * (hyp1f1(a + 1.0, b + 1.0, z) * (a / b)))
hyp2f1: Any = special(
    "hyp2f1", "a, b, c, z -> y", z=lambda g, a, b, c, z: g * (hyp2f1(a + 1.0, b + 1.0, c + 1.0, z) * (a / c * b))
)
hyperu: Any = special("hyperu", "a, b, x -> y", x=lambda g, a, b, x: -g * (hyperu(a + 1.0, b + 1.0, x) * a))

# Exponential, sine and cosine integrals, the dilogarithm

_SINC = [(-1) ** k / math.factorial(2 * k + 1) for k in range(11)]
_SINHC = [1 / math.factorial(2 * k + 1) for k in range(11)]
_LOG_RATIO = [(-1) ** k / (k + 1) for k in range(24)]


@written("sin(x) / x")
def _sinc(x: Any) -> Any:
    """sin(x) / x; near 0, where that loses its derivatives, by its series."""
    return either(np.abs(x) < 1, x, lambda x: polynomial(_SINC, x * x), 0, lambda x: np.sin(x) / x, 1)


@written("sinh(x) / x")
def _sinhc(x: Any) -> Any:
    """sinh(x) / x, likewise."""

    def far(x: Any) -> Any:
        return (np.exp(x) - np.exp(-x)) * 0.5 / x

    return either(np.abs(x) < 1, x, lambda x: polynomial(_SINHC, x * x), 0, far, 1)


@written("log(z) / (1 - z)")
def _spence_slope(z: Any) -> Any:
    """log(z) / (1 − z); near 1, where that loses its derivatives, by its series."""
    return -either(
        np.abs(z - 1) < 0.125, z, lambda z: polynomial(_LOG_RATIO, z - 1), 1, lambda z: np.log(z) / (z - 1), 2
    )


@written("-expn(n - 1, x)")
def _expn_slope(n: Any, x: Any, y: Any) -> Any:
    """−E(n − 1, x); SciPy has no negative orders, but x E(−1, x) = e⁻ˣ + E(0, x)."""
    return -np.where(n > 0, expn(np.maximum(n - 1, 0), x), (np.exp(-x) + y) / x)


expi: Any = special("expi", "x -> y", x=lambda g, x: g * (np.exp(x) / x))
exp1: Any = special("exp1", "x -> y", x=lambda g, x: g * (np.exp(-x) / -x))
expn: Any = special("expn", "n, x -> y", x=lambda g, n, x, y: g * _expn_slope(n, x, y))
spence: Any = special("spence", "z -> y", z=lambda g, z: g * _spence_slope(z))
sici: Any = special(
    "sici",
    "x -> si, ci",
    x=lambda g, x, x_shape, x_dtype: total(g, (lambda: _sinc(x), lambda: np.cos(x) / x), x_shape, x_dtype),
)
shichi: Any = special(
    "shichi",
    "x -> shi, chi",
    x=lambda g, x, x_shape, x_dtype: total(
        g, (lambda: _sinhc(x), lambda: (np.exp(x) + np.exp(-x)) * 0.5 / x), x_shape, x_dtype
    ),
)
fresnel: Any = special(
    "fresnel",
    "z -> s, c",
    z=lambda g, z, z_shape, z_dtype: total(
        g, (lambda: np.sin(z * z * (math.pi / 2)), lambda: np.cos(z * z * (math.pi / 2))), z_shape, z_dtype
    ),
)

# Elliptic integrals and functions


def _ellipk_slope(m: Any) -> Any:
    """K = π/2 · ₂F₁(½, ½; 1; m)."""
    return hyp2f1(1.5, 1.5, 2.0, m) * (math.pi / 8)


@written("_ellipk_slope(1 - p)")
def _ellipkm1_slope(p: Any, y: Any) -> Any:
    """K′(1 − p), for small p as (E/p − K) / (2m): in m = 1 − p the digits of p are lost, and E hardly minds."""
    small, visible = p < 0.5, p > np.finfo(p.dtype).eps
    q = np.where(small, p, 0.25)
    e = np.where(visible, ellipe(1 - np.where(visible, q, 0.25)), 1.0)
    return np.where(small, (e / q - y) / (2 * (1 - q)), _ellipk_slope(1 - np.where(small, 1, p)))


ellipk: Any = special("ellipk", "m -> y", m=lambda g, m: g * _ellipk_slope(m))
ellipe: Any = special("ellipe", "m -> y", m=lambda g, m: g * (hyp2f1(0.5, 1.5, 2.0, m) * (-math.pi / 8)))
ellipkm1: Any = special("ellipkm1", "p -> y", p=lambda g, p, y: -g * _ellipkm1_slope(p, y))
ellipkinc: Any = special("ellipkinc", "phi, m -> y", phi=lambda g, phi, m: g / np.sqrt(1 - m * np.square(np.sin(phi))))
ellipeinc: Any = special("ellipeinc", "phi, m -> y", phi=lambda g, phi, m: g * np.sqrt(1 - m * np.square(np.sin(phi))))
ellipj: Any = special(
    "ellipj",
    "u, m -> sn, cn, dn, ph",
    u=lambda g, m, sn, cn, dn, u_shape, u_dtype: total(
        g, (lambda: cn * dn, lambda: -sn * dn, lambda: -sn * cn * m, lambda: dn), u_shape, u_dtype
    ),
)

# Lambert's W and Wright's omega

lambert: Any = special(
    "lambertw",
    "z, k, tol -> w",
    forward=Named("lambertw"),
    z=lambda g, z, w: g / (z + np.exp(w)),
)


def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """Branch `k` of Lambert's W function, the inverse of w eʷ; complex."""
    return lambert(z, array_beside(k, z).astype(np.dtype("long")), tol)


wrightomega: Any = special("wrightomega", "z -> w", z=lambda g, w: g * (w / (1 + w)))
REGISTRY[scipy.special.lambertw] = lambertw

# Orthogonal polynomials, by those of one degree less


@written("n - 1")
def _less(n: Any) -> Any:
    """One degree less than `n`, which need not be whole; of 0, whose polynomial is constant, 0."""
    if np.any((n < 0) & (n == np.floor(n))):
        raise NoRuleError("the polynomials of scipy.special have no differentiation rule for whole degrees below 0.")
    return np.where(n == 0, 0, n - 1)


eval_jacobi: Any = special(
    "eval_jacobi",
    "n, alpha, beta, x -> y",
    x=lambda g, n, alpha, beta, x: (
        g * (eval_jacobi(_less(n), alpha + 1.0, beta + 1.0, x) * ((n != 0) * 0.5 * (1.0 + n + alpha + beta)))
    ),
)
eval_legendre: Any = special(
    "eval_legendre",
    "n, x -> y",
    x=lambda g, n, x: g * (eval_jacobi(_less(n), 1.0, 1.0, x) * ((n != 0) * 0.5 * (n + 1.0))),
)
eval_gegenbauer: Any = special(
    "eval_gegenbauer",
    "n, alpha, x -> y",
    x=lambda g, n, alpha, x: g * (eval_gegenbauer(_less(n), alpha + 1.0, x) * ((n != 0) * 2.0 * alpha)),
)
eval_chebyt: Any = special("eval_chebyt", "n, x -> y", x=lambda g, n, x: g * (eval_chebyu(_less(n), x) * n))
eval_chebyu: Any = special(
    "eval_chebyu", "n, x -> y", x=lambda g, n, x: g * (eval_gegenbauer(_less(n), 2.0, x) * ((n != 0) * 2))
)
eval_genlaguerre: Any = special(
    "eval_genlaguerre",
    "n, alpha, x -> y",
    x=lambda g, n, alpha, x: g * (eval_genlaguerre(_less(n), alpha + 1.0, x) * ((n != 0) * -1)),
)
eval_laguerre: Any = special(
    "eval_laguerre", "n, x -> y", x=lambda g, n, x: g * (eval_genlaguerre(_less(n), 1.0, x) * ((n != 0) * -1))
)
eval_hermite: Any = special("eval_hermite", "n, x -> y", x=lambda g, n, x: g * (eval_hermite(_less(n), x) * (2.0 * n)))
eval_hermitenorm: Any = special(
    "eval_hermitenorm", "n, x -> y", x=lambda g, n, x: g * (eval_hermitenorm(_less(n), x) * n)
)
