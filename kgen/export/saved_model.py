"""The SavedModel: captions in, PNGs out, for TensorFlow Serving.

Written by `tf.saved_model.save` from a `tf.Module`, not by `keras.export.ExportArchive`: that ends
in the same call, but also stores Keras' tree of layers, and it takes layers to track, while half
of what is served here (tokenizer, noise, PNG) is none. The module holds the weights and the
tokenizer, and nothing that names a class of Keras or kgen.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from kgen import files
from kgen.export import proof
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage
from kgen.text.pretrained import frozen_variables

PLACE = "saved_model/1"  # TensorFlow Serving wants a version's number as the folder's name.
DEFAULT_SEED = 0
MOST_LEVELS = 1  # Pixels may be rounded to either side of a half.
MOST_DIFFERENCE = 1e-4  # of scores, in [-1, 1]

# TF-Text's operators that may be in the graph: all are in every server since 2.12. Those after
# the first two are what the tokenizers of pretrained text models take.
TEXT_OPERATORS = frozenset(
    {
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
        "CaseFoldUTF8",
        "NormalizeUTF8",
        "RegexSplitWithOffsets",
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
    }
)
# TensorFlow's own, but a server has no Python to call and not always a CuDNN.
PYTHON_OPERATORS = frozenset({"EagerPyFunc", "PyFunc", "PyFuncStateless"})


def seeded_noise(seeds, noise_dim: int) -> tf.Tensor:
    """The noise that a served model draws: picture i's depends on seed i alone.

    Formula:
        noise_i = Philox4x32(seed = [seed_i, 0]), N(0, 1) by `tf.random.stateless_normal`

    It is another noise than `generate`'s of the same seed, whose generator is numpy's, which no
    graph has; feed `from_ids` with `sample_noise` for that.

    Args:
        seeds: int64 (B,). Any number.
        noise_dim: Z.

    Returns:
        float32 (B, Z), N(0, 1).

    Source: Salmon et al. 2011, Parallel Random Numbers: As Easy as 1, 2, 3.
    """

    def one(seed):
        # By name: "auto_select" may take another generator on another device.
        pair = tf.stack([seed, tf.zeros_like(seed)])
        return tf.random.stateless_normal((noise_dim,), pair, alg="philox")

    of_one = tf.TensorSpec((noise_dim,), tf.float32)
    return tf.map_fn(one, tf.convert_to_tensor(seeds, tf.int64), fn_output_signature=of_one)


class Served(tf.Module):
    """What a server calls.

    Every signature takes a batch of any size, also of none, and gives
    `image`: uint8 (B, H, W, 3), in [0, 255].
    `png_bytes`: string (B,). The same as PNG files; the name makes REST send base64.

    Args:
        painter: The model.
    """

    def __init__(self, painter: TextToImage):
        super().__init__(name="kgen")
        self._painter = painter  # Not trackable, so not saved: only what stands below is.
        model = painter.model
        self._weights = [v.value for v in (*model.variables, *frozen_variables(model))]
        self._tokenizer = painter.tokenizer
        self._noise_dim = painter.config.networks.noise_dim
        captions = tf.TensorSpec((None,), tf.string, name="captions")
        seed = tf.TensorSpec((None,), tf.int64, name="seed")
        # The others call `from_ids`, so that the model is in the graph once.
        self.from_ids = tf.function(self._from_ids, input_signature=input_specs(painter, None))
        self.with_seed = tf.function(self._with_seed, input_signature=[captions, seed])
        self.serving_default = tf.function(self._from_captions, input_signature=[captions])
        self._matcher = painter.matcher
        if self._matcher is not None:
            self._matcher_weights = [v.value for v in self._matcher.scorer.variables]
            self._matcher_tokenizer = self._matcher.tokenizer
            image = tf.TensorSpec((None, *self._matcher.image_shape), tf.uint8, name="image")
            self.score = tf.function(self._score_of, input_signature=[captions, image])

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """What a server calls by name."""
        names = ("serving_default", "with_seed", "from_ids")
        names += ("score",) if self._matcher is not None else ()
        return {name: getattr(self, name) for name in names}

    def _from_captions(self, captions):
        """Pictures of captions: string (B,). The same as `with_seed` with a seed of 0 for all.

        So equal requests have equal answers, whatever else a server puts into their batch, and
        answers can be cached. Who wants variety says so, by `with_seed`.
        """
        noise = seeded_noise([DEFAULT_SEED], self._noise_dim)  # (1, Z)
        return self.from_ids(self._tokenizer(captions), tf.repeat(noise, tf.size(captions), axis=0))

    def _with_seed(self, captions, seed):
        """Pictures of captions: string (B,), each by its own seed: int64 (B,)."""
        tf.debugging.assert_equal(
            tf.size(captions), tf.size(seed), "`seed` must hold one number for each caption."
        )
        return self.from_ids(self._tokenizer(captions), seeded_noise(seed, self._noise_dim))

    def _from_ids(self, token_ids, noise):
        """Pictures of token ids: int32 (B, L), and noise: float32 (B, Z). Core operators only."""
        pixels = self._pixels(token_ids, noise)
        png_bytes = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
        return {"image": pixels, "png_bytes": png_bytes}

    def _score_of(self, captions, image):
        """How well pictures before post-processing, uint8 (B, H, W, 3), match captions, string
        (B,): `match`, float32 (B, 1), in [-1, 1]. The best of several is the one with the most.
        """
        tf.debugging.assert_equal(
            tf.size(captions), tf.shape(image)[0], "`image` must hold one for each caption."
        )
        seen = tf.cast(image, tf.float32) / 127.5 - 1.0  # as `kgen.pictures.to_image`
        inputs = {"image": seen, "token_ids": self._matcher_tokenizer(captions)}
        inputs = {name: _at_least_one(tensor) for name, tensor in inputs.items()}
        match = self._matcher.scorer(inputs, training=False)["match"]
        return {"match": match[: tf.shape(image)[0]]}

    def _pixels(self, token_ids, noise):
        num = tf.shape(token_ids)[0]
        inputs = {"token_ids": _at_least_one(token_ids), "noise": _at_least_one(noise)}
        image = self._painter.model(inputs, training=False)[:num]
        # As `kgen.pictures.to_pixels`.
        levels = tf.floor(127.5 * (tf.clip_by_value(image, -1.0, 1.0) + 1.0) + 0.5)
        return tf.cast(levels, tf.uint8)


def _at_least_one(rows):
    """`rows`, or one of zeros where there is none, whose result is to be dropped.

    oneDNN's transposed convolution gives the wrong shape for no pictures at all (TensorFlow 2.21),
    and the graph fails.
    """
    spare = tf.cast(tf.equal(tf.shape(rows)[0], 0), tf.int32)
    return tf.pad(rows, [[0, spare], *([[0, 0]] * (rows.shape.rank - 1))])


def input_specs(painter: TextToImage, batch_size: int | None) -> list[tf.TensorSpec]:
    """Specifications of `token_ids` int32 (B, L) and `noise` float32 (B, Z)."""
    config = painter.config
    return [
        tf.TensorSpec((batch_size, config.text.caption_length), tf.int32, name="token_ids"),
        tf.TensorSpec((batch_size, config.networks.noise_dim), tf.float32, name="noise"),
    ]


def export_saved_model(painter: TextToImage, folder: str | os.PathLike) -> proof.Proof:
    """Writes `folder/saved_model/1`, runs it where kgen is not, and compares it with the model.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section.

    Returns:
        Where it is and how far it is from the model.

    Raises:
        GateError: It is not what the model is; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    final = Path(folder) / PLACE
    try:
        with files.whole_folder(final) as beside:
            write_saved_model(painter, beside)
            proven = prove_saved_model(painter, beside)
    except BaseException:
        with contextlib.suppress(OSError):  # unless other versions are there
            final.parent.rmdir()
        raise
    for each in proven:
        proof.record(folder, each)
    return proven[0]


