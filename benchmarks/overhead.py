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
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tables import installed, machine, table

#: What each contender of the chain is timed at.
PASSES = ("forward", "forward + backward")

CHAIN_TARGET = 0.55  # × PyTorch, forward + backward
STEP_TARGETS = {"PyTorch": 0.5, "NumPy by hand": 2.0}


class Contender:
    """One library on one workload.

    Attributes
    ----------
    label : str
        How the table calls it.
    group : str
        Contenders of one group do the same work, and must compute the same numbers.
    tasks : dict
        What is timed: name -> function of no arguments.
    compute : callable
        The numbers to compare, as a list of arrays.
    wait : callable
        Waits until everything is done that was begun: what computes elsewhere returns before it has.
    """

    def __init__(
        self,
        label: str,
        group: str,
        tasks: dict[str, Callable[[], Any]],
        compute: Callable[[], list[Any]],
        wait: Callable[[], object] = lambda: None,
    ):
        self.label, self.group, self.tasks, self.compute, self.wait = label, group, tasks, compute, wait

    def seconds(self, task: str, repeats: int) -> float:
        """The mean time of a few runs of a task."""
        run = self.tasks[task]
        self.wait()
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        self.wait()
        return (time.perf_counter() - start) / repeats


# The chain


def chain_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """h, w, x and the cotangent of the last h."""
    rng = np.random.default_rng(0)
    return rng.normal(size=8), rng.uniform(0.5, 1.5, size=8), rng.normal(size=8), rng.normal(size=8)


def chain_numpy(n: int, constants: bool) -> Contender:
    """Bare NumPy: what remains when there is no library. The backward pass is written by hand."""
    h0, w, x, cotangent = chain_inputs()

    def forward() -> list[Any]:
        values = [h0]
        for _ in range(n):
            values.append(np.tanh(values[-1] * w + x))
        return values

    def both() -> list[Any]:
        values = forward()
        g, dw, dx = cotangent, np.zeros_like(w), np.zeros_like(x)
        for k in range(n, 0, -1):
            y = values[k]
            g = g - g * y * y
            if not constants:
                dx += g
                dw += g * values[k - 1]
            g = g * w
        return [values[-1], g] if constants else [values[-1], g, dw, dx]

    return Contender("NumPy by hand", _group(constants), dict(zip(PASSES, (forward, both))), both)


def chain_wengert(n: int, constants: bool) -> Contender:
    """wengert: the NumPy code as it stands, on Tensors; constants are plain arrays."""
    from autograd import Tensor

    a, b, c, cotangent = chain_inputs()
    h0 = Tensor(a, requires_grad=True)
    w, x = (b, c) if constants else (Tensor(b, requires_grad=True), Tensor(c, requires_grad=True))
    leaves = [h0] if constants else [h0, w, x]

    def forward() -> Any:
        h = h0
        for _ in range(n):
            h = np.tanh(h * w + x)
        return h

    def both() -> Any:
        for leaf in leaves:
            leaf.grad = None
        h = forward()
        h.backward(cotangent)
        return h

    def compute() -> list[Any]:
        return [both().numpy(), *(leaf.grad for leaf in leaves)]

    return Contender("wengert", _group(constants), dict(zip(PASSES, (forward, both))), compute)


def chain_torch(n: int, constants: bool) -> Contender:
    """PyTorch, eager, on the CPU."""
    import torch

    h0, w, x, cotangent = (torch.tensor(a) for a in chain_inputs())
    leaves = [h0] if constants else [h0, w, x]
    for leaf in leaves:
        leaf.requires_grad_(True)

    def forward() -> Any:
        h = h0
        for _ in range(n):
            h = torch.tanh(h * w + x)
        return h

    def both() -> Any:
        for leaf in leaves:
            leaf.grad = None
        h = forward()
        h.backward(cotangent)
        return h

    def compute() -> list[Any]:
        return [both().detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]

    return Contender("PyTorch", _group(constants), dict(zip(PASSES, (forward, both))), compute)


