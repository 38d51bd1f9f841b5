"""Arrangement and indexing: what the table of examples cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rule_examples import values

from autograd import NoRuleError, Tape, Tensor, check_gradients, no_grad
from autograd.rules import index

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def tracked(a: Any, dtype: Any = None) -> Tensor:
    return Tensor(a, requires_grad=True, dtype=dtype)


def names(y: Tensor) -> list[str]:
    return [node.primitive.name for node in Tape(y) if not node.is_leaf]


def assert_moves(function: Any, a: np.ndarray) -> None:
    """The function only moves and copies: its values are NumPy's and each element gets what its copies got."""
    x = tracked(a)
    y, expected = function(x), function(a)
    np.testing.assert_array_equal(y.numpy(), expected)
    places = function(np.arange(a.size).reshape(a.shape))
    u = values(expected.shape, seed=3)
    sums = np.zeros(a.size)
    np.add.at(sums, places.ravel(), u.ravel())
    np.testing.assert_allclose(y.gradient(x, cotangent=u).numpy(), sums.reshape(a.shape), rtol=1e-13, atol=1e-14)


# Positions that repeat: every way to add them up gives the same

N = 600


def _keys() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(-50, 50, N), rng.integers(-4, 4, N)
    mask = np.arange(50) % 2 == 0
    return {
        "one axis": ((50,), rows),
        "one axis, two-dimensional": ((50,), rows.reshape(20, 30)),
        "one axis, small integers": ((50,), rows.astype(np.int8)),
        "one axis, unsigned": ((50,), np.abs(rows // 2).astype(np.uint64)),
        "rows": ((50, 4, 3), rows),
        "rows of a list": ((50, 4), rows.tolist()),
        "rows of many columns": ((50, 2**14 + 3), rows[:3]),
        "no columns": ((50, 0), rows),
        "pairs": ((50, 4), (rows, columns)),
        "pairs and a slice": ((50, 4, 2), (rows, columns, slice(None, None, -1))),
        "pairs that broadcast": ((50, 4, 2), (rows[:30, None], columns[:10])),
        "a row of one number": ((50, 4), (-1, columns)),
        "columns": ((50, 4), (slice(None), columns)),
        "columns of a large array": ((5000, 4, 60), (slice(2), columns[:7])),
        "a mask and positions": ((50, 4, 30), (mask, columns[:25])),
        "a new axis": ((50, 4), (rows, None, columns)),
        "an ellipsis": ((50, 4), (..., columns)),
        "a bool": ((50, 4), (True, rows)),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.longdouble])
@pytest.mark.parametrize("name", _keys())
def test_the_gradient_of_repeated_positions(name: str, dtype: Any) -> None:
    shape, key = _keys()[name]
    x = tracked(np.zeros(shape, dtype))
    y = x[key]
    u = values(y.shape).astype(dtype)
    expected = np.zeros(shape, dtype)
    np.add.at(expected, key, u)
    g = y.gradient(x, cotangent=u, retain_graph=True).numpy()
    assert g.dtype == dtype
    np.testing.assert_allclose(g, expected, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-4)
    strided = np.repeat(u[..., None], 2, -1)[..., 0]
    np.testing.assert_array_equal(y.gradient(x, cotangent=strided).numpy(), g)


def test_sums_of_half_precision_do_not_end_at_2049() -> None:
    x = tracked([0.0, 0.0], np.float16)
    x[np.zeros(5000, int)].sum().backward()
    assert x.grad.tolist() == [5000, 0]


@given(st.data())
@QUICK
def test_long_indices_made_at_random(data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6))
    m = data.draw(st.integers(1, len(shape)))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    parts: list[Any] = [rng.integers(-n, n, 700) for n in shape[:m]]
    if m > 1 and data.draw(st.booleans()):
        parts[data.draw(st.integers(0, m - 1))] = data.draw(st.sampled_from([-1, 0, slice(None), np.int64(0)]))
    key = tuple(parts)
    assert_moves(lambda a: a[key], values(shape))


def test_a_replaced_value_gets_zero_beside_an_infinite_cotangent() -> None:
    x, v = tracked(np.zeros(2, np.float32)), tracked(np.ones(2, np.float32))
    y = x * 1.0
    y[[0, 0]] = v
    y.backward(np.array([np.inf, 1.0], np.float32))
    assert v.grad.tolist() == [0.0, np.inf]


