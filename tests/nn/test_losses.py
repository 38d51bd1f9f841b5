"""Losses: values and gradients against PyTorch, weights of examples, stability, and what is refused."""

import copy
import inspect

import numpy as np
import pytest

import nn
import nn.functional as F
from autograd import Tensor, check_gradients, grad

N, C = 6, 4


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def chances(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.05, 0.95, size=shape)


def shares(*shape, seed=0):
    p = chances(*shape, seed=seed)
    return p / p.sum(1, keepdims=True)


def classes(*shape, seed=0, n=C):
    return np.random.default_rng(seed).integers(0, n, size=shape)


def signs(*shape, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=shape)


Z, Y = numbers(N, C), numbers(N, C, seed=1)
W = np.array([0.5, 2.0, 1.0, 3.0])
T = classes(N)
IGNORED = np.where(np.arange(N) % 3 == 1, -100, T)

#: A name for the case: the loss, the arrays it is called with (the gradient is taken of all that are floats), options.
CASES = {
    "mse": ("MSELoss", (Z, Y), {}),
    "l1": ("L1Loss", (Z, Y), {}),
    "smooth l1": ("SmoothL1Loss", (Z, Y), {"beta": 0.7}),
    "smooth l1 of beta 0": ("SmoothL1Loss", (Z, Y), {"beta": 0.0}),
    "huber": ("HuberLoss", (Z, Y), {"delta": 0.7}),
    "bce": ("BCELoss", (chances(N, C), chances(N, C, seed=1)), {}),
    "bce, weight": ("BCELoss", (chances(N, C), chances(N, C, seed=1)), {"weight": W}),
    "logits": ("BCEWithLogitsLoss", (Z, chances(N, C)), {}),
    "logits, weight": ("BCEWithLogitsLoss", (Z, chances(N, C)), {"weight": chances(N, 1)}),
    "logits, pos_weight": ("BCEWithLogitsLoss", (Z, chances(N, C)), {"pos_weight": W}),
    "logits, both": ("BCEWithLogitsLoss", (Z, chances(N, C)), {"pos_weight": W, "weight": W[::-1].copy()}),
    "classes": ("CrossEntropyLoss", (Z, T), {}),
    "classes of one": ("CrossEntropyLoss", (Z[0], T[0]), {"weight": W}),
    "classes, weight": ("CrossEntropyLoss", (Z, T), {"weight": W}),
    "classes, ignored": ("CrossEntropyLoss", (Z, IGNORED), {}),
    "classes, ignored 2": ("CrossEntropyLoss", (Z, T), {"ignore_index": 2}),
    "classes, smoothed": ("CrossEntropyLoss", (Z, T), {"label_smoothing": 0.3}),
    "classes, everything": ("CrossEntropyLoss", (Z, IGNORED), {"weight": W, "label_smoothing": 0.3}),
    "classes, a weight 0, smoothed": (
        "CrossEntropyLoss",
        (Z, T),
        {"weight": W * [1.0, 1.0, 0.0, 1.0], "label_smoothing": 0.3},
    ),
    "classes of pixels": ("CrossEntropyLoss", (numbers(3, C, 2, 2), classes(3, 2, 2)), {"weight": W}),
    "classes of pixels, smoothed": (
        "CrossEntropyLoss",
        (numbers(3, C, 5), np.where(classes(3, 5) == 1, -100, classes(3, 5))),
        {"weight": W, "label_smoothing": 0.1},
    ),
    "probabilities": ("CrossEntropyLoss", (Z, shares(N, C)), {}),
    "probabilities of one": ("CrossEntropyLoss", (Z[0], shares(1, C)[0]), {"weight": W}),
    "probabilities without the sum 1": ("CrossEntropyLoss", (Z, chances(N, C)), {}),
    "probabilities, everything": ("CrossEntropyLoss", (Z, shares(N, C)), {"weight": W, "label_smoothing": 0.3}),
    "probabilities of pixels": ("CrossEntropyLoss", (numbers(3, C, 5), shares(3, C, 5)), {"weight": W}),
    "nll": ("NLLLoss", (Z, T), {}),
    "nll, everything": ("NLLLoss", (Z, IGNORED), {"weight": W}),
    "nll of one": ("NLLLoss", (Z[0], T[0]), {}),
    "nll of pixels": ("NLLLoss", (numbers(3, C, 2, 2), classes(3, 2, 2)), {"weight": W, "ignore_index": 1}),
    "margins": ("MultiMarginLoss", (Z, T), {}),
    "margins, squared": ("MultiMarginLoss", (Z, T), {"p": 2, "margin": 0.5, "weight": W}),
    "margins of one": ("MultiMarginLoss", (Z[0], T[0]), {"weight": W}),
    "kl": ("KLDivLoss", (np.log(shares(N, C)), shares(N, C, seed=1)), {}),
    "kl of logs": ("KLDivLoss", (np.log(shares(N, C)), np.log(shares(N, C, seed=1))), {"log_target": True}),
    "normal": ("GaussianNLLLoss", (Z, Y, chances(N, C)), {}),
    "normal, full": ("GaussianNLLLoss", (Z, Y, chances(N, C) * 1e-2), {"full": True, "eps": 3e-3}),
    "normal, a variance for each row": ("GaussianNLLLoss", (Z, Y, chances(N)), {}),
    "normal, a column of variances": ("GaussianNLLLoss", (Z, Y, chances(N, 1)), {}),
    "poisson": ("PoissonNLLLoss", (Z, 5 * chances(N, C)), {}),
    "poisson, full": ("PoissonNLLLoss", (Z, 5 * chances(N, C)), {"full": True}),
    "poisson of rates": ("PoissonNLLLoss", (chances(N, C), 5 * chances(N, C)), {"log_input": False, "eps": 1e-3}),
    "cosine": ("CosineEmbeddingLoss", (Z, Y, signs(N)), {}),
    "cosine, margin": ("CosineEmbeddingLoss", (Z, Y, signs(N)), {"margin": -0.2}),
    "cosine of one": ("CosineEmbeddingLoss", (Z[0], Y[0], np.array(-1.0)), {}),
}

