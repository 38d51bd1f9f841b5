"""`summary`: the layers of a module, the shapes of their outputs, and what they cost. And how such tables are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd import no_grad
from autograd.devices import describe, move
from autograd.display.text import memory
from autograd.node import data_of

from .embedding import Embedding
from .layers import Linear
from .module import Module, Parameter

__all__ = ["LayerSummary", "Summary", "summary"]


class LayerSummary(NamedTuple):
    """One line of a `Summary`."""

    name: str  #: As `named_modules` has it; of the module itself, its class.
    kind: str  #: The name of the class.
    output_shape: Any  #: A tuple; a list of tuples where there are several outputs; None if it was not called.
    trainable: int  #: The numbers that are learnt: its own, those of modules inside it are in their lines.
    frozen: int  #: Those of parameters with `requires_grad=False`.
    multiply_adds: int | None  #: None if it is not known.
    output_bytes: int  #: The memory of the outputs; 0 where an output is the input itself.


@dataclass(frozen=True)
class Summary:
    """What `summary` found; its repr is a table.

    Attributes
    ----------
    layers : tuple of LayerSummary
        One for each module that has parameters of its own, or no modules inside it.
    parameter_bytes, buffer_bytes : int
        The memory of the parameters and of the buffers, shared ones once.

    Examples
    --------
    >>> import nn
    >>> found = nn.summary(nn.MLP([3, 2, 1]), (5, 3))
    >>> found.parameters, found.multiply_adds, found.layers[0].output_shape
    (11, 40, (5, 2))
    """

    layers: tuple[LayerSummary, ...]
    parameter_bytes: int
    buffer_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers the parameters hold, shared ones once."""
        return self.trainable + self.frozen

    @property
    def trainable(self) -> int:
        """How many of them are learnt."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def frozen(self) -> int:
        """How many of them are not."""
        return sum(layer.frozen for layer in self.layers)

    @property
    def multiply_adds(self) -> int | None:
        """Multiplications, each with the addition of its result, in one forward pass; None if a layer's is unknown."""
        counts = [layer.multiply_adds for layer in self.layers]
        return None if None in counts else sum(n for n in counts if n is not None)

    @property
    def output_bytes(self) -> int:
        """The memory of the outputs of all layers."""
        return sum(layer.output_bytes for layer in self.layers)

    @property
    def total_bytes(self) -> int:
        """The memory of parameters, buffers and outputs."""
        return self.parameter_bytes + self.buffer_bytes + self.output_bytes

    def __repr__(self) -> str:
        rows = [
            (
                layer.name,
                layer.kind,
                "not called" if layer.output_shape is None else str(layer.output_shape),
                f"{layer.trainable:,}",
                f"{layer.frozen:,}",
                _count(layer.multiply_adds),
                memory(layer.output_bytes),
            )
            for layer in self.layers
        ]
        totals = (f"{self.trainable:,}", f"{self.frozen:,}", _count(self.multiply_adds), memory(self.output_bytes))
        header = ("layer", "class", "output shape", "trainable", "frozen", "multiply-adds", "output")
        return (
            f"{table(header, rows, ('total', '', '', *totals), left=3)}\n"
            f"{self.parameters:,} parameters; memory: parameters {memory(self.parameter_bytes)}, "
            f"buffers {memory(self.buffer_bytes)}, outputs {memory(self.output_bytes)}, "
            f"together {memory(self.total_bytes)}"
        )


