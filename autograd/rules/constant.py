"""Functions without a derivative to speak of: they return integers, booleans or shapes, or are constant piece by piece.

Called with Tensors they run on the arrays, and what they return needs no gradient: the gradient through
`np.sign(x)` is zero wherever it exists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices import check_same_device
from ..errors import NoRuleError
from ..modes import current_mode
from ..node import Value
from ..primitive import REGISTRY
from ..wrapping import unrecorded, unwrap
from .arrange import broadcast_to
from .elementwise import absolute, convert, ratio

__all__ = ["CONSTANT", "constant", "equal", "greater", "greater_equal", "less", "less_equal", "not_equal", "tracked"]

#: NumPy functions through which no gradient flows.
CONSTANT: set[Any] = {
    # comparisons and logic
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not),
    *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert),
    *(np.isfinite, np.isinf, np.isnan, np.isneginf, np.isposinf, np.signbit),
    *(np.isclose, np.allclose, np.array_equal),
    *(np.all, np.any, np.logical_and.reduce, np.logical_or.reduce, np.isin, np.array_equiv),
    getattr(np, "in1d", np.isin),  # before NumPy 2.4
    *(np.iscomplexobj, np.isrealobj, np.iscomplex, np.isreal),
    # positions and counts
    *(np.argmax, np.argmin, np.argsort, np.nonzero, np.flatnonzero, np.argwhere),
    *(np.argpartition, np.lexsort, np.nanargmax, np.nanargmin),
    *(np.count_nonzero, np.searchsorted, np.digitize),
    *(np.unravel_index, np.ravel_multi_index, np.mask_indices),
    *(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from),
    *(np.linalg.matrix_rank, np.einsum_path),
    # shapes and dtypes
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory),
    *(np.broadcast_shapes, np.common_type, np.min_scalar_type),
    *(np.zeros_like, np.ones_like, np.empty_like),
    # constant piece by piece
    *(np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix, np.floor_divide, np.spacing),
    # of integers
    *(np.gcd, np.lcm, np.bitwise_count, np.left_shift, np.right_shift, np.packbits, np.unpackbits),
    # text
    *(np.array_repr, np.array_str, np.array2string),
}


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` on Tensors, without a gradient."""

    def call(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = unwrap(args), unwrap(kwargs)
        try:
            return unrecorded(function(*args, **kwargs))
        except (TypeError, ValueError):
            check_same_device(function.__name__, {f"input {k}": x for k, x in enumerate(args)})
            raise

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    call.__module__ = getattr(function, "__module__", None) or "numpy"  # a ufunc has none before NumPy 2.1
    return call


def tracked(x: Any) -> bool:
    """Whether a gradient could be lost: `x` is a Tensor that requires one, or has such in its lists, tuples, dicts."""
    return current_mode().recording and _holds_tracked(x)


def _holds_tracked(x: Any) -> bool:
    if isinstance(x, Value):
        return x._requires_grad
    if isinstance(x, dict):
        x = tuple(x.values())
    return isinstance(x, list | tuple) and any(map(_holds_tracked, x))


def sign(x: Any, *args: Any, **options: Any) -> Any:
    """`np.sign`: constant piece by piece for real numbers; z / |z| for complex ones."""
    if not tracked(x) or x.dtype.kind != "c":
        return _real_sign(x, *args, **options)
    if args or options:
        raise NoRuleError("np.sign of complex numbers has a rule only without further arguments.")
    return ratio(x, absolute(x))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None
) -> Any:
    """`np.full_like`: what it is filled with may have a gradient, what it is like has none."""
    if not tracked(fill_value):
        return unrecorded(np.full_like(unwrap(a), unwrap(fill_value), dtype, order, subok, shape))
    like = np.empty_like(unwrap(a), dtype, order, subok, shape)
    return broadcast_to(convert(fill_value, like.dtype), like.shape)


_real_sign = constant(np.sign)
REGISTRY[np.sign], REGISTRY[np.full_like] = sign, full_like
equal, not_equal = constant(np.equal), constant(np.not_equal)
less, less_equal = constant(np.less), constant(np.less_equal)
greater, greater_equal = constant(np.greater), constant(np.greater_equal)
