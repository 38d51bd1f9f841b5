"""Whether objects of several processes are the same: what they consist of, and every bit of their values.

What is compared are lists of parts, each a name and a text; where a part is many numbers, the text is their digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from autograd.devices import move

from ..checkpoint import pack
from ..data.dataset import ArrayDataset, Subset
from ..data.loader import DataLoader
from ..module import Module

__all__ = ["Parts", "first_difference", "kinds_in", "loader_parts", "values_in"]

Parts = list[tuple[str, str]]


def kinds_in(module: Module) -> Parts:
    """The dtypes and shapes of a module's parameters and buffers, and the kinds of its generators."""
    tensors = [(name, f"{part.dtype}{list(part.shape)}") for name, part in _tensors(module)]
    return tensors + [(name, type(rng.bit_generator).__name__) for name, rng in module.named_generators()]


def values_in(name: str, thing: Any) -> Parts:
    """The values of a module, a dict, or of what has `state_dict()` or `rng`; nothing for anything else."""
    if isinstance(thing, Module):
        tensors = [(f"{name}.{inner}", digest(part.data)) for inner, part in _tensors(thing)]
        return tensors + [(f"{name}.{inner}", digest(rng)) for inner, rng in thing.named_generators()]
    if isinstance(thing, dict):
        return [(f"{name}.{key}", repr(value)) for key, value in thing.items()]
    if hasattr(thing, "state_dict"):
        return [(f"{name}.{inner}", digest(state)) for inner, state in thing.state_dict().items()]
    return [(f"{name}.rng", digest(thing.rng))] if hasattr(thing, "rng") else []


def loader_parts(loader: DataLoader) -> Parts:
    """What decides which examples a loader gives, and in which order."""
    data = loader.dataset
    parts = [("a loader of", f"{len(data)} examples in batches of {loader.batch_size}, drop_last={loader.drop_last}")]
    if loader.shuffle or loader.transform is not None:
        parts.append(("a loader whose rng is in the state", digest(loader.rng)))
    while isinstance(data, Subset):
        data = data.dataset
    quick = isinstance(data, ArrayDataset) and all(isinstance(array, np.ndarray) for array in data.arrays)
    if quick and len(loader.dataset):  # others may be slow, or random
        few = [np.asarray(part) for part in loader.dataset[[0, len(loader.dataset) // 2, -1]]]
        parts.append(("a loader of examples of which some are", digest(few)))
    return parts


def first_difference(everywhere: list[Parts]) -> str | None:
    """The first part that is not the same in all processes, and in which not as on rank 0; None if there is none."""
    for parts in zip_longest(*everywhere):
        others = [rank for rank, part in enumerate(parts) if part != parts[0]]
        if others:
            return "; ".join(_told(rank, parts[rank]) for rank in (0, *others))
    return None


def _told(rank: int, part: tuple[str, str] | None) -> str:
    return f"rank {rank} has " + ("nothing more" if part is None else f"{part[0]} {part[1]}")


def _tensors(module: Module) -> Iterator[tuple[str, Any]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def digest(state: Any) -> str:
    """A few letters for a generator's state, or for nested dicts, lists, arrays and numbers."""
    arrays, text = pack(state.bit_generator.state if isinstance(state, np.random.Generator) else state)
    summary = hashlib.blake2b(text.encode(), digest_size=16)
    for array in arrays.values():
        summary.update(f"{array.dtype}{array.shape}".encode())
        summary.update(np.ascontiguousarray(move(array, "cpu")).reshape(-1).view(np.uint8).data)
    return summary.hexdigest()
