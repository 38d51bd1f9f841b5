"""Data: sets of examples, mini-batches of them, augmentation."""

from . import augmentation, dataset, loader
from .augmentation import *
from .dataset import *
from .loader import *

__all__: list[str] = []
__all__ += augmentation.__all__
__all__ += dataset.__all__
__all__ += loader.__all__