#: Targets that choose: they are not differentiated.
CHOOSING = ("CosineEmbeddingLoss", "HingeLoss")

#: Those with no counterpart in PyTorch.
OWN = {
    "hinge": ("HingeLoss", (Z, signs(N, C)), {}),
    "half squares": ("HalfSquaredErrorLoss", (Z, Y), {}),
}


def tracked_inputs(name, arrays):
    floats = [a.dtype.kind == "f" for a in arrays]
    if name in CHOOSING:
        floats[-1] = False
    return floats


def with_reductions(cases):
    found = []
    for case, (name, arrays, options) in cases.items():
        found += [
            pytest.param(name, arrays, options, reduction, id=f"{case}, {reduction}")
            for reduction in getattr(nn, name).reductions
        ]
    return found


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")  # PyTorch's advice on KLDivLoss
@pytest.mark.parametrize(("name", "arrays", "options", "reduction"), with_reductions(CASES))
def test_values_and_gradients_are_those_of_pytorch(name, arrays, options, reduction):
    torch = pytest.importorskip("torch")
    floats = tracked_inputs(name, arrays)
    ours = [Tensor(a, requires_grad=True) if on else a for a, on in zip(arrays, floats)]
    theirs = [torch.tensor(a, requires_grad=on) for a, on in zip(arrays, floats)]
    converted = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    loss = getattr(nn, name)(reduction, **options)(*ours)
    expected = getattr(torch.nn, name)(reduction=reduction, **converted)(*theirs)
    np.testing.assert_allclose(loss.data, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    cotangent = np.asarray(numbers(*loss.shape, seed=5))
    loss.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    for x, y in zip(ours, theirs):
        if isinstance(x, Tensor):
            np.testing.assert_allclose(x.grad, y.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", [k for k in CASES | OWN if k != "normal, full"])  # where small variances are below eps
def test_gradients_of_the_first_and_second_order_are_right(case):
    name, arrays, options = (CASES | OWN)[case]
    floats = tracked_inputs(name, arrays)
    loss, weights = getattr(nn, name)(**options), chances(len(arrays[0])) if arrays[0].ndim > 1 else None

    def of_floats(*xs):
        given = iter(xs)
        return loss(*[next(given) if on else a for a, on in zip(arrays, floats)], sample_weight=weights)

    tracked = [a for a, on in zip(arrays, floats) if on]
    check_gradients(of_floats, *tracked, order=2)
    single = [Tensor(a, requires_grad=True, dtype=np.float32) for a in tracked]
    first = of_floats(*single).gradient(*single, create_graph=True)
    total = sum((np.sin(g).sum() for g in (first if isinstance(first, tuple) else (first,))), Tensor(np.float32(0)))
    if total.requires_grad:  # not so where the derivatives are constant
        total.backward()
        assert all(x.grad is None or x.grad.dtype == np.float32 for x in single)


@pytest.mark.parametrize(("name", "arrays", "options", "reduction"), with_reductions(CASES | OWN))
def test_float32_stays_float32_in_values_and_gradients(name, arrays, options, reduction):
    floats = tracked_inputs(name, arrays)
    xs = [Tensor(a, requires_grad=True, dtype=np.float32) if on else a for a, on in zip(arrays, floats)]
    weights = chances(len(arrays[0])) if arrays[0].ndim > 1 else None
    loss = getattr(nn, name)(reduction, **options)
    for result in (loss(*xs), loss(*xs, sample_weight=weights)):
        assert result.dtype == np.float32
        result.sum().backward()
        assert all(x.grad.dtype == np.float32 for x in xs if isinstance(x, Tensor))


def test_targets_and_variances_of_another_dtype_do_not_widen_float32():
    z = Tensor(Z, requires_grad=True, dtype=np.float32)
    for loss, rest in (
        (nn.MSELoss(), [T[:, None] + np.zeros(C, int)]),
        (nn.CrossEntropyLoss(weight=W), [T]),
        (nn.CrossEntropyLoss(weight=W), [shares(N, C)]),
        (nn.PoissonNLLLoss(full=True), [T[:, None] + np.zeros(C, int)]),
        (nn.GaussianNLLLoss(full=True), [Y, chances(N, C)]),
        (nn.GaussianNLLLoss(), [Y, np.float64(0.5)]),
        (nn.CosineEmbeddingLoss(), [Y, T % 2 * 2 - 1]),
        (nn.HingeLoss(), [np.ones((N, C), int)]),
    ):
        value = loss(z, *rest)
        value.backward()
        assert value.dtype == np.float32
        assert z.grad.dtype == np.float32


def test_options_that_are_scalars_of_float64_do_not_widen_float32_either():
    few, y = np.float64(0.1), shares(N, C).astype(np.float32)
    for loss in (
        lambda x: F.cross_entropy(x, T, label_smoothing=few),
        lambda x: F.cross_entropy(x, y, label_smoothing=few),
        lambda x: F.multi_margin_loss(x, T, margin=few),
        lambda x: F.huber_loss(x, y, few),
        lambda x: F.smooth_l1_loss(x, y, few),
        lambda x: F.gaussian_nll_loss(x, y, few, eps=few),
        lambda x: F.gaussian_nll_loss(y, y, x * x, eps=few),
        lambda x: F.poisson_nll_loss(x * x, y, log_input=False, eps=few),
        lambda x: F.cosine_similarity(x, y, eps=few),
        lambda x: F.cosine_embedding_loss(x, y, T % 2 * 2 - 1, margin=few),
    ):
        x = Tensor(Z, requires_grad=True, dtype=np.float32)
        losses = loss(x)
        losses.sum().backward()
        assert losses.dtype == x.grad.dtype == np.float32


def test_tracked_inputs_of_two_dtypes_each_get_a_gradient_of_their_own():
    for loss in (nn.CrossEntropyLoss(), nn.BCEWithLogitsLoss(), nn.MSELoss()):
        z, y = Tensor(Z, requires_grad=True, dtype=np.float32), Tensor(shares(N, C), requires_grad=True)
        w = Tensor(np.ones(N), requires_grad=True)
        loss(z, y, w).backward()
        assert [t.grad.dtype for t in (z, y, w)] == [np.float32, np.float64, np.float64]


# The weights of the examples

#: The cases with several examples, except the one whose options have a row for each of them.
PER_EXAMPLE = {k: v for k, v in (CASES | OWN).items() if v[1][0].ndim > 1 and k != "logits, weight"}


def run(loss, arrays, floats, **options):
    xs = [Tensor(a, requires_grad=True) if on else a for a, on in zip(arrays, floats)]
    value = loss(*xs, **options)
    value.sum().backward()
    return value.data, [x.grad for x in xs if isinstance(x, Tensor)]


@pytest.mark.parametrize(
    ("name", "arrays", "options", "reduction"),
    [case for case in with_reductions(PER_EXAMPLE) if case.values[-1] != "none"],
)
def test_a_weight_of_two_is_the_example_twice_and_a_weight_of_zero_its_absence(name, arrays, options, reduction):
    loss, floats = getattr(nn, name)(reduction, **options), tracked_inputs(name, arrays)
    n = len(arrays[0])
    weights = np.ones(n)
    weights[0], weights[-1] = 2, 0
    rows = [0, *range(n - 1)]
    value, grads = run(loss, arrays, floats, sample_weight=weights)
    expected, repeated = run(loss, [a[rows] for a in arrays], floats)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for g, r in zip(grads, repeated):
        together = np.zeros_like(g)
        np.add.at(together, rows, r)
        np.testing.assert_allclose(g, together, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("name", "arrays", "options", "reduction"), with_reductions(PER_EXAMPLE))
def test_weights_of_one_change_nothing(name, arrays, options, reduction):
    loss = getattr(nn, name)(reduction, **options)
    plain, weighted = loss(*arrays), loss(*arrays, sample_weight=np.ones(len(arrays[0]), int))
    np.testing.assert_allclose(plain, weighted, rtol=1e-12)


def test_the_weighted_mean_is_over_elements_and_takes_class_weights_times_sample_weights():
    s = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])
    squares = (Z - Y) ** 2
    np.testing.assert_allclose(
        nn.MSELoss()(Z, Y, s), (s[:, None] * squares).sum() / np.broadcast_to(s[:, None], squares.shape).sum()
    )
    losses = F.cross_entropy(Z, T)
    value = nn.CrossEntropyLoss(weight=W)(Z, T, s)
    np.testing.assert_allclose(value, (s * W[T] * losses).sum() / (s * W[T]).sum())
    np.testing.assert_allclose(nn.CrossEntropyLoss("none", weight=W)(Z, T, s), s * W[T] * losses)


