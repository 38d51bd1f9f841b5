"""How a primitive is called: unwrap the Tensors, compute, and record a node if a gradient is wanted.

The function that does it is written for each primitive from its signature, as `dataclasses` writes an
`__init__`: no loop over inputs, no keyword handling, nothing saved that no active rule names. This is what
makes an operation cheap. For `multiply = define(np.multiply, "x, y -> z", …)` the text is, in essence,

    def multiply(x, y):
        x_, x_on = (x._data, x._requires_grad) if isinstance(x, Value) else (operand(x), False)
        y_, y_on = …
        z = forward(x_, y_)
        if not (x_on or y_on) or not recording:
            return unrecorded(z)
        node = Node(primitive, index=tick())
        node.parents = (x._node if x_on else None, y._node if y_on else None)
        node.saved = (y_ if x_on else None, x_ if y_on else None)
        return Tensor(z, node)

and `source(multiply.primitive)` shows it whole. Its own names begin or end with `_`, so that an input or an
option can have any other name.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np
from numpy import ndarray

from .anomaly import watch
from .devices import as_array, describe, is_foreign, mixing_error
from .modes import RECORDING, current_mode
from .node import Node, Value, tick
from .primitive import Primitive, Repeated

__all__ = ["lift", "make_recorder", "results_are", "source", "unrecorded", "unwrap", "wrap"]

#: The class of results, once `tensor.py` has said so: it needs the operators, which need this module.
_Tensor: Any = Value

#: Operands that are taken as they are; None stands for an optional input that is absent.
PLAIN = frozenset({ndarray, float, int, bool, complex, np.float64, np.float32, type(None)})


def results_are(tensor: type[Value]) -> None:
    """Say of which class the results of all operations are."""
    global _Tensor
    _Tensor = _SCOPE["Tensor"] = tensor


def wrap(data: Any, node: Node | None = None) -> Any:
    """A Tensor around an array: tracked if a node is given."""
    tensor = object.__new__(_Tensor)
    tensor._data = data if data.__class__ is ndarray else as_array(data)
    tensor._node = node
    tensor._requires_grad = node is not None
    return tensor


def unrecorded(result: Any) -> Any:
    """What a function that is not recorded returns: arrays as Tensors, everything else as it is."""
    if isinstance(result, ndarray | np.generic) or is_foreign(result):
        return wrap(result)
    if isinstance(result, list | tuple):
        items = [unrecorded(item) for item in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result


def unwrap(value: Any) -> Any:
    """`value` with each Tensor in it, also inside lists, tuples and dicts, replaced by its array."""
    if isinstance(value, Value):
        return value._data
    if isinstance(value, list):
        return [unwrap(item) for item in value]
    if type(value) is tuple:
        return tuple([unwrap(item) for item in value])
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return value


def operand(value: Any) -> Any:
    """An operand that is not a Tensor, as something that a rule can calculate with."""
    if value.__class__ in PLAIN or isinstance(value, np.generic | ndarray) or is_foreign(value):
        return value
    return as_array(value)


def sequence(values: Sequence[Any]) -> tuple[list[Any], list[bool], bool]:
    """For the inputs of a variadic primitive: the arrays, which are tracked, and is one a Tensor."""
    if isinstance(values, Value):
        values = list(values)
    arrays = [value._data if isinstance(value, Value) else operand(value) for value in values]
    tracked = [isinstance(value, Value) and value._requires_grad for value in values]
    return arrays, tracked, any(isinstance(value, Value) for value in values)


def constant(given: Any) -> Any:
    """What an untracked input was, without its values; see `Node.constants`."""
    if given.__class__ is ndarray:
        return given.shape, given.dtype
    if isinstance(given, Value):
        return given._described()
    return (given.shape, given.dtype) if is_foreign(given) else given


def explain(primitive: Primitive, error: Exception, operands: tuple[Any, ...]) -> None:
    """Add to an error of the forward function what it was called with; raise a better one if known."""
    mixed = mixing_error(primitive.name, operands)
    if mixed is not None:
        raise mixed from None
    shown = ", ".join(describe(o) for o in operands)
    error.add_note(f"in {primitive.name}({shown})")


def lift(node: Node) -> tuple[Any, ...]:
    """What a node saved, for rules that shall be recorded: tracked values are Tensors again."""
    primitive = node.primitive
    assert node.saved is not None
    lifted = list(node.saved)
    for k, name in enumerate(primitive.saves):
        value = lifted[k]
        if value is None:
            continue
        if name == primitive.output:
            lifted[k] = wrap(value, node)
        elif primitive.variadic and name == primitive.inputs[0]:
            lifted[k] = [
                array if parent is None else wrap(array, parent)
                for array, parent in zip(value, node.parents, strict=True)
            ]
        elif name in primitive.inputs:
            parent = node.parents[primitive.inputs.index(name)]
            if parent is not None:
                lifted[k] = wrap(value, parent)
    return tuple(lifted)


#: What the written functions refer to.
_SCOPE: dict[str, Any] = {
    "Node": Node,
    "PLAIN": PLAIN,
    "RECORDING": RECORDING,
    "Value": Value,
    "as_array": as_array,
    "constant": constant,
    "current_mode": current_mode,
    "explain": explain,
    "ndarray": ndarray,
    "new": object.__new__,
    "operand": operand,
    "sequence": sequence,
    "shape_of": np.shape,
    "tick": tick,
    "watch": watch,
    "wrap": wrap,
}


def make_recorder(primitive: Primitive) -> Callable[..., Any]:
    """The function on Tensors and arrays that computes `primitive` and records it.

    Its text is written at its first call: writing all of them would double the time of `import autograd`.
    """
    scope = {"primitive": primitive, "forward": primitive.forward, "write": _write}
    record: Any = FunctionType(_unwritten.__code__, scope, primitive.name)
    record.__doc__ = primitive.function.__doc__
    record.__module__ = getattr(primitive.function, "__module__", None) or "numpy"
    record.__wrapped__ = primitive.function  # for `help` and `inspect.signature`
    record.primitive = primitive
    scope["record"] = record
    return record  # type: ignore[no-any-return]


def _unwritten(*args: Any, **kwargs: Any) -> Any:
    write(record)  # type: ignore[name-defined] # noqa: F821 (names of the scope that make_recorder gives it)
    return record(*args, **kwargs)  # type: ignore[name-defined] # noqa: F821


def _write(record: Any) -> None:
    """Give a recorder the code that its primitive's signature and rules ask for."""
    primitive: Primitive = record.primitive
    text = source(primitive)
    filename = f"<recorder of {primitive.name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    written: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), {}, written)
    pulls = tuple(_pull(primitive, name) for name in primitive.inputs)
    primitive.pulls = Repeated(pulls[0]) if primitive.variadic and pulls[0] else pulls
    record.__globals__.update(_SCOPE)
    record.__defaults__, record.__kwdefaults__ = written["record"].__defaults__, written["record"].__kwdefaults__
    record.__code__ = written["record"].__code__  # last: from here on, another thread calls the new code