def test_a_later_value_wins_also_in_a_recorded_pass() -> None:
    v = tracked([1.0, 2.0, 3.0])
    y = Tensor(np.zeros(4))
    y[[1, 1, 0]] = v
    g = (y * y).sum().gradient(v, create_graph=True)
    assert g.tolist() == [0, 4, 6]
    assert g.sum().gradient(v).tolist() == [0, 2, 2]


# Iteration


@pytest.mark.parametrize("n", [0, 1, 8, 9, 65, 600])
def test_iteration_over_many_rows(n: int) -> None:
    a = values((n, 2))
    x = tracked(a)
    rows = list(x)
    np.testing.assert_array_equal(np.array([row.tolist() for row in rows]).reshape(n, 2), a)
    if n:
        sum((k + 1) * row.sum() for k, row in enumerate(rows)).backward()
        np.testing.assert_array_equal(x.grad, np.repeat(np.arange(1.0, n + 1)[:, None], 2, 1))


def test_iteration_takes_an_array_apart_in_one_operation() -> None:
    first, *_, last = tracked(np.ones((1000, 2)))
    assert names(first) == names(last) == ["layers", "layers[i]"]
    (first * 2 + last * 3).sum().backward()
    with pytest.raises(TypeError, match="0-d"):
        iter(tracked(1.0))


# Joining and splitting


@pytest.mark.parametrize("function", [np.concatenate, np.stack, np.vstack, np.hstack])
def test_joining_with_a_dtype(function: Any) -> None:
    x, y = tracked([1.5, 2.5], np.float32), np.array([1, 2])
    z = function([x, y], dtype=np.float64)
    assert z.dtype == np.float64
    assert names(z).count("astype") == 1
    z.sum().backward()
    assert (x.grad.dtype, x.grad.tolist()) == (np.float32, [1, 1])
    with pytest.raises(TypeError, match="Cannot cast"):
        function([x, y], dtype=np.float16, casting="safe")
    assert function([x, y], dtype=np.int32, casting="unsafe").tolist() == function([[1, 2], y]).tolist()
    assert not function([x, y], dtype=np.int32, casting="unsafe").requires_grad


def test_splitting_is_one_operation_and_goes_back_in_one() -> None:
    x = tracked(values((6, 2)))
    parts = np.split(x, 3)
    assert type(parts) is list
    assert len({id(part.node.parents[0]) for part in parts}) == 1
    (parts[0] * 2 + parts[2]).sum().backward()
    assert x.grad[:, 0].tolist() == [2, 2, 0, 0, 1, 1]


@given(st.lists(st.integers(-7, 7), max_size=4), st.integers(0, 1), st.lists(st.booleans(), min_size=5, max_size=5))
@QUICK
def test_splitting_anywhere(places: list[int], axis: int, used: list[bool]) -> None:
    a = values((5, 4))

    def some(x: Any) -> Any:
        parts = [p for p, keep in zip(np.split(x, places, axis), used) if keep] or [x]
        return np.concatenate([p.reshape(-1) for p in parts])

    assert_moves(some, a)


def test_wrong_splits_are_numpys_errors() -> None:
    x = tracked(np.ones((3, 2)))
    for call in (
        lambda x: np.split(x, 2),
        lambda x: np.array_split(x, 0),
        lambda x: np.dsplit(x, 1),
        lambda x: np.vsplit(x[0], 1),
        lambda x: np.hsplit(x[0, 0], 1),
    ):
        for argument in (x, x.numpy()):
            with pytest.raises((ValueError, ZeroDivisionError)):
                call(argument)


def test_blocks_that_do_not_fit() -> None:
    x = tracked(np.ones((2, 2)))
    for wrong, error in [
        ([[x], x], ValueError),
        ([], ValueError),
        ([[x, x], [x]], ValueError),
        ([(x, x)], TypeError),
    ]:
        with pytest.raises(error):
            np.block(wrong)


# Padding

_EVERY = ["edge", "reflect", "symmetric", "wrap", "constant", "linear_ramp", "maximum", "mean", "median", "minimum"]


