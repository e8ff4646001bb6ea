"""Augmentation: every change by hand, gradients through it, and what captions allow."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen.config import AUGMENTATIONS, TrainingConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.model_folder import read_model
from kgen.presets import preset_config
from kgen.training.allowed_augmentations import choose_augmentations
from kgen.training.augmentation import NUM_DRAWS, adapted_chance, augment, overfitting
from kgen.training.run import build_gan, train

COLOUR, CROP, TRANSLATION, FLIP, CUTOUT = 0, 4, 8, 11, 12  # where their draws begin


def draws(**given):
    """All 0.999 (nothing chosen at a chance below it), but for those given as d<place>."""
    values = np.full((1, NUM_DRAWS), 0.999, "float32")
    for name, value in given.items():
        values[0, int(name[1:])] = value
    return values


def row(*values):
    """A picture of one column's height 8 whose rows all hold these 8 values, three times grey."""
    return np.tile(np.array(values, "float32")[None, None, :, None], (1, len(values), 1, 3))


def changed(image, name, chance=0.5, **given):
    return np.asarray(augment(ops.convert_to_tensor(image), (name,), chance, draws(**given)))


RAMP = row(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def test_flip_mirrors_columns_at_half_the_chance():
    np.testing.assert_allclose(changed(RAMP, "flip", d11=0.24), RAMP[:, :, ::-1], atol=1e-6)
    np.testing.assert_allclose(changed(RAMP, "flip", d11=0.26), RAMP, atol=1e-6)


def test_translation_by_hand():
    # 2 · 0 - 1 = -1 of an eighth of 8 pixels: column j shows column j - 1, the first what is
    # outside; 2 · 0.5 - 1 = 0 leaves the rows.
    moved = changed(RAMP, "translation", d8=0.0, d9=0.0, d10=0.5)
    expected = row(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    upright = np.swapaxes(RAMP, 1, 2)
    moved = changed(upright, "translation", d8=0.0, d9=0.5, d10=0.0)
    np.testing.assert_allclose(moved, np.swapaxes(expected, 1, 2), atol=1e-6)


def test_crop_by_hand():
    # u = 0: three quarters of the side, from the very left: column j shows place 0.75 j, so
    # 0.1 + 0.075 j on this ramp.
    cropped = changed(RAMP, "crop", d4=0.0, d5=0.0, d6=0.0, d7=0.3)
    expected = row(*(0.1 + 0.075 * np.arange(8)))
    np.testing.assert_allclose(cropped, expected, atol=1e-6)
    # From the very right: the last column shows the last.
    cropped = changed(RAMP, "crop", d4=0.0, d5=0.0, d6=1.0, d7=0.3)
    np.testing.assert_allclose(cropped[0, 0, -1], [0.8] * 3, atol=1e-6)


def test_flip_of_a_crop_mirrors_the_crop():
    given = {"d4": 0.0, "d5": 0.0, "d6": 0.5, "d7": 0.2}
    crop = changed(RAMP, "crop", **given)
    both = augment(ops.convert_to_tensor(RAMP), ("crop", "flip"), 0.5, draws(**given, d11=0.0))
    np.testing.assert_allclose(both, crop[:, :, ::-1], atol=1e-6)


def test_cutout_by_hand():
    # A square of 4 of 8 pixels about (4, 2): columns 2 to 5, rows 0 to 3.
    cut = changed(RAMP, "cutout", d12=0.0, d13=0.5, d14=0.25)
    expected = RAMP.copy()
    expected[:, 0:4, 2:6] = 0
    np.testing.assert_allclose(cut, expected, atol=1e-6)


def test_colour_by_hand():
    image = np.zeros((1, 2, 2, 3), "float32")
    image[..., 0] = 0.3  # mean over channels 0.1
    middle = {"d1": 0.5, "d2": 0.5, "d3": 0.5}
    np.testing.assert_allclose(changed(image, "colour", d0=0.0, **middle), image, atol=1e-6)
    # Brightness 2 · 0.75 - 1 = ½ of ½.
    brighter = changed(image, "colour", d0=0.0, **{**middle, "d1": 0.75})
    np.testing.assert_allclose(brighter, image + 0.25, atol=1e-6)
    # Saturation 0: grey; saturation 1.5: 0.1 + 1.5 (0.3 - 0.1) = 0.4 and 0.1 - 0.15 = -0.05.
    grey = changed(image, "colour", d0=0.0, **{**middle, "d2": 0.0})
    np.testing.assert_allclose(grey, np.full_like(image, 0.1), atol=1e-6)
    strong = changed(image, "colour", d0=0.0, **{**middle, "d2": 0.75})
    np.testing.assert_allclose(strong[0, 0, 0], [0.4, -0.05, -0.05], atol=1e-6)
    # Contrast ½ about the mean of all, 0.1: 0.1 + ½ · 0.2 = 0.2 and 0.1 - ½ · 0.1 = 0.05.
    weak = changed(image, "colour", d0=0.0, **{**middle, "d3": 0.0})
    np.testing.assert_allclose(weak[0, 0, 0], [0.2, 0.05, 0.05], atol=1e-6)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_chance_0_leaves_all_and_each_picture_is_changed_by_itself(name):
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (64, 16, 16, 3)).astype("float32")
    random = rng.uniform(0, 1, (64, NUM_DRAWS)).astype("float32")
    np.testing.assert_allclose(augment(image, (name,), 0.0, random), image, atol=1e-6)
    often = np.asarray(augment(image, (name,), 0.5, random))
    moved = np.abs(often - image).max(axis=(1, 2, 3)) > 1e-4
    assert 8 <= moved.sum() <= 44  # half of 64; a quarter where the flip has half the chance
    alone = np.asarray(augment(image[5:6], (name,), 0.5, random[5:6]))
    np.testing.assert_allclose(alone[0], often[5], atol=1e-6)


def test_gradients_reach_the_picture():
    rng = np.random.default_rng(0)
    image = tf.constant(rng.uniform(-1, 1, (8, 16, 16, 3)), tf.float32)
    random = tf.constant(rng.uniform(0, 1, (8, NUM_DRAWS)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = tf.reduce_sum(augment(image, AUGMENTATIONS, 1.0, random) ** 2)
    gradient = tape.gradient(loss, image).numpy()
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=(1, 2, 3)) > 0).all()


# Adapting


def test_overfitting_and_the_chance_by_hand():
    # Three of four logits positive: (3 - 1) / 4 = 0.5 < 0.6, so the chance falls by 4 / 100 000.
    r = overfitting(np.array([[2.0], [0.1], [-3.0], [1.0]], "float32"))
    assert float(r) == 0.5
    np.testing.assert_allclose(adapted_chance(0.3, r, 4, 0.8), 0.29996)
    np.testing.assert_allclose(adapted_chance(0.3, 1.0, 4, 0.8), 0.30004)
    np.testing.assert_allclose(adapted_chance(0.8, 1.0, 1000, 0.8), 0.8)  # clamped
    np.testing.assert_allclose(adapted_chance(0.001, -1.0, 1000, 0.8), 0.0)


def trained(config, batch, steps):
    gan = build_gan(config, 20, config.training.augmentation_names())
    for _ in range(steps):
        logs = gan.train_step(batch)
    return gan, logs


def test_the_chance_is_kept_with_the_weights(tiny_config, tmp_path):
    config = tiny_config.updated({"training": {"augmentations": "auto"}})
    rng = np.random.default_rng(0)
    batch = {
        "image": tf.constant(rng.uniform(-1, 1, (4, 32, 32, 3)), tf.float32),
        "token_ids": tf.constant(rng.integers(2, 20, (4, 6)), tf.int32),
    }
    gan, logs = trained(config, batch, 3)
    assert float(logs["augmentation_chance"]) == float(gan.augmentation_chance.numpy())
    gan.augmentation_chance.assign(0.25)
    gan.save_weights(tmp_path / "a.weights.h5")
    other = build_gan(config, 20, config.training.augmentation_names())
    other.load_weights(tmp_path / "a.weights.h5")
    assert float(other.augmentation_chance.numpy()) == 0.25
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(gan))
    assert tuple(again.augmentations) == AUGMENTATIONS

    fixed = config.updated({"training": {"augmentation_adapts": False}})
    gan, logs = trained(fixed, batch, 1)
    assert float(logs["augmentation_chance"]) == pytest.approx(0.8)
    plain, logs = trained(tiny_config, batch, 1)
    assert "augmentation_chance" not in logs
    assert not hasattr(plain, "augmentation_chance")  # older checkpoints hold none