def chain_mygrad(n: int, constants: bool) -> Contender:
    """MyGrad, with its defaults (it guards the memory of arrays in the graph)."""
    import mygrad

    a, b, c, cotangent = chain_inputs()
    h0 = mygrad.tensor(a)
    w, x = (b, c) if constants else (mygrad.tensor(b), mygrad.tensor(c))
    leaves = [h0] if constants else [h0, w, x]

    def forward() -> Any:
        h = h0
        for _ in range(n):
            h = np.tanh(h * w + x)
        return h

    def both() -> Any:
        for leaf in leaves:
            leaf.null_grad()
        h = forward()
        h.backward(cotangent)
        return h

    def compute() -> list[Any]:
        return [both().data, *(leaf.grad for leaf in leaves)]

    return Contender("MyGrad", _group(constants), dict(zip(PASSES, (forward, both))), compute)


def chain_hips(n: int, constants: bool) -> Contender:
    """HIPS autograd. Its forward pass records too: it is the call that returns the vjp."""
    import autograd.numpy as anp
    from autograd import make_vjp

    h0, w, x, cotangent = chain_inputs()

    def chain(h: Any, w: Any, x: Any) -> Any:
        for _ in range(n):
            h = anp.tanh(h * w + x)
        return h

    record = make_vjp(chain, 0 if constants else (0, 1, 2))

    def forward() -> Any:
        return record(h0, w, x)

    def both() -> list[Any]:
        pull, value = record(h0, w, x)
        gradients = pull(cotangent)
        return [value, gradients] if constants else [value, *gradients]

    return Contender("HIPS autograd", _group(constants), dict(zip(PASSES, (forward, both))), both)


class Elsewhere(Contender):
    """A contender in another interpreter: it does what a line on its standard input says, and answers with a line."""

    def __init__(self, label: str, group: str, command: Sequence[str], tasks: Sequence[str] = PASSES):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, bufsize=1
        )
        super().__init__(label, group, dict.fromkeys(tasks, lambda: None), lambda: self.ask("compute"))
        self.version = self.ask("version")

    def ask(self, *request: Any) -> Any:
        """Send one request, wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise OSError(f"the interpreter for {self.label} ended: does it have {self.label}?")
        return json.loads(answer)

    def seconds(self, task: str, repeats: int) -> float:
        """The mean time of a few runs, measured there."""
        return float(self.ask("seconds", task, repeats))


def serve(contender: Contender) -> None:
    """The other side of `Elsewhere`."""
    from importlib.metadata import version

    for line in sys.stdin:
        request, *arguments = json.loads(line)
        if request == "version":
            answer: Any = version("autograd")
        elif request == "compute":
            answer = [np.asarray(a).tolist() for a in contender.compute()]
        else:
            answer = contender.seconds(*arguments)
        print(json.dumps(answer), flush=True)


def _group(constants: bool) -> str:
    return "w, x constant" if constants else "h, w, x tracked"


# The training step

SIZES = (2, 16, 16, 1)
RATE, MOMENTUM = 0.01, 0.9


def step_inputs() -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """100 examples, their labels, and the weights and biases to start from: float32."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, SIZES[0])).astype(np.float32)
    y = (x[:, :1] * x[:, 1:] > 0).astype(np.float32)
    layers = [
        ((rng.normal(size=(m, n)) * (2 / n) ** 0.5).astype(np.float32), rng.normal(size=m).astype(np.float32) * 0.1)
        for n, m in pairwise(SIZES)
    ]
    return x, y, layers


