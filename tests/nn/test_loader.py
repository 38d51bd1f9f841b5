"""Loaders: what is in a batch, in which order, and what becomes of the thread."""

import copy
import gc
import subprocess
import sys
import threading
import time
import traceback
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Tensor


def threads():
    return [t for t in threading.enumerate() if t.name == "DataLoader"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


class Items(nn.Dataset):
    """Read example by example; complains at one of them if told so."""

    def __init__(self, n, bad=None):
        self.n, self.bad, self.read = n, bad, []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index == self.bad:
            raise OSError(f"example {index} is damaged")
        self.read.append(index)
        return np.full((2, 3), index, np.float32), np.int8(index % 2)


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert isinstance(x, np.ndarray)
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def add_noise(x, rng):
    return x + rng.standard_normal(x.shape)


@pytest.fixture
def arrays():
    return np.arange(30, dtype=np.float32).reshape(10, 3), np.arange(10)


# DataLoader: the batches


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 50),
    batch_size=st.integers(1, 60),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    prefetch=st.sampled_from([0, 0, 1, 3]),
    seed=st.integers(0, 99),
)
def test_an_epoch_has_every_example_exactly_once(n, batch_size, shuffle, drop_last, prefetch, seed):
    X, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    loader = nn.DataLoader((X, y), batch_size, shuffle, drop_last, seed, prefetch)
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader)
        sizes = [len(labels) for _, labels in batches]
        assert all(size == batch_size for size in sizes[:-1])
        seen = [int(k) for _, labels in batches for k in labels]
        assert len(set(seen)) == len(seen)
        if drop_last:
            assert len(seen) == n - n % batch_size
            assert set(sizes) <= {batch_size}
        else:
            assert sorted(seen) == list(range(n))
        if not shuffle:
            assert seen == sorted(seen)
        for x, labels in batches:
            np.testing.assert_array_equal(x, X[labels])


def test_each_epoch_has_another_order_and_a_seed_fixes_them_all():
    loader, again = (nn.DataLoader(np.arange(40), 7, shuffle=True, rng=5) for _ in range(2))
    epochs = [np.concatenate(list(loader)).tolist() for _ in range(3)]
    assert len(set(map(tuple, epochs))) == 3
    assert epochs == [np.concatenate(list(again)).tolist() for _ in range(3)]


@pytest.mark.parametrize("prefetch", [0, 2])
def test_the_generator_between_epochs_determines_what_follows(prefetch):
    loader = nn.DataLoader(np.arange(40.0), 7, shuffle=True, rng=5, prefetch=prefetch, transform=add_noise)
    list(loader)
    state = loader.rng.bit_generator.state
    expected = [list(loader), list(loader)]
    fresh = nn.DataLoader(np.arange(40.0), 7, shuffle=True, rng=99, prefetch=2 - prefetch, transform=add_noise)
    fresh.rng.bit_generator.state = state
    for epoch in expected:
        same(list(fresh), epoch)
    assert fresh.rng.bit_generator.state == loader.rng.bit_generator.state


def test_everything_is_drawn_when_the_epoch_begins():
    loader = nn.DataLoader(np.arange(40.0), 7, shuffle=True, rng=5, transform=add_noise, prefetch=1)
    before = loader.rng.bit_generator.state
    batches = iter(loader)
    state = loader.rng.bit_generator.state
    assert state != before
    next(batches)
    batches.close()  # an epoch that is left early draws as much as any other
    assert loader.rng.bit_generator.state == state
    plain = nn.DataLoader(np.arange(40.0), 7, rng=5)
    list(plain)
    assert plain.rng.bit_generator.state == before, "without shuffling there is nothing to draw"


def test_batches_in_order_are_views_and_shuffled_ones_are_not(arrays):
    X, _ = arrays
    assert all(np.shares_memory(x, X) for x, _ in nn.DataLoader(arrays, 4))
    assert not any(np.shares_memory(x, X) for x, _ in nn.DataLoader(arrays, 4, shuffle=True))
    strided = X[::2, ::-1]
    np.testing.assert_array_equal(np.concatenate(list(nn.DataLoader(strided, 2))), strided)


def test_one_array_gives_arrays_and_several_give_tuples(arrays):
    assert isinstance(next(iter(nn.DataLoader(arrays[0]))), np.ndarray)
    assert isinstance(next(iter(nn.DataLoader((arrays[0],)))), np.ndarray)
    assert isinstance(next(iter(nn.DataLoader(arrays))), tuple)
    assert isinstance(next(iter(nn.DataLoader(nn.Subset(arrays[0], [1, 2])))), np.ndarray)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_dataset_that_is_read_one_by_one_is_stacked(shuffle):
    batches = list(nn.DataLoader(Items(5), 2, shuffle=shuffle, rng=0))
    assert [x.shape for x, _ in batches] == [(2, 2, 3), (2, 2, 3), (1, 2, 3)]
    assert all(x.dtype == np.float32 and y.dtype == np.int8 for x, y in batches)
    for x, y in batches:
        np.testing.assert_array_equal(x[:, 0, 0] % 2, y)
    assert [b.tolist() for b in nn.DataLoader([5, 6, 7], 2)] == [[5, 6], [7]], (
        "anything with a length and items will do"
    )


