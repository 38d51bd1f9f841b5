"""Operations with several results: one node for the whole, and a part for each result that is used."""

from __future__ import annotations

import gc
import weakref
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import ReleasedError, Tape, Tensor, VJPError, check_gradients, define, draw

Both = namedtuple("Both", "total product")


def _both(x: Any, y: Any) -> Both:
    """x + y and x * y."""
    return Both(x + y, x * y)


SEEN: list[tuple[Any, ...]] = []


def _x(g: Any, y: Any) -> Any:
    SEEN.append(g)
    total, product = g
    if total is None:
        return product * y
    return total if product is None else total + product * y


def _y(g: Any, x: Any) -> Any:
    total, product = g
    if product is None:
        return total
    return product * x if total is None else total + product * x


both = define(_both, "x, y -> total, product", x=_x, y=_y)

#: exp and its square, the second rule written with both outputs.
powers = define(
    lambda x: (np.exp(x), np.exp(2 * x)),
    "x -> e, e2",
    x=lambda g, e, e2: (0 if g[0] is None else g[0] * e) + (0 if g[1] is None else g[1] * 2 * e2),
)

halves = define(
    lambda x: [x[:1], x[1:]],
    "x -> *parts",
    x=lambda g, x_shape: np.concatenate(
        [p if p is not None else np.zeros(n) for p, n in zip(g, (1, x_shape[0] - 1), strict=True)]
    ),
)


def tensors(*values: Any) -> list[Tensor]:
    return [Tensor(v, requires_grad=True) for v in values]


def test_the_results_come_in_what_the_function_returns() -> None:
    x, y = tensors([1.0, 2.0], [3.0, 4.0])
    results = both(x, y)
    assert type(results) is Both
    assert results.total.tolist() == [4, 6]
    assert type(powers(x)) is tuple
    assert type(halves(x)) is list
    plain = both(x.detach(), y.detach())
    assert type(plain) is Both
    assert not plain.product.requires_grad
    assert isinstance(both(np.ones(2), np.ones(2)).total, np.ndarray)


def test_a_result_that_nothing_depends_on_has_the_cotangent_none() -> None:
    x, y = tensors([1.0, 2.0], [3.0, 4.0])
    total, product = both(x, y)
    SEEN.clear()
    product.sum().backward(retain_graph=True)
    ((first, second),) = SEEN
    assert first is None
    assert second.tolist() == [1, 1]
    assert x.grad.tolist() == [3, 4]
    SEEN.clear()
    (total.sum() + (product * 10).sum()).backward()
    assert [g.tolist() for g in SEEN[0]] == [[1, 1], [10, 10]]
    assert x.grad.tolist() == [3 + 31, 4 + 41]


def test_a_result_that_is_used_twice() -> None:
    x, y = tensors([1.0, 2.0], [3.0, 4.0])
    _, product = both(x, y)
    (product * product + product).sum().backward()
    assert x.grad.tolist() == [(2 * 3 + 1) * 3, (2 * 8 + 1) * 4]


def test_derivatives_of_higher_order_go_through_the_outputs_that_a_rule_names() -> None:
    check_gradients(lambda x: powers(x)[0] * powers(x)[1], [0.3, -0.2], order=3)
    check_gradients(lambda x: powers(x), [0.3, -0.2], order=3)
    check_gradients(lambda x, y: both(x, y).product * both(x, y).total, [0.3, -0.2], [1.0, 2.0], order=3)
    check_gradients(lambda x: halves(x)[1] ** 3, [0.3, -0.2, 0.5], order=3)


def test_gradients_with_respect_to_a_result() -> None:
    (x,) = tensors([0.5])
    e, e2 = powers(x)
    loss = (e * e2).sum()
    ge, gx = loss.gradient(e, x, retain_graph=True)
    np.testing.assert_allclose(ge.numpy(), e2.numpy())
    np.testing.assert_allclose(gx.numpy(), 3 * np.exp(1.5))
    seen = []
    e.register_hook(lambda g: seen.append(g.copy()))
    e2.retain_grad()
    loss.backward()
    np.testing.assert_allclose(seen[0], e2.numpy())
    np.testing.assert_allclose(e2.grad, e.numpy())


