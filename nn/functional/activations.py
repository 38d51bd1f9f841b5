"""Activation functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.rules.elementwise import elementwise, tanh
from autograd.rules.stable import sigmoid, softplus

__all__ = ["relu", "sigmoid", "softplus", "tanh"]


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


relu = elementwise(relu, "x -> y", forward=lambda x: np.maximum(x, 0), x=lambda g, y: g * (y > 0))
