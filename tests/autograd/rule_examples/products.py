"""Examples of products, convolution, interpolation and polynomials."""

from __future__ import annotations

from typing import Any

import numpy as np

from .table import Example, one, values

__all__ = ["EXAMPLES"]


def _with(function: Any, *before: Any, **how: Any) -> Any:
    return lambda *arrays: function(*before, *arrays, **how)


def _pairs(function: Any, cases: list[Any], **options: Any) -> list[Example]:
    """Examples of a function of two arrays: (shape, shape, options of the call)."""
    return [one(_with(function, **how), a, b, **options) for a, b, how in cases]


_INNERS: list[Any] = [
    *[((3,), (3,), {}), ((2, 3), (3,), {}), ((3,), (4, 3), {}), ((2, 3), (4, 3), {}), ((2, 1, 3), (2, 3), {})],
    *[((), (2, 3), {}), ((2,), (), {}), ((0,), (0,), {}), ((2, 0), (3, 0), {})],
]
_TENSORS: list[Any] = [
    *[((2, 3, 4), (3, 4, 2), {}), ((2, 3), (3, 4), {"axes": 1}), ((2,), (3,), {"axes": 0})],
    *[((2, 3, 4), (4, 3), {"axes": ([1, -1], (1, 0))}), ((2, 3), (4, 3), {"axes": (1, 1)})],
    *[((2, 3, 2), (2, 3, 2), {"axes": 3}), ((2, 0), (0, 3), {"axes": 1}), ((2, 3), (2, 4), {"axes": [0, 0]})],
]
_VECTORS: list[Any] = [
    ((3,), (3,), {}),
    ((2, 3), (3,), {}),
    ((2, 1, 3), (4, 3), {}),
    ((0, 3), (3,), {}),
    ((0,), (0,), {}),
]
_CROSSES: list[Any] = [
    *[((3,), (3,), {}), ((4, 3), (3,), {}), ((2, 1, 3), (4, 3), {}), ((3, 2), (3, 2), {"axis": 0})],
    *[((3, 4), (4, 3), {"axisa": 0, "axisc": 0}), ((0, 3), (3,), {})],
]
_FLAT: list[Any] = [((2,), (2,), {}), ((4, 2), (3,), {}), ((3,), (4, 2), {}), ((2, 4), (4, 2), {"axisa": 0})]
_LENGTHS = [((5,), (3,)), ((2,), (5,)), ((4,), (4,)), ((1,), (3,)), ((6,), (2,))]
_X = np.sort(values((6,), 0, 5, seed=3))


def _divided(u: Any, v: Any) -> Any:
    """The quotient, and of the remainder what is never trimmed."""
    q, r = np.polydiv(u, v)
    return np.concatenate([q, r[max(0, len(r) - len(v) + 1) :] * 2])


def _interpolations() -> list[Example]:
    x, xp, fp = values((7,), -1, 6.5, seed=1), _X, values((6,), seed=2)
    cases: list[dict[str, Any]] = [{}, {"left": 1.5}, {"right": -1.0, "left": 0.0}, {"period": 4.0}, {"period": -7.1}]
    examples = [one(_with(np.interp, **how), x, xp, fp, half=False) for how in cases]
    wide = [one(lambda x, f: np.interp(x, _X, f), shape, (6,), half=False) for shape in ((2, 3), (), (0,))]
    return [
        *examples,
        *wide,
        one(lambda x, f: np.interp(x, [1.0], f), (4,), (1,)),
        Example(lambda f: np.interp(x, xp, f), (fp,), complexes=True),
    ]


def _gathered(results: Any) -> Any:
    """The sum of two results that broadcast."""
    return results[0] + results[1].sum()


