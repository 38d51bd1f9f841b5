"""Examples of elementwise functions, and of the methods of ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.rules import bessel, piecewise

from .table import Example, binary, one, over, unary, values


def _short(examples: list[Example]) -> list[Example]:
    """Half of the shapes, for functions that differ from another one in a constant only."""
    return examples[::2]


def _first(function: Any) -> Any:
    return lambda *args: function(*args)[0]


def _second(function: Any) -> Any:
    return lambda *args: function(*args)[1]


def _apart(function: Any) -> list[Example]:
    """Pairs that keep clear of the multiples of the second number, where the remainder jumps."""
    x = values((4, 3), 0.1, 0.9) + np.array([0.0, 3.0, -2.0])
    y = np.array([1.03, -1.07, 1.11])
    wholes = x - x % 1  # what is left is in (0.1, 0.9) of y
    wide = wholes * y + (x - wholes) * y
    cases = [(wide, y), (wide[0], y), (wide[:, :1], y[:1]), (wide[2, 1], y[1]), (wide[:0], y), (wide[0, 0], y[[0, 0]])]
    return [Example(function, tuple(map(np.asarray, case)), order=3 - (k > 0)) for k, case in enumerate(cases)]


def _halves(x: Any) -> Any:
    """Every other element a NaN."""
    return np.where(np.arange(np.size(x)).reshape(np.shape(x)) % 2 == 0, x, np.nan)


def _holes(x: Any) -> Any:
    """NaN and infinities between the elements."""
    fill = np.array([0.0, np.nan, 0.0, np.inf, -np.inf])[np.arange(np.size(x)).reshape(np.shape(x)) % 5]
    return np.where(fill == 0, x, fill)


def _bessel_sum(x: Any, n: int) -> Any:
    """The derivative of I₀ of order n by its power series, Σ (x/2)ᵐ / (m/2)!² over even m."""
    y = 0.0 * x
    for m in range(n + n % 2, 40, 2):
        y = y + math.perm(m, n) / (2.0**m * math.factorial(m // 2) ** 2) * x ** (m - n)
    return y


def _by(method: Any, *args: Any, **options: Any) -> Any:
    return lambda x: method(x, *args, **options)


_GRID = values((3, 4), 0.3, 1.7)
_RUN = np.array([1.0, 0.5, 1.5, 1.2, 2.0, 0.3, 0.8])
_STEPS = np.cumsum(values((3, 5), -2.9, 2.9, seed=4), axis=1) * 2.1

_REDUCTIONS: list[Any] = [
    *[{}, {"axis": 1, "keepdims": True}, {"axis": -1}, {"initial": 0.7}],
    {"axis": 1, "initial": 0.6, "where": _GRID > 0.8},
]


def _reductions(ufunc: Any, **options: Any) -> list[Example]:
    return [one(_by(ufunc.reduce, **how), _GRID, **options) for how in _REDUCTIONS]


def _accumulations(ufunc: Any, **options: Any) -> list[Example]:
    cases: list[Any] = [{}, {"axis": 1}, {"axis": -1}]
    return [
        *[one(_by(ufunc.accumulate, **how), _GRID, **options) for how in cases],
        one(ufunc.accumulate, _RUN, **options),
        one(ufunc.accumulate, (1, 2), **options),
        one(_by(ufunc.accumulate, axis=1), (2, 1, 3), **options),
        one(_by(ufunc.accumulate, 0, np.float64), (3,)),
    ]


EXAMPLES: dict[str, list[Example]] = {
    # circular and hyperbolic
    "tan": unary(np.tan, -1.2, 1.2, complexes=True),
    "arcsin": unary(np.arcsin, -0.9, 0.9, complexes=True),
    "arccos": unary(np.arccos, -0.9, 0.9, complexes=True),
    "arctan": unary(np.arctan, complexes=True),
    "sinh": unary(np.sinh, complexes=True),
    "cosh": unary(np.cosh, complexes=True),
    "arcsinh": unary(np.arcsinh, complexes=True),
    "arccosh": unary(np.arccosh, 1.2, 3, complexes=True),
    "arctanh": unary(np.arctanh, -0.9, 0.9, complexes=True),
    # angles
    "arctan2": [*binary(np.arctan2), one(lambda y: np.arctan2(y, -1.5), (5,)), one(lambda x: np.arctan2(2, x), (5,))],
    "hypot": [*binary(np.hypot), one(lambda x: np.hypot(x, 1), (5,))],
    "deg2rad": _short(unary(np.deg2rad, -200, 200)),
    "radians": _short(unary(np.radians, -200, 200)),
    "rad2deg": _short(unary(np.rad2deg)),
    "degrees": _short(unary(np.degrees)),
    "angle": [
        *unary(lambda x: np.angle(x + 1j * (x * x + 0.3)), half=False),
        one(lambda x: np.angle(x - 1.3j, deg=True), (3, 4), half=False),
        one(lambda x: np.angle(x) * x, (5,), complexes=True),
        one(lambda x: np.angle(np.exp(x), True) * x, (5,), complexes=True, rounding=60),
    ],
    "unwrap": [
        one(np.unwrap, _STEPS, rounding=4),
        one(lambda p: np.unwrap(p, axis=0), _STEPS, rounding=4),
        one(lambda p: np.unwrap(p, 4.0), _STEPS, rounding=4),
        one(lambda p: np.unwrap(p, discont=5.0, axis=-1, period=7.5), _STEPS, rounding=4),
        one(lambda p: np.unwrap(p, period=3.5), values((8,), -9.0, 9.0), rounding=4),
        one(np.unwrap, (0,)),
    ],
    # logarithms, powers, roots
    "log2": unary(np.log2, 0.3, 3, complexes=True),
    "log10": unary(np.log10, 0.3, 3, complexes=True),
    "exp2": unary(np.exp2, complexes=True),
    "cbrt": [*unary(np.cbrt, 0.3, 3), one(np.cbrt, values((4,), -3, -0.3))],
    "reciprocal": unary(np.reciprocal, 0.4, 2, complexes=True),
    "float_power": [
        *binary(np.float_power, 0.3, 2.0, complexes=True),
        *[one(lambda x, k=k: np.float_power(x, k), values((5,), 0.5, 2), complexes=True) for k in (3, 0.5, -1, 0)],
        one(lambda y: np.float_power(2, y), (5,)),
        one(lambda x: np.float_power(x, [0, 1, 2, 3, 4]), (5,)),
    ],
    "logaddexp": [*binary(np.logaddexp), one(lambda x: np.logaddexp(x, 0), (5,))],
    "logaddexp2": binary(np.logaddexp2),
    "ldexp": [
        *unary(lambda x: np.ldexp(x, 3)),
        one(lambda x: np.ldexp(x, np.array([-2, 0, 5])), (4, 3)),
        one(lambda x: np.ldexp(x, np.array([[1], [2]])), (3,)),
    ],
    "frexp": [*_short(unary(_first(np.frexp), 0.6, 0.9)), one(_first(np.frexp), values((4,), -7.9, -4.1))],
    # remainders and parts
    "remainder": [*_apart(np.remainder), one(lambda x: np.mod(x, 0.75), values((5,), 0.02, 0.7))],
    "fmod": [*_apart(np.fmod), one(lambda x: np.fmod(x, 0.75), values((5,), -0.7, -0.02))],
    "divmod": [*_apart(_second(np.divmod)), one(lambda x: np.divmod(x, 0.75)[1], values((5,), 0.02, 0.7))],
    "modf": [*unary(_first(np.modf), 1.1, 1.9), one(_first(np.modf), values((4,), -2.9, -2.1))],
    "fraction": [*_short(unary(piecewise.fraction, 1.1, 1.9)), one(piecewise.fraction, values((4,), -2.9, -2.1))],
    # signs, steps, neighbours
    "fabs": unary(np.fabs),
    "copysign": [
        *binary(lambda x, y: np.copysign(x, y) * y),
        one(lambda x: np.copysign(x, -1), (5,)),
        one(lambda x: np.copysign(x, -x) * x, (5,)),
    ],
    "heaviside": [
        *_short(binary(lambda x, h: np.heaviside(x, h) * x)),
        one(lambda h: np.heaviside([0.0, 1.0, -1.0], h), (3,)),
        one(lambda h: np.heaviside([0.0, 1.0, -1.0], h), ()),
    ],
    "nextafter": [
        one(lambda x, y: np.nextafter(x, y) * y, (4, 3), (3,)),
        one(lambda x, y: np.nextafter(x, y) * y, (), (3,)),
        one(lambda x: np.nextafter(x, np.inf), ()),
    ],
    # extremes that ignore NaN
    "fmax": [*binary(np.fmax), one(lambda x: np.fmax(_halves(x), 0.1), (5,)), one(lambda x: np.fmax(np.nan, x), (5,))],
    "fmin": [*binary(np.fmin), one(lambda x: np.fmin(_halves(x), 0.1), (5,)), one(lambda x: np.fmin(np.nan, x), (5,))],
    # replacements
    "nan_to_num": [
        *unary(np.nan_to_num, complexes=True),
        one(lambda x: np.nan_to_num(_holes(x), posinf=3, neginf=-3), (3, 5), complexes=True),
        one(lambda x: np.nan_to_num(_holes(x), True, 0.5, 2.0, -2.0), (3, 5), complexes=True),
    ],
    "real_if_close": [
        one(lambda x: np.real_if_close(x) * 2, (3,), complexes=True),
        one(lambda x: np.real_if_close(x + 1e-18j), (3, 2), half=False),
        one(lambda x: np.real_if_close(x + 1e-7j, tol=1e10), (3, 2), half=False),
        one(lambda x: np.real_if_close(x * 1j), (3, 2), half=False),
    ],
    # Bessel functions
    "sinc": [
        *unary(np.sinc, complexes=True),
        one(np.sinc, np.array([0.0, 1e-9, -1e-4, 1.0, 30.2]), order=3, half=False),
    ],
    "sinc_derivative": [
        one(lambda x: bessel.sinc_derivative(x, 1), (3, 4), complexes=True),
        one(lambda x: bessel.sinc_derivative(x, 2), np.array([0.0, 1e-9, 0.7, -0.31, 12.1]), complexes=True),
        one(lambda x: bessel.sinc_derivative(x, 3), ()),
    ],
    "i0": [*unary(np.i0), one(np.i0, values((6,), -20, 20), half=False)],
    "i0_derivative": [
        one(lambda x: bessel.i0_derivative(x, 1), (3, 4), reference=lambda x: _bessel_sum(x, 1)),
        one(lambda x: bessel.i0_derivative(x, 2), (4,), reference=lambda x: _bessel_sum(x, 2)),
    ],
    # methods that have rules of their own, or are functions by another name
    "multiply.reduce": _reductions(np.multiply, complexes=True),
    "logaddexp.reduce": [
        *over(np.logaddexp.reduce, rounding=4),
        *[one(_by(np.logaddexp.reduce, **how), _GRID, rounding=4) for how in _REDUCTIONS],
    ],
    "add.accumulate": _accumulations(np.add, complexes=True),
    "multiply.accumulate": _accumulations(np.multiply, complexes=True),
    "maximum.accumulate": _accumulations(np.maximum),
    "minimum.accumulate": _accumulations(np.minimum),
    "fmax.accumulate": [*_accumulations(np.fmax), one(lambda x: np.fmax.accumulate(_halves(x)), _RUN)],
    "fmin.accumulate": [*_accumulations(np.fmin), one(lambda x: np.fmin.accumulate(_halves(x)), _RUN)],
    "add.reduceat": [
        one(_by(np.add.reduceat, [0, 2]), (4, 3), complexes=True),
        one(_by(np.add.reduceat, [0, 4, 1, 5, 2, 6, 3], axis=1), (2, 7), complexes=True),
        one(_by(np.add.reduceat, (3, 3, 0), -1, np.float64), (2, 4)),
        one(_by(np.add.reduceat, [1]), (5,), order=3),
    ],
}
