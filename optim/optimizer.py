"""`Optimizer`: what all of them share. A subclass says how the elements of one parameter are updated.

An update is elementwise, so it can be done block by block: see `blocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy import ndarray

import nn
from autograd import Tensor, enable_grad
from autograd.devices import as_array, check_writable, describe, device_of, is_foreign, move
from autograd.kernels import Kernel
from autograd.measured import measured
from autograd.node import data_of
from autograd.versions import mark_written

from .blocks import BLOCK, blocks, flush

__all__ = ["Optimizer"]

#: Hyper-parameters of all optimizers, as they are when nothing is said.
_PLAIN: dict[str, Any] = {"weight_decay": 0.0, "l1": 0.0, "maximize": False}

#: What a schedule adds to a group: a state may have it or not.
_SCHEDULED = {"initial_lr"}

#: After how many steps what is too small to matter is set to zero; see `flush`.
FLUSH_EVERY = 64


class Optimizer:
    """Updates parameters from their gradients. Subclasses define `slots`, `check`, `coefficients` and `update`.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Leaves that require gradients, each once: `model.parameters()`. Or groups of them, each with hyper-parameters of
        its own: `[{"params": head.parameters()}, {"params": body.parameters(), "lr": 0.001}]`. Parameters that are
        frozen are passed over until they require gradients.
    **defaults
        The hyper-parameters of groups that do not say otherwise, beyond those in the table below.

    Attributes
    ----------
    param_groups : list of dict
        'params', a list of Tensors, and the hyper-parameters, which may be changed between steps:
        `optimizer.param_groups[0]["lr"] *= 0.5`.
    state : list of dict
        What is remembered of each parameter, in the order of the groups: 'step', the number of its updates,
        arrays of its shape, and for some optimizers other numbers. Empty before its first update. The arrays are where
        the parameter is: after `model.to(device)`, the next step takes them there.

    Notes
    -----
    All optimizers know `lr`, the learning rate α, and these hyper-parameters, which act before their own formula, in
    this order, on the gradient g:

    ======================  =====================================================================================
    `maximize`              g ← −g: ascent
    `weight_decay`, λ       g ← g + λ w: the gradient of the L2 penalty (λ/2) ‖w‖²; where it is decoupled (`AdamW`, or
                            `decoupled_weight_decay`), w ← (1 − α λ) w instead, outside the optimizer's averages
    `l1`, μ                 g ← g + μ sign(w): the gradient of the L1 penalty μ ‖w‖₁
    ======================  =====================================================================================

    Complex parameters are updated as pairs of real numbers.

    Raises
    ------
    TypeError
        For a bare Tensor, things that are not Tensors, or a hyper-parameter that is not a number where it must be one.
    ValueError
        For an empty list, a Tensor that is not a leaf or needs no gradient, one given twice, or a hyper-parameter
        outside its range.
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[dict[str, Any]], **defaults: Any):
        if isinstance(params, Tensor):
            raise TypeError("an optimizer takes a list of parameters, got one Tensor: write [parameter].")
        if isinstance(params, nn.Module):
            raise TypeError(
                f"an optimizer takes parameters, got the module {type(params).__name__}: write model.parameters()."
            )
        self.defaults = {"lr": 1e-3, **_PLAIN, **defaults}
        self.param_groups: list[dict[str, Any]] = []
        self.state: list[dict[str, Any]] = []
        given = list(params)
        groups: list[Any] = given if given and isinstance(given[0], Mapping) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)
        if not any(p.requires_grad for group in self.param_groups for p in group["params"]):
            raise ValueError("all parameters of this optimizer are frozen: set requires_grad=True on those to learn.")

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take more parameters, with hyper-parameters of their own.

        Parameters
        ----------
        group : dict
            'params', and any hyper-parameters that differ from the optimizer's.
        """
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError('a parameter group is a dict such as {"params": layer.parameters(), "lr": 0.01}.')
        unknown = [name for name in group if name not in self.defaults and name != "params"]
        if unknown:
            raise ValueError(f"{type(self).__name__} has no {unknown[0]!r}; it has {', '.join(self.defaults)}.")
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        if not params:
            raise ValueError(
                "an optimizer got no parameters: an iterator such as model.parameters() is empty once it has been used."
            )
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for k, p in enumerate(params):
            if not isinstance(p, Tensor):
                named = isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str)
                remedy = ": write model.parameters() rather than model.named_parameters()" if named else ""
                raise TypeError(f"an optimizer takes Tensors, got {type(p).__name__} as parameter {k}{remedy}.")
            if not (p.is_leaf and (p.requires_grad or p._is_parameter)):
                raise ValueError(
                    f"parameter {k} is not a leaf that requires a gradient: optimize Tensors made with "
                    "requires_grad=True, not results computed from them."
                )
            if id(p) in known:
                raise ValueError("an optimizer got the same parameter twice: it would be updated twice in each step.")
            check_writable(p.data, "an optimizer")
            known.add(id(p))
        complete = {**self.defaults, **group, "params": params}
        self._check(complete)
        self.param_groups.append(complete)
        self.state += [{} for _ in params]

    def _check(self, group: Mapping[str, Any]) -> None:
        try:
            require(group["lr"] >= 0, f"the learning rate must be at least 0, got lr={group['lr']}.")
            for name in ("weight_decay", "l1", *(_SCHEDULED & group.keys())):
                require(group[name] >= 0, f"{name} must be at least 0, got {group[name]}.")
            self.check(group)
        except TypeError as error:
            raise TypeError(
                f"{type(self).__name__} has a hyper-parameter of another type than a number: {error}, in "
                f"{_without_params(group)}."
            ) from None

    # What a subclass defines

    #: Whether weight decay acts on the parameters themselves, and not through the gradient.
    decoupled = False

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        """The names of the arrays that are remembered of each parameter."""
        return ()

    #: The names of the numbers that are remembered of each parameter, besides 'step'; see `individual`.
    numbers: Sequence[str] = ()

    def initial(self, name: str, group: Mapping[str, Any]) -> float:
        """What the elements of the remembered array `name` are before the first update."""
        return 0.0

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ValueError if a hyper-parameter of the group is not as it must be."""

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        """The numbers of the formula that are the same for all elements, at a parameter's update number `t` ≥ 1."""
        return group

    def individual(self, c: Any, state: dict[str, Any]) -> Any:
        """The coefficients for one parameter, if they depend on `numbers` in its state, which are updated here."""
        return c

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        """Write the next values of some elements of a parameter, and of their state, in place.

        Parameters
        ----------
        w, g : array
            The elements and their gradient, which must not be changed.
        slots : sequence of array
            The state, in the order of `slots()`.
        c
            What `coefficients`, and then `individual`, returned.
        scratch : array
            Of the same shape and dtype, for intermediate results.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(self, w, g, slots, c, scratch).")

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]] | None:
        """The kernel that does what the `update` of the same class does, and the numbers that it takes; or None."""
        return None

    # What it does

    def zero_grad(self) -> None:
        """Forget the gradients: `.grad` of each parameter is None again."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient, in place.

        A backward pass over a result of the old values raises from then on.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss again and its gradients, before the update.

        Returns
        -------
        The result of `closure`, or None.
        """
        loss = None if closure is None else evaluated(closure)
        written: list[Any] = []
        states = iter(self.state)
        try:
            for group in self.param_groups:
                slots, t, c = self.slots(group), -1, None
                plain = not (group["maximize"] or group["weight_decay"] or group["l1"])
                for p, state in zip(group["params"], states):
                    g = p.grad if p._requires_grad else None
                    if g is None:
                        continue
                    w = p._array
                    away = w.__class__ is not ndarray
                    if away:  # moved since
                        check_writable(w, "an optimizer")
                    try:
                        arrays = [state[name] for name in slots]
                        before = state["step"]
                    except KeyError:  # it is the first time
                        arrays, before = self._remembered(w, state, slots, group), state["step"]
                    if arrays and (away or arrays[0].dtype is not w.dtype or arrays[0].__class__ is not ndarray):
                        arrays = _followed(w, state, slots)
                    written.append(w)
                    if before + 1 != t:
                        t = before + 1
                        c = self.coefficients(group, t)
                    small = plain and not away and w.size <= BLOCK
                    if small and g.dtype.kind == "f" and w.flags.c_contiguous:
                        self.update(w, g, arrays, self.individual(c, state), np.empty_like(w))
                    else:
                        self._write(w, g, arrays, None if plain else group, self.individual(c, state))
                    state["step"] = t
                    if not t % FLUSH_EVERY:
                        for array in arrays:
                            flush(array)
        finally:  # also of a step that is interrupted
            if written:
                mark_written(*written)
        return loss

    def _remembered(self, w: Any, state: dict[str, Any], slots: Sequence[str], group: Mapping[str, Any]) -> list[Any]:
        """The arrays of the state of the parameter `w`; those that are not there yet are made."""
        if not state:
            state["step"] = 0
        for name in slots:
            if name not in state:
                array = state[name] = np.zeros(w.shape, w.dtype, like=w)
                start = self.initial(name, group)
                if start:
                    array[...] = complex(start, start) if w.dtype.kind == "c" else start
        return [state[name] for name in slots]

    def _write(self, w: Any, g: Any, slots: Sequence[Any], group: Mapping[str, Any] | None, c: Any) -> None:
        """Update the parameter `w`, in blocks if it is large, with what the group adds to the formula, if anything."""
        if w.__class__ is not ndarray and self._launched(w, g, slots, group, c):
            return
        if not w.flags.c_contiguous:  # a reshaped copy must not be what is written
            copy = w.copy(order="C")
            self._write(copy, g, slots, group, c)
            w[...] = copy
            return
        arrays = [w, g, *slots]
        if g.dtype.kind == "c":
            # The gradient is ∂L/∂x − i ∂L/∂y; the loss rises fastest along ∂L/∂x + i ∂L/∂y.
            arrays = [a.reshape(-1).view(a.real.dtype) for a in (w, g.conj(), *slots)]
        scratch = None
        for w, g, *slots in blocks(*arrays):
            if scratch is None or scratch.shape != w.shape:
                scratch = np.empty_like(w)
            self.update(w, g if group is None else self._regularised(w, g, group), slots, c, scratch)

    def _launched(self, w: Any, g: Any, slots: Sequence[Any], group: Mapping[str, Any] | None, c: Any) -> bool:
        """Whether a kernel has done all that `_write` does, in one pass over the elements."""
        found = self.kernel(c, slots) if _has_kernel(type(self)) else None
        if found is None:
            return False
        kernel, numbers = found
        penalties = (1.0, 1.0, 0.0, 0.0) if group is None else self._penalties(group)
        return kernel(g, *penalties, *numbers, w, *slots) is not None

    def _penalties(self, group: Mapping[str, Any]) -> tuple[float, float, float, float]:
        """By what the gradient is multiplied, and the parameter; the λ and μ that are added to the gradient."""
        sign, decay = -1.0 if group["maximize"] else 1.0, float(group["weight_decay"])
        if group.get("decoupled_weight_decay", self.decoupled):
            return sign, 1 - float(group["lr"]) * decay, 0.0, float(group["l1"])
        return sign, 1.0, decay, float(group["l1"])

    def _regularised(self, w: Any, g: Any, group: Mapping[str, Any]) -> Any:
        """The gradient with those of the penalties; if the decay is decoupled from it, the parameter decays."""
        sign, keep, decay, l1 = self._penalties(group)
        if sign < 0:
            g = -g
        if keep != 1:
            w *= keep
        if decay:
            g = g + decay * w
        return g + l1 * np.sign(w) if l1 else g

    # Its state

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state and the hyper-parameters; a parameter is a number, in the order of the groups.

        Returns
        -------
        dict
            'state', {number: {'step': int, name: array}}, and 'param_groups', the groups with numbers for parameters.
        """
        groups, k = [], 0
        for group in self.param_groups:
            n = len(group["params"])
            groups.append({**deepcopy(_without_params(group)), "params": list(range(k, k + n))})
            for p, state in zip(group["params"], self.state[k : k + n]):
                if state:  # an array that a hyper-parameter has asked for since the last step is not there yet
                    self._remembered(p.data, state, self.slots(group), group)
            k += n
        return {"state": {k: deepcopy(state) for k, state in enumerate(self.state) if state}, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the state and the hyper-parameters of an optimizer of the same kind over the same parameters.

        Arrays of another device are copied to that of their parameter.

        Raises
        ------
        ValueError
            Saying what does not fit. Nothing is changed then.
        """
        name = type(self).__name__
        try:
            groups, states = [dict(group) for group in state["param_groups"]], dict(state["state"])
            theirs = [len(group["params"]) for group in groups]
        except (KeyError, TypeError, ValueError):
            raise ValueError("this is not the state of an optimizer: it needs 'state' and 'param_groups'.") from None
        sizes = [len(group["params"]) for group in self.param_groups]
        if sizes != theirs:
            raise ValueError(f"this {name} has groups of {sizes} parameters, the state has groups of {theirs}.")
        for own, group in zip(self.param_groups, groups):
            if group.keys() - _SCHEDULED != own.keys() - _SCHEDULED:
                raise ValueError(
                    f"this {name} has the hyper-parameters {sorted(own)}, the state has {sorted(group)}: it belongs to "
                    "another optimizer."
                )
            try:
                self._check(group)
            except TypeError as error:
                raise ValueError(f"this is not a state: {error}") from None
        places = [(p, group) for own, group in zip(self.param_groups, groups) for p in own["params"]]
        taken: list[dict[str, Any]] = [{} for _ in places]
        for k, entry in states.items():
            if not isinstance(k, int) or not 0 <= k < len(places):
                raise ValueError(f"the state has an entry {k!r}, but there are {len(places)} parameters.")
            if not isinstance(entry, Mapping):
                raise ValueError(f"the state of parameter {k} is a dict of arrays and numbers, got {entry!r}.")
            taken[k] = self._fitting(entry, *places[k], k) if entry else {}
        for own, group in zip(self.param_groups, groups):
            own.update(deepcopy(_without_params(group)))
        self.state[:] = taken

    def _fitting(self, entry: Mapping[str, Any], p: Tensor, group: Mapping[str, Any], k: int) -> dict[str, Any]:
        """A copy of what a state says of parameter number `k`, if it fits."""
        step = entry.get("step")
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise ValueError(f"the state of parameter {k} has no number of steps.")
        missing = [name for name in (*self.slots(group), *self.numbers) if name not in entry]
        if missing:
            raise ValueError(f"the state of parameter {k} has no {missing[0]}.")
        return {name: self._checked(name, value, p, k) for name, value in entry.items()}

    def _checked(self, name: str, value: Any, p: Tensor, k: int) -> Any:
        """A copy of an entry of the state, if it fits the parameter."""
        if name == "step" or name in self.numbers:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"the state has {name} of parameter {k} as {value!r}, which is not a number.")
            return value
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
        if shape != p.shape or dtype != p.dtype:
            got = repr(value) if shape is None or dtype is None else f"{dtype}{list(shape)}"
            raise ValueError(
                f"the state has {name} of parameter {k} as {got}, but the parameter is {p.dtype}{list(p.shape)}."
            )
        array = np.zeros(p.shape, p.dtype, like=p.data)
        array[...] = move(as_array(data_of(value)), p.device)
        return array

    def __repr__(self) -> str:
        count = sum(len(group["params"]) for group in self.param_groups)
        groups = [_without_params(group) for group in self.param_groups]
        shown = [", ".join(f"{k}={v!r}" for k, v in group.items() if v != _PLAIN.get(k)) for group in groups]
        inside = f"{count} parameters, {shown[0]}" if len(groups) == 1 else f"{count} parameters"
        lines = "".join(f"\n  group {n}: {text}" for n, text in enumerate(shown)) if len(groups) > 1 else ""
        return f"{type(self).__name__}({inside}{lines})"

    def _repr_html_(self) -> str:
        from .display import optimizer_html

        return optimizer_html(self)


measured(Optimizer, "step", "step")


def _has_kernel(optimizer: type[Any]) -> bool:
    """Whether its `update` is of the class that its `kernel` is of: a subclass may have its own formula."""
    return "kernel" in vars(next(base for base in optimizer.__mro__ if "update" in vars(base)))


def evaluated(closure: Callable[[], Any]) -> Any:
    """The loss that a closure computes, with recording on."""
    with enable_grad():
        return closure()


def _followed(w: Any, state: dict[str, Any], slots: Sequence[str]) -> list[Any]:
    """What is remembered of the parameter `w`, on its device; refused if the parameter has been converted since."""
    for name in slots:
        if state[name].dtype != w.dtype:
            raise RuntimeError(
                f"this optimizer remembers {name} as {describe(state[name])} of a parameter that is now {describe(w)}: "
                "after `to(dtype)`, make a new optimizer."
            )
    place = device_of(w)
    if device_of(state[slots[0]]) != place:  # so are the others, and those that are in no slot until later
        state.update({name: move(a, place) for name, a in state.items() if a.__class__ is ndarray or is_foreign(a)})
    return [state[name] for name in slots]


def _without_params(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def require(condition: bool, message: str) -> None:
    """Raise ValueError unless a hyper-parameter is as it must be."""
    if not condition:
        raise ValueError(message)
