"""Many strings in little memory: one piece of UTF-8 and the places where each ends.

A million captions as Python strings in tuples take some 200 MB; here they take their bytes and
12 bytes each.
"""

import threading
from array import array
from collections.abc import Iterator, Sequence

import numpy as np


class _Compared(Sequence):
    """Equal to any sequence of equal things."""

    def __eq__(self, other) -> bool:
        if isinstance(other, str) or not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None


class Strings(_Compared):
    """N strings, to which more can be appended while others read.

    Equal to any sequence of equal strings. A slice gives a list.

    Example:
        >>> strings = Strings(["red", "红"])
        >>> strings.append("")
        >>> strings[1], len(strings), strings == ("red", "红", "")
        ('红', 3, True)
    """

    def __init__(self, strings=()):
        self._bytes = bytearray()
        self._ends = array("q", [0])
        self._lock = threading.Lock()
        for string in strings:
            self.append(string)

    def append(self, string: str) -> None:
        """Adds a string. A lone surrogate becomes `?`."""
        with self._lock:
            self._bytes += string.encode("utf-8", "replace")
            self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        with self._lock:  # a bytearray may not grow while it is looked into
            return self._bytes[self._ends[i] : self._ends[i + 1]].decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return repr(tuple(self[:3]) if len(self) <= 3 else (*self[:3], ...))


class Groups(_Compared):
    """Tuples of strings in little memory: some of those that were appended, in any order.

    Equal to any sequence of equal tuples. A slice gives a tuple of tuples.

    Args:
        strings: The strings of all groups, one group after the other.
        firsts: int64 (N + 1,). Where each group begins in `strings`; last their number.

    Example:
        >>> groups = Groups(Strings(["a cat", "猫", "a dog"]), np.array([0, 2, 3]))
        >>> groups[0], groups.chosen(np.array([1]))[0]
        (('a cat', '猫'), ('a dog',))
    """

    def __init__(self, strings: Strings, firsts: np.ndarray, which: np.ndarray | None = None):
        self._strings, self._firsts = strings, firsts
        self._which = np.arange(len(firsts) - 1) if which is None else which

    def chosen(self, indices: np.ndarray) -> "Groups":
        """The groups at `indices`, over the same strings."""
        return Groups(self._strings, self._firsts, self._which[indices])

    def __len__(self) -> int:
        return len(self._which)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        i = self._which[index]
        return tuple(self._strings[self._firsts[i] : self._firsts[i + 1]])

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return repr(self[:3] if len(self) <= 3 else (*self[:3], ...))


class ClassNames:
    """A column of names of classes, each kept once: two bytes a row.

    A column with over `MAX_CLASSES` names is a free text: it is dropped while it is read.
    """

    MAX_CLASSES = 1000
    MAX_CHARACTERS = 1000

    def __init__(self):
        self._codes = array("h")
        self._names = {"": 0}
        self.dropped = False

    def put(self, row: int, name: str) -> None:
        """Sets the name of a row; rows left out before it are unknown."""
        if self.dropped:
            return
        known = name if len(name) <= self.MAX_CHARACTERS else None
        code = self._names.setdefault(known, len(self._names))
        if len(self._names) > self.MAX_CLASSES + 2:  # "" and None are no classes
            self.dropped, self._codes, self._names = True, array("h"), {}
            return
        self._codes.extend([0] * (row - len(self._codes)))
        self._codes.append(code)

    def chosen(self, rows: np.ndarray) -> np.ndarray | None:
        """The names of `rows`; None where none has one, or one has a long text.

        Returns:
            object (len(rows),). Strings; "" where unknown. Equal ones are one object.
        """
        if self.dropped or not len(rows):
            return None
        codes = np.zeros(max(int(rows.max()) + 1, len(self._codes)), np.int16)
        codes[: len(self._codes)] = self._codes
        codes = codes[rows]
        names = np.array(list(self._names), object)
        if not codes.any() or (None in self._names and (codes == self._names[None]).any()):
            return None
        return names[codes]
