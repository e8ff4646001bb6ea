"""The bytes of a picture file -> square RGB pixels of one size."""

import functools
import io
import math

import numpy as np
from PIL import Image, ImageColor, ImageOps

from kgen.checks import wrong

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"BM", b"GIF8")
MAX_PIXELS = 64 * 10**6


def decode_picture(
    data: bytes, image_size: int, fit: str = "crop", background: str = "white"
) -> np.ndarray:
    """Decodes a picture (of a moving one the first frame) and makes it a square of one size.

    EXIF orientation is applied and transparency laid over the background, both before the rest.
    Lanczos (antialiased) when it shrinks, bicubic when it grows, untouched where the size fits.

    Args:
        data: A JPEG, PNG, WebP, BMP or GIF file.
        image_size: Side of the result, in pixels.
        fit: "crop" takes the middle square; "pad" keeps the whole picture, in the middle of a
            square of the background.
        background: A colour's name or #rrggbb.

    Returns:
        uint8 (image_size, image_size, 3), in [0, 255]. RGB.

    Raises:
        ValueError: The picture cannot be used; the text is the reason. Whatever a broken file
            makes Pillow raise ends here.
        MemoryError: There is no room to decode it.
    """
    colour = colour_of(background)
    to_square = _padded if fit == "pad" else _cropped
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if math.prod(picture.size) <= MAX_PIXELS:
                picture = _as_rgb(_load(picture, image_size), colour)
                return np.asarray(to_square(picture, image_size, colour))
            problem = f"{picture.width}x{picture.height} is over {MAX_PIXELS // 10**6} megapixels"
    except Image.UnidentifiedImageError:
        problem = _unidentified(data)
    except Image.DecompressionBombError:
        problem = f"over {MAX_PIXELS // 10**6} megapixels"
    except MemoryError:
        raise
    except Exception as error:  # OSError, SyntaxError, struct.error, zlib.error, KeyError ...
        problem = f"unreadable picture ({error or type(error).__name__})"
    raise ValueError(problem)


@functools.cache
def colour_of(background: str) -> tuple[int, int, int]:
    """The RGB of a colour's name (as CSS knows it) or #rrggbb, each in [0, 255].

    Raises:
        ValueError: There is no such colour, or it is transparent.

    Example:
        >>> colour_of("white"), colour_of("#ff8000")
        ((255, 255, 255), (255, 128, 0))
    """
    try:
        colour = ImageColor.getrgb(background)
    except ValueError:
        colour = ()
    if len(colour) != 3:
        hint = "Try white, or #ffffff."
        raise ValueError(wrong("background", "a colour's name or #rrggbb", background, hint))
    return colour


def _unidentified(data: bytes) -> str:
    """What is wrong with a file of which Pillow makes no picture."""
    if not data:
        return "unreadable picture (the file is empty)"
    if data.startswith(SIGNATURES):
        return "unreadable picture (its head is cut off or damaged)"
    return "no JPEG, PNG, WebP, BMP or GIF picture"


def _load(picture: Image.Image, image_size: int) -> Image.Image:
    """A JPEG decodes up to 8 times smaller at once; 3 times the size leaves Lanczos its work."""
    picture.draft(None, (3 * image_size, 3 * image_size))
    return ImageOps.exif_transpose(picture)


def _as_rgb(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey: 65535 / 257 = 255
        grey = np.asarray(picture).astype(np.float32) / 257.0
        picture = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, colour), picture)
    return picture.convert("RGB")


def _cropped(picture: Image.Image, image_size: int, _) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    return _resized(picture, (image_size, image_size))


def _padded(picture: Image.Image, image_size: int, colour: tuple[int, int, int]) -> Image.Image:
    longest = max(picture.size)
    width, height = (max(1, round(side * image_size / longest)) for side in picture.size)
    square = Image.new("RGB", (image_size, image_size), colour)
    place = ((image_size - width) // 2, (image_size - height) // 2)
    square.paste(_resized(picture, (width, height)), place)
    return square


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    shrinks = max(size) < max(picture.size)
    method = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
    return picture.resize(size, method)
