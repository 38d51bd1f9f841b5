"""What all optimizers share: groups, penalties, frozen parameters, states that are saved and loaded."""

from copy import deepcopy

import numpy as np
import pytest

import nn
import optim
from autograd import StaleError, Tensor

#: One of each kind, with all the state that it can have.
KINDS = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "NAdam": {"lr": 0.1, "decoupled_weight_decay": True},
    "RAdam": {"lr": 0.1, "betas": (0.8, 0.9)},
    "Adamax": {"lr": 0.1},
    "Adagrad": {"lr": 0.1, "initial_accumulator_value": 0.1, "lr_decay": 0.1},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adadelta": {},
    "Lion": {"lr": 0.1},
}


def pair(*shape):
    rng = np.random.default_rng(0)
    return [Tensor(rng.normal(size=shape), requires_grad=True) for _ in range(2)]


def feed(params, k):
    rng = np.random.default_rng(k)
    for p in params:
        p.grad = rng.normal(size=p.shape).astype(p.dtype)


def make(kind, params, **options):
    return getattr(optim, kind)(params, **{**KINDS[kind], **options})


# Groups


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_is_updated_as_by_an_optimizer_of_its_own(kind):
    a, b = pair(3)
    c, d = pair(3)
    together = make(kind, [{"params": [a]}, {"params": b, "lr": 0.05, "weight_decay": 0.1, "l1": 0.01}])
    apart = [make(kind, [c]), make(kind, [d], lr=0.05, weight_decay=0.1, l1=0.01)]
    for k in range(5):
        feed([a, b], k)
        feed([c, d], k)
        together.step()
        for optimizer in apart:
            optimizer.step()
    np.testing.assert_array_equal(a.data, c.data)
    np.testing.assert_array_equal(b.data, d.data)
    assert (a.data != b.data).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_that_is_added_later_starts_from_the_beginning(kind):
    (a, b), (c, d) = pair(3), pair(3)
    optimizer, first = make(kind, [a]), make(kind, [c])
    feed([a], 0)
    feed([c], 0)
    optimizer.step()
    first.step()
    optimizer.add_param_group({"params": [b], "lr": 0.02})
    second = make(kind, [d], lr=0.02)
    for k in range(3):
        feed([a, b], k)
        feed([c, d], k)
        optimizer.step()
        first.step()
        second.step()
    np.testing.assert_array_equal(a.data, c.data)
    np.testing.assert_array_equal(b.data, d.data)
    assert [state["step"] for state in optimizer.state] == [4, 3]


def test_a_group_that_is_refused_is_not_added():
    a, b = pair(3)
    adam = optim.Adam([a])
    for group, message in [
        ({"params": [a]}, "same parameter twice"),
        ({"params": [b], "momentum": 0.5}, "Adam has no 'momentum'"),
        ({"params": [b], "lr": -1.0}, "learning rate"),
        ({"params": [b], "betas": (0.5, 1.0)}, "betas"),
        ({"params": []}, "no parameters"),
    ]:
        with pytest.raises(ValueError, match=message):
            adam.add_param_group(group)
    with pytest.raises(TypeError, match="a parameter group is a dict"):
        adam.add_param_group([b])
    assert len(adam.param_groups) == len(adam.state) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_learning_rate_that_is_changed_acts_at_the_next_step(kind):
    (a, b) = pair(3)
    optimizer = make(kind, [{"params": [a]}, {"params": [b]}], weight_decay=0.1)
    feed([a, b], 0)
    optimizer.step()
    before = a.data.copy(), b.data.copy()
    optimizer.param_groups[0]["lr"] = 0.0
    feed([a, b], 1)
    optimizer.step()
    np.testing.assert_array_equal(a.data, before[0])
    assert (b.data != before[1]).all()


# Penalties


