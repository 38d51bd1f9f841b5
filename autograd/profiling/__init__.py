"""Where time and memory go: `profile` measures each operation, each module and each backward rule in a block.

`instruments.py` puts measuring functions in the place of others while a profile is on, `session.py` keeps the stack of
what is open and the clock, `memory.py` follows what the tape holds. `profiler.py` is what the user sees; `table.py`,
`flame.py` and `trace.py` show it.
"""

from .event import Event
from .profiler import profile

__all__ = ["Event", "profile"]
