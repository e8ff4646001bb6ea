"""Multiplications and additions that one picture takes by the model's formulas."""

import keras

from benchmarks.training import forward_flop
from kgen.networks.layers import WordAttention


def picture_flop(model: keras.Model) -> int:
    """Of T and G joined: convolutions, dense layers, LSTMs, attention to words.

    What a graph adds, such as zeros that make one product of several, does not count, nor do
    numbers that are taken one by one.
    """
    encoder, generator = model.get_layer("encoder"), model.get_layer("generator")
    return (
        forward_flop(generator)
        + sum(map(_of_lstm, _layers(encoder, keras.layers.LSTM)))
        + sum(map(_of_attention, _layers(generator, WordAttention)))
    )


def _layers(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def _of_lstm(layer):
    """2 L (E + U) 4U, of L tokens, E numbers each, and U units."""
    _, length, embedding = layer.input.shape
    return 2 * length * (embedding + layer.units) * 4 * layer.units


def _of_attention(layer):
    """Query and output at every place, key and value of every word, and scores and sums of both."""
    h, words, _ = layer.input
    _, height, width, channels = h.shape
    _, length, dim = words.shape
    size, places = layer.num_heads * layer.key_dim, height * width
    dense = 2 * places * channels * size + 2 * length * dim * size
    # `forward_flop` counts a dense layer at one place.
    counted = 2 * channels * size + 2 * dim * size
    return 2 * (dense - counted) + 2 * 2 * places * length * size
