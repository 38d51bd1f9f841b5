"""How formulas are written: in Unicode, for a terminal, and in LaTeX.

Elementwise products are written ∘, products of matrices ·; what needs no brackets gets none. A sum over an axis says
over what: Σ_rows and Σ_columns of a matrix, else the axes, as in Σ₀₂; plain Σ is the sum of all elements.
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Any, ClassVar

from .expression import (
    Apply,
    Cases,
    Compare,
    Expand,
    Expression,
    Indicator,
    Logical,
    MatMul,
    Negative,
    Number,
    Outer,
    Power,
    Product,
    Quotient,
    Shape,
    Subscript,
    Sum,
    Symbol,
    Total,
    Transpose,
)

__all__ = ["latex", "shape_text", "text"]

#: How strongly an expression holds together; what is weaker than its place gets brackets.
CASES, CONDITION, SUM, PRODUCT, MATMUL, POWER, ATOM = range(7)

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
_SIGNS = {">=": "≥", "<=": "≤", "!=": "≠", "==": "=", ">": ">", "<": "<"}
_TEX_SIGNS = {">=": r"\ge", "<=": r"\le", "!=": r"\ne", "==": "=", ">": ">", "<": "<"}

#: Constants that rules compute, by their value: as text, and as LaTeX.
_CONSTANTS: dict[float, tuple[str, str]] = {
    0.5: ("½", r"\tfrac12"),
    0.25: ("¼", r"\tfrac14"),
    math.pi: ("π", r"\pi"),
    math.pi / 2: ("π/2", r"\tfrac\pi2"),
    math.pi / 8: ("π/8", r"\tfrac\pi8"),
    math.pi / 180: ("π/180", r"\tfrac\pi{180}"),
    2 * math.pi: ("2π", r"2\pi"),
    math.log(2): ("ln 2", r"\ln 2"),
    math.log(10): ("ln 10", r"\ln 10"),
    math.sqrt(2): ("√2", r"\sqrt2"),
    math.sqrt(math.pi): ("√π", r"\sqrt\pi"),
    math.sqrt(2 * math.pi): ("√(2π)", r"\sqrt{2\pi}"),
    math.sqrt(2 / math.pi): ("√(2/π)", r"\sqrt{2/\pi}"),
    2 / math.sqrt(math.pi): ("2/√π", r"\tfrac2{\sqrt\pi}"),
    math.inf: ("∞", r"\infty"),
}

_GREEK = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"
_GREEK_TEX = {"ε": "varepsilon", "λ": "lambda", "Λ": "Lambda", "φ": "varphi"}
_ESCAPED = {
    **{c: "\\" + c for c in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_NAMED = {
    *("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det", "max", "min"),
}


def shape_text(shape: Shape) -> str:
    """A shape as it stands in a formula: `(2×3)`, `(3)` of a vector; nothing of a number, or where it is not known."""
    return f"({'×'.join(map(str, shape))})" if shape else ""


def text(e: Expression, shapes: bool = False) -> str:
    """The formula in Unicode."""
    return _Text(shapes).write(e)


def latex(e: Expression, shapes: bool = False) -> str:
    """The formula in LaTeX's mathematics."""
    return _Latex(shapes).write(e)


