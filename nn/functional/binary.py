"""Losses of classifiers with two answers, of each element."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.primitive import written
from autograd.rules.elementwise import elementwise
from autograd.rules.stable import above_ramp, sigmoid, softplus

from .activations import relu
from .kernels import BINARY_CROSS_ENTROPY, LOGITS_CROSS_ENTROPY

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "hinge_loss",
    "weighted_binary_cross_entropy_with_logits",
]


@written("-(y * log(p) + (1 - y) * log(1 - p))")
def binary_cross_entropy(p: Any, y: Any) -> Any:
    """−[y log p + (1−y) log(1−p)], elementwise, for probabilities p and targets y in [0, 1].

    ∂/∂p = (p − y) / (p (1 − p)). As in PyTorch, the logarithms are not less than −100 and p (1 − p) in the
    rule is not less than 1e-12, so that a saturated p gives large numbers and not infinite ones;
    `binary_cross_entropy_with_logits` needs no such floor.

    Parameters
    ----------
    p, y : Tensor or array
        Of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import binary_cross_entropy
    >>> binary_cross_entropy(np.array([0.5, 1.0]), np.array([1.0, 0.0])).round(4)
    array([  0.6931, 100.    ])
    """


@written("log(1 + exp(z)) - y * z")
def binary_cross_entropy_with_logits(z: Any, y: Any) -> Any:
    """−[y log σ(z) + (1−y) log(1−σ(z))] = log(1 + eᶻ) − y z, elementwise, without overflow.

    ∂/∂z = σ(z) − y: the a − y of the derivation by hand. Also a loss that is nearly 0 has all its digits.

    Parameters
    ----------
    z, y : Tensor or array
        Logits and targets, of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import binary_cross_entropy_with_logits
    >>> binary_cross_entropy_with_logits(np.array([0.0, 1000.0]), np.array([1.0, 0.0])).round(4)
    array([6.931e-01, 1.000e+03])
    """


@written("log(p)")
def _log(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


@written("log(1 - p)")
def _log1m(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-p), -100)


binary_cross_entropy = elementwise(
    binary_cross_entropy,
    "p, y -> loss",
    forward=lambda p, y: -(y * _log(p) + (1 - y) * _log1m(p)),
    kernels=BINARY_CROSS_ENTROPY,
    p=written("g * (p - y) / (p * (1 - p))")(
        lambda g, p, y: g * (p - y) / np.maximum(p * (1 - p), max(1e-12, float(np.finfo(p.dtype).tiny)))
    ),
    y=lambda g, p: g * (_log1m(p) - _log(p)),
)
binary_cross_entropy_with_logits = elementwise(
    binary_cross_entropy_with_logits,
    "z, y -> loss",
    forward=lambda z, y: np.maximum(z, 0) - y * z + above_ramp(z),  # the large terms first: they cancel exactly
    kernels=LOGITS_CROSS_ENTROPY,
    z=lambda g, z, y: g * (sigmoid(z) - y),
    y=lambda g, z: -g * z,
)


def weighted_binary_cross_entropy_with_logits(z: Any, y: Any, pos_weight: Any) -> Any:
    """−[ω y log σ(z) + (1−y) log(1−σ(z))], elementwise: the positive term counts ω times.

    Parameters
    ----------
    z, y, pos_weight : Tensor or array
        Logits, targets and ω, of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import weighted_binary_cross_entropy_with_logits
    >>> weighted_binary_cross_entropy_with_logits(np.zeros(2), np.array([1.0, 0.0]), 3.0).round(4)
    array([2.0794, 0.6931])
    """
    return pos_weight * y * softplus(-z) + (1 - y) * softplus(z)


def hinge_loss(score: Any, target: Any) -> Any:
    """max(0, 1 − y s), elementwise, for scores s and targets y of −1 or 1 (Cortes and Vapnik, 1995).

    Its derivative in s is −y where y s < 1, and 0 elsewhere, also at the kink.

    Parameters
    ----------
    score, target : Tensor or array
        Of shapes that broadcast.

    Returns
    -------
    Tensor or array

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import hinge_loss
    >>> hinge_loss(np.array([0.5, 2.0, 2.0]), np.array([1.0, 1.0, -1.0]))
    array([0.5, 0. , 3. ])
    """
    return relu(1 - target * score)
