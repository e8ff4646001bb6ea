"""Configurations: JSON in and out, and one clear line for what is wrong."""

import dataclasses
import json

import pytest

from kgen.config import Config, DataConfig, NetworksConfig, TextConfig, TrainingConfig
from kgen.presets import CONFIGS, preset_config

OTHER = {  # a value for every key that is not its default
    "name": "mine",
    "text": {
        "encoder": "lstm",
        "pretrained": "",  # which leaves no other encoder, segmentation or stop words
        "caption_length": 7,
        "vocabulary_size": 99,
        "embedding_dim": 12,
        "caption_dim": 16,
        "segmentation": "words",
        "stop_words": True,
    },
    "networks": {
        "image_size": 128,
        "noise_dim": 9,
        "width": 10,
        "discriminator_width": 11,
        "most_channels": 48,
        "discriminator_most_channels": 49,
        "word_attention": False,
        "attention_size": 8,
        "pixel_size": 4,
        "pixel_shuffle": 2,
        "discriminator": "concatenation",
        "texture_width": 7,
    },
    "training": {
        "steps": 3,
        "batch_size": 5,
        "generator_rate": 0.1,
        "discriminator_rate": 0.2,
        "contrastive_weight": 0.3,
        "diversity_weight": 0.2,
        "word_weight": 0.6,
        "cap_by_real": True,
        "loss": "relativistic",
        "mismatches": "none",
        "swapped_share": 0.0,  # more only with the projection discriminator
        "penalty": "matching_aware",
        "lecam_weight": 0.8,
        "penalty_weight": 0.4,
        "penalty_interval": 6,
        "augmentations": "flip, cutout",
        "augmentation_probability": 0.7,
        "augmentation_adapts": False,
        "averaging": 0.5,
        "start_from": "scenes_64",
        "teacher": "scenes_128",
        "taught_steps": 6,
        "pixel_weight": 1.5,
        "feature_weight": 2.5,
        "head_start": 9,
        "text_held": True,
        "precision": "bfloat16",
        "report_interval": 8,
        "validation": "match",
        "kept_checkpoints": 0,
        "max_rollbacks": 3,
        "seed": 2**31 - 1,
    },
    "data": {
        "path": "红/猫.zip",
        "captions": "en,zh",
        "num_scenes": 13,
        "fit": "pad",
        "background": "#102030",
        "max_bad_share": 0.1,
        "word_vectors": "词向量.txt",
    },
}


def leaves(values, where=()):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*where, key))
        else:
            yield (*where, key), value


def nested(dotted, value):
    for key in reversed(dotted.split(".")):
        value = {key: value}
    return value


def error_of(values, kind):
    with pytest.raises(kind) as raised:
        Config.from_dict(values)
    message = str(raised.value)
    assert "\n" not in message
    return message


# JSON


def test_every_key_survives_json():
    defaults = dict(leaves(Config().to_dict()))
    given = dict(leaves(OTHER))
    assert given.keys() == defaults.keys(), "OTHER must name every key"
    assert [key for key in given if given[key] == defaults[key]] == [
        ("text", "pretrained"), ("training", "swapped_share"),
    ]  # fmt: skip
    config = Config.from_dict(json.loads(json.dumps(OTHER)))
    assert config.to_dict() == OTHER
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_keys_left_out_keep_their_defaults():
    assert Config.from_dict({}) == Config()
    config = Config.from_dict({"networks": {"width": 3}})
    assert config.networks == NetworksConfig(width=3)
    assert config.training == TrainingConfig()


def test_a_whole_number_may_stand_for_a_real_one():
    rate = Config.from_dict({"training": {"generator_rate": 1}}).training.generator_rate
    assert (rate, type(rate)) == (1.0, float)


def test_a_configuration_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().name = "other"


# What is wrong


@pytest.mark.parametrize(
    ("values", "key", "nearest"),
    [
        ({"trainin": {}}, "`trainin`", "`training`"),
        ({"training": {"step": 3}}, "`training.step`", "`steps`"),
        ({"networks": {"image_sise": 64}}, "`networks.image_sise`", "`image_size`"),
        ({"text": {"dim_caption": 64}}, "`text.dim_caption`", "`caption_dim`"),
        ({"training": {"zzz": 3}}, "`training.zzz`", "batch_size"),  # nothing is near: all told
    ],
)
def test_an_unknown_key_names_the_nearest(values, key, nearest):
    message = error_of(values, ValueError)
    assert key in message
    assert nearest in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 3),
        ("name", None),
        ("text.caption_length", 32.0),
        ("text.caption_length", "32"),
        ("text.caption_length", True),
        ("text.encoder", None),
        ("networks.word_attention", 1),
        ("networks.word_attention", "yes"),
        ("networks.image_size", [64]),
        ("training.generator_rate", "0.1"),
        ("training.generator_rate", True),
        ("training.seed", 1.5),
        ("training.precision", 16),
        ("data.path", None),
        ("data.captions", ["en", "zh"]),
    ],
)
def test_a_wrong_type_names_key_and_value(key, value):
    message = error_of(nested(key, value), TypeError)
    assert f"`{key}`" in message
    assert repr(value) in message


@pytest.mark.parametrize("values", [{"text": 3}, {"text": []}, {"text": "bag"}, {"text": None}])
def test_a_part_that_is_no_object_is_named(values):
    assert "`text` must be an object" in error_of(values, TypeError)


def test_no_cap_by_real_pictures_of_swapped_captions():
    settings = {"mismatches": "swapped", "swapped_share": 0.5, "cap_by_real": True}
    with pytest.raises(ValueError, match="`training.cap_by_real` must be false where .* is 0.5"):
        Config.from_dict({"training": settings})


