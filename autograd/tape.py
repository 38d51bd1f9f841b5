"""The tape of an output, and the backward pass that walks it in reverse.

There is no global list. The tape of a value is the list of nodes that it depends on, in the order in
which they were recorded: a Wengert list (R. E. Wengert, "A simple automatic derivative evaluation
program", CACM 7(8), 1964). `Tape(loss)` makes it; drawing and explaining read it; `pull_back` is the
chain rule: each node is met once, after everything that uses it, with its complete cotangent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .anomaly import check_cotangent, input_of, recorded_at
from .cotangent import own, settle
from .devices import check_same_device, describe, device_of, lacking_error, move, no_fallback
from .errors import AnomalyError, ReleasedError, StaleError, VJPError
from .modes import current_mode, enable_grad
from .node import Leaf, Node, Value, data_of
from .recorder import lift
from .versions import latest_write, written_since
from .wrapping import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Tape", "backward", "gradient"]

by_index = attrgetter("index")

#: Asked by each backward pass, while a profile is on, what stands between it and the rules of a node.
measured_pulls: Callable[[Sequence[Node]], Callable[[Node], Any] | None] | None = None


def _reach(output: Node) -> list[Node]:
    """The nodes that `output` depends on, itself included, newest first: the order of the backward pass."""
    seen = {output}
    nodes = [output]
    for node in nodes:  # grows while it is walked
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                nodes.append(parent)
    nodes.sort(key=by_index, reverse=True)
    return nodes


class Tape(Sequence[Node]):
    """The recorded operations (and leaves) that some outputs depend on, oldest first; read-only.

    Parameters
    ----------
    *outputs : Tensor
        The values whose history is wanted.

    Examples
    --------
    >>> from autograd import Tape, Tensor
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = x * x + 1.0
    >>> [node.primitive.name for node in Tape(y) if not node.is_leaf]
    ['multiply', 'add']
    """

    __slots__ = ("_nodes",)

    def __init__(self, *outputs: Tensor):
        if not outputs:
            raise TypeError("Tape needs at least one Tensor, the value whose history is wanted.")
        for output in outputs:
            if not isinstance(output, Value):
                raise TypeError(f"Tape takes Tensors, got {type(output).__name__}.")
        nodes = {node for output in outputs for node in _reach(output._described())}
        self._nodes = sorted(nodes, key=by_index)

    @overload
    def __getitem__(self, index: int) -> Node: ...
    @overload
    def __getitem__(self, index: slice) -> list[Node]: ...
    def __getitem__(self, index: int | slice) -> Node | list[Node]:
        return self._nodes[index]

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def __repr__(self) -> str:
        position = {node: k for k, node in enumerate(self._nodes)}
        shown = self._nodes if len(self) <= 60 else [*self._nodes[:30], None, *self._nodes[-30:]]
        lines = [f"Tape of {len(self)} nodes"]
        for node in shown:
            if node is None:
                lines.append("  …")
                continue
            arguments = ", ".join("const" if p is None else f"%{position[p]}" for p in node.parents)
            operation = "leaf" if node.is_leaf else f"{node.primitive.name}({arguments})"
            label = "" if node.name is None else f"  {node.name}"
            lines.append(f"  %{position[node]} = {operation} : {node.described()}{label}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .display.tape import tape_html

        return tape_html(self)


def pull_back(
    nodes: Sequence[Node],
    output: Node,
    cotangent: Any,
    *,
    release: bool,
    record: bool = False,
    wanted: set[Node] | None = None,
    targets: frozenset[Node] = frozenset(),
    observe: Callable[[Node, int, Any], None] | None = None,
) -> dict[Node, Any]:
    """Walk `nodes`, newest first, from `output`; the cotangents of leaves, `targets` and retained nodes.

    `wanted`, if given, holds the nodes that lead to a target: no other rule is called. With `record`,
    cotangents and saved values are Tensors, so that what the rules do is recorded. With `release`, each
    node gives up what it saved as soon as its rules have been called. `observe`, if given, is told of each
    rule that was called: the operation, which of its inputs, and what this adds to the input's cotangent.
    """
    found: dict[Node, Any] = {}
    cotangents = {output: cotangent}
    watching = current_mode().watching
    careful = watching or record or observe is not None
    measured = None if measured_pulls is None else measured_pulls(nodes)
    for node in nodes:  # before anything is changed
        if node.saved is None and (wanted is None or not wanted.isdisjoint(node.parents)):
            raise ReleasedError(_released(node))
    node, pull, pulls = output, None, ()
    try:
        with no_fallback(data_of(cotangent)):
            for node in nodes:
                g = cotangents.pop(node, None)
                if g is None:
                    continue
                if node.notes is not None:
                    g = _attend(node, g, found)
                primitive = node.primitive
                if primitive is None:
                    found[node] = g
                    continue
                if targets and node in targets:
                    found[node] = g
                    if wanted is not None and wanted.isdisjoint(node.parents):
                        continue  # what it saved is not needed, and stays
                saved = lift(node) if record else node.saved
                pulls = primitive.pulls if measured is None else measured(node)
                for parent, pull in zip(node.parents, pulls):
                    if parent is None or (wanted is not None and parent not in wanted):
                        continue
                    c = pull(g, saved)
                    if (
                        careful
                        or c.__class__ is not parent.kind
                        or c.shape != parent.shape
                        or c.dtype is not parent.dtype
                    ):
                        c = settle(c, node, pulls.index(pull), record)
                        if watching:
                            check_cotangent(node, pulls.index(pull), data_of(c))
                        if observe is not None:
                            observe(node, pulls.index(pull), c)
                    earlier = cotangents.get(parent)
                    if earlier is not None:
                        c = earlier + c
                        if c.__class__ is not parent.kind and not record:
                            c = np.asarray(c)  # NumPy's sum of two 0-d arrays is a scalar
                    cotangents[parent] = c
                if release and primitive.spent:
                    node.saved = None
                pull = None
    except Exception as error:
        if pull is not None and not isinstance(error, VJPError | AnomalyError):
            rule = f"the backward rule of {input_of(node, pulls.index(pull))}"
            lacking = lacking_error(rule, error, (data_of(g),))
            if lacking is not None:
                raise lacking from error
            shapes = ""
            if isinstance(error, ValueError):  # most likely a product, or a broadcast, that does not fit
                from .derivation.fitting import rule_with_shapes  # reads formulas, which nothing else here needs

                shapes = "\n" + rule_with_shapes(node, pulls.index(pull)).rstrip()
            error.add_note(f"in {rule}.{recorded_at(node)}{shapes}")
        raise
    return found


def _attend(node: Node, g: Any, found: dict[Node, Any]) -> Any:
    """Let the hooks of a node see and replace its cotangent, and keep it if that was asked for."""
    assert node.notes is not None
    for hook in list(node.notes.hooks.values()):
        replaced = hook(g)
        if replaced is None:
            continue
        if isinstance(replaced, np.generic):
            replaced = np.asarray(replaced)
        array = data_of(replaced)
        fits = replaced.__class__ is g.__class__ and array.shape == node.shape and array.dtype == node.dtype
        if not fits:
            raise TypeError(
                f"a gradient hook must return None or a {type(g).__name__} of shape {node.shape}, dtype {node.dtype} "
                f"like the gradient that it got; it returned {describe(replaced)}."
            )
        g = replaced
    if node.notes.retain:
        found[node] = g
    return g


def _released(node: Node) -> str:
    return (
        f"the values that {node.primitive.name} saved for its backward rule were released by an earlier backward "
        "pass. To go through the same graph twice, pass retain_graph=True the first time; otherwise compute the "
        f"output again.{recorded_at(node)}"
    )


def check_fresh(nodes: Sequence[Node], wanted: set[Node] | None = None) -> None:
    """Refuse to differentiate through a saved value that was overwritten in place since."""
    latest = latest_write()
    for node in reversed(nodes):
        if node.index > latest:
            return  # it and everything newer was recorded after the last write
        if node.primitive is None:
            continue
        for name, value in zip(node.primitive.saves, node.saved or ()):
            if written_since(value, node.index) and _needed(node, name, wanted):
                raise StaleError(_stale(node, name))


def _needed(node: Node, name: str, wanted: set[Node] | None) -> bool:
    """Whether a rule that will be called names this saved value."""
    inputs = node.primitive.inputs
    if wanted is None or node.primitive.variadic:
        return True
    return any(node.parents[inputs.index(user)] in wanted for user in node.primitive.users(name))


def _stale(node: Node, name: str) -> str:
    inputs = node.primitive.inputs
    parent = node.parents[inputs.index(name)] if name in inputs and not node.primitive.variadic else None
    called = "" if parent is None or parent.name is None else f" (the Tensor {parent.name!r})"
    return (
        f"{node.primitive.name} saved {name!r}{called} for its backward rule, and that array has been overwritten in "
        "place since (by an optimizer step, load_state_dict or an assignment to .data): the gradient would be wrong. "
        f"Call backward before the update, or compute the output again after it.{recorded_at(node)}"
    )


def _seed(output: Value, cotangent: Any, call: str) -> Any:
    """The cotangent to start from, as a plain array of the output's shape and dtype."""
    data = output._array
    if data.dtype.kind not in "fc":
        raise TypeError(f"{call} needs an output of floating or complex numbers, got dtype {data.dtype}.")
    if cotangent is None:
        if data.size != 1:
            raise ValueError(
                f"{call} without a cotangent needs an output with one element, got shape {data.shape}: reduce it first "
                f"(for example with .mean() or .sum()), or pass a cotangent of shape {data.shape}."
            )
        if data.dtype.kind == "c":
            raise ValueError(
                f"{call} without a cotangent needs a real output, got {data.dtype}: take its .real or its absolute "
                "value, or pass a cotangent."
            )
        # the usual loss has no axes, and this is four times as quick as ones_like
        return np.array(1, data.dtype) if data.__class__ is np.ndarray and not data.ndim else np.ones_like(data)
    if not hasattr(cotangent, "dtype"):
        cotangent = np.asarray(cotangent, dtype=data.dtype)
        cotangent = cotangent if data.__class__ is np.ndarray else move(cotangent, device_of(data))
    cotangent = data_of(cotangent)
    if isinstance(cotangent, np.generic):
        cotangent = np.asarray(cotangent)
    check_same_device(call, {"the cotangent": cotangent, "the output": data})
    if cotangent.shape != data.shape or cotangent.dtype != data.dtype or cotangent.__class__ is not data.__class__:
        raise ValueError(
            f"the cotangent of an output must be {type(data).__name__} {describe(data)} like the output, "
            f"got {type(cotangent).__name__} {describe(cotangent)}."
        )
    return cotangent


