"""Scans: cumulative sums and products, and the linear recurrence that their derivatives are made of.

No rule divides by an element, so that zeros are exact, in derivatives of every order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import composed, define, written
from .reduce import optional, typed

__all__ = ["cumprod", "cumsum", "recurrence"]


def recurrence(a: Any, b: Any) -> Any:
    """s[0] = b[0], s[k] = b[k] + a[k−1] s[k−1], along the last axis: a scan with n − 1 factors and n summands.

    Computed for every other element first, by a recurrence of half the length: n steps of work in log₂ n calls.
    """
    n = b.shape[-1]
    s = np.empty_like(b, dtype=np.result_type(a, b))
    if n < 2:
        s[...] = b
        return s
    odd, even = a[..., ::2], a[..., 1::2]  # the factors that lead to s[1], s[3], … and to s[2], s[4], …
    shorter = odd[..., 1:] * even[..., : odd.shape[-1] - 1]
    pairs = odd * b[..., : n - 1 : 2]
    pairs = np.add(pairs, b[..., 1::2], out=pairs if pairs.dtype == s.dtype else None)
    s[..., 1::2] = recurrence(shorter, pairs)
    s[..., 0] = b[..., 0]
    rest = even * s[..., 1 : n - 1 : 2]
    rest = np.add(rest, b[..., 2::2], out=rest if rest.dtype == s.dtype else None)
    if rest.size:
        s[..., 2::2] = rest  # and not into a view of s: not every library has them
    return s


@written("backwards(g, a)")
def _backwards(g: Any, a: Any) -> Any:
    """t[k] = g[k] + a[k] t[k+1]: each summand of a recurrence reaches every later element."""
    return recurrence_of(a[..., ::-1], g[..., ::-1])[..., ::-1]


recurrence_of = define(
    recurrence,
    "a, b -> s",
    promotes=True,
    a=lambda g, a, s: _backwards(g, a)[..., 1:] * s[..., :-1],
    b=lambda g, a: _backwards(g, a),
)


@optional(np.cumsum)
def _cumsum(a: Any, axis: int | None, dtype: Any) -> Any:
    return cumsum(typed(a, dtype), axis)


@optional(np.cumprod)
def _cumprod(a: Any, axis: int | None, dtype: Any) -> Any:
    return cumprod(typed(a, dtype), axis)


def _line(a: Any, axis: int | None, shape: tuple[int, ...]) -> Any:
    """`a` with the axis of the scan as the last; where there is none, the elements in a row."""
    return a.reshape(-1) if axis is None or not shape else a.swapaxes(axis, -1)


def _unline(lines: Any, axis: int | None, shape: tuple[int, ...]) -> Any:
    return lines.reshape(shape) if axis is None or not shape else lines.swapaxes(axis, -1)


@written("reshape(flip(cumsum(flip(g, axis), axis), axis), a_shape)")
def _cumsum_rule(g: Any, a_shape: tuple[int, ...], axis: int | None) -> Any:
    """Each element is in its own sum and in every later one."""
    later = np.cumsum(_line(g, axis, a_shape)[..., ::-1], axis=-1)[..., ::-1]
    return _unline(later, axis, a_shape)


@written("reshape(flip(cumsum(flip(g * y, axis), axis), axis), a_shape) / a")
def _cumprod_rule(g: Any, a: Any, y: Any, a_shape: tuple[int, ...], axis: int | None) -> Any:
    """The product of those before an element, times Σ g·(the product of those after it), for all ends of that."""
    g, a, y = (_line(value, axis, a_shape) for value in (g, a, y))
    before = np.concatenate([np.ones_like(y[..., :1]), y[..., :-1]], axis=-1)
    return _unline(before * _backwards(g, a[..., 1:]), axis, a_shape)


cumsum = define(
    np.cumsum,
    "a; axis=None -> y",
    forward=lambda a, axis: a.cumsum(axis=axis),
    wider=_cumsum,
    a=_cumsum_rule,
)
cumprod = define(
    np.cumprod,
    "a; axis=None -> y",
    forward=lambda a, axis: a.cumprod(axis=axis),
    wider=_cumprod,
    a=_cumprod_rule,
)


def _cumulative(scan: Any, name: str, neutral: Any, x: Any, axis: int | None, dtype: Any, include_initial: bool) -> Any:
    x = typed(x, dtype)
    x = x.reshape(1) if not x.ndim else x
    if axis is None and x.ndim > 1:
        raise ValueError(f"np.{name} of an array of {x.ndim} dimensions needs an axis=.")
    axis = axis or 0
    y = scan(x, axis)
    if not include_initial:
        return y
    shape = list(y.shape)
    shape[axis] = 1
    return np.concatenate([neutral(y, shape=tuple(shape)), y], axis=axis)


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @composed(np.cumulative_sum)
    def _cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
        return _cumulative(cumsum, "cumulative_sum", np.zeros_like, x, axis, dtype, include_initial)

    @composed(np.cumulative_prod)
    def _cumulative_prod(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        return _cumulative(cumprod, "cumulative_prod", np.ones_like, x, axis, dtype, include_initial)
