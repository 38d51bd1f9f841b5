"""The formulas of the rules: that each rule has one, that it says what the rule does, and how it is written."""

from __future__ import annotations

import ast
import functools
import linecache
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from rule_examples import EXAMPLES

import nn.functional as F
from autograd import NoRuleError, Tape, Tensor, define, keep_values, logsumexp, sigmoid
from autograd.cotangent import unbroadcast
from autograd.formulas import Expression, Number, Symbol, formula, forward_formula
from autograd.formulas.expression import (
    Apply,
    Cases,
    Compare,
    Expand,
    Indicator,
    Logical,
    MatMul,
    Negative,
    Outer,
    Power,
    Product,
    Quotient,
    Sum,
    Total,
    Transpose,
)
from autograd.node import Node, Parts
from autograd.primitive import REGISTRY, Primitive, written
from autograd.rules import complete


@functools.cache
def primitives() -> list[Primitive]:
    """All that there are, of NumPy's, SciPy's and nn's functions."""
    complete()
    pytest.importorskip("scipy", reason="SciPy is not installed: its functions have no rules then")

    modules = [m for name, m in [*sys.modules.items()] if name.partition(".")[0] in ("autograd", "nn")]
    handlers = [*REGISTRY.values(), *(value for module in modules for value in vars(module).values())]
    found = {p for p in (getattr(handler, "primitive", None) for handler in handlers) if isinstance(p, Primitive)}
    return sorted(filter(_ours, found), key=lambda p: p.name)


@functools.cache
def primitive_of(function: Any) -> Primitive:
    """Of a function of NumPy's too whose options a Python function looks at first."""
    return next(p for p in primitives() if p.function is function)


def _ours(primitive: Primitive) -> bool:
    module = getattr(primitive.function, "__module__", None) or "numpy"
    return module.partition(".")[0] in ("numpy", "scipy", "autograd", "nn")


# Truth: what a formula says, computed by NumPy, is what the rule returns


class Unknown(Exception):
    """A name in a formula that NumPy does not know."""


@functools.cache
def _known() -> dict[str, Any]:
    special = pytest.importorskip("scipy.special", reason="SciPy is not installed: some formulas are in its terms")
    ours = {
        "sigmoid": special.expit,
        "softplus": lambda x: np.logaddexp(0, x),
        "phi": lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
        "normal_cdf": special.ndtr,
        "inv": np.linalg.inv,
        "solve": np.linalg.solve,
        "softmax": lambda z: special.softmax(z, axis=min(1, z.ndim - 1)),
        "gamma_density": lambda a, x: np.exp((a - 1) * np.log(x) - x - special.gammaln(a)),
        "beta_density": lambda a, b, x: x ** (a - 1) * (1 - x) ** (b - 1) / special.beta(a, b),
        "one_hot": lambda z, target: np.moveaxis(
            1.0 * (np.arange(z.shape[min(1, z.ndim - 1)]) == target[..., None]), -1, min(1, z.ndim - 1)
        ),
        "derivative": np.polyder,
        "fftshift": np.fft.fftshift,
        "ifftshift": np.fft.ifftshift,
    }
    names = [
        *("vander", "polyval", "cumsum", "mean", "var", "std", "prod", "max", "min", "diag", "diagonal"),
        *("ravel", "flip", "fliplr", "flipud", "tril", "triu", "roll", "rot90"),
    ]
    return {**{name: getattr(np, name) for name in names}, **ours}


