"""Twenty networks, in which every layer of `nn` occurs: the walk against the tape, node by node."""

from collections import Counter

import numpy as np
import pytest

import autograd
import nn
from autograd import Tape, Tensor
from autograd.inspection import walk
from autograd.node import Leaf, Parts, tick

rng = np.random.default_rng(0)


def array(*shape):
    return rng.normal(size=shape).astype(np.float32)


def plain(*layers, shape=(4, 6)):
    """A chain of layers, and the sum of what comes out."""

    def network():
        model = nn.Sequential(*[layer() for layer in layers])
        return [model], lambda: model(array(*shape)).sum()

    return network


def with_loss(loss, *target, out=3, last=nn.Identity):
    """A small network and a loss."""

    def network():
        model, criterion = nn.Sequential(nn.MLP([5, 4, out], rng=0), last()), loss()
        return [model, criterion], lambda: criterion(model(array(4, 5)), *[make() for make in target])

    return network


def classes():
    return rng.integers(3, size=4)


def normal():
    return array(4, 3)


def unit():
    return rng.uniform(0.1, 0.9, size=(4, 3)).astype(np.float32)


def sign():
    return np.where(rng.uniform(size=(4, 3)) < 0.5, -1, 1).astype(np.float32)


def dense(n=6):
    return lambda: nn.Linear(6, n, rng=0)


class Towers(nn.Module):
    """Modules in a list and in a dict, called in a loop; one of them twice, with the same weights."""

    def __init__(self):
        self.layers = nn.ModuleList([nn.Linear(6, 6, rng=k) for k in range(3)])
        self.ends = nn.ModuleDict({"gate": nn.Sigmoid(), "mean": nn.Standardize(6)})

    def forward(self, x):
        x = self.ends["mean"](x)
        for layer in self.layers:
            x = np.maximum(layer(x), 0) * self.ends["gate"](x)
        return self.layers[0](x)


class Pair(nn.Module):
    """Two results, of which an operation with several results is one source."""

    def __init__(self):
        self.inner = nn.Linear(6, 4, rng=0)

    def forward(self, x):
        q, r = np.linalg.qr(self.inner(x))
        return {"q": q, "r": np.concatenate([r, r * 2.0])}


def towers():
    model = Towers()
    model.ends["mean"].fit(array(20, 6))
    return [model], lambda: np.mean(model(array(4, 6)) ** 2)


def pair():
    model = Pair()

    def loss():
        both = model(array(5, 6))
        return both["q"].sum() + both["r"].sum()

    return [model], loss


def similarity():
    model, criterion = nn.Maxout(6, 3, rng=0), nn.CosineEmbeddingLoss()
    return [model, criterion], lambda: criterion(model(array(4, 6)), model(array(4, 6)), np.array([1, -1, 1, -1]))


def embedding():
    model = nn.Sequential(nn.Embedding(10, 6, rng=0), nn.Dropout1d(0.5, rng=0), nn.Flatten(), nn.Linear(30, 2, rng=0))
    return [model], lambda: model(rng.integers(10, size=(4, 5))).sum()


def evaluated():
    model = nn.Sequential(nn.Linear(6, 6, rng=0), nn.BatchNorm1d(6), nn.Dropout(0.5, rng=0)).eval()
    return [model], lambda: model(array(4, 6)).sum()


