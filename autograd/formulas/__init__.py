"""The formula of each rule, and of each operation: as text, as LaTeX, with shapes.

A formula is read from the source of the rule itself when it is asked for (`reading.py`), so the two cannot differ.
Where a rule is an algorithm, or says how to compute something safely, what it computes is written beside it
(`autograd.primitive.written`). Formulas are of real numbers, and of matrices where no shape is known.

Nothing is parsed, and this package is not even imported, until a formula is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from ..primitive import Primitive
from . import algebra, reading
from .expression import Expression, Number, Symbol
from .vocabulary import REAL, Unknown, named
from .writing import shape_text

__all__ = ["Expression", "Formula", "Number", "Symbol", "formula", "forward_formula", "shape_text"]


class Formula:
    """The formula of a VJP rule, or of an operation.

    Attributes
    ----------
    primitive : Primitive
    input : str or None
        The input that the rule is for; None for the formula of the operation itself.
    output : str or None
        Of an operation itself with several results, which one it is the formula of.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.formulas import Symbol, formula
    >>> f = formula(np.matmul, "x")
    >>> print(f)
    g · yᵀ
    >>> δ, W = Symbol("δ2", (64, 3)), Symbol("W2", (3, 5))
    >>> f.bind({"g": δ, "y": W.transposed()}).text(shapes=True)
    'δ2 (64×3) · W2 (3×5)'
    """

    __slots__ = ("input", "output", "primitive")

    def __init__(self, primitive: Primitive, input: str | None, output: str | None = None):
        self.primitive, self.input, self.output = primitive, input, output

    def bind(self, values: Mapping[str, Any] | None = None, shape: tuple[int, ...] | None = None) -> Expression:
        """The formula with these expressions in place of its names.

        Parameters
        ----------
        values : mapping
            Names to expressions or numbers: `g`, inputs, outputs; constants to options. The elements of a variadic
            input are `xs_0`, `xs_1`, …; which of them it is about, `i`. The cotangents of several outputs are `g_q`,
            `g_r`, … What is not given stays a name; an option has its default.
        shape : tuple of int, optional
            The shape of the input, by default that of its expression. Where the operation broadcasts its inputs, the
            formula ends in the sum over the axes along which this one is broadcast, as the engine does it.

        Returns
        -------
        Expression

        Raises
        ------
        ValueError
            If there is no such name.
        """
        local = self._names(dict(values or {}))
        if self.input is None:
            return self._forward(local)
        primitive = self.primitive
        rule = primitive.rules[self.input]
        wanted = primitive.wants(rule)
        given = local.get(self.input)
        if shape is None and isinstance(given, Expression):
            shape = given.shape
        try:
            result = algebra.as_expression(reading.call(rule, (local["g"], *[local[name] for name in wanted])))
        except reading.FAILURES:
            arrays = [local[name] for name in wanted if name in (*primitive.inputs, *primitive.outputs, "others")]
            result = named(self.label(local["i"]), local["g"], *arrays, shape=shape)
        if not primitive.broadcasts:
            return result
        whole = result.shape  # a rule of such an operation returns the cotangent's shape, if it says no other
        if whole is None and isinstance(local["g"], Expression):
            whole = local["g"].shape
        return algebra.summed_to(result, shape, whole)

    def label(self, i: Any = None) -> str:
        """What a plain call of the rule, or of the operation, is called; `i` is the position in a variadic input."""
        name = self.primitive.name if self.output is None else f"{self.primitive.name}.{self.output}"
        if self.input is None:
            return name
        return f"vjp of {name} w.r.t. {self.input}" + (f"[{i}]" if self.primitive.variadic else "")

    def _names(self, values: dict[str, Any]) -> dict[str, Any]:
        """What each name that a rule may have stands for."""
        primitive = self.primitive
        self._check(values)
        local: dict[str, Any] = {"i": Symbol("i", ())}
        for name in (*primitive.inputs, *primitive.outputs):
            given = _named(name, values.get(name, Symbol(name)))
            local[name] = given if given is None or isinstance(given, list | tuple) else algebra.as_expression(given)
        for name in primitive.inputs:
            value = local[name]
            known = isinstance(value, Expression) and value.shape is not None
            local[f"{name}_shape"] = value.shape if known else Unknown(name)
            local[f"{name}_dtype"] = REAL
        if primitive.variadic:
            [name] = primitive.inputs
            elements = {
                int(k.removeprefix(f"{name}_")): v for k, v in values.items() if k.removeprefix(f"{name}_").isdigit()
            }
            if elements:
                local[name] = [algebra.as_expression(elements[k]) for k in sorted(elements)]
            local["others"] = local[name]
            local[f"{name}_shapes"] = [e.shape for e in local[name]] if elements else Unknown(name)
        local |= {name: Symbol(name, ()) for name in primitive.options} | reading.defaults_of(primitive)
        local |= {name: _named(name, values[name]) for name in (*primitive.options, "i") if name in values}
        local["g"] = self._cotangent(values)
        return local

    def _check(self, values: dict[str, Any]) -> None:
        primitive = self.primitive
        known = ["g", *primitive.inputs, *primitive.outputs, *primitive.options]
        if primitive.several:
            known += [f"g_{name}" for name in primitive.outputs]
        strange = set(values) - set(known)
        if primitive.variadic:
            [name] = primitive.inputs
            strange = {s for s in strange if s != "i" and not re.fullmatch(rf"{name}_\d+", s)}
            known += [f"{name}_0", "i"]
        if strange:
            raise ValueError(
                f"the formulas of {primitive.name} have no names {sorted(strange)}: they can have {known}."
            )

    def _cotangent(self, values: dict[str, Any]) -> Any:
        if "g" in values:
            g = _named("g", values["g"])
            return g if isinstance(g, list | tuple) else algebra.as_expression(g)
        if not self.primitive.several:
            return Symbol("g")
        parts = {name: _named(f"g_{name}", values.get(f"g_{name}")) for name in self.primitive.outputs}
        if any(part is not None for part in parts.values()):
            return tuple(parts.values())
        if parts:
            return tuple([Symbol(f"g_{name}") for name in parts])
        return Symbol("g")

    def _forward(self, local: dict[str, Any]) -> Expression:
        primitive = self.primitive
        arguments = tuple([local[name] for name in (*primitive.inputs, *primitive.options)])
        found: Any = None
        with suppress(*reading.FAILURES):
            found = reading.call_of(primitive, arguments)
        if isinstance(found, tuple):
            return found[0 if self.output is None else primitive.outputs.index(self.output)]  # type: ignore[no-any-return]
        if self.output is not None:
            return named(self.label(), *arguments[: len(primitive.inputs)])
        return named(self.label(), *arguments) if found is None else found

    def text(self, shapes: bool = False) -> str:
        """The formula with the names of the signature."""
        return self.bind().text(shapes)

    def latex(self, shapes: bool = False) -> str:
        """The same in LaTeX."""
        return self.bind().latex(shapes)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        of = f"of {self.primitive.name}" if self.input is None else f"of {self.primitive.name} for {self.input}"
        return f"<Formula {of}: {self}>"


def _named(name: str, value: Any) -> Any:
    """A value; an array goes by its name."""
    return Symbol(name, np.shape(value)) if getattr(value, "shape", ()) and not isinstance(value, Expression) else value


def _primitive_of(operation: Any) -> Primitive:
    from ..primitive import REGISTRY
    from ..rules import complete

    if isinstance(operation, Primitive):
        return operation
    found = getattr(operation, "primitive", None)
    if found is None:
        complete()
        found = getattr(REGISTRY.get(operation), "primitive", None)
    if not isinstance(found, Primitive):
        name = getattr(operation, "__name__", None) or type(operation).__name__
        raise TypeError(
            "a formula is that of an operation with rules: a Primitive, such as `node.primitive`, what `define` "
            f"returned, or a function of NumPy's that has a rule. {name} is none, or is composed of several."
        )
    return found


def formula(operation: Any, input: str | int = 0) -> Formula:
    """The formula of the VJP rule of an operation for one of its inputs.

    Parameters
    ----------
    operation : Primitive or callable
        A primitive, or a function that has one.
    input : str or int
        The input's name, or its position.

    Returns
    -------
    Formula

    Raises
    ------
    TypeError
        If that is no operation with rules.
    ValueError
        If the operation has no such input, or no rule for it.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.formulas import formula
    >>> print(formula(np.sin, "x"), formula(np.divide, "y"), formula(np.tanh), sep="; ")
    g ∘ cos(x); −g ∘ z / y; g − g ∘ y²
    """
    primitive = _primitive_of(operation)
    name = input
    if isinstance(input, int):
        if primitive.variadic:
            input = 0
        if not -len(primitive.inputs) <= input < len(primitive.inputs):
            raise ValueError(
                f"{primitive.name} has {len(primitive.inputs)} inputs, {primitive.inputs}: there is no {input}."
            )
        name = primitive.inputs[input]
    if name not in primitive.rules:
        raise ValueError(f"{primitive.name} has no rule for {name!r}; it has rules for {[*primitive.rules]}.")
    return Formula(primitive, name)


def forward_formula(operation: Any, output: str | None = None) -> Formula:
    """The formula of an operation itself.

    Parameters
    ----------
    operation : Primitive or callable
        A primitive, or a function that has one.
    output : str, optional
        Which of its several results.

    Returns
    -------
    Formula

    Raises
    ------
    TypeError
        If that is no operation with rules.
    ValueError
        If it has no such result.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import sigmoid
    >>> from autograd.formulas import forward_formula
    >>> print(forward_formula(np.multiply), forward_formula(sigmoid), sep="; ")
    x ∘ y; σ(x)
    """
    primitive = _primitive_of(operation)
    if output is not None and not (primitive.several and output in primitive.outputs):
        results = f"the results {[*primitive.outputs]}" if primitive.several else "one result"
        raise ValueError(f"{primitive.name} has no result {output!r}: it has {results}.")
    return Formula(primitive, None, output)
