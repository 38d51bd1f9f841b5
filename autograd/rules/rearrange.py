"""Turning, shifting, repeating: the rarer ways to move or copy values.

What moves values has a rule that moves the cotangent back; what copies them, one that sums over the copies.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..node import Value, data_of
from ..primitive import REGISTRY, composed, define, written
from ..wrapping import array_beside, array_like, known, unwrap, wrap
from .arrange import broadcast_to, ravel, reshape, transpose
from .constant import tracked
from .index import getitem
from .reduce import typed

__all__ = ["as_tensors", "frozen", "roll", "tile"]


def frozen(option: Any) -> Any:
    """An option that nobody can change afterwards."""
    option = known(option)
    if isinstance(option, list | np.ndarray):
        option = np.asarray(option).tolist()
    return tuple(option) if isinstance(option, list) else option


def as_tensors(results: Any) -> tuple[Any, ...]:
    """Several results, of which some may be plain arrays, as Tensors."""
    return tuple([y if isinstance(y, Value) else wrap(y) for y in results])


# Turning and shifting


def _back(shift: Any) -> Any:
    return tuple([-s for s in shift]) if isinstance(shift, tuple) else -shift


_roll = define(np.roll, "a; shift, axis=None -> y", a=lambda g, shift, axis: np.roll(g, _back(shift), axis))
_flip = define(np.flip, "m; axis=None -> y", m=lambda g, axis: np.flip(g, axis))
define(np.fliplr, "m -> y", m=lambda g: np.fliplr(g))
define(np.flipud, "m -> y", m=lambda g: np.flipud(g))
_rot90 = define(np.rot90, "m; k, axes -> y", m=lambda g, k, axes: np.rot90(g, -k, axes))


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """`np.roll`."""
    return _roll(a, frozen(shift), frozen(axis))


def flip(m: Any, axis: Any = None) -> Any:
    """`np.flip`."""
    return _flip(m, frozen(axis))


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """`np.rot90`."""
    return _rot90(m, k, frozen(axes))


REGISTRY[np.roll], REGISTRY[np.flip], REGISTRY[np.rot90] = roll, flip, rot90


def _axes_of(function: Any) -> None:
    """Register a function that puts the axes in another order: one that NumPy finds for an array without elements."""

    def call(a: Any, *args: Any, **kwargs: Any) -> Any:
        return transpose(a, function(np.empty(tuple(range(np.ndim(a)))), *args, **kwargs).shape)

    call.__name__ = function.__name__
    composed(function)(call)


for _function in (np.moveaxis, np.rollaxis, np.matrix_transpose, np.linalg.matrix_transpose):
    _axes_of(_function)


def _shape_of(function: Any) -> None:
    """Register `atleast_1d` and its like, which add axes of length 1 to each of their arguments."""

    def call(*arys: Any) -> Any:
        like = next((a for a in arys if isinstance(a, Value)), None)
        arys = tuple([array_beside(a, like) for a in arys])
        results = [reshape(a, function(np.broadcast_to(np.False_, a.shape)).shape) for a in arys]
        return results[0] if len(results) == 1 else as_tensors(results)

    call.__name__ = function.__name__
    composed(function)(call)


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    _shape_of(_function)


# Copies


def _copies(shape: tuple[int, ...], reps: tuple[int, ...]) -> tuple[list[int], tuple[int, ...]]:
    """For a tiled array: its shape with each axis split into (copies, elements), and the axes of the copies."""
    n = max(len(shape), len(reps))
    lengths = (1,) * (n - len(shape)) + tuple(shape)
    counts = (1,) * (n - len(reps)) + tuple(reps)
    return [k for pair in zip(counts, lengths) for k in pair], tuple(range(0, 2 * n, 2))


@written("sum_over_copies(g)")
def _untile(g: Any, A_shape: tuple[int, ...], reps: tuple[int, ...]) -> Any:
    shape, axes = _copies(A_shape, reps)
    return g.reshape(shape).sum(axes).reshape(A_shape)


_tile = define(np.tile, "A; reps -> y", A=_untile)


def tile(A: Any, reps: Any) -> Any:
    """`np.tile`."""
    return _tile(A, tuple([operator.index(r) for r in np.atleast_1d(unwrap(reps)).tolist()]))


@written("sum_over_copies(g)")
def _unrepeat(g: Any, a_shape: tuple[int, ...], repeats: int, axis: int) -> Any:
    axis %= len(a_shape)
    return g.reshape(*a_shape[: axis + 1], repeats, *a_shape[axis + 1 :]).sum(axis + 1)


_repeat = define(np.repeat, "a; repeats, axis -> y", a=_unrepeat)


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """`np.repeat`: as often for each element, or so many times for each position along an axis."""
    repeats = unwrap(repeats)
    if axis is None:
        a, axis = ravel(a), 0
    elif not np.ndim(a):
        a = reshape(a, (1,))
    if math.prod(np.shape(repeats)) == 1:
        return _repeat(a, int(np.reshape(repeats, ())), axis)
    lead = (slice(None),) * (axis % np.ndim(a))
    return getitem(a, (*lead, np.repeat(np.arange(a.shape[axis], like=data_of(a)), repeats)))


REGISTRY[np.tile], REGISTRY[np.repeat] = tile, repeat


@composed(np.copy)
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """`np.copy`; the order in memory is free."""
    return a.copy()


@composed(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """`np.broadcast_arrays`."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return as_tensors(broadcast_to(array_like(a), shape) for a in args)


@composed(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """`np.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    places = list(range(n))
    if indexing == "xy" and n > 1:
        places[:2] = [1, 0]
    lines = [reshape(array_like(x), tuple([-1 if k == place else 1 for k in range(n)])) for x, place in zip(xi, places)]
    return as_tensors(lines) if sparse else broadcast_arrays(*lines)


@composed(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    """`np.ix_`: each sequence along an axis of its own. Numbers that are no positions keep their gradient."""
    meshes = np.ix_(*unwrap(args))
    return as_tensors(typed(x).reshape(mesh.shape) if tracked(x) else mesh for x, mesh in zip(args, meshes))


# A function of NumPy's applied along axes, one call after the other


@composed(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.apply_along_axis`: `func1d` gets Tensors, and is called once for each line, as NumPy does it too."""
    moved = np.moveaxis(arr, axis, -1)
    lead = moved.shape[:-1]
    if not all(lead):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    results = np.stack([func1d(line, *args, **kwargs) for line in moved.reshape(-1, moved.shape[-1])])
    results = results.reshape(*lead, *results.shape[1:])
    n, new = len(lead), results.ndim - len(lead)
    axis %= np.ndim(arr)
    return np.moveaxis(results, tuple(range(n, n + new)), tuple(range(axis, axis + new)))


@composed(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """`np.apply_over_axes`."""
    for axis in np.atleast_1d(np.asarray(axes)).tolist():
        axis = normalize_axis_index(axis, a.ndim)
        y = func(a, axis)
        if np.ndim(y) != a.ndim:
            y = np.expand_dims(y, axis)
            if y.ndim != a.ndim:
                raise ValueError("function is not returning an array of the correct shape")
        a = y
    return a
