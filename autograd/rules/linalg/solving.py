"""Inverses and systems of equations: inv, solve, tensorinv, tensorsolve, pinv, lstsq, matrix_power.

Sources: M. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*,
2008, for `inv` and `solve`; G. H. Golub and V. Pereyra, *The differentiation of pseudo-inverses and nonlinear least
squares problems whose variables separate*, SIAM J. Numer. Anal. 10, 1973, for `pinv` and `lstsq`.

==================  ==================================================================================
`pinv`, `lstsq`     of a matrix without full rank: the derivative along matrices of the same rank. It is
                    the only one there is: a change of the rank makes both jump
`residuals`         of `lstsq`: empty, and then constant, wherever NumPy says so
==================  ==================================================================================
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ...cotangent import unbroadcast
from ...node import data_of
from ...primitive import composed, define
from ...wrapping import unrecorded
from ..elementwise import cast
from .common import adjoint, conj, epsilon, fold, half, if_hermitian, transposed

__all__ = ["inv", "lstsq", "matrix_power", "pinv", "solve", "tensorinv", "tensorsolve"]

inv = define(np.linalg.inv, "a -> y", a=lambda g, y: -(transposed(y) @ g @ transposed(y)))


def _solve_a(g: Any, a: Any, x: Any, a_shape: tuple[int, ...], b_shape: tuple[int, ...]) -> Any:
    """X = A⁻¹B, so the cotangent of A is −A⁻ᵀG Xᵀ."""
    if len(b_shape) == 1:
        g, x = g[..., None], x[..., None]
    return unbroadcast(-(np.linalg.solve(transposed(a), g) @ transposed(x)), a_shape)


def _solve_b(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    """X = A⁻¹B, so the cotangent of B is A⁻ᵀG."""
    if len(b_shape) == 1:  # to NumPy, only that is a vector
        return unbroadcast(np.linalg.solve(transposed(a), g[..., None])[..., 0], b_shape)
    return unbroadcast(np.linalg.solve(transposed(a), g), b_shape)


solve = define(np.linalg.solve, "a, b -> x", promotes=True, a=_solve_a, b=_solve_b)


@composed(np.linalg.tensorinv)
def tensorinv(a: Any, ind: Any = 2) -> Any:
    """`np.linalg.tensorinv`: the inverse of the matrix that `a` is with its first `ind` axes as one."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    columns = a.shape[ind:]
    return inv(a.reshape(math.prod(a.shape[:ind]), math.prod(columns))).reshape(columns + a.shape[:ind])


@composed(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """`np.linalg.tensorsolve`: solve with the matrix that `a` is with its first axes as one, and its others."""
    if axes is not None:
        last = [axis % np.ndim(a) for axis in axes]
        a = np.transpose(a, [k for k in range(np.ndim(a)) if k not in last] + last)
    columns = np.shape(a)[np.ndim(b) :]
    n = math.prod(columns)
    if math.prod(np.shape(a)) != n * n:
        raise np.linalg.LinAlgError(
            f"Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim]), got a of "
            f"shape {np.shape(a)} and b of shape {np.shape(b)}"
        )
    return solve(np.reshape(a, (n, n)), np.reshape(b, (-1,))).reshape(columns)


@composed(np.linalg.matrix_power)
def matrix_power(a: Any, n: Any) -> Any:
    """`np.linalg.matrix_power`: its squarings and products, as NumPy does them."""
    n = operator.index(n)
    if n == 0:  # constant
        return unrecorded(np.linalg.matrix_power(data_of(a), 0))
    if n < 0:
        a, n = inv(a), -n
    elif a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        np.linalg.matrix_power(data_of(a), n)  # raises
    if n == 3:  # NumPy's order
        return (a @ a) @ a
    square, power = a, None
    while True:
        n, bit = divmod(n, 2)
        if bit:
            power = square if power is None else power @ square
        if not n:
            return power
        square = square @ square


# Pseudo-inverses and least squares. For P = A⁺:
# dP = −P dA P + P Pᴴ dAᴴ (1 − A P) + (1 − P A) dAᴴ Pᴴ P.


def _pinv(g: Any, a: Any, p: Any, hermitian: bool) -> Any:
    if hermitian:  # the matrix that was meant, not what its other triangle holds
        a = half(a) + adjoint(half(a))
    h, q = transposed(g), adjoint(p)  # Ḡᴴ and Pᴴ
    ph = p @ h
    gram = (h @ p) @ q
    found = gram - a @ (p @ gram) - adjoint(ph @ p)
    gram = q @ ph
    found = found + gram - (gram @ p) @ a
    return conj(fold(found) if hermitian else found)


_pinv_of: Any = define(
    np.linalg.pinv,
    "a; tolerances, hermitian=False -> p",
    forward=lambda a, tolerances, hermitian: np.linalg.pinv(a, **tolerances, **if_hermitian(hermitian)),
    a=_pinv,
)


@composed(np.linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, **rtol: Any) -> Any:
    """`np.linalg.pinv`."""
    if "rtol" in rtol and rcond is None:  # not every library has this name for it
        rcond = rtol.pop("rtol")
        rcond = max(a.shape[-2:]) * epsilon(a) if rcond is None else rcond
    tolerances = {k: data_of(v) for k, v in {"rcond": rcond, **rtol}.items() if k != "rcond" or v is not None}
    return _pinv_of(a, tolerances, hermitian)


def _least_squares(g: Any, a: Any, b: Any, x: Any, rcond: Any) -> tuple[Any, ...]:
    """What both rules are made of: P, X and its cotangent as matrices, R = B − A X, what comes from the residuals."""
    gx, gr, _, _ = g
    if rcond is None:
        rcond = max(a.shape) * float(np.finfo(x.dtype).eps)
    p = np.linalg.pinv(a, float(rcond) if rcond >= 0 else float(np.finfo(x.dtype).eps))
    if b.ndim == 1:
        b, x, gx = b[:, None], x[:, None], None if gx is None else gx[:, None]
    rest = b - a @ x
    return p, x, None if gx is None else conj(gx), rest, None if gr is None or not gr.size else 2 * rest * gr


def _lstsq_a(g: Any, a: Any, b: Any, x: Any, a_dtype: Any, rcond: Any) -> Any:
    p, x, gx, rest, pull = _least_squares(g, a, b, x, rcond)
    found = np.zeros_like(x, shape=a.shape)
    if gx is not None:
        q = adjoint(p)
        gb = q @ gx
        found = rest @ adjoint(p @ gb) - gb @ adjoint(x) + (q @ x) @ adjoint(gx - adjoint(a) @ gb)
    if pull is not None:  # of |R|²; R is orthogonal to what A can reach
        found = found - pull @ adjoint(x)
    if g[3] is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        found = found + (u * g[3]) @ vh
    return cast(conj(found), a_dtype)


def _lstsq_b(g: Any, a: Any, b: Any, x: Any, b_shape: Any, b_dtype: Any, rcond: Any) -> Any:
    p, _, gx, _, pull = _least_squares(g, a, b, x, rcond)
    found = np.zeros_like(x, shape=b_shape)
    if gx is not None:
        found = found + (adjoint(p) @ gx).reshape(b_shape)
    if pull is not None:
        found = found + pull.reshape(b_shape)
    return cast(conj(found), b_dtype)


lstsq = define(np.linalg.lstsq, "a, b; rcond=None -> x, residuals, rank, s", a=_lstsq_a, b=_lstsq_b)
