"""What looks at modules, or prepares data for them, with modules on a device: hooks, summaries, measurements, pages."""

import numpy as np
import pytest
import stand_in

import nn
from autograd import Tensor
from autograd.devices import move
from autograd.transforms import checkpoint

X = np.float32([[1, 2, 3, 4], [0, 1, 0, 2], [5, 0, 1, 1]])


def network():
    return nn.Sequential(
        nn.Linear(4, 6, rng=0), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5, rng=1), nn.Linear(6, 2, rng=2)
    )


class Fork(nn.Module):
    """Two outputs, of which a loss may use one."""

    def forward(self, x):
        return x * 2.0, x * 3.0


# Hooks


def test_hooks_see_arrays_of_the_device_and_nothing_is_copied(device):
    seen = []
    layer = nn.Linear(4, 2, rng=0).to(device)
    layer.register_forward_pre_hook(lambda module, args: (args[0] * 2.0,))
    layer.register_forward_hook(lambda module, args, output: output + 1.0)
    layer.register_full_backward_hook(lambda module, given, made: seen.append((*given, *made)))
    x = Tensor(move(X, device), requires_grad=True)
    with stand_in.counted() as transfers:
        output = layer(x)
        output.sum().backward()
    assert transfers == {}
    assert {type(g) for g in seen[0]} == {type(move(X, device))}
    here = nn.Linear(4, 2, rng=0)
    np.testing.assert_allclose(output.numpy(), here(X * 2).numpy() + 1, rtol=1e-6)
    np.testing.assert_allclose(move(x.grad, "cpu"), np.ones((3, 2), np.float32) @ here.weight.data * 2, rtol=1e-6)


def test_a_backward_hook_gets_zeros_of_the_device_for_an_output_that_is_not_used(device):
    fork, seen = Fork(), []
    fork.register_full_backward_hook(lambda module, given, made: seen.append(made))
    x = Tensor(move(X, device), requires_grad=True)
    fork(x)[0].sum().backward()
    assert seen[0][1] is None
    np.testing.assert_array_equal(move(x.grad, "cpu"), np.full_like(X, 2))


def test_a_backward_hook_may_not_return_a_gradient_of_another_device():
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda module, given, made: (np.zeros_like(X),))
    x = Tensor(move(X, "standin"), requires_grad=True)
    with pytest.raises(TypeError, match=r"returned float32\[3, 4\] as the gradient.*got standin:0 float32\[3, 4\]"):
        layer(x).sum().backward()


def test_a_checkpointed_module_is_computed_again_on_its_device(device):
    def gradients(call):
        model, x = network().eval().to(device), Tensor(move(X, device), requires_grad=True)
        call(model, x).sum().backward()
        return [move(g, "cpu") for g in (x.grad, model[0].weight.grad)]

    expected = gradients(lambda model, x: model(x))
    for found, other in zip(gradients(lambda model, x: checkpoint(model)(x)), expected, strict=True):
        np.testing.assert_array_equal(found, other)


# What is said of modules


def test_a_summary_is_the_same_everywhere_and_disturbs_nothing(device):
    model = network().to(device)
    before = {name: move(value, "cpu") for name, value in model.state_dict().items()}
    assert repr(nn.summary(model, (3, 4))) == repr(nn.summary(network(), (3, 4)))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(move(value, "cpu"), before[name])
    assert model.training
    only_buffers = nn.Sequential(nn.Standardize(4).fit(X)).to(device)
    assert nn.summary(only_buffers, (3, 4)).layers[0].output_shape == (3, 4)


def test_a_module_shows_itself_without_a_look_at_the_values(device):
    model = nn.ModuleList([network(), nn.Embedding(5, 2), nn.PReLU()]).to(device)
    with stand_in.counted() as transfers:
        text, page = repr(model), model._repr_html_()
    assert transfers == {}
    assert text == repr(nn.ModuleList([network(), nn.Embedding(5, 2), nn.PReLU()]))
    assert "Dropout" in page


def test_a_loss_shows_its_weights(device):
    loss = nn.CrossEntropyLoss(weight=[1.0, 2.0], ignore_index=1).to(device)
    assert repr(loss) == "CrossEntropyLoss(weight=[1.0, 2.0], ignore_index=1)"


def test_saturation_is_the_same_everywhere(device):
    kinds = ("sigmoid", "tanh", "relu", "gelu", "softplus", "prelu")

    def found(place):
        models = [nn.MLP([4, 5, 3], activation=a, init=nn.init.Normal(3.0), rng=0).to(place) for a in kinds]
        return [dict(nn.saturation(model, move(X, place))) for model in models]

    assert found(device) == found("cpu")


def test_norms_are_the_same_everywhere(device):
    def found(place):
        model = network().to(place)
        with nn.NormRecorder(model) as norms:
            for _ in range(2):
                model(move(X, place)).sum().backward()
        return norms

    here, there = found("cpu"), found(device)
    for name in ("activations", "gradients", "parameters"):
        sizes, expected = getattr(there, name), getattr(here, name)
        assert sizes.keys() == expected.keys()
        for key, values in expected.items():
            assert sizes[key] == pytest.approx(values, rel=1e-4, abs=1e-6)


# Preprocessing and augmentation


def test_standardize_learns_the_same_from_data_of_any_device(device):
    expected = nn.Standardize(4).fit(X)
    for place in ("cpu", device):
        scale = nn.Standardize(4).to(place).fit(move(X, device))
        assert type(scale.mean.data) is type(move(X, place))
        for tensor, other in zip(scale._state().values(), expected._state().values(), strict=True):
            np.testing.assert_array_equal(tensor.numpy(), other.data)
        np.testing.assert_allclose(move(scale.inverse(scale(move(X, place))), "cpu"), X, atol=1e-6)
    with pytest.raises(ValueError, match=r"1 numbers to fit that are not finite, the first at \(0, 1\)"):
        nn.Standardize(2).to(device).fit(move(np.float32([[1, np.nan]]), device))


AUGMENTATIONS = [
    nn.RandomFlip(),
    nn.RandomCrop(2),
    nn.RandomShift(1),
    nn.GaussianNoise(0.1),
    nn.Normalize(0.5, 0.5),
    nn.Compose([nn.RandomFlip()]),
]


@pytest.mark.parametrize("transform", AUGMENTATIONS, ids=repr)
def test_augmentation_is_done_before_a_batch_is_moved(transform):
    images = move(np.zeros((2, 4, 4, 3), np.float32), "standin")
    with pytest.raises(TypeError, match=r"works on NumPy arrays, and was given a batch on 'standin:0': .* before"):
        transform(images, 0)


# Initialisers


@pytest.mark.parametrize("name", nn.init.INITIALIZERS)
def test_a_seed_means_the_same_weights_everywhere(name, device):
    with stand_in.counted() as transfers:
        layer = nn.Linear(4, 4, init=name, rng=0)
        drawn = layer.weight.data.copy()
        layer.to(device)
    assert transfers == ({"to device": 2} if device == "standin" else {})  # the weight and the bias, once each
    np.testing.assert_array_equal(move(layer.weight.data, "cpu"), drawn)
