"""The page that steps through a tape: what it holds, and what it never does. Its life in a browser is tested apart."""

import base64
import gc
import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd
import autograd.page.document as document
import nn
from autograd import Tensor, keep_values, view
from autograd.display.text import shortened
from autograd.errors import RendererError
from autograd.page.data import LIMIT


def small_network():
    """A loss with values kept, and the model; gradients are easily had by `loss.backward()`."""
    model = nn.MLP([2, 4, 1], activation="tanh", rng=1)
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    with keep_values():
        loss = nn.BCEWithLogitsLoss()(model(x), np.array([[0], [1], [1]], np.float32))
    return loss, model


def data_in(html):
    [text] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def picture(data, number):
    return data["pictures"][number]


def vertex(data, label):
    [found] = [v for v in data["vertices"].values() if v["label"] == label]
    return found


def steps(data, phase):
    return [step for step in data["steps"] if step["phase"] == phase]


@pytest.fixture
def no_renderer(monkeypatch):
    def nothing(source, format):
        raise RendererError("nothing here")

    monkeypatch.setattr(document, "render", nothing)


# Steps and values


def test_the_steps_are_the_tape_forward_and_then_backward():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    loss = np.sum(np.exp(x) * 3.0)
    data = view(loss).data
    assert [step["phase"] for step in data["steps"]] == ["start", *["forward"] * 3, *["backward"] * 3, "end"]
    labels = [data["vertices"][step["at"]]["label"] for step in data["steps"][1:-1]]
    assert labels == ["exp", "multiply", "sum", "sum", "multiply", "exp"]


def test_each_step_holds_what_its_rule_adds():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    data = view(np.sum(x * x)).data
    [product] = [step for step in steps(data, "backward") if data["vertices"][step["at"]]["label"] == "multiply"]
    first, second = product["gives"]
    assert picture(data, first["value"])["values"] == picture(data, second["value"])["values"] == [1.0, 2.0]
    assert (first["count"], second["count"], first["of"]) == (1, 2, 2)
    assert picture(data, first["sum"])["values"] == [1.0, 2.0]
    assert picture(data, second["sum"])["values"] == [2.0, 4.0]
    assert picture(data, vertex(data, "x")["grad"])["values"] == [2.0, 4.0]


def test_the_gradients_are_those_of_the_backward_pass_to_the_last_bit():
    loss, model = small_network()
    data = view(loss).data
    loss.backward()
    for name, parameter in model.named_parameters():
        shown = picture(data, vertex(data, name)["grad"])["values"]
        assert_array_equal(np.array(shown, np.float32), parameter.grad)


def test_the_formulas_have_shapes():
    loss, _ = small_network()
    data = view(loss).data
    texts = [part["formula"] for step in steps(data, "backward") for part in step["gives"]]
    assert any("δ1" in text and "(4×3)" in text for text in texts)
    assert all(step["formula"] for step in steps(data, "forward"))


def test_nothing_is_released_and_no_gradient_changes():
    loss, model = small_network()
    view(loss)
    assert all(parameter.grad is None for parameter in model.parameters())
    loss.backward()
    before = [parameter.grad.copy() for parameter in model.parameters()]
    view(loss)
    for parameter, grad in zip(model.parameters(), before):
        assert_array_equal(parameter.grad, grad)


def test_a_page_keeps_no_tape_alive():
    x = Tensor([1.0], requires_grad=True)
    y = np.exp(x)
    node, page = y.node, view(y)
    holders = len(gc.get_referrers(node))
    del y
    assert len(gc.get_referrers(node)) < holders
    assert page.html


def test_after_a_backward_pass_there_are_formulas_and_one_sentence():
    loss, _ = small_network()
    loss.backward()
    page = view(loss)
    assert sum("released" in note for note in page.data["notes"]) == 1
    assert page.data["memory"] is None
    backward = steps(page.data, "backward")
    assert len(backward) == len(steps(page.data, "forward"))
    assert all("value" not in part and part["formula"] for step in backward for part in step["gives"])
    assert "left" in vertex(page.data, "linear1.weight")  # what .grad holds


def test_values_that_were_not_kept_are_said_to_be_missing():
    x = Tensor([1.0, 2.0], requires_grad=True)
    data = view((np.sin(x) + 1.0).sum()).data
    assert any("keep_values" in note for note in data["notes"])
    assert "value" not in vertex(data, "sin")


def test_the_values_of_constants_are_there_where_the_tape_has_them():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    data = view(np.sum(x * np.array([3.0, 4.0]))).data
    assert picture(data, vertex(data, "constant")["value"])["values"] == [3.0, 4.0]


def test_values_that_were_overwritten_are_not_shown():
    w = nn.Parameter(np.array([1.0, 2.0]), name="w")
    with keep_values():
        loss = (w * 3.0).sum()
    w.data -= 1.0
    data = view(loss).data
    assert "value" not in vertex(data, "w")
    assert any("overwritten" in note for note in data["notes"])


