"""Dask arrays as the data of Tensors: what is lazy stays lazy, there and back, what is refused, and the loops."""

from __future__ import annotations

import copy
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import nn
import nn.functional as F
import optim
from autograd import DeviceError, Tape, Tensor, define, draw, explain, grad, no_grad, value_and_grad
from autograd.devices import move

dask = pytest.importorskip("dask", reason="needs Dask")
da = pytest.importorskip("dask.array", reason="needs dask.array")

from lazy_arrays import counting, cut, nothing_computed, numbers, results  # noqa: E402 (which imports Dask)

# Lazy it is


def test_forward_and_backward_calculate_no_block() -> None:
    x, seen = counting(numbers(8, 3))
    w = Tensor(cut(numbers(3)), requires_grad=True)
    loss = np.tanh(Tensor(x) @ w).mean()
    loss.backward()
    assert seen == []
    results(loss.data, w.grad)
    assert len(seen) == 4, "each block once, for the value and the gradient together"


def test_a_second_backward_pass_adds_to_the_gradient_lazily() -> None:
    w = Tensor(cut(np.ones(5)), requires_grad=True)
    with nothing_computed():
        (w * 2).sum().backward()
        (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.compute(), np.full(5, 4.0))


def test_derivatives_of_the_second_order_are_lazy_too() -> None:
    def slope(x: Any) -> Any:
        g = np.tanh(x * x).sum().gradient(x, create_graph=True)
        return (g * g).sum().gradient(x)

    a = numbers(5)
    expected = slope(Tensor(a, requires_grad=True)).numpy()
    with nothing_computed():
        found = slope(Tensor(cut(a), requires_grad=True))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_displays_and_drawings_compute_nothing() -> None:
    with nothing_computed():
        model = nn.MLP([3, 4, 1], rng=0, dtype=np.float64).to("dask")
        x = Tensor(cut(numbers(5, 3)), requires_grad=True, name="x")
        loss = nn.MSELoss()(model(x), cut(numbers(5, 1)))
        shown = [repr(x), str(x), f"{x}", repr(loss), repr(Tape(loss)), repr(model)]
        pages = [t._repr_html_() for t in (x, loss, Tape(loss), model)]
        assert "linear1" in str(draw(loss))
        assert "Forward pass" in str(explain(loss))
        loss.backward()
        pages.append(x._repr_html_())
    assert "dask.array" in shown[0]
    assert "device='dask'" in shown[0]
    assert all(pages)


def test_what_asks_for_a_number_computes_it() -> None:
    t = Tensor(cut(np.array([[2.5]])))
    assert t.item() == float(t) == 2.5
    assert int(t) == 2
    assert t.tolist() == [[2.5]]
    assert f"{t.sum():.2f}" == "2.50"
    assert type(t.numpy()) is np.ndarray


# There and back


def test_a_gradient_goes_back_to_the_device_where_its_tensor_is() -> None:
    x, y = (Tensor(numbers(4), requires_grad=True) for _ in range(2))
    (x.to("dask") * 2).sum().backward()
    assert type(x.grad) is np.ndarray
    np.testing.assert_array_equal(x.grad, np.full(4, 2.0))
    z = Tensor(cut(numbers(4)), requires_grad=True)
    (z.to("cpu") * y).sum().backward()
    assert type(z.grad) is da.Array
    np.testing.assert_array_equal(z.grad.compute(), y.numpy())
    assert z.to("dask") is z
    assert z.device == "dask"


def test_a_module_moves_there_and_back() -> None:
    model = nn.MLP([3, 4, 2], rng=0, dtype=np.float64)
    x = numbers(6, 3)
    expected = model(x).numpy()
    model.to("dask")
    assert {p.device for p in model.parameters()} == {"dask"}
    with nothing_computed():
        found = model(cut(x))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert {p.device for p in model.to("cpu").parameters()} == {"cpu"}


def test_what_is_written_into_a_tensor_later_is_not_seen_by_its_lazy_copy() -> None:
    w = Tensor(np.ones(3), requires_grad=True)
    loss = (w.to("dask") * w.to("dask")).sum()
    with no_grad():
        w[:] = 5.0
    loss.backward()
    np.testing.assert_array_equal(w.grad, np.full(3, 2.0))


# What is refused


