"""Examples of the rules that take, choose, insert and write."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from autograd.node import Value

from .table import Example, one, values

_windows = np.lib.stride_tricks.sliding_window_view


def _with(function: Any, shape: Any, *cases: Any) -> list[Example]:
    """The function of one array with various further arguments: a tuple by position, or a dict by name."""
    calls = [
        (lambda a, c=c: function(a, **c)) if isinstance(c, dict) else (lambda a, c=c: function(a, *c)) for c in cases
    ]
    return [one(call, shape, complexes=True) for call in calls]


def _changed(write: Any) -> Any:
    """A function that writes into a copy of its first argument, as a value."""

    def call(x: Any, *rest: Any) -> Any:
        y = x * 1.0 if isinstance(x, Value) else Tensor(x)
        write(y, *rest)
        return y

    return call


def _written(write: Any) -> Any:
    """The same on plain arrays."""

    def call(x: Any, *rest: Any) -> Any:
        y = x.copy()
        write(y, *rest)
        return y

    return call


def _writes(write: Any, *shapes: Any) -> Example:
    return one(_changed(write), *shapes, reference=_written(write))


_INDICES = np.array([[0, 2, 1, 1], [-1, 0, 0, 2]])
_MASK = np.arange(12).reshape(4, 3) % 5 < 2
_A = values((4, 3))

EXAMPLES: dict[str, list[Example]] = {
    "take": [
        *_with(np.take, (4, 3), ([0, 11, 0],), (_INDICES, 0), (_INDICES, -1), (1,), (-1, 1), ([], 0), ((0, 0), 1)),
        *_with(np.take, (4, 3), ([5, -7], 0, None, "wrap"), ([5, -7], 1, None, "clip"), {"indices": [[1], [1]]}),
        *_with(np.take, (), ([0, 0],)),
        *_with(np.take, (2, 3, 4), ([[0, 0], [2, 1]], 1)),
    ],
    "compress": [
        one(lambda a, c=c: np.compress(*c[:1], a, *c[1:]), (4, 3), complexes=True)
        for c in [([True, False, True],), ([0, 1], 0), (np.array([True, False, True]), -1), ([False], 0)]
    ],
    "extract": [
        one(lambda a: np.extract(_MASK, a), (4, 3), complexes=True),
        one(lambda a: np.extract([1, 0, 2], a), (3,)),
    ],
    "take_along_axis": [
        one(lambda a, c=c: np.take_along_axis(a, *c), (4, 3), complexes=True)
        for c in [
            *[(np.array([[0, 1, 1], [3, -1, 1]]), 0), (np.array([[0], [2], [2], [-3]]), 1)],
            *[(np.array([0, 5, 5, -1]), None), (np.array([[1, 1, 0]]), -2)],
        ]
    ]
    + [one(lambda a: np.take_along_axis(a, np.argsort(a, 1), 1), (4, 3))],
    "delete": _with(
        np.delete, (4, 3), (1,), ([0, 2], 0), (slice(None, None, 2), 1), (-1, -1), (np.array([True, False, True]), 1)
    ),
    "insert": [
        *[
            one(lambda a, v, c=c: np.insert(a, c[0], v, *c[1:]), (4, 3), s, complexes=True)
            for c, s in [((2,), ()), ((1, 1), (4,)), ((1, 0), ()), (([1, 1, 3], 1), (4, 3)), ((slice(2), 0), (1, 3))]
        ],
        one(lambda a: np.insert(a, [0, 5, -1], [1.5, 2.5, 3.5]), (4, 3), complexes=True),
        one(lambda v: np.insert(_A, 0, v, 0), (3,)),
    ],
    "resize": _with(np.resize, (2, 3), ((4, 4),), (3,), ((1, 2),), ((0,),), ((2, 3),)),
    "trim_zeros": [
        one(lambda a, k=k: np.trim_zeros(a * [0, 0, 1, 0, 1, 0], *k), (6,), complexes=True)
        for k in [(), ("f",), ("B",), ("bf",)]
    ],
    "sliding_window_view": [
        *_with(_windows, (5,), (2,), ((3,), 0), (5,), (1,)),
        *_with(_windows, (4, 3), ((2, 2),), (2, 0), (3, -1), ((2, 2), (0, 0)), {"window_shape": [1, 3]}),
        *_with(_windows, (2, 3, 4), ((2, 3), (0, 2))),
    ],
    "choose": [
        one(lambda *c: np.choose(_INDICES % 3, c), (2, 4), (4,), (), complexes=True),
        one(lambda x: np.choose(np.array([1, 0, 1]), [x, 2.0]), (3,), complexes=True),
        one(lambda *c: np.choose(np.array([5, -1, 0]), c, mode="wrap"), (3,), (3,), complexes=True),
        one(lambda *c: np.choose(np.array([5, -1, 0]), c, mode="clip"), (3,), (2, 1), complexes=True),
        one(lambda c: np.choose(np.array([0, 1, 1]), c), (2, 3)),
    ],
    "select": [
        one(lambda x, y: np.select([_MASK, _MASK[:, ::-1]], [x, y]), (4, 3), (3,), complexes=True),
        one(lambda x: np.select([_MASK, _MASK[:, ::-1]], [2 * x, 1.0], x), (4, 3), complexes=True),
        one(lambda x: np.select([x > 1, x > 0], [x * x, x]), (4, 3)),
        one(lambda x: np.select([_MASK, np.True_], [x, 2.0], 3.0), (3,), complexes=True),
    ],
    "piecewise": [
        one(lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v * v, np.exp]), (4, 3)),
        one(lambda x: np.piecewise(x, [x < 0], [lambda v: v * 3, 2.0]), (5,)),
        one(lambda x: np.piecewise(x, x < 0, [np.sin, np.cos]), (5,)),
        one(
            lambda x: np.piecewise(x, [x < 1, x < 0], [lambda v, p, q=1: v * p * q, 0.5, lambda v, p, q: v**p], 2, q=3),
            (4, 3),
        ),
        one(lambda x: np.piecewise(x, [x < 0, x >= 0], [np.sin, np.cos]), ()),
    ],
    # writing
    "put": [
        _writes(lambda y, v: np.put(y, [0, 5, -1], v), (4, 3), (3,)),
        _writes(lambda y, v: np.put(y, [[0, 5], [7, 5]], v), (4, 3), (3,)),
        _writes(lambda y, v: np.put(y, [1, 1, 2], v), (4, 3), ()),
        _writes(lambda y, v: np.put(y, [15, -20], v, mode="wrap"), (4, 3), (2, 2)),
        _writes(lambda y, v: np.put(y, [15, -20], v, "clip"), (4, 3), (2,)),
        _writes(lambda y: np.put(y, 2, 1.5), (4, 3)),
        _writes(lambda y: np.put(y, [], []), (4, 3)),
    ],
    "putmask": [
        *[_writes(lambda y, v: np.putmask(y, _MASK, v), (4, 3), s) for s in [(4, 3), (2,), (), (5,)]],
        _writes(lambda y: np.putmask(y, y > 0, 0.5), (4, 3)),
    ],
    "place": [
        *[_writes(lambda y, v: np.place(y, _MASK, v), (4, 3), s) for s in [(5,), (2,), (4, 3)]],
        _writes(lambda y: np.place(y, _MASK, [1.5, 2.0]), (4, 3)),
    ],
    "copyto": [
        *[_writes(lambda y, v: np.copyto(y, v), (4, 3), s) for s in [(4, 3), (3,), (), (4, 1)]],
        _writes(lambda y, v: np.copyto(y, v, where=_MASK), (4, 3), (3,)),
        _writes(lambda y, v: np.copyto(y, v, where=_MASK[0]), (4, 3), ()),
        _writes(lambda y: np.copyto(y, 2, where=_MASK), (4, 3)),
    ],
    "fill_diagonal": [
        *[
            _writes(lambda y, v: np.fill_diagonal(y, v), a, v)
            for a, v in [((3, 3), ()), ((3, 4), (3,)), ((4, 2), (3,)), ((3, 3, 3), (2,))]
        ],
        _writes(lambda y, v: np.fill_diagonal(y, v, wrap=True), (7, 2), (3,)),
        _writes(lambda y: np.fill_diagonal(y, 2.0), (2, 3)),
    ],
    "put_along_axis": [
        _writes(lambda y, v: np.put_along_axis(y, np.array([[0], [2], [2], [-3]]), v, 1), (4, 3), (4, 1)),
        _writes(lambda y, v: np.put_along_axis(y, np.array([[0, 1, 1]]), v, axis=0), (4, 3), ()),
        _writes(lambda y, v: np.put_along_axis(y, np.array([0, 5, 5, -1]), v, None), (4, 3), (4,)),
        _writes(lambda y: np.put_along_axis(y, np.argmax(y, 1, keepdims=True), 9.0, -1), (4, 3)),
    ],
}
