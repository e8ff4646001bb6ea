"""The article's model as a SavedModel: captions and pictures in, pictures out."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from kgen import files
from kgen.baselines.pixel_tokens import pixel_tokens
from kgen.baselines.proving import check_near, proof_inputs
from kgen.baselines.redrawer import Redrawer
from kgen.export import proof
from kgen.export.served_operators import foreign_operators, operators_of

PLACE = "saved_model"
MOST_LEVELS = 1  # Pixels may be rounded to either side of a half.
TEXT = {"serving_default": "captions", "from_ids": "token_ids"}  # of each signature
BATCHES = (slice(0, 0), slice(0, 1), slice(1, 4), slice(4, None))  # batches of any size


class Served(tf.Module):
    """What a server calls. Both signatures take a batch of any size, also of none, with
    `source_pixels` uint8 (B, H, W, 3), in [0, 255]; and give `image`: the same.

    Args:
        redrawer: The model.
    """

    def __init__(self, redrawer: Redrawer):
        super().__init__(name="redrawer")
        self._redrawer = redrawer  # Not trackable, so not saved: only what stands below is.
        self._weights = [variable.value for variable in redrawer.model.variables]
        self._tokenizer = redrawer.tokenizer
        captions = tf.TensorSpec((None,), tf.string, name="captions")
        ids = tf.TensorSpec((None, redrawer.config.caption_length), tf.int32, name="token_ids")
        source = tf.TensorSpec((None, *redrawer.picture_shape), tf.uint8, name="source_pixels")
        self.from_ids = tf.function(self._from_ids, input_signature=[ids, source])
        self.serving_default = tf.function(self._from_captions, input_signature=[captions, source])

    def _from_captions(self, captions, source_pixels):
        """Pictures of captions: string (B,)."""
        return self.from_ids(self._tokenizer(captions), source_pixels)

    def _from_ids(self, token_ids, source_pixels):
        """Pictures of token ids: int32 (B, L). Core operators only."""
        tf.debugging.assert_equal(
            tf.shape(token_ids)[0],
            tf.shape(source_pixels)[0],
            "`source_pixels` must hold a picture for each caption.",
        )
        picture_tokens = pixel_tokens(source_pixels, self._redrawer.config.levels)
        picture = self._redrawer.model([token_ids, picture_tokens], training=False)
        return {"image": tf.cast(tf.floor(255.0 * picture + 0.5), tf.uint8)}


def export_saved_model(redrawer: Redrawer, folder: str | os.PathLike) -> Path:
    """Writes `folder/saved_model`, loads it again, and compares it with the model.

    Args:
        redrawer: The model.
        folder: Made if need be.

    Returns:
        Where it is.

    Raises:
        GateError: It is not what the model is; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    place = Path(folder) / PLACE
    with files.whole_folder(place) as beside:
        served = Served(redrawer)
        signatures = {name: getattr(served, name) for name in TEXT}
        tf.saved_model.save(served, os.fspath(beside), signatures=signatures)
        prove_saved_model(redrawer, beside)
    return place


def prove_saved_model(redrawer: Redrawer, folder: str | os.PathLike) -> None:
    """Runs a SavedModel's signatures and compares them with the model.

    Raises:
        GateError: It has operators that a server may lack, or differs.
    """
    foreign = foreign_operators(operators_of(folder))
    proof.gate(not foreign, PLACE, "operators", "TensorFlow's or known to servers", foreign)
    signatures = tf.saved_model.load(os.fspath(folder)).signatures
    captions, source_pixels = proof_inputs(redrawer)
    expected = redrawer.generate(captions, source_pixels)
    token_ids, said = redrawer.tokenizer(captions), tf.constant(captions)
    for name, text in (("serving_default", said), ("from_ids", token_ids)):
        given = {TEXT[name]: text, "source_pixels": tf.constant(source_pixels)}
        received = [
            signatures[name](**{key: value[rows] for key, value in given.items()})["image"]
            for rows in BATCHES
        ]
        check_near(PLACE, expected, np.concatenate(received), MOST_LEVELS, "levels of 255")
