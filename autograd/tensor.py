"""`Tensor`: an array that remembers where it came from. What it can do is in `operators.py` and `conversions.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import protocols, tape, wrapping
from .conversions import Conversions
from .devices import as_array, beside, check_same_device, check_writable, device_of, move
from .node import Leaf, Node, Value, data_of, tick
from .versions import last_written, mark_written
from .wrapping import wrap

__all__ = ["Tensor"]


class Tensor(Conversions):
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
    device : str, optional
        Where the values shall lie: 'cpu', 'cuda', 'cuda:N', …; by default where they are. Lists and numbers are on the
        CPU.

    Raises
    ------
    TypeError
        If the data are not numbers or booleans, or a gradient is wanted of integers or booleans.
    DeviceError
        If the device is unknown, or cannot be used here.

    Notes
    -----
    A Tensor is a **value**. `x[i] = v` and `x += v` make a new value and rebind the Tensor or the name to it; the
    old one, and all that was computed from it, stays as it was. Only leaves are ever written in place: by an
    optimizer, by `w -= step` under `no_grad`, by assigning to `.data`. That is remembered: a backward pass that
    needs the values that are gone raises.

    Plain arrays that take part in an operation are **not copied**. Changing one between forward and backward
    (`batch[:] = …`) changes what the tape saved, and is not noticed: make a new array, or a Tensor of it first.

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

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        dtype: Any = None,
        name: str | None = None,
        *,
        device: str | None = None,
    ):
        if isinstance(data, Value):
            if data._requires_grad:
                raise TypeError(
                    "Tensor(t) of a Tensor that requires a gradient would cut it from its graph: "
                    "write t itself, or t.detach() if that is meant."
                )
            data = data._array
        self._array = as_array(data, dtype, copy=True)
        if device is not None:
            self._array = move(self._array, device)
        self._node = None
        self._requires_grad = False
        if requires_grad is not False:
            self.requires_grad = requires_grad
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
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        self._assign(value)

    def _assign(self, value: Any) -> None:
        """Take new values, of the same shape and dtype, into this Tensor's own memory."""
        if value is not self._array:
            array = beside(data_of(value), self._array, "an assignment to .data")
            if array.shape != self._array.shape or array.dtype != self._array.dtype:
                same = array.shape == self._array.shape
                remedy = f"write values.astype(np.{self._array.dtype})" if same else "make a new Tensor instead"
                raise ValueError(
                    f"the new values must have shape {self._array.shape} and dtype {self._array.dtype}, "
                    f"got shape {array.shape}, dtype {array.dtype}: {remedy}."
                )
            if not self.is_leaf:
                raise RuntimeError(
                    f"this Tensor was computed (by {self._described().primitive.name}): its values cannot be replaced. "
                    "Compute a new Tensor, or work on t.detach()."
                )
            check_writable(self._array, "assigning to .data")
            self._make_writable()
            self._array[...] = array
        mark_written(self._array)

    def _make_writable(self) -> None:
        """Give up a read-only view, as a function without a rule may have returned it, for a copy."""
        if self._array.__class__ is np.ndarray and not self._array.flags.writeable:
            self._array = self._array.copy()

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._array.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._array.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._array.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The size of the elements in bytes."""
        return self._array.nbytes  # type: ignore[no-any-return]

    @property
    def device(self) -> str:
        """Where the array lives: 'cpu', 'cuda:0', …"""
        return device_of(self._array)

    @property
    def version(self) -> int:
        """A number that grows with each in-place write into the memory of this Tensor; 0 before the first."""
        return last_written(self._array)

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
        if not isinstance(wanted, bool | np.bool_):
            raise TypeError(f"requires_grad is True or False, got {wanted!r} (a dtype goes in as dtype=…).")
        if wanted and self._array.dtype.kind not in "fc":
            raise TypeError(
                f"only floating or complex numbers have gradients, got dtype {self._array.dtype}: "
                "write Tensor(data, requires_grad=True, dtype=float)."
            )
        if wanted:
            self._make_writable()
        node = self._described()
        if not wanted and self._requires_grad:  # a tape that was recorded before no longer reaches this Tensor
            frozen = Leaf(self._array)
            frozen.grad, frozen.notes = self.grad, node.notes
            self._node = frozen
        self._requires_grad = bool(wanted)

    @property
    def grad(self) -> Any:
        """The gradient that `backward` left here: an array of this Tensor's shape, dtype and array type, or None.

        Kept for leaves, and for computed Tensors after `retain_grad`. It can be set to None, or to an array, which
        is copied.
        """
        node = self._node
        if node is None:
            return None
        if isinstance(node, Leaf):
            return node.grad
        return None if node.notes is None else node.notes.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._described()
        if value is not None:
            array = np.asarray(value) if isinstance(value, np.generic) else data_of(value)
            check_same_device("an assignment to .grad", {"the gradient": array, "the Tensor": self._array})
            if type(array) is not type(self._array) or array.shape != self.shape or array.dtype != self.dtype:
                raise TypeError(
                    f"a gradient is None or a {type(self._array).__name__} of shape {self.shape}, dtype {self.dtype}; "
                    f"got {type(value).__name__} of shape {np.shape(array)}, dtype {getattr(array, 'dtype', None)}."
                )
            value = array.copy()
        place: Any = node if node.primitive is None else node.annotate()
        place.grad = value

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
        if not callable(hook):
            raise TypeError(f"a hook is a function of the gradient, got {type(hook).__name__}.")
        key = tick()
        hooks[key] = hook
        return lambda: hooks.pop(key, None) and None

    def detach(self) -> Tensor:
        """A constant with the same values (and the same memory), cut from the graph."""
        return wrap(self._array)  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        """Leaves can be copied (`copy.deepcopy`) and pickled: values, requires_grad, name; not the gradient.

        What was pickled on a GPU is unpickled on the GPU that is in use there, and nowhere else: pickle `t.cpu()` for a
        machine without one.
        """
        if not self.is_leaf:
            raise TypeError(
                f"this Tensor was computed (by {self._described().primitive.name}) and cannot be copied or pickled "
                "with its history: use t.detach()."
            )
        return type(self), (self._array, self._requires_grad, None, self.name)

    # NumPy's protocols

    __array_ufunc__ = protocols.array_ufunc
    __array_function__ = protocols.array_function

    __hash__ = object.__hash__


wrapping.results_are(Tensor)