def test_a_backward_pass_that_would_be_wrong_is_not_shown():
    w = nn.Parameter(np.array([1.0, 2.0]), name="w")
    loss = (w * w).sum()
    w.data -= 1.0
    data = view(loss).data
    assert any("cannot be shown with numbers: multiply saved" in note for note in data["notes"])
    assert all("value" not in part for step in steps(data, "backward") for part in step["gives"])


@pytest.mark.parametrize("make", [lambda y: (y,), lambda y: (y.sum(), y.mean())])
def test_without_one_number_to_start_from_the_backward_pass_has_no_numbers(make):
    data = view(*make(Tensor([1.0, 2.0], requires_grad=True) * 2.0)).data
    assert any("without numbers" in note for note in data["notes"])
    assert steps(data, "backward")
    assert all("value" not in part for step in steps(data, "backward") for part in step["gives"])


def test_an_output_that_needs_no_gradient_has_no_backward_pass():
    data = view(Tensor([1.0, 2.0])).data
    assert [step["phase"] for step in data["steps"]] == ["start", "end"]


def test_an_operation_with_several_results_gives_to_each_of_its_parts():
    a = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True, name="a")
    q, r = np.linalg.qr(a)
    loss = np.sum(q) + np.sum(r)
    data = view(loss).data
    loss.backward()
    assert_array_equal(picture(data, vertex(data, "a")["grad"])["values"], a.grad)


def test_hooks_change_what_is_shown():
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    x.register_hook(lambda g: g * 10.0)
    data = view((x * 3.0).sum()).data
    assert picture(data, vertex(data, "x")["grad"])["values"] == [30.0, 30.0]


# Marks and memory


def test_a_saturated_sigmoid_and_a_gradient_of_zeros_are_marked():
    x = Tensor([-900.0, 900.0, 1.0], requires_grad=True, name="x")
    loss = (autograd.sigmoid(x) * np.array([1.0, 1.0, 0.0])).sum()
    data = view(loss).data
    assert ["saturated", 0.667] in vertex(data, "sigmoid")["marks"]
    assert ["zero", 1] in vertex(data, "x")["marks"]


def test_a_number_can_be_saturated_too():
    x = Tensor(50.0, requires_grad=True)
    assert ["saturated", 1.0] in vertex(view(np.tanh(x) * 2.0).data, "tanh")["marks"]


def test_complex_activations_are_saturated_where_the_slope_is_small():
    z = Tensor(np.array([1 + 1j, 50j, 100.0]), requires_grad=True)
    assert ["saturated", 0.333] in vertex(view(np.abs(np.tanh(z)).sum()).data, "tanh")["marks"]


