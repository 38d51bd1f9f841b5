"""Examples of ranges and of what lets a gradient pass in another way than the value."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import straight_through

from .table import Example, one, values

__all__ = ["EXAMPLES"]

_ENDS: list[Any] = [((), ()), ((3,), (3,)), ((2, 1), (3,)), ((0,), ())]


def _ranges(function: Any, low: float, high: float, **options: Any) -> list[Example]:
    """Between ends of several shapes, and with every option."""
    ends = [(values(a, low, high), values(b, low, high, seed=1)) for a, b in _ENDS]
    hows: list[dict[str, Any]] = [{"endpoint": False}, {"num": 1}, {"num": 0}, {"axis": -1}]
    return [
        *[one(lambda a, b: function(a, b, num=4), *pair, **options) for pair in ends],
        *[one(lambda a, b, how=how: function(a, b, **{"num": 4, **how}), *ends[1], **options) for how in hows],
        one(lambda a: function(a, 2.0, 5), values((), low, high), **options),
        one(lambda b: function(1.0, b, 5), values((2,), low, high), **options),
    ]


EXAMPLES: dict[str, list[Example]] = {
    "linspace": [
        *_ranges(np.linspace, -2, 2, complexes=True),
        one(lambda a, b: np.linspace(a, b, 4, retstep=True)[1], (3,), (3,)),
    ],
    "logspace": [
        *_ranges(np.logspace, -0.5, 0.5, rounding=4),
        one(lambda a, b: np.logspace(0.5, a, 4, base=b), (2,), values((3, 1), 0.5, 2), rounding=4),
    ],
    "geomspace": _ranges(np.geomspace, 0.5, 2, complexes=True, rounding=8),
    "straight_through": [
        one(straight_through(lambda x: x * 1.0), s, reference=lambda x: x * 1.0, complexes=True)
        for s in ((3, 2), (), (0,))
    ],
}
