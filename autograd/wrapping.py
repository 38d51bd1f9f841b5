"""Tensors around arrays, and arrays out of Tensors: what everything that touches both begins and ends with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .devices import as_array, is_foreign, move
from .node import Node, Value, data_of

__all__ = [
    "PLAIN",
    "array_beside",
    "array_like",
    "known",
    "made_beside",
    "operand",
    "regroup",
    "result_class",
    "results_are",
    "unrecorded",
    "unwrap",
    "wrap",
]

#: The class of results, once `tensor.py` has said so: it needs the operators, which need this module.
_Tensor: Any = Value

#: Operands that are taken as they are; None stands for an optional input that is absent.
PLAIN = frozenset({ndarray, float, int, bool, complex, np.float64, np.float32, type(None)})


def results_are(tensor: type[Value]) -> None:
    """Say of which class the results of all operations are."""
    global _Tensor
    _Tensor = tensor


def result_class() -> Any:
    """The class of the results of all operations."""
    return _Tensor


def wrap(data: Any, node: Node | None = None) -> Any:
    """A Tensor around an array: tracked if a node is given."""
    tensor = object.__new__(_Tensor)
    tensor._array = data if data.__class__ is ndarray else as_array(data)
    tensor._node = node
    tensor._requires_grad = node is not None
    return tensor


def unrecorded(result: Any) -> Any:
    """What a function that is not recorded returns: arrays as Tensors, everything else as it is."""
    if isinstance(result, Value):  # of a user's function, which NumPy called
        return result
    if is_foreign(result) or (isinstance(result, ndarray | np.generic) and result.dtype.kind in "fciub"):
        return wrap(result)
    if isinstance(result, list | tuple):
        return regroup(result, [unrecorded(item) for item in result])
    return result


def unwrap(value: Any) -> Any:
    """`value` with each Tensor in it, also inside lists, tuples and dicts, replaced by its array, read-only."""
    if isinstance(value, Value):
        if value._array.__class__ is not ndarray:
            return value._array
        view = value._array.view()
        view.flags.writeable = False  # so that `np.put(t, …)` fails: a value on a tape is never overwritten
        return view
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    if type(value) is tuple:
        return tuple([unwrap(item) for item in value])
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return value


def regroup(results: Any, items: list[Any]) -> Any:
    """`items` in a tuple, named tuple or list like `results`."""
    return type(results)(*items) if hasattr(results, "_fields") else type(results)(items)


def operand(value: Any) -> Any:
    """An operand that is not a Tensor, as something that a rule can calculate with."""
    if value.__class__ in PLAIN or isinstance(value, np.generic) or is_foreign(value):
        return value
    return as_array(value)


def array_like(x: Any) -> Any:
    """A Tensor or an array as it is, a list as an array; a number as NumPy's: 2.0 is a float64, and does not adapt."""
    if hasattr(x, "dtype"):
        return x
    array = np.asarray(x)
    return array if array.dtype.hasobject else array[()]  # of objects that would be one of them


def array_beside(x: Any, like: Any) -> Any:
    """`array_like(x)`, but a number as an array with no axes of the library of `like`."""
    x = array_like(x)
    return np.full_like(data_of(like), x, shape=(), dtype=x.dtype) if isinstance(x, np.generic) else x


def made_beside(array: Any, like: Any) -> Any:
    """A NumPy array that a rule has made of shapes and options, as an array of the library of `like`."""
    return np.asarray(array, like=data_of(like))


def known(option: Any) -> Any:
    """An option that shapes depend on, without Tensors in it: one that is on a device is waited for."""
    option = unwrap(option)
    return move(option, "cpu") if is_foreign(option) else option
