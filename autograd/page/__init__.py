"""A page that steps through a tape: the graph, the forward pass, the backward pass, and what each rule adds.

`data.py` collects what is shown, `document.py` puts it into one HTML file; what runs in the browser is beside them:
`page.html`, `page.css` and the scripts. Where nothing in Python can lay out the graph, the file carries Graphviz
itself (`vendor/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..tensor import Tensor
from .document import Page

__all__ = ["Page", "view"]


def view(*outputs: Tensor, names: Mapping[str, Tensor] | Any = None, theme: str | None = None) -> Page:
    """Show the computation that led to `outputs` as a page that one can step through.

    The page has the graph, and goes through the tape operation by operation: forward, where the values appear, and
    backward, where each step shows the cotangent that comes in, the formula of each rule, and what it adds to the
    gradient of each input. It needs no network.

    Parameters
    ----------
    *outputs : Tensor
        Usually one, the loss. The backward pass has numbers if it is one real number, and if no backward pass has
        released the tape.
    names : Module or mapping of str to Tensor, optional
        What to call the leaves and results, as in `draw`.
    theme : {'light', 'dark'}, optional
        That of the reader's system by default. A button on the page changes it.

    Returns
    -------
    Page
        Jupyter shows it; `.save("page.html")` writes it.

    Raises
    ------
    TypeError
        If an output is not a Tensor.
    ValueError
        For another theme, or a computation of more than 2,000 operations.

    Notes
    -----
    No `.grad` changes and nothing is released. Hooks on gradients run, as in any backward pass. A tape keeps only what
    its rules need: record the computation under `with autograd.keep_values():` to see all values.

    Examples
    --------
    >>> import autograd
    >>> w = autograd.Tensor([0.5, -1.0], requires_grad=True, name="w")
    >>> with autograd.keep_values():
    ...     loss = autograd.sigmoid(w).sum()
    >>> page = autograd.view(loss)
    >>> page
    <Page of 2 operations, 6 steps>
    >>> page.save("page.html")  # doctest: +SKIP
    PosixPath('page.html')
    """
    return Page(outputs, names, theme)
