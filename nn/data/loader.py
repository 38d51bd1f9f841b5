"""`DataLoader`: mini-batches of a data set, shuffled, augmented, and prepared ahead by a thread."""

from __future__ import annotations

import contextvars
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.devices import device_of, move

from .._checks import positive
from ..layers import Rng
from .dataset import as_dataset, index_device, same_rows, take

__all__ = ["DataLoader"]

_END = object()


class DataLoader:
    """The mini-batches of a data set: each pass over it (an epoch) has every example exactly once.

    Parameters
    ----------
    dataset : tuple of arrays, array, Dataset, or anything with `__len__` and `__getitem__`
        `(X, y)` is taken as `ArrayDataset(X, y)`.
    batch_size : int
        The number of examples in a batch; the last batch may have fewer.
    shuffle : bool
        Whether each epoch has an order of its own.
    drop_last : bool
        Whether to leave out a last batch that has fewer examples.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.
    prefetch : int
        How many batches a thread reads and transforms ahead, while the previous ones are used. The batches are the
        same, bit for bit. Worth it where reading takes time: from a file, or with a transform.
    transform : callable, optional
        `transform(x, rng) -> x`, called with the first array of each batch: augmentation, such as `nn.RandomFlip()`.
        It must not write into its argument, nor draw from anything but the `rng` that it is given.
    device : str, optional
        Where the batches shall be: 'cuda' moves each of them there when it is made, by the thread if there is one, and
        after the transform. By default they are where the data set is: of one that lies on a GPU as a whole, as
        `DataLoader((X, y))` of arrays of the GPU, the rows are taken there, and only the order of an epoch is moved.

    Attributes
    ----------
    rng : numpy.random.Generator
        The order of an epoch and a seed for the epoch's transforms are drawn from it when the epoch begins, and
        nothing at any other time: its state between two epochs determines all that follow.

    Notes
    -----
    Iterating gives tuples of arrays, `for x, y in loader`, or plain arrays if an example is a single one.
    Without shuffling, and without a transform, the batches of arrays in memory are views: writing into a batch
    (`x *= 2`) would change the data.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> X, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> loader = nn.DataLoader((X, y), batch_size=2, shuffle=True, rng=0)
    >>> len(loader)
    3
    >>> for x, labels in loader:
    ...     print(x.shape, labels)
    (2, 2) [2 4]
    (2, 2) [3 0]
    (1, 2) [1]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        drop_last: bool = False,
        rng: Rng = None,
        prefetch: int = 0,
        transform: Callable[[Any, np.random.Generator], Any] | None = None,
        device: str | None = None,
    ):
        if not isinstance(prefetch, int | np.integer) or isinstance(prefetch, bool) or prefetch < 0:
            raise ValueError(f"prefetch is a number of batches, 0 or more; got {prefetch!r}.")
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable as transform(x, rng), got a {type(transform).__name__}.")
        if isinstance(batch_size, np.ndarray):
            raise TypeError("the data are one argument, in parentheses of their own: DataLoader((X, y), batch_size=…).")
        self.dataset = as_dataset(dataset)
        self.batch_size = positive("batch_size", batch_size)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.rng = np.random.default_rng(rng)
        self.prefetch = int(prefetch)
        self.transform = transform
        #: With its number: which GPU is in use may be another one in another thread.
        self.device = None if device is None else device_of(move(np.zeros(0), device))

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        return self._epoch(None)

    def parts(self, rows: Callable[[int], slice]) -> Iterator[tuple[int, Any]]:
        """The batches of an epoch, of each its number n of examples, and those with the numbers `rows(n)` in it.

        As many random numbers are drawn as for whole batches, and no more examples are read than are asked for, unless
        there is a `transform`.
        """
        return self._epoch(rows)

    def _epoch(self, rows: Callable[[int], slice] | None) -> Iterator[Any]:
        order = self.rng.permutation(len(self.dataset)) if self.shuffle else None
        if order is not None:
            order = move(order, index_device(self.dataset))
        rng = None if self.transform is None else np.random.default_rng(self.rng.integers(2**63))
        batches = self._batches(len(self), order, rng, rows)
        return _ahead(batches, self.prefetch) if self.prefetch else batches

    def _batches(
        self, count: int, order: Any, rng: np.random.Generator | None, part: Callable[[int], slice] | None
    ) -> Iterator[Any]:
        """The batches of one epoch, in turn."""
        n = len(self.dataset)
        for start in range(0, count * self.batch_size, self.batch_size):
            size = min(self.batch_size, n - start)
            own = slice(0, size) if part is None else part(size)
            wanted = slice(0, size) if self.transform is not None else own  # it draws for the whole batch
            rows = slice(start + wanted.start, start + wanted.stop)
            batch = take(self.dataset, rows if order is None else order[rows])
            parts, length = list(batch) if isinstance(batch, tuple) else [batch], rows.stop - rows.start
            if not parts or any(np.shape(array)[:1] != (length,) for array in parts):
                raise ValueError(
                    f"{type(self.dataset).__name__}.take was asked for {length} examples, and must return an "
                    f"array, or a tuple of arrays, of as many rows; got {_describe(batch)}."
                )
            if rng is not None and self.transform is not None:
                parts[0] = same_rows(self.transform(parts[0], rng), length, self.transform)
                parts = parts if part is None else [array[own] for array in parts]
            if self.device is not None:
                parts = [move(array, self.device) for array in parts]
            found = parts[0] if len(parts) == 1 else tuple(parts)
            yield found if part is None else (size, found)

    def __repr__(self) -> str:
        options = [f"batch_size={self.batch_size}"]
        options += [f"{name}=True" for name in ("shuffle", "drop_last") if getattr(self, name)]
        options += [f"prefetch={self.prefetch}"] if self.prefetch else []
        options += [f"transform={self.transform!r}"] if self.transform is not None else []
        options += [f"device={self.device!r}"] if self.device is not None else []
        return f"DataLoader({self.dataset!r}, {', '.join(options)})"


def _ahead(batches: Iterator[Any], n: int) -> Iterator[Any]:
    """The same batches, of which a thread makes up to `n` before they are asked for.

    The thread knows nothing of this generator, so that the generator is closed as soon as nobody refers to it; closing
    it (by the end of the loop, a break, an exception) ends the thread.
    """
    ready: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    room = threading.Semaphore(n)
    closing = threading.Event()

    def read() -> None:
        try:
            while room.acquire() and not closing.is_set():
                batch = next(batches, _END)
                ready.put((batch, None))
                if batch is _END:
                    return
        except BaseException as error:  # whatever it is: who waits for the batch must learn of it
            ready.put((None, error))

    # in the context of the loop, where np.errstate, for instance, keeps its settings
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(read,), name="DataLoader", daemon=True)
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                try:
                    raise error
                finally:
                    del error  # its traceback refers to this frame
            if batch is _END:
                return
            room.release()
            yield batch
            del batch  # while the next one is waited for
    finally:
        closing.set()
        room.release()
        # Nothing reads the data after the loop. (When Python exits, daemon threads stand still already.)
        if thread is not threading.current_thread() and not sys.is_finalizing():
            thread.join()


def _describe(batch: Any) -> str:
    if isinstance(batch, tuple):
        return f"({', '.join(map(_describe, batch))})"
    return f"{type(batch).__name__}{list(np.shape(batch))}" if hasattr(batch, "shape") else f"a {type(batch).__name__}"
