"""examples/train_mlp.py: what it learns, what it leaves behind, and what it says when it cannot."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("tqdm")
safetensors = pytest.importorskip("safetensors.numpy")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPT = EXAMPLES / "train_mlp.py"
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
if importlib.util.find_spec("mpi4py") is None:
    MPIEXEC = None
RESULTS = {"curves.png", "graph.svg", "weights.safetensors", "metrics.json"}


@pytest.fixture(scope="module")
def script(example):
    """The script as a module; its `main` is what the command line calls."""
    return example("train_mlp")


@pytest.fixture
def datasets(script):
    """The module that the script takes its data from."""
    return sys.modules["datasets"]


def command(*arguments):
    """How to start the script in a process of its own, with the very `autograd` that is tested here."""
    environment = {**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    return {"args": [sys.executable, str(SCRIPT), *map(str, arguments)], "env": environment, "text": True}


@pytest.fixture(scope="module")
def default_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("default") / "new" / "folder"
    return out, subprocess.run(**command("--out", out), capture_output=True, timeout=120)


def test_the_defaults_reach_95_percent_and_the_last_line_says_so(default_run):
    _, done = default_run
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"test accuracy (\d\.\d{4})", done.stdout.splitlines()[-1])
    assert found
    assert 0.95 <= float(found[1]) <= 1


def test_the_results_are_whole(default_run):
    out, done = default_run
    assert {path.name for path in out.iterdir()} == RESULTS
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    drawing = ET.parse(out / "graph.svg").getroot()
    assert drawing.tag.endswith("svg")
    text = " ".join(drawing.itertext())
    assert all(name in text for name in ("linear1.weight", "relu", "linear3.bias", "mean"))
    metrics = json.loads((out / "metrics.json").read_text())
    assert f"test accuracy {metrics['accuracy']['test']:.4f}" == done.stdout.splitlines()[-1]
    assert sum(metrics["rows"].values()) == 569
    assert metrics["history"]["epoch"] == list(range(1, 51))
    assert all(len(values) == 50 for values in metrics["history"].values())
    assert [p.name for p in out.parent.iterdir()] == [out.name], "something was left beside the folder"


def test_the_weights_give_the_accuracy_that_was_reported(default_run, script):
    out, _ = default_run
    options = script.parse(["--out", str(out)])
    parts = script.standardise(script.split(script.load("breast-cancer", 3), np.random.default_rng(0)), "float32")
    model = nn.MLP([30, 16, 16, 1])
    nn.load_weights(model, out / "weights.safetensors")
    accuracy = script.evaluate(model, parts.test, options.device)[1]
    assert accuracy == json.loads((out / "metrics.json").read_text())["accuracy"]["test"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(default_run, script, tmp_path, capsys):
    out, done = default_run
    assert script.main(["--out", str(tmp_path / "same")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == done.stdout.splitlines()[-1]
    assert script.main(["--out", str(tmp_path / "other"), "--seed", "1"]) == 0
    for name in ("weights.safetensors", "metrics.json"):
        assert (tmp_path / "same" / name).read_bytes() == (out / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (out / name).read_bytes()


@pytest.mark.skipif(MPIEXEC is None, reason='needs mpiexec and mpi4py: pip install "wengert[mpi]"')
def test_two_ranks_learn_what_one_process_does_and_the_first_writes_it(default_run, tmp_path):
    out, single = default_run
    call = command("--out", tmp_path / "out")
    done = subprocess.run(**{**call, "args": [MPIEXEC, "-n", "2", *call["args"]]}, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace(str(tmp_path / "out"), str(out)) == single.stdout, "said once"
    assert {path.name for path in (tmp_path / "out").iterdir()} == RESULTS
    one, two = (json.loads((folder / "metrics.json").read_text()) for folder in (out, tmp_path / "out"))
    assert two["accuracy"] == one["accuracy"]
    assert two["history"].keys() == one["history"].keys()
    for name, values in one["history"].items():
        np.testing.assert_allclose(two["history"][name], values, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(MPIEXEC is None, reason='needs mpiexec and mpi4py: pip install "wengert[mpi]"')
def test_ranks_that_cannot_go_on_say_why_and_leave_nothing(tmp_path):
    call = command("--out", tmp_path / "out", "--lr", "1e30")
    done = subprocess.run(**{**call, "args": [MPIEXEC, "-n", "2", *call["args"]]}, capture_output=True, timeout=120)
    assert done.returncode == 2
    assert "error: the loss is no longer finite after epoch 1: try a smaller --lr\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_earlier_run_in_the_same_folder_is_replaced_and_other_files_stay(script, tmp_path):
    for name in ("graph.dot", "metrics.json", "notes.txt"):
        (tmp_path / name).write_text("earlier")
    assert script.main(["--out", str(tmp_path), "--epochs", "1"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == RESULTS | {"notes.txt"}
    assert json.loads((tmp_path / "metrics.json").read_text())["options"]["epochs"] == 1


def test_without_a_renderer_the_graph_is_kept_as_text(script, tmp_path, capsys, monkeypatch):
    class Drawing:
        def save(self, path):
            if path.suffix != ".dot":
                raise autograd.RendererError("nothing here can lay it out.")
            return path.write_text("digraph {}")

    monkeypatch.setattr(autograd, "draw", lambda *outputs, names: Drawing())
    assert script.main(["--out", str(tmp_path), "--epochs", "1"]) == 0
    assert "graph.dot: nothing here can lay it out." in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == RESULTS - {"graph.svg"} | {"graph.dot"}


@pytest.mark.parametrize(
    "options",
    [
        ["--optimizer", "sgd", "--lr", "0.1"],
        ["--optimizer", "average", "--momentum", "0.8", "--lr", "0.1"],
        ["--optimizer", "nesterov", "--activation", "tanh", "--init", "xavier_uniform"],
        ["--dtype", "float64", "--layers", "8", "--weight-decay", "0", "--batch-size", "1000", "--lr", "0.3"],
        ["--data", "digits", "--digit", "8", "--epochs", "8"],
    ],
    ids=lambda options: options[1],
)
def test_options(script, tmp_path, capsys, options):
    assert script.main(["--out", str(tmp_path), "--epochs", "20", *options]) == 0
    assert float(capsys.readouterr().out.split()[-1]) > 0.93
    dtype = "float64" if "float64" in options else "float32"
    weights = safetensors.load_file(tmp_path / "weights.safetensors")
    assert {array.dtype for array in weights.values()} == {np.dtype(dtype)}


# Files of the user's


def blobs(n=60, columns=3):
    """Two clouds of points, one for each label."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    return rng.normal(size=(n, columns)) + 4 * y[:, None], y


