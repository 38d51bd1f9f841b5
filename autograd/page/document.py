"""The page: one HTML file made of a template, a style sheet, scripts, the picture of the graph and the data."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..drawing.render import render
from ..errors import RendererError
from ..files import replace_file
from ..tensor import Tensor
from .data import collect
from .layout import dot_of

__all__ = ["Page"]

#: What runs in the browser, in this order, inside one function.
_SCRIPTS = ("base.js", "pictures.js", "graph.js", "modules.js", "panel.js", "player.js")

#: How high a page is in a notebook, in pixels.
_HEIGHT = 640


class Page:
    """A page that steps through a computation. Made by `autograd.view`.

    Attributes
    ----------
    html : str
        The whole page: one HTML file that needs nothing else.
    data : dict
        What it shows, as plain data.
    """

    def __init__(self, outputs: Sequence[Tensor], names: Any = None, theme: str | None = None):
        if theme not in (None, "light", "dark"):
            raise ValueError(f"theme is 'light', 'dark', or None for that of the reader's system, got {theme!r}.")
        self.theme = theme
        graphs, self.data = collect(outputs, names)
        symbols = {identity: vertex["symbol"] for identity, vertex in self.data["vertices"].items()}
        self.sources = [dot_of(graph, symbols) for graph in graphs]
        self._pictures: list[str] | None = None
        self._html: str | None = None

    @property
    def html(self) -> str:
        """The whole page. Where nothing here can lay out the graph, it brings Graphviz with it: 1.3 MB more."""
        if self._html is None:
            try:
                pictures = self._drawn()
            except RendererError:
                pictures = []
            self._html = self._document(pictures, embedded=False)
        return self._html

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path. A file that is there is replaced at once, or not at all.

        Parameters
        ----------
        path : str or path
            Its suffix must be .html.

        Raises
        ------
        ValueError
            For another suffix.
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"a page is an HTML file: write {path.with_suffix('.html').name!r}, not {path.name!r}.")
        replace_file(path, self.html.encode())
        return path

    def _drawn(self) -> list[str]:
        """The graphs as SVG; a RendererError if nothing here can lay them out."""
        if self._pictures is None:
            self._pictures = [_bare(render(source, "svg").decode()) for source in self.sources]
        return self._pictures

    def _document(self, pictures: list[str], *, embedded: bool) -> str:
        scripts = ['"use strict";\n(() => {\n' + "".join(map(_text, _SCRIPTS)) + "})();\n"]
        data = self.data
        if not pictures:
            scripts.insert(0, _text("vendor/viz-global.js"))
            data = {**data, "dots": self.sources}
        policy = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
        page = {
            "title": escape(self.data["title"]),
            "theme": self.theme or "auto",
            "place": "embedded" if embedded else "page",
            "policy": policy + ("" if pictures else " 'wasm-unsafe-eval'"),
            "style": _text("page.css"),
            "notices": "" if pictures else f"<!--\n{_text('vendor/NOTICE.txt')}-->\n",
            "graph": "".join(pictures[:1]),
            "closed": "".join(pictures[1:]),
            "data": _json(data),
            "scripts": "\n".join(f"<script>{s}</script>" for s in scripts),
        }
        return re.sub(r"\{\{(\w+)\}\}", lambda match: page[match[1]], _text("page.html"))

    def _repr_html_(self) -> str | None:
        """For Jupyter: the page in a frame of its own, from which it can reach nothing else."""
        try:
            document = self._document(self._drawn(), embedded=True)
        except RendererError:
            return None
        inside = document.replace("&", "&amp;").replace("'", "&#39;")  # in ' quotes: JSON is full of the others
        title = escape(f"Computation of {self.data['title']}, step by step")
        return (
            f'<iframe srcdoc=\'{inside}\' sandbox="allow-scripts" title="{title}" loading="lazy" '
            f'style="width:100%;height:{_HEIGHT}px;border:1px solid #8884;border-radius:8px"></iframe>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> Mapping[str, Any]:
        """For Jupyter: the page, a PNG (all that an untrusted notebook shows) and text together."""
        html = self._repr_html_()
        if html is None:
            text = f'{self!r}\n\nNothing here can lay out the graph for a notebook: `pip install "wengert[graph]"`. '
            return {"text/plain": text + 'The file that .save("page.html") writes can do it itself, in the browser.'}
        bundle = {"text/html": html, "image/png": render(self.sources[0], "png"), "text/plain": repr(self)}
        return {
            mime: content
            for mime, content in bundle.items()
            if (not include or mime in include) and mime not in (exclude or ())
        }

    def __repr__(self) -> str:
        steps = self.data["steps"]
        operations = sum(step["phase"] == "forward" for step in steps)
        return f"<Page of {operations:,} operation{'' if operations == 1 else 's'}, {len(steps):,} steps>"


def _text(name: str) -> str:
    """One of the files beside this one."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def _bare(svg: str) -> str:
    """The `<svg>` element alone, for an HTML document has no place for what comes before it; and without what the style
    sheet says."""
    svg = re.sub(r"<!--.*?-->\n?", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r"<title>[^<]*</title>\n?", "", svg)  # ids, which a browser would show as tooltips
    return re.sub(r"<[^>]*>", lambda tag: _FINE.sub("", _SAID.sub("", tag[0])), svg)


#: In a tag: attributes that the style sheet or HTML has anyway, and hundredths of a point.
_SAID = re.compile(r' (?:(?:xml:space|xmlns:xlink|font-family)="[^"]*"|text-anchor="start")')
_FINE = re.compile(r"(?<=\.\d)\d+")


def _json(data: Any) -> str:
    """JSON that can stand in the middle of an HTML page."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
