"""`profile`: the block in which everything is measured, and what there is to see of it afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from ..display.html import Html, fragment, tag
from .event import Event
from .flame import Flame
from .instruments import put_in, take_out
from .memory import Memory
from .session import SESSIONS, Recording, Session, here, who
from .table import Table, duration, modules_table, operations_table, summary
from .trace import chrome_trace

__all__ = ["profile"]


class profile:
    """Measure the time and the memory of what runs in a `with` block: each operation, each module, each backward rule.

    Only the thread or asyncio task that entered the block is measured. Its clock stands still while the profile itself
    works, and the times add up to that of the block. What cannot be taken out, a few microseconds for each operation
    and each rule, only matters where arrays are tiny. Without a profile nothing of this costs anything: while one is
    on, other functions stand in the place of the recorders and of `Module.__call__`, and then the old ones are back.

    Operations are the functions that have a differentiation rule, whether or not they are recorded; not comparisons,
    nor what one computes on plain arrays inside. On a GPU each operation waits until its result is there.

    A profile may be entered several times, one after another, and then counts all blocks together; and profiles may be
    nested. An operation that raises leaves no event.

    Attributes
    ----------
    events : list of Event
        All that ran, in the order in which it began.
    seconds : float
        How long the block took, without `overhead`: what the profile itself took.
    overhead : float
    held : list of (float, int)
        What the tape holds over time: seconds, and the bytes of the arrays that operations saved in the block for their
        rules. They count from then until a backward pass releases them or their graph is gone, once if operations
        share them. Parameters do not count, and a view of an array that no operation made has its own size.
    peak : int
        The largest of these numbers of bytes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> import autograd
    >>> model = nn.MLP([2, 16, 1], rng=0)
    >>> x = np.ones((100, 2), dtype=np.float32)
    >>> with autograd.profile() as p:
    ...     loss = np.mean(model(x) ** 2)
    ...     loss.backward()
    >>> [(row["operation"], row["calls"], row["rules"], row["made"]) for row in p.table(sort="made")]
    [('linear', 2, 5, 6800), ('relu', 1, 1, 6400), ('square', 1, 1, 400), ('mean', 1, 1, 4)]
    >>> [row["module"] for row in p.by_module()]
    [('MLP',), ('MLP', 'linear1'), ('MLP', 'relu1'), ('MLP', 'linear2'), ()]
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._curves: list[list[tuple[float, int]]] = []
        self._seconds = self._overhead = 0.0
        self._on: tuple[Session, Recording, float] | None = None

    def __enter__(self) -> profile:
        if self._on is not None:
            raise RuntimeError(
                "this profile is on already: inside its block, make another one with autograd.profile()."
            )
        session = here() or Session(who())
        lost = session.lost
        session.stop()
        put_in()
        recording = Recording(self._events, Memory(session.clock), session.clock() - self._seconds)
        session.recordings.append(recording)
        self._on = session, recording, lost
        SESSIONS[session.owner] = session
        session.go()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on is None:
            raise RuntimeError("this profile is not on: write `with autograd.profile() as p:` around what it measures.")
        session, recording, _ = self._on
        mine = session.owner == who()
        if mine:
            session.stop()
        self._curves.append(self._curve())
        self._seconds, self._overhead = self.seconds, self.overhead
        recording.memory.clock = None
        session.recordings[:] = [other for other in session.recordings if other is not recording]
        self._on = None
        if not session.recordings:
            del SESSIONS[session.owner]
        take_out()
        if mine:
            session.go()

    # What it found

    @property
    def seconds(self) -> float:
        """How long the block took, without what the profile itself took."""
        return self._seconds if self._on is None else self._on[0].clock() - self._on[1].origin

    @property
    def overhead(self) -> float:
        """How long the profile itself took, in seconds."""
        return self._overhead if self._on is None else self._overhead + self._on[0].lost - self._on[2]

    @property
    def events(self) -> list[Event]:
        """All that ran, in the order in which it began."""
        return sorted(self._events, key=lambda event: (event.start, len(event.stack)))

    def _curve(self) -> list[tuple[float, int]]:
        """What the tape has held in this block until now."""
        if self._on is None:
            return []
        session, (_, memory, origin), _ = self._on
        now = session.clock()
        memory.catch_up(now)
        return [(when - origin, n) for when, n in [*memory.curve, (now, memory.total)]]

    @property
    def held(self) -> list[tuple[float, int]]:
        """What the tape held over time: (seconds, bytes)."""
        return [point for curve in (*self._curves, self._curve()) for point in curve]

    @property
    def peak(self) -> int:
        """The most bytes that the tape held at a time."""
        return max((n for _, n in self.held), default=0)

    def times(self) -> dict[int, tuple[float, float]]:
        """For each recorded operation, by its index on the tape: the seconds of its forward and of its backward pass.

        Examples
        --------
        >>> import autograd
        >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True)
        >>> with autograd.profile() as p:
        ...     y = (x * x).sum()
        >>> [forward > backward == 0 for forward, backward in p.times().values()]
        [True, True]
        """
        found: dict[int, tuple[float, float]] = {}
        for event in self._events:
            if event.node is not None:
                forward, backward = found.get(event.node, (0.0, 0.0))
                if event.phase == "forward":
                    found[event.node] = forward + event.seconds, backward
                else:
                    found[event.node] = forward, backward + event.seconds
        return dict(sorted(found.items()))

    def table(self, by: str = "operation", sort: str | None = None) -> Table:
        """One row for each operation, or for each module.

        Parameters
        ----------
        by : {'operation', 'module'}
        sort : str, optional
            The name of a column: its largest numbers come first. By default operations that took the most time, and
            modules in the order of their calls.

        Returns
        -------
        Table
            A list of dicts, which prints as a table. Times are in seconds, memory in bytes. For operations:

            ============================  =============================================================================
            `calls`, `rules`              how often it was computed, and how often one of its backward rules
            `forward`, `backward`         the time of that, without that of other operations inside it
            `each_forward`,               the same for one call, and for one rule
            `each_backward`
            `share`                       of the time of the block
            `made`, `made_backward`       the memory that results take; 0 for a view of an input
            `kept`                        by how much it increased what the tape holds
            ============================  =============================================================================

            For modules `forward` and `backward` are with the modules inside, `own_forward` and `own_backward`
            without; a module is the tuple of names that lead to it, and () is what ran outside of all.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd
        >>> x = autograd.Tensor(np.ones(1000), requires_grad=True)
        >>> with autograd.profile() as p:
        ...     y = np.sum(np.exp(np.sin(x)))
        ...     y.backward()
        >>> {row["operation"]: row["kept"] for row in p.table(sort="operation")}  # sin keeps x, which is a leaf
        {'exp': 8000, 'sin': 0, 'sum': 0}
        """
        if by not in ("operation", "module"):
            raise ValueError(f"a profile has a table by 'operation' and one by 'module', not by {by!r}.")
        return (operations_table if by == "operation" else modules_table)(self.events, self.seconds, sort)

    def by_module(self, sort: str | None = None) -> Table:
        """One row for each module: the same as `table(by="module")`.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd
        >>> import nn
        >>> model = nn.MLP([2, 3, 1])
        >>> with autograd.profile() as p:
        ...     y = model(np.ones((5, 2), dtype=np.float32))
        >>> [(row["module"][-1], row["kind"], row["calls"]) for row in p.by_module()]
        [('MLP', 'MLP', 1), ('linear1', 'Linear', 1), ('relu1', 'ReLU', 1), ('linear2', 'Linear', 1)]
        """
        return self.table("module", sort)

    def flame(self) -> Flame:
        """A picture of where the time went: each box is as wide as the time inside it, and has in it what it called.

        Examples
        --------
        >>> import autograd
        >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True)
        >>> with autograd.profile() as p:
        ...     (x * x).sum().backward()
        >>> p.flame().svg[:4]
        '<svg'
        """
        return Flame(self.events, self.seconds)

    def to_json(self) -> str:
        """All events and the memory of the tape over time, in the Chrome trace event format: Perfetto shows it.

        Examples
        --------
        >>> import json
        >>> import autograd
        >>> x = autograd.Tensor([1.0, 2.0], requires_grad=True)
        >>> with autograd.profile() as p:
        ...     y = x * x
        >>> [event["name"] for event in json.loads(p.to_json())["traceEvents"] if event["ph"] == "X"]
        ['multiply']
        """
        return chrome_trace(self.events, self.held)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to a '.json' file (for https://ui.perfetto.dev), or the flame picture to an '.svg' file.

        Raises
        ------
        ValueError
            For a file with another ending.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import autograd
        >>> with autograd.profile() as p:
        ...     y = autograd.Tensor([1.0]) + 1.0
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     p.save(Path(folder, "trace.json"))
        ...     p.save(Path(folder, "flame.svg"))
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['flame.svg', 'trace.json']
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".json", ".svg"):
            raise ValueError(f"a profile is saved as '.json' (a trace) or '.svg' (a picture), got {os.fspath(path)!r}.")
        Path(path).write_text(self.to_json() if suffix == ".json" else self.flame().svg, encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.table()}\n\n{summary(self._events, self.seconds, self.overhead, self.peak)}"

    def __repr__(self) -> str:
        operations = sum(event.kind == "operation" for event in self._events)
        return f"<profile of {duration(self.seconds)}: {operations} operations and rules>"

    def _repr_html_(self) -> Html:
        lines = summary(self._events, self.seconds, self.overhead, self.peak).splitlines()
        said = [tag("div", line, class_="wg-quiet") for line in lines]
        return fragment(Html(self.flame().svg), tag("p", said, style="max-width:none"), self.table()._repr_html_())
