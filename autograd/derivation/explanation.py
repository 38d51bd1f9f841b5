"""`Explanation`: the lines of a derivation, put together as text, as Markdown with LaTeX, and as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any, TypeVar

from ..formulas import Expression
from ..inspection.graph import kept_by
from ..inspection.roles import shape_of, source_of
from ..node import Leaf, Node, Parts
from ..tensor import Tensor
from .board import Board, added
from .steps import Gradient, Line, Step, Term
from .tidy import tidied

__all__ = ["Explanation"]

T = TypeVar("T")


class Explanation:
    """The derivation of a gradient. Made by `autograd.explain`.

    `str()` of it is the text; in Jupyter it shows itself as Markdown with LaTeX.

    Attributes
    ----------
    forward : tuple of Line
        The forward pass: what is given, and the result of each operation.
    steps : tuple of Step
        The backward pass: the cotangent of each value, in the order in which they become complete.
    gradients : tuple of Gradient
        For each leaf one formula, in which the cotangents back to the next affine map are put in.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> explanation = autograd.explain((x * x).sum())
    >>> explanation.gradients[0].text()
    '∂J/∂x (2) = 2 x'
    >>> [step.symbol.text for step in explanation.steps]
    ['∂J/∂J', '∂J/∂L', '∂J/∂x']
    """

    def __init__(self, output: Tensor, *, names: Any = None, columns: bool = False, steps: int | None = 200):
        self.columns, self.limit = columns, steps
        self._board = Board(output, names, columns)

    # The lines

    @cached_property
    def forward(self) -> tuple[Line, ...]:
        return tuple(self._line(key) for key in self._given + self._results)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._step(node) for node in self._order)

    @cached_property
    def gradients(self) -> tuple[Gradient, ...]:
        return tuple(self._gradient(node) for node in self._leaves)

    @cached_property
    def _given(self) -> list[Any]:
        """Constants and leaves, in the order in which they are used."""
        found: dict[Any, None] = {}
        for node in self._board.nodes:
            for position in range(len(node.parents)):
                key = source_of(node, position)
                if isinstance(key, Leaf | tuple):
                    found[key] = None
        return list(found) or [self._board.output]

    @cached_property
    def _results(self) -> list[Any]:
        """What operations gave, but not what is only another view of something; of several results those too that
        only the rules use, as (operation, name)."""
        found: list[Any] = []
        for node in self._board.nodes:
            if node.kind is Parts:
                parts, primitive = self._board.parts(node), node.primitive
                names = [name for k, name in enumerate(primitive.outputs) if k not in parts]
                found += [(node, name) for name in names if name in primitive.saves]
            elif not isinstance(node, Leaf) and node not in self._board.symbols.views:
                found.append(node)
        return found

    @cached_property
    def _order(self) -> list[Node]:
        """The nodes in the order in which their cotangents are complete; a leaf right after its last use."""
        found: list[Node] = []
        users = self._board.users
        for node in reversed(self._board.nodes):
            if isinstance(node, Leaf):
                continue
            if node.kind is not Parts:
                found.append(node)
            parents = [parent for parent in dict.fromkeys(node.parents) if isinstance(parent, Leaf)]
            found += [parent for parent in parents if users[parent][-1][0] is node]
        return found or [self._board.output]

    @cached_property
    def _leaves(self) -> list[Node]:
        return [node for node in self._order if isinstance(node, Leaf) and node is not self._board.output]

    @cached_property
    def _kept(self) -> set[Any]:
        """What the tape keeps for the backward pass."""
        found: set[Any] = set()
        kept = cache(kept_by)
        for node in self._board.nodes:
            if isinstance(node, Leaf):
                continue
            inputs, result = kept(node.primitive, tuple([parent is not None for parent in node.parents]))
            keys = [source_of(node, k) for k in range(len(node.parents))]
            found |= {key for key, stays in zip(keys, inputs) if stays and isinstance(key, Node | tuple)}
            if result:
                found.add(node)
                parts = self._board.parts(node) if node.kind is Parts else {}
                saved = node.primitive.saves
                found |= {parts.get(k, (node, name)) for k, name in enumerate(node.primitive.outputs) if name in saved}
        return found

    def _line(self, key: Any) -> Line:
        board = self._board
        symbol, status = board.symbols.nodes[key], (key in self._kept, key in board.turned)
        if isinstance(key, tuple):
            whole, which = key
            if isinstance(which, int):
                return Line(symbol, board.shape(key, shape_of(whole, which) or ()), "constant", "", *status)
            shape = board.shape(key, whole.shape[whole.primitive.outputs.index(which)])
            name = f"{whole.primitive.name}.{which}"
            return Line(symbol, shape, "operation", name, *status, board.result(whole, which, key))
        shape = board.shape(key, key.shape)
        if isinstance(key, Leaf):
            return Line(symbol, shape, "leaf" if key in board.users else "constant", "", *status, None, key)
        return Line(symbol, shape, "operation", key.primitive.name, *status, board.forward(key), key)

    def _step(self, node: Node) -> Step:
        board = self._board
        symbol, meaning = board.symbols.cotangent(node), board.symbols.derivative(node)
        terms = []
        for user, position, found in board.terms(node, {}):
            parts = board.parts(user) if user.kind is Parts else {0: user}
            results = [parts[k] for k in sorted(parts)]
            primitive = user.primitive
            terms.append(
                Term(
                    primitive.name,
                    primitive.inputs[0 if primitive.variadic else position],
                    position,
                    tuple([board.symbols.cotangent(result) for result in results]),
                    tuple([board.shape(result, result.shape) for result in results]),
                    board.shown(found, node, node.shape),
                    user,
                )
            )
        total: Expression | None
        if terms:
            total = tidied(added([term.expression for term in terms]))
        else:
            total = board.seed(node)
        shape, turned = board.shape(node, node.shape), node in board.turned
        return Step(symbol, meaning, shape, turned, tuple(terms), total, node)

    def _gradient(self, node: Node) -> Gradient:
        board = self._board
        found = board.shown(board.gradient(node), node, node.shape)
        return Gradient(board.symbols.cotangent(node), board.shape(node, node.shape), found, node)

    # Text

    def text(self) -> str:
        """The derivation as text, in Unicode."""
        return "\n".join(
            [
                f"Forward pass{self._manner} (● is kept for the backward pass)",
                *self._shown(self._given + self._results, self._line, lambda line: f"  {_dot(line)} {line.text()}"),
                "",
                f"Backward pass{self._note()}",
                *self._shown(self._order, self._step, lambda step: f"    {step.text()}"),
                "",
                "Gradients, with the cotangents back to the next layer put in",
                *self._shown(self._leaves, self._gradient, lambda gradient: f"    {gradient.text()}"),
            ]
        )

    def markdown(self) -> str:
        """The derivation as Markdown with formulas in LaTeX."""
        return "\n\n".join(
            [
                f"**Forward pass**{self._manner} (• is kept for the backward pass)",
                _aligned(self._shown(self._given + self._results, self._line, _tex_line, r"\vdots")),
                f"**Backward pass**{self._note()}",
                _aligned(self._shown(self._order, self._step, Step.latex, r"\vdots")),
                "**Gradients**, with the cotangents back to the next layer put in",
                _aligned(self._shown(self._leaves, self._gradient, Gradient.latex, r"\vdots")),
            ]
        )

    @property
    def _manner(self) -> str:
        return ", with examples as columns" if self._board.turned else ""

    def _note(self) -> str:
        board = self._board
        if board.seed(board.output) is not None:
            return ""
        symbol = board.symbols
        return f" ({symbol.target.text} is a number made of {symbol.nodes[board.output].text})"

    def _shown(
        self, keys: Sequence[Any], make: Callable[[Any], T], write: Callable[[T], str], gap: str = "    … {} more …"
    ) -> Iterator[str]:
        """The lines, the middle of too many left out."""
        limit = len(keys) if self.limit is None else self.limit
        if len(keys) <= limit:
            yield from (write(make(key)) for key in keys)
            return
        first = limit - limit // 2
        yield from (write(make(key)) for key in keys[:first])
        yield gap.format(len(keys) - limit)
        yield from (write(make(key)) for key in keys[len(keys) - limit // 2 :])

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Explanation of {self._board.symbols.target.text}: {len(self._order)} steps>"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows where there is no Markdown."""
        printer.text(self.text())

    # Data

    def data(self) -> dict[str, Any]:
        """All lines as dicts and lists of text and numbers."""
        return {
            "target": self._board.symbols.target._asdict(),
            "columns": self.columns,
            "forward": [line.data() for line in self.forward],
            "steps": [step.data() for step in self.steps],
            "gradients": [gradient.data() for gradient in self.gradients],
        }

    def to_json(self) -> str:
        """`data()` as JSON, pure ASCII, which may also stand in the middle of an HTML page as it is."""
        text = json.dumps(self.data())
        for character in "<>&":  # in JSON they occur in strings only; an HTML parser must not see them
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def _dot(line: Line) -> str:
    return "●" if line.kept else " "


def _tex_line(line: Line) -> str:
    return (r"\bullet \; " if line.kept else "") + line.latex()


def _aligned(lines: Iterable[str]) -> str:
    """Equations below each other."""
    return "$$\n\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n$$"
