"""Which module recorded which operations: the calls of modules, as a tree.

The output of each call of a module carries a mark (`Node.calls`): which module, and the number on the tape when it
began. What the output depends on and is newer than that was recorded during the call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..node import Leaf, Node

__all__ = ["Call", "Calls", "calls_of"]


@dataclass(eq=False)
class Call:
    """One call of a module.

    Attributes
    ----------
    start : int
        The number on the tape when it began; no other call has it.
    output : Node
        Its result. Of a module with several results: the first of them on the tape, `outputs` has all.
    module : object or None
        None once it is gone.
    kind : str
        The name of the module's class.
    name : str
        Its name in the outermost module around it, such as 'body.0'; '' for an outermost one.
    parent : Call or None
        The call around it.
    children : list of Call
        The calls in it, in the order in which they began.
    nodes : list of Node
        The operations that it recorded itself, outside `children`, in the order of the tape.
    """

    start: int
    output: Node
    module: Any
    kind: str
    name: str = ""
    parent: Call | None = None
    outputs: list[Node] = field(default_factory=list)
    children: list[Call] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """How many calls there are around it."""
        return 0 if self.parent is None else self.parent.depth + 1

    def __repr__(self) -> str:
        return f"<Call of {self.kind}{f' {self.name!r}' if self.name else ''}>"


class Calls(NamedTuple):
    """The outermost calls, in the order in which they began, and the innermost call around each operation."""

    outermost: list[Call]
    around: dict[Node, Call]


def calls_of(nodes: Iterable[Node]) -> Calls:
    """The calls of modules that recorded the operations of a tape.

    Parameters
    ----------
    nodes : iterable of Node
        Such as a `Tape`.

    Returns
    -------
    Calls

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> from autograd import Tape
    >>> from autograd.inspection import calls_of
    >>> model = nn.MLP([2, 3, 1])
    >>> tape = Tape(model(np.ones((5, 2), dtype=np.float32)))
    >>> [call] = calls_of(tape).outermost
    >>> call, call.children
    (<Call of MLP>, [<Call of Linear 'linear1'>, <Call of ReLU 'relu1'>, <Call of Linear 'linear2'>])
    """
    calls: dict[int, Call] = {}
    for node in nodes:
        mark = None if isinstance(node, Leaf) else node.calls
        while mark is not None:
            reference, kind, start, mark = mark
            call = calls.get(start)
            if call is None:
                calls[start] = call = Call(start, node, reference(), kind.__name__)
            call.outputs.append(node)
    around: dict[Node, Call] = {}
    for start in sorted(calls):  # what is around a call began before it
        call = calls[start]
        call.parent = around.get(call.output)
        for node in _recorded_since(start, call.outputs):
            around[node] = call
        if call.parent is not None:
            call.parent.children.append(call)
    for node in sorted(around, key=lambda node: node.index):
        around[node].nodes.append(node)
    outermost = [call for call in calls.values() if call.parent is None]
    outermost.sort(key=lambda call: call.start)
    for call in outermost:
        _name(call)
    return Calls(outermost, around)


def _recorded_since(start: int, outputs: list[Node]) -> set[Node]:
    """The operations that `outputs` depend on and that are newer than `start`."""
    found = set(outputs)
    stack = list(outputs)
    while stack:
        for parent in stack.pop().parents:
            if parent is not None and parent.index > start and parent not in found and not isinstance(parent, Leaf):
                found.add(parent)
                stack.append(parent)
    return found


def _name(outermost: Call) -> None:
    """Give the calls inside an outermost one the names that their modules have in its module."""
    named = getattr(outermost.module, "named_modules", None)
    names = {} if named is None else {id(module): name for name, module in named()}
    stack = list(outermost.children)
    while stack:
        call = stack.pop()
        call.name = names.get(id(call.module), "") if call.module is not None else ""
        stack += call.children
