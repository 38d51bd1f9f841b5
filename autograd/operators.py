"""Python's operators and NumPy's methods, as a table: each name is bound to the rule that computes and records it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .devices import check_same_device, check_writable
from .modes import current_mode
from .node import Value, data_of
from .rules import arrange, constant, elementwise, index, product, reduce
from .versions import mark_written
from .wrapping import wrap

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Operators"]


def _reflected(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def call(self: Any, other: Any) -> Any:
        return function(other, self)

    return call


def _through(function: Callable[..., Any], doc: str | None = None) -> Callable[..., Any]:
    """A method that calls a function of NumPy's, which finds its rule by the protocols when it is called."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = doc or f"`np.{function.__name__}` of this Tensor, with the same arguments."
    return call


def _in_place(operator: Callable[..., Any], write: Any) -> Callable[[Any, Any], Any]:
    """`x += v`: a new value, unless recording is off and `x` is a leaf that is being updated by hand."""

    def call(self: Any, other: Any) -> Any:
        if self._written_in_place():
            check_writable(self._array, f"{operator.__name__} under no_grad()")
            try:
                write(self._array, data_of(other), out=self._array)
            except FloatingPointError:  # np.errstate(all="raise"): raised after the values were written
                mark_written(self._array)
                raise
            except (TypeError, ValueError):
                _refuse_mixing(self._array, data_of(other))
                raise
            mark_written(self._array)
            return self
        return operator(self, other)

    return call


def _refuse_mixing(array: Any, value: Any) -> None:
    """Say of a write that failed, if it is so, that the value is on another device."""
    check_same_device("a write in place", {"the Tensor": array, "the value": value})


def _fitted(value: Any, target: Any) -> Any:
    """A Tensor with the shape and dtype of the array elements that it is to replace."""
    if value.requires_grad and target.dtype.kind not in "fc":
        raise TypeError(
            f"this Tensor holds {target.dtype}, which has no gradient, and the value that is put into it requires one: "
            "make it a Tensor of floating numbers first, with x.astype(float)."
        )
    if value.ndim > target.ndim:  # NumPy drops leading axes of length 1
        value = arrange.reshape(value, value.shape[value.ndim - target.ndim :])
    if value.shape != target.shape:
        value = arrange.broadcast_to(value, target.shape)
    return value if value.dtype == target.dtype else elementwise.astype(value, target.dtype)


