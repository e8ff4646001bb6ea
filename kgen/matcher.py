"""A network that tells how well a picture matches its caption, and the folder it lives in.

It judges models, validates runs, and chooses the best of several pictures.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kgen import checks, files
from kgen.model_files import VOCABULARY
from kgen.model_folder import read_weights, write_weights
from kgen.networks.matcher import SIZES, build_caption_side, build_image_side, build_scorer
from kgen.pictures import to_image
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import read_vocabulary, write_vocabulary

FOLDER = "matcher"  # in a model's folder
SETTINGS, WEIGHTS = "matcher.json", "matcher.weights.h5"
LONGEST = 64  # tokens of a caption
BATCH_SIZE = 256


@dataclass(frozen=True)
class Matcher:
    """Puts pictures and captions into one space, near each other where they match.

    Attributes:
        vocabulary: Wordpieces of the captions.
        tokenizer: Of the captions.
        of_images: From float32 (B, H, W, 3), in [-1, 1], to `features` float32 (B, F) and
            `vector` float32 (B, C).
        of_captions: From token ids int32 (B, L) to vectors float32 (B, C).
        size: Name of its size; F and C stand in `kgen.networks.matcher.SIZES`.
    """

    vocabulary: tuple[str, ...]
    tokenizer: CaptionTokenizer
    of_images: keras.Model
    of_captions: keras.Model
    size: str = "full"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """H, W, 3 of the pictures that it can judge."""
        return tuple(self.of_images.input.shape[1:])

    @functools.cached_property
    def scorer(self) -> keras.Model:
        """From `image` float32 (B, H, W, 3), in [-1, 1], and its own `token_ids` int32 (B, L) to
        `match` float32 (B, 1), in [-1, 1]; differentiable.
        """
        return build_scorer(self.of_images, self.of_captions)

    def picture_vectors(self, pixels: np.ndarray) -> np.ndarray:
        """Unit vectors float32 (B, C) of pixels uint8 (B, H, W, 3)."""
        return _unit(self._seen(pixels, "vector"))

    def picture_features(self, pixels: np.ndarray) -> np.ndarray:
        """Features float32 (B, F), at least 0, of pixels uint8 (B, H, W, 3)."""
        return self._seen(pixels, "features")

    def caption_vectors(self, captions: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (B, C) of captions."""
        parts = [
            self.of_captions.predict_on_batch(self.tokenizer(captions[i : i + 1024]))
            for i in range(0, len(captions), 1024)
        ]
        return _unit(np.concatenate(parts))

    def scores(self, pixels: np.ndarray, captions: Sequence[str]) -> np.ndarray:
        """How well each picture matches its caption: float32 (B,), in [-1, 1]."""
        if len(pixels) != len(captions):
            expected = f"{len(pixels)} captions, one for each picture"
            raise ValueError(checks.wrong("captions", expected, len(captions), "Pair them."))
        return np.sum(self.picture_vectors(pixels) * self.caption_vectors(captions), axis=1)

    def settings(self) -> dict[str, Any]:
        """What stands in matcher.json."""
        return {
            "image_shape": list(self.image_shape),
            "caption_length": self.tokenizer.caption_length,
            "size": self.size,
        }

    def save(self, folder: str | os.PathLike, dtype: str = "float32") -> None:
        """Writes settings, vocabulary and weights into `folder`, whole or not at all.

        Args:
            folder: Made if need be.
            dtype: `float32`, or `float16` for half the size.

        Raises:
            OSError: The folder cannot be written to.
        """
        with files.whole_folder(folder) as beside:
            files.write_json(beside / SETTINGS, self.settings())
            write_vocabulary(beside / VOCABULARY, self.vocabulary)
            write_weights(_both(self), beside / WEIGHTS, dtype)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "Matcher":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file is damaged.
        """
        folder = Path(folder)
        for name in (SETTINGS, VOCABULARY, WEIGHTS):
            if not (folder / name).is_file():
                expected = f"a matcher's folder with {SETTINGS}, {VOCABULARY} and {WEIGHTS}"
                hint = f"It has no {name}: save a matcher there."
                raise FileNotFoundError(checks.wrong("folder", expected, str(folder), hint))
        shape, length, size = _read_settings(folder / SETTINGS)
        matcher = build_matcher(read_vocabulary(folder / VOCABULARY), shape, length, size)
        read_weights(_both(matcher), folder / WEIGHTS)
        return matcher

    def _seen(self, pixels, name):
        expected = self.image_shape
        if np.shape(pixels)[1:] != expected or not len(pixels):
            hint = "Judge pictures of the size that the judge was trained on."
            shape = f"pictures (N, {', '.join(map(str, expected))})"
            raise ValueError(checks.wrong("pixels", shape, np.shape(pixels), hint))
        parts = [
            self.of_images.predict_on_batch(to_image(pixels[i : i + BATCH_SIZE]))[name]
            for i in range(0, len(pixels), BATCH_SIZE)
        ]
        return np.concatenate(parts)


def build_matcher(
    vocabulary: Sequence[str],
    image_shape: tuple[int, int, int],
    caption_length: int,
    size: str = "full",
) -> Matcher:
    """A matcher with fresh weights.

    Args:
        vocabulary: Wordpieces of the captions.
        image_shape: H, W, 3.
        caption_length: L, tokens that are read of a caption.
        size: A name in `kgen.networks.matcher.SIZES`.
    """
    return Matcher(
        tuple(vocabulary),
        CaptionTokenizer(vocabulary, caption_length),
        build_image_side(image_shape, SIZES[size]),
        build_caption_side(len(vocabulary), caption_length, SIZES[size]),
        size,
    )


def _both(matcher):
    """Both sides as one model, to be written into one file."""
    inputs = [matcher.of_images.input, matcher.of_captions.input]
    outputs = [matcher.of_images(inputs[0])["vector"], matcher.of_captions(inputs[1])]
    return keras.Model(inputs, outputs, name="matcher")


def _read_settings(path):
    """Shape of a picture, length of a caption and size, once they are known to be such."""
    settings = files.read_json(path)
    try:
        shape, length = settings["image_shape"], settings["caption_length"]
        good = len(shape) == 3 and shape[2] == 3 and all(8 <= n <= 4096 for n in shape[:2])
        size = settings.get("size", "full")  # the first ones were all of this size
        if not good or not 1 <= length <= LONGEST or size not in SIZES:
            raise ValueError
        return tuple(map(int, shape)), int(length), size
    except (AttributeError, KeyError, TypeError, ValueError):
        expected = "the settings of a matcher"
        raise ValueError(checks.wrong(str(path), expected, settings, "Save it anew.")) from None


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
