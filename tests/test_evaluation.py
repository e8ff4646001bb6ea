"""Obedience on painters of which the answer is known; publishing, which measures it."""

import json

import numpy as np
import pytest

from kgen.config import Config
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.scenes import load_scenes
from kgen.evaluation.attributes import attribute_names, measure_obedience, train_classifier
from kgen.evaluation.report import table
from kgen.pipeline import TextToImage
from kgen.publishing import publish
from kgen.training.run import train


class Recalling:
    """Draws, for a caption, the picture it came from; or, led astray, another one's."""

    def __init__(self, pictures, astray=False):
        order = np.roll(np.arange(len(pictures)), int(astray))
        self.pixels = {
            caption: pictures.pixels[k]
            for several, k in zip(pictures.captions, order, strict=True)
            for caption in several
        }

    def generate(self, captions, seed):
        return np.stack([self.pixels[caption] for caption in captions])


@pytest.fixture(scope="module")
def test_pictures():
    """Scenes whose captions all differ."""
    pictures = load_scenes(300, 32, seed=1)
    seen, kept = set(), []
    for i, several in enumerate(pictures.captions):
        if not seen & set(several):
            seen |= set(several)
            kept.append(i)
    return CaptionedPictures(
        pictures.pixels[kept],
        tuple(pictures.captions[i] for i in kept),
        {name: values[kept] for name, values in pictures.attributes.items()},
    )


@pytest.fixture(scope="module")
def classifier():
    return train_classifier(load_scenes(1200, 32, seed=0), ["time", "body"], epochs=3)


def test_a_perfect_painter_obeys_as_real_pictures_do(test_pictures, classifier):
    report = measure_obedience(Recalling(test_pictures), test_pictures, classifier)
    assert list(report) == ["time", "body"]
    for name, row in report.items():
        stated = test_pictures.attributes[f"states_{name}"] == "yes"
        assert row["num"] == stated.sum()
        assert row["real"] > 0.9
        assert len(row["generated"]) == 2  # English, Chinese
        truth = test_pictures.attributes[name][stated]
        found = classifier.classify(test_pictures.pixels[stated])[name]
        assert row["generated"] == pytest.approx([np.mean(found == truth)] * 2)


def test_a_painter_that_ignores_its_captions_is_found_out(test_pictures, classifier):
    report = measure_obedience(Recalling(test_pictures, True), test_pictures, classifier)
    # Four times of day, equally often: 25 in 100 by chance.
    assert all(share < 0.45 for share in report["time"]["generated"])
    assert report["time"]["real"] > 0.9


def test_only_what_is_known_of_every_picture_is_asked():
    values = {
        "kind": np.array(["a", "b", "a"]),
        "states_kind": np.array(["yes", "yes", "no"]),
        "always": np.array(["x", "x", "x"]),
        "sometimes": np.array(["x", "", "y"]),
    }
    pictures = CaptionedPictures(np.zeros((3, 8, 8, 3), "uint8"), (("a",),) * 3, values)
    assert attribute_names(pictures) == ("kind",)


def test_pictures_without_attributes_are_refused():
    pictures = CaptionedPictures(np.zeros((3, 8, 8, 3), "uint8"), (("a",),) * 3)
    with pytest.raises(ValueError, match="no attributes"):
        train_classifier(pictures, attribute_names(pictures))


def test_pictures_without_labels_are_not_evaluated_and_that_is_said():
    text = table({"model": "m", "hash": "h", "num": 100, "attributes": {}})
    assert "no labels" in text


def test_the_table_names_shares_in_percent():
    row = {"num": 90, "real": 0.991, "generated": [0.97, 0.985]}
    text = table({"model": "m", "hash": "h", "num": 100, "attributes": {"time": row}})
    assert text.splitlines()[-1].split() == ["time", "90", "99.1", "97.0", "98.5"]


def test_a_published_run_is_a_preset_with_a_card(tmp_path):
    config = Config.from_dict(
        {
            "text": {"encoder": "bag", "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": 32, "width": 4, "discriminator_width": 4},
            "training": {"steps": 2, "batch_size": 4},
            "data": {"num_scenes": 96},
        }
    )
    run = train(config, tmp_path / "run", progress=False)
    out = publish(run, tmp_path / "mine", license="CC0-1.0", credit="nobody", num=32)
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    assert card["name"] == "mine"
    assert card["license"] == "CC0-1.0"
    assert card["training"]["steps"] == 2
    assert card["training"]["pictures"] == 8
    assert card["evaluation"]["num"] == 32
    assert set(card["evaluation"]["attributes"]) >= {"time", "terrain", "place"}
    painter = TextToImage.from_preset(out)
    assert (painter.config.name, painter.hash) == ("mine", card["hash"])
    assert (out / "samples.png").is_file()
    # float16 weights of the run's model
    full = TextToImage.from_preset(run).model.get_weights()
    for half, whole in zip(painter.model.get_weights(), full, strict=True):
        np.testing.assert_array_equal(half, whole.astype("float16").astype("float32"))
