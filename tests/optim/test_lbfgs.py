"""L-BFGS against PyTorch, on smooth losses, and what it does when things go wrong."""

import numpy as np
import pytest

import nn
import optim
from autograd import StaleError, Tensor

WOLFE = {"line_search_fn": "strong_wolfe"}


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def closure(optimizer, loss):
    def evaluate():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return evaluate


def searching(values=(-1.2, 1.0, 0.5, 2.0), **options):
    w = Tensor(np.array(values), requires_grad=True)
    lbfgs = optim.LBFGS([w], **options)
    return w, lbfgs, closure(lbfgs, lambda: rosenbrock(w))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lr": 1e-3, "history_size": 2},
        WOLFE,
        {**WOLFE, "history_size": 3, "max_iter": 7},
        {**WOLFE, "max_iter": 10, "max_eval": 3},
        {**WOLFE, "max_eval": 1},
        {**WOLFE, "lr": 100.0},
        {**WOLFE, "tolerance_grad": 0.5},
        {**WOLFE, "tolerance_change": 0.1},
    ],
)
def test_it_searches_as_pytorch_does(options):
    torch = pytest.importorskip("torch")
    w, lbfgs, evaluate = searching(**options)
    v = torch.from_numpy(w.data.copy()).requires_grad_()
    theirs = torch.optim.LBFGS([v], **options)
    for _ in range(10):
        loss, expected = lbfgs.step(evaluate), theirs.step(closure(theirs, lambda: rosenbrock(v)))
        np.testing.assert_allclose(loss.item(), expected.item(), rtol=1e-9)
        np.testing.assert_allclose(w.data, v.detach().numpy(), rtol=1e-8)
        for name in ("func_evals", "n_iter"):
            assert lbfgs.state[0][name] == theirs.state[v][name]


def test_rosenbrocks_valley_is_followed_to_its_end():
    w, lbfgs, evaluate = searching((-1.2, 1.0), max_iter=100, tolerance_change=0.0, **WOLFE)
    lbfgs.step(evaluate)
    np.testing.assert_allclose(w.data, 1.0, atol=1e-8)


def test_logistic_regression_has_no_gradient_left():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 3))
    y = (x @ [1.0, -2.0, 0.5] + rng.normal(size=100) > 0).astype(float)[:, None]
    model = nn.Linear(3, 1, dtype=np.float64, rng=0)
    lbfgs = optim.LBFGS(model.parameters(), max_iter=50, **WOLFE)
    lbfgs.step(closure(lbfgs, lambda: nn.BCEWithLogitsLoss()(model(x), y)))
    nn.BCEWithLogitsLoss()(model(x), y).backward()
    assert lbfgs.state[0]["func_evals"] < 25
    assert max(np.abs(p.grad).max() for p in model.parameters()) < 1e-6


def test_parameters_of_all_kinds_move_along_one_direction():
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(2, 3)), np.array(2.0), np.zeros((0, 2)), np.array([1 + 2j]), np.ones(2)]
    params = [Tensor(v, requires_grad=True) for v in starts]
    params[0]._array = np.asfortranarray(params[0].data)
    a, b, c, z, unused = params
    lbfgs = optim.LBFGS(params, max_iter=50, tolerance_change=0.0, **WOLFE)
    scale = np.arange(1.0, 7.0).reshape(2, 3)

    def loss():
        return (scale * (a - 1) ** 2).sum() + (b - 3) ** 2 + c.sum() + 5 * (np.abs(z - (3 - 1j)) ** 2).sum()

    lbfgs.step(closure(lbfgs, loss))
    np.testing.assert_allclose(a.data, 1.0, atol=1e-6)
    np.testing.assert_allclose(b.data, 3.0, atol=1e-6)
    np.testing.assert_allclose(z.data, 3 - 1j, atol=1e-6)
    np.testing.assert_array_equal(unused.data, 1.0)


def test_float32_stays_float32():
    w = Tensor(np.array([-1.2, 1.0], np.float32), requires_grad=True)
    lbfgs = optim.LBFGS([w], lr=np.float64(1.0), max_iter=100, **WOLFE)
    lbfgs.step(closure(lbfgs, lambda: rosenbrock(w)))
    assert w.dtype == lbfgs.state[0]["d"].dtype == lbfgs.state[0]["old_dirs"][0].dtype == np.float32
    np.testing.assert_allclose(w.data, 1.0, atol=1e-2)


