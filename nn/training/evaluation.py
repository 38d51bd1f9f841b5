"""`evaluate`, and what is measured in an epoch: the mean of the losses, and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import no_grad
from autograd.devices import move, waits
from autograd.node import data_of

from ..parallel.alone import Alone
from ..share import working_on
from .history import as_number
from .metrics import METRICS, plain

if TYPE_CHECKING:
    from ..module import Module

__all__ = ["evaluate"]

Metrics = Sequence[str] | Mapping[str, Callable[[Any, Any], Any]]
Measures = dict[str, Callable[[Any, Any], Any]]


def evaluate(
    model: Module, data: Iterable[Any], loss: Callable[[Any, Any], Any], metrics: Metrics = ()
) -> dict[str, Any]:
    """The loss and the metrics of a model on a data set, in evaluation mode and without recording.

    Parameters
    ----------
    model, loss, metrics
        As for `fit`.
    data : iterable of batches

    Returns
    -------
    dict
        'loss', the mean of the batches' losses, each counted as often as it has examples; and the metrics by name.

    Raises
    ------
    TypeError, ValueError
        For data without batches or of other ones than `fit` takes, and for a loss that is not a mean.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(2, 1, init="zeros")
    >>> data = nn.DataLoader((np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)))
    >>> nn.evaluate(model, data, nn.BCEWithLogitsLoss(), ["accuracy"])["accuracy"]
    0.0
    """
    with working_on(None):  # in a callback too, also in one that runs in one process alone
        return measured(model, data, loss, measures_of(metrics, loss), Alone())


def measured(
    model: Module, data: Iterable[Any], loss: Callable[[Any, Any], Any], measures: Measures, ranks: Alone
) -> dict[str, Any]:
    """What `evaluate` returns, where these processes share the work."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    epoch = Epoch(measures, ranks)
    try:
        with no_grad():
            for batch in ranks.shares(data):
                inputs, target = parts_of(batch)
                output = model(*inputs)
                epoch.add(ranks.mean(one_number(loss(output, target))), inputs, output, target)
    finally:
        for module, training in modes:
            module.training = training
    return epoch.summary()


class Epoch:
    """The means of one epoch: of the losses of whole batches, and of what each process has of outputs and targets."""

    def __init__(self, measures: Measures, ranks: Alone):
        self.measures, self.ranks = measures, ranks
        self.losses: list[Any] = []
        self.counts: list[int] = []
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, value: Any, inputs: Sequence[Any], output: Any, target: Any) -> None:
        """Take the results of a batch: what is on a device stays there, and nothing waits for it."""
        self.losses.append(value)
        self.counts.append(self.ranks.rows(len(target if hasattr(target, "shape") else inputs[0])))  # several targets
        if self.measures:
            for what, values in (("output", output), ("target", target)):
                if isinstance(values, tuple | list | dict) and any(hasattr(part, "shape") for part in values):
                    raise TypeError(
                        f"metrics are of one array of outputs and one of targets, and here the {what} of a batch is a "
                        f"{type(values).__name__} of several: measure such a model in a callback."
                    )
            for kept, values in ((self.outputs, output), (self.targets, target)):
                array = data_of(values)
                kept.append(self.ranks.reported(array if waits(array) else plain(array)))

    def values(self) -> list[float]:
        """The loss of each batch."""
        if self.losses and all(map(waits, self.losses)):
            self.losses = move(np.stack(self.losses), "cpu").tolist()
        return self.losses

    def summary(self) -> dict[str, Any]:
        if not sum(self.counts):
            raise ValueError("there are no batches: the data set is empty, or an iterator that has been used up.")
        total = sum(float(value) * n for value, n in zip(self.values(), self.counts))
        found: dict[str, Any] = {"loss": total / sum(self.counts)}
        if self.measures:
            outputs, targets = (self.ranks.gathered(_fetched(arrays)) for arrays in (self.outputs, self.targets))
            found |= self.ranks.first(
                lambda: {name: as_number(measure(outputs, targets)) for name, measure in self.measures.items()}
            )
        return found


def _fetched(arrays: list[Any]) -> list[Any]:
    """The batches' arrays as NumPy's; those of a device in one copy."""
    if not all(map(waits, arrays)):
        return [plain(array) for array in arrays]
    return np.split(plain(np.concatenate(arrays)), np.cumsum([len(array) for array in arrays])[:-1])


def parts_of(batch: Any) -> tuple[list[Any], Any]:
    """The inputs and the targets of a batch."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        got = f"an array of shape {batch.shape}" if hasattr(batch, "shape") else f"a {type(batch).__name__}: {batch!r}"
        raise TypeError(
            "a batch is a tuple of the inputs and, last, the targets, as nn.DataLoader((X, y), batch_size=…) makes "
            f"them; got {got}."
        )
    *inputs, target = batch
    return inputs, target


def one_number(loss: Any) -> Any:
    """The value of a loss: a number, or the array without axes where a device will have it."""
    if getattr(loss, "size", 1) != 1:
        raise ValueError(f"the loss of a batch is one number, such as the mean; got shape {loss.shape}.")
    array = data_of(loss)
    return array.reshape(()).copy() if waits(array) else float(loss)  # of a view, what it is of may be written to


def measures_of(metrics: Metrics, loss: Any) -> Measures:
    """The metrics by name, after a look at the loss; those of ours as it wants them."""
    reduction = getattr(loss, "reduction", "mean")
    if reduction in ("sum", "none"):
        raise ValueError(
            f"the losses of batches are averaged, and so each must be a mean: {type(loss).__name__} has "
            f"reduction={reduction!r}."
        )
    if isinstance(metrics, str):
        raise TypeError(f"metrics are a list of names or a dict of functions: write [{metrics!r}].")
    if isinstance(metrics, Mapping):
        taken = [name for name in metrics if name == "loss" or name.startswith("validation ")]
        if taken:
            raise ValueError(f"a metric cannot be called {taken[0]!r}: that is what fit itself writes.")
        return dict(metrics)
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise ValueError(
            f"unknown metric {unknown[0]!r}; the names are {', '.join(METRICS)}. Pass functions as a dict."
        )
    threshold, ignored = getattr(loss, "threshold", None), getattr(loss, "ignore_index", None)

    def bound(metric: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        def measure(output: Any, target: Any) -> Any:
            if ignored is not None and target.ndim == 1 and target.dtype.kind in "iu":
                output, target = output[target != ignored], target[target != ignored]
            return metric(output, target, threshold=threshold)

        return measure

    return {name: bound(METRICS[name]) for name in metrics}