@given(st.sampled_from(_EVERY), hnp.array_shapes(min_dims=1, max_dims=3, max_side=4), st.data())
@settings(QUICK, max_examples=120)
def test_padding_in_any_way(mode: str, shape: Any, data: Any) -> None:
    widths = data.draw(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=len(shape), max_size=len(shape))
    )
    a = np.exp(values(shape))
    how: dict[str, Any] = {}
    if mode in ("reflect", "symmetric"):
        how["reflect_type"] = data.draw(st.sampled_from(["even", "odd"]))
    if mode in ("maximum", "mean", "median", "minimum"):
        how["stat_length"] = data.draw(st.sampled_from([None, 1, 2, (1, 9)]))

    def padded(x: Any) -> Any:
        return np.pad(x, widths, mode=mode, **how)

    x = tracked(a)
    y = padded(x)
    np.testing.assert_allclose(y.numpy(), padded(a), rtol=1e-12, atol=1e-12)
    u = values(y.shape, seed=2)
    # Between ties (of maxima of maxima, say) the function is not linear; everywhere, its gradient has this product.
    np.testing.assert_allclose(
        np.sum(y.gradient(x, cotangent=u).numpy() * a), np.sum(u * padded(a)), rtol=1e-9, atol=1e-9
    )


def test_padding_refuses_what_it_cannot_do() -> None:
    x = tracked(np.ones((2, 3)))
    with pytest.raises(NoRuleError, match="function as its mode"):
        np.pad(x, 1, mode=lambda vector, width, axis, options: None)
    for call in (
        lambda x: np.pad(x, -1),
        lambda x: np.pad(x, 1.5),
        lambda x: np.pad(x, 1, mode="nothing"),
        lambda x: np.pad(x, 1, mode="edge", constant_values=1),
        lambda x: np.pad(x, 1, mode="maximum", stat_length=0),
        lambda x: np.pad(x, 1, mode="mean", stat_length=-1),
        lambda x: np.pad(x[:0], 1, mode="edge"),
        lambda x: np.pad(x[:0], 1, mode="mean"),
        lambda x: np.pad(x, ((1, 1), (1, 1), (1, 1))),
    ):
        for argument in (x, x.numpy()):
            with pytest.raises((ValueError, TypeError)):
                call(argument)
    with pytest.raises(ValueError, match="'even' or 'odd'"):
        np.pad(x, 1, mode="reflect", reflect_type="both")
    with pytest.raises(TypeError, match="astype"):
        np.pad(Tensor([1, 2]), 1, constant_values=x[0, 0])
    with pytest.raises(TypeError, match="lose its history"):
        np.pad(np.ones(2), 1, constant_values=x[0, 0])


def test_padding_of_one_axis_by_name() -> None:
    try:
        expected = np.pad(np.ones((2, 3)), {-1: (1, 2)})
    except (TypeError, ValueError):
        pytest.skip("this NumPy takes no dict")
    assert np.pad(tracked(np.ones((2, 3))), {-1: (1, 2)}).tolist() == expected.tolist()


def test_an_empty_frame_gets_no_gradient() -> None:
    x = tracked([1.0, 2.0])
    np.pad(x, 1, mode="empty").backward([np.inf, 1.0, 2.0, np.inf])
    assert x.grad.tolist() == [1, 2]


# Turning, repeating, taking


@given(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3), st.data())
@QUICK
def test_copies_and_turns_in_any_way(shape: Any, data: Any) -> None:
    n = len(shape)
    axis = data.draw(st.integers(-n, n - 1))
    axes = tuple(data.draw(st.lists(st.integers(-n, n - 1), unique_by=lambda k: k % n)))
    other = data.draw(st.permutations(range(n)))[: len(axes)]
    reps = data.draw(st.lists(st.integers(0, 3), max_size=5))
    counts = data.draw(st.lists(st.integers(0, 3), min_size=shape[axis], max_size=shape[axis]))
    shifts = tuple(data.draw(st.integers(-5, 5)) for _ in axes)
    for function in (
        lambda a: np.tile(a, reps),
        lambda a: np.repeat(a, counts, axis),
        lambda a: np.repeat(a, 2, axis),
        lambda a: np.roll(a, shifts, axes),
        lambda a: np.flip(a, axes),
        lambda a: np.moveaxis(a, axes, other),
        lambda a: np.rollaxis(a, axis, n),
        lambda a: np.delete(a, slice(1, None, 2), axis),
        lambda a: np.resize(a, (3, 5)) if a.size else a,
    ):
        assert_moves(function, values(shape))


@given(hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4), st.integers(-5, 5), st.data())
@QUICK
def test_any_diagonal(shape: Any, offset: int, data: Any) -> None:
    n = len(shape)
    first, second = data.draw(st.permutations(range(-n, 0)))[:2]
    assert_moves(lambda a: np.diagonal(a, offset, first, second), values(shape))
    check_gradients(lambda a: np.trace(a, offset, first, second), values(shape))


