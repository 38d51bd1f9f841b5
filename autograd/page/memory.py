"""How many bytes a tape holds, operation by operation: filled by the forward pass, emptied by the backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..node import Node
from ..versions import owner

__all__ = ["held"]


def held(operations: Sequence[Node], apart: Sequence[Any] = ()) -> tuple[list[int], list[int]]:
    """The bytes of the arrays that the tape keeps for its rules, after each operation forward, then backward.

    Parameters
    ----------
    operations : sequence of Node
        Oldest first; none of them released.
    apart : sequence of arrays
        Memory that is not counted, nor are views of it: the parameters, which are there anyway.

    Returns
    -------
    forward, backward : list of int
        After each operation, in the order of each pass. An array that several operations keep counts once; of a view
        counts the whole array that it keeps alive.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tape, Tensor
    >>> from autograd.page.memory import held
    >>> x = Tensor(np.ones(1000), requires_grad=True)
    >>> loss = np.sum(np.exp(np.sin(x)))  # sin keeps x, exp its result, sum nothing
    >>> held([node for node in Tape(loss) if not node.is_leaf], [x.data])
    ([0, 8000, 8000], [8000, 0, 0])
    """
    counted = {id(owner(array)) for array in apart}
    sizes: dict[int, int] = {}
    born: list[int] = []
    last: dict[int, int] = {}  # memory -> the operation that gives it up at last: the oldest of its users
    total = 0
    for k, node in enumerate(operations):
        for memory in map(owner, _arrays(node.saved or ())):
            key = id(memory)
            if key not in counted:
                counted.add(key)
                sizes[key], last[key] = memory.nbytes, k
                total += memory.nbytes
        born.append(total)
    freed = [0] * len(operations)
    for key, k in last.items():
        freed[k] += sizes[key]
    left = []
    for k in reversed(range(len(operations))):
        total -= freed[k]
        left.append(total)
    return born, left


def _arrays(saved: Sequence[Any]) -> Iterator[Any]:
    """The arrays among what a node saved, and in its lists and tuples."""
    stack = list(saved)
    while stack:
        value = stack.pop()
        if isinstance(value, list | tuple):
            stack += value
        elif hasattr(value, "nbytes") and hasattr(value, "dtype"):
            yield value
