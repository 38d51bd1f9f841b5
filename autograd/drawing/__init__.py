"""Drawing a tape, in two steps: a walk to plain nodes and edges (`graph.py`), then DOT (`dot.py`).

The result is a graphviz object that shows itself in Jupyter and saves itself as SVG, PNG, PDF or DOT;
`render.py` finds a program or a library that lays it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor

if TYPE_CHECKING:
    from .dot import Drawing

__all__ = ["draw"]


def draw(*outputs: Tensor, names: Mapping[str, Tensor] | Any = None, direction: str = "down") -> Drawing:
    """Draw the computation that led to `outputs`.

    Parameters
    ----------
    *outputs : Tensor
        Usually one, the loss.
    names : Module or mapping of str to Tensor, optional
        What to call the leaves: a module stands for its `named_parameters()`. Names given to the Tensors
        themselves are used otherwise.
    direction : {'down', 'right'}
        Where the computation flows.

    Returns
    -------
    Drawing
        A `graphviz.Digraph`. Jupyter shows it; `.save("graph.svg")` writes it, the suffix says how (svg,
        png, pdf, dot); `.source` is the DOT text; `.graph` holds the plain nodes and edges.

    Raises
    ------
    TypeError
        If an output is not a Tensor.
    ImportError
        If the package `graphviz` is not installed.
    RendererError
        By the result, when it is to be shown or saved as a picture and nothing is there that can lay it out.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd
    >>> w = autograd.Tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> drawing = autograd.draw(np.sum(w * w))
    >>> [vertex.label for vertex in drawing.graph.vertices]
    ['w', 'multiply', 'sum']
    """
    from .dot import Drawing  # needs the package graphviz, which `import autograd` does not
    from .graph import walk

    if direction not in ("down", "right"):
        raise ValueError(f"direction must be 'down' or 'right', got {direction!r}.")
    return Drawing(walk(*outputs, names=names), direction)
