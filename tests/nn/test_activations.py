"""Activations: their values and derivatives, at kinks and far out, and the modules made of them."""

import copy
import math
import warnings

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, check_gradients, grad
from nn.activation_names import ACTIVATIONS, activation_module
from nn.functional.normal import erfc, normal_cdf

W = np.array([0.25, -0.5, 1.5])

#: name: (ours, PyTorch's, where there is no derivative)
ELEMENTWISE = {
    "relu": (nn.relu, lambda F, x: F.relu(x), (0,)),
    "relu6": (nn.relu6, lambda F, x: F.relu6(x), (0, 6)),
    "leaky_relu": (nn.leaky_relu, lambda F, x: F.leaky_relu(x), (0,)),
    "leaky_relu_2": (lambda x: nn.leaky_relu(x, 2.0), lambda F, x: F.leaky_relu(x, 2.0), (0,)),
    "leaky_relu_-1": (lambda x: nn.leaky_relu(x, -1), lambda F, x: F.leaky_relu(x, -1), (0,)),
    "elu": (nn.elu, lambda F, x: F.elu(x), (0,)),
    "elu_2": (lambda x: nn.elu(x, 2.5), lambda F, x: F.elu(x, 2.5), (0,)),
    "selu": (nn.selu, lambda F, x: F.selu(x), (0,)),
    "celu": (nn.celu, lambda F, x: F.celu(x), (0,)),
    "celu_0.5": (lambda x: nn.celu(x, alpha=0.5), lambda F, x: F.celu(x, 0.5), (0,)),
    "gelu": (nn.gelu, lambda F, x: F.gelu(x), ()),
    "gelu_tanh": (lambda x: nn.gelu(x, "tanh"), lambda F, x: F.gelu(x, approximate="tanh"), ()),
    "silu": (nn.silu, lambda F, x: F.silu(x), ()),
    "mish": (nn.mish, lambda F, x: F.mish(x), ()),
    "hardswish": (nn.hardswish, lambda F, x: F.hardswish(x), (-3, 3)),
    "softplus": (nn.softplus, lambda F, x: F.softplus(x), (20,)),
    "softplus_2": (lambda x: nn.softplus(x, 2, 5), lambda F, x: F.softplus(x, 2, 5), (2.5,)),
    "softplus_-2": (lambda x: nn.softplus(x, beta=-2.0), lambda F, x: F.softplus(x, -2.0), (-10,)),
    "sigmoid": (nn.sigmoid, lambda F, x: F.sigmoid(x), ()),
    "logsigmoid": (nn.logsigmoid, lambda F, x: F.logsigmoid(x), ()),
    "hardsigmoid": (nn.hardsigmoid, lambda F, x: F.hardsigmoid(x), (-3, 3)),
    "tanh": (nn.tanh, lambda F, x: F.tanh(x), ()),
    "hardtanh": (nn.hardtanh, lambda F, x: F.hardtanh(x), (-1, 1)),
    "hardtanh_2": (lambda x: nn.hardtanh(x, -2, 0.5), lambda F, x: F.hardtanh(x, -2, 0.5), (-2, 0.5)),
    "softsign": (nn.softsign, lambda F, x: F.softsign(x), ()),
}
ALONG_AXIS = {
    "softmax": (nn.softmax, lambda F, x: F.softmax(x, -1)),
    "softmax_0": (lambda x: nn.softmax(x, axis=0), lambda F, x: F.softmax(x, 0)),
    "log_softmax": (nn.log_softmax, lambda F, x: F.log_softmax(x, -1)),
    "log_softmax_1": (lambda x: nn.log_softmax(x, 1), lambda F, x: F.log_softmax(x, 1)),
    "glu": (nn.glu, lambda F, x: F.glu(x)),
    "glu_1": (lambda x: nn.glu(x, axis=-2), lambda F, x: F.glu(x, -2)),
}
ALL = {name: pair[0] for name, pair in {**ELEMENTWISE, **ALONG_AXIS}.items()}
KINKS = sorted({float(k) for _, _, kinks in ELEMENTWISE.values() for k in kinks})
FAR = [-1e4, -900.0, -100.0, -40.5, -12.0, 12.0, 19.9, 20.1, 40.5, 100.0, 900.0, 1e4]


def derivatives(f, x, cotangent=None):
    """The value, the gradient of a weighted sum, and that of the squared gradient."""
    x = Tensor(x, requires_grad=True)
    y = f(x)
    g = np.ones(y.shape, x.dtype) if cotangent is None else cotangent
    first = y.gradient(x, cotangent=g, create_graph=True)
    return y.data, first.data, (first * first).sum().gradient(x).data


