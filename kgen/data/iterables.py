"""Captioned pictures from Python: any iterable, or a tf.data.Dataset, as notebooks have them."""

import io
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from kgen.checks import check_choice, check_int, check_real, one_line, wrong
from kgen.config import FITS, DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.decoding import colour_of, decode_picture
from kgen.data.metadata import Row, captions_of
from kgen.data.strings import ClassNames

ENDLESS = (itertools.count, itertools.cycle, itertools.repeat)
KINDS = "an array (H, W, 3), a PIL image, a path, or the bytes of a picture file"


def from_iterable(
    items: Iterable,
    image_size: int,
    captions: Sequence[str] = ("text",),
    max_bad_share: float = 0.5,
    fit: str = "crop",
    background: str = "white",
) -> CaptionedPictures:
    """Takes captioned pictures into memory, once through.

    Args:
        items: Pairs (picture, caption) or (picture, [captions]), or dictionaries such as
            {"image": picture, "text": caption, "text_zh": caption}; a tf.data.Dataset of the
            same, unbatched, counts too. A picture is

            - an array or tensor (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8 in [0, 255],
              or of floating-point numbers in [0, 1];
            - a PIL image;
            - a path (text, `os.PathLike`, or a dataset's string);
            - the bytes of a JPEG, PNG, WebP, BMP or GIF file.
        image_size: Side of the pictures, in pixels.
        captions: Keys of captions in dictionaries, in the order in which they come.
        max_bad_share: Share of unusable items above which nothing is returned, in [0, 1].
        fit: How a picture becomes a square: "crop" to its middle, or "pad" with the background.
        background: What lies behind transparent and padded pictures: a name or #rrggbb.

    Returns:
        The pictures, N = items that could be used; the others are named in `problems`. Other
        strings in dictionaries become `attributes`.

    Raises:
        TypeError: `items` is no iterable, or none of pairs or dictionaries.
        ValueError: The dataset never ends (a generator cannot be asked: it has to end), or too
            few items can be used.

    Example:
        >>> red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
        >>> from_iterable([(red, "a red square"), (red, ["red", "红色"])], 4).captions
        (('a red square',), ('red', '红色'))
    """
    check_int("image_size", image_size, 1, 4096)
    check_real("max_bad_share", max_bad_share, 0, 1)
    check_choice("fit", fit, FITS)
    colour_of(background)
    pixels, found, rows, problems = [], [], [], []
    number = 0
    for number, item in enumerate(_finite(items), start=1):
        row, picture = _row(number, item, captions)
        try:
            texts = captions_of(row, captions)
            pixels.append(decode_picture(_picture_bytes(picture), image_size, fit, background))
        except (OSError, ValueError) as error:
            problems.append(one_line(f"{row.where}: {error}"))
        else:
            found.append(texts)
            rows.append(row)
    if not found or len(problems) > max_bad_share * number:
        first = f" The first: {problems[0]}." if problems else ""
        hint = f"{len(problems)} of {number} cannot be used.{first}"
        raise ValueError(wrong("items", "captioned pictures", type(items).__name__, hint))
    return CaptionedPictures(
        pixels=np.stack(pixels),
        captions=tuple(found),
        attributes=_attributes(rows, captions),
        problems=tuple(problems),
    )


def pictures_as(config: DataConfig, items: Iterable, image_size: int) -> CaptionedPictures:
    """`from_iterable` with the columns and the rest that `config` says, whatever its path."""
    columns = tuple(name.strip() for name in config.captions.split(","))
    return from_iterable(
        items, image_size, columns, config.max_bad_share, config.fit, config.background
    )


