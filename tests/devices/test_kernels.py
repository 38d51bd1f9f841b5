"""The kernels without a GPU: compiled for the CPU they compute what the NumPy text does, and they compile for a GPU."""

from __future__ import annotations

import re

import cuda_kernels
import numpy as np
import pytest
from cpp_kernels import COMPILER, all_kernels, compiled
from kernel_cases import OPTIMIZERS, PENALTIES, TERMS, TEXTS, by_kernel, by_text, special, tried, ulps, wider

from autograd import Tensor

needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler here")


def test_every_kernel_is_checked_here():
    assert {*TEXTS} | {*OPTIMIZERS} == {*all_kernels()}


@needs_a_compiler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TEXTS)
def test_a_kernel_computes_what_the_text_says(name, dtype):
    case = TEXTS[name]
    for values in tried(case, dtype):
        with np.errstate(all="ignore"):
            terms = TERMS[name](wider(values, np.float64)) if name in TERMS else None
        for got, expected in zip(by_kernel(case, values), by_text(case, values), strict=True):
            assert got.dtype == expected.dtype == dtype
            same = np.isnan(got) & np.isnan(expected)
            assert np.array_equal(np.isnan(got), np.isnan(expected))
            infinite = np.isinf(got) | np.isinf(expected)
            assert np.array_equal(got[infinite], expected[infinite])
            zero = (got == 0) & (expected == 0)
            assert np.array_equal(np.signbit(got[zero]), np.signbit(expected[zero]))
            assert ulps(got, expected, terms)[~same].max() <= 16


@needs_a_compiler
@pytest.mark.parametrize("name", TEXTS)
def test_a_kernel_of_single_precision_is_as_exact_as_the_text(name):
    case = TEXTS[name]
    for values in tried(case, np.float32):
        with np.errstate(all="ignore"):
            exact = by_text(case, wider(values, np.float64))
            terms = TERMS[name](wider(values, np.float64)) if name in TERMS else None
        for got, text, right in zip(by_kernel(case, values), by_text(case, values), exact, strict=True):
            assert ulps(got, right, terms).max() <= 2 * ulps(text, right, terms).max() + 2


# The optimizers


def optimizer_with(name, penalties, **options):
    made, own = OPTIMIZERS[name]
    return made([Tensor(np.ones(1), requires_grad=True)], **own, **penalties, **options)


@needs_a_compiler
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalties", PENALTIES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_kernel_of_an_optimizer_makes_the_step_that_update_makes(name, penalties, dtype):
    optimizer, rng = optimizer_with(name, penalties), np.random.default_rng(2)
    group = optimizer.param_groups[0]
    slots = optimizer.slots(group)
    extreme = special(dtype)
    together = extreme[rng.integers(len(extreme), size=(10_000, 2 + len(slots)))]
    ordinary = np.concatenate([rng.normal(size=(3000, 2 + len(slots))) * size for size in (1e-3, 1, 10)]).astype(dtype)
    values = np.concatenate([together, ordinary])
    values[:, 3:] = abs(values[:, 3:])  # averages of squares
    if slots and slots[0] != "exp_avg":
        values[:, 2] = abs(values[:, 2]) if slots[0] != "momentum_buffer" else values[:, 2]
    w, g, *state = values.T.copy()
    for t in (1, 20):
        c = optimizer.individual(optimizer.coefficients(group, t), {})
        expected = [w.copy(), *(s.copy() for s in state)]
        with np.errstate(all="ignore"):
            optimizer._write(expected[0], g, expected[1:], group, c)
        kernel, numbers = optimizer.kernel(c, state)
        assert kernel is all_kernels()[name]
        got = [w.copy(), *(s.copy() for s in state)]
        with np.errstate(all="ignore"):
            compiled(kernel)(g, *optimizer._penalties(group), *numbers, *got)
        for own, theirs, before in zip(got, expected, (w, *state), strict=True):
            assert np.array_equal(np.isnan(own), np.isnan(theirs))
            infinite = np.isinf(own) | np.isinf(theirs)
            assert np.array_equal(own[infinite], theirs[infinite])
            assert ulps(own, theirs, abs(before))[10_000:].max() <= 64


# They compile for a GPU


@pytest.mark.skipif(cuda_kernels.lacking() is not None, reason=str(cuda_kernels.lacking()))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_kernels_compile_for_a_gpu_as_cupy_writes_them(dtype):
    instructions = cuda_kernels.ptx(all_kernels(), dtype)
    assert instructions.keys() == all_kernels().keys()
    # double precision is many times slower on most GPUs: none where it was not asked for, but in CUDA's own sine
    double = {name for name, text in instructions.items() if ".f64" in text}
    assert double <= {"sin_x", "cos_x"} if dtype is np.float32 else double == {*all_kernels()}


def test_no_kernel_has_a_number_of_double_precision_in_it():
    for kernel in all_kernels().values():
        rest = re.sub(r"T\([^()]*\)", "", kernel.code + kernel.preamble)
        assert not re.search(r"\d\.\d|\de[-+]?\d", rest), kernel
