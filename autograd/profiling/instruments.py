"""What stands in the place of recorders, rules, modules and steps while a profile is on, and only then."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from types import FunctionType
from typing import Any

import numpy as np

from .. import tape
from ..inspection.calls import calls_of
from ..measured import MEASURED, Kind, Point, measured
from ..node import Node, Parts, Value, data_of
from ..primitive import Primitive
from ..recorder import instrument
from ..tensor import Tensor
from ..transforms.checkpoint import _CHECKPOINT as CHECKPOINT
from ..transforms.nested import leaves_of
from ..transforms.variables import Stretch
from .memory import memories
from .session import BACKWARD, FORWARD, NOWHERE, STEP, Frame, Place, Session, here

__all__ = ["put_in", "take_out"]

measured(Tensor, "backward", "pass")
measured(Tensor, "gradient", "pass")
measured(Stretch, "pull", "pass")

_lock = threading.Lock()
_profiles_on = 0

#: For each recorder that has other code now, the function that it was.
_plain: dict[Any, Any] = {}

#: What is in the place of other functions: (class or module, name, what stands there now, the function).
_replaced: list[tuple[Any, str, Any, Any]] = []


def put_in() -> None:
    """A profile is switched on: if it is the first one, have everything measured."""
    global _profiles_on
    with _lock:
        _profiles_on += 1
        if _profiles_on > 1:
            return
        for point in MEASURED:
            for holder in _holders(point):
                function = vars(holder)[point.name]
                around = _around(function, point.kind)
                _replaced.append((holder, point.name, around, function))
                setattr(holder, point.name, around)
        tape.measured_pulls = _pulls_of
        instrument(_measure)


def take_out() -> None:
    """A profile is switched off: after the last one, everything is as it was."""
    global _profiles_on
    with _lock:
        _profiles_on -= 1
        if _profiles_on:
            return
        while _replaced:
            holder, name, around, function = _replaced.pop()
            if vars(holder).get(name) is around:  # the user may have put something else there meanwhile
                setattr(holder, name, function)
        tape.measured_pulls = None
        instrument(None, _restore)


def _holders(point: Point) -> Iterator[Any]:
    """Where a function is to be replaced: in a class, and in those of its subclasses that have one of their own."""
    holders: list[Any] = [point.holder]
    for holder in holders:  # grows while it is walked
        if isinstance(holder, type):
            holders += set(type.__subclasses__(holder)).difference(holders)
        if isinstance(vars(holder).get(point.name), FunctionType):  # something else may get no `self`
            yield holder


# Operations


def _measured(*args: Any, **kwargs: Any) -> Any:
    return measure(record, args, kwargs)  # type: ignore[name-defined] # noqa: F821 (names of a recorder's own scope)


def _measure(record: Any) -> None:
    """Give a recorder the code that measures: the function stays the same object, whoever holds it."""
    plain = FunctionType(record.__code__, record.__globals__, record.__name__, record.__defaults__)
    plain.__kwdefaults__, plain.__qualname__ = record.__kwdefaults__, record.__qualname__
    _plain[record] = plain
    record.__globals__["measure"] = _run  # stays there: another thread may be about to ask for it
    record.__code__ = _measured.__code__


def _restore() -> None:
    for record, plain in _plain.items():
        record.__code__ = plain.__code__
    _plain.clear()


def _run(record: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of a recorder."""
    called = perf_counter()
    plain = _plain.get(record)
    if plain is None:  # the profile of another thread was switched off just now
        return record(*args, **kwargs)
    session, primitive = here(), record.primitive
    if (
        session is None
        or (primitive.wider and not kwargs.keys() <= {*primitive.inputs, *primitive.options})
        or (session.computing and not any(isinstance(x, Value) for x in leaves_of((args, kwargs))))
    ):  # a composition of others, which are measured; or what an operation does inside, on plain arrays
        return plain(*args, **kwargs)
    session.stop(called)
    frame = session.open(primitive.name, "operation", FORWARD, (primitive.name,))
    session.go()
    try:
        result = plain(*args, **kwargs)
        if result.__class__ is not Tensor or result._array.__class__ is not np.ndarray:
            _wait_for(result)
        session.stop()
        given = [args[k] if k < len(args) else kwargs.get(name) for k, name in enumerate(primitive.inputs)]
        if primitive.variadic:
            given = list(given[0]) if isinstance(given[0], list | tuple) else given
        results = list(result) if isinstance(result, list | tuple) else [result]
        session.close_operation(frame, _node_of(results, primitive), given, results)
    except BaseException:  # also a RecursionError of what is done here
        session.drop(frame)
        raise
    session.go()
    return result


