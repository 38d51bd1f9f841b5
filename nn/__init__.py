"""Neural networks on `autograd`: modules, layers, activations, losses, initialisers, data, training.

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
from . import (
    activations,
    batch_normalization,
    checkpoint,
    classification,
    containers,
    data,
    dropout,
    embedding,
    files,
    functional,
    init,
    layers,
    losses,
    maxout,
    module,
    normalization,
    parallel,
    preprocessing,
    rectifiers,
    report,
    training,
)
from .activations import *
from .batch_normalization import *
from .checkpoint import *
from .classification import *
from .containers import *
from .data import *
from .dropout import *
from .embedding import *
from .files import *
from .functional.activations import *
from .functional.gated import *
from .functional.probabilities import *
from .functional.rectifiers import *
from .layers import *
from .losses import *
from .maxout import *
from .module import *
from .normalization import *
from .parallel import Ranks
from .preprocessing import *
from .rectifiers import *
from .report import *
from .training import *

__all__ = ["Ranks", "functional", "init", "parallel"]
__all__ += activations.__all__
__all__ += batch_normalization.__all__
__all__ += checkpoint.__all__
__all__ += classification.__all__
__all__ += containers.__all__
__all__ += data.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += files.__all__
__all__ += functional.activations.__all__
__all__ += functional.gated.__all__
__all__ += functional.probabilities.__all__
__all__ += functional.rectifiers.__all__
__all__ += layers.__all__
__all__ += losses.__all__
__all__ += maxout.__all__
__all__ += module.__all__
__all__ += normalization.__all__
__all__ += preprocessing.__all__
__all__ += rectifiers.__all__
__all__ += report.__all__
__all__ += training.__all__

del _autograd
