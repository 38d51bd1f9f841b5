"""Reductions and scans that leave NaNs out: nansum, nanprod, nanmean, nanvar, nanstd, nanmax, nanmin, nancumsum, …

Each is the reduction of the numbers alone (`where=`), or of the array with a neutral number in place of each NaN.
The gradient at a NaN is 0, also where every element of a slice is NaN and the value is too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..devices import is_foreign
from ..primitive import composed, define
from ..wrapping import array_like, unwrap
from .reduce import Axis, optional, share

__all__ = ["nanmax", "nanmin"]


def _filled(a: Any, neutral: int) -> Any:
    return np.where(np.isnan(a), neutral, a)


def _numbers(a: Any, where: Any) -> Any:
    """Which elements go into a mean: True, or a plain array."""
    missing = np.isnan(unwrap(a))
    if not is_foreign(missing) and not missing.any():
        return where
    return ~missing if where is True else ~missing & array_like(unwrap(where))


@composed(np.nansum)
def _nansum(a: Any, *args: Any, **options: Any) -> Any:
    return np.sum(_filled(a, 0), *args, **options)


@composed(np.nanprod)
def _nanprod(a: Any, *args: Any, **options: Any) -> Any:
    return np.prod(_filled(a, 1), *args, **options)


@composed(np.nancumsum)
def _nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(_filled(a, 0), axis, dtype, out)


@composed(np.nancumprod)
def _nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(_filled(a, 1), axis, dtype, out)


@composed(np.nanmean)
def _nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    return np.mean(a, axis, dtype, out, keepdims, where=_numbers(a, where))


def _deviation(function: Any, plain: Any) -> None:
    """Register `nanvar` or `nanstd`: the deviation of the numbers, NaN where there are too few of them."""

    @composed(function)
    def deviation(
        a: Any,
        axis: Axis = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        where: Any = True,
        **options: Any,
    ) -> Any:
        numbers = _numbers(a, where)
        y = plain(a, axis, dtype, out, ddof, keepdims, where=numbers, **options)
        if numbers is where:
            return y
        too_few = np.sum(numbers, axis=axis, keepdims=keepdims) <= (ddof or options.get("correction", 0))
        return np.where(too_few, np.nan, y) if is_foreign(too_few) or too_few.any() else y


_deviation(np.nanvar, np.var)
_deviation(np.nanstd, np.std)


def _rule(g: Any, a: Any, y: Any, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    return np.where(np.isnan(a), 0, share(g, a, y, a_shape, axis, keepdims))


def _extreme(function: Any, plain: Any) -> Any:
    """The rule of `nanmax` or `nanmin`; with further options, it is `plain` of the numbers."""

    @optional(function)
    def wider(a: Any, initial: Any = None, where: Any = True, **options: Any) -> Any:
        if initial is None and where is True:
            return record(a, **options)
        return plain(a, initial=initial, where=where if initial is None else _numbers(a, where), **options)

    record = define(
        function,
        "a; axis=None, *, keepdims=False -> y",
        forward=lambda a, axis, keepdims: function(a, axis=axis, keepdims=keepdims),
        wider=wider,
        a=_rule,
    )
    return record


nanmax, nanmin = _extreme(np.nanmax, np.max), _extreme(np.nanmin, np.min)
