"""What the tests of trainings share: data to learn, batches of it, and the comparison of two states."""

import numpy as np


def data(n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).astype(np.float32)
    return X, (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)


def batches(X, y, size):
    """Not a loader: any iterable of tuples will do."""
    return [(X[k : k + size], y[k : k + size]) for k in range(0, len(X), size)]


def same(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
