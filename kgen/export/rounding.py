"""What rounding in another order changes in a model's pictures.

Runtimes round in other orders. A model that has been trained on for minutes only may be so steep
that this alone changes its pictures more; it is told by noise that is moved a little.
"""

import numpy as np

from kgen.pipeline import TextToImage

HALF_A_LEVEL = 4e-3  # of 255, in [-1, 1]
MOVED = 1e-6
LEEWAY = 10  # measured: LiteRT's differences were up to 4.2 times what that movement changes


def most_difference(
    painter: TextToImage,
    token_ids: np.ndarray,
    noise: np.ndarray,
    image: np.ndarray,
    least: float = 1e-4,
) -> float:
    """What rounding in another order may change in a model's pictures.

    Args:
        painter: The model.
        token_ids: int32 (B, L).
        noise: float32 (B, Z).
        image: float32 (B, H, W, 3), in [-1, 1], what the model draws of these.
        least: What it may change in any model's.

    Returns:
        `least`, or, of a steep model, `LEEWAY` times as much as noise that is larger by a part in
        a million changes, and at most half a level of 255.
    """
    moved = painter.generate_images(token_ids, noise * np.float32(1 + MOVED)).numpy()
    changed = float(np.abs(moved - image).max())
    return float(np.clip(LEEWAY * changed, least, HALF_A_LEVEL))
