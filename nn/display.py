"""A module in a notebook: a tree that can be unfolded, with shapes and numbers of parameters."""

from __future__ import annotations

from typing import Any

from autograd.display.html import Html, fragment, tag
from autograd.display.text import counted, memory, shortened

from .module import Buffer, Module, Parameter

__all__ = ["module_html"]

#: How many modules are shown; of a larger one, the first.
_MODULES = 100

#: How many parameters and buffers of one module are shown.
_MEMBERS = 20

#: A module with at most so many inside is shown unfolded.
_UNFOLDED = 12


def module_html(module: Module) -> Html:
    """The HTML of a module: its parts, nested as they are.

    Examples
    --------
    >>> import nn
    >>> from nn.display import module_html
    >>> "linear1" in module_html(nn.MLP([2, 3, 1]))
    True
    """
    return fragment(_Tree(module).html())


class _Tree:
    """The HTML of modules inside modules; they may contain themselves, share parts, and be thousands."""

    def __init__(self, root: Module):
        self.root = root
        self.first = {id(part): name for name, part in root.named_modules()}
        self.unfolded = len(self.first) <= _UNFOLDED
        self.shown: set[int] = set()

    def html(self) -> Html:
        """Without recursion: each module in turn, its children when they are reached, its end after them."""
        parts: list[Html] = []
        stack: list[Any] = [("", self.root, True)]
        while stack:
            item = stack.pop()
            if isinstance(item, Html):
                parts.append(item)
                continue
            name, module, training = item
            if id(module) in self.shown:
                note = f"the same as {self.first[id(module)] or 'the whole'}"
                parts.append(tag("div", self._line(name, module, training, note), class_="wg-leaf"))
                continue
            if len(self.shown) >= _MODULES:
                continue
            self.shown.add(id(module))
            children = list(module.named_children())
            table = _members(module)
            if not children and table is None:
                parts.append(tag("div", self._line(name, module, training), class_="wg-leaf"))
                continue
            opened = " open" if module is self.root or (self.unfolded and children) else ""
            parts.append(Html(f"<details{opened}>" + tag("summary", self._line(name, module, training))))
            parts.append(Html('<div class="wg-inside">'))
            parts += [] if table is None else [table]
            stack.append(Html("</div></details>"))
            stack += [(child_name, child, module.training) for child_name, child in reversed(children)]
        left = len(self.first) - len(self.shown)
        if left:
            parts.append(tag("p", f"… {counted(left, 'more module')}", class_="wg-quiet"))
        return tag("div", parts)

    def _line(self, name: str, module: Module, training: bool, note: str | None = None) -> list[Html]:
        """The name, the class with its options, how many parameters, and what is unusual."""
        kind, extra = type(module).__name__, shortened(" ".join(module.extra_repr().split()), 80)
        line = [
            tag("span", shortened(name), " ", class_="wg-name") if name else Html(""),
            tag("span", f"{kind}({extra})" if extra else kind, class_="wg-code" if name else "wg-code wg-name"),
        ]
        if note is not None:
            return [*line, tag("span", f" {note}", class_="wg-quiet")]
        parameters = list(module.parameters())
        count, frozen = sum(p.size for p in parameters), sum(p.size for p in parameters if not p.requires_grad)
        if parameters:
            said = f" {counted(count, 'parameter')}"
            if module is self.root:
                said += f", {memory(sum(part.nbytes for part in [*parameters, *module.buffers()]))}"
            line.append(tag("span", said, class_="wg-quiet"))
        if frozen:
            line += [Html(" "), tag("span", "frozen" if frozen == count else f"{frozen:,} frozen", class_="wg-chip")]
        if module is self.root or module.training != training:
            mode = "training mode" if module.training else "evaluation mode"
            line += [Html(" "), tag("span", mode, class_="wg-chip")]
        return line


def _members(module: Module) -> Html | None:
    """The table of the parameters and buffers directly in a module; None if there are none."""
    members = [(name, part) for name, part in module.named_members() if isinstance(part, Parameter | Buffer)]
    if not members:
        return None
    rows = []
    for name, part in members[:_MEMBERS]:
        notes = ["buffer"] if isinstance(part, Buffer) else [] if part.requires_grad else ["frozen"]
        cells = (shortened(name), str(list(part.shape)), str(part.dtype))
        rows.append(
            tag(
                "tr",
                [tag("td", cell, class_="wg-left wg-code") for cell in cells],
                tag("td", f"{part.size:,}"),
                tag("td", [tag("span", note, class_="wg-chip") for note in notes], class_="wg-left"),
            )
        )
    if len(members) > _MEMBERS:
        said = f"… {len(members) - _MEMBERS:,} more"
        rows.append(tag("tr", tag("td", said, colspan=5, class_="wg-left wg-quiet")))
    return tag("table", tag("tbody", rows))
