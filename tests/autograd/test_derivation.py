"""`explain`: the lecture's formulas for the lecture's network; formulas that are what is computed, for any graph."""

import dataclasses
import functools
import json
import operator
import pickle
import re

import numpy as np
import pytest

import autograd
import nn
from autograd import Tape, Tensor, define
from autograd.derivation import explain
from autograd.formulas import expression as ex
from autograd.inspection import cotangents, forward_values, input_values, symbols_of
from autograd.node import Parts

M = 64
SIGMOID = functools.partial(nn.MLP, [12288, 3, 2, 1], activation="sigmoid", dtype=np.float64, rng=0)


@functools.cache
def images():
    """A batch of flat pictures, and whether there is a cat."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((M, 12288)), (rng.random((M, 1)) > 0.5).astype(float)


def with_logits():
    x, y = images()
    return nn.BCEWithLogitsLoss()(SIGMOID()(x), y)


def of_the_lecture():
    x, y = images()
    return nn.BCELoss()(SIGMOID(output_activation="sigmoid")(x), y)


def by_hand():
    """The same with plain Tensors."""
    (x, y), rng = images(), np.random.default_rng(1)
    a, sizes = x, [12288, 3, 2, 1]
    for k in (1, 2, 3):
        scale = sizes[k - 1] ** -0.5
        W = Tensor(rng.standard_normal((sizes[k], sizes[k - 1])) * scale, requires_grad=True, name=f"W{k}")
        b = Tensor(np.zeros(sizes[k]), requires_grad=True, name=f"b{k}")
        a = autograd.sigmoid(a @ W.T + b)
    return nn.functional.binary_cross_entropy(a, y).mean()


def small(model, loss, classes=None, shape=(5, 6)):
    """A loss of a small model."""
    rng = np.random.default_rng(2)
    out = model(rng.standard_normal(shape))
    return loss(out, rng.standard_normal(out.shape) if classes is None else rng.integers(classes, size=len(out)))


def linear(n, m):
    return nn.Linear(n, m, dtype=np.float64, rng=0)


def residual():
    inner = nn.Sequential(linear(4, 4), nn.Tanh())
    return small(nn.Sequential(linear(6, 4), nn.ReLU(), nn.Residual(inner), linear(4, 2)), nn.HalfSquaredErrorLoss())


def square():
    """As many examples as numbers in each."""
    scale = np.linspace(0.5, 2.0, 4)

    def model(x):
        return linear(4, 4)(np.tanh(linear(4, 4)(x) * scale - scale))

    return small(model, nn.MSELoss(), shape=(4, 4))


def single():
    """One example, without an axis for the batch."""
    return small(nn.Sequential(linear(6, 3), nn.Tanh(), linear(3, 2)), nn.MSELoss(), shape=(6,))


def sequences():
    """An axis more."""
    return small(nn.Sequential(linear(6, 3), nn.Tanh(), linear(3, 2)), nn.MSELoss(), shape=(2, 5, 6))


def regression():
    """Logistic regression by hand, with examples as columns."""
    w, b = Tensor(np.linspace(-1, 1, 6)[:, None], requires_grad=True), Tensor(0.5, requires_grad=True)
    X, Y = np.random.default_rng(0).standard_normal((6, 8)), np.arange(8)[None] % 2
    A = autograd.sigmoid(w.T @ X + b)
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


def attention():
    query, key, value = linear(6, 4), linear(6, 4), linear(6, 3)

    def model(x):
        return np.exp(query(x) @ key(x).T * 0.1) @ value(x)

    return small(model, nn.MSELoss())


def recurrent():
    inner, state, out = linear(6, 4), linear(4, 4), linear(4, 2)

    def model(x):
        h = np.zeros((5, 4))
        for _ in range(3):
            h = np.tanh(inner(x) + state(h))
        return out(h)

    return small(model, nn.MSELoss("sum"))


def normalised():
    layers = [linear(6, 4), nn.LayerNorm(4, dtype=np.float64), nn.Tanh(), nn.Dropout(0.25, rng=0), linear(4, 2)]
    return small(nn.Sequential(*layers), nn.MSELoss())


def classes():
    return small(nn.Sequential(linear(6, 4), nn.Tanh(), linear(4, 3)), nn.CrossEntropyLoss(), 3)


def evaluate(e, values):
    """The value of a formula."""
    inner = functools.partial(evaluate, values=values)
    match e:
        case ex.Symbol():
            return values[e.name]
        case ex.Number():
            return e.value
        case ex.Sum():
            return functools.reduce(operator.add, map(inner, e.terms))
        case ex.Product():
            return functools.reduce(operator.mul, map(inner, e.factors))
        case ex.MatMul():
            return functools.reduce(operator.matmul, map(inner, e.factors))
        case ex.Quotient():
            return inner(e.numerator) / inner(e.denominator)
        case ex.Power():
            return inner(e.base) ** inner(e.exponent)
        case ex.Negative():
            return -inner(e.operand)
        case ex.Transpose():
            return inner(e.operand).T
        case ex.Total():
            return np.sum(inner(e.operand), axis=e.axes, keepdims=e.keepdims)
        case ex.Compare():
            signs = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}
            return signs[e.sign](inner(e.left), inner(e.right))
        case ex.Indicator():
            return inner(e.condition).astype(float)
        case ex.Apply(function="broadcast"):
            return np.broadcast_to(inner(e.arguments[0]), e.shape)
        case ex.Expand():
            return np.reshape(inner(e.operand), e.shape)
        case ex.Apply(function="reshape"):
            return np.reshape(inner(e.arguments[0]), e.shape)
        case ex.Apply():
            return _FUNCTIONS[e.function](*map(inner, e.arguments))
    raise NotImplementedError(e)


_FUNCTIONS = {
    "sigmoid": autograd.sigmoid,
    "log": np.log,
    "tanh": np.tanh,
    "exp": np.exp,
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
}


def values_of(loss, explanation):
    """The value of each symbol, as the explanation writes it."""
    forward, backward, symbols, found = forward_values(loss), cotangents(loss), symbols_of(loss), {}
    for node in Tape(loss):
        for k, value in enumerate(input_values(node)):
            symbol = symbols.of_input(node, k)
            if symbol is not None:
                found[symbol.text] = value
        if node.is_leaf:
            continue
        for name, value in zip(node.primitive.saves, node.saved):
            if node.kind is Parts and name in node.primitive.outputs:
                found[symbols.nodes[node, name].text] = value
            elif name in node.primitive.options:
                found[name] = value.T if explanation.columns and getattr(value, "ndim", 0) == 2 else value
    for line in explanation.forward:
        value = found[line.symbol.text] if line.node is None else forward[line.node]
        found[line.symbol.text] = turned(value, line)
    return found | {step.symbol.text: turned(backward[step.node], step) for step in explanation.steps}


def turned(value, line):
    """As it is written: transposed, or as a column."""
    if line.transposed:
        value = value.reshape(-1, 1) if value.ndim == 1 else value.T
    assert value.shape == line.shape
    return value


EVERY = pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
LECTURE = [with_logits, of_the_lecture, by_hand]
NETWORKS = pytest.mark.parametrize(
    "network", [*LECTURE, residual, square, single, sequences, regression, attention, recurrent, normalised, classes]
)


@EVERY
@NETWORKS
def test_each_step_is_what_is_computed(network, columns):
    with autograd.keep_values():
        loss = network()
    explanation = explain(loss, columns=columns)
    values, backward = values_of(loss, explanation), cotangents(loss)
    assert {step.node for step in explanation.steps} == {node for node in backward if node.kind is not Parts}
    for step in explanation.steps:
        found = np.broadcast_to(evaluate(step.expression, values), step.shape)
        np.testing.assert_allclose(found, turned(backward[step.node], step), rtol=1e-9, atol=1e-15)


@EVERY
@NETWORKS
def test_each_gradient_in_one_formula_is_the_gradient(network, columns):
    with autograd.keep_values():
        loss = network()
    explanation = explain(loss, columns=columns)
    values = values_of(loss, explanation)
    loss.backward()
    assert {gradient.node for gradient in explanation.gradients} == {node for node in Tape(loss) if node.is_leaf}
    for gradient in explanation.gradients:
        found = evaluate(gradient.expression, values)
        grad = gradient.node.grad.reshape(gradient.shape)  # a bias may be written as a column
        np.testing.assert_allclose(np.broadcast_to(found, grad.shape), grad, rtol=1e-9, atol=1e-15)


@EVERY
@NETWORKS
def test_the_shapes_of_formulas_are_those_of_the_lines(network, columns):
    explanation = explain(network(), columns=columns)
    for line in (*explanation.forward, *explanation.steps, *explanation.gradients):
        if line.expression is not None and line.expression.shape is not None:
            assert np.broadcast_shapes(line.expression.shape, line.shape) == line.shape
    for step in explanation.steps:
        for term in step.terms:
            assert np.broadcast_shapes(term.expression.shape, step.shape) == step.shape


def test_the_lecture_by_columns():
    assert explain(of_the_lecture(), columns=True).text() == LECTURE_BY_COLUMNS.strip("\n")


LECTURE_BY_COLUMNS = """
Forward pass, with examples as columns (● is kept for the backward pass)
  ● x (12288×64), constant
    W1 (3×12288)
    b1 (3×1)
  ● W2 (2×3)
    b2 (2×1)
  ● W3 (1×2)
    b3 (1×1)
  ● y (1×64), constant
    z1 (3×64) = W1 (3×12288) · x (12288×64) + b1
  ● a1 (3×64) = σ(z1)
    z2 (2×64) = W2 (2×3) · a1 (3×64) + b2
  ● a2 (2×64) = σ(z2)
    z3 (1×64) = W3 (1×2) · a2 (2×64) + b3
  ● a3 (1×64) = σ(z3)
    L (1×64) = −(y ∘ log(a3) + (1 − y) ∘ log(1 − a3))
    J = mean(L)

