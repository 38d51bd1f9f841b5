"""The backpropagation lecture as tests: what it says on initialisation, vanishing gradients, and training."""

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor


def train(model, loss, x, y, steps, **options):
    """Batch gradient descent; the costs."""
    descent, costs = optim.SGD(model.parameters(), **options), []
    for _ in range(steps):
        descent.zero_grad()
        cost = loss(model(x), y)
        cost.backward()
        descent.step()
        costs.append(cost.item())
    return costs


def data(m=300, seed=0):
    """Examples of two classes that overlap: no weights separate them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    y = (rng.random(m) < 1 / (1 + np.exp(-(x @ [1.5, -1.0, 0.5] + 0.4)))).astype(float)
    return x, y[:, None]


# A neuron


@pytest.mark.parametrize("neuron", ["sigmoid", "logit"])
def test_logistic_regression_is_a_network_of_one_neuron(neuron):
    """ŷ = σ(wᵀx + b), trained until it does not change: scikit-learn's fit without a penalty."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = data()
    model = nn.MLP([3, 1], output_activation="sigmoid" if neuron == "sigmoid" else None, dtype=np.float64, rng=0)
    loss = nn.BCELoss() if neuron == "sigmoid" else nn.BCEWithLogitsLoss()
    train(model, loss, x, y, 300, lr=1.0, momentum=0.8)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y[:, 0])
    np.testing.assert_allclose(model.linear1.weight.data, theirs.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.linear1.bias.data, theirs.intercept_, rtol=1e-6)


def test_normalised_inputs_are_learnt_in_fewer_steps():
    """x̃ = (x − μ)/σ: with the best of many learning rates each, descent needs far fewer steps."""
    x, y = data()
    x = x * [1.0, 10.0, 30.0] + [0.0, 20.0, -50.0]
    after = {}
    for name, z in (("raw", x), ("standardised", nn.Standardize(3, dtype=np.float64).fit(x)(x))):
        models = [(nn.MLP([3, 1], init="zeros", dtype=np.float64), lr) for lr in 10.0 ** np.arange(-6, 2)]
        after[name] = min(train(model, nn.BCEWithLogitsLoss(), z, y, 50, lr=lr)[-1] for model, lr in models)
    best = train(nn.MLP([3, 1], dtype=np.float64), nn.BCEWithLogitsLoss(), z, y, 300, lr=1.0, momentum=0.8)[-1]
    assert after["standardised"] < best + 1e-3
    assert after["raw"] > best + 0.1


# Initialisation


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("init", ["zeros", nn.init.Constant(0.3)])
def test_equal_weights_stay_equal(activation, init):
    """Zero, or one other value everywhere: all neurons of a layer have the same gradients, and learn the same."""
    x, y = data(40)
    model = nn.MLP([3, 4, 5, 1], activation, init=init, dtype=np.float64)
    before = model.state_dict()
    for steps in (1, 20):
        train(model, nn.BCEWithLogitsLoss(), x, y, steps, lr=0.5)
        for layer in (model.linear1, model.linear2):
            for array in (layer.weight.data, layer.weight.grad, layer.bias.data, layer.bias.grad):
                np.testing.assert_allclose(array, np.broadcast_to(array[:1], array.shape), rtol=1e-12, atol=0)
    assert not np.allclose(model.linear3.bias.data, before["linear3.bias"])
    if init != "zeros":
        assert not np.allclose(model.linear1.weight.data, before["linear1.weight"])


def test_random_weights_break_the_symmetry():
    """N(0, 0.01²) does what zeros cannot: neurons become different, and together they learn an interval."""
    x = np.linspace(-2, 2, 41).reshape(-1, 1)
    y = ((x > 0) & (x < 1)).astype(float)
    costs = {}
    for name in ("zeros", "normal"):
        model = nn.MLP([1, 4, 1], "tanh", init=name, dtype=np.float64, rng=0)
        costs[name] = train(model, nn.BCEWithLogitsLoss(), x, y, 500, lr=0.5, momentum=0.9)[-1]
    share = y.mean()
    assert costs["zeros"] == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share), rel=1e-6)
    assert costs["normal"] < 0.05


@pytest.mark.parametrize("factor", [1.5, 0.5])
def test_ten_identity_layers_explode_or_vanish(factor):
    """W = 1.5 I or 0.5 I, no biases: ŷ = 1.5^L x or 0.5^L x; and a gradient has a factor for each layer after it."""
    model = nn.MLP([2] * 11, activation="identity", init=nn.init.Identity(factor), dtype=np.float64)
    x = Tensor(np.array([[1.0, -2.0]]), requires_grad=True)
    y = model(x)
    np.testing.assert_allclose(y.data, factor**10 * x.data, rtol=1e-13)
    y.sum().backward()
    np.testing.assert_allclose(x.grad, factor**10, rtol=1e-13)
    for k in range(1, 11):
        layer = getattr(model, f"linear{k}")
        np.testing.assert_allclose(layer.bias.grad, factor ** (10 - k), rtol=1e-13)
        np.testing.assert_allclose(layer.weight.grad, factor**9 * np.ones((2, 1)) * x.data, rtol=1e-13)


def standard_deviations(init, activation, width=256, layers=10):
    """Of the activations after each layer, for standard normal inputs."""
    x = np.random.default_rng(1).normal(size=(200, width))
    model = nn.MLP([width] * (layers + 1), activation, activation, init=init, dtype=np.float64, rng=2)
    result = []
    for _, part in model.named_children():
        x = part(x)
        if not isinstance(part, nn.Linear):
            result.append(np.sqrt((x.data**2).mean()))
    return np.array(result)


