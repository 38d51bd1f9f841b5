"""What `detect_anomaly` and `keep_values` do: note the line of code, look for what is not finite, keep values."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .devices import describe, move
from .errors import AnomalyError
from .modes import current_mode
from .node import Node, Parts

__all__ = ["Site", "check_cotangent", "input_of", "observer", "recorded_at", "watch"]

#: How the names of files begin that are not the user's.
_LIBRARY = (
    *(
        os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), package) + os.sep
        for package in ("autograd", "nn", "optim")
    ),
    "<recorder of",
    "<__array_function__",
)


class Site(NamedTuple):
    """A line of the user's code."""

    filename: str
    line: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.filename, self.line).strip()
        return f"{self.filename}:{self.line}, in {self.function}" + (f": `{text}`" if text else "")


def call_site() -> Site | None:
    """The innermost line on the stack that belongs neither to this library nor to NumPy's dispatch."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        inside = name.startswith(_LIBRARY)
        if not inside:
            return Site(name, frame.f_lineno, frame.f_code.co_qualname)
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def recorded_at(node: Node) -> str:
    """Where a node was recorded, as the end of a message; how to find out, if that is not known."""
    site = None if node.notes is None else node.notes.site
    if site is None:
        return " Run it under `with autograd.detect_anomaly():` to see the line that recorded it."
    return f" It was recorded at {site}."


#: Sees each recorded call, with its operands and options, in place of the check of its result: a gradient check
#: that failed looks for the rule at fault.
observer: ContextVar[Callable[[Node, tuple[Any, ...], dict[str, Any]], None] | None] = ContextVar(
    "autograd_observer", default=None
)


def watch(node: Node, result: Any, operands: tuple[Any, ...], options: dict[str, Any]) -> None:
    """Note what the mode asks for on a new node; with `detect_anomaly`, refuse a result that is not finite."""
    notes, mode = node.annotate(), current_mode()
    notes.site = call_site()
    if mode.keeping:
        notes.value, notes.operands = result, operands
    if not mode.watching:
        return
    observe = observer.get()
    if observe is not None:
        observe(node, operands, options)
        return
    for fault in filter(None, map(_fault, result if node.kind is Parts else (result,))):
        shown = ", ".join(describe(o) for o in operands)
        raise AnomalyError(
            f"{node.primitive.name} returned a value that is not finite ({fault}); "
            f"it was called as {node.primitive.name}({shown}).{recorded_at(node)}"
        )


def input_of(node: Node, position: int) -> str:
    """An input of an operation, for messages: "multiply for input 0 ('x')"."""
    primitive = node.primitive
    return f"{primitive.name} for input {position}" + (
        "" if primitive.variadic else f" ({primitive.inputs[position]!r})"
    )


def check_cotangent(node: Node, position: int, cotangent: Any) -> None:
    """Refuse a cotangent that is not finite, naming the rule and the line of the forward operation."""
    fault = "" if isinstance(cotangent, Parts) else _fault(cotangent)
    if fault:
        raise AnomalyError(
            f"the backward rule of {input_of(node, position)} returned a cotangent that is not finite "
            f"({fault}).{recorded_at(node)}"
        )


def _fault(array: Any) -> str:
    finite = np.isfinite(array)
    if bool(finite.all()):
        return ""
    array, finite = (np.atleast_1d(move(a, "cpu")) for a in (array, finite))
    wrong = np.argwhere(~finite)
    first = tuple(int(i) for i in wrong[0])
    value = array[first]
    return f"{len(wrong)} of {finite.size}, the first at index {first}: {value}"
