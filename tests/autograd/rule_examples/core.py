"""Examples of the rules that every program loads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, logsumexp, sigmoid, softplus
from autograd.rules import arrange, index

from .table import Example, binary, one, over, unary, values


def _put(x: Any, v: Any, key: Any) -> Any:
    """`x[key] = v`, as a value."""
    y = x.copy()
    y[key] = v
    return y


def _puts(key: Any) -> Any:
    return lambda x, v: _put(x, v, key)


def _np_scatter(g: Any, shape: Any, key: Any) -> Any:
    out = np.zeros(shape, dtype=g.dtype)
    np.add.at(out, key, g)
    return out


def _np_logsumexp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(np.exp(a), axis=axis, keepdims=keepdims))


KEYS: list[Any] = [
    *[1, -1, slice(1, 3), slice(None, None, -1), slice(3, 0, -2), Ellipsis, None, (1, 2), (..., -1), (None, 1, None)],
    *[(slice(None), 0), (slice(None, None, 2), slice(2, None, -1)), (), [0, 0, 2], [[0, 1], [1, 1]], (..., [1, 1])],
    *[([0, 0, 3], [1, 1, 2]), ((0, 0), (1, 1)), (slice(1, None), [2, 0, 2]), ([0, 0], slice(None, None, -1))],
    *[([1], None, [[0], [2]]), (np.array([1, 1]), 0), np.array(2), np.int64(1), [], [True, False, True, True]],
    *[np.arange(12).reshape(4, 3) % 3 == 0, np.zeros((4, 3), bool), (np.array([True, False, True, False]), 1), True],
    *[(np.array([True, False, True, False]), [2, 0]), (slice(2), np.array([False, True, True])), range(2)],
]


def _gets(key: Any) -> Any:
    return lambda x: x[key]


def _alternate(x: Any, y: Any) -> Any:
    """Every other element of x, the others of y."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    return np.where(np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2 == 0, x, y)


_CONDITION = np.arange(12).reshape(4, 3) % 2 == 0
_SUBSCRIPTS: list[tuple[str, list[Any]]] = [
    *[("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ba", [(2, 3)]), ("i,i->", [(3,), (3,)])],
    *[("ij->", [(2, 3)]), ("ij->j", [(2, 3)]), ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("iij->ji", [(2, 2, 3)])],
    *[("iii->i", [(3, 3, 3)]), ("ii,i->i", [(3, 3), (3,)]), ("ij,kl->il", [(2, 3), (2, 3)]), (",->", [(), ()])],
    *[(",i->i", [(), (3,)]), ("i,j,k->ijk", [(2,), (3,), (2,)]), ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)])],
    *[("...ij,...jk->...ik", [(2, 1, 2, 3), (4, 3, 2)]), ("...i->...", [(2, 3)]), ("...,...", [(2, 3), (3,)])],
    *[("i...,j...", [(2, 4), (3, 4)]), ("...i->i...", [(2, 3, 4)])],
    *[
        ("i,i->i", [(1,), (3,)]),
        ("ij,j->", [(2, 1), (3,)]),
        ("ij,jk->ik", [(0, 3), (3, 2)]),
        ("ab,cb->", [(2, 3), (4, 3)]),
    ],
    *[(" i j , j -> i ", [(2, 3), (3,)]), ("bhqd,bhkd->bhqk", [(2, 1, 2, 3), (2, 2, 4, 3)]), ("->", [()])],
]


def _einsum(subscripts: str, **options: Any) -> Any:
    return lambda *operands: np.einsum(subscripts, *operands, **options)


