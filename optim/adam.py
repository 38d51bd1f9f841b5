"""Adam and its relatives: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import Kernel

from .kernels import ADAM, ADAMAX, AMSGRAD, NADAM, RADAM
from .optimizer import Optimizer, require

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


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
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, l1=l1, maximize=maximize
        )

    def check(self, group: Mapping[str, Any]) -> None:
        check_betas(group)

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        beta1, beta2 = map(float, group["betas"])
        root = math.sqrt(1 - beta2**t)  # above and below the line: that saves a pass over the elements
        return float(group["lr"]) * root / (1 - beta1**t), 1 - beta1, beta2, float(group["eps"]) * root

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        step, share1, beta2, eps = c
        return (AMSGRAD if len(slots) == 3 else ADAM), (step, share1, beta2, 1 - beta2, eps)

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        step, share1, beta2, eps = c
        m, v = slots[:2]
        average(m, v, g, share1, beta2, scratch)
        if len(slots) == 3:
            v = np.maximum(slots[2], v, out=slots[2])
        np.sqrt(v, out=scratch)
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


class _Averaging(Optimizer):
    """What Adam's relatives share: two averages, and the hyper-parameters of them."""

    def check(self, group: Mapping[str, Any]) -> None:
        check_betas(group)

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return "exp_avg", "exp_avg_sq"


