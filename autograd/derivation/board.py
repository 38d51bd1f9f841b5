"""A tape on the board: what its values, its operations and its rules are as expressions.

By rows they are what is computed. By columns, as the lecture writes them, what has a row for each example is written as
its own transpose: a symbol then stands for the matrix with the examples as columns, and each formula is transposed.
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from ..formulas import Expression, Formula, Symbol, algebra, formula, forward_formula
from ..formulas.algebra import as_expression
from ..formulas.vocabulary import named
from ..inspection.names import symbols_of
from ..inspection.notation import Symbol as Name
from ..inspection.roles import shape_of, source_of, transposes
from ..node import Leaf, Node, Parts
from ..tape import Tape
from ..tensor import Tensor
from .tidy import as_column, put_in, shapes_known, size_of, tidied

__all__ = ["Board"]

#: Up to how many symbols a formula grows when cotangents are expanded in it, and through how many operations.
LONGEST, DEEPEST = 12, 64


class Board:
    """A tape with its symbols, and the formulas of its operations.

    Attributes
    ----------
    nodes : list of Node
        The tape, oldest first.
    symbols : Symbols
    users : dict
        Node -> the operations that use it, newest first, each with the position of the input.
    turned : set
        What is written by columns.
    """

    def __init__(self, output: Tensor, names: Any, columns: bool):
        self.symbols = symbols_of(output, names=names)
        self.output = output.node
        self.nodes = list(Tape(output))
        self.users: dict[Node, list[tuple[Node, int]]] = {node: [] for node in self.nodes}
        for node in reversed(self.nodes):
            for position, parent in enumerate(node.parents):
                if parent is not None:
                    self.users[parent].append((node, position))
        self.layers: dict[Node | None, list[Node]] = defaultdict(list)  # of each weight and bias
        for map_ in self.symbols.affine.values():
            for leaf in {map_.weight, map_.bias}:
                self.layers[leaf].append(map_.z)
        # now, since a backward pass may come before the derivation is read
        self.options = {n: options_of(n) for n in self.nodes if n.primitive is not None and n.primitive.options}
        self.turned: set[Any] = self.find_turned() if columns else set()

    def find_turned(self) -> set[Any]:
        """The matrices with a row for each example: the input of the first layer, and what comes of it."""
        layers = [map_ for map_ in self.symbols.affine.values() if map_.rows and len(map_.z.shape) == 2]
        if not layers:
            return set()
        count = layers[0].z.shape[0]
        turned: set[Any] = {map_.x for map_ in layers if map_.z.shape[0] == count and isinstance(map_.x, Leaf | tuple)}
        for node in self.nodes:
            if isinstance(node, Leaf):
                continue
            keys = [source_of(node, position) for position in range(len(node.parents))]
            if turned.isdisjoint(key for key in keys if isinstance(key, Node | tuple)):
                continue
            if node.kind is Parts:
                results = zip(node.primitive.outputs, node.shape)
                turned |= {node} | {(node, name) for name, shape in results if _is_matrix(shape, count)}
            elif _is_matrix(node.shape, count):
                turned.add(node)
            for position, key in enumerate(keys):  # such as the targets
                untracked = isinstance(key, tuple) or (isinstance(key, Leaf) and node.parents[position] is None)
                shape = shape_of(node, position) if untracked else None
                vector = isinstance(key, tuple) and node in turned and _adds(node) and len(shape or ()) == 1
                if vector or _is_matrix(shape, count):
                    turned.add(key)
        # what is transposed by hand is a column matrix already
        turned -= {node.parents[0] for node in self.nodes if transposes(node)}
        vectors = [node for node in self.nodes if isinstance(node, Leaf) and len(node.shape) == 1]
        met = {node for node in vectors if all(user in turned and _adds(user) for user, _ in self.users[node])}
        return turned | met

    # Values and cotangents

    def symbol(self, key: Any, shape: tuple[int, ...], name: Name) -> Expression:
        """A symbol for what has this shape; of what is turned, the transpose of its symbol."""
        if key not in self.turned or not 0 < len(shape) < 3:
            return Symbol(name.text, shape, name.latex)
        return Symbol(name.text, self.shape(key, shape), name.latex).transposed()

    def value(self, node: Node) -> Expression:
        """A node of the tape."""
        if node in self.symbols.views:
            parent = node.parents[0]
            assert parent is not None
            return self.symbol(parent, parent.shape, self.symbols.nodes[parent]).transposed()
        return self.symbol(node, node.shape, self.symbols.nodes[node])

    def operand(self, node: Node, position: int) -> Any:
        """An input of an operation; None where it was not given."""
        key = source_of(node, position)
        if isinstance(key, tuple):
            return self.symbol(key, shape_of(node, position) or (), self.symbols.nodes[key])
        if isinstance(key, Node):
            return self.value(key)
        return None if key is None else as_expression(key)

    def cotangent(self, node: Node) -> Expression:
        """The cotangent of a node, as a symbol."""
        return self.symbol(node, node.shape, self.symbols.cotangent(node))

    def shown(self, e: Expression, key: Any, shape: tuple[int, ...]) -> Expression:
        """How the formula of a value or a cotangent is written: of what is turned, its transpose."""
        if key not in self.turned:
            return e
        vector = len(shape) == 1 and (e.shape is None or len(e.shape) == 1)
        return tidied(as_column(e) if vector else e.transposed())

    def shape(self, key: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a value as it is written."""
        if key not in self.turned or not 0 < len(shape) < 3:
            return shape
        return shape[::-1] if len(shape) == 2 else (*shape, 1)

    # Operations and rules

    def names(self, node: Node) -> dict[str, Any]:
        """What the names in the rules of an operation stand for."""
        primitive = node.primitive
        known = dict(self.options.get(node, ()))
        for name, value in known.items():  # such as the mask of a dropout
            if node in self.turned and isinstance(value, Symbol) and value.shape == node.shape:
                known[name] = self.symbol(node, node.shape, Name(value.name, value.tex))
        if primitive.variadic:
            known |= {f"{primitive.inputs[0]}_{k}": self.operand(node, k) for k in range(len(node.parents))}
        else:
            known |= {name: self.operand(node, k) for k, name in enumerate(primitive.inputs)}
        if node.kind is not Parts:
            return known | {name: self.value(node) for name in primitive.outputs}
        parts = self.parts(node)
        for k, name in enumerate(primitive.outputs):
            shape: Any = node.shape[k]
            key: Any = parts.get(k, (node, name))
            known[name] = self.symbol(key, shape, self.symbols.nodes[key])
        return known

    def parts(self, node: Node) -> dict[int, Node]:
        """The results of an operation with several that something depends on, by their numbers."""
        return {number_of(part): part for part, _ in self.users[node] if part.primitive.inputs == ("results",)}

    def forward(self, node: Node) -> Expression:
        """The formula of an operation."""
        whole = node.parents[0]
        if whole is None or whole.kind is not Parts or node.primitive.inputs != ("results",):
            found = bound(forward_formula(node.primitive), self.names(node), node.shape)
            return self.shown(tidied(found), node, node.shape)
        if whole.primitive.outputs:
            return self.result(whole, whole.primitive.outputs[number_of(node)], node)
        every = bound(forward_formula(whole.primitive), self.names(whole))  # any number of results, without names
        return self.shown(tidied(algebra.subscript(every, str(number_of(node)), node.shape)), node, node.shape)

    def result(self, whole: Node, name: str, key: Any) -> Expression:
        """The formula of one of several results: of the node of its own `key`, if it has one."""
        names, outputs = self.names(whole), whole.primitive.outputs
        shape: Any = whole.shape[outputs.index(name)]
        found = bound(forward_formula(whole.primitive, name), names, shape)
        return self.shown(tidied(put_in(found, {n: names[n] for n in outputs})), key, shape)

    def term(self, user: Node, position: int, g: Any) -> Expression:
        """What an operation adds to the cotangent of one of its inputs, for the cotangent `g` of its result."""
        primitive = user.primitive
        names = {**self.names(user), "g": g, **({"i": position} if primitive.variadic else {})}
        parent = user.parents[position]
        assert parent is not None
        of = formula(primitive, 0 if primitive.variadic else position)
        found = bound(of, names, parent.shape)
        if found.shape is None and primitive.broadcasts:  # the sum over what was broadcast needs the shape
            found = algebra.summed_to(replace(found, shape=user.shape), parent.shape)
        found = tidied(found)
        if found.shape is None:
            return replace(found, shape=parent.shape)
        return found if _stretches(found.shape, parent.shape) else called(of, names, parent.shape)

    def terms(self, node: Node, known: Mapping[Node, Expression]) -> list[tuple[Node, int, Expression]]:
        """What the cotangent of a node is the sum of: the operation, the position, and the formula.

        Cotangents that are `known` are put in, others are symbols.
        """
        found = []
        for user, position in self.users[node]:
            if user.kind is Parts:
                parts = self.parts(user)
                g: Any = tuple([self.seen(parts[k], known) if k in parts else None for k in range(len(user.shape))])
            else:
                g = self.seen(user, known)
            found.append((user, position, self.term(user, position, g)))
        return found

    def seen(self, node: Node, known: Mapping[Node, Expression]) -> Expression:
        return known[node] if node in known else self.seed(node) or self.cotangent(node)

    def seed(self, node: Node) -> Expression | None:
        """∂J/∂J = 1."""
        return as_expression(1) if node is self.output and node.shape == () else None

    # Gradients

    def gradient(self, node: Node) -> Expression:
        """The cotangent of a leaf, as far back as the next δ: those in between are put in, while that is readable."""
        if node is self.output:
            return self.seed(node) or self.cotangent(node)
        own = self.layers[node]
        through = own[0] if len(own) == 1 else None  # of several layers, each adds its δ
        cone, waiting = {node}, [node]
        while waiting and len(cone) < DEEPEST:
            for user, _ in self.users[waiting.pop(0)]:
                for after in self.parts(user).values() if user.kind is Parts else (user,):
                    stops = after in self.symbols.affine and after is not through
                    if after not in cone and not stops and after is not self.output:
                        cone.add(after)
                        waiting.append(after)
        known: dict[Node, Expression] = {}
        for inner in sorted(cone, key=lambda n: n.index, reverse=True):
            found = tidied(added([e for _, _, e in self.terms(inner, known)]))
            fits = found.shape == inner.shape and shapes_known(found)  # sums over what was broadcast depend on it
            if inner is node or (fits and size_of(found) <= LONGEST):
                known[inner] = found
        return known[node]


