"""What a profile found, added up: by operation and by module, as rows of plain data that print as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..display.html import Html, fragment, tag
from ..display.text import memory, shortened
from .event import Event

__all__ = ["Table", "duration", "modules_table", "operations_table", "summary"]


def duration(seconds: float) -> str:
    """A time for a reader, in three digits.

    Examples
    --------
    >>> from autograd.profiling.table import duration
    >>> [duration(x) for x in (75.0, 0.0123, 9.998e-06, 1.2e-08, 0.0)]
    ['75.0 s', '12.3 ms', '10.0 µs', '0.01 µs', '0']
    """
    if seconds <= 0:
        return "0"
    units = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
    unit, size = next((u for u in units if seconds >= 0.9995 * u[1]), units[-1])
    value = seconds / size
    return f"{value:,.{(value < 99.95) + (value < 9.995)}f} {unit}"


def _share(value: float) -> str:
    return f"{value:.1%}" if value else "0"


def _size(value: int) -> str:
    return memory(value) if value else "0"


def _calls(value: int) -> str:
    return f"{value:,}"


#: How a column is headed and written. `module` and `operation` stand at the left.
_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "operation": ("operation", shortened),
    "module": ("module", lambda path: shortened(path[-1]) if path else "(outside modules)"),
    "kind": ("class", shortened),
    "calls": ("calls", _calls),
    "forward": ("forward", duration),
    "each_forward": ("per call", duration),
    "own_forward": ("own", duration),
    "rules": ("rules", _calls),
    "backward": ("backward", duration),
    "each_backward": ("per rule", duration),
    "own_backward": ("own", duration),
    "share": ("share", _share),
    "made": ("made", _size),
    "made_backward": ("made", _size),
    "kept": ("kept", _size),
}

_OPERATION = (
    "calls", "forward", "each_forward", "made", "kept", "rules", "backward", "each_backward", "made_backward", "share",
)  # fmt: skip
_MODULE = (
    "kind", "calls", "forward", "own_forward", "made", "kept", "backward", "own_backward", "made_backward", "share",
)  # fmt: skip
_LEFT = frozenset({"operation", "module", "kind"})

#: What the summary calls the events of a kind and a phase.
_PARTS = {
    ("operation", "forward"): "operations",
    ("operation", "backward"): "their backward rules",
    ("pass", "backward"): "backward passes around them",
    ("module", "forward"): "modules' own code",
    ("step", "step"): "optimizer steps",
}


class Table(list[dict[str, Any]]):
    """Rows as plain data, which print as a table.

    Examples
    --------
    >>> from autograd.profiling.table import Table
    >>> table = Table([{"operation": "exp", "calls": 3, "made": 24}])
    >>> table[0]["made"]
    24
    >>> print(table)
    operation  calls  made
    ──────────────────────
    exp            3  24 B
    """

    def _texts(self) -> tuple[list[str], list[list[str]]]:
        """The names of the columns, and the rows as texts, without what the rows do not have."""
        names = list(self[0]) if self else ["operation"]
        nested = [row.get("module") for row in self] == sorted_tree(row.get("module") for row in self)
        rows = []
        for row in self:
            texts = [_COLUMNS[name][1](row[name]) for name in names]
            path = row.get("module")
            if path and names[0] == "module":
                texts[0] = "  " * (len(path) - 1) + texts[0] if nested else " / ".join(map(shortened, path))
            rows.append(texts)
        return names, rows

    def __str__(self) -> str:
        names, rows = self._texts()
        lines = [[_COLUMNS[name][0] for name in names], *rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        texts = [
            "  ".join(t.ljust(w) if name in _LEFT else t.rjust(w) for t, w, name in zip(line, widths, names)).rstrip()
            for line in lines
        ]
        return "\n".join([texts[0], "─" * max(map(len, texts)), *texts[1:]])

    def _repr_html_(self) -> Html:
        names, rows = self._texts()
        side = ["wg-left" if name in _LEFT else None for name in names]
        head = tag("tr", [tag("th", _COLUMNS[name][0], class_=place) for name, place in zip(names, side)])
        body = [
            tag("tr", [tag("td", text.replace("  ", "\N{EM SPACE}"), class_=place) for text, place in zip(row, side)])
            for row in rows
        ]
        return fragment(tag("table", tag("thead", head), tag("tbody", body)))


def _sorted(rows: list[dict[str, Any]], columns: Sequence[str], sort: str | None) -> Table:
    if sort is not None:
        if sort not in columns:
            raise ValueError(f"the table has no column {sort!r} to sort by: it has {', '.join(columns)}.")
        rows.sort(key=lambda row: row[sort], reverse=sort not in _LEFT)
    return Table(rows)


def operations_table(events: Iterable[Event], seconds: float, sort: str | None) -> Table:
    """One row for each operation. See `profile.table`."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.kind != "operation":
            continue
        row = found.setdefault(event.name, {"operation": event.name, **dict.fromkeys(_OPERATION, 0)})
        row[event.phase] += event.own
        row["calls" if event.phase == "forward" else "rules"] += 1
        row["made" if event.phase == "forward" else "made_backward"] += event.made
        row["kept"] += event.kept
    for row in found.values():
        row["each_forward"] = row["forward"] / max(row["calls"], 1)
        row["each_backward"] = row["backward"] / max(row["rules"], 1)
        row["share"] = (row["forward"] + row["backward"]) / seconds if seconds else 0.0
    rows = sorted(found.values(), key=lambda row: -row["share"])
    return _sorted(rows, ("operation", *_OPERATION), sort)


def modules_table(events: Iterable[Event], seconds: float, sort: str | None) -> Table:
    """One row for each module that was called, or one of whose operations had a rule called. See `profile.table`."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for event in events:
        if event.kind not in ("operation", "module"):
            continue
        for k in range(bool(event.modules), len(event.modules) + 1):
            path = event.modules[:k]
            if path not in found:
                found[path] = {"module": path, **dict.fromkeys(_MODULE, 0), "kind": ""}
            row = found[path]
            row[event.phase] += event.own
            row["made" if event.phase == "forward" else "made_backward"] += event.made
            row["kept"] += event.kept
        row[f"own_{event.phase}"] += event.own
        if event.kind == "module":
            row["kind"] = event.name
            row["calls"] += 1
    for row in found.values():
        row["share"] = (row["forward"] + row["backward"]) / seconds if seconds else 0.0
    return _sorted([found[path] for path in sorted_tree(found)], ("module", *_MODULE), sort)


def sorted_tree(paths: Iterable[tuple[str, ...] | None]) -> list[Any]:
    """Paths in the order of a tree whose branches stand in the order in which they were first met; () at the end."""
    children: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    last = []
    for path in paths:
        if path:
            children[path[:-1]].append(path)
        else:
            last.append(path)
    found = []
    stack = list(reversed(children[()]))
    while stack:
        path = stack.pop()
        found.append(path)
        stack += reversed(children[path])
    return [*found, *last]


def summary(events: Iterable[Event], seconds: float, overhead: float, peak: int) -> str:
    """Where all the time went, in a few lines."""
    parts = dict.fromkeys(_PARTS.values(), 0.0)
    for event in events:
        parts[_PARTS[event.kind, event.phase]] += event.own
    parts["the rest of the program"] = max(seconds - sum(parts.values()), 0.0)
    said = ", ".join(f"{name} {_share(part / seconds)}" for name, part in parts.items() if part and seconds)
    return (
        f"{duration(seconds)} in all: {said or 'nothing was measured'}\n"
        f"the tape held {_size(peak)} at most; measuring took another {duration(overhead)}"
    )
