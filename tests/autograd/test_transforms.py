"""The functional API: grad and its family, products and matrices, containers, checkpoints."""

import collections
import gc
import math
import weakref

import numpy as np
import pytest

import autograd
from autograd import (
    ReleasedError,
    StaleError,
    Tensor,
    VJPError,
    check_gradients,
    checkpoint,
    define,
    deriv,
    detect_anomaly,
    elementwise_grad,
    flatten,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    is_grad_enabled,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    no_grad,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)
from autograd.node import Node
from autograd.transforms.nested import leaves_of, matched, rebuilt

Pair = collections.namedtuple("Pair", "first second")

A = np.random.default_rng(1).normal(size=(4, 3))
X = np.random.default_rng(2).normal(size=3)
U = np.random.default_rng(3).normal(size=4)
V = np.random.default_rng(4).normal(size=3)


@pytest.fixture
def no_collector():
    """Reference counting alone: what is in a cycle stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def model(x):
    """A function from 3 to 4 numbers that is not linear."""
    return np.tanh(A @ x) * np.sum(x * x)


def energy(x):
    return np.sum(np.sin(A @ x) ** 2) * x[0] + np.exp(x[1] * x[2])


def numerical(f, x, h=1e-5):
    """The Jacobian of f at x by central differences."""
    x = np.asarray(x, dtype=float)
    columns = []
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        columns.append((np.asarray(f(x + e)) - np.asarray(f(x - e))) / (2 * h))
    return np.stack(columns, axis=-1).reshape(np.shape(f(x)) + x.shape)


def nodes_alive():
    return sum(issubclass(type(o), Node) for o in gc.get_objects())


# grad: values


def test_closed_forms():
    assert grad(lambda x: x**3)(2.0) == 12.0
    np.testing.assert_allclose(grad(lambda x: np.sum(np.sin(x)))(X), np.cos(X))
    np.testing.assert_allclose(grad(lambda x: x @ (A.T @ A) @ x)(X), 2 * A.T @ A @ X)
    np.testing.assert_allclose(elementwise_grad(np.tanh)(A), 1 - np.tanh(A) ** 2)
    np.testing.assert_allclose(grad(energy)(X), numerical(energy, X), rtol=1e-7)


def test_third_and_fourth_derivatives():
    f = np.sin
    for expected in (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin):
        f = grad(f)
        assert f(0.7) == pytest.approx(float(expected(0.7)))
    third = grad(grad(grad(lambda x: x**5 * np.exp(x))))
    assert third(0.5) == pytest.approx(np.exp(0.5) * (0.5**5 + 15 * 0.5**4 + 60 * 0.5**3 + 60 * 0.5**2))
    np.testing.assert_allclose(
        elementwise_grad(elementwise_grad(elementwise_grad(np.tanh)))(X)[0], grad(grad(grad(np.tanh)))(X[0])
    )


def test_argnum():
    def f(x, y, *, scale=1.0):
        return scale * x**2 * y

    assert grad(f)(3.0, 4.0) == 24.0
    assert grad(f, 1)(3.0, 4.0) == 9.0
    assert grad(f, -1)(3.0, 4.0) == 9.0
    assert grad(f, (1, 0))(3.0, 4.0, scale=2.0) == (18.0, 48.0)
    assert grad(f, [0])(3.0, 4.0) == (24.0,)
    assert grad(f, np.int64(1))(3.0, 4.0) == 9.0
    assert value_and_grad(f, (0, 1))(3.0, 4.0) == (36.0, (24.0, 9.0))


@pytest.mark.parametrize("argnum", [1.0, "x", True, None, (0, "x")])
def test_an_argnum_that_is_no_position(argnum):
    with pytest.raises(TypeError, match="argnum is the position"):
        grad(np.sin, argnum)


@pytest.mark.parametrize("argnum", [(), (0, 0), ((0,), 1)])
def test_an_argnum_that_is_no_set_of_positions(argnum):
    with pytest.raises(ValueError, match="one or more different positions"):
        grad(np.sin, argnum)


@pytest.mark.parametrize("transform", [grad, jacobian])
def test_a_computed_tensor_where_a_function_is_expected(transform):
    w = Tensor(np.ones(1000), requires_grad=True)
    loss = np.sum(w * w)
    with pytest.raises(
        TypeError, match=r"takes a function first, got Tensor: the gradient .* is loss\.gradient\(w\)\.$"
    ):
        transform(loss)
    with pytest.raises(TypeError, match=r"got float64\[1000\]: the gradient .* is loss\.gradient\(w\)\.$"):
        transform(loss, w)


def test_an_argument_that_was_not_given_by_position():
    with pytest.raises(TypeError, match="got 0 positional arguments"):
        grad(lambda x: x)(x=1.0)
    with pytest.raises(TypeError, match="takes a function first"):
        grad(3.0)


def test_names_and_signatures():
    import inspect

    def loss(weights, data):
        """What to minimise."""

    g = grad(loss, 1)
    assert g.__name__ == "grad_of_loss_wrt_argnum_1"
    assert "loss" in g.__doc__
    assert list(inspect.signature(g).parameters) == ["weights", "data"]
    assert grad(grad(loss)).__name__ == "grad_of_grad_of_loss_wrt_argnum_0_wrt_argnum_0"
    assert hessian_vector_product(loss).__name__.startswith("hessian_tensor_product_of_loss")


# What comes in is what comes out


@pytest.mark.parametrize(
    "x",
    [2.0, np.float64(2.0), np.float32(2.0), np.float16(2.0), np.array(2.0), np.array([2.0]), np.float32([[1, 2]])],
    ids=repr,
)
def test_a_gradient_is_what_its_argument_was(x):
    value, g = value_and_grad(lambda x: np.sum(x * x))(x)
    assert type(g) is type(x)
    assert np.shape(g) == np.shape(x)
    assert np.asarray(g).dtype == np.asarray(x).dtype == value.dtype
    assert isinstance(value, np.generic)
    np.testing.assert_array_equal(g, 2 * x)
    second = elementwise_grad(elementwise_grad(lambda x: x * x))(x)
    assert type(second) is type(x)
    assert np.asarray(second).dtype == np.asarray(x).dtype


def test_float32_stays_float32():
    x = X.astype(np.float32)
    a = A.astype(np.float32)

    def f(x):
        return np.tanh(a @ x)

    assert jacobian(f)(x).dtype == np.float32
    assert hessian(lambda x: np.sum(f(x)))(x).dtype == np.float32
    value, jv = make_jvp(f)(x)(x)
    assert value.dtype == jv.dtype == np.float32
    vjp, value = make_vjp(f)(x)
    assert vjp(value).dtype == np.float32
    assert make_ggnvp(f)(x)(x).dtype == np.float32
    assert deriv(lambda t: t * a)(np.float32(1)).dtype == np.float32


def test_a_complex_number_gives_a_complex_number():
    z = 1.0 + 2.0j
    g = grad(lambda z: np.abs(z) ** 2)(z)
    assert type(g) is complex
    assert g == pytest.approx(2.0 - 4.0j)  # ∂L/∂x − i ∂L/∂y
    assert grad(lambda x: np.real(x * z) ** 2)(3.0) == pytest.approx(6.0)


def test_a_tensor_gives_a_tensor():
    x = Tensor(X)
    value, g = value_and_grad(energy)(x)
    assert isinstance(value, Tensor)
    assert isinstance(g, Tensor)
    assert not g.requires_grad
    assert not value.requires_grad
    np.testing.assert_allclose(g.numpy(), grad(energy)(X))
    assert isinstance(jacobian(model)(x), Tensor)
    assert all(isinstance(t, Tensor) for t in make_jvp(model)(x)(V))


def test_a_tracked_tensor_gives_a_tensor_that_can_be_differentiated_on():
    x = Tensor(X, requires_grad=True)
    g = grad(energy)(x)
    assert g.requires_grad
    np.testing.assert_allclose((g @ V).gradient(x).numpy(), hessian(energy)(X) @ V)
    assert x.grad is None
    with no_grad():
        g = grad(energy)(x)
    assert isinstance(g, Tensor)
    assert not g.requires_grad


@pytest.mark.parametrize(
    "x", [3, True, np.int64(3), np.array([1, 2]), np.array([True]), "x", None, [1, 2], {}, Tensor([1, 2])]
)
def test_an_argument_without_floats(x):
    for transform in (grad, value_and_grad, elementwise_grad, jacobian, make_vjp, make_jvp, hessian, deriv, make_hvp):
        with pytest.raises(TypeError, match="pass floats"):
            transform(lambda x: 1.0)(x)
    with pytest.raises(TypeError, match=r"and argument 1 of <lambda> is"):
        grad(lambda y, x: y, (0, 1))(1.0, x)


def test_the_users_arrays_are_neither_changed_nor_shared():
    x = X.copy()
    value, g = value_and_grad(lambda x: x.reshape(3)[0])(x)
    _, aux = grad_and_aux(lambda x: (np.sum(x), x))(x)
    for result in (value, g, aux, make_vjp(lambda x: x)(x)[1]):
        assert not np.shares_memory(result, x)
        assert np.asarray(result).flags.writeable or isinstance(result, np.generic)
    a, b = grad(lambda x, y: np.sum(x + y), (0, 1))(x, x)
    assert not np.shares_memory(a, b)
    a += 1

    def careless(x):
        with no_grad():
            x -= 1.0
        x[0] = 5.0
        return np.sum(x * x)

    np.testing.assert_array_equal(grad(careless)(x), np.zeros(3))  # by then a constant, cut under no_grad
    np.testing.assert_array_equal(x, X)
    with pytest.raises(ValueError, match="read-only"):
        grad(lambda x: x.data.__isub__(1.0) and x)(x)
    np.testing.assert_array_equal(x, X)


def test_gradients_are_different_tensors():
    x, y = Tensor(X, requires_grad=True), Tensor(V, requires_grad=True)
    a, b = grad(lambda x, y: np.sum((x + y) ** 2), (0, 1))(x, y)
    assert a is not b
    a[0] = 100.0
    assert b.numpy()[0] == pytest.approx(2 * (X[0] + V[0]))


def test_what_happens_to_the_arrays_after_make_vjp_does_not_matter():
    x = X.copy()
    vjp, value = make_vjp(lambda x: np.exp(x))(x)
    jvp = make_jvp(lambda x: np.exp(x))(x)
    x[:] = 0.0
    value[:] = 0.0
    np.testing.assert_allclose(vjp(np.ones(3)), np.exp(X))
    jvp(np.ones(3))[0][:] = 0.0
    np.testing.assert_allclose(jvp(np.ones(3)), [np.exp(X)] * 2)


# What the function returns


def test_a_result_that_does_not_depend_on_the_variable():
    for f in (lambda x: 3.0, lambda x: 0, lambda x: np.float32(1), lambda x: Tensor(2.0), lambda x: np.ones(1)):
        np.testing.assert_array_equal(grad(f)(X), np.zeros(3))
        assert grad(f)(2.0) == 0.0
        assert grad(grad(f))(2.0) == 0.0
    assert grad(f)(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(jacobian(lambda x: U)(X), np.zeros((4, 3)))
    np.testing.assert_array_equal(hessian(lambda x: x[0] + x[1])(X), np.zeros((3, 3)))
    assert deriv(lambda x: 3.0)(1.0) == 0.0
    _, jv = make_jvp(lambda x: {"a": U, "b": x, "c": "text", "d": None})(X)(V)
    np.testing.assert_array_equal(jv["a"], np.zeros(4))
    np.testing.assert_array_equal(jv["b"], V)
    assert jv["c"] is jv["d"] is None
    w = Tensor(2.0, requires_grad=True)
    assert grad(lambda x: w)(1.0) == 0.0


def test_a_result_with_several_elements_names_the_other_transforms():
    with pytest.raises(TypeError, match=r"shape \(4,\).*elementwise_grad.*jacobian"):
        grad(model)(X)
    with pytest.raises(TypeError, match=r"value_and_grad.*shape \(4,\)"):
        value_and_grad(model)(X)
    np.testing.assert_allclose(grad(lambda x: model(x)[:1])(X), jacobian(model)(X)[0])  # one element is one number


def test_a_complex_result_names_holomorphic_grad():
    for transform in (grad, value_and_grad, elementwise_grad, jacobian):
        with pytest.raises(TypeError, match="holomorphic_grad"):
            transform(lambda z: z * z)(1j)


@pytest.mark.parametrize(
    ("result", "match"),
    [
        (None, "returned NoneType"),
        ("text", "returned str"),
        ([1.0], "returned a list"),
        ({"a": 1.0}, "returned a dict"),
        (np.array(True), "has no gradient"),
        (np.arange(1), "has no gradient"),
    ],
)
def test_a_result_that_is_no_number(result, match):
    for transform in (grad, jacobian, elementwise_grad):
        with pytest.raises(TypeError, match=match):
            transform(lambda x: result)(1.0)


def test_grad_and_aux():
    def f(x, y):
        s = np.sum(x * x) * y
        return s, {"value": s, "double": [x * 2, None, "text", 3]}

    g, aux = grad_and_aux(f, 1)(X, 2.0)
    assert g == pytest.approx(np.sum(X * X))
    assert type(aux["value"]) is np.float64
    np.testing.assert_array_equal(aux["double"][0], 2 * X)
    assert type(aux["double"][0]) is np.ndarray
    assert aux["double"][1:] == [None, "text", 3]
    with pytest.raises(TypeError, match="return a pair"):
        grad_and_aux(np.sum)(X)
    w = Tensor(3.0, requires_grad=True)
    g, aux = grad_and_aux(lambda x: (x * x, x * x * w))(2.0)  # the graph of the second is still needed
    assert g == 4.0
    assert aux.gradient(w).item() == 4.0


def test_grad_named_and_multigrad():
    def f(a, b, *rest, c=2.0, **more):
        total = a * b**2 * c
        for r in (*rest, *more.values()):
            total = total + r * r
        return total

    assert grad_named(f, "b")(2.0, 3.0) == 24.0
    with pytest.raises(ValueError, match="no positional argument 'd'; it has a, b"):
        grad_named(lambda a, b: a, "d")
    assert multigrad_dict(f)(2.0, 3.0, 4.0, 5.0, d=6.0) == {
        "a": 18.0,
        "b": 24.0,
        "rest": (8.0, 10.0),
        "c": 18.0,
        "more": {"d": 12.0},
    }
    assert multigrad_dict(f)(2.0, b=3) == {"a": 18.0, "b": None, "rest": (), "c": 18.0, "more": {}}


# No perturbation confusion


def test_perturbations_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0))(1.0))(5.0) == 1.0
    assert deriv(lambda x: x * deriv(lambda y: x + y)(1.0))(1.0) == 1.0
    assert deriv(lambda x: x * grad(lambda y: x * y * y)(2.0))(3.0) == 24.0
    assert grad(lambda x: x * deriv(lambda y: x * y * y)(2.0))(3.0) == 24.0
    # the same Tensor for both arguments, of which one is a variable
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0
    assert grad(lambda x: grad(lambda a, b: a * b * b, 1)(x, x))(3.0) == 12.0


def test_an_inner_variable_that_is_not_nested_leaves_a_plain_result():
    # the inner gradient is recorded, through a variable of its own; that must not count as something tracked
    assert type(grad(lambda x: grad(lambda x, y: x * x * y * y, (0, 1))(x, 2.0)[0])(1.0)) is float
    vjp, _ = make_vjp(np.sin)(X)
    g = jacobian(vjp)(np.ones(3))
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, np.diag(np.cos(X)))
    jvp = make_jvp(lambda x: x**3)(X)
    g = jacobian(lambda v: jvp(v)[1])(V)
    assert type(g) is np.ndarray
    np.testing.assert_allclose(g, np.diag(3 * X**2))


def test_closures_over_tracked_tensors():
    w = Tensor(A, requires_grad=True)

    def f(x):
        return np.sum(np.tanh(w @ x))

    value, g = value_and_grad(f)(X)
    assert value.requires_grad
    assert g.requires_grad
    np.testing.assert_allclose(g.numpy(), A.T @ (1 - np.tanh(A @ X) ** 2))
    loss = np.sum(g * g)
    by_hand = grad(lambda w: np.sum(grad(lambda x: np.sum(np.tanh(w @ x)))(X) ** 2))(A)
    np.testing.assert_allclose(loss.gradient(w).numpy(), by_hand)
    assert w.grad is None
    with no_grad():
        value, g = value_and_grad(f)(X)
        assert type(value) is np.float64
        assert type(g) is np.ndarray
    j = jacobian(lambda x: np.tanh(w @ x))(X)
    np.testing.assert_allclose(
        np.sum(j * j).gradient(w).numpy(),
        grad(lambda w: np.sum(jacobian(lambda x: np.tanh(w @ x))(X) ** 2))(A),
    )


def test_closures_over_outer_variables():
    def f(x):
        def inner(y):
            return np.sum(np.sin(x * y))

        return np.sum(grad(inner)(X) ** 2)  # Σ (x cos(x y))²

    expected = grad(lambda x: np.sum((x * np.cos(x * X)) ** 2))(V)
    np.testing.assert_allclose(grad(f)(V), expected)


def test_without_recording_derivatives_are_plain():
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        np.testing.assert_allclose(make_jvp(model)(X)(V)[1], jacobian(model)(X) @ V)
        np.testing.assert_allclose(make_hvp(energy)(X)[0](V), hessian(energy)(X) @ V)
        assert not is_grad_enabled()
    x = Tensor(X, requires_grad=True)
    with no_grad():
        vjp, value = make_vjp(model)(x)
    assert not value.requires_grad
    assert not vjp(U).requires_grad


# Containers


def test_the_structure_of_the_argument_is_that_of_the_gradient():
    params = {
        "w": [np.ones((2, 2)), Pair(2.0, np.float32(3.0))],
        "b": (np.array(1.0), None, "name", 3, True, np.arange(2)),
    }

    def f(params):
        assert isinstance(params["w"][1], Pair)
        assert params["b"][2:5] == ("name", 3, True)
        w, pair = params["w"]
        return np.sum(w * w) * pair.first + pair.second * params["b"][0] * params["b"][3]

    g = grad(f)(params)
    assert list(g) == ["w", "b"]
    np.testing.assert_array_equal(g["w"][0], 4 * np.ones((2, 2)))
    assert type(g["w"][1]) is Pair
    assert g["w"][1] == (4.0, 3.0)
    assert type(g["w"][1].first) is float
    assert type(g["w"][1].second) is np.float32
    assert g["b"] == (9.0, None, None, None, None, None)
    assert type(g["b"][0]) is np.ndarray


def test_subclasses_of_containers_stay_what_they_are():
    values = collections.OrderedDict(b=1.0, a=2.0)
    g = grad(lambda d: d["a"] ** 2 * d["b"])(values)
    assert type(g) is collections.OrderedDict
    assert list(g.items()) == [("b", 4.0), ("a", 4.0)]
    counted = collections.defaultdict(float, {1: 1.0, "x": 2.0})  # keys that cannot be sorted
    g = grad(lambda d: d[1] * d["x"])(counted)
    assert g == {1: 2.0, "x": 1.0}
    assert g["new"] == 0.0


def test_the_same_array_twice_in_a_container():
    x = X.copy()
    a, b = grad(lambda p: np.sum(p[0] * p[1]))([x, x])
    np.testing.assert_array_equal(a, x)
    np.testing.assert_array_equal(b, x)
    assert a is not b


def test_functions_that_return_containers():
    def f(x, y):
        return {"sum": x + y, "parts": [np.sin(x), 3.0, "text"], "y": y}

    vjp, value = make_vjp(f, (0, 1))(X, 2.0)
    np.testing.assert_array_equal(value["sum"], X + 2)
    assert value["parts"][1:] == [3.0, "text"]
    gx, gy = vjp({"y": 5.0, "sum": V, "parts": [X, None, None]})
    np.testing.assert_allclose(gx, V + np.cos(X) * X)
    assert gy == pytest.approx(np.sum(V) + 5)
    gx, gy = vjp({"sum": V, "parts": None, "y": None})
    np.testing.assert_allclose(gx, V)
    with pytest.raises(TypeError, match=r"the cotangent must be a dict with the keys"):
        vjp([V])
    with pytest.raises(TypeError, match=r"the cotangent\['parts'\] must be a list of 3, got list of 1"):
        vjp({"sum": V, "parts": [X], "y": None})
    with pytest.raises(ValueError, match=r"the cotangent must be ndarray float64\[3\], got ndarray float64\[2\]"):
        vjp({"sum": np.ones(2), "parts": None, "y": None})
    with pytest.raises(ValueError, match="got ndarray float32"):
        vjp({"sum": np.ones(3, np.float32), "parts": None, "y": None})
    value, jv = make_jvp(f, (0, 1))(X, 2.0)((V, 1.0))
    np.testing.assert_allclose(jv["sum"], V + 1)
    np.testing.assert_allclose(jv["parts"][0], np.cos(X) * V)
    assert jv["parts"][1:] == [0.0, None]
    assert jv["y"] == 1.0


def test_the_same_result_twice():
    def f(x):
        y = np.sin(x)
        return y, y, x

    vjp, _ = make_vjp(f)(X)
    np.testing.assert_allclose(vjp((V, V, V)), 2 * V * np.cos(X) + V)
    _, jv = make_jvp(f)(X)(V)
    for got, expected in zip(jv, (np.cos(X) * V, np.cos(X) * V, V)):
        np.testing.assert_allclose(got, expected)


def test_jacobians_and_hessians_of_containers():
    def f(p):
        return np.stack([p["a"] * np.sum(p["b"] ** 2), p["a"] ** 2])

    j = jacobian(f)({"a": 2.0, "b": X, "c": 1})
    np.testing.assert_allclose(j["a"], [np.sum(X**2), 4.0])
    np.testing.assert_allclose(j["b"], [4 * X, 0 * X])
    assert j["c"] is None
    h = hessian(lambda p: f(p)[0])({"a": 2.0, "b": X, "c": 1})
    assert h["a"]["a"] == 0.0
    np.testing.assert_allclose(h["a"]["b"], 2 * X)
    np.testing.assert_allclose(h["b"]["a"], 2 * X)
    np.testing.assert_allclose(h["b"]["b"], 4 * np.eye(3))
    assert h["c"] is None
    assert h["a"]["c"] is None
    h = hessian(lambda x, y: x * x * y, (0, 1))(2.0, 3.0)
    assert h == ((6.0, 4.0), (4.0, 0.0))


def test_nested_values():
    value = {"b": [1, (2, 3)], "a": {"x": 4}}
    assert leaves_of(value) == [4, 1, 2, 3]
    assert rebuilt(value, "wxyz") == {"b": ["x", ("y", "z")], "a": {"x": "w"}}
    assert matched({"a": None, "b": (5, None)}, value, "it") == [None, 5, None, None]


# flatten


def test_flatten_and_back():
    value = {"w": A, "b": [2.0, np.float32(3.0), np.array(4.0)], "n": 5, "s": None, "z": 1 + 2j}
    vector, unflatten = flatten(value)
    assert vector.shape == (16,)
    assert vector.dtype == complex
    back = unflatten(vector)
    assert [type(leaf) for leaf in leaves_of(back)] == [type(leaf) for leaf in leaves_of(value)]
    np.testing.assert_array_equal(back["w"], A)
    assert back["w"].dtype == A.dtype
    assert not np.shares_memory(back["w"], vector)
    assert back["n"] == 5
    assert back["z"] == 1 + 2j
    with pytest.raises(ValueError, match=r"shape \(16,\), got shape \(15,\)"):
        unflatten(vector[1:])
    assert flatten([])[0].shape == (0,)
    assert flatten([])[1](np.zeros(0)) == []
    assert flatten(3.0)[1](np.array([4.0])) == 4.0


def test_flatten_is_differentiable():
    params = {"w": A, "b": 0.5}
    vector, unflatten = flatten(params)

    def loss(p):
        return np.sum(np.tanh(p["w"] @ X + p["b"]))

    g = grad(lambda vector: loss(unflatten(vector)))(vector)
    np.testing.assert_allclose(g, flatten(grad(loss)(params))[0])
    g = grad(lambda p: np.sum(flatten(p)[0] ** 2))(params)
    np.testing.assert_allclose(g["w"], 2 * A)
    assert g["b"] == 1.0
    assert hessian(lambda vector: loss(unflatten(vector)))(vector).shape == (13, 13)


# Jacobians, Hessians and products


def test_jacobian_shapes_and_values():
    np.testing.assert_allclose(jacobian(model)(X), numerical(model, X), rtol=1e-7)
    x = np.random.default_rng(0).normal(size=(2, 3))

    def f(x):
        return np.sin(x.T @ x)

    np.testing.assert_allclose(jacobian(f)(x), numerical(f, x), atol=1e-8)
    assert jacobian(f)(x).shape == (3, 3, 2, 3)
    assert type(jacobian(np.sin)(1.0)) is float
    np.testing.assert_allclose(jacobian(lambda t: t * X)(2.0), X)
    assert jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert jacobian(np.sum)(np.zeros(0)).shape == (0,)
    a, b = jacobian(lambda x, y: x * y, (0, 1))(X, V)
    np.testing.assert_allclose(a, np.diag(V))
    np.testing.assert_allclose(b, np.diag(X))


def test_hessians():
    np.testing.assert_allclose(hessian(energy)(X), numerical(grad(energy), X), rtol=1e-6)
    np.testing.assert_allclose(hessian(energy)(X), hessian(energy)(X).T, rtol=1e-12)
    assert hessian(model)(X).shape == (4, 3, 3)
    np.testing.assert_allclose(hessian(model)(X)[2], hessian(lambda x: model(x)[2])(X))
    third = jacobian(hessian(energy))(X)
    np.testing.assert_allclose(third, numerical(hessian(energy), X), rtol=1e-6, atol=1e-7)
    assert hessian(lambda x: x**3)(2.0) == 12.0


def test_products_with_the_jacobian():
    dense = jacobian(model)(X)
    vjp, value = make_vjp(model)(X)
    np.testing.assert_allclose(value, model(X))
    for _ in range(2):
        np.testing.assert_allclose(vjp(U), U @ dense)
    np.testing.assert_allclose(vjp(list(U)), U @ dense)
    jvp = make_jvp(model)(X)
    for v in (V, X):
        value, jv = jvp(v)
        np.testing.assert_allclose(value, model(X))
        np.testing.assert_allclose(jv, dense @ v)
    np.testing.assert_allclose(vector_jacobian_product(model)(X, U), U @ dense)
    with pytest.raises(ValueError, match=r"the tangent must be ndarray float64\[3\]"):
        jvp(U)


def test_tensor_jacobian_product_over_the_first_axes():
    def f(x, y):
        return np.sin(x[:, None, None] * y)

    y = np.random.default_rng(0).normal(size=(3, 2, 4))
    dense = jacobian(f)(X, y)
    np.testing.assert_allclose(tensor_jacobian_product(f)(X, y, V), np.tensordot(V, dense, 1))
    u = np.random.default_rng(1).normal(size=(3, 2))
    np.testing.assert_allclose(tensor_jacobian_product(f)(X, y, u), np.tensordot(u, dense, 2))
    np.testing.assert_allclose(tensor_jacobian_product(f)(X, y, y), np.tensordot(y, dense, 3))
    np.testing.assert_allclose(
        grad(lambda u: np.sum(tensor_jacobian_product(f)(X, y, u) ** 2))(u),
        grad(lambda u: np.sum(np.sum(u[:, :, None, None] * dense, (0, 1)) ** 2))(u),
    )
    with pytest.raises(ValueError, match=r"float64\[3\], got ndarray float64\[4\]"):
        tensor_jacobian_product(f)(X, y, U)


def test_products_with_the_hessian():
    dense = hessian(energy)(X)
    hvp, g = make_hvp(energy)(X)
    np.testing.assert_allclose(g, grad(energy)(X))
    for v in (V, X):
        np.testing.assert_allclose(hvp(v), dense @ v)
    np.testing.assert_allclose(hessian_vector_product(energy)(X, V), dense @ V)

    def of_matrix(x, power):
        return np.sum(np.tanh(x) ** power) * np.sum(x)

    h = hessian(of_matrix)(A, 2)
    np.testing.assert_allclose(hessian_tensor_product(of_matrix)(A, 2, A), np.tensordot(h, A, 2))
    assert hessian_tensor_product(lambda p: p["a"] ** 3)({"a": 2.0}, {"a": 10.0}) == {"a": 120.0}
    np.testing.assert_array_equal(make_hvp(np.sum)(X)[0](V), np.zeros(3))


def test_products_with_the_gauss_newton_matrix():
    j = jacobian(model)(X)
    np.testing.assert_allclose(make_ggnvp(model)(X)(V), j.T @ (j @ V))

    def loss(y):
        return np.sum(np.exp(y)) + y[0] * y[1]

    h = hessian(loss)(model(X))
    np.testing.assert_allclose(make_ggnvp(model, loss)(X)(V), j.T @ (h @ (j @ V)))
    np.testing.assert_allclose(make_ggnvp(lambda a, x: model(x), loss, 1)(0.0, X)(V), j.T @ (h @ (j @ V)))


def test_products_can_be_differentiated():
    dense = jacobian(model)(X)
    # with respect to what they are applied to
    vjp, _ = make_vjp(model)(X)
    np.testing.assert_allclose(jacobian(vjp)(U), dense.T)
    jvp = make_jvp(model)(X)
    np.testing.assert_allclose(jacobian(lambda v: jvp(v)[1])(V), dense)
    np.testing.assert_allclose(make_jvp(vjp)(U)(U)[1], U @ dense)
    np.testing.assert_allclose(make_vjp(lambda v: jvp(v)[1])(V)[0](U), U @ dense)
    # with respect to the point
    by_hvp = grad(lambda x: make_hvp(energy)(x)[0](V) @ V)(X)
    np.testing.assert_allclose(by_hvp, np.einsum("ijk,i,j", jacobian(hessian(energy))(X), V, V))
    by_jvp = jacobian(lambda x: make_jvp(model)(x)(V)[1])(X)
    np.testing.assert_allclose(by_jvp, np.einsum("ijk,j->ik", hessian(model)(X), V))
    by_ggn = jacobian(lambda x: make_ggnvp(model)(x)(V))(X)
    np.testing.assert_allclose(by_ggn, numerical(lambda x: make_ggnvp(model)(x)(V), X), rtol=1e-6)
    # forward over forward
    second = make_jvp(lambda x: make_jvp(model)(x)(V)[1])(X)(V)[1]
    np.testing.assert_allclose(second, np.einsum("ijk,j,k", hessian(model)(X), V, V))


def test_products_of_complex_functions():
    z = X + 1j * V

    def f(z):
        return np.exp(z) * z[::-1]

    derivative = np.diag(np.exp(z) * z[::-1]) + np.diag(np.exp(z))[:, ::-1]
    v = V - 2j * X
    np.testing.assert_allclose(make_jvp(f)(z)(v)[1], derivative @ v)
    np.testing.assert_allclose(make_vjp(f)(z)[0](v), v @ derivative)
    np.testing.assert_allclose(make_jvp(np.conj)(z)(v)[1], np.conj(v))
    np.testing.assert_allclose(make_jvp(np.abs)(z)(v)[1], np.real(np.conj(z) * v) / np.abs(z))
    assert holomorphic_grad(lambda z: z**3)(1 + 1j) == pytest.approx(3 * (1 + 1j) ** 2)
    assert holomorphic_grad(holomorphic_grad(np.exp))(0.3j) == pytest.approx(np.exp(0.3j))
    with pytest.warns(UserWarning, match="real argument"):
        assert holomorphic_grad(lambda x: x**2)(3.0) == 6.0


def test_deriv():
    assert deriv(np.sin)(0.0) == 1.0
    assert deriv(deriv(deriv(np.sin)))(0.0) == -1.0
    np.testing.assert_allclose(deriv(lambda t: np.exp(t * X))(0.5), X * np.exp(0.5 * X))
    np.testing.assert_allclose(deriv(model)(X), jacobian(model)(X).sum(axis=1))
    assert deriv(lambda x, y: x * y, (0, 1))(2.0, 3.0) == 5.0


def test_a_rule_for_which_a_cotangent_of_zero_is_special():
    # sqrt's rule gives 0 for a cotangent of 0, also where its derivative is infinite
    assert make_jvp(np.sqrt)(4.0)(3.0)[1] == 0.75
    jv = make_jvp(lambda x: np.maximum(x, 0.0))(X)(V)[1]
    np.testing.assert_array_equal(jv, np.where(X > 0, V, 0))


def _sine_and_cube(x):
    return np.sin(x), x**3


_sine_and_cube = define(
    _sine_and_cube,
    "x -> s, c",
    x=lambda g, x: (0 * x if g[0] is None else g[0] * np.cos(x)) + (0 * x if g[1] is None else g[1] * 3 * x**2),
)


def test_primitives_with_several_outputs():
    def both(x):
        s, c = _sine_and_cube(x)
        return s * c

    def by_hand(x):
        return np.sin(x) * x**3

    for transform in (
        jacobian,
        hessian,
        elementwise_grad,
        lambda f: jacobian(hessian(f)),
        lambda f: grad(lambda x: np.sum(f(x))),
    ):
        np.testing.assert_allclose(transform(both)(X), transform(by_hand)(X), atol=1e-14)
        np.testing.assert_allclose(transform(checkpoint(both))(X), transform(by_hand)(X), atol=1e-14)
    np.testing.assert_allclose(jacobian(lambda x: _sine_and_cube(x)[1])(X), np.diag(3 * X**2))
    np.testing.assert_allclose(make_jvp(_sine_and_cube)(X)(V)[1], [np.cos(X) * V, 3 * X**2 * V])
    vjp, _ = make_vjp(_sine_and_cube)(X)
    np.testing.assert_allclose(vjp((None, V)), 3 * X**2 * V)
    assert type(jacobian(lambda u: vjp((u, u)))(V)) is np.ndarray


# Nothing is left behind


def test_an_exception_in_the_function_leaves_nothing_behind(no_collector):
    before = nodes_alive()

    class Boom(Exception):
        pass

    def f(x):
        y = np.sin(x) * 2
        if True:
            raise Boom
        return y

    for transform in (grad, jacobian, hessian, make_vjp, make_jvp, make_hvp, lambda f: grad(checkpoint(f))):
        with pytest.raises(Boom):
            transform(f)(2.0)
    with no_grad(), pytest.raises(Boom):
        grad(f)(2.0)
    assert is_grad_enabled()
    assert nodes_alive() == before
    assert grad(lambda x: x * x)(3.0) == 6.0


def test_graphs_are_freed_by_reference_counting(no_collector):
    before = nodes_alive()
    seen = []

    def f(x):
        y = np.tanh(x * x)
        seen.append(weakref.ref(y))
        return np.sum(y)

    grad(f)(X)
    value_and_grad(f)(X)
    hessian(f)(X)
    jacobian(lambda x: f(x) * x)(X)
    make_hvp(f)(X)[0](V)
    make_jvp(f)(X)(V)
    make_ggnvp(lambda x: np.sin(x))(X)(V)
    grad(checkpoint(f))(X)
    grad(grad(checkpoint(np.sin)))(1.0)
    assert nodes_alive() == before
    assert seen
    assert all(ref() is None for ref in seen)


def test_a_tensor_that_was_leaked_out_of_the_function():
    leaked = []

    def f(x):
        leaked.append(x * x)
        return leaked[-1] * 2.0

    assert grad(f)(3.0) == 12.0
    with pytest.raises(ReleasedError):
        leaked[0].backward()


def test_backward_and_gradient_inside_of_the_function():
    def f(x):
        w = Tensor(3.0, requires_grad=True)
        np.square(w * x).backward()  # releases what it went through, but not x
        y = x**3
        return y.gradient(x, create_graph=True) * w.grad

    assert grad(f)(2.0) == 6 * 2.0 * (2 * 3.0 * 2.0**2)


def test_hooks_inside_of_the_function_see_the_gradient():
    def f(x):
        x.register_hook(lambda g: g.clip(-1.0, 1.0))
        return x**3

    assert grad(f)(2.0) == 1.0


def test_long_chains():
    def f(x):
        for _ in range(100_000):
            x = x + 1e-5
        return x * x

    assert grad(f)(1.0) == pytest.approx(4.0)


def test_hooks_on_an_outer_tensor_run_once():
    w = Tensor(2.0, requires_grad=True)
    calls = []
    w.register_hook(lambda g: calls.append(g))
    g = grad(lambda x: x * x * w)(w)  # through an alias of w, and through w itself
    assert not calls
    assert g.item() == 8.0
    g.backward()
    assert len(calls) == 1
    assert w.grad == 8.0  # of 2 w²


def test_a_wrong_rule_is_refused():
    wrong = define(lambda x: x * x, "x -> y", x=lambda g, x: (2 * x * g).reshape(1, -1))
    with pytest.raises(VJPError):
        grad(lambda x: np.sum(wrong(x)))(X)
    with pytest.raises(autograd.AnomalyError, match="log"), detect_anomaly(), np.errstate(all="ignore"):
        grad(lambda x: np.log(x))(0.0)


def test_a_write_in_place_between_make_vjp_and_vjp():
    w = Tensor(A, requires_grad=True)
    vjp, _ = make_vjp(lambda x: np.tanh(w @ x))(X)
    with no_grad():
        w -= 1.0
    with pytest.raises(StaleError):
        vjp(U)


def test_check_gradients_of_transforms():
    check_gradients(lambda x: make_jvp(model)(x)(V)[1], X, order=1)
    check_gradients(grad(energy), X, order=2)
    check_gradients(lambda x: hessian(lambda y: np.sum(x * y**3))(x), X, order=2)


def test_jacobians_of_results_in_column_order():
    x = np.arange(6.0).reshape(2, 3)
    columns = np.asfortranarray(x)
    np.testing.assert_array_equal(jacobian(lambda x: x.T * 2)(x).reshape(6, 6).sum(0), 2.0)
    np.testing.assert_array_equal(jacobian(np.sin)(columns), jacobian(np.sin)(x))
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x**3))(columns), hessian(lambda x: np.sum(x**3))(x))
    np.testing.assert_array_equal(tensor_jacobian_product(np.sin)(columns, 2.0), 2 * jacobian(np.sin)(x))


def test_positions_that_turn_out_to_be_the_same():
    with pytest.raises(ValueError, match="the same argument"):
        grad(lambda x, y: x * y, (0, -2))(1.0, 2.0)
    assert grad(lambda x, y: x * y, (0, -1))(1.0, 2.0) == (2.0, 1.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + math.sin(x),
        lambda x: x * float(x),
        lambda x: x * int(x),
        lambda x: x * complex(x).real,
        lambda x: x * np.float64(x),
        lambda x: grad(lambda y: y * float(x * y))(x),
    ],
)
def test_a_number_made_of_a_variable_is_refused_and_not_taken_for_a_constant(f):
    with pytest.raises(TypeError, match="would lose its"):
        grad(f)(1.5)


def test_a_variable_written_into_a_plain_array_is_refused():
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            y[i] = x[i] ** 2
        return y.sum()

    with pytest.raises(ValueError, match="array element") as caught:
        grad(f)(np.ones(3))
    assert "np.stack" in str(caught.value.__cause__)


def test_numbers_that_are_meant_or_do_not_depend_on_the_variables_are_allowed():
    w = Tensor(3.0, requires_grad=True)
    assert grad(lambda x: x * float(w * w))(2.0) == 9.0
    assert grad(lambda x: x * x.item())(2.0) == 2.0
    assert grad(lambda x: x * (1.0 if x > 0 else 2.0))(2.0) == 1.0
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 / 0)(1.0)
    assert float(w * w) == 9.0  # no call is running any more
