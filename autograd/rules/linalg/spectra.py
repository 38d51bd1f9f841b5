"""Eigenvalues and singular values: eig, eigvals, eigh, eigvalsh, svd, svdvals.

Sources: M. Giles, *Collected matrix derivative results*, 2008; J. Townsend, *Differentiating the singular value
decomposition*, 2016; Z.-Q. Wan and S.-X. Zhang, *Automatic differentiation for complex valued SVD*, arXiv:1909.02659,
2019; C. Boeddeker et al., *On the computation of complex-valued gradients with application to statistically optimum
beamforming*, arXiv:1701.00392, 2017, for `eig`.

The derivatives of vectors hold 1 / (λⱼ − λᵢ), which has no value where two eigenvalues are equal. Equal here means:
not farther apart than (n + 10) ε max|λ|, which is what rounding leaves of equal ones.

==================  ==================================================================================
equal eigenvalues   or singular values: their vectors are any basis of a space. Between them the derivative is
                    taken as 0, with a RuntimeWarning. That is right for what depends on the whole space only
                    (its projector). It is wrong for a matrix function, as (v * f(w)) @ v.T is. What depends on
                    the values alone is right, without a warning; its second derivative is a matrix function
svd, equal values   nothing is lost where u and vh enter as a pair with equal weights: the polar factor u @ vh
                    is right at the identity too, apart from the warning
svd, value 0        the derivative of a singular value at 0 (exactly) is 0, the middle of its slopes, as that of `abs`
phases              a complex eigenvector times any phase is one too; a singular vector with its partner
                    likewise. A loss that depends on it is refused
bases               the columns of u and rows of vh that full_matrices adds are some basis; see `complement`
`eig`               of real matrices: the values may be complex (CuPy's always are), the gradient is real. A
                    defective matrix has no derivative (and numerically, a huge one)
on a device         nothing is waited for: no warning, and NaN in place of what is refused
`eigh`              and all with hermitian=True: only the triangle that is read has a gradient
==================  ==================================================================================
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ...devices import anywhere, is_foreign
from ...node import data_of
from ...primitive import composed, define, written
from ..elementwise import cast, ratio
from .common import adjoint, conj, epsilon, fold, if_hermitian, require_invariance, transposed
from .factorisations import complement

__all__ = ["eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals"]


def _tolerance(w: Any) -> Any:
    """How far apart equal values may be, for each matrix, with an axis of length 1."""
    return (w.shape[-1] + 10) * epsilon(w) * abs(w).max(-1, keepdims=True)


def _gaps(w: Any, name: str) -> Any:
    """1 / (wⱼ − wᵢ) in row i and column j; 0 where they are equal, with a warning.

    Nothing in the cotangents tells a function of the space, for which that is right, from one for which it is not:
    for v diag(w) vᴴ at 0 they vanish.
    """
    apart = w[..., None, :] - w[..., :, None]
    if not apart.size:
        return apart
    equal = abs(data_of(apart)) <= _tolerance(data_of(w))[..., None]
    if anywhere(equal.sum() > w.size):
        warnings.warn(
            f"{name} has equal values, and something depends on their vectors: the derivative between these is taken "
            "as 0, which is right only for what depends on the whole space that they span. A matrix function, as "
            "(v * f(w)) @ v.T is, gets a wrong gradient.",
            RuntimeWarning,
            stacklevel=2,
        )
    return ~equal / (apart + equal)


def _require_no_phase(name: str, vector: str, *pairs: Any) -> list[Any]:
    """The cotangents of pairs with vectors; refuse a loss that depends on phases: Im vᴴv̄, summed, must vanish."""
    turn = scale = 0
    for v, g in pairs:
        v, g = data_of(v), data_of(g)
        turn = turn + (v.conj() * g).imag.sum(-2)
        scale = scale + (abs(v) * abs(g)).sum(-2)
    what, instead = f"the phase of {vector}", "only what is the same for each phase, as abs(v) and v @ vᴴ are"
    return [require_invariance(g, turn, scale, name, what, instead) for _, g in pairs]


# Hermitian matrices: dw = diag(Vᴴ dA V), dV = V (F ∘ Vᴴ dA V) with Fᵢⱼ = 1 / (wⱼ − wᵢ)


def _eigh(g: Any, w: Any, v: Any, UPLO: str, name: str = "np.linalg.eigh") -> Any:
    gw, gv = g
    found = 0 if gw is None else v * gw[..., None, :]
    if gv is not None:
        gv = conj(gv)
        if gv.dtype.kind == "c":
            (gv,) = _require_no_phase(name, "an eigenvector", (v, gv))
        found = found + v @ (_gaps(w, name) * (adjoint(v) @ gv))
    return conj(fold(found @ adjoint(v), UPLO.upper() == "L"))


eigh = define(
    np.linalg.eigh,
    "a; UPLO='L' -> w, v",
    a=lambda g, w, v, UPLO: _eigh(g, w, v, UPLO),
)


@composed(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """`np.linalg.eigvalsh`: with the eigenvectors, which its rule needs."""
    return eigh(a, UPLO)[0]


# Any square matrix. With V⁻¹ dA V = M: dw = diag(M), dV = V (F ∘ M), less what would change the length of a vector


def _eig(g: Any, w: Any, v: Any, a_dtype: Any) -> Any:
    gw, gv = g
    vt = transposed(v)
    if gv is not None:
        if v.dtype.kind == "c":
            gv = conj(*_require_no_phase("np.linalg.eig", "an eigenvector", (v, conj(gv))))
        lengths = (v * gv).sum(-2).real
        inner = _gaps(w, "np.linalg.eig") * (vt @ gv - (vt @ conj(v)) * lengths[..., None, :])
    right = 0 if gv is None else inner @ vt
    if gw is not None:
        right = right + gw[..., :, None] * vt
    return cast(np.linalg.solve(vt, right), a_dtype)


eig = define(np.linalg.eig, "a -> w, v", a=_eig)


def _in_order(g: Any, w: Any, found: Any) -> Any:
    """The cotangent of `w` in the order of `found`: the same values, but LAPACK's order is not always the same."""
    w, found = data_of(w), data_of(found)
    if not w.size:
        return g
    near = epsilon(w) ** 0.5 * abs(w).max(-1)[..., None]
    if not is_foreign(w) and (abs(w - found) <= near).all():
        return g
    distance = abs(w[..., :, None] - found[..., None, :])
    same = distance == distance.min(-1, keepdims=True)
    alone = (same.sum(-2) == 1).all(-1)[..., None, None]  # otherwise it does not matter which is which
    same = np.where(alone, same, distance <= near[..., None])
    share = (same / same.sum(-1, keepdims=True)).astype(w.real.dtype)
    return (g[..., None, :] @ share)[..., 0, :]