class NAdam(_Averaging):
    """Adam with Nesterov's momentum: the averaged gradient of the next step is used already in this one.

    With the averages m and v of `Adam` and μₜ = β₁ (1 − ½ · 0.96^(tψ)):

        w ← w − α ((1 − μₜ) g / (1 − ∏ᵢ₌₁ᵗ μᵢ) + μₜ₊₁ m / (1 − ∏ᵢ₌₁ᵗ⁺¹ μᵢ)) / (√(v / (1 − β₂ᵗ)) + ε)

    (Dozat, "Incorporating Nesterov momentum into Adam", 2016.)

    Parameters
    ----------
    params, lr, betas, eps, l1, maximize
        As for `Adam`.
    weight_decay : float
        λ, at least 0.
    momentum_decay : float
        ψ, at least 0: how fast the momentum grows from β₁ / 2 to β₁.
    decoupled_weight_decay : bool
        Whether weights decay as in `AdamW`, and not through the gradient.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> nadam = optim.NAdam([w], lr=0.5)
    >>> for _ in range(100):
    ...     nadam.zero_grad()
    ...     (w * w).sum().backward()
    ...     nadam.step()
    >>> bool(abs(w.data[0]) < 0.01)
    True
    """

    numbers = ("mu_product",)

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            l1=l1,
            maximize=maximize,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        super().check(group)
        decay = group["momentum_decay"]
        require(decay >= 0, f"momentum_decay must be at least 0, got {decay}.")

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        (beta1, beta2), decay = map(float, group["betas"]), float(group["momentum_decay"])
        mu, following = (beta1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
        lr, correction = float(group["lr"]), 1 / math.sqrt(1 - beta2**t)
        return lr, mu, following, 1 - beta1, beta2, correction, float(group["eps"])

    def individual(self, c: Any, state: dict[str, Any]) -> Any:
        lr, mu, following, *rest = c
        product = state["mu_product"] = state.get("mu_product", 1.0) * mu
        return lr * (1 - mu) / (1 - product), lr * following / (1 - product * following), *rest

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        now, ahead, share1, beta2, correction, eps = c
        return NADAM, (now, ahead, share1, beta2, 1 - beta2, correction, eps)

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        now, ahead, share1, beta2, correction, eps = c
        m, v = slots
        average(m, v, g, share1, beta2, scratch)
        np.sqrt(v, out=scratch)
        scratch *= correction
        scratch += eps
        part = np.divide(g, scratch, out=np.empty_like(scratch))
        part *= now
        w -= part
        np.divide(m, scratch, out=scratch)
        scratch *= ahead
        w -= scratch


class RAdam(_Averaging):
    """Adam that trusts the averaged square only as far as it is known: rectified Adam.

    With the averages m and v of `Adam`, ρ∞ = 2 / (1 − β₂) − 1 and ρₜ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ):

        w ← w − α r m / (1 − β₁ᵗ) · √(1 − β₂ᵗ) / (√v + ε)    if ρₜ > 5
        w ← w − α m / (1 − β₁ᵗ)                              in the first steps, before that

    where r² = (ρₜ − 4) (ρₜ − 2) ρ∞ / ((ρ∞ − 4) (ρ∞ − 2) ρₜ). (Liu et al., "On the variance of the adaptive learning
    rate and beyond", 2020.)

    Parameters
    ----------
    params, lr, betas, eps, l1, maximize
        As for `Adam`.
    weight_decay : float
        λ, at least 0.
    decoupled_weight_decay : bool
        Whether weights decay as in `AdamW`, and not through the gradient.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.RAdam([w], lr=0.1).step()  # the first step is plain descent
    >>> w.data
    array([3.2])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            l1=l1,
            maximize=maximize,
        )

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        beta1, beta2 = map(float, group["betas"])
        correction, limit = 1 - beta2**t, 2 / (1 - beta2) - 1
        length = limit - 2 * t * beta2**t / correction
        rectified = None
        if length > 5:
            ratio = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            rectified = math.sqrt(ratio * correction)
        return float(group["lr"]) / (1 - beta1**t), rectified, 1 - beta1, beta2, float(group["eps"])

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        step, rectified, share1, beta2, eps = c
        scaled = rectified is not None
        return RADAM, (step * rectified if scaled else step, scaled, share1, beta2, 1 - beta2, eps)

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        step, rectified, share1, beta2, eps = c
        m, v = slots
        average(m, v, g, share1, beta2, scratch)
        if rectified is None:
            np.multiply(m, step, out=scratch)
        else:
            np.sqrt(v, out=scratch)
            scratch += eps
            np.divide(m, scratch, out=scratch)
            scratch *= step * rectified
        w -= scratch


class Adamax(_Averaging):
    """Adam with the greatest gradient in the place of the averaged square.

    With the average m of `Adam`, and u that starts at 0:

        u ← max(β₂ u, |g| + ε)
        w ← w − α (m / (1 − β₁ᵗ)) / u

    (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.)

    Parameters
    ----------
    params, lr, betas, eps, l1, maximize
        As for `Adam`.
    weight_decay : float
        λ, at least 0: the gradient of (λ/2) ‖w‖² is added.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.Adamax([w], lr=0.5).step()
    >>> w.data.round(6)
    array([3.5])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, l1=l1, maximize=maximize)

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return "exp_avg", "exp_inf"

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        beta1, beta2 = map(float, group["betas"])
        return float(group["lr"]) / (1 - beta1**t), 1 - beta1, beta2, float(group["eps"])

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        return ADAMAX, c

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        step, share1, beta2, eps = c
        m, u = slots
        np.subtract(g, m, out=scratch)
        scratch *= share1
        m += scratch
        np.abs(g, out=scratch)
        scratch += eps
        u *= beta2
        np.maximum(u, scratch, out=u)
        np.divide(m, u, out=scratch)
        scratch *= step
        w -= scratch


def average(m: Any, v: Any, g: Any, share1: float, beta2: float, scratch: Any) -> None:
    """Take a gradient into both averages: m ← m + share1 (g − m), v ← β₂ v + (1 − β₂) g²."""
    np.subtract(g, m, out=scratch)
    scratch *= share1
    m += scratch
    np.multiply(g, g, out=scratch)
    scratch *= 1 - beta2
    v *= beta2
    v += scratch


def check_betas(group: Mapping[str, Any]) -> None:
    """Raise ValueError unless both averages, and ε if there is one, are as they must be."""
    betas = group["betas"]
    require(
        isinstance(betas, Sequence) and len(betas) == 2 and all(0 <= beta < 1 for beta in betas),
        f"betas must be two numbers in [0, 1), got {betas}.",
    )
    require(group.get("eps", 0) >= 0, f"eps must be at least 0, got {group.get('eps')}.")
