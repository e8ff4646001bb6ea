"""TFRecord shards as `kgen data pack` writes them: tf.train.Example, one for each picture.

    image     bytes of the picture file, as it was in the source
    name      UTF-8, the picture's name in the source
    columns   UTF-8, a JSON object of its captions and other columns

A record is: length (8 bytes), checksum of these (4), the Example, its checksum (4). Checksums are
masked CRC-32C, verified on every read, by google-crc32c: TensorFlow's public reader verifies
them, too, but only reads on from the start of a file.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgen.data.metadata import Row
from kgen.data.shards import Piece, PiecesSource, shard_paths, wanted_shards

SUFFIX = ".tfrecord"
HEAD = struct.Struct("<QI")
FOOT = struct.Struct("<I")


class TFRecordSource(PiecesSource):
    """The pictures in TFRecord shards, read in place.

    Records are found once, when the source is opened, by their lengths. A picture's name is
    shard.tfrecord/number, with the number from 1 on.

    Attributes:
        problems: (shard, row) for each rest of a shard that cannot be read.
    """

    def __init__(self, path: Path):
        self.shards = shard_paths(path, SUFFIX)
        self.problems: list[tuple[str, Row]] = []
        pieces = {}
        for shard, file in self.shards.items():
            for number, piece in enumerate(self._records(shard, file), start=1):
                pieces[f"{shard}/{number:08d}"] = piece
        self.order = tuple(pieces)
        super().__init__(pieces)

    def read(self, name: str) -> bytes:
        """The bytes of a picture."""
        return self._values(name)["image"]

    def rows(self, split: str | None = None) -> Iterator[tuple[str, Row]]:
        """(split or "" where undecided, row) for each record of the split. All
        these records are read once."""
        labels = wanted_shards(self.shards, split)
        for shard, row in self.problems:
            if shard in labels:
                yield labels[shard], row
        for name in self.order:
            shard, _, number = name.rpartition("/")
            if shard not in labels:
                continue
            where = f"{shard}:{int(number)}"
            try:
                row = Row(where, name, _columns(self._values(name)))
            except ValueError as error:
                row = Row(where, name, problem=str(error))
            yield labels[shard], row

    def _values(self, name: str) -> dict[str, bytes]:
        """image, name and columns of a record."""
        record = super().read(name)
        data, (checksum,) = record[: -FOOT.size], FOOT.unpack(record[-FOOT.size :])
        if masked_crc32c(data) != checksum:
            raise ValueError("damaged record: its checksum is another")
        return parse_example(data)

    def _records(self, shard: str, file: Path) -> Iterator[Piece]:
        """The pieces of the Examples, each with its checksum behind it."""
        size, offset = file.stat().st_size, 0
        with open(file, "rb", buffering=2**16) as opened:
            while offset < size:
                opened.seek(offset)
                head = opened.read(HEAD.size)
                problem = ""
                if len(head) < HEAD.size:
                    problem = "cut off"
                else:
                    length, checksum = HEAD.unpack(head)
                    piece = Piece(file, offset + HEAD.size, length + FOOT.size)
                    if masked_crc32c(head[:8]) != checksum:
                        problem = "damaged, or no TFRecord without compression"
                    elif piece.offset + piece.size > size:
                        problem = "cut off"
                if problem:
                    row = Row(shard, problem=f"{problem} at byte {offset}; the rest is not read")
                    self.problems.append((shard, row))
                    return
                yield piece
                offset = piece.offset + piece.size


def masked_crc32c(data: bytes) -> int:
    """The checksum of TFRecord files.

    Formula:
        masked = ((crc >> 15 | crc << 17) + 0xa282ead8) mod 2**32, of crc = CRC-32C of `data`

    Source: https://www.tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details";
        RFC 3720, appendix B.4, for CRC-32C (of 32 zero bytes: 0x8a9136aa).

    Example:
        >>> hex(masked_crc32c(bytes(32)))
        '0xfd7fffa'
    """
    import google_crc32c

    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def make_example(image: bytes, name: str, columns: dict[str, Any]) -> bytes:
    """A serialised tf.train.Example of one picture."""
    import tensorflow as tf

    values = {
        "image": image,
        "name": name.encode(),
        "columns": json.dumps(columns, default=str).encode(),
    }
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return example.SerializeToString(deterministic=True)


def parse_example(data: bytes) -> dict[str, bytes]:
    """`image`, `name` and `columns` of an Example.

    Raises:
        ValueError: One of them is missing, or it is no Example; the text is the reason.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        feature = tf.train.Example.FromString(data).features.feature
    except DecodeError:
        raise ValueError("no tf.train.Example") from None
    values = {}
    for key in ("image", "name", "columns"):
        held = list(feature[key].bytes_list.value) if key in feature else []
        if len(held) != 1:
            raise ValueError(f"no feature `{key}` of one value; pack the set with `kgen data pack`")
        values[key] = held[0]
    return values


def _columns(values: dict[str, bytes]) -> dict[str, Any]:
    try:
        columns = json.loads(values["columns"])
        json.dumps(columns, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("the feature `columns` is no JSON of text") from None
    if not isinstance(columns, dict):
        raise ValueError("the feature `columns` is no JSON object")
    return columns
