"""The judge of captions and the distance between sets: numbers by hand, and that they tell."""

import numpy as np
import pytest

from kgen.config import DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.matching import r_precision, train_matcher


def test_frechet_distance_by_hand():
    # One feature: means 1 and 4, variances 2 and 18: 9 + 2 + 18 - 2 √36 = 17.
    one = np.array([[0.0], [2.0]])
    other = np.array([[1.0], [7.0]])
    assert frechet_distance(one, other) == pytest.approx(17.0)
    # Two features that do not vary together, second one equal: only the first counts.
    corners = np.array([[0.0, 0], [0, 1], [2, 0], [2, 1]])  # variances 4/3 and 1/3
    shifted = corners + [3.0, 0.0]
    assert frechet_distance(corners, shifted) == pytest.approx(9.0)
    wide = corners * [2.0, 1.0]  # mean 2 for 1, deviation doubled: 1 + 4/3 (1 - 2)² = 7/3
    assert frechet_distance(corners, wide) == pytest.approx(7 / 3)
    assert frechet_distance(corners, corners) == pytest.approx(0.0, abs=1e-9)


def test_r_precision_by_hand():
    vectors = np.eye(3, dtype="float32")
    captions = ["红", "b", "c"]
    assert r_precision(vectors, vectors, captions) == 1.0
    assert r_precision(vectors, np.roll(vectors, 1, axis=0), captions) == 0.0
    # Picture 1 is nearer to caption 0; 0 and 2 are right.
    pictures = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], "float32")
    assert r_precision(pictures, vectors, captions) == pytest.approx(2 / 3)
    # Equal captions are no rivals.
    assert r_precision(pictures, vectors, ["红", "红", "c"]) == 1.0
    # With one candidate, the own, nothing can be wrong.
    assert r_precision(pictures, vectors, captions, num_candidates=1) == 1.0


def test_the_number_of_candidates_sets_the_chance():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2, 1500, 16)).astype("float32")
    captions = [str(i) for i in range(1500)]
    assert r_precision(*vectors, captions, num_candidates=10) == pytest.approx(0.1, abs=0.03)


def test_a_matcher_tells_colours_in_both_languages():
    rng = np.random.default_rng(0)
    names = (("red", "红色"), ("green", "绿色"), ("blue", "蓝色"), ("white", "白色"))
    colours = np.array([[220, 30, 30], [30, 200, 30], [30, 30, 220], [230, 230, 230]])
    which = rng.integers(0, 4, 512)
    pixels = np.clip(
        colours[which][:, None, None] + rng.normal(0, 20, (512, 16, 16, 3)), 0, 255
    ).astype("uint8")
    pictures = CaptionedPictures(pixels, tuple(names[k] for k in which))
    matcher = train_matcher(pictures, epochs=12)
    for language in (0, 1):
        captions = [names[k][language] for k in which[:40]]
        right = r_precision(
            matcher.picture_vectors(pixels[:40]), matcher.caption_vectors(captions), captions
        )
        assert right > 0.95
        swapped = captions[1:] + captions[:1]
        vectors = matcher.caption_vectors(swapped)
        assert r_precision(matcher.picture_vectors(pixels[:40]), vectors, swapped) < 0.6


@pytest.mark.slow
def test_real_fruit_is_matched_far_above_chance(shared_data):
    data = DataConfig(path=str(shared_data / "pomology128.zip"))
    matcher = train_matcher(load_pictures(data, 32))
    test = load_pictures(data, 32, split="test")
    captions = [several[0] for several in test.captions]
    pictures = matcher.picture_vectors(test.pixels[:])
    assert r_precision(pictures, matcher.caption_vectors(captions), captions) > 0.1
