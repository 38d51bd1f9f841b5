"""What derivatives of NumPy functions cost, beside HIPS autograd: the same code, in two interpreters.

    python benchmarks/functional.py --hips PYTHON [--rounds 20]

Every workload is one function, written once with the names that both libraries have (`grad`, `jacobian`, `hessian`;
here `np` is NumPy, there `autograd.numpy`). What HIPS autograd has no rule for is written there as its users write it,
and the table says so.

The two take turns. A ratio is the median of the rounds' ratios. Nothing is timed before both have
computed the same values.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as onp
from measuring import Contender, Elsewhere, check, judged, measure, ratio, serve_contender
from problems import valley
from tables import machine, table

#: Workload -> the largest ratio to HIPS autograd that is wanted; None where that has no rule, and its users' detour
#: does less (the logarithm wants positive numbers).
TARGETS: dict[str, float | None] = {
    "grad of a chain of 300 small operations": 0.35,
    "jacobian, 100 parameters": 1.0,
    "hessian, 100 parameters": 1.0,
    "x[i], 10⁶ positions in 10⁶ numbers": 1.0,
    "x[i], 10⁶ rows of 4 from 10⁵": 1.0,
    "x[i, j], 10⁶ pairs": 1.0,
    "einsum bij,bjk->bik": 1.0,
    "einsum ij,jk,kl->il": 1.0,
    "cumprod of 10⁵ (there: exp(cumsum(log)))": None,
    "svd, 100 × 60": 1.0,
    "svd, 200 of 5 × 5": 1.0,
    "three convolutions by slices, 9 taps, 10⁴": 1.0,
}


def workloads(ag: Any, np: Any, here: bool) -> dict[str, Callable[[], Any]]:
    """The functions to time, by name; `here` says that the library is wengert."""
    rng = onp.random.default_rng(0)
    h, w, x = rng.normal(size=8), rng.uniform(0.5, 1.5, size=8), rng.normal(size=8)

    def chain(h: Any, w: Any, x: Any) -> Any:
        for _ in range(100):
            h = np.tanh(h * w + x)
        return np.sum(h)

    matrix, theta = rng.normal(size=(100, 100)) / 10, rng.normal(size=100)

    def layer(t: Any) -> Any:
        return np.tanh(np.dot(matrix, t)) + t**2

    n = 10**6
    numbers, rows, weights = rng.normal(size=n), rng.normal(size=(10**5, 4)), rng.normal(size=n)
    i, r, c = rng.integers(n, size=n), rng.integers(10**5, size=n), rng.integers(4, size=n)
    fours = rng.normal(size=(n, 4))
    a, b = rng.normal(size=(32, 20, 20)), rng.normal(size=(32, 20, 20))
    p, q, s = (rng.normal(size=(60, 60)) for _ in range(3))
    steps = rng.uniform(0.9, 1.1, size=10**5)
    many = rng.normal(size=10**5)
    tall, small = rng.normal(size=(100, 60)), rng.normal(size=(200, 5, 5))
    signal, taps = rng.normal(size=10**4), rng.normal(size=(3, 9)) / 3

    def decomposed(m: Any) -> Any:
        u, sv, vt = np.linalg.svd(m, full_matrices=False)
        return np.sum(sv**3) + np.sum((u * u) @ (vt * vt))

    def convolutions(signal: Any, taps: Any) -> Any:
        for k in range(3):
            length = signal.shape[0] - 8
            signal = np.tanh(sum(taps[k, j] * signal[j : j + length] for j in range(9)))
        return np.sum(signal)

    grad = ag.grad
    accumulated = np.cumprod if here else (lambda t: np.exp(np.cumsum(np.log(t))))
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (grad(chain, (0, 1, 2)), (h, w, x)),
        (ag.jacobian(layer), (theta,)),
        (ag.hessian(valley(np, matrix)), (theta,)),
        (grad(lambda t: np.sum(t[i] * weights)), (numbers,)),
        (grad(lambda t: np.sum(t[r] * fours)), (rows,)),
        (grad(lambda t: np.sum(t[r, c] * weights)), (rows,)),
        (grad(lambda a, b: np.sum(np.einsum("bij,bjk->bik", a, b) ** 2), (0, 1)), (a, b)),
        (grad(lambda p, q, s: np.sum(np.einsum("ij,jk,kl->il", p, q, s) ** 2), (0, 1, 2)), (p, q, s)),
        (grad(lambda t: np.sum(accumulated(t) * many)), (steps,)),
        (grad(decomposed), (tall,)),
        (grad(decomposed), (small,)),
        (grad(convolutions, (0, 1)), (signal, taps)),
    ]
    return {
        name: lambda function=function, arguments=arguments: function(*arguments)  # type: ignore[misc]
        for name, (function, arguments) in zip(TARGETS, calls, strict=True)
    }


class Library(Contender):
    """One library on all workloads; a turn lasts about 20 ms."""

    def __init__(self, label: str, tasks: dict[str, Callable[[], Any]]):
        def compute() -> list[Any]:
            found = [task() for task in tasks.values()]
            arrays = [a for value in found for a in (value if isinstance(value, tuple | list) else (value,))]
            return [a.ravel()[:: max(1, a.size // 2000)] for a in map(onp.asarray, arrays)]

        super().__init__(label, "", tasks, compute)

    def seconds(self, task: str, repeats: int) -> float:
        start = time.perf_counter()
        self.tasks[task]()
        once = time.perf_counter() - start
        return super().seconds(task, max(1, int(0.02 / once)))


def main() -> None:
    """Check, measure, print; or serve as the other interpreter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="how often each has its turn")
    parser.add_argument("--hips", metavar="PYTHON", help="an interpreter that has HIPS autograd")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        import autograd
        import autograd.numpy as anp

        serve_contender(Library("HIPS autograd", workloads(autograd, anp, here=False)), "autograd")
        return
    if not options.hips:
        parser.error("--hips is needed: an interpreter that has HIPS autograd.")
    import autograd

    ours = Library("wengert", workloads(autograd, onp, here=True))
    command = [options.hips, os.path.abspath(__file__), "--worker"]
    theirs = Elsewhere("HIPS autograd", "", command, tuple(TARGETS))
    check([ours, theirs], 1e-6)
    times = measure([ours, theirs], options.rounds, 1)
    rows = []
    for name, target in TARGETS.items():
        mine, other = times["", name, "wengert"], times["", name, "HIPS autograd"]
        found = ratio(mine, other)
        medians = [f"{statistics.median(values) / 1000:.3g}" for values in (mine, other)]
        rows.append((name, *medians, f"{found:.2f}", judged(found, target)))
    print("# Derivatives of NumPy functions\n")
    print("; ".join(f"{name} {value}" for name, value in machine().items()) + ".\n")
    print(f"HIPS autograd {theirs.version}, in an interpreter of its own; {options.rounds} rounds in turns. ")
    print("Both computed the same before they were timed.\n")
    print(table(("median, in ms", "wengert", "HIPS autograd", "ratio", "target"), rows))


if __name__ == "__main__":
    sys.exit(main())
