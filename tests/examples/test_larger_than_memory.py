"""examples/larger_than_memory.py: it learns under a limit that its data do not fit into, and what NumPy would learn."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd

pytest.importorskip("resource", reason="limits of a process are Unix's")
pytest.importorskip("dask.array", reason="needs dask.array")
if not sys.platform.startswith("linux"):
    pytest.skip("only Linux counts all of a process's own memory in RLIMIT_DATA", allow_module_level=True)

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "larger_than_memory.py"
ROWS, LIMIT = 14 << 17, 400  # 448 MB


@pytest.fixture(scope="module")
def script(example):
    """The script as a module."""
    return example("larger_than_memory")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the script in a process of its own, on data that are made once."""
    folder = tmp_path_factory.mktemp("rows")

    def run(*options):
        environment = {**os.environ, "PYTHONPATH": str(Path(autograd.__file__).parents[1]), "PYTHONWARNINGS": "error"}
        environment["OPENBLAS_NUM_THREADS"] = "2"  # each has a buffer, which counts
        sizes = ["--rows", str(ROWS), "--limit", str(LIMIT), "--folder", str(folder)]
        command = [sys.executable, str(SCRIPT), *sizes, *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    yield run
    for file in folder.glob("*.npy"):  # not only when pytest forgets the folder, three runs later
        file.unlink()


def learnt(done):
    """The first and the last loss that a run printed."""
    assert done.returncode == 0, done.stderr
    return [float(number) for number in re.search(r"loss (\d\.\d+), after \d+ steps (\d\.\d+)", done.stdout).groups()]


def test_data_that_do_not_fit_are_learnt_in_one_process_and_the_same_in_a_cluster_of_two(run):
    first, last = learnt(run("--steps", "2"))
    assert last < first - 0.05
    pytest.importorskip("distributed", reason="needs distributed")
    assert learnt(run("--steps", "2", "--workers", "2")) == [first, last]


def test_numpys_way_does_not_fit_and_says_so(run):
    done = run("--way", "numpy", "--steps", "1")
    assert done.returncode == 1
    assert done.stderr == "out of memory: with --way numpy, the data do not fit\n"


def test_it_learns_what_numpy_learns(script, tmp_path):
    script.PART = 300
    parts = script.write(tmp_path, 1000)
    assert [n for *_, n in parts] == [300, 300, 300, 100]
    lazy, losses = script.learn(*script.load(parts, "dask"), 5)
    plain, expected = script.learn(*script.load(parts, "numpy"), 5)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for p, q in zip(lazy.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-4, atol=1e-6)


def test_the_data_are_made_once(script, tmp_path):
    script.PART = 300
    (first, *_), *_ = script.write(tmp_path, 600)
    before = first.stat().st_mtime_ns
    script.write(tmp_path, 600)
    assert first.stat().st_mtime_ns == before
