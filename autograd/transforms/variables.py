"""Variables, and the piece of tape between them and what was computed from them.

A transform never needs levels or marks that tell one differentiation from another: each variable is a node of its
own, made for one call of one function, and a gradient is asked for with respect to that node. A variable made of
a Tensor that is tracked already is an alias: its one parent is the Tensor's node, so what is recorded flows on
to it; any other variable has no parent. All that a call records has a higher index than the tick at its start.
So a parent with a lower index (or a leaf, as variables are none) is from outside: a derivative must be recorded
exactly if there is one.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..cotangent import own
from ..devices import as_array, check_same_device, describe, device_of, move
from ..modes import current_mode
from ..node import Node, Parts, Value, data_of, tick
from ..primitive import Primitive, Repeated
from ..tape import by_index, check_fresh, pull_back
from ..wrapping import wrap

__all__ = ["Stretch", "fitted", "noted", "recorded_since", "stand_in", "variable"]


def _made(name: str, signature: str, pulls: Any, **rules: Any) -> Primitive:
    """A primitive that is recorded by hand, here and not by a recorder."""
    primitive = Primitive(lambda *inputs: inputs, signature, rules)
    primitive.name, primitive.pulls = name, pulls
    return primitive


_VARIABLE = _made("variable", "x -> y", (lambda g, saved: g,), x=lambda g: g)

#: Several outputs as one, whose cotangent is a `Parts`.
_OUTPUTS = _made("outputs", "*xs -> y", Repeated(lambda g, saved, i: g.items[i]), xs=lambda g, i: g.items[i])

_NO_PARENT = (None,)


def noted(
    primitive: Primitive, parents: tuple[Node | None, ...], shape: Any, dtype: Any, kind: Any, node: Node | None = None
) -> Node:
    """A node, as a recorder makes it, that saves nothing."""
    node = Node() if node is None else node
    node.primitive, node.parents, node.saved, node.notes, node.calls = primitive, parents, (), None, None
    node.shape, node.dtype, node.kind = shape, dtype, kind
    node.constants = ((shape, dtype),) if parents == _NO_PARENT else None
    node.index = tick()
    return node


class _Variable(Node):
    """The node of a variable. It saves nothing, so it has nothing that a backward pass inside could release."""

    __slots__ = ()

    @property
    def saved(self) -> tuple[Any, ...]:
        return ()

    @saved.setter
    def saved(self, value: Any) -> None:
        pass


def _variable_node(parent: Node | None, like: Any, kind: Any) -> Node:
    return noted(_VARIABLE, (parent,), like.shape, like.dtype, kind, _Variable())


def stand_in(node: Node, linked: bool, index: int) -> Node:
    """The node of a variable in the place of `node`: an alias of it if `linked`."""
    made = _variable_node(node if linked else None, node, node.kind)
    made.index = index
    return made


def variable(array: Any, parent: Node | None = None) -> Any:
    """A Tensor to differentiate with respect to: an alias of what `parent` stands for, or a new input.

    It shares the memory of `array`, read-only: what a user's function does to it must not reach the user's array.
    """
    if array.__class__ is np.ndarray:
        array = array.view()
        array.flags.writeable = False
    return wrap(array, _variable_node(parent, array, array.__class__))


def fitted(given: Any, like: Any, what: str) -> Any:
    """A cotangent or tangent as an array (or the Tensor itself) of the shape and dtype of the array `like`."""
    value = given
    if isinstance(value, np.generic):
        value = as_array(value)
    elif not hasattr(value, "dtype"):
        value = as_array(value, like.dtype)
        value = value if like.__class__ is np.ndarray else move(value, device_of(like))
    array = data_of(value)
    check_same_device("a product with derivatives", {what: array, "what it is for": like})
    if array.shape != like.shape or array.dtype != like.dtype or array.__class__ is not like.__class__:
        raise ValueError(
            f"{what} must be {type(like).__name__} {describe(like)}, got {type(given).__name__} {describe(array)}."
        )
    return value


def recorded_since(
    start: int, outputs: Sequence[Node], variables: frozenset[Node]
) -> tuple[list[Node], set[Node], bool]:
    """What was recorded between some variables and some outputs.

    Returns
    -------
    nodes : list of Node
        What the outputs depend on and was recorded after the tick `start`, newest first; not what is behind an alias.
    outside : set of Node
        What is older, or a leaf, and so not from the variables.
    whole : bool
        Whether each of the nodes leads to the variables without an alias, and nowhere else.
    """
    nodes = list(dict.fromkeys([node for node in outputs if node.index > start]))
    seen = set(nodes)
    outside = set(outputs) - seen
    whole = True
    for node in nodes:  # grows while it is walked
        parents = node.parents
        if node.primitive is _VARIABLE:
            whole = whole and parents == _NO_PARENT and node in variables
            if node in variables:
                continue
        elif not parents:
            outside.add(node)
        for parent in parents:
            if parent is None or parent in seen:
                continue
            if parent.index > start:
                seen.add(parent)
                nodes.append(parent)
            else:
                outside.add(parent)
    nodes.sort(key=by_index, reverse=True)
    return nodes, outside, whole and not outside


class Stretch:
    """The piece of tape between some variables and some outputs: the linear map of their derivatives.

    Parameters
    ----------
    outputs : sequence
        Tensors, or anything else, which has no derivative.
    variables : sequence of Node
    start : int
        The tick before the variables were made.
    recording : bool
        Whether the caller records: if not, nothing from outside counts.

    Attributes
    ----------
    outputs : list of (Node or None)
        None for an output that depends on no variable.
    linked : bool
        Whether derivatives can depend on something that is tracked: because the outputs depend on something from
        outside, or because a variable is an alias.
    """

    __slots__ = ("_copies", "_nodes", "_targets", "_wanted", "linked", "outputs", "variables")

    def __init__(self, outputs: Sequence[Any], variables: Sequence[Node], start: int, recording: bool = True):
        self.variables = variables
        self._targets = targets = frozenset(variables)
        self._copies: dict[Node, Node] | None = None
        given = [o._node if isinstance(o, Value) and o._requires_grad else None for o in outputs]
        nodes, outside, whole = recorded_since(start, [node for node in given if node is not None], targets)
        self._wanted: set[Node] | None = None
        if not whole:
            wanted: set[Node] = set()
            for node in reversed(nodes):
                if node in targets or not wanted.isdisjoint(node.parents):
                    wanted.add(node)
            nodes = [node for node in nodes if node in wanted]
            given = [node if node in wanted else None for node in given]
            self._wanted = wanted
        self._nodes = nodes
        self.outputs = given
        aliases = [node for node in targets.intersection(nodes) if node.parents != _NO_PARENT] if not whole else ()
        self.linked = recording and bool(outside or aliases)

    def pull(self, cotangents: Sequence[Any], release: bool = False) -> list[Any]:
        """The vector-Jacobian product: for each variable an array, or None if nothing depends on it.

        Parameters
        ----------
        cotangents : sequence
            For each output an array or a Tensor; None for zeros.
        release : bool
            Give up what the tape saved, unless the pass is recorded: there will be no other one.

        Returns
        -------
        list
            Of arrays that belong to nobody else; of Tensors if the pass was recorded, because recording is on and
            the stretch is `linked` or a cotangent is tracked.
        """
        pairs = [(node, c) for node, c in zip(self.outputs, cotangents) if node is not None and c is not None]
        if not pairs:
            return [None] * len(self.variables)
        nodes, wanted, variables, targets = self._nodes, self._wanted, self.variables, self._targets
        check_fresh(nodes, wanted)
        record = current_mode().recording and (
            self.linked or any(isinstance(c, Value) and c._requires_grad for _, c in pairs)
        )
        if record and not self.linked:
            copies = self._as_constants()
            pairs = [(copies[node], c) for node, c in pairs]
            nodes, wanted = [copies[node] for node in nodes], None
            variables = [copies.get(v, v) for v in variables]
            targets = frozenset(variables)
        node, seed = _joined(pairs, record)
        if len(pairs) > 1:
            nodes = [node, *nodes]
        found = pull_back(
            nodes, node, seed, release=release and not record, record=record, wanted=wanted, targets=targets
        )
        if record:  # a Tensor of its own for each
            return [_renewed(found[v]) if v in found else None for v in variables]
        return [own(found.pop(v)) if v in found else None for v in variables]

    def _as_constants(self) -> dict[Node, Node]:
        """A copy of each node whose saved values stay constants in a pass that is recorded.

        Such a pass depends on its cotangents alone: for the tape it is as if a matrix were applied to them.
        """
        if self._copies is None:
            self._copies = copies = {}
            for node in reversed(self._nodes):
                copies[node] = twin = copy.copy(node)
                twin.primitive = _keeping(node.primitive)
                parents = [None if parent is None else copies.get(parent) for parent in node.parents]
                twin.parents = _NO_PARENT if node in self._targets else tuple(parents)
        return self._copies


def _renewed(tensor: Any) -> Any:
    """Another Tensor with the same values and history; the `Parts` for a stand-in as it is."""
    if tensor.__class__ is Parts:
        return tensor
    return wrap(tensor._array, tensor._node) if tensor._requires_grad else wrap(tensor._array.copy())


def _joined(pairs: list[tuple[Node, Any]], record: bool) -> tuple[Node, Any]:
    """The node to start from and its cotangent: of several outputs, a node of its own and a `Parts`."""
    cotangents = tuple([(c if isinstance(c, Value) else wrap(c)) if record else data_of(c) for _, c in pairs])
    if len(pairs) == 1:
        return pairs[0][0], cotangents[0]
    parents = tuple([node for node, _ in pairs])
    shapes, dtypes = tuple([node.shape for node in parents]), tuple([node.dtype for node in parents])
    return noted(_OUTPUTS, parents, shapes, dtypes, Parts), Parts(dict(enumerate(cotangents)), shapes, dtypes)


@functools.cache
def _keeping(primitive: Primitive) -> Primitive:
    """`primitive`, but nothing that its nodes saved becomes a Tensor in a pass that is recorded."""
    twin = copy.copy(primitive)
    twin.saves = ()
    return twin
