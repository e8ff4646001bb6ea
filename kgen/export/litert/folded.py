"""Layers of G with all that can be calculated beforehand in their weights, for LiteRT."""

import numpy as np
from keras import ops

from kgen.networks.layers import Modulation, WordAttention


class FoldedModulation(Modulation):
    """`Modulation` whose scale has its 1 in the bias.

    Formula:
        y = h · (W_s q + (1 + b_s)) + (W_t q + b_t)
    """

    @classmethod
    def of(cls, layer: Modulation) -> tuple["FoldedModulation", list[np.ndarray]]:
        """The same function as a modulation, and its weights."""
        kernel, bias = layer.get_weights()
        scale, shift = np.split(bias, 2)
        return cls(name=layer.name), [kernel, np.concatenate([1 + scale, shift])]

    def call(self, h, q):
        both = ops.reshape(self.affine(q), (-1, 1, 1, 2 * h.shape[-1]))
        scale, shift = ops.split(both, 2, axis=-1)
        return h * scale + shift


class FoldedAttention(WordAttention):
    """`WordAttention` whose query has the norm's scale and shift in its weights, head by head.

    One product for all heads, as there, takes four times the multiplications, and in LiteRT they
    are in float.

    Formula:
        q = (W_q γ) (h - mean h) / √(var h + ε) + W_q β

    Args:
        num_heads: Heads.
        key_dim: Numbers a head compares.
        epsilon: ε of the norm.

    Call args, Returns: As of `WordAttention`.

    Source: As of `WordAttention`; the norm is that of Ba et al. 2016, eq. 4.
    """

    def __init__(self, num_heads: int, key_dim: int, epsilon: float, **kwargs):
        super().__init__(num_heads, key_dim, **kwargs)
        self.epsilon = epsilon

    @classmethod
    def of(cls, layer: WordAttention) -> tuple["FoldedAttention", list[np.ndarray]]:
        """The same function as an attention, and its weights."""
        gamma, beta, query, key, value, output = layer.get_weights()
        folded = cls(layer.num_heads, layer.key_dim, layer.norm.epsilon, name=layer.name)
        key = key / np.float32(layer.key_dim**0.5)
        return folded, [beta @ query, gamma[:, None] * query, key, value, output]

    def build(self, h_shape, words_shape, is_word_shape):
        self.query_bias = self.add_weight(shape=(self._size,), name="query_bias")
        self.build_projections(h_shape, words_shape)

    def call(self, h, words, is_word):
        _, height, width, channels = h.shape
        is_word = is_word[:, :, None]  # (B, L, 1)
        centred = h - ops.mean(h, axis=-1, keepdims=True)
        variance = ops.mean(centred * centred, axis=-1, keepdims=True)
        q = self.query(centred) * ops.rsqrt(variance + self.epsilon) + self.query_bias
        q = ops.reshape(q, (-1, height * width, self._size))
        k = ops.transpose(self.key(words), (0, 2, 1))  # (B, heads d, L)
        # An empty caption has no words: its values are 0, so attention then adds nothing.
        v = self.value(words) * is_word
        unseen = ops.transpose(1e4 * (1 - is_word), (0, 2, 1))  # (B, 1, L)
        heads = zip(*(ops.split(x, self.num_heads, axis) for x, axis in ((q, 2), (k, 1), (v, 2))))
        seen = [
            ops.matmul(ops.softmax(ops.matmul(of_q, of_k) - unseen), of_v)
            for of_q, of_k, of_v in heads
        ]  # (B, HW, d) each
        seen = self.output_projection(ops.concatenate(seen, axis=-1))
        return h + ops.reshape(seen, (-1, height, width, channels))
