"""A Tensor in a notebook: what it is, how it was computed, its values, and its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..devices import has_values, move
from ..inspection.summary import summarize
from .html import Html, fragment, tag
from .tape import operation
from .text import memory, shortened
from .values import FEW, facts, histogram, values_html

if TYPE_CHECKING:
    from ..node import Node
    from ..tensor import Tensor

__all__ = ["tensor_html"]


def tensor_html(tensor: Tensor) -> Html:
    """The HTML of a Tensor: a few kilobytes, however large it is.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.display.tensor import tensor_html
    >>> html = tensor_html(Tensor([1.0, 2.0], name="<b>"))
    >>> "<b>" in html, "&lt;b&gt;" in html
    (False, True)
    """
    marks = [tensor.device] if tensor.device != "cpu" else []
    if tensor.is_leaf and tensor.requires_grad:
        marks.append("requires grad")
    elif tensor._is_parameter:
        marks.append("frozen")
    head = tag(
        "div",
        tag("span", type(tensor).__name__, class_="wg-name"),
        None if tensor.name is None else tag("span", shortened(tensor.name), class_="wg-code wg-name"),
        tag("span", f"{tensor.dtype}{list(tensor.shape)}", class_="wg-code wg-quiet"),
        None if tensor.is_leaf else tag("span", "= ", operation(tensor.node, _called), class_="wg-code"),
        tag("span", memory(tensor.nbytes), class_="wg-quiet") if tensor.nbytes >= 1024 else None,
        [tag("span", mark, class_="wg-chip") for mark in marks],
        class_="wg-head",
    )
    if not has_values(tensor.data):
        return fragment(head, tag("pre", shortened(repr(tensor.data), 400)))
    body = tag("div", values_html(tensor.numpy()), class_="wg-row")
    return fragment(head, body, None if tensor.grad is None else _gradient(move(tensor.grad, "cpu")))


def _called(node: Node) -> str:
    """What an operand is called: by its name, or by what computed it."""
    if node.name is not None:
        return shortened(node.name, 30)
    return node.described() if node.is_leaf else f"{node.primitive.name}(…)"


def _gradient(grad: Any) -> Html:
    if grad.size <= FEW:
        shown = values_html(grad)
    else:
        found = summarize(grad)
        shown = [part for part in (histogram(found, height=32), facts(found)) if part is not None]
    label = tag("div", tag("span", "gradient", class_="wg-quiet"), class_="wg-head")
    return Html(label + tag("div", shown, class_="wg-row"))