class _Text:
    """Each kind of expression has a method that writes it, named like it; it is told nothing of what is around it."""

    minus, plus, matrix, each, scalar, beside, crossed = "−", " + ", " · ", " ∘ ", " · ", " ", " ⊗ "
    signs = _SIGNS
    brackets: ClassVar = {"(": ("(", ")"), "[": ("[", "]")}

    def __init__(self, shapes: bool):
        self.shapes = shapes

    def write(self, e: Expression, place: int = CASES) -> str:
        """`e`, in brackets if it is weaker than its place."""
        written, strength = getattr(self, type(e).__name__.lower())(e)
        return self.bracketed(written) if strength < place else written

    def bracketed(self, written: str, kind: str = "(") -> str:
        left, right = self.brackets[kind]
        return f"{left}{written}{right}"

    def shape(self, e: Expression) -> str:
        shape = shape_text(e.shape) if self.shapes else ""
        return f" {shape}" if shape else ""

    # What both styles share

    def sum(self, e: Sum) -> tuple[str, int]:
        written = ""
        for k, term in enumerate(e.terms):
            negative = isinstance(term, Negative) or (isinstance(term, Number) and _is_negative(term.value))
            if negative and k:
                written += f" {self.minus} {self.write(-term, PRODUCT)}"
            else:
                written += (self.plus if k else "") + self.write(term, SUM if not k else PRODUCT)
        return written, SUM

    def negative(self, e: Negative) -> tuple[str, int]:
        return self.minus + self.write(e.operand, PRODUCT), SUM

    def product(self, e: Product) -> tuple[str, int]:
        written = ""
        for k, factor in enumerate(e.factors):
            before = e.factors[k - 1]
            if k:
                written += (
                    self.beside
                    if k == 1 and isinstance(before, Number) and _beside(before.value)
                    else self.scalar
                    if before.shape == () or factor.shape == ()
                    else self.each
                )
            written += self.write(factor, MATMUL)
        return written, PRODUCT

    def matmul(self, e: MatMul) -> tuple[str, int]:
        return self.matrix.join([self.factor(f) for f in e.factors]), MATMUL

    def factor(self, e: Expression) -> str:
        """A factor of a product of matrices, with its shape."""
        if isinstance(e, Product | Quotient | MatMul | Outer):
            return self.bracketed(self.write(e) + self.shape(e), "[")
        return self.write(e, POWER) + self.shape(e)

    def outer(self, e: Outer) -> tuple[str, int]:
        return self.crossed.join([self.factor(e.left), self.factor(e.right)]), MATMUL

    def expand(self, e: Expand) -> tuple[str, int]:
        return getattr(self, type(e.operand).__name__.lower())(e.operand)  # type: ignore[no-any-return]

    def compare(self, e: Compare) -> tuple[str, int]:
        return f"{self.write(e.left, SUM)} {self.signs[e.sign]} {self.write(e.right, SUM)}", CONDITION

    # Unicode

    def symbol(self, e: Symbol) -> tuple[str, int]:
        return e.name, ATOM

    def number(self, e: Number) -> tuple[str, int]:
        if isinstance(e.value, complex):
            return _complex(e.value), ATOM
        negative = _is_negative(e.value)
        size = abs(e.value)
        written = _CONSTANTS[size][0] if size in _CONSTANTS else _digits(size)
        return (self.minus + written, SUM) if negative else (written, MATMUL if "/" in written else ATOM)

    def quotient(self, e: Quotient) -> tuple[str, int]:
        above = MATMUL if isinstance(e.numerator, Total) else PRODUCT
        return f"{self.write(e.numerator, above)} / {self.write(e.denominator, POWER)}", PRODUCT

    def power(self, e: Power) -> tuple[str, int]:
        base = self.write(e.base, ATOM)
        n = e.exponent.value if isinstance(e.exponent, Number) else None
        if isinstance(n, int | float) and abs(n) < 1000 and n == int(n):
            return base + str(int(n)).translate(_RAISED), POWER
        return f"{base}^{self.write(e.exponent, ATOM)}", POWER

    def transpose(self, e: Transpose) -> tuple[str, int]:
        return self.write(e.operand, ATOM) + "ᵀ", POWER

    def apply(self, e: Apply) -> tuple[str, int]:
        arguments = [self.write(a) for a in e.arguments]
        if e.function == "absolute":
            return f"|{arguments[0]}|", ATOM
        if e.function == "sqrt":
            return "√" + self.write(e.arguments[0], ATOM), POWER
        name = _TEXT_NAMES.get(e.function, e.function) + " " * (" w.r.t. " in e.function)
        return f"{name}({', '.join(arguments)})", ATOM

    def total(self, e: Total) -> tuple[str, int]:
        over = _over(e)
        over = f"_{over}" if over.isalpha() else over.translate(_LOWERED)
        return f"Σ{over} {self.write(e.operand, POWER)}", PRODUCT

    def logical(self, e: Logical) -> tuple[str, int]:
        if e.word == "not":
            return f"not {self.write(e.operands[0], SUM)}", CONDITION
        return f" {e.word} ".join([self.write(o, CONDITION) for o in e.operands]), CONDITION

    def indicator(self, e: Indicator) -> tuple[str, int]:
        return f"1[{self.write(e.condition)}]", ATOM

    def cases(self, e: Cases) -> tuple[str, int]:
        return f"{self.write(e.yes, SUM)} if {self.write(e.condition)} else {self.write(e.no)}", CASES

    def subscript(self, e: Subscript) -> tuple[str, int]:
        return f"{self.write(e.operand, ATOM)}[{e.key}]", ATOM


