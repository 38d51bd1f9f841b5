"""The rules, by NumPy family: each file reads like a table of derivatives.

A rule is plain NumPy. In a pass that is recorded it is called with Tensors, so what it does is recorded
too, and derivatives of any order follow; called with CuPy arrays it runs on the GPU. See `primitive.py`
for the notation, and CONTRIBUTING.md for how to add one.

The families that every program uses are loaded with the package; the others when the first function is
met that has no rule in these, so that `import autograd` stays quick.
"""

import sys
from functools import cache
from importlib import import_module

from . import arrange, constant, elementwise, index, product, reduce, stable

__all__ = ["arrange", "complete", "constant", "elementwise", "index", "product", "reduce", "stable"]

#: The families that are loaded when they are needed.
_LATER: tuple[str, ...] = (
    "trigonometric",
    "exponential",
    "piecewise",
    "bessel",
    "fft",
    "einsum",
    "products",
    "convolution",
    "polynomial",
    "interpolation",
    "linalg",
    "ranges",
    "scan",
    "nan",
    "order",
    "differences",
    "statistics",
    "rearrange",
    "diagonal",
    "join",
    "pad",
    "gather",
    "write",
)


@cache
def _load(family: str) -> None:
    import_module(f"{__name__}.{family}")


def complete() -> None:
    """Load the rules that are not loaded yet; those for SciPy's functions only if SciPy's are there."""
    for family in _LATER:
        _load(family)
    if "scipy.special" in sys.modules:
        _load("special")
