"""Arrays piece by piece: what is done to each element can be done to a block of them after the other.

Each block, of a parameter, its gradient and its state, is read into the processor's cache once, however many
operations a formula has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["BLOCK", "blocks", "flush"]

#: How many elements are updated at a time: with their gradients, state and a temporary, some 2 MB of float32.
BLOCK = 1 << 17


def blocks(*arrays: Any) -> Iterator[list[Any]]:
    """C-contiguous arrays of one shape, flat and piece by piece, each small enough for the cache: views."""
    flat = [array.reshape(-1) for array in arrays]
    n = flat[0].size
    size = BLOCK if flat[0].__class__ is np.ndarray else max(n, 1)
    for start in range(0, n, size):
        yield [array[start : start + size] for array in flat]


def flush(array: Any) -> None:
    """Set to zero what is so small that it would become denormal before the next time.

    Averages of gradients that stay zero, those of a dead neuron, decay until they are denormal, and arithmetic on
    denormal numbers is far slower. What is below 10⁶ times the smallest normal number (10⁻³² in float32)
    changes no parameter. Half precision has no room for that, and stays as it is.
    """
    if array.__class__ is not np.ndarray or array.real.itemsize < 4:  # a GPU is as quick with denormal numbers
        return
    limit = float(np.finfo(array.dtype).tiny) * 1e6
    for (block,) in blocks(array):
        block = block.view(block.real.dtype)  # one part of a complex number may be denormal
        block *= np.abs(block) >= limit
