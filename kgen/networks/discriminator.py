"""D: is this image real, and does it match its caption?"""

import keras
from keras import layers, ops

from kgen.config import NetworksConfig, TextConfig
from kgen.networks.generator import channels_at

LAST_SIZE = 4


@keras.saving.register_keras_serializable("kgen")
class Projection(keras.layers.Layer):
    """D's last step, from what it saw and the caption vector to the logit.

    Formula:
        logit = plain + ⟨feature, W c⟩ / √C

    Call args:
        feature: float32 (B, C). What D saw.
        plain: float32 (B, 1). How real it looks, whatever the caption.
        caption_vector: float32 (B, C).

    Returns:
        float32 (B, 1), unbounded; > 0 means "real, and it matches its caption".

    Source: Miyato & Koyama 2018, eq. 3; the factor 1/√C is ours and keeps the logits of order
        one for every C.
    """

    def build(self, feature_shape, plain_shape, caption_vector_shape):
        self.embed = keras.layers.Dense(
            feature_shape[-1], use_bias=False, dtype=self.dtype_policy, name="embed"
        )
        self.embed.build(caption_vector_shape)

    def call(self, feature, plain, caption_vector):
        match = ops.sum(feature * self.embed(caption_vector), axis=-1, keepdims=True)
        return plain + match / feature.shape[-1] ** 0.5

    def all_pairs(self, feature, plain, caption_vector):
        """Logits of every image with every caption, float32 (N, B), for N features and B caption
        vectors: one product in place of a call for each pairing.
        """
        match = ops.matmul(feature, ops.transpose(self.embed(caption_vector)))
        return plain + match / feature.shape[-1] ** 0.5


def build_discriminator(
    config: NetworksConfig, text: TextConfig, dtype: str = "float32"
) -> keras.Model:
    """Builds D, a residual network with a projection of the caption vector.

    Its layer `backbone` goes from `image` to `feature` and `plain`, its layer `projection` from
    those and a caption vector to `logit`; so one pass over an image serves several captions.

    Args:
        config: Size and width of the networks.
        text: Its `caption_dim` C is the size of `feature` too, so that the contrastive loss can
            compare the two.
        dtype: Keras dtype policy of the convolutions; outputs are float32 always.

    Returns:
        A functional model from a dictionary of
        `image` float32 (B, H, W, 3), in [-1, 1];
        `caption_vector` float32 (B, C);
        to a dictionary of `logit` float32 (B, 1), unbounded, and `feature` float32 (B, C).

    Source: Miyato & Koyama 2018, figure 14; strided 4 x 4 convolutions as in DCGAN.
    """
    backbone = _build_backbone(config, text, dtype)
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    caption_vector = keras.Input((text.caption_dim,), name="caption_vector")
    seen = backbone(image)
    logit = Projection(name="projection")(seen["feature"], seen["plain"], caption_vector)
    return keras.Model(
        {"image": image, "caption_vector": caption_vector},
        {"logit": logit, "feature": seen["feature"]},
        name="discriminator",
    )


def _build_backbone(config, text, dtype):
    image = keras.Input((config.image_size, config.image_size, 3), name="image")
    size = config.image_size
    width = config.discriminator_width
    h = layers.Conv2D(width, 3, padding="same", dtype=dtype, name="from_image")(image)
    while size > LAST_SIZE:
        size //= 2
        channels = channels_at(size, config.image_size, width)
        h = _block(h, channels, dtype, f"block_{size}")  # (B, size, size, channels)
    h = layers.LeakyReLU(0.2, dtype=dtype)(h)
    h = layers.Conv2D(text.caption_dim, LAST_SIZE, dtype=dtype, name="whole")(h)  # (B, 1, 1, C)
    h = layers.Flatten(dtype=dtype)(h)
    h = layers.LeakyReLU(0.2, dtype="float32")(h)
    feature = layers.Dense(text.caption_dim, dtype="float32", name="feature")(h)
    plain = layers.Dense(1, dtype="float32", name="plain")(h)
    return keras.Model(image, {"feature": feature, "plain": plain}, name="backbone")


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
