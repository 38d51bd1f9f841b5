"""The one file that knows about devices and array types: accept, name, move, refuse to mix.

A rule never asks where an array lives: it calls NumPy functions, and NumPy's protocols send them to the
array's own library. What the engine has to know of such a library is one `Library`: how its devices are called, and
how an array comes there and back. CuPy is imported when somebody asks for a GPU, Dask for a lazy array, and not before.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DeviceError

if TYPE_CHECKING:
    from .kernels import Kernel

__all__ = [
    "LIBRARIES",
    "Library",
    "anywhere",
    "as_array",
    "check_writable",
    "describe",
    "device_of",
    "is_foreign",
    "library_of",
    "move",
    "no_fallback",
    "waits",
]


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
    elementwise : callable, optional
        `elementwise(kernel)`: a function that computes a `Kernel`, and so does in one pass what takes several; None if
        it compiles nothing. Called for each operation: it remembers what it has made.
    lazy : bool
        Whether its arrays are calculations that are still to be done: there is nothing to write into.
    several : callable
        `several()`: whether there is more than one of its devices, and arrays of two can meet without its complaint.
    """

    device: str
    put: Callable[[Any, str], Any]
    get: Callable[[Any], Any]
    place: Callable[[Any], str]
    elementwise: Callable[[Kernel], Callable[..., Any]] | None = None
    lazy: bool = False
    several: Callable[[], bool] = lambda: False


def library_of(array: Any) -> Library | None:
    """The library that an array is of, or None: NumPy's own, or one that the engine knows nothing of."""
    return LIBRARIES.get(_library_name(array))


def _library_name(array: Any) -> str:
    return type(array).__module__.partition(".")[0]


def is_foreign(value: Any) -> bool:
    """Whether `value` is an array of another library that speaks NumPy's protocols (CuPy, Dask)."""
    return _speaks(value.__class__) and hasattr(value, "dtype") and hasattr(value, "shape")


@cache
def _speaks(kind: type) -> bool:
    spoken = hasattr(kind, "__array_function__") and hasattr(kind, "__array_ufunc__")
    return spoken and not issubclass(kind, np.ndarray | np.generic)


def several_devices(array: Any) -> bool:
    """Whether there is more than one device where an array of this library could lie."""
    library = library_of(array)
    return library is not None and library.several()


def waits(value: Any) -> bool:
    """Whether looking at the values of an array would have to wait for a device, or have a lazy one computed."""
    return value.__class__ is not np.ndarray and is_foreign(value)


def anywhere(condition: Any) -> bool:
    """Whether a condition holds for any element; False on a device, which would have to be waited for.

    What a rule checks of values, to refuse them or to warn of them, it asks in this way.
    """
    return not is_foreign(condition) and bool(np.any(condition))


def has_values(array: Any) -> bool:
    """Whether the values of an array are somewhere, to be shown: not those of a lazy one, which would be computed."""
    library = None if array.__class__ is np.ndarray else library_of(array)
    return not is_foreign(array) if library is None else not library.lazy


def as_array(value: Any, dtype: Any = None, copy: bool | None = None) -> Any:
    """`value` as an array that a Tensor can hold: a NumPy array, or a foreign one as it is.

    Raises
    ------
    TypeError
        If it holds objects, strings or the like, or is an array subclass with a meaning of its own
        (a masked array), which a plain array would lose.
    """
    if is_foreign(value):
        if (total := sum(value.shape)) != total:  # NaN
            raise ValueError(
                f"a Tensor's shape must be known, and this array has the shape {value.shape}, as Dask's have that were "
                "indexed by a mask: call its compute_chunk_sizes() first, or keep the shape, with np.where."
            )
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
    return _library_name(array) if library is None else library.place(array)


def check_writable(array: Any, writer: str) -> None:
    """Refuse to write into a lazy array: it would become a longer calculation each time, and be done all over.

    Raises
    ------
    DeviceError
        Saying what wanted to write, and what to do instead.
    """
    library = None if array.__class__ is np.ndarray else library_of(array)
    if library is not None and library.lazy:
        raise DeviceError(
            f"{writer} writes in place, and this Tensor is on {library.device!r}, where an array is a "
            "calculation that is still to be done. Keep what is learnt on the CPU, and compute its gradients from a "
            f"copy `.to({library.device!r})`, all in one go: see examples/larger_than_memory.py."
        )


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
    in_use = here.startswith("cuda") and " Is it the GPU in use? Results lie there: `with cupy.cuda.Device(number):`."
    return DeviceError(
        f"{name} got operands of different devices, {listed}: nothing is moved without a word. "
        f"Move one of them first, for example {moved} with `.to({there!r})`.{in_use or ''}"
    )


def check_same_device(name: str, operands: Mapping[str, Any]) -> None:
    """Raise a DeviceError if operands, by their names, are of different devices; quick where all are NumPy's own."""
    if any(o.__class__ is not np.ndarray for o in operands.values()):
        error = mixing_error(name, operands)
        if error is not None:
            raise error


def beside(value: Any, array: Any, name: str) -> Any:
    """`value` as an array on the device of `array`: a list or a number is put there, another array must be there.

    `name` says in the error what it was needed for.
    """
    given = as_array(value)
    if given.__class__ is np.ndarray and array.__class__ is not np.ndarray and not hasattr(value, "dtype"):
        return move(given, device_of(array))
    check_same_device(name, {"the value": given, "the Tensor": array})
    return given


