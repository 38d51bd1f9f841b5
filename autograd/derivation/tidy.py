"""What a derivation does to formulas before it writes them: size, sums of transposes, numbers that are broadcast."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from ..formulas import algebra
from ..formulas.expression import (
    Apply,
    Expand,
    Expression,
    MatMul,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Total,
    Transpose,
)

__all__ = ["as_column", "parts_of", "put_in", "shaped", "shapes_known", "size_of", "symbols_in", "tidied", "written"]

#: Functions of all elements together, in any order.
_OF_ALL = frozenset({"mean", "max", "min", "prod", "var", "std"})


def parts_of(e: Expression) -> list[Expression]:
    """The expressions that an expression is made of."""
    found: list[Expression] = []
    for field in fields(e):
        value = getattr(e, field.name)
        found += [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Expression)]
    return found


def size_of(e: Expression) -> int:
    """How many symbols and numbers there are in it."""
    return sum(1 for _ in _atoms(e))


def shapes_known(e: Expression) -> bool:
    """Whether the shapes of it and of all that is in it are known: then those of what is made of it will be."""
    stack = [e]
    while stack:
        e = stack.pop()
        if e.shape is None:
            return False
        stack += parts_of(e)
    return True


def put_in(e: Expression, known: dict[str, Expression]) -> Expression:
    """The expression with what is known in the place of symbols without a shape."""
    if isinstance(e, Symbol):
        return known.get(e.name, e) if not e.shape else e
    return _rebuilt(e, lambda part: put_in(part, known))


def symbols_in(e: Expression) -> dict[str, Symbol]:
    """The symbols in it, by their names, in the order in which they are written."""
    return {atom.name: atom for atom in _atoms(e) if isinstance(atom, Symbol)}


def _atoms(e: Expression) -> list[Expression]:
    found, stack = [], [e]
    while stack:
        e = stack.pop()
        inner = parts_of(e)
        if not inner:
            found.append(e)
        stack += reversed(inner)
    return found


def _rebuilt(e: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The expression with its parts changed."""
    changed: dict[str, Any] = {}
    for field in fields(e):
        value = getattr(e, field.name)
        if isinstance(value, Expression):
            new: Any = change(value)
        elif isinstance(value, tuple) and any(isinstance(v, Expression) for v in value):
            new = tuple([change(v) for v in value])
        else:
            continue
        changed[field.name] = new
    return replace(e, **changed) if changed else e


def tidied(e: Expression) -> Expression:
    """The same in less: of what is broadcast beside an array only the number, of a sum of a transpose no transpose."""
    e = _rebuilt(e, tidied)
    match e:
        case Transpose(operand=Apply(function="broadcast", arguments=(one,)) as spread) if one.shape == ():
            return replace(spread, shape=e.shape)
        case Expand(operand=Apply(function="broadcast", arguments=(one,)) as spread) if one.shape == ():
            return replace(spread, shape=e.shape)
        case Transpose(operand=Expand() as vector) if vector.operand.shape and len(vector.operand.shape) == 1:
            return replace(vector, column=not vector.column, shape=e.shape)
        case Product():
            return functools.reduce(algebra.multiply, _plain(e, e.factors))
        case Sum():
            return _factored(functools.reduce(algebra.add, _plain(e, e.terms)))
        case Quotient():
            return _cancelled(algebra.divide(*_plain(e, (e.numerator, e.denominator))))
        case Negative():
            return algebra.negative(e.operand)
        case Transpose(operand=Total(axes=(axis,), keepdims=True) as summed) if _is_matrix(summed.operand):
            return tidied(replace(summed, operand=summed.operand.transposed(), axes=(1 - axis % 2,), shape=e.shape))
        case Total(operand=Transpose() as inner, axes=None):
            return replace(e, operand=inner.operand)
        case Total(operand=Transpose() as inner, axes=(axis,), keepdims=False) if _is_matrix(inner):
            return replace(e, operand=inner.operand, axes=(1 - axis % 2,))
        case Apply(arguments=(Transpose() as inner,)) if e.shape == () and e.function in _OF_ALL:
            return replace(e, arguments=(inner.operand,))
    return e


