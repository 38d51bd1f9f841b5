"""Train a multi-layer perceptron to say yes or no, and keep what a report needs.

    python examples/train_mlp.py --out out
    python examples/train_mlp.py --out out --data digits --digit 8 --layers 32 --activation tanh
    python examples/train_mlp.py --out out --data mine.npz --optimizer nesterov --lr 0.02 --epochs 100
    mpiexec -n 2 python examples/train_mlp.py --out out

The default data are scikit-learn's breast-cancer measurements. A file of your own comes from
`np.savez("mine.npz", X=X, y=y)`, with X of shape (rows, columns) and y of shape (rows,), 0 or 1.

The way: the rows are split into a training, a validation and a test part; every column is standardised with
the mean and deviation of the training part; the network ends in one logit z, so that σ(z) is the probability
of a 1; binary cross-entropy measures how wrong it is; and gradient descent on mini-batches makes that smaller.

What is in the folder afterwards:

    curves.png            loss and accuracy after each epoch, on the training and on the validation part
    graph.svg             the computation graph of the loss of one batch (graph.dot where nothing can draw it)
    weights.safetensors   the trained parameters
    metrics.json          the numbers behind the curves, the accuracies and the options

The same seed gives the same numbers, bit for bit. The files are written at the very end, all or none.

Started by `mpiexec`, the processes share the rows of each mini-batch, and learn what one would, to rounding; the first
of them writes the files. That needs `pip install "wengert[mpi]"`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from datasets import Data, InputError, Split, load, need, split, standardise

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where wengert is if it is not installed

import autograd
import nn
import optim
from autograd.devices import move
from nn.activation_names import ACTIVATIONS
from nn.init import INITIALIZERS

#: What each optimizer adds to `optim.SGD(parameters, lr, momentum, weight_decay)`.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"form": "classical"},
    "average": {"form": "average"},
    "nesterov": {"nesterov": True},
}
MEASURES = ("training loss", "training accuracy", "validation loss", "validation accuracy")
FILES = ("curves.png", "graph.svg", "graph.dot", "weights.safetensors", "metrics.json")

criterion = nn.BCEWithLogitsLoss()


# The options


class Parser(argparse.ArgumentParser):
    """Reports a wrong option in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def whole(at_least: int) -> Any:
    """A converter for options that are whole numbers."""

    def convert(text: str) -> int:
        number = int(text) if text.isdecimal() and len(text) < 16 else -1
        if number < at_least:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {at_least}, got {text!r}")
        return number

    return convert


