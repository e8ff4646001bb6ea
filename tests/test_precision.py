"""Training in half of the bits: what stays in all of them, and what is chosen where."""

import numpy as np
import pytest
import tensorflow as tf

from kgen import model_folder
from kgen.config import PRECISIONS
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.pipeline import TextToImage
from kgen.training import precision, run


def pictures():
    pixels = np.random.default_rng(3).integers(0, 256, (6, 32, 32, 3)).astype("uint8")
    captions = ("red hill", "blue hill", "red 山", "blue 山", "moon 湖", "moon hill")
    return CaptionedPictures(pixels, tuple((caption,) for caption in captions))


def trained(config, out, **settings):
    config = config.updated({"training": settings})
    return run.train(config, out, resume=True, progress=False, pictures=pictures())


@pytest.mark.parametrize("name", PRECISIONS)
def test_weights_losses_and_pictures_are_float32(tiny_config, name):
    gan = run.build_gan(tiny_config.updated({"training": {"precision": name}}), 20)
    x = tf.random.stateless_uniform((4, 32, 32, 3), (0, 0), -1.0, 1.0)
    t = tf.constant(np.random.default_rng(0).integers(1, 20, (4, 6)), tf.int32)
    logs = gan.train_step({"image": x, "token_ids": t})
    assert {v.dtype for v in gan.trainable_variables} == {"float32"}
    assert {value.dtype for value in logs.values()} == {tf.float32}
    assert gan({"token_ids": t, "noise": gan.sample_noise(x)}).dtype == tf.float32
    block = gan.generator.get_layer("block_16_conv")
    assert block.compute_dtype == name
    assert float(gan.penalty(x, x, gan.encoder(t)["caption_vector"])) > 0


def test_float16_scales_what_the_gradients_are_taken_of(tiny_config):
    """Keras' first scale is 2^15, and a gradient of 2^-30 times it is 2^-15, which float16 holds;
    the step is by the gradient itself."""
    gan = run.build_gan(tiny_config.updated({"training": {"precision": "float16"}}), 20)
    optimizer = gan.generator_optimizer
    assert float(optimizer.scale_loss(tf.constant(2.0**-30))) == 2.0**-15
    x, t = tf.zeros((4, 32, 32, 3)), tf.ones((4, 6), tf.int32)
    before = gan.generator.get_weights()
    for _ in range(4):
        gan.train_step({"image": x, "token_ids": t})
    after = gan.generator.get_weights()
    assert int(gan.steps_taken) == 4
    assert all(np.isfinite(weights).all() for weights in after)
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_step_that_float16_leaves_out_is_counted(tiny_config):
    gan = run.build_gan(tiny_config.updated({"training": {"precision": "float16"}}), 20)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        optimizer.dynamic_scale.assign(2.0**120)  # whatever is multiplied by it is infinite
    before = gan.generator.get_weights()
    gan.train_step({"image": tf.zeros((4, 32, 32, 3)), "token_ids": tf.ones((4, 6), tf.int32)})
    assert int(gan.steps_taken) == 1
    assert int(gan.generator_optimizer.iterations) == 0
    assert float(gan.generator_optimizer.dynamic_scale) == 2.0**119
    for a, b in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_resumed_run_in_float16_equals_one_that_was_never_stopped(tiny_config, tmp_path):
    half = tiny_config.updated({"training": {"precision": "float16", "report_interval": 3}})
    whole = trained(half, tmp_path / "a", steps=6)
    trained(half, tmp_path / "b", steps=3)
    parts = trained(half, tmp_path / "b", steps=6)
    weights = [TextToImage.from_preset(out).model.get_weights() for out in (whole, parts)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("seconds", "chosen", "gain"), [(0.5, "bfloat16", "2.0"), (0.9, "float32", "1.1")]
)
def test_what_is_measured_is_chosen_and_said(tiny_config, monkeypatch, seconds, chosen, gain):
    times = {"float32": 1.0, "bfloat16": seconds}
    monkeypatch.setattr(precision, "_seconds_of_convolutions", lambda: times)
    auto = tiny_config.updated({"training": {"precision": "auto"}})
    config, (told,) = precision.with_measured_precision(auto)
    assert config == tiny_config.updated({"training": {"precision": chosen}})
    assert told.startswith(f"kgen: {chosen}, ") and f" {gain} times" in told
    assert precision.with_measured_precision(config) == (config, [])


def test_a_run_goes_on_in_the_precision_that_it_began_in(tiny_config, tmp_path):
    auto = tiny_config.updated({"training": {"precision": "auto"}})
    assert run._as_it_is_there(auto, tmp_path, resume=True) == auto
    found = tiny_config.updated({"training": {"precision": "bfloat16"}})
    model_folder.write_about(tmp_path, found, ("[PAD]", "[UNK]", "山"))
    assert run._as_it_is_there(auto, tmp_path, resume=True) == found
    assert run._as_it_is_there(tiny_config, tmp_path, resume=True) == tiny_config


def test_networks_are_built_in_what_was_measured(tiny_config):
    gan = run.build_gan(tiny_config.updated({"training": {"precision": "auto"}}), 20)
    assert gan.training.precision in precision.OFFERED
    assert gan.generator.get_layer("first").compute_dtype == gan.training.precision


def test_the_measurement_is_of_both():
    assert sorted(precision._seconds_of_convolutions()) == sorted(precision.OFFERED)


def test_a_model_draws_in_any_precision(tiny_config, tmp_path):
    model = model_folder.build_model(tiny_config, 4)
    model_folder.write_model(tmp_path, tiny_config, ("[PAD]", "[UNK]", "山", "red"), model)
    captions = ["red 山", "山"] * 5  # more than a few are drawn by another graph
    full = TextToImage.from_preset(tmp_path).generate(captions).astype(int)
    for name in PRECISIONS:
        painter = TextToImage.from_preset(tmp_path, precision=name)
        far = np.abs(painter.generate(captions) - full)
        assert painter.precision == name
        assert far.max() <= (0 if name == "float32" else 12)
        assert (far.mean() > 0) == (name != "float32")
    with pytest.raises(ValueError, match="`precision` must be a known name, received: 'float8'"):
        TextToImage.from_preset(tmp_path, precision="float8")
