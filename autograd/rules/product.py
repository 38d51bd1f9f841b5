"""Products: matmul, dot, einsum. Their rules are what shape analysis says: transposes that make shapes fit."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from ..cotangent import unbroadcast
from ..primitive import REGISTRY, define
from .elementwise import multiply

__all__ = ["dot", "einsum", "matmul"]


def _matmul_x(g: Any, x_shape: tuple[int, ...], y: Any) -> Any:
    """Z = XY, so the cotangent of X is G Yᵀ: (m, n) = (m, p)(p, n)."""
    if y.ndim == 1:  # y is a column, and g lacks its axis
        return unbroadcast(g[..., None] * y, x_shape)
    if len(x_shape) == 1:  # x is a row, and g lacks its axis
        return unbroadcast((g[..., None, :] @ y.swapaxes(-1, -2))[..., 0, :], x_shape)
    return unbroadcast(g @ y.swapaxes(-1, -2), x_shape)


def _matmul_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    """Z = XY, so the cotangent of Y is Xᵀ G: (n, p) = (n, m)(m, p)."""
    if x.ndim == 1:
        if len(y_shape) == 1:
            return g * x
        return unbroadcast(x[:, None] * g[..., None, :], y_shape)
    if len(y_shape) == 1:
        return unbroadcast((x.swapaxes(-1, -2) @ g[..., None])[..., 0], y_shape)
    return unbroadcast(x.swapaxes(-1, -2) @ g, y_shape)


matmul = define(
    np.matmul,
    "x, y -> z",
    promotes=True,
    x=_matmul_x,
    y=_matmul_y,
)


def dot(a: Any, b: Any) -> Any:
    """`np.dot`: a product of numbers, vectors or matrices; over the last axis of `a` and the last but one of `b`.

    It is recorded as the multiplications that it consists of.
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        a, b = (x if hasattr(x, "dtype") else np.asarray(x) for x in (a, b))  # to `np.dot`, 2.0 is a float64
        return multiply(a, b)
    if np.ndim(b) <= 2:
        return matmul(a, b)
    (*rows, m), (*batch, n, p) = np.shape(a), np.shape(b)
    if m != n:
        raise ValueError(f"dot: shapes {np.shape(a)} and {np.shape(b)} not aligned: {m} != {n}")
    columns = np.reshape(np.transpose(b, (len(batch), *range(len(batch)), -1)), (n, math.prod(batch) * p))
    return np.reshape(matmul(a, columns), (*rows, *batch, p))


REGISTRY[np.dot] = dot


# einsum. The rule for an operand is an einsum of the cotangent with the other operands.


def _explicit(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """The subscripts of each operand and of the output, without ellipses and with the output spelled out."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    parts = inputs.split(",")
    spare = [c for c in string.ascii_letters if c not in subscripts]
    lengths = [n - len(p.replace("...", "")) for p, n in zip(parts, ndims)]
    longest = max((n for p, n in zip(parts, lengths) if "..." in p), default=0)
    dots = "".join(spare[:longest])
    full = [p.replace("...", dots[longest - n :]) if "..." in p else p for p, n in zip(parts, lengths)]
    if not arrow:
        letters = "".join(p.replace("...", "") for p in parts)
        output = "..." * ("..." in inputs) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    return full, output.replace("...", dots)


def _einsum_rule(g: Any, i: int, operands: list[Any], subscripts: str, optimize: Any) -> Any:
    terms, output = _explicit(subscripts, [np.ndim(x) for x in operands])
    mine, shape = terms[i], np.shape(operands[i])
    given, factors = [output], [g]
    for k, (term, x) in enumerate(zip(terms, operands)):
        if k != i:
            given.append(term)
            factors.append(x)
    # A label that occurs twice in this operand took its diagonal: the cotangent goes back onto it.
    spare = iter(c for c in string.ascii_letters if c not in subscripts + "".join(terms) + output)
    target = ""
    for axis, label in enumerate(mine):
        if label in target:
            twin = next(spare)
            given.append(label + twin)
            factors.append(np.eye(shape[axis], dtype=g.dtype))
            label = twin
        target += label
    # A label that nothing else has was summed over: the cotangent is the same along it. Where another operand
    # has it with length 1, or the other way round, NumPy broadcast: that is undone below.
    reached = "".join(given)
    kept = "".join(c for c in target if c in reached)
    result = einsum_of(factors, subscripts=",".join(given) + "->" + kept, optimize=bool(optimize))
    widths = [result.shape[kept.index(c)] if c in kept else 1 for c in target]
    lengths = tuple([w if n == 1 else n for n, w in zip(shape, widths)])
    return unbroadcast(np.broadcast_to(result.reshape(tuple(widths)), lengths), shape)


einsum_of = define(
    np.einsum,
    "*operands; subscripts, optimize=False -> y",
    forward=lambda operands, subscripts, optimize: np.einsum(subscripts, *operands, optimize=optimize),
    promotes=True,
    operands=_einsum_rule,
)


def _lettered(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The other way to call einsum, `einsum(x, [0, 1], y, [1, 2], [0, 2])`, as the ordinary one."""

    alphabet = string.ascii_uppercase + string.ascii_lowercase  # the order that NumPy gives the labels

    def letters(labels: Any) -> str:
        return "".join("..." if label is Ellipsis else alphabet[label] for label in labels)

    pairs, last = arguments, ""
    if len(arguments) % 2:
        *rest, output = arguments
        pairs, last = tuple(rest), "->" + letters(output)
    return ",".join(letters(labels) for labels in pairs[1::2]) + last, pairs[0::2]


def einsum(subscripts: Any, *operands: Any, optimize: Any = False) -> Any:
    """`np.einsum`, in both ways to call it."""
    if not isinstance(subscripts, str):
        subscripts, operands = _lettered((subscripts, *operands))
    return einsum_of(operands, subscripts=subscripts, optimize=optimize)


REGISTRY[np.einsum] = einsum
