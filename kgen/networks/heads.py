"""D's last step, from what it saw and a caption vector to the logit, in two ways."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kgen")
class Projection(keras.layers.Layer):
    """What D saw is projected on the caption vector.

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


@keras.saving.register_keras_serializable("kgen")
class Concatenation(keras.layers.Layer):
    """The caption vector stands beside every place of D's last feature map.

    Formula:
        logit = Conv 4 × 4 (LeakyReLU(Conv 3 × 3 [map, c]))

    Call args:
        last_map: float (B, 4, 4, M). D's last feature map.
        caption_vector: float32 (B, C).

    Returns:
        float32 (B, 1), unbounded; > 0 means "real, and it matches its caption".

    Source: Tao et al. 2022 (DF-GAN), section 3.3: the one-way output.
    """

    def build(self, last_map_shape, caption_vector_shape):
        _, height, width, channels = last_map_shape
        dim = caption_vector_shape[-1]
        self.join = keras.layers.Conv2D(
            channels, 3, padding="same", dtype=self.dtype_policy, name="join"
        )
        self.join.build((None, height, width, channels + dim))
        self.whole = keras.layers.Conv2D(1, (height, width), dtype=self.dtype_policy, name="whole")
        self.whole.build((None, height, width, channels))

    def call(self, last_map, caption_vector):
        c = ops.cast(caption_vector, last_map.dtype)[:, None, None, :]
        c = ops.tile(c, (1, *last_map.shape[1:3], 1))
        h = ops.leaky_relu(self.join(ops.concatenate([last_map, c], axis=-1)), 0.2)
        return ops.cast(ops.reshape(self.whole(h), (-1, 1)), "float32")
