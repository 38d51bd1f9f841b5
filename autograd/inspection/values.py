"""The values on a tape, and the cotangents of a backward pass that leaves no trace.

A tape keeps only what its rules need, and only until a backward pass; under `keep_values` it keeps everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ReleasedError
from ..node import Node
from ..tape import Tape, _seed, check_fresh, pull_back
from ..tensor import Tensor
from ..versions import last_written
from .calls import calls_of

__all__ = ["cotangents", "forward_values", "input_values"]


def forward_values(*outputs: Tensor) -> dict[Node, Any]:
    """The values of the nodes that `outputs` depend on, as far as the tape, or the modules that recorded it, have them.

    Returns
    -------
    dict
        Node -> array. Not a copy: do not write into it.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from autograd.inspection import forward_values
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> y = np.exp(x) + 1.0
    >>> [value.round(1) for value in forward_values(y).values()]  # exp saved its result; nobody saved x
    [array([2.7, 7.4]), array([3.7, 8.4])]
    """
    found: dict[Node, Any] = {output.node: output.data for output in outputs}
    tape = Tape(*outputs)
    for node in tape:
        if node.primitive is None:
            continue
        if node.notes is not None and node.notes.value is not None:
            found.setdefault(node, node.notes.value)
        elif node.saved is not None and not node.primitive.several:
            name = node.primitive.outputs[0]
            if name in node.primitive.saves:
                value = node.saved[node.primitive.saves.index(name)]
                if value is not None:
                    found.setdefault(node, value)
        for parent, value in zip(node.parents, input_values(node)):
            if parent is not None and value is not None:
                found.setdefault(parent, value)
    found.update({node: value for node, value in _parameters(tape).items() if node not in found})
    return dict(sorted(found.items(), key=lambda item: item[0].index))


def _parameters(tape: Tape) -> dict[Node, Any]:
    """The values of the parameters of the modules that recorded a tape, if they still are what they were then."""
    leaves = {node for node in tape if node.primitive is None}
    began = next((node.index for node in tape if node.primitive is not None), 0)
    found: dict[Node, Any] = {}
    for call in calls_of(tape).outermost:
        for _, parameter in getattr(call.module, "named_parameters", tuple)():
            if parameter.node in leaves and last_written(parameter.data) < began:
                found[parameter.node] = parameter.data
    return found


def input_values(node: Node) -> tuple[Any, ...]:
    """For each input of an operation its value, or None where the tape does not have it."""
    primitive = node.primitive
    unknown = (None,) * max(len(node.parents), 1)
    if primitive is None:
        return ()
    if node.notes is not None and node.notes.operands is not None:
        return node.notes.operands
    if node.saved is None:
        return unknown
    if primitive.variadic:
        for name in (primitive.inputs[0], "others"):
            if name in primitive.saves:
                return tuple(node.saved[primitive.saves.index(name)])
        return unknown
    saves = primitive.saves
    return tuple(node.saved[saves.index(name)] if name in saves else None for name in primitive.inputs)


def cotangents(
    output: Tensor, cotangent: Any = None, observe: Callable[[Node, int, Any], None] | None = None
) -> dict[Node, Any]:
    """The cotangent of each node in the backward pass from `output`: ∂output/∂node, for a scalar output.

    Nothing is released, and no `.grad` changes. Hooks on gradients run as in any backward pass.

    Parameters
    ----------
    output : Tensor
        With one element, unless a cotangent is given.
    cotangent : array_like, optional
    observe : callable, optional
        Is called as `observe(node, k, array)` whenever a rule was: that of input `k` of the operation `node`, and what
        it adds to the cotangent of that input. A node with several users gets several such parts.

    Returns
    -------
    dict
        Node -> array of the node's shape and dtype; of an operation with several results, a `Parts`.

    Raises
    ------
    ReleasedError
        If an earlier backward pass has released what is needed.
    StaleError
        If a saved value was overwritten in place since.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from autograd.inspection import cotangents
    >>> x = Tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> z = y * 2.0
    >>> [float(g) for g in cotangents(z).values()]
    [1.0, 2.0, 12.0]
    >>> _ = cotangents(z, observe=lambda node, k, g: print(node.primitive.name, k, g))
    multiply 0 2.0
    multiply 0 6.0
    multiply 1 6.0
    """
    seed = _seed(output, cotangent, "the backward pass")
    if not output.requires_grad:
        return {output.node: seed}
    nodes = list(reversed(Tape(output)))
    if any(node.saved is None for node in nodes):
        raise ReleasedError(
            "the tape was released by a backward pass: look at it before loss.backward(), or call "
            "loss.backward(retain_graph=True)."
        )
    check_fresh(nodes)
    return pull_back(nodes, output.node, seed, release=False, targets=frozenset(nodes), observe=observe)