def evaluated(e: Expression, names: dict[str, Any]) -> Any:
    """A formula's value, by NumPy alone."""
    see = functools.partial(evaluated, names=names)
    match e:
        case Symbol():
            if e.name not in names:
                raise Unknown(e.name)
            return names[e.name]
        case Number():
            return e.value
        case Sum():
            return functools.reduce(np.add, map(see, e.terms))
        case Negative():
            return np.negative(see(e.operand))
        case Product():
            return functools.reduce(np.multiply, map(see, e.factors))
        case MatMul():
            return functools.reduce(np.matmul, map(see, e.factors))
        case Outer():
            return np.multiply.outer(see(e.left), see(e.right))
        case Quotient():
            return np.divide(see(e.numerator), see(e.denominator))
        case Power():
            return np.power(see(e.base), see(e.exponent))
        case Transpose():
            return np.swapaxes(see(e.operand), -1, -2)
        case Expand():
            assert e.shape is not None
            return np.reshape(see(e.operand), e.shape)
        case Total():
            return np.sum(see(e.operand), axis=e.axes, keepdims=e.keepdims).reshape(e.shape)
        case Indicator():
            return see(e.condition) * 1.0
        case Compare():
            signs = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}
            return {**signs, "==": np.equal, "!=": np.not_equal}[e.sign](see(e.left), see(e.right))
        case Logical():
            operation = {"and": np.logical_and, "or": np.logical_or}
            operands = [see(o) for o in e.operands]
            return np.logical_not(*operands) if e.word == "not" else functools.reduce(operation[e.word], operands)
        case Cases():
            return np.where(see(e.condition), see(e.yes), see(e.no))
        case Apply(function="broadcast" | "reshape") if e.shape is not None:
            [x] = map(see, e.arguments)
            return np.broadcast_to(x, e.shape) if e.function == "broadcast" else np.reshape(x, e.shape)
        case Apply():
            function = _known().get(e.function)
            if function is None and e.elementwise:
                special = sys.modules["scipy.special"]
                function = getattr(np, e.function, None) or getattr(special, e.function, None)
            if function is None:
                raise Unknown(e.function)
            options = [a.name for a in e.arguments if isinstance(a, Symbol) and "=" in a.name]
            operands = [see(a) for a in e.arguments if not isinstance(a, Symbol) or "=" not in a.name]
            named = {name: ast.literal_eval(value) for name, _, value in (option.partition("=") for option in options)}
            result = function(*operands, **named)
            return result if e.shape is None else np.reshape(result, e.shape)
    raise Unknown(type(e).__name__)


def _operations(name: str, example: Any) -> list[Node]:
    """The operations of a call, with their values kept."""
    try:
        with keep_values():
            y = example.call(*[Tensor(a, requires_grad=True) for a in example.args])
    except Exception:  # an example of what is refused
        return []
    return [node for node in Tape(y) if not node.is_leaf and node.notes is not None and node.notes.operands is not None]


def _named(node: Node) -> dict[str, Any] | None:
    """What the names in the formulas of an operation stand for: real numbers; None where they are others."""
    primitive, notes = node.primitive, node.notes
    if primitive.variadic or not primitive.outputs or notes is None or notes.operands is None or node.saved is None:
        return None
    values = dict(zip(primitive.inputs, notes.operands))
    rng = np.random.default_rng(0)
    if primitive.several:
        values |= zip(primitive.outputs, notes.value)
        values |= {f"g_{k}": rng.uniform(0.5, 1.5, np.shape(values[k])) for k in primitive.outputs}
    else:
        values |= {primitive.outputs[0]: notes.value, "g": rng.uniform(0.5, 1.5, node.shape)}
    values |= {name: node.saved[k] for k, name in enumerate(primitive.saves) if name in primitive.options}
    return None if any(np.iscomplexobj(v) for v in values.values() if isinstance(v, np.ndarray)) else values


def _bound(values: dict[str, Any], options: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: Symbol(name, value.shape) if isinstance(value, np.ndarray) and name not in options else value
        for name, value in values.items()
    }


