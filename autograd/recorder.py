"""How a primitive is called: unwrap the Tensors, compute, and record a node if a gradient is wanted.

The function that does it is written for each primitive from its signature, as `dataclasses` writes an
`__init__`: no loop over inputs, no keyword handling, nothing saved that no active rule names. This is what
makes an operation cheap. For `multiply = define(np.multiply, "x, y -> z", …)` the text is, in essence,

    def multiply(x, y):
        x_, x_on = (x._array, x._requires_grad) if isinstance(x, Value) else (x, False)
        y_, y_on = …
        z = forward(x_, y_)
        if not (x_on or y_on) or not recording:
            return Tensor(z)
        node = Node(primitive, index=tick())
        if x_on and y_on:
            node.parents, node.saved = (x._node, y._node), (y_, x_)
        elif x_on:
            node.parents, node.saved = (x._node, None), (y_, None)
        else:
            node.parents, node.saved = (None, y._node), (None, x_)
        return Tensor(z, node)

and `source(multiply.primitive)` shows it whole. A name that it uses itself cannot be that of an input
or an option: `define` refuses it.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from types import FunctionType
from typing import Any

import numpy as np
from numpy import ndarray

from .anomaly import watch
from .devices import as_array, describe, is_foreign, lacking_error, mixing_error, several_devices
from .kernels import Kernel
from .modes import RECORDING, current_mode
from .node import Node, Parts, Value, tick
from .primitive import Primitive, Repeated, part
from .wrapping import PLAIN, operand, regroup, result_class, unrecorded, wrap

__all__ = ["instrument", "lift", "make_recorder", "source", "taken"]


def taken(whole: Node, k: int, array: Any) -> Any:
    """The Tensor of result `k` of an operation with several results."""
    if array.dtype.kind not in "fc":
        return wrap(array)
    node = Node()
    node.primitive = part(whole.primitive, whole.primitive.outputs[k] if whole.primitive.outputs else "i")
    node.parents, node.constants, node.notes, node.calls = (whole,), None, None, None
    node.saved = (k, whole.shape, whole.dtype)
    node.shape, node.dtype, node.kind = array.shape, array.dtype, array.__class__
    node.index = tick()
    return wrap(array, node)


def sequence(values: Sequence[Any]) -> tuple[list[Any], list[bool], bool]:
    """For the inputs of a variadic primitive: the arrays, which are tracked, and is one a Tensor."""
    if isinstance(values, Value):
        values = list(values)
    arrays = [value._array if isinstance(value, Value) else operand(value) for value in values]
    tracked = [isinstance(value, Value) and value._requires_grad for value in values]
    return arrays, tracked, any(isinstance(value, Value) for value in values)


def others(arrays: list[Any], tracked: list[bool]) -> list[Any]:
    """The inputs of a variadic primitive, but not one that is tracked alone: its own rule needs the others."""
    return [None if on else a for a, on in zip(arrays, tracked)] if tracked.count(True) == 1 else arrays


def constant(given: Any) -> Any:
    """What an untracked input was, without its values; see `Node.constants`."""
    if isinstance(given, Value):
        node = given._node or given._described()
        return node if node.primitive is None else (node.shape, node.dtype)
    if given is None or isinstance(given, int | float | complex):
        return given
    return getattr(given, "shape", ()), getattr(given, "dtype", "")


def recover(record: Any, error: Exception, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """What a forward function returns without options that say nothing, if it is these that it does not know; or None.

    Other libraries than NumPy have fewer options. Where there is no such way, the error gets a note with the operands,
    or a better one is raised.
    """
    primitive = record.primitive
    if isinstance(error, TypeError | ValueError | AttributeError):  # as libraries raise of another one's arrays
        named = {primitive.called(k): o for k, o in enumerate(operands)}
        keys = {k: o for k, o in options.items() if is_foreign(o) and not isinstance(o, Value)}
        mixed = mixing_error(primitive.name, named | keys)
        if mixed is not None:
            raise mixed from error
    refused = isinstance(error, TypeError | NotImplementedError)
    lacking = lacking_error(primitive.name, error, operands) if refused else None
    if lacking is not None:
        defaults = inspect.signature(record, follow_wrapped=False).parameters
        said = {name: value for name, value in options.items() if value is not defaults[name].default}
        if len(said) < len(options):
            try:
                return primitive.forward(*((operands,) if primitive.variadic else operands), **said)
            except (TypeError, NotImplementedError) as second:
                error, lacking = second, lacking_error(primitive.name, second, operands) or lacking
        raise lacking from error
    with suppress(Exception):  # it must not hide the error: this one may refuse notes
        error.add_note(f"in {primitive.name}({', '.join(describe(o) for o in operands)})")
        if isinstance(error, ValueError):
            from .derivation.fitting import product_that_does_not_fit  # reads formulas, which nothing else here needs

            told = product_that_does_not_fit(primitive, operands)
            if told:
                error.add_note(told)
    return None


def check_devices(primitive: Primitive, result: Any, operands: Sequence[Any], tracked: Sequence[bool]) -> None:
    """Refuse a tracked operand of another array type than the result: its gradient would be of that type too.

    Dask computes with NumPy arrays as well as with its own. Where these are constants, nothing is lost. And where there
    are several GPUs that reach each other's memory, CuPy computes with arrays of two, and warns.
    """
    if several_devices(result) or any(on and x.__class__ is not result.__class__ for x, on in zip(operands, tracked)):
        mixed = mixing_error(primitive.name, {primitive.called(k): o for k, o in enumerate(operands)})
        if mixed is not None:
            raise mixed


def miscounted(primitive: Primitive, result: Any) -> None:
    """Refuse what a function returned that does not fit its signature."""
    expected = f"a tuple of {', '.join(primitive.outputs)}" if primitive.outputs else "a list or tuple of arrays"
    got = f"a {type(result).__name__}" + (f" of {len(result)}" if isinstance(result, list | tuple) else "")
    raise TypeError(f"{primitive.name}: its signature says that it returns {expected}; it returned {got}.")


def lift(node: Node) -> tuple[Any, ...]:
    """What a node saved, for rules that shall be recorded: tracked values are Tensors again."""
    primitive = node.primitive
    assert node.saved is not None
    lifted = list(node.saved)
    for k, name in enumerate(primitive.saves):
        value = lifted[k]
        if value is None:
            continue
        if name in primitive.outputs:
            lifted[k] = taken(node, primitive.outputs.index(name), value) if primitive.several else wrap(value, node)
        elif primitive.variadic and name in (primitive.inputs[0], "others"):
            lifted[k] = [
                array if parent is None or array is None else wrap(array, parent)
                for array, parent in zip(value, node.parents, strict=True)
            ]
        elif name in primitive.inputs:
            parent = node.parents[primitive.inputs.index(name)]
            if parent is not None:
                lifted[k] = wrap(value, parent)
    return tuple(lifted)


#: What the written functions refer to.
_SCOPE: dict[str, Any] = {
    "__builtins__": builtins,  # NumPy looks for them here when it imports what makes its error messages
    "Node": Node,
    "Parts": Parts,
    "PLAIN": PLAIN,
    "RECORDING": RECORDING,
    "Value": Value,
    "as_array": as_array,
    "check_devices": check_devices,
    "constant": constant,
    "current_mode": current_mode,
    "miscounted": miscounted,
    "ndarray": ndarray,
    "new": object.__new__,
    "operand": operand,
    "others": others,
    "recover": recover,
    "regroup": regroup,
    "sequence": sequence,
    "shape_of": np.shape,
    "taken": taken,
    "tick": tick,
    "unrecorded": unrecorded,
    "watch": watch,
    "wrap": wrap,
}


def make_recorder(primitive: Primitive) -> Callable[..., Any]:
    """The function on Tensors and arrays that computes `primitive` and records it.

    Its text is written at its first call: writing all of them would double the time of `import autograd`.
    """
    scope = {"primitive": primitive, "forward": primitive.forward, "wider": primitive.wider, "write": _write}
    for output in {*primitive.outputs} & {*primitive.kernels}:  # the output, if it has a kernel
        scope["kernel"] = primitive.kernels[output]
    names = [*primitive.inputs, *primitive.options, *primitive.outputs]
    reserved = {*_SCOPE, *scope, "Tensor", "record", *(f"{x}{end}" for x in primitive.inputs for end in ("_", "_on"))}
    clash = {n for n in names if n in reserved or n.startswith("_") or names.count(n) > 1}
    if clash:
        raise ValueError(
            f"{primitive.name}: inputs, options and the output need different names, and other ones than "
            f"{', '.join(sorted(clash))} (which the recorder uses, or which occurs twice)."
        )
    record: Any = FunctionType(_unwritten.__code__, scope, primitive.name)
    record.__qualname__ = primitive.name  # what Python's own TypeErrors call it
    record.__doc__ = primitive.function.__doc__
    record.__module__ = getattr(primitive.function, "__module__", None) or "numpy"
    record.__wrapped__ = primitive.function  # for `help` and `inspect.signature`
    record.primitive = primitive
    scope["record"] = record
    return record  # type: ignore[no-any-return]


_writing = threading.Lock()

#: The recorders that have been called.
_written: weakref.WeakSet[Any] = weakref.WeakSet()

#: What is put in front of each recorder, and of one that is called for the first time; see `instrument`.
_instrument: Callable[[Any], None] | None = None


def instrument(begin: Callable[[Any], None] | None, end: Callable[[], None] = lambda: None) -> None:
    """Call `begin` with each recorder that has been called, and with another one at its first call; then `end`.

    A profile gives them other code in this way, and takes it away with None and an `end`: there is nothing to ask for
    when an operation runs. No recorder is written meanwhile.
    """
    global _instrument
    with _writing:
        _instrument = begin
        if begin is not None:
            for record in list(_written):
                begin(record)
        end()


def _unwritten(*args: Any, **kwargs: Any) -> Any:
    write(record)  # type: ignore[name-defined] # noqa: F821 (names of the scope that make_recorder gives it)
    return record(*args, **kwargs)  # type: ignore[name-defined] # noqa: F821


def _write(record: Any) -> None:
    """Give a recorder the code that its primitive's signature and rules ask for."""
    with _writing:
        if record.__code__ is _unwritten.__code__:  # no other thread was first
            _write_now(record, record.primitive)


