"""Callbacks: what else shall happen at certain moments of the training loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..parallel.alone import Alone
from .history import History

if TYPE_CHECKING:
    from ..module import Module

__all__ = ["Callback", "Run"]


@dataclass
class Run:
    """One training, as callbacks see it.

    Attributes
    ----------
    model, optimizer, loss, train, validation, schedule
        What `fit` was given.
    history : History
        Of the epochs that are over.
    epoch : int
        The number of the epoch that runs, or was the last; from 1.
    batch : int
        The number of the batch in its epoch, from 1.
    value : float
        The loss of the last batch. On a GPU, asking for it waits until it is known.
    stopped : str or None
        Set it to a reason, and the training ends after this epoch.
    ranks : Ranks or Alone
        The processes that train together; callbacks are called in each. Write files where `ranks.rank` is 0.
    """

    model: Module
    optimizer: Any
    loss: Any
    train: Any
    validation: Any = None
    schedule: Any = None
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    stopped: str | None = None
    ranks: Alone = field(default_factory=Alone)
    _value: Any = field(default=float("nan"), init=False, repr=False)

    @property
    def value(self) -> float:
        self._value = float(self._value)
        return self._value  # type: ignore[no-any-return]

    @value.setter
    def value(self, loss: Any) -> None:
        self._value = loss


class Callback:
    """Something that happens during `fit`. Subclasses define what they need of these.

    One that remembers something across epochs has `state_dict()` and `load_state_dict(state)` too: a training that is
    resumed from its checkpoint then goes on as if it had not been interrupted.

    Examples
    --------
    >>> import numpy as np
    >>> import nn, optim
    >>> class Clip(nn.Callback):
    ...     def before_step(self, run):
    ...         optim.clip_grad_norm_(run.model.parameters(), 1.0)
    >>> model = nn.MLP([2, 1], rng=0)
    >>> data = nn.DataLoader((np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)))
    >>> sgd = optim.SGD(model.parameters(), lr=0.1)
    >>> history = nn.fit(model, sgd, nn.BCEWithLogitsLoss(), data, epochs=2, callbacks=[Clip()], progress=False)
    """

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch; when a training is resumed, after its state has been loaded."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before each epoch."""

    def before_step(self, run: Run) -> None:
        """When the gradients are complete, before the optimizer uses them."""

    def on_batch_end(self, run: Run) -> None:
        """After each batch."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, when it is in the history."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch; also if an exception ends the training, for each that has been through its begin."""
