"""All elementwise optimizers, step by step against PyTorch, and Lion against its formula."""

from itertools import pairwise

import numpy as np
import pytest

import optim
from autograd import Tensor

DECAY = {"weight_decay": 0.1}

#: Name, learning rate and other options, each the same in PyTorch.
CASES = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True, "maximize": True, **DECAY}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.7), "eps": 1e-3, "amsgrad": True, **DECAY}),
    ("Adam", {"lr": 0.01, "maximize": True, **DECAY}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.5, "amsgrad": True, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.01, "betas": (0.5, 0.7), "momentum_decay": 0.1, **DECAY}),
    ("NAdam", {"lr": 0.01, "decoupled_weight_decay": True, "maximize": True, **DECAY}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"lr": 0.01, "betas": (0.5, 0.7), **DECAY}),  # the average is never long enough
    ("RAdam", {"lr": 0.01, "betas": (0.8, 0.99), "decoupled_weight_decay": True, "maximize": True, **DECAY}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.01, "betas": (0.5, 0.7), "eps": 1e-3, "maximize": True, **DECAY}),
    ("Adagrad", {"lr": 0.01}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.5, "eps": 1e-3, **DECAY}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.5, "eps": 1e-3, **DECAY}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.9, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5, "centered": True, **DECAY}),
    ("RMSprop", {"lr": 0.01, "centered": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "maximize": True, **DECAY}),
]
IDS = [f"{name}-{k}" for k, (name, _) in enumerate(CASES)]

#: Of Lion too, which PyTorch does not have.
ALL = [*CASES, ("Lion", {"lr": 0.01}), ("Lion", {"lr": 0.01, "betas": (0.5, 0.7), "maximize": True, **DECAY})]
ALL_IDS = [*IDS, "Lion-1", "Lion-2"]


@pytest.fixture
def torch():
    """PyTorch with float64 as its default: in that it keeps NAdam's product."""
    torch = pytest.importorskip("torch")
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(default)