NETWORKS = {
    "images": plain(
        lambda: nn.BatchNorm2d(4),
        lambda: nn.InstanceNorm2d(4, affine=True),
        lambda: nn.GroupNorm(2, 4),
        lambda: nn.Dropout2d(0.5, rng=0),
        nn.Flatten,
        lambda: nn.Linear(64, 2, rng=0),
        shape=(2, 4, 4, 4),
    ),
    "sequences": plain(lambda: nn.InstanceNorm1d(4, affine=True), nn.Tanh, lambda: nn.PReLU(4), shape=(2, 4, 4)),
    "norms": plain(dense(), lambda: nn.BatchNorm1d(6), lambda: nn.LayerNorm(6), lambda: nn.RMSNorm(6), nn.ReLU),
    "smooth": plain(dense(), nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign, nn.Sigmoid),
    "hard": plain(dense(), nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LeakyReLU, nn.ReLU6, nn.PReLU),
    "gates": plain(dense(8), nn.GLU, nn.LogSigmoid, lambda: nn.Dropout(0.3, rng=0), nn.Softmax),
    "residual": plain(*[lambda: nn.Residual(nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 6, rng=0)))] * 3),
    "bce": with_loss(nn.BCELoss, unit, last=nn.Sigmoid),
    "bce with logits": with_loss(nn.BCEWithLogitsLoss, unit),
    "cross entropy": with_loss(nn.CrossEntropyLoss, classes),
    "nll": with_loss(nn.NLLLoss, classes, last=nn.LogSoftmax),
    "kl": with_loss(nn.KLDivLoss, unit, last=nn.LogSoftmax),
    "gaussian": with_loss(nn.GaussianNLLLoss, normal, unit),
    "poisson": with_loss(nn.PoissonNLLLoss, unit),
    "hinge": with_loss(nn.HingeLoss, sign),
    "margin": with_loss(nn.MultiMarginLoss, classes),
    "squares": with_loss(nn.MSELoss, normal),
    "half squares": with_loss(nn.HalfSquaredErrorLoss, normal),
    "absolute": with_loss(nn.L1Loss, normal),
    "huber": with_loss(nn.HuberLoss, normal),
    "smooth absolute": with_loss(nn.SmoothL1Loss, normal),
    "similarity": similarity,
    "embedding": embedding,
    "evaluated": evaluated,
    "towers": towers,
    "pair": pair,
}


def recorded(name):
    """A network's modules, its loss, and when each call of a module began and ended."""
    modules, loss = NETWORKS[name]()
    calls = []
    for outer in modules:
        for label, module in outer.named_modules():

            def begin(module, args, label=label):
                calls.append([tick(), None, label or type(module).__name__, module])

            def end(module, args, output):
                next(call for call in reversed(calls) if call[3] is module and call[1] is None)[1] = tick()

            module.register_forward_pre_hook(begin)
            module.register_forward_hook(end)
    return modules, loss(), calls


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_missing_and_nothing_is_twice(name):
    _, loss, _ = recorded(name)
    tape, graph = Tape(loss), walk(loss)
    constants = {c for node in tape for c in node.constants or () if isinstance(c, Leaf)}
    assert Counter(v.node for v in graph.vertices if v.node is not None) == Counter({*tape, *constants})
    assert len({v.id for v in graph.vertices}) == len(graph.vertices)
    assert len({e.id for e in graph.edges}) == len(graph.edges)
    of = {v.id: v for v in graph.vertices}
    order = {v.id: k for k, v in enumerate(graph.vertices)}
    assert all(order[e.source] < order[e.target] for e in graph.edges)
    for node in tape:
        vertex = of[f"n{node.index}"]
        edges = [e for e in graph.edges if e.target == vertex.id]
        if isinstance(node, Leaf):
            assert (vertex.kind, edges) == ("parameter", [])
            continue
        assert vertex.kind == ("output" if node is loss.node else "operation")
        assert vertex.label == node.primitive.name
        assert node.kind is Parts or (vertex.shape, vertex.dtype) == (node.shape, str(node.dtype))
        expected = []
        for k, parent in enumerate(node.parents):
            given = parent if parent is not None else node.constants[k]
            if given is not None:
                expected.append(given)
        assert len(edges) == len(expected)
        for edge, given in zip(edges, expected, strict=True):
            source = of[edge.source]
            if isinstance(given, Leaf) or (given in node.parents and given.kind is not Parts):
                assert source.node is given
                assert (edge.shape, edge.dtype) == (given.shape, str(given.dtype))
            elif given in node.parents:
                assert source.node is given
                assert (edge.shape, edge.dtype) == (node.shape, str(node.dtype))
            elif isinstance(given, tuple):
                assert (source.kind, edge.shape, edge.dtype) == ("input", given[0], str(given[1]))
            else:
                assert (source.kind, source.label, edge.shape) == ("number", f"{given:.6g}", ())
    used = {e.source for e in graph.edges} | {e.target for e in graph.edges}
    assert used == set(of)