Backward pass
    ∂J/∂J = 1
    ∂J/∂L (1×64) = 1 / 64
    ∂J/∂a3 (1×64) = ∂J/∂L ∘ (a3 − y) / (a3 ∘ (1 − a3))
    δ3 = ∂J/∂z3 (1×64) = ∂J/∂a3 ∘ a3 ∘ (1 − a3)
    ∂J/∂W3 (1×2) = δ3 (1×64) · a2ᵀ (64×2)
    ∂J/∂b3 (1×1) = Σ_columns δ3
    ∂J/∂a2 (2×64) = W3ᵀ (2×1) · δ3 (1×64)
    δ2 = ∂J/∂z2 (2×64) = ∂J/∂a2 ∘ a2 ∘ (1 − a2)
    ∂J/∂W2 (2×3) = δ2 (2×64) · a1ᵀ (64×3)
    ∂J/∂b2 (2×1) = Σ_columns δ2
    ∂J/∂a1 (3×64) = W2ᵀ (3×2) · δ2 (2×64)
    δ1 = ∂J/∂z1 (3×64) = ∂J/∂a1 ∘ a1 ∘ (1 − a1)
    ∂J/∂W1 (3×12288) = δ1 (3×64) · xᵀ (64×12288)
    ∂J/∂b1 (3×1) = Σ_columns δ1

