"""Dropout layers: noise in training, nothing in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.wrapping import array_like

from . import functional
from .functional.noise import probability
from .module import Module

__all__ = ["Dropout", "Dropout1d", "Dropout2d"]


class Dropout(Module):
    """Sets each element to 0 with probability p in training, and divides the others by 1 − p.

    In evaluation (`model.eval()`) the input comes out as it is. See `nn.functional.dropout`. The random numbers are
    drawn on the CPU, so that a seed means the same zeros on every device: each call copies its mask there.

    Parameters
    ----------
    p : float
        The probability of a zero, in [0, 1].
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Attributes
    ----------
    rng : numpy.random.Generator
        Goes on with each call; part of what a checkpoint holds.

    Raises
    ------
    ValueError
        If p is not a probability.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(6, np.float32))
    array([2., 2., 2., 0., 0., 0.], dtype=float32)
    >>> layer.eval()(np.ones(6, np.float32))
    array([1., 1., 1., 1., 1., 1.], dtype=float32)
    """

    #: How many axes the positions of a channel are: they share its fate.
    _positions = 0

    def __init__(self, p: float = 0.5, rng: np.random.Generator | int | None = None):
        self.p = probability(p)
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        x = array_like(x)
        axes = 2 + self._positions
        if self._positions and x.ndim != axes:
            form = "(N, C, L)" if axes == 3 else "(N, C, H, W)"
            raise ValueError(f"{self!r} drops channels of an input of shape {form}, and was given shape {x.shape}.")
        shared = tuple(range(2, axes))
        return functional.dropout(x, self.p, self.training, self.rng, shared)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


class Dropout1d(Dropout):
    """Sets whole channels of (N, C, L) to 0 with probability p in training, and divides the others by 1 − p.

    The neighbours of an element after a convolution say much of what it says: only without them is it missing
    (Tompson et al., "Efficient object localization using convolutional networks", 2015).

    Parameters
    ----------
    p : float
        The probability of a zero, in [0, 1].
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Raises
    ------
    ValueError
        If p is not a probability; when called, if the input has not three axes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Dropout1d(0.5, rng=2)(np.ones((1, 3, 2)))
    array([[[2., 2.],
            [0., 0.],
            [0., 0.]]])
    """

    _positions = 1


class Dropout2d(Dropout):
    """Sets whole channels of (N, C, H, W) to 0 with probability p in training, as `Dropout1d` those of (N, C, L).

    Parameters
    ----------
    p : float
        The probability of a zero, in [0, 1].
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Raises
    ------
    ValueError
        If p is not a probability; when called, if the input has not four axes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Dropout2d(0.5, rng=2)(np.ones((1, 3, 2, 2))).sum(axis=(2, 3))
    array([[8., 0., 0.]])
    """

    _positions = 2
