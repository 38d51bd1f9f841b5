"""The mathematics of the layers, as functions of arrays and Tensors; the modules hold the state."""

from . import activations, affine, lookup, losses, noise, normalization
from .activations import *
from .affine import *
from .lookup import *
from .losses import *
from .noise import *
from .normalization import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += affine.__all__
__all__ += noise.__all__
__all__ += lookup.__all__
__all__ += losses.__all__
__all__ += normalization.__all__
