"""The page docs/benchmarks.md and its pictures, made of `results/peers.json` alone.

    python benchmarks/page.py [--results FILE] [--docs FOLDER] [--text]

`run.py` calls it after a run. Every number on the page, and every sentence that depends on one, comes from here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from found import (
    DOCS,
    HAND,
    JAX,
    OURS,
    RESULTS,
    TORCH,
    Results,
    Row,
    cores,
    duration,
    first_chain,
    imported,
    listed,
    network,
    networks,
    power,
    rows,
    shown,
    size,
)
from measuring import PASSES, ratio, spread
from pictures import PICTURES, draw
from tables import table

__all__ = ["words", "write"]

#: How far from 1 a ratio must be before the page calls it a difference.
EVEN = 0.05

#: How long the import of wengert may take, × NumPy's.
IMPORT = 1.2

CAPTIONS = {
    "operation": "One small operation",
    "sizes": "Arrays of more numbers",
    "networks": "Training steps",
    "growing": "Long and wide graphs",
    "memory": "Memory",
    "import": "Import",
}

METHOD = """\
* The libraries take turns, each in a process of its own, in an order that changes in each of the {rounds} rounds. A
  turn lasts some hundredths of a second. The garbage collector is on, and runs once before each.
* Before anything is timed, values and gradients are compared with those of NumPy by hand{worst}.
* NumPy by hand is what an expert writes for this one computation: no tape, no checks, in place.
* *On one core* means that the process may use one core, and all libraries one thread. On two, there is a pause of
  {pause:g} s before each turn, and one run that is not timed: threads that wait busily then harm nobody but their own.
* JAX compiles each task with `jit`: forward pass, backward pass and update are one program, which may write into the
  memory of what it replaces. "Forward" is the compiled function alone, without a record. PyTorch is eager.
* Hessians are `hessian` of wengert, HIPS autograd, JAX and `torch.func`; DeZero makes a backward pass for each row.
* Training is SGD with momentum on binary cross-entropy, in float32, with ReLU. MyGrad, HIPS autograd and JAX have the
  update written by hand. Chains and Hessians are in float64.
* Memory is what the operating system counts for the process (Linux: `VmRSS`, and `VmHWM` for the most), beyond what it
  had before and, for the fifty steps, beyond their result. Medians of three processes; glibc gives large arrays back at
  once.
* Long and wide graphs are of 8 numbers: *one behind the other* is `y = y * w`, *side by side* a sum in pairs of
  products of one input. Forward pass, backward pass and freeing together, in three processes each, or one where it
  takes long. What takes more than {limit:g} s is given up.
