"""Metrics: how good predictions are, in numbers that people read. They are not differentiable, and need not be.

A metric is a function of the model's outputs and the targets, as plain arrays over all examples. Those here turn
outputs into classes first: one column, or several independent ones, against a threshold; one column for each class
by the greatest. All but the accuracy are scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.devices import is_foreign, move
from autograd.node import data_of

__all__ = ["accuracy", "confusion_matrix", "f1_score", "precision", "recall", "roc_auc"]

Metric = Callable[..., Any]


def plain(values: Any) -> Any:
    """A NumPy array of a Tensor's values, an array's, or a list's."""
    values = data_of(values)
    return move(values, "cpu") if is_foreign(values) else np.asarray(values)


def classes(output: Any, target: Any, threshold: float | None = 0.0) -> tuple[Any, Any]:
    """The predicted and the true classes.

    Parameters
    ----------
    output : Tensor or array, shape (n,), (n, 1), (n, k) or (n, C)
        Logits, or probabilities with `threshold=0.5`.
    target : Tensor or array
        Of the shape of `output` (0 or 1 for each; or, for scores with threshold 0, −1 or 1); or class numbers, shape
        (n,), for outputs of shape (n, C). Where each row is a distribution over C ≥ 2 classes (its sum is 1), the
        greatest is the class.
    threshold : float or None
        A binary output above it is a 1; None if it is not known.

    Returns
    -------
    predicted, true : array of int
        Of the same shape: (n,), or (n, k) for several independent answers.

    Raises
    ------
    ValueError
        If the shapes do not belong together, the targets are not such classes, or an output is NaN.

    Examples
    --------
    >>> from nn.training.metrics import classes
    >>> classes([[2.0], [-1.0]], [[1], [1]])
    (array([1, 0]), array([1, 1]))
    >>> classes([[2.0, 3.0, 1.0]], [0])
    (array([1]), array([0]))
    """
    output, target = plain(output), plain(target)
    if output.dtype.kind == "f" and np.isnan(output).any():
        raise ValueError(
            "the outputs contain NaN, which is no answer: has the training diverged, or is NaN in the inputs?"
        )
    if output.ndim == 2 and target.shape == output.shape[:1] and output.shape[1] > 1:
        count = output.shape[1]
        if not np.isin(target, np.arange(count)).all():
            raise ValueError(
                f"for outputs of shape {output.shape} the classes are the numbers 0 to {count - 1}; got targets from "
                f"{target.min()} to {target.max()}, of {target.dtype}."
            )
        return output.argmax(axis=1), target.astype(int)
    if output.shape != target.shape:
        raise ValueError(
            f"the outputs have shape {output.shape} and the targets {target.shape}: write class numbers of shape (n,) "
            "for outputs of shape (n, C), or targets of the outputs' shape."
        )
    if output.ndim == 2 and output.shape[1] > 1 and len(target) and np.allclose(target.sum(axis=1), 1):
        return output.argmax(axis=1), target.argmax(axis=1)
    if threshold is None:
        raise ValueError(
            "this loss does not say (by a `threshold`) above which number an output is a 1: write metrics as a dict, "
            "such as {'accuracy': lambda output, target: nn.accuracy(output, target, threshold=0.5)} for probabilities."
        )
    if not ((target >= 0) & (target <= 1)).all() and (threshold or not (np.absolute(target) == 1).all()):
        raise ValueError(
            "targets of two classes are 0 and 1 (or −1 and 1, for scores with threshold=0); got values from "
            f"{target.min()} to {target.max()} with threshold={threshold}."
        )
    predicted, true = (output > threshold).astype(int), (target > 0.5).astype(int)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted, true = predicted[:, 0], true[:, 0]
    return predicted, true


def accuracy(output: Any, target: Any, threshold: float = 0.0) -> float:
    """The share of right answers.

    Parameters
    ----------
    output, target, threshold
        See `classes`. With several independent answers per example, each of them counts.

    Examples
    --------
    >>> import nn
    >>> nn.accuracy([[2.0], [-1.0], [0.5], [-3.0]], [[1], [1], [1], [0]])
    0.75
    """
    predicted, true = classes(output, target, threshold)
    if not true.size:
        raise ValueError("there are no examples to be right about.")
    return float((predicted == true).mean())