@given(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5), st.data())
@QUICK
def test_any_window(shape: Any, data: Any) -> None:
    window = tuple(data.draw(st.integers(1, k)) for k in shape)
    assert_moves(lambda a: np.lib.stride_tricks.sliding_window_view(a, window), values(shape))


def test_wrong_arguments_are_numpys_errors() -> None:
    x = tracked(np.ones((2, 3)))
    for call in (
        lambda x: np.take(x, 9),
        lambda x: np.take(x, [0], axis=2),
        lambda x: np.take(x, [0], mode="other"),
        lambda x: np.moveaxis(x, 0, 5),
        lambda x: np.tril(x[0, 0]),
        lambda x: np.rot90(x, 1, (0, 0)),
        lambda x: np.fliplr(x[0]),
        lambda x: np.repeat(x, [1, 2, 3], 0),
        lambda x: np.tile(x, 2.5),
        lambda x: np.apply_over_axes(np.sum, x, [5]),
        lambda x: np.insert(x, 9, 1.0),
        lambda x: np.delete(x, 9, 0),
        lambda x: np.choose(np.array([0, 5]), [x[0, :2], 1.0]),
        lambda x: np.take_along_axis(x, np.array([0]), 0),
        lambda x: np.take_along_axis(x, np.array([[0.5]]), 0),
        lambda x: np.compress([[True]], x),
        lambda x: np.select([x > 0], [x, x]),
        lambda x: np.select([np.ones(3)], [x]),
        lambda x: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]),
        lambda x: np.meshgrid(x, indexing="yx"),
        lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]),
        lambda x: np.broadcast_arrays(x, np.ones(2)),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 9, 0),
    ):
        for argument in (x, x.numpy()):
            with pytest.raises((ValueError, TypeError, IndexError)):
                call(argument)


def test_trimming_several_axes() -> None:
    a = np.pad(values((2, 3)), ((1, 0), (2, 1)))
    for call in (np.trim_zeros, lambda a: np.trim_zeros(a, "f"), lambda a: np.trim_zeros(a, "b", axis=1)):
        try:
            call(a)
        except (TypeError, ValueError, IndexError):
            pytest.skip("this NumPy trims one axis only")
        x = tracked(a)
        np.testing.assert_array_equal(call(x).numpy(), call(a))
        check_gradients(lambda b, call=call, a=a: call(np.where(a != 0, b, 0)), np.where(a == 0, 1.0, a))
    assert np.trim_zeros(tracked(np.zeros(3))).shape == (0,)


def test_an_option_may_change_after_its_use() -> None:
    x = tracked(np.arange(3.0))
    shift, reps = [1], np.array([2, 1])
    y, z = np.roll(x, shift, [0]), np.tile(x, reps)
    shift[0], reps[0] = 2, 5
    y.backward([1.0, 2.0, 3.0])
    assert x.grad.tolist() == [2, 3, 1]
    z.sum().backward()
    assert x.grad.tolist() == [4, 5, 3]


def test_axes_and_bounds_may_change_after_their_use() -> None:
    for turn in (np.flip, np.fft.fftshift, np.fft.ifftshift):
        x, axes = tracked(np.zeros((2, 3))), [0]
        y = turn(x, axes)
        axes[0] = 1
        y.backward(np.arange(6.0).reshape(2, 3))
        assert x.grad.tolist() == [[3, 4, 5], [0, 1, 2]]
    x, n = tracked(np.zeros(3)), np.array(1)
    y = x[n - 1 : n]
    bounds = slice(n, n + 1)
    z = x[bounds]
    n += 1
    (y + z).backward([1.0])
    assert x.grad.tolist() == [1, 1, 0]


def test_booleans_and_small_integers_as_positions() -> None:
    a = values((300,))
    assert_moves(lambda a: np.take(a, [True, False, True]), a[:3])
    assert_moves(lambda a: np.take(a, np.array([250, 3], np.uint8), mode="wrap"), a)
    assert_moves(lambda a: np.choose([True, False, True], [a[:3], a[3:]]), a[:6])
    x = tracked(a[:3]) * 1.0
    np.put(x, [True, False], [5.0, 6.0])
    assert x.numpy().tolist() == [6.0, 5.0, a[2]]
    x = tracked(3.0) * 1.0
    np.put(x, [0, 0], [5.0, 6.0])
    assert x.item() == 6.0
    x = tracked(a[:4].reshape(2, 2)) * 1.0
    np.fill_diagonal(x, [])
    np.testing.assert_array_equal(x.numpy().ravel(), a[:4])


