"""Examples of reductions, scans, order statistics and statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules import order, scan

from .table import Example, one, over, values

_WHERE = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
_METHODS = [
    *["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull"],
    *["linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"],
]
_WEIGHTS = np.array([[1.0, 2, 0, 3], [0, 1, 1, 3]])
_ORDER = np.array([[2, 0, 1], [0, 1, 2]])


def with_zeros(shape: Any, every: int = 3) -> np.ndarray:
    """Numbers of which every third or so is 0."""
    a = values(shape)
    return np.where(np.arange(a.size).reshape(a.shape) % every == 1, 0.0, a)


def with_nans(shape: Any, every: int = 3) -> np.ndarray:
    a = values(shape)
    return np.where(np.arange(a.size).reshape(a.shape) % every == 1, np.nan, a)


def _with_options(function: Any, *options: dict[str, Any], shape: Any = (3, 4), **more: Any) -> list[Example]:
    """Examples with options, and NumPy's own function to compare with, to rounding."""

    def call(how: dict[str, Any]) -> Any:
        return lambda *args: function(*args, **how)

    return [one(call(how), shape, reference=call(how), **more) for how in options]


def _spoilt(function: Any, every: int = 3) -> Any:
    """`function` of an array in which some elements were replaced by NaNs."""

    def call(a: Any, *args: Any, **options: Any) -> Any:
        missing = np.arange(a.size).reshape(a.shape) % every == 1
        return function(np.where(missing, np.nan, a), *args, **options)

    return call


def _np_recurrence(a: Any, b: Any) -> Any:
    s = np.zeros(b.shape, np.result_type(a, b))
    for k in range(b.shape[-1]):
        s[..., k] = b[..., k] + (a[..., k - 1] * s[..., k - 1] if k else 0)
    return s


def _scans(function: Any) -> list[Example]:
    return [
        one(function, (5,), complexes=True, order=3),
        one(function, with_zeros((6,)), order=3),
        one(function, with_zeros((5,), 2), complexes=True, order=3),
        one(function, (2, 3), complexes=True),
        *[one(lambda a, k=k: function(a, axis=k), (2, 3, 2), complexes=True) for k in (0, 1, -1)],
        *[one(function, shape) for shape in ((), (1,), (0,))],
        one(lambda a: function(a, axis=1), (2, 0)),
    ]


def _first(function: Any) -> Any:
    """The first of several results."""
    return lambda *args, **options: function(*args, **options)[0]


_WHERES = ({"where": _WHERE}, {"where": _WHERE, "axis": 1}, {"where": _WHERE[:, :1], "axis": (0, 1), "keepdims": True})
_STARTS = ({"initial": 1.5}, {"initial": 0.3, "where": _WHERE, "axis": 0}, {"initial": -3, "axis": 1, "where": _WHERE})
_EMPTY = ({"initial": 1.5, "axis": 1}, {"initial": 1.5, "keepdims": True})


def _deviations(function: Any) -> list[Example]:
    return [
        *[e for e in over(function, complexes=True) if np.ndim(e.args[0]) and e.args[0].size > 1],
        *[one(lambda a, k=k: function(a, axis=k, ddof=1), (3, 4), complexes=True) for k in (None, 0, (0, 1))],
        *_with_options(function, *_WHERES, {"correction": 1, "axis": 0}, {"ddof": 1, "where": _WHERE}, complexes=True),
        *_with_options(function, {"mean": np.full((1, 4), 0.2), "axis": 0}, {"dtype": np.float64, "axis": 1}),
        one(
            lambda a: function(a, axis=0, mean=np.mean(a, axis=0, keepdims=True)),
            (3, 4),
            reference=lambda a: function(a, axis=0),
        ),
    ]


def _medians(function: Any) -> list[Example]:
    axes: list[Any] = [None, 0, -1, (0, 2), (2, 1)]
    return [
        *[one(lambda a, k=k: function(a, axis=k), (2, 3, 4), order=2) for k in axes],
        one(lambda a: function(a, axis=(0, 2), keepdims=True), (2, 3, 3)),
        one(lambda a: function(a, keepdims=True), (2, 3)),
        *[one(function, shape) for shape in ((), (1,), (5,), (6,))],
        one(lambda a: function(a, axis=0), (3, 0)),
    ]


