"""What leads out of a Tensor: to NumPy's arrays, to Python's numbers, to text, and to another device."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .devices import device_of, has_values, move
from .node import data_of
from .operators import Operators
from .rules import arrange
from .scipy import converted_by

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Conversions"]


class Conversions(Operators):
    """The conversions of a Tensor."""

    __slots__ = ()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array: this Tensor's own memory on the CPU, a copy from a device.

        Nothing that is done to it is recorded. Do not write into it between forward and backward.
        """
        return move(self._array, "cpu")  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The one element of a Tensor of size 1, as a Python number. A lazy one is computed, a GPU is waited for."""
        if self._array.size != 1:
            raise ValueError(
                f"item() needs a Tensor with one element, got shape {self._array.shape}: use numpy() or tolist()."
            )
        return (self._array if self._array.__class__ is np.ndarray else self.numpy()).item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.numpy().tolist()

    def to(self, device: str) -> Tensor:
        """This Tensor on 'cpu', 'cuda' or 'cuda:N'; itself if it is there. Gradients come back the same way.

        CuPy computes on the GPU that is in use: what is on another one is used inside `with cupy.cuda.Device(N):`.

        Raises
        ------
        DeviceError
            If the device is unknown, or cannot be used here.

        Examples
        --------
        >>> from autograd import Tensor
        >>> t = Tensor([1.0, 2.0])
        >>> t.to("cpu") is t
        True
        """
        here = device_of(self._array)
        if device == here:
            return self  # type: ignore[return-value]
        moved = arrange.to(self, device, here)
        return self if moved._array is self._array else moved  # type: ignore[return-value]

    def cuda(self, n: int | None = None) -> Tensor:
        """`t.to('cuda:n')`; without a number, the GPU that is in use."""
        return self.to("cuda" if n is None else f"cuda:{n}")

    def cpu(self) -> Tensor:
        """`t.to('cpu')`."""
        return self.to("cpu")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self._requires_grad:
            raise TypeError(
                "converting a Tensor that requires a gradient to a NumPy array would lose its history without a word: "
                "write t.numpy() (or t.detach()) if that is meant, or call NumPy's functions on t itself."
                + converted_by(sys._getframe(1))
            )
        if self._array.__class__ is not np.ndarray:
            raise TypeError(
                f"this Tensor is on {device_of(self._array)!r}, and does not become a NumPy array without a word: "
                "write t.numpy() if that is meant, or call NumPy's functions on t itself."
            )
        return np.array(self._array, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        prefix = f"{type(self).__name__}("
        if has_values(self._array):
            values = np.array2string(self.numpy(), separator=", ", prefix=prefix)
        else:
            values = repr(self._array)
        parts = [values, f"shape={self._array.shape}", f"dtype={self._array.dtype}"]
        place, node = device_of(self._array), self._node
        if place != "cpu":
            parts.append(f"device={place!r}")
        if node is not None and not node.is_leaf:
            parts.append(f"from={node.primitive.name}")
        elif self._requires_grad:
            parts.append("requires_grad=True")
        if node is not None and node.name is not None:
            parts.append(f"name={node.name!r}")
        return f"{prefix}{', '.join(parts)})"

    def _repr_html_(self) -> str:
        from .display.tensor import tensor_html

        return tensor_html(self)  # type: ignore[arg-type]

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else repr(self)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __float__(self) -> float:
        return float(self._number("float(x)"))

    def __int__(self) -> int:
        return int(self._number("int(x)"))

    def __complex__(self) -> complex:
        return complex(self._number("complex(x)"))

    def _number(self, call: str) -> Any:
        if self._requires_grad:
            from .transforms.run import check_kept  # is made of Tensors

            check_kept(self, call)
        return self.item()

    def __index__(self) -> int:
        return move(self._array, "cpu").__index__()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d Tensor")
        if self._requires_grad:
            return iter(arrange.layers(self))
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool((self._array == (data_of(value))).any())
