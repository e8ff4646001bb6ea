"""Packs captioned pictures into a few large TFRecord files, which read fast from any disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from kgen.checks import check_real, one_line, wrong
from kgen.data.decoding import decode_picture
from kgen.data.opening import open_source
from kgen.data.sources import SPLITS
from kgen.data.tfrecords import SUFFIX, make_example
from kgen.files import whole_folder, write_text

PROBLEMS = "problems.txt"
LOOKED_AT_SIZE = 8  # pixels that a picture is decoded to, to see that it can be


@dataclass(frozen=True)
class Packed:
    """What was packed.

    Attributes:
        files: The shards.
        counts: Pictures by split.
        problems: One line for each row that was left out: file, line and reason.
    """

    files: tuple[Path, ...]
    counts: dict[str, int]
    problems: tuple[str, ...]


def pack(path: str | os.PathLike, out: str | os.PathLike, shard_mb: float = 100) -> Packed:
    """Writes the captioned pictures at `path` as TFRecord shards, whole or not at all.

    `out` gets train-00000-of-00003.tfrecord and so on, and test-…; picture files go in as they
    are, not encoded anew. What cannot be read is left out and named in problems.txt. A picture
    that is there but does not decode goes in, and is named by whoever reads the shards.

    Args:
        path: Whatever `kgen train` reads: a folder, a zip, shards, annotations.
        out: A folder that is new or empty.
        shard_mb: Size from which the next shard is begun, in 10**6 bytes.

    Raises:
        FileExistsError: There is something in `out`.
        FileNotFoundError: There is nothing at `path`.
        ValueError: No row can be used, or a file cannot be read at all.

    Source: https://www.tensorflow.org/tutorials/load_data/tfrecord

    Example:
        >>> pack("cats.zip", "cats").counts  # doctest: +SKIP
        {'train': 950, 'test': 50}
    """
    from kgen.data.layouts import rows_of

    check_real("shard_mb", shard_mb, 0.001, 10**6)
    out, problems = Path(out), []
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(wrong("out", "a new or empty folder", str(out), "Choose another."))
    with open_source(path) as source, whole_folder(out) as folder:
        writers = {split: _Shards(folder, split, shard_mb * 10**6) for split in SPLITS}
        try:
            for split, row in rows_of(source, path):
                if split not in writers:
                    continue
                try:
                    if row.problem:
                        raise ValueError(row.problem)
                    if not any(filter(None, row.columns.values())):
                        raise ValueError("no caption, nor any other column")
                    data = source.read(row.name)
                    decode_picture(data, LOOKED_AT_SIZE)
                    example = make_example(data, row.name, row.columns)
                except RecursionError:
                    problems.append(one_line(f"{row.where}: nested too deeply"))
                except ValueError as error:
                    problems.append(one_line(f"{row.where}: {error}"))
                else:
                    writers[split].write(example)
        finally:
            files = [name for shards in writers.values() for name in shards.close()]
        if not files:
            hint = f"The first problem: {problems[0]}" if problems else "It has no rows."
            raise ValueError(wrong("path", "a set of usable rows", str(path), hint))
        if problems:
            write_text(folder / PROBLEMS, "".join(line + "\n" for line in problems))
    counts = {split: shards.count for split, shards in writers.items()}
    return Packed(tuple(out / name for name in files), counts, tuple(problems))


class _Shards:
    """The shards of a split; how many there are is known, and written into names, at the end."""

    def __init__(self, folder: Path, split: str, size: float):
        self.folder, self.split, self.size = folder, split, size
        self.written, self.count, self.filled, self.writer = [], 0, 0, None

    def write(self, example: bytes) -> None:
        import tensorflow as tf

        if self.writer is None or self.filled >= self.size:
            self._end()
            self.written.append(self.folder / f"{self.split}-{len(self.written):05d}")
            self.writer, self.filled = tf.io.TFRecordWriter(str(self.written[-1])), 0
        try:
            self.writer.write(example)
        except tf.errors.OpError as error:
            raise OSError(f"{self.folder.parent}: cannot be written ({error.message}).") from None
        self.filled += len(example)
        self.count += 1

    def close(self) -> list[str]:
        self._end()
        names = [f"{file.name}-of-{len(self.written):05d}{SUFFIX}" for file in self.written]
        for file, name in zip(self.written, names):
            os.replace(file, self.folder / name)
        return names

    def _end(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None
