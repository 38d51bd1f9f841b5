"""Training checkpoints: all that a training consists of in one file, so that it resumes bit for bit.

The file is safetensors. Its arrays are the weights, the buffers, and what optimizers and generators keep in arrays; all
else, numbers and how everything nests, is JSON in the metadata.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.devices import is_foreign

from .files import read, write
from .module import Module

__all__ = ["load_checkpoint", "save_checkpoint"]

#: The name of the JSON among the metadata.
_KEY = "wengert checkpoint"

#: What the names of `objects` begin with in it.
_OBJECTS = "objects."

#: NumPy's numbers by the names of their dtypes.
_SCALARS = {
    np.dtype(code).name: np.dtype(code).type
    for code in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
}

#: What can go wrong in an object that is given a state that is not its own.
_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: Module,
    optimizer: Any = None,
    schedule: Any = None,
    loader: Any = None,
    generators: Mapping[str, np.random.Generator] | None = None,
    objects: Mapping[str, Any] | None = None,
    **extra: Any,
) -> None:
    """Write the state of a training to a file, whole or not at all.

    Parameters
    ----------
    path : path-like
        An existing file is replaced at the end, in one step; see `save_weights`.
    model : Module
        Its parameters, buffers and random generators.
    optimizer, schedule : optional
        Objects with `state_dict()` and `load_state_dict(state)`, which raises ValueError before it changes anything.
    loader : optional
        Its `rng`, if that is a generator: the order of the examples.
    generators : mapping of str to numpy.random.Generator, optional
        Others that the training draws from.
    objects : mapping of str to object, optional
        Others with `state_dict()` and `load_state_dict(state)`, such as an average of the weights.
    **extra
        What else there is to remember, such as `epoch=3`: None, booleans, numbers, strings, arrays, and tuples, lists
        and dicts of them.

    Raises
    ------
    TypeError
        For something that cannot be written, saying where it is.
    ValueError
        For an object that contains itself.
    OSError
        If the file cannot be written. An existing one is as it was then.

    Notes
    -----
    Save between epochs, or at least between updates: neither gradients nor the place in an epoch are part of it. Nor
    are choices of the program (the architecture, which parameters are frozen, training or evaluation mode), NumPy's
    global generator, and how many generators `spawn` has made.

    Examples
    --------
    >>> import nn, optim
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
    >>> adam = optim.Adam(model.parameters())
    >>> path = getfixture("tmp_path") / "training.safetensors"
    >>> nn.save_checkpoint(path, model=model, optimizer=adam, epoch=3)
    >>> nn.load_checkpoint(path, model=model, optimizer=adam)
    {'epoch': 3}
    """
    streams, numbers = _shared(_generators(model, loader, generators))
    state: dict[str, Any] = {"version": autograd.__version__, "model": model.state_dict()}
    for name, part in _stateful(schedule, optimizer, objects).items():
        state[name] = None if part is None else {"class": type(part).__name__, "state": part.state_dict()}
    state |= {"generators": numbers, "streams": [stream.state for stream in streams], "extra": extra}
    arrays, text = pack(state)
    write(path, arrays, {_KEY: text})


def load_checkpoint(
    path: str | os.PathLike[str],
    *,
    model: Module,
    optimizer: Any = None,
    schedule: Any = None,
    loader: Any = None,
    generators: Mapping[str, np.random.Generator] | None = None,
    objects: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Take up a training where `save_checkpoint` was called: it goes on as if it had not been interrupted, bit for bit.

    Parameters
    ----------
    path : path-like
    model, optimizer, schedule, loader, generators, objects
        Objects made as those that were saved; they are changed in place.

    Returns
    -------
    dict
        What was saved besides, such as the epoch; arrays are NumPy's, also those that were on a device.

    Raises
    ------
    OSError
        If the file cannot be read; FileNotFoundError if there is none.
    ValueError
        If it is not a checkpoint, or one of the objects does not fit. Nothing is changed then.

    Examples
    --------
    >>> import nn
    >>> path = getfixture("tmp_path") / "checkpoint"
    >>> nn.save_checkpoint(path, model=nn.Linear(2, 1, init="ones"), epoch=3)
    >>> model = nn.Linear(2, 1)
    >>> nn.load_checkpoint(path, model=model), model.weight.data
    ({'epoch': 3}, array([[1., 1.]], dtype=float32))
    """
    own = _shared(_generators(model, loader, generators))
    arrays, metadata = read(path)
    if _KEY not in metadata:
        raise ValueError(f"{path} is not a checkpoint; weights alone are loaded by nn.load_weights.")
    try:
        state = unpack(arrays, metadata[_KEY])
        weights, numbers, streams = state["model"], state["generators"], state["streams"]
        extra: dict[str, Any] = state["extra"]
        if not all(isinstance(value, dict) for value in (weights, extra, numbers)):
            raise ValueError("its parts are not there")
        parts = _stateful(schedule, optimizer, objects)
        more = sorted(name for name in state.keys() - parts.keys() if name.startswith(_OBJECTS))
        if more:
            raise ValueError(f"it has the state of {', '.join(more)}, not given.")
        saved = {name: state.get(name) for name in parts}
        loads = [(model, weights)] + [
            (part, saved[name]["state"]) for name, part in parts.items() if _fits(name, part, saved[name])
        ]
        bits = _tried(own, numbers, streams)
        _load(loads)
    except _UNFIT as error:
        raise ValueError(f"{path} was not loaded, and nothing is changed: {_said(error)}") from error
    for stream, new in bits:
        stream.state = new
    return extra