@pytest.mark.parametrize(
    "call",
    [
        lambda w, x: w * x,
        lambda w, x: x @ w,
        lambda w, x: x.data - w,
        lambda w, x: np.concatenate([x[0], w]),
        lambda w, x: np.where(x > 0, x, w),
    ],
    ids=["first", "second", "a plain Dask array", "in a list", "where"],
)
def test_a_tracked_numpy_operand_beside_a_lazy_one_is_refused_by_name(call: Any) -> None:
    w, x = Tensor(np.ones(3), requires_grad=True), Tensor(cut(numbers(4, 3)))
    with nothing_computed(), pytest.raises(DeviceError, match=r"'cpu'.*'dask'|'dask'.*'cpu'") as caught:
        call(w, x)
    assert ".to('dask')" in str(caught.value)
    assert w.grad is None


def test_a_lazy_index_or_value_is_not_computed_for_a_numpy_tensor() -> None:
    x = Tensor(numbers(4, 3), requires_grad=True)

    def put() -> None:
        y = x * 1.0
        y[0] = Tensor(cut(numbers(3)))

    for use in (lambda: x[da.from_array(np.array([0, 2]))], lambda: x[cut(numbers(4, 3)) > 0], put):
        with nothing_computed(), pytest.raises(DeviceError, match="'dask'"):
            use()


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(DeviceError, match=r"pip install \"wengert\[dask\]\""):
        Tensor([1.0]).to("dask")


def test_a_number_behind_dask_is_no_device() -> None:
    with pytest.raises(DeviceError, match="dask:1"):
        Tensor([1.0]).to("dask:1")


def test_numpy_constants_beside_lazy_operands_are_welcome() -> None:
    x = Tensor(cut(numbers(4, 3)), requires_grad=True)
    with nothing_computed():
        (np.arange(3.0) * x + Tensor(np.ones(3))).sum().backward()
    np.testing.assert_array_equal(x.grad.compute(), np.broadcast_to(np.arange(3.0), (4, 3)))


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (np.sort, "argsort"),
        (np.linalg.det, "linalg.det"),
        (np.unwrap, "unwrap"),
        (np.maximum.accumulate, "maximum.accumulate"),
        (lambda t: np.argsort(t.detach()), "argsort"),
    ],
    ids=["sort", "det", "unwrap", "accumulate", "untracked"],
)
def test_what_dask_does_not_have_is_refused_by_name_and_not_computed_by_numpy(call: Any, missing: str) -> None:
    t = Tensor(cut(numbers(4, 4)), requires_grad=True)
    with nothing_computed(), pytest.raises(NotImplementedError, match=rf"{missing}\b.*Dask"):
        call(t)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "call",
    [
        lambda x: doubled(x).sum().backward(),
        lambda x: doubled(x).sum().gradient(x),
        lambda x: doubled(x).sum().gradient(x, create_graph=True),
        lambda x: x.argsort(),
        lambda x: x.detach().argpartition(1),
    ],
    ids=["backward", "gradient", "a recorded gradient", "argsort", "argpartition"],
)
def test_a_rule_or_a_method_does_not_leave_to_numpy_what_dask_does_not_have(call: Any) -> None:
    x = Tensor(cut(numbers(4)), requires_grad=True)
    filters = list(warnings.filters)
    with nothing_computed(), pytest.raises(NotImplementedError, match="Dask does not have"):
        call(x)
    assert warnings.filters == filters
    assert x.grad is None


#: An operation of a user's, with a rule that Dask cannot compute.
doubled = define(lambda x: x * 2, "x -> y", x=lambda g: np.sort(g * 2))


@pytest.mark.parametrize("lazy", ["x", "xp", "fp"])
@pytest.mark.parametrize("tracked", [False, True])
def test_interp_says_that_it_wants_all_its_arrays_in_one_place(lazy: str, tracked: bool) -> None:
    arrays: dict[str, Any] = {"x": np.array([0.5, 2.5]), "xp": np.arange(4.0), "fp": np.arange(4.0) ** 2}
    expected = np.interp(**arrays)
    mixed = arrays | {lazy: Tensor(cut(arrays[lazy]), requires_grad=tracked)}
    with nothing_computed(), pytest.raises(DeviceError, match="'dask'"):
        np.interp(**mixed)
    with nothing_computed():
        found = np.interp(**{name: Tensor(cut(a), requires_grad=tracked) for name, a in arrays.items()})
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_an_unknown_shape_is_refused_with_the_remedy() -> None:
    a = cut(numbers(6))
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        Tensor(a[a > 0])
    t = Tensor(a, requires_grad=True)
    with pytest.raises(ValueError, match=r"np\.where"):
        t[a > 0]
    known = a[a > 0].compute_chunk_sizes()
    assert Tensor(known).shape == known.shape


