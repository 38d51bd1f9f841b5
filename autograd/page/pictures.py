"""What a page holds of an array: the summary of `autograd.inspection`, packed into few bytes, each one only once."""

from __future__ import annotations

import base64
import json
import weakref
from typing import Any

import numpy as np

from ..inspection.summary import Summary, summarize

__all__ = ["Pictures", "packed"]

#: The largest step of a packed grid; one more stands for a block that is not finite.
STEPS = 254


class Pictures:
    """The summaries of a page, by number: equal ones, such as a gradient of one part and this part, share theirs."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}
        self._seen: dict[int, tuple[weakref.ref[Any], int]] = {}

    def add(self, array: Any) -> int:
        """The number of the summary of `array`."""
        known = self._seen.get(id(array))
        if known is not None and known[0]() is array:  # not another one with the id of one that is gone
            return known[1]
        found = packed(summarize(array))
        place = self._places.setdefault(json.dumps(found), len(self.all))
        if place == len(self.all):
            self.all.append(found)
        if isinstance(array, np.ndarray):
            self._seen[id(array)] = weakref.ref(array), place
        return place


def packed(found: Summary) -> dict[str, Any]:
    """A summary without what is not there, its numbers with five digits, its grid as bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.inspection import summarize
    >>> from autograd.page.pictures import packed
    >>> packed(summarize(np.array([1 / 3, 0.0])))["values"], packed(summarize(np.array(1 / 3)))["mean"]
    ([0.3333333333333333, 0.0], 0.33333)
    """
    plain: dict[str, Any] = {**found}
    page: dict[str, Any] = {"size": found["size"]}
    page |= {key: plain[key] for key in ("zeros", "nan", "infinite", "absolute") if plain[key]}
    if found["values"] is not None:
        page["values"] = found["values"]
    if found["min"] is not None:
        page |= {key: _short(plain[key]) for key in ("min", "max", "mean", "std")}
    if found["histogram"] is not None and found["values"] is None and found["min"] != found["max"]:
        counts, edges = found["histogram"]["counts"], found["histogram"]["edges"]
        page["bins"], page["from"], page["to"] = counts, _short(edges[0]), _short(edges[-1])
    if found["grid"] is not None:
        page["grid"] = _packed_grid(found["grid"])
    return page


def _short(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _packed_grid(rows: list[list[Any]]) -> dict[str, Any]:
    """−scale … scale as 0 … 254, and 255 where a block is not finite."""
    grid = np.array(rows, dtype=float)  # None becomes NaN
    finite = np.isfinite(grid)
    scale = float(np.abs(grid, where=finite, out=np.zeros_like(grid)).max(initial=0.0))
    steps = np.full(grid.shape, STEPS + 1, dtype=np.uint8)
    steps[finite] = np.rint((grid[finite] / (scale or 1.0) + 1) * (STEPS / 2))
    cells = base64.b64encode(steps.tobytes()).decode()
    return {"rows": grid.shape[0], "columns": grid.shape[1], "scale": _short(scale), "cells": cells}
