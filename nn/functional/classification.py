"""Losses of classifiers with many classes, of each example.

The axis of the classes is the second one, or the only one of a single example.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.devices import waits
from autograd.node import data_of
from autograd.primitive import define, written
from autograd.rules.constant import tracked
from autograd.rules.elementwise import convert, ratio
from autograd.wrapping import array_like

from .._checks import placed, together
from ..share import current_share
from .activations import relu
from .kernels import SOFT_DIFFERENCE, SOFT_TARGETS
from .losses import weighted
from .probabilities import log_softmax

__all__ = [
    "cross_entropy",
    "multi_margin_loss",
    "nll_loss",
]


def cross_entropy(
    logits: Any, target: Any, weight: Any = None, ignore_index: int = -100, label_smoothing: float = 0.0
) -> Any:
    """−Σₖ yₖ log pₖ for each example, where p is the softmax of the logits: ∂/∂z = p − y.

    One operation on the logits, which needs no logarithm of a probability: exact where the softmax saturates.

    Parameters
    ----------
    logits : Tensor or array, shape (N, C), (N, C, d₁, …) or (C,)
    target : array or Tensor
        The number of each example's class: integers, of the shape of the logits without the axis of the classes. Or
        the probability y of each class: floating numbers, of the shape of the logits.
    weight : array, shape (C,), optional
        Of each class: its term of the sum is multiplied by it.
    ignore_index : int
        The loss of an example with this number for its class is 0.
    label_smoothing : float
        y is replaced by (1 − ε) y + ε / C (Szegedy et al., arXiv:1512.00567).

    Returns
    -------
    Tensor or array, shape (N,), (N, d₁, …) or ()

    Raises
    ------
    TypeError
        If the logits are not floating numbers, or class numbers are not integers.
    ValueError
        If the shapes do not fit, a class does not exist, or `label_smoothing` is outside [0, 1]. On a device, whose
        values are not waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.functional import cross_entropy
    >>> z = Tensor([[0.0, 0.0], [1000.0, 0.0]], requires_grad=True)
    >>> losses = cross_entropy(z, [0, 1])
    >>> losses.numpy().round(4)
    array([6.931e-01, 1.000e+03])
    >>> losses.sum().backward()
    >>> z.grad
    array([[-0.5,  0.5],
           [ 1. , -1. ]])
    """
    return _cross_entropy(logits, target, weight, ignore_index, label_smoothing)[0]


def nll_loss(log_probabilities: Any, target: Any, weight: Any = None, ignore_index: int = -100) -> Any:
    """−log p of each example's class: the negative log-likelihood, of log-probabilities.

    `nll_loss(log_softmax(z), y)` is `cross_entropy(z, y)`, in one operation less.

    Parameters
    ----------
    log_probabilities : Tensor or array, shape (N, C), (N, C, d₁, …) or (C,)
    target : array of int, the same shape without the axis of the classes
    weight : array, shape (C,), optional
        By which the loss of an example of that class is multiplied.
    ignore_index : int
        The loss of an example with this number for its class is 0.

    Returns
    -------
    Tensor or array, shape (N,), (N, d₁, …) or ()

    Raises
    ------
    TypeError
        If the log-probabilities are not floating numbers, or the class numbers not integers.
    ValueError
        If the shapes do not fit, or a class does not exist. On a device, whose values are not waited for, wrong ones
        make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import nll_loss
    >>> nll_loss(np.log([[0.5, 0.5], [0.1, 0.9]]), [0, 0]).round(4)
    array([0.6931, 2.3026])
    """
    return _nll(log_probabilities, target, weight, ignore_index)[0]


def multi_margin_loss(score: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None) -> Any:
    """Σ max(0, margin − sₜ + sₖ)ᵖ / C over the classes k other than the right one t: the hinge of many classes.

    Parameters
    ----------
    score : Tensor or array, shape (N, C) or (C,)
    target : array of int, shape (N,) or ()
    p : {1, 2}
    margin : float
    weight : array, shape (C,), optional
        By which the loss of an example of that class is multiplied.

    Returns
    -------
    Tensor or array, shape (N,) or ()

    Raises
    ------
    TypeError
        If the scores are not floating numbers, or the class numbers not integers.
    ValueError
        If the shapes do not fit, a class does not exist, or `p` is neither 1 nor 2. On a device, whose values are not
        waited for, wrong ones make the loss NaN instead.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import multi_margin_loss
    >>> multi_margin_loss(np.array([[3.0, 2.5, 0.0, 1.0]]), [0])
    array([0.125])
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p is 1 or 2, got {p!r}.")
    score = _scores(score, "multi_margin_loss")
    if score.ndim > 2:
        raise ValueError(f"multi_margin_loss takes scores of shape (N, C) or (C,), got {score.shape}.")
    target, _ = _classes(score, target, "multi_margin_loss")
    axis = _axis(score)
    right = _of_class(score, target, score) if waits(data_of(score)) else score[_places(target)]
    hinges = relu(float(margin) - np.expand_dims(right, axis) + score) * (1 - _one_hot(score, target))
    losses = (hinges if p == 1 else hinges * hinges).sum(axis) / score.shape[axis]
    if weight is None:
        return losses
    return losses * _counts(score, target, None, _class_weight(score, weight, "multi_margin_loss"))


