"""Logistic regression on a data set that is larger than the memory that it may use.

    python examples/larger_than_memory.py                  with Dask, which reads the data part by part
    python examples/larger_than_memory.py --way numpy      the same lines on NumPy arrays: they do not fit
    python examples/larger_than_memory.py --workers 2      in two processes of a local cluster

The data are files of 16 MB, made from a seed the first time; they stay in `--folder`. The limit is a real one,
Linux's: no process that calculates can have more memory than `--limit` says.

What happens in a step is in `learn`. A copy of the model is moved to the device 'dask', where its parameters, like the
data, are calculations that are still to be done. So are the loss and the gradients after `backward`: one `dask.compute`
for all of them reads the data once, and forgets each part before the next one. The model itself, and what the optimizer
remembers of it, stay on the CPU: they are small, and an optimizer writes into them.

A function of arrays does without the copy: `dask.compute(*autograd.value_and_grad(cost)(parameters, X, y))`, where the
parameters are a dict of `dask.array.from_array(p)`, gives the loss and a dict of gradients in one pass too.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where wengert is if it is not installed

import nn
import optim

MB = 1 << 20
COLUMNS, PART = 64, 1 << 16  # the rows of a part are 16 MB


def write(folder: Path, rows: int, seed: int = 0) -> list[tuple[Path, Path, int]]:
    """Make the parts that are not there yet: the files of X and y, and how many rows they have."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = np.random.default_rng(seed).standard_normal((COLUMNS, 1), np.float32) / 4
    parts = []
    for k, start in enumerate(range(0, rows, PART)):
        n = min(PART, rows - start)
        files = folder / f"X-{seed}-{k}-{n}.npy", folder / f"y-{seed}-{k}-{n}.npy"
        if not all(file.exists() for file in files):
            rng = np.random.default_rng([seed, k])
            X = rng.standard_normal((n, COLUMNS), np.float32)
            chance = 1 / (1 + np.exp(-X @ truth))
            y = (rng.random((n, 1), np.float32) < chance).astype(np.float32)
            for file, array in zip(files, (X, y)):
                np.save(partial := file.with_suffix(".part.npy"), array)
                partial.replace(file)  # a whole file, or none
        parts.append((*files, n))
    return parts


def lazy(files: list[Path], sizes: list[int], columns: int) -> da.Array:
    """The rows of these files, of which each is read when a calculation asks for it."""
    meta = np.empty((0, 0), np.float32)
    return da.map_blocks(lambda block_id: np.load(files[block_id[0]]), chunks=(tuple(sizes), columns), meta=meta)


def load(parts: list[tuple[Path, Path, int]], way: str) -> tuple[Any, Any]:
    """X and y, as NumPy's arrays or as Dask's."""
    inputs, targets, sizes = zip(*parts)
    if way == "numpy":
        return np.concatenate([*map(np.load, inputs)]), np.concatenate([*map(np.load, targets)])
    return lazy(inputs, sizes, COLUMNS), lazy(targets, sizes, 1)


def learn(X: Any, y: Any, steps: int) -> tuple[nn.Linear, list[float]]:
    """Gradient descent on all rows, with momentum: the model, and the loss before each step."""
    device = "dask" if isinstance(X, da.Array) else "cpu"
    model = nn.Linear(COLUMNS, 1, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=1.0, momentum=0.8)
    criterion, losses = nn.BCEWithLogitsLoss(), []
    for _ in range(steps):
        there = copy.deepcopy(model).to(device)
        loss = criterion(there(X), y)
        loss.backward()
        value, gradients = dask.compute(loss.data, [p.grad for p in there.parameters()])  # here all of it happens
        for p, gradient in zip(model.parameters(), gradients):
            p.grad = gradient
        optimizer.step()
        losses.append(float(value))
    return model, losses


def limit_memory(megabytes: int) -> None:
    """From here on, this process gets no more memory than that (`man 2 setrlimit`)."""
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MB, resource.getrlimit(resource.RLIMIT_DATA)[1]))


@contextlib.contextmanager
def cluster(workers: int, megabytes: int, folder: Path) -> Iterator[None]:
    """A cluster on this machine, that `dask.compute` uses from here on: each worker is a process with that limit."""
    from distributed import Client

    options = {"n_workers": workers, "threads_per_worker": 1, "memory_limit": megabytes * MB}
    with Client(processes=True, dashboard_address=None, local_directory=folder, **options) as client:
        client.run(limit_memory, megabytes)
        yield


def whole(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
    return int(text)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    default = Path(tempfile.gettempdir()) / "wengert-rows"
    parser.add_argument("--folder", type=Path, default=default, help="where the data are, or are made")
    parser.add_argument("--rows", type=whole, default=48 * PART, help="how many rows, of 256 bytes each")
    parser.add_argument("--limit", type=whole, default=512, metavar="MB", help="the memory of each process")
    parser.add_argument("--steps", type=whole, default=8, help="how often all rows are read")
    parser.add_argument("--way", choices=["dask", "numpy"], default="dask", help="the kind of arrays")
    parser.add_argument("--workers", type=lambda n: whole(n, 0), default=0, metavar="N", help="processes of a cluster")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    parts = write(options.folder, options.rows)
    print(f"{options.rows * COLUMNS * 4 // MB} MB are in {options.folder}, the limit is {options.limit} MB", flush=True)
    limit_memory(options.limit)
    start = time.perf_counter()
    try:
        with cluster(options.workers, options.limit, options.folder) if options.workers else contextlib.nullcontext():
            _, losses = learn(*load(parts, options.way), options.steps)
    except MemoryError:
        print(f"out of memory: with --way {options.way}, the data do not fit", file=sys.stderr)
        return 1
    print(f"loss {losses[0]:.4f}, after {options.steps} steps {losses[-1]:.4f}, {time.perf_counter() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
