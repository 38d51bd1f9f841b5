"""`Messages`: what the processes of a group send each other, by MPI; between GPUs by NCCL where that is possible."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from autograd.devices import device_of, move

__all__ = ["Messages", "launched", "world"]

#: Variables that say to a process that it is one of several: of MPICH and its relatives, PMIx, Open MPI.
_SIGNS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")


def launched() -> bool:
    """Whether `mpiexec` has started this process.

    Examples
    --------
    >>> from nn.parallel import launched
    >>> launched()
    False
    """
    return any(sign in os.environ for sign in _SIGNS)


def world() -> Any:
    """A communicator of our own between all processes."""
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            f'several processes talk by mpi4py, which does not work here: `pip install "wengert[mpi]"` ({error}).'
        ) from None
    return MPI.COMM_WORLD.Dup()


class Messages:
    """A `Transport` over an MPI communicator.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm
    nccl : optional
        What sums arrays of a GPU: an object with `all_reduce(source, target)`. Without it they travel through the
        host's memory.
    """

    def __init__(self, communicator: Any, nccl: Any = None):
        self.communicator, self.nccl = communicator, nccl
        self.rank, self.size = communicator.Get_rank(), communicator.Get_size()

    def all_reduce(self, array: Any) -> None:
        """Replace a contiguous array by the sum of those of all processes: the same bits in each.

        The order of the additions depends on the number of processes and on the size of the array, and on nothing else.
        """
        if array.__class__ is np.ndarray and array.dtype != np.float16:
            from mpi4py import MPI

            self.communicator.Allreduce(MPI.IN_PLACE, array)
        elif array.__class__ is not np.ndarray and self.nccl is not None:
            self.nccl.all_reduce(array, array)
        else:  # MPI knows neither numbers of half precision nor, as it is built here, the memory of a GPU
            half = array.dtype == np.float16
            host = move(array, "cpu").astype(np.float32 if half else array.dtype, order="C")
            self.all_reduce(host)
            array[...] = move(host.astype(array.dtype, copy=False), device_of(array))

    def all_gather(self, value: Any) -> list[Any]:
        """The values of all processes, in the order of their ranks."""
        return self.communicator.allgather(value)  # type: ignore[no-any-return]

    def gather(self, value: Any) -> list[Any] | None:
        """The same on rank 0, None elsewhere."""
        return self.communicator.gather(value)  # type: ignore[no-any-return]

    def broadcast(self, value: Any) -> Any:
        """The value of rank 0."""
        return self.communicator.bcast(value)

    def abort(self, status: int) -> None:
        """End all processes."""
        self.communicator.Abort(status)
