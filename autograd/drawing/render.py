"""From DOT text to a picture: the system's `dot` if it is there, else `pygraphviz`, whose wheel carries Graphviz."""

from __future__ import annotations

import shutil
import subprocess
import threading

from ..errors import RendererError

__all__ = ["FORMATS", "render"]

FORMATS = ("svg", "png", "pdf")

_one_at_a_time = threading.Lock()  # Graphviz as a library is not made for threads


def render(source: str, format: str) -> bytes:
    """Lay out DOT text and return the picture.

    Raises
    ------
    ValueError
        For an unknown format.
    RendererError
        If neither the `dot` program nor pygraphviz is there, or the layout fails.

    Examples
    --------
    >>> from autograd.drawing.render import render
    >>> render("digraph { a -> b }", "svg").lstrip()[:5]
    b'<?xml'
    """
    if format not in FORMATS:
        raise ValueError(f"a drawing can be rendered as {', '.join(FORMATS)}, got {format!r}.")
    program = shutil.which("dot")
    if program is not None:
        done = subprocess.run([program, f"-T{format}"], input=source.encode(), capture_output=True, check=False)
        if done.returncode:
            raise RendererError(f"`dot` could not lay out the graph: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout
    try:
        import pygraphviz
    except ImportError:
        raise RendererError(
            'nothing here can lay out a graph: `pip install "wengert[graph]"` brings Graphviz with it '
            '(or install the system\'s `graphviz`). Without it, save the drawing as DOT text: .save("graph.dot").'
        ) from None
    with _one_at_a_time:
        graph = pygraphviz.AGraph(string=source)
        try:
            picture: bytes = graph.draw(format=format, prog="dot")
        finally:
            graph.close()
    return picture
