"""What can be found out of a tape, as plain data: for drawings, derivations and pages, and for anybody else.

`calls.py` says which module recorded what, `values.py` finds the values and the cotangents, and `graph.py` makes plain
vertices, edges and groups; `names.py` finds the symbols that one would write on a board. Nothing here changes a tape
or a gradient.
"""

from .calls import Call, Calls, calls_of
from .graph import Edge, Fold, Graph, Group, Vertex, walk
from .names import Symbols, symbols_of
from .notation import Symbol
from .summary import Summary, summarize
from .values import cotangents, forward_values, input_values

__all__ = [
    "Call",
    "Calls",
    "Edge",
    "Fold",
    "Graph",
    "Group",
    "Summary",
    "Symbol",
    "Symbols",
    "Vertex",
    "calls_of",
    "cotangents",
    "forward_values",
    "input_values",
    "summarize",
    "symbols_of",
    "walk",
]
