"""Drawings: the walk has each node of the tape once, and the pictures can be made without a system program."""

import shutil
import sys
import weakref
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autograd
import nn
from autograd import RendererError, Tape, Tensor
from autograd.drawing import render as rendering
from autograd.inspection import walk


@pytest.fixture
def loss():
    model = nn.MLP([3, 4, 1], activation="tanh", rng=0)
    x = Tensor(np.ones((5, 3), np.float32), name="X")
    value = nn.BCEWithLogitsLoss()(model(x), np.ones((5, 1)))
    value.name = "J"
    return value, model


def test_the_walk_has_each_node_of_the_tape_once_and_the_constants(loss):
    value, model = loss
    graph = walk(value, names=model)
    ids = [v.id for v in graph.vertices]
    assert len(ids) == len(set(ids))
    tape = Tape(value)
    assert {f"n{node.index}" for node in tape} <= set(ids)
    assert [v.label for v in graph.vertices if v.kind == "parameter"] == [n for n, _ in model.named_parameters()]
    assert [(v.label, v.shape) for v in graph.vertices if v.kind == "input"] == [("X", (5, 3)), ("constant", (5, 1))]
    (output,) = [v for v in graph.vertices if v.kind == "output"]
    assert (output.label, output.name, output.shape, output.dtype) == ("mean", "J", (), "float32")
    between = {(e.source, e.target) for e in graph.edges}
    for node in tape:
        for parent in node.parents:
            assert parent is None or (f"n{parent.index}", f"n{node.index}") in between


def test_edges_say_which_input_they_are():
    x, y = Tensor([1.0], requires_grad=True, name="x"), Tensor([2.0], requires_grad=True, name="y")
    graph = walk(x / y)
    names = {v.id: v.label for v in graph.vertices}
    assert [(names[e.source], e.input) for e in graph.edges] == [("x", "x"), ("y", "y")]


def test_a_value_used_twice_has_two_edges_and_a_constant_used_twice_one_node():
    x, c = Tensor([1.0], requires_grad=True), Tensor([3.0], name="c")
    graph = walk((x * x) * c + c)
    assert [v.label for v in graph.vertices].count("c") == 1
    assert len(graph.edges) == 6


def test_drawing_works_before_and_after_backward(loss):
    value, model = loss
    before = autograd.draw(value, names=model).source
    value.backward()
    assert autograd.draw(value, names=model).source == before


def test_names_are_escaped(tmp_path):
    x = Tensor([1.0], requires_grad=True, name='<script>&"')
    drawing = autograd.draw(x * 2.0)
    assert "<script>" not in drawing.source
    text = drawing.pipe("svg", encoding="utf-8")
    assert "&lt;script&gt;" in text
    ElementTree.fromstring(text)


