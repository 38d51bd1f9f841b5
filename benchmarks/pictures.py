"""The pictures of the page docs/benchmarks.md: vector graphics that can be read without colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from found import (
    HAND,
    JAX,
    OURS,
    TORCH,
    Results,
    cores,
    digest,
    duration,
    first_chain,
    imported,
    networks,
    short,
)
from measuring import PASSES

__all__ = ["PICTURES", "draw"]

#: How each library is drawn: colour (Okabe and Ito's), marker, line; to be told apart in grey as well.
STYLES = {
    HAND: ("#000000", "_", (0, (1, 1.2))),
    OURS: ("#D55E00", "o", "-"),
    TORCH: ("#0072B2", "s", "-"),
    JAX: ("#009E73", "^", "--"),
    "HIPS autograd": ("#CC79A7", "D", "-."),
    "MyGrad": ("#56B4E9", "v", (0, (5, 1.5))),
    "DeZero": ("#8A6D00", "X", (0, (3, 1, 1, 1, 1, 1))),
}


def style(label: str, **more: Any) -> dict[str, Any]:
    """How the lines and points of a library look."""
    colour, marker, dashes = STYLES[label]
    width = {OURS: 2.2}.get(label, 1.2)
    given = {"color": colour, "marker": marker, "linestyle": dashes, "linewidth": width, "markersize": 6}
    if marker == "_":
        given |= {"markersize": 9, "markeredgewidth": 2}
    return {**given, "label": label, **more}


def draw_chain(results: Results, plt: Any) -> Any:
    """One small operation, forward and with its derivative."""
    pairs = first_chain(results)
    if not pairs:
        return None
    (n, numbers), *_ = pairs
    passes = [results.row("", "chain", part, 3 * n, n=n, size=numbers) for part in PASSES]
    labels = sorted(passes[1].values, key=lambda label: -(passes[1].middle(label) or 0))
    if not labels:
        return None
    figure, axes = plt.subplots(figsize=(7.2, 0.42 * len(labels) + 1.1))
    for row, face, name in zip(passes, ("white", "#555555"), PASSES):
        medians = [row.middle(label) for label in labels]
        low, high = zip(*(quartiles(row.values[label]) for label in labels), strict=True)
        positions = np.arange(len(labels))
        axes.hlines(positions, np.array(low) * 1e6, np.array(high) * 1e6, color="#555555", linewidth=3, alpha=0.4)
        axes.plot(
            np.array(medians) * 1e6, positions, "o", color="#333333", markerfacecolor=face, markersize=8, label=name
        )
    for k, label in enumerate(labels):
        axes.text(
            (passes[1].middle(label) or 0) * 1e6 * 1.25, k, duration(passes[1].middle(label)), va="center", fontsize=9
        )
    axes.set_xscale("log")
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * 2)
    axes.set_yticks(range(len(labels)), labels, fontsize=10)
    bold(axes.get_yticklabels())
    plain_ticks(axes.xaxis)
    axes.set_xlabel("µs for each operation (logarithmic)")
    axes.set_title(f"A chain of {3 * n} operations on {numbers} numbers", loc="left", fontsize=11)
    axes.legend(frameon=False, loc="lower left", fontsize=9)
    return figure


def draw_sizes(results: Results, plt: Any) -> Any:
    """An operation on arrays of more numbers, in multiples of PyTorch's."""
    counts = results.cases("chain", "size")
    if len(counts) < 2:
        return None
    figure, axes = plt.subplots(figsize=(7.2, 3.8))
    for label in results.labels:
        points = []
        for count in counts:
            per = 3 * results.of("chain", size=count)[0]["case"]["n"]
            row = results.row("", "chain", PASSES[1], per, size=count)
            if row.middle(label) is not None:
                points.append((count, (row.middle(label) or 0) * 1e6))
        axes.plot(*zip(*points, strict=True), **style(label))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("numbers in each array")
    axes.set_ylabel("µs for each operation")
    plain_ticks(axes.yaxis)
    axes.set_title("Forward + backward, on arrays of more numbers, one core", loc="left", fontsize=11)
    beside(axes)
    return figure


def draw_networks(results: Results, plt: Any) -> Any:
    """The training steps, in multiples of PyTorch's, or of NumPy's where there is no PyTorch."""
    cases = list(networks(results))
    if not cases:
        return None
    base = TORCH if TORCH in results.labels else HAND
    counts = sorted({threads for *_, threads in cases})
    figure, all_axes = plt.subplots(1, len(counts), figsize=(8, 4.0), sharey=True, squeeze=False)
    for axes, threads in zip(all_axes[0], counts):
        here = [(sizes, batch) for sizes, batch, t in cases if t == threads]
        for label in results.labels:
            points = []
            for k, (sizes, _) in enumerate(here):
                value = results.row("", "network", "step", sizes=sizes, threads=threads).over(label, base)
                if value is not None:
                    points.append((k, value))
            if points:
                axes.plot(*zip(*points, strict=True), **style(label))
        axes.axhline(1, color="#999999", linewidth=0.8, zorder=0)
        axes.set_yscale("log")
        axes.set_xticks(range(len(here)), [short(*network_) for network_ in here], rotation=28, ha="right", fontsize=8)
        axes.set_title(cores(threads).capitalize(), loc="left", fontsize=11)
    all_axes[0][0].set_ylabel(f"time of a step × {base}")
    plain_ticks(all_axes[0][0].yaxis, (1, 2, 5))
    beside(all_axes[0][-1])
    return figure


