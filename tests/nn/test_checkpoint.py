"""Checkpoints: that a training resumes bit for bit, and that nothing is half loaded."""

import math
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import nn
import optim
from nn import files
from nn.checkpoint import _KEY, pack

KINDS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


class Decay:
    """A schedule: the contract, and nothing else."""

    def __init__(self, optimizer, factor):
        self.optimizer, self.factor, self.steps = optimizer, factor, 0
        self.rates = np.array([optimizer.param_groups[0]["lr"]])

    def step(self):
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] *= self.factor
        self.rates = np.append(self.rates, self.optimizer.param_groups[0]["lr"])

    def state_dict(self):
        return {"steps": self.steps, "rates": self.rates.copy(), "bounds": (0.0, math.inf)}

    def load_state_dict(self, state):
        if state.keys() != {"steps", "rates", "bounds"}:
            raise ValueError(f"this is not the state of a Decay: {sorted(state)}")
        self.steps, self.rates = state["steps"], state["rates"]
        self.optimizer.param_groups[0]["lr"] = self.rates[-1]


class Training:
    """A model, what trains it, and all that it draws from."""

    def __init__(self, seed=0, optimizer=optim.Adam, hidden=8):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(40, 5)).astype(np.float32)
        y = (x.sum(1, keepdims=True) > 0).astype(np.float32)
        self.noise = np.random.default_rng(seed)
        self.loader = nn.DataLoader((x, y), batch_size=7, shuffle=True, rng=seed)
        self.model = nn.Sequential(
            nn.Linear(5, hidden, rng=seed),
            nn.BatchNorm1d(hidden),
            nn.ReLU(),
            nn.Dropout(0.3, rng=seed),
            nn.Linear(hidden, 1, rng=seed),
        )
        parameters = list(self.model.parameters())
        groups = [{"params": parameters[:2], "lr": np.float64(0.02)}, {"params": parameters[2:]}]
        self.optimizer = optimizer(groups, lr=0.01)
        self.schedule = Decay(self.optimizer, 0.9)

    @property
    def parts(self):
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "loader": self.loader,
            "generators": {"noise": self.noise},
        }

    def epochs(self, n):
        loss = nn.BCEWithLogitsLoss()
        for _ in range(n):
            for x, y in self.loader:
                x = x + 0.1 * self.noise.normal(size=x.shape).astype(np.float32)
                self.optimizer.zero_grad()
                loss(self.model(x), y).backward()
                self.optimizer.step()
            self.schedule.step()
        return self

    def everything(self):
        """All state, as bytes."""
        generators = [*self.model.named_generators(), ("loader", self.loader.rng), ("noise", self.noise)]
        return bits(
            [
                self.model.state_dict(),
                self.optimizer.state_dict(),
                self.schedule.state_dict(),
                [(name, rng.bit_generator.state) for name, rng in generators],
            ]
        )


def bits(state):
    arrays, text = pack(state)
    return text, {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in arrays.items()}


# Resuming