def _cross_entropy(logits: Any, target: Any, weight: Any, ignore_index: int, smoothing: float) -> tuple[Any, Any]:
    """The loss of each example, and how much each counts in a mean (None if all count 1)."""
    what = "cross_entropy"
    logits = _scores(logits, what)
    target = placed(target, logits)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is a number from 0 to 1, got {smoothing!r}.")
    smoothing = float(smoothing)
    weight = None if weight is None else _class_weight(logits, weight, what)
    axis, ignored, counts = _axis(logits), None, None
    if target.dtype.kind == "f" and target.shape == logits.shape:
        together(what, "the logits", logits, "the target", target)
        y = target if target.dtype == logits.dtype else convert(target, logits.dtype)
    else:
        target, ignored = _classes(logits, target, what, ignore_index)
        counts = _counts(logits, target, ignored, weight)
        if not smoothing:
            losses, _ = class_cross_entropy(logits, target)
            return weighted(losses, counts), counts
        y = _one_hot(logits, target)
    if smoothing:
        y = y * (1 - smoothing) + smoothing / logits.shape[axis]
    if weight is not None:
        y = y * weight.reshape(-1, *[1] * (logits.ndim - axis - 1))
    if ignored is not None:
        y = np.where(np.expand_dims(ignored, axis), 0, y)
    losses, _ = soft_cross_entropy(logits, y)
    return losses, counts


def _nll(log_probabilities: Any, target: Any, weight: Any, ignore_index: int) -> tuple[Any, Any]:
    """As `_cross_entropy`."""
    what = "nll_loss"
    log_probabilities = _scores(log_probabilities, what)
    target, ignored = _classes(log_probabilities, target, what, ignore_index)
    weight = None if weight is None else _class_weight(log_probabilities, weight, what)
    counts = _counts(log_probabilities, target, ignored, weight)
    if waits(data_of(log_probabilities)):
        losses = -_of_class(log_probabilities, target, log_probabilities)
    else:
        losses = -log_probabilities[_places(target)]
    return weighted(losses, counts), counts


# The cross-entropy of logits. Both operations return its derivative too, q = p − y, which the forward pass has already
# made most of: their rule is g q. The second result is differentiable itself, which makes the second order right.


@written("-log(softmax(z)[target]), softmax(z) - _one_hot(z, target)")
def class_cross_entropy(z: Any, target: Any) -> Any:
    """The loss −log pₜ of each example, for the number t of its class, and q = p − y."""
    if z.__class__ is not np.ndarray:  # other libraries write at the right classes slowly, or not at all
        return _soft_cross_entropy(z, _one_hot(z, target))
    axis, key = _axis(z), _places(target)
    q = z - z.max(axis, keepdims=True)
    right = q[key]
    np.exp(q, out=q)
    total = q.sum(axis, keepdims=True)
    q /= total
    q[key] -= 1
    return np.log(total).squeeze(axis) - right, q


