"""Functions of `scipy.special`, for when they are called on a Tensor. Importing this imports SciPy.

SciPy's ufuncs come here by NumPy's protocol. Its other functions convert their arguments to NumPy arrays: what is here
for them is reached as `autograd.scipy.special.softmax`.

An argument in which there is no closed derivative, as the order of a Bessel function, has a rule that refuses: no
gradient is dropped in silence. Where a function has no derivative at a point, or its formula none, the choice is:

================================  ==================================================================================
`xlogy`, `xlog1py` at x = 0       in x: 0 where the logarithm is not finite (PyTorch); in y: 0
`entr`, `rel_entr` at x = 0       in x infinite, as the limit is; but 0 where the cotangent is 0. `rel_entr` in y: 0
`rel_entr`, `kl_div` at (0, 0)    1 and 0 in x; 0 and 1 in y: log(0/0) and 0/0 count as 0
`logit` at 0 and 1                infinite, but 0 where the cotangent is 0; `ndtri`, `erfinv` at their ends infinite
`cbrt` at 0                       infinite, but 0 where the cotangent is 0
`rgamma` at the poles of Γ        its derivative there, (−1)ⁿ n!
`binom` where it is 0             its derivative there, by 1/Γ; `poch` at a pole of Γ is NaN
`huber` at |r| = δ                δ sign(r), where both sides agree; in δ: 0
`pseudo_huber` at δ = 0           0 in r, |r| in δ
`boxcox` at x = 0                 1/λ² in λ, for λ > 0
`i0e`, `i1e`, `ive` at 0          the mean of both sides
`logsumexp` where Σ b eᵃ is 0     0
`softmax`, `log_softmax`          0 for an element −inf; NaN for a row of nothing else, as its value
================================  ==================================================================================
"""

import scipy.special

from ..constant import CONSTANT
from . import bessel, distribution, error, exponential, gamma, integral

__all__ = ["bessel", "distribution", "error", "exponential", "gamma", "integral"]

CONSTANT.update({scipy.special.gammasgn, scipy.special.round})
