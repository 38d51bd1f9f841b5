"""Losses of classifiers: of two answers (or several, independent ones), and of one answer out of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.node import data_of
from autograd.wrapping import array_like

from . import functional
from ._checks import together
from .functional.classification import _cross_entropy, _nll
from .module import Buffer
from .reduction import Loss, in_dtype, signs

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HingeLoss", "MultiMarginLoss", "NLLLoss"]


def _weights(name: str, weight: Any, class_axis: bool = False) -> Buffer | None:
    """Constant weights, as part of the state of the loss."""
    if weight is None:
        return None
    weight = array_like(data_of(weight))
    if weight.dtype.kind not in "fiu" or not (weight >= 0).all() or not np.isfinite(weight).all():
        raise ValueError(f"{name} holds finite numbers that are not negative, got {weight}.")
    if class_axis and weight.ndim != 1:
        raise ValueError(f"{name} is a number for each class, of shape (C,); got shape {weight.shape}.")
    return Buffer(weight)


#: What to write instead of targets that a binary loss refuses.
_TARGETS = "for targets of −1 and 1 write (target + 1) / 2, for classes that exclude each other use CrossEntropyLoss"


class _BinaryLoss(Loss):
    """A loss of each element, of targets from 0 to 1, that can be rescaled with `weight`."""

    def __init__(self, reduction: str = "mean", *, weight: Any = None):
        super().__init__(reduction)
        self.weight = _weights(f"{type(self).__name__}: weight", weight)

    def _within(self, what: str, values: Any, remedy: str) -> Any:
        """The values; those outside [0, 1] and NaN are refused, or NaN where looking at them would have to wait."""
        data = data_of(values)
        if waits(data):
            return np.where((data >= 0) & (data <= 1), values, np.nan)
        if data.size and not (data.min() >= 0 and data.max() <= 1):
            raise ValueError(
                f"{type(self).__name__} needs {what} in [0, 1], got values from {data.min()} to {data.max()}: {remedy}."
            )
        return values

    def _scale(self, scale: Buffer, prediction: Any) -> Any:
        """Weights in the prediction's dtype, after a look at the shapes."""
        shape = prediction.shape
        if scale.ndim > len(shape) or any(n not in (1, m) for n, m in zip(scale.shape[::-1], shape[::-1])):
            raise ValueError(
                f"{type(self).__name__}: weights of shape {scale.shape} do not broadcast to the predictions' {shape}."
            )
        together(type(self).__name__, "the prediction", prediction, "the weights", scale)
        return in_dtype(scale.data, prediction.dtype)


class BCELoss(_BinaryLoss):
    """Binary cross-entropy of probabilities: L = −[y log ŷ + (1−y) log(1−ŷ)], averaged over all elements.

    For probabilities that a sigmoid made, prefer `BCEWithLogitsLoss` on its input: exact where ŷ saturates.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    weight : array, optional
        By which the losses are multiplied, of a shape that broadcasts to theirs: (K,) for K classes. The mean is
        still over the number of elements.

    Raises
    ------
    ValueError
        When called with targets of another shape, or with probabilities or targets outside [0, 1]. On a device, whose
        values are not waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loss = nn.BCELoss()
    >>> round(float(loss(np.array([0.5, 0.5]), np.array([0, 1]))), 4)
    0.6931
    """

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        if not waits(data_of(prediction)):  # where it does, the logarithms of others are NaN
            self._within("probabilities", prediction, "for logits use BCEWithLogitsLoss")
        target = self._within("targets", target, _TARGETS)
        losses = functional.binary_cross_entropy(prediction, target)
        if self.weight is not None:
            losses = losses * self._scale(self.weight, prediction)
        return self._reduce(losses, sample_weight)


class BCEWithLogitsLoss(_BinaryLoss):
    """Binary cross-entropy of logits: L = log(1 + eᶻ) − y z with ŷ = σ(z), averaged over all elements.

    ∂L/∂z = σ(z) − y. Exact for any z: no probability is ever rounded to 0 or 1.

    With (N, K) logits these are K independent questions, as for pictures that may show several animals: the loss of
    an example is L = −Σₖ [yₖ log ŷₖ + (1−yₖ) log(1−ŷₖ)]. The mean is over all N·K elements, as in PyTorch; for the
    mean of the examples' sums, write `nn.BCEWithLogitsLoss("none")(z, y).sum(1).mean()`, which is K times as large.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    weight : array, optional
        By which the losses are multiplied, of a shape that broadcasts to theirs: (K,) for K questions. The mean is
        still over the number of elements.
    pos_weight : array, optional
        By which the term y log ŷ is multiplied, of such a shape too: more than 1 makes up for rare positives.

    Raises
    ------
    ValueError
        If weights are negative; when called, with targets of another shape or outside [0, 1], or weights that do not
        fit. On a device, whose values are not waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loss = nn.BCEWithLogitsLoss()
    >>> float(loss(np.array([1000.0, -1000.0]), np.array([1, 0])))
    0.0

    Is there a cat, a lion, an iguana? Two pictures, of which the second one has twice the weight:

    >>> z, y = np.zeros((2, 3)), np.array([[1, 0, 1], [0, 0, 0]])
    >>> nn.BCEWithLogitsLoss("none")(z, y, sample_weight=[1, 2]).sum(1).round(4)
    array([2.0794, 4.1589])
    """

    threshold = 0.0  # σ(0) is 0.5

    def __init__(self, reduction: str = "mean", *, weight: Any = None, pos_weight: Any = None):
        super().__init__(reduction, weight=weight)
        self.pos_weight = _weights("BCEWithLogitsLoss: pos_weight", pos_weight)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        target = self._within("targets", target, _TARGETS)
        if self.pos_weight is None:
            losses = functional.binary_cross_entropy_with_logits(prediction, target)
        else:
            scale = self._scale(self.pos_weight, prediction)
            losses = functional.weighted_binary_cross_entropy_with_logits(prediction, target, scale)
        if self.weight is not None:
            losses = losses * self._scale(self.weight, prediction)
        return self._reduce(losses, sample_weight)


