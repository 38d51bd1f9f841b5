"""The rules for `scipy.special` beyond their examples: hard points, edges, refusals, the namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd.scipy.special as special
from autograd import NoRuleError, Tensor, check_gradients, logsumexp
from autograd.primitive import Primitive
from autograd.rules import special as rules

INF = np.inf


def slope(function: Any, *at: Any, cotangent: Any = None, dtype: Any = None) -> list[np.ndarray]:
    inputs = [Tensor(x, requires_grad=True, dtype=dtype) for x in at]
    y = function(*inputs)
    y.backward(np.ones_like(y.numpy()) if cotangent is None else np.asarray(cotangent, dtype=y.dtype))
    return [x.grad for x in inputs]


def derivative(function: Any, at: float, order: int) -> float:
    x = Tensor(at, requires_grad=True)
    y = function(x)
    for _ in range(order):
        y = y.gradient(x, create_graph=True)
    return float(y)


# Against mpmath, at points that are hard: near poles and branch points, far out, where formulas cancel


@pytest.fixture(scope="module")
def mp() -> Any:
    return pytest.importorskip("mpmath", reason="mpmath is not installed: nothing to compare with")


Case = tuple[Callable[[Any], Any], Callable[[Any, Any], Any], list[float]]
HARD: dict[str, Case] = {
    "gamma": (sp.gamma, lambda m, x: m.gamma(x), [0.01, 1, 3.3, 50, -0.5, -3.7, -20.4]),
    "gammaln": (sp.gammaln, lambda m, x: m.log(abs(m.gamma(x))), [1e-8, 1.4616, 50, 1e5, -0.5, -20.4, -100.3]),
    "rgamma": (sp.rgamma, lambda m, x: m.rgamma(x), [-6, -1, 0, -3 + 1e-6, 0.49, 0.51, 5, 50, -20.4]),
    "digamma": (sp.digamma, lambda m, x: m.digamma(x), [1e-4, 1.4616, 50, 1e5, -0.5, -20.4]),
    "zeta": (lambda q: sp.zeta(3.5, q), lambda m, q: m.zeta(m.mpf(3.5), q), [0.1, 1, 100]),
    "polygamma": (lambda x: special.polygamma(2, x), lambda m, x: m.polygamma(2, x), [0.1, 1, 100]),
    "gammainc": (
        lambda x: sp.gammainc(0.3, x),
        lambda m, x: m.gammainc(m.mpf(0.3), 0, x, regularized=True),
        [1e-5, 0.999, 1, 5, 50],
    ),
    "gammainc of a large order": (
        lambda x: sp.gammainc(1000, x),
        lambda m, x: m.gammainc(1000, 0, x, regularized=True),
        [900, 1000, 1100],
    ),
    "betainc": (
        lambda x: sp.betainc(2.5, 0.7, x),
        lambda m, x: m.betainc(m.mpf(2.5), m.mpf(0.7), 0, x, regularized=True),
        [1e-5, 0.5, 0.999],
    ),
    "exprel": (sp.exprel, lambda m, x: m.expm1(x) / x, [-1e3, -50, -1, -1e-9, 1e-12, 0.1, 5, 600]),
    "expit": (sp.expit, lambda m, x: 1 / (1 + m.exp(-x)), [-700, -50, -1, 1, 50, 700]),
    "log_expit": (sp.log_expit, lambda m, x: -m.log(1 + m.exp(-x)), [-700, -50, 1, 50, 700]),
    "logit": (sp.logit, lambda m, x: m.log(x / (1 - x)), [1e-100, 1e-9, 0.3, 1 - 1e-12]),
    "erf": (sp.erf, lambda m, x: m.erf(x), [-26, -5, 0.1, 3, 25]),
    "erfc": (sp.erfc, lambda m, x: m.erfc(x), [-26, -5, 0.1, 3, 25]),
    "erfcx": (
        sp.erfcx,
        lambda m, x: m.exp(x * x) * m.erfc(x),
        [-20, -1, 0, 3, 8, 15.9, 16.1, 100, 1e4, 1e8],
    ),
    "dawsn": (
        sp.dawsn,
        lambda m, x: m.sqrt(m.pi) / 2 * m.exp(-x * x) * m.erfi(x),
        [-30, -1, 0.1, 0.92, 8, 15.9, 16.1, 40],
    ),
    "erfinv": (sp.erfinv, lambda m, x: m.erfinv(x), [-0.99999, -0.5, 0.1, 0.999]),
    "log_ndtr": (
        sp.log_ndtr,
        lambda m, x: m.log(m.erfc(-x / m.sqrt(2)) / 2),
        [-1e4, -300, -40, -22, -1, -1e-9, 0, 1e-9, 1, 10, 30],
    ),
    "entr": (sp.entr, lambda m, x: -x * m.log(x), [1e-90, 0.1, 1, 100]),
    "spence": (sp.spence, lambda m, z: m.polylog(2, 1 - z).real, [1e-6, 0.8, 0.9, 1 - 1e-9, 1 + 1e-9, 1.12, 1.13, 1.9]),
    "j1": (sp.j1, lambda m, x: m.besselj(1, x), [0, 1e-8, 0.5, 10, 100]),
    "i1": (sp.i1, lambda m, x: m.besseli(1, x), [0, 1e-5, 2, 100]),
    "jv": (lambda x: sp.jv(2.5, x), lambda m, x: m.besselj(m.mpf(2.5), x), [1e-5, 0.5, 10, 100]),
    "kv": (lambda x: sp.kv(2.5, x), lambda m, x: m.besselk(m.mpf(2.5), x), [1e-5, 0.5, 10, 100]),
    "struve": (lambda x: sp.struve(0.5, x), lambda m, x: m.struveh(m.mpf(0.5), x), [1e-5, 0.5, 10]),
    "Ai": (lambda x: sp.airy(x)[0], lambda m, x: m.airyai(x), [-20, -2.3, 1, 10, 50]),
    "Bi'": (lambda x: sp.airy(x)[3], lambda m, x: m.airybi(x, 1), [-20, -2.3, 1, 10]),
    "Si": (lambda x: sp.sici(x)[0], lambda m, x: m.si(x), [-5, 0, 1e-5, 0.999, 1, 100]),
    "Shi": (lambda x: sp.shichi(x)[0], lambda m, x: m.shi(x), [-5, 0, 1e-5, 0.999, 1, 100]),
    "expn": (lambda x: sp.expn(1, x), lambda m, x: m.expint(1, x), [1e-5, 0.3725, 5, 100]),
    "ellipk": (sp.ellipk, lambda m, x: m.ellipk(x), [-1e4, -1e-3, 0, 1e-9, 0.5, 0.999, 1 - 1e-9]),
    "ellipe": (sp.ellipe, lambda m, x: m.ellipe(x), [-1e4, -1e-3, 0, 1e-9, 0.5, 0.999, 1 - 1e-9]),
    "ellipkm1": (sp.ellipkm1, lambda m, p: m.ellipk(1 - p), [1e-12, 1e-3, 0.49, 0.51, 1, 1.5]),
    "lambertw": (lambda z: sp.lambertw(z).real, lambda m, z: m.lambertw(z).real, [-0.3678, -0.3, 0, 1e-9, 1, 1e90]),
    "wrightomega": (sp.wrightomega, lambda m, z: m.lambertw(m.exp(z)).real, [-50, -1, 1, 300]),
    "boxcox in λ": (
        lambda a: sp.boxcox(2.0, a),
        lambda m, a: (m.mpf(2) ** a - 1) / a,
        [-3, -1e-6, 1e-10, 0.5, 4],
    ),
    "inv_boxcox in λ": (
        lambda a: sp.inv_boxcox(0.7, a),
        lambda m, a: (1 + m.mpf(0.7) * a) ** (1 / a),
        [-1, -1e-3, 1e-5, 0.5, 4],
    ),
}
#: Central differences of the first three orders.
STENCILS = {1: [(-1, -0.5), (1, 0.5)], 2: [(-1, 1), (0, -2), (1, 1)], 3: [(-2, -0.5), (-1, 1), (1, -1), (2, 0.5)]}


@pytest.mark.parametrize("name", HARD)
def test_derivatives_of_three_orders_at_hard_points(mp: Any, name: str) -> None:
    function, exact, points = HARD[name]
    with mp.workdps(140):
        for at in points:
            h = mp.mpf(10) ** -25 * abs(at) if at else mp.mpf(10) ** -20
            for order, rtol in ((1, 1e-11), (2, 2e-10), (3, 3e-8)):
                terms = [weight * exact(mp, mp.mpf(at) + k * h) for k, weight in STENCILS[order]]
                expected = float(mp.re(mp.fsum(terms)) / h**order)
                got = derivative(function, float(at), order)
                np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-30, err_msg=f"order {order} at {at}")


def test_ellipkm1_where_1_minus_p_is_1() -> None:
    """K(1 − p) is log(16/p)/2 there."""
    for order, factor in ((1, -0.5), (2, 0.5), (3, -1.0)):
        assert derivative(sp.ellipkm1, 1e-90, order) == pytest.approx(factor * 1e90**order, rel=1e-13)


@pytest.mark.parametrize("name", ["legendre", "chebyt", "chebyu", "laguerre", "genlaguerre", "gegenbauer", "jacobi"])
def test_polynomials_of_any_degree(name: str) -> None:
    function = getattr(sp, f"eval_{name}")
    parameters = {"jacobi": (0.5, 1.5), "gegenbauer": (0.7,), "genlaguerre": (0.7,)}.get(name, ())
    for degrees in ([0, 1, 2, 7], [0.0, 0.3, 1.5, 2.7]):
        check_gradients(lambda x, n=degrees: function(n, *parameters, x), [-0.7, -0.2, 0.4, 0.8], order=3)
    x = Tensor([0.3, 0.4], requires_grad=True)
    with pytest.raises(NoRuleError, match="whole degrees below 0"):
        function([-1, 2], *parameters, x).backward([1.0, 1.0])


@pytest.mark.parametrize("seed", range(3))
def test_parameters_of_every_size(seed: int) -> None:
    """Where the example of a function has one value for a parameter."""
    rng = np.random.default_rng(seed)
    a, b, p, t, x = (rng.uniform(low, high, 4) for low, high in ((0.3, 8), (0.3, 8), (0.05, 0.95), (-5, 5), (0.2, 9)))
    v = rng.uniform(-2.5, 5, 4)
    for function in (sp.jv, sp.yv, sp.iv, sp.kv, sp.jve, sp.yve, sp.ive, sp.kve, sp.struve, sp.modstruve):
        check_gradients(lambda x, f=function: f(v, x), x)
    for function in (sp.betainc, sp.betaincinv, sp.fdtri):
        check_gradients(lambda p, f=function: f(a, b, p), p)
    for function in (sp.gammaincinv, sp.gammainccinv, sp.chdtri, sp.stdtrit):
        check_gradients(lambda p, f=function: f(a, p), p)
    check_gradients(lambda x: sp.fdtr(a, b, x), x)
    check_gradients(lambda x: sp.gammainc(a, x), x)
    check_gradients(lambda t: sp.stdtr(a, t), t)
    check_gradients(lambda x: sp.pdtr([0, 1.5, 3, 7], x), x)
    check_gradients(lambda p: sp.bdtr([0, 1, 3, 4.0], np.int64(5), p), p)
    check_gradients(lambda p: sp.nbdtr([0, 1, 3, 4], [1, 2, 3, 9], p), p)
    check_gradients(lambda t: sp.hyp1f1(a, b, t), t)
    check_gradients(lambda t: sp.hyp2f1(a, b, a + 1.3, t), -x / 3)
    check_gradients(lambda t: sp.ellipj(t, p), t)
    check_gradients(lambda x: sp.expn([0, 1, 2, 5], x), x / 3, order=3)


# What has no derivative refuses by name

REFUSED: dict[str, tuple[Any, list[Any], str]] = {
    "jv": (sp.jv, [1.5, 2.0], "v"),
    "kv": (sp.kv, [1.5, 2.0], "v"),
    "airy-like ellipj": (lambda u, m: sp.ellipj(u, m)[0], [0.5, 0.3], "m"),
    "gammainc": (sp.gammainc, [1.5, 2.0], "a"),
    "betainc": (sp.betainc, [1.5, 2.0, 0.3], "a"),
    "stdtr": (sp.stdtr, [1.5, 2.0], "df"),
    "hyp2f1": (sp.hyp2f1, [0.5, 1.5, 2.5, 0.3], "a"),
    "hurwitz": (special.zeta, [2.5, 1.5], "x"),
    "polygamma": (special.polygamma, [2.0, 1.5], "n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_argument_without_a_rule_refuses_when_its_gradient_is_asked_for(name: str) -> None:
    function, arguments, refused = REFUSED[name]
    first, *rest = [Tensor(a, requires_grad=True) for a in arguments]
    y = function(first, *rest)
    if name == "airy-like ellipj":
        rest = [first]  # here it is the second argument that has none
    if rest:
        assert np.isfinite(y.gradient(rest[-1], retain_graph=True).numpy())
    with pytest.raises(
        NoRuleError, match=rf"scipy\.special\.\w+ has no differentiation rule for its argument '{refused}'"
    ):
        y.backward()


def test_every_argument_of_every_function_has_a_rule_or_one_that_refuses() -> None:
    modules = [getattr(rules, name) for name in rules.__all__]
    found = {p for m in modules for v in vars(m).values() if isinstance(p := getattr(v, "primitive", None), Primitive)}
    ours = [p for p in found if p.name.startswith("special.")]
    assert len(ours) > 130
    for primitive in ours:
        assert set(primitive.rules) == set(primitive.inputs), primitive


def test_complex_numbers_where_the_derivative_is_not_in_scipy() -> None:
    z = Tensor(1.5 + 0.5j, requires_grad=True)
    check_gradients(sp.gamma, 1.5 + 0.5j, order=1)
    check_gradients(sp.loggamma, 1.5 + 0.5j, order=1)
    check_gradients(sp.rgamma, np.array([1.5 + 0.5j, -1.5 + 0.2j]), order=1)
    with pytest.raises(NoRuleError, match="digamma has a rule for real numbers only"):
        sp.digamma(z).backward(1.0)
    with pytest.raises(NoRuleError, match="jve has a rule for real numbers only"):
        sp.jve(1, z).backward(1.0)
    with pytest.raises(NoRuleError, match="complex"):
        special.logsumexp(z, b=2.0)


def test_a_function_without_a_rule_refuses() -> None:
    with pytest.raises(NoRuleError, match="voigt_profile"):
        sp.voigt_profile(Tensor(1.0, requires_grad=True), 1.0, 1.0)
    for zeta in (sp.zeta, special.zeta):
        with pytest.raises(NoRuleError, match="zeta"):
            zeta(Tensor(2.5, requires_grad=True))


def test_constants() -> None:
    x = Tensor([0.4, -0.6], requires_grad=True)
    assert not sp.round(x).requires_grad
    assert sp.gammasgn(x).tolist() == [1, -1]


# The documented choices


def test_xlogy_at_0() -> None:
    x, y = slope(sp.xlogy, [0.0, 0.0, 0.0], [0.0, -1.0, 2.0])
    assert (x.tolist(), y.tolist()) == ([0, 0, np.log(2)], [0, 0, 0])
    x, y = slope(sp.xlog1py, [0.0, 0.0, 0.0], [-1.0, -2.0, 1.0])
    assert (x.tolist(), y.tolist()) == ([0, 0, np.log(2)], [0, 0, 0])
    assert derivative(lambda x: sp.xlogy(x, x) + sp.xlogy(0.0, x), 0.5, 2) == 2


def test_entropies_at_0() -> None:
    with np.errstate(divide="ignore"):
        assert slope(sp.entr, [0.0, 1.0])[0].tolist() == [INF, -1]
        assert slope(sp.rel_entr, [0.0], [1.0])[0].tolist() == [-INF]
        assert slope(sp.kl_div, [0.0], [1.0])[0].tolist() == [-INF]
    assert slope(sp.entr, [0.0, 1.0], cotangent=[0.0, 1.0])[0].tolist() == [0, -1]
    assert [g.tolist() for g in slope(sp.rel_entr, [0.0, 0.0], [1.0, 0.0], cotangent=[0.0, 1.0])] == [[0, 1], [0, 0]]
    assert [g.tolist() for g in slope(sp.kl_div, [0.0, 0.0], [1.0, 0.0], cotangent=[0.0, 1.0])] == [[0, 0], [0, 1]]


def test_the_ends_of_inverse_functions() -> None:
    with np.errstate(all="ignore"):
        assert slope(sp.logit, [0.0, 1.0])[0].tolist() == [INF, INF]
        assert slope(sp.ndtri, [0.0, 1.0])[0].tolist() == [INF, INF]
        assert slope(sp.erfinv, [-1.0, 1.0])[0].tolist() == [INF, INF]
        assert slope(sp.cbrt, [0.0])[0].tolist() == [INF]
    assert slope(sp.logit, [0.0, 1.0], cotangent=[0.0, 0.0])[0].tolist() == [0, 0]
    assert slope(sp.cbrt, [0.0], cotangent=[0.0])[0].tolist() == [0]


def test_values_that_saturate() -> None:
    assert slope(sp.expit, [-800.0, 800.0])[0].tolist() == [0, 0]
    np.testing.assert_allclose(slope(sp.expit, [40.0])[0], np.exp(-40.0), rtol=1e-14)
    assert slope(sp.log_ndtr, [-1e10, 40.0])[0].tolist() == [1e10, 0]
    assert slope(sp.erfc, [-40.0, 40.0, 1e150])[0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(slope(sp.dawsn, [1e100])[0], [-5e-201], rtol=1e-14)
    assert slope(sp.exprel, [0.0])[0].tolist() == [0.5]
    assert slope(sp.spence, [1.0])[0].tolist() == [-1]


def test_bessel_functions_at_0() -> None:
    for f in (sp.j1, sp.i1, sp.i1e, lambda x: sp.jv(1, x), lambda x: sp.iv(1, x)):
        assert slope(f, [0.0])[0].tolist() == [0.5]
    assert slope(sp.i0e, [0.0])[0].tolist() == [0]


def test_poles_and_zeros() -> None:
    np.testing.assert_allclose(slope(sp.rgamma, [0.0, -1.0, -2.0, -3.0])[0], [1, -1, 2, -6], rtol=1e-14)
    n, k = slope(sp.binom, [3.0], [5.0])
    np.testing.assert_allclose((n[0], k[0]), (-1 / 20, 1 / 20), rtol=1e-13)
    check_gradients(sp.binom, [3.0, 5.0], [5.0, 2.0])


def test_losses_and_power_transforms_at_their_edges() -> None:
    delta, r = slope(sp.huber, [1.0, 1.0, 1.0], [1.0, -1.0, 2.0])
    assert (delta.tolist(), r.tolist()) == ([0, 0, 1], [1, -1, 1])
    delta, r = slope(sp.pseudo_huber, [0.0, 0.0, 1.0], [0.0, -2.0, 0.0])
    assert (delta.tolist(), r.tolist()) == ([0, 2, 0], [0, 0, 0])
    x, lmbda = slope(sp.boxcox, [0.0, 1.0, np.e], [2.0, 0.0, 0.0])
    np.testing.assert_allclose(x, [0, 1, 1 / np.e], rtol=1e-15)
    np.testing.assert_allclose(lmbda, [0.25, 0, 0.5], rtol=1e-15)
    assert [g.tolist() for g in slope(sp.powm1, [0.0], [0.0])] == [[0], [0]]


def test_distributions_at_0() -> None:
    assert slope(lambda x: sp.gammainc([1.0, 2.0, 3.5], x), np.zeros(3))[0].tolist() == [1, 0, 0]
    assert slope(lambda x: sp.betainc([1.0, 2.0, 1.0], [1.0, 2.0, 3.0], x), np.zeros(3))[0].tolist() == [1, 0, 3]
    assert slope(lambda x: sp.betainc([1.0, 2.0, 3.0], [1.0, 2.0, 1.0], x), np.ones(3))[0].tolist() == [1, 0, 3]
    x = Tensor(0.0, requires_grad=True)
    assert sp.gammainc(1.0, x).gradient(x, create_graph=True).gradient(x) == -1


def test_infinities_in_softmax_and_logsumexp() -> None:
    row = [-INF, 1.0, 2.0]
    p = sp.expit(1.0)
    np.testing.assert_allclose(slope(lambda x: special.softmax(x)[2], row)[0], [0, p * (p - 1), p * (1 - p)])
    np.testing.assert_allclose(slope(lambda x: special.log_softmax(x)[2], row)[0], [0, p - 1, 1 - p])
    assert slope(special.logsumexp, [-INF, -INF])[0].tolist() == [0, 0]
    with np.errstate(divide="ignore"):
        a, b = slope(lambda a, b: special.logsumexp(a, b=b), [1.0, 1.0], [1.0, -1.0])
        assert not a.any()
        assert not b.any()
        a, b = slope(
            lambda a, b: special.logsumexp(a, axis=1, b=b), [[-INF, -INF], [0.0, 0.0]], [[1.0, 2.0], [1.0, 3.0]]
        )
    assert (a.tolist(), b.tolist()) == ([[0, 0], [0.25, 0.75]], [[0, 0], [0.25, 0.25]])


# logsumexp with weights and signs

SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, max_side=3)


@given(SHAPES, st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_logsumexp_with_weights(shapes: Any, keepdims: bool, signed: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(0.5, 1.5, s) for s in shapes.input_shapes)
    axis = int(rng.integers(len(shapes.result_shape)))
    how = {"axis": axis, "keepdims": keepdims, "return_sign": signed}
    if signed:
        b = -b
    expected = sp.logsumexp(a, b=b, **how)
    got = special.logsumexp(Tensor(a), b=Tensor(b), **how)
    for y, e in zip(got if signed else [got], expected if signed else [expected], strict=True):
        np.testing.assert_array_equal(y.numpy(), e)
    check_gradients(lambda a, b: special.logsumexp(a, b=b, **how)[0 if signed else ...], a, b)


def test_logsumexp_keeps_the_precision_and_takes_what_scipy_takes() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    y = special.logsumexp(x, b=2)
    assert y.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float32
    assert special.logsumexp(x, b=np.array([1.0, 2.0])).dtype == np.float64
    assert special.logsumexp(x, b=[1, 2]).dtype == np.float64
    assert special.logsumexp([1.0, 2.0], b=[1, -1], return_sign=True) == sp.logsumexp(
        [1.0, 2.0], b=[1, -1], return_sign=True
    )
    assert float(special.logsumexp([1, 2])) == pytest.approx(float(sp.logsumexp([1, 2])))
    with np.errstate(invalid="ignore"):
        assert np.isnan(float(special.logsumexp(Tensor([1.0, 2.0]), b=-1.0)))
    sign = special.logsumexp(x, b=-1.0, return_sign=True)[1]
    sign.backward()
    assert x.grad.tolist() == pytest.approx([sp.expit(-1), sp.expit(1)])  # as it was: the sign adds nothing


# Precision


@pytest.mark.parametrize("function", [sp.gammaln, sp.erfcx, sp.expit, sp.j1, sp.ellipk, sp.dawsn, sp.spence])
def test_low_precision_comes_back_as_it_went_in(function: Any) -> None:
    for dtype, rtol in ((np.float32, 1e-5), (np.float16, 3e-3)):
        at = np.array([0.25, 0.5, 0.75], dtype)
        (g,) = slope(function, at, dtype=dtype)
        assert g.dtype == dtype
        np.testing.assert_allclose(g, slope(function, at.astype(float))[0], rtol=rtol)
    (g,) = slope(sp.erfcx, np.array([20.0, 40.0], np.float16), dtype=np.float16)
    np.testing.assert_allclose(g, slope(sp.erfcx, [20.0, 40.0])[0], rtol=3e-3)


def test_a_result_has_scipys_dtype_and_the_gradient_its_inputs() -> None:
    at = np.array([0.25, 0.5], np.float32)
    for function in (lambda x: sp.betainc(2.5, 1.5, x), lambda x: sp.gammainc(2.5, x), lambda x: sp.stdtr(3.0, x)):
        x = Tensor(at, requires_grad=True)
        y = function(x)
        y.sum().backward()
        assert y.dtype == function(at).dtype  # SciPy's choice: it makes float64 of some parameters that are numbers
        assert x.grad.dtype == np.float32


# Several results


def test_only_the_results_that_are_used_count() -> None:
    x = Tensor([0.5, 1.0], requires_grad=True)
    ai, aip, _, _ = sp.airy(x)
    (ai * aip).sum().backward()
    a, d, _, _ = sp.airy(x.numpy())
    np.testing.assert_allclose(x.grad, d * d + a * a * x.numpy(), rtol=1e-14)
    check_gradients(lambda u: sp.ellipj(u, np.array([[0.2], [0.6]])), [0.3, 0.5])


# The namespace


def test_the_namespace_is_scipys_with_ours_in_place_of_what_converts() -> None:
    assert special.gammaln is sp.gammaln
    assert special.softmax is not sp.softmax
    assert set(dir(special)) >= set(sp.__all__)
    with pytest.raises(AttributeError, match=r"autograd\.scipy\.special"):
        special.nothing  # noqa: B018
    np.testing.assert_array_equal(special.softmax(np.ones(2)), [0.5, 0.5])
    assert special.polygamma(1, 2.0) == sp.polygamma(1, 2.0)
    assert special.lambertw(1.0) == sp.lambertw(1.0)
    assert special.zeta(2.0) == sp.zeta(2.0)


def test_functions_of_scipys_own_that_are_made_of_ufuncs_take_tensors() -> None:
    check_gradients(lambda x: sp.jvp(1, x), [0.5, 1.5])
    check_gradients(lambda q: sp.zeta(2.5, q), [0.5, 1.5])
    check_gradients(lambda z: sp.lambertw(z).real, [0.5, 1.5])


def test_a_conversion_that_scipy_asks_for_is_refused_with_what_to_write_instead() -> None:
    x = Tensor([0.5, 2.0], requires_grad=True)
    for name, call in {
        "softmax": lambda: sp.softmax(x),
        "log_softmax": lambda: sp.log_softmax(x, axis=0),
        "logsumexp": lambda: sp.logsumexp(x),
        "polygamma": lambda: sp.polygamma(1, x),
        "multigammaln": lambda: sp.multigammaln(x, 1),
    }.items():
        with pytest.raises(TypeError, match=rf"use autograd\.scipy\.special\.{name}, which does not"):
            call()
    with pytest.raises(TypeError, match=r"Here scipy\.special\.factorial converts its argument\.$"):
        sp.factorial(x)
    with pytest.raises(TypeError, match=r"call NumPy's functions on t itself\.$"):
        np.asarray(x)


def _run(program: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout


def test_importing_the_package_does_not_import_scipy() -> None:
    program = (
        "import sys, autograd.scipy; print('scipy' in sys.modules)\n"
        "autograd.scipy.special; print('scipy' in sys.modules)"
    )
    assert _run(program).split() == ["False", "True"]


def test_rules_are_found_when_scipy_is_imported_after_the_package() -> None:
    program = (
        "import numpy as np; from autograd import Tensor; x = Tensor(0.0, requires_grad=True)\n"
        "np.sinh(x)\n"
        "import scipy.special as sp; sp.erf(x).backward(); print(x.grad)"
    )
    assert float(_run(program)) == pytest.approx(2 / np.sqrt(np.pi))


def test_the_namespace_works_where_scipys_ufuncs_are_wrapped_for_other_arrays() -> None:
    program = (
        "from autograd import Tensor; import autograd.scipy.special as s; x = Tensor(0.5, requires_grad=True)\n"
        "y = s.gammaln(x) + s.erfcx(x) + s.softmax(x) + s.betainc(2.0, 3.0, x)\n"
        "g = y.gradient(x, create_graph=True); print(float(g), float(g.gradient(x)))"
    )
    plain, wrapped = _run(program), _run(program, SCIPY_ARRAY_API="1")
    assert plain == wrapped


# Against PyTorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


_X, _P = np.linspace(0.1, 4.0, 7), np.linspace(0.05, 0.95, 7)
COMPARISONS: dict[str, tuple[Any, Any, tuple[np.ndarray, ...]]] = {
    "gammaln": (sp.gammaln, lambda t, x: t.special.gammaln(x), (_X,)),
    "digamma": (sp.digamma, lambda t, x: t.special.digamma(x), (_X,)),
    "polygamma": (lambda x: special.polygamma(2, x), lambda t, x: t.special.polygamma(2, x), (_X,)),
    "xlogy": (sp.xlogy, lambda t, x, y: t.special.xlogy(x, y), (_X, _P)),
    "xlog1py": (sp.xlog1py, lambda t, x, y: t.special.xlog1py(x, y), (_X, _P)),
    "entr": (sp.entr, lambda t, x: t.special.entr(x), (_X,)),
    "expit": (sp.expit, lambda t, x: t.special.expit(x), (_X,)),
    "logit": (sp.logit, lambda t, x: t.special.logit(x), (_P,)),
    "erfcx": (sp.erfcx, lambda t, x: t.special.erfcx(x), (_X,)),
    "log_ndtr": (sp.log_ndtr, lambda t, x: t.special.log_ndtr(x), (-_X,)),
    "ndtri": (sp.ndtri, lambda t, x: t.special.ndtri(x), (_P,)),
    "i0e": (sp.i0e, lambda t, x: t.special.i0e(x), (_X,)),
    "i1e": (sp.i1e, lambda t, x: t.special.i1e(x), (_X,)),
    "softmax": (lambda x: special.softmax(x, 0), lambda t, x: t.softmax(x, 0), (_X,)),
    "log_softmax": (lambda x: special.log_softmax(x, 0), lambda t, x: t.log_softmax(x, 0), (_X,)),
    "multigammaln": (lambda x: special.multigammaln(x, 3), lambda t, x: t.special.multigammaln(x, 3), (_X + 1.5,)),
    "huber": (
        lambda r: sp.huber(1.5, r),
        lambda t, r: t.nn.functional.huber_loss(r, t.zeros_like(r), reduction="none", delta=1.5),
        (_X,),
    ),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_gradients_are_those_of_pytorch(torch: Any, name: str) -> None:
    ours, theirs, arrays = COMPARISONS[name]
    u = np.linspace(0.5, 1.5, len(arrays[0]))
    inputs = [torch.tensor(a, requires_grad=True) for a in arrays]
    theirs(torch, *inputs).backward(torch.tensor(u))
    for g, t in zip(slope(ours, *arrays, cotangent=u), inputs):
        # PyTorch's trigamma has nine digits; the comparison with mpmath above is the sharper one
        np.testing.assert_allclose(g, t.grad.numpy(), rtol=1e-8 if name == "digamma" else 1e-11)


def test_complex_hyp1f1_where_scipys_own_value_is_right() -> None:
    z = 0.5 + 0.3j
    exact = (np.exp(z) - 1) / z
    if abs(sp.hyp1f1(1.0 + 1e-14, 2.0, z) / exact - 1) > 1e-10:
        pytest.skip("this SciPy computes hyp1f1 of complex numbers wrongly")
    check_gradients(lambda z: sp.hyp1f1(0.5, 1.5, z), z)


def test_logsumexp_without_weights_is_the_packages_own() -> None:
    a = np.linspace(-1, 1, 6).reshape(2, 3)
    np.testing.assert_array_equal(special.logsumexp(Tensor(a), axis=1).numpy(), logsumexp(a, axis=1))


def test_parameters_that_are_small_unsigned_integers() -> None:
    """They have no −1, it would be 255; the square of 20 would be 144, and their logarithm is of half precision."""
    for function in (
        lambda n, x: sp.jv(n, x),
        lambda n, x: sp.kn(n, x),
        lambda n, x: sp.zeta(n + np.uint8(2), x),
        lambda n, x: sp.hyperu(n, 1.5, x),
        lambda n, x: sp.huber(n, x),
        lambda n, x: sp.boxcox(x, n),
        lambda n, x: sp.inv_boxcox(x, n),
        lambda n, x: sp.gammainc(n + np.uint8(1), x),
        lambda n, x: sp.gdtrc(n + np.uint8(1), 1.5, x),
        lambda n, x: sp.stdtr(n + np.uint8(127), x),
        lambda n, x: sp.expn(n, x),
        lambda n, x: sp.eval_legendre(n, x),
        lambda n, x: sp.eval_hermite(n, x),
        lambda n, x: sp.ellipj(x, n == 1)[0],
        lambda n, x: sp.xlogy(x, n + np.uint8(3)),
        lambda n, x: sp.xlog1py(x, n + np.uint8(254)),
        lambda n, x: sp.boxcox(n + np.uint8(3), x),
        lambda n, x: sp.pseudo_huber(n + np.uint8(20), x),
        lambda n, x: sp.pseudo_huber(x, n + np.uint8(20)),
        lambda n, x: sp.owens_t(n + np.uint8(20), x * 0.1),
        lambda n, x: sp.hyp2f1(n + np.uint8(20), n + np.uint8(20), n + np.uint8(200), x * 0.1),
        lambda n, x: sp.fdtr(n + np.uint8(20), n + np.uint8(20), x),
    ):
        check_gradients(lambda x, f=function: f(np.array([0, 1, 2], np.uint8), x), [0.5, 0.7, 1.3])


PATCHED = """
import numpy as np, scipy.special as sp
import autograd.scipy
from autograd import Tensor, check_gradients, grad
softmax, plain = sp.softmax, sp.softmax(np.array([1.0, 2.0]))
undo = autograd.scipy.patch()
autograd.scipy.patch()  # twice is once
a = np.array([0.3, -1.2, 0.7])
for name, call in {
    "logsumexp": lambda x: sp.logsumexp(x, b=[1.0, 2.0, 0.5]),
    "softmax": lambda x: sp.softmax(x, axis=0),
    "log_softmax": lambda x: sp.log_softmax(x),
    "polygamma": lambda x: sp.polygamma(1, x * x),
    "multigammaln": lambda x: sp.multigammaln(3 + x * x, 2),
}.items():
    np.testing.assert_allclose(call(Tensor(a, requires_grad=True)).numpy(), call(a), rtol=1e-12)
    check_gradients(call, a)
assert isinstance(sp.softmax(a), np.ndarray) and sp.softmax.__name__ == "softmax"
assert grad(lambda x: sp.softmax(x)[0])(a).shape == (3,)
np.testing.assert_array_equal(sp.softmax(np.array([1.0, 2.0])), plain)
assert autograd.scipy.special.softmax(Tensor(a, requires_grad=True)).requires_grad
undo()
assert sp.softmax is softmax
"""


def test_scipys_own_functions_take_tensors_after_patch() -> None:
    assert _run(PATCHED + "print('done')").strip() == "done"


def test_without_scipy_one_sentence_says_what_to_install():
    code = "import sys; sys.modules['scipy'] = None; import autograd.scipy; autograd.scipy.special"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        'ImportError: autograd.scipy needs SciPy, which is missing here: `pip install "wengert[scipy]"`'
    )
