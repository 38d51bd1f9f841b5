"""`np.pad` in every mode.

====================================  ================================================================
edge, wrap, reflect and symmetric     copies of elements: taken from where NumPy takes them, in one gather
constant                              the array inside, what it is padded with outside; that may be tracked
empty                                 as constant, with zeros: what is not defined has the gradient 0
linear_ramp, maximum, mean, median,   along one axis after the other, as NumPy does it
minimum
reflect and symmetric, odd            likewise
a function                            refused: it writes into the array
====================================  ================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices import is_foreign
from ..errors import NoRuleError
from ..node import Value, data_of
from ..primitive import composed, define
from ..wrapping import array_beside, array_like, known, made_beside, unwrap
from .arrange import broadcast_to, concatenate
from .constant import tracked
from .elementwise import astype
from .gather import gathered

__all__ = ["frame"]

#: What each mode takes, and what it means where it is not given.
_OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "empty": {},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "median": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "wrap": {},
}

_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": np.max,
    "mean": np.mean,
    "median": np.median,
    "minimum": np.min,
}


def _inside(shape: tuple[int, ...], widths: Any) -> tuple[slice, ...]:
    return tuple([slice(before, before + n) for n, before in zip(shape, widths[:, 0].tolist())])


def frame(array: Any, widths: Any, filling: Any) -> Any:
    """`array` with a frame of constants around it."""
    return np.pad(array, widths.tolist(), constant_values=filling)


frame: Any = define(  # type: ignore[no-redef]
    frame, "array; widths, filling -> y", array=lambda g, array_shape, widths: g[_inside(array_shape, widths)]
)


def _assembled(value: Any) -> Any:
    """Nested lists with Tensors in them as one Tensor."""
    if isinstance(value, list | tuple):
        return np.stack([_assembled(v) for v in value]) if tracked(value) else np.asarray(unwrap(value))
    return value


def _pairs(value: Any, ndim: int) -> Any:
    """What stands for (before, after) of every axis, spelled out: x[k, 0] and x[k, 1]."""
    return np.broadcast_to(_assembled(value), (ndim, 2))


def _widths(pad_width: Any, ndim: int) -> Any:
    if isinstance(pad_width, dict):  # since NumPy 2.2
        spelled: list[Any] = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            spelled[axis] = width if isinstance(width, tuple) else (width, width)
        pad_width = spelled
    widths = np.asarray(known(pad_width))
    if widths.dtype.kind != "i":
        raise TypeError("`pad_width` must be of integral type.")
    if (widths < 0).any():
        raise ValueError("pad_width can't contain negative values")
    return np.broadcast_to(widths, (ndim, 2)).copy()


def _slab(x: Any, axis: int, start: int, stop: int) -> Any:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _filled(x: Any, axis: int, width: int, value: Any) -> Any:
    """`width` layers of `value`, as wide as `x` in the other axes."""
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    return broadcast_to(array_beside(value, x), shape)


def _ramp(x: Any, axis: int, width: int, edge: Any, end: Any) -> Any:
    """From `end`, outside, to just before `edge`."""
    steps = (np.arange(width, like=data_of(x)) / max(width, 1)).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))
    return end + (edge - end) * steps


def _statistic(mode: str, x: Any, axis: int, length: Any, last: bool) -> Any:
    n = x.shape[axis]
    count = n if length is None else min(int(length), n)
    if mode in ("maximum", "minimum") and count == 0:
        raise ValueError("stat_length of 0 yields no value for padding")
    return _STATISTICS[mode](_slab(x, axis, n - count if last else 0, n if last else count), axis=axis, keepdims=True)


def _odd(mode: str, x: Any, axis: int, before: int, after: int) -> tuple[Any, Any]:
    """The padding of an odd reflection: what lies as far beyond the edge, mirrored at the edge's value as well."""
    n, skipped = x.shape[axis], int(mode == "reflect")
    if max(before, after) + skipped <= n:
        first, last = _slab(x, axis, 0, 1), _slab(x, axis, n - 1, n)
        left = 2 * first - np.flip(_slab(x, axis, skipped, skipped + before), axis)
        right = 2 * last - np.flip(_slab(x, axis, n - skipped - after, n - skipped), axis)
        return left, right
    # Reflected again and again: sums of elements, with the coefficients that NumPy finds for unit vectors.
    units = np.pad(np.eye(n, dtype=x.dtype), ((before, after), (0, 0)), mode=mode, reflect_type="odd")  # type: ignore[call-overload]
    units = made_beside(units, x)
    lines = np.swapaxes(x, axis, 0)
    flat = lines.reshape(n, -1)
    sides = [(m @ flat).reshape(-1, *lines.shape[1:]) for m in (units[:before], units[before + n :])]
    return np.swapaxes(sides[0], axis, 0), np.swapaxes(sides[1], axis, 0)


