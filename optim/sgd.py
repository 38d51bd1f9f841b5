"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor

from .optimizer import Optimizer, require

__all__ = ["SGD"]


class SGD(Optimizer):
    """(Stochastic) gradient descent, w ← w − α g, with momentum in either of its two forms.

    With the gradient g (plus λ w, if there is weight decay λ) and the velocity v, which starts at 0:

    ==============  ==========================  =============  ==================
    `form`          velocity                    update         with `nesterov`
    ==============  ==========================  =============  ==================
    'classical'     v ← β v + g                 w ← w − α v    w ← w − α (g + β v)
    'average'       v ← β v + (1 − β) g         w ← w − α v    w ← w − α ((1 − β) g + β v)
    ==============  ==========================  =============  ==================

    The classical form is that of Polyak (1964) and of PyTorch. The average form is the lecture's: v is the
    exponentially weighted average of the gradients. With α' = α / (1 − β) it takes the same steps.

    Parameters
    ----------
    params : iterable of Tensor
        See `Optimizer`.
    lr : float
        The learning rate α, at least 0.
    momentum : float
        β in [0, 1); 0 is plain gradient descent.
    form : {'classical', 'average'}
        How the velocity is kept.
    nesterov : bool
        Look ahead along the velocity (Nesterov 1983, in the form of Sutskever et al. 2013). Needs momentum.
    weight_decay : float
        λ, at least 0: the gradient of (λ/2) ‖w‖² is added, so that w ← (1 − α λ) w − α g without momentum.

    Raises
    ------
    ValueError
        For a hyper-parameter outside its range.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> descent = optim.SGD([w], lr=0.25)
    >>> for _ in range(2):
    ...     descent.zero_grad()
    ...     (w * w).sum().backward()
    ...     descent.step()
    >>> w.data
    array([1.])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        momentum: float = 0.0,
        form: str = "classical",
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        require(lr >= 0, f"the learning rate must be at least 0, got lr={lr}.")
        require(0 <= momentum < 1, f"momentum must be in [0, 1), got {momentum}.")
        require(form in ("classical", "average"), f"form must be 'classical' or 'average', got {form!r}.")
        require(not nesterov or momentum > 0, "nesterov=True looks ahead along the velocity: it needs momentum > 0.")
        require(weight_decay >= 0, f"weight_decay must be at least 0, got {weight_decay}.")
        super().__init__(params)
        self.lr, self.momentum, self.form = lr, momentum, form
        self.nesterov, self.weight_decay = nesterov, weight_decay

    def update(self, w: Any, g: Any, state: Any) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * w
        beta = self.momentum
        if not beta:
            w -= self.lr * g
            return None
        v = np.zeros_like(w) if state is None else state
        if self.form == "average":
            g = (1 - beta) * g
        v *= beta
        v += g
        w -= self.lr * (g + beta * v if self.nesterov else v)
        return v

    def __repr__(self) -> str:
        return (
            f"SGD({len(self.params)} parameters, lr={self.lr}, momentum={self.momentum}, form={self.form!r}, "
            f"nesterov={self.nesterov}, weight_decay={self.weight_decay})"
        )
