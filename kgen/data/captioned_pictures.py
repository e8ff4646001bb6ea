"""The value that every reader of data gives and every training takes."""

from dataclasses import dataclass, field

import numpy as np


class LeftOutWarning(UserWarning):
    """Rows of the data could not be read and were left out."""


@dataclass(frozen=True)
class CaptionedPictures:
    """Pictures with their captions, in memory.

    Attributes:
        pixels: uint8 (N, H, W, 3), in [0, 255].
        captions: N tuples of one or more captions; all captions of a picture say the same of it,
            in other words or in another language.
        attributes: For each attribute, N names of classes ("" where unknown). What the captions
            were made from, where the data has it.
        problems: One line for each row that was left out: file, line and reason.
    """

    pixels: np.ndarray
    captions: tuple[tuple[str, ...], ...]
    attributes: dict[str, np.ndarray] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.captions)
