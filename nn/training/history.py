"""`History`: what was measured after each epoch, as a table, a plot, and a sentence about overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["History"]


class History(Mapping[str, list[Any]]):
    """What was measured after each epoch, by name: 'loss', 'validation loss', 'accuracy', ….

    Parameters
    ----------
    values : mapping of str to list, optional
        One list for each measure, all of one length.

    Examples
    --------
    >>> import nn
    >>> history = nn.History()
    >>> for k in range(4):
    ...     history.append({"loss": 0.8 - 0.2 * k, "validation loss": [0.9, 0.7, 0.75, 0.8][k]})
    >>> history["validation loss"]
    [0.9, 0.7, 0.75, 0.8]
    >>> print(history.report())
    After 4 epochs the loss is 0.2 on the training set and 0.8 on the validation set.
    The validation loss was lowest, 0.7, after epoch 2.
    Since then it has risen by 14 %, while the training loss fell from 0.6 to 0.2:
    what the model goes on learning holds for its training set alone (overfitting).
    """

    def __init__(self, values: Mapping[str, list[Any]] | None = None):
        self._values: dict[str, list[Any]] = {
            name: [as_number(value) for value in column] for name, column in (values or {}).items()
        }
        if len({len(column) for column in self._values.values()}) > 1:
            raise ValueError("a history has one value of each measure for each epoch.")

    def append(self, measured: Mapping[str, Any]) -> None:
        """Take what was measured after one more epoch; always the same measures."""
        if self._values and measured.keys() != self._values.keys():
            raise ValueError(f"this history has {', '.join(self._values)}; it was given {', '.join(measured)}.")
        for name, value in measured.items():
            self._values.setdefault(name, []).append(as_number(value))

    @property
    def epochs(self) -> int:
        """How many epochs there have been."""
        return len(next(iter(self._values.values()), ()))

    def best(self, measure: str = "validation loss", mode: str | None = None) -> int:
        """The number of the first epoch, from 1, in which a measure was lowest, or greatest with `mode='max'`.

        Parameters
        ----------
        measure : str
        mode : {'min', 'max'}, optional
            By default 'min' for a loss; of anything else it must be said.

        Raises
        ------
        KeyError
            If it was not measured.
        ValueError
            If there is no such epoch: none yet, or all were NaN.
        """
        sign = -1 if direction(measure, mode) == "max" else 1
        values = [sign * value for value in self[measure]]
        numbers = [k for k, value in enumerate(values) if not math.isnan(value)]
        if not numbers:
            raise ValueError("there has been no epoch yet." if not values else f"{measure} has always been NaN.")
        return 1 + min(numbers, key=values.__getitem__)

    def parting(self) -> int | None:
        """The epoch, from 1, after which training and validation part; None if they do not.

        It is the one in which the validation loss was lowest, if the training loss has fallen since: the model then
        goes on learning what holds for the training set alone.
        """
        if not self.epochs or not self._numeric("loss") or not self._numeric("validation loss"):
            return None
        loss, validation = self["loss"], self["validation loss"]
        if all(map(math.isnan, validation)):
            return None
        epoch = self.best()
        return epoch if loss[-1] < loss[epoch - 1] and validation[-1] > validation[epoch - 1] else None

    def report(self) -> str:
        """Whether, and since when, the model overfits, in words."""
        if not self.epochs:
            return "There has been no epoch yet."
        loss, validation = self["loss"], self.get("validation loss")
        said = f"After {self.epochs} epoch{'s' * (self.epochs > 1)} the loss is {loss[-1]:.4g} on the training set"
        if validation is None:
            return said + "; without a validation set nobody knows what that is worth."
        said += f" and {validation[-1]:.4g} on the validation set.\n"
        if all(map(math.isnan, validation)):
            return said + "That is no number, and has never been one: is there NaN in the validation set?"
        lowest, parting = self.best(), self.parting()
        said += f"The validation loss was lowest, {validation[lowest - 1]:.4g}, after epoch {lowest}."
        if parting is None:
            return said + (" It is still falling." if 1 < lowest == self.epochs else "")
        rise = _percent(validation[-1], validation[parting - 1])
        return said + (
            f"\nSince then it has risen by {rise}, while the training loss fell from {loss[parting - 1]:.4g} to "
            f"{loss[-1]:.4g}:\nwhat the model goes on learning holds for its training set alone (overfitting)."
        )

    def plot(self, axes: Any = None) -> Any:
        """Draw each measure over the epochs, training and validation together; where they part is marked.

        Parameters
        ----------
        axes : array of matplotlib Axes, optional
            One for each kind of measure; by default a new figure.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If there has been no epoch yet, or for another number of axes.
        """
        kinds = self._kinds()
        if not self.epochs:
            raise ValueError("there has been no epoch yet: there is nothing to draw.")
        if axes is None:
            figure = _figure(len(kinds))
            axes = figure.axes
        else:
            axes = np.ravel(axes)
            if len(axes) != len(kinds):
                raise ValueError(f"{len(kinds)} axes are needed, for {', '.join(kinds)}; got {len(axes)}.")
            figure = axes[0].figure
        epochs = range(1, self.epochs + 1)
        for ax, kind in zip(axes, kinds):
            for label, name, colour, line in (
                ("training", kind, "#0072B2", "-"),
                ("validation", f"validation {kind}", "#D55E00", "--"),
            ):
                if self._numeric(name):
                    ax.plot(
                        epochs, self[name], line, marker="." if self.epochs < 60 else None, color=colour, label=label
                    )
            parting = self.parting()
            if parting is not None:
                ax.axvline(parting, color="0.6", linewidth=1, linestyle=":", label="they part")
            ax.set(xlabel="epoch", title=kind)
            ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            ax.grid(alpha=0.3)
            ax.spines[["top", "right"]].set_visible(False)
            ax.legend(frameon=False)
        return figure

    def _kinds(self) -> list[str]:
        """The measures that can be drawn, without 'validation': the panels of `plot`."""
        return [name for name in self if not name.startswith("validation ") and self._numeric(name)]

    def _numeric(self, name: str) -> bool:
        """Whether a measure is there, and has always been a number."""
        return name in self and all(isinstance(value, int | float) for value in self[name])

    def __getitem__(self, measure: str) -> list[Any]:
        if measure not in self._values:
            raise KeyError(f"nothing called {measure!r} was measured; there are {', '.join(self._values) or 'none'}")
        return self._values[measure]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, measure: object) -> bool:
        return measure in self._values

    def _columns(self) -> tuple[list[str], list[int | None]]:
        """What a table shows: the measures that are numbers, and the epochs, from 0; None stands for many of them."""
        many = self.epochs > 20
        shown = [*range(10), None, *range(self.epochs - 10, self.epochs)] if many else list(range(self.epochs))
        return [name for name in self if self._numeric(name)], shown

    def __repr__(self) -> str:
        names, shown = self._columns()
        rows = [["epoch", *names]]
        for k in shown:
            rows.append(
                ["…"] * len(rows[0]) if k is None else [str(k + 1), *(f"{self[name][k]:.4g}" for name in names)]
            )
        widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
        return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows)

    def _repr_html_(self) -> str:
        from .display import history_html

        return history_html(self)


def as_number(value: Any) -> Any:
    """A Python number, if it is one: NumPy's, an array or a Tensor without axes; else the value itself."""
    return value.item() if getattr(value, "shape", None) == () else value


def direction(measure: str, mode: str | None) -> str:
    """'min' or 'max': whether less or more of a measure is better."""
    if mode is None and measure.split()[-1:] != ["loss"]:
        raise ValueError(f"whether less or more of {measure!r} is better must be said: mode='min' or mode='max'.")
    if mode not in (None, "min", "max"):
        raise ValueError(f"mode must be 'min' or 'max', got {mode!r}.")
    return mode or "min"


def _figure(panels: int) -> Any:
    """A figure with panels side by side: pyplot's, so that a notebook shows it, where pyplot is in use."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f'plots are drawn by matplotlib, which is missing here: `pip install "wengert[examples]"` ({error}).'
        ) from None
    return pyplot.subplots(1, panels, figsize=(5 * panels, 4), layout="constrained", squeeze=False)[0]


def _percent(value: float, before: float) -> str:
    """How much more a value is than it was before; a loss may be zero or negative, and then there are no percents."""
    return f"{100 * (value / before - 1):.2g} %" if before > 0 else f"{value - before:.2g}"
