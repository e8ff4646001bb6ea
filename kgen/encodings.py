"""What T gives of captions, kept for when they come again."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock

import numpy as np

MOST_KEPT = 256  # captions; with 32 words of 128 numbers each that is 4 MB
MOST_CHARACTERS = 1000  # of a caption that is kept


class Encodings:
    """Encodes captions, each of those that came lately once; in several threads, if asked to.

    A caption that another thread is encoding is waited for. Who waits has encoded its own before,
    so that no two wait for each other.

    Args:
        encode: From B captions, each another, to arrays (B, …) by their names.
        most_kept: Captions whose encodings are kept; those that came least lately go first.

    Call args:
        captions: B captions, at least one.

    Returns:
        What `encode` gives of them.

    Example:
        >>> lengths = Encodings(lambda captions: {"length": np.array([*map(len, captions)])})
        >>> lengths(["ab", "abc", "ab"])["length"].tolist()
        [2, 3, 2]
    """

    def __init__(
        self,
        encode: Callable[[list[str]], Mapping[str, np.ndarray]],
        most_kept: int = MOST_KEPT,
    ):
        self._encode, self._most_kept = encode, most_kept
        self._kept: OrderedDict[str, Future] = OrderedDict()  # of arrays (1, …)
        self._keeping = Lock()

    def __call__(self, captions: Sequence[str]) -> dict[str, np.ndarray]:
        rows, new = self._claim(captions)
        if new:  # not within the lock, so that threads encode beside each other
            self._fulfil(new)
        if len(captions) == 1:
            return dict(rows[captions[0]].result())
        several = [rows[caption].result() for caption in captions]
        return {name: np.concatenate([row[name] for row in several]) for name in several[0]}

    def __len__(self) -> int:
        return len(self._kept)

    def _claim(self, captions):
        """The rows of all captions by their names, and those among them that are to be encoded."""
        rows, new = {}, {}
        with self._keeping:
            for caption in dict.fromkeys(captions):
                row = self._kept.get(caption)
                if row is None:
                    row = new[caption] = Future()
                rows[caption] = row
                if len(caption) <= MOST_CHARACTERS:
                    self._kept[caption] = row
                    self._kept.move_to_end(caption)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        return rows, new

    def _fulfil(self, new):
        """Encodes them, or tells all who wait for them that it failed, and forgets them."""
        try:
            encoded = _rows(self._encode([*new]), len(new))
        except BaseException as failure:
            with self._keeping:
                for caption, row in new.items():
                    if self._kept.get(caption) is row:
                        del self._kept[caption]
            for row in new.values():
                row.set_exception(failure)
            raise
        for row, arrays in zip(new.values(), encoded):
            row.set_result(arrays)


def _rows(encoded, num):
    """What was encoded at once, one by one. Copies: a view would keep the whole batch."""
    if num == 1:
        return [encoded]
    return [{name: array[i : i + 1].copy() for name, array in encoded.items()} for i in range(num)]
