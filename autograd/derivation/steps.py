"""The lines of a derivation as plain data: values of the forward pass, cotangents, gradients of parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..formulas import Expression, shape_text
from ..formulas.expression import MatMul, Outer
from ..inspection.notation import Symbol
from ..node import Node
from .tidy import shaped, symbols_in, written

__all__ = ["Gradient", "Line", "Step", "Term"]


#: The longest line, in characters.
_LONGEST = 1000


@dataclass(frozen=True)
class Line:
    """A value of the forward pass.

    Attributes
    ----------
    symbol : Symbol
        How it is called, as text and in LaTeX.
    shape : tuple of int
        As it is written: by columns, that of the transpose.
    kind : {'constant', 'leaf', 'operation'}
        A constant, a leaf of the tape (it requires a gradient), or the result of an operation.
    operation : str
        The name of the operation, of one of several results also its own; empty for the others.
    kept : bool
        Whether the tape keeps the value for the backward pass.
    transposed : bool
        Whether the symbol stands for the transpose of what is computed; of a vector, for a column.
    expression : Expression or None
        The formula of an operation.
    node : Node or None
        The entry on the tape; None of a constant, and of one of several results that only the rules use.
    """

    symbol: Symbol
    shape: tuple[int, ...]
    kind: str
    operation: str = ""
    kept: bool = False
    transposed: bool = False
    expression: Expression | None = None
    node: Node | None = field(default=None, repr=False)

    def text(self) -> str:
        """The line as text."""
        return _line([self.symbol], self.shape, self.expression, ", constant" * (self.kind == "constant"))

    def latex(self) -> str:
        """The line in LaTeX."""
        return _tex_line([self.symbol], self.shape, self.expression, r"\text{, constant}" * (self.kind == "constant"))

    def data(self) -> dict[str, Any]:
        found = {"symbol": self.symbol._asdict(), "shape": list(self.shape), "kind": self.kind, "kept": self.kept}
        found["transposed"] = self.transposed
        if self.expression is not None:
            found |= {"operation": self.operation, **_data(self.expression)}
        return found


@dataclass(frozen=True)
class Term:
    """What one operation adds to the cotangent of one of its inputs: its local VJP.

    Attributes
    ----------
    operation, input : str
        The names of the operation and of the input.
    position : int
        Which input it is.
    cotangents : tuple of Symbol
        Those of the operation's result or results, from which this one is made.
    cotangent_shapes : tuple of tuple of int
        Theirs, as they are written.
    expression : Expression
        The formula.
    node : Node
        The operation.
    """

    operation: str
    input: str
    position: int
    cotangents: tuple[Symbol, ...]
    cotangent_shapes: tuple[tuple[int, ...], ...]
    expression: Expression
    node: Node = field(repr=False)

    def data(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "input": self.input,
            "position": self.position,
            "cotangents": [
                {**symbol._asdict(), "shape": list(shape)}
                for symbol, shape in zip(self.cotangents, self.cotangent_shapes)
            ],
            **_data(self.expression),
        }


@dataclass(frozen=True)
class Step:
    """A step of the backward pass: the cotangent of one value, complete.

    Attributes
    ----------
    symbol : Symbol
        The cotangent.
    meaning : Symbol
        The derivative that it is: for a δ, ∂J/∂z.
    shape : tuple of int
        As it is written.
    transposed : bool
        Whether the symbol stands for the transpose of what is computed.
    terms : tuple of Term
        What it is the sum of; none for that of the output.
    expression : Expression or None
        The sum; 1 for an output that is one number; None for any other output, whose cotangent is given.
    node : Node
        The value whose cotangent it is.
    """

    symbol: Symbol
    meaning: Symbol
    shape: tuple[int, ...]
    transposed: bool
    terms: tuple[Term, ...]
    expression: Expression | None
    node: Node = field(repr=False)

    @property
    def names(self) -> list[Symbol]:
        """What the cotangent is called: of a δ both."""
        return [self.symbol] if self.meaning == self.symbol else [self.symbol, self.meaning]

    def text(self) -> str:
        """The line as text."""
        return _line(self.names, self.shape, self.expression, ", given")

    def latex(self) -> str:
        """The line in LaTeX."""
        return _tex_line(self.names, self.shape, self.expression, r"\text{, given}")

    def data(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol._asdict(),
            "meaning": self.meaning._asdict(),
            "shape": list(self.shape),
            "transposed": self.transposed,
            **({} if self.expression is None else _data(self.expression)),
            "terms": [term.data() for term in self.terms],
        }


@dataclass(frozen=True)
class Gradient:
    """The gradient of a leaf in one formula.

    Attributes
    ----------
    symbol : Symbol
        The gradient.
    shape : tuple of int
    expression : Expression
    node : Node
        The leaf.
    """

    symbol: Symbol
    shape: tuple[int, ...]
    expression: Expression
    node: Node = field(repr=False)

    def text(self) -> str:
        """The line as text."""
        return _line([self.symbol], self.shape, self.expression)

    def latex(self) -> str:
        """The line in LaTeX."""
        return _tex_line([self.symbol], self.shape, self.expression)

    def data(self) -> dict[str, Any]:
        return {"symbol": self.symbol._asdict(), "shape": list(self.shape), **_data(self.expression)}


def _line(names: list[Symbol], shape: tuple[int, ...], e: Expression | None, otherwise: str = "") -> str:
    """Names, shape and formula; `otherwise` where there is none."""
    left = f"{' = '.join([name.text for name in names])} {shape_text(shape)}".rstrip()
    line = left + (otherwise if e is None else f" = {written(shaped(e)).text(shapes=True)}")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _tex_line(names: list[Symbol], shape: tuple[int, ...], e: Expression | None, otherwise: str = "") -> str:
    """The same in LaTeX; `&` stands where lines are aligned."""
    *others, left = [name.latex for name in names]
    if shape:
        under = r" \times ".join(map(str, shape))
        left = rf"\underset{{\scriptscriptstyle {under}}}{{{left}}}"
    right = otherwise if e is None else f"= {written(shaped(e)).latex(shapes=True)}"
    return " = ".join([*others, left]) + " &" + (right if len(right) <= 4 * _LONGEST else r"= \ldots")


def _data(e: Expression) -> dict[str, Any]:
    """A formula with its shapes: those of its symbols, and of its factors in the order in which matrices multiply."""
    factors = e.factors if isinstance(e, MatMul) else (e.left, e.right) if isinstance(e, Outer) else ()
    return {
        "text": written(shaped(e)).text(),
        "latex": written(shaped(e)).latex(),
        "with_shapes": written(shaped(e)).text(shapes=True),
        "symbols": {name: _shape(symbol) for name, symbol in symbols_in(e).items()},
        "factors": [{"text": written(f).text(), "latex": written(f).latex(), "shape": _shape(f)} for f in factors],
    }


def _shape(e: Expression) -> list[int] | None:
    return None if e.shape is None else list(e.shape)
