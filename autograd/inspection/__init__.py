"""What can be found out of a tape, as plain data: for drawings, derivations and pages, and for anybody else.

`calls.py` says which module recorded what, `values.py` finds the values and the cotangents. Nothing here changes a tape
or a gradient.
"""

from .calls import Call, Calls, calls_of
from .values import cotangents, forward_values, input_values

__all__ = ["Call", "Calls", "calls_of", "cotangents", "forward_values", "input_values"]
