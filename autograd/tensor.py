"""`Tensor`: an array that remembers where it came from. It holds no mathematics: its operators are the rules'.

The class body is a table: Python's operators and NumPy's methods, each bound to the function in `rules/`
that computes and records it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import protocols, recorder, tape
from .devices import as_array, device_of, move
from .modes import current_mode
from .node import Leaf, Node, Value, data_of
from .primitive import define
from .recorder import unrecorded, wrap
from .rules import arrange, constant, elementwise, index, product, reduce
from .versions import last_written, mark_written

__all__ = ["Tensor"]


def _reflected(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def call(self: Any, other: Any) -> Any:
        return function(other, self)

    return call


def _in_place(operator: Callable[..., Any], write: Any) -> Callable[[Any, Any], Any]:
    """`x += v`: a new value, unless recording is off and `x` is a leaf that is being updated by hand."""

    def call(self: Tensor, other: Any) -> Tensor:
        if self._requires_grad and self.is_leaf and not current_mode().recording:
            write(self._data, data_of(other), out=self._data)
            mark_written(self._data)
            return self
        return operator(self, other)  # type: ignore[no-any-return]

    return call


def _move(x: Any, device: str) -> Any:
    return move(x, device)


_to = define(
    _move, "x; device, back -> y", forward=lambda x, device, back: move(x, device), x=lambda g, back: _back(g, back)
)


def _back(g: Any, device: str) -> Any:
    return g.to(device) if isinstance(g, Tensor) else move(g, device)


class Tensor(Value):
    """An n-dimensional array whose operations are recorded, so that gradients can be asked for.

    Parameters
    ----------
    data : array_like
        Numbers, or an array (of NumPy, or of a library that speaks NumPy's protocols). It is copied.
    requires_grad : bool
        Whether gradients with respect to this Tensor are wanted: it becomes a leaf of the graph. The
        dtype must then be floating or complex.
    dtype : dtype, optional
        As in `np.array`: by default the data's own (Python floats are float64).
    name : str, optional
        Shown in the repr, in drawings and in error messages.

    Raises
    ------
    TypeError
        If the data are not numbers or booleans, or a gradient is wanted of integers or booleans.

    Notes
    -----
    A Tensor is a **value**. `x[i] = v` and `x += v` make a new value and rebind the name (or the Tensor) to
    it; what was computed from the old value before stays true. Under `no_grad`, `w -= step` on a leaf
    writes in place and remembers that it did: a backward pass over a value that is no longer there raises.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> w = Tensor([1.0, 2.0, 3.0], requires_grad=True, name="w")
    >>> loss = np.sum(w * w)
    >>> loss.backward()
    >>> w.grad
    array([2., 4., 6.])
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None, name: str | None = None):
        if isinstance(data, Value):
            if data._requires_grad:
                raise TypeError(
                    "Tensor(t) of a Tensor that requires a gradient would cut it from its graph: "
                    "write t itself, or t.detach() if that is meant."
                )
            data = data._data
        self._data = as_array(data, dtype, copy=True)
        self._node = None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True
        if name is not None:
            self.name = name

    # What it is

    @property
    def data(self) -> Any:
        """The plain array. Assigning replaces the values of a leaf (same shape and dtype) and is noticed.

        `w.data -= step` writes in place: a later backward pass over a result of the old values raises.
        Writing into it in another way (`w.data[0] = 1`) is not noticed: do not do that between forward
        and backward.
        """
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._assign(value)

    def _assign(self, value: Any) -> None:
        """Take new values, of the same shape and dtype, into this Tensor's own memory."""
        if value is not self._data:
            array = value._data if isinstance(value, Value) else as_array(value)
            if array.shape != self._data.shape or array.dtype != self._data.dtype:
                raise ValueError(
                    f"the new values must have shape {self._data.shape} and dtype {self._data.dtype}, "
                    f"got shape {array.shape}, dtype {array.dtype}: make a new Tensor instead."
                )
            if not self.is_leaf:
                raise RuntimeError(
                    f"this Tensor was computed (by {self._described().primitive.name}): its values cannot be replaced. "
                    "Compute a new Tensor, or work on t.detach()."
                )
            self._data[...] = array
        mark_written(self._data)

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The size of the elements in bytes."""
        return self._data.nbytes  # type: ignore[no-any-return]

    @property
    def device(self) -> str:
        """Where the array lives: 'cpu', 'cuda:0', …"""
        return device_of(self._data)

    @property
    def version(self) -> int:
        """A number that grows with each in-place write into the memory of this Tensor; 0 before the first."""
        return last_written(self._data)

    @property
    def name(self) -> str | None:
        """The name that drawings and messages use."""
        return None if self._node is None else self._node.name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"a Tensor's name is a string, got {type(name).__name__}.")
        self._described().annotate().name = name

    @property
    def node(self) -> Node:
        """This Tensor's entry on the tape."""
        return self._described()

    @property
    def is_leaf(self) -> bool:
        """Whether this Tensor was made by the user, or at least is not the result of a recorded operation."""
        return self._node is None or isinstance(self._node, Leaf)

    # Gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded. Can be set on leaves: False freezes a parameter."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError(
                f"requires_grad can be set on leaves only, and this Tensor was computed (by "
                f"{self._described().primitive.name}): use t.detach() for a constant with the same values."
            )
        if wanted and self._data.dtype.kind not in "fc":
            raise TypeError(
                f"only floating or complex numbers have gradients, got dtype {self._data.dtype}: "
                "write Tensor(data, requires_grad=True, dtype=float)."
            )
        self._described()
        self._requires_grad = bool(wanted)

    @property
    def grad(self) -> Any:
        """The gradient that `backward` left here: a plain array of this Tensor's shape, dtype and array type, or None.

        Kept for leaves, and for computed Tensors after `retain_grad`. It can be set, for example to None.
        """
        node = self._node
        if node is None:
            return None
        if isinstance(node, Leaf):
            return node.grad
        return None if node.notes is None else node.notes.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            array = data_of(value)
            if type(array) is not type(self._data) or array.shape != self.shape or array.dtype != self.dtype:
                raise TypeError(
                    f"a gradient is None or a {type(self._data).__name__} of shape {self.shape}, dtype {self.dtype}; "
                    f"got {type(value).__name__} of shape {np.shape(array)}, dtype {getattr(array, 'dtype', None)}."
                )
            value = array
        node = self._described()
        if isinstance(node, Leaf):
            node.grad = value
        else:
            node.annotate().grad = value

    def backward(self, cotangent: Any = None, retain_graph: bool = False) -> None:
        """Compute the gradients of this Tensor and add them to `.grad` of each leaf it depends on.

        Parameters
        ----------
        cotangent : array_like, optional
            What to multiply the Jacobian with, from the left: an array of this Tensor's shape and dtype.
            By default 1, for a Tensor with one element.
        retain_graph : bool
            Keep what the tape saved, so that another pass can go through it.

        Raises
        ------
        RuntimeError
            If this Tensor does not depend on anything that requires a gradient.
        ValueError
            If it has more than one element and no cotangent is given, or the cotangent does not fit.
        ReleasedError
            If an earlier pass has released what is needed.
        StaleError
            If a saved value was overwritten in place since.
        VJPError
            If a rule returns a cotangent that does not fit its input.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward([1.0, 10.0])
        >>> x.grad
        array([ 2., 40.])
        """
        tape.backward(self, cotangent, retain_graph)

    def gradient(
        self, *inputs: Tensor, cotangent: Any = None, create_graph: bool = False, retain_graph: bool | None = None
    ) -> Any:
        """The gradients of this Tensor with respect to `inputs`, returned instead of stored.

        Parameters
        ----------
        *inputs : Tensor
            Leaves or computed Tensors.
        cotangent : array_like, optional
            As in `backward`.
        create_graph : bool
            Record the backward pass: the results can be differentiated again.
        retain_graph : bool, optional
            Keep what the tape saved; by default the value of `create_graph`.

        Returns
        -------
        Tensor or tuple of Tensor
            One for one input, a tuple for several; zeros for an input that this Tensor does not depend on.

        Raises
        ------
        ValueError, ReleasedError, StaleError, VJPError
            As in `backward`; ValueError also for an input that does not require a gradient.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x = Tensor(2.0, requires_grad=True)
        >>> dy = (x**3).gradient(x, create_graph=True)
        >>> dy.item(), dy.gradient(x).item()
        (12.0, 12.0)
        """
        results = tape.gradient(self, inputs, cotangent, create_graph, retain_graph)
        return results[0] if len(inputs) == 1 else results

    def retain_grad(self) -> None:
        """Have `backward` store the gradient of this computed Tensor in `.grad` too."""
        if not self._requires_grad:
            raise RuntimeError("retain_grad() was called on a Tensor that does not require a gradient.")
        if not self.is_leaf:
            self._described().annotate().retain = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call `hook(gradient)` in each backward pass, with this Tensor's complete gradient.

        Parameters
        ----------
        hook : callable
            Gets the gradient (a plain array; a Tensor under `create_graph`), which it must not change; what
            it returns, if not None, takes the gradient's place and must have its shape and dtype.

        Returns
        -------
        callable
            Call it to remove the hook.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x = Tensor([3.0], requires_grad=True)
        >>> remove = x.register_hook(lambda g: g.clip(-1.0, 1.0))
        >>> (x * x).sum().backward()
        >>> x.grad
        array([1.])
        """
        if not self._requires_grad:
            raise RuntimeError("register_hook() was called on a Tensor that does not require a gradient.")
        hooks = self._described().annotate().hooks
        key = max(hooks, default=0) + 1
        hooks[key] = hook
        return lambda: hooks.pop(key, None) and None

    def detach(self) -> Tensor:
        """A constant with the same values (and the same memory), cut from the graph."""
        return wrap(self._data)  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        """Leaves can be copied (`copy.deepcopy`) and pickled: values, requires_grad, name; not the gradient."""
        if not self.is_leaf:
            raise TypeError(
                f"this Tensor was computed (by {self._described().primitive.name}) and cannot be copied or pickled "
                "with its history: use t.detach()."
            )
        return type(self), (self._data, self._requires_grad, None, self.name)

    # Out of the Tensor

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array: this Tensor's own memory on the CPU, a copy from a device.

        Nothing that is done to it is recorded. Do not write into it between forward and backward.
        """
        return move(self._data, "cpu")  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The one element of a Tensor of size 1, as a Python number."""
        if self._data.size != 1:
            raise ValueError(
                f"item() needs a Tensor with one element, got shape {self.shape}: use numpy() or tolist()."
            )
        return self._data.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._data.tolist()

    def to(self, device: str) -> Tensor:
        """This Tensor on 'cpu', 'cuda' or 'cuda:N'; itself if it is there. Gradients come back the same way."""
        here = self.device
        moved = move(self._data, device)
        return self if moved is self._data else _to(self, device, here)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._requires_grad:
            raise TypeError(
                "converting a Tensor that requires a gradient to a NumPy array would lose its history without a word: "
                "write t.numpy() (or t.detach()) if that is meant, or call NumPy's functions on t itself."
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    __array_ufunc__ = protocols.array_ufunc
    __array_function__ = protocols.array_function

    def __repr__(self) -> str:
        shown = self._data if device_of(self._data) in ("cpu",) or self.device.startswith("cuda") else None
        values = (
            repr(self._data)
            if shown is None
            else np.array2string(np.asarray(self.numpy()), separator=", ", prefix="Tensor(")
        )
        parts = [values, f"shape={self.shape}", f"dtype={self.dtype}"]
        if self.device != "cpu":
            parts.append(f"device={self.device!r}")
        if not self.is_leaf:
            parts.append(f"from={self._described().primitive.name}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        return f"Tensor({', '.join(parts)})"

    def __format__(self, specification: str) -> str:
        return (
            format(self.item() if specification and self.size == 1 else str(self) if not specification else self, "")
            if not (specification and self.size == 1)
            else format(self.item(), specification)
        )

    def __bool__(self) -> bool:
        return bool(self._data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        return self._data.__index__()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d Tensor")
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self._data == (data_of(value))).any())

    __hash__ = object.__hash__

    # Operators

    __add__ = elementwise.add
    __radd__ = _reflected(elementwise.add)
    __sub__ = elementwise.subtract
    __rsub__ = _reflected(elementwise.subtract)
    __mul__ = elementwise.multiply
    __rmul__ = _reflected(elementwise.multiply)
    __truediv__ = elementwise.divide
    __rtruediv__ = _reflected(elementwise.divide)
    __matmul__ = product.matmul
    __rmatmul__ = _reflected(product.matmul)
    __rpow__ = _reflected(elementwise.power)
    __neg__ = elementwise.negative
    __pos__ = elementwise.positive
    __abs__ = elementwise.absolute
    __iadd__ = _in_place(elementwise.add, np.add)
    __isub__ = _in_place(elementwise.subtract, np.subtract)
    __imul__ = _in_place(elementwise.multiply, np.multiply)
    __itruediv__ = _in_place(elementwise.divide, np.divide)
    __eq__ = constant.equal
    __ne__ = constant.not_equal
    __lt__ = constant.less
    __le__ = constant.less_equal
    __gt__ = constant.greater
    __ge__ = constant.greater_equal
    __floordiv__ = constant.constant(np.floor_divide)
    __rfloordiv__ = _reflected(constant.constant(np.floor_divide))
    __and__ = constant.constant(np.bitwise_and)
    __rand__ = _reflected(constant.constant(np.bitwise_and))
    __or__ = constant.constant(np.bitwise_or)
    __ror__ = _reflected(constant.constant(np.bitwise_or))
    __xor__ = constant.constant(np.bitwise_xor)
    __rxor__ = _reflected(constant.constant(np.bitwise_xor))
    __invert__ = constant.constant(np.invert)

    def __pow__(self, exponent: Any) -> Tensor:
        if exponent.__class__ in (int, float) and exponent == 2:
            return elementwise.square(self)  # type: ignore[no-any-return]
        return elementwise.power(self, exponent)  # type: ignore[no-any-return]

    def __getitem__(self, key: Any) -> Tensor:
        return index.getitem(self, index.freeze(key))  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take the value of a copy in which `key` is replaced. Costs a copy of the whole."""
        if self._requires_grad and self.is_leaf and current_mode().recording:
            raise RuntimeError(
                "x[i] = v on a leaf that requires a gradient would make it a computed Tensor, and its gradient would "
                "be lost: write y = x * 1.0 and y[i] = v, or, to change a parameter, w.data[i] = v under no_grad."
            )
        key = index.freeze(key)
        if self._requires_grad and self.is_leaf:
            self._data[key] = data_of(value)
            mark_written(self._data)
            return
        target = self._data[key]
        if isinstance(value, Tensor):
            if value._requires_grad and self.dtype.kind not in "fc":
                raise TypeError(
                    f"this Tensor holds {self.dtype}, which has no gradient, and the value that is put into it requires "
                    "one: make it a Tensor of floating numbers first, with x.astype(float)."
                )
            if value.ndim > target.ndim:
                value = arrange.reshape(value, value.shape[value.ndim - target.ndim :])
            if value.shape != target.shape:
                value = arrange.broadcast_to(value, target.shape)
            if value.dtype != self.dtype:
                value = elementwise.astype(value, self.dtype)
        changed = index.put(self, value, key)
        self._data, self._node, self._requires_grad = changed._data, changed._node, changed._requires_grad

    # NumPy's methods

    @property
    def T(self) -> Tensor:
        """The transpose: the axes reversed."""
        return arrange.transpose(self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        """The matrix transpose: the last two axes swapped."""
        return arrange.swapaxes(self, -1, -2)  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part; of a real Tensor, itself."""
        return elementwise.real(self) if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Tensor:
        """The imaginary part."""
        return elementwise.imag(self)  # type: ignore[no-any-return]

    sum = reduce.sum
    mean = reduce.mean
    max = reduce.amax
    min = reduce.amin
    var = reduce.var
    std = reduce.std
    ravel = arrange.ravel
    flatten = arrange.ravel
    swapaxes = arrange.swapaxes
    squeeze = arrange.squeeze
    conj = elementwise.conjugate
    dot = product.dot
    argmax = constant.constant(np.argmax)
    argmin = constant.constant(np.argmin)
    argsort = constant.constant(np.argsort)
    all = constant.constant(np.all)
    any = constant.constant(np.any)
    round = constant.constant(np.round)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """The values, but not less than `min` and not more than `max`."""
        return elementwise.clip(self, min, max)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """The same values in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        return arrange.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        order = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)) else axes or None
        return arrange.transpose(self, order)  # type: ignore[no-any-return]

    def astype(self, dtype: Any) -> Tensor:
        """The values converted to `dtype`; the gradient comes back in this Tensor's own dtype."""
        if np.dtype(dtype) == self.dtype:
            return self
        if np.dtype(dtype).kind not in "fc":
            return unrecorded(self._data.astype(dtype))  # type: ignore[no-any-return]
        return elementwise.astype(self, np.dtype(dtype))  # type: ignore[no-any-return]

    def copy(self) -> Tensor:
        """A new Tensor with the same values; recorded, as multiplying by one would be."""
        return elementwise.positive(self)  # type: ignore[no-any-return]


recorder.results_are(Tensor)
