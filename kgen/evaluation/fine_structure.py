"""How pictures are drawn, whatever they show: the statistics of their edges and surfaces.

A judge of captions looks past noise and smears, as it has learned to. These features see little
else, need no training, and are the same for all sets.
"""

from dataclasses import dataclass

import numpy as np

from kgen.checks import wrong
from kgen.evaluation.features import FeatureNetwork

LEVELS = 3  # details of 1, 2 and 4 pixels
TO_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0.0], [0.25, 0.25, -0.5]], np.float32)
LEAST_MEAN = 1e-3  # of the range, far below one grey level
LEAST_DEVIATION = 0.1  # of a statistic that hardly varies, such as the finest of pixel art
AT_ONCE = 256  # pictures
NOTE = "statistics of details of 1, 2 and 4 pixels: how pictures are drawn, not what they show"


@dataclass(frozen=True)
class _Scaled:
    """The features, each in units of its deviation among real pictures."""

    middle: np.ndarray
    deviation: np.ndarray

    def __call__(self, pixels):
        return (fine_structure(pixels) - self.middle) / self.deviation


def fine_structure_network(real: np.ndarray) -> FeatureNetwork:
    """The features of `fine_structure`, in units of their deviation among real pictures.

    Args:
        real: uint8 (N, H, W, 3), real training pictures.
    """
    found = fine_structure(real)
    deviation = np.maximum(found.std(axis=0), LEAST_DEVIATION)
    return FeatureNetwork("fine structure", _Scaled(found.mean(axis=0), deviation), NOTE)


def fine_structure(pixels: np.ndarray) -> np.ndarray:
    """Statistics of what each halving of a picture loses.

    Formula:
        d_l = x_l - up(x_{l+1}),  x_{l+1} = means of 2 x 2 pixels of x_l,  l = 0, 1, 2

        for lightness, red against green, and blue against yellow of each d_l:

        log m, m = mean |d| + 0.001; mean(d²) / m²; mean |∂d/∂y| / m; mean |∂d/∂x| / m

        the second tells few strong edges from noise everywhere, the others how they run on.

    Args:
        pixels: uint8 (N, H, W, 3), in [0, 255]; H and W multiples of 8.

    Returns:
        float32 (N, 36).

    Raises:
        ValueError: The pictures have other sides.

    Source: statistics of band-pass pictures tell real ones from others: Simoncelli and Olshausen
        2001; distances of generated pictures by Laplacian pyramids: Karras et al. 2018, section 5.
    """
    side = 2**LEVELS
    if pixels.ndim != 4 or pixels.shape[1] % side or pixels.shape[2] % side or not len(pixels):
        expected = f"pictures with sides of multiples of {side} pixels"
        raise ValueError(wrong("pixels", expected, pixels.shape, "Resize them."))
    parts = [_of_some(pixels[i : i + AT_ONCE]) for i in range(0, len(pixels), AT_ONCE)]
    return np.concatenate(parts)


def _of_some(pixels):
    image = (pixels.astype(np.float32) / 255) @ TO_OPPONENT.T
    statistics = []
    for _ in range(LEVELS):
        num, height, width, channels = image.shape
        tiles = image.reshape(num, height // 2, 2, width // 2, 2, channels)
        halved = tiles.mean(axis=(2, 4))
        detail = (tiles - halved[:, :, None, :, None]).reshape(image.shape)
        mean = np.abs(detail).mean(axis=(1, 2)) + LEAST_MEAN  # (B, 3)
        statistics += [
            np.log(mean),
            np.square(detail).mean(axis=(1, 2)) / mean**2,
            np.abs(np.diff(detail, axis=1)).mean(axis=(1, 2)) / mean,
            np.abs(np.diff(detail, axis=2)).mean(axis=(1, 2)) / mean,
        ]
        image = halved
    return np.concatenate(statistics, axis=1)
