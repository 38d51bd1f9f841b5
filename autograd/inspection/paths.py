"""The part of a graph that lies between some of its vertices and the outputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..node import Value
from .elements import Graph

__all__ = ["between"]


def between(graph: Graph, sources: Iterable[Any]) -> Graph:
    """See `Graph.path`."""
    users: dict[str, list[str]] = defaultdict(list)
    inputs: dict[str, list[str]] = defaultdict(list)
    for edge in graph.edges:
        users[edge.source].append(edge.target)
        inputs[edge.target].append(edge.source)
    known = {vertex.id for vertex in graph.vertices}
    starts = [_known(source, known) for source in sources]
    if not starts:
        raise TypeError("path() needs at least one Tensor, the one from which the way to the outputs is wanted.")
    ends = [vertex.id for vertex in graph.vertices if vertex.kind == "output" or not users.get(vertex.id)]
    way = _reached(starts, users) & _reached(ends, inputs)
    targets = {edge.target for edge in graph.edges if edge.source in way and edge.target in way}
    edges = tuple([edge for edge in graph.edges if edge.target in targets])
    kept = way.union([edge.source for edge in edges])
    return Graph(tuple([vertex for vertex in graph.vertices if vertex.id in kept]), edges, graph.groups).tidied()


def _known(source: Any, known: set[str]) -> str:
    """The id of a source, if the graph has it."""
    if isinstance(source, Value):
        identity, shown = f"n{source._described().index}", f"the Tensor {source._described().name or ''}".rstrip()
    elif isinstance(source, str):
        identity, shown = source, repr(source)
    else:
        raise TypeError(f"a path begins at a Tensor or at the id of a vertex, got {type(source).__name__}.")
    if identity not in known:
        raise ValueError(f"{shown} is not in this graph: no output depends on it, or it needs no gradient.")
    return identity


def _reached(starts: Iterable[str], following: Mapping[str, list[str]]) -> set[str]:
    seen = set(starts)
    stack = list(seen)
    while stack:
        for identity in following.get(stack.pop(), ()):
            if identity not in seen:
                seen.add(identity)
                stack.append(identity)
    return seen
