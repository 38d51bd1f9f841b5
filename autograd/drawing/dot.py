"""The second step of a drawing: from vertices, edges and groups to DOT, and from DOT to a picture."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    import graphviz
except ImportError as error:
    raise ImportError(
        f'drawing needs the package graphviz, which is missing here: `pip install "wengert[graph]"` ({error}).'
    ) from None

from ..errors import RendererError
from ..inspection.graph import Graph
from .notes import Notes
from .render import FORMATS, render
from .text import Writer

__all__ = ["Drawing"]


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A drawn computation graph: a `graphviz.Digraph` that needs no `dot` program. Made by `autograd.draw`.

    Attributes
    ----------
    graph : Graph
        The plain vertices, edges and groups that are drawn: `.to_json()` and `.to_networkx()` give them to others.
    source : str
        The DOT text. Each vertex, edge and box has its id, and its kind as a class, for those who change the SVG.
    """

    def __init__(self, graph: Graph, direction: str = "down", theme: str = "light", notes: Notes | None = None):
        super().__init__("computation", format="svg")
        self.graph, self.direction, self.theme = graph, direction, theme
        self.notes = Notes(graph) if notes is None else notes
        self.body += [f"\t{line}\n" for line in Writer(graph, self.notes, theme, direction).lines()]

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

    def pipe(self, format: str | None = None, *, encoding: str | None = None) -> Any:
        """The picture as bytes (or as text, if an encoding is given): 'svg', 'png' or 'pdf'."""
        content = render(self.source, format or self.format or "svg")
        return content.decode(encoding) if encoding else content

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *,
        quiet: bool = False,
        quiet_view: bool = False,
    ) -> str:
        """Write the DOT text and the picture, as `graphviz.Digraph.render` does; the path of the picture."""
        name = Path(filename or "computation.gv")
        source = self.save(name if name.suffix in (".gv", ".dot") else f"{name}.gv", directory)
        picture = str(self.save(f"{source}.{format or self.format or 'svg'}"))
        if cleanup:
            source.unlink()
        if view:
            graphviz.view(picture, quiet=quiet or quiet_view)
        return picture

    def copy(self) -> Drawing:
        """A new drawing of the same graph, also with what was added to this one."""
        made = copy.copy(self)
        for part in ("graph_attr", "node_attr", "edge_attr", "body"):
            setattr(made, part, getattr(self, part).copy())
        return made

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
