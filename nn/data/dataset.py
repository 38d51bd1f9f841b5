"""Data sets: `Dataset`, `ArrayDataset`, `Subset`, and `random_split` into training and validation parts.

A data set is whatever has `len(dataset)` and `dataset[k]` for a single example. One that inherits from `Dataset` also
has `take(rows)`, many examples at once, which is what a `DataLoader` asks for: reading a batch by one index is much
faster than reading example after example.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.devices import check_same_device, device_of, is_foreign, move
from autograd.node import data_of

from ..layers import Rng

__all__ = ["ArrayDataset", "Dataset", "Subset", "random_split"]


class Dataset:
    """A set of examples. Subclasses define `__len__` and `__getitem__`, and `take` if they can read many at once.

    An example is an array (or a number), or a tuple of these such as (x, y), always of the same shapes and dtypes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> class Squares(nn.Dataset):
    ...     def __len__(self):
    ...         return 5
    ...
    ...     def __getitem__(self, index):
    ...         return np.float32(index), np.float32(index**2)
    >>> for x, y in nn.DataLoader(Squares(), batch_size=3):
    ...     print(x, y)
    [0. 1. 2.] [0. 1. 4.]
    [3. 4.] [ 9. 16.]
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__(self): define how many examples there are.")

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(self, index): define example `index`.")

    #: Where the positions lie that `take` is given in arrays: where it can use them at once.
    index_device = "cpu"

    def take(self, rows: Any) -> Any:
        """Many examples, stacked along a new first axis: an array, or a tuple of arrays.

        Here they are fetched one by one. Override this where one index does it, for instance
        `return self.x[rows], self.y[rows]`.

        Parameters
        ----------
        rows : slice or integer array of shape (n,)
            A slice where the examples follow one another: then an array need not be copied.

        Raises
        ------
        ValueError
            If the examples differ in shape or dtype: which ones.
        """
        return _one_by_one(self, rows)


def take(dataset: Any, rows: Any) -> Any:
    """The examples `rows` (a slice or an integer array) of anything that has a length and examples."""
    return dataset.take(rows) if isinstance(dataset, Dataset) else _one_by_one(dataset, rows)


def _one_by_one(dataset: Any, rows: Any) -> Any:
    numbers = range(*rows.indices(len(dataset))) if isinstance(rows, slice) else [int(k) for k in rows]
    if not numbers:
        raise ValueError(
            f"no examples were asked for, and a {type(dataset).__name__} is read example by example: of none there is "
            "no shape."
        )
    examples = [dataset[k] for k in numbers]
    first = examples[0]
    if not isinstance(first, tuple):
        return _stack(examples, numbers, "")
    if any(not isinstance(example, tuple) or len(example) != len(first) for example in examples):
        raise ValueError(f"example {numbers[0]} is a tuple of {len(first)}, and the others must be so too.")
    return tuple(_stack(part, numbers, f"[{k}]") for k, part in enumerate(zip(*examples)))


def _stack(values: Sequence[Any], numbers: Sequence[int], part: str) -> Any:
    """One array of values that have the same shape and dtype."""
    for k, value in zip(numbers, values):
        if isinstance(value, Tensor | dict | list | str) or value is None:
            raise TypeError(
                f"dataset[{k}]{part} is a {type(value).__name__}: an example is an array, a number, or a tuple of "
                "these."
            )
    arrays = [value if is_foreign(value) else np.asarray(value) for value in values]
    for k, array in zip(numbers, arrays):
        if array.shape != arrays[0].shape or array.dtype != arrays[0].dtype:
            raise ValueError(
                f"examples cannot be stacked into a batch: dataset[{numbers[0]}]{part} is "
                f"{arrays[0].dtype}{list(arrays[0].shape)} and dataset[{k}]{part} is {array.dtype}{list(array.shape)}."
            )
    return np.stack(arrays)


def as_dataset(data: Any) -> Any:
    """`data` itself if it is a data set; an array, or a tuple of arrays, as an `ArrayDataset`."""
    if isinstance(data, np.ndarray | Tensor) or is_foreign(data):
        return ArrayDataset(data)
    if isinstance(data, tuple):
        return ArrayDataset(*data)
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise TypeError(
            f"a data set is a tuple of arrays such as (X, y), or has __len__ and __getitem__; got a "
            f"{type(data).__name__}."
        )
    return data


