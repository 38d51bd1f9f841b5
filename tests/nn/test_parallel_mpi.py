"""`nn.Ranks` under a real `mpiexec`: equal to one process, equal among each other, and what happens if one dies."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import programs_for_ranks as programs
import pytest

import autograd
import nn

pytest.importorskip("mpi4py", reason='needs mpi4py: pip install "wengert[mpi]"')
pytest.importorskip("threadpoolctl", reason='needs threadpoolctl: pip install "wengert[mpi]"')

PROGRAM = Path(programs.__file__)
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

pytestmark = pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec")


def command(size, *arguments):
    """How to start a program on several ranks, with the very `nn` that is tested here."""
    places = [Path(autograd.__file__).parents[1], PROGRAM.parents[1] / "devices"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    call = [MPIEXEC, "-n", str(size), sys.executable, "-W", "error", str(PROGRAM), *map(str, arguments)]
    return {"args": call, "env": environment, "text": True}


def on_ranks(size, *arguments):
    return subprocess.run(**command(size, *arguments), capture_output=True, timeout=120)


def left_in(folder):
    with np.load(folder / "weights.npz") as weights:
        return json.loads((folder / "history.json").read_text()), dict(weights)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_training_is_that_of_one_process_with_one_blas_thread_each(size, tmp_path):
    done = on_ranks(size, "equal", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    history, weights = left_in(tmp_path)
    expected, model = programs.train(None, epochs=3)
    assert history.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-9)
    for name, array in model.state_dict().items():
        np.testing.assert_allclose(weights[name], array, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("exception", "rank 1 of 2 ends the run:\nTraceback"),
        ("kill", "Killed"),
        ("0", "rank 1 of 2 has called os._exit(0)"),
        ("7", "rank 1 of 2 has called os._exit(7)"),
        ("sys.exit", ""),
    ],
)
def test_a_rank_that_dies_ends_the_run_with_an_error_and_the_checkpoint_is_whole(way, said, tmp_path):
    done = on_ranks(2, "die", way, 1, tmp_path / "checkpoint")
    assert done.returncode != 0
    assert said in done.stderr + done.stdout  # mpiexec tells of signals on stdout
    assert "came to its end" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    again, _ = programs.train(None, epochs=2, checkpoint=tmp_path / "checkpoint")
    assert again.epochs == 2, "the checkpoint is whole, and of the epoch before"


def test_rank_0_may_die_too(tmp_path):
    done = on_ranks(2, "die", "exception", 0, tmp_path / "checkpoint")
    assert done.returncode != 0
    assert "ValueError: something is wrong on this rank" in done.stderr


def test_a_run_goes_on_bit_for_bit_after_a_death(tmp_path):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    assert on_ranks(2, "die", "exception", 1, tmp_path / "checkpoint").returncode != 0
    for folder, checkpoint in (("cut", "checkpoint"), ("whole", "another")):
        done = on_ranks(2, "resume", tmp_path / checkpoint, 5, tmp_path / folder)
        assert done.returncode == 0, done.stderr
    (history, weights), (expected, model) = left_in(tmp_path / "cut"), left_in(tmp_path / "whole")
    assert history == expected
    for name, array in model.items():
        np.testing.assert_array_equal(weights[name], array)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
def test_a_rank_that_is_killed_from_outside_ends_the_others_within_seconds(tmp_path):
    with subprocess.Popen(**command(2, "forever", tmp_path), stdout=subprocess.PIPE) as run:
        try:
            end = time.monotonic() + 60
            while not all((tmp_path / f"{rank}.begun").exists() for rank in (0, 1)):
                assert time.monotonic() < end, "the training does not begin"
                time.sleep(0.05)
            numbers = [int((tmp_path / f"{rank}.pid").read_text()) for rank in (0, 1)]
            os.kill(numbers[1], signal.SIGKILL)
            said, _ = run.communicate(timeout=30)
        finally:
            run.kill()
    assert run.returncode != 0
    assert "Killed" in said  # mpiexec tells of signals on stdout
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
    model = nn.Sequential(nn.Linear(3, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 1))
    with pytest.raises(ValueError, match="not loaded"):  # of another dtype: it can be read, from beginning to end
        nn.load_checkpoint(tmp_path / "checkpoint", model=model)


def test_ranks_with_another_number_of_batches_are_told():
    done = on_ranks(2, "out_of_step")
    assert done.returncode != 0
    assert "the ranks must be given the same batches, and as many" in done.stderr.lower().replace("\n", " ")


def test_gradients_on_a_device_are_summed_there_or_through_the_host():
    done = on_ranks(2, "devices")
    assert done.returncode == 0, done.stderr


def test_each_rank_gets_a_gpu_in_turn_and_nccl_if_it_has_it_for_itself():
    done = on_ranks(2, "gpus", 2)
    assert done.returncode == 0, done.stderr
    call = command(2, "gpus", 1)
    call["args"][call["args"].index("error")] = "always"
    done = subprocess.run(**call, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("through the host's memory: some processes share a GPU") == 1


def test_without_mpi4py_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r'pip install "wengert\[mpi\]"'):
        nn.Ranks()


def test_without_threadpoolctl_the_threads_are_left_alone_and_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.warns(RuntimeWarning, match="should have one BLAS thread, which needs threadpoolctl"), nn.Ranks():
        pass


def test_a_device_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'cpu' or 'cuda'"):
        nn.Ranks("gpu")
