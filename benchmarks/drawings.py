"""How long large drawings take: tapes of 10⁵ entries, to the DOT text of their drawings.

    python benchmarks/drawings.py [--repeats 3] > benchmarks/results/drawings.md

Each kind of tape has a process of its own.
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
from typing import Any

import numpy as np
from found import duration
from tables import machine, table

KINDS = ("a chain of sines", "a network of 50,000 modules", "random wiring")
TARGET = 2  # seconds


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


def main() -> None:
    """Measure and print; or do one measurement, as a worker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="processes for each kind")
    parser.add_argument("--worker", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(drawn(options.worker)))
        return

    def elsewhere(kind: str) -> float:
        command = [sys.executable, os.path.abspath(__file__), "--worker", kind]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)

    rows = []
    for kind in KINDS:
        seconds = statistics.median(elsewhere(kind) for _ in range(options.repeats))
        rows.append((kind, duration(seconds), f"< {TARGET} s {'met' if seconds < TARGET else 'MISSED'}"))
    lines = ["# Drawings", "", "; ".join(f"{name} {value}" for name, value in machine().items()) + ".", ""]
    lines += [f"Medians of {options.repeats} processes.", ""]
    print("\n".join([*lines, table(("10⁵ nodes", "to DOT, folded", "target"), rows)]))


if __name__ == "__main__":
    main()
