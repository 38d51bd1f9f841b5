"""Teach a multi-layer perceptron to read handwritten digits: scikit-learn's 1797 pictures of 8 × 8 pixels.

    python examples/digits.py [--out out] [--epochs 120] [--seed 0]

64-256-128-10 with ReLU and dropout, cross-entropy of the logits, AdamW with a cosine schedule; inputs standardised
with the training set's mean and deviation, and in training shifted by a pixel. A fifth of the pictures is put aside
for the test, whose accuracy is looked at once, at the end. It takes a few seconds on a CPU. With --out, the curves and
the weights are kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import nn
import optim

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1


def load(rng: np.random.Generator) -> list[nn.ArrayDataset]:
    """Training, validation and test set, in which all digits are equally frequent."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    data = nn.ArrayDataset(X.astype(np.float32).reshape(-1, 8, 8, 1), y)
    shares = [1 - TEST_SHARE - VALIDATION_SHARE, VALIDATION_SHARE, TEST_SHARE]
    return nn.random_split(data, shares, rng=rng, stratify=y)


def build(rng: np.random.Generator) -> nn.Sequential:
    """The network; the first module standardises its inputs, and is saved with the weights."""
    return nn.Sequential(
        nn.Standardize(1),
        nn.Flatten(),
        nn.Linear(64, 256, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.1, rng=rng),
        nn.Linear(256, 128, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.1, rng=rng),
        nn.Linear(128, 10, rng=rng),
    )


def run(seed: int, epochs: int, out: Path | None, progress: bool | None = None) -> float:
    """Train; returns the accuracy on the test set."""
    rng = np.random.default_rng(seed)
    training, validation, test = load(rng)
    model = build(rng)
    model[0].fit(training[:][0])
    optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    criterion = nn.CrossEntropyLoss()
    history = nn.fit(
        model,
        optimizer,
        criterion,
        nn.DataLoader(training, batch_size=32, shuffle=True, rng=rng, transform=nn.RandomShift(1)),
        validation=nn.DataLoader(validation, batch_size=512),
        schedule=optim.CosineAnnealingLR(optimizer, T_max=epochs),
        epochs=epochs,
        metrics=["accuracy"],
        progress=progress,
    )
    measured = nn.evaluate(model, nn.DataLoader(test, batch_size=512), criterion, ["accuracy", "confusion"])
    print(history.report())
    print("confusion, true digit by row:")
    print(np.array(measured["confusion"]))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        history.plot().savefig(out / "digits.png", dpi=150)
        nn.save_weights(model, out / "digits.safetensors", {"test accuracy": f"{measured['accuracy']:.4f}"})
    return float(measured["accuracy"])


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments, by default those of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="a folder for the curves and the weights")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    accuracy = run(options.seed, options.epochs, options.out)
    print(f"test accuracy {accuracy:.4f}, after {time.perf_counter() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
