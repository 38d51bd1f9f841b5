"""A call of NumPy arrays, made anew for arrays of a device: all that a function holds is moved."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["moved"]

Put = Callable[[Any], Any]

#: The beginning of the names of modules whose functions are made anew; others hold no arrays.
_TESTS = "rule_examples"

#: The functions with which examples make arrays out of nothing, or out of numbers.
_MAKING = ("arange", "array", "asarray", "eye", "full", "linspace", "ones", "zeros")


class Namespace:
    """NumPy, of which the functions that make arrays make them on a device."""

    def __init__(self, put: Put):
        self._put = put

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)
        return functools.partial(self._made, function) if name in _MAKING else function

    def _made(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        if function in (np.array, np.asarray) and not isinstance(args[0], list | tuple | np.ndarray | float | int):
            return args[0]  # of the device already
        made = function(*args, **kwargs)
        return self._put(made) if isinstance(made, np.ndarray) else made


def moved(value: Any, put: Put) -> Any:
    """`value` with `put(array)` for each NumPy array that is in it, or that a function in it refers to."""
    return _moved(value, put, {})


def _moved(value: Any, put: Put, seen: dict[int, Any]) -> Any:
    if id(value) in seen:  # a function may refer to itself
        return seen[id(value)]
    if isinstance(value, np.ndarray):
        return put(value)
    if isinstance(value, Tensor):
        return Tensor(put(value.numpy()), requires_grad=value.requires_grad)
    if value is np:
        return Namespace(put)
    if isinstance(value, list | tuple):
        items = [_moved(item, put, seen) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {k: _moved(item, put, seen) for k, item in value.items()}
    if isinstance(value, functools.partial):
        return functools.partial(
            _moved(value.func, put, seen), *_moved(value.args, put, seen), **_moved(value.keywords, put, seen)
        )
    if isinstance(value, FunctionType) and value.__module__.startswith(_TESTS):
        return _function(value, put, seen)
    return value


def _function(function: FunctionType, put: Put, seen: dict[int, Any]) -> FunctionType:
    names = function.__globals__.copy()
    cells = tuple([CellType() for _ in function.__closure__ or ()])
    new = FunctionType(function.__code__, names, function.__name__, closure=cells)
    seen[id(function)] = new
    for cell, old in zip(cells, function.__closure__ or ()):
        cell.cell_contents = _moved(old.cell_contents, put, seen)
    names |= {name: _moved(names[name], put, seen) for name in _mentioned(function.__code__) if name in names}
    new.__defaults__ = _moved(function.__defaults__, put, seen)
    new.__kwdefaults__ = _moved(function.__kwdefaults__, put, seen)
    return new


def _mentioned(code: CodeType) -> set[str]:
    """The names that a function, or one within it, uses."""
    inner = [_mentioned(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_names}.union(*inner)
