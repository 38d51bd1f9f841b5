"""The operators of expressions: what they make, in its simplest form, and of which shape."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np

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

__all__ = [
    "add",
    "as_expression",
    "cases",
    "compare",
    "divide",
    "each",
    "expanded",
    "last",
    "logical",
    "matmul",
    "multiply",
    "negative",
    "power",
    "subscript",
    "subtract",
    "summed_to",
    "total",
    "transposed",
]

ONE, ZERO = Number(1), Number(0)


def as_expression(value: Any) -> Expression:
    """An expression as it is, but a condition as a number; a constant as a `Number`.

    Raises
    ------
    TypeError
        If it is nothing to calculate with.
    """
    if isinstance(value, Compare | Logical):
        return Indicator(value, shape=value.shape)
    if isinstance(value, Expression):
        return value
    if isinstance(value, np.number | np.bool_) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, bool):
        return Number(int(value))
    if isinstance(value, int | float | complex):
        return Number(value)
    if not isinstance(getattr(value, "shape", None), tuple):
        raise TypeError(f"a formula is made of expressions, numbers and arrays; {value!r:.100} is none of them.")
    return Symbol("array", value.shape)


def broadcast(*operands: Expression) -> Shape:
    """The shape that these have together; None where one is not known, or they do not fit."""
    shapes = [o.shape for o in operands if o.shape is not None]
    if len(shapes) < len(operands):
        return None
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _value(e: Any) -> Any:
    return e.value if isinstance(e, Number) else None


def _less_than_0(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0


# Arithmetic


def negative(x: Any) -> Expression:
    """−x."""
    e = as_expression(x)
    if isinstance(e, Negative):
        return e.operand
    if isinstance(e, Number):
        return Number(-e.value)
    return Negative(e, shape=e.shape)


def add(x: Any, y: Any) -> Expression:
    """x + y, as one sum."""
    a, b = as_expression(x), as_expression(y)
    if isinstance(a, Number) and isinstance(b, Number):
        return Number(a.value + b.value)
    if _value(a) == 0:
        return b
    if _value(b) == 0:
        return a
    terms = [t for e in (a, b) for t in (e.terms if isinstance(e, Sum) else (e,))]
    numbers = [t.value for t in terms if isinstance(t, Number)]
    if len(numbers) > 1:
        constant = [Number(sum(numbers))] if sum(numbers) else []
        terms = [*(t for t in terms if not isinstance(t, Number)), *constant]
    return terms[0] if len(terms) == 1 else Sum(tuple(terms), shape=broadcast(*terms))


def subtract(x: Any, y: Any) -> Expression:
    """x − y."""
    return add(x, negative(y))


def multiply(x: Any, y: Any) -> Expression:
    """The elementwise product: signs in front of it, one fraction, equal factors as a power, a number first."""
    a, b = as_expression(x), as_expression(y)
    if isinstance(a, Negative):
        return negative(multiply(a.operand, b))
    if isinstance(b, Negative):
        return negative(multiply(a, b.operand))
    if isinstance(a, Quotient):
        return divide(multiply(a.numerator, b), a.denominator)
    if isinstance(b, Quotient):
        return divide(multiply(a, b.numerator), b.denominator)
    for e, other in ((a, b), (b, a)):
        if isinstance(e, Expand) and e.operand.shape == () and other.shape and len(other.shape) >= len(e.shape or ()):
            return multiply(e.operand, other)
        if isinstance(e, Expand) and e.column and _is_vector(e.operand) and _is_vector(other):
            return Outer(e.operand, other, shape=(*(e.operand.shape or ()), *(other.shape or ())))
    return _product([f for e in (a, b) for f in (e.factors if isinstance(e, Product) else (e,))])


def _product(factors: Iterable[Expression]) -> Expression:
    coefficient: Any = 1
    powers: dict[Expression, Any] = {}
    for f in factors:
        if isinstance(f, Number):
            coefficient = coefficient * f.value
        else:
            base, exponent = (f.base, f.exponent) if isinstance(f, Power) else (f, ONE)
            powers[base] = add(powers[base], exponent) if base in powers else exponent
    parts = [p for p in (power(*item) for item in powers.items()) if _value(p) != 1]
    if coefficient == 0 or not parts:
        return Number(coefficient)
    sign = _less_than_0(coefficient)
    coefficient = -coefficient if sign else coefficient
    if coefficient != 1:
        parts.insert(0, Number(coefficient))
    whole = parts[0] if len(parts) == 1 else Product(tuple(parts), shape=broadcast(*parts))
    return negative(whole) if sign else whole


def divide(x: Any, y: Any) -> Expression:
    """x / y, elementwise, as one fraction."""
    a, b = as_expression(x), as_expression(y)
    if isinstance(a, Negative):
        return negative(divide(a.operand, b))
    if isinstance(b, Negative):
        return negative(divide(a, b.operand))
    if isinstance(b, Number) and _less_than_0(b.value):
        return negative(divide(a, Number(-b.value)))
    if isinstance(b, Quotient):
        return divide(multiply(a, b.denominator), b.numerator)
    if isinstance(a, Quotient):
        return divide(a.numerator, multiply(a.denominator, b))
    if _value(b) == 1 or _value(a) == 0:
        return a
    if isinstance(a, Number) and isinstance(b, Number) and b.value and isinstance(a.value, int | float):
        with suppress(ArithmeticError, AttributeError):  # huge integers, complex numbers
            ratio: Any = a.value / b.value
            if ratio.is_integer():
                return Number(int(ratio))
    return Quotient(a, b, shape=broadcast(a, b))


def power(x: Any, y: Any) -> Expression:
    """x to the y, elementwise."""
    base, exponent = as_expression(x), as_expression(y)
    n = _value(exponent)
    if n == 0:
        return ONE
    if n == 1:
        return base
    if isinstance(base, Power) and isinstance(_value(base.exponent), int) and isinstance(n, int):
        return power(base.base, Number(_value(base.exponent) * n))
    return Power(base, exponent, shape=broadcast(base, exponent))


# Matrices


def matmul(x: Any, y: Any) -> Expression:
    """The product of matrices, also of a matrix and a vector; signs in front of it."""
    a, b = as_expression(x), as_expression(y)
    if isinstance(a, Negative):
        return negative(matmul(a.operand, b))
    if isinstance(b, Negative):
        return negative(matmul(a, b.operand))
    factors = [f for e in (a, b) for f in (e.factors if isinstance(e, MatMul) and not _is_vector(e) else (e,))]
    return MatMul(tuple(factors), shape=_matmul_shape(a.shape, b.shape))


def _is_vector(e: Expression) -> bool:
    return e.shape is not None and len(e.shape) == 1


def _matmul_shape(a: Shape, b: Shape) -> Shape:
    if not a or not b or a[-1] != b[max(len(b) - 2, 0)]:
        return None
    try:
        batch = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        return None
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


def transposed(e: Expression) -> Expression:
    """The transpose, of each matrix of a stack; inside sums, products and functions of elements, where each part is a
    matrix or a number."""
    if e.shape is not None and len(e.shape) < 2:
        return e
    shape = None if e.shape is None else (*e.shape[:-2], e.shape[-1], e.shape[-2])
    match e:
        case Number():
            return e
        case Transpose():
            return e.operand
        case MatMul() if not any(map(_is_vector, e.factors)):
            return MatMul(tuple([transposed(f) for f in reversed(e.factors)]), shape=shape)
        case Outer():
            return Outer(e.right, e.left, shape=shape)
        case Negative():
            return negative(transposed(e.operand))
        case Sum() if (parts := _each_transposed(e.terms)) is not None:
            return Sum(parts, shape=shape)
        case Product() if (parts := _each_transposed(e.factors)) is not None:
            return Product(parts, shape=shape)
        case Quotient() if (parts := _each_transposed((e.numerator, e.denominator))) is not None:
            return Quotient(*parts, shape=shape)
        case Power() if (parts := _each_transposed((e.base, e.exponent))) is not None:
            return Power(*parts, shape=shape)
        case Apply(elementwise=True) if (parts := _each_transposed(e.arguments)) is not None:
            return Apply(e.function, parts, True, shape=shape)
        case Compare() if (parts := _each_transposed((e.left, e.right))) is not None:
            return Compare(parts[0], e.sign, parts[1], shape=shape)
        case Indicator() if (parts := _each_transposed((e.condition,))) is not None:
            return Indicator(*parts, shape=shape)
    return Transpose(e, shape=shape)


def _each_transposed(parts: tuple[Expression, ...]) -> tuple[Expression, ...] | None:
    """None if a vector is among them, which is broadcast along the rows, and would be along the columns then."""
    if any(_is_vector(p) for p in parts):
        return None
    return tuple([transposed(p) for p in parts])


def expanded(e: Expression, key: tuple[Any, ...]) -> Expression:
    """An array with axes of length 1 more, as in `e[..., None]`: a vector as a matrix of one column, or of one row."""
    shape = e.shape
    if shape is not None:
        split = key.index(Ellipsis) if Ellipsis in key else len(key)
        taken = sum(k == slice(None) for k in key[split:])
        rest, tail = iter(shape[: len(shape) - taken]), iter(shape[len(shape) - taken :])
        before = [1 if k is None else next(rest) for k in key[:split]]
        shape = (*before, *rest, *[1 if k is None else next(tail) for k in key[split + 1 :]])
    return Expand(e, key[-1] is None, shape=shape)


def last(e: Expression, column: bool) -> Expression | None:
    """`e[..., 0]`, or `e[..., 0, :]`, of a product with what was a vector: the product with the vector. Else None."""
    if isinstance(e, Negative):
        inner = last(e.operand, column)
        return None if inner is None else negative(inner)
    if isinstance(e, MatMul):
        place = -1 if column else 0
        vector = e.factors[place]
        if isinstance(vector, Expand) and vector.column == column and _is_vector(vector.operand):
            factors = list(e.factors)
            factors[place] = vector.operand
            shape = None if e.shape is None else e.shape[:-1] if column else (*e.shape[:-2], *e.shape[-1:])
            return MatMul(tuple(factors), shape=shape)
    return None


# Functions and conditions


def each(function: str, *operands: Any) -> Expression:
    """A function of each element."""
    arguments = tuple([as_expression(o) for o in operands])
    return Apply(function, arguments, True, shape=broadcast(*arguments))


def compare(x: Any, sign: str, y: Any) -> Expression:
    """A condition; what compares a condition with a number is not meant."""
    a, b = as_expression(x), as_expression(y)
    return Compare(a, sign, b, shape=broadcast(a, b))


#: Of real numbers: nothing here is NaN.
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "==", "and": "or", "or": "and"}


def logical(word: str, *conditions: Any) -> Expression:
    """Conditions joined by `and` or `or`, or negated by `not`."""
    operands = [c if isinstance(c, Expression) else as_expression(c) for c in conditions]
    if word == "not":
        [operand] = operands
        match operand:
            case Number():
                return Number(int(not operand.value))
            case Expand():
                return Expand(logical("not", operand.operand), operand.column, shape=operand.shape)
            case Compare():
                return Compare(operand.left, _OPPOSITE[operand.sign], operand.right, shape=operand.shape)
            case Logical(word="not"):
                return operand.operands[0]
            case Logical():
                return logical(_OPPOSITE[operand.word], *[logical("not", o) for o in operand.operands])
        return Logical("not", (operand,), shape=operand.shape)
    decides = word == "or"  # what makes all of it true, or false
    parts = [p for o in operands for p in (o.operands if isinstance(o, Logical) and o.word == word else (o,))]
    if any(isinstance(p, Number) and bool(p.value) == decides for p in parts):
        return Number(int(decides))
    parts = [p for p in parts if not isinstance(p, Number)] or [Number(int(not decides))]
    return parts[0] if len(parts) == 1 else Logical(word, tuple(parts), shape=broadcast(*parts))


def cases(condition: Any, x: Any, y: Any) -> Expression:
    """`np.where`; a product with an indicator where one of the two is 0."""
    yes, no = as_expression(x), as_expression(y)
    condition = condition if isinstance(condition, Expression) else as_expression(condition)
    if isinstance(condition, Number):
        return yes if condition.value else no
    if _value(no) == 0:
        return multiply(yes, Indicator(condition, shape=condition.shape))
    if _value(yes) == 0:
        return multiply(no, Indicator(logical("not", condition), shape=condition.shape))
    return Cases(condition, yes, no, shape=broadcast(condition, yes, no))


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Expression:
    """The sum over some axes."""
    e = as_expression(x)
    if _value(e) == 0:
        return e
    axes = None if axis is None else tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    if axes is not None and not all(isinstance(a, int | np.integer) for a in axes):
        return Total(e, None, keepdims)
    shape = e.shape
    if shape == ():
        return e
    if shape is not None:
        summed = set(range(len(shape))) if axes is None else {a % len(shape) for a in axes}
        shape = tuple([1 if k in summed else n for k, n in enumerate(shape) if keepdims or k not in summed])
    return Total(e, axes, keepdims, shape=shape)


def summed_to(e: Expression, shape: Shape, whole: Shape = None) -> Expression:
    """The sum over the axes along which an array of `shape` is broadcast to `whole`, the shape of `e`; `e` where there
    are none."""
    whole = e.shape if whole is None else whole
    if whole is None or shape is None or whole == shape or len(shape) > len(whole):
        return e
    lead = len(whole) - len(shape)
    stretched = [lead + k for k, n in enumerate(shape) if n == 1 and whole[lead + k] != 1]
    axes = (*range(lead), *stretched)
    if not axes:
        return e
    if isinstance(e, Negative):
        return negative(summed_to(e.operand, shape, whole))
    return Total(e, None if len(axes) == len(whole) else axes, bool(stretched) and not lead, shape=shape)


def subscript(e: Expression, key: str, shape: Shape = None) -> Expression:
    """Some elements of an array."""
    return Subscript(e, key, shape=shape)