def test_each_activation_has_its_scale():
    """√(2/n) keeps ReLU's second moment; √(1/n) halves it in each layer; tanh is kept alive by √(1/n)."""
    np.testing.assert_allclose(standard_deviations("he", "relu"), 1, rtol=0.2)
    ratios = standard_deviations("lecun", "relu") / standard_deviations("he", "relu")
    np.testing.assert_allclose(ratios, 0.5 ** (np.arange(1, 11) / 2), rtol=1e-10)
    np.testing.assert_allclose(standard_deviations("lecun", "identity"), 1, rtol=0.1)
    np.testing.assert_allclose(
        standard_deviations("orthogonal", "identity"), standard_deviations(nn.init.Identity(), "identity"), rtol=1e-12
    )
    for name in ("lecun", "xavier"):
        assert standard_deviations(name, "tanh")[-1] > 0.2
    np.testing.assert_allclose(standard_deviations(nn.init.XavierNormal(5 / 3), "tanh")[3:], 0.65, rtol=0.05)


def test_small_weights_in_a_deep_network_let_everything_vanish_and_large_ones_saturate():
    """N(0, 0.01²): each layer of n = 256 neurons scales by about 0.01 √n = 0.16. N(0, 1): every tanh is ±1."""
    small = standard_deviations("normal", "tanh")
    np.testing.assert_allclose(small, 0.16 ** np.arange(1.0, 11), rtol=0.3)
    assert standard_deviations(nn.init.Normal(std=1.0), "tanh").min() > 0.95


def test_the_more_inputs_the_smaller_the_weights():
    """z = Σ wᵢ xᵢ has variance n var(w) for unit inputs: 1 for var(w) = 1/n, whatever n."""
    for n in (10, 100, 1000):
        w = nn.Linear(n, 2000, init="lecun", dtype=np.float64, rng=0).weight.data
        assert (w**2).sum(1).mean() == pytest.approx(1, rel=0.05)


def test_a_saturated_sigmoid_has_no_gradient_and_the_remedies_have():
    """σ′(z) = σ(z) (1 − σ(z)) is e^−20 = 2·10⁻⁹ at z = ±20, and never more than 1/4; ReLU's slope is 1."""

    def slope(function, z):
        z = Tensor(np.array([z]), requires_grad=True)
        return function(z).gradient(z, cotangent=np.ones(1)).item()

    for z in (-20.0, 20.0):
        assert slope(nn.sigmoid, z) == pytest.approx(np.exp(-20), rel=1e-7)
        assert slope(nn.tanh, z) == pytest.approx(4 * np.exp(-40), abs=1e-15)
    assert slope(nn.sigmoid, 0.0) == 0.25
    assert [slope(nn.relu, z) for z in (20.0, -20.0)] == [1, 0]
    assert [slope(nn.leaky_relu, z) for z in (20.0, -20.0)] == [1, 0.01]
    assert slope(nn.elu, -2.0) == pytest.approx(np.exp(-2))


def test_sigmoids_stop_the_first_layers_from_learning():
    """σ′ ≤ 1/4 in each of ten layers: the first one's gradient is tiny beside the last one's. With ReLU it is not."""
    x, y = data(100)
    ratio = {}
    for activation, init in (("sigmoid", "xavier"), ("relu", "he")):
        model = nn.MLP([3, *[50] * 9, 1], activation, init=init, dtype=np.float64, rng=0)
        nn.BCEWithLogitsLoss()(model(x), y).backward()
        first, last = (np.abs(layer.weight.grad).mean() for layer in (model.linear1, model.linear10))
        ratio[activation] = first / last
    assert ratio["sigmoid"] < 1e-5
    assert 1e-2 < ratio["relu"] < 1e2


# Batches, and what is added to the cost


@pytest.mark.parametrize("size", [1, 5, 20])
def test_the_mean_of_the_mini_batches_gradients_is_the_batchs(size):
    """J = (1/m) Σ L⁽ⁱ⁾ is the mean of J_mb = (1/B) Σ L⁽ⁱ⁾ over equal parts, and its gradient is that of theirs."""
    x, y = data(60)
    model, loss = nn.MLP([3, 4, 1], "tanh", dtype=np.float64, rng=0), nn.BCEWithLogitsLoss()
    parameters = list(model.parameters())
    whole = loss(model(x), y).gradient(*parameters)
    parts = np.random.default_rng(0).permutation(60).reshape(-1, size)
    gradients = [loss(model(x[part]), y[part]).gradient(*parameters) for part in parts]
    for k, g in enumerate(whole):
        np.testing.assert_allclose(np.mean([part[k].data for part in gradients], axis=0), g.data, rtol=1e-9, atol=1e-15)


def test_momentum_averages_a_zig_zag_away():
    """v = βv + (1 − β) g on J = ½ (w₁² + 25 w₂²): at this rate plain descent jumps across the valley in each step."""
    for beta in (0.0, 0.9):
        w, path = Tensor([4.0, 1.0], requires_grad=True), []
        descent = optim.SGD([w], lr=0.078, momentum=beta, form="average")
        for _ in range(100):
            descent.zero_grad()
            (0.5 * (w * w * np.array([1.0, 25.0])).sum()).backward()
            descent.step()
            path.append(w.data[1])
        jumps = np.mean(np.sign(path[1:]) != np.sign(path[:-1]))
        assert jumps == 1 if beta == 0 else jumps < 0.5


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
