"""The values of an array for the eye: a table of few, a heat map of a matrix, a histogram, and the figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..inspection.summary import Summary, summarize
from .html import Html, tag
from .text import number

__all__ = ["facts", "heat_map", "histogram", "values_html"]

#: A matrix is shown with all its values up to so many rows and columns; of a longer axis, EDGE at each end.
ALL, EDGE = 10, 3

#: Up to so many elements, no histogram says more than they do.
FEW = 10

#: From low to high, cividis: its lightness alone orders it, for every eye and in print.
_COLOURS = (
    *("#00224e", "#0a3070", "#2a3f6d", "#434e6c", "#575d6d", "#696d71", "#7d7c78", "#928c78"),
    *("#a69d75", "#bcae6c", "#d3c164", "#e9d458", "#fee838"),
)


def values_html(array: Any) -> list[Html]:
    """What to show of an array: all its values or its corners, a heat map, a histogram, as far as they say anything."""
    if array.size == 0:
        return [tag("span", "no elements", class_="wg-quiet")]
    if array.ndim == 0:
        return [tag("span", number(str(array[()])), class_="wg-name")]
    found, parts = summarize(array), []
    if array.ndim <= 2 and array.size <= ALL * ALL * 10:
        parts.append(_table(array))
    elif array.size <= ALL * ALL:
        text = np.array2string(array, threshold=ALL * ALL, precision=4, separator=", ")
        parts.append(tag("pre", text, style="margin:0;line-height:1.35"))
    if found["grid"] is not None and found["mean"] is not None and min(array.shape) > 1 and array.size > ALL * ALL:
        parts.append(heat_map(found))
    if array.size > FEW:
        parts += [part for part in (histogram(found), facts(found)) if part is not None]
    return parts


def _shown(n: int) -> list[int | None]:
    """The indices of an axis that are shown; None stands for those that are left out."""
    return list(range(n)) if n <= ALL else [*range(EDGE), None, *range(n - EDGE, n)]


def _table(array: Any) -> Html:
    rows = array[np.newaxis] if array.ndim == 1 else array
    columns = _shown(rows.shape[1])
    head = tag("tr", tag("th") if array.ndim == 2 else None, [tag("th", "…" if j is None else j) for j in columns])
    body = []
    for i in _shown(rows.shape[0]):
        cells = [tag("td", "…" if i is None or j is None else number(rows[i, j])) for j in columns]
        body.append(tag("tr", tag("th", "…" if i is None else i) if array.ndim == 2 else None, cells))
    return tag("table", tag("thead", head), tag("tbody", body))


def heat_map(found: Summary) -> Html:
    """A picture of a matrix: each cell is the mean of a block of its elements; × where one is not finite."""
    grid = found["grid"]
    assert grid is not None
    rows, columns = len(grid), len(grid[0])
    means = [mean for row in grid for mean in row if mean is not None]
    low, high = (min(means), max(means)) if means else (0.0, 0.0)
    paths: dict[str, list[str]] = {}
    crosses = []
    for i, row in enumerate(grid):
        j = 0
        while j < columns:
            colour, start = _colour(row[j], low, high), j
            while j < columns and _colour(row[j], low, high) == colour:
                j += 1
            if colour is None:
                crosses += [f"M{4 * k + 1} {4 * i + 1}l2 2m0-2l-2 2" for k in range(start, j)]
            else:
                paths.setdefault(colour, []).append(f"M{start} {i}h{j - start}v1h-{j - start}z")
    drawn = [tag("path", d="".join(path), fill=colour) for colour, path in paths.items()]
    if crosses:
        cross = tag("path", d="".join(crosses), stroke="currentColor", stroke_width=0.6, transform="scale(.25)")
        drawn.append(cross)
    # the shape of the matrix, as far as it is one that can be looked at
    ratio = min(max(found["shape"][0] / found["shape"][1], 0.3), 2.0)
    width = min(150.0, 150.0 / ratio)
    picture = tag(
        "svg",
        drawn,
        viewBox=f"0 0 {columns} {rows}",
        width=round(width),
        height=round(width * ratio),
        preserveAspectRatio="none",
        shape_rendering="crispEdges",
        role="img",
        aria_label=f"heat map from {number(low)} to {number(high)}",
    )
    block = [-(-n // k) for n, k in zip(found["shape"], (rows, columns))]
    even = all(n % k == 0 for n, k in zip(found["shape"], (rows, columns)))
    said = "a cell is an element"
    if block != [1, 1]:
        said = f"a cell is the mean of {'' if even else 'at most '}{block[0]} × {block[1]}"
        said += " absolute values" if found["absolute"] else ""
    ramp = tag(
        "span",
        style=f"background:linear-gradient(90deg,{','.join(_COLOURS)});display:inline-block;"
        "width:44px;height:8px;margin:0 5px",
    )
    scale = tag("span", number(low), ramp, number(high), style="white-space:nowrap") if means else None
    return tag("figure", picture, tag("figcaption", scale, tag("br"), said, style="max-width:165px"))


def _colour(mean: float | None, low: float, high: float) -> str | None:
    if mean is None:
        return None
    width = high / 2 - low / 2  # the width itself might overflow
    share = (mean / 2 - low / 2) / width if width > 0 else 0.5
    return _COLOURS[min(int(share * len(_COLOURS)), len(_COLOURS) - 1)]


def histogram(found: Summary, height: int = 48) -> Html | None:
    """The distribution of the finite elements, with its range below; None if there are none."""
    if found["histogram"] is None:
        return None
    counts, edges = found["histogram"]["counts"], found["histogram"]["edges"]
    width, most = 150, max(counts)
    step = width / len(counts)
    bars = "".join(
        f"M{k * step:.1f} {height}v-{max(height * n / most, 1):.1f}h{max(step - 1, step * 0.6):.1f}V{height}z"
        for k, n in enumerate(counts)
        if n
    )
    drawn = [
        tag("path", d=bars, fill="var(--wg-1,#0072b2)"),
        tag("path", d=f"M0 {height + 0.5}H{width}", stroke="currentColor", stroke_opacity=0.5),
    ]
    if isinstance(edges[0], float) and isinstance(edges[-1], float) and edges[0] < 0 < edges[-1] and not _whole(found):
        # where zero is
        zero = width * (-edges[0] / 2) / (edges[-1] / 2 - edges[0] / 2)
        drawn.append(tag("path", d=f"M{zero:.1f} {height}v5", stroke="currentColor", stroke_opacity=0.8))
    picture = tag(
        "svg",
        drawn,
        viewBox=f"0 0 {width} {height + 5}",
        width=width,
        height=height + 5,
        role="img",
        aria_label=f"histogram from {number(edges[0])} to {number(edges[-1])}",
    )
    ends = tag(
        "figcaption",
        tag("span", number(found["min"])),
        tag("span", number(found["max"])),
        style=f"display:flex;justify-content:space-between;width:{width}px",
    )
    return tag("figure", picture, ends)


def _whole(found: Summary) -> bool:
    """Whether the elements are integers or booleans, which may have a bin each."""
    return isinstance(found["min"], int)


def facts(found: Summary) -> Html:
    """Mean, deviation, and how many elements are zero or not finite."""
    of = " |z|" if found["absolute"] else ""
    rows = []
    if found["mean"] is not None:
        rows += [(f"mean{of}", number(found["mean"])), (f"std{of}", number(found["std"]))]
    counts = (("zeros", found["zeros"]), ("NaN", found["nan"]), ("infinite", found["infinite"]))
    rows += [(name, _share(n, found["size"])) for name, n in counts if n or name == "zeros"]
    body = [
        tag("tr", tag("th", name, class_="wg-left"), tag("td", text, class_="wg-mark" if name in _ALARM else None))
        for name, text in rows
    ]
    return tag("table", tag("tbody", body))


#: What a reader must not miss.
_ALARM = frozenset({"NaN", "infinite"})


def _share(n: int, size: int) -> str:
    """A count, and its share where that says more."""
    return f"{n:,}" if n < 10 else f"{n:,} ({100 * n / size:.3g} %)"
