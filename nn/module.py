"""`Module`: a function with parameters, made of other modules.

There is no registration. What a module consists of are the `Parameter`s, the `Buffer`s, the modules and the
random generators among its attributes, and in its attributes that are lists, tuples or dicts of them, in the
order in which they were assigned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from reprlib import recursive_repr
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from autograd import DeviceError, Tensor
from autograd.devices import as_array, is_foreign, move
from autograd.measured import measured
from autograd.node import data_of, tick
from autograd.wrapping import wrap

from ._checks import say_where
from .hooks import Hooks
from .parameter import Buffer, Parameter

__all__ = ["Buffer", "Module", "Parameter"]

M = TypeVar("M", bound="Module")
P = TypeVar("P")


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

    #: Whether the module is being trained: dropout and batch normalisation ask. Set by `train` and `eval`.
    training = True

    _hooks: Hooks | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get(name)
        if isinstance(before, _STATE) and value is not None and not isinstance(value, _STATE):
            raise TypeError(
                f"{type(self).__name__}.{name} is a {type(before).__name__}, and would no longer be one: to change its "
                f"values, assign to its .data (`{name}.data = values`), or write `with no_grad():` around an update "
                "in place (`w -= step`)."
            )
        super().__setattr__(name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. Call the module itself, not this."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, …): define what it computes.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        hooks, start = self._hooks, tick()
        try:
            output = self.forward(*args, **kwargs) if hooks is None else hooks.call(self, args, kwargs)
        except (ValueError, DeviceError) as error:
            say_where(self, error)
            raise
        if output.__class__ is Tensor:
            node = output._node
            if node is not None and node.index > start:
                node.calls = (ref(self), type(self), start, node.calls)
        elif output.__class__ in _SEVERAL:
            for part in output.values() if output.__class__ is dict else output:
                if isinstance(part, Tensor) and part.requires_grad and part.node.index > start:
                    part.node.calls = (ref(self), type(self), start, part.node.calls)
        return output

    # What it consists of

    def named_members(self) -> Iterator[tuple[str, Any]]:
        """The parameters, buffers, modules and generators directly in this module; in a list `w`, 'w.0', 'w.1'."""
        return _members(vars(self))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly inside this one, with their names; one in a list `layers` is `layers.0`."""
        for name, part in self.named_members():
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

    def _named(self, kind: type[P]) -> Iterator[tuple[str, P]]:
        """What is of a kind in this module and all inside it, each once, under its first name."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, part in module.named_members():
                if isinstance(part, kind) and id(part) not in seen:
                    seen.add(id(part))
                    yield (f"{prefix}.{name}" if prefix else name), part

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, such as 'linear1.weight'; a shared one once, under its first name.

        Examples
        --------
        >>> import nn
        >>> [name for name, _ in nn.MLP([2, 3, 1]).named_parameters()]
        ['linear1.weight', 'linear1.bias', 'linear2.weight', 'linear2.bias']
        """
        return self._named(Parameter)

    def parameters(self) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer takes."""
        for _, parameter in self.named_parameters():
            yield parameter

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """The buffers with their names, such as 'norm.running_mean'; a shared one once."""
        return self._named(Buffer)

    def buffers(self) -> Iterator[Buffer]:
        """The buffers, each once."""
        for _, buffer in self.named_buffers():
            yield buffer

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """The random generators with their names, such as 'dropout.rng': the state that no weight file holds."""
        return self._named(np.random.Generator)

    # State

    def state_dict(self) -> dict[str, Any]:
        """A copy of the values of each parameter and buffer, by name: plain arrays, where the module is.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 1, init="zeros").state_dict()
        {'weight': array([[0., 0.]], dtype=float32), 'bias': array([0.], dtype=float32)}
        """
        return {name: tensor.data.copy() for name, tensor in self._state().items()}

    def _state(self) -> dict[str, Tensor]:
        """The parameters and buffers by name."""
        state: dict[str, Tensor] = {}
        for name, tensor in self._named(Tensor):
            if name in state:
                raise ValueError(
                    f"{type(self).__name__} has two tensors called {name!r} (from the keys 0 and '0' of a dict, or a "
                    "key with a dot): rename one, or a file could hold only one of them."
                )
            state[name] = tensor
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the values of `state` into the parameters and buffers, in place. They may be on another device.

        Parameters
        ----------
        state : mapping
            An array of the same shape and dtype for the name of each parameter and buffer, and nothing else. A
            shared one has one name here; it may come under its other names too, if the values agree.

        Raises
        ------
        ValueError
            Naming all that is missing, unexpected, or of another shape or dtype. Nothing is changed then.
        TypeError
            If `state` is not a mapping.
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"a state is a mapping of names to arrays, as state_dict() returns it, got {type(state).__name__}."
            )
        own = self._state()
        faults = [f"missing: {name} {t.dtype}{list(t.shape)}" for name, t in own.items() if name not in state]
        faults += self._unexpected(state, own)
        for name, tensor in own.items():
            if name in state:
                value = state[name]
                shape, dtype = np.shape(value), getattr(value, "dtype", None)
                if shape != tensor.shape or dtype != tensor.dtype:
                    faults.append(
                        f"{name}: expected {tensor.dtype}{list(tensor.shape)}, "
                        f"got {type(value).__name__ if dtype is None else dtype}{list(shape)}"
                    )
        if faults:
            raise ValueError(
                f"this state does not fit {type(self).__name__}, and nothing was loaded:\n  " + "\n  ".join(faults)
            )
        values = {name: move(as_array(data_of(state[name]), copy=True), t.device) for name, t in own.items()}
        for name, tensor in own.items():
            tensor.data = values[name]

    def _unexpected(self, state: Mapping[str, Any], own: Mapping[str, Tensor]) -> list[str]:
        """The names in `state` that mean nothing here, and other names of shared tensors that contradict the first."""
        extra = [name for name in state if name not in own]
        if not extra:
            return []
        first = {id(tensor): name for name, tensor in own.items()}
        aliases = {name: first[id(tensor)] for name, tensor in _paths(self, ()) if name not in own}
        faults = []
        for name in extra:
            shared = aliases.get(name)
            if shared is None:
                faults.append(f"unexpected: {name}")
            elif shared in state and not np.array_equal(_near(state[name]), _near(state[shared]), equal_nan=True):
                faults.append(f"{name} is shared with {shared} here, and holds other values")
        return faults

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all inside it into training mode (or out of it); returns the module."""
        if not isinstance(mode, bool | np.bool_):
            raise TypeError(f"the mode is True for training or False for evaluation, got {mode!r}.")
        mode = bool(mode)
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

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze all parameters (False), or have them learnt again (True); returns the module.

        Frozen parameters get no gradient, cost nothing in a backward pass, and optimizers pass them over.

        Examples
        --------
        >>> import nn
        >>> model = nn.MLP([4, 3, 1])
        >>> _ = model.linear1.requires_grad_(False)
        >>> [name for name, p in model.named_parameters() if p.requires_grad]
        ['linear2.weight', 'linear2.bias']
        """
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call `function` with each module inside this one, and with this one at last; returns the module.

        Examples
        --------
        >>> import nn
        >>> def small(module):
        ...     if isinstance(module, nn.Linear):
        ...         module.weight.data *= 0.1
        >>> model = nn.MLP([4, 3, 1]).apply(small)
        """
        for module in _innermost_first(self, set()):
            function(module)
        return self

    def to(self: M, device: Any = None, dtype: Any = None) -> M:
        """Move all parameters and buffers to a device, or convert the floating ones; returns the module.

        The parameters stay the same objects; those that change forget their gradients. What an optimizer has remembered
        of them follows to another device, in its next step; for another dtype, make a new optimizer.

        Parameters
        ----------
        device : str, optional
            'cpu', 'cuda' or 'cuda:N'. A dtype may stand in its place.
        dtype : dtype, optional
            Of floating or complex numbers. Integer buffers keep theirs.

        Raises
        ------
        DeviceError
            If the device cannot be used. Nothing is moved then.
        TypeError
            If the dtype is not one of floating numbers, or real where there are complex parameters.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 1).to("float64").weight.dtype
        dtype('float64')
        """
        if dtype is None and device is not None and not _names_device(device):
            device, dtype = None, device
        kind = None if dtype is None else np.dtype(dtype)
        if kind is not None and kind.kind not in "fc":
            raise TypeError(f"parameters are floating or complex numbers, and cannot become {kind}.")
        tensors = [tensor for _, tensor in self._named(Tensor)]
        changed = []
        for tensor in tensors:
            array = tensor.data if device is None else move(tensor.data, device)
            if kind is not None and array.dtype.kind in "fc" and array.dtype != kind:
                if array.dtype.kind == "c" != kind.kind:
                    raise TypeError(f"complex parameters would lose their imaginary part as {kind}.")
                array = array.astype(kind)
            if array is not tensor.data:
                moved = wrap(array)
                moved.requires_grad = tensor.requires_grad
                moved.node.notes = tensor.node.notes  # its name and its hooks
                changed.append((tensor, moved))
        for tensor, moved in changed:  # once there is memory for all of them
            tensor._array, tensor._node = moved._array, moved._node
        return self

    def cuda(self: M, n: int | None = None) -> M:
        """`module.to('cuda:n')`; without a number, to the GPU that is in use, if it is on none yet."""
        return self.to("cuda" if n is None else f"cuda:{n}")

    def cpu(self: M) -> M:
        """`module.to('cpu')`.

        Examples
        --------
        >>> import nn
        >>> model = nn.MLP([2, 3, 1])
        >>> model.cpu() is model
        True
        """
        return self.to("cpu")

    # Hooks

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> Callable[[], None]:
        """Call `hook(module, args)` before each `forward`; what it returns, if not None, takes the place of `args`.

        Returns
        -------
        callable
            Call it to remove the hook.
        """
        return self._own_hooks().add("before", hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> Callable[[], None]:
        """Call `hook(module, args, output)` after each `forward`; a result that is not None replaces the output.

        Returns
        -------
        callable
            Call it to remove the hook.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> layer = nn.Linear(2, 3)
        >>> remove = layer.register_forward_hook(lambda module, args, output: print(args[0].shape, output.shape))
        >>> _ = layer(np.zeros((5, 2), dtype=np.float32))
        (5, 2) (5, 3)
        >>> remove()
        """
        return self._own_hooks().add("after", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> Callable[[], None]:
        """Call `hook(module, grad_input, grad_output)` in each backward pass through this module.

        Parameters
        ----------
        hook : callable
            Gets two tuples: the gradients of the loss with respect to the positional arguments of `forward` (None for
            one that requires none) and to its outputs (None for one that the loss does not depend on). They are plain
            arrays, and Tensors under `create_graph`. It must not change them; what it returns, if not None, takes the
            place of `grad_input`.

        Returns
        -------
        callable
            Call it to remove the hook.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> layer = nn.Sigmoid()
        >>> remove = layer.register_full_backward_hook(lambda module, g_in, g_out: print(g_out[0], g_in[0]))
        >>> layer(nn.Parameter([0.0])).sum().backward()
        [1.] [0.25]

        Notes
        -----
        As in PyTorch, the hook is called when the pass reaches the arguments, so not by `gradient` with respect to
        parameters alone; where no argument requires a gradient, when the pass reaches the output.
        """
        return self._own_hooks().add("backward", hook)

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

    def extra_repr(self) -> str:
        """What the repr shows in the parentheses after the class name."""
        return ""

    @recursive_repr()  # one inside may refer back to the module that it is in
    def __repr__(self) -> str:
        lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        inside = "".join(f"\n  {line}" for line in lines)
        return f"{type(self).__name__}({self.extra_repr()}{inside}\n)"

    def _repr_html_(self) -> str:
        from .display import module_html

        return module_html(self)


measured(Module, "__call__", "module")

_STATE = (Parameter, Buffer)
_SEVERAL = frozenset({list, tuple, dict})
_MEMBERS = (*_STATE, Module, np.random.Generator)


def _members(container: Any) -> Iterator[tuple[str, Any]]:
    """What a module consists of among the items of a dict, list or tuple, and in such containers in it."""
    items = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in items:
        if isinstance(value, _MEMBERS):
            yield str(key), value
        elif isinstance(value, dict | list | tuple):
            for name, part in _members(value):
                yield f"{key}.{name}", part


def _innermost_first(module: Module, seen: set[int]) -> Iterator[Module]:
    """All modules inside this one, each once and after all that it consists of; then this one."""
    seen.add(id(module))
    for _, child in module.named_children():
        if id(child) not in seen:
            yield from _innermost_first(child, seen)
    yield module


def _paths(module: Module, inside: tuple[Module, ...]) -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers under all their names."""
    for name, part in module.named_members():
        if isinstance(part, _STATE):
            yield name, part
        elif isinstance(part, Module) and part not in inside and part is not module:
            for rest, tensor in _paths(part, (*inside, module)):
                yield f"{name}.{rest}", tensor


def _near(value: Any) -> Any:
    """A value of a state on the CPU."""
    value = data_of(value)
    return move(value, "cpu") if is_foreign(value) else value


def _names_device(value: Any) -> bool:
    """Whether a string is meant as a device: anything that is not the name of a dtype."""
    if not isinstance(value, str):
        return False
    try:
        np.dtype(value)
    except TypeError:
        return True
    return False
