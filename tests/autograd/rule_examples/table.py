"""How examples of primitives are written: the table that `test_rules.py` walks is made of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["PAIRS", "Example", "binary", "one", "over", "unary", "values"]


class Example(NamedTuple):
    """A call of a primitive.

    `call` takes Tensors or plain arrays; `reference`, if given, computes the same from plain arrays with NumPy
    alone. `args` are float64 arrays. `complexes` says that there is a rule for complex numbers too, `half` that
    NumPy has the function for float16. `rounding` is how many times the usual rounding errors it may make.
    """

    call: Callable[..., Any]
    args: tuple[np.ndarray, ...]
    reference: Callable[..., Any] | None = None
    complexes: bool = False
    order: int = 2
    half: bool = True
    rounding: float = 1.0


def values(shape: Any, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Numbers in [low, high], in random order, no two of them near each other and none near an integer."""
    size = int(np.prod(shape))
    steps = np.random.default_rng(seed).permutation(size) + 0.5
    return np.asarray(low + (high - low) * (steps / max(size, 1)) + 0.0137).reshape(shape)


def unary(function: Any, low: float = -2.0, high: float = 2.0, **options: Any) -> list[Example]:
    shapes: list[Any] = [(3, 4), (), (0,), (0, 3), (2, 1, 3)]
    examples = [Example(function, (values(shape, low, high),), **options) for shape in shapes]
    return [examples[0]._replace(order=3), *examples[1:]]


PAIRS: list[Any] = [
    *[((3,), (3,)), ((4, 3), (3,)), ((3,), (4, 3)), ((4, 3), (4, 1)), ((4, 1), (1, 3)), ((4, 3), (1, 1))],
    *[((1, 1), (4, 3)), ((4, 3), ()), ((), (4, 3)), ((), ()), ((0, 3), (3,)), ((1, 3), (0, 3)), ((0,), ())],
    *[((2, 1, 3), (4, 1)), ((1,), (2, 3))],
]


def binary(function: Any, low: float = -2.0, high: float = 2.0, **options: Any) -> list[Example]:
    examples = [
        Example(function, (values(a, low, high, seed=1), np.asarray(values(b, low, high, seed=2) + 0.006)), **options)
        for a, b in PAIRS
    ]
    return [examples[0]._replace(order=3), *examples[1:]]


def over(reduction: Any, **options: Any) -> list[Example]:
    """A reduction over every sort of axis."""
    cases: list[tuple[Any, dict[str, Any]]] = [
        *[((3, 4), {}), ((3, 4), {"axis": 0}), ((3, 4), {"axis": -1, "keepdims": True}), ((5,), {"axis": 0})],
        *[
            ((2, 3, 4), {"axis": (0, -1)}),
            ((2, 3, 4), {"axis": (2, 1), "keepdims": True}),
            ((2, 3), {"keepdims": True}),
        ],
        *[((), {}), ((1, 1), {"axis": 1}), ((2, 3), {"axis": np.int64(1)}), ((0, 3), {"axis": 1}), ((), {"axis": ()})],
    ]
    examples = []
    for shape, how in cases:
        reference = options.get("reference")
        wrapped = {**options, "reference": None if reference is None else _with(reference, how)}
        examples.append(Example(_with(reduction, how), (values(shape),), **wrapped))
    return [examples[0]._replace(order=3), *examples[1:]]


def _with(function: Any, how: dict[str, Any]) -> Any:
    return lambda a: function(a, **how)


def one(call: Any, *args: Any, **options: Any) -> Example:
    """An example with arguments of the given shapes, or the given arrays."""
    arrays = tuple(a if isinstance(a, np.ndarray) else values(a, seed=k) for k, a in enumerate(args))
    return Example(call, arrays, **options)
