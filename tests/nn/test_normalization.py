"""Normalisation layers against PyTorch, against numerical gradients, and at the edges."""

import copy
import gc

import numpy as np
import pytest

import nn
from autograd import Tensor, check_gradients, no_grad
from nn.functional import group_norm, rms_norm, standardize

rng = np.random.default_rng(0)


def values(*shape):
    return rng.standard_normal(shape) * 2 + 1


def leaf(array):
    return Tensor(array, requires_grad=True)


def randomised(layer):
    """The layer with weights and biases that are not one and zero."""
    for p in layer.parameters():
        p.data = (values(*p.shape) + 1).astype(p.dtype)
    return layer


#: Our class, the arguments of both, the shape of an input.
LAYERS = [
    ("BatchNorm1d", (6,), {}, (8, 6)),
    ("BatchNorm1d", (6,), {"momentum": 0.3, "eps": 1e-2}, (8, 6, 5)),
    ("BatchNorm1d", (6,), {"momentum": None}, (2, 6)),
    ("BatchNorm1d", (6,), {"affine": False}, (3, 6, 4)),
    ("BatchNorm1d", (6,), {"track_running_stats": False}, (8, 6)),
    ("BatchNorm2d", (3,), {}, (4, 3, 5, 6)),
    ("BatchNorm2d", (3,), {"affine": False, "track_running_stats": False}, (4, 3, 5, 6)),
    ("InstanceNorm1d", (3,), {}, (4, 3, 7)),
    ("InstanceNorm1d", (3,), {"affine": True}, (4, 3, 7)),
    ("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, (4, 3, 5, 2)),
    ("LayerNorm", (6,), {}, (8, 6)),
    ("LayerNorm", ((3, 4),), {}, (2, 5, 3, 4)),
    ("LayerNorm", (6,), {"bias": False}, (8, 6)),
    ("LayerNorm", (6,), {"elementwise_affine": False, "eps": 0.1}, (2, 3, 6)),
    ("RMSNorm", (6,), {}, (8, 6)),
    ("RMSNorm", ((3, 4),), {"eps": 1e-2}, (5, 3, 4)),
    ("RMSNorm", (6,), {"elementwise_affine": False}, (6,)),
    ("GroupNorm", (2, 6), {}, (4, 6)),
    ("GroupNorm", (3, 6), {}, (4, 6, 5)),
    ("GroupNorm", (1, 6), {"affine": False}, (4, 6, 2, 3)),
    ("GroupNorm", (6, 6), {"eps": 1e-2}, (4, 6, 2, 3)),
]
IDS = [f"{name}{args}{options}{shape}" for name, args, options, shape in LAYERS]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 2e-4)])
@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS, ids=IDS)
def test_values_gradients_and_running_statistics_are_those_of_pytorch(name, args, options, shape, dtype, tolerance):
    torch = pytest.importorskip("torch")
    if not hasattr(torch.nn, name):
        pytest.skip(f"this torch has no {name}")
    ours = randomised(getattr(nn, name)(*args, **options, dtype=dtype))
    theirs = getattr(torch.nn, name)(*args, **options, dtype=getattr(torch, np.dtype(dtype).name))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({key: torch.from_numpy(np.array(v)) for key, v in ours.state_dict().items()})

    def compare(a, b):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=tolerance, atol=tolerance)

    for step in range(5):
        if step == 3:
            ours.eval(), theirs.eval()
        x, g = values(*shape).astype(dtype), values(*shape).astype(dtype)
        a, b = leaf(x), torch.tensor(x, requires_grad=True)
        y, z = ours(a), theirs(b)
        ours.zero_grad(), theirs.zero_grad()
        y.backward(g)
        z.backward(torch.from_numpy(g))
        compare(y.data, z)
        compare(a.grad, b.grad)
        for (key, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
            compare(p.grad, q.grad), key
        for (key, p), (_, q) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
            if key != "num_batches_tracked":
                compare(p.data, q)
            elif "Batch" in name:
                assert p.data == q.numpy()


@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS, ids=IDS)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_right_to_second_order(name, args, options, shape, training):
    layer = randomised(getattr(nn, name)(*args, **{"eps": 0.1, **options}, dtype=np.float64)).train(training)
    names = [key for key, _ in layer.named_parameters()]

    def function(x, *replacements):
        for key, value in zip(names, replacements):
            vars(layer)[key] = value
        return layer(x)

    inputs = [values(*shape), *[p.data for p in layer.parameters()]]
    check_gradients(function, *inputs, order=2)