def test_gradients_flow_into_the_weights_of_the_examples_also_where_they_are_zero():
    s = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])
    for loss, target in ((nn.MSELoss(), Y), (nn.CrossEntropyLoss(weight=W), T), (nn.HalfSquaredErrorLoss("sum"), Y)):
        check_gradients(lambda z, w, loss=loss, target=target: loss(z, target, w), Z, s, order=2)


def test_an_infinite_loss_of_weight_zero_is_absent():
    z = Tensor([[0.0, -np.inf, 0.0], [0.0, 1.0, 2.0]], requires_grad=True)
    loss = nn.CrossEntropyLoss()(z, [1, 2], sample_weight=[0, 1])
    loss.backward()
    assert loss.item() == pytest.approx(F.cross_entropy(z.data[1:], [2])[0])
    assert np.isfinite(z.grad).all()
    ignored = nn.CrossEntropyLoss(ignore_index=7)(np.array([[-np.inf, 0.0], [0.0, 0.0]]), [7, 1])
    assert float(ignored) == pytest.approx(np.log(2))


@pytest.mark.parametrize("name", ["MSELoss", "BCEWithLogitsLoss", "HalfSquaredErrorLoss"])
def test_weights_that_make_no_sense_are_refused(name):
    loss = getattr(nn, name)()
    with pytest.raises(ValueError, match=r"of shape \(6,\) here; got float64 of shape \(6, 1\)"):
        loss(Z, chances(N, C), np.ones((N, 1)))
    with pytest.raises(ValueError, match="shape"):
        loss(Z, chances(N, C), 2.0)
    with pytest.raises(ValueError, match="here; got <U1"):
        loss(Z, chances(N, C), ["a"] * N)
    for wrong in (np.zeros(N), np.full(N, np.nan), -np.ones(N)):
        with pytest.raises(ValueError, match="needs weights with a mean above 0, it is"):
            loss(Z, chances(N, C), wrong)
    assert float(getattr(nn, name)("sum")(Z, chances(N, C), np.zeros(N))) == 0


