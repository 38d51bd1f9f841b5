"""`Alone`: one process, for programs that also run as several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

__all__ = ["Alone"]

T = TypeVar("T")


class Alone:
    """What `Ranks` does for many processes, for one: next to nothing.

    So a program need not ask how many there are.

    Attributes
    ----------
    rank : int
        The number of this process, from 0. Files are written, and progress is shown, by number 0.
    size : int
        How many there are.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> with nn.parallel.Alone() as ranks:
    ...     for x in ranks.shares([np.arange(3.0)]):
    ...         print(ranks.rank, ranks.size, x, ranks.mean(x.mean()))
    0 1 [0. 1. 2.] 1.0
    """

    rank = 0
    size = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def shares(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, of each the rows that are this process's share."""
        return iter(batches)

    def backward(self, loss: Any) -> None:
        """The gradients of a loss that is the mean over the own rows, as parts of those of the mean over all."""
        loss.backward()

    def sum_gradients(self, parameters: Iterable[Any]) -> None:
        """Replace each parameter's `.grad` by the sum of those of all processes."""

    def mean(self, value: Any) -> Any:
        """The mean over the batch, where `value` is that over the own rows."""
        return value

    def rows(self, own: int) -> int:
        """How many rows the batch has of which this process has `own`."""
        return own

    def reported(self, array: Any) -> Any:
        """Of an array with a row for each own row, those that no other process has too."""
        return array

    def gathered(self, arrays: list[Any]) -> Any:
        """One array of the batches' arrays, in the order of the whole batches; None but on rank 0."""
        return np.concatenate(arrays)

    def first(self, action: Callable[[], T]) -> T:
        """What `action()` returns on rank 0, where alone it is called; what it raises is raised everywhere."""
        return action()

    def broadcast(self, *objects: Any) -> None:
        """Give modules, and generators, the values they have on rank 0."""

    def check_equal(self, **objects: Any) -> None:
        """Make sure that objects have the same state in all processes, bit for bit."""

    def abort(self, status: int = 1) -> None:
        """End the others, and this process, if there are others."""