def torch_derivatives(torch, f, x, cotangent=None, order=2):
    x = torch.tensor(x, requires_grad=True)
    y = f(torch.nn.functional, x)
    g = torch.ones_like(y) if cotangent is None else torch.tensor(cotangent)
    (first,) = torch.autograd.grad((y * g).sum(), x, create_graph=True)
    second = torch.zeros_like(x)
    if order == 2 and first.requires_grad:
        (second,) = torch.autograd.grad((first * first).sum(), x)
    return y.detach().numpy(), first.detach().numpy(), second.numpy()


# Values and derivatives


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_activations_are_those_of_pytorch_also_at_kinks_and_far_out(name):
    torch = pytest.importorskip("torch")
    ours, theirs, _ = ELEMENTWISE[name]
    x = np.concatenate([np.random.default_rng(0).normal(0, 4, 200), KINKS, FAR, [-0.0, 1e-9, -1e-9]])
    g = np.random.default_rng(1).normal(size=x.shape)
    for mine, other in zip(
        derivatives(ours, x, g)[:2], torch_derivatives(torch, theirs, x, g, order=1)[:2], strict=True
    ):
        rtol = 1e-7 if name == "hardsigmoid" else 1e-12  # PyTorch's slope is a sixth of single precision
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("name", sorted({*ELEMENTWISE} - {"hardsigmoid"}))  # for which PyTorch has none
def test_second_derivatives_are_those_of_pytorch_but_at_kinks(name):
    torch = pytest.importorskip("torch")
    ours, theirs, _ = ELEMENTWISE[name]
    x = np.concatenate([np.random.default_rng(0).normal(0, 4, 200), FAR])
    mine, other = derivatives(ours, x)[2], torch_derivatives(torch, theirs, x)[2]
    assert np.isfinite(mine).all()
    sane = np.isfinite(other)  # PyTorch's second derivative of mish is NaN far out
    np.testing.assert_allclose(mine[sane], other[sane], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ALONG_AXIS)
def test_activations_along_an_axis_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = ALONG_AXIS[name]
    rng = np.random.default_rng(0)
    for scale in (1, 30):
        x = rng.normal(0, scale, (2, 4, 6))
        g = rng.normal(size=ours(x).shape)
        results = zip(derivatives(ours, x, g), torch_derivatives(torch, theirs, x, g), strict=True)
        for mine, other in results:
            np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ALL)
