"""Optimizers: they take parameters and their gradients, and write the parameters in place.

>>> import numpy as np
>>> import nn, optim
>>> model = nn.MLP([2, 1], rng=0)
>>> optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
>>> x, y = np.ones((4, 2), dtype=np.float32), np.ones((4, 1))
>>> loss = nn.BCEWithLogitsLoss()(model(x), y)
>>> optimizer.zero_grad()
>>> loss.backward()
>>> optimizer.step()
"""

import nn  # says what is wrong if the `autograd` that Python finds is not ours

from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer"]

del nn