class ArrayDataset(Dataset):
    """Arrays whose rows belong together: example k is `(X[k], y[k], …)`. PyTorch calls it TensorDataset.

    Parameters
    ----------
    *arrays : numpy.ndarray, array of a device, or Tensor
        All with the same number of rows, and on one device: rows of a GPU's arrays are taken there. Of a Tensor, which
        must not require a gradient, the array is taken. Nothing is copied: they may be memory-mapped files that are
        larger than the memory (`np.load(path, mmap_mode="r")`, `np.memmap`), of which only the rows asked for are read.
    transform : callable, optional
        Called with the rows of the first array that are fetched, (n, …), as an array whose rows it returns changed:
        for instance bytes to floating numbers. It should change each row alike, and not write into its argument;
        randomness belongs to the loader's `transform`.

    Notes
    -----
    `dataset[index]` takes an integer, a slice, or an array of integers or booleans, and returns a tuple of arrays.
    A slice of an array in memory is a view: writing into it changes the data.

    Raises
    ------
    ValueError
        If the arrays differ in length.
    TypeError
        If something is not an array.
    DeviceError
        If the arrays are on several devices.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> X, y = np.arange(12, dtype=np.uint8).reshape(4, 3), np.array([0, 1, 1, 0])
    >>> dataset = nn.ArrayDataset(X, y, transform=lambda x: np.float32(x) / 255)
    >>> len(dataset)
    4
    >>> x, labels = dataset[[0, 3]]
    >>> x.shape, x.dtype, labels
    ((2, 3), dtype('float32'), array([0, 0]))
    """

    def __init__(self, *arrays: Any, transform: Any = None):
        if not arrays:
            raise ValueError("ArrayDataset needs at least one array, as in ArrayDataset(X, y).")
        given, arrays = arrays, tuple(map(data_of, arrays))
        for k, array in enumerate(arrays):
            if isinstance(given[k], Tensor) and given[k].requires_grad:
                raise TypeError(f"array {k} of a data set is a Tensor that requires a gradient: write t.detach().")
            if not isinstance(array, np.ndarray) and not is_foreign(array):
                raise TypeError(
                    f"array {k} of a data set is a {type(array).__name__}, not an array: write np.asarray(…, dtype=…)."
                )
            if array.ndim == 0:
                raise ValueError(f"array {k} of a data set is a single number: its rows are the examples.")
        if len({len(array) for array in arrays}) > 1:
            raise ValueError(
                f"the arrays of a data set have a row for each example, and these have "
                f"{', '.join(str(len(array)) for array in arrays)} rows (shapes "
                f"{', '.join(str(array.shape) for array in arrays)})."
            )
        check_same_device("a data set", {f"array {k}": array for k, array in enumerate(arrays)})
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got a {type(transform).__name__}.")
        self.index_device = device_of(arrays[0])
        self.arrays = arrays
        self.transform = transform

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            k = range(len(self))[index]  # also turns −1 into the last, and refuses what is beyond the end
            return tuple(part[0] for part in self.take(slice(k, k + 1)))
        return self.take(rows_of(index, len(self)))

    def take(self, rows: Any) -> tuple[Any, ...]:
        parts = [_read(array, rows) for array in self.arrays]
        if self.transform is not None:
            parts[0] = same_rows(self.transform(parts[0]), len(parts[0]), self.transform)
        return tuple(parts)

    def __repr__(self) -> str:
        parts = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self.arrays)
        return f"ArrayDataset({parts}{'' if self.transform is None else f', transform={self.transform!r}'})"


class Subset(Dataset):
    """Some examples of a data set, by their numbers.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        Or arrays, as in `Subset((X, y), indices)`.
    indices : sequence of int
        In the order of the subset; copied. Negative ones count from the end.

    Raises
    ------
    IndexError
        If there are no such examples.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> part = nn.Subset(np.arange(10.0), [7, 2, 2])
    >>> len(part), part[0], part[:]
    (3, (np.float64(7.0),), (array([7., 2., 2.]),))
    """

    def __init__(self, dataset: Any, indices: Any):
        self.dataset = as_dataset(dataset)
        chosen = np.array(indices)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            remedy = ": write np.flatnonzero(mask)" if chosen.dtype == bool else ""
            raise IndexError(
                f"the indices of a Subset are a sequence of integers, got {chosen.dtype}{list(chosen.shape)}{remedy}."
            )
        n = len(self.dataset)
        self.index_device = index_device(self.dataset)
        chosen = chosen.astype(np.int64)
        outside = chosen[(chosen < -n) | (chosen >= n)]
        if outside.size:
            raise IndexError(f"there is no example {outside[0]} in a data set of {n}.")
        self.indices = chosen % n if n else chosen
        if self.index_device != "cpu":
            self._positions = move(self.indices, self.index_device)  # once, and not for each batch

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return self.dataset[int(self.indices[index])]
        return self.take(rows_of(index, len(self)))

    def take(self, rows: Any) -> Any:
        if self.index_device == "cpu":
            return take(self.dataset, self.indices[rows])
        rows = rows if isinstance(rows, slice) else _moved(rows, len(self), self.index_device)
        return take(self.dataset, self._positions[rows])

    def __repr__(self) -> str:
        return f"Subset({self.dataset!r}, {len(self)} of {len(self.dataset)} examples)"


