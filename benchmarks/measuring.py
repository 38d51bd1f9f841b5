"""What is timed, in which order, in which process, and what is made of the times.

A `Contender` is one library on one workload. `Worker` is another interpreter that answers requests, a line of JSON
each; `serve` is its other side.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "PASSES",
    "Contender",
    "Elsewhere",
    "Failure",
    "Times",
    "Worker",
    "check",
    "decoded",
    "differing",
    "encoded",
    "judged",
    "measure",
    "ratio",
    "serve",
    "serve_contender",
    "shown",
    "spread",
]

#: What each contender of a chain is timed at.
PASSES = ("forward", "forward + backward")


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


# Other interpreters


class Failure(Exception):
    """A request to another interpreter was not answered; the message says why."""


class Worker:
    """Another interpreter: it does what a line on its standard input says, and answers with a line.

    Parameters
    ----------
    command : sequence of str
        What to run.
    environment : mapping, optional
        Variables to set; one that is None is taken away.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str | None] | None = None) -> None:
        variables: dict[str, str | None] = {**os.environ, "PYTHONPATH": None, **(environment or {})}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={name: value for name, value in variables.items() if value is not None},
        )
        self._answers: queue.Queue[str] = queue.Queue()
        self._said: list[str] = []
        self._threads = [threading.Thread(target=part, daemon=True) for part in (self._listen, self._overhear)]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _overhear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._said = [*self._said[-20:], line.strip()]

    def ask(self, *request: Any, limit: float = 300.0) -> Any:
        """Send one request and wait for its answer, for at most `limit` seconds; raises Failure."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            answer = self._answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise Failure(f"longer than {limit:g} s") from None
        except OSError:
            answer = ""
        if not answer:
            end = self._end()
            self.close()
            raise Failure(end)
        given = json.loads(answer)
        if "error" in given:
            raise Failure(given["error"])
        return given["answer"]

    def _end(self) -> str:
        """How the interpreter came to its end, of itself."""
        code = self.process.wait()
        self._threads[1].join(timeout=5)  # until all that it has said is heard
        if code < 0:
            return f"the process ended with {signal.Signals(-code).name}"
        said = [line for line in self._said if line]
        return said[-1][:200] if said else f"the process ended with exit status {code}"

    def close(self) -> None:
        """End the interpreter, which is not asked whether it has finished."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not read any more
                    pipe.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def serve(handlers: Mapping[str, Callable[..., Any]]) -> None:
    """The other side of `Worker`: answer each request by the handler of its name.

    What a library prints goes to standard error meanwhile: standard output is for answers.
    """
    with aside() as answers:
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            try:
                answer = {"answer": handlers[name](*arguments)}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


@contextlib.contextmanager
def aside() -> Iterator[Any]:
    """Standard output for what is inside, which alone may write there."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        yield answers


def encoded(array: Any) -> dict[str, Any]:
    """An array as JSON can carry it, with all its digits."""
    given = np.ascontiguousarray(array)
    return {"shape": np.shape(array), "dtype": given.dtype.str, "data": base64.b64encode(given.tobytes()).decode()}


def decoded(message: Mapping[str, Any]) -> np.ndarray:
    """What `encoded` has made a message of."""
    return np.frombuffer(base64.b64decode(message["data"]), message["dtype"]).reshape(message["shape"])


class Elsewhere(Contender):
    """A contender in another interpreter, where `serve_contender` waits for it."""

    def __init__(self, label: str, group: str, command: Sequence[str], tasks: Sequence[str] = PASSES):
        self.worker = Worker(command)
        super().__init__(
            label, group, dict.fromkeys(tasks, lambda: None), lambda: [decoded(a) for a in self.worker.ask("compute")]
        )
        self.version = self.worker.ask("version")

    def seconds(self, task: str, repeats: int) -> float:
        """The mean time of a few runs, measured there."""
        return float(self.worker.ask("seconds", task, repeats))


def serve_contender(contender: Contender, distribution: str) -> None:
    """The other side of `Elsewhere`."""
    from importlib.metadata import version

    serve(
        {
            "version": lambda: version(distribution),
            "compute": lambda: [encoded(a) for a in contender.compute()],
            "seconds": contender.seconds,
        }
    )


# Measuring


def differing(values: Sequence[Any], expected: Sequence[Any], tolerance: float) -> str:
    """What values differ in from what is expected; nothing, if they agree."""
    if len(values) != len(expected):
        return f"has {len(values)} values, not {len(expected)}"
    for k, (b, a) in enumerate(zip(values, expected)):
        b, a = np.asarray(b), np.asarray(a)
        if a.shape != b.shape:
            return f"value {k} has the shape {b.shape}, not {a.shape}"
        scale = float(np.abs(a).max()) if a.size else 0.0
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance * scale):
            return f"value {k} is off by {float(np.abs(a - b).max()) / (scale or 1):.1e}"
    return ""


def check(contenders: Sequence[Contender], tolerance: float) -> None:
    """Refuse to time contenders that do not compute the same numbers as the first of their group."""
    for group in dict.fromkeys(c.group for c in contenders):
        first, *others = [c for c in contenders if c.group == group]
        expected = [np.array(a) for a in first.compute()]
        for other in others:
            difference = differing(other.compute(), expected, tolerance)
            if difference:
                sys.exit(f"{other.label} ({group}) disagrees with {first.label}: {difference}; nothing is timed.")


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
