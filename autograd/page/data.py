"""What a page shows, as plain data: the vertices with their values, the steps of both passes, the memory held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..display.text import counted, shortened
from ..errors import ReleasedError, StaleError
from ..inspection.elements import Edge, Graph, Vertex
from ..inspection.graph import walk
from ..inspection.values import cotangents, forward_values, input_values
from ..node import Leaf, Node, Parts
from ..tape import Tape
from ..tensor import Tensor
from ..versions import written_since
from .memory import held
from .pictures import Pictures
from .words import Words

__all__ = ["LIMIT", "collect"]

#: The most operations that a page steps through, and the most vertices that are drawn one by one.
LIMIT, DRAWN = 2000, 300

#: The longest name, in characters.
LONGEST = 80

#: Where the slope of an activation is less than this, it is saturated; as in `nn.saturation`.
FLAT = 0.01

#: The slope of activations that saturate, by what their result says of it.
_SLOPES: dict[str, Any] = {
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
    "softsign": lambda y: (1 - abs(y)) ** 2,
}


def collect(outputs: Sequence[Tensor], names: Any = None) -> tuple[list[Graph], dict[str, Any]]:
    """The graphs that are drawn of a computation, and all else that a page shows of it, ready to be written as JSON.

    The second graph, if there are modules, has them closed.

    Nothing is released, and no `.grad` changes. See `autograd.view`.
    """
    count = sum(not isinstance(node, Leaf) for node in Tape(*outputs))
    if count > LIMIT:
        raise ValueError(
            f"view() shows computations of at most {LIMIT:,} operations, one step for each; this one has {count:,}. "
            "Show a smaller one (fewer layers, a shorter sequence), or draw() this one."
        )
    graph = walk(*outputs, names=names)
    drawn = [graph if len(graph.vertices) <= DRAWN else graph.folded(repeated=False, limit=DRAWN)]
    outer = {group.parent for group in graph.groups}
    single = [group.label for group in graph.groups if group.parent is None and group.id not in outer]
    closed = graph.folded(depth=1, collapse=single, repeated=False, limit=DRAWN)
    if len(closed.vertices) < len(drawn[0].vertices):
        drawn.append(closed)
    return drawn, _Collection(outputs, names, graph).page(drawn)


class _Collection:
    """The state of one collection: what has been found so far."""

    def __init__(self, outputs: Sequence[Tensor], names: Any, graph: Graph):
        self.outputs, self.graph = outputs, graph
        self.operations = [v for v in graph.vertices if v.node is not None and not isinstance(v.node, Leaf)]
        self.operations.sort(key=lambda vertex: _node(vertex).index)
        self.pictures = Pictures()
        self.notes: list[str] = []
        self.words = Words(outputs, names)
        self.ids = {v.node: v.id for v in graph.vertices if v.node is not None}
        self.edges: dict[tuple[str, str], Edge] = {(edge.target, edge.input): edge for edge in graph.edges}
        self.users: dict[Node, int] = {}
        for vertex in self.operations:
            for parent in _tracked(vertex.node):
                self.users[parent] = self.users.get(parent, 0) + 1

    def page(self, drawn: Sequence[Graph]) -> dict[str, Any]:
        """All of it, and which vertices of the graphs that are drawn stand for others."""
        values = self.find_values()
        found, parts = self.find_gradients()
        released = any(_node(vertex).saved is None for vertex in self.operations)
        order = [v for v in reversed(self.operations) if found is None or _node(v) in found]
        if found is None and not any(output.requires_grad for output in self.outputs):
            order = []
        vertices = {v.id: self.vertex(v, values, found) for v in self.graph.vertices}
        steps: list[dict[str, Any]] = [{"phase": "start"}]
        steps += [{"phase": "forward", "at": v.id, "formula": self.words.forward(_node(v))} for v in self.operations]
        steps += [{"phase": "backward", "at": v.id, "gives": self.gives(v, found, parts)} for v in order]
        steps.append({"phase": "end"})
        memory = None
        if not released:
            parameters = [values[identity] for identity in values if vertices[identity]["kind"] == "parameter"]
            forward, backward = held([_node(v) for v in self.operations], parameters)
            position = {v.id: k for k, v in enumerate(reversed(self.operations))}
            memory = [0, *forward, *(backward[position[v.id]] for v in order)]
            memory.append(memory[-1])
        return {
            "title": self.title(),
            "target": shortened(self.words.target, LONGEST),
            "notes": self.notes,
            "vertices": vertices,
            "edges": [[edge.id, edge.source, edge.target] for edge in self.graph.edges],
            "groups": self.groups(),
            "layouts": [
                {
                    "folds": {v.id: _fold(v) for v in graph.vertices if v.fold is not None},
                    "drawn": {m.id: v.id for v in graph.vertices if v.fold is not None for m in v.fold.members},
                }
                for graph in drawn
            ],
            "steps": steps,
            "memory": memory,
            "pictures": self.pictures.all,
        }

    def title(self) -> str:
        names = [vertex.name for vertex in self.graph.vertices if vertex.kind == "output" and vertex.name]
        return shortened(", ".join(names), LONGEST) if names else "loss" if self.scalar() else "computation"

    def scalar(self) -> bool:
        """Whether there is one number to differentiate."""
        return len(self.outputs) == 1 and self.outputs[0].size == 1 and self.outputs[0].dtype.kind == "f"

    # Values

    def find_values(self) -> dict[str, Any]:
        """The value of each vertex as far as it is known, and has not been overwritten since it was used."""
        found = forward_values(*self.outputs)
        known = {self.ids[node]: found[node] for node in found if node in self.ids and node.kind is not Parts}
        used = {vertex.id: vertex.node.index for vertex in self.graph.vertices if vertex.node is not None}
        for vertex in reversed(self.operations):
            for k, value in enumerate(input_values(_node(vertex))[: len(_node(vertex).parents)]):
                edge = self.edges.get((vertex.id, _node(vertex).primitive.called(k)))
                if edge is not None:
                    used[edge.source] = _node(vertex).index  # at last, by the first of its users
                    if getattr(value, "shape", None) == edge.shape:
                        known.setdefault(edge.source, value)
        stale = {identity for identity, value in known.items() if written_since(value, used[identity])}
        if stale:
            self.notes.append(
                f"{counted(len(stale), 'value')} that the forward pass used cannot be shown: overwritten in place "
                "since, by an optimizer step for example."
            )
        shown = [v.id for v in self.graph.vertices if v.kind not in ("input", "number") and v.dtype]
        missing = sum(identity not in known for identity in shown)
        if missing:
            self.notes.append(
                f"The tape did not keep {missing:,} of {counted(len(shown), 'value')}: to see them all, record the "
                "computation under “with autograd.keep_values():”."
            )
        return {identity: value for identity, value in known.items() if identity not in stale}

    def find_gradients(self) -> tuple[dict[Node, Any] | None, dict[tuple[Node, int], dict[str, Any]]]:
        """The cotangent of each node, and what each rule adds; None if there is no backward pass to look at."""
        parts: dict[tuple[Node, int], dict[str, Any]] = {}
        sums: dict[Node, Any] = {}
        counts: dict[Node, int] = {}

        def observe(node: Node, k: int, array: Any) -> None:
            parent = node.parents[k]
            assert parent is not None
            counts[parent] = count = counts.get(parent, 0) + 1
            part: dict[str, Any] = {"count": count, "of": self.users[parent]}
            if array.__class__ is not Parts:
                part["value"] = self.pictures.add(array)
                if self.users[parent] > 1:
                    sums[parent] = sums[parent] + array if parent in sums else array
                    part["sum"] = self.pictures.add(sums[parent])
            if count == self.users[parent]:
                sums.pop(parent, None)
            parts[node, k] = part

        if not any(output.requires_grad for output in self.outputs):
            self.notes.append("Nothing here requires a gradient: there is no backward pass.")
            return None, parts
        if not self.scalar():
            self.notes.append(
                "The backward pass is shown without numbers: it starts from one real number, such as a loss, and "
                + (
                    f"there are {len(self.outputs)} outputs."
                    if len(self.outputs) > 1
                    else f"this output is {_described(self.outputs[0])}."
                )
            )
            return None, parts
        try:
            return cotangents(self.outputs[0], observe=observe), parts
        except ReleasedError:
            self.notes.append(
                "A backward pass has already released what the tape had saved: gradients are shown as formulas and "
                "shapes only. To see the numbers, call view(loss) before loss.backward(), or "
                "loss.backward(retain_graph=True)."
            )
        except StaleError as error:
            self.notes.append(f"The backward pass cannot be shown with numbers: {shortened(error, 500)}")
        parts.clear()
        return None, parts

    # Vertices and steps

    def vertex(self, vertex: Vertex, values: dict[str, Any], found: dict[Node, Any] | None) -> dict[str, Any]:
        """What the page knows of a vertex."""
        node = vertex.node
        page: dict[str, Any] = {
            "kind": vertex.kind,
            "label": shortened(vertex.label, LONGEST),
            "symbol": shortened(self.words.symbol(vertex), LONGEST),
            "shape": list(vertex.shape),
            "dtype": vertex.dtype,
            "group": vertex.group,
        }
        if vertex.name:
            page["name"] = shortened(vertex.name, LONGEST)
        cotangent = self.words.cotangent(vertex)
        if cotangent is not None:
            page["cotangent"] = shortened(cotangent, LONGEST)
        marks: list[list[Any]] = []
        value, gradient = values.get(vertex.id), None if found is None or node is None else found.get(node)
        if value is not None:
            page["value"] = self.pictures.add(value)
            if node is not None and not isinstance(node, Leaf):
                marks += _saturation(node, value)
            marks += self.unusual(page["value"], "value")
        if gradient is not None and gradient.__class__ is not Parts:
            page["grad"] = number = self.pictures.add(gradient)
            summary = self.pictures.all[number]
            if summary["size"] and summary.get("zeros") == summary["size"]:
                marks.append(["zero", 1])
            marks += self.unusual(number, "gradient")
        elif vertex.kind == "parameter" and self.scalar() and found is None and _grad(node) is not None:
            page["left"] = self.pictures.add(_grad(node))
        if marks:
            page["marks"] = marks
        if node is not None and node.notes is not None and node.notes.site is not None:
            page["line"] = shortened(node.notes.site, 300)
        if node is not None and node.kind is Parts:
            page["several"] = len(node.shape)
        return page

    def unusual(self, number: int, of: str) -> list[list[Any]]:
        """A mark where NaN or infinities are."""
        summary = self.pictures.all[number]
        count = summary.get("nan", 0) + summary.get("infinite", 0)
        return [["infinite", count, of]] if count else []

    def gives(
        self, vertex: Vertex, found: dict[Node, Any] | None, parts: dict[tuple[Node, int], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """What the rules of an operation add to the gradient of each of its inputs."""
        node = _node(vertex)
        given = []
        for k, parent in enumerate(node.parents):
            if parent is None or (found is not None and (node, k) not in parts):
                continue
            name = node.primitive.called(k)
            edge = self.edges[vertex.id, name]
            given.append(
                {
                    "edge": edge.id,
                    "to": edge.source,
                    "input": name,
                    "formula": self.words.backward(node, k),
                    **parts.get((node, k), {}),
                }
            )
            if edge.broadcast:
                given[-1]["stretched"] = True
        return given

    def groups(self) -> list[dict[str, Any]]:
        """The module calls, with what is in them and in those inside them."""
        pages = {
            group.id: {
                "id": group.id,
                "label": shortened(group.label, LONGEST),
                "kind": shortened(group.kind, LONGEST),
                "parent": group.parent,
                "operations": 0,
                "parameters": 0,
            }
            for group in self.graph.groups
        }
        for vertex in self.graph.vertices:
            home = vertex.group
            while home is not None:
                page = pages[home]
                if vertex.kind in ("operation", "output"):
                    page["operations"] += 1  # type: ignore[operator]
                elif vertex.kind == "parameter":
                    page["parameters"] += int(np.prod(vertex.shape))  # type: ignore[operator]
                home = page["parent"]  # type: ignore[assignment]
        return list(pages.values())


def _node(vertex: Vertex) -> Node:
    assert vertex.node is not None
    return vertex.node


def _fold(vertex: Vertex) -> dict[str, Any]:
    """What the page knows of a vertex that stands for others."""
    assert vertex.fold is not None
    return {
        "label": shortened(vertex.label, LONGEST),
        "kind": shortened(vertex.fold.kind, LONGEST),
        "group": vertex.group,
        "operations": vertex.fold.operations,
        "parameters": vertex.fold.parameters,
        "result": next(m.id for m in reversed(vertex.fold.members) if m.kind in ("operation", "output")),
    }


def _tracked(node: Node | None) -> Iterator[Node]:
    """The parents whose gradient a rule adds to, once for each input."""
    assert node is not None
    return (parent for parent in node.parents if parent is not None)


def _grad(node: Node | None) -> Any:
    """What `.grad` holds now."""
    return node.grad if isinstance(node, Leaf) else None


def _saturation(node: Node, value: Any) -> list[list[Any]]:
    """The share of the elements of an activation that hardly let a gradient through."""
    slope = _SLOPES.get(node.primitive.name)
    if slope is None or not value.size:
        return []
    with np.errstate(all="ignore"):
        share = float((abs(slope(value)) < FLAT).mean())
    return [["saturated", float(f"{share:.3g}")]] if share else []


def _described(tensor: Tensor) -> str:
    return f"{tensor.dtype}{list(tensor.shape)}"