# Nothing to average


@pytest.mark.parametrize("case", PER_EXAMPLE)
def test_an_empty_batch_has_a_sum_and_no_mean(case):
    name, arrays, options = PER_EXAMPLE[case]
    empty = [a[:0] for a in arrays]
    assert float(getattr(nn, name)("sum", **options)(*empty)) == 0
    assert getattr(nn, name)("none", **options)(*empty).shape[0] == 0
    for weights in (None, np.ones(0)):
        with pytest.raises(ValueError, match="no mean of no losses"):
            getattr(nn, name)(**options)(*empty, sample_weight=weights)


def test_the_mean_of_ignored_targets_is_refused():
    for loss in (nn.CrossEntropyLoss(), nn.NLLLoss()):
        with pytest.raises(ValueError, match="do all targets have the ignore_index"):
            loss(Z, np.full(N, -100))


# The course's


def test_half_the_squared_error_gives_the_deltas_of_the_course():
    """J = ½ Σ (a − y)²: δ[L] = (a[L] − y) ∘ σ′(z[L]), and its mean over the examples."""
    z, y = Tensor(numbers(5, 3), requires_grad=True), chances(5, 3)
    a = nn.sigmoid(z)
    loss = nn.HalfSquaredErrorLoss()(a, y)
    loss.backward()
    s = a.data * (1 - a.data)
    np.testing.assert_allclose(z.grad, (a.data - y) * s / 5, rtol=1e-12)
    assert loss.item() == pytest.approx(0.5 * ((a.data - y) ** 2).sum() / 5)
    one = Tensor(z.data[:1], requires_grad=True)
    nn.HalfSquaredErrorLoss()(nn.sigmoid(one), y[:1]).backward()
    np.testing.assert_allclose(one.grad, ((a.data - y) * s)[:1], rtol=1e-12)


