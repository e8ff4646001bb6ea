"""The article's model as a LiteRT file, of one picture at a time."""

import os
from pathlib import Path

import tensorflow as tf

from kgen import files
from kgen.baselines.pixel_tokens import pixel_tokens
from kgen.baselines.proving import check_near, proof_inputs
from kgen.baselines.redrawer import Redrawer
from kgen.export.litert.conversion import converted
from kgen.export.litert.running import Running, builtin_operators_of
from kgen.model_files import CONFIG, VOCABULARY
from kgen.text.vocabulary import write_vocabulary

PLACE, MODEL = "litert", "model.tflite"
SIGNATURE = "serving_default"
MOST_DIFFERENCE = 1e-4  # of [0, 1]


def export_litert(redrawer: Redrawer, folder: str | os.PathLike) -> Path:
    """Writes `folder/litert/model.tflite`, runs it, and compares it with the model.

    Beside it are `vocabulary.txt`, and `config.json` with the `levels` of `pixel_tokens`.

    Its one signature takes `token_ids` int32 (1, L) and `picture_tokens` int32 (1, H W), and
    gives `picture` float32 (1, H, W, 3), in [0, 1].

    Args:
        redrawer: The model.
        folder: Made if need be.

    Returns:
        The file.

    Raises:
        GateError: It has operators that are not built in, or is not what the model is; then
            nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    place = Path(folder) / PLACE
    with files.whole_folder(place) as beside:
        (beside / MODEL).write_bytes(convert_redrawer(redrawer))
        write_vocabulary(beside / VOCABULARY, redrawer.vocabulary)
        files.write_json(beside / CONFIG, redrawer.config.to_dict())
        prove_litert(redrawer, beside / MODEL)
    return place / MODEL


def convert_redrawer(redrawer: Redrawer) -> bytes:
    """Converts the model for a batch of 1, with LiteRT's builtin operators only.

    Raises:
        GateError: Some operators are no builtin ones; the message names them.
    """
    config, model = redrawer.config, redrawer.model
    draw = tf.function(
        lambda token_ids, picture_tokens: {
            "picture": model([token_ids, picture_tokens], training=False)
        },
        input_signature=[
            tf.TensorSpec((1, config.caption_length), tf.int32, name="token_ids"),
            tf.TensorSpec((1, config.num_pixels), tf.int32, name="picture_tokens"),
        ],
    )
    variables = (variable.value for variable in model.variables)
    return converted(variables, {SIGNATURE: draw})


def prove_litert(redrawer: Redrawer, path: Path) -> None:
    """Runs a LiteRT file in `ai_edge_litert` and compares it with the model.

    Raises:
        GateError: It has operators that are not built in, other inputs, or differs.
    """
    builtin_operators_of(path, PLACE)
    captions, source_pixels = proof_inputs(redrawer)
    picture_tokens = pixel_tokens(source_pixels, redrawer.config.levels).numpy()
    given = {"token_ids": redrawer.tokenizer(captions).numpy(), "picture_tokens": picture_tokens}
    running = Running(path, PLACE)
    shapes = {name: (1, *rows.shape[1:], rows.dtype.name) for name, rows in given.items()}
    running.check(SIGNATURE, shapes, {"picture": (1, *redrawer.picture_shape, "float32")})
    received = running.rows(SIGNATURE, 1, **given)["picture"]
    expected = redrawer.generate_pictures(**given).numpy()
    check_near(PLACE, expected, received, MOST_DIFFERENCE, "of [0, 1]")