def test_steps_with_augmentation_repeat(tiny_config):
    config = tiny_config.updated(
        {"training": {"augmentations": "auto", "augmentation_adapts": False}}
    )
    rng = np.random.default_rng(1)
    batch = {
        "image": tf.constant(rng.uniform(-1, 1, (4, 32, 32, 3)), tf.float32),
        "token_ids": tf.constant(rng.integers(2, 20, (4, 6)), tf.int32),
    }
    one, two = (trained(config, batch, 3)[0] for _ in range(2))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    plain = trained(tiny_config, batch, 3)[0]
    assert np.abs(one.generator.get_weights()[0] - plain.generator.get_weights()[0]).max() > 0


# What captions allow


def test_captions_switch_flip_and_colour_off_and_say_why():
    auto = TrainingConfig(augmentations="auto")
    captions = ["a red boat on the left", "右边有一棵树", "a sad cat", "一只猫"]
    used, lines = choose_augmentations(auto, captions, 4)
    assert used == ("translation", "crop", "cutout")
    assert lines == (
        "kgen: augmentation: flip is off, since 2 of 4 captions tell left from right",
        "kgen: augmentation: colour is off, since 1 of 4 captions name a colour or a shade",
        "kgen: augmentation: translation, crop, cutout, each with a chance of up to 80 %",
    )
    used, lines = choose_augmentations(auto, ["a sad cat", "一只猫"], 4)
    assert used == AUGMENTATIONS and len(lines) == 1


