"""Whether a model draws anew: apart from its training pictures, and more than one a caption."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.diversity import measure_diversity, measure_diversity_in_pixels
from kgen.evaluation.drawing import Draw
from kgen.evaluation.figures import bootstrap_figure, mean_figure, share_figure
from kgen.evaluation.memorisation import (
    LEAST_RATIO,
    MOST_NEAR,
    Memorisation,
    distance_ratio,
    measure_memorisation,
    measure_memorisation_in_pixels,
)
from kgen.matcher import Matcher

NUM_LOOKED_AT = 200  # pictures compared with every training picture, moved and mirrored
MOST_TRAINING = 20_000
MOST_BYTES = 2**30
FEWEST_FOR_A_SHARE = 50  # test pictures, for their nearest 1 % to mean something
NUM_CAPTIONS, NUM_NOISES = 32, 6
NOISE_SEED = 1_000_000  # apart from those of the other pictures


def training_in_memory(training: CaptionedPictures) -> tuple[np.ndarray, np.ndarray]:
    """int64 (N,) rows and uint8 (N, H, W, 3): all, or up to 20 000 spread evenly."""
    most = min(MOST_TRAINING, MOST_BYTES // int(np.prod(training.pixels.shape[1:])))
    num = min(len(training), most)
    rows = np.unique(np.linspace(0, len(training) - 1, num).round().astype(int))
    return rows, training.pixels[rows]


def memorisation_figures(
    matcher: Matcher, training: np.ndarray, generated: np.ndarray, test: np.ndarray
) -> tuple[dict[str, Any], Memorisation]:
    """Nearest training pictures of generated and of test pictures, as they look and as judged.

    The verdict is of what pictures look like. The judge's features stand beside it: pictures
    that obey as well as real ones but vary less lie nearer there without being copies.

    Args:
        matcher: The judge.
        training: uint8 (N, H, W, 3), what may have been copied.
        generated: uint8 (M, H, W, 3).
        test: uint8 (K, H, W, 3), that no training has seen.

    Returns:
        JSON-ready figures, and what was found in the pixels, for the closest pairs.
    """
    few = len(test) < FEWEST_FOR_A_SHARE
    limits = {"least_ratio": LEAST_RATIO, "most_near": 1.0 if few else MOST_NEAR}
    looked_at, compared = generated[:NUM_LOOKED_AT], test[:NUM_LOOKED_AT]
    in_pixels = measure_memorisation_in_pixels(looked_at, training, compared, **limits)
    seen = (matcher.picture_features(p) for p in (generated, training, test))
    in_features = measure_memorisation(*seen, **limits)
    return {
        "is_memorised": in_pixels.is_memorised,
        "num_training": len(training),
        "least_ratio": LEAST_RATIO,
        "most_near": None if few else MOST_NEAR,
        "pixels": _figures(in_pixels, few),
        "features": _figures(in_features, few),
    }, in_pixels


def diversity_figures(
    draw: Draw,
    matcher: Matcher,
    captions: Sequence[str],
    real: CaptionedPictures,
    seed: int = 0,
) -> tuple[dict[str, Any], np.ndarray, list[str]]:
    """How far apart pictures of one caption are, with the pictures.

    Returns:
        JSON-ready figures; uint8 (C, 6, H, W, 3), six pictures for each of up to 32 captions; and
        these captions.
    """
    some = list(dict.fromkeys(captions))[:NUM_CAPTIONS]
    repeated = [caption for caption in some for _ in range(NUM_NOISES)]
    drawn = draw(repeated, seed + NOISE_SEED)
    shape = (len(some), NUM_NOISES)
    real = real.in_memory(np.arange(min(len(real), NUM_LOOKED_AT)))
    of_real = [several[0] for several in real.captions]
    pixels = drawn.reshape(*shape, *drawn.shape[1:])
    try:
        found = measure_diversity(
            matcher.picture_features(drawn).reshape(*shape, -1),
            matcher.picture_features(real.pixels),
            of_real,
        )
        found_in_pixels = measure_diversity_in_pixels(pixels, real.pixels, of_real)
    except ValueError as error:  # real pictures that are all one, or of one caption
        return {"left_out": str(error)}, pixels, some
    figures = {
        "num_noises": NUM_NOISES,
        "features": mean_figure(found.of_captions, seed),
        "pixels": mean_figure(found_in_pixels.of_captions, seed),
    }
    return figures, pixels, some


def _figures(found: Memorisation, few: bool) -> dict[str, Any]:
    near = found.distances <= np.percentile(found.test_distances, 1)
    return {
        "ratio": bootstrap_figure(distance_ratio, found.distances, found.test_distances),
        "share_near": None if few else share_figure(near),
        "median": float(np.median(found.distances)),
        "median_of_test": float(np.median(found.test_distances)),
        "num_test": len(found.test_distances),
    }
