"""A primitive: a function on arrays, with one VJP rule for each input.

    tanh = define(np.tanh, "x -> y",
                  x=lambda g, y: g * (1 - y * y))

    multiply = define(np.multiply, "x, y -> z", broadcasts=True, promotes=True,
                      x=lambda g, y: g * y,
                      y=lambda g, x: g * x)

    sum = define(np.sum, "a; axis=None, keepdims=False -> y",
                 a=lambda g, a_shape, axis, keepdims: spread(g, a_shape, axis, keepdims))

    qr = define(np.linalg.qr, "a; mode='reduced' -> q, r",
                a=lambda g, q, r, mode: …)

The signature names the array inputs, then (after `;`) the options, then the output; a `*` makes the options
after it keywords, as in a `def`. A rule is the
vector-Jacobian product for one input: it takes the cotangent `g` of the output and returns the cotangent
of that input. **The names of its parameters say what the tape keeps for it**: an input, the output, an
option, or the shape or dtype of an input (`a_shape`, `a_dtype`). A rule that names only `g` keeps nothing.
Where there are several outputs, `g` is a tuple: the cotangent of each, None for one that nothing depends on.

`define` returns a function on Tensors and arrays, and registers it for the NumPy function that it stands
for, so that `np.tanh(t)` finds it. How that function records is in `recorder.py`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, TypeVar

from .kernels import Kernel
from .node import Parts

__all__ = ["REGISTRY", "Primitive", "composed", "define", "part", "written"]

#: NumPy function -> the function that handles it for Tensors.
REGISTRY: dict[Any, Callable[..., Any]] = {}

Rule = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])


class Primitive:
    """What the tape knows of an operation. Made by `define`.

    Attributes
    ----------
    name : str
        The name of the function, with that of NumPy's submodule (`linalg.inv`).
    forward : callable
        Computes the output from plain arrays; options are passed by keyword.
    inputs, options : tuple of str
        The names in the signature before and after `;`.
    header : str
        The parameters with their defaults, as written in the signature.
    positional : int
        How many of them can be given by position.
    outputs : tuple of str
        The names of the outputs: one, or several if the function returns a tuple; none if it returns a list
        of any length (`*parts`).
    several : bool
        Whether the function returns a tuple or list of arrays.
    spent : bool
        Whether a backward pass uses it up. Not so an operation that only takes an array apart, and so saves none
        of it: each of its parts may have a backward pass of its own.
    variadic : bool
        Whether the one input is a sequence of arrays (`*xs`).
    rules : dict
        Input name -> VJP rule. An input without a rule gets no gradient.
    kernels : dict
        The output's name -> the kernel of `forward`; input name -> that of its rule. See `kernels.py`.
    saves : tuple of str
        What a node keeps: the names that the rules name, without `g` (and `i`).
    pulls : sequence
        For each input, a function `(g, saved) -> cotangent`, or None: the rules, ready to be called.
    broadcasts : bool
        Whether inputs are broadcast to the output's shape, as a ufunc does. The engine then sums a
        cotangent of the output's shape down to its input's: the one place where broadcasting is undone.
    promotes : bool
        Whether inputs are converted to the output's dtype. The engine then converts a cotangent of the
        output's dtype back to its input's.
    wider : callable or None
        Is called instead where options are given that the signature does not name.
    """

    __slots__ = (
        "broadcasts",
        "forward",
        "function",
        "header",
        "inputs",
        "kernels",
        "name",
        "options",
        "outputs",
        "positional",
        "promotes",
        "pulls",
        "rules",
        "saves",
        "several",
        "spent",
        "variadic",
        "wider",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        signature: str,
        rules: dict[str, Rule],
        *,
        forward: Callable[..., Any] | None = None,
        broadcasts: bool = False,
        promotes: bool = False,
        wider: Callable[..., Any] | None = None,
        kernels: Mapping[str, Kernel] | None = None,
    ):
        self.function = function
        self.forward = function if forward is None else forward
        home = getattr(function, "__module__", None) or ""
        self.name: str = function.__name__
        if home in ("numpy.linalg", "numpy.fft"):
            self.name = f"{home.removeprefix('numpy.')}.{self.name}"
        left, arrow, output = signature.partition("->")
        inputs, _, options = left.partition(";")
        self.several = "," in output or output.strip().startswith("*")
        self.outputs = () if "*" in output else _names(output)
        if not arrow or not inputs.strip() or not all(map(str.isidentifier, _names(output) or [""])):
            raise ValueError(
                f"{self.name}: the signature {signature!r} is not of the form 'x, y; axis=None -> z' "
                "(array inputs; options -> output)."
            )
        self.variadic = inputs.strip().startswith("*")
        self.header = ", ".join(part.strip() for part in (inputs.replace("*", ""), options) if part.strip())
        self.inputs = _names(inputs)
        self.options = _names(options)
        self.positional = len(self.inputs) + len(_names(options.partition("*")[0]))
        self.rules = rules
        self.broadcasts = broadcasts
        self.promotes = promotes
        self.wider = wider
        self.kernels = dict(kernels or ())
        self._check_rules()
        self._check_kernels()
        self.saves = self._saves()
        self.spent = not self.several or not {*self.inputs, *self.outputs}.isdisjoint(self.saves)
        self.pulls: Any = ()  # filled in by the recorder

    def wants(self, rule: Rule) -> tuple[str, ...]:
        """The names of the parameters of `rule` after `g`."""
        return _parameters(rule)[1:]

    def called(self, k: int) -> str:
        """The name of input `k`; in a sequence `xs`, `xs[k]`."""
        return f"{self.inputs[0]}[{k}]" if self.variadic else self.inputs[k]

    def sources(self) -> set[str]:
        """Everything that a rule may name."""
        known = {*self.inputs, *self.options, *self.outputs}
        if self.variadic:
            return known | {"i", "others", f"{self.inputs[0]}_shapes"}
        return known | {f"{name}_{what}" for name in self.inputs for what in ("shape", "dtype")}

    def _check_rules(self) -> None:
        unknown = set(self.rules) - set(self.inputs)
        if unknown:
            raise ValueError(
                f"{self.name}: there is a rule for {sorted(unknown)}, but its inputs are {list(self.inputs)}."
            )
        for name, rule in self.rules.items():
            parameters = _parameters(rule)
            if not parameters or parameters[0] != "g":
                raise ValueError(
                    f"{self.name}: the rule for {name!r} must take `g`, the cotangent, first; it takes {[*parameters]}."
                )
            strange = set(parameters[1:]) - self.sources()
            if strange:
                raise ValueError(
                    f"{self.name}: the rule for {name!r} names {sorted(strange)}; it can name {sorted(self.sources())}."
                )

    def _check_kernels(self) -> None:
        if self.kernels and (self.several or self.variadic):
            raise ValueError(f"{self.name}: kernels are for a fixed number of inputs and one output.")
        for name, kernel in self.kernels.items():
            if name not in self.outputs and name not in self.rules:
                raise ValueError(
                    f"{self.name}: there is a kernel for {name!r}, which is neither the output nor an input with a "
                    "rule."
                )
            known = _parameters(self.rules[name]) if name in self.rules else (*self.inputs, *self.options)
            strange = set(kernel.names) - set(known)
            if strange:
                raise ValueError(
                    f"{self.name}: the kernel for {name!r} takes {sorted(strange)}; it can take {[*known]}, as what it "
                    "stands for."
                )

    def _saves(self) -> tuple[str, ...]:
        named = [name for rule in self.rules.values() for name in self.wants(rule) if name != "i"]
        return tuple(dict.fromkeys(named))

    def users(self, save: str) -> tuple[str, ...]:
        """The inputs whose rules name `save`."""
        return tuple(name for name, rule in self.rules.items() if save in self.wants(rule))

    def __repr__(self) -> str:
        rules = ", ".join(self.rules) or "none"
        outputs = ", ".join(self.outputs) or "*"
        return f"<Primitive {self.name}({self.header}) -> {outputs}; rules for {rules}>"


class Repeated:
    """The pulls of a variadic primitive: the same rule for each input, told which one it is."""

    def __init__(self, pull: Callable[[Any, Any, int], Any]):
        self.pull = pull

    def __iter__(self) -> Iterator[Callable[[Any, Any], Any]]:
        pull, i = self.pull, 0
        while True:
            yield lambda g, saved, i=i: pull(g, saved, i)  # type: ignore[misc]
            i += 1

    def index(self, pull: Any) -> int:
        """Which input it is that one of them is for, as `tuple.index` says it for the others."""
        return pull.__defaults__[0]  # type: ignore[no-any-return]


@functools.cache
def part(whole: Primitive, output: str) -> Primitive:
    """The primitive that takes one result, by its name or `i`, out of those of an operation with several."""

    @written("g")
    def rule(g: Any, k: int, shape: Any, dtype: Any) -> Parts:
        return Parts({k: g}, shape, dtype)

    taken = Primitive(lambda results, k: results[k], "results; k, shape, dtype -> result", {"results": rule})
    taken.name = f"{whole.name}.{output}" if whole.outputs else f"{whole.name}[{output}]"
    taken.pulls = (lambda g, saved: rule(g, *saved),)
    taken.spent = False
    return taken


def _parameters(rule: Rule) -> tuple[str, ...]:
    """The names of the parameters of a function (by its code, where it has one: `inspect` is slow)."""
    if type(rule) is not FunctionType:
        return tuple(inspect.signature(rule).parameters)
    return rule.__code__.co_varnames[: rule.__code__.co_argcount]


def _names(parameters: str) -> tuple[str, ...]:
    parts = (part.partition("=")[0].strip().lstrip("*") for part in parameters.split(","))
    return tuple(part for part in parts if part)


def define(
    function: Callable[..., Any],
    signature: str,
    *,
    forward: Callable[..., Any] | None = None,
    broadcasts: bool = False,
    promotes: bool = False,
    wider: Callable[..., Any] | None = None,
    kernels: Mapping[str, Kernel] | None = None,
    **rules: Rule,
) -> Callable[..., Any]:
    """Make `function` differentiable: give it its VJP rules, and register it.

    Parameters
    ----------
    function : callable
        A function on arrays: NumPy's, or one of our own.
    signature : str
        `"inputs; options -> output"`, as in `"x, y -> z"` or `"a; axis=None -> y"`. One input `*xs` is a
        sequence of arrays; its rule may name `i`, the position of the input that it is asked for, `xs_shapes`, and
        `others`: the inputs, with None for one that only its own rule is asked for, and so nobody needs.
    forward : callable, optional
        What to call on plain arrays in place of `function`, where a quicker way exists.
    broadcasts, promotes : bool
        See `Primitive`.
    wider : callable, optional
        What to call where other options are given than those in the signature: a function made of others that
        have rules, for what NumPy has but is seldom wanted. The usual call costs nothing for it.
    kernels : dict, optional
        The output's name -> a `Kernel` that computes what `forward` does; the name of an input -> one that computes
        what its rule does. They are used on arrays of libraries that can compile them.
    **rules : callable
        For each differentiable input, its VJP rule, `input=lambda g, …: …`.

    Returns
    -------
    callable
        The function on Tensors and arrays; its `primitive` attribute is the `Primitive`.

    Raises
    ------
    ValueError
        If a rule is for something that is not an input, or a rule or kernel names something that does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from autograd.primitive import define
    >>> def cube(x):
    ...     return x * x * x
    >>> cube = define(cube, "x -> y", x=lambda g, x: g * 3 * x * x)
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> cube(x).sum().backward()
    >>> x.grad
    array([ 3., 12.])
    """
    from .recorder import make_recorder  # the recorder is made from a Primitive

    primitive = Primitive(
        function,
        signature,
        rules,
        forward=forward,
        broadcasts=broadcasts,
        promotes=promotes,
        wider=wider,
        kernels=kernels,
    )
    record = make_recorder(primitive)
    REGISTRY[function] = record
    return record


def written(formula: str) -> Callable[[F], F]:
    """Say how formulas write a function: a rule, a helper of rules, or what an operation computes.

    A formula is read from the source of a rule, and from that of the helpers that it calls. Where these say how
    something is computed rather than what, it stands beside them: an expression of the function's parameters in
    Python's syntax, with NumPy's functions by their names. Other names stand for themselves. A helper that a rule
    calls with shapes and options alone is called for its formula too, to get a number.

    Parameters
    ----------
    formula : str
        Of an operation with several results one expression for each, with commas between them.

    Examples
    --------
    >>> from autograd.primitive import written
    >>> @written("a / b")
    ... def ratio(a, b):
    ...     return a / (b + ((a == 0) & (b == 0)))
    """

    def mark(function: F) -> F:
        function.__formula__ = formula  # type: ignore[attr-defined]
        return function

    return mark


def composed(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register a Python function, made of functions that have rules, as what these NumPy functions do to Tensors.

    It has NumPy's parameters. Where no Tensor among its arguments is tracked, NumPy's own function is called.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.primitive import composed
    >>> def half_turn(m):  # stands for a function of NumPy's
    ...     return np.flip(m)
    >>> @composed(half_turn)
    ... def _half_turn(m):
    ...     return m[::-1, ::-1]
    """

    def register(handler: F) -> F:
        for function in functions:
            REGISTRY[function] = handler
        return handler

    return register
