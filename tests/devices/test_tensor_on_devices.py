"""What a Tensor does on a device: the same as on the CPU, there, and with nothing moved that nobody asked for."""

import copy
import pickle

import numpy as np
import pytest
import stand_in

import autograd
from autograd import DeviceError, StaleError, Tensor, no_grad
from autograd.devices import device_of, move
from autograd.node import data_of
from autograd.versions import mark_written

VALUES = np.array([0.5, -1.0, 2.0])


def on(device, values=VALUES, **options):
    return Tensor(np.asarray(values), device=device, **options)


def here(value):
    return move(data_of(value), "cpu")


@pytest.fixture
def other(device):
    """Another device than the one that is tested."""
    return "standin" if device == "cpu" else "cpu"


def same(value, expected, device):
    """It is on the device, and has these values."""
    array = data_of(value)
    assert device_of(array).partition(":")[0] == device
    np.testing.assert_array_equal(here(array), expected)


# What it is, and how it gets there


def test_a_tensor_is_made_on_a_device(device):
    t = Tensor([1, 2], dtype=np.float32, requires_grad=True, name="t", device=device)
    same(t, [1, 2], device)
    assert (t.dtype, t.requires_grad, t.name) == (np.float32, True, "t")
    assert t.device.partition(":")[0] == device


def test_a_tensor_of_an_array_of_a_device_stays_there_and_owns_its_memory(device):
    array = move(VALUES.copy(), device)
    for t in (Tensor(array), Tensor(array, device=device), Tensor(Tensor(array)), Tensor(array, dtype=np.float64)):
        t.data -= t.data
        same(t, np.zeros(3), device)
    same(array, VALUES, device)


def test_making_one_on_a_device_moves_the_values_once():
    with stand_in.counted() as transfers:
        Tensor([1.0, 2.0], device="standin:1")
    assert transfers == {"to device": 1}


def test_moving_and_its_short_names(device):
    t = Tensor(VALUES, requires_grad=True)
    there = t.to(device)
    same(there, VALUES, device)
    assert there.to(device) is there
    assert there.to(there.device) is there
    same(there.cpu(), VALUES, "cpu")
    assert t.cpu() is t


def test_cuda_is_to_cuda(monkeypatch):
    asked = []
    monkeypatch.setattr(Tensor, "to", lambda t, device: asked.append(device))
    Tensor(1.0).cuda()
    Tensor(1.0).cuda(1)
    assert asked == ["cuda", "cuda:1"]


def test_gradients_flow_back_to_where_their_tensor_is(device, other):
    t, u = on(device, requires_grad=True), on(other, requires_grad=True)
    (np.sin(t.to(other)) * u).sum().backward()
    same(t.grad, np.cos(VALUES) * VALUES, device)
    same(u.grad, np.sin(VALUES), other)


def test_a_move_is_one_copy():
    t = Tensor(VALUES, requires_grad=True)
    with stand_in.counted() as transfers:
        t.to("standin").sum().backward()
    assert transfers == {"to device": 1, "to host": 1}


def test_from_one_device_to_another_of_the_same_kind():
    t = on("standin:0", requires_grad=True)
    u = t.to("standin:1")
    assert u.device == "standin:1"
    (u * u).sum().backward()
    assert device_of(t.grad) == "standin:0"
    same(t.grad, 2 * VALUES, "standin")


@pytest.mark.parametrize("name", ["standin:7", "standin:", "standin:x", "nowhere", "STANDIN"])
def test_a_device_that_is_none_is_refused_when_a_tensor_is_made(name):
    with pytest.raises(DeviceError, match="device"):
        Tensor([1.0], device=name)


# Out of the Tensor


def test_values_come_out(device):
    t = on(device)
    assert isinstance(t.numpy(), np.ndarray)
    np.testing.assert_array_equal(t.numpy(), VALUES)
    assert t.tolist() == VALUES.tolist()
    one = t[2]
    assert (one.item(), float(one), int(one), complex(one), bool(one), f"{one:.1f}") == (
        2.0,
        2.0,
        2,
        2 + 0j,
        True,
        "2.0",
    )
    assert [float(v) for v in t] == VALUES.tolist()
    assert 2.0 in t
    assert 3.0 not in t
    assert [10, 20, 30][on(device, 1)] == 20


