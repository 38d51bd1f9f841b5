"""What is open at the moment in the one thread or task that is measured: a stack of frames, and a clock.

The clock stands still while the profile itself works, so that what it does is in nobody's time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple
from weakref import ref

from ..node import Node, Parts, Value, tick
from .event import Event, Phase
from .memory import Arrays, Memory, hold, memories

__all__ = ["SESSIONS", "Frame", "Place", "Recording", "Session", "here", "who"]


class Place(NamedTuple):
    """Inside which modules something is, and the names of the modules in the outermost of them, by id."""

    modules: tuple[str, ...]
    names: dict[int, str] | None


NOWHERE = Place((), None)

FORWARD, BACKWARD, STEP = Phase("forward"), Phase("backward"), Phase("step")


class Frame:
    """Something that has begun, and not yet ended."""

    __slots__ = ("call", "inside", "kind", "name", "outer", "phase", "place", "stack", "start")

    def __init__(
        self,
        outer: Frame | None,
        name: str,
        kind: str,
        phase: Phase,
        place: Place,
        cells: tuple[str, ...],
        start: float,
    ):
        self.call: tuple[Any, Any] | None = None  # of a method: the function and its object
        self.outer, self.name, self.kind, self.phase, self.place = outer, name, kind, phase, place
        base = () if outer is None else outer.stack
        if outer is None or outer.phase != phase:
            base = (*base, phase)
        self.stack: tuple[str, ...] = base + cells
        self.inside = 0.0
        self.start = start


class Recording(NamedTuple):
    """Where a profile's events go: one for each block."""

    events: list[Event]
    memory: Memory
    origin: float  # the time on the clock at which the profile's own began


