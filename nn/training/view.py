"""`TrainingView`: a training to look at, live in a notebook and as one HTML file."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

from autograd.files import replace_file

from .._checks import positive
from ..module import Module
from .callbacks import Callback, Run
from .history import History
from .monitor import NormRecorder

__all__ = ["TrainingView"]

#: So many times as long as the last drawing took nothing is drawn again: drawing takes a tenth of the time at most.
_PATIENCE = 9

#: When the first drawing is due, in seconds; a training that is over before is drawn once.
_FIRST = 1.0

#: How many learning rates are taken in one epoch.
_RATES = 20

#: Of how many places are kept: the learning rates, the sizes, and the histograms. They are in each checkpoint, too.
_KEPT = 1000, 256, 32


class TrainingView(Callback):
    """Shows a training while it runs, and keeps it as a page: a callback of `fit`.

    There are the curves of all that is measured, with the best epochs; the learning rate; the size (the root mean
    square) of activations and gradients, layer by layer; how the weights are distributed; and what the history says of
    overfitting. In a notebook the page is in the output of the cell and changes as the training goes on. Elsewhere
    nothing is shown; but with a `path` the page is written there, in one file that loads nothing else. Open in a
    browser during the training, it keeps up with it.

    The training is not changed by it: not a bit of the weights.

    Parameters
    ----------
    path : path-like, optional
        Where to write the page, after epochs and when the training ends, also by an exception. `save` writes it later.
    every : int
        The sizes of activations and gradients are taken in the first batch of an epoch and in each `every`-th after it.
    histograms, norms : bool
        Whether to show the weights, and those sizes.

    Attributes
    ----------
    rates : list of (float, list of float)
        A place in the training, in epochs, and the learning rate of each group of parameters there.
    sizes : list of (int, dict)
        An epoch, and the means of what `NormRecorder` recorded in it.
    weights : list of (int, dict)
        An epoch, and after it the histogram of each parameter with several axes, as `summarize` makes it.
    state : str
        'running'; afterwards why the training ended early, if it did.

    Raises
    ------
    ImportError
        If matplotlib, which draws, is missing.
    OSError
        By `fit`, before the first epoch: if the file cannot be written.

    Notes
    -----
    It draws seldom enough for drawing to take a tenth of the time at most; at the end everything is drawn. If it cannot
    be drawn or written any more, there is a warning, and the training goes on: it is worth more than its picture.

    Examples
    --------
    >>> import numpy as np
    >>> import nn, optim
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(64, 2)).astype(np.float32)
    >>> y = (X[:, :1] > X[:, 1:]).astype(np.float32)
    >>> model = nn.MLP([2, 8, 1], rng=rng)
    >>> adam = optim.Adam(model.parameters(), lr=0.01)
    >>> view = nn.TrainingView(getfixture("tmp_path") / "training.html")
    >>> data = nn.DataLoader((X, y), batch_size=16, rng=rng)
    >>> history = nn.fit(model, adam, nn.BCEWithLogitsLoss(), data, epochs=3, callbacks=[view], progress=False)
    >>> view
    TrainingView(epochs=3)

    In a loop of one's own:

    >>> view = nn.TrainingView()
    >>> for epoch in range(2):
    ...     with nn.NormRecorder(model) as sizes:
    ...         loss = nn.BCEWithLogitsLoss()(model(X), y)
    ...         loss.backward()
    ...     adam.step()
    ...     adam.zero_grad()
    ...     history.append({"loss": loss.item()})
    ...     view.update(history, model, adam, sizes)
    >>> view.save(getfixture("tmp_path") / "own.html")
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        every: int = 10,
        histograms: bool = True,
        norms: bool = True,
    ):
        from .figures import require_matplotlib

        require_matplotlib()
        self.path, self.histograms, self.norms = path, histograms, norms
        self.every = positive("every: the number of batches", every)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen: for another training."""
        self.history = History()
        self.model: Module | None = None
        self.optimizer: Any = None
        self.rates: list[tuple[float, list[float]]] = []
        self.sizes: list[tuple[int, dict[str, dict[str, float]]]] = []
        self.weights: list[tuple[int, dict[str, Any]]] = []
        self.state = ""
        self._rank = 0
        self._recorder: NormRecorder | None = None
        self._steps: list[list[float]] = []
        self._handle: Any = None
        self._quiet_until = 0.0
        self._said = ""

    # As a callback

    def on_train_begin(self, run: Run) -> None:
        if not run.epoch:  # not resumed
            self.reset()
        self.history, self.model, self.optimizer = run.history, run.model, run.optimizer
        self._rank = run.ranks.rank
        self.state, self._handle, self._said = "running", None, ""
        self._quiet_until = time.perf_counter() + _FIRST
        if self.path is not None:  # what cannot be written is said before an epoch is lost
            self._write()

    def on_epoch_begin(self, run: Run) -> None:
        self._steps = []
        self._recorder = NormRecorder(run.model) if self.norms else None
        self._record()

    def before_step(self, run: Run) -> None:
        rates = _rates_of(run.optimizer)
        self._steps.append(self._steps[-1] if self._steps and self._steps[-1] == rates else rates)

    def on_batch_end(self, run: Run) -> None:
        self._stop_recording()
        if run.batch % self.every == 0:
            self._record()

    def on_epoch_end(self, run: Run) -> None:
        self._stop_recording()
        self.update(run.history, run.model, run.optimizer, self._recorder)

    def on_train_end(self, run: Run) -> None:
        self._stop_recording()
        self.state = run.stopped or ""
        if run.epoch > run.history.epochs:
            self.state = f"ended in batch {run.batch} of epoch {run.epoch}"
        self._show()

    def _record(self) -> None:
        if self._recorder is not None:
            self._recorder.__enter__()

    def _stop_recording(self) -> None:
        if self._recorder is not None:
            self._recorder.__exit__()

    # What it collects

    def update(
        self,
        history: History,
        model: Module | None = None,
        optimizer: Any = None,
        norms: NormRecorder | None = None,
    ) -> None:
        """Take what there is to see after one more epoch, and draw it if it is time to.

        Parameters
        ----------
        history : History
            With that epoch. One with fewer epochs than the last is of another training: what was seen is forgotten.
        model : Module, optional
            Its weights are shown.
        optimizer : optim.Optimizer, optional
            Its learning rates are shown.
        norms : NormRecorder, optional
            What was recorded in this epoch.
        """
        if not isinstance(history, History):
            raise TypeError(f"a TrainingView shows an nn.History, got {type(history).__name__}: write nn.History(…).")
        epoch = history.epochs
        if epoch < self.history.epochs:  # of another training
            self.reset()
        self.history, self.model, self.optimizer = history, model, optimizer
        steps = self._steps or ([] if optimizer is None else [_rates_of(optimizer)])
        self._steps = []
        for k in sorted({round((k + 1) * len(steps) / _RATES) for k in range(_RATES)} - {0}):
            if steps[k - 1]:
                self.rates.append((epoch - 1 + k / len(steps), steps[k - 1]))
        if norms is not None:
            self.sizes.append((epoch, _sizes_of(norms)))
        if model is not None and self.histograms:
            self.weights.append((epoch, _weights_of(model)))
        collected: tuple[list[Any], ...] = self.rates, self.sizes, self.weights
        for items, most in zip(collected, _KEPT):
            if len(items) > most:  # of the past every second, every fourth, …
                del items[1:-1:2]
        if time.perf_counter() >= self._quiet_until:
            self._show()

    def state_dict(self) -> dict[str, Any]:
        """What it has collected: a training that is resumed goes on with it."""
        return {"rates": list(self.rates), "sizes": list(self.sizes), "weights": list(self.weights)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what another one has collected.

        Raises
        ------
        ValueError
            If it is not the state of a `TrainingView`. Nothing is changed then.
        """
        if state.keys() != {"rates", "sizes", "weights"}:
            raise ValueError(f"this is not the state of a TrainingView: it has {', '.join(state)}.")
        self.rates, self.sizes, self.weights = (list(state[name]) for name in ("rates", "sizes", "weights"))

    # What it shows

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one HTML file, whole or not at all.

        Parameters
        ----------
        path : path-like
            An existing file is replaced in one step.
        """
        from .page import page_of

        replace_file(path, page_of(self).encode())

    def _write(self) -> None:
        if self.path is not None and not self._rank:
            self.save(self.path)

    def _show(self) -> None:
        """In the notebook, if there is one, and in the file. What goes wrong is said once, and ends no training."""
        start = time.perf_counter()
        try:
            if _in_notebook():
                self._display()
            self._write()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            if said != self._said:
                warnings.warn(
                    f"after epoch {self.history.epochs} the training could not be shown, and goes on: {said}",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._said = said
        end = time.perf_counter()
        self._quiet_until = end + _PATIENCE * (end - start)

    def _display(self) -> None:
        import IPython.display

        display: Any = IPython.display.display
        if self._handle is None:
            self._handle = display(self, display_id=True)
        else:
            self._handle.update(self)

    def _repr_html_(self) -> str:
        from .page import fragment_of

        return fragment_of(self)

    def __repr__(self) -> str:
        return f"TrainingView(epochs={self.history.epochs})"


def _rates_of(optimizer: Any) -> list[float]:
    """The learning rate of each group of parameters."""
    groups = getattr(optimizer, "param_groups", ())
    return [float(group["lr"]) for group in groups if "lr" in group]


def _sizes_of(recorder: NormRecorder) -> dict[str, dict[str, float]]:
    """What was recorded, layer by layer: the means over the passes."""
    kinds = {
        "activations": recorder.activations,
        "gradients at the outputs": recorder.gradients,
        "gradients of the parameters": recorder.parameters,
    }
    return {
        kind: {name: sum(sizes) / len(sizes) for name, sizes in layers.items() if sizes}
        for kind, layers in kinds.items()
    }


def _weights_of(model: Module) -> dict[str, Any]:
    """The histograms of the matrices of a model; if it has none, of all its parameters."""
    from autograd.inspection.summary import summarize

    named = dict(model.named_parameters())
    matrices = {name: parameter for name, parameter in named.items() if parameter.ndim > 1} or named
    found = {name: summarize(parameter.data.reshape(-1))["histogram"] for name, parameter in matrices.items()}
    return {
        name: histogram
        for name, histogram in found.items()
        if histogram is not None and all(isinstance(edge, float) for edge in histogram["edges"])
    }


def _in_notebook() -> bool:
    """Whether a notebook shows what is displayed: IPython with a kernel."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return hasattr(shell, "kernel")
