"""The backpropagation lecture as tests: its closed forms for the 12288-3-2-1 network, derived by hand, are what
the engine computes. Columns are examples in the lecture, rows are here: A[l] here is a[l]ᵀ there."""

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor, check_gradients

N, M = 64 * 64 * 3, 5  # inputs, examples in the batch


@pytest.fixture
def setting():
    rng = np.random.default_rng(0)
    model = nn.MLP(
        [N, 3, 2, 1], activation="sigmoid", output_activation="sigmoid", init="xavier", dtype=np.float64, rng=rng
    )
    for p in (model.linear1.bias, model.linear2.bias, model.linear3.bias):
        p.data = rng.normal(size=p.shape)
    x = rng.uniform(size=(M, N))
    y = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]])
    return model, x, y


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(model, x, y):
    """The lecture's derivation, for one example at a time, in its own notation: columns, then the average."""
    W1, W2, W3 = (layer.weight.data for layer in (model.linear1, model.linear2, model.linear3))
    b1, b2, b3 = (layer.bias.data[:, None] for layer in (model.linear1, model.linear2, model.linear3))
    totals = [0.0] * 6
    for i in range(len(x)):
        a0, t = x[i][:, None], y[i][:, None]
        a1 = sigmoid(W1 @ a0 + b1)
        a2 = sigmoid(W2 @ a1 + b2)
        a3 = sigmoid(W3 @ a2 + b3)
        dz3 = a3 - t  # 1×1
        dW3 = dz3 @ a2.T  # (1×1)(1×2)
        dz2 = (W3.T * a2 * (1 - a2)) @ dz3  # (2×1)(1×1)
        dW2 = dz2 @ a1.T  # (2×1)(1×3)
        dz1 = (W2.T @ dz2) * a1 * (1 - a1)  # (3×2)(2×1) ∘ 3×1
        dW1 = dz1 @ a0.T  # (3×1)(1×n)
        for k, d in enumerate((dW1, dz1[:, 0], dW2, dz2[:, 0], dW3, dz3[:, 0])):
            totals[k] = totals[k] + d / len(x)
    return totals


def test_the_network_has_3n_plus_14_parameters(setting):
    model, _, _ = setting
    assert sum(p.size for p in model.parameters()) == (3 * N + 3) + (2 * 3 + 2) + (2 + 1) == 3 * N + 14
    assert [p.shape for p in model.parameters()] == [(3, N), (3,), (2, 3), (2,), (1, 2), (1,)]


@pytest.mark.parametrize("loss", ["probabilities", "logits"])
def test_the_gradients_are_those_derived_by_hand(setting, loss):
    model, x, y = setting
    if loss == "probabilities":
        cost = nn.BCELoss()(model(x), y)
    else:
        z3 = model.linear3(nn.sigmoid(model.linear2(nn.sigmoid(model.linear1(x)))))
        cost = nn.BCEWithLogitsLoss()(z3, y)
    cost.backward()
    a3 = model(x).data
    assert cost.item() == pytest.approx(-np.mean(y * np.log(a3) + (1 - y) * np.log(1 - a3)), rel=1e-12)
    for (name, p), expected in zip(model.named_parameters(), by_hand(model, x, y)):
        np.testing.assert_allclose(p.grad, expected, rtol=1e-10, atol=1e-15, err_msg=name)


def test_the_same_without_modules_and_the_shapes_of_the_intermediate_results(setting):
    model, x, y = setting
    W1, b1, W2, b2, W3, b3 = (Tensor(p.data, requires_grad=True) for p in model.parameters())
    a1 = nn.sigmoid(x @ W1.T + b1)
    a2 = nn.sigmoid(a1 @ W2.T + b2)
    z3 = a2 @ W3.T + b3
    a3 = nn.sigmoid(z3)
    z3.retain_grad()
    cost = -np.mean(y * np.log(a3) + (1 - y) * np.log(1 - a3))
    cost.backward()
    assert (a1.shape, a2.shape, a3.shape) == ((M, 3), (M, 2), (M, 1))
    np.testing.assert_allclose(z3.grad, (a3.data - y) / M, rtol=1e-10)
    for w, expected in zip((W1, b1, W2, b2, W3, b3), by_hand(model, x, y)):
        np.testing.assert_allclose(w.grad, expected, rtol=1e-9, atol=1e-15)


