"""The bytes of a picture file -> square RGB pixels of one size."""

import io
import math

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAX_PIXELS = 64 * 10**6


def decode_picture(data: bytes, image_size: int) -> np.ndarray:
    """Decodes a picture (of a GIF the first frame), crops its middle square and resizes it.

    EXIF orientation is applied and transparency laid over white, both before the crop.
    Lanczos (antialiased) when it shrinks, bicubic when it grows, untouched where the size fits.

    Args:
        data: A JPEG, PNG, WebP, BMP or GIF file.
        image_size: Side of the result, in pixels.

    Returns:
        uint8 (image_size, image_size, 3), in [0, 255]. RGB.

    Raises:
        ValueError: The picture cannot be used; the text is the reason. Whatever a broken file
            makes Pillow raise ends here.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if math.prod(picture.size) <= MAX_PIXELS:
                return np.asarray(_square(_as_rgb(_load(picture, image_size)), image_size))
            problem = f"{picture.width}x{picture.height} is over {MAX_PIXELS // 10**6} megapixels"
    except Image.UnidentifiedImageError:
        problem = "no JPEG, PNG, WebP, BMP or GIF picture"
    except Image.DecompressionBombError:
        problem = f"over {MAX_PIXELS // 10**6} megapixels"
    except Exception as error:  # OSError, SyntaxError, struct.error, zlib.error, KeyError ...
        problem = f"unreadable picture ({error or type(error).__name__})"
    raise ValueError(problem)


def _load(picture: Image.Image, image_size: int) -> Image.Image:
    """A JPEG decodes up to 8 times smaller at once; 3 times the size leaves Lanczos its work."""
    picture.draft(None, (3 * image_size, 3 * image_size))
    return ImageOps.exif_transpose(picture)


def _as_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey: 65535 / 257 = 255
        grey = np.asarray(picture).astype(np.float32) / 257.0
        picture = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _square(picture: Image.Image, image_size: int) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    if side == image_size:
        return picture
    method = Image.Resampling.LANCZOS if side > image_size else Image.Resampling.BICUBIC
    return picture.resize((image_size, image_size), method)
