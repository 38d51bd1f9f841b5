"""Reading and writing at random keys: a device gives what NumPy gives, and leaves out none of its refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograd import DeviceError, StaleError, Tensor, no_grad
from autograd.devices import move
from autograd.node import data_of

PLACES = ("cpu", "standin")


def here(value):
    return None if value is None else move(data_of(value), "cpu")


@st.composite
def keys(draw):
    """A shape, and a key of an array of that shape."""
    shape = draw(arrays.array_shapes(min_dims=1, max_dims=3, max_side=4))
    positions = arrays.integer_array_indices(shape, result_shape=arrays.array_shapes(max_dims=2, max_side=4))
    masks = st.integers(1, len(shape)).flatmap(lambda n: arrays.arrays(bool, shape[:n]))
    basic = arrays.basic_indices(shape, allow_newaxis=True)
    first = st.integers(-shape[0], shape[0] - 1)
    lists = st.lists(first, max_size=4)
    part = st.sampled_from([slice(None, None, -1), slice(1), 0] if len(shape) == 2 else [None])
    mixed = st.tuples(part, positions).map(lambda m: (m[0], m[1][0 if m[0] is None else 1]))
    return shape, draw(st.one_of(basic, positions, masks, lists, first.map(np.array), mixed))


def moved(key, device):
    if isinstance(key, tuple):
        return tuple([moved(part, device) for part in key])
    return move(key, device) if isinstance(key, np.ndarray) else key


def outcome(call):
    """What a call returns; or the class of its error."""
    try:
        return call()
    except (IndexError, ValueError) as error:
        return type(error)


def assert_same(call):
    """On each device the same arrays come out, or the same error."""
    expected, found = [outcome(lambda place=place: call(place)) for place in PLACES]
    if isinstance(expected, type):
        assert found is expected
        return
    for reference, value in zip(expected, found, strict=True):
        np.testing.assert_array_equal(here(value), here(reference), strict=True)


def values(shape, dtype, start=1.0):
    count = np.arange(start, start + np.prod(shape, dtype=int)).reshape(shape)
    return (count * (1 - 2j)).astype(dtype) if np.dtype(dtype).kind == "c" else count.astype(dtype)


dtypes = st.sampled_from(["f2", "f4", "f8", "c8", "c16"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(keys(), dtypes, st.booleans())
def test_what_is_read_and_its_gradient_are_numpys(key, dtype, fortran):
    shape, key = key
    array = np.asarray(values(shape, dtype), order="F" if fortran else "C")

    def call(place):
        x = Tensor(array, requires_grad=True, device=place)
        y = x[moved(key, place)]
        y.backward(move(values(y.shape, dtype, 3.0), place))
        return y, x.grad

    assert_same(call)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(keys(), dtypes, st.data())
def test_what_is_written_and_its_gradients_are_numpys(key, dtype, data):
    shape, key = key
    kept = outcome(lambda: np.empty(shape)[key].shape)
    kept = () if isinstance(kept, type) else kept
    given_shape = data.draw(st.sampled_from([kept, (), kept[1:], (1,) * len(kept), (1, *kept)]))
    tracked, number = data.draw(st.booleans()), data.draw(st.booleans())

    def call(place):
        x = Tensor(values(shape, dtype), requires_grad=True, device=place)
        v = Tensor(values(given_shape, dtype, 50.0), requires_grad=tracked, device=place)
        y = x * 1
        y[moved(key, place)] = 2.5 if number else v if tracked else v.data
        y.backward(move(values(shape, dtype, 3.0), place))
        written = Tensor(values(shape, dtype), device=place)
        with no_grad():
            written[moved(key, place)] = 2.5 if number else v
        return y, x.grad, v.grad if tracked and not number else written, written

    assert_same(call)


@pytest.mark.parametrize("shape", [(1,), (2,), (3, 1), (3, 4, 1)])
def test_a_mask_of_another_shape_is_refused_and_nothing_is_written(device, shape):
    x = Tensor(np.zeros((3, 4)), device=device)
    mask = Tensor(np.ones(shape, bool), device=device)
    with pytest.raises(IndexError):
        x[mask] = 1.0
    with pytest.raises(IndexError), no_grad():
        x[mask] = 1.0
    np.testing.assert_array_equal(here(x), np.zeros((3, 4)))


@pytest.mark.parametrize(("dtype", "value"), [("f8", 5j), ("i8", np.nan), ("i8", 5j)])
def test_a_number_that_an_array_cannot_hold_is_not_put_at_a_mask(device, dtype, value):
    x = Tensor(np.zeros(3, dtype), device=device)
    with pytest.raises((TypeError, ValueError)):
        x[Tensor(np.array([True, False, True]), device=device)] = value
    np.testing.assert_array_equal(here(x), np.zeros(3))


def test_a_write_into_what_windows_see_gives_no_wrong_gradient(device):
    w = Tensor(np.arange(4.0), requires_grad=True, device=device)
    windows = np.lib.stride_tricks.sliding_window_view(w, 2)
    loss = (windows * windows).sum()
    with no_grad():
        w[1] = 100.0
    try:
        loss.backward()
    except StaleError:
        assert w.grad is None
    else:
        np.testing.assert_array_equal(here(w.grad), [0.0, 4.0, 8.0, 6.0])


KEYS = {"slice": slice(0, 2), "positions": np.array([0, 0]), "list": [0, 1], "mask": np.array([True, True, False])}


@pytest.mark.parametrize("value", [[5.0, 6.0], np.array([5.0, 6.0])], ids=["list", "array"])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_values_are_not_moved_to_a_device_to_be_written_there(key, value):
    x, leaf = Tensor(np.zeros(3), device="standin"), Tensor(np.zeros(3), requires_grad=True, device="standin")
    with pytest.raises(DeviceError, match="nothing is moved"):
        x[moved(key, "standin")] = value
    with pytest.raises(DeviceError, match="nothing is moved"), no_grad():
        leaf[moved(key, "standin")] = value
    np.testing.assert_array_equal(here(x), np.zeros(3))
    np.testing.assert_array_equal(here(leaf), np.zeros(3))
