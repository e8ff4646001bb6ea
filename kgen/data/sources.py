"""A folder or a zip, seen alike: sorted names and the bytes behind them."""

import bisect
import contextlib
import errno
import io
import os
import re
import stat
import struct
import threading
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from kgen.checks import wrong

MAX_FILE_BYTES = 256 * 2**20
MAX_METADATA_BYTES = 16 * 2**30
SPLITS = ("train", "test")
OTHERS = "a .tar, .tfrecord, .parquet or COCO's .json"
# What is wrong with one file; any other error is of the disk, and no row is to blame for it.
_OF_ONE_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP,
                errno.ENAMETOOLONG, errno.EINVAL)  # fmt: skip


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
        top: The folder around everything, with its `/`; "" without one.
    """

    def __init__(self, stored_names: Iterable[str]):
        visible = {}
        for stored in stored_names:
            name = unicodedata.normalize("NFC", stored.replace("\\", "/"))
            if not any(part[:1] == "." or part == "__MACOSX" for part in name.split("/")):
                visible[name] = stored
        self.top = top = _single_top_folder(visible)
        self._stored = {n[len(top) :]: s for n, s in visible.items()} if top else visible
        self.names = tuple(sorted(self._stored))

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


class FolderSource(Source):
    """The files below a folder. Links count as long as they stay inside it."""

    def __init__(self, path: Path):
        self._root = os.path.realpath(path)
        self._identity = _identity(self._root)
        self._inside: dict[str, bool] = {"": True}
        self._links: set[str] = set()
        super().__init__(_files_below(self._root, self._links))

    def check(self, name: str) -> None:
        stored = self._stored.get(name)
        if stored is None or stored in self._links:  # all else was listed and is there
            self._opened(name, MAX_FILE_BYTES).close()

    def open(self, name: str) -> BinaryIO:
        return io.BufferedReader(self._opened(name, MAX_METADATA_BYTES), 2**20)

    def read(self, name: str) -> bytes:
        with self._opened(name, MAX_FILE_BYTES) as file:
            try:
                return file.read()
            except OSError as error:
                raise self._lost(name, error) from None

    def _opened(self, name: str, most: int) -> BinaryIO:
        stored = self._stored.get(name) or self.top + name
        path = f"{self._root}/{stored}"
        try:
            # A folder is looked at once and a file each time, by the system: `realpath` for each
            # of a million files would take minutes.
            if self._is_link(path) or not self._is_inside(stored.rpartition("/")[0]):
                path = os.path.realpath(path)
                if not path.startswith(self._root.rstrip("/") + "/"):
                    raise ValueError(f"{name} is a link that leaves the folder")
            file = open(path, "rb", buffering=0, opener=_open_file)  # noqa: SIM115
        except OSError as error:
            raise self._explained(name, error) from None
        status = os.fstat(file.fileno())
        problem = "" if stat.S_ISREG(status.st_mode) else f"missing file {name}"
        if status.st_size > most:
            problem = f"{name} is over {most // 2**20} MiB"
        if problem:
            file.close()
            raise ValueError(problem)
        return file

    @staticmethod
    def _is_link(path: str) -> bool:
        return stat.S_ISLNK(os.lstat(path).st_mode)

    def _is_inside(self, folder: str) -> bool:
        """Whether the folder, as it is called, is where it seems to be: reached by no link."""
        if folder not in self._inside:
            path = f"{self._root.rstrip('/')}/{folder}"
            self._inside[folder] = os.path.realpath(path) == path
        return self._inside[folder]

    def _is_lost(self) -> bool:
        """Whether the folder is gone, or another is in its place, as after a disk's unmounting."""
        return _identity(self._root) != self._identity

    def _explained(self, name: str, error: OSError) -> Exception:
        if self._is_lost() or error.errno not in _OF_ONE_FILE:
            return self._lost(name, error)
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
            return ValueError(f"missing file {name}")
        return ValueError(f"{name} cannot be read ({error.strerror})")

    def _lost(self, name: str, error: OSError) -> SourceLostError:
        if self._is_lost():
            return SourceLostError(
                f"The data folder {self._root} vanished while it was read. Put it back and resume."
            )
        return SourceLostError(
            f"{self._root}: {name} cannot be read ({error.strerror}). Check the disk and resume."
        )


