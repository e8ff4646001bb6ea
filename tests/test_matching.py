"""The judge of captions: that it tells, and that it is kept; the distance between sets by hand."""

import numpy as np
import pytest

from kgen.config import DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.evaluation.caption_match import caption_swap, r_precision
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.features import feature_network
from kgen.evaluation.judges import cache_folder, fingerprint, judge_for
from kgen.evaluation.matching import changed_slightly, train_matcher
from kgen.matcher import SETTINGS, WEIGHTS, Matcher
from kgen.networks.matcher import build_image_side

COLOURS = (("red", "红色"), ("green", "绿色"), ("blue", "蓝色"), ("white", "白色"))
SIDES = (("left", "左边"), ("right", "右边"))


@pytest.fixture(scope="module")
def scenes():
    """512 squares of four colours on the left or the right of a dark picture."""
    rng = np.random.default_rng(0)
    rgb = np.array([[220, 30, 30], [30, 200, 30], [30, 30, 220], [230, 230, 230]])
    colour, side = rng.integers(0, 4, 512), rng.integers(0, 2, 512)
    pixels = rng.normal(60, 10, (512, 8, 8, 3))
    for row in range(512):
        pixels[row, 2:6, 1 + 3 * side[row] : 4 + 3 * side[row]] += rgb[colour[row]] - 60
    captions = tuple(
        (f"a {COLOURS[c][0]} square on the {SIDES[s][0]}", f"{SIDES[s][1]}有{COLOURS[c][1]}方块")
        for c, s in zip(colour, side)
    )
    return CaptionedPictures(np.clip(pixels, 0, 255).astype("uint8"), captions)


@pytest.fixture(scope="module")
def matcher(scenes):
    return train_matcher(scenes, epochs=10)


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


def test_a_matcher_tells_colours_and_sides_in_both_languages(scenes, matcher):
    pictures = matcher.picture_vectors(scenes.pixels)
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(np.ones(512), abs=1e-5)
    for language in (0, 1):
        captions = [several[language] for several in scenes.captions]
        vectors = matcher.caption_vectors(captions)
        assert r_precision(pictures, vectors, captions) > 0.95
        assert caption_swap(pictures, vectors, captions) > 0.95
        moved = np.roll(pictures, 1, axis=0)  # each picture with another's caption: chance 1/8
        assert r_precision(moved, vectors, captions) < 0.35
        assert caption_swap(moved, vectors, captions) < 0.35
    assert matcher.scores(scenes.pixels, captions) == pytest.approx(
        np.sum(pictures * vectors, axis=1), abs=1e-5
    )


def test_a_matcher_says_what_it_cannot_judge(scenes, matcher):
    with pytest.raises(ValueError, match=r"`pixels` must be pictures \(N, 8, 8, 3\)"):
        matcher.picture_vectors(np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="`captions` must be 3 captions"):
        matcher.scores(scenes.pixels[:3], ["红色"])
    with pytest.raises(ValueError, match="`pictures` must be 2 or more"):
        train_matcher(scenes.in_memory(np.arange(1)))


def test_a_saved_matcher_is_read_back_equal(scenes, matcher, tmp_path):
    matcher.save(tmp_path / "judge")
    again = Matcher.load(tmp_path / "judge")
    for name in ("picture_vectors", "picture_features"):
        wanted, got = (getattr(m, name)(scenes.pixels[:9]) for m in (matcher, again))
        np.testing.assert_array_equal(wanted, got)
    captions = ["a red square", "左边有红色方块", "nothing known"]
    np.testing.assert_array_equal(
        matcher.caption_vectors(captions), again.caption_vectors(captions)
    )


