"""Finding what is repeated: equal layers, or steps of a recurrence, each made from the one before.

The operations of a graph, in the order of the tape, are a sequence in which a tower of n layers of p operations is a
stretch of n·p with the period p. Two operations match if they do the same to values of the same shapes, and each of
their inputs comes from equally far back on the tape, or from the same vertex. That is one comparison of arrays for
each period. The first layer only has to do the same: its input comes from elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from .elements import LEAVES, Edge, Graph, Group, Vertex, outer_first, stood_for

__all__ = ["fold_repeats"]

#: The longest part that is looked for, in operations; how often it must come; and how many operations must vanish where
#: these are not modules.
LONGEST, FEWEST, LEAST = 512, 3, 8

#: A larger graph is looked at again only if that promises something.
LARGE = 10_000


class Run(NamedTuple):
    """`times` equal parts of `period` operations each, from the operation `start` on, inside `level` groups."""

    start: int
    period: int
    times: int
    level: int

    @property
    def stop(self) -> int:
        return self.start + self.times * self.period


def fold_repeats(graph: Graph) -> Graph:
    """The graph in which of each run only the first part is left; then the same again, for repetitions of these."""
    while True:
        sequence = _Sequence(graph)
        runs = sequence.runs()
        if not runs:
            return graph
        before, graph = len(graph.vertices), _without_copies(graph, sequence, runs)
        if len(graph.vertices) > max(0.9 * before, LARGE):
            return graph  # there is little order in it, and each look at it takes long


def _without_copies(graph: Graph, sequence: _Sequence, runs: list[Run]) -> Graph:
    """What stays are the first parts; what later parts give to anything outside comes from the first now."""
    stands = sequence.stands(runs)
    vertices = {vertex.id: vertex for vertex in graph.vertices if vertex.id not in stands}
    copies: dict[str, list[Vertex]] = defaultdict(list)
    for vertex in graph.vertices:
        if vertex.id in stands:
            copies[stands[vertex.id]].append(vertex)
    for identity, alike in copies.items():
        vertex = vertices[identity]
        kind, times = ("", 1) if vertex.fold is None else (vertex.fold.kind, vertex.fold.times)
        vertices[identity] = vertex._replace(fold=stood_for([vertex, *alike], kind, times))
    groups = {group.id: group for group in graph.groups}
    for run in runs:
        _mark(run, sequence, vertices, groups)
    edges = []
    origin: dict[tuple[str, str], str] = {}
    copied: dict[tuple[str, str], Edge] = {}
    part = {vertex.id: run for run in runs for vertex in sequence.operations[run.start : run.stop]}
    for edge in graph.edges:
        source = stands.get(edge.source, edge.source)
        if edge.target in stands:
            if edge.source not in part or part[edge.source] is not part[edge.target]:
                copied.setdefault((source, stands[edge.target]), edge)
        elif origin.setdefault((source, edge.target), edge.source) == edge.source:  # not the result of another copy too
            edges.append(edge if source == edge.source else edge._replace(source=source))
    for (source, target), edge in copied.items():
        if (source, target) not in origin:  # mostly, the first part has the same
            edges.append(edge._replace(source=source, target=target))
    return Graph(tuple(vertices.values()), tuple(edges), outer_first(groups.values())).tidied()


def _mark(run: Run, sequence: _Sequence, vertices: dict[str, Vertex], groups: dict[str, Group]) -> None:
    """Write on the first part how many there are: on its vertex or its module, if it is one; else on a new group."""
    unit = sequence.operations[run.start : run.start + run.period]
    last = sequence.operations[run.stop - run.period : run.stop]
    parent, *_ = [*reversed(sequence.paths[unit[0].group][: run.level]), None]
    tops: set[str | None] = set()  # the modules directly in the part
    for first, copy in zip(unit, last):
        top, end = (next(iter(sequence.paths[vertex.group][run.level :]), None) for vertex in (first, copy))
        if top is None or end is None:
            vertices[first.id] = vertices[first.id]._replace(label=_from_to(first.label, copy.label))
        elif top not in tops:
            groups[top] = groups[top]._replace(label=_from_to(groups[top].label, groups[end].label))
        tops.add(top)
    if len(tops) == 1:
        [only] = tops
        if only is not None:
            groups[only] = groups[only]._replace(times=groups[only].times * run.times)
            return
        if run.period == 1:
            vertex = vertices[unit[0].id]
            assert vertex.fold is not None
            kind = "row" if vertex.kind == "operation" else vertex.kind
            fold = vertex.fold._replace(times=vertex.fold.times * run.times)
            vertices[vertex.id] = vertex._replace(kind=kind, fold=fold)
            return
    made = Group(f"r{unit[0].id}", "", "repeat", parent, run.times)
    groups[made.id] = made
    for group in filter(None, tops):
        groups[group] = groups[group]._replace(parent=made.id)
    for k in range(run.start, run.start + run.period):
        for identity in (sequence.operations[k].id, *(edge.source for edge in sequence.inputs[k])):
            standing = vertices.get(identity)
            if standing is not None and standing.fold is not None and standing.group == parent:
                vertices[identity] = standing._replace(group=made.id)


def _from_to(first: str, last: str) -> str:
    """A range of names; each of them may be a range already."""
    return first if first == last else f"{first.split(' … ')[0]} … {last.split(' … ')[-1]}"


class _Sequence:
    """The operations of a graph as arrays of numbers that are equal where two operations match.

    Attributes
    ----------
    operations : list of Vertex
    inputs : list of list of Edge
        For each operation.
    position : dict
        Id of an operation -> its number in the sequence.
    kinds, depth, opened : array
        For each operation, a number for what it does; how many modules it is in, or is; and how many groups around it
        contain the one before.
    crossing : array
        For each operation, how many earlier results it or a later one needs.
    first, near, same : array
        The edges of operation k begin at `first[k]`. For each edge, where its source is, relative to the operation; and
        which vertex it is.
    """

    def __init__(self, graph: Graph):
        self.groups = {group.id: group for group in graph.groups}
        self.paths: dict[str | None, tuple[str, ...]] = {None: ()}
        for group in graph.groups:  # outer before inner
            self.paths[group.id] = (*self.paths[group.parent], group.id)
        self.operations = [vertex for vertex in graph.vertices if vertex.kind not in LEAVES]
        self.leaves = {vertex.id: vertex for vertex in graph.vertices if vertex.kind in LEAVES}
        self.position = {vertex.id: k for k, vertex in enumerate(self.operations)}
        self.inputs: list[list[Edge]] = [[] for _ in self.operations]
        for edge in graph.edges:
            self.inputs[self.position[edge.target]].append(edge)
        self.numbers: dict[Hashable, int] = {}
        self._number_operations()
        self._number_edges()

    def number(self, thing: Hashable) -> int:
        """The same number for equal things."""
        return self.numbers.setdefault(thing, len(self.numbers))

    def _number_operations(self) -> None:
        around = {}
        for group, path in self.paths.items():
            around[group] = self.number(tuple([(self.groups[g].kind, self.groups[g].times) for g in path]))
        kinds, opened, depth, seen = [], [], [], set[str]()
        before: str | None = None
        for vertex, edges in zip(self.operations, self.inputs):
            group = vertex.group
            label: Hashable = vertex.label if vertex.fold is None else _inside(vertex)
            does = vertex.kind, label, vertex.name, vertex.shape, vertex.dtype, vertex.saved, around[group]
            kinds.append(self.number((does, tuple([edge[2:] for edge in edges]))))
            path = self.paths[group]
            opened.append(len(path) if group == before else sum(g in seen for g in path))
            depth.append(len(path) + (vertex.kind == "module"))
            if group != before:
                seen.update(path)
            before = group
        self.kinds = np.array(kinds, np.int64)
        self.depth = np.array(depth, np.int64)
        self.opened = np.array(opened, np.int64)

    def _number_edges(self) -> None:
        users: dict[str, int] = {}  # of a leaf: the first
        first, near, same = [0], [], []
        last: dict[int, int] = {}  # of an operation: the last user
        for k, edges in enumerate(self.inputs):
            for edge in edges:
                there = self.position.get(edge.source)
                if there is not None:
                    near.append(there - k)
                    last[there] = k
                else:
                    leaf = self.leaves[edge.source]
                    what = leaf.label if leaf.kind == "number" else "", leaf.kind, leaf.shape, leaf.dtype
                    near.append(self.number((what, k - users.setdefault(leaf.id, k))))
                same.append(self.number(edge.source))
            first.append(len(near))
        change = np.zeros(len(self.inputs) + 1, np.int64)
        change[np.array([*last], np.int64) + 1] += 1
        np.subtract.at(change, np.array([*last.values()], np.int64) + 1, 1)
        self.crossing = np.cumsum(change)
        self.first = np.array(first, np.int64)
        self.near, self.same = np.array(near, np.int64), np.array(same, np.int64)

    def runs(self) -> list[Run]:
        """The runs, none of which has an operation in common with another; short periods first."""
        found: list[Run] = []
        free = np.ones(len(self.operations), bool)
        for period in range(1, min(LONGEST, len(self.operations) // FEWEST) + 1):
            equal = (self.kinds[:-period] == self.kinds[period:]) & (self.opened[:-period] == self.opened[period:])
            equal &= free[:-period] & free[period:]
            if np.count_nonzero(equal) < period:
                continue
            for start, stop in _stretches(equal, period):
                if stop - start < LEAST - period and not self.depth[start]:
                    continue
                for begin, end in _stretches(self._wired(start, stop, period), period):
                    run = self._run(start + begin, start + end + period, period)
                    if run is not None and free[run.start : run.stop].all():
                        free[run.start : run.stop] = False
                        found.append(run)
        return found

    def _wired(self, start: int, stop: int, period: int) -> Any:
        """Which of the operations from `start` to `stop` have the same inputs as those one period later."""
        a, b = self.first[start], self.first[stop]
        c = self.first[start + period]
        d = c + b - a
        equal = (self.near[a:b] == self.near[c:d]) | (self.same[a:b] == self.same[c:d])
        wrong = np.zeros(stop - start, bool)
        counts = np.diff(self.first[start : stop + 1])
        wrong[np.repeat(np.arange(stop - start), counts)[~equal]] = True
        return ~wrong

    def _run(self, start: int, stop: int, period: int) -> Run | None:
        """The best run in a stretch in which each operation matches the one a period later: of whole modules."""
        level = int(self.opened[start : start + period].min())
        begins = [k for k in range(start, start + period) if self.opened[k] == level]
        tried = []
        narrow = sorted(begins, key=lambda k: self.crossing[k])
        for begin in {begins[0], begins[-1], *narrow[:3]}:
            first = begin - period if self._may_be_first(begin - period, period, level) else begin
            times = (stop - first) // period
            end = first + times * period
            if end < len(self.operations) and self.opened[end] > level:
                times -= 1  # the last part goes on
            own = sum(self.leaf_kind(edge) == "parameter" for edge in self.inputs[first])
            tried.append((times, -self.crossing[first], own, -first))  # a layer begins with parameters, and one input
        times, *_, first = max(tried)
        run = Run(-first, period, times, level)
        if times < FEWEST or (self.depth[run.start] == level and (times - 1) * period < LEAST):
            return None
        return run if self._chained(run) and self._together(run) else None

    def _may_be_first(self, start: int, period: int, level: int) -> bool:
        """Whether the part from `start` on does the same as the next, but for where its inputs come from."""
        if start < 0 or self.opened[start] > level:
            return False
        for k in range(start, start + period):
            if self.kinds[k] != self.kinds[k + period] or (k > start and self.opened[k] != self.opened[k + period]):
                return False
            for e, f in zip(range(self.first[k], self.first[k + 1]), range(self.first[k + period], len(self.near))):
                if self.near[e] == self.near[f] or self.same[e] == self.same[f]:
                    continue
                here, there = self._source(k, e), self._source(k + period, f)
                if start <= here < start + period or not start <= there < start + period:
                    return False
        return True

    def stands(self, runs: list[Run]) -> dict[str, str]:
        """For each vertex of a later part the one that stands for it: an operation's, or that of a leaf of its own."""
        stands: dict[str, str] = {}
        for run in runs:
            for k in range(run.start + run.period, run.stop):
                first = run.start + (k - run.start) % run.period
                stands[self.operations[k].id] = self.operations[first].id
                for edge, like in zip(self.inputs[k], self.inputs[first]):
                    if edge.source != like.source and edge.source in self.leaves and like.source in self.leaves:
                        own, standing = edge.source, like.source
                        while own in stands:  # two runs may have the same leaves
                            own = stands[own]
                        while standing in stands:
                            standing = stands[standing]
                        if own != standing:
                            stands[own] = standing
        for identity, standing in stands.items():
            while standing in stands:
                standing = stands[standing]
            stands[identity] = standing
        return stands

    def leaf_kind(self, edge: Edge) -> str | None:
        leaf = self.leaves.get(edge.source)
        return None if leaf is None else leaf.kind

    def _source(self, k: int, e: int) -> int:
        """Which operation the edge `e` of operation k comes from; -1 for a leaf."""
        return self.position.get(self.inputs[k][e - self.first[k]].source, -1)

    def _chained(self, run: Run) -> bool:
        """Whether each part is made from the one before."""
        second = range(run.start + run.period, run.start + 2 * run.period)
        return any(run.start <= self.position.get(e.source, -1) < second[0] for k in second for e in self.inputs[k])

    def _together(self, run: Run) -> bool:
        """Whether all parts are in the same modules: calls that run in several threads are mixed on the tape."""
        inside = self.operations[run.start : run.stop]
        return len({self.paths[vertex.group][: run.level] for vertex in inside}) == 1


def _inside(vertex: Vertex) -> Hashable:
    """What a vertex that stands for others consists of."""
    assert vertex.fold is not None
    fold = vertex.fold
    own = vertex.label if vertex.kind != "module" else ""
    members = tuple([(m.kind, m.label if m.kind != "parameter" else "", m.shape, m.dtype) for m in fold.members])
    return own, fold.kind, fold.times, members


def _stretches(flags: Any, at_least: int) -> list[tuple[int, int]]:
    """Where flags are set, at least so many in a row: begins and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= at_least
    return list(zip(begins[long].tolist(), ends[long].tolist()))
