"""In-place writes, and how a backward pass notices them.

The tape keeps arrays, not copies. Only a few places of the library ever write into an array that a tape
may hold (an optimizer step, `load_state_dict`, `w.data -= …`, `w -= …` under `no_grad`), and each says so
here: `mark_written(array)` stamps the **memory** of the array with the next number of the counter that also
numbers the operations. An operation that saved the array, or any view of its memory, before that number
holds a stale value, and a backward pass over it raises instead of computing a wrong gradient.

The stamp belongs to the memory and not to a Tensor, so `W.T`, `W.reshape(-1)`, `W.detach()` and `W.data` are
covered without a word about views anywhere else. While nothing is written between forward and backward the
whole check is one comparison of two integers for a backward pass.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any

from .node import tick

__all__ = ["last_written", "latest_write", "mark_written", "written_since"]

_stamps: dict[int, tuple[weakref.ref[Any], int]] = {}
_latest = 0
_lock = threading.Lock()  # a stamp and `_latest` must not overtake each other


def owner(array: Any) -> Any:
    """The array whose memory `array` views: itself, or the end of its chain of bases."""
    base = getattr(array, "base", None)
    if base is None:
        return array
    kind = type(array)
    while base is not None:
        if isinstance(base, kind):
            array = base
        base = getattr(base, "base", None)  # also through what is no array, as in NumPy's as_strided
    return array


def mark_written(*arrays: Any) -> None:
    """Say that the memory of `arrays` has just been written to."""
    global _latest
    with _lock:
        _latest = tick()
        for array in arrays:
            if getattr(array, "base", None) is not None:
                array = owner(array)
            entry = _stamps.get(id(array))
            _stamps[id(array)] = (entry[0] if entry else _watched(array), _latest)


def _watched(array: Any) -> weakref.ref[Any]:
    """A reference that takes the stamp away with the array: another one may get its id."""
    key = id(array)
    return weakref.ref(array, lambda _: _stamps.pop(key, None))


def last_written(array: Any) -> int:
    """The number of the last in-place write into the memory of `array`; 0 if there was none."""
    entry = _stamps.get(id(owner(array)))
    return 0 if entry is None else entry[1]


def written_since(saved: Any, index: int) -> bool:
    """Whether an array that a node saved, or one in a list or tuple of them, was written in place after `index`."""
    values = saved if isinstance(saved, list | tuple) else (saved,)
    return any(  # a dtype, which may be saved too, has a shape, and is its own base
        hasattr(value, "shape") and hasattr(value, "dtype") and last_written(value) > index for value in values
    )


def latest_write() -> int:
    """The number of the last in-place write into any array."""
    return _latest
