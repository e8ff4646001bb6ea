"""Pixels <-> image, PNG files that say where they come from, and grids of pictures."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from kgen.checks import check_int, wrong
from kgen.files import whole_file
from kgen.lettering import caption_font, draw_captions

LEAST_WIDTH = 128
CAPTION_GAP = 6


def to_image(pixels: np.ndarray) -> np.ndarray:
    """Pixels -> image.

    Formula:
        image = pixels / 127.5 - 1

    Args:
        pixels: uint8 (..., 3), in [0, 255].

    Returns:
        float32 (..., 3), in [-1, 1].

    Raises:
        TypeError: `pixels` is not uint8.

    Example:
        >>> to_image(np.array([0, 255], np.uint8)).tolist()
        [-1.0, 1.0]
    """
    pixels = _check_uint8(pixels)
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def to_pixels(image: np.ndarray) -> np.ndarray:
    """Image -> pixels, the inverse of `to_image`: all 256 values come back.

    Formula:
        pixels = floor(127.5 * (clip(image, -1, 1) + 1) + 0.5)

        that is, rounded to the nearest, halves away from 0.

    Args:
        image: float (..., 3). What lies outside [-1, 1] is clipped.

    Returns:
        uint8 (..., 3), in [0, 255].

    Raises:
        TypeError: `image` holds no floating-point numbers.
        ValueError: `image` holds NaN.

    Example:
        >>> to_pixels(np.array([-1.0, 0.0, 1.0, 7.0])).tolist()
        [0, 128, 255, 255]
    """
    image = np.asarray(image)
    if not np.issubdtype(image.dtype, np.floating):
        raise TypeError(wrong("image", "floating-point", image.dtype, "Pixels need no to_pixels."))
    if np.isnan(image).any():
        raise ValueError(wrong("image", "free of NaN", "NaN", "Did training diverge?"))
    levels = np.clip(image, -1, 1, dtype=np.float32, casting="same_kind")
    levels += 1  # in place, since runtimes wait for this: it takes a third of the time
    levels *= np.float32(127.5)
    levels += np.float32(0.5)
    return levels.astype(np.uint8)  # which rounds down, as no level is negative


def save_png(path: str | os.PathLike, pixels: np.ndarray, /, **text: Any) -> None:
    """Writes a PNG with provenance, whole or not at all.

    Args:
        path: Where to. Missing folders are made.
        pixels: uint8 (H, W, 3), in [0, 255].
        **text: What the PNG says of itself, such as Caption, Seed, Model, Hash, Software
            (the PNG standard's keywords). Values other than strings are written by `str`. Latin-1
            goes into tEXt chunks, all else, such as Chinese, into iTXt.

    Raises:
        TypeError: `pixels` is not uint8.
        ValueError: `pixels` has another shape, or a keyword is not 1 to 79 ASCII characters.

    Source: W3C 2003, Portable Network Graphics (Second Edition), section 11.3.4.

    Example:
        >>> save_png("owl.png", pixels, Caption="一只猫头鹰", Seed=7)  # doctest: +SKIP
    """
    pixels = _check_uint8(pixels)
    if pixels.ndim != 3 or pixels.shape[-1] != 3 or 0 in pixels.shape:
        raise ValueError(wrong("pixels", "one picture (H, W, 3)", pixels.shape, "Index the batch."))
    info = PngImagePlugin.PngInfo()
    for key, value in text.items():
        if not (key.isascii() and key.isprintable() and 1 <= len(key) <= 79):
            raise ValueError(wrong("text", "named by 1 to 79 ASCII characters", key, "Rename it."))
        # As the tokenizer does, a lone surrogate becomes a question mark.
        value = str(value).encode("utf-8", "replace").decode("utf-8")
        info.add_text(key, value)  # Pillow takes iTXt where Latin-1 does not do
    with whole_file(path) as beside:
        Image.fromarray(pixels).save(beside, format="PNG", pnginfo=info, optimize=True)


def read_png_text(path: str | os.PathLike) -> dict[str, str]:
    """What a PNG says of itself: its tEXt, zTXt and iTXt chunks.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        ValueError: It is no PNG.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(wrong("path", "a PNG", str(path), "There is no such file."))
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            return {str(key): str(value) for key, value in picture.text.items()}
    except (Image.UnidentifiedImageError, SyntaxError):
        raise ValueError(wrong("path", "a PNG", str(path), "It is something else.")) from None


def grid(pixels: np.ndarray, columns: int, gap: int = 2, background: int = 255) -> np.ndarray:
    """Lays pictures side by side, row after row.

    Args:
        pixels: uint8 (N, H, W, 3), in [0, 255].
        columns: Pictures in a row.
        gap: Pixels between two pictures.
        background: Grey of the gaps and of the places left over, in [0, 255].

    Returns:
        uint8 (rows * (H + gap) - gap, columns * (W + gap) - gap, 3), with
        rows = ceil(N / columns).
    """
    pixels = _check_pictures(pixels)
    check_int("columns", columns, 1)
    check_int("gap", gap, 0)
    check_int("background", background, 0, 255)
    num, height, width, _ = pixels.shape
    rows = math.ceil(num / columns)
    cells = np.full((rows * columns, height + gap, width + gap, 3), background, np.uint8)
    cells[:num, :height, :width] = pixels
    cells = cells.reshape(rows, columns, height + gap, width + gap, 3)
    sheet = cells.transpose(0, 2, 1, 3, 4)  # (rows, height + gap, columns, width + gap, 3)
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), 3)
    return np.ascontiguousarray(sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap])


