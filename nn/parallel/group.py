"""`Group`: data-parallel training over any transport of messages.

Each process has a copy of the model, and works on its share of the rows of each batch. The mean over a batch is the
mean of the shares' means, each counted as often as it has rows; so are the gradients. Their sum over the processes is
then what one process would have computed on the whole batch, and all take the same step.
"""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from autograd.devices import move, waits
from autograd.node import data_of

from ..data.loader import DataLoader
from ..module import Module
from ..share import Share, current_share, working_on
from .alone import Alone
from .equality import Parts, first_difference, kinds_in, loader_parts, values_in
from .flat import Flat, flats

__all__ = ["Group", "Transport"]

T = TypeVar("T")

_OUT_OF_STEP = "the ranks must be given the same batches, and as many"


class Transport(Protocol):
    """How the processes of a group reach each other. All of them must make the same calls in the same order."""

    rank: int
    size: int

    def all_reduce(self, array: Any) -> None:
        """Replace a contiguous array by the sum of those of all processes: the same bits in each."""

    def all_gather(self, value: Any) -> list[Any]:
        """The values of all processes, in the order of their ranks."""

    def gather(self, value: Any) -> list[Any] | None:
        """The same on rank 0, None elsewhere."""

    def broadcast(self, value: Any) -> Any:
        """The value of rank 0."""

    def abort(self, status: int) -> None:
        """End all processes."""


