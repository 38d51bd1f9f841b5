"""The rules of `numpy.linalg`: solving, determinants, factorisations, spectra, norms.

All are batched as NumPy's functions are, and take complex matrices where those do. A cotangent of a matrix
Z = X + iY is ∂L/∂X − i ∂L/∂Y, as everywhere, so that holomorphic functions (`inv`, `det`, `solve`) have plain
transposes in their rules and no conjugates. The literature writes the other rules for the conjugate of that, with the
inner product Re tr(ḠᴴdZ): they conjugate what comes in and what goes out, and are as printed in between.

Where the value of a function is not determined by its input, its derivative is not either: the phase of a complex
eigenvector or singular vector, the basis of the rest of the space in a complete `qr` or `svd`. A loss that
depends on it is refused. See `spectra.py` for equal eigenvalues.

`eigh`, `eigvalsh` and `cholesky`, and `svd` and `pinv` with `hermitian=True`, read one triangle of their matrix, and
so only that triangle has a gradient: an element below the diagonal stands for two.
"""

from . import determinant, factorisations, norms, solving, spectra

__all__ = ["determinant", "factorisations", "norms", "solving", "spectra"]
