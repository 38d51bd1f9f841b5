"""What a training step costs: networks from tiny to large, SGD with momentum and Adam, beside PyTorch and NumPy.

    python benchmarks/training.py [--rounds 30] [--only 784-128-64-1] [--json FILE]

One step is what a user writes: forward, binary cross-entropy of the logits, `zero_grad`, backward, `step`; ReLU
between the layers, float32. PyTorch runs with two threads, NumPy's BLAS with as many as it takes (see the line
about the machine). By hand means: no tape, no checks, both passes and the update written for this network, in
place, as an expert writes them in NumPy.

The contenders take turns and are compared as in `overhead.py`; they must have computed the same gradients, and the
same losses in five steps, before they are timed. (The weights themselves need not agree: Adam makes steps of equal
length of gradients that are only rounding.)
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Contender, Times, check, judged, measure, ratio, shown, spread
from tables import installed, machine, table

#: The layers' sizes and the batch, with the target × PyTorch; and × NumPy by hand, from the second network on.
NETWORKS: tuple[tuple[tuple[int, ...], int, float, float | None], ...] = (
    ((2, 16, 16, 1), 100, 0.5, None),
    ((784, 128, 64, 1), 64, 0.9, 1.05),
    ((12288, 3, 2, 1), 64, 0.75, 1.05),
    ((784, 512, 512, 1), 128, 1.15, 1.05),
    ((1024, 1024, 1024, 1024, 1), 512, 1.2, 1.05),
)

#: Seconds between two turns: PyTorch's threads and those of NumPy's BLAS stay awake for some time on the same cores.
PAUSE = 0.2

RATE, MOMENTUM, BETA1, BETA2, EPS = 1e-3, 0.9, 0.9, 0.999, 1e-8

Arrays = list[np.ndarray]


@dataclass
class Training:
    """One library's network and optimizer.

    Attributes
    ----------
    label : str
        How the tables call it.
    step : callable
        One step of the training; returns its loss.
    values : callable
        `values(n)` makes n steps: the gradients of the first one, all losses, and the parameters after the last one.
    wait : callable
        Waits until everything is done that was begun.
    """

    label: str
    step: Callable[[], Any]
    values: Callable[[int], tuple[Arrays, list[float], Arrays]]
    wait: Callable[[], object] = lambda: None


def inputs(sizes: tuple[int, ...], batch: int) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """A batch, its labels, and the weights and biases to start from."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    y = (x[:, :1] * x[:, 1:2] > 0).astype(np.float32)
    parameters = []
    for n, m in pairwise(sizes):
        parameters.append((rng.normal(size=(m, n)) * (2 / n) ** 0.5).astype(np.float32))
        parameters.append(rng.normal(size=m).astype(np.float32) * np.float32(0.1))
    return x, y, parameters


def named(sizes: tuple[int, ...], batch: int) -> str:
    """How the tables call a network."""
    return f"{'-'.join(map(str, sizes))} × {batch}"


def work(sizes: tuple[int, ...], batch: int) -> int:
    """The multiplications of a forward pass."""
    return sum(n * m for n, m in pairwise(sizes)) * batch


def wengert(sizes: tuple[int, ...], batch: int, algorithm: str, device: str = "cpu") -> Training:
    """wengert's `nn` and `optim`, as a user writes it."""
    import nn
    import optim
    from autograd.devices import move

    x, y, *start = (move(a, device) for a in flat(inputs(sizes, batch)))
    model = nn.MLP(sizes, activation="relu", rng=0).to(device)
    criterion = nn.BCEWithLogitsLoss()
    optimizer: optim.Optimizer
    if algorithm == "SGD":
        optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    else:
        optimizer = optim.Adam(model.parameters(), lr=RATE)
    for p, a in zip(model.parameters(), start):
        p.data = a

    def step() -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def values(n: int) -> tuple[Arrays, list[float], Arrays]:
        losses = [step().item()]
        gradients = [np.array(move(p.grad, "cpu")) for p in model.parameters()]
        losses += [step().item() for _ in range(n - 1)]
        return gradients, losses, [np.array(move(p.data, "cpu")) for p in model.parameters()]

    return Training("wengert", step, values)


