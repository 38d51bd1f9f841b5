"""Weights in files, as safetensors: a plain format that holds arrays and nothing that could be executed.

A file is replaced in one step: whatever happens while it is written, there is the old one or the new one, whole. A file
that is read may come from anywhere: what is not as it must be is one ValueError, and changes nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

import autograd
from autograd.devices import move
from autograd.files import replace_file

from .module import Module, _paths

__all__ = ["load_weights", "read_metadata", "save_weights"]

#: The names of dtypes in the format. It has more (bfloat16, parts of a byte), which NumPy has not.
_DTYPES = {
    "BOOL": "?",
    **{f"{letter}{8 * size}": f"{letter.lower()}{size}" for letter in "IU" for size in (1, 2, 4, 8)},
    **{f"F{8 * size}": f"f{size}" for size in (2, 4, 8)},
    "C64": "c8",
}
_KNOWN = {np.dtype(code) for code in _DTYPES.values()}

#: No header is longer in the format.
_LONGEST_HEADER = 100_000_000


def save_weights(module: Module, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write the parameters and buffers of `module` to a safetensors file, whole or not at all.

    The file does not depend on the device where they are.

    Parameters
    ----------
    module : Module
    path : path-like
        An existing file is replaced at the end, in one step.
    metadata : mapping of str to str, optional
        What else shall be known of the weights. Beside it, under 'wengert', stand the version and the module's class.

    Raises
    ------
    TypeError
        For metadata that are not strings, or an array of a dtype that the format does not have, such as complex128.
    OSError
        If the file cannot be written. An existing one is as it was then.

    Notes
    -----
    The bytes go into a file `.NAME.….part` beside `path`, on to the disk, and then take the place of `path`. A process
    that is killed in between leaves that file; a save to the same path that comes an hour later removes it.

    Examples
    --------
    >>> import nn
    >>> path = getfixture("tmp_path") / "weights.safetensors"
    >>> nn.save_weights(nn.Linear(2, 1), path, {"data": "iris"})
    >>> nn.read_metadata(path)["data"]
    'iris'
    """
    metadata = {"wengert": f"{autograd.__version__} {type(module).__name__}", **(metadata or {})}
    write(path, module.state_dict(), metadata)


def load_weights(module: Module, path: str | os.PathLike[str]) -> None:
    """Take the parameters and buffers of `module` from a safetensors file, also one that PyTorch has written.

    They stay on their device. One that is shared may be in the file under all its names or any one of them.

    Parameters
    ----------
    module : Module
        Changed in place.
    path : path-like

    Raises
    ------
    OSError
        If the file cannot be read; FileNotFoundError if there is none.
    ValueError
        If it is not a safetensors file, has a dtype that NumPy has not (bfloat16), or does not fit the module. Nothing
        is changed then.

    Examples
    --------
    >>> import nn
    >>> path = getfixture("tmp_path") / "weights.safetensors"
    >>> nn.save_weights(nn.Linear(2, 1, init=nn.init.Constant(3.0)), path)
    >>> layer = nn.Linear(2, 1)
    >>> nn.load_weights(layer, path)
    >>> layer.weight.data
    array([[3., 3.]], dtype=float32)
    """
    state, _ = read(path)
    first = {id(tensor): name for name, tensor in module._state().items()}
    for name, tensor in _paths(module, ()):  # `safetensors.torch.save_model` keeps one name of a shared tensor: any
        if name in state and first[id(tensor)] not in state:
            state[first[id(tensor)]] = state[name]
    try:
        module.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The metadata of a safetensors file. Only its header is read.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it does not begin as a safetensors file does.

    Examples
    --------
    >>> import nn
    >>> path = getfixture("tmp_path") / "weights.safetensors"
    >>> nn.save_weights(nn.MLP([2, 1]), path, {"accuracy": "0.97"})
    >>> nn.read_metadata(path)["accuracy"]
    '0.97'
    """
    with _opened(path) as file:
        head = file.read(8)
        return _metadata(path, head + file.read(min(int.from_bytes(head, "little"), _LONGEST_HEADER)))


# The format


def write(path: str | os.PathLike[str], arrays: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Write arrays and metadata to a safetensors file, whole or not at all."""
    safetensors = _safetensors()
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata are strings, got {key!r}: {value!r}. Write numbers with str or json.dumps.")
    # safetensors 0.8.0 writes the memory of an array as it lies: one that is not C-contiguous would come back wrong.
    arrays = {name: np.asarray(move(array, "cpu"), order="C") for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype not in _KNOWN:
            raise TypeError(f"{name} is {array.dtype}, which a safetensors file cannot hold: convert it first.")
        if name == "__metadata__":
            raise ValueError("an array cannot be called '__metadata__' in a safetensors file.")
    try:
        content = safetensors.numpy.save(arrays, dict(metadata))
    except (safetensors.SafetensorError, UnicodeError) as error:
        raise ValueError(f"this cannot be written as safetensors: {error}") from None
    replace_file(path, content)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays, which are nobody else's, and the metadata of a safetensors file."""
    safetensors = _safetensors()
    with _opened(path) as file:
        content = file.read()
    try:
        parts = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    metadata = _metadata(path, content)
    arrays = {}
    for name, part in parts:
        dtype, shape, data = part["dtype"], part["shape"], part["data"]
        if dtype not in _DTYPES:
            raise ValueError(
                f"{path} holds {name} as {dtype}, which NumPy does not have: convert it where it is written, "
                "in PyTorch with `tensor.float()`."
            )
        array = np.frombuffer(bytearray(data), np.dtype(_DTYPES[dtype]).newbyteorder("<"))
        if dtype == "BOOL" and array.view(np.uint8).max(initial=0) > 1:
            raise ValueError(f"{path} holds a boolean in {name} that is neither 0 nor 1.")
        try:
            arrays[name] = array.astype(_DTYPES[dtype], copy=False).reshape(shape)
        except ValueError as error:  # more axes than NumPy's arrays can have, or a length, of an empty one
            raise ValueError(f"{path} holds {name} in a shape that no array has: {error}") from None
    return arrays, metadata


def _metadata(path: str | os.PathLike[str], content: bytes) -> dict[str, str]:
    """The metadata in the header of a file that begins with `content`."""
    end = 8 + int.from_bytes(content[:8], "little")
    try:
        if not 8 < end <= min(len(content), 8 + _LONGEST_HEADER):
            raise ValueError("it ends before its header does")
        header = json.loads(content[8:end].decode(), object_pairs_hook=_unique)
        metadata = header.get("__metadata__") or {}
        if not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError("its metadata are not strings")
    except (AttributeError, RecursionError, ValueError) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    return dict(metadata)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of a name that comes twice one would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its header has the same name twice")
    return found


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f'weights are stored as safetensors, which is missing here: `pip install "wengert[examples]"` ({error}).'
        ) from None
    return safetensors


# The disk


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to read; of a pipe or a device nobody knows when it ends."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"{path} is not a file.")
    with open(path, "rb") as file:
        yield file
