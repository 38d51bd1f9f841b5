"""What functions of CuPy's do otherwise than NumPy's of the same name: on the values, which are in the host's memory.

Read in its sources: where they wait for the device, and what its solvers make of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["WAITING", "compute"]

#: Functions that wait for the device: the size of their result depends on the values, or a check or a choice does.
WAITING = {
    *("argwhere", "bincount", "compress", "count_nonzero", "delete", "extract", "flatnonzero", "histogram", "nonzero"),
    *("trim_zeros", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
    *("asarray_chkfinite", "average", "gradient", "median", "nanmedian", "real_if_close"),
    *("linalg.cond", "linalg.lstsq", "ravel_multi_index", "unravel_index"),
}


def compute(name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """What the function returns."""
    if name in ("roots", "poly"):
        _require_hermitian(name, args[0])
    with np.errstate(all="ignore"):  # a device warns of nothing
        try:
            result = function(*args, **kwargs)
        except np.linalg.LinAlgError as error:
            if not any(
                reason in str(error) for reason in ("Singular", "positive definite", "did not converge", "infs or NaNs")
            ):
                raise
            return _spoilt(function, args, kwargs)
    if name == "linalg.eigvals":
        return _complex(result)
    return type(result)(*map(_complex, result)) if name == "linalg.eig" else result


def _require_hermitian(name: str, a: np.ndarray) -> None:
    if a.ndim == 2 if name == "poly" else len(a) > 2:
        matrix = a if name == "poly" else np.diag(np.ones(len(a) - 2), -1) + 1  # a companion matrix
        if not np.array_equal(matrix, matrix.conj().T):
            raise NotImplementedError("Only complex Hermitian and real symmetric 2d arrays are supported currently")


def _spoilt(function: Any, args: Any, kwargs: Any) -> Any:
    """NaNs in place of what has no value: an error of the solver is not looked at, for which one would have to wait."""
    a, *rest = args
    result = function(np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape), *rest, **kwargs)
    return result * np.nan


def _complex(a: np.ndarray) -> np.ndarray:
    """Eigenvalues and -vectors are complex, whatever they are."""
    return a.astype(np.result_type(a, np.complex64)) if a.size else a
