"""How Tensors and tapes look in a notebook, and the summary of an array that this rests on."""

import json
import subprocess
import sys

import numpy as np
import pytest
import stand_in
from html_reading import read
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd import Tape, Tensor
from autograd.display.html import Html, document, tag
from autograd.display.text import number, shortened
from autograd.inspection import summarize

NAMES = ["<script>alert(1)</script>", "\"'&amp;", "</table>", "a\nb\0c", "\ud800", "名", "x" * 10**6]


def html_of(value):
    html = value._repr_html_()
    assert len(html.encode()) < 20_000
    return read(html)


# Summary


@given(
    hnp.arrays(st.sampled_from(["f2", "f4", "f8", "i1", "u8", "i8", "?"]), hnp.array_shapes(max_dims=3, max_side=30))
)
@settings(max_examples=60, deadline=None)
def test_a_summary_counts_every_element_and_is_json(a):
    found = summarize(a)
    json.dumps(found, allow_nan=False)
    finite = a[np.isfinite(a)].astype(np.longdouble)
    assert found["zeros"] == np.sum(a == 0)
    assert found["nan"] == np.sum(np.isnan(a))
    assert found["nan"] + found["infinite"] + finite.size == a.size
    if finite.size:
        assert (found["min"], found["max"]) == (finite.min(), finite.max())
        with np.errstate(over="ignore"):
            assert found["mean"] == pytest.approx(float(finite.mean()), rel=1e-12, abs=1e-12 * float(abs(finite).max()))
            if finite.size and np.isfinite(finite.astype(float).std()):
                assert found["std"] == pytest.approx(float(finite.std()), rel=1e-6, abs=1e-7 * float(abs(finite).max()))
        counts, edges = found["histogram"]["counts"], found["histogram"]["edges"]
        assert sum(counts) == finite.size
        assert len(edges) == len(counts) + 1 <= 25
        assert edges == sorted(edges)
        assert edges[0] <= float(found["min"]) <= float(found["max"]) <= edges[-1]
    else:
        assert found["histogram"] is found["mean"] is None


@pytest.mark.parametrize("order", ["C", "F", "view"])
def test_a_summary_is_that_of_numpy_for_many_elements(order):
    a = np.random.default_rng(0).normal(3.0, 2.0, size=(700, 600))
    a = a[::2, ::3] if order == "view" else np.asarray(a, order=order)
    found = summarize(a)
    assert found["mean"] == pytest.approx(a.mean(), rel=1e-12)
    assert found["std"] == pytest.approx(a.std(), rel=1e-12)
    counts, edges = np.histogram(a, 24)
    np.testing.assert_allclose(found["histogram"]["edges"], edges)
    assert abs(np.subtract(found["histogram"]["counts"], counts)).sum() <= 4  # those that lie on an edge
    grid = np.array(found["grid"])
    rows, columns = (np.linspace(0, n, 25).astype(int) for n in a.shape)
    assert grid[3, 5] == pytest.approx(a[rows[3] : rows[4], columns[5] : columns[6]].mean())


def test_a_summary_does_not_overflow():
    largest = np.finfo(float).max
    found = summarize(np.array([largest, -largest] * 20).reshape(8, 5))
    assert (found["mean"], found["std"]) == (pytest.approx(0.0, abs=1e290), largest)
    assert found["histogram"]["counts"][0] == found["histogram"]["counts"][-1] == 20
    half = summarize(np.full(100, 60000, dtype=np.float16))
    assert (half["mean"], half["std"]) == (60000.0, 0.0)
    tiny = summarize(np.array([0.0, 5e-324]))
    assert tiny["histogram"]["counts"] == [1, 1]


def test_a_complex_number_of_finite_parts_is_finite():
    wider = np.finfo(np.longdouble).max > np.finfo(float).max  # not everywhere
    for largest, dtype in ((3e38, np.complex64), (1.5e308, np.complex128))[: 1 + wider]:
        found = summarize(np.full((30, 30), largest + largest * 1j, dtype=dtype))
        json.dumps(found, allow_nan=False)
        assert found["infinite"] == 0
        assert np.longdouble(found["mean"]) / np.longdouble(largest) == pytest.approx(2**0.5)


