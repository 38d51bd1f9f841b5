"""Weight files that PyTorch has written, and ours in PyTorch."""

import numpy as np
import pytest

import nn
from nn import files


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("safetensors.torch")
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_of_pytorch_load_into_the_same_architecture(torch, tmp_path, dtype):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    theirs = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    )
    theirs(torch.randn(8, 3))
    theirs = theirs.to(getattr(torch, dtype)).eval()
    save_file(theirs.state_dict(), tmp_path / "w", metadata={"format": "pt"})
    ours = nn.Sequential(
        nn.Linear(3, 4, bias=False, dtype=dtype),
        nn.BatchNorm1d(4, dtype=dtype),
        nn.ReLU(),
        nn.Linear(4, 2, dtype=dtype),
    ).eval()
    nn.load_weights(ours, tmp_path / "w")
    assert nn.read_metadata(tmp_path / "w") == {"format": "pt"}
    assert ours[1].num_batches_tracked.item() == 1
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name], value.numpy())
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(dtype)
    tolerance = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), tolerance, tolerance)


def test_embeddings_of_pytorch_load(torch, tmp_path):
    from safetensors.torch import save_file

    theirs = torch.nn.Sequential(torch.nn.Embedding(7, 3))
    save_file(theirs.state_dict(), tmp_path / "w")
    ours = nn.Sequential(nn.Embedding(7, 3))
    nn.load_weights(ours, tmp_path / "w")
    np.testing.assert_array_equal(ours[0].weight.data, theirs[0].weight.detach().numpy())


def test_our_weights_load_into_pytorch(torch, tmp_path):
    from safetensors.torch import load_file

    ours = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4))
    nn.save_weights(ours, tmp_path / "w")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    theirs.load_state_dict(load_file(tmp_path / "w"))
    np.testing.assert_array_equal(theirs[0].weight.detach().numpy(), ours[0].weight.data)


@pytest.mark.parametrize("first", ["encoder", "decoder"])
@pytest.mark.parametrize("names", ["all", "one"])
def test_tied_weights_of_pytorch_load_whichever_name_is_in_the_file(torch, tmp_path, first, names):
    from safetensors.torch import save_file, save_model

    def tied(linear, sequential):
        model = sequential()
        for name in sorted(["encoder", "decoder"], key=lambda name: name != first):
            setattr(model, name, linear(3, 3))
        model.decoder.weight = model.encoder.weight
        return model

    torch.manual_seed(0)
    theirs, ours = tied(torch.nn.Linear, torch.nn.Module), tied(nn.Linear, nn.Module)
    if names == "one":
        save_model(theirs, str(tmp_path / "w"))
        assert len(files.read(tmp_path / "w")[0]) == 3
    else:
        save_file({name: value.clone() for name, value in theirs.state_dict().items()}, tmp_path / "w")
        assert len(files.read(tmp_path / "w")[0]) == 4
    nn.load_weights(ours, tmp_path / "w")
    assert ours.encoder.weight is ours.decoder.weight
    for part in ("encoder", "decoder"):
        for name in ("weight", "bias"):
            value = getattr(getattr(theirs, part), name).detach().numpy()
            np.testing.assert_array_equal(getattr(getattr(ours, part), name).data, value)


def test_bfloat16_is_refused_by_name(torch, tmp_path):
    from safetensors.torch import save_file

    save_file(torch.nn.Linear(2, 1).to(torch.bfloat16).state_dict(), tmp_path / "w")
    with pytest.raises(ValueError, match=r"(bias|weight) as BF16, which NumPy does not have.*tensor\.float\(\)"):
        nn.load_weights(nn.Linear(2, 1), tmp_path / "w")
