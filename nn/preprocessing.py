"""`Standardize`: inputs normalised with the statistics of the training set."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from autograd import Tensor
from autograd.devices import as_array, move, waits
from autograd.node import data_of

from ._checks import fitting, floating, positive
from .module import Buffer, Module

__all__ = ["Standardize"]

S = TypeVar("S", bound="Standardize")


class Standardize(Module):
    """x̃ = (x − μ) / σ, with the mean μ and the standard deviation σ of the training set, for the test set too.

    The contours of the loss become round, so that descent goes straight to the middle (LeCun et al., "Efficient
    BackProp", 1998). Made for the shape of what has its own statistics, which are taken over all axes before it:

    ==============================  =======================  =================================
    `Standardize(30)`               (N, 30)                  for each feature
    `Standardize(3)`                (N, 64, 64, 3)           for each channel
    `Standardize((64, 64, 3))`      (N, 64, 64, 3)           for each pixel and channel
    ==============================  =======================  =================================

    Put first into a `Sequential`, it is saved with the weights, and an unfitted one loads what was saved.

    Parameters
    ----------
    shape : int or tuple of int
        The last axes of the inputs; () for one μ and one σ of all numbers.
    dtype : dtype
        Of the statistics, and so of the inputs.

    Attributes
    ----------
    mean, std : Buffer, of that shape
        μ and σ. σ² is the mean of the squared deviations, (1/m) Σ (x − μ)². Where all numbers are equal, up to the
        precision of their dtype, σ is 1: they are only centred.
    fitted : Buffer, bool
        Whether `fit` was called, or a fitted state was loaded.

    Raises
    ------
    RuntimeError
        When called before `fit`. On a device, whose values are not waited for, the results are NaN instead.
    TypeError
        When called with another dtype.
    ValueError
        When called with another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x_train = np.array([[1.0, 300.0], [3.0, 500.0]], dtype=np.float32)
    >>> scale = nn.Standardize(2).fit(x_train)
    >>> scale(x_train)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    >>> scale(np.array([[2.0, 600.0]], dtype=np.float32))
    array([[0., 2.]], dtype=float32)
    >>> model = nn.Sequential(scale, nn.Linear(2, 1))
    """

    def __init__(self, shape: int | tuple[int, ...], dtype: Any = np.float32):
        axes = shape if isinstance(shape, tuple | list) else (shape,)
        shape, dtype = tuple(positive("Standardize: each length in shape", n) for n in axes), floating(dtype)
        self.mean = Buffer(np.zeros(shape, dtype))
        self.std = Buffer(np.ones(shape, dtype))
        self.fitted = Buffer(False)

    def fit(self: S, x: Any) -> S:
        """Take μ and σ from the training set, in float64, on the CPU; those of an earlier `fit` are replaced.

        Parameters
        ----------
        x : array_like, shape (…, *shape)
            The inputs of the training set, of any real dtype.

        Returns
        -------
        Standardize
            This module.

        Raises
        ------
        TypeError
            If they are not real numbers.
        ValueError
            If they are of another shape, or none, or not all finite, or if σ or μ cannot be told in the dtype of this
            module. It is left as it was then.
        """
        x = move(as_array(data_of(x)), "cpu")
        if x.dtype.kind == "c":
            raise TypeError(f"{self!r} needs real numbers to fit, got {x.dtype}.")
        self._check_shape(x)
        if not x.size:
            raise ValueError(f"{self!r} cannot fit an empty array, of shape {x.shape}.")
        bad = ~np.isfinite(x)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"{self!r} got {int(bad.sum())} numbers to fit that are not finite, the first at {where}: leave these "
                "examples out, or fill in other numbers."
            )
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            statistics = [np.asarray(s).astype(self.mean.dtype) for s in _mean_and_std(x, self.mean.ndim)]
        if not all(np.isfinite(s).all() for s in statistics) or not statistics[1].all():
            raise ValueError(
                f"{self!r}: the mean or the standard deviation is too large or too small for {self.mean.dtype}: scale "
                "the data, or make this module with another dtype."
            )
        self.mean.data, self.std.data = (move(s, self.mean.device) for s in statistics)
        self.fitted.data = move(np.array(True), self.fitted.device)
        return self

    def forward(self, x: Any) -> Any:
        x, mean, std = self._prepared(x)
        return (x - mean) / std

    def inverse(self, x: Any) -> Any:
        """x σ + μ: from standardised numbers to the original ones.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> scale = nn.Standardize(1, dtype=np.float64).fit([[10.0], [20.0]])
        >>> scale.inverse([[0.0], [2.0]])
        array([[15.],
               [25.]])
        """
        x, mean, std = self._prepared(x)
        return x * std + mean

    def _prepared(self, x: Any) -> tuple[Any, Any, Any]:
        """An input after a look at it, μ and σ: all of them Tensors, or all of them arrays."""
        mean, std, fitted = self.mean, self.std.data, self.fitted.data
        if waits(fitted):
            std = np.where(fitted, std, np.nan)
        elif not fitted:
            raise RuntimeError(
                f"{self!r} has no mean and no standard deviation yet: call its fit(x) with the training set, or load "
                "the weights of a model in which it was fitted."
            )
        x = fitting(self, x, mean)
        self._check_shape(x)
        if not isinstance(x, Tensor):
            return x, mean.data, std
        return x, mean, self.std if std is self.std.data else std

    def _check_shape(self, x: Any) -> None:
        shape = self.mean.shape
        if x.ndim < len(shape) or x.shape[x.ndim - len(shape) :] != shape:
            wanted = ", ".join(map(str, ("…", *shape)))
            raise ValueError(f"{self!r} takes inputs of shape ({wanted}), and was given shape {x.shape}.")

    def extra_repr(self) -> str:
        shape = self.mean.shape
        return str(shape[0] if len(shape) == 1 else shape)


def _mean_and_std(x: Any, ndim: int) -> tuple[Any, Any]:
    """The mean and the standard deviation over all but the last `ndim` axes, in float64."""
    axes = tuple(range(x.ndim - ndim))
    mean = x.mean(axes, dtype=np.float64)
    deviation = np.subtract(x, mean, dtype=np.float64)
    correction = deviation.mean(axes)  # of the rounding errors of the first sum
    mean = mean + correction
    deviation -= correction
    largest = np.maximum(deviation.max(axes), -deviation.min(axes))
    precision = np.finfo(x.dtype).eps if x.dtype.kind == "f" else np.finfo(np.float64).eps
    constant = largest <= precision * np.absolute(mean)
    scale = np.where(constant, 1.0, largest)  # so that no square is too large or too small
    deviation /= scale
    deviation *= deviation
    return mean, np.where(constant, 1.0, scale * np.sqrt(deviation.mean(axes)))
