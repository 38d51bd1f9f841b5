"""The rules, by NumPy family: each file reads like a table of derivatives.

A rule is plain NumPy. In a pass that is recorded it is called with Tensors, so what it does is recorded
too, and derivatives of any order follow; called with CuPy arrays it runs on the GPU. See `primitive.py`
for the notation, and CONTRIBUTING.md for how to add one.
"""

from . import arrange, constant, elementwise, index, product, reduce, stable

__all__ = ["arrange", "constant", "elementwise", "index", "product", "reduce", "stable"]
