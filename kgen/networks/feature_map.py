"""The small convolutional network under every judge of pictures."""

from keras import layers

WIDTHS = (48, 64, 128)


def map_of_features(image, widths=WIDTHS, noise=0.03):
    """A map of features that keeps where things are, for small things and their number.

    The first layer throws no pixel away: blocks of 2 x 2 pixels become 12 channels.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1]; H and W multiples of 8.
        widths: Channels at half, quarter and eighth size.
        noise: Standard deviation of what is added to `image` in training.

    Returns:
        (B, H/8, W/8, widths[-1]), at least 0.
    """
    height, width, _ = image.shape[1:]
    h = layers.GaussianNoise(noise)(image)
    h = layers.Reshape((height // 2, 2, width // 2, 2 * 3))(h)
    h = layers.Permute((1, 3, 2, 4))(h)
    h = layers.Reshape((height // 2, width // 2, 12))(h)
    for i, channels in enumerate(widths):
        if i:
            h = layers.MaxPooling2D()(h)
        for _ in range(2 if i == 1 else 1):
            h = layers.Conv2D(channels, 3, padding="same", use_bias=False)(h)
            h = layers.BatchNormalization(momentum=0.9)(h)
            h = layers.ReLU()(h)
    return h
