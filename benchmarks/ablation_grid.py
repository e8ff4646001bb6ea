"""What the rows of a set drew, one beneath the other, of the same captions."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from kgen.pictures import captioned_grid, save_png

REAL_SHEET = "real.png"


def write_grid(folder: Path, rows: Iterable[str], path: Path) -> None:
    """Writes the strips in a folder as one PNG; nothing where there are none.

    Args:
        folder: Holds `ROW_SEED_MINUTES.png` of some rows, and `real.png`.
        rows: Their names, in their order.
        path: Written.
    """
    found = [(sheet, *sheet.stem.rsplit("_", 2)) for sheet in folder.glob("*_*_*.png")]
    if not found:
        return
    most = max(float(minutes) for *_, minutes in found)
    strips = [(folder / REAL_SHEET, "real, of the same captions")]
    strips += [
        (sheet, f"{row}, {minutes} minutes, seed {seed}")
        for name in rows
        for sheet, row, seed, minutes in sorted(found)
        if row == name and float(minutes) == most
    ]
    pixels = np.stack([np.asarray(Image.open(sheet).convert("RGB")) for sheet, _ in strips])
    labels = [label for _, label in strips]
    save_png(path, captioned_grid(pixels, labels, columns=1, scale=2))
