"""Lion: the sign of an averaged gradient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import Kernel

from .adam import check_betas
from .kernels import LION
from .optimizer import Optimizer

__all__ = ["Lion"]


class Lion(Optimizer):
    """Evolved sign momentum: each weight moves by ±α, so that a learning rate of a third to a tenth of Adam's fits.

        w ← w − α (sign(β₁ m + (1 − β₁) g) + λ w)
        m ← β₂ m + (1 − β₂) g

    It remembers one array where Adam remembers two. (Chen et al., "Symbolic discovery of optimization algorithms",
    2023.)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Parameters, or groups of them with hyper-parameters of their own: see `Optimizer`.
    lr : float
        The learning rate α, at least 0.
    betas : tuple of float
        β₁ and β₂, each in [0, 1).
    weight_decay : float
        λ, at least 0: decoupled, as in `AdamW`.
    l1 : float
        μ, at least 0: the gradient of μ ‖w‖₁ is added to g.
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
    >>> w = Tensor([4.0, -0.1, 0.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.Lion([w], lr=0.5).step()
    >>> w.data
    array([3.5, 0.4, 0. ])
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay, l1=l1, maximize=maximize)

    def check(self, group: Mapping[str, Any]) -> None:
        check_betas(group)

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return ("exp_avg",)

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        beta1, beta2 = map(float, group["betas"])
        return float(group["lr"]), 1 - beta1, 1 - beta2

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        return LION, c

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        lr, share1, share2 = c
        (m,) = slots
        ahead = np.subtract(g, m, out=np.empty_like(scratch))
        ahead *= share1
        ahead += m
        np.sign(ahead, out=scratch)  # not in place: NumPy is far slower then
        scratch *= lr
        w -= scratch
        np.subtract(g, m, out=scratch)
        scratch *= share2
        m += scratch
