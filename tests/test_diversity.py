"""The diversity of pictures of one caption: numbers by hand, and that it tells."""

import numpy as np
import pytest

from kgen.evaluation.diversity import measure_diversity, measure_diversity_in_pixels
from kgen.evaluation.intervals import bootstrap_interval


def test_by_hand():
    # Real ones at 0, 3 and 9: 3, 9 and 6 apart, 6 on average.
    # Caption 0 at 0, 1, 3: 1, 3, 2 apart, mean 2. Caption 1 at 5, 5, 5: 0. Ratios 1/3 and 0.
    real = np.array([[0.0], [3], [9]])
    generated = np.array([[0.0, 1, 3], [5, 5, 5]])[..., None]
    found = measure_diversity(generated, real)
    assert found.real_distance == pytest.approx(6)
    assert found.of_captions == pytest.approx([1 / 3, 0])
    assert found.ratio == pytest.approx(1 / 6)


def test_real_pictures_of_one_caption_are_no_pair():
    # Of the three pairs above, 0 and 3 have one caption: 9 and 6 apart are left, 7.5 on average.
    real, generated = np.array([[0.0], [3], [9]]), np.array([[[0.0], [3]]])
    found = measure_diversity(generated, real, ["一只红猫", "一只红猫", "a blue cat"])
    assert found.real_distance == pytest.approx(7.5)
    assert found.ratio == pytest.approx(0.4)


def test_identical_pictures_have_none():
    rng = np.random.default_rng(0)
    captions, real = rng.standard_normal((20, 1, 16)), rng.standard_normal((100, 16))
    assert measure_diversity(np.repeat(captions, 4, axis=1), real).ratio == 0
    pixels = rng.integers(0, 256, (6, 1, 8, 8, 3), np.uint8)
    real = rng.integers(0, 256, (10, 8, 8, 3), np.uint8)
    assert measure_diversity_in_pixels(np.repeat(pixels, 3, axis=1), real).ratio == 0


def test_pictures_that_ignore_their_captions_have_all():
    rng = np.random.default_rng(0)
    found = measure_diversity(rng.standard_normal((50, 4, 16)), rng.standard_normal((1100, 16)))
    assert found.ratio == pytest.approx(1, abs=0.05)
    low, high = bootstrap_interval(np.mean, found.of_captions)
    assert low < found.ratio < high


def test_in_pixels_by_hand():
    # Black and white are 255 apart in every value; grey 51 and black 51: 51/255 = 0.2.
    black, grey, white = (np.full((8, 8, 3), v, np.uint8) for v in (0, 51, 255))
    found = measure_diversity_in_pixels(np.stack([[black, grey]]), np.stack([black, white]))
    assert found.real_distance == pytest.approx(255)
    assert found.ratio == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("generated", "real", "captions", "message"),
    [
        (np.ones((3, 1, 2)), np.eye(2), None, "`generated` must be of shape"),
        (np.ones((3, 2)), np.eye(2), None, "`generated` must be of shape"),
        (np.ones((3, 4, 5)), np.eye(2), None, r"`generated` must be of shape \(N, 2\)"),
        (np.ones((3, 4, 2)), np.ones((1, 2)), None, "`real` must be features of 2 pictures"),
        (np.ones((3, 4, 2)), np.ones((5, 2)), None, "`real` must be pictures that differ"),
        (np.ones((3, 4, 2)), np.eye(2), ["猫"], "`captions` must be 2 captions"),
        (np.ones((3, 4, 2)), np.eye(2), "黑猫", "`captions` must be 2 captions"),
        (np.ones((3, 4, 2)), np.eye(2), ["猫", "猫"], "`captions` must be of 2 kinds"),
    ],
)
def test_what_cannot_be_compared_is_told(generated, real, captions, message):
    with pytest.raises(ValueError, match=message):
        measure_diversity(generated, real, captions)


def test_pixels_must_be_pictures():
    pixels = np.zeros((2, 3, 8, 8, 3), np.uint8)
    with pytest.raises(TypeError, match="`real` must be uint8"):
        measure_diversity_in_pixels(pixels, np.zeros((4, 8, 8, 3)))
    with pytest.raises(ValueError, match=r"`generated` must be pictures \(C, K, H, W, 3\)"):
        measure_diversity_in_pixels(pixels[0], pixels[0])
