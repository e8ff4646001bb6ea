"""Which layout a source has, and the rows that it gives, each with its split."""

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence

from kgen.checks import wrong
from kgen.data.formats import format_rows
from kgen.data.metadata import METADATA_NAMES, Row, metadata_rows, text_rows
from kgen.data.sources import SPLITS, Source, SourceLostError

TEST_EVERY = 20
HOW_TO_LAY_OUT = (
    "Put a metadata.jsonl or metadata.csv (file_name, text) into it, "
    "or a .txt of the same name beside each picture."
)


def rows_of(
    source: Source, path: str | os.PathLike, split: str | None = None
) -> Iterator[tuple[str, Row]]:
    """The rows of a source, one after the other, in the order of its metadata or names.

    Args:
        source: The opened source.
        path: Where it was opened; for what errors say.
        split: What the caller will use: files that hold other splits alone may then be left
            unread. A file that holds several gives all of its rows. None: everything, each row
            once.

    Yields:
        (split, row). The split is "train", "test", or, beside folders of these names, the name of
        another folder, which is neither.

    Raises:
        ValueError: There is no layout that is known, or its metadata cannot be read at all.
        SourceLostError: The data went away, or its disk failed.
    """
    found = format_rows(source, path, split)
    if found is not None:
        for label, row in found:
            yield label or split_of(row, ()), row
        return
    folders = [name for name in SPLITS if source.has_folder(name)]
    for read, wanted in _readers(source, path, folders, split):
        try:
            for row in read():
                of_row = split_of(row, folders)
                if wanted is None or of_row in wanted:
                    yield of_row, row
        except SourceLostError:
            raise
        except ValueError as error:
            raise ValueError(
                wrong("path", "a set with readable metadata", str(path), f"{error}.")
            ) from None
    yield from _doubles(source, folders)


def _doubles(source: Source, folders: Sequence[str]) -> Iterator[tuple[str, Row]]:
    for name in source.doubles:
        row = Row(name, problem="is there several times, and only the last is read")
        yield split_of(row, folders), row


def split_of(row: Row, folders: Sequence[str]) -> str:
    """The split of a row, given those of train/ and test/ that there are.

    Without test/, one picture in 20 is test: those whose `sha1(name)` is a multiple of 20. Beside
    test/ and train/, another folder (validation/) is neither. A row that names no picture belongs
    to the folder of its metadata, or else to train.
    """
    if "test" in folders:
        file = row.name if "/" in row.name else row.where
        folder = file.partition("/")[0] if "/" in file else "train"
        if folder in folders or "train" in folders:
            return folder
        return "train"
    number = int.from_bytes(hashlib.sha1(row.name.encode()).digest())
    return "test" if row.name and number % TEST_EVERY == 0 else "train"


def _readers(
    source: Source, path: str | os.PathLike, folders: Sequence[str], split: str | None
) -> list[tuple[Callable[[], Iterator[Row]], set[str] | None]]:
    """What is to be read, and the splits that each reading is for (None: all that it gives).

    Each split has the metadata in its own folder, else that at the top, else texts beside the
    pictures; without test/ the two share everything.
    """
    plans: dict[tuple, set[str]] = {}
    for name in (split,) if split else SPLITS:
        folder = f"{name}/" if "test" in folders else "train/"
        plans.setdefault(_plan(source, folder, path), set()).add(name)
    alone = len(plans) == 1
    return [(_reader(source, plan), None if alone else of) for plan, of in plans.items()]


def _plan(source: Source, folder: str, path: str | os.PathLike) -> tuple:
    for place in dict.fromkeys((folder, "")):
        files = [place + name for name in METADATA_NAMES if place + name in source]
        if len(files) > 1:
            raise ValueError(
                wrong("path", "a folder with one metadata file", files, "Remove one of the two.")
            )
        if files:
            return metadata_rows, files[0]
    place = folder if source.has_folder(folder[:-1]) else ""
    if not any(name.endswith(".txt") for name in source.names_in(place)):
        raise ValueError(wrong("path", "a set of captioned pictures", str(path), HOW_TO_LAY_OUT))
    return text_rows, place


def _reader(source: Source, plan: tuple) -> Callable[[], Iterator[Row]]:
    read, place = plan
    return functools.partial(read, source, source.names_in(place) if read is text_rows else place)
