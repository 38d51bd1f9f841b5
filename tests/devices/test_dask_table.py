"""Which operations Dask's arrays can do: every example of a rule, with lazy inputs.

What is in neither table below works for all examples that have elements: lazily, and with NumPy's values and gradients.
What is in one of them does not, for at least one example. A test fails where an operation that is not there begins to
fail, where one that is there begins to work, and wherever a value or a gradient is wrong. An example is the first one
that fails here; another chunking, or another option, may work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rule_examples import EXAMPLES, Example

from autograd import Tensor

da = pytest.importorskip("dask.array", reason="needs dask.array")

from lazy_arrays import Computed, cut, nothing_computed, results  # noqa: E402 (which imports Dask)

#: How many examples of each operation are tried.
TRIED = 3

#: What the error says -> the operations of which an example raises it.
CANNOT: dict[str, str] = {
    # functions that Dask does not have, and what is made of them
    "needs np.argsort": "nanmedian sort sort_complex",
    "needs np.argpartition": "median partition percentile quantile",
    "numpy.take_along_axis": "rearranged",
    "needs np.array_split": "array_split dsplit hsplit split vsplit",
    "needs np.ix_": "ix_ fmax.accumulate fmin.accumulate maximum.accumulate minimum.accumulate",
    "needs np.convolve": "convolve correlate poly",
    "needs np.cross": "cross linalg.cross",
    "needs np.vander": "polyfit vander",
    "needs np.polyval": "polyval",
    "needs np.resize": "resize",
    "needs np.unwrap": "unwrap",
    "needs np.real_if_close": "real_if_close",
    "needs np.unique_": "unique_all unique_counts unique_inverse unique_values",
    "needs np.linalg.det": "linalg.det",
    "needs np.linalg.slogdet": "linalg.slogdet",
    "needs np.linalg.eig,": "linalg.eig",
    "needs np.linalg.eigh,": "linalg.eigh linalg.eigvalsh",
    "needs np.linalg.eigvals,": "linalg.eigvals characteristic roots",
    "needs np.linalg.pinv": "linalg.pinv",
    # ufuncs with several results, and methods of ufuncs
    "needs airy": "special.airy",
    "needs ellipj": "special.ellipj",
    "needs fresnel": "special.fresnel",
    "needs shichi": "special.shichi",
    "needs sici": "special.sici",
    "needs add.reduceat": "add.reduceat",
    # the gradient of `x[key]`, where `key` holds positions: they may be the same
    "needs add.at": "interp take compress extract insert sliding_window_view fill_diagonal embedding",
    "needs maximum.at": "put",
    # positions along several axes
    "nd fancy indexing": "corrcoef take_along_axis choose put_along_axis",
    # a result whose shape depends on values
    "a Tensor's shape must be known": "piecewise",
    "to shape (nan,)": "putmask place",
    "unknown chunk size": "polymul trim_zeros",
    "the quantiles of as many numbers as each line has": "nanpercentile nanquantile",
    # options that Dask's functions do not have
    "reshape: Dask cannot do this": "reshape",
    "unexpected keyword argument 'equal_nan'": "unique",
    "does not take the following keyword arguments": "nan_to_num",
    "requires either specifying bins": "histogram",
    "missing 1 required positional argument: 'axis'": "polyder polyint",
    "must be an integer, got None": "delete",
    # a chunking that Dask's algorithm needs: `rechunk` first
    "only supports taking an FFT along an axis that": (
        "fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.fft2 "
        "fft.ifft2 fft.rfft2 fft.irfft2"
    ),
    "to perform lu decomposition": "linalg.inv linalg.solve linalg.tensorinv linalg.tensorsolve",
    "to perform cholesky decomposition": "linalg.cholesky",
    "qr currently supports only tall-and-skinny": "linalg.lstsq linalg.qr",
    "This function (svd) only supports tall-and-skinny": "cofactors linalg.svd linalg.svdvals",
    "Missing dependency": "recurrence",
    # stacks of matrices, and no axes at all
    "Array must be 2D": "linalg.matrix_norm linalg.cond",
    "Improper number of dimensions to norm": "linalg.norm",
    "is out of bounds for array of dimension 0": "softmax log_softmax",
    # an example with a NumPy array beside the lazy one, of which Dask needs both
    "bincount got operands of different devices": "bincount",
}

#: These look at values on the way, and have them computed for that: the results are right, but not lazy. To move to the
#: CPU is to compute.
LOOKS = "to polydiv"


def tuple_of(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def check(example: Example) -> None:
    """Value and gradients of an example are lazy, and NumPy's."""
    tensors = [Tensor(a, requires_grad=True) for a in example.args]
    expected = example.call(*tensors)
    cotangent = np.random.default_rng(0).uniform(0.3, 1.7, expected.shape).astype(expected.dtype)
    gradients = tuple_of(expected.gradient(*tensors, cotangent=cotangent))
    lazy = [Tensor(cut(a, "first"), requires_grad=True) for a in example.args]
    with nothing_computed():
        y = example.call(*lazy)
        found = tuple_of(y.gradient(*lazy, cotangent=da.from_array(cotangent)))
    values = results(y.data, *[g.data for g in found])
    for value, wanted in zip(values, [expected, *gradients], strict=True):
        np.testing.assert_allclose(value, wanted.numpy(), rtol=1e-9, atol=1e-11)


def first_error(name: str) -> Exception | None:
    """What the first example says that fails; None if none does. Wrong values are raised."""
    tried = [example for example in EXAMPLES[name] if all(a.size for a in example.args)][:TRIED]
    for example in tried:
        try:
            check(example)
        except Exception as error:
            if isinstance(error, AssertionError) and str(error):  # Dask has some that say nothing
                raise
            return error
    return None


def _listed() -> dict[str, str]:
    return {name: text for text, names in CANNOT.items() for name in names.split()}


def test_each_operation_is_listed_once_and_exists() -> None:
    names = [name for names in (*CANNOT.values(), LOOKS) for name in names.split()]
    assert sorted(names) == sorted(set(names))
    assert set(names) <= EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_operation_works_with_lazy_arrays_or_is_listed_with_what_it_says(name: str) -> None:
    error, expected = first_error(name), _listed().get(name)
    if name in LOOKS.split():
        assert isinstance(error, Computed), f"{name} computes nothing any more: take it off the list LOOKS"
    elif expected is not None:
        assert error is not None, f"{name} works now: take it off the list CANNOT"
        assert expected in str(error)
    elif error is not None:
        raise error