def test_the_general_form_with_squared_error():
    """δ[L] = (a − y) ∘ σ′(z), δ[l] = W[l]ᵀ δ[l+1] ∘ σ′(z[l]), ∂J/∂W = δ aᵀ, for J = ½ Σ (a − y)²."""
    rng = np.random.default_rng(1)
    model = nn.MLP([4, 3, 2], activation="tanh", output_activation="tanh", dtype=np.float64, rng=rng)
    x, y = rng.normal(size=(1, 4)), rng.normal(size=(1, 2))
    (0.5 * ((model(x) - y) ** 2).sum()).backward()
    W1, W2 = model.linear1.weight.data, model.linear2.weight.data
    a1 = np.tanh(W1 @ x.T)
    a2 = np.tanh(W2 @ a1)
    d2 = (a2 - y.T) * (1 - a2**2)
    d1 = (W2.T @ d2) * (1 - a1**2)
    np.testing.assert_allclose(model.linear2.weight.grad, d2 @ a1.T, rtol=1e-12)
    np.testing.assert_allclose(model.linear1.weight.grad, d1 @ x, rtol=1e-12)
    np.testing.assert_allclose(model.linear1.bias.grad, d1[:, 0], rtol=1e-12)


def test_derivatives_of_the_activations():
    z = Tensor(np.linspace(-3, 3, 13), requires_grad=True)
    one = np.ones(13)
    s = sigmoid(z.data)
    np.testing.assert_allclose(nn.sigmoid(z).gradient(z, cotangent=one).data, s * (1 - s), rtol=1e-12)
    np.testing.assert_allclose(nn.tanh(z).gradient(z, cotangent=one).data, 1 - np.tanh(z.data) ** 2, rtol=1e-9)
    np.testing.assert_array_equal(nn.relu(z).gradient(z, cotangent=one).data, z.data > 0)


def test_without_activations_a_deep_network_is_one_linear_map():
    model = nn.MLP([4, 5, 3, 2], activation="identity", dtype=np.float64, rng=0)
    W = model.linear3.weight.data @ model.linear2.weight.data @ model.linear1.weight.data
    x = np.random.default_rng(0).normal(size=(6, 4))
    np.testing.assert_allclose(model(x).data, x @ W.T, rtol=1e-12)


def test_equal_weights_stay_equal():
    """One non-zero value everywhere: every neuron of a layer learns the same."""
    model = nn.MLP([3, 4, 1], activation="tanh", init=nn.init.Constant(0.3), dtype=np.float64)
    descent = optim.SGD(model.parameters(), lr=0.5)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.integers(0, 2, (20, 1))
    for _ in range(10):
        descent.zero_grad()
        nn.BCEWithLogitsLoss()(model(x), y).backward()
        descent.step()
    w = model.linear1.weight.data
    assert not np.allclose(w, 0.3)
    np.testing.assert_allclose(w, np.broadcast_to(w[:1], w.shape), rtol=1e-12)


@pytest.mark.parametrize(("factor", "expected"), [(1.5, 1.5**10), (0.5, 0.5**10)])
def test_ten_identity_layers_explode_or_vanish(factor, expected):
    layers = [nn.Linear(2, 2, init=lambda shape, rng: factor * np.eye(2), dtype=np.float64) for _ in range(10)]
    x = Tensor(np.ones((1, 2)), requires_grad=True)
    y = nn.Sequential(*layers)(x)
    np.testing.assert_allclose(y.data, expected)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, expected)


def test_l2_shrinks_the_weights_before_the_step():
    """W ← (1 − αλ) W − α ∂J/∂W, which is the step on J + (λ/2) ‖W‖²."""
    w0, g, lr, decay = np.array([1.0, -2.0]), np.array([0.3, 0.4]), 0.1, 0.5
    w = Tensor(w0, requires_grad=True)
    w.grad = g.copy()
    optim.SGD([w], lr=lr, weight_decay=decay).step()
    np.testing.assert_allclose(w.data, (1 - lr * decay) * w0 - lr * g)
    v = Tensor(w0, requires_grad=True)
    ((v * g).sum() + decay / 2 * (v * v).sum()).backward()
    optim.SGD([v], lr=lr).step()
    np.testing.assert_allclose(v.data, w.data)


def test_the_whole_network_passes_the_numerical_check():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 5)), rng.integers(0, 2, (4, 1)).astype(float)

    def cost(W1, b1, W2, b2, W3, b3):
        a1 = nn.sigmoid(x @ W1.T + b1)
        a2 = nn.sigmoid(a1 @ W2.T + b2)
        return nn.BCELoss()(nn.sigmoid(a2 @ W3.T + b3), y)

    shapes = [(3, 5), (3,), (2, 3), (2,), (1, 2), (1,)]
    check_gradients(cost, *[rng.normal(size=s) for s in shapes])
