"""HIPS autograd. Its forward pass records too: it is the call that returns the vector-Jacobian product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import problems
import training

import autograd
import autograd.numpy as anp
from peers import Graph

tanh = anp.tanh


def graph(function: Callable[..., Any], arrays: Sequence[Any], cotangent: Any, constants: Sequence[Any] = ()) -> Graph:
    """`make_vjp`."""
    record = autograd.make_vjp(lambda tracked: function(*tracked, *constants))
    given = tuple(arrays)
    return Graph(lambda: record(given), lambda made: list(made[0](cotangent)), value=lambda made: made[1])


def network(sizes: Sequence[int], batch: int) -> training.Training:
    """A network of `training.py`; the update is written by hand, since its optimizers would want one flat vector."""
    x, y, parameters = training.inputs(tuple(sizes), batch)
    velocities = [np.zeros_like(p) for p in parameters]
    zero = np.float32(0)

    def objective(parameters: Any) -> Any:
        h = x
        for k in range(0, len(parameters), 2):
            h = anp.dot(h, parameters[k].T) + parameters[k + 1]
            if k + 2 < len(parameters):
                h = anp.maximum(h, zero)
        return anp.mean(anp.logaddexp(h, zero) - y * h)

    return training.stepping("HIPS autograd", autograd.value_and_grad(objective), parameters, velocities)


def hessian(n: int) -> Callable[[], Any]:
    """`autograd.hessian`."""
    point, matrix = problems.valley_inputs(n)
    second = autograd.hessian(problems.valley(anp, matrix))
    return lambda: second(point)