CASES = [((0,), (3,)), ((1,), (3,)), ((0, 1), (4, 3)), ((1,), (4, 1)), ((0,), (4, 3)), ((-1, 0), ()), ((1,), (1, 3))]


@pytest.mark.parametrize(("axis", "affine_shape"), CASES)
@pytest.mark.parametrize("centered", [True, False])
def test_all_three_results_of_standardize_have_right_gradients(axis, affine_shape, centered):
    x, w, b = values(4, 3), values(*affine_shape), values(*affine_shape)
    for k in range(3):
        check_gradients(lambda *a, k=k: standardize(*a, axis, 0.1, centered)[k], x, w, b, order=2)
    for inputs in ((x,), (x, w)):
        check_gradients(lambda *a: standardize(*a, axis=axis, eps=0.1, centered=centered)[0], *inputs, order=2)
    check_gradients(lambda b: standardize(x, None, b, axis, 0.1, centered)[0], b, order=2)
    check_gradients(lambda w: standardize(x, w, b, axis, 0.1, centered)[0], w, order=2)

    def all_of_them(x, w, b):
        y, mean, var = standardize(x, w, b, axis, 0.1, centered)
        return (y * var + mean).sum() * y.sum() + (x * mean).sum()

    check_gradients(all_of_them, x, w, b, order=2)


def test_a_third_derivative_is_right():
    check_gradients(lambda x, w: standardize(x, w, axis=0, eps=0.1)[0] ** 2, values(3, 2), values(2), order=3)


def test_weight_and_bias_of_different_shapes():
    x, w, b = values(4, 3), values(3), values(4, 1)
    check_gradients(lambda *a: standardize(*a, axis=0, eps=0.1)[0], x, w, b, order=2)
    check_gradients(lambda *a: standardize(*a, axis=1, eps=0.1)[0], x, w, b, order=2)


@pytest.mark.parametrize(("shape", "axis", "affine"), [
    ((300, 400), 1, (400,)),
    ((1, 300, 400), 2, (400,)),
    ((97, 6, 500), (1, 2), (6, 1)),
    ((97, 6, 500), 2, (97, 1, 500)),
    ((97, 6, 500), (0, 2), (500,)),
])  # fmt: skip
@pytest.mark.parametrize("centered", [True, False])
def test_a_large_array_gets_the_gradients_of_the_plain_formula(shape, axis, affine, centered):
    inputs, g = [values(*shape), values(*affine)], values(*shape)

    def plain(x, w):
        d = x - x.mean(axis, keepdims=True) if centered else x
        return d / np.sqrt((d * d).mean(axis, keepdims=True) + 1e-5) * w

    found, expected = [leaf(v) for v in inputs], [leaf(v) for v in inputs]
    standardize(*found, axis=axis, centered=centered)[0].backward(g)
    plain(*expected).backward(g)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one.grad, other.grad, rtol=1e-9, atol=1e-9)


def test_a_cotangent_that_was_changed_between_two_passes_is_not_taken_for_the_old_one():
    x, w, b = leaf(values(5, 3)), leaf(values(3)), leaf(values(3))
    y = standardize(x, w, b, axis=0)[0]
    g = values(5, 3)
    old = y.gradient(x, w, b, cotangent=g, retain_graph=True)
    y.gradient(x, cotangent=g, retain_graph=True)
    g *= 2
    for k, leaf_ in enumerate((x, w, b)):
        np.testing.assert_allclose(y.gradient(leaf_, cotangent=g, retain_graph=True).data, 2 * old[k].data)
    t = Tensor(g)
    for k, leaf_ in enumerate((w, b, x)):
        found = y.gradient(leaf_, cotangent=t, create_graph=True)
        np.testing.assert_allclose(found.data, 2 * old[(1, 2, 0)[k]].data)


