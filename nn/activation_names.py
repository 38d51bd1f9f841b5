"""The names of activations, and a module for each way to say which one is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any

from . import functional
from .activations import (
    GELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    LogSigmoid,
    LogSoftmax,
    Mish,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from .module import Module
from .rectifiers import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, ReLU6

__all__ = ["ACTIVATIONS", "activation_module"]

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
    >>> from nn.activation_names import activation_module
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
        raise TypeError(
            f"an activation is a name, such as 'relu' or 'identity', a module class or a function, got "
            f"{type(activation).__name__}."
        )
    return activation if isinstance(activation, Module) else _Function(activation)
