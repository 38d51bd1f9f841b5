"""Activations as modules: the functions of `nn.functional`, to be put into a `Sequential`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from . import functional
from .module import Module

__all__ = ["Identity", "ReLU", "Sigmoid", "Tanh"]


class Identity(Module):
    """The input as it is: a network with nothing else between its layers is one linear map, however deep."""

    def forward(self, x: Any) -> Any:
        return x


class ReLU(Module):
    """max(0, x). It does not saturate for x > 0; fits outputs in [0, ∞). See `nn.relu`."""

    def forward(self, x: Any) -> Any:
        return functional.relu(x)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ), a probability. It saturates where |x| is large. See `nn.sigmoid`."""

    def forward(self, x: Any) -> Any:
        return functional.sigmoid(x)


class Tanh(Module):
    """tanh(x), in (−1, 1); tanh′ = 1 − tanh². It saturates where |x| is large."""

    def forward(self, x: Any) -> Any:
        return functional.tanh(x)


#: The activations that have a name.
ACTIVATIONS: dict[str, type[Module]] = {"identity": Identity, "relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}


#: Their functions, which stand for the modules too.
_FUNCTIONS: dict[Any, type[Module]] = {functional.relu: ReLU, functional.sigmoid: Sigmoid, functional.tanh: Tanh}


class _Function(Module):
    """A function of the user's, as a module."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


def activation_module(activation: str | type[Module] | Callable[[Any], Any]) -> Module:
    """A new module for an activation given by name, as a module class, or as a function.

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
        return ACTIVATIONS[activation]()
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if isinstance(activation, Hashable) and activation in _FUNCTIONS:
        return _FUNCTIONS[activation]()
    if not callable(activation):
        raise TypeError(f"an activation is a name, a module class or a function, got {type(activation).__name__}.")
    return activation if isinstance(activation, Module) else _Function(activation)
