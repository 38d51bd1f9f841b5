"""Data sets and loaders: what is in a batch, in which order, and what becomes of the thread."""

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


# ArrayDataset


@pytest.fixture
def arrays():
    return np.arange(30, dtype=np.float32).reshape(10, 3), np.arange(10)


def test_an_array_dataset_is_indexed_as_its_arrays_are(arrays):
    X, y = arrays
    dataset = nn.ArrayDataset(X, y)
    assert len(dataset) == 10
    for k in (0, 9, -1, -10, np.int64(3)):
        x, label = dataset[k]
        np.testing.assert_array_equal(x, X[k])
        assert label == y[k]
    for index in (slice(2, 5), slice(None, None, -2), [3, 3, -1], np.array([1, 0], np.uint8), X[:, 0] > 12):
        same(dataset[index], (X[index], y[index]))
    same(dataset[[]], (X[:0], y[:0]))


@pytest.mark.parametrize("index", [10, -11, (0, 1), None, 1.0, [0.5], True, [[0]], [True, False], Ellipsis, "x"])
def test_an_index_that_is_none_of_one_example_or_several_is_refused(arrays, index):
    with pytest.raises(IndexError):
        nn.ArrayDataset(*arrays)[index]


def test_an_array_dataset_copies_nothing(arrays):
    X, y = arrays
    dataset = nn.ArrayDataset(X, y)
    assert dataset.arrays[0] is X
    assert np.shares_memory(dataset[2:4][0], X)
    assert not np.shares_memory(dataset[[2, 3]][0], X)
    assert dataset[:0][0].shape == (0, 3)


def test_what_is_no_array_or_of_another_length_is_refused(arrays):
    X, y = arrays
    with pytest.raises(ValueError, match=r"have 10, 9 rows \(shapes \(10, 3\), \(9,\)\)"):
        nn.ArrayDataset(X, y[:9])
    with pytest.raises(ValueError, match="at least one array"):
        nn.ArrayDataset()
    with pytest.raises(TypeError, match=r"array 1 of a data set is a list.*np.asarray"):
        nn.ArrayDataset(X, list(y))
    with pytest.raises(TypeError, match=r"array 0 of a data set is a Tensor.*t.numpy\(\)"):
        nn.ArrayDataset(Tensor(X), y)
    with pytest.raises(ValueError, match="single number"):
        nn.ArrayDataset(np.array(3.0))
    with pytest.raises(TypeError, match="transform must be callable"):
        nn.ArrayDataset(X, transform=3)


def test_the_transform_of_a_dataset_gets_rows_also_for_a_single_example(arrays):
    shapes = []

    def halve(x):
        shapes.append(x.shape)
        return x / 2

    dataset = nn.ArrayDataset(*arrays, transform=halve)
    np.testing.assert_array_equal(dataset[4][0], arrays[0][4] / 2)
    np.testing.assert_array_equal(dataset[[4, 5]][0], arrays[0][4:6] / 2)
    assert dataset[4][1] == 4
    assert shapes == [(1, 3), (2, 3), (1, 3)]
    with pytest.raises(ValueError, match=r"must return an array of the 2 rows it was given; got shape \(3,\)"):
        nn.ArrayDataset(*arrays, transform=lambda x: x.sum(0))[:2]


def test_a_memory_mapped_file_is_read_batch_by_batch(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    dataset = nn.ArrayDataset(mapped)
    assert dataset.arrays[0] is mapped
    for options in ({}, {"shuffle": True, "rng": 0}, {"prefetch": 2}):
        batches = list(nn.DataLoader(dataset, 8, **options))
        assert [type(batch) for batch in batches] == [np.ndarray] * 3
        assert not any(np.shares_memory(batch, mapped) for batch in batches), "it must be read when it is fetched"
        assert all(batch.flags.writeable for batch in batches)
    np.testing.assert_array_equal(np.concatenate(list(nn.DataLoader(dataset, 8))), X)
    np.testing.assert_array_equal(dataset[3][0], X[3])
    assert type(dataset[3][0]) is np.ndarray


# Subset and random_split


def test_a_subset_of_a_subset_finds_its_examples(arrays):
    part = nn.Subset(nn.Subset(arrays, [9, 8, 7, 7, -10]), [4, 0, -2])
    assert part[:][1].tolist() == [0, 9, 7]
    assert part[1][1] == 9
    assert part[[2, 2]][1].tolist() == [7, 7]
    assert part[np.array([True, False, True])][1].tolist() == [0, 7]
    same(
        nn.Subset(Items(5), [3, 1])[:],
        (np.array([3, 1], np.float32)[:, None, None] * np.ones((2, 3), np.float32), np.array([1, 1], np.int8)),
    )


def test_a_subset_keeps_its_numbers_to_itself(arrays):
    chosen = np.array([1, 2])
    part = nn.Subset(arrays, chosen)
    chosen[:] = 0
    assert part.indices.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, 10], "no example 10 in a data set of 10"),
        ([-11], "no example -11"),
        ([True, False], "flatnonzero"),
        ([0.5], "sequence of integers"),
        (3, "sequence of integers"),
    ],
)
def test_a_subset_of_what_is_not_there_is_refused(arrays, indices, message):
    with pytest.raises(IndexError, match=message):
        nn.Subset(arrays, indices)