def step_wengert() -> Contender:
    """wengert's `nn` and `optim`, as a user writes it."""
    import nn
    import optim

    x, y, layers = step_inputs()
    model = nn.MLP(SIZES, activation="relu", rng=0)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    model.load_state_dict(
        {f"linear{k}.{name}": a for k, layer in enumerate(layers, 1) for name, a in zip(("weight", "bias"), layer)}
    )

    def step() -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def compute() -> list[Any]:
        losses = [step().item() for _ in range(5)]
        return [np.array(losses), *(p.grad for p in model.parameters()), *(p.data for p in model.parameters())]

    return Contender("wengert", "step", {"step": step}, compute)


def step_torch() -> Contender:
    """PyTorch's `nn` and `optim`, as a user writes it; `SGD` as it comes."""
    import torch
    from torch import nn

    x, y, layers = step_inputs()
    x, y = torch.tensor(x), torch.tensor(y)
    model = nn.Sequential(
        nn.Linear(SIZES[0], SIZES[1]),
        nn.ReLU(),
        nn.Linear(SIZES[1], SIZES[2]),
        nn.ReLU(),
        nn.Linear(SIZES[2], SIZES[3]),
    )
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    with torch.no_grad():
        for p, a in zip(model.parameters(), [a for layer in layers for a in layer]):
            p.copy_(torch.tensor(a))

    def step() -> Any:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def compute() -> list[Any]:
        losses = [step().item() for _ in range(5)]
        parameters = list(model.parameters())
        return [np.array(losses), *(p.grad.numpy() for p in parameters), *(p.detach().numpy() for p in parameters)]

    return Contender("PyTorch", "step", {"step": step}, compute)


def step_numpy() -> Contender:
    """Bare NumPy: both passes and the update written by hand for this network, in place where that saves something.

    `dot` and not `@`, since it is the quicker of the two on small matrices (and what wengert's linear layer uses).
    """
    x, y, layers = step_inputs()
    (w1, b1), (w2, b2), (w3, b3) = layers
    parameters = [w1, b1, w2, b2, w3, b3]
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
            v *= MOMENTUM
            v += g
            p -= RATE * v
        latest[:] = gradients
        return loss

    def compute() -> list[Any]:
        losses = [float(step()) for _ in range(5)]
        return [np.array(losses), *latest, *parameters]

    return Contender("NumPy by hand", "step", {"step": step}, compute)


def step_mygrad() -> Contender:
    """MyGrad, with its defaults; it has neither modules nor optimizers, so the update is written by hand."""
    import mygrad
    from mygrad.nnet.activations import relu

    x, y, layers = step_inputs()
    parameters = [mygrad.tensor(a) for layer in layers for a in layer]
    w1, b1, w2, b2, w3, b3 = parameters
    velocities = [np.zeros_like(p.data) for p in parameters]
    zero = np.float32(0)

    def step() -> Any:
        z = relu(relu(x @ w1.T + b1) @ w2.T + b2) @ w3.T + b3
        loss = mygrad.mean(mygrad.logaddexp(z, zero) - y * z)
        loss.backward()
        for p, v in zip(parameters, velocities):
            v *= MOMENTUM
            v += p.grad
            p.data -= RATE * v
        return loss

    def compute() -> list[Any]:
        losses = [step().item() for _ in range(5)]
        return [np.array(losses), *(p.grad for p in parameters), *(p.data for p in parameters)]

    return Contender("MyGrad", "step", {"step": step}, compute)


# Measuring


def check(contenders: Sequence[Contender], tolerance: float) -> None:
    """Refuse to time contenders that do not compute the same numbers as the first of their group."""
    for group in dict.fromkeys(c.group for c in contenders):
        first, *others = [c for c in contenders if c.group == group]
        expected = [np.array(a) for a in first.compute()]
        for other in others:
            values = [np.array(a) for a in other.compute()]
            assert len(values) == len(expected)
            for k, (a, b) in enumerate(zip(expected, values)):
                scale = float(np.abs(a).max())
                if a.shape != b.shape or not np.allclose(a, b, rtol=tolerance, atol=tolerance * scale):
                    sys.exit(f"{other.label} ({group}) disagrees with {first.label} on value {k}: nothing is timed.")