@pytest.mark.parametrize("values", [[], None, "scenes_64", 3])
def test_a_configuration_that_is_no_object_is_refused(values):
    assert "`config` must be an object" in error_of(values, TypeError)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("text.encoder", "bilstn", "`bilstm`"),
        ("text.caption_length", 1, "[2, 512]"),
        ("text.caption_length", 513, "[2, 512]"),
        ("text.vocabulary_size", 7, "[8, 100000]"),
        ("text.embedding_dim", 0, "[4, 4096]"),
        ("text.caption_dim", 0, "[4, 4096]"),
        ("text.caption_dim", 30, "multiple of 4"),
        ("networks.image_size", 48, "32, 64, 128, 256"),
        ("networks.noise_dim", 0, "[1, 4096]"),
        ("networks.pixel_size", 3, "one of 1, 2, 4, and at least 16 blocks a side"),
        ("networks.pixel_shuffle", 3, "1 or 2, and at least 16 places a side left"),
        ("networks.discriminator", "concat", "`concatenation`"),
        ("networks.attention_size", 32, "8 or 16"),
        ("training.loss", "hing", "`hinge`"),
        ("training.validation", "distanse", "`distance`"),
        ("training.mismatches", "two", "all, none, one, swapped"),
        ("training.swapped_share", 1.5, "[0, 1]"),
        ("training.penalty", "r2", "matching_aware, r1, r1_r2"),
        ("training.word_weight", -1, "[0, 1e+06]"),
        ("training.lecam_weight", -1, "[0, 1e+06]"),
        ("networks.width", 1, "[2, 512]"),
        ("networks.discriminator_width", 513, "[2, 512]"),
        ("networks.discriminator_most_channels", -1, "[0, 4096]"),
        ("networks.texture_width", -1, "[0, 512]"),
        ("training.steps", 0, "[1, 1000000000]"),
        ("training.batch_size", 1, "[2, 4096]"),
        ("training.generator_rate", -0.1, "[0, 1]"),
        ("training.discriminator_rate", 1.1, "[0, 1]"),
        ("training.contrastive_weight", float("nan"), "[0, 1e+06]"),
        ("training.penalty_weight", float("inf"), "[0, 1e+06]"),
        ("training.penalty_interval", 0, "[1, 1000000000]"),
        ("training.averaging", 1.01, "[0, 1]"),
        ("training.precision", "float8", "float16"),
        ("training.head_start", -1, "[0, 1000000000]"),
        ("training.report_interval", 10**30, "[1, 1000000000]"),
        ("training.seed", -1, "[0, 2147483647]"),
        ("training.seed", 2**31, "[0, 2147483647]"),
        ("data.num_scenes", 0, "[1, 1000000]"),
    ],
)
def test_a_value_out_of_range_names_key_value_and_range(key, value, told):
    message = error_of(nested(key, value), ValueError)
    assert f"`{key}`" in message
    assert repr(value) in message
    assert told in message


@pytest.mark.parametrize(
    "build",
    [
        lambda: TextConfig(encoder="gru"),
        lambda: NetworksConfig(image_size=65),
        lambda: TrainingConfig(steps=-1),
        lambda: DataConfig(num_scenes=0),
    ],
)
def test_values_are_checked_without_json_too(build):
    with pytest.raises(ValueError):
        build()


def test_augmentations_are_names_or_auto():
    assert TrainingConfig().augmentation_names() == ()
    assert TrainingConfig(augmentations="flip, crop,").augmentation_names() == ("flip", "crop")
    assert len(TrainingConfig(augmentations="auto").augmentation_names()) == 5
    assert "`training.augmentations`" in error_of(
        {"training": {"augmentations": "flip,turn"}}, ValueError
    )


# Precedence


def test_what_is_updated_takes_precedence_and_the_rest_stays():
    old = Config.from_dict(OTHER)
    new = old.updated({"name": "new", "training": {"seed": 7}})
    expected = {**OTHER, "name": "new", "training": {**OTHER["training"], "seed": 7}}
    assert new.to_dict() == expected
    assert old.to_dict() == OTHER


def test_the_later_of_two_updates_wins():
    config = preset_config("scenes_32")
    assert config.training.steps == 2_000  # the preset's
    config = config.updated({"training": {"steps": 5, "seed": 1}})  # the file's
    config = config.updated({"training": {"steps": 6}})  # the flags'
    assert (config.training.steps, config.training.seed) == (6, 1)
    assert config.training.generator_rate == 1e-3  # still the preset's


def test_updates_are_checked():
    with pytest.raises(ValueError, match="`training.stepz`.*`steps`"):
        Config().updated({"training": {"stepz": 1}})
    with pytest.raises(TypeError, match="`training`"):
        Config().updated({"training": 1})


# Presets


@pytest.mark.parametrize("name", CONFIGS)
def test_every_preset_builds(name):
    config = preset_config(name)
    assert config.name == name
    assert Config.from_dict(config.to_dict()) == config
    assert str(config.networks.image_size) in name, "a preset is named by subject and size"


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ValueError, match="`scenes_64`"):
        preset_config("scene_64")


def test_a_model_that_is_given_away_tells_no_paths():
    run = {"start_from": "/home/a/scenes_64", "teacher": "/home/a/scenes_128"}
    config = Config.from_dict(OTHER).updated({"training": run}).without_paths()
    assert (config.data.path, config.data.word_vectors) == ("", "")
    expected = {**OTHER, "data": {**OTHER["data"], "path": "", "word_vectors": ""}}
    assert config.to_dict() == expected