@given(n=st.integers(0, 60), cuts=st.lists(st.floats(0.01, 1), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_each_example_is_in_one_part_and_the_shares_are_kept(n, cuts, seed):
    shares = [cut / sum(cuts) for cut in cuts]
    parts = nn.random_split(np.arange(n), shares, seed)
    assert sorted(k for part in parts for k in part.indices) == list(range(n))
    for part, share in zip(parts, shares):
        assert share * n - 1 < len(part) < share * n + 2


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=5), share=st.floats(0, 1), seed=st.integers(0, 9))
def test_a_stratified_split_keeps_the_proportions(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    n = len(labels)
    first = round(share * n)
    parts = nn.random_split(labels, [first, n - first], seed, stratify=labels)
    assert [len(part) for part in parts] == [first, n - first]
    assert sorted(k for part in parts for k in part.indices) == list(range(n))
    for label, count in enumerate(counts):
        found = np.count_nonzero(labels[parts[0].indices] == label)
        assert abs(found - count * first / n) < 1 + count * len(counts) / n


@pytest.mark.parametrize("shape", [(100,), (100, 1)])
def test_labels_that_divide_evenly_are_divided_evenly_and_mixed(shape):
    y = np.repeat([0, 1], 50).reshape(shape)
    for seed in range(20):
        training, validation, test = nn.random_split((y, y), [0.8, 0.1, 0.1], seed, stratify=y)
        assert [part[:][0].mean() for part in (training, validation, test)] == [0.5] * 3
    assert len({tuple(nn.random_split(y, [0.5, 0.5], seed, stratify=y)[0].indices) for seed in range(20)}) == 20
    in_turn = np.abs(np.diff(training[:][0].ravel())).mean()
    assert 0.2 < in_turn < 0.8, "the labels must not alternate"


def test_names_and_one_hot_rows_are_labels_too():
    names = np.array(["cat", "dog"] * 10)
    assert sorted(names[nn.random_split(names, [16, 4], 0, stratify=names)[1].indices]) == ["cat"] * 2 + ["dog"] * 2
    rows = np.eye(4)[np.arange(20) % 4]
    assert rows[nn.random_split(rows, [16, 4], 0, stratify=rows)[1].indices].sum(0).tolist() == [1] * 4


def test_a_rare_label_goes_where_chance_wills():
    y = np.repeat([0, 1], [99, 1])
    inside = sum(y[nn.random_split(y, [0.3, 0.7], seed, stratify=y)[0].indices].sum() for seed in range(300))
    assert 60 < inside < 120


def test_splitting_is_seeded_and_rounds_as_pytorch_does():
    indices = [part.indices.tolist() for part in nn.random_split(Items(10), [0.5, 0.5], rng=3)]
    assert indices == [p.indices.tolist() for p in nn.random_split(Items(10), [5, 5], rng=np.random.default_rng(3))]
    assert indices != [p.indices.tolist() for p in nn.random_split(Items(10), [5, 5], rng=4)]
    assert [len(part) for part in nn.random_split(np.arange(100), [0.29, 0.71])] == [29, 71]
    torch = pytest.importorskip("torch")
    for n, shares in ((10, [1 / 3] * 3), (7, [0.5, 0.25, 0.25]), (11, [0.9, 0.1]), (5, [1.0])):
        theirs = torch.utils.data.random_split(range(n), shares)
        assert [len(p) for p in nn.random_split(np.arange(n), shares)] == [len(p) for p in theirs]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([8, 3], "add up to 11, and there are 10"),
        ([1, 0], "add up to 1, and there are 10"),
        ([0.8, 0.1], "not to 1"),
        ([12, -2], "none of them negative"),
        ([], "lengths are numbers"),
    ],
)
def test_lengths_that_do_not_add_up_are_refused(arrays, lengths, message):
    with pytest.raises(ValueError, match=message):
        nn.random_split(arrays, lengths)


def test_stratify_needs_a_label_for_each_example(arrays):
    with pytest.raises(ValueError, match=r"each of the 10 examples, got shape \(9,\)"):
        nn.random_split(arrays, [5, 5], stratify=np.zeros(9))


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


def test_settings_of_numpy_hold_in_the_thread_too():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(nn.DataLoader(np.zeros(4), prefetch=1, transform=lambda x, rng: 1 / x))


def test_python_exits_in_the_middle_of_an_epoch():
    program = (
        "import numpy as np, nn\nbatches = iter(nn.DataLoader(np.arange(100), 2, prefetch=2))\nprint(next(batches))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0 1]\n", "")
