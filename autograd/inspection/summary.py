"""What a large array looks like, in few numbers: for displays and pages, which must never hold all its elements."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypedDict

import numpy as np

from ..devices import as_array, is_foreign, move
from ..node import data_of

__all__ = ["Histogram", "Summary", "summarize"]

#: How many elements are looked at at a time: what is computed from them stays in the processor's cache.
BLOCK = 1 << 16

#: The most bins of a histogram, and the most rows and columns of a grid.
BINS = GRID = 24

#: Up to so many elements, the values themselves are given.
FEW = 16


class Histogram(TypedDict):
    """How many finite elements lie in each bin, and the edges of the bins: one more than there are bins."""

    counts: list[int]
    edges: list[float]


class Summary(TypedDict):
    """What `summarize` says of an array. All of it can be written as JSON, without NaN or infinity in it.

    A number that JSON does not know stands there as text, as Python writes it: 'nan', '-inf', '(1+2j)'.
    """

    shape: list[int]
    dtype: str
    size: int
    nbytes: int
    zeros: int  #: How many elements are 0 (False),
    nan: int  #: are NaN,
    infinite: int  #: are ∞ or −∞.
    absolute: bool  #: Of complex numbers; then all below, but `values`, is about their absolute values.
    #: A number: of the finite elements, as are the others. None if there are none. Of integers an int; booleans count
    #: as 0 and 1.
    min: Any
    max: Any
    mean: Any
    std: Any
    histogram: Histogram | None  #: At most 24 bins; a bin for each of few integers; None without finite elements.
    grid: list[list[Any]] | None
    """Of two axes and more than 16 elements: the mean of each block, at most 24 × 24 of them, as nested lists; None
    for a block in which an element is not finite. The blocks of an axis are as even as they can be."""
    values: Any  #: Of at most 16 elements: themselves, as nested lists (a number for no axes; [] for none). Else None.


@np.errstate(all="ignore")  # an overflow on the way is dealt with, also where the user wants it to be an error
def summarize(array: Any) -> Summary:
    """What an array looks like: its shape, range, mean, histogram, and its values if they are few.

    Every element counts; it takes two or three passes over the array, and memory for a small part of it.

    Parameters
    ----------
    array : array_like
        Numbers or booleans; a Tensor too. From a device it is copied.

    Returns
    -------
    Summary
        A dict; see there.

    Raises
    ------
    TypeError
        If it does not hold numbers or booleans.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.inspection import summarize
    >>> found = summarize(np.array([[1.0, np.nan], [0.0, 4.0]], dtype=np.float16))
    >>> found["shape"], found["dtype"], found["min"], found["max"], found["zeros"], found["nan"]
    ([2, 2], 'float16', 0.0, 4.0, 1, 1)
    >>> found["values"]
    [[1.0, 'nan'], [0.0, 4.0]]
    >>> summarize(np.array([7, 9, 9]))["histogram"]
    {'counts': [1, 0, 2], 'edges': [6.5, 7.5, 8.5, 9.5]}
    >>> large = summarize(np.arange(1e6).reshape(1000, 1000))
    >>> large["values"], len(large["histogram"]["counts"]), len(large["grid"])
    (None, 24, 24)
    """
    data = data_of(array)
    a = as_array(move(data, "cpu") if is_foreign(data) else data)
    found: Summary = {
        "shape": list(a.shape),
        "dtype": str(a.dtype),
        "size": a.size,
        "nbytes": a.nbytes,
        "zeros": a.size - int(np.count_nonzero(a)),
        "nan": 0,
        "infinite": 0,
        "absolute": a.dtype.kind == "c",
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "histogram": None,
        "grid": None,
        "values": None if a.size > FEW else _json(a.tolist()) if a.size else [],
    }
    low, high, count = None, None, 0
    for block in _real_blocks(a):
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            if not finite.all():
                nans = int(np.count_nonzero(np.isnan(block)))
                found["nan"] += nans
                found["infinite"] += block.size - int(np.count_nonzero(finite)) - nans
                block = block[finite]
        if block.size:
            count += block.size
            least, greatest = block.min(), block.max()
            low = least if low is None else min(low, least)
            high = greatest if high is None else max(high, greatest)
    if low is None or high is None:
        if a.ndim == 2 and a.size > FEW:
            found["grid"] = [[None] * min(a.shape[1], GRID) for _ in range(min(a.shape[0], GRID))]
        return found
    # divided by the greatest absolute value, no sum and no square can overflow
    top = _wide(max(abs(_wide(low)), abs(_wide(high)))) or _wide(1.0)
    mean, std, counts = _distribution(a, low, high, top, count)
    found["min"], found["max"] = _json(low.item()), _json(high.item())
    found["mean"], found["std"] = _json((mean * top).item()), _json((std * top).item())
    found["histogram"] = {"counts": counts, "edges": _edges(low, high, len(counts))}
    if a.ndim == 2 and a.size > FEW:
        found["grid"] = _grid(a, top)
    return found


def _json(value: Any) -> Any:
    """A number, or nested lists of them, with text for what JSON cannot say."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, np.longdouble) and abs(value) <= np.finfo(float).max:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return value if isinstance(value, bool | int) else str(value)


