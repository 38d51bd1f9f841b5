"""Layers: `Linear` and what is made of it; `Flatten`; `Residual`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.devices import move
from autograd.wrapping import array_like

from . import functional
from ._checks import fitting, positive
from .activation_names import activation_module
from .activations import GELU, Hardswish, Mish, SiLU
from .containers import Sequential
from .init import Initializer, initializer
from .module import Module, Parameter
from .rectifiers import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, ReLU6

__all__ = ["MLP", "Flatten", "Linear", "Residual"]

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
        self.init = initializer(init)
        shape = (positive("out_features", out_features), positive("in_features", in_features))
        drawn = np.asarray(self.init(shape, np.random.default_rng(rng)))
        if drawn.shape != shape:
            raise ValueError(f"the initialiser returned shape {drawn.shape} for a weight of shape {shape}.")
        self.weight = Parameter(drawn, dtype=dtype)
        self.bias = Parameter(np.zeros(out_features), dtype=dtype) if bias else None

    def reset_parameters(self, rng: Rng = None) -> None:
        """Draw the weight again, and set the bias to zero."""
        drawn = np.asarray(self.init(self.weight.shape, np.random.default_rng(rng)))
        self.weight.data = move(drawn.astype(self.weight.dtype), self.weight.device)
        if self.bias is not None:
            self.bias.data = np.zeros_like(self.bias.data)

    def forward(self, x: Any) -> Any:
        weight = self.weight.data
        dtype = getattr(x, "dtype", None)
        if dtype is None or dtype != weight.dtype:
            x = fitting(self, x, self.weight)
        shape = x.shape
        if not shape or shape[-1] != weight.shape[1]:
            remedy = ""
            if shape[1:] and math.prod(shape[1:]) == weight.shape[1]:
                remedy = " Put nn.Flatten() before it, which makes a row of each example."
            elif len(shape) == 2 and shape[0] == weight.shape[1]:
                remedy = " Rows are examples: write x.T."
            error = ValueError(
                f"{self!r} takes an input of shape (…, {weight.shape[1]}), and was given shape {shape}.{remedy}"
            )
            from autograd.derivation.fitting import product_that_does_not_fit  # reads formulas: only for errors

            told = product_that_does_not_fit(functional.linear, (x, self.weight, self.bias))
            if told:
                error.add_note(told)
            raise error
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        out_features, in_features = self.weight.shape
        return f"{in_features} → {out_features}" + ("" if self.bias is not None else ", bias=False")


class Flatten(Module):
    """Some neighbouring axes as one: by default all but the first, so that each example becomes a row.

    Parameters
    ----------
    start_axis, end_axis : int
        The first and the last of these axes.

    Raises
    ------
    ValueError
        When called with an input that has not these axes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Flatten()(np.zeros((8, 3, 4, 5))).shape
    (8, 60)
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1):
        self.start_axis, self.end_axis = start_axis, end_axis

    def forward(self, x: Any) -> Any:
        x = array_like(x)
        shape = x.shape
        n = len(shape)
        start, end = [axis + n if axis < 0 else axis for axis in (self.start_axis, self.end_axis)]
        if not 0 <= start <= end < n:
            raise ValueError(
                f"Flatten makes axes {self.start_axis} to {self.end_axis} one, and was given an input of shape {shape}"
                + (": the first axis is that of the examples, for one example write x[None]." if n < 2 else ".")
            )
        return x.reshape(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])

    def extra_repr(self) -> str:
        default = (self.start_axis, self.end_axis) == (1, -1)
        return "" if default else f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Residual(Module):
    """y = x + f(x): a module learns what is to be added to its input, and the gradient passes it by unchanged.

    He, Zhang, Ren & Sun, "Deep residual learning for image recognition", 2016.

    Parameters
    ----------
    module : Module
        f.
    shortcut : Module, optional
        Called with x where f(x) has another shape than x: y = shortcut(x) + f(x).

    Raises
    ------
    TypeError
        If something else than modules is given.
    ValueError
        When called, if the two summands have different shapes or dtypes: they are not broadcast.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> block = nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.ReLU()))
    >>> block(np.ones((2, 4), np.float32)).shape
    (2, 4)
    """

    def __init__(self, module: Module, shortcut: Module | None = None):
        for name, part in (("module", module), ("shortcut", shortcut)):
            if not isinstance(part, Module) and (part is not None or name == "module"):
                raise TypeError(f"Residual needs a Module as its {name}, got {type(part).__name__}.")
        self.module, self.shortcut = module, shortcut

    def forward(self, x: Any) -> Any:
        x = array_like(x)
        past, through = x if self.shortcut is None else self.shortcut(x), self.module(x)
        if past.shape != through.shape or past.dtype != through.dtype:
            way = "the input" if self.shortcut is None else "what the shortcut made of it"
            raise ValueError(
                f"Residual adds two things of equal shape and dtype: {way} is {past.dtype}{list(past.shape)}, and what "
                f"{type(self.module).__name__} made of the input is {through.dtype}{list(through.shape)}. "
                f"Give a shortcut that maps an input of {x.dtype}{list(x.shape)} to the second."
            )
        return past + through


_RECTIFIERS = (ReLU, ReLU6, LeakyReLU, PReLU, ELU, CELU, GELU, SiLU, Mish, Hardswish)

#: The initialiser that belongs to an activation, where it is not 'xavier'.
INITIAL: dict[type[Module], str] = {**dict.fromkeys(_RECTIFIERS, "he"), SELU: "lecun"}


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
        How weights are drawn. By default 'he' with ReLU and its relatives, 'lecun' with SELU (Klambauer et al.,
        "Self-normalizing neural networks", 2017), else 'xavier'.
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
        sizes = list(sizes) if isinstance(sizes, Iterable) else [sizes]
        if len(sizes) < 2:
            raise ValueError(
                f"MLP needs a sequence of at least the numbers of inputs and outputs, as in [30, 16, 1]; got {sizes}."
            )
        rng = np.random.default_rng(rng)
        if init is None:
            init = INITIAL.get(type(activation_module(activation)), "xavier")
        parts: dict[str, Module] = {}
        for k in range(1, len(sizes)):
            between = activation if k < len(sizes) - 1 else output_activation
            module = None if between is None else activation_module(between, dtype)
            parts[f"linear{k}"] = Linear(sizes[k - 1], sizes[k], init=init, dtype=dtype, rng=rng)
            if module is not None:
                parts[f"{type(module).__name__.lower().strip('_')}{k}"] = module
        super().__init__(parts)
