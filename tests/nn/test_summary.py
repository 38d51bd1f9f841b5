"""`summary`: shapes, parameters, multiply-adds and memory of a module's layers."""

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn.report import memory, table


def by_name(report):
    return {layer.name: layer for layer in report.layers}


def test_the_network_of_the_lecture_has_3n_plus_14_parameters():
    n = 12288
    model = nn.MLP([n, 3, 2, 1], activation="sigmoid", output_activation="sigmoid", rng=0)
    report = nn.summary(model, (5, n))
    assert report.parameters == report.trainable == 3 * n + 14
    assert report.frozen == 0
    assert report.multiply_adds == 5 * (3 * n + 3 * 2 + 2 * 1)
    assert [layer.output_shape for layer in report.layers] == [(5, 3), (5, 3), (5, 2), (5, 2), (5, 1), (5, 1)]
    assert report.parameter_bytes == 4 * (3 * n + 14)
    assert report.output_bytes == 4 * 5 * (3 + 3 + 2 + 2 + 1 + 1)
    assert report.total_bytes == report.parameter_bytes + report.output_bytes


def test_the_lines_of_the_table_add_up_to_its_totals():
    model = nn.MLP([4, 3, 2], rng=0)
    model.linear1.requires_grad_(False)
    report = nn.summary(model, (7, 4))
    *lines, totals, memory_line = repr(report).splitlines()[1:]
    numbers = [[int(cell.replace(",", "")) for cell in line.split()[-5:-2]] for line in lines]
    assert [sum(column) for column in zip(*numbers)] == [int(cell) for cell in totals.split()[-5:-2]]
    assert [sum(column) for column in zip(*numbers)] == [8, 15, 7 * (4 * 3 + 3 * 2)]
    assert "23 parameters; memory: parameters 92 B, buffers 0 B" in memory_line


def test_linear_counts_every_axis_before_the_last():
    report = nn.summary(nn.Linear(4, 3, bias=False, rng=0), (2, 5, 4))
    assert report.layers == (("Linear", "Linear", (2, 5, 3), 12, 0, 2 * 5 * 4 * 3, 2 * 5 * 3 * 4),)
    assert nn.summary(nn.Linear(4, 3, rng=0), (0, 4)).multiply_adds == 0


def test_look_ups_normalisation_and_maxout():
    class Text(nn.Module):
        def __init__(self):
            self.words, self.norm = nn.Embedding(10, 4, rng=0), nn.BatchNorm1d(4)
            self.drop, self.out = nn.Dropout(0.5, rng=0), nn.Maxout(4, 2, pieces=3, rng=0)

        def forward(self, words):
            return self.out(self.drop(self.norm(self.words(words))))

    model = Text()
    before = model.state_dict()
    report = nn.summary(model, (5,), dtype=np.int64)
    lines = by_name(report)
    assert [layer.output_shape for layer in report.layers] == [(5, 4), (5, 4), (5, 4), (5, 2)]
    assert [layer.trainable for layer in report.layers] == [40, 8, 0, 30]
    assert [layer.multiply_adds for layer in report.layers] == [0, 0, 0, 5 * 4 * 2 * 3]
    assert lines["drop"].output_bytes == 0
    assert report.buffer_bytes == sum(b.nbytes for b in model.buffers()) > 0
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_linear_of_the_users_own_kind_is_not_counted_as_one():
    class Twice(nn.Linear):
        def forward(self, x):
            return super().forward(super().forward(x))

    assert nn.summary(Twice(2, 2, rng=0), (1, 2)).multiply_adds is None


def test_what_is_shared_is_counted_once_and_computed_each_time():
    class Tied(nn.Module):
        def __init__(self):
            self.first, self.second, self.unused = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1), nn.Linear(1, 1)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.first(self.second(self.first(x)))

    model = Tied()
    report = nn.summary(model, (2, 3))
    lines = by_name(report)
    assert (lines["first"].trainable, lines["second"].trainable) == (12, 3)
    assert report.parameters == sum(p.size for p in model.parameters()) == 17
    assert (lines["first"].multiply_adds, lines["second"].multiply_adds) == (2 * 18, 18)
    assert lines["first"].output_bytes == 2 * 24
    assert (lines["unused"].output_shape, lines["unused"].multiply_adds) == (None, 0)
    assert "not called" in repr(report)