def test_values_that_are_not_finite_are_marked():
    x = Tensor([0.0, 1.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"), keep_values():
        loss = np.log(x).sum()
        data = view(loss).data
    assert ["infinite", 1, "value"] in vertex(data, "log")["marks"]
    assert ["infinite", 1, "gradient"] in vertex(data, "x")["marks"]
    assert picture(data, vertex(data, "log")["value"])["values"] == ["-inf", 0.0]


def test_the_memory_rises_forward_and_is_empty_after_the_backward_pass():
    x = Tensor(np.ones(1000), requires_grad=True)
    data = view(np.sum(np.exp(np.exp(x)))).data
    assert data["memory"] == [0, 8000, 16000, 16000, 16000, 8000, 0, 0]


# Hostile and large contents

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'&{{data}}`\\",
    "]]>",
    "a\u2028b",
    "\ud800\x00",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_and_nothing_else(name):
    x = Tensor([1.0], requires_grad=True, name=name)
    page = view((x * 2.0).sum(), names={name: x})
    assert data_in(page.html)["vertices"].keys() == page.data["vertices"].keys()
    assert any(v["label"] == shortened(name) for v in data_in(page.html)["vertices"].values())
    scripts = re.findall(r"<script(?![^>]*application/json)[^>]*>", page.html)
    assert len(scripts) == 1
    assert "onerror=alert(1)>" not in page.html
    assert "<img" not in page.html
    page.html.encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_does_not_leave_the_frame_of_a_notebook(name):
    x = Tensor([1.0], requires_grad=True, name=name)
    html = view((x * 2.0).sum())._repr_html_()
    assert html.count("<iframe") == 1
    attribute = re.fullmatch(r"<iframe srcdoc='([^']*)' sandbox=\"allow-scripts\" [^<>]*></iframe>", html)
    assert attribute is not None
    assert "<script" not in html[: html.index("srcdoc")] + html[html.rindex("'") :]


def test_large_arrays_take_no_room():
    x = Tensor(np.ones((2500, 4000), np.float32), requires_grad=True, name="x")
    with keep_values():
        loss = (x * x).mean()
    assert len(view(loss).html) < 120_000


def test_scalars_and_empty_arrays_are_shown():
    x, e = Tensor(2.5, requires_grad=True, name="x"), Tensor(np.ones((0, 3)), requires_grad=True, name="e")
    with keep_values():
        loss = x * (1.0 + e.sum())
    data = view(loss).data
    assert picture(data, vertex(data, "x")["value"])["values"] == 2.5
    assert picture(data, vertex(data, "e")["value"])["size"] == 0
    assert "zero" not in [mark[0] for mark in vertex(data, "e").get("marks", [])]


def test_a_large_graph_is_folded_and_a_huge_one_refused():
    y = x = Tensor([1.0], requires_grad=True)
    for _ in range(400):
        y = y * 1.0
    page = view(y.sum())
    assert len(page.data["layouts"][0]["folds"]) > 0
    assert len(steps(page.data, "forward")) == 401
    for _ in range(LIMIT):
        y = y * 1.0
    with pytest.raises(ValueError, match=r"at most 2,000 operations.*2,401"):
        view(y.sum())
    assert x.grad is None


def test_complex_numbers_are_shown():
    z = Tensor(np.array([1 + 2j, 3j]), requires_grad=True, name="z")
    with keep_values():
        loss = np.abs(z).sum() * np.array(2, np.int64)
    data = view(loss).data
    assert picture(data, vertex(data, "z")["value"])["values"] == ["(1+2j)", "3j"]


# The document


def test_a_page_asks_for_nothing_from_outside():
    html = view((Tensor([1.0], requires_grad=True) * 2.0).sum()).html
    assert "default-src 'none'" in html
    assert not re.search(r'(?:src|href)\s*=\s*["\']', html.replace("srcdoc", ""))
    assert "@import" not in html
    assert "url(" not in html


def test_the_policy_lets_only_these_scripts_run():
    html = view((Tensor([1.0], requires_grad=True) * 2.0).sum()).html
    [policy] = re.findall(r"script-src ([^;]*);", html)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert policy.split() == hashes


def test_without_a_renderer_the_page_brings_one_with_its_notices(no_renderer):
    page = view((Tensor([1.0], requires_grad=True) * 2.0).sum())
    assert all("digraph" in dot for dot in data_in(page.html)["dots"])
    assert "Eclipse" in page.html
    assert "gitlab.com/graphviz" in page.html
    assert "'wasm-unsafe-eval'" in page.html
    assert len(page.html) > 1_300_000
    bundle = page._repr_mimebundle_()
    assert [*bundle] == ["text/plain"]
    assert "save" in bundle["text/plain"]


def test_a_page_needs_no_other_package():
    program = """if True:
        import sys
        sys.modules["graphviz"] = sys.modules["pygraphviz"] = None
        import autograd
        page = autograd.view((autograd.Tensor([1.0], requires_grad=True) * 2.0).sum())
        print("Viz.js 3.31.0" in page.html)
        """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={"PATH": ""}, check=True)
    assert done.stdout.strip() == "True"


def test_import_autograd_does_not_load_pages():
    program = "import sys, autograd; print(any(name.startswith('autograd.page') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_notebook_cell_stays_small():
    model = nn.MLP([8, 16, 16, 3], rng=0)
    with keep_values():
        loss = nn.CrossEntropyLoss()(model(np.ones((32, 8), np.float32)), np.zeros(32, int))
    page = view(loss)
    bundle = page._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert len(bundle["text/html"].encode()) < 150_000
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert "wasm" not in bundle["text/html"]
    assert [*page._repr_mimebundle_(include=["text/plain"])] == ["text/plain"]


def test_the_same_computation_makes_the_same_page():
    def page():
        x = Tensor(np.arange(3.0), requires_grad=True, name="x")
        return view(np.sum(np.exp(x))).html

    numbers = re.compile(r"\bn\d+")
    assert numbers.sub("n", page()) == numbers.sub("n", page())


def test_save_writes_the_page_or_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    page = view((Tensor([1.0], requires_grad=True) * 2.0).sum())
    path = page.save(tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == page.html
    path.write_text("before")

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(document.os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        page.save(path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_save_writes_what_a_link_points_to(tmp_path):
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    view(Tensor(1.0, requires_grad=True) * 2.0).save(tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert "<!DOCTYPE html>" in (tmp_path / "real.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["page.svg", "page", "page.pdf"])
def test_save_refuses_other_files(tmp_path, name):
    page = view((Tensor([1.0], requires_grad=True) * 2.0).sum())
    with pytest.raises(ValueError, match=r"page\.html"):
        page.save(tmp_path / name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3.0,), {}, TypeError, "takes Tensors, got float"),
        ((), {}, TypeError, "at least one Tensor"),
        ((Tensor(1.0),), {"theme": "blue"}, ValueError, "'light', 'dark'"),
        ((Tensor(1.0),), {"names": 3}, TypeError, "names is a module or a dict"),
    ],
)
def test_bad_arguments_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        view(*arguments, **options)


@pytest.mark.parametrize(("theme", "written"), [(None, "auto"), ("light", "light"), ("dark", "dark")])
def test_the_theme_is_that_of_the_system_or_the_one_asked_for(theme, written):
    assert f'data-theme="{written}"' in view(Tensor(1.0, requires_grad=True) * 2.0, theme=theme).html


def test_the_repr_counts():
    assert repr(view((Tensor([1.0], requires_grad=True) * 2.0).sum())) == "<Page of 2 operations, 6 steps>"


def test_the_vendored_script_is_the_published_one():
    content = (document.files("autograd.page") / "vendor/viz-global.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == "c9e0b310f9883910e01c66054b48b7ff4be3d8695141116635e72b0af152692e"
