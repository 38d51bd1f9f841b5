"""The VJP check: planted wrong rules are refused by name; nothing but declared broadcasting is undone."""

import itertools

import numpy as np
import pytest

import autograd
from autograd import GradientCheckError, Tensor, VJPError, check_gradients
from autograd.primitive import REGISTRY

counter = itertools.count()


@pytest.fixture
def plant():
    """Define a throw-away primitive; it leaves the registry at the end of the test."""
    planted = []

    def make(forward, signature, **rules):
        def function(*args, **kwargs):
            return forward(*args, **kwargs)

        function.__name__ = f"planted{next(counter)}"
        planted.append(function)
        return autograd.define(function, signature, **rules)

    yield make
    for function in planted:
        del REGISTRY[function]


def leaf(*shape, **kwargs):
    return Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True, **kwargs)


def refusal(output):
    """The text of the VJPError of a backward pass; the gradients stay as they were."""
    with pytest.raises(VJPError) as caught:
        output.sum().backward()
    return str(caught.value)


def test_a_transposed_cotangent_is_refused(plant):
    product = plant(lambda x, y: x @ y, "x, y -> z", x=lambda g, y: (g @ y.T).T, y=lambda g, x: x.T @ g)
    w = leaf(2, 3, name="W2")
    text = refusal(product(w, leaf(3, 4)))
    assert product.primitive.name in text
    assert "input 0 ('x'), the Tensor 'W2'" in text
    assert "got       ndarray of shape (3, 2), dtype float64" in text
    assert "expected  ndarray of shape (2, 3), dtype float64" in text
    assert "transposed" in text
    assert w.grad is None


def test_a_summed_cotangent_is_refused(plant):
    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: (2 * g).sum())
    text = refusal(double(leaf(4, 3)))
    assert "got       float64 of shape ()" in text or "got       ndarray of shape ()" in text
    assert "expected  ndarray of shape (4, 3)" in text


def test_a_missing_sum_over_broadcast_axes_is_refused_unless_declared(plant):
    rules = {"x": lambda g: g, "y": lambda g: g}
    x, y = leaf(4, 3), leaf(3)
    undeclared = plant(lambda x, y: x + y, "x, y -> z", **rules)
    assert "define it with broadcasts=True" in refusal(undeclared(x, y))
    declared = plant(lambda x, y: x + y, "x, y -> z", broadcasts=True, **rules)
    declared(x, y).sum().backward()
    np.testing.assert_array_equal(y.grad, np.full(3, 4.0))


def test_a_shape_that_is_neither_the_inputs_nor_the_outputs_is_refused_even_for_a_broadcasting_operation(plant):
    add = plant(lambda x, y: x + y, "x, y -> z", broadcasts=True, x=lambda g: g[:1], y=lambda g: g)
    assert "got       ndarray of shape (1, 3)" in refusal(add(leaf(4, 3), leaf(3)))


def test_a_broadcast_cotangent_is_refused(plant):
    total = plant(lambda x: x.sum(axis=0), "x -> y", x=lambda g, x_shape: np.broadcast_to(g, (5, *x_shape)))
    assert "got       ndarray of shape (5, 4, 3)" in refusal(total(leaf(4, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.complex128, bool])
def test_another_dtype_is_refused(plant, dtype):
    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: (2 * g).astype(dtype))
    text = refusal(double(leaf(3)))
    assert f"dtype {np.dtype(dtype)}" in text
    assert "expected  ndarray of shape (3,), dtype float64" in text


def test_a_wider_dtype_for_float32_is_refused(plant):
    double = plant(lambda x: 2 * x, "x -> y", broadcasts=True, promotes=True, x=lambda g: g * np.array([2.0]))
    assert "dtype float64" in refusal(double(Tensor(np.ones(3, np.float32), requires_grad=True)))


def test_another_array_type_is_refused(plant):
    class Other(np.ndarray):
        pass

    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: (2 * g).view(Other))
    text = refusal(double(leaf(3)))
    assert "got       Other of shape (3,), dtype float64" in text
    assert "expected  ndarray of shape (3,), dtype float64" in text


@pytest.mark.parametrize("wrong", [None, 2.0, [1.0, 1.0, 1.0], "g"])
def test_what_is_not_an_array_is_refused(plant, wrong):
    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: wrong)
    assert f"got       {type(wrong).__name__}, which is not an array" in refusal(double(leaf(3)))


def test_a_rule_that_returns_both_cotangents_at_once_is_refused(plant):
    add = plant(lambda x, y: x + y, "x, y -> z", x=lambda g: (g, g), y=lambda g: g)
    assert "got       tuple, which is not an array" in refusal(add(leaf(3), leaf(3)))


def test_the_wrong_input_of_a_variadic_operation_is_named_by_its_position(plant):
    total = plant(lambda xs: xs[0] + xs[1], "*xs -> y", xs=lambda g, i: g if i == 0 else g[:2])
    assert "for input 1 returned" in refusal(total([leaf(3), leaf(3)]))


def test_the_check_is_on_in_recorded_passes(plant):
    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: g.sum())
    x = leaf(3)
    with pytest.raises(VJPError, match="expected"):
        double(x).sum().gradient(x, create_graph=True)


