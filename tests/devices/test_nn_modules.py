"""Modules that are moved, and their state in dictionaries and in files: wherever they are, it is the same."""

import copy
import dataclasses

import numpy as np
import pytest
import stand_in

import nn
import optim
from autograd import DeviceError, Tensor
from autograd.devices import LIBRARIES, Library, move
from autograd.node import data_of


def network(dtype=np.float32):
    """Parameters, a shared one, one that is frozen, buffers of numbers and of a boolean."""
    model = nn.Sequential(
        nn.Standardize(4, dtype=dtype).fit(np.arange(12.0).reshape(3, 4)),
        nn.Linear(4, 4, dtype=dtype, rng=0),
        nn.BatchNorm1d(4, dtype=dtype),
        nn.Linear(4, 4, dtype=dtype, rng=1),
        nn.Dropout(0.5, rng=2),
    )
    model[3].weight = model[1].weight
    model[3].bias.requires_grad = False
    return model


def same(state, other):
    assert state.keys() == other.keys()
    for name, value in state.items():
        value, expected = [move(data_of(v), "cpu") for v in (value, other[name])]
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


def trained(model):
    """Another state of the same module: its statistics and its generator have gone on."""
    model(move(np.float32([[1, 2, 3, 4], [0, 1, 0, 1]]), model[1].weight.device))
    return model


# Moves


def test_a_move_keeps_the_objects_and_what_is_shared_and_frozen(device):
    model = network()
    before, state = list(model._state().values()), model.state_dict()
    model[1].weight.name = "W"
    assert model.to(device) is model
    place = move(np.zeros(1), device)
    for tensor, other in zip(model._state().values(), before, strict=True):
        assert tensor is other
        assert type(tensor.data) is type(place)
    assert model[3].weight is model[1].weight
    assert (model[1].weight.name, model[3].bias.requires_grad) == ("W", False)
    same(model.state_dict(), state)
    weight = model[1].weight.data
    assert model.to(device)[1].weight.data is weight  # nothing is copied where nothing has to move
    same(model.cpu().state_dict(), state)
    assert {tensor.device for tensor in before} == {"cpu"}


def test_a_gradient_is_of_the_device_where_the_parameter_is(device):
    layer = nn.Linear(2, 1, rng=0)
    hooked = []
    layer.weight.register_hook(hooked.append)
    layer(np.float32([[1, 2]])).sum().backward()
    layer.to(device)
    assert layer.weight.grad is None or device == "cpu"
    layer.zero_grad()
    layer(move(np.float32([[1, 2]]), device)).sum().backward()
    assert type(layer.weight.grad) is type(layer.weight.data)
    assert len(hooked) == 2
    np.testing.assert_array_equal(move(layer.weight.grad, "cpu"), [[1, 2]])


def test_a_module_is_moved_and_converted_at_once(device):
    model = network().to(device, np.float64)
    assert {str(t.dtype) for t in model.parameters()} == {"float64"}
    assert model[2].num_batches_tracked.dtype == np.int64
    same(model.state_dict(), network().to(np.float64).state_dict())


def test_a_device_that_fails_half_way_leaves_the_module_as_it_was(monkeypatch):
    model, calls = network(), []
    before = {name: tensor.data for name, tensor in model._state().items()}

    def put(array, device):
        calls.append(device)
        if len(calls) > 3:
            raise MemoryError("out of memory")
        return stand_in.STAND_IN.put(array, device)

    small = dataclasses.replace(stand_in.STAND_IN, put=put)
    monkeypatch.setitem(LIBRARIES, "stand_in", small)
    with pytest.raises(MemoryError):
        model.to("standin")
    assert len(calls) == 4
    for name, tensor in model._state().items():
        assert tensor.data is before[name]


@pytest.mark.parametrize("place", ["gpu", "cuda:one", "standin:7", ""])
def test_a_device_that_is_not_there_is_an_error_and_nothing_is_moved(place):
    model = network()
    with pytest.raises(DeviceError, match="device"):
        model.to(place)
    assert {tensor.device for tensor in model._state().values()} == {"cpu"}


def test_cuda_and_cpu_are_short_for_to(monkeypatch):
    called_cuda = Library("cuda", stand_in._put, stand_in.Array.get, lambda a: a.device.replace("standin", "cuda"))
    monkeypatch.setitem(LIBRARIES, "stand_in", called_cuda)
    monkeypatch.delitem(LIBRARIES, "cupy")
    model = network()
    assert model.cuda() is model
    assert model[1].weight.device == "cuda:0"
    assert model.cuda(1)[1].weight.device == "cuda:1"
    assert model.cuda()[1].weight.device == "cuda:1"  # as 'cuda' does
    assert model.cpu() is model
    assert model[1].weight.device == "cpu"
    with pytest.raises(DeviceError, match="there is no device"):
        model.cuda(7)
    assert model[1].weight.device == "cpu"


def test_a_copy_is_where_the_original_is(device):
    model = network().to(device)
    twin = copy.deepcopy(model)
    assert twin[1].weight.device == model[1].weight.device
    assert twin[3].weight is twin[1].weight is not model[1].weight
    same(twin.state_dict(), model.state_dict())


def test_reset_parameters_draws_the_same_numbers_everywhere(device):
    for layer in (nn.Linear(3, 2, rng=5), nn.Maxout(3, 2, rng=5), nn.Embedding(4, 3, padding_idx=1, rng=5)):
        expected = copy.deepcopy(layer)
        expected.reset_parameters(7)
        layer.to(device).reset_parameters(7)
        same(layer.state_dict(), expected.state_dict())
        assert type(layer.weight.data) is type(move(np.zeros(1), device))


