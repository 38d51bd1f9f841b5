"""Data for the examples: load it, look at it with suspicion, split it, standardise it.

Everything that can be wrong with a data set raises `InputError`, whose text is one sentence for the user.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

#: The data sets that scikit-learn brings along. Anything else is the path of a NumPy file.
BUILT_IN = ("breast-cancer", "digits")

#: How much of each class is put aside, for validation and for the test.
VALIDATION_SHARE, TEST_SHARE = 0.2, 0.2


class InputError(Exception):
    """What the user gave cannot be used; the message is one sentence that says why."""


@dataclass(frozen=True)
class Data:
    """Examples in rows: `X` of shape (n, columns), and their labels 0 or 1, `y` of shape (n, 1)."""

    X: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.X)

    def rows(self, which: Any) -> Data:
        """Some of the rows, chosen by their numbers or by a slice."""
        return Data(self.X[which], self.y[which])


@dataclass(frozen=True)
class Split:
    """The same kind of data three times: to learn from, to watch the learning with, and to judge by."""

    training: Data
    validation: Data
    test: Data


def need(module: str, package: str | None = None) -> Any:
    """Import a module that `pip install "wengert[examples]"` brings, or say that this is what is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = package or module.partition(".")[0]
        raise InputError(f'{name} is missing here: pip install "wengert[examples]" brings it ({error})') from None


def load(name: str, digit: int) -> Data:
    """A data set by its name, or from a file.

    breast-cancer : 569 tumours, 30 measurements of each; 1 is benign.
    digits : 1797 pictures of 8 × 8 pixels; 1 is the digit `digit`.
    a path : a file written by `np.savez(path, X=X, y=y)`.
    """
    if name not in BUILT_IN:
        X, y = read_npz(Path(name))
        return checked(X, y, name)
    sklearn = need("sklearn.datasets", "scikit-learn")
    if name == "breast-cancer":
        return checked(*sklearn.load_breast_cancer(return_X_y=True), name)
    X, y = sklearn.load_digits(return_X_y=True)
    return checked(X, y == digit, name)


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The arrays X and y of a .npz file. Nothing in the file is executed: pickles are refused."""
    if not path.exists():
        raise InputError(f"there is no file {str(path)!r} (the built-in data sets are {', '.join(BUILT_IN)})")
    try:
        with open(path, "rb") as file:
            content = np.load(file, allow_pickle=False)
            found = content.files if hasattr(content, "files") else ["one array without a name"]
            arrays = [np.asarray(content[name]) for name in ("X", "y") if name in found]
    except Exception as error:  # a damaged file fails in many ways: in the zip, in a header, in the numbers
        raise InputError(f"{path} cannot be read as a .npz file of plain numbers: {error}") from None
    if len(arrays) < 2:
        raise InputError(f"{path} must hold the arrays 'X' and 'y', found {', '.join(found) or 'nothing'}")
    return arrays[0], arrays[1]


def checked(X: np.ndarray, y: np.ndarray, name: str) -> Data:
    """The arrays as float64 `Data`, once it is certain that they can be learnt from."""

    def require(condition: Any, fault: str) -> None:
        if not condition:
            raise InputError(f"{name}: {fault}")

    require(X.ndim == 2 and X.shape[1] > 0, f"X must have shape (rows, columns), got {X.shape}")
    require(y.ndim == 1, f"y must have shape (rows,), got {y.shape}")
    require(len(X) == len(y), f"X has {len(X)} rows and y has {len(y)}, they must be equally many")
    for letter, array in (("X", X), ("y", y)):
        require(array.dtype.kind in "biuf", f"{letter} must hold real numbers, got dtype {array.dtype}")
        with np.errstate(over="ignore"):  # a longdouble may be too large for float64
            bad = np.count_nonzero(~np.isfinite(array.astype(np.float64)))
        require(not bad, f"{letter} holds {bad} values that are NaN or infinite")
    strange = np.setdiff1d(y, (0, 1))
    require(not strange.size, f"y must hold the labels 0 and 1 only, found {', '.join(map(str, strange[:3]))}")
    zeros, ones = np.count_nonzero(y == 0), np.count_nonzero(y == 1)
    require(zeros and ones, f"y must hold both labels, found {zeros} zeros and {ones} ones")
    require(
        min(zeros, ones) >= 3,
        f"too few rows to split in three: {zeros} zeros and {ones} ones, at least 3 of each are needed",
    )
    return Data(X.astype(np.float64), y.astype(np.float64).reshape(-1, 1))


def split(data: Data, rng: np.random.Generator) -> Split:
    """Three parts in which both labels are as frequent as in the whole (a stratified split), each part shuffled."""
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(data.y == label))
        validation = max(1, round(VALIDATION_SHARE * len(rows)))
        test = max(1, round(TEST_SHARE * len(rows)))
        for part, chosen in zip(parts, np.split(rows, [len(rows) - validation - test, len(rows) - test])):
            part.append(chosen)
    return Split(*(data.rows(rng.permutation(np.concatenate(part))) for part in parts))


def standardise(parts: Split, dtype: str) -> Split:
    """(x − μ) / σ for each column, with μ and σ of the training rows: the others must not be known yet.

    A column that is constant there is only centred, since its σ is 0.
    """
    X = parts.training.X
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = X.mean(axis=0), X.std(axis=0)
        deviation[(X.max(axis=0) == X.min(axis=0)) | (deviation == 0)] = 1
        done = [Data(((p.X - mean) / deviation).astype(dtype), p.y.astype(dtype)) for p in vars(parts).values()]
    if not (np.isfinite(deviation).all() and all(np.isfinite(p.X).all() for p in done)):
        raise InputError(f"X holds numbers too large to be standardised in {dtype}")
    return Split(*done)
