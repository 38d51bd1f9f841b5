"""A tape in a notebook: one line for each operation, with what it keeps for its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..inspection.calls import calls_of
from ..inspection.graph import own_names
from ..node import Leaf, Node, Parts, data_of
from .html import Html, fragment, tag
from .text import counted, memory, number, shortened

if TYPE_CHECKING:
    from ..tape import Tape

__all__ = ["operation", "tape_html"]

#: A longer tape is folded: so many lines of its beginning and of its end.
_LINES = 30

#: An operation with more inputs shows this many.
_INPUTS = 6


def tape_html(tape: Tape) -> Html:
    """The HTML of a tape: a table with at most 60 lines.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> from autograd.display.tape import tape_html
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> "multiply(%0, %0)" in tape_html(Tape(x * x))
    True
    """
    position = {node: k for k, node in enumerate(tape)}
    own = own_names(calls_of(tape).outermost)
    leaves = sum(node.is_leaf for node in tape)
    arrays = _distinct(node.saved for node in tape)
    released = sum(node.saved is None for node in tape)
    kept = f"keeps {memory(sum(a.nbytes for a in arrays))} in {counted(len(arrays), 'array')} for its rules"
    head = tag(
        "div",
        tag("span", "Tape", class_="wg-name"),
        tag("span", f"{counted(len(tape) - leaves, 'operation')}, {leaves} lea{'f' if leaves == 1 else 'ves'}"),
        tag("span", kept, class_="wg-quiet"),
        tag("span", f"{released:,} released by a backward pass", class_="wg-chip") if released else None,
        class_="wg-head",
    )
    columns = ("", "operation", "shape", "dtype", "keeps", "name")
    left = {"operation", "shape", "dtype", "name"}
    header = tag("tr", [tag("th", name, class_="wg-left" if name in left else None) for name in columns])
    rows = []
    for k, node in enumerate(tape):
        if len(tape) > 2 * _LINES and _LINES <= k < len(tape) - _LINES:
            if k == _LINES:
                said = f"… {counted(len(tape) - 2 * _LINES, 'more line')}"
                rows.append(tag("tr", tag("th"), tag("td", said, colspan=5, class_="wg-left wg-quiet")))
            continue
        name = own.get(node) if node.name is None else node.name
        rows.append(_row(k, node, name, lambda parent: f"%{position[parent]}"))
    return fragment(head, tag("table", tag("thead", header), tag("tbody", rows)))


def operation(node: Node, called: Callable[[Node], str]) -> str:
    """An operation with its inputs, as in 'add(%3, 1.0)'; of an input that is not recorded, what it was.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.display.tape import operation
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> operation((x + 2.0).node, lambda node: node.name)
    'add(x, 2)'
    """
    parents = node.parents[:_INPUTS]
    inputs = [_constant(node, k) if parent is None else called(parent) for k, parent in enumerate(parents)]
    more = len(node.parents) - len(inputs)
    return f"{node.primitive.name}({', '.join([*inputs, f'… {more} more'] if more else inputs)})"


def _constant(node: Node, k: int) -> str:
    """What is known of an input that needs no gradient."""
    what = None if node.constants is None else node.constants[k]
    if isinstance(what, Leaf):
        return what.described() if what.name is None else shortened(what.name, 30)
    if isinstance(what, tuple):
        shape, dtype = what
        return f"{dtype}{list(shape)}"
    return "const" if what is None else number(what)


def _row(k: int, node: Node, name: str | None, called: Callable[[Node], str]) -> Html:
    if node.is_leaf:
        said, keeps = tag("span", "leaf", class_="wg-quiet"), ""
    else:
        said = tag("span", operation(node, called))
        keeps = "released" if node.saved is None else _size(node.saved)
    shapes: Any = node.shape if node.kind is Parts else (node.shape,)
    dtypes = node.dtype if node.kind is Parts else (node.dtype,)
    cells = (", ".join(str(list(shape)) for shape in shapes), ", ".join(map(str, dtypes)))
    return tag(
        "tr",
        tag("th", f"%{k}"),
        tag("td", said, class_="wg-left wg-code"),
        [tag("td", shortened(cell, 40), class_="wg-left wg-code") for cell in cells],
        tag("td", keeps, class_="wg-quiet"),
        tag("td", None if name is None else shortened(name), class_="wg-left wg-name"),
    )


def _size(saved: Any) -> str:
    n = sum(array.nbytes for array in _distinct(saved))
    return memory(n) if n else ""


def _distinct(values: Iterable[Any]) -> list[Any]:
    """The arrays in what nodes saved, each once: in x · x, both inputs are the same."""
    return list({id(array): array for array in _arrays(values)}.values())


def _arrays(values: Iterable[Any]) -> Iterator[Any]:
    """The arrays in nested tuples and lists."""
    for value in values:
        value = data_of(value)
        if hasattr(value, "nbytes") and hasattr(value, "shape"):
            yield value
        elif isinstance(value, tuple | list):
            yield from _arrays(value)
