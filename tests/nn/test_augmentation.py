"""Augmentation: each image its own draw, nothing written to, the same seed the same result."""

import numpy as np
import pytest

import nn
from autograd import Tensor

RANDOM = [
    nn.RandomFlip(),
    nn.RandomFlip(0.3, axis="vertical"),
    nn.RandomCrop(5),
    nn.RandomCrop((6, 9), padding=2, mode="reflect"),
    nn.RandomShift(3),
    nn.RandomShift(2, mode="edge"),
    nn.GaussianNoise(0.1),
    nn.Compose([nn.RandomFlip(), nn.RandomShift(1), nn.GaussianNoise(0.1), nn.Normalize([0.5, 0.4, 0.3], 0.2)]),
]
ALL = [*RANDOM, nn.Normalize(0.5, 0.25), nn.Compose([])]
SHAPE = (40, 8, 9, 3)


def pictures(dtype=np.float64, seed=0):
    images = np.random.default_rng(seed).integers(1, 256, SHAPE)
    return images.astype(dtype) if np.dtype(dtype).kind != "f" else (images / 255).astype(dtype)


@pytest.mark.parametrize("t", ALL, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_result_is_a_new_array_of_the_same_dtype(t, dtype):
    images = pictures(dtype)
    before = images.copy()
    result = t(images, np.random.default_rng(0))
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    assert len(result) == len(images)
    result[...] = 7
    np.testing.assert_array_equal(images, before)
    assert not np.shares_memory(result, images)


@pytest.mark.parametrize("t", ALL, ids=repr)
def test_the_same_seed_gives_the_same_result_for_every_dtype_and_layout(t):
    images = pictures()
    expected = t(images, np.random.default_rng(3))
    np.testing.assert_array_equal(t(images, 3), expected)
    np.testing.assert_array_equal(t(np.asfortranarray(images), 3), expected)
    np.testing.assert_array_equal(t(images[:, ::-1][:, ::-1], 3), expected)
    np.testing.assert_allclose(t(images.astype(np.float32), 3), expected, rtol=1e-5, atol=1e-5)
    images.flags.writeable = False
    np.testing.assert_array_equal(t(images, 3), expected)


@pytest.mark.parametrize("t", RANDOM, ids=repr)
def test_the_generator_goes_on_and_each_image_gets_its_own_draw(t):
    rng = np.random.default_rng(0)
    images = np.repeat(pictures()[:1], 40, axis=0)
    first = t(images, rng)
    assert (first != t(images, rng)).any()
    assert len(np.unique(first.reshape(40, -1), axis=0)) > 1


@pytest.mark.parametrize("t", ALL, ids=repr)
def test_no_images_are_images_too(t):
    result = t(np.zeros((0, 8, 9, 3), np.float32), 0)
    assert result.dtype == np.float32
    assert result.shape == t(pictures(np.float32), 0)[:0].shape


@pytest.mark.parametrize("t", [t for t in RANDOM if not isinstance(t, nn.Compose | nn.GaussianNoise)], ids=repr)
def test_what_moves_pixels_takes_bytes_too(t):
    result = t(pictures(np.uint8), 5)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, np.round(t(pictures(), 5) * 255))


# What each does


@pytest.mark.parametrize(("axis", "number"), [("horizontal", 2), ("vertical", 1)])
def test_a_flip_mirrors_a_share_p_of_the_images(axis, number):
    images = np.random.default_rng(0).random((2000, 3, 4, 2))
    result = nn.RandomFlip(0.3, axis)(images, 0)
    mirrored = np.flip(images, number)
    is_mirrored = (result == mirrored).all(axis=(1, 2, 3))
    is_same = (result == images).all(axis=(1, 2, 3))
    assert (is_mirrored ^ is_same).all()
    assert 0.26 < is_mirrored.mean() < 0.34
    np.testing.assert_array_equal(nn.RandomFlip(1.0, axis)(images), mirrored)
    np.testing.assert_array_equal(nn.RandomFlip(0.0, axis)(images), images)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
def test_each_crop_is_a_window_of_the_padded_image_and_every_window_occurs(mode):
    images = np.arange(1.0, 31.0).reshape(1, 5, 3, 2).repeat(500, axis=0)
    padded = np.pad(images[0], ((1, 1), (1, 1), (0, 0)), mode=mode)
    windows = {padded[i : i + 4, j : j + 2].tobytes() for i in range(4) for j in range(4)}
    assert {result.tobytes() for result in nn.RandomCrop((4, 2), padding=1, mode=mode)(images, 0)} == windows


def test_a_crop_of_the_whole_image_is_the_image():
    np.testing.assert_array_equal(nn.RandomCrop((8, 9))(pictures()), pictures())


def test_a_shift_moves_the_image_and_fills_the_border():
    images = np.zeros((900, 7, 7, 1), np.float32)
    images[:, 3, 3] = 1
    result = nn.RandomShift(2)(images, 0)
    places = np.argwhere(result[..., 0])[:, 1:]
    assert len(places) == 900
    found, counts = np.unique(places, axis=0, return_counts=True)
    assert found.tolist() == [[i, j] for i in range(1, 6) for j in range(1, 6)]
    assert counts.min() > 15, "each shift is as likely as any other"
    np.testing.assert_array_equal(nn.RandomShift(0)(images), images)
    assert (nn.RandomShift(2, mode="edge")(np.ones_like(images), 0) == 1).all()
    assert (nn.RandomShift(2)(np.ones_like(images), 0) == 0).any()


