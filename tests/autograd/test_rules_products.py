"""Products, einsum, convolution, interpolation, polynomials: options, edges, refusals, and PyTorch's gradients."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import values

from autograd import NoRuleError, Tape, Tensor, check_gradients, no_grad

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def tracked(*shapes: Any) -> list[Tensor]:
    return [Tensor(values(s, seed=k), requires_grad=True) for k, s in enumerate(shapes)]


def same(function: Any, *arrays: Any, rtol: float = 1e-12, order: int = 1, **how: Any) -> None:
    """The values are NumPy's, and the gradients are right."""
    y = function(*[Tensor(a, requires_grad=True) for a in arrays], **how)
    expected = function(*arrays, **how)
    np.testing.assert_allclose(y.numpy(), expected, rtol=rtol, atol=1e-13)
    assert y.dtype == expected.dtype
    check_gradients(lambda *xs: function(*xs, **how), *arrays, order=order)


# Products


@given(st.data())
@QUICK
def test_any_tensordot(data: Any) -> None:
    lengths = data.draw(st.lists(st.integers(0, 3), max_size=2))
    free = [data.draw(st.lists(st.integers(1, 3), max_size=2)) for _ in range(2)]
    shapes, axes = [], []
    for rest in free:
        n = len(rest) + len(lengths)
        places = data.draw(st.permutations(range(n)))[: len(lengths)]
        shape: list[int] = list(rest)
        for place, length in sorted(zip(places, lengths)):
            shape.insert(place, length)
        shapes.append(shape)
        axes.append([p - n if data.draw(st.booleans()) else p for p in places])
    same(np.tensordot, values(shapes[0]), values(shapes[1], seed=1), axes=axes, order=2)


def test_tensordot_refuses_axes_that_do_not_fit() -> None:
    a, b = tracked((2, 3), (3, 2))
    for axes in (3, -1, ([0, 0], [1, 1]), ([0], [0, 1]), ([0, 1], [0, 1])):
        with pytest.raises(ValueError, match="tensordot"):
            np.tensordot(a, b, axes)
    with pytest.raises(np.exceptions.AxisError):
        np.tensordot(a, b, ([2], [0]))


@given(st.lists(st.integers(1, 6), min_size=3, max_size=7), st.booleans(), st.booleans())
@QUICK
def test_any_chain_of_matrices(sizes: list[int], row: bool, column: bool) -> None:
    shapes = [list(pair) for pair in itertools.pairwise(sizes)]
    if row:
        shapes[0] = shapes[0][1:]
    if column:
        shapes[-1] = shapes[-1][:1]
    arrays = [values(s, seed=k) for k, s in enumerate(shapes)]
    same(lambda *xs: np.linalg.multi_dot(xs), *arrays, rtol=1e-9)


def test_a_chain_is_multiplied_in_the_cheapest_order() -> None:
    x = tracked((10, 100), (100, 5), (5, 50), (50, 1))
    sizes = [node.shape for node in Tape(np.linalg.multi_dot(x)) if not node.is_leaf]
    assert sizes == [(5, 1), (100, 1), (10, 1)]
    with pytest.raises(np.linalg.LinAlgError, match="1-dimensional array given"):
        np.linalg.multi_dot([x[0], Tensor(np.ones(100)), x[0]])
    with pytest.raises(ValueError, match="two arrays"):
        np.linalg.multi_dot([x[0]])


def test_first_arguments_that_are_conjugated() -> None:
    a, b = values((2, 3)) + 1j * values((2, 3), seed=2), values((2, 3), seed=1) * (1 - 2j)
    for function in (np.vdot, np.vecdot, np.linalg.vecdot, np.inner, np.outer, np.kron):
        y = function(Tensor(a, requires_grad=True), b)
        np.testing.assert_allclose(y.numpy(), function(a, b), rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "shapes", "how"),
    [
        ("vecdot", ((3, 2), (3, 2)), {"axes": [(0,), 0]}),
        ("vecdot", ((2, 3, 4), (3,)), {"axes": [1, 0, ()]}),
        ("vecdot", ((2, 3, 4), (2, 3, 4)), {"axis": 1, "keepdims": True}),
        ("matvec", ((4, 2, 3), (5, 1, 3)), {"axes": [(-2, -1), -1, 0]}),
        ("matvec", ((2, 3), (3, 4)), {"axes": [(0, 1), 0, 0]}),
        ("vecmat", ((2,), (3, 2, 4)), {"axes": [0, (1, 0), 0]}),
    ],
)
def test_options_of_the_vector_products(name: str, shapes: Any, how: Any) -> None:
    function = getattr(np, name, None)
    if function is None:
        pytest.skip(f"this NumPy has no {name}")
    same(function, values(shapes[0]), values(shapes[1], seed=1), order=2, **how)


