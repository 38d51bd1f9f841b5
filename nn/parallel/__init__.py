"""Data-parallel training: several processes, one model."""

from .alone import Alone
from .group import Group, Transport
from .mpi import launched
from .ranks import Ranks

__all__ = ["Alone", "Group", "Ranks", "Transport", "launched"]