def summary(module: Module, input_shape: Sequence[int], dtype: Any = None) -> Summary:
    """The layers of a module, the shapes of their outputs, and what they cost.

    The module is called once with zeros, in evaluation mode and without recording. It is left as it was: its modes,
    buffers and random generators too.

    Parameters
    ----------
    module : Module
    input_shape : sequence of int
        The whole shape of the input, with the batch: `(1, 12288)` for one example of 12288 features.
    dtype : dtype, optional
        Of the input. By default that of the first parameter; integers for an `Embedding`.

    Returns
    -------
    Summary

    Raises
    ------
    TypeError
        If `module` is no module, or `input_shape` no shape.
    Exception
        What the module raises, with a note that says in which layer.

    Notes
    -----
    Multiply-adds are those of matrix products: m·n·k for (m, n) @ (n, k), so batch × in × out for a `Linear`. Biases,
    activations, normalisation and look-ups, which cost an operation or a few for each number, count as 0. A module
    that is not of `nn`, or has a matrix that `nn` does not count, may have a method
    `multiply_adds(input_shape, output_shape)`; without it, the number is unknown.

    Examples
    --------
    >>> import nn
    >>> nn.summary(nn.MLP([12288, 3, 2, 1], activation="sigmoid"), (1, 12288))
    layer     class    output shape  trainable  frozen  multiply-adds  output
    linear1   Linear   (1, 3)           36,867       0         36,864    12 B
    sigmoid1  Sigmoid  (1, 3)                0       0              0    12 B
    linear2   Linear   (1, 2)                8       0              6     8 B
    sigmoid2  Sigmoid  (1, 2)                0       0              0     8 B
    linear3   Linear   (1, 1)                3       0              2     4 B
    total                               36,878       0         36,872    44 B
    36,878 parameters; memory: parameters 144.1 KiB, buffers 0 B, outputs 44 B, together 144.1 KiB
    """
    if not isinstance(module, Module):
        raise TypeError(f"summary takes a module, got {type(module).__name__}.")
    if isinstance(input_shape, str) or not all(isinstance(n, int | np.integer) for n in np.atleast_1d(input_shape)):
        remedy = ": write x.shape" if hasattr(input_shape, "shape") else ""
        raise TypeError(
            f"input_shape is a sequence of integers such as (1, 12288), got {describe(data_of(input_shape))}{remedy}."
        )
    if np.ndim(input_shape) != 1:
        raise TypeError(
            f"input_shape is the whole shape, with the batch: write (1, {input_shape}) rather than {input_shape}."
        )
    parameters = list(module.parameters())
    if dtype is None:
        dtype = parameters[0].dtype if parameters else np.float32
    x = np.zeros(tuple(input_shape), dtype)
    x = move(x, next((tensor.device for tensor in (*parameters, *module.buffers())), "cpu"))
    calls: dict[int, list[tuple[Any, Any]]] = {}
    names = layer_names(module)
    with undisturbed(module), no_grad(), _watched(module, names, calls):
        module(x)
    layers, counted = [], set[int]()
    for part in module.modules():
        own = [member for _, member in part.named_members() if isinstance(member, Parameter)]
        if not own and any(True for _ in part.named_children()):
            continue
        new = list({id(p): p for p in own if id(p) not in counted}.values())
        counted |= {id(p) for p in new}
        made = calls.get(id(part), [])
        counts = [_multiply_adds(part, given, output) for given, output in made]
        layers.append(
            LayerSummary(
                names[id(part)],
                type(part).__name__,
                _shape(made[-1][1]) if made else None,
                sum(p.size for p in new if p.requires_grad),
                sum(p.size for p in new if not p.requires_grad),
                None if None in counts else sum(n for n in counts if n is not None),
                sum(_new_bytes(given, output) for given, output in made),
            )
        )
    return Summary(tuple(layers), sum(p.nbytes for p in parameters), sum(b.nbytes for b in module.buffers()))


def layer_names(module: Module) -> dict[int, str]:
    """What a module and those inside it are called, by `id`: the module itself, which has no name, by its class."""
    return {id(part): name or type(part).__name__ for name, part in module.named_modules()}


@contextmanager
def undisturbed(module: Module) -> Iterator[None]:
    """Evaluation mode; afterwards modes, buffers and random generators are what they were."""
    modes = [(part, part.training) for part in module.modules()]
    buffers = [(buffer, buffer.data.copy()) for buffer in module.buffers()]
    generators = [(rng, rng.bit_generator.state) for _, rng in module.named_generators()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
        for buffer, before in buffers:
            if buffer.data.tobytes() != before.tobytes():
                buffer.data = before
        for rng, state in generators:
            rng.bit_generator.state = state


@contextmanager
def _watched(module: Module, names: dict[int, str], calls: dict[int, list[tuple[Any, Any]]]) -> Iterator[None]:
    """Note the arguments and outputs of all modules inside, and add to an error in which of them it was."""
    inside: list[tuple[Module, Any]] = []
    removals = []

    def leave(part: Module, args: Any, output: Any) -> None:
        inside.pop()
        calls.setdefault(id(part), []).append((args, output))

    try:
        for part in module.modules():
            removals.append(part.register_forward_pre_hook(lambda part, args: inside.append((part, args))))
            removals.append(part.register_forward_hook(leave))
        yield
    except Exception as error:
        if inside:
            part, args = inside[-1]
            shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in args if hasattr(a, "dtype"))
            error.add_note(
                f"in layer {names[id(part)]!r}, {type(part).__name__}({part.extra_repr()}), called with {shapes}"
            )
        raise
    finally:
        for remove in removals:
            remove()


def _multiply_adds(module: Module, args: Any, output: Any) -> int | None:
    """Those of one call."""
    if hasattr(module, "multiply_adds"):
        return int(module.multiply_adds(_shape(args[0]) if args else None, _shape(output)))
    if not args or not type(module).forward.__module__.startswith("nn."):
        return None
    if isinstance(module, Linear):
        return int(np.size(args[0]) * module.weight.shape[0])
    matrix = any(isinstance(member, Parameter) and member.ndim > 1 for _, member in module.named_members())
    return None if matrix and not isinstance(module, Embedding) else 0


def _parts(output: Any) -> list[Any]:
    return list(output) if isinstance(output, tuple | list) else [output]


def _shape(output: Any) -> Any:
    shapes = [getattr(part, "shape", None) for part in _parts(output)]
    return shapes if isinstance(output, tuple | list) else shapes[0]


def _new_bytes(args: Any, output: Any) -> int:
    """The memory of the outputs that are not inputs."""
    given = {id(data_of(a)) for a in args}
    return sum(getattr(part, "nbytes", 0) for part in _parts(output) if id(data_of(part)) not in given)


# Tables


def table(header: Sequence[str], rows: Sequence[Sequence[str]], last: Sequence[str] = (), left: int = 1) -> str:
    """Lines with aligned columns: the first `left` of them to the left, numbers to the right."""
    lines = [header, *rows, last] if last else [header, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if k < left else cell.rjust(w) for k, (cell, w) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )


def _count(n: int | None) -> str:
    return "?" if n is None else f"{n:,}"
