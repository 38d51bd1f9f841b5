"""Ranges between Tensors: linspace, logspace, geomspace. The steps are numbers; where they start and end is not."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..devices import anywhere
from ..node import Value, data_of
from ..primitive import composed
from ..wrapping import array_like, made_beside, operand
from .elementwise import convert
from .reduce import typed

__all__: list[str] = []


def _steps(start: Any, stop: Any, num: Any, endpoint: bool, *others: Any) -> Any:
    """num numbers from 0 to 1 (without 1, if not endpoint), along a new first axis, in the precision of the ends."""
    ends = np.result_type(data_of(start), data_of(stop), 1.0)
    like = next(end for end in (start, stop, *others) if isinstance(end, Value))
    steps = np.linspace(0.0, 1.0, operator.index(num), endpoint, dtype=np.empty(0, ends).real.dtype)
    return made_beside(steps.reshape(-1, *(1,) * max(np.ndim(start), np.ndim(stop))), like)


def _ends(*ends: Any) -> list[Any]:
    """What a range goes between, as Tensors, arrays, and numbers, which adapt to the others."""
    return [end if isinstance(end, Value) else operand(end) for end in ends]


def _finished(y: Any, dtype: Any, axis: int) -> Any:
    if axis != 0:
        y = np.moveaxis(y, 0, axis)
    return y if dtype is None else convert(y, dtype)


def _line(start: Any, stop: Any, steps: Any) -> Any:
    return start * (1 - steps) + stop * steps  # exact at both ends


@composed(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`np.linspace`."""
    start, stop = _ends(start, stop)
    y = _line(start, stop, _steps(start, stop, num, endpoint))
    if dtype is not None and np.issubdtype(dtype, np.integer):
        y = np.floor(y)
    y = _finished(y, dtype, axis)
    if not retstep:
        return y
    intervals = num - 1 if endpoint else num
    return y, (stop - start) / intervals if intervals > 0 else np.nan


@composed(np.logspace)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`np.logspace`: powers of `base`, which may be a Tensor too."""
    start, stop, base = _ends(start, stop, base)
    dims = max(np.ndim(start), np.ndim(stop), np.ndim(base))
    if np.ndim(base):  # then NumPy makes arrays of Python's numbers, which are not weak
        start, stop = (array_like(end) for end in (start, stop))
    exponents = _line(start, stop, _steps(start, stop, num, endpoint, base))
    exponents = exponents.reshape(*exponents.shape[:1], *(1,) * (dims - exponents.ndim + 1), *exponents.shape[1:])
    return _finished(base**exponents, dtype, axis)


@composed(np.geomspace)
def geomspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`np.geomspace`: start · (stop / start)ᵗ, a logarithmic spiral where these are complex."""
    start, stop = _ends(start, stop)
    if anywhere(np.equal(data_of(start), 0) | np.equal(data_of(stop), 0)):
        raise ValueError("Geometric sequence cannot include zero")
    # It is computed in this dtype, too: without another one, NumPy's is never narrower than float64.
    wide = np.result_type(data_of(start), data_of(stop), np.float64 if dtype is None else dtype, 1.0)
    start, stop = typed(start, wide), typed(stop, wide)
    y = start * (stop / start) ** _steps(start, stop, num, endpoint)
    return _finished(y, wide if dtype is None else dtype, axis)