EXAMPLES: dict[str, list[Example]] = {
    "inner": _pairs(np.inner, _INNERS, complexes=True),
    "outer": _pairs(np.outer, [((3,), (2,), {}), ((2, 2), (3,), {}), ((), (2,), {}), ((0,), (2,), {})], complexes=True),
    "linalg.outer": _pairs(np.linalg.outer, [((3,), (2,), {}), ((0,), (2,), {})], complexes=True),
    "vdot": _pairs(np.vdot, [((3,), (3,), {}), ((2, 3), (6,), {}), ((), (), {}), ((0,), (0,), {})], complexes=True),
    "vecdot": [
        *_pairs(np.vecdot, _VECTORS, complexes=True),
        *_pairs(np.vecdot, [((3, 2), (3, 2), {"axis": 0}), ((3, 2), (4, 1, 3), {"axes": [0, -1]})], complexes=True),
        *_pairs(np.vecdot, [((2, 3), (2, 3), {"keepdims": True}), ((3, 2), (3, 2), {"axis": 0, "keepdims": True})]),
    ],
    "linalg.vecdot": _pairs(np.linalg.vecdot, [*_VECTORS[:3], ((3, 2), (3, 2), {"axis": 0})], complexes=True),
    "tensordot": _pairs(np.tensordot, _TENSORS, complexes=True),
    "linalg.tensordot": _pairs(np.linalg.tensordot, _TENSORS[:4], complexes=True),
    "kron": _pairs(
        np.kron,
        [(a, b, {}) for a, b in [((2, 3), (3, 2)), ((2,), (3, 2)), ((2, 1, 2), (3,)), ((), (2,)), ((0,), (2,))]],
        complexes=True,
    ),
    "cross": _pairs(np.cross, _CROSSES, complexes=True),
    "linalg.cross": _pairs(np.linalg.cross, [((3,), (4, 3), {}), ((3, 2), (3, 2), {"axis": 0})], complexes=True),
    "linalg.multi_dot": [
        one(lambda *xs: np.linalg.multi_dot(xs), *shapes, complexes=True, rounding=4)
        for shapes in [
            *[((2, 3), (3, 4)), ((4, 2), (2, 5), (5, 3)), ((3,), (3, 4), (4,)), ((2, 5), (5, 1), (1, 4), (4,))],
            *[((5, 2), (2, 6), (6, 3), (3, 4), (4, 2)), ((2, 0), (0, 3))],
        ]
    ],
    "convolve": [
        *_pairs(np.convolve, [(a, v, {"mode": m}) for m in ("full", "same", "valid") for a, v in _LENGTHS]),
        *_pairs(np.convolve, [((5,), (4,), {}), ((3,), (6,), {"mode": "same"})], complexes=True),
        *_pairs(np.convolve, [((), (3,), {}), ((3,), (), {})]),
    ],
    "correlate": [
        *_pairs(
            np.correlate,
            [(a, v, {"mode": m}) for m in ("full", "same", "valid") for a, v in _LENGTHS],
            complexes=True,
        ),
        one(np.correlate, (4,), (2,)),
    ],
    "interp": _interpolations(),
    "polyval": [
        *_pairs(
            np.polyval,
            [(n, s, {}) for n, s in [((4,), (3,)), ((1,), (2, 3)), ((3,), ()), ((3,), (0,))]],
            complexes=True,
        ),
        one(lambda p: np.polyval(p, 0.5), (4,)),
        one(lambda x: np.polyval([1.0, -2.0, 0.5, 3.0], x), (3,), complexes=True, order=3),
        one(np.polyval, (0,), (3,)),
    ],
    "vander": [
        *[one(_with(np.vander, **how), (3,), complexes=True) for how in ({}, {"N": 2}, {"N": 5}, {"increasing": True})],
        *[one(_with(np.vander, N=n), (3,)) for n in (1, 4)],
        one(_with(np.vander, N=4, increasing=True), (2,), order=3),
    ],
    "polyadd": _pairs(np.polyadd, [((3,), (3,), {}), ((2,), (4,), {}), ((4,), (), {})], complexes=True),
    "polysub": _pairs(np.polysub, [((3,), (3,), {}), ((2,), (4,), {}), ((4,), (), {})], complexes=True),
    "polymul": _pairs(np.polymul, [((3,), (2,), {}), ((2,), (4,), {}), ((), (3,), {})], complexes=True),
    "polydiv": [
        one(_divided, values(u, 1, 3), values(v, 1, 3, seed=5) ** 2, complexes=True, rounding=10)
        for u, v in [((5,), (3,)), ((4,), (2,)), ((3,), (3,)), ((3,), (1,))]
    ],
    "polyder": [one(_with(np.polyder, m=m), (4,), complexes=True) for m in (1, 2, 4, 5)],
    "polyint": [
        *[one(_with(np.polyint, m=m), (3,), complexes=True) for m in (1, 3)],
        one(lambda p: np.polyint(p, 2, p[:2]), (3,)),
        one(lambda p: np.polyint(p, m=2, k=1.5), (3,)),
    ],
    "poly": [
        *[one(np.poly, (n,), complexes=True, rounding=4) for n in (4, 1)],
        one(lambda x: np.poly(np.concatenate([x + 0.3j, x - 0.3j])), (2,), rounding=10),
    ],
    "characteristic": [
        one(np.poly, (3, 3), reference=np.poly, complexes=True, half=False, rounding=50),
        one(np.poly, (1, 1), complexes=True, half=False),
        one(np.poly, np.array([[2.0, 0.0], [0.0, 2.0]]), half=False, rounding=10),
    ],
    "roots": [
        one(np.roots, np.array(p), complexes=complexes, half=False, rounding=100)
        for p, complexes in [
            *[([1.0, -6.1, 11.3, -5.9], False), ([2.0, 1.0, 3.0], False), ([1.0, 2.0, 0.5, -1.0, 3.0], False)],
            *[([1.5, 3.0], True), ([2.0], False)],
        ]
    ],
    "polyfit": [
        one(_with(np.polyfit, deg=d), _X, s, half=False, rounding=200)
        for d, s in [(1, (6,)), (3, (6,)), (2, (6, 2)), (0, (6,))]
    ]
    + [
        one(lambda x, y, w: np.polyfit(x, y, 2, w=w), _X, (6,), values((6,), 0.5, 2), half=False, rounding=200),
        one(lambda x, y: _gathered(np.polyfit(x, y, 1, cov=True)), _X, (6,), half=False, rounding=200),
        one(lambda x, y: _gathered(np.polyfit(x, y, 1, cov="unscaled")), _X, (6,), half=False, rounding=200),
        one(lambda x, y: _gathered(np.polyfit(x, y, 1, full=True)), _X, (6,), half=False, rounding=200),
    ],
}

if hasattr(np, "matvec"):  # NumPy 2.2
    EXAMPLES["matvec"] = [
        *_pairs(np.matvec, [((2, 3), (3,), {}), ((4, 2, 3), (3,), {}), ((2, 3), (4, 3), {})], complexes=True),
        *_pairs(np.matvec, [((3, 2, 4), (2,), {"axes": [(0, 1), 0, 0]}), ((2, 0), (0,), {})], complexes=True),
    ]
    EXAMPLES["vecmat"] = [
        *_pairs(np.vecmat, [((2,), (2, 3), {}), ((4, 2), (2, 3), {}), ((2,), (4, 2, 3), {})], complexes=True),
        *_pairs(np.vecmat, [((2, 4), (3, 4, 2), {"axes": [0, (2, 0), 1]})], complexes=True),
    ]
