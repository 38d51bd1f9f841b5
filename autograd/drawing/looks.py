"""How each kind of vertex, edge and box looks, in a light and in a dark theme.

The colours are shades of those of M. Okabe and K. Ito, which people with colour-blindness can tell apart; and no two
things differ by colour alone: shapes, lines and arrowheads differ too, for grey print.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FONT", "LEGEND", "LOOKS", "THEMES", "Theme"]

FONT = "Helvetica,Arial,sans-serif"


class Theme(NamedTuple):
    """Colours: of the paper, the ink and small print, of the fill and the line of each kind."""

    paper: str
    ink: str
    faint: str
    line: str
    box: tuple[str, str]  #: of modules, in turns: one in another
    frame: str
    saved: str
    broadcast: str
    fills: dict[str, tuple[str, str]]


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1f2328",
        faint="#59636e",
        line="#6e7781",
        box=("#f3f5f8", "#e8ecf1"),
        frame="#a8b1bb",
        saved="#0072b2",
        broadcast="#d55e00",
        fills={
            "parameter": ("#ffe3ad", "#b86e00"),
            "input": ("#dff0fb", "#2b7fb8"),
            "operation": ("#ffffff", "#6e7781"),
            "output": ("#c9efe1", "#00795a"),
            "module": ("#f6e3ee", "#a8527f"),
            "row": ("#ffffff", "#6e7781"),
        },
    ),
    "dark": Theme(
        paper="#0d1117",
        ink="#e6edf3",
        faint="#9da7b1",
        line="#8b949e",
        box=("#161c24", "#1f2731"),
        frame="#4a545f",
        saved="#56b4e9",
        broadcast="#f5853f",
        fills={
            "parameter": ("#5a3d06", "#e69f00"),
            "input": ("#12344d", "#56b4e9"),
            "operation": ("#0d1117", "#8b949e"),
            "output": ("#0b4636", "#2fc79a"),
            "module": ("#46243a", "#cc79a7"),
            "row": ("#0d1117", "#8b949e"),
        },
    ),
}

#: Shapes and lines of each kind.
LOOKS: dict[str, dict[str, str]] = {
    "parameter": {"shape": "box", "style": "filled", "penwidth": "2"},
    "input": {"shape": "box", "style": "filled,dashed"},
    "number": {"shape": "plaintext", "margin": "0.04,0.02", "width": "0.1", "height": "0.1"},
    "operation": {"shape": "box", "style": "rounded,filled"},
    "output": {"shape": "box", "style": "rounded,filled", "penwidth": "2", "peripheries": "2"},
    "module": {"shape": "box3d", "style": "filled"},
    "row": {"shape": "box", "style": "rounded,filled", "peripheries": "2"},
}

#: What the legend says of each kind, and the style of the border of its sample.
LEGEND = {
    "parameter": ("SOLID", "requires a gradient"),
    "input": ("DASHED", "constant"),
    "operation": ("ROUNDED", "operation"),
    "output": ("ROUNDED", "output"),
    "module": ("SOLID", "module, closed"),
    "row": ("ROUNDED", "several operations"),
}
