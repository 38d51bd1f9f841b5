"""Hooks of modules: before and after `forward`, and in the backward pass; the same as PyTorch's."""

import copy
import gc
import pickle
import weakref
from collections import namedtuple

import numpy as np
import pytest

import nn
from autograd import AnomalyError, Tape, Tensor, check_gradients, checkpoint, detect_anomaly, make_jvp, no_grad


class Function(nn.Module):
    def __init__(self, function):
        self.function = function

    def forward(self, *args, **kwargs):
        return self.function(*args, **kwargs)


def leaf(*values):
    return Tensor(list(values), requires_grad=True)


def recorded(module):
    """What the backward hooks of a module see from now on, as lists."""
    seen = []

    def plain(gradients):
        return tuple(None if g is None else g.tolist() for g in gradients)

    module.register_full_backward_hook(lambda m, g_in, g_out: seen.append((plain(g_in), plain(g_out))))
    return seen


# Before and after forward


def test_hooks_see_arguments_and_output_in_the_order_of_their_registration():
    layer, seen = nn.Identity(), []
    layer.register_forward_pre_hook(lambda m, args: seen.append(("before", m is layer, args)))
    layer.register_forward_hook(lambda m, args, out: seen.append(("first", m is layer, args, out)))
    layer.register_forward_hook(lambda m, args, out: seen.append(("second",)))
    assert layer(2.0) == 2.0
    assert seen == [("before", True, (2.0,)), ("first", True, (2.0,), 2.0), ("second",)]


def test_hooks_replace_arguments_and_output_and_the_next_hook_sees_that():
    layer = Function(lambda x, y=0.0, *, z=0.0: x + y + z)
    layer.register_forward_pre_hook(lambda m, args: args[0] * 10)  # one value stands for a tuple of one
    layer.register_forward_pre_hook(lambda m, args: (*args, 5.0))
    layer.register_forward_hook(lambda m, args, out: (args, out))
    layer.register_forward_hook(lambda m, args, out: [out])
    assert layer(2.0, z=0.5) == [((20.0, 5.0), 25.5)]


def test_a_hook_is_removed_by_calling_what_came_back_also_twice_and_while_it_runs():
    layer, seen = nn.Identity(), []

    def once(m, args):
        seen.append("once")
        remove()

    remove = layer.register_forward_pre_hook(once)
    stay = layer.register_forward_pre_hook(lambda m, args: seen.append("stay"))
    layer(1.0), layer(1.0)
    remove(), stay()
    layer(1.0)
    assert seen == ["once", "stay", "stay"]


@pytest.mark.parametrize("register", ["forward_pre", "forward", "full_backward"])
def test_what_is_not_a_function_is_no_hook(register):
    with pytest.raises(TypeError, match="a hook is a function, got int"):
        getattr(nn.Identity(), f"register_{register}_hook")(3)


def test_an_error_in_a_hook_is_the_users_and_leaves_the_module_as_it_was():
    layer, x = nn.Tanh(), leaf(1.0)

    def fail(*_):
        raise KeyError("mine")

    remove = layer.register_forward_hook(fail)
    with pytest.raises(KeyError, match="mine"):
        layer(x)
    remove()
    remove = layer.register_full_backward_hook(fail)
    y = layer(x).sum()
    with pytest.raises(KeyError, match="mine"):
        y.backward()
    assert x.grad is None
    remove()
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad, 1 - np.tanh(1.0) ** 2)


# In the backward pass


def test_a_backward_hook_changes_no_gradient():
    rng = np.random.default_rng(0)
    plain = nn.MLP([3, 4, 2], activation="tanh", dtype=np.float64, rng=0)
    hooked = copy.deepcopy(plain)
    for module in hooked.modules():
        module.register_full_backward_hook(lambda *_: None)
    x = rng.normal(size=(5, 3))
    for model in (plain, hooked):
        (model(x) ** 2).sum().backward()
    for p, q in zip(plain.parameters(), hooked.parameters()):
        np.testing.assert_array_equal(p.grad, q.grad)
    check_gradients(hooked, x, order=2)


def test_inputs_without_a_gradient_are_none():
    module = Function(lambda x, y, z, note: x * y * z)
    seen, x, z = recorded(module), leaf(2.0), leaf(3.0)
    module(x, np.array([5.0]), z, "note").sum().backward()
    assert seen == [(([15.0], None, [10.0], None), ([1.0],))]


