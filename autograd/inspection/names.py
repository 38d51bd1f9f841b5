"""Symbols for what is on a tape, as one writes them on a board: W2, b2, z2, a2, δ2, L, J.

The names that the user gave come first. What is left gets a symbol by its role in a network: the k-th affine map has
the weight Wk, the bias bk and the result zk, whose cotangent is δk; an activation function makes ak of it. Everything
else is counted: v1, v2, … for values, c1, c2, … for constants. No two things share a symbol, and the same computation
gets the same symbols.
"""

from __future__ import annotations

import re
from typing import Any

from ..node import Leaf, Node, Parts
from ..tape import Tape
from ..tensor import Tensor
from .calls import calls_of
from .graph import given_names, own_names
from .notation import RAISED, Symbol, symbol
from .roles import (
    ACTIVATIONS,
    Affine,
    affine_of,
    constants_of,
    inner_of,
    is_activation,
    leaf_of,
    shape_of,
    source_of,
    transposes,
)

__all__ = ["Symbols", "symbols_of"]


class Symbols:
    """The symbols of a tape. Made by `symbols_of`.

    Attributes
    ----------
    nodes : dict
        Node -> Symbol, for each node of the tape and for each constant that is a Tensor. For a constant of another
        kind: (operation, position of the input) -> Symbol. For a result of an operation with several that nothing
        depends on: (operation, its name) -> Symbol.
    deltas : dict of Node to Symbol
        For the cotangents of the results of affine maps; `cotangent` gives those of all nodes.
    affine : dict of Node to Affine
        The affine maps, by their results.
    views : set of Node
        What is only the transpose of something, and is called so.
    target : Symbol
        What is differentiated: the output if it is one number, else J, which stands for any number made of it.
    """

    def __init__(self) -> None:
        self.nodes: dict[Any, Symbol] = {}
        self.deltas: dict[Node, Symbol] = {}
        self.affine: dict[Node, Affine] = {}
        self.layers: dict[Node, int] = {}  # the numbers of these
        self.views: set[Node] = set()
        self.target = Symbol("J", "J")

    def of_input(self, node: Node, position: int) -> Symbol | None:
        """The symbol of an input of an operation, tracked or not; None for a number, and for what was not given."""
        key = source_of(node, position)
        return self.nodes[key] if isinstance(key, Node | tuple) else None

    def cotangent(self, node: Node) -> Symbol:
        """The symbol of the cotangent of a node of the tape."""
        return self.deltas.get(node) or self.derivative(node)

    def derivative(self, node: Node) -> Symbol:
        """What the cotangent of a node is, as in ∂J/∂z3."""
        (of, of_latex), (by, latex) = self.target, self.nodes[node]
        if "ᵀ" in by:
            by, latex = f"({by})", f"\\left({latex}\\right)"
        return Symbol(f"∂{of}/∂{by}", f"\\frac{{\\partial {of_latex}}}{{\\partial {latex}}}")


def symbols_of(output: Tensor, *, names: Any = None) -> Symbols:
    """Find the symbols for all that `output` depends on.

    Parameters
    ----------
    output : Tensor
    names : Module or mapping of str to Tensor, optional
        What the user calls some of it. The parameters of a module get symbols by their role.

    Returns
    -------
    Symbols

    Raises
    ------
    TypeError
        If the output is not a Tensor, or `names` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd
    >>> from autograd.inspection import symbols_of
    >>> w = autograd.Tensor([[1.0, 2.0]], requires_grad=True, name="w")
    >>> b = autograd.Tensor([0.0], requires_grad=True)
    >>> loss = autograd.sigmoid(np.ones((5, 2)) @ w.T + b).mean()
    >>> symbols = symbols_of(loss)
    >>> [symbols.nodes[node].text for node in autograd.Tape(loss)]
    ['w', 'b1', 'wᵀ', 'v1', 'z1', 'a1', 'J']
    >>> symbols.cotangent(loss.node.parents[0]).text
    '∂J/∂a1'
    """
    return _Naming(output, names).run()


