"""Captions and pictures to redrawn pictures, by the article's model."""

import os
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kgen import checks, files
from kgen.baselines.config import BaselineConfig
from kgen.baselines.network import build_redrawer
from kgen.baselines.pixel_tokens import pixel_tokens
from kgen.model_files import CONFIG, VOCABULARY, WEIGHTS
from kgen.model_folder import read_weights, write_weights
from kgen.pictures import to_pixels
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import read_vocabulary, write_vocabulary

FILES = (CONFIG, VOCABULARY, WEIGHTS)


class Redrawer:
    """The article's model with its tokenizer.

    Args:
        config: The model's configuration.
        vocabulary: Its wordpieces.
        model: From `build_redrawer`; with fresh weights if left out.

    Example:
        redrawer = Redrawer.load("runs/article")
        pixels = redrawer.generate(["美丽的日落景象"], source_pixels)
    """

    def __init__(
        self, config: BaselineConfig, vocabulary: Sequence[str], model: keras.Model | None = None
    ):
        self.config = config
        self.vocabulary = tuple(vocabulary)
        self.tokenizer = CaptionTokenizer(self.vocabulary, config.caption_length)
        self.model = model = model or build_redrawer(config, len(self.vocabulary))
        # A traced function: Keras' `predict` takes ten times as long for one picture.
        self._draw = tf.function(
            lambda token_ids, picture_tokens: model([token_ids, picture_tokens], training=False),
            input_signature=(
                tf.TensorSpec((None, config.caption_length), tf.int32),
                tf.TensorSpec((None, config.num_pixels), tf.int32),
            ),
        )

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """H, W, 3 of the pictures that it reads and draws."""
        return (self.config.image_size, self.config.image_size, 3)

    def generate(self, captions: str | Sequence[str], source_pixels: np.ndarray) -> np.ndarray:
        """Redraws one picture for each caption.

        Args:
            captions: B captions, or one.
            source_pixels: uint8 (B, H, W, 3), in [0, 255]. A picture for each caption.

        Returns:
            uint8 (B, H, W, 3), in [0, 255].

        Raises:
            TypeError: `captions` are not strings, or `source_pixels` are not uint8.
            ValueError: `source_pixels` have another shape, or there are not as many.
        """
        captions = checks.strings("captions", captions)
        source_pixels = self._check_source(source_pixels, len(captions))
        if not captions:
            return source_pixels
        picture_tokens = pixel_tokens(source_pixels, self.config.levels)
        picture = self.generate_pictures(self.tokenizer(captions), picture_tokens)
        return to_pixels(2.0 * picture.numpy() - 1.0)

    def generate_pictures(self, token_ids, picture_tokens) -> tf.Tensor:
        """The model, traced, for token ids int32 (B, L) and a source's picture tokens int32
        (B, H W): float32 (B, H, W, 3), in [0, 1].
        """
        return self._draw(token_ids, picture_tokens)

    def save(self, folder: str | os.PathLike) -> None:
        """Writes configuration, vocabulary and weights, whole or not at all.

        Args:
            folder: New, empty, or of a model that was saved before.

        Raises:
            FileExistsError: Something else is in `folder`.
            OSError: The folder cannot be written to.
        """
        check_replaceable("folder", folder)
        with files.whole_folder(folder) as beside:
            files.write_json(beside / CONFIG, self.config.to_dict())
            write_vocabulary(beside / VOCABULARY, self.vocabulary)
            write_weights(self.model, beside / WEIGHTS)

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "Redrawer":
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file does not hold what it should.
        """
        folder = Path(folder)
        for name in FILES:
            if not (folder / name).is_file():
                expected = f"a model's folder with {', '.join(FILES)}"
                hint = f"It has no {name}: train a baseline there."
                raise FileNotFoundError(checks.wrong("folder", expected, str(folder), hint))
        redrawer = cls(BaselineConfig.read(folder / CONFIG), read_vocabulary(folder / VOCABULARY))
        read_weights(redrawer.model, folder / WEIGHTS)
        return redrawer

    def _check_source(self, source_pixels, num):
        pixels = np.asarray(source_pixels)
        shape = (num, *self.picture_shape)
        if pixels.dtype != np.uint8:
            hint = "Call `to_pixels` on an image."
            raise TypeError(checks.wrong("source_pixels", "uint8", pixels.dtype, hint))
        if pixels.shape != shape:
            hint = "Pass a picture of the model's size for each caption."
            raise ValueError(checks.wrong("source_pixels", f"{shape}", pixels.shape, hint))
        return pixels


def check_replaceable(argument: str, folder: str | os.PathLike) -> None:
    """Refuses a folder that holds more than a model, since saving one replaces all of it.

    Raises:
        FileExistsError: Something else is in it, or it is a file.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    others = [p.name for p in folder.iterdir()] if folder.is_dir() else [folder.name]
    others = sorted(set(others) - set(FILES))
    if others:
        hint = f"It has {others[0]}: name a new folder."
        raise FileExistsError(checks.wrong(argument, "a folder for a model", str(folder), hint))
