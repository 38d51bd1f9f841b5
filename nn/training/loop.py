"""`fit`: the training loop, and `evaluate`, what it measures.

The loop is that of the lecture: for each mini-batch forward, backward, update. Around it stand what people write
around it again and again: the epochs, the validation, the history, the progress bar, the checkpoint to resume from.
"""

from __future__ import annotations

import inspect
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import no_grad

from ..checkpoint import load_checkpoint, save_checkpoint
from .callbacks import Callback, Run
from .history import History
from .metrics import METRICS

if TYPE_CHECKING:
    from ..module import Module

__all__ = ["evaluate", "fit"]

Metrics = Sequence[str] | Mapping[str, Callable[[Any, Any], Any]]


def fit(
    model: Module,
    optimizer: Any,
    loss: Callable[[Any, Any], Any],
    train: Iterable[Any],
    *,
    epochs: int,
    validation: Iterable[Any] | None = None,
    metrics: Metrics = (),
    schedule: Any = None,
    schedule_each: str = "epoch",
    accumulate: int = 1,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> History:
    """Train a model on mini-batches, epoch after epoch.

    Parameters
    ----------
    model : Module
        Trained in place.
    optimizer : optim.Optimizer
        Over the parameters of the model.
    loss : callable
        `loss(output, target)`, the mean over the batch: a module of `nn`, or a function.
    train : iterable of batches
        Such as a `DataLoader`; each batch a tuple of inputs and, last, the targets. Iterated once in each epoch.
    epochs : int
        How many epochs there shall be, with those of a training that is resumed.
    validation : iterable of batches, optional
        Measured after each epoch, in evaluation mode.
    metrics : sequence of str, or mapping of str to callable
        What to measure besides the loss: 'accuracy', 'precision', 'recall', 'f1', 'roc_auc', 'confusion', or functions
        `(outputs, targets) -> value` of the plain arrays of a whole epoch. Those of the training set are measured on
        what the model answered while it was being trained, with dropout and before the last updates.
    schedule : learning-rate schedule of `optim`, optional
        Its `step()` is called after each epoch; one that wants a value gets the validation loss (or else the loss).
    schedule_each : {'epoch', 'batch'}
        When the schedule goes on.
    accumulate : int
        How many batches make one update: their gradients are averaged. What is left at the end of an epoch makes one.
    callbacks : sequence of Callback
        Such as `EarlyStopping`.
    checkpoint : path-like, optional
        After each epoch the state of the training is written there; if the file exists, the training goes on from it,
        bit for bit as if it had not been interrupted.
    progress : bool, optional
        Whether to show a progress bar (tqdm's, which knows terminals and notebooks). By default if tqdm is installed
        and there is somebody to see it.

    Returns
    -------
    History
        'loss', 'validation loss', and the metrics likewise, of each epoch.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite.
    ValueError
        For a training set without batches, or a checkpoint of another training.

    Examples
    --------
    >>> import numpy as np
    >>> import nn, optim
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)).astype(np.float32)
    >>> y = (X[:, :1] > X[:, 1:]).astype(np.float32)
    >>> model = nn.MLP([2, 8, 1], rng=rng)
    >>> history = nn.fit(
    ...     model,
    ...     optim.Adam(model.parameters(), lr=0.01),
    ...     nn.BCEWithLogitsLoss(),
    ...     nn.DataLoader((X[:150], y[:150]), batch_size=16, shuffle=True, rng=rng),
    ...     validation=nn.DataLoader((X[150:], y[150:]), batch_size=50),
    ...     epochs=10,
    ...     metrics=["accuracy"],
    ... )
    >>> list(history)
    ['loss', 'accuracy', 'validation loss', 'validation accuracy']
    >>> history["loss"][-1] < 0.5 * history["loss"][0]
    True
    """
    if accumulate < 1:
        raise ValueError(f"accumulate is a number of batches, at least 1, got {accumulate}.")
    if schedule_each not in ("epoch", "batch"):
        raise ValueError(f"schedule_each must be 'epoch' or 'batch', got {schedule_each!r}.")
    measures = _measures(metrics, loss)
    run = Run(model, optimizer, loss, train, validation, schedule)
    saved = None if checkpoint is None else Path(checkpoint)
    if saved is not None and saved.exists():
        load_checkpoint(saved, **_objects(run, callbacks))
    try:
        for callback in callbacks:
            callback.on_train_begin(run)
        with _bar(epochs, run.epoch, progress) as bar:
            while run.epoch < epochs and not run.stopped:
                run.epoch += 1
                for callback in callbacks:
                    callback.on_epoch_begin(run)
                measured = _train(run, measures, callbacks, accumulate, schedule_each, bar)
                if validation is not None:
                    found = _evaluate(model, validation, loss, measures)
                    measured |= {f"validation {name}": value for name, value in found.items()}
                run.history.append(measured)
                if schedule is not None and schedule_each == "epoch":
                    _advance(schedule, measured.get("validation loss", measured["loss"]))
                for callback in callbacks:
                    callback.on_epoch_end(run)
                if saved is not None:
                    save_checkpoint(saved, **_objects(run, callbacks))
                bar.update()
                bar.set_postfix({k: f"{v:.4g}" for k, v in measured.items() if isinstance(v, int | float)})
    finally:
        for callback in callbacks:
            callback.on_train_end(run)
    return run.history


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
        'loss', the mean over the examples, and the metrics by name.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(2, 1, init="zeros")
    >>> data = nn.DataLoader((np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)))
    >>> nn.evaluate(model, data, nn.BCEWithLogitsLoss(), ["accuracy"])["accuracy"]
    0.0
    """
    return _evaluate(model, data, loss, _measures(metrics, loss))


class _Epoch:
    """The means of one epoch."""

    def __init__(self, measures: Mapping[str, Callable[[Any, Any], Any]]):
        self.measures = measures
        self.total, self.examples = 0.0, 0
        self.outputs: list[Any] = []
        self.targets: list[Any] = []

    def add(self, value: float, output: Any, target: Any) -> None:
        self.total += value * len(target)
        self.examples += len(target)
        if self.measures:
            self.outputs.append(output.numpy() if hasattr(output, "numpy") else output)
            self.targets.append(target)

    def summary(self) -> dict[str, Any]:
        if not self.examples:
            raise ValueError("there are no batches: the data set is empty, or an iterator that has been used up.")
        found: dict[str, Any] = {"loss": self.total / self.examples}
        if self.measures:
            outputs, targets = np.concatenate(self.outputs), np.concatenate(self.targets)
            found |= {name: measure(outputs, targets) for name, measure in self.measures.items()}
        return found


def _train(
    run: Run,
    measures: Mapping[str, Callable[[Any, Any], Any]],
    callbacks: Sequence[Callback],
    accumulate: int,
    schedule_each: str,
    bar: Any,
) -> dict[str, Any]:
    """One epoch."""
    run.model.train()
    run.optimizer.zero_grad()
    epoch, waiting = _Epoch(measures), 0

    def update() -> None:
        for callback in callbacks:
            callback.before_step(run)
        run.optimizer.step()
        run.optimizer.zero_grad()
        if run.schedule is not None and schedule_each == "batch":
            _advance(run.schedule, run.value)

    for number, batch in enumerate(run.train, 1):
        run.batch = number
        *inputs, target = batch
        output = run.model(*inputs)
        loss = run.loss(output, target)
        run.value = float(loss)
        if not math.isfinite(run.value):
            raise FloatingPointError(
                f"the loss is {run.value} in batch {run.batch} of epoch {run.epoch}: try a smaller learning rate, look "
                "for NaN in the data, or find where it comes from with autograd.detect_anomaly()."
            )
        (loss if accumulate == 1 else loss / accumulate).backward()
        waiting += 1
        epoch.add(run.value, output, target)
        del loss, output
        if waiting == accumulate:
            update()
            waiting = 0
        for callback in callbacks:
            callback.on_batch_end(run)
    if waiting:
        for p in run.model.parameters():  # the mean of fewer batches
            if p.grad is not None:
                p.grad = p.grad * (accumulate / waiting)
        update()
    return epoch.summary()


def _evaluate(
    model: Module, data: Iterable[Any], loss: Callable[[Any, Any], Any], measures: Mapping[str, Any]
) -> dict[str, Any]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    epoch = _Epoch(measures)
    try:
        with no_grad():
            for *inputs, target in data:
                output = model(*inputs)
                epoch.add(float(loss(output, target)), output, target)
    finally:
        for module, training in modes:
            module.training = training
    return epoch.summary()


def _measures(metrics: Metrics, loss: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """The metrics by name; those of ours with the threshold that belongs to the loss."""
    if isinstance(metrics, str):
        raise TypeError(f"metrics are a list of names or a dict of functions: write [{metrics!r}].")
    if isinstance(metrics, Mapping):
        return dict(metrics)
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise ValueError(
            f"unknown metric {unknown[0]!r}; the names are {', '.join(METRICS)}. Pass functions as a dict."
        )
    threshold = getattr(loss, "threshold", 0.0)

    def bound(metric: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        return lambda output, target: metric(output, target, threshold=threshold)

    return {name: bound(METRICS[name]) for name in metrics}


def _advance(schedule: Any, value: float) -> None:
    """The next step of a schedule; one whose `step` has a parameter without a default wants a measure."""
    parameters = inspect.signature(schedule.step).parameters.values()
    if any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters):
        schedule.step(value)
    else:
        schedule.step()


# To be resumed


class _Progress:
    """What a checkpoint keeps of a training besides its objects."""

    def __init__(self, run: Run, callbacks: Sequence[Callback]):
        self.run = run
        self.callbacks: list[Any] = [callback for callback in callbacks if hasattr(callback, "load_state_dict")]

    def state_dict(self) -> dict[str, Any]:
        run = self.run
        remembered = [[type(callback).__name__, callback.state_dict()] for callback in self.callbacks]
        return {"epoch": run.epoch, "history": dict(run.history), "stopped": run.stopped, "callbacks": remembered}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        there = [name for name, _ in state["callbacks"]]
        here = [type(callback).__name__ for callback in self.callbacks]
        if there != here:
            raise ValueError(f"the training that was saved had the callbacks {there}, this one has {here}.")
        for callback, (_, remembered) in zip(self.callbacks, state["callbacks"]):
            callback.load_state_dict(remembered)
        run = self.run
        run.epoch, run.history, run.stopped = state["epoch"], History(state["history"]), state["stopped"]


def _objects(run: Run, callbacks: Sequence[Callback]) -> dict[str, Any]:
    """What `save_checkpoint` and `load_checkpoint` take."""
    return {
        "model": run.model,
        "optimizer": run.optimizer,
        "schedule": run.schedule,
        "loader": run.train if hasattr(run.train, "rng") else None,
        "objects": {"progress": _Progress(run, callbacks)},
    }


# Progress


class _Silence:
    """A progress bar that shows nothing."""

    def __enter__(self) -> _Silence:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def update(self) -> None:
        pass

    def set_postfix(self, shown: Mapping[str, str]) -> None:
        pass


def _bar(epochs: int, done: int, progress: bool | None) -> Any:
    if progress is False:
        return _Silence()
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        if progress:
            raise ImportError(
                f'the progress bar is tqdm\'s, which is missing here: `pip install "wengert[examples]"` ({error}).'
            ) from None
        return _Silence()
    notebook = any(base.__name__ == "tqdm_notebook" for base in tqdm.__mro__)
    seen = progress or notebook or (sys.stderr is not None and sys.stderr.isatty())
    return tqdm(total=epochs, initial=done, unit="epoch", disable=not seen)
