"""Fused kernels: what NumPy computes in several passes over the elements, a GPU can compute in one.

A `Kernel` says in C++ what a few lines of NumPy say: the forward function of a primitive, one of its rules, the update
of an optimizer. The NumPy text stays what is meant, what runs on the CPU, and what is recorded in a pass of higher
order; a kernel takes its place where a library of arrays can compile it (`Library.elementwise`, in `devices.py`) and
the operands fit it: arrays of that library, all of float32 or all of float64, and Python numbers. For everything else
the text is used, as if there were no kernel.

Nothing is compiled before an array of such a library meets a kernel: until then it is a few strings.

The tests compile all kernels, for the CPU, where they compare them with the text, and for a GPU as CuPy does. They have
not been run on a GPU yet. There they differ from the text as CuPy differs from NumPy: by a few units in the last place,
and a denormal number of single precision is 0.
"""

from __future__ import annotations

from typing import Any

from .devices import library_of

__all__ = ["Kernel"]


class Kernel:
    """An elementwise calculation in C++, in the notation of `cupy.ElementwiseKernel`.

    Parameters
    ----------
    name : str
        What a profile of the GPU calls it.
    inputs, outputs : str
        The parameters, as in `"T x, bool keep, T scale"`: `T` stands for float32 or float64, the same for all. An
        output may be read before it is written, if it is passed in.
    code : str
        Statements about one element. A number with a fraction is written `T(0.5)`: a bare 0.5 is a double, with which
        a GPU calculates far more slowly. A NaN must stay one: C++'s `fmax` would lose it.
    preamble : str
        Functions that the code calls.

    Raises
    ------
    ValueError
        For parameters that are not of that form.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.kernels import Kernel
    >>> ramp = Kernel("ramp", "T x, T slope", "T y", "y = x > 0 ? x : slope * x")
    >>> ramp
    <Kernel ramp(T x, T slope) -> T y>
    >>> ramp(np.ones(3), 0.1) is None  # NumPy compiles nothing: its own functions are to be used
    True
    """

    __slots__ = ("code", "inputs", "name", "names", "outputs", "preamble", "types")

    def __init__(self, name: str, inputs: str, outputs: str, code: str, preamble: str = ""):
        self.name, self.inputs, self.outputs, self.code, self.preamble = name, inputs, outputs, code, preamble
        given = [parameter.split() for text in (inputs, outputs) for parameter in text.split(",")]
        if any(len(words) != 2 or words[0] not in ("T", "bool") or not words[1].isidentifier() for words in given):
            raise ValueError(
                f"kernel {name!r}: its parameters are {inputs!r} and {outputs!r}; each is written as 'T x' or 'bool x'."
            )
        #: The types of all parameters, and the names of the inputs.
        self.types = tuple([words[0] for words in given])
        self.names = tuple([words[1] for words in given[: inputs.count(",") + 1]])

    def __call__(self, *values: Any) -> Any:
        """Compute it of these inputs, the first of which is an array; or write into outputs, which come after them.

        Returns
        -------
        array, or a tuple of them
            The outputs; None, and nothing is done, if the library of the array compiles nothing, or they do not fit.
        """
        first = values[0]
        library = library_of(first)
        if library is None or library.elementwise is None or first.dtype.char not in "fd":
            return None
        kind, dtype = first.__class__, first.dtype
        for wanted, value in zip(self.types, values):
            if value.__class__ is kind:
                if value.dtype != (dtype if wanted == "T" else bool):
                    return None
            elif value.__class__ is not bool if wanted == "bool" else value.__class__ not in (float, int):
                return None
        return library.elementwise(self)(*values)

    def __repr__(self) -> str:
        return f"<Kernel {self.name}({self.inputs}) -> {self.outputs}>"