def _write_now(record: Any, primitive: Primitive) -> None:
    text = source(primitive)
    filename = f"<recorder of {primitive.name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    written: dict[str, Any] = {}
    exec(compile(text, filename, "exec"), {}, written)
    pulls = tuple(_pull(primitive, name) for name in primitive.inputs)
    primitive.pulls = Repeated(pulls[0]) if primitive.variadic and pulls[0] else pulls
    record.__globals__.update(_SCOPE, Tensor=result_class())
    record.__defaults__, record.__kwdefaults__ = written["record"].__defaults__, written["record"].__kwdefaults__
    _written.add(record)
    record.__code__ = written["record"].__code__  # last: from here on, another thread calls the new code
    begin = _instrument
    if begin is not None:
        begin(record)


def _pull(primitive: Primitive, name: str) -> Any:
    """The rule for one input as a function of the cotangent and of what the node saved."""
    rule = primitive.rules.get(name)
    if rule is None:
        return None
    known = {save: f"s[{k}]" for k, save in enumerate(primitive.saves)}
    arguments = ", ".join("i" if n == "i" else known[n] for n in primitive.wants(rule))
    g = "g.items" if primitive.several else "g"
    call, scope = f"rule({g}, {arguments})", {"rule": rule}
    if name in primitive.kernels:
        call = _or_kernel(call, primitive.kernels[name], {**known, "g": "g"})
        scope |= {"ndarray": ndarray, "kernel": primitive.kernels[name]}
    return eval(f"lambda g, s{', i' * primitive.variadic}: {call}", scope)


