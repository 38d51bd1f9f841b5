"""Hooks of a module: functions that see, and may replace, what goes in, what comes out, and the gradients of both.

A module has none of this until the first hook is registered, so that calling it costs nothing more. A backward
hook needs to know when the gradients of all outputs, and of all inputs, are complete. So arguments and outputs
pass a *gate* each: one operation on the tape that returns its inputs as they are. A backward pass meets it once, with
the cotangents of all its results, and calls the gate's own hook there before it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, is_grad_enabled
from autograd.devices import describe
from autograd.node import Parts, data_of, tick
from autograd.primitive import define
from autograd.wrapping import regroup, wrap

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Hooks"]


class Hooks:
    """The hooks of one module."""

    def __init__(self) -> None:
        self.before: dict[object, Callable[..., Any]] = {}
        self.after: dict[object, Callable[..., Any]] = {}
        self.backward: dict[object, Callable[..., Any]] = {}

    def add(self, when: str, hook: Callable[..., Any]) -> Callable[[], None]:
        """Register a hook; the result removes it."""
        if not callable(hook):
            raise TypeError(f"a hook is a function, got {type(hook).__name__}.")
        hooks = getattr(self, when)
        key = object()  # a number could meet itself again in a module that was unpickled
        hooks[key] = hook
        return lambda: hooks.pop(key, None) and None

    def call(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`module.forward`, with the hooks around it."""
        for hook in list(self.before.values()):
            replaced = hook(module, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
        crossing = None
        if self.backward and is_grad_enabled():
            crossing = Crossing(module, list(self.backward.values()), len(args))
            args = crossing.enter(args)
        output = module.forward(*args, **kwargs)
        for hook in list(self.after.values()):
            replaced = hook(module, args, output)
            if replaced is not None:
                output = replaced
        return output if crossing is None else crossing.leave(output)


class Crossing:
    """One call of a module whose backward hooks are waiting for its gradients."""

    def __init__(self, module: Module, hooks: list[Callable[..., Any]], count: int):
        self.module, self.hooks, self.count = module, hooks, count
        self.entered: list[int] = []
        self.left: list[int] = []
        self.returned = 0
        self.grad_output: tuple[Any, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require a gradient through the gate."""
        self.entered = _tracked(args)
        return tuple(_passed(args, self.entered, self._meet_inputs))

    def leave(self, output: Any) -> Any:
        """The output, its Tensors through the gate."""
        several = isinstance(output, tuple | list)
        if not several and not hasattr(output, "dtype"):
            raise TypeError(
                f"a backward hook is registered on {type(self.module).__name__}, whose output is a "
                f"{type(output).__name__}: it must be a Tensor, or a tuple or list of Tensors."
            )
        parts = output if several else [output]
        self.left, self.returned = _tracked(parts), len(parts)
        if not self.left:
            return output
        passed = _passed(parts, self.left, self._meet_outputs)
        if not several:
            return passed[0]
        return regroup(output, passed)

    def _meet_outputs(self, g: Parts) -> Parts:
        self.grad_output = _placed(g.items, self.left, self.returned)
        if not self.entered:
            self._run((None,) * self.count)
        return _filled(g)

    def _meet_inputs(self, g: Parts) -> Parts:
        g = _filled(g)
        if self.grad_output is None:  # the pass came to the inputs without passing the outputs: a second derivative
            return g
        replaced = self._run(_placed(g.items, self.entered, self.count))
        return Parts(dict(enumerate(replaced[k] for k in self.entered)), g.shape, g.dtype)

    def _run(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_output, self.grad_output = self.grad_output, None  # so that no graph keeps what belongs to one pass
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            if replaced is not None:
                grad_input = self._checked(replaced, grad_input)
        return grad_input

    def _checked(self, replaced: Any, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a hook returned in the place of `grad_input`, if it fits."""
        given = replaced if isinstance(replaced, tuple | list) else (replaced,)
        gradients = tuple([np.asarray(g) if isinstance(g, np.generic) else g for g in given])
        name = type(self.module).__name__
        if len(gradients) != self.count:
            raise ValueError(
                f"a backward hook must return None, or a gradient for each of the {self.count} arguments of {name}; "
                f"it returned {len(gradients)}."
            )
        for k, (new, old) in enumerate(zip(gradients, grad_input)):
            if new.__class__ is not old.__class__ or (old is not None and not _alike(new, old)):
                raise TypeError(
                    f"a backward hook returned {describe(new)} as the gradient of argument {k} of {name}, where it "
                    f"got {describe(old)}: it must be of the same kind, shape and dtype."
                )
        return gradients


def _alike(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype and data_of(a).__class__ is data_of(b).__class__)


def _tracked(values: Sequence[Any]) -> list[int]:
    """The positions of what requires a gradient."""
    return [k for k, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]


def _placed(items: Sequence[Any], positions: Sequence[int], count: int) -> tuple[Any, ...]:
    """The items at their positions among `count` values; None for the others."""
    found = dict(zip(positions, items))
    return tuple([found.get(k) for k in range(count)])


def _filled(g: Parts) -> Parts:
    """The cotangents, zeros for a part that nothing depends on."""
    known = next(iter(g.found.values()))
    found = {}
    for k, (part, shape, dtype) in enumerate(zip(g.items, g.shape, g.dtype)):
        if part is None:
            zeros = np.zeros(shape, dtype, like=data_of(known))
            part = wrap(zeros) if isinstance(known, Tensor) else zeros
        found[k] = part
    return Parts(found, g.shape, g.dtype)


def _passed(values: Sequence[Any], positions: list[int], meet: Callable[[Parts], Parts]) -> list[Any]:
    """The values, those at `positions` through a gate at which each backward pass calls `meet`."""
    values = list(values)
    if positions:
        beyond = _gate([values[k] for k in positions])
        beyond[0].node.parents[0].annotate().hooks[tick()] = meet
        for k, tensor in zip(positions, beyond):
            values[k] = tensor
    return values


def _gate(xs: Sequence[Any]) -> Any:
    return list(xs)


_gate = define(_gate, "*xs -> *parts", xs=lambda g, i: g[i])
_gate.primitive.name = "gate"  # type: ignore[attr-defined]
