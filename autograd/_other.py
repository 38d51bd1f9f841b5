"""The other distribution that installs a top-level `autograd`: HIPS autograd.

Installed into one environment, the two write over each other's files. What is left then fails strangely;
this says what happened instead. And who imports a module that only the other one has is told what to write here.
"""

import os
import sys
from typing import Any

__all__ = ["answer_for_theirs", "refuse_mixture"]

#: Modules that HIPS autograd has in its top-level folder since its first releases, and we do not.
_THEIRS = ("tracer.py", "wrap_util.py", "differential_operators.py")


def refuse_mixture(folder: str) -> None:
    """Raise ImportError if files of HIPS autograd lie in `folder`, where this package is."""
    found = [name for name in _THEIRS if os.path.exists(os.path.join(folder, name))]
    if found:
        raise ImportError(
            f"two distributions are mixed in {folder}: wengert and HIPS autograd (its {', '.join(found)} "
            "is there) both install a package named `autograd`, and cannot share an environment. "
            "Make a fresh one, for example `python -m venv fresh`, and install only one of the two in it."
        )


_SPECIAL = "of SciPy, autograd.scipy.special alone is here"

#: What their modules are for, in our words.
_INSTEAD = {
    "autograd.builtins": "Python's own tuples, lists and dicts are understood",
    "autograd.differential_operators": "write `from autograd import …`",
    "autograd.extend": "autograd.define makes an operation with its rules",
    "autograd.misc": "write `from autograd import flatten`; the optimizers are in the package `optim`",
    "autograd.numpy": "NumPy's own functions are differentiable; write `import numpy as np`",
    "autograd.scipy.integrate": _SPECIAL,
    "autograd.scipy.linalg": f"{_SPECIAL}; write numpy.linalg",
    "autograd.scipy.signal": _SPECIAL,
    "autograd.scipy.stats": _SPECIAL,
    "autograd.test_util": "write `from autograd import check_gradients`",
}


class _Theirs:
    """Python asks it for a module that nobody else has found."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name in _INSTEAD:  # without name=…, which `from autograd import numpy` would take for its own message
            raise ModuleNotFoundError(
                f"{name} is a module of HIPS autograd, and this is wengert's autograd: {_INSTEAD[name]}."
            )


def answer_for_theirs() -> None:
    """Have the import of a module that only HIPS autograd has say what to write instead."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__module__", None) != __name__]
    sys.meta_path.append(_Theirs)
