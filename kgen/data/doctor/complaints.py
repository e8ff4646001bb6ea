"""Rows that are left out, sorted by what is wrong with them, with what to do about it."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 5
# What a reason holds -> what it is called -> what to do. The first that fits counts.
KINDS = (
    ("missing file .*the caption of", "picture without a .txt", "Write one, or move the picture."),
    ("missing file", "missing file",
     "The metadata names a picture that is not there: look at spelling, upper case and folder."),
    ("leaves the folder|absolute path", "path that leaves the folder",
     "Copy the pictures into the folder, and name them from the metadata's own place."),
    ("hidden file", "hidden file", "Names that begin with a dot are passed over: rename it."),
    ("no caption", "no caption", "Write one, or name the column that has it: --captions."),
    ("not UTF-8|not valid Unicode", "not UTF-8",
     "Save the text as UTF-8 (editors offer it under “Save as”; Excel calls it CSV UTF-8)."),
    ("JSON", "no valid JSON", "Each line has to be one object: {\"file_name\": …, \"text\": …}."),
    ("CSV|cells", "no valid CSV", "Put captions with commas or line breaks into quotes."),
    ("megapixels", "too large a picture", "Scale it down; 1024 pixels are plenty."),
    ("unreadable picture", "damaged picture", "The file is cut off or broken: get it again."),
    ("no JPEG", "no picture", "The file is of another kind, whatever its name says: convert it."),
    ("no file_name", "row without file_name", "Name the picture in a column `file_name`."),
    ("nothing new", "row that says nothing new", "Remove it; nothing is lost without."),
    ("is over", "too large a file", "Scale the picture down; 1024 pixels are plenty."),
)  # fmt: skip


@dataclass(frozen=True)
class Complaint:
    """One kind of what is wrong.

    Attributes:
        kind: What is wrong.
        count: Rows it is wrong with.
        advice: What to do about it.
        rows: The first of them, as (where, reason).
    """

    kind: str
    count: int
    advice: str
    rows: tuple[tuple[str, str], ...]


def sorted_complaints(rows: Iterable[tuple[str, str]]) -> tuple[Complaint, ...]:
    """Sorts (where, reason) by kind, the most frequent first."""
    by_kind = defaultdict(list)
    for where, reason in rows:
        by_kind[_kind(reason)].append((where, reason))
    return tuple(
        Complaint(kind, len(of_kind), advice, tuple(of_kind[:SHOWN]))
        for (kind, advice), of_kind in sorted(by_kind.items(), key=lambda item: -len(item[1]))
    )


def _kind(reason: str) -> tuple[str, str]:
    for pattern, kind, advice in KINDS:
        if re.search(pattern, reason):
            return kind, advice
    return re.split(r"[:(]", reason)[0].strip(), "See the reason."
