"""Embedding: a vector for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import move

from . import functional
from ._checks import positive
from .init import Initializer, Normal, initializer
from .module import Module, Parameter

__all__ = ["Embedding"]


#: N(0, 1).
STANDARD = Normal(std=1.0)


class Embedding(Module):
    """Looks up a vector that is learnt for each index: of a word, of a category.

    Parameters
    ----------
    num_embeddings : int
        How many vectors there are: the indices are 0 to num_embeddings − 1.
    embedding_dim : int
        The length of a vector.
    padding_idx : int, optional
        An index whose vector starts at zero and gets no gradient: for what fills a sequence up. A negative one counts
        from the end.
    init : str or callable
        How the weight is drawn: a name of `nn.init.INITIALIZERS` or a callable (shape, rng) -> array. By default from
        N(0, 1).
    dtype : dtype
        Of the weight.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Raises
    ------
    ValueError
        If a number is not a positive integer, or padding_idx is not an index.
    TypeError
        When called with what is not integers.
    IndexError
        When called with an index that is negative, or num_embeddings or more. On a device, whose values are not waited
        for, the vector of such an index is NaN instead.

    Examples
    --------
    >>> import nn
    >>> words = nn.Embedding(10, 3, padding_idx=0, rng=0)
    >>> words([[1, 2, 0], [4, 0, 0]]).shape
    (2, 3, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        init: str | Initializer = STANDARD,
        dtype: Any = np.float32,
        rng: np.random.Generator | int | None = None,
    ):
        shape = (positive("num_embeddings", num_embeddings), positive("embedding_dim", embedding_dim))
        if padding_idx is not None:
            if not isinstance(padding_idx, int | np.integer) or not -shape[0] <= padding_idx < shape[0]:
                raise ValueError(f"padding_idx is an index of one of {shape[0]} vectors, got {padding_idx!r}.")
            padding_idx = int(padding_idx) % shape[0]
        self.padding_idx = padding_idx
        self.init = initializer(init)
        self.weight = Parameter(self._drawn(shape, rng), dtype=dtype)

    def _drawn(self, shape: tuple[int, ...], rng: np.random.Generator | int | None) -> Any:
        drawn = np.array(self.init(shape, np.random.default_rng(rng)))
        if drawn.shape != shape:
            raise ValueError(f"the initialiser returned shape {drawn.shape} for a weight of shape {shape}.")
        if self.padding_idx is not None:
            drawn[self.padding_idx] = 0
        return drawn

    def reset_parameters(self, rng: np.random.Generator | int | None = None) -> None:
        """Draw the weight again."""
        self.weight.data = move(self._drawn(self.weight.shape, rng).astype(self.weight.dtype), self.weight.device)

    def forward(self, indices: Any) -> Any:
        return functional.embedding(indices, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        number, length = self.weight.shape
        return f"{number} × {length}" + ("" if self.padding_idx is None else f", padding_idx={self.padding_idx}")
