"""SGD in all its forms: against the formulas, against PyTorch, and its refusals."""

import numpy as np
import pytest

import nn
import optim
from autograd import StaleError, Tensor


def descend(steps=6, **options):
    """Steps on a stretched bowl, J = ½ (w₁² + 25 w₂²), and the gradients met."""
    w = Tensor([4.0, 1.0], requires_grad=True)
    descent = optim.SGD([w], lr=0.02, **options)
    path, gradients = [w.data.copy()], []
    for _ in range(steps):
        descent.zero_grad()
        (0.5 * (w * w * np.array([1.0, 25.0])).sum()).backward()
        gradients.append(w.grad)
        descent.step()
        path.append(w.data.copy())
    return path, gradients


def test_plain_descent():
    path, gradients = descend()
    for before, after, g in zip(path, path[1:], gradients):
        np.testing.assert_allclose(after, before - 0.02 * g)


@pytest.mark.parametrize("form", ["classical", "average"])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_momentum_follows_its_formula(form, nesterov, decay):
    beta = 0.9
    path, gradients = descend(momentum=beta, form=form, nesterov=nesterov, weight_decay=decay)
    v = np.zeros(2)
    for before, after, g in zip(path, path[1:], gradients):
        g = g + decay * before
        g = g if form == "classical" else (1 - beta) * g
        v = beta * v + g
        np.testing.assert_allclose(after, before - 0.02 * (g + beta * v if nesterov else v), rtol=1e-12)


def test_the_two_forms_take_the_same_steps_with_the_learning_rate_rescaled():
    w1, w2 = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    a = optim.SGD([w1], lr=0.01, momentum=0.9)
    b = optim.SGD([w2], lr=0.1, momentum=0.9, form="average")
    for _ in range(20):
        for w, descent in ((w1, a), (w2, b)):
            descent.zero_grad()
            (w * w).sum().backward()
            descent.step()
    np.testing.assert_allclose(w1.data, w2.data, rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1}])
def test_the_classical_form_is_pytorchs(options):
    torch = pytest.importorskip("torch")
    path, _ = descend(steps=50, **options)
    w = torch.tensor([4.0, 1.0], dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([w], lr=0.02, **options)
    for expected in path[1:]:
        theirs.zero_grad()
        (0.5 * (w * w * torch.tensor([1.0, 25.0])).sum()).backward()
        theirs.step()
        np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-10)


def test_float32_stays_float32_and_the_gradient_is_left_alone():
    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    w.grad = np.full(3, 2.0, np.float32)
    g = w.grad
    optim.SGD([w], lr=0.1, momentum=0.9, form="average", weight_decay=0.1).step()
    assert w.dtype == np.float32
    np.testing.assert_array_equal(g, np.full(3, 2.0, np.float32))


@pytest.mark.parametrize("options", [{}, {"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}])
def test_complex_parameters_go_downhill(options):
    z = Tensor(np.array([0j]), requires_grad=True)
    descent = optim.SGD([z], lr=0.1, **options)
    for _ in range(100):
        descent.zero_grad()
        (np.abs(z - (1 + 2j)) ** 2).sum().backward()
        descent.step()
    np.testing.assert_allclose(z.data, [1 + 2j], atol=1e-6)


def test_parameters_are_written_in_place_and_stale_values_are_noticed():
    model = nn.Linear(2, 1, rng=0)
    array = model.weight.data
    x = Tensor(np.ones((1, 2), np.float32), requires_grad=True)
    loss = model(x).sum()
    loss.backward(retain_graph=True)
    optim.SGD(model.parameters(), lr=0.1).step()
    assert model.weight.data is array
    with pytest.raises(StaleError, match="linear saved 'weight'"):
        loss.backward()


def test_an_interrupted_step_is_noticed_too():
    a, b = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    y = (a * a).sum()
    a.grad = b.grad = np.ones(2)

    class Interrupted(optim.Optimizer):
        def update(self, w, g, slots, c, scratch):
            if w is b.data:
                raise KeyboardInterrupt
            w -= g

    with pytest.raises(KeyboardInterrupt):
        Interrupted([a, b]).step()
    with pytest.raises(StaleError):
        y.backward()


def test_a_parameter_without_a_gradient_is_left_alone():
    a, b = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    (a * a).sum().backward()
    optim.SGD([a, b], lr=0.1, momentum=0.9, weight_decay=0.5).step()
    assert a.data[0] != 1.0
    assert b.data[0] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -0.1}, "learning rate must be at least 0, got lr=-0.1"),
        ({"lr": float("nan")}, "learning rate"),
        ({"lr": 0.1, "momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"lr": 0.1, "momentum": -0.5}, "momentum"),
        ({"lr": 0.1, "form": "nesterov"}, "form must be 'classical' or 'average'"),
        ({"lr": 0.1, "nesterov": True}, "needs momentum > 0"),
        ({"lr": 0.1, "weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_bad_hyper_parameters_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        optim.SGD([Tensor([1.0], requires_grad=True)], **options)


def test_bad_parameters_are_refused():
    w = Tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"write \[parameter\]"):
        optim.SGD(w, lr=0.1)
    for module in (nn.Linear(1, 1), nn.MLP([1, 1])):
        with pytest.raises(TypeError, match=r"got the module \w+: write model\.parameters\(\)"):
            optim.SGD(module, lr=0.1)
    with pytest.raises(ValueError, match="got no parameters"):
        optim.SGD([], lr=0.1)
    with pytest.raises(TypeError, match=r"got tuple as parameter 0: write model\.parameters\(\) rather than"):
        optim.SGD(nn.Linear(1, 1).named_parameters(), lr=0.1)
    with pytest.raises(TypeError, match="got ndarray as parameter 1"):
        optim.SGD([w, np.ones(2)], lr=0.1)
    with pytest.raises(ValueError, match="parameter 0 is not a leaf"):
        optim.SGD([w * 2.0], lr=0.1)
    with pytest.raises(ValueError, match="parameter 0 is not a leaf that requires"):
        optim.SGD([Tensor([1.0])], lr=0.1)
    with pytest.raises(ValueError, match="same parameter twice"):
        optim.SGD([w, w], lr=0.1)
    w.grad = np.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer has no update"):
        optim.Optimizer([w]).step()


def test_repr():
    text = repr(optim.SGD([Tensor([1.0], requires_grad=True)], lr=0.1, momentum=0.9))
    assert text.startswith("SGD(1 parameters, lr=0.1, momentum=0.9, form='classical'")
