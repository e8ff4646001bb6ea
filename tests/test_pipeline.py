"""From captions to pixels, and back to the folder a model came from."""

import numpy as np
import pytest

from kgen.config import Config
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
