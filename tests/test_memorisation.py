"""Copies of training pictures are found, also changed ones; new pictures are no copies."""

import numpy as np
import pytest

from kgen.evaluation.intervals import bootstrap_interval
from kgen.evaluation.memorisation import (
    distance_ratio,
    measure_memorisation,
    measure_memorisation_in_pixels,
)


@pytest.fixture(scope="module")
def features():
    """400 training, 200 test and 200 new pictures of one kind, in 6 features."""
    return np.split(np.random.default_rng(0).standard_normal((800, 6)), [400, 600])


@pytest.fixture(scope="module")
def pictures():
    """The same in pixels: three soft spots of any colour, 64 x 64."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    places, colours = rng.uniform(8, 56, (600, 3, 2, 1, 1)), rng.uniform(0, 90, (600, 3, 1, 1, 3))
    squared = (y - places[:, :, 0]) ** 2 + (x - places[:, :, 1]) ** 2  # (600, 3, 64, 64)
    spots = np.sum(np.exp(-squared / 150)[..., None] * colours, axis=1)
    return np.split(np.clip(30 + spots, 0, 255).astype(np.uint8), [300, 450])


def test_by_hand():
    # Training at 0 and 10. Generated 1, 9.5, 20: 1, 0.5 and 10 away, median 1. Test 4, 13, -2:
    # 4, 3 and 2 away, median 3. The first percentile of 2, 3, 4 is 2 + 0.02: two of three nearer.
    train, test, generated = (np.array(v)[:, None] for v in ([0, 10.0], [4, 13, -2], [1, 9.5, 20]))
    found = measure_memorisation(generated, train, test)
    assert found.distances.tolist() == [1, 0.5, 10]
    assert found.test_distances.tolist() == [4, 3, 2]
    assert found.nearest.tolist() == [0, 1, 1]
    assert found.ratio == pytest.approx(1 / 3)
    assert found.share_near == pytest.approx(2 / 3)
    assert found.closest_pairs(2) == [(1, 1, 0.5), (0, 0, 1.0)]
    assert found.is_memorised
    assert not measure_memorisation(generated, train, test, 0.3, 0.7).is_memorised
    assert measure_memorisation(generated, train, test, 0.3, 0.6).is_memorised
    assert measure_memorisation(generated, train, test, 0.4, 0.7).is_memorised


def test_copies_are_found(features):
    train, test, _ = features
    found = measure_memorisation(train[:100], train, test)
    assert found.ratio == 0 and found.share_near == 1 and found.is_memorised
    assert found.nearest.tolist() == list(range(100))


def test_near_copies_are_found(features):
    train, test, new = features
    found = measure_memorisation(train[:200] + 0.1 * new, train, test)
    assert found.ratio < 0.5 and found.is_memorised


def test_new_pictures_are_no_copies(features):
    train, test, new = features
    found = measure_memorisation(new, train, test)
    assert found.ratio == pytest.approx(1, abs=0.15)
    assert found.share_near < 0.05
    assert not found.is_memorised
    low, high = bootstrap_interval(distance_ratio, found.distances, found.test_distances)
    assert low < found.ratio < high and low > 0.8


def test_a_few_copies_are_found_by_the_share(features):
    train, test, new = features
    found = measure_memorisation(np.concatenate([train[:30], new[:170]]), train, test)
    assert found.ratio > 0.8
    assert found.share_near == pytest.approx(0.15, abs=0.03)
    assert found.is_memorised


def changed(pixels, how):
    moved = np.pad(pixels, ((0, 0), (4, 0), (4, 0), (0, 0)), mode="edge")[:, :64, :64]
    paler = (0.7 * pixels + 60).astype(np.uint8)
    return {
        "same": pixels,
        "mirrored": pixels[:, :, ::-1],
        "moved": moved,
        "paler": paler,
        "moved and paler": (0.7 * moved + 60).astype(np.uint8),
    }[how]


@pytest.mark.parametrize("how", ["same", "mirrored", "moved", "paler", "moved and paler"])
def test_changed_copies_are_found_in_pixels(pictures, how):
    train, test, _ = pictures
    found = measure_memorisation_in_pixels(changed(train[:40], how), train, test)
    assert found.ratio < 0.5 and found.is_memorised
    assert np.mean(found.nearest == np.arange(40)) > 0.95


def test_new_pictures_are_no_copies_in_pixels(pictures):
    train, test, new = pictures
    found = measure_memorisation_in_pixels(new, train, test)
    assert found.ratio == pytest.approx(1, abs=0.15)
    assert not found.is_memorised
    again = measure_memorisation_in_pixels(new, train, test)
    assert again.distances.tolist() == found.distances.tolist()


def test_what_cannot_be_compared_is_told(features, pictures):
    train, test, new = features
    with pytest.raises(ValueError, match="`test` must be pictures that are not in `train`.*200 of"):
        measure_memorisation(new, train, train[:200])
    with pytest.raises(ValueError, match=r"`train` must be of shape \(N, 6\)"):
        measure_memorisation(new, train[:, :3], test)
    with pytest.raises(ValueError, match="`test` must be features of 1 picture or more"):
        measure_memorisation(new, train, test[:0])
    with pytest.raises(ValueError, match="`least_ratio` must be"):
        measure_memorisation(new, train, test, least_ratio=80)
    with pytest.raises(TypeError, match="`generated` must be uint8"):
        measure_memorisation_in_pixels(pictures[0] / 255, *pictures[:2])
    with pytest.raises(ValueError, match="`test` must be pictures with sides of multiples of 32"):
        measure_memorisation_in_pixels(pictures[2], pictures[0], pictures[1][:, :40, :40])
