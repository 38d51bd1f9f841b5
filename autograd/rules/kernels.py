"""Kernels of the rules: what they compute, once more in C++, for a GPU. See `autograd.kernels`.

A table holds the kernels of one primitive: the output's name for its forward function, an input's for its rule. The
formulas are those of the NumPy text, with the same stable forms and the same choices at kinks and for NaN.
"""

from __future__ import annotations

from ..kernels import Kernel

__all__ = [
    "ABSOLUTE",
    "COS",
    "DIVIDE",
    "EXPM1",
    "EXP_BELOW",
    "LOG1P",
    "LOGSUMEXP_RULE",
    "MAXIMUM",
    "MINIMUM",
    "SIGMOID",
    "SIN",
    "SOFTPLUS",
    "SQRT",
    "SQUARE",
    "STABLE",
    "TANH",
]

#: NumPy's maximum, minimum, clip and sign, in which a NaN stays, and the functions of `stable.py`.
STABLE = """
template <typename T> __device__ T larger(T a, T b) { return a > b || a != a ? a : b; }
template <typename T> __device__ T smaller(T a, T b) { return a < b || a != a ? a : b; }
template <typename T> __device__ T held(T x, T low, T high) { return x < low ? low : x > high ? high : x; }
template <typename T> __device__ T sign_of(T x) { return x > 0 ? T(1) : x < 0 ? T(-1) : x == 0 ? T(0) : x; }
template <typename T> __device__ T logistic(T x) {
    T e = exp(-fabs(x));
    return (x < 0 ? e : T(1)) / (1 + e);
}
template <typename T> __device__ T above_ramp(T x) { return log1p(exp(-fabs(x))); }
template <typename T> __device__ T smooth_ramp(T x) { return larger(x, T(0)) + above_ramp(x); }
"""

SIGMOID = {
    "y": Kernel("sigmoid", "T x", "T y", "y = logistic(x)", STABLE),
    "x": Kernel("sigmoid_x", "T g, T y", "T dx", "dx = g * y * (1 - y)"),
}
SOFTPLUS = {
    "y": Kernel("softplus", "T x", "T y", "y = smooth_ramp(x)", STABLE),
    "x": Kernel("softplus_x", "T g, T x", "T dx", "dx = g * logistic(x)", STABLE),
}
DIVIDE = {"y": Kernel("divide_y", "T g, T y, T z", "T dy", "dy = -g * z / y")}
SQUARE = {"x": Kernel("square_x", "T g, T x", "T dx", "dx = g * 2 * x")}
EXPM1 = {"x": Kernel("expm1_x", "T g, T y", "T dx", "dx = g * (y + 1)")}
LOG1P = {"x": Kernel("log1p_x", "T g, T x", "T dx", "dx = g / (x + 1)")}
SQRT = {"x": Kernel("sqrt_x", "T g, T y", "T dx", "T b = 2 * y; dx = g / (b + T(g == 0 && b == 0))")}
SIN = {"x": Kernel("sin_x", "T g, T x", "T dx", "dx = g * cos(x)")}
COS = {"x": Kernel("cos_x", "T g, T x", "T dx", "dx = -g * sin(x)")}
TANH = {"x": Kernel("tanh_x", "T g, T y", "T dx", "dx = g - g * y * y")}
ABSOLUTE = {"x": Kernel("absolute_x", "T g, T x", "T dx", "dx = g * sign_of(x)", STABLE)}
MAXIMUM = {
    "x": Kernel("maximum_x", "T g, T x, T y", "T dx", "dx = g * (T(0.5) * ((x > y) + (x >= y)))"),
    "y": Kernel("maximum_y", "T g, T x, T y", "T dy", "dy = g * (T(0.5) * ((y > x) + (y >= x)))"),
}
MINIMUM = {
    "x": Kernel("minimum_x", "T g, T x, T y", "T dx", "dx = g * (T(0.5) * ((x < y) + (x <= y)))"),
    "y": Kernel("minimum_y", "T g, T x, T y", "T dy", "dy = g * (T(0.5) * ((y < x) + (y <= x)))"),
}

EXP_BELOW = Kernel("exp_below", "T x, T top", "T y", "y = exp(x - top)")
LOGSUMEXP_RULE = Kernel("logsumexp_a", "T g, T e, T total", "T da", "da = e * (g / (total + T(total == 0)))")