def backward(output: Value, cotangent: Any = None, retain_graph: bool = False) -> None:
    """Add the gradient of `output` to `.grad` of each leaf that it depends on. See `Tensor.backward`."""
    if not output._requires_grad:
        raise RuntimeError(
            "backward() was called on a Tensor that does not depend on any Tensor that requires a gradient: create the "
            "parameters with requires_grad=True, and compute this value outside no_grad() and without detach()."
        )
    seed = _seed(output, cotangent, "backward()")
    node = output._described()
    nodes = _reach(node)
    check_fresh(nodes)
    found = pull_back(nodes, node, seed, release=not retain_graph)
    del seed, nodes
    for node in list(found):
        place: Any = node if isinstance(node, Leaf) else node.notes
        earlier = place.grad
        if earlier is None:
            place.grad = own(found.pop(node))
        else:
            total = earlier + found.pop(node)
            place.grad = np.asarray(total) if isinstance(total, np.generic) else total


def gradient(
    output: Value,
    inputs: Sequence[Value],
    cotangent: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> tuple[Any, ...]:
    """The gradients of `output` with respect to `inputs`, as Tensors. See `Tensor.gradient`."""
    if not inputs:
        raise TypeError("gradient() needs at least one input: write loss.gradient(w) or loss.gradient(w, b).")
    for k, x in enumerate(inputs):
        if not isinstance(x, Value):
            raise TypeError(f"gradient() differentiates with respect to Tensors, got {type(x).__name__} as input {k}.")
        if not x._requires_grad:
            name = "" if x._node is None or x._node.name is None else f" ({x._node.name!r})"
            raise ValueError(
                f"input {k}{name} of gradient() does not require a gradient: create it with requires_grad=True."
            )
    targets = [x._described() for x in inputs]
    node = output._described()
    found: dict[Node, Any] = {}
    seed = _seed(output, cotangent, "gradient()")
    if output._requires_grad:
        nodes = _reach(node)
        wanted: set[Node] = set()
        target_set = frozenset(targets)
        for n in reversed(nodes):
            if n in target_set or not wanted.isdisjoint(n.parents):
                wanted.add(n)
        nodes = [n for n in nodes if n in wanted]
        check_fresh(nodes, wanted)
        if node in wanted:
            release = not (create_graph if retain_graph is None else retain_graph)
            if create_graph:
                seed = cotangent if isinstance(cotangent, Value) else wrap(seed.copy())
                with enable_grad():
                    found = pull_back(
                        nodes, node, seed, release=release, record=True, wanted=wanted, targets=target_set
                    )
            else:
                found = pull_back(nodes, node, seed, release=release, wanted=wanted, targets=target_set)
    results = []
    for x, target in zip(inputs, targets, strict=True):
        g = found.get(target)
        if g is None:
            g = wrap(np.zeros_like(x._array))
        else:  # a Tensor of its own for each
            g = wrap(g._array, g._node) if create_graph and g._requires_grad else wrap(data_of(g).copy())
        results.append(g)
    return tuple(results)
