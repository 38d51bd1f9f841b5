"""A history in a notebook: what it says, its curves, its table."""

from __future__ import annotations

from autograd.display.html import Html, fragment, tag
from autograd.display.text import number, shortened

from .history import History

__all__ = ["history_html", "history_table", "report_html"]


def history_html(history: History) -> Html:
    """The HTML of a history; without its curves where matplotlib is missing.

    Examples
    --------
    >>> import nn
    >>> from nn.training.display import history_html
    >>> "After 1 epoch the loss" in history_html(nn.History({"loss": [0.5]}))
    True
    """
    from .figures import curves

    try:
        picture = curves(history) if history.epochs else None
    except ImportError:
        picture = None
    return fragment(report_html(history), picture, history_table(history) if history.epochs else None)


def report_html(history: History) -> Html | None:
    """What a history says of overfitting; nothing if no loss was measured, or one that is no number."""
    losses = {"loss", *({"validation loss"} & history.keys())}
    if history.epochs and not all(map(history._numeric, losses)):
        return None
    return tag("p", shortened(history.report().replace("\n", " "), 1000))


def history_table(history: History) -> Html:
    """The table of its epochs: the first and the last ten of many."""
    names, shown = history._columns()
    header = tag("tr", [tag("th", shortened(name, 30)) for name in ("epoch", *names)])
    rows = []
    for k in shown:
        cells = ["…"] * len(names) if k is None else [number(history[name][k]) for name in names]
        rows.append(tag("tr", tag("th", "…" if k is None else k + 1), [tag("td", cell) for cell in cells]))
    return tag("table", tag("thead", header), tag("tbody", rows))
