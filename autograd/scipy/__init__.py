"""SciPy's functions for Tensors: `autograd.scipy.special`. A namespace; the rules are in `autograd.rules.special`.

SciPy's ufuncs find their rules when they are called on a Tensor. A handful of its functions ask no protocol and convert
their arguments: call those of the namespace, or `patch()` SciPy, so that its own take Tensors too.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Any

from ..node import Value
from ..rules.constant import tracked

__all__ = ["patch", "special"]


def __getattr__(name: str) -> Any:
    if name == "special":  # when it is asked for: it imports SciPy
        return import_module(f"{__name__}.special")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def patch() -> Callable[[], None]:
    """Have SciPy's own functions that convert their arguments take Tensors.

    These are `scipy.special.logsumexp`, `softmax`, `log_softmax`, `polygamma` and the like. Each of them, as an
    attribute of `scipy.special`, then looks for a Tensor among its arguments first; for everything else it is SciPy's
    as before. A name that was imported earlier (`from scipy.special import softmax`) still is the old function.

    Returns
    -------
    callable
        Call it to undo the patch.

    Examples
    --------
    >>> import scipy.special
    >>> import autograd.scipy
    >>> from autograd import Tensor
    >>> undo = autograd.scipy.patch()
    >>> x = Tensor([0.0, 0.0], requires_grad=True)
    >>> scipy.special.logsumexp(x).backward()
    >>> x.grad
    array([0.5, 0.5])
    >>> undo()
    """
    ours, theirs = import_module(f"{__name__}.special"), import_module("scipy.special")
    originals = {}
    for name in theirs.__all__:
        replacement = ours.replaced(name)
        if replacement is not None and not hasattr(getattr(theirs, name), "scipys"):
            originals[name] = getattr(theirs, name)
            setattr(theirs, name, _asking(originals[name], replacement))

    def undo() -> None:
        for name, function in originals.items():
            setattr(theirs, name, function)

    return undo


def _asking(function: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, but `replacement` where there is a Tensor among the arguments."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        asked = any(isinstance(a, Value) for a in given) or tracked(given)
        return (replacement if asked else function)(*args, **kwargs)

    call.scipys = function  # type: ignore[attr-defined]
    return call


def converted_by(frame: FrameType | None) -> str:
    """For an error message: which function of SciPy's asks for a conversion, and what stands for it here, if anything.

    It looks at the names of the calling functions, up to the first one that called SciPy.
    """
    called = ""
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_name
        if module.partition(".")[0] == "scipy":
            package = ".".join(part for part in module.split(".")[:2] if not part.startswith("_"))
            if not name.startswith("_") and hasattr(sys.modules.get(package), name):
                called = f"{package}.{name}"
        elif called:
            break
        frame = frame.f_back
    if not called:
        return ""
    package, _, name = called.rpartition(".")
    told = f" Here {called} converts its argument"
    if package == "scipy.special" and import_module(f"{__name__}.special").replaced(name) is not None:
        return f"{told}: use autograd.{called}, which does not, or call autograd.scipy.patch() first."
    return f"{told}."
