"""Dask arrays for tests, cut in several ways, and the proof that nothing is computed before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask
import dask.array as da
import numpy as np

__all__ = ["CUTS", "Computed", "counting", "cut", "nothing_computed", "numbers", "results"]


class Computed(Exception):
    """Something was computed that should have stayed lazy."""


@contextmanager
def nothing_computed() -> Iterator[None]:
    """Within, Dask has a scheduler that refuses to work."""

    def refuse(*_: Any, **__: Any) -> None:
        raise Computed

    with dask.config.set(scheduler=refuse):
        yield


def results(*lazy: Any) -> tuple[Any, ...]:
    return dask.compute(*lazy, scheduler="sync")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)


#: How an axis is cut: not at all, in one place, and unevenly in several.
CUTS: dict[str, Callable[[int], tuple[int, ...]]] = {
    "whole": lambda n: (n,),
    "first": lambda n: (1, n - 1) if n > 1 else (n,),
    "uneven": lambda n: (2, n - 3, 1) if n > 3 else (1,) * n,
}


def cut(array: np.ndarray, how: str = "uneven") -> Any:
    """A Dask array with these values."""
    return da.from_array(array, chunks=tuple([CUTS[how](n) for n in array.shape]))


def counting(array: np.ndarray) -> tuple[Any, list[int]]:
    """A Dask array in four parts, and a list that gets an entry each time that one of them is calculated."""
    seen: list[int] = []

    def look(block: np.ndarray) -> np.ndarray:
        seen.append(1)
        return block

    source = da.from_array(array, chunks=(-(-len(array) // 4), *array.shape[1:]))
    return source.map_blocks(look, meta=np.empty((0,) * array.ndim)), seen
