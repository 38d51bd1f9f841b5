"""One module for each library, which says how it does the tasks; `worker.py` runs one of them in its own environment.

A module has

* `tanh`, the library's own; and `threads(n)`, where the number of threads is not a matter of the environment;
* `graph(function, arrays, cotangent, constants)`: a function of tracked arrays and of constants, recorded and walked;
* `network(sizes, batch)`: a network of `training.py` with SGD and momentum, as its users write it;
* `hessian(n)`: the Hessian of `problems.valley` at a point of n numbers, or None if it has no second derivatives;
* `product(m, n, k)`, where its matrix product is not NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import problems
from measuring import PASSES, Contender

__all__ = ["Graph", "both", "chain", "computation"]

#: The numbers in a step of `problems.STEPS`: 1 MB; and how many steps are made.
NUMBERS, STEPS = 2**17, 50


def _nothing() -> None:
    """There is nothing to wait for."""


@dataclass
class Graph:
    """A computation whose two passes are run apart.

    Attributes
    ----------
    forward : callable
        Records, and returns all that keeps the record alive.
    backward : callable
        Of what `forward` has returned: the gradients of the tracked arrays.
    alone : callable or None
        The forward pass without a record, where a record is no part of it.
    both : callable or None
        The two at once, where that is another computation; returns the gradients.
    value : callable or None
        Of what `forward` has returned: the result.
    wait : callable
        Waits until everything is done that was begun.
    compiles : bool
        Whether the first run is another matter than those after it.
    """

    forward: Callable[[], Any]
    backward: Callable[[Any], list[Any]]
    alone: Callable[[], Any] | None = None
    both: Callable[[], Any] | None = None
    value: Callable[[Any], Any] | None = None
    wait: Callable[[], object] = _nothing
    compiles: bool = False


def both(graph: Graph) -> Callable[[], Any]:
    """Forward pass and backward pass, one after the other or as the library does them at once."""
    return graph.both or (lambda: graph.backward(graph.forward()))


def computation(module: Any, name: str, *arguments: Any) -> Graph:
    """A computation of `problems.py`: by the module's own function for it, or by its `graph`.

    `arguments` are ("chain", n, size, whether w and x are constants), ("products" or "tree", n), or ("repeated", kind).
    """
    own = getattr(module, name, None)
    if name == "chain":
        n, size, constants = arguments
        *arrays, cotangent = problems.chain_inputs(size)
        if own:
            return own(n, *arrays, cotangent, constants)
        tracked = 1 if constants else 3
        return module.graph(problems.chain(module.tanh, n), arrays[:tracked], cotangent, arrays[tracked:])
    if name == "repeated":
        (kind,) = arguments
        array, cotangent = np.linspace(-1.0, 1.0, NUMBERS), np.ones(NUMBERS)
        if own:
            return own(kind, STEPS, array, cotangent)
        return module.graph(problems.repeated(kind, module.tanh, STEPS), [array], cotangent)
    (n,) = arguments
    arrays, cotangent = [np.ones(8)] * (2 if name == "products" else 1), np.ones(8)
    return own(n, *arrays, cotangent) if own else module.graph(getattr(problems, name)(n), arrays, cotangent)


def chain(module: Any, label: str, group: str, n: int, size: int = 8, constants: bool = False) -> Contender:
    """`problems.chain`, forward alone and with its derivative."""
    graph = computation(module, "chain", n, size, constants)
    run = both(graph)

    def compute() -> list[Any]:
        state = graph.forward()
        value = np.array(graph.value(state)) if graph.value else None
        return [value, *graph.backward(state), *run()]

    return Contender(label, group, dict(zip(PASSES, (graph.alone or graph.forward, run))), compute, graph.wait)
