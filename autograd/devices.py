"""The one file that knows about devices and array types: accept, name, move, refuse to mix.

A rule never asks where an array lives: it calls NumPy functions, and NumPy's protocols send them to the
array's own library. Nothing here imports CuPy before somebody asks for a GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DeviceError

__all__ = ["as_array", "describe", "device_of", "is_foreign", "move"]


def is_foreign(value: Any) -> bool:
    """Whether `value` is an array of another library that speaks NumPy's protocols (CuPy, Dask)."""
    return (
        hasattr(value, "__array_function__")
        and hasattr(value, "__array_ufunc__")
        and hasattr(value, "dtype")
        and hasattr(value, "shape")
        and not isinstance(value, np.ndarray | np.generic)
    )


def as_array(value: Any, dtype: Any = None, copy: bool | None = None) -> Any:
    """`value` as an array that a Tensor can hold: a NumPy array, or a foreign one as it is.

    Raises
    ------
    TypeError
        If it holds objects, strings or the like, or is an array subclass with a meaning of its own
        (a masked array), which a plain array would lose.
    """
    if is_foreign(value):
        if dtype is not None and value.dtype != dtype:
            return value.astype(dtype)
        return value.copy() if copy else value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            "a Tensor cannot hold a masked array: its mask would be lost. "
            "Fill it first, for example `Tensor(a.filled(0.0))`, and keep the mask beside it for `np.where`."
        )
    try:
        array = np.array(value, dtype=dtype, copy=copy)
    except ValueError as error:
        raise ValueError(f"these values do not make an array of numbers: {error}") from None
    if array.dtype.kind not in "fciub":
        raise TypeError(
            f"a Tensor holds numbers or booleans, got {type(value).__name__} of dtype {array.dtype}: "
            "convert the values first, for example with np.asarray(values, dtype=float)."
        )
    if not array.dtype.isnative:  # results are native, so gradients would not have the dtype of such an input
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def device_of(array: Any) -> str:
    """The name of the device where `array` lives: 'cpu', 'cuda:0', or the library's name.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.devices import device_of
    >>> device_of(np.zeros(3))
    'cpu'
    """
    if isinstance(array, np.ndarray | np.generic):
        return "cpu"
    library = type(array).__module__.partition(".")[0]
    if library == "cupy":
        return f"cuda:{array.device.id}"
    return library


def describe(value: Any) -> str:
    """A short text for an operand in an error message: `float32[3, 4]`, `cuda:0 float32[3, 4]`, `2.0`."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        place = device_of(value)
        prefix = "" if place == "cpu" else place + " "
        return f"{prefix}{value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else type(value).__name__


def mixing_error(name: str, operands: tuple[Any, ...]) -> DeviceError | None:
    """The error for operands of two array types, or None if that is not what went wrong."""
    arrays = [o for o in operands if hasattr(o, "shape") and hasattr(o, "dtype") and not isinstance(o, np.generic)]
    places = {device_of(a) for a in arrays}
    if len(places) < 2:
        return None
    listed = " and ".join(f"{device_of(a)} {a.dtype}{list(a.shape)}" for a in arrays)
    return DeviceError(
        f"{name} got arrays of different devices, {listed}: nothing is moved silently. "
        f"Move one of them first, for example with `t.to({sorted(places)[-1]!r})`."
    )


def move(array: Any, device: str) -> Any:
    """`array` on `device`: 'cpu', 'cuda' or 'cuda:N'. The array itself if it is there already.

    Raises
    ------
    DeviceError
        If the name is unknown, CuPy is not installed, or no GPU can be used.
    """
    name, _, number = device.partition(":")
    if name == "cpu" and not number:
        if isinstance(array, np.ndarray):
            return array
        get = getattr(array, "get", None) or getattr(array, "compute", None)
        if get is None:
            raise DeviceError(f"no way is known to bring a {type(array).__name__} to the CPU.")
        return get()
    if name != "cuda" or (number and not number.isdecimal()):
        raise DeviceError(f"unknown device {device!r}: write 'cpu', 'cuda' or 'cuda:N'.")
    cupy = _cupy()
    count = cupy.cuda.runtime.getDeviceCount()
    if number and int(number) >= count:
        raise DeviceError(f"there is no device {device!r}: this machine has {count} GPU(s), numbered from 0.")
    with cupy.cuda.Device(int(number) if number else cupy.cuda.runtime.getDevice()):
        return cupy.asarray(array)


def _cupy() -> Any:
    """CuPy, imported on first use, once it is known to work here."""
    try:
        import cupy
    except ImportError as error:
        raise DeviceError(
            "the device 'cuda' needs CuPy, which is not installed here: "
            f'`pip install "wengert[cuda]"` brings it for CUDA 13 ({error}).'
        ) from None
    if not cupy.cuda.is_available():
        raise DeviceError("CuPy is installed, but it finds no usable NVIDIA GPU or driver here: use the device 'cpu'.")
    return cupy