def _agree(bound: Expression, values: dict[str, Any], expected: Any, case: str) -> bool:
    """Compare a formula's value with what was computed; False where there is a name in it that NumPy does not know."""
    case = f"{case}: {bound} of {[(name, getattr(value, 'shape', value)) for name, value in values.items()]}"
    try:
        with np.errstate(all="ignore"):
            got = evaluated(bound, values)
    except Unknown:
        return False
    except Exception as error:
        raise AssertionError(case) from error
    assert bound.shape is None or isinstance(bound, Number) or bound.shape == np.shape(got), case
    try:
        got = np.broadcast_to(got, expected.shape)
    except ValueError as error:
        raise AssertionError(case) from error
    there = np.isfinite(got)  # where a formula has no value, rules have limits
    np.testing.assert_allclose(got[there], expected[there], 1e-8, 1e-10, err_msg=case)
    return bool(there.any())


@functools.cache
def _compared() -> tuple[set[tuple[str, str]], set[str]]:
    """The rules, and the operations, whose formulas were found to be right for their examples."""
    rules, operations = set(), set()
    for name, examples in EXAMPLES.items():
        for node in [node for example in examples[:8] for node in _operations(name, example)]:
            values = _named(node)
            if values is None:
                continue
            primitive, saved = node.primitive, node.saved
            bound = _bound(values, primitive.options)
            result = np.asarray(values[primitive.outputs[0]])
            known = {*primitive.options} <= {*values}
            if known and _agree(forward_formula(primitive).bind(bound), values, result, primitive.name):
                operations.add(primitive.name)
            for output in primitive.outputs if known and primitive.several else ():
                one = forward_formula(primitive, output).bind(bound)
                if _agree(one, values, np.asarray(values[output]), f"{primitive.name}.{output}"):
                    operations.add(f"{primitive.name}.{output}")
            g = values.get("g")
            if primitive.several:
                parts = {k: values[f"g_{name}"] for k, name in enumerate(primitive.outputs)}
                g = Parts(parts, node.shape, node.dtype)
            for position, input in enumerate(primitive.inputs):
                if input not in primitive.rules or node.parents[position] is None:
                    continue
                with np.errstate(all="ignore"):
                    try:
                        cotangent = np.asarray(primitive.pulls[position](g, saved))
                    except (ValueError, NoRuleError):  # there is no derivative
                        continue
                expected = unbroadcast(cotangent, np.shape(values[input]))
                case = f"{primitive.name} w.r.t. {input}"
                if _agree(formula(primitive, input).bind(bound), values, expected, case):
                    rules.add((primitive.name, input))
    return rules, operations


def test_formulas_compute_what_rules_return_and_operations_compute() -> None:
    rules, operations = _compared()
    assert len(rules) >= 300, sorted({(p.name, name) for p in primitives() for name in p.rules} - rules)
    assert len(operations) >= 226, sorted({p.name for p in primitives()} - operations)
    assert {"class_cross_entropy.q", "soft_cross_entropy.q", "standardize.mean", "standardize.var"} <= operations


def test_the_comparison_finds_a_formula_that_is_wrong() -> None:
    x = np.array([1.0, 2.0])
    values = {"g": np.ones(2), "x": x}
    assert _agree(Symbol("g") * 2 * Symbol("x"), values, 2 * x, "right")
    with pytest.raises(AssertionError):
        _agree(Symbol("g") * Symbol("x"), values, 2 * x, "wrong")


# Each rule has a formula


def _formulas() -> list[tuple[str, Expression]]:
    found = [(f"{p.name} w.r.t. {name}", formula(p, name).bind()) for p in primitives() for name in p.rules]
    return [*found, *((p.name, forward_formula(p).bind()) for p in primitives())]


def test_every_rule_and_operation_has_a_formula_in_text_and_latex() -> None:
    formulas = _formulas()
    assert len(formulas) > 700
    for case, e in formulas:
        text, latex = e.text(), e.latex(shapes=True)
        assert text, case
        assert text == e.text(shapes=True), case  # no shape is known
        assert not re.search(r"\bobject\b|<|lambda|None\b.*0x", text.replace(" < ", "")), f"{case}: {text}"
        assert len(text) < 350, f"{case}: {text}"
        _assert_balanced(latex, f"{case}: {latex}")


