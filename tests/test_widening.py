"""Weights of narrower layers in wider ones."""

import keras
import numpy as np
import pytest

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.networks.layers import Modulation
from kgen.training import run
from kgen.training.transfer import start_from_model
from kgen.training.widening import widened


def test_a_convolution_by_hand():
    """One channel to two in, one to three out."""
    fresh, trained = np.full((1, 1, 2, 3), 5.0), np.full((1, 1, 1, 1), 7.0)
    wider = widened(keras.layers.Conv2D(3, 1), fresh, trained)
    np.testing.assert_array_equal(wider[0, 0], [[7, 5, 5], [0, 5, 5]])
    # Transposed: out before in.
    fresh, trained = np.full((1, 1, 3, 2), 5.0), np.full((1, 1, 1, 1), 7.0)
    wider = widened(keras.layers.Conv2DTranspose(3, 1), fresh, trained)
    np.testing.assert_array_equal(wider[0, 0], [[7, 0], [5, 5], [5, 5]])


def test_scales_and_shifts_are_widened_apart():
    """Of the new channel both are 0, whatever a fresh layer has."""
    layer = Modulation()
    fresh, trained = np.full((1, 6), 5.0), np.array([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(widened(layer, fresh, trained), [[1, 2, 0, 3, 4, 0]])
    np.testing.assert_array_equal(widened(layer, fresh[0], trained[0]), [1, 2, 0, 3, 4, 0])


@pytest.mark.parametrize(
    "layer, fresh, trained",
    [
        (keras.layers.Conv2D(1, 1), (1, 1, 2, 1), (1, 1, 3, 1)),  # it shrinks
        (keras.layers.Conv2D(2, 1), (1, 1, 2, 1), (1, 1, 1, 2)),  # one grows, one shrinks
        (keras.layers.Conv2D(1, 1), (1, 1, 2, 1), (1, 1, 2, 1)),  # the same
        (keras.layers.Dense(4), (8, 4), (4, 4)),  # behind a Flatten, its inputs lie otherwise
        (keras.layers.Conv2D(1, 1), (1, 1, 2, 1), (2, 1)),  # another kind of weight
    ],
)
def test_what_cannot_be_widened(layer, fresh, trained):
    assert widened(layer, np.zeros(fresh), np.zeros(trained)) is None


def test_a_wider_generator_draws_what_the_narrower_one_drew(tiny_config, tmp_path):
    # Attention normalises over all channels, the new ones too: without it the pictures are equal.
    narrow = tiny_config.updated({
        "training": {"steps": 2},
        "networks": {"word_attention": False, "width": 8, "most_channels": 16},
    })  # fmt: skip
    pixels = np.random.default_rng(3).integers(0, 256, (6, 32, 32, 3)).astype("uint8")
    pictures = CaptionedPictures(pixels, tuple((f"{w} hill",) for w in "a b c d e 山".split()))
    out = run.train(narrow, tmp_path / "run", progress=False, pictures=pictures)
    vocabulary = (out / "vocabulary.txt").read_text().split("\n")[:-1]
    wide = narrow.updated({"networks": {"width": 16}})
    inputs = {
        "token_ids": np.full((2, narrow.text.caption_length), 3, "int32"),
        "noise": np.random.default_rng(0).normal(size=(2, narrow.networks.noise_dim)),
    }
    gans = [run.build_gan(config, len(vocabulary)) for config in (narrow, wide)]
    for gan in gans:
        with pytest.warns(match="started from"):
            start_from_model(gan, vocabulary, out)
    drew, draws = (np.array(gan(inputs)) for gan in gans)
    assert drew.std() > 0.01
    np.testing.assert_allclose(draws, drew, atol=1e-5)
