"""Smaller graphs of the same computation: modules and rows of operations as single vertices.

Each of these is a quotient: vertices are mapped to one that stands for them, and edges follow.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from numbers import Integral

from .elements import LEAVES, Edge, Graph, Group, Vertex, collector_paused, stood_for
from .repeats import fold_repeats

__all__ = ["fold"]


def fold(graph: Graph, depth: int | None, collapse: Iterable[str], repeated: bool, limit: int | None) -> Graph:
    """See `Graph.folded`."""
    for name, number in (("depth", depth), ("limit", limit)):
        if number is not None and (not isinstance(number, Integral) or isinstance(number, bool) or number < 0):
            raise ValueError(f"{name} is a whole number from 0 on, got {number!r}.")
    if isinstance(collapse, str) or not isinstance(collapse, Iterable):
        raise TypeError(f"collapse is a list of names of modules: write collapse=[{collapse!r}].")
    wanted = {*collapse}
    closed = [(vertex.label, vertex.fold.kind) for vertex in graph.vertices if vertex.fold and vertex.kind == "module"]
    known = {name for both in (*closed, *((group.label, group.kind) for group in graph.groups)) for name in both}
    unknown = wanted - known
    if unknown:
        labels = sorted(map(repr, known - {""})) or ["none"]
        listed = ", ".join(labels[:20]) + " …" * (len(labels) > 20)
        raise ValueError(f"no module is called {', '.join(map(repr, unknown))}; there are: {listed}.")
    with collector_paused():
        plain = _collapsed(graph, depth, wanted)
        graph = fold_repeats(plain) if repeated else plain
        return graph if limit is None else _within(graph, plain, limit, repeated)


def _within(graph: Graph, plain: Graph, limit: int, repeated: bool) -> Graph:
    """Fold more and more, until there are at most `limit` vertices, as far as that goes."""
    level = max(_levels(graph).values(), default=-1)
    while len(graph.vertices) > limit and level >= 0:
        graph = _collapsed(graph, level, set())
        if repeated:
            graph = fold_repeats(graph)
        level -= 1
    if len(graph.vertices) > limit:
        graph = _cut(graph, limit)
    if len(graph.vertices) > limit:  # of many repeated parts, which must not be cut through, nothing remains then
        graph = _cut(_collapsed(plain, 0, set()), limit)
    return graph


def _levels(graph: Graph) -> dict[str, int]:
    """How many modules there are around each module, or each repeated part."""
    levels: dict[str, int] = {}
    within: dict[str | None, int] = {None: 0}  # of what is directly in a group
    for group in graph.groups:  # outer before inner
        levels[group.id] = within[group.parent]
        within[group.id] = within[group.parent] + (group.kind != "repeat")
    return levels


def _collapsed(graph: Graph, depth: int | None, names: Set[str]) -> Graph:
    """With the modules from a level on, and those of some names, as single vertices."""
    levels = _levels(graph)
    top: dict[str | None, Group | None] = {None: None}
    for group in graph.groups:
        chosen = (depth is not None and levels[group.id] >= depth) or group.label in names or group.kind in names
        top[group.id] = top[group.parent] or (group if chosen and group.kind != "repeat" else None)
    members: dict[Group, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        inside = top[vertex.group]
        if inside is not None:
            members[inside].append(vertex)
    if not members:
        return graph
    made = {}
    for group, vertices in members.items():
        last = next((v for v in reversed(vertices) if v.kind not in LEAVES), vertices[-1])
        fold = stood_for(vertices, group.kind, group.times)
        made[group.id] = last._replace(
            id=group.id, kind="module", label=group.label, group=group.parent, saved=False, node=None, fold=fold
        )
    return merged(graph, {v.id: group.id for group, vertices in members.items() for v in vertices}, made)


def _cut(graph: Graph, limit: int) -> Graph:
    """With rows of operations, whatever they are, as single vertices.

    Operations that follow each other on the tape can always be taken together: what depends on one of them and is
    needed by another is among them.
    """
    rows: list[list[Vertex]] = [[]]
    size = math.ceil(sum(vertex.kind not in LEAVES for vertex in graph.vertices) / max(limit // 5, 1))
    for vertex in graph.vertices:
        if vertex.kind in LEAVES:
            continue
        row = rows[-1]
        if vertex.kind == "output" or len(row) == size or (row and row[-1].group != vertex.group):
            rows.append([])
        if vertex.kind != "output":
            rows[-1].append(vertex)
    stands = {vertex.id: row[0].id for row in rows if len(row) > 1 for vertex in row}
    position = {vertex.id: k for k, vertex in enumerate(graph.vertices)}
    users: dict[str, list[str | None]] = defaultdict(list)  # the first one first
    for edge in sorted(graph.edges, key=lambda edge: position[edge.target]):
        users[edge.source].append(stands.get(edge.target))
    leaves = [vertex for vertex in graph.vertices if vertex.kind in LEAVES and any(users[vertex.id][:1])]
    alone = [leaf for leaf in leaves if len({*users[leaf.id]}) == 1]
    nameless = [leaf for leaf in alone if leaf.kind == "number" or leaf.label in ("constant", "parameter")]
    for taken in (nameless, alone, leaves):  # a leaf goes with the operations that use it: no more of them than needed
        hidden = len(stands) - len({*stands.values()}) + len(taken)
        if len(graph.vertices) - hidden <= limit:
            break
    stands |= {leaf.id: first for leaf in taken if (first := users[leaf.id][0]) is not None}
    members: dict[str, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        if vertex.id in stands:
            members[stands[vertex.id]].append(vertex)
    made = {}
    for identity, vertices in members.items():
        last = next(vertex for vertex in reversed(vertices) if vertex.kind not in LEAVES)
        fold = stood_for(vertices, "", 1)
        groups = {vertex.group for vertex in vertices if vertex.kind not in LEAVES}
        made[identity] = last._replace(
            id=identity,
            kind="row",
            label=f"{fold.operations} operations",
            name=None,
            group=groups.pop() if len(groups) == 1 else None,
            saved=False,
            node=None,
            fold=fold,
        )
    return merged(graph, stands, made)


def merged(graph: Graph, stands: Mapping[str, str], made: Mapping[str, Vertex]) -> Graph:
    """The graph in which each vertex in `stands` is replaced by one of `made`, at the place of the last of them.

    A value that several of them use is on one edge, which is saved if one of them saves it; so are all values that go
    from one row to another.
    """
    left = Counter(stands.values())
    vertices = []
    for vertex in graph.vertices:
        identity = stands.get(vertex.id)
        if identity is None:
            vertices.append(vertex)
            continue
        left[identity] -= 1
        if not left[identity]:
            vertices.append(made[identity])
    edges: dict[tuple[str, str, str], Edge] = {}
    like: Counter[str] = Counter()
    for edge in graph.edges:
        source, target = stands.get(edge.source, edge.source), stands.get(edge.target, edge.target)
        if source == target and edge.source in stands:
            continue
        row = edge.source in stands and made[source].kind == "row"
        key = source if row else edge.source, target, "" if edge.target in stands else edge.input
        known = edges.get(key)
        if known is not None:
            if edge.saved and not known.saved:
                edges[key] = known._replace(saved=True)
            continue
        edge = edge._replace(source=source, target=target)
        like[edge.id] += 1
        edges[key] = edge if like[edge.id] == 1 else edge._replace(input=f"{edge.input} ({like[edge.id]})")
    return Graph(tuple(vertices), tuple(edges.values()), graph.groups).tidied()
