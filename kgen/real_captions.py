"""The captions that a model will be given, for its exports to be calibrated and proven with."""

import dataclasses

import numpy as np

from kgen.data.loading import load_pictures
from kgen.data.scene_captions import captions as captions_of_scene
from kgen.data.scenes import sample_scene
from kgen.evaluation.held_out import NO_TEST, SCENES
from kgen.export.captions import NUM_CALIBRATION, NUM_PROOF, Captions, made_up
from kgen.pipeline import TextToImage

SMALL = 8  # pixels: pictures are decoded for the sake of their captions only


def real_captions(painter: TextToImage, data: str | None = None) -> Captions:
    """Training captions to calibrate with, and held-out ones to prove with, in all languages.

    Args:
        painter: The model.
        data: Where captioned pictures are; None: what the model was trained on. A preset does not
            say where its own lie; its captions are made of its vocabulary then.

    Raises:
        FileNotFoundError, ValueError: The data cannot be read.
    """
    path = data or painter.config.data.path
    if path:
        return _of_data(painter, path)
    if painter.card.get("data", SCENES) == SCENES:
        seen, unseen = _of_scenes(NUM_CALIBRATION, False), _of_scenes(NUM_PROOF, True)
        return Captions(seen, unseen, "held-out scenes, in English and Chinese")
    return made_up(painter)


def _of_scenes(num, held_out):
    generator, said = np.random.default_rng(0), []
    while len(said) < num:
        scene = sample_scene(generator, held_out)
        said += captions_of_scene(scene, generator)[:2]
    return tuple(said[:num])


def _of_data(painter, path):
    of = dataclasses.replace(painter.config.data, path=path)
    train = load_pictures(of, SMALL)
    kind = "of the data's test part"
    try:
        test = load_pictures(of, SMALL, split="test")
    except ValueError as error:
        if NO_TEST not in str(error):
            raise
        test, kind = train, "of the data, which has no test part"
    return Captions(_spread(train, NUM_CALIBRATION), _spread(test, NUM_PROOF)[::-1], kind)


def _spread(pictures, num):
    """As many captions, evenly from all rows, one column after the other."""
    rows = np.linspace(0, len(pictures) - 1, num).astype(int)
    several = [pictures.captions[row] for row in rows]
    return tuple(each[n % len(each)] for n, each in enumerate(several))
