"""Layers: `Linear`, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import functional
from .activations import ReLU, activation_module
from .containers import Sequential
from .init import Initializer, initializer
from .module import Module, Parameter

__all__ = ["MLP", "Linear"]

Rng = np.random.Generator | int | None


class Linear(Module):
    """z = x Wᵀ + b: a layer of neurons before their activation.

    Parameters
    ----------
    in_features, out_features : int
        The numbers of inputs and outputs, at least 1.
    bias : bool
        Whether there is a b. It starts at zero.
    init : str or callable
        How the weight is drawn: a name of `nn.init.INITIALIZERS` or a callable (shape, rng) -> array.
    dtype : dtype
        Of the parameters, and so of the inputs.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Raises
    ------
    TypeError
        When called with numbers of another type than the parameters': both dtypes and the remedy.
    ValueError
        When called with another number of features.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Linear(4, 2, rng=0)
    >>> layer(np.ones((3, 4), dtype=np.float32)).shape
    (3, 2)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        init: str | Initializer = "he",
        dtype: Any = np.float32,
        rng: Rng = None,
    ):
        for name, n in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(n, int | np.integer) or n < 1:
                raise ValueError(f"{name} must be a positive integer, got {n!r}.")
        self.init = initializer(init)
        shape = (int(out_features), int(in_features))
        drawn = np.asarray(self.init(shape, np.random.default_rng(rng)))
        if drawn.shape != shape:
            raise ValueError(f"the initialiser returned shape {drawn.shape} for a weight of shape {shape}.")
        self.weight = Parameter(drawn, dtype=dtype)
        self.bias = Parameter(np.zeros(out_features), dtype=dtype) if bias else None

    def reset_parameters(self, rng: Rng = None) -> None:
        """Draw the weight again, and set the bias to zero."""
        drawn = np.asarray(self.init(self.weight.shape, np.random.default_rng(rng)))
        self.weight.data = drawn.astype(self.weight.dtype)
        if self.bias is not None:
            self.bias.data = np.zeros(self.bias.shape, self.bias.dtype)

    def forward(self, x: Any) -> Any:
        weight = self.weight.data
        dtype = getattr(x, "dtype", None)
        if dtype is None:
            x = np.asarray(x, dtype=weight.dtype)
        elif dtype != weight.dtype:
            remedy = f"write x.astype(np.{weight.dtype})"
            if x.dtype.kind in "fc":
                remedy += f", or make the layer with dtype=np.{x.dtype}"
            raise TypeError(
                f"{self!r} has {weight.dtype} parameters and was given {x.dtype} input: nothing is converted silently; "
                f"{remedy}."
            )
        shape = x.shape
        if not shape or shape[-1] != weight.shape[1]:
            raise ValueError(
                f"{self!r} maps (…, {weight.shape[1]}) to (…, {weight.shape[0]}), and was given an input of "
                f"shape {shape}."
            )
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features} → {out_features}" + ("" if self.bias is not None else ", bias=False")


class MLP(Sequential):
    """A multi-layer perceptron: linear layers with an activation between them.

    Parameters
    ----------
    sizes : sequence of int
        The numbers of inputs, of neurons in each hidden layer, and of outputs: `[12288, 3, 2, 1]`.
    activation : str, module class or callable
        Between the layers: 'relu', 'tanh', 'sigmoid', 'identity', …
    output_activation : the same, or None
        After the last layer. By default nothing: the outputs are logits, for `BCEWithLogitsLoss`.
    init : str, callable or None
        How weights are drawn. By default 'he' with 'relu', else 'xavier'.
    dtype : dtype
        Of the parameters, and so of the inputs.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Examples
    --------
    The network of the lecture, with 3n + 3 + 2·3 + 2 + 2 + 1 = 3n + 14 parameters for n inputs:

    >>> import nn
    >>> model = nn.MLP([12288, 3, 2, 1], activation="sigmoid", output_activation="sigmoid", rng=0)
    >>> sum(p.size for p in model.parameters()) == 3 * 12288 + 14
    True
    >>> model
    MLP(
      (linear1): Linear(12288 → 3)
      (sigmoid1): Sigmoid()
      (linear2): Linear(3 → 2)
      (sigmoid2): Sigmoid()
      (linear3): Linear(2 → 1)
      (sigmoid3): Sigmoid()
    )
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | type[Module] | Callable[[Any], Any] = "relu",
        output_activation: str | type[Module] | Callable[[Any], Any] | None = None,
        init: str | Initializer | None = None,
        dtype: Any = np.float32,
        rng: Rng = None,
    ):
        sizes = list(sizes)
        if len(sizes) < 2:
            raise ValueError(f"MLP needs at least the numbers of inputs and outputs, as in [30, 16, 1]; got {sizes}.")
        rng = np.random.default_rng(rng)
        if init is None:
            init = "he" if isinstance(activation_module(activation), ReLU) else "xavier"
        parts: dict[str, Module] = {}
        for k in range(1, len(sizes)):
            between = activation if k < len(sizes) - 1 else output_activation
            module = None if between is None else activation_module(between)
            parts[f"linear{k}"] = Linear(sizes[k - 1], sizes[k], init=init, dtype=dtype, rng=rng)
            if module is not None:
                parts[f"{type(module).__name__.lower().strip('_')}{k}"] = module
        super().__init__(parts)
