"""Formulas as data: symbols, sums, products of elements and of matrices, with the shapes of all of it.

An `Expression` never changes. Its operators (`*` is elementwise, `@` the product of matrices) are in `algebra.py`,
which simplifies what is plainly simpler: 1 · x, −(−x), x ∘ x, (Aᵀ)ᵀ, (A · B)ᵀ. How one is written, as text or LaTeX,
is in `writing.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

__all__ = [
    "Apply",
    "Cases",
    "Compare",
    "Expand",
    "Expression",
    "Indicator",
    "Logical",
    "MatMul",
    "Negative",
    "Number",
    "Outer",
    "Power",
    "Product",
    "Quotient",
    "Shape",
    "Subscript",
    "Sum",
    "Symbol",
    "Total",
    "Transpose",
]

Shape = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula.

    Attributes
    ----------
    shape : tuple of int or None
        As far as the shapes of its symbols say; None where it is not known.

    Examples
    --------
    >>> from autograd.formulas import Symbol
    >>> W, δ, a, x = Symbol("W", (1, 2)), Symbol("δ", (1, 64)), Symbol("a", (2, 64)), Symbol("x", (3, 64))
    >>> e = (W.transposed() @ δ * a * (1 - a)) @ x.transposed()
    >>> print(e)
    [Wᵀ · δ ∘ a ∘ (1 − a)] · xᵀ
    >>> e.text(shapes=True)
    '[Wᵀ (2×1) · δ (1×64) ∘ a ∘ (1 − a) (2×64)] · xᵀ (64×3)'
    >>> e.shape
    (2, 3)
    >>> print(e.transposed())
    x · [δᵀ · W ∘ aᵀ ∘ (1 − aᵀ)]
    """

    shape: Shape = field(default=None, compare=False, kw_only=True)

    def text(self, shapes: bool = False) -> str:
        """The formula in Unicode; with `shapes`, each factor of a product of matrices is followed by its shape."""
        from .writing import text

        return text(self, shapes)

    def latex(self, shapes: bool = False) -> str:
        """The formula in LaTeX's mathematics, without the dollars around it."""
        from .writing import latex

        return latex(self, shapes)

    def __str__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def transposed(self) -> Expression:
        """The transpose, moved inwards as far as it goes; of a vector or a number, itself."""
        return _algebra().transposed(self)  # type: ignore[no-any-return]

    def __add__(self, other: Any) -> Expression:
        return _algebra().add(self, other)  # type: ignore[no-any-return]

    def __radd__(self, other: Any) -> Expression:
        return _algebra().add(other, self)  # type: ignore[no-any-return]

    def __sub__(self, other: Any) -> Expression:
        return _algebra().subtract(self, other)  # type: ignore[no-any-return]

    def __rsub__(self, other: Any) -> Expression:
        return _algebra().subtract(other, self)  # type: ignore[no-any-return]

    def __mul__(self, other: Any) -> Expression:
        return _algebra().multiply(self, other)  # type: ignore[no-any-return]

    def __rmul__(self, other: Any) -> Expression:
        return _algebra().multiply(other, self)  # type: ignore[no-any-return]

    def __truediv__(self, other: Any) -> Expression:
        return _algebra().divide(self, other)  # type: ignore[no-any-return]

    def __rtruediv__(self, other: Any) -> Expression:
        return _algebra().divide(other, self)  # type: ignore[no-any-return]

    def __matmul__(self, other: Any) -> Expression:
        return _algebra().matmul(self, other)  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Expression:
        return _algebra().matmul(other, self)  # type: ignore[no-any-return]

    def __pow__(self, other: Any) -> Expression:
        return _algebra().power(self, other)  # type: ignore[no-any-return]

    def __rpow__(self, other: Any) -> Expression:
        return _algebra().power(other, self)  # type: ignore[no-any-return]

    def __neg__(self) -> Expression:
        return _algebra().negative(self)  # type: ignore[no-any-return]

    def __pos__(self) -> Expression:
        return self


def _algebra() -> ModuleType:
    from . import algebra

    return algebra


@dataclass(frozen=True, slots=True, init=False)
class Symbol(Expression):
    """A name; `tex` is how LaTeX writes it, made from the name where it is not given."""

    name: str
    tex: str = field(compare=False)

    def __init__(self, name: str, shape: Shape = None, tex: str = ""):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "shape", None if shape is None else tuple(shape))
        object.__setattr__(self, "tex", tex)


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A constant."""

    value: complex
    shape: Shape = field(default=(), compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Sum(Expression):
    """Two terms or more; what is subtracted is a `Negative`."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negative(Expression):
    """−x."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Product(Expression):
    """Elementwise: two factors or more, a number first."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MatMul(Expression):
    """The product of matrices: two factors or more, in their order."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Outer(Expression):
    """The outer product of two vectors."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Quotient(Expression):
    """Elementwise."""

    numerator: Expression
    denominator: Expression


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """Elementwise."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Transpose(Expression):
    """Of what cannot be transposed from within."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Apply(Expression):
    """A function of expressions. `elementwise`: of each element."""

    function: str
    arguments: tuple[Expression, ...]
    elementwise: bool = False


@dataclass(frozen=True, slots=True)
class Total(Expression):
    """The sum over some axes, None for all of them."""

    operand: Expression
    axes: tuple[int, ...] | None = None
    keepdims: bool = False


@dataclass(frozen=True, slots=True)
class Compare(Expression):
    """A comparison, `sign` being one of Python's; a condition and not a number."""

    left: Expression
    sign: str
    right: Expression


@dataclass(frozen=True, slots=True)
class Logical(Expression):
    """Conditions joined by `and` or `or`; one negated by `not`."""

    word: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Indicator(Expression):
    """1 where a condition holds, else 0."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Cases(Expression):
    """One value where a condition holds, another one elsewhere."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Subscript(Expression):
    """Some elements; what stands in the brackets is text."""

    operand: Expression
    key: str


@dataclass(frozen=True, slots=True)
class Expand(Expression):
    """A vector as a matrix, of one column or of one row, as code has to say it; formulas do not write it."""

    operand: Expression
    column: bool
