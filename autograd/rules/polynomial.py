"""Polynomials, by their coefficients from the highest power on: `polyval`, `polyfit`, `roots`, `vander`, …

======================  =========================================================================================
`roots`                 differentiable where the roots are simple; that of a multiple root is infinite or NaN
`poly` of a matrix      differentiable everywhere, also where eigenvalues are equal
`polymul`, `roots`      leading coefficients that are 0 are dropped, as NumPy drops them; in `polymul` they get 0
`polydiv`               leading coefficients of the remainder that are nearly 0 are dropped, as NumPy drops them
`polyfit`               if the rank is full; the `rcond` that NumPy chooses is a constant
`roots`, `poly`         on a device, where values are not looked at: complex also where NumPy's are real, and NaN if
                        the leading coefficient is 0
======================  =========================================================================================

`np.poly1d` is a class of its own, and `numpy.polynomial` a package of its own: neither takes Tensors.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from ..devices import anywhere, is_foreign
from ..errors import NoRuleError
from ..node import data_of
from ..primitive import REGISTRY, composed, define, written
from ..wrapping import array_beside, array_like, unrecorded
from .arrange import broadcast_to, concatenate, reshape, stack
from .convolution import convolve, vector
from .elementwise import cast, convert, divide, ratio
from .index import scatter

__all__ = ["characteristic", "vander"]


def _degrees(like: Any, n: int, dtype: Any) -> Any:
    """n, n - 1, …, 1, as an array of the library of `like`."""
    return np.ones_like(data_of(like), shape=(n,), dtype=dtype).cumsum(dtype=dtype)[::-1]


def _coefficients(p: Any, name: str) -> Any:
    """Coefficients as a vector."""
    if isinstance(p, np.poly1d):
        raise NoRuleError(f"np.{name} of a Tensor and an np.poly1d has no rule: give its coefficients, p.coeffs.")
    p = vector(p)
    if p.ndim > 1:
        raise NoRuleError(f"np.{name} with coefficients of shape {p.shape} has no rule: they must be a vector.")
    return p


def _trimmed(p: Any) -> Any:
    """The coefficients without the zeros that lead, but at least one."""
    found = np.flatnonzero(data_of(p))
    start = int(found[0]) if len(found) else max(len(p) - 1, 0)
    return p[start:] if start else p


# Powers and values


@written("sum(g * k * x ** (k - 1), 1)")
def _vander(g: Any, y: Any, increasing: bool) -> Any:
    """yᵢₖ = xᵢᵏ, so the cotangent of xᵢ is Σₖ gᵢₖ k xᵢᵏ⁻¹."""
    n = max(g.shape[1] - 1, 0)
    degrees = _degrees(y, n, g.dtype)
    if increasing:
        return (g[:, 1:] * y[:, :n] * degrees[::-1]).sum(1)
    return (g[:, :n] * y[:, g.shape[1] - n :] * degrees).sum(1)


vander: Any = define(np.vander, "x; N=None, increasing=False -> y", promotes=True, x=_vander)


@written("derivative(p)")
def _derivative(p: Any, dtype: Any) -> Any:
    """The coefficients of the derivative; NumPy calculates the powers in integers, which may be too wide."""
    n = max(len(p) - 1, 0)
    return p[:n] * _degrees(p, n, dtype)


_polyval: Any = define(
    np.polyval,
    "p, x -> y",
    promotes=True,
    p=lambda g, p_shape, x: (g.ravel() @ vander(_converted(x.ravel(), g.dtype), p_shape[0])).astype(g.dtype),
    x=lambda g, p, x: g * _polyval(_derivative(p, g.dtype), x),
)


def polyval(p: Any, x: Any) -> Any:
    """`np.polyval`."""
    if isinstance(x, np.poly1d):
        raise NoRuleError("np.polyval of a Tensor at an np.poly1d, which composes polynomials, has no rule.")
    return _polyval(_coefficients(p, "polyval"), array_beside(x, p))


REGISTRY[np.polyval] = polyval


# Arithmetic


def _lengthened(p: Any, n: int) -> Any:
    """`p` with leading zeros, n coefficients in all."""
    return p if len(p) == n else scatter(p, (n,), (slice(n - len(p), None),))


@composed(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """`np.polyadd`."""
    a1, a2 = _coefficients(a1, "polyadd"), _coefficients(a2, "polyadd")
    n = max(len(a1), len(a2))
    return _lengthened(a1, n) + _lengthened(a2, n)


@composed(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """`np.polysub`."""
    a1, a2 = _coefficients(a1, "polysub"), _coefficients(a2, "polysub")
    n = max(len(a1), len(a2))
    return _lengthened(a1, n) - _lengthened(a2, n)


@composed(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """`np.polymul`."""
    return convolve(_trimmed(_coefficients(a1, "polymul")), _trimmed(_coefficients(a2, "polymul")))


@composed(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """`np.polydiv`: the quotient and the remainder, by long division."""
    u, v = _coefficients(u, "polydiv") + 0.0, _coefficients(v, "polydiv") + 0.0
    common = np.result_type(u.dtype, v.dtype)
    scale, r, quotient = 1.0 / v[0], _converted(u, common), []
    for k in range(len(u) - len(v) + 1):
        quotient.append(_converted(scale * r[k], common))
        stop = k + len(v)
        r = concatenate([r[:k], r[k:stop] - quotient[-1] * v, r[stop:]])
    while len(r) > 1 and np.allclose(data_of(r)[0], 0, rtol=1e-14):
        r = r[1:]
    return stack(quotient) if quotient else unrecorded(np.zeros_like(data_of(r), shape=(1,))), unrecorded(r)


def _converted(x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else convert(x, dtype)


@composed(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    """`np.polyder`: the derivative of order m."""
    m = operator.index(m)
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    p = _coefficients(p, "polyder")
    for _ in range(m):
        p = _derivative(p, np.intp)
    return p


@composed(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    """`np.polyint`: the antiderivative of order m, with the constants of integration k."""
    m = operator.index(m)
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    p = _coefficients(p, "polyint")
    k = (
        np.zeros_like(data_of(p), shape=(m,), dtype=float)
        if k is None
        else _coefficients(array_beside(k, p), "polyint")
    )
    if len(k) == 1 and m > 1:
        k = k * np.ones_like(data_of(k), shape=(m,), dtype=float)
    if len(k) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        p = concatenate([divide(p, _degrees(p, len(p), np.intp)), k[i : i + 1]])
    return p


# Roots


def _moved(g: Any, p: Any, r: Any, p_dtype: Any) -> Any:
    """p(r) = 0 stays so: p′(r) dr = -Σ dpₖ rⁿ⁻ᵏ."""
    slopes = _polyval(_derivative(p, g.dtype), r)
    return _back(-(ratio(g, slopes) @ vander(r, len(p))), p_dtype)


def _back(c: Any, dtype: Any) -> Any:
    return c if c.dtype == dtype else cast(c, dtype)


def _found(p: Any) -> Any:
    """`np.roots`; CuPy's are of few polynomials only: there the eigenvalues of the companion matrix."""
    n = len(p) - 1
    if not is_foreign(p) or n < 1:
        return np.roots(p)
    k = np.arange(n, like=p)
    return np.linalg.eigvals(np.where(k[:, None] == 0, -p[1:] / p[0], (k[:, None] == k + 1).astype(p.dtype)))


