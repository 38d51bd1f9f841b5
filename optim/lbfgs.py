"""L-BFGS: steps along an estimate of Newton's direction, made from the last gradients."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor
from autograd.devices import as_array, check_same_device, device_of, move
from autograd.node import data_of
from autograd.versions import mark_written

from .optimizer import Optimizer, evaluated, require

__all__ = ["LBFGS"]

#: The state is that of all parameters together; it is kept as that of the first one.
_ARRAYS, _LISTS = ("d", "prev_flat_grad"), ("old_dirs", "old_stps", "ro")
_NUMBERS = ("func_evals", "n_iter", "t", "H_diag", "prev_loss")


class LBFGS(Optimizer):
    """Limited-memory BFGS, for losses without noise: all examples in one batch.

    The direction is −H g, where H estimates the inverse Hessian from the last changes s of the parameters and y of
    their gradient (Nocedal, "Updating quasi-Newton matrices with limited storage", 1980). The step along it is `lr`, or
    one that fulfils the strong Wolfe conditions, by cubic interpolation (Nocedal and Wright, "Numerical optimization",
    2006, section 3.5).

    Parameters
    ----------
    params : iterable of Tensor
        In one group.
    lr : float
        The length of a step, in units of −H g; with a line search, where that starts.
    max_iter : int
        How many directions to follow in a call of `step`.
    max_eval : int, optional
        After how many evaluations of the loss to stop; by default 1.25 `max_iter`.
    tolerance_grad : float
        Stop when no element of the gradient is larger than this.
    tolerance_change : float
        Stop when no parameter, or the loss, changes by more than this.
    history_size : int
        How many pairs s and y to remember: twice that many arrays of the size of all parameters.
    line_search_fn : {None, 'strong_wolfe'}

    Notes
    -----
    Each evaluation of the loss decides what to do next. So a GPU is waited for several times in a step; no other
    optimizer here waits.

    Raises
    ------
    ValueError
        For several groups, or a hyper-parameter outside its range. Weight decay, `l1` and `maximize` belong into the
        loss here, which the line search looks at.
    DeviceError
        In a step, for parameters of several devices.

    Examples
    --------
    >>> import optim
    >>> from autograd import Tensor
    >>> x, y = Tensor(-1.5, requires_grad=True), Tensor(2.0, requires_grad=True)
    >>> lbfgs = optim.LBFGS([x, y], max_iter=100, line_search_fn="strong_wolfe")
    >>> def rosenbrock():
    ...     lbfgs.zero_grad()
    ...     loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> lbfgs.step(rosenbrock).item()
    12.5
    >>> x.data.round(4), y.data.round(4)
    (np.float64(1.0), np.float64(1.0))
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )

    def check(self, group: Mapping[str, Any]) -> None:
        for name in ("max_iter", "max_eval", "history_size"):
            n = group[name]
            require(isinstance(n, int) and n >= 1, f"{name} must be an integer of at least 1, got {n!r}.")
        for name in ("tolerance_grad", "tolerance_change"):
            require(group[name] >= 0, f"{name} must be at least 0, got {group[name]}.")
        search = group["line_search_fn"]
        require(search in (None, "strong_wolfe"), f"line_search_fn must be None or 'strong_wolfe', got {search!r}.")
        for name in ("weight_decay", "l1", "maximize"):
            require(
                not group[name], f"LBFGS has no {name}, got {group[name]}: make it part of the loss that is minimised."
            )

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take the one group."""
        require(not self.param_groups, "LBFGS has one group of parameters: it steps along one direction for all.")
        super().add_param_group(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take up to `max_iter` steps.

        Parameters
        ----------
        closure : callable
            Forgets the gradients, computes the loss and its gradients, and returns the loss. It is called several
            times. If it raises, the parameters are where the last complete step has led.

        Returns
        -------
        The first result of `closure`: the loss before the steps.
        """
        if closure is None:
            raise TypeError(
                "LBFGS computes the loss several times in a step: write step(closure), with a function that calls "
                "zero_grad(), computes the loss, calls its backward() and returns it."
            )
        group, state = self.param_groups[0], self.state[0]
        lr, small = float(group["lr"]), float(group["tolerance_change"])
        first = evaluated(closure)
        loss, g = float(first), self._gradient()
        self._follow(g, state)
        state["func_evals"] = state.get("func_evals", 0) + 1
        evaluations, n = 1, 0
        while n == 0 or (n < group["max_iter"] and evaluations < group["max_eval"]):
            if _largest(g) <= group["tolerance_grad"]:
                break
            n += 1
            t = lr if state.get("n_iter") else lr * min(1.0, 1.0 / float(np.abs(g).sum()))
            d = self._direction(g, state, group["history_size"])
            # The step counts once it is taken: if the closure raises before, no wrong pair s, y is remembered.
            state.update(n_iter=state.get("n_iter", 0) + 1, d=d, t=0.0, prev_flat_grad=g, prev_loss=loss)
            slope = float(g @ d)
            if not (slope < 0 and slope <= -small):  # also if it is NaN
                break
            count = 0
            if group["line_search_fn"] is None:
                self._move(t, d)
                state["t"] = t
                if n < group["max_iter"]:
                    loss, g, count = float(evaluated(closure)), self._gradient(), 1
            else:
                start = _Point(0.0, loss, g, slope)
                at, narrow = partial(self._look, closure, d), small / _largest(d)
                point, count = _strong_wolfe(at, t, start, narrow, group["max_eval"] - evaluations)
                t, loss, g, _ = point
                self._move(t, d)
                state["t"] = t
            evaluations += count
            state["func_evals"] += count
            if _largest(d) * abs(t) <= small or abs(loss - state["prev_loss"]) < small:
                break
        return first

    def _direction(self, g: Any, state: dict[str, Any], history_size: int) -> Any:
        """−H g, once the last step has been taken into H."""
        d = -g
        if not state.get("n_iter"):
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return d
        ys, ss, inverses = (state[name] for name in _LISTS)
        y, s = g - state["prev_flat_grad"], state["t"] * state["d"]
        curvature = float(y @ s)
        if curvature > 1e-10:
            while len(ys) >= history_size:
                del ys[0], ss[0], inverses[0]
            ys.append(y)
            ss.append(s)
            inverses.append(1 / curvature)
            state["H_diag"] = curvature / float(y @ y)
        shares = []
        for y, s, inverse in zip(reversed(ys), reversed(ss), reversed(inverses)):
            shares.append(float(s @ d) * inverse)
            d -= shares[-1] * y
        d *= state["H_diag"]
        for y, s, inverse, share in zip(ys, ss, inverses, reversed(shares)):
            d += (share - float(y @ d) * inverse) * s
        for p, part in self._parts(d):  # one that was frozen since has a share in the remembered steps
            if not p.requires_grad:
                part[...] = 0
        return d

    def _look(self, closure: Callable[[], Any], d: Any, t: float) -> _Point:
        """The loss at a step of t along d, its gradient and its slope along d; the parameters stay where they are."""
        params = self.param_groups[0]["params"]
        before = [p.data.copy() for p in params]
        try:
            self._move(t, d)
            loss, g = float(evaluated(closure)), self._gradient()
        finally:
            for p, values in zip(params, before):
                p.data = values
        return _Point(t, math.inf if math.isnan(loss) else loss, g, float(g @ d))

    # All parameters as one real vector

    def _gradient(self) -> Any:
        """The gradient: zero for a parameter that is frozen, or that the loss does not depend on."""
        parts = []
        for p in self.param_groups[0]["params"]:
            w, g = p.data, p.grad
            if g is None or not p.requires_grad:
                g = np.zeros(w.shape, w.dtype, like=w)
            parts.append(g.conj().reshape(-1).view(w.real.dtype))  # ∂L/∂x + i ∂L/∂y, as in `Optimizer`
        check_same_device("LBFGS", {f"gradient {k}": part for k, part in enumerate(parts)})
        return np.concatenate(parts)

    def _parts(self, vector: Any) -> list[tuple[Tensor, Any]]:
        """Each parameter with its part of a vector."""
        parts, start = [], 0
        for p in self.param_groups[0]["params"]:
            stop = start + p.size * (2 if p.dtype.kind == "c" else 1)
            parts.append((p, vector[start:stop]))
            start = stop
        return parts

    def _move(self, t: float, d: Any) -> None:
        """Add t d to the parameters."""
        for p, part in self._parts(d):
            w = p.data
            try:
                w += (t * part).astype(w.real.dtype, copy=False).view(w.dtype).reshape(w.shape)
            finally:
                mark_written(w)

    # Its state

    def _follow(self, g: Any, state: dict[str, Any]) -> None:
        """Have what is remembered where the gradient is; refuse if the parameters have been converted since."""
        known = state.get("d")
        if known is None:
            return
        if known.dtype != g.dtype or known.shape != g.shape:
            raise RuntimeError(
                f"this optimizer remembers directions in {known.dtype}{list(known.shape)} for parameters that are now "
                f"{g.dtype}{list(g.shape)}: after `to(dtype)`, make a new optimizer."
            )
        place = device_of(g)
        if device_of(known) != place:
            moved = {name: [move(a, place) for a in state[name]] for name in ("old_dirs", "old_stps")}
            state.update(moved, **{name: move(state[name], place) for name in _ARRAYS})

    def _fitting(self, entry: Mapping[str, Any], p: Tensor, group: Mapping[str, Any], k: int) -> dict[str, Any]:
        require(k == 0, f"the state of LBFGS is that of parameter 0, got one of parameter {k}.")
        names = {*_ARRAYS, *_LISTS, *_NUMBERS}
        if entry.keys() != {"func_evals"}:  # a first gradient of zero leaves nothing else
            require(entry.keys() == names, f"the state of LBFGS has {sorted(names)}, got {sorted(map(str, entry))}.")
        for name in _NUMBERS:
            value = entry.get(name, 0)
            kind = int if name in ("func_evals", "n_iter") else int | float
            require(
                isinstance(value, kind) and not isinstance(value, bool),
                f"the state has {name} as {value!r}, which is not a number.",
            )
        template = self._gradient()

        def copied(name: str, value: Any) -> Any:
            if getattr(value, "shape", None) != template.shape or getattr(value, "dtype", None) != template.dtype:
                got = f"{value.dtype}{list(value.shape)}" if hasattr(value, "dtype") else repr(value)
                raise ValueError(
                    f"the state has {name} as {got}, but all parameters are {template.dtype}{list(template.shape)}."
                )
            array = np.empty_like(template)
            array[...] = move(as_array(data_of(value)), device_of(template))
            return array

        taken = {name: entry[name] for name in _NUMBERS if name in entry}
        taken.update((name, copied(name, entry[name])) for name in _ARRAYS if name in entry)
        lists = {name: entry[name] for name in _LISTS if name in entry}
        lengths = {len(values) if isinstance(values, list) else None for values in lists.values()}
        require(len(lengths) < 2 and None not in lengths, "the lists in the state of LBFGS have different lengths.")
        for name, values in lists.items():
            if name == "ro":
                require(all(isinstance(r, float) for r in values), "the state has ro as something else than numbers.")
            taken[name] = list(values) if name == "ro" else [copied(name, value) for value in values]
        return taken


