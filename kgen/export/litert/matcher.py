"""A model's matcher as a LiteRT file, which apps choose the best of several pictures by."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from kgen import files
from kgen.export import proof
from kgen.export.beside import EXAMPLES, examples, write_table
from kgen.export.captions import Captions, proof_captions
from kgen.export.litert.conversion import converted
from kgen.export.litert.running import Running, builtin_operators_of, versions
from kgen.matcher import FOLDER, SETTINGS, Matcher
from kgen.pictures import to_image
from kgen.pipeline import TextToImage
from kgen.runtime.precisions import file_name

MODEL = file_name("model", "float32")
ARTEFACT = "litert_match"
NUM = 32  # captions to compare with
MOST_DIFFERENCE = 1e-4  # of scores, in [-1, 1]


def write_matcher(matcher: Matcher, folder: Path) -> None:
    """Writes the matcher's files into a new folder, unproven."""
    folder.mkdir()
    (folder / MODEL).write_bytes(convert_matcher(matcher))
    write_table(folder, matcher.tokenizer)
    files.write_json(folder / SETTINGS, matcher.settings())
    files.write_json(folder / EXAMPLES, examples(matcher.tokenizer))


def convert_matcher(matcher: Matcher) -> bytes:
    """Converts a matcher's score, for a batch of 1, with LiteRT's builtin operators only.

    Raises:
        GateError: Some operators are no builtin ones; the message names them.
    """
    score = tf.function(
        lambda image, token_ids: matcher.scorer(
            {"image": image, "token_ids": token_ids}, training=False
        ),
        input_signature=[
            tf.TensorSpec((1, *matcher.image_shape), tf.float32, name="image"),
            tf.TensorSpec((1, matcher.tokenizer.caption_length), tf.int32, name="token_ids"),
        ],
    )
    variables = (variable.value for variable in matcher.scorer.variables)
    return converted(variables, {"serving_default": score})


def prove_matcher(
    painter: TextToImage, folder: Path, place: str, captions: Captions
) -> proof.Proof:
    """Runs a matcher's LiteRT file in `ai_edge_litert` and compares it with the model's matcher.

    Args:
        painter: The model.
        folder: Where the matcher's files are now.
        place: Where they will be, relative to the export's folder.
        captions: What to compare with.

    Raises:
        GateError: It has operators that are not built in, other inputs, or differs.
    """
    matcher, path = painter.matcher, folder / MODEL
    operators = builtin_operators_of(path, ARTEFACT)
    said = proof_captions(captions, NUM)
    pixels = proof.proof_pictures(painter, matcher.image_shape, said)
    given = {"image": to_image(pixels), "token_ids": matcher.tokenizer(said).numpy()}
    running = Running(path, ARTEFACT)
    shapes = {name: (1, *rows.shape[1:], rows.dtype.name) for name, rows in given.items()}
    running.check("serving_default", shapes, {"match": (1, 1, "float32")})
    received = running.rows("serving_default", 1, **given)["match"]
    return proof.compare(
        painter,
        proof.expected_match(matcher, pixels, said),
        np.asarray(received),
        artefact=ARTEFACT,
        place=f"{place}/{FOLDER}/{MODEL}",
        written=path,
        runtime="ai_edge_litert",
        operators=operators,
        captions=captions.kind,
        unit="of [-1, 1]",
        span=2.0,
        limit=MOST_DIFFERENCE,
        versions=versions(),
        latency_ms={
            "2 threads": proof.latency(
                lambda: running("serving_default", **{n: rows[:1] for n, rows in given.items()})
            )
        },
    )
