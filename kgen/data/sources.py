"""Where pictures lie, seen alike whatever it is: sorted names and the bytes behind them."""

import bisect
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import BinaryIO

from kgen.checks import wrong

MAX_FILE_BYTES = 256 * 2**20
MAX_METADATA_BYTES = 16 * 2**30
SPLITS = ("train", "test")


class SourceLostError(OSError):
    """The data went away, or its disk failed, while it was read: no row is to blame."""


def safe_name(name: str) -> str:
    """The name with `/` between its parts, without `.` parts, in Unicode form NFC.

    Raises:
        ValueError: The name is absolute, climbs out by `..`, or is hidden; the text says which.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if name.startswith("/") or (name[1:2] == ":" and re.match("[A-Za-z]", name)):
        raise ValueError("absolute path")
    around = f"/{name}/"
    if not ("/." in around or "//" in around or "\0" in name):
        return name  # as nearly all names of a million are
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("path with `..` that leaves the folder")
    if not parts or "\0" in name:
        raise ValueError("no path of a file")
    if any(part.startswith(".") for part in parts):
        raise ValueError("hidden file")
    return "/".join(parts)


class Source:
    """Files by name, from whichever store; what is hidden is left out.

    A single folder around everything (a zip of a folder) is not part of the names. All methods
    may be called from several threads.

    Args:
        stored_names: Names as the store has them, in any order.

    Attributes:
        names: Sorted names with `/` between their parts, in Unicode form NFC (macOS writes NFD).
        doubles: Names that several files have, of which the last can be read: a zip may hold two
            of one name, and two forms of Unicode may be one name.
        top: The folder around everything, with its `/`; "" without one.
    """

    doubles: tuple[str, ...] = ()

    def __init__(self, stored_names: Iterable[str]):
        visible, doubles = {}, []
        for stored in stored_names:
            name = unicodedata.normalize("NFC", stored.replace("\\", "/"))
            if not any(part[:1] == "." or part == "__MACOSX" for part in name.split("/")):
                if name in visible:
                    doubles.append(name)
                visible[name] = stored
        self.top = top = _single_top_folder(visible)
        self._stored = {n[len(top) :]: s for n, s in visible.items()} if top else visible
        self.names = tuple(sorted(self._stored))
        self.doubles = tuple(sorted(name[len(top) :] for name in set(doubles)))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def __contains__(self, name: str) -> bool:
        return name in self._stored

    def close(self) -> None:
        """Gives open files back."""

    def has_folder(self, folder: str) -> bool:
        """Whether a name begins with `folder`/."""
        return bool(self.names_in(f"{folder}/", most=1))

    def names_in(self, prefix: str, most: int | None = None) -> tuple[str, ...]:
        """The names that begin with `prefix`, sorted; at most `most` of them."""
        first = bisect.bisect_left(self.names, prefix)
        last = bisect.bisect_left(self.names, True, key=lambda n: n[: len(prefix)] > prefix)
        return self.names[first : last if most is None else min(last, first + most)]

    def check(self, name: str) -> None:
        """Raises `ValueError`, as `read` would, where that can be told without reading."""
        if name not in self:
            raise ValueError(f"missing file {name}")

    def open(self, name: str) -> BinaryIO:
        """A file to be read from its start to its end, such as a table of a million rows.

        Raises:
            ValueError: There is no such file, or it may not be read; the text is the reason.
            SourceLostError: The data went away, or its disk failed.
        """
        return io.BytesIO(self.read(name))

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            ValueError: There is no such file, or it may not be read; the text is the reason.
            SourceLostError: The data went away, or its disk failed.
        """
        raise TypeError(wrong("source", "opened by open_source", self, "Use open_source(path)."))


def _single_top_folder(names) -> str:
    """The folders, each with `/`, that every name begins with; train/ and test/ never count."""
    top = ""
    while names:
        heads = {name[len(top) :].partition("/")[:2] for name in names}
        head, slash = heads.pop()
        if heads or not slash or head in SPLITS:
            break
        top += head + slash
    return top