def captioned_grid(
    pixels: np.ndarray,
    captions: Sequence[str],
    columns: int,
    scale: int | None = None,
    font_path: str | os.PathLike | None = None,
) -> np.ndarray:
    """Lays pictures side by side with their captions beneath, wrapped to their width.

    Chinese needs a font that has it: `font_path`, or one that `kgen.lettering` finds. Without, a
    run of characters that the font lacks is drawn as its length: [4 Chinese characters].

    Args:
        pixels: uint8 (N, H, W, 3), in [0, 255].
        captions: N captions. Each gets at most 8 lines.
        columns: Pictures in a row.
        scale: Each pixel is drawn as `scale` x `scale` pixels; None: as many as make pictures 128
            pixels wide or more, so that captions have room.
        font_path: A TrueType or OpenType file to write with.

    Returns:
        uint8 (rows * (scale * H + text + gap) - gap, columns * (scale * W + gap) - gap, 3), with
        room for the longest caption as `text`, and a gap of `CAPTION_GAP`. Black on white.

    Raises:
        ValueError: There are not as many captions as pictures.
        OSError: `font_path` cannot be read.
    """
    pixels = _check_pictures(pixels)
    scale = -(-LEAST_WIDTH // pixels.shape[2]) if scale is None else scale
    check_int("scale", scale, 1)
    if len(captions) != len(pixels):
        raise ValueError(wrong("captions", f"{len(pixels)} captions", len(captions), "One each."))
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    labels = draw_captions(captions, width=pixels.shape[2], font=caption_font(font_path))
    return grid(np.concatenate([pixels, labels], axis=1), columns, gap=CAPTION_GAP)


def _check_uint8(pixels: np.ndarray) -> np.ndarray:
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        raise TypeError(wrong("pixels", "uint8", pixels.dtype, "Call `to_pixels` on an image."))
    return pixels


def _check_pictures(pixels: np.ndarray) -> np.ndarray:
    pixels = _check_uint8(pixels)
    if pixels.ndim != 4 or pixels.shape[-1] != 3 or 0 in pixels.shape:
        raise ValueError(wrong("pixels", "pictures (N, H, W, 3)", pixels.shape, "Stack them."))
    return pixels
