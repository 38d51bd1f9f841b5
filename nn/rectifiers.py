"""Rectifiers as modules: `ReLU` and what came after it. What they keep of x > 0 does not saturate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import functional
from ._checks import fitting, floating, positive
from .activations import Elementwise
from .module import Module, Parameter

__all__ = ["CELU", "ELU", "SELU", "LeakyReLU", "PReLU", "ReLU", "ReLU6"]


class ReLU(Module):
    """max(0, x). It does not saturate for x > 0; fits outputs in [0, ∞). See `nn.relu`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def forward(self, x: Any) -> Any:
        return functional.relu(x)


class ReLU6(Module):
    """min(max(0, x), 6). See `nn.relu6`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.ReLU6()(np.array([-1.0, 2.0, 8.0]))
    array([0., 2., 6.])
    """

    def forward(self, x: Any) -> Any:
        return functional.relu6(x)


@dataclass(eq=False, repr=False)
class LeakyReLU(Elementwise):
    """x where x > 0, else negative_slope · x: no neuron is dead. See `nn.leaky_relu`.

    Parameters
    ----------
    negative_slope : float
        The slope for x < 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.LeakyReLU(0.1)(np.array([-1.0, 0.0, 2.0]))
    array([-0.1,  0. ,  2. ])
    """

    negative_slope: float = 0.01

    def forward(self, x: Any) -> Any:
        return functional.leaky_relu(x, self.negative_slope)


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
        return functional.prelu(fitting(self, x, self.weight), self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.weight.size}"


@dataclass(eq=False, repr=False)
class ELU(Elementwise):
    """x where x > 0, else α (eˣ − 1). See `nn.elu`.

    Parameters
    ----------
    alpha : float
        −α is the limit for x → −∞.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.ELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """

    alpha: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.elu(x, self.alpha)


@dataclass(eq=False, repr=False)
class CELU(Elementwise):
    """x where x > 0, else α (e^(x/α) − 1). See `nn.celu`.

    Parameters
    ----------
    alpha : float
        −α is the limit for x → −∞; not 0, and above it.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.CELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """

    alpha: float = 1.0

    def forward(self, x: Any) -> Any:
        return functional.celu(x, self.alpha)


class SELU(Module):
    """λ elu(x), which keeps mean 0 and variance 1 in deep networks. See `nn.selu`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.SELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-1.1113,  0.    ,  2.1014])
    """

    def forward(self, x: Any) -> Any:
        return functional.selu(x)
