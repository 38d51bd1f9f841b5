"""`Ranks`: the processes that `mpiexec` has started, as one group that trains one model, and ends as one."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self

from .group import Group
from .mpi import Messages, world

__all__ = ["Ranks"]


class Ranks(Group):
    """The processes of `mpiexec -n N python program.py`, which train one model together.

    A model is copied to each; each computes the gradients of its share of a batch's rows; the sum of all gradients is
    made with one message; and all take the same step. The result is that of one process with the same loader, to
    rounding, whatever the sizes of the batches. With the same number of processes it is the same bit for bit.

    Parameters
    ----------
    device : {'cpu', 'cuda'}
        'cuda' gives each process a GPU, in turn, and connects them by NCCL, through `cupyx.distributed`; where that
        cannot be, arrays travel through the host's memory. NCCL has not yet been tried on several GPUs.

    Attributes
    ----------
    rank : int
        The number of this process, from 0. Files are written, and progress is shown, by number 0.
    size : int
        How many there are.
    device : str
        Where to put the model: 'cpu' or 'cuda:N'.

    Raises
    ------
    DeviceError
        If there is no GPU to use.
    ImportError
        Without mpi4py.

    Notes
    -----
    **One end for all.** An exception that leaves the `with` block of one process is printed, and ends all of them, as
    does `os._exit` inside: nobody waits for a process that is gone. What kills a process from outside is seen by
    `mpiexec`, which ends the others. A checkpoint is written whole or not at all, so that the last one is good.
    A process that leaves the block early without an error, while others still wait for it, cannot be told from a slow
    one. So with one that ends before it has made its `Ranks`: make them early, and do inside what can fail in one.

    **One thread for each.** Inside the block BLAS uses one thread, by threadpoolctl: the cores belong to the processes.

    **What is computed over the whole batch**, as one process would: the mean of a loss, also a weighted one
    (`sample_weight`, weights of classes, `ignore_index`); batch normalisation, in training; the running statistics; the
    masks of dropout, which every process draws for all rows. Not so, and not the same as in one process: what is
    written by hand and mixes examples, such as a loss of pairs in a batch, is computed of the share; random numbers
    from elsewhere than `nn.Dropout` are drawn for the share; and dropout of what has not its examples along the first
    axis, such as weights, drops the same in all processes or, if the length is a multiple of the share's, others in
    each. Where buffers or generators of the model come to differ by that, `fit` says so after the epoch, and stops.

    Examples
    --------
    >>> import numpy as np
    >>> import nn, optim
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)).astype(np.float32)
    >>> y = (X[:, :1] > 0).astype(np.float32)
    >>> with nn.Ranks() as ranks:
    ...     model = nn.MLP([2, 8, 1], rng=0)
    ...     history = nn.fit(
    ...         model,
    ...         optim.Adam(model.parameters(), lr=0.1),
    ...         nn.BCEWithLogitsLoss(),
    ...         nn.DataLoader((X, y), batch_size=16, shuffle=True, rng=1),
    ...         epochs=5,
    ...         ranks=ranks,
    ...     )
    >>> history["loss"][-1] < 0.3
    True

    A loop of one's own:

    >>> criterion, adam = nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=0.1)
    >>> with nn.Ranks() as ranks:
    ...     ranks.broadcast(model)
    ...     for x, target in ranks.shares(nn.DataLoader((X, y), batch_size=16)):
    ...         loss = criterion(model(x), target)
    ...         adam.zero_grad()
    ...         ranks.backward(loss)
    ...         ranks.sum_gradients(model.parameters())
    ...         adam.step()
    ...     ranks.check_equal(model=model)
    """

    def __init__(self, device: str = "cpu"):
        if device not in ("cpu", "cuda"):
            raise ValueError(f"the device is 'cpu' or 'cuda', of which each rank gets one; got {device!r}.")
        communicator = world()
        nccl = None
        self.device = device
        if device == "cuda":
            from . import gpu

            self.device, alone = gpu.choose(communicator)
            nccl = gpu.connect(communicator, alone)
        super().__init__(Messages(communicator, nccl))
        self._before: list[tuple[Any, Any]] = []  # what the end of each block brings back: they may be nested

    def __enter__(self) -> Self:
        self._before.append((os._exit, _one_thread(self.rank)))
        self._process = os.getpid()
        if self.size > 1:
            os._exit = self._refused_exit
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os._exit, limits = self._before.pop()
        if limits is not None:
            limits.restore_original_limits()
        if error is None or self.size == 1 or (isinstance(error, SystemExit) and not error.code):
            return
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            self.abort(error.code)
        said = "".join(traceback.format_exception(kind, error, at))
        print(f"rank {self.rank} of {self.size} ends the run:\n{said}", file=sys.stderr, flush=True)
        self.abort(130 if isinstance(error, KeyboardInterrupt) else 1)

    def _refused_exit(self, status: int) -> NoReturn:
        """In place of `os._exit`: `mpiexec` takes the end of a process with status 0 for a success of all."""
        if os.getpid() == self._process:  # and not one that this one has made
            print(f"rank {self.rank} of {self.size} has called os._exit({status})", file=sys.stderr, flush=True)
            self.abort(status or 1)
        end: Callable[[int], NoReturn] = self._before[0][0]
        end(status)

    def abort(self, status: int = 1) -> None:
        """End all processes with this exit status, if there is more than this one."""
        if self.size > 1:
            sys.stdout.flush()
            super().abort(status)

    def __repr__(self) -> str:
        return f"Ranks(rank={self.rank}, size={self.size}, device={self.device!r})"


def _one_thread(rank: int) -> Any:
    """BLAS with one thread; the limits, which can be restored."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        if not rank:
            warnings.warn(
                "each rank should have one BLAS thread, which needs threadpoolctl: "
                '`pip install "wengert[mpi]"`, or set OPENBLAS_NUM_THREADS=1.',
                RuntimeWarning,
                stacklevel=3,
            )
        return None
    return threadpool_limits(limits=1, user_api="blas")