def _or_kernel(call: str, kernel: Kernel, known: Mapping[str, str]) -> str:
    """The text of a call; or where something other than NumPy's arrays is given, of the kernel's, if it takes that."""
    given = [known[name] for name in kernel.names]
    return f"{call} if {given[0]}.__class__ is ndarray or (_done := kernel({', '.join(given)})) is None else _done"


def source(primitive: Primitive) -> str:
    """The text of the recorder of `primitive`."""
    unwrapping, call, operands, tensor, tracked, noting = (_variadic if primitive.variadic else _fixed)(primitive)
    flags = [f"{x}_on" if x in primitive.rules else "False" for x in primitive.inputs]
    on = "_on" if primitive.variadic else _tuple(flags)
    mixing = f"check_devices(primitive, {{}}, {operands}, {on})"
    if primitive.several:
        n = len(primitive.outputs)
        counted = "not isinstance(_result, (tuple, list))" + (f" or len(_result) != {n}" if n else "")
        result = [
            f"if {counted}: miscounted(primitive, _result)",
            "_results = tuple([as_array(part) for part in _result])",
            f"if _results and _results[0].__class__ is not ndarray: {mixing.format('_results[0]')}",
            "_shape = tuple([part.shape for part in _results])",
        ]
        described = ["_node.dtype = tuple([part.dtype for part in _results])", "_node.kind = Parts"]
        returned = ["return regroup(_result, [taken(_node, k, part) for k, part in enumerate(_results)])"]
    else:
        result = [
            "if _result.__class__ is not ndarray:",
            "    _result = as_array(_result)",
            f"    if _result.__class__ is not ndarray: {mixing.format('_result')}",
            "_shape = _result.shape",
        ]
        described = ["_node.dtype = _result.dtype", "_node.kind = _result.__class__"]
        returned = [
            "_tensor = new(Tensor)",
            "_tensor._array = _result",
            "_tensor._node = _node",
            "_tensor._requires_grad = True",
            "return _tensor",
        ]
    options = "{" + ", ".join(f"{name!r}: {name}" for name in primitive.options) + "}"
    watched = f"_node, {'_results' if primitive.several else '_result'}, {operands}, {options}"
    watching = f"if _mode is not RECORDING: watch({watched})"
    more, first = "", []
    if primitive.wider is not None:
        given = [*primitive.inputs, *(f"{name}={name}" for name in primitive.options)]
        more, first = ", **_more", [f"if _more: return wider({', '.join(given)}, **_more)"]
    compute = f"forward({call}{''.join(f', {name}={name}' for name in primitive.options)})"
    for output in {*primitive.outputs} & {*primitive.kernels}:
        known = {**{x: f"{x}_" for x in primitive.inputs}, **{name: name for name in primitive.options}}
        compute = _or_kernel(compute, primitive.kernels[output], known)
    lines = [
        *first,
        *unwrapping,
        "try:",
        f"    _result = {compute}",
        "except Exception as _error:",
        f"    _result = recover(record, _error, {operands}, {options})",
        "    if _result is None: raise",
        "_mode = current_mode()",
        f"if not ({tracked}) or (_mode is not RECORDING and not _mode.recording):",
        f"    return {'unrecorded' if primitive.several else 'wrap'}(_result) if {tensor} else _result",
        *result,
        "_node = Node()",
        "_node.primitive = primitive",
        *noting,
        *described,
        "_node.index = tick()",
        "_node.notes = _node.calls = None",
        watching,
        *returned,
    ]
    return f"def record({primitive.header}{more}):\n" + "".join(f"    {line}\n" for line in lines)