def test_three_independent_sigmoids_are_the_sum_over_the_animals():
    z, y = Tensor(numbers(5, 3), requires_grad=True), np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1]])
    p = 1 / (1 + np.exp(-z.data))
    expected = -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(1)
    cost = nn.BCEWithLogitsLoss("none")(z, y).sum(1).mean()
    cost.backward()
    assert cost.item() == pytest.approx(expected.mean(), rel=1e-12)
    np.testing.assert_allclose(z.grad, (p - y) / 5, rtol=1e-12)
    assert nn.BCEWithLogitsLoss()(z, y).item() == pytest.approx(expected.mean() / 3, rel=1e-12)


def test_the_gradient_of_the_cross_entropy_is_softmax_minus_target():
    z = Tensor(Z, requires_grad=True)
    nn.CrossEntropyLoss("sum")(z, T).backward()
    p = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    np.testing.assert_allclose(z.grad, p - np.eye(C)[T], rtol=1e-12, atol=1e-15)


def test_the_hessian_of_the_cross_entropy_is_diag_p_minus_p_p_and_the_third_order_is_right():
    z = numbers(3)
    p = np.exp(z) / np.exp(z).sum()
    for target in (np.array(1), np.array([0.2, 0.5, 0.3])):
        rows = [grad(lambda x, k=k, t=target: grad(lambda v: F.cross_entropy(v, t))(x)[k])(z) for k in range(3)]
        np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), rtol=1e-10, atol=1e-15)
        check_gradients(lambda x, t=target: F.cross_entropy(x, t), z, order=3)
    check_gradients(F.cross_entropy, Z[:2], shares(2, C), order=3)


# Stability