def test_a_shape_is_known_without_a_look_at_the_values():
    t = Tensor(np.zeros((2, 3)), device="standin")
    with stand_in.counted() as transfers:
        assert (t.shape, t.ndim, t.size, t.nbytes, len(t), t.dtype) == ((2, 3), 2, 6, 48, 2, np.float64)
        assert t.device == "standin:0"
        assert len([*t]) == 2
    assert not transfers


def test_what_is_shown_names_the_device(device):
    t = on(device, requires_grad=True, name="t")
    for text in (repr(t), t._repr_html_()):
        assert "0.5" in text
        assert (t.device in text) is (device != "cpu")


def test_a_copy_stays_on_the_device_and_costs_no_transfer(device):
    t = on(device, requires_grad=True, name="t")
    with stand_in.counted() as transfers:
        u = copy.deepcopy(t)
    assert not transfers
    same(u, VALUES, device)
    assert (u.requires_grad, u.name, u.device) == (True, "t", t.device)
    with no_grad():
        u -= u
    same(t, VALUES, device)


def test_what_is_pickled_comes_back_to_the_device(device):
    t = pickle.loads(pickle.dumps(on(device, requires_grad=True, name="t")))
    same(t, VALUES, device)
    assert (t.requires_grad, t.name) == (True, "t")


# Gradients


def test_gradients_are_where_their_tensors_are(device):
    t = on(device, requires_grad=True)
    (t * t).sum().backward()
    (t * t).sum().backward()
    same(t.grad, 4 * VALUES, device)


def test_a_backward_pass_moves_nothing():
    t = on("standin", requires_grad=True)
    with stand_in.counted() as transfers:
        y = np.tanh(t @ t) * t + np.where(t > 0, t, -t).mean()
        y.sum().backward()
        y.detach()
        t.grad = t.grad
        t.grad = None
    assert not transfers


def test_a_gradient_of_another_device_is_refused(device, other):
    t = on(device, requires_grad=True)
    t.grad = move(VALUES, device)
    with pytest.raises(
        DeviceError, match=r"\.grad got operands of different devices, the gradient on .* the Tensor on"
    ):
        t.grad = move(np.zeros(3), other)
    same(t.grad, VALUES, device)


def test_a_cotangent_of_another_device_is_refused(device, other):
    t = on(device, requires_grad=True)
    y = t * t
    for cotangent in (move(VALUES, other), on(other)):
        with pytest.raises(DeviceError, match=r"the cotangent on .* and the output on"):
            y.backward(cotangent)
        with pytest.raises(DeviceError, match=r"the cotangent on .* and the output on"):
            y.gradient(t, cotangent=cotangent)
    assert t.grad is None
    y.backward(move(VALUES, device))
    same(t.grad, 2 * VALUES * VALUES, device)


def test_numbers_are_no_arrays_of_the_cpu(device):
    t = on(device, requires_grad=True)
    (t * t).backward([1.0, 0.0, 2.0])
    same(t.grad, 2 * VALUES * [1, 0, 2], device)
    t.data = [3.0, 2.0, 1.0]
    same(t, [3, 2, 1], device)


def test_hooks_get_arrays_of_the_device(device):
    t = on(device, requires_grad=True)
    seen = []
    t.register_hook(lambda g: seen.append(device_of(g)) or 2 * g)
    y = t * 3.0
    y.retain_grad()
    y.sum().backward()
    assert seen == [t.device]
    same(t.grad, np.full(3, 6.0), device)
    same(y.grad, np.ones(3), device)


# Values that change


def test_values_are_replaced_and_written_in_place(device):
    t = on(device, requires_grad=True)
    array = t.data
    t.data = move(2 * VALUES, device)
    t.data -= move(VALUES, device)
    same(t, VALUES, device)
    with no_grad():
        t += 1.0
        t *= move(np.full(3, 2.0), device)
        t[0] = 7.0
        t[1:] = move(np.zeros(2), device)
    same(t, [7, 0, 0], device)
    assert t.data is array


def test_values_of_another_device_are_refused_and_nothing_is_written(device, other):
    t, wrong = on(device, requires_grad=True), move(np.zeros(3), other)
    with pytest.raises(DeviceError, match=r"the value on .* and the Tensor on"):
        t.data = wrong
    with no_grad():
        with pytest.raises(DeviceError, match=r"the Tensor on .* and the value on"):
            t -= wrong
        with pytest.raises(DeviceError, match=r"the Tensor on .* and the value on"):
            t[:] = wrong
    y = t * 1.0
    with pytest.raises(DeviceError, match="setitem got operands of different devices"):
        y[:] = on(other)
    same(t, VALUES, device)
    same(y, VALUES, device)


