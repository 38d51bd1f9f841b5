"""`autograd.profile`: its tables, pictures and files."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from profiled import BATCH, Net, leaf

import autograd
import nn
from autograd.primitive import define


def profile_of(name):
    def function(x):
        return x + 1.0

    function.__name__ = name if name.isprintable() else "strange"  # the name of a recorder is in a code object
    operation = define(function, "x -> y", x=lambda g: g)

    class Named(nn.Module):
        def __init__(self):
            self.layers = {name: nn.Tanh()}

        def forward(self, x):
            return np.sum(operation(self.layers[name](x)))

    with autograd.profile() as p:
        Named()(leaf(3)).backward()
    return p


NAMES = ["<script>alert(1)</script>", "a & \"b\" 'c'", "\x00\x1b\ud800", "forward", "x" * 10_000]


@pytest.mark.parametrize("name", NAMES, ids=["script", "quotes", "control", "phase", "long"])
def test_pictures_and_traces_show_any_name_as_text(name, tmp_path):
    p = profile_of(name)
    root = ET.fromstring(p.flame().svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "<script" not in p.flame().svg
    assert "<script" not in p._repr_html_()
    assert len(p.flame().svg) < 60_000
    assert len(str(p)) < 5_000
    assert any(event["name"].endswith(name) for event in json.loads(p.to_json())["traceEvents"])
    for file in ("flame.svg", "trace.json"):
        p.save(tmp_path / file)
        assert (tmp_path / file).stat().st_size > 100


def test_the_boxes_of_the_flame_picture_are_as_wide_as_their_times():
    with autograd.profile() as p:
        Net()(BATCH).backward()
    program = p.flame().program
    assert list(program.inside) == ["forward", "backward"]
    assert program.seconds == p.seconds
    stack = [program]
    for box in stack:
        assert box.seconds == pytest.approx(box.own + sum(child.seconds for child in box.inside.values()))
        stack += box.inside.values()
    tanh = program.inside["backward"].inside["Net"].inside["blocks.0"].inside["blocks.0.inner"]
    assert list(tanh.inside) == ["blocks.0.inner.1", "blocks.0.inner.0"]
    svg = ET.fromstring(p.flame().svg)
    boxes = svg.findall("{http://www.w3.org/2000/svg}g")
    tips = [box.find("{http://www.w3.org/2000/svg}title").text for box in boxes]
    assert any(tip.startswith("backward / Net / blocks.0 / blocks.0.inner") for tip in tips)


def test_the_trace_has_all_events_and_the_memory():
    x = leaf(1000)
    with autograd.profile() as p:
        np.sum(np.exp(x)).backward()
    trace = json.loads(p.to_json())["traceEvents"]
    complete = [e for e in trace if e["ph"] == "X"]
    assert [e["name"] for e in complete] == [e.name for e in p.events]
    assert all(e["dur"] >= 0 and {"ts", "pid", "tid", "cat"} <= e.keys() for e in complete)
    assert complete[0]["args"]["shapes"] == [[1000]]
    assert max(e["args"]["bytes"] for e in trace if e["ph"] == "C") == 8000


def test_the_table_adds_up_and_sorts():
    x, w = leaf(100), leaf(100)
    with autograd.profile() as p:
        np.sum(np.exp(x * w) * w).backward()
    table = p.table()
    rows = {row["operation"]: row for row in table}
    assert (rows["multiply"]["calls"], rows["multiply"]["rules"]) == (2, 4)
    assert rows["multiply"]["made"] == 1600
    assert rows["multiply"]["made_backward"] == 4 * 800
    own = sum(e.own for e in p.events if e.name == "multiply" and e.phase == "backward")
    assert rows["multiply"]["backward"] == pytest.approx(own)
    assert rows["multiply"]["each_backward"] == pytest.approx(own / 4)
    assert [row["share"] for row in table] == sorted([row["share"] for row in table], reverse=True)
    assert [row["operation"] for row in p.table(sort="operation")] == ["exp", "multiply", "sum"]
    assert p.table(sort="calls")[0]["operation"] == "multiply"
    with pytest.raises(ValueError, match="'operation' and one by 'module'"):
        p.table(by="line")
    with pytest.raises(ValueError, match="no column 'own' to sort by: it has operation, calls"):
        p.table(sort="own")
    assert p.by_module() == p.table(by="module")


def test_the_texts_of_a_table_are_aligned():
    with autograd.profile() as p:
        Net()(BATCH).backward()
    for table in (p.table(), p.by_module(), p.by_module(sort="share")):
        head, rule, *rows = str(table).splitlines()
        assert set(rule) == {"─"}
        assert {len(row) for row in rows} == {len(head)}
        assert len(rows) == len(table)
    names = [line.split("  class")[0].split("  Block")[0].rstrip() for line in str(p.by_module()).splitlines()[2:4]]
    assert names[0].startswith("Net")
    assert names[1] == "  blocks.0"
    assert "Net / blocks.0" in str(p.by_module(sort="share"))
    summary = str(p).splitlines()
    assert summary[-2].count("%") >= 4
    assert summary[-1].startswith("the tape held ")


def test_an_empty_profile_can_be_shown():
    with autograd.profile() as p:
        pass
    assert p.events == []
    assert p.times() == {}
    assert p.peak == 0
    assert list(p.table()) == list(p.by_module()) == []
    assert "operation" in str(p)
    ET.fromstring(p.flame().svg)
    assert json.loads(p.to_json())["traceEvents"]
    never = autograd.profile()
    assert (never.seconds, never.held, never.peak) == (0.0, [], 0)
    assert str(never)
    ET.fromstring(never.flame().svg)


def test_files_of_another_kind_are_refused(tmp_path):
    p = autograd.profile()
    with pytest.raises(ValueError, match=r"'\.json' \(a trace\) or '\.svg'"):
        p.save(tmp_path / "profile.png")
    with pytest.raises(ValueError, match=r"saved as '\.svg'"):
        p.flame().save(tmp_path / "profile.png")
    assert not list(tmp_path.iterdir())
