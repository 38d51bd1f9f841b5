"""The computations that libraries are compared on, written once: each in the operators and names that all of them have.

The networks are in `training.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["STEPS", "chain", "chain_inputs", "products", "repeated", "tree", "valley", "valley_inputs"]


def chain_inputs(size: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """h, w, x and the cotangent of the last h."""
    rng = np.random.default_rng(0)
    return rng.normal(size=size), rng.uniform(0.5, 1.5, size=size), rng.normal(size=size), rng.normal(size=size)


def chain(tanh: Callable[[Any], Any], n: int) -> Callable[[Any, Any, Any], Any]:
    """n times h = tanh(h · w + x): 3n operations."""

    def function(h: Any, w: Any, x: Any) -> Any:
        for _ in range(n):
            h = tanh(h * w + x)
        return h

    return function


def products(n: int) -> Callable[[Any, Any], Any]:
    """n products: as deep as it is long."""

    def function(y: Any, w: Any) -> Any:
        for _ in range(n):
            y = y * w
        return y

    return function


def tree(n: int) -> Callable[[Any], Any]:
    """n products of one input, added in pairs, and the sums in pairs again: 2n − 1 operations, log n deep."""

    def function(x: Any) -> Any:
        values = [x * float(k % 7) for k in range(n)]
        while len(values) > 1:
            sums = [a + b for a, b in zip(values[::2], values[1::2])]
            values = sums + values[2 * len(sums) :]
        return values[0]

    return function


#: The steps whose graphs are weighed: what is shown, and the function of (the library's tanh, the value).
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "y + 1.0": lambda tanh, y: y + 1.0,
    "0.5 * y + 1.0": lambda tanh, y: 0.5 * y + 1.0,
    "tanh(y)": lambda tanh, y: tanh(y),
}


def repeated(name: str, tanh: Callable[[Any], Any], n: int) -> Callable[[Any], Any]:
    """One of the `STEPS`, n times."""
    step = STEPS[name]

    def function(y: Any) -> Any:
        for _ in range(n):
            y = step(tanh, y)
        return y

    return function


def valley_inputs(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A point, and a matrix."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(n, n)) / 10
    return rng.normal(size=n), matrix


def valley(names: Any, matrix: Any) -> Callable[[Any], Any]:
    """Rosenbrock's function and a layer of tanh; `names` has the library's `sum`, `tanh` and `matmul`."""

    def function(t: Any) -> Any:
        rosenbrock = names.sum(100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2)
        return rosenbrock + names.sum(names.tanh(names.matmul(matrix, t)))

    return function
