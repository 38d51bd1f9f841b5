"""The Tensors that belong to a module: `Parameter`, which is learnt, and `Buffer`, which is not."""

from __future__ import annotations

from typing import Any

from autograd import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A Tensor that a module learns: a leaf that requires a gradient.

    Parameters
    ----------
    data : array_like
        Floating or complex numbers; copied.
    requires_grad : bool
        False for a parameter that is frozen.
    dtype : dtype, optional
        By default the data's own.
    name : str, optional
        By default drawings use the name that `named_parameters` gives.

    Examples
    --------
    >>> import nn
    >>> nn.Parameter([1.0, 2.0])
    Parameter([1., 2.], shape=(2,), dtype=float64, requires_grad=True)
    """

    __slots__ = ()
    _is_parameter = True

    def __init__(self, data: Any, requires_grad: bool = True, dtype: Any = None, name: str | None = None):
        super().__init__(data.detach() if isinstance(data, Tensor) else data, requires_grad, dtype, name)


class Buffer(Tensor):
    """A constant that belongs to the state of a module, such as a running mean: saved and moved with the weights.

    It gets no gradient and no optimizer updates it. The module writes it itself: `self.mean.data = …`.

    Parameters
    ----------
    data : array_like
        Numbers or booleans; copied.
    dtype : dtype, optional
        By default the data's own.
    name : str, optional

    Examples
    --------
    >>> import nn
    >>> class Count(nn.Module):
    ...     def __init__(self):
    ...         self.calls = nn.Buffer(0)
    ...
    ...     def forward(self, x):
    ...         self.calls.data += 1
    ...         return x
    >>> count = Count()
    >>> count(5.0), count(6.0), count.state_dict()
    (5.0, 6.0, {'calls': array(2)})
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None):
        if requires_grad:
            raise ValueError("a Buffer is a constant: what is to be learnt is a Parameter.")
        super().__init__(data.detach() if isinstance(data, Tensor) else data, False, dtype, name)
