"""The kernels compiled for the CPU, with g++: what a GPU would compute, on NumPy arrays.

    run = compiled(kernel)
    y = run(x, 0.01)                 a new array for each output, of the shape that the inputs are broadcast to
    run(g, 0.01, w)                  or outputs that are there, which may be read, and are written into

It takes what `cupy.ElementwiseKernel` takes, and refuses what that refuses.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import pkgutil
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn
import optim
from autograd.kernels import Kernel

__all__ = ["COMPILER", "all_kernels", "compiled", "on_stand_in"]

COMPILER = shutil.which("g++") or shutil.which("clang++")

#: As on a GPU a product and a sum may be one operation (`fma`), which rounds once; but no other liberties.
OPTIONS = ("-O1", "-std=c++17", "-shared", "-fPIC", "-ffp-contract=fast", "-march=native")

_HEAD = """
#include <cmath>
#define __device__ static inline
using std::exp; using std::expm1; using std::log; using std::log1p; using std::tanh; using std::fabs; using std::erfc;
using std::sqrt; using std::sin; using std::cos;
"""


@functools.cache
def all_kernels() -> dict[str, Kernel]:
    """Every kernel in a module called `kernels`, by its name."""
    found: dict[str, Kernel] = {}

    def take(value: Any) -> None:
        if isinstance(value, Kernel):
            assert found.setdefault(value.name, value) is value, f"two kernels are called {value.name}"
        elif isinstance(value, dict):
            for part in value.values():
                take(part)

    for package in (autograd, nn, optim):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".kernels"):
                for name, value in vars(importlib.import_module(module.name)).items():
                    if not name.startswith("__"):
                        take(value)
    return found


def compiled(kernel: Kernel) -> Callable[..., Any]:
    """A function of NumPy arrays and Python numbers that computes the kernel."""
    together = all_kernels()
    library = _library(tuple(together.values())) if together.get(kernel.name) is kernel else _library((kernel,))
    return functools.partial(_run, library, kernel)


def on_stand_in(kernel: Kernel) -> Callable[..., Any]:
    """The same of the stand-in's arrays: `Library(..., elementwise=on_stand_in)`."""
    run = compiled(kernel)

    def launch(*values: Any) -> Any:
        first = values[0]
        results = run(*[value._host if value.__class__ is first.__class__ else value for value in values])
        wrapped = tuple(map(first._like, results if isinstance(results, tuple) else (results,)))
        return wrapped if len(wrapped) > 1 else wrapped[0]

    return launch


def _run(library: ctypes.CDLL, kernel: Kernel, *values: Any) -> Any:
    n = len(kernel.names)
    if len(values) not in (n, len(kernel.types)):
        raise TypeError(f"{kernel} got {len(values)} arguments.")
    dtype = values[0].dtype
    if dtype.char not in "fd":
        raise TypeError(f"{kernel} got an array of {dtype}.")
    dtypes = [np.dtype(bool) if kind == "bool" else dtype for kind in kernel.types]
    for wanted, value in zip(dtypes, values):
        if isinstance(value, np.ndarray) and value.dtype != wanted:
            raise TypeError(f"{kernel} got an array of {value.dtype} for one of {wanted}.")
    outputs = list(values[n:])
    shape = np.broadcast_shapes(*(np.shape(value) for value in values))
    if any(output.shape != shape for output in outputs):
        raise ValueError(f"{kernel}: an output has not the shape {shape}.")
    inputs = [np.ascontiguousarray(np.broadcast_to(np.asarray(v, t), shape)) for v, t in zip(values[:n], dtypes)]
    written = [np.array(out, order="C") for out in outputs] or [np.empty(shape, t) for t in dtypes[n:]]
    pointers = (ctypes.c_void_p * len(dtypes))(*(array.ctypes.data for array in (*inputs, *written)))
    function = getattr(library, f"{kernel.name}_{dtype.char}")
    function(ctypes.c_long(int(np.prod(shape))), pointers)
    for out, new in zip(outputs, written):
        out[...] = new
    results = tuple(outputs or written)
    return results[0] if len(results) == 1 else results


@functools.cache
def _library(kernels: Iterable[Kernel]) -> ctypes.CDLL:
    assert COMPILER is not None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "kernels.cpp", Path(folder) / "kernels.so"
        source.write_text(_HEAD + "".join(map(_text, kernels)), encoding="utf-8")
        command = [COMPILER, *OPTIONS, "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return ctypes.CDLL(str(target))


def _text(kernel: Kernel) -> str:
    """A loop over the elements, as CuPy writes it, for both types."""
    parameters = [part.split() for part in f"{kernel.inputs}, {kernel.outputs}".split(",")]
    elements = ""
    for k, (kind, name) in enumerate(parameters):
        const = "const " if k < len(kernel.names) else ""
        elements += f"{const}{kind} &{name} = static_cast<{kind} *>(values[{k}])[i];\n"
    text = f"namespace in_{kernel.name} {{\n{kernel.preamble}\n"
    text += f"template <typename T> void run(long n, void **values) {{\nfor (long i = 0; i < n; i++) {{\n{elements}"
    text += f"{kernel.code};\n}}\n}}\n}}\n"
    for char, kind in (("f", "float"), ("d", "double")):
        text += f'extern "C" void {kernel.name}_{char}(long n, void **values) {{ '
        text += f"in_{kernel.name}::run<{kind}>(n, values); }}\n"
    return text
