"""Files and folders that are written whole or not at all."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a path beside `path` to write to; it takes its place when the block ends well.

    The temporary name keeps the suffixes, since some writers choose a format by them.

    Raises:
        OSError: The folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Gives an empty folder beside `path`; it replaces `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        beside.chmod(0o755)
        yield beside
        old = beside.with_name(beside.name + ".old")
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(beside, path)
        except OSError:
            if old.exists():
                os.replace(old, path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove_unfinished(folder: str | os.PathLike) -> None:
    """Removes what `whole_file` had begun in `folder` when its process was killed."""
    for path in Path(folder).glob(".*"):
        if re.fullmatch(r"\.\d+\..+", path.name) and path.is_file():
            path.unlink()


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` as UTF-8, whole or not at all."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes `value` as readable JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | os.PathLike) -> Any:
    """Reads a JSON file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds no JSON; the message names file and line.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: no valid JSON ({error.msg}). Correct it there."
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text. Save the file as UTF-8.") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply. Is it the right file?") from None
    except ValueError:  # Python reads no numbers of over 4300 digits
        raise ValueError(f"{path}: a number has too many digits. Is it the right file?") from None
