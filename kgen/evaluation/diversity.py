"""Whether one caption gives more than one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgen.checks import wrong
from kgen.evaluation.distance import check_features, squared_distances


@dataclass(frozen=True)
class Diversity:
    """How far apart pictures of one caption are.

    Attributes:
        ratio: Mean distance of two pictures of one caption, over that of two real pictures of
            different captions; at least 0. 0: other noise gives the same picture. 1: two
            pictures of one caption differ as real ones of any captions do.
        real_distance: The latter, in the features' unit.
        of_captions: float64 (C,). The ratio of each caption; `ratio` is their mean. Its interval:
            `bootstrap_interval(np.mean, found.of_captions)`.
    """

    ratio: float
    real_distance: float
    of_captions: np.ndarray


def measure_diversity(
    generated: np.ndarray, real: np.ndarray, captions: Sequence[str] | None = None
) -> Diversity:
    """Compares pictures of one caption, each with other noise, with real pictures.

    How much is right depends on the captions: a caption that says all leaves little to the
    noise. Comparable only for the same captions and features.

    Formula:
        ratio = 1/C Σ_c mean_{i<j} ‖g_ci - g_cj‖ / mean_{(i,j): captions differ} ‖x_i - x_j‖

    Args:
        generated: float (C, K, F). g; K pictures, 2 or more, for each of C captions.
        real: float (N, F). x; real pictures.
        captions: The real pictures' N captions, so that pairs of one caption can be left out;
            None: they all differ.

    Returns:
        The figures, as a whole and for each caption.

    Raises:
        TypeError: The features are no numbers.
        ValueError: They are of other shapes, fewer than 2 pictures for a caption, or not finite;
            there are not as many captions as real pictures, or no two of them differ, or real
            pictures are all the same.

    Source: as the diversity of Lee et al. 2018 (DRIT) and Zhu et al. 2017 (BicycleGAN), section
        5.1, with any features for LPIPS and set against real pictures.

    Example:
        >>> measure_diversity([[[0.0], [1.0]]], [[0.0], [4.0]]).ratio
        0.25
    """
    generated = np.asarray(generated)
    if generated.ndim != 3 or generated.shape[1] < 2 or not len(generated):
        raise ValueError(
            wrong(
                "generated",
                "of shape (captions, 2 pictures or more, F)",
                generated.shape,
                "Draw each caption several times.",
            )
        )
    num, several, width = generated.shape
    real, flat = check_features(2, real=real, generated=generated.reshape(-1, width))
    real_distance = _mean_between(real, _numbered(captions, len(real)))
    first, second = np.triu_indices(several, 1)
    within = [
        np.linalg.norm(of[first] - of[second], axis=1).mean()
        for of in flat.reshape(num, several, width)
    ]
    of_captions = np.array(within) / real_distance
    return Diversity(float(of_captions.mean()), real_distance, of_captions)


def measure_diversity_in_pixels(
    generated: np.ndarray, real: np.ndarray, captions: Sequence[str] | None = None
) -> Diversity:
    """`measure_diversity` of the pixels themselves.

    Args:
        generated: uint8 (C, K, H, W, 3), in [0, 255].
        real: uint8 (N, H, W, 3), in [0, 255]. They take 8 bytes a value: of 64 x 64 pixels,
            0.1 GB for 1000 pictures; a few hundred do.
        captions: The real pictures' N captions.

    Returns:
        As `measure_diversity`; `real_distance` is the root of the mean squared difference of a
        value, in [0, 255].

    Raises:
        TypeError: The pictures are not uint8.
        ValueError: They are of other shapes; and as `measure_diversity`.
    """
    sets = {"generated": (np.asarray(generated), 5), "real": (np.asarray(real), 4)}
    for name, (pixels, dims) in sets.items():
        if pixels.dtype != np.uint8:
            raise TypeError(wrong(name, "uint8", pixels.dtype, "Call `to_pixels` on images."))
        if pixels.ndim != dims or pixels.shape[-1] != 3 or 0 in pixels.shape:
            shape = "(C, K, H, W, 3)" if dims == 5 else "(N, H, W, 3)"
            raise ValueError(wrong(name, f"pictures {shape}", pixels.shape, "Stack them."))
    generated, real = (
        pixels.reshape(*pixels.shape[:-3], -1) / np.sqrt(np.prod(pixels.shape[-3:]))
        for pixels, _ in sets.values()
    )
    return measure_diversity(generated, real, captions)


def _numbered(captions, num):
    """int64 (num,): equal numbers for equal captions."""
    if captions is None:
        return np.arange(num)
    if isinstance(captions, str) or len(captions) != num:
        raise ValueError(wrong("captions", f"{num} captions", captions, "One a real picture."))
    known = {caption: i for i, caption in enumerate(dict.fromkeys(captions))}
    if len(known) < 2:
        raise ValueError(
            wrong("captions", "of 2 kinds or more", len(known), "Take pictures of other captions.")
        )
    return np.array([known[caption] for caption in captions])


def _mean_between(features, kinds):
    """Mean distance of two rows of different kinds."""
    if np.all(features == features[0]):
        raise ValueError(
            wrong("real", "pictures that differ", "equal ones", "Take other real pictures.")
        )
    total = num = 0
    for rows, squared in squared_distances(features, features):
        differ = kinds[rows, None] != kinds
        total += np.sum(np.sqrt(squared), where=differ)
        num += differ.sum()
    return float(total / num)
