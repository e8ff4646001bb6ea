"""The pictures that a model is measured by: each is drawn once, for all that is asked of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kgen.evaluation.held_out import HeldOut

BATCH_SIZE = 64

Draw = Callable[[Sequence[str], int], np.ndarray]


class DrawnOnce:
    """Draws as `draw` does, and keeps what it drew.

    Args:
        draw: From B captions and a seed to uint8 (B, H, W, 3); picture i depends on its caption
            and on seed + i alone.
    """

    def __init__(self, draw: Draw):
        self._draw, self._kept = draw, {}

    def __call__(self, captions: Sequence[str], seed: int) -> np.ndarray:
        """uint8 (B, H, W, 3) of B captions, 1 or more."""
        keys = [(caption, seed + i) for i, caption in enumerate(captions)]
        for first in range(0, len(keys), BATCH_SIZE):
            some = keys[first : first + BATCH_SIZE]
            if not all(key in self._kept for key in some):
                drawn = self._draw([caption for caption, _ in some], seed + first)
                self._kept.update(zip(some, drawn))
        return np.stack([self._kept[key] for key in keys])


@dataclass(frozen=True)
class Drawn:
    """What was drawn of one column's captions.

    Attributes:
        name: Of the column.
        rows: int64 (M,). Test pictures that have a caption there.
        captions: M captions.
        pixels: uint8 (M, H, W, 3). What was drawn of them.
    """

    name: str
    rows: np.ndarray
    captions: tuple[str, ...]
    pixels: np.ndarray


def draw_columns(draw: Draw, held_out: HeldOut, seed: int) -> list[Drawn]:
    """Draws all captions of each column: those of column k from seed + k N, of N pictures.

    Columns that no picture has a caption in are left out.
    """
    captions, num = held_out.test.captions, len(held_out.test)
    columns = []
    for k, name in enumerate(held_out.columns):
        rows = np.array([i for i in range(num) if k < len(captions[i])], np.int64)
        if len(rows):
            some = tuple(captions[i][k] for i in rows)
            columns.append(Drawn(name, rows, some, draw(some, seed + k * num)))
    return columns


def one_of_each(columns: Sequence[Drawn]) -> Drawn:
    """One drawn picture for each test picture, of its captions' columns in turn."""
    first, *others = columns
    captions, pixels = list(first.captions), first.pixels.copy()
    for k, other in enumerate(others, start=1):
        place = {row: i for i, row in enumerate(other.rows.tolist())}
        for i, row in enumerate(first.rows.tolist()):
            if i % len(columns) == k and row in place:
                captions[i], pixels[i] = other.captions[place[row]], other.pixels[place[row]]
    return Drawn(", ".join(c.name for c in columns), first.rows, tuple(captions), pixels)
