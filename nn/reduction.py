"""`Loss`: from the losses of elements or examples to the cost, their mean J = (1/m) Σ L⁽ⁱ⁾.

Each loss is called with the prediction and the target, and with a `sample_weight` if the examples shall not all count
the same: w of shape (N,), for an example and all its elements. 'sum' is then Σ w L and 'mean' Σ w L / Σ w, over the
elements; so an example of weight 2 counts as if it were there twice, and one of weight 0 as if it were not there.

Wrong values are refused on the CPU. The values on a device are not looked at, since every step would have to wait for
them: there they make the loss NaN.
"""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np

from autograd import Tensor
from autograd.devices import waits
from autograd.node import data_of

from ._checks import placed, together
from .functional.losses import weighted
from .module import Buffer, Module
from .share import joined_mean

__all__ = ["Loss", "in_dtype", "signs"]


class Loss(Module):
    """A loss for each element or example, then its mean, its sum, or neither."""

    reductions: tuple[str, ...] = ("mean", "sum", "none")

    #: Where there are two answers, a prediction above it is a 1: metrics ask. Here it is between the targets 0 and 1.
    threshold = 0.5

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        signature = inspect.signature(cls.__init__)  # what `help` shall show, and not that of `__new__`
        cls.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **options: Any) -> Self:
        if len(args) > 1 and all(hasattr(arg, "dtype") for arg in args):
            raise TypeError(
                f"{cls.__name__} makes a function, which is called with the prediction and the target: write "
                f"{cls.__name__}()(prediction, target)."
            )
        return super().__new__(cls)

    def __init__(self, reduction: str = "mean"):
        if not isinstance(reduction, str) or reduction not in self.reductions:
            *names, last = map(repr, self.reductions)
            raise ValueError(
                f"reduction must be {', '.join(names)} or {last}, got {reduction!r}: other options are given by name."
            )
        self.reduction = reduction

    def _fit(self, prediction: Any, target: Any) -> tuple[Any, Any]:
        """Both, the target in the dtype of the prediction, after a look at the shapes."""
        if not hasattr(prediction, "dtype"):
            prediction = np.asarray(prediction)
        if not hasattr(target, "dtype"):
            target = placed(target, prediction)
        dtype = prediction.dtype
        if dtype.kind != "f":
            raise TypeError(
                f"{type(self).__name__} needs predictions of floating numbers, got {dtype}: what a model returns comes "
                "first, then the targets, as in loss(model(x), y)."
            )
        if target.shape != prediction.shape:
            raise ValueError(
                f"{type(self).__name__} needs a target for each prediction: the predictions have shape "
                f"{prediction.shape}, the targets {target.shape}. They are not broadcast, since (n, 1) with (n,) would "
                f"make n × n losses; write target.reshape({', '.join(map(str, prediction.shape))}) if that is meant."
            )
        if not (target.__class__ is np.ndarray is data_of(prediction).__class__):
            together(type(self).__name__, "the prediction", prediction, "the target", target)
        return prediction, target if target.dtype == dtype else in_dtype(target, dtype)

    def _reduce(self, losses: Any, sample_weight: Any = None, counts: Any = None) -> Any:
        """Their mean, sum, or neither. `counts` is how much each loss counts in a mean, None if all count 1."""
        if sample_weight is not None:
            sample_weight = self._sample_weight(sample_weight, losses)
            losses = weighted(losses, sample_weight)
        if self.reduction == "none":
            return losses
        if self.reduction == "sum":
            return losses.sum()
        if not losses.size:
            raise ValueError(
                f"{type(self).__name__}: there is no mean of no losses (shape {losses.shape}): leave empty batches "
                "out, or use reduction='sum'."
            )
        if sample_weight is None and counts is None:
            return losses.mean()
        if counts is not None:
            sample_weight = counts if sample_weight is None else counts * sample_weight
        weight = joined_mean(sample_weight.mean())  # means, since a sum of many float16 would overflow
        if waits(data_of(weight)):
            weight = np.where(data_of(weight) > 0, weight, np.nan)
        elif not data_of(weight) > 0:
            raise ValueError(
                f"{type(self).__name__}: a weighted mean needs weights with a mean above 0, it is {data_of(weight)}"
                + (" (do all targets have the ignore_index, or a class of weight 0?)." if counts is not None else ".")
            )
        return losses.mean() / weight

    def _sample_weight(self, weight: Any, losses: Any) -> Any:
        """The weights of the examples, in the dtype of the losses and with axes for an example's elements."""
        weight = placed(weight, losses)
        together(type(self).__name__, "the losses", losses, "sample_weight", weight)
        if weight.dtype.kind not in "fiub" or weight.shape != losses.shape[:1]:
            raise ValueError(
                f"{type(self).__name__}: sample_weight is a number for each example, of shape {losses.shape[:1]} "
                f"here; got {weight.dtype} of shape {weight.shape}."
            )
        weight = in_dtype(weight, losses.dtype)
        return weight.reshape(weight.shape + (1,) * (losses.ndim - weight.ndim))

    def extra_repr(self) -> str:
        parts = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = vars(self).get(name, parameter.default)
            if isinstance(value, Buffer):
                parts.append(f"{name}={value.data.tolist()}")
            elif value != parameter.default:
                parts.append(f"{name}={value!r}")
        return ", ".join(parts)


def in_dtype(values: Any, dtype: Any) -> Any:
    """Constants in the dtype of what they meet. What requires a gradient stays as it is: the operations promote it."""
    if values.dtype == dtype or (isinstance(values, Tensor) and values.requires_grad):
        return values
    return values.astype(dtype)


def signs(name: str, target: Any) -> Any:
    """The targets; those that are not −1 or 1 are refused, or are NaN where looking at them would have to wait."""
    data = data_of(target)
    if waits(data):
        return np.where(np.absolute(data) == 1, target, np.nan)
    if not (np.absolute(data) == 1).all():
        raise ValueError(f"{name} needs targets of −1 or 1: for targets of 0 and 1, write 2 * target - 1.")
    return target