class _Naming:
    """The state of one search for symbols."""

    def __init__(self, output: Tensor, names: Any):
        given = given_names(names)
        self.tape, self.output = Tape(output), output.node
        self.calls = calls_of(self.tape)
        self.own = own_names(self.calls.outermost)
        if hasattr(names, "named_parameters"):  # a module gives no symbols: its parameters have roles
            self.own, given = {**self.own, **given}, {}
        self.given = given
        self.taken: set[str] = set()
        self.repeated: dict[str, int] = {}
        self.counts = {"v": 0, "c": 0, "r": 0}
        self.symbols = Symbols()
        self.found = self.symbols.nodes

    def run(self) -> Symbols:
        constants = [key for node in self.tape for key in constants_of(node)]
        for node in [*self.tape, *(key for key in constants if isinstance(key, Node))]:
            self.call(node, self.given.get(node) or node.name)
        self.find_cost()
        self.find_layers()
        for key in constants:
            self.call(key, self.own.get(key))
            self.count(key, "c")
        for node in self.tape:
            self.call(node, self.own.get(node))
            if transposes(node) and node not in self.found:
                text, latex = self.found[node.parents[0]]  # older, so it has one
                self.give(node, f"{text}ᵀ", f"{{{latex}}}^{{\\top}}")
                self.symbols.views.add(node)
            self.count(node, "r" if node.kind is Parts else "v")
        for node in self.tape:
            if node.kind is Parts:
                for name in node.primitive.outputs:
                    self.give((node, name), *symbol(name))
        self.find_deltas()
        return self.symbols

    # Giving a symbol to what has none

    def give(self, key: Any, text: str, latex: str) -> None:
        """This symbol, or one with a number if something else has it."""
        if key not in self.found:
            self.found[key] = self.unique(text, latex)

    def call(self, key: Any, name: str | None) -> None:
        """The name that a user or a module has for it, if there is one."""
        if name and name.strip() and key not in self.found:
            self.give(key, *symbol(name))

    def count(self, key: Any, letter: str) -> None:
        """The next of v1, v2, …"""
        while key not in self.found:
            self.counts[letter] += 1
            k = self.counts[letter]
            if f"{letter}{k}" not in self.taken:
                self.give(key, f"{letter}{k}", f"{letter}_{{{k}}}")

    def unique(self, text: str, latex: str) -> Symbol:
        plain = Symbol(text, latex)
        while text in self.taken or latex in self.taken:
            k = self.repeated[plain.text] = self.repeated.get(plain.text, 1) + 1
            text, latex = f"{plain.text}⁽{str(k).translate(RAISED)}⁾", f"{{{plain.latex}}}^{{({k})}}"
        self.taken |= {text, latex}
        return Symbol(text, latex)

    # Roles

    def find_cost(self) -> None:
        """J, and the losses L of which it is the mean or the sum."""
        if self.output.kind is not Parts and self.output.shape == ():
            self.give(self.output, "J", "J")
            self.symbols.target = self.found[self.output]
        else:
            self.symbols.target = self.unique("J", "J")
            return
        node = self.output
        while not isinstance(node, Leaf) and (parent := inner_of(node)) is not None:
            name = node.primitive.name
            if name in ("mean", "sum"):
                if parent.shape and not isinstance(parent, Leaf) and not self.is_output_of_layer(parent):
                    self.give(parent, "L", "L")
                return
            if name != "divide" or parent.shape:
                return
            node = parent

    def is_output_of_layer(self, node: Node) -> bool:
        """Whether a node is an affine map or an activation, which are no losses."""
        return affine_of(node) is not None or node.primitive.name in ACTIVATIONS

    def find_layers(self) -> None:
        """W, b, z of affine maps; a of activations; γ, β of normalisations; x and y."""
        affine = [found for node in self.tape if (found := affine_of(node)) is not None]
        layers = self.symbols.layers
        self.symbols.affine.update({map_.z: map_ for map_ in affine})
        layers.update(zip([map_.z for map_ in affine], self.numbers(affine)))
        if affine and isinstance(affine[0].x, Leaf | tuple):
            self.give(affine[0].x, "x", "x")
        for map_ in affine:
            k = layers[map_.z]
            for key, letter in ((map_.weight, "W"), (map_.bias, "b"), (map_.z, "z")):
                if key is not None:
                    self.give(key, f"{letter}{k}", f"{letter}_{{{k}}}")
        activations = {call for call in set(self.calls.around.values()) if is_activation(call)}
        level: dict[Node, int] = {}  # the layer of each value between an affine map and the next
        shapes = {k: z.shape for z, k in layers.items()}
        active: set[int] = set()
        scaled = 0
        for node in self.tape:
            if node in layers:
                level[node] = layers[node]
                continue
            if isinstance(node, Leaf):
                continue
            scaled += self.find_scale(node, scaled + 1)
            above = [level[parent] for parent in node.parents if parent in level]
            if above:
                k = level[node] = max(above)
            if above and node.kind is not Parts:
                call = self.calls.around.get(node)
                last = (
                    node is call.output
                    if call is not None and call in activations
                    else node.primitive.name in ACTIVATIONS
                )
                if last and k not in active and node.shape == shapes[k]:
                    active.add(k)
                    self.give(node, f"a{k}", f"a_{{{k}}}")
            self.find_target(node, level)

    def numbers(self, affine: list[Affine]) -> list[int]:
        """The number of each layer: those in the user's names of the weights, if they differ; else 1, 2, …"""
        texts = [self.found[map_.weight].text if map_.weight in self.found else "" for map_ in affine]
        found = [int(match[1]) for text in texts if (match := re.fullmatch(r"[^\W\d_]+_?([0-9]{1,4})", text))]
        if len(set(found)) == len(affine):
            return found
        return list(range(1, len(affine) + 1))

    def find_scale(self, node: Node, k: int) -> bool:
        """γ and β of an operation with a weight and a bias that is not an affine map."""
        inputs = node.primitive.inputs
        if inputs[1:3] != ("weight", "bias"):
            return False
        for position, text, latex in ((1, "γ", "\\gamma"), (2, "β", "\\beta")):
            key = leaf_of(source_of(node, position))
            if key is not None:
                self.give(key, f"{text}{k}", f"{latex}_{{{k}}}")
        return True

    def find_target(self, node: Node, level: dict[Node, int]) -> None:
        """y: the constant that a loss is given, or that is subtracted from what a layer gave."""
        inputs, parents = node.primitive.inputs, node.parents
        if len(inputs) != 2 or len(parents) != 2 or parents[0] is None or "y" in self.taken:
            return
        loss = inputs[0] != "x" and inputs[1] in ("y", "target")
        if loss or (node.primitive.name == "subtract" and parents[0] in level):
            key = source_of(node, 1)
            if not isinstance(key, Leaf | tuple) or parents[1] is not None:
                return
            if loss or shape_of(node, 1) == parents[0].shape:
                self.give(key, "y", "y")

    def find_deltas(self) -> None:
        """δ, where no user has that name for something."""
        for node, k in self.symbols.layers.items():
            if f"δ{k}" not in self.taken and f"\\delta_{{{k}}}" not in self.taken:
                self.symbols.deltas[node] = self.unique(f"δ{k}", f"\\delta_{{{k}}}")
