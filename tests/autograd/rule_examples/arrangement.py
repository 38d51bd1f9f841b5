"""Examples of the rules that turn, shift, repeat, pad, join and split."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from .table import Example, one, values


def _with(function: Any, shape: Any, *cases: Any, **options: Any) -> list[Example]:
    """The function of one array with various further arguments: a tuple by position, or a dict by name."""
    calls = [
        (lambda a, c=c: function(a, **c)) if isinstance(c, dict) else (lambda a, c=c: function(a, *c)) for c in cases
    ]
    return [one(call, shape, **{"complexes": True, **options}) for call in calls]


def _total(parts: Any) -> Any:
    """One array out of several results, in which each of their elements counts differently."""
    return sum(np.sum(p * (k + 1) * (1 + np.arange(p.size).reshape(p.shape) % 3)) for k, p in enumerate(parts))


def _shapes(function: Any, *shapes: Any, **options: Any) -> list[Example]:
    return [one(function, s, **{"complexes": True, **options}) for s in shapes]


def _joins(function: Any, *shapes: Any, **options: Any) -> list[Example]:
    return [one(lambda *xs: function(xs), *s, **{"complexes": True, **options}) for s in shapes]


def _pads(*cases: Any, shape: Any = (4, 3), **options: Any) -> list[Example]:
    return [one(lambda a, w=width, k=how: np.pad(a, w, **k), shape, **options) for width, how in cases]


def _framed(shape: Any, values: Any, given: Any, width: Any, mode: str = "constant") -> Example:
    """A frame whose values are tracked. NumPy asks only the array that it pads whether that is a Tensor."""

    def call(a: Any, c: Any) -> Any:
        if isinstance(c, Tensor) and not isinstance(a, Tensor):
            a = Tensor(a)
        name = "constant_values" if mode == "constant" else "end_values"
        return np.pad(a, width, mode=mode, **{name: given(c)})

    return one(call, shape, values)


_LINEAR: list[Any] = [
    *[(k, {"mode": m}) for m in ("edge", "wrap", "reflect", "symmetric", "mean") for k in (2, ((1, 2), (0, 5)))],
    *[(n, {"mode": mode, "reflect_type": "odd"}) for mode in ("reflect", "symmetric") for n in (2, (3, 9), ((0, 1),))],
    *[((1, 2), {"mode": "linear_ramp", "end_values": k}) for k in (0, (0.5, -1), ((0, 1), (2, 3)))],
    (1, {"mode": "mean", "stat_length": ((1, 2), (3, 9))}),
]
_REAL: list[Any] = [
    *[(k, {"mode": mode}) for mode in ("maximum", "minimum", "median") for k in (2, ((1, 2), (0, 5)))],
    *[(1, {"mode": mode, "stat_length": k}) for mode in ("maximum", "median") for k in (2, ((1, 2), (3, 9)))],
]


def _fitted(a: Any) -> Any:
    return np.sum(a * (1 + np.arange(a.size).reshape(a.shape)), axis=0)


EXAMPLES: dict[str, list[Example]] = {
    # turning and shifting
    "roll": [
        *_with(
            np.roll, (3, 4), (1,), (-2, 0), (5, -1), ((1, 2), (0, 1)), ([1, 1], [1, 1]), (1, (0, 1)), (np.int64(1),)
        ),
        *_shapes(lambda a: np.roll(a, 2), (), (0, 3), (1,)),
    ],
    "flip": [
        *_with(np.flip, (3, 4), (), (0,), (-1,), ((0, 1),), ((),)),
        *_shapes(np.flip, (), (0,)),
    ],
    "fliplr": _shapes(np.fliplr, (3, 4), (2, 3, 2), (0, 2)),
    "flipud": _shapes(np.flipud, (3, 4), (3,), (2, 0)),
    "rot90": _with(np.rot90, (2, 3, 2), (), (2,), (-1,), (5, (1, 2)), (3, [2, 0])),
    "moveaxis": _with(np.moveaxis, (2, 3, 4), (0, -1), ((0, 1), (2, 0)), ([2], [0]), (1, 1)),
    "rollaxis": _with(np.rollaxis, (2, 3, 4), (2,), (0, 3), (1, 1), (-1, 1)),
    "matrix_transpose": _shapes(np.matrix_transpose, (2, 3), (2, 1, 3), (0, 2)),
    "linalg.matrix_transpose": _shapes(np.linalg.matrix_transpose, (2, 3), (2, 1, 3)),
    "atleast_1d": [
        *_shapes(np.atleast_1d, (), (3,), (2, 3)),
        one(lambda x, y: _total(np.atleast_1d(x, y, 2.0)), (), (3,), complexes=True),
    ],
    "atleast_2d": _shapes(np.atleast_2d, (), (3,), (2, 3), (0,)),
    "atleast_3d": _shapes(np.atleast_3d, (), (3,), (2, 3), (2, 1, 3), (2, 2, 1, 2)),
    "copy": [*_shapes(np.copy, (), (2, 3)), one(lambda a: np.copy(a, order="F"), (2, 3))],
    # copies
    "tile": [
        *_with(np.tile, (2, 3), (2,), ((2, 1),), ((3, 1, 2),), (0,), ([1, 2],), (np.array([2, 2]),), ((),)),
        *_shapes(lambda a: np.tile(a, (2, 3)), (), (2,), (2, 1, 2), (0,)),
    ],
    "repeat": [
        *_with(np.repeat, (2, 3), (2,), (3, 0), (2, -1), ([2],), (0, 1), (np.int64(2), 1)),
        *_shapes(lambda a: np.repeat(a, 2), (), (0, 3), (3,)),
    ],
    "broadcast_arrays": [
        one(lambda x, y: _total(np.broadcast_arrays(x, y)), a, b, complexes=True)
        for a, b in [((3,), (2, 1)), ((), (2,)), ((2, 3), (2, 3)), ((0, 1), (3,))]
    ],
    "ix_": [
        *[one(lambda *xs: _total(np.ix_(*xs)), *s, complexes=True) for s in [((2,), (3,)), ((3,),)]],
        one(lambda x: _total(np.ix_([0, 1], x)), (3,), complexes=True),
    ],
    "meshgrid": [
        *[
            one(lambda *xs, k=k: _total(np.meshgrid(*xs, **k)), *s, complexes=True)
            for s in [((2,), (3,)), ((2,), (3,), (2,)), ((3,),), ((), (2,))]
            for k in ({}, {"indexing": "ij"}, {"sparse": True})
        ],
        one(lambda x: _total(np.meshgrid(x, [1.0, 2.0], copy=False)), (3,), complexes=True),
    ],
    # along axes
    "apply_along_axis": [
        *[
            one(lambda a, k=k, f=f: np.apply_along_axis(f, k, a), (2, 3, 4), complexes=True)
            for k in (0, 1, -1)
            for f in (_fitted, lambda v: np.stack([v, v * v]), lambda v: v[::-1] * 2)
        ],
        one(lambda a: np.apply_along_axis(lambda v, p, q=1: np.sum(v**p) * q, 1, a, 2, q=3), (2, 3), complexes=True),
    ],
    "apply_over_axes": [
        one(lambda a, k=k: np.apply_over_axes(np.sum, a, k), (2, 3, 4), complexes=True) for k in (0, [0, 2], (-1, 0))
    ],
    # padding
    "pad": [
        *_pads(*_REAL, shape=np.exp(values((4, 3)))),  # no ties between the medians
        *_pads(*_LINEAR, complexes=True),
        *_pads(*[(3, {"mode": m}) for m in ("edge", "symmetric", "wrap", "reflect")], shape=(1, 2), complexes=True),
        *_pads((2, {"mode": "edge"}), (0, {"mode": "mean"}), (1, {}), shape=()),
        *_pads((2, {"mode": "reflect", "reflect_type": "odd"}), (4, {"mode": "linear_ramp"}), shape=(5,)),
        *_pads((((1, 1), (0, 0)), {"mode": "mean"}), (((1, 1), (0, 0)), {"mode": "edge"}), shape=(3, 0)),
        _framed((2, 3), (), lambda c: c, 1)._replace(complexes=True),
        _framed((2, 3), (2,), lambda c: c, ((1, 2), (0, 1))),
        _framed((2, 3), (2, 2), lambda c: c, ((1, 2), (0, 1))),
        _framed((2, 3), (), lambda c: ((c, 2.0), (0.5, c)), 1),
        _framed((0, 3), (2, 1), lambda c: c, 1),
        _framed((2, 3), (2,), lambda c: c, 3, mode="linear_ramp"),
        _framed((2, 3), (), lambda c: ((c, 1.0),), 3, mode="linear_ramp"),
    ],
    "frame": [
        *_pads(*[(k, {}) for k in (1, (1, 2), ((0, 1), (2, 0)), ((1, 2),), [1], np.array([[1], [2]]))], complexes=True),
        *_pads((1, {"constant_values": 2.5}), (1, {"constant_values": ((1, 2), (3, 4))}), (0, {})),
        *_pads(((1, 0), {}), shape=(0,)),
        *_shapes(lambda a: np.pad(a, ((1, 2), (0, 3)), mode="empty")[1:-2, :-3], (2, 3)),
    ],
    # joining and splitting
    "vstack": [
        *_joins(np.vstack, [(3,), (2, 3)], [(), ()], [(2, 3), (0, 3)], [(2, 3, 2), (1, 3, 2)]),
        one(lambda x: np.vstack([x, np.ones((1, 3))]), (2, 3), complexes=True),
        one(lambda x: np.vstack([x, x], dtype=np.float64), (3,)),
    ],
    "hstack": _joins(np.hstack, [(3,), (2,)], [(), ()], [(2, 3), (2, 1)], [(2, 0, 2), (2, 1, 2)]),
    "dstack": _joins(np.dstack, [(3,), (3,)], [(), ()], [(2, 3), (2, 3)], [(2, 3, 1), (2, 3, 2)]),
    "column_stack": _joins(np.column_stack, [(3,), (3,)], [(3,), (3, 2)], [(0,), (0, 1)], [(), (1,)]),
    "append": [
        *[one(np.append, *s, complexes=True) for s in [((2, 3), (2,)), ((), ()), ((0,), (2,))]],
        one(lambda x, y: np.append(x, y, axis=-1), (2, 3), (2, 1), complexes=True),
        one(lambda x: np.append(x, [1.0, 2.0]), (3,), complexes=True),
    ],
    "block": [
        one(lambda x, y: np.block([[x, y], [y, x]]), (2, 2), (2, 2), complexes=True),
        one(lambda x, y: np.block([x, y, 1.0]), (3,), (), complexes=True),
        one(lambda x, y: np.block([[[x]], [[y]]]), (2, 3), (2, 3), complexes=True),
        one(lambda x, y: np.block([[np.eye(2), x], [y, np.zeros((1, 1))]]), (2, 1), (1, 2), complexes=True),
        one(np.block, (2, 3), complexes=True),
        one(lambda x: np.block([x, 2 * x]), (2, 3, 2)),
    ],
    "split": [
        one(lambda a, k=k: np.split(a, *k[0])[k[1]], (4, 6), complexes=True)
        for k in [((2,), 1), (([1, 3], 1), 2), ((3, -1), 0), (([2, 9],), 2)]
    ]
    + [one(lambda a, k=k: _total(np.split(a, *k)), (4, 6), complexes=True) for k in [(2,), ([1, 3], 1), ([-1],)]],
    "array_split": [
        *[one(lambda a, k=k: np.array_split(a, *k)[1], (4, 5)) for k in [(3,), (2, 1), ([3, 3],), ([3, 1], -1)]],
        *[
            one(lambda a, k=k: _total(np.array_split(a, *k)), (4, 5), complexes=True)
            for k in [(3,), (7,), ([3, 1],), (np.array([2]), 1), (1,)]
        ],
        one(lambda a: _total(np.array_split(a, 2)[::2]), (0, 3)),
    ],
    "hsplit": [one(lambda a: _total(np.hsplit(a, 2)[1:]), s, complexes=True) for s in [(4,), (3, 4), (2, 2, 3)]],
    "vsplit": [one(lambda a: _total(np.vsplit(a, [1])), s, complexes=True) for s in [(4, 2), (2, 2, 3)]],
    "dsplit": [one(lambda a: _total(np.dsplit(a, 2)), (1, 2, 4), complexes=True)],
    # diagonals and triangles
    "tril": _with(np.tril, (3, 4), (), (1,), (-2,)) + _shapes(np.tril, (2, 3, 3), (3,), (0, 2)),
    "triu": _with(np.triu, (3, 4), (), (1,), (-2,)) + _shapes(np.triu, (2, 3, 3), (3,), (0, 2)),
    "diag": [
        *_with(np.diag, (3,), (), (2,), (-1,)),
        *[e for s in [(3, 4), (4, 2)] for e in _with(np.diag, s, (), (1,), (-2,), (3,), (7,))],
        *_shapes(np.diag, (0,), (0, 3)),
    ],
    "diagflat": _with(np.diagflat, (2, 2), (), (1,), (-2,)) + _shapes(np.diagflat, (), (3,)),
    "diagonal": [
        *_with(np.diagonal, (3, 4), (), (1,), (-2,), (9,), (0, 1, 0)),
        *_with(np.diagonal, (2, 3, 4), (), (1, 0, 2), (-1, -1, 0), {"offset": 1, "axis1": 2, "axis2": 1}),
        *_shapes(np.diagonal, (0, 3)),
    ],
    "linalg.diagonal": _with(np.linalg.diagonal, (2, 3, 4), {}, {"offset": 1}, {"offset": -1}),
    "trace": [
        *_with(np.trace, (3, 4), (), (1,), (-2,), (9,), (0, 1, 0)),
        *_with(np.trace, (2, 3, 4), (), (1, 0, 2), {"axis1": -1}, {"dtype": np.complex128}),
    ],
    "layers": [
        one(lambda a, n=n: _total(list(a)[:n]), s, complexes=True) for s in ((3, 2), (4,), (1, 0)) for n in (1, 9)
    ],
    "linalg.trace": _with(np.linalg.trace, (2, 3, 4), {}, {"offset": 1}),
}
if hasattr(np, "unstack"):  # since NumPy 2.1
    EXAMPLES["unstack"] = [
        one(lambda a, k=k, n=n: _total(np.unstack(a, axis=k)[:n]), (3, 2, 4), complexes=True)
        for k in (0, 1, -1)
        for n in (1, 9)
    ]
