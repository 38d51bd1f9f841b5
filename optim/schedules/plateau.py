"""A schedule that looks at how the training goes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer, require
from .scheduler import Schedule, count

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(Schedule):
    """Lowers the learning rates when a metric has not improved for some epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {'min', 'max'}
        Whether a small metric is good, such as a loss, or a large one.
    factor : float
        What the learning rates are multiplied with, in [0, 1).
    patience : int
        How many epochs in a row may bring no improvement; the next one lowers the learning rates.
    threshold : float
        An improvement is more than this, relative to the best metric or absolute.
    threshold_mode : {'rel', 'abs'}
    cooldown : int
        How many epochs after that do not count.
    min_lr : float or sequence of float
        No learning rate falls below this; a sequence has one for each group.
    eps : float
        A change smaller than this is not made.

    Raises
    ------
    TypeError
        For something that is not an optimizer.
    ValueError
        For a hyper-parameter outside its range.

    Examples
    --------
    >>> import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    >>> schedule = optim.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in [3.0, 2.0, 2.5, 2.1]:
    ...     schedule.step(loss)
    >>> optimizer.param_groups[0]["lr"]
    0.1
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ):
        self.mode, self.factor, self.patience = mode, float(factor), count("patience", patience, 0)
        self.threshold, self.threshold_mode = float(threshold), threshold_mode
        self.cooldown = count("cooldown", cooldown, 0)
        self.min_lr = [float(lr) for lr in min_lr] if isinstance(min_lr, Sequence) else float(min_lr)
        self.eps = float(eps)
        self.best = sys.float_info.max if mode == "min" else -sys.float_info.max  # finite, as JSON wants it
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def check(self) -> None:
        require(self.mode in ("min", "max"), f"mode must be 'min' or 'max', got {self.mode!r}.")
        require(0 <= self.factor < 1, f"factor must be in [0, 1), got {self.factor}.")
        require(
            self.threshold_mode in ("rel", "abs"),
            f"threshold_mode must be 'rel' or 'abs', got {self.threshold_mode!r}.",
        )
        for name in ("threshold", "eps"):
            require(getattr(self, name) >= 0, f"{name} must be at least 0, got {getattr(self, name)}.")
        for name in ("patience", "cooldown", "num_bad_epochs", "cooldown_counter"):
            count(name, getattr(self, name), 0)
        least = self._least()
        groups = len(self.optimizer.param_groups)
        require(len(least) == groups, f"min_lr has {len(least)} values for {groups} groups.")
        require(all(lr >= 0 for lr in least), f"min_lr must be at least 0, got {self.min_lr}.")

    def _least(self) -> list[float]:
        return self.min_lr if isinstance(self.min_lr, list) else [self.min_lr] * len(self.optimizer.param_groups)

    def is_better(self, metric: float) -> bool:
        """Whether a metric is an improvement; NaN is none."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "rel":
            bound = self.best * (1 + sign * self.threshold)
        else:
            bound = self.best + sign * self.threshold
        return sign * metric > sign * bound

    def step(self, metrics: Any) -> None:
        """Look at the metric of an epoch.

        Parameters
        ----------
        metrics : float, or array or Tensor of one element
        """
        metric = float(metrics)
        self.check()  # the optimizer may have more groups now
        if self.is_better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        self.last_epoch += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        lrs = [float(group["lr"]) for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            lower = [max(lr * self.factor, least) for lr, least in zip(lrs, self._least())]
            lrs = [low if lr - low > self.eps else lr for lr, low in zip(lrs, lower)]
        self._set(lrs)
