"""Captions with one word in another's place, as wrong captions for D."""

import dataclasses
from math import exp, log

import numpy as np
import pytest
import tensorflow as tf

from kgen.config import Config
from kgen.data.batches import tokenize_captions
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.model_folder import read_model
from kgen.text.tokenizer import CaptionTokenizer
from kgen.training import losses, run
from kgen.training.near_captions import asked_of_generator
from kgen.training.pair_logits import pair_logits
from kgen.training.swapped_words import learn_swaps, with_swapped_word

VOCABULARY = ("[PAD]", "[UNK]", "two", "three", "birds", "两", "三", "只", "鸟", "the")
V = len(VOCABULARY)


def test_swaps_are_learned_from_captions_in_both_languages():
    ids = [np.array([[2, 4, 0, 0], [5, 7, 8, 0]]), np.array([[3, 4, 0, 0], [6, 7, 8, 0]])] * 8
    swaps = learn_swaps(ids, VOCABULARY)
    assert swaps.shape == (V, 8) and swaps.dtype == np.int32
    others = {VOCABULARY[i]: [VOCABULARY[j] for j in row if j] for i, row in enumerate(swaps)}
    assert {word: of for word, of in others.items() if of} == {
        "two": ["three"], "three": ["two"], "两": ["三"], "三": ["两"],
    }  # fmt: skip


def test_a_swap_by_hand():
    swaps = np.zeros((6, 2), "int32")
    swaps[2], swaps[3] = (3, 4), (5, 0)
    token_ids = np.array([[2, 1, 3, 0], [2, 1, 3, 0], [2, 2, 2, 2], [1, 4, 0, 0]], "int32")
    # Places with others: 0 and 2 in the first two rows; all four in the third; none in the last.
    draws = np.array([[0.4, 0.6], [0.5, 0.9], [0.9999999, 0.0], [0.5, 0.5]], "float32")
    swapped, has_one = with_swapped_word(token_ids, swaps, draws)
    np.testing.assert_array_equal(
        swapped, [[4, 1, 3, 0], [2, 1, 5, 0], [2, 2, 2, 3], [1, 4, 0, 0]]
    )
    assert np.array(has_one).tolist() == [True, True, True, False]


def test_contrast_with_swapped_captions_by_hand():
    """cos(f_1, c_1) = 1, cos(f_1, c_2) = 0, cos(f_1, c'_1) = 1; the second has no swap."""
    e = np.eye(2, dtype="float32")
    swapped = np.array([[3.0, 0.0], [0.0, 1.0]], "float32"), np.array([True, False])
    loss = losses.contrastive_loss(e, e, e > 0, scale=2.0, swapped=swapped)
    # Picture 1: log((2e² + 1)/e²); picture 2 and both captions: log((e² + 1)/e²).
    expected = (log(2 + exp(-2)) + 3 * log(1 + exp(-2))) / 4
    assert float(loss) == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def gan(tiny_config):
    swaps = np.zeros((V, 8), "int32")
    swaps[2, 0], swaps[3, 0] = 3, 2
    config = tiny_config.updated({"training": {"mismatches": "swapped"}})
    return run.build_gan(config, V, swaps=swaps)


def test_d_rejects_the_swapped_caption_beside_another_pictures(gan, tiny_config):
    """Against D called with each picture and caption, one by one."""
    length, size = tiny_config.text.caption_length, tiny_config.networks.image_size
    t = np.zeros((3, length), "int32")
    t[0, :2], t[1, :2], t[2, :1] = (2, 4), (4, 3), (8,)
    x = np.random.default_rng(1).uniform(-1, 1, (3, size, size, 3)).astype("float32")
    c, same = gan.encoder(t)["caption_vector"], losses.same_captions(t)
    swapped = gan._read(tf.constant(t))[1]
    assert np.array(swapped.has_one).tolist() == [True, True, False]
    t_swapped = t.copy()
    t_swapped[0, 0], t_swapped[1, 1] = 3, 2  # each has one place and one other
    c_swapped = gan.encoder(t_swapped)["caption_vector"]
    np.testing.assert_allclose(swapped.text["caption_vector"], c_swapped, atol=1e-6)
    y = np.zeros_like(x)
    seen = gan._backbone(tf.concat([x, y], axis=0))
    head = gan.discriminator.get_layer("head")
    real, fake, mismatched, is_mismatch = pair_logits(head, seen, c, same, "swapped", swapped)

    def logits(image, caption_vector):
        image = tf.constant(image)
        return gan.discriminator({"image": image, "caption_vector": caption_vector})["logit"]

    np.testing.assert_allclose(real, logits(x, c), atol=1e-5)
    np.testing.assert_allclose(fake, logits(y, c), atol=1e-5)
    np.testing.assert_allclose(mismatched[:, :1], logits(x, tf.roll(c, 1, axis=0)), atol=1e-5)
    np.testing.assert_allclose(mismatched[:, 1:], logits(x, c_swapped), atol=1e-5)
    assert np.array(is_mismatch).tolist() == [[True, True], [True, True], [True, False]]


