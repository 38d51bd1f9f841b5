"""NumPy's functions that write into an array: put, place, putmask, copyto, fill_diagonal, put_along_axis.

On a Tensor each of them is `x[key] = values` with a key of its own: the Tensor is rebound to a new value, and under
`no_grad` a leaf is written in place. What `x[key] = v` refuses, they refuse.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..devices import anywhere, is_foreign
from ..node import Value, data_of
from ..primitive import composed
from ..wrapping import array_beside, array_like, unwrap
from .arrange import broadcast_to, ravel, reshape
from .gather import along, within
from .index import getitem

__all__: list[str] = []


def _writes(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what a function of NumPy's that writes into its first argument does to a Tensor."""
    name = f"np.{function.__name__}"

    def register(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> None:
            target = args[0] if args else next(iter(kwargs.values()))
            if isinstance(target, Value):
                write(*args, **kwargs)
            elif any(isinstance(a, Value) and a._requires_grad for a in (*args, *kwargs.values())):
                raise TypeError(
                    f"{name} cannot write a Tensor's value into an existing array: its gradient would be lost. "
                    "Make that array a Tensor first."
                )
            else:
                function(*map(unwrap, args), **unwrap(kwargs))

        call.__name__, call.__doc__ = function.__name__, write.__doc__
        call.writes = True  # type: ignore[attr-defined] # so it is called also where nothing is tracked
        return composed(function)(call)

    return register


def _over_and_over(values: Any, positions: Any) -> Any:
    """The values at these positions of an endless repetition of them."""
    values = ravel(array_beside(values, positions))
    return getitem(values, positions % values.size)


def _put_flat(a: Any, key: Any, values: Any) -> None:
    """Put values at a key of `a` raveled."""
    flat = ravel(a)
    flat[key] = values
    a[...] = reshape(flat, a.shape)


@_writes(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """`np.put`."""
    places = within(ind, a.size, mode).ravel()
    if anywhere((places < -a.size) | (places >= a.size)):
        raise IndexError(f"np.put: an index is out of bounds for {a.size} elements")
    if places.size and math.prod(np.shape(v)):
        _put_flat(a, places, _over_and_over(v, np.arange(places.size, like=places)))


@_writes(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    """`np.putmask`."""
    mask = array_like(unwrap(mask)).astype(bool)
    if mask.size != a.size:
        raise ValueError("putmask: mask and data must be the same size")
    if math.prod(np.shape(values)):
        a[mask.reshape(a.shape)] = _over_and_over(values, np.flatnonzero(mask))


@_writes(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    """`np.place`."""
    mask = array_like(unwrap(mask)).astype(bool)
    if mask.size != arr.size:
        raise ValueError("place: mask and data must be the same size")
    if n := int(np.count_nonzero(mask)):
        if not math.prod(np.shape(vals)):
            raise ValueError("Cannot insert from an empty array!")
        arr[mask.reshape(arr.shape)] = _over_and_over(vals, np.arange(n, like=data_of(arr)))


@_writes(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """`np.copyto`."""
    if not isinstance(src, int | float | complex):  # a Python number goes into every array that can hold its kind
        src = array_like(src)
    if not np.can_cast(getattr(src, "dtype", type(src)), dst.dtype, casting):  # type: ignore[arg-type]
        raise TypeError(f"Cannot cast from {getattr(src, 'dtype', type(src))} to {dst.dtype} according to {casting!r}")
    if where is True:
        dst[...] = src
        return
    where = array_like(unwrap(where))
    if where.dtype != bool:
        raise TypeError(f"np.copyto: where holds booleans, got {where.dtype}.")
    where = np.broadcast_to(where, dst.shape)
    if is_foreign(where):  # how many are chosen need not be known
        dst[...] = np.where(where, src, dst)
    else:
        dst[where] = getitem(broadcast_to(array_like(src), dst.shape), where)


@_writes(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """`np.fill_diagonal`."""
    marks = np.zeros(a.shape, dtype=bool)
    np.fill_diagonal(marks, True, wrap)
    found = np.flatnonzero(marks)  # they are equally far apart
    if found.size and math.prod(np.shape(val)):
        step = found[1] - found[0] if found.size > 1 else 1
        positions = np.arange(found.size, like=data_of(a))
        _put_flat(a, slice(0, int(found[-1]) + 1, int(step)), _over_and_over(val, positions))


@_writes(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """`np.put_along_axis`."""
    if axis is None:
        if np.ndim(indices) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        _put_flat(arr, within(indices, arr.size, "raise"), values)
    else:
        arr[along(arr.shape, indices, normalize_axis_index(axis, arr.ndim))] = values