def test_noise_is_normal_and_as_strong_as_said():
    images = np.full((100, 8, 8, 3), 0.25, np.float32)
    noise = nn.GaussianNoise(0.1)(images, 0) - images
    assert abs(noise.mean()) < 0.003
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert len(np.unique(noise[0])) > 100
    np.testing.assert_array_equal(nn.GaussianNoise(0)(images), images)


def test_normalize_treats_each_channel_by_itself():
    images = pictures(np.float32)
    mean, std = images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))
    result = nn.Normalize(mean, std)(images)
    np.testing.assert_allclose(result.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(axis=(0, 1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(nn.Normalize(0.5, [1, 2, 4])(images), (images - 0.5) / np.float32([1, 2, 4]), rtol=1e-6)


def test_compose_is_one_after_another_from_one_generator():
    flip, noise, images = nn.RandomFlip(), nn.GaussianNoise(0.1), pictures()
    rng = np.random.default_rng(8)
    expected = noise(flip(images, rng), rng)
    np.testing.assert_array_equal(nn.Compose([flip, noise])(images, 8), expected)
    np.testing.assert_array_equal(nn.Compose([flip, nn.Compose([noise])])(images, 8), expected)
    twice = nn.Compose([noise, noise])(images, 8) - images
    assert twice.std() == pytest.approx(0.1 * 2**0.5, rel=0.03), "the two draws are independent"


def test_they_say_what_they_are():
    t = nn.Compose([nn.RandomCrop(5, 2), nn.GaussianNoise(0.1), nn.Normalize(np.array([0.5, 0.5]), 1)])
    assert repr(t) == (
        "Compose([RandomCrop(size=5, padding=2, mode='constant'), GaussianNoise(std=0.1), "
        "Normalize(mean=[0.5, 0.5], std=1)])"
    )


def test_a_loader_augments_anew_in_each_epoch():
    images, labels = pictures(np.float32), np.arange(40)
    options = {"batch_size": 16, "shuffle": True, "transform": RANDOM[-1], "rng": 0}
    loader, again = nn.DataLoader((images, labels), **options), nn.DataLoader((images, labels), prefetch=2, **options)
    epochs = [list(loader), list(loader)]
    for epoch in epochs:
        for (x, y), (x2, y2) in zip(epoch, again, strict=True):
            np.testing.assert_array_equal(x, x2)
            np.testing.assert_array_equal(y, y2)
    by_label = [np.concatenate([x for x, _ in e])[np.argsort(np.concatenate([y for _, y in e]))] for e in epochs]
    assert (by_label[0] != by_label[1]).any(axis=(1, 2, 3)).all()


# What is refused


@pytest.mark.parametrize("t", ALL[:-1], ids=repr)
def test_what_is_no_batch_of_images_is_refused(t):
    with pytest.raises(ValueError, match=r"got shape \(8, 9, 3\); write image\[None\]"):
        t(pictures()[0])
    with pytest.raises(ValueError, match=r"takes a batch of shape \(N, height, width, channels\), got shape \(8,\)"):
        t(np.zeros(8))
    with pytest.raises(TypeError, match="was given a Tensor"):
        t(Tensor(pictures()))
    with pytest.raises(TypeError, match="was given a list"):
        t([[[[1.0]]]])


@pytest.mark.parametrize("t", [nn.GaussianNoise(0.1), nn.Normalize(0.5, 0.5)], ids=repr)
def test_what_calculates_refuses_bytes(t):
    with pytest.raises(TypeError, match=r"was given uint8: write, for instance, images.astype\(np.float32\) / 255"):
        t(pictures(np.uint8))


def test_a_window_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="cuts out 13 × 9 pixels, and was given images of 8 × 9"):
        nn.RandomCrop((13, 9), padding=2)(pictures())
    assert nn.RandomCrop((12, 13), padding=2)(pictures()).shape == (40, 12, 13, 3)


def test_normalize_knows_its_channels():
    with pytest.raises(ValueError, match=r"has the std of 2 channels, and was given images of shape \(40, 8, 9, 3\)"):
        nn.Normalize(0.5, [1, 1])(pictures())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.RandomFlip(1.5), "p is a probability"),
        (lambda: nn.RandomFlip(float("nan")), "p is a probability"),
        (lambda: nn.RandomFlip(axis="diagonal"), "'horizontal' or 'vertical'"),
        (lambda: nn.RandomCrop(0), "size must be a positive integer"),
        (lambda: nn.RandomCrop((1, 2, 3)), "height, width"),
        (lambda: nn.RandomCrop(4, padding=-1), "padding is a number of pixels"),
        (lambda: nn.RandomCrop(4, mode="mirror"), "'constant', 'edge', 'reflect'"),
        (lambda: nn.RandomShift(1.5), "pixels is a number of pixels"),
        (lambda: nn.RandomShift(1, mode=None), "mode is one of"),
        (lambda: nn.GaussianNoise(-1), "std is a standard deviation"),
        (lambda: nn.GaussianNoise(float("nan")), "std is a standard deviation"),
        (lambda: nn.Normalize(0, 0), "std must be positive"),
        (lambda: nn.Normalize([0, float("nan")], 1), "mean is a finite number"),
        (lambda: nn.Normalize([[0]], 1), "mean is a finite number"),
    ],
)
def test_options_without_a_meaning_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_compose_takes_transforms():
    with pytest.raises(TypeError, match="Compose takes transforms"):
        nn.Compose([nn.RandomFlip])
    with pytest.raises(TypeError, match="Compose takes transforms"):
        nn.Compose(["flip"])