def test_options_without_a_rule_are_refused_by_name() -> None:
    a, b = tracked((3, 3), (3, 3))
    with pytest.raises(NoRuleError, match=r"np\.vecdot with order="):
        np.vecdot(a, b, order="F")
    with pytest.raises(NoRuleError, match=r"np\.matmul with axes="):
        np.matmul(a, b, axes=[(0, 1), (0, 1), (0, 1)])
    with pytest.raises(TypeError, match="out="):
        np.vecdot(a, b, out=np.zeros(3))
    if hasattr(np, "matvec"):
        with pytest.raises(TypeError, match="axes="):
            np.matvec(a, b, axis=0)


def test_vectors_of_the_plane_have_a_cross_product() -> None:
    cases = [((2,), (2,), {}), ((4, 2), (3,), {}), ((3,), (4, 2), {}), ((2, 4), (4, 2), {"axisa": 0})]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for a, b, how in cases:
            same(np.cross, values(a), values(b, seed=1), order=2, **how)
    x, y = tracked((4,), (4,))
    with pytest.raises(ValueError, match="dimension must be 2 or 3"):
        np.cross(x, y)
    with pytest.raises(ValueError, match="3-dimensional vectors"):
        np.linalg.cross(x, y)
    with pytest.raises(ValueError, match="one-dimensional"):
        np.linalg.outer(x, Tensor(np.ones((2, 2))))


def test_numpys_other_names() -> None:
    a, b = values((3, 3)), values((3, 3), seed=1)
    for function in (np.linalg.matmul, np.linalg.tensordot):
        same(function, a, b)


# einsum


def test_options_of_einsum() -> None:
    a, b, c = (values((3, 3), seed=k) for k in range(3))
    path = np.einsum_path("ij,jk,kl", a, b, c)[0]
    for how in ({"optimize": path}, {"optimize": "optimal"}, {"optimize": ("greedy", 100)}, {"order": "F"}):
        same(lambda *xs, how=how: np.einsum("ij,jk,kl", *xs, **how), a, b, c)
    same(lambda x, y: np.einsum("ij,jk", x, y, dtype=np.complex128), a, b)
    x = Tensor(a.astype(np.float32), requires_grad=True)
    y = np.einsum("ij,jk", x, b.astype(np.float32), dtype=np.float64)
    assert y.dtype == np.float64
    assert y.gradient(x, cotangent=np.ones((3, 3))).dtype == np.float32
    with pytest.raises(TypeError, match="casting"):
        np.einsum("ij,jk", Tensor(a, requires_grad=True), b, dtype=np.float32, casting="safe")
    assert isinstance(np.einsum_path("ij,jk", x, x)[1], str)
    with pytest.raises(ValueError, match="labels"):
        np.einsum(x, [0, -1], [0])


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        *[("ij,jk->ik", ((9, 10), (10, 11))), ("ij,kj->ki", ((9, 10), (11, 10))), ("ji,jk", ((10, 9), (10, 8)))],
        *[("bij,bjk->bik", ((2, 9, 10), (2, 10, 8))), ("bij,bjk->kib", ((2, 9, 10), (1, 10, 8)))],
        *[("bhqd,bhkd->bhqk", ((2, 3, 5, 12), (2, 3, 9, 12))), ("abc,cbd->ad", ((9, 2, 5), (5, 2, 8)))],
        *[("abc,dc->adb", ((3, 4, 9), (7, 9))), ("...ij,...jk->...ik", ((2, 9, 10), (3, 1, 10, 8)))],
        *[("ij,jk,kl->il", ((20, 21), (21, 18), (18, 22))), ("ij,jk->ki", ((30, 1), (9, 30)))],
    ],
)
def test_rules_of_larger_contractions(subscripts: str, shapes: Any) -> None:
    """Which are products of matrices: the same as the rule that is an einsum, whatever the arrangement."""
    arrays = [values(s, seed=k) for k, s in enumerate(shapes)]
    inputs = [Tensor(a, requires_grad=True) for a in arrays]
    y = np.einsum(subscripts, *inputs)
    u = values(y.shape, seed=9)
    for k, g in enumerate(y.gradient(*inputs, cotangent=u, create_graph=True)):
        d = values(shapes[k], seed=10 + k)
        moved = np.einsum(subscripts, *[d if i == k else a for i, a in enumerate(arrays)])
        assert g.shape == shapes[k]
        np.testing.assert_allclose((g.numpy() * d).sum(), (moved * u).sum(), rtol=1e-10)


