"""T and G as traced functions: Keras' `predict` takes ten times as long for one picture."""

import functools

import keras
import numpy as np
import tensorflow as tf

from kgen.fast_generator import FastGenerator
from kgen.networks.text_to_image import draw
from kgen.postprocess.post_process import PostProcess, PostProcessing

MANY = 8  # pictures, from which on `FastGenerator` is faster than Keras' layers


class Drawing:
    """What a model does with captions, traced for few pictures and for many, of any number.

    A function for each number took as long: nothing in the graph is faster for knowing it.

    Args:
        model: T and G joined, from `build_text_to_image`.
        post: What images go through after G.
        jit_compile: Whether XLA compiles the functions.
    """

    def __init__(self, model: keras.Model, post: PostProcess, jit_compile: bool = False):
        self._encoder, generator = model.get_layer("encoder"), model.get_layer("generator")
        self._post = PostProcessing(post) if post else None
        noise = _spec(model.input["noise"], "noise")
        ids = _spec(model.input["token_ids"], "token_ids")
        text = {
            name: _spec(tensor, name)
            for name, tensor in self._encoder.output.items()
            if name in generator.input
        }
        self._names = tuple(text)
        is_float = generator.get_layer("first").compute_dtype == "float32"
        fast = FastGenerator(generator) if is_float else generator
        generators = {False: fast if jit_compile else generator, True: fast}  # by whether many

        def traced(function, *specs):
            return tf.function(function, specs, autograph=False, jit_compile=jit_compile)

        self._encode = traced(self._encoded, ids)
        self._draw = {
            many: traced(functools.partial(self._drawn, g), noise, text)
            for many, g in generators.items()
        }
        self._draw_ids = {
            many: traced(functools.partial(self._drawn_of_ids, g), noise, ids)
            for many, g in generators.items()
        }

    def encode(self, token_ids) -> dict[str, np.ndarray]:
        """What G takes of captions, by name: float32 (B, …), of int32 (B, L), 0 = padding."""
        return {name: tensor.numpy() for name, tensor in self._encode(token_ids).items()}

    def image(self, noise, text) -> tf.Tensor:
        """y = G(z, text), post-processed, of noise float32 (B, Z) and what `encode` gives:
        float32 (B, H, W, 3), in [-1, 1].
        """
        return self._draw[len(noise) >= MANY](noise, text)

    def image_of_ids(self, token_ids, noise) -> tf.Tensor:
        """y = G(z, T(x)), post-processed, at once: float32 (B, H, W, 3), in [-1, 1]."""
        return self._draw_ids[len(noise) >= MANY](noise, token_ids)

    def _encoded(self, token_ids):
        text = self._encoder(token_ids, training=False)
        return {name: text[name] for name in self._names}

    def _drawn(self, generator, noise, text):
        image = draw(generator, text, noise)
        return self._post(image) if self._post else image

    def _drawn_of_ids(self, generator, noise, token_ids):
        return self._drawn(generator, noise, self._encoded(token_ids))


def _spec(tensor, name):
    return tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