class Operators(Value):
    """What arithmetic, comparison, indexing and NumPy's methods do to a Tensor. It holds no mathematics itself."""

    __slots__ = ()

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
    __ipow__ = _in_place(elementwise.power, np.power)
    __imatmul__ = _in_place(product.matmul, np.matmul)
    __itruediv__ = _in_place(elementwise.divide, np.divide)
    __eq__ = constant.equal
    __ne__ = constant.not_equal
    __lt__ = constant.less
    __le__ = constant.less_equal
    __gt__ = constant.greater
    __ge__ = constant.greater_equal
    __floordiv__ = constant.constant(np.floor_divide)
    __rfloordiv__ = _reflected(constant.constant(np.floor_divide))
    __mod__ = _through(np.remainder)
    __rmod__ = _reflected(np.remainder)
    __imod__ = _in_place(_through(np.remainder), np.remainder)
    __divmod__ = _through(np.divmod)
    __rdivmod__ = _reflected(np.divmod)
    __and__ = constant.constant(np.bitwise_and)
    __rand__ = _reflected(constant.constant(np.bitwise_and))
    __or__ = constant.constant(np.bitwise_or)
    __ror__ = _reflected(constant.constant(np.bitwise_or))
    __xor__ = constant.constant(np.bitwise_xor)
    __rxor__ = _reflected(constant.constant(np.bitwise_xor))
    __invert__ = constant.constant(np.invert)

    def __pow__(self, exponent: Any) -> Tensor:
        kind = exponent.__class__
        if (kind is int or (kind is float and self._array.dtype.kind in "fc")) and exponent == 2:
            return elementwise.square(self)  # type: ignore[no-any-return]
        return elementwise.power(self, exponent)  # type: ignore[no-any-return]

    def __getitem__(self, key: Any) -> Tensor:
        return index.getitem(self, index.freeze(key, self._array))  # type: ignore[no-any-return]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take the value of a copy in which `key` is replaced. Costs a copy of the whole."""
        if self._requires_grad and self.is_leaf and current_mode().recording:
            raise RuntimeError(
                "x[i] = v on a leaf that requires a gradient would make it a computed Tensor, and its gradient would "
                "be lost: write y = x * 1.0 and y[i] = v, or, to change a parameter, w[i] = v under no_grad()."
            )
        if self._requires_grad and not self.is_leaf and not current_mode().recording:
            raise RuntimeError(
                "x[i] = v under no_grad() on a computed Tensor would cut it from its graph: write it inside "
                "enable_grad(), or x = x.detach() first if that is meant."
            )
        key = index.freeze(key, self._array)
        if self._written_in_place():
            check_writable(self._array, "x[i] = v under no_grad()")
            try:
                index.assign(self._array, key, data_of(value))
            except (TypeError, ValueError):
                _refuse_mixing(self._array, data_of(value))
                raise
            mark_written(self._array)
            return
        changed = index.put(self, _fitted(value, self._array[key]) if isinstance(value, Value) else value, key)
        name = None if self._node is None else self._node.name
        self._array, self._node, self._requires_grad = changed._array, changed._node, changed._requires_grad
        if name is not None:
            self._described().annotate().name = name

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
    def real(self) -> Any:
        """The real part; of a real Tensor, itself."""
        return elementwise.real(self) if self._array.dtype.kind == "c" else self

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
    conj = conjugate = elementwise.conjugate
    dot = product.dot
    prod = _through(np.prod)
    cumsum = _through(np.cumsum)
    cumprod = _through(np.cumprod)
    trace = _through(np.trace)
    diagonal = _through(np.diagonal)
    repeat = _through(np.repeat)
    take = _through(np.take)
    compress = _through(
        lambda a, condition, axis=None: np.compress(condition, a, axis), "`np.compress` of this Tensor."
    )
    choose = _through(np.choose)
    put = _through(np.put)
    nonzero = constant.constant(np.nonzero)
    searchsorted = constant.constant(np.searchsorted)
    argpartition = _through(np.argpartition)
    argmax = constant.constant(np.argmax)
    argmin = constant.constant(np.argmin)
    argsort = _through(np.argsort)
    all = constant.constant(np.all)
    any = constant.constant(np.any)
    round = constant.constant(np.round)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """The values, but not less than `min` and not more than `max`."""
        return elementwise.clip(self, min, max)  # type: ignore[no-any-return]

    def fill(self, value: Any) -> None:
        """`x[...] = value`: this Tensor takes a new value."""
        self[...] = value

    def sort(self, axis: int = -1, kind: Any = None, *, stable: bool | None = None) -> None:
        """`x[...] = np.sort(x)`: this Tensor takes a new value, as `x[i] = v` does."""
        self[...] = np.sort(self, axis, kind, stable=stable)  # type: ignore[call-overload]

    def partition(self, kth: Any, axis: int = -1) -> None:
        """`x[...] = np.partition(x, kth)`: this Tensor takes a new value, as `x[i] = v` does."""
        self[...] = np.partition(self, kth, axis)  # type: ignore[call-overload]

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """The same values in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`."""
        return arrange.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order: `t.transpose(1, 0)` or `t.transpose((1, 0))`; reversed by default."""
        order = axes[0] if len(axes) == 1 and (axes[0] is None or np.ndim(axes[0])) else axes or None
        return arrange.transpose(self, order)  # type: ignore[no-any-return]

    def astype(self, dtype: Any) -> Any:
        """The values converted to `dtype`; the gradient comes back in this Tensor's own dtype."""
        if np.dtype(dtype) == self._array.dtype:
            return self
        return elementwise.convert(self, np.dtype(dtype))

    def copy(self) -> Tensor:
        """A new Tensor with the same values; recorded, as multiplying by one would be."""
        return elementwise.positive(self) if self._requires_grad else wrap(self._array.copy())  # type: ignore[no-any-return]
