"""The density and the distribution function of the standard normal distribution, with NumPy alone.

erfc is computed as by W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of
Computation 23 (1969), with the coefficients of his CALERF: to a few units in the last place of float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.primitive import written
from autograd.rules.elementwise import of_reals

from .kernels import NORMAL_CDF

__all__ = ["erfc", "normal_cdf", "normal_pdf"]

# Numerators and denominators, highest powers first. For |x| ≤ 0.46875, in x²: erf x / x
_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
# up to 4, in |x|: e^x² erfc |x|
_MIDDLE = (
    (
        *(2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1),
        *(2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3),
        1.23033935479799725e3,
    ),
    (
        *(1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3),
        *(3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
    ),
)
# and beyond, in 1/x²: (1/√π − |x| e^x² erfc |x|) x²
_FAR = (
    (
        *(1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1),
        *(1.60837851487422766e-2, 6.58749161529837803e-4),
    ),
    (
        *(1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2),
        2.33520497626869185e-3,
    ),
)
_BLOCK = 32768  # elements: the intermediate results fit into a cache


def _rational(coefficients: tuple[tuple[float, ...], tuple[float, ...]], t: Any) -> Any:
    """The quotient of two polynomials at `t`, by Horner's rule."""
    values = []
    for first, *others in coefficients:
        y = first * t
        for c in others[:-1]:
            y += c
            y *= t
        y += others[-1]
        values.append(y)
    return values[0] / values[1]


def _gauss(z: Any) -> Any:
    """e^(−z²): the square is split, since its rounding error would be multiplied by z²."""
    head = np.trunc(z * 16) / 16
    return np.exp(-head * head) * np.exp(-(z - head) * (z + head))


def _erfc(x: Any) -> Any:
    """`erfc`, of a vector that is not too long for the cache."""
    z = np.minimum(np.absolute(x), 30)  # erfc(30) is 0
    tail = _rational(_MIDDLE, z)
    far = z > 4
    if waits(z):
        w = np.maximum(z, 4)
        inverse = 1 / (w * w)
        tail = np.where(far, (0.56418958354775628695 - inverse * _rational(_FAR, inverse)) / w, tail)
    elif far.any():
        w = z[far]
        inverse = 1 / (w * w)
        tail[far] = (0.56418958354775628695 - inverse * _rational(_FAR, inverse)) / w
    tail *= _gauss(z)
    tail = 2 * (x < 0).astype(z.dtype) + np.copysign(tail, x)
    near = (z <= 0.46875).astype(z.dtype)  # branches would be mispredicted: this chooses much faster than np.where
    return near * (1 - np.copysign(z, x) * _rational(_NEAR, z * z)) + (1 - near) * tail


def erfc(x: Any) -> Any:
    """The complementary error function 1 − erf x of an array, with all digits where it is small.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional.normal import erfc
    >>> erfc(np.array([-1.0, 0.0, 10.0]))
    array([1.84270079e+00, 1.00000000e+00, 2.08848758e-45])
    """
    x = np.asarray(x) if isinstance(x, int | float) else x
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        return erfc(x.astype(np.float32 if x.dtype.kind == "f" else np.float64)).astype(np.result_type(x, 1.0))
    if waits(x):
        return _erfc(x)
    vector = x.reshape(-1)
    y = np.empty_like(vector)
    for start in range(0, vector.size, _BLOCK):
        y[start : start + _BLOCK] = _erfc(vector[start : start + _BLOCK])
    return y.reshape(x.shape)


@written("phi(x)")
def normal_pdf(x: Any) -> Any:
    """φ(x) = e^(−x²/2) / √(2π), of an array or a Tensor."""
    x = np.clip(x, -40.0, 40.0)  # φ(40) is 0, and x² cannot overflow
    return np.exp(x * x * -0.5) * 0.3989422804014326779


def normal_cdf(x: Any) -> Any:
    """Φ(x) = ½ erfc(−x/√2): the probability that a standard normal variable is less than x, elementwise.

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional.normal import normal_cdf
    >>> normal_cdf(np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.1587, 0.5   , 0.8413])
    """


normal_cdf = of_reals(
    normal_cdf,
    "x -> y",
    forward=lambda x: erfc(x * -0.70710678118654752440) * 0.5,
    kernels=NORMAL_CDF,
    x=lambda g, x: g * normal_pdf(x),
)
