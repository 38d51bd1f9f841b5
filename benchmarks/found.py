"""What a run has found, and how to ask for it; numbers in words."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from measuring import PASSES, ratio

ROOT = Path(__file__).resolve().parents[1]
RESULTS, DOCS = ROOT / "benchmarks" / "results" / "peers.json", ROOT / "docs"

OURS, HAND, TORCH, JAX = "wengert", "NumPy by hand", "PyTorch", "JAX with jit"


def text_of(results: dict[str, Any]) -> str:
    """Results as the file has them."""
    return (
        json.dumps(rounded(results), indent=None, separators=(", ", ": ")).replace('}, {"task"', '},\n{"task"') + "\n"
    )


def rounded(value: Any) -> Any:
    """The same with numbers of five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Row:
    """A line of the table: what is compared, and each library's numbers.

    Attributes
    ----------
    name : str
        What is compared.
    values : dict
        Library -> its number in each round.
    unit : str
        "s", "MB" or "B"; memory is in bytes either way.
    group, short : str
        The table in which it stands, and what it is called there.
    """

    name: str
    values: dict[str, list[float]]
    unit: str = "s"
    group: str = ""
    short: str = ""

    def over(self, mine: str, other: str) -> float | None:
        """The ratio of two libraries, if both have numbers."""
        a, b = self.values.get(mine), self.values.get(other)
        if not a or not b or not statistics.median(b):
            return None
        return ratio(a, b) if len(a) == len(b) else statistics.median(a) / statistics.median(b)

    def middle(self, who: str) -> float | None:
        """The median of a library."""
        return statistics.median(self.values[who]) if self.values.get(who) else None


class Results:
    """What a run has found, and how to ask for it."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.given: dict[str, Any] = json.loads(text_of(results))
        self.found: list[dict[str, Any]] = self.given["found"]
        self.labels = [peer["label"] for peer in self.given["peers"] if "reason" not in peer]

    def of(self, task: str, **case: Any) -> list[dict[str, Any]]:
        """What is known of a task and a part of its case."""
        wanted = case.items()
        return [f for f in self.found if f["task"] == task and all(f["case"].get(key) == item for key, item in wanted)]

    def cases(self, task: str, key: str, **case: Any) -> list[Any]:
        """The different cases of a task, in their order."""
        seen: list[Any] = []
        for found in self.of(task, **case):
            if found["case"].get(key) is not None and found["case"][key] not in seen:
                seen.append(found["case"][key])
        return seen

    def row(self, name: str, task: str, part: str, per: float = 1.0, **case: Any) -> Row:
        """The times of a part of a task, by library."""
        times = {f["peer"]: f["seconds"].get(part, []) for f in self.of(task, **case) if "seconds" in f}
        return Row(name, {label: [t / per for t in times[label]] for label in self.labels if times.get(label)})

    def bytes(self, name: str, task: str, part: str, per: float = 1.0, **case: Any) -> Row:
        """The memory of a task, by library."""
        seen = {f["peer"]: f[part] for f in self.of(task, **case) if f.get(part) is not None}
        return Row(
            name, {label: [seen[label] / per] for label in self.labels if label in seen}, "MB" if per == 1 else "B"
        )


# Numbers in words


def duration(seconds: float | None) -> str:
    """Seconds with three digits and a unit that suits them."""
    if seconds is None:
        return "–"
    unit, part = ("s", 1.0) if seconds >= 1 else ("ms", 1e-3) if seconds >= 1e-3 else ("µs", 1e-6)
    return f"{digits(seconds / part)}\N{NO-BREAK SPACE}{unit}"


def digits(value: float) -> str:
    """Three digits, and no exponent."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def size(count: float | None, unit: str = "MB") -> str:
    """Bytes, or megabytes; a tenth of one is what can be told apart."""
    if count is None:
        return "–"
    return (f"{count:.0f} B" if unit == "B" else f"{max(0.0, count) / 1e6:.1f} MB").replace(" ", "\N{NO-BREAK SPACE}")


def shown(value: float | None) -> str:
    """A ratio."""
    return "–" if value is None else digits(value)


