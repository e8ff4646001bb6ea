"""Captions read as they come, a few at a time, however many there are."""

from collections.abc import Iterable, Iterator
from typing import Any

from kgen import checks


def in_groups(captions: Iterable[str], size: int) -> Iterator[list[str]]:
    """Captions in groups of as many, the last of what is left.

    No caption is read before the group that it is in is asked for. Where one cannot be given, those
    before it still are.

    Args:
        captions: One caption, or as many as there are; there may be no end of them.
        size: Captions in a group.

    Raises:
        TypeError: `captions` is neither, at once; or, when its turn comes, a caption is no string.
        Exception: Whatever `captions` raises, when its turn comes.

    Example:
        >>> list(in_groups(iter("abcde"), 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    if not isinstance(captions, (str, Iterable)):
        hint = "Pass sentences, such as a list of them or an open text file."
        raise TypeError(checks.wrong("captions", "strings", captions, hint))
    return _groups(iter([captions] if isinstance(captions, str) else captions), size)


def _groups(captions: Iterator[Any], size: int) -> Iterator[list[str]]:
    group, place, error = [], 0, None
    while error is None:
        try:
            caption = next(captions)
            _check_string(caption, place)
        except StopIteration:
            break
        except Exception as raised:  # the user's iterator may raise anything
            error = raised
            break
        group.append(caption)
        place += 1
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
    if error is not None:
        raise error


def _check_string(caption, place):
    if not isinstance(caption, str):
        hint = "Every caption is a sentence."
        raise TypeError(checks.wrong(f"captions[{place}]", "a string", caption, hint))