def test_a_number_beyond_floats_is_told_as_text():
    found = summarize(np.full((30, 30), np.finfo(np.longdouble).max))
    json.dumps(found, allow_nan=False)
    assert found["mean"] == found["max"] != "inf"
    assert found["grid"][0][0] == np.finfo(float).max


def test_a_summary_raises_nothing_where_underflow_is_an_error():
    with np.errstate(all="raise"):
        assert summarize(np.array([5e-324, 1e-323, 0.0]))["zeros"] == 1


def test_few_integers_have_a_bin_each():
    found = summarize(np.array([2**62 + 3, 2**62, 2**62 + 3]))["histogram"]
    assert found["counts"] == [1, 0, 0, 2]
    assert summarize(np.array([True, False, True]))["histogram"] == {"counts": [1, 2], "edges": [-0.5, 0.5, 1.5]}
    assert sum(summarize(np.array([-128, 127], dtype=np.int8))["histogram"]["counts"]) == 2


def test_a_summary_of_few_values_has_them():
    assert summarize(np.array([1 + 2j, np.nan]))["values"][0] == "(1+2j)"
    assert summarize(np.float32(0.5))["values"] == 0.5
    assert summarize(np.array([[np.inf, -np.inf]]))["values"] == [["inf", "-inf"]]
    assert summarize(np.zeros((10**6, 0)))["values"] == []
    assert summarize(np.arange(17))["values"] is None
    with pytest.raises(TypeError, match="numbers or booleans"):
        summarize(np.array(["a"]))


def test_a_grid_shows_where_there_is_nan():
    a = np.ones((100, 90))
    a[99, 0] = np.nan
    grid = summarize(a)["grid"]
    assert grid[23][0] is None
    assert sum(cell is None for row in grid for cell in row) == 1


# HTML


def test_what_is_not_html_is_escaped():
    html = tag("p", "<b>", Html("<i>x</i>"), title='"<', class_=None)
    assert html == '<p title="&quot;&lt;">&lt;b&gt;<i>x</i></p>'


def test_a_document_is_whole():
    page = read(document("<script>", tag("p", "text")))
    assert page.text == "<script> text"
    assert [tag for tag in page.tags if tag in ("html", "head", "title", "body")] == ["html", "head", "title", "body"]


def test_numbers_are_short():
    assert [number(x) for x in (1e-8, 1234567, -0.0, np.float16("inf"), 10**30, np.bool_(True))] == [
        "1e−08",
        "1,234,567",
        "−0",
        "∞",
        "1e+30",
        "True",
    ]
    assert shortened("a\nb") == "a\N{REPLACEMENT CHARACTER}b"


# Tensors


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_shown_and_never_executed(name):
    x = Tensor([1.0, 2.0], requires_grad=True, name=name)
    for value in (x, x * x, Tape(x * x)):
        assert shortened(name, 30)[:10].strip() in html_of(value).text


def test_a_small_tensor_shows_its_values_and_where_it_is_from():
    x = Tensor([[1.0, -2.5], [np.nan, np.inf]], name="x", requires_grad=True)
    assert html_of(x).text == "Tensor x float64[2, 2] requires grad 0 1 0 1 −2.5 1 NaN ∞"
    assert html_of(x * 3.0).text.startswith("Tensor float64[2, 2] = multiply(x, 3) 0 1")
    assert html_of(np.tanh(x + 1.0)).text.startswith("Tensor float64[2, 2] = tanh(add(…))")
    assert html_of(Tensor(np.float32(0.1))).text == "Tensor float32[] 0.1"
    assert html_of(Tensor(1 + 2j)).text == "Tensor complex128[] (1+2j)"
    assert html_of(Tensor(np.nan)).text == "Tensor float64[] NaN"
    assert html_of(Tensor(-0.123456789)).text == "Tensor float64[] −0.123456789"
    assert html_of(Tensor(np.zeros((0, 3)))).text == "Tensor float64[0, 3] no elements"
    assert html_of(Tensor([True, False])).text == "Tensor bool[2] 0 1 True False"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(()),
        np.zeros((0, 10**6)),
        np.zeros((10**6, 0)),
        np.arange(11.0),
        np.full((30, 30), np.nan),
        np.where(np.arange(900).reshape(30, 30) % 2, np.inf, 1.0),
        np.random.default_rng(0).normal(size=(3, 1000)),
        np.random.default_rng(0).normal(size=(24, 24)) * 1e300,
        np.random.default_rng(0).normal(size=(50, 40)) * 1j,
        np.full(40, 65504, dtype=np.float16),
        np.arange(32).reshape((2,) * 5),
        np.zeros((1,) * 32),
        np.arange(100_000).reshape(10, 100, 100),
        np.array([np.finfo(float).max, -np.finfo(float).max] * 10),
        np.array([np.finfo(np.longdouble).max, 1.0] * 10),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}"[:40],
)
def test_every_shape_and_number_has_a_display(array):
    assert html_of(Tensor(array)).text.startswith(f"Tensor {array.dtype}{list(array.shape)}")


