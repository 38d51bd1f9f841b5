"""Gradient clipping: bounds on gradients, between the backward pass and the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.devices import check_same_device, check_writable

from .blocks import blocks
from .optimizer import require

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Any:
    """Scale all gradients, by one factor and in place, so that their norm is at most `max_norm`.

    The norm is that of all gradients as one vector, computed in float64 without overflow. Gradients that are shorter
    stay as they are. (Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.)

    Parameters
    ----------
    parameters : iterable of Tensor, or a Tensor
        Those without a gradient do not count.
    max_norm : float
        At least 0.
    norm_type : float
        The p of the p-norm, more than 0; `math.inf` for the largest element.
    error_if_nonfinite : bool
        Whether to raise if the norm is infinite or NaN; that waits for a GPU. Otherwise NaN makes all gradients NaN,
        and an infinite norm makes those zero that are finite, and the others NaN.

    Returns
    -------
    float, or array
        The norm before. Of gradients on a GPU it stays there, as an array without axes: nothing waits for it until it
        is looked at, with `float(norm)`.

    Raises
    ------
    RuntimeError
        If the norm is not finite and `error_if_nonfinite`. Nothing is changed then.
    ValueError
        For a bound or a norm that is none.
    DeviceError
        For gradients of several devices.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w / 2).sum().backward()
    >>> optim.clip_grad_norm_([w], max_norm=1.0)
    5.0
    >>> w.grad.round(4)
    array([0.6, 0.8])
    """
    max_norm, p = float(max_norm), float(norm_type)
    require(max_norm >= 0, f"max_norm must be at least 0, got {max_norm}.")
    require(p > 0, f"norm_type must be more than 0, got {norm_type}.")
    gradients = _gradients(parameters)
    away = any(g.__class__ is not np.ndarray for g in gradients)
    norm = _norm_there(gradients, p) if away else _norm(gradients, p)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"the {norm_type}-norm of the gradients is {norm}: look for the operation that made it so with "
            "`detect_anomaly()`, or clip with error_if_nonfinite=False."
        )
    factor = max_norm / (norm + 1e-6)
    if away:
        factor = np.minimum(factor, 1.0)
    if away or not factor >= 1:  # NaN too
        for g in gradients:
            # in float64, a little at a time: a factor of 1e-40 has few digits in float32
            wide = np.complex128 if g.dtype.kind == "c" else np.float64
            with np.errstate(invalid="ignore"):  # 0 · ∞
                np.multiply(g, factor, out=g, dtype=wide, casting="same_kind")
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Replace each element of the gradients, in place, by the nearest number in [−clip_value, clip_value].

    Parameters
    ----------
    parameters : iterable of Tensor, or a Tensor
        Those without a gradient are passed over.
    clip_value : float
        At least 0.

    Raises
    ------
    ValueError
        For a bound that is none.
    TypeError
        For complex gradients, which have no order.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([0.5, -4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.clip_grad_value_([w], 2.0)
    >>> w.grad
    array([ 1., -2.])
    """
    clip_value = float(clip_value)
    require(clip_value >= 0, f"clip_value must be at least 0, got {clip_value}.")
    gradients = _gradients(parameters)
    if any(g.dtype.kind == "c" for g in gradients):
        raise TypeError("complex gradients have no order: use clip_grad_norm_, or clip real and imaginary parts.")
    for g in gradients:
        np.clip(g, -clip_value, clip_value, out=g)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    """The gradients, each once."""
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for k, p in enumerate(tensors):
        if not isinstance(p, Tensor):
            raise TypeError(f"gradients are those of Tensors, got {type(p).__name__} as parameter {k}.")
    gradients = [p.grad for p in {id(p): p for p in tensors}.values() if p.grad is not None]
    for g in gradients:
        check_writable(g, "clipping")
    return gradients


def _norm(gradients: list[Any], p: float) -> float:
    """The p-norm of all elements."""
    arrays = [g.ravel(order="K") for g in gradients]  # whichever order costs no copy
    if p == 2:
        total = sum(float(np.vdot(b, b).real) for b in map(_wide, _blocks(arrays)))
        if 1e-280 < total < math.inf:
            return math.sqrt(total)
    # What follows is exact for the largest and the smallest numbers too: all are divided by the largest.
    peak = 0.0
    for block in _blocks(arrays):
        largest = float(np.max(np.abs(_wide(block))))
        peak = largest if not largest <= peak else peak
        if math.isnan(peak):
            return peak
    if p == math.inf or peak in (0.0, math.inf):
        return peak
    total = sum(float(np.sum(np.abs(_wide(b) / peak) ** p)) for b in _blocks(arrays))
    return peak * float(total ** (1 / p))


def _norm_there(gradients: list[Any], p: float) -> Any:
    """The p-norm of all elements of arrays on a device: an array without axes, for which nothing has waited."""
    check_same_device("clip_grad_norm_", {f"gradient {k}": g for k, g in enumerate(gradients)})
    arrays = [g for g in gradients if g.size] or [np.zeros_like(gradients[0], shape=1)]
    peak = np.stack([np.abs(g).max() for g in arrays]).max().astype(np.float64)
    if p == math.inf:
        return peak
    scale = np.where((peak > 0) & (peak < math.inf), peak, 1.0)
    totals = [((np.abs(g).astype(np.float64) / scale) ** p).sum() for g in arrays]
    return scale * np.stack(totals).sum() ** (1 / p)


def _blocks(arrays: list[Any]) -> Any:
    return (block for array in arrays for (block,) in blocks(array))


def _wide(block: Any) -> Any:
    return block.astype(np.complex128 if block.dtype.kind == "c" else np.float64, copy=False)