def test_a_training_resumes_bit_for_bit_in_another_process(tmp_path):
    whole = Training().epochs(4)
    half = Training().epochs(2)
    nn.save_checkpoint(tmp_path / "half", **half.parts, epoch=2)
    assert half.everything() != whole.everything()
    command = [sys.executable, __file__, str(tmp_path / "half"), str(tmp_path / "whole")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    resumed = Training(seed=2)
    assert nn.load_checkpoint(tmp_path / "whole", **resumed.parts) == {"epoch": 4}
    assert resumed.everything() == whole.everything()
    assert half.epochs(2).everything() == whole.everything()  # to save changes nothing


def resume(before, after):
    training = Training(seed=1)
    epoch = nn.load_checkpoint(before, **training.parts)["epoch"]
    training.epochs(4 - epoch)
    nn.save_checkpoint(after, **training.parts, epoch=4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_generator_goes_on_with_the_same_numbers(tmp_path, kind):
    first, second = (np.random.Generator(getattr(np.random, kind)(seed)) for seed in (0, 1))
    first.random(13)
    first.integers(0, 9, 3, dtype=np.uint32)  # leaves half of a 64-bit number
    model = nn.Linear(1, 1)
    nn.save_checkpoint(tmp_path / "c", model=model, generators={"a": first})
    expected = first.random(2000), first.integers(0, 9, 7, dtype=np.uint32), first.normal(size=9)
    nn.load_checkpoint(tmp_path / "c", model=model, generators={"a": second})
    for a, b in zip(expected, (second.random(2000), second.integers(0, 9, 7, dtype=np.uint32), second.normal(size=9))):
        np.testing.assert_array_equal(a, b)


def test_generators_that_were_one_are_one_again(tmp_path):
    def made(seed):
        rng = np.random.default_rng(seed)
        return nn.Sequential(nn.Dropout(rng=rng), nn.Dropout(rng=rng))

    def draw(model):
        return [layer.rng.random() for layer in model]

    old, new = made(0), made(1)
    nn.save_checkpoint(tmp_path / "c", model=old)
    nn.load_checkpoint(tmp_path / "c", model=new)
    assert draw(old) == draw(new)
    apart = nn.Sequential(nn.Dropout(rng=0), nn.Dropout(rng=1))
    with pytest.raises(ValueError, match=r"it has states of generators, none of model\.1\.rng\."):
        nn.load_checkpoint(tmp_path / "c", model=apart)
    nn.save_checkpoint(tmp_path / "c", model=nn.Dropout(rng=0), generators={"a": np.random.default_rng(1)})
    shared = nn.Dropout(rng=3)
    with pytest.raises(ValueError, match="which generators are one and the same was different"):
        nn.load_checkpoint(tmp_path / "c", model=shared, generators={"a": shared.rng})


def test_generators_that_were_one_in_another_way_are_refused(tmp_path):
    x, y = np.random.default_rng(0), np.random.default_rng(1)
    nn.save_checkpoint(tmp_path / "c", model=nn.ReLU(), generators={"a": x, "b": x, "c": y})
    state = bits([x.bit_generator.state, y.bit_generator.state])
    with pytest.raises(ValueError, match="which generators are one and the same was different"):
        nn.load_checkpoint(tmp_path / "c", model=nn.ReLU(), generators={"a": x, "b": y, "c": y})
    assert bits([x.bit_generator.state, y.bit_generator.state]) == state
    nn.load_checkpoint(tmp_path / "c", model=nn.ReLU(), generators={"a": y, "b": y, "c": x})
    assert bits([y.bit_generator.state, x.bit_generator.state]) == state


@pytest.mark.parametrize("optimizer", [optim.SGD, optim.Adam, optim.AdamW])
def test_an_optimizer_that_has_not_begun_and_one_that_has_come_back(tmp_path, optimizer):
    for epochs in (0, 1):
        first, second = Training(0, optimizer).epochs(epochs), Training(1, optimizer).epochs(2)
        nn.save_checkpoint(tmp_path / "c", **first.parts)
        assert nn.load_checkpoint(tmp_path / "c", **second.parts) == {}
        assert first.everything() == second.everything()
        assert first.epochs(1).everything() == second.epochs(1).everything()


@pytest.mark.parametrize(
    "schedule",
    [
        lambda adam: optim.ExponentialLR(adam, 0.7),
        lambda adam: optim.CosineAnnealingLR(adam, 3),
        lambda adam: optim.OneCycleLR(adam, 0.1, total_steps=9),
        lambda adam: optim.SequentialLR(adam, [optim.LinearLR(adam), optim.StepLR(adam, 1)], [2]),
    ],
)
def test_schedules_resume(tmp_path, schedule):
    first, second = Training(0), Training(1)
    for training in (first, second):
        training.schedule = schedule(training.optimizer)
    first.epochs(3)
    nn.save_checkpoint(tmp_path / "c", **first.parts)
    nn.load_checkpoint(tmp_path / "c", **second.parts)
    for training in (first, second):
        training.epochs(2)
    assert first.everything() == second.everything()


def test_what_is_saved_besides_comes_back(tmp_path):
    extra = {
        "epoch": 3,
        "history": {"loss": [0.5, math.inf, -0.0], "confusion": [np.eye(2, dtype=np.int64)]},
        "best": (None, True, 5e-324, 2**200, np.float32(0.1)),
        "ünï": "\ud800\n\0",
    }
    nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1), **extra)
    found = nn.load_checkpoint(tmp_path / "c", model=nn.Linear(1, 1))
    assert bits(found) == bits(extra)
    assert type(found["best"][-1]) is np.float32
    found["history"]["confusion"][0] += 1  # nobody else's


def test_the_file_can_be_read_as_safetensors(tmp_path):
    training = Training().epochs(1)
    nn.save_checkpoint(tmp_path / "c", **training.parts)
    arrays, _ = files.read(tmp_path / "c")
    np.testing.assert_array_equal(arrays["model.0.weight"], training.model[0].weight.data)
    assert "optimizer.state.state.0.exp_avg" in arrays
    assert list(nn.read_metadata(tmp_path / "c")) == [_KEY]


# Nothing is half loaded


def refused(path, parts, message, everything):
    before = everything()
    with pytest.raises(ValueError, match=message) as caught:
        nn.load_checkpoint(path, **parts)
    assert str(path) in str(caught.value)
    assert everything() == before


@pytest.fixture
def saved(tmp_path):
    nn.save_checkpoint(tmp_path / "c", **Training(1).epochs(1).parts)
    return tmp_path / "c"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": None}, "state of an object optimizer, Adam: pass it as optimizer="),
        ({"schedule": None}, "state of an object schedule, Decay"),
        ({"loader": None}, r"states of generators, of loader\.rng, not given"),
        ({"generators": {}}, r"states of generators, of generators\.noise, not given"),
        ({"generators": {"noice": np.random.default_rng(0)}}, r"of generators\.noise, not given and none of .*noice"),
        (
            {"generators": {"noise": np.random.Generator(np.random.MT19937(0))}},
            r"a state of PCG64 for generators\.noise, which draws from MT19937",
        ),
        ({"model": nn.Sequential(nn.Linear(5, 8), nn.Dropout())}, "states of generators"),
    ],
)
def test_objects_other_than_those_that_were_saved_are_refused(saved, change, message):
    training = Training().epochs(1)
    refused(saved, {**training.parts, **change}, message, training.everything)


