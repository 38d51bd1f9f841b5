"""HTML that is safe by construction: what is not marked as HTML is text, and is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from .text import shortened

__all__ = ["Html", "document", "fragment", "joined", "tag"]


class Html(str):
    """Text that is HTML already. Everything else that `tag` is given is escaped."""

    __slots__ = ()


#: Elements that have no end tag.
_VOID = frozenset({"meta", "br", "hr"})


def tag(name: str, /, *children: Any, **attributes: Any) -> Html:
    """An element. Children that are not `Html` are text; lists of children are put in; None is left out.

    An attribute `class_` is `class`, and `_` in others is `-`; one that is None or False is left out.

    Examples
    --------
    >>> from autograd.display.html import tag
    >>> tag("p", "a < b", tag("b", '"bold"'), class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b<b>&quot;bold&quot;</b></p>'
    """
    words = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(key)
        elif value is not None and value is not False:
            words.append(f'{key}="{escape(str(value))}"')
    start = f"<{' '.join(words)}>"
    return Html(start) if name in _VOID else Html(f"{start}{joined(children)}</{name}>")


def joined(children: Iterable[Any]) -> Html:
    """Children one after the other."""
    parts: list[str] = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, list | tuple):
            parts.append(joined(child))
        else:
            parts.append(child if isinstance(child, Html) else escape(str(child)))
    return Html("".join(parts))


def fragment(*children: Any) -> Html:
    """What a notebook shows in the output of a cell: the children in a box with our style."""
    return tag("div", tag("style", Html(_STYLE)), *children, class_="wengert")


def document(title: str, *children: Any, head: Iterable[Html] = ()) -> Html:
    """A whole page in one file: it loads nothing, runs nothing, and follows the reader's light or dark theme."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", shortened(title, 120)),
        tag("style", Html(_PAGE)),
        *head,
    ]
    body = tag("body", fragment(*children))
    return Html("<!DOCTYPE html>\n" + tag("html", tag("head", *head), body, lang="en") + "\n")


# The class is written twice where a notebook has rules of its own, for tables and headings, which would win otherwise.
# The ink is the notebook's. The two colours, blue and orange, differ for every eye; they are lighter where the
# background is dark.
_STYLE = """
.wengert{--wg-1:#0072b2;--wg-2:#d55e00;--wg-line:rgba(128,128,128,.32);--wg-soft:rgba(128,128,128,.1);
font:13px/1.5 var(--jp-ui-font-family,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif);color:inherit;
font-variant-numeric:tabular-nums;overflow-x:auto}
[data-jp-theme-light="false"] .wengert,.vscode-dark .wengert,html[theme=dark] .wengert{--wg-1:#56b4e9;--wg-2:#e69f00}
.wengert .wg-head{display:flex;flex-wrap:wrap;gap:2px 10px;align-items:baseline;margin:2px 0 6px}
.wengert .wg-name{font-weight:600}
.wengert .wg-code,.wengert pre{font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);
font-size:12px}
.wengert .wg-quiet{opacity:.68}
.wengert .wg-chip{border:1px solid var(--wg-line);border-radius:9px;padding:0 7px;font-size:11px;white-space:nowrap}
.wengert .wg-mark{border-color:var(--wg-2);color:var(--wg-2)}
.wengert .wg-row{display:flex;flex-wrap:wrap;gap:10px 26px;align-items:flex-start;margin:4px 0}
.wengert figure{margin:0}.wengert figcaption{font-size:11px;opacity:.68;margin-top:2px}
.wengert svg{display:block;max-width:100%;overflow:visible}
.wengert.wengert table{border-collapse:collapse;margin:0;font-size:12px;border:0;width:auto}
.wengert.wengert th,.wengert.wengert td{padding:1px 8px;border:0;text-align:right;white-space:nowrap;background:none;
vertical-align:baseline;max-width:none}
.wengert.wengert tbody tr:nth-child(n),.wengert.wengert thead tr{background:none}
.wengert.wengert thead th{font-weight:500;opacity:.68;border-bottom:1px solid var(--wg-line)}
.wengert.wengert tbody th{font-weight:400;opacity:.6}
.wengert.wengert .wg-left{text-align:left}
.wengert.wengert tbody tr:nth-child(n):hover{background:var(--wg-soft)}
.wengert details{margin:0}.wengert summary{cursor:pointer}
.wengert .wg-inside{margin-left:9px;padding-left:14px;border-left:1px solid var(--wg-line)}
.wengert .wg-leaf{padding-left:17px}
.wengert.wengert h2{font-size:15px;font-weight:600;margin:30px 0 8px}
.wengert p{margin:4px 0;max-width:46em}
"""

_PAGE = """
:root{color-scheme:light dark}
body{margin:0 auto;padding:24px 20px 60px;max-width:1080px;background:#fff;color:#1c2126}
h1{font-size:22px;font-weight:600;margin:0 0 4px}
@media (prefers-color-scheme:dark){body{background:#14181c;color:#d9dee3}
body .wengert{--wg-1:#56b4e9;--wg-2:#e69f00}}
@media print{body{max-width:none;padding:0;background:#fff;color:#000}body .wengert{--wg-1:#0072b2;--wg-2:#d55e00}}
"""
