"""When a kernel is taken, and when the text. The stand-in runs kernels on the CPU, as CuPy does on a GPU."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cpp_kernels import COMPILER, on_stand_in
from kernel_cases import OPTIMIZERS, PENALTIES

import autograd
import nn
import optim
from autograd import Tensor, VJPError, checkpoint, define, detect_anomaly, sigmoid
from autograd.devices import LIBRARIES, move
from autograd.formulas import formula
from autograd.kernels import Kernel
from autograd.recorder import source
from autograd.rules import stable
from nn.functional import activations, noise


@pytest.fixture
def launches(monkeypatch):
    """The names of the kernels that the stand-in launches, while it can compile."""
    if COMPILER is None:
        pytest.skip("there is no C++ compiler here")
    counted: Counter[str] = Counter()

    def elementwise(kernel):
        counted[kernel.name] += 1
        return on_stand_in(kernel)

    monkeypatch.setitem(LIBRARIES, "stand_in", replace(LIBRARIES["stand_in"], elementwise=elementwise))
    return counted


def leaf(value, device="standin"):
    return Tensor(move(np.asarray(value), device), requires_grad=True)


def training(device, make, dtype=np.float32):
    """The losses of three steps, and the weights after them."""
    rng = np.random.default_rng(3)
    x = Tensor(rng.normal(size=(6, 4)).astype(dtype)).to(device)
    y = Tensor((rng.random((6, 1)) < 0.5).astype(dtype)).to(device)
    model = nn.Sequential(
        nn.Linear(4, 5, rng=0), nn.LayerNorm(5), nn.SiLU(), nn.Dropout(0.5, rng=1), nn.Linear(5, 1, rng=2)
    )
    model = model.to(dtype).to(device)
    optimizer, losses = make(model.parameters()), []
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.BCEWithLogitsLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {name: p.to("cpu").numpy() for name, p in model.named_parameters()}


def test_a_training_with_kernels_is_the_training_without(launches):
    def make(parameters):
        return optim.AdamW(parameters, lr=0.1)

    losses, weights = training("cpu", make)
    assert not launches
    on_device, their_weights = training("standin", make)
    np.testing.assert_allclose(on_device, losses, rtol=1e-5)
    for name, value in weights.items():
        np.testing.assert_allclose(their_weights[name], value, rtol=1e-4, atol=1e-5)
    assert launches["adam"] == 3 * len(weights)  # one for each parameter and step, with the decay
    for name in ("silu", "silu_x", "dropout", "dropout_x", "logits_cross_entropy", "logits_cross_entropy_z"):
        assert launches[name] == 3
    assert launches["norm_spread"] == launches["norm_affine"] == 3
    assert launches["norm_x"] == launches["norm_weight"] == 3


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("penalties", PENALTIES)
def test_an_optimizer_makes_the_same_steps_on_a_device(name, penalties, launches):
    made, own = OPTIMIZERS[name]
    rng = np.random.default_rng(4)
    start, gradients = rng.normal(size=(3, 4)), rng.normal(size=(4, 3, 4))
    found = []
    for device in ("cpu", "standin"):
        w = leaf(start, device)
        optimizer = made([w], **own, **penalties)
        for g in gradients:
            w.grad = Tensor(g).to(device).data
            optimizer.step()
        found.append(w.to("cpu").numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
    assert launches == {name: 4}


def test_a_moving_average_of_weights_takes_one_launch_for_each(launches):
    found = []
    for device in ("cpu", "standin"):
        model = nn.Linear(3, 2, rng=0).to(device)
        average = optim.ExponentialMovingAverage(model, decay=0.9)
        for _ in range(3):
            model.weight.data = model.weight.data * 1.5
            average.update()
        found.append(move(average.averages["weight"], "cpu"))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    assert launches == {"average": 4}  # the first update is a copy


NORM = "norm_spread norm_affine norm_scale norm_x"
SEVERAL = {
    "softmax": (lambda x, y: nn.softmax(x), "exp_below"),
    "log_softmax": (lambda x, y: nn.log_softmax(x), ""),
    "logsumexp": (lambda x, y: autograd.logsumexp(x, axis=1), "exp_below exp_below logsumexp_a"),
    "glu": (lambda x, y: nn.glu(x), "glu glu_x"),
    "layer_norm": (lambda x, y: nn.functional.layer_norm(x, 6), NORM),
    "rms_norm": (lambda x, y: nn.functional.rms_norm(x, 6, y[0]), NORM),
    "group_norm": (lambda x, y: nn.functional.group_norm(x, 2), NORM),
    "batch_norm": (lambda x, y: nn.functional.standardize(x, y[:1], y[1:2], 0)[0], NORM),
    "cross_entropy": (lambda x, y: nn.functional.cross_entropy(x, y), "soft_targets soft_difference"),
    "leaky_relu": (lambda x, y: nn.leaky_relu(x), "rectify rectify_x"),
    "prelu": (lambda x, y: nn.prelu(x, y[0]), "rectify rectify_x"),
    "relu": (lambda x, y: nn.relu(x), "relu_x"),
    "elu": (lambda x, y: nn.elu(x), "exponential_linear exponential_linear_x"),
    "softplus": (lambda x, y: nn.softplus(x), "smooth_relu smooth_relu_x"),
    "hardtanh": (lambda x, y: nn.hardtanh(x), "bounded_x"),
    "gelu": (lambda x, y: nn.gelu(x), "gaussian_gate gaussian_gate_x"),
    "tanh": (lambda x, y: np.tanh(x), "tanh_x"),
    "huber": (lambda x, y: nn.functional.huber_loss(x, y), "huber huber_d"),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_function_and_its_gradient_on_a_device_launch_kernels(name, dtype, launches):
    function, expected = SEVERAL[name]
    rng = np.random.default_rng(7)
    x, y, g = rng.normal(size=(5, 6)), rng.random((5, 6)), rng.normal(size=(5, 6))
    found = []
    for device in ("cpu", "standin"):
        given = leaf(x.astype(dtype), device)
        value = function(given, move(y.astype(dtype), device))
        weights = g[tuple(slice(n) for n in value.shape)] if value.ndim == 2 else g[0, : value.size]
        value.backward(move(weights.astype(dtype), device))
        found.append([move(value.data, "cpu"), move(given.grad, "cpu")])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-6)
    assert launches == Counter(expected.split())


def test_an_optimizer_with_an_update_of_its_own_does_not_get_the_kernel_of_its_parent(launches):
    class Upwards(optim.SGD):
        def update(self, w, g, slots, c, scratch):
            w += g

    w = leaf(np.zeros(2), "standin")
    w.grad = Tensor(np.ones(2)).to("standin").data
    Upwards([w], lr=1.0).step()
    assert w.to("cpu").numpy().tolist() == [1, 1]
    assert not launches


def test_a_pass_of_higher_order_records_the_rule_and_not_the_kernel(launches):
    x = leaf(np.array([0.3, -2.0]), "standin")
    slope = sigmoid(x).sum().gradient(x, create_graph=True)
    assert launches == {"sigmoid": 1}
    second = slope.sum().gradient(x)
    s = stable.sigmoid(np.array([0.3, -2.0]))
    np.testing.assert_allclose(second.to("cpu").numpy(), s * (1 - s) * (1 - 2 * s), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.bool_])
def test_other_dtypes_take_the_text(dtype, launches):
    x = np.array([0, 1, 1], dtype)
    y = activations.softsign(Tensor(x).to("standin"))
    np.testing.assert_array_equal(y.to("cpu").numpy(), activations.softsign(x))
    assert not launches


def test_operands_of_two_dtypes_take_the_text(launches):
    a, y = np.array([1.0, 2.0], np.float32), np.array([0.5, 0.25])
    loss = nn.functional.squared_error(Tensor(a).to("standin"), Tensor(y).to("standin"))
    assert loss.dtype == np.float64
    assert not launches
    assert nn.functional.squared_error(Tensor(a).to("standin"), 0.5).dtype == np.float32
    assert launches == {"squared_error": 1}


def test_the_shapes_of_a_kernel_are_broadcast_and_its_cotangents_summed(launches):
    a, y = np.random.default_rng(5).normal(size=(3, 1)), np.random.default_rng(6).normal(size=4)
    found = []
    for device in ("cpu", "standin"):
        given = [leaf(value, device) for value in (a, y)]
        nn.functional.squared_error(*given).sum().backward()
        found.append([move(value.grad, "cpu") for value in given])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12)
    assert launches == {"squared_error": 1, "squared_error_a": 1, "squared_error_y": 1}


def test_what_a_kernel_returns_is_checked_as_what_a_rule_returns(monkeypatch):
    def elementwise(kernel):
        return lambda *values: values[0][:1]

    x = leaf(np.zeros(3), "standin")
    y = sigmoid(x).sum()
    monkeypatch.setitem(LIBRARIES, "stand_in", replace(LIBRARIES["stand_in"], elementwise=elementwise))
    with pytest.raises(VJPError, match="sigmoid"):
        y.backward()


def test_profile_anomaly_detection_and_checkpoint_know_kernels(launches):
    x = leaf(np.array([0.5, -1.0]), "standin")
    with autograd.profile() as report, detect_anomaly():
        checkpoint(lambda t: nn.silu(t))(x).sum().backward()
    assert launches["silu_x"] == 1
    assert "silu" in str(report)


def test_numpy_arrays_never_ask_for_a_kernel():
    class Refusing(Kernel):
        __slots__ = ()

        def __call__(self, *values):
            raise AssertionError("NumPy's arrays asked for a kernel")

    def cube(x):
        return x * x * x

    kernels = {
        "y": Refusing("cube", "T x", "T y", "y = x * x * x"),
        "x": Refusing("cube_x", "T g, T x", "T d", "d = g"),
    }
    cube = define(cube, "x -> y", kernels=kernels, x=lambda g, x: g * 3 * x * x)
    x = Tensor([1.0, 2.0], requires_grad=True)
    cube(x).sum().backward()
    assert x.grad.tolist() == [3, 12]
    assert "forward(x_) if x_.__class__ is ndarray or (_done := kernel(x_)) is None else _done" in source(
        cube.primitive
    )
    assert "kernel" not in source(stable.logsumexp.primitive)


@pytest.mark.parametrize(
    ("kernels", "message"),
    [
        ({"z": Kernel("k", "T x", "T y", "y = x")}, "kernel for 'z', which is neither the output nor an input"),
        ({"y": Kernel("k", "T g", "T y", "y = g")}, r"kernel for 'y' takes \['g'\]; it can take \['x'\]"),
        ({"x": Kernel("k", "T g, T x", "T y", "y = g")}, r"kernel for 'x' takes \['x'\]; it can take \['g'\]"),
    ],
)
def test_a_kernel_that_does_not_fit_its_primitive_is_refused(kernels, message):
    with pytest.raises(ValueError, match=message):
        define(lambda x: x, "x -> y", kernels=kernels, x=lambda g: g)


def test_an_operation_with_several_results_has_no_kernel():
    with pytest.raises(ValueError, match="one output"):
        define(lambda x: (x, x), "x -> y, z", kernels={"x": Kernel("k", "T g", "T d", "d = g")}, x=lambda g: g[0])


@pytest.mark.parametrize("inputs", ["x", "float x", "T x,", "T x y", "raw T x"])
def test_a_kernel_with_other_parameters_is_refused(inputs):
    with pytest.raises(ValueError, match="written as 'T x' or 'bool x'"):
        Kernel("k", inputs, "T y", "y = 0")


def test_formulas_are_read_from_the_text():
    assert str(formula(sigmoid, "x")) == "g ∘ y ∘ (1 − y)"
    assert str(formula(nn.functional.squared_error, "y")) == "2 g ∘ (y − a)"


def test_the_scale_and_mask_of_dropout_is_one_kernel_for_forward_and_backward(launches):
    x = leaf(np.ones((4, 5), np.float32), "standin")
    noise.dropout(x, 0.5, rng=0).sum().backward()
    assert launches == {"dropout": 1, "dropout_x": 1}
