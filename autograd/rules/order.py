"""Order statistics: sort, partition, median, quantile, percentile, unique, ptp, and those that leave NaNs out.

Where each element of the result comes from is found on the plain values; the result is taken from there, and the
cotangent goes back there.

========================  =========================================================================================
equal elements            the cotangent goes to the one that NumPy's `argsort` or `argpartition` puts at the place
                          that is asked for; for `unique`, to the first
a NaN in a slice          the median and the quantiles are NaN; the cotangent goes to a NaN. The functions that leave
                          NaNs out give them the gradient 0, also where a slice is all NaN
`weights` of a quantile   constant: it is a step function of them
`q`                       refused if it requires a gradient; one that is on a device is brought to the CPU
partition                 NumPy leaves the order of what is below and above the k-th element open
========================  =========================================================================================
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..devices import anywhere, is_foreign
from ..errors import NoRuleError
from ..primitive import composed, define
from ..wrapping import known, made_beside, unrecorded, unwrap
from .constant import tracked
from .rearrange import frozen
from .reduce import Axis, as_lines, axes_of, count

__all__ = ["rearranged"]


def _rearranged(x: Any, order: Any, axis: int) -> Any:
    """The elements along an axis in another order: `order` is a permutation of 0, 1, … in each line."""
    return np.take_along_axis(x, order, axis)


def _inverse(order: Any, axis: int) -> Any:
    inverse = np.empty_like(order)
    np.put_along_axis(inverse, order, np.ones_like(order).cumsum(axis) - 1, axis)
    return inverse


rearranged: Any = define(
    _rearranged, "x; order, axis -> y", x=lambda g, order, axis: rearranged(g, order=_inverse(order, axis), axis=axis)
)
rearranged.primitive.name = "rearranged"


@composed(np.sort)
def _sort(a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None) -> Any:
    if order is not None:
        raise NoRuleError("np.sort with order= is for arrays with named fields, which have no gradient.")
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    if stable is not None and kind is not None:
        raise ValueError("np.sort: give kind or stable, not both.")
    return rearranged(a, order=np.argsort(unwrap(a), axis, "stable" if stable else kind), axis=axis)


@composed(np.sort_complex)
def _sort_complex(a: Any) -> Any:
    order = np.argsort(unwrap(a), -1)
    return rearranged(a, order=order, axis=-1).astype(np.sort_complex(unwrap(a)[..., :0]).dtype)


@composed(np.partition)
def _partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Any:
    if order is not None:
        raise NoRuleError("np.partition with order= is for arrays with named fields, which have no gradient.")
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    how: dict[str, Any] = {} if kind == "introselect" else {"kind": kind}
    return rearranged(a, order=np.argpartition(unwrap(a), frozen(kth), axis, **how), axis=axis)


@composed(np.ptp)
def _ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# Ranks. Lines are what `as_lines` makes of the axes: the last axis is the one that is reduced.


def _consecutive(ranks: list[int]) -> bool:
    """Whether a slice stands for these ranks, as for those of the median: a list is copied to a device."""
    return bool(ranks) and ranks[-1] - ranks[0] == len(ranks) - 1


def _places(values: Any, ranks: list[int]) -> Any:
    """Where in each line the elements of these ranks are; for a line with a NaN, where the NaN is."""
    n = values.shape[-1]
    order = np.argpartition(values, sorted({*ranks, n - 1}), axis=-1)
    last = order[..., -1:]  # NaNs are sorted to the end
    chosen = order[..., slice(ranks[0], ranks[-1] + 1) if _consecutive(ranks) else ranks]
    return np.where(np.isnan(np.take_along_axis(values, last, -1)), last, chosen)


def _kept(y: Any, shape: tuple[int, ...], axis: Axis, lead: tuple[int, ...] = ()) -> Any:
    """The axes that were reduced back in `y`, after those of `lead`."""
    reduced = axes_of(len(shape), axis)[1]
    return y.reshape((*lead, *[1 if k in reduced else n for k, n in enumerate(shape)]))


@composed(np.median)
def _median(a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    lines = as_lines(a, axis)
    n = lines.shape[-1]
    if n:  # the one in the middle, or the two
        lines = np.take_along_axis(lines, _places(unwrap(lines), [n // 2] if n % 2 else [n // 2 - 1, n // 2]), -1)
    y = np.mean(lines, axis=-1)
    return _kept(y, a.shape, axis) if keepdims else y


def _numbers_first(values: Any) -> tuple[Any, Any]:
    """The order of each line, NaNs last, and how many numbers there are in it."""
    numbers = (~np.isnan(values)).sum(axis=-1)
    if anywhere(numbers == 0):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=5)
    return np.argsort(values, axis=-1), numbers


@composed(np.nanmedian)
def _nanmedian(
    a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    lines = as_lines(a, axis)
    if not lines.shape[-1] or not (is_foreign(unwrap(lines)) or np.isnan(unwrap(lines)).any()):
        return np.median(a, axis, keepdims=keepdims)
    order, numbers = _numbers_first(unwrap(lines))
    ranks = np.stack([np.maximum(numbers - 1, 0) // 2, numbers // 2], axis=-1)
    y = np.where(
        numbers == 0, np.nan, np.mean(np.take_along_axis(lines, np.take_along_axis(order, ranks, -1), -1), axis=-1)
    )
    return _kept(y, a.shape, axis) if keepdims else y


# Quantiles. NumPy's own quantile of 0, 1, …, n - 1 says where between the sorted elements a quantile is.

#: The methods that return one of the elements.
_PICKING = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")


def _quantile(
    function: Any,
    nan: bool,
    a: Any,
    q: Any,
    axis: Axis = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:
    if tracked(q):
        raise NoRuleError(f"np.{function.__name__} has no rule for q: if it is constant, pass q.detach().")
    q = known(q)
    if not tracked(a) or not count(a.shape, axis):  # what NumPy says of an empty slice
        return unrecorded(function(unwrap(a), q, axis, method=method, keepdims=keepdims, weights=unwrap(weights)))
    lines = as_lines(a, axis)
    values, lead = unwrap(lines), np.shape(q)
    if weights is not None:
        found = function(unwrap(a), q, axis, method=method, weights=unwrap(weights))
        y = _found(lines, values, np.reshape(found, (-1, *values.shape[:-1])), nan)
    else:
        whole = np.asarray(q).dtype.kind in "iu" and function in (np.quantile, np.nanquantile)  # least and greatest
        picking = method in _PICKING or (method == "linear" and whole)
        dtype = None if picking else function(np.ones(1, a.dtype), q, method=method).dtype
        y = _between(lines, values, lambda n: np.ravel(function(np.arange(float(n)), q, method=method)), dtype, nan)
    y = y.transpose((y.ndim - 1, *range(y.ndim - 1))).reshape((*lead, *y.shape[:-1]))
    return _kept(y, a.shape, axis, lead) if keepdims else y


def _found(lines: Any, values: Any, found: Any, nan: bool) -> Any:
    """The elements of each line that were `found` in it: of equal ones, the first."""
    places = [np.argmax((values == y[..., None]) | np.isnan(values) & np.isnan(y)[..., None], axis=-1) for y in found]
    y = np.take_along_axis(lines, np.stack(places, axis=-1), -1)
    return np.where(np.isnan(np.moveaxis(found, 0, -1)), np.nan, y) if nan else y


def _between(lines: Any, values: Any, position: Any, dtype: Any, nan: bool) -> Any:
    """The values of each line at positions between its sorted elements; without a `dtype`, at whole positions.

    `position` tells the positions from the number of elements, which for each line is its own if NaNs are left out.
    """
    if nan and is_foreign(values):
        raise NotImplementedError("the quantiles of as many numbers as each line has")
    if nan and np.isnan(values).any():
        order, numbers = _numbers_first(values)
        at = np.zeros((*numbers.shape, position(1).size))
        for k in np.unique(numbers[numbers > 0]):
            at[numbers == k] = position(k)
        empty = (numbers == 0)[..., None]
        last = np.where(empty, 0, numbers[..., None] - 1)
        y = _interpolated(
            at, last, dtype, lambda rank: np.take_along_axis(lines, np.take_along_axis(order, rank, -1), -1)
        )
        return np.where(empty, np.nan, y)
    n = values.shape[-1]
    at = position(n)
    ranks = np.unique([np.floor(at), np.minimum(np.floor(at) + 1, n - 1)]).astype(np.intp)
    picked = np.take_along_axis(lines, _places(values, ranks.tolist()), -1)
    return _interpolated(at, n - 1, dtype, lambda rank: picked[..., np.searchsorted(ranks, rank)])


def _interpolated(at: Any, last: Any, dtype: Any, element: Any) -> Any:
    rank = np.floor(at).astype(np.intp)
    below = element(rank)
    if dtype is None:
        return below
    t = made_beside((at - rank).astype(dtype), below)
    above = element(np.minimum(rank + 1, last))
    return np.where(t < 0.5, below, above) + (above - below) * np.where(t < 0.5, t, t - 1)


@composed(np.quantile)
def _quantile_of(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _quantile(np.quantile, False, a, q, *args, **options)


@composed(np.percentile)
def _percentile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _quantile(np.percentile, False, a, q, *args, **options)


@composed(np.nanquantile)
def _nanquantile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _quantile(np.nanquantile, True, a, q, *args, **options)


@composed(np.nanpercentile)
def _nanpercentile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    return _quantile(np.nanpercentile, True, a, q, *args, **options)


# Unique


@composed(np.unique)
def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    found: Any = np.unique  # NumPy's types know no options that are not literals
    _, first, *rest = found(unwrap(ar), True, return_inverse, return_counts, axis, equal_nan=equal_nan)
    values = ar.reshape(-1)[first] if axis is None else ar[(slice(None),) * (axis % ar.ndim) + (first,)]
    if return_index:
        rest = [first, *rest]
    return (values, *unrecorded(rest)) if rest else values


def _unique_results(function: Any) -> None:
    """The functions of the array API: they return named tuples, or the values alone."""

    @composed(function)
    def _results(x: Any) -> Any:
        results = function(unwrap(x))
        values = np.unique(x, equal_nan=False)
        return unrecorded(results)._replace(values=values) if hasattr(results, "_replace") else values


for _function in (np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    _unique_results(_function)
