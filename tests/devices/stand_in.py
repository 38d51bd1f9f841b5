"""A stand-in for a device array: values in the host's memory, the manners of a CuPy array.

It shows the mistakes that only a GPU would show. As CuPy's arrays do, it

- speaks NEP 13 and NEP 18, for the functions, ufuncs, methods and parameters that CuPy has (`cupy_names.json`);
- refuses to become a NumPy array unasked, and to meet NumPy arrays, or arrays of another device, in one operation;
- returns 0-d arrays, never NumPy's scalars;
- reduces with `add` and `multiply` only, and takes no tuple of positions and no complex numbers in `ufunc.at`;
- wraps integer positions that are out of bounds, and lets no order decide where one place is written twice (here the
  first value stays, where NumPy keeps the last);
- says nothing where a solver fails, and does what else CuPy's functions do in another way (`cupy_manners.py`);
- and it counts what would be copied between host and device, and where the host would wait for the device.

There are two devices, 'standin:0' and 'standin:1'.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from cupy_manners import WAITING, compute
from cupy_names import TABLE

from autograd.devices import Library
from autograd.errors import DeviceError

NAMES: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
DEVICES = 2

#: What was copied, or waited for: 'to host', 'to device'.
transfers: Counter[str] = Counter()


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The transfers of a block."""
    before, found = transfers.copy(), Counter[str]()
    yield found
    found.update(transfers - before)


#: Not empty where the devices reach each other's memory.
_peers: list[bool] = []


@contextmanager
def peers() -> Iterator[None]:
    """A block in which arrays of both devices may meet, as where GPUs reach each other's memory: CuPy only warns."""
    _peers.append(True)
    try:
        yield
    finally:
        _peers.pop()


#: The arrays by the id of the memory that they own.
_owners: WeakValueDictionary[int, Array] = WeakValueDictionary()


class Flags:
    """CuPy knows these, and nothing about being writable."""

    def __init__(self, flags: Any):
        self.c_contiguous, self.f_contiguous, self.owndata = flags.c_contiguous, flags.f_contiguous, flags.owndata