class ZipSource(Source):
    """The files in a zip, read in place; one thread reads at a time, all may decode."""

    def __init__(self, path: Path):
        self._path = path
        try:
            self._zip = _open_zip(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
            hint = "It is no zip nor another of these, or it is cut off."
            message = wrong("path", f"a folder, a zip, {OTHERS}", str(path), hint)
            raise ValueError(message) from None
        self._size = os.fstat(self._zip.fp.fileno()).st_size
        self._lock = threading.Lock()
        names = (info.filename for info in self._zip.infolist())
        super().__init__(name for name in names if name and not name.endswith("/"))

    def close(self) -> None:
        self._zip.close()

    def check(self, name: str) -> None:
        self._info(name, MAX_FILE_BYTES)

    def open(self, name: str) -> BinaryIO:
        info = self._info(name, MAX_METADATA_BYTES)
        with self._errors(name):
            file = self._zip.open(info)
        return io.BufferedReader(_ZipFile(file, lambda: self._errors(name)), 2**20)

    def read(self, name: str) -> bytes:
        info = self._info(name, MAX_FILE_BYTES)
        with self._errors(name), self._lock:
            return self._zip.read(info)

    def _info(self, name: str, most: int) -> zipfile.ZipInfo:
        super().check(name)
        info = self._zip.getinfo(self._stored[name])
        if info.file_size > most:
            raise ValueError(f"{name} is over {most // 2**20} MiB")
        if info.flag_bits & 1:
            raise ValueError(f"{name} cannot be read from the zip (it needs a password)")
        return info

    @contextlib.contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # bzip2's own errors have no number, and a damaged entry may lie at no place at all.
            if error.errno in (None, errno.EINVAL):
                raise ValueError(f"{name} cannot be read from the zip ({error})") from None
            raise SourceLostError(
                f"{self._path}: {name} cannot be read ({error}). Check the disk and resume."
            ) from None
        except Exception as error:  # BadZipFile, zlib.error and all else that damage leads to
            if os.fstat(self._zip.fp.fileno()).st_size < self._size:
                raise SourceLostError(
                    f"The data file {self._path} was cut off while it was read. "
                    "Put it back and resume."
                ) from None
            raise ValueError(f"{name} cannot be read from the zip ({error})") from None


class _ZipFile(io.RawIOBase):
    """A file in a zip, whose errors are told as `ZipSource.read` tells them."""

    def __init__(self, file: BinaryIO, errors: Callable):
        self._file, self._errors = file, errors

    def readable(self):
        return True

    def readinto(self, buffer):
        with self._errors():
            return self._file.readinto(buffer)

    def close(self):
        self._file.close()
        super().close()


def open_source(path: str | os.PathLike) -> Source:
    """Opens a folder or a zip, or what `open_format` knows beside them.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        ValueError: It is none of these.
        OSError: A folder in it cannot be listed.
    """
    from kgen.data.formats import open_format  # it imports this module

    path = Path(path)
    opened = open_format(path)
    if opened is not None:
        return opened
    if not path.exists():
        raise FileNotFoundError(
            wrong("path", "a folder or a zip that exists", str(path), "Check the spelling.")
        )
    if path.is_dir():
        return FolderSource(path)
    if not path.is_file():  # a reader of a pipe would wait for ever
        hint = "It is a device or a pipe."
        raise ValueError(wrong("path", "a folder or a zip", str(path), hint))
    return ZipSource(path)


def _open_zip(path: Path) -> zipfile.ZipFile:
    """Names without the UTF-8 flag are UTF-8 on macOS and Linux; else they are code page 437."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)


def _identity(folder: str) -> tuple[int, int] | None:
    """What tells a folder from all others; None where there is none."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _open_file(path: str, flags: int) -> int:
    """A FIFO would otherwise wait for whoever writes to it; a link was looked at before."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _files_below(root: str, links: set[str]) -> Iterator[str]:
    """Names of all files, as the system gives them; no hidden ones. Links are put in `links`."""
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink():
                        if not os.path.isdir(entry.path):  # False of links in a circle, too
                            links.add(folder + entry.name)
                            yield folder + entry.name
                        continue
                    if entry.is_dir():
                        folders.append(f"{folder}{entry.name}/")
                        continue
                    yield folder + entry.name
        except OSError as error:
            place = os.path.join(root, folder)
            hint = f"It cannot be listed ({error.strerror}). Change its permissions or move it."
            raise OSError(wrong("path", "a folder that can be read", place, hint)) from None


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