def test_nested_modules_have_their_full_names_and_their_own_parameters_only():
    class Block(nn.Module):
        def __init__(self):
            self.scale = nn.Parameter([2.0], dtype=np.float32)
            self.stack = [nn.Linear(2, 2, rng=0), {"last": nn.Sequential(nn.Tanh(), nn.Linear(2, 1, rng=0))}]

        def forward(self, x):
            return self.stack[1]["last"](self.stack[0](x * self.scale))

        def multiply_adds(self, input_shape, output_shape):
            assert (input_shape, output_shape) == ((3, 2), (3, 1))
            return 100

    report = nn.summary(Block(), (3, 2))
    assert [layer.name for layer in report.layers] == ["Block", "stack.0", "stack.1.last.0", "stack.1.last.1"]
    assert [layer.trainable for layer in report.layers] == [1, 6, 0, 3]
    assert [layer.multiply_adds for layer in report.layers] == [100, 12, 0, 6]


def test_an_unknown_cost_is_not_a_zero():
    class Square(nn.Module):
        def forward(self, x):
            return x.T @ x

    report = nn.summary(nn.Sequential(nn.Linear(3, 2, rng=0), Square()), (5, 3))
    assert [layer.multiply_adds for layer in report.layers] == [30, None]
    assert report.multiply_adds is None
    assert repr(report).count("?") == 2


def test_the_input_has_the_dtype_of_the_parameters_or_the_given_one():
    class Kind(nn.Module):
        def forward(self, x):
            self.seen = x.dtype
            return x, x + 1

    model = nn.Sequential(nn.Linear(2, 2, dtype=np.float64), nn.Identity())
    assert by_name(nn.summary(model, (1, 2)))["0"].output_bytes == 16
    assert by_name(nn.summary(model, (1, 2)))["1"].output_bytes == 0  # its output is its input
    kind = Kind()
    report = nn.summary(kind, [3])
    assert kind.seen == np.float32
    assert (report.layers[0].output_shape, report.output_bytes) == ([(3,), (3,)], 12)
    nn.summary(kind, (np.int64(3),), dtype=np.int64)
    assert kind.seen == np.int64
    with pytest.raises(TypeError, match="was given int64 input"):
        nn.summary(model, (1, 2), dtype=np.int64)


def test_the_module_is_left_as_it_was():
    class Restless(nn.Module):
        def __init__(self):
            self.mean, self.rng, self.inner = nn.Buffer([1.0, np.nan]), np.random.default_rng(0), nn.Linear(2, 2, rng=0)

        def forward(self, x):
            assert not self.training
            self.mean.data = self.rng.random(2)
            return self.inner(x)

    model = Restless()
    model.inner.training = False
    before, state = model.state_dict(), model.rng.bit_generator.state
    report = nn.summary(model, (1, 2))
    assert report.buffer_bytes == 16
    assert (model.training, model.inner.training) == (True, False)
    assert model.rng.bit_generator.state == state
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert not any(m._hooks.before or m._hooks.after for m in model.modules())


def test_an_error_says_in_which_layer_and_leaves_no_hook():
    model = nn.Sequential({"a": nn.Linear(4, 3, rng=0), "in": nn.Sequential(nn.Tanh(), nn.Linear(2, 1, rng=0))})
    with pytest.raises(ValueError, match=r"was given shape \(1, 3\)") as caught:
        nn.summary(model, (1, 4))
    assert caught.value.__notes__[-1] == "in layer 'in.1', Linear(2 → 1), called with float32[1, 3]"
    assert model.training
    assert not any(m._hooks.before or m._hooks.after for m in model.modules())


@pytest.mark.parametrize(
    ("shape", "text"),
    [(12288, r"write \(1, 12288\) rather than 12288"), ((1, 2.0), "sequence of integers"), ("12", "sequence")],
)
def test_what_is_no_shape_is_refused(shape, text):
    with pytest.raises(TypeError, match=text):
        nn.summary(nn.Linear(2, 1), shape)


@pytest.mark.parametrize("kind", [np.asarray, Tensor])
def test_the_data_in_place_of_their_shape_are_refused_in_one_line(kind):
    with pytest.raises(TypeError, match=r"such as \(1, 12288\), got float64\[200, 2\]: write x\.shape\.$"):
        nn.summary(nn.Linear(2, 1), kind(np.ones((200, 2))))


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="summary takes a module, got type"):
        nn.summary(nn.Linear, (1, 2))


def test_a_module_without_parameters_or_layers_has_a_summary_too():
    report = nn.summary(nn.Sequential(), (1, 2))
    assert (report.parameters, report.multiply_adds, report.output_bytes) == (0, 0, 0)


def test_tables_are_aligned_and_memory_is_readable():
    assert table(("a", "number"), [("long", "1"), ("b", "22")], ("", "23")) == (
        "a     number\nlong       1\nb         22\n          23"
    )
    assert [memory(n) for n in (0, 1023, 1024, 147512, 2**40)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "144.1 KiB",
        "1,024.0 GiB",
    ]