def test_a_recorded_pass_leaves_nothing_for_the_garbage_collector():
    x, w, b = leaf(values(5, 3)), leaf(values(3)), leaf(values(3))

    def penalty():
        y = standardize(x, w, b, axis=0)[0]
        return (y * y).sum().gradient(x, w, b, create_graph=True)[0]

    penalty()
    gc.collect()
    gc.disable()
    try:
        penalty()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_two_backward_passes_with_different_cotangents_add_up():
    x, w, b, g, h = values(5, 3), values(3), values(3), values(5, 3), values(5, 3)

    def gradients(*cotangents):
        leaves = [leaf(v) for v in (x, w, b)]
        y = standardize(*leaves, axis=0)[0]
        for cotangent in cotangents:
            y.backward(cotangent, retain_graph=True)
        return [v.grad for v in leaves]

    for both, one in zip(gradients(g, h), gradients(g + h)):
        np.testing.assert_allclose(both, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_deviations_survive_a_mean_that_is_ten_thousand_times_larger(axis):
    x = (rng.standard_normal((700, 500)) + 1e4).astype(np.float32)
    g = rng.standard_normal(x.shape)

    def gradients(dtype):
        a, w = leaf(x.astype(dtype)), leaf(np.ones(500 if axis == 0 else (700, 1), dtype))
        y = standardize(a, w, axis=axis)[0]
        y.backward(g.astype(dtype))
        return y.data, a.grad, w.grad

    for single, double, tolerance in zip(gradients(np.float32), gradients(np.float64), (1e-4, 1e-3, 5e-2)):
        np.testing.assert_allclose(single, double, atol=tolerance)


def test_batch_norm_of_large_values_learns_the_right_variance():
    layer = nn.BatchNorm1d(4, momentum=1.0)
    x = (rng.standard_normal((4096, 4)) + 1e4).astype(np.float32)
    layer(x)
    np.testing.assert_allclose(layer.running_var.data, x.astype(float).var(0, ddof=1), rtol=1e-5)
    np.testing.assert_allclose(layer.running_mean.data, x.astype(float).mean(0), rtol=1e-7)


def test_half_precision_is_calculated_with_in_single():
    x, w = leaf(values(300, 4).astype(np.float16) * np.float16(200)), leaf(np.ones(4, np.float16))
    y, _, _ = standardize(x, w, axis=0)
    assert y.dtype == np.float16
    np.testing.assert_allclose(y.data.astype(float).std(0), 1, atol=1e-2)
    y.backward(np.ones_like(y.data))
    assert x.grad.dtype == w.grad.dtype == np.float16
    layer = nn.BatchNorm1d(4, dtype=np.float16)
    assert layer(x.data).dtype == layer.running_var.dtype == np.float16
    assert layer.eval()(x.data).dtype == np.float16


def test_results_do_not_depend_on_the_layout_of_the_memory():
    x, g, w = values(6, 5, 4), values(6, 5, 4), values(5, 1)

    def results(a):
        a, v = leaf(a), leaf(w)
        y = standardize(a[:, ::-1].transpose(0, 2, 1).transpose(0, 2, 1), v, axis=(0, 2))[0]
        y.backward(np.asfortranarray(g))
        return y.data, a.grad, v.grad

    plain = results(x)
    for same in (np.asfortranarray(x), x[::-1].copy()[::-1], x.transpose(1, 2, 0).copy().transpose(2, 0, 1)):
        for one, other in zip(results(same), plain):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_inputs_and_cotangents_are_not_written_to():
    x, w, b, g = (v.copy() for v in (values(4, 3), values(3), values(3), values(4, 3)))
    for axis in (0, 1):
        before = [v.copy() for v in (x, w, b, g)]
        for v in (x, w, b, g):
            v.flags.writeable = False
        for centered in (True, False):
            leaves = [leaf(v) for v in (x, w, b)]
            y = standardize(*leaves, axis, centered=centered)[0]
            y.backward(g)
            standardize(x, w, b, axis, centered=centered)
        for v, old in zip((x, w, b, g), before):
            np.testing.assert_array_equal(v, old)


# Modules


def test_running_statistics_stay_as_they_are_in_evaluation_and_follow_without_a_tape_too():
    layer = nn.BatchNorm1d(3, dtype=np.float64)
    x = values(6, 3)
    layer.eval()(x)
    assert layer.num_batches_tracked.item() == 0
    with no_grad():
        layer.train()(x)
    np.testing.assert_allclose(layer.running_mean.data, 0.1 * x.mean(0))
    np.testing.assert_allclose(layer.running_var.data, 0.9 + 0.1 * x.var(0, ddof=1))
    assert layer.num_batches_tracked.dtype == np.int64
    assert layer.num_batches_tracked.shape == ()


def test_without_momentum_the_running_statistics_are_plain_averages():
    layer = nn.BatchNorm1d(3, momentum=None, dtype=np.float64)
    batches = [values(6, 3) for _ in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean.data, np.mean([x.mean(0) for x in batches], 0))
    np.testing.assert_allclose(layer.running_var.data, np.mean([x.var(0, ddof=1) for x in batches], 0))


@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (1, 3, 1)])
def test_a_batch_of_one_value_per_channel_is_refused_in_training_and_changes_nothing(shape):
    layer = nn.BatchNorm1d(3)
    before = layer.state_dict()
    with pytest.raises(ValueError, match="more than one value of each channel in a batch"):
        layer(np.zeros(shape, np.float32))
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
    assert layer.eval()(np.zeros(shape, np.float32)).shape == shape


