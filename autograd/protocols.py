"""NumPy's protocols: how `np.tanh(t)` and `np.concatenate([t, u])` reach our rules (NEP 13 and NEP 18).

A call that a rule covers is recorded. A function that no gradient flows through, or a call in which nothing
is tracked, runs on the arrays. Anything else is refused by name: a gradient is never dropped in silence.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .devices import check_same_device, lacking_error, no_fallback, says_what_lacks
from .errors import NoRuleError
from .primitive import REGISTRY
from .rules import complete
from .rules.constant import CONSTANT, tracked
from .rules.ufunc_methods import at, converted, generic
from .wrapping import unrecorded, unwrap

__all__ = ["array_function", "array_ufunc"]


def _qualified(function: Any) -> str:
    module = (getattr(function, "__module__", None) or "numpy").replace("numpy._core", "numpy")
    return f"{module}.{function.__name__}".replace("numpy", "np", 1)


def _ufunc_name(ufunc: Any) -> str:
    name = ufunc.__name__
    for module, prefix in ((np, "np"), (sys.modules.get("scipy.special"), "scipy.special")):
        if getattr(module, name, None) is ufunc:
            return f"{prefix}.{name}"
    return str(name)


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """What is in lists and tuples, however nested."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _plain(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function returns for the arrays of these arguments; nothing is recorded."""
    args, kwargs = unwrap(args), unwrap(kwargs)
    try:
        return unrecorded(function(*args, **kwargs))
    except (TypeError, ValueError, NotImplementedError, FutureWarning) as error:
        operands = [*_flat((*args, *kwargs.values()))]
        check_same_device(name, {f"input {k}": x for k, x in enumerate(operands)})
        lacking = lacking_error(name, error, operands)
        if lacking is not None:
            raise lacking from error
        raise


def _without_rule(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call that no rule covers on the arrays, if no gradient can be lost by it."""
    if function not in CONSTANT and tracked((args, kwargs)):
        from .rules.coverage import why  # only here: the lists are long

        reason = why(name.removeprefix("np."))
        raise NoRuleError(
            f"{name} has no differentiation rule, and it was called on a Tensor that requires a gradient. "
            f"{reason}{' ' if reason else ''}"
            "Use functions that have one, or, if no gradient shall flow through it, call it on `t.detach()`."
        )
    return _plain(function, name, args, kwargs)


#: What NumPy means anyway where these are not given.
_DEFAULTS = {"out": None, "dtype": None, "where": True, "casting": "same_kind", "subok": True}


def _named(given: inspect.BoundArguments, start: int) -> dict[str, Any]:
    """The arguments of a call from position `start` on, by name."""
    return dict(list(given.arguments.items())[start:])


@functools.cache
def _place_of_out(handler: Callable[..., Any]) -> int:
    """Which argument by position is `out`; a number that is never reached where none is."""
    names = [*inspect.signature(handler).parameters]
    return names.index("out") if "out" in names else sys.maxsize


def _dispatch(key: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], plain: Callable[..., Any]) -> Any:
    handler = REGISTRY.get(key)
    if handler is None and key not in CONSTANT:
        complete()
        handler = REGISTRY.get(key) or generic(key)
    if handler is None:
        return _without_rule(plain, name, args, kwargs)
    primitive = getattr(handler, "primitive", None)
    if primitive is None and not tracked((args, kwargs)) and not hasattr(handler, "writes"):
        try:
            return _plain(plain, name, args, kwargs)
        except NotImplementedError as error:
            if not says_what_lacks(error):
                raise  # else what we make of other functions may do
    if primitive is not None and len(args) > primitive.positional:  # np.sum(t, 0, np.float32): NumPy's order, not ours
        given = inspect.signature(plain).bind(*args, **kwargs)
        args, kwargs = given.args[: primitive.positional], _named(given, primitive.positional)
    if primitive is None and len(args) > (place := _place_of_out(handler)) and args[place] is not None:
        raise TypeError(f"{name} cannot write into out= with Tensors: values on a tape are never overwritten.")
    if kwargs:
        kwargs = {k: v for k, v in kwargs.items() if not (k in _DEFAULTS and v is _DEFAULTS[k])}
        if primitive is not None:
            strange = kwargs.keys() - {*primitive.options, *primitive.inputs}
            if strange and primitive.wider is None:
                shown = ", ".join(f"{k}=" for k in sorted(strange))
                return _without_rule(plain, f"{name} with {shown}", args, kwargs)
    return handler(*args, **kwargs)


def _dispatch_on(tensor: Any, key: Any, name: str, args: Any, kwargs: Any, plain: Callable[..., Any]) -> Any:
    """`_dispatch`, which on a device says by name what its library of arrays does not have."""
    if tensor._array.__class__ is np.ndarray:
        return _dispatch(key, name, args, kwargs, plain)
    return _saying(tensor, name, _dispatch, key, name, args, kwargs, plain)


def _saying(tensor: Any, name: str, call: Callable[..., Any], *args: Any) -> Any:
    """`call(*args)`, on a device: what its library of arrays does not have is said by name."""
    try:
        with no_fallback(tensor._array):
            return call(*args)
    except (TypeError, NotImplementedError, FutureWarning) as error:
        lacking = lacking_error(name, error, (tensor._array,))
        if lacking is not None:
            raise lacking from error
        raise


def array_ufunc(tensor: Any, ufunc: Any, method: str, x: Any, *rest: Any, **kwargs: Any) -> Any:
    """`Tensor.__array_ufunc__`: a call of a ufunc, or of one of its methods."""
    if method == "__call__":
        if not kwargs:
            handler = REGISTRY.get(ufunc)
            if handler is not None:
                return handler(x, *rest) if rest else handler(x)  # a plain call is the quicker one
        key = plain = ufunc
        name = _ufunc_name(ufunc)
    elif method == "at":
        return _saying(tensor, f"{_ufunc_name(ufunc)}.at", at, ufunc, x, *rest)
    else:
        plain = key = getattr(ufunc, method)
        name = f"{_ufunc_name(ufunc)}.{method}"
    out = kwargs.get("out")
    if out is not None and any(o is not None for o in out):
        raise TypeError(
            f"{name} cannot write a Tensor's value into an existing array (out=, or `array += tensor`): "
            "values on a tape are never overwritten. Write `array = array + tensor`, which makes a new Tensor."
        )
    inputs: Any = (x, *rest)
    if method == "__call__" and kwargs.keys() & {"dtype", "casting"} and ufunc not in CONSTANT and tracked(inputs):
        inputs = converted(ufunc, inputs, kwargs.pop("dtype", None), kwargs.pop("casting", "same_kind"))
    return _dispatch_on(tensor, key, name, inputs, kwargs, plain)


def array_function(tensor: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """`Tensor.__array_function__`: a call of any other NumPy function."""
    if kwargs.get("out") is not None:
        raise TypeError(
            f"{_qualified(function)} cannot write into out= with Tensors: values on a tape are never overwritten."
        )
    return _dispatch_on(tensor, function, _qualified(function), args, kwargs, function)
