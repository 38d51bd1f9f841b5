"""What of NumPy has a rule, what is constant, and what is neither, and why.

Each callable of `numpy`, `numpy.linalg` and `numpy.fft` is in exactly one of three lists:

- it has a rule (`primitive.REGISTRY`), or is composed of functions that have one;
- it is constant: it returns integers or booleans, or its derivative is 0 (`constant.CONSTANT`);
- it is outside, for the reason that stands here, and says so when a tracked Tensor reaches it.

`survey` goes through the namespaces; the table in the documentation is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..primitive import REGISTRY
from . import complete
from .constant import CONSTANT

__all__ = ["OUTSIDE", "Entry", "survey", "why"]

#: Reason -> the names of the functions that have no rule for it.
OUTSIDE: dict[str, str] = {
    "It makes a plain array, which has no history: join Tensors with np.stack or np.concatenate.": """
        array asarray asanyarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat require full
        from_dlpack""",
    "It makes an array of numbers that are given, not computed.": """
        arange empty eye identity ones zeros tri indices fromfunction fromiter frombuffer fromstring diag_indices
        tril_indices triu_indices bartlett blackman hamming hanning kaiser fft.fftfreq fft.rfftfreq""",
    "It is a type, or asks about types.": """
        dtype finfo iinfo isdtype issubdtype promote_types typename mintypecode isfortran iterable isscalar""",
    "It reads or writes files.": """
        fromfile fromregex genfromtxt load loadtxt memmap save savetxt savez savez_compressed""",
    "It sets or shows how NumPy works, and takes no arrays.": """
        errstate geterr geterrcall seterr seterrcall getbufsize setbufsize get_include get_printoptions printoptions
        set_printoptions info show_config show_runtime test linalg.test fft.test""",
    "It makes text, or reads it.": """
        base_repr binary_repr format_float_positional format_float_scientific""",
    "It walks over arrays in Python, outside of any operation that could be recorded.": """
        broadcast ndenumerate ndindex nditer nested_iters flatiter frompyfunc vectorize ufunc""",
    "It is about dates.": """
        busday_count busday_offset busdaycalendar datetime_as_string datetime_data is_busday isnat""",
    "It counts in bins; np.histogram and np.bincount have rules, for their weights.": """
        histogram2d histogramdd histogram_bin_edges""",
    "Equal elements of two arrays are one in its result, and whose gradient that is cannot be said.": """
        intersect1d setdiff1d setxor1d union1d""",
}


class Entry(NamedTuple):
    """A callable of NumPy's, by its name after `np.`; `status` is 'rule', 'constant' or 'outside'."""

    name: str
    status: str
    reason: str = ""


def _reasons() -> dict[str, str]:
    return {name: reason for reason, names in OUTSIDE.items() for name in names.split()}


def why(name: str) -> str:
    """Why the function of this name (`linalg.inv`) has no rule; empty if nothing is known."""
    return _reasons().get(name, "")


def _statuses(name: str, function: Callable[..., Any], reasons: dict[str, str]) -> Iterator[Entry]:
    if function in REGISTRY:
        yield Entry(name, "rule")
    if function in CONSTANT:
        yield Entry(name, "constant")
    if name in reasons:
        yield Entry(name, "outside", reasons[name])
    elif isinstance(function, type):
        yield Entry(name, "outside", "It is a type, or asks about types.")


def survey() -> list[Entry]:
    """Every public callable of NumPy's three namespaces; more than once, or with status '', if the lists are wrong."""
    complete()
    reasons, entries = _reasons(), []
    for module, prefix in ((np, ""), (np.linalg, "linalg."), (np.fft, "fft.")):
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            value = getattr(module, name)
            if callable(value):
                entries += list(_statuses(prefix + name, value, reasons)) or [Entry(prefix + name, "")]
    return entries