def _node_of(results: Sequence[Any], primitive: Primitive) -> Node | None:
    """The node that an operation has just been given, if it was recorded."""
    for result in results:
        node = result._node if isinstance(result, Value) else None
        if node is None:
            continue
        if node.primitive is not primitive and node.parents:  # a part of it
            node = node.parents[0]
        if node is not None and node.primitive is primitive:
            return node
    return None


def _wait_for(result: Any) -> None:
    """Let a GPU finish: it has been asked for the result, and works on."""
    for array in map(data_of, result if isinstance(result, list | tuple) else (result,)):
        if array.__class__ is not np.ndarray:
            wait = getattr(getattr(array, "device", None), "synchronize", None)
            if wait is not None:
                wait()


# Rules


class _Rules:
    """The rules of a node, in the place of each of them: it is measured from its call until the next is asked for."""

    def __init__(self, session: Session, node: Node):
        self.session, self.node = session, node
        self.position = 0
        self.called: tuple[Frame, Any, Any, Any] | None = None
        self.known: set[int] | None = None  # the memory of what all of them are called with

    def __iter__(self) -> Iterator[Callable[[Any, Any], Any]]:
        for position, pull in enumerate(self.node.primitive.pulls):
            self.position, self.pull = position, pull
            try:
                yield self
            finally:  # it may have been the last one that is asked for
                if self.called is not None:  # not so that of an input that needs no gradient
                    self._end(*self.called)

    def index(self, pull: Any) -> int:
        """Which input it is that the rule is for that was asked for at last."""
        return self.position

    def __call__(self, g: Any, saved: Any) -> Any:
        session = self.session
        session.stop()
        frame = session.open_rule(self.node)
        session.go()
        try:
            c = self.pull(g, saved)
            if c.__class__ is not np.ndarray:
                _wait_for(_pieces(c))
        except BaseException:
            session.drop(frame)
            raise
        self.called = (frame, g, saved, c)
        return c

    def _end(self, frame: Frame, g: Any, saved: Any, c: Any) -> None:
        self.session.stop()
        self.called = None
        arrays, primitive = self.session.arrays, self.node.primitive
        if self.known is None:
            self.known = memories([*_pieces(g), *leaves_of(list(saved))])
        name = primitive.called(self.position)
        shapes, shape = (getattr(g, "shape", ()),), getattr(c, "shape", ())
        self.session.close(frame, self.node.index, name, shapes, shape, arrays.made(_pieces(c), self.known))
        self.session.go()


def _pieces(cotangent: Any) -> list[Any]:
    return list(cotangent.found.values()) if cotangent.__class__ is Parts else [cotangent]


def _pulls_of(nodes: Sequence[Node]) -> Callable[[Node], _Rules] | None:
    session = here()
    if session is None:
        return None
    session.stop()
    if any(node.index <= session.began and node.parents and node.index not in session.places for node in nodes):
        _note_places(nodes, session)
    session.go()
    return functools.partial(_Rules, session)


def _note_places(nodes: Sequence[Node], session: Session) -> None:
    """Note inside which modules operations were recorded before the profile was switched on, as their marks say."""
    outermost, around = calls_of(nodes)
    roots = {call: session.root(call.module, call.kind) for call in outermost}
    for node in nodes:
        call, path = around.get(node), []
        while call is not None and call.parent is not None:
            path.append(call.name or call.kind)
            call = call.parent
        root = NOWHERE if call is None else roots[call]
        session.places.setdefault(node.index, Place((*root.modules, *reversed(path)), root.names))


# Modules, steps, passes and checkpoints


def _around(function: Any, kind: Kind) -> Any:
    """A function that stands for another one, and measures its calls."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        called = perf_counter()
        session = here()
        if session is None or (kind != "checkpoint" and session.goes_on(function, args[0])):
            return function(*args, **kwargs)
        session.stop(called)
        frame = _open(session, kind, args[0])
        if kind != "checkpoint":
            frame.call = (function, args[0])
        session.go()
        try:
            result = function(*args, **kwargs)
            session.stop()
            if kind == "checkpoint":
                operands, results = ([x for x in leaves_of(v) if hasattr(x, "nbytes")] for v in (args[1:], result))
                session.close_operation(frame, _node_of(results, CHECKPOINT), operands, results)
            else:
                session.close(frame)
        except BaseException:
            session.drop(frame)
            raise
        session.go()
        return result

    return call


def _open(session: Session, kind: Kind, subject: Any) -> Frame:
    if kind == "module":
        return session.open_module(subject)
    if kind == "step":
        name = type(subject).__name__
        return session.open(name, "step", STEP, (name,))
    if kind == "pass":
        return session.open("backward pass", "pass", BACKWARD)
    return session.open("checkpoint", "operation", FORWARD, ("checkpoint",))