Gradients, with the cotangents back to the next layer put in
    ∂J/∂W3 (1×2) = [(a3 − y) / 64 (1×64)] · a2ᵀ (64×2)
    ∂J/∂b3 (1×1) = Σ_columns ((a3 − y) / 64)
    ∂J/∂W2 (2×3) = [W3ᵀ (2×1) · δ3 (1×64) ∘ a2 ∘ (1 − a2) (2×64)] · a1ᵀ (64×3)
    ∂J/∂b2 (2×1) = Σ_columns (W3ᵀ (2×1) · δ3 (1×64) ∘ a2 ∘ (1 − a2))
    ∂J/∂W1 (3×12288) = [W2ᵀ (3×2) · δ2 (2×64) ∘ a1 ∘ (1 − a1) (3×64)] · xᵀ (64×12288)
    ∂J/∂b1 (3×1) = Σ_columns (W2ᵀ (3×2) · δ2 (2×64) ∘ a1 ∘ (1 − a1))
"""


def test_the_lecture_by_rows_with_logits():
    assert str(explain(with_logits())) == LECTURE_BY_ROWS.strip("\n")


LECTURE_BY_ROWS = """
Forward pass (● is kept for the backward pass)
  ● x (64×12288), constant
    W1 (3×12288)
    b1 (3)
  ● W2 (2×3)
    b2 (2)
  ● W3 (1×2)
    b3 (1)
  ● y (64×1), constant
    z1 (64×3) = x (64×12288) · W1ᵀ (12288×3) + b1
  ● a1 (64×3) = σ(z1)
    z2 (64×2) = a1 (64×3) · W2ᵀ (3×2) + b2
  ● a2 (64×2) = σ(z2)
  ● z3 (64×1) = a2 (64×2) · W3ᵀ (2×1) + b3
    L (64×1) = log(1 + exp(z3)) − y ∘ z3
    J = mean(L)

