"""The two ways in which text reaches G's feature maps."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kgen")
class Modulation(keras.layers.Layer):
    """Scales and shifts every channel of a feature map by the condition.

    Formula:
        y = h · (1 + W_s q + b_s) + (W_t q + b_t),  q = [noise, caption vector]

    Call args:
        h: float (B, H, W, C). Feature map.
        q: float (B, Q). Condition.

    Returns:
        float (B, H, W, C).

    Source: conditional batch normalisation without the normalisation (De Vries et al. 2017,
        eq. 4), as the affine block of DF-GAN (Tao et al. 2022, eq. 2) has it.
    """

    def build(self, h_shape, q_shape):
        self.affine = keras.layers.Dense(2 * h_shape[-1], dtype=self.dtype_policy, name="affine")
        self.affine.build(q_shape)

    def call(self, h, q):
        scale, shift = ops.split(self.affine(q)[:, None, None, :], 2, axis=-1)
        return h * (1 + scale) + shift


@keras.saving.register_keras_serializable("kgen")
class WordAttention(keras.layers.Layer):
    """Lets every place of a feature map look at the words of the caption.

    Formula:
        y = h + MultiHeadAttention(query = LayerNorm(h), key = value = words)

    Args:
        num_heads: Heads.
        key_dim: Numbers a head compares.

    Call args:
        h: float (B, H, W, C). Feature map.
        words: float (B, L, D). One vector for each token.
        is_word: float (B, L), 1 for a word, 0 for padding.

    Returns:
        float (B, H, W, C).

    Source: Vaswani et al. 2017, eq. 1; words as in AttnGAN (Xu et al. 2018, eq. 3).
    """

    def __init__(self, num_heads: int = 4, key_dim: int = 16, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim

    def build(self, h_shape, words_shape, is_word_shape):
        channels = h_shape[-1]
        size = self.num_heads * self.key_dim
        self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy, name="norm")
        self.query, self.key, self.value, self.output_projection = (
            keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name=name)
            for name, units in (
                ("query", size), ("key", size), ("value", size), ("output", channels),
            )
        )  # fmt: skip
        self.norm.build(h_shape)
        self.query.build(h_shape)
        self.key.build(words_shape)
        self.value.build(words_shape)
        self.output_projection.build((None, None, size))

    def call(self, h, words, is_word):
        _, height, width, channels = h.shape
        is_word = ops.cast(is_word, words.dtype)[:, None, :]  # (B, 1, L)
        # A copy, so that the gradients of the norm are summed before the residual path's is
        # added: in one sum of four, TensorFlow's order would differ from run to run.
        q = self.query(self.norm(ops.copy(h)))
        q = self._heads(q, height * width)  # (B, heads, HW, d)
        k = self._heads(self.key(words), words.shape[1])
        # An empty caption has no words: its values are 0, so attention then adds nothing.
        v = self._heads(self.value(words) * ops.transpose(is_word, (0, 2, 1)), words.shape[1])
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / self.key_dim**0.5
        scores = ops.cast(scores, "float32") - 1e4 * ops.cast(1 - is_word[:, None], "float32")
        weights = ops.cast(ops.softmax(scores), v.dtype)  # (B, heads, HW, L)
        seen = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        seen = ops.reshape(seen, (-1, height * width, self.num_heads * self.key_dim))
        return h + ops.reshape(self.output_projection(seen), (-1, height, width, channels))

    def _heads(self, x, length):
        x = ops.reshape(x, (-1, length, self.num_heads, self.key_dim))
        return ops.transpose(x, (0, 2, 1, 3))

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim}
