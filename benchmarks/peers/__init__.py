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

__all__ = ["Graph"]


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
    both: Callable[[], Any] | None = None
    value: Callable[[Any], Any] | None = None
    wait: Callable[[], object] = _nothing
    compiles: bool = False
