"""Nested lists, tuples, named tuples and dicts: their leaves, and other leaves in the same structure.

Whatever is not a list, tuple or dict is a leaf. The order of the leaves is that of the items; in a dict that of
its sorted keys, as in HIPS autograd, or as they were put in where keys cannot be sorted. A leaf is differentiable
if it is a Python float or complex number, or an array, NumPy scalar or Tensor of such numbers. Anything else
(strings, None, integers, booleans) is passed through, and has the gradient None.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..devices import as_array, describe, is_foreign
from ..node import Value, data_of
from ..rules import arrange
from ..wrapping import regroup, wrap

__all__ = ["as_given", "differentiable", "flatten", "leaves_of", "matched", "rebuilt"]


#: Made once: `isinstance` is met for each leaf of each call.
_CONTAINERS = (list, tuple, dict)
_NUMBERS = (np.ndarray, np.generic, float, complex)


def leaves_of(value: Any) -> list[Any]:
    """The leaves of a nested value, in order.

    Examples
    --------
    >>> from autograd.transforms.nested import leaves_of
    >>> leaves_of({"w": [1.0, 2.0], "b": (3.0, None)})
    [3.0, None, 1.0, 2.0]
    """
    if not isinstance(value, _CONTAINERS):
        return [value]
    leaves: list[Any] = []
    for item in _items(value):
        leaves += leaves_of(item)
    return leaves


def rebuilt(value: Any, leaves: Iterable[Any]) -> Any:
    """A nested value of the structure of `value` with these leaves.

    Examples
    --------
    >>> from autograd.transforms.nested import rebuilt
    >>> rebuilt({"w": [1.0, 2.0], "b": 3.0}, "xyz")
    {'w': ['y', 'z'], 'b': 'x'}
    """
    return _rebuilt(value, iter(leaves))


def _rebuilt(value: Any, leaves: Iterator[Any]) -> Any:
    if not isinstance(value, _CONTAINERS):
        return next(leaves)
    if not isinstance(value, dict):
        return regroup(value, [_rebuilt(item, leaves) for item in value])
    result = copy.copy(value)  # of its class, with its keys in their order
    for key in _keys(value):
        result[key] = _rebuilt(value[key], leaves)
    return result


def _items(value: Any) -> Iterable[Any]:
    return [value[key] for key in _keys(value)] if isinstance(value, dict) else value


def _keys(value: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def matched(value: Any, like: Any, what: str, place: str = "") -> list[Any]:
    """The leaves of `value` in the order of those of `like`, which must have the same structure.

    None in place of a part stands for None at each of its leaves.

    Raises
    ------
    TypeError
        Saying at which place (`['w'][0]`) the structures differ.
    """
    if not isinstance(like, _CONTAINERS):
        return [value]
    if value is None:
        return [None] * len(leaves_of(like))
    if isinstance(like, dict):
        if not isinstance(value, dict) or value.keys() != like.keys():
            raise TypeError(f"{what}{place} must be a dict with the keys {list(like)}, got {_told(value)}.")
        pairs = [(value[key], like[key], f"[{key!r}]") for key in _keys(like)]
    else:
        if not isinstance(value, list | tuple) or len(value) != len(like):
            raise TypeError(f"{what}{place} must be a {type(like).__name__} of {len(like)}, got {_told(value)}.")
        pairs = [(v, old, f"[{k}]") for k, (v, old) in enumerate(zip(value, like))]
    return [leaf for v, old, step in pairs for leaf in matched(v, old, what, place + step)]


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return f"one with the keys {list(value)}"
    return f"{type(value).__name__} of {len(value)}" if isinstance(value, list | tuple) else describe(value)


def differentiable(leaf: Any) -> Any:
    """The array of a leaf that has a gradient (of a Tensor, its own); None for any other leaf."""
    if isinstance(leaf, Value):
        array = leaf._array
    elif isinstance(leaf, _NUMBERS) or is_foreign(leaf):
        if hasattr(leaf, "dtype") and leaf.dtype.kind not in "fc":
            return None
        array = as_array(leaf)
    else:
        return None
    return array if array.dtype.kind in "fc" else None


def as_given(array: Any, leaf: Any) -> Any:
    """`array` as what `leaf` is: a Tensor, an array, or where it has no axes, a NumPy scalar or a Python number."""
    if isinstance(leaf, Value):
        return wrap(array)
    if array.ndim or isinstance(leaf, np.ndarray) or is_foreign(leaf):
        return array
    return array[()] if isinstance(leaf, np.generic) else array.item()


def flatten(value: Any) -> tuple[Any, Any]:
    """All numbers of a nested value in one vector, and the way back.

    Both ways are differentiable: they can be used inside a function whose gradient is taken.

    Parameters
    ----------
    value : nested lists, tuples, dicts
        With arrays, Tensors and numbers at the leaves. Leaves that are not differentiable (integers, strings,
        None) do not get into the vector; `unflatten` puts them back as they are.

    Returns
    -------
    vector : array, shape (n,)
        A Tensor if a leaf is one. Its dtype is the common one of the leaves.
    unflatten : callable
        From a vector of shape (n,) to a nested value like `value`: shapes and dtypes of the leaves are
        restored (of a complex number that is to be a real one, the real part); Tensors if the vector is one.

    Raises
    ------
    ValueError
        By `unflatten`, if its argument does not have the shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import flatten
    >>> vector, unflatten = flatten({"w": np.ones((2, 2)), "b": 0.5})
    >>> vector
    array([0.5, 1. , 1. , 1. , 1. ])
    >>> unflatten(2 * vector)
    {'w': array([[2., 2.],
           [2., 2.]]), 'b': 1.0}
    """
    leaves = leaves_of(value)
    arrays = [differentiable(leaf) for leaf in leaves]
    tensor = any(isinstance(leaf, Value) and array is not None for leaf, array in zip(leaves, arrays))
    parts = [
        arrange.ravel(leaf if isinstance(leaf, Value) else array)
        for leaf, array in zip(leaves, arrays)
        if array is not None
    ]
    forms = [None if array is None else (array.shape, array.dtype) for array in arrays]
    examples = [data_of(leaf) if isinstance(leaf, Value) else leaf for leaf in leaves]
    length = sum(part.size for part in parts)
    like = rebuilt(value, [leaf if form is None else None for leaf, form in zip(leaves, forms)])

    def unflatten(vector: Any) -> Any:
        """The nested value with its numbers from `vector`."""
        if not isinstance(vector, Value):
            vector = as_array(vector)
        if vector.shape != (length,):
            raise ValueError(f"unflatten needs a vector of shape ({length},), got shape {vector.shape}.")
        restored, start = [], 0
        for example, form in zip(examples, forms):
            if form is None:
                restored.append(example)
                continue
            shape, dtype = form
            stop = start + int(np.prod(shape))
            part = vector[start:stop].reshape(shape)
            if part.dtype.kind == "c" != dtype.kind:
                part = part.real
            part = part.astype(dtype)  # of a plain array, a copy: the vector can be overwritten
            restored.append(part if isinstance(vector, Value) else as_given(part, example))
            start = stop
        return rebuilt(like, restored)

    if not parts:
        return np.zeros(0), unflatten
    vector = arrange.concatenate(parts)
    return (vector if tensor else data_of(vector)), unflatten
