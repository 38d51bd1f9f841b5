"""The page of a `TrainingView`: its parts, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.display.html import Html, document, fragment, tag
from autograd.display.text import counted, shortened

from .display import history_table, report_html
from .figures import curves, norms, weights

if TYPE_CHECKING:
    from .view import TrainingView

__all__ = ["fragment_of", "page_of"]

#: How often a browser that shows the file of a training that goes on loads it again, in seconds.
_RELOAD = 5

_SIZES = (
    "The root mean square in each epoch, from the input (top) to the output; at the right that of the last epoch. "
    "Bright is large, on a logarithmic scale; no colour is zero, or not finite."
)


def page_of(view: TrainingView) -> Html:
    """One HTML file."""
    title = "Training" if view.model is None else f"Training of {type(view.model).__name__}"
    reload = [tag("meta", http_equiv="refresh", content=str(_RELOAD))] if view.state == "running" else []
    return document(title, tag("h1", shortened(title)), _content(view), head=reload)


def fragment_of(view: TrainingView) -> Html:
    """The output of a cell."""
    return fragment(_content(view))


def _content(view: TrainingView) -> list[Any]:
    history, model = view.history, view.model
    parts: list[Any] = []
    if view.state:
        said = f", {counted(history.epochs, 'epoch')} done" if view.state == "running" else ""
        parts.append(tag("p", tag("span", shortened(view.state, 200) + said, class_="wg-chip")))
    parts.append(report_html(history))
    if history.epochs:
        parts.append(curves(history, view.rates))
    if view.sizes:
        parts.append(tag("h2", "Layers"))
        parts.append(norms({kind: [(epoch, found[kind]) for epoch, found in view.sizes] for kind in view.sizes[0][1]}))
        parts.append(tag("p", _SIZES, class_="wg-quiet"))
    if view.weights:
        parts.append(tag("h2", "Weights"))
        parts.append(weights(view.weights))
    if history.epochs:
        parts.append(_folded("Epochs", history_table(history)))
    if model is not None:
        parts.append(_folded("Model", Html(model._repr_html_())))
    if hasattr(view.optimizer, "_repr_html_"):
        parts.append(_folded("Optimizer", Html(view.optimizer._repr_html_())))
    return parts


def _folded(title: str, content: Html) -> Html:
    return tag("details", tag("summary", title), content, style="margin-top:14px")