def test_setting_elements_makes_a_new_value(device):
    t, v = on(device, requires_grad=True), on(device, 3.0, requires_grad=True)
    y = t * 1.0
    y[1] = v
    (y * y).sum().backward()
    same(y, [0.5, 3.0, 2.0], device)
    same(t.grad, [1.0, 0.0, 4.0], device)
    same(v.grad, 6.0, device)


@pytest.mark.parametrize(
    "view", [lambda t: t, lambda t: t.reshape(3, 1), lambda t: t[1:]], ids=["whole", "reshaped", "part"]
)
def test_a_stale_value_is_noticed(device, view):
    t = on(device, requires_grad=True)
    y = np.exp(view(t) * view(t)).sum()
    before = t.version
    with no_grad():
        t -= 0.5
    assert t.version > before
    with pytest.raises(StaleError, match="overwritten in place"):
        y.backward()


def test_a_stamp_goes_with_its_memory(device):
    first = on(device, requires_grad=True)
    mark_written(first.data)
    del first
    assert on(device).version == 0


# Two devices


MIXED = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "matmul": lambda a, b: a @ b,
    "maximum": np.maximum,
    "concatenate": lambda a, b: np.concatenate([a, b]),
    "stack": lambda a, b: np.stack([a, b]),
    "where": lambda a, b: np.where(a > 0, a, b),
    "einsum": lambda a, b: np.einsum("i,i", a, b),
    "equal": lambda a, b: a == b,
    "less": lambda a, b: a < b,
    "floor_divide": lambda a, b: a // b,
    "isclose": np.isclose,
}


@pytest.mark.parametrize("operation", MIXED)
def test_operands_of_two_devices_are_refused_with_a_remedy(operation, device, other):
    call = MIXED[operation]
    a, b = on(device, requires_grad=True), move(np.ones(3), other)
    for pair in ((a, b), (a, Tensor(b)), (Tensor(b), a)):
        with pytest.raises(DeviceError) as caught:
            call(*pair)
        text = str(caught.value)
        assert operation in text
        assert f"on {a.device!r}" in text
        assert f"on {device_of(b)!r}" in text
        assert "`.to(" in text


def test_two_gpus_are_two_devices():
    a, b = on("standin:0", requires_grad=True), on("standin:1")
    for call in (lambda: a + b, lambda: b * a, lambda: np.concatenate([a, b]), lambda: a == b):
        with pytest.raises(DeviceError, match=r"on 'standin:0' .* on 'standin:1'|on 'standin:1' .* on 'standin:0'"):
            call()
    with pytest.raises(DeviceError, match=r"the gradient on 'standin:1' .* the Tensor on 'standin:0'"):
        a.grad = b.data
    with pytest.raises(DeviceError, match=r"the cotangent on 'standin:1' .* the output on 'standin:0'"):
        (a * a).backward(b)
    with pytest.raises(DeviceError, match=r"the value on 'standin:1' .* the Tensor on 'standin:0'"):
        a.data = b
    with pytest.raises(DeviceError, match=r"getitem .* x on 'standin:0' .* key on 'standin:1'"):
        a[Tensor([0], device="standin:1")]


# Functions of functions


def f(x):
    return (np.sin(x) * x**3).sum()


@pytest.mark.parametrize("transform", ["grad", "jacobian", "hessian", "elementwise_grad", "value_and_grad"])
def test_transforms_stay_on_the_device(device, transform):
    there = getattr(autograd, transform)(f)(move(VALUES, device))
    expected = getattr(autograd, transform)(f)(VALUES)
    for found, wanted in zip(there, expected) if isinstance(there, tuple) else [(there, expected)]:
        assert device_of(data_of(found)).partition(":")[0] == device
        np.testing.assert_allclose(here(found), wanted, rtol=1e-12)


