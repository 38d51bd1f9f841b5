"""What functions of NumPy and of Python mean in a formula.

Each takes the arguments that the function takes, expressions or constants, and returns an expression (or a constant,
such as a shape). What has no entry is written as a call: `cos(x)`.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cotangent import unbroadcast
from . import algebra
from .expression import Apply, Expand, Expression, Number, Shape, Symbol

__all__ = ["METHODS", "REAL", "VOCABULARY", "WORDS", "Real", "Unknown", "named", "shape_of", "written_constant"]


class Unknown:
    """The shape of an array of which no shape is known: a matrix's, since formulas are written for matrices."""

    def __init__(self, name: str):
        self.name = name

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Any:
        raise TypeError("the lengths of the axes are not known")

    def __getitem__(self, k: Any) -> Any:
        return Symbol(f"len({self.name})", ()) if k == 0 else Symbol("n", ())


class Real:
    """The dtype of an array in a formula: real numbers, of no precision."""

    kind = "f"

    @staticmethod
    def type(x: Any) -> Any:
        return x


REAL = Real()


def shape_of(e: Any) -> Any:
    """The shape of an operand; `Unknown` where formulas do not know it."""
    if not isinstance(e, Expression):
        return np.shape(e)
    return Unknown(str(e)) if e.shape is None else e.shape


def _known(shape: Any) -> Shape:
    """A shape, if it is one of numbers."""
    if isinstance(shape, int):
        shape = (shape,)
    if isinstance(shape, tuple | list) and all(isinstance(n, int) and n >= 0 for n in shape):
        return tuple(shape)
    return None


def _rearranged(name: str, shape: Shape) -> Callable[..., Expression]:
    return lambda x, *_, **__: Apply(name, (algebra.as_expression(x),), shape=shape)


def named(name: str, *operands: Any, shape: Shape = None) -> Expression:
    """A call of a function that is not one of each element: of expressions, and of options that say something."""
    found: list[Expression] = []
    for operand in operands:
        if isinstance(operand, np.generic) or (isinstance(operand, np.ndarray) and operand.ndim == 0):
            operand = operand.item()
        if isinstance(operand, Expression):
            found.append(algebra.as_expression(operand))
        elif isinstance(operand, list) or (
            isinstance(operand, tuple) and any(isinstance(o, Expression) for o in operand)
        ):
            found += [o for o in operand if isinstance(o, Expression)]
        elif isinstance(operand, int | float | complex) and not isinstance(operand, bool):
            found.append(Number(operand))
        elif isinstance(operand, tuple | slice):
            found.append(Symbol(written_constant(operand), ()))
    return Apply(name, tuple(found), shape=shape)


def written_constant(value: Any) -> str:
    """A constant as formulas write it: short."""
    if value is Ellipsis:
        return "…"
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, slice):
        parts = ["" if v is None else written_constant(v) for v in (value.start, value.stop)]
        return ":".join(parts) + ("" if value.step is None else f":{written_constant(value.step)}")
    if isinstance(value, tuple):
        return "(" + ", ".join(map(written_constant, value)) + ("," if len(value) == 1 else "") + ")"
    if shape := getattr(value, "shape", None):
        return f"array of {'×'.join(map(str, shape))}"
    written = repr(value) if isinstance(value, str) else str(value)
    return written if len(written) <= 40 else written[:39] + "…"


def _reshape(x: Any, shape: Any = None, *more: Any, order: Any = "C") -> Expression:
    wanted = _known((shape, *more) if more else shape)
    if isinstance(x, Expression) and x.shape is not None and x.shape == wanted:
        return x
    return named("reshape", x, *([] if order == "C" else [Symbol(f"order={order!r}", ())]), shape=wanted)


def _ravel(x: Any, order: Any = "C") -> Expression:
    size = None if (shape := algebra.as_expression(x).shape) is None else (math.prod(shape),)
    return named("ravel", x, *([] if order == "C" else [Symbol(f"order={order!r}", ())]), shape=size)


