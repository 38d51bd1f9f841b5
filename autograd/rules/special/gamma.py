"""The gamma function and its family: logarithms, polygamma and zeta, beta, the incomplete ones.

Every derivative of `gammaln` is there: digamma, then ζ(2, x), then −s ζ(s + 1, x) without end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from ...devices import is_foreign
from ...primitive import REGISTRY, written
from ..elementwise import elementwise, ratio
from .exponential import xlog1py, xlogy
from .table import Named, alias, either, only_real, special, undefined

__all__ = [
    "beta",
    "beta_density",
    "betaln",
    "digamma",
    "gamma",
    "gamma_density",
    "gammaln",
    "hurwitz",
    "loggamma",
    "multigammaln",
    "polygamma",
    "rgamma",
    "zeta",
]

gamma: Any = special("gamma", "x -> y", x=lambda g, x, y: g * y * digamma(x))
gammaln: Any = special("gammaln", "x -> y", x=lambda g, x: g * digamma(x))
loggamma: Any = special("loggamma", "x -> y", x=lambda g, x: g * digamma(x))
digamma: Any = special("digamma", "x -> y", x=lambda g, x: g * hurwitz(2.0, only_real("digamma", x)))
alias("psi", digamma)


@written("-y * digamma(x)")
def _reciprocal_slope(x: Any, y: Any) -> Any:
    """The derivative of 1/Γ. Left of ½ by reflection, 1/Γ(x) = Γ(1 − x) sin(πx) / π, which knows no poles."""
    left = np.real(x) < 0.5

    def reflected(x: Any) -> Any:
        return gamma(1 - x) * (np.cos(np.pi * x) - digamma(1 - x) * np.sin(np.pi * x) / np.pi)

    return np.where(left, reflected(np.where(left, x, 0)), -y * digamma(np.where(left, 1, x)))


rgamma: Any = special("rgamma", "x -> y", x=lambda g, x, y: g * _reciprocal_slope(x, y))

# Zeta and polygamma. SciPy's zeta is a Python function around a ufunc for each; that of Riemann's has no rule.

_zeta = Named("zeta")
hurwitz: Any = special(
    "zeta",
    "x, q -> y",
    forward=_zeta,
    q=lambda g, x, q: -g * x * hurwitz(x + 1.0, q),
)


def zeta(x: Any, q: Any = None) -> Any:
    """The zeta function of Riemann, or with `q` of Hurwitz, Σ (k + q)⁻ˣ. Differentiable in `q`."""
    return scipy.special.zeta(x) if q is None else hurwitz(x, q)


def polygamma(n: Any, x: Any) -> Any:
    """The `n`-th derivative of the digamma function at `x`, real. Differentiable in `x`."""
    if is_foreign(n) or is_foreign(x):
        y = (-1.0) ** (n + 1) * scipy.special.gamma(n + 1.0) * _zeta(n + 1, x)
        return np.where(np.equal(n, 0), scipy.special.digamma(x), y)
    return scipy.special.polygamma(n, x)


polygamma = elementwise(
    polygamma,
    "n, x -> y",
    n=undefined("polygamma", "n"),
    x=lambda g, n, x: g * polygamma(n + 1, x),
)
polygamma.primitive.name = "special.polygamma"  # type: ignore[attr-defined]


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension `d`. Differentiable in `a`."""
    if is_foreign(a):
        logarithms = [scipy.special.gammaln(a - k / 2) for k in range(int(d))]
        y = sum(logarithms[1:], logarithms[0]) + d * (d - 1) / 4 * np.log(np.pi)
        return np.where(a > (d - 1) / 2, y, np.nan)
    return scipy.special.multigammaln(a, d)


@written("g * sum_over_k(digamma(a - k / 2))")
def _multigammaln(g: Any, a: Any, d: int) -> Any:
    slope = digamma(a)
    for k in range(1, int(d)):
        slope = slope + digamma(a - k / 2)
    return g * slope


multigammaln = elementwise(multigammaln, "a; d -> y", a=_multigammaln)
multigammaln.primitive.name = "special.multigammaln"  # type: ignore[attr-defined]

REGISTRY[scipy.special.zeta] = zeta
REGISTRY[scipy.special.polygamma], REGISTRY[scipy.special.multigammaln] = polygamma, multigammaln

# Incomplete gamma