def test_a_seed_drops_the_same_elements_everywhere(device):
    for kind, shape in ((nn.Dropout, (5, 4)), (nn.Dropout1d, (2, 5, 3)), (nn.Dropout2d, (2, 5, 3, 3))):
        here, there = kind(0.5, rng=3), kind(0.5, rng=3)
        for _ in range(2):
            x = np.ones(shape, np.float32)
            np.testing.assert_array_equal(move(there(move(x, device)), "cpu"), here(x))


# State


def test_a_state_stays_on_its_device_and_is_loaded_from_any_other(device):
    model, expected = trained(network()), trained(network()).state_dict()
    state = model.to(device).state_dict()
    assert {type(value) for value in state.values()} == {type(move(np.zeros(1), device))}
    for place in ("cpu", device):
        other = network().to(place)
        weight = other[1].weight.data
        other.load_state_dict(state)
        assert other[1].weight.data is weight  # in place
        same(other.state_dict(), expected)
    here = network().to(device)
    here.load_state_dict(expected)
    same(here.state_dict(), expected)
    state["1.weight"] *= 0
    assert move(here[1].weight.data, "cpu").any()  # it was copied


def test_a_state_with_the_shared_name_of_another_device_is_compared(device):
    state = network().state_dict()
    network().to(device).load_state_dict({**state, "3.weight": move(state["1.weight"], device)})
    with pytest.raises(ValueError, match=r"3\.weight is shared with 1\.weight here, and holds other values"):
        network().load_state_dict({**state, "3.weight": move(state["1.weight"] + 1, device)})


def test_a_state_that_does_not_fit_changes_nothing(device):
    model, expected = network().to(device), network().state_dict()
    with pytest.raises(ValueError, match=r"1\.weight: expected float32\[4, 4\], got float32\[2\]"):
        model.load_state_dict({**expected, "1.weight": move(np.zeros(2, np.float32), device)})
    same(model.state_dict(), expected)


# Files


def test_a_file_of_weights_is_the_same_bytes_from_every_device(device, tmp_path):
    model = trained(network())
    nn.save_weights(model, tmp_path / "cpu")
    nn.save_weights(model.to(device), tmp_path / "device")
    assert (tmp_path / "device").read_bytes() == (tmp_path / "cpu").read_bytes()
    for place in ("cpu", device):
        other = network().to(place)
        nn.load_weights(other, tmp_path / "device")
        same(other.state_dict(), model.state_dict())
        assert type(other[1].weight.data) is type(move(np.zeros(1), place))


def test_what_is_not_contiguous_on_the_device_is_written_as_it_reads(device, tmp_path):
    layer = nn.Linear(2, 3, rng=0).to(device)
    layer.weight = nn.Parameter(move(np.arange(6, dtype=np.float32).reshape(2, 3), device).T)
    nn.save_weights(layer, tmp_path / "weights")
    other = nn.Linear(2, 3)
    nn.load_weights(other, tmp_path / "weights")
    np.testing.assert_array_equal(other.weight.data, np.arange(6).reshape(2, 3).T)


def test_a_checkpoint_is_the_same_bytes_from_every_device_and_resumes_on_every_other(device, tmp_path):
    def save(model, path):
        nn.save_checkpoint(path, model=model, epoch=3, best=move(np.float32([1, 2]), model[1].weight.device))

    model = trained(network())
    save(model, tmp_path / "cpu")
    save(model.to(device), tmp_path / "device")
    assert (tmp_path / "device").read_bytes() == (tmp_path / "cpu").read_bytes()
    x = np.float32([[1, 2, 3, 4], [0, 1, 0, 2]])
    expected = move(model(move(x, device)).data, "cpu")
    for place in ("cpu", device):
        other = network().to(place)
        extra = nn.load_checkpoint(tmp_path / "device", model=other)
        assert extra["epoch"] == 3
        np.testing.assert_array_equal(extra["best"], [1, 2])
        np.testing.assert_allclose(move(other(move(x, place)).data, "cpu"), expected, rtol=1e-5)  # the mask too


def test_a_checkpoint_that_does_not_fit_changes_nothing(device, tmp_path):
    nn.save_checkpoint(tmp_path / "file", model=nn.Linear(2, 1))
    model = network().to(device)
    with pytest.raises(ValueError, match="nothing is changed"):
        nn.load_checkpoint(tmp_path / "file", model=model)
    same(model.state_dict(), network().state_dict())


def test_a_move_does_not_disturb_a_pass_that_was_recorded_before():
    layer = nn.Linear(2, 1, rng=0)
    x = Tensor(np.float32([[1, 2]]), requires_grad=True)
    loss, weight = layer(x).sum(), layer.weight.data
    layer.to("standin")
    loss.backward()
    np.testing.assert_array_equal(x.grad, weight)
    assert layer.weight.grad is None


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop])
def test_a_training_goes_on_from_a_checkpoint_on_any_device(kind, device, tmp_path):
    def step(model, optimizer, place):
        x, y = [move(a, place) for a in (np.float32([[1, 2, 3, 4], [0, 1, 0, 2]]), np.int64([1, 3]))]
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss)

    def made(place):
        model = network().to(place)
        return model, kind(model.parameters(), lr=0.01)

    model, optimizer = made(device)
    for _ in range(3):
        step(model, optimizer, device)
    nn.save_checkpoint(tmp_path / "file", model=model, optimizer=optimizer)
    expected = [step(model, optimizer, device) for _ in range(3)]
    for place in ("cpu", device):
        model, optimizer = made(place)
        nn.load_checkpoint(tmp_path / "file", model=model, optimizer=optimizer)
        assert [step(model, optimizer, place) for _ in range(3)] == pytest.approx(expected, rel=1e-4)