def _triangle(name: str) -> Callable[..., Expression]:
    def triangle(m: Any, k: int = 0) -> Expression:
        e = algebra.as_expression(m)
        shape = (*e.shape, *e.shape) if e.shape is not None and len(e.shape) == 1 else e.shape
        return named(name, e, *([k] if k else []), shape=shape)

    return triangle


def _clip(a: Any, a_min: Any, a_max: Any) -> Expression:
    bounds = [Symbol("None", ()) if bound is None else bound for bound in (a_min, a_max)]
    return algebra.each("clip", a, *bounds)


def _expand_dims(x: Any, axis: Any) -> Expression:
    e = algebra.as_expression(x)
    if e.shape is None or not isinstance(axis, int):
        return e
    place = axis % (len(e.shape) + 1)
    return algebra.expanded(e, (*[slice(None)] * place, None, Ellipsis))


def _broadcast_to(x: Any, shape: Any = None, *_: Any) -> Expression:
    wanted = _known(shape)
    e = algebra.as_expression(x)
    return e if e.shape is not None and e.shape == wanted else named("broadcast", e, shape=wanted)


def _swapaxes(x: Any, axis1: Any, axis2: Any) -> Expression:
    e = algebra.as_expression(x)
    if {axis1, axis2} == {-1, -2} or ({axis1, axis2} == {0, 1} and len(shape_of(e)) == 2):
        return e.transposed()
    return named("swapaxes", e, axis1, axis2)


def _transpose(x: Any, axes: Any = None, *more: Any) -> Expression:
    e = algebra.as_expression(x)
    if len(shape_of(e)) <= 2 and axes in (None, (1, 0), [1, 0]):
        return e.transposed()
    return named("transpose", e, *([] if axes is None else [axes]))


def _where(condition: Any, x: Any, y: Any) -> Expression:
    if isinstance(condition, bool):
        return algebra.as_expression(x if condition else y)
    return algebra.cases(condition, x, y)


def _reduced(name: str) -> Callable[..., Expression]:
    def reduced(x: Any, axis: Any = None, *_: Any, ddof: Any = 0, keepdims: bool = False, **__: Any) -> Expression:
        e = algebra.as_expression(x)
        said = {**({} if axis is None else {"axis": axis}), **({"ddof": ddof} if ddof else {})}
        over = [Symbol(f"{name}={written_constant(value)}", ()) for name, value in said.items()]
        return e if isinstance(e, Number) else named(name, e, *over, shape=algebra.total(e, axis, keepdims).shape)

    return reduced


def _sum(x: Any, axis: Any = None, *_: Any, keepdims: bool = False, **__: Any) -> Expression:
    return algebra.total(x, axis, keepdims)


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _unbroadcast(g: Any, shape: Any) -> Expression:
    return algebra.summed_to(algebra.as_expression(g), _known(shape))


def _count(shape: Any) -> Any:
    return Symbol("n", ()) if isinstance(shape, Unknown) else math.prod(shape)


def _length(x: Any) -> Any:
    return shape_of(x)[0] if isinstance(x, Expression) else len(x)


def _add_up(terms: Any, start: Any = 0) -> Any:
    for term in terms:
        start = algebra.add(start, term)
    return start


def _isinstance(x: Any, kind: Any) -> bool:
    return isinstance(x.value if isinstance(x, Number) else x, kind)


def _conjugate(x: Any) -> Expression:
    e = algebra.as_expression(x)
    return e if isinstance(e, Number) and not isinstance(e.value, complex) else algebra.each("conjugate", e)


def _einsum(*operands: Any, subscripts: Any, **_: Any) -> Expression:
    """With the subscripts first, and without options of how it is computed."""
    return named("einsum", Symbol(written_constant(subscripts), ()), *operands)


def _inverse(x: Any) -> Expression:
    e = algebra.as_expression(x)
    return named("inv", e, shape=e.shape)


def _solve(a: Any, b: Any) -> Expression:
    left, right = algebra.as_expression(a), algebra.as_expression(b)
    product = algebra.matmul(left, right)  # A⁻¹B has the shape of AB
    return named("solve", left, right, shape=product.shape)


