"""The walk from a tape to a `Graph`: everything that the outputs depend on, with names and module calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..node import Leaf, Node, Parts, Value
from ..primitive import Primitive
from ..tape import Tape
from ..tensor import Tensor
from .calls import Call, calls_of
from .elements import Edge, Fold, Graph, Group, Vertex, collector_paused

__all__ = ["Edge", "Fold", "Graph", "Group", "Vertex", "given_names", "kept_by", "own_names", "walk"]


def walk(*outputs: Tensor, names: Mapping[str, Tensor] | Any = None) -> Graph:
    """The vertices, edges and groups of the computation that led to `outputs`.

    Parameters
    ----------
    *outputs : Tensor
        Usually one, the loss.
    names : Module or mapping of str to Tensor, optional
        What to call the leaves and results; a module stands for its `named_parameters()`. Without it, they have the
        name that was given to the Tensor, or else the one that it has in the module that used it.

    Returns
    -------
    Graph

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.inspection import walk
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> graph = walk(x * x + 1.0)
    >>> [(vertex.kind, vertex.label) for vertex in graph.vertices]
    [('parameter', 'x'), ('operation', 'multiply'), ('number', '1'), ('output', 'add')]
    >>> len(graph.edges)
    4
    """
    given = given_names(names)
    with collector_paused():
        return _Walk(Tape(*outputs), outputs, given, names).graph()


class _Walk:
    """The state of a walk: what has been found, and by what names."""

    def __init__(self, tape: Tape, outputs: tuple[Tensor, ...], given: dict[Node, str], names: Any):
        self.tape, self.given = tape, given
        self.results = {output.node for output in outputs}
        self.untracked = {output.node for output in outputs if not output.requires_grad}
        self.outermost, self.around = calls_of(tape)
        self.own = own_names(self.outermost)
        titles = {id(module): name for name, module in names.named_modules()} if hasattr(names, "named_modules") else {}
        self.groups = _groups(self.outermost, titles)
        self.parents = {group.id: group.parent for group in self.groups}
        self.gone = {f"m{call.start}" for call in self.outermost if call.module is None}  # and cannot say what it has
        for group in self.groups:
            if group.parent in self.gone:
                self.gone.add(group.id)
        self.vertices: dict[str, Vertex] = {}
        self.edges: list[Edge] = []
        self.dtypes = _Dtypes()
        self.kept: dict[Any, tuple[tuple[bool, ...], bool]] = {}
        self.homes: dict[str, str | None] = {}  # the group of each leaf that belongs to a module

    def graph(self) -> Graph:
        for node in self.tape:
            if isinstance(node, Leaf):
                self.add_leaf(node, "input" if node in self.untracked else "parameter")
            else:
                self.add_operation(node)
        for identity, home in self.homes.items():
            leaf = self.vertices[identity]
            self.vertices[identity] = Vertex(*leaf[:6], home, False, leaf.node)  # sooner than _replace
        return Graph(tuple(self.vertices.values()), tuple(self.edges), tuple(self.groups))

    def add_leaf(self, node: Node, kind: str) -> None:
        identity = f"n{node.index}"
        label = self.given.get(node) or node.name or self.own.get(node) or ("constant" if kind == "input" else kind)
        dtype = self.dtypes[node.dtype]
        self.vertices[identity] = Vertex(identity, kind, label, None, node.shape, dtype, None, False, node)

    def add_operation(self, node: Node) -> None:
        target, primitive, parents, vertices = f"n{node.index}", node.primitive, node.parents, self.vertices
        call = self.around.get(node)
        group = None if call is None else f"m{call.start}"
        result = node.shape[0] if node.kind is Parts and node.shape else node.shape
        case = primitive, tuple([parent is not None for parent in parents])
        kept = self.kept.get(case)
        if kept is None:
            kept = self.kept[case] = kept_by(*case)
        constants = node.constants or (None,) * len(parents)
        for k, (parent, constant) in enumerate(zip(parents, constants)):
            source = parent if parent is not None else constant
            if isinstance(source, Node):
                identity = f"n{source.index}"
                if identity not in vertices:
                    self.add_leaf(source, "input")
                if source.primitive is None and (source in self.own or (parent is not None and group in self.gone)):
                    self.settle(identity, group)
                value = node if source.kind is Parts else source  # `node` takes one of several results
                shape, dtype = value.shape, self.dtypes[value.dtype]
            elif source is None:
                continue  # an optional input that was not given
            else:
                identity = f"{target}_{k}"
                shape, dtype = self.add_constant(identity, source, group)
            part = primitive.called(k)
            stretched = primitive.broadcasts and shape != result
            self.edges.append(Edge(identity, target, part, shape, dtype, stretched, kept[0][k]))
        kind = "output" if node in self.results else "operation"
        name = self.given.get(node) or node.name
        shape, dtype = ((), "") if node.kind is Parts else (node.shape, self.dtypes[node.dtype])  # parts are vertices
        vertices[target] = Vertex(target, kind, primitive.name, name, shape, dtype, group, kept[1], node)

    def add_constant(self, identity: str, source: Any, group: str | None) -> tuple[tuple[int, ...], str]:
        """A vertex for a plain array, which may come from anywhere, or for a number, which was written there."""
        if isinstance(source, tuple):
            shape, dtype = source[0], self.dtypes[source[1]]
            self.vertices[identity] = Vertex(identity, "input", "constant", None, shape, dtype)
            return shape, dtype
        number = f"{source:.6g}" if isinstance(source, float) else str(source)
        dtype = type(source).__name__
        self.vertices[identity] = Vertex(identity, "number", number, None, (), dtype, group)
        return (), dtype

    def settle(self, leaf: str, group: str | None) -> None:
        """A parameter stands in the innermost group in which all of its users are."""
        if leaf not in self.homes:
            self.homes[leaf] = group
            return
        around = set()
        home = self.homes[leaf]
        while home is not None:
            around.add(home)
            home = self.parents[home]
        while group is not None and group not in around:
            group = self.parents[group]
        self.homes[leaf] = group


class _Dtypes(dict[Any, str]):
    """The names of dtypes, which NumPy takes long to find."""

    def __missing__(self, dtype: Any) -> str:
        self[dtype] = name = str(dtype)
        return name


def kept_by(primitive: Primitive, tracked: tuple[bool, ...]) -> tuple[tuple[bool, ...], bool]:
    """For each input, and for the result: does an operation with these tracked inputs save it?"""
    if primitive.variadic:
        everything = primitive.inputs[0] in primitive.saves
        rest = "others" in primitive.saves
        alone = tracked.count(True) == 1  # then nobody needs the tracked one
        inputs = tuple([everything or (rest and not (on and alone)) for on in tracked])
        active = set(primitive.inputs)
    else:
        active = {name for name, on in zip(primitive.inputs, tracked) if on}
        inputs = tuple([not active.isdisjoint(primitive.users(name)) for name in primitive.inputs])
    return inputs, any(not active.isdisjoint(primitive.users(name)) for name in primitive.outputs)


def _groups(outermost: Iterable[Call], titles: Mapping[int, str]) -> list[Group]:
    groups = []
    stack = [*reversed([*outermost])]
    while stack:
        call = stack.pop()
        label = titles.get(id(call.module)) or call.name or call.kind
        groups.append(
            Group(f"m{call.start}", label, call.kind, None if call.parent is None else f"m{call.parent.start}")
        )
        stack += reversed(call.children)
    return groups


def own_names(outermost: Iterable[Call]) -> dict[Node, str]:
    """What the modules that were called call their parameters and buffers."""
    names: dict[Node, str] = {}
    seen = set()
    for call in outermost:
        if call.module is None or id(call.module) in seen:
            continue
        seen.add(id(call.module))
        for listing in ("named_parameters", "named_buffers"):
            for name, tensor in getattr(call.module, listing, tuple)():
                if tensor._node is not None:  # else no operation can have met it
                    names.setdefault(tensor._node, name)
    return names


def given_names(names: Any) -> dict[Node, str]:
    """The names that the user gives."""
    if names is None:
        return {}
    if not hasattr(names, "named_parameters") and not isinstance(names, Mapping):
        raise TypeError(f"names is a module or a dict of name -> Tensor, got {type(names).__name__}.")
    pairs = names.named_parameters() if hasattr(names, "named_parameters") else names.items()
    given = {}
    for name, tensor in pairs:
        if not isinstance(tensor, Value):
            kind = type(tensor).__name__
            raise TypeError(f"names is a module or a dict of name -> Tensor, but {name!r} is a {kind} there.")
        given[tensor._described()] = str(name)
    return given
