"""What the operations of a tape are in a network: affine maps, activations, transposed matrices.

All of it can be told from shapes and from the names of operations, also when a backward pass has released the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..node import Leaf, Node, Parts
from .calls import Call

__all__ = [
    "ACTIVATIONS",
    "Affine",
    "affine_of",
    "constants_of",
    "inner_of",
    "is_activation",
    "leaf_of",
    "shape_of",
    "source_of",
    "transposes",
]


def source_of(node: Node, position: int) -> Any:
    """What an input of an operation is: a node; the operation and the position of a plain array; a number.

    None for an optional input that was not given.
    """
    source = node.parents[position]
    if source is None and node.constants is not None:
        constant = node.constants[position]
        return (node, position) if isinstance(constant, tuple) else constant
    return source


class Affine(NamedTuple):
    """One affine map z = x Wᵀ + b, as a layer or by hand: what `source_of` says of x, and the leaves of the others."""

    z: Node
    x: Any
    weight: Leaf | None
    bias: Leaf | None
    rows: bool  #: Whether x comes first, so that its rows are the examples.


#: Functions of one array that can be the activation of a layer.
ACTIVATIONS = frozenset(
    {
        "bounded",
        "exponential_linear",
        "gaussian_gate",
        "gaussian_gate_by_tanh",
        "hardsigmoid",
        "hardswish",
        "log_softmax",
        "logsigmoid",
        "maximum",
        "mish",
        "rectify",
        "relu",
        "sigmoid",
        "silu",
        "smooth_relu",
        "softmax",
        "softplus",
        "softsign",
        "tanh",
    }
)


_ARRANGING = frozenset({"transpose", "matrix_transpose", "reshape"})


def constants_of(node: Node) -> Iterator[Any]:
    """The inputs of an operation that are neither tracked nor numbers."""
    for position, (parent, constant) in enumerate(zip(node.parents, node.constants or ())):
        if parent is None and isinstance(constant, tuple | Node):
            yield source_of(node, position)


def shape_of(node: Node, position: int) -> tuple[int, ...] | None:
    """The shape of an input; None for one that was not given; () for a number."""
    source = node.parents[position]
    if source is None:
        source = None if node.constants is None else node.constants[position]
    if isinstance(source, tuple):
        return source[0]
    return source.shape if isinstance(source, Node) else None if source is None else ()


def inner_of(node: Node) -> Node | None:
    """The one tracked input of an operation that is itself a result, if there is just one."""
    inner = [parent for parent in node.parents if parent is not None and not isinstance(parent, Leaf)]
    return inner[0] if len(inner) == 1 else None


def transposes(node: Node) -> bool:
    """Whether an operation surely turns rows into columns: also without the options, which a backward pass releases."""
    if isinstance(node, Leaf) or node.primitive.name not in ("transpose", "matrix_transpose"):
        return False
    parent = node.parents[0]
    if parent is None or parent.kind is Parts or len(node.shape) != 2 or node.shape != parent.shape[::-1]:
        return False
    n, m = node.shape
    return n != m or node.primitive.name == "matrix_transpose"  # a square matrix may have been left as it was


def affine_of(node: Node) -> Affine | None:
    """What an affine map consists of, if the operation is one: a layer's, or a product of matrices and a bias."""
    if isinstance(node, Leaf) or len(node.parents) < 2:
        return None
    if node.primitive.inputs == ("x", "weight", "bias") and node.primitive.outputs == ("z",):
        x, weight, bias = (source_of(node, k) for k in range(3))
        return Affine(node, x, leaf_of(weight), leaf_of(bias), True)
    if node.primitive.name != "add":
        return None
    for k in (0, 1):
        product = node.parents[k]
        if product is None or isinstance(product, Leaf) or product.primitive.name not in ("matmul", "dot"):
            continue
        bias = source_of(node, 1 - k)
        if not isinstance(bias, Leaf) or product.shape != node.shape:
            continue
        for j in (1, 0):  # by rows, the weight is the second factor
            weight = leaf_of(source_of(product, j))
            if weight is not None and product.parents[j] is not None:
                return Affine(node, source_of(product, 1 - j), weight, bias, j == 1)
    return None


def leaf_of(key: Any) -> Leaf | None:
    """The leaf that this is, or is another shape of."""
    if isinstance(key, Node) and not isinstance(key, Leaf) and key.primitive.name in _ARRANGING:
        key = key.parents[0]
    return key if isinstance(key, Leaf) else None


def is_activation(call: Call) -> bool:
    """Whether a module was called that has nothing to learn, and that applies an activation function."""
    if call.children or len(call.outputs) != 1 or any(True for _ in getattr(call.module, "parameters", tuple)()):
        return False
    return any(node.primitive.name in ACTIVATIONS for node in call.nodes)
