"""Obedience on painters of which the answer is known."""

import numpy as np
import pytest

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.scenes import load_scenes
from kgen.evaluation.attribute_classifier import attribute_names, train_classifier
from kgen.evaluation.attributes import measure_obedience


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


def test_pictures_without_attributes_are_refused():
    pictures = CaptionedPictures(np.zeros((3, 8, 8, 3), "uint8"), (("a",),) * 3)
    with pytest.raises(ValueError, match="no attributes"):
        train_classifier(pictures, attribute_names(pictures))
