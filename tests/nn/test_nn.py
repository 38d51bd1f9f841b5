"""Modules, layers, activations, losses and initialisers."""

import numpy as np
import pytest

import nn
from autograd import StaleError, Tensor, check_gradients, no_grad


class Block(nn.Module):
    def __init__(self):
        self.scale = nn.Parameter([2.0], dtype=np.float32)
        self.inner = nn.Linear(2, 2, rng=0)
        self.stack = [nn.Linear(2, 3, rng=1), {"last": nn.Linear(3, 1, bias=False, rng=2)}]
        self.note = "not a parameter"

    def forward(self, x):
        x = self.inner(x) * self.scale
        return self.stack[1]["last"](self.stack[0](x))


# Module


def test_parameters_come_in_the_order_of_assignment_also_from_containers():
    names = [n for n, _ in Block().named_parameters()]
    assert names == [
        "scale",
        "inner.weight",
        "inner.bias",
        "stack.0.weight",
        "stack.0.bias",
        "stack.1.last.weight",
    ]
    assert [n for n, _ in Block().named_modules()] == ["", "inner", "stack.0", "stack.1.last"]


def test_a_shared_parameter_counts_once():
    block = Block()
    block.again = block.inner
    block.tied = block.scale
    assert len(list(block.parameters())) == 6
    assert len(block.state_dict()) == 6


def test_gradients_reach_every_parameter_and_can_be_forgotten():
    block = Block()
    block(np.ones((4, 2), np.float32)).sum().backward()
    assert all(p.grad is not None and p.grad.dtype == np.float32 for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_train_and_eval_reach_everything():
    block = Block()
    assert all(m.training for m in block.modules())
    assert block.eval() is block
    assert not any(m.training for m in block.modules())
    assert all(m.training for m in block.train().modules())


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(1)


def test_repr_shows_the_architecture():
    assert repr(nn.MLP([2, 3, 1], activation="tanh")) == (
        "MLP(\n  (linear1): Linear(2 → 3)\n  (tanh1): Tanh()\n  (linear2): Linear(3 → 1)\n)"
    )
    assert "(stack.1.last): Linear(3 → 1, bias=False)" in repr(Block())


def test_state_dict_is_a_copy_and_loads_back():
    first, second = nn.MLP([2, 3, 1], rng=0), nn.MLP([2, 3, 1], rng=1)
    state = first.state_dict()
    second.load_state_dict(state)
    for p, q in zip(first.parameters(), second.parameters()):
        np.testing.assert_array_equal(p.data, q.data)
        assert not np.shares_memory(p.data, q.data)
    state["linear1.weight"][:] = 0
    assert (first.linear1.weight.data != 0).all()


def test_a_state_that_does_not_fit_names_every_fault_and_changes_nothing():
    model = nn.MLP([2, 3, 1], rng=0)
    before = model.state_dict()
    state = {**before, "strange": np.ones(1)}
    del state["linear2.bias"]
    state["linear1.weight"] = np.ones((3, 5), np.float32)
    state["linear1.bias"] = np.ones(3)
    with pytest.raises(ValueError, match="nothing was loaded") as caught:
        model.load_state_dict(state)
    text = str(caught.value)
    assert "missing: linear2.bias float32[1]" in text
    assert "unexpected: strange" in text
    assert "linear1.weight: expected float32[3, 2], got float32[3, 5]" in text
    assert "linear1.bias: expected float32[3], got float64[3]" in text
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.data, before[name])


def test_loading_between_forward_and_backward_is_noticed():
    model = nn.MLP([2, 3, 1], rng=0)
    y = model(np.ones((1, 2), np.float32)).sum()
    model.load_state_dict(nn.MLP([2, 3, 1], rng=1).state_dict())
    with pytest.raises(StaleError):
        y.backward()


def test_numpy_scalars_load_and_what_cannot_be_converted_changes_nothing():
    class Two(nn.Module):
        def __init__(self):
            self.b, self.a = nn.Parameter(0.0), nn.Parameter(1.0)

    model = Two()
    model.load_state_dict({"b": np.float64(5.0), "a": np.array(6.0)})
    assert (model.b.item(), model.a.item()) == (5.0, 6.0)


def test_a_parameter_is_not_replaced_by_a_plain_tensor():
    layer = nn.Linear(2, 1, rng=0)
    with pytest.raises(TypeError, match=r"Linear\.weight is a Parameter, and would no longer be one"):
        layer.weight -= 0.1
    with no_grad():
        layer.weight -= 0.1
    layer.weight = nn.Parameter(np.zeros((1, 2), np.float32))
    assert len(list(layer.parameters())) == 2