_roots: Any = define(np.roots, "p -> r", forward=_found, p=_moved)


def roots(p: Any) -> Any:
    """`np.roots`."""
    return _roots(_coefficients(p, "roots"))


def _diagonal(c: Any, n: int) -> Any:
    """c times the unit matrix of n rows: its flattened diagonal is every (n + 1)-th element."""
    return reshape(scatter(broadcast_to(c, (n,)), (n * n,), (slice(None, None, n + 1),)), (n, n))


def _adjugate(g: Any, a: Any, y: Any, a_dtype: Any) -> Any:
    """d det(x - A) = -tr(adj(x - A) dA), and adj(x - A) = Σ xⁿ⁻ᵏ Mₖ with M₁ = 1 and Mₖ₊₁ = A Mₖ + yₖ."""
    n = len(a)
    m = _diagonal(y[0], n)
    total = g[1] * m
    for k in range(2, n + 1):
        m = a @ m + _diagonal(y[k - 1], n)
        total = total + g[k] * m
    return _back(-total.T, a_dtype)


def characteristic(a: Any) -> Any:
    """`np.poly` of a matrix, complex for a complex one: the coefficients of its characteristic polynomial."""
    if is_foreign(a):  # CuPy knows that of a Hermitian matrix only
        y = np.poly(np.linalg.eigvals(a))
        return y if a.dtype.kind == "c" else y.real
    y = np.poly(a)
    return y.astype(a.dtype) if a.dtype.kind == "c" else y


characteristic: Any = define(characteristic, "a -> y", a=_adjugate)  # type: ignore[no-redef]


@composed(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """`np.poly`: the coefficients of the polynomial with these roots, or of the characteristic one of a matrix."""
    z = vector(seq_of_zeros)
    if z.ndim > 2 or (z.ndim == 2 and (z.shape[0] != z.shape[1] or not z.shape[0])):
        raise ValueError(f"np.poly: input must be 1d or non-empty square 2d array, got shape {z.shape}.")
    if z.ndim == 2:
        a = characteristic(z)
    elif not len(z):
        return 1.0
    else:
        z = _converted(z, np.mintypecode(z.dtype.char))
        a = one = np.ones_like(data_of(z), shape=(1,))
        for k in range(len(z)):
            a = convolve(a, concatenate([one, -z[k : k + 1]]))
    if a.dtype.kind != "c" or is_foreign(data_of(z)):
        return a
    return a.real if np.poly(data_of(z)).dtype.kind == "f" else a  # NumPy's are real where complex roots come in pairs


# Fits


@composed(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Any:
    """`np.polyfit`: by least squares, of scaled powers of `x`."""
    order = operator.index(deg) + 1
    x, y = (array_like(v) + 0.0 for v in (x, y))
    if order < 1:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or not len(x) or y.ndim not in (1, 2) or len(x) != len(y):
        raise TypeError(
            f"polyfit: expected a non-empty vector x, and y of the same length with one or two axes; got shapes "
            f"{x.shape} and {y.shape}."
        )
    if rcond is None:
        rcond = len(x) * np.finfo(x.dtype).eps
    lhs, rhs = vander(x, order), y
    if w is not None:
        w = array_like(w) + 0.0
        if w.shape != x.shape:
            raise TypeError(f"polyfit: expected a vector of {len(x)} weights, got shape {w.shape}.")
        lhs = lhs * w[:, None]
        rhs = rhs * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt((lhs * lhs).sum(0))
    lhs = lhs / scale
    c, residuals, rank, s = np.linalg.lstsq(lhs, rhs, rcond)
    c = c / (scale[:, None] if y.ndim == 2 else scale)
    if full:
        return c, residuals, rank, s, rcond
    if anywhere(data_of(rank) != order):
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=4)
    if not cov:
        return c
    spread = np.linalg.inv(lhs.T @ lhs) / (scale[:, None] * scale)
    spread = spread if y.ndim == 1 else spread[:, :, None]
    if cov != "unscaled":
        if len(x) <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        spread = spread * (residuals / (len(x) - order))
    return c, spread


REGISTRY[np.roots] = roots
