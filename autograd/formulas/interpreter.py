"""Python's syntax with expressions in place of arrays: what an expression or a few statements come to."""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from . import algebra
from .expression import Expression, Number, Symbol
from .vocabulary import METHODS, REAL, WORDS, Unknown, named, shape_of, written_constant

__all__ = ["FAILURES", "Lambda", "Reader", "Unreadable", "Words"]


class Unreadable(Exception):
    """A rule is no formula: it has a loop, or asks for the values of an array."""


#: What reading a rule can end in, where it asks of an expression what only an array knows.
FAILURES = (Unreadable, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

#: Of how many parts a formula may be, and how many brackets deep.
LONGEST, DEEPEST = 1000, 50

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.LShift: operator.lshift,
}
_COMPARISONS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}


def bounded(value: Any) -> Any:
    """`value`, unless it is a formula that nobody would read: a rule of many steps can double it in each."""
    stack, size = [(value, 0)], 0
    while stack:
        e, depth = stack.pop()
        if isinstance(e, Expression):
            size += 1
            if size > LONGEST or depth > DEEPEST:
                raise Unreadable
            for slot in fields(e):
                part = getattr(e, slot.name)
                stack += [(p, depth + 1) for p in (part if isinstance(part, tuple) else (part,))]
    return value


class Words:
    """What names mean in the text of a formula that are no parameters: functions of NumPy's, what is called so where
    the function stands, or just names."""

    def __init__(self, scope: Mapping[str, Any], function: Any):
        self.scope, self.function = scope, function

    def __getitem__(self, name: str) -> Any:
        found = WORDS.get(name, getattr(np, name, None))
        if isinstance(found, type) or not callable(found):  # np.half is a dtype
            found = self.scope.get(name)
        if found is self.function or not (callable(found) or isinstance(found, int | float)):
            return Word(name)  # what is written in words of itself is a word
        return found


class Word(str):
    """A name in the text of a formula: a symbol, or a function when it is called."""


class Lambda:
    """A lambda inside a rule."""

    def __init__(self, tree: ast.Lambda, reader: Reader):
        self.tree, self.reader = tree, reader

    def read(self, arguments: tuple[Any, ...]) -> Any:
        names = [a.arg for a in self.tree.args.args]
        local = {**self.reader.local, **dict(zip(names, arguments))}
        return Reader(self.reader.scope, local, self.reader.called).value(self.tree.body)


