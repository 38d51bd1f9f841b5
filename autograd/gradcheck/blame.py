"""Find the operation whose rule is wrong, in a function whose gradient is.

The function is run once more while each recorded operation is watched: its primitive, its operands, its options.
Then each is checked by itself, at the operands that it had. For a fault of a higher order there is a choice: an
operation of the backward pass may have a wrong rule of its own, or one of the forward pass a rule that is right but
not differentiable. So the operations of the gradient are checked to the first order, those of the gradient before it
to the second, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..anomaly import input_of, observer
from ..errors import AnomalyError
from ..modes import detect_anomaly
from ..node import Node
from ..recorder import make_recorder
from ..tensor import Tensor
from .faults import CONCLUSIVE, Fault, Level, Options, find_fault

__all__ = ["Blame", "find_blame"]


class Call(NamedTuple):
    """A recorded call of a primitive."""

    node: Node
    operands: tuple[Any, ...]
    options: dict[str, Any]

    def level(self) -> Level:
        """The operation alone, as a function of the operands that were tracked."""
        primitive = self.node.primitive
        record = make_recorder(primitive)
        positions = [k for k, parent in enumerate(self.node.parents) if parent is not None]

        def alone(*values: Any) -> Any:
            operands = list(self.operands)
            for k, value in zip(positions, values):
                operands[k] = value
            return record(operands, **self.options) if primitive.variadic else record(*operands, **self.options)

        return Level(alone, [self.operands[k] for k in positions], [input_of(self.node, k) for k in positions])


class Blame(NamedTuple):
    """An operation that is wrong by itself, or (`certain` is False) has no derivative where it was called."""

    call: Call
    fault: Fault

    @property
    def certain(self) -> bool:
        return self.fault.verdict.kind == "wrong"

    def __str__(self) -> str:
        fault, verdict, node = self.fault, self.fault.verdict, self.call.node
        name = node.primitive.name
        shown = ", ".join(f"{a.dtype}{list(a.shape)}" for a in fault.levels[0].arrays)
        site = None if node.notes is None else node.notes.site
        at = "" if site is None else f" It was recorded at {site}."
        if not self.certain:
            return f"`{name}` has no derivative at its inputs ({shown}): {fault.where}, {verdict.finding}.{at}"
        label = fault.levels[-1].labels[fault.k].removeprefix(f"{name} for ")
        rule = (
            f"The rule of `{name}` for {label}"
            if fault.order == 1
            else (f"`{name}`, in its gradient of order {fault.order} with respect to {label},")
        )
        return (
            f"{rule} is to blame: by itself, on {shown}, it gives {verdict.by_rules:.10g} {fault.where}, expected "
            f"{verdict.estimate:.10g}.{at}"
        )


def find_blame(fault: Fault, options: Options, rng: np.random.Generator) -> Blame | None:
    """The first operation that is wrong by itself; or else the first without a derivative where it was called."""
    doubtful = None
    for order, level in enumerate(reversed(fault.levels), 1):
        for call in _calls(level):
            try:
                found = find_fault(call.level(), options._replace(order=order, full=False), rng)
            except Exception:  # it cannot be run alone
                continue
            if found is not None and found.verdict.kind == "wrong":
                return Blame(call, found)
            if found is not None and found.verdict.kind not in CONCLUSIVE and found.verdict.finding:
                doubtful = doubtful or Blame(call, found)
    return doubtful


def _calls(level: Level) -> Iterator[Call]:
    """The calls on NumPy arrays that `level` records, in their order."""
    calls: list[Call] = []

    def observe(node: Node, operands: tuple[Any, ...], options: dict[str, Any]) -> None:
        tracked = [a for a, parent in zip(operands, node.parents) if parent is not None]
        if all(isinstance(a, np.ndarray) for a in tracked):
            calls.append(Call(node, operands, options))

    token = observer.set(observe)
    try:
        with detect_anomaly():
            level.f(*[Tensor(a, requires_grad=a.dtype.kind in "fc") for a in level.arrays])
    except AnomalyError:  # by the cotangents of a backward pass: what came before is known
        pass
    finally:
        observer.reset(token)
    return iter(calls)
