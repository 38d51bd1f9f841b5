"""A network of many kinds of layers, against the same one in PyTorch: names, outputs, two orders of gradients."""

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")

X = np.random.default_rng(0).normal(size=(7, 6))
CLASSES = np.arange(7) % 3
WEIGHT = np.array([1.0, 2.0, 0.5])


def network(kind):
    """The same arguments for both libraries."""
    return kind.Sequential(
        *(kind.Linear(6, 8), kind.BatchNorm1d(8), kind.ReLU(), kind.Linear(8, 8, bias=False), kind.LayerNorm(8)),
        *(kind.GELU(), kind.PReLU(8), kind.Linear(8, 8), kind.GroupNorm(2, 8), kind.SiLU(), kind.PReLU()),
        *(kind.RMSNorm(8), kind.Dropout(0.0), kind.Linear(8, 8), kind.BatchNorm1d(8, momentum=None, affine=False)),
        *(
            kind.Mish(),
            kind.Linear(8, 8),
            kind.LayerNorm(8, bias=False),
            kind.ELU(),
            kind.Softplus(),
            kind.Linear(8, 8),
        ),
        *(kind.Tanh(), kind.Linear(8, 8), kind.GLU(), kind.CELU(), kind.SELU(), kind.GELU(approximate="tanh")),
        *(kind.Hardtanh(-2.0, 2.0), kind.LeakyReLU(), kind.Identity(), kind.Linear(4, 3)),
    )


@pytest.fixture
def theirs():
    """PyTorch's, after some steps, so that no running statistic and no parameter is where it starts."""
    generator = torch.Generator().manual_seed(0)
    model = network(torch.nn).double()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    for _ in range(3):
        model(2 * torch.randn(16, 6, generator=generator, dtype=torch.float64) + 1)
    return model


@pytest.fixture
def ours(theirs, tmp_path):
    """Ours, with its weights from a file that PyTorch wrote."""
    pytest.importorskip("safetensors")
    from safetensors.torch import save_file

    save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    model = network(nn).to("float64")
    nn.load_weights(model, tmp_path / "weights.safetensors")
    return model


def test_names_and_outputs_are_the_same(ours, theirs):
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mode in (False, True):
        expected = theirs.train(mode)(torch.tensor(X)).detach().numpy()
        np.testing.assert_allclose(ours.train(mode)(X).numpy(), expected, rtol=1e-10, atol=1e-12)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-12)


@pytest.mark.parametrize("mode", [True, False])
def test_the_gradients_of_a_gradient_are_the_same(ours, theirs, mode):
    ours.train(mode), theirs.train(mode)
    x = torch.tensor(X, requires_grad=True)
    criterion = torch.nn.CrossEntropyLoss(weight=torch.tensor(WEIGHT), label_smoothing=0.1)
    (g,) = torch.autograd.grad(criterion(theirs(x), torch.tensor(CLASSES)), x, create_graph=True)
    (g * g).sum().backward()

    z = Tensor(X, requires_grad=True)
    loss = nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.1)(ours(z), CLASSES)
    ours_g = loss.gradient(z, create_graph=True)
    (ours_g * ours_g).sum().backward()

    np.testing.assert_allclose(ours_g.numpy(), g.detach().numpy(), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(z.grad, x.grad.numpy(), rtol=1e-8, atol=1e-12)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        given = np.zeros(p.shape) if p.grad is None else p.grad
        expected = np.zeros(p.shape) if q.grad is None else q.grad.numpy()
        np.testing.assert_allclose(given, expected, rtol=1e-7, atol=1e-12, err_msg=name)
