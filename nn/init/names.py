"""The names of initialisers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .plain import Array, Identity, Normal, Ones, TruncatedNormal, Zeros
from .scaled import HeNormal, HeUniform, LeCunNormal, LeCunUniform, Orthogonal, XavierNormal, XavierUniform

__all__ = ["INITIALIZERS", "Initializer", "initializer"]

Initializer = Callable[[tuple[int, ...], np.random.Generator], Array]

#: The initialisers that have a name.
INITIALIZERS: dict[str, Initializer] = {
    "zeros": Zeros(),
    "ones": Ones(),
    "identity": Identity(),
    "normal": Normal(),
    "truncated_normal": TruncatedNormal(),
    "xavier": XavierNormal(),
    "glorot": XavierNormal(),
    "xavier_normal": XavierNormal(),
    "xavier_uniform": XavierUniform(),
    "glorot_normal": XavierNormal(),
    "glorot_uniform": XavierUniform(),
    "he": HeNormal(),
    "kaiming": HeNormal(),
    "he_normal": HeNormal(),
    "he_uniform": HeUniform(),
    "kaiming_normal": HeNormal(),
    "kaiming_uniform": HeUniform(),
    "lecun": LeCunNormal(),
    "lecun_normal": LeCunNormal(),
    "lecun_uniform": LeCunUniform(),
    "orthogonal": Orthogonal(),
}


def initializer(init: str | Initializer) -> Initializer:
    """The initialiser of that name, or the callable itself.

    Parameters
    ----------
    init : str or callable
        A name in `INITIALIZERS`, or a callable (shape, rng) -> array.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a name nor a callable, or is a class.

    Examples
    --------
    >>> from nn.init import initializer
    >>> initializer("xavier")
    XavierNormal(gain=1.0)
    """
    if isinstance(init, str):
        if init not in INITIALIZERS:
            raise ValueError(f"unknown initialiser {init!r}; the names are {', '.join(INITIALIZERS)}.")
        return INITIALIZERS[init]
    if isinstance(init, type):
        raise TypeError(f"an initialiser is a name or a callable, got the class {init.__name__}: write a call of it.")
    if not callable(init):
        raise TypeError(
            f"an initialiser is a name or a callable (shape, rng) -> array, got {type(init).__name__}; "
            "for one value everywhere write nn.init.Constant(value)."
        )
    return init
