"""Weights in files, as safetensors: a plain format that holds arrays and nothing that could be executed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from autograd.devices import move

from .module import Module

__all__ = ["load_weights", "save_weights"]


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f'weights are stored as safetensors, which is missing here: `pip install "wengert[examples]"` ({error}).'
        ) from None
    return safetensors


def save_weights(module: Module, path: str | os.PathLike[str]) -> None:
    """Write the parameters of `module` to a safetensors file, whole or not at all.

    Parameters
    ----------
    module : Module
    path : path-like
        An existing file is replaced at the end, in one step.

    Examples
    --------
    >>> import nn
    >>> folder = getfixture("tmp_path")
    >>> nn.save_weights(nn.Linear(2, 1), folder / "weights.safetensors")
    """
    safetensors, path = _safetensors(), Path(path)
    # safetensors 0.8.0 writes the memory of an array as it lies: one that is not C-contiguous would come back wrong.
    arrays = {name: np.asarray(move(a, "cpu"), order="C") for name, a in module.state_dict().items()}
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(partial, "wb") as file:
            file.write(safetensors.numpy.save(arrays))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load_weights(module: Module, path: str | os.PathLike[str]) -> None:
    """Take the parameters of `module` from a safetensors file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a safetensors file, or does not fit the module. Nothing is changed then.

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
    safetensors = _safetensors()
    content = Path(path).read_bytes()
    try:
        state = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from None
    module.load_state_dict(state)
