"""What a benchmark on a GPU needs: the device with its clock, and the proof that it computes what the CPU does.

Nothing is timed before it agrees with float64 on the CPU: `check_training`, `require`. Distances are of whole arrays,
|a - b| / |b|.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tables import installed, machine, version_of
from training import Training

__all__ = ["BUSY", "TOLERANCE", "Card", "check_products", "check_training", "distance", "require"]

#: The largest distance from float64 of a gradient, and of what three steps change. A ReLU whose input rounds to the
#: other side of zero moves a gradient by 1e-3; where a gradient is only rounding, Adam makes a whole step either way.
TOLERANCE, CHANGE = 5e-3, 2e-2

#: For how many ticks of its clock the device is kept busy, and how long that takes at the very least, in seconds.
BUSY_TICKS, BUSY = 100_000_000, 0.02


class Card:
    """The device: its arrays, its clock, and how to wait for it."""

    def __init__(self, device: str) -> None:
        """Raises RuntimeError, with a sentence, if the device cannot be used."""
        from autograd.devices import move
        from autograd.errors import DeviceError

        self.device = device
        self.arrays: Any = np
        if device != "cpu":
            for name in ("CUPY_TF32", "NVIDIA_TF32_OVERRIDE"):
                os.environ.pop(name, None)
            try:
                move(np.zeros(1), device)
            except DeviceError as error:
                raise RuntimeError(str(error)) from None
        if not installed("torch"):
            raise RuntimeError("this benchmark compares with PyTorch, which is not installed here.")
        import torch

        if device == "cpu":
            torch.set_num_threads(1)  # a trial has no need of more, and those that wait for each other would delay it
            return
        torch.backends.cuda.matmul.allow_tf32 = False
        if not torch.cuda.is_available():
            raise RuntimeError(f"this PyTorch ({torch.__version__}) finds no GPU: it needs one built for CUDA.")
        import cupy

        self.arrays = cupy
        code = "long long start = clock64(); while (clock64() - start < ticks) {}"
        self.busy = cupy.RawKernel(f'extern "C" __global__ void busy(long long ticks) {{ {code} }}', "busy")

    @property
    def by_hand(self) -> str:
        """How the tables call code without a tape."""
        return "NumPy by hand" if self.arrays is np else "CuPy by hand"

    def wait(self) -> None:
        """Wait until the device has nothing left to do, whoever gave it that."""
        if self.arrays is not np:
            self.arrays.cuda.runtime.deviceSynchronize()

    def apart(self, step: Callable[[], Any]) -> tuple[float, float]:
        """The seconds of the host alone, and of the device alone, for one step."""
        self.wait()
        if self.arrays is np:
            start = time.perf_counter()
            step()
            seconds = time.perf_counter() - start
            return seconds, seconds
        before, after = self.arrays.cuda.Event(), self.arrays.cuda.Event()
        self.busy((1,), (1,), (np.int64(BUSY_TICKS),))
        before.record()
        start = time.perf_counter()
        step()
        host = time.perf_counter() - start
        after.record()
        self.wait()
        return host, self.arrays.cuda.get_elapsed_time(before, after) / 1e3

    def about(self) -> dict[str, str]:
        """What the numbers depend on."""
        import torch

        about = {"device": "cpu: a trial of this program, which says nothing of a GPU"}
        if self.arrays is not np:
            runtime = self.arrays.cuda.runtime
            about = {
                "device": runtime.getDeviceProperties(0)["name"].decode(),
                "driver's CUDA": str(runtime.driverGetVersion()),
                "CuPy": f"{self.arrays.__version__} (CUDA {runtime.runtimeGetVersion()})",
                "PyTorch's CUDA": str(torch.version.cuda),
                "triton": version_of("triton"),
            }
        return {**about, **machine()}


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """How far an array is from another one, relative to its length."""
    length, off = float(np.linalg.norm(expected)), float(np.linalg.norm(found.astype(np.float64) - expected))
    return off / length if length else off


def require(right: bool, who: str, what: str, off: float) -> None:
    """End the run if somebody computes something else."""
    if not right:
        sys.exit(f"{who}: {what} is off its float64 value by {off:.1e}, relative to its length: nothing is timed.")


def check_products(card: Card) -> None:
    """A product with the identity shows whether float32 loses digits on its way into a product."""
    import torch

    from autograd.devices import move

    a, one = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32), np.eye(512, dtype=np.float32)
    ours = move(np.matmul(move(a, card.device), move(one, card.device)), "cpu")
    theirs = (torch.tensor(a, device=card.device) @ torch.tensor(one, device=card.device)).cpu().numpy()
    for who, product in ((card.arrays.__name__, ours), ("PyTorch", theirs)):
        require(np.array_equal(product, a), who, "a product of float32 (is TF32 on?)", distance(product, a))


def check_training(training: Training, group: str, expected: Any, start: Sequence[np.ndarray]) -> float:
    """End the run if a training computes something else; returns how far its gradients are from float64.

    `expected` is what the float64 training's `values(3)` returned, and `start` the parameters before.
    """
    gradients, _, parameters = training.values(3)
    worst, who = 0.0, f"{training.label} ({group})"
    for k, (found, exact) in enumerate(zip(gradients, expected[0], strict=True)):
        off = distance(found, exact)
        require(off <= TOLERANCE, who, f"the gradient of parameter {k}", off)
        worst = max(worst, off)
    for k, (found, exact, before) in enumerate(zip(parameters, expected[2], start, strict=True)):
        change, rounding = exact - before, 4 * np.finfo(np.float32).eps * np.linalg.norm(before)
        right = np.linalg.norm(found - exact) <= CHANGE * np.linalg.norm(change) + rounding
        require(bool(right), who, f"the change of parameter {k} in three steps", distance(found - before, change))
    return worst
