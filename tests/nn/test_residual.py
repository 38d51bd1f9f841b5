"""Residual and Flatten."""

import numpy as np
import pytest

import nn
from autograd import Tensor, check_gradients

x = np.random.default_rng(0).standard_normal((4, 3))


def test_the_input_is_added_to_what_the_module_makes_of_it():
    layer = nn.Linear(3, 3, dtype=np.float64, rng=0)
    np.testing.assert_array_equal(nn.Residual(layer)(x).data, x + layer(x).data)


def test_the_gradient_passes_by_a_module_that_has_none():
    layer = nn.Linear(3, 3, init="zeros", dtype=np.float64)
    a = Tensor(x, requires_grad=True)
    deep = nn.Sequential(*[nn.Residual(layer) for _ in range(50)])
    deep(a).backward(np.ones_like(x))
    assert (a.grad == 1).all()


def test_gradients_are_right_to_second_order():
    block = nn.Residual(nn.Sequential(nn.Linear(3, 3, dtype=np.float64, rng=0), nn.Tanh()))
    check_gradients(block, x, order=2)


def test_a_shortcut_brings_the_input_to_another_shape():
    block = nn.Residual(nn.Linear(3, 2, rng=0), shortcut=nn.Linear(3, 2, bias=False, rng=1))
    assert block(x.astype(np.float32)).shape == (4, 2)
    assert [name for name, _ in block.named_parameters()] == ["module.weight", "module.bias", "shortcut.weight"]


@pytest.mark.parametrize("out", [2, 1])
def test_summands_of_different_shapes_are_refused_and_not_broadcast(out):
    block = nn.Residual(nn.Linear(3, out, dtype=np.float64))
    words = rf"the input is float64\[4, 3\], and what Linear made of the input is float64\[4, {out}\].*a shortcut"
    with pytest.raises(ValueError, match=words):
        block(x)
    with pytest.raises(ValueError, match=r"what the shortcut made of it is float64\[4, 3\]"):
        nn.Residual(nn.Linear(3, out, dtype=np.float64), nn.Identity())(x)


def test_only_modules_are_taken():
    with pytest.raises(TypeError, match="Module as its module, got NoneType"):
        nn.Residual(None)
    with pytest.raises(TypeError, match="Module as its shortcut, got function"):
        nn.Residual(nn.Identity(), lambda x: x)


@pytest.mark.parametrize(("axes", "shape", "flat"), [
    ((), (8, 3, 4), (8, 12)),
    ((), (8, 3), (8, 3)),
    ((0,), (2, 3, 4), (24,)),
    ((1, 2), (2, 3, 4, 5), (2, 12, 5)),
    ((-2, -1), (2, 3, 4, 5), (2, 3, 20)),
    ((), (0, 3, 4), (0, 12)),
    ((), (2, 0, 4), (2, 0)),
])  # fmt: skip
def test_neighbouring_axes_become_one(axes, shape, flat):
    a = Tensor(np.zeros(shape, np.float32), requires_grad=True)
    y = nn.Flatten(*axes)(a)
    y.backward(np.ones(flat, np.float32))
    assert y.shape == flat
    assert a.grad.shape == shape


@pytest.mark.parametrize(
    ("axes", "shape"), [((), (5,)), ((), ()), ((2, 1), (2, 3, 4)), ((0, 3), (2, 3)), ((-4,), (2, 3))]
)
def test_axes_that_are_not_there_are_refused(axes, shape):
    with pytest.raises(ValueError, match="Flatten makes axes"):
        nn.Flatten(*axes)(np.zeros(shape))


def test_flatten_says_what_is_not_the_default():
    assert repr(nn.Flatten()) == "Flatten()"
    assert repr(nn.Flatten(0, 1)) == "Flatten(start_axis=0, end_axis=1)"
