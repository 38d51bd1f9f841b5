"""The gradients of many parameters in one array, so that one message sums them over all processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd.node import data_of

__all__ = ["Flat", "flats"]


class Flat:
    """An array with room for the gradients of parameters of one kind, and their sum over processes.

    Behind the gradients there is a 1 for each parameter that has one, so that the sum tells whether any process has.
    """

    def __init__(self, parameters: list[Any]):
        self.parameters = parameters
        self.kind = kind_of(parameters[0])
        like = data_of(parameters[0])
        sizes = [p.size * (2 if like.dtype.kind == "c" else 1) for p in parameters]
        on_host = like.__class__ is np.ndarray
        dtype = like.real.dtype  # complex numbers are added as two real ones
        self.values = np.empty_like(like, dtype=dtype, shape=(sum(sizes) + (len(parameters) if on_host else 0),))
        # Numbers on a device cannot be looked at without waiting for it: there the ones travel apart.
        self.present = self.values[sum(sizes) :] if on_host else np.empty(len(parameters), dtype)
        self.pieces, start = [], 0
        for p, size in zip(parameters, sizes):
            n = math.prod(p.shape)
            self.pieces.append([self.values[k : k + n].reshape(p.shape) for k in range(start, start + size, n or 1)])
            start += size

    def fits(self) -> bool:
        """Whether the parameters are still of one kind, the one they were of."""
        return all(kind_of(p) == self.kind for p in self.parameters)

    def sum(self, all_reduce: Callable[[Any], None]) -> None:
        """Replace the gradients by their sums; one that no process has stays None."""
        self.present[...] = [p.grad is not None for p in self.parameters]
        for p, piece in zip(self.parameters, self.pieces):
            for part, own in zip(piece, (0, 0) if p.grad is None else reals(p.grad)):
                part[...] = own
        all_reduce(self.values)
        if self.values.__class__ is not np.ndarray:
            all_reduce(self.present)
        for p, piece, present in zip(self.parameters, self.pieces, self.present.tolist()):
            if present and p.grad is None:
                p.grad = np.zeros_like(data_of(p))
            for part, own in zip(piece, reals(p.grad) if present else ()):
                own[...] = part


def flats(parameters: Iterable[Any]) -> list[Flat]:
    """Arrays for the gradients of parameters, one for each dtype and device."""
    kinds: dict[Any, list[Any]] = {}
    for p in parameters:
        kinds.setdefault(kind_of(p), []).append(p)
    return [Flat(group) for group in kinds.values()]


def kind_of(parameter: Any) -> tuple[Any, str]:
    """What parameters whose gradients share an array have in common."""
    return parameter.dtype, parameter.device


def reals(g: Any) -> tuple[Any, ...]:
    """An array as arrays of real numbers, in the same memory."""
    return (g.real, g.imag) if g.dtype.kind == "c" else (g,)
