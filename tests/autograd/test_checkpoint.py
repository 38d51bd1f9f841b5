"""Checkpoints: the same values and gradients, to any order, and less memory."""

import gc
import tracemalloc

import numpy as np
import pytest

from autograd import (
    ReleasedError,
    StaleError,
    Tape,
    Tensor,
    VJPError,
    checkpoint,
    define,
    detect_anomaly,
    enable_grad,
    grad,
    hessian,
    jacobian,
    keep_values,
    make_jvp,
    make_vjp,
    no_grad,
)
from autograd.inspection import forward_values, walk

A = np.random.default_rng(1).normal(size=(4, 3))
X = np.random.default_rng(2).normal(size=3)
U = np.random.default_rng(3).normal(size=4)
V = np.random.default_rng(4).normal(size=3)


def chain(x, n=5):
    for _ in range(n):
        x = np.sin(x) * 1.1 + 0.1
    return x


def test_a_checkpoint_changes_no_value_and_no_gradient():
    once = checkpoint(chain)
    assert once.__name__ == "chain"
    np.testing.assert_array_equal(once(X), chain(X))  # plain in, plain out
    x = Tensor(X, requires_grad=True)
    y = once(x, n=3)
    np.testing.assert_array_equal(y.numpy(), chain(X, 3))
    assert [node.primitive.name for node in Tape(y) if not node.is_leaf] == ["checkpoint"]
    np.sum(y * y).backward()
    np.testing.assert_allclose(x.grad, grad(lambda x: np.sum(chain(x, 3) ** 2))(X), rtol=1e-13)
    with no_grad():
        assert not once(x).requires_grad


