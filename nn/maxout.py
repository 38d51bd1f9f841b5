"""`Maxout`: a layer that learns its activation, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._checks import positive
from .init import Initializer, initializer
from .layers import Linear, Rng

__all__ = ["Maxout"]


@dataclass
class _Pieces:
    """An initialiser that draws several weights, one below the other, each as a weight of its own."""

    init: Initializer
    pieces: int

    def __call__(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        each = (shape[0] // self.pieces, *shape[1:])
        return np.concatenate([self.init(each, rng) for _ in range(self.pieces)])


class Maxout(Linear):
    """maxⱼ (x Wⱼᵀ + bⱼ), the largest of several affine maps, elementwise (Goodfellow et al., arXiv:1302.4389, 2013).

    A convex function, piecewise linear, whose shape is learnt. It does not saturate, and needs no activation after it.
    Where several pieces are equally large, they share the gradient.

    Parameters
    ----------
    in_features, out_features : int
        The numbers of inputs and outputs, at least 1.
    pieces : int
        How many affine maps, at least 1.
    bias : bool
        Whether there are bⱼ. They start at zero.
    init : str or callable
        How the weight of each piece is drawn: a name of `nn.init.INITIALIZERS` or a callable (shape, rng) -> array.
        LeCun's 1/n keeps what passes through two pieces of one size: the mean of max(u, v)² of two independent normal
        numbers is their variance.
    dtype : dtype
        Of the parameters, and so of the inputs.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Attributes
    ----------
    weight : Parameter, shape (pieces · out_features, in_features)
        The Wⱼ, one below the other.
    bias : Parameter, shape (pieces · out_features,), or None

    Raises
    ------
    TypeError
        When called with numbers of another type than the parameters': both dtypes and the remedy.
    ValueError
        When called with another number of features.

    Examples
    --------
    |x| is the larger of x and −x:

    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Maxout(1, 1, pieces=2)
    >>> layer.weight.data = np.float32([[1.0], [-1.0]])
    >>> layer(np.float32([[-3.0], [2.0]])).numpy().ravel()
    array([3., 2.], dtype=float32)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        bias: bool = True,
        init: str | Initializer = "lecun",
        dtype: Any = np.float32,
        rng: Rng = None,
    ):
        self.pieces = positive("pieces", pieces)
        drawn = _Pieces(initializer(init), self.pieces)
        super().__init__(in_features, self.pieces * positive("out_features", out_features), bias, drawn, dtype, rng)

    def forward(self, x: Any) -> Any:
        z = super().forward(x)
        return z.reshape((*z.shape[:-1], self.pieces, z.shape[-1] // self.pieces)).max(axis=-2)

    def extra_repr(self) -> str:
        outputs, inputs = self.weight.shape
        return f"{inputs} → {outputs // self.pieces}, pieces={self.pieces}" + (
            "" if self.bias is not None else ", bias=False"
        )
