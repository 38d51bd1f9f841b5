"""Kernels of what is in this folder: the same formulas in C++, for a GPU. See `autograd.kernels`.

A table holds the kernels of one primitive: the output's name for its forward function, an input's for its rule. The
other kernels are steps of an operation that sums something in between.
"""

from __future__ import annotations

from autograd.kernels import Kernel
from autograd.rules.kernels import STABLE

#: The standard normal distribution.
_NORMAL = """
template <typename T> __device__ T normal_cdf(T x) { return erfc(x * T(-0.70710678118654752440)) * T(0.5); }
template <typename T> __device__ T normal_pdf(T x) {
    T z = held(x, T(-40), T(40));
    return exp(z * z * T(-0.5)) * T(0.3989422804014326779);
}
"""

#: −log p and −log (1 − p) with their floors, and the gate of the approximate GELU.
_LOGS = """
template <typename T> __device__ T log_of(T p) { return larger(T(log(p)), T(-100)); }
template <typename T> __device__ T log_rest(T p) { return larger(T(log1p(-p)), T(-100)); }
"""
_TWICE = "T(1.5957691216057307118)"  # 2 √(2/π)
_GATE = f"T t = held(x, T(-40), T(40)), s = logistic({_TWICE} * t * (1 + T(0.044715) * t * t));"


def _elementwise(
    name: str, inputs: str, output: str, forward: str | None = None, preamble: str = "", **rules: str
) -> dict[str, Kernel]:
    """The kernels of a primitive. Each is the statements that come first, and at last an expression."""
    table = {}
    for key, text in {output: forward, **rules}.items():
        if text is not None:
            first, semicolon, last = text.rpartition(";")
            taken = inputs if key == output else f"T g, {inputs}"
            called = name if key == output else f"{name}_{key}"
            table[key] = Kernel(called, taken, "T result", f"{first}{semicolon} result = {last.strip()}", preamble)
    return table


RELU = {"x": Kernel("relu_x", "T g, T y", "T dx", "dx = g * T(y > 0)")}
SMOOTH_RELU = _elementwise(
    "smooth_relu",
    "T x, T beta, T threshold",
    "y",
    "T z = beta * x; z > threshold ? x : smooth_ramp(z) / beta",
    STABLE,
    x="T z = beta * x; g * (z > threshold ? T(1) : logistic(z))",
)
LOGSIGMOID = _elementwise("logsigmoid", "T x", "y", "-smooth_ramp(-x)", STABLE, x="g * logistic(-x)")
SOFTSIGN = _elementwise("softsign", "T x", "y", "x / (1 + fabs(x))", x="T slope = 1 / (1 + fabs(x)); g * slope * slope")
BOUNDED = _elementwise("bounded", "T x, T low, T high", "y", x="g * T(x > low && x < high)")
HARDSIGMOID = _elementwise(
    "hardsigmoid", "T x", "y", "held(x + 3, T(0), T(6)) / 6", STABLE, x="g * T(x > -3 && x < 3) / 6"
)
RECTIFY = _elementwise(
    "rectify",
    "T x, T slope",
    "y",
    "larger(x, T(0)) + slope * smaller(x, T(0))",
    STABLE,
    x="T step = T(x > 0); g * (step + slope * (1 - step))",
) | {"slope": Kernel("rectify_slope", "T g, T x", "T result", "result = g * (x > 0 ? T(0) : x)")}
EXPONENTIAL_LINEAR = _elementwise(
    "exponential_linear",
    "T x, T scale, T height, T rate",
    "y",
    "scale * larger(x, T(0)) + height * expm1(rate * smaller(x, T(0)))",
    STABLE,
    x="T step = T(x > 0); g * (scale * step + height * rate * exp(rate * smaller(x, T(0))) * (1 - step))",
)
SILU = _elementwise(
    "silu",
    "T x",
    "y",
    "larger(x, T(-800)) * logistic(x)",
    STABLE,
    x="T s = logistic(x); g * (s + held(x, T(-800), T(800)) * s * (1 - s))",
)
MISH = _elementwise(
    "mish",
    "T x",
    "y",
    "larger(x, T(-800)) * tanh(smooth_ramp(x))",
    STABLE,
    x="T gate = tanh(smooth_ramp(x)); g * (gate + held(x, T(-800), T(800)) * logistic(x) * (1 - gate * gate))",
)
NORMAL_CDF = _elementwise("normal_cdf", "T x", "y", "normal_cdf(x)", STABLE + _NORMAL, x="g * normal_pdf(x)")
GAUSSIAN_GATE = _elementwise(
    "gaussian_gate",
    "T x",
    "y",
    "larger(x, T(-40)) * normal_cdf(x)",
    STABLE + _NORMAL,
    x="g * (normal_cdf(x) + held(x, T(-40), T(40)) * normal_pdf(x))",
)
GAUSSIAN_GATE_BY_TANH = _elementwise(
    "gaussian_gate_by_tanh",
    "T x",
    "y",
    f"{_GATE} larger(x, T(-40)) * s",
    STABLE,
    x=f"{_GATE} g * (s + t * s * (1 - s) * ({_TWICE} * (1 + 3 * T(0.044715) * t * t)))",
)
HARDSWISH = _elementwise(
    "hardswish",
    "T x",
    "y",
    "larger(x, T(-3)) * (held(x + 3, T(0), T(6)) / 6)",
    STABLE,
    x="g * (x <= -3 ? T(0) : x < 3 ? x / 3 + T(0.5) : T(1))",
)
GLU = Kernel("glu", "T a, T b", "T y", "y = a * logistic(b)", STABLE)
GLU_RULE = Kernel(
    "glu_x", "T g, T a, T b", "T da, T db", "T s = logistic(b); da = g * s; db = g * a * s * (1 - s)", STABLE
)

