"""`fit`: the training loop.

The loop is that of the lecture: for each mini-batch forward, backward, update. Around it stand what people write
around it again and again: the epochs, the validation, the history, the progress bar, the checkpoint to resume from.
"""

from __future__ import annotations

import inspect
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from autograd.devices import as_array

from .._checks import positive
from ..checkpoint import load_checkpoint, save_checkpoint
from ..module import Module
from ..parallel.alone import Alone
from .callbacks import Callback, Run
from .evaluation import Epoch, Measures, Metrics, measured, measures_of, one_number, parts_of
from .history import History

__all__ = ["fit"]


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
    ranks: Alone | None = None,
) -> History:
    """Train a model on mini-batches, epoch after epoch.

    Parameters
    ----------
    model : Module
        Trained in place. In evaluation mode as a whole, it is put into training mode, and left in it: call its `eval`
        before using it. Parts of it that alone are in evaluation mode, such as a frozen batch normalisation, stay so.
    optimizer : optim.Optimizer
        Over parameters of the model. One that computes the loss itself, `LBFGS`, wants a loop of one's own.
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
        what the model answered while it was being trained, with dropout and before the last updates. Whether a binary
        output is a 1 is told by the loss, which knows a logit from a probability: above its `threshold`. A function
        has none; then write, for instance, `{'accuracy': lambda output, target: nn.accuracy(output, target, 0.5)}`.
    schedule : learning-rate schedule of `optim`, optional
        Its `step()` is called after each epoch; one that wants a value gets the validation loss (or else the loss).
    schedule_each : {'epoch', 'batch'}
        When the schedule goes on; 'batch' means after each update.
    accumulate : int
        How many batches make one update: their gradients are averaged. What is left at the end of an epoch makes one.
    callbacks : sequence of Callback
        Such as `EarlyStopping`.
    checkpoint : path-like, optional
        After each epoch the state of the training is written there; if the file exists, the training goes on from it,
        bit for bit as if it had not been interrupted. One that early stopping has ended is over, and does not go on.
        In it is the state of all that is passed here, and of the loaders' `rng`; not that of a data set of one's own.
    progress : bool, optional
        Whether to show a progress bar (tqdm's, which knows terminals and notebooks). By default if tqdm is installed
        and there is somebody to see it.
    ranks : Ranks, optional
        The processes that share the work, in which all arguments are the same. The model and the generators get the
        values of rank 0 before the first epoch; rank 0 alone writes the checkpoint, computes the metrics and shows the
        progress; that model, loss and generators are equal in all is checked after each epoch. Callbacks are called in
        every process, with the values of whole batches, but what a model answers them is about the share.

    Returns
    -------
    History
        'loss', 'validation loss', and the metrics likewise, of each epoch.

    Raises
    ------
    FloatingPointError
        If the loss is no longer finite; on a GPU, when the epoch is over.
    OSError
        If the checkpoint cannot be written: before the first epoch.
    TypeError
        For batches that are not tuples.
    ValueError
        For a training set without batches, a loss that is not a mean, an optimizer without the model's parameters, or
        a checkpoint of another training.

    Notes
    -----
    On a GPU no batch waits for the one before: the losses, and for metrics the outputs and the targets, stay there and
    come over in one copy each when the epoch is over. A callback that asks for `run.value`, or a schedule that wants it
    in each batch, waits. Batches must be where the model is: nothing is moved but by `DataLoader(…, device=…)`.

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
    epochs = positive("epochs", epochs)
    accumulate = positive("accumulate: the number of batches of an update", accumulate)
    if schedule_each not in ("epoch", "batch"):
        raise ValueError(f"schedule_each must be 'epoch' or 'batch', got {schedule_each!r}.")
    measures, callbacks = measures_of(metrics, loss), list(callbacks)
    names = ["loss", *measures]
    names += [f"validation {name}" for name in names] if validation is not None else []
    run = Run(model, optimizer, loss, train, validation, schedule, History({name: [] for name in names}))
    run.ranks = ranks = Alone() if ranks is None else ranks
    if not isinstance(ranks, Alone):
        raise TypeError(f"ranks are what `with nn.Ranks() as ranks:` gives, not {ranks!r}.")
    _check_parameters(run)
    told = {"epochs": epochs, "accumulate": accumulate, "schedule_each": schedule_each, "measures": names}
    ranks.check_equal(fit={**told, "callbacks": [type(callback).__name__ for callback in callbacks]})
    ranks.broadcast(model, *_random(run))
    saved = None if checkpoint is None else Path(checkpoint)
    if saved is not None and ranks.first(saved.exists):
        load_checkpoint(saved, **_objects(run, callbacks))
    ranks.check_equal(**_learnt(run), optimizer=optimizer, schedule=schedule)
    if saved is not None and run.epoch < epochs and not run.stopped:
        ranks.first(partial(_try_to_save, saved, run, callbacks))
    begun: list[Callback] = []
    try:
        for callback in callbacks:
            callback.on_train_begin(run)
            begun.append(callback)
        with _bar(epochs, run.epoch, False if ranks.rank else progress) as bar:
            while run.epoch < epochs and not run.stopped:
                run.epoch += 1
                for callback in callbacks:
                    callback.on_epoch_begin(run)
                found = _train(run, measures, callbacks, accumulate, schedule_each)
                if validation is not None:
                    on_validation = measured(model, validation, loss, measures, ranks)
                    found |= {f"validation {name}": value for name, value in on_validation.items()}
                run.history.append(found)
                if schedule is not None and schedule_each == "epoch":
                    _advance(schedule, partial(found.get, "validation loss", found["loss"]))
                for callback in callbacks:
                    callback.on_epoch_end(run)
                ranks.check_equal(**_learnt(run))
                if saved is not None:
                    ranks.first(partial(save_checkpoint, saved, **_objects(run, callbacks)))
                bar.update()
                bar.set_postfix({k: f"{v:.4g}" for k, v in found.items() if isinstance(v, int | float)})
    finally:
        with ExitStack() as ends:  # also those after one that raises
            for callback in reversed(begun):
                ends.callback(callback.on_train_end, run)
    return run.history


def _train(
    run: Run,
    measures: Measures,
    callbacks: Sequence[Callback],
    accumulate: int,
    schedule_each: str,
) -> dict[str, Any]:
    """One epoch."""
    if not run.model.training:
        run.model.train()
    _forget(run)
    ranks = run.ranks
    epoch, waiting = Epoch(measures, ranks), 0

    def update() -> None:
        if accumulate > 1 or ranks.size > 1:
            parameters = _parameters(run)  # a callback may have added some since the last time
            ranks.sum_gradients(parameters)
            for p in parameters if accumulate > 1 else ():
                if p.grad is not None:
                    p.grad = as_array(p.grad / waiting)  # of a 0-d array, NumPy makes a scalar
        for callback in callbacks:
            callback.before_step(run)
        run.optimizer.step()
        _forget(run)
        if run.schedule is not None and schedule_each == "batch":
            _advance(run.schedule, lambda: run.value)

    for number, batch in enumerate(ranks.shares(run.train), 1):
        run.batch = number
        inputs, target = parts_of(batch)
        output = run.model(*inputs)
        loss = run.loss(output, target)
        run.value = value = ranks.mean(one_number(loss))
        if value.__class__ is float:  # for a device nothing waits here
            _check_finite(value, number, run.epoch)
        if not getattr(loss, "requires_grad", False):
            raise ValueError(
                f"the loss, a {type(loss).__name__}, does not depend on parameters that are to be learnt: are they "
                "frozen, was it computed with plain arrays, or is this inside no_grad()?"
            )
        ranks.backward(loss)
        waiting += 1
        epoch.add(value, inputs, output, target)
        del loss, output
        if waiting == accumulate:
            update()
            waiting = 0
        for callback in callbacks:
            callback.on_batch_end(run)
    if waiting:
        update()
    for number, value in enumerate(epoch.values(), 1):
        _check_finite(value, number, run.epoch)
    return epoch.summary()


def _check_finite(value: float, batch: int, epoch: int) -> None:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} in batch {batch} of epoch {epoch}: try a smaller learning rate, look for NaN in the "
            "data, or find where it comes from with autograd.detect_anomaly()."
        )


def _parameters(run: Run) -> list[Any]:
    """Those of the model, and others that the optimizer has, such as the loss's."""
    groups = getattr(run.optimizer, "param_groups", ())
    optimized = [p for group in groups for p in group["params"]]
    return list({id(p): p for p in [*run.model.parameters(), *optimized]}.values())