class Group(Alone):
    """The processes that train one model together.

    Parameters
    ----------
    transport : Transport
    """

    def __init__(self, transport: Transport):
        self.transport = transport
        self.rank, self.size = transport.rank, transport.size
        self._flats: list[Flat] = []
        self._parameters: list[Any] = []
        self._number = np.empty(1)

    # The shares of a batch

    def shares(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, of each the rows that are this process's share.

        While the body of the loop runs, `mean`, `backward` and the layers that look at the whole batch know the share.
        A `DataLoader` reads no more than the share; with a `transform`, whose random numbers are for all rows, it reads
        and transforms the whole batch. Of a batch with fewer rows than there are processes, each gets all rows.

        Parameters
        ----------
        batches : DataLoader, or iterable of arrays or of tuples of arrays
            Whole batches, the same in all processes.

        Yields
        ------
        The own rows, in the form of the batch.

        Raises
        ------
        RuntimeError
            If the processes have loaders of other examples, sizes or orders, or batches of other numbers of rows, or
            not equally many of them.
        """
        for rows, batch in self._parts(batches):
            own = self._rows(rows)
            count = own.stop - own.start
            weight = 1 / self.size if count == rows else count / rows
            with working_on(Share(rows, own, weight, self._all_sum)):
                yield batch

    def _parts(self, batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """The number of rows of each batch, and the own ones."""
        if type(batches) is DataLoader:  # one of another class may have batches of its own
            self._same(loader_parts(batches), "give the ranks the same data, and the loader the same seed")
            yield from batches.parts(self._rows)
            return
        for batch in batches:
            rows = _length(batch)
            self._same([("a batch of", f"{rows} rows")], _OUT_OF_STEP)
            yield rows, _sliced(batch, self._rows(rows))
        self._same([("no batch", "any more")], _OUT_OF_STEP)

    def _rows(self, n: int) -> slice:
        """The own rows of a batch of `n`: all, if there are not enough for everybody."""
        if n < self.size:
            return slice(0, n)
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def rows(self, own: int) -> int:
        """How many rows the batch has of which this process has `own`."""
        return _share().rows

    def mean(self, value: Any) -> Any:
        """The mean over the batch, where `value` is that over the own rows: a float, or an array on a device."""
        value = value * _share().weight
        if waits(value):
            return self._all_sum(value)
        self._number[0] = value
        self.transport.all_reduce(self._number)
        return float(self._number[0])

    def backward(self, loss: Any) -> None:
        """The gradients of a loss that is the mean over the own rows, as parts of those of the mean over all.

        They add up to those of the whole batch: call `sum_gradients` before the step.
        """
        loss.backward(np.full_like(data_of(loss), _share().weight))

    def _all_sum(self, array: Any) -> Any:
        total = np.array(array) if isinstance(array, np.generic) else array.copy(order="C")
        self.transport.all_reduce(total)
        return total

    # What all have of what each has

    def sum_gradients(self, parameters: Iterable[Any]) -> None:
        """Replace each parameter's `.grad` by the sum of those of all processes, with one message.

        Where some have none it counts as zero; where nobody has one, it stays None. Frozen parameters are left alone.

        Parameters
        ----------
        parameters : iterable of Parameter
            The same in all processes, in the same order.

        Raises
        ------
        RuntimeError
            If other processes have other ones.
        """
        parameters = [p for p in parameters if p.requires_grad]
        known = len(parameters) == len(self._parameters) and all(map(operator.is_, parameters, self._parameters))
        if not known or not all(flat.fits() for flat in self._flats):
            kinds = [(f"parameter {k}", f"{p.dtype}{list(p.shape)}") for k, p in enumerate(parameters)]
            self._same(kinds, "all ranks must learn the same parameters")
            self._parameters, self._flats = parameters, flats(parameters)
        for flat in self._flats:
            flat.sum(self.transport.all_reduce)

    def reported(self, array: Any) -> Any:
        """Of an array with a row for each own row, those that no process of a lower rank has too."""
        share = _share()
        return array[:0] if self.rank and share.count == share.rows else array

    def gathered(self, arrays: list[Any]) -> Any:
        """One array of the batches' arrays, in the order of the whole batches; None but on rank 0."""
        everywhere = self.transport.gather(arrays)
        return None if everywhere is None else np.concatenate([a for batch in zip(*everywhere) for a in batch])

    def first(self, action: Callable[[], T]) -> T:
        """What `action()` returns on rank 0, where alone it is called; what it raises is raised everywhere.

        For files, and for what is to be computed once. The result is pickled.
        """
        result: Any = None
        error: Exception | None = None
        if not self.rank:
            try:
                result = action()
            except Exception as raised:
                error = raised
        message = self.transport.broadcast((result, None if error is None else _portable(error)))
        if error is not None:
            raise error
        if not self.rank:
            return result  # type: ignore[no-any-return]
        result, error = message
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def broadcast(self, *objects: Any) -> None:
        """Give objects the values they have on rank 0.

        Parameters
        ----------
        *objects : Module, numpy.random.Generator, or DataLoader
            Of a module the parameters, the buffers and the generators (those of its dropout); of a loader its `rng`.

        Raises
        ------
        RuntimeError
            If a module has other parts in other processes: the first of them. Nothing is changed then.
        """
        modules = [thing for thing in objects if isinstance(thing, Module)]
        generators = [rng for module in modules for _, rng in module.named_generators()]
        generators += [getattr(thing, "rng", thing) for thing in objects if not isinstance(thing, Module)]
        strange = [type(rng).__name__ for rng in generators if not isinstance(rng, np.random.Generator)]
        if strange:
            raise TypeError(f"broadcast takes modules, generators and data loaders, got a {strange[0]}.")
        self._same([part for module in modules for part in kinds_in(module)], "all ranks must build the same model")
        states: Any = None
        if not self.rank:
            weights = [{name: move(a, "cpu") for name, a in m.state_dict().items()} for m in modules]
            states = weights, [rng.bit_generator.state for rng in generators]
        weights, bits = self.transport.broadcast(states)
        if self.rank:
            for module, state in zip(modules, weights):
                module.load_state_dict(state)
            for rng, state in zip(generators, bits):
                rng.bit_generator.state = state

    def check_equal(self, **objects: Any) -> None:
        """Make sure that objects have the same state in all processes, bit for bit.

        Parameters
        ----------
        **objects
            Modules, with their generators; what has `state_dict()`, or a generator `rng`; dicts of plain values. By the
            names that the error shall give them.

        Raises
        ------
        RuntimeError
            In all processes, if there is a difference: the first part that differs, and where.
        """
        parts = [part for name, thing in objects.items() for part in values_in(name, thing)]
        self._same(parts, "what is trained together must be the same in all ranks, bit for bit")

    def _same(self, parts: Parts, remedy: str) -> None:
        found = first_difference(self.transport.all_gather(parts))
        if found is not None:
            raise RuntimeError(f"the ranks are not equal: {found}. {remedy[0].upper()}{remedy[1:]}.")

    def abort(self, status: int = 1) -> None:
        """End all processes, this one too."""
        self.transport.abort(status)


def _share() -> Share:
    share = current_share()
    if share is None:
        raise RuntimeError("the share of which batch? Write this inside a loop `for batch in ranks.shares(batches):`.")
    return share


def _arrays(batch: Any) -> Iterator[Any]:
    """The arrays in nested tuples, lists and dicts."""
    if isinstance(batch, tuple | list | dict):
        for part in batch.values() if isinstance(batch, dict) else batch:
            yield from _arrays(part)
    else:
        yield batch


def _length(batch: Any) -> int:
    lengths = {np.shape(array)[:1] for array in _arrays(batch)}
    if len(lengths) != 1 or lengths <= {(), (0,)}:
        raise ValueError(
            "a batch that is to be shared is an array, or a tuple of arrays, with a row for each example; got "
            f"{', '.join(str(np.shape(array)) for array in _arrays(batch)) or 'nothing'}."
        )
    ((length,),) = lengths
    return int(length)


def _sliced(batch: Any, rows: slice) -> Any:
    if isinstance(batch, dict):
        return {key: _sliced(part, rows) for key, part in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch)([_sliced(part, rows) for part in batch])
    return batch[rows]


def _portable(error: Exception) -> Exception:
    """The error itself if it can be sent, or one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