@pytest.mark.parametrize("penalty", ["weight_decay", "l1"])
def test_a_penalty_in_the_loss_is_a_penalty_of_the_optimizer(penalty):
    """For plain descent: J + (λ/2) ‖w‖² and weight decay λ, J + μ ‖w‖₁ and l1 = μ take the same steps."""
    strength, data = 0.3, np.arange(6.0).reshape(2, 3)
    a, b = Tensor(np.ones(3), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    inside, outside = optim.SGD([a], lr=0.02), optim.SGD([b], lr=0.02, **{penalty: strength})
    for _ in range(30):
        inside.zero_grad()
        outside.zero_grad()
        size = (a * a).sum() / 2 if penalty == "weight_decay" else np.abs(a).sum()
        (((data @ a - 1) ** 2).sum() + strength * size).backward()
        ((data @ b - 1) ** 2).sum().backward()
        inside.step()
        outside.step()
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


def test_weight_decay_for_weights_only():
    layer = nn.Linear(2, 2, rng=0)
    before = layer.weight.data.copy()
    layer.bias.data += 1.0
    groups = [{"params": layer.weight, "weight_decay": 0.5}, {"params": layer.bias}]
    layer.weight.grad, layer.bias.grad = np.zeros((2, 2), np.float32), np.zeros(2, np.float32)
    optim.SGD(groups, lr=0.1).step()
    np.testing.assert_allclose(layer.weight.data, 0.95 * before, rtol=1e-6)
    np.testing.assert_array_equal(layer.bias.data, 1.0)


@pytest.mark.parametrize("kind", ["AdamW", "NAdam", "RAdam", "Lion"])
def test_decoupled_decay_does_not_enter_the_averages(kind):
    a, b = pair(4)
    b.data = a.data
    options = {"decoupled_weight_decay": True} if kind in ("NAdam", "RAdam") else {}
    decaying, other = make(kind, [a], weight_decay=0.5, **options), make(kind, [b], weight_decay=0.0, **options)
    for k in range(5):
        feed([a], k)
        feed([b], k)
        shrunk = a.data * (1 - decaying.param_groups[0]["lr"] * 0.5)
        step = -b.data.copy()
        decaying.step()
        other.step()
        step += b.data
        np.testing.assert_allclose(a.data, shrunk + step, rtol=1e-9)
        np.testing.assert_array_equal(decaying.state[0]["exp_avg"], other.state[0]["exp_avg"])


# Frozen parameters


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_parameter_stays_and_goes_on_where_it_stopped(kind):
    (a, b), (c, _) = pair(3), pair(3)
    optimizer, other = make(kind, [a, b], weight_decay=0.1), make(kind, [c], weight_decay=0.1)
    for k in range(9):
        if k in (3, 6):
            a.requires_grad = not a.requires_grad
        before = a.data.copy(), b.data.copy()
        feed([b], k + 100)
        if 3 <= k < 6:
            optimizer.step()  # with an old gradient of `a` still there
            np.testing.assert_array_equal(a.data, before[0])
        else:
            feed([a], k)
            feed([c], k)
            optimizer.step()
            other.step()
        assert (b.data != before[1]).any()
    np.testing.assert_array_equal(a.data, c.data)
    assert [state["step"] for state in optimizer.state] == [6, 9]


def test_frozen_layers_can_be_given_and_learn_once_they_thaw():
    model = nn.MLP([3, 4, 1], rng=0)
    model.linear1.requires_grad_(False)
    optimizer = optim.Adam(model.parameters())
    x = np.ones((2, 3), np.float32)
    weights = []
    for frozen in (True, False):
        model.linear1.requires_grad_(not frozen)
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()
        weights.append(model.linear1.weight.data.copy())
    assert (weights[0] != weights[1]).any()
    model.requires_grad_(False)
    with pytest.raises(ValueError, match="all parameters of this optimizer are frozen"):
        optim.Adam(model.parameters())


# Writing in place


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_a_step_has_overwritten_are_missed(kind):
    a, b = pair(3)
    y = (a * a).sum()
    feed([a, b], 0)
    array = a.data
    make(kind, [a, b]).step()
    assert a.data is array
    with pytest.raises(StaleError):
        y.backward()


@pytest.mark.parametrize("kind", KINDS)
def test_a_closure_is_evaluated_with_recording_on(kind):
    from autograd import no_grad

    a, _ = pair(3)
    optimizer = make(kind, [a])

    def closure():
        optimizer.zero_grad()
        loss = (a * a).sum()
        loss.backward()
        return loss

    expected = (a.data**2).sum()
    with no_grad():
        assert optimizer.step(closure).item() == expected
    assert optimizer.state[0]["step"] == 1
    assert optimizer.step() is None


# States


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_loaded_goes_on_bit_for_bit(kind, dtype):
    def parameters():
        return [Tensor(p.data.astype(dtype), requires_grad=True) for p in pair(2, 3)]

    first, second = parameters(), parameters()
    optimizer = make(kind, [{"params": [first[0]]}, {"params": [first[1]], "lr": 0.02}], weight_decay=0.01)
    for k in range(20):
        feed(first[: 1 + k % 2], k)
        optimizer.step()
    state = optimizer.state_dict()
    saved = deepcopy(state)
    for p, q in zip(first, second):
        q.data = p.data
    resumed = make(kind, [{"params": [second[0]]}, {"params": [second[1]]}])
    resumed.load_state_dict(state)
    for k in range(20, 40):
        for params, one in ((first, optimizer), (second, resumed)):
            feed(params, k)
            one.step()
    for p, q in zip(first, second):
        np.testing.assert_array_equal(p.data, q.data)
    assert repr(state) == repr(saved)  # neither optimizer has written into it
    assert resumed.param_groups[1]["lr"] == 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_does_not_fit_changes_nothing(kind):
    params = pair(2, 3)
    optimizer = make(kind, [{"params": params[:1]}, {"params": params[1:]}])
    feed(params, 0)
    optimizer.step()
    good = optimizer.state_dict()
    slot = next(name for name in good["state"][0] if name != "step")
    other = optim.SGD(pair(2, 3), lr=0.1, momentum=0.9) if kind != "SGD" else optim.Adam(pair(2, 3))

    def state(k=1, **entry):
        return {**good, "state": {**good["state"], k: {**good["state"].get(k, {}), **entry}}}

    def group(**options):
        return {**good, "param_groups": [good["param_groups"][0], {**good["param_groups"][1], **options}]}

    def without(name):
        return {**good, "state": {1: {key: v for key, v in good["state"][1].items() if key != name}}}

    wrong = [
        None,
        [],
        {},
        {"state": {}},
        other.state_dict(),
        {**good, "state": 3},
        {**good, "state": {1: 3}},
        {**good, "state": {1: [1, 2]}},
        {**good, "param_groups": 3},
        {**good, "param_groups": [1, 2]},
        {**good, "param_groups": good["param_groups"][:1]},
        state(2, step=1),
        state("1", step=1),
        state(step=1.5),
        state(step=-1),
        state(step=None),
        state(step=True),
        without("step"),
        state(**{slot: np.zeros(3)}),
        state(**{slot: np.zeros((2, 3), np.float32)}),
        state(**{slot: None}),
        state(**{slot: "x"}),
        without(slot),
        group(lr=-1.0),
        group(lr="fast"),
        group(lr=None),
        group(lr=float("nan")),
        group(initial_lr=-1.0),
        group(initial_lr="fast"),
        group(more=1),
        group(params=[1, 2]),
        group(params=3),
    ]
    if kind == "NAdam":
        wrong += [state(mu_product="x"), state(mu_product=np.zeros((2, 3))), without("mu_product")]
    for bad in wrong:
        with pytest.raises(ValueError, match=r"state|learning rate|initial_lr|groups"):
            optimizer.load_state_dict(bad)
        assert repr(optimizer.state_dict()) == repr(good)


def test_a_state_from_before_the_first_step_can_be_loaded():
    adam = optim.Adam(pair(3))
    adam.load_state_dict(optim.Adam(pair(3), lr=0.5).state_dict())
    assert adam.param_groups[0]["lr"] == 0.5
    assert adam.state == [{}, {}]


def test_a_slot_that_is_wanted_since_the_last_step_is_saved_too():
    a, _ = pair(3)
    sgd = optim.SGD([a], lr=0.1)
    feed([a], 0)
    sgd.step()
    sgd.param_groups[0]["momentum"] = 0.9
    other = optim.SGD([a], lr=0.1)
    other.load_state_dict(sgd.state_dict())
    np.testing.assert_array_equal(other.state[0]["momentum_buffer"], 0.0)


def test_a_state_does_not_follow_its_parameters_to_another_dtype():
    layer = nn.Linear(2, 1, rng=0)
    adam = optim.Adam(layer.parameters())
    for dtype in (np.float32, np.float64):
        layer.to(dtype)
        (layer(np.ones((1, 2), dtype)) ** 2).sum().backward()
        if dtype == np.float32:
            adam.step()
    before = layer.weight.data.copy()
    with pytest.raises(RuntimeError, match=r"exp_avg as float32\[1, 2\] of a parameter that is now float64"):
        adam.step()
    np.testing.assert_array_equal(layer.weight.data, before)


def test_half_precision_trains():
    w = Tensor(np.array([1.0, -2.0], np.float16), requires_grad=True)
    for kind in KINDS:
        optimizer = make(kind, [w])
        w.grad = np.array([1.0, 2.0], np.float16)
        optimizer.step()
        assert w.dtype == np.float16
