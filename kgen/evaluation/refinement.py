"""What it gains to draw several pictures and to keep the best."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kgen.evaluation.caption_match import r_precision_hits
from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.figures import set_figures, share_figure
from kgen.matcher import Matcher

COUNTS = (1, 2, 4, 8)
MOST_CAPTIONS = 256
AT_ONCE = 32  # captions
FEWEST = 4

DrawBestOf = Callable[[Sequence[str], int, int], np.ndarray]


def measure_refinement(
    draw: DrawBestOf,
    matcher: Matcher,
    captions: Sequence[str],
    training: np.ndarray,
    counts: Sequence[int] = COUNTS,
    seed: int = 0,
    rivals: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """R-precision and Fréchet distance against how many pictures the best was chosen from.

    What chooses must not be the judge, or the figures say only that it agrees with itself.

    Args:
        draw: From captions, a seed and N to the best of N pictures each: uint8 (B, H, W, 3).
        matcher: The judge.
        captions: Test captions; the first 256 are drawn.
        training: uint8 (M, H, W, 3), real pictures.
        counts: Each N.
        seed: Fixes noise and choices; the same for each N.
        rivals: bool (B, B), as for `r_precision_hits`.

    Returns:
        JSON-ready, for each N: `count`, figures `r_precision` and `frechet` (None for fewer than
        4 pictures).
    """
    captions = list(captions[:MOST_CAPTIONS])
    rivals = None if rivals is None else rivals[: len(captions), : len(captions)]
    of_captions = matcher.caption_vectors(captions)
    num = min(len(captions), len(training))
    reference = matcher.picture_features(training[:num])
    rows = []
    for count in counts:
        pixels = np.concatenate(
            [
                draw(captions[i : i + AT_ONCE], seed + i, count)
                for i in range(0, len(captions), AT_ONCE)
            ]
        )
        hits = r_precision_hits(
            matcher.picture_vectors(pixels), of_captions, captions, seed=seed, rivals=rivals
        )
        frechet = None
        if num >= FEWEST:
            features = matcher.picture_features(pixels[:num])
            (frechet,) = set_figures(
                _frechet, (np.zeros(1), np.full(1, np.inf)), reference, features, seed=seed
            )
        rows.append({"count": count, "r_precision": share_figure(hits), "frechet": frechet})
    return rows


def best_of(painter: Any) -> DrawBestOf | None:
    """The painter's own choice of the best of N pictures; None where it cannot choose."""
    generate = getattr(painter, "generate", None)
    if generate is None or getattr(painter, "matcher", None) is None:
        return None
    if "refine" not in inspect.signature(generate).parameters:
        return None
    return lambda captions, seed, count: generate(captions, seed=seed, refine=count)


def _frechet(real, generated):
    return np.array([frechet_distance(real, generated)])
