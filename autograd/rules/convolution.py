"""Convolution and correlation of vectors: `convolve`, `correlate`.

Each mode gives the part in the middle of the full convolution; the cotangent goes back into that place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import Value
from ..primitive import REGISTRY, composed, define, written
from ..wrapping import array_like
from .arrange import reshape, stack
from .elementwise import conjugate
from .index import scatter

__all__ = ["convolve", "vector"]


def vector(x: Any) -> Any:
    """Numbers as an array of one axis or more; they may be a list in which some are Tensors."""
    if isinstance(x, list | tuple) and any(isinstance(v, Value) for v in x):
        return stack(x)
    x = array_like(x)
    return reshape(x, (1,)) if x.ndim == 0 else x


@written("correlate(g, other)")
def _pulled(g: Any, mine: tuple[int, ...], other: Any) -> Any:
    """y = a ∗ v, so the cotangent of aₙ is Σₖ gₙ₊ₖ vₖ."""
    full = mine[0] + len(other) - 1
    start = (full - len(g)) // 2
    if len(g) < full:
        g = scatter(g, (full,), (slice(start, start + len(g)),))
    return _convolve(g, other[::-1], "valid")


_convolve: Any = define(
    np.convolve,
    "a, v; mode='full' -> y",
    promotes=True,
    a=lambda g, a_shape, v: _pulled(g, a_shape, v),
    v=lambda g, a, v_shape: _pulled(g, v_shape, a),
)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """`np.convolve`."""
    return _convolve(vector(a), vector(v), mode)


@composed(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """`np.correlate`: the convolution with `v` reversed, and conjugated."""
    a, v = vector(a), vector(v)
    v = conjugate(v) if v.dtype.kind == "c" else v
    if len(v) > len(a):  # the middle is then counted from the other end
        return _convolve(v, a[::-1], mode)[::-1]
    return _convolve(a, v[::-1], mode)


REGISTRY[np.convolve] = convolve
