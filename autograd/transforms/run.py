"""One call of a user's function in which some arguments are variables: what every transform begins with.

Inside the function the variables are Tensors. What comes out of a transform is plain again: a gradient is what
its argument was (a Python number, a NumPy scalar, an array, a Tensor), in the same nested structure. Only what can
be differentiated further, because the function used something that is tracked, comes out as a tracked Tensor.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from ..devices import describe
from ..modes import current_mode, enable_grad
from ..node import Value, data_of, tick
from ..wrapping import wrap
from .nested import as_given, differentiable, leaves_of, matched, rebuilt
from .variables import Stretch, fitted, recorded_since, variable

__all__ = ["Run", "check_kept", "described_as", "name_of", "positions", "tracked_variable"]

#: What Python calls a number; a constant result may be an integer.
_NUMBERS = (int, float, complex)

F = TypeVar("F", bound=Callable[..., Any])

#: The calls that are running, the innermost last.
_running: ContextVar[tuple[Run, ...]] = ContextVar("autograd_runs", default=())


def check_kept(tensor: Any, call: str) -> None:
    """Refuse to make a plain number of a value that depends on a variable: its derivative would be lost.

    Outside transforms a loss becomes a number to be printed; here what is not a Tensor any more counts as constant, and
    the gradient would be wrong without a word.
    """
    for run in _running.get():
        nodes, _, _ = recorded_since(run._start, [tensor.node], frozenset(run._variables))
        if not frozenset(run._variables).isdisjoint(nodes):
            raise TypeError(
                f"{call} of a value that depends on what {run.call} differentiates with respect to: as a plain number "
                "it would lose its derivative. Call NumPy's functions on it (np.sin in place of math.sin), collect "
                "values with np.stack in place of writing them into an array, or write x.item() if a number is meant."
            )


def positions(argnum: Any) -> int | tuple[int, ...]:
    """`argnum`, checked: a position, or a tuple of different ones."""
    if isinstance(argnum, tuple | list):
        found = tuple([positions(k) for k in argnum])
        if not found or len(set(found)) < len(found) or any(isinstance(k, tuple) for k in found):
            raise ValueError(f"argnum as a tuple holds one or more different positions, got {argnum!r}.")
        return found  # type: ignore[return-value]
    try:
        if not isinstance(argnum, bool):
            return operator.index(argnum)
    except TypeError:
        pass
    told = describe(data_of(argnum))
    where = ": the gradient of a computed Tensor is loss.gradient(w)" if isinstance(argnum, Value) else ""
    raise TypeError(f"argnum is the position of an argument, or a tuple of positions, got {told}{where}.")


def name_of(fun: Any) -> str:
    """What messages and the names of transformed functions call a function."""
    return getattr(fun, "__name__", None) or type(fun).__name__


def described_as(transformed: F, call: str, fun: Callable[..., Any], argnum: Any, one_more: bool = False) -> F:
    """Give the transform of a function a name and a text of its own, and the function's signature.

    With `one_more`, it takes one argument more than the function, and has no signature.
    """
    if not callable(fun):
        where = ": the gradient of a computed Tensor is loss.gradient(w)" if isinstance(fun, Value) else ""
        raise TypeError(f"{call} takes a function first, got {type(fun).__name__}{where}.")
    name = name_of(fun)
    transformed.__module__ = getattr(fun, "__module__", None) or __name__
    transformed.__name__ = transformed.__qualname__ = f"{call}_of_{name}_wrt_argnum_{argnum}"
    transformed.__doc__ = f"{call} of {name} with respect to argument {argnum}."
    if not one_more:
        transformed.__wrapped__ = fun  # type: ignore[attr-defined]
    return transformed


def tracked_variable(leaf: Any, array: Any, recording: bool) -> Any:
    """The variable for a leaf with this array: an alias, if the leaf is tracked and so can be differentiated on."""
    tracked = recording and isinstance(leaf, Value) and leaf._requires_grad
    return variable(array, leaf._node if tracked else None)


class Run:
    """A call of `fun` with the arguments at `argnum` as variables.

    Parameters
    ----------
    call : str
        The transform, for messages.
    fun, argnum, args, kwargs
        What to call, with respect to which arguments to differentiate, and the call's arguments.
    keep : bool
        The run outlives this call: the values of its variables and results must not be changed from outside.

    Attributes
    ----------
    x : nested
        The argument (a tuple, if `argnum` is one), and `leaves` its leaves.
    arrays : list
        For each leaf, the array of its variable, or None if it is no variable.
    result : nested
        What `fun` returned.
    """

    __slots__ = ("_keep", "_recording", "_start", "_variables", "arrays", "call", "fun", "leaves", "result", "x")

    def __init__(
        self,
        call: str,
        fun: Callable[..., Any],
        argnum: int | tuple[int, ...],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        keep: bool = False,
    ):
        self.call, self.fun, self._keep = call, fun, keep
        recording = self._recording = current_mode().recording
        self._start = tick()
        several = isinstance(argnum, tuple)
        chosen: Sequence[int] = argnum if isinstance(argnum, tuple) else (argnum,)
        try:
            parts = tuple([args[k] for k in chosen])
        except IndexError:
            raise TypeError(
                f"{call} of {name_of(fun)} with respect to argument {argnum} got {len(args)} positional arguments: "
                "pass what to differentiate with respect to by position, or choose another argnum."
            ) from None
        if len({k % len(args) for k in chosen}) < len(chosen):
            raise ValueError(
                f"{call} of {name_of(fun)} with respect to arguments {argnum} got {len(args)} positional arguments: "
                "with these, two of the positions are the same argument."
            )
        self.x = parts if several else parts[0]
        self.leaves: list[Any] = []
        self.arrays: list[Any] = []
        for k, part in zip(chosen, parts):
            leaves = leaves_of(part)
            arrays = [differentiable(leaf) for leaf in leaves]
            if all(array is None for array in arrays):
                raise self._without_floats(k, part)
            self.leaves += leaves
            self.arrays += arrays
        if keep:
            self.arrays = [
                a if a is None or isinstance(x, Value) else a.copy() for x, a in zip(self.leaves, self.arrays)
            ]
        inputs = [
            leaf if array is None else tracked_variable(leaf, array, recording)
            for leaf, array in zip(self.leaves, self.arrays)
        ]
        self._variables = [value._node for value, array in zip(inputs, self.arrays) if array is not None]
        given = rebuilt(self.x, inputs)
        replaced = list(args)
        for k, part in zip(chosen, given if several else (given,)):
            replaced[k] = part
        token = _running.set((*_running.get(), self))
        try:
            if recording:
                self.result = fun(*replaced, **kwargs)
            else:
                with enable_grad():
                    self.result = fun(*replaced, **kwargs)
        finally:
            _running.reset(token)

    def _without_floats(self, k: int, part: Any) -> TypeError:
        what = describe(part) if hasattr(part, "dtype") else type(part).__name__
        return TypeError(
            f"{self.call} differentiates with respect to floating or complex numbers, and argument {k} of "
            f"{name_of(self.fun)} is {what} without any: pass floats (3.0, x.astype(float)), or choose another argnum."
        )

    def stretch(self, outputs: Sequence[Any]) -> Stretch:
        """The tape from the variables to some of the results."""
        return Stretch(outputs, self._variables, self._start, self._recording)

    def gradient(self, found: Sequence[Any], shape: tuple[int, ...] = ()) -> Any:
        """What a transform returns: for each variable what was found, in the structure of `x`.

        None stands for zeros; `shape` are the axes that are put before those of the variable.
        """
        results: list[Any] = []
        remaining = iter(found)
        for leaf, array in zip(self.leaves, self.arrays):
            if array is None:
                results.append(None)
                continue
            g = next(remaining)
            if g is None:
                g = np.zeros_like(array, shape=(*shape, *array.shape))
            results.append(g if isinstance(g, Value) and g._requires_grad else as_given(data_of(g), leaf))
        return rebuilt(self.x, results)

    def tangents(self, given: Any, what: str) -> list[Any]:
        """For each variable, the array (or Tensor, or None) at its place in `given`."""
        pairs = zip(matched(given, self.x, what), self.arrays)
        return [v if v is None else fitted(v, array, what) for v, array in pairs if array is not None]

    def cotangents(self, given: Any, what: str) -> list[Any]:
        """For each leaf of the result, the array (or Tensor, or None) at its place in `given`."""
        pairs = zip(matched(given, self.result, what), leaves_of(self.result))
        return [fitted(c, o._array, what) if c is not None and isinstance(o, Value) else None for c, o in pairs]

    def presented(self, value: Any, linked: bool) -> Any:
        """A value that the function returned, as the transform returns it: plain, unless it is `linked` on."""
        tensor = any(isinstance(leaf, Value) for leaf, array in zip(self.leaves, self.arrays) if array is not None)
        results = []
        for leaf in leaves_of(value):
            if not isinstance(leaf, Value) or (linked and leaf._requires_grad):
                results.append(leaf)
                continue
            array = leaf._array
            if array.__class__ is np.ndarray and (self._keep or not array.flags.writeable):
                array = array.copy()  # the tape still needs it, or it is a view of an argument
            results.append(wrap(array) if tensor else array[()] if array.__class__ is np.ndarray else array)
        return rebuilt(value, results)

    def array(self, kinds: str = "f", one: bool = False) -> Any:
        """The result, which must be one array of numbers: a Tensor, or the plain constant that was returned.

        Raises
        ------
        TypeError
            If it is something else, is complex where `kinds` does not say so, or has more than `one` element.
        """
        return self.checked(self.result, kinds, one)

    def checked(self, value: Any, kinds: str = "f", one: bool = False) -> Any:
        """`array` for a part of the result."""
        data = data_of(value)
        number = isinstance(data, _NUMBERS)
        kind = (
            data.dtype.kind if hasattr(data, "dtype") else "c" if isinstance(data, complex) else "f" if number else ""
        )
        wrong = ""
        if isinstance(value, list | tuple | dict):
            wrong = (
                f"a {type(value).__name__}: return one array (np.stack, np.concatenate or flatten make one), or use "
                "make_vjp, which takes any structure."
            )
        elif not kind:
            wrong = f"{type(value).__name__}."
        elif kind not in "fc":
            wrong = f"{describe(data)}, which has no gradient."
        elif kind not in kinds:
            wrong = (
                "complex ones: take the real part or the absolute value; for the complex derivative of a holomorphic "
                "function use holomorphic_grad."
            )
        elif one and math.prod(np.shape(data)) != 1:
            wrong = (
                f"shape {np.shape(data)}: reduce it (.sum(), .mean()), or use elementwise_grad, for the sum of the "
                "derivatives of all elements, or jacobian, for each."
            )
        if wrong:
            needs = "one real number" if one else "an array of real numbers"
            raise TypeError(f"{self.call} needs {name_of(self.fun)} to return {needs}, it returned {wrong}")
        return value