def test_a_frozen_parameter_is_written_in_place_under_no_grad():
    layer = nn.Linear(2, 1, rng=0)
    layer.weight.requires_grad = False
    before = layer.weight.data.copy()
    with no_grad():
        for p in layer.parameters():
            p *= 0.5
        layer.weight += 1.0
    np.testing.assert_allclose(layer.weight.data, 0.5 * before + 1.0)


def test_a_state_that_is_the_modules_own_memory_loads():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    model[0].weight.data, model[1].weight.data = np.float32([[1.0]]), np.float32([[2.0]])
    model.load_state_dict({"0.weight": model[1].weight.data, "1.weight": model[0].weight.data})
    assert (model[0].weight.item(), model[1].weight.item()) == (2.0, 1.0)


def test_a_frozen_parameter_gets_no_gradient():
    model = nn.MLP([2, 3, 1], rng=0)
    model.linear1.weight.requires_grad = False
    model(np.ones((1, 2), np.float32)).sum().backward()
    assert model.linear1.weight.grad is None
    assert model.linear1.bias.grad is not None


# Layers


def test_linear_is_the_affine_map_on_rows_and_on_more_axes():
    layer = nn.Linear(4, 3, dtype=np.float64, rng=0)
    layer.bias.data = np.arange(3.0)
    for shape in ((4,), (5, 4), (2, 5, 4), (0, 4)):
        x = np.random.default_rng(1).normal(size=shape)
        np.testing.assert_allclose(layer(x).data, x @ layer.weight.data.T + layer.bias.data, rtol=1e-12)


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 5, 4), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_of_linear(shape, bias):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape), rng.normal(size=(3, 4))] + [rng.normal(size=3)] * bias
    check_gradients(nn.functional.linear, *arrays)


@pytest.mark.parametrize("outputs", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_inputs_to_few_neurons_are_multiplied_another_way_to_the_same_result(outputs, dtype):
    from nn.functional import affine

    rng = np.random.default_rng(0)
    x, weight, bias, g = (
        rng.normal(size=s).astype(dtype) for s in ((64, 8193), (outputs, 8193), outputs, (64, outputs))
    )
    assert x.size > affine.LARGE
    layer = nn.Linear(8193, outputs, dtype=dtype)
    layer.weight.data, layer.bias.data = weight, bias
    inputs = Tensor(x, requires_grad=True)
    z = layer(inputs)
    z.backward(g)
    tolerance = {"rtol": 1e-12} if dtype is np.float64 else {"rtol": 1e-3, "atol": 1e-3}
    exact = [a.astype(np.float64) for a in (x, weight, bias, g)]
    np.testing.assert_allclose(z.numpy(), exact[0] @ exact[1].T + exact[2], **tolerance)
    np.testing.assert_allclose(layer.weight.grad, exact[3].T @ exact[0], atol=1e-10 if dtype is np.float64 else 1e-3)
    np.testing.assert_allclose(inputs.grad, exact[3] @ exact[1], **tolerance)
    assert {z.dtype, layer.weight.grad.dtype, inputs.grad.dtype} == {np.dtype(dtype)}
    assert layer.weight.grad.flags.c_contiguous
    again = layer(inputs[::-1].T.T)  # not contiguous
    np.testing.assert_allclose(again.numpy(), z.numpy()[::-1], **tolerance)


def test_second_derivatives_go_the_ordinary_way_through_them():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(64, 8200)), Tensor(rng.normal(size=(2, 8200)), requires_grad=True)
    y = (nn.functional.linear(x, w) ** 2).sum()
    (g,) = (y.gradient(w, create_graph=True),)
    (gg,) = ((g * g).sum().gradient(w),)
    np.testing.assert_allclose(gg.numpy(), 8 * (w.numpy() @ x.T @ x) @ x.T @ x, rtol=1e-9)


def test_gradients_of_linear_without_features():
    check_gradients(nn.functional.linear, np.zeros((2, 2, 0)), np.zeros((3, 0)), np.zeros(3))


def test_another_precision_is_refused_with_both_dtypes_and_the_remedy():
    layer = nn.Linear(4, 3)
    with pytest.raises(TypeError, match=r"has float32 parameters and was given float64.*x\.astype\(np\.float32\)"):
        layer(np.ones((2, 4)))
    with pytest.raises(TypeError, match=r"dtype=np\.float64"):
        layer(Tensor(np.ones((2, 4))))
    with pytest.raises(TypeError, match=r"was given uint8 input.*write x\.astype\(np\.float32\)\.$"):
        layer(np.ones((2, 4), np.uint8))
    assert layer([[1.0, 2.0, 3.0, 4.0]]).shape == (1, 3)


