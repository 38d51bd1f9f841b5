"""What CuPy has, as a table that needs no CuPy: its functions, ufuncs and array methods, with their parameters.

    python tests/devices/cupy_names.py

writes `cupy_names.json` anew from the CuPy that is installed, for which no GPU is needed. The stand-in for a device
array is held to this table.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("cupy_names.json")
MODULES = ("", "linalg", "fft", "lib.stride_tricks")


def parameters(function: Any) -> str | None:
    """The parameters of a function as they are written, without annotations and with None for each default."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function written in Cython says it in the first line of its documentation
        written = re.match(r"(?:\w+\.)?\w+\((.*)\)", (function.__doc__ or "").partition("\n")[0])
        if written is None:
            return None
        names = [re.sub(r"^(?:[\w.]+ )+", "", part.partition("=")[0].strip()) for part in written[1].split(",")]
        defaults = ["=None" if "=" in part else "" for part in written[1].split(",")]
        return ", ".join(f"{name}{default}" for name, default in zip(names, defaults) if name not in ("self", ""))
    shown, keywords = [], False
    for p in signature.parameters.values():
        if p.name == "self":
            continue
        keywords |= p.kind is p.VAR_POSITIONAL
        if p.kind is p.KEYWORD_ONLY and not keywords:
            shown.append("*")
            keywords = True
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        shown.append(f"{stars}{p.name}" + ("" if p.default is p.empty else "=None"))
    return ", ".join(shown)


def read() -> dict[str, Any]:
    """The table of the CuPy that is installed."""
    import cupy
    import cupyx.scipy.special as special

    functions: dict[str, str] = {}
    ufuncs: dict[str, dict[str, Any]] = {}
    for module in MODULES:
        home = functools.reduce(getattr, module.split("."), cupy) if module else cupy
        for name in sorted(vars(home)):
            value = getattr(home, name)
            if name.startswith("_") or inspect.isclass(value) or inspect.ismodule(value) or not callable(value):
                continue
            if isinstance(value, cupy.ufunc):
                ufuncs[name] = _ufunc(value)
            elif (found := parameters(value)) is not None:
                functions[f"{module}.{name}".lstrip(".")] = found
    for name in sorted(vars(special)):
        value = getattr(special, name)
        if isinstance(value, cupy.ufunc):
            ufuncs.setdefault(name, _ufunc(value))
    members: dict[str, str | None] = {}
    for name in sorted(set(dir(cupy.ndarray))):
        value = getattr(cupy.ndarray, name)
        if not name.startswith("_"):
            members[name] = (parameters(value) or "") if callable(value) else None
    return {"version": cupy.__version__, "functions": functions, "ufuncs": ufuncs, "members": members}


def _ufunc(ufunc: Any) -> dict[str, Any]:
    return {"inputs": ufunc.nin, "outputs": ufunc.nout, "at": getattr(ufunc, "_scatter_op", None) is not None}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(read(), indent=0, sort_keys=True) + "\n", encoding="utf-8")
