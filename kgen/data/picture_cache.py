"""Pictures by number: decoded when asked for, and kept while there is room."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kgen.data.sources import Source

CACHE_BYTES = 2**30


class PictureCache:
    """P pictures of a source. May be asked by several threads.

    The first pictures that are asked for are kept, up to a number of bytes; all others are decoded
    each time. None is ever thrown out: each epoch asks for every picture once, in another order,
    and so no other rule would find more of them.

    Args:
        source: Where the files are. `close` closes it.
        names: P names.
        decode: From a file's bytes to uint8 (image_size, image_size, 3); `ValueError` where it
            cannot.
        image_size: Side of the pictures, in pixels.
        most_bytes: Of pixels kept.

    Attributes:
        reasons: Why a picture cannot be used, by its number.
        num_met: How many different pictures were asked for.
    """

    def __init__(
        self,
        source: Source,
        names: Sequence[str],
        decode: Callable[[bytes], np.ndarray],
        image_size: int,
        most_bytes: int = CACHE_BYTES,
    ):
        self._source, self._names, self._decode = source, names, decode
        self.shape = (image_size, image_size, 3)
        room = min(len(names), most_bytes // (3 * image_size**2))
        self._kept = np.empty((room, *self.shape), np.uint8)  # takes memory where it is written
        self._slots = np.full(len(names), -1, np.int32)
        self._num_kept = 0
        self._met = np.zeros(len(names), bool)
        self._lock = threading.Lock()
        self.reasons: dict[int, str] = {}
        self.num_met = 0

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    def get(self, picture: int) -> np.ndarray | None:
        """A picture uint8 (image_size, image_size, 3); None where `reasons` says why not.

        Raises:
            SourceLostError: The data went away, or its disk failed.
        """
        slot = self._slots[picture]
        if slot >= 0:
            return self._kept[slot]
        if picture in self.reasons:
            return None
        try:
            pixels, reason = self._decode(self._source.read(self._names[picture])), ""
        except ValueError as error:
            pixels, reason = None, str(error)
        with self._lock:
            if not self._met[picture]:
                self._met[picture] = True
                self.num_met += 1
                if pixels is None:
                    self.reasons[picture] = reason
                elif self._num_kept < len(self._kept):
                    self._kept[self._num_kept] = pixels
                    self._slots[picture] = self._num_kept  # last: others look here without a lock
                    self._num_kept += 1
        return pixels

    def fill(self, pictures: Iterable[int]) -> None:
        """Asks for many pictures at once: Pillow decodes without holding Python's lock."""
        with ThreadPoolExecutor(min(16, (os.cpu_count() or 1) + 1)) as pool:
            for _ in pool.map(lambda picture: self.get(picture) is None, pictures):
                pass

    def all_of(self, pictures: np.ndarray) -> np.ndarray:
        """The pixels of pictures that are kept. uint8 (len(pictures), H, W, 3)."""
        slots = self._slots[pictures]
        if np.array_equal(slots, np.arange(len(self._kept))):
            return self._kept
        return self._kept[slots]
