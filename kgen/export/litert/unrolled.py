"""LSTMs written out step by step, which LiteRT runs twice as fast as Keras' loop.

LiteRT has an operator for a whole LSTM, too. We measured it: no faster, it keeps its state from
call to call, and LiteRT's newer interface and LiteRT.js refuse it for that.
"""

import keras
import numpy as np
import tensorflow as tf


class UnrolledEncoder:
    """What an encoder of `build_encoder` with LSTMs gives, without loops.

    Both directions take each step together: they are so small that LiteRT takes longer to begin
    an operator than to run it.

    Args:
        encoder: With layers `forward` and, perhaps, `backward`.

    Call args:
        token_ids: int32 (B, L), B known.

    Returns:
        What `encoder` gives.

    Source: Hochreiter & Schmidhuber 1997, with forget gates (Gers et al. 2000).
    """

    def __init__(self, encoder: keras.Model):
        self._layer = encoder.get_layer
        names = [layer.name for layer in encoder.layers]
        self._directions = [name for name in ("forward", "backward") if name in names]
        # As constants: variables could not be turned to LiteRT's order of gates.
        self._kernels = [
            [_sigmoids_first(kernel) for kernel in encoder.get_layer(name).get_weights()]
            for name in self._directions
        ]

    def __call__(self, token_ids):
        mask = self._layer("mask")(token_ids)
        embedded = self._layer("embedding")(token_ids)
        x = self._layer("embedding_and_one")([embedded, mask])
        words = self._layer("words")([self._sequence(x), mask])
        pooled = self._layer("pooling")([words, mask])
        caption_vector = self._layer("caption_vector")(pooled)
        return {"caption_vector": caption_vector, "words": words, "mask": mask}

    def _sequence(self, x):
        """Float32 (B, L, E) to the states of all directions side by side, (B, L, C)."""
        h = c = None
        states = []
        for projected in self._projected(x):
            gates = projected if h is None else projected + self._recurrent(states[-1])
            h, c = _step(gates, c)
            states.append(tf.split(h, len(self._directions)))
        ordered = list(zip(*states))
        if len(ordered) == 2:
            ordered[1] = ordered[1][::-1]  # the backward one began with the last token
        sides = [tf.stack(of_side, axis=1) for of_side in ordered]  # (B, L, C / 2)
        return tf.concat(sides, axis=-1)

    def _projected(self, x):
        """For each step what its token adds to the gates: (directions B, 4C) each."""
        batch, length, _ = x.shape
        sides = []
        for name, (kernel, _) in zip(self._directions, self._kernels):
            given = tf.reverse(x, [1]) if name == "backward" else x
            projected = tf.matmul(tf.reshape(given, (batch * length, -1)), tf.constant(kernel))
            projected = tf.reshape(projected, (batch, length, kernel.shape[1]))
            sides.append(tf.transpose(projected, (1, 0, 2)) if batch > 1 else projected)
        if batch == 1:
            sides = [tf.reshape(side, (length, 1, -1)) for side in sides]
        rows = tf.concat(sides, axis=1)  # (L, directions B, 4C)
        return tf.split(tf.reshape(rows, (-1, rows.shape[-1])), length)

    def _recurrent(self, states):
        """What the last states add to the gates, by direction: (directions B, 4C)."""
        of_sides = [
            tf.matmul(h, tf.constant(recurrent)) for h, (_, recurrent) in zip(states, self._kernels)
        ]
        return tf.concat(of_sides, axis=0)


def with_fast_lstms(encoder: keras.Model):
    """What to call instead of an encoder of `build_encoder`: itself, if it has no LSTMs."""
    has_lstms = any(isinstance(layer, keras.layers.LSTM) for layer in encoder.layers)
    return UnrolledEncoder(encoder) if has_lstms else encoder


def _step(gates, c):
    """i, f, o = σ(…), g = tanh(…);  c' = f c + i g;  h = o tanh(c')."""
    size = gates.shape[-1] // 4
    i, f, o = tf.split(tf.sigmoid(gates[:, : 3 * size]), 3, axis=-1)
    g = tf.tanh(gates[:, 3 * size :])
    c = i * g if c is None else f * c + i * g
    return o * tf.tanh(c), c


def _sigmoids_first(kernel: np.ndarray) -> np.ndarray:
    """Keras' gates i, f, g, o as i, f, o, g, so that one operator does for three."""
    i, f, g, o = np.split(np.asarray(kernel), 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1)