def test_a_damaged_matcher_is_told(matcher, tmp_path):
    matcher.save(tmp_path / "judge")
    weights = tmp_path / "judge" / WEIGHTS
    good = weights.read_bytes()
    weights.write_bytes(good[: len(good) // 2])
    with pytest.raises(ValueError, match="damaged"):
        Matcher.load(tmp_path / "judge")
    weights.unlink()
    with pytest.raises(FileNotFoundError, match="It has no matcher.weights.h5"):
        Matcher.load(tmp_path / "judge")
    weights.write_bytes(good)
    for text in ("[]", "{}", '{"image_shape": [2, 2, 3], "caption_length": 5}', "no json"):
        (tmp_path / "judge" / SETTINGS).write_text(text)
        with pytest.raises(ValueError, match=SETTINGS):
            Matcher.load(tmp_path / "judge")


def test_a_judge_is_trained_once(scenes, matcher, tmp_path, monkeypatch):
    trained = []

    def train(pictures, epochs, seed, size):
        trained.append(seed)
        return matcher

    monkeypatch.setattr("kgen.evaluation.judges.train_matcher", train)
    assert judge_for(scenes, cache=tmp_path) is matcher
    kept = judge_for(scenes, cache=tmp_path)
    assert trained == [0]
    some = scenes.pixels[:5]
    np.testing.assert_array_equal(matcher.picture_vectors(some), kept.picture_vectors(some))
    judge_for(scenes, seed=1, cache=tmp_path)  # another seed, another judge
    assert trained == [0, 1]
    weights = tmp_path / fingerprint(scenes) / WEIGHTS
    weights.write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="trained anew"):
        judge_for(scenes, cache=tmp_path)
    assert trained == [0, 1, 0]
    Matcher.load(weights.parent)  # whole again


@pytest.mark.slow
def test_the_same_seed_gives_the_same_matcher(scenes):
    few = scenes.in_memory(np.arange(64))
    one, other = (train_matcher(few, epochs=2, seed=3) for _ in range(2))
    np.testing.assert_allclose(
        one.picture_vectors(few.pixels), other.picture_vectors(few.pixels), atol=1e-4
    )


def test_a_cache_that_cannot_be_written_does_no_harm(scenes, matcher, tmp_path, monkeypatch):
    monkeypatch.setattr("kgen.evaluation.judges.train_matcher", lambda *_: matcher)
    (tmp_path / "file").write_text("")  # a file where the folder should be
    with pytest.warns(UserWarning, match="cannot be kept"):
        assert judge_for(scenes, cache=tmp_path / "file") is matcher


def test_the_fingerprint_is_of_pixels_captions_and_settings(scenes, monkeypatch):
    few = scenes.in_memory(np.arange(8))
    first = fingerprint(few)
    assert first == fingerprint(scenes.in_memory(np.arange(8)))
    other = few.pixels.copy()
    other[3, 2, 1, 0] ^= 1
    captions = (("另一个",), *few.captions[1:])
    others = {
        first,
        fingerprint(few, epochs=3),
        fingerprint(few, seed=1),
        fingerprint(few, size="small"),
        fingerprint(CaptionedPictures(other, few.captions)),
        fingerprint(CaptionedPictures(few.pixels, captions)),
        fingerprint(scenes.in_memory(np.arange(7))),
    }
    assert len(others) == 7
    monkeypatch.setenv("KGEN_CACHE", "/somewhere")
    assert str(cache_folder()) == "/somewhere/judges"
    monkeypatch.delenv("KGEN_CACHE")
    monkeypatch.setenv("HOME", "/home/me")
    assert str(cache_folder()) == "/home/me/.cache/kgen/judges"


def test_slight_changes():
    rng = np.random.default_rng(0)
    grey = np.full((6, 16, 16, 3), 255, np.uint8)
    image = changed_slightly(grey, False, rng)
    assert image.dtype == np.float32 and image.shape == grey.shape
    # White is 1; gain and lift are up to a tenth, and one for each picture and channel.
    assert 0.8 <= image.min() < 1 < image.max() <= 1.2
    assert np.ptp(image, axis=(1, 2)) == pytest.approx(np.zeros((6, 3)), abs=1e-6)
    step = np.zeros((64, 16, 16, 3), np.uint8)
    step[:, :, 8:] = 255
    left = changed_slightly(step, False, rng)[:, :, 0].mean((1, 2))
    assert left.max() < -0.7  # never mirrored, and moved by no more than a pixel
    mirrored = changed_slightly(step, True, rng)[:, :, 0].mean((1, 2)) > 0
    assert 12 < mirrored.sum() < 52


@pytest.mark.parametrize("size", [8, 32, 64, 256])
def test_the_image_side_takes_every_size(size):
    side = build_image_side((size, size, 3))
    out = side(np.zeros((2, size, size, 3), "float32"), training=False)
    assert out["features"].shape == (2, 256) and out["vector"].shape == (2, 128)
    assert side.count_params() < 1.5e6


def test_features_of_the_matcher_and_of_inception(scenes, matcher, tmp_path, monkeypatch):
    network = feature_network("matcher", matcher)
    assert network(scenes.pixels[:3]).shape == (3, 256)
    with pytest.raises(ValueError, match="`matcher` must be a trained judge"):
        feature_network("matcher")
    with pytest.raises(ValueError, match="Did you mean `inception`"):
        feature_network("inceptoin")
    with pytest.raises(FileNotFoundError, match="InceptionV3"):
        feature_network("inception", weights=tmp_path / "none.h5")
    monkeypatch.setenv("HOME", "/h")  # short, since long paths are cut in messages
    with pytest.raises(FileNotFoundError, match=r"\.keras"):
        feature_network("inception")


@pytest.mark.slow
def test_inception_gives_2048_features(tmp_path):
    network = feature_network("inception", weights=None)
    assert "not comparable with papers" in network.note
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    features = network(pixels)
    assert features.shape == (2, 2048) and np.isfinite(features).all()
    (tmp_path / "bad.h5").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="InceptionV3"):
        feature_network("inception", weights=tmp_path / "bad.h5")


@pytest.mark.slow
def test_real_fruit_is_matched_far_above_chance(shared_data):
    data = DataConfig(path=str(shared_data / "pomology128.zip"))
    matcher = train_matcher(load_pictures(data, 32), epochs=6)
    test = load_pictures(data, 32, split="test")
    captions = [several[0] for several in test.captions]
    pictures = matcher.picture_vectors(test.pixels[:])
    assert r_precision(pictures, matcher.caption_vectors(captions), captions) > 0.1