def test_empty_batches_pass_where_no_statistics_are_taken_over_them():
    empty = np.zeros((0, 4, 3), np.float32)
    layer = nn.InstanceNorm1d(4, affine=True, track_running_stats=True)
    for module in (layer, nn.LayerNorm(3), nn.RMSNorm((4, 3)), nn.GroupNorm(2, 4), nn.BatchNorm1d(4).eval()):
        x = leaf(empty)
        y = module(x)
        y.backward(np.zeros_like(empty))
        assert y.shape == x.grad.shape == (0, 4, 3)
        assert all((p.grad == 0).all() and p.grad.shape == p.shape for p in module.parameters())
    assert np.isfinite(layer.running_mean.data).all()


def test_one_position_is_refused_by_instance_norm():
    with pytest.raises(ValueError, match="in each example"):
        nn.InstanceNorm1d(3)(np.zeros((4, 3, 1)))


@pytest.mark.parametrize(("layer", "shape", "words"), [
    (nn.BatchNorm1d(3), (4, 5), r"BatchNorm1d\(3\) takes an input of shape \(N, 3\) or \(N, 3, L\), .* \(4, 5\)"),
    (nn.BatchNorm1d(3), (4, 3, 5, 6), r"\(N, 3\) or \(N, 3, L\)"),
    (nn.BatchNorm2d(3), (4, 3), r"\(N, 3, H, W\)"),
    (nn.InstanceNorm1d(3), (3, 7), r"\(N, 3, L\)"),
    (nn.LayerNorm((2, 3)), (4, 3), r"shape \(2, 3\); the input has shape \(4, 3\)"),
    (nn.RMSNorm(3), (), r"shape \(3,\); the input has shape \(\)"),
    (nn.GroupNorm(3, 6), (4, 3), r"\(N, 6, …\)"),
    (nn.GroupNorm(3, 6), (6,), r"\(N, 6, …\)"),
])  # fmt: skip
def test_an_input_of_another_shape_is_refused_in_words(layer, shape, words):
    with pytest.raises(ValueError, match=words):
        layer(np.zeros(shape, np.float32))


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.BatchNorm1d(3, affine=False), nn.LayerNorm(3), nn.RMSNorm(3)])
def test_another_dtype_is_refused_as_linear_refuses_it(layer):
    with pytest.raises(TypeError, match=r"float32 parameters and was given float64 input.*astype\(np\.float32\)"):
        layer(np.zeros((4, 3)))
    assert layer([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).dtype == np.float32


def test_a_layer_without_any_state_takes_every_floating_dtype_and_no_other():
    for layer in (nn.LayerNorm(3, elementwise_affine=False), nn.InstanceNorm1d(4), nn.GroupNorm(2, 4, affine=False)):
        for dtype in (np.float16, np.float32, np.float64):
            assert layer(np.ones((2, 4, 3), dtype)).dtype == dtype
        with pytest.raises(TypeError, match="int64"):
            layer(np.ones((2, 4, 3), np.int64))


@pytest.mark.parametrize(("make", "words"), [
    (lambda: nn.BatchNorm1d(0), "num_features must be a positive integer, got 0"),
    (lambda: nn.BatchNorm1d(2.0), "num_features"),
    (lambda: nn.BatchNorm1d(2, momentum=1.5), "momentum"),
    (lambda: nn.BatchNorm1d(2, eps=-1.0), "eps"),
    (lambda: nn.GroupNorm(4, 6), "6 channels do not make 4 groups"),
    (lambda: nn.LayerNorm(()), "at least one"),
    (lambda: nn.LayerNorm((3, -1)), "positive integer"),
])  # fmt: skip
def test_bad_arguments_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
    with pytest.raises(TypeError, match="complex128"):
        nn.LayerNorm(3, dtype=np.complex128)


def test_bad_arguments_of_the_functions_are_refused():
    x = np.ones((4, 3))
    with pytest.raises(ValueError, match=r"weight of shape \(4,\) does not broadcast"):
        standardize(x, np.ones(4))
    with pytest.raises(ValueError, match="does not broadcast"):
        standardize(x, np.ones((2, 4, 3)))
    with pytest.raises(TypeError, match="bias is float32 and x is float64"):
        standardize(x, None, np.ones(3, np.float32))
    with pytest.raises(ValueError, match="nothing to normalise over"):
        standardize(np.ones((4, 0)))
    with pytest.raises(ValueError, match="one number for each of 3 channels"):
        group_norm(x, 3, np.ones((3, 1)))
    with pytest.raises(ValueError, match="groups of equal size"):
        group_norm(x, 2)
    with pytest.raises(TypeError, match="int64"):
        rms_norm(np.ones(3, int), 3)


def test_states_load_copies_are_independent_and_conversion_reaches_the_buffers():
    layer = randomised(nn.BatchNorm1d(3))
    layer(values(5, 3).astype(np.float32))
    other = nn.BatchNorm1d(3)
    other.load_state_dict(layer.state_dict())
    twin = copy.deepcopy(layer)
    x = values(5, 3).astype(np.float32)
    for module in (other.eval(), twin.eval()):
        np.testing.assert_array_equal(module(x).data, layer.eval()(x).data)
    twin.train()(x)
    assert (twin.num_batches_tracked.item(), layer.num_batches_tracked.item()) == (2, 1)
    layer.to(np.float64)
    assert (layer.running_mean.dtype, layer.num_batches_tracked.dtype) == (np.float64, np.int64)
    assert layer(values(5, 3)).dtype == np.float64


def test_frozen_weights_get_no_gradient_and_the_input_still_does():
    layer = randomised(nn.BatchNorm1d(3, dtype=np.float64)).requires_grad_(False)
    x, g = values(5, 3), values(5, 3)
    free, frozen = leaf(x), leaf(x)
    layer(frozen).backward(g)
    layer.requires_grad_()(free).backward(g)
    np.testing.assert_allclose(frozen.grad, free.grad)


def test_reprs_say_what_is_not_the_default():
    assert repr(nn.BatchNorm1d(3)) == "BatchNorm1d(3)"
    assert repr(nn.BatchNorm2d(3, momentum=None, affine=False)) == "BatchNorm2d(3, momentum=None, affine=False)"
    assert repr(nn.InstanceNorm1d(3)) == "InstanceNorm1d(3)"
    assert repr(nn.LayerNorm((3, 4))) == "LayerNorm(3, 4)"
    assert repr(nn.GroupNorm(2, 6)) == "GroupNorm(2 groups of 3 channels)"
    assert repr(nn.InstanceNorm2d(3, eps=1e-3, affine=True)) == "InstanceNorm2d(3, eps=0.001, affine=True)"
    assert repr(nn.LayerNorm(3, bias=False)) == "LayerNorm(3, bias=False)"
    assert repr(nn.LayerNorm(3, elementwise_affine=False)) == "LayerNorm(3, elementwise_affine=False)"
    assert repr(nn.RMSNorm(3, 1e-6)) == "RMSNorm(3, eps=1e-06)"
    assert repr(nn.GroupNorm(2, 6, affine=False)) == "GroupNorm(2 groups of 3 channels, affine=False)"