def test_few_rules_have_no_other_formula_than_their_name() -> None:
    nameless = sorted({case for case, e in _formulas() if "vjp of" in e.text()})
    assert nameless == [
        "characteristic w.r.t. a",
        "cofactors w.r.t. a",
        "linalg.lstsq w.r.t. a",
        "linalg.lstsq w.r.t. b",
        "linalg.qr w.r.t. a",
        "linalg.svd w.r.t. a",
    ]


def _assert_balanced(latex: str, case: str) -> None:
    bare = re.sub(r"\\[{}]", "", latex)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0, case
    assert depth == 0, case
    assert bare.count(r"\left") - bare.count(r"\leftarrow") == bare.count(r"\right"), case


@pytest.mark.parametrize(
    ("operation", "input", "expected"),
    [
        (np.add, "x", "g"),
        (np.subtract, "y", "−g"),
        (np.multiply, "x", "g ∘ y"),
        (np.divide, "y", "−g ∘ z / y"),
        (np.power, "x", "g ∘ y ∘ x^(y − 1)"),
        (np.power, "y", "g ∘ z ∘ log(x)"),
        (np.sqrt, "x", "g / (2 y)"),
        (np.log2, "x", "g / (ln 2 · x)"),
        (np.tanh, "x", "g − g ∘ y²"),
        (np.matmul, "x", "g · yᵀ"),
        (np.matmul, "y", "xᵀ · g"),
        (np.maximum, "x", "g ∘ (½ 1[x > y] + ½ 1[x ≥ y])"),
        (np.where, "y", "g ∘ 1[not condition]"),
        (np.clip, "a", "g ∘ 1[a ≥ a_min and a ≤ a_max]"),
        (np.sum, "a", "broadcast(g)"),
        (np.mean, "a", "broadcast(g / n)"),
        (np.max, "a", "g ∘ 1[a = y] / (Σ 1[a = y])"),
        (np.linalg.inv, "a", "−yᵀ · g · yᵀ"),
        (np.linalg.solve, "a", "−solve(aᵀ, g) · xᵀ"),
        (sigmoid, "x", "g ∘ y ∘ (1 − y)"),
        (logsumexp, "a", "g ∘ exp(a) / (Σ exp(a))"),
        (F.relu, "x", "g ∘ 1[y > 0]"),
        (F.silu, "x", "g ∘ (σ(x) + x ∘ σ(x) ∘ (1 − σ(x)))"),
        (F.linear, "x", "g · weight"),
        (F.linear, "weight", "gᵀ · x"),
        (F.linear, "bias", "Σ_rows g"),
        (F.softmax, "x", "y ∘ (g − Σ_columns (g ∘ y))"),
        (F.binary_cross_entropy, "p", "g ∘ (p − y) / (p ∘ (1 − p))"),
        (F.binary_cross_entropy_with_logits, "z", "g ∘ (σ(z) − y)"),
    ],
)
def test_rules_read_as_the_textbook_has_them(operation: Any, input: str, expected: str) -> None:
    primitive = getattr(operation, "primitive", None) or primitive_of(operation)
    assert str(formula(primitive, input)) == expected


def test_operations_read_as_the_textbook_has_them() -> None:
    operations = [np.multiply, np.matmul, np.square, F.linear, F.relu, F.squared_error, F.binary_cross_entropy]
    assert [str(forward_formula(f)) for f in operations] == [
        "x ∘ y",
        "x · y",
        "x²",
        "x · weightᵀ + bias",
        "max(0, x)",
        "(a − y)²",
        "−(y ∘ log(p) + (1 − y) ∘ log(1 − p))",
    ]


# Binding