@pytest.mark.parametrize("options", [{"lr": 1e-3, "max_iter": 4}, {"max_iter": 4, **WOLFE}])
def test_a_search_that_is_loaded_goes_on_bit_for_bit(options):
    w, lbfgs, evaluate = searching(**options)
    lbfgs.step(evaluate)
    v, other, evaluate_other = searching(w.data)
    other.load_state_dict(lbfgs.state_dict())
    for _ in range(3):
        lbfgs.step(evaluate)
        other.step(evaluate_other)
    np.testing.assert_array_equal(w.data, v.data)
    assert other.state[0]["func_evals"] == lbfgs.state[0]["func_evals"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"d": np.zeros(3)},
        {"d": None},
        {"prev_flat_grad": np.zeros(4, np.float32)},
        {"old_dirs": []},
        {"old_stps": [1, 2, 3]},
        {"ro": 1.0},
        {"ro": ["a", "b", "c"]},
        {"n_iter": 1.5},
        {"t": "far"},
        {"more": 1},
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(wrong):
    _, lbfgs, evaluate = searching(max_iter=4)
    lbfgs.step(evaluate)
    before, state = dict(lbfgs.state[0]), lbfgs.state_dict()
    state["state"][0].update(wrong)
    state["param_groups"][0]["lr"] = 7.0
    with pytest.raises(ValueError, match=r"the (state|lists)"):
        lbfgs.load_state_dict(state)
    assert lbfgs.state[0] is not state["state"][0]
    assert lbfgs.param_groups[0]["lr"] == 1.0
    assert all(lbfgs.state[0][name] is value for name, value in before.items())


def test_a_closure_that_raises_in_a_search_leaves_the_parameters_where_they_were():
    w, lbfgs, evaluate = searching(**WOLFE)
    calls = []

    def failing():
        calls.append(w.data.copy())
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate()

    before = w.data.copy()
    y = rosenbrock(w)
    with pytest.raises(KeyboardInterrupt):
        lbfgs.step(failing)
    assert (calls[1] != before).any()
    np.testing.assert_array_equal(w.data, before)
    with pytest.raises(StaleError):
        y.backward()
    for _ in range(3):
        lbfgs.step(evaluate)
    np.testing.assert_allclose(rosenbrock(w).item(), 3.70142861, rtol=1e-6)  # a local minimum


def test_the_search_comes_back_from_where_the_loss_is_not_a_number():
    w = Tensor([4.0], requires_grad=True)
    lbfgs = optim.LBFGS([w], lr=100.0, max_iter=50, **WOLFE)
    with np.errstate(invalid="ignore", divide="ignore"):
        lbfgs.step(closure(lbfgs, lambda: (w - 2 * np.log(w)).sum()))
    np.testing.assert_allclose(w.data, 2.0, atol=1e-6)


def test_a_loss_that_is_not_a_number_moves_nothing():
    w = Tensor([1.0], requires_grad=True)
    for options in ({}, WOLFE):
        lbfgs = optim.LBFGS([w], **options)
        lbfgs.step(closure(lbfgs, lambda: (w * np.nan).sum()))
        np.testing.assert_array_equal(w.data, [1.0])


def test_frozen_parameters_do_not_move():
    a, b = Tensor([-1.0], requires_grad=True), Tensor([2.0], requires_grad=True)
    lbfgs = optim.LBFGS([a, b], max_iter=3)
    evaluate = closure(lbfgs, lambda: ((1 - a) ** 2 + 10 * (b - a**2) ** 2).sum())
    lbfgs.step(evaluate)
    b.requires_grad = False
    before = b.data.copy()
    lbfgs.step(evaluate)
    np.testing.assert_array_equal(b.data, before)


def test_at_a_minimum_nothing_happens():
    w = Tensor([0.0], requires_grad=True)
    lbfgs = optim.LBFGS([w])
    assert lbfgs.step(closure(lbfgs, lambda: (w * w).sum())).item() == 0.0
    assert lbfgs.state == [{"func_evals": 1}]
    lbfgs.load_state_dict(lbfgs.state_dict())


def test_it_refuses_what_it_cannot_do():
    w = Tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"write step\(closure\)"):
        optim.LBFGS([w]).step()
    with pytest.raises(ValueError, match="one group"):
        optim.LBFGS([{"params": w}, {"params": Tensor([1.0], requires_grad=True)}])
    with pytest.raises(ValueError, match="line_search_fn must be None or 'strong_wolfe'"):
        optim.LBFGS([w], line_search_fn="wolfe")
    with pytest.raises(ValueError, match="max_iter"):
        optim.LBFGS([w], max_iter=0)
    with pytest.raises(ValueError, match="LBFGS has no weight_decay"):
        optim.LBFGS([{"params": w, "weight_decay": 0.1}])
    layer = nn.Linear(2, 1, rng=0)
    lbfgs = optim.LBFGS(layer.parameters())
    evaluate = closure(lbfgs, lambda: (layer(np.ones((1, 2), layer.weight.dtype)) ** 2).sum())
    lbfgs.step(evaluate)
    layer.to("float64")
    with pytest.raises(RuntimeError, match="make a new optimizer"):
        lbfgs.step(evaluate)
