"""NumPy's namespaces: each function has a rule, or is constant, or is outside for a reason that it gives."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from autograd import NoRuleError, Tensor
from autograd.rules.coverage import OUTSIDE, survey

SURVEY = survey()


def test_each_callable_of_numpy_is_in_exactly_one_list() -> None:
    listed = Counter(entry.name for entry in SURVEY)
    assert not [name for name, times in listed.items() if times > 1]
    assert not [entry.name for entry in SURVEY if not entry.status]


def test_the_lists_hold_what_users_reach_for() -> None:
    status = {entry.name: entry.status for entry in SURVEY}
    assert len(SURVEY) > 500
    assert status["tanh"] == status["linalg.svd"] == status["fft.rfft"] == "rule"
    assert status["argsort"] == "constant"
    assert status["array"] == "outside"


def test_no_name_outside_has_two_reasons() -> None:
    names = [name for names in OUTSIDE.values() for name in names.split()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("function", "reason"), [(np.union1d, "Equal elements")])
def test_a_function_outside_says_why(function: object, reason: str) -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(NoRuleError, match=reason):
        function(x, x)  # type: ignore[operator]
    assert function(x.detach(), x.detach()).tolist() == [1, 2]  # type: ignore[operator]


def test_the_page_is_up_to_date() -> None:
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "coverage.md").read_text()
    if f"NumPy {np.__version__}:" not in page:
        pytest.skip(f"docs/coverage.md was made with another NumPy than {np.__version__}: run docs/coverage.py")
    lines = runpy.run_path(str(docs / "coverage.py"))["lines"]
    assert page == "\n".join(lines(SURVEY)) + "\n"
