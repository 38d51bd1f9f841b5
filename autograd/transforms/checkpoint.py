"""Checkpoints: compute a part of a function again in the backward pass, instead of keeping what it computed.

The call is one node on the tape that keeps its inputs and no value in between. What the function uses besides its
arguments (parameters of a module, any tracked Tensor from outside) is found on the tape of the first run, and gets
its gradient too. In the backward pass the function runs again, recorded, on the same inputs.

With √n checkpoints, each of √n operations, a chain of n operations holds O(√n) values at a time and is computed
twice (A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
differentiation", 1992; T. Chen et al., "Training deep nets with sublinear memory cost", 2016). Checkpoints can
be nested.

Whether the second run gives what the first gave is checked on up to 256 elements of each result and on a weighted sum
of all: a random number is found, a rounding that differs (as on a GPU) is not taken for one.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..anomaly import call_site
from ..devices import waits
from ..errors import StaleError
from ..measured import measured
from ..modes import current_mode, enable_grad
from ..node import Node, Parts, Value, data_of, tick
from ..primitive import Primitive
from ..recorder import taken
from ..versions import latest_write, written_since
from ..wrapping import wrap
from .nested import leaves_of, rebuilt
from .run import name_of, tracked_variable
from .variables import Stretch, noted, recorded_since, stand_in, variable

__all__ = ["checkpoint"]

F = TypeVar("F", bound=Callable[..., Any])

#: Where the input of a node is saved, for what is from outside: its value is not.
_NO_VALUE = np.empty(0)


class _Call(NamedTuple):
    """What is kept of a call besides the values of its tracked inputs."""

    fun: Callable[..., Any]
    given: Any  # (args, kwargs)
    tracked: tuple[bool, ...]  # for each leaf of `given`: is it an input
    outside: tuple[Node, ...]  # the inputs after those
    results: list[int]  # which leaves of the result were tracked
    samples: list[Any]  # of these
    made: int  # the tick at the end of the first run


def _sample(array: Any) -> tuple[Any, Any, Any]:
    """Some elements, a sum that depends on the position of each element, and the size of what was summed."""
    flat = array.reshape(-1)
    wide = flat.astype(np.result_type(flat.dtype, np.float64))
    weights = 1 + np.arange(flat.size, like=flat) / max(1, flat.size)
    with np.errstate(all="ignore"):
        return flat[:: -(-flat.size // 256) or 1].copy(), (wide * weights).sum(), abs(wide).sum()


def _agree(first: Any, second: Any) -> Any:
    """Whether two samples are of the same values: a truth value, on a device an array of one."""
    (few, total, size), (few2, total2, _) = first, second
    if few.shape != few2.shape or few.dtype != few2.dtype:
        return False
    if not few.size:
        return True
    eps = float(np.finfo(few.dtype).eps)
    with np.errstate(all="ignore"):
        scale = abs(np.where(np.isfinite(few), few, 0)).max()
        near = (few == few2) | (abs(few - few2) <= eps**0.5 * scale) | (np.isnan(few) & np.isnan(few2))
        return near.all() & (~np.isfinite(size) | (abs(total - total2) <= 256 * eps * size))


def _tracked_results(result: Any, start: int) -> list[int]:
    """Which leaves of a result were recorded since `start`."""
    leaves = enumerate(leaves_of(result))
    return [k for k, x in leaves if isinstance(x, Value) and x._requires_grad and x._described().index > start]


def _again(g: Any, xs: list[Any], call: _Call) -> list[Any]:
    """The cotangents of all inputs of a checkpoint: run its function again, and pull back through what it recorded."""
    start, before = tick(), tick()
    linked = [isinstance(x, Value) for x in xs]  # in a pass that is recorded
    leaves, variables, inputs = [], [], iter(xs)
    for leaf, is_input in zip(leaves_of(call.given), call.tracked):
        if is_input:
            x = next(inputs)
            leaf = tracked_variable(x, x._array if isinstance(x, Value) else x, recording=True)
            variables.append(leaf._node)
        leaves.append(wrap(leaf._array) if isinstance(leaf, Value) and not is_input else leaf)
    args, kwargs = rebuilt(call.given, leaves)
    with enable_grad():
        result = call.fun(*args, **kwargs)
    found = leaves_of(result)
    same = _tracked_results(result, start) == call.results
    outputs = [found[k] for k in call.results] if same else []
    nodes, outside, _ = recorded_since(start, [o._node for o in outputs], frozenset(variables))
    _refuse_overwritten(nodes, call)
    agree = [_agree(*samples) for samples in zip(call.samples, [_sample(o._array) for o in outputs])] if same else []
    unknown = [a for a in agree if waits(a)]  # a device is not waited for: there, a wrong gradient becomes NaN
    if not same or outside != set(call.outside) or not all(bool(a) for a in agree if not waits(a)):
        raise RuntimeError(
            f"checkpoint: when {name_of(call.fun)} ran again for the backward pass, it gave another result than at "
            "first, so the gradient would be wrong. It must depend on its arguments alone, and on values that do not "
            "change in between: draw random numbers outside, or from a generator made inside from a fixed seed."
        )
    stand_ins = {node: stand_in(node, on, before) for node, on in zip(call.outside, linked[len(variables) :])}
    for node in nodes if stand_ins else ():
        if node not in variables:  # the graph of this run is nobody else's
            node.parents = tuple([p if p is None else stand_ins.get(p, p) for p in node.parents])
    stretch = Stretch(outputs, [*variables, *stand_ins.values()], start)
    cotangents = g.items if isinstance(g, Parts) else (g,)
    del result, found, outputs, nodes
    like = data_of(next(c for c in cotangents if c is not None))
    pulled = zip(stretch.variables, stretch.pull(cotangents, release=True))
    found = [_zeros(node, like) if c is None else c for node, c in pulled]
    return [_where_all(unknown, c) for c in found] if unknown else found


def _where_all(agree: list[Any], c: Any) -> Any:
    """A cotangent; NaN if a result of the second run was another."""
    if isinstance(c, Parts):
        return Parts({k: _where_all(agree, g) for k, g in c.found.items()}, c.shape, c.dtype)
    for a in agree:
        c = np.where(a, c, np.asarray(np.nan, c.dtype)[()])
    return c


def _refuse_overwritten(nodes: list[Node], call: _Call) -> None:
    """Raise StaleError if a value that the gradient needs was overwritten in place since the first run."""
    if latest_write() < call.made:
        return
    for node in nodes:
        if any(written_since(value, call.made) for value in node.saved or ()):
            raise StaleError(
                f"checkpoint: {name_of(call.fun)} uses a value, in {node.primitive.name}, that has been overwritten "
                "in place since it ran (by an optimizer step, load_state_dict or an assignment to .data): the gradient "
                "would be wrong. Call backward before the update."
            )


def _zeros(node: Node, like: Any) -> Any:
    """The cotangent of a node that nothing depends on."""
    if node.kind is Parts:
        first = np.zeros_like(like, shape=node.shape[0], dtype=node.dtype[0])
        return Parts({0: first}, node.shape, node.dtype)
    return np.zeros_like(like, shape=node.shape, dtype=node.dtype)


class _Pulls:
    """The rules of a checkpoint: one run for the cotangents of all inputs."""

    def __iter__(self) -> Iterator[Callable[[Any, Any], Any]]:
        found: list[Any] = []

        def pull(g: Any, saved: Any, i: int) -> Any:
            if not found:
                found.extend(_again(g, *saved))
            c, found[i] = found[i], None
            return c

        for k in itertools.count():
            yield lambda g, saved, i=k: pull(g, saved, i)  # type: ignore[misc]

    def index(self, pull: Any) -> int:
        """Which input it is that one of them is for."""
        return pull.__defaults__[0]  # type: ignore[no-any-return]


def _call(call: _Call, *xs: Any) -> Any:
    """Stands for the function in the primitive; nothing calls it."""


def _refuse_escaped(g: Any, saved: Any) -> Any:
    raise RuntimeError(
        "checkpoint: a Tensor that was computed inside is used outside, and is not in what the function returned (an "
        "array, or nested lists, tuples and dicts of arrays), so its gradient would be lost. Return it."
    )


#: What the variables of the first run become after it: only what got out on another way still leads to them.
_ESCAPED = Primitive(lambda x: x, "x -> y", {"x": lambda g: g})
_ESCAPED.name, _ESCAPED.pulls = "checkpoint", (_refuse_escaped,)

_CHECKPOINT = Primitive(_call, "*xs; call -> *results", {"xs": lambda g, i, xs, call: _again(g, xs, call)[i]})
_CHECKPOINT.name, _CHECKPOINT.pulls = "checkpoint", _Pulls()


def _first_run(fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function, and record it as one operation."""
    mode = current_mode()
    if not mode.recording:
        return fun(*args, **kwargs)
    start = tick()
    leaves = leaves_of((args, kwargs))
    tracked = tuple([isinstance(leaf, Value) and leaf._requires_grad for leaf in leaves])
    inputs = [(leaf._node, leaf._array) for leaf, on in zip(leaves, tracked) if on]  # as they are before the call
    kept = [None if on else wrap(x._array) if isinstance(x, Value) else x for x, on in zip(leaves, tracked)]
    given = rebuilt((args, kwargs), kept)
    replaced = [variable(leaf._array) if on else leaf for leaf, on in zip(leaves, tracked)]
    variables = frozenset([leaf._node for leaf, on in zip(replaced, tracked) if on])
    first_args, first_kwargs = rebuilt((args, kwargs), replaced)
    result = fun(*first_args, **first_kwargs)
    found, ours = leaves_of(result), _tracked_results(result, start)
    outside = tuple(recorded_since(start, [found[k]._node for k in ours], variables)[1])
    for leaf, given_leaf, on in zip(replaced, leaves, tracked):
        if on:
            leaf._node.primitive, leaf._node.parents = _ESCAPED, (given_leaf._node,)
    parents = (*[x for x, _ in inputs], *outside)
    arrays = [found[k]._array for k in ours]
    if not ours or not parents:
        return result
    call = _Call(fun, given, tracked, outside, ours, [_sample(a) for a in arrays], tick())
    several = len(arrays) > 1
    shapes, dtypes = tuple([a.shape for a in arrays]), tuple([a.dtype for a in arrays])
    kind = Parts if several else arrays[0].__class__
    node = noted(_CHECKPOINT, parents, shapes if several else shapes[0], dtypes if several else dtypes[0], kind)
    node.saved = ([*[array for _, array in inputs], *[_NO_VALUE] * len(outside)], call)
    if mode.watching or mode.keeping:
        node.annotate().site = call_site()
    if mode.keeping:
        notes = node.annotate()
        notes.value = tuple(arrays) if several else arrays[0]
        notes.operands = (*[array for _, array in inputs], *[None] * len(outside))
    for k, (at, array) in enumerate(zip(ours, arrays)):
        found[at] = taken(node, k, array) if several else wrap(array, node)
    return rebuilt(result, found)