@written("-sum(y * log(softmax(z)), _axis(z)), softmax(z) * sum(y, _axis(z), keepdims=True) - y")
def soft_cross_entropy(z: Any, y: Any) -> Any:
    """The loss −Σ y log p of each example, and q = p Σ y − y: the y need not have the sum 1."""
    return _soft_cross_entropy(z, y)


def _soft_cross_entropy(z: Any, y: Any) -> Any:
    axis = _axis(z)
    q = z - z.max(axis, keepdims=True)
    right = _counted(q, y).sum(axis)
    np.exp(q, out=q)
    total, mass = q.sum(axis, keepdims=True), y.sum(axis, keepdims=True)
    q = _to_difference(y, mass / total, q)
    return (mass * np.log(total)).squeeze(axis) - right, q


def _counted(q: Any, y: Any) -> Any:
    """y q, and 0 log 0 = 0."""
    done = None if q.__class__ is np.ndarray else SOFT_TARGETS(q, y)
    return np.where(y == 0, 0, q) * y if done is None else done


def _to_difference(y: Any, share: Any, q: Any) -> Any:
    """q ← share · q − y."""
    done = None if q.__class__ is np.ndarray else SOFT_DIFFERENCE(y, share, q)
    if done is not None:
        return done
    q *= share
    q -= y
    return q


@written(
    "expand_dims(g[0], _axis(q)) * q + (q + (0 if y is None else y)) * (g[1]"
    " - sum((q + (0 if y is None else y)) * g[1], _axis(q), keepdims=True) / (1 if mass is None else mass))"
)
def _logits_rule(g: Any, q: Any, y: Any, mass: Any) -> Any:
    """The cotangent of the logits: that of the loss times q, and for that of q the derivative of the softmax.

    `mass` is the sum of y, None where it is 1.
    """
    axis, parts = _axis(q), []
    if g[0] is not None:
        parts.append(np.expand_dims(g[0], axis) * q)
    if g[1] is not None:
        p = q + y  # times the mass
        along = (p * g[1]).sum(axis, keepdims=True)
        parts.append(p * (g[1] - (along if mass is None else ratio(along, mass))))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def _soft_z(g: Any, q: Any, y: Any) -> Any:
    return _logits_rule(g, q, y, y.sum(_axis(q), keepdims=True) if g[1] is not None else None)


@written("-expand_dims(g[0], _axis(z)) * log(softmax(z)) + sum(g[1] * softmax(z), _axis(z), keepdims=True) - g[1]")
def _soft_y(g: Any, z: Any) -> Any:
    axis = _axis(z)
    log_p, parts = log_softmax(z, axis), []
    if g[0] is not None:
        parts.append(-np.expand_dims(g[0], axis) * log_p)
    if g[1] is not None:
        parts.append((g[1] * np.exp(log_p)).sum(axis, keepdims=True) - g[1])
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


class_cross_entropy = define(
    class_cross_entropy,
    "z, target -> loss, q",
    z=lambda g, q, target: _logits_rule(g, q, _one_hot(q, target) if g[1] is not None else None, None),
)
soft_cross_entropy = define(soft_cross_entropy, "z, y -> loss, q", z=_soft_z, y=_soft_y)


# Scores and classes


def _axis(scores: Any) -> int:
    """The axis of the classes."""
    return 1 if scores.ndim > 1 else 0


def _places(target: Any) -> tuple[Any, ...]:
    """The index of the right classes in the scores."""
    rows, *rest = np.ix_(*map(np.arange, target.shape)) or (None,)
    return (target,) if rows is None else (rows, target, *rest)


def _one_hot(scores: Any, target: Any) -> Any:
    """1 at the right classes and 0 elsewhere, in the shape and dtype of the scores: a constant."""
    scores = data_of(scores)
    if scores.__class__ is np.ndarray:
        y = np.zeros_like(scores)
        y[_places(target)] = 1
        return y
    axis = _axis(scores)
    n, target = scores.shape[axis], np.expand_dims(target, axis)
    y = target == np.arange(n, like=scores).reshape(n, *[1] * (scores.ndim - axis - 1))
    return np.where((target >= 0) & (target < n), y, scores.dtype.type(np.nan))  # `_classes` has not looked


