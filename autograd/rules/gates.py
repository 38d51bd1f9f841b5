"""Where a gradient stops, or goes another way than the value: `stop_gradient` and `straight_through`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices import as_array
from ..node import Value, data_of
from ..primitive import define
from ..wrapping import regroup, unwrap, wrap

__all__ = ["stop_gradient", "straight_through"]


def stop_gradient(x: Any) -> Any:
    """The same value, as a constant: no gradient flows through it.

    Parameters
    ----------
    x : Tensor or array_like
        Any shape; or lists, tuples and dicts of them, also nested.

    Returns
    -------
    Tensor or array_like
        A Tensor that shares its memory with `x` and is cut from the graph; of a list, tuple or dict, such a one
        for each; anything else as it is.

    Examples
    --------
    >>> from autograd import grad, stop_gradient
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    if isinstance(x, Value):
        return wrap(x._array)
    if isinstance(x, list | tuple):
        return regroup(x, [stop_gradient(item) for item in x])
    return {key: stop_gradient(item) for key, item in x.items()} if isinstance(x, dict) else x


def _swap(x: Any, value: Any) -> Any:
    return value


_swap = define(_swap, "x, value -> y", x=lambda g: g)
_swap.primitive.name = "straight_through"  # type: ignore[attr-defined]


def straight_through(function: Callable[..., Any], surrogate: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A function with the values of `function` and the gradient of `surrogate`, by default of the identity.

    The straight-through estimator (Bengio, Léonard and Courville, arXiv:1308.3432, 2013), for steps, rounding
    and sampling, whose own derivative is 0 or does not exist.

    Parameters
    ----------
    function : callable
        Called with plain arrays, so anything that runs on NumPy will do. Its result must have the shape of the
        surrogate's; it is converted to its dtype.
    surrogate : callable, optional
        Called with the same arguments, and differentiated.

    Returns
    -------
    callable
        Takes what `function` takes.

    Raises
    ------
    ValueError
        When it is called, if the two results have different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, straight_through
    >>> x = Tensor([0.2, 1.7], requires_grad=True)
    >>> y = straight_through(np.round)(x)
    >>> (y * y).sum().backward()
    >>> y.numpy(), x.grad
    (array([0., 2.]), array([0., 4.]))

    A step with the gradient of tanh:

    >>> straight_through(np.sign, np.tanh)(x).sum().gradient(x).numpy().round(3)
    array([0.961, 0.125])
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        value = as_array(function(*unwrap(args), **unwrap(kwargs)))
        if surrogate is None:
            if len(args) != 1 or kwargs:
                raise TypeError("straight_through needs a surrogate for a function of several arguments.")
            followed = args[0]
        else:
            followed = surrogate(*args, **kwargs)
        shape = np.shape(data_of(followed))
        if value.shape != shape:
            raise ValueError(
                f"straight_through: the function returned shape {value.shape}, but the gradient goes to shape {shape}: "
                "the two must agree."
            )
        return _swap(followed, value.astype(getattr(followed, "dtype", value.dtype)))

    return call
