"""The LiteRT file: token ids and noise in, one image out, for phones, browsers and small boards.

It takes ids, since string operators are in no stock LiteRT runtime, and noise, since what is drawn
in the graph has its seed frozen by the conversion. The batch is 1 for good: an LSTM of unknown
batch needs TensorFlow's own operators, which the stock runtimes refuse.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

import kgen
from kgen import files
from kgen.export import proof
from kgen.export.reading import reading_of
from kgen.export.served import input_specs
from kgen.matcher import FOLDER as MATCHER
from kgen.matcher import SETTINGS, Matcher
from kgen.model_files import CONFIG, PRETRAINED_TEXT, VOCABULARY
from kgen.noise import sample_noise
from kgen.pictures import to_image
from kgen.pipeline import TextToImage
from kgen.runtime.painter import ABOUT, MODEL
from kgen.runtime.tokenizer import READING
from kgen.text.pretrained import frozen_variables, pretrained_of
from kgen.text.vocabulary import write_vocabulary

PLACE = "litert"
EXAMPLES = "examples.json"
# Case, accents, full-width forms, punctuation, digits, emoji, both languages, nothing, too much.
EXAMPLE_CAPTIONS = (
    "美丽的日落景象",
    "A Snowy Night, the moon on the left",
    "正午的大海，two boats",
    "ＣＡＦÉ 2½",
    "日落🌅sunset",
    "",
    "night " * 600,
)
MOST_DIFFERENCE = 1e-4  # in images' range [-1, 1], and of scores
HALF_A_LEVEL = 4e-3  # of 255
# Runtimes round in other orders. A model that has been trained on for minutes only may be so steep
# that this alone changes its pictures more; it is told by noise that is moved a little.
MOVED = 1e-6
LEEWAY = 10  # measured: LiteRT's differences were up to 4.2 times what that movement changes


def export_litert(painter: TextToImage, folder: str | os.PathLike) -> proof.Proof:
    """Writes `folder/litert`, runs it in `ai_edge_litert`, and compares it with the model.

    The folder holds `model.tflite`, whose signature `serving_default` goes from `token_ids` int32
    (1, L) and `noise` float32 (1, Z) to `image` float32 (1, H, W, 3), in [-1, 1]; `vocabulary.txt`
    and `reading.json`, to make ids of captions with (`kgen.export.reading`); `model.json`, whose
    name and hash say which model it is; `config.json`, which names L, Z, and H and W before any
    enlargement by post-processing; and `examples.json`, captions with their ids, for whoever
    writes the tokenizer of an app to test it by. With a pretrained text model its tokenizer is in
    `pretrained`, in place of the vocabulary, and each id is 1 more than that tokenizer's.

    Where the model has a matcher, `matcher` in the folder holds its `model.tflite`, from `image`
    float32 (1, H, W, 3), in [-1, 1], before post-processing, and its own `token_ids` int32 (1, M)
    to `match` float32 (1, 1), in [-1, 1]; its `vocabulary.txt` and `reading.json`;
    `matcher.json`, which names H, W and M; and its own `examples.json`. The best of several
    pictures is the one with the most.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section.

    Returns:
        Where it is and how far it is from the model.

    Raises:
        GateError: It is not what the model is; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    with files.whole_folder(Path(folder) / PLACE) as beside:
        write_litert(painter, beside)
        proven = [prove_litert(painter, beside / MODEL)]
        if painter.matcher is not None:
            _write_matcher(painter.matcher, beside / MATCHER)
            proven.append(prove_matcher(painter, beside / MATCHER / MODEL))
    for each in proven:
        proof.record(folder, each)
    return proven[0]


def write_litert(painter: TextToImage, folder: Path) -> None:
    """Writes a model's file, unproven, and what it takes to read captions for it."""
    (folder / MODEL).write_bytes(convert(painter))
    _write_tokens(painter, folder)
    files.write_json(folder / CONFIG, painter.config.without_paths().to_dict())
    files.write_json(folder / ABOUT, about(painter))
    files.write_json(folder / EXAMPLES, examples(painter))