Backward pass
    ∂J/∂J = 1
    ∂J/∂L (64×1) = 1 / 64
    δ3 = ∂J/∂z3 (64×1) = ∂J/∂L ∘ (σ(z3) − y)
    ∂J/∂W3 (1×2) = δ3ᵀ (1×64) · a2 (64×2)
    ∂J/∂b3 (1) = Σ_rows δ3
    ∂J/∂a2 (64×2) = δ3 (64×1) · W3 (1×2)
    δ2 = ∂J/∂z2 (64×2) = ∂J/∂a2 ∘ a2 ∘ (1 − a2)
    ∂J/∂W2 (2×3) = δ2ᵀ (2×64) · a1 (64×3)
    ∂J/∂b2 (2) = Σ_rows δ2
    ∂J/∂a1 (64×3) = δ2 (64×2) · W2 (2×3)
    δ1 = ∂J/∂z1 (64×3) = ∂J/∂a1 ∘ a1 ∘ (1 − a1)
    ∂J/∂W1 (3×12288) = δ1ᵀ (3×64) · x (64×12288)
    ∂J/∂b1 (3) = Σ_rows δ1

Gradients, with the cotangents back to the next layer put in
    ∂J/∂W3 (1×2) = [(σ(z3ᵀ) − yᵀ) / 64 (1×64)] · a2 (64×2)
    ∂J/∂b3 (1) = Σ_rows ((σ(z3) − y) / 64)
    ∂J/∂W2 (2×3) = [W3ᵀ (2×1) · δ3ᵀ (1×64) ∘ a2ᵀ ∘ (1 − a2ᵀ) (2×64)] · a1 (64×3)
    ∂J/∂b2 (2) = Σ_rows (δ3 (64×1) · W3 (1×2) ∘ a2 ∘ (1 − a2))
    ∂J/∂W1 (3×12288) = [W2ᵀ (3×2) · δ2ᵀ (2×64) ∘ a1ᵀ ∘ (1 − a1ᵀ) (3×64)] · x (64×12288)
    ∂J/∂b1 (3) = Σ_rows (δ2 (64×2) · W2 (2×3) ∘ a1 ∘ (1 − a1))