def test_a_second_backward_pass_is_refused() -> None:
    (x,) = tensors([0.5])
    e, _ = powers(x)
    loss = e.sum()
    loss.backward()
    with pytest.raises(ReleasedError):
        loss.backward()


def test_the_check_names_the_operation() -> None:
    def split(x: Any) -> tuple[Any, Any]:
        return x * 1.0, x * 2.0

    wrong = define(split, "x -> a, b", x=lambda g: g[0].T)
    (x,) = tensors(np.ones((2, 3)))
    with pytest.raises(VJPError, match="transposed"):
        wrong(x)[0].sum().backward()


def test_a_graph_dies_with_its_last_tensor() -> None:
    gc.disable()
    try:
        (x,) = tensors(np.ones(3))
        e, e2 = powers(x)
        memory = weakref.ref(e.numpy())
        loss = (e * e2).sum()
        loss.gradient(x, create_graph=True)
        del e, e2, loss
        assert memory() is None
    finally:
        gc.enable()


def test_it_can_be_listed_drawn_and_watched() -> None:
    (x,) = tensors(np.ones(2))
    with autograd.detect_anomaly():
        e, e2 = powers(x)
        loss = (e * e2).sum()
        text = repr(Tape(loss))
        assert "<lambda>.e2(" in text
        assert "float64[2], float64[2]" in text
        labels = [vertex.label for vertex in draw(loss).graph.vertices]
        assert labels[1:4] == ["<lambda>", "<lambda>.e", "<lambda>.e2"]
        loss.backward()
        with pytest.raises(autograd.AnomalyError, match="not finite"), np.errstate(over="ignore"):
            powers(x * 1000.0)


def test_signatures_that_are_wrong_are_refused() -> None:
    for signature in ("x -> 1, y", "x ->"):
        with pytest.raises(ValueError, match="signature"):
            define(lambda x: (x, x), signature)
    with pytest.raises(ValueError, match="names"):
        define(lambda x: (x, x), "x -> x, y")
    with pytest.raises(ValueError, match="can name"):
        define(lambda x: [x], "x -> *parts", x=lambda g, parts: g[0])


@pytest.mark.parametrize("results", [lambda x: x, lambda x: (x,), lambda x: (x, x, x)])
def test_another_number_of_results_than_the_signature_says(results: Any) -> None:
    pair = define(results, "x -> y, z", x=lambda g: g[0])
    with pytest.raises(TypeError, match="a tuple of y, z; it returned"):
        pair(Tensor(np.ones(2), requires_grad=True))


def test_results_that_were_recorded_before_a_write_in_place() -> None:
    x, w = tensors(np.arange(4.0), np.ones(2))
    first, second = np.split(x, 2)
    fresh = (first * second).sum()
    with autograd.no_grad():
        w -= 1.0
    fresh.backward(retain_graph=True)
    assert x.grad.tolist() == [2.0, 3.0, 0.0, 1.0]
    with autograd.no_grad():
        x -= 1.0
    with pytest.raises(autograd.StaleError):
        fresh.backward()


@pytest.mark.parametrize("parts", [np.split, lambda x, n: list(x), lambda x, n: np.hsplit(x, n)])
def test_the_parts_of_an_array_that_was_taken_apart_have_backward_passes_of_their_own(parts: Any) -> None:
    (x,) = tensors([1.0, 2.0])
    a, b = parts(x, 2)
    (a * a).sum().backward()
    (b * b * b).sum().backward()
    assert x.grad.tolist() == [2, 12]


def test_the_results_of_an_operation_that_saved_values_share_one_backward_pass() -> None:
    e, e2 = powers(tensors([0.5])[0])
    e.sum().backward()
    with pytest.raises(ReleasedError):
        e2.sum().backward()
