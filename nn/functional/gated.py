"""Activation functions that multiply their input by a gate: x · σ(x), x · Φ(x), a · σ(b).

A gate that is 0 closes for an infinite input too: the limit for x → −∞ is 0, where the product alone would be NaN. So
the factor x is held back where the gate is exactly 0 (or 1, in the derivatives) in float64; no result differs by that.

`hardswish` has no derivative at −3 and 3: it is 0 and 1 there, as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import define, written
from autograd.rules.elementwise import of_reals
from autograd.rules.stable import sigmoid, softplus

from .kernels import GAUSSIAN_GATE, GAUSSIAN_GATE_BY_TANH, GLU, GLU_RULE, HARDSWISH, MISH, SILU
from .normal import normal_cdf, normal_pdf

__all__ = ["gelu", "glu", "hardswish", "mish", "silu"]

_FAR = 800.0  # σ(−800) is 0
_NORMAL_FAR = 40.0  # Φ(−40) is 0


@written("x * sigmoid(x)")
def silu(x: Any) -> Any:
    """x σ(x), also called swish (Elfwing, Uchibe & Doya, arXiv:1702.03118, 2017).

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
    >>> nn.silu(np.array([-1.0, 0.0, 1e4])).round(4)
    array([-2.689e-01,  0.000e+00,  1.000e+04])
    """


@written("g * (sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)))")
def _silu_x(g: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s + np.clip(x, -_FAR, _FAR) * s * (1 - s))


silu = of_reals(silu, "x -> y", forward=lambda x: np.maximum(x, -_FAR) * sigmoid(x), kernels=SILU, x=_silu_x)


@written("x * tanh(softplus(x))")
def mish(x: Any) -> Any:
    """x tanh(log(1 + eˣ)) (Misra, arXiv:1908.08681, 2019).

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
    >>> nn.mish(np.array([-1.0, 0.0, 1e4])).round(4)
    array([-3.034e-01,  0.000e+00,  1.000e+04])
    """


@written("g * (tanh(softplus(x)) + x * sigmoid(x) * (1 - tanh(softplus(x)) ** 2))")
def _mish_x(g: Any, x: Any) -> Any:
    gate = np.tanh(softplus(x))
    return g * (gate + np.clip(x, -_FAR, _FAR) * sigmoid(x) * (1 - gate * gate))


mish = of_reals(mish, "x -> y", forward=lambda x: np.maximum(x, -_FAR) * np.tanh(softplus(x)), kernels=MISH, x=_mish_x)


def gelu(x: Any, approximate: str = "none") -> Any:
    """x Φ(x), with the distribution function Φ of the normal distribution (Hendrycks & Gimpel, arXiv:1606.08415, 2016).

    Parameters
    ----------
    x : Tensor or array_like
        Any shape, real.
    approximate : {'none', 'tanh'}
        'tanh' takes ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) for Φ(x): not more than 5e-4 off, and several times faster.

    Returns
    -------
    Tensor or array
        The shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `approximate` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x = np.array([-1.0, 0.0, 2.0])
    >>> nn.gelu(x).round(4), nn.gelu(x, "tanh").round(4)
    (array([-0.1587,  0.    ,  1.9545]), array([-0.1588,  0.    ,  1.9546]))
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")
    return gaussian_gate(x) if approximate == "none" else gaussian_gate_by_tanh(x)


@written("x * normal_cdf(x)")
def gaussian_gate(x: Any) -> Any:
    """x Φ(x)."""
    return np.maximum(x, -_NORMAL_FAR) * normal_cdf(x)


gaussian_gate = of_reals(
    gaussian_gate,
    "x -> y",
    kernels=GAUSSIAN_GATE,
    x=written("g * (normal_cdf(x) + x * normal_pdf(x))")(
        lambda g, x: g * (normal_cdf(x) + np.clip(x, -_NORMAL_FAR, _NORMAL_FAR) * normal_pdf(x))
    ),
)