def test_ten_million_elements_are_a_few_kilobytes():
    x = Tensor(np.ones((1000, 10_000), dtype=np.float32), requires_grad=True)
    x.grad = x.data
    found = html_of(x)
    assert "38.1 MiB" in found.text
    assert "gradient" in found.text


def test_a_gradient_is_shown_with_its_tensor():
    w = Tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    assert html_of(w).text.endswith("gradient 0 1 2 4")
    w.grad = np.array([0.0, np.nan])
    assert html_of(w).text.endswith("0 NaN")


def test_a_display_changes_nothing():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    html_of(x), html_of(y), html_of(Tape(y))
    y.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


class Elsewhere:
    """An array of another library, which brings its values here when it is asked to."""

    __array_ufunc__ = __array_function__ = lambda *args: NotImplemented
    dtype, shape, ndim, size, nbytes = np.dtype(float), (10**6,), 1, 10**6, 8 * 10**6

    def __init__(self):
        self.brought = 0

    def compute(self):
        self.brought += 1
        return np.ones(self.shape)

    def copy(self):
        return self

    def __repr__(self):
        return "<Elsewhere>"


def test_values_that_are_not_computed_yet_stay_so():
    array = Elsewhere()
    assert html_of(Tensor(array)).text.endswith("<Elsewhere>")
    assert array.brought == 0


def test_values_on_a_device_are_brought_here_once():
    t = Tensor(np.ones(10**6), device="standin")
    with stand_in.counted() as transfers:
        text = html_of(t).text
    assert text.startswith("Tensor float64[1000000] 7.6 MiB standin:0")
    assert text.endswith("mean 1 std 0 zeros 0")
    assert transfers == {"to host": 1}
    assert summarize(t)["mean"] == 1.0


# Tapes


def test_a_tape_is_a_table_of_its_operations():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    y = np.exp(x) * 3.0
    assert html_of(Tape(y)).text == (
        "Tape 2 operations, 1 leaf keeps 16 B in 1 array for its rules operation shape dtype keeps name "
        "%0 leaf [2] float64 x %1 exp(%0) [2] float64 16 B %2 multiply(%1, 3) [2] float64"
    )
    y.backward([1.0, 1.0])
    assert "2 released by a backward pass" in html_of(Tape(y)).text


def test_what_an_operation_keeps_twice_counts_once():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert "keeps 16 B in 1 array" in html_of(Tape(x * x)).text
    assert "multiply(%0, %0) [2] float64 16 B" in html_of(Tape(x * x)).text


def test_a_long_tape_is_folded():
    y = Tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.0
    found = html_of(Tape(y))
    assert found.tags.count("tr") == 62
    assert "… 99,941 more lines" in found.text


def test_an_operation_with_many_inputs_or_several_results_is_one_line():
    parts = [Tensor([1.0], requires_grad=True) for _ in range(500)]
    assert "concatenate(%0, %1, %2, %3, %4, %5, … 494 more)" in html_of(Tape(np.concatenate(parts))).text
    q, _ = np.linalg.qr(Tensor(np.eye(2), requires_grad=True))
    assert "linalg.qr(%0) [2, 2], [2, 2] float64, float64" in html_of(Tape(q)).text


def test_import_loads_no_display():
    code = "import sys, autograd; print([m for m in sys.modules if m.startswith('autograd.display')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
