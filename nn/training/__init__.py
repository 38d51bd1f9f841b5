"""Training: the loop, what it measures, when it stops, and what a network does meanwhile."""

from . import callbacks, evaluation, history, loop, metrics, monitor, stopping, view
from .callbacks import *
from .evaluation import *
from .history import *
from .loop import *
from .metrics import *
from .monitor import *
from .stopping import *
from .view import *

__all__: list[str] = []
__all__ += callbacks.__all__
__all__ += evaluation.__all__
__all__ += history.__all__
__all__ += loop.__all__
__all__ += metrics.__all__
__all__ += monitor.__all__
__all__ += stopping.__all__
__all__ += view.__all__