Times = dict[tuple[str, str, str], list[float]]


def measure(contenders: Sequence[Contender], rounds: int, repeats: int, pause: float = 0.0) -> Times:
    """Time every task of every contender once a round, in an order that is shuffled each round.

    `pause`, in seconds, lets the threads of the one before fall asleep: libraries let them wait busily for a while, on
    the cores that the next one needs. One run that is not timed then wakes up its own.
    """
    turns = [(c, task) for c in contenders for task in c.tasks]
    times: Times = {(c.group, task, c.label): [] for c, task in turns}
    order = random.Random(0)
    for k in range(-3, rounds):  # the first three warm up
        order.shuffle(turns)
        for contender, task in turns:
            gc.collect()
            if pause:
                time.sleep(pause)
                contender.seconds(task, 1)
            seconds = contender.seconds(task, repeats)
            if k >= 0:
                times[contender.group, task, contender.label].append(seconds * 1e6)
    return times


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


def spread(values: Sequence[float]) -> str:
    """The middle half of the rounds, relative to their median."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{100 * (high - low) / statistics.median(values):.0f} %"


def ratio(ours: Sequence[float], theirs: Sequence[float] | None) -> float | None:
    """The median of the rounds' ratios, if there is something to compare with."""
    return None if not theirs else statistics.median(a / b for a, b in zip(ours, theirs))


def judged(value: float | None, target: float | None) -> str:
    """The target, and whether a ratio meets it."""
    if target is None or value is None:
        return ""
    return f"≤ {target:g} {'met' if value <= target else 'MISSED'}"


def shown(value: float | None) -> str:
    """A ratio as the tables have it."""
    return "" if value is None else f"{value:.2f}"


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
    parser.add_argument("--worker", choices=("hips", "hips-constants"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    n = options.chain
    if options.worker:
        try:
            contender = chain_hips(n, constants=options.worker == "hips-constants")
        except ImportError as error:
            sys.exit(f"no HIPS autograd in this interpreter: {error}")
        serve(contender)
        return
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")

    chain_peers = {"torch": chain_torch, "mygrad": chain_mygrad}
    step_peers = {"torch": step_torch, "mygrad": step_mygrad}
    notes, has = [], {name: installed(name) for name in ("torch", "mygrad")}
    notes += [f"{name} is not installed: left out." for name, found in has.items() if not found]
    chain: list[Contender] = []
    for constants in (False, True):
        chain += [chain_numpy(n, constants), chain_wengert(n, constants)]
        chain += [make(n, constants) for name, make in chain_peers.items() if has[name]]
        if options.hips:
            worker = "hips-constants" if constants else "hips"
            command = [options.hips, os.path.abspath(__file__), "--worker", worker, "--chain", str(n)]
            try:
                peer = Elsewhere("HIPS autograd", _group(constants), command)
            except OSError as error:
                notes.append(f"HIPS autograd, {_group(constants)}, is left out: {error}")
            else:
                chain.append(peer)
                notes.append(f"HIPS autograd {peer.version}, {_group(constants)}, runs in an interpreter of its own.")
    if not options.hips:
        notes.append("HIPS autograd is left out: give an interpreter that has it with --hips.")
    steps = [step_numpy(), step_wengert(), *(make() for name, make in step_peers.items() if has[name])]
    check(chain, 1e-9)
    check(steps, 1e-4)
    notes.append("All contenders of a table computed the same values and gradients before they were timed.")

    assert gc.isenabled()
    gc.freeze()  # what the imports left is not looked through again and again
    repeats = max(1, 900 // n)
    if has["torch"]:
        import torch

        default = torch.get_num_threads()
        notes.append("Chain: " + choose_threads(chain_torch(n, False), PASSES[1], repeats, default))
    chain_times = measure(chain, options.rounds, repeats)
    if has["torch"]:
        notes.append("Step: " + choose_threads(step_torch(), "step", 25, default))
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
