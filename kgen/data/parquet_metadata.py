"""Rows of a metadata.parquet.

Needs pyarrow, which is no part of kgen's own requirements: pip install pyarrow
"""

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

BATCH_ROWS = 1000


def parquet_objects(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number from 1 on, row) of a metadata.parquet, whose bytes are in memory meanwhile.

    Raises:
        ValueError: It is no parquet, or pyarrow is not installed; the text says so.
    """
    arrow, parquet = pyarrow_modules()
    number = 0
    with readable_parquet(arrow, "metadata.parquet"):
        table = parquet.ParquetFile(arrow.BufferReader(file.read()))
        batches = table.iter_batches(BATCH_ROWS)
    while True:
        with readable_parquet(arrow, "metadata.parquet"):
            batch = next(batches, None)
            rows = [] if batch is None else batch.to_pylist()
        if batch is None:
            return
        for row in rows:
            number += 1
            yield number, row


def pyarrow_modules():
    """pyarrow and pyarrow.parquet.

    Raises:
        ValueError: It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ValueError("parquet is read by pyarrow; run: pip install pyarrow") from None
    return pyarrow, pyarrow.parquet


@contextlib.contextmanager
def readable_parquet(arrow, file: str) -> Iterator[None]:
    """Makes one line of what pyarrow raises in the block."""
    try:
        yield
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{file} is no readable parquet ({reason})") from None
