"""wengert: tape-based reverse-mode automatic differentiation on NumPy and CuPy.

A `Tensor` is an array that records what is done to it; `loss.backward()` walks that record, the tape, in
reverse and leaves a gradient in `.grad` of each leaf. Ordinary NumPy code works on Tensors as it stands.

>>> import numpy as np
>>> from autograd import Tensor
>>> w = Tensor([0.5, -1.0], requires_grad=True)
>>> loss = np.log(1 + np.exp(-(w @ np.array([2.0, 1.0]))))
>>> loss.backward()
>>> w.grad
array([-1. , -0.5])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._other import answer_for_theirs, refuse_mixture

refuse_mixture(__path__[0])
answer_for_theirs()

from .drawing import draw
from .errors import (
    AnomalyError,
    DeviceError,
    GradientCheckError,
    NonDifferentiableError,
    NoRuleError,
    ReleasedError,
    RendererError,
    StaleError,
    VJPError,
)
from .modes import detect_anomaly, enable_grad, is_grad_enabled, keep_values, no_grad
from .primitive import define
from .rules.gates import stop_gradient, straight_through
from .rules.stable import logsumexp, sigmoid, softplus
from .tape import Tape
from .tensor import Tensor

if TYPE_CHECKING:
    from .derivation import explain
    from .gradcheck import check_gradients
    from .page import view
    from .profiling import profile
    from .transforms import (  # type: ignore[no-redef]  # a module there is called like its function
        checkpoint,
        deriv,
        elementwise_grad,
        flatten,
        grad,
        grad_and_aux,
        grad_named,
        hessian,
        hessian_tensor_product,
        hessian_vector_product,
        holomorphic_grad,
        jacobian,
        make_ggnvp,
        make_hvp,
        make_jvp,
        make_vjp,
        multigrad_dict,
        tensor_jacobian_product,
        value_and_grad,
        vector_jacobian_product,
    )

__version__ = "0.1.0"

#: The name of the distribution: `nn` and `optim` look for it, since another one installs an `autograd` too.
__distribution__ = "wengert"

__all__ = [
    "AnomalyError",
    "DeviceError",
    "GradientCheckError",
    "NoRuleError",
    "NonDifferentiableError",
    "ReleasedError",
    "RendererError",
    "StaleError",
    "Tape",
    "Tensor",
    "VJPError",
    "check_gradients",
    "checkpoint",
    "define",
    "deriv",
    "detect_anomaly",
    "draw",
    "elementwise_grad",
    "enable_grad",
    "explain",
    "flatten",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "is_grad_enabled",
    "jacobian",
    "keep_values",
    "logsumexp",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "no_grad",
    "profile",
    "sigmoid",
    "softplus",
    "stop_gradient",
    "straight_through",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
    "view",
]

#: Where the names are that are loaded when they are asked for, so that `import autograd` is quick; else in transforms.
_ELSEWHERE = {"check_gradients": "gradcheck", "explain": "derivation", "profile": "profiling", "view": "page"}


def __getattr__(name: str) -> Any:
    """What is in `_ELSEWHERE`, and the transforms."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_ELSEWHERE.get(name, 'transforms')}", __name__)
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
