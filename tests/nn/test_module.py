"""What every module can do: find what it is made of, be frozen, converted, copied, saved."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import DeviceError, Tensor


class Everything(nn.Module):
    """One of each kind of member."""

    def __init__(self):
        self.w = nn.Parameter([1.0, 2.0], dtype=np.float32)
        self.mean = nn.Buffer([0.5], dtype=np.float32)
        self.count = nn.Buffer(0)
        self.mask = nn.Buffer([True, False])
        self.rng = np.random.default_rng(0)
        self.parts = {"a": [nn.Linear(2, 2, rng=0)], "b": (nn.Tanh(), {"c": nn.Parameter([3.0])})}
        self.constant = Tensor([9.0])
        self.nothing = None


class Tied(nn.Module):
    """Decoder and encoder share their weight."""

    def __init__(self):
        self.encoder = nn.Linear(2, 2, rng=0)
        self.decoder = nn.Linear(2, 2, rng=1)
        self.decoder.weight = self.encoder.weight


def test_members_of_each_kind_are_found_under_their_names():
    module = Everything()
    assert [n for n, _ in module.named_parameters()] == ["w", "parts.b.1.c", "parts.a.0.weight", "parts.a.0.bias"]
    assert [n for n, _ in module.named_buffers()] == ["mean", "count", "mask"]
    assert [id(b) for b in module.buffers()] == [id(module.mean), id(module.count), id(module.mask)]
    assert [n for n, _ in module.named_generators()] == ["rng"]
    assert [n for n, _ in module.named_children()] == ["parts.a.0", "parts.b.0"]
    assert "constant" not in module.state_dict()


def test_two_tensors_of_one_name_are_refused_where_only_one_could_be_saved():
    module = nn.Module()
    module.w = {0: nn.Parameter([1.0]), "0": nn.Parameter([2.0])}
    assert len(list(module.parameters())) == 2
    for use in (module.state_dict, lambda: module.load_state_dict({"w.0": np.ones(1)})):
        with pytest.raises(ValueError, match=r"two tensors called 'w\.0'.*rename"):
            use()


def test_a_module_that_contains_itself_is_met_once():
    module = nn.Linear(1, 1)
    module.me = [module]
    assert len(list(module.modules())) == 1
    assert [n for n, _ in module.named_parameters()] == ["weight", "bias"]
    module.apply(lambda m: None).eval()
    module.load_state_dict(module.state_dict())


# Buffers


def test_a_buffer_is_a_constant_that_is_written_in_place():
    buffer = nn.Buffer([1.0, 2.0])
    array = buffer.data
    buffer.data = np.array([3.0, 4.0])
    assert buffer.data is array
    assert not (buffer * nn.Parameter([1.0, 1.0])).is_leaf
    assert not (buffer * 2).requires_grad
    with pytest.raises(ValueError, match="a Buffer is a constant: what is to be learnt is a Parameter"):
        nn.Buffer([1.0], requires_grad=True)
    assert isinstance(nn.Buffer(nn.Parameter([1.0]) * 2), nn.Buffer)


def test_a_buffer_gets_no_gradient():
    module = Everything()
    (module.w * module.mean).sum().backward()
    assert module.mean.grad is None
    np.testing.assert_array_equal(module.w.grad, np.float32([0.5, 0.5]))


@pytest.mark.parametrize("value", [0.5, np.float32(1.0), np.zeros(1, np.float32), Tensor([0.0]), [1.0], nn.Tanh()])
@pytest.mark.parametrize("name", ["w", "mean"])
def test_a_parameter_or_buffer_is_not_lost_by_an_assignment(name, value):
    module = Everything()
    with pytest.raises(TypeError, match=rf"Everything\.{name} is a (Parameter|Buffer), and would no longer be one"):
        setattr(module, name, value)
    assert name in module.state_dict()
    setattr(module, name, None)
    assert name not in module.state_dict()


# Training mode, freezing, apply


def test_freezing_reaches_all_parameters_and_gradients_stop_there():
    model = nn.MLP([2, 3, 1], rng=0)
    assert model.requires_grad_(False) is model
    assert not model(np.ones((1, 2), np.float32)).requires_grad
    model.linear2.requires_grad_()
    model(np.ones((1, 2), np.float32)).sum().backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    with pytest.raises(TypeError, match="requires_grad is True or False"):
        model.requires_grad_("no")


def test_apply_goes_from_inside_out_in_the_order_of_assignment_and_meets_a_shared_module_once():
    shared, seen = nn.Tanh(), []
    model = nn.Sequential({"a": nn.Sequential({"x": nn.Linear(1, 1), "y": shared}), "b": nn.Linear(1, 1), "c": shared})
    names = {id(m): n for n, m in model.named_modules()}
    assert model.apply(lambda m: seen.append(names[id(m)])) is model
    assert seen == ["a.x", "a.y", "a", "b", ""]


# Conversion


def test_conversion_keeps_the_objects_and_integers_and_forgets_gradients():
    module = Everything()
    objects = dict([*module.named_parameters(), *module.named_buffers()])
    module.w.name = "weight"
    module.parts["a"][0].bias.requires_grad = False
    (module.w * 2).sum().backward()
    before = module.state_dict()
    assert module.to(np.float64) is module
    after = module.state_dict()
    assert {n: str(a.dtype) for n, a in after.items()} == {
        "w": "float64",
        "mean": "float64",
        "count": "int64",
        "mask": "bool",
        "parts.b.1.c": "float64",
        "parts.a.0.weight": "float64",
        "parts.a.0.bias": "float64",
    }
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
    for name, p in [*module.named_parameters(), *module.named_buffers()]:
        assert p is objects[name]
    assert (module.w.name, module.w.grad, module.w.requires_grad) == ("weight", None, True)
    assert not module.parts["a"][0].bias.requires_grad
    (module.w * 2).sum().backward()
    assert module.w.grad.dtype == np.float64


def test_conversion_keeps_the_hooks_of_a_parameter():
    layer = nn.Linear(1, 1, init=nn.init.Constant(1.0))
    layer.weight.register_hook(lambda g: g * 10)
    layer.to("float64")
    layer(np.ones((1, 1))).sum().backward()
    assert layer.weight.grad.item() == 10.0


def test_a_tied_parameter_stays_tied_when_it_is_converted():
    tied = Tied().to("float16")
    assert tied.encoder.weight is tied.decoder.weight
    assert tied.encoder.weight.dtype == np.float16


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.int64,), TypeError, "floating or complex numbers, and cannot become int64"),
        (("flaot32",), DeviceError, "flaot32"),
        (("nowhere", np.float64), DeviceError, "nowhere"),
        (("float32",), TypeError, "complex parameters would lose their imaginary part as float32"),
    ],
)
def test_a_conversion_that_fails_changes_nothing(arguments, error, text):
    module = Everything()
    module.last = nn.Parameter([1j])
    (module.w * 2).sum().backward()
    before = module.state_dict()
    with pytest.raises(error, match=text):
        module.to(*arguments)
    assert module.w.grad is not None
    for name, array in module.state_dict().items():
        assert array.dtype == before[name].dtype
        np.testing.assert_array_equal(array, before[name])


def test_nothing_is_touched_where_nothing_has_to_change():
    layer = nn.Linear(2, 1, rng=0)
    layer(np.ones((1, 2), np.float32)).sum().backward()
    array, grad = layer.weight.data, layer.weight.grad
    layer.to("cpu").to(np.float32).to("cpu", "float32").to(dtype="float32").to()
    assert layer.weight.data is array
    assert layer.weight.grad is grad


# State


def test_a_tied_parameter_is_counted_saved_and_updated_once():
    tied = Tied()
    assert [n for n, _ in tied.named_parameters()] == ["encoder.weight", "encoder.bias", "decoder.bias"]
    assert sum(p.size for p in tied.parameters()) == 8
    assert list(tied.state_dict()) == ["encoder.weight", "encoder.bias", "decoder.bias"]
    x = np.ones((1, 2), np.float32)
    tied.decoder(tied.encoder(x)).sum().backward()
    state = {name: array + 1 for name, array in tied.state_dict().items()}
    tied.load_state_dict(state)
    assert tied.encoder.weight is tied.decoder.weight
    np.testing.assert_array_equal(tied.decoder.weight.data, state["encoder.weight"])


def test_a_tied_parameter_may_come_under_all_its_names_if_they_agree():
    tied = Tied()
    state = tied.state_dict()
    new = {**state, "encoder.weight": state["encoder.weight"] * 2, "decoder.weight": state["encoder.weight"] * 2}
    tied.load_state_dict(new)
    np.testing.assert_array_equal(tied.decoder.weight.data, new["encoder.weight"])
    for wrong, text in (
        ({**new, "decoder.weight": state["encoder.weight"]}, "decoder.weight is shared with encoder.weight here"),
        ({**new, "decoder.weight": np.ones(3)}, "holds other values"),
        ({n: a for n, a in new.items() if n != "encoder.weight"}, "missing: encoder.weight"),
        ({**new, "coder.weight": new["encoder.weight"]}, "unexpected: coder.weight"),
    ):
        with pytest.raises(ValueError, match=text):
            tied.load_state_dict(wrong)
        np.testing.assert_array_equal(tied.decoder.weight.data, new["encoder.weight"])


def test_buffers_are_part_of_the_state():
    module, other = Everything(), Everything()
    module.count.data += 5
    module.mask.data = ~module.mask.data
    state = module.state_dict()
    other.load_state_dict(state)
    assert other.count.item() == 5
    np.testing.assert_array_equal(other.mask.data, [False, True])
    with pytest.raises(ValueError, match=r"count: expected int64\[\], got float64\[\]"):
        other.load_state_dict({**state, "count": np.float64(5)})


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_has_members_of_the_same_kinds_and_the_same_random_numbers(twin):
    module = Everything()
    module.parts["a"][0].requires_grad_(False)
    other = twin(module)
    for name, array in module.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name])
    assert [n for n, _ in other.named_buffers()] == ["mean", "count", "mask"]
    assert [p.requires_grad for p in other.parameters()] == [True, True, False, False]
    assert module.rng is not other.rng
    assert module.rng.random() == other.rng.random()
    other.w.data += 1
    assert module.w.data[0] == 1.0
    tied = twin(Tied())
    assert tied.encoder.weight is tied.decoder.weight