def random_split(
    dataset: Any, lengths: Sequence[float], rng: Rng = None, stratify: np.ndarray[Any, Any] | None = None
) -> list[Subset]:
    """Split a data set at random into parts that have no example in common.

    Parameters
    ----------
    dataset : Dataset, or anything with `__len__` and `__getitem__`
        Or arrays, as in `random_split((X, y), …)`.
    lengths : sequence of int, or of float
        How many examples each part has, together all of them; or the shares, together 1. What rounding down the shares
        leaves over goes to the first parts, one each.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.
    stratify : array of shape (n, …), optional
        The label of each example: each label is then about as frequent in each part as in the whole.

    Returns
    -------
    list of Subset
        `part[:]` is the tuple of its arrays.

    Raises
    ------
    ValueError
        If the lengths do not add up, or the labels are not as many as the examples.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> X, y = np.zeros((10, 3)), np.array([0, 1] * 5)
    >>> training, validation = nn.random_split((X, y), [0.8, 0.2], rng=0, stratify=y)
    >>> len(training), sorted(validation[:][1].tolist())
    (8, [0, 1])
    """
    dataset, rng = as_dataset(dataset), np.random.default_rng(rng)
    counts = _counts(lengths, len(dataset))
    order = rng.permutation(len(dataset))
    if stratify is not None:
        labels = data_of(stratify)
        order = _mixed(order, move(labels, "cpu") if is_foreign(labels) else np.asarray(labels), rng)
    parts = np.split(order, np.cumsum(counts)[:-1])
    return [Subset(dataset, part if stratify is None else rng.permutation(part)) for part in parts]


def _counts(lengths: Sequence[float], n: int) -> list[int]:
    """How many of `n` examples each part gets."""
    lengths = list(lengths)
    if not lengths or any(length < 0 for length in lengths):
        raise ValueError(f"lengths are numbers of examples or shares, none of them negative; got {lengths}.")
    if all(isinstance(length, int | np.integer) for length in lengths):
        if sum(lengths) != n:
            raise ValueError(
                f"the lengths {lengths} add up to {sum(lengths)}, and there are {n} examples (shares are written with "
                "a point, as in [0.8, 0.2])."
            )
        return [int(length) for length in lengths]
    if not math.isclose(sum(lengths), 1):
        raise ValueError(f"the shares {lengths} add up to {sum(lengths)}, not to 1.")
    # 0.29 · 100 is 28.999…96: what is meant is 29
    counts = [math.floor(round(share * n, 6)) for share in lengths]
    for k in range(n - sum(counts)):
        counts[k % len(counts)] += 1
    return counts


def _mixed(order: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """`order` changed so that any stretch of it has the labels in the proportions of the whole.

    The r-th of the c examples with a label is put at (r + u) / c of the way, with one random u in [0, 1) for the label
    (systematic sampling): each stretch has then within one of its share of them, also where c is 1.
    """
    if labels.shape[:1] != order.shape:
        raise ValueError(f"stratify needs a label for each of the {len(order)} examples, got shape {labels.shape}.")
    if not len(order):
        return order
    _, classes, counts = np.unique(labels.reshape(len(labels), -1), axis=0, return_inverse=True, return_counts=True)
    classes = classes.reshape(-1)[order]  # NumPy 2.0 returns another shape
    by_class = np.argsort(classes, kind="stable")
    rank = np.empty(len(order))
    rank[by_class] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    return order[np.argsort((rank + rng.random(len(counts))[classes]) / counts[classes], kind="stable")]


def rows_of(index: Any, n: int) -> Any:
    """An index of many examples as what `take` understands: a slice, or an array of integers."""
    if isinstance(index, slice):
        return index
    rows = index if is_foreign(index) else np.asarray(index)
    if rows.dtype == bool and rows.shape == (n,):
        return np.flatnonzero(rows)
    if isinstance(index, tuple) or rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise IndexError(
            f"a data set of {n} is indexed by an integer, a slice, or an array of integers or of {n} booleans; got "
            f"{index!r}."
        )
    return rows.astype(np.int64)


def same_rows(result: Any, n: int, transform: Any) -> Any:
    """What a transform returned, if it is an array of as many rows as it was given."""
    is_array = isinstance(result, np.ndarray) or (is_foreign(result) and not isinstance(result, Tensor))
    if not is_array or result.shape[:1] != (n,):
        got = f"shape {result.shape}" if is_array else f"a {type(result).__name__}"
        raise ValueError(f"the transform {transform!r} must return an array of the {n} rows it was given; got {got}.")
    return result


def index_device(dataset: Any) -> str:
    """Where a data set wants the positions of its rows."""
    return dataset.index_device if isinstance(dataset, Dataset) else "cpu"


def _moved(rows: Any, n: int, device: str) -> Any:
    """Positions among `n` rows on a device, where one out of bounds would be another row: NumPy's are looked at."""
    if not is_foreign(rows):
        rows = np.asarray(rows)
        outside = rows[(rows < -n) | (rows >= n)]
        if outside.size:
            raise IndexError(f"there is no example {outside[0]} in a data set of {n}.")
    return move(rows, device)


def _read(array: Any, rows: Any) -> Any:
    """Some rows of an array; of a file, copied into memory here and not when somebody looks at them."""
    if not isinstance(array, np.ndarray) and not isinstance(rows, slice):
        rows = _moved(rows, len(array), device_of(array))
    part = array[rows]
    return np.array(part) if isinstance(part, np.memmap) else part