def eager(forward: Callable[[], Any], optimizer: Any) -> Callable[[], Any]:
    """A step of PyTorch as a user writes it."""

    def step() -> Any:
        loss = forward()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def pytorch(
    sizes: tuple[int, ...],
    batch: int,
    algorithm: str,
    device: str = "cpu",
    make: Callable[[Callable[[], Any], Any], Callable[[], Any]] = eager,
    label: str = "PyTorch",
) -> Training:
    """PyTorch's `nn` and `optim`, the optimizers as they come; `make` makes the step of a loss and an optimizer."""
    import torch
    from torch import nn

    x, y, *start = (torch.tensor(a, device=device) for a in flat(inputs(sizes, batch)))
    layers: list[Any] = []
    for n, m in pairwise(sizes):
        layers += [nn.Linear(n, m), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(device)
    criterion = nn.BCEWithLogitsLoss()
    optimizer: torch.optim.Optimizer
    if algorithm == "SGD":
        optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    step = make(lambda: criterion(model(x), y), optimizer)
    with torch.no_grad():
        for p, a in zip(model.parameters(), start):
            p.copy_(a)
        for state in optimizer.state.values():  # of steps that `make` has made
            for value in state.values():
                value.zero_()

    def values(n: int) -> tuple[Arrays, list[float], Arrays]:
        losses = [step().item()]
        gradients = [p.grad.cpu().numpy().copy() for p in model.parameters()]
        losses += [step().item() for _ in range(n - 1)]
        return gradients, losses, [p.detach().cpu().numpy().copy() for p in model.parameters()]

    return Training(label, step, values)


def flat(given: tuple[np.ndarray, np.ndarray, Arrays]) -> Arrays:
    """What `inputs` returns, in one list."""
    x, y, parameters = given
    return [x, y, *parameters]


def by_hand(
    sizes: tuple[int, ...],
    batch: int,
    algorithm: str,
    device: str = "cpu",
    dtype: type = np.float32,
    label: str = "NumPy by hand",
) -> Training:
    """Bare NumPy: both passes and the update written by hand, in place where that saves something."""
    from autograd.devices import move

    x, y, *parameters = (move(a.astype(dtype), device) for a in flat(inputs(sizes, batch)))
    weights, biases = parameters[::2], parameters[1::2]
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    steps = 0

    def gradients() -> tuple[Any, list[Any]]:
        values = [x]
        for w, b in zip(weights, biases):
            z = values[-1].dot(w.T)
            z += b
            if len(values) < len(weights):
                np.maximum(z, 0, out=z)
            values.append(z)
        z = values.pop()
        e = np.exp(-np.abs(z))  # e^-|z|: the loss and its derivative without overflow
        loss = (np.maximum(z, 0) - z * y + np.log1p(e)).mean()
        g = np.where(z >= 0, 1, e) / (1 + e)
        g -= y
        g /= y.size
        found: list[Any] = []
        for k in range(len(weights) - 1, -1, -1):
            found[:0] = [g.T.dot(values[k]), g.sum(0)]
            if k:
                g = g.dot(weights[k])
                g *= values[k] > 0
        return loss, found

    def descend(found: list[Any]) -> None:
        for p, g, v in zip(parameters, found, first):
            v *= MOMENTUM
            v += g
            p -= RATE * v

    def adam(found: list[Any]) -> None:
        rate, root = RATE / (1 - BETA1**steps), (1 - BETA2**steps) ** 0.5
        for p, g, m, v in zip(parameters, found, first, second):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            np.multiply(g, g, out=g)
            g *= 1 - BETA2
            v += g
            denominator = np.sqrt(v, out=g)
            denominator /= root
            denominator += EPS
            p -= rate * np.divide(m, denominator, out=g)

    update = descend if algorithm == "SGD" else adam

    def step() -> Any:
        nonlocal steps
        steps += 1
        loss, found = gradients()
        update(found)
        return loss

    def values(n: int) -> tuple[Arrays, list[float], Arrays]:
        _, found = gradients()
        found = [np.array(move(g, "cpu")) for g in found]
        losses = [step().item() for _ in range(n)]
        return found, losses, [np.array(move(p, "cpu")) for p in parameters]

    return Training(label, step, values)


def stepping(
    label: str, value_and_gradients: Callable[[Any], Any], parameters: Sequence[Any], velocities: Sequence[Any]
) -> Training:
    """A library that has no optimizers: SGD with momentum is written by hand, in place."""

    def advance() -> tuple[Any, Any]:
        loss, gradients = value_and_gradients(parameters)
        for p, g, v in zip(parameters, gradients, velocities):
            v *= MOMENTUM
            v += g
            p -= RATE * v
        return loss, gradients

    def values(n: int) -> tuple[Arrays, list[float], Arrays]:
        loss, gradients = advance()
        found = [np.array(g) for g in gradients]
        losses = [float(loss), *(float(advance()[0]) for _ in range(n - 1))]
        return found, losses, [np.array(p) for p in parameters]

    return Training(label, lambda: advance()[0], values)


def contender(training: Training, group: str) -> Contender:
    """A training as `measure` and `check` take it."""

    def compute() -> list[Any]:
        gradients, losses, _ = training.values(5)
        return [*gradients, np.array(losses)]

    return Contender(training.label, group, {"step": training.step}, compute, training.wait)


def report(times: Times, group: str, to_torch: float, to_numpy: float | None) -> list[tuple[Any, ...]]:
    """The rows of one network and optimizer."""
    rows = []
    for label in ("wengert", "PyTorch", "NumPy by hand"):
        values = times.get((group, "step", label))
        if values is None:
            continue
        ours = label == "wengert"
        cells: list[str] = []
        for peer, target in (("PyTorch", to_torch), ("NumPy by hand", to_numpy)):
            r = ratio(values, times.get((group, "step", peer)))
            cells += [shown(r) if peer != label else "", judged(r, target) if ours else ""]
        rows.append((group if ours else "", label, f"{statistics.median(values):.0f}", spread(values), *cells))
    return rows


def main() -> None:
    """Check, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="how often each contender has its turn")
    parser.add_argument("--only", metavar="SIZES", help="one network, such as 784-128-64-1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all times, in µs, to this file")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")
    makers: list[Callable[..., Training]] = [wengert, by_hand]
    notes = []
    if installed("torch"):
        import torch

        torch.set_num_threads(2)
        makers.append(pytorch)
    else:
        notes.append("PyTorch is not installed: left out.")
    chosen = [n for n in NETWORKS if options.only in (None, "-".join(map(str, n[0])))]
    if not chosen:
        sys.exit(f"there is no network {options.only!r} here")
    rows: list[tuple[Any, ...]] = []
    kept = {}
    for sizes, batch, to_torch, to_numpy in chosen:
        for algorithm in ("SGD", "Adam"):
            group = f"{named(sizes, batch)}, {algorithm}"
            contenders = [contender(make(sizes, batch, algorithm), group) for make in makers]
            check(contenders, 1e-3)  # float32, and sums in another order
            gc.collect()
            gc.freeze()
            times = measure(contenders, options.rounds, max(3, min(25, int(2e8 / work(sizes, batch)))), pause=PAUSE)
            rows += report(times, group, to_torch, to_numpy)
            kept.update({" / ".join(key): values for key, values in times.items()})
    about = machine()
    lines = ["# Training steps", "", "; ".join(f"{name} {value}" for name, value in about.items()) + ".", ""]
    lines += [
        f"{options.rounds} interleaved rounds; the spread is that of their middle half. SGD has momentum 0.9.",
        "",
    ]
    lines += [f"* {note}" for note in notes]
    header = ("network × batch, optimizer", "", "µs per step", "spread", "× PyTorch", "target", "× NumPy", "target")
    print("\n".join([*lines, table(header, rows)]))
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "microseconds": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