def _sides(mode: str, x: Any, axis: int, before: int, after: int, option: Any) -> tuple[Any, Any]:
    """What comes before and after `x` along `axis`."""
    n = x.shape[axis]
    if mode in ("reflect", "symmetric"):
        return _odd(mode, x, axis, before, after)
    if mode == "linear_ramp":
        first, last = _slab(x, axis, 0, 1), _slab(x, axis, n - 1, n)
        rising = _ramp(x, axis, before, first, option[axis, 0])
        falling = _ramp(x, axis, after, last, option[axis, 1])
        return rising, np.flip(falling, axis)
    if mode == "constant":
        first, last = option[axis, 0], option[axis, 1]
    else:
        first, last = (_statistic(mode, x, axis, option and option[axis][k], bool(k)) for k in (0, 1))
    return _filled(x, axis, before, first), _filled(x, axis, after, last)


@composed(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """`np.pad`. NumPy asks only the array whether it is a Tensor: what it is padded with may be one as well then."""
    if callable(mode):
        raise NoRuleError(
            "np.pad with a function as its mode: that function writes into an array, which Tensors forbid."
        )
    if mode not in _OPTIONS:
        raise ValueError(f"mode '{mode}' is not supported")
    options = _OPTIONS[mode]
    if kwargs.keys() - options:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {kwargs.keys() - options}")
    option = next(iter({**options, **kwargs}.values()), None)
    x = array_like(array)
    if x.dtype.kind not in "fc":
        raise TypeError(f"np.pad of {x.dtype} with a Tensor that requires a gradient: that dtype has none; use astype.")
    if not x.ndim:
        return x.copy()
    widths = _widths(pad_width, x.ndim)
    if mode == "empty" or (mode == "constant" and not tracked(option) and not is_foreign(unwrap(option))):
        return frame(x, widths=widths, filling=0 if mode == "empty" else unwrap(option))
    if mode in ("reflect", "symmetric"):
        if option not in ("even", "odd"):
            raise ValueError(f"reflect_type is 'even' or 'odd', got {option!r}.")
        copies = option == "even"
    else:
        copies = mode in ("edge", "wrap")
    if copies:
        return gathered(x, lambda places: np.pad(places, widths.tolist(), mode=mode))
    if mode in _STATISTICS:
        option = None if option is None else _lengths(option, x.ndim)
    elif mode in ("constant", "linear_ramp"):
        option = _pairs(option, x.ndim)
    for axis, (before, after) in enumerate(widths.tolist()):
        if not before + after:
            continue
        if not x.shape[axis] and mode != "constant":
            raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
        first, last = _sides(mode, x, axis, before, after, option)
        x = concatenate([_like(first, x), x, _like(last, x)], axis)
    return x


def _lengths(stat_length: Any, ndim: int) -> Any:
    lengths = np.asarray(known(stat_length))
    if (lengths < 0).any():
        raise ValueError("index can't contain negative values")
    return np.broadcast_to(lengths, (ndim, 2)).tolist()


def _like(side: Any, x: Any) -> Any:
    """The padding in the dtype of what it pads."""
    return side if side.dtype == x.dtype else astype(side, x.dtype) if isinstance(side, Value) else side.astype(x.dtype)