def _real_blocks(a: Any) -> Iterator[Any]:
    """The elements piece by piece, flat, in any order; of complex numbers the absolute values, of booleans 0 and 1."""
    for block in np.nditer(a, ("external_loop", "buffered", "zerosize_ok"), order="K", buffersize=BLOCK):
        yield _real(block)


def _real(a: Any) -> Any:
    if a.dtype.kind == "c":
        size = np.abs(a)
        # that of two finite parts may be too large for them
        return np.abs(a.astype(np.clongdouble)) if np.isinf(size).any() else size
    return a.view(np.uint8) if a.dtype.kind == "b" else a


def _wide(a: Any) -> Any:
    """In float64 at least: half precision would overflow on the way."""
    return np.asarray(a).astype(np.result_type(a, np.float64), copy=False)[()]


def _per_integer(low: Any, high: Any) -> int:
    """How many bins there are if each integer gets one; 0 if it does not."""
    span = int(high) - int(low) + 1 if np.asarray(low).dtype.kind in "iu" else 0
    return span if span <= BINS else 0


def _distribution(a: Any, low: Any, high: Any, top: Any, count: int) -> tuple[Any, Any, list[int]]:
    """Mean and standard deviation of the finite elements, divided by `top`; and the counts of their histogram."""
    integers = _per_integer(low, high)
    start, width = _wide(low) / top, _wide(high) / top - _wide(low) / top
    bins = integers or (min(BINS, 1 + math.isqrt(count)) if width > 0 else 1)
    counts = np.zeros(bins, dtype=np.int64)
    n, mean, squares = 0, _wide(0.0), _wide(0.0)
    for block in _real_blocks(a):
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            if not finite.all():
                block = block[finite]
        if not block.size:
            continue
        scaled = _wide(block) / top
        if integers:
            place = block - low
        elif bins == 1:
            place = np.zeros(block.size, dtype=np.int8)
        else:
            place = np.minimum((scaled - start) * (bins / width), bins - 1)
        counts += np.bincount(place.astype(np.intp), minlength=bins)
        ours = scaled.mean()
        scaled -= ours
        # two parts of a whole: their means and sums of squares, put together
        step, n = ours - mean, n + block.size
        mean = mean + step * (block.size / n)
        squares = squares + np.dot(scaled, scaled) + step * step * (block.size * (n - block.size) / n)
    return mean, np.sqrt(squares / n), counts.tolist()


def _edges(low: Any, high: Any, bins: int) -> list[float]:
    if _per_integer(low, high):
        return [(2 * (int(low) + k) - 1) / 2 for k in range(bins + 1)]
    share = np.arange(bins + 1) / bins
    edges = _wide(low) * (1 - share) + _wide(high) * share  # the width itself might overflow
    return [_json(edge.item()) for edge in edges]


def _grid(a: Any, top: Any) -> list[list[Any]]:
    """The means of blocks of a matrix."""
    rows, columns = (np.linspace(0, n, min(n, GRID) + 1).astype(int) for n in a.shape)
    sums = np.empty((len(rows) - 1, len(columns) - 1))
    for k, (first, last) in enumerate(pairwise(rows)):
        slab = _wide(_real(np.ascontiguousarray(a[first:last]))) / top
        sums[k] = np.add.reduceat(slab.sum(axis=0), columns[:-1])
    means = sums / np.outer(np.diff(rows), np.diff(columns)) * top
    most = np.finfo(float).max  # what is beyond it, of a wider type, is as good as that in a picture
    grid = np.clip(means, -most, most).astype(float).astype(object)
    grid[~np.isfinite(means)] = None
    return grid.tolist()  # type: ignore[no-any-return]
