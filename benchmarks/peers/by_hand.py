"""Bare NumPy: what remains when there is no library. The backward passes are written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import problems
import training

from peers import Graph

tanh = np.tanh


def chain(n: int, h0: Any, w: Any, x: Any, cotangent: Any, constants: bool = False) -> Graph:
    """`problems.chain` and its derivative."""

    def forward() -> list[Any]:
        values = [h0]
        for _ in range(n):
            values.append(np.tanh(values[-1] * w + x))
        return values

    def backward(values: list[Any]) -> list[Any]:
        g, dw, dx = cotangent, np.zeros_like(w), np.zeros_like(x)
        for k in range(n, 0, -1):
            y = values[k]
            g = g - g * y * y
            if not constants:
                dx += g
                dw += g * values[k - 1]
            g = g * w
        return [g] if constants else [g, dw, dx]

    return Graph(forward, backward, value=lambda values: values[-1])


def products(n: int, y0: Any, w: Any, cotangent: Any) -> Graph:
    """`problems.products` and its derivative."""

    def forward() -> list[Any]:
        values = [y0]
        for _ in range(n):
            values.append(values[-1] * w)
        return values

    def backward(values: list[Any]) -> list[Any]:
        g, dw = cotangent, np.zeros_like(w)
        for k in range(n, 0, -1):
            dw += g * values[k - 1]
            g = g * w
        return [g, dw]

    return Graph(forward, backward, value=lambda values: values[-1])


def tree(n: int, x: Any, cotangent: Any) -> Graph:
    """`problems.tree`, whose derivative needs no values."""
    function = problems.tree(n)

    def backward(_: Any) -> list[Any]:
        dx = np.zeros_like(x)
        for k in range(n):
            dx += cotangent * float(k % 7)
        return [dx]

    return Graph(lambda: function(x), backward, value=lambda y: y)


def repeated(name: str, n: int, y0: Any, cotangent: Any) -> Graph:
    """One of `problems.STEPS`, n times: of tanh the values are kept, of the others nothing."""
    keeps = name == "tanh(y)"
    step = problems.STEPS[name]

    def forward() -> list[Any]:
        values = []
        y = y0
        for _ in range(n):
            y = step(np.tanh, y)
            if keeps:
                values.append(y)
        return values or [y]

    def backward(values: list[Any]) -> list[Any]:
        g = cotangent.copy()
        if keeps:
            while values:
                y = values.pop()
                g -= g * y * y
        else:
            factor = {"y + 1.0": 1.0, "0.5 * y + 1.0": 0.5}[name]
            for _ in range(n):
                g *= factor
        return [g]

    return Graph(forward, backward, value=lambda values: values[-1])


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`, in place."""
    return training.by_hand(tuple(sizes), batch, "SGD")


def hessian(n: int) -> Callable[[], Any]:
    """The second derivatives of `problems.valley`, found with pencil and paper."""
    point, matrix = problems.valley_inputs(n)
    every, first, second = np.arange(n), np.arange(n - 1), np.arange(1, n)

    def compute() -> Any:
        t = point
        y = np.tanh(matrix @ t)
        h = matrix.T @ ((-2 * y * (1 - y * y))[:, None] * matrix)
        diagonal = np.zeros(n)
        diagonal[:-1] = 1200 * t[:-1] ** 2 - 400 * t[1:] + 2
        diagonal[1:] += 200
        h[every, every] += diagonal
        beside = -400 * t[:-1]
        h[first, second] += beside
        h[second, first] += beside
        return h

    return compute


def product(m: int, n: int, k: int) -> Callable[[], Any]:
    """A matrix product of float32."""
    rng = np.random.default_rng(0)
    a, b = rng.random((m, n), dtype=np.float32), rng.random((n, k), dtype=np.float32)
    return lambda: a @ b