def checkpoint(fun: F) -> F:
    """`fun`, but what it computes on the way is not kept: it is computed again in the backward pass.

    Use it on parts of a long computation, to trade time for memory. Values and gradients are those of `fun`.

    Parameters
    ----------
    fun : callable
        Takes and returns arrays, or nested lists, tuples and dicts of them, and whatever else. Tensors from outside
        that it uses (the parameters of a module) get their gradients too. It must compute the same each time.

    Returns
    -------
    callable
        With the arguments of `fun`.

    Raises
    ------
    RuntimeError
        In the backward pass, if `fun` gives another result than at first: if it draws random numbers, for example. A
        GPU is not waited for to find that out: there, the gradients are NaN then.
    StaleError
        In the backward pass, if an argument, or a value from outside, was overwritten in place since.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import checkpoint, grad
    >>> layer = checkpoint(lambda h: np.tanh(np.sin(h) * 2.0))
    >>> bool(grad(lambda x: layer(layer(x)))(0.5) == grad(lambda x: np.tanh(np.sin(np.tanh(np.sin(x) * 2)) * 2))(0.5))
    True
    """

    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        return _first_run(fun, args, kwargs)

    return checkpointed  # type: ignore[return-value]


measured(sys.modules[__name__], "_first_run", "checkpoint")
