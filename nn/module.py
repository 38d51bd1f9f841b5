"""`Module`: a function with parameters, made of other modules.

There is no registration. A module's parameters are the `Parameter`s among its attributes, and in its
attributes that are modules, or lists, tuples or dicts of them, in the order in which they were assigned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from autograd import Tensor
from autograd.devices import as_array, move
from autograd.node import data_of

__all__ = ["Module", "Parameter"]

M = TypeVar("M", bound="Module")


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


class Module:
    """A function with parameters. Subclasses assign them in `__init__` and compute in `forward`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         self.factor = nn.Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(np.array([3.0])).item()
    6.0
    """

    #: Whether the module is being trained (dropout and batch normalisation will ask). Set by `train` and `eval`.
    training = True

    def __setattr__(self, name: str, value: Any) -> None:
        if (
            isinstance(value, Tensor)
            and not isinstance(value, Parameter)
            and isinstance(vars(self).get(name), Parameter)
        ):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter, and would no longer be one: to change its values, write "
                "`with no_grad():` around the update (`w -= step`), or assign to its .data."
            )
        super().__setattr__(name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. Call the module itself, not this."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, …): define what it computes.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # What it consists of

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, with their names; one in a list `layers` is `layers.0`."""
        for name, part in _parts(vars(self)):
            if isinstance(part, Module):
                yield name, part

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module (its name is '') and all inside it, each once, in the order of their assignment."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            children = [(f"{name}.{n}" if name else n, child) for n, child in module.named_children()]
            stack.extend(reversed(children))

    def modules(self) -> Iterator[Module]:
        """This module and all inside it, each once."""
        for _, module in self.named_modules():
            yield module

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, such as 'linear1.weight'; a shared one once, under its first name.

        Examples
        --------
        >>> import nn
        >>> [name for name, _ in nn.MLP([2, 3, 1]).named_parameters()]
        ['linear1.weight', 'linear1.bias', 'linear2.weight', 'linear2.bias']
        """
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, part in _parts(vars(module)):
                if isinstance(part, Parameter) and id(part) not in seen:
                    seen.add(id(part))
                    yield (f"{prefix}.{name}" if prefix else name), part

    def parameters(self) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer takes."""
        for _, parameter in self.named_parameters():
            yield parameter

    # State

    def state_dict(self) -> dict[str, Any]:
        """A copy of each parameter's values, by name: plain arrays.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 1, init="zeros").state_dict()
        {'weight': array([[0., 0.]], dtype=float32), 'bias': array([0.], dtype=float32)}
        """
        return {name: parameter.data.copy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the values of `state` into the parameters, in place.

        Parameters
        ----------
        state : mapping
            An array of the same shape and dtype for the name of each parameter, and nothing else.

        Raises
        ------
        ValueError
            Naming all that is missing, unexpected, or of another shape or dtype. Nothing is changed then.
        """
        own = dict(self.named_parameters())
        faults = [f"missing: {name} {p.dtype}{list(p.shape)}" for name, p in own.items() if name not in state]
        faults += [f"unexpected: {name}" for name in state if name not in own]
        for name, parameter in own.items():
            if name in state:
                value = state[name]
                shape, dtype = np.shape(value), getattr(value, "dtype", None)
                if shape != parameter.shape or dtype != parameter.dtype:
                    expected = f"{parameter.dtype}{list(parameter.shape)}"
                    faults.append(f"{name}: expected {expected}, got {dtype}{list(shape)}")
        if faults:
            raise ValueError(
                f"this state does not fit {type(self).__name__}, and nothing was loaded:\n  " + "\n  ".join(faults)
            )
        values = {name: move(as_array(data_of(state[name]), copy=True), p.device) for name, p in own.items()}
        for name, parameter in own.items():
            parameter.data = values[name]

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all inside it into training mode (or out of it); returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Put this module and all inside it into evaluation mode; returns the module."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters: `.grad` is None again."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self: M, device: str) -> M:
        """Move all parameters to 'cpu', 'cuda' or 'cuda:N', and forget their gradients; returns the module.

        Raises
        ------
        DeviceError
            If the device cannot be used. Nothing is moved then.
        """
        parameters = list(self.parameters())
        moved = [move(parameter.data, device) for parameter in parameters]
        for parameter, array in zip(parameters, moved):
            if array is not parameter.data:
                parameter.__init__(array, parameter.requires_grad, name=parameter.name)  # type: ignore[misc]
        return self

    def extra_repr(self) -> str:
        """What the repr shows in the parentheses after the class name."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        inside = "".join(f"\n  {line}" for line in lines)
        return f"{type(self).__name__}({self.extra_repr()}{inside}\n)"


def _parts(container: Any) -> Iterator[tuple[str, Any]]:
    """The parameters and modules among the items of a dict, list or tuple, and in such containers in it."""
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in items:
        if isinstance(value, Module | Parameter):
            yield str(key), value
        elif isinstance(value, dict | list | tuple):
            for name, part in _parts(value):
                yield f"{key}.{name}", part