def _quantiles(function: Any, scale: float) -> list[Example]:
    qs: list[Any] = [0.3, 0.0, 1, [0.1, 0.5], np.array([[0.25, 0.9], [0.5, 1.0]])]
    return [
        *[one(lambda a, q=q: function(a, np.multiply(q, scale) if np.ndim(q) else q * scale), (7,)) for q in qs],
        *[one(lambda a, m=m: function(a, [0.31 * scale, 0.5 * scale], axis=0, method=m), (4, 2)) for m in _METHODS],
        *[
            one(lambda a, k=k: function(a, [0.2 * scale, 0.6 * scale], axis=k, keepdims=True), (2, 3, 2))
            for k in (1, (0, 2), None)
        ],
        one(lambda a: function(a, 0.4 * scale, axis=(2, 0)), (2, 3, 2)),
        one(
            lambda a: function(
                a,
                [0.2 * scale, 0.7 * scale],
                axis=1,
                method="inverted_cdf",
                weights=_WEIGHTS,
                keepdims=True,
            ),
            (2, 4),
        ),
        one(lambda a: function(a, 0.5 * scale), ()),
    ]


_X = np.array([0.0, 0.5, 0.7, 2.0, 2.3])

EXAMPLES: dict[str, list[Example]] = {
    "sum": [
        *over(np.sum, complexes=True),
        one(np.sum, (0, 3)),
        one(lambda a: np.sum(a, 0), (0, 3)),
        *_with_options(np.sum, *_WHERES, *_STARTS, {"dtype": np.complex128}, complexes=True, half=False),
        *_with_options(np.sum, *_EMPTY, shape=(2, 0)),
        one(lambda a: a.sum(1, where=_WHERE), (3, 4), reference=lambda a: np.sum(a, 1, where=_WHERE)),
        one(lambda a: np.sum(a, 0, np.float64), (3, 4)),
    ],
    "prod": [
        *over(np.prod, complexes=True),
        *[one(np.prod, with_zeros(n, n), order=3, complexes=True) for n in (4, 5)],  # one zero
        *[one(np.prod, with_zeros(n, 2), order=3, complexes=True) for n in (4, 5, 6)],  # two and three
        one(lambda a: np.prod(a, axis=1), with_zeros((3, 4), 5), order=3),
        one(lambda a: np.prod(a, axis=(0, 2), keepdims=True), with_zeros((2, 3, 2)), complexes=True),
        *_with_options(np.prod, *_WHERES, *_STARTS, {"dtype": np.complex128}, complexes=True, half=False),
        *_with_options(np.prod, *_EMPTY, {"axis": 0}, shape=(2, 0)),
    ],
    "mean": [
        *over(np.mean, complexes=True),
        *_with_options(np.mean, *_WHERES, {"dtype": np.complex128}, complexes=True),
        one(lambda a: np.mean(a, 0, np.float64), (3, 4)),
    ],
    "max": [
        *over(np.max),
        *over(np.amax),
        one(lambda a: a.max(1), (2, 3)),
        *_with_options(np.max, *_STARTS),
        *_with_options(np.max, *_EMPTY, shape=(2, 0)),
    ],
    "min": [
        *over(np.min),
        *over(np.amin),
        one(lambda a: a.min(1), (2, 3)),
        *_with_options(np.min, *_STARTS),
        *_with_options(np.min, *_EMPTY, shape=(2, 0)),
    ],
    "var": _deviations(np.var),
    "std": _deviations(np.std),
    "ptp": [one(np.ptp, (5,)), *_with_options(np.ptp, {"axis": 1}, {"axis": (0, 1), "keepdims": True})],
    # scans
    "recurrence": [
        one(scan.recurrence_of, (n - 1,), (n,), reference=_np_recurrence, order=3, complexes=True) for n in (1, 2, 3, 6)
    ]
    + [one(scan.recurrence_of, with_zeros((2, 6)), (2, 7), reference=_np_recurrence, order=3)],
    "cumsum": [*_scans(np.cumsum), *_with_options(np.cumsum, {"dtype": np.complex128}, half=False)],
    "cumprod": [*_scans(np.cumprod), *_with_options(np.cumprod, {"dtype": np.complex128, "axis": 0}, half=False)],
    "nancumsum": _with_options(_spoilt(np.nancumsum), {}, {"axis": 0}, {"axis": -1}, complexes=True),
    "nancumprod": _with_options(_spoilt(np.nancumprod), {}, {"axis": 0}, {"axis": -1}, complexes=True),
    # without NaNs
    "nansum": _with_options(_spoilt(np.nansum), {}, *_WHERES, *_STARTS, complexes=True),
    "nanprod": _with_options(_spoilt(np.nanprod), {}, *_WHERES, *_STARTS, complexes=True),
    "nanmean": _with_options(
        _spoilt(np.nanmean, 4), {}, {"axis": 1}, {"keepdims": True, "where": _WHERE}, complexes=True
    ),
    "nanvar": _with_options(
        _spoilt(np.nanvar, 5), {}, {"axis": 1, "ddof": 1}, {"axis": 0, "keepdims": True}, complexes=True
    ),
    "nanstd": _with_options(
        _spoilt(np.nanstd, 5), {}, {"axis": 1, "ddof": 1}, {"axis": 0, "keepdims": True}, complexes=True
    ),
    "nanmax": [*over(np.nanmax), *_with_options(_spoilt(np.nanmax), {}, {"axis": 1}, *_STARTS)],
    "nanmin": [*over(np.nanmin), *_with_options(_spoilt(np.nanmin), {}, {"axis": 1}, *_STARTS)],
    "nanmedian": [*_medians(np.nanmedian), *_medians(_spoilt(np.nanmedian, 5))[:6]],
    "nanquantile": [*_quantiles(np.nanquantile, 1)[:6], *_quantiles(_spoilt(np.nanquantile, 5), 1)[5:]],
    "nanpercentile": [*_quantiles(np.nanpercentile, 100)[:4], *_quantiles(_spoilt(np.nanpercentile, 5), 100)[5::3]],
    # order
    "rearranged": [
        one(
            lambda x: order.rearranged(x, order=_ORDER, axis=1),
            (2, 3),
            reference=lambda x: np.take_along_axis(x, _ORDER, 1),
            complexes=True,
            order=3,
        )
    ],
    "sort_complex": [one(np.sort_complex, (5,), complexes=True), one(np.sort_complex, (2, 3))],
    "sort": [
        one(np.sort, (7,), complexes=True),
        *[one(lambda a, k=k: np.sort(a, axis=k), (2, 3, 4), complexes=True) for k in (None, 0, 1, -1)],
        one(lambda a: np.sort(a, kind="stable"), (4, 3)),
        one(lambda a: np.sort(a, axis=None, stable=True), ()),
        one(np.sort, (0, 3)),
    ],
    "partition": [
        one(lambda a: np.partition(a, range(7)), (7,)),
        *[one(lambda a, k=k: np.partition(a, [0, 1, 2], axis=k), (3, 4)) for k in (0, 1, None)],
        one(lambda a: np.partition(a, 3)[3:4], (7,)),
    ],
    "median": _medians(np.median),
    "quantile": _quantiles(np.quantile, 1),
    "percentile": _quantiles(np.percentile, 100),
    "unique": [
        one(np.unique, (2, 3), complexes=True),
        one(lambda a: np.unique(np.concatenate([a, a[:2]])), (4,)),
        one(lambda a: np.unique(a, True, True, True)[0], (4,)),
        one(lambda a: np.unique(a, axis=0), (4, 2)),
        one(lambda a: np.unique(a, axis=-1, return_counts=True)[0], (2, 4)),
    ],
    "unique_all": [one(lambda a: np.unique_all(a).values, (2, 3))],
    "unique_counts": [one(lambda a: np.unique_counts(a).values, (2, 3))],
    "unique_inverse": [one(lambda a: np.unique_inverse(a).values, (2, 3))],
    "unique_values": [one(np.unique_values, (2, 3), reference=np.unique)],
    # differences
    "diff": [
        one(np.diff, (5,), complexes=True),
        *[one(lambda a, n=n: np.diff(a, n, 0), (4, 2), complexes=True) for n in (1, 3, 5)],
        one(lambda a, b: np.diff(a, prepend=b, append=1.5), (2, 3), (2, 2)),
        one(lambda a, b: np.diff(a, axis=0, prepend=b), (2, 3), ()),
        one(lambda b: np.diff(np.ones((2, 3)), append=b), (2, 1)),
    ],
    "ediff1d": [
        one(np.ediff1d, (2, 3), complexes=True),
        one(lambda a, b, c: np.ediff1d(a, b, c), (4,), (2, 2), ()),
        one(lambda a: np.ediff1d(a, to_begin=a[:1]), (4,)),
    ],
    "trapezoid": [
        one(np.trapezoid, (5,), complexes=True),
        one(lambda y: np.trapezoid(y, dx=0.3, axis=0), (4, 2)),
        one(lambda y, x: np.trapezoid(y, x, axis=0), (4, 2), (4,)),
        one(lambda y, x: np.trapezoid(y, x), (2, 4), (2, 4)),
        one(lambda y, x: np.trapezoid(y, dx=x), (2, 4), ()),
    ],
    "gradient": [
        one(np.gradient, (5,), complexes=True),
        *[one(lambda f, k=k: np.gradient(f)[k], (3, 4)) for k in (0, 1)],
        one(lambda f: np.gradient(f, 0.3, axis=1, edge_order=2), (2, 4)),
        *[one(lambda f, x, k=k: np.gradient(f, x, edge_order=k), (5,), _X, rounding=4.0) for k in (1, 2)],
        *[one(lambda f, h, k=k: np.gradient(f, h, edge_order=k), (5,), values((), 0.4, 0.8)) for k in (1, 2)],
        *[one(lambda f, k=k: np.gradient(f, 2.0, _X[:4], axis=(1, 0))[k], (4, 3)) for k in (0, 1)],
    ],
    # statistics
    "average": [
        *[one(lambda a, k=k: np.average(a, axis=k), (3, 4), complexes=True) for k in (None, 0, (0, 1))],
        one(lambda a, w: np.average(a, weights=w), (3, 4), values((3, 4), 0.5, 2)),
        one(lambda a, w: np.average(a, axis=1, weights=w, keepdims=True), (3, 4), values((4,), 0.5, 2)),
        one(lambda a, w: np.average(a, axis=(2, 0), weights=w), (2, 3, 4), values((4, 2), 0.5, 2)),
        one(lambda a, w: np.multiply(*np.average(a, 0, w, True)), (3, 4), values((3,), 0.5, 2)),
        one(lambda w: np.average(np.arange(4.0), weights=w), values((4,), 0.5, 2)),
        one(_first(lambda a: np.average(a, 0, returned=True)), (3, 4)),
    ],
    "cov": [
        one(np.cov, (2, 5), complexes=True, half=False),
        one(np.cov, (5,), half=False),
        one(lambda a, b: np.cov(a, b), (2, 5), (5,), half=False),
        one(lambda a, b: np.cov(a, b, rowvar=False), (5, 2), (5, 1), half=False),
        one(lambda a: np.cov(a, bias=True), (2, 5)),
        one(lambda a: np.cov(a, ddof=2), (2, 5)),
        one(lambda a, w: np.cov(a, aweights=w), (2, 5), values((5,), 0.5, 2)),
        one(lambda a, w: np.cov(a, fweights=[1, 2, 1, 3, 1], aweights=w), (2, 5), values((5,), 0.5, 2)),
        one(lambda a: np.cov(a, fweights=[1, 2, 1, 3, 1], bias=True), (2, 5)),
    ],
    "corrcoef": [
        one(np.corrcoef, (3, 5), rounding=4.0),
        one(lambda a, b: np.corrcoef(a, b), (5,), (5,), complexes=True),
        one(lambda a: np.corrcoef(a, rowvar=False), (5, 2)),
    ],
    "bincount": [
        one(lambda w: np.bincount([0, 2, 2, 1, 0], w), (5,), half=False),
        one(lambda w: np.bincount([0, 2, 2, 1, 0], weights=w, minlength=6), (5,), half=False),
    ],
    "histogram": [
        one(_first(lambda w: np.histogram(_X, 3, weights=w)), (5,)),
        one(_first(lambda w: np.histogram(_X, [0, 0.6, 2.0], weights=w, density=True)), values((5,), 0.5, 2)),
        one(_first(lambda w: np.histogram(_X, 4, (0.5, 2.0), weights=w)), (5,)),
    ],
}

if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    for _name in ("cumulative_sum", "cumulative_prod"):
        _function = getattr(np, _name)
        EXAMPLES[_name] = [
            *_with_options(_function, {}, {"include_initial": True}, shape=(4,), complexes=True),
            *_with_options(_function, {"axis": -1}, {"axis": 0, "include_initial": True}, complexes=True),
            one(lambda a, f=_function: f(a, dtype=np.complex128), (3,), half=False),
        ]
