"""A run may start from the weights of another model."""

import warnings

import numpy as np
import pytest

from kgen import model_folder
from kgen.checks import ToldWarning
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.training import run
from kgen.training.transfer import start_from_model


def pictures(words):
    rng = np.random.default_rng(3)
    captions = tuple((f"{a} {b}",) for a in words for b in words if a != b)
    return CaptionedPictures(
        rng.integers(0, 256, (len(captions), 32, 32, 3)).astype("uint8"), captions
    )


@pytest.fixture(scope="module")
def trained(tiny_config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "first"
    config = tiny_config.updated({"training": {"steps": 2}})
    words = ("red", "blue", "hill", "山")
    return run.train(config, out, progress=False, pictures=pictures(words))


VOCABULARY = ("[PAD]", "[UNK]", "山", "red", "moon")


def start(config, trained):
    gan = run.build_gan(config.updated({"training": {"seed": 9}}), len(VOCABULARY))
    with pytest.warns(ToldWarning) as told:
        start_from_model(gan, VOCABULARY, trained)
    return gan, str(told[0].message)


def test_all_networks_start_from_a_run(tiny_config, trained):
    gan, told = start(tiny_config, trained)
    found = model_folder.read_model(trained)
    source = run.build_gan(tiny_config, len(found.vocabulary))
    source.load_weights(trained / run.CHECKPOINT)
    pairs = [
        (gan.generator, found.model.get_layer("generator")),
        (gan.averaged_generator, found.model.get_layer("generator")),
        (gan.discriminator, source.discriminator),
    ]
    for mine, theirs in pairs:
        for layer, same in zip(mine.layers, theirs.layers, strict=True):
            if layer.name != "words":  # of other words
                for a, b in zip(layer.get_weights(), same.get_weights(), strict=True):
                    np.testing.assert_array_equal(a, b)
    assert told.endswith("100 % of the generator; 100 % of the discriminator")


def test_d_keeps_what_it_tells_known_wordpieces_by(tiny_config, trained):
    fresh = run.build_gan(tiny_config.updated({"training": {"seed": 9}}), len(VOCABULARY))
    gan, _ = start(tiny_config, trained)
    known = model_folder.read_model(trained).vocabulary
    source = run.build_gan(tiny_config, len(known))
    source.load_weights(trained / run.CHECKPOINT)
    kernel, bias = gan.discriminator.get_layer("words").get_weights()
    theirs, their_bias = source.discriminator.get_layer("words").get_weights()
    first, _ = fresh.discriminator.get_layer("words").get_weights()
    for i, piece in enumerate(VOCABULARY):
        if piece in known:
            np.testing.assert_array_equal(kernel[:, i], theirs[:, known.index(piece)])
            assert bias[i] == their_bias[known.index(piece)]
        else:
            np.testing.assert_array_equal(kernel[:, i], first[:, i])
    assert "moon" not in known and "山" in known


def test_known_wordpieces_keep_their_vectors_and_new_ones_start_anew(tiny_config, trained):
    gan, told = start(tiny_config, trained)
    found = model_folder.read_model(trained)
    (table,) = gan.encoder.get_layer("embedding").get_weights()
    (known,) = found.model.get_layer("encoder").get_layer("embedding").get_weights()
    for piece in ("山", "red"):
        place = found.vocabulary.index(piece)
        np.testing.assert_array_equal(table[VOCABULARY.index(piece)], known[place])
    fresh = run.build_gan(tiny_config.updated({"training": {"seed": 9}}), len(VOCABULARY))
    (untouched,) = fresh.encoder.get_layer("embedding").get_weights()
    np.testing.assert_array_equal(table[4], untouched[4])
    (averaged,) = gan.averaged_encoder.get_layer("embedding").get_weights()
    np.testing.assert_array_equal(averaged, table)
    assert "100 % of the encoder, 4 of 5 wordpieces" in told  # the two special ones, too


def test_t_starts_anew_where_it_knows_less_than_half_of_the_wordpieces(tiny_config, trained):
    few = ("[PAD]", "[UNK]", "moon", "star", "sky", "red", "云")  # 3 of 7 known
    gan = run.build_gan(tiny_config, len(few))
    first = gan.encoder.get_weights()
    with pytest.warns(ToldWarning, match="no encoder, since of 7 wordpieces it knows 3, 100 % of"):
        start_from_model(gan, few, trained)
    for encoder in (gan.encoder, gan.averaged_encoder):
        for a, b in zip(encoder.get_weights(), first, strict=True):
            np.testing.assert_array_equal(a, b)


def test_what_has_another_shape_starts_anew(tiny_config, trained):
    wider = tiny_config.updated({"networks": {"discriminator_width": 8}})
    gan, told = start(wider, trained)
    assert "100 % of the generator" in told and not told.endswith("100 % of the discriminator")
    kept = gan.discriminator.get_layer("backbone").get_layer("feature").get_weights()
    source = run.build_gan(tiny_config, len(model_folder.read_model(trained).vocabulary))
    source.load_weights(trained / run.CHECKPOINT)
    same = source.discriminator.get_layer("backbone").get_layer("feature").get_weights()
    np.testing.assert_array_equal(kept[0], same[0])  # of the same shape in both


def test_the_discriminator_of_another_picture_size_is_left(tiny_config, trained):
    larger = tiny_config.updated({"networks": {"image_size": 64, "most_channels": 32}})
    gan, told = start(larger, trained)
    assert told.endswith("no discriminator, which knows pictures of 32 pixels")
    fresh = run.build_gan(larger.updated({"training": {"seed": 9}}), len(VOCABULARY))
    for a, b in zip(gan.discriminator.get_weights(), fresh.discriminator.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_new_layers_of_g_begin_softly(tiny_config, trained):
    """At twice the size, the last block is new: it is not modulated, and drawn from at a tenth."""
    larger = tiny_config.updated({"networks": {"image_size": 64, "width": 2, "most_channels": 32}})
    gan, _ = start(larger, trained)
    fresh = run.build_gan(larger.updated({"training": {"seed": 9}}), len(VOCABULARY))
    for place in (1, 2):
        new = gan.generator.get_layer(f"block_64_modulation_{place}").get_weights()
        old = gan.generator.get_layer(f"block_8_modulation_{place}").get_weights()
        assert not any(map(np.any, new)) and np.any(old[0])
    of = [g.get_layer("to_image").get_weights()[0] for g in (gan.generator, fresh.generator)]
    np.testing.assert_allclose(of[0], 0.1 * of[1], rtol=1e-6)


def test_a_model_that_fits_nowhere_is_refused(tiny_config, trained):
    other = tiny_config.updated(
        {"networks": {"width": 2}, "text": {"caption_dim": 4, "embedding_dim": 12}}
    )
    gan = run.build_gan(other, len(VOCABULARY))
    with pytest.raises(ValueError, match="of its generator fits") as error:
        start_from_model(gan, VOCABULARY, trained)  # the last bias alone has the same shape
    assert "\n" not in str(error.value)


def test_a_run_starts_from_a_folder_and_resumes_without_it(tiny_config, trained, tmp_path):
    config = tiny_config.updated({"training": {"steps": 2, "start_from": str(trained)}})
    some = pictures(("red", "moon", "月"))
    with pytest.warns(ToldWarning, match="started from"):
        run.train(config, tmp_path / "run", progress=False, pictures=some)
    longer = config.updated({"training": {"steps": 4}})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ToldWarning)
        run.train(longer, tmp_path / "run", resume=True, progress=False, pictures=some)


def test_a_missing_model_is_told_before_anything_is_written(tiny_config, tmp_path):
    config = tiny_config.updated({"training": {"start_from": "secnes_64"}})
    unread = iter(())  # an empty set would be another error
    with pytest.raises(FileNotFoundError, match="a trained preset or the folder of a run"):
        run.train(config, tmp_path / "run", progress=False, pictures=unread)
    assert not (tmp_path / "run" / "config.json").exists()
