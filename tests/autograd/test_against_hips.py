"""The same expressions here and in HIPS autograd: values and gradients agree.

Both are imported as `autograd`, so HIPS autograd runs in an interpreter of its own: set the environment variable
HIPS_PYTHON to the path of a Python that has it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

#: Functions of x (3, 4), y (3, 4), both between 0.2 and 0.9, s (4, 4), symmetric and positive definite, and z (3,),
#: complex. Each must return real numbers; their sum, weighted by position, is differentiated.
EXPRESSIONS = """
np.arctan2(x, y)
np.logaddexp(x, y)
np.sinc(x * 3)
np.arcsin(x) + np.arccosh(1 + y)
np.sqrt(x) * np.log2(y) + np.log10(x) + np.exp2(y)
np.mod(x * 5, y)
x ** y + np.power(y, 2.5)
np.maximum(x, y) + np.fmin(x, y)
np.where(x > y, x * 2, y ** 2)
np.clip(x, 0.3, 0.6)
np.nan_to_num(x) + np.rad2deg(x) * np.deg2rad(y)
np.prod(x, axis=0)
np.prod(x)
np.cumsum(x, axis=1)
np.cumsum(x)
np.mean(x, axis=0, keepdims=True) + np.var(y, axis=0) + np.std(x, axis=0, ddof=1)
np.max(x, axis=1) + np.min(y, axis=1)
np.sort(x[0]) + np.sort(y[:, 1][:1])
np.partition(x[0], 2)
np.diff(x, axis=1)
np.diff(x, n=2)
np.gradient(x[0])
np.tile(x, (2, 3))
np.repeat(x, 2, axis=1)
np.roll(x, 2, axis=0) + np.rot90(y, 2)
np.pad(x, ((1, 2), (0, 1)), 'constant')
np.moveaxis(x, 0, 1) + np.rollaxis(y, 1)
np.concatenate((x, y), axis=1)
np.vstack((x, y)) + np.array([1.0])
np.hstack((x, y))
np.column_stack((x, y))
np.stack((x, y), axis=2)
np.triu(x) + np.tril(y)
np.diag(x[0])
np.trace(s) * np.trace(x @ y.T)
x[[0, 1, 1]] + y[np.array([2, 2, 0])]
x[x > 0.5]
np.split(x, 2, axis=1)[1]
np.kron(x[:2, :2], y[:2, :2])
np.outer(x[0], y[1])
np.inner(x, y)
np.tensordot(x, y, axes=([0], [0]))
np.tensordot(x, y, 2)
np.cross(x[:, :3], y[:, :3])
np.dot(x, y.T)
np.einsum('ij,kj->ik', x, y)
np.einsum('ij,ij->i', x, y)
np.einsum('...j,kj', x, y)
np.linalg.inv(s)
np.linalg.det(s) + np.linalg.slogdet(s)[1]
np.linalg.solve(s, x.T)
np.linalg.cholesky((s + s.T) / 2)
np.linalg.norm(x) + np.linalg.norm(x, axis=1)
np.linalg.norm(x, 'nuc') + np.linalg.norm(x, 'fro')
np.linalg.norm(x, axis=0, ord=3)
np.linalg.eigh((s + s.T) / 2)[0]
np.linalg.svd(x, full_matrices=False)[1]
np.linalg.svd(x, full_matrices=False)[0] ** 2
np.abs(np.linalg.pinv(x))
np.abs(np.fft.fft(x)) + np.real(np.fft.ifft(y))
np.abs(np.fft.rfft(x, axis=1))
np.fft.irfft(np.fft.rfft(x) * 2)
np.abs(np.fft.fft2(x)) + np.imag(np.fft.fftn(y))
np.real(np.fft.fftshift(np.fft.fft(x)))
np.abs(z) + np.real(z * z)
np.angle(z) + np.imag(np.exp(z))
np.real(np.sqrt(z)) * np.real(np.conj(z) * z)
np.abs(np.dot(z, z)) + np.real(np.sin(z) / z)
""".strip().splitlines()

#: What both interpreters run: it prints a value and gradients with respect to x, y, s and z for each expression.
SCRIPT = """
import json, sys
import numpy as onp
import autograd
{imported}
rng = onp.random.default_rng(0)
x, y = rng.permutation(onp.linspace(0.2, 0.9, 24)).reshape(2, 3, 4)
s = rng.normal(size=(4, 4))
s = s @ s.T + onp.diag([1.0, 2.0, 3.0, 4.0])
z = rng.normal(size=3) + 1j * rng.normal(size=3)
answers = []
for expression in json.load(sys.stdin):
    code = compile(expression, expression, "eval")
    def f(x, y, s, z):
        value = np.ravel(eval(code, {{"np": np, "x": x, "y": y, "s": s, "z": z}}))
        return np.sum(value * onp.linspace(0.5, 1.5, value.shape[0]))
    value = f(x, y, s, z)
    gradients = [autograd.grad(f, k)(x, y, s, z) for k in range(4)]
    parts = [part.ravel().tolist() for g in gradients for part in (onp.real(g), onp.imag(g))]
    answers.append([float(value), *parts])
print(json.dumps(answers))
"""


def _answers(python: str, imported: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [python, "-W", "ignore", "-c", SCRIPT.format(imported=imported)],
        input=json.dumps(EXPRESSIONS),
        capture_output=True,
        text=True,
        env=environment,
        cwd=os.path.dirname(python),  # not here: this folder holds an `autograd`
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_values_and_gradients_are_those_of_hips_autograd() -> None:
    python = os.environ.get("HIPS_PYTHON")
    if python is None:
        pytest.skip("HIPS_PYTHON does not name an interpreter that has HIPS autograd: nothing to compare with")
    theirs = _answers(python, "import autograd.numpy as np")
    ours = _answers(sys.executable, "import numpy as np")
    for expression, mine, other in zip(EXPRESSIONS, ours, theirs, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11, err_msg=expression)
