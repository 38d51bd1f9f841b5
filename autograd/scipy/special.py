"""`scipy.special`, with every function that has a rule taking Tensors.

SciPy's ufuncs take Tensors themselves, by NumPy's protocol. Of its functions that convert their arguments to NumPy
arrays, `logsumexp`, `softmax`, `log_softmax`, `polygamma` and `multigammaln` are replaced here; everything else is
SciPy's own. Importing this imports SciPy.

>>> from autograd import Tensor
>>> from autograd.scipy.special import softmax
>>> x = Tensor([0.0, 0.0], requires_grad=True)
>>> softmax(x)[0].backward()
>>> x.grad
array([ 0.25, -0.25])
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    import scipy.special
except ImportError as error:
    raise ImportError(
        f'autograd.scipy needs SciPy, which is missing here: `pip install "wengert[scipy]"` ({error}).'
    ) from None

from ..primitive import REGISTRY
from ..rules import special as _rules  # noqa: F401 (it registers what stands for SciPy's functions)

__all__ = list(scipy.special.__all__)


def replaced(name: str) -> Any:
    """What stands here for SciPy's function of that name; None where it is SciPy's own."""
    function = getattr(scipy.special, name, None)
    function = getattr(function, "scipys", function)  # where `patch` has been
    return None if isinstance(function, np.ufunc) or not callable(function) else REGISTRY.get(function)


def __getattr__(name: str) -> Any:
    ours = replaced(name)
    try:
        return getattr(scipy.special, name) if ours is None else ours
    except AttributeError:
        raise AttributeError(f"scipy.special has no {name!r}, so neither has {__name__!r}") from None


def __dir__() -> list[str]:
    return sorted(__all__)
