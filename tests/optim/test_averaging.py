"""Averages of weights: against PyTorch, swapped in and out, saved and loaded."""

from copy import deepcopy

import numpy as np
import pytest

import nn
import optim
from autograd import StaleError


class Net(nn.Module):
    def __init__(self, dtype=np.float64):
        self.linear = nn.Linear(3, 2, dtype=dtype, rng=0)
        self.large = nn.Parameter(np.asfortranarray(np.random.default_rng(1).normal(size=(300, 300))), dtype=dtype)
        self.seen = nn.Buffer(0)
        self.mean = nn.Buffer(np.zeros(2), dtype=dtype)

    def forward(self, x):
        return self.linear(x)


def walk(net, k):
    """Other weights and buffers, as after a step of training."""
    rng = np.random.default_rng(k)
    for p in net.parameters():
        p.data = (p.data + rng.normal(size=p.shape)).astype(p.dtype)
    net.seen.data += 1
    net.mean.data = rng.normal(size=2).astype(net.mean.dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("decay", [0.0, 0.3, 0.9, 0.999, 1.0])
def test_the_average_is_pytorchs(dtype, decay):
    torch = pytest.importorskip("torch")
    net = Net(dtype)
    theirs = torch.nn.Module()
    for name, value in net.state_dict().items():
        name = name.replace(".", "_")
        if name in ("seen", "mean"):
            theirs.register_buffer(name, torch.from_numpy(value))
        else:
            theirs.register_parameter(name, torch.nn.Parameter(torch.from_numpy(value)))
    average = optim.ExponentialMovingAverage(net, decay)
    reference = torch.optim.swa_utils.AveragedModel(
        theirs, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    for k in range(10):
        walk(net, k)
        for name, value in net.state_dict().items():
            getattr(theirs, name.replace(".", "_")).data.copy_(torch.from_numpy(value))
        average.update()
        reference.update_parameters(theirs)
        for name, value in average.averages.items():
            expected = getattr(reference.module, name.replace(".", "_")).detach().numpy()
            assert value.dtype == expected.dtype
            rtol = 1e-12 if dtype == np.float64 else 1e-5
            np.testing.assert_allclose(value, expected, rtol=rtol, atol=rtol)
    assert average.updates == int(reference.n_averaged)


def test_a_warm_up_forgets_the_first_weights():
    net = Net()
    average = optim.ExponentialMovingAverage(net, 0.5, warmup=True)
    expected = None
    for n in range(20):
        walk(net, n)
        average.update()
        beta = min(0.5, (1 + n) / (10 + n))
        w = net.linear.weight.data
        expected = w.copy() if expected is None else beta * expected + (1 - beta) * w
        np.testing.assert_allclose(average.averages["linear.weight"], expected, rtol=1e-12)


def trained(steps=5, **options):
    net = Net()
    average = optim.ExponentialMovingAverage(net, 0.9, **options)
    for k in range(steps):
        walk(net, k)
        average.update()
    return net, average


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_the_averages_are_swapped_in_and_out():
    net, average = trained()
    own, arrays = net.state_dict(), [p.data for p in net.parameters()]
    with average.swapped() as module:
        assert module is net
        assert same(net.state_dict(), average.averages)
        assert not same(net.state_dict(), own)
    assert same(net.state_dict(), own)
    assert all(p.data is array for p, array in zip(net.parameters(), arrays))


def test_the_weights_come_back_after_an_error():
    net, average = trained()
    own = net.state_dict()

    def interrupted():
        with average.swapped():
            net.mean.data += 1.0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert same(net.state_dict(), own)
    average.update()


def test_inside_there_is_no_update_and_no_second_swap():
    _, average = trained()
    before = average.state_dict()
    with average.swapped():
        with pytest.raises(RuntimeError, match="not to be averaged"):
            average.update()
        with pytest.raises(RuntimeError, match="already"), average.swapped():
            pass
        assert not same(average.module.state_dict(), {})
    assert same(average.averages, before["averages"])


def test_a_backward_pass_through_swapped_weights_is_noticed():
    net, average = trained()
    loss = (net(np.ones((1, 3)))[0] ** 2).sum()
    loss.backward(retain_graph=True)
    with average.swapped():
        pass
    x = nn.Parameter(np.ones((1, 3)))
    loss = net(x).sum()
    with average.swapped(), pytest.raises(StaleError):
        loss.backward()


def test_averages_are_copies_and_make_a_model():
    net, average = trained()
    walk(net, 9)
    assert not any(np.shares_memory(a, t.data) for a in average.averages.values() for t in net.parameters())
    other = Net()
    other.load_state_dict(average.averages)
    with average.swapped():
        np.testing.assert_array_equal(net(np.ones((1, 3))).data, other(np.ones((1, 3))).data)
    twin = deepcopy(average)
    twin.update()
    assert twin.module is not net
    assert average.updates == twin.updates - 1


def test_what_is_loaded_goes_on_bit_for_bit():
    net, average = trained()
    twin = Net()
    twin.load_state_dict(net.state_dict())
    other = optim.ExponentialMovingAverage(twin, 0.9)
    other.load_state_dict(average.state_dict())
    for k in range(5, 8):
        walk(net, k)
        walk(twin, k)
        average.update()
        other.update()
    assert other.updates == average.updates == 8
    assert same(other.averages, average.averages)


def test_a_state_that_does_not_fit_changes_nothing():
    _, average = trained()
    good = average.state_dict()
    arrays = good["averages"]
    wrong = [
        {},
        None,
        {**good, "updates": -1},
        {**good, "updates": True},
        {**good, "averages": [1]},
        {**good, "averages": {}},
        {**good, "averages": {**arrays, "more": np.ones(1)}},
        {**good, "averages": {**arrays, "mean": np.ones(3)}},
        {**good, "averages": {**arrays, "mean": np.ones(2, np.float32)}},
        {**good, "averages": {**arrays, "mean": [1.0, 2.0]}},
    ]
    for state in wrong:
        with pytest.raises(ValueError, match=r"state|updates|averages"):
            average.load_state_dict(state)
        assert average.updates == good["updates"]
        assert same(average.averages, arrays)


def test_a_module_that_has_changed_is_noticed():
    net, average = trained()
    net.to("float32")
    with pytest.raises(RuntimeError, match=r"linear.weight: expected float64\[2, 3\], got float32\[2, 3\]"):
        average.update()
    with pytest.raises(ValueError, match="float64"), average.swapped():
        pass
    with pytest.raises(ValueError, match="decay"):
        optim.ExponentialMovingAverage(net, 1.5)
