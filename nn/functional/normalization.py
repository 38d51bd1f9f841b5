"""Normalisation: minus the mean, divided by the standard deviation, over some of the axes.

All kinds are one primitive, `standardize`, with the closed form of its gradient. They differ in the axes: batch
normalisation (Ioffe & Szegedy, 2015) takes all but the channels, layer normalisation (Ba, Kiros & Hinton, 2016) the
last ones, group normalisation (Wu & He, 2018) those of a group of channels of one example, instance normalisation
(Ulyanov, Vedaldi & Lempitsky, 2016) the positions in one channel of one example; root mean square normalisation
(Zhang & Sennrich, 2019) leaves the mean where it is.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd.cotangent import unbroadcast
from autograd.node import data_of
from autograd.primitive import define, written
from autograd.rules.arrange import broadcast_to
from autograd.rules.reduce import count
from autograd.wrapping import array_like

from .kernels import NORM_AFFINE, NORM_RULE, NORM_SCALE, NORM_SPREAD, NORM_WEIGHT_RULE

__all__ = ["group_norm", "layer_norm", "rms_norm", "standardize"]

Axes = tuple[int, ...]


@written(
    "(x - mean) / sqrt(var + eps) * (1 if weight is None else weight) + (0 if bias is None else bias),"
    " mean(x, axes, keepdims=True) if centered else 0,"
    " var(x, axes, keepdims=True) if centered else mean(x**2, axes, keepdims=True)"
)
def standardize(
    x: Any,
    weight: Any = None,
    bias: Any = None,
    axis: int | Sequence[int] = -1,
    eps: float = 1e-5,
    centered: bool = True,
) -> tuple[Any, Any, Any]:
    """y = γ (x − μ) / √(σ² + ε) + β, where μ and σ² are the mean and the variance of x along `axis`.

    With x̂ the standardised x and g the cotangent of y times γ, ∂x = (g − mean(g) − x̂ mean(g x̂)) / √(σ² + ε)
    (Ioffe & Szegedy, "Batch normalization", 2015, section 3). The variance is that of the distances from the mean:
    digits survive where the mean is much larger than the deviation.

    Parameters
    ----------
    x : Tensor or array
        Real floating numbers. Those of half precision are calculated with in single precision.
    weight, bias : Tensor or array, optional
        γ and β: of the dtype of `x`, and of a shape that broadcasts to that of `x`.
    axis : int or sequence of int
        The axes to normalise over.
    eps : float
        ε, added to the variance.
    centered : bool
        False leaves the mean out: μ = 0, and σ² is the mean of the squares.

    Returns
    -------
    y : Tensor or array, the shape and dtype of `x`
    mean, var : Tensor or array
        μ and σ² (divided by n, not by n − 1), with length 1 along `axis`.

    Raises
    ------
    TypeError
        If `x` is not of real floating numbers, or weight or bias have another dtype.
    ValueError
        If their shapes do not fit, or there is nothing along `axis`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import standardize
    >>> y, mean, var = standardize(np.array([[1.0, 3.0], [4.0, 4.0]]), eps=0.01)
    >>> y.round(3), mean.ravel(), var.ravel()
    (array([[-0.995,  0.995],
           [ 0.   ,  0.   ]]), array([2., 4.]), array([1., 0.]))
    """
    x = array_like(x)
    if x.dtype.kind != "f":
        raise TypeError(f"normalisation is of real floating numbers, got {x.dtype}: write x.astype(np.float32).")
    for name, values in (("weight", weight), ("bias", bias)):
        if values is None:
            continue
        if values.dtype != x.dtype:
            raise TypeError(f"the {name} is {values.dtype} and x is {x.dtype}: nothing is converted silently.")
        last = x.shape[x.ndim - len(values.shape) :]
        if len(values.shape) > x.ndim or any(n not in (1, m) for n, m in zip(values.shape, last)):
            raise ValueError(f"a {name} of shape {values.shape} does not broadcast to x, of shape {x.shape}.")
    axes = normalize_axis_tuple(axis, x.ndim, "axis")
    if not axes or not count(x.shape, axes):
        raise ValueError(f"there is nothing to normalise over: x has shape {x.shape}, and the axes are {axes}.")
    if x.dtype != np.float16:
        return _standardized(x, weight, bias, axes, eps, centered, _Sums())  # type: ignore[no-any-return]
    single = [None if values is None else values.astype(np.float32) for values in (x, weight, bias)]
    y, mean, var = _standardized(*single, axes, eps, centered, _Sums())
    return y.astype(np.float16), mean, var


class _Sums:
    """Σ g and Σ g (x − μ) along the axes, where g is the cotangent of y.

    The rules for x, weight and bias need them, and they are half of what a backward pass costs. So they are kept for
    the `cotangents` that they were last asked for: a tuple that each pass makes anew, and gives to all three rules.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: tuple[Any, Any, Any] = (None, None, None)

    def of(self, cotangents: tuple[Any, ...], axes: Axes, distances: Callable[[], Any]) -> tuple[Any, Any]:
        """Both, for a function that returns x − μ."""
        last = self.last
        if last[0] is not cotangents:
            g = cotangents[0]
            last = (cotangents, g.sum(axes, keepdims=True), _dot(g, distances(), axes))
            if data_of(g) is g:  # in a recorded pass these are nodes that lead back to here: a cycle
                self.last = last
        return last[1:]

    def of_g(self, cotangents: tuple[Any, ...], axes: Axes) -> Any:
        """Σ g alone."""
        last = self.last
        return last[1] if last[0] is cotangents else cotangents[0].sum(axes, keepdims=True)


