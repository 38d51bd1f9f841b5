"""Folded graphs: modules as single vertices, repeated parts once, paths; and what a graph is as JSON and networkx."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter

import numpy as np
import pytest

import nn
from autograd import Tensor
from autograd.inspection import Graph, walk


def tensor(*shape, name=None):
    return Tensor(np.ones(shape, np.float32), requires_grad=True, name=name)


def marks(graph):
    """What is marked as repeated: groups, and single vertices."""
    groups = [(g.label, g.kind, g.times) for g in graph.groups if g.times > 1]
    return groups + [(v.label, v.kind, v.fold.times) for v in graph.vertices if v.fold and v.fold.times > 1]


def assert_sound(small: Graph, whole: Graph) -> None:
    """Nothing is lost, nothing is twice, ids are unique, and there is no cycle."""
    members = [m.id for v in small.vertices for m in (v.fold.members if v.fold else (v,))]
    assert Counter(members) == Counter(v.id for v in whole.vertices)
    ids = [v.id for v in small.vertices]
    assert len({*ids}) == len(ids)
    assert len({e.id for e in small.edges}) == len(small.edges)
    sorter = TopologicalSorter({i: set() for i in ids})
    for edge in small.edges:
        assert {edge.source, edge.target} <= {*ids}
        sorter.add(edge.target, edge.source)
    assert len([*sorter.static_order()]) == len(ids)
    order = {i: k for k, i in enumerate(ids)}
    operations = {v.id for v in small.vertices if v.kind not in ("parameter", "input", "number")}
    for edge in small.edges:
        if edge.source in operations:
            assert order[edge.source] < order[edge.target]
    seen = {None}
    for group in small.groups:
        assert group.parent in seen
        seen.add(group.id)
    assert {v.group for v in small.vertices} <= seen
    groups = {group.id: group for group in small.groups}
    assert_same_edges(small, whole, groups)
    for vertex in small.vertices:
        if vertex.fold is None or vertex.kind == "module" or (vertex.kind == "row" and vertex.fold.times == 1):
            continue
        members = vertex.fold.members
        kinds = {(m.kind, m.shape, m.dtype, m.label if m.kind != "parameter" else "") for m in members}
        assert len(kinds) == 1, "what stands for several is like each of them"
        times, group = vertex.fold.times, vertex.group
        while group is not None:
            times, group = times * groups[group].times, groups[group].parent
        if vertex.kind in ("operation", "row"):
            assert len(members) == times


def assert_same_edges(small, whole, groups):
    """Each edge is still there, but for those within a vertex and those from one part to the next; and no other is."""
    stands = {m.id: v for v in small.vertices for m in (v.fold.members if v.fold else (v,))}

    def repeated(vertex):
        found, group = set(), vertex.group
        while group is not None:
            found |= {group} if groups[group].times > 1 else set()
            group = groups[group].parent
        return found

    expected = {(stands[edge.source].id, stands[edge.target].id) for edge in whole.edges}
    drawn = {(edge.source, edge.target) for edge in small.edges}
    assert drawn <= expected
    vertices = {vertex.id: vertex for vertex in small.vertices}
    for source, target in expected - drawn:
        assert source == target or repeated(vertices[source]) & repeated(vertices[target])


class Block(nn.Module):
    def __init__(self, n):
        self.first, self.second = nn.Linear(n, 2 * n, rng=0), nn.Linear(2 * n, n, rng=0)

    def forward(self, x):
        return x + self.second(np.tanh(self.first(x)))


def test_modules_become_vertices_with_what_they_contain():
    model = nn.MLP([5, 4, 3], rng=0)
    whole = walk(nn.MSELoss()(model(tensor(2, 5, name="x")), np.ones((2, 3), np.float32)))
    small = whole.folded(depth=0)
    assert_sound(small, whole)
    assert [v.label for v in small.vertices] == ["x", "MLP", "constant", "MSELoss"]
    [mlp, loss] = [v for v in small.vertices if v.kind == "module"]
    assert (mlp.label, mlp.fold.kind, mlp.fold.operations, mlp.fold.parameters) == ("MLP", "MLP", 3, 20 + 4 + 12 + 3)
    assert (loss.label, loss.shape, loss.dtype) == ("MSELoss", (), "float32")
    assert (mlp.id, loss.id, (2, 3)) in [(edge.source, edge.target, edge.shape) for edge in small.edges]
    small = whole.folded(depth=1)
    assert_sound(small, whole)
    assert [v.label for v in small.vertices if v.kind == "module"] == ["linear1", "relu1", "linear2"]
    assert [g.label for g in small.groups] == ["MLP", "MSELoss"]


def test_modules_are_collapsed_by_their_name_or_class():
    model = nn.MLP([5, 4, 3], rng=0)
    whole = walk(model(tensor(2, 5)).sum())
    for names, closed in (
        (["linear1"], ["linear1"]),
        (["Linear"], ["linear1", "linear2"]),
        (["MLP", "relu1"], ["MLP"]),
    ):
        small = whole.folded(collapse=names)
        assert_sound(small, whole)
        assert [v.label for v in small.vertices if v.kind == "module"] == closed
    twice = whole.folded(collapse=["linear1"]).folded(collapse=["linear1", "Linear"])
    assert twice == whole.folded(collapse=["Linear"])
    with pytest.raises(ValueError, match="is called 'linear9'; there are: 'Linear', 'MLP', 'ReLU', 'linear1'"):
        whole.folded(collapse=["linear1", "linear9"])
    with pytest.raises(TypeError, match=r"collapse=\['linear1'\]"):
        whole.folded(collapse="linear1")
    for wrong in (-1, 1.5, True):
        with pytest.raises(ValueError, match="depth is a whole number"):
            whole.folded(depth=wrong)


def test_equal_layers_are_found_as_one_with_how_many_there_are():
    model = nn.Sequential(nn.Linear(4, 6, rng=0), *[Block(6) for _ in range(12)], nn.Linear(6, 1, rng=0))
    whole = walk(model(tensor(3, 4)).sum())
    small = whole.folded()
    assert_sound(small, whole)
    assert marks(small) == [("1 … 12", "Block", 12)]
    [block] = [g.id for g in small.groups if g.times == 12]
    assert [g.label for g in small.groups if g.parent == block] == ["1.first", "1.second"]
    weight = next(v for v in small.vertices if v.label == "1.first.weight")
    assert [m.label for m in weight.fold.members] == [f"{k}.first.weight" for k in range(1, 13)]
    assert weight.fold.parameters == 12 * 6 * 12
    [closed] = [v for v in whole.folded(depth=1).vertices if v.fold and v.fold.times > 1]
    assert (closed.label, closed.kind, closed.fold.times, closed.fold.operations) == ("1 … 12", "module", 12, 48)
    assert_sound(whole.folded(depth=1), whole)


def test_a_repeated_part_may_be_several_modules():
    model = nn.MLP([6] * 11, activation="tanh", rng=0)
    whole = walk(model(tensor(3, 6)).sum())
    small = whole.folded()
    assert_sound(small, whole)
    assert marks(small) == [("", "repeat", 9)]
    [part] = [g for g in small.groups if g.kind == "repeat"]
    assert [g.label for g in small.groups if g.parent == part.id] == ["linear1 … linear9", "tanh1 … tanh9"]


def test_layers_that_differ_are_not_folded():
    differ = [
        [nn.Linear(6, 6, rng=0), nn.Tanh(), nn.Linear(6, 6, rng=0), nn.ReLU(), nn.Linear(6, 6, rng=0), nn.Sigmoid()],
        [nn.Linear(6, 6, rng=0), nn.Linear(6, 7, rng=0), nn.Linear(7, 8, rng=0), nn.Linear(8, 9, rng=0)],
        [nn.Linear(6, 6, rng=0), nn.Linear(6, 6, bias=False, rng=0), nn.Linear(6, 6, rng=0)],
        [Block(6), Block(6)],
    ]
    for layers in differ:
        assert marks(walk(nn.Sequential(*layers)(tensor(3, 6)).sum()).folded()) == []


def test_equal_layers_side_by_side_are_not_a_row():
    x, layers = tensor(3, 6), [Block(6) for _ in range(5)]
    assert marks(walk(np.concatenate([layer(x) for layer in layers]).sum()).folded()) == []


def test_a_layer_that_goes_on_is_no_part_of_the_row():
    class Longer(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(6, 6, rng=0) for _ in range(4)]

        def forward(self, x):
            for layer in self.layers:
                x = np.tanh(layer(x))
            return x * 2.0

    for model, times in ((Longer(), 4), (nn.Sequential(Longer(), Longer(), Longer()), 3)):
        whole = walk(model(tensor(3, 6)).sum())
        small = whole.folded()
        assert_sound(small, whole)
        assert times in [mark[-1] for mark in marks(small)]


class Layer(nn.Module):
    def __init__(self, before=False, after=False):
        self.weight, self.before, self.after = nn.Parameter(np.ones(3)), before, after

    def forward(self, x):
        x = np.tanh((np.exp(x) if self.before else x) * self.weight)
        return x + 1.0 if self.after else x


def test_a_first_or_last_layer_that_does_more_is_no_part_of_the_row():
    for first, last, label in (({"before": True}, {}, "1 … 5"), ({}, {"after": True}, "0 … 4"), ({}, {}, "0 … 5")):
        model = nn.Sequential(Layer(**first), Layer(), Layer(), Layer(), Layer(), Layer(**last))
        whole = walk(np.exp(model(np.exp(Tensor(np.ones(3), requires_grad=True)))))
        small = whole.folded()
        assert_sound(small, whole)
        assert marks(small) == [(label, "Layer", 5 if first or last else 6)]


def test_the_first_part_may_only_differ_in_where_it_gets_the_result_of_the_one_before():
    x = tensor(3)
    c, y, d = np.cos(x), np.sin(x), np.exp(x)
    for times, other in ((20, c), (21, d)):
        z = y * other
        for _ in range(20):
            z = z * d
        whole = walk(z.sum())
        assert_sound(whole.folded(), whole)
        assert marks(whole.folded()) == [("multiply", "row", times)]


def test_what_later_parts_get_from_elsewhere_stays_visible():
    functions = [np.sin, np.cos, np.tanh, np.exp, np.square, np.abs, np.sqrt, np.log1p, np.expm1, np.arctan]
    x = tensor(3)
    others = [f(x) for f in functions]
    y = np.sinh(x)
    for other in others:
        y = y * other
    whole = walk(y.sum())
    small = whole.folded()
    assert_sound(small, whole)
    [row] = [v for v in small.vertices if v.kind == "row"]
    assert (row.label, row.fold.times) == ("multiply", 10)
    assert len([edge for edge in small.edges if edge.target == row.id]) == 11


def test_several_values_between_two_modules_are_several_edges():
    class Two(nn.Module):
        def forward(self, x, y):
            return np.sin(x) * 2.0, np.cos(y) * 2.0

    first, second = Two(), Two()
    whole = walk(sum(second(*first(tensor(3), tensor(3)))).sum())
    small = whole.folded(depth=0)
    assert_sound(small, whole)
    [a, b] = [v.id for v in small.vertices if v.kind == "module"]
    assert [(e.input, e.shape) for e in small.edges if (e.source, e.target) == (a, b)] == [("x", (3,)), ("x (2)", (3,))]


def test_calls_that_ran_in_two_threads_at_once_are_not_taken_for_a_row():
    turn = threading.Barrier(2, timeout=5)

    class Slow(nn.Module):
        def forward(self, x):
            for _ in range(12):
                turn.wait()
                x = np.sin(x)
            return x

    layers, x = [Slow(), Slow()], tensor(3)
    with ThreadPoolExecutor(2) as pool:
        results = [*pool.map(lambda layer: layer(x), layers)]
    whole = walk(np.concatenate(results))
    assert [len([v for v in whole.vertices if v.group == g.id]) for g in whole.groups] == [12, 12]
    assert_sound(whole.folded(), whole)


def test_a_row_in_a_row():
    class Steps(nn.Module):
        def forward(self, x):
            for _ in range(10):
                x = np.sin(x)
            return np.exp(x)

    model = nn.Sequential(*[Steps() for _ in range(5)])
    whole = walk(model(tensor(3)).sum())
    small = whole.folded()
    assert_sound(small, whole)
    assert sorted(marks(small)) == [("0 … 4", "Steps", 5), ("sin", "row", 10)]
    [sin] = [v for v in small.vertices if v.label == "sin"]
    assert (sin.fold.operations, len(sin.fold.members)) == (50, 50)


def test_numbers_and_names_are_part_of_what_is_equal():
    y = x = tensor(3)
    for k in range(20):
        y = np.sin(y) * (k % 2)
    assert [mark[-1] for mark in marks(walk(y.sum()).folded())] == [10]
    y = x
    for k in range(20):
        y = np.sin(y)
        y.name = f"y{k}"
    assert marks(walk(y.sum()).folded()) == []


def test_a_recurrence_with_shared_weights_and_an_input_for_each_step():
    w, u, h = tensor(3, 3, name="w"), tensor(2, 3, name="u"), tensor(4, 3, name="h")
    loss = 0.0
    for _ in range(30):
        h = np.tanh(h @ w + np.ones((4, 2), np.float32) @ u)
        loss = loss + np.mean(h**2)
    whole = walk(loss)
    small = whole.folded()
    assert_sound(small, whole)
    assert [(kind, times >= 28) for _, kind, times in marks(small)] == [("repeat", True)]
    assert len(small.vertices) < 40
    shared = [v for v in small.vertices if v.label in "wu"]
    assert [(v.label, v.fold, v.group) for v in shared] == [("w", None, None), ("u", None, None)]


def test_results_of_all_steps_may_be_used_later():
    hs, h = [], tensor(4, 3)
    for _ in range(20):
        h = np.tanh(h) * 0.5
        hs.append(h)
    whole = walk(np.stack(hs).sum())
    small = whole.folded()
    assert_sound(small, whole)
    assert marks(small) == [("", "repeat", 20)]


def test_weights_that_are_used_again_outside():
    model = nn.Sequential(*[nn.Linear(6, 6, rng=0) for _ in range(8)])
    loss = model(tensor(3, 6)).sum() + sum((p * p).sum() for p in model.parameters())
    whole = walk(loss)
    for options in ({}, {"depth": 1}, {"depth": 0}, {"limit": 20}, {"limit": 1}):
        assert_sound(whole.folded(**options), whole)


def test_tied_weights_in_both_directions():
    weights = [tensor(6, 6, name=f"w{k}") for k in range(6)]
    x = tensor(3, 6)
    for order in (weights + weights, weights + weights[::-1], weights[1:] + weights[:5]):
        y = x
        for w in order:
            y = np.tanh(np.exp(y @ w) + 1.0)
        whole = walk(y.sum())
        assert_sound(whole.folded(), whole)


def test_random_graphs_stay_sound():
    rng = np.random.default_rng(0)
    functions = [np.sin, np.cos, lambda a: a + a, lambda a: a * 2.0]
    for size in (3, 10, 40, 200, 1000):
        for near in (1, 2, 10, 1000):
            values = [tensor(2), tensor(2)]
            for _ in range(size):
                a, b = (values[max(0, len(values) - 1 - int(rng.integers(near)))] for _ in range(2))
                values.append(functions[rng.integers(4)](a) if rng.integers(3) else a * b)
            with np.errstate(all="ignore"):
                whole = walk(values[-1].sum(), values[-2] + 0.0)
            for options in ({}, {"limit": 30}, {"limit": 3}, {"limit": 0}, {"repeated": False, "limit": 10}):
                small = whole.folded(**options)
                assert_sound(small, whole)
                for limit in (2, 5):
                    assert_sound(small.folded(limit=limit), whole)


@pytest.mark.parametrize("limit", [50, 300])
def test_any_graph_can_be_made_small(limit):
    rng = np.random.default_rng(0)
    y = tensor(2, name="x")
    middle = []
    others = [tensor(2, name=f"w{k}") for k in range(2000)]
    for w, k in zip(others, rng.integers(3, size=2000)):
        y = [np.sin(y) * w, np.cos(y) + w, np.tanh(y) - w][k]
        if len(middle) < 3 and k == 0:
            middle.append(y)
    whole = walk(y.sum())
    small = whole.folded(limit=limit)
    assert_sound(small, whole)
    several = walk(y.sum(), *middle)
    assert_sound(several.folded(limit=limit), several)
    assert limit / 10 < len(small.vertices) <= limit
    assert small.vertices[-1].kind == "output"
    assert "operations" in small.vertices[-2].label


def test_what_is_small_enough_is_left_alone():
    whole = walk(Block(3)(tensor(2, 3)).sum())
    assert whole.folded(limit=100) == whole
    assert whole.folded() == whole


def test_many_nodes_are_folded_without_recursion():
    y = tensor(1)
    for _ in range(30_000):
        y = np.sin(y)
    small = walk(y).folded(limit=300)
    assert [(v.label, v.kind) for v in small.vertices] == [
        ("parameter", "parameter"),
        ("sin", "row"),
        ("sin", "output"),
    ]
    assert small.vertices[1].fold.times == 29_999


def test_a_path_has_what_lies_between_and_the_other_inputs_there():
    x, w, b = tensor(3, name="x"), tensor(3, name="w"), tensor(3, name="b")
    h = np.exp(np.sin(w)) * x
    y = np.sum(h + b) + np.sum(np.cos(w))
    graph = walk(y)
    part = graph.path(x)
    assert [v.label for v in part.vertices] == ["x", "b", "exp", "multiply", "add", "sum", "sum", "add"]
    assert len(part.edges) == 7
    assert part.path(x) == part
    assert [v.label for v in graph.path(h).vertices] == ["b", "multiply", "add", "sum", "sum", "add"]
    assert {v.label for v in graph.path(x, b).vertices} == {v.label for v in part.vertices}
    vertex = next(v.id for v in graph.vertices if v.label == "x")
    assert graph.path(vertex) == part
    assert graph.path(w, x, b) == graph


def test_a_path_from_what_is_not_there_is_refused():
    graph = walk(tensor(3, name="x").sum())
    with pytest.raises(ValueError, match="the Tensor elsewhere is not in this graph"):
        graph.path(tensor(3, name="elsewhere"))
    with pytest.raises(ValueError, match="'n0' is not in this graph"):
        graph.path("n0")
    with pytest.raises(TypeError, match="at least one Tensor"):
        graph.path()
    with pytest.raises(TypeError, match="got ndarray"):
        graph.path(np.ones(3))


def test_json_has_everything_but_the_nodes_and_is_safe_in_a_page():
    x = Tensor([1.0, np.nan], requires_grad=True, name='</script><script>alert("1")</script>&\ud800\x00')
    graph = walk(x * float("nan") + float("inf"))
    text = graph.to_json()
    assert not set("<>&") & set(text)
    assert text.isascii()
    plain = json.loads(text)
    assert set(plain) == {"vertices", "edges", "groups"}
    assert plain["vertices"][0] == {
        "id": graph.vertices[0].id,
        "kind": "parameter",
        "label": x.name,
        "name": None,
        "shape": [2],
        "dtype": "float64",
        "group": None,
        "saved": False,
        "fold": None,
    }
    assert [v["label"] for v in plain["vertices"] if v["kind"] == "number"] == ["nan", "inf"]
    assert plain["edges"][1]["broadcast"] is True
    assert [e["id"] for e in plain["edges"]] == [e.id for e in graph.edges]
    model = nn.Sequential(*[Block(3) for _ in range(4)])
    folded = walk(model(tensor(2, 3)).sum()).folded(depth=1)
    plain = json.loads(folded.to_json())
    assert [v["fold"]["times"] for v in plain["vertices"] if v["kind"] == "module"] == [4]
    assert plain["groups"][0] == {"id": folded.groups[0].id, "label": "Sequential", "kind": "Sequential"} | {
        "parent": None,
        "times": 1,
    }


def test_networkx_has_the_same_graph():
    networkx = pytest.importorskip("networkx")
    x, y = tensor(2, name="x"), tensor(2, name="y")
    graph = walk(np.concatenate([x * x, y, y]).sum())
    other = graph.to_networkx()
    assert networkx.is_directed_acyclic_graph(other)
    assert [*other.nodes] == [v.id for v in graph.vertices]
    assert {f"{a}-{b}-{k}" for a, b, k in other.edges} == {e.id for e in graph.edges}
    assert {k for _, _, k in other.edges} == {"x", "y", "arrays[0]", "arrays[1]", "arrays[2]", "a"}
    assert other.nodes[graph.vertices[0].id]["label"] == "x"
    assert {data["shape"] for *_, data in other.edges(data=True)} == {(2,), (6,)}


def test_networkx_missing_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(ImportError, match=r"to_networkx\(\) needs the package networkx"):
        walk(tensor(2).sum()).to_networkx()
