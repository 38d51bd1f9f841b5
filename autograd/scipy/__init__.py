"""SciPy's functions for Tensors: `autograd.scipy.special`. A namespace; the rules are in `autograd.rules.special`."""

from __future__ import annotations

import sys
from importlib import import_module
from types import FrameType
from typing import Any

__all__ = ["special"]


def __getattr__(name: str) -> Any:
    if name == "special":  # when it is asked for: it imports SciPy
        return import_module(f"{__name__}.special")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
        return f"{told}: use autograd.{called}, which does not."
    return f"{told}."