def test_names_are_replaced_and_shapes_follow() -> None:
    δ, W, x = Symbol("δ2", (64, 3)), Symbol("W2", (3, 5)), Symbol("x", (64, 5))
    to_x = formula(F.linear, "x").bind({"g": δ, "weight": W, "x": x})
    to_weight = formula(F.linear, "weight").bind({"g": δ, "weight": W, "x": x})
    assert (to_x.text(shapes=True), to_x.shape) == ("δ2 (64×3) · W2 (3×5)", (64, 5))
    assert (to_weight.text(shapes=True), to_weight.shape) == ("δ2ᵀ (3×64) · x (64×5)", (3, 5))
    forward = forward_formula(F.linear).bind({"x": x, "weight": W, "bias": Symbol("b2", (3,))})
    assert (forward.text(shapes=True), forward.shape) == ("x (64×5) · W2ᵀ (5×3) + b2", (64, 3))
    assert str(forward_formula(F.linear).bind({"x": x, "weight": W, "bias": None})) == "x · W2ᵀ"


def test_vectors_make_products_of_matrices_what_they_are() -> None:
    g, X, w = Symbol("g", (4,)), Symbol("X", (4, 3)), Symbol("w", (3,))
    values = {"g": g, "x": X, "y": w}
    to_x, to_y = (formula(np.matmul, name).bind(values) for name in ("x", "y"))
    assert (str(to_x), to_x.shape, str(to_y), to_y.shape) == ("g ⊗ w", (4, 3), "Xᵀ · g", (3,))
    row = formula(np.matmul, "x").bind({"g": Symbol("g", (5,)), "x": w, "y": Symbol("Y", (3, 5))})
    assert (str(row), row.shape) == ("g · Yᵀ", (3,))
    inner = formula(np.matmul, "x").bind({"g": Symbol("g", ()), "x": w, "y": Symbol("v", (3,))})
    assert (str(inner), inner.shape) == ("g · v", (3,))


def test_broadcasting_is_undone_by_a_sum() -> None:
    g = Symbol("g", (64, 3))
    cases = {(3,): "Σ_rows g", (64, 1): "Σ_columns g", (): "Σ g", (1, 1): "Σ g", (64, 3): "g"}
    for shape, expected in cases.items():
        e = formula(np.add, "y").bind({"g": g, "y": Symbol("b", shape)})
        assert (str(e), e.shape) == (expected, shape)
        assert str(formula(np.add, "y").bind({"g": g}, shape=shape)) == expected
    e = formula(np.subtract, "y").bind({"g": Symbol("g", (2, 4, 3))}, shape=(4, 1))
    assert (str(e), e.shape) == ("−Σ₀₂ g", (4, 1))


def test_options_and_shapes_make_numbers() -> None:
    a, g = Symbol("a", (3, 4)), Symbol("g", (3,))
    mean = formula(np.mean, "a").bind({"a": a, "g": g, "axis": 1})
    assert (str(mean), mean.shape) == ("broadcast(g / 4)", (3, 4))
    assert str(formula(np.mean, "a").bind({"a": a, "g": Number(1)})) == "broadcast(1 / 12)"
    assert str(formula(primitive_of(np.flip), "m").bind({"axis": 1})) == "flip(g, axis=1)"
    assert str(forward_formula(np.sum).bind({"a": a, "axis": 0})) == "Σ_rows a"
    assert str(formula(np.power, "x").bind({"y": 3.0})) == "3 g ∘ x²"


def test_inputs_of_one_name_are_numbered() -> None:
    e = formula(primitive_of(np.concatenate), 1).bind({"arrays_0": Symbol("a"), "arrays_1": Symbol("b"), "i": 1})
    assert str(e) == "part(g, 1)"
    assert str(
        forward_formula(primitive_of(np.concatenate)).bind({"arrays_0": Symbol("a"), "arrays_1": Symbol("b")})
    ) == ("concatenate(a, b)")


