"""The one file that knows about devices and array types: accept, name, move, refuse to mix.

A rule never asks where an array lives: it calls NumPy functions, and NumPy's protocols send them to the
array's own library. What the engine has to know of such a library is one `Library`: how its devices are called, and
how an array comes there and back. CuPy is imported when somebody asks for a GPU, Dask for a lazy array, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import DeviceError

__all__ = ["LIBRARIES", "Library", "as_array", "describe", "device_of", "is_foreign", "library_of", "move"]


@dataclass(frozen=True)
class Library:
    """What the engine knows of a library of arrays that speak NumPy's protocols.

    Attributes
    ----------
    device : str
        The name of its devices: 'cuda' stands for the one in use, 'cuda:N' for number N.
    put : callable
        `put(array, device)`: a NumPy array, or one of its own, as one of its own on that device; the array itself if
        it is there. Raises DeviceError if it cannot be.
    get : callable
        `get(array)`: one of its arrays as a NumPy array, with a copy of its values.
    place : callable
        `place(array)`: the name of the device where one of its arrays lives.
    """

    device: str
    put: Callable[[Any, str], Any]
    get: Callable[[Any], Any]
    place: Callable[[Any], str]


def library_of(array: Any) -> Library | None:
    """The library that an array is of, or None: NumPy's own, or one that the engine knows nothing of."""
    return LIBRARIES.get(type(array).__module__.partition(".")[0])


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
    library = library_of(array)
    return type(array).__module__.partition(".")[0] if library is None else library.place(array)


def describe(value: Any) -> str:
    """A short text for an operand in an error message: `float32[3, 4]`, `cuda:0 float32[3, 4]`, `2.0`."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        place = device_of(value)
        prefix = "" if place == "cpu" else place + " "
        return f"{prefix}{value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 40 else type(value).__name__


def mixing_error(name: str, operands: Mapping[str, Any]) -> DeviceError | None:
    """The error for operands, by their names, of two devices; None if that is not what went wrong."""
    arrays = {k: o for k, o in operands.items() if hasattr(o, "shape") and hasattr(o, "dtype")}
    places = {k: device_of(a) for k, a in arrays.items() if not isinstance(a, np.generic)}
    if len({*places.values()}) < 2:
        return None
    listed = " and ".join(f"{k} on {place!r} ({arrays[k].dtype}{list(arrays[k].shape)})" for k, place in places.items())
    here, there = sorted({*places.values()}, key="cpu".__ne__)[:2]
    moved = next(k for k, place in places.items() if place == here)
    return DeviceError(
        f"{name} got operands of different devices, {listed}: nothing is moved without a word. "
        f"Move one of them first, for example {moved} with `.to({there!r})`."
    )


def move(array: Any, device: str) -> Any:
    """`array` on `device`: 'cpu', 'cuda', 'cuda:N', 'dask'. The array itself if it is there already.

    Raises
    ------
    DeviceError
        If the name is unknown, the library of that device is not installed, or the device cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.devices import move
    >>> a = np.zeros(3)
    >>> move(a, "cpu") is a
    True
    """
    if not isinstance(device, str):
        raise TypeError(f"a device is named by a string, such as 'cpu' or 'cuda', got {device!r}.")
    library = library_of(array)
    if library is None and not isinstance(array, np.ndarray | np.generic):
        raise DeviceError(f"no way is known to move a {type(array).__name__}.")
    if device == "cpu":
        return array if library is None else library.get(array)
    name, _, number = device.partition(":")
    target = next((other for other in LIBRARIES.values() if other.device == name), None)
    if target is None or (":" in device and not number.isdecimal()):
        known = ", ".join(repr(other.device) for other in LIBRARIES.values())
        raise DeviceError(f"unknown device {device!r}: write 'cpu', {known} or, for the second one, 'cuda:1'.")
    if library is not None and library is not target:
        array = library.get(array)
    return target.put(array, device)


# The libraries


def _cupy() -> Any:
    """CuPy, imported on first use, once it is known to work here."""
    try:
        import cupy
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        raise DeviceError(
            "the device 'cuda' needs CuPy, which is not installed here: "
            '`pip install "wengert[cuda]"` brings it for CUDA 13.'
        ) from None
    except ImportError as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip(" =")), "no reason given")
        raise DeviceError(f"CuPy is installed, but it cannot be imported here: {reason}") from error
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError, of which only the text says what is wrong
        if "InsufficientDriver" in str(error):
            raise DeviceError(
                "the NVIDIA driver of this machine is too old for the CUDA version of this CuPy: update the driver, or "
                "install the CuPy of an older CUDA, such as cupy-cuda12x."
            ) from error
        if "NoDevice" not in str(error):
            raise DeviceError(f"CuPy is installed, but CUDA does not work here: {error}.") from error
        count = 0
    if not count:
        raise DeviceError("CuPy is installed, but there is no NVIDIA GPU here that it can use: stay on 'cpu'.")
    return cupy


def _to_cuda(array: Any, device: str) -> Any:
    cupy = _cupy()
    number = device.partition(":")[2]
    count = cupy.cuda.runtime.getDeviceCount()
    if number and int(number) >= count:
        raise DeviceError(f"there is no device {device!r}: this machine has {count} GPU(s), numbered from 0.")
    if isinstance(array, cupy.ndarray) and (not number or array.device.id == int(number)):
        return array
    with cupy.cuda.Device(int(number) if number else cupy.cuda.runtime.getDevice()):
        return cupy.asarray(array)


def _to_dask(array: Any, device: str) -> Any:
    try:
        import dask.array
    except ImportError as error:
        raise DeviceError(
            f"the device 'dask' needs Dask, which is not installed here: `pip install \"wengert[dask]\"` ({error})."
        ) from None
    return array if isinstance(array, dask.array.Array) else dask.array.from_array(array)


#: The first part of the name of the module where an array's class is defined -> what the engine knows of it.
LIBRARIES: dict[str, Library] = {
    "cupy": Library("cuda", _to_cuda, lambda array: array.get(), lambda array: f"cuda:{array.device.id}"),
    "dask": Library("dask", _to_dask, lambda array: np.asarray(array.compute()), lambda array: "dask"),
}
