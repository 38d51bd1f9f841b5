"""Exponentials and logarithms, the logistic family, entropies, losses, power transforms.

A constant operand may hold small integers: `1.0` keeps their squares from wrapping around, and their logarithms out of
half precision, which is what NumPy gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from ...devices import is_foreign
from ...errors import NoRuleError
from ...primitive import REGISTRY, define, written
from ...wrapping import array_beside, array_like
from .. import stable
from ..arrange import broadcast_to
from ..elementwise import astype, power_x, power_y, ratio
from ..reduce import Axis, restore
from .integral import hyp1f1
from .table import special

__all__ = ["expit", "exprel", "log_softmax", "logsumexp", "softmax", "xlog1py", "xlogy"]

_LOG2, _LOG10 = float(np.log(2)), float(np.log(10))
_DEGREE = float(np.pi / 180)

# SciPy's own ufuncs beside NumPy's

expm1: Any = special("expm1", "x -> y", x=lambda g, x: g * np.exp(x))
log1p: Any = special("log1p", "x -> y", x=lambda g, x: g / (x + 1))
exp2: Any = special("exp2", "x -> y", x=lambda g, y: g * (y * _LOG2))
exp10: Any = special("exp10", "x -> y", x=lambda g, y: g * (y * _LOG10))
cbrt: Any = special("cbrt", "x -> y", x=lambda g, y: ratio(g, 3 * y * y))
sindg: Any = special("sindg", "x -> y", x=lambda g, x: g * (cosdg(x) * _DEGREE))
cosdg: Any = special("cosdg", "x -> y", x=lambda g, x: g * (sindg(x) * -_DEGREE))
tandg: Any = special("tandg", "x -> y", x=lambda g, y: g * ((1 + y * y) * _DEGREE))
cotdg: Any = special("cotdg", "x -> y", x=lambda g, y: g * ((1 + y * y) * -_DEGREE))
cosm1: Any = special("cosm1", "x -> y", x=lambda g, x: -g * np.sin(x))


def _exprel_slope(x: Any) -> Any:
    """The derivative of (eˣ − 1) / x = ₁F₁(1; 2; x)."""
    return hyp1f1(2.0, 3.0, x) * 0.5


exprel: Any = special("exprel", "x -> y", x=lambda g, x: g * _exprel_slope(x))


@written("False")
def _no_logarithm(x: Any, y: Any) -> Any:
    """Where x log(y) is 0 although y has no finite real logarithm."""
    return (x == 0) & ((y == 0) if np.iscomplexobj(y) else (y <= 0))


def _log(x: Any, y: Any) -> Any:
    """The derivative of x log(y) in x; 0 where both are 0."""
    return np.log(np.where(_no_logarithm(x, y), 1.0, y))


xlogy: Any = special("xlogy", "x, y -> z", x=lambda g, x, y: g * _log(x, y), y=lambda g, x, y: g * ratio(x, y))
xlog1py: Any = special(
    "xlog1py",
    "x, y -> z",
    x=lambda g, x, y: g * log1p(np.where(_no_logarithm(x, 1.0 + y), 0.0, y)),
    y=lambda g, x, y: g * ratio(x, 1.0 + y),
)
powm1: Any = special("powm1", "x, y -> z", x=power_x, y=lambda g, x, z: power_y(g, x, z + 1))

# The logistic function and its family

expit: Any = special("expit", "x -> y", x=lambda g, x, y: g * y * expit(-x))
log_expit: Any = special("log_expit", "x -> y", x=lambda g, x: g * expit(-x))
logit: Any = special("logit", "x -> y", x=lambda g, x: ratio(g, x * (1 - x)))


@written("exp(x) / sum(exp(x), axis, keepdims=True)")
def softmax(x: Any, axis: Axis = None) -> Any:
    """eˣ / Σ eˣ along `axis`, over all elements by default; without overflow."""
    x = array_like(x)
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@written("x - log(sum(exp(x), axis, keepdims=True))")
def log_softmax(x: Any, axis: Axis = None) -> Any:
    """The logarithm of `softmax`, also where that is 0 to the precision of the numbers."""
    x = array_like(x)
    largest = x.max(axis=axis, keepdims=True)
    x = x - np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


softmax = define(
    softmax,
    "x; axis=None -> y",
    x=lambda g, y, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),
)
log_softmax = define(
    log_softmax,
    "x; axis=None -> y",
    x=lambda g, y, axis: g - np.exp(y) * g.sum(axis=axis, keepdims=True),
)


def weighted_logsumexp(a: Any, b: Any, axis: Axis, keepdims: bool) -> Any:
    """log |Σ b eᵃ| along `axis`, and the sign of the sum."""
    if is_foreign(a):
        largest = np.where(b == 0, -np.inf, a).max(axis=axis, keepdims=True)
        largest = np.where(np.isfinite(largest), largest, 0)
        total = (b * np.exp(np.where(b == 0, 0, a - largest))).sum(axis=axis, keepdims=True)
        y, sign = np.log(np.abs(total)) + largest, np.sign(total)
        return (y, sign) if keepdims else (y.squeeze(axis), sign.squeeze(axis))
    return scipy.special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)


def _shares(g: Any, a: Any, y: Any, sign: Any, axis: Axis, keepdims: bool) -> Any:
    """The cotangent g of log |Σ b eᵃ|, times eᵃ / Σ b eᵃ; 0 where the sum is 0."""
    y = restore(np.where(sign == 0, 0, y), a.shape, axis, keepdims)
    return restore(g * sign, a.shape, axis, keepdims) * np.exp(a - y)


def _weighted_a(g: Any, a: Any, b: Any, y: Any, sign: Any, axis: Axis, keepdims: bool) -> Any:
    if g[0] is None:  # only the sign was used, which is constant
        return a * 0
    return b * _shares(g[0], np.where(b == 0, 0, a), y, sign, axis, keepdims)


def _weighted_b(g: Any, a: Any, y: Any, sign: Any, axis: Axis, keepdims: bool) -> Any:
    return a * 0 if g[0] is None else _shares(g[0], a, y, sign, axis, keepdims)


weighted_logsumexp = define(weighted_logsumexp, "a, b; axis, keepdims -> y, sign", a=_weighted_a, b=_weighted_b)

softmax.primitive.name, log_softmax.primitive.name = "special.softmax", "special.log_softmax"  # type: ignore[attr-defined]
weighted_logsumexp.primitive.name = "special.logsumexp"  # type: ignore[attr-defined]


def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log Σ b eᵃ along `axis`, without overflow; with `return_sign` the logarithm of its size, and its sign.

    Where the sum is 0 the gradient is 0, and that of the sign is 0 everywhere.
    """
    if b is None and not return_sign:
        return stable.logsumexp(a, axis=axis, keepdims=keepdims)
    b = 1.0 if b is None else b
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        raise NoRuleError(
            "scipy.special.logsumexp with b= or return_sign= has a rule for real numbers only, not for complex ones."
        )
    a, b = _alike(a, b)
    y, sign = weighted_logsumexp(a, b, axis, keepdims)
    return (y, sign) if return_sign else y * np.where(sign < 0, np.nan, 1.0).astype(y.dtype)


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Both with the shape and the floating dtype of their sum."""
    given = [x if hasattr(x, "dtype") else np.asarray(x) if np.ndim(x) else x for x in (a, b)]
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    dtype = np.result_type(*[x.dtype if hasattr(x, "dtype") else x for x in given])
    if dtype.kind != "f":
        dtype = np.dtype(float)
    like = next((x for x in given if hasattr(x, "dtype")), 0.0)
    a, b = (broadcast_to(astype(array_beside(x, like), dtype), shape) for x in given)
    return a, b


REGISTRY[scipy.special.softmax], REGISTRY[scipy.special.log_softmax] = softmax, log_softmax
REGISTRY[scipy.special.logsumexp] = logsumexp

# Entropies


@written("-log(x) - 1")
def _entropy_slope(g: Any, x: Any) -> Any:
    """−log(x) − 1; at 0 infinite, but 0 where the cotangent is 0."""
    return -np.log(np.where((x <= 0) & (g == 0), 1, x)) - 1


entr: Any = special("entr", "x -> y", x=lambda g, x: g * _entropy_slope(g, x))


@written("log(x / y)")
def _log_ratio(g: Any, x: Any, y: Any) -> Any:
    """log(x / y); 0 where both are 0, and where it is infinite and the cotangent is 0."""
    skip = (x == 0) & ((y == 0) | (g == 0))
    return np.log(np.where(skip, 1, x) / np.where(skip, 1, y))


rel_entr: Any = special(
    "rel_entr",
    "x, y -> z",
    x=lambda g, x, y: g * (_log_ratio(g, x, y) + 1),
    y=lambda g, x, y: -g * ratio(x, y),
)
kl_div: Any = special(
    "kl_div",
    "x, y -> z",
    x=lambda g, x, y: g * _log_ratio(g, x, y),
    y=lambda g, x, y: g * (1 - ratio(x, y)),
)

# Losses

huber: Any = special(
    "huber",
    "delta, r -> y",
    delta=lambda g, delta, r: g * np.maximum(np.abs(r * 1.0) - delta, 0),
    r=lambda g, delta, r: g * np.clip(r, delta * -1.0, delta),
)


def _hypotenuse(x: Any, y: Any) -> Any:
    return np.sqrt(x * 1.0 * x + y * 1.0 * y)


pseudo_huber: Any = special(
    "pseudo_huber",
    "delta, r -> y",
    delta=lambda g, delta, r: g * _pseudo_huber_delta(delta, r),
    r=lambda g, delta, r: g * ratio(r * delta, _hypotenuse(delta, r)),
)


def _pseudo_huber_delta(delta: Any, r: Any) -> Any:
    """(h − δ)² / h with h = √(δ² + r²), and h − δ = r² / (h + δ)."""
    h = _hypotenuse(delta, r)
    return ratio(np.square(ratio(r * 1.0 * r, h + delta)), h)


# Power transforms: with L = log(x), boxcox is L · exprel(λ L), and its derivative in λ is L² · exprel′(λ L).


def _log_slope(log: Any, lmbda: Any) -> Any:
    return log * log * _exprel_slope(lmbda * log)


@written("g * log(x) ** 2 * _exprel_slope(lmbda * log(x))")
def _boxcox_lmbda(g: Any, x: Any, lmbda: Any, y: Any) -> Any:
    zero = x == 0
    at_0 = -y / np.where(zero, lmbda, 1)  # y is −1/λ there
    return g * np.where(zero, at_0, _log_slope(np.log(np.where(zero, 1.0, x)), lmbda))


boxcox: Any = special(
    "boxcox", "x, lmbda -> y", x=lambda g, x, lmbda: g * np.power(x, lmbda - 1.0), lmbda=_boxcox_lmbda
)
boxcox1p: Any = special(
    "boxcox1p",
    "x, lmbda -> y",
    x=lambda g, x, lmbda: g * np.exp((lmbda - 1.0) * log1p(x)),
    lmbda=lambda g, x, lmbda: g * _log_slope(log1p(x), lmbda),
)
inv_boxcox: Any = special(
    "inv_boxcox",
    "y, lmbda -> x",
    y=lambda g, lmbda, x: g * np.power(x, 1.0 - lmbda),
    lmbda=lambda g, lmbda, x: -g * np.power(x, 1.0 - lmbda) * _log_slope(np.log(x), lmbda),
)
inv_boxcox1p: Any = special(
    "inv_boxcox1p",
    "y, lmbda -> x",
    y=lambda g, lmbda, x: g * np.exp((1.0 - lmbda) * log1p(x)),
    lmbda=lambda g, lmbda, x: -g * np.exp((1.0 - lmbda) * log1p(x)) * _log_slope(log1p(x), lmbda),
)
