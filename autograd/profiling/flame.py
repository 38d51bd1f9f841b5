"""The flame picture of a profile: boxes as wide as their time, each above what ran inside it. Self-contained SVG."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..display.html import Html, fragment, tag
from ..display.text import memory, shortened
from .event import Event, Phase
from .table import duration

__all__ = ["Box", "Flame"]

_WIDTH, _ROW, _MARGIN, _TOP = 1200, 24, 16, 46

#: The width of a letter; narrower boxes have no text, and those below `_NARROWEST` are left out.
_LETTER, _NARROWEST = 6.7, 0.8

_PHASES = {"forward": "forward", "backward": "backward", "step": "optimizer"}

_HOW = "A box is as wide as its time, and stands above what ran inside it."

_STYLE = """
.wg-flame{--paper:#fff;--ink:#1c2126;--quiet:#5b6570;--program:#e4e7ea;--forward:#b9dbf2;--forward-soft:#dcedf8;
--backward:#f3a976;--backward-soft:#f9d6bd;--step:#c9c3dd;--edge:#fff;
max-width:100%;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){.wg-flame{--paper:#14181c;--ink:#eef2f5;--quiet:#a4afb9;--program:#2d343b;
--forward:#0f5c8f;--forward-soft:#173f5c;--backward:#a84e12;--backward-soft:#6e3a18;--step:#57507a;--edge:#14181c}}
.wg-flame text{fill:var(--ink);pointer-events:none}
.wg-flame .title{font-size:14px;font-weight:600}.wg-flame .quiet{fill:var(--quiet)}.wg-flame .time{opacity:.72}
.wg-flame rect{stroke:var(--edge);stroke-width:1}
.wg-flame .paper{fill:var(--paper);stroke:none}
.wg-flame .program{fill:var(--program)}
.wg-flame .forward{fill:var(--forward)}.wg-flame .forward.group{fill:var(--forward-soft)}
.wg-flame .backward{fill:var(--backward)}.wg-flame .backward.group{fill:var(--backward-soft)}
.wg-flame .step{fill:var(--step)}
.wg-flame g:hover>rect{stroke:var(--ink)}
"""


@dataclass
class Box:
    """What ran at one place of the program, all times together.

    Attributes
    ----------
    name : str
    phase : str
        'forward', 'backward' or 'step'; '' for the program.
    seconds, own : float
        The time with what is inside, and without.
    events, made : int
        How many events that are, and how many bytes their results take.
    group : bool
        Whether it is no operation: a module, or a phase.
    inside : dict of str to Box
    """

    name: str
    phase: str
    seconds: float = 0.0
    own: float = 0.0
    events: int = 0
    made: int = 0
    group: bool = True
    inside: dict[str, Box] = field(default_factory=dict)


def boxes(events: Iterable[Event], seconds: float) -> Box:
    """The boxes of a profile, as a tree."""
    program = Box("program", "", seconds)
    for event in events:
        box = program
        for name in event.stack:
            phase = name if isinstance(name, Phase) else box.phase
            box = box.inside.setdefault(name, Box(name, phase))
            box.seconds += event.own
        box.own += event.own
        box.events += event.kind != "pass"
        box.made += event.made
        box.group = box.group and event.kind in ("module", "pass")
    program.own = max(seconds - sum(box.seconds for box in program.inside.values()), 0.0)
    return program


def placed(program: Box) -> Iterator[tuple[Box, float, float, int, tuple[str, ...]]]:
    """Each box with its left edge, its width, its row and the names that lead to it."""
    scale = (_WIDTH - 2 * _MARGIN) / program.seconds if program.seconds else 0.0
    stack: list[tuple[Box, float, int, tuple[str, ...]]] = [(program, float(_MARGIN), 0, ())]
    while stack:
        box, left, row, path = stack.pop()
        width = box.seconds * scale
        if row and width < _NARROWEST:
            continue
        yield box, left, width, row, path
        for inside in box.inside.values():
            name = _PHASES[inside.name] if isinstance(inside.name, Phase) else inside.name
            stack.append((inside, left, row + 1, (*path, name)))
            left += inside.seconds * scale


class Flame:
    """The flame picture of a profile, in a notebook and as an SVG file. Made by `profile.flame`.

    Attributes
    ----------
    program : Box
        What is drawn, as plain data: the outermost box.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd
    >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True)
    >>> with autograd.profile() as p:
    ...     np.sum(np.exp(x)).backward()
    >>> {name: list(box.inside) for name, box in p.flame().program.inside.items()}
    {'forward': ['exp', 'sum'], 'backward': ['sum', 'exp']}
    """

    def __init__(self, events: Iterable[Event], seconds: float):
        self.program = boxes(events, seconds)

    @property
    def svg(self) -> str:
        """The picture: it loads nothing, follows the reader's light or dark theme, and has a tooltip on each box."""
        found = list(placed(self.program))
        rows = 1 + max(row for _, _, _, row, _ in found)
        height = _TOP + rows * _ROW + _MARGIN
        return tag(
            "svg",
            tag("title", "Where the time went"),
            tag("style", Html(_STYLE)),
            tag("rect", width=_WIDTH, height=height, rx=6, class_="paper"),
            tag("text", "Where the time went", x=_MARGIN, y=28, class_="title"),
            tag("text", _HOW, x=_WIDTH - _MARGIN, y=28, text_anchor="end", class_="quiet"),
            [self._drawn(*place) for place in found],
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {_WIDTH} {height}",
            width=_WIDTH,
            height=height,
            class_="wg-flame",
            role="img",
        )

    def _drawn(self, box: Box, left: float, width: float, row: int, path: tuple[str, ...]) -> Html:
        name = path[-1] if path else "program"
        top = _TOP + row * _ROW
        kind = f"{box.phase}{' group' if box.group and row > 1 else ''}" if row else "program"
        share = f" ({box.seconds / self.program.seconds:.1%})" if self.program.seconds else ""
        said = [
            shortened(" / ".join(path) or "program", 300),
            f"{duration(box.seconds)}{share}",
            f"own time {duration(box.own)}" if box.inside else "",
            f"{box.events:,}×" if box.events else "",
            f"made {memory(box.made)}" if box.made else "",
        ]
        letters = int((width - 10) / _LETTER)
        if len(name) > letters and len(path) > 1:  # in 'body' the module 'body.0' is '0'
            name = name.removeprefix(f"{path[-2]}.")
        name, text = shortened(name), ""
        if letters >= 3:
            text = name if len(name) <= letters else f"{name[: letters - 1]}…"
        time = duration(box.seconds)
        room = letters - len(text) - len(time) - 2
        return tag(
            "g",
            tag("title", "\n".join(part for part in said if part)),
            tag("rect", x=f"{left:.2f}", y=top, width=f"{max(width, 0.1):.2f}", height=_ROW, rx=2, class_=kind),
            tag("text", text, x=f"{left + 6:.2f}", y=top + 16) if text else None,
            tag("text", time, x=f"{left + width - 6:.2f}", y=top + 16, text_anchor="end", class_="time")
            if text and room >= 0
            else None,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to an '.svg' file."""
        if Path(path).suffix.lower() != ".svg":
            raise ValueError(f"a flame picture is saved as '.svg', got {os.fspath(path)!r}.")
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_html_(self) -> Html:
        return fragment(Html(self.svg))

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<flame picture of {duration(self.program.seconds)}>"
