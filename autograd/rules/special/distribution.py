"""Distribution functions: differentiable in the variable; in a parameter where the derivative is a density.

The numbers of successes that are rounded down (`k` in `bdtr`, `pdtr`, `nbdtr`) have none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .exponential import log1p
from .gamma import beta_density, betaln, gamma_density
from .table import special

__all__ = ["chdtr", "fdtr", "gdtr", "stdtr"]


def _student(df: Any, t: Any) -> Any:
    """The density of Student's t distribution."""
    return np.exp(-0.5 * np.log(df * 1.0) - betaln(df * 0.5, 0.5) - (df + 1.0) * 0.5 * log1p(t * t / df))


def _fisher(dfn: Any, dfd: Any, x: Any) -> Any:
    """The density of the F distribution."""
    whole = dfd + dfn * x
    return beta_density(dfn * 0.5, dfd * 0.5, dfn * x / whole) * dfn * dfd / (whole * whole)


chdtr: Any = special("chdtr", "v, x -> p", x=lambda g, v, x: g * (0.5 * gamma_density(v * 0.5, x * 0.5)))
chdtrc: Any = special("chdtrc", "v, x -> p", x=lambda g, v, x: g * (-0.5 * gamma_density(v * 0.5, x * 0.5)))
chdtri: Any = special("chdtri", "v, p -> x", p=lambda g, v, x: g / (-0.5 * gamma_density(v * 0.5, x * 0.5)))
gdtr: Any = special(
    "gdtr",
    "a, b, x -> p",
    a=lambda g, a, b, x: g * (x * gamma_density(b, a * x)),
    x=lambda g, a, b, x: g * (a * gamma_density(b, a * x)),
)
gdtrc: Any = special(
    "gdtrc",
    "a, b, x -> p",
    a=lambda g, a, b, x: -g * (x * gamma_density(b, a * x)),
    x=lambda g, a, b, x: -g * (a * gamma_density(b, a * x)),
)
pdtr: Any = special("pdtr", "k, m -> p", m=lambda g, k, m: -g * gamma_density(np.floor(k) + 1.0, m))
pdtrc: Any = special("pdtrc", "k, m -> p", m=lambda g, k, m: g * gamma_density(np.floor(k) + 1.0, m))
stdtr: Any = special("stdtr", "df, t -> p", t=lambda g, df, t: g * _student(df, t))
stdtrit: Any = special("stdtrit", "df, p -> t", p=lambda g, df, t: g / _student(df, t))
fdtr: Any = special("fdtr", "dfn, dfd, x -> p", x=lambda g, dfn, dfd, x: g * _fisher(dfn, dfd, x))
fdtrc: Any = special("fdtrc", "dfn, dfd, x -> p", x=lambda g, dfn, dfd, x: -g * _fisher(dfn, dfd, x))
fdtri: Any = special("fdtri", "dfn, dfd, p -> x", p=lambda g, dfn, dfd, x: g / _fisher(dfn, dfd, x))
bdtr: Any = special(
    "bdtr", "k, n, p -> y", p=lambda g, k, n, p: -g * beta_density(np.floor(k) + 1.0, n - np.floor(k), p)
)
bdtrc: Any = special(
    "bdtrc", "k, n, p -> y", p=lambda g, k, n, p: g * beta_density(np.floor(k) + 1.0, n - np.floor(k), p)
)
nbdtr: Any = special("nbdtr", "k, n, p -> y", p=lambda g, k, n, p: g * beta_density(n, np.floor(k) + 1.0, p))
nbdtrc: Any = special("nbdtrc", "k, n, p -> y", p=lambda g, k, n, p: -g * beta_density(n, np.floor(k) + 1.0, p))
