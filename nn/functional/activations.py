"""Activation functions, elementwise. Rectifiers with a negative side are in `rectifiers.py`, products
with a gate in `gated.py`.

Where a function has no derivative at a point, the choice is PyTorch's:

================================  ==========================================================================
`relu` at 0                       0, also of NaN (the value is NaN there)
`relu6`, `hardtanh` at a bound    0
`hardsigmoid` at ±3               0
`softplus` at its threshold       that of the curve, σ(βx)
================================  ==========================================================================

All are of real numbers, and refuse complex ones. Nothing overflows, and no digit is lost to a difference of large
numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import written
from autograd.rules import stable
from autograd.rules.elementwise import of_reals, tanh
from autograd.rules.stable import sigmoid

from .kernels import BOUNDED, HARDSIGMOID, LOGSIGMOID, RELU, SMOOTH_RELU, SOFTSIGN

__all__ = [
    "hardsigmoid",
    "hardtanh",
    "logsigmoid",
    "relu",
    "relu6",
    "sigmoid",
    "softplus",
    "softsign",
    "tanh",
]


@written("maximum(0, x)")
def relu(x: Any) -> Any:
    """max(0, x), elementwise. Its derivative is the indicator of x > 0 (so 0 at 0).

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
    >>> from autograd import Tensor
    >>> import nn
    >>> x = Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> nn.relu(x).sum().backward()
    >>> x.grad
    array([0., 0., 1.])
    """


# A product with a converted mask: np.where, np.sign and products with booleans take longer.
relu = of_reals(
    relu, "x -> y", forward=lambda x: np.maximum(x, 0), kernels=RELU, x=lambda g, y: g * (y > 0).astype(g.dtype)
)


# Smooth ones


def scaled(x: Any, factor: float) -> Any:
    """factor · x, where an infinite product is as good as a finite one."""
    with np.errstate(over="ignore"):
        return factor * x


def _softplus_x(g: Any, x: Any, beta: float, threshold: float) -> Any:
    z = scaled(x, beta)
    return g * np.where(z > threshold, 1, sigmoid(z))


def smooth_relu(x: Any, beta: float, threshold: float) -> Any:
    """`softplus`."""
    z = scaled(x, beta)
    return np.where(z > threshold, x, stable.softplus(z) / beta)


smooth_relu = of_reals(smooth_relu, "x; beta, threshold -> y", kernels=SMOOTH_RELU, x=_softplus_x)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(βx)) / β: the smooth ReLU (Dugas et al., 2001). Its derivative is σ(βx).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    beta : float
        Not 0. The larger, the closer to the ReLU.
    threshold : float
        As in PyTorch, the result is x itself where βx is greater: 2e-9 too little at 20. Nothing overflows without
        it either: give `np.inf`, or use `autograd.softplus`, for the function itself.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `beta` is 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.softplus(np.array([-1e4, 0.0, 1e4])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+04])
    """
    if beta == 0:
        raise ValueError("softplus needs a beta that is not 0.")
    return smooth_relu(x, float(beta), float(threshold))


@written("log(sigmoid(x))")
def logsigmoid(x: Any) -> Any:
    """log σ(x) = −log(1 + e⁻ˣ), exact where σ(x) rounds to 0 or 1. Its derivative is σ(−x).

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
    >>> nn.logsigmoid(np.array([-1e4, 0.0, 1e4])).round(4)
    array([-1.000e+04, -6.931e-01, -0.000e+00])
    """


logsigmoid = of_reals(
    logsigmoid,
    "x -> y",
    forward=lambda x: -stable.softplus(x * -1.0),  # unsigned integers have no -x
    kernels=LOGSIGMOID,
    x=lambda g, x: g * sigmoid(-x),
)


@written("x / (1 + absolute(x))")
def softsign(x: Any) -> Any:
    """x / (1 + |x|), in (−1, 1): saturates more slowly than tanh (Glorot & Bengio, 2010).

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
    >>> nn.softsign(np.array([-3.0, 0.0, 1.0]))
    array([-0.75,  0.  ,  0.5 ])
    """


def _softsign_x(g: Any, x: Any) -> Any:
    slope = 1 / (1 + np.absolute(x))
    return g * slope * slope  # (1 + |x|)² could overflow


softsign = of_reals(softsign, "x -> y", forward=lambda x: x / (1.0 + np.absolute(x)), kernels=SOFTSIGN, x=_softsign_x)


# Piecewise linear ones


@written("clip(x, low, high)")
def bounded(x: Any, low: float, high: float) -> Any:
    """x, but not less than `low` nor more than `high`; the derivative is 1 strictly between them."""
    return np.clip(x, low, high)


bounded = of_reals(
    bounded, "x; low, high -> y", kernels=BOUNDED, x=lambda g, x, low, high: g * ((x > low) & (x < high))
)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x between `min_val` and `max_val`, else the bound. Its derivative at the bounds is 0.

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    min_val, max_val : float

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `min_val` is not less than `max_val`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.hardtanh(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """
    if not min_val < max_val:
        raise ValueError(f"hardtanh needs min_val < max_val, got {min_val!r} and {max_val!r}.")
    return bounded(x, float(min_val), float(max_val))


def relu6(x: Any) -> Any:
    """min(max(0, x), 6). Its derivative at 0 and 6 is 0.

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
    >>> nn.relu6(np.array([-3.0, 0.5, 8.0]))
    array([0. , 0.5, 6. ])
    """
    return bounded(x, 0.0, 6.0)


def hardsigmoid(x: Any) -> Any:
    """x/6 + 1/2 between −3 and 3, 0 below and 1 above. Its derivative at ±3 is 0.

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
    >>> nn.hardsigmoid(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """


hardsigmoid = of_reals(
    hardsigmoid,
    "x -> y",
    forward=lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6,
    kernels=HARDSIGMOID,
    x=lambda g, x: g * ((x > -3) & (x < 3)) / 6,
)