def test_each_of_several_results_has_a_formula() -> None:
    primitive = next(p for p in primitives() if p.name == "class_cross_entropy")
    assert str(forward_formula(primitive, "q")) == "softmax(z) − one_hot(z, target)"
    assert str(forward_formula(primitive)) == str(forward_formula(primitive, "loss"))
    assert str(forward_formula(primitive_of(np.linalg.svd), "s")) == "linalg.svd.s(a)"
    for function, output in ((primitive_of(np.linalg.svd), "w"), (np.sin, "y")):
        with pytest.raises(ValueError, match="has no result"):
            forward_formula(function, output)


def test_of_several_results_those_without_a_cotangent_are_left_out() -> None:
    rule = next(p for p in primitives() if p.name == "soft_cross_entropy")
    assert str(formula(rule, "z").bind({"g_loss": Symbol("δ")})) == "δ ∘ q"
    assert str(formula(rule, "z").bind({"g": (Symbol("δ"), None)})) == "δ ∘ q"


def test_arrays_go_by_their_names() -> None:
    e = formula(np.multiply, "x").bind({"g": np.ones((2, 3)), "y": np.ones(3), "x": np.float64(2.0)})
    assert (str(e), e.shape) == ("Σ (g ∘ y)", ())


def test_a_name_that_no_formula_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"formulas of add have no names \['q'\]: .*\['g', 'x', 'y', 'z'\]"):
        formula(np.add, "x").bind({"q": Symbol("q")})


def test_what_is_absent_is_not_calculated_with() -> None:
    f = define(lambda x, b=None: x, "x, b=None -> y", x=lambda g, b: g * b)
    assert str(formula(f).bind({"b": None})) == "vjp of <lambda> w.r.t. x (g)"
    assert str(forward_formula(primitive_of(np.clip)).bind({"a_min": None, "a_max": 3})) == "clip(a, None, 3)"
    assert str(formula(primitive_of(np.clip), "a").bind({"a_min": None, "a_max": 3})) == "g ∘ 1[a ≤ 3]"
    with pytest.raises(TypeError, match="'text' is none of them"):
        A + "text"


def test_whoever_asks_for_what_there_is_not_is_told_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no rule for 'q'; it has rules for \['x', 'y'\]"):
        formula(np.add, "q")
    with pytest.raises(ValueError, match="add has 2 inputs"):
        formula(np.add, 2)
    with pytest.raises(TypeError, match="int is none"):
        formula(3)  # type: ignore[arg-type]
    assert str(formula(np.subtract, -1)) == "−g"


# Expressions


A, B, c = Symbol("A", (2, 3)), Symbol("B", (3, 4)), Symbol("c", ())


@pytest.mark.parametrize(
    ("e", "text", "shape"),
    [
        (A @ B, "A · B", (2, 4)),
        ((A @ B).transposed(), "Bᵀ · Aᵀ", (4, 2)),
        (A.transposed().transposed(), "A", (2, 3)),
        ((A * A + 1).transposed(), "(Aᵀ)² + 1", (3, 2)),
        (-A @ B, "−A · B", (2, 4)),
        ((A + A) @ B, "(A + A) · B", (2, 4)),
        ((c * A) @ B, "[c · A] · B", (2, 4)),
        (1 - (1 - A), "1 − (1 − A)", (2, 3)),
        (A - (-A), "A + A", (2, 3)),
        (2 * (A * 3), "6 A", (2, 3)),
        (A * 0.5 / c, "½ A / c", (2, 3)),
        (A / (B.transposed() @ A.transposed()), "A / (Bᵀ · Aᵀ)", None),
        (1 * A, "A", (2, 3)),
        (A**-1, "A⁻¹", (2, 3)),
        ((A + c) ** c, "(A + c)^c", (2, 3)),
        (A * Symbol("v", (3,)), "A ∘ v", (2, 3)),
        ((A + Symbol("v", (3,))).transposed(), "(A + v)ᵀ", (3, 2)),
        (A * Symbol("?", (5, 7)), "A ∘ ?", None),
        (A @ A, "A · A", None),
        (c * c, "c²", ()),
        (c * Symbol("d", ()), "c · d", ()),
        (A + float("nan"), "A + nan", (2, 3)),
        (A * 10**400, "1.000e+400 A", (2, 3)),
        (A / float("inf"), "A / ∞", (2, 3)),
    ],
)
def test_expressions_are_written_simply(e: Expression, text: str, shape: Any) -> None:
    assert (str(e), e.shape) == (text, shape)
    _assert_balanced(e.latex(), text)


