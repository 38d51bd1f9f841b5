"""What happens when an operation runs: is it recorded, and is it watched?

`no_grad` and `enable_grad` switch recording off and on; `detect_anomaly` makes each recorded
operation remember the user's line and checks its values, `keep_values` makes it keep them. Each is a
context manager and a decorator. A mode belongs to the running thread and async task (it lives in a
`contextvars.ContextVar`) and is restored when the block ends, also by an exception.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from itertools import product
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

__all__ = ["detect_anomaly", "enable_grad", "is_grad_enabled", "keep_values", "no_grad"]

F = TypeVar("F", bound=Callable[..., Any])


class Mode(NamedTuple):
    """The switches. There are eight values, one object each, so that `is` compares them."""

    recording: bool
    watching: bool
    keeping: bool


_MODES = {switches: Mode(*switches) for switches in product((True, False), repeat=3)}

#: The ordinary mode: record, and do nothing else. A recorder compares with it before anything else.
RECORDING = _MODES[True, False, False]

_current: ContextVar[Mode] = ContextVar("autograd_mode", default=RECORDING)

#: The modes of the blocks around the innermost one. Here and not on a switch, which tasks may share.
_outer: ContextVar[tuple[Mode, ...]] = ContextVar("autograd_outer_modes", default=())

#: The mode of the running thread or task.
current_mode = _current.get


class _Switch:
    """A block in which one of the switches has another position."""

    def _changed(self, mode: Mode) -> Mode:
        raise NotImplementedError

    def __enter__(self) -> None:
        mode = current_mode()
        _outer.set((*_outer.get(), mode))
        _current.set(_MODES[self._changed(mode)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not _outer.get():
            raise RuntimeError(
                f"{type(self).__name__}() was left in another thread, task or context than it was entered."
            )
        *rest, mode = _outer.get()
        _outer.set(tuple(rest))
        _current.set(mode)

    def __call__(self, function: F) -> F:
        """Decorate `function`: its whole body runs in this mode."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"@{type(self).__name__}() cannot decorate the generator {function.__name__!r}: the mode would "
                f"leak to its caller between two yields. Write `with {type(self).__name__}():` around the "
                "statements inside it that need it."
            )
        wrapper: Callable[..., Any]
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return await function(*args, **kwargs)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class no_grad(_Switch):
    """Do not record: results do not require a gradient, and no tape is kept.

    Examples
    --------
    >>> from autograd import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode._replace(recording=False)


class enable_grad(_Switch):
    """Record again, inside a `no_grad` block.

    Examples
    --------
    >>> from autograd import Tensor, enable_grad, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad(), enable_grad():
    ...     y = w * 3
    >>> y.requires_grad
    True
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode._replace(recording=True)


class detect_anomaly(_Switch):
    """Name the operation and the line of code at the first NaN or infinity, forward or backward.

    Each operation recorded inside the block remembers the line of the user's code that called it, so
    other errors of the engine (a refused cotangent, say) name that line too. It costs several times the
    usual overhead: switch it on to find a fault, not in production.

    Raises
    ------
    AnomalyError
        By the operation whose result, or by the rule whose cotangent, holds a NaN or an infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, detect_anomaly
    >>> x = Tensor([1.0, 0.0], requires_grad=True)
    >>> with detect_anomaly(), np.errstate(all="ignore"):
    ...     y = np.log(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    autograd.errors.AnomalyError: log returned a value that is not finite (1 of 2, the first at index (1,): -inf)...
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode._replace(watching=True)


class keep_values(_Switch):
    """Keep each operation's result and operands, and the line of code that called it: for drawings and pages.

    An ordinary tape keeps only what its rules need, and gives it up in the backward pass. What is recorded inside
    this block keeps all its values as long as the tape lives.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, keep_values
    >>> from autograd.inspection import forward_values
    >>> x = Tensor([1.0, 4.0], requires_grad=True)
    >>> with keep_values():
    ...     y = np.sqrt(x) + 1.0
    >>> forward_values(y)[y.node]
    array([2., 3.])
    """

    def _changed(self, mode: Mode) -> Mode:
        return mode._replace(keeping=True)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread or task.

    Examples
    --------
    >>> from autograd import is_grad_enabled, no_grad
    >>> with no_grad():
    ...     print(is_grad_enabled())
    False
    """
    return current_mode().recording
