"""Examples of the functions of numpy.linalg, on matrices whose values are known to lie well apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.rules.linalg.determinant import cofactors

from .table import Example, one, values

__all__ = ["EXAMPLES", "hermitian", "regular", "separated"]

LA = np.linalg


def separated(m: int, n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Matrices with the singular values 1, 2, 3, …, in bases at random."""
    k = min(m, n)
    left, right = (LA.qr(values((*batch, size, k), seed=seed + i))[0] for i, size in enumerate((m, n)))
    return np.asarray((left * np.arange(k, 0, -1.0)) @ right.swapaxes(-1, -2))


def regular(n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Matrices far from singular, with eigenvalues apart."""
    return values((*batch, n, n), -0.5, 0.5, seed) + np.diag(np.arange(2.0, n + 2))


def hermitian(n: int, *batch: int, shift: float = 0.0) -> np.ndarray:
    """Matrices with large diagonals; what stands above the diagonal is not what stands below."""
    return values((*batch, n, n), -0.5, 0.5) + np.diag(np.arange(1.0, n + 1) * 2 + shift)


def H(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def _part(function: Callable[..., Any], k: int, *options: Any, **named: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, *options, **named)[k]


def _with(function: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, *options, **named)


def _span(function: Callable[..., Any], k: int, columns: slice, *options: Any, **named: Any) -> Callable[..., Any]:
    """The projector onto what some columns of result `k` span: the same for each choice of phases and bases."""

    def call(a: Any) -> Any:
        v = function(a, *options, **named)[k][..., columns]
        return v @ H(v)

    return call


def _rows(function: Callable[..., Any], rows: slice, *options: Any) -> Callable[..., Any]:
    """The same for rows of the last result."""

    def call(a: Any) -> Any:
        v = function(a, *options)[-1][..., rows, :]
        return H(v) @ v

    return call


def _svd_function(full_matrices: bool, **named: Any) -> Callable[..., Any]:
    """U S² Vᴴ, which is the same for each choice of phases."""

    def call(a: Any) -> Any:
        u, s, vh = LA.svd(a, full_matrices, **named)
        k = s.shape[-1]
        return (u[..., :k] * s[..., None, :] ** 2) @ vh[..., :k, :]

    return call


def _eigh_function(a: Any) -> Any:
    w, v = LA.eigh(a)
    return (v * np.tanh(w / 4)[..., None, :]) @ H(v)


def _eig_function(a: Any) -> Any:
    w, v = LA.eig(a)
    return ((v * (w * w)[..., None, :]) @ LA.inv(v)).real


def _sizes(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a: abs(function(a)[1]) ** 2


def _both(a: Any) -> Any:
    sign, logabsdet = LA.slogdet(a)
    return sign * logabsdet


def _again(call: Any, *args: np.ndarray, **options: Any) -> Example:
    """An example that goes through another routine of LAPACK than NumPy does, and so rounds differently."""
    return Example(call, args, reference=call, rounding=20, **options)


TURN = np.array([[0.3, -1.2, 0.1], [1.1, 0.4, 0.2], [0.1, -0.2, 2.0]])  # with a pair of complex eigenvalues
RANK_2 = separated(4, 2) @ separated(2, 3, seed=3)
C = {"complexes": True}
HARD = {"half": False, "rounding": 20}
CH = {**C, **HARD}

EXAMPLES: dict[str, list[Example]] = {
    "linalg.inv": [
        one(LA.inv, regular(3), order=3, **CH),
        one(LA.inv, regular(2, 4), **CH),
        one(LA.inv, np.array([[2.0]]), **CH),
        *[one(LA.inv, np.zeros(shape), **CH) for shape in ((0, 0), (0, 2, 2), (2, 0, 0))],
    ],
    "linalg.solve": [
        one(LA.solve, regular(3), (3, 2), order=3, **CH),
        one(LA.solve, regular(3), (3,), **CH),
        one(LA.solve, regular(3, 2), (3,), **CH),
        one(LA.solve, regular(3, 2), (1, 3, 2), **CH),
        one(LA.solve, regular(2), (4, 2, 3), **CH),
        one(LA.solve, regular(2, 3, 1), (2, 2, 1), **CH),
        one(LA.solve, regular(2), (2, 0), **CH),
        one(LA.solve, np.zeros((0, 0)), (0, 2), **CH),
    ],
    "linalg.tensorinv": [
        one(_with(LA.tensorinv, 1), separated(6, 6).reshape(6, 2, 3), **CH),
        one(LA.tensorinv, separated(4, 4).reshape(2, 2, 4, 1), **CH),
    ],
    "linalg.tensorsolve": [
        one(LA.tensorsolve, separated(6, 6).reshape(2, 3, 6), (2, 3), **CH),
        one(_with(LA.tensorsolve, axes=(0, 2)), separated(4, 4).reshape(2, 4, 2), (4,), **CH),
        one(LA.tensorsolve, regular(3), (3,), **CH),
    ],
    "linalg.matrix_power": [
        one(_with(LA.matrix_power, n), regular(3) / 3, **CH) for n in (2, 3, 7, 10, -1, -3, np.int64(4))
    ]
    + [one(_with(LA.matrix_power, 5), regular(2, 3) / 3, **CH)],
    "linalg.pinv": [
        one(LA.pinv, separated(4, 3), **CH),
        one(LA.pinv, separated(2, 4), **CH),
        one(LA.pinv, separated(3, 2, 2), **CH),
        one(_with(LA.pinv, rtol=1e-3), separated(3, 3), **CH),
        one(_with(LA.pinv, 1e-3), separated(3, 3), **CH),
        one(_with(LA.pinv, hermitian=True), hermitian(3), **CH),
        one(LA.pinv, np.zeros((0, 3)), **CH),
        one(LA.pinv, np.zeros((2, 3, 0)), **CH),
    ],
    "linalg.lstsq": [
        one(_part(LA.lstsq, 0), separated(4, 3), (4, 2), **CH),
        one(_part(LA.lstsq, 0, rcond=-1), separated(4, 3), (4,), **CH),
        one(_part(LA.lstsq, 0), separated(3, 4), (3, 2), **CH),
        one(_part(LA.lstsq, 1), separated(4, 2), (4, 2), **CH),
        one(_part(LA.lstsq, 1), separated(4, 2), (4,), **CH),
        one(lambda a, b: sum(y.sum() for k, y in enumerate(LA.lstsq(a, b)) if k != 2), separated(4, 2), (4,), **CH),
    ],
    "linalg.det": [
        one(LA.det, regular(3), order=3, **CH),
        one(LA.det, regular(2, 2, 3), **CH),
        one(LA.det, np.array([[2.0]]), **CH),
        *[one(LA.det, np.zeros(shape), **CH) for shape in ((0, 0), (0, 2, 2), (2, 0, 0))],
    ],
    "cofactors": [
        one(cofactors, separated(4, 4), **CH),
        one(cofactors, separated(3, 3, 2), **CH),
        one(cofactors, separated(2, 2), **CH),
    ],
    "linalg.slogdet": [
        one(_part(LA.slogdet, 1), regular(3), order=3, **CH),
        one(_part(LA.slogdet, 1), regular(2, 2), **CH),
        one(_both, regular(3), **CH),
        one(_part(LA.slogdet, 0), regular(3), **CH),
        one(_part(LA.slogdet, 1), np.zeros((0, 0)), **CH),
    ],
    "linalg.cholesky": [
        one(LA.cholesky, hermitian(3), **CH),
        one(LA.cholesky, hermitian(2, 3), **CH),
        one(_with(LA.cholesky, upper=True), hermitian(3), **CH),
        one(LA.cholesky, np.zeros((0, 0)), **CH),
        one(LA.cholesky, np.array([[4.0]]), **CH),
    ],
    "linalg.qr": [
        *[one(_part(LA.qr, k), separated(4, 3), **CH) for k in (0, 1)],
        *[one(_part(LA.qr, k), separated(3, 4), **CH) for k in (0, 1)],
        *[one(_part(LA.qr, k, "complete"), separated(2, 3, 2), **CH) for k in (0, 1)],
        one(_part(LA.qr, 1, "complete"), separated(4, 2), **CH),
        one(_part(LA.qr, 0), regular(3, 2), **CH),
        one(_span(LA.qr, 0, slice(1, None), "complete"), separated(4, 2), **CH),
        one(_with(LA.qr, "r"), separated(4, 3), **CH),
        one(_part(LA.qr, 0), np.zeros((3, 0)), **CH),
        one(_part(LA.qr, 1), np.zeros((0, 3)), **CH),
    ],
    "linalg.svd": [
        one(_svd_function(False), separated(4, 3), **CH),
        one(_svd_function(True), separated(3, 4), **CH),
        one(_svd_function(False), separated(3, 3, 2), **CH),
        *[one(_part(LA.svd, k, False), separated(4, 3), **HARD) for k in (0, 2)],
        *[one(_part(LA.svd, k, False), separated(2, 3), **HARD) for k in (0, 2)],
        one(_part(LA.svd, 1), separated(2, 3, 2), **CH),
        one(_span(LA.svd, 0, slice(1, None)), separated(4, 2), **CH),
        one(_rows(LA.svd, slice(1, None)), separated(2, 4), **CH),
        _again(_with(LA.svd, compute_uv=False), separated(4, 3), half=False, **C),
        one(_svd_function(True, hermitian=True), hermitian(3, shift=-4.5), **CH),
        _again(_with(LA.svd, compute_uv=False, hermitian=True), hermitian(3, shift=-4.5), half=False, **C),
        one(_part(LA.svd, 1), np.zeros((0, 3)), **CH),
    ],
    "linalg.svdvals": [
        _again(LA.svdvals, a, half=False, **C) for a in (separated(4, 3), separated(2, 3, 2), np.zeros((0, 3)))
    ],
    "linalg.eigh": [
        one(_eigh_function, hermitian(3), **CH),
        one(_eigh_function, hermitian(2, 3), **CH),
        one(_part(LA.eigh, 0), hermitian(3), **CH),
        one(_part(LA.eigh, 1), hermitian(3), **HARD),
        one(_part(LA.eigh, 1, "U"), hermitian(3), **HARD),
        one(_part(LA.eigh, 0, UPLO="u"), hermitian(3), **CH),
        one(_span(LA.eigh, 1, slice(0, 2)), hermitian(4), **CH),
        one(_sizes(LA.eigh), hermitian(3), **CH),
        one(_part(LA.eigh, 0), np.zeros((0, 0)), **CH),
        one(_part(LA.eigh, 1), np.zeros((0, 2, 2)), **CH),
    ],
    "linalg.eigvalsh": [
        _again(LA.eigvalsh, hermitian(3), half=False, **C),
        _again(_with(LA.eigvalsh, "U"), hermitian(2, 3), half=False, **C),
        _again(LA.eigvalsh, np.zeros((0, 0)), half=False, **C),
    ],
    "linalg.eig": [
        one(_part(LA.eig, 0), regular(3), **CH),
        one(_part(LA.eig, 1), hermitian(3), **HARD),
        one(_part(LA.eig, 0), TURN, **CH),
        one(_eig_function, TURN, **CH),
        one(_eig_function, regular(3, 2), **CH),
        one(_sizes(LA.eig), TURN, **CH),
        one(_part(LA.eig, 0), np.zeros((0, 0)), **CH),
    ],
    "linalg.eigvals": [
        one(LA.eigvals, regular(3), **CH),
        one(LA.eigvals, regular(2, 3), **CH),
        one(LA.eigvals, TURN, **CH),
        one(LA.eigvals, np.zeros((0, 0)), **CH),
    ],
    "linalg.norm": [
        one(LA.norm, (3, 4), complexes=True, order=3, rounding=20),
        one(_with(LA.norm, keepdims=True), (2, 3, 2), complexes=True, rounding=20),
        one(LA.norm, (), complexes=True),
        one(LA.norm, (0, 3), complexes=True),
        *[
            one(_with(LA.norm, p, axis=-1, keepdims=k % 2 == 0), (2, 3), **CH)
            for k, p in enumerate((None, 2, 1, np.inf, -np.inf, 3, 4, 1.5, 0.5, -1))
        ],
        *[one(_with(LA.norm, p), (4,), **CH) for p in (2, 3, np.inf)],
        *[
            one(_with(LA.norm, p, axis=(2, 0), keepdims=k % 2 == 0), (2, 3, 4), **CH)
            for k, p in enumerate((None, "fro", 1, -1, np.inf, -np.inf))
        ],
        *[one(_with(LA.norm, p), (3, 4), **CH) for p in ("fro", 1, -np.inf)],
    ],
    "linalg.vector_norm": [
        one(LA.vector_norm, (2, 3), **CH),
        one(_with(LA.vector_norm, axis=1, ord=3), (2, 3), **CH),
        one(_with(LA.vector_norm, axis=(2, 0), keepdims=True, ord=1), (2, 3, 2), **CH),
        one(_with(LA.vector_norm, axis=(0, 1), ord=np.inf), (2, 3, 2), **CH),
        one(LA.vector_norm, (), **CH),
    ],
    "linalg.matrix_norm": [
        *[_again(_with(LA.matrix_norm, ord=p), separated(3, 4, 2), half=False, **C) for p in ("fro", 2, -2, "nuc", 1)],
        _again(_with(LA.matrix_norm, ord="nuc", keepdims=True), separated(3, 2), half=False, **C),
        _again(_with(LA.norm, 2, axis=(2, 0), keepdims=True), separated(4, 2, 2), half=False, **C),
        _again(_with(LA.norm, "nuc"), np.zeros((0, 3)), half=False, **C),
    ],
    "linalg.cond": [
        # NumPy 2.0 returns complex numbers where it is made of norms
        _again(_with(LA.cond, p), regular(3, 2), half=False, complexes=LA.cond(1j * np.eye(2), p).dtype.kind == "f")
        for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc")
    ]
    + [_again(LA.cond, separated(4, 3), half=False, **C)],
}
