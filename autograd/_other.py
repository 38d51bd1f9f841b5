"""The other distribution that installs a top-level `autograd`: HIPS autograd.

Installed into one environment, the two write over each other's files. What is left then fails strangely;
this says what happened instead.
"""

import os

__all__ = ["refuse_mixture"]

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
