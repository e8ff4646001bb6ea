"""Multiplications and additions that one picture takes by the model's formulas."""

import keras
import numpy as np

from kgen.networks.layers import WordAttention


def picture_flop(model: keras.Model) -> int:
    """Of T and G joined: convolutions, dense layers, LSTMs, attention to words.

    What a graph adds, such as zeros that make one product of several, does not count, nor do
    numbers that are taken one by one.
    """
    return encoder_flop(model.get_layer("encoder")) + generator_flop(model.get_layer("generator"))


def encoder_flop(encoder: keras.Model) -> int:
    """Of T's LSTMs for one caption, if it has any."""
    return sum(map(_of_lstm, _layers(encoder, keras.layers.LSTM)))


def generator_flop(generator: keras.Model) -> int:
    """Of G for one picture."""
    return forward_flop(generator) + sum(map(_of_attention, _layers(generator, WordAttention)))


def forward_flop(network: keras.Model) -> int:
    """Multiplications and additions of one picture through the convolutions and dense layers."""
    total = 0
    for layer in network._flatten_layers():
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            grid = layer.input if isinstance(layer, keras.layers.Conv2DTranspose) else layer.output
            total += 2 * int(np.prod(layer.kernel.shape)) * int(np.prod(grid.shape[1:3]))
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * int(np.prod(layer.kernel.shape))
    return total


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