def _scores(scores: Any, what: str) -> Any:
    scores = array_like(scores)
    if scores.dtype.kind != "f":
        raise TypeError(
            f"{what} needs scores of floating numbers, got {scores.dtype}: what a model returns comes first, then the "
            "classes, as in loss(model(x), y)."
        )
    if not scores.ndim or not scores.shape[_axis(scores)]:
        raise ValueError(
            f"{what} takes scores of shape (N, C) for N examples and C classes, (N, C, d₁, …), or (C,) for one "
            f"example, with at least one class; got shape {scores.shape}."
        )
    return scores


def _classes(scores: Any, target: Any, what: str, ignore_index: int | None = None) -> tuple[Any, Any]:
    """The numbers of the classes, 0 for those to be ignored; and which these are (None if there are none)."""
    target = placed(data_of(target), scores)
    together(what, "the scores", scores, "the target", target)
    axis = _axis(scores)
    n, shape = scores.shape[axis], scores.shape[:axis] + scores.shape[axis + 1 :]
    if target.shape != shape:
        hint = f" Write target.reshape{shape} if that is meant." if target.size == math.prod(shape) else ""
        if target.shape == scores.shape:
            hint = f" For one-hot targets, write target.argmax({axis})" + (
                f", or target.astype(np.{scores.dtype}) for probabilities." if what == "cross_entropy" else "."
            )
        raise ValueError(
            f"{what}: scores of shape {scores.shape} need the numbers of the classes in shape {shape}, got "
            f"{target.dtype} of shape {target.shape}.{hint}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{what}: the numbers of the classes are integers, got {target.dtype}: write target.astype(np.int64)."
        )
    ignored = None
    if ignore_index is not None:
        ignored = target == ignore_index
        # Where a share has none another one may have some: all count theirs, or none does.
        if waits(target) or ignored.any() or current_share() is not None:
            target = np.where(ignored, 0, target)
        else:
            ignored = None
    if target.size and not waits(target) and not (target.min() >= 0 and target.max() < n):
        first, last = target.min(), target.max()
        if n == 1:
            classes, remedy = "is one class, number 0", "for one score that answers yes or no use BCEWithLogitsLoss"
        else:
            classes, remedy = f"are {n} classes, numbered from 0 to {n - 1}", "a model needs a score for each class"
            if (first, last) == (1, n):
                remedy = "to count from 0, write target - 1"
        raise ValueError(f"{what}: there {classes}; the targets go from {first} to {last}: {remedy}.")
    return target, ignored


def _class_weight(scores: Any, weight: Any, what: str) -> Any:
    """The weight of each class, in the dtype of the scores."""
    if tracked(weight):
        raise TypeError(
            f"{what}: the weights of the classes are constants: detach them, or weight the losses yourself."
        )
    weight = placed(data_of(weight), scores)
    together(what, "the scores", scores, "the weights of the classes", weight)
    n = scores.shape[_axis(scores)]
    if weight.shape != (n,):
        raise ValueError(f"{what}: the weights of {n} classes have shape ({n},), got {weight.shape}.")
    return weight.astype(scores.dtype, copy=False)


def _counts(scores: Any, target: Any, ignored: Any, weight: Any) -> Any:
    """How much each example counts: the weight of its class, 0 where it is ignored; None if all count 1."""
    if weight is not None and waits(target):
        weight = _of_class(scores, target, weight.reshape(-1, *[1] * (scores.ndim - _axis(scores) - 1)))
    elif weight is not None:
        weight = weight[target]
    if ignored is None:
        return weight
    return (~ignored).astype(scores.dtype) if weight is None else np.where(ignored, 0, weight)


def _of_class(scores: Any, target: Any, values: Any) -> Any:
    """For each example that of the values which is for its class: by a mask, where an index would have to wait."""
    y = _one_hot(scores, target)
    return np.where(y == 0, 0, values * y).sum(_axis(scores))
