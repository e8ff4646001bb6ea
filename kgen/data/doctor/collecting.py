"""All pictures of a set with all their captions, and what is wrong with its rows."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from kgen.checks import one_line
from kgen.data.layouts import rows_of
from kgen.data.metadata import Row, captions_of
from kgen.data.sources import Source

CAPTION_NAMES = ("text", "caption", "captions", "description", "prompt")
CAPTION_BEGINNINGS = ("text_", "caption_")
LEAST_FILLED = 0.01


@dataclass
class Picture:
    """A picture that rows name.

    Attributes:
        name: In its source.
        where: "file:line" of the first row that names it.
        split: "train", "test", or another folder's name.
        columns: By column, the texts of all rows that name it.
    """

    name: str
    where: str
    split: str
    columns: dict[str, list[str]] = field(default_factory=dict)

    def captions(self, columns: Sequence[str]) -> list[str]:
        """What stands in these columns, in their order."""
        return [text for column in columns for text in self.columns.get(column, ())]


@dataclass
class Collected:
    """All rows of a set.

    Attributes:
        pictures: In the order in which rows name them, each once.
        problems: (split, where, reason) of each row that cannot be used.
        filled: Pictures that have text in a column.
        broken: Why no more rows could be read; "" where all were.
    """

    pictures: list[Picture] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    filled: Counter = field(default_factory=Counter)
    broken: str = ""


def collect(
    source: Source,
    path: str | os.PathLike,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Collected:
    """Reads all rows of a source; what is wrong with one is noted, not raised.

    Args:
        source: The opened source.
        path: Where it was opened; for what errors say.
        progress: Wraps the rows as they come.
    """
    found, by_name = Collected(), {}
    try:
        for split, row in progress(rows_of(source, path)):
            if row.problem:
                found.problems.append((split, one_line(row.where), one_line(row.problem)))
                continue
            picture = by_name.setdefault(row.name, Picture(row.name, row.where, split))
            if not _take(picture, row):
                reason = f"says nothing new of the picture in {picture.where}"
                found.problems.append((split, row.where, reason))
    except (OSError, ValueError) as error:
        found.broken = " ".join(str(error).split())
    found.pictures = list(by_name.values())
    for picture in found.pictures:
        found.filled.update(list(picture.columns))
    return found


def caption_columns(
    filled: Counter, num: int, asked: Sequence[str], texts: dict[str, int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns to take as captions, and a line for each choice that was not asked for.

    Args:
        filled: Pictures that have text in a column.
        num: Pictures.
        asked: Columns that were asked for; none to choose by name.
        texts: By column, how many different texts it has.
    """
    there = tuple(column for column in asked if filled[column])
    notes = [f"No picture has a caption in `{c}`; it is left out." for c in asked if not filled[c]]
    if there:
        return there, tuple(notes)
    usual = [c for c in sorted(filled) if c in CAPTION_NAMES or c.startswith(CAPTION_BEGINNINGS)]
    usual = [column for column in usual if filled[column] >= LEAST_FILLED * num]
    if not usual and filled:
        usual = [max(sorted(filled), key=lambda column: texts[column])]
        notes.append(f"No column has a usual name; `{usual[0]}` has the most different texts.")
    elif asked and usual:
        notes.append(f"Taken instead: {', '.join(usual)}.")
    return tuple(usual), tuple(notes)


def count_texts(pictures: Iterable[Picture]) -> dict[str, int]:
    """By column, how many different texts it has."""
    texts = defaultdict(set)
    for picture in pictures:
        for column, values in picture.columns.items():
            texts[column].update(map(hash, values))
    return {column: len(values) for column, values in texts.items()}


def _take(picture: Picture, row: Row) -> bool:
    """Adds what a row says; False if it is not the first of its picture and says nothing new."""
    new = picture.where == row.where
    for column in row.columns:
        try:
            values = captions_of(row, (column,))
        except ValueError:  # a number, or nothing
            continue
        known = picture.columns.setdefault(column, [])
        more = [value for value in values if value not in known]
        known += more
        new = new or bool(more)
    return new
