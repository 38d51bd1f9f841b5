"""Neural networks on `autograd`: modules, layers, activations, losses, initialisers.

Rows are examples: a layer maps (batch, in) to (batch, out), and `weight` is (out, in), the W[l] of shape
(n[l], n[l−1]) of the literature; `z = x @ weight.T + bias`.

>>> import numpy as np
>>> import nn
>>> model = nn.MLP([2, 3, 1], activation="tanh", rng=0)
>>> logits = model(np.zeros((5, 2), dtype=np.float32))
>>> logits.shape
(5, 1)
"""

from . import _autograd  # first: says what is wrong if `autograd` is not ours
from . import functional, init
from .activations import Identity, ReLU, Sigmoid, Tanh
from .files import load_weights, save_weights
from .functional import relu, sigmoid, tanh
from .layers import MLP, Linear, Sequential
from .losses import BCELoss, BCEWithLogitsLoss
from .module import Module, Parameter

__all__ = [
    "MLP",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Identity",
    "Linear",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
    "init",
    "load_weights",
    "relu",
    "save_weights",
    "sigmoid",
    "tanh",
]

del _autograd
