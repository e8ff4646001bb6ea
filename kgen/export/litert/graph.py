"""What of a model is converted: T, G, and both joined."""

from collections.abc import Callable

import tensorflow as tf

from kgen.export.litert.packed import packed_generator
from kgen.export.litert.unrolled import with_fast_lstms
from kgen.networks.text_to_image import draw
from kgen.pipeline import TextToImage
from kgen.postprocess.post_process import PostProcessing
from kgen.text.pretrained import frozen_variables

# By the signature's name. The first by the alphabet is what apps get that name none.
BATCHES = {"serving_default": 1, "serving_default_4": 4}


class Graph:
    """T and G as LiteRT is given them.

    Args:
        painter: The model.
        packed: Whether G's last block is drawn in packed pixels, for int8.

    Attributes:
        variables: All that they read.
    """

    def __init__(self, painter: TextToImage, packed: bool = False):
        self._encode = with_fast_lstms(painter.encoder)
        generator = painter.generator
        self._generator = packed_generator(generator) if packed else generator
        self._post = PostProcessing(painter.post) if painter.post else None
        models = (painter.encoder, self._generator)
        of_models = (variable for model in models for variable in model.variables)
        self.variables = [v.value for v in (*of_models, *frozen_variables(painter.model))]
        text = painter.encoder.output
        self._ids = painter.config.text.caption_length
        self._noise = painter.config.networks.noise_dim
        self._text = {n: text[n].shape[1:] for n in text if n in self._generator.input}

    def encode(self, token_ids) -> dict[str, tf.Tensor]:
        """What G takes of captions, as `encoder` has it, at once."""
        text = self._encode(token_ids)
        return {name: text[name] for name in self._text}

    def model(self, batch: int) -> Callable:
        """`image` float32 (B, H, W, 3), in [-1, 1], of `token_ids` int32 (B, L) and `noise`
        float32 (B, Z), N(0, 1).
        """

        def model(token_ids, noise):
            return {"image": self._draw(self.encode(token_ids), noise)}

        return tf.function(
            model,
            input_signature=[self._ids_spec(batch), self._spec(batch, "noise")],
            autograph=False,
        )

    def encoder(self, batch: int) -> Callable:
        """Of `token_ids` int32 (B, L) what G takes of a caption: `caption_vector` float32 (B, C),
        and where G attends to words `words` float32 (B, L, C) and `mask` float32 (B, L).
        """
        return tf.function(
            self.encode, input_signature=[self._ids_spec(batch)], autograph=False
        )

    def generator(self, batch: int) -> Callable:
        """`image` float32 (B, H, W, 3), in [-1, 1], of `noise` float32 (B, Z), N(0, 1), and what
        `encoder` gives.
        """

        def generator(noise, **text):
            return {"image": self._draw(text, noise)}

        specs = {name: self._spec(batch, name) for name in ("noise", *self._text)}
        return tf.function(generator, autograph=False).get_concrete_function(**specs)

    def _draw(self, text, noise):
        image = draw(self._generator, text, noise)
        return self._post(image) if self._post else image

    def _ids_spec(self, batch):
        return tf.TensorSpec((batch, self._ids), tf.int32, name="token_ids")

    def _spec(self, batch, name):
        shape = (self._noise,) if name == "noise" else self._text[name]
        return tf.TensorSpec((batch, *shape), tf.float32, name=name)
