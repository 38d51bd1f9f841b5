"""`Event`: one thing that ran while a profile was on."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Event", "Phase"]


class Phase(str):
    """The name of a phase, 'forward', 'backward' or 'step': a user's function may be called like one."""

    __slots__ = ()


class Event(NamedTuple):
    """An operation, a rule of its backward pass, the call of a module, a whole backward pass, or an optimizer's step.

    Attributes
    ----------
    name : str
        Of the operation; of a module or an optimizer the name of its class; 'backward pass'.
    kind : {'operation', 'module', 'pass', 'step'}
    phase : {'forward', 'backward', 'step'}
        Of an operation: whether it computed its result, or one of its rules a cotangent. What a rule computes with
        recorded operations is forward, as anywhere.
    start : float
        In seconds since the profile was switched on, without the time that the profile itself took.
    seconds : float
        How long it took; `own` is without the events inside it. Of a rule with what the engine does with its result:
        the check, the sum over broadcast axes, the addition to what the input has already got.
    own : float
    node : int or None
        The index of the operation on the tape, if it was recorded.
    input : str or None
        Of a rule: the input of the operation that it is for.
    shapes : tuple
        The shapes of the operation's inputs (None for one that was not given); of a rule that of the cotangent.
    shape : tuple or None
        That of the result; of several results, a tuple of shapes.
    made : int
        The bytes of memory that the result takes; 0 for a view of an input.
    kept : int
        The bytes by which the operation increased what the tape holds.
    modules : tuple of str
        Inside which modules it ran, outermost first: the class of that one, then full names, as in
        ('MLP', 'linear1'). Of a rule: where its operation was recorded. Of a call of a module: itself too.
    stack : tuple of str
        Inside what it ran, and at last itself: its place in the flame picture.
    thread : int
        The number of the thread.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd
    >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True)
    >>> with autograd.profile() as p:
    ...     y = np.exp(x)
    ...     y.backward([1.0, 1.0])
    >>> [(event.name, event.phase, event.input, event.made) for event in p.events]
    [('exp', 'forward', None, 16), ('backward pass', 'backward', None, 0), ('exp', 'backward', 'x', 16)]
    """

    name: str
    kind: str
    phase: Phase
    start: float
    seconds: float
    own: float
    node: int | None
    input: str | None
    shapes: tuple[tuple[int, ...] | None, ...]
    shape: tuple[int, ...] | tuple[tuple[int, ...], ...] | None
    made: int
    kept: int
    modules: tuple[str, ...]
    stack: tuple[str, ...]
    thread: int
