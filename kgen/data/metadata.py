"""Rows of captioned pictures: metadata.jsonl, .csv or .parquet, or a .txt beside each picture.

Rows are read one after the other, so that a file of a million of them needs no memory.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from kgen.data.parquet_metadata import parquet_objects
from kgen.data.sources import Source, safe_name

PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
NOTES = re.compile(r"(read.?me|licen[cs]e|copying|notice|credits?|authors|attribution)\b", re.I)
METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
MAX_LINE_BYTES = 2**24


@dataclass(frozen=True, slots=True)
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


def metadata_rows(source: Source, file: str) -> Iterator[Row]:
    """The rows of a metadata.jsonl, .csv or .parquet, in its order.

    `file_name` counts from the folder that the metadata lies in.

    Raises:
        ValueError: The file cannot be read at all.
        SourceLostError: The data went away, or its disk failed.
    """
    folder = file.rpartition("/")[0]
    read = _READERS[file.rpartition(".")[2]]
    with source.open(file) as opened:
        for line, found in read(opened):
            yield row_of(f"{file}:{line}", folder, found)


def text_rows(source: Source, names: Iterable[str]) -> Iterator[Row]:
    """A row for each picture among `names`, its captions from the .txt of the same name.

    A .txt without a picture is a bad row, but for a licence or a note.
    """
    for name in names:
        if name.lower().endswith(PICTURE_SUFFIXES):
            yield _text_row(source, name)
        elif name.endswith(".txt") and not NOTES.match(name.rpartition("/")[2]):
            stem = name.removesuffix(".txt")
            suffixes = (s for suffix in PICTURE_SUFFIXES for s in (suffix, suffix.upper()))
            if not any(stem + suffix in source for suffix in suffixes):
                yield Row(f"{name}:1", problem="no picture of this name is beside it")


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
    if not is_unicode("".join(captions)):
        raise ValueError("not valid Unicode (a lone surrogate)")
    return captions


def row_of(where: str, folder: str, found: dict | str) -> Row:
    """The row of an object with `file_name`, or of the reason why there is no object.

    Args:
        where: "file:line" of the object.
        folder: What `file_name` counts from; "" for the top.
        found: The object, or the reason.
    """
    if isinstance(found, str):
        return Row(where, problem=found)
    columns = dict(found)
    name = columns.pop("file_name", None)
    if not isinstance(name, str) or not name:
        return Row(where, columns=columns, problem="no file_name")
    texts = [v for v in columns.values() if isinstance(v, str)]
    if not is_unicode(name + "".join(texts)):
        return Row(where, columns=columns, problem="not valid Unicode (a lone surrogate)")
    try:
        name = safe_name(name)
    except ValueError as error:
        return Row(where, columns=columns, problem=f"{error}: {name}")
    return Row(where, f"{folder}/{name}" if folder else name, columns)


def is_unicode(text: str) -> bool:
    """False where bytes were no UTF-8 or JSON held half of a surrogate pair."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _json_objects(file: BinaryIO) -> Iterator[tuple[int, dict | str]]:
    """(line, object or the reason why there is none). Only \\n ends a line: U+2028 is text."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield number, f"line of over {MAX_LINE_BYTES // 2**20} MiB"
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, "not UTF-8 text"
            continue
        if text.strip():
            yield number, _json_object(text)


def _json_object(text: str) -> dict | str:
    try:
        found = json.loads(text)
    except RecursionError:
        return "no valid JSON (nested too deeply)"
    except ValueError as error:
        return f"no valid JSON ({getattr(error, 'msg', 'a number of over 4300 digits')})"
    if not isinstance(found, dict):
        return f"a JSON object was expected, not {type(found).__name__}"
    return found


def _csv_objects(file: BinaryIO) -> Iterator[tuple[int, dict | str]]:
    """(first line of the row, row or the reason why there is none)."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    header, line = None, 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            found = f"no valid CSV ({error})"
            if reader.line_num > line:  # as after a quote that nothing closes
                found += f", with all up to line {reader.line_num}"
        else:
            if header is None and not is_unicode("".join(cells)):
                raise ValueError("its first line is not UTF-8 text: save it as UTF-8")
            if not cells or header is None:
                header, line = header or cells, reader.line_num + 1
                continue
            found = dict(zip(header, cells, strict=False))  # short rows lack their last columns
            if len(cells) > len(header):
                found = f"{len(cells)} cells, but {len(header)} columns"
            if not is_unicode("".join(cells)):
                found = "not UTF-8 text"
        yield line, found
        line = reader.line_num + 1


def _text_row(source: Source, name: str) -> Row:
    file = name[: name.rindex(".")] + ".txt"
    if not is_unicode(name):
        shown = file.encode("utf-8", "replace").decode()
        return Row(f"{shown}:1", problem="the name of the picture is not valid Unicode")
    try:
        text = source.read(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        return Row(f"{file}:1", name, problem="not UTF-8 text")
    except ValueError as error:
        return Row(f"{file}:1", name, problem=f"{error}, the caption of {name}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not any(line.strip() for line in lines):
        return Row(f"{file}:1", name, problem="no caption in text")
    return Row(name, name, {"text": lines})  # what is still wrong is the picture's fault


_READERS = {"jsonl": _json_objects, "csv": _csv_objects, "parquet": parquet_objects}