def starts(dtype):
    """Vectors, Fortran order, every other element, a number, nothing."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        values = rng.normal(size=shape)
        values = values + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else values
        return np.asarray(values, dtype)

    return [draw(7), np.asfortranarray(draw(3, 4)), draw(4, 6)[:, ::2], draw(), draw(0, 3), draw(5)]


def tensor(values):
    """A parameter whose memory lies as that of `values` does, which copies keep."""
    w = Tensor(values, requires_grad=True)
    w._array = values.copy(order="F") if values.flags.f_contiguous else np.repeat(values, 2, axis=-1)[..., ::2]
    return w


def gradients(values, k, steps):
    """Of a changing scale; the last parameter gets none in two steps of three."""
    rng = np.random.default_rng(k)
    scale = 10.0 ** np.sin(k / 5) if k < steps // 2 else 1e-3
    noise = [rng.normal(size=v.shape) for v in values]
    if values[0].dtype.kind == "c":
        noise = [n + 1j * rng.normal(size=n.shape) for n in noise]
    found = [np.asarray(scale * n, v.dtype) for n, v in zip(noise, values)]
    return [None if k % 3 and j == len(found) - 1 else g for j, g in enumerate(found)]


def compared(torch, name, options, values, steps, rtol, atol):
    ours = [tensor(v) for v in values]
    theirs = [torch.from_numpy(np.array(v)).requires_grad_() for v in values]
    optimizer = getattr(optim, name)(ours, **options)
    reference = getattr(torch.optim, name)(theirs, **options, foreach=False)
    arrays = [w.data for w in ours]
    for k in range(steps):
        for w, v, g in zip(ours, theirs, gradients(values, k, steps)):
            w.grad = g
            # complex: our gradient is ∂L/∂x − i ∂L/∂y, PyTorch's is its conjugate
            v.grad = None if g is None else torch.from_numpy(np.array(g.conj()))
        optimizer.step()
        reference.step()
        got = np.concatenate([w.data.ravel() for w in ours])
        expected = torch.cat([v.detach().reshape(-1) for v in theirs]).numpy()
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol)
    assert all(w.data is a and w.dtype == v.dtype for w, a, v in zip(ours, arrays, values))
    for w, state, v in zip(ours, optimizer.state, theirs):
        for key in ("exp_avg", "exp_avg_sq", "exp_inf", "sum", "square_avg", "acc_delta", "grad_avg"):
            assert (key in state) == (key in reference.state[v])
            if key in state:
                assert state[key].dtype == w.dtype
                np.testing.assert_allclose(state[key], reference.state[v][key].numpy(), rtol=100 * rtol, atol=atol)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_float64_is_pytorchs(torch, name, options):
    compared(torch, name, options, starts(np.float64), 100, 1e-12, 1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_float32_is_pytorchs(torch, name, options):
    # v − a² of the centered form cancels: what is left of it differs where operations are in another order
    compared(torch, name, options, starts(np.float32), 100, 1e-4, 1e-4 if options.get("centered") else 1e-5)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_complex_is_pytorchs(torch, name, options):
    compared(torch, name, options, starts(np.complex128), 30, 1e-11, 1e-11)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_parameters_larger_than_a_block_are_pytorchs(torch, name, options):
    large = np.random.default_rng(0).normal(size=(300, 460))
    compared(torch, name, options, [large, large[:, ::2]], 3, 1e-12, 1e-12)


@pytest.mark.parametrize("maximize", [False, True])
def test_lion_follows_its_formula(maximize):
    lr, (beta1, beta2), decay = 0.01, (0.8, 0.95), 0.1
    values = starts(np.float64)
    ours = [tensor(v) for v in values]
    lion = optim.Lion(ours, lr, (beta1, beta2), decay, maximize=maximize)
    m = [np.zeros(v.shape) for v in values]
    for k in range(100):
        for j, g in enumerate(gradients(values, k, 100)):
            ours[j].grad = g
            if g is not None:
                g = -g if maximize else g
                values[j] = values[j] - lr * (np.sign(beta1 * m[j] + (1 - beta1) * g) + decay * values[j])
                m[j] = beta2 * m[j] + (1 - beta2) * g
        lion.step()
        for w, v in zip(ours, values):
            np.testing.assert_allclose(w.data, v, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "options"), ALL, ids=ALL_IDS)
def test_a_large_parameter_is_updated_as_its_parts_are(name, options):
    rng = np.random.default_rng(0)
    values, g = rng.normal(size=(2, 200_000))
    options = {**options, "l1": 0.01}
    whole = Tensor(values, requires_grad=True)
    part = Tensor(values[150_000:150_010], requires_grad=True)
    optimizer, other = getattr(optim, name)([whole], **options), getattr(optim, name)([part], **options)
    for k in range(3):
        whole.grad, part.grad = k * g, k * g[150_000:150_010]
        optimizer.step()
        other.step()
    np.testing.assert_array_equal(whole.data[150_000:150_010], part.data)


@pytest.mark.parametrize(("name", "options"), ALL, ids=ALL_IDS)
def test_numpy_scalars_do_not_widen_and_gradients_are_left_alone(name, options):
    def wide(value):
        if isinstance(value, tuple):
            return tuple(map(np.float64, value))
        return np.float64(value) if isinstance(value, float) else value

    w = Tensor(np.ones(3, np.float32), requires_grad=True)
    optimizer = getattr(optim, name)([w], **{key: wide(v) for key, v in options.items()}, l1=np.float64(0.1))
    for _ in range(3):
        w.grad = np.full(3, 2.0, np.float32)
        g = w.grad
        optimizer.step()
        np.testing.assert_array_equal(g, np.full(3, 2.0, np.float32))
    assert w.dtype == np.float32
    assert all(v.dtype == np.float32 for v in optimizer.state[0].values() if isinstance(v, np.ndarray))


@pytest.mark.parametrize(("name", "options"), ALL, ids=ALL_IDS)
def test_momentum_of_a_dead_neuron_does_not_become_denormal(name, options):
    w, z = Tensor(np.ones(4, np.float32), requires_grad=True), Tensor(np.ones(2, np.complex64), requires_grad=True)
    optimizer = getattr(optim, name)([w, z], **options)
    w.grad, z.grad = np.array([1, 0, 1e-15, -1e-15], np.float32), np.array([1 + 1e-15j, 1e-15], np.complex64)
    optimizer.step()
    w.grad = np.zeros(4, np.float32)
    for k in range(2000):
        z.grad = np.array([k % 2, 0], np.complex64)  # only a real part goes on
        optimizer.step()
    arrays = [a for state in optimizer.state for a in state.values() if isinstance(a, np.ndarray)]
    assert arrays or options == {"lr": 0.01}
    for array in arrays:
        parts = np.abs(array.view(array.real.dtype))
        assert ((parts == 0) | (parts >= np.finfo(np.float32).tiny)).all()


@pytest.mark.parametrize(("name", "options"), ALL, ids=ALL_IDS)
def test_all_of_them_go_downhill(name, options):
    w = Tensor([1.0, -2.0], requires_grad=True)
    optimizer = getattr(optim, name)([w], **{**options, "maximize": False, "weight_decay": 0.0})

    def closure():
        optimizer.zero_grad()
        loss = (w * w * np.array([1.0, 3.0])).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(200)]
    assert losses[-1] < 0.999 * losses[0]  # Adadelta is slow at first
    assert all(later < earlier for earlier, later in pairwise(losses[:5]))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Adam", {"betas": (0.9, 1.0)}, r"betas must be two numbers in \[0, 1\)"),
        ("NAdam", {"momentum_decay": -1.0}, "momentum_decay must be at least 0"),
        ("RAdam", {"betas": (-0.1, 0.9)}, "betas"),
        ("Adamax", {"eps": -1.0}, "eps must be at least 0"),
        ("Adagrad", {"lr_decay": -1.0}, "lr_decay"),
        ("Adagrad", {"initial_accumulator_value": float("nan")}, "initial_accumulator_value"),
        ("Adagrad", {"eps": -1.0}, "eps"),
        ("RMSprop", {"alpha": 1.0}, r"alpha must be in \[0, 1\)"),
        ("RMSprop", {"momentum": -0.1}, "momentum"),
        ("RMSprop", {"eps": -1.0}, "eps"),
        ("Adadelta", {"rho": 1.5}, r"rho must be in \[0, 1\]"),
        ("Adadelta", {"eps": -1.0}, "eps"),
        ("Lion", {"betas": (0.9, 0.99, 0.999)}, "betas"),
        ("Lion", {"lr": -1.0}, "learning rate"),
    ],
)
def test_bad_hyper_parameters_are_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(optim, name)([Tensor([1.0], requires_grad=True)], **options)


@pytest.mark.parametrize("options", [{"lr": "fast"}, {"lr": None}, {"eps": None}, {"betas": ("a", "b")}])
def test_hyper_parameters_that_are_no_numbers_are_refused(options):
    with pytest.raises(TypeError, match="Adam has a hyper-parameter of another type than a number"):
        optim.Adam([Tensor([1.0], requires_grad=True)], **options)
