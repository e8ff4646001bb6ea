"""kgen's batches as the article's model takes them."""

from keras import ops

from kgen.baselines.config import BaselineConfig
from kgen.baselines.pixel_tokens import pixel_tokens


def training_batch(batch: dict, config: BaselineConfig):
    """What one step of training is given.

    Args:
        batch: `image` float32 (B, S, S, 3), in [-1, 1], with S a multiple of H; `token_ids` int32
            (B, L).
        config: Which picture is the source, and the sizes.

    Returns:
        A pair of inputs and target, as Keras' `fit` takes them: (`token_ids` int32 (B, L),
        `picture_tokens` int32 (B, H W) of the source), and float32 (B, H, W, 3), in [0, 1].
    """
    target = (shrunk(batch["image"], config.image_size) + 1.0) / 2.0
    source = ops.roll(target, 1, axis=0) if config.source == "other" else target
    pixels = ops.floor(255.0 * source + 0.5)
    return (batch["token_ids"], pixel_tokens(pixels, config.levels)), target


def shrunk(image, size: int):
    """Means of squares of pixels.

    Args:
        image: float32 (B, S, S, 3), with S a multiple of `size`.
        size: H, height and width to be had, in pixels.

    Returns:
        float32 (B, H, H, 3).
    """
    side = image.shape[1] // size
    blocks = ops.reshape(image, (-1, size, side, size, side, 3))
    return ops.mean(blocks, axis=(2, 4))
