"""The mathematics of the layers, as functions of arrays and Tensors; the modules hold the state."""

from . import (
    activations,
    affine,
    binary,
    classification,
    gated,
    lookup,
    losses,
    noise,
    normalization,
    probabilities,
    rectifiers,
)
from .activations import *
from .affine import *
from .binary import *
from .classification import *
from .gated import *
from .lookup import *
from .losses import *
from .noise import *
from .normalization import *
from .probabilities import *
from .rectifiers import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += affine.__all__
__all__ += binary.__all__
__all__ += classification.__all__
__all__ += gated.__all__
__all__ += noise.__all__
__all__ += lookup.__all__
__all__ += losses.__all__
__all__ += normalization.__all__
__all__ += probabilities.__all__
__all__ += rectifiers.__all__
