"""Schedules with several phases: one cycle of learning rate and momentum, and one schedule after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer, require
from .curves import cosine
from .scheduler import LRScheduler, count, milestones_of

__all__ = ["OneCycleLR", "SequentialLR"]


class OneCycleLR(LRScheduler):
    """One warm-up to a large learning rate and one long descent, while the momentum does the opposite.

    The rate goes from `max_lr` / `div_factor` up to `max_lr` in the first `pct_start` of all steps, then down to
    1 / `final_div_factor` of where it started. (Smith and Topin, "Super-convergence: very fast training of neural
    networks using large learning rates", 2019.)

    Parameters
    ----------
    optimizer : Optimizer
        Its own learning rates have no meaning then.
    max_lr : float or sequence of float
        A sequence has one for each group.
    total_steps : int, optional
        How often `step` will be called; or else `epochs` times `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        In [0, 1].
    anneal_strategy : {'cos', 'linear'}
    cycle_momentum : bool
        Whether to set 'momentum', or the first of 'betas', too: from `max_momentum` down to `base_momentum` and back.
    base_momentum, max_momentum : float
        In [0, 1).
    div_factor, final_div_factor : float
    three_phase : bool
        Whether the descent goes to where the rate started, as long as the warm-up, and from there to the end.

    Raises
    ------
    ValueError
        For a hyper-parameter outside its range, an optimizer without momentum, or, in `step`, after `total_steps`.

    Examples
    --------
    >>> import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0, momentum=0.9)
    >>> schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=11, pct_start=0.5)
    >>> for _ in range(5):
    ...     schedule.step()
    >>> optimizer.param_groups[0]["lr"] > 0.95, optimizer.param_groups[0]["momentum"] < 0.86
    (True, True)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ):
        if total_steps is None:
            require(
                epochs is not None and steps_per_epoch is not None,
                "OneCycleLR needs total_steps, or epochs and steps_per_epoch.",
            )
            total_steps = count("epochs", epochs) * count("steps_per_epoch", steps_per_epoch)
        self.total_steps = count("total_steps", total_steps)
        self.max_lr = [float(lr) for lr in max_lr] if isinstance(max_lr, Sequence) else float(max_lr)
        self.pct_start, self.anneal_strategy, self.three_phase = float(pct_start), anneal_strategy, bool(three_phase)
        self.cycle_momentum = bool(cycle_momentum)
        self.base_momentum, self.max_momentum = float(base_momentum), float(max_momentum)
        self.div_factor, self.final_div_factor = float(div_factor), float(final_div_factor)
        super().__init__(optimizer)

    def check(self) -> None:
        count("total_steps", self.total_steps)
        groups, listed = len(self.optimizer.param_groups), isinstance(self.max_lr, list)
        peaks = self.max_lr if isinstance(self.max_lr, list) else [self.max_lr]
        require(len(peaks) == groups or not listed, f"max_lr has {len(peaks)} values for {groups} groups.")
        require(all(lr >= 0 for lr in peaks), f"max_lr must be at least 0, got {self.max_lr}.")
        require(0 <= self.pct_start <= 1, f"pct_start must be in [0, 1], got {self.pct_start}.")
        require(
            self.anneal_strategy in ("cos", "linear"),
            f"anneal_strategy must be 'cos' or 'linear', got {self.anneal_strategy!r}.",
        )
        for name in ("div_factor", "final_div_factor"):
            require(getattr(self, name) > 0, f"{name} must be more than 0, got {getattr(self, name)}.")
        for name in ("base_momentum", "max_momentum"):
            require(0 <= getattr(self, name) < 1, f"{name} must be in [0, 1), got {getattr(self, name)}.")
        require(
            not self.cycle_momentum or not {"momentum", "betas"}.isdisjoint(self.optimizer.defaults),
            f"{type(self.optimizer).__name__} has no momentum to cycle: write cycle_momentum=False.",
        )

    def _meet_groups(self) -> None:
        groups = self.optimizer.param_groups
        peaks = self.max_lr if isinstance(self.max_lr, list) else [self.max_lr] * len(groups)
        require(len(peaks) == len(groups), f"max_lr has {len(peaks)} values for {len(groups)} groups.")
        for group, peak in list(zip(groups, peaks))[len(self.base_lrs) :]:
            group["initial_lr"] = peak / self.div_factor
            self.base_lrs.append(group["initial_lr"])
            self.scales.append(1.0)

    def _between(self, t: int, low: float, high: float, last: float) -> float:
        """Where that is after `t` steps which goes from `low` to `high` and back, to `last` at the end."""
        require(
            t <= self.total_steps,
            f"OneCycleLR has {self.total_steps} steps, and step() was called {t} times: give it "
            "the number of all batches, epochs · batches per epoch.",
        )
        top = self.pct_start * self.total_steps - 1
        phases = [(top, low, high), (self.total_steps - 1.0, high, last)]
        if self.three_phase:
            phases[1:] = [(2 * top, high, low), (self.total_steps - 1.0, low, last)]
        start = 0.0
        while len(phases) > 1 and t > phases[0][0]:
            start = phases.pop(0)[0]
        stop, begin, end = phases[0]
        share = min((t - start) / (stop - start), 1.0) if stop > start else 1.0
        return cosine(begin, end, share) if self.anneal_strategy == "cos" else begin + (end - begin) * share

    def rate(self, base: float, t: int) -> float:
        return self._between(t, base, base * self.div_factor, base / self.final_div_factor)

    def set_others(self, t: int) -> None:
        if self.cycle_momentum:
            momentum = self._between(t, self.max_momentum, self.base_momentum, self.max_momentum)
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum


class SequentialLR(LRScheduler):
    """One schedule after the other, each from its own beginning: a warm-up, and then a cosine.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : sequence of LRScheduler
        Of the same optimizer. Only this one is stepped then.
    milestones : sequence of int
        After how many steps the second, the third, … begins.

    Raises
    ------
    TypeError
        For something that is not a schedule of the number of steps (`ReduceLROnPlateau` is not).
    ValueError
        For schedules of another optimizer, and milestones that do not fit.

    Examples
    --------
    >>> import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0)
    >>> warmup = optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> rest = optim.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule = optim.SequentialLR(optimizer, [warmup, rest], milestones=[2])
    >>> for _ in range(5):
    ...     print(round(schedule.get_last_lr()[0], 12))
    ...     schedule.step()
    0.5
    0.75
    1.0
    0.5
    0.0
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]):
        self.schedulers = list(schedulers)
        self.milestones = milestones_of(milestones)
        for schedule in self.schedulers:
            if not isinstance(schedule, LRScheduler):
                raise TypeError(f"SequentialLR takes schedules of the number of steps, got {type(schedule).__name__}.")
            require(schedule.optimizer is optimizer, "SequentialLR takes schedules of its own optimizer.")
        self.check()
        for group in optimizer.param_groups:  # the schedules have all had a hand in it
            group["lr"] = group["initial_lr"]
        super().__init__(optimizer)

    def check(self) -> None:
        n = len(self.schedulers)
        require(
            n > 0 and len(milestones_of(self.milestones)) == n - 1,
            f"SequentialLR of {n} schedules needs {max(n - 1, 0)} milestones, got {self.milestones}.",
        )

    def _at(self, t: int) -> tuple[LRScheduler, int]:
        """The schedule that sets the rates after `t` steps, and the number of its steps."""
        k = bisect_right(self.milestones, t)
        return self.schedulers[k], t - (self.milestones[k - 1] if k else 0)

    def rates(self, t: int) -> list[float]:
        schedule, t = self._at(t)
        return schedule.rates(t)

    def set_others(self, t: int) -> None:
        schedule, t = self._at(t)
        schedule.set_others(t)

    def _meet_groups(self) -> None:
        for schedule in self.schedulers:
            schedule._meet_groups()
        super()._meet_groups()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "schedulers": [schedule.state_dict() for schedule in self.schedulers]}

    def _fitting(self, state: Any) -> dict[str, Any]:
        taken = super()._fitting(state)
        taken["schedulers"] = [own._fitting(part) for own, part in zip(self.schedulers, state["schedulers"])]
        return taken

    def _take(self, state: dict[str, Any]) -> None:
        for schedule, part in zip(self.schedulers, state.pop("schedulers")):
            vars(schedule).update(part)
        super()._take(state)
