"""Data and a device: moved batch by batch, or lying there as a whole; never moved unasked."""

import threading

import numpy as np
import pytest
import stand_in

import nn
from autograd import DeviceError, Tensor
from autograd.devices import device_of, move

X, Y = np.arange(22.0).reshape(11, 2), np.arange(11)


def host(batches):
    return [tuple(move(part, "cpu") for part in batch) for batch in batches]


def assert_batches(found, expected):
    found = host(found)
    assert len(found) == len(expected)
    for batch, wanted in zip(found, expected):
        for part, values in zip(batch, wanted, strict=True):
            np.testing.assert_array_equal(part, values)
            assert part.dtype == values.dtype


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("prefetch", [0, 3])
def test_batches_are_moved(device, shuffle, prefetch):
    options = {"batch_size": 4, "shuffle": shuffle, "prefetch": prefetch}
    loader = nn.DataLoader((X, Y), device=device, rng=0, **options)
    batches = [*loader]
    assert {device_of(part).partition(":")[0] for batch in batches for part in batch} == {device}
    assert_batches(batches, [*nn.DataLoader((X, Y), rng=0, **options)])


def test_each_array_of_a_batch_is_moved_once():
    loader = nn.DataLoader((X, Y), batch_size=4, shuffle=True, device="standin")
    with stand_in.counted() as transfers:
        assert len([*loader]) == 3
    assert transfers == {"to device": 6}


def test_the_thread_moves_to_the_device_that_is_meant(monkeypatch):
    """Which GPU is in use may be another one in another thread: the loader asks before."""
    asked = []
    monkeypatch.setattr(
        nn.data.loader, "move", lambda a, device: asked.append((device, threading.current_thread())) or a
    )
    monkeypatch.setattr(nn.data.loader, "device_of", lambda a: "cuda:1")
    loader = nn.DataLoader((X, Y), batch_size=11, device="cuda", prefetch=1)
    assert len([*loader]) == 1
    assert [device for device, _ in asked] == ["cuda", "cuda:1", "cuda:1"]
    assert asked[0][1] is threading.current_thread()
    assert asked[1][1] is not threading.current_thread()


def test_a_loader_says_its_device_and_refuses_one_that_is_none(device):
    assert f"device={Tensor(0.0, device=device).device!r}" in repr(nn.DataLoader((X, Y), device=device))
    assert "device" not in repr(nn.DataLoader((X, Y)))
    with pytest.raises(DeviceError, match="unknown device"):
        nn.DataLoader((X, Y), device="nowhere")


def test_a_transform_works_before_the_move(device):
    def noisy(x, rng):
        assert type(x) is np.ndarray
        return x + rng.normal(size=x.shape)

    loader = nn.DataLoader((X, Y), batch_size=4, rng=0, transform=noisy, device=device)
    assert_batches([*loader], [*nn.DataLoader((X, Y), batch_size=4, rng=0, transform=noisy)])


# Data that lie there as a whole


@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_rows_are_taken_on_the_device(device, shuffle, tensors):
    there = tuple(move(a, device) for a in (X, Y))
    loader = nn.DataLoader(tuple(map(Tensor, there)) if tensors else there, batch_size=4, shuffle=shuffle, rng=0)
    with stand_in.counted() as transfers:
        batches = [*loader]
    assert transfers == ({"to device": 1} if shuffle and device == "standin" else {})
    assert_batches(batches, [*nn.DataLoader((X, Y), batch_size=4, shuffle=shuffle, rng=0)])


def test_every_kind_of_index(device):
    there, here = nn.ArrayDataset(move(X, device), move(Y, device)), nn.ArrayDataset(X, Y)
    mask = Y % 3 == 1
    for index in (0, -1, np.int64(3), slice(2, 9, 3), [4, 4, -1], np.array([1, 10]), mask):
        assert_batches([there[index]], [here[index]])
    assert_batches([there[move(np.array([5, 2]), device)]], [here[[5, 2]]])
    assert_batches([there[move(mask, device)]], [here[mask]])
    with pytest.raises(IndexError):
        there[11]
    assert "float64[11, 2]" in repr(there)


def test_parts_of_a_data_set_that_lies_there(device):
    there = nn.random_split((move(X, device), move(Y, device)), [7, 4], rng=0)
    here = nn.random_split((X, Y), [7, 4], rng=0)
    loaders = [nn.DataLoader(nn.Subset(parts[0], [5, 3, 1, 0]), 2, shuffle=True, rng=0) for parts in (there, here)]
    with stand_in.counted() as transfers:
        batches = [*loaders[0]]
    assert transfers == ({"to device": 1} if device == "standin" else {})
    assert_batches(batches, [*loaders[1]])
    assert_batches([there[1][:], there[1][1:3], there[1][[0, 2]]], [here[1][:], here[1][1:3], here[1][[0, 2]]])


def test_labels_that_lie_there_are_split_evenly(device):
    labels = np.array([0, 1] * 5 + [0])
    there = nn.random_split((move(X, device), move(labels, device)), [6, 5], rng=0, stratify=move(labels, device))
    here = nn.random_split((X, labels), [6, 5], rng=0, stratify=labels)
    assert_batches([part[:] for part in there], [part[:] for part in here])


def test_a_transform_of_the_data_set_works_where_the_data_lie(device):
    there = nn.ArrayDataset(move(X, device), move(Y, device), transform=lambda x: x * 2)
    assert_batches([there[:]], [(X * 2, Y)])
    bad = nn.ArrayDataset(move(X, device), transform=lambda x: x[:1])
    with pytest.raises(ValueError, match=r"must return an array of the 11 rows .* got shape \(1, 2\)"):
        bad[:]


def test_examples_that_lie_there_are_stacked_there(device):
    class Rows(nn.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, k):
            return move(X[k], device), Y[k]

    ((x, y),) = nn.DataLoader(Rows(), batch_size=3)
    assert device_of(x).partition(":")[0] == device
    np.testing.assert_array_equal(move(x, "cpu"), X[:3])
    assert type(y) is np.ndarray


def test_arrays_of_two_devices_are_no_data_set(device):
    other = "standin" if device == "cpu" else "cpu"
    with pytest.raises(DeviceError, match=r"a data set got .* array 0 on .* array 1 on"):
        nn.ArrayDataset(move(X, device), move(Y, other))


def test_data_that_lie_there_need_not_be_moved():
    there = tuple(move(a, "standin:1") for a in (X, Y))
    loader = nn.DataLoader(there, batch_size=4, device="standin:1")
    with stand_in.counted() as transfers:
        batches = [*loader]
    assert not transfers
    assert {device_of(part) for batch in batches for part in batch} == {"standin:1"}


@pytest.mark.parametrize("rows", [[3, 11], [-12], np.array([99])])
def test_a_position_out_of_bounds_is_refused_and_not_wrapped(device, rows):
    whole = nn.ArrayDataset(move(X, device), move(Y, device))
    for data in (whole, nn.Subset(whole, range(11))):
        for fetch in (data.__getitem__, data.take):
            with pytest.raises(IndexError, match=r"(11|-12|99)"):
                fetch(rows)


def test_rows_are_taken_by_a_list(device):
    whole = nn.ArrayDataset(move(X, device), move(Y, device))
    part = nn.Subset(nn.Subset(whole, [5, 3, -1]), [2, 0])
    assert_batches([whole.take([1, -1]), part.take([1, 0])], [(X[[1, -1]], Y[[1, -1]]), (X[[5, 10]], Y[[5, 10]])])
