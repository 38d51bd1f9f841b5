"""Linear interpolation: `interp`, differentiable in the points, the knots and the values there.

At a knot the slope is that of the segment to its right; at the last knot, that of the last segment. Left of the
first and right of the last knot the value is constant, and the cotangent goes to it. Where two knots are equal the
value jumps, and they get no gradient from there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..devices import anywhere, check_same_device, is_foreign
from ..node import data_of
from ..primitive import composed
from ..wrapping import array_like
from .elementwise import convert, ratio, where

__all__ = ["interp"]


def _wide(x: Any) -> Any:
    """`x` in double precision, in which NumPy interpolates."""
    x = array_like(x)
    wide = np.dtype(np.complex128 if x.dtype.kind == "c" else np.float64)
    return x if x.dtype == wide else convert(x, wide)


def _wrapped(x: Any, period: Any) -> Any:
    return x - period * np.floor_divide(data_of(x), data_of(period))


@composed(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """`np.interp`."""
    x, xp, fp = _wide(x), _wide(xp), _wide(fp)
    if xp.ndim != 1 or fp.ndim != 1 or len(xp) != len(fp):
        raise ValueError(f"interp: fp and xp must be vectors of the same length, got shapes {fp.shape} and {xp.shape}.")
    check_same_device("interp", {"x": data_of(x), "xp": data_of(xp), "fp": data_of(fp)})
    if len(xp) == 0:
        raise ValueError("interp: array of sample points is empty")
    if period is not None:
        if anywhere(np.equal(data_of(period), 0)):
            raise ValueError("interp: period must be a non-zero value")
        period, left, right = abs(period), None, None
        x, xp = _wrapped(x, period), _wrapped(xp, period)
        order = np.argsort(data_of(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    below, above = x < xp[0], x > xp[-1]
    inner = where(below | above, data_of(xp)[0], x)
    if len(xp) == 1:
        y = fp[0] + inner * 0
    else:
        knots = data_of(xp)
        after = np.searchsorted(knots, data_of(inner), "right").clip(1, len(knots) - 1)
        before = after - (knots[after] != knots[after - 1])  # at a jump at the end, NumPy takes the last value
        start, f = xp[before], fp[before]
        y = f + (fp[after] - f) * ratio(inner - start, xp[after] - start)
        if (
            is_foreign(knots) or not np.isfinite(data_of(fp)).all()
        ):  # at a knot, the value is its own, whatever its neighbour's is
            y = where((data_of(inner) == knots[before]) & np.isnan(data_of(y)), f, y)
    return where(below, fp[0] if left is None else left, where(above, fp[-1] if right is None else right, y))
