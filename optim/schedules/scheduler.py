"""What all schedules share: an optimizer, learning rates, and a state of plain Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from typing import Any

import numpy as np

from ..optimizer import Optimizer, require

__all__ = ["LRScheduler"]


class Schedule:
    """Sets the learning rates of an optimizer. All its attributes that are plain values are its state."""

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} takes an optimizer, got {type(optimizer).__name__}.")
        self.optimizer = optimizer
        self.check()
        self.last_epoch = 0
        self.last_lrs = [float(group["lr"]) for group in optimizer.param_groups]

    def check(self) -> None:
        """Raise ValueError if a hyper-parameter is not as it must be."""

    def get_last_lr(self) -> list[float]:
        """The learning rates that this schedule has set last, one for each group of parameters."""
        return list(self.last_lrs)

    def _set(self, lrs: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs):
            group["lr"] = lr
        self.last_lrs = list(lrs)

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state, with the hyper-parameters: numbers, strings and lists of them, fit for JSON.

        Functions (of `LambdaLR`) are not in it.
        """
        return {name: deepcopy(value) for name, value in vars(self).items() if _is_plain(value)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a state, and set the learning rates that belong to it.

        Raises
        ------
        ValueError
            Saying what does not fit. Nothing is changed then.
        """
        self._take(self._fitting(state))
        self._set(self.last_lrs)

    def _fitting(self, state: Any) -> dict[str, Any]:
        """A copy of a state, if it is one of this schedule."""
        name, own = type(self).__name__, self.state_dict()
        if not isinstance(state, Mapping) or state.keys() != own.keys():
            got = sorted(map(str, state)) if isinstance(state, Mapping) else repr(state)
            raise ValueError(f"the state of {name} has {sorted(own)}, got {got}: it belongs to another schedule.")
        for key, value in state.items():
            require(_is_like(value, own[key]), f"the state of {name} has {key}={value!r}, but here it is {own[key]!r}.")
            if key in ("last_epoch", "last_lrs", "base_lrs", "scales"):
                require(bool(np.min(value) >= 0), f"the state of {name} has {key}={value!r}, which is negative.")
        candidate = copy(self)
        vars(candidate).update(state)
        candidate.check()
        return deepcopy(dict(state))

    def _take(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


class LRScheduler(Schedule):
    """Sets the learning rate of each group from the number of steps; a subclass defines `rate`.

    `step()` is called after the optimizer's steps of an epoch, or after each of them if the schedule counts batches.

    Parameters
    ----------
    optimizer : Optimizer

    Attributes
    ----------
    last_epoch : int
        The number of steps of the schedule so far.
    base_lrs : list of float
        The learning rate α₀ of each group: its 'initial_lr', which the first schedule of an optimizer writes there.

    Raises
    ------
    TypeError
        For something that is not an optimizer.
    ValueError
        For a hyper-parameter outside its range.

    Notes
    -----
    What else changes a learning rate is kept: one that was halved between two steps of the schedule stays half of what
    the schedule says. So the factors of several schedules that are stepped one after the other are multiplied.

    Examples
    --------
    >>> import nn, optim
    >>> class Hyperbola(optim.LRScheduler):
    ...     def rate(self, base, t):
    ...         return base / (1 + t)
    >>> schedule = Hyperbola(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer):
        super().__init__(optimizer)
        self.base_lrs: list[float] = []
        self.scales: list[float] = []  # what other hands have made of the rates
        self._meet_groups()
        self._go(0, self.rates(0))

    def rate(self, base: float, t: int) -> float:
        """The learning rate after `t` steps, of a group that starts at `base`."""
        raise NotImplementedError(f"{type(self).__name__} has no rate(self, base, t): define what it computes.")

    def rates(self, t: int) -> list[float]:
        """The learning rates of all groups after `t` steps."""
        return [self.rate(base, t) for base in self.base_lrs]

    def set_others(self, t: int) -> None:
        """Set what else depends on the number of steps: nothing, but for `OneCycleLR`."""

    def step(self) -> None:
        """Count one more step, and set the learning rates."""
        self._meet_groups()
        rates, scales = self.rates(self.last_epoch + 1), list(self.scales)
        for k, (group, last) in enumerate(zip(self.optimizer.param_groups, self.last_lrs)):
            lr = float(group["lr"])
            if lr != last:
                require(
                    last != 0,
                    f"{type(self).__name__} has set the learning rate of group {k} to 0, and {lr} has been written "
                    "there since, a ratio that cannot be kept: make a new schedule.",
                )
                scales[k] *= lr / last
        self.scales = scales
        self._go(self.last_epoch + 1, rates)

    def _meet_groups(self) -> None:
        """Note where the groups start that are new to this schedule."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            lr = float(group["lr"])
            base = float(group.setdefault("initial_lr", lr))
            self.base_lrs.append(base)
            self.scales.append(lr / base if base else 1.0)

    def _go(self, t: int, rates: Sequence[float]) -> None:
        """Be at step `t`."""
        self.last_epoch = t
        self._set([rate * scale for rate, scale in zip(rates, self.scales)])
        self.set_others(t)

    def _take(self, state: dict[str, Any]) -> None:
        super()._take(state)
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["initial_lr"] = base
        self.set_others(self.last_epoch)


def count(name: str, n: Any, least: int = 1) -> int:
    """`n` if it is an integer of at least `least`, as Python's own."""
    whole = isinstance(n, int | np.integer) and not isinstance(n, bool)
    require(whole and bool(n >= least), f"{name} must be an integer of at least {least}, got {n!r}.")
    return int(n)


def milestones_of(values: Sequence[Any]) -> list[int]:
    """The numbers of steps at which something happens, if they are that."""
    whole = [count("a milestone", value, 0) for value in values]
    require(whole == sorted(whole), f"milestones must be ascending, got {whole}.")
    return whole


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | str) or (isinstance(value, list) and all(map(_is_plain, value)))


def _is_like(value: Any, own: Any) -> bool:
    """Whether a value of a state can take the place of `own`."""
    if isinstance(own, list):
        return isinstance(value, list) and len(value) == len(own) and all(map(_is_like, value, own))
    if isinstance(own, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return type(value) is type(own)