* Import is the time of a whole process, from the start of Python to its end."""


# The tables


#: How a column is called where there is little room.
SHORT = {HAND: "by hand", JAX: "JAX", "HIPS autograd": "HIPS"}


def grouped(results: Results, header: Sequence[str], cells: Callable[[Row], Sequence[str] | None]) -> str:
    """A table for each group of rows."""
    tables: dict[str, list[Sequence[str]]] = {}
    for row in rows(results):
        found = cells(row)
        if found is not None:
            tables.setdefault(row.group, []).append((row.short, *found))
    return "\n\n".join(table((f"**{group}**", *header), lines) for group, lines in tables.items())


def summary(results: Results) -> str:
    """The tables of what is compared."""
    others = [label for label in results.labels if label not in (OURS, TORCH)]

    def cells(row: Row) -> list[str]:
        ratios = [shown(over(row, OURS, HAND)), f"**{shown(over(row, OURS, TORCH))}**"]
        return [told(row, OURS), told(row, TORCH), *ratios, *(shown(over(row, label, TORCH)) for label in others)]

    return grouped(results, (OURS, TORCH, "× by hand", "× PyTorch", *(SHORT.get(x, x) for x in others)), cells)


def told(row: Row, label: str) -> str:
    """The median of a library."""
    value = row.middle(label)
    return duration(value) if row.unit == "s" else size(value, row.unit)


def over(row: Row, mine: str, other: str) -> float | None:
    """A ratio, unless it would be one of memory that is next to nothing."""
    return None if row.unit == "MB" and (row.middle(other) or 0) < 5e5 else row.over(mine, other)


def spreads(results: Results) -> str:
    """The times themselves, with the middle half of the rounds."""

    def cell(row: Row, label: str) -> str:
        values = row.values.get(label)
        half = f" ±{int(spread(values).split()[0]) / 2:.0f}\N{NO-BREAK SPACE}%" if values and len(values) > 2 else ""
        return told(row, label) + half

    header = [SHORT.get(label, label) for label in results.labels]
    return grouped(
        results, header, lambda row: [cell(row, label) for label in results.labels] if row.unit == "s" else None
    )


def versions(results: Results) -> str:
    """Who takes part."""
    lines = []
    for peer in results.given["peers"]:
        there = "reason" not in peer
        lines.append((peer["label"], *((peer["version"], peer["numpy"], peer["python"]) if there else ("–", "–", "–"))))
    return table(("library", "version", "NumPy", "Python"), lines)


def compiling(results: Results) -> str:
    """What JAX compiles, and for how long."""
    names: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
        "chain": (PASSES[1], lambda case: f"a chain of {3 * case['n']} operations on {power(case['size'])} numbers"),
        "hessian": ("hessian", lambda case: f"the Hessian of a function of {case['n']} variables"),
        "network": ("step", lambda case: f"a training step, {network(case['sizes'], case['batch'])}"),
        "products": ("all", lambda case: f"{power(case['n'])} operations, one behind the other"),
        "tree": ("all", lambda case: f"2 · {power(case['n'])} operations, side by side"),
    }
    lines = []
    for found in results.found:
        case = found["case"]
        if found["peer"] == JAX and found.get("first") and found["task"] in names and case.get("threads", 1) == 1:
            part, name = names[found["task"]]
            lines.append((name(case), duration(found["first"]), duration(statistics.median(found["seconds"][part]))))
    return table(("", "first run, with compilation", "each run after it"), lines) if lines else ""


def failures(results: Results) -> list[str]:
    """What did not work."""
    names: dict[str, Callable[[dict[str, Any]], str]] = {
        "products": lambda case: f"{power(case['n'])} operations one behind the other",
        "tree": lambda case: f"2 · {power(case['n'])} operations side by side",
        "network": lambda case: f"the network {network(case['sizes'], case['batch'])} on {cores(case['threads'])}",
        "hessian": lambda case: "the Hessian",
        "product": lambda case: f"the matrix product on {cores(case['threads'])}",
        "chain": lambda case: f"the chain on {power(case['size'])} numbers",
        "memory": lambda case: f"the memory of `{case['kind']}`" if "kind" in case else "the memory of training",
        "import": lambda case: f"`{case['statement']}`",
    }
    lines = [f"* {peer['label']}: {peer['reason']}." for peer in results.given["peers"] if "reason" in peer]
    broken = [found for found in results.found if "failure" in found]
    return lines + [f"* {f['peer']}, {names[f['task']](f['case'])}: {f['failure']}." for f in broken]


# The reading


def reading(results: Results) -> list[str]:
    """Where wengert loses, and why: paragraphs, each as far as there are results for it."""
    parts = [
        *(beside_torch(results) if TORCH in results.labels else []),
        *(beside_jax(results) if JAX in results.labels else []),
        *(beside_hand(results) if HAND in results.labels else []),
        *of_memory(results),
        *of_import(results),
    ]
    return [part for part in parts if part]


def differences(results: Results, peer: str, slower: bool) -> list[tuple[float, Row]]:
    """The rows in which wengert needs more than a library (or less), those with the greatest difference first."""
    found = []
    for row in rows(results):
        value = over(row, OURS, peer)
        if value is not None and (value > 1 + EVEN if slower else value < 1 - EVEN):
            found.append((value, row))
    return sorted(found, key=lambda pair: pair[0], reverse=slower)


def beside_torch(results: Results) -> list[str]:
    """PyTorch."""
    worse, better = differences(results, TORCH, True), differences(results, TORCH, False)
    compared = [row for row in rows(results) if over(row, OURS, TORCH) is not None]
    text = (
        f"**Beside PyTorch**, wengert needs less in {len(better)} of the {len(compared)} rows that can be compared, "
        f"and more in {len(worse)}; the rest is within {100 * EVEN:.0f} %."
    )
    if worse:
        text += f" More: {'; '.join(f'{row.name} ({shown(value)})' for value, row in worse)}."
    return [text, of_products(results), of_sizes(results)]


def of_products(results: Results) -> str:
    """What the matrix products of the largest network take."""
    parts = []
    for threads in results.cases("product", "threads"):
        row = results.row("", "product", "product", threads=threads)
        value = row.over(HAND, TORCH)
        if value is not None:
            both = f"{duration(row.middle(HAND))} in NumPy and {duration(row.middle(TORCH))} in PyTorch"
            parts.append(f"{both} on {cores(threads)} ({shown(value)})")
    if not parts:
        return ""
    m, n, k = results.cases("product", "shape")[0]
    text = (
        f"A step of a large network is its matrix products: NumPy's BLAS multiplies here, PyTorch's own library there. "
        f"One product of the largest network, {m} × {n} by {n} × {k} in float32, takes {listed(parts)}."
    )
    bare = []
    for sizes, batch, threads in networks(results):
        row = results.row("", "network", "step", sizes=sizes, threads=threads)
        hand, ours = row.over(HAND, TORCH), row.over(OURS, TORCH)
        if hand is not None and ours is not None and hand > 1 + EVEN:
            bare.append(f"{network(sizes, batch)} on {cores(threads)} ({shown(hand)}; wengert {shown(ours)})")
    if bare:
        text += (
            f" NumPy by hand, without any tape, takes longer than PyTorch too for {listed(bare)}: that much is not the "
            f"tape's."
        )
    return text


def of_sizes(results: Results) -> str:
    """The ratio to PyTorch of an operation on more and more numbers."""
    ratios = []
    for numbers in results.cases("chain", "size"):
        value = results.row("", "chain", PASSES[1], size=numbers).over(OURS, TORCH)
        if value is not None:
            ratios.append((numbers, value))
    if len(ratios) < 2:
        return ""
    told = listed([f"{shown(value)} on {power(numbers)}" for numbers, value in ratios])
    text = f"Operation by operation, the ratio to PyTorch depends on the size of the arrays: it is {told} numbers."
    if max(value for _, value in ratios[1:]) > ratios[0][1] + EVEN:
        text += (
            " On few numbers what counts is the way to the kernel, which is shorter here; on many the kernels count, "
            "which are NumPy's, one operation after the other on one core."
        )
    return text


def beside_jax(results: Results) -> list[str]:
    """JAX with jit, and what compiling costs."""
    parts = []
    for n, numbers in first_chain(results):
        row = results.row("", "chain", PASSES[1], n=n, size=numbers, threads=1)
        first = [f["first"] for f in results.of("chain", n=n, size=numbers) if f["peer"] == JAX and "first" in f]
        value, ours, theirs = row.over(OURS, JAX), row.middle(OURS), row.middle(JAX)
        if value is None or ours is None or theirs is None:
            continue
        text = (
            f"**Beside JAX**, a chain of {3 * n} small operations takes {shown(value)} times as long: `jit` makes one "
            f"program of it, in which nothing is called from Python and few values are written to memory. The first "
            f"run, which compiles it, takes {duration(first[0])}"
        )
        parts.append(text + (f": as long as {first[0] / (ours - theirs):,.0f} runs save." if ours > theirs else "."))
    training = [(v, r) for v, r in differences(results, JAX, True) if r.name.startswith("a training step,")]
    told = [f"{row.name.removeprefix('a training step, ')} ({shown(value)})" for value, row in training]
    if told:
        parts.append(f"Training steps in which the compiled program is ahead: {'; '.join(told)}.")
    seen = [f for f in results.of("products") if f["peer"] == JAX]
    if seen and "failure" in seen[-1]:
        last = [f"{power(f['case']['n'])} operations takes {duration(f['first'])}" for f in seen if f.get("first")][-1:]
        parts.append(
            f"A Python loop is unrolled under `jit`. The first run of a loop of {''.join(f'{x}; of ' for x in last)}"
            f"{power(seen[-1]['case']['n'])}: {seen[-1]['failure']}. JAX's own way of writing a long loop is "
            f"`jax.lax.scan`; that is another program, and is not measured here. A tape takes the loop as it stands."
        )
    return parts


def beside_hand(results: Results) -> list[str]:
    """NumPy by hand: what the tape costs."""
    parts = []
    for n, numbers in first_chain(results):
        row = results.row("", "chain", PASSES[1], 3 * n, n=n, size=numbers, threads=1)
        ours, bare = row.middle(OURS), row.middle(HAND)
        if ours is not None and bare is not None:
            parts.append(
                f"**Beside NumPy by hand**, one small operation with its derivative takes {duration(ours)}, of which "
                f"NumPy's own part is {duration(bare)}. The rest is Python: a Tensor and a node for each result, "
                f"NumPy's dispatch, the walk back, and the check of each cotangent's shape, dtype and array type. "
                f"It is the same for every operation, so that it disappears as the arrays grow."
            )
    told = []
    for sizes, batch, threads in networks(results):
        value = results.row("", "network", "step", sizes=sizes, threads=threads).over(OURS, HAND)
        if threads == 1 and value is not None:
            told.append(f"{shown(value)} for {network(sizes, batch)}")
    if told:
        parts.append(f"A training step takes, in multiples of the one by hand and on one core, {listed(told)}.")
    return parts


def of_memory(results: Results) -> list[str]:
    """What graphs hold."""
    parts = []
    for kind in results.cases("memory", "kind")[:1]:
        row = results.bytes("", "memory", "held", kind=kind)
        ours = row.middle(OURS)
        if ours is None:
            continue
        others = {label: values[0] for label, values in row.values.items() if label not in (HAND, OURS)}
        few = [label for label, value in others.items() if value < 1e6]
        many = [f"{label} {size(value)}" for label, value in others.items() if value >= 1e6]
        text = f"**Memory.** The derivative of `{kind}` needs no value. After fifty of them on 1 MB wengert holds"
        text += f" {size(ours)} beyond the result"
        text += f", {listed(few)} likewise" if few and ours < 1e6 else ""
        parts.append(text + (f"; {listed(many)}." if many else "."))
    for sizes in results.cases("memory", "sizes"):
        row = results.bytes("", "memory", "peak", sizes=sizes)
        batch = results.of("memory", sizes=sizes)[0]["case"]["batch"]
        ours, told = row.middle(OURS), [f"{k} {size(v[0])}" for k, v in row.values.items() if k != OURS]
        if ours is not None and told:
            parts.append(
                f"Training the network {network(sizes, batch)} takes {size(ours)} at most, with parameters, "
                f"velocities, gradients and values; {listed(told)}."
            )
    for n in results.cases("products", "n")[-1:]:
        row = results.bytes("", "products", "held", n, n=n)
        ours, other = row.middle(OURS), row.middle(TORCH)
        if ours and other:
            parts.append(
                f"A node of a graph, with its value of 64 bytes, takes {size(ours, row.unit)} in wengert and "
                f"{size(other, row.unit)} in "
                f"PyTorch. On small arrays this, and not the values, is the memory of a graph."
            )
    return parts


def of_import(results: Results) -> list[str]:
    """The import."""
    row = imported(results)
    value = row.over(OURS, HAND)
    if value is None:
        return []
    found = results.of("import", statement="import autograd, nn, optim")
    all_three = [f["seconds"]["process"] for f in found if "seconds" in f]
    text = f"**Import.** `import autograd` takes {shown(value)} times as long as `import numpy`, which is a part of it"
    text += f" (at most {IMPORT} is wanted: {'met' if round(value, 2) <= IMPORT else 'missed'})"
    return [
        text
        + (
            f"; `import autograd, nn, optim` {shown(ratio(all_three[0], row.values[HAND]))} times."
            if all_three
            else "."
        )
    ]


# The page


def there(results: Results, name: str) -> bool:
    """Whether there are results for a picture."""
    if name == "sizes":
        return len(results.cases("chain", "size")) > 1
    if name == "memory":
        return any(f.get("peak") and "kind" in f["case"] for f in results.of("memory"))
    tasks = {"operation": ["chain"], "networks": ["network"], "growing": ["products", "tree"]}.get(name, [name])
    return any("seconds" in f for task in tasks for f in results.of(task))


def words(results: Results) -> str:
    """The page, as Markdown."""
    machine, broken, compiled = results.given["machine"], failures(results), compiling(results)
    method = METHOD.format(worst=worst(results), **{key: results.given[key] for key in ("rounds", "limit", "pause")})
    lines = [
        "# Benchmarks",
        "",
        "What wengert costs, beside libraries that do the same and beside NumPy by hand. One command makes an "
        "environment for each library, measures, and writes this page. No number on it was written by a person:",
        "",
        "```",
        "pip install -e . matplotlib",
        "python benchmarks/run.py",
        "```",
        "",
        f"This run took {machine['minutes']:g} minutes on {machine['date']}, on {machine['system']} with "
        f"{machine['cores']} cores ({machine['processor']}). Times depend on the machine: **compare ratios**.",
        "",
        versions(results),
        "",
        "## The tables",
        "",
        "The first two columns are medians. The next two are wengert's ratios to NumPy by hand and to PyTorch, and the "
        "last ones those of the others to PyTorch: a ratio below 1 says that the first of the two needs less. It is "
        "the median over the rounds of one library's time by another's in the same round. A dash says that there is "
        "nothing to compare, or that it did not work; the reasons stand [below](#what-did-not-work).",
        "",
        "*One operation* is one of `tanh(h * w + x)` on 8 numbers. Networks are layers × batch; 1024⁴ stands for four "
        "layers of 1024. *50 ×* is a function that is applied fifty times to 1 MB. By hand, the import is NumPy's.",
        "",
        summary(results),
        "",
        "## Where wengert loses, and why",
        "",
        *(line for part in reading(results) for line in (part, "")),
        "## Pictures",
        "",
    ]
    for name, caption in CAPTIONS.items():
        if there(results, name):
            lines += [f"### {caption}", "", f"![{PICTURES[name][1]}](images/benchmarks/{name}.svg)", ""]
    if compiled:
        lines += ["## What JAX compiles", "", "No time above contains a compilation. On one core:", "", compiled, ""]
    lines += ["## What did not work", "", *(broken or ["Everything did."]), ""]
    lines += ["## How it is measured", "", method, ""]
    more = "`benchmarks/results/` has more tables: Adam, functions beside HIPS autograd, several processes, drawings."
    lines += [more, "", "## The times themselves", ""]
    lines += ["Medians, and half of the width in which the middle half of the rounds lies.", "", spreads(results)]
    return "\n".join(map(wrapped, lines)) + "\n"


def wrapped(line: str) -> str:
    """A paragraph in lines that are not too long; what is none stays as it is."""
    if not line or line[0] in "|#!`" or "\n" in line:
        return line
    return textwrap.fill(line, 120, subsequent_indent="  " * line.startswith("* "), break_on_hyphens=False)


def worst(results: Results) -> str:
    """How far values were from those by hand, in float64 and in float32."""
    told = []
    for name, tasks in (("float64", ("chain", "hessian")), ("float32", ("network",))):
        found = [f["off"] for f in results.found if f["task"] in tasks and f.get("off")]
        told += [f"{max(found):.0e} in {name}"] if found else []
    return f". At most they were off by {listed(told)}, relative to the length of the array" if told else ""


def write(results: dict[str, Any], docs: Path) -> None:
    """The page and its pictures."""
    found = Results(results)
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks.md").write_text(words(found), encoding="utf-8")
    draw(found, docs / "images" / "benchmarks")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page of a file of results, or print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE")
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="FOLDER")
    parser.add_argument("--text", action="store_true", help="print the page, and write nothing")
    options = parser.parse_args(arguments)
    results = json.loads(options.results.read_text(encoding="utf-8"))
    if options.text:
        sys.stdout.write(words(Results(results)))
    else:
        write(results, options.docs)


if __name__ == "__main__":
    main()