def write_saved_model(painter: TextToImage, folder: str | os.PathLike) -> None:
    """Writes the SavedModel's files into `folder`, unproven."""
    served = Served(painter)
    tf.saved_model.save(served, os.fspath(folder), signatures=served.signatures())


def operators_of(folder: str | os.PathLike) -> dict[str, int]:
    """Every operator in a SavedModel's graph and its functions, with how often it is there."""
    saved = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    graphs = [meta_graph.graph_def for meta_graph in saved.meta_graphs]
    counts = Counter(node.op for graph in graphs for node in graph.node)
    for graph in graphs:
        for function in graph.library.function:
            counts.update(node.op for node in function.node_def)
    return dict(sorted(counts.items()))


def foreign_operators(operators: Iterable[str]) -> list[str]:
    """Those operators that a server may lack: all but TensorFlow's own and some of TF-Text's."""
    return [
        name
        for name in operators
        if name not in TEXT_OPERATORS
        and (not hasattr(tf.raw_ops, name) or name in PYTHON_OPERATORS or "Cudnn" in name)
    ]


def prove_saved_model(painter: TextToImage, folder: str | os.PathLike) -> list[proof.Proof]:
    """Runs a SavedModel in a fresh process and compares every signature with the model.

    Returns:
        A proof of the pictures; and one of the scores, where the model has a matcher.

    Raises:
        GateError: It has foreign operators, fails to run, or differs.
    """
    operators = operators_of(folder)
    foreign = foreign_operators(operators)
    proof.gate(not foreign, "saved_model", "operators", "TensorFlow's or known to servers", foreign)

    captions = proof.proof_captions(painter.vocabulary)
    seeds = np.arange(len(captions), dtype=np.int64) * 2**57 - 7  # also negative, also huge
    noise_dim = painter.config.networks.noise_dim
    token_ids = painter.tokenizer(captions)
    noise = sample_noise(len(captions), noise_dim, seed=0)
    by_seed = seeded_noise(seeds, noise_dim)
    by_default = seeded_noise(np.full(len(captions), DEFAULT_SEED), noise_dim)

    calls, expected = [], []
    for rows in (slice(0, 0), slice(0, 1), slice(1, 4), slice(4, None)):  # batches of any size
        for signature, inputs, drawn in (
            ("from_ids", {"token_ids": token_ids.numpy(), "noise": noise}, noise),
            ("with_seed", {"captions": np.asarray(captions, object), "seed": seeds}, by_seed),
            ("serving_default", {"captions": np.asarray(captions, object)}, by_default),
        ):
            calls.append((signature, {name: value[rows] for name, value in inputs.items()}))
            expected.append(_reference(painter, token_ids[rows], drawn[rows]))
    num, matcher = len(calls), painter.matcher
    if matcher is not None:
        described = proof.proof_captions(matcher.vocabulary)
        scored = proof.proof_pictures(painter, matcher.image_shape, len(described))
        for rows in (slice(0, 0), slice(0, 1), slice(1, None)):
            said = np.asarray(described, object)[rows]
            calls.append(("score", {"captions": said, "image": scored[rows]}))
    answers, versions = proof.call_saved_model(folder, calls)
    for (signature, _), (pixels, decoded) in zip(calls[:num], answers):
        same = np.array_equal(pixels, decoded)
        proof.gate(same, "saved_model", f"{signature} png_bytes", "the pixels of `image`", "others")
    about = {
        "place": PLACE,
        "written": folder,
        "runtime": "a fresh process that imports only tensorflow and tensorflow_text",
        "operators": operators,
        "versions": versions,
    }
    proven = proof.compare(
        painter,
        np.concatenate(expected),
        np.concatenate([pixels for pixels, _ in answers[:num]]),
        artefact="saved_model",
        unit="levels of 255",
        span=255.0,
        limit=MOST_LEVELS,
        **about,
    )
    if matcher is None:
        return [proven]
    of_match = proof.compare(
        painter,
        proof.expected_match(matcher, scored, described),
        np.concatenate([match for match, _ in answers[num:]]),
        artefact="saved_model_match",
        unit="of [-1, 1]",
        span=2.0,
        limit=MOST_DIFFERENCE,
        **about,
    )
    return [proven, of_match]


def _reference(painter, token_ids, noise):
    if not len(noise):
        return np.zeros((0, painter.image_size, painter.image_size, 3), np.uint8)
    return to_pixels(painter.generate_images(token_ids, noise).numpy())
