"""The mathematics of the layers, as primitives with their rules. Modules (`nn.Linear`, `nn.ReLU`) hold the state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.primitive import define
from autograd.rules.elementwise import elementwise, tanh
from autograd.rules.stable import sigmoid

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "linear", "relu", "sigmoid", "tanh"]


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """z = x Wᵀ + b, the affine map of a layer, on rows.

    With the cotangent G of z, the rules are G W for x, Gᵀ x for W and the sum of G's rows for b.

    Parameters
    ----------
    x : Tensor or array, shape (…, in)
    weight : Tensor or array, shape (out, in)
    bias : Tensor or array, shape (out,), optional

    Returns
    -------
    Tensor or array, shape (…, out)

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import linear
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """


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


def binary_cross_entropy_with_logits(z: Any, y: Any) -> Any:
    """−[y log σ(z) + (1−y) log(1−σ(z))] = log(1 + eᶻ) − y z, elementwise, without overflow.

    ∂/∂z = σ(z) − y: the a − y of the derivation by hand.

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


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    z = _product(x, weight.T)
    if bias is None:
        return z
    if z.dtype != bias.dtype:
        return z + bias
    z += bias
    return z


def _product(a: Any, matrix: Any) -> Any:
    """`a @ matrix`; between two matrices NumPy's `dot` is the same product and starts sooner."""
    return a.dot(matrix) if a.ndim == 2 else a @ matrix


def _rows(a: Any) -> Any:
    """All leading axes as one."""
    return a if a.ndim == 2 else a.reshape(math.prod(a.shape[:-1]), a.shape[-1])  # -1 would not do for empty rows


linear = define(
    linear,
    "x, weight, bias=None -> z",
    forward=_linear,
    promotes=True,
    x=lambda g, weight: _product(g, weight),
    weight=lambda g, x: _rows(g).T.dot(_rows(x)),
    bias=lambda g: _rows(g).sum(0),
)
relu = elementwise(relu, "x -> y", forward=lambda x: np.maximum(x, 0), x=lambda g, y: g * (y > 0))
binary_cross_entropy = elementwise(
    binary_cross_entropy,
    "p, y -> loss",
    forward=lambda p, y: -(y * _log(p) + (1 - y) * _log1m(p)),
    p=lambda g, p, y: g * (p - y) / np.maximum(p * (1 - p), max(1e-12, float(np.finfo(p.dtype).tiny))),
    y=lambda g, p: g * (_log1m(p) - _log(p)),
)
binary_cross_entropy_with_logits = elementwise(
    binary_cross_entropy_with_logits,
    "z, y -> loss",
    forward=lambda z, y: np.logaddexp(z, 0) - y * z,
    z=lambda g, z, y: g * (sigmoid(z) - y),
    y=lambda g, z: -g * z,
)


def _log(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


def _log1m(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-p), -100)
