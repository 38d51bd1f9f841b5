"""Optimizers on a device: the steps of the CPU, taken there, with nothing copied and nothing waited for."""

import math

import numpy as np
import pytest
import stand_in

import nn
import optim
from autograd import DeviceError, StaleError, Tensor
from autograd.devices import device_of, move

STEPS = 24

OPTIMIZERS = {
    "SGD": (optim.SGD, {"lr": 0.05}),
    "SGD, L1 and L2": (optim.SGD, {"lr": 0.05, "weight_decay": 0.1, "l1": 0.01}),
    "SGD, ascent": (optim.SGD, {"lr": 0.001, "maximize": True, "momentum": 0.5}),
    "momentum": (optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    "average": (optim.SGD, {"lr": 0.05, "momentum": 0.9, "form": "average", "weight_decay": 0.1}),
    "Nesterov": (optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "Adagrad": (optim.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    "RMSprop": (optim.RMSprop, {"lr": 0.05}),
    "RMSprop, centered": (optim.RMSprop, {"lr": 0.05, "centered": True, "momentum": 0.5, "l1": 0.01}),
    "Adadelta": (optim.Adadelta, {"eps": 1e-3, "weight_decay": 0.1}),
    "Adam": (optim.Adam, {"lr": 0.05}),
    "Adam, amsgrad": (optim.Adam, {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "l1": 0.01}),
    "AdamW": (optim.AdamW, {"lr": 0.05, "weight_decay": 0.1}),
    "Adamax": (optim.Adamax, {"lr": 0.05, "weight_decay": 0.1}),
    "NAdam": (optim.NAdam, {"lr": 0.05, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    "RAdam": (optim.RAdam, {"lr": 0.05, "weight_decay": 0.1}),
    "Lion": (optim.Lion, {"lr": 0.01, "weight_decay": 0.1}),
}


def parameters(device, dtype=np.float64):
    """A matrix, a vector, a number, and a matrix that is not C-contiguous."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((4, 3), (3,), ())]
    found = [Tensor(a, requires_grad=True, device=device) for a in arrays]
    turned = Tensor(rng.normal(size=(3, 4)).astype(dtype), requires_grad=True, device=device)
    turned._array = turned._array.T
    return [*found, turned]


def groups(params, **options):
    return [{"params": params[:2]}, {"params": params[2:], **options}]


def descend(params, optimizer, steps=STEPS):
    """Steps of a training whose gradients do not depend on the order of a sum."""
    for k in range(steps):
        optimizer.zero_grad()
        for n, p in enumerate(params):
            p.grad = np.tanh(p.data * (1 + n) - math.cos(k)) * 0.5
        optimizer.step()


def assert_same(params, others, rtol=1e-12):
    for p, q in zip(params, others, strict=True):
        np.testing.assert_allclose(move(p.data, "cpu"), move(q.data, "cpu"), rtol=rtol, atol=rtol)


def assert_state_is_there(optimizer):
    params = [p for group in optimizer.param_groups for p in group["params"]]
    assert any(optimizer.state)
    for p, state in zip(params, optimizer.state, strict=True):
        for value in state.values():
            if hasattr(value, "dtype"):
                assert device_of(value) == p.device
                assert value.shape == p.shape


def test_every_optimizer_is_here():
    public = {getattr(optim, name) for name in optim.__all__}
    optimizers = {o for o in public if isinstance(o, type) and issubclass(o, optim.Optimizer)}
    assert optimizers - {optim.Optimizer, optim.LBFGS} == {kind for kind, _ in OPTIMIZERS.values()}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)], ids=["float64", "float32"])
def test_steps_are_those_of_the_cpu(name, device, dtype, rtol):
    kind, options = OPTIMIZERS[name]
    there, here = parameters(device, dtype), parameters("cpu", dtype)
    for params in (there, here):
        optimizer = kind(groups(params, weight_decay=0.05, lr=0.02), **options)
        descend(params, optimizer)
        if optimizer.slots(optimizer.param_groups[0]):
            assert_state_is_there(optimizer)
    assert_same(there, here, rtol)
    assert {p.device for p in there} == {Tensor(0.0, device=device).device}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_copies_nothing_and_waits_for_nothing(name):
    kind, options = OPTIMIZERS[name]
    params = parameters("standin")
    optimizer = kind(groups(params, lr=0.02), **options)
    with stand_in.counted() as transfers:
        descend(params, optimizer, 70)  # what is done now and then, too
    assert not transfers


@pytest.mark.parametrize("name", ["momentum", "Adam", "NAdam"])
def test_complex_parameters(name, device):
    kind, options = OPTIMIZERS[name]
    z = np.array([1 + 2j, -0.5j])
    there, here = [Tensor(z, requires_grad=True, device=device)], [Tensor(z, requires_grad=True)]
    for params in (there, here):
        optimizer = kind(params, **options)
        for _ in range(STEPS):
            params[0].grad = params[0].data * (0.5 - 0.1j)
            optimizer.step()
    assert_same(there, here)


def test_a_step_is_a_write_that_a_backward_pass_notices(device):
    w = Tensor([1.0, 2.0], requires_grad=True, device=device)
    stale = (w * w).sum()
    (w * 3.0).sum().backward()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(StaleError):
        stale.backward()


# Moving


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_follows_its_parameters(name, device):
    """Half of the steps on the CPU, the other half on the device, are those of the CPU; and back."""
    kind, options = OPTIMIZERS[name]
    model, other = nn.MLP([2, 3, 1], rng=0), nn.MLP([2, 3, 1], rng=0)
    moving, staying = kind(model.parameters(), **options), kind(other.parameters(), **options)
    for place in ("cpu", device, "cpu"):
        model.to(place)
        descend([*model.parameters()], moving, 8)
        if moving.slots(moving.param_groups[0]):
            assert_state_is_there(moving)
        descend([*other.parameters()], staying, 8)
    assert_same(model.parameters(), other.parameters(), 1e-5)


@pytest.mark.parametrize(("name", "option"), [("RMSprop, centered", "momentum"), ("Adam, amsgrad", "amsgrad")])
def test_what_is_not_used_for_a_while_follows_too(name, option, device):
    kind, options = OPTIMIZERS[name]
    found = []
    for place in (device, "cpu"):
        model = nn.Linear(2, 1, rng=0)
        optimizer = kind(model.parameters(), **options)
        descend([*model.parameters()], optimizer, 3)
        model.to(place)
        for value in (type(options[option])(0), options[option]):
            optimizer.param_groups[0][option] = value
            descend([*model.parameters()], optimizer, 3)
        assert_state_is_there(optimizer)
        found.append([*model.parameters()])
    assert_same(*found, rtol=1e-5)


def test_the_state_follows_from_one_gpu_to_another():
    model = nn.Linear(2, 1, rng=0).to("standin:0")
    adam = optim.Adam(model.parameters())
    descend([*model.parameters()], adam, 2)
    model.to("standin:1")
    descend([*model.parameters()], adam, 2)
    assert {device_of(a) for state in adam.state for a in state.values() if hasattr(a, "dtype")} == {"standin:1"}
    assert [state["step"] for state in adam.state] == [4, 4]


def test_another_dtype_wants_a_new_optimizer(device):
    model = nn.Linear(2, 1, rng=0).to(device)
    adam = optim.Adam(model.parameters())
    descend([*model.parameters()], adam, 2)
    model.to("cpu", np.float64)
    before = model.state_dict()
    with pytest.raises(RuntimeError, match=r"exp_avg as .*float32.* is now float64\[1, 2\].*make a new optimizer"):
        descend([*model.parameters()], adam, 1)
    np.testing.assert_array_equal(model.weight.data, before["weight"])


@pytest.mark.parametrize("name", ["momentum", "Adam, amsgrad", "NAdam", "RMSprop, centered"])
def test_a_state_is_loaded_from_another_device(name, device):
    kind, options = OPTIMIZERS[name]
    for source, target in ((device, "cpu"), ("cpu", device), (device, device)):
        first, second, third = parameters(source), parameters(target), parameters(source)
        saved, never = kind(first, **options), kind(third, **options)
        descend(first, saved, 10)
        descend(third, never, 10)
        loaded = kind(second, **options)
        loaded.load_state_dict(saved.state_dict())
        for p, q in zip(second, first, strict=True):
            p.data = move(q.data, target)
        assert_state_is_there(loaded)
        descend(second, loaded, 10)
        descend(third, never, 10)
        assert_same(second, third)
        assert saved.state[0]["step"] == 10  # the state was copied


@pytest.mark.parametrize("kind", [optim.Adam, optim.LBFGS])
def test_a_state_may_hold_whatever_is_like_an_array(kind, device):
    """Arrays in a file, for instance."""

    class Stored:
        def __init__(self, values):
            self.values, self.shape, self.dtype = values, values.shape, values.dtype

        def __array__(self, dtype=None, copy=None):
            return np.array(self.values, dtype=dtype, copy=copy)

    model = nn.Linear(2, 1, rng=0)

    def closure():
        optimizer.zero_grad()
        loss = (model.weight**2).sum() + model.bias.sum() ** 2
        loss.backward()
        return loss

    optimizer = kind(model.parameters())
    optimizer.step(closure)
    state = optimizer.state_dict()
    saved = {
        k: {name: Stored(a) if isinstance(a, np.ndarray) else a for name, a in entry.items()}
        for k, entry in state["state"].items()
    }
    model.to(device)
    optimizer = kind(model.parameters())
    optimizer.load_state_dict({**state, "state": saved})
    for k, entry in state["state"].items():
        for name, a in entry.items():
            if isinstance(a, np.ndarray):
                assert device_of(optimizer.state[k][name]) == model.weight.device
                np.testing.assert_array_equal(move(optimizer.state[k][name], "cpu"), a)


def test_a_state_dict_stays_on_the_device():
    params = parameters("standin")
    adam = optim.Adam(params)
    descend(params, adam, 2)
    with stand_in.counted() as transfers:
        state = adam.state_dict()
        adam.load_state_dict(state)
    assert not transfers
    assert device_of(state["state"][0]["exp_avg"]) == "standin:0"


# L-BFGS


def rosenbrock(model, optimizer):
    """The loss of a model, as L-BFGS asks for it."""

    def closure():
        optimizer.zero_grad()
        value = ((1 - model.x) ** 2 + 100 * (model.y - model.x**2) ** 2).sum()
        value.backward()
        return value

    return closure


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_is_that_of_the_cpu_and_follows_its_parameters(device, search):
    options = {"lr": 0.02 if search is None else 1.0, "max_iter": 8, "line_search_fn": search}
    found = []
    for places in (("cpu", "cpu"), (device, device), ("cpu", device), (device, "cpu")):
        model = nn.Module()
        model.x, model.y = nn.Parameter(np.array([-1.5, 0.5])), nn.Parameter(np.array([2.0, 1.0]))
        lbfgs = optim.LBFGS(model.parameters(), **options)
        for place in places:
            model.to(place)
            lbfgs.step(rosenbrock(model, lbfgs))
        assert device_of(lbfgs.state[0]["d"]) == model.x.device
        again = optim.LBFGS(model.parameters(), **options)
        again.load_state_dict(lbfgs.state_dict())
        assert device_of(again.state[0]["old_dirs"][0]) == model.x.device
        found.append([move(p.data, "cpu") for p in model.parameters()])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-6)


def test_lbfgs_has_one_direction_and_so_one_device(device):
    elsewhere = "standin" if device == "cpu" else "cpu"
    params = [Tensor(1.0, requires_grad=True, device=device), Tensor(2.0, requires_grad=True, device=elsewhere)]
    lbfgs = optim.LBFGS(params)

    def closure():
        lbfgs.zero_grad()
        loss = params[0] ** 2 + params[1].to(device) ** 2
        loss.backward()
        return loss

    with pytest.raises(DeviceError, match=r"LBFGS got .* gradient 0 on .* gradient 1 on"):
        lbfgs.step(closure)
    assert [p.item() for p in params] == [1.0, 2.0]


# Clipping


GRADIENTS = {
    "usual": [np.array([3.0, -4.0]), np.array([[12.0]])],
    "short": [np.array([0.1]), np.array(0.2)],
    "zero": [np.zeros(2)],
    "none at all": [np.zeros(0)],
    "huge": [np.array([1e200, 1e250]), np.array([3e250])],
    "tiny": [np.array([1e-300, 1e-310])],
    "float32": [np.array([3e38, 1e38], np.float32)],
    "complex": [np.array([3 + 4j, 1.0])],
    "NaN": [np.array([1.0, np.nan]), np.ones(2)],
    "infinite": [np.array([1.0, np.inf]), np.ones(2)],
}


def with_gradients(arrays, device):
    params = [Tensor(np.zeros_like(a), requires_grad=True, device=device) for a in arrays]
    for p, a in zip(params, arrays):
        p.grad = move(a, device)
    return params


@pytest.mark.parametrize("case", GRADIENTS)
@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, math.inf])
def test_a_norm_is_clipped_as_on_the_cpu(case, p, device):
    there, here = (with_gradients(GRADIENTS[case], place) for place in (device, "cpu"))
    with np.errstate(all="ignore"):
        norm, expected = optim.clip_grad_norm_(there, 1.0, p), optim.clip_grad_norm_(here, 1.0, p)
    assert isinstance(expected, float)
    np.testing.assert_allclose(float(norm), expected, rtol=1e-12)
    for q, r in zip(there, here):
        np.testing.assert_allclose(move(q.grad, "cpu"), r.grad, rtol=1e-6 if case == "float32" else 1e-12)
        assert q.grad.dtype == r.grad.dtype


def test_short_gradients_keep_their_bits(device):
    params = with_gradients([np.array([0.1, 0.7]), np.array([0.3], np.float32)], device)
    optim.clip_grad_norm_(params, 1.0)
    np.testing.assert_array_equal(move(params[0].grad, "cpu"), [0.1, 0.7])
    np.testing.assert_array_equal(move(params[1].grad, "cpu"), np.array([0.3], np.float32))


def test_clipping_waits_for_nothing():
    params = with_gradients(GRADIENTS["usual"], "standin")
    with stand_in.counted() as transfers:
        norm = optim.clip_grad_norm_(params, 1.0)
        optim.clip_grad_value_(params, 0.1)
        optim.clip_grad_norm_([], 1.0)
        optim.clip_grad_norm_(params, 1.0, math.inf)
    assert not transfers
    assert device_of(norm) == "standin:0"


def test_a_norm_that_is_not_finite_can_be_refused_anywhere(device):
    params = with_gradients(GRADIENTS["NaN"], device)
    with pytest.raises(RuntimeError, match="is nan"):
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(move(params[1].grad, "cpu"), np.ones(2))


def test_gradients_of_several_devices_have_no_norm(device):
    other = "standin:1" if device == "standin" else "standin"
    params = with_gradients([np.ones(2)], device) + with_gradients([np.ones(2)], other)
    with pytest.raises(DeviceError, match=r"clip_grad_norm_ .* gradient 0 on .* gradient 1 on"):
        optim.clip_grad_norm_(params, 1.0)


def test_values_are_clipped(device):
    params = with_gradients(GRADIENTS["usual"], device)
    optim.clip_grad_value_(params, 3.5)
    np.testing.assert_array_equal(move(params[0].grad, "cpu"), [3.0, -3.5])


# Averages and schedules


def test_averages_are_those_of_the_cpu_and_follow_their_weights(device):
    model, other = nn.MLP([2, 3, 1], rng=0), nn.MLP([2, 3, 1], rng=0)
    moving, staying = (optim.ExponentialMovingAverage(m, decay=0.7, warmup=True) for m in (model, other))
    for place in ("cpu", device):
        model.to(place)
        for m, average in ((model, moving), (other, staying)):
            for _ in range(3):
                descend([*m.parameters()], optim.SGD(m.parameters(), lr=0.1), 1)
                average.update()
    for name, a in moving.averages.items():
        assert device_of(a).partition(":")[0] == device
        np.testing.assert_allclose(move(a, "cpu"), staying.averages[name], rtol=1e-6)
    own = move(model.state_dict()["linear1.weight"], "cpu")
    with moving.swapped():
        found = move(model.linear1.weight.data, "cpu")
        np.testing.assert_allclose(found, staying.averages["linear1.weight"], rtol=1e-6)
    np.testing.assert_array_equal(move(model.linear1.weight.data, "cpu"), own)
    back = optim.ExponentialMovingAverage(nn.MLP([2, 3, 1], rng=1))
    back.load_state_dict(moving.state_dict())
    np.testing.assert_allclose(back.averages["linear1.weight"], staying.averages["linear1.weight"], rtol=1e-6)


def test_an_average_of_another_dtype_is_refused(device):
    model = nn.Linear(2, 1).to(device)
    average = optim.ExponentialMovingAverage(model)
    model.to(np.float64)
    with pytest.raises(RuntimeError, match="make a new average"):
        average.update()


def test_averages_and_schedules_move_nothing():
    model = nn.MLP([2, 3, 1], rng=0).to("standin")
    sgd = optim.SGD(model.parameters(), lr=0.1)
    schedule = optim.CosineAnnealingLR(sgd, 10)
    average = optim.ExponentialMovingAverage(model)
    with stand_in.counted() as transfers:
        for _ in range(4):
            descend([*model.parameters()], sgd, 1)
            schedule.step()
            average.update()
        with average.swapped():
            pass
        average.load_state_dict(average.state_dict())
    assert not transfers
