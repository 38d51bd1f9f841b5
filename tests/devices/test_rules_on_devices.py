"""Every rule on every device: the table of examples of `tests/autograd`, with all arrays moved there.

Values, gradients, gradients in a recorded pass and the gradients of these are those of NumPy, in each precision. What
a library of arrays does not have is listed here, by the primitive; there an error says so by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from moving import moved
from rule_examples import EXAMPLES, Example

from autograd import DeviceError, Tensor
from autograd.devices import device_of, move

#: What CuPy does not have, as the error calls it -> the primitives of which an example needs it.
ABSENT: dict[str, str] = {
    "'hermitian'": "linalg.pinv linalg.svd",
    "'upper'": "linalg.cholesky",
    "'weights'": "percentile quantile",
    "logaddexp.reduce": "logaddexp.reduce",
    "nanquantile": "nanquantile",
    "nanpercentile": "nanpercentile",
    "ellipe": "special.ellipe special.ellipkm1",
    "hyp1f1": "special.boxcox special.boxcox1p special.exprel special.hyp1f1 special.inv_boxcox special.inv_boxcox1p",
    "hyp2f1": "special.ellipk special.hyp2f1",
    "iv": "special.i0 special.i1 special.iv",
    "ive": "special.i0e special.i1e special.ive",
    "jv": "special.j0 special.j1 special.jv",
    "kn": "special.kn",
    "yv": "special.yn special.yv",
    **{
        name: f"special.{name}"
        for name in (
            *("airy", "betaincc", "betainccinv", "dawsn", "erfi", "eval_chebyt", "eval_chebyu", "eval_gegenbauer"),
            *("eval_genlaguerre", "eval_hermite", "eval_hermitenorm", "eval_jacobi", "eval_laguerre", "eval_legendre"),
            *("fresnel", "hankel1", "hankel1e", "hankel2", "hankel2e", "hyp0f1", "hyperu", "jve", "kv", "kve"),
            *("lambertw", "modstruve", "ndtri_exp", "owens_t", "powm1", "spence", "stdtr", "stdtrit", "struve", "wofz"),
            *("wrightomega", "yve"),
        )
    },
}
WHAT = {name: what for what, names in ABSENT.items() for name in names.split()}

#: Primitives with an example that gives a list of numbers for an operand: it is NumPy's, and not moved without a word.
LISTS = {
    *("append", "bincount", "cov", "float_power", "heaviside", "insert", "matmul", "meshgrid", "place", "polyval"),
    *("interp", "put", "trim_zeros"),
}

#: Its examples move their result to another place themselves.
ELSEWHERE = {"to"}

#: Where NumPy looks whether a complex result is real. On a device it stays complex: that is not looked at.
COMPLEX = [example for name in ("linalg.eig", "linalg.eigvals", "poly", "roots") for example in EXAMPLES[name]]

PRECISIONS = {"double": 1e-10, "single": 5e-4, "complex": 1e-10}


def arguments(example: Example) -> Iterator[tuple[list[np.ndarray], float]]:
    """The arguments in each precision, and the relative error that is allowed there."""
    yield [a.copy() for a in example.args], PRECISIONS["double"]
    yield [a.astype(np.float32) for a in example.args], PRECISIONS["single"]
    if example.complexes:
        yield [np.asarray(a + 1j * (0.3 + 0.2 * np.cos(7 * a))) for a in example.args], PRECISIONS["complex"]


def some(like: Any, seed: int, of: np.ndarray) -> np.ndarray:
    """A cotangent of a result, which is complex if the arguments are."""
    numbers = np.random.default_rng(seed).uniform(0.3, 1.7, like.shape)
    both = "c" == like.dtype.kind == of.dtype.kind
    return np.asarray(numbers * (1 - 0.5j if both else 1)).astype(like.dtype)


def results(call: Any, arrays: list[np.ndarray], device: str) -> Iterator[tuple[str, list[Any]]]:
    """What comes out of a call of arrays on a device: values, gradients, and gradients of these."""

    def put(array: np.ndarray) -> Any:
        return move(array, device)

    call = moved(call, put)
    inputs = [Tensor(put(a), requires_grad=True) for a in arrays]
    y = call(*inputs)
    yield "values", [y.data]
    how = {"cotangent": put(some(y, 0, arrays[0])), "retain_graph": True}
    plain = as_tuple(y.gradient(*inputs, **how))
    yield "gradients", [g.data for g in plain]
    recorded = as_tuple(y.gradient(*inputs, **how, create_graph=True))
    yield "recorded gradients", [g.data for g in recorded]
    products = [(g * put(some(g, k, arrays[0]))).sum() for k, g in enumerate(recorded) if g.requires_grad]
    if products:
        total = sum(products[1:], products[0])
        second = as_tuple(total.gradient(*inputs, cotangent=put(np.ones((), total.dtype))))
        yield "second gradients", [g.data for g in second]


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def compare(example: Example, arrays: list[np.ndarray], rtol: float, device: str) -> None:
    expected = [*results(example.call, [a.copy() for a in arrays], "cpu")]
    found = results(example.call, arrays, device)
    for (what, references), (_, values) in zip(expected, found, strict=True):
        for reference, value in zip(references, values, strict=True):
            assert device_of(value).partition(":")[0] == device, what
            host = move(value, "cpu")
            if host.dtype.kind == "c" != reference.dtype.kind and any(example is other for other in COMPLEX):
                np.testing.assert_allclose(host.imag, 0, atol=rtol, err_msg=what)
                host = host.real
            assert (host.shape, host.dtype) == (reference.shape, reference.dtype), what
            size = np.abs(reference[np.isfinite(reference)]).max(initial=1.0)
            np.testing.assert_allclose(
                host, reference, rtol=rtol * example.rounding, atol=rtol * example.rounding * size, err_msg=what
            )


def refusal(example: Example, arrays: list[np.ndarray], rtol: float, device: str) -> Exception | None:
    """Compare; the error instead, if there is something that the device does not have, or that is not there."""
    try:
        compare(example, arrays, rtol, device)
    except (NotImplementedError, DeviceError) as error:
        return error
    return None


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ELSEWHERE])
def test_a_rule_on_a_device_gives_what_it_gives_on_the_cpu(name: str, device: str) -> None:
    refusals = []
    once = 1 if device == "cpu" else None  # there it is moving that is tested
    for k, example in enumerate(EXAMPLES[name]):
        for arrays, rtol in islice(arguments(example), once):
            try:
                refusals.append(refusal(example, arrays, rtol, device))
            except Exception as error:
                shapes = [a.shape for a in arrays]
                error.add_note(f"example {k} of {name}, with arguments of shape {shapes}, {arrays[0].dtype}")
                raise
    absent = [str(error) for error in refusals if isinstance(error, NotImplementedError)]
    listed = [str(error) for error in refusals if isinstance(error, DeviceError)]
    assert bool(absent) is (device != "cpu" and name in WHAT), absent or "it works by now: take it from ABSENT"
    assert bool(listed) is (device != "cpu" and name in LISTS), listed or "it works by now: take it from LISTS"
    assert all(WHAT[name] in text and "Compute it on the CPU" in text for text in absent), absent
    assert all("nothing is moved without a word" in text for text in listed)


def test_what_is_absent_are_primitives() -> None:
    assert len(WHAT) == len(" ".join(ABSENT.values()).split())
    assert {*WHAT, *LISTS, *ELSEWHERE} <= EXAMPLES.keys()


def test_examples_hold_no_array_that_is_not_moved(device: str) -> None:
    """What `moved` does to all that a function can hold an array in."""
    held, here = np.arange(3.0), ({"k": [np.ones(2)]}, 5)

    def call(x: Any, offset: np.ndarray = held, *, more: Any = here) -> Any:
        return [x, offset, held, more]

    call.__module__ = "rule_examples.here"
    marks: list[Any] = []
    result = moved(call, lambda array: marks.append(array) or "moved")(1.0)
    assert result == [1.0, "moved", "moved", ({"k": ["moved"]}, 5)]
    assert len(marks) == 3
