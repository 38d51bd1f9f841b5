"""Slopes from values alone: what a directional derivative must be, if there is one.

The quick estimate takes central differences of fourth order, f′ ≈ (8 (f₁ − f₋₁) − (f₂ − f₋₂)) / 12h
(M. Abramowitz and I. A. Stegun, *Handbook of Mathematical Functions*, 25.3.6), in double precision also for
float32 inputs, wherever the function lets them through.

Where it contradicts the rules, `judge` looks closer. It shrinks the step about forty times and extrapolates the
slopes to a step of zero, from the left, from the right and from both sides (L. F. Richardson, *Phil. Trans. R.
Soc. A* 210, 1911; C. J. F. Ridders, *Adv. Eng. Software* 4, 1982). What these say at two neighbouring steps must
agree before any of it is believed: their spread, with a bound of the rounding errors, is the error of the estimate.

    verdict       the evidence
    right         at some step no longer than the quick one, the estimate is sure to the tolerance, and agrees
    wrong         at some step the rules miss the estimate by more than the tolerance and ten times its error
    kink          the slopes from the left and from the right settle at different numbers
    jump          the value itself moves by a constant, however short the step
    unbounded     the slope grows steadily as the step shrinks
    one-sided     on one side of the point the function is not finite
    unsettled     none of these: rounding errors, or a tolerance that no difference can meet

A kink near the point is not one at it: once the step is shorter than the distance, both sides agree. Where a
function does not move at all in steps below 2⁻²⁴, or begins to jump there, that may be rounding inside it (as in
(x + 10⁸) − 10⁸), and neither acquits nor convicts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..tensor import Tensor

__all__ = ["Tolerance", "Values", "Verdict", "judge", "outputs_of", "tolerance_of"]

Array = np.ndarray[Any, Any]


class Tolerance(NamedTuple):
    """How near is near enough, for numbers of one precision."""

    relative: float  # of the numerical estimate
    cancelling: float  # of the sum of the absolute terms in the estimate: their rounding errors
    step: float  # h of the differences, if they must be taken in this precision
    epsilon: float


#: By the number of bytes of a real number.
_TOLERANCES = {
    2: Tolerance(2e-2, 2e-3, 0.25, 2.0**-10),
    4: Tolerance(1e-4, 3e-6, 2.0**-5, 2.0**-23),
    8: Tolerance(1e-6, 1e-9, 2.0**-13, 2.0**-52),
}


@functools.cache
def tolerance_of(*dtypes: np.dtype[Any]) -> Tolerance:
    """The tolerance for the coarsest of these dtypes; integers are exact."""
    widths = [d.itemsize // (2 if d.kind == "c" else 1) for d in dtypes if d.kind in "fc"]
    return _TOLERANCES[min([8, *widths])]


def outputs_of(result: Any) -> list[Tensor]:
    """The differentiable Tensors in what a function returned: one, or those in a tuple, list or dict."""
    if isinstance(result, Tensor) and result.dtype.kind in "fc":
        return [result]
    found: list[Tensor] = []
    if isinstance(result, tuple | list | dict):
        for item in result.values() if isinstance(result, dict) else result:
            kind = getattr(getattr(item, "dtype", None), "kind", None)
            if not (item is None or isinstance(item, bool | int | str) or kind in ("b", "i", "u")):
                found += outputs_of(item)
        if found:
            return found
    raise TypeError(
        "check_gradients: the function must return a Tensor of floating or complex numbers (or a tuple, list or dict "
        f"of them; integers, booleans and None beside them are passed over), got {result!r:.80}."
    )


def _double(array: Array) -> Array:
    return array.astype(np.result_type(array, np.float64), copy=False) if array.dtype.kind in "fc" else array


class Values:
    """A function on plain arrays, its outputs as one vector of real numbers; in double precision if it takes that.

    A complex output is its real parts, then its imaginary parts.
    """

    def __init__(self, f: Callable[..., Any], arrays: list[Array], outputs: list[Tensor]):
        self.f = f
        self.points = [_double(a) for a in arrays]
        found = [y.dtype for y in outputs]
        if any(p is not a for p, a in zip(self.points, arrays)):
            try:
                found = [y.dtype for y in outputs_of(f(*[Tensor(p) for p in self.points]))]
            except (TypeError, ValueError, RuntimeError):
                self.points = arrays  # it insists on its own precision
            if tolerance_of(*found) is not _TOLERANCES[8]:
                self.points = arrays
        self.tolerance = tolerance_of(*found, *[p.dtype for p in self.points])
        self.size = sum(y.size * (2 if y.dtype.kind == "c" else 1) for y in outputs)

    def at(self, k: int, step: Any) -> Array:
        """The outputs with `step` added to input `k`; NaN if they are not as many as before."""
        moved = list(self.points)
        moved[k] = moved[k] + np.asarray(step, dtype=moved[k].dtype)
        found = flat([y.numpy() for y in outputs_of(self.f(*[Tensor(a) for a in moved]))])
        return found if found.size == self.size else np.full(self.size, np.nan)

    def slope(self, k: int, v: Array) -> Array:
        """The quick estimate of the derivative of the outputs as input `k` moves along `v`."""
        h = self.tolerance.step
        with np.errstate(all="ignore"):
            y1, y_1, y2, y_2 = (self.at(k, step * h * v) for step in (1, -1, 2, -2))
            found: Array = (8 * (y1 - y_1) - (y2 - y_2)) / (12 * h)
        return found


def flat(arrays: list[Array], conjugate: bool = False) -> Array:
    """Arrays as one vector of real numbers: of complex ones the real parts, then the (negated) imaginary parts."""
    parts = []
    for a in arrays:
        if a.dtype.kind == "c":
            parts += [a.real.ravel(), (-a.imag if conjugate else a.imag).ravel()]
        else:
            parts.append(a.ravel())
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)).astype(np.float64, copy=False)


#: By how much each step is shorter than the one before. Not 2: rounding would repeat itself, and look like agreement.
_RATIO = 1.9


class Verdict(NamedTuple):
    """What came out of a comparison. `finding` says in words what is the matter with the function, if anything."""

    kind: str
    by_rules: float
    estimate: float
    allowed: float
    finding: str = ""


def judge(
    values: Values, k: int, v: Array, weights: Array, by_rules: float, allowed: Callable[[float], float]
) -> Verdict:
    """Compare `by_rules` with the slope of ⟨weights, values⟩ as input `k` moves along `v`: see above."""
    largest = float(np.abs(values.points[k][v != 0]).max(initial=0.0))
    size = float(2.0 ** np.ceil(np.log2(max(1.0, largest))))
    quick, epsilon = values.tolerance.step * size, values.tolerance.epsilon
    longest = quick * (64 if epsilon < 1e-12 else 4)
    h = longest * _RATIO ** -np.arange(max(12, int(np.log(longest / (64 * epsilon * size)) / np.log(_RATIO))))
    some = np.flatnonzero(weights)  # a NaN elsewhere does not matter
    weights = weights[some]

    def measure(t: float) -> tuple[float, float]:
        """The slope in a step of `t`, and a bound of its rounding error."""
        change = values.at(k, t * v)[some] - here
        slope = float(weights @ change) / t
        terms = np.abs(weights * here)
        terms[change == 0] /= 28  # not more than the last bit of these has been lost
        return slope, 28 * epsilon * (float(terms.sum()) + largest * abs(slope)) / abs(t)

    with np.errstate(all="ignore"):
        here = values.at(k, 0 * v)[some]
        (right, noise), (left, other) = (np.array([measure(t) for t in sign * h]).T for sign in (1.0, -1.0))
        return _Evidence(h, right, left, np.fmax(noise, other), quick).verdict(by_rules, allowed)


def _extrapolated(slopes: Array, *orders: int) -> Array:
    """Slopes without the terms of these orders in h, by which they err (Richardson)."""
    for order in orders:
        factor = _RATIO**order
        slopes = (factor * slopes[1:] - slopes[:-1]) / (factor - 1)
    return slopes


class _Evidence:
    """The slopes from the right, from the left and from both sides at steps `h`, which shrink by `_RATIO`."""

    def __init__(self, h: Array, right: Array, left: Array, noise: Array, quick: float):
        self.raw = right, left
        self.quick, self.least = quick, quick * 2.0**-11  # in double precision 2⁻²⁴
        self.h = h[3:]
        self.both = _extrapolated((right + left) / 2, 2, 4)[1:]
        self.right, self.left = (_extrapolated(side, 1, 2, 3) for side in self.raw)
        self.noise = sliding_window_view(noise, 4).max(1)
        self.error = self._spread(self.both, self.right, self.left) + self.noise
        still = (right == 0) & (left == 0)
        self.error[still[3:] & (self.h < self.least)] = np.inf
        self.error[~np.isfinite(self.error)] = np.inf

    @staticmethod
    def _spread(*known: Array, steps: int = 2) -> Array:
        """By how much numbers at this and at the steps before it differ."""
        spread = np.full(known[0].shape, np.inf)
        windows = sliding_window_view(np.stack(known), steps, axis=1)
        spread[steps - 1 :] = windows.max((0, 2)) - windows.min((0, 2))
        return spread

    def verdict(self, by_rules: float, allowed: Callable[[float], float]) -> Verdict:
        both, error = self.both, self.error
        gap = np.abs(by_rules - both) if np.isfinite(by_rules) else np.full(both.shape, np.inf)
        limit = np.array([allowed(float(slope)) for slope in both])

        def at(kind: str, candidates: Array, badness: Array, finding: str = "") -> Verdict:
            j = int(np.argmin(np.where(candidates, badness, np.inf)))
            return Verdict(kind, by_rules, float(both[j]), float(limit[j]), finding)

        right = (gap <= limit) & (error <= limit) & (self.h <= self.quick)
        if right.any():
            return at("right", right, error)
        growth = [self._growth(side) for side in self.raw]
        wrong = (gap > limit) & (gap > 10 * error)
        wrong[: max(growth)] = False
        settled = self._spread(self.right, steps=4) + self._spread(self.left, steps=4) + 2 * self.noise
        kink = np.abs(self.right - self.left) > 10 * settled
        finer = kink[np.flatnonzero(wrong)[-1] :].sum() if wrong.any() else 0
        if wrong.any() and finer < 4:  # fewer can be chance
            return at("wrong", wrong, error)
        for name, side, end in zip(("right", "left"), self.raw, growth):
            finding = end and self._unbounded(side[3:], end)
            if finding:
                return at(
                    "unbounded", error < np.inf, error, f"to the {name}, {finding}; the rules gave {by_rules:.10g}"
                )
        if kink.any():
            j = int(np.argmin(np.where(kink, settled, np.inf)))
            return at("kink", kink, settled, _between(by_rules, float(self.left[j]), float(self.right[j]), limit[j]))
        return self._one_sided(by_rules, at) or at("unsettled", error < np.inf, error)

    def _growth(self, slopes: Array) -> int:
        """The number of the steps in which the raw slope from one side still changes steadily.

        Steadily: over eight steps, each change has the sign of the one before and is 0.7 to 2 times as large. Where
        there is a derivative the changes shrink like h, by 1.9; at a jump they grow by 1.9; rounding has no order.
        """
        changes = np.diff(slopes[3:])
        sure = np.abs(changes) > 10 * self.noise[1:]
        order = changes[1:] / changes[:-1]
        steady = np.all(sliding_window_view((order > 0.7) & (order < 2.0) & sure[1:], 6), axis=1)
        starts = np.flatnonzero(steady & (self.h[: len(steady)] >= self.least))
        if not len(starts):
            return 0
        run = steady[starts[-1] :]
        end = int(starts[-1] + (len(run) if run.all() else np.argmin(run))) + 7
        lost = end < len(self.noise) and 10 * self.noise[end] > 0.7 * np.abs(changes[end - 2])
        return len(self.noise) if lost else end  # lost in rounding errors it may well go on

    def _unbounded(self, slopes: Array, end: int) -> str:
        """In words, what slopes do that change steadily until they are lost in rounding errors, if they grow by it."""
        known = np.flatnonzero(self.noise[:end] < 0.01 * np.abs(slopes[:end]))
        if not len(known) or known[-1] < 7:
            return ""
        j = known[-1]
        i = j - 7
        first, last = slopes[i] * self.h[i], slopes[j] * self.h[j]
        if abs(slopes[j]) < 1.1 * abs(slopes[i]):
            return ""
        if abs(last - first) < 0.1 * abs(last):
            return f"its value jumps by {abs(last):.4g}"
        return (
            f"its slope grows without bound: {slopes[i]:.4g} in a step of {self.h[i]:.1g}, "
            f"{slopes[j]:.4g} in one of {self.h[j]:.1g}"
        )

    def _one_sided(self, by_rules: float, at: Callable[..., Verdict]) -> Verdict | None:
        for name, side, other in (("right", self.right, self.left), ("left", self.left, self.right)):
            if np.isfinite(other[-4:]).any() or not np.isfinite(side[-4:]).all():
                continue
            settled = self._spread(side) + self.noise
            settled[np.isnan(settled)] = np.inf
            slope = side[np.argmin(settled)]
            finding = (
                f"it is finite only to the {name}, where its slope is {slope:.10g}; the rules gave {by_rules:.10g}"
            )
            return at("one-sided", settled < np.inf, settled, finding)
        return None


def _between(by_rules: float, left: float, right: float, slack: float) -> str:
    """A kink in words."""
    if abs(by_rules - left) <= slack or abs(by_rules - right) <= slack:
        place = "is one of them"
    else:
        place = f"{'lies' if min(left, right) < by_rules < max(left, right) else 'does not lie'} between them"
    slopes = f"slopes {left:.10g} from the left and {right:.10g} from the right"
    return f"{slopes}; the rules gave {by_rules:.10g}, which {place}"