def _dot(a: Any, b: Any, axes: Axes) -> Any:
    """The sum of a b along the axes, which stay with length 1, without an array of the products."""
    letters = string.ascii_letters[: a.ndim]
    kept = "".join([letter for k, letter in enumerate(letters) if k not in axes])
    return np.einsum(f"{letters},{letters}->{kept}", a, b).reshape(_kept(a.shape, axes))


def _kept(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape with length 1 along the axes."""
    return tuple([1 if k in axes else n for k, n in enumerate(shape)])


def _constant(shape: tuple[int, ...], ndim: int, axes: Axes) -> bool:
    """Whether a weight or bias of this shape is the same for all that is normalised together."""
    lead = ndim - len(shape)
    return all(k < lead or shape[k - lead] == 1 for k in axes)


def _forward(x: Any, weight: Any, bias: Any, axes: Axes, eps: float, centered: bool, sums: _Sums) -> Any:
    n = count(x.shape, axes)
    mean = x.sum(axes, keepdims=True) / n if centered else np.zeros_like(x, shape=_kept(x.shape, axes))
    y = x - mean
    rest = y.sum(axes, keepdims=True) / n if centered else mean  # what a rounded sum of large numbers lacks
    var, scale, shift = _spread(rest, _dot(y, y, axes), n, eps)
    constant = all(v is None or _constant(v.shape, x.ndim, axes) for v in (weight, bias))
    if constant:  # one multiplication and one addition do for all
        scale, shift = (scale, shift) if weight is None else (scale * weight, shift * weight)
        shift = shift if bias is None else shift + bias
    y = _to_affine(y, scale, shift, None if constant else weight, None if constant else bias)
    return y, mean + rest, var


def _to_affine(y: Any, scale: Any, shift: Any, weight: Any, bias: Any) -> Any:
    """y ← (y · scale + shift) · weight + bias, where the last two may be None."""
    if y.__class__ is not np.ndarray:
        done = NORM_AFFINE(scale, shift, 1.0 if weight is None else weight, -0.0 if bias is None else bias, y)
        if done is not None:
            return done
    y *= scale
    y += shift
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y


def _spread(rest: Any, square: Any, n: int, eps: float) -> tuple[Any, Any, Any]:
    """The variance, of Σ (x − μ)² and of what μ lacks; and the factor and the summand that standardise x − μ."""
    done = None if rest.__class__ is np.ndarray else NORM_SPREAD(rest, square, n, eps)
    if done is not None:
        return done  # type: ignore[no-any-return]
    var = np.maximum(square / n - rest * rest, 0)
    scale = 1 / np.sqrt(var + eps)
    return var, scale, -rest * scale


def _scale(var: Any, eps: float) -> Any:
    """1 / √(σ² + ε)."""
    done = None if var.__class__ is np.ndarray else NORM_SCALE(var, eps)
    return 1 / np.sqrt(var + eps) if done is None else done


#: How many bytes of examples are worked on at a time, where each example is normalised by itself.
_CACHED = 2**18


def _few_examples(x: Any, axes: Axes, affine: tuple[int, ...]) -> list[slice]:
    """Slices of a large array, for what is calculated of one to stay in the cache; none if it is to be done at once.

    They are along the first axis, if nothing is normalised over it and the weight, of this shape, has not got it.
    """
    if x.__class__ is not np.ndarray or x.nbytes <= _CACHED or 0 in axes or (len(affine) == x.ndim and affine[0] != 1):
        return []
    step = max(1, _CACHED * len(x) // x.nbytes)
    return [slice(k, k + step) for k in range(0, len(x), step)]


def _combined(d: Any, along: Any, r: Any, g: Any, mean: Any, scale: Any) -> Any:
    """(g − mean(g) − x̂ mean(g x̂)) scale, written over d = x − μ: another array would cost more than all this."""
    if d.__class__ is not np.ndarray:
        done = NORM_RULE(along, r, g, 0.0 if mean is None else mean, scale, d)
        if done is not None:
            return done
    d *= along * (-r * r)
    d += g
    if mean is not None:
        d -= mean
    d *= scale
    return d


def _standard_product(g: Any, x: Any, mean: Any, r: Any) -> Any:
    """g x̂."""
    done = None if g.__class__ is np.ndarray else NORM_WEIGHT_RULE(g, x, mean, r)
    if done is not None:
        return done
    d = x - mean
    d *= r
    d *= g
    return d


@written(
    "((h := g[0] * (1 if weight is None else weight))"
    " - (sum(h, axes, keepdims=True) / count(x.shape, axes) if centered else 0)"
    " - (r := (x - mean) / sqrt(var + eps)) * sum(h * r, axes, keepdims=True) / count(x.shape, axes)) / sqrt(var + eps)"
    " + (g[1] / count(x.shape, axes) if centered else 0) + 2 * g[2] * (x - mean) / count(x.shape, axes)"
)
def _x_rule(
    g: Any, x: Any, weight: Any, mean: Any, var: Any, axes: Axes, eps: float, centered: bool, sums: _Sums
) -> Any:
    gy, gmean, gvar = g
    n = count(x.shape, axes)
    parts = []
    if gy is not None:
        r = _scale(var, eps)
        if weight is None or _constant(weight.shape, x.ndim, axes):
            d = x - mean
            total, along = sums.of(g, axes, lambda: d)
            scale = r if weight is None else r * weight
            parts.append(_combined(d, along / n, r, gy, total / n if centered else None, scale))
        else:

            def weighted(gy: Any, x: Any, mean: Any, r: Any) -> Any:
                gw, d = gy * weight, x - mean
                inner = gw.sum(axes, keepdims=True) / n if centered else None
                return _combined(d, _dot(gw, d, axes) / n, r, gw, inner, r)

            few = _few_examples(x, axes, weight.shape)
            dx = np.empty_like(x) if few else weighted(gy, x, mean, r)
            for rows in few:
                dx[rows] = weighted(gy[rows], x[rows], mean[rows], r[rows])
            parts.append(dx)
    if gvar is not None:
        parts.append((x - mean) * (gvar * (2 / n)))
    if gmean is not None and centered:
        parts.append(broadcast_to(gmean / n, x.shape))
    return sum(parts[1:], parts[0]) if parts else np.zeros_like(x)


@written("unbroadcast(g[0] * (x - mean) / sqrt(var + eps), weight_shape)")
def _weight_rule(
    g: Any, x: Any, weight_shape: tuple[int, ...], mean: Any, var: Any, axes: Axes, eps: float, sums: _Sums
) -> Any:
    gy = g[0]
    if gy is None:
        return np.zeros_like(mean, shape=weight_shape)
    r = _scale(var, eps)
    if _constant(weight_shape, x.ndim, axes):
        return unbroadcast(sums.of(g, axes, lambda: x - mean)[1] * r, weight_shape)

    def summed(gy: Any, x: Any, mean: Any, r: Any) -> Any:
        return unbroadcast(_standard_product(gy, x, mean, r), weight_shape)

    few = _few_examples(x, axes, weight_shape)
    return sum([summed(gy[k], x[k], mean[k], r[k]) for k in few]) if few else summed(gy, x, mean, r)


@written("unbroadcast(g[0], bias_shape)")
def _bias_rule(g: Any, x_shape: tuple[int, ...], bias_shape: tuple[int, ...], axes: Axes, sums: _Sums) -> Any:
    gy = g[0]
    if gy is None:
        return np.zeros_like(next(part for part in g if part is not None), shape=bias_shape)
    if _constant(bias_shape, len(x_shape), axes):
        return unbroadcast(sums.of_g(g, axes), bias_shape)
    return unbroadcast(gy, bias_shape)


_standardized = define(
    standardize,
    "x, weight, bias; axes, eps, centered, sums -> y, mean, var",
    forward=_forward,
    x=_x_rule,
    weight=_weight_rule,
    bias=_bias_rule,
)


def layer_norm(
    x: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each example standardised over its last axes, times `weight`, plus `bias`.

    Parameters
    ----------
    x : Tensor or array, shape (…, *normalized_shape)
    normalized_shape : int or sequence of int
        The lengths of the last axes, over which the mean and the variance are taken.
    weight, bias : Tensor or array, shape normalized_shape, optional
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor or array, the shape of `x`

    Raises
    ------
    TypeError, ValueError
        As `standardize`; ValueError also for an `x` that does not end in `normalized_shape`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import layer_norm
    >>> layer_norm(np.array([[1.0, 2.0, 3.0]]), 3, eps=0).round(4)
    array([[-1.2247,  0.    ,  1.2247]])
    """
    x = array_like(x)
    return standardize(x, weight, bias, _last_axes("layer_norm", x, normalized_shape), eps)[0]


def rms_norm(x: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Each example divided by its root mean square over its last axes, times `weight`.

    Parameters
    ----------
    x : Tensor or array, shape (…, *normalized_shape)
    normalized_shape : int or sequence of int
        The lengths of the last axes.
    weight : Tensor or array, shape normalized_shape, optional
    eps : float, optional
        Added to the mean square; by default the machine epsilon of the dtype of `x`.

    Returns
    -------
    Tensor or array, the shape of `x`

    Raises
    ------
    TypeError, ValueError
        As `layer_norm`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import rms_norm
    >>> rms_norm(np.array([3.0, 4.0]), 2).round(4)
    array([0.8485, 1.1314])
    """
    x = array_like(x)
    axes = _last_axes("rms_norm", x, normalized_shape)
    if eps is None:
        eps = float(np.finfo(x.dtype).eps) if x.dtype.kind == "f" else 0.0  # which standardize refuses
    return standardize(x, weight, None, axes, eps, centered=False)[0]


def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Each group of channels of each example standardised; each channel times its weight, plus its bias.

    Parameters
    ----------
    x : Tensor or array, shape (N, C, …)
    num_groups : int
        How many groups the C channels are in; a divisor of C.
    weight, bias : Tensor or array, shape (C,), optional
    eps : float
        Added to the variance.

    Returns
    -------
    Tensor or array, the shape of `x`

    Raises
    ------
    TypeError, ValueError
        As `standardize`; ValueError also if the channels are not in so many groups of equal size.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import group_norm
    >>> group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0)
    array([[-1.,  1., -1.,  1.]])
    """
    x = array_like(x)
    shape = x.shape
    if x.ndim < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ValueError(
            f"group_norm needs an input of shape (N, C, …) with C in {num_groups} groups of equal size, "
            f"got shape {shape}."
        )
    channels, positions = shape[1] // num_groups, (1,) * (x.ndim - 2)
    parts = []
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None:
            if values.shape != shape[1:2]:
                raise ValueError(f"a {name} of shape {values.shape} is not one number for each of {shape[1]} channels.")
            values = values.reshape(num_groups, channels, *positions)
        parts.append(values)
    grouped = x.reshape(shape[0], num_groups, channels, *shape[2:])
    y, _, _ = standardize(grouped, parts[0], parts[1], tuple(range(2, x.ndim + 1)), eps)
    return y.reshape(shape)


def _last_axes(name: str, x: Any, normalized_shape: int | Sequence[int]) -> Axes:
    """The axes of `x` that have the normalised shape: the last ones."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{name} normalises over the last axes, which are to have the shape {shape}; the input has shape {x.shape}."
        )
    return tuple(range(x.ndim - len(shape), x.ndim))
