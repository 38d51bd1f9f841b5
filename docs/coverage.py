"""Write `coverage.md`: which functions of NumPy have a rule, which are constant, which are outside and why.

python docs/coverage.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autograd.rules.coverage import Entry, survey

TITLES = {"": "numpy", "linalg.": "numpy.linalg", "fft.": "numpy.fft"}
HEADINGS = {
    "rule": "With rules, or composed of functions that have them",
    "constant": "Constant: integers, booleans, or a derivative of 0",
}


def lines(entries: list[Entry]) -> list[str]:
    """The page."""
    counts = {status: sum(e.status == status for e in entries) for status in (*HEADINGS, "outside")}
    text = [
        "# What of NumPy is differentiable",
        "",
        f"Made by `python docs/coverage.py` from NumPy {np.__version__}: {len(entries)} callables, of which "
        f"{counts['rule']} have rules (or are composed of functions that have them), {counts['constant']} are constant "
        f"and {counts['outside']} are outside. A tracked Tensor that reaches a "
        "function that is outside is refused by name.",
    ]
    for prefix, title in TITLES.items():
        mine = [e for e in entries if e.name.startswith(prefix) and (prefix or "." not in e.name)]
        text += ["", f"## {title}"]
        for status, heading in HEADINGS.items():
            names = [e.name.removeprefix(prefix) for e in mine if e.status == status]
            if names:
                text += ["", f"### {heading}", "", " ".join(f"`{name}`" for name in names)]
        reasons = dict.fromkeys(e.reason for e in mine if e.status == "outside")
        if reasons:
            text += ["", "### Outside", ""]
            for reason in reasons:
                names = [e.name.removeprefix(prefix) for e in mine if e.reason == reason]
                text.append(f"- {reason} {' '.join(f'`{name}`' for name in names)}")
    return text


if __name__ == "__main__":
    Path(__file__).with_suffix(".md").write_text("\n".join(lines(survey())) + "\n")
