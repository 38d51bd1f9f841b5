"""Rows of a table, by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.node import data_of
from autograd.primitive import define, written
from autograd.rules.index import scatter
from autograd.wrapping import array_like

from .._checks import placed, together

__all__ = ["embedding"]


@written("weight[indices]")
def embedding(indices: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of `weight` with these numbers.

    The same as one-hot rows times `weight`, without the zeros: the gradient of a row is the sum over the places
    where it was looked up, and 0 for a row that was not.

    Parameters
    ----------
    indices : Tensor or array_like of int, any shape
        From 0 to V − 1; constant.
    weight : Tensor or array, shape (V, D)
    padding_idx : int, optional
        The number of a row that gets no gradient.

    Returns
    -------
    Tensor or array, shape (*indices.shape, D)

    Raises
    ------
    TypeError
        If the indices are not integers.
    ValueError
        If `weight` has not two axes.
    IndexError
        If an index is negative, or V or more. On a device, whose values are not waited for, the row of such an index is
        NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from nn.functional import embedding
    >>> table = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    >>> rows = embedding([2, 0, 2], table)
    >>> rows.numpy()
    array([[5., 6.],
           [1., 2.],
           [5., 6.]])
    >>> rows.sum().backward()
    >>> table.grad
    array([[1., 1.],
           [0., 0.],
           [2., 2.]])
    """
    weight = array_like(weight)
    if weight.ndim != 2:
        raise ValueError(f"embedding looks up rows of a table of shape (V, D), got a weight of shape {weight.shape}.")
    places = data_of(placed(indices, weight)).copy()  # so that changing them later is harmless
    together("embedding", "the indices", places, "the weight", weight)
    if places.dtype.kind not in "iu":
        raise TypeError(f"embedding needs indices that are integers, got {places.dtype}: write indices.astype(int).")
    rows = weight.shape[0]
    if places.size and not waits(places) and (places.min() < 0 or places.max() >= rows):
        first = places[(places < 0) | (places >= rows)].flat[0]
        raise IndexError(f"there is no row {first} in a table of {rows} rows, whose numbers are 0 to {rows - 1}.")
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise IndexError(f"padding_idx={padding_idx} is not the number of one of {rows} rows.")
    return _looked_up(weight, places, None if padding_idx is None else padding_idx % rows)


def _rows(weight: Any, indices: Any, padding_idx: int | None) -> Any:
    if not waits(indices):
        return weight[indices]
    there = (indices >= 0) & (indices < weight.shape[0])
    return np.where(there[..., None], weight[np.where(there, indices, 0)], np.nan)


def _weight_rule(g: Any, weight_shape: tuple[int, ...], indices: Any, padding_idx: int | None) -> Any:
    if padding_idx is not None:
        g = np.where((indices == padding_idx)[..., None], 0, g)
    return scatter(g, weight_shape, indices)


_looked_up = define(
    embedding,
    "weight; indices, padding_idx -> rows",
    forward=_rows,
    weight=_weight_rule,
)
