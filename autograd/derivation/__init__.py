"""The derivation of a gradient as the lecture writes it on the board: `explain(loss)`.

`board.py` writes values, operations and rules as formulas (`autograd.formulas`), `steps.py` has the lines as data,
`explanation.py` puts them together. `fitting.py` says for errors which shapes do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..tensor import Tensor
from .explanation import Explanation
from .steps import Gradient, Line, Step, Term

__all__ = ["Explanation", "Gradient", "Line", "Step", "Term", "explain"]


def explain(
    output: Tensor, *, names: Mapping[str, Tensor] | Any = None, columns: bool = False, steps: int | None = 200
) -> Explanation:
    """Write down the backward pass from `output`, as one does by hand: each local VJP with its shapes.

    Nothing is computed, and nothing changes: it can be called before the backward pass and after it.

    Parameters
    ----------
    output : Tensor
        Usually the loss.
    names : Module or mapping of str to Tensor, optional
        What to call some of the values. The names of Tensors are used, and what has none gets a symbol by its role in
        a network: W2, b2, z2, a2; δ2 is the cotangent of z2.
    columns : bool
        Examples as columns, as lectures write it: what has a row for each example is shown as its transpose, z = W · x
        + b. By default, examples are rows, which is what is computed.
    steps : int or None
        How many lines each part of the text has at most; None for all. The data have all.

    Returns
    -------
    Explanation
        `str()` of it is the text; Jupyter shows it with formulas in LaTeX.

    Raises
    ------
    TypeError
        If `output` is not a Tensor, or `names` is something else.
    ValueError
        If the output requires no gradient, or `steps` is less than 2.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd
    >>> W = autograd.Tensor(np.ones((1, 3)), requires_grad=True, name="W")
    >>> b = autograd.Tensor(np.zeros(1), requires_grad=True, name="b")
    >>> J = autograd.sigmoid(np.ones((64, 3)) @ W.T + b).mean()
    >>> print(autograd.explain(J, columns=True))
    Forward pass, with examples as columns (● is kept for the backward pass)
        W (1×3)
      ● x (3×64), constant
        b (1×1)
        v1 (1×64) = W (1×3) · x (3×64)
        z1 (1×64) = v1 + b
      ● a1 (1×64) = σ(z1)
        J = mean(a1)
    <BLANKLINE>
    Backward pass
        ∂J/∂J = 1
        ∂J/∂a1 (1×64) = 1 / 64
        δ1 = ∂J/∂z1 (1×64) = ∂J/∂a1 ∘ a1 ∘ (1 − a1)
        ∂J/∂b (1×1) = Σ_columns δ1
        ∂J/∂v1 (1×64) = δ1
        ∂J/∂(Wᵀ) (3×1) = x (3×64) · (∂J/∂v1)ᵀ (64×1)
        ∂J/∂W (1×3) = (∂J/∂(Wᵀ))ᵀ
    <BLANKLINE>
    Gradients, with the cotangents back to the next layer put in
        ∂J/∂b (1×1) = Σ_columns (a1 ∘ (1 − a1) / 64)
        ∂J/∂W (1×3) = [a1 ∘ (1 − a1) / 64 (1×64)] · xᵀ (64×3)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"explain() explains a Tensor, usually the loss, got {type(output).__name__}.")
    if not output.requires_grad:
        raise ValueError(
            "explain() explains a backward pass, and this Tensor depends on nothing that requires a gradient: create "
            "the parameters with requires_grad=True, and compute it outside no_grad()."
        )
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 2):
        raise ValueError(f"steps is the number of lines of each part, at least 2, or None for all; got {steps!r}.")
    return Explanation(output, names=names, columns=bool(columns), steps=steps)