class _Latex(_Text):
    minus, plus, matrix, each, scalar, beside, crossed = "-", " + ", r" \, ", r" \circ ", r" \, ", r" \, ", r" \otimes "
    signs = _TEX_SIGNS
    brackets: ClassVar = {"(": (r"\left(", r"\right)"), "[": (r"\left[", r"\right]")}

    def shape(self, e: Expression) -> str:
        if not (self.shapes and e.shape):
            return ""
        return r"\scriptscriptstyle " + r" \times ".join(map(str, e.shape))

    def factor(self, e: Expression) -> str:
        compound = isinstance(e, Product | Quotient | MatMul | Outer)
        written = self.bracketed(self.write(e), "[") if compound else self.write(e, POWER)
        shape = self.shape(e)
        return rf"\underset{{{shape}}}{{{written}}}" if shape else written

    def symbol(self, e: Symbol) -> tuple[str, int]:
        return e.tex or _tex_name(e.name), ATOM

    def number(self, e: Number) -> tuple[str, int]:
        written, strength = super().number(e)
        size = abs(e.value)
        if not isinstance(e.value, complex) and size in _CONSTANTS:
            written = ("-" if _is_negative(e.value) else "") + _CONSTANTS[size][1]
        return re.sub(r"e\+?(-?\d+)$", r" \\cdot 10^{\1}", written), strength

    def quotient(self, e: Quotient) -> tuple[str, int]:
        return rf"\frac{{{self.write(e.numerator)}}}{{{self.write(e.denominator)}}}", PRODUCT

    def power(self, e: Power) -> tuple[str, int]:
        return f"{{{self.write(e.base, ATOM)}}}^{{{self.write(e.exponent)}}}", POWER

    def transpose(self, e: Transpose) -> tuple[str, int]:
        return f"{{{self.write(e.operand, ATOM)}}}^\\top", POWER

    def apply(self, e: Apply) -> tuple[str, int]:
        arguments = [self.write(a) for a in e.arguments]
        if e.function in ("exp", "sqrt", "absolute", "conjugate"):
            form = {
                "exp": "e^{%s}",
                "sqrt": r"\sqrt{%s}",
                "absolute": r"\left|%s\right|",
                "conjugate": r"\overline{%s}",
            }
            return form[e.function] % arguments[0], POWER if e.function == "exp" else ATOM
        name = "\\" + e.function if e.function in _NAMED else _tex_name(_TEXT_NAMES.get(e.function, e.function), True)
        return name + self.bracketed(", ".join(arguments)), ATOM

    def total(self, e: Total) -> tuple[str, int]:
        over = _over(e)
        under = (
            rf"_{{\text{{{over}}}}}" if over.isalpha() else f"_{{{','.join(map(str, e.axes or ()))}}}" if over else ""
        )
        return rf"\sum{under} {self.write(e.operand, POWER)}", PRODUCT

    def logical(self, e: Logical) -> tuple[str, int]:
        if e.word == "not":
            return rf"\lnot {self.write(e.operands[0], SUM)}", CONDITION
        sign = r" \land " if e.word == "and" else r" \lor "
        return sign.join([self.write(o, CONDITION) for o in e.operands]), CONDITION

    def indicator(self, e: Indicator) -> tuple[str, int]:
        return rf"\mathbf{{1}}\left[{self.write(e.condition)}\right]", ATOM

    def cases(self, e: Cases) -> tuple[str, int]:
        yes, condition, no = self.write(e.yes), self.write(e.condition), self.write(e.no)
        return rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{else}} \end{{cases}}", ATOM

    def subscript(self, e: Subscript) -> tuple[str, int]:
        return rf"{self.write(e.operand, ATOM)}\left[{_tex_text(e.key)}\right]", ATOM