def test_checkpoints_to_third_order():
    f, g = (lambda x: np.sum(chain(x) ** 2)), (lambda x: np.sum(checkpoint(chain)(x) ** 2))
    np.testing.assert_allclose(hessian(g)(X), hessian(f)(X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(jacobian(hessian(g))(X), jacobian(hessian(f))(X), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(make_jvp(checkpoint(chain))(X)(V)[1], make_jvp(chain)(X)(V)[1])
    np.testing.assert_allclose(hessian(checkpoint(f))(X), hessian(f)(X), rtol=1e-12, atol=1e-14)
    jvp = make_jvp(checkpoint(chain))(X)
    assert type(jacobian(lambda v: jvp(v)[1])(V)) is np.ndarray


def test_a_checkpoint_of_closures_over_tracked_tensors():
    def build(wrap_in):
        w = Tensor(A, requires_grad=True)
        b = Tensor(U, requires_grad=True)
        h = np.tanh(w)  # used inside, and depends on w, which is used inside too
        x = Tensor(X, requires_grad=True)
        y = wrap_in(lambda x: np.sin(h @ x + b) * np.sum(w) * np.sum(x))(x)
        return y, (x, w, b)

    for order in (1, 2):
        results = []
        for wrap_in in (lambda f: f, checkpoint):
            y, inputs = build(wrap_in)
            found = np.sum(y * y).gradient(*inputs, create_graph=order == 2)
            if order == 2:
                total = sum(np.sum(g * g) for g in found)
                found = total.gradient(*inputs)
            results.append(found)
        for a, b in zip(*results):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


def test_a_checkpoint_without_arguments_that_are_tracked():
    w = Tensor(X, requires_grad=True)
    y = checkpoint(lambda x: np.sum(np.sin(w) * x))(V)
    y.backward()
    np.testing.assert_allclose(w.grad, np.cos(X) * V)
    assert checkpoint(lambda x: w)(V) is w
    assert not checkpoint(np.sin)(Tensor(V)).requires_grad
    assert checkpoint(lambda x, n: n)(w, 3) == 3


def test_the_argument_is_also_used_as_a_closure():
    def f(x):
        return np.sum(checkpoint(lambda y: y * x * np.sin(x))(x))

    np.testing.assert_allclose(grad(f)(X), 2 * X * np.sin(X) + X**2 * np.cos(X))
    np.testing.assert_allclose(hessian(f)(X), hessian(lambda x: np.sum(x * x * np.sin(x)))(X))


def test_hooks_outside_of_a_checkpoint_run_once():
    w = Tensor(2.0, requires_grad=True)
    h = w * 3.0
    calls = []
    h.register_hook(lambda g: calls.append(float(g)))
    h.retain_grad()
    checkpoint(lambda x: x * h * h)(Tensor(5.0, requires_grad=True)).backward()
    assert calls == [60.0]
    assert h.grad == 60.0
    assert w.grad == 180.0


def test_containers_in_and_out_of_a_checkpoint():
    @checkpoint
    def f(p, *, scale, names=()):
        return {"a": p["x"] * scale, "b": [np.sum(p["y"][0]), "text", p["n"], np.argmax(p["x"])]}

    def loss(p):
        out = f(p, scale=p["s"], names=["n"])
        assert out["b"][1:3] == ["text", 3]
        return np.sum(out["a"] ** 2) * out["b"][0]

    p = {"x": X, "y": (V,), "n": 3, "s": 2.0}
    g = grad(loss)(p)
    np.testing.assert_allclose(g["x"], 8 * X * np.sum(V))
    np.testing.assert_allclose(g["y"][0], np.full(3, 4 * np.sum(X**2)))
    assert g["s"] == pytest.approx(4 * np.sum(X**2) * np.sum(V))
    h = jacobian(lambda x: grad(loss)({**p, "x": x})["x"])(X)
    np.testing.assert_allclose(h, 8 * np.sum(V) * np.eye(3))
    assert grad(lambda p: np.sum(f(p, scale=1.0)["a"]))(p)["s"] == 0.0  # an input that is not used


def test_a_list_that_is_changed_after_the_call():
    x, items = Tensor(X, requires_grad=True), [2.0]
    y = checkpoint(lambda x, items: x * items[0])(x, items)
    items[0] = 100.0
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0))


def test_a_tensor_that_the_function_puts_values_into():
    def f(x, buffer):
        buffer[0] = x[0] * x[1]
        return buffer * x

    x = Tensor(X, requires_grad=True)
    y = np.sum(checkpoint(f)(x, Tensor(V)))
    for _ in range(2):
        g = y.gradient(x, retain_graph=True)
        np.testing.assert_allclose(g.numpy(), grad(lambda x: np.sum(f(x, Tensor(V))))(X))


def test_a_checkpoint_that_gives_another_result_the_second_time():
    rng = np.random.default_rng(0)
    x = Tensor(np.ones(10_000), requires_grad=True)
    noisy = checkpoint(lambda x: x * rng.normal(size=x.shape))(x)
    with pytest.raises(RuntimeError, match=r"gave another result.*draw random numbers outside"):
        np.sum(noisy).backward()

    def one_element(x):
        mask = np.zeros(x.shape)
        mask[rng.integers(10_000)] = 1.0
        return x * mask

    with pytest.raises(RuntimeError, match="gave another result"):
        np.sum(checkpoint(one_element)(x)).backward()
    w = [Tensor(1.0, requires_grad=True)]
    y = checkpoint(lambda x: x * w[0])(x)
    w[0] = Tensor(1.0, requires_grad=True)  # the same value, but not the same parameter
    with pytest.raises(RuntimeError, match="gave another result"):
        np.sum(y).backward()
    y = checkpoint(lambda x: (x, x * 2) if len(w) == 1 else x)(x)[0]
    w.append(None)
    with pytest.raises(RuntimeError, match="gave another result"):
        np.sum(y).backward()
    with pytest.raises(RuntimeError, match="gave another result"):
        grad(checkpoint(lambda x: x * Tensor(2.0, requires_grad=True)))(1.0)
    np.testing.assert_allclose(
        grad(lambda x: np.sum(checkpoint(lambda x: x * np.random.default_rng(0).normal(size=3))(x)))(X),
        np.random.default_rng(0).normal(size=3),
    )
    nan = checkpoint(lambda x: x * np.nan)(Tensor(X, requires_grad=True))
    nan.backward(V)  # not a number is the same result, twice


def test_an_argument_of_a_checkpoint_that_is_written_in_place():
    x = Tensor(X, requires_grad=True)
    y = checkpoint(np.sin)(x)
    with no_grad():
        x -= 1.0
    with pytest.raises(StaleError):
        np.sum(y).backward()


def test_a_parameter_that_is_written_in_place():
    w, x = Tensor(V, requires_grad=True), Tensor(np.zeros(3), requires_grad=True)
    y = checkpoint(lambda x: x * w)(x)
    with no_grad():
        w -= 1.0
    with pytest.raises(StaleError, match="uses a value, in multiply"):  # though the result is 0, as before
        np.sum(y).backward()
    y = checkpoint(lambda x: x * w)(x)
    np.sum(y).backward()
    np.testing.assert_allclose(x.grad, V - 1)


def test_a_checkpoint_releases_and_keeps_like_other_operations():
    x = Tensor(X, requires_grad=True)
    y = np.sum(checkpoint(chain)(x))
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad, 2 * grad(lambda x: np.sum(chain(x)))(X))
    with pytest.raises(ReleasedError):
        y.backward()
    with no_grad(), enable_grad():
        y = checkpoint(chain)(x)
    with no_grad():
        np.testing.assert_allclose(y.gradient(x, cotangent=V).numpy(), make_vjp(chain)(X)[0](V))