def test_take_is_asked_for_whole_batches():
    class Fast(Items):
        def take(self, rows):
            asked.append(rows)
            return np.arange(self.n)[rows]

    asked = []
    assert [b.tolist() for b in nn.DataLoader(Fast(5), 3)] == [[0, 1, 2], [3, 4]]
    assert asked == [slice(0, 3), slice(3, 5)]
    list(nn.DataLoader(Fast(5), 3, shuffle=True))
    assert [len(rows) for rows in asked[2:]] == [3, 2]


def test_a_take_that_returns_something_else_is_named():
    class Strange(Items):
        def take(self, rows):
            return np.zeros((3, 2)), np.zeros(4)

    with pytest.raises(ValueError, match=r"Strange.take was asked for 3 .* got \(ndarray\[3, 2\], ndarray\[4\]\)"):
        list(nn.DataLoader(Strange(5), 3))


@pytest.mark.parametrize(
    ("examples", "error", "message"),
    [
        ([np.zeros(2), np.zeros(3)], ValueError, r"dataset\[0\] is float64\[2\] and dataset\[1\] is float64\[3\]"),
        ([1, 2.5], ValueError, r"dataset\[1\] is float64"),
        ([(1, 2), (1,)], ValueError, "tuple of 2"),
        ([(1, 2), 3], ValueError, "tuple of 2"),
        ([(1, {"a": 1})], TypeError, r"dataset\[0\]\[1\] is a dict"),
        ([Tensor(1.0)], TypeError, "is a Tensor"),
    ],
)
def test_examples_that_do_not_stack_are_named(examples, error, message):
    with pytest.raises(error, match=message):
        list(nn.DataLoader(examples))


def test_options_without_a_meaning_are_refused(arrays):
    for n in (0, -1, 2.0, True, None):
        with pytest.raises(ValueError, match="batch_size must be a positive integer"):
            nn.DataLoader(arrays, n)
    for n in (-1, 1.0, True, None):
        with pytest.raises(ValueError, match="prefetch is a number of batches"):
            nn.DataLoader(arrays, prefetch=n)
    with pytest.raises(TypeError, match=r"transform\(x, rng\)"):
        nn.DataLoader(arrays, transform="flip")
    with pytest.raises(TypeError, match="got a generator"):
        nn.DataLoader(x for x in arrays)
    with pytest.raises(NotImplementedError, match="Dataset has no __len__"):
        len(nn.DataLoader(nn.Dataset()))
    with pytest.raises(NotImplementedError, match="Dataset has no __getitem__"):
        nn.Dataset()[0]


def test_a_loader_says_what_it_is(arrays):
    loader = nn.DataLoader(arrays, 4, shuffle=True, prefetch=2, transform=nn.RandomFlip())
    assert repr(loader) == (
        "DataLoader(ArrayDataset(float32[10, 3], int64[10]), batch_size=4, shuffle=True, prefetch=2, "
        "transform=RandomFlip(p=0.5, axis='horizontal'))"
    )
    assert repr(nn.Subset(arrays, [1])) == "Subset(ArrayDataset(float32[10, 3], int64[10]), 1 of 10 examples)"


def test_a_copy_of_a_loader_goes_on_by_itself():
    loader = nn.DataLoader(np.arange(20), 4, shuffle=True, rng=0, prefetch=1)
    list(loader)
    twin = copy.deepcopy(loader)
    same(list(twin), list(loader))


# The transform


def test_the_transform_changes_the_first_array_and_not_the_data(arrays):
    X, y = arrays
    before = X.copy()
    batches = list(nn.DataLoader((X, y), 4, transform=add_noise, rng=0))
    noise = np.concatenate([x for x, _ in batches]) - X
    assert 0.5 < noise.std() < 1.5
    assert len(np.unique(noise)) == noise.size, "each batch has draws of its own"
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), y)
    np.testing.assert_array_equal(X, before)


def test_a_transform_that_loses_rows_is_refused(arrays):
    with pytest.raises(ValueError, match=r"must return an array of the 4 rows it was given; got shape \(3, 3\)"):
        list(nn.DataLoader(arrays, 4, transform=lambda x, rng: x[1:]))
    with pytest.raises(ValueError, match="got a NoneType"):
        list(nn.DataLoader(arrays, 4, transform=lambda x, rng: None))


# The thread


