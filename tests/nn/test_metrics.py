"""Metrics: classes from outputs, and the numbers of scikit-learn."""

import sys

import numpy as np
import pytest

import nn
from nn.training.metrics import classes


def test_classes_of_all_shapes():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6, 3))
    numbers = rng.integers(0, 3, 6)
    for target in (numbers, np.eye(3)[numbers]):
        predicted, true = classes(scores, target)
        np.testing.assert_array_equal(predicted, scores.argmax(1))
        np.testing.assert_array_equal(true, numbers)
    several = np.array([[1, 1, 0]] * 6)
    np.testing.assert_array_equal(classes(scores, several)[0], scores > 0)
    with pytest.raises(ValueError, match=r"shape \(6, 3\) and the targets \(6, 2\)"):
        classes(scores, several[:, :2])
    with pytest.raises(ValueError, match=r"shape \(6, 1\) and the targets \(6,\)"):
        classes(scores[:, :1], numbers)


def test_metrics_by_hand():
    pytest.importorskip("sklearn")
    output, target = np.array([[2.0], [1.0], [0.3], [-1.0], [-2.0]]), np.array([[1], [1], [0], [1], [0]])
    assert nn.accuracy(output, target) == 3 / 5
    assert nn.precision(output, target) == pytest.approx(2 / 3)
    assert nn.recall(output, target) == pytest.approx(2 / 3)
    assert nn.f1_score(output, target) == pytest.approx(2 / 3)
    assert nn.roc_auc(output, target) == pytest.approx(5 / 6)
    assert nn.confusion_matrix(output, target) == [[1, 1], [1, 2]]
    scores, numbers = np.array([[3.0, 1, 0], [0, 1, 0], [0, 1, 2], [5, 1, 2]]), np.array([0, 1, 2, 1])
    assert nn.confusion_matrix(scores, numbers) == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert nn.recall(scores, numbers) == pytest.approx((1 + 0.5 + 1) / 3)
    assert 0.5 < nn.roc_auc(scores, numbers) < 1


def test_without_scikit_learn_the_accuracy_remains(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    assert nn.accuracy([1.0], [1]) == 1.0
    with pytest.raises(ImportError, match=r"wengert\[examples\]"):
        nn.f1_score([1.0], [1])


def test_classes_that_cannot_be_are_refused():
    scores = np.zeros((4, 3))
    for target in ([0, 1, 2, 3], [0, 1, 2, -100], [0.5, 1, 2, 0]):
        with pytest.raises(ValueError, match="the classes are the numbers 0 to 2"):
            classes(scores, target)
    with pytest.raises(ValueError, match=r"got values from -1 to 1 with threshold=0\.5"):
        classes([0.2, 0.7], [-1, 1], threshold=0.5)
    with pytest.raises(ValueError, match="got values from 3 to 7"):
        nn.accuracy([3.0, 7.0], [3, 7])
    for output, target in (([np.nan, 1.0], [0, 1]), (np.full((2, 3), np.nan), [0, 1])):
        with pytest.raises(ValueError, match="contain NaN"):
            nn.accuracy(output, target)
    with pytest.raises(ValueError, match="does not say"):
        classes([0.2, 0.7], [0, 1], threshold=None)
    np.testing.assert_array_equal(classes([0.2, -0.7], [-1, 1]), ([1, 0], [0, 1]))


def test_two_columns_are_a_binary_answer_as_one_is():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=40), rng.integers(0, 2, 40)
    columns = np.stack([np.zeros(40), z], axis=1) + rng.normal(size=(40, 1))
    for metric in (nn.accuracy, nn.precision, nn.recall, nn.f1_score, nn.roc_auc, nn.confusion_matrix):
        expected = metric(z, y)
        for target in (y, np.eye(2)[y]):
            np.testing.assert_allclose(metric(columns, target), expected, rtol=1e-12, err_msg=metric.__name__)


def test_they_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(60, 4)), rng.integers(0, 4, 60)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    area = sklearn.roc_auc_score(y, p, multi_class="ovr")
    assert nn.roc_auc(p, y) == pytest.approx(area)
    # a number added to all logits of an example changes no probability, nor the area
    assert nn.roc_auc(z + rng.normal(size=(60, 1)) * 10, y) == pytest.approx(area)
    assert nn.roc_auc(np.log(p), y) == pytest.approx(area)
    several = rng.integers(0, 2, (60, 4))
    assert nn.roc_auc(z, several) == pytest.approx(sklearn.roc_auc_score(several, z))
    for metric, name in ((nn.precision, "precision"), (nn.recall, "recall"), (nn.f1_score, "f1")):
        theirs = getattr(sklearn, f"{name}_score")
        assert metric(z, y) == pytest.approx(theirs(y, z.argmax(1), average="macro"))
        assert metric(z, several) == pytest.approx(theirs(several, z > 0, average="macro"))
        assert metric(p[:, 0], several[:, 0], 0.2) == pytest.approx(theirs(several[:, 0], p[:, 0] > 0.2))


def test_a_class_that_does_not_occur_has_no_roc_curve():
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="column 0 needs examples of two classes"):
        nn.roc_auc([1.0, 2.0], [1, 1])
    with pytest.raises(ValueError, match="column 2 needs examples of two classes"):
        nn.roc_auc(np.eye(3), [0, 1, 1])
