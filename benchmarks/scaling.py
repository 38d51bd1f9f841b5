"""How the cost grows: long chains, memory that a graph holds, drawings, and the time to import.

    python benchmarks/scaling.py [--longest 1000000] [--imports 20]

* A chain of 10³ to 10⁶ products of 8 float64 numbers: the time of the forward pass, of the backward pass and of
  freeing the graph, and the memory that one node takes (the growth of the process in the forward pass). Each
  library and length has a process of its own.
* Fifty steps on an array of 1 MB: the memory that the graph holds beyond the current value. A sum, or a
  product with a number, needs no array for its backward rule; `tanh` needs its result.
* Tapes of 10⁵ entries: the time to the DOT text of their drawings.
* The time of a whole process that imports `autograd`, against one that imports `numpy`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from tables import installed, machine, table

LIBRARIES = {"wengert": "autograd", "PyTorch": "torch", "MyGrad": "mygrad"}
IMPORT_TARGET = 1.2  # × import numpy
DRAWING_TARGET = 2  # seconds

#: The steps whose graphs are weighed: what is shown, and the function of (the library's tanh, the value).
STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "y + 1.0": lambda tanh, y: y + 1.0,
    "0.5 * y + 1.0": lambda tanh, y: 0.5 * y + 1.0,
    "tanh(y)": lambda tanh, y: tanh(y),
}


def leaf(library: str, array: np.ndarray) -> Any:
    """An array as an input that a gradient is wanted for."""
    if library == "wengert":
        from autograd import Tensor

        return Tensor(array, requires_grad=True)
    if library == "PyTorch":
        import torch

        return torch.tensor(array, requires_grad=True)
    import mygrad

    return mygrad.tensor(array)


def resident() -> int:
    """The memory of this process in bytes, as the operating system counts it; 0 where it cannot be read."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def chain(library: str, n: int) -> dict[str, float]:
    """One chain of `n` products in this process: seconds, and bytes per node."""
    h0, w = leaf(library, np.ones(8)), leaf(library, np.ones(8))
    for _ in range(3):  # warm up
        y = h0
        for _ in range(100):
            y = y * w
        y.backward(y.detach())
        h0.grad = w.grad = None
    del y
    before = resident()
    start = time.perf_counter()
    y = h0
    for _ in range(n):
        y = y * w
    forward = time.perf_counter() - start
    grown = resident() - before
    cotangent = y.detach()
    start = time.perf_counter()
    y.backward(cotangent)
    backward = time.perf_counter() - start
    del cotangent
    start = time.perf_counter()
    del y
    freeing = time.perf_counter() - start
    if not (np.all(np.asarray(w.grad) == n) and np.all(np.asarray(h0.grad) == 1)):
        raise AssertionError(f"{library}: a wrong gradient")
    return {"forward": forward, "backward": backward, "freeing": freeing, "bytes": grown / n}


def held(library: str, name: str) -> float:
    """The MB that the graph of fifty steps holds beyond its input and the current value."""
    if library == "PyTorch":
        import torch

        tanh = torch.tanh
    else:
        tanh = np.tanh
    step = STEPS[name]
    array = np.linspace(-1.0, 1.0, 2**17)  # 1 MB
    y0 = leaf(library, array)
    y = step(tanh, y0)  # warm up; one value lives before as after
    before = resident()
    y = y0
    for _ in range(50):
        y = step(tanh, y)
    return (resident() - before) / 2**20


def elsewhere(*arguments: Any) -> Any:
    """Run one measurement of this script in a process of its own."""
    command = [sys.executable, os.path.abspath(__file__), "--worker", *map(str, arguments)]
    # glibc then gives each large array pages of its own, and gives them back: what is resident is what is alive.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment).stdout)