def test_the_factors_of_a_product_show_their_shapes() -> None:
    W3, δ3, a2, a1 = Symbol("W3", (1, 2)), Symbol("δ3", (1, 64)), Symbol("a2", (2, 64)), Symbol("a1", (3, 64))
    e = (W3.transposed() @ δ3 * a2 * (1 - a2)) @ a1.transposed()
    assert e.text(shapes=True) == "[W3ᵀ (2×1) · δ3 (1×64) ∘ a2 ∘ (1 − a2) (2×64)] · a1ᵀ (64×3)"
    assert r"2 \times 64" in e.latex(shapes=True)
    assert "times" not in e.latex()


def test_names_of_any_kind_are_letters_in_latex() -> None:
    wanted = {"W2": "W_{2}", "δ3": r"\delta_{3}", "φ": r"\varphi", "a_min": r"a_{\text{min}}", "W": "W"}
    assert {name: Symbol(name).latex() for name in wanted} == wanted
    for name in ("<script>alert(1)</script>", "100% {x}", "a\\b", "q'\"", "_", "", "x_{1}"):
        _assert_balanced(Symbol(name).latex(), name)
        assert Symbol(name).latex().startswith(r"\text{")


# Rules of the user's own


def test_a_rule_of_the_users_own_is_read_from_its_source() -> None:
    scale = 3.0
    cube = define(lambda x: scale * x**3, "x -> y", x=lambda g, x: g * 3 * scale * x * x)
    assert str(formula(cube)) == "9 g ∘ x²"


def test_of_two_rules_on_a_line_each_is_read() -> None:
    f = define(lambda x, y: x * y * y, "x, y -> z", x=lambda g, y: g * y * y, y=lambda g, x, y: g * 2 * x * y)
    assert [str(formula(f, name)) for name in "xy"] == ["g ∘ y²", "2 g ∘ x ∘ y"]


def _slope(x: Any) -> Any:
    """Helpers are read too."""
    t = np.tanh(x)
    if x.ndim > 5:
        return t
    return 1 - t * t


def test_a_rule_of_several_lines_is_read_with_its_helpers() -> None:
    def rule(g: Any, x: Any, k: Any) -> Any:
        slope = _slope(x)
        if k == 2:
            slope = slope * 2
        return g * slope

    f = define(lambda x, k: np.tanh(x) * k, "x; k=2 -> y", x=rule)
    assert str(formula(f)) == "2 g ∘ (1 − tanh(x)²)"
    assert str(formula(f).bind({"k": 1})) == "g ∘ (1 − tanh(x)²)"


def test_partial_functions_and_methods_are_read() -> None:
    def rule(k: Any, g: Any, x: Any) -> Any:
        return g * k * x

    class Scaled:
        k = 3

        def rule(self, g: Any, x: Any) -> Any:
            return g * self.k * x

        def __call__(self, g: Any, x: Any) -> Any:
            return g

    rules = [functools.partial(rule, 3), Scaled().rule, Scaled()]
    formulas = [str(formula(define(lambda x: x, "x -> y", x=rule))) for rule in rules]
    assert formulas == ["3 g ∘ x", "3 g ∘ x", "vjp of <lambda> w.r.t. x (g, x)"]


def test_a_rule_that_is_an_algorithm_is_named() -> None:
    def rule(g: Any, x: Any) -> Any:
        for _ in range(3):
            g = g * x
        return g

    def cubed(x: Any) -> Any:
        return x**4 / 4

    assert str(formula(define(cubed, "x -> y", x=rule))) == "vjp of cubed w.r.t. x (g, x)"


