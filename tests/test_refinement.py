"""The best of several pictures, and better ones near it, by a matcher whose scores are known."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

from kgen import generating
from kgen.config import Config
from kgen.matcher import FOLDER, SETTINGS, Matcher, build_matcher
from kgen.model_folder import build_model
from kgen.noise import candidate_noise, sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage
from kgen.refining import FIRST_ANGLE, climb_sphere
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary

CAPTIONS = ["红色的日落景象", "a red boat", "green hills, two birds"]
SIZE, LENGTH, NOISE_DIM, SEED = 32, 12, 8, 5
RED, GREEN = (1, 0, 0), (0, 1, 0)
# The last two are words that only the matcher knows, so that both draw the same candidates.
NAMED = {"red": RED, "green": GREEN, "红": RED, "绿": GREEN, "赤": RED, "翠": GREEN}
WORDS = ("[PAD]", "[UNK]", *NAMED)
COLOURS = np.array([(0, 0, 0), (0, 0, 0), *NAMED.values()], "float32")


class MeanColour(keras.layers.Layer):
    """How bright red, green and blue are, in [0, 1]; float32 (B, 3)."""

    def call(self, image):
        return 0.5 + 0.5 * ops.mean(image, axis=(1, 2))


class NamedColours(keras.layers.Layer):
    """The sum of the colours that are named, and a little grey; float32 (B, 3)."""

    def call(self, token_ids):
        return 0.01 + ops.sum(ops.take(ops.convert_to_tensor(COLOURS), token_ids, axis=0), axis=1)


def colour_matcher(size=SIZE):
    """Scores cos(mean colour of the picture, colour that the caption names)."""
    image = keras.Input((size, size, 3))
    colour = MeanColour()(image)
    ids = keras.Input((LENGTH,), dtype="int32")
    return Matcher(
        WORDS,
        CaptionTokenizer(WORDS, LENGTH),
        keras.Model(image, {"features": colour, "vector": colour}),
        keras.Model(ids, NamedColours()(ids)),
    )


def expected_score(painter, caption, noise):
    """The colour matcher's, worked out by numpy."""
    ids = painter.tokenizer([caption] * len(noise)).numpy()
    image = painter.model({"token_ids": ids, "noise": noise}, training=False).numpy()
    colour = 0.5 + 0.5 * image.mean(axis=(1, 2))
    read = colour_matcher().tokenizer([caption]).numpy()[0]
    named = 0.01 + COLOURS[read].sum(axis=0)
    return colour @ named / np.linalg.norm(colour, axis=1) / np.linalg.norm(named)


@pytest.fixture(scope="module")
def model():
    config = Config.from_dict(
        {
            "name": "tiny",
            "text": {"encoder": "bag", "caption_length": 6, "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": SIZE, "width": 4, "noise_dim": NOISE_DIM},
        }
    )
    vocabulary = learn_vocabulary(CAPTIONS, 100)
    model = build_model(config, len(vocabulary))
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return config, vocabulary, model


@pytest.fixture(scope="module")
def painter(model):
    return TextToImage(*model, matcher=colour_matcher())


# Noise


def test_candidates_are_new_noise_of_seed_and_number_alone():
    noise = candidate_noise(500, 16, seed=7)
    assert noise.dtype == np.float32 and noise.shape == (500, 16)
    assert np.array_equal(noise[:1], sample_noise(1, 16, seed=7))
    assert np.array_equal(noise[:3], candidate_noise(3, 16, seed=7))
    everything = np.concatenate([noise, candidate_noise(500, 16, seed=8)])
    assert len(np.unique(everything, axis=0)) == 1000
    assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03
    # A pair of seeds would be the one seed 7 + 2³² k.
    assert not np.array_equal(noise[1], sample_noise(1, 16, seed=7 + 2**32)[0])


# The best of N


def test_one_candidate_is_what_is_drawn_without_refinement(painter, model):
    plain = TextToImage(*model).generate(CAPTIONS, seed=SEED)
    assert np.array_equal(plain, painter.generate(CAPTIONS, seed=SEED, refine=1))


@pytest.mark.parametrize("refine", [2, 7, 70])  # the last in two batches
def test_the_best_of_n_is_drawn(painter, refine):
    pixels, chosen = painter.generate_chosen(CAPTIONS, seed=SEED, refine=refine)
    noise = []
    for i, (caption, choice) in enumerate(zip(CAPTIONS, chosen)):
        candidates = candidate_noise(refine, NOISE_DIM, SEED + i)
        scores = expected_score(painter, caption, candidates)
        assert choice.candidate == np.argmax(scores)
        assert choice.score == pytest.approx(scores.max(), abs=1e-5)
        noise.append(candidates[np.argmax(scores)])
    drawn = painter.generate_images(painter.tokenizer(CAPTIONS), np.stack(noise))
    assert np.array_equal(pixels, to_pixels(drawn.numpy()))
    if refine > 2:
        assert any(choice.candidate for choice in chosen)


