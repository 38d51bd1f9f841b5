"""Examples of the rules for `scipy.special`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sp

import autograd.scipy.special as special

from .table import Example, one, values


def along(function: Any, low: float = -2.0, high: float = 2.0, **options: Any) -> list[Example]:
    """Examples of an elementwise function of one argument; the shapes that matter are tried by NumPy's."""
    return [Example(function, (values(shape, low, high),), **options) for shape in [(2, 3), (), (0,)]]


def both(
    function: Any,
    x: tuple[float, float] = (-2.0, 2.0),
    y: tuple[float, float] = (-2.0, 2.0),
    **options: Any,
) -> list[Example]:
    """Examples of one of two arguments, in these ranges."""
    pairs: list[Any] = [((2, 3), (3,)), ((), (2, 1)), ((), ()), ((0, 3), (1, 3))]
    return [
        Example(function, (values(a, *x, seed=1), np.asarray(values(b, *y, seed=2) + 0.006)), **options)
        for a, b in pairs
    ]


def _orders(name: str, low: float, high: float, **options: Any) -> list[Example]:
    """Of a function of an order and an argument: a whole order, a half, and an array of orders."""
    function = getattr(sp, name)
    return [
        *along(lambda z: function(1.5, z), low, high, **options),
        *along(lambda z: function(0, z), low, high, **options)[:1],
        one(lambda z: function(np.array([[0.0], [2.0]]), z), values((3,), low, high), **options),
    ]


def _of_order(name: str, *parameters: float) -> Any:
    return lambda x: getattr(sp, name)(*parameters, x)


def _pick(function: Any, *weights: float) -> Any:
    """The weighted sum of what a function returns."""

    def call(*args: Any) -> Any:
        first, *rest = [w * y for w, y in zip(weights, function(*args), strict=True) if w]
        return sum(rest, start=first)

    return call


