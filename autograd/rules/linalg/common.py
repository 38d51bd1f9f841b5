"""What the rules of several families share: adjoints, triangles, and the refusal of losses without a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices import is_foreign
from ...node import data_of
from ...primitive import written

__all__ = ["adjoint", "conj", "epsilon", "fold", "half", "if_hermitian", "require_invariance", "transposed"]


def transposed(x: Any) -> Any:
    """Xᵀ, of each matrix of a stack."""
    return x.swapaxes(-1, -2)


def conj(x: Any) -> Any:
    """The complex conjugate; a real array as it is."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x: Any) -> Any:
    """Xᴴ, of each matrix of a stack."""
    return conj(x.swapaxes(-1, -2))


def epsilon(x: Any) -> float:
    """The distance from 1 to the next number of `x`'s precision."""
    return float(np.finfo(x.dtype).eps)


@written("half(x) if lower else upper_half(x)")
def half(x: Any, lower: bool = True) -> Any:
    """One triangle of X with the diagonal halved: half(X) + half(X)ᴴ is X, where X is Hermitian."""
    array = data_of(x)
    k = np.arange(x.shape[-1], like=array)
    mask = ((k[:, None] >= k) - 0.5 * (k[:, None] == k)).astype(array.real.dtype)
    return x * (mask if lower else mask.T)


def if_hermitian(hermitian: bool) -> dict[str, Any]:
    """The option `hermitian`, if it says something: not every library has it."""
    return {"hermitian": True} if hermitian else {}


def fold(x: Any, lower: bool = True) -> Any:
    """The gradient of the one triangle that was read, where X is the gradient of the Hermitian matrix it stands for."""
    return half(x + adjoint(x), lower)


def require_invariance(g: Any, residue: Any, scale: Any, name: str, what: str, instead: str) -> Any:
    """The cotangent `g`, of a loss that does not depend on something that `name` leaves open: otherwise refuse it.

    On a device, which is not waited for, NaNs take the place of what would be refused.

    Parameters
    ----------
    g : array
        The cotangent.
    residue, scale : array
        What vanishes if it does not depend on it, and the size of the terms that should cancel.
    name, what, instead : str
        The function, what the loss depends on, and what to use instead.

    Raises
    ------
    ValueError
    """
    if not residue.size:
        return g
    eps = epsilon(scale)
    depends = abs(residue).max() > eps**0.5 * scale.max() + 100 * eps
    if is_foreign(depends):
        return g * np.where(depends, np.nan, 1.0).astype(scale.dtype)
    if depends:
        raise ValueError(
            f"the derivative of {name} with respect to its input does not exist here: what is computed from its result "
            f"depends on {what}, which {name} leaves open. Use {instead}."
        )
    return g
