"""Captions to words, by the table of characters that comes with an exported model."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby


class WordCutter:
    """Replaces a caption's characters and cuts it into the words that tokens are sought in.

    Args:
        reading: `replaced`, `removed`, `blank`, `apart` and `joined`, as
            `kgen.export.reading.reading_of` gives them.
        vocabulary: Tokens in the order of their ids.

    Call args:
        caption: Any string. A lone surrogate is a question mark.

    Returns:
        Words without blanks, in their order.
    """

    def __init__(self, reading: dict, vocabulary: Iterable[str]):
        self._joined = _Ranges(reading["joined"])
        self._placed = _Placed(reading)
        self._known = set("".join(filter(self.joins, vocabulary)))

    def __call__(self, caption: str) -> list[str]:
        valid = caption.encode("utf-8", "replace").decode("utf-8")
        words = valid.translate(self._placed).split(" ")
        if self._joined:
            words = ["".join(run) for word in words for _, run in groupby(word, self._kind)]
        return [word for word in words if word]

    def joins(self, text: str) -> bool:
        """Whether a text is a stretch of joined characters, such as Chinese."""
        return all(ord(sign) in self._joined for sign in text)

    def _kind(self, sign):
        """Characters that no token holds stand apart, lest they make a whole stretch unknown."""
        return sign in self._known, ord(sign) in self._joined


class _Placed(dict):
    """For `str.translate`: from a code point to its replacement, blanks around what stands apart.

    Looked up when a character is first met, since 80,000 stand apart, almost all Chinese.
    """

    def __init__(self, reading):
        self._replaced = dict(reading["replaced"])
        self._removed, self._blank, self._apart = (
            _Ranges(reading[name]) for name in ("removed", "blank", "apart")
        )

    def __missing__(self, code):
        text = "" if code in self._removed else self._replaced.get(chr(code), chr(code))
        self[code] = "".join(map(self._place, text))
        return self[code]

    def _place(self, sign):
        if ord(sign) in self._blank:
            return " "
        return f" {sign} " if ord(sign) in self._apart else sign


class _Ranges:
    """Code points by their ranges."""

    def __init__(self, ranges: Sequence[Sequence[int]]):
        self._firsts = [first for first, _ in ranges]
        self._lasts = [last for _, last in ranges]

    def __contains__(self, code):
        n = bisect_right(self._firsts, code) - 1
        return n >= 0 and code <= self._lasts[n]

    def __len__(self):
        return len(self._firsts)
