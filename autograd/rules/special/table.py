"""How the tables of this package are written: `special`, and what several of their rules need."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import scipy.special

from ...cotangent import unbroadcast
from ...devices import is_foreign
from ...errors import NoRuleError
from ...primitive import REGISTRY, Rule, define, written
from ..elementwise import elementwise

__all__ = ["Named", "alias", "either", "only_real", "polynomial", "special", "total", "undefined"]


class Named:
    """A ufunc of SciPy's whose name is private, by the name that other libraries know it by: NEP 13 goes by names."""

    signature, nout = None, 1  # which a library may ask a ufunc for

    def __init__(self, name: str):
        self.__name__ = name
        self.ufunc = getattr(scipy.special._ufuncs, f"_{name}", getattr(scipy.special, name))

    def __call__(self, *args: Any) -> Any:
        foreign = next((a for a in args if is_foreign(a)), None)
        if foreign is None:
            return self.ufunc(*args)
        result = foreign.__array_ufunc__(self, "__call__", *args)
        if result is NotImplemented:
            raise NotImplementedError(f"it has no scipy.special.{self.__name__}")
        return result


def undefined(name: str, argument: str) -> Rule:
    """The rule for an argument in which no derivative is known: a gradient that is asked for is not dropped."""

    @written("undefined")
    def rule(g: Any) -> NoReturn:
        raise NoRuleError(
            f"scipy.special.{name} has no differentiation rule for its argument {argument!r}, and its gradient was "
            "asked for. If no gradient shall flow through that argument, pass it as a number, as an array or as "
            "`t.detach()`."
        )

    return rule


def special(name: str, signature: str, forward: Named | None = None, **rules: Rule) -> Any:
    """Give `scipy.special.<name>` its rules; the inputs without one get `undefined`.

    The rules of this package call each other by what this returns, and never SciPy's functions.
    """
    function = getattr(scipy.special, name) if forward is None else forward.ufunc
    inputs = signature.partition("->")[0].partition(";")[0].replace(" ", "").split(",")
    each: Any = {x: _fitted(rules[x]) if x in rules else undefined(name, x) for x in inputs}
    several = "," in signature.partition("->")[2]
    record = (define if several else elementwise)(function, signature, forward=forward, **each)
    record.primitive.name = f"special.{name}"  # type: ignore[attr-defined]
    alias(name, record)
    return record


def _fitted(rule: Rule) -> Rule:
    """`rule`, with its result in the cotangent's precision: SciPy makes float64 of a parameter that is a number."""

    def fit(result: Any, g: Any) -> Any:
        return result if isinstance(g, tuple) or result.dtype == g.dtype else result.astype(g.dtype)

    names = ", ".join(inspect.signature(rule).parameters)
    fitted: Rule = eval(f"lambda {names}: fit(rule({names}), g)", {"rule": rule, "fit": fit})
    fitted.__wrapped__ = rule  # type: ignore[attr-defined]  # for its formula
    return fitted


def alias(name: str, record: Callable[..., Any]) -> None:
    """Let `scipy.special.<name>` be `record` too, if SciPy has it."""
    function = getattr(scipy.special, name, None)
    if function is not None:
        REGISTRY[function] = record


@written("f(x) if first else h(x)")
def either(first: Any, x: Any, f: Callable[[Any], Any], at: Any, h: Callable[[Any], Any], other: Any) -> Any:
    """f(x) where `first` holds, h(x) elsewhere.

    Where its value is not used, f is computed at `at` and h at `other`: neither a warning nor, in the derivative, a
    NaN comes from there.
    """
    return np.where(first, f(np.where(first, x, at)), h(np.where(first, other, x)))


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """c₀ + c₁ x + c₂ x² + …, by Horner's scheme."""
    *rest, y = coefficients
    for c in reversed(rest):
        y = y * x + c
    return y


def total(g: Sequence[Any], slopes: Sequence[Callable[[], Any]], shape: Any, dtype: Any) -> Any:
    """The cotangent of an input of an elementwise function with several outputs, each with the slope to call for."""
    first, *rest = [part * slope() for part, slope in zip(g, slopes, strict=True) if part is not None]
    result = sum(rest, start=first)
    if result.dtype.kind == "c" != dtype.kind:
        result = result.real
    return unbroadcast(result, shape).astype(dtype)


@written("x")
def only_real(name: str, x: Any) -> Any:
    """`x`, if it is real: there the rule for `name` is one."""
    if np.iscomplexobj(x):
        raise NoRuleError(f"scipy.special.{name} has a rule for real numbers only, not for complex ones.")
    return x
