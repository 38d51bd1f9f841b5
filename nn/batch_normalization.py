"""Normalisation of each channel, with running statistics: batch and instance normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.node import data_of

from . import functional
from ._checks import positive
from .module import Buffer
from .normalization import Norm
from .share import current_share, joined_mean

__all__ = ["BatchNorm1d", "BatchNorm2d", "InstanceNorm1d", "InstanceNorm2d"]


class _ChannelNorm(Norm):
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
        share = current_share() if 0 in axes else None
        n = n if share is None else share.whole(n)
        if n < 2:
            raise ValueError(
                f"{self!r} needs more than one value of each channel {self._together} for a variance, and was given "
                f"an input of shape {x.shape}" + (": in evaluation mode it needs none." if self.training else ".")
            )
        standardize = functional.standardize if share is None else _standardize_together
        y, mean, var = standardize(x, weight, bias, axes, self.eps)
        if self.training and x.size:
            self._follow(data_of(mean), data_of(var) * (n / (n - 1)))
        return y

    def _follow(self, mean: Any, var: Any) -> None:
        """Take the mean and the (unbiased) variance of a batch into the running ones."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.data += 1
        share = 1 / self.num_batches_tracked.data if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, var)):
            new = new.reshape(-1, self.num_features).mean(0)  # of one batch, or of each example
            new = new if self._batch else joined_mean(new)
            running.data = ((1 - share) * running.data + share * new).astype(running.dtype)

    def extra_repr(self) -> str:
        return self._shown(
            str(self.num_features),
            eps=(self.eps, 1e-5),
            momentum=(self.momentum, 0.1),
            affine=(self.weight is not None, self._affine),
            track_running_stats=(self.running_mean is not None, self._affine),
        )


def _standardize_together(x: Any, weight: Any, bias: Any, axes: tuple[int, ...], eps: float) -> Any:
    """What `functional.standardize` computes, with the mean and variance of all shares of the batch."""
    given = x.dtype
    if given == np.float16:
        x, weight, bias = [None if v is None else v.astype(np.float32) for v in (x, weight, bias)]
    centre = joined_mean(data_of(x).mean(axes, keepdims=True))  # a constant: y is the same whatever it is
    distance = x - centre
    moments = joined_mean(np.stack([m.mean(axes, keepdims=True) for m in (distance, distance * distance)]))
    rest, var = moments[0], np.maximum(moments[1] - moments[0] * moments[0], 0)
    y = (distance - rest) * (1 / np.sqrt(var + eps))
    y = y if weight is None else y * weight
    y = y if bias is None else y + bias
    return y.astype(given) if given != y.dtype else y, centre + rest, var


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

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, dtype
        As those of `BatchNorm1d`.

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
    attributes and errors are those of `BatchNorm1d`. The running statistics are averages of the examples' ones, and
    `num_batches_tracked` counts (in PyTorch it stays 0).

    Parameters
    ----------
    num_features, eps, momentum, dtype
        As those of `BatchNorm1d`.
    affine, track_running_stats : bool
        Also those, but False by default: with neither, any floating dtype is taken.

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

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats, dtype
        As those of `InstanceNorm1d`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.InstanceNorm2d(3)(np.zeros((2, 3, 4, 4), np.float32)).shape
    (2, 3, 4, 4)
    """

    _forms = ("(N, C, H, W)",)
