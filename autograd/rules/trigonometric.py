"""Circular and hyperbolic functions, their inverses, and angles. (`sin`, `cos`, `tanh` are in `elementwise.py`.)

The documented choices:

=======================  =============================================================================
`arcsin`, `arccos`,      infinite, as the limit is; but 0 where the cotangent is 0, so that an unused
`arctanh` at ±1,         branch of `np.where` does not turn the gradient into NaN
`arccosh` at 1
on a branch cut          the derivative of the branch that the value is on (which the sign of a zero
                         real or imaginary part chooses)
`arctan2` at (0, 0)      0 to both, and so for `angle` of 0
`angle` of real numbers  0: it is constant piece by piece
`unwrap`                 1: what it adds are multiples of the period
=======================  =============================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import composed, define, written
from .elementwise import elementwise, ratio

__all__ = [
    *["tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh"],
    *["arctan2", "hypot", "deg2rad", "radians", "rad2deg", "degrees", "angle", "unwrapped"],
]


def _arcsin_root(x: Any) -> Any:
    """√(1 − x²): one over the derivative of arcsin."""
    if x.dtype.kind == "c":  # adding 1 + 0i would lose the sign of a zero imaginary part: subtract instead
        return np.sqrt(-(x - 1)) * np.sqrt(x - -1)
    return np.sqrt((1 - x) * (1 + x))


def _arcsinh_root(x: Any) -> Any:
    """√(x² + 1): one over the derivative of arcsinh."""
    return np.sqrt(x * x - -1) if x.dtype.kind == "c" else np.hypot(x, 1)


def _arccosh_root(x: Any) -> Any:
    """√(x² − 1): one over the derivative of arccosh."""
    return np.sqrt(x - 1) * np.sqrt(x - -1)


@written("g * leg / hypot(y, x) ** 2")
def _over_square(g: Any, leg: Any, y: Any, x: Any) -> Any:
    """g · leg / (x² + y²), 0 at the origin. Divided twice, since the square can overflow."""
    r = np.hypot(y, x)
    r = r + (r == 0)
    return g * (leg / r) / r


# Circular

tan = elementwise(np.tan, "x -> y", x=lambda g, y: g + g * y * y)
arcsin = elementwise(np.arcsin, "x -> y", x=lambda g, x: ratio(g, _arcsin_root(x)))
arccos = elementwise(np.arccos, "x -> y", x=lambda g, x: -ratio(g, _arcsin_root(x)))
arctan = elementwise(np.arctan, "x -> y", x=lambda g, x: g / (x * x + 1))

# Hyperbolic

sinh = elementwise(np.sinh, "x -> y", x=lambda g, x: g * np.cosh(x))
cosh = elementwise(np.cosh, "x -> y", x=lambda g, x: g * np.sinh(x))
arcsinh = elementwise(np.arcsinh, "x -> y", x=lambda g, x: g / _arcsinh_root(x))
arccosh = elementwise(np.arccosh, "x -> y", x=lambda g, x: ratio(g, _arccosh_root(x)))
arctanh = elementwise(np.arctanh, "x -> y", x=lambda g, x: ratio(g, (1 - x) * (1 + x)))

# Angles

arctan2 = elementwise(  # NumPy's order: the ordinate first
    np.arctan2,
    "y, x -> angle",
    y=lambda g, y, x: _over_square(g, x, y, x),
    x=lambda g, y, x: -_over_square(g, y, y, x),
)
hypot = elementwise(
    np.hypot,
    "x, y -> z",
    x=lambda g, x, z: g * ratio(x, z),
    y=lambda g, y, z: g * ratio(y, z),
)
deg2rad = elementwise(np.deg2rad, "x -> y", x=lambda g: np.deg2rad(g))
radians = elementwise(np.radians, "x -> y", x=lambda g: np.radians(g))
rad2deg = elementwise(np.rad2deg, "x -> y", x=lambda g: np.rad2deg(g))
degrees = elementwise(np.degrees, "x -> y", x=lambda g: np.degrees(g))


@composed(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    """`np.angle`: the argument of a complex number, a real function of its parts."""
    turn = np.arctan2(z.imag, z.real)
    return turn * (180 / np.pi) if deg else turn


unwrapped = define(
    np.unwrap,
    f"p; discont=None, axis=-1, *, period={2 * np.pi!r} -> up",
    promotes=True,
    p=lambda g: g,
)