def test_gradients_to_the_second_order(name):
    x = np.random.default_rng(0).normal(0, 2, (4, 6))
    check_gradients(ALL[name], x)
    check_gradients(ALL[name], x.T[::3, ::2])  # not contiguous


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "mish", "softmax", "log_softmax", "glu", "softsign"])
def test_gradients_of_the_smooth_ones_to_the_third_order(name):
    check_gradients(ALL[name], np.random.default_rng(0).normal(size=4), order=3, rtol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32_and_is_as_exact_as_it_can_be(name):
    f = ALL[name]
    x = np.random.default_rng(0).normal(0, 3, (4, 6))
    x = x.astype(np.float32).astype(float)
    results = zip(derivatives(f, x.astype(np.float32)), derivatives(f, x), (1e-6, 2e-6, 2e-5), strict=True)
    for mine, exact, atol in results:
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, exact, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", ALL)
def test_nothing_overflows_far_out(name, dtype):
    x = np.array([*FAR, 0.0, -0.0, 1.0, -1.0], dtype=dtype).reshape(4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y, first, second = derivatives(ALL[name], x)
    assert y.dtype == first.dtype == second.dtype == dtype
    assert np.isfinite(y).all()
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", sorted({*ELEMENTWISE} - {"selu", "leaky_relu_2"}))  # which are steeper than 1
def test_the_largest_and_smallest_numbers_do_not_overflow_either(name, dtype):
    info = np.finfo(dtype)
    x = Tensor(np.array([[info.max, -info.max], [info.smallest_subnormal, info.tiny]]), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = ALL[name](x)
        first = y.gradient(x, cotangent=np.ones(y.shape, dtype), create_graph=True)
        second = first.gradient(x, cotangent=np.ones(x.shape, dtype)) if first.requires_grad else first
    assert np.isfinite(y.data).all()
    assert np.isfinite(first.data).all()
    assert np.isfinite(second.data).all()


LIMITS = {  # at -inf and inf: values, slopes
    "relu": ((0, np.inf), (0, 1)),
    "relu6": ((0, 6), (0, 0)),
    "leaky_relu": ((-np.inf, np.inf), (0.01, 1)),
    "elu": ((-1, np.inf), (0, 1)),
    "celu_0.5": ((-0.5, np.inf), (0, 1)),
    "gelu": ((0, np.inf), (0, 1)),
    "gelu_tanh": ((0, np.inf), (0, 1)),
    "silu": ((0, np.inf), (0, 1)),
    "mish": ((0, np.inf), (0, 1)),
    "hardswish": ((0, np.inf), (0, 1)),
    "softplus": ((0, np.inf), (0, 1)),
    "sigmoid": ((0, 1), (0, 0)),
    "logsigmoid": ((-np.inf, 0), (1, 0)),
    "hardsigmoid": ((0, 1), (0, 0)),
    "tanh": ((-1, 1), (0, 0)),
    "hardtanh": ((-1, 1), (0, 0)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_infinite_inputs_give_the_limits(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = Tensor(np.array([-np.inf, np.inf], np.float32), requires_grad=True)
        y = ALL[name](x)
        y.backward(np.ones(2, np.float32))
    np.testing.assert_array_equal(y.data, np.float32(LIMITS[name][0]))
    np.testing.assert_array_equal(x.grad, np.float32(LIMITS[name][1]))


@pytest.mark.parametrize("name", ALL)
def test_nan_stays_nan(name):
    assert np.isnan(ALL[name](np.full((2, 2), np.nan))).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_numbers_lists_integers_and_empty_arrays_are_taken(name):
    f = ELEMENTWISE[name][0]
    expected = f(np.array([-2.0, 1.0]))
    np.testing.assert_allclose(f([-2.0, 1.0]), expected)
    np.testing.assert_allclose([f(-2.0), float(f(1))], expected)
    np.testing.assert_allclose(f(np.array([-2, 1])), expected)
    np.testing.assert_allclose(f(np.array([1, 3], np.uint8)).astype(float), f(np.array([1.0, 3.0])), rtol=2e-3)
    assert f(Tensor(-2.0)).shape == ()
    assert grad(f)(-2.0) == pytest.approx(derivatives(f, np.array([-2.0]))[1].item())
    for shape in ((0,), (3, 0)):
        assert [a.shape for a in derivatives(f, np.zeros(shape))] == [shape] * 3


def test_options_that_are_scalars_of_float64_do_not_widen_float32():
    x, two = np.ones(2, np.float32), np.float64(2)
    for f in (
        lambda x: nn.leaky_relu(x, two),
        lambda x: nn.elu(x, two),
        lambda x: nn.celu(x, two),
        lambda x: nn.softplus(x, two, two),
        lambda x: nn.hardtanh(x, -two, two),
    ):
        assert [a.dtype for a in derivatives(f, x)] == [np.float32] * 3


def test_the_choice_at_each_kink():
    def slope(f, x):
        return derivatives(f, np.array([x]))[1].item()

    assert slope(nn.relu, 0.0) == 0
    assert slope(nn.leaky_relu, 0.0) == 0.01
    assert slope(lambda x: nn.elu(x, 2.0), 0.0) == 2
    assert slope(nn.celu, 0.0) == 1
    assert slope(nn.selu, 0.0) == pytest.approx(1.6732632423543772 * 1.0507009873554805)
    assert (slope(nn.relu6, 0.0), slope(nn.relu6, 6.0)) == (0, 0)
    assert (slope(nn.hardtanh, -1.0), slope(nn.hardtanh, 1.0)) == (0, 0)
    assert (slope(nn.hardsigmoid, -3.0), slope(nn.hardsigmoid, 3.0)) == (0, 0)
    assert (slope(nn.hardswish, -3.0), slope(nn.hardswish, 3.0)) == (0, 1)
    assert slope(nn.softplus, 20.0) == pytest.approx(1 - 2.061e-9, abs=1e-12)
    assert slope(nn.softplus, 20.1) == 1
    x = Tensor(np.array([0.0, np.nan]), requires_grad=True)
    nn.relu(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0])
    w = Tensor(np.array([0.25]), requires_grad=True)
    nn.prelu(np.zeros(3), w).sum().backward()
    assert w.grad.item() == 0


# The normal distribution


def test_erfc_is_exact_to_a_few_units_in_the_last_place():
    mpmath = pytest.importorskip("mpmath")
    borders = [0.46875, np.nextafter(0.46875, 1), 4.0, np.nextafter(4.0, 5), 0.0, 1e-300]
    for dtype, end, ulps in ((np.float64, 26.0, 4), (np.float32, 9.0, 8)):
        x = np.concatenate([np.linspace(-6, end, 700), borders, [-b for b in borders]]).astype(dtype)
        exact = np.array([float(mpmath.erfc(mpmath.mpf(float(v)))) for v in x])
        y = erfc(x)
        assert y.dtype == dtype
        assert (np.abs(y - exact) <= ulps * np.spacing(exact.astype(dtype))).all()


def test_erfc_of_many_numbers_infinities_and_other_layouts():
    np.testing.assert_array_equal(erfc(np.array([np.inf, -np.inf, np.nan, 0.0])), [0, 2, np.nan, 1])
    x = np.random.default_rng(0).normal(0, 2, (300, 700))  # more than one block
    expected = np.vectorize(math.erfc)(x[:, ::70])
    np.testing.assert_allclose(erfc(x)[:, ::70], expected, rtol=1e-13)
    np.testing.assert_array_equal(erfc(np.asfortranarray(x)), erfc(x))
    np.testing.assert_array_equal(erfc(x[::3, ::70]), erfc(x)[::3, ::70])
    assert erfc(np.float16([0.5])).dtype == np.float16
    assert erfc(np.array([1])).dtype == np.float64


def test_the_normal_distribution_function():
    x = np.linspace(-8, 8, 33)
    np.testing.assert_allclose(normal_cdf(x), [0.5 * math.erfc(-v / math.sqrt(2)) for v in x], rtol=1e-13)
    check_gradients(normal_cdf, x[8:-8], order=3, rtol=1e-5)


def test_small_values_keep_their_digits():
    np.testing.assert_allclose(nn.gelu(np.array([-10.0])), [-10 * 0.5 * math.erfc(10 / math.sqrt(2))], rtol=1e-13)
    np.testing.assert_allclose(nn.silu(np.array([-50.0])), [-50 * np.exp(-50.0)], rtol=1e-14)
    np.testing.assert_allclose(nn.mish(np.array([-50.0])), [-50 * np.exp(-50.0)], rtol=1e-14)
    np.testing.assert_allclose(nn.logsigmoid(np.array([50.0])), [-np.exp(-50.0)], rtol=1e-14)
    np.testing.assert_allclose(nn.elu(np.array([-1e-12])), [np.expm1(-1e-12)], rtol=1e-15)
    np.testing.assert_allclose(autograd.softplus(np.array([-50.0, 50.0])), [np.exp(-50.0), 50], rtol=1e-14)


# Along an axis


def test_softmax_of_masked_logits():
    x = np.array([[0.0, -np.inf, 0.0], [-np.inf, 3.0, -np.inf]])
    y, first, _ = derivatives(nn.softmax, x, np.array([[1.0, 2.0, 3.0]] * 2))
    np.testing.assert_array_equal(y, [[0.5, 0, 0.5], [0, 1, 0]])
    np.testing.assert_array_equal(first, [[-0.5, 0, 0.5], [0, 0, 0]])
    t = Tensor(x, requires_grad=True)
    nn.log_softmax(t)[:, 1].sum().backward()
    np.testing.assert_array_equal(t.grad, [[-0.5, 1, -0.5], [0, 0, 0]])


def test_softmax_of_empty_arrays_numbers_integers_and_several_axes():
    for f in (nn.softmax, nn.log_softmax):
        for shape in ((0, 3), (3, 0)):
            assert [a.shape for a in derivatives(f, np.zeros(shape))] == [shape] * 3
        assert f(Tensor(2.0)).item() == float(f is nn.softmax)
        assert grad(f)(2.0) == 0
        np.testing.assert_array_equal(f(np.array([-128, 127], np.int8)), f(np.array([-128.0, 127.0])))
        check_gradients(lambda x, f=f: f(x, (0, 2)), np.random.default_rng(0).normal(size=(2, 3, 2)))
        with pytest.raises(TypeError, match="of real numbers, got complex128"):
            f(np.array([1j]))
    assert nn.softmax(np.ones((2, 3, 2)), (0, 2)).sum((0, 2)) == pytest.approx([1, 1, 1])


def test_glu_refuses_what_it_cannot_halve():
    with pytest.raises(ValueError, match=r"even length; the input has shape \(2, 3\)"):
        nn.glu(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"shape \(2, 3\) has no axis 2"):
        nn.glu(np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match=r"shape \(\) has no axis -1"):
        nn.glu(2.0)
    assert nn.glu(np.ones((0, 4))).shape == (0, 2)
    assert nn.glu(np.ones((4, 0))).shape == (4, 0)


# PReLU


def test_prelu_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for shape, weight in (((5,), W[:1]), ((4, 3), W), ((2, 3, 4), W), ((2, 3, 2, 2), W), ((2, 3), W[:1]), ((), W[:1])):
        x, g = rng.normal(size=shape), rng.normal(size=shape)
        x[x > 1] = 0
        a, w = Tensor(x, requires_grad=True), Tensor(weight, requires_grad=True)
        y = nn.prelu(a, w)
        y.backward(g)
        b, v = torch.tensor(x, requires_grad=True), torch.tensor(weight, requires_grad=True)
        z = torch.nn.functional.prelu(b, v)
        z.backward(torch.tensor(g))
        np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-14)
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-14)
        np.testing.assert_allclose(w.grad, v.grad.numpy(), rtol=1e-14)


@pytest.mark.parametrize(("shape", "n"), [((4, 3), 3), ((2, 3, 4), 3), ((5,), 1), ((), 1), ((2, 3), 1), ((0, 3), 3)])
def test_gradients_of_prelu(shape, n):
    check_gradients(nn.prelu, np.random.default_rng(0).normal(size=shape), W[:n])
    check_gradients(nn.prelu, np.random.default_rng(0).normal(size=shape), 0.25)


def test_prelu_refuses_another_number_of_channels_and_another_dtype():
    for shape in ((4, 2), (3,), (), (3, 4, 3)):
        with pytest.raises(ValueError, match=r"one for each channel.*axis 1.*the weight has shape \(3,\)"):
            nn.prelu(np.ones(shape), W)
    with pytest.raises(ValueError, match=r"the weight has shape \(1, 3\)"):
        nn.prelu(np.ones((4, 3)), W[None])
    with pytest.raises(TypeError, match=r"PReLU\(num_parameters=1\) has float32 parameters and was given float64"):
        nn.PReLU()(np.ones(3))
    with pytest.raises(ValueError, match="num_parameters must be a positive integer"):
        nn.PReLU(0)
    with pytest.raises(TypeError, match="floating"):
        nn.PReLU(dtype=int)


def test_prelu_learns_copies_and_is_saved():
    layer = nn.PReLU(2, init=0.5, dtype=np.float64)
    layer(np.array([[-1.0, 2.0], [-3.0, -4.0]])).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [-4, -4])
    other = nn.PReLU(2, dtype=np.float64)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(other.weight.data, [0.5, 0.5])
    twin = copy.deepcopy(layer)
    twin.weight.data = np.zeros(2)
    np.testing.assert_array_equal(layer.weight.data, [0.5, 0.5])


# Maxout


def test_maxout_is_the_largest_of_its_pieces():
    layer = nn.Maxout(4, 3, pieces=5, dtype=np.float64, rng=0)
    layer.bias.data = np.random.default_rng(1).normal(size=15)
    for shape in ((4,), (6, 4), (2, 5, 4), (0, 4)):
        x = np.random.default_rng(2).normal(size=shape)
        pieces = [x @ w.T + b for w, b in zip(np.split(layer.weight.data, 5), np.split(layer.bias.data, 5))]
        np.testing.assert_allclose(layer(x).data, np.max(pieces, 0), rtol=1e-13)


def test_gradients_of_maxout():
    layer = nn.Maxout(3, 2, pieces=3, dtype=np.float64, rng=0)
    x, parameters = np.random.default_rng(1).normal(size=(5, 3)), list(layer.parameters())

    def f(x, weight, bias):
        vars(layer).update(weight=weight, bias=bias)  # past the module's guard against replaced parameters
        return layer(x)

    check_gradients(f, x, *[p.data for p in parameters])


def test_each_piece_of_maxout_is_drawn_as_a_weight_of_its_own():
    layer = nn.Maxout(200, 100, pieces=3, init="xavier", rng=0)
    rng = np.random.default_rng(0)
    drawn = [nn.init.initializer("xavier")((100, 200), rng) for _ in range(3)]
    np.testing.assert_array_equal(layer.weight.data, np.concatenate(drawn).astype(np.float32))
    again = nn.Maxout(200, 100, pieces=3, init="xavier", rng=0, dtype=np.float64)
    np.testing.assert_array_equal(layer.weight.data, again.weight.data.astype(np.float32))
    layer.reset_parameters(0)
    np.testing.assert_array_equal(layer.weight.data, again.weight.data.astype(np.float32))


def test_maxout_checks_its_arguments_and_is_described():
    assert repr(nn.Maxout(4, 3)) == "Maxout(4 → 3, pieces=2)"
    assert repr(nn.Maxout(4, 3, 5, bias=False)) == "Maxout(4 → 3, pieces=5, bias=False)"
    for sizes in ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 2.0)):
        with pytest.raises(ValueError, match="must be a positive integer"):
            nn.Maxout(*sizes)
    with pytest.raises(TypeError, match=r"Maxout\(4 → 3, pieces=2\) has float32 parameters and was given float64"):
        nn.Maxout(4, 3)(np.ones((2, 4)))
    layer = nn.Maxout(4, 3, rng=0)
    other = nn.Maxout(4, 3, rng=1)
    other.load_state_dict(layer.state_dict())
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(copy.deepcopy(layer)(x).data, other(x).data)
    assert layer(x).dtype == np.float32