def real(below: float = math.inf) -> Any:
    """A converter for options that are real numbers, from 0 up to, but not including, `below`."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value < below:
            bound = "at least 0" if below == math.inf else f"at least 0 and less than {below:g}"
            raise argparse.ArgumentTypeError(f"must be a number, {bound}, got {text!r}")
        return value

    return convert


def layer_sizes(text: str) -> list[int]:
    """'16,16' as [16, 16]."""
    try:
        return [whole(1)(size.strip()) for size in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be the sizes of the hidden layers, as in 16 or 32,16, got {text!r}"
        ) from None


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options, checked. `InputError` if one of them cannot be."""
    parser = Parser(
        description="Train a multi-layer perceptron for a question with the answers 0 and 1.",
        epilog="Written to DIR: curves.png, graph.svg, weights.safetensors, metrics.json.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    help_out = "the folder for the results; it is made if needed, and files of these names in it are replaced"
    add("--out", required=True, metavar="DIR", default=argparse.SUPPRESS, help=help_out)
    help_data = "breast-cancer, digits ('is it a K?'), or a .npz file with the arrays X (rows, columns) and y (rows,)"
    add("--data", default="breast-cancer", metavar="NAME|FILE", help=help_data)
    help_digit = "with --data digits: which one to tell from the others, 0-9"
    add("--digit", type=int, choices=range(10), default=3, metavar="K", help=help_digit)
    add("--layers", type=layer_sizes, default="16,16", metavar="N,N,...", help="the sizes of the hidden layers")
    add("--activation", choices=sorted(ACTIVATIONS), default="relu", help="the function between the layers")
    help_init = "how weights are drawn; auto is he for relu and xavier for the rest; also " + ", ".join(INITIALIZERS)
    add("--init", choices=["auto", *INITIALIZERS], default="auto", metavar="NAME", help=help_init)
    help_optimizer = "gradient descent: plain, or with momentum in one of its three forms"
    add("--optimizer", choices=list(OPTIMIZERS), default="momentum", help=help_optimizer)
    add("--lr", type=real(), default=0.02, metavar="A", help="the learning rate")
    add("--momentum", type=real(1), default=0.9, metavar="B", help="how much of the velocity stays; sgd has none")
    add("--weight-decay", type=real(), default=0.01, metavar="L", help="pulls the parameters towards 0")
    add("--epochs", type=whole(1), default=50, metavar="N", help="how often each row is seen")
    add("--batch-size", type=whole(1), default=32, metavar="N", help="the rows in one step")
    add("--seed", type=whole(0), default=0, metavar="N", help="for the split, the first weights and the shuffling")
    add("--dtype", choices=["float32", "float64"], default="float32", help="the type of all numbers")
    add("--device", default="cpu", help="where to compute: cpu, cuda or cuda:N")
    options = parser.parse_args(arguments)
    if options.optimizer == "nesterov" and not options.momentum:
        raise InputError("--optimizer nesterov looks ahead along the velocity: it needs --momentum above 0")
    move(np.zeros(1), options.device)
    check_folder(options.out)
    return options


def check_folder(out: str) -> None:
    """Make sure that files can be written to this folder, or that it can be made, without leaving a trace."""
    if not out:
        raise InputError("--out is empty: name the folder for the results")
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {out} is a file: name a folder")
    for name in FILES:
        if (folder / name).is_dir():
            raise InputError(f"{folder / name} is a folder: it is in the way of the file of that name")
    try:
        tempfile.TemporaryFile(dir=nearest(folder)).close()
    except OSError as error:
        raise InputError(f"--out {out} cannot be written to: {error.strerror}") from None


def nearest(folder: Path) -> Path:
    """The folder itself, or the first one above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


# The training


def build(options: argparse.Namespace, columns: int, rng: np.random.Generator) -> nn.MLP:
    """The network: `columns` inputs, the hidden layers, and one logit."""
    sizes = [columns, *options.layers, 1]
    init = None if options.init == "auto" else options.init
    return nn.MLP(sizes, options.activation, init=init, dtype=options.dtype, rng=rng).to(options.device)


def loss_of(model: nn.MLP, batch: Data, device: str) -> tuple[autograd.Tensor, Any]:
    """The loss of a batch, and which of its rows are judged rightly: z > 0 says that 1 is the likelier answer."""
    X, y = move(batch.X, device), move(batch.y, device)
    z = model(X)
    return criterion(z, y), (z.data > 0) == (y > 0)


def evaluate(model: nn.MLP, data: Data, device: str) -> tuple[float, float]:
    """Loss and accuracy on all of `data`."""
    with autograd.no_grad():
        loss, right = loss_of(model, data, device)
    return loss.item(), float(right.mean())


def learn(
    model: nn.MLP,
    optimizer: optim.SGD,
    data: Data,
    batch_size: int,
    device: str,
    rng: np.random.Generator,
    ranks: nn.parallel.Alone,
) -> None:
    """One epoch: every row once, in a new order, in steps of `batch_size` rows."""
    order = rng.permutation(len(data))
    for rows in ranks.shares(order[start : start + batch_size] for start in range(0, len(data), batch_size)):
        loss, _ = loss_of(model, data.rows(rows), device)
        optimizer.zero_grad()
        ranks.backward(loss)
        ranks.sum_gradients(model.parameters())
        optimizer.step()


def train(
    model: nn.MLP, parts: Split, options: argparse.Namespace, rng: np.random.Generator, ranks: nn.parallel.Alone
) -> dict[str, list[float]]:
    """Train the model, in place; returns what was measured after each epoch."""
    momentum = 0.0 if options.optimizer == "sgd" else options.momentum
    settings = {"momentum": momentum, "weight_decay": options.weight_decay, **OPTIMIZERS[options.optimizer]}
    optimizer = optim.SGD(model.parameters(), lr=options.lr, **settings)
    history: dict[str, list[float]] = {name: [] for name in ("epoch", *MEASURES)}
    with need("tqdm").tqdm(total=options.epochs, unit="epoch", disable=True if ranks.rank else None) as bar:
        for epoch in range(1, options.epochs + 1):
            learn(model, optimizer, parts.training, options.batch_size, options.device, rng, ranks)
            ranks.check_equal(model=model)
            loss, accuracy = evaluate(model, parts.training, options.device)
            val_loss, val_accuracy = evaluate(model, parts.validation, options.device)
            if not math.isfinite(loss + val_loss):
                raise InputError(f"the loss is no longer finite after epoch {epoch}: try a smaller --lr")
            for values, value in zip(history.values(), (epoch, loss, accuracy, val_loss, val_accuracy)):
                values.append(value)
            text = f"loss {loss:.3f} (val {val_loss:.3f}), accuracy {accuracy:.3f} (val {val_accuracy:.3f})"
            bar.set_postfix_str(text, refresh=False)
            bar.update()
    return history


# The results


def draw_curves(history: dict[str, list[float]], title: str, path: Path) -> None:
    """Loss on the left, accuracy on the right, each on the training and on the validation part."""
    figure_class = need("matplotlib.figure").Figure
    need("matplotlib.backends.backend_agg").FigureCanvasAgg(figure := figure_class(figsize=(10, 4.2), dpi=150))
    figure.suptitle(title.encode("utf-8", "replace").decode(), parse_math=False)  # a file may have any name
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        for part, colour, line in (("training", "#0072B2", "-"), ("validation", "#D55E00", "--")):
            axes.plot(history["epoch"], history[f"{part} {what}"], line, marker=".", color=colour, label=part)
        axes.set(xlabel="epoch", ylabel={"loss": "binary cross-entropy", "accuracy": "accuracy"}[what])
        axes.set_title(what, fontsize="medium")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def draw_graph(model: nn.MLP, batch: Data, device: str, folder: Path) -> None:
    """The computation graph of the loss of one batch: as a picture, or as text where no renderer is installed."""
    X, y = (autograd.Tensor(move(array, device), name=name) for name, array in vars(batch).items())
    graph = autograd.draw(criterion(model(X), y), names=model)
    try:
        graph.save(folder / "graph.svg")
    except autograd.RendererError as error:
        graph.save(folder / "graph.dot")
        print(f"the graph is kept as text, graph.dot: {error}")


def saved_and_loaded(model: nn.MLP, options: argparse.Namespace, parts: Split, path: Path) -> nn.MLP:
    """Save the weights, load them into another network, and make sure that it computes the very same."""
    nn.save_weights(model, path)
    other = build(options, parts.test.X.shape[1], np.random.default_rng())
    nn.load_weights(other, path)
    X = move(parts.test.X, options.device)
    with autograd.no_grad():
        if not np.array_equal(model(X).numpy(), other(X).numpy()):
            raise RuntimeError(f"the weights read from {path.name} do not compute what the trained network does")
    return other


def publish(staging: Path, folder: Path) -> None:
    """Move the finished files to where they belong; Ctrl-C has to wait for these few renamings."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            if (staging / name).exists():
                os.replace(staging / name, folder / name)
            elif name.startswith("graph"):
                (folder / name).unlink(missing_ok=True)  # an earlier run's drawing, in the other format
    finally:
        signal.signal(signal.SIGINT, before)


def keep(model: nn.MLP, history: dict[str, list[float]], parts: Split, options: argparse.Namespace) -> None:
    """Write the files, and say what is in them."""
    folder = Path(options.out)
    with tempfile.TemporaryDirectory(prefix=".train_mlp-", dir=nearest(folder)) as staging_name:
        staging = Path(staging_name)
        loaded = saved_and_loaded(model, options, parts, staging / "weights.safetensors")
        accuracy = {name: evaluate(loaded, part, options.device)[1] for name, part in vars(parts).items()}
        network = "-".join(map(str, [parts.test.X.shape[1], *options.layers, 1]))
        title = f"{Path(options.data).name}, {network} {options.activation}, {options.optimizer}: test accuracy"
        draw_curves(history, f"{title} {accuracy['test']:.4f}", staging / "curves.png")
        draw_graph(loaded, parts.training.rows(slice(options.batch_size)), options.device, staging)
        kept = {name: value for name, value in vars(options).items() if name != "out"}
        sizes = {name: len(part) for name, part in vars(parts).items()}
        metrics = {"options": kept, "rows": sizes, "accuracy": accuracy, "history": history}
        (staging / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
        publish(staging, folder)
    print("written to", folder)
    print(f"test accuracy {accuracy['test']:.4f}")


def run(options: argparse.Namespace, ranks: nn.parallel.Alone) -> None:
    """Everything, in order."""
    rng = np.random.default_rng(options.seed)  # the only source of random numbers
    data = load(options.data, options.digit)
    parts = standardise(split(data, rng), options.dtype)
    for module in ("tqdm", "matplotlib", "safetensors.numpy", "graphviz"):
        need(module)
    columns = data.X.shape[1]
    counts = ", ".join(f"{len(part)} for {name}" for name, part in vars(parts).items())
    text = f"{options.data}: {len(data)} rows of {columns} columns, {counts}"
    ranks.first(lambda: print(text, flush=True))
    model = build(options, columns, rng)
    history = train(model, parts, options, rng, ranks)
    ranks.first(lambda: keep(model, history, parts, options))


def failed(error: BaseException) -> int:
    """Say why, in one line; returns the exit status."""
    if isinstance(error, KeyboardInterrupt):
        print("interrupted: no file is left half-written", file=sys.stderr)
        return 130
    print("error:", " ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
    return 2


#: What is the user's, the machine's, or the installation's fault.
FAILURES = (InputError, autograd.DeviceError, OSError, MemoryError, KeyboardInterrupt)


def main(arguments: list[str] | None = None) -> int:
    """Run with these arguments (by default those of the command line); returns the exit status."""
    try:
        options = parse(arguments)
        started = nn.parallel.launched()
        group = nn.Ranks(options.device.partition(":")[0]) if started else nn.parallel.Alone()
    except FAILURES as error:
        return failed(error)
    with group as ranks, np.errstate(over="ignore", invalid="ignore"):  # a diverging training is reported in words
        if isinstance(ranks, nn.Ranks):
            options.device = ranks.device
        try:
            run(options, ranks)
        except FAILURES as error:
            status = failed(error)
            ranks.abort(status)  # the others, which may wait for this one
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