def _finite(items: Any) -> Iterable:
    """The items, as numpy if they are a dataset's; refuses what is known to have no end."""
    hint = "Pass a list of (picture, caption), or dataset.take(1000)."
    if hasattr(items, "cardinality") and hasattr(items, "as_numpy_iterator"):
        if int(items.cardinality()) == -1:  # tf.data.INFINITE_CARDINALITY
            raise ValueError(wrong("items", "a dataset that ends", "an endless one", hint))
        return items.as_numpy_iterator()
    if isinstance(items, ENDLESS):
        raise ValueError(wrong("items", "an iterable that ends", items, hint))
    if isinstance(items, (str, bytes, dict, np.ndarray)) or not hasattr(items, "__iter__"):
        raise TypeError(wrong("items", "captioned pictures", type(items).__name__, hint))
    return items


def _row(number: int, item: Any, captions: Sequence[str]) -> tuple[Row, Any]:
    where = f"item {number}"
    if isinstance(item, dict):
        if "image" not in item:
            hint = 'Name the picture "image".'
            raise TypeError(wrong(where, 'a dictionary with "image"', list(item), hint))
        columns = {key: _text(value) for key, value in item.items() if key != "image"}
        return Row(where, columns=columns), item["image"]
    if not isinstance(item, (tuple, list)) or len(item) != 2:
        hint = 'Or {"image": picture, "text": caption}.'
        raise TypeError(wrong(where, "a pair (picture, caption)", type(item).__name__, hint))
    return Row(where, columns={captions[0]: _text(item[1])}), item[0]


def _text(value: Any) -> Any:
    """TensorFlow's strings, which are bytes and arrays of bytes, as text; all else as it is."""
    if hasattr(value, "numpy"):  # an eager tensor
        value = value.numpy()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_text(one) for one in value]
    if isinstance(value, bytes):
        # What is no UTF-8 becomes no text either, and is named as a problem.
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    return value


def _picture_bytes(picture: Any) -> bytes:
    """A file's bytes, so that every picture takes the one way through `decode_picture`."""
    if hasattr(picture, "numpy"):
        picture = picture.numpy()
    if isinstance(picture, bytes):
        # A dataset gives a path as bytes, too.
        is_path = len(picture) < 4096 and os.path.isfile(picture)
        return Path(os.fsdecode(picture)).read_bytes() if is_path else picture
    if isinstance(picture, (str, os.PathLike)):
        return Path(picture).read_bytes()
    if isinstance(picture, Image.Image):
        picture = ImageOps.exif_transpose(picture)
    elif isinstance(picture, (np.ndarray, np.generic)):
        picture = _from_array(picture)
    else:
        raise ValueError(f"the picture is {type(picture).__name__}, not {KINDS}")
    file = io.BytesIO()
    plain = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")
    picture = picture if picture.mode in plain else picture.convert("RGB")
    picture.save(file, format="PNG", compress_level=0)  # without loss
    return file.getvalue()


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim == 4:
        raise ValueError(f"an array {array.shape} is a batch; pass single pictures, or unbatch()")
    shape = array.shape[:2] if array.ndim == 3 and array.shape[2] == 1 else array.shape
    if 0 in shape or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))):
        raise ValueError(f"an array {array.shape} is no picture (H, W, 3)")
    array = array.reshape(shape)
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # False for NaN, too
            told = f"numbers from {low:g} to {high:g}, not in [0, 1]"
            raise ValueError(f"{told}; pass uint8, or scale them")
        array = np.floor(array.astype(np.float32) * 255 + 0.5).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ValueError(f"an array of {array.dtype}; pass uint8 in [0, 255] or floats in [0, 1]")
    return Image.fromarray(np.ascontiguousarray(array))


def _attributes(rows: Sequence[Row], captions: Sequence[str]) -> dict[str, np.ndarray]:
    columns: dict[str, ClassNames] = {}
    for number, row in enumerate(rows):
        for name, value in row.columns.items():
            if name not in captions and isinstance(value, str):
                columns.setdefault(name, ClassNames()).put(number, value)
    chosen = {name: column.chosen(np.arange(len(rows))) for name, column in columns.items()}
    return {name: names for name, names in chosen.items() if names is not None}
