"""The entries of a tape: `Node`, one recorded operation, and `Leaf`, one input of the graph.

A Tensor points to its node; a node never points to its own Tensor. So a graph has no cycles and dies,
by reference count alone, with the last Tensor that needs it. What a node knows of its result is in
`shape`, `dtype` and `kind`; what its rules need of the forward pass is in `saved`, and nothing else is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .modes import current_mode

if TYPE_CHECKING:
    from .primitive import Primitive

__all__ = ["Leaf", "Node", "Notes", "Parts", "Value", "data_of", "tick"]

#: The next number of the one counter that orders everything: recorded operations and in-place writes.
tick = itertools.count(1).__next__


class Notes:
    """What few nodes have, and so none carries by itself.

    Attributes
    ----------
    name : str or None
        The name that the user gave to the Tensor.
    site : Site or None
        The user's line that recorded the operation (`detect_anomaly`).
    retain : bool
        Whether a backward pass stores the cotangent of this operation's result in `grad`.
    grad : array or None
        That cotangent.
    hooks : dict
        Functions that see, and may replace, the cotangent.
    value, operands
        The result of the operation, and the arrays that it was called with (`keep_values`); else None.
    """

    __slots__ = ("grad", "hooks", "name", "operands", "retain", "site", "value")

    def __init__(self) -> None:
        self.name: str | None = None
        self.site: Any = None
        self.retain = False
        self.grad: Any = None
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.value: Any = None
        self.operands: tuple[Any, ...] | None = None


class Node:
    """One recorded operation.

    Attributes
    ----------
    primitive : Primitive
        The operation and its rules.
    parents : tuple of (Node or None)
        For each array input, where it came from; None for an input that needs no gradient.
    saved : tuple or None
        What `primitive.saves` names, in its order; None once a backward pass has released it.
    constants : tuple or None
        For each array input that is not in `parents`, what it was, without its values: the `Leaf` of a
        Tensor, (shape, dtype) of a plain array, or the plain number itself. Only drawings read it.
    shape, dtype, kind
        The result's shape, dtype and array type: what its cotangent must have. Of an operation with several
        results: a tuple of shapes, a tuple of dtypes, and `Parts`.
    index : int
        The number on the tape; larger than that of each parent.
    notes : Notes or None
        Name, line, hooks, where there are any.
    calls : tuple or None
        Of the output of a module: a weak reference to the module, its class, the number on the tape at which the call
        began, and the same of the module called just before that has this output too, or None. Only drawings read it.
    """

    __slots__ = ("calls", "constants", "dtype", "index", "kind", "notes", "parents", "primitive", "saved", "shape")

    primitive: Primitive
    parents: tuple[Node | None, ...]
    saved: tuple[Any, ...] | None
    constants: tuple[Any, ...] | None
    shape: tuple[int, ...]
    dtype: Any
    kind: Any  # the class; Any, since comparing __class__ with a `type` makes mypy narrow to object
    index: int
    notes: Notes | None
    calls: tuple[Any, type, int, Any] | None

    @property
    def is_leaf(self) -> bool:
        """Whether this is an input of the graph and not an operation."""
        return isinstance(self, Leaf)

    @property
    def name(self) -> str | None:
        """The name that the user gave to the Tensor, if any."""
        return None if self.notes is None else self.notes.name

    def annotate(self) -> Notes:
        """The notes of this node, made on first use."""
        if self.notes is None:
            self.notes = Notes()
        return self.notes

    def __repr__(self) -> str:
        operation = "leaf" if self.is_leaf else self.primitive.name
        label = "" if self.name is None else f" {self.name!r}"
        return f"<Node {self.index}: {operation}{label} {self.described()}>"

    def described(self) -> str:
        """The dtype and shape of the result, as in `float64[3, 4]`; of each result, where there are several."""
        if self.kind is Parts:
            pairs: Any = zip(self.dtype, self.shape)
            return ", ".join(f"{dtype}{list(shape)}" for dtype, shape in pairs)
        return f"{self.dtype}{list(self.shape)}"


class Leaf(Node):
    """An input of the graph: a Tensor that the user made, or a constant that an operation met.

    The gradient of a leaf lives here, not on the Tensor: a backward pass knows nodes, and only nodes.
    """

    __slots__ = ("grad",)

    grad: Any

    def __init__(self, data: Any, index: int | None = None):
        self.primitive = None  # type: ignore[assignment]
        self.parents = ()
        self.saved = ()
        self.constants = None
        self.shape = data.shape
        self.dtype = data.dtype
        self.kind = data.__class__
        self.index = tick() if index is None else index
        self.notes = None
        self.calls = None
        self.grad = None


class Parts:
    """The cotangent of an operation with several results: one for each, None where there is none.

    The Tensors of such an operation do not point to its node but to a node each (a *part* of it), whose VJP
    puts its cotangent into the right place of a `Parts`. These are added up like arrays.

    Attributes
    ----------
    found : dict
        Number of the result -> its cotangent, an array; in a pass that is recorded, a Tensor.
    shape, dtype : tuple
        Those of the node.
    """

    __slots__ = ("_items", "dtype", "found", "shape")

    def __init__(self, found: dict[int, Any], shape: Any, dtype: Any):
        self.found, self.shape, self.dtype = found, shape, dtype
        self._items: tuple[Any, ...] | None = None

    def __add__(self, other: Parts) -> Parts:
        """The sum, made in place: a cotangent of many parts comes in as many pieces, and nobody else has them."""
        for k, g in other.found.items():
            self.found[k] = self.found[k] + g if k in self.found else g
        return self

    @property
    def items(self) -> tuple[Any, ...]:
        """For each result its cotangent, or None. Asked for when it is complete; the same tuple for each rule."""
        if self._items is None:
            self._items = tuple([self.found.get(k) for k in range(len(self.shape))])
        return self._items


class Value:
    """What the engine sees of a Tensor: its array, its node, and whether a gradient is wanted.

    `autograd.Tensor` is this with NumPy's operators and methods on it.
    """

    __slots__ = ("__weakref__", "_array", "_node", "_requires_grad")

    _array: Any
    _node: Node | None
    _requires_grad: bool

    #: Whether this is a `Parameter`, which is written in place also while it is frozen.
    _is_parameter = False

    def _written_in_place(self) -> bool:
        """Whether `x -= v` and `x[i] = v` write into this Tensor's memory: leaves, while nothing is recorded."""
        return (self._requires_grad or self._is_parameter) and self.is_leaf and not current_mode().recording

    @property
    def is_leaf(self) -> bool:
        """Whether this Tensor was made by the user, or at least is not the result of a recorded operation."""
        return self._node is None or isinstance(self._node, Leaf)

    def _described(self) -> Node:
        """The node of this value; a constant gets a leaf on first use."""
        if self._node is None:
            self._node = Leaf(self._array)
        return self._node


def data_of(value: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return value._array if isinstance(value, Value) else value
