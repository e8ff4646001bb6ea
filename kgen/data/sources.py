"""A folder or a zip, seen alike: sorted names and the bytes behind them."""

import os
import re
import threading
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath

from kgen.checks import wrong

MAX_FILE_BYTES = 256 * 2**20
SPLITS = ("train", "test")


def safe_name(name: str) -> str:
    """The name with `/` between its parts, without `.` parts, in Unicode form NFC.

    Raises:
        ValueError: The name is absolute, climbs out by `..`, or is hidden; the text says which.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise ValueError("absolute path")
    parts = PurePosixPath(name).parts
    if ".." in parts:
        raise ValueError("path with `..` that leaves the folder")
    if not parts or "\0" in name:
        raise ValueError("no path of a file")
    if any(part.startswith(".") for part in parts):
        raise ValueError("hidden file")
    return "/".join(parts)


class Source:
    """Files by name, from whichever store; what is hidden is left out.

    A single folder around everything (a zip of a folder) is not part of the names.

    Attributes:
        names: Sorted names with `/` between their parts, in Unicode form NFC (macOS writes NFD).
    """

    def __init__(self, stored_names):
        visible = {}
        for stored in stored_names:
            parts = stored.replace("\\", "/").split("/")
            if not any(part.startswith(".") or part == "__MACOSX" for part in parts):
                visible[unicodedata.normalize("NFC", "/".join(parts))] = stored
        top = _single_top_folder(visible)
        self.top = top
        self._stored = {name[len(top) :]: stored for name, stored in visible.items()}
        self.names = tuple(sorted(self._stored))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self) -> None:
        """Gives open files back."""

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            ValueError: There is no such file, or it may not be read; the text is the reason.
            OSError: The disk failed.
        """
        raise TypeError(wrong("source", "opened by open_source", self, "Use open_source(path)."))


class FolderSource(Source):
    """The files below a folder. Links count as long as they stay inside it."""

    def __init__(self, path: Path):
        self._root = path.resolve()
        super().__init__(
            (Path(folder) / file).relative_to(self._root).as_posix()
            for folder, _, files in os.walk(self._root)
            for file in files
        )

    def read(self, name: str) -> bytes:
        path = self._root / self._stored.get(name, self.top + name)
        real = path.resolve()
        if not real.is_relative_to(self._root):
            raise ValueError(f"{name} is a link that leaves the folder")
        if not real.is_file():
            raise ValueError(f"missing file {name}")
        if real.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"{name} is over {MAX_FILE_BYTES // 2**20} MiB")
        return real.read_bytes()


class ZipSource(Source):
    """The files in a zip, read in place; one thread reads at a time, all may decode."""

    def __init__(self, path: Path):
        try:
            self._zip = _open_zip(path)
        except zipfile.BadZipFile:
            raise ValueError(
                wrong("path", "a folder or a zip", str(path), "The file is no zip, or is cut off.")
            ) from None
        self._lock = threading.Lock()
        super().__init__(info.filename for info in self._zip.infolist() if not info.is_dir())

    def close(self) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        if name not in self._stored:
            raise ValueError(f"missing file {name}")
        info = self._zip.getinfo(self._stored[name])
        if info.file_size > MAX_FILE_BYTES:
            raise ValueError(f"{name} is over {MAX_FILE_BYTES // 2**20} MiB")
        try:
            with self._lock:
                return self._zip.read(info)
        except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
            raise ValueError(f"{name} cannot be read from the zip ({error})") from None


def open_source(path: str | os.PathLike) -> Source:
    """Opens a folder or a zip.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        ValueError: It is neither a folder nor a zip.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            wrong("path", "a folder or a zip that exists", str(path), "Check the spelling.")
        )
    return FolderSource(path) if path.is_dir() else ZipSource(path)


def _open_zip(path: Path) -> zipfile.ZipFile:
    """Names without the UTF-8 flag are UTF-8 on macOS and Linux; else they are code page 437."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)


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