# Formulas


#: Options on which the shapes in a formula depend.
_PLACES = frozenset({"axis", "axes", "axis1", "axis2", "keepdims"})


def bound(of: Formula, names: dict[str, Any], shape: Any = None) -> Expression:
    """A formula with these names; a plain call of the operation where it cannot be written so."""
    wanted = of.primitive.options if of.input is None else of.primitive.wants(of.primitive.rules[of.input])
    if not any(isinstance(names.get(option), Symbol) for option in _PLACES.intersection(wanted)):
        with suppress(Exception):  # any other option that is not known any more can be in the middle of a rule
            return of.bind(names, shape)
    return called(of, names, shape)


def called(of: Formula, names: dict[str, Any], shape: Any) -> Expression:
    """The operation, or its rule, as a call."""
    inputs = [name for name in names if name.startswith(f"{of.primitive.inputs[0]}_")]  # of a sequence of arrays
    given = [names.get(name) for name in (*(["g"] if of.input else []), *(inputs or of.primitive.inputs))]
    operands = [o for g in given for o in (g if isinstance(g, tuple | list) else (g,))]
    return named(of.label(names.get("i")), *[o for o in operands if o is not None], shape=shape)


def added(terms: list[Expression]) -> Expression:
    """Their sum."""
    return functools.reduce(algebra.add, terms)


