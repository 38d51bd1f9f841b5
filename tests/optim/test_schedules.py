"""Schedules against PyTorch's, and what they do with states, groups and other hands."""

import json
import warnings

import numpy as np
import pytest

import optim
from autograd import Tensor

#: Name, arguments.
CASES = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.97}),
    ("MultiStepLR", {"milestones": [30, 10, 30, 80], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.5, "total_iters": 40}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 17, "eta_min": 0.001}),
    ("CosineAnnealingWarmRestarts", {"T_0": 9}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 3, "eta_min": 0.001}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 0.5 + 0.5 * (t < 10)]}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 101}),
    ("OneCycleLR", {"max_lr": [0.5, 2.0], "epochs": 11, "steps_per_epoch": 10, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120, "three_phase": True, "pct_start": 0.25, "div_factor": 5.0}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 101, "base_momentum": 0.5, "final_div_factor": 10.0}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 101, "cycle_momentum": False}),
]
IDS = [f"{name}-{k}" for k, (name, _) in enumerate(CASES)]


def two_groups(kind="SGD", lr=0.1, **options):
    a, b = (Tensor([1.0], requires_grad=True) for _ in range(2))
    return getattr(optim, kind)([{"params": [a]}, {"params": [b], "lr": 0.3}], lr=lr, **options)


def same_in_pytorch(kind="SGD", lr=0.1, **options):
    torch = pytest.importorskip("torch")
    a, b = (torch.ones(1, requires_grad=True) for _ in range(2))
    return getattr(torch.optim, kind)([{"params": [a]}, {"params": [b], "lr": 0.3}], lr=lr, **options)


def made(name, optimizer, options):
    return getattr(optim, name)(optimizer, **options)


def theirs(name, optimizer, options):
    import torch

    return getattr(torch.optim.lr_scheduler, name)(optimizer, **options)


