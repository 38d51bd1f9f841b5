"""A profile in the Chrome trace event format, which Perfetto (https://ui.perfetto.dev) and chrome://tracing show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .event import Event

__all__ = ["chrome_trace"]


def chrome_trace(events: Iterable[Event], held: Iterable[tuple[float, int]]) -> str:
    """All events as JSON, and as a curve the bytes that the tape holds."""
    found: list[dict[str, Any]] = [
        {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "autograd.profile"}},
    ]
    for event in events:
        arguments = {
            "modules": " / ".join(event.modules),
            "node": event.node,
            "input": event.input,
            "shapes": event.shapes or None,
            "shape": event.shape,
            "bytes made": event.made,
            "bytes kept": event.kept,
        }
        found.append(
            {
                "name": event.name if event.kind != "module" else event.modules[-1],
                "cat": f"{event.phase},{event.kind}",
                "ph": "X",
                "ts": event.start * 1e6,
                "dur": event.seconds * 1e6,
                "pid": 1,
                "tid": event.thread,
                "args": {key: value for key, value in arguments.items() if value not in (None, "", 0)},
            }
        )
    for when, n in held:
        found.append({"name": "tape", "ph": "C", "ts": when * 1e6, "pid": 1, "args": {"bytes": n}})
    return json.dumps({"traceEvents": found, "displayTimeUnit": "ms"})
