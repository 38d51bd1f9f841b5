"""Numbers and names as short texts for a reader."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["counted", "memory", "number", "shortened"]


def number(value: Any) -> str:
    """A number for a reader, in four digits: '1.234e-05', '−3', 'NaN', '∞'.

    Examples
    --------
    >>> from autograd.display.text import number
    >>> [number(x) for x in (0.1, -123456.0, 7, float("nan"), float("-inf"), 1 / 3 - 2j, True)]
    ['0.1', '−1.235e+05', '7', 'NaN', '−∞', '0.3333−2j', 'True']
    """
    if isinstance(value, str):  # a number written already: in all its digits, or as JSON could not
        return value.replace("-", "−").replace("inf", "∞").replace("nan", "NaN")
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return f"{int(value):,}".replace("-", "−") if abs(int(value)) < 10**9 else number(f"{float(value):.4g}")
    if isinstance(value, complex | np.complexfloating):
        return number(f"{complex(value):.4g}")
    return number(f"{float(value):.4g}")


def shortened(text: Any, length: int = 60) -> str:
    """A text on one line, with its middle left out if it is long: a name may be anything.

    Examples
    --------
    >>> from autograd.display.text import shortened
    >>> shortened("abcdefghijklmnopqrstuvwxyz", 9)
    'abcd…wxyz'
    """
    text = str(text)
    if len(text) > length:
        half = length // 2
        text = f"{text[:half]}…{text[-half:]}"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def memory(n: int) -> str:
    """A number of bytes for a reader: '144.1 KiB'."""
    size = float(n)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{n} B" if unit == "B" else f"{size:,.1f} {unit}"


def counted(n: int, noun: str) -> str:
    """A number of things: '1 step', '1,200 steps'."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
