"""The sum of the gradients of several processes, with one message."""

import numpy as np
import pytest
from ranks_in_threads import in_threads

import nn


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_gradients_of_every_dtype_are_summed(dtype):
    def program(ranks):
        a, b, c = (nn.Parameter(np.zeros(shape), dtype=dtype) for shape in ((2, 3), (), (0, 2)))
        for k, p in enumerate((a, b, c)):
            p.grad = np.full(p.shape, (1 + k) * (1 + ranks.rank) * (1 + 1j if a.dtype.kind == "c" else 1), dtype)
        a.grad = np.asfortranarray(a.grad)
        ranks.sum_gradients([a, b, c])
        return [p.grad for p in (a, b, c)]

    unit = 1 + 1j if dtype.startswith("c") else 1
    for a, b, c in in_threads(3, program):
        np.testing.assert_array_equal(a, np.full((2, 3), 6 * unit, dtype))
        np.testing.assert_array_equal(b, np.asarray(12 * unit, dtype))
        assert (c.shape, c.dtype, b.dtype) == ((0, 2), np.dtype(dtype), np.dtype(dtype))


def test_a_gradient_that_only_some_have_counts_as_zero_elsewhere_and_none_stays_none():
    def program(ranks):
        some, none, frozen = nn.Parameter([1.0]), nn.Parameter([1.0]), nn.Parameter([1.0], requires_grad=False)
        if ranks.rank == 1:
            some.grad = np.array([5.0])
        for _ in range(2):
            ranks.sum_gradients([some, none, frozen])
            some.grad = some.grad / 5
        return some.grad, none.grad, frozen.grad, len(ranks.transport.calls)

    for some, none, frozen, calls in in_threads(2, program):
        assert (some, none, frozen, calls) == (2 / 5, None, None, 2)


def test_two_dtypes_make_two_messages_and_a_change_makes_new_ones():
    def program(ranks):
        a, b = nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=0, dtype=np.float64)
        parameters = [*a.parameters(), *b.parameters()]
        for p in parameters:
            p.grad = np.ones(p.shape, p.dtype)
        ranks.sum_gradients(parameters)
        before = len(ranks.transport.calls)
        a.to("float64")
        for p in parameters:
            p.grad = np.ones(p.shape, p.dtype)
        ranks.sum_gradients(iter(parameters))
        return before, len(ranks.transport.calls), {float(p.grad.sum() / p.size) for p in parameters}

    assert in_threads(2, program) == [(2, 3, {2.0})] * 2


def test_the_gradients_memory_is_not_shared_between_steps():
    def program(ranks):
        p = nn.Parameter([1.0, 2.0])
        p.grad = np.array([1.0, 2.0])
        ranks.sum_gradients([p])
        kept = p.grad
        p.grad = np.array([10.0, 20.0])
        ranks.sum_gradients([p])
        return kept

    for kept in in_threads(2, program):
        np.testing.assert_array_equal(kept, [2.0, 4.0])
