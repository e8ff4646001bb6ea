"""The files below a folder."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kgen.checks import wrong
from kgen.data.sources import MAX_FILE_BYTES, MAX_METADATA_BYTES, Source, SourceLostError

# What is wrong with one file; any other error is of the disk, and no row is to blame for it.
_OF_ONE_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP,
                errno.ENAMETOOLONG, errno.EINVAL)  # fmt: skip


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
