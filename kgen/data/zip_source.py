"""The files in a zip."""

import contextlib
import errno
import io
import os
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from kgen.checks import wrong
from kgen.data.sources import MAX_FILE_BYTES, MAX_METADATA_BYTES, Source, SourceLostError

OTHERS = "a .tar, .tfrecord, .parquet or COCO's .json"


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
        except Exception as error:  # OSError, BadZipFile, zlib.error and all that damage leads to
            if os.fstat(self._zip.fp.fileno()).st_size < self._size:
                raise SourceLostError(
                    f"The data file {self._path} was cut off while it was read. "
                    "Put it back and resume."
                ) from None
            # bzip2's own errors have no number, and a damaged entry may lie at no place at all.
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise SourceLostError(
                    f"{self._path}: {name} cannot be read ({error}). Check the disk and resume."
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


def _open_zip(path: Path) -> zipfile.ZipFile:
    """Names without the UTF-8 flag are UTF-8 on macOS and Linux; else they are code page 437."""
    try:
        return zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError:
        return zipfile.ZipFile(path)
