"""DeZero, the library of the book *Deep Learning from Scratch 3*; it belongs to the NumPy of its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import problems
import training
from dezero import Parameter, Variable
from dezero import functions as F

from peers import Graph

tanh = F.tanh


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """The function as it stands, on Variables; a cotangent is set by hand."""
    leaves = [Variable(a) for a in arrays]

    def forward() -> Any:
        for leaf in leaves:
            leaf.cleargrad()
        return function(*leaves, *constants)

    def backward(y: Any) -> list[Any]:
        y.grad = Variable(cotangent)
        y.backward()
        return [leaf.grad.data for leaf in leaves]

    return Graph(forward, backward, value=lambda y: y.data)


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`, with its `linear` (which has weights transposed) and `relu`."""
    x, y, start = training.inputs(tuple(sizes), batch)
    parameters = [Parameter(np.ascontiguousarray(a.T)) for a in start]

    def value_and_gradients(_: Any) -> Any:
        for p in parameters:
            p.cleargrad()
        h: Any = x
        for k in range(0, len(parameters), 2):
            h = F.linear(h, parameters[k], parameters[k + 1])
            if k + 2 < len(parameters):
                h = F.relu(h)
        loss = F.sum(F.log(1 + F.exp(h)) - h * y) / y.size
        loss.backward()
        return loss.data, [p.grad.data for p in parameters]

    arrays = [p.data for p in parameters]
    made = training.stepping("DeZero", value_and_gradients, arrays, [np.zeros_like(a) for a in arrays])

    def values(n: int) -> Any:
        gradients, losses, found = made.values(n)
        return [g.T for g in gradients], losses, [p.T for p in found]

    return training.Training(made.label, made.step, values)


def hessian(n: int) -> Callable[[], Any]:
    """The gradient with a graph of its own, and a backward pass through it for each row."""
    point, matrix = problems.valley_inputs(n)
    names = SimpleNamespace(sum=F.sum, tanh=F.tanh, matmul=F.matmul)
    function = problems.valley(names, Variable(matrix))

    def compute() -> Any:
        t = Variable(point[:, None])
        function(t).backward(create_graph=True)
        gradient, rows = t.grad, []
        for k in range(n):
            t.cleargrad()
            gradient[k, 0].backward()
            rows.append(t.grad.data[:, 0])
        return np.array(rows)

    return compute
