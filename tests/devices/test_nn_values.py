"""Every module of `nn` on a device: what it computes there is what it computes on the CPU, and nothing is copied."""

import dataclasses
import inspect

import numpy as np
import pytest
import stand_in
from cpp_kernels import COMPILER, on_stand_in
from nn_cases import LAYERS, LOSSES

import nn
from autograd import Tensor
from autograd.devices import LIBRARIES, move
from autograd.node import data_of

CASES = [
    pytest.param(case, id=f"{name}-{k}") for name, cases in {**LAYERS, **LOSSES}.items() for k, case in enumerate(cases)
]
MODES = [pytest.param(True, id="training"), pytest.param(False, id="evaluation")]
DTYPES = [np.float32, np.float64]


def on_the_cpu(values):
    """Values to look at, without a count."""
    return values if isinstance(values, np.ndarray | np.generic) else move(values, "cpu")


def close(found, expected):
    """Whether two arrays are equal up to the order of sums."""
    found, expected = on_the_cpu(data_of(found)), on_the_cpu(data_of(expected))
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    eps = np.finfo(expected.dtype).eps if expected.dtype.kind == "f" else 0
    np.testing.assert_allclose(found, expected, rtol=64 * eps, atol=64 * eps)


class Step:
    """A module called once, and the pass back from what it returned."""

    def __init__(self, case, dtype, training, device):
        self.module = case.make(dtype).train(training).to(device)
        arguments = [make(dtype) for make in case.arguments]
        moved = [move(a, device) if isinstance(a, np.ndarray) else a for a in arguments]
        self.arguments = [Tensor(a, requires_grad=True) if k in case.tracked else a for k, a in enumerate(moved)]
        with stand_in.counted() as self.transfers:
            self.output = self.module(*self.arguments)
            if isinstance(self.output, Tensor) and self.output.requires_grad:
                weights = np.cos(np.arange(self.output.size, like=self.output.data)).reshape(self.output.shape)
                self.output.backward(weights.astype(dtype))

    def gradients(self):
        tensors = [*self.module.parameters(), *[a for a in self.arguments if isinstance(a, Tensor)]]
        return [tensor.grad for tensor in tensors]


def equal_to_the_cpu(case, dtype, training, device):
    """Whether the output, all gradients and all buffers are what they are on the CPU."""
    expected, found = Step(case, dtype, training, "cpu"), Step(case, dtype, training, device)
    assert type(data_of(found.output)) is type(move(np.zeros(1), device))
    close(found.output, expected.output)
    for gradient, other in zip(found.gradients(), expected.gradients(), strict=True):
        assert (gradient is None) == (other is None)
        if gradient is not None:
            close(gradient, other)
    for buffer, other in zip(found.module.buffers(), expected.module.buffers(), strict=True):
        close(buffer, other)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_device_computes_what_the_cpu_computes(case, training, dtype, device):
    equal_to_the_cpu(case, dtype, training, device)


@pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler here")
@pytest.mark.parametrize("case", CASES)
def test_a_device_with_fused_kernels_computes_it_too(case, monkeypatch):
    fusing = dataclasses.replace(stand_in.STAND_IN, elementwise=on_stand_in)
    monkeypatch.setitem(LIBRARIES, "stand_in", fusing)
    equal_to_the_cpu(case, np.float32, True, "standin")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("training", MODES)
def test_nothing_is_copied_or_waited_for(case, training):
    step = Step(case, np.float32, training, "standin")
    masks = [part for part in step.module.modules() if isinstance(part, nn.Dropout) and part.p and training]
    assert step.transfers == ({"to device": len(masks)} if masks else {})  # dropout draws its masks on the CPU


@pytest.mark.parametrize("case", [p for p in CASES if p.id.partition("-")[0] in LOSSES])
def test_a_loss_of_plain_arrays_is_a_plain_array(case, device):
    arguments = [make(np.float32) for make in case.arguments]
    expected = case.make(np.float32)(*arguments)
    with stand_in.counted() as transfers:
        moved = [move(a, device) if isinstance(a, np.ndarray) else a for a in arguments]
        transfers.clear()
        found = case.make(np.float32).to(device)(*moved)
    assert type(found) is type(move(np.zeros(1), device)) or device == "cpu"
    close(found, expected)


def test_all_modules_are_among_the_cases():
    modules = {
        name for name in nn.__all__ if inspect.isclass(kind := getattr(nn, name)) and issubclass(kind, nn.Module)
    }
    assert {*LAYERS, *LOSSES} == modules - {"Module"}
    for name, cases in {**LAYERS, **LOSSES}.items():
        for case in cases:
            assert any(type(part).__name__ == name for part in case.make(np.float32).modules())
