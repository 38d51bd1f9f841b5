"""Normalisation of each example: `LayerNorm` and its relatives. The mathematics is `nn.functional.standardize`.

Those with running statistics are in `batch_normalization.py`. Parameters and buffers have PyTorch's names and meanings,
so that its weights can be loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.wrapping import array_like

from . import functional
from ._checks import fitting, floating, positive
from .module import Buffer, Module, Parameter

__all__ = ["GroupNorm", "LayerNorm", "RMSNorm"]


class Norm(Module):
    """What has a weight that starts at one and a bias that starts at zero, of the dtype of its inputs, or neither."""

    weight: Parameter | None
    bias: Parameter | None
    eps: Any
    running_mean: Buffer | None = None

    def _make(self, shape: Any, weight: bool, bias: bool, eps: float | None, dtype: Any) -> None:
        if eps is not None and not eps >= 0:
            raise ValueError(f"eps is added to a variance and not negative, got {eps!r}.")
        self.eps = eps
        dtype = floating(dtype)
        self.weight = Parameter(np.ones(shape), dtype=dtype) if weight else None
        self.bias = Parameter(np.zeros(shape), dtype=dtype) if bias else None

    def _fitting(self, x: Any) -> Any:
        """`x` as an array or Tensor of the dtype of this layer, if it has one: without any state it has none."""
        state = self.running_mean if self.weight is None else self.weight
        return array_like(x) if state is None else fitting(self, x, state)

    def _shown(self, what: str, **options: tuple[Any, Any]) -> str:
        """`what`, and the options whose first value is not the second one, their default: for the repr."""
        return ", ".join([what] + [f"{name}={value}" for name, (value, default) in options.items() if value != default])


class LayerNorm(Norm):
    """Layer normalisation: each example standardised over its last axes, then γ x̂ + β.

    Ba, Kiros & Hinton, "Layer normalization", 2016. Nothing differs between training and evaluation.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the last axes.
    eps : float
        Added to the variance.
    elementwise_affine : bool
        Whether there are γ and β. Without, any floating dtype is taken.
    bias : bool
        Whether there is a β beside γ.
    dtype : dtype
        Of the parameters, and so of the inputs.

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape, or None

    Raises
    ------
    TypeError
        When called with numbers of another dtype.
    ValueError
        When called with an input that does not end in `normalized_shape`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> norm = nn.LayerNorm(3, elementwise_affine=False)
    >>> norm(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])).round(3)
    array([[-1.225,  0.   ,  1.225],
           [-1.225,  0.   ,  1.225]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = np.float32,
    ):
        self.normalized_shape = _shape(normalized_shape)
        self._make(self.normalized_shape, elementwise_affine, elementwise_affine and bias, eps, dtype)

    def forward(self, x: Any) -> Any:
        return functional.layer_norm(self._fitting(x), self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return self._shown(
            ", ".join(map(str, self.normalized_shape)),
            eps=(self.eps, 1e-5),
            elementwise_affine=(self.weight is not None, True),
            bias=(self.bias is not None, self.weight is not None),
        )


class RMSNorm(Norm):
    """Each example divided by its root mean square over its last axes, times γ.

    Zhang & Sennrich, "Root mean square layer normalization", 2019: `LayerNorm` without the mean and without β.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the last axes.
    eps : float, optional
        Added to the mean square; by default the machine epsilon of the input's dtype.
    elementwise_affine : bool
        Whether there is a γ. Without, any floating dtype is taken.
    dtype : dtype
        Of the parameter, and so of the inputs.

    Attributes
    ----------
    weight : Parameter, shape normalized_shape, or None

    Raises
    ------
    TypeError, ValueError
        As `LayerNorm`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.RMSNorm(2, elementwise_affine=False)(np.array([3.0, 4.0])).round(4)
    array([0.8485, 1.1314])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = np.float32,
    ):
        self.normalized_shape = _shape(normalized_shape)
        self._make(self.normalized_shape, elementwise_affine, False, eps, dtype)

    def forward(self, x: Any) -> Any:
        return functional.rms_norm(self._fitting(x), self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return self._shown(
            ", ".join(map(str, self.normalized_shape)),
            eps=(self.eps, None),
            elementwise_affine=(self.weight is not None, True),
        )


class GroupNorm(Norm):
    """Group normalisation of (N, C, …): each group of channels standardised in each example, then γ x̂ + β by channel.

    Wu & He, "Group normalization", 2018. With one group it is layer normalisation over (C, …); with a group for each
    channel, instance normalisation.

    Parameters
    ----------
    num_groups : int
        A divisor of `num_channels`.
    num_channels : int
        C.
    eps : float
        Added to the variance.
    affine : bool
        Whether there are γ and β. Without, any floating dtype is taken.
    dtype : dtype
        Of the parameters, and so of the inputs.

    Attributes
    ----------
    weight, bias : Parameter, shape (C,), or None

    Raises
    ------
    TypeError
        When called with numbers of another dtype.
    ValueError
        If the groups are not of equal size; when called, if the input has not C channels.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.GroupNorm(2, 4, affine=False)(np.array([[1.0, 3.0, 10.0, 30.0]])).round(3)
    array([[-1.,  1., -1.,  1.]])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, dtype: Any = np.float32
    ):
        self.num_groups, self.num_channels = positive("num_groups", num_groups), positive("num_channels", num_channels)
        if self.num_channels % self.num_groups:
            raise ValueError(f"{num_channels} channels do not make {num_groups} groups of equal size.")
        self._make(self.num_channels, affine, affine, eps, dtype)

    def forward(self, x: Any) -> Any:
        x = self._fitting(x)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(
                f"{self!r} takes an input of shape (N, {self.num_channels}, …), and was given shape {x.shape}."
            )
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return self._shown(
            f"{self.num_groups} groups of {self.num_channels // self.num_groups} channels",
            eps=(self.eps, 1e-5),
            affine=(self.weight is not None, True),
        )


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    lengths = [normalized_shape] if isinstance(normalized_shape, int | np.integer) else list(normalized_shape)
    if not lengths:
        raise ValueError("normalized_shape is the lengths of the last axes, at least one; got none.")
    return tuple([positive("a length in normalized_shape", n) for n in lengths])