def gamma_density(a: Any, x: Any) -> Any:
    """x^(a−1) e^(−x) / Γ(a): the derivative in x of the regularized incomplete gamma function."""

    def small(x: Any) -> Any:  # right at 0 too, in every derivative
        return np.power(x, a - 1.0) * np.exp(-x) * rgamma(a)

    def large(x: Any) -> Any:
        return np.exp(xlogy(a - 1.0, x) - x - gammaln(a))

    return either(x < 1, x, small, 0.5, large, 1.5)


gammainc: Any = special("gammainc", "a, x -> p", x=lambda g, a, x: g * gamma_density(a, x))
gammaincc: Any = special("gammaincc", "a, x -> p", x=lambda g, a, x: -g * gamma_density(a, x))
gammaincinv: Any = special("gammaincinv", "a, p -> x", p=lambda g, a, x: g / gamma_density(a, x))
gammainccinv: Any = special("gammainccinv", "a, p -> x", p=lambda g, a, x: -g / gamma_density(a, x))

# Beta

beta: Any = special(
    "beta",
    "a, b -> y",
    a=lambda g, a, b, y: g * y * (digamma(a) - digamma(a + b)),
    b=lambda g, a, b, y: g * y * (digamma(b) - digamma(a + b)),
)
betaln: Any = special(
    "betaln",
    "a, b -> y",
    a=lambda g, a, b: g * (digamma(a) - digamma(a + b)),
    b=lambda g, a, b: g * (digamma(b) - digamma(a + b)),
)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a−1) (1 − x)^(b−1) / B(a, b): the derivative in x of the regularized incomplete beta function."""

    def at_an_end(x: Any) -> Any:
        return ratio(np.power(x, a - 1.0) * np.power(1 - x, b - 1.0), beta(a, b))

    def inside(x: Any) -> Any:
        return np.exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))

    return either((x == 0) | (x == 1), x, at_an_end, 0.5, inside, 0.5)


betainc: Any = special("betainc", "a, b, x -> p", x=lambda g, a, b, x: g * beta_density(a, b, x))
betaincc: Any = special("betaincc", "a, b, x -> p", x=lambda g, a, b, x: -g * beta_density(a, b, x))
betaincinv: Any = special("betaincinv", "a, b, p -> x", p=lambda g, a, b, x: g / beta_density(a, b, x))
betainccinv: Any = special("betainccinv", "a, b, p -> x", p=lambda g, a, b, x: -g / beta_density(a, b, x))

# Binomial coefficients, rising factorials


@written("y * (digamma(n + 1) - digamma(n - k + 1))")
def _binom_n(n: Any, k: Any, y: Any) -> Any:
    """Where the coefficient is 0, digamma has a pole: there Γ(n+1) R(k+1) R(n−k+1) with R = 1/Γ is differentiated."""
    zero = y == 0
    n0, k0, n1, k1 = np.where(zero, n, 1), np.where(zero, k, 0), np.where(zero, 1, n), np.where(zero, 0, k)
    m = n0 - k0 + 1.0
    r = rgamma(m)
    return np.where(
        zero,
        gamma(n0 + 1.0) * rgamma(k0 + 1.0) * (digamma(n0 + 1.0) * r + _reciprocal_slope(m, r)),
        y * (digamma(n1 + 1.0) - digamma(n1 - k1 + 1.0)),
    )


@written("y * (digamma(n - k + 1) - digamma(k + 1))")
def _binom_k(n: Any, k: Any, y: Any) -> Any:
    zero = y == 0
    n0, k0, n1, k1 = np.where(zero, n, 1), np.where(zero, k, 0), np.where(zero, 1, n), np.where(zero, 0, k)
    a, b = k0 + 1.0, n0 - k0 + 1.0
    p, q = rgamma(a), rgamma(b)
    return np.where(
        zero,
        gamma(n0 + 1.0) * (_reciprocal_slope(a, p) * q - p * _reciprocal_slope(b, q)),
        y * (digamma(n1 - k1 + 1.0) - digamma(k1 + 1.0)),
    )


binom: Any = special(
    "binom",
    "n, k -> y",
    n=lambda g, n, k, y: g * _binom_n(n, k, y),
    k=lambda g, n, k, y: g * _binom_k(n, k, y),
)
poch: Any = special(
    "poch",
    "z, m -> y",
    z=lambda g, z, m, y: g * y * (digamma(z + m) - digamma(z)),
    m=lambda g, z, m, y: g * y * digamma(z + m),
)