def _write_matcher(matcher, folder):
    folder.mkdir()
    (folder / MODEL).write_bytes(convert_matcher(matcher))
    _write_reading(folder, matcher.tokenizer)
    files.write_json(folder / SETTINGS, matcher.settings())
    files.write_json(folder / EXAMPLES, examples(matcher))


def _write_tokens(painter, folder):
    pretrained = pretrained_of(painter.model)
    if pretrained:
        (folder / PRETRAINED_TEXT).mkdir()
        pretrained.tokenizer.save_to_preset(os.fspath(folder / PRETRAINED_TEXT))
    else:
        _write_reading(folder, painter.tokenizer)


def _write_reading(folder, tokenizer):
    write_vocabulary(folder / VOCABULARY, tokenizer.vocabulary)
    files.write_json(folder / READING, reading_of(tokenizer))


def about(painter: TextToImage) -> dict[str, str | int]:
    """What names a model: `name`, `hash`, `post`, the version of `kgen` that exported it; and
    `fewest_tokens`, of the shortest caption that it was taught by, 0 if that is unknown.
    """
    of_model = {"name": painter.config.name, "hash": painter.hash, "post": str(painter.post)}
    of_captions = {"fewest_tokens": painter.fewest_tokens}
    return {**of_model, **of_captions, "kgen": kgen.__version__}


def examples(reader: TextToImage | Matcher) -> list[dict]:
    """Captions that try a model's or a matcher's tokenizer, each with its ids int32 (L,)."""
    token_ids = reader.tokenizer(EXAMPLE_CAPTIONS).numpy().tolist()
    return [
        {"caption": caption, "token_ids": ids}
        for caption, ids in zip(EXAMPLE_CAPTIONS, token_ids, strict=True)
    ]


def convert(painter: TextToImage, batch_size: int | None = 1) -> bytes:
    """Converts a model, with LiteRT's builtin operators only.

    Args:
        painter: The model.
        batch_size: B; `None`, for any, converts for encoders without recurrence only.

    Returns:
        The contents of a `.tflite` file.

    Raises:
        GateError: Some operators are no builtin ones; the message names them.
    """
    model = painter.model
    draw = tf.function(
        lambda token_ids, noise: {
            "image": painter.model({"token_ids": token_ids, "noise": noise}, training=False)
        },
        input_signature=input_specs(painter, batch_size),
    )
    return _converted(draw, (*model.variables, *frozen_variables(model)))


def convert_matcher(matcher: Matcher) -> bytes:
    """Converts a matcher's score, for a batch of 1, with LiteRT's builtin operators only.

    Raises:
        GateError: Some operators are no builtin ones; the message names them.
    """
    score = tf.function(
        lambda image, token_ids: matcher.scorer(
            {"image": image, "token_ids": token_ids}, training=False
        ),
        input_signature=matcher_specs(matcher),
    )
    return _converted(score, matcher.scorer.variables)


def matcher_specs(matcher: Matcher) -> list[tf.TensorSpec]:
    """Specifications of `image` float32 (1, H, W, 3) and `token_ids` int32 (1, M)."""
    return [
        tf.TensorSpec((1, *matcher.image_shape), tf.float32, name="image"),
        tf.TensorSpec((1, matcher.tokenizer.caption_length), tf.int32, name="token_ids"),
    ]


def _converted(function, variables):
    module = tf.Module()
    module.weights = [variable.value for variable in variables]
    # By way of a SavedModel: straight from a concrete function the file has no named signature.
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"serving_default": function})
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return converter.convert()
        except Exception as error:  # the converter's own class is no public name
            # Its message is pages of MLIR, in which refused operators stand as tf.Name.
            found = sorted(set(re.findall(r"\btf\.[A-Z]\w+", str(error)))) or str(error)
            proof.gate(False, "litert", "operators", "LiteRT's builtin ones", found, error)
            raise


