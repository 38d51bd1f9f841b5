"""Sequential, ModuleList and ModuleDict."""

import copy
import pickle

import numpy as np
import pytest

import nn


def layers(n):
    return [nn.Linear(2, 2, rng=k) for k in range(n)]


def names(module):
    return [name for name, _ in module.named_parameters()]


# Sequential


def test_slices_are_views_on_the_same_modules_under_their_names():
    model = nn.Sequential(*layers(4))
    for index in (slice(1, 3), slice(None, None, 2), slice(-1, None), slice(4, None), slice(None, None, -1)):
        part = model[index]
        assert isinstance(part, nn.Sequential)
        assert list(part) == list(model)[index]
    assert [name for name, _ in model[1:3].named_children()] == ["1", "2"]
    assert model[-1] is list(model)[3]
    with pytest.raises(IndexError):
        model[4]


def test_a_slice_of_named_modules_and_of_a_subclass_computes_a_part():
    model = nn.MLP([3, 4, 2, 1], activation="tanh", rng=0)
    x = np.ones((5, 3), np.float32)
    hidden = model[:4]
    assert type(hidden) is nn.Sequential
    np.testing.assert_array_equal(model[4:](hidden(x)).data, model(x).data)


def test_append_takes_the_next_number_and_refuses_what_is_no_module():
    model = nn.Sequential()
    assert model(5.0) == 5.0
    assert model.append(nn.Tanh()).append(nn.Identity()) is model
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    with pytest.raises(TypeError, match=r"nn\.ReLU\(\) rather than"):
        model.append(nn.ReLU)
    assert len(model) == 2
    with pytest.raises(ValueError, match="has a module called '1' that is not at its place"):
        model[1:].append(nn.Tanh())


def test_a_module_that_comes_twice_is_called_twice_and_counted_once():
    layer = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(layer, layer)
    x = np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(model(x).data, layer(layer(x)).data)
    assert (len(model), len(list(model.modules())), names(model)) == (2, 2, ["0.weight", "0.bias"])


# ModuleList


def test_a_list_has_the_methods_of_a_list():
    a, b, c, d = layers(4)
    modules = nn.ModuleList([a, b])
    modules.append(c)
    modules.insert(1, d)
    assert list(modules) == [a, d, b, c]
    assert modules.index(b) == 2
    assert modules.count(a) == 1
    assert d in modules
    assert nn.Tanh() not in modules
    assert modules.pop() is c
    assert modules.pop(0) is a
    modules.extend([a, c])
    modules += [b]
    assert list(reversed(modules)) == [b, c, a, b, d]
    modules.remove(b)
    modules.reverse()
    assert list(modules) == [b, c, a, d]
    modules[0] = d
    modules[1:3] = [b]
    assert list(modules) == [d, b, d]
    del modules[0]
    del modules[1:]
    assert list(modules) == [b]
    modules.extend(modules)
    assert list(modules) == [b, b]
    modules.clear()
    assert len(modules) == 0


def test_a_slice_of_a_list_is_a_list_of_modules():
    modules = nn.ModuleList(layers(3))
    assert isinstance(modules[1:], nn.ModuleList)
    assert list(modules[1:]) == list(modules)[1:]
    assert modules[-1] is list(modules)[2]
    with pytest.raises(IndexError):
        modules[3]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m.append(3),
        lambda m: m.insert(0, nn.ReLU),
        lambda m: m.extend([nn.ReLU(), 3]),
        lambda m: m.__setitem__(0, None),
        lambda m: m.__setitem__(slice(0, 1), [nn.ReLU(), 3]),
        lambda m: m.__iadd__([nn.ReLU(), 3]),
    ],
)
def test_what_is_no_module_is_refused_by_a_list_and_nothing_changes(spoil):
    modules = nn.ModuleList(layers(2))
    before = list(modules)
    with pytest.raises(TypeError, match="ModuleList takes modules, got"):
        spoil(modules)
    assert list(modules) == before


