"""An environment of its own for each library: made once, in a folder outside the repository, and used again.

Two of them (HIPS autograd, and wengert) install a package called `autograd`, and one wants a NumPy of its own time, so
that no single environment has them all. Where `uv` is installed it makes them, otherwise `venv` and `pip` do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PEERS", "NotInstalled", "Peer", "folder", "interpreter"]

#: The repository, which wengert is imported from.
ROOT = Path(__file__).resolve().parents[1]

#: For how long an installation may take, in seconds.
PATIENCE = 1500


@dataclass(frozen=True)
class Peer:
    """A library that takes part.

    Attributes
    ----------
    label : str
        How the page calls it.
    module : str
        The module in `peers/` that says how it does the tasks.
    distribution : str
        Whose version is told.
    statement : str
        What a program that uses it begins with: its import is timed.
    requirements : tuple of str
        What is installed.
    newest : tuple of int or None
        The newest Python that it can be installed for.
    index : str or None
        The package index that is asked first.
    """

    label: str
    module: str
    distribution: str
    statement: str
    requirements: tuple[str, ...]
    newest: tuple[int, int] | None = None
    index: str | None = None


PEERS = (
    Peer("NumPy by hand", "by_hand", "numpy", "import numpy", ("numpy>=2",)),
    Peer("wengert", "wengert", "wengert", "import autograd", ("numpy>=2",)),
    Peer(
        "PyTorch",
        "pytorch",
        "torch",
        "import torch",
        ("torch>=2.6", "numpy>=2"),
        index="https://download.pytorch.org/whl/cpu",  # without what only a GPU needs: two gigabytes
    ),
    Peer("JAX with jit", "jax", "jax", "import jax", ("jax>=0.5", "numpy>=2")),
    Peer("HIPS autograd", "hips", "autograd", "import autograd", ("autograd>=1.8", "numpy>=2")),
    Peer("MyGrad", "mygrad", "mygrad", "import mygrad", ("mygrad>=2.3", "numpy>=2")),
    Peer(
        "DeZero",
        "dezero",
        "dezero",
        "import dezero",
        ("dezero>=0.0.13", "numpy==1.23.5", "matplotlib>=3.5"),  # whose import it does not ask for
        newest=(3, 11),  # as that NumPy
    ),
)


class NotInstalled(Exception):
    """A library cannot be had on this machine; the message says why."""


def folder() -> Path:
    """Where the environments are, if nobody says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wengert-benchmarks"


def interpreter(peer: Peer, cache: Path, install: bool = True) -> str:
    """The interpreter of a peer's environment, which is made if there is none; raises NotInstalled.

    wengert and NumPy by hand share one.
    """
    name = "wengert" if peer.module == "by_hand" else peer.module
    place = cache / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready, wanted = place / "ready.txt", "\n".join(peer.requirements) + "\n"
    if ready.exists() and ready.read_text() == wanted:
        return str(python)
    if not install:
        raise NotInstalled("its environment has not been made")
    shutil.rmtree(place, ignore_errors=True)
    base = older(peer.newest)
    cache.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv")
    attempt([uv, "venv", "--quiet", "--python", base, str(place)] if uv else [base, "-m", "venv", str(place)])
    if uv:
        command: list[str | None] = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        attempt([*command, *(["--index-url", peer.index] if peer.index else []), *peer.requirements])
    except NotInstalled:
        if not peer.index:
            raise
        attempt([*command, *peer.requirements])
    attempt([str(python), "-c", peer.statement], PYTHONPATH=str(ROOT) if name == "wengert" else None)
    ready.write_text(wanted)
    return str(python)


def older(newest: tuple[int, int] | None) -> str:
    """An interpreter that is not newer than that: this one, if it will do."""
    if newest is None or sys.version_info[:2] <= newest:
        return sys.executable
    for minor in range(newest[1], 8, -1):
        found = shutil.which(f"python{newest[0]}.{minor}")
        if found:
            return found
    raise NotInstalled(f"it needs Python {newest[0]}.{newest[1]} or older, and there is none here")


def attempt(command: list[str | None], **environment: str | None) -> None:
    """Run a command; raises NotInstalled with the last thing that it said."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    kept.update({name: value for name, value in environment.items() if value is not None})
    try:
        done = subprocess.run(
            [part for part in command if part], capture_output=True, text=True, env=kept, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{type(error).__name__}: {error}") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if "error" in line.lower()]
        raise NotInstalled((errors or said or [f"exit status {done.returncode}"])[-1][:200])
