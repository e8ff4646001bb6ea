"""The SavedModel: captions in, PNGs out, for TensorFlow Serving.

Written by `tf.saved_model.save` from a `tf.Module`, not by `keras.export.ExportArchive`: that ends
in the same call, but also stores Keras' tree of layers, and it takes layers to track, while half
of what is served here (tokenizer, noise, PNG) is none. The module holds the weights and the
tokenizer, and nothing that names a class of Keras or kgen.
"""

import contextlib
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from kgen import files
from kgen.export import proof, serving
from kgen.export.captions import Captions, made_up, proof_captions
from kgen.export.saved_model_proof import prove_saved_model
from kgen.export.served import Served
from kgen.pipeline import TextToImage


def export_saved_model(
    painter: TextToImage, folder: str | os.PathLike, captions: Captions | None = None
) -> list[proof.Proof]:
    """Writes `folder/serving/NAME/VERSION`, runs it where kgen is not, and compares it with the
    model. NAME is the model's, VERSION one more than the last that is there, so that a server that
    is running takes it up. `models.config` and `batching.config` beside NAME are for a server.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section.
        captions: What it is proven with; made of the model's vocabulary if left out.

    Returns:
        Where it is and how far it is from the model.

    Raises:
        GateError: It is not what the model is; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    captions = captions or made_up(painter)
    served = Path(folder) / serving.PLACE
    name = serving.model_name(painter.name)
    of_model = served / name
    place = f"{serving.PLACE}/{name}/{serving.next_version(of_model)}"
    try:
        with files.whole_folder(Path(folder) / place) as beside:
            write_saved_model(painter, beside)
            serving.write_warmup(beside, name, _warmup_calls(captions))
            proven = prove_saved_model(painter, beside, place, captions)
    except BaseException:
        for made in (of_model, served):
            with contextlib.suppress(OSError):  # unless something else is there
                made.rmdir()
        raise
    serving.write_configs(served)
    for each in proven:
        proof.record(folder, each)
    return proven


def _warmup_calls(captions):
    """A request to each signature that takes captions, of one and of several."""
    captions = np.asarray(proof_captions(captions)[2:6], object)
    seed = np.arange(len(captions), dtype=np.int64)
    for rows in (slice(1), slice(None)):
        yield "serving_default", {"captions": captions[rows]}
        yield "with_seed", {"captions": captions[rows], "seed": seed[rows]}
        yield "encode", {"captions": captions[rows]}


def write_saved_model(painter: TextToImage, folder: str | os.PathLike) -> None:
    """Writes the SavedModel's files into `folder`, unproven."""
    served = Served(painter)
    tf.saved_model.save(served, os.fspath(folder), signatures=served.signatures())
