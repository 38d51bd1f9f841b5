"""The functional API: functions of functions, that return derivatives.

nested.py       lists, tuples and dicts of arrays, and back
variables.py    variables, and the piece of tape between them and a result
run.py          one call of a function with some arguments as variables
derivatives.py  grad and its family
products.py     products with Jacobians and Hessians: make_vjp, make_jvp, make_hvp
matrices.py     these matrices themselves: jacobian, hessian
checkpoint.py   compute again in the backward pass instead of keeping
"""

from .checkpoint import checkpoint
from .derivatives import (
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    holomorphic_grad,
    multigrad_dict,
    value_and_grad,
)
from .matrices import hessian, jacobian, tensor_jacobian_product, vector_jacobian_product
from .nested import flatten
from .products import deriv, hessian_tensor_product, hessian_vector_product, make_ggnvp, make_hvp, make_jvp, make_vjp

__all__ = [
    "checkpoint",
    "deriv",
    "elementwise_grad",
    "flatten",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
]
