"""wengert beside PyTorch, JAX, HIPS autograd, MyGrad, DeZero and NumPy by hand: all of it, with one command.

    python benchmarks/run.py [--quick] [--only TASK …] [--peers LABEL …] [--rounds 9] [--cache FOLDER] [--install]

Each library has an environment of its own, which is made at the first run (`environments.py`); one that cannot be
installed is left out, and the page says why. Then

* `chain`: one small operation of h = tanh(h · w + x), forward alone and forward + backward, and the same on arrays of
  more numbers;
* `hessian`: the Hessian of a function of 20 variables;
* `network`: a training step of the five networks of `training.py`, SGD with momentum, on one core and on two;
* `product`: the matrix product of the largest of them alone, where a library has its own;
* `memory`: what a graph holds after the forward pass and takes at most, and what a training step takes at most;
* `products`, `tree`: graphs of 10³ to 10⁶ operations, one behind the other, and side by side;
* `import`: the time of a whole process that imports the library.

The libraries take turns, A B C A B C, in an order that changes from round to round. Before anything is timed it must
agree with NumPy by hand. A failure is a result. All of it is written to `results/peers.json`, and `page.py` makes
`docs/benchmarks.md` of that alone.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import random
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import page
import problems
from card import TOLERANCE, distance
from environments import PEERS, ROOT, NotInstalled, Peer, folder, interpreter
from found import DOCS, RESULTS, text_of
from measuring import PASSES, Failure, Worker, decoded
from training import NETWORKS

TASKS = ("chain", "hessian", "network", "product", "memory", "products", "tree", "import")

#: Seconds between two turns where there is more than one core: the threads of the one before wait busily for a while.
PAUSE = 0.2

#: Seconds that a turn lasts, about; and that one large graph, or the compilation of a task, may take.
TURN, LIMIT = 0.04, 60.0

#: From how many seconds on a large graph is made once only.
SLOW = 4.0

#: How far an array may be from that of NumPy by hand, relative to its length, in float64; for float32 see `card.py`.
EXACT = 1e-8


class Run:
    """One run: who takes part, what has been found, and how long it has taken.

    Parameters
    ----------
    pythons : dict
        The interpreter of each peer.
    rounds : int
        How often each has its turn.
    quick : bool
        Whether everything is as small as can be.
    """

    def __init__(self, pythons: dict[Peer, str], rounds: int, quick: bool) -> None:
        self.pythons, self.rounds, self.quick = pythons, rounds, quick
        self.found: list[dict[str, Any]] = []
        self.order = random.Random(0)
        self.start = time.monotonic()

    def say(self, text: str) -> None:
        """A line about how far it is."""
        passed = int(time.monotonic() - self.start)
        print(f"{passed // 60:3d}:{passed % 60:02d}  {text}", file=sys.stderr, flush=True)

    def worker(self, peer: Peer, threads: int, exact_memory: bool = False) -> Worker:
        """A process for a library, with so many cores."""
        variables: dict[str, str | None] = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)
        )
        if peer.module in ("by_hand", "wengert"):
            variables["PYTHONPATH"] = str(ROOT)
        if exact_memory:  # glibc gives large arrays back at once
            variables |= {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        program = str(Path(__file__).with_name("worker.py"))
        return Worker([self.pythons[peer], program, peer.module, str(threads)], variables)

    def keep(self, task: str, case: dict[str, Any], peer: Peer, **found: Any) -> None:
        """Add a result."""
        self.found.append({"task": task, "case": case, "peer": peer.label, **found})

    def shuffled(self, peers: Sequence[Any]) -> list[Any]:
        """The order of a round."""
        turn = list(peers)
        self.order.shuffle(turn)
        return turn

    def report(self, name: str, values: dict[str, str]) -> None:
        """A line with what has been found."""
        self.say(f"{name}: " + ", ".join(f"{label} {value}" for label, value in values.items()))


class Team:
    """A process for each library, started when it is asked, and again when it has come to an end."""

    def __init__(self, run: Run, threads: int) -> None:
        self.run, self.threads = run, threads
        self.workers: dict[Peer, Worker] = {}

    def ask(self, peer: Peer, *request: Any, limit: float = 4 * LIMIT) -> Any:
        """Ask the process of a library."""
        worker = self.workers.get(peer)
        if worker is None or worker.process.poll() is not None:
            worker = self.workers[peer] = self.run.worker(peer, self.threads)
        return worker.ask(*request, limit=limit)

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self.workers.values():
            worker.close()


def agree(values: Sequence[np.ndarray], expected: Sequence[np.ndarray], tolerance: float) -> float:
    """How far values are from those of NumPy by hand, at most; raises Failure if that is too far."""
    if [a.shape for a in values] != [a.shape for a in expected]:
        raise Failure("another result: not the same shapes")
    off = max((distance(a, b) for a, b in zip(values, expected)), default=0.0)
    if not off <= tolerance:
        raise Failure(f"another result: off by {off:.1e}, relative to its length")
    return off


def turns(run: Run, team: Team, task: str, arguments: Sequence[Any], case: dict[str, Any], tolerance: float) -> None:
    """Check a task, then time it in turns."""
    passes = PASSES if task == "chain" else (("step",) if task == "network" else (task,))
    kept: dict[Peer, dict[str, Any]] = {}
    repeats: dict[Peer, dict[str, int]] = {}
    expected: list[Any] | None = None
    case = {**case, "threads": team.threads}
    for peer in run.pythons:  # NumPy by hand is the first
        try:
            if not team.ask(peer, "able", task):
                if task != "product":
                    run.keep(task, case, peer, failure="it has no derivatives of derivatives")
                continue
            first = team.ask(peer, "prepare", task, arguments, limit=2 * LIMIT)
            values = [decoded(a) for a in team.ask(peer, "compute")]
            expected = values if expected is None else expected
            off = agree(values, expected, tolerance)
            repeats[peer] = {}
            for one in passes:
                team.ask(peer, "seconds", one, 2)
                once = team.ask(peer, "seconds", one, 3)
                repeats[peer][one] = max(1, min(2000, int(TURN / once)))
        except Failure as error:
            run.keep(task, case, peer, failure=str(error))
            continue
        kept[peer] = {"seconds": {one: [] for one in passes}, "first": first, "off": off}
    pause = PAUSE if team.threads > 1 and not run.quick else 0.0
    for k in range(-1, run.rounds):  # the first warms up
        for peer, one in run.shuffled([(peer, one) for peer in kept for one in passes]):
            if "failure" in kept[peer]:
                continue
            try:
                if pause:
                    time.sleep(pause)
                    team.ask(peer, "seconds", one, 1)
                seconds = team.ask(peer, "seconds", one, repeats[peer][one])
            except Failure as error:
                kept[peer] = {"failure": str(error)}
                continue
            if k >= 0:
                kept[peer]["seconds"][one].append(seconds)
    for peer, found in kept.items():
        run.keep(task, case, peer, **found)
    ends = {peer.label: found["seconds"][passes[-1]] for peer, found in kept.items() if "seconds" in found}
    name = " ".join([task, *("-".join(map(str, v)) if isinstance(v, list | tuple) else str(v) for v in case.values())])
    run.report(name, {label: f"{statistics.median(values) * 1e6:.0f} µs" for label, values in ends.items()})


def in_turns(run: Run, only: Sequence[str]) -> None:
    """The tasks that are repeated: on one core, and those that gain by it on two."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for threads in (1, 2)[: 1 if run.quick else min(cores, 2)]:
        with Team(run, threads) as team:
            if threads == 1 and "chain" in only:
                for n, size in [(10, 8)] if run.quick else [(300, 8), (30, 10**2), (30, 10**4), (3, 10**6)]:
                    turns(run, team, "chain", [n, size], {"n": n, "size": size}, EXACT)
            if threads == 1 and "hessian" in only:
                turns(run, team, "hessian", [20], {"n": 20}, EXACT)
            sizes, batch, *_ = NETWORKS[-1]
            if "product" in only:
                shape = [4, 4, 4] if run.quick else [batch, sizes[1], sizes[2]]
                turns(run, team, "product", shape, {"shape": shape}, EXACT)
            if "network" in only:
                for sizes, batch, *_ in NETWORKS[:1] if run.quick else NETWORKS:
                    turns(run, team, "network", [sizes, batch], {"sizes": sizes, "batch": batch}, TOLERANCE)


