"""Captions and pictures that find each other: numbers by hand."""

import numpy as np
import pytest

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.caption_match import (
    caption_swap,
    caption_swap_hits,
    contradictions,
    nearest_captions,
    r_precision,
    r_precision_hits,
)

THREE = np.eye(3, dtype="float32")


def test_r_precision_by_hand():
    captions = ["红", "b", "c"]
    assert r_precision(THREE, THREE, captions) == 1.0
    assert r_precision(THREE, np.roll(THREE, 1, axis=0), captions) == 0.0
    # Picture 1 is nearer to caption 0; 0 and 2 are right.
    pictures = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], "float32")
    assert r_precision_hits(pictures, THREE, captions).tolist() == [1, 0, 1]
    assert r_precision(pictures, THREE, captions) == pytest.approx(2 / 3)
    # Equal captions are no rivals.
    equal = THREE[[0, 0, 2]]
    assert r_precision(THREE[[0, 0, 2]], equal, ["红", "红", "c"]) == 1.0
    # With one candidate, the own, nothing can be wrong.
    assert r_precision(pictures, THREE, captions, num_candidates=1) == 1.0


def test_equal_scores_share_the_hit():
    # Every caption scores the same: one of three candidates by chance.
    pictures = np.ones((3, 3), "float32") / np.sqrt(3)
    assert r_precision(pictures, THREE, ["a", "b", "红"]) == pytest.approx(1 / 3)


def test_captions_that_are_no_rivals_are_left_out():
    pictures = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], "float32")
    rivals = np.ones((3, 3), bool)
    rivals[1, 0] = False  # caption 0 does not contradict the second
    assert r_precision(pictures, THREE, ["a", "b", "c"], rivals=rivals) == 1.0


def test_the_number_of_candidates_sets_the_chance():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((2, 1500, 16)).astype("float32")
    captions = [str(i) for i in range(1500)]
    assert r_precision(*vectors, captions, num_candidates=10) == pytest.approx(0.1, abs=0.03)
    assert r_precision(*vectors, captions) == pytest.approx(0.01, abs=0.01)


def test_contradictions_by_hand():
    facts = {
        "time": np.array(["dawn", "dawn", "night", "night"]),
        "birds": np.array(["two", "none", "two", "three"]),
        "states_time": np.array(["yes", "yes", "no", "yes"]),
        "states_birds": np.array(["yes", "no", "yes", "yes"]),
    }
    pictures = CaptionedPictures(np.zeros((4, 2, 2, 3), np.uint8), (("a",),) * 4, facts)
    # Captions: "dawn, two birds", "dawn", "two birds", "night, three birds". A picture of the first
    # obeys the next two as well; the last is of another hour than the first two, and of more
    # birds than the first and the third.
    expected = [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [1, 1, 1, 0]]
    assert contradictions(pictures).astype(int).tolist() == expected
    unknown = CaptionedPictures(pictures.pixels, pictures.captions)
    assert contradictions(unknown).tolist() == (~np.eye(4, dtype=bool)).tolist()


def test_a_caption_without_rivals_does_not_count():
    # The first picture finds its caption, the second the third's; 红 contradicts neither.
    pictures = np.array([[1, 0, 0], [0, 0.6, 0.8], [0, 0, 1]], "float32")
    rivals = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]], bool)
    hits = r_precision_hits(pictures, THREE, ["a", "b", "红"], rivals=rivals)
    assert hits.tolist() == [1.0, 0.0]


def test_nearest_captions_by_hand():
    captions = ["a red cat", "a red dog", "two blue dogs", "a red cat", "红猫", "红狗"]
    # "a red dog" shares 2 of 4 words with "a red cat"; "two blue dogs" shares none with any, so
    # the first of equals; equal captions do not count; 红 is one character of three.
    assert nearest_captions(captions).tolist() == [1, 0, 0, 1, 5, 4]
    rivals = np.ones((6, 6), bool)
    rivals[0, 1] = False
    assert nearest_captions(captions, rivals)[:2].tolist() == [2, 3]
    assert nearest_captions(["x", "x"]).tolist() == [-1, -1]


def test_caption_swap_by_hand():
    captions = ["左边的红猫", "右边的红猫", "a dog here", "a cat here"]
    four = np.eye(4, dtype="float32")
    assert caption_swap(four, four, captions) == 1.0
    # Exchanged within both pairs: nothing fits. Exchanged in one: half.
    assert caption_swap(four[[1, 0, 3, 2]], four, captions) == 0.0
    assert caption_swap_hits(four[[1, 0, 2, 3]], four, captions).tolist() == [0, 0, 1, 1]
    # One picture for all captions never tells two apart.
    assert caption_swap(four[[0, 0, 0, 0]], four, captions) == 0.0
    assert np.isnan(caption_swap(four[:2], four[:2], ["x", "x"]))


def test_caption_swap_of_a_blind_painter_is_a_quarter():
    rng = np.random.default_rng(0)
    pictures, captions = rng.standard_normal((2, 1000, 8)).astype("float32")
    texts = [f"w{i} v{i // 2}" for i in range(1000)]  # 0 with 1, 2 with 3, ...
    assert caption_swap(pictures, captions, texts) == pytest.approx(0.25, abs=0.05)


def test_as_many_captions_as_pictures():
    with pytest.raises(ValueError, match="`captions` must be 3, as many as pictures"):
        r_precision(THREE, THREE, ["a"])
    with pytest.raises(ValueError, match="`caption_vectors` must be 3"):
        caption_swap(THREE, THREE[:2], ["a", "b", "c"])
    with pytest.raises(ValueError, match="`captions` must be 1 or more"):
        r_precision(THREE[:0], THREE[:0], [])
