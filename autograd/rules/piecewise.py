"""Functions with pieces: remainders, parts of a number, extremes that ignore NaN, replacements.

Where two pieces meet, or there is no derivative, the choice is:

=========================  ===========================================================================
`mod`, `fmod` at a         1 to x, minus the quotient to y, as inside the pieces; so for `divmod`,
multiple of y              whose quotient is constant, and `modf`, whose whole part is
`fabs`, `copysign` at 0    0 (the middle of [-1, 1]); the argument that only lends its sign gets nothing
`fmax`, `fmin` at a tie    half to each input, so that the sum is 1
`fmax`, `fmin` of NaN      all to the input that is a number; 0 if neither is
`heaviside`                x gets nothing, it is constant piece by piece; h gets the cotangent where x is 0
`nextafter`                1 to x, of which it is a neighbour; y, which says on which side, gets nothing
`nan_to_num`               0 where a value was replaced
`real_if_close`            that of the real part, or of the number as it is
=========================  ===========================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import Value
from ..primitive import composed
from ..wrapping import unrecorded, unwrap
from .elementwise import elementwise

__all__ = ["copysign", "fabs", "fmax", "fmin", "fmod", "fraction", "heaviside", "nan_to_num", "nextafter", "remainder"]

# Remainders and parts

remainder = elementwise(
    np.remainder,
    "x, y -> z",
    x=lambda g: g,
    y=lambda g, x, y: -g * np.floor_divide(x, y),
)
fmod = elementwise(  # the quotient from the remainder: x / y can be rounded up to a whole number
    np.fmod,
    "x, y -> z",
    x=lambda g: g,
    y=lambda g, x, y, z: -g * np.rint((x - z) / y),
)


@composed(np.divmod)
def divmod(x: Any, y: Any) -> Any:
    """`np.divmod`: the quotient, which is constant piece by piece, and the remainder."""
    return np.floor_divide(x, y), np.remainder(x, y)


def fraction(x: Any) -> Any:
    """The fractional part of `x`, with its sign."""
    return np.modf(x)[0]


fraction = elementwise(fraction, "x -> y", x=lambda g: g)


@composed(np.modf)
def modf(x: Any) -> Any:
    """`np.modf`: the fractional part, and the whole one, which is constant piece by piece."""
    return fraction(x), unrecorded(np.modf(unwrap(x))[1])


# Signs and steps

fabs = elementwise(np.fabs, "x -> y", x=lambda g, x: g * np.sign(x))
copysign = elementwise(np.copysign, "x, y -> z", x=lambda g, x, z: g * np.sign(x) * np.sign(z))
heaviside = elementwise(np.heaviside, "x, h -> y", h=lambda g, x: np.where(x == 0, g, 0))
nextafter = elementwise(np.nextafter, "x, y -> z", x=lambda g: g)

# Extremes that ignore NaN


def _share(better: Any, x: Any, y: Any) -> Any:
    """How much of fmax or fmin is x: 1 where it is better or the only number, ½ at a tie."""
    return np.where(x == y, 0.5, better | (np.isnan(y) & ~np.isnan(x)))


fmax = elementwise(
    np.fmax,
    "x, y -> z",
    x=lambda g, x, y: g * _share(x > y, x, y).astype(g.dtype),
    y=lambda g, x, y: g * _share(y > x, y, x).astype(g.dtype),
)
fmin = elementwise(
    np.fmin,
    "x, y -> z",
    x=lambda g, x, y: g * _share(x < y, x, y).astype(g.dtype),
    y=lambda g, x, y: g * _share(y < x, y, x).astype(g.dtype),
)

# Replacements


def _nan_to_num(x: Any, copy: bool, nan: Any, posinf: Any, neginf: Any) -> Any:
    if not copy:
        raise TypeError(
            "np.nan_to_num cannot write into a Tensor (copy=False): values on a tape are never overwritten. "
            "Leave copy out: the result is a new Tensor."
        )
    if any(isinstance(fill, Value) for fill in (nan, posinf, neginf)):
        raise TypeError(
            "np.nan_to_num takes constants for nan=, posinf= and neginf=, got a Tensor, whose gradient would be lost: "
            "write np.where(np.isnan(x), value, x)."
        )
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _kept(g: Any, x: Any) -> Any:
    """The cotangent where `x` is finite; for a complex number, each part for itself."""
    if x.dtype.kind != "c":
        return np.where(np.isfinite(x), g, 0)
    return _kept(g.real, x.real) + 1j * _kept(g.imag, x.imag)


nan_to_num = elementwise(
    np.nan_to_num,
    "x; copy=True, nan=0.0, posinf=None, neginf=None -> y",
    forward=_nan_to_num,
    x=_kept,
)


@composed(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """`np.real_if_close`: the real part, if all imaginary parts are as small as rounding errors."""
    return a if np.iscomplexobj(np.real_if_close(unwrap(a), tol)) else a.real
