"""D: is this image real, and does it match its caption?"""

from collections.abc import Callable

import keras
from keras import layers

from kgen.config import NetworksConfig, TextConfig
from kgen.networks.generator import channels_at
from kgen.networks.heads import Concatenation, Projection

LAST_SIZE = 4


def build_discriminator(
    config: NetworksConfig, text: TextConfig, dtype: str = "float32", num_words: int = 0
) -> keras.Model:
    """Builds D, a residual network that is told the caption at its end.

    Its layer `backbone` goes from `image` to what D saw, its layer `head` from that and a caption
    vector to `logit`; so one pass over an image serves several captions.

    Args:
        config: Size and width of the networks, and which head.
        text: Its `caption_dim` C is the size of `feature` too, so that the contrastive loss can
            compare the two.
        dtype: Keras dtype policy of the convolutions; outputs are float32 always.
        num_words: V, words that its layer `words` tells from `feature`; 0: it has no such layer.

    Returns:
        A functional model from a dictionary of
        `image` float32 (B, H, W, 3), in [-1, 1];
        `caption_vector` float32 (B, C);
        to a dictionary of `logit` float32 (B, 1), unbounded, `feature` float32 (B, C), and with
        `num_words` `word_logits` float32 (B, V).

    Source: Miyato & Koyama 2018, figure 14; strided 4 x 4 convolutions as in DCGAN.
    """
    backbone = _build_backbone(config, text, dtype)
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    caption_vector = keras.Input((text.caption_dim,), name="caption_vector")
    seen = backbone(image)
    if config.discriminator == "projection":
        head = Projection(name="head")
        logit = head(seen["feature"], seen["plain"], caption_vector)
    else:
        logit = Concatenation(dtype=dtype, name="head")(seen["last_map"], caption_vector)
    outputs = {"logit": logit, "feature": seen["feature"]}
    if num_words:
        outputs["word_logits"] = layers.Dense(num_words, name="words")(seen["feature"])
    return keras.Model(
        {"image": image, "caption_vector": caption_vector}, outputs, name="discriminator"
    )


def looks_at_every_size(backbone: keras.Model) -> Callable:
    """D's backbone in training, which also tells what it saw at every size.

    Args:
        backbone: The layer `backbone` of D; what is returned calculates by its weights.

    Returns:
        A function of images (B, H, W, 3) to the outputs of `backbone` and `maps`, a list of
        (B, S, S, C), what its strided convolutions read: S is the size of what is drawn, then half
        of it, down to 8.
    """
    # What is read by one layer only, so that its gradient stays a sum of two terms: see the GAN.
    maps = [one.input for one in backbone.layers if one.name.endswith("_down")]
    network = keras.Model(backbone.input, {**backbone.output, "maps": maps})
    return lambda image: network(image, training=True)  # a function is no part of the GAN's weights


def _build_backbone(config, text, dtype):
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    size = drawn_size = config.image_size // config.pixel_size
    width = config.discriminator_width
    most = config.discriminator_most_channels or config.most_channels
    h = image
    if config.pixel_size > 1:
        h = layers.AveragePooling2D(config.pixel_size, dtype="float32", name="blocks")(h)
    drawn = h
    h = layers.Conv2D(width, 3, padding="same", dtype=dtype, name="from_image")(h)
    while size > LAST_SIZE:
        size //= 2
        channels = channels_at(size, drawn_size, width, most)
        h = _block(h, channels, dtype, f"block_{size}")  # (B, size, size, channels)
    last_map = h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Dense(text.caption_dim, dtype=dtype, name="whole")(layers.Flatten(dtype=dtype)(h))
    if config.texture_width:
        texture = _texture(drawn, config.texture_width, text.caption_dim, dtype)
        h = layers.Add(dtype="float32", name="whole_and_texture")([h, texture])
    h = layers.LeakyReLU(0.2, dtype="float32")(h)
    seen = {"feature": layers.Dense(text.caption_dim, dtype="float32", name="feature")(h)}
    if config.discriminator == "projection":
        seen["plain"] = layers.Dense(1, dtype="float32", name="plain")(h)
    else:
        seen["last_map"] = last_map
    return keras.Model(image, seen, name="backbone")


def _texture(h, width, dim, dtype):
    """How the picture is painted, wherever in it: features of 5 x 5 neighbourhoods at full size,
    averaged over all of them, as strided convolutions see no more than every other place.

    It says nothing at first, so that a trained D can be given one.

    Source: mean of local judgements, Isola et al. 2017 (PatchGAN), section 3.2.2.
    """
    for i in (1, 2):
        h = layers.Conv2D(width, 3, padding="same", dtype=dtype, name=f"texture_conv_{i}")(h)
        h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.GlobalAveragePooling2D(dtype="float32", name="texture_mean")(h)  # (B, width)
    return layers.Dense(dim, kernel_initializer="zeros", dtype="float32", name="texture")(h)


def _block(h, channels, dtype, name):
    """Halves height and width: two convolutions beside an averaged 1 x 1 shortcut."""
    shortcut = layers.AveragePooling2D(2, dtype=dtype)(h)
    shortcut = layers.Conv2D(channels, 1, use_bias=False, dtype=dtype, name=f"{name}_shortcut")(
        shortcut
    )
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(channels, 4, strides=2, padding="same", dtype=dtype, name=f"{name}_down")(h)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(channels, 3, padding="same", dtype=dtype, name=f"{name}_conv")(h)
    return layers.Add(dtype=dtype, name=name)([shortcut, h])
