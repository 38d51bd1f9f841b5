"""One library in a process of its own: it prepares tasks, computes, and times, as `run.py` asks.

    python benchmarks/worker.py MODULE THREADS

It answers requests, a line of JSON each (`measuring.Worker`); `peers/MODULE.py` says how the library does a task.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import training
from measuring import Contender, encoded, serve
from peers import both, chain, computation
from tables import version_of


def contender(module: Any, task: str, arguments: Sequence[Any]) -> Contender:
    """One of the tasks that are repeated in turns."""
    if task == "chain":
        return chain(module, module.__name__, task, *arguments)
    if task == "network":
        return training.contender(module.network(*arguments), task)
    run = getattr(module, task)(*arguments)
    return Contender(module.__name__, task, {task: run}, lambda: [] if task == "product" else [run()])


def status(name: str) -> int:
    """A line of what Linux says about this process, in bytes; 0 elsewhere."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ":"))
    except OSError:
        return 0


def forget_peak() -> None:
    """Let the highest memory so far be what is used now."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return


def grow(module: Any, name: str, arguments: Sequence[Any]) -> dict[str, Any]:
    """One large graph: the seconds of its passes and of its end, and the memory that it takes."""
    first = 0.0
    graph = computation(module, name, *arguments)
    if graph.compiles:
        start = time.perf_counter()
        both(graph)()
        graph.wait()
        first = time.perf_counter() - start
    else:
        both(computation(module, name, 100))()
    gc.collect()
    gc.freeze()
    before = status("VmRSS")
    start = time.perf_counter()
    if graph.both:
        gradients, held = graph.both(), None
        graph.wait()
        seconds = {"all": time.perf_counter() - start}
    else:
        state = graph.forward()
        middle = time.perf_counter()
        held = status("VmRSS") - before
        again = time.perf_counter()
        gradients = graph.backward(state)
        end = time.perf_counter()
        del state
        freed = time.perf_counter()
        seconds = {"forward": middle - start, "backward": end - again, "freeing": freed - end}
        seconds["all"] = sum(seconds.values())
    expected = [np.ones(8), np.full(8, arguments[0])] if name == "products" else [np.full(8, weights(arguments[0]))]
    right = all(np.allclose(g, e, rtol=1e-9) for g, e in zip(gradients, expected, strict=True))
    return {"seconds": seconds, "held": held or None, "first": first, "right": right}


def weights(n: int) -> float:
    """The derivative of `problems.tree`."""
    return float(sum(k % 7 for k in range(n)))


def weigh(module: Any, kind: str) -> dict[str, Any]:
    """The memory that a graph of some steps holds after the forward pass, and at most; in bytes beyond its result."""
    graph = computation(module, "repeated", kind)
    graph.backward(graph.forward())
    graph.forward()  # which drops the gradients of before
    graph.wait()
    tidy()
    forget_peak()
    before = status("VmRSS")
    state = graph.forward()
    assert graph.value is not None
    result = graph.value(state).nbytes
    held = status("VmRSS") - before - result
    gradients = graph.backward(state)
    graph.wait()
    peak = status("VmHWM") - before - result
    return {"held": held if before else None, "peak": peak if before else None, "values": [encoded(gradients[0][::64])]}


def weigh_step(module: Any, sizes: Sequence[int], batch: int) -> dict[str, Any]:
    """The memory that training takes at most, beyond what there was before the network was made.

    That is parameters, velocities and the batch, gradients, and what the passes need; what the library itself needs is
    there before, since it has trained another network.
    """
    small = module.network([4, 4, 1], 4)
    for _ in range(3):
        small.step()
    small.wait()
    tidy()
    before = status("VmRSS")
    made = module.network(sizes, batch)
    for _ in range(3):
        made.step()
    made.wait()
    tidy()
    forget_peak()
    for _ in range(3):
        made.step()
        made.wait()
    return {"held": None, "peak": status("VmHWM") - before if before else None}


def tidy() -> None:
    """Let the garbage collector run, and glibc give back what is free."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Import the library, and wait for requests."""
    name, threads = sys.argv[1], int(sys.argv[2])
    if hasattr(os, "sched_setaffinity"):  # before the libraries count the cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    module = importlib.import_module(f"peers.{name}")
    if hasattr(module, "threads"):
        module.threads(threads)
    current: dict[str, Contender] = {}

    def about(distribution: str) -> dict[str, str]:
        version = version_of(distribution)
        if distribution == "wengert":  # found on PYTHONPATH
            version = importlib.import_module("autograd").__version__
        return {"version": version, "numpy": np.__version__, "python": platform.python_version()}

    def able(task: str) -> bool:
        return task in ("chain", "network") or getattr(module, task, None) is not None

    def prepare(task: str, arguments: Sequence[Any]) -> float:
        current.clear()
        gc.collect()
        gc.unfreeze()
        made = contender(module, task, arguments)
        seconds = [made.seconds(one, 1) for one in made.tasks]  # where a task compiles, this is the time of that
        current["it"] = contender(module, task, arguments) if task == "network" else made  # a network has learnt
        return seconds[-1]

    def seconds(task: str, repeats: int) -> float:
        gc.collect()
        return current["it"].seconds(task, repeats)

    def compute() -> list[Any]:
        found = [encoded(a) for a in current["it"].compute()]
        gc.collect()
        gc.freeze()  # what is there now is not looked through again and again
        return found

    serve(
        {
            "about": about,
            "able": able,
            "prepare": prepare,
            "compute": compute,
            "seconds": seconds,
            "grow": lambda *arguments: grow(module, arguments[0], arguments[1:]),
            "weigh": lambda kind: weigh(module, kind),
            "weigh_step": lambda sizes, batch: weigh_step(module, sizes, batch),
        }
    )


if __name__ == "__main__":
    main()
