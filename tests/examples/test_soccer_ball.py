"""examples/soccer_ball.py: a wide network overfits, and each remedy helps. Here on fewer pictures."""

import numpy as np
import pytest


@pytest.fixture
def script(example):
    pytest.importorskip("matplotlib")
    return example("soccer_ball")


def test_the_program_trains_every_network_and_keeps_curves_and_figures(script, tmp_path, capsys):
    assert script.main(["--out", str(tmp_path), "--examples", "40", "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    for setting in script.SETTINGS:
        assert sum(line.startswith(setting.name.ljust(22)) for line in said.splitlines()) == 1
    assert (tmp_path / "soccer_ball.png").stat().st_size > 10_000
    assert (tmp_path / "soccer_ball.txt").read_text().splitlines()[2].startswith("12288-3-2-1, sigmoid")


def test_the_network_of_the_lecture_has_3n_plus_14_parameters(script):
    model = script.SETTINGS[0].network(np.random.default_rng(0))
    assert sum(p.size for p in model.parameters()) == 3 * 12288 + 14


def test_the_wide_network_overfits_and_l2_reduces_it(script):
    rng = np.random.default_rng(0)
    parts = tuple(script.draw(n, rng) for n in (200, 200, 400))
    plain, l2 = (next(s for s in script.SETTINGS if s.name == name) for name in ("12288-256-64-1", "+ L2"))
    history, figures = script.train(plain, parts, epochs=15, seed=0)
    _, better = script.train(l2, parts, epochs=15, seed=0)
    training_loss, training_accuracy, *_, test_loss, _ = figures
    assert training_accuracy == 1
    assert training_loss < 0.05 < 0.6 < test_loss
    assert history.parting() is not None
    assert better[4] < test_loss