#: How Dask warns of a function that it does not have: it then computes what it is given, and calls NumPy's.
_FALLBACK = re.compile(r"The `numpy\.([\w.]+)` function is not implemented by Dask array")


def no_fallback(array: Any) -> AbstractContextManager[None]:
    """A context in which the library of an array does a thing itself or raises, and computes nothing for NumPy to do.

    Only a lazy one would: for all others there is nothing to set, and warnings, which all threads share, stay alone.
    """
    library = None if array.__class__ is np.ndarray else library_of(array)
    return _NOTHING if library is None or not library.lazy else _fallback_refused()


_NOTHING = nullcontext()


@contextmanager
def _fallback_refused() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", _FALLBACK.pattern, FutureWarning)
        yield


_REMEDY = "Compute it on the CPU, with t.cpu(): gradients find their way back."


def lacking_error(name: str, error: Exception, operands: Iterable[Any]) -> NotImplementedError | None:
    """The error for a function, or an option of it, that another array library does not have; None if it is not that.

    `name` says where it was called: NumPy says which function it was, if it could find none for these arrays.
    """
    foreign = next((o for o in operands if is_foreign(o)), None)
    if foreign is None or says_what_lacks(error):  # said already, by an operation inside
        return None
    library, text = _CALLED.get(root := _library_name(foreign), root), str(error)
    if found := re.search(r"no implementation found for 'numpy\.([\w.]+)'", text) or _FALLBACK.search(text):
        what = f"np.{found[1]}"
    elif "returned NotImplemented" in text and (found := re.search(r"<ufunc '(\w+)'>, '(\w+)'", text)):
        what = found[1] if found[2] == "__call__" else f"{found[1]}.{found[2]}"
    elif _refused(error, root):
        return NotImplementedError(f"{name}: {library} cannot do this: {text.rstrip('.')}. {_REMEDY}")
    else:
        return None
    return NotImplementedError(f"{name} needs {what}, which {library} does not have. {_REMEDY}")


def says_what_lacks(error: Exception) -> bool:
    """Whether it is one that `lacking_error` has made."""
    return isinstance(error, NotImplementedError) and _REMEDY in str(error)


def _refused(error: Exception, root: str) -> bool:
    """Whether a library refused what it does not have, or a rule of ours did for it: a user's errors are the user's."""
    passed = [frame.f_globals.get("__name__", "").partition(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    if root not in passed and passed[-1:] != [__package__]:  # a compiled function may leave no frame
        return False
    said = r"unexpected keyword|Wrong arguments|Implicit conversion to a (host )?NumPy array"
    return error.__class__ is NotImplementedError or re.search(said, str(error)) is not None


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
    runtime = cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except Exception as error:  # CUDARuntimeError, of which only the text says what is wrong
        if "InsufficientDriver" in str(error) and runtime.driverGetVersion():  # 0: there is no driver
            raise DeviceError(
                "the NVIDIA driver of this machine is too old for the CUDA version of this CuPy: update the driver, or "
                "install the CuPy of an older CUDA, such as cupy-cuda12x."
            ) from error
        if "NoDevice" not in str(error) and "InsufficientDriver" not in str(error):
            raise DeviceError(f"CuPy is installed, but CUDA does not work here: {error}.") from error
        count = 0
    if not count:
        raise DeviceError("CuPy is installed, but there is no NVIDIA GPU here that it can use: stay on 'cpu'.")
    return cupy


@cache
def _gpus() -> int:
    return int(_cupy().cuda.runtime.getDeviceCount())


def _to_cuda(array: Any, device: str) -> Any:
    cupy = _cupy()
    number = device.partition(":")[2]
    if number and int(number) >= _gpus():
        raise DeviceError(f"there is no device {device!r}: this machine has {_gpus()} GPU(s), numbered from 0.")
    if isinstance(array, cupy.ndarray) and (not number or array.device.id == int(number)):
        return array
    with cupy.cuda.Device(int(number) if number else cupy.cuda.runtime.getDevice()):
        return cupy.asarray(array)


@cache
def _cuda_kernel(kernel: Kernel) -> Callable[..., Any]:
    """CuPy compiles it when it is called, once for each dtype and number of axes, and keeps it in a file."""
    name = f"wengert_{kernel.name}"  # as a profile of the GPU shows it
    made: Callable[..., Any] = _cupy().ElementwiseKernel(
        kernel.inputs, kernel.outputs, kernel.code, name, preamble=kernel.preamble
    )
    return made


def _to_dask(array: Any, device: str) -> Any:
    try:
        import dask.array
    except ImportError as error:
        raise DeviceError(
            f"the device 'dask' needs Dask, which is not installed here: `pip install \"wengert[dask]\"` ({error})."
        ) from None
    if device != "dask":
        raise DeviceError(f"there is no device {device!r}: Dask's arrays have no place before they are computed.")
    make: Any = dask.array.from_array  # which copies: what is written into `array` later is not seen
    return array if isinstance(array, dask.array.Array) else make(array)


#: How a library is called, where it is not as its module.
_CALLED = {"cupy": "CuPy", "dask": "Dask"}

#: The first part of the name of the module where an array's class is defined -> what the engine knows of it.
LIBRARIES: dict[str, Library] = {
    "cupy": Library(
        "cuda",
        _to_cuda,
        lambda array: array.get(),
        lambda array: f"cuda:{array.device.id}",
        _cuda_kernel,
        several=lambda: _gpus() > 1,
    ),
    "dask": Library("dask", _to_dask, lambda array: np.asarray(array.compute()), lambda array: "dask", lazy=True),
}