def _pull(primitive: Primitive, name: str) -> Any:
    """The rule for one input as a function of the cotangent and of what the node saved."""
    rule = primitive.rules.get(name)
    if rule is None:
        return None
    arguments = ", ".join("i" if n == "i" else f"s[{primitive.saves.index(n)}]" for n in primitive.wants(rule))
    return eval(f"lambda g, s{', i' * primitive.variadic}: rule(g, {arguments})", {"rule": rule})


def source(primitive: Primitive) -> str:
    """The text of the recorder of `primitive`."""
    out, options = primitive.output, "".join(f", {name}={name}" for name in primitive.options)
    if primitive.variadic:
        xs = primitive.inputs[0]
        unwrapping = [f"{xs}_, on, found = sequence({xs})"]
        call, operands, any_on, any_found = f"{xs}_{options}", f"tuple({xs}_)", "True in on", "found"
        parents = f"tuple([x._node if x_on else None for x, x_on in zip({xs}, on)])"
        all_on, described = "False not in on", f"tuple([None if x_on else constant(x) for x, x_on in zip({xs}, on)])"
        known = {xs: f"{xs}_", f"{xs}_shapes": f"[shape_of(x) for x in {xs}_]"}
        needed = dict.fromkeys(primitive.saves, "True")
    else:
        unwrapping, ruled = [], [name for name in primitive.inputs if name in primitive.rules]
        for x in primitive.inputs:
            on = f"; {x}_on = {x}._requires_grad" if x in ruled else ""
            off = f"; {x}_on = False" if x in ruled else ""
            unwrapping += [
                f"if isinstance({x}, Value): {x}_ = {x}._data{on}",
                f"else: {x}_ = {x} if {x}.__class__ in PLAIN else operand({x}){off}",
            ]
        call = ", ".join(f"{x}_" for x in primitive.inputs) + options
        operands = "(" + "".join(f"{x}_, " for x in primitive.inputs) + ")"
        any_on = " or ".join(f"{x}_on" for x in ruled) or "False"
        any_found = " or ".join(f"isinstance({x}, Value)" for x in primitive.inputs)
        entries = [f"({x}._node if {x}_on else None)" if x in ruled else "None" for x in primitive.inputs]
        if len(primitive.inputs) == 1:
            entries = [f"{primitive.inputs[0]}._node"]
        parents = "(" + "".join(f"{entry}, " for entry in entries) + ")"
        all_on = " and ".join(f"{x}_on" if x in ruled else "False" for x in primitive.inputs)
        described = "".join(
            (f"None if {x}_on else " if x in ruled else "")
            + f"({x}._node or {x}._described()) if isinstance({x}, Value) else constant({x}_), "
            for x in primitive.inputs
        )
        described = f"({described})"
        known = {x: f"{x}_" for x in primitive.inputs}
        known |= {f"{x}_shape": f"shape_of({x}_)" for x in primitive.inputs}
        known |= {f"{x}_shape": f"{x}_.shape" for x in primitive.inputs if primitive.users(f"{x}_shape") == (x,)}
        known |= {f"{x}_dtype": f"{x}_.dtype" for x in primitive.inputs}
        needed = {
            save: "True"
            if set(primitive.users(save)) >= set(ruled)
            else " or ".join(f"{x}_on" for x in primitive.users(save))
            for save in primitive.saves
        }
    known |= {out: "_result", **{name: name for name in primitive.options}}
    saved = [known[s] if needed[s] == "True" else f"({known[s]} if {needed[s]} else None)" for s in primitive.saves]
    shape = ["_node.shape = _result.shape"]
    if primitive.broadcasts and primitive.inputs[0] in primitive.rules:  # often the input's: one tuple for both
        x = primitive.inputs[0]
        shape = [
            "_shape = _result.shape",
            f"_node.shape = {x}._node.shape if {x}_on and {x}._node.shape == _shape else _shape",
        ]
    lines = [
        *unwrapping,
        "try:",
        f"    _result = forward({call})",
        "except Exception as _error:",
        f"    explain(primitive, _error, {operands})",
        "    raise",
        "_mode = current_mode()",
        f"if not ({any_on}) or (_mode is not RECORDING and not _mode.recording):",
        f"    return wrap(_result) if {any_found} else _result",
        "if _result.__class__ is not ndarray: _result = as_array(_result)",
        "_node = Node()",
        "_node.primitive = primitive",
        f"_node.parents = {parents}",
        "_node.saved = (" + "".join(f"{value}, " for value in saved) + ")",
        f"_node.constants = None if {all_on} else {described}",
        *shape,
        "_node.dtype = _result.dtype",
        "_node.kind = _result.__class__",
        "_node.index = tick()",
        "_node.notes = None",
        "_tensor = new(Tensor)",
        "_tensor._data = _result",
        "_tensor._node = _node",
        "_tensor._requires_grad = True",
        f"if _mode is not RECORDING: watch(_node, _result, {operands})",
        "return _tensor",
    ]
    return f"def record({primitive.header}):\n" + "".join(f"    {line}\n" for line in lines)
