"""einsum. The rule for an operand is one einsum of the cotangent with the other operands.

The value is what NumPy computes, with its own `optimize`. A rule is free to choose: a sum of products of two large
arrays is a product of matrices, if its labels allow it, and more than two are contracted pair by pair.
"""

from __future__ import annotations

import functools
import math
import string
from typing import Any, NamedTuple

import numpy as np

from ..cotangent import unbroadcast
from ..node import data_of
from ..primitive import REGISTRY, define, written
from .arrange import broadcast_to, reshape, transpose
from .elementwise import convert
from .index import scatter

__all__ = ["einsum"]


@functools.lru_cache(1024)
def _explicit(subscripts: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
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


# The rule


class _Way(NamedTuple):
    """How the cotangent of one operand is computed.

    Attributes
    ----------
    subscripts : str
        Of the einsum of the cotangent and the other operands.
    labels : tuple of str
        The labels of the operand, each once.
    firsts : list of int
        The first axis of each.
    counts : list of int
        How many axes each has.
    kept : list of (int or None)
        Which axis of that einsum each is; None for a label that nothing else has.
    order : list of int
        The axes of the operand, from an arrangement in which those of one label are neighbours.
    """

    subscripts: str
    labels: tuple[str, ...]
    firsts: list[int]
    counts: list[int]
    kept: list[int | None]
    order: list[int]


@functools.lru_cache(1024)
def _way(subscripts: str, ndims: tuple[int, ...], i: int) -> _Way:
    terms, output = _explicit(subscripts, ndims)
    mine, given = terms[i], [output, *terms[:i], *terms[i + 1 :]]
    labels = tuple(dict.fromkeys(mine))
    kept = "".join(c for c in labels if c in "".join(given))
    grouped = [k for c in labels for k, other in enumerate(mine) if other == c]
    return _Way(
        ",".join(given) + "->" + kept,
        labels,
        [mine.index(c) for c in labels],
        [mine.count(c) for c in labels],
        [kept.index(c) if c in kept else None for c in labels],
        sorted(range(len(mine)), key=grouped.__getitem__),
    )


@written("turned(subscripts, i)")
def _turned(subscripts: str, operands_shapes: list[tuple[int, ...]], i: int) -> str:
    """The subscripts of the rule for operand `i`, as formulas have them: with all of its labels."""
    terms, output = _explicit(subscripts, tuple(map(len, operands_shapes)))
    return ",".join([output, *terms[:i], *terms[i + 1 :]]) + "->" + terms[i]


@written("einsum(g, others[:i], others[i + 1 :], subscripts=_turned(subscripts, operands_shapes, i))")
def _rule(
    g: Any, i: int, others: list[Any], operands_shapes: list[tuple[int, ...]], subscripts: str, optimize: Any
) -> Any:
    way = _way(subscripts, tuple(map(len, operands_shapes)), i)
    factors = [g, *others[:i], *others[i + 1 :]]
    c = _einsum(factors, subscripts=way.subscripts, optimize=bool(optimize), quick=True)
    # A label that nothing else has was summed over: the cotangent is the same along it. Where another operand
    # has it with length 1, or the other way round, NumPy broadcast: that is undone here.
    shape = operands_shapes[i]
    lengths = tuple([shape[k] for k in way.firsts])
    if c.shape != lengths:
        widths = [1 if k is None else c.shape[k] for k in way.kept]
        reached = tuple([w if n == 1 else n for n, w in zip(lengths, widths)])
        c = unbroadcast(broadcast_to(reshape(c, tuple(widths)), reached), lengths)
    if len(lengths) == len(shape):
        return c
    # A label that occurs more than once in this operand took its diagonal: the cotangent goes back onto it, which in
    # the flattened axes of the label is each element at a multiple of 1 + n + n² + …
    steps = [sum([n**k for k in range(count)]) for n, count in zip(lengths, way.counts)]
    key = tuple([slice(None, None, step) for step in steps])
    c = scatter(c, tuple([n**count for n, count in zip(lengths, way.counts)]), key)
    c = reshape(c, tuple([n for n, count in zip(lengths, way.counts) for _ in range(count)]))
    return transpose(c, way.order)


# How it is computed


class _Matrices(NamedTuple):
    """A sum of products of two arrays as a product of (stacks of) matrices: how to arrange them, and the result."""

    left: list[int]
    right: list[int]
    result: list[int]
    batch: int
    rows: int
    summed: int


@functools.lru_cache(1024)
def _matrices(subscripts: str) -> _Matrices | None:
    """For explicit subscripts of two operands; None where it is no such product, or a poor one."""
    inputs, _, output = subscripts.partition("->")
    a, b = inputs.split(",")
    batch = [c for c in a if c in b and c in output]
    summed = [c for c in a if c in b and c not in output]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    repeated = len({*a}) < len(a) or len({*b}) < len(b)
    if repeated or not summed or not (rows and columns) or not {*rows, *columns} <= {*output}:
        return None
    whole = [*batch, *rows, *columns]
    return _Matrices(
        [a.index(c) for c in [*batch, *rows, *summed]],
        [b.index(c) for c in [*batch, *summed, *columns]],
        [whole.index(c) for c in output],
        len(batch),
        len(rows),
        len(summed),
    )


def _multiplied(a: Any, b: Any, how: _Matrices) -> Any:
    """The product that `how` describes; None where lengths differ (NumPy broadcasts 1), or it is too small to pay."""
    a, b = a.transpose(how.left), b.transpose(how.right)
    batch, rows, summed = a.shape[: how.batch], a.shape[how.batch : -how.summed], a.shape[-how.summed :]
    columns = b.shape[how.batch + how.summed :]
    m, k, n = math.prod(rows), math.prod(summed), math.prod(columns)
    if m * k * n < 512 or b.shape[: -len(columns)] != batch + summed:
        return None
    y = a.reshape((*batch, m, k)) @ b.reshape((*batch, k, n))
    return y.reshape(batch + rows + columns).transpose(how.result)


def _quickly(operands: list[Any], subscripts: str, optimize: bool) -> Any:
    """einsum with explicit subscripts, the way that takes the least time."""
    if len(operands) == 2:
        how = _matrices(subscripts)
        y = None if how is None else _multiplied(operands[0], operands[1], how)
        return np.einsum(subscripts, *operands) if y is None else y
    if len(operands) > 2 and not optimize:
        terms = subscripts.partition("->")[0].split(",")
        lengths = {c: n for term, x in zip(terms, operands) for c, n in zip(term, np.shape(x)) if n != 1}
        optimize = math.prod(lengths.values()) > 100_000
    return np.einsum(subscripts, *operands, optimize=optimize)


def _forward(operands: list[Any], subscripts: str, optimize: Any, order: str, quick: bool) -> Any:
    if quick:
        return _quickly(operands, subscripts, optimize)
    return np.einsum(subscripts, *operands, optimize=optimize, order=order)  # type: ignore[call-overload]


_einsum: Any = define(
    np.einsum,
    "*operands; subscripts, optimize=False, order='K', quick=False -> y",
    forward=_forward,
    promotes=True,
    operands=_rule,
)


# How it is called


def _lettered(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The other way to call einsum, `einsum(x, [0, 1], y, [1, 2], [0, 2])`, as the ordinary one."""

    alphabet = string.ascii_uppercase + string.ascii_lowercase  # the order that NumPy gives the labels

    def letters(labels: Any) -> str:
        if any(label is not Ellipsis and not 0 <= label < len(alphabet) for label in labels):
            raise ValueError(f"einsum: labels are numbers from 0 to {len(alphabet) - 1}, or ..., got {labels}.")
        return "".join("..." if label is Ellipsis else alphabet[label] for label in labels)

    pairs, last = arguments, ""
    if len(arguments) % 2:
        *rest, output = arguments
        pairs, last = tuple(rest), "->" + letters(output)
    return ",".join(letters(labels) for labels in pairs[1::2]) + last, pairs[0::2]


def einsum(
    subscripts: Any,
    *operands: Any,
    optimize: Any = False,
    dtype: Any = None,
    order: str = "K",
    casting: Any = "same_kind",
) -> Any:
    """`np.einsum`, in both ways to call it. With `dtype`, the operands are converted before anything is computed."""
    if not isinstance(subscripts, str):
        subscripts, operands = _lettered((subscripts, *operands))
    if dtype is not None:
        dtype = np.dtype(dtype)
        for x in operands:
            given = np.result_type(data_of(x))
            if not np.can_cast(given, dtype, casting):
                raise TypeError(f"einsum: an operand of {given} is not converted to {dtype} with casting={casting!r}.")
        operands = tuple([convert(x, dtype) for x in operands])
    return _einsum(operands, subscripts=subscripts, optimize=optimize, order=order)


REGISTRY[np.einsum] = einsum
