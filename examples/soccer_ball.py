"""Soccer ball or not: networks of the lecture's size and wider, how they overfit, and what helps.

    python examples/soccer_ball.py [--out out] [--examples 1000] [--epochs 30] [--seed 0]

The lecture's network, 12288-3-2-1 with sigmoids, is too small for the task. A wider one, 12288-256-64-1 with ReLU,
learns its training set by heart: its training loss goes to zero while its validation loss rises. Then the same wide
network again, each time with one remedy: L2, dropout, augmented pictures, early stopping; and with all of them.

The pictures are drawn by `soccer_images.py`: 64 × 64 × 3 numbers each, as many for the validation, twice as many for
the test, which is looked at once for each network. It takes two minutes or so on two cores. With --out, the curves
are kept as a picture, and the figures as text.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from soccer_images import draw

import nn
import optim

#: Pictures of the training set as they might have been taken as well.
AUGMENTATION = nn.Compose([nn.RandomFlip(), nn.RandomShift(6), nn.GaussianNoise(0.1)])

WIDE = (256, 64)


@dataclass(frozen=True)
class Setting:
    """A network, and what is done against overfitting."""

    name: str
    hidden: tuple[int, ...] = WIDE
    activation: Callable[[], nn.Module] = nn.ReLU
    lr: float = 3e-4
    l2: float = 0.0
    dropout: float = 0.0
    augmentation: Any = None
    stopping: bool = False
    slower: int = 1  # how many times as many epochs it gets

    def network(self, rng: np.random.Generator) -> nn.Sequential:
        """Pictures in, logits out."""
        modules: list[nn.Module] = [nn.Standardize(3), nn.Flatten()]  # for each colour, as on the training set
        sizes = (64 * 64 * 3, *self.hidden)
        for n, m in pairwise(sizes):
            init = "he" if self.activation is nn.ReLU else "xavier"
            modules += [nn.Linear(n, m, init=init, rng=rng), self.activation()]
            if self.dropout:
                modules.append(nn.Dropout(self.dropout, rng=rng))
        return nn.Sequential(*modules, nn.Linear(sizes[-1], 1, init="xavier", rng=rng))


SETTINGS = (
    Setting("12288-3-2-1, sigmoid", (3, 2), nn.Sigmoid, lr=3e-3, slower=2),
    Setting("12288-256-64-1"),
    Setting("+ L2", l2=0.03),
    Setting("+ dropout", dropout=0.5),
    Setting("+ augmentation", augmentation=AUGMENTATION),
    Setting("+ early stopping", stopping=True),
    Setting("+ all of them", l2=0.01, dropout=0.2, augmentation=AUGMENTATION, stopping=True, slower=2),
)

Data = tuple[Any, Any]


def train(setting: Setting, parts: tuple[Data, Data, Data], epochs: int, seed: int) -> tuple[nn.History, list[float]]:
    """Train one network; its history, and the loss and accuracy on the training, validation and test set."""
    rng = np.random.default_rng(seed)
    training, validation, _ = parts
    model, criterion = setting.network(rng), nn.BCEWithLogitsLoss()
    model[0].fit(training[0])
    history = nn.fit(
        model,
        optim.Adam(model.parameters(), lr=setting.lr, weight_decay=setting.l2),
        criterion,
        nn.DataLoader(training, batch_size=50, shuffle=True, rng=rng, transform=setting.augmentation),
        validation=nn.DataLoader(validation, batch_size=500),
        epochs=epochs * setting.slower,
        callbacks=[nn.EarlyStopping(patience=5)] if setting.stopping else [],
        metrics=["accuracy"],
    )
    measured = [nn.evaluate(model, nn.DataLoader(part, batch_size=500), criterion, ["accuracy"]) for part in parts]
    return history, [m[name] for m in measured for name in ("loss", "accuracy")]


def curves(histories: dict[str, nn.History]) -> Any:
    """The losses of all networks, side by side on the same scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * 4, 2 * 3.4), layout="constrained")
    panels = figure.subplots(2, 4, sharey=True).ravel()
    for panel, (name, history) in zip(panels, histories.items()):
        epochs = range(1, history.epochs + 1)
        panel.plot(epochs, history["loss"], "-", color="#0072B2", label="training")
        panel.plot(epochs, history["validation loss"], "--", color="#D55E00", label="validation")
        panel.set(title=name, xlabel="epoch", ylim=(0, 1.2))
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("binary cross-entropy")
    panels[0].legend(frameon=False)
    for panel in panels[len(histories) :]:
        panel.set_axis_off()
    return figure


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments, by default those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="a folder for the curves and the figures")
    parser.add_argument("--examples", type=int, default=1000, help="pictures in the training set")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    n = options.examples
    X, y = draw(4 * n, rng)
    parts = (X[:n], y[:n]), (X[n : 2 * n], y[n : 2 * n]), (X[2 * n :], y[2 * n :])

    lines = [f"{'':22}{'training':>16}{'validation':>16}{'test':>16}{'epochs':>9}"]
    lines += [f"{'':22}" + f"{'loss':>9}{'acc.':>7}" * 3]
    print("\n".join(lines), flush=True)
    histories = {}
    for setting in SETTINGS:
        histories[setting.name], figures = train(setting, parts, options.epochs, options.seed)
        cells = "".join(f"{loss:9.3f}{accuracy:7.3f}" for loss, accuracy in zip(figures[::2], figures[1::2]))
        lines.append(f"{setting.name:22}{cells}{histories[setting.name].epochs:9}")
        print(lines[-1], flush=True)
    print("\n12288-256-64-1: " + histories["12288-256-64-1"].report())
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        curves(histories).savefig(options.out / "soccer_ball.png", dpi=100)
        (options.out / "soccer_ball.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
