"""The rows of files of word vectors, whatever their format.

Three formats are told apart by their contents, each also gzipped:

    word2vec (also fastText) text   "N D", then N lines of a word and its D numbers
    GloVe text                      the lines alone
    word2vec binary                 "N D", then N times a word, a blank and D float32

Source: Mikolov et al. 2013, the program word2vec.c; Pennington et al. 2014, GloVe's files.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kgen import checks

LONGEST_LINE = 1 << 20  # bytes
LONGEST_WORD = 4096  # bytes
CHUNK = 1 << 22  # bytes of a binary file that are in memory at a time
SAMPLE = 1 << 14  # bytes that tell binary from text
MOST_ROWS = 10**9
LARGEST_DIM = 10_000
MARK = b"\xef\xbb\xbf"  # with which some programs begin UTF-8
NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")


class Row(NamedTuple):
    """A word as it stands in the file, where it stands, and its numbers, yet unread."""

    where: str
    word: bytes
    raw: bytes


class WordVectorFile:
    """An open file of word vectors, read row by row in bounded memory.

    Args:
        path: The file.

    Attributes:
        dim: D, numbers in a vector.
        num: N, rows that its first line promises; None if it says nothing.
        binary: Whether numbers are stored as float32.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: On opening as on reading: the file is damaged or something else; the message
            names file and line (of a binary file, the byte).
    """

    def __init__(self, path):
        self.path = Path(path)
        if not self.path.is_file():
            hint = "There is no such file."
            raise FileNotFoundError(
                checks.wrong("data.word_vectors", "a file of word vectors", str(path), hint)
            )

    def __enter__(self):
        with self.path.open("rb") as file:
            magic = file.read(4)
        if magic == b"PK\x03\x04":
            raise ValueError(f"{self.path}: a zip. Unpack it, and name the file that was in it.")
        opened = gzip.open if magic[:2] == b"\x1f\x8b" else open
        self._file = opened(self.path, "rb")
        try:
            self.dim, self.num, self.binary = self._head()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(self, _kind, error, _trace):
        self._file.close()
        if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
            raise ValueError(f"{self.path}: damaged gzip ({error}). Fetch it anew.") from None

    def rows(self) -> Iterator[Row]:
        """All rows; each text row has as many numbers as the first."""
        return self._binary_rows() if self.binary else self._text_rows()

    def numbers(self, row: Row) -> np.ndarray:
        """The vector of a row: float32 (D,), finite."""
        if self.binary:
            vector = np.frombuffer(row.raw, "<f4").astype(np.float32)
        else:
            fields = row.raw.split(b" ")
            good = all(map(NUMBER.fullmatch, fields))
            with np.errstate(over="ignore"):
                vector = np.array([float(f) for f in fields] if good else [np.nan], np.float32)
        if not np.isfinite(vector).all():
            raise ValueError(
                f"{row.where}: expected {self.dim} finite numbers, received {_shown(row.raw)}. "
                "Is the file damaged?"
            )
        return vector

    def _head(self):
        """D, N and whether the file is binary; leaves it at its first row."""
        first = self._line(1)
        begin = len(MARK) if first.startswith(MARK) else 0
        first = first[begin:]
        fields = first.split()
        if len(fields) == 2 and all(re.fullmatch(rb"-?\d{1,18}", field) for field in fields):
            num, dim = map(int, fields)
            if not (1 <= num <= MOST_ROWS and 1 <= dim <= LARGEST_DIM):
                raise ValueError(
                    f"{self.path}, line 1: expected a number of words in [1, {MOST_ROWS}] and of "
                    f"dimensions in [1, {LARGEST_DIM}], received {num} and {dim}. "
                    "Is the file damaged?"
                )
            place = self._file.tell()
            binary = _is_binary(self._file.read(SAMPLE))
            self._file.seek(place)
            return dim, num, binary
        numbers = first.rstrip().split(b" ")[1:]
        if not numbers or not all(map(NUMBER.fullmatch, numbers)):
            raise ValueError(
                f"{self.path}, line 1: expected a word and its numbers, or how many words and "
                f"dimensions follow, received {_shown(first)}. Is it a file of word vectors?"
            )
        self._file.seek(begin)
        return len(numbers), None, False

    def _line(self, number):
        line = self._file.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise ValueError(
                f"{self.path}, line {number}: longer than {LONGEST_LINE} bytes. "
                "Is it a file of word vectors?"
            )
        return line.replace(b"\t", b" ")

    def _text_rows(self):
        number = first = 1 if self.num is None else 2
        while line := self._line(number):
            line = line.rstrip()
            if not line and not self._file.read(1):
                break  # an empty line at the end
            where = f"{self.path}, line {number}"
            if line.count(b" ") == self.dim:
                word, _, raw = line.partition(b" ")
                yield Row(where, word, raw)
            else:
                yield self._row_with_blanks(where, line)
            number += 1
        if self.num is not None and number - first < self.num:
            raise ValueError(
                f"{self.path}, line {number}: the file ends after {number - first} of the "
                f"{self.num} words that line 1 promises. Fetch it anew."
            )

    def _row_with_blanks(self, where, line):
        """A row whose word holds blanks, as some files have it, or that is damaged."""
        word, *numbers = line.rsplit(b" ", self.dim)
        if len(numbers) < self.dim or NUMBER.fullmatch(word.rpartition(b" ")[2]):
            raise ValueError(
                f"{where}: expected a word and {self.dim} numbers, received {_shown(line)}. "
                "Is the file damaged?"
            )
        return Row(where, word, b" ".join(numbers))

    def _binary_rows(self):
        size = 4 * self.dim
        begun, data, offset = self._file.tell(), b"", 0
        for n in range(self.num):
            if len(data) - offset < LONGEST_WORD + 1 + size:
                begun, data, offset = begun + offset, data[offset:] + self._file.read(CHUNK), 0
            where = f"{self.path}, byte {begun + offset}"
            blank = data.find(b" ", offset, offset + LONGEST_WORD + 1)
            end = blank + 1 + size
            if blank < 0 or end > len(data):
                raise ValueError(
                    f"{where}: expected word {n + 1} of {self.num} and its {self.dim} numbers, "
                    f"received {_shown(data[offset : offset + 40])}. Is the file damaged, or cut?"
                )
            yield Row(where, data[offset:blank].lstrip(b"\n"), data[blank + 1 : end])
            offset = end
        if (data[offset:] + self._file.read(2)).strip(b"\n"):
            raise ValueError(
                f"{self.path}, byte {begun + offset}: expected the end after {self.num} words, "
                "received more. Is the file damaged?"
            )


def _is_binary(sample: bytes) -> bool:
    first = sample.partition(b"\n")[0].split()
    if len(first) > 1 and all(map(NUMBER.fullmatch, first[1:])):
        return False  # in whatever encoding
    try:
        sample[: sample.rfind(b" ") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return True
    return CONTROLS.search(sample) is not None


def _shown(raw: bytes) -> str:
    text = raw[:60].decode("utf-8", "replace").strip()
    return repr(text + "..." if len(raw) > 60 else text)
