"""Draw how the house is built, from the house itself: who imports whom, and what one operation calls.

python docs/architecture.py

writes images/architecture.svg from the import statements of the packages, and images/life.svg from a trace of
`np.multiply(a, b)` and of the backward pass through it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.drawing.render import render

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PACKAGES = ("autograd", "nn", "optim")

#: What belongs together in the picture, and its colours (of Okabe and Ito, lightened). The rest is "under all".
GROUPS = {
    "what one calls": ("#d6e9f8", "tensor conversions operators protocols transforms gradcheck scipy"),
    "the tape": ("#fbe3b8", "tape cotangent anomaly recorder primitive node wrapping versions"),
    "the rules": ("#cdebdf", "rules"),
    "what looks at a tape": ("#f6dcea", "inspection formulas derivation drawing page profiling display"),
    "under all": ("#eeeeee", "devices modes errors files kernels measured"),
}

STYLE = (
    'bgcolor="white"; fontname="Helvetica"; fontsize=12; pad=0.2; '
    'node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=12, color="#555555", '
    'fillcolor="white", height=0.35, margin="0.12,0.05"]; '
    'edge [color="#777777", arrowsize=0.6, fontname="Helvetica", fontsize=10, fontcolor="#333333"];'
)


# Who imports whom


def unit(parts: tuple[str, ...]) -> str:
    """The box that a module belongs to: `nn`, `optim`, or a module or package right under `autograd`."""
    return parts[0] if parts[0] != "autograd" else "/".join(parts[:2])


def imported(tree: ast.AST, package: list[str]) -> Iterator[tuple[str, ...]]:
    """The modules of ours that are imported when a module is: not those for annotations, nor those inside functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            if module[0] in PACKAGES:
                for alias in node.names:
                    full = ROOT.joinpath(*module, alias.name)
                    yield tuple([*module, alias.name] if full.is_dir() or full.with_suffix(".py").exists() else module)
        elif isinstance(node, ast.Import):
            yield from (tuple(a.name.split(".")) for a in node.names if a.name.split(".")[0] in PACKAGES)
        else:
            yield from imported(node, package)


def imports() -> dict[str, set[str]]:
    """Box -> the boxes that it needs when it is imported. `autograd/__init__.py` only gathers, and is no box."""
    found: dict[str, set[str]] = {}
    for top in PACKAGES:
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            package = list(parts[:-1])
            if parts == ("autograd", "__init__") or "vendor" in parts:
                continue
            mine = unit(parts)
            needed = {unit(module) for module in imported(ast.parse(path.read_text(encoding="utf-8")), package)}
            found.setdefault(mine, set()).update(needed - {mine, "autograd", "autograd/__init__", "autograd/_other"})
    found.pop("autograd/_other", None)
    return found