def _fixed(primitive: Primitive) -> tuple[list[str], str, str, str, str, list[str]]:
    """The parts of the text that depend on the inputs; one case for each set of inputs that are tracked."""
    inputs, ruled = primitive.inputs, [x for x in primitive.inputs if x in primitive.rules]
    unwrapping = []
    for x in inputs:
        on, off = (f"; {x}_on = {x}._requires_grad", f"; {x}_on = False") if x in ruled else ("", "")
        unwrapping += [
            f"_class = {x}.__class__",
            f"if _class is Tensor: {x}_ = {x}._array{on}",
            f"elif _class in PLAIN: {x}_ = {x}{off}",
            f"elif isinstance({x}, Value): {x}_ = {x}._array{on}",
            f"else: {x}_ = operand({x}){off}",
        ]
    tensor = " or ".join(f"isinstance({x}, Value)" for x in inputs)
    tracked = " or ".join(f"{x}_on" for x in ruled) or "False"
    cases = [active for n in range(len(ruled), 0, -1) for active in combinations(ruled, n)]
    noting = []
    for k, active in enumerate(cases):
        condition = "else" if k == len(cases) - 1 else " and ".join(f"{x}_on" for x in active)
        lines = _noting(primitive, active)
        if len(cases) > 1:
            noting.append("else:" if condition == "else" else f"{'elif' if k else 'if'} {condition}:")
            lines = [f"    {line}" for line in lines]
        noting += lines
    return unwrapping, ", ".join(f"{x}_" for x in inputs), _tuple(f"{x}_" for x in inputs), tensor, tracked, noting


