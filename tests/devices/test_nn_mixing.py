"""Inputs and targets on another device than the module: an error that says so, and nothing is moved."""

import numpy as np
import pytest
import stand_in
from nn_cases import LAYERS, LOSSES

import nn
from autograd import DeviceError, Tensor
from autograd.devices import move

STATEFUL = [
    pytest.param(case, id=f"{name}-{k}")
    for name, cases in {**LAYERS, **LOSSES}.items()
    for k, case in enumerate(cases)
    if any(case.make(np.float32)._state())
]
WITH_TARGETS = [pytest.param(case, id=f"{n}-{k}") for n, cases in LOSSES.items() for k, case in enumerate(cases)]
PLACES = [("cpu", "standin"), ("standin", "cpu"), ("standin:0", "standin:1")]


def placed(value, device, as_tensor):
    if not isinstance(value, np.ndarray):
        return value
    array = move(value, device)
    return Tensor(array, requires_grad=value.dtype.kind == "f") if as_tensor else array


def refused(module, arguments, here, there):
    """Call the module, which says that arrays of both devices met, in which operation, and what to do."""
    with stand_in.counted() as transfers, pytest.raises(DeviceError) as found:
        module(*arguments)
    assert transfers == {}
    message, note = str(found.value), found.value.__notes__[0]
    here, there = [move(np.zeros(1), place).device for place in (here, there)]
    for part in ("operands of different devices", f"{here!r} (", f"{there!r} (", "Move one of them first"):
        assert part in message
    assert note.startswith(f"in {type(module).__name__}")


@pytest.mark.parametrize("as_tensors", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("here", "there"), PLACES)
@pytest.mark.parametrize("case", STATEFUL)
def test_a_module_refuses_inputs_of_another_device(case, here, there, training, as_tensors):
    module = case.make(np.float32).to(here).train(training)
    arguments = [placed(make(np.float32), there, as_tensors) for make in case.arguments]
    refused(module, arguments, here, there)


@pytest.mark.parametrize("as_tensors", [True, False])
@pytest.mark.parametrize(("here", "there"), PLACES)
@pytest.mark.parametrize("case", WITH_TARGETS)
def test_a_loss_refuses_targets_and_weights_of_another_device(case, here, there, as_tensors):
    values = [make(np.float32) for make in case.arguments]
    for k, value in enumerate(values):
        if k and isinstance(value, np.ndarray):
            arguments = [placed(v, there if j == k else here, as_tensors and not j) for j, v in enumerate(values)]
            refused(case.make(np.float32).to(here), arguments, here, there)


def test_lists_and_numbers_are_put_where_the_module_is(device):
    x, target = [[0.5, -1.0], [2.0, 1.0]], [1, 0]
    expected = nn.CrossEntropyLoss()(nn.Linear(2, 2, rng=0)(x), target, [1, 2])
    with stand_in.counted() as transfers:
        model, loss = nn.Linear(2, 2, rng=0).to(device), nn.CrossEntropyLoss(weight=[1.0, 1.0]).to(device)
        transfers.clear()
        found = loss(model(x), target, [1, 2])
    assert found.device == model.weight.device
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
    rows = nn.Embedding(3, 2, rng=0).to(device)([[1, 2], [0, 0]])
    np.testing.assert_array_equal(rows.numpy(), nn.Embedding(3, 2, rng=0)([[1, 2], [0, 0]]).numpy())
    x = move(np.float32([[1, 2]]), device)
    assert float(nn.MSELoss()(x, [[1, 0]])) == 2
    assert float(nn.GaussianNLLLoss()(x, [[1, 0]], [[1, 1]])) == 1
    assert float(nn.CosineEmbeddingLoss()(x, x, [1])) == pytest.approx(0, abs=1e-6)