class Session:
    """The measuring of one thread or task, by one profile or by several, one inside another.

    Attributes
    ----------
    owner : tuple
        The thread and the task.
    began : int
        The number on the tape at which it did.
    lost : float
        The seconds that the measuring itself has taken.
    recordings : list of Recording
        Of the profiles that are on.
    places : dict
        For each operation on the tape that a profile knows, by its number: inside which modules it was recorded.
    """

    def __init__(self, owner: tuple[int, Any]):
        self.owner = owner
        self.began = tick()
        self.lost = 0.0
        self.recordings: list[Recording] = []
        self.places: dict[int, Place] = {}
        self.arrays = Arrays()
        self._frame: Frame | None = None
        self._stopped: float | None = None
        self._outermost: dict[str, list[ref[Any]]] = {}

    # The clock

    def clock(self) -> float:
        """The time, without what the measuring has taken."""
        return (perf_counter() if self._stopped is None else self._stopped) - self.lost

    def stop(self, since: float | None = None) -> None:
        """Stop the clock, if need be as at an earlier moment."""
        self._stopped = perf_counter() if since is None else since

    def go(self) -> None:
        """Let the clock go on from where it stopped."""
        if self._stopped is not None:
            self.lost += perf_counter() - self._stopped
            self._stopped = None

    # Frames. The clock is stopped when one of these is called.

    @property
    def place(self) -> Place:
        """Inside which modules the program is now."""
        return NOWHERE if self._frame is None else self._frame.place

    @property
    def computing(self) -> bool:
        """Whether the program is inside an operation or a rule, but for a checkpoint, which runs the user's code."""
        return self._frame is not None and self._frame.kind == "operation" and self._frame.name != "checkpoint"

    def open(
        self, name: str, kind: str, phase: Phase, cells: tuple[str, ...] = (), place: Place | None = None
    ) -> Frame:
        """Something begins."""
        now = self.clock()
        self._frame = Frame(self._frame, name, kind, phase, self.place if place is None else place, cells, now)
        return self._frame

    def open_rule(self, node: Node) -> Frame:
        """A rule of `node` begins."""
        place = self.places.get(node.index, NOWHERE)  # what no recorder recorded (a variable) has none
        around, name = self.place.modules, node.primitive.name
        same = 0
        while same < min(len(around), len(place.modules)) and around[same] == place.modules[same]:
            same += 1
        return self.open(name, "operation", BACKWARD, (*place.modules[same:], name), place)

    def open_module(self, module: Any) -> Frame:
        """The call of a module begins."""
        outer, kind = self.place, type(module).__name__
        if outer.names is None:
            (label,), names = self.root(module, kind)
        else:
            label, names = outer.names.get(id(module)) or kind, outer.names
        return self.open(kind, "module", FORWARD, (label,), Place((*outer.modules, label), names))

    def root(self, module: Any, kind: str) -> Place:
        """Inside a module that is in no other one, which has its class for a name; a second one is 'MLP 2'."""
        if module is None:  # it is gone
            return Place((kind,), None)
        known = self._outermost.setdefault(kind, [])
        for k, reference in enumerate(known):
            there = reference()
            if there is None or there is module:
                known[k] = ref(module)
                break
        else:
            k = len(known)
            known.append(ref(module))
        named = getattr(module, "named_modules", dict)
        return Place((f"{kind} {k + 1}" if k else kind,), {id(part): name for name, part in named()})

    def goes_on(self, function: Any, subject: Any) -> bool:
        """Whether `function` is called on an object by another function that stands for the same: by `super`."""
        call = None if self._frame is None else self._frame.call
        return call is not None and call[1] is subject and call[0] is not function

    def drop(self, frame: Frame) -> None:
        """Something has failed: there is no event of it, and its time is that of what is around it."""
        self._frame = outer = frame.outer
        if outer is not None:
            outer.inside += frame.inside

    def close(
        self,
        frame: Frame,
        node: int | None = None,
        input: str | None = None,
        shapes: tuple[Any, ...] = (),
        shape: Any = None,
        made: int = 0,
        kept: Sequence[int] = (),
    ) -> None:
        """Something has ended: its event goes to each profile in whose block it began."""
        now = self.clock()
        seconds = now - frame.start
        self._frame = outer = frame.outer
        if outer is not None:
            outer.inside += seconds
        own, modules, thread = max(seconds - frame.inside, 0.0), frame.place.modules, self.owner[0]
        for k, (events, memory, origin) in enumerate(self.recordings):
            if frame.start < memory.curve[0][0]:  # the block had not begun
                continue
            start, held = frame.start - origin, kept[k] if kept else 0
            events.append(
                Event(
                    frame.name, frame.kind, frame.phase, start, seconds, own,
                    node, input, shapes, shape, made, held, modules, frame.stack, thread,
                )
            )  # fmt: skip

    def close_operation(self, frame: Frame, node: Node | None, operands: Sequence[Any], results: Sequence[Any]) -> None:
        """An operation has computed its results, and may have been recorded."""
        for operand in operands:
            if isinstance(operand, Value):
                self.arrays.meet(operand)
        made = self.arrays.made(results, memories(operands))
        index, kept = None, []
        if node is not None:
            index = node.index
            self.places[index] = frame.place
            for result in results if node.kind is Parts else ():
                if isinstance(result, Value) and result._node is not None:
                    self.places[result._node.index] = frame.place
            items = self.arrays.counted(node.saved or ())
            now = self.clock()
            kept = [recording.memory.keep(items, now) for recording in self.recordings]
            if items:
                hold(node, items, [recording.memory for recording in self.recordings])
        shapes = tuple([_shape(operand) for operand in operands])
        each = tuple([_shape(result) for result in results])
        self.close(frame, index, None, shapes, each[0] if len(each) == 1 else each, made, kept)


def _shape(value: Any) -> Any:
    if value is None:
        return None
    shape = getattr(value, "shape", ())
    return shape if isinstance(shape, tuple) else ()


#: The sessions of the threads and tasks that are measured. A context variable would be inherited by tasks and threads
#: that are started in the block, and looking up the mode would take longer ever after.
SESSIONS: dict[tuple[int, Any], Session] = {}


def who() -> tuple[int, Any]:
    """The running thread and the running asyncio task."""
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()
    return threading.get_ident(), None if loop is None else asyncio.current_task(loop)  # type: ignore[union-attr]


def here() -> Session | None:
    """The session that measures what runs now, if one does."""
    return SESSIONS.get(who())
