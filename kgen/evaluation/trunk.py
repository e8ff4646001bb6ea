"""The small convolutional network under every judge of pictures."""

from keras import layers


def look_at(image):
    """Features of pictures, for layers that judge them.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].

    Returns:
        float32 (B, 256), at least 0.
    """
    h = layers.GaussianNoise(0.05)(image)
    for width in (16, 32, 64, 128):
        h = layers.Conv2D(width, 4, strides=2, padding="same")(h)
        h = layers.BatchNormalization()(h)
        h = layers.LeakyReLU(0.2)(h)
    h = layers.Dropout(0.3)(layers.Flatten()(h))
    return layers.Dense(256, activation="relu")(h)
