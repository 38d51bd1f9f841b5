"""examples/digits.py: handwritten digits, on real data from the first line to the last."""

import pytest

import nn


@pytest.fixture
def script(example):
    for name in ("sklearn", "matplotlib", "safetensors"):
        pytest.importorskip(name)
    return example("digits")


def test_it_reads_more_than_975_of_1000_digits_and_keeps_what_it_learnt(script, tmp_path, capsys):
    assert script.main(["--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    accuracy = float(said.partition("test accuracy ")[2].partition(",")[0])
    assert accuracy >= 0.975
    assert nn.read_metadata(tmp_path / "digits.safetensors")["test accuracy"] == f"{accuracy:.4f}"
    assert (tmp_path / "digits.png").stat().st_size > 10_000
