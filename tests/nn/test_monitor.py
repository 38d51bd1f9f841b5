"""What a network does inside: saturated units, and norms that vanish or explode."""

import sys

import numpy as np
import pytest

import nn
from autograd import Tensor, no_grad
from nn.activation_names import ACTIVATIONS
from nn.training.monitor import root_mean_square


class Net(nn.Module):
    """One activation between the given arrays and the output."""

    def __init__(self, activation):
        self.activation = activation

    def forward(self, x):
        return self.activation(x)


class Cube(nn.Module):
    def forward(self, x):
        return x**3


class Softmax(nn.Module):
    def forward(self, x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


def data(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# Saturation


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        (nn.Sigmoid(), lambda z: 1 / (2 + np.exp(z) + np.exp(-z))),
        (nn.Tanh(), lambda z: 1 / np.cosh(z) ** 2),
        (nn.ReLU(), lambda z: (z > 0) * 1.0),
        (nn.Identity(), np.ones_like),
        (Cube(), lambda z: 3 * z * z),
    ],
)
@pytest.mark.parametrize("threshold", [0.01, 0.3])
@pytest.mark.parametrize("shape", [(40, 7), (6, 3, 5), (9,)])
def test_the_saturated_share_is_that_of_small_slopes(activation, slope, threshold, shape):
    z = 4 * np.random.default_rng(1).normal(size=shape)
    found = nn.saturation(Net(activation), z, threshold)["activation"]
    assert found.saturated == np.mean(abs(slope(z)) < threshold)
    assert found.kind == type(activation).__name__
    assert found.units == (z[0].size if z.ndim > 1 else 9)


@pytest.mark.parametrize("name", ["CELU", "GELU", "Hardtanh", "LeakyReLU", "PReLU", "SiLU", "Softplus", "Softsign"])
def test_each_activation_of_nn_is_seen(name):
    activation = getattr(nn, name)().to("float64")
    z = 4 * np.random.default_rng(1).normal(size=(20, 5))
    with no_grad():
        slope = np.asarray(activation(z + 1e-6) - activation(z - 1e-6)) / 2e-6
    assert nn.saturation(Net(activation), z, 0.1)["activation"].saturated == np.mean(abs(slope) < 0.1)


@pytest.mark.parametrize("module", [nn.Softmax(-1), nn.LogSoftmax(-1), nn.LayerNorm(6), nn.Dropout(0.5)])
def test_what_mixes_units_or_is_no_activation_is_not_in_the_table(module):
    with pytest.raises(ValueError, match="no activation was called"):
        nn.saturation(nn.Sequential(module), data(4, 6))


def test_a_unit_is_dead_where_no_example_of_the_batch_moves_it():
    z = np.array([[-1.0, 2.0, -3.0, -1.0], [-1.0, -2.0, -3.0, 1.0]])
    assert nn.saturation(Net(nn.ReLU()), z)["activation"] == ("ReLU", 4, 0.75, 0.5)
    assert nn.saturation(Net(nn.Sigmoid()), z)["activation"].dead == 0.0


def test_large_weights_saturate_sigmoids_and_he_keeps_relus_alive():
    x = data(300, 100)
    large = nn.MLP([100, 50, 50, 50], activation="sigmoid", init=nn.init.Normal(1.0), rng=0)
    he = nn.MLP([100, 50, 50, 50], activation="relu", init="he", rng=0)
    first = nn.saturation(large, x)
    assert list(first) == ["sigmoid1", "sigmoid2"]
    assert first["sigmoid1"].saturated > 0.6
    second = nn.saturation(he, x)
    assert all(0.3 < layer.saturated < 0.7 and layer.dead < 0.05 for layer in second.values())


def test_what_does_not_work_element_by_element_is_no_activation_and_one_without_a_slope_is_flat():
    class Step(nn.Module):
        def forward(self, x):
            return np.sign(x)

    class Positions(nn.Module):
        def forward(self, x):
            return x[:, ::-1]

    z = data(10, 6)
    for large in (z, 1000 * z, np.zeros((2, 5000), np.float32)):
        with pytest.raises(ValueError, match="no activation was called in Net"):
            nn.saturation(Net(Softmax()), large)
    with pytest.raises(ValueError, match="no activation"):
        nn.saturation(Net(Positions()), z)
    with pytest.raises(ValueError, match="no activation"):
        nn.saturation(nn.Linear(1, 1), z[:, :1])
    assert nn.saturation(Net(Step()), z)["activation"].dead == 1.0