@written("inv(v).T @ diag(g) @ v.T")
def _eigvals(g: Any, a: Any, w: Any, a_dtype: Any) -> Any:
    found, v = np.linalg.eig(a)
    return _eig((_in_order(g, w, found), None), found, v, a_dtype)


eigvals = define(np.linalg.eigvals, "a -> w", a=_eigvals)


# Singular values, A = U S Vᴴ. With P = Uᴴ Ū and Q = Vᴴ V̄, less their adjoints, the cotangent of A is
# U (½ (P + Q) / (sⱼ − sᵢ) + ½ (P − Q) / (sⱼ + sᵢ) + S̄) Vᴴ, and parts beside U and V if A is not square


def _svd(g: Any, u: Any, s: Any, vh: Any, hermitian: bool) -> Any:
    gu, gs, gvh = g
    if hermitian:
        return _hermitian_svd(g, u, s, vh)
    k = s.shape[-1]
    if gs is not None:
        gs = gs * (data_of(s) != 0)
    if gu is None and gvh is None:
        return conj((u[..., :k] * gs[..., None, :]) @ vh[..., :k, :])
    gu, gv = None if gu is None else conj(gu), None if gvh is None else transposed(gvh)
    u, gu = _thin(u, gu, k, "u")
    v, gv = _thin(adjoint(vh), gv, k, "vh")
    if u.dtype.kind == "c":
        pairs = [p for p in ((u, gu), (v, gv)) if p[1] is not None]
        free = _require_no_phase("np.linalg.svd", "a singular vector", *pairs)
        gu, gv = (None if gu is None else free[0]), (None if gv is None else free[-1])
    u_in, v_in = (None if y is None else adjoint(x) @ y for x, y in ((u, gu), (v, gv)))
    p, q = (0 if x is None else x - adjoint(x) for x in (u_in, v_in))
    column = s[..., None, :]
    sums = column + s[..., :, None]
    core = (_gaps(s, "np.linalg.svd") * (p + q) + ratio(p - q, sums)) * s.dtype.type(0.5)
    found = u @ core
    if gs is not None:
        found = found + u * gs[..., None, :]
    if gu is not None and u.shape[-2] > k:
        found = found + ratio(gu - u @ u_in, column)
    found = found @ adjoint(v)
    if gv is not None and v.shape[-2] > k:
        found = found + u @ adjoint(ratio(gv - v @ v_in, column))
    return conj(found)


def _thin(x: Any, g: Any, k: int, name: str) -> Any:
    """The first k columns of `x`, and their cotangent."""
    if x.shape[-1] == k:
        return x, g
    first = x[..., :k]
    if g is not None:
        what = f"the basis that full_matrices=True adds to {name}"
        g = g[..., :k] + complement(first, x[..., k:], g[..., k:], "np.linalg.svd", what)
    return first, g


def _hermitian_svd(g: Any, u: Any, s: Any, vh: Any) -> Any:
    """A = U W Uᴴ with W = ±S, and V = ±U."""
    gu, gs, gvh = g
    signs = np.sign((data_of(transposed(vh)) * data_of(u)).sum(-2).real)
    gv = gu
    if gvh is not None:
        gv = transposed(conj(gvh)) * signs[..., None, :]
        gv = gv if gu is None else gu + gv
    return _eigh((None if gs is None else gs * signs, gv), s * signs, u, "L", "np.linalg.svd")


_svd_of: Any = define(
    np.linalg.svd,
    "a; full_matrices=True, hermitian=False -> u, s, vh",
    forward=lambda a, full_matrices, hermitian: np.linalg.svd(
        a, full_matrices=full_matrices, **if_hermitian(hermitian)
    ),
    a=_svd,
)


@composed(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """`np.linalg.svd`: with the singular vectors in any case, which its rule needs."""
    return _svd_of(a, full_matrices, hermitian) if compute_uv else _svd_of(a, False, hermitian)[1]


@composed(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """`np.linalg.svdvals`."""
    return _svd_of(x, False)[1]