def _random(run: Run) -> list[Any]:
    """The loss, which may have parameters, and the generators of the loaders."""
    loss = [run.loss] if isinstance(run.loss, Module) else []
    return loss + [data.rng for data in (run.train, run.validation) if hasattr(data, "rng")]


def _learnt(run: Run) -> dict[str, Any]:
    """What must stay equal in all processes, by name."""
    return {"model": run.model, "loss": run.loss, "train": run.train, "validation": run.validation}


def _check_parameters(run: Run) -> None:
    """Refuse an optimizer of another model, with which this one would learn nothing."""
    groups = getattr(run.optimizer, "param_groups", ())
    own = {id(p) for p in run.model.parameters()}
    if groups and own.isdisjoint(id(p) for group in groups for p in group["params"]):
        raise ValueError(
            "the optimizer has none of the model's parameters: make it with this model's, as in "
            "optim.SGD(model.parameters(), lr=0.1)."
        )


def _forget(run: Run) -> None:
    """No gradients: not those either that nobody learns from, which would grow on and count in a norm."""
    run.optimizer.zero_grad()
    run.model.zero_grad()


def _advance(schedule: Any, value: Callable[[], Any]) -> None:
    """The next step of a schedule; one whose `step` has a parameter without a default wants a measure."""
    parameters = inspect.signature(schedule.step).parameters.values()
    if any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters):
        schedule.step(value())
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
        if state["history"].keys() != self.run.history.keys():
            told = [", ".join(history) for history in (state["history"], self.run.history)]
            raise ValueError(f"the training that was saved measured {told[0]}; this one measures {told[1]}.")
        for callback, (_, remembered) in zip(self.callbacks, state["callbacks"]):
            callback.load_state_dict(remembered)
        run = self.run
        run.epoch, run.history, run.stopped = state["epoch"], History(state["history"]), state["stopped"]


def _objects(run: Run, callbacks: Sequence[Callback]) -> dict[str, Any]:
    """What `save_checkpoint` and `load_checkpoint` take."""
    loss = run.loss
    has_state = isinstance(loss, Module) and bool(loss.state_dict())
    return {
        "model": run.model,
        "optimizer": run.optimizer,
        "schedule": run.schedule,
        "loader": run.train if hasattr(run.train, "rng") else None,
        "generators": {"validation": run.validation.rng} if hasattr(run.validation, "rng") else None,
        "objects": {"progress": _Progress(run, callbacks), **({"loss": loss} if has_state else {})},
    }


def _try_to_save(path: Path, run: Run, callbacks: Sequence[Callback]) -> None:
    """What cannot be written is said before an epoch is lost."""
    resumed = path.exists()
    save_checkpoint(path, **_objects(run, callbacks))
    if not resumed:
        path.unlink()


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
    notebook = type(sys.stderr).__module__.startswith("ipykernel.")
    seen = progress or notebook or (sys.stderr is not None and sys.stderr.isatty())
    return tqdm(total=epochs, initial=done, unit="epoch", disable=not seen)
