"""The DOT text of a page's graph: the drawing of `autograd.draw`, with symbols, and room in the nodes for pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape

from ..drawing.notes import Notes
from ..drawing.text import Writer
from ..inspection.elements import Graph, Group, Vertex

__all__ = ["dot_of"]

#: The room in a node for the small pictures of its value and its gradient, in points.
_ROOM = '<TD WIDTH="44" HEIGHT="27"></TD>'


def dot_of(graph: Graph, symbols: Mapping[str, str]) -> str:
    """The DOT text of a graph; `symbols` has those of its vertices by their ids."""
    lines = _PageWriter(graph, symbols).lines()
    return "digraph {\n" + "".join(f"{_TOOLTIP.sub('', line)}\n" for line in lines) + "}\n"


#: What a page says otherwise. In a line of DOT, quotes that belong to a text are escaped.
_TOOLTIP = re.compile(r' (?:label)?tooltip="[^"]*"')


class _PageWriter(Writer):
    """Writes the DOT text of a page: light colours by name, which the style sheet of the page replaces."""

    def __init__(self, graph: Graph, symbols: Mapping[str, str]):
        super().__init__(graph, Notes(graph), "light", "down")
        self.symbols = symbols

    def label(self, vertex: Vertex) -> str:
        inside = super().label(vertex)[1:-1]
        if vertex.kind == "number":
            return f"<{inside}>"
        symbol = self.symbols.get(vertex.id, "")
        if symbol and symbol != vertex.label and vertex.fold is None:
            inside += f'<BR/><FONT POINT-SIZE="9" COLOR="{self.colours.faint}"><I>{escape(symbol)}</I></FONT>'
        cells = f'<TD CELLPADDING="{3 if vertex.fold is not None else 0}">{inside}</TD>{_ROOM}'
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cells}</TR></TABLE>>'

    def opened(self, group: Group, depth: int) -> Iterator[str]:
        return (line.replace("label=<", "label=<▾ ", 1) for line in super().opened(group, depth))

    def legend(self) -> str:
        return '""'
