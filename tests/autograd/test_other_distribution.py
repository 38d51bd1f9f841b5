"""HIPS autograd has our import name: a mixture of the two says so, in one sentence, with the remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

PACKAGES = Path(autograd.__file__).parent.parent


def run(code, path):
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=path)


@pytest.fixture
def copies(tmp_path):
    for package in ("autograd", "nn", "optim"):
        shutil.copytree(PACKAGES / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_our_files_alone_import(copies):
    done = run("import autograd, nn, optim; print(autograd.__file__)", copies)
    assert done.stdout.strip() == str(copies / "autograd" / "__init__.py")


def test_our_init_over_their_files(copies):
    (copies / "autograd" / "tracer.py").write_text("")
    done = run("import autograd", copies)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: two distributions are mixed in")
    assert "HIPS autograd (its tracer.py is there)" in last
    assert "python -m venv fresh" in last


@pytest.mark.parametrize("package", ["nn", "optim"])
def test_their_autograd_under_our_nn_and_optim(copies, package):
    shutil.rmtree(copies / "autograd")
    (copies / "autograd").mkdir()
    (copies / "autograd" / "__init__.py").write_text("def grad(f): ...\n")
    done = run(f"import {package}", copies)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: nn and optim belong to wengert")
    assert "HIPS autograd" in last
    assert "python -m venv fresh" in last


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("import autograd.numpy as np", "NumPy's own functions are differentiable; write `import numpy as np`"),
        ("import autograd.numpy.random as npr", "write `import numpy as np`"),
        ("from autograd import numpy as np", "write `import numpy as np`"),
        ("from autograd.extend import defvjp, primitive", "autograd.define makes an operation"),
        ("from autograd.misc.optimizers import adam", "the optimizers are in the package `optim`"),
        ("from autograd.test_util import check_grads", "write `from autograd import check_gradients`"),
        ("import autograd.scipy.stats.norm as norm", "autograd.scipy.special alone is here"),
    ],
)
def test_their_modules_are_told_in_our_words(line, remedy):
    with pytest.raises(ModuleNotFoundError, match="is a module of HIPS autograd, and this is wengert's") as caught:
        exec(line, {})
    assert remedy in str(caught.value)


def test_their_names_are_only_answered_and_nothing_else_changes():
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'autograd\.nothing'$"):
        exec("import autograd.nothing", {})
    with pytest.raises(ImportError, match="cannot import name 'nothing' from 'autograd'"):
        exec("from autograd import nothing", {})
    assert not hasattr(autograd, "numpy")
    others = [finder for finder in sys.meta_path if finder is not autograd._other._Theirs]
    autograd._other.answer_for_theirs()  # as when the package is imported anew
    assert sys.meta_path == [*others, autograd._other._Theirs]  # once, and after all that others have added
