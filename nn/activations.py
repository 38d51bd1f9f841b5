"""Activations as modules: the functions of `nn.functional`, to be put into a `Sequential`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from . import functional
from ._checks import fitting, floating, positive
from .module import Module, Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]


class Identity(Module):
    """The input as it is: a network with nothing else between its layers is one linear map, however deep."""

    def forward(self, x: Any) -> Any:
        return x


# Without options


class ReLU(Module):
    """max(0, x). It does not saturate for x > 0; fits outputs in [0, ∞). See `nn.relu`."""

    def forward(self, x: Any) -> Any:
        return functional.relu(x)


class ReLU6(Module):
    """min(max(0, x), 6). See `nn.relu6`."""

    def forward(self, x: Any) -> Any:
        return functional.relu6(x)


class SELU(Module):
    """λ elu(x), which keeps mean 0 and variance 1 in deep networks. See `nn.selu`."""

    def forward(self, x: Any) -> Any:
        return functional.selu(x)


class SiLU(Module):
    """x σ(x), also called swish. See `nn.silu`."""

    def forward(self, x: Any) -> Any:
        return functional.silu(x)


class Mish(Module):
    """x tanh(log(1 + eˣ)). See `nn.mish`."""

    def forward(self, x: Any) -> Any:
        return functional.mish(x)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ), a probability. It saturates where |x| is large. See `nn.sigmoid`."""

    def forward(self, x: Any) -> Any:
        return functional.sigmoid(x)


class LogSigmoid(Module):
    """log σ(x), exact where σ(x) rounds to 0. See `nn.logsigmoid`."""

    def forward(self, x: Any) -> Any:
        return functional.logsigmoid(x)


class Hardsigmoid(Module):
    """x/6 + 1/2 between −3 and 3, 0 below and 1 above. See `nn.hardsigmoid`."""

    def forward(self, x: Any) -> Any:
        return functional.hardsigmoid(x)


class Hardswish(Module):
    """x · relu6(x + 3) / 6. See `nn.hardswish`."""

    def forward(self, x: Any) -> Any:
        return functional.hardswish(x)


class Tanh(Module):
    """tanh(x), in (−1, 1); tanh′ = 1 − tanh². It saturates where |x| is large."""

    def forward(self, x: Any) -> Any:
        return functional.tanh(x)


class Softsign(Module):
    """x / (1 + |x|), in (−1, 1): saturates more slowly than tanh. See `nn.softsign`."""

    def forward(self, x: Any) -> Any:
        return functional.softsign(x)


# With options


class _Options(Module):
    """An activation with options, which are the fields of its subclasses."""

    def extra_repr(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))  # type: ignore[arg-type]


class _Elementwise(_Options):
    """One that is computed for each element."""

    def __post_init__(self) -> None:
        self.forward(0.0)  # an option that the function refuses is refused when the module is made


@dataclass(eq=False, repr=False)
class LeakyReLU(_Elementwise):
    """x where x > 0, else negative_slope · x: no neuron is dead. See `nn.leaky_relu`."""

    negative_slope: float = 0.01

    def forward(self, x: Any) -> Any:
        return functional.leaky_relu(x, self.negative_slope)


@dataclass(eq=False, repr=False)
class ELU(_Elementwise):
    """x where x > 0, else α (eˣ − 1). See `nn.elu`."""

    alpha: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.elu(x, self.alpha)


@dataclass(eq=False, repr=False)
class CELU(_Elementwise):
    """x where x > 0, else α (e^(x/α) − 1). See `nn.celu`."""

    alpha: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.celu(x, self.alpha)


@dataclass(eq=False, repr=False)
class GELU(_Elementwise):
    """x Φ(x), Φ that of the normal distribution; `approximate` is 'none' or 'tanh'. See `nn.gelu`."""

    approximate: str = "none"

    def forward(self, x: Any) -> Any:
        return functional.gelu(x, self.approximate)


@dataclass(eq=False, repr=False)
class Softplus(_Elementwise):
    """log(1 + e^(βx)) / β, and x where βx > threshold. See `nn.softplus`."""

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Any) -> Any:
        return functional.softplus(x, self.beta, self.threshold)