def each(run: Run, peers: Sequence[Peer], case: str, action: Callable[[Peer], str]) -> None:
    """Do something with each library in turn, and say what came of it."""
    told = {}
    for peer in run.shuffled(peers):
        told[peer.label] = action(peer)
    run.report(case, told)


def memory(run: Run, repeats: int) -> None:
    """What graphs hold, and take at most; a process of its own for each library and kind."""
    sizes, batch, *_ = NETWORKS[0 if run.quick else -1]
    kinds: list[tuple[str, dict[str, Any], list[Any]]] = [
        ("weigh", {"kind": kind}, [kind]) for kind in list(problems.STEPS)[:: 2 if run.quick else 1]
    ]
    kinds.append(("weigh_step", {"sizes": sizes, "batch": batch}, [sizes, batch]))
    for name, case, arguments in kinds:
        seen: dict[Peer, list[Any]] = {peer: [] for peer in run.pythons}
        expected: list[Any] | None = None
        failures: dict[Peer, str] = {}
        for _ in range(repeats):
            for peer in run.pythons:
                if peer in failures:
                    continue
                try:
                    with run.worker(peer, 1, exact_memory=True) as worker:
                        found = worker.ask(name, *arguments, limit=2 * LIMIT)
                    values = [decoded(a) for a in found.pop("values", [])]
                    expected = values if expected is None else expected
                    agree(values, expected, EXACT)
                except Failure as error:
                    failures[peer] = str(error)
                    continue
                seen[peer].append(found)
        told = {}
        for peer, failure in failures.items():
            run.keep("memory", case, peer, failure=failure)
        for peer, all_found in seen.items():
            if peer in failures:
                continue
            middle = {
                key: None if all_found[0][key] is None else statistics.median(found[key] for found in all_found)
                for key in ("held", "peak")
            }
            run.keep("memory", case, peer, **middle)
            told[peer.label] = " / ".join(f"{(value or 0) / 1e6:.1f}" for value in middle.values()) + " MB"
        run.report(f"memory {next(iter(case.values()))}", told)


