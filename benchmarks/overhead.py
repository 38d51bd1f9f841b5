"""What an operation costs: µs per small operation, and per training step of a small network, beside others.

    python benchmarks/overhead.py [--rounds 40] [--chain 300] [--json FILE] [--hips PYTHON]

Two workloads in which the arithmetic is next to nothing, so that what is left is the library:

* a chain `h = np.tanh(h * w + x)` on 8 float64 numbers, forward alone and forward + backward;
* one step of training a 2-16-16-1 network (relu, binary cross-entropy of logits, SGD with momentum,
  float32, a batch of 100).

The contenders take turns, in an order that changes from round to round, so that a slow moment of the machine
meets all of them. A ratio is the median of the rounds' ratios. Nothing is timed before all contenders
have computed the same values and gradients. The cyclic garbage collector is on; it runs once before each turn,
outside the timing, so that nobody pays for the cycles of the one before.

HIPS autograd is imported under the same name as wengert's `autograd`, so it runs in an interpreter of its
own: `--hips /path/to/python`, of an environment that has it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import training
from measuring import (
    PASSES,
    Contender,
    Elsewhere,
    Failure,
    Times,
    check,
    judged,
    measure,
    ratio,
    serve_contender,
    shown,
    spread,
)
from peers import chain
from tables import installed, machine, table

CHAIN_TARGET = 0.55  # × PyTorch, forward + backward
STEP_TARGETS = {"PyTorch": 0.5, "NumPy by hand": 2.0}


# The chain

#: Group -> whether w and x are constants.
CHAINS = {"h, w, x tracked": False, "w, x constant": True}


# The training step

#: Its network is the first of `training.py`.
SIZES, BATCH, *_ = training.NETWORKS[0]


def step_numpy() -> Contender:
    """Bare NumPy: both passes and the update written by hand for this network, in place where that saves something.

    `dot` and not `@`, since it is the quicker of the two on small matrices (and what wengert's linear layer uses).
    """
    x, y, parameters = training.inputs(SIZES, BATCH)
    w1, b1, w2, b2, w3, b3 = parameters
    velocities = [np.zeros_like(p) for p in parameters]
    latest: list[Any] = []

    def step() -> Any:
        h1 = x.dot(w1.T)
        h1 += b1
        np.maximum(h1, 0, out=h1)
        h2 = h1.dot(w2.T)
        h2 += b2
        np.maximum(h2, 0, out=h2)
        z = h2.dot(w3.T)
        z += b3
        e = np.exp(-np.abs(z))  # e^-|z|: the loss and its derivative without overflow
        loss = (np.maximum(z, 0) - z * y + np.log1p(e)).mean()

        g3 = np.where(z >= 0, 1, e) / (1 + e)
        g3 -= y
        g3 /= y.size
        g2 = g3.dot(w3)
        g2 *= h2 > 0
        g1 = g2.dot(w2)
        g1 *= h1 > 0
        gradients = [g1.T.dot(x), g1.sum(0), g2.T.dot(h1), g2.sum(0), g3.T.dot(h2), g3.sum(0)]
        for p, g, v in zip(parameters, gradients, velocities):
            v *= training.MOMENTUM
            v += g
            p -= training.RATE * v
        latest[:] = gradients
        return loss

    def compute() -> list[Any]:
        losses = [float(step())]
        gradients = list(latest)
        losses += [float(step()) for _ in range(4)]
        return [*gradients, np.array(losses)]

    return Contender("NumPy by hand", "step", {"step": step}, compute)


# Measuring


def choose_threads(contender: Contender, task: str, repeats: int, default: int) -> str:
    """Give PyTorch its default number of threads or one, whichever is faster here; says which."""
    import torch

    times: dict[int, list[float]] = {default: [], 1: []}
    for _ in range(12):
        for threads, seen in times.items():
            torch.set_num_threads(threads)
            seen.append(contender.seconds(task, repeats))
    best = min(times, key=lambda threads: statistics.median(times[threads]))
    torch.set_num_threads(best)
    shown = ", ".join(f"{n}: {statistics.median(seen) * 1e6:.0f} µs" for n, seen in times.items())
    return f"PyTorch runs with {best} thread(s), the faster here ({shown})."


def report_chain(times: Times, operations: int) -> list[str]:
    """The tables of the chain, in µs per operation."""
    lines = []
    for group in dict.fromkeys(group for group, _, _ in times):
        for task in PASSES:
            rows = []
            for label in dict.fromkeys(label for g, t, label in times if (g, t) == (group, task)):
                values = [v / operations for v in times[group, task, label]]
                to_torch = ratio(times[group, task, label], times.get((group, task, "PyTorch")))
                target = CHAIN_TARGET if label == "wengert" and task == PASSES[1] else None
                statistic = (f"{statistics.median(values):.2f}", f"{min(values):.2f}", spread(values))
                rows.append((label, *statistic, shown(to_torch), judged(to_torch, target)))
            lines += [f"### {task.capitalize()}, {group}", ""]
            lines += [table(("µs per operation", "median", "min", "spread", "× PyTorch", "target"), rows), ""]
    return lines


def report_step(times: Times) -> list[str]:
    """The table of the training step, in µs per step."""
    rows = []
    for (_, _, label), values in times.items():
        ratios = {name: ratio(values, times.get(("step", "step", name))) for name in STEP_TARGETS}
        goals = [f"{judged(r, STEP_TARGETS[name])}" for name, r in ratios.items()] if label == "wengert" else ["", ""]
        cells = [cell for r, goal in zip(ratios.values(), goals) for cell in (shown(r), goal)]
        rows.append((label, f"{statistics.median(values):.0f}", f"{min(values):.0f}", spread(values), *cells))
    return [table(("µs per step", "median", "min", "spread", "× PyTorch", "target", "× NumPy", "target"), rows), ""]


def main() -> None:
    """Check, measure, print; or serve as the other interpreter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="how often each contender has its turn")
    parser.add_argument("--chain", type=int, default=300, metavar="N", help="how often h is computed anew")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all times, in µs, to this file")
    parser.add_argument("--hips", metavar="PYTHON", help="an interpreter that has HIPS autograd")
    parser.add_argument("--worker", choices=CHAINS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    n = options.chain
    if options.worker:
        try:
            hips = import_module("peers.hips")
        except ImportError as error:
            sys.exit(f"no HIPS autograd in this interpreter: {error}")
        group = options.worker
        serve_contender(chain(hips, "HIPS autograd", group, n, constants=CHAINS[group]), "autograd")
        return
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")

    has = {name: installed(name) for name in ("torch", "mygrad")}
    notes = [f"{name} is not installed: left out." for name, found in has.items() if not found]
    modules = {"NumPy by hand": "by_hand", "wengert": "wengert"}
    modules |= {"PyTorch": "pytorch"} if has["torch"] else {}
    modules |= {"MyGrad": "mygrad"} if has["mygrad"] else {}
    peers = {label: import_module(f"peers.{module}") for label, module in modules.items()}
    chains: list[Contender] = []
    for group, constants in CHAINS.items():
        chains += [chain(module, label, group, n, constants=constants) for label, module in peers.items()]
        if options.hips:
            command = [options.hips, os.path.abspath(__file__), "--worker", group, "--chain", str(n)]
            try:
                peer = Elsewhere("HIPS autograd", group, command)
            except Failure as error:
                notes.append(f"HIPS autograd, {group}, is left out: {error}")
            else:
                chains.append(peer)
                notes.append(f"HIPS autograd {peer.version}, {group}, runs in an interpreter of its own.")
    if not options.hips:
        notes.append("HIPS autograd is left out: give an interpreter that has it with --hips.")
    steps = [step_numpy()]
    for label, module in peers.items():
        if label != "NumPy by hand":
            steps.append(training.contender(module.network(SIZES, BATCH), "step"))
    check(chains, 1e-9)
    check(steps, 1e-4)
    notes.append("All contenders of a table computed the same values and gradients before they were timed.")

    assert gc.isenabled()
    gc.freeze()  # what the imports left is not looked through again and again
    repeats = max(1, 900 // n)
    if has["torch"]:
        import torch

        default = torch.get_num_threads()
        notes.append("Chain: " + choose_threads(chain(peers["PyTorch"], "PyTorch", "", n), PASSES[1], repeats, default))
    chain_times = measure(chains, options.rounds, repeats)
    if has["torch"]:
        step = training.contender(training.pytorch(SIZES, BATCH, "SGD"), "")
        notes.append("Step: " + choose_threads(step, "step", 25, default))
    step_times = measure(steps, options.rounds, 25)

    about = machine()
    lines = ["# Overhead", "", "; ".join(f"{name} {value}" for name, value in about.items()) + ".", ""]
    lines += [f"{options.rounds} interleaved rounds; the spread is that of their middle half.", ""]
    lines += [f"* {note}" for note in notes]
    lines += ["", f"## A chain of {3 * n} operations on 8 float64 numbers: `h = np.tanh(h * w + x)`", ""]
    lines += report_chain(chain_times, 3 * n)
    shape = "-".join(map(str, SIZES))
    lines += [f"## A training step: {shape}, relu, BCE with logits, SGD + momentum, float32, batch 100", ""]
    lines += report_step(step_times)
    print("\n".join(lines).rstrip())
    if options.json:
        flat = {" / ".join(key): values for key, values in {**chain_times, **step_times}.items()}
        options.json.write_text(json.dumps({"machine": about, "notes": notes, "microseconds": flat}, indent=1) + "\n")


if __name__ == "__main__":
    main()
