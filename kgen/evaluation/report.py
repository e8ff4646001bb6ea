"""Evaluates a model from its name or folder, and words the result."""

import dataclasses

import numpy as np

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.evaluation.attributes import attribute_names, measure_obedience, train_classifier
from kgen.pipeline import TextToImage

NUM_REAL = 10_000  # training pictures that the classifier learns from, at most


def evaluate(model: str, data: str | None = None, num: int = 1024, seed: int = 0) -> dict:
    """Obedience of a model's pictures to captions that no training has seen.

    Args:
        model: A preset's name or a run's folder.
        data: Folder or zip of captioned pictures; None: what the model was trained on.
        num: Most test pictures.
        seed: Fixes classifier, choice of pictures and noise.

    Returns:
        A JSON-ready report: `model`, `hash`, `num` test pictures, `attributes` from
        `measure_obedience`; these are empty where the pictures have no labels to obey.
    """
    painter = TextToImage.from_preset(model)
    config, size = painter.config.data, painter.config.networks.image_size
    if data:
        config = dataclasses.replace(config, path=data)
    seed_of_data = painter.config.training.seed
    train_config = dataclasses.replace(config, num_scenes=min(config.num_scenes, NUM_REAL))
    test_config = dataclasses.replace(config, num_scenes=num)
    real = _some(load_pictures(train_config, size, seed_of_data), NUM_REAL)
    test = _some(load_pictures(test_config, size, seed_of_data, split="test"), num)
    names = [n for n in attribute_names(real) if n in test.attributes]
    attributes = {}
    if names:
        classifier = train_classifier(real, names, seed=seed)
        attributes = measure_obedience(painter, test, classifier, seed)
    return {
        "model": painter.config.name,
        "hash": painter.hash,
        "num": len(test),
        "attributes": attributes,
    }


def table(report: dict) -> str:
    """The report as lines of text, shares in percent."""
    lines = [f"{report['model']} {report['hash']}: {report['num']} held-out pictures, in %"]
    if not report["attributes"]:
        return lines[0] + (
            "\nThe pictures have no labels to check beside their captions (columns of metadata "
            "that name a class for every picture): judge the samples by eye."
        )
    lines.append(f"{'attribute':<12} {'stated':>7} {'real':>6}  generated (by caption column)")
    for name, row in report["attributes"].items():
        shares = "  ".join(f"{100 * share:5.1f}" for share in row["generated"])
        lines.append(f"{name:<12} {row['num']:>7} {100 * row['real']:6.1f}  {shares}")
    return "\n".join(lines)


def _some(pictures: CaptionedPictures, num: int) -> CaptionedPictures:
    return pictures.in_memory(np.arange(min(num, len(pictures))))