class HingeLoss(Loss):
    """max(0, 1 − y s) for a score s and a target y of −1 or 1, averaged over all elements: that of the SVM.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}

    Raises
    ------
    ValueError
        When called with targets of another shape, or that are not −1 or 1. On a device, whose values are not waited
        for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.HingeLoss("none")(np.array([0.5, 2.0, 2.0]), np.array([1, 1, -1]))
    array([0.5, 0. , 3. ])
    """

    threshold = 0.0  # between the targets −1 and 1

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        prediction, target = self._fit(prediction, target)
        target = signs("HingeLoss", target)
        return self._reduce(functional.hinge_loss(prediction, target), sample_weight)


class CrossEntropyLoss(Loss):
    """Cross-entropy of logits: L = −Σₖ yₖ log pₖ with p = softmax(z), averaged over the examples.

    ∂L/∂z = p − y. Exact for any z. The targets are class numbers, (N,) for logits (N, C), or the probability of each
    class, (N, C); logits of more axes are (N, C, d₁, …), those of one example (C,).

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    weight : array, shape (C,), optional
        By which the term of each class is multiplied. With class numbers, 'mean' divides by the sum of the weights of
        the examples' classes (each times the `sample_weight`); with probabilities, by the number of examples.
    ignore_index : int
        Examples with this number for their class do not count, neither in the sum nor in the mean's divisor.
    label_smoothing : float
        ε in [0, 1]: y is replaced by (1 − ε) y + ε / C (Szegedy et al., arXiv:1512.00567).

    Raises
    ------
    TypeError
        When called with class numbers that are not integers.
    ValueError
        If weights are negative or ε is outside [0, 1]; when called, with targets of a shape that does not fit, with
        classes that do not exist, or for the mean of nothing. On a device, whose values are not waited for, wrong ones
        make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loss = nn.CrossEntropyLoss()
    >>> round(float(loss(np.zeros((2, 3)), np.array([0, 2]))), 4)
    1.0986
    >>> round(float(loss(np.zeros((1, 3)), np.array([[0.5, 0.5, 0.0]]))), 4)
    1.0986
    """

    def __init__(
        self,
        reduction: str = "mean",
        *,
        weight: Any = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ):
        super().__init__(reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropyLoss: label_smoothing is a number from 0 to 1, got {label_smoothing!r}.")
        self.weight = _weights("CrossEntropyLoss: weight", weight, class_axis=True)
        self.ignore_index, self.label_smoothing = ignore_index, float(label_smoothing)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        losses, counts = _cross_entropy(prediction, target, self.weight, self.ignore_index, self.label_smoothing)
        return self._reduce(losses, sample_weight, counts)


class NLLLoss(Loss):
    """Negative log-likelihood: −log p of the example's class, given log-probabilities, averaged over the examples.

    After a log-softmax it is `CrossEntropyLoss`, which takes the logits.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    weight : array, shape (C,), optional
        By which the loss of an example of that class is multiplied; 'mean' divides by the sum of these weights.
    ignore_index : int
        Examples with this number for their class do not count.

    Raises
    ------
    TypeError
        When called with class numbers that are not integers.
    ValueError
        If weights are negative; when called, with targets of a shape that does not fit, with classes that do not exist,
        or for the mean of nothing. On a device, whose values are not waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> round(float(nn.NLLLoss()(np.log([[0.5, 0.5], [0.1, 0.9]]), [0, 0])), 4)
    1.4979
    """

    def __init__(self, reduction: str = "mean", *, weight: Any = None, ignore_index: int = -100):
        super().__init__(reduction)
        self.weight = _weights("NLLLoss: weight", weight, class_axis=True)
        self.ignore_index = ignore_index

    def forward(self, log_prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        losses, counts = _nll(log_prediction, target, self.weight, self.ignore_index)
        return self._reduce(losses, sample_weight, counts)


class MultiMarginLoss(Loss):
    """Σ max(0, margin − sₜ + sₖ)ᵖ / C over the classes k other than the right one t, averaged over the examples.

    Parameters
    ----------
    reduction : {'mean', 'sum', 'none'}
    p : {1, 2}
    margin : float
        By how much the score of the right class should exceed the others.
    weight : array, shape (C,), optional
        By which the loss of an example of that class is multiplied. 'mean' still divides by the number of examples.

    Raises
    ------
    TypeError
        When called with class numbers that are not integers.
    ValueError
        If `p` is neither 1 nor 2 or weights are negative; when called, with targets of a shape that does not fit, or
        with classes that do not exist. On a device, whose values are not waited for, wrong ones make the loss NaN
        instead.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> float(nn.MultiMarginLoss()(np.array([[3.0, 2.5, 0.0, 1.0]]), np.array([0])))
    0.125
    """

    def __init__(self, reduction: str = "mean", *, p: int = 1, margin: float = 1.0, weight: Any = None):
        super().__init__(reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p is 1 or 2, got {p!r}.")
        self.p, self.margin = p, float(margin)
        self.weight = _weights("MultiMarginLoss: weight", weight, class_axis=True)

    def forward(self, prediction: Any, target: Any, sample_weight: Any = None) -> Any:
        losses = functional.multi_margin_loss(prediction, target, self.p, self.margin, self.weight)
        return self._reduce(losses, sample_weight)
