"""Find where gradients and numerical estimates disagree: which order, which input, in which direction or entry.

For f with inputs x, a random tangent v and a random cotangent u, the number ⟨u, ∂f/∂x · v⟩ can be had in two
ways: from the rules, as ⟨uᵀ ∂f/∂x, v⟩, and from differences of f along v. Each input gets its own tangent, so
that a disagreement names it. The cotangent is random too: with a cotangent of ones a softmax whose backward
rule returns zeros would pass. The second order is the first order of the gradient itself, as a function of
the inputs **and** of the cotangent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor
from .slopes import Array, Values, Verdict, flat, judge, outputs_of, tolerance_of

__all__ = ["CONCLUSIVE", "Fault", "Level", "Options", "find_fault"]

#: Verdicts after which there is nothing left to look for.
CONCLUSIVE = frozenset({"wrong", "value", "random"})

#: Up to so many entries of an input are looked at one by one, to tell a kink from a fault beside it.
_FEW = 256


class Options(NamedTuple):
    """What the user asked for."""

    order: int
    rtol: float | None
    atol: float | None
    full: bool


class Level(NamedTuple):
    """A function whose first derivative is checked: `f` itself, or the gradient of the level before."""

    f: Callable[..., Any]
    arrays: list[Array]
    labels: list[str]

    def describe(self, k: int) -> str:
        """An input with its dtype and shape, for messages."""
        array, label = self.arrays[k], self.labels[k]
        described = f"{array.dtype}{list(array.shape)})"
        return f"{label[:-1]}, {described}" if label.endswith(")") else f"{label} ({described}"


class Fault(NamedTuple):
    """A disagreement. `levels` are the functions up to the one that it was found in."""

    levels: list[Level]
    k: int
    where: str  # "in a random direction", or an entry
    verdict: Verdict

    @property
    def order(self) -> int:
        """The order of the derivative that is wrong."""
        return len(self.levels)


def find_fault(level: Level, options: Options, rng: np.random.Generator) -> Fault | None:
    """The first wrong gradient, or else the first that could not be checked, or None."""
    levels = [level]
    while True:
        check = _Check(levels, options, rng)
        fault = check.every_entry() if options.full else check.random_directions()
        if fault is not None or len(levels) == options.order:
            return fault
        levels = [*levels, check.derivative()]


class _Check:
    """The first order of the last of `levels`."""

    def __init__(self, levels: list[Level], options: Options, rng: np.random.Generator):
        self.levels, self.options, self.rng = levels, options, rng
        self.f, self.arrays = levels[-1].f, levels[-1].arrays
        inputs, self.outputs = self.run()
        self.tracked = [k for k, x in enumerate(inputs) if x.requires_grad]
        self.wanted = [inputs[k] for k in self.tracked]
        self.values = Values(self.f, self.arrays, self.outputs)
        self.cotangents = [direction(rng, y.data) for y in self.outputs]
        outputs = [y.dtype for y in self.outputs]
        self.tolerances = {k: tolerance_of(self.arrays[k].dtype, *outputs) for k in self.tracked}

    def run(self) -> tuple[list[Tensor], list[Tensor]]:
        inputs = [Tensor(a, requires_grad=a.dtype.kind in "fc") for a in self.arrays]
        return inputs, outputs_of(self.f(*inputs))

    def allowed(self, k: int, estimate: Any, terms: Any) -> Any:
        """How far the rules may be from the estimate; `terms` is the sum of the absolute terms in their number."""
        relative, cancelling, *_ = self.tolerances[k]
        rtol, atol = self.options.rtol, self.options.atol
        absolute = cancelling * (1 + terms) if atol is None else atol
        return (relative if rtol is None else rtol) * abs(estimate) + absolute

    def random_directions(self) -> Fault | None:
        """Compare one number for each input."""
        gradients = _gradients(self.outputs, self.wanted, self.cotangents)
        weights = flat(self.cotangents, conjugate=True)
        doubtful = None
        for k, gradient in zip(self.tracked, gradients):
            g, v = gradient.numpy(), direction(self.rng, self.arrays[k])
            products = (g * v).real
            by_rules = float(products.sum(dtype=np.float64))
            terms = float(np.abs(products).sum(dtype=np.float64))
            estimate = float(weights @ self.values.slope(k, v))
            if abs(by_rules - estimate) <= self.allowed(k, estimate, terms):
                continue
            fault = self.examine(k, v, weights, by_rules, terms, "in a random direction")
            if fault is not None and fault.verdict.kind not in CONCLUSIVE and 1 < g.size <= _FEW:
                fault = self.along_each(k, g, weights) or fault
            doubtful = _worse(doubtful, fault)
            if _conclusive(doubtful):
                break
        return doubtful

    def along_each(self, k: int, g: Array, weights: Array) -> Fault | None:
        """The same for each entry of one input: a kink in one of them must not hide a wrong rule in another."""
        entries = zip(flat([g], conjugate=True), _basis(g), _names(g.shape, g.dtype, "entry "))
        doubtful = None
        for by_rules, v, name in entries:
            fault = self.examine(k, v, weights, float(by_rules), abs(float(by_rules)), f"along {name}")
            doubtful = _worse(doubtful, fault)
            if _conclusive(doubtful):
                break
        return doubtful

    def every_entry(self) -> Fault | None:
        """Compare the whole Jacobians: a backward pass for each row, differences for each column."""
        rows: list[list[Array]] = [[] for _ in self.tracked]
        names: list[str] = []
        for q, y in enumerate(self.outputs):
            names += _names(y.shape, y.dtype, f"output {q}" if len(self.outputs) > 1 else "output")
            for unit in _basis(y.data, imaginary=-1j):
                gradients = y.gradient(*self.wanted, cotangent=unit, retain_graph=True)
                for row, gradient in zip(rows, gradients if isinstance(gradients, tuple) else (gradients,)):
                    row.append(flat([gradient.numpy()], conjugate=True))
        doubtful = None
        for k, row in zip(self.tracked, rows):
            x = self.arrays[k]
            if not row or not x.size:
                continue
            found = np.stack(row)
            for column, (v, name) in enumerate(zip(_basis(x), _names(x.shape, x.dtype, "input"))):
                by_rules, estimates = found[:, column], self.values.slope(k, v)
                allowed = self.allowed(k, estimates, np.abs(by_rules))
                for i in np.flatnonzero(~(np.abs(by_rules - estimates) <= allowed)):
                    r, unit = float(by_rules[i]), np.zeros(len(names))
                    unit[i] = 1.0
                    fault = self.examine(k, v, unit, r, abs(r), f"in the entry d {names[i]} / d {name}")
                    doubtful = _worse(doubtful, fault)
                    if _conclusive(doubtful):
                        return doubtful
        return doubtful

    def examine(self, k: int, v: Array, weights: Array, by_rules: float, terms: float, where: str) -> Fault | None:
        """A closer look at a disagreement: None if it was the quick estimate that was wrong."""
        allowed = self.allowed(k, 0.0, terms)
        finding = self.not_finite() or self.not_deterministic()
        if finding:
            return Fault(self.levels, k, where, Verdict(finding[0], by_rules, np.nan, allowed, finding[1]))
        verdict = judge(self.values, k, v, weights, by_rules, lambda estimate: self.allowed(k, estimate, terms))
        return None if verdict.kind == "right" else Fault(self.levels, k, where, verdict)

    def not_finite(self) -> tuple[str, str] | None:
        for q, y in enumerate(self.outputs):
            strange = np.argwhere(~np.isfinite(np.atleast_1d(y.numpy())))
            if len(strange):
                index = [int(i) for i in strange[0]] if y.ndim else []
                value = y.numpy()[tuple(index)]
                return "value", f"output{f' {q}' if len(self.outputs) > 1 else ''}{index or ''} is {value}"
        return None

    def not_deterministic(self) -> tuple[str, str] | None:
        _, again = self.run()
        if [y.shape for y in again] != [y.shape for y in self.outputs]:
            return "random", f"of shapes {[y.shape for y in self.outputs]} and {[y.shape for y in again]}"
        for y, z in zip(self.outputs, again):
            difference = np.abs(y.numpy() - z.numpy()).max(initial=0.0)
            # a library may add up in another order the second time
            if difference > 4096 * tolerance_of(y.dtype).epsilon * np.abs(y.numpy()).max(initial=0.0):
                return "random", f"that differ by up to {difference:.4g}"
        return None

    def derivative(self) -> Level:
        """The gradient along random directions, as a function of the inputs and of the cotangents."""
        f, tracked, n = self.f, self.tracked, len(self.arrays)
        directions = [direction(self.rng, self.arrays[k]) for k in tracked]

        def derivative(*values: Any) -> Any:
            xs, cotangents = list(values[:n]), values[n:]
            wanted = [x if x.requires_grad else Tensor(x.data, requires_grad=True) for x in (xs[k] for k in tracked)]
            for k, x in zip(tracked, wanted):
                xs[k] = x
            gradients = _gradients(outputs_of(f(*xs)), wanted, cotangents, create_graph=True)
            return _paired(gradients, directions)

        level, us = self.levels[-1], self.cotangents
        labels = ["the cotangent"] if len(us) == 1 else [f"the cotangent of output {q}" for q in range(len(us))]
        return Level(derivative, [*self.arrays, *us], [*level.labels, *labels])


def _gradients(outputs: list[Tensor], wanted: list[Tensor], cotangents: Any, create_graph: bool = False) -> Any:
    """The gradients of ⟨cotangents, outputs⟩: of several outputs in one pass, as rules for several expect them."""
    if len(outputs) == 1:
        found = outputs[0].gradient(*wanted, cotangent=cotangents[0], create_graph=create_graph)
    else:
        found = _paired(outputs, cotangents).gradient(*wanted, create_graph=create_graph)
    return found if isinstance(found, tuple) else (found,)


def _paired(tensors: Any, others: Any) -> Any:
    """The sum of the products, as a Tensor."""
    total: Any = 0.0
    for t, v in zip(tensors, others):
        total = total + np.sum(t * v.astype(t.dtype)).real
    return total


def _worse(fault: Fault | None, other: Fault | None) -> Fault | None:
    """A wrong rule rather than a doubt; else the first."""
    return other if fault is None or (_conclusive(other) and not _conclusive(fault)) else fault


def _conclusive(fault: Fault | None) -> bool:
    return fault is not None and fault.verdict.kind in CONCLUSIVE


def direction(rng: np.random.Generator, like: Array) -> Array:
    """Random numbers of size 0.5 to 1 and either sign: none so small that it hides a fault."""

    def draw() -> Any:
        return rng.uniform(0.5, 1.0, like.shape) * rng.choice([-1.0, 1.0], like.shape)

    values = draw() + 1j * draw() if like.dtype.kind == "c" else draw()
    return np.asarray(values, dtype=like.dtype)


def _basis(like: Array, imaginary: complex = 1j) -> Iterator[Array]:
    """The unit directions of an array, in the order of `flat`."""
    for unit in (1.0, imaginary) if like.dtype.kind == "c" else (1.0,):
        for i in range(like.size):
            e = np.zeros(like.shape, like.dtype)
            e.flat[i] = unit
            yield e


def _names(shape: tuple[int, ...], dtype: np.dtype[Any], array: str) -> list[str]:
    """What the entries of an array are called, in the order of `flat`."""
    entries = [f"{array}{list(index) or ''}" for index in np.ndindex(shape)]
    return [f"{part}({entry})" for part in ("Re", "Im") for entry in entries] if dtype.kind == "c" else entries
