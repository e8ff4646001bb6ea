"""G: noise and text to an image."""

import keras
from keras import layers

from kgen.config import ATTENTION_SIZES, NetworksConfig, TextConfig
from kgen.networks.layers import Doubled, Modulation, PixelShuffle, WordAttention

FIRST_SIZE = 4


def channels_at(size: int, image_size: int, width: int, most: int = 0) -> int:
    """Channels of the feature map that is `size` pixels high: they halve as the size doubles.

    Args:
        size: Of the feature map, in pixels.
        image_size: Of the picture, in pixels.
        width: Channels at full size.
        most: Channels at most; 0: 8 times the width.

    Example:
        >>> [channels_at(size, 64, 16) for size in (4, 8, 16, 32, 64)]
        [128, 128, 64, 32, 16]
        >>> [channels_at(size, 128, 8, most=128) for size in (4, 8, 16, 32, 64, 128)]
        [128, 128, 64, 32, 16, 8]
    """
    return min(most or 8 * width, width * image_size // size)


def build_generator(
    config: NetworksConfig, text: TextConfig, dtype: str = "float32"
) -> keras.Model:
    """Builds G, a stack of Conv2DTranspose blocks with residual paths.

    Every block doubles height and width and is modulated twice by noise and caption vector;
    after the 8 and 16 px blocks the feature map attends to the words
    (`config.word_attention`, `config.attention_size`). Pixel art is drawn a block at a time
    (`config.pixel_size`); the last convolution may give several pixels at once
    (`config.pixel_shuffle`).

    Args:
        config: Size and width of the networks.
        text: Its `caption_dim` C and `caption_length` L shape the inputs.
        dtype: Keras dtype policy of the arithmetic; the image is float32 always.

    Returns:
        A functional model from a dictionary of
        `noise` float32 (B, Z), N(0, 1);
        `caption_vector` float32 (B, C);
        with attention also `words` float32 (B, L, C) and `mask` float32 (B, L), 1 for a word;
        to `image` float32 (B, H, W, 3), in [-1, 1].

    Source: residual generator of Miyato & Koyama 2018 with transposed convolutions; the
        modulation stands where they normalise.
    """
    inputs = {
        "noise": keras.Input((config.noise_dim,), name="noise"),
        "caption_vector": keras.Input((text.caption_dim,), name="caption_vector"),
    }
    if config.word_attention:
        length, dim = text.caption_length, text.caption_dim
        inputs["words"] = keras.Input((length, dim), name="words")
        inputs["mask"] = keras.Input((length,), name="mask")
    q = layers.Concatenate(dtype=dtype, name="condition")(
        [inputs["noise"], inputs["caption_vector"]]
    )

    drawn_size = config.drawn_size
    channels = channels_at(FIRST_SIZE, drawn_size, config.width, config.most_channels)
    h = layers.Dense(FIRST_SIZE * FIRST_SIZE * channels, dtype=dtype, name="first")(inputs["noise"])
    h = layers.Reshape((FIRST_SIZE, FIRST_SIZE, channels), dtype=dtype)(h)  # (B, 4, 4, 8w)
    attention_sizes = [n for n in ATTENTION_SIZES if n <= config.attention_size]
    attention_sizes = attention_sizes if config.word_attention else []
    size = FIRST_SIZE
    while size < drawn_size:
        size *= 2
        channels = channels_at(size, drawn_size, config.width, config.most_channels)
        h = _block(h, q, channels, dtype, f"block_{size}")  # (B, size, size, channels)
        if size in attention_sizes:
            attention = WordAttention(dtype=dtype, name=f"words_{size}")
            h = attention(h, inputs["words"], inputs["mask"])
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    shuffle = config.pixel_shuffle
    h = layers.Conv2D(3 * shuffle**2, 3, padding="same", dtype=dtype, name="to_image")(h)
    image = layers.Activation("tanh", dtype="float32", name="image")(h)
    if shuffle > 1:
        image = PixelShuffle(shuffle, dtype="float32", name="pixel_shuffle")(image)
    if config.pixel_size > 1:
        image = layers.UpSampling2D(config.pixel_size, dtype="float32", name="blocks")(image)
    return keras.Model(inputs, image, name="generator")


def _block(h, q, channels, dtype, name):
    """Doubles height and width: two modulated convolutions beside a 1 x 1 shortcut."""
    shortcut = layers.Conv2D(channels, 1, use_bias=False, dtype=dtype, name=f"{name}_shortcut")(h)
    shortcut = Doubled(dtype=dtype, name=f"{name}_doubled")(shortcut)
    h = Modulation(dtype=dtype, name=f"{name}_modulation_1")(h, q)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2DTranspose(
        channels, 4, strides=2, padding="same", dtype=dtype, name=f"{name}_up"
    )(h)
    h = Modulation(dtype=dtype, name=f"{name}_modulation_2")(h, q)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(channels, 3, padding="same", dtype=dtype, name=f"{name}_conv")(h)
    return layers.Add(dtype=dtype, name=name)([shortcut, h])