def _softmax(x: Any, axis: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


_AXES: list[Any] = [None, 0, -1, (0, 1)]
_B = np.array([[1.0, 0.5, 2.0, 0.0], [0.3, 1.0, 1.0, 2.0], [1.0, 3.0, 0.7, 0.2]])
_POLYNOMIALS: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("legendre", "chebyt", "chebyu", "laguerre", "hermite", "hermitenorm"), ()),
    "gegenbauer": (1.5,),
    "genlaguerre": (0.5,),
    "jacobi": (0.5, 1.5),
}
_EXAMPLES: dict[str, list[Example]] = {
    # gamma
    "gamma": [*along(sp.gamma, 0.5, 4), *along(sp.gamma, -1.9, -1.1)[:1]],
    "gammaln": [*along(sp.gammaln, 0.5, 4, order=3), *along(sp.gammaln, -1.9, -1.1)[:1]],
    "loggamma": along(sp.loggamma, 0.5, 4, order=3),
    "rgamma": [*along(sp.rgamma, -2, 3, order=3), one(sp.rgamma, np.array([-3.0, -2.0, 0.0, 0.5, 1.0]), order=3)],
    "digamma": [*along(sp.digamma, 0.5, 4, order=3), *along(sp.psi, -1.9, -1.1)[:1]],
    "zeta": [*along(lambda q: sp.zeta(2.5, q), 0.5, 4, order=3), *along(lambda q: special.zeta(3, q), 0.5, 4)],
    "polygamma": [
        *along(lambda x: special.polygamma(2, x), 0.5, 4),
        one(lambda x: special.polygamma(np.array([[0], [3]]), x), values((3,), 0.5, 4)),
    ],
    "multigammaln": along(lambda a: special.multigammaln(a, 3), 1.5, 5),
    "gammainc": [*along(lambda x: sp.gammainc(2.5, x), 0.2, 6), *along(lambda x: sp.gammainc(0.7, x), 0.2, 6)],
    "gammaincc": along(lambda x: sp.gammaincc(2.5, x), 0.2, 6),
    "gammaincinv": along(lambda p: sp.gammaincinv(2.5, p), 0.1, 0.9),
    "gammainccinv": along(lambda p: sp.gammainccinv(2.5, p), 0.1, 0.9),
    "beta": both(sp.beta, (0.5, 3), (0.5, 3)),
    "betaln": both(sp.betaln, (0.5, 3), (0.5, 3), order=3),
    "betainc": along(lambda x: sp.betainc(2.5, 0.7, x), 0.1, 0.9),
    "betaincc": along(lambda x: sp.betaincc(2.5, 0.7, x), 0.1, 0.9),
    "betaincinv": along(lambda p: sp.betaincinv(2.5, 0.7, p), 0.1, 0.9),
    "betainccinv": along(lambda p: sp.betainccinv(2.5, 0.7, p), 0.1, 0.9),
    "binom": both(sp.binom, (3, 5), (0.5, 2)),
    "poch": both(sp.poch, (1, 3), (0.5, 2)),
    # exponentials and logarithms
    "expm1": along(sp.expm1, complexes=True),
    "log1p": along(sp.log1p, -0.7, 2, complexes=True),
    "exp2": along(sp.exp2),
    "exp10": along(sp.exp10),
    "cbrt": along(sp.cbrt, 0.3, 3),
    "sindg": along(sp.sindg, -100, 100),
    "cosdg": along(sp.cosdg, -100, 100),
    "tandg": along(sp.tandg, -40, 40),
    "cotdg": along(sp.cotdg, 30, 80),
    "cosm1": along(sp.cosm1),
    "exprel": along(sp.exprel, order=3),
    "xlogy": both(sp.xlogy, (-2, 2), (0.3, 3), complexes=True),
    "xlog1py": both(sp.xlog1py, (-2, 2), (-0.6, 3), complexes=True),
    "powm1": both(sp.powm1, (0.3, 2), (-1.5, 1.5)),
    # the logistic function and its family
    "expit": along(sp.expit, order=3),
    "log_expit": along(sp.log_expit),
    "logit": along(sp.logit, 0.1, 0.9),
    "softmax": [
        *[
            one(lambda x, k=k: special.softmax(x, axis=k), (3, 4), reference=lambda x, k=k: _softmax(x, k))
            for k in _AXES
        ],
        one(special.softmax, ()),
        one(lambda x: special.softmax(x, 1), (0, 2)),
    ],
    "log_softmax": [
        *[
            one(lambda x, k=k: special.log_softmax(x, axis=k), (3, 4), reference=lambda x, k=k: np.log(_softmax(x, k)))
            for k in _AXES
        ],
        one(special.log_softmax, ()),
    ],
    "logsumexp": [
        *[one(lambda a, b, k=k: special.logsumexp(a, axis=k, b=b), (3, 4), values((3, 4), 0.2, 2)) for k in _AXES],
        one(lambda a, b: special.logsumexp(a, axis=1, b=b, keepdims=True), (3, 4), values((4,), 0.2, 2)),
        one(lambda a: special.logsumexp(a, axis=0, b=_B), (3, 4)),
        one(lambda a, b: special.logsumexp(a, 0, b, return_sign=True)[0], (3, 4), values((3, 1), -2, 2)),
        one(lambda a: special.logsumexp(a, return_sign=True)[0], (3,)),
        one(lambda a, b: special.logsumexp(a, b=b), (), values((), 0.2, 2)),
    ],
    # entropies and losses
    "entr": along(sp.entr, 0.1, 3),
    "rel_entr": both(sp.rel_entr, (0.3, 3), (0.3, 3)),
    "kl_div": both(sp.kl_div, (0.3, 3), (0.3, 3)),
    "huber": both(sp.huber, (0.3, 1), (-2, 2)),
    "pseudo_huber": both(sp.pseudo_huber, (0.3, 1), (-2, 2)),
    "boxcox": both(sp.boxcox, (0.3, 3), (-1, 1.5)),
    "boxcox1p": both(sp.boxcox1p, (-0.6, 3), (-1, 1.5)),
    "inv_boxcox": both(sp.inv_boxcox, (-0.5, 0.6), (-1, 1.2)),
    "inv_boxcox1p": both(sp.inv_boxcox1p, (-0.5, 0.6), (-1, 1.2)),
    # the error function and its family
    "erf": along(sp.erf, order=3, complexes=True),
    "erfc": along(sp.erfc, complexes=True),
    "erfcx": along(sp.erfcx, -1, 3, order=3, complexes=True),
    "erfi": along(sp.erfi, complexes=True),
    "dawsn": along(sp.dawsn, order=3, complexes=True),
    "wofz": [one(lambda x: sp.wofz(x + 0.5j), (2, 3), complexes=True), one(lambda x: sp.wofz(x).imag, (3,))],
    "erfinv": along(sp.erfinv, -0.8, 0.8),
    "erfcinv": along(sp.erfcinv, 0.3, 1.7),
    "ndtr": along(sp.ndtr, complexes=True),
    "log_ndtr": along(sp.log_ndtr, -3, 2, order=3, complexes=True),
    "ndtri": along(sp.ndtri, 0.1, 0.9),
    "ndtri_exp": along(sp.ndtri_exp, -3, -0.1),
    "owens_t": both(sp.owens_t),
    # Bessel, Struve, Airy
    **{name: _orders(name, 0.5, 4, complexes=True) for name in ("jv", "yv", "iv", "kv", "hankel1", "hankel2")},
    **{name: _orders(name, 0.5, 4, complexes=True) for name in ("hankel1e", "hankel2e", "kve")},
    **{name: _orders(name, 0.5, 4) for name in ("jve", "yve", "ive", "struve", "modstruve")},
    **{name: along(_of_order(name, 2), 0.5, 4) for name in ("yn", "kn")},
    **{name: along(getattr(sp, name), 0.5, 4, order=3) for name in ("j0", "j1", "y0", "y1", "k0", "k1", "k0e", "k1e")},
    **{name: along(getattr(sp, name), 0.2, 3, order=3) for name in ("i0", "i1", "i0e", "i1e")},
    "airy": [
        *along(_pick(sp.airy, 0.3, 0.5, 0.7, 1.1), order=3),
        *[one(_pick(sp.airy, *np.eye(4)[k]), (3,), complexes=True) for k in range(4)],
    ],
    # integrals
    "hyp0f1": along(lambda z: sp.hyp0f1(1.5, z), complexes=True),
    "hyp1f1": along(lambda z: sp.hyp1f1(0.5, 1.5, z)),
    "hyp2f1": along(lambda z: sp.hyp2f1(0.5, 1.5, 2.5, z), -0.8, 0.7, complexes=True),
    "hyperu": along(lambda x: sp.hyperu(0.5, 1.5, x), 0.5, 3),
    "expi": along(sp.expi, 0.3, 2, complexes=True),
    "exp1": along(sp.exp1, 0.3, 2, complexes=True),
    "expn": [*along(lambda x: sp.expn(3, x), 0.3, 2, order=3), *along(lambda x: sp.expn(1, x), 0.3, 2, order=3)],
    "spence": along(sp.spence, 0.3, 3, order=3, complexes=True),
    "sici": [*along(_pick(sp.sici, 0.5, 0.7), 0.3, 3), *along(_pick(sp.sici, 1, 0), order=3, complexes=True)],
    "shichi": [*along(_pick(sp.shichi, 0.5, 0.7), 0.3, 3), *along(_pick(sp.shichi, 1, 0), order=3, complexes=True)],
    "fresnel": along(_pick(sp.fresnel, 0.5, 0.7), complexes=True),
    "ellipk": along(sp.ellipk, -2, 0.8, order=3),
    "ellipe": along(sp.ellipe, -2, 0.8, order=3),
    "ellipkm1": along(sp.ellipkm1, 0.2, 2),
    "ellipkinc": along(lambda phi: sp.ellipkinc(phi, 0.4)),
    "ellipeinc": along(lambda phi: sp.ellipeinc(phi, 0.4)),
    "ellipj": [
        *along(_pick(lambda u: sp.ellipj(u, 0.4), 0.3, 0.5, 0.7, 1.1), order=3),
        one(_pick(lambda u: sp.ellipj(u, np.array([[0.2], [0.6]])), 1, 0, 0, 1), (3,)),
    ],
    "lambertw": [
        one(lambda z: sp.lambertw(z).real, values((2, 3), 0.2, 3)),
        one(lambda z: sp.lambertw(z, -1).real, values((3,), -0.3, -0.1)),
        one(lambda z: special.lambertw(z, 1), values((3,), 0.2, 3), complexes=True),
    ],
    "wrightomega": along(sp.wrightomega, complexes=True),
    **{
        f"eval_{name}": [
            example for n in (0, 1, 3) for example in along(_of_order(f"eval_{name}", n, *o), -0.8, 0.8)[:2]
        ]
        for name, o in _POLYNOMIALS.items()
    },
    # distributions
    "chdtr": along(lambda x: sp.chdtr(3.5, x), 0.5, 6),
    "chdtrc": along(lambda x: sp.chdtrc(3.5, x), 0.5, 6),
    "chdtri": along(lambda p: sp.chdtri(3.5, p), 0.1, 0.9),
    "gdtr": both(lambda a, x: sp.gdtr(a, 2.5, x), (0.5, 1.5), (0.5, 3)),
    "gdtrc": both(lambda a, x: sp.gdtrc(a, 2.5, x), (0.5, 1.5), (0.5, 3)),
    "pdtr": along(lambda m: sp.pdtr(2, m), 0.5, 6),
    "pdtrc": along(lambda m: sp.pdtrc(2.7, m), 0.5, 6),
    "stdtr": along(lambda t: sp.stdtr(3.5, t)),
    "stdtrit": along(lambda p: sp.stdtrit(3.5, p), 0.1, 0.9),
    "fdtr": along(lambda x: sp.fdtr(3.5, 4.5, x), 0.3, 4),
    "fdtrc": along(lambda x: sp.fdtrc(3.5, 4.5, x), 0.3, 4),
    "fdtri": along(lambda p: sp.fdtri(3.5, 4.5, p), 0.1, 0.9),
    "bdtr": along(lambda p: sp.bdtr(2.0, np.int64(5), p), 0.1, 0.9),
    "bdtrc": along(lambda p: sp.bdtrc(2.0, np.int64(5), p), 0.1, 0.9),
    "nbdtr": along(lambda p: sp.nbdtr(2, 5, p), 0.1, 0.9),
    "nbdtrc": along(lambda p: sp.nbdtrc(2, 5, p), 0.1, 0.9),
}

#: Names are those of SciPy's module, as they are for NumPy's submodules.
EXAMPLES: dict[str, list[Example]] = {f"special.{name}": examples for name, examples in _EXAMPLES.items()}