# Convolution


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["full", "same", "valid"]))
@QUICK
def test_any_convolution(n: int, m: int, mode: str) -> None:
    a, v = values((n,)) + 0.5j * values((n,), seed=2), values((m,), seed=1) * (1 - 0.5j)
    for function in (np.convolve, np.correlate):
        same(function, a.real, v.real, mode=mode, order=2)
        same(function, a, v, mode=mode)
        same(function, a, v.real, mode=mode)


def test_convolution_refuses_what_numpy_refuses() -> None:
    x = Tensor(values((2, 3)), requires_grad=True)
    for bad in (x, x[0, :0]):
        with pytest.raises(ValueError, match=r"too deep|empty"):
            np.convolve(bad, np.ones(2))


# Interpolation


def slopes(x: Any, xp: Any, fp: Any, **how: Any) -> tuple[np.ndarray, ...]:
    inputs = [Tensor(a, requires_grad=True, dtype=float) for a in (x, xp, fp)]
    y = np.interp(*inputs, **how)
    y.sum().backward()
    return y.numpy(), *[t.grad for t in inputs]


def test_interpolation_at_its_edges() -> None:
    xp, fp = [0.0, 1.0, 3.0], [0.0, 2.0, 8.0]
    x = [-1.0, 0.0, 1.0, 3.0, 4.0]
    y, gx, _, gf = slopes(x, xp, fp)
    np.testing.assert_array_equal(y, np.interp(x, xp, fp))
    np.testing.assert_array_equal(gx, [0.0, 2.0, 3.0, 3.0, 0.0])
    np.testing.assert_array_equal(gf, [2.0, 1.0, 2.0])
    _, gx, _, gf = slopes(x, xp, fp, left=-5.0, right=7.0)
    np.testing.assert_array_equal(gf, [1.0, 1.0, 1.0])


def test_interpolation_far_outside_and_at_jumps_has_finite_gradients() -> None:
    for xp in ([0.0, 1.0, 1.0, 3.0], [0.0, 0.0, 1.0, 3.0], [0.0, 1.0, 3.0, 3.0]):
        x = [-np.inf, np.inf, 0.0, 1.0, 2.0, 3.0]
        y, *gradients = slopes(x, xp, [1.0, 2.0, 4.0, 8.0])
        np.testing.assert_allclose(y, np.interp(x, xp, [1.0, 2.0, 4.0, 8.0]))
        assert all(np.isfinite(g).all() for g in gradients)
    y, *_ = slopes([np.nan, 0.5], [0.0, 1.0], [1.0, 2.0])
    np.testing.assert_array_equal(y, [np.nan, 1.5])


def test_interpolation_at_a_knot_beside_one_without_a_finite_value() -> None:
    for missing in (np.nan, np.inf):
        f = Tensor(np.array([0.0, 1.0, missing]), requires_grad=True)
        with np.errstate(invalid="ignore"):
            y = np.interp([0.5, 1.0], [0.0, 1.0, 2.0], f)
        assert y.numpy().tolist() == [0.5, 1.0]
        np.testing.assert_array_equal(y.gradient(f, cotangent=np.ones(2)).numpy(), [0.5, 1.5, 0.0])


