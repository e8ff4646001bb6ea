"""G: noise and text to an image."""

import keras
from keras import layers

from kgen.config import NetworksConfig, TextConfig
from kgen.networks.layers import Modulation, WordAttention

FIRST_SIZE = 4
ATTENTION_SIZES = (8, 16)


def channels_at(size: int, image_size: int, width: int) -> int:
    """Channels of the feature map that is `size` pixels high: they halve as the size doubles.

    Example:
        >>> [channels_at(size, 64, 16) for size in (4, 8, 16, 32, 64)]
        [128, 128, 64, 32, 16]
    """
    return min(8 * width, width * image_size // size)


def build_generator(
    config: NetworksConfig, text: TextConfig, dtype: str = "float32"
) -> keras.Model:
    """Builds G, a stack of Conv2DTranspose blocks with residual paths.

    Every block doubles height and width and is modulated twice by noise and caption vector;
    after the 8 and 16 px blocks the feature map attends to the words
    (`config.word_attention`).

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

    channels = channels_at(FIRST_SIZE, config.image_size, config.width)
    h = layers.Dense(FIRST_SIZE * FIRST_SIZE * channels, dtype=dtype, name="first")(inputs["noise"])
    h = layers.Reshape((FIRST_SIZE, FIRST_SIZE, channels), dtype=dtype)(h)  # (B, 4, 4, 8w)
    size = FIRST_SIZE
    while size < config.image_size:
        size *= 2
        channels = channels_at(size, config.image_size, config.width)
        h = _block(h, q, channels, dtype, f"block_{size}")  # (B, size, size, channels)
        if config.word_attention and size in ATTENTION_SIZES:
            attention = WordAttention(dtype=dtype, name=f"words_{size}")
            h = attention(h, inputs["words"], inputs["mask"])
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(3, 3, padding="same", dtype=dtype, name="to_image")(h)
    image = layers.Activation("tanh", dtype="float32", name="image")(h)
    return keras.Model(inputs, image, name="generator")


def _block(h, q, channels, dtype, name):
    """Doubles height and width: two modulated convolutions beside a 1 x 1 shortcut."""
    shortcut = layers.Conv2D(channels, 1, use_bias=False, dtype=dtype, name=f"{name}_shortcut")(h)
    shortcut = layers.UpSampling2D(dtype=dtype)(shortcut)
    h = Modulation(dtype=dtype, name=f"{name}_modulation_1")(h, q)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2DTranspose(
        channels, 4, strides=2, padding="same", dtype=dtype, name=f"{name}_up"
    )(h)
    h = Modulation(dtype=dtype, name=f"{name}_modulation_2")(h, q)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(channels, 3, padding="same", dtype=dtype, name=f"{name}_conv")(h)
    return layers.Add(dtype=dtype, name=name)([shortcut, h])
