"""Dropout: zeros in random places."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import device_of, move
from autograd.node import data_of
from autograd.primitive import define, written
from autograd.wrapping import array_like

from ..share import drawn
from .kernels import DROPOUT

__all__ = ["dropout"]


@written("scale * keep * x")
def dropout(
    x: Any,
    p: float = 0.5,
    training: bool = True,
    rng: np.random.Generator | int | None = None,
    shared: tuple[int, ...] = (),
) -> Any:
    """x with each element set to 0 with probability p, and the others divided by 1 − p.

    So the expected value of each element is that of `x`, and nothing is to be done once training is over ("inverted"
    dropout; Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014). The
    gradient passes where the element has, divided by 1 − p too.

    Parameters
    ----------
    x : Tensor or array
        Floating or complex numbers.
    p : float
        The probability of a zero, in [0, 1].
    training : bool
        False returns `x` itself.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed. One number in single precision is drawn for each element, so
        that p is met to within 2⁻²⁴, and the same elements are dropped whatever the dtype and device of `x`: it is
        drawn on the CPU, and which elements stay is copied to the device, one byte for each.
    shared : tuple of int
        Axes along which all elements share one fate: the positions of a channel, for example.

    Returns
    -------
    Tensor or array, the shape and dtype of `x`

    Raises
    ------
    TypeError
        If `x` holds integers or booleans.
    ValueError
        If p is not a probability.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import dropout
    >>> dropout(np.ones(8), p=0.25, rng=0).round(2)
    array([1.33, 1.33, 1.33, 1.33, 1.33, 0.  , 0.  , 0.  ])
    """
    p = probability(p)
    x = array_like(x)
    if x.dtype.kind not in "fc":
        raise TypeError(f"dropout is of floating numbers, got {x.dtype}: write x.astype(np.float32).")
    if not training or p == 0:
        return x
    shape = list(x.shape)
    for k in shared:
        shape[k] = 1
    generator = np.random.default_rng(rng)
    numbers = drawn(lambda shape: generator.random(shape, dtype=np.float32), tuple(shape))
    keep = move(np.asarray(numbers >= p), device_of(data_of(x)))
    return _dropped(x, keep, 0.0 if p == 1 else 1 / (1 - p))


def probability(p: Any) -> float:
    """`p`, if it is a probability."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.integer | np.floating) or not 0 <= p <= 1:
        raise ValueError(f"p is the probability of a zero, a number from 0 to 1; got {p!r}.")
    return float(p)


def _kept(x: Any, keep: Any, scale: float) -> Any:
    """x · scale where `keep`, else 0. (A product: `np.where` takes longer.)"""
    return x * scale * keep


_dropped = define(
    dropout, "x; keep, scale -> y", forward=_kept, kernels=DROPOUT, x=lambda g, keep, scale: _kept(g, keep, scale)
)
