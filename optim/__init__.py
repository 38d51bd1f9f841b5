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

from . import adam, adaptive, averaging, clipping, lbfgs, lion, optimizer, schedules, sgd
from .adam import *
from .adaptive import *
from .averaging import *
from .clipping import *
from .lbfgs import *
from .lion import *
from .optimizer import *
from .schedules import *
from .sgd import *

__all__: list[str] = []
__all__ += adam.__all__
__all__ += adaptive.__all__
__all__ += averaging.__all__
__all__ += clipping.__all__
__all__ += lbfgs.__all__
__all__ += lion.__all__
__all__ += optimizer.__all__
__all__ += schedules.__all__
__all__ += sgd.__all__

del nn
