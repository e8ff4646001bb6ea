"""Features of pictures, to measure how far two sets are apart."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from kgen import checks
from kgen.matcher import Matcher
from kgen.pictures import to_image

NETWORKS = ("matcher", "inception")
INCEPTION_SIDE = 299  # pixels
INCEPTION_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
BATCH_SIZE = 32


@dataclass(frozen=True)
class FeatureNetwork:
    """Gives the features of pictures.

    Attributes:
        name: What they are called in a report.
        features_of: From pixels uint8 (B, H, W, 3) to float32 (B, F).
        note: What the reader of a report must know.
    """

    name: str
    features_of: Callable[[np.ndarray], np.ndarray]
    note: str

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        return self.features_of(pixels)


def feature_network(
    name: str = "matcher",
    matcher: Matcher | None = None,
    weights: str | os.PathLike | None = "found",
) -> FeatureNetwork:
    """A network by its name.

    Args:
        name: `matcher`, the judge's 256 features, which need no download and know the user's own
            pictures; or `inception`, the 2048 pooled features of InceptionV3.
        matcher: The judge, for `matcher`.
        weights: For `inception`: a weights file of Keras' InceptionV3 without its top; `found`
            for the one that Keras keeps in ~/.keras/models. Nothing is downloaded. None: random
            weights, which tell little; for tests.

    Raises:
        ValueError: There is no such network, no judge was given, or the file is no such weights.
        FileNotFoundError: There is no weights file.

    Source: features of Inception: Heusel et al. 2017 (FID). Published figures use other weights
        and another resizing (Parmar et al. 2022), so ours are not comparable with them.
    """
    checks.check_choice("features", name, NETWORKS)
    if name == "matcher":
        if matcher is None:
            hint = "Train one with `train_matcher` or `judge_for`."
            raise ValueError(checks.wrong("matcher", "a trained judge", None, hint))
        note = "features of a judge trained on these pictures: not comparable between data sets"
        return FeatureNetwork("matcher", matcher.picture_features, note)
    network = _inception(weights)
    note = "InceptionV3 of Keras: not comparable with papers"
    return FeatureNetwork("inception", lambda pixels: _looked_at(network, pixels), note)


def _inception(weights):
    if weights is None:
        return _network(None)
    kept = Path.home() / ".keras" / "models" / INCEPTION_FILE
    path = kept if weights == "found" else Path(weights)
    if not path.is_file():
        hint = f"Put Keras' {INCEPTION_FILE} there, or use the features of the matcher."
        raise FileNotFoundError(
            checks.wrong("weights", "a file of InceptionV3's weights", str(path), hint)
        )
    try:
        return _network(str(path))
    except (OSError, ValueError, KeyError, RuntimeError):
        hint = f"Restore the file: it is known as {INCEPTION_FILE}."
        expected = "InceptionV3's weights without its top"
        raise ValueError(checks.wrong("weights", expected, str(path), hint)) from None


def _network(weights):
    shape = (INCEPTION_SIDE, INCEPTION_SIDE, 3)
    return keras.applications.InceptionV3(
        include_top=False, weights=weights, input_shape=shape, pooling="avg"
    )


def _looked_at(network, pixels):
    size = (INCEPTION_SIDE, INCEPTION_SIDE)
    parts = []
    for start in range(0, len(pixels), BATCH_SIZE):
        image = to_image(pixels[start : start + BATCH_SIZE])  # Inception's range, too
        image = keras.ops.image.resize(image, size, interpolation="bilinear", antialias=True)
        parts.append(np.asarray(network(image, training=False)))
    return np.concatenate(parts)