def _stateful(schedule: Any, optimizer: Any, objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """What has a state, by name, in the order of loading; what is optional may be None.

    The optimizer comes after the schedule: one that is loaded sets learning rates, which may have been changed since.
    """
    others = {_OBJECTS + name: part for name, part in (objects or {}).items()}
    return {"schedule": schedule, "optimizer": optimizer, **others}


def _load(loads: list[tuple[Any, Any]]) -> None:
    """Load each object's state; if one refuses, all get theirs back, in the same order."""
    with ExitStack() as undo:
        for part, _ in reversed(loads):
            undo.callback(part.load_state_dict, part.state_dict())
        for part, state in loads:
            part.load_state_dict(state)
        undo.pop_all()


def _fits(name: str, part: Any, saved: Any) -> bool:
    """Whether there is a state to load; if there is one and nothing to load it into, or the reverse, that is said."""
    if part is None and saved is None:
        return False
    if saved is None:
        raise ValueError(f"it has no {name}; it was saved without.")
    if part is None:
        raise ValueError(f"it has the state of an object {name}, {saved['class']}: pass it as {name}=….")
    if saved["class"] != type(part).__name__:
        raise ValueError(f"its {name} is of class {saved['class']}, the one here is of class {type(part).__name__}.")
    return True


def _said(error: BaseException) -> str:
    """The text of an error; that of one that was not raised with one says little without its name."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


# Generators


def _generators(
    model: Module, loader: Any, others: Mapping[str, np.random.Generator] | None
) -> dict[str, np.random.Generator]:
    """All generators by name."""
    pairs: list[tuple[str, Any]] = [(f"model.{name}", rng) for name, rng in model.named_generators()]
    pairs += [("loader.rng", loader.rng)] if getattr(loader, "rng", None) is not None else []
    pairs += [(f"generators.{name}", rng) for name, rng in (others or {}).items()]
    named: dict[str, np.random.Generator] = {}
    for name, rng in pairs:
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"{name} must be a numpy.random.Generator, got {type(rng).__name__}.")
        if name in named:
            raise ValueError(f"there are two generators called {name}: rename one, or only one could be kept.")
        named[name] = rng
    return named


def _shared(named: Mapping[str, np.random.Generator]) -> tuple[list[Any], dict[str, int]]:
    """The streams of random numbers, each once, and the number of the one that each generator draws from."""
    streams: dict[int, Any] = {}
    for rng in named.values():
        streams.setdefault(id(rng.bit_generator), rng.bit_generator)
    order = list(streams)
    return list(streams.values()), {name: order.index(id(rng.bit_generator)) for name, rng in named.items()}


def _tried(own: tuple[list[Any], dict[str, int]], numbers: Mapping[str, Any], saved: Any) -> list[tuple[Any, Any]]:
    """The streams with the states they are to take, which have been tried."""
    streams, mine = own
    if mine.keys() != numbers.keys():
        missing, more = sorted(numbers.keys() - mine.keys()), sorted(mine.keys() - numbers.keys())
        said = [f"of {', '.join(missing)}, not given"] * bool(missing) + [f"none of {', '.join(more)}"] * bool(more)
        raise ValueError(f"it has states of generators, {' and '.join(said)}.")
    if mine != numbers or len(saved) != len(streams):
        raise ValueError(f"which generators are one and the same was different: {numbers} there, {mine} here.")
    for k, (stream, state) in enumerate(zip(streams, saved)):
        names = ", ".join(name for name, number in mine.items() if number == k)
        kind = type(stream).__name__
        if state["bit_generator"] != kind:
            raise ValueError(f"it has a state of {state['bit_generator']} for {names}, which draws from {kind}.")
        trial = deepcopy(stream)
        trial.state = state
        if not _same(trial.state, state) or not _sound(state):
            raise ValueError(f"its state of {names} is none that {kind} can have.")
    return list(zip(streams, saved))


def _same(state: Any, other: Any) -> bool:
    """Whether two nested states are equal, bit for bit."""
    (a, text), (b, other_text) = pack(state), pack(other)
    return text == other_text and all(
        a[name].dtype == b[name].dtype and a[name].shape == b[name].shape and a[name].tobytes() == b[name].tobytes()
        for name in a
    )


def _sound(state: Mapping[str, Any]) -> bool:
    """Whether positions in buffers, which NumPy does not check, are in them."""
    inner = state["state"]
    positions = [(state.get("buffer_pos", 0), state.get("buffer", ())), (inner.get("pos", 0), inner.get("key", ()))]
    return all(0 <= position <= len(buffer) for position, buffer in positions)


# Nested state


def pack(state: Any) -> tuple[dict[str, Any], str]:
    """The arrays in nested dicts, lists and tuples, by name, and all else as JSON that refers to them.

    What JSON does not have is an object with one key that says what it is: 'dict' (pairs: keys need not be strings),
    'tuple', 'array', 'scalar' (of NumPy, by its bits), 'float' (an infinity or NaN, by its bits).

    Raises
    ------
    TypeError
        For anything else, saying where it is.
    ValueError
        For an object that contains itself.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.checkpoint import pack, unpack
    >>> arrays, text = pack({"state": {0: {"step": 3, "average": np.zeros(2)}}, "betas": (0.9, 0.999)})
    >>> arrays
    {'state.0.average': array([0., 0.])}
    >>> unpack(arrays, text)
    {'state': {0: {'step': 3, 'average': array([0., 0.])}}, 'betas': (0.9, 0.999)}
    """
    arrays: dict[str, Any] = {}
    try:
        return arrays, json.dumps(_packed(state, "", arrays), separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise ValueError("this state contains itself, or is nested too deeply.") from None


def unpack(arrays: Mapping[str, Any], text: str) -> Any:
    """What `pack` was given.

    Raises
    ------
    ValueError
        If it is not the result of `pack`.
    """
    used: set[str] = set()
    try:
        state = _unpacked(json.loads(text), arrays, used)
    except (RecursionError, struct.error, *_UNFIT) as error:
        raise ValueError(f"its state is not written as states are: {_said(error)}") from None
    if len(used) < len(arrays):
        raise ValueError(f"it has an array that belongs to nothing: {min(arrays.keys() - used)}")
    return state


def _packed(value: Any, path: str, arrays: dict[str, Any]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": struct.pack(">d", value).hex()}
    if kind is list:
        return [_packed(v, f"{path}.{k}", arrays) for k, v in enumerate(value)]
    if kind is tuple:
        return {"tuple": [_packed(v, f"{path}.{k}", arrays) for k, v in enumerate(value)]}
    if kind is dict:
        for key in value:
            if type(key) not in (bool, int, str):
                raise TypeError(f"{path[1:] or 'the state'} has a key {key!r}: only str, int and bool can be kept.")
        return {"dict": [[k, _packed(v, f"{path}.{k}", arrays)] for k, v in value.items()]}
    if kind in _SCALARS.values():
        return {"scalar": [value.dtype.name, value.tobytes().hex()]}
    if kind is np.ndarray or (is_foreign(value) and not isinstance(value, Tensor)):
        name = path[1:]
        while name in arrays:  # of the keys 0 and '0', or one with a dot
            name += "_"
        arrays[name] = value
        return {"array": name}
    raise TypeError(
        f"{path[1:] or 'the state'} is of type {kind.__name__}, and what a checkpoint can hold is None, booleans, "
        "numbers, strings, arrays, and tuples, lists and dicts of them."
    )


def _unpacked(value: Any, arrays: Mapping[str, Any], used: set[str]) -> Any:
    if isinstance(value, list):
        return [_unpacked(v, arrays, used) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "dict":
        found = {key: _unpacked(v, arrays, used) for key, v in inside}
        if len(found) < len(inside):
            raise ValueError("the same key twice")
        return found
    if kind == "tuple":
        return tuple(_unpacked(v, arrays, used) for v in inside)
    if kind == "float":
        return struct.unpack(">d", bytes.fromhex(inside))[0]
    if kind == "scalar":
        name, data = inside
        return np.frombuffer(bytes.fromhex(data), _SCALARS[name]).reshape(())[()]
    if kind == "array":
        if inside in used:
            raise ValueError(f"the array {inside!r} twice")
        used.add(inside)
        return arrays[inside]
    raise ValueError(f"there is no {kind!r}")
