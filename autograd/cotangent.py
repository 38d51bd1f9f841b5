"""The VJP check: a cotangent has exactly its input's shape, dtype and array type, or it is refused.

The engine never repairs a shape. The one exception is declared, not guessed: an operation that
*broadcasts* its inputs (the elementwise family) may return a cotangent of its output's shape, which
`unbroadcast` sums down; one that *promotes* their dtypes may return its output's dtype, which is
converted back. Nothing else is touched: a rule that returns anything else is wrong.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .anomaly import input_of, recorded_at
from .errors import VJPError
from .node import Node, Parts, Value, data_of
from .wrapping import wrap

__all__ = ["own", "settle", "unbroadcast"]


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes along which an array of `shape` was broadcast to `g`'s shape.

    Broadcasting copies a value; the derivative of a copy is the sum over the copies.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.cotangent import unbroadcast
    >>> unbroadcast(np.ones((4, 3)), (3,))
    array([4., 4., 4.])
    >>> unbroadcast(np.ones((4, 3)), (4, 1)).shape
    (4, 1)
    """
    if g.shape == shape:
        return g
    lead = g.ndim - len(shape)
    stretched = tuple(lead + k for k, n in enumerate(shape) if n == 1 and g.shape[lead + k] != 1)
    g = g.sum((*range(lead), *stretched))
    return g.reshape(shape) if stretched else g


def settle(cotangent: Any, node: Node, position: int, record: bool) -> Any:
    """What a rule of `node` returned for one input, undone as declared and checked; or a VJPError.

    Parameters
    ----------
    cotangent
        The array, or the Tensor in a pass that is recorded.
    node : Node
        The operation.
    position : int
        Which of its inputs the cotangent is for.
    record : bool
        Whether the pass is recorded: then the result is a Tensor, else a plain array.

    Raises
    ------
    VJPError
        Naming the operation, the input, what was returned and what was expected.
    """
    primitive, parent = node.primitive, node.parents[position]
    assert parent is not None
    if parent.kind is Parts:
        return cotangent  # made by the engine, of a cotangent that was checked
    if isinstance(cotangent, np.generic) and parent.kind is np.ndarray:
        cotangent = np.asarray(cotangent)  # NumPy's arithmetic on 0-d arrays returns scalars
    array = data_of(cotangent) if record else cotangent
    if array.__class__ is not parent.kind:
        raise _refusal(cotangent, node, position)
    if record and array is cotangent:
        cotangent = wrap(array)
    if primitive.broadcasts and array.shape == node.shape != parent.shape:
        cotangent = unbroadcast(cotangent, parent.shape)
    if primitive.promotes and array.dtype == node.dtype != parent.dtype:
        if node.dtype.kind == "c" != parent.dtype.kind:
            cotangent = cotangent.real
        cotangent = cotangent.astype(parent.dtype)
    if isinstance(cotangent, np.generic):
        cotangent = np.asarray(cotangent)
    if cotangent.shape != parent.shape or cotangent.dtype != parent.dtype:
        raise _refusal(cotangent, node, position)
    return cotangent


def _refusal(cotangent: Any, node: Node, position: int) -> VJPError:
    from .derivation.fitting import rule_with_shapes  # reads formulas, which nothing else here needs

    primitive, parent = node.primitive, node.parents[position]
    assert parent is not None
    called = "" if parent.name is None else f", the Tensor {parent.name!r}"
    array = data_of(cotangent)
    if isinstance(cotangent, Value) and parent.kind is array.__class__ and array.shape == parent.shape:
        got = "a Tensor, which only a pass that is recorded may hold: rules must not refer to Tensors from outside"
    elif hasattr(array, "shape") and hasattr(array, "dtype"):
        got = f"{type(array).__name__} of shape {array.shape}, dtype {array.dtype}"
    else:
        got = f"{type(array).__name__}, which is not an array"
    hint = ""
    if parent.dtype.kind not in "fc":
        hint = f" That input holds {parent.dtype}, which has no gradient: convert the operands, with astype(float)."
    elif getattr(array, "shape", None) == parent.shape[::-1] != parent.shape:
        hint = " The rule's result is transposed."
    elif getattr(array, "shape", None) == node.shape != parent.shape and not primitive.broadcasts:
        hint = (
            " The rule returned the output's shape: if the operation broadcasts its inputs, as a ufunc does, "
            "define it with broadcasts=True."
        )
    elif getattr(array, "shape", None) == parent.shape and array.dtype == node.dtype != parent.dtype:
        hint = (
            " The rule returned the output's dtype: if the operation converts its inputs, define it with promotes=True."
        )
    return VJPError(
        f"the backward rule of {input_of(node, position)}{called} returned a cotangent that does not fit.\n"
        f"  got       {got}\n"
        f"  expected  {parent.kind.__name__} of shape {parent.shape}, dtype {parent.dtype}, as that input\n"
        f"{rule_with_shapes(node, position)}"
        f"The output has shape {node.shape}, dtype {node.dtype}.{hint}{recorded_at(node)}"
    )


def own(array: Any) -> Any:
    """`array` if it is writable, owns its memory and nobody else refers to it; else a copy.

    Two gradients must not share memory, nor may one be a view of a cotangent or of what the user passed
    in. Call it as `own(values.pop(key))`: the array must have no other name. `Parts`, which stay within a backward
    pass, are returned as they are.
    """
    if array.__class__ is Parts:
        return array
    if (
        getattr(array, "base", array) is None  # not so where a library does not say
        and (array.__class__ is not np.ndarray or array.flags.writeable)
        and sys.getrefcount(array) <= _UNSHARED
    ):
        return array
    return array.copy()


def _references(array: Any) -> int:
    return sys.getrefcount(array)


#: What `getrefcount` says inside a function for an argument that nobody else holds, on this Python.
_UNSHARED = _references(np.empty(0))
