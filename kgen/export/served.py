"""What of a model a server runs: captions to ids, ids and noise to pictures, pictures to PNGs."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kgen.pipeline import TextToImage
from kgen.text.pretrained import frozen_variables

DEFAULT_SEED = 0


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

    Seed and noise are inputs of signatures of their own: TensorFlow Serving's REST interface wants
    every input of a signature in every request, whatever their defaults.

    Every signature that draws takes a batch of any size, also of none, and gives
    `image`: uint8 (B, H, W, 3), in [0, 255]; all but `png`.
    `png_bytes`: string (B,). The same as PNG files; the name makes REST send base64.

    Args:
        painter: The model.
    """

    def __init__(self, painter: TextToImage):
        super().__init__(name="kgen")
        self._painter = painter  # Not trackable, so not saved: only what stands below is.
        model = painter.model
        self._weights, self._floats = _stored((*model.variables, *frozen_variables(model)))
        self._tokenizer = painter.tokenizer
        self._noise_dim = painter.config.networks.noise_dim
        captions = tf.TensorSpec((None,), tf.string, name="captions")
        seed = tf.TensorSpec((None,), tf.int64, name="seed")
        # The others call `from_ids`, so that the model is in the graph once.
        self.from_ids = tf.function(self._from_ids, input_signature=input_specs(painter, None))
        self.with_seed = tf.function(self._with_seed, input_signature=[captions, seed])
        self.png = tf.function(self._png, input_signature=[captions, seed])
        self.serving_default = tf.function(self._from_captions, input_signature=[captions])
        self.encode = tf.function(self._encoded, input_signature=[captions])
        self._matcher = painter.matcher
        if self._matcher is not None:
            of_matcher = self._matcher.scorer.variables
            self._matcher_weights, self._matcher_floats = _stored(of_matcher)
            self._matcher_tokenizer = self._matcher.tokenizer
            image = tf.TensorSpec((None, *self._matcher.image_shape), tf.uint8, name="image")
            self.score = tf.function(self._score_of, input_signature=[captions, image])

    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """What a server calls by name."""
        names = ("serving_default", "with_seed", "png", "from_ids", "encode")
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

    def _png(self, captions, seed):
        """`png_bytes` alone of what `with_seed` draws: as JSON, `image` is forty times as long."""
        return {"png_bytes": self.with_seed(captions, seed)["png_bytes"]}

    def _from_ids(self, token_ids, noise):
        """Pictures of token ids: int32 (B, L), and noise: float32 (B, Z). Core operators only."""
        # Of NaN a processor would make black or white, as it likes.
        noise = tf.debugging.assert_all_finite(noise, "`noise` must be finite.")
        pixels = self._pixels(token_ids, noise)
        png_bytes = tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=tf.string)
        return {"image": pixels, "png_bytes": png_bytes}

    def _encoded(self, captions):
        """T alone, of captions: string (B,): `caption_vector`, float32 (B, C)."""
        token_ids = self._tokenizer(captions)
        with keras.StatelessScope(self._floats()):
            encoded = self._painter.encoder(_at_least_one(token_ids), training=False)
        return {"caption_vector": encoded["caption_vector"][: tf.shape(token_ids)[0]]}

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
        with keras.StatelessScope(self._matcher_floats()):
            match = self._matcher.scorer(inputs, training=False)["match"]
        return {"match": match[: tf.shape(image)[0]]}

    def _pixels(self, token_ids, noise):
        num = tf.shape(token_ids)[0]
        inputs = {"token_ids": _at_least_one(token_ids), "noise": _at_least_one(noise)}
        with keras.StatelessScope(self._floats()):
            image = self._painter.model(inputs, training=False)[:num]
        # As `kgen.pictures.to_pixels`.
        levels = tf.floor(127.5 * (tf.clip_by_value(image, -1.0, 1.0) + 1.0) + 0.5)
        return tf.cast(levels, tf.uint8)


def _stored(variables):
    """What is to be saved: all variables, of which those that float16 holds exactly, as presets'
    are, in 16 bits; and what gives Keras' variables with the numbers to be read instead of them.

    They take half the room, and a fiftieth of a picture's time to be made float32.
    """
    saved, halves = [], []
    for variable in variables:
        value = np.asarray(variable)
        saved.append(variable.value)
        if value.dtype == np.float32 and np.array_equal(value.astype(np.float16), value):
            saved[-1] = tf.Variable(value.astype(np.float16), trainable=False)
            halves.append((variable, saved[-1]))
    # A function, since a module would save what it holds in a list.
    return saved, functools.partial(_as_floats, halves)


def _as_floats(halves):
    """What Keras is to read instead of variables."""
    return [(variable, tf.cast(half, tf.float32)) for variable, half in halves]


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