def test_interpolation_of_numbers_and_lists() -> None:
    x = Tensor(0.25, requires_grad=True, dtype=np.float32)
    y = np.interp(x, [0, 1], [0, 4], left=Tensor(1.0, requires_grad=True))
    assert y.dtype == np.float64
    y.backward()
    assert (x.grad, x.grad.dtype) == (4.0, np.float32)
    for wrong in (([], []), ([0.0, 1.0], [1.0])):
        with pytest.raises(ValueError, match="interp"):
            np.interp(x, *wrong)
    with pytest.raises(ValueError, match="period"):
        np.interp(x, [0, 1], [0, 4], period=0)


# Polynomials


def test_the_roots_move_as_the_coefficients_say() -> None:
    """The inverse of the Jacobian of `poly`, without its constant first coefficient."""
    r = np.array([3.0, -1.0, 0.5])
    p = np.poly(r)
    x, z = Tensor(p, requires_grad=True), Tensor(r, requires_grad=True)
    found, coefficients = np.roots(x), np.poly(z)
    forth = np.array([c.gradient(z, retain_graph=True).numpy() for c in coefficients[1:]])
    back = np.array([y.gradient(x, retain_graph=True).numpy() for y in found])
    np.testing.assert_allclose(back[:, 1:] @ forth, np.eye(3), atol=1e-12)


def test_roots_that_are_complex_give_real_gradients() -> None:
    x = Tensor(np.array([1.0, 2.0, 5.0]), requires_grad=True)
    abs(np.roots(x)).sum().backward()
    np.testing.assert_allclose(x.grad, [-np.sqrt(5.0), 0.0, 1 / np.sqrt(5.0)], atol=1e-12)


def test_roots_at_zero_and_leading_zeros() -> None:
    for p in ([0.0, 1.0, -3.0, 2.0], [1.0, -3.0, 0.0], [0.0, 2.0, 1.0, 0.0]):
        x = Tensor(np.array(p), requires_grad=True)
        y = np.roots(x)
        np.testing.assert_array_equal(y.numpy(), np.roots(p))
        g = y.gradient(x, cotangent=np.ones(len(y)))
        assert np.isfinite(g.numpy()).all()


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_characteristic_polynomial_of_equal_eigenvalues(n: int) -> None:
    """Of the unit matrix det(x - A) = (x - 1)ⁿ: its gradient exists, that of each eigenvalue does not."""
    x = Tensor(np.eye(n), requires_grad=True)
    np.testing.assert_allclose(np.poly(x)[1].gradient(x).numpy(), -np.eye(n))
    np.testing.assert_allclose(np.poly(x)[n].gradient(x).numpy(), (-1.0) ** n * np.eye(n), atol=1e-12)


def test_complex_roots_in_pairs_give_real_coefficients() -> None:
    z = np.array([1 + 2j, 1 - 2j, 3.0 + 0j])
    x = Tensor(z, requires_grad=True)
    y = np.poly(x)
    assert y.dtype == np.poly(z).dtype == np.float64
    g = y.gradient(x, cotangent=np.array([0.0, 1.0, 0.0, 0.0]))
    np.testing.assert_allclose(g.numpy(), [-1, -1, -1])
    a = Tensor(np.array([[0, -1], [1, 0]], complex), requires_grad=True)
    assert np.poly(a).dtype == np.poly(a.numpy()).dtype
    assert np.poly(a).sum().real.gradient(a).dtype == np.complex128
    assert np.poly(Tensor(np.zeros(0), requires_grad=True)) == 1.0


def test_a_division_keeps_quotient_times_divisor_plus_remainder() -> None:
    u, v = values((6,), 1, 3), values((3,), 1, 3, seed=5)
    check_gradients(lambda u, v: np.polyadd(np.polymul(np.polydiv(u, v)[0], v), np.polydiv(u, v)[1]), u, v)
    x = Tensor(u, requires_grad=True)
    y = np.polyadd(np.polymul(np.polydiv(x, v)[0], v), np.polydiv(x, v)[1])
    np.testing.assert_allclose(y.gradient(x, cotangent=u).numpy(), u, rtol=1e-12)
    q, r = np.polydiv(Tensor(v, requires_grad=True), u)
    np.testing.assert_array_equal(q.numpy(), [0.0])
    np.testing.assert_array_equal(r.numpy(), v)