def test_pixel_art_is_not_enlarged():
    auto = TrainingConfig(augmentations="auto")
    used, lines = choose_augmentations(auto, ["一只猫"], 4, pixel_size=2)
    assert used == ("flip", "translation", "cutout", "colour")
    assert lines[0] == "kgen: augmentation: crop is off, since it blurs pixel art"
    used, lines = choose_augmentations(TrainingConfig(augmentations="crop"), ["cat"], 4, 2)
    assert used == ("crop",)
    assert lines[0] == "kgen: augmentation: crop is on as asked for, though it blurs pixel art"


def test_what_is_asked_for_by_name_is_used_and_said():
    config = TrainingConfig(augmentations="flip", augmentation_adapts=False)
    used, lines = choose_augmentations(config, ["左边的船"], 4)
    assert used == ("flip",)
    assert lines == (
        "kgen: augmentation: flip is on as asked for, though 1 of 1 captions tell left from right",
        "kgen: augmentation: flip, each with a chance of 80 %",
    )
    assert choose_augmentations(TrainingConfig(), ["左"], 4) == ((), ())


@pytest.mark.slow
def test_a_run_prints_what_it_switched_and_resumes_with_it(tiny_config, tmp_path, capfd):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (10, 32, 32, 3)).astype("uint8")
    captions = tuple((f"左边 the left {word}",) for word in "abcdefghij")
    pictures = CaptionedPictures(pixels, captions)
    short, whole = (
        tiny_config.updated({"training": {"augmentations": "auto", "steps": steps}})
        for steps in (4, 8)
    )
    train(whole, tmp_path / "whole", pictures=pictures)
    told = capfd.readouterr().err
    assert "flip is off, since 10 of 10 captions tell left from right" in told
    assert "translation, crop, cutout, colour, each with a chance of up to 80 %" in told
    train(short, tmp_path / "resumed", pictures=pictures, progress=False)
    train(whole, tmp_path / "resumed", resume=True, pictures=pictures, progress=False)
    ends = [(tmp_path / n / "model.weights.h5") for n in ("whole", "resumed")]
    one, two = (read_model(path.parent).model.get_weights() for path in ends)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_small_sets_are_augmented_unless_told_otherwise():
    config = preset_config("pictures_64").training
    captions = ["a red boat on the left", "a sad cat"]
    used, lines = choose_augmentations(config, captions, 4999)
    assert used == ("translation", "crop", "cutout") and len(lines) == 3
    assert choose_augmentations(config, captions, 5000) == ((), ())
    assert choose_augmentations(TrainingConfig(augmentations="auto"), captions, 5000)[0] == used
