"""Symbols for what is on a tape: the user's names first, then roles in a network, then v1, v2, …; never one twice."""

import re

import numpy as np
import pytest

import autograd
import nn
from autograd import Tape, Tensor
from autograd.inspection import symbols_of
from autograd.inspection.notation import symbol

X, Y = np.linspace(-1, 1, 30, dtype=np.float32).reshape(5, 6), np.ones((5, 1), np.float32)


def leaf(*shape, name=None):
    return Tensor(np.full(shape, 0.5), requires_grad=True, name=name)


def names(output, **options):
    """The symbols of the tape as text, in its order."""
    symbols = symbols_of(output, **options)
    return [symbols.nodes[node].text for node in Tape(output)]


def constants(output):
    """The symbols of the constants."""
    symbols, tape = symbols_of(output), set(Tape(output))
    return [symbol.text for key, symbol in symbols.nodes.items() if key not in tape]


def test_a_network_gets_the_symbols_of_the_lecture():
    model = nn.MLP([6, 3, 2, 1], activation="sigmoid", output_activation="sigmoid", rng=0)
    loss = nn.BCELoss()(model(X), Y)
    assert names(loss) == ["W1", "b1", "W2", "b2", "W3", "b3", "z1", "a1", "z2", "a2", "z3", "a3", "L", "J"]
    assert constants(loss) == ["x", "y"]


def test_the_same_network_by_hand_gets_the_same_symbols():
    W1, b1, W2, b2 = leaf(3, 6), leaf(3), leaf(1, 3), leaf(1)
    a = autograd.sigmoid(X @ W1.T + b1)
    a = autograd.sigmoid(a @ W2.T + b2)
    loss = ((a - Y) ** 2).mean()
    layers = ["W1", "b1", "W2", "b2", "W1ᵀ", "v1", "z1", "a1", "W2ᵀ", "v2", "z2", "a2"]
    assert names(loss) == [*layers, "v3", "L", "J"]
    assert constants(loss) == ["x", "y"]


def test_by_columns_too():
    W, b, x = leaf(3, 6), leaf(3, 1), np.ones((6, 5))
    assert names(np.tanh(W @ x + b).sum()) == ["W1", "b1", "v1", "z1", "a1", "J"]


def test_the_user_names_win():
    W, h = leaf(3, 6, name="K"), leaf(3, name="offset")
    z = X @ W.T + h
    z.name = "pre"
    loss = np.tanh(z).mean()
    loss.name = "cost"
    assert names(loss) == ["K", "offset", "Kᵀ", "v1", "pre", "a1", "cost"]
    symbols = symbols_of(loss)
    assert symbols.target.text == "cost"
    assert symbols.cotangent(z.node).text == "δ1"
    assert symbols.derivative(z.node).text == "∂cost/∂pre"
    assert names(loss, names={"W": W, "z": z}) == ["W", "offset", "Wᵀ", "v1", "z", "a1", "cost"]


def test_names_given_as_a_module_are_those_of_roles():
    class Net(nn.Module):
        def __init__(self):
            self.factor = nn.Parameter([2.0])
            self.linear = nn.Linear(6, 1)

        def forward(self, x):
            return self.linear(x) * self.factor

    net = Net()
    loss = net.forward(X).sum()  # no call of the module: nothing marks it
    assert names(loss) == ["v1", "W1", "b1", "z1", "L", "J"]
    assert names(loss, names=net) == names(net(X).sum()) == ["factor", "W1", "b1", "z1", "L", "J"]


def test_numbers_in_the_names_of_weights_are_the_numbers_of_the_layers():
    weights = [leaf(6, 4, name="W0"), leaf(4, 2, name="W1")]
    z = X
    for weight in weights:
        z = np.tanh(z @ weight + leaf(weight.shape[1]))
    assert [n for n in names(z.sum()) if n[0] in "zab"] == ["b0", "z0", "a0", "b1", "z1", "a1"]


def test_what_has_no_role_is_counted():
    a, b = leaf(3), leaf(3)
    assert names(np.exp(a * b) * 2.0 + np.ones(3)) == ["v1", "v2", "v3", "v4", "v5", "v6"]
    assert constants(np.exp(a * b) * 2.0 + np.ones(3)) == ["c1"]


def test_a_normalisation_has_a_gamma_and_a_beta_and_the_activation_behind_it_the_number_of_its_layer():
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    found = names(nn.MSELoss()(model(X), Y))
    assert found[:6] == ["W1", "b1", "γ1", "β1", "W2", "b2"]
    assert "a1" in found
    assert found[-3:] == ["z2", "L", "J"]