@pytest.mark.parametrize("read", [lambda x: x[np.array(1)], lambda x: x[..., np.array(0)], lambda x: np.take(x, 1, 0)])
def test_a_position_in_an_array_without_axes_gives_a_copy_as_in_numpy(read: Any) -> None:
    x = Tensor(values((3, 2)))
    picked = read(x)
    np.testing.assert_array_equal(picked.numpy(), read(values((3, 2))))
    assert not np.shares_memory(picked.numpy(), x.numpy())
    assert np.shares_memory(x[1].numpy(), x.numpy())


def test_a_mask_that_is_a_scalar_of_numpys_places_a_value() -> None:
    x = Tensor(1.0)
    np.place(x, np.True_, [5.0])  # type: ignore[call-overload]
    assert x.item() == 5.0


def test_positions_without_axes_along_an_axis_are_refused_as_by_numpy() -> None:
    with pytest.raises(ValueError, match="same number of dimensions"):
        np.take_along_axis(tracked([1.0, 2.0]), np.array(0), 0)
    with pytest.raises(IndexError, match="integer"):
        tracked([1.0, 2.0])[np.array(1.5)]


def test_appending_a_number_widens_as_in_numpy() -> None:
    x = tracked([1.0, 2.0], np.float32)
    y = np.append(x, 5.0)
    assert y.dtype == np.append(x.numpy(), 5.0).dtype == np.float64
    assert y.gradient(x, cotangent=np.ones(3)).dtype == np.float32


def test_out_by_position_is_refused() -> None:
    x, out = tracked(np.ones((2, 2))), np.zeros((2, 2))
    for call in (
        lambda: np.take(x, [0, 1], 0, out),
        lambda: np.compress([True, True], x, 0, out),
        lambda: np.concatenate([x[:1], x[1:]], 0, out),
        lambda: np.stack([x[0], x[1]], 0, out),
        lambda: np.choose([0, 1], x, out[0]),
        lambda: np.trace(x, 0, 0, 1, None, out[0, 0, ...]),
    ):
        with pytest.raises(TypeError, match="out="):
            call()
    assert np.take(x, [0], 0, None).requires_grad


def test_a_function_that_captures_a_tensor_keeps_its_gradient() -> None:
    w = tracked(2.0)
    y = np.apply_over_axes(lambda a, axis: np.sum(a * w, axis, keepdims=True), Tensor(np.ones((2, 3))), [0, 1])
    assert y.gradient(w, cotangent=np.ones((1, 1))).item() == 24.0  # d(6 w²)/dw


def test_windows_are_not_writeable() -> None:
    with pytest.raises(TypeError, match="not writeable"):
        np.lib.stride_tricks.sliding_window_view(tracked(np.ones(3)), 2, writeable=True)


def test_results_beside_a_tensor_are_tensors() -> None:
    x = tracked([1.0, 2.0])
    for results in (
        np.meshgrid(x, [1.0, 2.0]),
        np.meshgrid([1.0, 2.0], x, sparse=True),
        np.broadcast_arrays(x, 1.0),
        np.atleast_2d(x, 3.0),
    ):
        assert isinstance(results, tuple)
        assert all(isinstance(y, Tensor) for y in results)
        assert [y.requires_grad for y in results].count(True) == 1


# Functions that write

WRITES: list[Any] = [
    lambda a, v: np.put(a, [1, 0], v),
    lambda a, v: np.putmask(a, [[True, False], [False, True]], v),
    lambda a, v: np.place(a, [[True, False], [False, True]], v),
    lambda a, v: np.copyto(a, v),
    lambda a, v: np.copyto(a, v, where=[True, False]),
    lambda a, v: np.fill_diagonal(a, v),
    lambda a, v: np.put_along_axis(a, np.array([[1, 0]]), v, 0),
]


@pytest.mark.parametrize("write", WRITES)
def test_writing_makes_a_new_value(write: Any) -> None:
    x, v = tracked(values((2, 2))), tracked([5.0, 7.0])
    y = x * 2
    y.name = "y"
    before, old = y * y, y.detach()
    write(y, v)
    expected = 2 * x.numpy()
    np.testing.assert_array_equal(old.numpy(), expected)
    write(expected, v.numpy())
    np.testing.assert_array_equal(y.numpy(), expected)
    assert (y.name, y.requires_grad, y.is_leaf) == ("y", True, False)
    (before.sum() + y.sum()).backward()
    replaced = np.zeros((2, 2))
    write(replaced, np.ones(2))
    np.testing.assert_allclose(x.grad, 8 * x.numpy() + 2 * (1 - replaced))
    assert v.grad.sum() == replaced.sum()


