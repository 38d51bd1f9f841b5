"""What training costs on a GPU: wengert on CuPy beside PyTorch on the same card, and where the time of a step goes.

    python benchmarks/gpu.py [--device cuda] [--rounds 30] [--only 784-128-64-1] [--quick] [--out FILE]

* The networks of `training.py`, SGD with momentum and Adam. PyTorch takes part as it stands (eager), with
  `torch.compile` around forward pass and loss, and with its whole step captured in a CUDA graph; CuPy by hand is what
  an expert writes, with no tape.
* Where the time of a small step goes: kernels, copies, the time of the device and that of the host, and what a call
  costs before the device hears of it.
* Chains of elementwise operations, `h = tanh(h * w)`, on 2^10 and 2^24 float32 numbers.

Nothing is timed before it agrees with float64 on the CPU, written by hand: the gradients of the first step, and by how
much three steps change each parameter. Distances are of whole arrays, |a - b| / |b|. Float32 is multiplied in float32
on both sides (no TF32), and a product that shows fewer digits ends the run.

The contenders take turns and are compared as in `overhead.py`. A turn begins and ends with a wait for the device. To
see host and device apart, the device is first kept busy with a kernel that only waits: meanwhile the host launches a
whole step, and is timed; events around it then time the device, which has all of the step at hand.

`--device cpu` runs all of this on NumPy and on PyTorch's CPU: a trial of this program, which says nothing of a GPU.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from card import BUSY, TOLERANCE, Card, check_products, check_training, distance, require
from measuring import PASSES, Contender, Times, judged, measure, ratio, shown, spread
from tables import table
from training import NETWORKS, Training, by_hand, eager, inputs, named, pytorch, wengert, work

#: The targets × PyTorch eager, for small networks, and for those from LARGE multiplications in a forward pass on.
TARGETS, LARGE = (1.3, 1.05), 50_000_000

CHAINS, SIZES = (10, 100), (2**10, 2**24)

HEADERS = {
    "Training steps": (
        *("network × batch, optimizer", "", "off float64 by", "µs per step", "spread", "× PyTorch", "target"),
    ),
    "Where the time of a small step goes": (
        *("", "kernels", "copies", "in kernels, µs", "device alone, µs", "host alone, µs", "step, µs", "host waits"),
    ),
    "What a call costs the host": ("call, on 2^10 float32", "µs", "spread"),
    "Chains of elementwise operations": ("operations × numbers, pass", "", "µs", "spread", "× PyTorch"),
}


# Training steps


def compiled(forward: Callable[[], Any], optimizer: Any) -> Callable[[], Any]:
    """A step of PyTorch whose forward pass, and with it the backward pass, is compiled."""
    import torch

    torch.compiler.reset()  # it would give up after some networks, which all have the same code
    faster = torch.compile(forward, dynamic=False)
    faster().backward()
    optimizer.zero_grad()
    return eager(faster, optimizer)


def captured(forward: Callable[[], Any], optimizer: Any) -> Callable[[], Any]:
    """A step of PyTorch that is captured once, and replayed."""
    import torch

    for group in optimizer.param_groups:
        if "capturable" in group:
            group["capturable"] = True
    step, aside = eager(forward, optimizer), torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):  # the state of the optimizer must be there before
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    optimizer.zero_grad()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay() -> Any:
        graph.replay()
        return loss

    return replay


def trainings(
    card: Card, network: Any, algorithm: str, quick: bool, notes: list[str]
) -> tuple[list[Training], dict[str, float]]:
    """All contenders that this machine can have, and how far they are from float64; a note for each other one."""
    sizes, batch = network[:2]
    given, group = (sizes, batch, algorithm, card.device), f"{named(sizes, batch)}, {algorithm}"
    found = [wengert(*given), pytorch(*given), by_hand(*given, label=card.by_hand)]
    makers = {"torch.compile": compiled, "PyTorch, CUDA graph": captured}
    if card.device == "cpu":
        notes.append("There are no CUDA graphs on a CPU.")
        del makers["PyTorch, CUDA graph"]
    if quick:
        notes.append("torch.compile is left out: this was a quick run.")
        del makers["torch.compile"]
    for label, make in makers.items():
        try:
            found.append(pytorch(*given, make, label))
        except Exception as error:  # compilers and drivers fail in many ways, and the others can do without
            notes.append(f"{label} is left out of {group}: {type(error).__name__}: {error}".partition("\n")[0])
    start, expected = inputs(sizes, batch)[2], by_hand(sizes, batch, algorithm, dtype=np.float64).values(3)
    return found, {t.label: check_training(t, group, expected, start) for t in found}


def contenders(card: Card, found: Sequence[Training], group: str) -> list[Contender]:
    """Trainings as `measure` takes them."""
    return [Contender(t.label, group, {"step": t.step}, list, card.wait) for t in found]


def rows_of(times: Times, group: str, task: str, name: str) -> list[list[str]]:
    """The rows of one group: who, the time, its spread, and × PyTorch."""
    rows = []
    for (g, t, label), values in times.items():
        if (g, t) == (group, task):
            r = ratio(values, times[group, task, "PyTorch"]) if label != "PyTorch" else None
            rows.append(["" if rows else name, label, f"{statistics.median(values):.0f}", spread(values), shown(r)])
    return rows


def step_rows(card: Card, network: Any, rounds: int, quick: bool, notes: list[str]) -> list[list[str]]:
    """The rows of one network."""
    sizes, batch = network[:2]
    rows = []
    for algorithm in ("SGD", "Adam"):
        group = f"{named(sizes, batch)}, {algorithm}"
        print(group, file=sys.stderr)
        found, off = trainings(card, network, algorithm, quick, notes)
        repeats = 25 if card.device != "cpu" else max(2, min(25, int(2e8 / work(sizes, batch))))
        times = measure(contenders(card, found, group), rounds, repeats)
        target = TARGETS[work(sizes, batch) >= LARGE]
        for row in rows_of(times, group, "step", group):
            to_torch = ratio(times[group, "step", row[1]], times[group, "step", "PyTorch"])
            goal = judged(to_torch, target) if row[1] == "wengert" else ""
            rows.append([*row[:2], f"{off[row[1]]:.0e}", *row[2:], goal])
    return rows


# Where the time of a small step goes


def traced(card: Card, step: Callable[[], Any], steps: int = 5) -> tuple[float, float, float]:
    """Of one step: the kernels, the copies, and the µs in kernels, as the tracer of PyTorch counts them for all."""
    from torch.profiler import profile

    for _ in range(2):  # the first one starts the tracer, and may miss something
        card.wait()
        with profile() as tracer:
            for _ in range(steps):
                step()
            card.wait()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        tracer.export_chrome_trace(str(path))
        events = json.loads(path.read_text())["traceEvents"]
    kernels = [event["dur"] for event in events if event.get("cat") == "kernel"]
    copies = [event for event in events if event.get("cat") in ("gpu_memcpy", "gpu_memset")]
    return len(kernels) / steps, len(copies) / steps, sum(kernels) / steps


def anatomy(card: Card, rounds: int, quick: bool, notes: list[str]) -> list[list[str]]:
    """The rows of the smallest network."""
    rows = []
    for algorithm in ("SGD", "Adam"):
        print(f"where the time goes, {algorithm}", file=sys.stderr)
        found, _ = trainings(card, NETWORKS[0], algorithm, quick, notes)
        times = measure(contenders(card, found, algorithm), rounds, 25)
        for training in found:
            kernels, copies, inside = traced(card, training.step)
            host, device = zip(*(card.apart(training.step) for _ in range(rounds)), strict=True)
            if not kernels and card.device != "cpu":
                notes.append("PyTorch's tracer saw no kernels here: they are not counted.")
            counted = [f"{kernels:g}", f"{copies:g}", f"{inside:.0f}"] if kernels else ["", "", ""]
            alone = [f"{1e6 * statistics.median(seconds):.0f}" for seconds in (device, host)]
            step = f"{statistics.median(times[algorithm, 'step', training.label]):.0f}"
            waits = "" if card.device == "cpu" else "yes" if statistics.median(host) > BUSY else "no"
            rows.append([f"{training.label}, {algorithm}", *counted, *alone, step, waits])
        tiny = wengert((*(2 for _ in NETWORKS[0][0][1:]), 1), 2, algorithm)
        alone = measure([Contender("", "", {"step": tiny.step}, list)], rounds, 25)["", "step", ""]
        rows.append([f"wengert on NumPy, widths of 2, {algorithm}: Python alone", *[""] * 4])
        rows[-1] += [f"{statistics.median(alone):.0f}", "", ""]
    return rows


def call_rows(card: Card, rounds: int) -> list[list[str]]:
    """What one call costs the host: the library's own function, the same through NumPy's protocols, a Tensor's."""
    import torch

    from autograd import Tensor
    from autograd.devices import move

    own, values = card.arrays, np.linspace(1, 2, 2**10, dtype=np.float32)
    a, b = move(values, card.device), move(values[::-1].copy(), card.device)
    t, u, m = Tensor(a), Tensor(a, requires_grad=True), a.reshape(32, 32)
    p = torch.tensor(values, device=card.device)
    q = torch.tensor(values, device=card.device, requires_grad=True)
    calls: dict[str, Callable[[], Any]] = {
        f"{own.__name__}.add(a, b)": lambda: own.add(a, b),
        "np.add(a, b), by __array_ufunc__": lambda: np.add(a, b),
        "a + b": lambda: a + b,
        "Tensor: t + b, not recorded": lambda: t + b,
        "Tensor: u + b, recorded": lambda: u + b,
        "PyTorch: a + b, not recorded": lambda: p + p,
        "PyTorch: a + b, recorded": lambda: q + p,
        f"{own.__name__}.matmul(A, A), 32 × 32": lambda: own.matmul(m, m),
        "np.matmul(A, A), by __array_ufunc__": lambda: np.matmul(m, m),
        f"{own.__name__}.sum(a)": lambda: own.sum(a),
        "np.sum(a), by __array_function__": lambda: np.sum(a),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(-3, rounds):  # the first three warm up
        for name, call in calls.items():
            card.wait()
            start = time.perf_counter()
            for _ in range(200):  # fewer than the device lets wait in line: the host is not held up
                call()
            if k >= 0:
                times[name].append((time.perf_counter() - start) / 200 * 1e6)
    return [[name, f"{statistics.median(seen):.2f}", spread(seen)] for name, seen in times.items()]


# Chains


def links(tanh: Callable[[Any], Any], h: Any, w: Any, operations: int) -> Any:
    """A chain of elementwise operations."""
    for _ in range(operations // 2):
        h = tanh(h * w)
    return h


def chain_by_hand(h: Any, w: Any, g: Any, operations: int) -> tuple[Any, Any]:
    """The chain and its gradient with no tape."""
    values = [h]
    for _ in range(operations // 2):
        values.append(np.tanh(values[-1] * w))
    for y in reversed(values[1:]):
        g = (g - g * y * y) * w
    return values[-1], g


def chain(card: Card, operations: int, size: int, quick: bool, notes: list[str]) -> list[Contender]:
    """All contenders of one chain, once they have been found right on some of the numbers."""
    import torch

    from autograd import Tensor
    from autograd.devices import move

    rng = np.random.default_rng(0)
    start, weights = rng.normal(size=size).astype(np.float32), rng.uniform(0.5, 1.5, size=size).astype(np.float32)
    h, w, g = (move(a, card.device) for a in (start, weights, np.ones_like(start)))
    t = Tensor(h, requires_grad=True)
    p = torch.tensor(start, device=card.device, requires_grad=True)
    v, c = torch.tensor(weights, device=card.device), torch.ones(size, device=card.device)

    def ours() -> tuple[Any, Any]:
        t.grad = None
        y = links(np.tanh, t, w, operations)
        y.backward(g)
        return y.data, t.grad

    def theirs(chained: Callable[..., Any]) -> Callable[[], tuple[Any, Any]]:
        def both() -> tuple[Any, Any]:
            p.grad = None
            y = chained(torch.tanh, p, v, operations)
            y.backward(c)
            return y, p.grad

        return both

    tasks: dict[str, tuple[Callable[[], Any], Callable[[], tuple[Any, Any]]]] = {
        "wengert": (lambda: links(np.tanh, t, w, operations), ours),
        "PyTorch": (lambda: links(torch.tanh, p, v, operations), theirs(links)),
        card.by_hand: (lambda: links(np.tanh, h, w, operations), lambda: chain_by_hand(h, w, g, operations)),
    }
    group = f"{operations} × {size}"
    if not quick:
        torch.compiler.reset()
        faster = torch.compile(links, dynamic=False)
        tasks["torch.compile"] = (lambda: faster(torch.tanh, p, v, operations), theirs(faster))
        try:
            tasks["torch.compile"][1]()
        except Exception as error:  # as above
            notes.append(f"torch.compile is left out of {group}: {type(error).__name__}: {error}".partition("\n")[0])
            del tasks["torch.compile"]
    some = slice(None, None, max(1, size // 2**10))
    expected = chain_by_hand(*(a[some].astype(np.float64) for a in (start, weights, np.ones_like(start))), operations)
    for label, (_, both) in tasks.items():
        for what, found, exact in zip(("the result", "the gradient"), both(), expected, strict=True):
            array = found.detach().cpu().numpy() if isinstance(found, torch.Tensor) else move(found, "cpu")
            off = distance(array[some], exact)
            require(off <= TOLERANCE, f"{label} ({group})", what, off)
    return [Contender(label, group, dict(zip(PASSES, both)), list, card.wait) for label, both in tasks.items()]


def chain_rows(card: Card, rounds: int, quick: bool, notes: list[str]) -> list[list[str]]:
    """The rows of all chains."""
    rows = []
    for operations in CHAINS[: 1 if quick else None]:
        for size in SIZES if card.device != "cpu" else (2**10, 2**16):
            group = f"{operations} × {size}"
            print(f"chain, {group}", file=sys.stderr)
            found = chain(card, operations, size, quick, notes)
            times = measure(found, rounds, max(2, min(25, int(2e8 / (operations * size)))))
            for task in PASSES:
                rows += rows_of(times, group, task, f"{group}, {task}")
    return rows


# The report


def section(title: str, rows: Sequence[Sequence[str]]) -> str:
    """A heading and its table."""
    return f"## {title}\n\n{table(HEADERS[title], rows)}\n"


def main() -> int:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu is a trial of this program")
    parser.add_argument("--rounds", type=int, default=30, help="how often each contender has its turn")
    parser.add_argument("--only", metavar="SIZES", help="one network, such as 784-128-64-1")
    parser.add_argument("--quick", action="store_true", help="two networks, three rounds, nothing compiled")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the report to this file, at the end")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")
    networks = [n for n in NETWORKS if options.only in (None, "-".join(map(str, n[0])))]
    if not networks:
        parser.error(f"there is no network {options.only!r} here")
    try:
        card = Card(options.device)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    rounds, quick, notes = 3 if options.quick else options.rounds, options.quick, list[str]()
    check_products(card)
    gc.freeze()  # what the imports left is not looked through again and again
    written = ["# GPU\n", "; ".join(f"{name} {value}" for name, value in card.about().items()) + ".\n"]
    written.append(f"{rounds} interleaved rounds; the spread is that of their middle half. SGD has momentum 0.9.\n")
    print("\n".join(written), flush=True)
    tables: dict[str, Callable[[], list[list[str]]]] = {
        "Training steps": lambda: [
            row for n in networks[: 2 if quick else None] for row in step_rows(card, n, rounds, quick, notes)
        ],
        "Where the time of a small step goes": lambda: anatomy(card, rounds, quick, notes),
        "What a call costs the host": lambda: call_rows(card, rounds),
        "Chains of elementwise operations": lambda: chain_rows(card, rounds, quick, notes),
    }
    for title, rows in tables.items():
        written.append(section(title, rows()))
        print(written[-1], flush=True)  # at once: what comes later may fail
    written.append("\n".join(f"* {note}" for note in dict.fromkeys(notes)))
    print(written[-1])
    if options.out:
        options.out.write_text("\n".join(written).rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