def lasted(found: dict[str, Any]) -> float:
    """How long a large graph took, with its compilation."""
    return found["seconds"]["all"] + found["first"]


def growing(run: Run, task: str, lengths: Sequence[int]) -> None:
    """Graphs of more and more operations, in a process of its own each; ends for a library where it has failed."""
    last: dict[Peer, dict[str, Any]] = {}
    for n in lengths:
        repeats = 1 if run.quick or n >= 10**6 else 3
        seen: dict[Peer, list[Any]] = {peer: [] for peer in run.pythons}

        def one(peer: Peer, n: int = n, seen: dict[Peer, list[Any]] = seen) -> str:
            before = last.get(peer)
            if before is not None and "failure" in before:
                return "–"
            try:
                if before is not None and 10 * lasted(before) > LIMIT:
                    raise Failure(f"more than {LIMIT:g} s are to be expected, not tried")
                with run.worker(peer, 1) as worker:
                    found = worker.ask("grow", task, n, limit=LIMIT)
                if not found.pop("right"):
                    raise Failure("a wrong gradient")
            except Failure as error:
                last[peer] = {"failure": str(error)}
                seen[peer] = []
                run.keep(task, {"n": n}, peer, failure=str(error))
                return str(error)
            seen[peer].append(found)
            return f"{found['seconds']['all']:.3g} s"

        for k in range(repeats):
            peers = [peer for peer in run.pythons if not k or (seen[peer] and lasted(seen[peer][0]) < SLOW)]
            each(run, peers, f"{task} {n:,}", one)
        for peer, times in seen.items():
            if not times:
                continue
            parts = {key: [found["seconds"][key] for found in times] for key in times[0]["seconds"]}
            last[peer] = {
                "seconds": {key: statistics.median(values) for key, values in parts.items()},
                "first": statistics.median(found["first"] for found in times),
            }
            held = [found["held"] for found in times if found["held"]]
            middle = statistics.median(held) if held else None
            run.keep(task, {"n": n}, peer, seconds=parts, first=last[peer]["first"], held=middle)


