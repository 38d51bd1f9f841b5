"""The guides show the same lines in two libraries: both are executed, and what both call by one name is equal.

Ours always is. Theirs is where it is installed: PyTorch and micrograd here, or in that of the interpreter that
MICROGRAD_PYTHON names; HIPS autograd, which is imported by our name, in that of HIPS_PYTHON.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ROOT / "docs" / "guides"

#: The file, what its left side is called there, the package, and the variable that names an interpreter that has it.
PEERS = [
    ("from_pytorch.md", "PyTorch", "torch", ""),
    ("from_hips_autograd.md", "HIPS autograd", "", "HIPS_PYTHON"),
    ("from_micrograd.md", "micrograd", "micrograd", "MICROGRAD_PYTHON"),
]

#: Run by either interpreter: executes blocks one after the other, and prints after each what it has assigned.
DRIVER = """
import ast, json, sys

def plain(value):
    if isinstance(value, (list, tuple)):
        parts = [plain(part) for part in value]
        return None if None in parts else parts
    for step in ("detach", "numpy", "tolist"):
        value = getattr(value, step)() if hasattr(value, step) and not isinstance(value, type) else value
    value = getattr(value, "data", value)
    return value if isinstance(value, (bool, int, float, list)) else None

space, found = {}, []
for block in json.load(sys.stdin):
    exec(compile(block, "guide", "exec"), space)
    names = {n.id for n in ast.walk(ast.parse(block)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found.append({name: value for name in names if name in space and (value := plain(space[name])) is not None})
print("\\n" + json.dumps(found))
"""


def blocks(guide: str, title: str) -> list[str]:
    """The blocks of code of one side."""
    text = (GUIDES / guide).read_text(encoding="utf-8")
    return re.findall(rf"\*\*{title}\*\*\n\n```python\n(.*?)```", text, re.DOTALL)


def executed(python: str, code: list[str], folder: Path, path: str = "") -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": path}
    command = [python, "-W", "ignore", "-c", DRIVER]
    result = subprocess.run(
        command, input=json.dumps(code), capture_output=True, text=True, env=environment, cwd=folder, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.parametrize(("guide", "title", "package", "variable"), PEERS)
def test_both_sides_of_a_guide_say_the_same(
    guide: str, title: str, package: str, variable: str, tmp_path: Path
) -> None:
    left, right = blocks(guide, title), blocks(guide, "wengert")
    assert len(left) == len(right) > 2
    ours = executed(sys.executable, right, tmp_path, path=str(ROOT))
    python = os.environ.get(variable) if variable else None
    if python is None and package and importlib.util.find_spec(package):
        python = sys.executable
    if python is None:
        where = f": {variable} does not name an interpreter that has it" if variable else ""
        pytest.skip(f"{title} is not there to be compared with{where}; our side was executed")
    theirs = executed(python, left, tmp_path)
    for block, mine, other in zip(right, ours, theirs, strict=True):
        common = sorted(mine.keys() & other.keys())
        assert common, f"nothing is called the same on both sides of:\n{block}"
        for name in common:
            np.testing.assert_allclose(
                np.squeeze(mine[name]), np.squeeze(other[name]), rtol=2e-5, atol=1e-6, err_msg=f"{name} in:\n{block}"
            )
