"""Averages of weights over the steps of a training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.devices import check_writable, describe, device_of, library_of, move
from nn import Module, Parameter

from .blocks import blocks
from .kernels import AVERAGE
from .optimizer import require

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """The average a of each weight w of a module over its last steps: a ← β a + (1 − β) w.

    Averaged weights are often better than the last ones: the noise of the mini-batches is averaged out. (Polyak and
    Juditsky, "Acceleration of stochastic approximation by averaging", 1992.) The first update takes the weights as they
    are. Buffers, such as the running means of normalisation layers, are copied.

    Parameters
    ----------
    module : Module
    decay : float
        β in [0, 1]: about the last 1 / (1 − β) steps count.
    warmup : bool
        Whether β is not above (1 + n) / (10 + n) in update number n + 1, so that early weights are forgotten soon.

    Attributes
    ----------
    averages : dict
        Arrays by name, as in `module.state_dict()`: `nn.MLP(…).load_state_dict(ema.averages)` makes a model of them.
    updates : int
        How many there were.

    Raises
    ------
    ValueError
        For a decay outside its range.

    Examples
    --------
    >>> import nn, optim
    >>> model = nn.Linear(1, 1, bias=False, init="zeros")
    >>> average = optim.ExponentialMovingAverage(model, decay=0.75)
    >>> for value in [0.0, 4.0]:
    ...     model.weight.data = value + 0 * model.weight.data  # a step of an optimizer
    ...     average.update()
    >>> with average.swapped():
    ...     print(model.weight.item())
    1.0
    >>> model.weight.item()
    4.0
    """

    def __init__(self, module: Module, decay: float = 0.999, warmup: bool = False):
        self.module, self.decay, self.warmup = module, float(decay), bool(warmup)
        require(0 <= self.decay <= 1, f"decay must be in [0, 1], got {decay}.")
        self.updates = 0
        self.averages: dict[str, Any] = module.state_dict()
        self._swapped = False

    def update(self) -> None:
        """Take the weights as they are now into the averages: call it after each step of the optimizer.

        Raises
        ------
        RuntimeError
            If the module's tensors are not those any more which are averaged (after `to(dtype)`), or inside `swapped`.
        """
        if self._swapped:
            raise RuntimeError("inside swapped() the module holds the averages, which are not to be averaged.")
        tensors = self._tensors()
        faults = _faults({name: tensor.data for name, tensor in tensors.items()}, self.averages)
        if faults:
            raise RuntimeError(f"the module has changed: make a new average of it. {'; '.join(faults)}.")
        for name, tensor in tensors.items():  # averages follow their weights to another device
            check_writable(tensor.data, "an average of weights")
            self.averages[name] = move(self.averages[name], tensor.device)
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        for name, tensor in tensors.items():
            average = self.averages[name]
            if self.updates and isinstance(tensor, Parameter):
                for a, w in blocks(average, tensor.data):
                    _follow(a, w, 1 - decay)
            else:
                average[...] = tensor.data
        self.updates += 1

    @contextmanager
    def swapped(self) -> Iterator[Module]:
        """A context in which the module has the averaged weights and buffers; afterwards it has its own again.

        What is written into them inside is lost. A backward pass through what was computed before raises inside and
        afterwards, as after each change of weights.
        """
        if self._swapped:
            raise RuntimeError("the module holds the averages already: swapped() does not go into itself.")
        own = self.module.state_dict()
        self.module.load_state_dict(self.averages)
        self._swapped = True
        try:
            yield self.module
        finally:
            self.module.load_state_dict(own)
            self._swapped = False

    def state_dict(self) -> dict[str, Any]:
        """A copy of the averages, and the number of updates."""
        return {"updates": self.updates, "averages": {name: a.copy() for name, a in self.averages.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take averages, and go on from them.

        Raises
        ------
        ValueError
            Saying what does not fit. Nothing is changed then.
        """
        if not isinstance(state, Mapping) or state.keys() != {"updates", "averages"}:
            raise ValueError("this is not the state of an average: it needs 'updates' and 'averages', and no more.")
        updates, averages = state["updates"], state["averages"]
        if isinstance(updates, bool) or not isinstance(updates, int) or updates < 0:
            raise ValueError(f"the number of updates must be an integer of at least 0, got {updates!r}.")
        if not isinstance(averages, Mapping):
            raise ValueError(f"the averages are arrays by name, got {averages!r}.")
        faults = _faults(averages, self.averages)
        if faults:
            raise ValueError(f"this state does not fit, and nothing was loaded: {'; '.join(faults)}.")
        for name, average in self.averages.items():
            average[...] = move(averages[name], device_of(average))
        self.updates = updates

    def _tensors(self) -> dict[str, Tensor]:
        return {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}


def _faults(arrays: Mapping[str, Any], averages: Mapping[str, Any]) -> list[str]:
    """In what the arrays are not of the names, shapes and dtypes of the averages."""
    faults = [f"missing: {name}" for name in averages if name not in arrays]
    for name, array in arrays.items():
        if name not in averages:
            faults.append(f"unexpected: {name}")
        elif not _is_array(array) or (array.shape, array.dtype) != (averages[name].shape, averages[name].dtype):
            faults.append(f"{name}: expected {describe(averages[name])}, got {describe(array)}")
    return faults


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or library_of(value) is not None


def _follow(a: Any, w: Any, share: float) -> None:
    """a ← a + share · (w − a)."""
    if a.__class__ is np.ndarray or AVERAGE(w, share, a) is None:
        a += share * (w - a)
