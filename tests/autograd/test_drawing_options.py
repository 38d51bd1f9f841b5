"""What a drawing shows on demand: values, gradients, memory, times, formulas; folding, paths, boxes and themes."""

import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autograd
import nn
from autograd import ReleasedError, Tensor
from autograd.primitive import REGISTRY

pytest.importorskip("graphviz")


def lines(drawing):
    """What stands below the name of each vertex, by the vertex's label."""
    return {vertex.label: drawing.notes.lines.get(vertex.id, []) for vertex in drawing.graph.vertices}


def caption(drawing):
    return " | ".join(drawing.notes.caption)


def svg(drawing):
    return ElementTree.fromstring(drawing.pipe("svg", encoding="utf-8"))


def parts(drawing):
    """Id -> class of all groups in the picture."""
    tag = "{http://www.w3.org/2000/svg}g"
    return {g.get("id"): g.get("class") for g in svg(drawing).iter(tag)}


@pytest.fixture
def model():
    return nn.MLP([3, 4, 4, 4, 4, 1], activation="tanh", rng=0)


@pytest.fixture
def loss(model):
    value = nn.MSELoss()(model(np.ones((5, 3), np.float32)), np.ones((5, 1), np.float32))
    value.name = "J"
    return value


def test_the_svg_has_the_ids_and_classes_of_the_graph(loss):
    for options in ({}, {"fold": True}, {"depth": 1}, {"direction": "right", "theme": "dark"}):
        drawing = autograd.draw(loss, **options)
        found = parts(drawing)
        for vertex in drawing.graph.vertices:
            assert found[vertex.id] == f"node {vertex.kind}"
        for edge in drawing.graph.edges:
            kind = " ".join(["saved"] * edge.saved + ["broadcast"] * edge.broadcast) or "value"
            assert found[edge.id] == f"edge {kind}"
        for group in drawing.graph.groups:
            assert found[group.id] == f"cluster module {group.kind}"


def test_each_edge_says_its_shape_and_its_dtype(loss):
    drawing = autograd.draw(loss)
    for edge in drawing.graph.edges:
        [line] = [line for line in drawing.source.splitlines() if f'id="{edge.id}"' in line]
        shape = "×".join(map(str, edge.shape)) or "scalar"
        assert f'label=" {shape}"' in line
        assert f"{edge.dtype}{[*edge.shape]}" in line
    assert "all arrays are float32" in drawing.source
    mixed = autograd.draw(Tensor(np.ones(2, np.float32), requires_grad=True) * np.ones((3, 1)))
    assert 'label=" 2"' in mixed.source
    assert 'label=" 3×1 float64"' in mixed.source
    assert "unless it says otherwise" in mixed.source