@pytest.mark.parametrize("kind", ["int64", "bool", "float32"])
def test_a_numpy_file(script, tmp_path, capsys, kind):
    X, y = blobs()
    X[:, 1] = 0.1  # a constant column
    np.savez(tmp_path / "mine.npz", X=X, y=y.astype(kind))
    assert script.main(["--out", str(tmp_path / "out"), "--data", str(tmp_path / "mine.npz"), "--epochs", "5"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "test accuracy 1.0000"


def test_the_split_is_stratified_and_loses_no_row(script, datasets):
    X, y = blobs(101)
    X[:, 0] = np.arange(101)
    y[:] = np.arange(101) < 20
    parts = script.split(datasets.checked(X, y, "blobs"), np.random.default_rng(0))
    rows = np.concatenate([part.X[:, 0] for part in vars(parts).values()])
    assert sorted(rows) == list(range(101))
    assert [int(part.y.sum()) for part in vars(parts).values()] == [12, 4, 4]


def test_standardising_uses_the_training_rows_alone(script, datasets):
    X, y = blobs()
    parts = script.split(datasets.checked(X, y, "blobs"), np.random.default_rng(0))
    done = script.standardise(parts, "float64")
    np.testing.assert_allclose(done.training.X.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(done.training.X.std(0), 1)
    mean, deviation = parts.training.X.mean(0), parts.training.X.std(0)
    np.testing.assert_allclose(done.test.X, (parts.test.X - mean) / deviation)


def _changed(**arrays):
    X, y = blobs()
    return {"X": X, "y": y, **arrays}


def _with(array, value):
    array = array.astype(float)
    array[7] = value
    return array


BAD_ARRAYS = {
    "no X": ({"y": blobs()[1]}, "must hold the arrays 'X' and 'y', found y"),
    "nothing": ({}, "found nothing"),
    "X of one axis": (_changed(X=np.zeros(60)), r"X must have shape \(rows, columns\), got \(60,\)"),
    "X without columns": (_changed(X=np.zeros((60, 0))), "X must have shape"),
    "y of two axes": (_changed(y=np.zeros((60, 1))), r"y must have shape \(rows,\), got \(60, 1\)"),
    "lengths": (_changed(y=blobs(58)[1]), "X has 60 rows and y has 58"),
    "text": (_changed(X=np.full((60, 3), "a")), "X must hold real numbers, got dtype <U1"),
    "complex": (_changed(X=np.zeros((60, 3), complex)), "X must hold real numbers"),
    "objects": (_changed(X=np.full((60, 3), None)), "cannot be read as a .npz file of plain numbers"),
    "NaN": (_changed(X=_with(blobs()[0], np.nan)), "X holds 3 values that are NaN or infinite"),
    "infinity": (_changed(X=_with(blobs()[0], np.inf)), "X holds 3 values"),
    "NaN label": (_changed(y=_with(blobs()[1], np.nan)), "y holds 1 values"),
    "labels": (_changed(y=_with(blobs()[1], -1)), "labels 0 and 1 only, found -1"),
    "one class": (_changed(y=np.ones(60)), "both labels, found 0 zeros and 60 ones"),
    "few rows": (dict(zip("Xy", blobs(5))), "too few rows to split"),
    "no rows": (_changed(X=np.zeros((0, 3)), y=np.zeros(0)), "both labels"),
    "huge": (_changed(X=blobs()[0] * 1e300), "too large to be standardised in float32"),
}


def refused(script, capsys, place, *options):
    """The one line on stderr with which the script refuses, having written nothing into the empty `place`."""
    before = sorted(place.rglob("*"))
    assert script.main(["--out", str(place / "out"), *map(str, options)]) == 2
    assert sorted(place.rglob("*")) == before
    output = capsys.readouterr()
    assert "test accuracy" not in output.out
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    return output.err


@pytest.mark.parametrize(("arrays", "words"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_a_file_that_cannot_be_learnt_from(script, tmp_path, capsys, arrays, words):
    np.savez(tmp_path / "bad.npz", **arrays)
    assert re.search(words, refused(script, capsys, tmp_path, "--data", tmp_path / "bad.npz"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"1,2,3\n", b"\x80\x04N."])
def test_a_file_that_is_no_npz(script, tmp_path, capsys, content):
    (tmp_path / "bad.npz").write_bytes(content)
    assert "cannot be read as a .npz file" in refused(script, capsys, tmp_path, "--data", tmp_path / "bad.npz")


def test_a_damaged_a_single_and_a_missing_file(script, tmp_path, capsys):
    path = tmp_path / "file.npz"
    np.savez(path, **_changed())
    path.write_bytes(bytes(b ^ 1 if 300 < k < 320 else b for k, b in enumerate(path.read_bytes())))
    assert "cannot be read as a .npz file" in refused(script, capsys, tmp_path, "--data", path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    assert "found one array without a name" in refused(script, capsys, tmp_path, "--data", tmp_path / "one.npy")
    assert "there is no file" in refused(script, capsys, tmp_path, "--data", tmp_path / "nowhere.npz")


# Options that cannot be


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--layers 16,,8", "--layers: must be the sizes of the hidden layers, as in 16 or 32,16, got '16,,8'"),
        ("--layers 0", "--layers"),
        ("--layers", "expected one argument"),
        ("--activation gellu", "invalid choice: 'gellu'"),
        ("--init gauss", "invalid choice: 'gauss'"),
        ("--optimizer adam", "invalid choice: 'adam'"),
        ("--optimizer nesterov --momentum 0", "it needs --momentum above 0"),
        ("--digit 10", "invalid choice: 10"),
        ("--epochs 0", "must be a whole number of at least 1, got '0'"),
        ("--epochs ten", "got 'ten'"),
        ("--batch-size 0", "at least 1"),
        ("--seed -1", "at least 0"),
        (f"--seed {'9' * 5000}", "whole number"),
        ("--lr -0.1", "--lr: must be a number, at least 0, got '-0.1'"),
        ("--lr nan", "got 'nan'"),
        ("--lr inf", "got 'inf'"),
        ("--momentum 1", "at least 0 and less than 1"),
        ("--weight-decay -1", "at least 0"),
        ("--dtype float16", "invalid choice: 'float16'"),
        ("--device tpu", "unknown device 'tpu'"),
        ("--colour red", "unrecognized arguments: --colour red"),
        ("--lr 1e30", "the loss is no longer finite after epoch 1: try a smaller --lr"),
        ("--layers 1000000000000", "Unable to allocate"),
    ],
    ids=lambda text: text[:30],
)
def test_an_option_that_cannot_be(script, tmp_path, capsys, options, words):
    assert words in refused(script, capsys, tmp_path, *options.split())


def test_a_gpu_without_cupy(script, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "needs CuPy" in refused(script, capsys, tmp_path, "--device", "cuda")


def test_a_folder_that_cannot_be(script, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert "is a file: name a folder" in refused(script, capsys, tmp_path, "--out", tmp_path / "file")
    assert "cannot be written to" in refused(script, capsys, tmp_path, "--out", tmp_path / "file" / "deeper")
    assert "--out is empty" in refused(script, capsys, tmp_path, "--out", "")
    (tmp_path / "out" / "graph.svg").mkdir(parents=True)
    assert "it is in the way" in refused(script, capsys, tmp_path)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user whom permissions stop")
def test_a_folder_without_permission(script, tmp_path, capsys):
    (tmp_path / "out").mkdir(mode=0o500)
    assert "cannot be written to: Permission denied" in refused(script, capsys, tmp_path)


@pytest.mark.parametrize(
    ("module", "name"),
    [("sklearn.datasets", "scikit-learn"), ("tqdm", "tqdm"), ("matplotlib", "matplotlib"), ("graphviz", "graphviz")],
)
def test_a_missing_package(script, tmp_path, capsys, monkeypatch, module, name):
    monkeypatch.setitem(sys.modules, module, None)
    message = refused(script, capsys, tmp_path)
    assert f'{name} is missing here: pip install "wengert[examples]"' in message


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_ctrl_c_leaves_nothing(tmp_path):
    call = command("--out", tmp_path / "out", "--epochs", 10**9)
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a job in the background ignores it
    with subprocess.Popen(**call, **heard, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.stdout.readline()  # the data are loaded, and the training begins
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "interrupted: no file is left half-written"
    assert not list(tmp_path.iterdir())


def test_a_failure_while_writing_leaves_nothing(script, tmp_path, capsys, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(script, "draw_graph", full)
    assert "No space left on device" in refused(script, capsys, tmp_path, "--epochs", "1")


def test_help_names_every_option(script, capsys):
    with pytest.raises(SystemExit) as exit_:
        script.main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    options = (
        "out data digit layers activation init optimizer lr momentum weight-decay epochs batch-size seed dtype device"
    )
    assert [option for option in options.split() if f"--{option} " not in text] == []
