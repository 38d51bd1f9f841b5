"""What `mpiexec` runs in test_parallel_mpi.py: `python programs_for_ranks.py NAME ARGUMENTS…`."""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

import nn
import optim


def train(ranks, epochs, checkpoint=None, callbacks=(), n=70, size=16):
    """A small training with dropout and batch normalisation; the history and the model."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    y = (X[:, :1] * X[:, 1:2] > 0).astype(float)
    model = nn.Sequential(
        nn.Linear(3, 16, bias=False, rng=rng, dtype=np.float64),
        nn.BatchNorm1d(16, dtype=np.float64),
        nn.ReLU(),
        nn.Dropout(0.2, rng=1),
        nn.Linear(16, 1, rng=rng, dtype=np.float64),
    )
    history = nn.fit(
        model,
        optim.Adam(model.parameters(), lr=0.02),
        nn.BCEWithLogitsLoss(),
        nn.DataLoader((X[:50], y[:50]), batch_size=size, shuffle=True, rng=2),
        validation=nn.DataLoader((X[50:], y[50:]), batch_size=20),
        epochs=epochs,
        metrics=["accuracy"],
        checkpoint=checkpoint,
        callbacks=callbacks,
        ranks=ranks,
        progress=False,
    )
    return history, model


def equal(folder):
    """Trains, and leaves what was learnt; and makes sums of many sizes, which must have the same bits everywhere."""
    from threadpoolctl import threadpool_info

    def threads():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before, end = threads(), os._exit
    with nn.Ranks() as ranks:
        with ranks:  # as a function may that is given them
            assert threads() == [1] * len(before)
        assert threads() == [1] * len(before)
        assert (os._exit is end) == (ranks.size == 1)
        assert nn.parallel.launched()
        for dtype in ("float16", "float32", "float64"):
            for size in (0, 1, 7, 1000, 30011, 300007):
                own = np.random.default_rng(ranks.rank).normal(size=size).astype(dtype)
                everywhere = ranks.transport.all_gather(own)
                ranks.transport.all_reduce(own)
                summed = {array.tobytes() for array in ranks.transport.all_gather(own)}
                assert len(summed) == 1, (dtype, size)
                tolerance = 0.02 if dtype == "float16" else 1e-5
                np.testing.assert_allclose(own, np.sum(everywhere, axis=0, dtype=float), atol=tolerance)
        history, model = train(ranks, epochs=3)
        if ranks.rank == 0:
            (Path(folder) / "history.json").write_text(json.dumps(dict(history)))
            np.savez(Path(folder) / "weights.npz", **model.state_dict())
    assert threads() == before
    assert os._exit is end


class Death(nn.Callback):
    """One rank ends in the third epoch, in one of several ways."""

    def __init__(self, way, rank):
        self.way, self.rank = way, rank

    def on_batch_end(self, run):
        if (run.ranks.rank, run.epoch, run.batch) != (self.rank, 3, 2):
            return
        if self.way == "exception":
            raise ValueError("something is wrong on this rank")
        if self.way == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.way == "sys.exit":
            sys.exit(3)
        os._exit(int(self.way))


def die(way, rank, checkpoint):
    with nn.Ranks() as ranks:
        train(ranks, epochs=10**6, checkpoint=checkpoint, callbacks=[Death(way, int(rank))])
    print("came to its end")


def resume(checkpoint, epochs, folder):
    with nn.Ranks() as ranks:
        history, model = train(ranks, epochs=int(epochs), checkpoint=checkpoint)
        if ranks.rank == 0:
            (Path(folder) / "history.json").write_text(json.dumps(dict(history)))
            np.savez(Path(folder) / "weights.npz", **model.state_dict())


def out_of_step():
    """Each rank has another number of batches, of another size in total; and is told."""
    with nn.Ranks() as ranks:
        for _ in ranks.shares([np.zeros(4)] * (3 + ranks.rank)):
            pass


class Nccl:
    """Stands for NCCL: sums what is on a device, without a copy that anybody would see."""

    def __init__(self, communicator):
        self.communicator, self.sizes = communicator, []

    def all_reduce(self, source, target):
        assert source is target
        self.sizes.append(source.size)
        target._host[...] = sum(self.communicator.allgather(source._host))


def devices():
    """Gradients on a stand-in for a device: through the host, and by a stand-in for NCCL."""
    import stand_in

    from autograd.devices import LIBRARIES, move
    from nn.parallel import Group
    from nn.parallel.mpi import Messages

    LIBRARIES["stand_in"] = stand_in.STAND_IN
    with nn.Ranks() as ranks:
        communicator = ranks.transport.communicator
        nccl = Nccl(communicator)
        for group in (ranks, Group(Messages(communicator, nccl))):
            a, b, none = (nn.Parameter(np.ones(n), dtype="float32") for n in (3, 2, 1))
            half = nn.Parameter(np.ones(2), dtype="float16")
            for p in (a, b, none, half):
                p.__init__(move(p.data, "standin"))
            a.grad = move(np.float32([1, 2, 3]) * (1 + ranks.rank), "standin")
            half.grad = move(np.float16([1, 2]), "standin")
            if ranks.rank == 1:
                b.grad = move(np.float32([5, 7]), "standin")
            with stand_in.counted() as transfers:
                group.sum_gradients([a, b, none, half])
            assert not transfers or group is ranks, transfers
            assert type(a.grad) is type(b.grad) is type(half.grad) is stand_in.Array
            for p, expected in ((a, [3, 6, 9]), (b, [5, 7]), (half, [2, 4])):
                np.testing.assert_array_equal(p.grad.get(), expected)
            assert none.grad is None
        assert nccl.sizes == [6, 2], "one sum for each dtype"
        both = nn.Module()
        both.a, both.b = a, b
        ranks.check_equal(both=both)


def gpus(count):
    """Which GPU each of two ranks gets, where a stand-in for CuPy says how many there are; and who connects them."""
    from types import ModuleType

    names = ("cupy", "cupy.cuda", "cupy.cuda.nccl", "cupyx", "cupyx.distributed")
    cupy, cuda, nccl, cupyx, distributed = modules = [ModuleType(name) for name in names]
    sys.modules.update(zip(names, modules))
    used, connected = [], []

    class Device:
        def __init__(self, number):
            self.number = number

        def use(self):
            used.append(self.number)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    cupy.cuda, cupy.ndarray, cupy.asarray = cuda, type("ndarray", (), {}), lambda array: array
    cuda.nccl, cuda.Device, cuda.runtime = nccl, Device, ModuleType("runtime")
    cuda.runtime.getDeviceCount, cuda.runtime.getDevice = lambda: int(count), lambda: 0
    nccl.available, cupyx.distributed = True, distributed
    distributed.init_process_group = lambda *ranks, **how: connected.append((*ranks, how)) or "connection"
    with nn.Ranks("cuda") as ranks:
        number = ranks.rank % int(count)
        assert used == [number]
        assert ranks.device == f"cuda:{number}"
        if int(count) > 1:
            assert connected == [(2, ranks.rank, {"use_mpi": True})]
            assert ranks.transport.nccl == "connection"
        else:
            assert ranks.transport.nccl is None
            assert connected == []


class Sign(nn.Callback):
    """Leaves a file when there have been two checkpoints."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, run):
        if run.epoch == 3:
            self.path.touch()


def forever(folder):
    """Trains until it is killed from outside; tells the number of each process."""
    with nn.Ranks() as ranks:
        (Path(folder) / f"{ranks.rank}.pid").write_text(str(os.getpid()))
        sign = Sign(Path(folder) / f"{ranks.rank}.begun")
        train(ranks, epochs=10**6, checkpoint=Path(folder) / "checkpoint", callbacks=[sign])


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
