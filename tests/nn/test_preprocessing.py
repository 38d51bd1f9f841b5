"""Standardize: the statistics of the training set, over which axes, saved with the weights; and its refusals."""

import copy

import numpy as np
import pytest

import nn
from autograd import StaleError, Tensor, check_gradients


@pytest.mark.parametrize(
    ("shape", "axes"),
    [(5, (0, 1, 2)), ((4, 5), (0, 1)), ((3, 4, 5), 0), ([4, 5], (0, 1)), ((), None), ((6, 3, 4, 5), ())],
)
def test_the_statistics_are_taken_over_all_axes_before_the_shape(shape, axes):
    x = np.random.default_rng(0).normal(3, 2, (6, 3, 4, 5))
    scale = nn.Standardize(shape, dtype=np.float64).fit(x)
    std = x.std(axis=axes) if axes != () else np.ones(x.shape)
    np.testing.assert_allclose(scale.mean.data, x.mean(axis=axes), rtol=1e-13)
    np.testing.assert_allclose(scale.std.data, std, rtol=1e-13)
    np.testing.assert_allclose(scale(x), (x - x.mean(axis=axes)) / std, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scale.inverse(scale(x)), x, rtol=1e-13)


def test_the_test_set_is_measured_with_the_training_sets_statistics():
    rng = np.random.default_rng(0)
    train, test = rng.normal([0, 10], [1, 5], (50, 2)), rng.normal([2, 0], 1, (20, 2))
    scale = nn.Standardize(2, dtype=np.float64).fit(train)
    np.testing.assert_allclose(scale(test), (test - train.mean(0)) / train.std(0), rtol=1e-12)
    assert scale.eval()(test).mean(0)[0] > 1
    assert scale.train()(test).mean(0)[0] > 1


def test_it_is_scikit_learns_scaler():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(1).normal([1, -2, 1e6], [1e-3, 5, 1], (100, 3))
    expected = preprocessing.StandardScaler().fit_transform(x)
    np.testing.assert_allclose(nn.Standardize(3, dtype=np.float64).fit(x)(x), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12])
def test_a_large_mean_costs_no_digits(offset):
    d = np.random.default_rng(2).integers(-50, 50, (4001, 1)).astype(float)
    scale = nn.Standardize(1, dtype=np.float64).fit(d + offset)
    assert scale.mean.item() == pytest.approx(offset + d.mean(), rel=1e-15)
    assert scale.std.item() == pytest.approx(d.std(), rel=1e-12)


@pytest.mark.parametrize("factor", [1e-300, 1e-170, 1e170, 1e300])
def test_squares_neither_overflow_nor_vanish(factor):
    scale = nn.Standardize((), dtype=np.float64).fit(np.array([1.0, 2.0, 6.0]) * factor)
    assert scale.std.item() == pytest.approx(np.std([1.0, 2.0, 6.0]) * factor, rel=1e-14)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [(dtype, value) for dtype in (np.float64, np.float32) for value in (0, 1, 0.1, 123.456, 1e-20, 1e20)]
    + [(dtype, value) for dtype in (np.int64, np.uint8, np.bool_) for value in (0, 1)],
)
def test_a_constant_column_is_only_centred(dtype, value):
    x = np.full((1001, 2), value, dtype)
    x[::2, 1] = 0
    scale = nn.Standardize(2, dtype=np.float64).fit(x)
    assert scale.std.data[0] == 1
    assert (scale.std.data[1] == 1) == (value == 0)
    np.testing.assert_allclose(scale(x.astype(np.float64))[:, 0], 0, atol=1e-15 * value)


def test_numbers_that_differ_by_rounding_are_constant_and_small_ones_are_not():
    x = np.array([[0.1 + 0.2, 1.0], [0.3, 1.0 + 1e-9], [0.3, 1.0]])
    assert x[0, 0] != x[1, 0]
    std = nn.Standardize(2, dtype=np.float64).fit(x).std.data
    assert std[0] == 1
    assert std[1] == pytest.approx(x[:, 1].std(), rel=1e-6)
    coarse = (np.array([0.1, 0.2, 0.7], np.float32).sum() * np.ones(3, np.float32)).reshape(-1, 1)
    coarse[0] = np.nextafter(coarse[0], np.float32(2))
    assert nn.Standardize(1).fit(coarse).std.item() == 1


def test_arrays_stay_arrays_and_dtypes_stay():
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    scale = nn.Standardize(3).fit(x.astype(np.float64))
    assert (scale.mean.dtype, scale.std.dtype) == (np.float32, np.float32)
    assert type(scale(x)) is np.ndarray
    t = Tensor(x, requires_grad=True)
    y = scale(t)
    assert isinstance(y, Tensor)
    y.sum().backward()
    assert scale(x).dtype == scale.inverse(x).dtype == y.dtype == t.grad.dtype == np.float32
    np.testing.assert_allclose(t.grad, np.broadcast_to(1 / scale.std.data, x.shape), rtol=1e-6)
    np.testing.assert_array_equal(scale(x[::-1, :][:0]), np.zeros((0, 3)))
    np.testing.assert_array_equal(scale(x[::-2]), scale(x)[::-2])
    np.testing.assert_array_equal(scale(x[0]), scale(x)[0])
    np.testing.assert_array_equal(nn.Standardize(3).fit(Tensor(x)).std.data, nn.Standardize(3).fit(x.tolist()).std.data)


