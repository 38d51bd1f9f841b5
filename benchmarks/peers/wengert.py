"""wengert: NumPy's own functions on Tensors, `nn` and `optim`; constants are plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import problems
import training

import autograd
from autograd import Tensor
from peers import Graph

tanh = np.tanh


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """The function as it stands, on Tensors."""
    leaves = [Tensor(a, requires_grad=True) for a in arrays]

    def forward() -> Any:
        for leaf in leaves:
            leaf.grad = None
        return function(*leaves, *constants)

    def backward(y: Any) -> list[Any]:
        y.backward(cotangent)
        return [leaf.grad for leaf in leaves]

    return Graph(forward, backward, value=lambda y: y.numpy())


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`."""
    return training.wengert(tuple(sizes), batch, "SGD")


def hessian(n: int) -> Callable[[], Any]:
    """`autograd.hessian`."""
    point, matrix = problems.valley_inputs(n)
    second = autograd.hessian(problems.valley(np, matrix))
    return lambda: second(point)
