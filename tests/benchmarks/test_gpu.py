"""benchmarks/gpu.py: it runs without a GPU where it is told to, and says so in a sentence where it needs one."""

import importlib
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
NETWORK = (2, 4, 1), 8, "SGD"


def run(*arguments):
    """The benchmark in a process of its own, where no GPU can be seen."""
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "gpu.py", *arguments],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )


def tables(text):
    """The tables of a report: heading -> its columns, and the number of its rows."""
    found = {}
    for part in text.split("\n## ")[1:]:
        title, _, rest = part.partition("\n")
        header, _, *rows = [line for line in rest.splitlines() if line.startswith("|")]
        found[title] = [cell.strip() for cell in header.split("|")], len(rows)
    return found


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """What a quick run on the CPU writes."""
    if find_spec("torch") is None:
        pytest.skip("the benchmark compares with PyTorch, which is not installed")
    path = tmp_path_factory.mktemp("results") / "gpu.md"
    done = run("--device", "cpu", "--quick", "--only", "2-16-16-1", "--out", str(path))
    assert done.returncode == 0, done.stderr
    return path.read_text()


def test_a_quick_run_on_the_cpu_fills_all_tables(quick):
    assert [rows for _, rows in tables(quick).values()] == [6, 8, 11, 12]


def test_a_run_on_the_cpu_says_that_it_says_nothing_of_a_gpu(quick):
    assert "device cpu: a trial of this program, which says nothing of a GPU" in quick


def test_the_kept_results_have_the_tables_that_a_run_writes(quick):
    kept = tables((ROOT / "benchmarks" / "results" / "gpu.md").read_text())
    assert {title: columns for title, (columns, _) in kept.items()} == {t: c for t, (c, _) in tables(quick).items()}


def test_without_a_gpu_one_sentence_says_so_and_nothing_is_written(tmp_path):
    path = tmp_path / "gpu.md"
    done = run("--device", "cuda", "--quick", "--out", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not path.exists()


def test_a_network_that_there_is_not_is_refused():
    done = run("--device", "cpu", "--only", "3-1")
    assert done.returncode == 2
    assert "there is no network '3-1' here" in done.stderr


# Nothing is timed before it is right


@pytest.fixture
def modules(monkeypatch):
    """`card` and `training`, imported as the benchmark imports them, and forgotten after the test."""
    names = ("card", "training", "measuring", "tables")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("card"), importlib.import_module("training")
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def check(modules):
    """The check of a training, with what it is compared with; and a float32 training to pass, or to falsify."""
    card, training = modules
    start = training.inputs(*NETWORK[:2])[2]
    expected = training.by_hand(*NETWORK, dtype=np.float64).values(3)
    return lambda changed: card.check_training(changed, "a network", expected, start), training.by_hand(*NETWORK)


def falsified(training, **parts):
    """A training whose gradients or parameters are what a function makes of the right ones."""

    def values(n):
        found = dict(zip(("gradients", "losses", "parameters"), training.values(n)))
        return tuple(parts[name](found[name]) if name in parts else found[name] for name in found)

    return replace(training, values=values)


def test_a_training_in_float32_agrees_with_float64(check):
    look, training = check
    assert look(training) < 1e-6


def test_a_gradient_that_is_off_by_a_hundredth_ends_the_run(check):
    look, training = check
    wrong = falsified(training, gradients=lambda found: [*found[:-1], found[-1] * 1.01])
    with pytest.raises(SystemExit, match=r"the gradient of parameter 3 is off its float64 value by 1\.0e-02"):
        look(wrong)


def test_a_gradient_that_is_not_a_number_ends_the_run(check):
    look, training = check
    wrong = falsified(training, gradients=lambda found: [found[0] * np.nan, *found[1:]])
    with pytest.raises(SystemExit, match="the gradient of parameter 0"):
        look(wrong)


def test_parameters_that_make_one_step_too_few_end_the_run(modules, check):
    look, training = check
    late = modules[1].by_hand(*NETWORK)
    wrong = falsified(training, parameters=lambda _: late.values(2)[2])
    with pytest.raises(SystemExit, match="the change of parameter 0 in three steps"):
        look(wrong)


def test_a_network_agrees_with_the_same_one_of_wengert_and_of_pytorch(modules, check):
    look, _ = check
    assert look(modules[1].wengert(*NETWORK)) < 1e-6
    pytest.importorskip("torch")
    assert look(modules[1].pytorch(*NETWORK)) < 1e-6
