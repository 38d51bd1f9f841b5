"""Every function of `nn.functional`, called with the arrays of a device: the same values, and nothing is copied."""

import numpy as np
import pytest
import stand_in

import nn.functional as F
from autograd import Tensor
from autograd.devices import move

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
P, Q = rng.uniform(0.1, 0.9, size=(4, 6)), rng.uniform(0.1, 0.9, size=(4, 6))
BINARY, SIGNS = (X > 0) * 1.0, np.where(X > 0, 1.0, -1.0)
WEIGHT, CHANNELS, CLASSES = rng.normal(size=(3, 6)), rng.normal(size=6), np.array([2, 0, 5, 1])

#: What each is called with; without an entry: X alone.
ARGUMENTS = {
    "linear": (X, WEIGHT, WEIGHT[:, 0]),
    "binary_cross_entropy": (P, Q),
    "binary_cross_entropy_with_logits": (X, BINARY),
    "weighted_binary_cross_entropy_with_logits": (X, BINARY, np.abs(CHANNELS)),
    "hinge_loss": (X, SIGNS),
    "cross_entropy": (X, CLASSES, np.abs(CHANNELS), 5, 0.1),
    "nll_loss": (np.log(P), CLASSES),
    "multi_margin_loss": (X, CLASSES, 2),
    "embedding": (CLASSES, X.T, 0),
    "dropout": (X, 0.5, True, 3),
    "absolute_error": (X, Y),
    "squared_error": (X, Y),
    "half_squared_error": (X, Y),
    "huber_loss": (X, Y, 0.5),
    "smooth_l1_loss": (X, Y, 0.5),
    "kl_div": (np.log(P), BINARY),
    "gaussian_nll_loss": (X, Y, P, True),
    "poisson_nll_loss": (X, np.arange(24.0).reshape(4, 6), True, True),
    "cosine_similarity": (X, Y[0]),
    "cosine_embedding_loss": (X, Y, SIGNS[:, 0]),
    "standardize": (X, CHANNELS, CHANNELS, 0),
    "layer_norm": (X, 6, CHANNELS, CHANNELS),
    "rms_norm": (X, 6, CHANNELS),
    "group_norm": (X, 2, CHANNELS, CHANNELS),
    "prelu": (X, CHANNELS),
}


def results(name, device, wrapped):
    """What it returns, and the gradients of all that it is given."""
    arguments = [move(a, device) if isinstance(a, np.ndarray) else a for a in ARGUMENTS.get(name, (X,))]
    if wrapped:
        floating = [hasattr(a, "dtype") and a.dtype.kind == "f" for a in arguments]
        if name == "cross_entropy":
            floating[2] = False  # weights of classes are constants
        arguments = [Tensor(a, requires_grad=True) if f else a for a, f in zip(arguments, floating)]
    with stand_in.counted() as transfers:
        found = getattr(F, name)(*arguments)
        found = found[0] if isinstance(found, tuple) else found
        if wrapped:
            found.sum().backward()
    assert transfers == ({"to device": 1} if name == "dropout" and device == "standin" else {})
    arrays = [found.data, *[a.grad for a in arguments if isinstance(a, Tensor)]] if wrapped else [found]
    return [a if a is None else move(a, "cpu") for a in arrays]


@pytest.mark.parametrize("wrapped", [True, False], ids=["tensors", "arrays"])
@pytest.mark.parametrize("name", F.__all__)
def test_a_function_computes_on_a_device_what_it_computes_on_the_cpu(name, wrapped, device):
    for found, expected in zip(results(name, device, wrapped), results(name, "cpu", wrapped), strict=True):
        if expected is None:
            assert found is None
            continue
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
