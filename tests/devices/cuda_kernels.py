"""The kernels compiled for a GPU that need not be there: from CuPy's own text, by NVRTC or nvcc, to PTX."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd.kernels import Kernel

#: CuPy passes this, besides what it asks itself for: denormal numbers of single precision are zero on a GPU.
OPTIONS = ("-ftz=true", "-arch=compute_80")


def cuda_text(kernel: Kernel, dtype: Any, name: str) -> str:
    """The text that CuPy would compile for arrays of this dtype and Python numbers."""
    import cupy
    from cupy._core import _carray, _kernel

    made = cupy.ElementwiseKernel(kernel.inputs, kernel.outputs, kernel.code, name, preamble=kernel.preamble)
    array, indexer = 1, 2  # kinds of arguments
    arguments = [
        _kernel._ArgInfo(array, cupy.ndarray, np.dtype(bool if kind == "bool" else dtype), 2, False, True)
        for kind in kernel.types
    ]
    arguments.append(_kernel._ArgInfo(indexer, _carray.Indexer, None, 2, True, True))
    types = _kernel._TypeMap((("T", np.dtype(dtype).type),))
    return str(
        _kernel._get_elementwise_kernel_code(
            tuple(arguments), types, made.params, made.operation, made.name, made.preamble
        )
    )


def ptx(kernels: Mapping[str, Kernel], dtype: Any) -> dict[str, str]:
    """The instructions of each kernel, all compiled at once, each in a namespace of its own."""
    from cupy._core import core

    text = "".join(f"#include <{header}>\n" for header in core._cupy_header_list)
    for name, kernel in kernels.items():
        text += f"namespace in_{name} {{\n{cuda_text(kernel, dtype, name)}\n}}\n"
    options = (*core.assemble_cupy_compiler_options(()), *OPTIONS)
    program = _by_nvrtc(text, options) if nvrtc_works() else _by_nvcc(text, options)
    return {part.partition("(")[0].strip(): part for part in program.split(".visible .entry ")[1:]}


def lacking() -> str | None:
    """Why nothing can be compiled for a GPU here; None if it can."""
    try:
        import cupy  # noqa: F401
    except ImportError as error:
        return f"CuPy cannot be imported: {error}"
    return None if nvrtc_works() or shutil.which("nvcc") else "there is neither NVRTC nor nvcc"


@functools.cache
def nvrtc_works() -> bool:
    from cupy.cuda import nvrtc

    try:
        nvrtc.getVersion()
    except Exception:  # of the loader, which has classes of its own for it
        return False
    return True


def _by_nvrtc(text: str, options: tuple[str, ...]) -> str:
    from cupy.cuda import nvrtc

    program = nvrtc.createProgram(text, "kernels.cu", (), ())
    try:
        nvrtc.compileProgram(program, (*options, "--device-as-default-execution-space"))
    except nvrtc.NVRTCError as error:
        raise AssertionError(nvrtc.getProgramLog(program)) from error
    found = nvrtc.getPTX(program)
    return found.decode() if isinstance(found, bytes) else str(found)


def _by_nvcc(text: str, options: tuple[str, ...]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernels.cu"
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["nvcc", "--ptx", *options, "-o", "kernels.ptx", source.name], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return (Path(folder) / "kernels.ptx").read_text(encoding="utf-8")