def test_where_no_input_requires_a_gradient_the_hook_is_called_at_the_output():
    w = nn.Parameter([4.0])
    module = Function(lambda x, y: x * y * w)
    seen = recorded(module)
    module(Tensor([1.0]), np.array([2.0])).backward([3.0])
    assert seen == [((None, None), ([3.0],))]
    np.testing.assert_array_equal(w.grad, [6.0])


@pytest.mark.parametrize("kind", [tuple, list, namedtuple("Pair", "a, b")])
def test_of_several_outputs_one_that_is_not_used_has_none(kind):
    module = Function(lambda x, y: kind(*[2 * x, 3 * y]) if hasattr(kind, "_fields") else kind([2 * x, 3 * y]))
    seen, x, y = recorded(module), leaf(1.0), leaf(2.0)
    outputs = module(x, y)
    assert type(outputs) is kind
    outputs[0].sum().backward()
    assert seen == [(([2.0], [0.0]), ([1.0], None))]
    np.testing.assert_array_equal(x.grad, [2.0])


def test_both_outputs_are_complete_before_the_hook_is_called_once():
    module = Function(lambda x: (2 * x, 3 * x))
    seen, x = recorded(module), leaf(1.0)
    a, b = module(x)
    (a * b + 10 * b).sum().backward()
    assert seen == [(([42.0],), ([3.0], [12.0]))]  # dL/da = b = 3, dL/db = a + 10 = 12
    np.testing.assert_array_equal(x.grad, [3.0 * 2 + 12.0 * 3])


def test_outputs_that_are_no_tensors_stay_as_they_are():
    module = Function(lambda x: (2 * x, "note", np.ones(1), Tensor([1.0])))
    seen, x = recorded(module), leaf(1.0)
    out = module(x)
    assert out[1] == "note"
    assert not out[3].requires_grad
    out[0].sum().backward()
    assert seen == [(([2.0],), ([1.0], None, None, None))]


def test_an_output_that_cannot_be_followed_is_refused():
    module = Function(lambda x: {"y": x})
    recorded(module)
    with pytest.raises(TypeError, match="Function, whose output is a dict: it must be a Tensor, or a tuple or list"):
        module(leaf(1.0))


def test_an_input_that_is_the_output_and_one_that_comes_twice():
    module = Function(lambda x, y: x)
    seen, x = recorded(module), leaf(1.0)
    module(x, x).backward([3.0])
    assert seen == [(([3.0], [0.0]), ([3.0],))]
    np.testing.assert_array_equal(x.grad, [3.0])


def test_the_first_replaced_gradient_is_what_the_second_hook_sees_and_what_goes_on():
    module = Function(lambda x, y: x * y)
    module.register_full_backward_hook(lambda m, g_in, g_out: tuple(10 * g for g in g_in))
    seen, x, y = recorded(module), leaf(2.0), leaf(3.0)
    module(x, y).sum().backward()
    assert seen == [(([30.0], [20.0]), ([1.0],))]
    np.testing.assert_array_equal(x.grad, [30.0])
    np.testing.assert_array_equal(y.grad, [20.0])


def test_a_zero_dimensional_gradient_may_be_replaced_by_a_numpy_scalar():
    module = Function(lambda x: x * x)
    module.register_full_backward_hook(lambda m, g_in, g_out: (g_in[0] * 2,))
    x = Tensor(3.0, requires_grad=True)
    module(x).backward()
    assert x.grad == 12.0


@pytest.mark.parametrize(
    ("replaced", "error", "text"),
    [
        ((), ValueError, "a gradient for each of the 2 arguments of Function; it returned 0"),
        (np.ones(1), ValueError, "it returned 1"),
        ((np.ones(2), None), TypeError, r"returned float64\[2\] as the gradient of argument 0 .* got float64\[1\]"),
        ((np.ones(1, np.float32), None), TypeError, r"returned float32\[1\]"),
        ((None, None), TypeError, "returned None as the gradient of argument 0"),
        ((np.ones(1), np.ones(1)), TypeError, "as the gradient of argument 1 of Function, where it got None"),
        ((Tensor([1.0]), None), TypeError, "must be of the same kind"),
    ],
)
def test_a_replaced_gradient_that_does_not_fit_is_refused(replaced, error, text):
    module = Function(lambda x, c: x * c)
    module.register_full_backward_hook(lambda m, g_in, g_out: replaced)
    x = leaf(1.0)
    y = module(x, np.ones(1)).sum()
    with pytest.raises(error, match=text):
        y.backward()
    assert x.grad is None


