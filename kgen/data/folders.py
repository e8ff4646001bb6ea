"""Reads your own captioned pictures: a folder or a zip, with metadata or a .txt beside each."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kgen.checks import check_choice, check_int, nearest, wrong
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.decoding import decode_picture
from kgen.data.metadata import METADATA_NAMES, Row, captions_of, metadata_rows, text_rows
from kgen.data.sources import SPLITS, Source, open_source

MAX_ATTRIBUTE_CHARACTERS = 1000
TEST_EVERY = 20
HOW_TO_LAY_OUT = (
    "Put a metadata.jsonl or metadata.csv (file_name, text) into it, "
    "or a .txt of the same name beside each picture."
)


def load_captioned_folder(
    path: str | os.PathLike,
    image_size: int,
    captions: Sequence[str] = ("text",),
    split: str = "train",
) -> CaptionedPictures:
    """Reads the captioned pictures of a folder or a zip into memory.

    The layout is Hugging Face's `imagefolder` (`metadata.jsonl` or `metadata.csv`, each row with
    `file_name` and captions), at the top or in `train/` and `test/`; or pictures each with a
    same-name UTF-8 `.txt` that holds one caption a line, which count as the column `text`.
    The order is that of the metadata, or of the sorted names. Hidden files and `__MACOSX` are
    not there, and one folder around everything changes nothing.

    Without a `test/` folder, "test" is one picture in 20: those whose `sha1(name)` is a multiple
    of 20, where name counts from the top and has `/` between folders. "train" is all others. With
    a `test/` but no `train/`, "train" is all that lies outside `test/`.

    Rows that cannot be used are left out and named in `problems`. Other columns of strings of at
    most 1000 characters become `attributes`.

    Args:
        path: A folder or a zip. A zip is not unpacked.
        image_size: Side of the pictures, in pixels. Each is cropped to its middle square first.
        captions: Columns of captions, in the order in which a picture's captions come. A picture
            may lack some, but not all.
        split: "train" or "test".

    Returns:
        The pictures, with N = rows that could be used.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        TypeError: `captions` is no tuple of names.
        ValueError: No row has one of the columns, more than half of the rows are bad, or no
            picture is left.

    Source: Lhoest et al. 2021, "Datasets: A Community Library for NLP", for the layout
        (https://huggingface.co/docs/datasets/image_dataset).

    Example:
        >>> load_captioned_folder("cats.zip", 64, ("text", "text_zh"))  # doctest: +SKIP
    """
    check_int("image_size", image_size, 1, 4096)
    check_choice("split", split, SPLITS)
    _check_columns(captions)
    with open_source(path) as source:
        everything = _all_rows(source, split, path)
        _check_known(captions, everything)
        folders = [name for name in SPLITS if _has_folder(source, name)]
        rows = [row for row in everything if _split_of(row, folders) == split]
        pixels, found = _decode(source, rows, image_size, captions)
    kept = np.array([isinstance(f, tuple) for f in found], bool)
    problems = tuple(f"{rows[i].where}: {found[i]}" for i in np.flatnonzero(~kept))
    _check_enough(path, split, len(rows), problems)
    return CaptionedPictures(
        pixels=pixels if kept.all() else pixels[kept],
        captions=tuple(found[i] for i in np.flatnonzero(kept)),
        attributes=_attributes([rows[i] for i in np.flatnonzero(kept)], captions),
        problems=problems,
    )


def _all_rows(source: Source, split: str, path: str | os.PathLike) -> list[Row]:
    """The rows in the split's folder, or in the whole where no folders tell the splits apart."""
    folder = f"{split}/" if _has_folder(source, "test") else "train/"
    names = [name for name in source.names if name.startswith(folder)] or source.names
    for place in dict.fromkeys((folder, "")):
        files = [place + name for name in METADATA_NAMES if place + name in source.names]
        if len(files) == 2:
            raise ValueError(
                wrong("path", "a folder with one metadata file", files, "Remove one of the two.")
            )
        if files:
            return _rows_of(source, files[0], path)
    if not any(name.endswith(".txt") for name in names):
        raise ValueError(wrong("path", "a set of captioned pictures", str(path), HOW_TO_LAY_OUT))
    return text_rows(source, names)


def _rows_of(source: Source, file: str, path: str | os.PathLike) -> list[Row]:
    try:
        return metadata_rows(source, file)
    except ValueError as error:
        raise ValueError(
            wrong("path", "a set with readable metadata", str(path), f"{error}.")
        ) from None


def _has_folder(source: Source, folder: str) -> bool:
    return any(name.startswith(f"{folder}/") for name in source.names)


def _split_of(row: Row, folders: Sequence[str]) -> str:
    """The split of a row, given those of train/ and test/ that there are.

    Beside both, another folder (validation/) is neither. A row that names no
    picture belongs to the folder of its metadata, or else to train.
    """
    if "test" in folders:
        file = row.name if "/" in row.name else row.where
        folder = file.partition("/")[0] if "/" in file else "train"
        if folder in folders or "train" in folders:
            return folder
        return "train"
    number = int.from_bytes(hashlib.sha1(row.name.encode()).digest())
    return "test" if row.name and number % TEST_EVERY == 0 else "train"


def _decode(
    source: Source, rows: Sequence[Row], image_size: int, columns: Sequence[str]
) -> tuple[np.ndarray, list[tuple[str, ...] | str]]:
    """The pixels, and for each row its captions, or the reason why it is left out.

    Threads share the work, since Pillow decodes without holding Python's lock.
    """
    pixels = np.zeros((len(rows), image_size, image_size, 3), np.uint8)

    def decode(index: int) -> tuple[str, ...] | str:
        row = rows[index]
        if row.problem:
            return row.problem
        try:
            captions = captions_of(row, columns)
            pixels[index] = decode_picture(source.read(row.name), image_size)
        except (OSError, ValueError) as error:
            return str(error)
        return captions

    with ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 1)) as pool:
        return pixels, list(pool.map(decode, range(len(rows))))


def _attributes(rows: Sequence[Row], captions: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of short strings beside the captions, in the order in which they appear."""
    names = dict.fromkeys(name for row in rows for name in row.columns if name not in captions)
    columns = {}
    for name in names:
        values = [row.columns.get(name) for row in rows]
        values = [value if isinstance(value, str) else "" for value in values]
        if any(values) and max(map(len, values)) <= MAX_ATTRIBUTE_CHARACTERS:
            columns[name] = np.array(values)
    return columns


def _check_columns(captions: Sequence[str]) -> None:
    good = isinstance(captions, (tuple, list)) and all(isinstance(c, str) for c in captions)
    if not good:
        raise TypeError(
            wrong("captions", "a tuple of column names", captions, 'For one, write ("text",).')
        )
    if not captions:
        raise ValueError(wrong("captions", "one column or more", captions, 'Try ("text",).'))


def _check_known(captions: Sequence[str], rows: Sequence[Row]) -> None:
    known = {name for row in rows for name in row.columns if name}
    for column in captions:
        if known and column not in known:
            raise ValueError(
                wrong("captions", "columns of the data", column, nearest(column, known))
            )


def _check_enough(
    path: str | os.PathLike, split: str, num_rows: int, problems: Sequence[str]
) -> None:
    if 2 * len(problems) <= num_rows and num_rows > 0:
        return
    first = "".join(f"\n  {problem}" for problem in problems[:3])
    hint = f"{len(problems)} of its {num_rows} rows in {split} are bad:{first}"
    if not num_rows:
        hint = f"It has no rows in {split}."
    raise ValueError(wrong("path", "a set of mostly usable rows", str(path), hint))
