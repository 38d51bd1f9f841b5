"""`Optimizer`: what all of them share. A subclass says how one parameter is updated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd import Tensor
from autograd.versions import mark_written

__all__ = ["Optimizer"]


class Optimizer:
    """Updates parameters from their gradients. Subclasses define `update`.

    Parameters
    ----------
    params : iterable of Tensor
        Leaves that require gradients, each once: `model.parameters()`.

    Attributes
    ----------
    params : list of Tensor
    state : list
        What the optimizer remembers of each parameter, in their order; None before its first step.

    Raises
    ------
    TypeError
        For a bare Tensor, or things that are not Tensors.
    ValueError
        For an empty list, a Tensor that is not a leaf or needs no gradient, or one given twice.
    """

    def __init__(self, params: Iterable[Tensor]):
        if isinstance(params, Tensor):
            raise TypeError("an optimizer takes a list of parameters, got one Tensor: write [parameter].")
        self.params = list(params)
        if not self.params:
            raise ValueError(
                "an optimizer got no parameters: an iterator such as model.parameters() is empty once it has been used."
            )
        for k, p in enumerate(self.params):
            if not isinstance(p, Tensor):
                raise TypeError(f"an optimizer takes Tensors, got {type(p).__name__} as parameter {k}.")
            if not (p.is_leaf and p.requires_grad):
                raise ValueError(
                    f"parameter {k} is not a leaf that requires a gradient: optimize Tensors made with "
                    "requires_grad=True, not results computed from them."
                )
        if len({id(p) for p in self.params}) < len(self.params):
            raise ValueError("an optimizer got the same parameter twice: it would be updated twice in each step.")
        self.state: list[Any] = [None] * len(self.params)

    def zero_grad(self) -> None:
        """Forget the gradients: `.grad` of each parameter is None again."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Update each parameter that has a gradient, in place.

        A backward pass over a result of the old values raises from then on.
        """
        written = []
        try:
            for k, p in enumerate(self.params):
                g = p.grad
                if g is None:
                    continue
                if g.dtype.kind == "c":
                    g = g.conj()  # the gradient is ∂L/∂x − i ∂L/∂y; the loss rises fastest along ∂L/∂x + i ∂L/∂y
                w = p.data
                written.append(w)
                self.state[k] = self.update(w, g, self.state[k])
        finally:  # also of a step that is interrupted
            if written:
                mark_written(*written)

    def update(self, w: Any, g: Any, state: Any) -> Any:
        """Write the next value into the array `w`, given its gradient `g`; return the parameter's new state.

        The gradient must not be changed.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update(self, w, g, state).")


def require(condition: bool, message: str) -> None:
    """Raise ValueError unless a hyper-parameter is as it must be."""
    if not condition:
        raise ValueError(message)
