"""What data-parallel training costs, and what it gains: the sum of the gradients, and a whole step beside one process.

    mpiexec -n 2 python benchmarks/parallel.py [--rounds 40] > benchmarks/results/parallel.md

The first table is of messages alone: the sum of an array over all ranks by MPI; `sum_gradients`, which also gathers the
gradients in that array and puts the sums back; and `check_equal` on a model of that size, which is made once in an
epoch. The second table is of steps: forward, binary cross-entropy, backward, the sum of the gradients, SGD with
momentum, float32, ReLU between the layers. One process does it on the whole batch, while the others sleep; then each
rank on its share. Every process has one BLAS thread.

The gradients of both are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from tables import machine, table, version_of

import nn
import optim
from nn.parallel import Alone

#: The numbers of parameters whose gradients are summed, as the square weights of that many layers.
SIZES = ((10**4, 4), (10**5, 4), (10**6, 4), (10**7, 4))

#: The layers of networks, and the rows of a batch.
NETWORKS = (
    ((30, 16, 16, 1), 32),
    ((64, 64, 64, 1), 256),
    ((784, 128, 64, 1), 256),
    ((784, 512, 512, 1), 512),
    ((1024, 1024, 1024, 1024, 1), 512),
    ((1024, 2048, 2048, 2048, 1), 512),
)


def seconds(action: Callable[[], Any], rounds: int) -> float:
    """The shortest time of an action, a few of them at once: other programs can only make it longer."""
    action()
    start = time.perf_counter()
    action()
    repeats = max(1, min(200, int(0.005 / (time.perf_counter() - start))))
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(repeats):
            action()
        times.append((time.perf_counter() - start) / repeats)
    return min(times)


def in_turn(ranks: nn.Ranks, action: Callable[[], Any], rounds: int) -> float:
    """The same where all ranks take part, and so must agree how often."""
    for _ in range(3):
        action()
    start = time.perf_counter()
    action()
    repeats = ranks.first(lambda: max(1, min(200, int(0.005 / (time.perf_counter() - start)))))
    times = []
    for _ in range(rounds):
        ranks.transport.all_gather(None)  # all begin together
        start = time.perf_counter()
        for _ in range(repeats):
            action()
        times.append((time.perf_counter() - start) / repeats)
    return min(times)


def alone(ranks: nn.Ranks, action: Callable[[], float]) -> float:
    """What `action()` returns on rank 0, while the others sleep: waiting for a message would keep a core busy."""
    result = action() if ranks.rank == 0 else 0.0
    request = ranks.transport.communicator.Ibarrier()
    while not request.Test():
        time.sleep(0.01)
    return result


def messages(ranks: nn.Ranks, rounds: int) -> list[list[str]]:
    """The rows of the first table."""
    rows = []
    for count, layers in SIZES:
        side = round((count / layers) ** 0.5)
        model = nn.Sequential(*[nn.Linear(side, side, bias=False, rng=k) for k in range(layers)])
        parameters = list(model.parameters())
        for p in parameters:
            p.grad = np.zeros(p.shape, p.dtype)  # other sums would grow beyond all bounds
        flat = np.zeros(sum(p.size for p in parameters), np.float32)
        by_mpi = in_turn(ranks, lambda flat=flat: ranks.transport.all_reduce(flat), rounds)
        summed = in_turn(ranks, lambda parameters=parameters: ranks.sum_gradients(parameters), rounds)
        checked = in_turn(ranks, lambda model=model: ranks.check_equal(model=model), rounds)
        rows.append([f"{flat.size:,}", *(f"{t * 1e6:,.0f}" for t in (by_mpi, summed, checked))])
    return rows


class Training:
    """A network, its batch, and a step."""

    def __init__(self, sizes: tuple[int, ...], batch: int, ranks: Alone):
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
        self.y = (self.x[:, :1] * self.x[:, 1:2] > 0).astype(np.float32)
        self.model, self.criterion = nn.MLP(sizes, rng=0), nn.BCEWithLogitsLoss()
        self.optimizer = optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9)
        self.ranks = ranks

    def gradients(self, x: Any, y: Any) -> None:
        """Those of the mean over the whole batch, of which these are the own rows."""
        loss = self.criterion(self.model(x), y)
        self.optimizer.zero_grad()
        self.ranks.mean(loss.item())
        self.ranks.backward(loss)
        self.ranks.sum_gradients(self.model.parameters())

    def timed(self, measure: Callable[[Callable[[], None]], float]) -> tuple[float, list[Any]]:
        """The time of a step, and the gradients before the first."""
        loader = nn.DataLoader((self.x, self.y), batch_size=len(self.x))
        for x, y in self.ranks.shares(loader):
            self.gradients(x, y)
            first = [p.grad.copy() for p in self.model.parameters()]

            def step(x: Any = x, y: Any = y) -> None:
                self.gradients(x, y)
                self.optimizer.step()

            taken = measure(step)
        return taken, first


def steps(ranks: nn.Ranks, rounds: int) -> list[list[str]]:
    """The rows of the second table."""
    rows = []
    for sizes, batch in NETWORKS:
        found: list[list[Any]] = []

        def single(sizes: Any = sizes, batch: int = batch, found: Any = found) -> float:
            taken, gradients = Training(sizes, batch, Alone()).timed(lambda step: seconds(step, rounds))
            found.append(gradients)
            return taken

        one = alone(ranks, single)
        several, gradients = Training(sizes, batch, ranks).timed(lambda step: in_turn(ranks, step, rounds))
        for expected, got in zip(*found, gradients) if found else ():
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-6)
        count = sum(n * m + m for n, m in pairwise(sizes))
        name = f"{'-'.join(map(str, sizes))} × {batch}"
        rows.append([name, f"{count:,}", f"{one * 1e6:,.0f}", f"{several * 1e6:,.0f}", f"{one / several:.2f}"])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="how often each time is taken; the shortest counts")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with nn.Ranks() as ranks:
        first, second = messages(ranks, options.rounds), steps(ranks, options.rounds)
        if ranks.rank:
            return
        about = {**machine(), "mpi4py": version_of("mpi4py"), "mpich": version_of("mpich")}
        about = {name: value for name, value in about.items() if name not in ("torch", "mygrad")}
        each = ("parameters", "all-reduce, µs", "`sum_gradients`, µs", "`check_equal`, µs")
        whole = ("network × batch", "parameters", "one process, µs", f"{ranks.size} ranks, µs", "faster by")
        print("# Data-parallel training", end="\n\n")
        print("; ".join(f"{name} {value}" for name, value in about.items()) + ".", end="\n\n")
        print(f"{ranks.size} ranks on one machine; the shortest of {options.rounds} rounds.", end="\n\n")
        if not load < 0.5:
            text = "ranks wait for a core, and so for each other, and look slower than they are: measure again."
            print(f"**The machine was busy (load {load:.1f} before): {text}**", end="\n\n")
        print("## Messages, float32", end="\n\n" + table(each, first) + "\n\n")
        print("## Steps", end="\n\n" + table(whole, second) + "\n")


if __name__ == "__main__":
    main()