def _is_matrix(e: Expression) -> bool:
    return e.shape is not None and len(e.shape) == 2


def _plain(e: Expression, parts: tuple[Expression, ...]) -> list[Expression]:
    """The parts of an elementwise expression, without what says of a number that it has the shape of the others."""
    full = [part for part in parts if part.shape == e.shape and _number_in(part) is None]
    return [(_number_in(part) or part) if full else part for part in parts]


def _cancelled(e: Expression) -> Expression:
    """A quotient without the factors that are above and below: a ∘ (1 − a) in the cross-entropy of a sigmoid."""
    if not isinstance(e, Quotient):
        return e
    above, below = (list(p.factors if isinstance(p, Product) else (p,)) for p in (e.numerator, e.denominator))
    for factor in [factor for factor in above if not isinstance(factor, Number)]:
        if factor in below:
            above.remove(factor)
            below.remove(factor)
    found = algebra.divide(_times(above), _times(below))
    return found if found.shape == e.shape else e


def _times(factors: list[Expression]) -> Expression:
    """The elementwise product; 1 of nothing."""
    return functools.reduce(algebra.multiply, factors) if factors else Number(1)


def _factored(e: Expression) -> Expression:
    """A sum with what is a factor of all its terms before it: g ∘ (1 − y²) for g − g ∘ y²."""
    if not isinstance(e, Sum):
        return e
    signed = [(term.operand, -1) if isinstance(term, Negative) else (term, 1) for term in e.terms]
    factors = [list(term.factors if isinstance(term, Product) else (term,)) for term, _ in signed]
    common = [f for f in factors[0] if all(f in other for other in factors[1:])]
    for factor in common:
        for own in factors:
            own.remove(factor)
    rest = [_times([Number(sign), *own]) for own, (_, sign) in zip(factors, signed)]
    found = _times([*common, functools.reduce(algebra.add, rest)])
    return found if common and found.shape == e.shape else e


def _number_in(e: Expression) -> Expression | None:
    """The number that is broadcast, perhaps with a sign."""
    if isinstance(e, Negative):
        inner = _number_in(e.operand)
        return None if inner is None else algebra.negative(inner)
    if isinstance(e, Apply) and e.function == "broadcast" and e.arguments[0].shape == ():
        return e.arguments[0]
    return None


def shaped(e: Expression) -> Expression:
    """A formula that stands beside the shape of its result: a broadcast number is a number there."""
    return _number_in(e) or e


def as_column(e: Expression) -> Expression:
    """A vector as the column that it is among columns of examples; only sums over rows can be written so."""
    match e:
        case Negative():
            return algebra.negative(as_column(e.operand))
        case Sum():
            return functools.reduce(algebra.add, [as_column(term) for term in e.terms])
        case Total(axes=(axis,), keepdims=False) if _is_matrix(e.operand):
            summed = e.operand if axis % 2 else e.operand.transposed()
            return Total(summed, (1,), True, shape=None if e.shape is None else (*e.shape, 1))
    return e


def written(e: Expression) -> Expression:
    """With brackets around a symbol of several letters where a sign stands behind it, as in (∂J/∂a)ᵀ."""
    e = _rebuilt(e, written)
    match e:
        case Transpose(operand=Symbol() as symbol) if _needs_brackets(symbol):
            return replace(e, operand=_bracketed(symbol))
        case Power(base=Symbol() as symbol) if _needs_brackets(symbol):
            return replace(e, base=_bracketed(symbol))
        case MatMul():  # a factor is followed by its shape
            return replace(e, factors=tuple([replace(_number_in(f) or f, shape=f.shape) for f in e.factors]))
    return e


def _needs_brackets(symbol: Symbol) -> bool:
    return symbol.name.startswith("∂") or symbol.name.endswith(("ᵀ", "⁾"))


def _bracketed(symbol: Symbol) -> Symbol:
    return replace(symbol, name=f"({symbol.name})", tex=f"\\left({symbol.tex}\\right)")