def _kept(y: Any, shape: Any, axis: Any, keepdims: bool) -> Expression:
    """The result of a reduction of an array of `shape`, with the axes that it lacks."""
    e = algebra.as_expression(y)
    if keepdims or axis is None or not isinstance(shape, tuple) or e.shape is None:
        return e
    return Expand(e, True, shape=algebra.total(Symbol("", shape), axis, True).shape)


def _comparison(sign: str) -> Callable[..., Expression]:
    return lambda x, y: algebra.compare(x, sign, y)


def _zeros_like(x: Any, *_: Any, **__: Any) -> Expression:
    return Number(0)


def _logical(word: str) -> Callable[..., Any]:
    return lambda *operands: algebra.logical(word, *operands)


#: Function -> what it means.
VOCABULARY: dict[Any, Callable[..., Any]] = {
    np.add: algebra.add,
    np.subtract: algebra.subtract,
    np.multiply: algebra.multiply,
    np.divide: algebra.divide,
    np.negative: algebra.negative,
    np.positive: _same,
    np.power: algebra.power,
    np.matmul: algebra.matmul,
    np.square: lambda x: algebra.power(x, 2),
    np.reciprocal: lambda x: algebra.divide(1, x),
    np.conjugate: _conjugate,
    np.real: _same,
    np.asarray: _same,
    np.dot: algebra.matmul,
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    np.reshape: _reshape,
    np.broadcast_to: _broadcast_to,
    np.ravel: _ravel,
    np.astype: _same,
    np.where: _where,
    np.expand_dims: _expand_dims,
    np.tril: _triangle("tril"),
    np.triu: _triangle("triu"),
    np.sum: _sum,
    np.mean: _reduced("mean"),
    np.max: _reduced("max"),
    np.min: _reduced("min"),
    np.prod: _reduced("prod"),
    np.var: _reduced("var"),
    np.std: _reduced("std"),
    np.zeros_like: _zeros_like,
    np.ones_like: lambda x, *_, **__: Number(1),
    np.ndim: lambda x: len(shape_of(x)),
    np.shape: shape_of,
    unbroadcast: _unbroadcast,
    np.einsum: _einsum,
    np.linalg.inv: _inverse,
    np.linalg.solve: _solve,
    np.iscomplexobj: lambda x: False,
    np.greater: _comparison(">"),
    np.greater_equal: _comparison(">="),
    np.less: _comparison("<"),
    np.less_equal: _comparison("<="),
    np.equal: _comparison("=="),
    np.not_equal: _comparison("!="),
    np.logical_and: _logical("and"),
    np.logical_or: _logical("or"),
    np.logical_not: _logical("not"),
    zip: lambda *lists, strict=False: list(zip(*lists, strict=strict)),
    isinstance: _isinstance,
    builtins.sum: _add_up,
    abs: lambda x: algebra.each("absolute", x),
    np.clip: _clip,
    math.prod: _count,
    len: _length,
    float: _same,
    int: _same,
    math.sqrt: lambda x: algebra.each("sqrt", x),
}

#: The same of methods of arrays.
METHODS: dict[str, Callable[..., Any]] = {
    "astype": _same,
    "copy": _same,
    "conj": _conjugate,
    "conjugate": _conjugate,
    "dot": algebra.matmul,
    "sum": _sum,
    "mean": _reduced("mean"),
    "max": _reduced("max"),
    "min": _reduced("min"),
    "prod": _reduced("prod"),
    "reshape": _reshape,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "item": _same,
    "ravel": _ravel,
}

#: What can be said in the text of a formula beside NumPy's functions.
WORDS: dict[str, Callable[..., Any]] = {
    "broadcast": _broadcast_to,
    "kept": _kept,
    "len": len,
    "isinstance": isinstance,
    "unbroadcast": unbroadcast,
}
VOCABULARY |= {_broadcast_to: _broadcast_to, _kept: _kept}
