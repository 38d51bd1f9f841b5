"""What the tape holds: the arrays that operations saved for their rules, for as long as they do.

An array counts from when an operation saves it until the last one that did has given it up: because a backward pass
released it, or because its node is gone. Views of one result count once, with the whole memory that they keep alive.
An array that no operation made, such as a batch of data, counts with its own size. Parameters, and all other leaves
that require a gradient, do not count: they are there anyway.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from ..node import Node, Value
from ..versions import owner

__all__ = ["Arrays", "Memory", "hold", "memories"]

#: The memory of an array, and its bytes.
Item = tuple[int, int]


class Memory:
    """What the tape holds of what was recorded in one block.

    Attributes
    ----------
    clock : callable or None
        That of the session; None when the block has ended. What is kept alive by a graph must not hold the session.
    total : int
        The bytes that it holds now.
    curve : list of (float, int)
        The total at the beginning, and each time that it changed.
    """

    def __init__(self, clock: Callable[[], float]):
        self.clock: Callable[[], float] | None = clock
        self.total = 0
        self.curve = [(clock(), 0)]
        self.given_up: deque[tuple[float, tuple[Item, ...]]] = deque()
        self._holders: dict[int, int] = {}

    def keep(self, items: Sequence[Item], now: float) -> int:
        """An operation has saved something: by how many bytes that increases the total."""
        self.catch_up(now)
        before = self.total
        for key, size in items:
            holders = self._holders.get(key, 0)
            self._holders[key] = holders + 1
            if not holders:
                self.total += size
        if self.total != before:
            self.curve.append((now, self.total))
        return self.total - before

    def catch_up(self, now: float) -> None:
        """Take away what was given up since: it may have been given up anywhere, also by the garbage collector."""
        while self.given_up:
            when, items = self.given_up.popleft()
            before = self.total
            for key, size in items:
                self._holders[key] -= 1
                if not self._holders[key]:
                    del self._holders[key]
                    self.total -= size
            if self.total != before:
                self.curve.append((min(max(when, self.curve[-1][0]), now), self.total))


class _Kept(tuple[Any, ...]):
    """What a node saved, with a word to those who watch the memory when it is given up."""

    items: tuple[Item, ...]
    watchers: list[Memory]

    def __del__(self) -> None:
        for memory in self.watchers:
            clock = memory.clock
            if clock is not None:
                memory.given_up.append((clock(), self.items))


class Arrays:
    """Tells whose memory an array is: that of the result of an operation, of a leaf, or another one's."""

    def __init__(self) -> None:
        self._made: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._leaves: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def made(self, results: Iterable[Any], known: set[int]) -> int:
        """The bytes of memory that results take, without what is `known`, and what something inside has made."""
        total = 0
        for array in arrays_in(results):
            memory = owner(array)
            if id(memory) not in known and id(memory) not in self._made:
                total += memory.nbytes
                if not isinstance(memory, np.generic):  # of which there are no weak references
                    self._made[id(memory)] = memory
        return total

    def meet(self, operand: Any) -> None:
        """Note the memory of a leaf that requires a gradient, and of a frozen parameter."""
        node = operand._node
        if operand._is_parameter or (operand._requires_grad and not (node and any(node.parents))):
            memory = owner(operand._array)
            if id(memory) not in self._made:  # not that of the variable of a checkpoint
                self._leaves[id(memory)] = memory

    def counted(self, saved: Iterable[Any]) -> tuple[Item, ...]:
        """What of the arrays that a node saved counts, each memory once."""
        items: dict[int, int] = {}
        for array in arrays_in(saved):
            memory = owner(array)
            if id(memory) in self._made:
                items[id(memory)] = memory.nbytes
            elif id(memory) not in self._leaves:
                items[id(array)] = min(array.nbytes, memory.nbytes)
        return tuple(items.items())


def hold(node: Node, items: tuple[Item, ...], watchers: list[Memory]) -> None:
    """Have the watchers told when what `node` saved is given up."""
    kept = _Kept(node.saved or ())
    kept.items, kept.watchers = items, watchers
    node.saved = kept


def memories(values: Iterable[Any]) -> set[int]:
    """The memory of the arrays among some values."""
    return {id(owner(array)) for array in arrays_in(values)}


def arrays_in(values: Iterable[Any]) -> Iterator[Any]:
    """The arrays among some values, and in lists of them."""
    for value in values:
        if isinstance(value, list):
            yield from arrays_in(value)
        elif isinstance(value, Value):
            yield value._array
        elif hasattr(value, "nbytes") and hasattr(value, "dtype"):
            yield value
