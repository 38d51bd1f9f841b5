"""Examples of the Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .table import Example, one

__all__ = ["EXAMPLES"]


def _with(function: Any, **how: Any) -> Any:
    return lambda a: function(a, **how)


def _transforms(function: Any, complexes: bool = True) -> list[Example]:
    """Lengths that are odd, even, shorter and longer than the axis; axes and norms of each sort."""
    cases: list[Any] = [
        *[((5,), {}), ((6,), {"norm": "ortho"}), ((2, 4), {"n": 3, "axis": 0, "norm": "forward"}), ((5,), {"n": 8})],
        *[
            ((3, 4, 2), {"axis": -2}),
            ((4, 3), {"n": 2, "axis": 0}),
            ((7,), {"n": 5, "norm": "ortho"}),
            ((3,), {"n": 1}),
        ],
        *[((0, 4), {}), ((2, 3), {"n": np.int64(7), "axis": np.int64(0), "norm": "forward"}), ((3,), {"n": 2})],
    ]
    examples = [one(_with(function, **how), shape, complexes=complexes) for shape, how in cases]
    return [examples[0]._replace(order=3), *examples[1:]]


def _several(function: Any, complexes: bool = True) -> list[Example]:
    cases: list[Any] = [
        *[((3, 4), {}), ((2, 3, 4), {"axes": (0, 2), "norm": "ortho"}), ((4, 3), {"s": (3, 5), "axes": (1, 0)})],
        *[((3, 5), {"s": (-1, 4), "axes": (0, 1), "norm": "forward"}), ((2, 3, 4), {"axes": (-1, 0)})],
        *[((4, 5), {"axes": (1, 1)}), ((3, 4), {"s": (2, 6), "axes": (0, 0)})],
    ]
    return [one(_with(function, **how), shape, complexes=complexes) for shape, how in cases]


EXAMPLES: dict[str, list[Example]] = {
    "fft.fft": _transforms(np.fft.fft),
    "fft.ifft": _transforms(np.fft.ifft),
    "fft.rfft": _transforms(np.fft.rfft, complexes=False),
    "fft.irfft": _transforms(np.fft.irfft),
    "fft.hfft": _transforms(np.fft.hfft),
    "fft.ihfft": _transforms(np.fft.ihfft, complexes=False),
    "fft.fftn": [*_several(np.fft.fftn), one(np.fft.fftn, (2, 3, 2), complexes=True)],
    "fft.ifftn": [*_several(np.fft.ifftn), one(np.fft.ifftn, (2, 3, 2), complexes=True)],
    "fft.rfftn": [*_several(np.fft.rfftn, complexes=False)[:5], one(np.fft.rfftn, (2, 3, 2))],
    "fft.irfftn": [*_several(np.fft.irfftn), one(np.fft.irfftn, (2, 3, 2), complexes=True)],
    "fft.fft2": [*_several(np.fft.fft2)[:4], one(np.fft.fft2, (2, 3, 2), complexes=True)],
    "fft.ifft2": [*_several(np.fft.ifft2)[:4], one(np.fft.ifft2, (2, 3, 2), complexes=True)],
    "fft.rfft2": [*_several(np.fft.rfft2, complexes=False)[:4], one(np.fft.rfft2, (2, 3, 2))],
    "fft.irfft2": [*_several(np.fft.irfft2)[:4], one(np.fft.irfft2, (2, 3, 2), complexes=True)],
    "fft.fftshift": [
        one(np.fft.fftshift, (5,), complexes=True),
        one(_with(np.fft.fftshift, axes=1), (2, 5), complexes=True),
        one(_with(np.fft.fftshift, axes=(0, -1)), (3, 2, 5)),
        one(np.fft.fftshift, (0,)),
    ],
    "fft.ifftshift": [
        one(np.fft.ifftshift, (5,), complexes=True),
        one(_with(np.fft.ifftshift, axes=1), (2, 5), complexes=True),
        one(_with(np.fft.ifftshift, axes=(0, -1)), (3, 2, 5)),
    ],
}