def _is_negative(value: Any) -> bool:
    return not isinstance(value, complex) and value < 0


def _beside(value: Any) -> bool:
    """Whether a number may stand in front of a factor without a sign between them, as in 2 x."""
    return not isinstance(value, complex) and (abs(value) not in _CONSTANTS or abs(value) in (0.5, 0.25))


def _digits(value: float) -> str:
    if isinstance(value, int):
        return str(value) if value < 10**15 else f"{Decimal(value):.4g}"
    return str(int(value)) if value.is_integer() and value < 1e15 else f"{value:.4g}"


def _complex(value: complex) -> str:
    imaginary = "i" if abs(value.imag) == 1 else f"{_digits(abs(value.imag))}i"
    real = "" if value.real == 0 else ("−" if value.real < 0 else "") + _digits(abs(value.real))
    if not real:
        return ("−" if value.imag < 0 else "") + imaginary
    return f"({real} {'−' if value.imag < 0 else '+'} {imaginary})"


def _over(e: Total) -> str:
    """Over what a sum is: nothing, `rows`, `columns`, or the axes."""
    if e.axes is None:
        return ""
    if (e.operand.shape is not None and len(e.operand.shape) == 2) or (e.operand.shape is None and len(e.axes) == 1):
        names: dict[tuple[int, ...], str] = {(0,): "rows", (1,): "columns", (-1,): "columns", (-2,): "rows"}
        named = names.get(e.axes)
        if named is not None:
            return named
    return "".join(map(str, e.axes))


def _tex_text(name: str) -> str:
    """Any text, as LaTeX writes it, letter by letter."""
    return r"\text{" + "".join([_ESCAPED.get(c, c) for c in name]) + "}"


def _tex_greek(letter: str) -> str:
    word = unicodedata.name(letter).rpartition(" ")[2]
    return "\\" + _GREEK_TEX.get(letter, word.lower() if letter.islower() else word.capitalize())


def _tex_name(name: str, function: bool = False) -> str:
    """A name: one letter, Greek or not, with what stands after it as an index; else a word."""
    found = re.fullmatch(rf"([A-Za-z{_GREEK}])_?(\w*)", name)
    if found is None or (len(found[2]) > 2 and not found[2].isdigit() and "_" not in name):
        word = name.replace("_", " ") if re.fullmatch(r"\w+", name) else name
        return rf"\operatorname{{{word}}}" if function and word.isascii() and word.isalpha() else _tex_text(word)
    letter = _tex_greek(found[1]) if found[1] in _GREEK else found[1]
    if not found[2]:
        return letter
    index = found[2] if found[2].isdigit() or len(found[2]) == 1 else _tex_text(found[2])
    return f"{letter}_{{{index}}}"


#: Functions that formulas call by another name than NumPy does.
_TEXT_NAMES = {
    "sigmoid": "σ",
    "expit": "σ",
    "conjugate": "conj",
    "maximum": "max",
    "minimum": "min",
    "phi": "φ",
    "normal_cdf": "Φ",
    "ndtr": "Φ",
    "gamma": "Γ",
    "digamma": "ψ",
    "beta": "B",
    "zeta": "ζ",
}