def test_the_line_that_recorded_the_operation_is_named_in_anomaly_mode(plant):
    double = plant(lambda x: 2 * x, "x -> y", x=lambda g: g[:1])
    assert "detect_anomaly()" in refusal(double(leaf(3)))
    with autograd.detect_anomaly():
        y = double(leaf(3))  # the guilty line
    text = refusal(y)
    assert "test_vjp_check.py" in text
    assert "the guilty line" in text


def test_mixed_precision_gives_each_input_its_own_dtype():
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = Tensor(np.ones(3), requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64


def test_a_complex_result_gives_a_real_input_a_real_gradient():
    x = Tensor([1.0, 2.0], requires_grad=True)
    z = x * np.array([1j, 2.0 + 1j])
    z.real.sum().backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0])


# Definitions


@pytest.mark.parametrize(
    ("signature", "rules", "message"),
    [
        ("x, y", {}, "is not of the form"),
        ("-> z", {}, "is not of the form"),
        ("x, constant -> y", {}, "other ones than constant"),
        ("x, x_ -> y", {}, "other ones than x_"),
        ("x -> x", {}, "other ones than x"),
        ("x; forward=1 -> y", {}, "other ones than forward"),
        ("x -> y", {"z": lambda g: g}, r"a rule for \['z'\], but its inputs are \['x'\]"),
        ("x -> y", {"x": lambda g, w: g}, r"names \['w'\]; it can name"),
        ("x -> y", {"x": lambda x: x}, "must take `g`"),
        ("x -> y", {"x": lambda: 0}, "must take `g`"),
    ],
)
def test_a_definition_that_does_not_fit_is_refused(signature, rules, message):
    def function(x):
        return x

    with pytest.raises(ValueError, match=message):
        autograd.define(function, signature, **rules)
    assert function not in REGISTRY


def test_a_rule_can_name_options_shapes_and_dtypes(plant):
    def rule(g, x_shape, x_dtype, times):
        assert x_shape == (3,)
        assert x_dtype == np.float64
        return g * times

    scale = plant(lambda x, times: x * times, "x; times=2.0 -> y", x=rule)
    x = leaf(3)
    scale(x, times=5.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 5.0))
    np.testing.assert_array_equal(scale(x).data, 2 * x.data)


def test_a_rule_can_be_any_callable_and_options_can_be_keywords_alone(plant):
    class Rules:
        def x(self, g, times):
            return g * times

    scale = plant(lambda x, times: x * times, "x; *, times=2.0 -> y", x=Rules().x)
    x = leaf(3)
    scale(x, times=5.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 5.0))
    with pytest.raises(TypeError, match="positional"):
        scale(x, 5.0)


def test_names_of_inputs_and_options_do_not_clash_with_the_recorder(plant):
    odd = plant(lambda node, mode: node * mode, "node; mode=3.0 -> result", node=lambda g, mode, result: g * mode)
    x = leaf(2)
    odd(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])


# The numerical check


def test_check_gradients_catches_a_factor_of_one_per_mille_in_both_precisions(plant):
    wrong = plant(lambda x: x * x, "x -> y", x=lambda g, x: g * 2 * 1.001 * x)
    for dtype in (np.float64, np.float32):
        with pytest.raises(GradientCheckError, match=r"order 1 with respect to input 0 \(float.*give.*estimate is"):
            check_gradients(wrong, np.asarray([1.0, -2.0, 0.5], dtype))


def test_check_gradients_catches_a_wrong_second_order(plant):
    # right at first order; the second order is wrong, since the rule hides its dependence on x
    hidden = plant(np.exp, "x -> y", x=lambda g, x: g * np.exp(_plain(x)))
    check_gradients(hidden, [0.3, -0.2], order=1)
    with pytest.raises(GradientCheckError, match="order 2 with respect to input 0"):
        check_gradients(hidden, [0.3, -0.2], order=2)


def _plain(x):
    return x.data if isinstance(x, Tensor) else x


def test_check_gradients_names_the_input_that_is_wrong(plant):
    wrong = plant(lambda x, y: x * y, "x, y -> z", x=lambda g, y: g * y, y=lambda g, x: g * x * 1.001)
    with pytest.raises(GradientCheckError, match=r"input 1 \('b', float64\[2\]\)"):
        check_gradients(wrong, [1.0, 2.0], Tensor([3.0, 4.0], name="b"))


def test_check_gradients_is_not_fooled_by_a_softmax_whose_backward_is_zero(plant):
    def softmax(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    zero = plant(softmax, "x -> y", x=lambda g: g * 0)
    with pytest.raises(GradientCheckError):
        check_gradients(zero, [0.1, 0.5, -0.3])


def test_check_gradients_passes_integers_on_and_wants_something_to_differentiate():
    check_gradients(lambda x, i: x[i], np.arange(6.0), np.array([0, 0, 3]))
    with pytest.raises(TypeError, match="at least one input of floating or complex"):
        check_gradients(lambda i: i, np.arange(3))
    with pytest.raises(TypeError, match="must return a Tensor of floating"):
        check_gradients(lambda x: x.data, [1.0])


def test_check_gradients_of_a_float32_layer():
    import nn

    layer = nn.Linear(3, 2, rng=0)
    check_gradients(layer, np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32))
