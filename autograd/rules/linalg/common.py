"""What the rules of several families share: adjoints, triangles, and the refusal of losses without a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...node import data_of
from ...primitive import written

__all__ = ["adjoint", "conj", "epsilon", "fold", "half", "require_invariance", "transposed"]


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
    array, n = data_of(x), x.shape[-1]
    dtype = array.real.dtype
    mask = np.tri(n, dtype=dtype, like=array) - np.eye(n, dtype=dtype, like=array) * dtype.type(0.5)
    return x * (mask if lower else mask.T)


def fold(x: Any, lower: bool = True) -> Any:
    """The gradient of the one triangle that was read, where X is the gradient of the Hermitian matrix it stands for."""
    return half(x + adjoint(x), lower)


def require_invariance(residue: Any, scale: Any, name: str, what: str, instead: str) -> None:
    """Refuse a loss that depends on something that `name` leaves open.

    Parameters
    ----------
    residue, scale : array
        What vanishes if it does not depend on it, and the size of the terms that should cancel.
    name, what, instead : str
        The function, what the loss depends on, and what to use instead.

    Raises
    ------
    ValueError
    """
    if not residue.size:
        return
    eps = epsilon(scale)
    if abs(residue).max() > eps**0.5 * scale.max() + 100 * eps:
        raise ValueError(
            f"the derivative of {name} with respect to its input does not exist here: what is computed from its result "
            f"depends on {what}, which {name} leaves open. Use {instead}."
        )