def test_an_activation_of_several_operations_is_one():
    class Shrink(nn.Module):
        def forward(self, x):
            return x - np.tanh(x)

    found = names(nn.Sequential(nn.Linear(6, 4), Shrink(), nn.Linear(4, 2))(X).sum())
    assert found == ["W1", "b1", "W2", "b2", "z1", "v1", "a1", "z2", "J"]


def test_a_shared_weight_has_one_name_and_each_use_its_own_result():
    layer = nn.Linear(6, 6, rng=0)
    assert names(layer(layer(X)).sum()) == ["W1", "b1", "z1", "z2", "J"]


def test_a_constant_tensor_keeps_its_name_in_all_its_uses():
    mask, w = Tensor([1.0, 0.0], name="mask"), leaf(2, name="w")
    assert constants(w * mask + mask) == ["mask"]


def test_an_output_of_several_numbers_leaves_j_to_what_is_made_of_it():
    z = nn.Linear(6, 2)(X)
    symbols = symbols_of(z)
    assert symbols.nodes[z.node].text == "z1"
    assert symbols.target.text == "J"
    assert symbols.derivative(z.node).text == "∂J/∂z1"


def test_j_is_not_taken_twice():
    x = leaf(2, name="J")
    assert names(x.sum()) == ["J", "J⁽²⁾"]
    assert symbols_of(x * 2).target.text == "J⁽²⁾"
    assert symbols_of(x * 2).target.latex == "{J}^{(2)}"


@pytest.mark.parametrize("name", ["v1", "a1", "W1", "δ1", "z1", "L", "x", "y", "c1", "b1", "J"])
def test_no_invented_symbol_is_one_of_the_users(name):
    W, odd = leaf(3, 6), leaf(3, name=name)
    loss = ((np.tanh(X @ W.T + leaf(3)) * odd * np.ones(3) - np.ones((5, 3))) ** 2).mean()
    symbols = symbols_of(loss)
    for table in ([s.text for s in symbols.nodes.values()], [s.latex for s in symbols.nodes.values()]):
        assert len(set(table)) == len(table)
    every = [symbols.cotangent(node).text for node in Tape(loss)] + [s.text for s in symbols.nodes.values()]
    assert len(set(every)) == len(every)


def test_equal_names_are_told_apart_also_where_only_latex_would_write_them_alike():
    a, b, c = leaf(2, name="W1"), leaf(2, name="W_1"), leaf(2, name="W1")
    symbols = symbols_of(a + b + c)
    assert names(a + b + c)[:3] == ["W1", "W_1⁽²⁾", "W1⁽³⁾"]
    assert len({symbol.latex for symbol in symbols.nodes.values()}) == len(symbols.nodes)


def test_the_same_computation_gets_the_same_symbols_also_after_the_backward_pass():
    def loss():
        model = nn.MLP([6, 3, 1], activation="gelu", rng=0)
        return nn.BCEWithLogitsLoss()(model(X), Y), model  # a model that is gone has no names

    (first, _), (second, _) = loss(), loss()
    before = names(first)
    first.backward()
    assert before == names(first) == names(second)


def test_a_square_matrix_that_may_not_be_transposed_at_all_is_not_called_so():
    a = leaf(3, 3, name="A")
    same, turned = np.transpose(a, (0, 1)), leaf(2, 3, name="B").T
    assert names(same) == ["A", "v1"]
    assert names(turned) == ["B", "Bᵀ"]
    assert symbols_of(turned).derivative(turned.node).text == "∂J/∂(Bᵀ)"


def test_a_long_chain_has_a_symbol_for_each_node():
    y = leaf(2)
    for _ in range(20_000):
        y = y * 1.0
    found = names(y)
    assert len(set(found)) == 20_001
    assert found[-1] == "v20001"


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("W2", "W2", "W_{2}"),
        ("alpha", "alpha", r"\alpha"),
        ("σ_12", "σ_12", r"\sigma_{12}"),
        ("loss", "loss", r"\mathrm{loss}"),
        ("linear1.weight", "linear1.weight", r"\mathrm{linear1.weight}"),
        ("a+b", "⟨a+b⟩", r"\langle \mathrm{a+b}\rangle "),
        ("a\nb", "⟨a�b⟩", r"\langle \mathrm{a�b}\rangle "),
    ],
)
def test_names_as_text_and_latex(name, text, latex):
    assert symbol(name) == (text, latex)


def test_a_name_is_never_markup():
    latex = symbol('<script>alert("$1 & `x` | *_^~%#{}")</script>\\').latex
    assert not re.search(r"[<>`|*\"]", latex)
    assert not re.search(r"(?<!\\)[$&%#_]", latex)


def test_a_long_name_is_cut():
    assert len(symbol("x" * 10**6).text) == 60


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="Tape takes Tensors, got int"):
        symbols_of(3)
    with pytest.raises(TypeError, match="names is a module or a dict"):
        symbols_of(leaf(2).sum(), names=["x"])
