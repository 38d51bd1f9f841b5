"""Data sets: what an index gives, subsets, and random parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd import Tensor


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        assert isinstance(x, np.ndarray)
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


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
    with pytest.raises(TypeError, match=r"array 0 of a data set is a Tensor that requires a gradient.*t.detach\(\)"):
        nn.ArrayDataset(Tensor(X, requires_grad=True), y)
    with pytest.raises(ValueError, match="single number"):
        nn.ArrayDataset(np.array(3.0))
    with pytest.raises(TypeError, match="transform must be callable"):
        nn.ArrayDataset(X, transform=3)


def test_a_constant_tensor_is_taken_as_its_array(arrays):
    X, y = arrays
    t = Tensor(X)
    assert nn.ArrayDataset(t, y).arrays[0] is t.data
    assert type(nn.DataLoader((t, y)).dataset[0][0]) is np.ndarray


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
    assert part.dataset.indices.tolist() == [9, 8, 7, 7, 0]
    assert part[1][1] == 9
    assert part[[2, 2]][1].tolist() == [7, 7]
    assert part[np.array([True, False, True])][1].tolist() == [0, 7]
    assert nn.Subset("abcde", [3, 1])[0] == "d", "of anything with a length and items"
    same(nn.Subset([(k, k / 2) for k in range(5)], [3, 1])[:], (np.array([3, 1]), np.array([1.5, 0.5])))


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
    indices = [part.indices.tolist() for part in nn.random_split(range(10), [0.5, 0.5], rng=3)]
    assert indices == [p.indices.tolist() for p in nn.random_split(range(10), [5, 5], rng=np.random.default_rng(3))]
    assert indices != [p.indices.tolist() for p in nn.random_split(range(10), [5, 5], rng=4)]
    assert [len(part) for part in nn.random_split(np.arange(100), [0.71, 0.29])] == [71, 29]
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