def test_a_model_of_another_shape_is_refused(saved):
    training = Training(hidden=9).epochs(1)
    refused(saved, training.parts, r"0\.weight: expected float32\[9, 5\], got float32\[8, 5\]", training.everything)


def test_another_optimizer_is_refused_also_one_with_the_same_hyper_parameters(saved):
    for other in (optim.AdamW, optim.SGD):
        training = Training(0, other).epochs(1)
        message = f"its optimizer is of class Adam, the one here is of class {other.__name__}"
        refused(saved, training.parts, message, training.everything)


def test_an_optimizer_over_other_groups_is_refused_and_the_model_is_as_it_was(saved):
    training = Training()
    training.optimizer = optim.Adam(training.model.parameters())
    refused(saved, training.parts, r"groups of \[6\] parameters", training.everything)


@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, KeyboardInterrupt])
@pytest.mark.parametrize("name", ["schedule", "optimizer"])
def test_if_a_later_object_refuses_the_earlier_ones_are_as_they_were(saved, error, name, monkeypatch):
    training = Training().epochs(1)
    training.optimizer.param_groups[0]["lr"] = 0.123  # not what the schedule has set last
    part = getattr(training, name)
    calls, load = [], part.load_state_dict

    def refuse(state):
        calls.append(state)
        if len(calls) > 1:  # its own
            return load(state)
        load(state)  # half loaded, at worst
        raise error("not this one")

    monkeypatch.setattr(part, "load_state_dict", refuse)
    before = training.everything()
    with pytest.raises(error if error is KeyboardInterrupt else ValueError, match="not this one"):
        nn.load_checkpoint(saved, **training.parts)
    assert training.everything() == before
    assert len(calls) == 2


def test_a_learning_rate_that_was_changed_by_hand_comes_back(tmp_path):
    first, second = Training(0).epochs(1), Training(1)
    first.optimizer.param_groups[0]["lr"] *= 0.3
    nn.save_checkpoint(tmp_path / "c", **first.parts)
    nn.load_checkpoint(tmp_path / "c", **second.parts)
    assert first.everything() == second.everything()


def test_what_a_training_has_and_the_file_has_not_is_refused(tmp_path):
    nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1))
    model = nn.Linear(1, 1)
    for name, part in (
        ("optimizer", optim.SGD(model.parameters(), lr=1.0)),
        ("schedule", Decay(optim.SGD(model.parameters(), lr=1.0), 1)),
    ):
        with pytest.raises(ValueError, match=f"it has no {name}; it was saved without"):
            nn.load_checkpoint(tmp_path / "c", model=model, **{name: part})


def test_weights_alone_and_missing_files_are_said_to_be_no_checkpoint(tmp_path):
    nn.save_weights(nn.Linear(1, 1), tmp_path / "w")
    with pytest.raises(ValueError, match=r"is not a checkpoint.*nn\.load_weights"):
        nn.load_checkpoint(tmp_path / "w", model=nn.Linear(1, 1))
    with pytest.raises(FileNotFoundError):
        nn.load_checkpoint(tmp_path / "missing", model=nn.Linear(1, 1))


def test_what_cannot_be_kept_is_refused_with_its_place_and_the_old_file_stays(tmp_path):
    nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1))
    old = (tmp_path / "c").read_bytes()
    for extra, message in (
        ({"log": {"files": [open]}}, r"extra\.log\.files\.0 is of type builtin_function_or_method"),
        ({"counts": Counter("a")}, r"extra\.counts is of type Counter"),
        ({"table": {(1, 2): 3}}, r"extra\.table has a key \(1, 2\)"),
        ({"loss": nn.Parameter(1.0)}, r"extra\.loss is of type Parameter"),
        ({"name": np.str_("a")}, r"extra\.name is of type str_"),
        ({"names": np.array(["a"])}, r"extra\.names is <U1"),
        ({"signal": [np.zeros(2, complex)]}, r"extra\.signal\.0 is complex128"),
        ({"generators": {"a": np.random.RandomState(0)}}, r"generators\.a must be a numpy\.random\.Generator"),
    ):
        with pytest.raises(TypeError, match=message):
            nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1), **extra)
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        nn.save_checkpoint(tmp_path / "c", model=nn.Linear(1, 1), loop=loop)
    assert (tmp_path / "c").read_bytes() == old


def test_two_generators_of_one_name_are_refused(tmp_path):
    model = nn.Module()
    model.rngs = {0: np.random.default_rng(0), "0": np.random.default_rng(1)}
    with pytest.raises(ValueError, match=r"two generators called model\.rngs\.0"):
        nn.save_checkpoint(tmp_path / "c", model=model)


if __name__ == "__main__":
    resume(*sys.argv[1:])
