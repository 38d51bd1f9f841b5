"""Bessel functions, with their exponentially scaled forms, and those of Airy, Hankel and Struve.

They are differentiable in the argument; in the order `v` there is no closed form. The scaled ones (`jve`, `ive`, …) are
holomorphic nowhere where their factor is e^(−|Re z|) or e^(−|Im z|): these have rules for real numbers only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .gamma import rgamma
from .table import alias, only_real, special, total

__all__ = ["airy", "i0", "i1", "iv", "j0", "j1", "jv", "k0", "k1", "kv", "y0", "y1", "yv"]

# Any order

jv: Any = special("jv", "v, z -> y", z=lambda g, v, z: g * (0.5 * (jv(v - 1.0, z) - jv(v + 1.0, z))))
yv: Any = special("yv", "v, z -> y", z=lambda g, v, z: g * (0.5 * (yv(v - 1.0, z) - yv(v + 1.0, z))))
iv: Any = special("iv", "v, z -> y", z=lambda g, v, z: g * (0.5 * (iv(v - 1.0, z) + iv(v + 1.0, z))))
kv: Any = special("kv", "v, z -> y", z=lambda g, v, z: g * (-0.5 * (kv(v - 1.0, z) + kv(v + 1.0, z))))
yn: Any = special("yn", "n, x -> y", x=lambda g, n, x: g * (0.5 * (yv(n - 1.0, x) - yv(n + 1.0, x))))
kn: Any = special("kn", "n, x -> y", x=lambda g, n, x: g * (-0.5 * (kv(n - 1.0, x) + kv(n + 1.0, x))))
alias("jn", jv)

hankel1: Any = special(
    "hankel1", "v, z -> y", z=lambda g, v, z: g * (0.5 * (hankel1(v - 1.0, z) - hankel1(v + 1.0, z)))
)
hankel2: Any = special(
    "hankel2", "v, z -> y", z=lambda g, v, z: g * (0.5 * (hankel2(v - 1.0, z) - hankel2(v + 1.0, z)))
)
hankel1e: Any = special(
    "hankel1e", "v, z -> y", z=lambda g, v, z, y: g * (0.5 * (hankel1e(v - 1.0, z) - hankel1e(v + 1.0, z)) - 1j * y)
)
hankel2e: Any = special(
    "hankel2e", "v, z -> y", z=lambda g, v, z, y: g * (0.5 * (hankel2e(v - 1.0, z) - hankel2e(v + 1.0, z)) + 1j * y)
)

jve: Any = special(
    "jve", "v, z -> y", z=lambda g, v, z: g * (0.5 * (jve(v - 1.0, only_real("jve", z)) - jve(v + 1.0, z)))
)
yve: Any = special(
    "yve", "v, z -> y", z=lambda g, v, z: g * (0.5 * (yve(v - 1.0, only_real("yve", z)) - yve(v + 1.0, z)))
)
ive: Any = special(
    "ive",
    "v, z -> y",
    z=lambda g, v, z, y: g * (0.5 * (ive(v - 1.0, only_real("ive", z)) + ive(v + 1.0, z)) - np.sign(z) * y),
)
kve: Any = special("kve", "v, z -> y", z=lambda g, v, z, y: g * (y - 0.5 * (kve(v - 1.0, z) + kve(v + 1.0, z))))

# Orders 0 and 1

j0: Any = special("j0", "x -> y", x=lambda g, x: -g * j1(x))
j1: Any = special("j1", "x -> y", x=lambda g, x: g * (0.5 * (j0(x) - jv(2, x))))
y0: Any = special("y0", "x -> y", x=lambda g, x: -g * y1(x))
y1: Any = special("y1", "x -> y", x=lambda g, x, y: g * (y0(x) - y / x))
i0: Any = special("i0", "x -> y", x=lambda g, x: g * i1(x))
i1: Any = special("i1", "x -> y", x=lambda g, x: g * (0.5 * (i0(x) + iv(2, x))))
k0: Any = special("k0", "x -> y", x=lambda g, x: -g * k1(x))
k1: Any = special("k1", "x -> y", x=lambda g, x, y: -g * (k0(x) + y / x))
i0e: Any = special("i0e", "x -> y", x=lambda g, x, y: g * (i1e(x) - np.sign(x) * y))
i1e: Any = special("i1e", "x -> y", x=lambda g, x, y: g * (0.5 * (i0e(x) + ive(2, x)) - np.sign(x) * y))
k0e: Any = special("k0e", "x -> y", x=lambda g, x, y: g * (y - k1e(x)))
k1e: Any = special("k1e", "x -> y", x=lambda g, x, y: g * (y - k0e(x) - y / x))

# Struve and Airy


def _struve_term(v: Any, x: Any) -> Any:
    """(x/2)ᵛ / (√π Γ(v + 3/2))."""
    return np.power(x * 0.5, v) * rgamma(v + 1.5) / math.sqrt(math.pi)


struve: Any = special(
    "struve",
    "v, x -> y",
    x=lambda g, v, x: g * (0.5 * (struve(v - 1.0, x) - struve(v + 1.0, x) + _struve_term(v, x))),
)
modstruve: Any = special(
    "modstruve",
    "v, x -> y",
    x=lambda g, v, x: g * (0.5 * (modstruve(v - 1.0, x) + modstruve(v + 1.0, x) + _struve_term(v, x))),
)
airy: Any = special(
    "airy",
    "z -> ai, aip, bi, bip",
    z=lambda g, z, ai, aip, bi, bip, z_shape, z_dtype: total(
        g, (lambda: aip, lambda: z * ai, lambda: bip, lambda: z * bi), z_shape, z_dtype
    ),
)
