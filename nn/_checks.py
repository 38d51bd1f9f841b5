"""What the layers ask of their arguments and inputs, and what they say if it is not so."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from autograd.devices import check_same_device, device_of, move
from autograd.node import data_of

__all__ = ["fitting", "floating", "placed", "positive", "say_where", "together"]


def positive(name: str, n: Any) -> int:
    """`n` as an int, if it is a positive whole number."""
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise ValueError(f"{name} must be a positive integer, got {n!r}.")
    return int(n)


def floating(dtype: Any) -> np.dtype[Any]:
    """A dtype, if it is one of real floating numbers."""
    kind: np.dtype[Any] = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"this layer calculates with real floating numbers: dtype={kind} is not of these.")
    return kind


def placed(values: Any, like: Any) -> Any:
    """A list or a number as an array where that of `like` is; arrays and Tensors as they are."""
    return values if hasattr(values, "dtype") else move(np.asarray(values), device_of(data_of(like)))


def together(what: Any, x_name: str, x: Any, y_name: str, y: Any) -> None:
    """Refuse arrays of two devices, where something touches both that is no operation and would not say it so well.

    Raises
    ------
    DeviceError
        Naming both, their devices, and the remedy.
    TypeError
        If one is an array of a library with dtypes of its own, such as PyTorch.
    """
    x, y = data_of(x), data_of(y)
    if not (x.__class__ is np.ndarray is y.__class__):
        for array in (x, y):
            _refuse_others(what, array)
        check_same_device(what, {x_name: x, y_name: y})


def _refuse_others(what: Any, array: Any) -> None:
    if not isinstance(array.dtype, np.dtype):
        raise TypeError(
            f"{what} takes NumPy arrays and Tensors, and was given {type(array).__module__}.{type(array).__name__}: "
            "write np.asarray(x)."
        )


def fitting(module: Any, x: Any, state: Any) -> Any:
    """`x` as an input of a module with this parameter: numbers without a dtype become an array like that.

    Raises
    ------
    TypeError
        If `x` has another dtype: both, and the remedy. If it is not numbers.
    DeviceError
        If it is on another device.
    """
    given, dtype = getattr(x, "dtype", None), state.dtype
    if given is None:
        if x is None:
            raise TypeError(
                f"{module!r} was given None as its input: does the function that made it return its result?"
            )
        array = np.asarray(x)
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise TypeError(f"{module!r} takes an array or a Tensor of {dtype}, and was given {type(x).__name__}.")
        return move(array.astype(dtype), state.device)
    _refuse_others(module, x)
    if given != dtype:
        remedy = f"write x.astype(np.{dtype})"
        if given.kind in "fc":
            remedy += f", or make the layer with dtype=np.{given}"
        raise TypeError(
            f"{module!r} has {dtype} parameters and was given {given} input: nothing is converted silently; {remedy}."
        )
    together(module, "the input", x, "its state", state)
    return x


def say_where(module: Any, error: Exception) -> None:
    """Add to an error that leaves a module where it comes from, as in "in MLP.linear2".

    Each module that it leaves says it again, with the path from where it stands.
    """
    with suppress(Exception):  # it must not hide the error: this one may refuse notes
        left, beyond, note = getattr(error, "_raised_in", (id(module), "", None))
        path = next((path for path, part in module.named_modules() if id(part) == left), None)
        if path is None:  # called by it, but no part of it
            return
        path = ".".join(filter(None, (path, beyond)))
        told = f"in {type(module).__name__}{'.' if path else ''}{path}"
        notes = getattr(error, "__notes__", [])
        if note in notes:
            notes[notes.index(note)] = told
        else:
            error.add_note(told)
        # a number, not the module: errors are pickled with what they hold, on the way to another process
        error._raised_in = (id(module), path, told)  # type: ignore[attr-defined]