class Reader:
    """Reads the body of one function."""

    def __init__(self, scope: Mapping[str, Any] | Words, local: dict[str, Any], called: Callable[..., Any]):
        self.scope, self.local, self.called = scope, local, called

    # Statements

    def body(self, statements: list[ast.stmt]) -> Any:
        """What the statements return."""
        found = self.run(statements)
        if found is None:
            raise Unreadable
        return found[0]

    def run(self, statements: list[ast.stmt]) -> tuple[Any] | None:
        """What is returned, in a tuple; None if nothing is, yet."""
        for statement in statements:
            found = None
            match statement:
                case ast.Return(value=ast.expr() as value):
                    return (self.value(value),)
                case ast.Assign(targets=[target], value=value):
                    self.assign(target, self.value(value))
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self.assign(target, self.value(value))
                case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                    self.local[name] = self.binary(op, self.local[name], self.value(value))
                case ast.If(test=test, body=body, orelse=orelse):
                    found = self.run(body if self.truth(self.value(test)) else orelse)
                case ast.With(body=body):
                    found = self.run(body)
                case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.Pass():
                    pass
                case _:
                    raise Unreadable
            if found is not None:
                return found
        return None

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.local[target.id] = value
            return
        if not isinstance(target, ast.Tuple) or not isinstance(value, tuple | list):
            raise Unreadable
        places, values = list(target.elts), list(value)
        star = next((k for k, t in enumerate(places) if isinstance(t, ast.Starred)), None)
        if star is not None:
            after = len(places) - star - 1
            starred = places[star]
            assert isinstance(starred, ast.Starred)
            places[star] = starred.value
            values[star : len(values) - after] = [values[star : len(values) - after]]
        if len(places) != len(values):
            raise Unreadable
        for place, v in zip(places, values):
            self.assign(place, v)

    def truth(self, value: Any) -> bool:
        if isinstance(value, Number):
            return bool(value.value)
        if isinstance(value, Expression | Unknown):
            raise Unreadable
        return bool(value)

    # Expressions

    def value(self, node: ast.expr) -> Any:
        method = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unreadable
        return method(node)

    def of_constant(self, node: ast.Constant) -> Any:
        return node.value

    def of_name(self, node: ast.Name) -> Any:
        if node.id in self.local:
            return self.local[node.id]
        if not isinstance(self.scope, Words) and node.id not in self.scope:
            raise Unreadable
        found = self.scope[node.id]
        if isinstance(self.scope, Words) and not isinstance(found, int | float):
            return Symbol(node.id, () if node.id in ("i", "k", "n") else None)
        if (
            isinstance(getattr(found, "shape", None), tuple) and found.shape
        ):  # an array that the rule has from around it
            return Symbol(node.id, np.shape(found))
        return found

    def of_attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if isinstance(owner, Expression):
            return _attribute(owner, node.attr)
        try:
            return getattr(owner, node.attr)
        except AttributeError:
            raise Unreadable from None

    def of_call(self, node: ast.Call) -> Any:
        arguments: list[Any] = []
        for a in node.args:
            if isinstance(a, ast.Starred):
                arguments += self.value(a.value)
            else:
                arguments.append(self.value(a))
        options = {k.arg: self.value(k.value) for k in node.keywords if k.arg is not None}
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            if isinstance(owner, Expression):
                method = METHODS.get(node.func.attr)
                if method is None:
                    return named(node.func.attr, owner, *arguments)
                return method(owner, *arguments, **options)
        if isinstance(node.func, ast.Name) and node.func.id not in self.local and isinstance(self.scope, Words):
            function = self.scope[node.func.id]
            if isinstance(function, Word):
                return named(function.replace("_", " "), *arguments)
        else:
            function = self.value(node.func)
        try:
            return bounded(self.called(function, tuple(arguments), options))
        except FAILURES:
            name = getattr(function, "__name__", None)
            if name is None or name == "<lambda>":
                raise Unreadable from None
            return named(name.strip("_") or "f", *arguments)

    def of_binop(self, node: ast.BinOp) -> Any:
        return bounded(self.binary(node.op, self.value(node.left), self.value(node.right)))

    def binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, Expression) or isinstance(right, Expression):
            if isinstance(op, ast.BitAnd | ast.BitOr):
                return algebra.logical("and" if isinstance(op, ast.BitAnd) else "or", left, right)
            if type(op) in (ast.FloorDiv, ast.Mod):
                return algebra.each("floor_divide" if isinstance(op, ast.FloorDiv) else "remainder", left, right)
        try:
            return _BINARY[type(op)](left, right)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            raise Unreadable from None

    def of_unaryop(self, node: ast.UnaryOp) -> Any:
        operand = self.value(node.operand)
        match node.op:
            case ast.USub():
                return -operand
            case ast.UAdd():
                return operand
            case ast.Not() if not isinstance(operand, Expression):
                return not operand
        return algebra.logical("not", operand) if isinstance(operand, Expression) else ~operand

    def of_compare(self, node: ast.Compare) -> Any:
        found: list[Any] = []
        left = self.value(node.left)
        for op, right_node in zip(node.ops, node.comparators):
            right = self.value(right_node)
            found.append(self.compared(left, op, right))
            left = right
        if any(not isinstance(f, Expression) and not f for f in found):
            return False
        expressions = [f for f in found if isinstance(f, Expression)]
        return functools.reduce(lambda a, b: algebra.logical("and", a, b), expressions) if expressions else True

    def compared(self, left: Any, op: ast.cmpop, right: Any) -> Any:
        if isinstance(op, ast.Is):
            return left is right
        if isinstance(op, ast.IsNot):
            return left is not right
        if type(op) not in _COMPARISONS:
            if isinstance(left, Expression | Unknown):
                raise Unreadable
            return (left in right) == isinstance(op, ast.In)
        sign, function = _COMPARISONS[type(op)]
        if isinstance(left, Expression) or isinstance(right, Expression):
            if (isinstance(left, Number) or not isinstance(left, Expression)) and isinstance(
                right, Number | int | float
            ):
                return function(getattr(left, "value", left), getattr(right, "value", right))
            return algebra.compare(left, sign, right)
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            raise Unreadable
        return function(left, right)

    def of_boolop(self, node: ast.BoolOp) -> Any:
        wanted = isinstance(node.op, ast.Or)
        value: Any = None
        for operand in node.values:
            value = self.value(operand)
            if isinstance(value, Expression):
                if isinstance(self.scope, Words):
                    others = [self.value(v) for v in node.values]
                    return algebra.logical("or" if wanted else "and", *others)
                raise Unreadable
            if bool(value) == wanted:
                return value
        return value

    def of_ifexp(self, node: ast.IfExp) -> Any:
        test = self.value(node.test)
        if isinstance(test, Expression) and not isinstance(test, Number):
            return algebra.cases(test, self.value(node.body), self.value(node.orelse))
        return self.value(node.body if self.truth(test) else node.orelse)

    def of_namedexpr(self, node: ast.NamedExpr) -> Any:
        self.assign(node.target, self.value(node.value))
        return self.value(node.target)

    def of_tuple(self, node: ast.Tuple) -> Any:
        return tuple([self.value(e) for e in node.elts])

    def of_list(self, node: ast.List) -> Any:
        return [self.value(e) for e in node.elts]

    def of_set(self, node: ast.Set) -> Any:
        return {self.value(e) for e in node.elts}

    def of_slice(self, node: ast.Slice) -> Any:
        return slice(*[None if p is None else self.value(p) for p in (node.lower, node.upper, node.step)])

    def of_subscript(self, node: ast.Subscript) -> Any:
        owner, key = self.value(node.value), self.value(node.slice)
        if not isinstance(owner, Expression):
            if isinstance(key, Expression) or (isinstance(owner, Unknown) and not isinstance(key, int)):
                raise Unreadable
            try:
                return owner[key]
            except (TypeError, LookupError):
                raise Unreadable from None
        if _only_adds_axes(key):
            return algebra.expanded(owner, key)
        if key in ((Ellipsis, 0), (Ellipsis, 0, slice(None))):
            found = algebra.last(owner, key == (Ellipsis, 0))
            if found is not None:
                return found
        return algebra.subscript(owner, ", ".join(map(written_constant, key if isinstance(key, tuple) else (key,))))

    def of_listcomp(self, node: ast.ListComp) -> Any:
        return list(self.generated(node.elt, node.generators))

    def of_generatorexp(self, node: ast.GeneratorExp) -> Any:
        return list(self.generated(node.elt, node.generators))

    def generated(self, elt: ast.expr, generators: list[ast.comprehension]) -> Iterator[Any]:
        if len(generators) != 1:
            raise Unreadable
        [generator] = generators
        values = self.value(generator.iter)
        if isinstance(values, Expression | Unknown):
            raise Unreadable
        for value in values:
            inner = Reader(self.scope, dict(self.local), self.called)
            inner.assign(generator.target, value)
            if all(inner.truth(inner.value(test)) for test in generator.ifs):
                yield inner.value(elt)

    def of_joinedstr(self, node: ast.JoinedStr) -> Any:
        return ""

    def of_lambda(self, node: ast.Lambda) -> Any:
        return Lambda(node, self)


def _attribute(owner: Expression, name: str) -> Any:
    match name:
        case "T":
            return owner.transposed()
        case "shape":
            return shape_of(owner)
        case "ndim":
            return len(shape_of(owner))
        case "dtype":
            return REAL
        case "real":
            return owner
        case "imag":
            return algebra.each("imag", owner)
        case "size":
            return math.prod(owner.shape) if owner.shape is not None else Symbol("n", ())
    raise Unreadable


def _only_adds_axes(key: Any) -> bool:
    return isinstance(key, tuple) and None in key and all(k is None or k is Ellipsis or k == slice(None) for k in key)
