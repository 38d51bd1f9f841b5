"""What a walk along a tape finds: plain vertices, edges and groups, which know nothing of how they will look.

A `Graph` is what drawings and pages are made of, and what other programs get: as JSON, as a `networkx` graph, or as
the tuples that it consists of.
"""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..node import Node

__all__ = ["LEAVES", "Edge", "Fold", "Graph", "Group", "Vertex"]

#: The kinds of vertices that are inputs of the graph.
LEAVES = frozenset({"parameter", "input", "number"})


@contextmanager
def collector_paused() -> Iterator[None]:
    """While a graph is made: none of its many tuples is garbage, and looking for some takes long."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class Fold(NamedTuple):
    """What a vertex of a folded graph stands for.

    Attributes
    ----------
    kind : str
        The class of a module; else empty.
    times : int
        How many equal ones follow each other, such as the layers of a tower.
    operations, parameters : int
        The number of operations in all of them, and of the elements of their parameters.
    members : tuple of Vertex
        The vertices of the whole graph that it stands for.
    """

    kind: str
    times: int
    operations: int
    parameters: int
    members: tuple[Vertex, ...]


class Vertex(NamedTuple):
    """A value of the computation: an input of it, or an operation and its result.

    Attributes
    ----------
    id : str
        Made from the index on the tape: the same computation gives the same ids in the same order.
    kind : {'parameter', 'input', 'number', 'operation', 'output', 'module', 'row'}
        A leaf that requires a gradient, one that does not, a plain Python number, an operation, or an operation whose
        result was asked for. In a folded graph also a module, and a row of operations.
    label : str
        The name of a leaf, the number, the name of the operation, or that of the module.
    name : str or None
        The name of an operation's result, if it has one.
    shape : tuple of int
        Of an operation with several results `()`: each of them is a vertex of its own.
    dtype : str
        Empty for an operation with several results; of a number its Python type.
    group : str or None
        The id of the innermost module call that it belongs to.
    saved : bool
        Whether the operation keeps its own result for its rules.
    node : Node or None
        The entry on the tape. Not in JSON.
    fold : Fold or None
        In a folded graph, what it stands for.
    """

    id: str
    kind: str
    label: str
    name: str | None
    shape: tuple[int, ...]
    dtype: str
    group: str | None = None
    saved: bool = False
    node: Node | None = None
    fold: Fold | None = None


class Edge(NamedTuple):
    """A value on its way into an operation.

    Attributes
    ----------
    source, target : str
        The ids of two vertices: `source` is an input of the operation `target`.
    input : str
        The parameter of the operation that it is for; of a function of a sequence, 'arrays[0]', 'arrays[1]', ….
    shape, dtype
        Those of the value.
    broadcast : bool
        Whether an elementwise operation stretches it to a larger shape.
    saved : bool
        Whether the operation keeps the value for its rules.
    """

    source: str
    target: str
    input: str
    shape: tuple[int, ...]
    dtype: str
    broadcast: bool = False
    saved: bool = False

    @property
    def id(self) -> str:
        """No other edge has it."""
        return f"{self.source}-{self.target}-{self.input}"


class Group(NamedTuple):
    """One call of a module.

    Attributes
    ----------
    id : str
    label : str
        The name of the module in the one around it, such as 'linear1'; of an outermost one that of its class.
    kind : str
        The name of its class. In a folded graph also 'repeat': not a module, but something that comes several times.
    parent : str or None
        The id of the one around it.
    times : int
        In a folded graph, how many equal ones follow each other, of which this is the first.
    """

    id: str
    label: str
    kind: str
    parent: str | None
    times: int = 1


@dataclass(frozen=True)
class Graph:
    """The vertices, in the order of the tape, the edges between them, and the module calls, outer before inner.

    Examples
    --------
    >>> import autograd
    >>> from autograd.inspection import walk
    >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> graph = walk(x * 3.0)
    >>> graph
    <Graph of 3 vertices, 2 edges and 0 groups>
    >>> [edge.id for edge in graph.edges][0] == f"n{x.node.index}-{graph.vertices[-1].id}-x"
    True
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]

    def __repr__(self) -> str:
        counts = f"{len(self.vertices)} vertices, {len(self.edges)} edges and {len(self.groups)} groups"
        return f"<Graph of {counts}>"

    def folded(
        self,
        depth: int | None = None,
        collapse: Iterable[str] = (),
        repeated: bool = True,
        limit: int | None = None,
    ) -> Graph:
        """A smaller graph of the same computation.

        Parameters
        ----------
        depth : int, optional
            How many levels of modules stay open: 0 makes each outermost module a single vertex.
        collapse : iterable of str, optional
            The labels, or the classes, of modules that become single vertices.
        repeated : bool
            Whether of three or more equal modules or operations that follow each other, each made from the one before,
            only the first stays, and says how many there are (`Group.times`, `Fold.times`).
        limit : int, optional
            Go on, level by level, until there are no more vertices than this: modules become vertices, and at last
            rows of any operations do.

        Raises
        ------
        ValueError
            If there is no module of a name in `collapse`, or a number is negative.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd
        >>> from autograd.inspection import walk
        >>> y = x = autograd.Tensor([1.0, 2.0], requires_grad=True, name="x")
        >>> for _ in range(1000):
        ...     y = np.sin(y)
        >>> [(vertex.label, vertex.fold and vertex.fold.times) for vertex in walk(np.sum(y)).folded().vertices]
        [('x', None), ('sin', 1000), ('sum', None)]
        """
        from .folding import fold

        return fold(self, depth, collapse, repeated, limit)

    def path(self, *sources: Any) -> Graph:
        """Only what lies between `sources` and the outputs, with the other inputs of these operations.

        Parameters
        ----------
        *sources : Tensor or str
            Tensors on the tape, or ids of vertices.

        Raises
        ------
        ValueError
            If a source is not in this graph.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd
        >>> from autograd.inspection import walk
        >>> x, w = (autograd.Tensor(2.0, requires_grad=True, name=name) for name in "xw")
        >>> graph = walk(np.sin(x) * np.exp(np.cos(w)))
        >>> [vertex.label for vertex in graph.path(x).vertices]
        ['x', 'sin', 'exp', 'multiply']
        """
        from .paths import between

        return between(self, sources)

    def tidied(self) -> Graph:
        """The same without the groups in which nothing is left."""
        parents = {group.id: group.parent for group in self.groups}
        kept: set[str | None] = {None}
        for group in {vertex.group for vertex in self.vertices}:
            while group not in kept:
                kept.add(group)
                group = parents[group]  # type: ignore[index]  # None is kept
        return Graph(self.vertices, self.edges, tuple([group for group in self.groups if group.id in kept]))

    def to_json(self) -> str:
        """The graph as JSON text, pure ASCII, which may also stand in the middle of an HTML page as it is.

        An object with the lists `vertices`, `edges` and `groups`. Their items are objects with the attributes of
        `Vertex` (without `node`), `Edge` (and its `id`) and `Group`; the `members` of a `fold` are ids.

        Examples
        --------
        >>> import json
        >>> import autograd
        >>> from autograd.inspection import walk
        >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True, name="x")
        >>> plain = json.loads(walk(x * 3.0).to_json())
        >>> [(vertex["kind"], vertex["label"], vertex["shape"]) for vertex in plain["vertices"]]
        [('parameter', 'x', [2]), ('number', '3', []), ('output', 'multiply', [2])]
        """
        vertices = []
        for vertex in self.vertices:
            plain = vertex._asdict()
            del plain["node"]
            if vertex.fold is not None:
                plain["fold"] = {**vertex.fold._asdict(), "members": [member.id for member in vertex.fold.members]}
            vertices.append(plain)
        edges = [{"id": edge.id, **edge._asdict()} for edge in self.edges]
        text = json.dumps({"vertices": vertices, "edges": edges, "groups": [group._asdict() for group in self.groups]})
        for character in "<>&":  # in JSON they occur in strings only; an HTML parser must not see them
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text

    def to_networkx(self) -> Any:
        """The graph as a `networkx.MultiDiGraph`, with the ids as nodes and the rest as attributes.

        An edge's key is its `input`. The groups are in the graph's attribute `groups`, by id.

        Examples
        --------
        >>> import networkx
        >>> import autograd
        >>> from autograd.inspection import walk
        >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True, name="x")
        >>> plain = walk(x * x).to_networkx()
        >>> networkx.dag_longest_path_length(plain), plain.number_of_edges()
        (1, 2)
        """
        try:
            import networkx
        except ImportError as error:
            raise ImportError(
                f'to_networkx() needs the package networkx, which is missing here: `pip install "wengert[graph]"` '
                f"({error})."
            ) from None
        graph = networkx.MultiDiGraph(groups={group.id: group for group in self.groups})
        graph.add_nodes_from((vertex.id, vertex._asdict()) for vertex in self.vertices)
        graph.add_edges_from(
            (edge.source, edge.target, edge.input, {k: v for k, v in edge._asdict().items() if k in _EDGE})
            for edge in self.edges
        )
        return graph


_EDGE = frozenset(Edge._fields[3:])


def stood_for(vertices: Iterable[Vertex], kind: str, times: int) -> Fold:
    """The `Fold` of a vertex that stands for these."""
    members = tuple([m for vertex in vertices for m in (vertex.fold.members if vertex.fold else (vertex,))])
    operations = sum(member.kind not in LEAVES for member in members)
    parameters = sum(math.prod(member.shape) for member in members if member.kind == "parameter")
    return Fold(kind, times, operations, parameters, members)


def outer_first(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups in an order in which each comes after the one around it."""
    parents = {group.id: group.parent for group in groups}

    def depth(group: Group) -> int:
        count, parent = 0, group.parent
        while parent is not None:
            count, parent = count + 1, parents[parent]
        return count

    return tuple(sorted(groups, key=depth))
