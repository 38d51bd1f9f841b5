"""How a name is written: as text, and in LaTeX."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["RAISED", "Symbol", "symbol"]


class Symbol(NamedTuple):
    """How something is called, in plain text and in LaTeX (for the mathematics mode, safe inside `$…$` of a page)."""

    text: str
    latex: str


RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
    "Γ": "Gamma",
    "Δ": "Delta",
    "Θ": "Theta",
    "Λ": "Lambda",
    "Ξ": "Xi",
    "Π": "Pi",
    "Σ": "Sigma",
    "Φ": "Phi",
    "Ψ": "Psi",
    "Ω": "Omega",
}

_VARIANT = {"epsilon": "varepsilon", "phi": "varphi"}

_SPECIAL = {
    **{c: f"\\{c}" for c in "{}$&%#_"},
    "\\": "\\backslash ",
    "^": "\\wedge ",
    "~": "\\sim ",
    "<": "\\lt ",
    ">": "\\gt ",
    "|": "\\vert ",
    "*": "\\ast ",
    "`": "'",
    '"': "''",
    " ": "\\ ",
}

#: The longest name that is shown whole.
_LONGEST = 60


def symbol(name: str) -> Symbol:
    """A name as a symbol: W2 with an index, alpha as a letter, anything else upright; odd ones in ⟨ ⟩.

    Examples
    --------
    >>> from autograd.inspection.notation import symbol
    >>> [symbol(name).latex for name in ("W2", "alpha_1", "γ", "loss", "a<b")]
    ['W_{2}', '\\\\alpha_{1}', '\\\\gamma', '\\\\mathrm{loss}', '\\\\langle \\\\mathrm{a\\\\lt b}\\\\rangle ']
    """
    name = "".join(c if c.isprintable() else "�" for c in name.strip())
    if len(name) > _LONGEST:
        name = name[: _LONGEST - 1] + "…"
    match = re.fullmatch(r"([^\W\d_]+)_?([0-9]{0,6})", name)
    if match is not None:
        base, index = _GREEK.get(match[1], match[1]), match[2]
        if base in _GREEK.values():
            latex = f"\\{_VARIANT.get(base, base)}"
        else:
            latex = base if len(base) == 1 else f"\\mathrm{{{base}}}"
        return Symbol(name, f"{latex}_{{{index}}}" if index else latex)
    latex = "\\mathrm{" + "".join(_SPECIAL.get(c, c) for c in name) + "}"
    if re.fullmatch(r"[\w.\[\]…]+", name):
        return Symbol(name, latex)
    return Symbol(f"⟨{name}⟩", f"\\langle {latex}\\rangle ")
