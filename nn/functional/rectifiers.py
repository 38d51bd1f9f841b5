"""Rectifiers with a negative side: x where x > 0, and something smaller, but not 0, elsewhere.

Where they have no derivative, at 0, the choice is PyTorch's:

==========================  ================================================================================
`leaky_relu`, `prelu`       the slope of the negative side; with respect to the weight 0
`elu`, `selu`, `celu`       the slope of the negative side (α, λα, 1); the second derivative is the mean of both
                            sides
==========================  ================================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import written
from autograd.rules.elementwise import of_reals

from .activations import scaled
from .kernels import EXPONENTIAL_LINEAR, RECTIFY

__all__ = ["celu", "elu", "leaky_relu", "prelu", "selu"]


def _step(x: Any) -> Any:
    """1 where x > 0, else 0, in the dtype of `x`: to choose between two slopes, much faster than `np.where`."""
    return (x > 0).astype(x.dtype)


# Rectifiers with a slope for x < 0


@written("x if x > 0 else slope * x")
def rectify(x: Any, slope: Any) -> Any:
    """x where x > 0, else slope · x."""
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def _rectify_x(g: Any, x: Any, slope: Any) -> Any:
    step = _step(x)
    return g * (step + slope * (1 - step))


rectify = of_reals(
    rectify, "x, slope -> y", kernels=RECTIFY, x=_rectify_x, slope=lambda g, x: g * np.where(x > 0, 0, x)
)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """x where x > 0, else negative_slope · x (Maas, Hannun & Ng, 2013). Its derivative at 0 is that slope.

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    negative_slope : float

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.leaky_relu(np.array([-2.0, 0.0, 2.0]), 0.25)
    array([-0.5,  0. ,  2. ])
    """
    return rectify(x, float(negative_slope))


def prelu(x: Any, weight: Any) -> Any:
    """x where x > 0, else w · x, with a learnt w for all or for each channel (He et al., arXiv:1502.01852, 2015).

    Parameters
    ----------
    x : Tensor or array
        Real. The channels are its axis 1, as in (batch, channels, …).
    weight : Tensor or array, shape (1,), (channels,) or ()

    Returns
    -------
    Tensor or array
        The shape of `x`.

    Raises
    ------
    ValueError
        If `weight` has more axes, or another number of elements than 1 or the number of channels.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.prelu(np.array([[-2.0, -2.0], [1.0, 4.0]]), np.array([0.25, 0.5]))
    array([[-0.5, -1. ],
           [ 1. ,  4. ]])
    """
    given, shape = np.shape(weight), np.shape(x)
    if given in ((), (1,)):
        return rectify(x, weight if shape or not given else np.reshape(weight, ()))
    channels = shape[1] if len(shape) > 1 else 1
    if given != (channels,):
        raise ValueError(
            f"prelu takes one weight, or one for each channel, which are axis 1 of its input: the input of shape "
            f"{shape} has {channels}, the weight has shape {given}."
        )
    return rectify(x, weight if len(shape) == 2 else np.reshape(weight, (channels, *[1] * (len(shape) - 2))))


# The family of the ELU


def exponential_linear(x: Any, scale: float, height: float, rate: float) -> Any:
    """scale · x where x > 0, else height · (e^(rate·x) − 1)."""
    return scale * np.maximum(x, 0) + height * np.expm1(scaled(np.minimum(x, 0), rate))


def _exponential_linear_x(g: Any, x: Any, scale: float, height: float, rate: float) -> Any:
    step = _step(x)
    return g * (scale * step + height * rate * np.exp(scaled(np.minimum(x, 0), rate)) * (1 - step))


exponential_linear = of_reals(
    exponential_linear, "x; scale, height, rate -> y", kernels=EXPONENTIAL_LINEAR, x=_exponential_linear_x
)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else α (eˣ − 1): saturates at −α (Clevert, Unterthiner & Hochreiter, arXiv:1511.07289, 2015).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    alpha : float

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.elu(np.array([-1e4, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """
    return exponential_linear(x, 1.0, float(alpha), 1.0)


def selu(x: Any) -> Any:
    """λ elu(x, α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515, 2017).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.selu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-1.1113,  0.    ,  1.0507])
    """
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return exponential_linear(x, scale, scale * alpha, 1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else α (e^(x/α) − 1): an ELU whose derivative is continuous (Barron, arXiv:1704.07483, 2017).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    alpha : float
        Positive.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `alpha` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.celu(np.array([-1e4, 0.0, 2.0]), alpha=0.5)
    array([-0.5,  0. ,  2. ])
    """
    if not alpha > 0:
        raise ValueError(f"celu needs a positive alpha, got {alpha!r}.")
    return exponential_linear(x, 1.0, float(alpha), 1 / float(alpha))