def test_a_checkpoint_knows_its_line():
    def broken(x):
        return x

    wrong = define(broken, "x -> y", x=lambda g: g[:1])
    with detect_anomaly():
        y = checkpoint(lambda x: wrong(x) * 2)(Tensor(X, requires_grad=True))
    assert "test_checkpoint.py" in str(y.node.notes.site)
    with pytest.raises(VJPError, match="broken"):
        y.backward(V)


def test_checkpoints_and_variables_can_be_drawn():
    x = Tensor(X, requires_grad=True)
    a, b = checkpoint(lambda x: (np.sin(x), x * 2))(x)
    assert "checkpoint" in repr(Tape(a + b))
    graph = walk(a + b)
    assert "checkpoint" in [v.label for v in graph.vertices]
    drawn = []
    grad(lambda x: drawn.append(walk(np.sum(x * x))) or np.sum(x))(X)
    assert "variable" in [v.label for v in drawn[0].vertices]


def peak(f, x):
    """The most bytes that a gradient of f held at a time."""
    g = grad(f)
    g(x[:8])
    gc.collect()
    tracemalloc.start()
    g(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / x.nbytes


def test_memory_grows_with_the_square_root_of_the_length():
    x = np.linspace(0.1, 1.0, 20_000)

    def plain(n):
        return lambda x: np.sum(chain(x, n))

    def in_parts(n):
        part = checkpoint(lambda x: chain(x, round(n**0.5)))

        def f(x):
            for _ in range(round(n**0.5)):
                x = part(x)
            return np.sum(x)

        return f

    np.testing.assert_allclose(grad(in_parts(64))(x), grad(plain(64))(x), rtol=1e-12)
    assert peak(plain(64), x) > 64
    assert peak(in_parts(64), x) < 26
    assert peak(in_parts(256), x) / peak(in_parts(64), x) < 2.3  # √4, and a constant

    def nested(n):
        """Halves of halves: the memory of a chain grows with the logarithm of its length."""
        if n == 1:
            return lambda x: chain(x, 1)
        half = nested(n // 2)
        return checkpoint(lambda x: half(half(x)))

    nested_sum = lambda n: lambda x: np.sum(nested(n)(x))  # noqa: E731
    np.testing.assert_allclose(grad(nested_sum(64))(x), grad(plain(64))(x), rtol=1e-12)
    assert peak(nested_sum(64), x) - peak(nested_sum(16), x) < 12


class Box:
    """Something that is no list, tuple or dict."""

    def __init__(self, content):
        self.content = content


def test_a_tensor_that_gets_out_of_a_checkpoint_on_another_way():
    stored = []
    for f in (lambda x: Box(x * 2), lambda x: (part for part in [x * 2]), lambda x: stored.append(x * 2) or x):
        result = checkpoint(f)(Tensor(X, requires_grad=True))
        (escaped,) = [result.content] if isinstance(result, Box) else stored or result
        with pytest.raises(RuntimeError, match="Return it"):
            escaped.backward(V)


def test_a_gradient_in_a_checkpoint_through_results_from_outside():
    def f(x, wrapped):
        q, r = np.linalg.qr(x)
        loss = np.sum(q**3) + np.sum(r**2)
        return wrapped(lambda z: np.sum(loss.gradient(x, create_graph=True)[0] ** 2 * z[0]))(x)

    a = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]])
    for transform in (grad, hessian):
        expected = transform(lambda x: f(x, lambda inner: inner))(a)
        np.testing.assert_allclose(transform(lambda x: f(x, checkpoint))(a), expected)


def test_values_are_kept_of_a_checkpoint_as_of_any_operation():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with keep_values():
        y = checkpoint(lambda t: np.exp(t) * t)(x)
        z = y.sum()
    values = forward_values(z)
    np.testing.assert_array_equal(values[y.node], y.data)
    np.testing.assert_array_equal(values[x.node], x.data)
    assert "test_checkpoint" in str(y.node.notes.site)
    y = checkpoint(lambda t: np.exp(t) * t)(x)
    assert y.node not in forward_values(y.sum())
