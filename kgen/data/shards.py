"""Sets in several files (shards): which files a path means, and pieces of them by name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kgen.checks import wrong
from kgen.data.sources import MAX_FILE_BYTES, SPLITS, Source, SourceLostError

MAX_BRACED = 100_000
LABELS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the bytes of something lie.

    Attributes:
        file: The shard.
        offset: First byte, counted from 0.
        size: Bytes.
    """

    file: Path
    offset: int
    size: int


class PiecesSource(Source):
    """Pieces of files by name. Any number of threads may read.

    Every read opens the file anew: threads then share no position in it, and a thousand shards
    hold no file open.
    """

    def __init__(self, pieces: dict[str, Piece]):
        self.pieces = pieces
        self.top = ""
        self.names = tuple(sorted(pieces))

    def __contains__(self, name: str) -> bool:
        return name in self.pieces

    def check(self, name: str) -> None:
        super().check(name)
        if self.pieces[name].size > MAX_FILE_BYTES:
            raise ValueError(f"{name} is over {MAX_FILE_BYTES // 2**20} MiB")

    def read(self, name: str) -> bytes:
        self.check(name)
        piece = self.pieces[name]
        try:
            with open(piece.file, "rb", buffering=0) as file:
                file.seek(piece.offset)
                data = file.read(piece.size)
        except OSError as error:
            told = f"{piece.file} cannot be read ({error.strerror}). Check the disk and resume."
            raise SourceLostError(told) from None
        if len(data) < piece.size:
            raise ValueError(f"{name} is cut off: {len(data)} of {piece.size} bytes are there")
        return data


def shard_paths(path: Path, suffix: str) -> dict[str, Path]:
    """The shards that `path` means, by the names that they are called by, sorted.

    Args:
        path: One shard, a folder with shards (also in folders of it), or a range in braces as a
            shell writes it, such as shards-{000..010}.tar.
        suffix: What a shard's name ends in, such as ".tar".

    Raises:
        FileNotFoundError: A file of the range is missing.
    """
    if path.is_dir():
        found = (file for file in path.rglob(f"*{suffix}") if file.is_file())
        named = {file.relative_to(path).as_posix(): file for file in found}
        return {name: named[name] for name in sorted(named) if not _is_hidden(name)}
    if path.exists():
        return {path.name: path}
    paths = [Path(text) for text in braced(str(path))]
    missing = [file for file in paths if not file.is_file()]
    if missing:
        hint = f"{len(missing)} of {len(paths)} files are missing; the first is {missing[0]}."
        raise FileNotFoundError(wrong("path", "a range of files that exist", str(path), hint))
    names = {file.name: file for file in paths}
    # Shards of one name in several folders are told apart by their whole paths.
    return names if len(names) == len(paths) else {str(file): file for file in paths}


def braced(text: str) -> list[str]:
    """What a shell makes of {000..010} and {a,b}; several braces give every combination.

    Raises:
        ValueError: A brace holds neither, or they give more than `MAX_BRACED` names.

    Example:
        >>> braced("{train,test}-{08..10}.tar")[:4]
        ['train-08.tar', 'train-09.tar', 'train-10.tar', 'test-08.tar']
    """
    names = [""]
    for part in re.split(r"(\{[^{}]*\})", text):
        choices = _choices(part[1:-1], text) if part.startswith("{") else [part]
        if len(names) * len(choices) > MAX_BRACED:
            raise ValueError(wrong("path", f"at most {MAX_BRACED} files", text, "Shorten it."))
        names = [name + choice for name in names for choice in choices]
    return names


def split_labels(names: Iterable[str]) -> dict[str, str]:
    """For each file its split, by its name: "train", "test", "validation", or "" for undecided.

    A word of the name, or of its folder, decides: train-000.tar, captions_val2017.json,
    test/00000.tar. Without a test, the validation is the test. Without either, nothing is
    decided. Beside a test, what says nothing is train.

    Example:
        >>> split_labels(["captions_train2017.json", "captions_val2017.json"])
        {'captions_train2017.json': 'train', 'captions_val2017.json': 'test'}
    """
    labels = {name: _label(name) for name in names}
    if "test" not in labels.values():
        labels = {n: "test" if label == "validation" else label for n, label in labels.items()}
    if "test" not in labels.values():
        return dict.fromkeys(labels, "")
    return {name: label or "train" for name, label in labels.items()}


def wanted_shards(names: Iterable[str], split: str | None) -> dict[str, str]:
    """`split_labels` of the files that may hold rows of `split`; of all, for None."""
    labels = split_labels(names)
    return {
        name: label for name, label in labels.items() if not (split and label) or label == split
    }


def _label(name: str) -> str:
    *folders, file = name.split("/")
    words = [*re.findall("[a-z]+", file.lower())]
    words += [folder for folder in reversed(folders) if folder in SPLITS]
    return next((LABELS[word] for word in words if word in LABELS), "")


def _choices(inside: str, text: str) -> list[str]:
    numbers = re.fullmatch(r"(\d+)\.\.(\d+)", inside)
    if numbers:
        first, last = numbers.groups()
        # As in a shell: equal widths where either number is written with leading zeros.
        padded = first.startswith("0") or last.startswith("0")
        width = max(map(len, numbers.groups())) if padded else 0
        step = 1 if int(first) <= int(last) else -1
        if abs(int(last) - int(first)) >= MAX_BRACED:
            raise ValueError(wrong("path", f"at most {MAX_BRACED} files", text, "Shorten it."))
        return [f"{n:0{width}d}" for n in range(int(first), int(last) + step, step)]
    if "," in inside:
        return inside.split(",")
    hint = "Write {000..010} or {a,b}."
    raise ValueError(wrong("path", "a path, or one with a range in braces", text, hint))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))
