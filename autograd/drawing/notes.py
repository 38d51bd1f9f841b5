"""What a drawing can say of each operation besides its name: values, gradients, memory, times and formulas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..display.text import counted, number
from ..display.text import memory as in_bytes
from ..inspection import cotangents, forward_values, input_values, summarize
from ..inspection.graph import Graph, Vertex
from ..inspection.roles import leaf_of
from ..node import Leaf, Node, Parts, data_of
from ..tensor import Tensor
from ..versions import owner

__all__ = ["Notes"]


class Notes:
    """The lines below the name of each vertex, and those below the drawing.

    Attributes
    ----------
    lines : dict
        Id of a vertex -> its lines.
    caption : list of str
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: dict[str, list[str]] = defaultdict(list)
        self.caption: list[str] = []

    def add_values(self, outputs: Sequence[Tensor]) -> None:
        found = forward_values(*outputs)
        constants = self._constants()
        missing = 0
        for vertex in self.graph.vertices:
            node = _result(vertex)
            if vertex.kind == "number" or not vertex.dtype:  # several results are vertices of their own
                continue
            array = constants.get(vertex.id) if node is None else found.get(node, constants.get(vertex.id))
            if array is not None:
                self.lines[vertex.id].append(f"= {_summary(array)}")
            elif vertex.fold is None or node is not None:
                self.lines[vertex.id].append("not kept")
                missing += 1
        if missing:
            self.caption.append(
                f"{counted(missing, 'value')} not kept by the tape: record under autograd.keep_values() to see all"
            )

    def _constants(self) -> dict[str, Any]:
        """The arrays that need no gradient, as far as the tape has them."""
        found: dict[str, Any] = {}
        for vertex in self.graph.vertices:
            node = vertex.node
            if node is not None and node.constants is not None:
                for k, (constant, value) in enumerate(zip(node.constants, input_values(node))):
                    if value is not None and constant is not None:
                        found[f"n{constant.index}" if isinstance(constant, Node) else f"{vertex.id}_{k}"] = value
        return found

    def add_gradients(self, outputs: Sequence[Tensor]) -> None:
        if len(outputs) != 1:
            raise ValueError(f"gradients=True draws the gradient of one output, got {len(outputs)}.")
        found = cotangents(outputs[0])
        for vertex in self.graph.vertices:
            node = _result(vertex)
            if node is not None and node in found and node.kind is not Parts:
                self.lines[vertex.id].append(f"∂ {_summary(found[node])}")

    def add_memory(self) -> None:
        """The bytes that each operation's saved values hold: each memory once, where it is saved first."""
        held, total = _held(self.graph), 0
        for vertex in self.graph.vertices:
            size = sum(held.get(node, 0) for node in _operations(vertex))
            total += size
            if size:
                self.lines[vertex.id].append(f"keeps {in_bytes(size)}")
        released = any(node.saved is None for vertex in self.graph.vertices for node in _operations(vertex))
        self.caption.append(
            "a backward pass has released what was saved: draw before it, or call backward(retain_graph=True)"
            if released
            else f"saved for the backward pass: {in_bytes(total)}, parameters not counted"
        )

    def add_times(self, times: Mapping[int, tuple[float, float]]) -> None:
        from ..profiling.table import duration

        total = [0.0, 0.0]
        known = 0
        for vertex in self.graph.vertices:
            pairs = [times[node.index] for node in _operations(vertex) if node.index in times]
            if pairs:
                known += len(pairs)
                forward, backward = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
                total[0] += forward
                total[1] += backward
                both = f" · backward {duration(backward)}" if backward else ""
                self.lines[vertex.id].append(f"forward {duration(forward)}{both}")
        self.caption.append(
            f"forward {duration(total[0])}, backward {duration(total[1])}"
            if known
            else "the profile has no times of these operations: they were not recorded in its block"
        )

    def add_formulas(self) -> None:
        from ..derivation.board import options_of
        from ..formulas import Expression, formula

        known: dict[tuple[Any, str, str], str] = {}
        for vertex in self.graph.vertices:
            node = vertex.node
            if node is None or node.is_leaf:
                continue
            primitive = node.primitive
            options = {k: v for k, v in options_of(node).items() if not isinstance(v, Expression)}
            for k, parent in enumerate(node.parents):
                if parent is None or parent.kind is Parts:
                    continue
                name = primitive.inputs[0 if primitive.variadic else k]
                case = (primitive, name, repr(options))
                if case not in known:
                    known[case] = str(formula(primitive, name).bind(options))
                line = f"{name} ← {known[case]}"
                if line not in self.lines[vertex.id]:  # all inputs of a sequence have the same rule
                    self.lines[vertex.id].append(line)


def _summary(array: Any) -> str:
    """An array in a few words: its values if they are few, else its range and mean."""
    found = summarize(array)
    if found["size"] == 0:
        return "empty"
    if not found["shape"]:
        return number(complex(found["values"]) if found["absolute"] else found["values"])
    bad = [f"{count} {what}" for count, what in ((found["nan"], "NaN"), (found["infinite"], "∞")) if count]
    if found["min"] is None:
        return ", ".join(bad)
    low, high = number(found["min"]), number(found["max"])
    same = f"all others {low}" if bad else f"all {low}"
    shown = f"{low} … {high}, mean {number(found['mean'])}" if found["min"] != found["max"] else same
    shown = f"|…|: {shown}" if found["absolute"] else shown
    return ", ".join([*(f"⚠ {words}" for words in bad), shown])


def _operations(vertex: Vertex) -> list[Node]:
    """The operations that a vertex stands for."""
    members = (vertex,) if vertex.fold is None else vertex.fold.members
    return [member.node for member in members if member.node is not None and not isinstance(member.node, Leaf)]


def _result(vertex: Vertex) -> Node | None:
    """The node whose value is that of a vertex; None where it stands for several."""
    if vertex.fold is None:
        return vertex.node
    return _operations(vertex)[-1] if vertex.kind in ("module", "row") else None


def _held(graph: Graph) -> dict[Node, int]:
    """The bytes that each operation is the first to save."""
    members = [m for vertex in graph.vertices for m in ((vertex,) if vertex.fold is None else vertex.fold.members)]
    own = {m.node for m in members if m.kind == "parameter" or (m.kind == "input" and m.group is not None)}
    nodes = sorted((node for vertex in graph.vertices for node in _operations(vertex)), key=lambda node: node.index)
    seen, data = set(), set()
    for node in nodes:
        constants = node.constants or (None,) * len(node.parents)
        for array, parent, constant in zip(input_values(node), node.parents, constants):
            if leaf_of(constant if parent is None else parent) in own:
                seen.add(id(owner(array)))  # what parameters hold is there anyway
            elif parent is None:
                data.add(id(array))  # may be a view of something large that the tape does not keep alive
    held = {}
    for node in nodes:
        size = 0
        for array in _arrays(node.saved or ()):
            memory = array if id(array) in data else owner(array)
            if id(memory) not in seen and id(owner(array)) not in seen:
                seen.add(id(memory))
                size += memory.nbytes
        held[node] = size
    return held


def _arrays(saved: Sequence[Any]) -> Iterator[Any]:
    """The arrays among what an operation saved, also those of a function of a sequence."""
    for value in saved:
        for array in value if isinstance(value, list) else (value,):
            array = data_of(array)
            if hasattr(array, "nbytes") and hasattr(array, "dtype"):
                yield array
