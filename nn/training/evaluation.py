"""`evaluate`, and what is measured in an epoch: the mean of the losses, and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import no_grad

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
    return measured(model, data, loss, measures_of(metrics, loss))


def measured(model: Module, data: Iterable[Any], loss: Callable[[Any, Any], Any], measures: Measures) -> dict[str, Any]:
    """What `evaluate` returns."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    epoch = Epoch(measures)
    try:
        with no_grad():
            for batch in data:
                inputs, target = parts_of(batch)
                output = model(*inputs)
                epoch.add(one_number(loss(output, target)), inputs, output, target)
    finally:
        for module, training in modes:
            module.training = training
    return epoch.summary()


class Epoch:
    """The means of one epoch."""

    def __init__(self, measures: Measures):
        self.measures = measures
        self.total, self.examples = 0.0, 0
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, value: float, inputs: Sequence[Any], output: Any, target: Any) -> None:
        n = len(target if hasattr(target, "shape") else inputs[0])  # several targets are a tuple of arrays
        self.total += value * n
        self.examples += n
        if self.measures:
            for what, values in (("output", output), ("target", target)):
                if isinstance(values, tuple | list | dict) and any(hasattr(part, "shape") for part in values):
                    raise TypeError(
                        f"metrics are of one array of outputs and one of targets, and here the {what} of a batch is a "
                        f"{type(values).__name__} of several: measure such a model in a callback."
                    )
            self.outputs.append(plain(output))
            self.targets.append(plain(target))

    def summary(self) -> dict[str, Any]:
        if not self.examples:
            raise ValueError("there are no batches: the data set is empty, or an iterator that has been used up.")
        found: dict[str, Any] = {"loss": self.total / self.examples}
        if self.measures:
            outputs, targets = np.concatenate(self.outputs), np.concatenate(self.targets)
            for name, measure in self.measures.items():
                found[name] = as_number(measure(outputs, targets))
        return found


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


def one_number(loss: Any) -> float:
    """The value of a loss."""
    if getattr(loss, "size", 1) != 1:
        raise ValueError(f"the loss of a batch is one number, such as the mean; got shape {loss.shape}.")
    return float(loss)


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
