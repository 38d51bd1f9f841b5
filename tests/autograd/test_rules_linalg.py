"""numpy.linalg beyond the table of examples: singular matrices, equal values, refusals, PyTorch's gradients."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples.linalg import H, hermitian, regular, separated
from rule_examples.table import values

from autograd import NoRuleError, Tensor, check_gradients

LA: Any = np.linalg
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def complex_values(*shape: int) -> np.ndarray:
    return np.asarray(values(shape) + 1j * values(shape, seed=9))


def gradient(function: Any, at: Any, cotangent: Any = None) -> np.ndarray:
    x = Tensor(at, requires_grad=True)
    y = function(x)
    y.backward(np.ones_like(y.numpy()) if cotangent is None else cotangent)
    return np.asarray(x.grad)


def hessian(function: Any, at: Any) -> np.ndarray:
    x = Tensor(at, requires_grad=True)
    first = function(x).gradient(x, create_graph=True)
    if not first.requires_grad:
        return np.zeros((first.size, first.size))
    rows = [g.gradient(x, retain_graph=True).numpy().ravel() for g in first.reshape(-1)]
    return np.array(rows)


def of_rank(r: int, n: int, kind: str = "real") -> np.ndarray:
    a = values((n, r)) @ values((r, n), seed=1)
    return np.asarray(a if kind == "real" else a + 1j * values((n, r), seed=2) @ values((r, n), seed=1))


# Determinants of singular matrices


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_det_of_a_matrix_of_any_rank(n: int, kind: str) -> None:
    for r in range(n + 1):
        check_gradients(LA.det, of_rank(r, n, kind), order=2)


def test_det_of_matrices_that_are_singular_exactly() -> None:
    assert gradient(LA.det, np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    np.testing.assert_allclose(gradient(LA.det, np.diag([2.0, 3.0, 0.0])), np.diag([0, 0, 6.0]), atol=1e-14)
    np.testing.assert_allclose(
        gradient(LA.det, [[1.0, 2.0, 3.0]] * 2 + [[0.0, 0.0, 1.0]]), [[2, -1, 0], [-2, 1, 0], [0, 0, 0]], atol=1e-14
    )
    expected = np.array([[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_allclose(hessian(LA.det, np.zeros((2, 2))), expected, atol=1e-14)
    assert gradient(LA.det, [[0.0]]).tolist() == [[1]]
    assert gradient(LA.det, np.zeros((3, 3))).tolist() == np.zeros((3, 3)).tolist()


def test_det_of_singular_and_regular_matrices_in_one_stack() -> None:
    stack = np.stack([np.eye(3), np.diag([1.0, 2.0, 0.0]), regular(3)])
    together = gradient(LA.det, stack)
    for one, alone in zip(together, stack):
        np.testing.assert_allclose(one, gradient(LA.det, alone), atol=1e-14)
    check_gradients(LA.det, stack)


def test_third_derivatives_of_det_at_the_identity() -> None:
    check_gradients(LA.det, np.eye(3), order=3)
    check_gradients(LA.det, 2 * np.eye(3) + 1j, order=3)


def test_slogdet_of_a_singular_matrix_is_infinite() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        g = gradient(lambda a: LA.slogdet(a)[1], [[1.0, 2.0], [2.0, 4.0]])
    assert np.isinf(g).all()
    np.testing.assert_array_equal(np.sign(g), [[1, -1], [-1, 1]])


def test_the_sign_of_a_real_slogdet_is_constant() -> None:
    assert gradient(lambda a: LA.slogdet(a)[0], regular(3)).tolist() == np.zeros((3, 3)).tolist()
    assert gradient(lambda a: LA.slogdet(a)[0], np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    sign, logabsdet = LA.slogdet(Tensor(regular(3), requires_grad=True))
    assert LA.slogdet(Tensor(regular(3))).logabsdet == logabsdet.item()
    assert sign.item() == 1


# Pseudo-inverses and least squares


@pytest.mark.parametrize("hermitian", [False, True])
def test_pinv_along_matrices_of_the_same_rank(hermitian: bool) -> None:
    def call(b: Any) -> Any:
        return LA.pinv(b @ H(b) if hermitian else b @ (b[:2] * b[:2]), rtol=1e-6, hermitian=hermitian)

    check_gradients(call, separated(4, 2), order=2)
    if hermitian:
        check_gradients(call, separated(4, 2) + 1j * separated(4, 2, seed=3), order=2)


def test_pinv_of_the_zero_matrix() -> None:
    assert not gradient(LA.pinv, np.zeros((2, 3))).any()


def test_lstsq_along_matrices_of_the_same_rank() -> None:
    b = values((4, 2), seed=2)
    check_gradients(lambda a, b: LA.lstsq(a @ a[:2], b, 1e-6)[0], separated(4, 2), b, order=2)


def test_the_results_of_lstsq_are_numpys() -> None:
    a, b = separated(4, 3), values((4,))
    x, residuals, rank, s = LA.lstsq(Tensor(a, requires_grad=True), b)
    expected = LA.lstsq(a, b)
    for ours, theirs in zip((x, residuals, rank, s), expected):
        np.testing.assert_array_equal(ours.detach(), theirs)
    assert not rank.requires_grad
    short = LA.lstsq(Tensor(a[:3], requires_grad=True), b[:3])[1]
    assert short.shape == (0,)


def test_the_errors_are_numpys() -> None:
    singular = Tensor(np.ones((2, 2)), requires_grad=True)
    flat = Tensor(np.ones((2, 3)), requires_grad=True)
    for function in (LA.inv, LA.cholesky, lambda a: LA.solve(a, np.ones(2)), lambda a: LA.matrix_power(a, -1)):
        with pytest.raises(LA.LinAlgError):
            function(singular)
    for function in (LA.inv, LA.det, LA.eig, LA.eigvals, LA.eigh, lambda a: LA.matrix_power(a, 2), LA.tensorinv):
        with pytest.raises((LA.LinAlgError, ValueError)):
            function(flat)
    with pytest.raises(TypeError, match="integer"):
        LA.matrix_power(singular, 0.5)
    with pytest.raises(ValueError, match="Invalid ind"):
        LA.tensorinv(singular, 0)
    with pytest.raises(LA.LinAlgError, match="requirement"):
        LA.tensorsolve(flat, np.ones(2))
    with pytest.raises(LA.LinAlgError, match="empty"):
        LA.cond(Tensor(np.zeros((0, 2)), requires_grad=True))


def test_the_zeroth_power_of_a_matrix_is_constant() -> None:
    y = LA.matrix_power(Tensor(regular(2, 3), requires_grad=True), 0)
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), np.broadcast_to(np.eye(2), (3, 2, 2)))


# Factorisations


def test_only_the_triangle_that_is_read_has_a_gradient() -> None:
    a = hermitian(3)
    for function in (
        LA.cholesky,
        LA.eigvalsh,
        lambda a: LA.eigh(a)[1],
        lambda a: LA.pinv(a, hermitian=True),
        lambda a: LA.svd(a, hermitian=True)[1],
    ):
        assert not np.triu(gradient(function, a), 1).any()
        check_gradients(function, a, full=True)
    for function in (lambda a: LA.cholesky(a, upper=True), lambda a: LA.eigh(a, "U")[0]):
        assert not np.tril(gradient(function, a), -1).any()
    # of a matrix that is symmetric by itself, nothing is lost
    b = values((3, 3))
    np.testing.assert_allclose(gradient(lambda b: LA.eigvalsh(b + b.T).sum(), b), 2 * np.eye(3), atol=1e-14)


def test_qr_refuses_what_it_has_no_rule_for() -> None:
    a = Tensor(separated(3, 2), requires_grad=True)
    with pytest.raises(NoRuleError, match="mode='raw'"):
        LA.qr(a, "raw")
    q = LA.qr(a, "complete")[0]
    with pytest.raises(ValueError, match="last columns of Q"):
        LA.qr(Tensor(separated(4, 2), requires_grad=True), "complete")[0].backward(values((4, 4)))
    (q[:, 2:] @ q[:, 2:].T).backward(values((3, 3)))
    with pytest.raises(LA.LinAlgError, match="Singular"):
        gradient(lambda a: LA.qr(a)[0], np.zeros((2, 2)), values((2, 2)))
    assert type(LA.qr(a)).__name__ == "QRResult"


def test_the_basis_that_full_matrices_adds_is_refused() -> None:
    for shape, k in (((4, 2), 0), ((2, 4), 2)):
        y = LA.svd(Tensor(separated(*shape), requires_grad=True))[k]
        with pytest.raises(ValueError, match="full_matrices"):
            y.backward(values((4, 4)))


def test_a_loss_that_depends_on_phases_is_refused() -> None:
    a = complex_values(3, 3)
    for function in (
        lambda a: LA.eigh(a)[1],
        lambda a: LA.eig(a)[1],
        lambda a: LA.svd(a)[0],
        lambda a: LA.svd(a)[2],
        lambda a: LA.svd(a, hermitian=True)[0],
    ):
        with pytest.raises(ValueError, match="phase"):
            gradient(lambda a, f=function: f(a).real, a, values((3, 3)))
        gradient(lambda a, f=function: abs(f(a)) ** 2, a, values((3, 3)))


# Equal eigenvalues and singular values

DOUBLE = LA.qr(values((4, 4)))[0]
DEGENERATE = DOUBLE @ np.diag([1.0, 1.0, 3.0, 4.0]) @ DOUBLE.T


def test_values_alone_have_gradients_where_they_are_equal() -> None:
    for a in (np.eye(3), np.zeros((3, 3)), DEGENERATE):
        n = len(a)
        np.testing.assert_allclose(gradient(lambda a: LA.eigvalsh(a).sum(), a), np.eye(n), atol=1e-13)
        np.testing.assert_allclose(gradient(lambda a: LA.eigvals(a).real.sum(), a), np.eye(n), atol=1e-13)
        square = gradient(lambda a: (LA.svdvals(a) ** 2).sum(), a)
        np.testing.assert_allclose(square, 2 * a, atol=1e-13)


def test_a_projector_has_a_gradient_where_eigenvalues_are_equal() -> None:
    def projector(b: Any) -> Any:
        v = LA.eigh(b)[1][:, :2]
        return v @ v.T

    for scale in (1.0, 1e8):
        with pytest.warns(RuntimeWarning, match="np.linalg.eigh has equal values"):
            g = gradient(projector, scale * DEGENERATE, values((4, 4)))
        step = 1e-5 * scale * values((4, 4), seed=4)
        change = (projector(scale * DEGENERATE + step) - projector(scale * DEGENERATE - step)) / 2
        np.testing.assert_allclose((g * step).sum(), (values((4, 4)) * change).sum(), rtol=1e-6)


def test_the_polar_factor_has_a_gradient_where_singular_values_are_equal() -> None:
    def polar(a: Any) -> Any:
        u, _, vh = LA.svd(a)
        return u @ vh

    for a in (np.eye(3), DOUBLE * 2, DEGENERATE):
        with pytest.warns(RuntimeWarning, match="equal values"):
            check_gradients(polar, a, order=1)


def test_a_matrix_function_of_a_matrix_with_equal_eigenvalues_is_never_silently_wrong() -> None:
    def root(a: Any) -> Any:
        w, v = LA.eigh(a)
        return (v * np.sqrt(w)) @ v.T

    def same(a: Any) -> Any:
        w, v = LA.eigh(a)
        return (v * w) @ v.T

    for a in (np.eye(3), 4 * np.eye(2), DEGENERATE):
        with pytest.warns(RuntimeWarning, match="matrix function"):
            gradient(root, a, values(a.shape))
    with pytest.warns(RuntimeWarning, match="matrix function"):
        gradient(same, np.zeros((2, 2)), values((2, 2)))
    with pytest.warns(RuntimeWarning, match="matrix function"):
        hessian(lambda a: np.prod(LA.eigvalsh(a)), np.eye(2))


def test_reconstruction_of_a_matrix_with_a_singular_value_0() -> None:
    a = separated(4, 3) @ np.diag([1.0, 1.0, 0.0])
    u = values((4, 3), seed=2)

    def again(a: Any) -> Any:
        u, s, vh = LA.svd(a, full_matrices=False)
        return (u * s) @ vh

    np.testing.assert_allclose(gradient(again, separated(4, 3), u), u, rtol=1e-12)
    g = gradient(again, a, u)
    np.testing.assert_allclose(g[:, :2], u[:, :2], rtol=1e-9)


def test_singular_values_at_0_have_the_gradient_0() -> None:
    assert not gradient(LA.svdvals, np.zeros((2, 3))).any()
    g = gradient(lambda a: LA.svdvals(a).sum(), np.diag([2.0, 0.0]))
    np.testing.assert_allclose(g, [[1, 0], [0, 0]], atol=1e-15)
    tiny = gradient(lambda a: np.log(LA.svdvals(a)).sum(), np.diag([2.0, 1e-20]))
    np.testing.assert_allclose(tiny, np.diag([0.5, 1e20]), rtol=1e-12)


def test_eigvals_in_another_order_than_eigs() -> None:
    a = np.random.default_rng(1).normal(size=(150, 150))
    w = LA.eigvals(a)
    assert abs(w - LA.eig(a)[0]).max() > 1, "LAPACK's two orders agree here: another matrix is needed"
    u = np.zeros(150)
    u[70] = 1
    g = gradient(lambda a: LA.eigvals(a).imag, a, u)
    step = 1e-6 * np.random.default_rng(2).normal(size=a.shape)
    near, far = (min(LA.eigvals(a + sign * step), key=lambda z: abs(z - w[70])) for sign in (1, -1))
    change = (near - far).imag / 2
    np.testing.assert_allclose((g * step).sum(), change, rtol=1e-4)


# Norms

NORMS: list[dict[str, Any]] = [
    *[{"ord": p} for p in (None, 1, 2, -1, -2, np.inf, -np.inf, "fro", "nuc")],
    *[{"ord": p, "axis": 1} for p in (None, 0, 1, 2, 3, 4, 1.5, 0.5, np.inf, -np.inf)],
]


@pytest.mark.parametrize("how", NORMS, ids=str)
def test_norms_at_0_have_the_gradient_0_and_the_second_derivative_0(how: dict[str, Any]) -> None:
    for dtype in (float, np.float32, complex):
        x = Tensor(np.zeros((2, 3), dtype), requires_grad=True)
        y = LA.norm(x, **how)
        first = y.gradient(x, cotangent=np.ones_like(y.numpy()), create_graph=True)
        assert not first.numpy().any()
        assert first.dtype == x.dtype
        if first.requires_grad:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "np.linalg.svd has equal values", RuntimeWarning)
                second = (first * Tensor(values((2, 3)).astype(dtype))).sum().real.gradient(x)
            assert not second.numpy().any()


@pytest.mark.parametrize("p", [3, 4, 6])
def test_an_element_that_is_0_in_a_norm(p: float) -> None:
    check_gradients(lambda x: LA.norm(x, p), [0.0, 1.0, -2.0], order=2)


def test_norms_with_ties_share_evenly() -> None:
    ones = np.ones((2, 2))
    assert gradient(lambda x: LA.norm(x, np.inf), ones[0]).tolist() == [0.5, 0.5]
    assert gradient(lambda x: LA.norm(x, -np.inf), -ones[0]).tolist() == [-0.5, -0.5]
    for p in (1, -1, np.inf, -np.inf):
        assert gradient(lambda x, p=p: LA.norm(x, p), ones).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    np.testing.assert_allclose(gradient(lambda x: LA.norm(x, 2), np.eye(2)), np.eye(2) / 2)
    np.testing.assert_allclose(gradient(lambda x: LA.norm(x, "nuc"), np.eye(2)), np.eye(2))


@given(
    st.sampled_from([None, 1, 2, -1, -2, np.inf, -np.inf, "fro", "nuc", 3]),
    st.lists(st.integers(-3, 2), min_size=1, max_size=2, unique_by=lambda k: k % 3),
    st.booleans(),
)
@QUICK
def test_any_axis_of_a_norm(ord: Any, axes: list[int], keepdims: bool) -> None:
    a = values((2, 3, 4))
    how = {"axis": tuple(axes) if len(axes) == 2 else axes[0], "keepdims": keepdims}
    if (isinstance(ord, str) and len(axes) == 1) or (ord == 3 and len(axes) == 2):
        with pytest.raises(ValueError, match=r"[Nn]orm"):
            LA.norm(Tensor(a, requires_grad=True), ord, **how)
        return
    y = LA.norm(Tensor(a, requires_grad=True), ord, **how)
    np.testing.assert_allclose(y.numpy(), LA.norm(a, ord, **how), rtol=1e-13)
    check_gradients(lambda a: LA.norm(a, ord, **how), a, order=1)
    vector = ord if isinstance(ord, int | float) else 2
    how["axis"] = tuple(axes)
    check_gradients(lambda a: LA.vector_norm(a, ord=vector, **how), a, order=1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("norm", {"ord": 2, "axis": (0, 5)}),
        ("norm", {"ord": 2, "axis": (0, 0)}),
        ("norm", {"axis": 3}),
        ("vector_norm", {"axis": 2}),
    ],
)
def test_norms_refuse_axes_that_do_not_exist(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"axis|axes|Duplicate"):
        getattr(LA, name)(Tensor(np.ones((2, 2)), requires_grad=True), **options)


def test_the_condition_of_a_singular_matrix() -> None:
    stack = np.stack([np.ones((2, 2)), np.diag([1.0, 4.0])])
    for p in (None, 1, "fro"):
        x = Tensor(stack, requires_grad=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            y = LA.cond(x, p)
            np.testing.assert_allclose(y.numpy(), LA.cond(stack, p))
            y[1].backward(retain_graph=True)
        assert np.isfinite(x.grad[1]).all()


# Against PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


def _torch_span(x: Any, k: int) -> Any:
    return x[..., :k] @ x[..., :k].mH


def _span(x: Any, k: int) -> Any:
    return x[..., :k] @ H(x[..., :k])


COMPARISONS: dict[str, tuple[Any, Any, tuple[int, ...]]] = {
    "inv": (LA.inv, lambda t, x: t.linalg.inv(x), (2, 3, 3)),
    "pinv": (LA.pinv, lambda t, x: t.linalg.pinv(x), (2, 4, 3)),
    "det": (LA.det, lambda t, x: t.linalg.det(x), (2, 3, 3)),
    "logabsdet": (lambda x: LA.slogdet(x)[1], lambda t, x: t.linalg.slogdet(x)[1], (2, 3, 3)),
    "sign": (lambda x: LA.slogdet(x * 1j)[0], lambda t, x: t.linalg.slogdet(x * 1j)[0], (3, 3)),
    "matrix_power": (lambda x: LA.matrix_power(x, -3), lambda t, x: t.linalg.matrix_power(x, -3), (3, 3)),
    "cholesky": (
        lambda x: LA.cholesky(x @ H(x)),
        lambda t, x: t.linalg.cholesky(x @ x.mH),
        (2, 3, 3),
    ),
    "q": (lambda x: LA.qr(x)[0], lambda t, x: t.linalg.qr(x)[0], (2, 4, 3)),
    "r": (lambda x: LA.qr(x)[1], lambda t, x: t.linalg.qr(x)[1], (2, 4, 3)),
    "wide q": (lambda x: LA.qr(x)[0], lambda t, x: t.linalg.qr(x)[0], (2, 3)),
    "wide r": (lambda x: LA.qr(x)[1], lambda t, x: t.linalg.qr(x)[1], (2, 3)),
    "svdvals": (LA.svdvals, lambda t, x: t.linalg.svdvals(x), (2, 4, 3)),
    "left singular vectors": (
        lambda x: _span(LA.svd(x, False)[0], 2),
        lambda t, x: _torch_span(t.linalg.svd(x, False)[0], 2),
        (2, 4, 3),
    ),
    "right singular vectors": (
        lambda x: _span(H(LA.svd(x, False)[2]), 2),
        lambda t, x: _torch_span(t.linalg.svd(x, False)[2].mH, 2),
        (3, 5),
    ),
    "polar factor": (
        lambda x: np.matmul(*LA.svd(x, False)[::2]),
        lambda t, x: t.matmul(*t.linalg.svd(x, False)[::2]),
        (4, 3),
    ),
    "eigvalsh": (lambda x: LA.eigvalsh(x + H(x)), lambda t, x: t.linalg.eigvalsh(x + x.mH), (2, 3, 3)),
    "eigh": (
        lambda x: _span(LA.eigh(x + H(x))[1], 2),
        lambda t, x: _torch_span(t.linalg.eigh(x + x.mH)[1], 2),
        (2, 4, 4),
    ),
    "eig": (lambda x: abs(LA.eig(x)[1]), lambda t, x: abs(t.linalg.eig(x)[1]), (4, 4)),
    **{
        f"norm {p}": (lambda x, p=p: LA.norm(x, p), lambda t, x, p=p: t.linalg.norm(x, p), (3, 4))
        for p in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    },
    **{
        f"vector norm {p}": (
            lambda x, p=p: LA.vector_norm(x, ord=p, axis=0),
            lambda t, x, p=p: t.linalg.vector_norm(x, p, 0),
            (3, 4),
        )
        for p in (0.5, 1, 2, 3, -1, np.inf, -np.inf)
    },
    **{
        f"cond {p}": (lambda x, p=p: LA.cond(x, p), lambda t, x, p=p: t.linalg.cond(x, p), (3, 3))
        for p in (None, 2, -2, "nuc")
    },
    **{  # PyTorch's own cond cannot differentiate these
        f"cond {p}": (
            lambda x, p=p: LA.cond(x, p),
            lambda t, x, p=p: t.linalg.norm(x, p) * t.linalg.norm(t.linalg.inv(x), p),
            (3, 3),
        )
        for p in ("fro", 1, -1, np.inf)
    },
}


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", COMPARISONS)
def test_values_and_gradients_are_those_of_pytorch(torch: Any, name: str, kind: str) -> None:
    """PyTorch's gradient is ∂L/∂x + i ∂L/∂y, ours is ∂L/∂x − i ∂L/∂y."""
    ours, theirs, shape = COMPARISONS[name]
    a = values(shape, seed=3) if kind == "real" else complex_values(*shape)
    x, t = Tensor(a, requires_grad=True), torch.tensor(a, requires_grad=True)
    y, z = ours(x), theirs(torch, t)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-12)
    u = values(y.shape, seed=5).astype(y.dtype)
    y.backward(u)
    z.backward(torch.tensor(u))
    np.testing.assert_allclose(x.grad, t.grad.numpy().conj(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_solving_is_as_in_pytorch(torch: Any, kind: str) -> None:
    a, b = (values(s, seed=4) if kind == "real" else complex_values(*s) for s in ((2, 3, 3), (2, 3, 2)))
    tall = a.reshape(6, 3)
    for ours, theirs, arrays in (
        (LA.solve, torch.linalg.solve, (a, b)),
        (lambda a, b: LA.lstsq(a, b)[0], lambda a, b: torch.linalg.lstsq(a, b)[0], (tall, b.reshape(6, 2))),
    ):
        inputs = [Tensor(x, requires_grad=True) for x in arrays]
        their_inputs = [torch.tensor(x, requires_grad=True) for x in arrays]
        y, z = ours(*inputs), theirs(*their_inputs)
        u = values(y.shape, seed=5).astype(y.dtype)
        y.backward(u)
        z.backward(torch.tensor(u))
        for x, t in zip(inputs, their_inputs):
            np.testing.assert_allclose(x.grad, t.grad.numpy().conj(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("last", [0.0, 1e-18, 1e-12])
def test_third_derivatives_of_det_at_a_singular_matrix_are_refused(last: float) -> None:
    a = np.diag([2.0, 1.0, last])
    check_gradients(np.linalg.det, a)
    with pytest.raises(NoRuleError, match="third"):
        check_gradients(np.linalg.det, a, order=3)


@pytest.mark.parametrize(("dtype", "size"), [("float64", 1e-120), ("float32", 1e-16)])
def test_the_gradient_of_a_det_that_is_too_small_for_a_float(dtype: str, size: float) -> None:
    x = Tensor(size * np.eye(3), requires_grad=True, dtype=dtype)
    y = np.linalg.det(x)
    assert y == 0.0
    y.backward()
    np.testing.assert_allclose(x.grad, size**2 * np.eye(3), rtol=1e-6)
