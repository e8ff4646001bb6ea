"""Reads your own captioned pictures: a folder or a zip, with metadata or a .txt beside each."""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgen.checks import check_choice, check_int, check_real, wrong
from kgen.config import FITS
from kgen.data import picture_cache
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.decoding import colour_of, decode_picture
from kgen.data.index import Index
from kgen.data.layouts import rows_of
from kgen.data.opening import open_source
from kgen.data.picture_cache import PictureCache
from kgen.data.pictures_on_demand import PicturesOnDemand
from kgen.data.sources import SPLITS, Source

LOOKED_AT = 8192  # rows whose pictures are decoded before anything else begins


def load_captioned_folder(
    path: str | os.PathLike,
    image_size: int,
    captions: Sequence[str] = ("text",),
    split: str = "train",
    fit: str = "crop",
    background: str = "white",
    max_bad_share: float = 0.5,
) -> CaptionedPictures:
    """Reads the captioned pictures of a folder or a zip.

    The layout is Hugging Face's `imagefolder` (`metadata.jsonl` or `metadata.csv`, each row with
    `file_name` and captions), at the top or in `train/` and `test/`; or pictures each with a
    same-name UTF-8 `.txt` that holds one caption a line, which count as the column `text`.
    The order is that of the metadata, or of the sorted names. Hidden files and `__MACOSX` are
    not there, and one folder around everything changes nothing.

    Without a `test/` folder, "test" is one picture in 20: those whose `sha1(name)` is a multiple
    of 20, where name counts from the top and has `/` between folders. "train" is all others. With
    a `test/` but no `train/`, "train" is all that lies outside `test/`.

    Rows that cannot be used are left out and named in `problems`; so are rows that say the same
    of the same picture as an earlier one (`Index` says more), but they count as no bad ones.
    Other columns of strings of at most 1000 characters become `attributes`, unless they hold over
    1000 different ones.

    Up to 8192 rows are decoded at once and kept in memory. Of more rows, 8192 in equal distances
    are; all others are decoded when they are needed (`PicturesOnDemand`), and what is decoded is
    kept up to 1 GiB. Opening a million rows takes some 200 bytes for each, and its captions.

    Args:
        path: A folder or a zip, which is not unpacked; or shards (.tar, .tfrecord, .parquet) or
            COCO's JSON, as `kgen.data.formats` tells them apart.
        image_size: Side of the pictures, in pixels.
        captions: Columns of captions, in the order in which a picture's captions come. A picture
            may lack some, but not all.
        split: "train" or "test".
        fit: How a picture becomes a square: "crop" to its middle, or "pad" with the background.
        background: What lies behind transparent and padded pictures: a name or #rrggbb.
        max_bad_share: Share of bad rows from which on there is an error, in [0, 1].

    Returns:
        The pictures, with N = rows that could be used.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        TypeError: `captions` is no tuple of names.
        ValueError: No row has one of the columns, too many rows are bad, or no picture is left.
        SourceLostError: The data went away, or its disk failed.

    Source: Lhoest et al. 2021, "Datasets: A Community Library for NLP", for the layout
        (https://huggingface.co/docs/datasets/image_dataset).

    Example:
        >>> load_captioned_folder("cats.zip", 64, ("text", "text_zh"))  # doctest: +SKIP
    """
    check_int("image_size", image_size, 1, 4096)
    check_choice("split", split, SPLITS)
    check_choice("fit", fit, FITS)
    check_real("max_bad_share", max_bad_share, 0, 1)
    colour_of(background)
    _check_columns(captions)
    decode = functools.partial(
        decode_picture, image_size=image_size, fit=fit, background=background
    )
    source = open_source(path)
    try:
        index = Index(source, rows_of(source, path, split), split, captions)
        cache = PictureCache(source, index.names, decode, image_size, picture_cache.CACHE_BYTES)
        return _pictures(source, index, cache, _BadShare(str(path), split, max_bad_share))
    except BaseException:
        source.close()
        raise


def _pictures(
    source: Source, index: Index, cache: PictureCache, bad_share: "_BadShare"
) -> CaptionedPictures:
    """Looks at some of the rows, and leaves out those that are bad."""
    num = len(index.pictures)
    some = np.arange(min(num, LOOKED_AT), dtype=np.int64) * num // max(1, min(num, LOOKED_AT))
    cache.fill(np.unique(index.pictures[some]).tolist())
    unreadable = np.isin(index.pictures, list(cache.reasons))
    more = [(int(i), cache.reasons[int(index.pictures[i])]) for i in np.flatnonzero(unreadable)]
    problems = index.problems(more)
    num_bad = index.num_rows - index.num_doubles - num
    bad_share.check(num_bad, num, index.num_rows, int(unreadable[some].sum()), len(some), problems)

    rows = np.flatnonzero(~unreadable)
    pictures = index.pictures[rows]
    if num <= LOOKED_AT and num * np.prod(cache.shape) <= picture_cache.CACHE_BYTES:
        pixels = cache.all_of(pictures)
        cache.close()
    else:
        pixels = PicturesOnDemand(
            cache,
            pictures,
            lambda row: index.where(int(rows[row])),
            problems,
            lambda bad, met: bad_share.check(num_bad, num, index.num_rows, bad, met, problems),
        )
    return CaptionedPictures(
        pixels=pixels,
        captions=index.captions.chosen(rows),
        attributes=index.attributes(rows),
        problems=problems,
    )


@dataclass(frozen=True)
class _BadShare:
    """The most that may be bad, and what to say where more are."""

    path: str
    split: str
    most: float

    def check(self, num_bad, num, num_rows, num_unreadable, num_looked_at, problems) -> None:
        """Raises `ValueError` where too many rows are bad, or none is left.

        Formula:
            share = (b + n u / l) / r, with b bad and n other rows of r, and u of l pictures that
            were looked at unreadable. Where all are looked at it is what it is; else an estimate.
        """
        if not num_rows:
            raise ValueError(self._worded(f"It has no rows in {self.split}."))
        share = num_unreadable / num_looked_at if num_looked_at else 0.0
        bad = num_bad + num * share
        if bad <= self.most * num_rows and share < 1 and num:
            return
        counted = f"{round(bad)} of its {num_rows} rows in {self.split} are bad"
        if num_looked_at < num:
            counted = f"Some {counted}, going by the {num_looked_at} that were looked at"
        raise ValueError(self._worded(f"{counted}: {'; '.join(problems[:3])}"))

    def _worded(self, hint: str) -> str:
        return wrong("path", "a set of mostly usable rows", self.path, hint)


def _check_columns(captions: Sequence[str]) -> None:
    good = isinstance(captions, (tuple, list)) and all(isinstance(c, str) for c in captions)
    if not good:
        raise TypeError(
            wrong("captions", "a tuple of column names", captions, 'For one, write ("text",).')
        )
    if not captions:
        raise ValueError(wrong("captions", "one column or more", captions, 'Try ("text",).'))
