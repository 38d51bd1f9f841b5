"""Augmentation: what changes an image at random and leaves what it shows.

Each is a function `t(images, rng) -> images` of a batch of shape (N, height, width, channels), for a loader's
`transform`. Each image gets a draw of its own; the result is a new array of the same dtype, and the argument is never
written to. They work on NumPy arrays and are not differentiable: they belong to the data, not to the model, and come
before a batch is moved to a device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograd import Tensor
from autograd.devices import device_of, is_foreign

from .._checks import positive
from ..layers import Rng

__all__ = ["Compose", "GaussianNoise", "Normalize", "RandomCrop", "RandomFlip", "RandomShift"]

_AXES = {"vertical": 1, "horizontal": 2}
_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


class Compose:
    """Several transforms, one after another.

    Parameters
    ----------
    transforms : sequence of callable
        Each `t(images, rng) -> images`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> augment = nn.Compose([nn.RandomFlip(), nn.RandomShift(4)])
    >>> augment
    Compose([RandomFlip(p=0.5, axis='horizontal'), RandomShift(pixels=4, mode='constant')])
    >>> X, y = np.zeros((10, 64, 64, 3), dtype=np.float32), np.zeros((10, 1), dtype=np.float32)
    >>> loader = nn.DataLoader((X, y), batch_size=5, shuffle=True, transform=augment, rng=0)
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]):
        self.transforms = list(transforms)
        for t in self.transforms:
            if not callable(t) or isinstance(t, type):
                raise TypeError(f"Compose takes transforms, as in Compose([RandomFlip(), RandomShift(4)]); got {t!r}.")

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        rng = np.random.default_rng(rng)  # one for all: a seed would give each transform the same draws
        for t in self.transforms:
            images = t(images, rng)
        return images if self.transforms else images.copy()

    def __repr__(self) -> str:
        return f"Compose([{', '.join(map(repr, self.transforms))}])"


@dataclass(frozen=True)
class RandomFlip:
    """Mirror some of the images.

    Parameters
    ----------
    p : float
        The probability for each image.
    axis : str
        'horizontal' exchanges left and right, 'vertical' top and bottom.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> images = np.arange(3.0).reshape(1, 1, 3, 1)
    >>> nn.RandomFlip(p=1.0)(images, 0).ravel()
    array([2., 1., 0.])
    """

    p: float = 0.5
    axis: str = "horizontal"

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"p is a probability, from 0 to 1; got {self.p!r}.")
        if self.axis not in _AXES:
            raise ValueError(f"axis is 'horizontal' or 'vertical', got {self.axis!r}.")

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        images = _batch(self, images)
        chosen = np.random.default_rng(rng).random(len(images)) < self.p
        return np.where(chosen[:, None, None, None], np.flip(images, _AXES[self.axis]), images)


@dataclass(frozen=True)
class RandomCrop:
    """Cut a window out of each image, wherever it fits.

    Parameters
    ----------
    size : int or (int, int)
        The height and width of the window.
    padding : int
        How many pixels are added on each side before.
    mode : str
        With what: 'constant' (zeros), 'edge', 'reflect', 'symmetric' or 'wrap', as in `np.pad`.

    Raises
    ------
    ValueError
        If the window is larger than the padded image.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.RandomCrop((28, 30))(np.zeros((5, 32, 32, 3), dtype=np.float32), rng=0).shape
    (5, 28, 30, 3)
    """

    size: int | tuple[int, int]
    padding: int = 0
    mode: str = "constant"

    def __post_init__(self) -> None:
        size = self.size if isinstance(self.size, tuple | list) else (self.size, self.size)
        if len(size) != 2:
            raise ValueError(f"size is a number of pixels, or (height, width); got {self.size!r}.")
        for n in size:
            positive("size", n)
        _check_padding("padding", self.padding, self.mode)

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        images = _batch(self, images)
        height, width = self.size if isinstance(self.size, tuple | list) else (self.size, self.size)
        return _windows(self, images, height, width, self.padding, self.mode, rng)


@dataclass(frozen=True)
class RandomShift:
    """Move each image, up or down and left or right, by up to so many pixels.

    Parameters
    ----------
    pixels : int
        The most in each direction; each shift from −pixels to pixels is as likely as any other.
    mode : str
        What comes in at the border: 'constant' (zeros), 'edge', 'reflect', 'symmetric' or 'wrap', as in `np.pad`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> images = np.arange(1.0, 4.0).reshape(1, 1, 3, 1).repeat(3, axis=1)
    >>> nn.RandomShift(1, mode="wrap")(images, rng=2)[0, :, :, 0]
    array([[3., 1., 2.],
           [3., 1., 2.],
           [3., 1., 2.]])
    """

    pixels: int
    mode: str = "constant"

    def __post_init__(self) -> None:
        _check_padding("pixels", self.pixels, self.mode)

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        images = _batch(self, images)
        _, height, width, _ = images.shape
        return _windows(self, images, height, width, self.pixels, self.mode, rng)