def test_a_list_is_itself_and_an_empty_one_is_false_but_found():
    class Owner(nn.Module):
        def __init__(self):
            self.blocks, self.heads = nn.ModuleList(), nn.ModuleDict()

    owner = Owner()
    assert not owner.blocks
    assert not owner.heads
    assert [name for name, _ in owner.named_modules()] == ["", "blocks", "heads"]
    assert owner.blocks != nn.ModuleList()
    assert owner.heads != nn.ModuleDict()
    assert len({owner.blocks, owner.heads, owner.blocks}) == 2
    owner.eval()
    assert not owner.blocks.training
    assert owner.apply(lambda m: None).to("float64").requires_grad_(False).state_dict() == {}
    owner.blocks.append(nn.Linear(1, 1))
    owner.heads["out"] = nn.Linear(1, 1)
    assert names(owner) == ["blocks.0.weight", "blocks.0.bias", "heads.out.weight", "heads.out.bias"]


def test_a_container_has_no_forward_of_its_own():
    for container in (nn.ModuleList(), nn.ModuleDict()):
        with pytest.raises(NotImplementedError, match=r"Module(List|Dict) has no forward"):
            container(1.0)


@pytest.mark.parametrize("kind", [nn.ModuleList, nn.ModuleDict])
def test_a_container_may_have_parameters_of_its_own(kind):
    class Scaled(kind):
        def __init__(self, *modules):
            super().__init__(*modules)
            self.scale = nn.Parameter([1.0])

    modules = Scaled(layers(1) if kind is nn.ModuleList else {"0": nn.Linear(2, 2)})
    assert names(modules) == ["scale", "0.weight", "0.bias"]


# ModuleDict


def test_a_dict_has_the_methods_of_a_dict():
    a, b, c, d = layers(4)
    modules = nn.ModuleDict({"a": a})
    modules["b"] = b
    modules.update([("c", c)], d=d)
    assert list(modules) == list(modules.keys()) == ["a", "b", "c", "d"]
    assert list(modules.values()) == [a, b, c, d]
    assert list(modules.items())[1] == ("b", b)
    assert "b" in modules
    assert modules.get("x") is None
    assert modules.pop("b") is b
    assert modules.setdefault("c", b) is c
    del modules["d"]
    assert list(modules) == ["a", "c"]
    assert nn.ModuleDict(nn.ModuleDict({"a": a}))["a"] is a
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(KeyError):
        modules["a"]


@pytest.mark.parametrize("name", ["", "a.b", 3])
def test_impossible_names_and_values_are_refused_by_a_dict_and_nothing_changes(name):
    modules = nn.ModuleDict({"a": nn.Tanh()})
    with pytest.raises(ValueError, match="cannot be the name of a module"):
        modules.update({"b": nn.Tanh(), name: nn.Tanh()})
    with pytest.raises(TypeError, match="ModuleDict takes modules, got type as 'c'"):
        modules.update({"b": nn.Tanh(), "c": nn.Tanh})
    with pytest.raises(TypeError, match="ModuleDict takes modules"):
        modules["a"] = nn.tanh if hasattr(nn, "tanh") else np.tanh
    assert list(modules) == ["a"]


# Both


def test_representations_show_what_is_inside():
    assert repr(nn.ModuleList([nn.Tanh(), nn.Linear(2, 1)])) == "ModuleList(\n  (0): Tanh()\n  (1): Linear(2 → 1)\n)"
    assert repr(nn.ModuleDict({"a": nn.Tanh()})) == "ModuleDict(\n  (a): Tanh()\n)"
    assert repr(nn.ModuleList()) == "ModuleList()"


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_independent(twin):
    layer = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(
        {"all": nn.ModuleDict({"list": nn.ModuleList([layer, layer]), "net": nn.Sequential(layer, nn.Tanh())})}
    )
    other = twin(model)
    assert repr(other) == repr(model)
    inside = other[0]["list"]
    assert inside[0] is inside[1] is other[0]["net"][0]
    assert names(other) == names(model) == ["all.list.0.weight", "all.list.0.bias"]
    inside[0].weight.data *= 0
    assert layer.weight.data.any()
    inside.append(nn.Tanh())
    assert len(model[0]["list"]) == 2
