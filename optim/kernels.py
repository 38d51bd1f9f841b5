"""Kernels of the optimizers: on a GPU, the update of a parameter and its state in one pass. See `autograd.kernels`.

The formulas are those of the optimizers' `update`. What is the same for all optimizers comes first: the penalties of a
group, in the order that `Optimizer` states.
"""

from __future__ import annotations

from itertools import product

from autograd.kernels import Kernel
from autograd.rules.kernels import STABLE

__all__ = [
    "ADADELTA",
    "ADAGRAD",
    "ADAM",
    "ADAMAX",
    "AMSGRAD",
    "AVERAGE",
    "LION",
    "NADAM",
    "RADAM",
    "RMSPROP",
    "SGD_MOMENTUM",
    "SGD_PLAIN",
]

#: From the gradient and the parameter p: the gradient g that the formula is of, and the parameter after its decay.
_PENALTIES = """
T g = sign * gradient, p = w;
p *= keep;
if (decay != 0) g += decay * p;
if (l1 != 0) g += l1 * sign_of(p);
"""

#: The two averages of Adam's family.
_AVERAGES = """
m += (g - m) * share1;
v = v * beta2 + g * g * share2;
"""


def _update_kernel(name: str, numbers: str, state: str, formula: str) -> Kernel:
    """The kernel of an optimizer: from the gradient g, the parameter p, numbers and the state to `w` and the state."""
    return Kernel(
        name,
        f"T gradient, T sign, T keep, T decay, T l1, {numbers}",
        f"T w, {state}" if state else "T w",
        _PENALTIES + formula.strip(),
        STABLE,
    )


SGD_PLAIN = _update_kernel("sgd", "T lr", "", "w = p - g * lr;")
SGD_MOMENTUM = _update_kernel(
    "sgd_momentum",
    "T lr, T beta, T share, bool ahead",
    "T velocity",
    """
    T own = share * g, v = velocity * beta + own;
    velocity = v;
    w = p - (ahead ? own + beta * v : v) * lr;
    """,
)
ADAM = _update_kernel(
    "adam",
    "T step, T share1, T beta2, T share2, T eps",
    "T m, T v",
    _AVERAGES + "w = p - m / (sqrt(v) + eps) * step;",
)
AMSGRAD = _update_kernel(
    "amsgrad",
    "T step, T share1, T beta2, T share2, T eps",
    "T m, T v, T top",
    _AVERAGES + "top = larger(top, v); w = p - m / (sqrt(top) + eps) * step;",
)
NADAM = _update_kernel(
    "nadam",
    "T now, T ahead, T share1, T beta2, T share2, T correction, T eps",
    "T m, T v",
    _AVERAGES + "T root = sqrt(v) * correction + eps; w = p - g / root * now - m / root * ahead;",
)
RADAM = _update_kernel(
    "radam",
    "T step, bool scaled, T share1, T beta2, T share2, T eps",
    "T m, T v",
    _AVERAGES + "w = p - (scaled ? m / (sqrt(v) + eps) : m) * step;",
)
ADAMAX = _update_kernel(
    "adamax",
    "T step, T share1, T beta2, T eps",
    "T m, T u",
    "m += (g - m) * share1; u = larger(u * beta2, fabs(g) + eps); w = p - m / u * step;",
)
ADAGRAD = _update_kernel("adagrad", "T lr, T eps", "T s", "s += g * g; w = p - g / (sqrt(s) + eps) * lr;")
ADADELTA = _update_kernel(
    "adadelta",
    "T lr, T rho, T share, T eps",
    "T v, T s",
    """
    v = v * rho + g * g * share;
    T d = sqrt(s + eps) / sqrt(v + eps) * g;
    s = s * rho + d * d * share;
    w = p - d * lr;
    """,
)
LION = _update_kernel(
    "lion",
    "T lr, T share1, T share2",
    "T m",
    "w = p - sign_of((g - m) * share1 + m) * lr; m += (g - m) * share2;",
)


#: Of `ExponentialMovingAverage`: the averages follow the weights.
AVERAGE = Kernel("average", "T w, T share", "T a", "a += share * (w - a)")


def _rmsprop(momentum: bool, centered: bool) -> Kernel:
    spread, state = "v", "T v"
    lines = "v = v * alpha + g * g * share;"
    if centered:
        lines += " a += (g - a) * share;"
        spread = "larger(v - a * a, T(0))"
    lines += f" T d = g / (sqrt({spread}) + eps);"
    if momentum:
        lines, state = lines + " b = b * beta + d; d = b;", state + ", T b"
    if centered:
        state += ", T a"
    name = "rmsprop" + "_momentum" * momentum + "_centered" * centered
    return _update_kernel(name, "T lr, T alpha, T share, T eps, T beta", state, lines + " w = p - d * lr;")


#: (with momentum, centered) -> kernel
RMSPROP = {key: _rmsprop(*key) for key in product((False, True), repeat=2)}
