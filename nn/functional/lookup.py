"""Rows of a table, by their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import define, written
from autograd.rules.index import freeze, scatter
from autograd.wrapping import array_like

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
        If an index is negative, or V or more.

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
    places = array_like(freeze(indices))
    if places.dtype.kind not in "iu":
        raise TypeError(f"embedding needs indices that are integers, got {places.dtype}: write indices.astype(int).")
    rows = weight.shape[0]
    if places.size and (places.min() < 0 or places.max() >= rows):
        first = places[(places < 0) | (places >= rows)].flat[0]
        raise IndexError(f"there is no row {first} in a table of {rows} rows, whose numbers are 0 to {rows - 1}.")
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise IndexError(f"padding_idx={padding_idx} is not the number of one of {rows} rows.")
    return _looked_up(weight, places, None if padding_idx is None else padding_idx % rows)


def _weight_rule(g: Any, weight_shape: tuple[int, ...], indices: Any, padding_idx: int | None) -> Any:
    if padding_idx is not None:
        g = np.where((indices == padding_idx)[..., None], 0, g)
    return scatter(g, weight_shape, indices)


_looked_up = define(
    embedding,
    "weight; indices, padding_idx -> rows",
    forward=lambda weight, indices, padding_idx: weight[indices],
    weight=_weight_rule,
)
