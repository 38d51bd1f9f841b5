"""MyGrad, with its defaults: it guards the memory of arrays in the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mygrad
import numpy as np
import training
from mygrad.nnet.activations import relu

from peers import Graph

tanh = np.tanh

#: It has no derivatives of derivatives.
hessian = None


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """The function as it stands, on its tensors; constants are plain arrays."""
    leaves = [mygrad.tensor(a) for a in arrays]

    def forward() -> Any:
        for leaf in leaves:
            leaf.null_grad()
        return function(*leaves, *constants)

    def backward(y: Any) -> list[Any]:
        y.backward(cotangent)
        return [leaf.grad for leaf in leaves]

    return Graph(forward, backward, value=lambda y: y.data)


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`; it has neither modules nor optimizers, so the update is written by hand."""
    x, y, start = training.inputs(tuple(sizes), batch)
    parameters = [mygrad.tensor(a) for a in start]
    zero = np.float32(0)

    def value_and_gradients(_: Any) -> Any:
        h: Any = x
        for k in range(0, len(parameters), 2):
            h = h @ parameters[k].T + parameters[k + 1]
            if k + 2 < len(parameters):
                h = relu(h)
        loss = mygrad.mean(mygrad.logaddexp(h, zero) - y * h)
        loss.backward()
        return loss, [p.grad for p in parameters]

    return training.stepping(
        "MyGrad", value_and_gradients, [p.data for p in parameters], [np.zeros_like(a) for a in start]
    )