def reduced(needs: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without the arrows that longer ways say already."""

    def reach(start: str) -> set[str]:
        seen, waiting = set(), [start]
        while waiting:
            for other in needs.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    far = {name: reach(name) for name in needs}
    circular = sorted(name for name in needs if name in far[name])
    if circular:
        raise ValueError(f"imports go in a circle: {', '.join(circular)}")
    return {name: {o for o in others if not any(o in far[p] for p in others - {o})} for name, others in needs.items()}


def architecture() -> str:
    """The picture of the imports, as DOT."""
    needs = reduced(imports())
    names = sorted({*needs, *(other for others in needs.values() for other in others)})
    grouped = {name: group for group, (_, members) in GROUPS.items() for name in members.split()}
    missing = [n for n in names if n.startswith("autograd/") and n.removeprefix("autograd/") not in grouped]
    if missing:
        raise ValueError(f"say in GROUPS where these belong: {', '.join(missing)}")
    lines = [f"digraph architecture {{ {STYLE} rankdir=TB; nodesep=0.18; ranksep=0.38;"]
    for top, colour in (("optim", "#d9d2ec"), ("nn", "#d9d2ec")):
        lines.append(f'"{top}" [label="{top}", fillcolor="{colour}", fontsize=15];')
    lines.append(
        'subgraph "cluster_autograd" { label="autograd"; labelloc=t; fontsize=15; labeljust=l; '
        'color="#bbbbbb"; style=rounded;'
    )
    for name in names:
        if name.startswith("autograd/"):
            short = name.removeprefix("autograd/")
            lines.append(f'"{name}" [label="{short}", fillcolor="{GROUPS[grouped[short]][0]}"];')
    lines.append("}")
    for name, others in sorted(needs.items()):
        lines += [f'"{name}" -> "{other}";' for other in sorted(others)]
    cells = "".join(f'<TD BGCOLOR="{colour}">{group}</TD>' for group, (colour, _) in GROUPS.items())
    lines.append(
        'labelloc=b; label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="6" CELLPADDING="4"><TR>'
        f"{cells}</TR></TABLE>>;"
    )
    return "\n".join([*lines, "}"])


# What one operation calls


#: Functions of a line or two, left out of the picture.
SMALL = {"<genexpr>", "data_of", "_described", "latest_write", "no_fallback"}


def traced(call: Callable[[], Any]) -> tuple[Any, list[tuple[int, str]]]:
    """What a call returns, and the functions of ours that it calls, in order, each with its depth."""
    folder = str(Path(autograd.__file__).parent)
    calls: list[tuple[int, str]] = []
    depth = 0

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal depth
        file, code = frame.f_code.co_filename, frame.f_code
        written = code.co_name == "record"  # a recorder, which is made from the signature of a primitive
        if event in ("call", "return") and (written or file.startswith(folder)):
            if event == "call":
                where = "recorder" if written else Path(file).relative_to(folder).with_suffix("").as_posix()
                if code.co_name not in SMALL:
                    calls.append((depth, f"{where}: {'record' if written else code.co_qualname}"))
                depth += 1
            else:
                depth -= 1

    earlier = sys.getprofile()
    sys.setprofile(watch)
    try:
        result = call()
    finally:
        sys.setprofile(earlier)
    return result, calls


def life() -> str:
    """The picture of one product, forward and backward, as DOT."""
    _ = np.multiply(Tensor(1.0, requires_grad=True), 2.0)  # a recorder is written when it is first called
    a = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    b = Tensor([10.0, 20.0, 30.0], requires_grad=True)
    z, forward = traced(lambda: np.multiply(a, b))
    node = z.node
    saved = ", ".join(f"{name} {list(value.shape)}" for name, value in zip(node.primitive.saves, node.saved))
    numbers = [p.index for p in node.parents]
    base = numbers[0] - 1  # the numbers on the tape go on from what ran before: here they begin at 1
    _, backward = traced(lambda: z.backward(np.ones((2, 3))))
    lines = [f"digraph life {{ {STYLE} rankdir=TB; nodesep=0.15; ranksep=0.3; ordering=out;"]
    for side, colour, call, calls in (
        ("forward", "#d6e9f8", "z = np.multiply(a, b)", forward),
        ("backward", "#fbe3b8", "z.backward(g)", backward),
    ):
        lines.append(f'subgraph "cluster_{side}" {{ label="{side}"; labeljust=l; color="#bbbbbb"; style=rounded;')
        lines.append(f'"{side}" [label="{call}", fontname="Courier", fillcolor="{colour}"];')
        above = [side]
        for k, (depth, name) in enumerate(calls, 1):
            where, _, function = name.partition(": ")
            text = function.replace("<", "&lt;").replace(">", "&gt;")
            shown = "the rule" if function == "<lambda>" else text
            lines.append(
                f'"{side}{k}" [label=<{shown}<BR/><FONT POINT-SIZE="9" COLOR="#555555">{where}.py</FONT>>, '
                f'fillcolor="{"#cdebdf" if where.startswith("rules/") else "white"}"];'
            )
            del above[depth + 1 :]
            lines.append(f'"{above[depth]}" -> "{side}{k}" [label=" {k}"];')
            above.append(f"{side}{k}")
        lines.append("}")
    lines.append(
        f'"node" [shape=box, style="filled", fillcolor="#ffffff", label=<<TABLE BORDER="0" CELLSPACING="2">'
        f'<TR><TD COLSPAN="2"><B>Node {node.index - base}</B>: the entry on the tape</TD></TR>'
        f'<TR><TD ALIGN="LEFT">primitive</TD><TD ALIGN="LEFT">{node.primitive.name}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">parents</TD><TD ALIGN="LEFT">{", ".join(f"Leaf {n - base}" for n in numbers)}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">saved</TD><TD ALIGN="LEFT">{saved}</TD></TR>'
        f'<TR><TD ALIGN="LEFT">shape, dtype</TD><TD ALIGN="LEFT">{list(node.shape)}, {node.dtype}</TD></TR>'
        "</TABLE>>];"
    )
    recorder = 1 + next(k for k, (_, name) in enumerate(forward) if name.endswith("record"))
    walker = 1 + next(k for k, (_, name) in enumerate(backward) if name.endswith("pull_back"))
    lines.append(f'"forward{recorder}" -> "node" [label=" writes", style=dashed];')
    lines.append(f'"backward{walker}" -> "node" [style=dashed, constraint=false];')
    return "\n".join([*lines, "}"])


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name, source in (("architecture", architecture()), ("life", life())):
        (IMAGES / f"{name}.svg").write_bytes(render(source, "svg"))