def test_broadcast_and_saved_edges_differ_from_others_in_line_and_arrowhead():
    x, b = Tensor(np.ones((2, 3)), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    drawing = autograd.draw(x * b + b)
    looks = set()
    for edge in drawing.graph.edges:
        [line] = [line for line in drawing.source.splitlines() if f'id="{edge.id}"' in line]
        looks.add((edge.saved, edge.broadcast, "dashed" in line, 'arrowhead="box"' in line, "crow" in line))
    assert looks == {
        (True, False, False, True, False),
        (True, True, True, False, True),
        (False, False, False, False, False),
        (False, True, True, False, True),
    }


def test_the_legend_names_only_what_occurs():
    x = Tensor(np.ones(3), requires_grad=True)
    source = autograd.draw(np.sum(x)).source
    for words, there in (("requires a gradient", True), ("broadcast", False), ("constant", False), ("kept", False)):
        assert (words in source) == there
    source = autograd.draw(np.exp(x) * np.ones((2, 3))).source
    for words in ("requires a gradient", "broadcast", "constant", "kept for the backward pass"):
        assert words in source


def test_values_are_numbers_or_ranges_and_what_is_not_kept_says_so():
    x = Tensor([1.0, 2.0, 6.0], requires_grad=True, name="x")
    with autograd.keep_values():
        y = np.mean(x * np.array([1.0, np.nan, 1.0])) + Tensor(np.ones((2, 3)), name="c")
        drawing = autograd.draw(np.sum(y) * 0.0, values=True)
    found = lines(drawing)
    assert found["x"] == ["= 1 … 6, mean 3"]
    assert found["mean"] == ["= NaN"]
    assert found["constant"] == ["= ⚠ 1 NaN, all others 1"]
    assert found["c"] == ["= all 1"]
    assert found["0"] == []
    assert caption(drawing) == ""
    x = Tensor([1.0, 2.0, 6.0], requires_grad=True, name="x")
    drawing = autograd.draw(np.sum(np.sin(x) + x), values=True)
    assert lines(drawing) == {"x": ["= 1 … 6, mean 3"], "sin": ["not kept"], "add": ["not kept"], "sum": ["= 10.47"]}
    assert "2 values not kept by the tape: record under autograd.keep_values() to see all" in drawing.source


def test_gradients_are_those_of_the_output_and_nothing_is_released(model, loss):
    drawing = autograd.draw(loss, gradients=True)
    shown = {v.label: drawing.notes.lines[v.id] for v in drawing.graph.vertices if v.kind == "parameter"}
    assert lines(drawing)["mean"] == ["∂ 1"]
    loss.backward()
    for name, parameter in model.named_parameters():
        g = np.asarray(parameter.grad)
        if g.size == 1:
            continue
        low, high = (f"{end:.4g}".replace("-", "−") for end in (g.min(), g.max()))
        assert shown[name][0].startswith(f"∂ {low} … {high}, mean ")
    with pytest.raises(ReleasedError, match="retain_graph=True"):
        autograd.draw(loss, gradients=True)
    with pytest.raises(ValueError, match="gradient of one output, got 2"):
        autograd.draw(loss, loss * 2.0, gradients=True)
    autograd.draw(loss, values=True, memory=True, formulas=True)


def test_memory_counts_each_array_once_and_no_parameters():
    w = Tensor(np.ones((100, 100)), requires_grad=True, name="w")
    x = np.ones((10, 100))
    h = np.exp(x @ w)  # matmul keeps x, exp its result
    y = np.sum(h * h.T.T)  # both of which multiply keeps, and which are one memory
    drawing = autograd.draw(y, memory=True)
    assert lines(drawing)["matmul"] == ["keeps 7.8 KiB"]
    assert lines(drawing)["exp"] == ["keeps 7.8 KiB"]
    assert lines(drawing)["multiply"] == []
    assert caption(drawing) == "saved for the backward pass: 15.6 KiB, parameters not counted"
    y.backward()
    assert "a backward pass has released what was saved" in caption(autograd.draw(y, memory=True))


def test_the_memory_of_parameters_does_not_count_however_it_comes_in():
    w, v = Tensor(np.ones(1000), requires_grad=True), Tensor(np.ones(1000), requires_grad=True)
    assert "pass: 0 B" in caption(autograd.draw(np.sum(v * w.data) + np.sum(w * w), memory=True))
    data = np.ones((50, 1000))
    assert "pass: 7.8 KiB" in caption(autograd.draw(np.sum(v * data[0]), memory=True))


def test_a_parameter_that_is_transposed_first_is_still_a_parameter():
    x = Tensor(np.ones((10, 100)), requires_grad=True)
    w = Tensor(np.ones((50, 100)), requires_grad=True)
    assert "pass: 0 B" in caption(autograd.draw(np.sum(x @ w.T), memory=True))


def test_memory_of_a_module_is_that_of_its_operations(model, loss):
    whole = autograd.draw(loss, memory=True)
    for options in ({"depth": 0}, {"depth": 1}, {"fold": True}, {"collapse": ["linear2"]}):
        assert caption(autograd.draw(loss, memory=True, **options)) == caption(whole)
    for parameter in model.parameters():
        assert parameter.data.nbytes  # which are no part of it
    frozen = nn.Linear(100, 1, rng=0).requires_grad_(False)
    x = Tensor(np.ones((1, 100), np.float32), requires_grad=True)
    assert "pass: 0 B" in caption(autograd.draw(frozen(x).sum(), memory=True))


def test_times_come_from_a_profile_and_add_up_in_modules():
    class Measured:
        def __init__(self, found):
            self.found = found

        def times(self):
            return self.found

    model = nn.MLP([3, 4, 1], rng=0)
    loss = model(np.ones((5, 3), np.float32)).sum()
    indices = [node.index for node in autograd.Tape(loss) if not node.is_leaf]
    profile = Measured(dict.fromkeys(indices, (0.001, 0.002)))
    assert lines(autograd.draw(loss, profile=profile))["linear"] == ["forward 1.00 ms · backward 2.00 ms"]
    drawing = autograd.draw(loss, profile=profile, depth=0)
    assert lines(drawing)["MLP"] == ["forward 3.00 ms · backward 6.00 ms"]
    assert caption(drawing) == "forward 4.00 ms, backward 8.00 ms"
    assert "has no times of these operations" in caption(autograd.draw(loss, profile=Measured({})))
    with pytest.raises(TypeError, match=r"profile is what `with autograd.profile\(\) as p:` gives, got int"):
        autograd.draw(loss, profile=3)


def test_a_real_profile_is_drawn():
    with autograd.profile() as profile:
        loss = nn.MLP([3, 4, 1], rng=0)(np.ones((5, 3), np.float32)).sum()
        loss.backward()
    drawing = autograd.draw(loss, profile=profile)
    for vertex in drawing.graph.vertices:
        if vertex.kind in ("operation", "output"):
            [line] = drawing.notes.lines[vertex.id]
            assert line.startswith("forward ")
            assert " · backward " in line


def test_formulas_are_those_of_the_rules():
    x, y = Tensor([1.0], requires_grad=True, name="x"), Tensor([1.0], requires_grad=True, name="y")
    found = lines(autograd.draw(np.sin(x) / (y * 2.0), formulas=True))
    assert found["sin"] == ["x ← g ∘ cos(x)"]
    assert found["divide"] == ["x ← g / y", "y ← −g ∘ z / y"]
    assert found["multiply"] == ["x ← g ∘ y"]
    several = autograd.draw(np.concatenate([x, y, x])[0] + np.linalg.qr(x[None])[0].sum(), formulas=True)
    assert len(lines(several)["concatenate"]) == 1
    several.pipe("svg")


def test_formulas_have_the_options_of_the_call_and_not_their_defaults():
    def scaled(x, by=0.5):
        return x * by

    scaled = autograd.define(scaled, "x; by=0.5 -> y", x=lambda g, by: g * by)
    x = Tensor([1.0], requires_grad=True)
    y = scaled(scaled(x, by=7.0))
    try:
        found = [drawn for drawn in autograd.draw(y, formulas=True).notes.lines.values() if drawn]
    finally:
        del REGISTRY[scaled.__wrapped__]
    assert sorted(found) == [["x ← 7 g"], ["x ← ½ g"]]


def test_the_path_from_a_tensor(model, loss):
    drawing = autograd.draw(loss, path_from=model.linear4.weight)
    labels = [v.label for v in drawing.graph.vertices]
    assert "linear4.weight" in labels
    assert "linear3.weight" not in labels
    assert [v.label for v in autograd.draw(loss, path_from=[model.linear4.weight]).graph.vertices] == labels
    with pytest.raises(ValueError, match="not in this graph"):
        autograd.draw(loss, path_from=Tensor([1.0], requires_grad=True))


def test_boxes_can_be_left_out_or_closed(loss):
    assert autograd.draw(loss, modules=False).graph.groups == ()
    assert "cluster" not in autograd.draw(loss, modules=False).source
    assert [v.label for v in autograd.draw(loss, depth=0).graph.vertices if v.kind == "module"] == ["MLP", "MSELoss"]
    closed = autograd.draw(loss, collapse=["tanh2"])
    assert [v.label for v in closed.graph.vertices if v.kind == "module"] == ["tanh2"]
    assert "1 operation<" in closed.source
    with pytest.raises(ValueError, match="no module is called 'relu'"):
        autograd.draw(loss, collapse=["relu"])


def test_repeated_layers_are_drawn_once_with_their_number(loss):
    drawing = autograd.draw(loss, fold=True)
    assert [(g.label, g.times) for g in drawing.graph.groups if g.times > 1] == [("", 3)]
    assert "<B>× 3</B>" in drawing.source
    assert "linear2 … linear4" in drawing.source
    assert not any(v.fold for v in autograd.draw(loss).graph.vertices)


def test_large_graphs_are_folded_by_default():
    y = x = Tensor([1.0], requires_grad=True, name="x")
    for _ in range(400):
        y = np.sin(y)
    drawing = autograd.draw(y)
    assert [v.label for v in drawing.graph.vertices] == ["x", "sin", "sin"]
    assert "× 399" in drawing.source
    assert len(autograd.draw(y, fold=False).graph.vertices) == 401
    functions = [np.sin, np.cos, np.tanh]
    y = x
    for k in np.random.default_rng(0).integers(3, size=2000):
        y = functions[k](y)
    assert len(autograd.draw(y).graph.vertices) <= 300


def sines(n):
    y = Tensor([1.0], requires_grad=True)
    for _ in range(n):
        y = np.sin(y)
    return y


def test_a_hundred_thousand_nodes_are_drawn():
    assert "× 99\N{NARROW NO-BREAK SPACE}999" in autograd.draw(sines(100_000)).source


def test_the_work_of_a_drawing_grows_as_its_graph_does():
    def calls(y):
        found = 0

        def count(frame, event, argument):
            nonlocal found
            found += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            autograd.draw(y)
        finally:
            sys.setprofile(before)
        return found

    short, long = sines(2000), sines(20_000)
    autograd.draw(short)  # imports what it needs
    assert calls(long) < 10.5 * calls(short)
    assert calls(long) < 100 * 20_000


def test_dark_and_light_differ_in_colours_only(loss):
    light, dark = autograd.draw(loss).source, autograd.draw(loss, theme="dark").source
    assert light != dark
    assert "#ffffff" in light
    assert "#ffffff" not in dark
    with pytest.raises(ValueError, match="theme must be 'light' or 'dark', got 'blue'"):
        autograd.draw(loss, theme="blue")


def test_names_of_modules_and_tensors_cannot_do_harm():
    bad = '</TD></TABLE>> <script>alert("1")</script> \\N \\l & {|} \ud800 \x00'
    kind = type(bad[:-4], (nn.Linear,), {})  # Python itself refuses the rest

    class Model(nn.Module):
        def __init__(self):
            self.__dict__[bad] = kind(2, 2, rng=0)

        def forward(self, x):
            return self.__dict__[bad](x)

    model = Model()
    x = Tensor(np.ones((1, 2), np.float32), requires_grad=True, name=bad)
    y = model(x)
    y.name = bad * 10_000
    for options in ({}, {"depth": 1}, {"values": True, "formulas": True}):
        drawing = autograd.draw(y, **options)
        assert "<script" not in drawing.source
        assert len(drawing.source) < 30_000
        shown = "".join(svg(drawing).itertext()).replace("\n", "")
        assert '<script>alert("1")' in shown
        assert "\\N \\l & {|} � �" in shown


def test_large_empty_and_strange_arrays_are_summarised():
    cases = {
        "large": np.ones(10_000_000, np.float32),
        "empty": np.ones((0, 3)),
        "scalar": np.array(2.5),
        "infinite": np.array([np.inf, -np.inf, np.nan]),
        "complex": np.array([3 + 4j, 0]),
    }
    expected = {
        "large": "= all 1",
        "empty": "= empty",
        "scalar": "= 2.5",
        "infinite": "= 1 NaN, 2 ∞",
        "complex": "= |…|: 0 … 5, mean 2.5",
    }
    for name, data in cases.items():
        x = Tensor(data, requires_grad=True, name=name)
        with np.errstate(all="ignore"):
            drawing = autograd.draw(np.sum(x * x), values=True)
        assert lines(drawing)[name] == [expected[name]]
        assert len(drawing.source) < 10_000
        svg(drawing)


def test_deeply_nested_modules_are_drawn_without_recursion():
    class Shell(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return self.inner(x)

    model = nn.Tanh()
    for _ in range(150):
        model = Shell(model)
    y = model(Tensor([1.0], requires_grad=True))
    source = autograd.draw(y).source
    assert source.count("subgraph") == 151
    assert source.count("{") == source.count("}")


def test_values_of_an_operation_with_several_results_stand_at_each_of_them():
    with autograd.keep_values():
        u, s, v = np.linalg.svd(Tensor(np.eye(5, 3), requires_grad=True), full_matrices=False)
        loss = np.sum(u * u) + np.sum(s) + np.sum(v * v)
    found = lines(autograd.draw(loss, values=True))
    assert found["linalg.svd"] == []
    assert found["linalg.svd.s"] == ["= all 1"]


def test_values_are_short_and_say_what_they_are_of():
    with autograd.keep_values():
        x = Tensor([1.0, np.nan, np.inf], requires_grad=True, name="x")
        z = Tensor(1 / 3 + 2j / 3, requires_grad=True, name="z")
        loss = np.sum(x) + abs(z)
    found = lines(autograd.draw(loss, values=True))
    assert found["x"] == ["= ⚠ 1 NaN, ⚠ 1 ∞, all others 1"]
    assert found["z"] == ["= 0.3333+0.6667j"]


def test_numbers_are_written_as_they_are():
    x = Tensor([1.0, 2.0], requires_grad=True)
    graph = autograd.draw(x * True + 12345678 * x + x / 3.0).graph
    assert [v.label for v in graph.vertices if v.kind == "number"] == ["True", "12345678", "3"]


def test_constants_that_are_x_and_y_on_a_board_are_called_so():
    model = nn.MLP([3, 4, 1], rng=0)
    x, y = np.ones((5, 3), np.float32), np.ones((5, 1), np.float32)
    constants = [v.label for v in autograd.draw(nn.MSELoss()(model(x), y)).graph.vertices if v.kind == "input"]
    assert constants == ["x", "y"]
    w, b = (Tensor(np.ones(shape, np.float32), requires_grad=True) for shape in ((3, 1), 1))
    by_hand = np.mean((Tensor(x) @ w + b - Tensor(y, name="goal")) ** 2)
    assert [v.label for v in autograd.draw(by_hand).graph.vertices if v.kind == "input"] == ["x", "goal"]
    residual = nn.Linear(3, 3, rng=0)(x) - x
    assert [v.label for v in autograd.draw(residual).graph.vertices if v.kind == "input"] == ["x", "constant"]
    no_layer = autograd.draw(w * np.ones(3, np.float32))
    assert [v.label for v in no_layer.graph.vertices if v.kind == "input"] == ["constant"]


def test_long_lines_do_not_stretch_the_samples_of_the_legend():
    x = Tensor(np.ones(3), requires_grad=True)
    picture = svg(autograd.draw(np.sum(np.sin(x)), values=True, memory=True))
    polygons = [p.get("points") for p in picture[0] if p.tag.endswith("polygon")]
    widths = [max(xs) - min(xs) for p in polygons for xs in [[float(point.split(",")[0]) for point in p.split()]]]
    assert max(widths[1:]) < 30  # the first is the paper


@pytest.mark.parametrize("path_from", [3, [3], np.ones(2)])
def test_a_path_begins_at_a_tensor(path_from):
    with pytest.raises(TypeError, match="a path begins at a Tensor"):
        autograd.draw(Tensor([1.0], requires_grad=True) * 2.0, path_from=path_from)
