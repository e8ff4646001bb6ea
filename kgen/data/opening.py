"""Opens captioned pictures, whatever holds them."""

import os
from pathlib import Path

from kgen.checks import wrong
from kgen.data.folder_source import FolderSource
from kgen.data.formats import open_format
from kgen.data.sources import Source
from kgen.data.zip_source import ZipSource


def open_source(path: str | os.PathLike) -> Source:
    """Opens a folder or a zip, or what `open_format` knows beside them.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        ValueError: It is none of these.
        OSError: A folder in it cannot be listed.
    """
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