DROPOUT = {
    "y": Kernel("dropout", "T x, bool keep, T scale", "T y", "y = x * scale * T(keep)"),
    "x": Kernel("dropout_x", "T g, bool keep, T scale", "T dx", "dx = g * scale * T(keep)"),
}

SQUARED_ERROR = _elementwise(
    "squared_error", "T a, T y", "loss", "T d = a - y; d * d", a="g * 2 * (a - y)", y="g * 2 * (y - a)"
)
HUBER = _elementwise(
    "huber",
    "T d, T delta",
    "loss",
    "T near = held(d, -delta, delta); near * (d - near / 2)",
    STABLE,
    d="g * held(d, -delta, delta)",
)
BINARY_CROSS_ENTROPY = _elementwise(
    "binary_cross_entropy",
    "T p, T y",
    "loss",
    "-(y * log_of(p) + (1 - y) * log_rest(p))",
    STABLE + _LOGS,
    p="g * (p - y) / larger(p * (1 - p), T(1e-12))",
) | {
    "y": Kernel(
        "binary_cross_entropy_y", "T g, T p", "T result", "result = g * (log_rest(p) - log_of(p))", STABLE + _LOGS
    )
}
LOGITS_CROSS_ENTROPY = _elementwise(
    "logits_cross_entropy",
    "T z, T y",
    "loss",
    "larger(z, T(0)) - y * z + above_ramp(z)",
    STABLE,
    z="g * (logistic(z) - y)",
) | {"y": Kernel("logits_cross_entropy_y", "T g, T z", "T result", "result = -g * z")}

SOFT_TARGETS = Kernel("soft_targets", "T q, T y", "T product", "product = (y == 0 ? T(0) : q) * y")
SOFT_DIFFERENCE = Kernel("soft_difference", "T y, T share", "T q", "q = q * share - y")

NORM_SPREAD = Kernel(
    "norm_spread",
    "T rest, T square, T n, T eps",
    "T var, T scale, T shift",
    "var = larger(square / n - rest * rest, T(0)); scale = 1 / sqrt(var + eps); shift = -rest * scale",
    STABLE,
)
NORM_SCALE = Kernel("norm_scale", "T var, T eps", "T scale", "scale = 1 / sqrt(var + eps)")
NORM_AFFINE = Kernel(
    "norm_affine",
    "T scale, T shift, T weight, T bias",
    "T y",
    "y = (y * scale + shift) * weight + bias",
)
NORM_RULE = Kernel(
    "norm_x", "T along, T r, T g, T mean, T scale", "T d", "d = (d * (along * (-r * r)) + g - mean) * scale"
)
NORM_WEIGHT_RULE = Kernel("norm_weight", "T g, T x, T mean, T r", "T product", "product = (x - mean) * r * g")
