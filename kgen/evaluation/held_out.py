"""What a model is measured on: pictures and captions that its training has not seen."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kgen.checks import wrong
from kgen.config import Config, DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.model_files import read_card

MOST_SCENES = 20_000  # painted for the judges
SCENES = "kgen's procedural scenes"
SCENE_COLUMNS = ("text", "text_zh")
NO_TEST = "no rows in test"  # of the error of a set without any


@dataclass(frozen=True)
class HeldOut:
    """Pictures to measure with.

    Attributes:
        training: What the judges learn from, and generated pictures may be copies of.
        test: In memory; its captions are cut to one for each of `columns`.
        columns: Names of the caption columns.
        data: What it all is, for the reader.
        split: `test`; or `train` where the set holds no test part.
    """

    training: CaptionedPictures
    test: CaptionedPictures
    columns: tuple[str, ...]
    data: str
    split: str

    @property
    def is_unseen(self) -> bool:
        """Whether no training has seen `test`."""
        return self.split == "test"


def load_held_out(config: Config, data: str | None, num: int) -> HeldOut:
    """Reads the pictures to measure a model on.

    Args:
        config: The model's.
        data: Where captioned pictures are; None: what the configuration names.
        num: Most test pictures. Of a larger part as many are taken, spread evenly.

    Raises:
        FileNotFoundError, ValueError: The data cannot be read.
    """
    of = dataclasses.replace(config.data, path=data) if data else config.data
    size, seed = config.networks.image_size, config.training.seed
    training = load_pictures(
        dataclasses.replace(of, num_scenes=min(of.num_scenes, MOST_SCENES)), size, seed
    )
    split, test = "test", training
    try:
        test = load_pictures(dataclasses.replace(of, num_scenes=num), size, seed, split="test")
    except ValueError as error:
        if NO_TEST not in str(error):
            raise
        split = "train"
    columns = _columns(of)
    rows = np.unique(np.linspace(0, len(test) - 1, min(num, len(test))).round().astype(int))
    test = test.in_memory(rows)
    test = dataclasses.replace(
        test, captions=tuple(tuple(several)[: len(columns)] for several in test.captions)
    )
    return HeldOut(training, test, columns, data_name(of.path), split)


def check_data_is_known(folder: str | os.PathLike, data: str | None) -> None:
    """Refuses to measure a preset on other pictures than its own without being told which.

    Presets do not say where their data lay; their cards say what it was.

    Raises:
        ValueError: The preset was trained on a set that is not at hand.
    """
    trained_on = None if data else read_card(Path(folder)).get("data")
    if trained_on and trained_on != SCENES:
        hint = f"It was trained on {trained_on}: name where that is, as DATA."
        raise ValueError(wrong("data", "named for this preset", None, hint))


def data_name(path: str) -> str:
    """The set's name, without where it lies."""
    return Path(path).name if path else SCENES


def _columns(config: DataConfig) -> tuple[str, ...]:
    if not config.path:
        return SCENE_COLUMNS
    return tuple(name.strip() for name in config.captions.split(","))
