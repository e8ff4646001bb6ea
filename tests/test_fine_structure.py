"""Statistics of details: numbers worked out by hand, and what they tell apart."""

import numpy as np
import pytest

from kgen.data.scenes import load_scenes
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.fine_structure import fine_structure, fine_structure_network

PER_LEVEL = 12  # 4 statistics of 3 colours


def test_stripes_have_details_of_one_pixel_only():
    # Columns 0 and 255 in turn: means of 2 x 2 are 1/2 everywhere, so d = ±1/2 in lightness and 0
    # in both colours. m = 1/2 + 0.001; mean(d²)/m² = 0.25/0.251001; |∂d/∂y| = 0; |∂d/∂x| = 1.
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    pixels[:, :, 1::2] = 255
    (found,) = fine_structure(pixels)
    assert found.shape == (36,)
    assert found[0:12:3] == pytest.approx([np.log(0.501), 0.25 / 0.251001, 0, 1 / 0.501], abs=1e-5)
    # Colours: nothing but the 0.001 that keeps the logarithm finite.
    assert found[1:3] == pytest.approx([np.log(0.001)] * 2, abs=1e-3)
    assert found[PER_LEVEL] == pytest.approx(np.log(0.001), abs=1e-3)
    assert np.isfinite(found).all()


def test_noise_is_far_and_unseen_pictures_are_near():
    real, unseen = (load_scenes(120, 32, seed=seed).pixels for seed in (0, 1))
    noisy = np.random.default_rng(0).normal(unseen.astype(float), 12).clip(0, 255).astype(np.uint8)
    network = fine_structure_network(real)
    near, far = (frechet_distance(network(real), network(of)) for of in (unseen, noisy))
    assert far > 5 * near
    assert network(real).mean(axis=0) == pytest.approx(np.zeros(36), abs=1e-3)
    assert network(real).std(axis=0).max() == pytest.approx(1, abs=1e-3)


def test_pictures_of_other_sides_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        fine_structure(np.zeros((1, 12, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="multiples of 8"):
        fine_structure(np.zeros((0, 8, 8, 3), np.uint8))