def draw_growing(results: Results, plt: Any) -> Any:
    """Graphs of more and more operations: the time of each."""
    tasks = [task for task in ("products", "tree") if results.of(task)]
    if not tasks:
        return None
    figure, all_axes = plt.subplots(1, len(tasks), figsize=(8, 3.9), sharey=True, squeeze=False)
    titles = {"products": "One behind the other", "tree": "Side by side"}
    for axes, task in zip(all_axes[0], tasks):
        for label in results.labels:
            points = []
            for n in results.cases(task, "n"):
                count = n if task == "products" else 2 * n
                middle = results.row("", task, "all", count, n=n).middle(label)
                if middle is not None:
                    points.append((count, middle * 1e6))
            if points:
                axes.plot(*zip(*points, strict=True), **style(label))
                if any(f["peer"] == label and "failure" in f for f in results.of(task)):
                    axes.annotate(
                        "ends here", points[-1], xytext=(6, 8), textcoords="offset points", fontsize=8,
                        color=STYLES[label][0],
                    )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("operations in the graph")
        axes.set_title(titles[task], loc="left", fontsize=11)
    all_axes[0][0].set_ylabel("µs for each operation")
    plain_ticks(all_axes[0][0].yaxis)
    beside(all_axes[0][-1])
    return figure


def draw_memory(results: Results, plt: Any) -> Any:
    """Memory held after the forward pass, and at most."""
    kinds = results.cases("memory", "kind")
    labels = [
        label for label in results.labels if any(f["peer"] == label and f.get("peak") for f in results.of("memory"))
    ]
    if not kinds or not labels:
        return None
    figure, all_axes = plt.subplots(1, len(kinds), figsize=(8, 0.4 * len(labels) + 1.3), sharey=True, squeeze=False)
    positions = np.arange(len(labels))[::-1]
    for axes, kind in zip(all_axes[0], kinds):
        for part, height, colour, name in (
            ("peak", 0.72, "#D0D0D0", "at most"),
            ("held", 0.4, "#444444", "held after forward"),
        ):
            row = results.bytes("", "memory", part, kind=kind)
            values = [max(0.0, (row.middle(label) or 0) / 1e6) for label in labels]
            axes.barh(positions, values, height, color=colour, label=name)
        axes.set_title(kind, loc="left", fontsize=10, family="monospace")
        axes.set_xlabel("MB")
    all_axes[0][0].set_yticks(positions, labels)
    bold(all_axes[0][0].get_yticklabels())
    handles, names = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, ncols=2, loc="outside upper right", fontsize=9)
    return figure


def draw_import(results: Results, plt: Any) -> Any:
    """The time of a process that imports a library."""
    row = imported(results)
    labels = sorted(row.values, key=lambda label: -(row.middle(label) or 0))
    if not labels:
        return None
    figure, axes = plt.subplots(figsize=(7.2, 0.36 * len(labels) + 0.9))
    values = [(row.middle(label) or 0) * 1e3 for label in labels]
    axes.barh(range(len(labels)), values, 0.6, color=["#D55E00" if label == OURS else "#AAAAAA" for label in labels])
    for k, value in enumerate(values):
        axes.text(value, k, f" {value:.0f} ms", va="center", fontsize=9)
    statements = {label: f["case"]["statement"] for f in results.of("import") if (label := f["peer"]) in labels}
    statements[OURS] = "import autograd"
    statements[HAND] = "import numpy"
    axes.set_yticks(range(len(labels)), [f"{label}: {statements[label]}" for label in labels], fontsize=9)
    bold(axes.get_yticklabels())
    axes.set_xlim(0, max(values) * 1.15)
    axes.set_xlabel("ms, from the start of Python to its end")
    return figure


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The middle half."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(low), float(high)


def bold(texts: Sequence[Any]) -> None:
    """Our own line stands out."""
    for text in texts:
        if text.get_text().split(":")[0] == OURS:
            text.set_fontweight("bold")


def beside(axes: Any) -> None:
    """The legend stands at the right of the last panel."""
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=3.2)


def plain_ticks(axis: Any, parts: tuple[int, ...] = (1,)) -> None:
    """Numbers along an axis as they are, not as powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=parts))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


#: File name -> (what draws it, what it shows).
PICTURES: dict[str, tuple[Callable[[Results, Any], Any], str]] = {
    "operation": (
        draw_chain,
        "The time of one small operation in each library, forward alone and with the backward pass.",
    ),
    "sizes": (draw_sizes, "The time of one operation over the number of elements, a line for each library."),
    "networks": (draw_networks, "The time of a training step of five networks in multiples of PyTorch's."),
    "growing": (draw_growing, "The time of each operation over the number of operations in the graph."),
    "memory": (draw_memory, "The memory that fifty steps hold after the forward pass, and take at most."),
    "import": (draw_import, "The time of a process that imports each library."),
}


def draw(results: Results, place: Path) -> None:
    """Draw all that there are results for."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    settings = {
        "svg.hashsalt": "wengert",
        "font.family": "DejaVu Sans",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
    }
    place.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(settings):
        for name, (drawing, _) in PICTURES.items():
            figure = drawing(results, plt)
            if figure is not None:
                meta = {"Date": None, "Creator": "wengert", "Description": f"results {digest(results)}"}
                figure.savefig(place / f"{name}.svg", metadata=meta)
                plt.close(figure)