def test_more_candidates_never_match_worse(painter):
    of = [painter.generate_chosen(CAPTIONS, SEED, refine=n)[1] for n in (2, 4, 8)]
    scores = np.array([[choice.score for choice in chosen] for chosen in of])
    assert (np.diff(scores, axis=0) >= -1e-6).all()
    assert (scores[-1] > scores[0]).any()


def test_a_refined_picture_is_the_same_each_time_and_alone(painter):
    settings = {"refine": 5, "refine_steps": 3}
    together, chosen = painter.generate_chosen(CAPTIONS, SEED, **settings)
    assert np.array_equal(together, painter.generate(CAPTIONS, SEED, **settings))
    for i, caption in enumerate(CAPTIONS):
        alone, (choice,) = painter.generate_chosen(caption, SEED + i, **settings)
        assert choice.candidate == chosen[i].candidate
        np.testing.assert_array_equal(choice.noise, chosen[i].noise)
        assert np.abs(alone[0].astype(int) - together[i]).max() <= 1


def test_chinese_captions_choose_by_what_they_say(painter):
    both = [painter.generate([word] * 6, SEED, refine=8).mean(axis=(1, 2)) for word in "赤翠"]
    for_red, for_green = (mean / np.linalg.norm(mean, axis=1, keepdims=True) for mean in both)
    assert (for_red[:, 0] >= for_green[:, 0]).all() and (for_green[:, 1] >= for_red[:, 1]).all()
    assert for_red[:, 0].mean() > for_green[:, 0].mean() + 0.01


def test_post_processing_comes_after_the_choice(painter):
    plain = painter.generate_chosen(CAPTIONS, SEED, refine=6)[1]
    pixels, chosen = painter.generate_chosen(CAPTIONS, SEED, "color=0,upscale=2", refine=6)
    assert pixels.shape == (3, 2 * SIZE, 2 * SIZE, 3)
    assert [c.candidate for c in chosen] == [c.candidate for c in plain]
    assert [c.score for c in chosen] == [c.score for c in plain]  # of colours that are gone now
    assert np.ptp(pixels.astype(int), axis=-1).max() <= 1


# Steps


def test_a_step_by_hand():
    # s(z) = z₂ at z = (2, 0): the gradient (0, 1) lies across z already, so the step goes to
    # 2 (cos a, sin a), and the next, with the same a, to 2 (cos 2a, sin 2a).
    def with_gradient(z):
        return z[0, 1], tf.constant([[0.0, 1.0]])

    z, score = climb_sphere(with_gradient, tf.constant([[2.0, 0.0]]), tf.constant(2))
    a = 2 * FIRST_ANGLE
    np.testing.assert_allclose(z, [[2 * np.cos(a), 2 * np.sin(a)]], atol=1e-6)
    assert float(score) == pytest.approx(2 * np.sin(a), abs=1e-6)
    # Of twenty, eight go to 1.6, which is past the top at π/2 = 1.57 and higher than 1.4 still;
    # those that then lead down halve a, until it is small enough to come nearer.
    z, score = climb_sphere(with_gradient, tf.constant([[2.0, 0.0]]), tf.constant(20))
    np.testing.assert_allclose(z, [[0, 2]], atol=2e-2)


def test_a_step_that_leads_down_is_forgotten():
    calls = []

    def with_gradient(z):  # a gradient that lies: every step lowers the score
        calls.append(z)
        return -tf.constant(float(len(calls))), tf.ones_like(z)

    start = tf.constant([[1.0, 2.0, -1.0]])
    z, score = climb_sphere(with_gradient, start, tf.constant(3))
    np.testing.assert_array_equal(z, start)
    assert float(score) == -1.0
    # Each next one went half as far from the same place.
    angles = [float(tf.reduce_sum(start * z) / tf.norm(start) / tf.norm(z)) for z in calls[1:]]
    np.testing.assert_allclose(np.arccos(angles), FIRST_ANGLE / 2 ** np.arange(3), rtol=1e-2)


