"""What errors say of shapes: the formula of the step that failed, with the shape of each factor.

Only called when something is wrong already, and silent where it knows nothing.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np

from ..formulas import Expression, Symbol, formula, forward_formula, shape_text
from ..formulas.expression import MatMul
from ..inspection.roles import shape_of
from ..node import Node, Parts, data_of
from .board import options_of
from .tidy import parts_of, symbols_in

__all__ = ["product_that_does_not_fit", "rule_with_shapes"]

#: How formulas call some inputs.
_LETTERS = {"weight": "W", "bias": "b"}


def product_that_does_not_fit(operation: Any, operands: tuple[Any, ...]) -> str:
    """The formula of an operation, and the product in it whose shapes do not fit; nothing if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.derivation.fitting import product_that_does_not_fit
    >>> product_that_does_not_fit(np.matmul, (np.ones((64, 784)), np.ones((500, 128))))
    'z = x · y: x (64×784) · y (500×128), and 784 ≠ 500'
    """
    with suppress(Exception):  # it must not hide the error that it explains
        names: dict[str, Any] = {}
        of = forward_formula(operation)
        for name, operand in zip(of.primitive.inputs, operands):
            names[name] = None if operand is None else Symbol(_LETTERS.get(name, name), np.shape(data_of(operand)))
        whole = of.bind(names)
        for a, b in _neighbours(whole):
            if a.shape and b.shape and a.shape[-1] != b.shape[max(len(b.shape) - 2, 0)]:
                n, m = a.shape[-1], b.shape[max(len(b.shape) - 2, 0)]
                pair = f"{a} {shape_text(a.shape)} · {b} {shape_text(b.shape)}"
                return f"{of.primitive.outputs[0]} = {whole}: {pair}, and {n} ≠ {m}"
    return ""


def _neighbours(e: Expression) -> list[tuple[Expression, Expression]]:
    """The factors of products of matrices that stand beside each other."""
    found: list[tuple[Expression, Expression]] = []
    stack = [e]
    while stack:
        e = stack.pop()
        if isinstance(e, MatMul):
            found += pairwise(e.factors)
        stack += parts_of(e)
    return found


def rule_with_shapes(node: Node, position: int) -> str:
    """The formula of the rule of an operation for one of its inputs, and its shapes: two lines of a message."""
    with suppress(Exception):
        primitive = node.primitive
        names: dict[str, Any] = options_of(node)
        for k in range(len(node.parents)):
            name = f"{primitive.inputs[0]}_{k}" if primitive.variadic else primitive.inputs[k]
            shape = shape_of(node, k)
            names[name] = None if shape is None else Symbol(name, shape)
        shapes = node.shape if node.kind is Parts else (node.shape,)
        results = [Symbol(name, shape) for name, shape in zip(primitive.outputs, shapes)]  # type: ignore[arg-type]
        names |= {result.name: result for result in results}
        g = [Symbol(f"g_{r.name}" if primitive.several else "g", r.shape) for r in results]
        names |= {"g": tuple(g) if primitive.several else g[0], **({"i": position} if primitive.variadic else {})}
        wanted = f"{primitive.inputs[0]}_{position}" if primitive.variadic else primitive.inputs[position]
        of = formula(primitive, 0 if primitive.variadic else position)
        written = of.bind(names, shape_of(node, position))
        met = [f"{symbol} {shape_text(symbol.shape)}".rstrip() for symbol in symbols_in(written).values()]
        return f"  rule      ∂/∂{wanted} = {written}\n  where     {', '.join(met)}\n"
    return ""
