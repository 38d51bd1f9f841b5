"""What a profile measures besides operations: other packages say here which of their functions.

Nothing is asked for when one of them is called: `profiling` puts another function in its place while a profile is on.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

__all__ = ["MEASURED", "Kind", "Point", "measured"]

Kind = Literal["module", "step", "pass", "checkpoint"]


class Point(NamedTuple):
    """A function that is looked up in `holder` (a class, its subclasses too; or a module) at each call."""

    holder: Any
    name: str
    kind: Kind


MEASURED: list[Point] = []


def measured(holder: Any, name: str, kind: Kind) -> None:
    """Have the calls of a function measured: of modules, steps of an optimizer, backward passes, checkpoints.

    Examples
    --------
    >>> import nn
    >>> from autograd.measured import MEASURED
    >>> [point.name for point in MEASURED if point.holder is nn.Module]
    ['__call__']
    """
    MEASURED.append(Point(holder, name, kind))
