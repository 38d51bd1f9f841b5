"""What the steps of a page say: symbols, and the formulas of both passes with shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..derivation.board import Board
from ..display.text import shortened
from ..formulas import formula, forward_formula
from ..inspection.elements import Vertex
from ..node import Node, Parts
from ..tensor import Tensor

__all__ = ["Words"]

#: The longest formula, in characters.
_LONGEST = 400


class Words:
    """The symbols and formulas of a computation; those of its functions alone if it has several outputs."""

    def __init__(self, outputs: Sequence[Tensor], names: Any):
        self.board = Board(outputs[0], names, columns=False) if len(outputs) == 1 else None
        self.target = "J" if self.board is None else self.board.symbols.target.text
        self._terms: dict[tuple[Node, int], str] = {}
        self._known: dict[Any, Any] = {} if self.board is None else self.board.symbols.nodes
        self._constants = {f"n{key[0].index}_{key[1]}": s for key, s in self._known.items() if isinstance(key, tuple)}

    def symbol(self, vertex: Vertex) -> str:
        """How a vertex is called on the board."""
        found = None if self.board is None else self._constants.get(vertex.id) or self._known.get(vertex.node)
        return found.text if found is not None else vertex.name or vertex.label

    def cotangent(self, vertex: Vertex) -> str | None:
        """How its cotangent is called there, if it has one."""
        tracked = vertex.kind in ("parameter", "operation", "output") and vertex.dtype
        if self.board is None or vertex.node is None or vertex.node not in self._known or not tracked:
            return None
        return self.board.symbols.cotangent(vertex.node).text

    def forward(self, node: Node) -> str:
        """The formula of an operation."""
        found = forward_formula(node.primitive) if self.board is None else self.board.forward(node)
        return shortened(found.text(shapes=True), _LONGEST)

    def backward(self, node: Node, k: int) -> str:
        """What the rule of an operation adds to the cotangent of input `k`."""
        if self.board is None:
            return shortened(formula(node.primitive, k).text(shapes=True), _LONGEST)
        parent = node.parents[k]
        assert parent is not None
        if parent.kind is Parts:
            return ""  # the cotangent of one of its results, at its place
        if (node, k) not in self._terms:
            for user, position, term in self.board.terms(parent, {}):
                self._terms[user, position] = shortened(term.text(shapes=True), _LONGEST)
        return self._terms[node, k]