def test_each_call_in_a_graph_has_its_own_gradients_newest_first():
    module = Function(lambda x: x * x)
    seen, x = recorded(module), leaf(3.0)
    module(module(x)).sum().backward()
    assert seen == [(([18.0],), ([1.0],)), (([108.0],), ([18.0],))]


def test_a_retained_graph_calls_the_hook_in_each_pass_also_with_the_same_cotangent():
    module = Function(lambda x, y: (x, y))
    seen, x, y = recorded(module), leaf(1.0), leaf(2.0)
    a, b = module(x, y)
    z, cotangent = a + b, np.ones(1)
    z.backward(cotangent, retain_graph=True)
    z.backward(cotangent, retain_graph=True)
    z.gradient(x, cotangent=cotangent, retain_graph=True)
    z.gradient(y, cotangent=cotangent)
    assert seen == [(([1.0], [1.0]), ([1.0], [1.0]))] * 4
    np.testing.assert_array_equal(x.grad, [2.0])


def test_a_gradient_with_respect_to_some_inputs_calls_the_hook_with_all():
    module = Function(lambda x, y: x * y)
    seen, x, y = recorded(module), leaf(2.0), leaf(3.0)
    z = module(x, y).sum()
    np.testing.assert_array_equal(z.gradient(y, retain_graph=True).data, [2.0])
    np.testing.assert_array_equal(z.gradient(x).data, [3.0])
    assert seen == [(([3.0], [2.0]), ([1.0],))] * 2


def test_second_derivatives_go_through_a_hooked_module():
    module = Function(lambda x, y: x**3 * y)
    seen, x, y = recorded(module), leaf(2.0), leaf(5.0)
    dx = module(x, y).sum().gradient(x, create_graph=True)
    assert seen == [(([60.0], [8.0]), ([1.0],))]
    dxx, dxy = dx.sum().gradient(x, y)
    assert (dxx.item(), dxy.item()) == (60.0, 12.0)
    assert len(seen) == 1  # the second pass came to the inputs without passing the output


def test_a_recorded_pass_gives_tensors_and_what_the_hook_does_with_them_is_differentiated():
    module = Function(lambda x: x**3)
    module.register_full_backward_hook(lambda m, g_in, g_out: (g_in[0] * g_in[0],))
    x = leaf(2.0)
    dx = module(x).sum().gradient(x, create_graph=True)
    assert dx.item() == (3 * 2.0**2) ** 2
    assert dx.sum().gradient(x).item() == 36 * 2.0**3  # (9x⁴)′


def test_without_recording_nothing_passes_a_gate():
    module = nn.Identity()
    seen, x = recorded(module), leaf(1.0)
    with no_grad():
        assert module(x) is x
    assert seen == []


def test_a_module_that_does_not_use_its_input_has_no_pass_to_it_and_a_later_one_has_its_own():
    w, x = nn.Parameter([2.0]), leaf(1.0)
    module = Function(lambda x, use: x * w if use else w * 1)
    seen = recorded(module)
    module(x, False).sum().backward()
    assert (seen, x.grad) == ([], None)
    module(x, True).sum().backward()
    assert seen == [(([2.0], None), ([1.0],))]


def test_precision_shape_and_layout_go_through():
    layer = nn.Linear(3, 2, rng=0)
    seen = []
    layer.register_full_backward_hook(
        lambda m, g_in, g_out: seen.append((g_in[0].dtype, g_in[0].shape, g_out[0].dtype))
    )
    for shape in ((4, 3), (3,), (0, 3), (2, 5, 3)):
        x = Tensor(np.ones(shape, np.float32), requires_grad=True)
        layer(x).sum().backward()
        assert seen.pop() == (np.float32, shape, np.float32)
    x = Tensor(np.ones((3, 4), np.float32), requires_grad=True)
    layer(x.T).sum().backward()
    np.testing.assert_allclose(x.grad, np.tile(layer.weight.data.sum(0)[:, None], 4), rtol=1e-6)


