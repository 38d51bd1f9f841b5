"""Statistics: average, cov, corrcoef, and the counts that weights go into, bincount and histogram.

The weights of `average`, `cov` (`aweights`), `bincount` and `histogram` have gradients. The heights of a histogram
do not change with the data but in jumps, and the edges of its bins are refused a gradient: detach the data.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..devices import anywhere, is_foreign
from ..errors import NoRuleError
from ..node import data_of
from ..primitive import composed, define
from ..wrapping import unrecorded, unwrap
from .constant import tracked
from .rearrange import as_tensors
from .reduce import Axis, count, typed

__all__ = ["bincount"]


def _weights(a: Any, weights: Any, axis: tuple[int, ...] | None) -> Any:
    """Weights for each element of `a`: given as such, or for those along `axis`."""
    weights = typed(weights)
    if weights.shape == a.shape:
        return weights
    if axis is None:
        raise TypeError("np.average: axis must be given where the shapes of a and weights differ.")
    if weights.shape != tuple([a.shape[k] for k in axis]):
        raise ValueError(
            f"np.average: weights of shape {weights.shape} do not fit axis {axis} of an array of shape {a.shape}."
        )
    weights = weights.transpose(tuple(np.argsort(axis)))
    return weights.reshape(tuple([n if k in axis else 1 for k, n in enumerate(a.shape)]))


@composed(np.average)
def _average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    a = typed(a)
    axis = axis if axis is None else normalize_axis_tuple(axis, a.ndim)
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=keepdims)
        return (y, unrecorded(np.full_like(data_of(y), count(a.shape, axis)))) if returned else y
    weights = np.broadcast_to(_weights(a, weights, axis), a.shape)
    dtype = np.result_type(a.dtype, weights.dtype, *([] if a.dtype.kind in "fc" else [np.float64]))
    a, weights = typed(a, dtype), typed(weights, dtype)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if anywhere(data_of(total) == 0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return as_tensors((y, total)) if returned else y


# Covariance


def _rows(m: Any, rowvar: bool, dtype: Any) -> Any:
    """The observations as columns, the variables as rows."""
    if m.ndim > 2:
        raise ValueError(f"np.cov takes arrays of at most 2 dimensions, got {m.ndim}.")
    m = typed(m, dtype)
    if m.ndim < 2:
        return m.reshape((1, -1))
    return m if rowvar else m.T


def _counted(weights: Any, name: str, n: int) -> Any:
    weights = typed(typed(weights), np.float64)
    if weights.shape != (n,):
        raise RuntimeError(f"np.cov: {name} must be {n} numbers in a row, one for each observation.")
    if anywhere(data_of(weights) < 0):
        raise ValueError(f"np.cov: {name} cannot be negative.")
    return np.where(data_of(weights) < 0, np.nan, weights) if is_foreign(data_of(weights)) else weights


@composed(np.cov)
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    given = [typed(x) for x in (m, y) if x is not None]
    dtype = np.result_type(*[x.dtype for x in given], np.float64) if dtype is None else dtype
    x = _rows(given[0], rowvar, dtype)
    if not x.shape[0]:
        return np.array([]).reshape(0, 0)
    if len(given) > 1:
        row = given[1].ndim == 2 and given[1].shape[0] == 1  # NumPy takes it as one variable, also for rowvar=False
        x = np.concatenate([x, _rows(given[1], rowvar or row, dtype)], axis=0)
    n = x.shape[1]
    if ddof is None:
        ddof = 0 if bias else 1
    weights, freedom = None, n - ddof
    if fweights is not None:
        weights = _counted(fweights, "fweights", n)
        if tracked(fweights) or anywhere(data_of(weights != np.round(weights))):
            raise TypeError("np.cov: fweights are numbers of repetitions, whole and constant; use aweights.")
    if aweights is not None:
        aweights = _counted(aweights, "aweights", n)
        weights = aweights if weights is None else weights * aweights
    if weights is not None:
        total = np.sum(weights)
        freedom = total - ddof * (1 if aweights is None else np.sum(weights * aweights) / total)
    if anywhere(data_of(freedom) <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=4)
        freedom = 0.0
    elif is_foreign(data_of(freedom)):
        freedom = np.maximum(freedom, 0.0)
    x = x - np.average(x, axis=1, weights=weights)[:, None]
    products = x @ np.conjugate(x if weights is None else x * weights).T
    return (products * np.true_divide(1, freedom)).squeeze()


@composed(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    k = np.arange(len(c), like=data_of(c))
    deviations = np.sqrt(c[k, k].real)
    c = c / deviations[:, None] / deviations
    if c.dtype.kind == "c":
        return np.clip(c.real, -1, 1) + 1j * np.clip(c.imag, -1, 1)
    return np.clip(c, -1, 1)


# Counts


bincount = define(
    np.bincount,
    "x, weights=None; minlength=0 -> y",
    forward=lambda x, weights, minlength: np.bincount(x, weights, minlength),
    weights=lambda g, x, weights_dtype: g[x].astype(weights_dtype),
)


@composed(np.histogram)
def _histogram(a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None) -> Any:
    if tracked((a, bins, range)) or not tracked(weights):
        raise NoRuleError(
            "np.histogram has a rule for weights alone: the counts are constant piece by piece, and the edges of the "
            "bins are taken as given. Call it on `t.detach()`, for the bins and the range too."
        )
    a, bins, range, weights = np.ravel(unwrap(a)), unwrap(bins), unwrap(range), typed(weights)
    plain, edges = np.histogram(a, bins, range, weights=np.ravel(unwrap(weights)))
    bin_of = np.where(a == edges[-1], len(edges) - 2, np.searchsorted(edges, a, side="right") - 1)
    inside = (bin_of >= 0) & (bin_of < len(edges) - 1)
    heights = typed(bincount(bin_of[inside], weights.reshape(-1)[inside], len(edges) - 1), plain.dtype)
    if density:
        heights = heights / np.diff(edges) / np.sum(heights)
    return heights, unrecorded(edges)