class Array:
    """An array on a device that is not there."""

    __array_priority__ = 100

    def __init__(self, host: np.ndarray, number: int = 0):
        assert type(host) is np.ndarray
        self._host, self._number = host, number
        memory = host
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        #: The array that owns the memory, or None: this one.
        self.base = None if memory is host else _owners.get(id(memory))
        if self.base is None:
            _owners[id(memory)] = self

    # Conversions

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def get(self) -> np.ndarray:
        transfers["to host"] += 1
        return self._host.copy()

    def item(self) -> Any:
        return self.get().item()

    def tolist(self) -> Any:
        return self.get().tolist()

    def __bool__(self) -> bool:
        return bool(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __complex__(self) -> complex:
        return complex(self.get())

    def __repr__(self) -> str:
        return repr(self.get())

    def __format__(self, specification: str) -> str:
        return format(self.get(), specification)

    def __reduce__(self) -> Any:
        return Array, (self.get(), self._number)

    def __deepcopy__(self, memo: Any) -> Array:
        return self.copy()

    # What it is

    shape = property(lambda self: self._host.shape)
    dtype = property(lambda self: self._host.dtype)

    @property
    def device(self) -> str:
        return f"standin:{self._number}"

    @property
    def flags(self) -> Flags:
        return Flags(self._host.flags)

    @property
    def T(self) -> Array:
        return self._like(self._host.T)

    @property
    def mT(self) -> Array:
        return self._like(self._host.mT)

    @property
    def real(self) -> Array:
        return self._like(self._host.real)

    @property
    def imag(self) -> Array:
        return self._like(self._host.imag)

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Iterator[Array]:
        if not self._host.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        members = NAMES["members"]
        if name not in members:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        if members[name] is None:
            return getattr(self._host, name)
        return functools.partial(_called, name, members[name], getattr(np.ndarray, name), self)

    def _like(self, result: Any) -> Any:
        return _given(result, self._number)

    # Elements

    def __getitem__(self, key: Any) -> Any:
        host = _key(key, self)
        return self._like(self._host[host])

    def __setitem__(self, key: Any, value: Any) -> None:
        _refuse(value, self)
        host, value = _key(key, self), _host(value)
        if isinstance(value, list | tuple):
            if not any(isinstance(part, np.ndarray) for part in host):
                raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
            transfers["to device"] += 1
        if any(isinstance(part, np.ndarray) and part.dtype.kind in "iu" for part in host):
            places = np.arange(self._host.size).reshape(self._host.shape)[host]
            values = np.broadcast_to(np.asarray(value, self._host.dtype), places.shape)
            flat = self._host.reshape(-1)
            assert np.shares_memory(flat, self._host) or not flat.size
            flat[places.ravel()[::-1]] = values.ravel()[::-1]
        else:
            self._host[host] = value

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        known = NAMES["ufuncs"].get(name)
        if known is None and name not in NAMES["functions"]:
            return NotImplemented
        out = kwargs.get("out", ())
        if out and len(out) != 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        for x in (*inputs, *out):
            if not isinstance(x, Array | np.ndarray | np.generic | bool | int | float | complex):
                return NotImplemented
        for k, x in enumerate((*inputs, *out)):
            if method in ("at", "reduceat") and k == 1 and isinstance(x, np.ndarray):
                transfers["to device"] += 1  # positions may be NumPy's
            else:
                _refuse(x, self)
        allowed = {
            "__call__": {"out", "dtype", "casting"} | ({"axes", "axis", "keepdims"} if known is None else set()),
            "reduce": {"axis", "dtype", "out", "keepdims"},
            "accumulate": {"axis", "dtype", "out"},
            "reduceat": {"axis", "dtype", "out"},
            "outer": {"out", "dtype", "casting"},
            "at": set(),
        }[method]
        if kwargs.keys() - allowed:
            raise TypeError(f"Wrong arguments {kwargs.keys() - allowed}")
        only = {"reduce": ("add", "multiply"), "accumulate": ("add", "multiply"), "reduceat": ("add",)}
        if (method in only and name not in only[method]) or (method == "at" and not (known and known["at"])):
            raise NotImplementedError(f"`cupy_{name}.{method}` is not supported yet")
        if method == "at" and inputs[0].dtype.char not in _ADDED:
            raise TypeError(f"cupy.{name}.at only supports {', '.join(np.dtype(c).name for c in _ADDED)} as data type")
        if method == "at" and isinstance(inputs[1], Array) and inputs[1].dtype.kind in "iu":
            a, places, *rest = inputs
            inputs = (a, self._like(_wrapped(places._host, len(a))), *rest)
        hosts = [_host(x) for x in inputs]
        if out:
            kwargs["out"] = _host(out[0])
        with np.errstate(all="ignore"):  # a device does not warn
            result = getattr(ufunc, method)(*hosts, **kwargs)
        return out[0] if out else None if method == "at" else self._like(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        home = function.__module__.removeprefix("numpy").removeprefix(".")
        name = f"{home}.{function.__name__}".lstrip(".")
        parameters = NAMES["functions"].get(name)
        if name in NAMES["ufuncs"]:  # of CuPy's, not of NumPy's
            parameters = ", ".join([f"x{k}" for k in range(NAMES["ufuncs"][name]["inputs"])] + ["/, out=None"])
        if parameters is None or not all(issubclass(t, Array | np.ndarray) for t in types):
            return NotImplemented
        return _called(name, parameters, function, *args, _number=self._number, **kwargs)


def _operator(name: str, ufunc: np.ufunc, reflected: bool = False) -> Any:
    def operate(self: Array, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", self) is None:
            return NotImplemented
        return ufunc(other, self) if reflected else ufunc(self, other)

    operate.__name__ = name
    return operate


def _in_place(name: str, ufunc: np.ufunc) -> Any:
    def operate(self: Array, other: Any) -> Any:
        _refuse(other, self)
        with np.errstate(all="ignore"):
            ufunc(self._host, _host(other), out=self._host)
        return self

    operate.__name__ = name
    return operate


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}.items():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__", _ufunc))
    setattr(Array, f"__r{_name}__", _operator(f"__r{_name}__", _ufunc, reflected=True))
    if _name != "matmul":
        setattr(Array, f"__i{_name}__", _in_place(f"__i{_name}__", _ufunc))
for _name, _ufunc in {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}.items():
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__", _ufunc))
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Array, f"__{_name}__", functools.partialmethod(lambda self, ufunc: ufunc(self), _ufunc))


# Calls


@functools.cache
def _signature(parameters: str) -> inspect.Signature:
    scope: dict[str, Any] = {}
    exec(f"def f({parameters}): pass", scope)
    return inspect.signature(scope["f"])


#: Parameters that are arrays. Where CuPy takes a list of numbers for one of them, it copies it to the device.
_ARRAYS = {"a", "arr", "b", "condition", "m", "tup", "v", "values", "x", "x1", "x2", "y"}
_COPIED = {"indices", "obj", "object", "fill_value"}
#: The dtypes of which CuPy has atomic operations.
_ADDED = "iIlLqQefd"
#: Functions whose results are Python's own, not arrays.
_ABOUT = {"can_cast", "iscomplexobj", "isrealobj", "isscalar", "ndim", "result_type", "shape", "size"}


def _called(name: str, parameters: str, function: Any, *args: Any, _number: int | None = None, **kwargs: Any) -> Any:
    """Call a function or method as CuPy would take it: with its parameters, on arrays of one device."""
    bound = _signature(parameters).bind(*(args if _number is not None else args[1:]), **kwargs)
    arrays = [*_arrays_in((args, kwargs))]
    like = next((x for x in arrays if isinstance(x, Array)), None)
    for x in arrays:
        if like is not None:
            _refuse(x, like)
    for parameter, value in bound.arguments.items():
        if isinstance(value, list | tuple) and value and not [*_arrays_in(value)] and parameter != "a":
            if parameter in _ARRAYS:
                raise TypeError(f"{name}: Unsupported type {type(value)}")
            if parameter in _COPIED:
                transfers["to device"] += 1
    if name in ("array", "asarray") and not isinstance(args[0], Array):
        transfers["to device"] += 1
    if name in WAITING:
        transfers["to host"] += 1
    number = like._number if like is not None else _number
    given = [_host(arg) for arg in args]
    if name in ("sum", "prod", "max", "min", "mean") and _number is None and "a" in kwargs:
        raise TypeError("a method has no `a`")
    result = compute(name, function, given, {k: _host(v) for k, v in kwargs.items()})
    if name in _ABOUT:
        return result
    out = kwargs.get("out")
    return out if isinstance(out, Array) else _given(result, number or 0)


def _arrays_in(value: Any) -> Iterator[Any]:
    if isinstance(value, Array | np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _arrays_in(item)
    elif isinstance(value, dict):
        yield from _arrays_in([*value.values()])


def _host(value: Any) -> Any:
    """The values behind arrays, without a transfer: this is the device's own work."""
    if isinstance(value, Array):
        return value._host
    if isinstance(value, list | tuple) and any(True for _ in _arrays_in(value)):
        items = [_host(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def _given(result: Any, number: int) -> Any:
    """What a call returns: arrays, also where NumPy makes scalars of them."""
    if isinstance(result, np.ndarray | np.generic):
        result = np.asarray(result)
        owner = _owners.get(id(result))
        return owner if owner is not None and owner._host is result else Array(result, number)
    if isinstance(result, list | tuple):
        items = [_given(item, number) for item in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


def _refuse(value: Any, array: Array) -> None:
    """Refuse a NumPy array, and one of another device, beside `array`."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, Array) and value._number != array._number and not _peers:
        raise ValueError(f"Array device must be same as the current device: {value.device}, not {array.device}")


def _key(key: Any, array: Array) -> tuple[Any, ...]:
    """An index as NumPy takes it; positions of integers wrap around."""
    parts = list(key) if isinstance(key, tuple) else [key]
    for k, part in enumerate(parts):
        if isinstance(part, Array):
            _refuse(part, array)
            parts[k] = part._host
        elif isinstance(part, list | tuple | np.ndarray):
            for inner in _arrays_in(part):
                if isinstance(inner, Array):
                    _refuse(inner, array)
                    raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")
            transfers["to device"] += 1
            parts[k] = np.asarray(part, None if isinstance(part, np.ndarray) or len(part) else np.intp)
    axis, taken = 0, sum(map(_axes, parts))
    for k, part in enumerate(parts):
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu" and axis < array._host.ndim:
            parts[k] = _wrapped(part, array._host.shape[axis])
        axis += array._host.ndim - taken if part is Ellipsis else _axes(part)
    if any(isinstance(part, np.ndarray) and part.dtype.kind == "b" for part in parts):
        transfers["to host"] += 1  # how many they are must be known
    return tuple(parts)


def _axes(part: Any) -> int:
    """How many axes a part of an index stands for."""
    if part is None or part is Ellipsis or isinstance(part, bool | np.bool_):
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def _wrapped(places: np.ndarray, n: int) -> np.ndarray:
    return places % n if n else places


# The library


def _put(array: Any, device: str) -> Array:
    number = int(device.partition(":")[2] or 0)
    if number >= DEVICES:
        raise DeviceError(f"there is no device {device!r}: this machine has {DEVICES}, numbered from 0.")
    if isinstance(array, Array):
        if array._number == number or ":" not in device:
            return array
        array = array._host  # from device to device
    else:
        transfers["to device"] += 1
    return Array(np.array(array), number)


STAND_IN = Library("standin", _put, Array.get, lambda array: array.device, several=lambda: bool(_peers))


def on_device(value: Any, number: int = 0) -> Any:
    """A value with each NumPy array in it, also inside lists, tuples and dicts, on the device; nothing is counted."""
    if isinstance(value, np.ndarray):
        return Array(value.copy(), number)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(on_device(item, number) for item in value)
    if isinstance(value, dict):
        return {k: on_device(v, number) for k, v in value.items()}
    return value


def host(value: Any) -> Any:
    """The values of an array, uncounted: for a test to look at."""
    return value._host if isinstance(value, Array) else value
