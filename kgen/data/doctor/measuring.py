"""What the picture files of a set are: format, size, bytes, and whether they can be read."""

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from kgen.data.decoding import FORMATS, decode_picture
from kgen.data.doctor.similar import THUMBNAIL
from kgen.data.doctor.words import Spread, spread

BLANK = 2.0  # deviation of a thumbnail, of 255, below which there is nothing to see
FAR_FROM_SQUARE = 1.5
PIXEL_ART = 0.95  # share of pictures made of blocks from which a set is pixel art
ORIENTATION, LYING = 0x0112, (5, 6, 7, 8)


@dataclass(frozen=True)
class Measured:
    """One picture file.

    Attributes:
        problem: Why it cannot be used; "" where it can.
        num_bytes: Of the file.
        format: Such as JPEG; "" where it is none that is known.
        mode: Pillow's, such as RGB, RGBA, P, L.
        width, height: In pixels, as it is looked at (after EXIF's turn).
        thumbnail: uint8 (32, 32, 3), its middle square; None where it cannot be used.
        block_size: Side of the blocks of one colour that it is made of at 64 pixels, 1, 2 or 4;
            0 for a plain picture, of which that cannot be told.
    """

    problem: str = ""
    num_bytes: int = 0
    format: str = ""
    mode: str = ""
    width: int = 0
    height: int = 0
    thumbnail: np.ndarray | None = None
    block_size: int = 1


@dataclass(frozen=True)
class PictureFacts:
    """The picture files that can be used.

    Attributes:
        num_bytes: Of all files measured.
        formats: Pictures by format, such as JPEG.
        modes: Pictures by mode, such as RGB or RGBA.
        sizes: The most frequent sizes, as (width, height, pictures), in pixels.
        short_side: Of the pictures, in pixels.
        megapixels_most: Of the largest.
        too_small: Pictures with a side below `image_size`, which are enlarged.
        far_from_square: Pictures over 1.5 times as long as wide, of which the ends are cut off.
        image_size: What too small was measured against.
        block_size: Side of the blocks of one colour that nearly all of them are made of at 64
            pixels, as pixel art is: 1, 2 or 4.
    """

    num_bytes: int
    formats: dict[str, int]
    modes: dict[str, int]
    sizes: tuple[tuple[int, int, int], ...]
    short_side: Spread
    megapixels_most: float
    too_small: int
    far_from_square: int
    image_size: int
    block_size: int = 1


def measure(read: Callable[[], bytes]) -> Measured:
    """Measures a picture that `read` gives the bytes of; whatever is wrong is its `problem`."""
    try:
        data = read()
    except (OSError, ValueError) as error:
        return Measured(problem=str(error))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        header = _header(data)
        try:
            pixels = decode_picture(data, 2 * THUMBNAIL)
        except ValueError as error:
            return Measured(str(error), len(data), *header)
    halves = pixels.reshape(THUMBNAIL, 2, THUMBNAIL, 2, 3).astype(np.uint16)
    thumbnail = ((halves.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)
    block = 0 if is_blank(thumbnail) else block_size(pixels)
    return Measured("", len(data), *header, thumbnail, block)


def measure_all(reads: Sequence[Callable[[], bytes]]) -> Iterable[Measured]:
    """Measures pictures one after the other, in threads."""
    with ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 1)) as pool:
        yield from pool.map(measure, reads)


def picture_facts(measured: Iterable[Measured], image_size: int) -> PictureFacts:
    """Sums up the pictures that can be used.

    Args:
        measured: Pictures; those with a problem are left out.
        image_size: What a model's pictures are to be, in pixels.
    """
    good = [one for one in measured if not one.problem]
    sizes = Counter((one.width, one.height) for one in good)
    return PictureFacts(
        num_bytes=sum(one.num_bytes for one in good),
        formats=dict(Counter(one.format for one in good).most_common()),
        modes=dict(Counter(one.mode for one in good).most_common()),
        sizes=tuple((*size, times) for size, times in sizes.most_common(12)),
        short_side=spread(min(one.width, one.height) for one in good),
        megapixels_most=max((one.width * one.height / 1e6 for one in good), default=0.0),
        too_small=sum(min(one.width, one.height) < image_size for one in good),
        far_from_square=sum(
            max(one.width, one.height) > FAR_FROM_SQUARE * min(one.width, one.height)
            for one in good
        ),
        image_size=image_size,
        block_size=_usual_block_size([one.block_size for one in good if one.block_size]),
    )


def block_size(pixels: np.ndarray) -> int:
    """Side of the blocks of one colour that a picture is made of: 1, 2 or 4.

    Args:
        pixels: uint8 (H, W, 3), H and W multiples of 4.

    Example:
        >>> block_size(np.arange(48, dtype="uint8").reshape(4, 4, 3).repeat(2, 0).repeat(2, 1))
        2
    """
    for size in (4, 2):
        blocks = pixels[::size, ::size]
        if np.array_equal(blocks.repeat(size, 0).repeat(size, 1), pixels):
            return size
    return 1


def _usual_block_size(sizes):
    """The largest size of which nearly all are multiples."""
    for size in (4, 2):
        if sizes and sum(one >= size for one in sizes) >= PIXEL_ART * len(sizes):
            return size
    return 1


def is_blank(thumbnail: np.ndarray) -> bool:
    """Whether a picture is one plain colour, as transparent ones come out that hold nothing."""
    return float(thumbnail.reshape(-1, 3).std(axis=0).max()) < BLANK


def _header(data: bytes) -> tuple[str, str, int, int]:
    """(format, mode, width, height), as far as the file tells."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if picture.getexif().get(ORIENTATION) in LYING:
                width, height = height, width
            return picture.format or "", picture.mode, width, height
    except Exception:  # the reason is told by decode_picture
        return "", "", 0, 0
