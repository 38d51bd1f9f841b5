"""Gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import Kernel

from .kernels import SGD_MOMENTUM, SGD_PLAIN
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
    params : iterable of Tensor, or of dict
        Parameters, or groups of them with hyper-parameters of their own: see `Optimizer`.
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
    l1 : float
        μ, at least 0: the gradient of μ ‖w‖₁ is added.
    maximize : bool
        Ascend.

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
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.0,
        form: str = "classical",
        nesterov: bool = False,
        weight_decay: float = 0.0,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            form=form,
            nesterov=nesterov,
            weight_decay=weight_decay,
            l1=l1,
            maximize=maximize,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        momentum, form = group["momentum"], group["form"]
        require(0 <= momentum < 1, f"momentum must be in [0, 1), got {momentum}.")
        require(form in ("classical", "average"), f"form must be 'classical' or 'average', got {form!r}.")
        require(
            not group["nesterov"] or momentum > 0,
            "nesterov=True looks ahead along the velocity: it needs momentum > 0.",
        )

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return ("momentum_buffer",) if group["momentum"] else ()

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        lr, beta = float(group["lr"]), float(group["momentum"])
        return lr, beta, 1 - beta if group["form"] == "average" else 1.0, group["nesterov"]

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        lr, beta, share, nesterov = c
        return (SGD_MOMENTUM, (lr, beta, share, bool(nesterov))) if slots else (SGD_PLAIN, (lr,))

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        lr, beta, share, nesterov = c
        if not slots:
            w -= np.multiply(g, lr, out=scratch)
            return
        (v,) = slots
        if share != 1:
            g = share * g
        v *= beta
        v += g
        w -= np.multiply(g + beta * v if nesterov else v, lr, out=scratch)
