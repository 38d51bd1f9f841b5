"""The first step of a drawing: from a tape to plain nodes and edges that know nothing of how they will look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..node import Leaf, Node, Parts
from ..tape import Tape
from ..tensor import Tensor

__all__ = ["Edge", "Graph", "Vertex", "walk"]


@dataclass(frozen=True)
class Vertex:
    """A value of the computation: an input of it, or an operation and its result.

    Attributes
    ----------
    id : str
        Made from the index on the tape: the same computation gives the same ids in the same order.
    kind : {'parameter', 'input', 'number', 'operation', 'output'}
        A leaf that requires a gradient, one that does not, a plain Python number, an operation, or an
        operation whose result was asked for.
    label : str
        The name of a leaf, the number, or the name of the operation.
    name : str or None
        The name of an operation's result, if it has one.
    shape : tuple of int
    dtype : str
        Empty for an operation with several results.
    """

    id: str
    kind: str
    label: str
    name: str | None
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Edge:
    """`source` is an input of the operation `target`; `input` is the parameter of the operation that it is for."""

    source: str
    target: str
    input: str


@dataclass(frozen=True)
class Graph:
    """The vertices, in the order of the tape, and the edges between them."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


def walk(*outputs: Tensor, names: Mapping[str, Tensor] | Any = None) -> Graph:
    """The nodes and edges of the computation that led to `outputs`. See `autograd.draw`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.drawing.graph import walk
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> graph = walk(x * x + 1.0)
    >>> [(vertex.kind, vertex.label) for vertex in graph.vertices]
    [('parameter', 'x'), ('operation', 'multiply'), ('number', '1'), ('output', 'add')]
    >>> len(graph.edges)
    4
    """
    called = _names(names)
    tape = Tape(*outputs)
    results = {output.node for output in outputs}
    untracked = {output.node for output in outputs if not output.requires_grad}
    vertices: dict[str, Vertex] = {}
    edges: list[Edge] = []
    for node in tape:
        if isinstance(node, Leaf):
            _add_leaf(vertices, node, called, "input" if node in untracked else "parameter")
            continue
        target, primitive = f"n{node.index}", node.primitive
        constants = node.constants or (None,) * len(node.parents)
        for k, (parent, constant) in enumerate(zip(node.parents, constants)):
            source = parent if parent is not None else constant
            if source is None:
                continue  # an optional input that was not given
            identity = f"n{source.index}" if isinstance(source, Node) else f"{target}_{k}"
            if isinstance(source, Node):
                if identity not in vertices:
                    _add_leaf(vertices, source, called, "input")
            elif isinstance(source, tuple):
                shape, dtype = source
                vertices[identity] = Vertex(identity, "input", "constant", None, shape, str(dtype))
            else:
                number = f"{source:.6g}" if isinstance(source, int | float) else str(source)
                vertices[identity] = Vertex(identity, "number", number, None, (), type(source).__name__)
            edges.append(Edge(identity, target, primitive.inputs[0 if primitive.variadic else k]))
        kind = "output" if node in results else "operation"
        name = called.get(node, node.name)
        if node.kind is Parts:  # its results come next, each as a vertex of its own
            vertices[target] = Vertex(target, kind, primitive.name, name, (), "")
        else:
            vertices[target] = Vertex(target, kind, primitive.name, name, node.shape, str(node.dtype))
    return Graph(tuple(vertices.values()), tuple(edges))


def _add_leaf(vertices: dict[str, Vertex], node: Node, called: Mapping[Node, str], kind: str) -> None:
    identity = f"n{node.index}"
    label = called.get(node, node.name) or ("constant" if kind == "input" else kind)
    vertices[identity] = Vertex(identity, kind, label, None, node.shape, str(node.dtype))


def _names(names: Any) -> dict[Node, str]:
    if names is None:
        return {}
    if not hasattr(names, "named_parameters") and not isinstance(names, Mapping):
        raise TypeError(f"names is a module or a dict of name -> Tensor, got {type(names).__name__}.")
    pairs = names.named_parameters() if hasattr(names, "named_parameters") else names.items()
    return {tensor.node: str(name) for name, tensor in pairs}
