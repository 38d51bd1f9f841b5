"""Soccer ball or not: pictures of 64 × 64 pixels, drawn by this program, for a network to tell apart.

    python examples/soccer_images.py --out sheet.png

Half of the pictures show a soccer ball: a white ball with twelve dark pentagons, somewhere, of some size, turned
somehow, lit from somewhere. The other half show what might be taken for one: plain, orange and striped balls, rings,
chequered and dotted boards, or nothing. The backgrounds are of the same kinds in both: grass, sky, clutter, fog.
So neither a colour nor the brightness of a pixel gives the answer; the pattern does.

    X, y = draw(2000, rng=0)  # (2000, 64, 64, 3) float32 from 0 to 1, and (2000, 1) float32: 1 is a soccer ball
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from datasets import InputError, need

SIZE = 64

Array = np.ndarray[Any, np.dtype[np.float32]]
Rng = np.random.Generator

#: The coordinates of the centres of the pixels.
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE].astype(np.float32)


def draw(n: int, rng: Rng | int | None = None) -> tuple[Array, Array]:
    """`n` pictures of shape (64, 64, 3) with numbers from 0 to 1, and which of them show a soccer ball.

    Parameters
    ----------
    n : int
        If it is even, half of the pictures show a ball; else one more than that.
    rng : numpy.random.Generator, int or None
        The source of the random numbers, or its seed.

    Returns
    -------
    X : float32 array of shape (n, 64, 64, 3)
    y : float32 array of shape (n, 1)
        1 for a soccer ball, 0 for anything else.
    """
    rng = np.random.default_rng(rng)
    y = rng.permutation(np.arange(n) % 2 == 0)
    X = np.empty((n, SIZE, SIZE, 3), np.float32)
    for image, is_ball in zip(X, y):
        image[:] = choose(rng, BACKGROUNDS)(rng)
        thing = soccer_ball if is_ball else choose(rng, OTHERS)
        thing(image, rng)
        finish(image, rng)
    return X, y[:, None].astype(np.float32)


def choose(rng: Rng, among: list[Any]) -> Any:
    return among[rng.integers(len(among))]


def finish(image: Array, rng: Rng) -> None:
    """The camera: how bright the day is, and the noise of its sensor."""
    image *= rng.uniform(0.7, 1.15)
    image += 0.02 * rng.standard_normal(image.shape, dtype=np.float32)
    np.clip(image, 0, 1, out=image)


def paint_over(image: Array, paint: Any, coverage: Array) -> None:
    """Paint where `coverage` is 1, and mix where it is between 0 and 1: edges are smooth."""
    image += coverage[..., None] * (np.asarray(paint, np.float32) - image)


# Colours


def colour(rng: Rng) -> Array:
    return rng.random(3, dtype=np.float32)


def white(rng: Rng) -> Array:
    return (rng.uniform(0.85, 1) + rng.uniform(-0.04, 0.04, 3)).astype(np.float32)


def dark(rng: Rng) -> Array:
    return (rng.uniform(0.02, 0.15) + rng.uniform(0, 0.06, 3)).astype(np.float32)


def mixed(first: Array, second: Array, t: Array) -> Array:
    """The first colour where t is 0, the second where it is 1."""
    return first + np.clip(t, 0, 1)[..., None] * (second - first)


# Backgrounds


def smooth_noise(rng: Rng, cells: int, channels: int) -> Array:
    """Random numbers on a coarse grid, from 0 to 1, and linear between them."""
    grid = rng.random((cells + 1, cells + 1, channels), dtype=np.float32)
    place = np.linspace(0, cells, SIZE, endpoint=False, dtype=np.float32)
    k = place.astype(int)
    t = (place % 1)[:, None, None]
    grid = grid[k] * (1 - t) + grid[k + 1] * t
    t = t.reshape(-1, 1)
    return grid[:, k] * (1 - t) + grid[:, k + 1] * t


def grass(rng: Rng) -> Array:
    """A lawn, mown in stripes, perhaps with a white line."""
    green = np.array([rng.uniform(0.1, 0.3), rng.uniform(0.4, 0.65), rng.uniform(0.08, 0.25)], np.float32)
    angle = rng.uniform(0, np.pi)
    across = math.cos(angle) * COLUMNS + math.sin(angle) * ROWS
    stripes = np.where(np.sin(across * rng.uniform(0.15, 0.4)) > 0, 1.1, 0.9)
    blades = rng.normal(1, 0.12, (SIZE, SIZE))
    image = (green * (stripes * blades)[..., None]).astype(np.float32)
    if rng.random() < 0.3:
        line = np.clip(2.5 - np.abs(across - rng.uniform(across.min(), across.max())), 0, 1)
        paint_over(image, (0.9, 0.92, 0.9), 0.85 * line)
    return image


def sky(rng: Rng) -> Array:
    """From one colour to another."""
    angle = rng.uniform(0, 2 * np.pi)
    t = 0.5 + (math.cos(angle) * (COLUMNS - 32) + math.sin(angle) * (ROWS - 32)) / SIZE
    return mixed(colour(rng), colour(rng), t)


def clutter(rng: Rng) -> Array:
    """Boxes and spots of all colours."""
    image = np.broadcast_to(colour(rng), (SIZE, SIZE, 3)).copy()
    for _ in range(rng.integers(5, 12)):
        row, column = rng.uniform(0, SIZE, 2)
        height, width = rng.uniform(2, 14, 2)
        if rng.random() < 0.6:
            outside = np.maximum(np.abs(ROWS - row) - height, np.abs(COLUMNS - column) - width)
        else:
            outside = np.hypot(ROWS - row, COLUMNS - column) - height
        paint_over(image, rng.choice([colour(rng), np.full(3, rng.random())]), np.clip(0.5 - outside, 0, 1))
    return image


def fog(rng: Rng) -> Array:
    """Clouds of colours."""
    return 0.7 * smooth_noise(rng, 4, 3) + 0.3 * smooth_noise(rng, 16, 1)


BACKGROUNDS = [grass, grass, sky, clutter, fog]


# Balls


def faces_of_a_ball() -> tuple[Array, Array]:
    """Where the middles of the 12 pentagons and 20 hexagons of a truncated icosahedron are, as seen from its centre."""
    golden = (1 + 5**0.5) / 2
    corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    pentagons = np.array([np.roll(corner, k) for corner in corners for k in range(3)]) / np.hypot(1, golden)
    triples = [
        pentagons[[i, j, k]].sum(0)
        for i in range(12)
        for j in range(i)
        for k in range(j)
        if min(pentagons[i] @ pentagons[j], pentagons[j] @ pentagons[k], pentagons[k] @ pentagons[i]) > 0.4
    ]
    hexagons = np.array(triples)
    hexagons /= np.linalg.norm(hexagons, axis=1, keepdims=True)
    return pentagons.astype(np.float32), hexagons.astype(np.float32)


PENTAGONS, HEXAGONS = faces_of_a_ball()


def ball(image: Array, rng: Rng, skin: Callable[[Array, float], Array]) -> None:
    """A ball with its shadow; `skin(points, radius)` is the colour at points of the unit sphere."""
    row, column, radius = placed(rng)
    light = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.9, 0.1), rng.uniform(0.5, 1)], np.float32)
    light /= np.linalg.norm(light)
    shadow_on(image, rng, row, column, radius, light)
    rows = slice(max(int(row - radius - 1), 0), int(row + radius + 2))
    columns = slice(max(int(column - radius - 1), 0), int(column + radius + 2))
    x, y = (COLUMNS[rows, columns] - column) / radius, (ROWS[rows, columns] - row) / radius
    distance = np.hypot(x, y)
    z = np.sqrt(np.maximum(1 - distance**2, 0))
    towards = np.stack([x, y, z], axis=-1)
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0].astype(np.float32)
    ambient = rng.uniform(0.35, 0.6)
    shade = ambient + (1 - ambient) * np.maximum(towards @ light, 0)
    paint_over(
        image[rows, columns],
        skin(towards @ rotation, radius) * shade[..., None],
        np.clip(radius * (1 - distance) + 0.5, 0, 1),
    )


def placed(rng: Rng) -> tuple[float, float, float]:
    """The middle of a thing, row and column, and its radius."""
    radius = rng.uniform(15, 24)
    middle = (SIZE - 1) / 2
    return middle + rng.uniform(-6, 6), middle + rng.uniform(-6, 6), radius


def shadow_on(image: Array, rng: Rng, row: float, column: float, radius: float, light: Array) -> None:
    """A soft ellipse beneath a thing, away from the light."""
    x = (COLUMNS - column + 0.5 * radius * light[0]) / (1.1 * radius)
    y = (ROWS - row - 0.85 * radius) / (0.35 * radius)
    image *= 1 - rng.uniform(0.2, 0.6) * np.clip(1.5 * (1 - np.hypot(x, y)), 0, 1)[..., None]


def soccer_ball(image: Array, rng: Rng) -> None:
    """Dark pentagons and white hexagons: each point belongs to the face in whose direction it lies farthest out."""
    leather, patches = white(rng), dark(rng)
    share = rng.uniform(0.96, 1.01)  # how large the pentagons are

    def skin(points: Array, radius: float) -> Array:
        pentagon = (points @ PENTAGONS.T).max(axis=-1)
        hexagons = np.partition(points @ HEXAGONS.T, (-2, -1), axis=-1)
        first, second = hexagons[..., -1], hexagons[..., -2]
        seam = 1 - (first - second) * radius / 0.9
        inside = (share * pentagon - first) * radius / 0.65 + 0.5
        return mixed(mixed(leather, patches, 0.5 * np.clip(seam, 0, 1)), patches, inside)

    ball(image, rng, skin)


def plain_ball(image: Array, rng: Rng) -> None:
    paint = white(rng) if rng.random() < 0.5 else colour(rng)
    ball(image, rng, lambda points, radius: np.broadcast_to(paint, points.shape))


def orange_ball(image: Array, rng: Rng) -> None:
    """A basketball: dark seams along great circles."""
    orange = np.array([rng.uniform(0.8, 1), rng.uniform(0.35, 0.55), rng.uniform(0.05, 0.2)], np.float32)
    seams = dark(rng)

    def skin(points: Array, radius: float) -> Array:
        x, y, z = np.moveaxis(points, -1, 0)
        nearest = np.minimum(np.minimum(np.abs(x), np.abs(y)), np.abs(np.abs(z) - 0.6 - 0.3 * x * x))
        return mixed(orange, seams, 1.5 - nearest * radius)

    ball(image, rng, skin)


def striped_ball(image: Array, rng: Rng) -> None:
    """Bands around an axis, or the slices of a beach ball; often white and dark as a soccer ball is."""
    first, second = (white(rng), dark(rng)) if rng.random() < 0.6 else (white(rng), colour(rng))
    count, slices = rng.integers(2, 5), rng.random() < 0.5

    def skin(points: Array, radius: float) -> Array:
        x, y, z = np.moveaxis(points, -1, 0)
        wave = np.sin(count * (np.arctan2(y, x) if slices else np.pi * z))
        return mixed(first, second, wave * radius / count + 0.5)

    ball(image, rng, skin)


# Flat things


def flat(rng: Rng, image: Array) -> tuple[Array, Array, float]:
    """Coordinates in pixels around the middle of a thing, turned by some angle, and its radius; its shadow is drawn."""
    row, column, radius = placed(rng)
    shadow_on(image, rng, row, column, radius, rng.uniform(-0.7, 0.7, 3).astype(np.float32))
    angle = rng.uniform(0, 2 * np.pi)
    x, y = COLUMNS - column, ROWS - row
    return math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y, radius


def ring(image: Array, rng: Rng) -> None:
    """One or more circles around each other."""
    x, y, radius = flat(rng, image)
    distance = np.hypot(x, y)
    width = rng.uniform(0.15, 0.6) * radius
    if rng.random() < 0.5:
        paint_over(image, white(rng), np.clip(radius - distance + 0.5, 0, 1))
    paint = rng.choice([white(rng), dark(rng), colour(rng)])
    paint_over(image, paint, np.clip(width / 2 - np.abs(distance - radius + width / 2) + 0.5, 0, 1))


def board(image: Array, rng: Rng) -> None:
    """A square or a disc, white, with dark squares or dots: the colours of a soccer ball, and not its pattern."""
    x, y, radius = flat(rng, image)
    size = 0.85 * radius
    edge = np.hypot(x, y) - radius if rng.random() < 0.3 else np.maximum(np.abs(x), np.abs(y)) - size
    inside = np.clip(0.5 - edge, 0, 1)
    paint_over(image, white(rng) * rng.uniform(0.7, 1), inside)
    step = rng.uniform(0.35, 0.8) * size
    u, v = np.sin(np.pi * x / step), np.sin(np.pi * y / step)
    pattern = u * v if rng.random() < 0.5 else u * v - 0.4
    paint_over(image, dark(rng), inside * np.clip(pattern * step / 2 + 0.5, 0, 1))


def nothing(image: Array, rng: Rng) -> None:
    """Sometimes there is only the background."""


OTHERS = [plain_ball, plain_ball, orange_ball, striped_ball, striped_ball, ring, board, board, nothing]


# The sheet


def contact_sheet(path: Path, X: Array, y: Array) -> None:
    """Write the pictures side by side: with a soccer ball on the left, without on the right."""
    matplotlib = need("matplotlib.figure", "matplotlib")
    figure = matplotlib.Figure(figsize=(12, 6.4), layout="constrained")
    for axes, label, title in zip(figure.subplots(1, 2), (1, 0), ("soccer ball", "no soccer ball")):
        chosen = X[y[:, 0] == label][:64]
        side = int(np.ceil(len(chosen) ** 0.5))
        sheet = np.ones((side * side, SIZE + 2, SIZE + 2, 3), np.float32)
        sheet[: len(chosen), 1:-1, 1:-1] = chosen
        rows = sheet.reshape(side, side, SIZE + 2, SIZE + 2, 3).swapaxes(1, 2)
        axes.imshow(rows.reshape(side * (SIZE + 2), side * (SIZE + 2), 3))
        axes.set_title(title)
        axes.axis("off")
    figure.savefig(path, dpi=150)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw soccer balls, and other things, on a sheet of pictures.")
    parser.add_argument("--out", type=Path, default=Path("sheet.png"), help="the file to write (default: sheet.png)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    options = parser.parse_args(arguments)
    try:
        contact_sheet(options.out, *draw(128, options.seed))
    except (InputError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
