"""The value that every reader of data gives and every training takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kgen.data.pictures_on_demand import PicturesOnDemand


class LeftOutWarning(UserWarning):
    """Rows of the data could not be read and were left out."""


@dataclass(frozen=True)
class CaptionedPictures:
    """Pictures with their captions.

    Attributes:
        pixels: uint8 (N, H, W, 3), in [0, 255]. In memory, or decoded when it is indexed by a
            number, a slice or an array of numbers.
        captions: N tuples of one or more captions; all captions of a picture say the same of it,
            in other words or in another language.
        attributes: For each attribute, N names of classes ("" where unknown). What the captions
            were made from, where the data has it.
        problems: One line for each row that was left out: file, line and reason. It grows where
            pictures are decoded on demand.
    """

    pixels: np.ndarray | PicturesOnDemand
    captions: Sequence[tuple[str, ...]]
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    problems: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.captions)

    @property
    def failure(self) -> Exception | None:
        """What ended the reading of pixels, for those who meet it wrapped into another error."""
        return getattr(self.pixels, "failure", None)

    def in_memory(self, rows: np.ndarray) -> "CaptionedPictures":
        """Some of the pictures, in memory.

        An unreadable one gives way to another, with its captions and attributes.

        Args:
            rows: int (M,), in [0, N).
        """
        if isinstance(self.pixels, PicturesOnDemand):
            pixels, rows = self.pixels.read(rows)
        else:
            pixels = self.pixels[rows]
        return CaptionedPictures(
            pixels,
            tuple(self.captions[i] for i in rows),
            {name: values[rows] for name, values in self.attributes.items()},
        )
