"""Examples of every primitive, by family of rules."""

from importlib import import_module

from .table import Example, values

__all__ = ["EXAMPLES", "Example", "values"]

#: The name of a primitive, or of a function that is made of primitives -> its examples.
EXAMPLES: dict[str, list[Example]] = {}

for _family in (
    "core",
    "reductions",
    "ufuncs",
    "fft",
    "products",
    "linalg",
    "ranges",
    "special",
    "arrangement",
    "indexing",
    "networks",
):
    _examples = import_module(f"{__name__}.{_family}").EXAMPLES
    _twice = EXAMPLES.keys() & _examples.keys()
    assert not _twice, f"these have examples in two families: {_twice}"
    EXAMPLES |= _examples