def test_an_activation_that_is_called_twice_has_two_lines():
    model = nn.MLP([2, 3, 3, 1], activation="tanh", rng=0)
    model.tanh2 = model.tanh1
    found = nn.saturation(model, data(5, 2))
    assert list(found) == ["tanh1", "tanh1 (2)"]
    model.linear1.weight.data = 1000 * model.linear1.weight.data
    assert [layer.saturated > 0.9 for layer in nn.saturation(model, data(5, 2)).values()] == [True, False]


def test_the_model_is_left_as_it_was_also_after_an_error():
    class Restless(nn.Module):
        def __init__(self):
            self.count, self.rng, self.act = nn.Buffer(0), np.random.default_rng(0), nn.Tanh()

        def forward(self, x):
            self.count.data += 1
            self.rng.random()
            y = self.act(x)
            if x.shape[1] == 3:
                raise KeyError("mine")
            return y

    model, calls = Restless(), []
    model.act.register_forward_hook(lambda *_: calls.append(model.training))
    model.act.training = False
    state = model.rng.bit_generator.state
    nn.saturation(model, data(2, 2))
    with pytest.raises(KeyError, match="mine"):
        nn.saturation(model, data(2, 3))
    assert calls == [False, False]
    assert (model.training, model.act.training, model.count.item()) == (True, False, 0)
    assert model.rng.bit_generator.state == state
    assert len(model.act._hooks.after) == 1


def test_bad_arguments_of_saturation_say_what_is_wrong():
    with pytest.raises(TypeError, match="takes a module, got function"):
        nn.saturation(nn.relu, data(2, 2))
    with pytest.raises(ValueError, match="at least 0, got -1"):
        nn.saturation(Net(nn.Tanh()), data(2, 2), -1)
    with pytest.raises(ValueError, match=r"at least one example; activation got shape \(0, 2\)"):
        nn.saturation(Net(nn.Tanh()), data(0, 2))


def test_half_precision_and_tensors_are_measured_too():
    z = 4 * data(50, 4)
    expected = nn.saturation(Net(nn.Tanh()), z)["activation"].saturated
    found = nn.saturation(Net(nn.Tanh()), Tensor(z.astype(np.float16), requires_grad=True))["activation"]
    assert found.saturated == pytest.approx(expected, abs=0.02)


# Norms


def deep(factor, n=10):
    return nn.Sequential(
        *[nn.Linear(2, 2, init=lambda shape, rng: factor * np.eye(2), dtype=np.float64) for _ in range(n)]
    )


@pytest.mark.parametrize("factor", [1.5, 0.5])
def test_ten_layers_explode_or_vanish_in_both_directions(factor):
    model = deep(factor)
    with nn.NormRecorder(model) as norms:
        for _ in range(3):
            model(np.ones((1, 2))).sum().backward()
    for k in range(10):
        np.testing.assert_allclose(norms.activations[str(k)], [factor ** (k + 1)] * 3, rtol=1e-12)
        np.testing.assert_allclose(norms.gradients[str(k)], [factor ** (9 - k)] * 3, rtol=1e-12)
        np.testing.assert_allclose(norms.parameters[f"{k}.weight"], [factor**9] * 3, rtol=1e-12)  # g · a
        np.testing.assert_allclose(norms.parameters[f"{k}.bias"], [factor ** (9 - k)] * 3, rtol=1e-12)


def test_the_sizes_are_those_of_the_arrays_and_training_is_not_changed():
    class Keep(nn.MLP):
        def forward(self, x):
            self.hidden = self[0](x)
            self.hidden.retain_grad()
            return self[2](self[1](self.hidden))

    model = Keep([3, 4, 1], activation="tanh", rng=0)
    with nn.NormRecorder(model) as norms:
        (model(data(8, 3)) ** 2).mean().backward()
    assert list(norms.activations) == list(norms.gradients) == ["linear1", "linear2"]
    assert norms.activations["linear1"] == [root_mean_square(model.hidden.data)]
    assert norms.gradients["linear1"] == [root_mean_square(model.hidden.grad)]
    assert {n: [root_mean_square(p.grad)] for n, p in model.named_parameters()} == norms.parameters
    recorded = [p.grad for p in model.parameters()]
    model.zero_grad()
    (model(data(8, 3)) ** 2).mean().backward()
    for p, g in zip(model.parameters(), recorded):
        np.testing.assert_array_equal(p.grad, g)


