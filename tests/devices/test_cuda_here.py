"""A machine without CuPy, a GPU or the right driver is told so in a sentence; and nothing heavy is imported."""

import subprocess
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import nn
from autograd import DeviceError, Tensor
from autograd.devices import _gpus, device_of, move


@pytest.fixture(autouse=True)
def _counted_anew():
    """The number of GPUs is asked for once, and here it changes."""
    _gpus.cache_clear()
    yield
    _gpus.cache_clear()


class CUDARuntimeError(RuntimeError):
    pass


class Array:
    """What stands for `cupy.ndarray`: NumPy's values, and the number of a GPU."""

    __module__ = "cupy"

    def __init__(self, values, number):
        self.values, self.device, self.shape, self.dtype = (
            values,
            SimpleNamespace(id=number),
            values.shape,
            values.dtype,
        )

    def get(self):
        return self.values.copy()


class CuPy(ModuleType):
    """As much of CuPy as `move` needs, on a machine with some GPUs, or with something that is wrong."""

    ndarray = Array

    def __init__(self, count=0, error=None, driver=0):
        super().__init__("cupy")
        self.used = 0

        def device_count():
            if error is not None:
                raise CUDARuntimeError(error)
            return count

        runtime = SimpleNamespace(
            getDeviceCount=device_count, driverGetVersion=lambda: driver, getDevice=lambda: self.used
        )
        self.cuda = SimpleNamespace(runtime=runtime, Device=self.use)

    def use(self, number):
        self.used = number
        return nullcontext()

    def asarray(self, array):
        return Array(array.values if isinstance(array, Array) else np.array(array), self.used)


def told(monkeypatch, module, device="cuda"):
    """What is said when somebody asks for a GPU: the same for an array, a Tensor, a module and a data loader."""
    monkeypatch.setitem(sys.modules, "cupy", module)
    model, texts = nn.Linear(2, 1), set()
    before = model.state_dict()
    for ask in (
        lambda: move(np.zeros(2), device),
        lambda: Tensor([1.0], device=device),
        lambda: Tensor([1.0]).to(device),
        lambda: model.to(device),
        lambda: nn.DataLoader(np.zeros((2, 1)), device=device),
    ):
        with pytest.raises(DeviceError) as caught:
            ask()
        texts.add(str(caught.value))
    assert {name: p.device for name, p in model.named_parameters()} == {"weight": "cpu", "bias": "cpu"}
    np.testing.assert_array_equal(model.weight.data, before["weight"])
    (text,) = texts
    assert "\n" not in text
    return text


def test_a_machine_without_cupy(monkeypatch):
    assert 'pip install "wengert[cuda]"' in told(monkeypatch, None)


def test_a_cupy_that_cannot_be_imported(monkeypatch, tmp_path):
    text = "raise ImportError('''\n=====\nFailed to import CuPy.\nlibcublas.so.13: no such file\n=====\n''')"
    (tmp_path / "cupy.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(DeviceError, match="it cannot be imported here: Failed to import CuPy"):
        move(np.zeros(2), "cuda")


def test_a_cupy_that_lacks_something_is_not_called_missing(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("import something_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(ModuleNotFoundError, match="something_that_is_not_there"):
        move(np.zeros(2), "cuda")


@pytest.mark.parametrize(
    "module",
    [
        CuPy(0),
        CuPy(error="cudaErrorNoDevice: no CUDA-capable device is detected", driver=13000),
        CuPy(error="cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"),
    ],
    ids=["none", "no device", "no driver"],
)
def test_a_machine_without_a_gpu(monkeypatch, module):
    assert "there is no NVIDIA GPU here" in told(monkeypatch, module)


def test_a_driver_that_is_too_old(monkeypatch):
    error = "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
    text = told(monkeypatch, CuPy(error=error, driver=12040))
    assert "driver of this machine is too old" in text
    assert "cupy-cuda12x" in text


def test_whatever_else_is_wrong_with_cuda(monkeypatch):
    assert "cudaErrorSystemNotReady" in told(monkeypatch, CuPy(error="cudaErrorSystemNotReady: not yet"))


def test_a_gpu_that_is_not_there(monkeypatch):
    assert "there is no device 'cuda:2': this machine has 2 GPU(s)" in told(monkeypatch, CuPy(2), "cuda:2")


def test_moves_between_gpus(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", CuPy(2))
    first = move(np.arange(3.0), "cuda")
    assert device_of(first) == "cuda:0"
    assert move(first, "cuda") is first
    assert move(first, "cuda:0") is first
    second = move(first, "cuda:1")
    assert device_of(second) == "cuda:1"
    assert device_of(first) == "cuda:0"
    np.testing.assert_array_equal(move(second, "cpu"), np.arange(3.0))


@pytest.mark.parametrize("package", ["autograd", "nn", "optim"])
def test_no_library_of_devices_is_imported_before_somebody_asks_for_it(package):
    """Not by the package, a training step, or a move to where something is already."""
    code = f"""
import sys
import {package}
import nn, optim, autograd
model = nn.MLP([2, 3, 1], rng=0).to("cpu")
sgd = optim.SGD(model.parameters(), lr=0.1)
model(autograd.Tensor([[1.0, 2.0]], dtype="float32", device="cpu")).sum().backward()
sgd.step()
print(sorted({{"cupy", "cupyx", "dask", "distributed", "mpi4py"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tests_of_devices_run_on_a_gpu(request):
    """Skipped, with the reason, where they do not: the tests with a `device` then run on the others only."""
    if "cuda" not in (request.config.getoption("device") or ("cuda",)):
        pytest.skip("it was not asked for")
    try:
        move(np.zeros(1), "cuda")
    except DeviceError as error:
        pytest.skip(f"no test runs on a GPU here. {error}")
    assert device_of(move(np.zeros(1), "cuda")).startswith("cuda:")