def test_g_is_told_by_the_swapped_caption_too(gan, tiny_config):
    length, size = tiny_config.text.caption_length, tiny_config.networks.image_size
    t = np.zeros((2, length), "int32")
    t[:, :2] = (2, 4), (3, 4)
    c, same = gan.encoder(t)["caption_vector"], losses.same_captions(t)
    y = tf.random.stateless_uniform((2, size, size, 3), (1, 2))
    of_real = {"logit": tf.zeros((2, 1)), "contrast": tf.zeros((4,)), "words": tf.zeros((2,))}
    with_swap, _ = gan.generator_loss(y, t, c, same, of_real, gan._read(t)[1].near)
    without, _ = gan.generator_loss(y, t, c, same, of_real)
    assert float(with_swap) > float(without) + 1e-3


def test_a_share_of_the_pictures_is_drawn_for_swapped_captions(gan, tiny_config):
    gan.training = dataclasses.replace(gan.training, swapped_share=0.5)
    t = np.zeros((4, tiny_config.text.caption_length), "int32")
    t[:, :2] = (2, 4), (8, 9), (2, 4), (3, 4)  # the first half, of which the second has no swap
    swapped = gan._read(tf.constant(t))[1]
    asked, text, near = asked_of_generator(tf.constant(t), gan.encoder(t), swapped)
    assert asked[:, 0].numpy().tolist() == [3, 8, 2, 3]
    own, other = gan.encoder(t)["caption_vector"], swapped.text["caption_vector"]
    np.testing.assert_allclose(text["caption_vector"], tf.concat([other[:1], own[1:]], 0))
    np.testing.assert_allclose(near[0], tf.concat([own[:1], other[1:]], 0))
    # D judges each picture with the caption that it was drawn for.
    size = tiny_config.networks.image_size
    x, y = (tf.random.stateless_uniform((4, size, size, 3), (1, seed)) for seed in (1, 2))
    seen = gan._backbone(tf.concat([x, y], axis=0))
    head = gan.discriminator.get_layer("head")
    _, fake, *_ = pair_logits(head, seen, own, losses.same_captions(t), "swapped", swapped)
    c = text["caption_vector"]
    by_hand = gan.discriminator({"image": y, "caption_vector": c})["logit"]
    np.testing.assert_allclose(fake, by_hand, atol=1e-5)


def test_swaps_are_saved_with_the_gan(gan):
    again = type(gan).from_config(gan.get_config())
    np.testing.assert_array_equal(again.swaps, gan.swaps)


def test_without_swaps_one_mismatch_is_left(tiny_config):
    config = tiny_config.updated({"training": {"mismatches": "swapped"}})
    assert run.build_gan(config, V)._read(tf.zeros((2, 6), "int32"))[1] is None


@pytest.mark.parametrize(
    "settings, says",
    [
        ({"networks": {"discriminator": "concatenation"}}, "none or one, where networks.discrim"),
        (
            {"text": {"encoder": "pretrained", "pretrained": "x"}},
            "none or one or all, where text.encoder is pretrained",
        ),
        ({"training": {"mismatches": "one", "swapped_share": 0.5}}, "0 where training.mismatches"),
    ],
)
def test_where_swaps_cannot_be_is_told(settings, says):
    with pytest.raises(ValueError, match=says):
        Config.from_dict({"training": {"mismatches": "swapped"}}).updated(settings)


@pytest.mark.slow
def test_a_resumed_run_swaps_as_an_uninterrupted_one(tiny_config, tmp_path):
    pixels = np.random.default_rng(3).integers(0, 256, (24, 32, 32, 3)).astype("uint8")
    captions = tuple((f"{a} birds", f"{b}只鸟") for a, b in [("two", "两"), ("three", "三")] * 12)
    pictures = CaptionedPictures(pixels, captions)

    def train(out, steps):
        settings = {"mismatches": "swapped", "swapped_share": 0.5, "steps": steps}
        config = tiny_config.updated({"training": settings})
        run.train(config, out, resume=True, progress=False, pictures=pictures)
        return read_model(out)

    whole = train(tmp_path / "whole", 4)
    train(tmp_path / "parts", 2)
    parts = train(tmp_path / "parts", 4)
    for a, b in zip(whole.model.get_weights(), parts.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    swaps = learn_swaps(
        tokenize_captions(CaptionTokenizer.from_config(whole.vocabulary, whole.config.text),
                          captions),
        whole.vocabulary,
    )  # fmt: skip
    assert (swaps > 0).any()
