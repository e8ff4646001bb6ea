"""Everything the article's model and its training are made of, as a frozen value."""

import dataclasses
import os
from dataclasses import dataclass, field
from typing import Any

from kgen import checks, files
from kgen.config import Config, DataConfig

IMAGE_SIZES = (16, 32, 64)
SOURCES = ("other", "own")
READ_AT = 32  # pixels; the smallest pictures that kgen's data is read at


@dataclass(frozen=True)
class BaselineConfig:
    """The article's model, its training, and its data.

    Attributes:
        image_size: Height and width of a picture in pixels: 16, 32 or 64. Its LSTM takes a step
            for each pixel, so that 64 can be measured, but hardly trained.
        levels: Levels that each of a source's colours is quantised to; there are `levels`³ tokens.
        caption_length: L, tokens a caption is cut or padded to.
        vocabulary_size: Most wordpieces that are learned from the captions.
        embedding_dim: Numbers that a token, of a caption or a picture, is looked up as.
        lstm_units: Numbers in the state of each of the two LSTMs.
        source: What is redrawn in training: `other`, another picture of the batch, so that only
            the caption tells what to draw; or `own`, the picture that is to be drawn, from which
            it is learned to copy and to leave the caption unread: as the article's code reads.
        batch_size: Pictures in a step.
        learning_rate: Adam's.
        seed: Fixes first weights and the order of pictures.
        data: Which captioned pictures are read.

    Example:
        >>> config = BaselineConfig.from_dict({"image_size": 16, "data": {"num_scenes": 32}})
        >>> config.source, config.data.num_scenes
        ('other', 32)
        >>> BaselineConfig.from_dict(config.to_dict()) == config
        True
    """

    image_size: int = 32
    levels: int = 8
    caption_length: int = 32
    vocabulary_size: int = 4000
    embedding_dim: int = 64
    lstm_units: int = 128
    source: str = "other"
    batch_size: int = 8
    learning_rate: float = 1e-3
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self):
        checks.check_int("image_size", self.image_size, IMAGE_SIZES[0], IMAGE_SIZES[-1])
        if self.image_size not in IMAGE_SIZES:
            hint = "Pictures of other sizes are resized to it."
            raise ValueError(checks.wrong("image_size", "16, 32 or 64", self.image_size, hint))
        checks.check_int("levels", self.levels, 2, 32)
        checks.check_int("caption_length", self.caption_length, 2, 512)
        checks.check_int("vocabulary_size", self.vocabulary_size, 8, 100_000)
        checks.check_int("embedding_dim", self.embedding_dim, 1, 4096)
        checks.check_int("lstm_units", self.lstm_units, 1, 4096)
        checks.check_choice("source", self.source, SOURCES)
        checks.check_int("batch_size", self.batch_size, 2, 4096)
        checks.check_real("learning_rate", self.learning_rate, 0.0, 1.0)
        checks.check_int("seed", self.seed, 0, 2**31 - 1)
        if not isinstance(self.data, DataConfig):
            hint = "Pass kgen.config.DataConfig()."
            raise TypeError(checks.wrong("data", "a DataConfig", self.data, hint))
        if self.data.word_vectors:
            hint = "The article's model learns its own."
            given = self.data.word_vectors
            raise ValueError(checks.wrong("data.word_vectors", "empty", given, hint))

    @property
    def num_pixels(self) -> int:
        """H W, pixels of a picture, each of which is one token."""
        return self.image_size**2

    @property
    def read_size(self) -> int:
        """Height and width, in pixels, that pictures are read at before they are made smaller."""
        return max(READ_AT, self.image_size)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dictionaries, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "BaselineConfig":
        """Builds a configuration; keys left out keep their defaults.

        Raises:
            ValueError: A key is unknown (the nearest known one is named) or a value out of range.
            TypeError: A value is of the wrong type.
        """
        if not isinstance(values, dict):
            hint = "Restore the file, or train anew."
            raise TypeError(checks.wrong("config", "an object of keys and values", values, hint))
        known = [each.name for each in dataclasses.fields(cls)]
        for key in values:
            if key not in known:
                shown = checks.one_line(str(key), 80)
                raise ValueError(f"Unknown key `{shown}`. {checks.nearest(key, known)}")
        data = Config.from_dict({"data": values.get("data", {})}).data
        return cls(**{**values, "data": data})

    @classmethod
    def read(cls, path: str | os.PathLike) -> "BaselineConfig":
        """Reads a configuration from a JSON file.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It holds something else; the message names the file.
        """
        values = files.read_json(path)
        try:
            return cls.from_dict(values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None
