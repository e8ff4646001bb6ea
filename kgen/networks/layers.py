"""G's own layers: the two ways in which text reaches its feature maps, and its last one."""

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
        self.norm = keras.layers.LayerNormalization(dtype=self.dtype_policy, name="norm")
        self.norm.build(h_shape)
        self.build_projections(h_shape, words_shape)

    def build_projections(self, h_shape, words_shape):
        """The dense layers to queries, keys and values, and back to the feature map."""
        size = self._size
        self.query, self.key, self.value, self.output_projection = (
            keras.layers.Dense(units, use_bias=False, dtype=self.dtype_policy, name=name)
            for name, units in (
                ("query", size), ("key", size), ("value", size), ("output", h_shape[-1]),
            )
        )  # fmt: skip
        self.query.build(h_shape)
        self.key.build(words_shape)
        self.value.build(words_shape)
        self.output_projection.build((None, None, size))

    def call(self, h, words, is_word):
        _, height, width, channels = h.shape
        is_word = ops.cast(is_word, words.dtype)[:, None, :]  # (B, 1, L)
        # A copy, so that the gradients of the norm are summed before the residual path's is
        # added: in one sum of four, TensorFlow's order would differ from run to run.
        q = ops.reshape(self.query(self.norm(ops.copy(h))), (-1, height * width, self._size))
        k = self._by_head(self.key(words) / self.key_dim**0.5)  # (B, heads L, heads d)
        # An empty caption has no words: its values are 0, so attention then adds nothing.
        v = self._by_head(self.value(words) * ops.transpose(is_word, (0, 2, 1)))
        scores = ops.matmul(q, ops.transpose(k, (0, 2, 1)))
        scores = ops.reshape(scores, (-1, height * width, self.num_heads, words.shape[1]))
        scores = ops.cast(scores, "float32") - 1e4 * ops.cast(1 - is_word[:, None], "float32")
        weights = ops.cast(ops.softmax(scores), v.dtype)  # (B, HW, heads, L)
        weights = ops.reshape(weights, (-1, height * width, self.num_heads * words.shape[1]))
        seen = ops.reshape(ops.matmul(weights, v), (-1, height, width, self._size))
        return h + self.output_projection(seen)

    def _by_head(self, x):
        """(B, L, heads d) to (B, heads L, heads d): a row for each head, 0 but for its own part.

        One product with these rows does what a product for each head does, without the transposed
        copies of whole feature maps that those take on phones.
        """
        own = ops.repeat(ops.eye(self.num_heads, dtype=x.dtype), self.key_dim, axis=1)
        rows = x[:, None] * own[None, :, None]  # (B, heads, L, heads d)
        return ops.reshape(rows, (-1, self.num_heads * x.shape[1], self._size))

    @property
    def _size(self):
        return self.num_heads * self.key_dim

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim}


@keras.saving.register_keras_serializable("kgen")
class Doubled(keras.layers.Layer):
    """(B, H, W, C) to (B, 2H, 2W, C): every pixel four times.

    By concatenations, since repeated pixels are no operator that phones' fast kernels have.
    """

    def call(self, h):
        _, height, width, channels = h.shape
        h = ops.reshape(ops.concatenate([h, h], axis=-1), (-1, height, 2 * width, channels))
        h = ops.concatenate([h, h], axis=2)  # (B, H, 4W, C)
        return ops.reshape(h, (-1, 2 * height, 2 * width, channels))


@keras.saving.register_keras_serializable("kgen")
class PixelShuffle(keras.layers.Layer):
    """Puts the channels of each place beside each other, as a square of pixels.

    Formula:
        y[s i + a, s j + b, c] = x[i, j, (s a + b) C + c]

    Args:
        size: s, height and width of the square.

    Call args:
        x: float (B, H, W, s² C).

    Returns:
        float (B, s H, s W, C).

    Source: Shi et al. 2016 (sub-pixel convolution), eq. 4.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        return ops.depth_to_space(x, self.size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