def test_only_training_inside_the_with_is_recorded():
    model = nn.MLP([3, 4, 1], rng=0)
    x = data(8, 3)
    with nn.NormRecorder(model) as norms:
        late = model(x).sum()
        model.eval()
        with no_grad():
            model(x)
        model.train()
    late.backward()
    model(x).sum().backward()
    assert [len(sizes) for sizes in norms.activations.values()] == [1, 1]
    assert not any(norms.gradients.values())
    assert not any(norms.parameters.values())
    with norms:  # goes on where it stopped
        model(x).sum().backward()
        with pytest.raises(RuntimeError, match="recording already"), norms:
            pass
    assert [len(sizes) for sizes in norms.activations.values()] == [2, 2]
    assert [len(sizes) for sizes in norms.gradients.values()] == [1, 1]


def test_an_error_inside_leaves_no_hook():
    model = nn.MLP([3, 4, 1], rng=0)
    with pytest.raises(KeyError), nn.NormRecorder(model):
        raise KeyError
    assert not any(m._hooks.after for m in model.modules() if m._hooks is not None)
    assert not any(p.node.notes.hooks for p in model.parameters())


def test_frozen_layers_and_several_outputs_and_a_layer_by_itself():
    layer = nn.Linear(2, 2, rng=0).requires_grad_(False)
    with nn.NormRecorder(layer) as norms:
        layer(data(4, 2))
    assert (len(norms.activations["Linear"]), norms.gradients, norms.parameters["weight"]) == (1, {"Linear": []}, [])

    class Two(nn.Module):
        def __init__(self):
            self.w = nn.Parameter([2.0])

        def forward(self, x):
            return x * self.w, -x * self.w, "note"

    two = Two()
    with nn.NormRecorder(two) as norms:
        two(3.0)[1].sum().backward()
    assert norms.activations == {"Two[0]": [6.0], "Two[1]": [6.0]}
    assert norms.gradients == {"Two[0]": [], "Two[1]": [1.0]}
    with pytest.raises(TypeError, match="takes a module, got list"):
        nn.NormRecorder([two])


def test_sizes_neither_overflow_nor_hide_what_is_not_finite():
    assert root_mean_square(np.float32([3e38, 3e38])) == pytest.approx(3e38, rel=1e-6)
    assert root_mean_square(np.float32([1e-40, 1e-40])) == pytest.approx(1e-40, rel=1e-3)
    assert root_mean_square(np.zeros(3)) == 0.0
    assert root_mean_square(np.array(-2.0)) == 2.0
    assert root_mean_square(np.array([3 + 4j])) == 5.0
    assert root_mean_square(np.array([1.0, np.inf])) == np.inf
    assert np.isnan(root_mean_square(np.array([1.0, np.nan])))
    assert np.isnan(root_mean_square(np.zeros(0)))


def test_the_plot_shows_each_layer_in_order():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    model = deep(1.5)
    with pytest.raises(ValueError, match="nothing has been recorded"):
        nn.NormRecorder(model).plot()
    with nn.NormRecorder(model) as norms:
        for _ in range(20):
            model(np.ones((1, 2))).sum().backward()
    figure = norms.plot()
    activations, gradients, parameters = figure.axes
    assert [axes.get_yscale() for axes in figure.axes] == ["log"] * 3
    assert len(activations.lines) == 8
    np.testing.assert_allclose(activations.lines[0].get_ydata(), 1.5 ** np.arange(1, 11))
    np.testing.assert_allclose(gradients.lines[-1].get_ydata(), 1.5 ** np.arange(9, -1, -1))
    assert len(parameters.lines[0].get_ydata()) == 20
    plt.close(figure)


def test_without_matplotlib_the_plot_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'drawn with matplotlib, .*`pip install "wengert\[examples\]"`'):
        nn.NormRecorder(deep(1.0)).plot()


def test_the_representations_are_tables():
    model = nn.MLP([2, 3, 1], rng=0)
    norms = nn.NormRecorder(model)
    assert repr(norms) == "layer  passes  last activation  last gradient"
    with norms:
        (2 * model(np.ones((1, 2), np.float32))).sum().backward()
    assert [line.split()[0] for line in repr(norms).splitlines()] == ["layer", "linear1", "linear2"]
    assert repr(norms).splitlines()[2].split()[1::2] == ["1", "2"]


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_saturation_sees_each_activation_that_has_a_name_but_those_that_are_not_elementwise(name):
    model = nn.MLP([3, 5, 1], activation=name, rng=0)
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    if name in ("softmax", "log_softmax"):
        with pytest.raises(ValueError, match="no activation was called"):
            nn.saturation(model, x)
    else:
        (layer,) = nn.saturation(model, x).values()
        assert (layer.kind, layer.units) == (ACTIVATIONS[name].__name__, 5)
