"""Learning-rate schedules: each sets the learning rates from the number of its steps so far.

>>> import numpy as np
>>> import nn, optim
>>> model = nn.Linear(2, 1, rng=0)
>>> optimizer = optim.SGD(model.parameters(), lr=0.5)
>>> schedule = optim.StepLR(optimizer, step_size=2)
>>> for epoch in range(3):
...     print(schedule.get_last_lr())
...     optimizer.zero_grad()
...     (model(np.ones((4, 2), np.float32)) ** 2).mean().backward()
...     optimizer.step()
...     schedule.step()
[0.5]
[0.5]
[0.05]
"""

from . import combined, curves, plateau, scheduler
from .combined import *
from .curves import *
from .plateau import *
from .scheduler import *

__all__: list[str] = []
__all__ += combined.__all__
__all__ += curves.__all__
__all__ += plateau.__all__
__all__ += scheduler.__all__