def _noting(primitive: Primitive, active: tuple[str, ...]) -> list[str]:
    """What is noted when just the `active` inputs are tracked: only what their rules name is saved."""
    known = {**_outputs(primitive), **{name: name for name in primitive.options}}
    for x in primitive.inputs:
        known |= {x: f"{x}_", f"{x}_dtype": f"{x}_.dtype", f"{x}_shape": f"shape_of({x}_)"}
        if x in active:
            known[f"{x}_shape"] = f"{x}_.shape"
    saved = [known[save] if set(primitive.users(save)) & set(active) else "None" for save in primitive.saves]
    first = primitive.inputs[0]
    shape = ["_node.shape = _shape"]
    if primitive.broadcasts and first in active:  # the same tuple for both, if it is the same shape
        shape = [f"_given = {first}._node.shape", "_node.shape = _given if _given == _shape else _shape"]
    constants = "None"
    if len(active) < len(primitive.inputs):
        constants = _tuple(
            "None" if x in active else f"({x}_.shape, {x}_.dtype) if {x}.__class__ is ndarray else constant({x})"
            for x in primitive.inputs
        )
    return [
        "_node.parents = " + _tuple(f"{x}._node" if x in active else "None" for x in primitive.inputs),
        "_node.saved = " + _tuple(saved),
        f"_node.constants = {constants}",
        *shape,
    ]


def _outputs(primitive: Primitive) -> dict[str, str]:
    """How the text refers to the outputs."""
    if primitive.several:
        return {name: f"_results[{k}]" for k, name in enumerate(primitive.outputs)}
    return {primitive.outputs[0]: "_result"}


def _variadic(primitive: Primitive) -> tuple[list[str], str, str, str, str, list[str]]:
    """The parts of the text that depend on the inputs, for a sequence of them."""
    xs = primitive.inputs[0]
    known = {
        xs: f"{xs}_",
        "others": f"others({xs}_, _on)",
        f"{xs}_shapes": f"[shape_of(x) for x in {xs}_]",
        **_outputs(primitive),
    }
    pairs = f"for x, x_on in zip({xs}, _on)"
    noting = [
        f"_node.parents = tuple([x._node if x_on else None {pairs}])",
        "_node.saved = " + _tuple(known.get(save, save) for save in primitive.saves),
        f"_node.constants = None if False not in _on else tuple([None if x_on else constant(x) {pairs}])",
        "_node.shape = _shape",
    ]
    return [f"{xs}_, _on, _found = sequence({xs})"], f"{xs}_", f"tuple({xs}_)", "_found", "True in _on", noting


def _tuple(items: Iterable[str]) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"