def test_another_number_of_features_is_refused():
    with pytest.raises(
        ValueError, match=r"Linear\(4 → 3\) takes an input of shape \(…, 4\), and was given shape \(2, 5\)"
    ):
        nn.Linear(4, 3)(np.ones((2, 5), np.float32))
    with pytest.raises(ValueError, match=r"shape \(\)"):
        nn.Linear(1, 3)(np.float32(1.0))


@pytest.mark.parametrize("sizes", [(0, 1), (2, -1), (2.0, 1)])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="must be a positive integer"):
        nn.Linear(*sizes)


def test_the_same_seed_gives_the_same_numbers_in_every_dtype():
    a, b = nn.Linear(3, 2, rng=7), nn.Linear(3, 2, rng=7, dtype=np.float64)
    np.testing.assert_array_equal(a.weight.data, b.weight.data.astype(np.float32))
    again = nn.Linear(3, 2, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(a.weight.data, again.weight.data)
    a.weight.data = np.zeros((2, 3), np.float32)
    a.reset_parameters(7)
    np.testing.assert_array_equal(a.weight.data, again.weight.data)


def test_sequential_takes_modules_in_a_row_or_with_names():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert [n for n, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(model) == 3
    assert isinstance(model[1], nn.ReLU)
    named = nn.Sequential({"first": nn.Linear(2, 3), "second": nn.Identity()})
    assert [n for n, _ in named.named_parameters()] == ["first.weight", "first.bias"]
    with pytest.raises(TypeError, match=r"nn\.ReLU\(\) rather than nn\.relu or nn\.ReLU"):
        nn.Sequential(nn.Linear(2, 3), nn.relu)
    for name in ("forward", "a.b", ""):
        with pytest.raises(ValueError, match="cannot be the name"):
            nn.Sequential({name: nn.Identity()})


def test_mlp_chooses_initialisers_and_checks_its_arguments():
    assert isinstance(nn.MLP([2, 3, 1]).linear1.init, nn.init.HeNormal)
    assert isinstance(nn.MLP([2, 3, 1], activation=nn.relu).linear1.init, nn.init.HeNormal)
    assert isinstance(nn.MLP([2, 3, 1], activation="tanh").linear1.init, nn.init.XavierNormal)
    assert isinstance(nn.MLP([2, 3, 1], activation="gelu").linear1.init, nn.init.HeNormal)
    assert isinstance(nn.MLP([2, 3, 1], activation="selu").linear1.init, nn.init.LeCunNormal)
    assert isinstance(nn.MLP([2, 3, 1], init="normal").linear1.init, nn.init.Normal)
    assert isinstance(nn.MLP([2, 1], output_activation=nn.Sigmoid)[1], nn.Sigmoid)
    custom = nn.MLP([2, 3, 1], activation=np.sin, rng=0)
    assert custom(np.ones((1, 2), np.float32)).shape == (1, 1)
    with pytest.raises(ValueError, match="unknown activation 'relo'; the names are"):
        nn.MLP([2, 3, 1], activation="relo")
    with pytest.raises(ValueError, match="unknown initialiser 'hee'"):
        nn.MLP([2, 3, 1], init="hee")
    with pytest.raises(ValueError, match="at least the numbers of inputs and outputs"):
        nn.MLP([2])
    with pytest.raises(TypeError, match=r"nn\.init\.Constant"):
        nn.MLP([2, 1], init=0.5)
    with pytest.raises(TypeError, match="an activation is a name"):
        nn.MLP([2, 3, 1], activation=3)


# Activations


@pytest.mark.parametrize(
    ("module", "function"),
    [(nn.ReLU(), nn.relu), (nn.Sigmoid(), nn.sigmoid), (nn.Tanh(), nn.tanh), (nn.Identity(), lambda x: x)],
)
def test_activation_modules_are_their_functions(module, function):
    x = Tensor(np.linspace(-2, 2, 7))
    np.testing.assert_array_equal(module(x).data, function(x).data)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_activations_are_stable_in_float32_and_zero_is_documented(name):
    f = getattr(nn, name)
    x = Tensor(np.array([-1e4, -100.0, 0.0, 100.0, 1e4], np.float32), requires_grad=True)
    y = f(x)
    y.sum().backward()
    assert np.isfinite(y.data).all()
    assert np.isfinite(x.grad).all()
    assert x.grad.dtype == np.float32
    assert x.grad[2] == {"relu": 0.0, "sigmoid": 0.25, "tanh": 1.0}[name]


# Losses


def test_bce_of_probabilities_and_of_logits_agree():
    rng = np.random.default_rng(0)
    z, y = Tensor(rng.normal(size=(6, 2)), requires_grad=True), rng.integers(0, 2, (6, 2))
    for reduction in ("mean", "sum", "none"):
        p = nn.BCELoss(reduction)(nn.sigmoid(z), y)
        q = nn.BCEWithLogitsLoss(reduction)(z, y)
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12)
        assert p.shape == ((6, 2) if reduction == "none" else ())


def test_bce_with_logits_is_exact_at_any_size():
    z = Tensor(np.array([1e4, -1e4, 800.0], np.float32), requires_grad=True)
    loss = nn.BCEWithLogitsLoss("sum")(z, np.array([0, 1, 1]))
    loss.backward()
    assert loss.item() == 2e4
    np.testing.assert_array_equal(z.grad, [1.0, -1.0, 0.0])


def test_bce_of_saturated_probabilities_is_finite():
    p = Tensor([0.0, 1.0, 1.0], requires_grad=True)
    losses = nn.BCELoss("none")(p, [1, 0, 1])
    losses.sum().backward()
    np.testing.assert_array_equal(losses.data, [100.0, 100.0, 0.0])
    assert np.isfinite(p.grad).all()


def test_losses_in_float16_and_of_integers():
    p = Tensor(np.array([0.0, 1.0], np.float16), requires_grad=True)
    nn.BCELoss("sum")(p, [1, 0]).backward()
    assert np.isfinite(p.grad).all()
    with pytest.raises(TypeError, match="needs predictions of floating numbers, got int64"):
        nn.BCEWithLogitsLoss()(np.array([0, 2]), np.array([0.5, 0.5]))
    assert float(nn.BCELoss()([0.5], [1])) == pytest.approx(np.log(2))


def test_losses_refuse_targets_that_do_not_fit():
    for loss in (nn.BCELoss(), nn.BCEWithLogitsLoss()):
        with pytest.raises(ValueError, match=r"shape \(4, 1\), the targets \(4,\).*reshape\(4, 1\)"):
            loss(Tensor(np.full((4, 1), 0.5)), np.zeros(4))
    with pytest.raises(ValueError, match=r"needs probabilities in \[0, 1\].*BCEWithLogitsLoss"):
        nn.BCELoss()(Tensor([1.5]), [1])
    with pytest.raises(ValueError, match=r"needs targets in \[0, 1\]"):
        nn.BCELoss()(Tensor([0.5]), [2])
    with pytest.raises(ValueError, match=r"needs probabilities in \[0, 1\]"):
        nn.BCELoss()(Tensor([np.nan]), [1])
    with pytest.raises(ValueError, match="reduction must be"):
        nn.BCELoss("avg")


def test_integer_targets_do_not_widen_float32():
    z = Tensor(np.zeros((3, 1), np.float32), requires_grad=True)
    loss = nn.BCEWithLogitsLoss()(z, np.array([[0], [1], [1]]))
    loss.backward()
    assert loss.dtype == z.grad.dtype == np.float32


def test_gradients_flow_into_targets_too():
    rng = np.random.default_rng(0)
    check_gradients(nn.BCELoss(), rng.uniform(0.1, 0.9, (3, 2)), rng.uniform(0.1, 0.9, (3, 2)))
    check_gradients(nn.BCEWithLogitsLoss("sum"), rng.normal(size=(3, 2)), rng.uniform(size=(3, 2)))


# Initialisers


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("normal", 0.01**2),
        ("xavier", 2 / 500),
        ("xavier_uniform", 2 / 500),
        ("he", 2 / 300),
        ("he_uniform", 2 / 300),
    ],
)
def test_initialisers_have_their_variance(name, variance):
    w = nn.init.INITIALIZERS[name]((200, 300), np.random.default_rng(0))
    assert w.shape == (200, 300)
    assert abs(w.mean()) < 5 * np.sqrt(variance / w.size)
    assert w.var() == pytest.approx(variance, rel=0.03)


def test_constant_initialisers_and_fans():
    rng = np.random.default_rng(0)
    assert (nn.init.Zeros()((2, 3), rng) == 0).all()
    assert (nn.init.Constant(0.5)((2, 3), rng) == 0.5).all()
    assert nn.init.fans((8, 3, 5, 5)) == (75, 200)
    with pytest.raises(ValueError, match=r"shape \(out, in\)"):
        nn.init.fans((3,))
    with pytest.raises(ValueError, match="the initialiser returned shape"):
        nn.Linear(3, 2, init=lambda shape, rng: np.zeros(3))