def power(n: int) -> str:
    """A power of ten as it is written."""
    exponent = round(np.log10(n))
    return f"10{str(exponent).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}" if 10**exponent == n else f"{n:,}"


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence."""
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""


def network(sizes: Sequence[int], batch: int) -> str:
    """How the page calls a network."""
    return f"{'-'.join(map(str, sizes))} × {batch}"


def short(sizes: Sequence[int], batch: int) -> str:
    """The same where there is little room: equal layers behind each other as a power."""
    return network(sizes, batch).replace("1024-1024-1024-1024-1", "1024⁴-1")


def cores(threads: int) -> str:
    """How the page says on how many."""
    return {1: "one core", 2: "two cores"}.get(threads, f"{threads} cores")


# What is compared


def networks(results: Results) -> Iterator[tuple[list[int], int, int]]:
    """The networks: sizes, batch, cores."""
    for threads in results.cases("network", "threads"):
        for sizes in results.cases("network", "sizes", threads=threads):
            yield sizes, results.of("network", sizes=sizes, threads=threads)[0]["case"]["batch"], threads


def rows(results: Results) -> list[Row]:
    """What is compared."""
    made: list[Row] = []

    def add(row: Row, group: str, short: str) -> None:
        if row.values:
            made.append(replace(row, group=group, short=short))

    for n, numbers in first_chain(results):
        for part in PASSES:
            name = f"one operation of `tanh(h * w + x)` on {numbers} numbers, {part}"
            row = results.row(name, "chain", part, 3 * n, n=n, size=numbers, threads=1)
            add(row, "One operation", part.capitalize())
    for n in results.cases("hessian", "n"):
        row = results.row(f"the Hessian of a function of {n} variables", "hessian", "hessian", n=n)
        add(row, "One operation", f"Hessian, {n} variables")
    for sizes, batch, threads in networks(results):
        name = f"a training step, {network(sizes, batch)}, {cores(threads)}"
        row = results.row(name, "network", "step", sizes=sizes, threads=threads)
        add(row, f"Training step, {cores(threads)}", short(sizes, batch))
    for n in results.cases("products", "n")[-1:]:
        name = f"{power(n)} operations, one behind the other: "
        add(results.row(name + "time of each", "products", "all", n, n=n), "Large graphs", f"{power(n)} in a row, each")
        row = results.bytes(name + "memory of each", "products", "held", n, n=n)
        add(row, "Large graphs", "their memory, each")
    for n in results.cases("tree", "n")[-1:]:
        row = results.row(f"2 · {power(n)} operations, side by side: time of each", "tree", "all", 2 * n, n=n)
        add(row, "Large graphs", f"2 · {power(n)} side by side, each")
    for kind in results.cases("memory", "kind"):
        for part, what in (("held", "held after forward"), ("peak", "at most")):
            row = results.bytes(f"50 times `{kind}` on 1 MB: {what}", "memory", part, kind=kind)
            add(row, "Memory", f"50 × `{kind}`, {what.split()[0] if part == 'held' else what}")
    for sizes in results.cases("memory", "sizes"):
        batch = results.of("memory", sizes=sizes)[0]["case"]["batch"]
        row = results.bytes(f"training {network(sizes, batch)}: memory at most", "memory", "peak", sizes=sizes)
        add(row, "Memory", f"training {short(sizes, batch)}, at most")
    add(imported(results), "Import", "a whole process")
    return made


def first_chain(results: Results) -> list[tuple[int, int]]:
    """The length and the numbers of the chain on the fewest numbers."""
    return [(f["case"]["n"], f["case"]["size"]) for f in results.of("chain")][:1]


def imported(results: Results) -> Row:
    """The import of each library: the time of a whole process."""
    values = {}
    for found in results.of("import"):
        if "seconds" in found and found["case"]["statement"] not in ("pass", "import autograd, nn, optim"):
            values[found["peer"]] = found["seconds"]["process"]
    return Row("a process that imports it", {label: values[label] for label in results.labels if label in values})


def digest(results: Results) -> str:
    """What tells these results from others: it stands in each picture."""
    return hashlib.sha256(text_of(results.given).encode()).hexdigest()[:16]