@dataclass(eq=False, repr=False)
class Hardtanh(_Elementwise):
    """x between `min_val` and `max_val`, else the bound. See `nn.hardtanh`."""

    min_val: float = -1.0
    max_val: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.hardtanh(x, self.min_val, self.max_val)


@dataclass(eq=False, repr=False)
class Softmax(_Options):
    """eˣ / Σ eˣ along `axis`, by default the last: probabilities of classes. See `nn.softmax`.

    A loss that takes logits needs none before it.
    """

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.softmax(x, self.axis)


@dataclass(eq=False, repr=False)
class LogSoftmax(_Options):
    """x − log Σ eˣ along `axis`, by default the last. See `nn.log_softmax`."""

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.log_softmax(x, self.axis)


@dataclass(eq=False, repr=False)
class GLU(_Options):
    """a σ(b) for the halves a and b of `axis`, by default the last. See `nn.glu`."""

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.glu(x, self.axis)


class PReLU(Module):
    """x where x > 0, else w · x, where w is learnt (He et al., arXiv:1502.01852, 2015). See `nn.prelu`.

    Without weight decay: it would draw w to 0.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels: the length of axis 1 of the input.
    init : float
        Where w starts.
    dtype : dtype
        Of the parameter, and so of the inputs.

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)

    Raises
    ------
    ValueError
        If `num_parameters` is not a positive integer. When called: if the input has another number of channels.
    TypeError
        When called with numbers of another type than the parameter's.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.PReLU()(np.array([-1.0, 2.0], dtype=np.float32)).numpy()
    array([-0.25,  2.  ], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = np.float32):
        self.weight = Parameter(np.full(positive("num_parameters", num_parameters), init), dtype=floating(dtype))

    def forward(self, x: Any) -> Any:
        return functional.prelu(fitting(self, x, self.weight.dtype), self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.weight.size}"


#: The activations that have a name: that of their function, except for `identity` and `swish`.
ACTIVATIONS: dict[str, type[Module]] = {
    "identity": Identity,
    "relu": ReLU,
    "relu6": ReLU6,
    "leaky_relu": LeakyReLU,
    "prelu": PReLU,
    "elu": ELU,
    "selu": SELU,
    "celu": CELU,
    "gelu": GELU,
    "silu": SiLU,
    "swish": SiLU,
    "mish": Mish,
    "hardswish": Hardswish,
    "softplus": Softplus,
    "sigmoid": Sigmoid,
    "logsigmoid": LogSigmoid,
    "hardsigmoid": Hardsigmoid,
    "tanh": Tanh,
    "hardtanh": Hardtanh,
    "softsign": Softsign,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
}


#: Their functions, which stand for the modules too.
_FUNCTIONS: dict[Any, type[Module]] = {
    getattr(functional, name): kind for name, kind in ACTIVATIONS.items() if hasattr(functional, name)
}


class _Function(Module):
    """A function of the user's, as a module."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


def _made(kind: Callable[..., Module], dtype: Any) -> Module:
    """A new module, with this dtype if it takes one, as one with parameters does."""
    return kind(dtype=dtype) if dtype is not None and "dtype" in inspect.signature(kind).parameters else kind()


def activation_module(activation: str | type[Module] | Callable[[Any], Any], dtype: Any = None) -> Module:
    """A new module for an activation given by name, as a module class, or as a function.

    Parameters
    ----------
    activation : str, module class, function or module
        A module is returned as it is.
    dtype : dtype, optional
        Of its parameters, if it has any.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If it is neither a name nor callable.

    Examples
    --------
    >>> import nn
    >>> from nn.activations import activation_module
    >>> activation_module("relu"), activation_module(nn.Tanh)
    (ReLU(), Tanh())
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}; the names are {', '.join(ACTIVATIONS)}.")
        return _made(ACTIVATIONS[activation], dtype)
    if isinstance(activation, type) and issubclass(activation, Module):
        return _made(activation, dtype)
    if isinstance(activation, Hashable) and activation in _FUNCTIONS:
        return _made(_FUNCTIONS[activation], dtype)
    if not callable(activation):
        raise TypeError(f"an activation is a name, a module class or a function, got {type(activation).__name__}.")
    return activation if isinstance(activation, Module) else _Function(activation)
