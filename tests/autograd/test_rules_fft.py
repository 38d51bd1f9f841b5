"""Fourier transforms: any length and axis, the edges of half a spectrum, precision, and a comparison with PyTorch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rule_examples import values

from autograd import Tape, Tensor, check_gradients

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]
REAL = ("rfft", "ihfft", "rfft2", "rfftn")


def numbers(shape: Any, of: str, seed: int = 0) -> np.ndarray:
    """Real numbers for the transforms that take only these, complex ones for the others."""
    a = values(shape, seed=seed)
    return a if of in REAL else np.asarray(a + 1j * values(shape, seed=seed + 1))


@st.composite
def calls(draw: Any) -> tuple[Any, dict[str, Any]]:
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=5))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    n = draw(st.sampled_from([None, 1, 2, 3, 6, 7]))
    return shape, {"n": n, "axis": axis, "norm": draw(st.sampled_from([None, "backward", "ortho", "forward"]))}


@pytest.mark.parametrize("name", ONE)
def test_any_length_axis_and_norm(name: str) -> None:
    function = getattr(np.fft, name)

    @given(calls())
    @QUICK
    def check(case: Any) -> None:
        shape, how = case
        a = numbers(shape, name)
        np.testing.assert_array_equal(function(Tensor(a), **how).numpy(), function(a, **how))
        check_gradients(lambda a: function(a, **how), a, order=2)

    check()


@st.composite
def calls_over_axes(draw: Any) -> tuple[Any, dict[str, Any]]:
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=4))
    axes = draw(st.lists(st.integers(-len(shape), len(shape) - 1), min_size=1, max_size=3))
    sizes = draw(st.none() | st.lists(st.sampled_from([-1, 2, 3, 5]), min_size=len(axes), max_size=len(axes)))
    return shape, {"s": sizes, "axes": axes, "norm": draw(st.sampled_from([None, "ortho", "forward"]))}


_OLD = np.lib.NumpyVersion(np.__version__) < "2.1.0"


@pytest.mark.parametrize("name", MANY)
def test_any_axes_and_lengths(name: str) -> None:
    """Also an axis that is named twice, which NumPy transforms twice."""
    function = getattr(np.fft, name)

    @given(calls_over_axes())
    @settings(QUICK, max_examples=20)
    def check(case: Any) -> None:
        shape, how = case
        if _OLD and -1 in (how["s"] or ()) and len({k % len(shape) for k in how["axes"]}) < len(how["axes"]):
            return  # NumPy 2.0 means the length before the first of the transforms, later ones that after it
        a = numbers(shape, name)
        try:
            expected = function(a, **how)
        except (ValueError, TypeError) as error:  # what is not real after a first transform is refused by the second
            with pytest.raises(type(error)):
                function(Tensor(a, requires_grad=True), **how)
            return
        x = Tensor(a, requires_grad=True)
        np.testing.assert_allclose(function(x, **how).numpy(), expected, rtol=1e-14, atol=1e-14)
        check_gradients(lambda a: function(a, **how), a)

    check()


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
def test_lengths_without_axes_mean_the_last_ones(name: str) -> None:
    function, a = getattr(np.fft, name), numbers((2, 3, 4), name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = function(a, (2, 5))
    np.testing.assert_array_equal(function(Tensor(a, requires_grad=True), (2, 5)).numpy(), expected)
    with pytest.raises(ValueError, match="different lengths"):
        function(Tensor(a, requires_grad=True), (2, 5), (0,))


# The edges of half a spectrum


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("name", ["irfft", "hfft"])
def test_imaginary_parts_that_are_ignored_have_no_gradient(name: str, n: int) -> None:
    """Of frequency 0, and of n/2 where n is even: NumPy ignores them, and so must the gradient."""
    function, a = getattr(np.fft, name), numbers((n // 2 + 1,), name)
    x = Tensor(a, requires_grad=True)
    g = function(x, n).gradient(x, cotangent=values((n,)))
    assert g.numpy()[0].imag == 0
    assert (g.numpy()[-1].imag == 0) == (n % 2 == 0)
    shifted = a.copy()
    shifted[0] += 1j
    if n % 2 == 0:
        shifted[-1] += 1j
    np.testing.assert_array_equal(function(shifted, n), function(a, n))


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_a_real_transform_and_its_inverse_are_the_identity_also_for_the_gradient(n: int) -> None:
    a, u = values((3, n)), values((3, n), seed=1)
    for forth, back in [(np.fft.rfft, np.fft.irfft), (np.fft.ihfft, np.fft.hfft)]:
        x = Tensor(a, requires_grad=True)
        y = back(forth(x), n)
        np.testing.assert_allclose(y.gradient(x, cotangent=u).numpy(), u, rtol=1e-13, atol=1e-14)


# Precision, and how it is recorded


@pytest.mark.parametrize("name", [*ONE, *MANY])
def test_single_precision_stays_single(name: str) -> None:
    a = numbers((4, 4), name)
    a = a.astype(np.complex64 if a.dtype.kind == "c" else np.float32)
    x = Tensor(a, requires_grad=True)
    y = getattr(np.fft, name)(x)
    assert y.dtype.itemsize == (8 if y.dtype.kind == "c" else 4)
    g = y.gradient(x, cotangent=np.ones_like(y.numpy()), create_graph=True)
    assert g.dtype == a.dtype


def test_real_input_to_a_complex_transform_has_a_real_gradient() -> None:
    for name in ("fft", "ifft", "irfft", "hfft", "fftn"):
        x = Tensor(values((5,)), requires_grad=True)
        abs(getattr(np.fft, name)(x)).sum().backward()
        assert x.grad.dtype == np.float64


def test_one_transform_for_each_rule_and_nothing_saved() -> None:
    x = Tensor(values((4, 6)), requires_grad=True)
    y = np.fft.irfft2(np.fft.rfft2(x))
    names = [node.primitive.name for node in Tape(y) if not node.is_leaf]
    assert names == ["fft.rfft", "fft.fft", "fft.ifft", "fft.irfft"]
    for node in Tape(y):
        assert not any(isinstance(value, np.ndarray) for value in node.saved)


def test_out_is_refused_and_wrong_arguments_are_numpys_errors() -> None:
    x = Tensor(values((4,)), requires_grad=True)
    with pytest.raises(TypeError, match="out="):
        np.fft.fft(x, out=np.zeros(4, complex))
    with pytest.raises(ValueError, match="Invalid number of FFT data points"):
        np.fft.fft(x, 0)
    with pytest.raises(ValueError, match="norm"):
        np.fft.fft(x, norm="unitary")


# Against PyTorch

CASES: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    *[(name, (3, 6), {"n": n, "axis": 0}, {"n": n, "dim": 0}) for name in ONE for n in (3, 4, 2)],
    *[(name, (3, 5), {"norm": norm}, {"norm": norm}) for name in ONE for norm in ("ortho", "forward")],
    *[(name, (3, 4, 5), {}, {}) for name in MANY],
    *[(name, (3, 4, 5), {"axes": (0, 2), "s": (4, 6)}, {"dim": (0, 2), "s": (4, 6)}) for name in MANY],
]


@pytest.mark.parametrize(("name", "shape", "ours", "theirs"), CASES)
def test_gradients_are_the_conjugates_of_pytorchs(name: str, shape: Any, ours: Any, theirs: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    a = numbers(shape, name)
    x, t = Tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    y, z = getattr(np.fft, name)(x, **ours), getattr(torch.fft, name)(t, **theirs)
    np.testing.assert_allclose(y.numpy(), z.detach().resolve_conj().numpy(), rtol=1e-12, atol=1e-13)
    weights = values(y.shape, 0.5, 2)
    (abs(y) ** 2 * weights).sum().backward()
    (z.abs() ** 2 * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(x.grad, np.conj(t.grad.resolve_conj().numpy()), rtol=1e-11, atol=1e-12)
