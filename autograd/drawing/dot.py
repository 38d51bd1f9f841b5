"""The second step of a drawing: from plain nodes and edges to DOT, with the looks of each kind of node."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

try:
    import graphviz
except ImportError as error:
    raise ImportError(
        f'drawing needs the package graphviz, which is missing here: `pip install "wengert[graph]"` ({error}).'
    ) from None

from ..errors import RendererError
from .graph import Graph, Vertex
from .render import FORMATS, render

__all__ = ["Drawing"]

_FONT = "Helvetica,Arial,sans-serif"
_INK, _FAINT = "#1f2328", "#57606a"

#: How each kind of node looks: told apart by shape and line as well as by colour, for grey print and all eyes.
_LOOKS: dict[str, dict[str, str]] = {
    "parameter": {"shape": "box", "style": "filled", "fillcolor": "#ffe0b0", "color": "#b35900", "penwidth": "2"},
    "input": {"shape": "box", "style": "filled,dashed", "fillcolor": "#e3eefa", "color": "#2f6fab"},
    "number": {"shape": "plaintext", "margin": "0.04,0.02", "width": "0.1", "height": "0.1"},
    "operation": {"shape": "box", "style": "rounded,filled", "fillcolor": "#ffffff", "color": "#57606a"},
    "output": {
        "shape": "box",
        "style": "rounded,filled",
        "fillcolor": "#d9f2e0",
        "color": "#1a7f37",
        "penwidth": "2",
        "peripheries": "2",
    },
}

#: What the legend says of each kind: the style of its border, and its meaning.
_LEGEND = {
    "parameter": ("SOLID", "requires a gradient"),
    "input": ("DASHED", "constant"),
    "operation": ("ROUNDED", "operation"),
    "output": ("ROUNDED", "output"),
}


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A drawn computation graph: a `graphviz.Digraph` that needs no `dot` program. Made by `autograd.draw`.

    Attributes
    ----------
    graph : Graph
        The plain nodes and edges that are drawn.
    source : str
        The DOT text.
    """

    def __init__(self, graph: Graph, direction: str):
        super().__init__("computation", format="svg")
        self.graph, self.direction = graph, direction
        self.attr(rankdir="TB" if direction == "down" else "LR", bgcolor="white", nodesep="0.25", ranksep="0.35")
        self.attr("graph", fontname=_FONT, fontsize="10", fontcolor=_FAINT, labelloc="b", label=_legend(graph))
        self.attr("node", fontname=_FONT, fontsize="11", fontcolor=_INK, height="0.3", margin="0.12,0.06")
        self.attr("edge", color=_FAINT, arrowsize="0.6")
        for vertex in graph.vertices:
            self.node(vertex.id, _label(vertex), **_LOOKS[vertex.kind])
        for edge in graph.edges:
            self.edge(edge.source, edge.target)

    def save(self, filename: Any = None, directory: Any = None, *, skip_existing: Any = None) -> Path:
        """Write the drawing to a file and return its path; the suffix says how: svg, png, pdf, dot or gv.

        Raises
        ------
        ValueError
            For another suffix.
        RendererError
            If a picture is wanted and nothing is there that can make one. Nothing is written then.
        """
        path = Path(directory or ".") / Path(filename or "computation.gv")
        suffix = path.suffix[1:].lower()
        if suffix in ("dot", "gv"):
            content = self.source.encode()
        elif suffix in FORMATS:
            content = render(self.source, suffix)
        else:
            raise ValueError(f"a drawing can be saved as {', '.join(FORMATS)} or dot, got {path.name!r}.")
        path.write_bytes(content)
        return path

    def pipe(self, format: str | None = None, *args: Any, encoding: str | None = None, **kwargs: Any) -> Any:
        """The picture as bytes (or as text, if an encoding is given): 'svg', 'png' or 'pdf'."""
        content = render(self.source, format or self.format or "svg")
        return content.decode(encoding) if encoding else content

    def render(self, filename: Any = None, directory: Any = None, *args: Any, **kwargs: Any) -> str:
        """Write the DOT text and the picture, as `graphviz.Digraph.render` does; the path of the picture."""
        name = Path(filename or "computation.gv")
        source = self.save(name if name.suffix in (".gv", ".dot") else f"{name}.gv", directory)
        return str(self.save(f"{source}.{kwargs.get('format') or self.format or 'svg'}"))

    def copy(self) -> Drawing:
        """A new drawing of the same graph."""
        return Drawing(self.graph, self.direction)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        """For Jupyter: SVG, PNG (all that an untrusted notebook shows) and text together."""
        wanted: dict[str, Callable[[], Any]] = {
            "image/svg+xml": lambda: self.pipe("svg", encoding="utf-8"),
            "image/png": lambda: self.pipe("png"),
        }
        try:
            bundle = {
                mime: make()
                for mime, make in wanted.items()
                if (not include or mime in include) and mime not in (exclude or ())
            }
        except RendererError as error:
            return {"text/plain": f"{error}\n\n{self.source}"}
        return {**bundle, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.graph.vertices)} nodes and {len(self.graph.edges)} edges>"


def _text(name: str) -> str:
    """A name of the user's as text in a label: escaped, and without what Graphviz or UTF-8 cannot hold."""
    return escape("".join(c if c.isprintable() else "�" for c in name)) or "␣"


def _label(vertex: Vertex) -> str:
    """The HTML-like label of a node: its name, and under it shape and dtype in small print."""
    if vertex.kind == "number":
        return f"<{escape(vertex.label)}>"
    shape = "×".join(map(str, vertex.shape)) if vertex.shape else "scalar"
    title = _text(vertex.label) if vertex.name is None else f"{_text(vertex.label)} → <B>{_text(vertex.name)}</B>"
    if vertex.kind in ("parameter", "input"):
        title = f"<B>{title}</B>"
    if not vertex.dtype:
        return f"<{title}>"
    return f'<{title}<BR/><FONT POINT-SIZE="9" COLOR="{_FAINT}">{shape} · {escape(vertex.dtype)}</FONT>>'


def _legend(graph: Graph) -> str:
    kinds = {vertex.kind for vertex in graph.vertices}
    cells = ""
    for kind, (style, meaning) in _LEGEND.items():
        if kind in kinds:
            fill, line = _LOOKS[kind]["fillcolor"], _LOOKS[kind]["color"]
            cells += (
                f'<TD><TABLE BORDER="1" CELLBORDER="0" CELLPADDING="2" BGCOLOR="{fill}" COLOR="{line}" STYLE="{style}">'
                f'<TR><TD WIDTH="14" HEIGHT="8"></TD></TR></TABLE></TD><TD ALIGN="LEFT">{meaning}   </TD>'
            )
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2"><TR>{cells}</TR></TABLE>>' if cells else ""
