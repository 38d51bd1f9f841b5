"""`EarlyStopping`: the end of a training when the validation loss does not fall any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .callbacks import Callback, Run
from .history import direction

if TYPE_CHECKING:
    from ..module import Module

__all__ = ["EarlyStopping"]


class EarlyStopping(Callback):
    """Stop when a measure has not improved for some epochs, and go back to the best weights.

    Early stopping is a regularisation: the training loss keeps falling while the validation loss rises, and the model
    of the turning point is kept (Prechelt, "Early stopping — but when?", 1998).

    Parameters
    ----------
    patience : int
        How many epochs in a row may bring no improvement, at least 1.
    min_delta : float
        What counts as an improvement: a change by more than this, at least 0.
    restore_best : bool
        Whether the model gets its best weights (and buffers) back at the end.
    monitor : str
        The measure of the history.
    mode : {'min', 'max'}, optional
        Whether less or more of it is better; by default 'min' for a loss. Of anything else it must be said.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        The number of its epoch, from 1; 0 before the first.

    Raises
    ------
    ValueError
        For an argument outside its range.

    Examples
    --------
    As a callback of `fit`, or in a loop of one's own:

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> stopping = nn.EarlyStopping(patience=2)
    >>> for value in [0.9, 0.7, 0.8, 0.75, 0.6]:
    ...     if stopping.update(value, model):
    ...         break
    >>> value, stopping.best, stopping.best_epoch
    (0.75, 0.7, 2)
    >>> stopping.restore(model)
    """

    def __init__(
        self,
        patience: int = 10,
        min_delta: float = 0.0,
        restore_best: bool = True,
        monitor: str = "validation loss",
        mode: str | None = None,
    ):
        if not isinstance(patience, int) or patience < 1:
            raise ValueError(f"patience is a number of epochs, at least 1, got {patience!r}.")
        if not min_delta >= 0:
            raise ValueError(f"min_delta must be at least 0, got {min_delta}.")
        self.patience, self.min_delta, self.restore_best = patience, min_delta, restore_best
        self.monitor, self.mode = monitor, direction(monitor, mode)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen: for another training."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.best_epoch = self.epoch = 0
        self._weights: dict[str, Any] | None = None

    def update(self, value: float, model: Module) -> bool:
        """Take the measure after one more epoch; returns whether to stop. NaN is never an improvement."""
        self.epoch += 1
        value = float(value)
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch = value, self.epoch
            if self.restore_best:
                self._weights = model.state_dict()
        return self.epoch - self.best_epoch >= self.patience

    def restore(self, model: Module) -> None:
        """Give the model its best weights back."""
        if self._weights is not None:
            model.load_state_dict(self._weights)

    def on_train_begin(self, run: Run) -> None:
        if self.monitor not in run.history:
            raise ValueError(
                f"early stopping watches {self.monitor!r}, and what is measured is {', '.join(run.history)}: give fit "
                "a validation set or a metric of that name, or EarlyStopping another monitor."
            )
        if not run.epoch:  # not resumed
            self.reset()

    def on_epoch_end(self, run: Run) -> None:
        if self.update(run.history[self.monitor][-1], run.model):
            run.stopped = (
                f"{self.monitor} has not improved for {self.patience} epochs; it was best, {self.best:.4g}, after "
                f"epoch {self.best_epoch}"
            )

    def on_train_end(self, run: Run) -> None:
        if self.restore_best:
            self.restore(run.model)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, with the best weights."""
        return {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch, "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember what another one did.

        Raises
        ------
        ValueError
            If it is not the state of an `EarlyStopping`. Nothing is changed then.
        """
        if state.keys() != {"best", "best_epoch", "epoch", "weights"}:
            raise ValueError(f"this is not the state of an EarlyStopping: it has {', '.join(state)}.")
        self.best, self.best_epoch, self.epoch = state["best"], state["best_epoch"], state["epoch"]
        self._weights = None if state["weights"] is None else dict(state["weights"])

    def __repr__(self) -> str:
        options = f"patience={self.patience}, min_delta={self.min_delta}, restore_best={self.restore_best}"
        return f"EarlyStopping({options}, monitor={self.monitor!r}, mode={self.mode!r})"
