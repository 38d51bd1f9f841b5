"""Groups whose processes are threads: all of `nn.parallel` but MPI, quick enough to be tried in many sizes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from small_trainings import data

import nn
import optim
from nn.parallel import Group


class Gone(Exception):
    """Another rank has failed."""


class Threads:
    """A transport through the memory that threads share."""

    def __init__(self, rank, size, barrier, box):
        self.rank, self.size, self.barrier, self.box = rank, size, barrier, box
        self.calls = []

    def all_gather(self, value):
        self.box[self.rank] = value
        self._wait()
        found = list(self.box)
        self._wait()
        return found

    def _wait(self):
        try:
            self.barrier.wait(20)
        except threading.BrokenBarrierError:
            raise Gone from None

    def all_reduce(self, array):
        self.calls.append(array.size)
        assert array.flags.c_contiguous
        arrays = self.all_gather(array.copy())
        total = arrays[0]
        for other in arrays[1:]:
            total = total + other
        array[...] = total

    def gather(self, value):
        found = self.all_gather(value)
        return None if self.rank else found

    def broadcast(self, value):
        return self.all_gather(value)[0]

    def abort(self, status):
        self.barrier.abort()


def in_threads(size, program):
    """What `program(ranks)` returns in each of `size` ranks; the first error that one of them raises is raised."""
    barrier, box = threading.Barrier(size), [None] * size

    def run(rank):
        try:
            return program(Group(Threads(rank, size, barrier, box)))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(run, rank) for rank in range(size)]
    errors = [future.exception() for future in futures]
    own = [error for error in errors if error is not None and not isinstance(error, Gone)]
    if own or any(errors):
        raise (own or errors)[0]
    return [future.result() for future in futures]


def everything(ranks, *, epochs=4, n=61, size=16, checkpoint=None, callbacks=(), dtype=np.float64, accumulate=1):
    """A training with all that looks at more than one example; the history, the model and the optimizer."""
    X, y = data(n, seed=3)
    X, labels = X.astype(dtype), y[:, 0].astype(int)
    labels[::7] = -100
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        nn.Linear(3, 12, bias=False, rng=rng, dtype=dtype),  # behind it, batch normalisation would take away a bias
        nn.BatchNorm1d(12, dtype=dtype),
        nn.ReLU(),
        nn.Dropout(0.3, rng=rng),
        nn.Linear(12, 2, rng=rng, dtype=dtype),
    )
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    noise = nn.Compose([lambda x, rng: x + rng.normal(size=x.shape).astype(x.dtype)])
    history = nn.fit(
        model,
        optimizer,
        nn.CrossEntropyLoss(weight=np.array([1.0, 3.0], dtype)),
        nn.DataLoader((X[:45], labels[:45]), batch_size=size, shuffle=True, rng=rng, transform=noise, prefetch=1),
        validation=nn.DataLoader((X[45:], labels[45:]), batch_size=7, transform=noise, rng=4),
        epochs=epochs,
        metrics=["accuracy"],
        schedule=optim.ReduceLROnPlateau(optimizer, patience=0),
        callbacks=callbacks,
        checkpoint=checkpoint,
        accumulate=accumulate,
        progress=False,
        ranks=ranks,
    )
    return history, model, optimizer


def close(first, second, rtol=1e-9):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=rtol, atol=1e-12, err_msg=name)
