"""Pixels of more pictures than fit into memory, to be read like an array of them."""

import threading
from collections.abc import Callable, Iterator

import numpy as np

from kgen.checks import one_line
from kgen.data.picture_cache import PictureCache
from kgen.data.strings import Strings


class PicturesOnDemand:
    """N pictures, decoded when they are indexed. May be read by several threads.

    A picture that turns out to be unreadable gives way to the next row's (after the last, the
    first), and so on: which one comes in its place depends on the files alone, so that a run that
    is resumed sees the same. It is named once in `problems`.

    Args:
        cache: The P pictures.
        pictures: int32 (N,). Which of the P pictures each row shows.
        where: "file:line" of a row.
        problems: Lines for unreadable pictures are appended here.
        check: Called with the number of unreadable pictures and of those looked at, when one
            more is unreadable; raises `ValueError` where they are too many.

    Attributes:
        shape: (N, H, W, 3).
        dtype: uint8.
        problems: Lines for what was unreadable.
        failure: The first error that ended a reading, for those who meet it wrapped into
            another; None before.

    Example:
        >>> pictures.pixels[np.array([0, 7])].shape  # doctest: +SKIP
        (2, 64, 64, 3)
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        cache: PictureCache,
        pictures: np.ndarray,
        where: Callable[[int], str],
        problems: Strings,
        check: Callable[[int, int], None],
    ):
        self._cache, self._pictures, self._where = cache, pictures, where
        self._check = check
        self._told: set[int] = set()
        self._lock = threading.Lock()
        self.shape = (len(pictures), *cache.shape)
        self.problems = problems
        self.failure: Exception | None = None

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index) -> np.ndarray:
        chosen = np.arange(len(self))[index]
        pixels, _ = self.read(np.atleast_1d(chosen).reshape(-1))
        return pixels.reshape(*np.shape(chosen), *self.shape[1:])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def read(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of B rows, and the rows that they are of.

        Args:
            rows: int64 (B,), in [0, N).

        Returns:
            uint8 (B, H, W, 3), and int64 (B,): the same rows, or those that came in their place;
            the captions that belong to the pixels are theirs.

        Raises:
            ValueError: Too many pictures are unreadable.
            SourceLostError: The data went away, or its disk failed.
        """
        pixels = np.empty((len(rows), *self.shape[1:]), np.uint8)
        used = np.empty(len(rows), np.int64)
        try:
            for k, row in enumerate(rows):
                used[k], pixels[k] = self._readable(int(row))
        except Exception as error:
            self.failure = self.failure or error
            raise
        return pixels, used

    def _readable(self, row: int) -> tuple[int, np.ndarray]:
        for later in range(len(self)):
            other = (row + later) % len(self)
            found = self._cache.get(int(self._pictures[other]))
            if found is not None:
                return other, found
            self._tell(other)
        raise ValueError("None of the pictures can be read. Is the data still there?")

    def _tell(self, row: int) -> None:
        with self._lock:
            if row in self._told:
                return
            self._told.add(row)
            reason = self._cache.reasons[int(self._pictures[row])]
            self.problems.append(one_line(f"{self._where(row)}: {reason}"))
        self._check(len(self._cache.reasons), self._cache.num_met)
