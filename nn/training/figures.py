"""The pictures of a training, as SVG that goes into HTML: matplotlib draws them, in the colours of the page.

What a picture shows are plain lists and dicts, as `TrainingView` collects them.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.display.html import Html, joined, tag
from autograd.display.text import number, shortened

from .history import History

__all__ = ["curves", "norms", "require_matplotlib", "weights"]

#: What stands for the ink of the page, and for its two colours, until the SVG is written.
INK, FIRST, SECOND = "#010203", "#0072b2", "#d55e00"
_PAGE = {INK: "currentColor", FIRST: f"var(--wg-1,{FIRST})", SECOND: f"var(--wg-2,{SECOND})"}

#: matplotlib's settings; a name with dollar signs is no formula.
_SETTINGS: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "font.family": "sans-serif",
    "font.size": 8.5,
    "grid.color": "#808080",
    "grid.linewidth": 0.5,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "wengert",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}

#: How many parameters have a picture of their weights, and how many ridges it has at most; how many layers have a name.
_WEIGHTS, _RIDGES, _LABELS = 24, 8, 32

#: How many measures have a picture of their curves.
_MEASURES = 24

#: How many columns a picture of sizes has at most, and how many letters a layer's name.
_COLUMNS, _LETTERS = 256, 22

#: Of which measures more is better; of a loss, less is.
_MORE_IS_BETTER = frozenset({"accuracy", "precision", "recall", "f1", "roc_auc"})

#: The lines of groups of parameters.
_LINES = ("-", "--", ":", "-.")


def require_matplotlib() -> None:
    """Say at once if there is nothing to draw with; and load it, so that no time of drawing is spent on that."""
    try:
        import matplotlib.figure
        import matplotlib.style  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'pictures are drawn by matplotlib, which is missing here: `pip install "wengert[examples]"` ({error}).'
        ) from None


class _Panels(NamedTuple):
    """Equal panels in rows and columns, in inches, with what is around each of them for its labels."""

    rows: int
    columns: int
    width: float
    height: float
    left: float = 0.55
    right: float = 0.1
    top: float = 0.3
    bottom: float = 0.5

    def figure(self) -> Any:
        """An empty figure. Its layout is reckoned here: matplotlib's takes long."""
        from matplotlib.figure import Figure

        across, down = self.left + self.width + self.right, self.top + self.height + self.bottom
        size = (across * self.columns, down * self.rows)
        figure = Figure(size)
        figure.subplots_adjust(
            left=self.left / size[0],
            right=1 - self.right / size[0],
            top=1 - self.top / size[1],
            bottom=self.bottom / size[1],
            wspace=(across - self.width) / self.width,
            hspace=(down - self.height) / self.height,
        )
        return figure


def drawn(panels: _Panels, draw: Callable[[Any], None]) -> Html:
    """The SVG of panels that `draw` has drawn into; it is given their axes, row after row."""
    require_matplotlib()
    from matplotlib import style

    with style.context(["default", _SETTINGS]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # names in any script: the browser has their letters
        figure = panels.figure()
        draw(figure.subplots(panels.rows, panels.columns, squeeze=False).ravel())
        file = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="(?![pm][0-9a-f]{10})[^"]*"', "", text)  # these would be there in each picture again
    text = re.sub(r' d="([^"]*)"', _rounded, text)
    for stand_in, colour in _PAGE.items():
        text = text.replace(stand_in, colour)
    return Html(text.replace("<svg", '<svg style="height:auto"', 1))  # in proportion also where it is narrow


def _rounded(path: re.Match[str]) -> str:
    """A path to a hundredth of a point."""
    return re.sub(r"(\.\d\d)\d+", r"\1", path[0]).replace(" \n", "")


