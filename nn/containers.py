"""Containers: modules made of other modules, and nothing else.

A module may keep others in plain lists and dicts too; these are for what is a module itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any, overload

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


def _checked(owner: Module, module: Any, name: Any) -> Module:
    if not isinstance(module, Module):
        kind, remedy = type(owner).__name__, "write nn.ReLU() rather than nn.relu or nn.ReLU"
        if isinstance(module, list | tuple):
            remedy = f"write {kind}(*modules) rather than {kind}(modules)"
        raise TypeError(f"{kind} takes modules, got {type(module).__name__} as {name!r}: {remedy}.")
    return module


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    Parameters
    ----------
    *modules : Module
        Or one dict of name -> Module. Without names they are called '0', '1', ….

    Examples
    --------
    >>> import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> net
    Sequential(
      (0): Linear(2 → 3)
      (1): ReLU()
      (2): Linear(3 → 1)
    )
    >>> net[:2]
    Sequential(
      (0): Linear(2 → 3)
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]):
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = dict(modules[0])
        else:
            named = {str(k): module for k, module in enumerate(modules)}  # type: ignore[misc]
        for name, module in named.items():
            _checked(self, module, name)
            if not isinstance(name, str) or name in dir(type(self)) or "." in name or not name:
                raise ValueError(f"{name!r} cannot be the name of a module inside a {type(self).__name__}.")
            vars(self)[name] = module

    def forward(self, x: Any) -> Any:
        for part in vars(self).values():
            if isinstance(part, Module):
                x = part(x)
        return x

    def append(self, module: Module) -> Sequential:
        """Add a module at the end, under the next number; returns the container."""
        name = str(len(self))
        if name in vars(self):
            raise ValueError(f"this {type(self).__name__} has a module called {name!r} that is not at its place.")
        vars(self)[name] = _checked(self, module, name)
        return self

    def __iter__(self) -> Iterator[Module]:
        return (part for part in vars(self).values() if isinstance(part, Module))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        if isinstance(index, slice):
            return Sequential(dict(list(self.named_children())[index]))
        return list(self)[index]

    def __setitem__(self, index: int, module: Module) -> None:
        name = [name for name, _ in self.named_children()][index]
        vars(self)[name] = _checked(self, module, name)


class ModuleList(Module, MutableSequence[Module]):
    """A list of modules that is a module: its owner finds what is in it, and `apply`, `to`, hooks reach it.

    It has no `forward`: its owner says how the modules are used. A plain list does as well for parameters.

    Parameters
    ----------
    modules : iterable of Module

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 1)])
    >>> layers.append(nn.Linear(1, 1))
    >>> [name for name, _ in layers.named_parameters()][:2], len(layers)
    (['0.weight', '0.bias'], 3)
    """

    def __init__(self, modules: Iterable[Module] = ()):
        self._list: list[Module] = []
        self.extend(modules)

    def named_members(self) -> Iterator[tuple[str, Any]]:
        return ((name.removeprefix("_list."), part) for name, part in super().named_members())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> ModuleList: ...
    def __getitem__(self, index: int | slice) -> Module | ModuleList:
        return ModuleList(self._list[index]) if isinstance(index, slice) else self._list[index]

    def __setitem__(self, index: Any, module: Any) -> None:
        if isinstance(index, slice):
            self._list[index] = [_checked(self, m, index) for m in module]
        else:
            self._list[index] = _checked(self, module, index)

    def __delitem__(self, index: int | slice) -> None:
        del self._list[index]

    def __len__(self) -> int:
        return len(self._list)

    def extend(self, modules: Iterable[Module]) -> None:
        """Add modules at the end: all of them, or none if one of them is not a module."""
        self._list += [_checked(self, module, len(self) + k) for k, module in enumerate(modules)]

    def insert(self, index: int, module: Module) -> None:
        self._list.insert(index, _checked(self, module, index))

    __hash__ = Module.__hash__


class ModuleDict(Module, MutableMapping[str, Module]):
    """A dict of modules that is a module, in the order of its keys' insertion.

    Parameters
    ----------
    modules : mapping or iterable of pairs

    Examples
    --------
    >>> import nn
    >>> heads = nn.ModuleDict({"cat": nn.Linear(4, 1), "lion": nn.Linear(4, 1)})
    >>> [name for name, _ in heads.named_parameters()]
    ['cat.weight', 'cat.bias', 'lion.weight', 'lion.bias']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()):
        self._dict: dict[str, Module] = {}
        self.update(modules)

    def named_members(self) -> Iterator[tuple[str, Any]]:
        return ((name.removeprefix("_dict."), part) for name, part in super().named_members())

    def __getitem__(self, key: str) -> Module:
        return self._dict[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.update({key: module})

    def update(  # type: ignore[override]
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = (), /, **named: Module
    ) -> None:
        """Take modules under their names: all of them, or none if there is something wrong with one."""
        modules = dict(modules, **named)
        for key, module in modules.items():
            if not isinstance(key, str) or not key or "." in key:
                raise ValueError(f"{key!r} cannot be the name of a module: names are strings without dots.")
            _checked(self, module, key)
        self._dict.update(modules)

    def __delitem__(self, key: str) -> None:
        del self._dict[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    __hash__ = Module.__hash__
    __eq__ = Module.__eq__