@pytest.mark.parametrize("prefetch", [1, 2, 50])
@pytest.mark.parametrize("dataset", [Items(23), (np.arange(23.0), np.arange(23))])
def test_prefetching_changes_no_bit(prefetch, dataset):
    options = {"batch_size": 4, "shuffle": True, "rng": 7, "transform": add_noise}
    with_thread = nn.DataLoader(dataset, prefetch=prefetch, **options)
    without = nn.DataLoader(dataset, **options)
    for _ in range(3):
        for ours, theirs in zip(with_thread, without, strict=True):
            same(ours, theirs)


def test_two_iterators_at_once_do_not_disturb_each_other():
    loader = nn.DataLoader(np.arange(30), 4, shuffle=True, rng=0, prefetch=2)
    twin = nn.DataLoader(np.arange(30), 4, shuffle=True, rng=0)
    first, second = list(twin), list(twin)
    both = list(zip(iter(loader), iter(loader), strict=True))
    same([a for a, _ in both], first)
    same([b for _, b in both], second)
    nested = nn.DataLoader(np.arange(6), 2, prefetch=1)
    assert [(a.tolist(), b.tolist()) for a in nested for b in nested] == [
        ([i, i + 1], [j, j + 1]) for i in (0, 2, 4) for j in (0, 2, 4)
    ]


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("prefetch", [1, 3])
def test_the_thread_is_so_many_batches_ahead_and_no_more(prefetch):
    dataset = Items(20)
    batches = iter(nn.DataLoader(dataset, 1, prefetch=prefetch))
    assert dataset.read == [], "nothing is read before the first batch is asked for"
    for k in range(1, 4):
        next(batches)
        wait_until(lambda k=k: len(dataset.read) == k + prefetch)
        time.sleep(0.02)
        assert len(dataset.read) == k + prefetch
    batches.close()


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_error_in_the_dataset_reaches_the_loop_after_the_batches_before_it(prefetch):
    seen = []
    with pytest.raises(OSError, match="example 7 is damaged") as caught:
        seen.extend(x[0, 0, 0] for x, _ in nn.DataLoader(Items(20, bad=7), 2, prefetch=prefetch))
    assert seen == [0, 2, 4]
    assert "in __getitem__" in "".join(traceback.format_exception(caught.value)), "it says where it came from"
    assert not threads()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, StopIteration])
def test_whatever_is_raised_in_the_thread_ends_the_loop(error):
    def fail(x, rng):
        raise error("stop")

    for prefetch in (0, 1):
        with pytest.raises(RuntimeError if error is StopIteration else error):
            list(nn.DataLoader(np.arange(9.0), 2, prefetch=prefetch, transform=fail))


def test_leaving_the_loop_ends_the_thread():
    loader = nn.DataLoader(Items(1000), 2, prefetch=2)
    for _ in loader:
        assert len(threads()) == 1
        break
    assert not threads()

    def fail():
        for batch in loader:
            raise ZeroDivisionError(batch[0].shape)

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not threads()


def test_an_iterator_that_nobody_refers_to_ends_its_thread():
    batches = iter(nn.DataLoader(Items(1000), 2, prefetch=2))
    next(batches)
    assert len(threads()) == 1
    del batches
    assert not threads()
    loop = [iter(nn.DataLoader(Items(1000), 2, prefetch=2))]
    loop.append(loop)
    next(loop[0])
    del loop
    assert len(threads()) == 1
    gc.collect()
    assert not threads()


def test_nothing_is_kept_of_the_data_afterwards():
    for prefetch in (0, 2):
        for leave in (False, True):
            dataset = Items(20)
            gone = weakref.ref(dataset)
            for _ in nn.DataLoader(dataset, 2, prefetch=prefetch):
                if leave:
                    break
            del dataset
            assert gone() is None


def test_an_error_keeps_the_data_no_longer_than_itself():
    dataset = Items(20, bad=7)
    gone = weakref.ref(dataset)
    gc.disable()
    try:
        with pytest.raises(OSError, match="damaged") as caught:
            list(nn.DataLoader(dataset, 2, prefetch=2))
        del caught, dataset
        assert gone() is None
    finally:
        gc.enable()


def test_settings_of_numpy_hold_in_the_thread_too():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(nn.DataLoader(np.zeros(4), prefetch=1, transform=lambda x, rng: 1 / x))


def test_python_exits_in_the_middle_of_an_epoch():
    program = (
        "import numpy as np, nn\nbatches = iter(nn.DataLoader(np.arange(100), 2, prefetch=2))\nprint(next(batches))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0 1]\n", "")


def test_arrays_that_are_not_in_one_tuple_are_told_from_a_batch_size():
    with pytest.raises(TypeError, match=r"DataLoader\(\(X, y\)"):
        nn.DataLoader(np.zeros((4, 2)), np.zeros(4))
