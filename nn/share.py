"""The share of a batch that one of several processes works on, for what must be computed over the whole batch.

Most layers take each example by itself. Those that do not ask here: batch normalisation for the mean over the whole
batch, dropout for its part of the numbers that one process would draw, a weighted loss for the sum of all weights.
Without other processes there is no share, and they are told so by None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from autograd.primitive import define

__all__ = ["Share", "all_sum", "current_share", "drawn", "joined_mean", "working_on"]


@dataclass(frozen=True)
class Share:
    """Some rows of a batch of which other processes have the others.

    Attributes
    ----------
    rows : int
        How many the whole batch has.
    own : slice
        Those of this process.
    weight : float
        What a mean over its own rows counts in the mean over all; the weights of all processes add up to 1.
    all_sum : callable
        `all_sum(array)`: a new array, the sum of those with which all processes call it.
    """

    rows: int
    own: slice
    weight: float
    all_sum: Callable[[Any], Any] = field(repr=False)

    @property
    def count(self) -> int:
        """The number of own rows."""
        return int(self.own.stop - self.own.start)

    def whole(self, count: int) -> int:
        """How many there are in the whole batch of what there are `count` in the own rows."""
        return count * self.rows // self.count


_current: ContextVar[Share | None] = ContextVar("share", default=None)


def current_share() -> Share | None:
    """The share that is being worked on, or None: there is one process, or this is no part of a batch."""
    return _current.get()


@contextmanager
def working_on(share: Share | None) -> Iterator[None]:
    """What is computed inside is of this share, or of none."""
    token = _current.set(share)
    try:
        yield
    finally:
        _current.reset(token)


def all_sum(x: Any, share: Share) -> Any:
    """The sum of the arrays of all processes."""
    return share.all_sum(x)


#: Each process's loss depends on the sum, and so on every term: the cotangents of all add up as the terms do.
all_sum = define(all_sum, "x; share -> y", x=lambda g, share: all_sum(g, share))


def joined_mean(mean: Any) -> Any:
    """The mean over the whole batch, where `mean` is that over the own rows; differentiable.

    Examples
    --------
    >>> from nn.share import joined_mean
    >>> joined_mean(2.5)  # there is one process
    2.5
    """
    share = _current.get()
    return mean if share is None else all_sum(mean * share.weight, share)


def drawn(draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...]) -> Any:
    """`draw(shape)`; of numbers for the rows of a share, those that one process would have drawn for them.

    The first axis is that of the rows, or of several numbers for each row, one row after the other. If its length is
    none that a share of rows can have, the numbers have nothing to do with it: all processes draw the same.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.share import Share, drawn, working_on
    >>> drawn(np.random.default_rng(0).random, (4,)).round(2)
    array([0.64, 0.27, 0.04, 0.02])
    >>> with working_on(Share(4, slice(2, 4), 0.5, np.copy)):
    ...     drawn(np.random.default_rng(0).random, (2,)).round(2)
    array([0.04, 0.02])
    """
    share = _current.get()
    if share is None or not shape or shape[0] % share.count:
        return draw(shape)
    each = shape[0] // share.count
    return draw((share.rows * each, *shape[1:]))[share.own.start * each : share.own.stop * each]
