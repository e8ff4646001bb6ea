"""From captions to pixels, and back to the folder a model came from."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kgen.config import Config
from kgen.drawing import MANY, Drawing
from kgen.fast_generator import FastGenerator, doubled, to_four
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.text.vocabulary import learn_vocabulary

CAPTIONS = ["美丽的日落景象", "a snowy night", "the sea at noon, two boats"]


@pytest.fixture(scope="module")
def painter():
    config = Config.from_dict(
        {
            "name": "tiny",
            "text": {"caption_length": 12, "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": 32, "width": 4, "noise_dim": 8},
        }
    )
    vocabulary = learn_vocabulary(CAPTIONS, 100)
    return TextToImage(config, vocabulary, build_model(config, len(vocabulary)))


def test_pixels(painter):
    pixels = painter.generate(CAPTIONS, seed=1)
    assert pixels.shape == (3, 32, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels.std() > 1


def test_caption_and_seed_change_the_picture_and_nothing_else_does(painter):
    first = painter.generate(CAPTIONS[:1], seed=1)
    assert np.array_equal(first, painter.generate(CAPTIONS[0], seed=1))
    assert not np.array_equal(first, painter.generate(CAPTIONS[1], seed=1))
    assert not np.array_equal(first, painter.generate(CAPTIONS[:1], seed=2))


def test_a_picture_is_drawn_alone_as_in_its_batch(painter):
    together = painter.generate(CAPTIONS, seed=4)
    alone = [painter.generate(caption, seed=4 + i)[0] for i, caption in enumerate(CAPTIONS)]
    assert np.abs(together.astype(int) - np.stack(alone)).max() <= 1


def test_compiled_draws_the_same(painter):
    compiled = TextToImage(painter.config, painter.vocabulary, painter.model, jit_compile=True)
    ids, noise = painter.tokenizer(CAPTIONS), sample_noise(3, 8, seed=0)
    expected = painter.generate_images(ids, noise)
    np.testing.assert_allclose(compiled.generate_images(ids, noise), expected, atol=1e-5)


def test_no_caption_gives_no_picture(painter):
    assert painter.generate([]).shape == (0, 32, 32, 3)


def test_noise_is_normal():
    noise = sample_noise(2000, 16, seed=0)
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02


@pytest.mark.parametrize("captions", [[3], [None], [b"bytes"]])
def test_captions_are_strings(painter, captions):
    with pytest.raises(TypeError, match="`captions` must be strings"):
        painter.generate(captions)


@pytest.mark.parametrize("seed", [-1])
def test_seeds_are_not_negative(painter, seed):
    with pytest.raises(ValueError, match="`seed` must be"):
        painter.generate(CAPTIONS, seed=seed)


def test_saved_then_loaded_is_equal(painter, tmp_path):
    painter.save(tmp_path / "model")
    again = TextToImage.from_preset(tmp_path / "model")
    assert again.config == painter.config
    assert again.vocabulary == painter.vocabulary
    assert len(again.hash) == 16
    assert np.array_equal(again.generate(CAPTIONS), painter.generate(CAPTIONS))


def test_half_the_bytes_give_nearly_the_same(painter, tmp_path):
    painter.save(tmp_path / "full")
    painter.save(tmp_path / "half", dtype="float16")
    half = TextToImage.from_preset(tmp_path / "half")
    difference = half.generate(CAPTIONS).astype(int) - painter.generate(CAPTIONS)
    assert 0 < np.abs(difference).max() <= 3
    sizes = [(tmp_path / n / "model.weights.h5").stat().st_size for n in ("half", "full")]
    assert sizes[0] < sizes[1]


def test_a_folder_without_weights_says_so(painter, tmp_path):
    painter.save(tmp_path)
    (tmp_path / "model.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="has no model.weights.h5"):
        TextToImage.from_preset(tmp_path)


def test_weights_of_another_configuration_are_refused(painter, tmp_path):
    painter.save(tmp_path)
    other = painter.config.updated({"networks": {"width": 8}})
    TextToImage(other, painter.vocabulary, build_model(other, len(painter.vocabulary))).save(
        tmp_path / "other"
    )
    (tmp_path / "other" / "model.weights.h5").replace(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match="not the weights of the configuration"):
        TextToImage.from_preset(tmp_path)


# G as many pictures are drawn by


@pytest.mark.parametrize(
    "networks",
    [
        {},
        {"word_attention": False},
        {"pixel_size": 2, "attention_size": 8},
        {"pixel_shuffle": 2, "image_size": 64},
        {"width": 16, "most_channels": 64},  # also transposed convolutions of many channels
    ],
)
def test_many_are_drawn_as_by_the_layers(painter, networks):
    config = painter.config.updated({"networks": networks})
    model = build_model(config, len(painter.vocabulary))
    rng = np.random.default_rng(0)
    model.set_weights([w + 0.05 * rng.standard_normal(w.shape) for w in model.get_weights()])
    inputs = {"token_ids": painter.tokenizer(CAPTIONS * MANY)}
    inputs["noise"] = tf.constant(sample_noise(len(CAPTIONS) * MANY, 8, seed=0))
    expected = model(inputs, training=False)
    assert np.std(expected) > 0.1
    drawn = Drawing(model, painter.post).image_of_ids(inputs["token_ids"], inputs["noise"])
    np.testing.assert_allclose(drawn, expected, atol=1e-5)


def test_many_are_drawn_by_the_weights_that_the_layers_have_now(painter):
    keras.utils.set_random_seed(0)  # sums in another order differ by what the weights are
    generator = build_model(painter.config, len(painter.vocabulary)).get_layer("generator")
    shapes = {name: (2, *tensor.shape[1:]) for name, tensor in generator.input.items()}
    given = {name: tf.random.stateless_normal(shape, (1, 2)) for name, shape in shapes.items()}
    draw = tf.function(FastGenerator(generator))
    before = draw(given).numpy()
    generator.set_weights([0.8 * w + 0.02 for w in generator.get_weights()])
    assert np.abs(draw(given) - before).max() > 0.01
    np.testing.assert_allclose(draw(given), generator(given), atol=1e-5)


def test_convolutions_of_four_pixels_by_hand():
    """One pixel of 1: the kernel itself, laid around it."""
    h = np.zeros((1, 2, 4, 1), "float32")
    h[0, 1, 2] = 1
    up = layers.Conv2DTranspose(1, 4, strides=2, padding="same")
    up.build(h.shape)
    up.set_weights([np.arange(16.0).reshape(4, 4, 1, 1), np.array([100.0])])
    expected = np.full((4, 8), 100.0)
    expected[1:4, 3:7] += np.arange(16).reshape(4, 4)[:3]  # its last row lies outside
    np.testing.assert_array_equal(doubled(tf.constant(h), up)[0, ..., 0], expected)

    conv = layers.Conv2D(1, 3, padding="same")
    conv.build(h.shape)
    conv.set_weights([np.arange(9.0).reshape(3, 3, 1, 1), np.array([100.0])])
    expected = np.full((2, 4), 100.0)
    expected[0:2, 1:4] += np.arange(8, -1, -1).reshape(3, 3)[:2]
    four = tf.nn.depth_to_space(to_four(tf.constant(h), conv), 2)
    np.testing.assert_array_equal(four[0, ..., 0], expected)
