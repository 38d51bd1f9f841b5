"""Elementwise functions: NumPy's ufuncs, `where` and `clip`.

All of them broadcast their inputs and convert them to a common dtype. A rule here returns the cotangent
with the output's shape; the engine sums it down to its input's (`cotangent.unbroadcast`).

Where a function has no derivative at a point, the choice is:

==================  ==================================================================================
`abs` at 0          0 (the middle of [-1, 1])
`maximum` of NaN    0, as for the ReLU: the value is NaN, and so is what is computed from it
`maximum` at a tie  half to each input, so that the sum is 1 (`minimum` likewise)
`clip` at a bound   1 to the array, 0 to the bound
`sqrt` at 0         infinite, as the limit is; but 0 where the cotangent is 0, so that an unused branch
                    of `np.where` does not turn the gradient into NaN
`x ** y` at x = 0   with respect to x: 0 if y = 0 (x⁰ is constant), else y·0^(y-1); with respect to y: 0
==================  ==================================================================================

Complex numbers: the cotangent of z = x + iy is ∂L/∂x − i ∂L/∂y, the convention of the NumPy-style API of
HIPS autograd. With it the rule of a holomorphic function is the ordinary one, g · f′(z), without conjugates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..kernels import Kernel
from ..primitive import REGISTRY, Rule, define, written
from ..wrapping import unrecorded, unwrap
from .kernels import ABSOLUTE, COS, DIVIDE, EXPM1, LOG1P, MAXIMUM, MINIMUM, SIN, SQRT, SQUARE, TANH

__all__ = [
    "absolute",
    "add",
    "astype",
    "cast",
    "clip",
    "conjugate",
    "convert",
    "cos",
    "divide",
    "exp",
    "expm1",
    "imag",
    "log",
    "log1p",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "power",
    "power_x",
    "power_y",
    "ratio",
    "real",
    "sin",
    "sqrt",
    "square",
    "subtract",
    "tanh",
    "where",
]


def elementwise(
    function: Callable[..., Any],
    signature: str,
    forward: Callable[..., Any] | None = None,
    kernels: Mapping[str, Kernel] | None = None,
    **rules: Rule,
) -> Callable[..., Any]:
    """`define` for a function that broadcasts and promotes its inputs as a ufunc does."""
    return define(function, signature, forward=forward, broadcasts=True, promotes=True, kernels=kernels, **rules)


def of_reals(
    function: Callable[..., Any],
    signature: str,
    forward: Callable[..., Any] | None = None,
    kernels: Mapping[str, Kernel] | None = None,
    **rules: Rule,
) -> Callable[..., Any]:
    """`elementwise` for a function that only real numbers have: from complex ones, NumPy's |x| or maximum would make
    something, and not say so."""
    compute, name = forward or function, function.__name__

    def checked(x: Any, *others: Any, **options: Any) -> Any:
        dtype = getattr(x, "dtype", None)
        if isinstance(x, complex) if dtype is None else dtype.kind == "c":
            raise TypeError(f"{name} is of real numbers, and was given complex ones.")
        return compute(x, *others, **options)

    return elementwise(function, signature, forward=checked, kernels=kernels, **rules)


@written("a / b")
def ratio(a: Any, b: Any) -> Any:
    """a / b, but 0 where both are 0."""
    return a / (b + ((a == 0) & (b == 0)))


@written("g * y * x ** (y - 1)")
def power_x(g: Any, x: Any, y: Any) -> Any:
    """The VJP of a power for its base: g y xʸ⁻¹, and 0 where y is 0, also at x = 0."""
    if isinstance(y, int | float | complex):  # a Python number does not promote x; an array of it would
        return g * y * x ** (y - 1) if y else g * 0
    less = y - x.dtype.type(1)  # of x's kind: unsigned integers have no 0 - 1
    return g * y * x ** np.where((x == 0) & (y == 0), 1, less)


@written("g * z * log(x)")
def power_y(g: Any, x: Any, z: Any) -> Any:
    """The VJP of a power z = xʸ for its exponent: g z log x, and 0 at x = 0."""
    # In z's dtype: NumPy's log of small integers is of half precision, that of a negative real number is NaN.
    zero = x == 0
    return g * np.where(zero, 0, z) * np.log(np.where(zero, 1, x).astype(z.dtype))


# Arithmetic

add = elementwise(np.add, "x, y -> z", x=lambda g: g, y=lambda g: g)
subtract = elementwise(np.subtract, "x, y -> z", x=lambda g: g, y=lambda g: -g)
multiply = elementwise(np.multiply, "x, y -> z", x=lambda g, y: g * y, y=lambda g, x: g * x)
divide = elementwise(np.divide, "x, y -> z", kernels=DIVIDE, x=lambda g, y: g / y, y=lambda g, y, z: -g * z / y)
negative = elementwise(np.negative, "x -> y", x=lambda g: -g)
positive = elementwise(np.positive, "x -> y", x=lambda g: g)
square = elementwise(np.square, "x -> y", kernels=SQUARE, x=lambda g, x: g * 2 * x)
power = elementwise(
    np.power,
    "x, y -> z",
    x=power_x,
    y=power_y,
)

# Exponentials, logarithms, roots

exp = elementwise(np.exp, "x -> y", x=lambda g, y: g * y)
expm1 = elementwise(np.expm1, "x -> y", kernels=EXPM1, x=lambda g, y: g * (y + 1))
log = elementwise(np.log, "x -> y", x=lambda g, x: g / x)
log1p = elementwise(np.log1p, "x -> y", kernels=LOG1P, x=lambda g, x: g / (x + 1))
sqrt = elementwise(np.sqrt, "x -> y", kernels=SQRT, x=lambda g, y: ratio(g, 2 * y))

# Trigonometric and hyperbolic

sin = elementwise(np.sin, "x -> y", kernels=SIN, x=lambda g, x: g * np.cos(x))
cos = elementwise(np.cos, "x -> y", kernels=COS, x=lambda g, x: -g * np.sin(x))
tanh = elementwise(np.tanh, "x -> y", kernels=TANH, x=lambda g, y: g - g * y * y)

# Size, sign, selection

absolute = elementwise(
    np.absolute,
    "x -> y",
    kernels=ABSOLUTE,
    x=lambda g, x: g * (ratio(np.conjugate(x), np.absolute(x)) if x.dtype.kind == "c" else np.sign(x)),
)
maximum = elementwise(
    np.maximum,
    "x, y -> z",
    kernels=MAXIMUM,
    x=lambda g, x, y: g * (0.5 * (x > y) + 0.5 * (x >= y)).astype(g.dtype),
    y=lambda g, x, y: g * (0.5 * (y > x) + 0.5 * (y >= x)).astype(g.dtype),
)
minimum = elementwise(
    np.minimum,
    "x, y -> z",
    kernels=MINIMUM,
    x=lambda g, x, y: g * (0.5 * (x < y) + 0.5 * (x <= y)).astype(g.dtype),
    y=lambda g, x, y: g * (0.5 * (y < x) + 0.5 * (y <= x)).astype(g.dtype),
)
where = elementwise(
    np.where,
    "condition, x, y -> z",
    x=lambda g, condition: np.where(condition, g, 0),
    y=lambda g, condition: np.where(condition, 0, g),
)


def _below(a: Any, bound: Any) -> Any:
    return np.zeros_like(a, dtype=bool) if bound is None else a < bound


def _above(a: Any, bound: Any) -> Any:
    return np.zeros_like(a, dtype=bool) if bound is None else a > bound


# NumPy computes clip as minimum(a_max, maximum(a, a_min)): where the bounds cross, a_max wins.
clip = elementwise(
    np.clip,
    "a, a_min=None, a_max=None -> y",
    a=lambda g, a, a_min, a_max: np.where(_below(a, a_min) | _above(a, a_max), 0, g),
    a_min=lambda g, a, a_min, a_max: np.where(_below(a, a_min) & ~_above(a_min, a_max), g, 0),
    a_max=lambda g, a, a_min, a_max: np.where(_above(a, a_max) | _above(_floor(a, a_min), a_max), g, 0),
)


def _floor(a: Any, bound: Any) -> Any:
    return a if bound is None else np.maximum(a, bound)


# Complex parts and dtypes. These are not promotions to undo: the rule itself returns the input's dtype.

real = define(np.real, "val -> y", forward=lambda val: val.real, val=lambda g, val_dtype: g.astype(val_dtype))
imag = define(
    np.imag,
    "val -> y",
    forward=lambda val: val.imag,
    val=lambda g, val_dtype: (g * -1j).astype(val_dtype) if val_dtype.kind == "c" else g * 0,
)
conjugate = elementwise(np.conjugate, "x -> y", x=lambda g: np.conjugate(g))


def _astype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


def cast(g: Any, dtype: Any) -> Any:
    """`g` as `dtype`; a complex cotangent of a real input loses its imaginary part."""
    return (g.real if g.dtype.kind == "c" != dtype.kind else g).astype(dtype)


astype = define(np.astype, "x; dtype -> y", forward=_astype, x=lambda g, x_dtype: cast(g, x_dtype))


def _where(condition: Any, *branches: Any) -> Any:
    """`np.where` with one argument is `np.nonzero`: it has no derivative."""
    return where(condition, *branches) if branches else unrecorded(np.nonzero(unwrap(condition)))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """`np.clip`, whose bounds have two names each since NumPy 2.1."""
    if out is not None:
        raise TypeError("np.clip cannot write into out= with Tensors: values on a tape are never overwritten.")
    return clip(a, a_min if min is None else min, a_max if max is None else max)


def convert(x: Any, dtype: Any) -> Any:
    """`np.astype`: numbers without a derivative, as integers are, are constants."""
    return astype(x, dtype) if np.dtype(dtype).kind in "fc" else unrecorded(np.astype(unwrap(x), dtype))


convert.primitive = astype.primitive  # type: ignore[attr-defined]
REGISTRY[np.where], REGISTRY[np.clip], REGISTRY[np.astype] = _where, _clip, convert
