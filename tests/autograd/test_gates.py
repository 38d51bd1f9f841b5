"""`stop_gradient` and `straight_through`: where a gradient stops, or goes another way than the value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tape, Tensor, grad, stop_gradient, straight_through


def test_stop_gradient_is_a_constant_with_the_same_memory() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = stop_gradient(x * 1.0)
    assert not y.requires_grad
    assert np.shares_memory(stop_gradient(x).numpy(), x.numpy())
    (x * stop_gradient(x)).sum().backward()
    assert x.grad.tolist() == [1, 2]
    assert stop_gradient(3.0) == 3.0
    assert grad(grad(lambda x: x**3 * stop_gradient(x)))(2.0) == 6 * 2 * 2


def test_straight_through_has_the_values_of_one_function_and_the_gradient_of_another() -> None:
    x = Tensor([-0.3, 0.2, 1.7], requires_grad=True)
    for function in (np.round, np.sign, lambda a: a > 0, lambda a: np.digitize(a, [0.0, 1.0])):
        y = straight_through(function)(x)
        np.testing.assert_array_equal(y.numpy(), np.asarray(function(x.numpy()), float))
        assert y.dtype == x.dtype
        assert y.gradient(x, cotangent=np.array([1.0, 2.0, 3.0])).tolist() == [1, 2, 3]
    z = straight_through(np.sign, np.tanh)(x)
    np.testing.assert_allclose(z.sum().gradient(x).numpy(), 1 - np.tanh(x.numpy()) ** 2)
    assert [n.primitive.name for n in Tape(z) if not n.is_leaf] == ["tanh", "straight_through"]


def test_straight_through_of_several_arguments() -> None:
    x, y = Tensor([1.0, 5.0], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
    step = straight_through(np.greater, lambda a, b: a - b)
    z = step(x, y)
    assert z.tolist() == [0, 1]
    gx, gy = z.sum().gradient(x, y)
    assert (gx.tolist(), gy.tolist()) == ([1, 1], [-1, -1])
    with pytest.raises(TypeError, match="surrogate"):
        straight_through(np.greater)(x, y)


def test_straight_through_keeps_single_precision_and_plain_arrays() -> None:
    x = Tensor([0.4, 0.6], requires_grad=True, dtype=np.float32)
    y = straight_through(np.round)(x)
    assert y.dtype == y.sum().gradient(x).dtype == np.float32
    plain: Any = straight_through(np.round)(np.array([0.4, 0.6]))
    assert isinstance(plain, np.ndarray)
    assert straight_through(np.round).__name__ == "round"


def test_shapes_that_do_not_agree_are_refused() -> None:
    with pytest.raises(ValueError, match=r"returned shape \(\), but the gradient goes to shape \(2,\)"):
        straight_through(np.sum)(Tensor([1.0, 2.0], requires_grad=True))


def test_stop_gradient_of_structures():
    def f(x):
        held = stop_gradient({"a": [x, (x, 2)], "b": None})
        return np.sum(x * held["a"][0] * held["a"][1][0])

    np.testing.assert_array_equal(grad(f)(np.array([2.0, 3.0])), [4.0, 9.0])
