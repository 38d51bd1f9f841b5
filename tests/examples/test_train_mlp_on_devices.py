"""examples/train_mlp.py --device: what it learns is what the CPU learns."""

import json

import numpy as np
import pytest

import nn

for module in ("sklearn", "matplotlib", "tqdm", "safetensors"):
    pytest.importorskip(module)


def trained(script, folder, device):
    """The numbers of a short training, and its weights."""
    arguments = ["--out", folder, "--epochs", 4, "--layers", 6, "--optimizer", "nesterov", "--device", device]
    assert script.main([*map(str, arguments)]) == 0
    model = nn.MLP([30, 6, 1])
    nn.load_weights(model, folder / "weights.safetensors")
    return json.loads((folder / "metrics.json").read_text()), model.state_dict()


def test_it_learns_the_same_on_any_device(example, device, tmp_path):
    script = example("train_mlp")
    found, weights = trained(script, tmp_path / "there", device)
    expected, others = trained(script, tmp_path / "here", "cpu")
    assert found["options"]["device"] == device
    for name, values in expected["history"].items():
        np.testing.assert_allclose(found["history"][name], values, rtol=1e-3)
    for name, values in others.items():
        np.testing.assert_allclose(weights[name], values, rtol=1e-3, atol=1e-5)
