"""An optimizer in a notebook: its groups with their hyper-parameters, and what it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd.display.html import Html, fragment, tag
from autograd.display.text import counted, memory, number, shortened

if TYPE_CHECKING:
    from .optimizer import Optimizer

__all__ = ["optimizer_html"]

#: How many groups are shown.
_GROUPS = 30


def optimizer_html(optimizer: Optimizer) -> Html:
    """The HTML of an optimizer: a table with a line for each group.

    Examples
    --------
    >>> import nn, optim
    >>> from optim.display import optimizer_html
    >>> "weight_decay" in optimizer_html(optim.Adam(nn.MLP([2, 3, 1]).parameters()))
    True
    """
    groups, states = optimizer.param_groups, optimizer.state
    size = sum(p.size for group in groups for p in group["params"])
    steps = max((state.get("step", state.get("n_iter", 0)) for state in states), default=0)
    head = tag(
        "div",
        tag("span", type(optimizer).__name__, class_="wg-name"),
        tag("span", f"{size:,} numbers in {counted(sum(len(group['params']) for group in groups), 'parameter')}"),
        tag("span", counted(steps, "step")),
        tag("span", f"remembers {memory(_bytes(states))}", class_="wg-quiet"),
        class_="wg-head",
    )
    names = list(dict.fromkeys(name for group in groups for name in group if name != "params"))
    header = tag("tr", [tag("th", name) for name in ("group", "parameters", "numbers", *map(shortened, names))])
    rows = []
    for k, group in enumerate(groups[:_GROUPS]):
        params = group["params"]
        frozen = sum(not p.requires_grad for p in params)
        said = f"{len(params):,}" + (f", {frozen:,} frozen" if frozen else "")
        values = [_value(group[name]) if name in group else "" for name in names]
        rows.append(
            tag("tr", tag("th", k), [tag("td", x) for x in (said, f"{sum(p.size for p in params):,}", *values)])
        )
    more = len(groups) - _GROUPS
    return fragment(
        head,
        tag("table", tag("thead", header), tag("tbody", rows)),
        tag("p", f"… {counted(more, 'more group')}", class_="wg-quiet") if more > 0 else None,
    )


def _value(value: Any) -> str:
    """A hyper-parameter: a number, a flag, or a few of them."""
    if isinstance(value, tuple | list):
        return shortened(f"({', '.join(map(_value, value))})")
    if value is None or isinstance(value, str | bool):
        return shortened(value)
    try:
        return number(value)
    except (TypeError, ValueError):  # a function, say
        return shortened(value)


def _bytes(state: Any) -> int:
    """The memory of the arrays in nested dicts and lists."""
    if isinstance(state, Mapping):
        return sum(map(_bytes, state.values()))
    if isinstance(state, list | tuple):
        return sum(map(_bytes, state))
    return int(getattr(state, "nbytes", 0))