def test_leading_zeros_are_dropped_as_numpy_drops_them() -> None:
    x = Tensor(np.array([0.0, 0.0, 2.0, 1.0]), requires_grad=True)
    y = np.polymul(x, [0, 3, 1])
    np.testing.assert_array_equal(y.numpy(), np.polymul(x.numpy(), [0, 3, 1]))
    np.testing.assert_array_equal(y.gradient(x, cotangent=np.ones(3)).numpy(), [0.0, 0.0, 4.0, 4.0])
    np.testing.assert_array_equal(np.polymul(x * 0, [1.0, 2.0]).numpy(), np.polymul([0.0], [1.0, 2.0]))


def test_coefficients_and_roots_in_a_list() -> None:
    x = Tensor(values((2,)), requires_grad=True)
    for function in (np.roots, np.poly):
        y = function([1.0, x[0], x[1] + 3])
        g = y.gradient(x, cotangent=np.ones_like(y.numpy()))
        z = Tensor(np.array([1.0, x.numpy()[0], x.numpy()[1] + 3]), requires_grad=True)
        expected = function(z).gradient(z, cotangent=np.ones_like(y.numpy()))
        np.testing.assert_allclose(g.numpy(), expected.numpy()[1:], rtol=1e-13)


def test_polynomials_of_order_zero() -> None:
    x = Tensor(values((3,)), requires_grad=True)
    assert np.polyder(x, 0) is x
    assert np.polyint(x, 0) is x
    for function in (np.polyder, np.polyint):
        with pytest.raises(ValueError, match="positive"):
            function(x, -1)
    with pytest.raises(ValueError, match="k must be"):
        np.polyint(x, 3, [1.0, 2.0])


def test_coefficients_of_a_polynomial_at_large_integers() -> None:
    """The powers of an integer do not fit into an integer for long."""
    for x in (np.array([1000, -3]), np.array([100, -3], np.int8)):
        p = Tensor(values((9,)), requires_grad=True)
        g = np.polyval(p, x).gradient(p, cotangent=np.ones(2)).numpy()
        np.testing.assert_allclose(g, np.vander(x.astype(float), 9).sum(0), rtol=1e-14)


def test_results_without_a_quotient_are_tensors_too() -> None:
    q, r = np.polydiv([1.0, 2.0], Tensor(values((3,)), requires_grad=True))
    assert isinstance(q, Tensor)
    assert isinstance(r, Tensor)


def test_the_unscaled_covariance_of_several_fits() -> None:
    x, y = values((6,)), values((6, 2), seed=1)
    expected = np.polyfit(x, y, 1, cov="unscaled")[1]
    _, spread = np.polyfit(Tensor(x, requires_grad=True), y, 1, cov="unscaled")
    assert spread.shape == expected.shape
    np.testing.assert_allclose(spread.numpy(), expected, rtol=1e-10)


def test_other_kinds_of_polynomials_are_refused_by_name() -> None:
    x, m = Tensor(values((3,)), requires_grad=True), Tensor(values((2, 2)), requires_grad=True)
    with pytest.raises(NoRuleError, match=r"np\.polyadd"):
        np.polyadd(x, np.poly1d([1.0, 2.0]))
    with pytest.raises(NoRuleError, match=r"np\.polyval"):
        np.polyval(x, np.poly1d([1.0, 2.0]))
    with pytest.raises(NoRuleError, match="must be a vector"):
        np.polyval(m, 2.0)
    with pytest.raises(ValueError, match="square"):
        np.poly(Tensor(values((2, 3)), requires_grad=True))