@dataclass(frozen=True)
class GaussianNoise:
    """Add independent normal noise to each pixel of each channel. The result is not clipped.

    Parameters
    ----------
    std : float
        The standard deviation, in the unit of the images.

    Raises
    ------
    TypeError
        When called with integers, such as bytes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> images = np.full((2, 64, 64, 3), 0.5, dtype=np.float32)
    >>> noisy = nn.GaussianNoise(0.1)(images, rng=0)
    >>> noisy.dtype, round(float(noisy.std()), 2)
    (dtype('float32'), 0.1)
    """

    std: float

    def __post_init__(self) -> None:
        if not 0 <= self.std < np.inf:
            raise ValueError(f"std is a standard deviation, 0 or more; got {self.std!r}.")

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        images = _batch(self, images, floating=True)
        # drawn in float64, so that a seed means the same noise for each dtype
        noise = np.random.default_rng(rng).standard_normal(images.shape)
        noise *= self.std
        return images + noise.astype(images.dtype)


@dataclass(frozen=True)
class Normalize:
    """(x − mean) / std for each channel. Nothing is random here; `rng` is not used.

    Parameters
    ----------
    mean, std : float or sequence of float
        One for all channels, or one for each.

    Raises
    ------
    TypeError
        When called with integers, such as bytes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Normalize(mean=[0.5, 0.5, 0.0], std=0.5)(np.ones((1, 1, 1, 3)))
    array([[[[1., 1., 2.]]]])
    """

    mean: float | Sequence[float]
    std: float | Sequence[float]

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            value = np.asarray(getattr(self, name))
            if value.ndim > 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all():
                raise ValueError(f"{name} is a finite number, or one for each channel; got {getattr(self, name)!r}.")
            object.__setattr__(self, name, value.tolist())
        if (np.asarray(self.std) <= 0).any():
            raise ValueError(f"std must be positive, got {self.std!r}.")

    def __call__(self, images: Any, rng: Rng = None) -> Any:
        images = _batch(self, images, floating=True)
        for name in ("mean", "std"):
            values = getattr(self, name)
            if isinstance(values, list) and len(values) != images.shape[3]:
                raise ValueError(
                    f"{self!r} has the {name} of {len(values)} channels, and was given images of shape {images.shape}: "
                    "the channels are the last axis."
                )
        result = images - np.asarray(self.mean, dtype=images.dtype)
        result /= np.asarray(self.std, dtype=images.dtype)
        return result


def _batch(transform: Any, images: Any, floating: bool = False) -> Any:
    """`images`, if this is a batch of images."""
    if isinstance(images, Tensor):
        raise TypeError(
            f"{transform!r} works on NumPy arrays, and was given a Tensor, whose gradient would be lost: augment the "
            "data before they become one."
        )
    if is_foreign(images):
        raise TypeError(
            f"{transform!r} works on NumPy arrays, and was given a batch on {device_of(images)!r}: augment it before "
            "it is moved there, as a DataLoader does."
        )
    if not isinstance(images, np.ndarray):
        raise TypeError(f"{transform!r} works on NumPy arrays, and was given a {type(images).__name__}.")
    if images.ndim != 4:
        remedy = "; write image[None] for a single one" if images.ndim == 3 else ""
        raise ValueError(
            f"{transform!r} takes a batch of shape (N, height, width, channels), got shape {images.shape}{remedy}."
        )
    if floating and images.dtype.kind != "f":
        raise TypeError(
            f"{transform!r} calculates with floating numbers, and was given {images.dtype}: write, for instance, "
            "images.astype(np.float32) / 255."
        )
    return images


def _check_padding(name: str, pixels: Any, mode: str) -> None:
    if not isinstance(pixels, int | np.integer) or isinstance(pixels, bool) or pixels < 0:
        raise ValueError(f"{name} is a number of pixels, 0 or more; got {pixels!r}.")
    if mode not in _MODES:
        raise ValueError(f"mode is one of {', '.join(map(repr, _MODES))}; got {mode!r}.")


def _windows(transform: Any, images: Any, height: int, width: int, padding: int, mode: str, rng: Rng) -> Any:
    """A window of height × width from each padded image, each at a place of its own."""
    n = len(images)
    if padding:
        around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        images = np.pad(images, around, mode=mode)  # type: ignore[call-overload]
    rows, columns = images.shape[1] - height + 1, images.shape[2] - width + 1
    if rows < 1 or columns < 1:
        raise ValueError(
            f"{transform!r} cuts out {height} × {width} pixels, and was given images of "
            f"{images.shape[1] - 2 * padding} × {images.shape[2] - 2 * padding}."
        )
    rng = np.random.default_rng(rng)
    top, left = rng.integers(rows, size=n), rng.integers(columns, size=n)
    # (N, rows, columns, C, height, width), a view: with one index for each image a window is copied in one piece
    windows = sliding_window_view(images, (height, width), axis=(1, 2))
    return np.ascontiguousarray(np.moveaxis(windows, 3, -1)[np.arange(n), top, left])