def test_products_with_derivatives_stay_on_the_device(device):
    x, v = move(VALUES, device), move(np.ones(3), device)
    hvp = autograd.hessian_vector_product(f)(x, v)
    np.testing.assert_allclose(here(hvp), autograd.hessian(f)(VALUES) @ np.ones(3), rtol=1e-12)
    vjp, value = autograd.make_vjp(np.sin)(x)
    np.testing.assert_allclose(here(vjp(v)), np.cos(VALUES), rtol=1e-12)
    value, tangent = autograd.make_jvp(np.sin)(x)(v)
    np.testing.assert_allclose(here(tangent), np.cos(VALUES), rtol=1e-12)
    np.testing.assert_allclose(here(value), np.sin(VALUES), rtol=1e-12)


def test_a_cotangent_or_tangent_of_another_device_is_refused(device, other):
    x, wrong = move(VALUES, device), move(np.ones(3), other)
    for call in (
        lambda: autograd.make_vjp(np.sin)(x)[0](wrong),
        lambda: autograd.make_jvp(np.sin)(x)(wrong),
        lambda: autograd.hessian_vector_product(f)(x, wrong),
    ):
        with pytest.raises(DeviceError, match=r"the (co)?tangent on .* and what it is for on"):
            call()
    same(autograd.make_vjp(np.sin)(x)[0]([0.0, 0.0, 0.0]), np.zeros(3), device)


def test_third_derivatives(device):
    x = on(device, requires_grad=True)
    g = (x**4).sum().gradient(x, create_graph=True)
    h = g.sum().gradient(x, create_graph=True)
    same(h.sum().gradient(x), 24 * VALUES, device)


def test_a_checkpoint_computes_again_on_the_device(device):
    t = on(device, requires_grad=True)
    with stand_in.counted() as transfers:
        autograd.checkpoint(f)(t).backward()
    assert not transfers
    expected = on("cpu", requires_grad=True)
    f(expected).backward()
    np.testing.assert_allclose(here(t.grad), expected.grad, rtol=1e-12)


def test_a_checkpoint_of_a_random_function_is_found_out_without_waiting(device):
    scales = iter([1.0, 2.0])
    t = on(device, requires_grad=True)
    y = autograd.checkpoint(lambda x: (np.sin(x) * next(scales)).sum())(t)
    if device == "cpu":
        with pytest.raises(RuntimeError, match="another result than at first"):
            y.backward()
    else:
        y.backward()
        assert np.isnan(here(t.grad)).all()


def test_gradients_are_checked_on_the_cpu(device):
    if device == "cpu":
        autograd.check_gradients(f, on(device))
        return
    for x in (on(device), on(device).data):
        with pytest.raises(DeviceError, match=r"on the CPU, .* with t.cpu\(\)"):
            autograd.check_gradients(f, x)


def test_an_anomaly_is_found_and_shown(device):
    t = on(device, [1.0, 0.0], requires_grad=True)
    with np.errstate(divide="ignore"), autograd.detect_anomaly():
        with pytest.raises(autograd.AnomalyError, match=r"log returned .*1 of 2, the first at index \(1,\): -inf"):
            np.log(t)
        with pytest.raises(autograd.AnomalyError, match=r"sqrt .* returned a cotangent"):
            np.sqrt(t).sum().backward()


# Looking at a tape


def test_a_tape_is_looked_at_without_its_values():
    t = on("standin", requires_grad=True, name="t")
    y = f(t)
    with stand_in.counted() as transfers:
        repr(autograd.Tape(y))
        autograd.Tape(y)._repr_html_()
        str(autograd.draw(y))
        str(autograd.explain(y))
    assert not transfers


def test_values_come_over_when_they_are_shown(device):
    with stand_in.counted() as transfers, autograd.keep_values():
        y = f(on(device, requires_grad=True, name="t"))
    transfers.pop("to device", None)
    assert not transfers
    assert "0.5" in autograd.view(y)._repr_html_()


def test_a_profile_measures_what_a_device_does(device):
    t = on(device, requires_grad=True)
    with autograd.profile() as profile:
        f(t).backward()
    assert "sin" in str(profile)


def test_a_tensor_on_a_device_does_not_become_a_numpy_array_unasked():
    t = Tensor([1.0, 2.0], device="standin")
    with stand_in.counted() as transfers, pytest.raises(TypeError, match=r"on 'standin:0'.*write t.numpy\(\)"):
        np.asarray(t)
    assert not transfers
    assert t.numpy().tolist() == [1.0, 2.0]