# What the tape knows


def options_of(node: Node) -> dict[str, Any]:
    """The options that an operation was called with, as far as they are known; else their names."""
    primitive = node.primitive
    found: dict[str, Any] = {name: Symbol(name) for name in primitive.options}
    if "shape" in found and node.kind is not Parts:
        found["shape"] = node.shape
    if node.saved is None:
        return found | _reduction(node) | ({"axes": None} if transposes(node) else {})
    for name, value in zip(primitive.saves, node.saved):
        if name in found:
            shape = getattr(value, "shape", ())
            if shape:
                found[name] = Symbol(name, tuple(shape))
            elif _is_written(value):
                found[name] = value
    return found


def _is_written(value: Any) -> bool:
    """Whether an option is something that a formula can show: a number, a word, an index; not an object."""
    if value.__class__ in (tuple, list):
        return all(map(_is_written, value))
    return value is None or value is Ellipsis or isinstance(value, _WRITTEN)


_WRITTEN = (int, float, complex, str, slice, np.generic, np.ndarray, np.dtype, type)


_REDUCTIONS = frozenset({"sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "nanmax", "nanmin"})


def _reduction(node: Node) -> dict[str, Any]:
    """Over what axes a reduction went whose options a backward pass has released, if its shapes leave one answer."""
    parent = node.parents[0]
    if node.primitive.name not in _REDUCTIONS or parent is None or len(parent.shape) > 6:
        return {}
    axes = range(len(parent.shape))
    subsets = [s for k in range(1, len(parent.shape) + 1) for s in itertools.combinations(axes, k)] or [()]
    fitting = [
        (subset, keepdims)
        for keepdims in (False, True)
        for subset in subsets
        if algebra.total(Symbol("a", parent.shape), subset, keepdims).shape == node.shape
    ]
    if len(fitting) != 1:
        return {}
    [(subset, keepdims)] = fitting
    return {"axis": None if len(subset) == len(axes) else subset, "keepdims": keepdims}


def number_of(part: Node) -> int:
    """Which of several results this is."""
    assert part.saved is not None  # no backward pass releases it
    return part.saved[part.primitive.saves.index("k")]  # type: ignore[no-any-return]


def _adds(user: Node) -> bool:
    """Whether a vector among the inputs of an operation meets each row of the others."""
    return user.primitive.broadcasts or user.primitive.inputs[1:3] == ("weight", "bias")


def _stretches(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether an array of this shape is one of the shape that is wanted, but for axes of length 1."""
    with suppress(ValueError):
        return bool(np.broadcast_shapes(shape, (1, *wanted))[1:] == wanted)
    return False


def _is_matrix(shape: Any, count: int) -> bool:
    return shape is not None and len(shape) == 2 and shape[0] == count
