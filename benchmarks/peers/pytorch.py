"""PyTorch, eager, on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import problems
import torch
import training

from peers import Graph

tanh = torch.tanh
threads = torch.set_num_threads


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """The function as it stands, on tensors."""
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    fixed = [torch.tensor(a) for a in constants]
    given = torch.tensor(cotangent)

    def forward() -> Any:
        for leaf in leaves:
            leaf.grad = None
        return function(*leaves, *fixed)

    def backward(y: Any) -> list[Any]:
        y.backward(given)
        return [leaf.grad for leaf in leaves]

    return Graph(forward, backward, value=lambda y: y.detach().numpy())


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`."""
    return training.pytorch(tuple(sizes), batch, "SGD")


def hessian(n: int) -> Callable[[], Any]:
    """`torch.func.hessian`: forward over reverse mode, all directions at once."""
    point, matrix = (torch.tensor(a) for a in problems.valley_inputs(n))
    second = torch.func.hessian(problems.valley(torch, matrix))
    return lambda: second(point)


def product(m: int, n: int, k: int) -> Callable[[], Any]:
    """A matrix product of float32."""
    a, b = torch.rand(m, n), torch.rand(n, k)
    return lambda: a @ b
