"""G as 8-bit kernels are fast at: as many channels at once as there can be, as few operators.

The last block has few channels and many pixels, and integer kernels are made for the opposite: on
the processors we measured they took longer for its transposed convolution than float ones. So that
block is written in packed pixels, in which the four pixels of every 2 x 2 are one of four times
the channels (Shi et al. 2016, section 2.2), and unpacked at the end. Earlier transposed
convolutions, too, are convolutions that give packed pixels. Not a sum changes; zeros are added
where packed pixels are no neighbours.
"""

import keras
import numpy as np
from keras import layers

from kgen.export.litert.folded import FoldedAttention, FoldedModulation
from kgen.fast_generator import doubling_kernel
from kgen.networks.layers import Modulation, PixelShuffle, WordAttention


def packed_generator(generator: keras.Model) -> keras.Model:
    """The same function of the same inputs as a generator of `build_generator`.

    Returns:
        A functional model with float32 weights of its own.
    """
    up = [layer for layer in generator.layers if isinstance(layer, layers.Conv2DTranspose)]
    last = up[-1].name.removesuffix("_up")
    makers = {
        f"{last}_doubled": lambda layer: (layers.Identity(name=layer.name), []),
        f"{last}_up": _packed_up,
        f"{last}_modulation_2": _packed_modulation,
        f"{last}_conv": _packed_convolution,
        "to_image": _packed_convolution,
    }
    if last.replace("block", "words") in {layer.name for layer in generator.layers}:
        makers = {}  # each pixel looks at the words for itself
    if "pixel_shuffle" in {layer.name for layer in generator.layers}:
        makers = {}  # it has as many channels as they are packed to elsewhere
    earlier = [layer for layer in up if layer.name not in makers]
    # Their maps are a pixel larger, and are cut: to keep their size by zeros in their kernels, as
    # the last block does, would more than double the largest weights of the model.
    larger = {layer.name for layer in earlier}
    unpacked = larger | ({"to_image"} & makers.keys())
    makers |= dict.fromkeys(larger, _packed_and_larger_up)
    made = {layer.name: _maker(layer, makers)(layer) for layer in generator.layers}

    def call(layer, *args, **kwargs):
        name = layer.name
        if name in larger:
            args = [layers.ZeroPadding2D(1)(*args)]
        drawn = layer(*args, **kwargs)
        if name == f"{last}_shortcut" and "to_image" in makers:
            drawn = layers.Concatenate(name=f"{name}_packed")([drawn] * 4)
        if name in unpacked:
            drawn = PixelShuffle(2, name=f"{name}_unpacked")(drawn)
        return layers.Cropping2D(1)(drawn) if name in larger else drawn

    copy = keras.models.clone_model(
        generator, clone_function=lambda layer: made[layer.name][0], call_function=call
    )
    for name, (_, weights) in made.items():
        copy.get_layer(name).set_weights(weights)
    return copy


def _maker(layer, makers):
    kinds = {WordAttention: FoldedAttention.of, Modulation: FoldedModulation.of}
    return makers.get(layer.name) or kinds.get(type(layer), _same)


def _same(layer):
    return layer.__class__.from_config(layer.get_config()), layer.get_weights()


def _packed_and_larger_up(layer):
    kernel, bias = layer.get_weights()
    conv = layers.Conv2D(4 * layer.filters, 2, name=layer.name)
    return conv, [doubling_kernel(kernel).numpy(), np.tile(bias, 4)]


def _packed_up(layer):
    kernel, bias = layer.get_weights()
    conv = layers.Conv2D(4 * layer.filters, 3, padding="same", name=layer.name)
    return conv, [packed_transposed_kernel(kernel), np.tile(bias, 4)]


def _packed_convolution(layer):
    kernel, bias = layer.get_weights()
    conv = layers.Conv2D(4 * layer.filters, 3, padding="same", name=layer.name)
    return conv, [packed_kernel(kernel), np.tile(bias, 4)]


def _packed_modulation(layer):
    folded, (kernel, bias) = FoldedModulation.of(layer)

    def four(of_channels):
        return np.concatenate([np.tile(half, 4) for half in np.split(of_channels, 2, -1)], -1)

    return folded, [four(kernel), four(bias)]


def packed_transposed_kernel(kernel: np.ndarray) -> np.ndarray:
    """A transposed convolution's kernel (4, 4, O, I), stride 2, as a convolution's (3, 3, I, 4O).

    Formula:
        packed[1 + d, 1 + e, i, (2a + b) O + o] = kernel[a + 1 - 2d, b + 1 - 2e, o, i]
    """
    _, _, filters, channels = kernel.shape
    packed = np.zeros((3, 3, channels, 2, 2, filters), kernel.dtype)
    for d, e, a, b in np.ndindex(3, 3, 2, 2):
        y, x = a + 3 - 2 * d, b + 3 - 2 * e
        if 0 <= y < 4 and 0 <= x < 4:
            packed[d, e, :, a, b, :] = kernel[y, x].T
    return packed.reshape(3, 3, channels, 4 * filters)


def packed_kernel(kernel: np.ndarray) -> np.ndarray:
    """A convolution's kernel (3, 3, I, O) on packed pixels: (3, 3, 4I, 4O).

    Formula:
        packed[1 + d, 1 + e, (2f + g) I + i, (2a + b) O + o]
            = kernel[1 + 2d + f - a, 1 + 2e + g - b, i, o]
    """
    _, _, channels, filters = kernel.shape
    packed = np.zeros((3, 3, 2, 2, channels, 2, 2, filters), kernel.dtype)
    for d, e, f, g, a, b in np.ndindex(3, 3, 2, 2, 2, 2):
        y, x = 2 * d - 1 + f - a, 2 * e - 1 + g - b
        if 0 <= y < 3 and 0 <= x < 3:
            packed[d, e, f, g, :, a, b, :] = kernel[y, x]
    return packed.reshape(3, 3, 4 * channels, 4 * filters)
