"""Logarithms and powers to other bases than e, roots, sums in log space, and the parts of a floating-point number.

The documented choices:

==========================  ==========================================================================
`cbrt` at 0                 infinite, as the limit is; but 0 where the cotangent is 0, as for `sqrt`
`logaddexp`, `logaddexp2`   half to each input, as at any tie: also of −inf and −inf, where the formula
of two equal infinities     would be NaN
`ldexp`, `frexp`            the exponents are integers: constants
==========================  ==========================================================================
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..primitive import composed, written
from ..wrapping import unrecorded, unwrap
from .elementwise import elementwise, power, ratio
from .stable import sigmoid
from .ufunc_methods import converted

__all__ = ["cbrt", "exp2", "ldexp", "log2", "log10", "logaddexp", "logaddexp2", "reciprocal"]

_LN2, _LN10 = math.log(2), math.log(10)

log2 = elementwise(np.log2, "x -> y", x=lambda g, x: g / _LN2 / x)
log10 = elementwise(np.log10, "x -> y", x=lambda g, x: g / _LN10 / x)  # x · ln 10 can overflow
exp2 = elementwise(np.exp2, "x -> y", x=lambda g, y: g * y * _LN2)
cbrt = elementwise(np.cbrt, "x -> y", x=lambda g, y: ratio(g, 3 * y * y))
reciprocal = elementwise(np.reciprocal, "x -> y", x=lambda g, y: -g * y * y)


@composed(np.float_power)
def float_power(x: Any, y: Any) -> Any:
    """`np.float_power`: the power, computed in double precision at least."""
    return power(*converted(np.float_power, (x, y)))


@written("x - y")
def _lead(x: Any, y: Any) -> Any:
    """x − y, but 0 for two equal infinities."""
    with np.errstate(invalid="ignore"):
        lead = x - y
    return np.where(np.isnan(lead) & (x == y), 0, lead)


# The derivative is e^(x − z), which is σ(x − y): that is exact also where x − z has lost its digits.
logaddexp = elementwise(
    np.logaddexp,
    "x, y -> z",
    x=lambda g, x, y: g * sigmoid(_lead(x, y)),
    y=lambda g, x, y: g * sigmoid(_lead(y, x)),
)
logaddexp2 = elementwise(
    np.logaddexp2,
    "x, y -> z",
    x=lambda g, x, y: g * sigmoid(_lead(x, y) * _LN2),
    y=lambda g, x, y: g * sigmoid(_lead(y, x) * _LN2),
)

ldexp = elementwise(np.ldexp, "x, exponent -> z", x=lambda g, exponent: np.ldexp(g, exponent))


@composed(np.frexp)
def frexp(x: Any) -> Any:
    """`np.frexp`: x = mantissa · 2^exponent, in which the exponent is constant piece by piece."""
    exponent = unrecorded(np.frexp(unwrap(x))[1])
    return np.ldexp(x, -exponent), exponent