@pytest.mark.parametrize("write", WRITES)
def test_writing_into_a_leaf_is_refused_and_under_no_grad_it_is_in_place(write: Any) -> None:
    x = tracked(np.zeros((2, 2)))
    with pytest.raises(RuntimeError, match="on a leaf that requires a gradient"):
        write(x, [5.0, 7.0])
    assert not x.numpy().any()
    memory, version = x.numpy(), x.version
    with no_grad():
        write(x, np.array([5.0, 7.0]))
    expected = np.zeros((2, 2))
    write(expected, [5.0, 7.0])
    assert x.numpy() is memory
    assert x.version > version
    assert (x.is_leaf, x.requires_grad, x.tolist()) == (True, True, expected.tolist())
    constant = Tensor(np.zeros((2, 2)))
    write(constant, [5.0, 7.0])
    assert constant.tolist() == expected.tolist()
    assert not constant.requires_grad


@pytest.mark.parametrize("write", WRITES)
def test_a_tracked_value_is_not_written_into_an_array(write: Any) -> None:
    a = np.zeros((2, 2))
    with pytest.raises(TypeError, match=r"Make that array a Tensor|lose its history"):
        write(a, tracked([5.0, 7.0]))
    assert not a.any()
    write(a, Tensor([5.0, 7.0]))
    assert a.any()


def test_wrong_writes_are_numpys_errors() -> None:
    for call in (
        lambda y: np.put(y, [4], 1.0),
        lambda y: np.put(y, [-5], 1.0),
        lambda y: np.putmask(y, [True], 1.0),
        lambda y: np.place(y, [[True, True], [True, True]], []),
        lambda y: np.copyto(y, 1j),
        lambda y: np.copyto(y, np.ones(3)),
        lambda y: np.fill_diagonal(y[0], 1.0),
        lambda y: np.put_along_axis(y, np.array([0]), 1.0, 0),
        lambda y: np.put_along_axis(y, np.array([[5]]), 1.0, 0),
    ):
        for argument in (tracked(np.zeros((2, 2))) * 1.0, np.zeros((2, 2))):
            with pytest.raises((ValueError, TypeError, IndexError)):
                call(argument)


# Against PyTorch


def test_gradients_are_those_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    a = values((4, 5))
    i = np.array([[0, 3, 1, 1, 0], [2, 2, 0, 3, 1]])
    pad = torch.nn.functional.pad
    for ours, theirs in [
        (lambda x: np.take_along_axis(x, i, 0), lambda x: x.gather(0, torch.tensor(i))),
        (lambda x: np.pad(x, ((0, 0), (2, 3)), mode="reflect"), lambda x: pad(x, (2, 3), mode="reflect")),
        (lambda x: np.pad(x, ((0, 0), (2, 3)), mode="edge"), lambda x: pad(x, (2, 3), mode="replicate")),
        (lambda x: np.pad(x, ((0, 0), (2, 3)), mode="wrap"), lambda x: pad(x, (2, 3), mode="circular")),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, 1), lambda x: x.unfold(1, 3, 1)),
        (lambda x: np.repeat(x, [1, 0, 2, 3], 0), lambda x: x.repeat_interleave(torch.tensor([1, 0, 2, 3]), 0)),
        (lambda x: np.tile(x, (2, 3)), lambda x: x.tile(2, 3)),
        (lambda x: np.roll(x, (1, 2), (0, 1)), lambda x: x.roll((1, 2), (0, 1))),
        (lambda x: np.diagonal(x, 1), lambda x: x.diagonal(1)),
        (lambda x: np.tril(x, -1), lambda x: x.tril(-1)),
    ]:
        x, t = tracked(a), torch.tensor(a, requires_grad=True)
        y, z = ours(x), theirs(t)
        np.testing.assert_array_equal(y.numpy(), z.detach().numpy())
        u = values(y.shape, seed=4)
        y.backward(u)
        z.backward(torch.tensor(u))
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-12, atol=1e-13)


def test_scatter_takes_numpy_scalars() -> None:
    assert index.scatter(np.float32(2), shape=(3,), key=1).tolist() == [0, 2, 0]
