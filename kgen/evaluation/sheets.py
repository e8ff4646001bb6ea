"""Pictures to be looked at: side by side, with their captions, as PNG sheets."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.attribute_classifier import STATES
from kgen.evaluation.drawing import Drawn
from kgen.evaluation.held_out import HeldOut
from kgen.evaluation.intervals import share_interval
from kgen.evaluation.memorisation import Memorisation
from kgen.pictures import captioned_grid, grid, save_png

NUM_SAMPLES, NUM_BEST, NUM_PAIRS, NUM_NOISES, NUM_CLASSES, NUM_OF_CLASS = 18, 10, 8, 6, 6, 5
LEAST_WIDTH = 128  # pixels of a picture on a sheet


@dataclass(frozen=True)
class Strip:
    """Pictures side by side.

    Attributes:
        pixels: uint8 (K, H, W, 3).
        labels: What each shows.
        captions: What was drawn, a line each.
        note: What was measured of it.
    """

    pixels: np.ndarray
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """Strips of one kind.

    Attributes:
        name: Of its PNG file, without the suffix.
        title: What it shows.
        text: How to read it.
        strips: One or more.
        columns: Strips in a row of the PNG.
    """

    name: str
    title: str
    text: str
    strips: tuple[Strip, ...]
    columns: int = 4


def sheet_pixels(sheet: Sheet) -> np.ndarray:
    """The sheet as uint8 (H, W, 3), each picture 128 pixels wide or more."""
    most = max(len(strip.pixels) for strip in sheet.strips)
    rows = [grid(_filled(strip.pixels, most), columns=most) for strip in sheet.strips]
    captions = [" / ".join(filter(None, (*s.captions, s.note))) for s in sheet.strips]
    scale = -(-LEAST_WIDTH // sheet.strips[0].pixels.shape[2])
    columns = min(sheet.columns, len(rows))
    # A wider gap between strips than between the pictures of one.
    margin = sheet.strips[0].pixels.shape[2] // 8
    wide = np.pad(np.stack(rows), ((0, 0), (0, 0), (0, margin), (0, 0)), constant_values=255)
    return captioned_grid(wide, captions, columns, scale)


def write_sheets(sheets: Sequence[Sheet], folder: str | os.PathLike, **about: Any) -> list[Path]:
    """Writes each sheet as a PNG that says what it shows, and `about`."""
    paths = []
    for sheet in sheets:
        path = Path(folder) / f"{sheet.name}.png"
        save_png(path, sheet_pixels(sheet), Title=sheet.title, Description=sheet.text, **about)
        paths.append(path)
    return paths


def samples_sheet(held_out: HeldOut, columns: Sequence[Drawn]) -> Sheet:
    """Real pictures, beside each what was drawn of its captions."""
    rows = [{row: i for i, row in enumerate(c.rows.tolist())} for c in columns]
    num = len(held_out.test)
    strips = []
    for row in np.unique(np.linspace(0, num - 1, min(num, NUM_SAMPLES)).round().astype(int)):
        have = [(c, r[row]) for c, r in zip(columns, rows) if row in r]
        pixels = [held_out.test.pixels[row], *(c.pixels[i] for c, i in have)]
        labels = ("real", *(c.name if len(columns) > 1 else "generated" for c, _ in have))
        strips.append(Strip(np.stack(pixels), labels, tuple(c.captions[i] for c, i in have)))
    text = "Evenly spread over the test pictures, not chosen. Left: the real picture."
    if len(columns) > 1:
        names = ", ".join(c.name for c in columns)
        text += f" Then what was drawn of its caption in each column: {names}."
    return Sheet("samples", "Real beside generated", text, tuple(strips), columns=3)


def best_and_worst_sheets(
    held_out: HeldOut, columns: Sequence[Drawn], scores: Sequence[np.ndarray]
) -> list[Sheet]:
    """The ten pictures that match their captions best, and worst, as the judge sees it."""
    ranked = sorted(
        ((float(s[i]), k, i) for k, s in enumerate(scores) for i in range(len(s))), reverse=True
    )
    sheets = []
    for name, title, order in (
        ("best", "The pictures that match their captions best", ranked),
        ("worst", "The pictures that match their captions worst", ranked[::-1]),
    ):
        strips, seen = [], set()
        for score, k, i in order:
            column = columns[k]
            if column.captions[i] in seen or len(strips) == NUM_BEST:
                continue
            seen.add(column.captions[i])
            pair = np.stack([held_out.test.pixels[column.rows[i]], column.pixels[i]])
            caption = (column.captions[i],)
            strips.append(Strip(pair, ("real", "generated"), caption, f"match {score:.2f}"))
        text = "By the judge's score, in [-1, 1]. Left real, right generated."
        sheets.append(Sheet(name, title, text, tuple(strips), columns=5))
    return sheets


def closest_sheet(
    found: Memorisation, generated: Drawn, training: CaptionedPictures, rows: np.ndarray
) -> Sheet:
    """Generated pictures nearest to any training picture, beside it."""
    strips = []
    for i, j, distance in found.closest_pairs(NUM_PAIRS):
        one = training.in_memory(rows[[j]])
        pair = np.stack([generated.pixels[i], one.pixels[0]])
        captions = (generated.captions[i], f"training: {one.captions[0][0]}")
        labels = ("generated", "nearest in training")
        strips.append(Strip(pair, labels, captions, f"distance {distance:.2f}"))
    usual = float(np.median(found.test_distances))
    text = (
        "The generated pictures that lie nearest to a training picture. Real test pictures lie "
        f"{usual:.2f} away, half of them less, and the nearest {found.test_distances.min():.2f}."
    )
    return Sheet("closest", "Nearest to training pictures", text, tuple(strips))


def noises_sheet(pixels: np.ndarray, captions: Sequence[str]) -> Sheet:
    """Some captions, each drawn from several noises; pixels uint8 (C, K, H, W, 3)."""
    strips = tuple(
        Strip(some, ("",) * len(some), (caption,)) for some, caption in zip(pixels, captions)
    )
    text = "Each caption drawn six times, from other noise."
    title = "Same caption, other noise"
    return Sheet("noises", title, text, strips[:NUM_NOISES], columns=2)


def classes_sheet(held_out: HeldOut, column: Drawn, attributes: dict[str, Any]) -> Sheet | None:
    """The classes that the classifier finds least often in what was drawn of them.

    By the upper bound of their share, so those come first of which most is known.
    """
    told = [
        (share_interval(one["num_right"]["generated"][0], one["num_drawn"][0])[1], name, of, one)
        for name, figures in attributes.items()
        if isinstance(figures, dict)
        for of, one in figures["classes"].items()
        if one["num_drawn"] and one["num_drawn"][0]
    ]
    places = {row: i for i, row in enumerate(column.rows.tolist())}
    strips = []
    for _, name, of, one in sorted(told, key=lambda t: t[:3])[:NUM_CLASSES]:
        values = held_out.test.attributes
        states = values.get(STATES + name)
        told_so = values[name].astype(str) == of
        if states is not None:
            told_so &= np.asarray(states) == "yes"
        rows = [row for row in np.flatnonzero(told_so) if row in places][:NUM_OF_CLASS]
        pixels = [held_out.test.pixels[rows[0]], *(column.pixels[places[row]] for row in rows)]
        right, num = one["num_right"]["generated"][0], one["num_drawn"][0]
        note = f"seen in {right} of {num} generated; in {one['num_right']['real']} real"
        labels = ("real", *[""] * len(rows))
        strips.append(Strip(np.stack(pixels), labels, (f"{name}: {of}",), note))
    if not strips:
        return None
    text = "What the classifier finds least often in pictures drawn of it; left a real one."
    return Sheet("classes", "The hardest classes", text, tuple(strips), columns=2)


def _filled(pixels, num):
    empty = np.full((num - len(pixels), *pixels.shape[1:]), 255, np.uint8)
    return np.concatenate([pixels, empty])
