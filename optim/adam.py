"""Adam and its relatives: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor

from .optimizer import Optimizer, require

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: steps along the averaged gradient, scaled by the averaged square.

    With the gradient g at a parameter's update number t, and averages m and v that start at 0:

        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        w ← w − α (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    The divisions by 1 − βᵗ undo that the averages start at zero. (Kingma and Ba, "Adam: a method for stochastic
    optimization", 2015.) With `amsgrad`, the greatest v so far takes the place of v (Reddi, Kale and Kumar, "On the
    convergence of Adam and beyond", 2018).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Parameters, or groups of them with hyper-parameters of their own: see `Optimizer`.
    lr : float
        The learning rate α, at least 0.
    betas : tuple of float
        β₁ and β₂, each in [0, 1).
    eps : float
        ε, at least 0.
    weight_decay : float
        λ, at least 0: the gradient of (λ/2) ‖w‖² is added, and so scaled as the gradient is; see `AdamW`.
    amsgrad : bool
        Whether the steps are never scaled up again.
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
    >>> w = Tensor([4.0, -0.1], requires_grad=True)
    >>> adam = optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> adam.step()  # the first step is α long in each direction, however large the gradient
    >>> w.data.round(6)
    array([3.5, 0.4])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "l1": l1,
                "maximize": maximize,
            },
        )

    def check(self, group: Mapping[str, Any]) -> None:
        check_betas(group)

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        beta1, beta2 = map(float, group["betas"])
        return float(group["lr"]) / (1 - beta1**t), 1 - beta1, beta2, 1 / math.sqrt(1 - beta2**t), float(group["eps"])

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        step, share1, beta2, correction, eps = c
        m, v = slots[:2]
        np.subtract(g, m, out=scratch)
        scratch *= share1
        m += scratch
        np.multiply(g, g, out=scratch)
        scratch *= 1 - beta2
        v *= beta2
        v += scratch
        if len(slots) == 3:
            v = np.maximum(slots[2], v, out=slots[2])
        np.sqrt(v, out=scratch)
        scratch *= correction
        scratch += eps
        np.divide(m, scratch, out=scratch)
        scratch *= step
        w -= scratch


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 − α λ) w, and then Adam's step without it.

    In `Adam` the decay is divided by √v like the gradient, so that it hardly acts on weights with large gradients; here
    it acts on all alike. (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.)

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, l1, maximize
        As for `Adam`.
    weight_decay : float
        λ, at least 0.

    Examples
    --------
    >>> import numpy as np
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> w.grad = np.zeros(1)
    >>> optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w.data
    array([3.8])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, l1=l1, maximize=maximize)

    decoupled = True


def check_betas(group: Mapping[str, Any]) -> None:
    """Raise ValueError unless both averages and ε are as they must be."""
    betas = group["betas"]
    require(
        len(betas) == 2 and all(0 <= beta < 1 for beta in betas), f"betas must be two numbers in [0, 1), got {betas}."
    )
    require(group["eps"] >= 0, f"eps must be at least 0, got {group['eps']}.")
