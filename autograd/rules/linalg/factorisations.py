"""Triangular factorisations: cholesky, qr.

Sources: I. Murray, *Differentiation of the Cholesky decomposition*, arXiv:1602.07527, 2016; S. F. Walter and
L. Lehmann, *Algorithmic differentiation of linear algebra functions with application in optimum experimental design*,
arXiv:1001.1654, 2010, for `qr`, here for complex matrices too: LAPACK's R has a real diagonal.

==================  ==================================================================================
`cholesky`          only the triangle that is read has a gradient (an element of it stands for two)
`qr`                if the first columns are not independent, there is no derivative: the backward pass
                    raises NumPy's LinAlgError ("Singular matrix")
complete `qr`       of a tall matrix: the last columns of Q are some basis of the rest of the space. What is
                    the same for each basis (as their projector is) has a gradient, anything else is refused
==================  ==================================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import NoRuleError
from ...node import data_of
from ...primitive import composed, define
from .common import adjoint, conj, fold, half, require_invariance

__all__ = ["cholesky", "complement", "qr"]


def _cholesky(g: Any, y: Any, upper: bool) -> Any:
    """A = LLᴴ: dL = L half(L⁻¹ dA L⁻ᴴ), so the cotangent of A is L⁻ᴴ half(LᴴL̄) L⁻¹, folded."""
    g = conj(g)
    if upper:
        g, y = adjoint(g), adjoint(y)
    inverse = np.linalg.inv(y)
    return conj(fold(adjoint(inverse) @ half(adjoint(y) @ g) @ inverse, not upper))


cholesky = define(np.linalg.cholesky, "a; *, upper=False -> y", a=_cholesky)


def complement(q: Any, rest: Any, g: Any, name: str, what: str) -> Any:
    """What the cotangent of `rest`, an orthonormal basis of all that `q` does not span, adds to that of `q`.

    The span of the rest follows q: drest = −q dqᴴ rest, and a rotation within it, on which nothing may depend.
    """
    r, h = data_of(rest), data_of(g)
    turn = np.swapaxes(r.conj(), -1, -2) @ h
    terms = np.swapaxes(abs(r), -1, -2) @ abs(h)
    turn = turn - np.swapaxes(turn.conj(), -1, -2)
    g = require_invariance(g, turn, terms, name, what, "only what is the same for each")
    return -(rest @ (adjoint(g) @ q))


def _qr(g: Any, q: Any, r: Any, mode: str) -> Any:
    """With N = Qᴴ Q̄ − R̄ Rᴴ the cotangent is (Q̄ + Q (half(N − Nᴴ) − N)) R⁻ᴴ, for the columns up to the rank.

    The others are A₂ = Q R₂.
    """
    gq, gr = (None if part is None else conj(part) for part in g)
    m, n = q.shape[-2], r.shape[-1]
    k = min(m, n)
    if gq is not None and q.shape[-1] > k:  # complete, of a tall matrix
        more = complement(q[..., :k], q[..., k:], gq[..., k:], "np.linalg.qr", "the basis in the last columns of Q")
        q, gq = q[..., :k], gq[..., :k] + more
    elif q.shape[-1] > k:
        q = q[..., :k]
    r, gr = r[..., :k, :], None if gr is None else gr[..., :k, :]
    others = None
    if n > k and gr is not None:
        pull = gr[..., k:]
        others = q @ pull
        more = (q @ r[..., k:]) @ adjoint(pull)
        gq, gr = more if gq is None else gq + more, gr[..., :k]
    elif n > k:
        others = np.zeros_like(q, shape=(*q.shape[:-1], n - k))
    r = r[..., :k]
    inner = 0 if gq is None else adjoint(q) @ gq
    if gr is not None:
        inner = inner - gr @ adjoint(r)
    found = q @ (half(inner - adjoint(inner)) - inner)
    if gq is not None:
        found = found + gq
    found = adjoint(np.linalg.solve(r, adjoint(found)))
    return conj(found if others is None else np.concatenate([found, others], axis=-1))


_qr_of: Any = define(np.linalg.qr, "a; mode='reduced' -> q, r", a=_qr)


@composed(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """`np.linalg.qr`."""
    if mode == "r":
        return _qr_of(a)[1]
    if mode not in ("reduced", "complete"):
        raise NoRuleError(
            f"np.linalg.qr with mode={mode!r} has no rule: use mode='reduced', 'complete' or 'r', or, if no gradient "
            "shall flow through it, call it on `t.detach()`."
        )
    return _qr_of(a, mode)
