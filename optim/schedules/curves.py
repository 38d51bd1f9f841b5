"""Learning rates as curves: steps, lines, exponentials, cosines, and functions of one's own."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from ..optimizer import Optimizer, require
from .scheduler import LRScheduler, count, milestones_of

__all__ = [
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "StepLR",
]


class StepLR(LRScheduler):
    """α₀ γ^⌊t / step_size⌋: the learning rate falls every `step_size` steps.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.StepLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        self.step_size, self.gamma = count("step_size", step_size), float(gamma)
        super().__init__(optimizer)

    def check(self) -> None:
        count("step_size", self.step_size)
        require(self.gamma >= 0, f"gamma must be at least 0, got {self.gamma}.")

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """α₀ γⁿ after n of the `milestones`.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : sequence of int
    gamma : float

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.MultiStepLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), [2, 3], gamma=0.5)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1):
        self.milestones, self.gamma = milestones_of(sorted(milestones)), float(gamma)
        super().__init__(optimizer)

    def check(self) -> None:
        milestones_of(self.milestones)
        require(self.gamma >= 0, f"gamma must be at least 0, got {self.gamma}.")

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(LRScheduler):
    """α₀ γᵗ.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.ExponentialLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float):
        self.gamma = float(gamma)
        super().__init__(optimizer)

    def check(self) -> None:
        require(self.gamma >= 0, f"gamma must be at least 0, got {self.gamma}.")

    def rate(self, base: float, t: int) -> float:
        return base * self.gamma**t


class LinearLR(LRScheduler):
    """α₀ f, where f goes from `start_factor` to `end_factor` in `total_iters` steps, and stays: a warm-up.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float
        In (0, 1].
    end_factor : float
        In [0, 1].
    total_iters : int

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.LinearLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), start_factor=0.5, total_iters=2)
    >>> schedule.get_last_lr()
    [0.5]
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ):
        self.start_factor, self.end_factor = float(start_factor), float(end_factor)
        self.total_iters = count("total_iters", total_iters)
        super().__init__(optimizer)

    def check(self) -> None:
        require(0 < self.start_factor <= 1, f"start_factor must be in (0, 1], got {self.start_factor}.")
        require(0 <= self.end_factor <= 1, f"end_factor must be in [0, 1], got {self.end_factor}.")
        count("total_iters", self.total_iters)

    def rate(self, base: float, t: int) -> float:
        share = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class CosineAnnealingLR(LRScheduler):
    """From α₀ down to `eta_min` along half a cosine in `T_max` steps (and up again in the next `T_max`).

        α = η + ½ (α₀ − η) (1 + cos(π t / T_max))

    (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.)

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float
        η, at least 0.

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.CosineAnnealingLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), T_max=2)
    >>> schedule.step()
    >>> [round(lr, 12) for lr in schedule.get_last_lr()]
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        self.T_max, self.eta_min = count("T_max", T_max), float(eta_min)
        super().__init__(optimizer)

    def check(self) -> None:
        count("T_max", self.T_max)
        require(self.eta_min >= 0, f"eta_min must be at least 0, got {self.eta_min}.")

    def rate(self, base: float, t: int) -> float:
        return cosine(base, self.eta_min, t / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """From α₀ down to `eta_min` along half a cosine, again and again; each time takes `T_mult` times as long.

    (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.)

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        The number of steps of the first descent.
    T_mult : int
    eta_min : float
        At least 0.

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.CosineAnnealingWarmRestarts(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), T_0=2)
    >>> schedule.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [1.0]
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0):
        self.T_0, self.T_mult, self.eta_min = count("T_0", T_0), count("T_mult", T_mult), float(eta_min)
        super().__init__(optimizer)

    def check(self) -> None:
        count("T_0", self.T_0)
        count("T_mult", self.T_mult)
        require(self.eta_min >= 0, f"eta_min must be at least 0, got {self.eta_min}.")

    def rate(self, base: float, t: int) -> float:
        length = self.T_0
        if self.T_mult == 1:
            t %= length
        while t >= length:
            t -= length
            length *= self.T_mult
        return cosine(base, self.eta_min, t / length)


class LambdaLR(LRScheduler):
    """α₀ f(t), with a function f of one's own.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or sequence of callable
        t -> factor; a sequence has one for each group.

    Examples
    --------
    >>> import nn, optim
    >>> schedule = optim.LambdaLR(optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0), lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]):
        self.lr_lambda = lr_lambda
        super().__init__(optimizer)

    def rates(self, t: int) -> list[float]:
        functions = self.lr_lambda
        if callable(functions):
            functions = [functions] * len(self.base_lrs)
        n = len(self.base_lrs)
        require(len(functions) == n, f"LambdaLR got {len(functions)} functions for {n} groups of parameters.")
        return [base * float(function(t)) for base, function in zip(self.base_lrs, functions)]


def cosine(start: float, end: float, share: float) -> float:
    """From `start` to `end` along half a cosine, as `share` goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