def curves(history: History, rates: Sequence[tuple[float, Sequence[float]]] = ()) -> Html:
    """Each measure over the epochs, training and validation, with its best epoch; then the learning rates.

    Parameters
    ----------
    history : History
    rates : sequence of (float, sequence of float)
        The place of a step, in epochs, and the learning rate of each group of parameters there.
    """
    measured = history._kinds()
    kinds = measured[:_MEASURES]
    panels = len(kinds) + bool(rates)
    if not panels:
        return Html("")
    columns = min(panels, 3)
    shown = History({name: column for name, column in history.items() if name.removeprefix("validation ") in kinds})

    def draw(axes: Any) -> None:
        if kinds:
            shown.plot(axes[: len(kinds)])
        for ax, kind in zip(axes, kinds):
            ax.set_title(shortened(kind, 30))
            _mark_best(ax, history, kind)
        if rates:
            _draw_rates(axes[len(kinds)], rates)
        for ax in axes[panels:]:
            ax.set_axis_off()

    picture = drawn(_Panels(-(-panels // columns), columns, 2.9, 1.8), draw)
    return joined([picture, few_of(len(kinds), len(measured), "measures")])


def few_of(shown: int, there: int, what: str) -> Html | None:
    """That not all of them are shown; None if they are."""
    return tag("p", f"{shown} of {there:,} {what}.", class_="wg-quiet") if shown < there else None


def _mark_best(ax: Any, history: History, kind: str) -> None:
    """A ring at the best epoch, which the right of the title names; of measures known to have one."""
    name = f"validation {kind}" if history._numeric(f"validation {kind}") else kind
    if kind.split()[-1:] != ["loss"] and kind not in _MORE_IS_BETTER:
        return
    try:
        epoch = history.best(name, "max" if kind in _MORE_IS_BETTER else "min")
    except ValueError:  # it has always been NaN
        return
    value = history[name][epoch - 1]
    colour = FIRST if name == kind else SECOND
    ax.plot([epoch], [value], "o", markersize=7, markerfacecolor="none", markeredgecolor=colour, label="_best")
    ax.set_title(f"best {number(value)}, epoch {epoch}", loc="right", fontsize=8)


def _draw_rates(ax: Any, rates: Sequence[tuple[float, Sequence[float]]]) -> None:
    places = [place for place, _ in rates]
    groups = max(len(values) for _, values in rates)
    lines = [[values[k] if k < len(values) else math.nan for _, values in rates] for k in range(groups)]
    distinct: dict[tuple[float, ...], str] = {}
    for k, values in enumerate(lines):
        distinct.setdefault(tuple(values), f"group {k}")
    shown = list(distinct.items())[: 2 * len(_LINES)]
    for k, (line, label) in enumerate(shown):
        ax.plot(places, line, _LINES[k // 2], color=(FIRST, SECOND)[k % 2], label=label)
    known = [value for line in lines for value in line if 0 < value < math.inf]
    if known and len(known) == len(lines) * len(rates) and max(known) > 30 * min(known):
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(lambda value, _: "")
    else:
        ax.set_ylim(0, 1.08 * max(known, default=1.0))
    if len(distinct) > 1:
        ax.legend(frameon=False)
    ax.set_title("learning rate" if len(shown) == len(distinct) else f"learning rate, {len(shown)} of {len(distinct)}")
    ax.set_xlabel("epoch")
    ax.grid(alpha=0.3)


def norms(kinds: Mapping[str, Sequence[tuple[int, Mapping[str, float]]]]) -> Html:
    """How large activations and gradients are: a line for each layer, a column for each epoch, the last in figures.

    Parameters
    ----------
    kinds : mapping of str to sequence of (int, mapping of str to float)
        For each title the epochs, and in each of them the layers with their sizes.
    """
    names = {kind: list(dict.fromkeys(name for _, sizes in epochs for name in sizes)) for kind, epochs in kinds.items()}
    letters = max((len(name) for layers in names.values() for name in layers), default=1)
    height = min(0.2 * max(3, *map(len, names.values())), 5.0)
    panels = _Panels(1, len(kinds), 1.75, height, left=0.15 + 0.075 * min(letters, _LETTERS), right=0.75)

    def draw(axes: Any) -> None:
        for ax, (kind, epochs) in zip(axes, kinds.items()):
            ax.set_title(kind)
            _draw_sizes(ax, epochs, names[kind])

    return drawn(panels, draw)


def _draw_sizes(ax: Any, epochs: Sequence[tuple[int, Mapping[str, float]]], names: Sequence[str]) -> None:
    first, last = epochs[0][0], epochs[-1][0]
    columns = [sizes for _, sizes in _spread(epochs, min(last - first + 1, _COLUMNS))]
    table = np.array([[sizes.get(name, math.nan) for sizes in columns] for name in names], dtype=float)
    table = table.reshape(len(names), len(columns))
    known = np.isfinite(table) & (table > 0)
    if not known.any():
        ax.set_axis_off()
        return
    logarithms = np.log10(table, out=np.full(table.shape, math.nan), where=known)
    low, high = float(np.nanmin(logarithms)), float(np.nanmax(logarithms))
    middle, reach = (low + high) / 2, max((high - low) / 2, 0.5)  # small differences are not to look large
    ax.imshow(
        np.ma.masked_invalid(logarithms),
        cmap="cividis",
        vmin=middle - reach,
        vmax=middle + reach,
        aspect="auto",
        interpolation="none",
        extent=(first - 0.5, last + 0.5, len(names) - 0.5, -0.5),
    )
    every = -(-len(names) // _LABELS)
    places = range(0, len(names), every)
    ax.set_yticks(places, [shortened(names[k], _LETTERS) for k in places])
    right = ax.twinx()
    right.set_ylim(ax.get_ylim())
    right.set_yticks(places, [number(table[k, -1]) for k in places])
    for side in (ax, right):
        side.tick_params(length=0, axis="y")
        side.spines[:].set_visible(False)
    ax.set_xlabel("epoch")
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def weights(epochs: Sequence[tuple[int, Mapping[str, Mapping[str, Any]]]]) -> Html:
    """How the weights are distributed: for each parameter a ridge for each of some epochs, the last in front.

    Parameters
    ----------
    epochs : sequence of (int, mapping of str to Histogram)
        Of each epoch the histograms of the parameters.
    """
    names = list(dict.fromkeys(name for _, found in epochs for name in found))
    shown = [names[k] for k in sorted({round(k) for k in np.linspace(0, len(names) - 1, _WEIGHTS)})]
    chosen = list(dict(_spread(epochs, _RIDGES)).items())
    columns = min(len(shown), 4)

    def draw(axes: Any) -> None:
        for k, (ax, name) in enumerate(zip(axes, shown)):
            ax.set_title(shortened(name, 30))
            _draw_ridges(ax, [(epoch, found[name]) for epoch, found in chosen if name in found], k % columns == 0)
        for ax in axes[len(shown) :]:
            ax.set_axis_off()

    picture = drawn(_Panels(-(-len(shown) // columns), columns, 1.9, 1.6, left=0.5, bottom=0.4), draw)
    return joined([picture, few_of(len(shown), len(names), "parameters")])


def _spread(epochs: Sequence[tuple[int, Any]], count: int) -> list[tuple[int, Any]]:
    """What was found after epochs that are as evenly spread as can be: of some nothing may be kept."""
    known = [epoch for epoch, _ in epochs]
    wanted = np.linspace(known[0], known[-1], count).round()
    return [epochs[k] for k in np.searchsorted(known, wanted, side="right") - 1]


def _draw_ridges(ax: Any, ridges: Sequence[tuple[int, Mapping[str, Any]]], labelled: bool) -> None:
    outlines = [_outline(found) for _, found in ridges]
    most = max((float(height.max()) for _, height in outlines), default=0.0)
    for k, (x, height) in enumerate(outlines):
        base = len(outlines) - 1 - k
        colour = SECOND if k == len(outlines) - 1 else FIRST
        ax.fill(x, base + 1.8 * height / most, facecolor=(colour, 0.5), edgecolor=colour, linewidth=0.8, zorder=k)
    labels = [str(epoch) for epoch, _ in reversed(ridges)] if labelled else []
    ax.set_yticks(range(len(labels)), labels)
    if labelled:
        ax.set_ylabel("epoch")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4)


def _outline(found: Mapping[str, Any]) -> tuple[Any, Any]:
    """The corners of a histogram: each height is the share of the elements for each unit of the axis."""
    counts, edges = np.asarray(found["counts"], dtype=float), np.asarray(found["edges"], dtype=float)
    if len(counts) == 1 or np.diff(edges).min() <= 0:  # all elements are equal, as far as an edge can tell
        reach = abs(edges[0]) * 0.02 or 0.02
        counts, edges = counts.sum(keepdims=True), np.array([edges[0] - reach, edges[0] + reach])
    heights = counts / counts.sum() / np.diff(edges)
    return np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])
