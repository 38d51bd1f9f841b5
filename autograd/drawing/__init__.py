"""Drawing a tape, in two steps: a walk to plain vertices and edges (`autograd.inspection`), then DOT.

The result is a graphviz object that shows itself in Jupyter and saves itself as SVG, PNG, PDF or DOT. `text.py` writes
the DOT, `looks.py` says how each kind looks, `notes.py` what stands below the names, and `render.py` finds a program or
a library that lays it out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..tensor import Tensor

if TYPE_CHECKING:
    from ..inspection.graph import Graph
    from .dot import Drawing

__all__ = ["draw"]

#: A drawing has no more vertices than this, unless it is told not to fold: Graphviz takes seconds from here on.
LIMIT = 300


def draw(
    *outputs: Tensor,
    names: Mapping[str, Tensor] | Any = None,
    direction: str = "down",
    values: bool = False,
    gradients: bool = False,
    memory: bool = False,
    formulas: bool = False,
    profile: Any = None,
    modules: bool = True,
    depth: int | None = None,
    collapse: Iterable[str] = (),
    path_from: Tensor | Iterable[Tensor] | None = None,
    fold: bool | None = None,
    theme: str = "light",
) -> Drawing:
    """Draw the computation that led to `outputs`.

    Parameters
    ----------
    *outputs : Tensor
        Usually one, the loss.
    names : Module or mapping of str to Tensor, optional
        What to call the leaves and results; a module stands for its `named_parameters()`. Without it, they have the
        name that was given to the Tensor, or else the one that it has in the module that used it; what goes into the
        first layer and what the loss compares with are x and y, if they are constants.
    direction : {'down', 'right'}
        Where the computation flows.
    values : bool
        Show what each result is: a number, or the range and the mean of an array. An ordinary tape keeps only some of
        them; record under `autograd.keep_values()` for all.
    gradients : bool
        Show the gradient of the output, of which there must be one, with respect to each result. Nothing is released.
    memory : bool
        Show how much each operation keeps for the backward pass, and the total.
    formulas : bool
        Show the rule of each operation: the gradient `g` of its result on its way to each input.
    profile : Profile, optional
        What `autograd.profile()` measured while this was recorded: show the time of each operation.
    modules : bool
        Whether what a module recorded stands in a box.
    depth : int, optional
        How many levels of boxes stay open: 0 draws each outermost module as a single vertex.
    collapse : iterable of str, optional
        The names, or the classes, of modules that are drawn as single vertices.
    path_from : Tensor or iterable of Tensor, optional
        Draw only what lies between these and the outputs, and the other inputs of that.
    fold : bool, optional
        Whether equal layers or operations in a row are drawn once, with how many there are, and everything is folded
        further until there are no more than 300 vertices. By default where there would be more.
    theme : {'light', 'dark'}

    Returns
    -------
    Drawing
        A `graphviz.Digraph`. Jupyter shows it; `.save("graph.svg")` writes it, the suffix says how (svg,
        png, pdf, dot); `.source` is the DOT text; `.graph` holds the plain vertices and edges, also as JSON.

    Raises
    ------
    TypeError
        If an output is not a Tensor.
    ValueError
        If an option has a value that it cannot have, or names a module or a Tensor that is not in the graph.
    ReleasedError
        If gradients are wanted, and a backward pass has released the tape.
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

    Equal layers are drawn once:

    >>> import nn
    >>> model = nn.MLP([8] * 14, rng=0)
    >>> x = autograd.Tensor(np.ones((2, 8), np.float32), requires_grad=True)
    >>> drawing = autograd.draw(model(x), fold=True)
    >>> [(group.label, group.times) for group in drawing.graph.groups if group.times > 1]
    [('', 12)]
    """
    for option, value, known in (("direction", direction, ("down", "right")), ("theme", theme, ("light", "dark"))):
        if value not in known:
            raise ValueError(f"{option} must be {known[0]!r} or {known[1]!r}, got {value!r}.")
    if profile is not None and not hasattr(profile, "times"):
        raise TypeError(f"profile is what `with autograd.profile() as p:` gives, got {type(profile).__name__}.")
    from ..inspection.elements import collector_paused
    from ..inspection.graph import Graph, walk
    from .dot import Drawing  # needs the package graphviz, which `import autograd` does not
    from .notes import Notes

    with collector_paused():
        graph = walk(*outputs, names=names)
        if len(outputs) == 1 and len(graph.vertices) <= 10 * LIMIT:  # it takes as long as the walk
            graph = _with_x_and_y(graph, outputs[0], names)
        if not modules:
            graph = Graph(tuple([vertex._replace(group=None) for vertex in graph.vertices]), graph.edges, ())
        if path_from is not None:
            several = isinstance(path_from, Iterable) and not isinstance(path_from, Tensor | str)
            graph = graph.path(*(path_from if several else [path_from]))
        folding = len(graph.vertices) > LIMIT if fold is None else fold
        graph = graph.folded(depth, collapse, repeated=folding, limit=LIMIT if folding else None)
    notes = Notes(graph)
    if values:
        notes.add_values(outputs)
    if gradients:
        notes.add_gradients(outputs)
    if memory:
        notes.add_memory()
    if profile is not None:
        notes.add_times(profile.times())
    if formulas:
        notes.add_formulas()
    return Drawing(graph, direction, theme, notes)


def _with_x_and_y(graph: Graph, output: Tensor, names: Any) -> Graph:
    """The graph with `x` and `y` as the labels of the constants that one would call so on a board."""
    from ..inspection.names import symbols_of
    from ..inspection.roles import shape_of

    found: dict[str, Any] = {}
    for key, symbol in symbols_of(output, names=names).nodes.items():
        if not isinstance(key, tuple) or isinstance(key[1], int):  # else a result, and no constant
            found[symbol.text] = key
    x, y = found.get("x"), found.get("y")
    subtracted = not isinstance(y, tuple) or y[0].primitive.name == "subtract"
    if subtracted and (x is None or (isinstance(x, tuple) and isinstance(y, tuple) and shape_of(*x) == shape_of(*y))):
        y = None  # it may be x again: plain arrays have no identity on a tape
    labels = {
        f"n{key[0].index}_{key[1]}" if isinstance(key, tuple) else f"n{key.index}": label
        for label, key in (("x", x), ("y", y))
        if key is not None
    }
    vertices = [
        vertex._replace(label=labels[vertex.id]) if vertex.label == "constant" and vertex.id in labels else vertex
        for vertex in graph.vertices
    ]
    return dataclasses.replace(graph, vertices=tuple(vertices))