# Modules


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_each_name_stands_for_a_module_that_is_its_function(name):
    module = activation_module(name)
    x = np.linspace(-3, 3, 8, dtype=np.float32)
    function = getattr(nn, name, None)
    if function is not None and name != "prelu":
        np.testing.assert_array_equal(module(x), function(x))
        assert type(activation_module(function)) is type(module)
    assert type(activation_module(type(module))) is type(module)
    assert module(x).dtype == np.float32
    assert repr(copy.deepcopy(module)) == repr(module)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_network_with_each_activation_learns_something(name, dtype):
    model = nn.MLP([3, 4, 2], activation=name, dtype=dtype, rng=0)
    model(np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)).sum().backward()
    for p in model.parameters():
        assert p.grad is not None
        assert p.grad.dtype == dtype
        assert np.isfinite(p.grad).all()


def test_modules_show_and_pass_on_their_options():
    x = np.linspace(-3, 3, 8).reshape(2, 4)
    for module, shown, expected in (
        (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)", nn.leaky_relu(x, 0.2)),
        (nn.ELU(alpha=2.0), "ELU(alpha=2.0)", nn.elu(x, 2.0)),
        (nn.CELU(0.5), "CELU(alpha=0.5)", nn.celu(x, 0.5)),
        (nn.GELU("tanh"), "GELU(approximate='tanh')", nn.gelu(x, "tanh")),
        (nn.Softplus(2.0, 5.0), "Softplus(beta=2.0, threshold=5.0)", nn.softplus(x, 2.0, 5.0)),
        (nn.Hardtanh(-2.0, 0.5), "Hardtanh(min_val=-2.0, max_val=0.5)", nn.hardtanh(x, -2.0, 0.5)),
        (nn.Softmax(axis=0), "Softmax(axis=0)", nn.softmax(x, 0)),
        (nn.LogSoftmax(0), "LogSoftmax(axis=0)", nn.log_softmax(x, 0)),
        (nn.GLU(0), "GLU(axis=0)", nn.glu(x, 0)),
        (nn.ReLU6(), "ReLU6()", nn.relu6(x)),
    ):
        assert repr(module) == shown
        np.testing.assert_array_equal(module(x), expected)


def test_modules_are_compared_by_identity():
    assert nn.ELU() != nn.ELU()
    assert len({nn.ELU(), nn.ELU()}) == 2


def test_impossible_options_are_refused_when_the_module_is_made():
    for make, message in (
        (lambda: nn.GELU("erf"), "approximate must be 'none' or 'tanh', got 'erf'"),
        (lambda: nn.CELU(0.0), "celu needs a positive alpha"),
        (lambda: nn.CELU(float("nan")), "celu needs a positive alpha"),
        (lambda: nn.Softplus(0), "softplus needs a beta that is not 0"),
        (lambda: nn.Hardtanh(1.0, 1.0), r"hardtanh needs min_val < max_val, got 1\.0 and 1\.0"),
    ):
        with pytest.raises(ValueError, match=message):
            make()


def test_children_of_an_mlp_are_named_after_their_class():
    model = nn.MLP([2, 3, 1], activation="leaky_relu", output_activation="log_softmax")
    assert [name for name, _ in model.named_children()] == ["linear1", "leakyrelu1", "linear2", "logsoftmax2"]
    assert isinstance(nn.MLP([2, 3, 1], activation="swish")[1], nn.SiLU)
