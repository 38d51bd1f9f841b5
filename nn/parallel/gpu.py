"""One GPU for each process, and NCCL between them.

It follows the documentation of CuPy and NCCL, and has been tried with stand-ins alone: not yet on several GPUs.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd.devices import move

__all__ = ["choose", "connect"]


def choose(communicator: Any) -> tuple[str, bool]:
    """The name of the GPU of this process, which is then in use, and whether it is its own.

    The processes of a machine take its GPUs in turn.
    """
    from mpi4py import MPI

    move(np.zeros(1), "cuda")  # says what is missing
    import cupy

    here = communicator.Split_type(MPI.COMM_TYPE_SHARED)
    count = cupy.cuda.runtime.getDeviceCount()
    number = here.Get_rank() % count
    cupy.cuda.Device(number).use()
    return f"cuda:{number}", here.Get_size() <= count


def connect(communicator: Any, alone: bool) -> Any:
    """NCCL's connection of all processes; None if one of them cannot have it: all must go the same way."""
    rank, size = communicator.Get_rank(), communicator.Get_size()
    try:
        import cupyx.distributed
        from cupy.cuda import nccl

        reason = "this CuPy has no NCCL" if not nccl.available else "" if alone else "some processes share a GPU"
    except ImportError as error:
        reason = f"this CuPy has no cupyx.distributed ({error})"
    reasons = [reason for reason in communicator.allgather(reason) if reason]
    if not reasons:
        return cupyx.distributed.init_process_group(size, rank, use_mpi=True)
    if not rank:
        said = f"gradients travel between the GPUs through the host's memory: {reasons[0]}."
        warnings.warn(said, RuntimeWarning, stacklevel=3)
    return None