def test_steps_raise_the_score_and_keep_the_norm(painter):
    before = painter.generate_chosen(CAPTIONS, SEED, refine=2)[1]
    after = painter.generate_chosen(CAPTIONS, SEED, refine=2, refine_steps=8)[1]
    for caption, old, new in zip(CAPTIONS, before, after):
        assert new.candidate == old.candidate
        assert new.score > old.score + 1e-4
        assert np.linalg.norm(new.noise) == pytest.approx(np.linalg.norm(old.noise), rel=1e-5)
        found = expected_score(painter, caption, new.noise[None])[0]
        assert new.score == pytest.approx(found, abs=1e-5)


# What is said


def test_no_captions_give_no_pictures(painter):
    assert painter.generate([], refine=4).shape == (0, SIZE, SIZE, 3)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"refine": 0}, ValueError, r"`refine` must be an integer in \[1, 1000\]"),
        ({"refine": 1001}, ValueError, r"`refine` must be an integer in \[1, 1000\]"),
        ({"refine": 2.5}, TypeError, "`refine` must be"),
        ({"refine": True}, TypeError, "`refine` must be"),
        ({"refine_steps": -1}, ValueError, r"`refine_steps` must be an integer in \[0, 1000\]"),
        ({"refine_steps": "3"}, TypeError, "`refine_steps` must be"),
    ],
)
def test_numbers_out_of_range(painter, settings, error, match):
    with pytest.raises(error, match=match) as told:
        painter.generate(CAPTIONS, **settings)
    assert "\n" not in str(told.value)


def test_a_model_without_a_matcher_says_how_to_get_one(model, tmp_path):
    painter = TextToImage(*model)
    painter.save(tmp_path)
    for without in (painter, TextToImage.from_preset(tmp_path)):
        assert without.matcher is None
        with pytest.raises(ValueError, match="`refine` must be 1.*received: 4. Run `kgen matcher"):
            without.generate(CAPTIONS, refine=4)
        with pytest.raises(ValueError, match="`refine_steps` must be 0.*received: 2"):
            without.generate(CAPTIONS, refine_steps=2)


def test_a_matcher_of_other_pictures_is_refused(model):
    painter = TextToImage(*model, matcher=colour_matcher(size=16))
    with pytest.raises(ValueError, match=r"`matcher` must be for the model's pictures.*\(16, 16"):
        painter.generate(CAPTIONS, refine=2)


# Folders


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A model with an untrained matcher, the small one."""
    folder = tmp_path_factory.mktemp("model")
    vocabulary = learn_vocabulary(CAPTIONS, 100)
    matcher = build_matcher(vocabulary, (SIZE, SIZE, 3), 9, "small")
    TextToImage(*model, matcher=matcher).save(folder, "float16")
    return folder


def test_the_matcher_is_saved_and_read_with_the_model(folder):
    painter = TextToImage.from_preset(folder)
    assert painter.matcher.size == "small"
    assert painter.matcher.tokenizer.caption_length == 9
    pixels, chosen = painter.generate_chosen(CAPTIONS, SEED, refine=4)
    # Its own scores, of pixels that are rounded to levels of 255.
    scores = painter.matcher.scores(pixels, CAPTIONS)
    np.testing.assert_allclose([choice.score for choice in chosen], scores, atol=0.02)


def test_the_small_matcher_takes_less_than_a_megabyte(tmp_path):
    words = ("[PAD]", "[UNK]", *(f"w{i}" for i in range(1998)))  # as many as it may have
    build_matcher(words, (64, 64, 3), 64, "small").save(tmp_path / FOLDER, "float16")
    sizes = [path.stat().st_size for path in (tmp_path / FOLDER).iterdir()]
    assert len(sizes) == 3 and sum(sizes) < 1_000_000
    assert Matcher.load(tmp_path / FOLDER).size == "small"


def test_an_unknown_size_is_told(folder, tmp_path):
    Matcher.load(folder / FOLDER).save(tmp_path / FOLDER)
    path = tmp_path / FOLDER / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text()) | {"size": "vast"}))
    with pytest.raises(ValueError, match="the settings of a matcher"):
        Matcher.load(tmp_path / FOLDER)


def test_pngs_say_how_they_were_refined(painter, tmp_path):
    paths = generating.write_pictures(painter, CAPTIONS, tmp_path, SEED, refine=3, refine_steps=2)
    chosen = painter.generate_chosen(CAPTIONS, SEED, refine=3, refine_steps=2)[1]
    for path, choice in zip(paths, chosen):
        about = Image.open(path).text
        assert (about["Refine"], about["RefineSteps"]) == ("3", "2")
        assert about["Candidate"] == str(choice.candidate)
        assert about["Score"] == f"{choice.score:.4f}"
    (plain,) = generating.write_pictures(painter, CAPTIONS[:1], tmp_path / "plain", SEED)
    assert not {"Refine", "Score"} & set(Image.open(plain).text)