def test_saving_by_suffix(loss, tmp_path):
    drawing = autograd.draw(loss[0])
    svg = drawing.save(tmp_path / "graph.svg")
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert drawing.save(tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert drawing.save(tmp_path / "graph.pdf").read_bytes().startswith(b"%PDF")
    assert drawing.save(tmp_path / "graph.dot").read_text() == drawing.source
    with pytest.raises(ValueError, match="svg, png, pdf or dot"):
        drawing.save(tmp_path / "graph.bmp")
    rendered = drawing.render(tmp_path / "again.gv", format="png")
    assert rendered.endswith("again.gv.png")


def test_jupyter_gets_svg_png_and_text_together(loss):
    bundle = autograd.draw(loss[0])._repr_mimebundle_()
    assert sorted(bundle) == ["image/png", "image/svg+xml", "text/plain"]
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["text/plain"].startswith("<Drawing of ")


def test_without_a_renderer_there_is_one_sentence_and_dot_still_works(loss, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    drawing = autograd.draw(loss[0])
    with pytest.raises(RendererError, match=r'pip install "wengert\[graph\]"'):
        drawing.save(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
    assert drawing.save(tmp_path / "graph.dot").read_text().startswith("digraph")
    assert "pip install" in drawing._repr_mimebundle_()["text/plain"]


def test_the_systems_dot_is_preferred(monkeypatch, tmp_path):
    fake = tmp_path / "dot"
    fake.write_text('#!/bin/sh\ncat > /dev/null\necho "laid out with $1"\n')
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda program: str(fake))
    assert rendering.render("digraph {}", "svg") == b"laid out with -Tsvg\n"
    fake.write_text("#!/bin/sh\ncat > /dev/null\necho broken >&2\nexit 1\n")
    with pytest.raises(RendererError, match="broken"):
        rendering.render("digraph {}", "svg")


def test_a_missing_graphviz_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    monkeypatch.delitem(sys.modules, "autograd.drawing.dot", raising=False)
    with pytest.raises(ImportError, match=r'pip install "wengert\[graph\]"'):
        autograd.draw(Tensor([1.0], requires_grad=True) * 2.0)


def test_operands_of_all_kinds_are_drawn_without_keeping_them():
    x = Tensor([1.0, 2.0], requires_grad=True)
    condition = Tensor([1.0, 0.0], requires_grad=True) * 2.0
    y = np.where(condition, (x * (1.0, 2.0) + [3.0, 4.0]) * np.float64(2.0), 1.0)
    kinds = [(v.kind, v.label, v.shape) for v in walk(y).vertices if v.kind in ("input", "number")]
    assert ("input", "constant", (2,)) in kinds
    assert ("number", "1", ()) in kinds
    autograd.draw(y).pipe("svg")
    graph = weakref.ref(condition)
    del condition
    assert graph() is None


def test_odd_names_are_drawn():
    for name in ("", "\x00", "\ud800", "a\nb", "{|}<>", "x" * 300):
        x = Tensor([1.0], requires_grad=True, name=name)
        ElementTree.fromstring(autograd.draw(x * 2.0).pipe("svg", encoding="utf-8"))


def test_a_constant_is_not_drawn_as_a_parameter():
    assert [v.kind for v in walk(Tensor([1.0])).vertices] == ["input"]


def test_graphviz_idioms(tmp_path):
    drawing = autograd.draw(Tensor([1.0], requires_grad=True) * 2.0)
    assert drawing.render(tmp_path / "name").endswith("name.gv.svg")
    drawing.format = "png"
    assert drawing.render(tmp_path / "name").endswith("name.gv.png")
    assert drawing.copy().source == drawing.source
    drawing.node("mine")
    copied = drawing.copy()
    assert copied.source == drawing.source
    copied.attr(bgcolor="red")
    copied.node("more")
    assert copied.source != drawing.source
    assert "more" not in drawing.source


def test_a_drawing_is_opened_and_options_that_mean_nothing_are_refused(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("graphviz.view", lambda path, quiet: shown.append(path))
    drawing = autograd.draw(Tensor([1.0], requires_grad=True) * 2.0)
    drawing.view("name", directory=tmp_path, cleanup=True)
    assert shown == [str(tmp_path / "name.gv.svg")]
    assert [path.name for path in tmp_path.iterdir()] == ["name.gv.svg"]
    for call in (drawing.pipe, drawing.render):
        with pytest.raises(TypeError, match="engine"):
            call(engine="neato")


@pytest.mark.parametrize("names", [[1], 3, "w", {"w": [1.0]}])
def test_names_that_are_no_names_are_refused(names):
    with pytest.raises(TypeError, match="names is a module or a dict"):
        autograd.draw(Tensor([1.0], requires_grad=True) * 2.0, names=names)


def test_a_long_chain_is_walked_without_recursion():
    y = Tensor([1.0], requires_grad=True)
    for _ in range(20000):
        y = y + 1.0
    graph = walk(y)
    assert len(graph.edges) == 40000


def test_direction_and_outputs_are_checked():
    x = Tensor([1.0], requires_grad=True)
    assert "rankdir=LR" in autograd.draw(x * 2.0, direction="right").source
    with pytest.raises(ValueError, match="direction must be"):
        autograd.draw(x * 2.0, direction="up")
    with pytest.raises(TypeError, match="Tape takes Tensors"):
        autograd.draw(np.ones(3))
