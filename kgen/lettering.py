"""Captions as pixels: wrapped lines, in a font with Chinese."""

import contextlib
import functools
import itertools
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kgen.checks import wrong

Font = ImageFont.FreeTypeFont

# The commonest 3755 characters, everywhere.
EMBEDDED_FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Subset.otf"
# Fonts with all of Chinese, where systems keep them.
CHINESE_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simhei.ttf",
    "C:/Windows/Fonts/simsun.ttc",
)
MAX_CAPTION_LINES = 8


@functools.cache
def caption_font(path: str | os.PathLike | None = None, size: int = 14) -> Font:
    """The font at `path`; else the first of `CHINESE_FONTS` there is; else the embedded.

    Raises:
        OSError: There is no font at `path`.
    """
    if path is not None:
        try:
            return ImageFont.truetype(path, size)
        except OSError as error:
            hint = f"Pass a .ttf, .otf or .ttc file ({error})."
            raise OSError(wrong("font_path", "a font", str(path), hint)) from None
    for known in CHINESE_FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(known, size)
    return ImageFont.truetype(EMBEDDED_FONT, size)


def draw_captions(captions: Sequence[str], width: int, font: Font) -> np.ndarray:
    """Draws captions, black on white, each on a label of one size.

    Args:
        captions: N captions.
        width: Of the labels, in pixels. Lines are wrapped to it.
        font: What to write with.

    Returns:
        uint8 (N, height, width, 3), in [0, 255], with the height that the longest needs.
    """
    wrapped = [wrap_caption(caption, font, width) for caption in captions]
    line_height = sum(font.getmetrics()) + 1
    height = line_height * max(len(lines) for lines in wrapped) + 4
    return np.stack([_label(lines, font, line_height, (width, height)) for lines in wrapped])


def drawable(text: str, font: Font) -> str:
    """The text on one line, in characters that `font` has.

    One that it lacks becomes its plain form (an e for an accented e) if the font has that; runs
    of others become their count: [4 Chinese characters].
    """
    text = "".join(_plain(font, c) for c in " ".join(text.split()))
    parts = []
    for has, run in itertools.groupby(text, lambda c: _has_glyph(font, c)):
        run = "".join(run)
        parts.append(run if has else f" [{len(run)} {_script(run)}] ")
    return " ".join("".join(parts).split())


def wrap_caption(text: str, font: Font, width: int) -> list[str]:
    """Breaks a caption into lines of at most `width` pixels: at spaces, in Chinese anywhere.

    A word wider than a line is broken too. What exceeds `MAX_CAPTION_LINES` ends in "...".
    """
    lines = [""]
    for piece in re.findall(r"\s|[^\s\u2e80-\uffef]+|.", drawable(text, font)):
        if font.getlength(lines[-1] + piece) <= width:
            lines[-1] += piece
            continue
        lines.append("")
        for character in piece.lstrip():
            if lines[-1] and font.getlength(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) > MAX_CAPTION_LINES:
        last = lines[MAX_CAPTION_LINES - 1]
        while last and font.getlength(last + "...") > width:
            last = last[:-1]
        lines = [*lines[: MAX_CAPTION_LINES - 1], last + "..."]
    return lines


def _label(lines: Sequence[str], font: Font, line_height: int, size: tuple[int, int]) -> np.ndarray:
    label = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(label)
    for number, line in enumerate(lines):
        pen.text((0, 2 + number * line_height), line, fill="black", font=font)
    return np.asarray(label)


@functools.cache
def _has_glyph(font: Font, character: str) -> bool:
    """Whether a font can draw a character: what it lacks looks like U+10FFFF, which none has."""
    if character.isascii():
        return character.isprintable()
    if unicodedata.category(character) == "Cs":  # half of a surrogate pair: no font takes it
        return False
    return _glyph(font, character) != _glyph(font, "\U0010ffff")


def _plain(font: Font, character: str) -> str:
    """The character, or its plain form where only that one can be drawn."""
    plain = unicodedata.normalize("NFKD", character)[0]
    return plain if not _has_glyph(font, character) and _has_glyph(font, plain) else character


def _glyph(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def _script(run: str) -> str:
    chinese = all("\u2e80" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in run)
    return ("Chinese character" if chinese else "character") + ("s" if len(run) > 1 else "")
