"""Adagrad, RMSprop and Adadelta: steps scaled by the size that the gradient of each weight has had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.kernels import Kernel

from .kernels import ADADELTA, ADAGRAD, RMSPROP
from .optimizer import Optimizer, require

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

        s ← s + g²
        w ← w − α / (1 + (t − 1) η) · g / (√s + ε)

    (Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Parameters, or groups of them with hyper-parameters of their own: see `Optimizer`.
    lr : float
        The learning rate α, at least 0.
    lr_decay : float
        η, at least 0.
    weight_decay : float
        λ, at least 0: the gradient of (λ/2) ‖w‖² is added.
    initial_accumulator_value : float
        Where s starts, at least 0.
    eps : float
        ε, at least 0.
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
    >>> adagrad = optim.Adagrad([w], lr=1.0)
    >>> for _ in range(2):
    ...     w.grad = w.data  # steps of 4 / √16 and 3 / √(16 + 9)
    ...     adagrad.step()
    >>> w.data.round(6)
    array([2.4])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            l1=l1,
            maximize=maximize,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            require(group[name] >= 0, f"{name} must be at least 0, got {group[name]}.")

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return ("sum",)

    def initial(self, name: str, group: Mapping[str, Any]) -> float:
        return float(group["initial_accumulator_value"])

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        return float(group["lr"]) / (1 + (t - 1) * float(group["lr_decay"])), float(group["eps"])

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        return ADAGRAD, c

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        lr, eps = c
        (s,) = slots
        s += np.multiply(g, g, out=scratch)
        np.sqrt(s, out=scratch)
        scratch += eps
        np.divide(g, scratch, out=scratch)
        scratch *= lr
        w -= scratch


class RMSprop(Optimizer):
    """Steps divided by the root of the averaged square of the gradient.

        v ← ρ v + (1 − ρ) g²
        w ← w − α g / (√v + ε)                                     without momentum
        b ← β b + g / (√v + ε),  w ← w − α b                       with momentum β
        a ← ρ a + (1 − ρ) g, and √(v − a²) in the place of √v      if `centered`

    (Hinton, lecture 6e of "Neural networks for machine learning", 2012; centered: Graves, "Generating sequences with
    recurrent neural networks", 2013.) Where rounding makes v − a² negative, it is 0.

    Parameters
    ----------
    params, lr, weight_decay, l1, maximize
        As for `Adagrad`.
    alpha : float
        ρ in [0, 1).
    eps : float
        ε, at least 0.
    momentum : float
        β in [0, 1).
    centered : bool
        Whether to divide by an estimate of the standard deviation.

    Raises
    ------
    ValueError
        For a hyper-parameter outside its range.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0, -0.1], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.RMSprop([w], lr=0.1, alpha=0.75).step()  # a first step of α / √(1 − ρ), however large the gradient
    >>> w.data.round(6)
    array([3.8, 0.1])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            l1=l1,
            maximize=maximize,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        for name in ("alpha", "momentum"):
            require(0 <= group[name] < 1, f"{name} must be in [0, 1), got {group[name]}.")
        require(group["eps"] >= 0, f"eps must be at least 0, got {group['eps']}.")

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        names = ["square_avg"]
        if group["momentum"]:
            names.append("momentum_buffer")
        if group["centered"]:
            names.append("grad_avg")
        return names

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        return (*(float(group[name]) for name in ("lr", "alpha", "eps", "momentum")), group["centered"])

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        lr, alpha, eps, momentum, centered = c
        return RMSPROP[bool(momentum), bool(centered)], (lr, alpha, 1 - alpha, eps, momentum)

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        lr, alpha, eps, momentum, centered = c
        v = slots[0]
        np.multiply(g, g, out=scratch)
        scratch *= 1 - alpha
        v *= alpha
        v += scratch
        if centered:
            a = slots[-1]
            np.subtract(g, a, out=scratch)
            scratch *= 1 - alpha
            a += scratch
            np.multiply(a, a, out=scratch)
            np.subtract(v, scratch, out=scratch)
            np.maximum(scratch, 0, out=scratch)
            np.sqrt(scratch, out=scratch)
        else:
            np.sqrt(v, out=scratch)
        scratch += eps
        np.divide(g, scratch, out=scratch)
        if momentum:
            b = slots[1]
            b *= momentum
            b += scratch
            np.multiply(b, lr, out=scratch)
        else:
            scratch *= lr
        w -= scratch


class Adadelta(Optimizer):
    """Steps as large as the steps so far, relative to the gradient as the gradients so far: no unit of its own.

        v ← ρ v + (1 − ρ) g²
        d = √(s + ε) / √(v + ε) · g
        s ← ρ s + (1 − ρ) d²
        w ← w − α d

    (Zeiler, "ADADELTA: an adaptive learning rate method", 2012.)

    Parameters
    ----------
    params, weight_decay, l1, maximize
        As for `Adagrad`.
    lr : float
        α, at least 0; 1 is Zeiler's method.
    rho : float
        ρ in [0, 1].
    eps : float
        ε, at least 0: it also sets the size of the first steps.

    Raises
    ------
    ValueError
        For a hyper-parameter outside its range.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> w = Tensor([4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.Adadelta([w], eps=1e-2).step()  # a first step of √ε / √((1 − ρ) g² + ε) · g
    >>> w.data.round(6)
    array([3.684019])
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ):
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, l1=l1, maximize=maximize)

    def check(self, group: Mapping[str, Any]) -> None:
        require(0 <= group["rho"] <= 1, f"rho must be in [0, 1], got {group['rho']}.")
        require(group["eps"] >= 0, f"eps must be at least 0, got {group['eps']}.")

    def slots(self, group: Mapping[str, Any]) -> Sequence[str]:
        return "square_avg", "acc_delta"

    def coefficients(self, group: Mapping[str, Any], t: int) -> Any:
        return float(group["lr"]), float(group["rho"]), float(group["eps"])

    def kernel(self, c: Any, slots: Sequence[Any]) -> tuple[Kernel, Sequence[float]]:
        lr, rho, eps = c
        return ADADELTA, (lr, rho, 1 - rho, eps)

    def update(self, w: Any, g: Any, slots: Sequence[Any], c: Any, scratch: Any) -> None:
        lr, rho, eps = c
        v, s = slots
        np.multiply(g, g, out=scratch)
        scratch *= 1 - rho
        v *= rho
        v += scratch
        d = np.add(s, eps, out=np.empty_like(scratch))
        np.sqrt(d, out=d)
        np.add(v, eps, out=scratch)
        np.sqrt(scratch, out=scratch)
        d /= scratch
        d *= g
        np.multiply(d, d, out=scratch)
        scratch *= 1 - rho
        s *= rho
        s += scratch
        d *= lr
        w -= d
