"""Fourier transforms: `numpy.fft`.

The discrete Fourier transform is a product with a symmetric matrix, so its VJP is the transform itself, with the
same length and the same `norm`; the complex convention (see `elementwise.py`) asks for no conjugate. The same holds
for its inverse. The transforms of real numbers keep half of a spectrum, in which each frequency stands for its mirror
image too, except those that are their own: 0, and n/2 where n is even. Their VJPs are each other, once this is
weighed:

=========  ===============================================
`rfft`     `hfft`, with half of each mirrored frequency
`ihfft`    `irfft`, with half of each mirrored frequency
`irfft`    `ihfft`, then each mirrored frequency twice
`hfft`     `rfft`, then each mirrored frequency twice
=========  ===============================================

An input that the transform cuts off has the cotangent 0 there; one that it pads has that of the part that it has. The
imaginary parts of the frequencies that are their own mirror images are ignored by `irfft` and `hfft`: their cotangent
is 0. The transforms along several axes are made of these, one axis after the other, as NumPy makes them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..node import data_of
from ..primitive import REGISTRY, composed, define, written
from .elementwise import cast
from .index import scatter
from .rearrange import frozen

__all__: list[str] = []


@written("resized(x)")
def _fit(x: Any, n: int, axis: int) -> Any:
    """`x` with length n along `axis`: cut off, or filled with zeros."""
    length = x.shape[axis]
    if n == length:
        return x
    key = (slice(None),) * (axis % x.ndim) + (slice(min(n, length)),)
    if n < length:
        return x[key]
    return scatter(x, (*x.shape[: axis % x.ndim], n, *x.shape[axis % x.ndim + 1 :]), key)


@written("weights * x")
def _weigh(x: Any, n: int, axis: int, mirrored: float) -> Any:
    """Half of a spectrum of n frequencies, each that has a mirror image multiplied by `mirrored`."""
    weights = np.full_like(data_of(x).real, mirrored, shape=x.shape[axis])
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return x * weights.reshape(-1, *(1,) * (x.ndim - 1 - axis % x.ndim))


def _back(c: Any, a_shape: tuple[int, ...], a_dtype: Any, axis: int) -> Any:
    """A cotangent with the length and the dtype of the input."""
    c = _fit(c, a_shape[axis], axis)
    return c if c.dtype == a_dtype else cast(c, a_dtype)


def _length(n: int | None, a_shape: tuple[int, ...], axis: int) -> int:
    return a_shape[axis] if n is None else operator.index(n)


define(
    np.fft.fft,
    "a; n=None, axis=-1, norm=None -> y",
    a=lambda g, a_shape, a_dtype, axis, norm: _back(np.fft.fft(g, None, axis, norm), a_shape, a_dtype, axis),
)
define(
    np.fft.ifft,
    "a; n=None, axis=-1, norm=None -> y",
    a=lambda g, a_shape, a_dtype, axis, norm: _back(np.fft.ifft(g, None, axis, norm), a_shape, a_dtype, axis),
)


def _rfft(g: Any, a_shape: tuple[int, ...], a_dtype: Any, n: int | None, axis: int, norm: Any) -> Any:
    length = _length(n, a_shape, axis)
    return _back(np.fft.hfft(_weigh(g, length, axis, 0.5), length, axis, norm), a_shape, a_dtype, axis)


def _ihfft(g: Any, a_shape: tuple[int, ...], a_dtype: Any, n: int | None, axis: int, norm: Any) -> Any:
    length = _length(n, a_shape, axis)
    return _back(np.fft.irfft(_weigh(g, length, axis, 0.5), length, axis, norm), a_shape, a_dtype, axis)


def _irfft(g: Any, a_shape: tuple[int, ...], a_dtype: Any, axis: int, norm: Any) -> Any:
    return _back(_weigh(np.fft.ihfft(g, None, axis, norm), g.shape[axis], axis, 2.0), a_shape, a_dtype, axis)


def _hfft(g: Any, a_shape: tuple[int, ...], a_dtype: Any, axis: int, norm: Any) -> Any:
    return _back(_weigh(np.fft.rfft(g, None, axis, norm), g.shape[axis], axis, 2.0), a_shape, a_dtype, axis)


define(np.fft.rfft, "a; n=None, axis=-1, norm=None -> y", a=_rfft)
define(np.fft.irfft, "a; n=None, axis=-1, norm=None -> y", a=_irfft)
define(np.fft.hfft, "a; n=None, axis=-1, norm=None -> y", a=_hfft)
define(np.fft.ihfft, "a; n=None, axis=-1, norm=None -> y", a=_ihfft)

# Several axes


def _lengths(a: Any, s: Any, axes: Any, halved: bool = False) -> tuple[list[Any], list[int]]:
    """The lengths and axes that NumPy takes; `halved` if the last axis holds half of a spectrum."""
    shape = np.shape(a)
    if axes is None:
        axes = range(len(shape) if s is None else len(s))
        axes = [k - len(axes) for k in axes]
    if s is None:
        s = [shape[k] for k in axes]
        if halved:
            s[-1] = 2 * (s[-1] - 1)
    elif len(s) != len(axes):
        raise ValueError("Shape and axes have different lengths.")
    return [shape[k] if n == -1 else n for n, k in zip(s, axes)], list(axes)


def _along(transform: Callable[..., Any], a: Any, lengths: list[Any], axes: list[int], norm: Any) -> Any:
    for n, axis in zip(lengths, axes):
        a = transform(a, n, axis, norm)
    return a


@composed(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """`np.fft.fftn`."""
    lengths, axes = _lengths(a, s, axes)
    return _along(np.fft.fft, a, lengths[::-1], axes[::-1], norm)


@composed(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """`np.fft.ifftn`."""
    lengths, axes = _lengths(a, s, axes)
    return _along(np.fft.ifft, a, lengths[::-1], axes[::-1], norm)


@composed(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """`np.fft.rfftn`."""
    lengths, axes = _lengths(a, s, axes)
    return _along(np.fft.fft, np.fft.rfft(a, lengths[-1], axes[-1], norm), lengths[-2::-1], axes[-2::-1], norm)


@composed(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    """`np.fft.irfftn`."""
    lengths, axes = _lengths(a, s, axes, halved=True)
    return np.fft.irfft(_along(np.fft.ifft, a, lengths[:-1], axes[:-1], norm), lengths[-1], axes[-1], norm)


@composed(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """`np.fft.fft2`."""
    return fftn(a, s, axes, norm)


@composed(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """`np.fft.ifft2`."""
    return ifftn(a, s, axes, norm)


@composed(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """`np.fft.rfft2`."""
    return rfftn(a, s, axes, norm)


@composed(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None) -> Any:
    """`np.fft.irfft2`."""
    return irfftn(a, s, axes, norm)


# Moving the zero frequency

_fftshift = define(np.fft.fftshift, "x; axes=None -> y", x=lambda g, axes: np.fft.ifftshift(g, axes))
_ifftshift = define(np.fft.ifftshift, "x; axes=None -> y", x=lambda g, axes: np.fft.fftshift(g, axes))


def fftshift(x: Any, axes: Any = None) -> Any:
    """`np.fft.fftshift`."""
    return _fftshift(x, frozen(axes))


def ifftshift(x: Any, axes: Any = None) -> Any:
    """`np.fft.ifftshift`."""
    return _ifftshift(x, frozen(axes))


REGISTRY[np.fft.fftshift], REGISTRY[np.fft.ifftshift] = fftshift, ifftshift
