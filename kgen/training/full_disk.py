"""What to say when there is no room to write."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SAID_BY_LIBRARIES = ("No space left on device", "Disk quota exceeded", "File too large")


@contextlib.contextmanager
def explained(path: Path, needed: int | None = None) -> Iterator[None]:
    """Turns a failure to write `path` for want of room into one line that says so.

    TensorFlow and HDF5 word such failures in their own ways, over several lines, as errors of
    several types; the first of these that lies in the chain counts.

    Args:
        path: What is written in the block.
        needed: Bytes it takes, where that is known.

    Raises:
        OSError: There is no room; path, bytes needed and bytes free are named.
    """
    try:
        yield
    except Exception as error:
        if not _is_want_of_room(error):
            raise
        free = in_bytes(shutil.disk_usage(_that_exists(path)).free)
        sizes = f"{free} are free" if needed is None else f"{in_bytes(needed)} needed, {free} free"
        raise OSError(
            f"{path}: no room to write it ({sizes}). The last checkpoint is whole. Make room, "
            "then go on with --resume."
        ) from None


def check_room(path: Path, needed: int) -> None:
    """Raises `OSError`, as the system would, where fewer than `needed` bytes are free."""
    if shutil.disk_usage(_that_exists(path)).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def in_bytes(num: int) -> str:
    """A size for people.

    Example:
        >>> in_bytes(999), in_bytes(33_606_992), in_bytes(2_500)
        ('999 B', '33.6 MB', '2.5 kB')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if num >= size:
            return f"{num / size:.1f} {unit}"
    return f"{num} B"


def _is_want_of_room(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        if any(words in str(error) for words in SAID_BY_LIBRARIES):
            return True
        error = error.__cause__ or error.__context__
    return False


def _that_exists(path: Path) -> Path:
    path = Path(os.path.abspath(path))
    return next(parent for parent in (path, *path.parents) if parent.exists())