def operators_of(path: str | os.PathLike) -> dict[str, int]:
    """Every operator in a LiteRT file, all subgraphs included, with how often it is there.

    One that is not built in has the name it was registered by, as in `custom:FlexReadFile`.
    """
    model = schema.ModelT.InitFromPackedBuf(Path(path).read_bytes(), 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
    codes = []
    for known in model.operatorCodes:
        # Codes above 127 are in the newer of the two fields, lower ones may be in either.
        code = max(known.builtinCode, known.deprecatedBuiltinCode)
        custom = (known.customCode or b"").decode()
        codes.append(f"custom:{custom}" if names[code] == "CUSTOM" else names[code])
    used = (operator for subgraph in model.subgraphs for operator in subgraph.operators)
    return dict(sorted(Counter(codes[operator.opcodeIndex] for operator in used).items()))


def foreign_operators(operators: Iterable[str]) -> list[str]:
    """Those operators that the stock runtimes refuse: custom ones, among which TensorFlow's."""
    return [name for name in operators if name.startswith("custom:") or name == "DELEGATE"]


def prove_litert(painter: TextToImage, path: str | os.PathLike) -> proof.Proof:
    """Runs a LiteRT file in `ai_edge_litert` and compares it with the model.

    Raises:
        GateError: It has operators that are not built in, other inputs, or differs.
    """
    operators = _builtin_operators_of(path)
    captions = proof.proof_captions(painter.vocabulary)
    token_ids = painter.tokenizer(captions).numpy()
    noise = sample_noise(len(captions), painter.config.networks.noise_dim, seed=0)
    received, versions = proof.call_litert(path, input_specs(painter, 1), token_ids, noise)
    expected = painter.generate_images(token_ids, noise).numpy()
    return proof.compare(
        painter,
        expected,
        np.concatenate(received),
        artefact="litert",
        place=f"{PLACE}/{MODEL}",
        written=path,
        runtime="ai_edge_litert",
        operators=operators,
        unit="of [-1, 1]",
        span=2.0,
        limit=most_difference(painter, token_ids, noise, expected),
        versions=versions,
    )


def most_difference(
    painter: TextToImage, token_ids: np.ndarray, noise: np.ndarray, image: np.ndarray
) -> float:
    """What rounding in another order may change in a model's pictures.

    Args:
        painter: The model.
        token_ids: int32 (B, L).
        noise: float32 (B, Z).
        image: float32 (B, H, W, 3), in [-1, 1], what the model draws of these.

    Returns:
        1e-4 of the range [-1, 1], or, of a steep model, `LEEWAY` times as much as noise that is
        larger by a part in a million changes, and at most half a level of 255.
    """
    moved = painter.generate_images(token_ids, noise * np.float32(1 + MOVED)).numpy()
    changed = float(np.abs(moved - image).max())
    return float(np.clip(LEEWAY * changed, MOST_DIFFERENCE, HALF_A_LEVEL))


def prove_matcher(painter: TextToImage, path: str | os.PathLike) -> proof.Proof:
    """Runs a matcher's LiteRT file in `ai_edge_litert` and compares it with the model's matcher.

    Raises:
        GateError: It has operators that are not built in, other inputs, or differs.
    """
    matcher, operators = painter.matcher, _builtin_operators_of(path)
    captions = proof.proof_captions(matcher.vocabulary)
    pixels = proof.proof_pictures(painter, matcher.image_shape, len(captions))
    token_ids = matcher.tokenizer(captions).numpy()
    received, versions = proof.call_litert(
        path, matcher_specs(matcher), to_image(pixels), token_ids, output="match"
    )
    return proof.compare(
        painter,
        proof.expected_match(matcher, pixels, captions),
        np.concatenate(received),
        artefact="litert_match",
        place=f"{PLACE}/{MATCHER}/{MODEL}",
        written=path,
        runtime="ai_edge_litert",
        operators=operators,
        unit="of [-1, 1]",
        span=2.0,
        limit=MOST_DIFFERENCE,
        versions=versions,
    )


def _builtin_operators_of(path):
    operators = operators_of(path)
    foreign = foreign_operators(operators)
    proof.gate(not foreign, "litert", "operators", "LiteRT's builtin ones", foreign)
    return operators
