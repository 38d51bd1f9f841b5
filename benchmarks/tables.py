"""What both benchmarks print with: a Markdown table, and a line about the machine."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = ["installed", "machine", "table", "version_of"]


def installed(name: str) -> bool:
    """Whether the module `name` can be imported here."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def version_of(distribution: str) -> str:
    """The version of an installed distribution, or 'not installed'."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def blas_threads() -> str:
    """How many threads NumPy's BLAS uses, if that can be found out."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    import numpy  # noqa: F401  (its BLAS must be loaded to be asked)

    libraries = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return (
        ", ".join(f"{info['num_threads']} ({info['internal_api']} {info['version']})" for info in libraries) or "none"
    )


def machine() -> dict[str, str]:
    """What the numbers depend on: the processor, the interpreter, and the libraries' versions."""
    packages = {name: version_of(name) for name in ("wengert", "numpy", "torch", "mygrad")}
    if packages["wengert"] == "not installed":  # found on PYTHONPATH
        import autograd

        packages["wengert"] = autograd.__version__
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(usable),
        "BLAS threads": blas_threads(),
        "python": platform.python_version(),
        **packages,
    }


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table with aligned columns; the first column to the left, the others to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = [cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths))]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if not k else "-" * (w + 1) + ":" for k, w in enumerate(widths)) + "|"
    return "\n".join([line(cells[0]), rule, *(line(row) for row in cells[1:])])
