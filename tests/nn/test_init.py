"""Initialisers: their statistics, their structure, PyTorch's gains, and their refusals."""

import math
import pickle

import numpy as np
import pytest

import nn
from nn import init

SHAPE = (200, 300)


def draw(initialiser, shape=SHAPE, seed=0):
    return init.initializer(initialiser)(shape, np.random.default_rng(seed))


def has_moments(w, mean, variance, kurtosis):
    """Whether mean and variance are within five standard errors of what they should be."""
    m, error = w.mean(), math.sqrt(variance / w.size)
    assert abs(m - mean) < 5 * error
    assert abs(((w - mean) ** 2).mean() - variance) < 5 * variance * math.sqrt((kurtosis - 1) / w.size)


@pytest.mark.parametrize(
    ("initialiser", "variance"),
    [
        (init.Normal(std=0.3), 0.09),
        ("xavier", 2 / 500),
        (init.XavierNormal(gain=5 / 3), 25 / 9 * 2 / 500),
        ("he", 2 / 300),
        (init.HeNormal(mode="fan_out"), 2 / 200),
        (init.HeNormal(a=0.5), 2 / 1.25 / 300),
        (init.HeNormal(nonlinearity="tanh"), 25 / 9 / 300),
        ("lecun", 1 / 300),
    ],
)
def test_normal_draws_have_their_variance(initialiser, variance):
    has_moments(draw(initialiser), 0, variance, 3)


@pytest.mark.parametrize(
    ("initialiser", "low", "high"),
    [
        (init.Uniform(-1, 3), -1, 3),
        ("xavier_uniform", -math.sqrt(6 / 500), math.sqrt(6 / 500)),
        (init.XavierUniform(gain=2), -2 * math.sqrt(6 / 500), 2 * math.sqrt(6 / 500)),
        ("he_uniform", -math.sqrt(6 / 300), math.sqrt(6 / 300)),
        (init.HeUniform(mode="fan_out"), -math.sqrt(6 / 200), math.sqrt(6 / 200)),
        ("lecun_uniform", -math.sqrt(3 / 300), math.sqrt(3 / 300)),
    ],
)
def test_uniform_draws_fill_their_interval(initialiser, low, high):
    w = draw(initialiser)
    has_moments(w, (low + high) / 2, (high - low) ** 2 / 12, 1.8)
    assert low <= w.min() < low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) < w.max() <= high * (1 + 1e-15)


def test_the_fans_count_every_place_of_a_field():
    has_moments(draw("he", (64, 3, 8, 8)), 0, 2 / (3 * 64), 3)
    has_moments(draw(init.HeNormal(mode="fan_out"), (64, 3, 8, 8)), 0, 2 / (64 * 64), 3)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0, 1, -2, 2),
        (0, 0.02, -0.04, 0.04),
        (1, 2, -1, 1.5),
        (0, 1, -0.1, 0.2),  # uniform proposals
        (0, 1, 0.05, 0.6),
        (0, 1, 1, math.inf),  # exponential ones
        (0, 1, -math.inf, -1.5),
        (3, 0.5, -8, 0),
        (0, 1, 6, 6.1),
        (0, 1, -math.inf, math.inf),
    ],
)
def test_truncated_normal_draws_have_the_truncated_distribution(mean, std, a, b):
    stats = pytest.importorskip("scipy.stats")
    w = draw(init.TruncatedNormal(mean, std, a, b), (100, 200))
    assert w.shape == (100, 200)
    assert a <= w.min() <= w.max() <= b
    expected = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(w.ravel(), expected.cdf).pvalue > 1e-3
    has_moments(w, expected.mean(), expected.var(), float(expected.stats("k")) + 3)


def test_truncated_normal_draws_far_out_come_to_an_end():
    for a, b in [(40, math.inf), (-1e9, -50), (1e-3, 1e-2), (5e-324, 0.1), (30, 1e30)]:
        w = draw(init.TruncatedNormal(a=a, b=b), (50, 20))
        assert a <= w.min() < w.max() <= b
    assert draw(init.TruncatedNormal(std=1e-320, a=1, b=2), (3,)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 3, 2, 2), (30, 3, 2, 2), (1, 4), (4, 1)])
def test_orthogonal_matrices_are_orthogonal(shape):
    q = draw(init.Orthogonal(gain=3.0), shape).reshape(shape[0], -1) / 3
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(min(q.shape)), atol=1e-14)


def test_orthogonal_matrices_are_uniformly_distributed():
    """Without the signs of R, Q would have more negative than positive numbers on its diagonal."""
    rng = np.random.default_rng(0)
    q = np.array([init.Orthogonal()((3, 3), rng) for _ in range(2000)])
    assert np.abs(q.mean(0)).max() < 5 * math.sqrt(1 / 3 / 2000)
    assert abs((np.linalg.det(q) > 0).mean() - 0.5) < 5 * 0.5 / math.sqrt(2000)
    has_moments(draw("orthogonal", (40, 300)), 0, 1 / 300, 3)


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.1, 10), (0.07, 7), (0.005, 1), (0.999, 100), (1.0, 100)])
def test_sparse_columns_have_their_number_of_zeros(sparsity, zeros):
    w = draw(init.Sparse(sparsity, std=0.5), (100, 60))
    np.testing.assert_array_equal((w == 0).sum(0), zeros)
    if zeros < 100:
        has_moments(w[w != 0], 0, 0.25, 3)
    if zeros == 10:
        assert np.ptp((w == 0).sum(1)) > 1  # each column has its own


