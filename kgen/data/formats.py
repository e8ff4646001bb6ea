"""Which format of captioned pictures a path means, beside plain folders and zips of them."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from kgen.data.coco import annotation_files, coco_rows
from kgen.data.folder_source import FolderSource
from kgen.data.metadata import METADATA_NAMES, PICTURE_SUFFIXES, Row
from kgen.data.parquet import ParquetSource
from kgen.data.sources import Source
from kgen.data.tar_shards import TarSource, check_uncompressed
from kgen.data.tfrecords import TFRecordSource

SHARDS = {".tar": TarSource, ".tfrecord": TFRecordSource, ".parquet": ParquetSource}
# A folder of shards holds little else: no need to list a million pictures.
FILES_LOOKED_AT = 1000
FOLDERS_LOOKED_AT = 20


def open_format(path: Path) -> Source | None:
    """Opens shards (.tar, .tfrecord, .parquet) or COCO's JSON; None for any other path.

    Raises:
        FileNotFoundError: A file of a range in braces is missing.
        ValueError: The format needs something first: to be decompressed, or pyarrow.
    """
    check_uncompressed(path)
    if path.suffix.lower() == ".json" and path.is_file():
        beside = path.parent
        return FolderSource(beside.parent if beside.name == "annotations" else beside)
    suffix = _suffix_in(path) if path.is_dir() else path.suffix
    if suffix in SHARDS and (path.exists() or "{" in str(path)):
        return SHARDS[suffix](path)
    return None


def format_rows(
    source: Source, path: str | os.PathLike, split: str | None
) -> Iterator[tuple[str, Row]] | None:
    """(split or "" where undecided, row) of what `open_format` opened, or of COCO in a folder.

    None for a folder or zip with metadata or texts, and for a tar of such a folder.
    """
    if str(path).lower().endswith(".json"):
        return coco_rows(source, annotation_files(source, Path(path).name), only=True)
    if any(place + name in source for place in ("", "train/", "test/") for name in METADATA_NAMES):
        return None
    if hasattr(source, "rows"):
        return source.rows(split)
    return coco_rows(source, annotation_files(source))


def _suffix_in(folder: Path) -> str:
    """The suffix of the shards in a folder of shards, or in folders of it; else "".

    Pictures or metadata make it a folder of these, whatever archive lies beside them.
    """
    names = _some_names(folder)
    inner = [folder / name for name in names if "." not in name and (folder / name).is_dir()]
    names += [name for place in inner[:FOLDERS_LOOKED_AT] for name in _some_names(place)]
    if any(n in METADATA_NAMES or n.lower().endswith(PICTURE_SUFFIXES) for n in names):
        return ""
    return next((suffix for suffix in SHARDS if any(n.endswith(suffix) for n in names)), "")


def _some_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, FILES_LOOKED_AT)]
    except OSError:
        return []  # whoever reads the folder says what is wrong with it
    return sorted(name for name in names if not name.startswith("."))
