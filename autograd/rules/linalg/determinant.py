"""Determinants: det, slogdet.

Sources: M. Giles, *Collected matrix derivative results*, 2008: d det A = det A · tr(A⁻¹dA), so that the cotangent is
g det(A) A⁻ᵀ. That product is a polynomial, the matrix of cofactors, and has a value where A⁻¹ has none.

==================  ==================================================================================
`det`               of a singular or nearly singular matrix (condition above 1/√ε): the cofactors come
                    from the singular values, A = U S Vᴴ, cof A = det U · det Vᴴ · conj(U cof(S) Vᴴ). Exact
                    for every rank, and so is the second derivative; higher ones are refused where a singular
                    value is 0, or below ε^⅔ of the largest
`slogdet`           of a singular matrix: infinite, as the limit is, times the sign of the cofactor (0 where
                    that is 0); NaN on a device, whose libraries do not say that they found no inverse
`sign`              of a real `slogdet`: its derivative is 0
==================  ==================================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices import is_foreign
from ...errors import NoRuleError
from ...node import Value, data_of
from ...primitive import define, written
from ..elementwise import ratio
from .common import adjoint, conj, epsilon, transposed

__all__ = ["cofactors", "det", "slogdet"]


def _inverse(a: Any) -> Any:
    """A⁻¹, or None if one of the matrices is singular, or nearly."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    x, y = data_of(a), data_of(inverse)
    if not x.size:
        return inverse
    condition = abs(x).sum(-1).max(-1) * abs(y).sum(-1).max(-1)
    return None if (condition > epsilon(x) ** -0.5).any() else inverse


def _turned(a: Any) -> Any:
    """U, Vᴴ and the factor det U · det Vᴴ, and the products of the singular values without one, and without two."""
    u, s, vh = np.linalg.svd(a)
    k = np.arange(s.shape[-1], like=data_of(s))
    mask = k[:, None] == k
    others = np.where(mask, 1, s[..., None, :])
    one = np.prod(others, axis=-1)
    two = np.where(mask, 0, _before(others) * _before(others[..., ::-1])[..., ::-1])
    return u, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None], one, two


def _before(x: Any) -> Any:
    """The product of the elements before each one. No quotient of products: it would lose all digits at 0."""
    return np.concatenate([np.ones_like(x[..., :1]), np.cumprod(x, axis=-1)[..., :-1]], axis=-1)


def cofactors(a: Any) -> Any:
    """The cofactors of each matrix, det(A) A⁻ᵀ: a polynomial, whatever the rank of A."""
    u, vh, factor, one, _ = _turned(a)
    return factor * conj((u * one[..., None, :]) @ vh)


def _require_rank(g: Any, s: Any) -> Any:
    """The cotangent `g`; NaNs in place of what is refused where a device would have to be waited for."""
    low = s[..., -1] <= epsilon(s) ** (2 / 3) * s[..., 0]
    if is_foreign(low):
        return g * np.where(low, np.nan, 1.0).astype(s.dtype)[..., None, None]
    if low.any():
        raise NoRuleError(
            "np.linalg.det has no derivatives of third and higher order at a singular or nearly singular matrix: the "
            "first and second are all that there are rules for."
        )
    return g


def _cofactors(g: Any, a: Any) -> Any:
    """In the bases of U and V, ∂cof(S)ᵢᵢ/∂Sⱼⱼ = pᵢⱼ and ∂cof(S)ᵢⱼ/∂Sⱼᵢ = −pᵢⱼ, with pᵢⱼ = Π sₖ over k ≠ i, j."""
    if isinstance(a, Value) and a._requires_grad:  # what follows is differentiated, also the singular vectors
        g = _require_rank(g, np.linalg.svd(data_of(a), compute_uv=False))
    u, vh, factor, _, two = _turned(a)
    h = adjoint(u) @ g @ adjoint(vh)
    h_diagonal = np.einsum("...ii->...i", h)
    along = (two @ h_diagonal[..., None])[..., 0]
    u = conj(u)
    return factor * ((u * along[..., None, :] - u @ (two * transposed(h))) @ conj(vh))


cofactors = define(cofactors, "a -> c", a=_cofactors)


@written("(g * y)[..., None, None] * inv(a).swapaxes(-1, -2)")
def _det(g: Any, a: Any, y: Any) -> Any:
    inverse = _inverse(a)
    if inverse is None or (abs(data_of(y)) < np.finfo(y.dtype).tiny).any():  # y may have vanished: 0 is not det(A)
        return g[..., None, None] * cofactors(a)
    return (g * y)[..., None, None] * transposed(inverse)


@written("g[1][..., None, None] * inv(a).swapaxes(-1, -2)")
def _slogdet(g: Any, a: Any, sign: Any) -> Any:
    g_sign, g_log = g
    if g_log is None and sign.dtype.kind != "c":
        return np.zeros_like(a)
    try:
        inverse = transposed(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        inverse = ratio(cofactors(a), np.linalg.det(a)[..., None, None])
    if sign.dtype.kind == "c" and g_sign is not None:  # sign · i Im tr(A⁻¹dA)
        turn = (g_sign * sign).imag * 1j
        return (turn if g_log is None else turn + g_log)[..., None, None] * inverse
    return g_log[..., None, None] * inverse


det = define(np.linalg.det, "a -> y", a=_det)
slogdet = define(np.linalg.slogdet, "a -> sign, logabsdet", a=_slogdet)