def whole_process(statement: str) -> float:
    """The seconds that a Python process takes for one statement, from start to end.

    Compiled modules are kept from one process to the next, as they are after an installation. NumPy's BLAS starts
    one thread: starting more takes from nothing to as long as all the rest, as the machine's load has it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    return time.perf_counter() - start


def duration(seconds: float) -> str:
    """A time with a fitting unit."""
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def report_chains(libraries: list[str], longest: int, repeats: int) -> str:
    """The table of the chains; each number is the median of a few processes."""
    rows = []
    n = 1000
    while n <= longest:
        runs: dict[str, list[dict[str, float]]] = {library: [] for library in libraries}
        for _ in range(repeats):
            for library, seen in runs.items():
                seen.append(elsewhere("chain", library, n))
        for library, seen in runs.items():
            middle = {key: statistics.median(run[key] for run in seen) for key in seen[0]}
            times = [duration(middle[key]) for key in ("forward", "backward", "freeing")]
            each = sum(middle[key] for key in ("forward", "backward", "freeing")) / n * 1e6
            memory = f"{middle['bytes']:.0f} B" if middle["bytes"] and n >= 10_000 else "–"
            rows.append((f"{n:,} × {library}", *times, f"{each:.2f} µs", memory))
        n *= 10
    return table(("products", "forward", "backward", "freeing", "all, per node", "memory per node"), rows)


def report_held(libraries: list[str]) -> str:
    """The table of the memory that graphs hold."""
    rows = [(f"`{name}`", *(f"{elsewhere('held', library, name):.1f} MB" for library in libraries)) for name in STEPS]
    return table(("50 times, on 1 MB", *libraries), rows)


def report_imports(repeats: int) -> str:
    """The table of the import times."""
    times: dict[str, list[float]] = {"pass": [], "import numpy": [], "import autograd": []}
    for k in range(-2, repeats):  # the first two warm up
        for statement, seen in times.items():
            seconds = whole_process(statement)
            if k >= 0:
                seen.append(seconds)
    middle = {statement: statistics.median(seen) for statement, seen in times.items()}
    numpy = middle["import numpy"]
    rows = []
    for statement, seen in times.items():
        ratio = middle[statement] / numpy
        verdict = f"≤ {IMPORT_TARGET} {'met' if ratio <= IMPORT_TARGET else 'MISSED'}"
        goal = verdict if statement == "import autograd" else ""
        rows.append(
            (f"`{statement}`", f"{middle[statement] * 1e3:.0f} ms", f"{min(seen) * 1e3:.0f} ms", f"{ratio:.2f}", goal)
        )
    return table(("whole process", "median", "min", "× NumPy", "target"), rows)


def drawn(kind: str) -> float:
    """The seconds from a result with a tape of about 10⁵ entries to the DOT text of its drawing."""
    import autograd
    import nn

    x = autograd.Tensor(np.ones(2, np.float32), requires_grad=True)
    y: Any = x
    if kind == "a chain of sines":
        for _ in range(100_000):
            y = np.sin(y)
    elif kind == "a network of 50,000 modules":
        layers = [layer for _ in range(25_000) for layer in (nn.Linear(2, 2, init="zeros"), nn.Tanh())]
        y = nn.Sequential(*layers)(np.ones((1, 2), np.float32))
    else:
        values, rng = [x], np.random.default_rng(0)
        for k in range(125_000):  # some lead nowhere
            a, b = (values[j] for j in rng.integers(max(0, len(values) - 20), len(values), size=2))
            values.append(np.maximum(a, b) if k % 2 else np.minimum(a, b))
        y = values[-1]
    y = y.sum()
    gc.collect()
    start = time.perf_counter()
    autograd.draw(y).source  # noqa: B018
    return time.perf_counter() - start


def report_drawings(repeats: int) -> str:
    """The table of the drawings."""
    rows = []
    for kind in ("a chain of sines", "a network of 50,000 modules", "random wiring"):
        seconds = statistics.median(elsewhere("drawn", kind, 0) for _ in range(repeats))
        rows.append(
            (kind, duration(seconds), f"< {DRAWING_TARGET} s {'met' if seconds < DRAWING_TARGET else 'MISSED'}")
        )
    return table(("10⁵ nodes", "to DOT, folded", "target"), rows)


def main() -> None:
    """Measure and print; or do one measurement, as a worker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--longest", type=int, default=1_000_000, help="the longest chain")
    parser.add_argument("--repeats", type=int, default=3, help="processes for each chain")
    parser.add_argument("--imports", type=int, default=20, help="processes for each import")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        task, library, argument = options.worker
        if task == "drawn":
            print(json.dumps(drawn(library)))
        else:
            print(json.dumps(chain(library, int(argument)) if task == "chain" else held(library, argument)))
        return
    libraries = [library for library, module in LIBRARIES.items() if installed(module)]
    lines = ["# Scaling", "", "; ".join(f"{name} {value}" for name, value in machine().items()) + ".", ""]
    lines += [f"{library} is not installed: left out." for library in LIBRARIES if library not in libraries]
    lines += ["## A chain of products of 8 float64 numbers", ""]
    lines += [f"Medians of {options.repeats} processes. The gradients are checked.", ""]
    lines += [report_chains([x for x in libraries if x != "MyGrad"], options.longest, options.repeats), ""]
    lines += ["## Memory that a graph holds, beyond its input and the current value", ""]
    lines += [report_held(libraries), ""]
    lines += ["## Drawings", "", f"Medians of {options.repeats} processes.", ""]
    lines += [report_drawings(options.repeats), ""]
    lines += ["## Import", "", f"Medians of {options.imports} interleaved processes, with one BLAS thread.", ""]
    lines += [report_imports(options.imports)]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