def follow(ours, reference, steps=100, rtol=1e-12):
    """Step both schedules, and compare learning rates and momenta each time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of deprecated calls among its own schedules
        for k in range(steps + 1):
            np.testing.assert_allclose(ours.get_last_lr(), reference.get_last_lr(), rtol=rtol, atol=1e-15)
            for group, expected in zip(ours.optimizer.param_groups, reference.optimizer.param_groups):
                for key in ("lr", "momentum", "betas"):
                    assert (key in group) == (key in expected)
                    np.testing.assert_allclose(group.get(key, 0), expected.get(key, 0), rtol=rtol, atol=1e-15)
                assert type(group["lr"]) is float
            if k < steps:
                reference.optimizer.step()
                reference.step()
                ours.step()
    assert ours.last_epoch == steps


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_schedule_is_pytorchs(kind, name, options):
    reference = theirs(name, same_in_pytorch(kind), options)
    follow(made(name, two_groups(kind), options), reference)


def test_a_warm_up_and_then_a_cosine_is_pytorchs():
    def sequence(optimizer, make):
        parts = [make("LinearLR", optimizer, {"start_factor": 0.1, "total_iters": 10})]
        parts += [make("CosineAnnealingLR", optimizer, {"T_max": 60}), make("ExponentialLR", optimizer, {"gamma": 0.9})]
        return make("SequentialLR", optimizer, {"schedulers": parts, "milestones": [10, 70]})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = sequence(same_in_pytorch(), theirs)
    follow(sequence(two_groups(), made), reference)


def test_schedules_that_are_stepped_in_turn_are_multiplied_as_in_pytorch():
    pairs = []
    for optimizer, make in ((two_groups(), made), (same_in_pytorch(), theirs)):
        pairs.append([make("LinearLR", optimizer, {}), make("StepLR", optimizer, {"step_size": 3, "gamma": 0.5})])
    for _ in range(20):
        pairs[1][0].optimizer.step()
        for ours, reference in zip(*pairs):
            ours.step()
            reference.step()
            np.testing.assert_allclose(ours.get_last_lr(), reference.get_last_lr(), rtol=1e-12)


def test_a_learning_rate_that_is_changed_by_hand_keeps_its_ratio():
    optimizer = two_groups()
    schedule = optim.ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.param_groups[1]["lr"] *= 0.1
    schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.025, 0.0075])
    schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.0125, 0.00375])


def test_a_ratio_to_zero_cannot_be_kept():
    optimizer = two_groups()
    schedule = optim.LambdaLR(optimizer, lambda t: float(t != 1))
    schedule.step()
    optimizer.param_groups[1]["lr"] = 0.1
    with pytest.raises(ValueError, match=r"learning rate of group 1 to 0, and 0\.1 has been written"):
        schedule.step()
    assert schedule.last_epoch == 1
    assert schedule.scales == [1.0, 1.0]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(("cooldown", "min_lr"), [(0, 0.0), (3, [0.01, 0.02])])
def test_a_plateau_is_found_as_pytorch_finds_it(mode, threshold_mode, cooldown, min_lr):
    options = {"mode": mode, "threshold_mode": threshold_mode, "cooldown": cooldown, "min_lr": min_lr}
    options |= {"patience": 2, "factor": 0.5, "threshold": 0.01}
    reference = theirs("ReduceLROnPlateau", same_in_pytorch(), options)
    ours = optim.ReduceLROnPlateau(two_groups(), **options)
    rng = np.random.default_rng(0)
    metrics = np.round(np.concatenate([rng.normal(size=60), np.linspace(3, -3, 20), np.zeros(20)]), 1)
    for k, metric in enumerate(metrics):
        metric = np.nan if k in (0, 30) else metric
        ours.step(Tensor(metric) if k % 2 else metric)
        reference.step(metric)
        assert ours.get_last_lr() == reference.get_last_lr()
        assert ours.best == reference.best or k == 0
        assert ours.num_bad_epochs == reference.num_bad_epochs
    assert ours.get_last_lr()[0] < 0.1


def every_schedule(optimizer):
    for name, options in CASES:
        yield made(name, optimizer(), options)
    yield optim.ReduceLROnPlateau(optimizer(), patience=1)
    one = optimizer()
    yield optim.SequentialLR(one, [optim.LinearLR(one), optim.OneCycleLR(one, 0.5, total_steps=60)], milestones=[7])


def stepped(schedule, k):
    schedule.step(k % 3) if isinstance(schedule, optim.ReduceLROnPlateau) else schedule.step()


@pytest.mark.parametrize("k", range(len(CASES) + 2))
def test_a_schedule_that_is_loaded_goes_on_as_it_would_have(k):
    first, second = (list(every_schedule(two_groups))[k] for _ in range(2))
    for n in range(9):
        stepped(first, n)
    text = json.dumps(first.state_dict(), allow_nan=False)
    second.load_state_dict(json.loads(text))
    for n in range(9, 40):
        assert second.get_last_lr() == first.get_last_lr()
        for a, b in zip(first.optimizer.param_groups, second.optimizer.param_groups):
            assert {**a, "params": 0} == {**b, "params": 0}
        stepped(first, n)
        stepped(second, n)
    assert json.loads(json.dumps(second.state_dict())) == second.state_dict() == first.state_dict()


@pytest.mark.parametrize("k", range(len(CASES) + 2))
def test_a_state_that_does_not_fit_changes_nothing(k):
    schedule = list(every_schedule(two_groups))[k]
    stepped(schedule, 0)
    before, good = schedule.state_dict(), schedule.state_dict()
    groups = [dict(group) for group in schedule.optimizer.param_groups]
    wrong = [{}, None, [], "state", {**good, "more": 1}, {key: good[key] for key in list(good)[1:]}]
    for key, value in good.items():
        bad = [None, {}, float("nan"), [1.0], -1, -1.0, "x"]
        if isinstance(value, list):
            bad += [[None] * len(value), value[:-1] if value else [1], ["x"] * len(value), [-1] * (len(value) or 1)]
        free = ("max_lr", "min_lr", "best", "cycle_momentum", "three_phase")
        wrong += [{**good, key: b} for b in bad if not (key in free and isinstance(b, int | float) and b == b)]
    for state in wrong:
        with pytest.raises(ValueError, match=r"."):
            schedule.load_state_dict(state)
        assert schedule.state_dict() == before
        assert [dict(group) for group in schedule.optimizer.param_groups] == groups


def test_a_group_that_is_added_later_is_scheduled_from_then_on():
    optimizer = two_groups()
    schedule = optim.StepLR(optimizer, 2, 0.1)
    schedule.step()
    optimizer.add_param_group({"params": [Tensor([1.0], requires_grad=True)], "lr": 5.0})
    schedule.step()
    np.testing.assert_allclose(schedule.get_last_lr(), [0.01, 0.03, 0.5])
    assert optimizer.param_groups[2]["initial_lr"] == 5.0


def test_the_next_step_of_the_optimizer_takes_the_new_rate():
    w = Tensor([0.0], requires_grad=True)
    optimizer = optim.SGD([w], lr=np.float32(1.0))
    schedule = optim.ExponentialLR(optimizer, 0.5)
    for expected in (-1.0, -1.5, -1.75):
        w.grad = np.ones(1)
        optimizer.step()
        schedule.step()
        assert w.data[0] == expected


def test_an_optimizer_state_fits_with_and_without_a_schedule():
    plain, scheduled = two_groups(), two_groups()
    schedule = optim.StepLR(scheduled, 1)
    schedule.step()
    plain.load_state_dict(scheduled.state_dict())
    assert [group["initial_lr"] for group in plain.param_groups] == [0.1, 0.3]
    plain, state = two_groups(), two_groups().state_dict()
    scheduled.load_state_dict(state)
    schedule.step()  # from what was loaded: 0.1 where the schedule had said 0.01, so ten times what it says now
    np.testing.assert_allclose(schedule.get_last_lr(), [0.01, 0.03])


def test_one_cycle_ends_where_its_steps_end():
    schedule = optim.OneCycleLR(two_groups(), 0.5, total_steps=10, anneal_strategy="linear")
    for _ in range(10):
        schedule.step()
        assert schedule.get_last_lr()[0] > 0
    with pytest.raises(ValueError, match="has 10 steps, and step"):
        schedule.step()
    assert schedule.last_epoch == 10


def test_bad_arguments_are_refused():
    optimizer = two_groups()
    with pytest.raises(TypeError, match="StepLR takes an optimizer, got list"):
        optim.StepLR([1], 2)
    for name, options, message in [
        ("StepLR", {"step_size": 0}, "step_size must be an integer of at least 1"),
        ("StepLR", {"step_size": 2, "gamma": -1.0}, "gamma"),
        ("MultiStepLR", {"milestones": [1.5]}, "a milestone must be an integer"),
        ("MultiStepLR", {"milestones": [-1]}, "a milestone must be an integer of at least 0"),
        ("ExponentialLR", {"gamma": float("nan")}, "gamma"),
        ("LinearLR", {"start_factor": 0.0}, "start_factor"),
        ("LinearLR", {"end_factor": 2.0}, "end_factor"),
        ("CosineAnnealingLR", {"T_max": True}, "T_max"),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}, "T_mult"),
        ("LambdaLR", {"lr_lambda": [lambda t: 1.0]}, "got 1 functions for 2 groups"),
        ("OneCycleLR", {"max_lr": 1.0}, "needs total_steps"),
        ("OneCycleLR", {"max_lr": [1.0], "total_steps": 5}, "max_lr has 1 values for 2 groups"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "pct_start": 2.0}, "pct_start"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "anneal_strategy": "sin"}, "anneal_strategy"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "max_momentum": 1.0}, "max_momentum"),
        ("ReduceLROnPlateau", {"mode": "least"}, "mode"),
        ("ReduceLROnPlateau", {"factor": 1.0}, "factor"),
        ("ReduceLROnPlateau", {"min_lr": [0.1]}, "min_lr has 1 values for 2 groups"),
        ("SequentialLR", {"schedulers": [], "milestones": []}, "0 schedules"),
        ("SequentialLR", {"schedulers": [optim.StepLR(two_groups(), 1)], "milestones": []}, "its own optimizer"),
    ]:
        with pytest.raises(ValueError, match=message):
            made(name, optimizer, options)
    with pytest.raises(ValueError, match="Adagrad has no momentum"):
        optim.OneCycleLR(two_groups("Adagrad"), 1.0, total_steps=5)
    with pytest.raises(TypeError, match="ReduceLROnPlateau"):
        optim.SequentialLR(optimizer, [optim.ReduceLROnPlateau(optimizer)], [])
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.3]
    assert all("momentum" not in group or group["momentum"] == 0 for group in optimizer.param_groups)
