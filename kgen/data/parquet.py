"""Parquet files that hold the pictures themselves, as Hugging Face datasets are kept."""

import bisect
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgen.data.metadata import Row, is_unicode
from kgen.data.parquet_metadata import pyarrow_modules, readable_parquet
from kgen.data.shards import shard_paths, wanted_shards
from kgen.data.sources import Source

SUFFIX = ".parquet"
IMAGE_COLUMNS = ("image", "img", "picture")
KEPT_BYTES = 512 * 2**20


class ParquetSource(Source):
    """The pictures in parquet files, as Hugging Face datasets keep them.

    The pictures are a column `image` of {bytes, path}, or of bytes. A picture's name is
    file.parquet/number, with the number from 1 on. Parquet is read by row groups; those read last
    are kept, up to 512 MiB. Larger sets are quicker packed (`kgen data pack`), since each picture
    may then cost the reading of its whole group: 100 rows as Hugging Face writes them.

    Attributes:
        problems: (file, row) for each file that cannot be read.
    """

    def __init__(self, path: Path):
        self._arrow, self._parquet = pyarrow_modules()
        self.shards = shard_paths(path, SUFFIX)
        self.problems: list[tuple[str, Row]] = []
        self._files, self._image, self._ends = {}, {}, {}
        for shard, file in self.shards.items():
            try:
                self._open(shard, file)
            except ValueError as error:
                self.problems.append((shard, Row(shard, problem=str(error))))
        self._groups: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self.top = ""
        self.names = tuple(
            f"{shard}/{number:08d}"
            for shard, table in sorted(self._files.items())
            for number in range(1, table.metadata.num_rows + 1)
        )

    def __contains__(self, name: str) -> bool:
        shard, _, number = name.rpartition("/")
        return (
            shard in self._files
            and number.isdecimal()
            and 1 <= int(number) <= self._files[shard].metadata.num_rows
        )

    def close(self) -> None:
        for table in self._files.values():
            table.close()

    def read(self, name: str) -> bytes:
        self.check(name)
        shard, _, number = name.rpartition("/")
        index = int(number) - 1
        group = bisect.bisect_right(self._ends[shard], index)
        first = self._ends[shard][group - 1] if group else 0
        value = self._group(shard, group)[index - first].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            path = value.get("path") if isinstance(value, dict) else None
            told = f", only its path {path}" if path else ""
            raise ValueError(f"the parquet holds no picture here{told}")
        return data

    def rows(self, split: str | None = None) -> Iterator[tuple[str, Row]]:
        """(split or "" where undecided, row) for each row, in the order of the files."""
        labels = wanted_shards(self.shards, split)
        for shard, row in self.problems:
            if shard in labels:
                yield labels[shard], row
        for shard, table in self._files.items():
            if shard not in labels:
                continue
            names = [name for name in table.schema_arrow.names if name != self._image[shard]]
            number = 0
            while number < table.metadata.num_rows:
                try:
                    for values in self._values(shard, names, number):
                        number += 1
                        where, name = f"{shard}:{number}", f"{shard}/{number:08d}"
                        problem = "" if is_unicode(str(values)) else "not UTF-8 text"
                        yield labels[shard], Row(where, name, values, problem)
                except ValueError as error:
                    yield labels[shard], Row(f"{shard}:{number + 1}", problem=f"{error}, and on")
                    break

    def _values(self, shard: str, names: list[str], first: int) -> list[dict[str, Any]]:
        """The columns of the row group that begins with row `first`."""
        group = bisect.bisect_right(self._ends[shard], first)
        with self._lock, readable_parquet(self._arrow, shard):
            table = self._files[shard].read_row_group(group, columns=names)
            return table.to_pylist() if names else [{} for _ in range(table.num_rows)]

    def _open(self, shard: str, file: Path) -> None:
        with readable_parquet(self._arrow, shard):
            table = self._parquet.ParquetFile(file, memory_map=True)
        self._image[shard] = self._image_column(table.schema_arrow)
        ends = []
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            ends.append((ends[-1] if ends else 0) + rows)
        self._files[shard], self._ends[shard] = table, ends

    def _image_column(self, schema) -> str:
        types = self._arrow.types
        for field in schema:
            inner = {f.name for f in field.type} if types.is_struct(field.type) else set()
            plain = types.is_binary(field.type) or types.is_large_binary(field.type)
            if "bytes" in inner or (plain and field.name in IMAGE_COLUMNS):
                return field.name
        raise ValueError(f"no column of pictures ({{bytes, path}}) among {', '.join(schema.names)}")

    def _group(self, shard: str, group: int):
        key = (shard, group)
        with self._lock:
            if key not in self._groups:
                with readable_parquet(self._arrow, shard):
                    column = self._image[shard]
                    read = self._files[shard].read_row_group(group, columns=[column])
                self._groups[key] = read.column(0)
                self._kept_bytes += self._groups[key].nbytes
                while self._kept_bytes > KEPT_BYTES and len(self._groups) > 1:
                    self._kept_bytes -= self._groups.popitem(last=False)[1].nbytes
            self._groups.move_to_end(key)
            return self._groups[key]