class _Point(NamedTuple):
    """The loss after a step of t, its gradient, and its slope along the step."""

    t: float
    loss: float
    gradient: Any
    slope: float


def _largest(vector: Any) -> float:
    return float(np.abs(vector).max()) if vector.size else 0.0


def _strong_wolfe(
    at: Callable[[float], _Point], t: float, start: _Point, narrow: float, evaluations: int
) -> tuple[_Point, int]:
    """A step that lowers the loss enough, and after which its slope is small: a bracket first, and then its inside.

    Parameters
    ----------
    at : callable
        Evaluates the loss at a step.
    t : float
        The first step to try.
    start : _Point
        The step 0.
    narrow : float
        A bracket narrower than this is not divided.
    evaluations : int
        Not more than this, and the first one.

    Returns
    -------
    The point, and the number of evaluations.
    """
    lower, flatter = 1e-4, 0.9

    def too_high(point: _Point) -> bool:
        return point.loss > start.loss + lower * point.t * start.slope

    previous, new, n = start, at(t), 0
    while n < evaluations:
        if too_high(new) or (n > 1 and new.loss >= previous.loss):
            break
        if abs(new.slope) <= -flatter * start.slope:
            return new, n + 1
        if new.slope >= 0:
            break
        t = _cubic_minimum(previous, new, new.t + 0.01 * (new.t - previous.t), 10 * new.t)
        previous, new, n = new, at(t), n + 1
    else:
        previous = start
    low, high = sorted((previous, new), key=lambda point: point.loss)
    stuck = False
    while n < evaluations and not abs(high.t - low.t) < narrow:
        left, right = sorted((low.t, high.t))
        t = _cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        stuck = near
        new, n = at(t), n + 1
        if too_high(new) or new.loss >= low.loss:
            low, high = sorted((low, new), key=lambda point: point.loss)
        elif abs(new.slope) <= -flatter * start.slope:
            return new, n + 1
        else:
            high = low if new.slope * (high.t - low.t) >= 0 else high
            low = new
    return low, n + 1


def _cubic_minimum(a: _Point, b: _Point, left: float, right: float) -> float:
    """Where the cubic through two points with their slopes is least, between `left` and `right`."""
    if a.t > b.t:
        a, b = b, a
    middle = (left + right) / 2
    if a.t == b.t:
        return middle
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return middle
    d2 = math.sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / bottom) if bottom else middle
    return min(max(t, left), right)
