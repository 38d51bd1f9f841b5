"""Activations as modules, which call `nn.functional`: those of the ReLU family are in `rectifiers.py`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from . import functional
from .module import Module

__all__ = [
    "GELU",
    "GLU",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]


class Identity(Module):
    """The input as it is: a network with nothing else between its layers is one linear map, however deep.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Identity()(np.array([-1.0, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """

    def forward(self, x: Any) -> Any:
        return x


# Without options


class SiLU(Module):
    """x σ(x), also called swish. See `nn.silu`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.SiLU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    """

    def forward(self, x: Any) -> Any:
        return functional.silu(x)


class Mish(Module):
    """x tanh(log(1 + eˣ)). See `nn.mish`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Mish()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.3034,  0.    ,  1.944 ])
    """

    def forward(self, x: Any) -> Any:
        return functional.mish(x)


class Sigmoid(Module):
    """σ(x) = 1 / (1 + e⁻ˣ), a probability. It saturates where |x| is large. See `nn.sigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Sigmoid()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.2689, 0.5   , 0.8808])
    """

    def forward(self, x: Any) -> Any:
        return functional.sigmoid(x)


class LogSigmoid(Module):
    """log σ(x), exact where σ(x) rounds to 0. See `nn.logsigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.LogSigmoid()(np.array([-1000.0, 0.0])).round(4)
    array([-1.000e+03, -6.931e-01])
    """

    def forward(self, x: Any) -> Any:
        return functional.logsigmoid(x)


class Hardsigmoid(Module):
    """x/6 + 1/2 between −3 and 3, 0 below and 1 above. See `nn.hardsigmoid`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Hardsigmoid()(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """

    def forward(self, x: Any) -> Any:
        return functional.hardsigmoid(x)


class Hardswish(Module):
    """x · relu6(x + 3) / 6. See `nn.hardswish`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Hardswish()(np.array([-4.0, -1.5, 4.0]))
    array([-0.   , -0.375,  4.   ])
    """

    def forward(self, x: Any) -> Any:
        return functional.hardswish(x)


class Tanh(Module):
    """tanh(x), in (−1, 1); tanh′ = 1 − tanh². It saturates where |x| is large.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Tanh()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.7616,  0.    ,  0.964 ])
    """

    def forward(self, x: Any) -> Any:
        return functional.tanh(x)


class Softsign(Module):
    """x / (1 + |x|), in (−1, 1): saturates more slowly than tanh. See `nn.softsign`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Softsign()(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """

    def forward(self, x: Any) -> Any:
        return functional.softsign(x)


# With options


class Options(Module):
    """An activation with options, which are the fields of its subclasses."""

    def extra_repr(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))  # type: ignore[arg-type]


class _AlongAxis(Options):
    """One that is computed along an axis."""

    axis: int

    def __post_init__(self) -> None:
        if not isinstance(self.axis, int | np.integer) or isinstance(self.axis, bool):
            name = type(self).__name__
            raise TypeError(f"{name}: axis is an integer, got {self.axis!r}: an input goes into {name}()(x).")


class Elementwise(Options):
    """One that is computed for each element."""

    def __post_init__(self) -> None:
        self.forward(0.0)  # an option that the function refuses is refused when the module is made


@dataclass(eq=False, repr=False)
class GELU(Elementwise):
    """x Φ(x), Φ that of the normal distribution; `approximate` is 'none' or 'tanh'. See `nn.gelu`.

    Parameters
    ----------
    approximate : {'none', 'tanh'}
        'tanh' replaces Φ by ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.GELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    """

    approximate: str = "none"

    def forward(self, x: Any) -> Any:
        return functional.gelu(x, self.approximate)


@dataclass(eq=False, repr=False)
class Softplus(Elementwise):
    """log(1 + e^(βx)) / β, and x where βx > threshold. See `nn.softplus`.

    Parameters
    ----------
    beta : float
        β: the larger, the closer to ReLU.
    threshold : float
        Above it, βx is taken for log(1 + e^(βx)).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Softplus()(np.array([-1.0, 0.0, 1000.0])).round(4)
    array([3.133e-01, 6.931e-01, 1.000e+03])
    """

    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Any) -> Any:
        return functional.softplus(x, self.beta, self.threshold)


@dataclass(eq=False, repr=False)
class Hardtanh(Elementwise):
    """x between `min_val` and `max_val`, else the bound. See `nn.hardtanh`.

    Parameters
    ----------
    min_val, max_val : float
        The bounds; the second is not the smaller one.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Hardtanh()(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """

    min_val: float = -1.0
    max_val: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.hardtanh(x, self.min_val, self.max_val)


@dataclass(eq=False, repr=False)
class Softmax(_AlongAxis):
    """eˣ / Σ eˣ along `axis`, by default the last: probabilities of classes. See `nn.softmax`.

    A loss that takes logits needs none before it.

    Parameters
    ----------
    axis : int
        That of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Softmax()(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.softmax(x, self.axis)


@dataclass(eq=False, repr=False)
class LogSoftmax(_AlongAxis):
    """x − log Σ eˣ along `axis`, by default the last. See `nn.log_softmax`.

    Parameters
    ----------
    axis : int
        That of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.LogSoftmax()(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.log_softmax(x, self.axis)


@dataclass(eq=False, repr=False)
class GLU(_AlongAxis):
    """a σ(b) for the halves a and b of `axis`, by default the last. See `nn.glu`.

    Parameters
    ----------
    axis : int
        The one to be halved: of even length.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.GLU()(np.array([3.0, 5.0, 0.0, 1000.0]))
    array([1.5, 5. ])
    """

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return functional.glu(x, self.axis)
