"""The site beside the code: the reference has every public name once, and the drawings are those of this code."""

from __future__ import annotations

import importlib
import inspect
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"

#: The packages whose `__all__` is public as it stands. `autograd.scipy.special` is SciPy's own, but for a few.
PUBLIC = [
    *("autograd", "autograd.derivation", "autograd.formulas", "autograd.inspection", "autograd.page"),
    *("autograd.profiling", "autograd.scipy", "nn", "nn.functional", "nn.init", "nn.parallel", "optim"),
]

NAMES = re.findall(
    r"^\.\. (?:auto(?!module)\w+|py:data):: ([\w.]+)",
    "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "api").glob("*.rst"))),
    re.MULTILINE,
)


def named(name: str) -> object:
    package, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(package), attribute)


def test_the_reference_has_nothing_twice() -> None:
    objects = [named(name) for name in NAMES]
    times = Counter(map(id, objects))
    assert not [name for name, value in zip(NAMES, objects) if times[id(value)] > 1]


@pytest.mark.parametrize("package", PUBLIC)
def test_the_reference_has_each_public_name(package: str) -> None:
    module = importlib.import_module(package)
    there = {id(named(name)) for name in NAMES}
    values = {name: getattr(module, name) for name in module.__all__}
    ours = {name: value for name, value in values.items() if not inspect.ismodule(value)}
    missing = [name for name, value in ours.items() if id(value) not in there]
    assert missing == (["tanh"] if package in ("nn", "nn.functional") else [])  # that one is NumPy's


def test_each_page_is_in_the_contents() -> None:
    for folder, index in ((DOCS, "index.md"), (DOCS / "api", "index.md")):
        text = (folder / index).read_text(encoding="utf-8")
        pages = {p.relative_to(folder).with_suffix("").as_posix() for s in ("*.md", "*.rst") for p in folder.glob(s)}
        if folder == DOCS:
            pages |= {f"{p.parent.name}/{p.stem}" for name in ("concepts", "guides") for p in (DOCS / name).iterdir()}
        listed = [line for line in text.splitlines() if re.fullmatch(r"[\w/]+", line)]
        assert sorted(pages - {"index"} - set(listed)) == []


@pytest.mark.parametrize("name", ["architecture", "life"])
def test_the_drawings_are_of_this_code(name: str) -> None:
    pytest.importorskip("graphviz")
    code = f"import runpy; print(runpy.run_path({str(DOCS / 'architecture.py')!r})[{name!r}]())"
    # in a process of its own: what is called depends on what has been imported
    drawn = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=DOCS.parent, check=True)
    picture = (DOCS / "images" / f"{name}.svg").read_text(encoding="utf-8")
    arrows = set(re.findall(r'^"(\S+)" -> "(\S+)"', drawn.stdout, re.MULTILINE))
    shown = {tuple(a.split("&#45;&gt;")) for a in re.findall(r"<title>(\S+&#45;&gt;\S+)</title>", picture)}
    assert arrows == shown, f"{name}.svg is out of date: python docs/architecture.py"


def test_imports_point_one_way() -> None:
    needs = runpy.run_path(str(DOCS / "architecture.py"))["imports"]()
    engine = set().union(*(others for name, others in needs.items() if name.startswith("autograd/")))
    assert not {"nn", "optim"} & engine
    assert "optim" not in needs["nn"]
    assert not {"autograd/tape", "autograd/tensor", "autograd/recorder"} & needs["autograd/rules"]
    assert "autograd/tensor" not in needs["autograd/tape"]