def test_constants_and_identities():
    np.testing.assert_array_equal(draw("ones", (2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(draw(init.Identity(1.5), (2, 3)), [[1.5, 0, 0], [0, 1.5, 0]])
    np.testing.assert_array_equal(draw("identity", (3, 2)), np.eye(3, 2))


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("slope", [None, 0.2])
def test_gains_are_pytorchs(name, slope):
    torch = pytest.importorskip("torch")
    slope = slope if name == "leaky_relu" else None
    assert init.calculate_gain(name, slope) == pytest.approx(torch.nn.init.calculate_gain(name, slope), rel=1e-15)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(("nonlinearity", "a"), [("leaky_relu", 0.3), ("relu", 0), ("tanh", 0), ("selu", 0)])
@pytest.mark.parametrize("shape", [(200, 300), (20, 30, 5, 4)])
def test_bounds_are_pytorchs(mode, nonlinearity, a, shape):
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    theirs = torch.empty(shape, dtype=torch.float64)
    torch.nn.init.kaiming_uniform_(theirs, a, mode, nonlinearity, generator)
    ours = draw(init.HeUniform(a, mode, nonlinearity), shape)
    assert np.abs(ours).max() == pytest.approx(theirs.abs().max().item(), rel=2e-3)
    torch.nn.init.xavier_uniform_(theirs, 1.7, generator)
    assert np.abs(draw(init.XavierUniform(1.7), shape)).max() == pytest.approx(theirs.abs().max().item(), rel=2e-3)


@pytest.mark.parametrize(
    "initialiser",
    [*init.INITIALIZERS, init.Uniform(0, 1), init.Sparse(0.5), init.TruncatedNormal(a=3, b=4), init.Constant(2)],
)
def test_every_initialiser_serves_a_layer_of_any_dtype_with_the_same_numbers(initialiser):
    exact = nn.Linear(7, 5, init=initialiser, dtype=np.float64, rng=3).weight.data
    for dtype in (np.float32, np.float16):
        layer = nn.Linear(7, 5, init=initialiser, dtype=dtype, rng=3)
        np.testing.assert_array_equal(layer.weight.data, exact.astype(dtype))
    layer.reset_parameters(rng=3)
    np.testing.assert_array_equal(layer.weight.data, exact.astype(dtype))
    drawn = draw(initialiser, (7, 5))
    assert drawn.dtype == np.float64
    assert (init.initializer(initialiser) == pickle.loads(pickle.dumps(init.initializer(initialiser)))) is True
    assert draw(initialiser, (0, 5)).shape == (0, 5)
    assert draw(initialiser, (5, 0)).shape == (5, 0)


def test_the_names_and_what_they_stand_for():
    assert init.initializer("kaiming") == init.initializer("he") == init.HeNormal()
    assert init.initializer("glorot") == init.initializer("xavier") == init.XavierNormal()
    assert init.LeCunNormal() != init.HeNormal(nonlinearity="linear")
    np.testing.assert_allclose(draw("lecun"), draw(init.HeNormal(nonlinearity="linear")), rtol=1e-15)
    with pytest.raises(AttributeError):
        init.HeNormal().a = 1.0
    assert repr(init.Sparse(0.9)) == "Sparse(sparsity=0.9, std=0.01)"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: init.Normal(std=-1), "Normal: std is at least 0, got Normal"),
        (lambda: init.Normal(std=math.nan), "std is at least 0"),
        (lambda: init.Uniform(1, 0), "low is not above high"),
        (lambda: init.Uniform(0, math.inf), "both are finite"),
        (lambda: init.TruncatedNormal(a=2, b=-2), "a is less than b"),
        (lambda: init.TruncatedNormal(a=math.inf, b=math.inf), "a is less than b"),
        (lambda: init.TruncatedNormal(std=0), "std above 0"),
        (lambda: init.Sparse(1.5), "fraction, from 0 to 1"),
        (lambda: init.HeNormal(mode="fan_avg"), "mode must be 'fan_in' or 'fan_out', got 'fan_avg'"),
        (lambda: init.HeNormal(nonlinearity="rely"), "no gain is known for 'rely', only for linear, .*leaky_relu"),
        (lambda: init.HeNormal(a=0.1, nonlinearity="relu"), "only 'leaky_relu' has a parameter"),
        (lambda: init.calculate_gain("tanh", 0.5), "only 'leaky_relu' has a parameter"),
        (lambda: draw("orthogonal", (3,)), r"shape \(out, in\)"),
        (lambda: draw("lecun", (3,)), r"shape \(out, in\)"),
        (lambda: draw("identity", (3, 3, 3)), r"Identity.* makes matrices .* got shape \(3, 3, 3\)"),
        (lambda: draw(init.Sparse(0.5), (3,)), "Sparse.* makes matrices"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_class_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match="got the class HeNormal: write a call of it"):
        nn.Linear(2, 1, init=init.HeNormal)