_TWICE = 2 * (2 / np.pi) ** 0.5


def _gate_by_tanh(t: Any) -> Any:
    """½ (1 + tanh u) = σ(2u), which keeps the digits of small values."""
    return sigmoid(_TWICE * t * (1 + 0.044715 * t * t))


@written("x * _gate_by_tanh(x)")
def gaussian_gate_by_tanh(x: Any) -> Any:
    """x times the approximation of Φ(x) by a tanh."""
    return np.maximum(x, -_NORMAL_FAR) * _gate_by_tanh(np.clip(x, -_NORMAL_FAR, _NORMAL_FAR))


@written("g * (_gate_by_tanh(x) + x * _gate_by_tanh(x) * (1 - _gate_by_tanh(x)) * _TWICE * (1 + 3 * 0.044715 * x * x))")
def _gaussian_gate_by_tanh_x(g: Any, x: Any) -> Any:
    t = np.clip(x, -_NORMAL_FAR, _NORMAL_FAR)  # its cube cannot overflow
    s = _gate_by_tanh(t)
    return g * (s + t * s * (1 - s) * (_TWICE * (1 + 3 * 0.044715 * t * t)))


gaussian_gate_by_tanh = of_reals(
    gaussian_gate_by_tanh, "x -> y", kernels=GAUSSIAN_GATE_BY_TANH, x=_gaussian_gate_by_tanh_x
)


def hardswish(x: Any) -> Any:
    """x · relu6(x + 3) / 6, a cheap `silu` (Howard et al., arXiv:1905.02244, 2019). Its derivative is 0 at −3, 1 at 3.

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
    >>> nn.hardswish(np.array([-2.0, 0.0, 1.0, 5.0])).round(4)
    array([-0.3333,  0.    ,  0.6667,  5.    ])
    """


hardswish = of_reals(
    hardswish,
    "x -> y",
    forward=lambda x: np.maximum(x, -3.0) * (np.clip(x + 3.0, 0.0, 6.0) / 6),
    kernels=HARDSWISH,
    x=lambda g, x: g * np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)),
)


@written("a * sigmoid(b)")
def glu(x: Any, axis: int = -1) -> Any:
    """a σ(b), where a and b are the halves of `x` along `axis` (Dauphin et al., arXiv:1612.08083, 2016).

    Parameters
    ----------
    x : Tensor or array_like
        Real.
    axis : int
        Of even length.

    Returns
    -------
    Tensor or array
        The dtype of `x`, and its shape but for half the length of `axis`.

    Raises
    ------
    ValueError
        If the length of `axis` is odd, or `x` has no such axis.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.glu(np.array([1.0, 2.0, 0.0, 1e4]))
    array([0.5, 2. ])
    """


def _halves(x: Any, axis: int) -> tuple[Any, Any]:
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"glu: an input of shape {x.shape} has no axis {axis}.")
    n = x.shape[axis]
    if n % 2:
        raise ValueError(f"glu halves axis {axis}, which needs an even length; the input has shape {x.shape}.")
    before = (slice(None),) * (axis % x.ndim)
    return x[(*before, slice(0, n // 2))], x[(*before, slice(n // 2, n))]


def _glu(x: Any, axis: int) -> Any:
    a, b = _halves(np.asarray(x) if isinstance(x, int | float) else x, axis)
    done = None if a.__class__ is np.ndarray else GLU(a, b)
    return a * sigmoid(b) if done is None else done


@written("concatenate(g * sigmoid(b), g * a * sigmoid(b) * (1 - sigmoid(b)))")
def _glu_x(g: Any, x: Any, axis: int) -> Any:
    a, b = _halves(x, axis)
    parts = None if a.__class__ is np.ndarray else GLU_RULE(g, a, b)
    if parts is None:
        s = sigmoid(b)
        parts = g * s, g * a * s * (1 - s)
    return np.concatenate(parts, axis=axis)


glu = define(glu, "x; axis=-1 -> y", forward=_glu, x=_glu_x)