def test_logits_of_any_size_have_exact_losses_in_float32():
    big = np.array([[1e4, -1e4, 1e4], [-1e4, 1e4, 0.0]], np.float32)
    z = Tensor(big, requires_grad=True)
    losses = nn.CrossEntropyLoss("none")(z, [0, 0])
    losses.sum().backward()
    np.testing.assert_allclose(losses.data, [np.log(2), 2e4], rtol=1e-6)
    np.testing.assert_allclose(z.grad, [[-0.5, 0, 0.5], [-1, 1, 0]], rtol=1e-6)
    soft = Tensor(big, requires_grad=True)
    one_hot = np.array([[1, 0, 0], [1, 0, 0]], np.float32)
    again = nn.CrossEntropyLoss("none")(soft, one_hot)
    again.sum().backward()
    np.testing.assert_allclose(again.data, losses.data, rtol=1e-6)
    np.testing.assert_allclose(soft.grad, z.grad, rtol=1e-6)


def test_small_losses_of_binary_logits_keep_their_digits():
    z = np.array([12.0, 30.0, 80.0], np.float32)
    for y, logits in ((1, z), (0, -z)):
        losses = F.binary_cross_entropy_with_logits(logits, np.full(3, y, np.float32))
        np.testing.assert_allclose(losses, np.log1p(np.exp(-z.astype(float))), rtol=1e-6)


@pytest.mark.parametrize("pos_weight", [None, 0.0, 3.0])
def test_binary_logits_of_any_size_have_exact_losses_in_float32(pos_weight):
    z = Tensor(np.array([1e4, -1e4, 1e4, -1e4], np.float32), requires_grad=True)
    loss = nn.BCEWithLogitsLoss("none", pos_weight=pos_weight)
    losses = loss(z, [0, 1, 1, 0])
    losses.sum().backward()
    w = 1.0 if pos_weight is None else pos_weight
    np.testing.assert_array_equal(losses.data, [1e4, w * 1e4, 0, 0])
    np.testing.assert_array_equal(z.grad, [1, -w, 0, 0])


def test_large_numbers_in_the_other_losses_are_finite_in_float32():
    a, y = np.array([[1e4, -1e4]], np.float32), np.array([[-1e4, -1e4]], np.float32)
    for loss in (nn.MSELoss(), nn.HuberLoss(), nn.SmoothL1Loss(), nn.L1Loss(), nn.HalfSquaredErrorLoss()):
        x = Tensor(a, requires_grad=True)
        value = loss(x, y)
        value.backward()
        assert np.isfinite(value.data), loss
        assert np.isfinite(x.grad).all(), loss
    x = Tensor(a, requires_grad=True)
    nn.CosineEmbeddingLoss()(x, y, [1]).backward()
    assert np.isfinite(x.grad).all()


def test_a_class_that_cannot_be_has_the_probability_zero():
    z = Tensor([[0.0, -np.inf, 0.0]], requires_grad=True)
    for target in ([0], [[1.0, 0.0, 0.0]]):
        z.grad = None
        loss = nn.CrossEntropyLoss()(z, target)
        loss.backward()
        assert loss.item() == pytest.approx(np.log(2))
        np.testing.assert_allclose(z.grad, [[-0.5, 0, 0.5]])


def test_cosines_with_a_vector_of_zeros_are_zero_and_differentiable():
    x = Tensor(np.zeros((1, 3)), requires_grad=True)
    y = F.cosine_similarity(x, np.array([[1.0, 2.0, 2.0]]))
    y.backward()
    assert y.item() == 0
    assert np.isfinite(x.grad).all()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_cosine_similarity_is_that_of_pytorch(axis):
    torch = pytest.importorskip("torch")
    a, b = numbers(3, 4, 2), numbers(4, 2, seed=1)
    expected = torch.nn.functional.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=axis)
    np.testing.assert_allclose(F.cosine_similarity(a, b, axis=axis), expected.numpy(), rtol=1e-10)
    check_gradients(lambda x, y: F.cosine_similarity(x, y, axis=axis), a, b, order=2)


def test_a_target_share_of_zero_adds_nothing_to_the_divergence():
    log_p = Tensor(np.array([[-np.inf, 0.0]]), requires_grad=True)
    loss = nn.KLDivLoss("sum")(log_p, np.array([[0.0, 1.0]]))
    loss.backward()
    assert loss.item() == 0
    np.testing.assert_array_equal(log_p.grad, [[0, -1]])


