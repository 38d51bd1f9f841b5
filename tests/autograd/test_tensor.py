"""Tensor: construction, NumPy's protocols, operators, value semantics, conversions and their errors."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import autograd
from autograd import NoRuleError, Tensor


def leaf(*shape, **kwargs):
    return Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True, **kwargs)


# Construction


def test_data_is_copied_and_keeps_its_dtype():
    a = np.ones(3, np.float32)
    t = Tensor(a)
    a[0] = 5.0
    assert t.data.tolist() == [1.0, 1.0, 1.0]
    assert t.dtype == np.float32
    assert Tensor([1, 2]).dtype == np.int64
    assert Tensor([1.0, 2.0]).dtype == np.float64
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("data", [[1, 2], [True, False]])
def test_integers_and_booleans_cannot_require_a_gradient(data):
    with pytest.raises(TypeError, match="requires_grad=True, dtype=float"):
        Tensor(data, requires_grad=True)


def test_foreign_byte_order_becomes_native():
    x = Tensor(np.array([1.0, 2.0], ">f8"), requires_grad=True)
    assert x.dtype.isnative
    (x * np.array([1.0, 2.0], ">f8")).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("data", ["abc", [object()], {"a": 1}, None])
def test_what_is_not_numbers_is_refused(data):
    with pytest.raises(TypeError, match="a Tensor holds numbers or booleans"):
        Tensor(data)


def test_ragged_lists_and_masked_arrays_are_refused():
    with pytest.raises(ValueError, match="do not make an array of numbers"):
        Tensor([[1.0, 2.0], [3.0]])
    with pytest.raises(TypeError, match="mask would be lost"):
        Tensor(np.ma.array([1.0, 2.0], mask=[True, False]))


def test_a_tracked_tensor_is_not_copied_out_of_its_graph():
    with pytest.raises(TypeError, match="cut it from its graph"):
        Tensor(leaf(3))
    assert Tensor(Tensor([1.0])).data.tolist() == [1.0]


def test_attributes():
    t = leaf(2, 3, name="W")
    assert (t.shape, t.ndim, t.size, t.nbytes, t.name) == ((2, 3), 2, 6, 48, "W")
    assert t.dtype == np.float64
    assert t.device == "cpu"
    assert t.is_leaf
    assert t.requires_grad
    assert t.grad is None
    assert len(t) == 2


def test_repr_shows_value_shape_dtype_and_origin():
    w = Tensor([1.0, 2.0], requires_grad=True, name="w")
    assert repr(w) == "Tensor([1., 2.], shape=(2,), dtype=float64, requires_grad=True, name='w')"
    assert repr(w * 2.0) == "Tensor([2., 4.], shape=(2,), dtype=float64, from=multiply)"
    assert repr(Tensor(1.5)) == "Tensor(1.5, shape=(), dtype=float64)"
    assert len(repr(Tensor(np.zeros(10**6)))) < 200


def test_names_can_be_changed_and_must_be_strings():
    t = leaf(2)
    t.name = "a"
    assert t.name == "a"
    with pytest.raises(TypeError, match="name is a string"):
        t.name = 3


def test_requires_grad_can_be_switched_on_leaves_alone():
    t = leaf(2)
    t.requires_grad = False
    assert not (t * 2.0).requires_grad
    t.requires_grad = True
    (t * 2.0).sum().backward()
    assert t.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match=r"computed \(by multiply\)"):
        (t * 2.0).requires_grad = False
    with pytest.raises(TypeError, match="requires_grad is True or False"):
        Tensor([1.0], np.float32)


def test_freezing_a_leaf_between_forward_and_backward_keeps_its_gradient_as_it_is():
    t = leaf(2)
    (t * 2.0).sum().backward()
    y = (t * 3.0).sum()
    t.requires_grad = False
    y.backward()
    assert t.grad.tolist() == [2.0, 2.0]


def test_grad_can_be_set_to_what_fits():
    t = leaf(2)
    t.grad = np.ones(2)
    t.grad = None
    for wrong in (np.ones(3), np.ones(2, np.float32), [1.0, 1.0]):
        with pytest.raises(TypeError, match="a gradient is None or a ndarray of shape"):
            t.grad = wrong
    mine = np.ones(2)
    t.grad = mine
    assert not np.shares_memory(t.grad, mine)
    t.grad = None
    assert t.grad is None


# NumPy's protocols


def test_numpy_code_is_differentiable_as_it_stands():
    def f(x):
        return np.sum(np.concatenate([np.sin(x), np.exp(x[:2])]) ** 2)

    x = leaf(4)
    f(x).backward()
    step = 1e-6
    for k in range(4):
        d = np.zeros(4)
        d[k] = step
        assert x.grad[k] == pytest.approx((f(x.data + d) - f(x.data - d)) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: np.union1d(t, t), "np.union1d"),
        (lambda t: np.add(t, 1.0, where=[True, False]), "np.add with where="),
        (lambda t: np.emath.sqrt(t), "np.*sqrt"),
    ],
)
def test_a_function_without_a_rule_is_named(call, name):
    with pytest.raises(NoRuleError, match=f"^{name} has no differentiation rule.*detach"):
        call(leaf(2, 2))


def test_the_same_functions_run_where_no_gradient_can_be_lost():
    t = leaf(2, 2)
    expected = np.union1d(t.data, t.data)
    for result in (np.union1d(t.detach(), t.detach()), np.union1d(Tensor(t.data), t.data)):
        assert isinstance(result, Tensor)
        np.testing.assert_array_equal(result.data, expected)
    with autograd.no_grad():
        np.testing.assert_array_equal(np.union1d(t, t).data, expected)
    assert np.sum(t.detach(), where=[[True, False], [False, False]]).item() == t.data[0, 0]


def test_a_tracked_tensor_in_a_list_does_not_lose_its_gradient_silently():
    with pytest.raises(NoRuleError, match=r"np\.intersect1d"):
        np.intersect1d([leaf(2), leaf(2)][0], [1.0])
    with pytest.raises(TypeError, match=r"write t\.numpy\(\)"):
        np.array([leaf(2), leaf(2)])


def test_converting_a_tracked_tensor_says_what_to_call_instead():
    with pytest.raises(TypeError, match=r"write t\.numpy\(\) \(or t\.detach\(\)\)"):
        np.asarray(leaf(3))
    np.testing.assert_array_equal(np.asarray(Tensor([1.0, 2.0])), [1.0, 2.0])
    assert np.asarray(Tensor([1.0]), dtype=np.float32).dtype == np.float32


def test_masked_arrays_do_not_take_the_values_without_the_history():
    x = leaf(3)
    for call in (lambda: np.ma.array([1.0, 2.0, 3.0]) * x, lambda: np.ma.exp(x), lambda: np.ma.getdata(x)):
        with pytest.raises(TypeError, match="would lose its history"):
            call()


@pytest.mark.parametrize(
    "write",
    [
        lambda t: np.round(np.ones((2, 2)), 1, t),
        lambda t: t.round(out=t),
    ],
)
def test_functions_that_write_into_their_argument_are_stopped(write):
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises((ValueError, TypeError), match=r"read-only|never overwritten|must be an array"):
        write(t)
    assert t.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_gradient_is_not_dropped_by_functions_that_look_constant():
    x, f = leaf(3), Tensor(2.0, requires_grad=True)
    (np.full_like(x, f) * x).sum().backward()
    assert f.grad == pytest.approx(x.data.sum())


def test_sign_and_full_like_are_numpys_where_nothing_is_tracked():
    z = np.array([0j, 1e-310 + 0j, 3 + 4j])
    np.testing.assert_array_equal(np.sign(Tensor(z)).data, np.sign(z))
    assert np.sign(Tensor([1.0]), dtype=np.float32).dtype == np.float32
    assert np.full_like(Tensor([1.0, 2.0]), 3.0, None, "C").tolist() == [3.0, 3.0]
    with pytest.raises(ValueError, match="broadcast"):
        np.full_like(Tensor(np.zeros(3)), Tensor(np.ones((2, 3))))


def test_a_read_only_result_can_become_a_leaf_that_is_updated():
    w = np.flip(Tensor([1.0, 2.0]))
    w.requires_grad = True
    with autograd.no_grad():
        w -= 1.0
    assert w.tolist() == [1.0, 0.0]
    v = np.flip(Tensor([1.0, 2.0]))
    v.data = np.zeros(2)
    assert v.tolist() == [0.0, 0.0]


def test_integers_to_a_floating_power_are_floating():
    np.testing.assert_array_equal((Tensor([2**40]) ** 2.0).data, np.array([2**40]) ** 2.0)
    assert (Tensor([3]) ** 2).dtype == np.int64


def test_matrices_are_arrays_and_objects_are_refused():
    x = leaf(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        m = np.matrix([[1.0, 2.0]])
    (x * m).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])
    y = x * np.array([1, 2], object)
    with pytest.raises(TypeError, match="needs an output of floating or complex numbers, got dtype object"):
        y.backward([1.0, 1.0])
    with pytest.raises(autograd.VJPError, match="That input holds object, which has no gradient"):
        y.sum().backward()


def test_functions_without_a_derivative_return_constants():
    t = leaf(3)
    for result in (np.sign(t), np.floor(t), t > 0, np.argmax(t), np.isfinite(t), np.zeros_like(t)):
        assert isinstance(result, Tensor)
        assert not result.requires_grad
    assert np.shape(t) == (3,)
    assert np.ndim(t) == 1
    assert np.allclose(t, t.data) is True
    rows = np.nonzero(t > 0)
    np.testing.assert_array_equal(t[rows].data, t.data[t.data > 0])
    np.testing.assert_array_equal(np.where(t > 0)[0].data, np.where(t.data > 0)[0])


def test_out_arguments_and_array_iadd_are_refused():
    a = np.ones(3)
    with pytest.raises(TypeError, match="never overwritten"):
        np.add(leaf(3), 1.0, out=a)
    with pytest.raises(TypeError, match=r"array = array \+ tensor"):
        a += leaf(3)
    with pytest.raises(TypeError, match="cannot write into out="):
        np.sum(leaf(3), out=np.zeros(()))
    with pytest.raises(TypeError, match="cannot write into out="):
        np.clip(leaf(3), 0.0, 1.0, a)
    np.testing.assert_array_equal(a, np.ones(3))


def test_a_shape_error_names_the_operation_and_the_operands():
    with pytest.raises(ValueError, match="broadcast") as caught:
        leaf(3, 4) * np.ones(5)
    assert caught.value.__notes__ == ["in multiply(float64[3, 4], float64[5])"]


# Operators

BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "matmul": lambda x, y: x @ y,
    "floor_divide": lambda x, y: x // y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
}


@pytest.mark.parametrize("name", BINARY)
def test_operators_equal_numpys_with_tensors_arrays_and_numbers_on_either_side(name):
    operator = BINARY[name]
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.5, 2, (2, 2)), rng.uniform(0.5, 2, (2, 2))
    expected = operator(a, b)
    pairs = [
        (Tensor(a), Tensor(b)),
        (Tensor(a), b),
        (a, Tensor(b)),
        (Tensor(a, requires_grad=True), b),
        (a, leaf_of(b)),
    ]
    for x, y in pairs:
        result = operator(x, y)
        assert isinstance(result, Tensor)
        np.testing.assert_array_equal(result.data, expected)
    if name != "matmul":
        for scalar in (2, 2.0, np.float64(2.0), True):
            np.testing.assert_allclose(operator(leaf_of(a), scalar).data, operator(a, scalar), rtol=1e-15)
            np.testing.assert_allclose(operator(scalar, leaf_of(a)).data, operator(scalar, a), rtol=1e-15)


def leaf_of(array):
    return Tensor(array, requires_grad=True)


def test_unary_operators():
    t = leaf(3)
    np.testing.assert_array_equal((-t).data, -t.data)
    np.testing.assert_array_equal((+t).data, t.data)
    np.testing.assert_array_equal(abs(t).data, np.abs(t.data))
    np.testing.assert_array_equal(
        (~(t > 0) | (t > 1) & (t < 2) ^ (t > 5)).data, ~(t.data > 0) | (t.data > 1) & (t.data < 2)
    )


@pytest.mark.parametrize("number", [2.0, 2, np.float32(2.0)])
def test_numbers_do_not_widen_float32(number):
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    for y in (x * number, number * x, x + number, x / number, x**number, number**x, x - number, np.maximum(x, number)):
        assert y.dtype == np.float32
        g = y.sum().gradient(x)
        assert g.dtype == np.float32


METHODS = {
    "sum": lambda x: x.sum(axis=0),
    "mean": lambda x: x.mean(axis=(0, 1), keepdims=True),
    "max": lambda x: x.max(1),
    "min": lambda x: x.min(),
    "var": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: x.std(),
    "reshape": lambda x: x.reshape(3, 2),
    "reshape tuple": lambda x: x.reshape((-1,)),
    "reshape order": lambda x: x.reshape(3, 2, order="F"),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "transpose": lambda x: x.transpose(1, 0),
    "transpose tuple": lambda x: x.transpose((1, 0)),
    "transpose none": lambda x: x.transpose(),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "clip": lambda x: x.clip(-0.5, 0.5),
    "clip one side": lambda x: x.clip(max=0.0),
    "conj": lambda x: x.conj(),
    "dot": lambda x: x.dot(np.ones(3)),
    "copy": lambda x: x.copy(),
    "real": lambda x: x.real,
    "astype": lambda x: x.astype(np.float32),
    "argmax": lambda x: x.argmax(axis=1),
    "argsort": lambda x: x.argsort(),
    "any": lambda x: (x > 0).any(),
    "all": lambda x: (x > 0).all(axis=0),
    "round": lambda x: x.round(1),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_equal_numpys(name):
    x = leaf(2, 3)
    result = METHODS[name](x)
    expected = METHODS[name](x.data)
    assert isinstance(result, Tensor)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result.data, expected)


def test_conversions_of_single_elements():
    t = Tensor([[2.5]], requires_grad=True)
    assert t.item() == 2.5
    assert float(t) == 2.5
    assert int(t) == 2
    assert complex(t) == 2.5
    assert bool(t > 0)
    assert f"{t:.2f}" == "2.50"
    assert f"{Tensor([1.0, 2.0])}" == repr(Tensor([1.0, 2.0]))
    assert [10, 20, 30][Tensor(1)] == 20
    with pytest.raises(ValueError, match=r"item\(\) needs a Tensor with one element"):
        leaf(2).item()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf(2) > 0)


def test_iteration_membership_and_hash():
    t = leaf(3)
    rows = list(t)
    assert len(rows) == 3
    (rows[0] * rows[2]).backward()
    np.testing.assert_array_equal(t.grad, [t.data[2], 0.0, t.data[0]])
    assert t.data[1] in t
    assert 1e9 not in t
    assert {t: "found"}[t] == "found"
    with pytest.raises(TypeError, match="0-d"):
        iter(Tensor(1.0))


# Values


def test_iadd_makes_a_new_value():
    x = leaf(3)
    y = x * 1.0
    alias = y
    y += 1.0
    y *= 2.0
    assert alias is not y
    np.testing.assert_array_equal(alias.data, x.data)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0))


def test_iadd_on_a_leaf_under_no_grad_writes_in_place():
    w = leaf(3)
    same, before, array = w, w.data.copy(), w.data
    with autograd.no_grad():
        w -= 0.5 * np.ones(3)
        w *= 2.0
        w **= 2
    assert w is same
    assert w.requires_grad
    assert w.data is array
    np.testing.assert_allclose(w.data, (2 * (before - 0.5)) ** 2)


def test_setitem_records_a_new_value():
    x, v = leaf(4), leaf(2)
    y = x * 1.0
    old = y.data
    z = y * y
    y[1:3] = v
    np.testing.assert_array_equal(old, x.data)
    (y.sum() + z.sum()).backward()
    np.testing.assert_array_equal(v.grad, [1.0, 1.0])
    np.testing.assert_array_equal(x.grad, np.array([1.0, 0.0, 0.0, 1.0]) + 2 * x.data)


def test_setitem_makes_a_constant_depend_on_what_is_put_into_it():
    buffer, x = Tensor(np.zeros((2, 3))), leaf(2)
    buffer[:, 1] = x
    buffer[0, 0] = 7.0
    assert buffer.requires_grad
    (buffer * np.arange(6.0).reshape(2, 3)).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 4.0])


def test_setitem_on_a_leaf_is_refused_while_recording():
    w = leaf(3)
    with pytest.raises(RuntimeError, match="would make it a computed Tensor"):
        w[0] = 1.0
    with autograd.no_grad():
        w[0] = 1.0
    assert w.data[0] == 1.0
    assert w.version > 0


def test_setitem_does_not_cut_a_tracked_value_to_an_integer():
    integers, v = Tensor([1, 2]), Tensor(2.5, requires_grad=True)
    with pytest.raises(TypeError, match=r"holds int64, which has no gradient.*astype\(float\)"):
        integers[0] = v
    assert integers.data.tolist() == [1, 2]


def test_setitem_under_no_grad_does_not_cut_a_computed_tensor():
    x = leaf(2)
    y = x * 2.0
    with autograd.no_grad(), pytest.raises(RuntimeError, match=r"enable_grad\(\), or x = x\.detach\(\)"):
        y[0] = 0.0
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_setitem_keeps_the_name():
    buffer = Tensor(np.zeros(2), name="buffer")
    buffer[0] = 1.0
    assert buffer.name == "buffer"


def test_setitem_that_does_not_fit_leaves_the_tensor_as_it_was():
    x = leaf(4)
    y = x * 1.0
    node = y.node
    with pytest.raises(ValueError, match="broadcast"):
        y[:2] = np.ones(3)
    with pytest.raises(IndexError):
        y[9] = 1.0
    assert y.node is node
    np.testing.assert_array_equal(y.data, x.data)


def test_data_can_be_assigned_to_leaves_alone_and_must_fit():
    w = leaf(3)
    array = w.data
    w.data = np.arange(3.0)
    assert w.data is array
    for wrong in (np.ones(2), np.ones(3, np.float32)):
        with pytest.raises(ValueError, match="the new values must have shape"):
            w.data = wrong
    np.testing.assert_array_equal(w.data, np.arange(3.0))
    with pytest.raises(RuntimeError, match=r"computed \(by multiply\)"):
        (w * 2.0).data = np.ones(3)


def test_an_index_that_changes_later_does_not_change_the_gradient():
    x, key = leaf(4), np.array([0, 1])
    y = x[key]
    key[:] = 3
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0, 0.0, 0.0])


def test_axes_that_change_later_do_not_change_the_gradient():
    x, axes = leaf(2, 2, 2), [1, 2, 0]
    y = np.transpose(x, axes)
    axes[:] = [0, 1, 2]
    weights = np.arange(8.0).reshape(2, 2, 2)
    (y * weights).sum().backward()
    np.testing.assert_array_equal(x.grad, weights.transpose(2, 0, 1))
    np.testing.assert_array_equal(x.transpose(np.array([2, 1, 0])).data, x.data.transpose(2, 1, 0))


def test_a_list_operand_is_copied():
    x, factors = leaf(2), [2.0, 3.0]
    y = x * factors
    factors[0] = 99.0
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2.0, 3.0])


def test_detach_and_numpy_share_memory_and_cut_the_graph():
    x = leaf(3)
    assert x.numpy() is x.data
    d = x.detach()
    assert np.shares_memory(d.data, x.data)
    assert not d.requires_grad


def test_leaves_can_be_copied_and_pickled():
    import copy
    import pickle

    w = leaf(3, name="w")
    (w * w).sum().backward()
    for twin in (copy.copy(w), copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        np.testing.assert_array_equal(twin.data, w.data)
        assert (twin.requires_grad, twin.name, twin.grad) == (True, "w", None)
        assert not np.shares_memory(twin.data, w.data)
        assert twin.node is not w.node
    with pytest.raises(TypeError, match=r"computed \(by multiply\) and cannot be copied"):
        copy.deepcopy(w * 2.0)


def test_numpys_positional_order_is_understood():
    t = leaf(2, 3)
    np.testing.assert_array_equal(np.sum(t, 0, None, None, True).data, t.data.sum(0, keepdims=True))
    np.testing.assert_array_equal(np.var(t, 1, None, None, 1).data, t.data.var(1, ddof=1))
    with pytest.raises(TypeError, match=r"^sum\(\) takes from 1 to 2 positional arguments"):
        t.sum(0, True)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # the keywords are that new
        np.testing.assert_array_equal(np.clip(t, min=0.0).data, np.clip(t.data, 0.0, None))


# Devices


def test_moving_to_where_it_is_changes_nothing():
    t = leaf(3)
    assert t.to("cpu") is t


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", ""])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(autograd.DeviceError, match="unknown device"):
        leaf(3).to(name)


class Far:
    """An array of another library: it speaks NumPy's protocols, and refuses NumPy's arrays."""

    shape, ndim, size, dtype = (3,), 1, 3, np.dtype(np.float64)
    __module__ = "faraway.arrays"

    def copy(self):
        return Far()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return NotImplemented

    def __array_function__(self, function, types, args, kwargs):
        return NotImplemented


def test_arrays_of_two_devices_are_not_mixed():
    x = leaf(3)
    for call in (lambda: x * Tensor(Far()), lambda: Tensor(Far()) @ x, lambda: np.add(x, Far())):
        with pytest.raises(
            autograd.DeviceError, match=r"got operands of different devices, .*nothing is moved without a word"
        ) as e:
            call()
        assert "on 'cpu' (float64[3])" in str(e.value)
        assert "on 'faraway' (float64[3])" in str(e.value)


def test_a_missing_cupy_or_gpu_is_one_sentence():
    try:
        import cupy

        if cupy.cuda.is_available():
            pytest.skip("there is a GPU here")
    except ImportError:
        pass
    with pytest.raises(autograd.DeviceError, match=r"needs CuPy|no NVIDIA GPU"):
        leaf(3).to("cuda")


# Import


def test_importing_autograd_imports_nothing_heavy():
    code = (
        "import sys, autograd\n"
        "heavy = {'graphviz', 'pygraphviz', 'matplotlib', 'scipy', 'cupy', 'sklearn', 'torch', 'safetensors', 'tqdm',\n"
        "         'dask', 'mpi4py'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("call", "plain"),
    [
        (lambda t: t % 2.0, lambda a: a % 2.0),
        (lambda t: 7.0 % t, lambda a: 7.0 % a),
        (lambda t: divmod(t, 2.0)[1], lambda a: divmod(a, 2.0)[1]),
        (lambda t: divmod(7.0, t)[1], lambda a: divmod(7.0, a)[1]),
        (lambda t: t.prod(axis=0), lambda a: a.prod(axis=0)),
        (lambda t: t.cumsum(1), lambda a: a.cumsum(1)),
        (lambda t: t.cumprod(), lambda a: a.cumprod()),
        (lambda t: t.trace(1), lambda a: a.trace(1)),
        (lambda t: t.diagonal(offset=1), lambda a: a.diagonal(offset=1)),
        (lambda t: t.repeat(2, axis=0), lambda a: a.repeat(2, axis=0)),
        (lambda t: t.take([0, 2], 1), lambda a: a.take([0, 2], 1)),
        (lambda t: t.compress([True, False], 0), lambda a: a.compress([True, False], 0)),
    ],
)
def test_operators_and_methods_that_go_through_numpys_functions(call, plain):
    x = leaf_of([[1.3, 2.2, -0.9], [0.8, -1.7, 3.1]])
    y = call(x)
    np.testing.assert_allclose(y.data, plain(x.data))
    assert y.requires_grad
    autograd.check_gradients(call, x.data)


def test_methods_that_write_give_a_new_value():
    x = leaf(4)
    y = -x
    y.sort()
    z = y * 1.0
    z.partition(1)
    z.fill(2.0)
    np.testing.assert_array_equal(y.data, np.sort(-x.data))
    y.backward([1.0, 2.0, 3.0, 4.0])
    order = np.argsort(-x.data)
    np.testing.assert_array_equal(x.grad[order], [-1, -2, -3, -4])
    assert z.tolist() == [2, 2, 2, 2]
    with pytest.raises(RuntimeError, match="its gradient would be lost"):
        x.sort()


def test_methods_that_return_positions():
    t = leaf(3)
    np.testing.assert_array_equal(t.nonzero()[0].data, t.data.nonzero()[0])
    assert t.argpartition(1)[1].data == t.data.argpartition(1)[1]
    assert Tensor([1.0, 2.0]).searchsorted(1.5).item() == 1