def test_a_rule_that_looks_at_values_is_named() -> None:
    f = define(np.array, "x -> y", x=lambda g, x: g if x > 0 and g > 0 else -g)
    REGISTRY.pop(np.array)
    assert str(formula(f)) == "vjp of array w.r.t. x (g, x)"


def test_a_rule_that_doubles_itself_again_and_again_is_named() -> None:
    for step in ("s * s + s", "np.exp(s)"):
        body = "\n".join(f"    s = {step}" for _ in range(400))
        module = _module(f"def rule(g, s):\n{body}\n    return g * s\n", f"<{step}>")
        assert str(formula(define(module["rule"], "s -> y", s=module["rule"]))) == "vjp of rule w.r.t. s (g, s)"


def _module(text: str, name: str = "<typed>") -> dict[str, Any]:
    """What a cell of a notebook, or a prompt, defines: its text is in `linecache` and in no file."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"np": np, "define": define}
    exec(compile(text, name, "exec"), scope)
    return scope


def test_a_rule_typed_in_a_notebook_is_read() -> None:
    scope = _module('f = define(lambda x: x * x, "x -> y", x=lambda g, x: (\n    g * 2\n    * np.sin(x)\n))\n')
    assert str(formula(scope["f"])) == "2 g ∘ sin(x)"


def test_a_helper_typed_in_a_notebook_is_read_though_each_statement_is_compiled_by_itself() -> None:
    text = "import numpy as np\ndef slope(x):\n    return 2 * np.cos(x)\nrule = lambda g, x: g * slope(x)\n"
    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    scope: dict[str, Any] = {}
    for statement in ast.parse(text).body:
        exec(compile(ast.Module([statement], []), "<cell>", "exec"), scope)
    assert str(formula(define(lambda x: x, "x -> y", x=scope["rule"]))) == "2 g ∘ cos(x)"


def test_without_source_there_is_still_a_formula() -> None:
    scope: dict[str, Any] = {"define": define}
    exec('def double(x): return 2 * x\nf = define(double, "x -> y", x=lambda g: g * 2)', scope)
    assert str(formula(scope["f"])) == "vjp of double w.r.t. x (g)"
    assert str(forward_formula(scope["f"])) == "double(x)"


def test_a_source_that_was_edited_since_is_not_taken_for_the_rule() -> None:
    scope = _module('f = define(lambda x: x, "x -> y", x=lambda g: g * 2)\n', "<edited>")
    text = 'f = define(lambda x: x, "x -> y", x=lambda g: g * 3)\n'
    linecache.cache["<edited>"] = (len(text), None, [text], "<edited>")
    assert "vjp of" in str(formula(scope["f"]))


def test_what_is_written_beside_a_rule_is_its_formula() -> None:
    @written("g * exp(-x) / wait(x, 3)")
    def rule(g: Any, x: Any) -> Any:
        raise AssertionError("nobody calls it")

    @written("x ** 2 + rest")
    def f(x: Any) -> Any:
        return x

    recorded = define(f, "x -> y", x=rule)
    assert str(formula(recorded)) == "g ∘ exp(−x) / wait(x, 3)"
    assert str(forward_formula(recorded)) == "x² + rest"


def test_what_is_written_and_is_no_python_is_refused_by_its_text() -> None:
    f = define(lambda x: x, "x -> y", x=written("g ·")(lambda g: g))
    with pytest.raises(SyntaxError, match="the formula 'g ·', given by `written`, is not an expression"):
        str(formula(f))


def test_no_formula_is_read_before_it_is_asked_for() -> None:
    program = (
        "import sys; import autograd, nn; from autograd import Tensor; Tensor(1.0, requires_grad=True) * 2;"
        "print([m for m in ('ast', 'autograd.formulas') if m in sys.modules and m.startswith('autograd')])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