def test_a_fit_of_exact_values_gives_the_polynomial_back() -> None:
    x = np.linspace(-1, 1, 7)
    p = Tensor(values((3,)), requires_grad=True)
    c = np.polyfit(x, np.polyval(p, x), 2)
    np.testing.assert_allclose(c.numpy(), p.numpy(), rtol=1e-12)
    np.testing.assert_allclose(c.gradient(p, cotangent=np.array([1.0, 2.0, 3.0])).numpy(), [1, 2, 3], rtol=1e-12)
    y = Tensor(values((7,)), requires_grad=True)
    with pytest.warns(np.exceptions.RankWarning):
        np.polyfit(np.ones(7), y, 2)
    for wrong in ((x[:3], y, 1), (x[None], y, 1)):
        with pytest.raises(TypeError, match="polyfit"):
            np.polyfit(*wrong)
    with pytest.raises(ValueError, match="deg"):
        np.polyfit(x, y, -1)


# Against PyTorch


_A, _B = values((3, 4)) + 0j, values((3, 4), seed=1) + 0j
_A, _B = _A + 0.5j * values((3, 4), seed=2), _B - 0.7j * values((3, 4), seed=3)
COMPARISONS: dict[str, tuple[Any, Any]] = {
    "inner": (np.inner, lambda t, a, b: t.inner(a, b)),
    "outer": (np.outer, lambda t, a, b: t.outer(a.ravel(), b.ravel())),
    "vdot": (np.vdot, lambda t, a, b: t.vdot(a.ravel(), b.ravel())),
    "vecdot": (np.vecdot, lambda t, a, b: t.linalg.vecdot(a, b)),
    "tensordot": (
        lambda a, b: np.tensordot(a, b, ([0], [0])),
        lambda t, a, b: t.tensordot(a, b, dims=([0], [0])),
    ),
    "kron": (np.kron, lambda t, a, b: t.kron(a, b)),
    "cross": (lambda a, b: np.cross(a, b, axis=0), lambda t, a, b: t.linalg.cross(a, b, dim=0)),
    "multi_dot": (
        lambda a, b: np.linalg.multi_dot([a, b.T, a]),
        lambda t, a, b: t.linalg.multi_dot([a, b.T, a]),
    ),
    "einsum": (
        lambda a, b: np.einsum("ij,kj,kl->il", a, b, a),
        lambda t, a, b: t.einsum("ij,kj,kl->il", a, b, a),
    ),
    "diagonal": (lambda a, b: np.einsum("ii,ij->j", a[:, :3], b), lambda t, a, b: t.einsum("ii,ij->j", a[:, :3], b)),
    "vander": (lambda a, b: np.vander(a[0], 3), lambda t, a, b: t.linalg.vander(a[0], N=3).flip(1)),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_gradients_are_the_conjugates_of_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    ours, theirs = COMPARISONS[name]
    inputs = [Tensor(a, requires_grad=True) for a in (_A, _B)]
    tensors = [torch.tensor(a, requires_grad=True) for a in (_A, _B)]
    y, z = ours(*inputs), theirs(torch, *tensors)
    np.testing.assert_allclose(y.numpy(), z.detach().resolve_conj().numpy(), rtol=1e-12, atol=1e-13)
    weights = values(y.shape, 0.5, 2)
    (abs(y) ** 2 * weights).sum().backward()
    (z.abs() ** 2 * torch.tensor(weights)).sum().backward()
    for x, t in zip(inputs, tensors):
        if t.grad is None:
            assert x.grad is None
        else:
            np.testing.assert_allclose(x.grad, np.conj(t.grad.resolve_conj().numpy()), rtol=1e-11, atol=1e-12)


def test_einsum_keeps_only_what_its_rules_need() -> None:
    x, w = Tensor(np.ones((2, 3)), requires_grad=True), np.ones((3, 4))

    def kept(y: Tensor) -> list[int]:
        return [a.size for value in y.node.saved or () if isinstance(value, list) for a in value if hasattr(a, "size")]

    assert kept(np.einsum("ij->j", x)) == []
    assert kept(np.einsum("ij,jk->ik", x, w)) == [12]
    assert sorted(kept(np.einsum("ij,jk->ik", x, Tensor(w, requires_grad=True)))) == [6, 12]
    y = np.einsum("ij,jk->ik", x, w)
    with no_grad():
        x *= 2.0
    y.sum().backward()  # x was written in place, and nobody needs it
    assert x.grad.tolist() == [[4, 4, 4], [4, 4, 4]]
