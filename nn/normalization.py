"""Normalisation layers: `BatchNorm`, `LayerNorm` and their relatives. The mathematics is `nn.functional.standardize`.

Parameters and buffers have PyTorch's names and meanings, so that its weights can be loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.node import data_of
from autograd.wrapping import array_like

from . import functional
from ._checks import fitting, floating, positive
from .module import Buffer, Module, Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "LayerNorm", "RMSNorm"]


class _Norm(Module):
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
        return array_like(x) if state is None else fitting(self, x, state.dtype)


class _ChannelNorm(_Norm):
    """Each channel of (N, C, …) is standardised, over the batch or in each example, and has running statistics."""

    #: What an input may look like.
    _forms: tuple[str, ...]
    #: The axes that are normalised over, beside those from 2 on; in words.
    _batch: tuple[int, ...]
    _together: str
    #: The default of `affine` and `track_running_stats`.
    _affine: bool

    running_var: Buffer | None
    num_batches_tracked: Buffer | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: Any,
    ):
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum is the share of the newest batch, from 0 to 1, or None; got {momentum!r}.")
        self.num_features = positive("num_features", num_features)
        self.momentum = momentum
        self._make(self.num_features, affine, affine, eps, dtype)
        self.running_mean = self.running_var = self.num_batches_tracked = None
        if track_running_stats:
            self.running_mean = Buffer(np.zeros(self.num_features), dtype=dtype)
            self.running_var = Buffer(np.ones(self.num_features), dtype=dtype)
            self.num_batches_tracked = Buffer(0, dtype=np.int64)

    def forward(self, x: Any) -> Any:
        x = self._fitting(x)
        if x.ndim not in [form.count(",") + 1 for form in self._forms] or x.shape[1] != self.num_features:
            forms = " or ".join(self._forms).replace("C", str(self.num_features))
            raise ValueError(f"{self!r} takes an input of shape {forms}, and was given shape {x.shape}.")
        channels = (self.num_features,) + (1,) * (x.ndim - 2)
        weight, bias = [None if p is None else p.reshape(channels) for p in (self.weight, self.bias)]
        if not self.training and self.running_mean is not None and self.running_var is not None:
            mean, var = self.running_mean.data.reshape(channels), self.running_var.data.reshape(channels)
            scale = 1 / np.sqrt(var + self.eps)
            y = (x - mean) * (scale if weight is None else weight * scale)
            return y if bias is None else y + bias
        axes = (*self._batch, *range(2, x.ndim))
        n = math.prod([x.shape[k] for k in axes])
        if n < 2:
            raise ValueError(
                f"{self!r} needs more than one value of each channel {self._together} for a variance, and was given "
                f"an input of shape {x.shape}" + (": in evaluation mode it needs none." if self.training else ".")
            )
        y, mean, var = functional.standardize(x, weight, bias, axes, self.eps)
        if self.training and x.size:
            self._follow(data_of(mean), data_of(var) * (n / (n - 1)))
        return y

    def _follow(self, mean: Any, var: Any) -> None:
        """Take the mean and the (unbiased) variance of a batch into the running ones."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.data += 1
        share = 1 / int(self.num_batches_tracked.data) if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, var)):
            new = new.reshape(-1, self.num_features).mean(0)  # of one batch, or of each example
            running.data = ((1 - share) * running.data + share * new).astype(running.dtype)

    def extra_repr(self) -> str:
        options = {
            "eps": (self.eps, 1e-5),
            "momentum": (self.momentum, 0.1),
            "affine": (self.weight is not None, self._affine),
            "track_running_stats": (self.running_mean is not None, self._affine),
        }
        given = [f", {name}={value}" for name, (value, default) in options.items() if value != default]
        return f"{self.num_features}" + "".join(given)


class _BatchNorm(_ChannelNorm):
    _batch = (0,)
    _together = "in a batch"
    _affine = True

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float32,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L): each channel with the mean and variance it has in the batch.

    y = γ (x − μ) / √(σ² + ε) + β (Ioffe & Szegedy, "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", 2015). In training, μ and σ² are those of the batch, and the running ones follow them,
    the variance divided by n − 1. In evaluation the running ones are used: an example's output depends on no other.

    Parameters
    ----------
    num_features : int
        The number of channels C.
    eps : float
        ε.
    momentum : float or None
        The share of the newest batch in the running statistics: running ← (1 − momentum) running + momentum new. None
        makes them the plain averages over all batches.
    affine : bool
        Whether there are γ and β.
    track_running_stats : bool
        Whether there are running statistics. Without them, those of the batch are used in evaluation too.
    dtype : dtype
        Of the parameters and buffers, and so of the inputs.

    Attributes
    ----------
    weight, bias : Parameter, shape (C,), or None
        γ, which starts at one, and β, which starts at zero.
    running_mean, running_var : Buffer, shape (C,), or None
    num_batches_tracked : Buffer, an integer, or None

    Raises
    ------
    TypeError
        When called with numbers of another dtype.
    ValueError
        When called with an input of another shape, or in training with only one value for each channel.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> norm = nn.BatchNorm1d(2)
    >>> norm(np.float32([[1, 10], [3, 10]])).round(2)
    Tensor([[-1.,  0.],
            [ 1.,  0.]], shape=(2, 2), dtype=float32)
    >>> norm.running_mean.data, norm.running_var.data
    (array([0.2, 1. ], dtype=float32), array([1.1, 0.9], dtype=float32))
    """

    _forms = ("(N, C)", "(N, C, L)")


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W): `BatchNorm1d` with another shape of inputs.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.BatchNorm2d(3)(np.zeros((2, 3, 4, 4), np.float32)).shape
    (2, 3, 4, 4)
    """

    _forms = ("(N, C, H, W)",)


class _InstanceNorm(_ChannelNorm):
    _batch = ()
    _together = "in each example"
    _affine = False

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = np.float32,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L): each channel with the mean and variance it has in one example.

    Ulyanov, Vedaldi & Lempitsky, "Instance normalization: the missing ingredient for fast stylization", 2016. The
    parameters, attributes and errors are those of `BatchNorm1d`; by default there are neither γ, β nor running
    statistics, and then any floating dtype is taken. The running statistics are averages of the examples' ones, and
    `num_batches_tracked` counts (in PyTorch it stays 0).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.InstanceNorm1d(1)(np.array([[[1.0, 3.0]], [[10.0, 30.0]]])).round(3)
    array([[[-1.,  1.]],
    <BLANKLINE>
           [[-1.,  1.]]])
    """

    _forms = ("(N, C, L)",)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images (N, C, H, W): `InstanceNorm1d` with another shape of inputs.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.InstanceNorm2d(3)(np.zeros((2, 3, 4, 4), np.float32)).shape
    (2, 3, 4, 4)
    """

    _forms = ("(N, C, H, W)",)


class LayerNorm(_Norm):
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
        return ", ".join(map(str, self.normalized_shape))


class RMSNorm(_Norm):
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
        return ", ".join(map(str, self.normalized_shape))


class GroupNorm(_Norm):
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
        return f"{self.num_groups} groups of {self.num_channels // self.num_groups} channels"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    lengths = [normalized_shape] if isinstance(normalized_shape, int | np.integer) else list(normalized_shape)
    if not lengths:
        raise ValueError("normalized_shape is the lengths of the last axes, at least one; got none.")
    return tuple([positive("a length in normalized_shape", n) for n in lengths])