def test_complex_gradients_go_through():
    module = Function(lambda x, y: x * y)
    module.register_full_backward_hook(lambda *_: None)
    check_gradients(module, np.array([1 + 2j]), np.array([3.0 - 1j]), order=2)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_hooked_graph_dies_by_reference_count_alone(create_graph):
    layer = nn.Linear(2, 2, rng=0)
    layer.register_full_backward_hook(lambda *_: None)
    gc.collect()
    gc.disable()
    try:
        x = Tensor(np.ones((1, 2), np.float32), requires_grad=True)
        y = layer(x).sum()
        if create_graph:
            y.gradient(x, create_graph=True).sum().backward()
        else:
            y.backward()
        dead = [weakref.ref(y), weakref.ref(x)]
        del x, y
        assert [ref() for ref in dead] == [None, None]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_gradients_of_a_pass_are_not_kept_by_a_graph_that_is():
    module, kept = nn.Tanh(), []
    module.register_full_backward_hook(
        lambda m, g_in, g_out: kept.append((weakref.ref(g_in[0]), weakref.ref(g_out[0])))
    )
    x = leaf(1.0)
    y = module(x * 2).sum()
    y.backward(retain_graph=True)
    assert [ref() for ref in kept[0]] == [None, None]
    assert y.shape == ()


def test_hooks_live_with_anomaly_detection_forward_mode_and_checkpoints():
    module = Function(lambda x, y: (x * y, x + y))
    seen, x, y = recorded(module), leaf(2.0), leaf(3.0)
    with detect_anomaly():
        module(x, y)[0].sum().backward()
    assert seen.pop() == (([3.0], [2.0]), ([1.0], None))
    product = make_jvp(lambda x: module(x, x * x)[0])(np.array([2.0]))(np.array([1.0]))
    np.testing.assert_allclose(product, [[8.0], [12.0]])
    seen.clear()
    checkpoint(lambda x, y: module(x, y)[0])(x, y).sum().backward()
    assert seen == [(([3.0], [2.0]), ([1.0], None))]
    assert [n.primitive.name for n in Tape(module(x, y)[0]) if not n.is_leaf].count("gate") == 2


def test_a_hook_that_makes_a_nan_is_found_by_anomaly_detection():
    module = Function(lambda x: 2 * x)
    module.register_full_backward_hook(lambda m, g_in, g_out: (g_in[0] * np.nan,))
    with detect_anomaly():
        y = module(leaf(1.0)).sum()
        with pytest.raises(AnomalyError, match="gate"):
            y.backward()


# Copies


def _double(module, args):
    return (2 * args[0],)


def test_a_copy_has_the_hooks_of_its_own():
    layer = nn.Identity()
    remove = layer.register_forward_pre_hook(_double)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin(1.0) == 2.0
        twin.register_forward_pre_hook(_double)
        assert (twin(1.0), layer(1.0)) == (4.0, 2.0)
    twin = copy.deepcopy(layer)
    remove()
    assert (layer(1.0), twin(1.0)) == (1.0, 2.0)


# Against PyTorch


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("needs", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_the_same_gradients_as_in_torch(needs, used):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y, w = (rng.normal(size=(2, 3)) for _ in range(3))

    class Torch(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.tensor(w))

        def forward(self, x, y):
            return x * self.w, self.w * y * x

    ours, theirs, seen = Function(None), Torch(), []
    ours.w = nn.Parameter(w)
    ours.function = lambda x, y: (x * ours.w, ours.w * y * x)
    arguments = [
        [Tensor(a, requires_grad=n) for a, n in zip((x, y), needs)],
        [torch.tensor(a, requires_grad=n) for a, n in zip((x, y), needs)],
    ]
    for module, args in zip((ours, theirs), arguments):
        module.register_full_backward_hook(lambda m, g_in, g_out: seen.append((g_in, g_out)))
        outputs = module(*args)
        sum((outputs[k] ** 2).sum() for k in used).backward()
    assert len(seen) == 2
    (inputs, outputs), (their_inputs, their_outputs) = seen
    assert [g is None for g in outputs] == [g is None for g in their_outputs]
    assert [g is not None for g in inputs] == list(needs)  # PyTorch has gradients for both as soon as one is required
    for a, b in ((inputs, their_inputs), (outputs, their_outputs)):
        for g, h in zip(a, b):
            if g is not None:
                np.testing.assert_allclose(g, h.numpy(), rtol=1e-12)
    for a, b in zip(*arguments):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.w.grad, theirs.w.grad.numpy(), rtol=1e-12)