"""


@EVERY
def test_by_hand_the_gradients_are_the_same_formulas(columns):
    ours, model = explain(by_hand(), columns=columns), explain(of_the_lecture(), columns=columns)
    assert sorted(g.text() for g in ours.gradients) == sorted(g.text() for g in model.gradients)


def test_by_hand_the_steps_between_are_there():
    steps = {step.symbol.text: step.text() for step in explain(by_hand()).steps}
    assert steps["∂J/∂v2"] == "∂J/∂v2 (64×2) = δ2"
    assert steps["∂J/∂(W2ᵀ)"] == "∂J/∂(W2ᵀ) (3×2) = a1ᵀ (3×64) · ∂J/∂v2 (64×2)"
    assert steps["∂J/∂W2"] == "∂J/∂W2 (2×3) = (∂J/∂(W2ᵀ))ᵀ"


def test_one_example_is_the_formula_of_the_lecture():
    x, y = images()
    loss = nn.BCELoss()(SIGMOID(output_activation="sigmoid")(x[:1]), y[:1])
    assert explain(loss, columns=True).gradients[2].text() == (
        "∂J/∂W2 (2×3) = [W3ᵀ (2×1) · δ3 (1×1) ∘ a2 ∘ (1 − a2) (2×1)] · a1ᵀ (1×3)"
    )


def test_paths_that_meet_are_added():
    steps = {step.symbol.text: step for step in explain(residual()).steps}
    step = steps["∂J/∂a1"]
    assert step.text() == "∂J/∂a1 (5×4) = ∂J/∂v1 + δ2 (5×4) · W2 (4×4)"
    assert [(t.operation, t.input, t.position) for t in step.terms] == [("add", "x", 0), ("linear", "x", 0)]


def test_a_weight_of_several_layers_is_summed_up_over_them():
    [gradient] = [g for g in explain(recurrent()).gradients if g.symbol.text == "∂J/∂W2"]
    assert gradient.text().count("δ") == 3


def test_the_target_is_called_as_the_user_calls_it():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    loss = (w * w).sum()
    loss.name = "energy"
    assert explain(loss).gradients[0].text() == "∂energy/∂w (2) = 2 w"
    assert explain(loss, names={"u": w, "E": loss}).gradients[0].text() == "∂E/∂u (2) = 2 u"


def test_an_output_of_several_numbers_gets_its_cotangent_from_outside():
    x = Tensor(np.ones((2, 3)), requires_grad=True, name="x")
    text = explain(np.sin(x)).text()
    assert "Backward pass (J is a number made of v1)\n    ∂J/∂v1 (2×3), given\n" in text
    assert text.endswith("∂J/∂x (2×3) = ∂J/∂v1 ∘ cos(x)")


def test_a_leaf_has_nothing_before_it():
    x = Tensor(2.0, requires_grad=True, name="x")
    assert [step.text() for step in explain(x).steps] == ["∂x/∂x = 1"]
    assert explain(x).gradients == ()


@EVERY
@pytest.mark.parametrize("network", [*LECTURE, residual, attention, recurrent])
def test_after_the_backward_pass_it_is_the_same(network, columns):
    loss = network()
    before = explain(loss, columns=columns).text()
    loss.backward()
    assert explain(loss, columns=columns).text() == before


def test_what_a_backward_pass_has_released_is_not_made_up():
    a = Tensor(np.ones((3, 3)), requires_grad=True, name="a")
    loss = (a.sum(axis=0) ** 2).sum()
    assert "Σ_rows a" in str(explain(loss))
    loss.backward()
    assert explain(loss).forward[1].text() == "v1 (3) = sum(a)"  # of a square matrix nobody can know which axis it was
    b = Tensor(np.ones((3, 4)), requires_grad=True, name="b")
    loss = (b.sum(axis=0) ** 2).sum()
    loss.backward()
    assert explain(loss).forward[1].text() == "v1 (4) = Σ_rows b"


def test_results_of_an_operation_with_several():
    A = Tensor(np.arange(6.0).reshape(3, 2) ** 2, requires_grad=True, name="A")
    q, r = np.linalg.qr(A)
    explanation = explain((q * r[0, 0]).sum())
    texts = [line.text() for line in explanation.forward]
    assert texts[1:3] == ["v1 (3×2) = linalg.qr.q(A)", "v2 (2×2) = linalg.qr.r(A)"]
    last = explanation.steps[-1]
    assert [s.text for s in last.terms[0].cotangents] == ["∂J/∂v1", "∂J/∂v2"]
    assert last.terms[0].cotangent_shapes == ((3, 2), (2, 2))


def lines(output, **options):
    """The lines of the text without those of sums, costs and leaves."""
    return [line.strip(" ●") for line in str(explain(output, **options)).splitlines() if " = " in line]


def test_what_only_the_rules_use_is_defined_too():
    with autograd.keep_values():
        loss = classes()
    for columns in (False, True):
        explanation = explain(loss, columns=columns)
        [line] = [line for line in explanation.forward if line.symbol.text == "q"]
        assert (line.kept, line.kind, line.operation) == (True, "operation", "class_cross_entropy.q")
        assert line.shape == ((3, 5) if columns else (5, 3))
        assert line.symbol.text in {s for step in explanation.steps for s in step.data()["symbols"]}
        assert json.loads(explanation.to_json())["forward"]
    assert "q (5×3) = softmax(z2) − one_hot(z2, y)" in lines(loss)
    x = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True, name="x")
    found = lines(nn.BatchNorm1d(4, dtype=np.float64)(x).sum())
    assert {"mean (1×4) = mean(x, axis=(0,))", "var (1×4) = var(x, axis=(0,))"} <= {*found}
    assert "s (3) = linalg.svd.s(x)" in lines(np.linalg.svd(x, full_matrices=False)[0].sum())


def test_the_parts_of_an_array_say_which_they_are():
    x = Tensor(np.ones((4, 2)), requires_grad=True, name="x")
    a, b = np.split(x, 2)
    assert {"v1 (2×2) = array_split(x, 2)[0]", "v2 (2×2) = array_split(x, 2)[1]"} <= {*lines((a * b).sum())}
    a, b = np.split(x, 2, axis=1)
    assert "∂J/∂x (4×2) = concatenate(∂J/∂v1, ∂J/∂v2, axis=1)" in lines((a * b).sum())


def test_a_stack_is_taken_apart_along_its_axis():
    x, y = (Tensor(np.ones((2, 3)), requires_grad=True, name=name) for name in "xy")
    assert "∂J/∂y (2×3) = ∂J/∂L[1]" in lines(np.stack([x, y]).sum())
    assert "∂J/∂y (2×3) = take(∂J/∂L, 1, axis=1)" in lines(np.stack([x, y], axis=1).sum())


def test_an_einsum_says_over_what_it_sums_and_its_rules_do():
    x, y = Tensor(np.ones((2, 3)), requires_grad=True, name="x"), Tensor(np.ones(3), requires_grad=True, name="y")
    found = lines(np.einsum("ij,j->i", x, y).sum())
    assert "L (2) = einsum('ij,j->i', x, y)" in found
    assert {"∂J/∂x (2×3) = einsum('i,j->ij', ∂J/∂L, y)", "∂J/∂y (3) = einsum('i,ij->j', ∂J/∂L, x)"} <= {*found}
    cube = np.einsum("i,i,j->j", y, y, y)  # not three times the same
    cube.sum().backward()
    assert len({term.expression.text() for term in explain(cube.sum()).steps[-1].terms}) == 3


def test_axes_are_put_back_in_order():
    x = Tensor(np.ones((1, 2, 3)), requires_grad=True, name="x")
    assert "∂J/∂x (1×2×3) = transpose(∂J/∂L, (1, 2, 0))" in lines(np.transpose(x, (2, 0, 1)).sum())


def test_a_transpose_with_a_name_of_its_own_is_a_line():
    x = Tensor(np.ones((3, 2)), requires_grad=True, name="x")
    assert lines(x.T.sum())[:2] == ["L (2×3) = xᵀ", "J = Σ L"]
    turned = x.T
    turned.name = "t"
    found = lines((turned * turned).sum())
    assert found[0] == "t (2×3) = xᵀ"
    assert {"∂J/∂t (2×3) = 2 ∂J/∂L ∘ t", "∂J/∂x (3×2) = (∂J/∂t)ᵀ", "∂J/∂x (3×2) = 2 tᵀ"} <= {*found}
    twice = lines((x.T @ x).sum() + (x.T * 2).sum())
    assert any("∂J/∂(xᵀ⁽²⁾)" in line for line in twice)


def test_a_second_derivative():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    first = np.sin(x).sum().gradient(x, create_graph=True)
    explanation = explain(first.sum())
    assert explanation.gradients[0].text() == "∂J/∂x (2) = −c1 ∘ sin(x)"  # c1: the cotangent of the first pass


def test_a_long_chain_is_shortened_and_quick():
    y = x = Tensor(np.ones(3), requires_grad=True, name="x")
    for _ in range(20_000):
        y = np.sin(y)
    explanation = explain(y.sum(), steps=4)
    lines = explanation.text().splitlines()
    assert lines[:6] == [
        "Forward pass (● is kept for the backward pass)",
        "  ● x (3)",
        "  ● v1 (3) = sin(x)",
        "    … 19998 more …",
        "    L (3) = sin(v19999)",
        "    J = Σ L",
    ]
    assert lines[-1].startswith("    ∂J/∂x (3) = ∂J/∂v")  # as far as is readable
    assert len(lines[-1]) < 1000
    assert x.grad is None


def test_all_lines_are_shown_if_wanted():
    y = Tensor(np.ones(3), requires_grad=True)
    for _ in range(300):
        y = y * 2.0
    assert "more" in str(explain(y.sum()))
    assert "more" not in str(explain(y.sum(), steps=None))


def test_data_are_plain_and_complete():
    explanation = explain(of_the_lecture(), columns=True)
    data = json.loads(explanation.to_json())
    assert data == json.loads(json.dumps(explanation.data()))
    assert (data["target"]["text"], data["columns"]) == ("J", True)
    [step] = [step for step in data["steps"] if step["symbol"]["text"] == "∂J/∂W2"]
    assert step["shape"] == [2, 3]
    [term] = step["terms"]
    assert (term["operation"], term["input"], term["position"]) == ("linear", "weight", 1)
    assert [(c["text"], c["shape"]) for c in term["cotangents"]] == [("δ2", [2, 64])]
    assert [(f["text"], f["shape"]) for f in term["factors"]] == [("δ2", [2, 64]), ("a1ᵀ", [64, 3])]
    assert term["symbols"] == {"δ2": [2, 64], "a1": [3, 64]}
    [line] = [line for line in data["forward"] if line["symbol"]["text"] == "a2"]
    assert (line["kept"], line["transposed"], line["operation"], line["text"]) == (True, True, "sigmoid", "σ(z2)")


def test_markdown_has_balanced_latex():
    for explanation in (explain(of_the_lecture(), columns=True), explain(attention()), explain(classes())):
        text = explanation._repr_markdown_()
        assert text.count("$$") == 6
        assert text.count(r"\begin{aligned}") == text.count(r"\end{aligned}") == 3
        assert text.count("{") == text.count("}")
        assert text.count(r"\left") == text.count(r"\right")
        assert not re.search(r"_\{[^{}]*\}_", text)  # no index of an index
    assert explain(of_the_lecture(), columns=True).gradients[2].latex() == (
        r"\underset{\scriptscriptstyle 2 \times 3}{\frac{\partial J}{\partial W_{2}}} &= "
        r"\underset{\scriptscriptstyle 2 \times 64}{\left[\underset{\scriptscriptstyle 2 \times 1}{{W_{3}}^\top} \, "
        r"\underset{\scriptscriptstyle 1 \times 64}{\delta_{3}} \circ a_{2} \circ \left(1 - a_{2}\right)\right]} \, "
        r"\underset{\scriptscriptstyle 64 \times 3}{{a_{1}}^\top}"
    )


def test_a_name_is_shown_and_never_executed():
    x = Tensor([1.0], requires_grad=True, name="<script>alert(1)</script>")
    explanation = explain((x * x).sum())
    assert "⟨<script>alert(1)</script>⟩" in str(explanation)
    assert "<" not in explanation.markdown()
    assert "<" not in explanation.to_json()


def test_jupyter_gets_markdown_and_text():
    formatters = pytest.importorskip("IPython.core.formatters")
    explanation = explain(by_hand())
    bundle, _ = formatters.DisplayFormatter().format(explanation)
    assert bundle == {"text/plain": explanation.text(), "text/markdown": explanation.markdown()}


def test_its_repr_is_short():
    assert repr(explain(by_hand())) == "<Explanation of J: 20 steps>"


def test_a_line_is_never_megabytes():
    parts = [Tensor(np.ones(2), requires_grad=True) for _ in range(400)]
    explanation = explain(np.concatenate(parts).sum())
    assert max(map(len, str(explanation).splitlines())) <= 1010
    assert max(map(len, explanation.markdown().splitlines())) <= 5000


def test_what_cannot_be_explained_is_refused():
    x = Tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match="explains a Tensor, usually the loss, got float"):
        explain(1.0)
    with pytest.raises(ValueError, match="requires_grad=True"):
        explain(Tensor(1.0))
    with pytest.raises(TypeError, match="names is a module or a dict"):
        explain(x * 2, names=["x"])
    for steps in (1, 0, -3, 2.0, True):
        with pytest.raises(ValueError, match="at least 2, or None for all"):
            explain(x * 2, steps=steps)


# Errors


def test_a_rule_whose_cotangent_does_not_fit_is_shown_with_its_shapes():
    product = define(lambda x, y: x @ y, "x, y -> z", x=lambda g, y: g @ y, y=lambda g, x: x.T @ g)
    x, y = Tensor(np.ones((2, 3)), requires_grad=True), Tensor(np.ones((3, 3)), requires_grad=True)
    product(x, y).sum().backward()  # the rule is wrong, but fits
    narrow = Tensor(np.ones((3, 2)), requires_grad=True)
    wrong = define(lambda x, y: x @ y, "x, y -> z", x=lambda g, y: y @ g.T, y=lambda g, x: x.T @ g)
    with pytest.raises(autograd.VJPError) as caught:
        wrong(x, narrow).sum().backward()
    assert "  rule      ∂/∂x = y · gᵀ\n  where     y (3×2), g (2×2)\n" in str(caught.value)


def test_a_rule_that_has_no_source_is_refused_as_before():
    scope = {}
    exec("rule = lambda g, y: y[:, :1]", scope)
    wrong = define(lambda x, y: x * y, "x, y -> z", x=scope["rule"])
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(autograd.VJPError, match=r"got +ndarray of shape \(2, 1\)"):
        wrong(x, np.ones((2, 3))).sum().backward()


def test_a_product_that_does_not_fit_is_shown_with_its_shapes():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(ValueError, match="mismatch") as caught:
        x @ np.ones((4, 2))
    assert caught.value.__notes__[-1] == "z = x · y: x (2×3) · y (4×2), and 3 ≠ 4"


def test_a_layer_that_does_not_fit_says_where_it_is_and_what_its_formula_is():
    model = nn.Sequential(nn.MLP([784, 500, 2]))
    with pytest.raises(ValueError, match=r"Linear\(784 → 500\) takes an input of shape") as caught:
        model(np.ones((64, 500), np.float32))
    assert caught.value.__notes__ == [
        "z = x · Wᵀ + b: x (64×500) · Wᵀ (784×500), and 500 ≠ 784",
        "in Sequential.0.linear1",
    ]


def test_an_error_inside_a_module_of_the_users_says_where_it_is():
    class Net(nn.Module):
        def __init__(self):
            self.hidden = nn.Linear(3, 4)

        def forward(self, x):
            return self.hidden(x) @ np.ones((3, 3), np.float32)

    class Outer(nn.Module):
        def __init__(self):
            self.parts = {"net": Net()}

        def forward(self, x):
            return self.parts["net"](x)

    with pytest.raises(ValueError, match="mismatch") as caught:
        Outer()(np.ones((5, 3), np.float32))
    assert caught.value.__notes__[1:] == ["z = x · y: x (5×4) · y (3×3), and 4 ≠ 3", "in Outer.parts.net"]


class Raising(nn.Module):
    def __init__(self, error):
        self.error, self.function = error, lambda x: x

    def forward(self, x):
        raise self.error


@dataclasses.dataclass(frozen=True)
class Unchangeable(ValueError):
    reason: str


def test_an_error_that_takes_no_notes_leaves_a_module_as_it_is():
    error = Unchangeable("full")
    with pytest.raises(Unchangeable) as caught:
        nn.Sequential(Raising(error))(1)
    assert caught.value is error


def test_an_error_leaves_a_module_that_cannot_tell_its_parts():
    class Secret(nn.Sequential):
        def named_modules(self, prefix=""):
            raise RuntimeError("no")

    with pytest.raises(ValueError, match="full"):
        Secret(Raising(ValueError("full")))(1)


def test_an_error_of_a_module_goes_to_another_process_without_the_module():
    with pytest.raises(ValueError, match="full") as caught:
        nn.Sequential(Raising(ValueError("full")))(1)
    caught.value.__traceback__ = None
    assert pickle.loads(pickle.dumps(caught.value)).__notes__ == ["in Sequential.0"]


def test_an_operation_whose_error_takes_no_notes_raises_it_as_it_is():
    def refused(x):
        raise error

    error, x = Unchangeable("full"), Tensor(1.0, requires_grad=True)
    with pytest.raises(Unchangeable) as caught:
        define(refused, "x -> y", x=lambda g: g)(x)
    assert caught.value is error


def test_a_module_shared_by_others_is_found_where_it_is_called_from():
    shared = nn.Linear(3, 3)

    class Caller(nn.Module):
        def forward(self, x):
            return shared(x)

    with pytest.raises(ValueError, match="takes an input") as caught:
        nn.Sequential(nn.Sequential(shared, Caller()), nn.Sequential(Caller()))[0][1](np.ones((2, 2), np.float32))
    assert caught.value.__notes__[-1] == "in Linear"
    with pytest.raises(ValueError, match="takes an input") as caught:
        nn.Sequential(nn.Sequential(Caller(), shared))(np.ones((2, 2), np.float32))
    assert caught.value.__notes__[-1] == "in Sequential.0.1"
