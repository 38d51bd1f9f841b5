"""The backpropagation lecture as tests: its closed forms for the 12288-3-2-1 network, derived by hand, are what
the engine computes. Columns are examples in the lecture, rows are here: A[l] here is a[l]ᵀ there."""

import numpy as np
import pytest

import nn
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


def test_the_exercise(setting):
    """∂L/∂W[1] = (W[2]ᵀ ((W[3]ᵀ ∘ a[2] (1 − a[2])) (a[3] − y)) ∘ a[1] (1 − a[1])) xᵀ: (3×2)(2×1)(1×1) ∘ 3×1, (1×n)."""
    model, x, y = setting
    nn.BCELoss()(model(x[:1]), y[:1]).backward()
    W1, b1, W2, b2, W3, b3 = (p.data if p.ndim == 2 else p.data[:, None] for p in model.parameters())
    a1 = sigmoid(W1 @ x[:1].T + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    a3 = sigmoid(W3 @ a2 + b3)
    expected = ((W2.T @ ((W3.T * a2 * (1 - a2)) @ (a3 - y[:1]))) * a1 * (1 - a1)) @ x[:1]
    assert expected.shape == model.linear1.weight.shape == (3, N)
    np.testing.assert_allclose(model.linear1.weight.grad, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("activation", "function", "slope"),
    [
        ("sigmoid", sigmoid, lambda a: a * (1 - a)),
        ("tanh", np.tanh, lambda a: 1 - a**2),
        ("relu", lambda z: np.maximum(z, 0), lambda a: a > 0),
    ],
)
def test_the_general_form_with_squared_error(activation, function, slope):
    """δ[L] = (a[L] − y) ∘ σ′(z[L]), δ[l] = W[l]ᵀ δ[l+1] ∘ σ′(z[l]), ∂J/∂W[l] = δ[l+1] a[l]ᵀ, ∂J/∂b[l] = δ[l+1]."""
    rng = np.random.default_rng(1)
    model = nn.MLP([4, 5, 3, 2], activation, activation, dtype=np.float64, rng=rng)
    for p in model.parameters():
        p.data += rng.normal(size=p.shape)
    x, y = rng.normal(size=(1, 4)), rng.normal(size=(1, 2))
    nn.HalfSquaredErrorLoss("sum")(model(x), y).backward()
    layers = [model.linear1, model.linear2, model.linear3]
    a = [x.T]
    for layer in layers:
        a.append(function(layer.weight.data @ a[-1] + layer.bias.data[:, None]))
    assert all(slope(a[k]).any() for k in (1, 2, 3))
    delta = (a[3] - y.T) * slope(a[3])
    for k in (2, 1, 0):
        np.testing.assert_allclose(layers[k].weight.grad, delta @ a[k].T, rtol=1e-10, atol=1e-15)
        np.testing.assert_allclose(layers[k].bias.grad, delta[:, 0], rtol=1e-10, atol=1e-15)
        delta = (layers[k].weight.data.T @ delta) * slope(a[k])


def test_three_independent_sigmoids_are_three_logistic_regressions():
    """Cat, lion, iguana, several at once: L = −Σₖ [yₖ log ŷₖ + (1 − yₖ) log(1 − ŷₖ)], and ∂L/∂z = ŷ − y."""
    rng = np.random.default_rng(5)
    z, y = Tensor(rng.normal(size=(6, 3)), requires_grad=True), rng.integers(0, 2, (6, 3)).astype(float)
    cost = nn.BCEWithLogitsLoss("none")(z, y).sum(1).mean()
    p = sigmoid(z.data)
    assert cost.item() == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / 6, rel=1e-12)
    assert cost.item() == pytest.approx(sum(nn.BCELoss()(p[:, k], y[:, k]) for k in range(3)), rel=1e-12)
    cost.backward()
    np.testing.assert_allclose(z.grad, (p - y) / 6, rtol=1e-12)


def test_exactly_one_animal_is_a_softmax():
    """ŷₖ = e^zₖ / Σⱼ e^zⱼ, L = −log ŷ of the right one, ∂L/∂z = ŷ − y; of two classes it is a sigmoid of z₁ − z₀."""
    rng = np.random.default_rng(6)
    z, labels = Tensor(rng.normal(size=(6, 3)), requires_grad=True), rng.integers(0, 3, 6)
    p = np.exp(z.data) / np.exp(z.data).sum(1, keepdims=True)
    np.testing.assert_allclose(nn.softmax(z).data, p, rtol=1e-12)
    cost = nn.CrossEntropyLoss()(z, labels)
    assert cost.item() == pytest.approx(-np.log(p[np.arange(6), labels]).mean(), rel=1e-12)
    cost.backward()
    np.testing.assert_allclose(z.grad, (p - np.eye(3)[labels]) / 6, rtol=1e-10, atol=1e-16)
    two, y = z.data[:, :2], (labels > 0).astype(int)
    logistic = nn.BCEWithLogitsLoss()(two[:, 1] - two[:, 0], y)
    assert nn.CrossEntropyLoss()(two, y) == pytest.approx(logistic, rel=1e-12)


def test_derivatives_of_the_activations():
    z = Tensor(np.linspace(-3, 3, 13), requires_grad=True)
    one = np.ones(13)
    s = sigmoid(z.data)
    np.testing.assert_allclose(nn.sigmoid(z).gradient(z, cotangent=one).data, s * (1 - s), rtol=1e-12)
    np.testing.assert_allclose(nn.tanh(z).gradient(z, cotangent=one).data, 1 - np.tanh(z.data) ** 2, rtol=1e-9)
    np.testing.assert_array_equal(nn.relu(z).gradient(z, cotangent=one).data, z.data > 0)


def test_without_activations_a_deep_network_is_one_linear_map():
    """ŷ = W[3] W[2] W[1] x + b, with b = W[3] (W[2] b[1] + b[2]) + b[3]."""
    rng = np.random.default_rng(0)
    model = nn.MLP([4, 5, 3, 2], activation="identity", dtype=np.float64, rng=rng)
    for _, p in model.named_parameters():
        p.data = rng.normal(size=p.shape)
    W1, b1, W2, b2, W3, b3 = (p.data for p in model.parameters())
    x = rng.normal(size=(6, 4))
    np.testing.assert_allclose(model(x).data, x @ (W3 @ W2 @ W1).T + W3 @ (W2 @ b1 + b2) + b3, rtol=1e-12)


def test_the_whole_network_passes_the_numerical_check():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 5)), rng.integers(0, 2, (4, 1)).astype(float)

    def cost(W1, b1, W2, b2, W3, b3):
        a1 = nn.sigmoid(x @ W1.T + b1)
        a2 = nn.sigmoid(a1 @ W2.T + b2)
        return nn.BCELoss()(nn.sigmoid(a2 @ W3.T + b3), y)

    shapes = [(3, 5), (3,), (2, 3), (2,), (1, 2), (1,)]
    check_gradients(cost, *[rng.normal(size=s) for s in shapes])