def test_the_variance_below_eps_still_gets_the_gradient_that_lets_it_grow():
    v = Tensor([1e-9], requires_grad=True)
    nn.GaussianNLLLoss()(np.array([0.0]), np.array([1.0]), v).backward()
    assert v.grad[0] < 0
    np.testing.assert_allclose(
        nn.GaussianNLLLoss()(Z, Y, 0.25), nn.GaussianNLLLoss()(Z, Y, np.full((N, C), 0.25)), rtol=1e-12
    )


def test_noncontiguous_arrays_and_tensors_as_targets_work():
    z = Tensor(numbers(C, N).T, requires_grad=True)
    loss = nn.CrossEntropyLoss()(z, Tensor(np.repeat(T, 2)[::2]))
    loss.backward()
    fresh = Tensor(z.data.copy(), requires_grad=True)
    again = nn.CrossEntropyLoss()(fresh, T.astype(np.uint8))
    again.backward()
    assert loss.item() == again.item()
    np.testing.assert_array_equal(z.grad, fresh.grad)


def test_plain_arrays_give_plain_numbers_and_are_left_alone():
    for name, arrays, options in (CASES | OWN).values():
        before = [a.copy() for a in arrays]
        value = getattr(nn, name)(**options)(*arrays)
        assert not isinstance(value, Tensor)
        for a, b in zip(arrays, before):
            np.testing.assert_array_equal(a, b)


# What is refused


def test_targets_that_would_be_broadcast_are_refused():
    for name in ("MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss", "HingeLoss", "HalfSquaredErrorLoss", "KLDivLoss"):
        with pytest.raises(ValueError, match=rf"{name} needs a target for each.*\(4, 1\), the targets \(4,\)"):
            getattr(nn, name)()(np.ones((4, 1)), np.ones(4))
    with pytest.raises(ValueError, match="a variance for each prediction or for each row"):
        nn.GaussianNLLLoss()(Z, Y, np.ones(C))
    with pytest.raises(ValueError, match="N targets: the vectors have shape"):
        nn.CosineEmbeddingLoss()(Z, Y, np.ones((N, 1)))


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"])
def test_classes_that_do_not_exist_or_are_no_numbers_are_refused(name):
    loss = getattr(nn, name)()
    with pytest.raises(ValueError, match="there are 4 classes, numbered from 0 to 3; the targets go from 0 to 4"):
        loss(Z, [0, 1, 2, 3, 4, 0])
    with pytest.raises(ValueError, match="go from -1 to 3"):
        loss(Z, [0, 1, 2, 3, -1, 0])
    with pytest.raises(TypeError, match=r"are integers, got float64: write target\.astype\(np\.int64\)"):
        loss(Z, T.astype(float))
    with pytest.raises(TypeError, match="are integers, got float64"):
        loss(Z, np.full(N, np.nan))
    with pytest.raises(TypeError, match="are integers, got bool"):
        loss(Z, T > 0)
    with pytest.raises(
        ValueError, match=r"need the numbers of the classes in shape \(6,\), got int64 of shape \(6, 1\)"
    ):
        loss(Z, T[:, None])
    with pytest.raises(ValueError, match=r"For one-hot targets, write target\.argmax\(1\)"):
        loss(Z, np.eye(C, dtype=int)[T])
    with pytest.raises(TypeError, match="needs scores of floating numbers, got int64"):
        loss(Z.astype(int), T)
    with pytest.raises(ValueError, match="takes scores of shape"):
        loss(np.float64(1.0), T)
    with pytest.raises(ValueError, match="with at least one class"):
        loss(np.zeros((3, 0)), [0, 0, 0])