_MATMULS: list[Any] = [
    *[((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4))],
    *[((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((1, 2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,))],
    *[((4, 5, 2, 3), (3,)), ((3,), (4, 5, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (1, 3, 2))],
    *[((1, 1), (1, 1)), ((0,), (0,))],
]
_DOTS: list[Any] = [
    *[((), ()), ((), (2, 3)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4))],
    *[((3,), (2, 3, 4)), ((2, 3), (5, 3, 4)), ((2, 2, 3), (2, 4, 3, 2)), ((2, 0), (2, 0, 3)), ((2, 3, 4), (4,))],
]

EXAMPLES: dict[str, list[Example]] = {
    # arithmetic
    "add": binary(np.add, complexes=True),
    "subtract": binary(np.subtract, complexes=True),
    "multiply": binary(np.multiply, complexes=True),
    "divide": binary(np.divide, 0.5, 2.0, complexes=True),
    "power": [
        *binary(np.power, 0.3, 2.0, complexes=True),
        *[
            one(lambda x, k=k: np.power(x, k), values((5,), 0.5, 2), complexes=True)
            for k in (3, 0.5, -1, -2, 2.5, 1, 0, np.float64(3))
        ],
        *[one(lambda x, k=k: np.power(x, k), (5,)) for k in (3, 1, 0, np.array([0, 1, 2, 3, 4]))],
        *[one(lambda y, k=k: k**y, (5,), complexes=True) for k in (3, 0.5, np.float32(2), np.array([1, 2, 3, 4, 5]))],
    ],
    "negative": unary(np.negative, complexes=True),
    "positive": unary(np.positive, complexes=True),
    "square": [*unary(np.square, complexes=True), one(lambda x: x**2, (3,), complexes=True)],
    # exponentials, logarithms, roots
    "exp": unary(np.exp, complexes=True),
    "expm1": unary(np.expm1, complexes=True),
    "log": unary(np.log, 0.3, 3, complexes=True),
    "log1p": unary(np.log1p, -0.7, 2, complexes=True),
    "sqrt": unary(np.sqrt, 0.3, 3, complexes=True),
    # trigonometric and hyperbolic
    "sin": unary(np.sin, complexes=True),
    "cos": unary(np.cos, complexes=True),
    "tanh": unary(np.tanh, -1.2, 1.2, complexes=True),
    # size, sign, selection
    "absolute": unary(np.absolute, complexes=True),
    "maximum": [*binary(np.maximum), one(lambda x: np.maximum(x, 0.5), (3, 4)), one(lambda x: np.maximum(0, x), (5,))],
    "minimum": [*binary(np.minimum), one(lambda x: np.minimum(x, 0.5), (3, 4)), one(lambda x: np.minimum(0, x), (5,))],
    "where": [
        *binary(_alternate, complexes=True),
        one(lambda x, y: np.where(_CONDITION, x, y), (3,), (4, 1), complexes=True),
        one(lambda x: np.where(_CONDITION, x, 1), (4, 3), complexes=True),
        one(lambda x: np.where(_CONDITION, 0.0, x), (), complexes=True),
        one(lambda x, y: np.where(x > 0, x, y), (4, 3), (3,)),
        one(lambda x, y: np.where(True, x, y), (2,), (2,), complexes=True),
    ],
    "clip": [
        *unary(lambda a: np.clip(a, -1, 1.5)),
        one(lambda a: np.clip(a, None, 0.5), (4, 3)),
        one(lambda a: np.clip(a, 0.5, None), (4, 3)),
        one(lambda a, low, high: np.clip(a, low, high), (4, 3), values((3,), -1, -0.5), values((4, 1), 0.5, 1)),
        one(lambda a, low, high: np.clip(a, low, high), (), values((4, 3), -1.5, 1.3), values((1, 3), 0.2, 0.9)),
        one(lambda a, low: np.clip(a, low, None), (4, 3), values((), 0.1, 0.3)),
        one(lambda a, high: np.clip(a, None, high), (3,), values((4, 3), seed=3)),
        one(lambda low, high: np.clip(0.2, low, high), values((4,), -1, 1), values((4,), -1, 1, seed=5) + 0.01),
        one(lambda a, low, high: np.clip(a, low, high), (4,), values((4,), 0.5, 1.0), values((4,), -0.5, 0.2)),
    ],
    # complex parts and dtypes
    "real": unary(np.real, complexes=True),
    "imag": unary(np.imag, complexes=True),
    "conjugate": unary(np.conjugate, complexes=True),
    "astype": [
        one(lambda x: np.astype(x, np.complex128) * (1 + 2j), (3,), complexes=True),
        one(lambda x: np.astype(x, "float64"), (2, 3)),
        one(lambda x: x.astype(np.longdouble), (2, 3)),
    ],
    "to": [one(lambda x: arrange.to(x, "cpu", "cpu"), (2, 3), complexes=True)],
    # arrangement
    "reshape": [
        *[one(lambda a, s=s: np.reshape(a, s), (2, 6), complexes=True) for s in (12, -1, (3, 4), (3, -1, 2))],
        one(lambda a: np.reshape(a, (3, 4), order="F"), (2, 6)),
        one(lambda a: a.reshape(4, -1), (2, 6)),
        one(lambda a: np.reshape(a, (1, 1)), ()),
        one(lambda a: np.reshape(a, (3, 0)), (0, 2)),
        one(lambda a: np.reshape(a, ()), (1,)),
    ],
    "ravel": [
        *unary(np.ravel, complexes=True),
        one(lambda a: np.ravel(a, order="F"), (2, 3)),
        one(lambda a: a.flatten(), (2, 3)),
    ],
    "expand_dims": [one(lambda a, k=k: np.expand_dims(a, k), (2, 3), complexes=True) for k in (0, -1, (0, 2), (1, -1))],
    "squeeze": [
        *[one(lambda a, k=k: np.squeeze(a, axis=k), (1, 3, 1), complexes=True) for k in (None, 0, -1, (0, 2))],
        one(np.squeeze, (1,)),
    ],
    "transpose": [
        *[one(lambda a, k=k: np.transpose(a, k), (2, 3, 4), complexes=True) for k in (None, (1, 2, 0), [0, -1, 1])],
        *[
            one(lambda a: a.T, (2, 3)),
            one(lambda a: a.transpose(1, 0), (2, 3)),
            one(np.transpose, ()),
            one(np.transpose, (0, 2)),
        ],
    ],
    "swapaxes": [
        one(lambda a: np.swapaxes(a, 0, -1), (2, 3, 4), complexes=True),
        one(lambda a: a.mT, (2, 3, 4)),
    ],
    "broadcast_to": [
        *[one(lambda a: np.broadcast_to(a, (4, 3)), s, complexes=True) for s in ((), (3,), (4, 1), (1, 1), (4, 3))],
        *[one(lambda a: np.broadcast_to(a, 3), ()), one(lambda a: np.broadcast_to(a, (0, 3)), (3,))],
        *[one(lambda a: np.broadcast_to(a, (2, 0)), ()), one(lambda a: np.broadcast_to(a, ()), ())],
    ],
    "concatenate": [
        one(lambda *xs: np.concatenate(xs), (2, 3), (1, 3), (0, 3), complexes=True),
        one(lambda *xs: np.concatenate(xs, axis=-1), (2, 3), (2, 1), complexes=True),
        one(lambda *xs: np.concatenate(xs, axis=None), (2, 3), (4,), complexes=True),
        one(lambda x: np.concatenate([x, np.ones((1, 3)), x]), (2, 3)),
        one(lambda x: np.concatenate(x, axis=1), (2, 3, 4)),
    ],
    "stack": [
        *[one(lambda *xs, k=k: np.stack(xs, axis=k), (2, 3), (2, 3), complexes=True) for k in (0, 1, -1)],
        one(lambda *xs: np.stack(xs), (), (), ()),
        one(lambda x: np.stack([x, 1.0, x]), ()),
        one(lambda x: np.stack(x, axis=1), (2, 3)),
    ],
    # indexing
    "getitem": [
        *[one(_gets(key), (4, 3), complexes=True) for key in KEYS],
        *[one(_gets(key), ()) for key in ((), ..., None, (None, ...), True, False)],
        *[one(_gets(key), (0, 3)) for key in (slice(None), [], (slice(None), 1), slice(None, None, -1))],
    ],
    "scatter": [
        one(
            lambda g, key=key: index.scatter(g, shape=(4, 3), key=index.freeze(key)),
            np.asarray(values((4, 3))[key]),
            reference=lambda g, key=key: _np_scatter(g, (4, 3), key),
            complexes=True,
        )
        for key in KEYS
    ],
    "setitem": [
        *[
            Example(_puts(key), (values((4, 3)), np.asarray(values((4, 3), seed=1)[key])), complexes=True)
            for key in KEYS
        ],
        *[one(_puts(key), (4, 3), ()) for key in KEYS],
        *[one(_puts(key), (4, 3), s) for key, s in [(1, (3,)), (slice(2), (1, 3)), (..., (4, 1)), ([0, 0], (1,))]],
        *[one(lambda x, key=key: _put(x, 1.5, key), (4, 3)) for key in KEYS[:3]],
        one(lambda v: _put(Tensor(np.ones((4, 3))) if isinstance(v, Tensor) else np.ones((4, 3)), v, 2), (3,)),
        one(_puts(...), (), ()),
        one(_puts(()), (), ()),
    ],
    # products
    "matmul": [one(np.matmul, a, b, complexes=True) for a, b in _MATMULS]
    + [
        one(lambda x: np.ones((2, 3)) @ x, (3, 2)),
        one(lambda x: x @ x, (3, 3), order=3),
        one(lambda x: x @ [1, 2], (2,)),
    ],
    "full_like": [one(lambda f: np.full_like(f * np.ones((2, 3)), f), s, complexes=True) for s in ((), (3,))],
    "sign": [one(lambda x: np.sign(x + 2j), s, complexes=True) for s in ((3,), ())],
    "dot": [one(np.dot, a, b, complexes=True) for a, b in _DOTS]
    + [one(lambda x: x.dot(np.ones(3)), (2, 3)), one(lambda x: np.dot(x, 2.0), (2, 3))],
    "einsum": [
        *[one(_einsum(s), *shapes, complexes=True) for s, shapes in _SUBSCRIPTS],
        *[one(_einsum(s, optimize=True), *shapes) for s, shapes in _SUBSCRIPTS],
        one(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), (2, 3), (3, 4), complexes=True),
        one(lambda x, y: np.einsum(x, [0, 1], y, [1, 2]), (2, 3), (3, 4)),
        one(lambda x, y: np.einsum(x, [..., 1], y, [1, 2], [..., 2]), (2, 2, 3), (3, 4)),
        one(lambda x: np.einsum(x, [0, 0]), (3, 3)),
        one(lambda x: np.einsum(x, [30, 2]), (2, 3)),
        one(lambda x: np.einsum("ij,jk->ik", np.ones((2, 3)), x), (3, 2)),
        one(lambda x: np.einsum("ij,jk,kl", x, x, x, optimize="greedy"), (2, 2), order=3),
    ],
    # reductions
    "add.reduce": [one(np.add.reduce, (3, 4), complexes=True), one(lambda a: np.add.reduce(a, axis=(0, 1)), (3, 4))],
    "maximum.reduce": [one(np.maximum.reduce, (3, 4)), one(lambda a: np.maximum.reduce(a, axis=1), (3, 4))],
    "minimum.reduce": [one(np.minimum.reduce, (3, 4)), one(lambda a: np.minimum.reduce(a, axis=None), (3, 4))],
    # functions of our own
    "sigmoid": unary(sigmoid, reference=lambda x: 1 / (1 + np.exp(-x))),
    "softplus": unary(softplus, reference=lambda x: np.log(1 + np.exp(x))),
    "logsumexp": over(logsumexp, reference=_np_logsumexp),
}
