"""From the source of a rule to its formula.

A rule is a line of NumPy, or a few of them. It is read here with expressions in place of arrays: `g * np.cos(x)`
becomes g ∘ cos(x). What asks for a shape or for an option gets it, if it is known. A helper is read like a rule, unless
`written` says how formulas write it; a function that is differentiable itself is a function in the formula too.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
from collections import ChainMap
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from ..primitive import Primitive
from . import algebra
from .expression import Expression, Symbol
from .interpreter import FAILURES, Lambda, Reader, Unreadable, Words
from .source import tree_of
from .vocabulary import VOCABULARY, Real, Unknown, named, written_constant

__all__ = ["FAILURES", "call", "call_of", "defaults_of"]


#: Functions of constants that are called, so that their result is a constant.
_PURE = {len, max, min, tuple, list, range, float, int, abs, bool, zip, enumerate, reversed, round, np.argsort}


#: Functions whose result has the shape of what they are given, although they are not elementwise.
_SHAPE_KEPT = {np.flip, np.fliplr, np.flipud, np.roll, np.fft.fftshift, np.fft.ifftshift}


def call(function: Any, arguments: tuple[Any, ...], options: Mapping[str, Any] | None = None) -> Any:
    """What a call means in a formula.

    Raises
    ------
    Unreadable
        If it cannot be told: then the call itself has to stand in the formula.
    """
    options = options or {}
    meaning = _meaning(function)
    if meaning is not None:
        return meaning(*arguments, **options)
    if isinstance(function, functools.partial):
        return call(function.func, (*function.args, *arguments), {**function.keywords, **options})
    if isinstance(function, MethodType) and isinstance(function.__func__, FunctionType):
        return call(function.__func__, (function.__self__, *arguments), options)
    if isinstance(function, FunctionType) and not hasattr(function, "primitive"):
        function = inspect.unwrap(function)
    written = getattr(function, "__formula__", None)
    constants = not any(_is_expression(a) for a in (*arguments, *options.values()))
    if constants and arguments and (written is not None or _is_pure(function)):
        with suppress(*FAILURES):
            return function(*arguments, **options)
    if written is not None:
        return _read_text(function, _bound(function, arguments, options))
    if isinstance(function, Lambda):
        return function.read(arguments)
    primitive = getattr(function, "primitive", None)
    if isinstance(primitive, Primitive):
        return call_of(primitive, arguments, options, as_written=False)
    if isinstance(function, np.ufunc):
        return algebra.each(function.__name__, *arguments)
    if isinstance(function, FunctionType) and not (function.__module__ or "").startswith("numpy"):
        return _read(function, _bound(function, arguments, options))
    if isinstance(getattr(function, "__self__", None), str):
        return function(*arguments)
    if isinstance(function, type) and issubclass(function, np.generic):
        return arguments[0]
    name = getattr(function, "__name__", None)
    if name is None:
        raise Unreadable
    kept = arguments and isinstance(arguments[0], Expression) and function in _SHAPE_KEPT
    shape = arguments[0].shape if kept else None
    return named(name.strip("_"), *_beside_defaults(function, arguments, options), shape=shape)


def call_of(
    primitive: Primitive,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any] | None = None,
    as_written: bool = True,
) -> Any:
    """What an operation with rules computes: as its function is written, or, inside of a formula, as a call of it.

    A tuple, if something is written for each of several results.
    """
    given = dict(zip((*primitive.inputs, *primitive.options), arguments)) | dict(options or {})
    meaning = _meaning(primitive.function)
    written = getattr(primitive.function, "__formula__", None) if as_written and meaning is None else None
    if written is not None:
        found = _read_text(primitive.function, given)
        each = tuple([algebra.as_expression(part) for part in (found if isinstance(found, tuple) else (found,))])
        return each if isinstance(found, tuple) else each[0]
    operands = [given.pop(name) for name in primitive.inputs if name in given]
    if meaning is not None:
        return algebra.as_expression(meaning(*operands, **given))
    defaults = defaults_of(primitive)
    shown = [
        _option(name, value, name in defaults) for name, value in given.items() if not _same(name, value, defaults)
    ]
    name = primitive.name.removeprefix("special.")
    return algebra.each(name, *operands, *shown) if primitive.broadcasts else named(name, *operands, *shown)


def _same(name: str, value: Any, defaults: Mapping[str, Any]) -> bool:
    """Whether an option is what it is by default."""
    return name in defaults and (
        value is defaults[name] or (type(value) is type(defaults[name]) and value == defaults[name])
    )


def _option(name: str, value: Any, named: bool) -> Any:
    """An option as it stands in a call; by its name, if it need not be given."""
    return Symbol(f"{name}={written_constant(value)}", ()) if named and not isinstance(value, Expression) else value


@functools.lru_cache(maxsize=1024)
def defaults_of(primitive: Primitive) -> dict[str, Any]:
    """The defaults of the options, as the signature says them."""
    parameters = ast.parse(f"def f({primitive.header}): 0").body[0].args  # type: ignore[attr-defined]
    found: dict[str, Any] = {}
    positional = parameters.args[len(parameters.args) - len(parameters.defaults) :]
    for parameter, default in (
        *zip(positional, parameters.defaults),
        *zip(parameters.kwonlyargs, parameters.kw_defaults),
    ):
        if default is not None and parameter.arg in primitive.options:
            found[parameter.arg] = ast.literal_eval(default)
    return found


def _meaning(function: Any) -> Callable[..., Any] | None:
    try:
        return VOCABULARY.get(function)
    except TypeError:  # not hashable
        return None


def _beside_defaults(function: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> list[Any]:
    """The arguments of a call that are not what they are by default."""
    try:
        signature = inspect.signature(function)
        given = signature.bind(*arguments, **options).arguments
    except (TypeError, ValueError):
        return [*arguments, *(_option(name, v, True) for name, v in options.items())]
    defaults = {name: p.default for name, p in signature.parameters.items() if p.default is not p.empty}
    return [_option(name, v, name in defaults) for name, v in given.items() if not _same(name, v, defaults)]


def _is_expression(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_is_expression(v) for v in value)
    return isinstance(value, Expression | Unknown | Real | Lambda)


def _is_pure(function: Any) -> bool:
    if getattr(function, "__module__", None) == "math" or (isinstance(function, type) and function is np.dtype):
        return True
    return getattr(function, "__hash__", None) is not None and function in _PURE


def _bound(function: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a function, by name."""
    while not isinstance(function, FunctionType):
        function = getattr(function, "__wrapped__", None) or getattr(function, "__func__", None)
        if function is None:
            raise Unreadable
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    found = dict(zip(names[code.co_argcount - len(defaults) : code.co_argcount], defaults))
    found |= function.__kwdefaults__ or {}
    return found | dict(zip(names, arguments)) | dict(options)


def _read(function: FunctionType, local: dict[str, Any]) -> Any:
    tree = tree_of(function)
    if tree is None:
        raise Unreadable
    cells = zip(function.__code__.co_freevars, function.__closure__ or ())
    around: dict[str, Any] = {}
    for name, cell in cells:
        with suppress(ValueError):  # not filled yet
            around[name] = cell.cell_contents
    reader = Reader(ChainMap(around, function.__globals__, vars(builtins)), local, call)
    if isinstance(tree, ast.Lambda):
        return reader.value(tree.body)
    return reader.body(tree.body)


def _read_text(function: Any, local: dict[str, Any]) -> Any:
    """What `written` says of a function. A cotangent that there is none of is 0."""
    if isinstance(local.get("g"), tuple):
        local["g"] = tuple([algebra.ZERO if part is None else part for part in local["g"]])
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    return Reader(Words(scope, function), local, call).value(_parsed(function.__formula__))


@functools.lru_cache(maxsize=2048)
def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise SyntaxError(
            f"the formula {text!r}, given by `written`, is not an expression in Python's syntax: {error.msg}."
        ) from None