def test_gradients():
    rng = np.random.default_rng(3)
    scale = nn.Standardize((2, 3), dtype=np.float64).fit(rng.normal(size=(7, 2, 3)))
    check_gradients(lambda x: scale(x) ** 2, rng.normal(size=(4, 2, 3)), order=2)
    check_gradients(lambda x: scale.inverse(x) ** 2, rng.normal(size=(4, 2, 3)), order=2)


def test_another_fit_replaces_the_first_and_a_graph_of_the_first_is_stale():
    a, b = np.array([[0.0], [2.0]]), np.array([[10.0], [30.0]])
    scale = nn.Standardize(1, dtype=np.float64).fit(a)
    x = Tensor(a, requires_grad=True)
    y = scale(x).sum()
    assert scale.fit(b) is scale
    assert (scale.mean.item(), scale.std.item()) == (20, 10)
    with pytest.raises(StaleError):
        y.backward()


def model():
    return nn.Sequential(nn.Standardize(3), nn.Linear(3, 2, rng=0))


def test_it_is_saved_with_the_weights_and_an_unfitted_one_loads(tmp_path):
    pytest.importorskip("safetensors")
    x = np.random.default_rng(0).normal(5, 2, (20, 3)).astype(np.float32)
    fitted, other = model(), model()
    fitted[0].fit(x)
    nn.save_weights(fitted, tmp_path / "w.safetensors")
    nn.load_weights(other, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(other(x).data, fitted(x).data)
    assert sorted(other[0].state_dict()) == ["fitted", "mean", "std"]
    assert not list(other[0].parameters())
    twin = copy.deepcopy(fitted)
    fitted[0].fit(x * 2)
    np.testing.assert_array_equal(twin(x).data, other(x).data)


def test_an_unfitted_state_takes_the_statistics_away():
    fitted = nn.Standardize(1).fit(np.ones((2, 1), np.float32))
    fitted.load_state_dict(nn.Standardize(1).state_dict())
    with pytest.raises(RuntimeError, match="has no mean and no standard deviation yet"):
        fitted(np.ones((2, 1), np.float32))


def test_conversion_keeps_it_fitted():
    scale = nn.Standardize(1).fit([[1.0], [3.0]]).to("float64")
    assert scale(np.array([[5.0]])).item() == 3.0
    assert scale.fitted.dtype == np.bool_


@pytest.mark.parametrize("call", [nn.Standardize.__call__, nn.Standardize.inverse])
def test_it_refuses_to_guess(call):
    scale = nn.Standardize(3)
    x = np.ones((4, 3), np.float32)
    with pytest.raises(RuntimeError, match=r"Standardize\(3\) has no mean .* call its fit\(x\) with the training set"):
        call(scale, x)
    scale.fit(x)
    with pytest.raises(TypeError, match="float32 parameters and was given float64 input"):
        call(scale, x.astype(np.float64))
    with pytest.raises(ValueError, match=r"inputs of shape \(…, 3\), and was given shape \(4, 1\)"):
        call(scale, x[:, :1])
    with pytest.raises(ValueError, match=r"given shape \(\)"):
        call(scale, np.float32(1))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.ones((4, 2)), ValueError, r"inputs of shape \(…, 3\), and was given shape \(4, 2\)"),
        (np.ones(()), ValueError, r"given shape \(\)"),
        (np.ones((0, 3)), ValueError, r"cannot fit an empty array, of shape \(0, 3\)"),
        ([[1, 2, 3], [4, np.nan, np.inf]], ValueError, r"got 2 numbers .* not finite, the first at \(1, 1\)"),
        (np.ones((4, 3)) * 1j, TypeError, "needs real numbers to fit, got complex128"),
        ([["a", "b", "c"]], TypeError, "convert the values first"),
        (np.ma.masked_array(np.ones((4, 3)), mask=np.eye(4, 3)), TypeError, "masked array"),
        (np.eye(3) * 1e200, ValueError, "too large or too small for float32"),
        (np.eye(3) * 1e-200, ValueError, "too large or too small for float32"),
    ],
)
def test_what_cannot_be_fitted_changes_nothing(x, error, message):
    scale = nn.Standardize(3).fit([[0.0, 1, 2], [4, 4, 4]])
    before = scale.state_dict()
    with pytest.raises(error, match=message):
        scale.fit(x)
    for name, value in scale.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_impossible_shapes_are_refused():
    for shape in (0, -1, 2.5, (3, 0), True):
        with pytest.raises(ValueError, match="each length in shape must be a positive integer"):
            nn.Standardize(shape)
    with pytest.raises(TypeError, match="real floating numbers"):
        nn.Standardize(3, dtype=np.int64)
    assert repr(nn.Standardize((2, 3))) == "Standardize((2, 3))"


def test_the_contours_become_round():
    """The curvature of least squares is XᵀX/m: its condition number falls to about 1, and the steps can be long."""
    rng = np.random.default_rng(4)
    x = rng.normal([100, 0.5], [30, 0.1], (500, 2))
    z = nn.Standardize(2, dtype=np.float64).fit(x)(x)
    assert np.linalg.cond(x.T @ x) > 1e4
    assert np.linalg.cond(z.T @ z) < 1.2