def test_nothing_is_written_into_a_lazy_tensor() -> None:
    w = Tensor(cut(np.ones(3)), requires_grad=True)

    def subtract() -> None:
        t = w
        with no_grad():
            t -= 1.0

    def put() -> None:
        with no_grad():
            w[0] = 5.0

    def assign() -> None:
        w.data = cut(np.zeros(3))

    (w * w).sum().backward()
    average = optim.ExponentialMovingAverage(nn.Linear(3, 1).to("dask"))
    writers = [subtract, put, assign, average.update, lambda: optim.clip_grad_norm_([w], 1.0)]
    for write in (*writers, lambda: optim.SGD([w], lr=0.1)):
        with pytest.raises(DeviceError, match="'dask'"):
            write()
    np.testing.assert_array_equal(w.numpy(), np.ones(3))
    late = nn.Linear(3, 1)
    optimizer = optim.Adam(late.parameters())
    late.to("dask")
    late(cut(numbers(4, 3).astype(np.float32))).sum().backward()
    before = late.weight.numpy()
    with pytest.raises(DeviceError, match="an optimizer"):
        optimizer.step()
    np.testing.assert_array_equal(late.weight.numpy(), before)


# The loops


def test_a_functional_loop_reads_the_data_once_for_each_step() -> None:
    rows, answers = numbers(20, 3), (numbers(20, seed=1) > 0).astype(float)
    x, seen = counting(rows)

    def cost(parameters: dict[str, Any], x: Any, y: Any) -> Any:
        return F.binary_cross_entropy_with_logits(x @ parameters["w"] + parameters["b"], y).mean()

    def descend(place: str, x: Any, y: Any) -> tuple[float, dict[str, Any]]:
        parameters: dict[str, Any] = {"w": np.zeros(3), "b": np.zeros(())}
        for _ in range(5):
            there = {name: move(p, place) for name, p in parameters.items()}
            value, slopes = dask.compute(*value_and_grad(cost)(there, x, y), scheduler="sync")
            parameters = {name: np.asarray(p - 0.5 * slopes[name]) for name, p in parameters.items()}
        return value, parameters

    value, parameters = descend("dask", x, cut(answers))
    assert len(seen) == 5 * 4
    expected, wanted = descend("cpu", rows, answers)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for name, p in parameters.items():
        np.testing.assert_allclose(p, wanted[name], rtol=1e-12)


@pytest.mark.parametrize("optimizer", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.1)])
def test_a_model_on_the_cpu_learns_from_gradients_of_its_lazy_copy(optimizer: Any) -> None:
    rows, answers = numbers(20, 3), (numbers(20, 1, seed=1) > 0).astype(float)
    x, seen = counting(rows)

    def train(device: str, x: Any, y: Any) -> nn.MLP:
        model = nn.MLP([3, 4, 1], rng=0, dtype=np.float64)
        step = optimizer(model.parameters())
        for _ in range(4):
            there = copy.deepcopy(model).to(device)
            nn.BCEWithLogitsLoss()(there(x), y).backward()
            gradients = dask.compute([p.grad for p in there.parameters()], scheduler="sync")[0]
            for p, gradient in zip(model.parameters(), gradients, strict=True):
                p.grad = gradient
            step.step()
        return model

    learnt = train("dask", x, cut(answers))
    assert len(seen) == 4 * 4
    for p, q in zip(learnt.parameters(), train("cpu", rows, answers).parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-10)


def test_transforms_take_dask_arrays() -> None:
    a = numbers(6)
    with nothing_computed():
        g = grad(lambda x: (np.sin(x) * x).sum())(cut(a))
    assert type(g) is da.Array
    np.testing.assert_allclose(g.compute(), np.cos(a) * a + np.sin(a), rtol=1e-12)