def test_values_that_a_loss_cannot_have_are_refused():
    with pytest.raises(ValueError, match=r"targets of −1 or 1.*2 \* target - 1"):
        nn.HingeLoss()(Z, chances(N, C) > 0.5)
    with pytest.raises(ValueError, match="targets of −1 or 1"):
        nn.CosineEmbeddingLoss()(Z, Y, np.zeros(N))
    with pytest.raises(ValueError, match="log_target=True"):
        nn.KLDivLoss()(np.log(shares(N, C)), np.log(shares(N, C)))
    with pytest.raises(ValueError, match="not negative"):
        nn.GaussianNLLLoss()(Z, Y, -chances(N, C))
    with pytest.raises(ValueError, match="log_input=True"):
        nn.PoissonNLLLoss(log_input=False)(Z, chances(N, C))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MSELoss("batchmean"), "reduction must be 'mean', 'sum' or 'none', got 'batchmean'"),
        (lambda: nn.KLDivLoss("avg"), "'mean', 'batchmean', 'sum' or 'none'"),
        (lambda: nn.CrossEntropyLoss(W), "reduction must be"),
        (lambda: nn.HuberLoss(delta=0), "delta is more than 0"),
        (lambda: nn.SmoothL1Loss(beta=-1), "beta is not less than 0"),
        (lambda: nn.MultiMarginLoss(p=3), "p is 1 or 2"),
        (lambda: nn.GaussianNLLLoss(eps=0.0), "eps is more than 0"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=1.5), "a number from 0 to 1"),
        (lambda: nn.CrossEntropyLoss(weight=[1.0, -1.0]), "finite numbers that are not negative"),
        (lambda: nn.NLLLoss(weight=[1.0, np.nan]), "finite numbers"),
        (lambda: nn.CrossEntropyLoss(weight=np.ones((2, 2))), "a number for each class"),
        (lambda: nn.CrossEntropyLoss(weight=np.ones(3))(Z, T), r"weights of 4 classes have shape \(4,\), got \(3,\)"),
        (lambda: nn.BCEWithLogitsLoss(weight=np.ones(3))(Z, Z > 0), "do not broadcast"),
        (lambda: nn.BCEWithLogitsLoss(pos_weight=np.ones((2, N, C)))(Z, Z > 0), "do not broadcast"),
        (lambda: nn.BCEWithLogitsLoss(weight=np.ones(3))(Z[:, :1], Z[:, :1] > 0), "do not broadcast"),
    ],
)
def test_options_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_weight_of_classes_that_would_lose_its_gradient_is_refused():
    with pytest.raises(TypeError, match="are constants: detach them"):
        F.cross_entropy(Z, T, weight=Tensor(W, requires_grad=True))


# As modules


def test_weights_are_state_and_are_shown():
    loss = nn.CrossEntropyLoss(weight=W, label_smoothing=0.1)
    assert repr(loss) == "CrossEntropyLoss(weight=[0.5, 2.0, 1.0, 3.0], label_smoothing=0.1)"
    assert repr(nn.BCEWithLogitsLoss("sum")) == "BCEWithLogitsLoss(reduction='sum')"
    assert repr(nn.MSELoss()) == "MSELoss()"
    assert not list(loss.parameters())
    other = nn.CrossEntropyLoss(weight=np.ones(C), label_smoothing=0.1)
    other.load_state_dict(loss.state_dict())
    twin = copy.deepcopy(loss).to("float32")
    assert twin.weight.dtype == np.float32
    assert float(other(Z, T)) == float(loss(Z, T)) == pytest.approx(float(twin(Z, T)))
    assert copy.deepcopy(loss).eval()(Z.astype(np.float32), T).dtype == np.float32


def test_arrays_of_a_library_with_its_own_dtypes_are_refused():
    torch = pytest.importorskip("torch")
    for given in ((np.ones((2, 1)), torch.ones(2, 1)), (np.ones((2, 1)), np.ones((2, 1)), torch.ones(2))):
        with pytest.raises(TypeError, match=r"MSELoss takes NumPy arrays and Tensors, .* torch.Tensor.*np.asarray"):
            nn.MSELoss()(*given)


@pytest.mark.parametrize("name", [n for n in nn.__all__ if n.endswith("Loss")])
def test_help_shows_what_a_loss_takes(name):
    parameters = [*inspect.signature(getattr(nn, name)).parameters.values()]
    assert all(p.kind is not p.VAR_POSITIONAL and p.kind is not p.VAR_KEYWORD for p in parameters)
    assert parameters[0].name == "reduction"