def imports(run: Run, repeats: int) -> None:
    """The time of a whole process that imports a library, and of one that does nothing."""
    statements = [(peer, peer.statement) for peer in run.pythons]
    statements += [(peer, "import autograd, nn, optim") for peer in run.pythons if peer.module == "wengert"]
    statements += [(peer, "pass") for peer in run.pythons if peer.module == "by_hand"]
    seen: dict[tuple[Peer, str], list[float]] = {key: [] for key in statements}
    failed: dict[tuple[Peer, str], str] = {}
    for k in range(-1, repeats):  # the first warms up
        for key in run.shuffled(statements):
            peer, statement = key
            left = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")  # what is compiled is kept, as after an installation
            variables = {name: value for name, value in os.environ.items() if name not in left}
            variables |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            if peer.module in ("by_hand", "wengert"):
                variables["PYTHONPATH"] = str(ROOT)
            start = time.perf_counter()
            try:
                subprocess.run(
                    [run.pythons[peer], "-c", statement],
                    env=variables, cwd=Path(__file__).parent, check=True, capture_output=True, timeout=LIMIT,
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                failed[key] = type(error).__name__
            if k >= 0:
                seen[key].append(time.perf_counter() - start)
    for (peer, statement), times in seen.items():
        found: dict[str, Any] = {"seconds": {"process": times}}
        if (peer, statement) in failed:
            found = {"failure": failed[peer, statement]}
        run.keep("import", {"statement": statement}, peer, **found)
    run.report("import", {f"{p.label} ({s})": f"{statistics.median(t) * 1e3:.0f} ms" for (p, s), t in seen.items()})


def processor() -> str:
    """What the processor calls itself, where it can be asked."""
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as file:
        return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    return platform.processor() or "unknown"


def about(run: Run) -> Iterator[dict[str, Any]]:
    """The versions of those who take part."""
    for peer in list(run.pythons):
        try:
            with run.worker(peer, 1) as worker:
                yield {"label": peer.label, **worker.ask("about", peer.distribution, limit=2 * LIMIT)}
        except Failure as error:
            del run.pythons[peer]
            yield {"label": peer.label, "reason": f"it does not start: {error}"}


def main() -> None:
    """Make the environments, measure, write the results and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often each has its turn")
    parser.add_argument("--only", nargs="+", choices=TASKS, default=TASKS, metavar="TASK", help=", ".join(TASKS))
    labels = [peer.label for peer in PEERS]
    parser.add_argument("--peers", nargs="+", choices=labels, metavar="LABEL", help=", ".join(labels))
    parser.add_argument("--cache", type=Path, default=folder(), help="where the environments are")
    parser.add_argument("--install", action="store_true", help="make the environments, and end")
    parser.add_argument("--quick", action="store_true", help="a trial of seconds: NumPy by hand and wengert, here")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the results go (results/peers.json)")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="where the page goes (docs)")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2")
    whole = not options.quick and options.only == TASKS and not options.peers
    out = options.out or (RESULTS if whole else None)
    docs = options.docs or (DOCS if whole and not options.out else None)

    rounds = 2 if options.quick else options.rounds
    run = Run({}, rounds, options.quick)
    who: list[dict[str, Any]] = []
    wanted = PEERS[:2] if options.quick else [p for p in PEERS if not options.peers or p.label in options.peers]
    for peer in wanted:
        try:
            run.pythons[peer] = sys.executable if options.quick else interpreter(peer, options.cache)
            run.say(f"{peer.label}: {run.pythons[peer]}")
        except NotInstalled as error:
            run.say(f"{peer.label}: not installed: {error}")
            who.append({"label": peer.label, "reason": f"not installed: {error}"})
    if options.install:
        return
    run.start = time.monotonic()
    who += list(about(run))
    longest = {"products": 3 if options.quick else 6, "tree": 3 if options.quick else 5}
    stages: dict[str, Callable[[], None]] = {
        "turns": lambda: in_turns(run, options.only),
        "memory": lambda: memory(run, 1 if options.quick else 3),
        "products": lambda: growing(run, "products", [10**k for k in range(3, longest["products"] + 1)]),
        "tree": lambda: growing(run, "tree", [10**k for k in range(3, longest["tree"] + 1)]),
        "import": lambda: imports(run, 2 if options.quick else 11),
    }
    errors = []
    for name, stage in stages.items():
        if name == "turns" or name in options.only:
            try:
                stage()
            except Exception:  # what has been found is not lost
                traceback.print_exc()
                errors.append(name)
    run.say("done")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    results = {
        "machine": {
            "processor": processor(),
            "cores": cores,
            "system": f"{platform.system()} {platform.machine()}",
            "date": datetime.date.today().isoformat(),
            "minutes": round((time.monotonic() - run.start) / 60, 1),
        },
        "rounds": rounds,
        "pause": PAUSE,
        "limit": LIMIT,
        "peers": sorted(who, key=lambda peer: labels.index(peer["label"])),
        "found": run.found,
    }
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text_of(results))
        run.say(f"{out}")
    if docs:
        page.write(results, docs)
        run.say(f"{docs / 'benchmarks.md'}")
    if errors:
        sys.exit(f"an error ended {', '.join(errors)}, see above: results and page are incomplete")


if __name__ == "__main__":
    main()