def precision(output: Any, target: Any, threshold: float = 0.0) -> float:
    """The share of real ones among those called a 1, true positives / (true + false positives); 0 if none is.

    With more than two classes, or several independent answers, the mean over the classes (the macro average).

    Examples
    --------
    >>> import nn
    >>> nn.precision([2.0, 1.0, -1.0, -3.0], [1, 0, 1, 0])
    0.5
    """
    return _score("precision_score", output, target, threshold)


def recall(output: Any, target: Any, threshold: float = 0.0) -> float:
    """The share of the real ones that are found, true positives / (true positives + false negatives).

    With more than two classes, or several independent answers, the mean over the classes (the macro average).

    Examples
    --------
    >>> import nn
    >>> nn.recall([2.0, 1.0, -1.0, -3.0], [1, 0, 1, 0])
    0.5
    """
    return _score("recall_score", output, target, threshold)


def f1_score(output: Any, target: Any, threshold: float = 0.0) -> float:
    """The harmonic mean of precision and recall, 2 p r / (p + r).

    With more than two classes, or several independent answers, the mean over the classes (the macro average).

    Examples
    --------
    >>> import nn
    >>> nn.f1_score([2.0, 1.0, 1.0, -3.0], [1, 0, 1, 0])
    0.8
    """
    return _score("f1_score", output, target, threshold)


def roc_auc(output: Any, target: Any, threshold: float | None = 0.0) -> float:
    """The area under the ROC curve: how likely a real 1 has a greater output than a real 0. No threshold matters.

    With more than two classes, the mean over the classes of each against the rest, by its probability. With several
    independent answers, the mean over them.

    Raises
    ------
    ValueError
        If a class does not occur, or no other.

    Examples
    --------
    >>> import nn
    >>> nn.roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    metrics = _sklearn()
    output, target = plain(output), plain(target)
    predicted, true = classes(output, target, 0.0 if threshold is None else threshold)
    scores = output
    if _single(output, predicted):  # the probabilities, as they belong to logits or logarithms of them
        scores = output if _distributions(output) else _softmax(output)
        true = true[:, None] == np.arange(output.shape[1])
    scores, true = scores.reshape(len(true), -1), true.reshape(len(true), -1)
    for k, column in enumerate(true.T):
        if len(np.unique(column)) < 2:
            raise ValueError(f"the ROC curve of column {k} needs examples of two classes, and there are of one only.")
    return float(np.mean([metrics.roc_auc_score(t, s) for t, s in zip(true.T, scores.T)]))


def confusion_matrix(output: Any, target: Any, threshold: float = 0.0) -> list[list[int]]:
    """How often class i (row) was called class j (column).

    Examples
    --------
    >>> import nn
    >>> nn.confusion_matrix([2.0, 1.0, -1.0, -3.0], [1, 0, 1, 0])
    [[1, 1], [1, 1]]
    """
    predicted, true = classes(output, target, threshold)
    if predicted.ndim > 1:
        raise ValueError("a confusion matrix is of one answer per example: ask for one column at a time.")
    output = plain(output)
    count = output.shape[1] if output.ndim == 2 and output.shape[1] > 1 else 2
    matrix = _sklearn().confusion_matrix(true, predicted, labels=np.arange(count))
    return matrix.tolist()  # type: ignore[no-any-return]


def _score(name: str, output: Any, target: Any, threshold: float) -> float:
    output = plain(output)
    predicted, true = classes(output, target, threshold)
    binary = predicted.ndim == 1 and (output.ndim == 1 or output.shape[1] <= 2)
    score = getattr(_sklearn(), name)(true, predicted, average="binary" if binary else "macro", zero_division=0)
    return float(score)


def _single(output: Any, predicted: Any) -> bool:
    """Whether there is a column for each class, and one answer."""
    return bool(output.ndim == 2 and output.shape[1] > 1 and predicted.ndim == 1)


def _distributions(rows: Any) -> bool:
    return bool(np.all(rows >= 0) and np.allclose(rows.sum(axis=1), 1, atol=1e-3))


def _softmax(rows: Any) -> Any:
    powers = np.exp(rows - rows.max(axis=1, keepdims=True), dtype=np.float64)
    return powers / powers.sum(axis=1, keepdims=True)


def _sklearn() -> Any:
    try:
        import sklearn.metrics
    except ImportError as error:
        raise ImportError(
            f'this metric is scikit-learn\'s, which is missing here: `pip install "wengert[examples]"` ({error}).'
        ) from None
    return sklearn.metrics


#: The metrics that have a name.
METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1_score,
    "roc_auc": roc_auc,
    "confusion": confusion_matrix,
}