@pytest.mark.parametrize("name", NETWORKS)
def test_each_operation_is_in_the_group_of_the_layer_that_recorded_it(name):
    _, loss, calls = recorded(name)
    graph = walk(loss)
    groups = {group.id: group for group in graph.groups}
    for vertex in graph.vertices:
        if vertex.node is None or isinstance(vertex.node, Leaf):
            continue
        around = [call for call in calls if call[0] < vertex.node.index < call[1]]
        path = []
        group = vertex.group
        while group is not None:
            path.append((groups[group].label, groups[group].kind))
            group = groups[group].parent
        # a hook runs around `forward` and inside the call, so that this is the same nesting
        assert path[::-1] == [(label, type(module).__name__) for _, _, label, module in around]


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_have_the_names_of_their_modules_and_stand_in_them(name):
    modules, loss, _ = recorded(name)
    graph = walk(loss)
    names = {p.node: (name, m) for m in modules for name, p in m.named_parameters()}
    groups = {group.id: group for group in graph.groups}
    users = {}
    for edge in graph.edges:
        users.setdefault(edge.source, set()).add(next(v.group for v in graph.vertices if v.id == edge.target))
    for vertex in graph.vertices:
        if vertex.kind == "parameter":
            label, _ = names[vertex.node]
            assert vertex.label == label
            if len(users[vertex.id]) == 1:
                assert {vertex.group} == users[vertex.id]
                inside, _, _ = label.rpartition(".")
                assert groups[vertex.group].label in (inside, groups[vertex.group].kind)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_edges_call_saved_is_what_the_operation_holds(name):
    _, loss, _ = recorded(name)
    graph = walk(loss)
    for vertex in graph.vertices:
        node = vertex.node
        if node is None or isinstance(node, Leaf):
            continue
        saves = node.primitive.saves
        held = {save for save, value in zip(saves, node.saved, strict=True) if value is not None}
        edges = [e for e in graph.edges if e.target == vertex.id]
        if node.primitive.variadic:
            continue
        saved = {e.input for e in edges if e.saved}
        assert saved == held & {e.input for e in edges}
        assert vertex.saved == bool(held & {*node.primitive.outputs})


def test_every_layer_is_in_one_of_the_networks():
    exported = {c for c in vars(nn).values() if isinstance(c, type) and issubclass(c, nn.Module)} - {nn.Module}
    used = {type(m) for build in NETWORKS.values() for outer in build()[0] for m in outer.modules()}
    assert {c.__name__ for c in exported - used} == set()
    assert len(NETWORKS) >= 20


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_is_drawn_in_full_and_folded_to_nothing_less_than_its_operations(name):
    pytest.importorskip("graphviz")
    _, loss, _ = recorded(name)
    graph = walk(loss)
    drawing = autograd.draw(loss, fold=False)
    for vertex in graph.vertices:
        assert f'id="{vertex.id}"' in drawing.source
    for edge in graph.edges:
        assert f'id="{edge.id}"' in drawing.source
    operations = sum(v.node is not None and not isinstance(v.node, Leaf) for v in graph.vertices)
    for options in ({}, {"depth": 0}, {"depth": 1}, {"limit": 5}):
        small = graph.folded(**options)
        stood_for = [m for v in small.vertices for m in (v.fold.members if v.fold else (v,))]
        assert Counter(m.id for m in stood_for) == Counter(v.id for v in graph.vertices)
        counts = [v.fold.operations if v.fold else v.kind in ("operation", "output") for v in small.vertices]
        assert sum(counts) == operations
        known = {v.id for v in small.vertices}
        assert len(known) == len(small.vertices)
        assert len({e.id for e in small.edges}) == len(small.edges)
        assert {end for e in small.edges for end in (e.source, e.target)} <= known
        groups = {None, *(group.id for group in small.groups)}
        assert {v.group for v in small.vertices} | {group.parent for group in small.groups} <= groups


def test_a_tensor_that_needs_a_gradient_and_goes_into_a_module_stays_outside():
    x = Tensor(array(2, 6), requires_grad=True, name="x")
    model = nn.Linear(6, 2, rng=0)
    vertices = {v.label: v for v in walk(nn.MSELoss()(model(x), array(2, 2))).vertices}
    assert vertices["x"].group is None
    assert vertices["weight"].group == vertices["linear"].group is not None
