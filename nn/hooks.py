"""Hooks of a module: functions that see, and may replace, what goes in, what comes out, and the gradients of both.

A module has none of this until the first hook is registered, so that calling it costs nothing more. A backward
hook needs to know when the gradients of the outputs and of the inputs are complete: arguments and outputs pass a
*gate* each, an identity on the tape with one part for each Tensor, whose rule is called once all parts have their
cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor
from autograd.node import data_of, tick
from autograd.primitive import define

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hooks"]


class Hooks:
    """The hooks of one module."""

    def __init__(self) -> None:
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.backward: dict[int, Callable[..., Any]] = {}

    def add(self, when: str, hook: Callable[..., Any]) -> Callable[[], None]:
        """Register a hook; the result removes it."""
        if not callable(hook):
            raise TypeError(f"a hook is a function, got {type(hook).__name__}.")
        hooks, key = getattr(self, when), tick()
        hooks[key] = hook
        return lambda: hooks.pop(key, None) and None

    def call(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`module.forward`, with the hooks around it."""
        for hook in list(self.before.values()):
            replaced = hook(module, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
        crossing = Crossing(module, list(self.backward.values())) if self.backward else None
        if crossing:
            args = crossing.enter(args)
        output = module.forward(*args, **kwargs)
        for hook in list(self.after.values()):
            replaced = hook(module, args, output)
            if replaced is not None:
                output = replaced
        return crossing.leave(output) if crossing else output


class Crossing:
    """One call of a module whose backward hooks are waiting for its gradients."""

    def __init__(self, module: Module, hooks: list[Callable[..., Any]]):
        self.module, self.hooks = module, hooks
        self.grad_output: tuple[Any, ...] = ()
        self.positions: list[int] = []
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require a gradient through the gate."""
        self.count = len(args)
        self.positions = [k for k, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        if not self.positions:
            return args
        passed = Gate(self._entered)([args[k] for k in self.positions])
        for k, tensor in zip(self.positions, passed):
            args = (*args[:k], tensor, *args[k + 1 :])
        return args

    def leave(self, output: Any) -> Any:
        """The output, its Tensors through the gate."""
        if isinstance(output, Tensor):
            return Gate(self._left)([output])[0] if output.requires_grad else output
        if isinstance(output, tuple | list) and all(isinstance(part, Tensor) for part in output):
            if not any(part.requires_grad for part in output):
                return output
            passed = Gate(self._left)(output)
            return type(output)(*passed) if hasattr(output, "_fields") else type(output)(passed)
        if not hasattr(output, "dtype"):
            raise TypeError(
                f"a backward hook is registered on {type(self.module).__name__}, whose output is a "
                f"{type(output).__name__}: it must be a Tensor, or a tuple or list of Tensors."
            )
        return output

    def _left(self, g: Sequence[Any]) -> Sequence[Any]:
        self.grad_output = tuple(g)
        if not self.positions:
            self._run((None,) * self.count)
        return g

    def _entered(self, g: Sequence[Any]) -> Sequence[Any]:
        grad_input: list[Any] = [None] * self.count
        for k, part in zip(self.positions, g):
            grad_input[k] = part
        done = self._run(tuple(grad_input))
        return [done[k] for k in self.positions]

    def _run(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, self.grad_output)
            if replaced is not None:
                replaced = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(replaced) != self.count:
                    raise ValueError(
                        f"a backward hook must return None, or a gradient for each of the {self.count} arguments of "
                        f"{type(self.module).__name__}; it returned {len(replaced)}."
                    )
                grad_input = replaced
        return grad_input


class Gate:
    """Calls a function once in each backward pass, though the rule asks for each part by itself."""

    def __init__(self, function: Callable[[Sequence[Any]], Sequence[Any]]):
        self.function = function
        self.seen: Sequence[Any] = ()
        self.results: dict[int, Any] = {}

    def __call__(self, tensors: Sequence[Any]) -> list[Any]:
        """The same Tensors, beyond the gate."""
        self.descriptions = [(t.shape, t.dtype) for t in tensors]
        return _gate(tensors, self)  # type: ignore[no-any-return]

    def part(self, g: Sequence[Any], i: int) -> Any:
        """The cotangent of input `i`, given those of all outputs."""
        if i not in self.results or any(a is not b for a, b in zip(self.seen, g)):  # a pass may ask for some parts only
            self.seen, self.results = g, dict(enumerate(self.function(g)))
        result = self.results.pop(i)
        if result is None:  # nothing depends on this part
            shape, dtype = self.descriptions[i]
            return np.zeros(shape, dtype, like=data_of(next(part for part in g if part is not None)))
        return result


def _gate(xs: Sequence[Any], gate: Gate) -> Any:
    return list(xs)


_gate = define(_gate, "*xs; gate -> *parts", xs=lambda g, i, gate: gate.part(g, i))
_gate.primitive.name = "gate"  # type: ignore[attr-defined]
