"""examples/soccer_images.py: pictures that a person tells apart, and a linear model does not."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def script(example):
    return example("soccer_images")


def test_half_of_the_pictures_show_a_ball_in_no_order(script):
    X, y = script.draw(101, 0)
    assert (X.shape, X.dtype, y.shape, y.dtype) == ((101, 64, 64, 3), np.float32, (101, 1), np.float32)
    assert X.min() >= 0
    assert X.max() <= 1
    assert y.sum() == 51
    assert set(y.ravel()) == {0, 1}
    assert 20 < np.count_nonzero(np.diff(y.ravel())) < 80
    assert script.draw(0)[0].shape == (0, 64, 64, 3)


def test_a_seed_fixes_every_pixel(script):
    X, y = script.draw(20, 3)
    for other in (3, np.random.default_rng(3)):
        again = script.draw(20, other)
        np.testing.assert_array_equal(again[0], X)
        np.testing.assert_array_equal(again[1], y)
    assert (script.draw(20, 4)[0] != X).any(axis=(1, 2, 3)).all()
    assert len(np.unique(X.reshape(20, -1), axis=0)) == 20


def test_the_ball_is_a_truncated_icosahedron(script):
    pentagons, hexagons = script.PENTAGONS, script.HEXAGONS
    assert (len(pentagons), len(hexagons)) == (12, 20)
    for faces in (pentagons, hexagons):
        np.testing.assert_allclose(np.linalg.norm(faces, axis=1), 1, rtol=1e-6)
    to_pentagons, to_hexagons = (np.round(pentagons @ f.T, 4) for f in (pentagons, hexagons))
    for row in to_pentagons:  # five nearest pentagons, at arccos(1/√5)
        assert np.count_nonzero(np.isclose(row, 5**-0.5, atol=1e-3)) == 5
    assert (np.count_nonzero(to_hexagons == to_hexagons.max(), axis=1) == 5).all(), "a pentagon among five hexagons"
    assert (np.count_nonzero(to_hexagons == to_hexagons.max(), axis=0) == 3).all(), "a hexagon between three pentagons"


def test_a_soccer_ball_is_white_with_dark_patches(script):
    shares = []
    for seed in range(20):
        image = np.full((64, 64, 3), 0.5, np.float32)
        script.soccer_ball(image, np.random.default_rng(seed))
        row, column, radius = script.placed(np.random.default_rng(seed))
        inside = image[np.hypot(script.ROWS - row, script.COLUMNS - column) < 0.8 * radius].mean(axis=-1)
        shares.append((inside < 0.2).mean())
        assert inside.max() > 0.5
    assert 0.15 < np.mean(shares) < 0.4
    assert min(shares) > 0.1


def test_each_drawing_function_changes_the_picture_and_none_reaches_beyond_it(script):
    for thing in (script.soccer_ball, *script.OTHERS):
        for seed in range(10):
            image = np.full((64, 64, 3), 0.5, np.float32)
            thing(image, np.random.default_rng(seed))
            assert np.isfinite(image).all()
            assert image.min() > -0.2
            assert image.max() < 1.3
            assert (image != 0.5).any() == (thing is not script.nothing)
    for background in script.BACKGROUNDS:
        image = background(np.random.default_rng(0))
        assert image.shape == (64, 64, 3)
        assert image.dtype == np.float32


def test_brightness_colours_and_single_pixels_do_not_give_the_answer_away(script):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = script.draw(800, 0)
    by_colour = np.concatenate([X.mean(axis=(1, 2)), X.std(axis=(1, 2))], axis=1)
    by_pixel = X[:, 2::4, 2::4].reshape(800, -1)
    for features, bound in ((by_colour, 0.7), (by_pixel, 0.7)):
        model = linear_model.LogisticRegression(C=0.1, max_iter=1000).fit(features[:500], y[:500, 0])
        assert model.score(features[500:], y[500:, 0]) < bound


def test_the_sheet_is_a_picture(script, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "sheet.png"
    assert script.main(["--out", str(out), "--seed", "1"]) == 0
    assert out.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert capsys.readouterr().out == f"{out}\n"
    assert script.main(["--out", str(tmp_path / "nowhere" / "sheet.png")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_it_runs_from_the_command_line():
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "soccer_images.py"), "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "--seed" in done.stdout
