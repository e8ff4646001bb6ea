"""Rows of captioned pictures: metadata.jsonl, metadata.csv, or a .txt beside each picture."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from kgen.data.sources import Source, safe_name

PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
METADATA_NAMES = ("metadata.jsonl", "metadata.csv")


@dataclass(frozen=True)
class Row:
    """One picture as its metadata tells it.

    Attributes:
        where: "file:line" of the row.
        name: The picture's name in its source; "" where the row names none.
        columns: The row's other values.
        problem: Why the row cannot be used; "" where it can.
    """

    where: str
    name: str = ""
    columns: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def metadata_rows(source: Source, file: str) -> list[Row]:
    """The rows of a metadata.jsonl or metadata.csv, in its order.

    `file_name` counts from the folder that the metadata lies in.

    Raises:
        ValueError: The file cannot be read at all.
    """
    text = source.read(file).decode("utf-8-sig", errors="surrogateescape")
    folder = file.rpartition("/")[0]
    read = _json_objects if file.endswith(".jsonl") else _csv_objects
    return [_row(f"{file}:{line}", folder, found) for line, found in read(text)]


def text_rows(source: Source, names: Sequence[str]) -> list[Row]:
    """A row for each picture among `names`, its captions from the .txt of the same name.

    A .txt without a picture is no row: it may be a licence or a note.
    """
    return [_text_row(source, n) for n in names if n.lower().endswith(PICTURE_SUFFIXES)]


def captions_of(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    """The row's captions that are not empty, in the order of `columns`.

    Raises:
        ValueError: The row has none, or one that is no text.
    """
    captions = []
    for column in columns:
        value = row.columns.get(column)
        for caption in value if isinstance(value, list) else [value]:
            if caption is not None and not isinstance(caption, str):
                raise ValueError(f"{column} is {type(caption).__name__}, not text")
            captions.append((caption or "").strip())
    captions = tuple(filter(None, captions))
    if not captions:
        raise ValueError(f"no caption in {', '.join(columns)}")
    return captions


def _json_objects(text: str) -> Iterator[tuple[int, dict | str]]:
    """(line, object or the reason why there is none). Only \\n ends a line: U+2028 is text."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            found = f"no valid JSON ({getattr(error, 'msg', error)})"
        else:
            if not isinstance(found, dict):
                found = f"a JSON object was expected, not {type(found).__name__}"
        yield number, found if _is_unicode(line) else "not UTF-8 text"


def _csv_objects(text: str) -> Iterator[tuple[int, dict | str]]:
    """(first line of the row, row or the reason why there is none)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header, line = None, 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found = f"no valid CSV ({error})"
        else:
            if not cells or header is None:
                header, line = header or cells, reader.line_num + 1
                continue
            found = dict(zip(header, cells, strict=False))  # short rows lack their last columns
            if len(cells) > len(header):
                found = f"{len(cells)} cells, but {len(header)} columns"
            if not _is_unicode("".join(cells)):
                found = "not UTF-8 text"
        yield line, found
        line = reader.line_num + 1


def _row(where: str, folder: str, found: dict | str) -> Row:
    if isinstance(found, str):
        return Row(where, problem=found)
    columns = dict(found)
    name = columns.pop("file_name", None)
    if not isinstance(name, str) or not name:
        return Row(where, columns=columns, problem="no file_name")
    texts = [v for v in columns.values() if isinstance(v, str)]
    if not _is_unicode(name + "".join(texts)):
        return Row(where, columns=columns, problem="not valid Unicode (a lone surrogate)")
    try:
        name = safe_name(name)
    except ValueError as error:
        return Row(where, columns=columns, problem=f"{error}: {name}")
    return Row(where, f"{folder}/{name}" if folder else name, columns)


def _text_row(source: Source, name: str) -> Row:
    file = str(PurePosixPath(name).with_suffix(".txt"))
    try:
        text = source.read(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        return Row(f"{file}:1", name, problem="not UTF-8 text")
    except (OSError, ValueError) as error:
        return Row(f"{file}:1", name, problem=f"{error}, the caption of {name}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Row(f"{file}:1", name, {"text": lines})


def _is_unicode(text: str) -> bool:
    """False where bytes were no UTF-8 or JSON held half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
