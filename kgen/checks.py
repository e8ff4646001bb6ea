"""The one place that words errors: argument, expected, received, what to do."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


class ToldWarning(UserWarning):
    """Something that the command line tells its user, in a line."""


def wrong(argument: str, expected: str, received: Any, hint: str) -> str:
    """One line for a bad argument.

    Args:
        argument: Name of the argument, as the user wrote it.
        expected: What would have been accepted.
        received: What came; shown with `repr`, shortened to 80 characters.
        hint: What the user can do about it.

    Returns:
        The message, to be raised in a `ValueError`, `TypeError` or `OSError`.

    Example:
        >>> wrong("width", "a multiple of 8", 13, "Use 8 or 16.")
        '`width` must be a multiple of 8, received: 13. Use 8 or 16.'
    """
    try:
        shown = repr(received)
    except (RecursionError, ValueError):  # nested too deeply, or a number of too many digits
        shown = f"an unprintable {type(received).__name__}"
    if len(shown) > 80:
        shown = shown[:77] + "..."
    return one_line(f"`{argument}` must be {expected}, received: {shown}. {hint}", 2000)


def one_line(text: str, most: int = 400) -> str:
    """Text that can be printed in one line, whatever names it quotes.

    Line breaks and the like become blanks; control characters, which could steer a terminal, and
    lone surrogates, which no terminal can show, are written as escapes.

    Args:
        text: Any text.
        most: Characters; of longer texts the middle is left out.

    Example:
        >>> one_line("two\\nlines"), one_line("a" * 9, most=5)
        ('two lines', 'aa…aa')
        >>> print(one_line("\\x1b[2J"))
        \\x1b[2J
    """
    if not text.isprintable():
        text = "".join(map(_printable, text))
    if len(text) > most:
        half = (most - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return text


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else ascii(character)[1:-1]


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`.

    Example:
        >>> nearest("scene_64", ["scenes_64", "avatars_64"])
        'Did you mean `scenes_64`? Known: avatars_64, scenes_64.'
    """
    names = sorted(map(str, known))
    close = difflib.get_close_matches(str(word), names, n=1)
    guess = f"Did you mean `{close[0]}`? " if close else ""
    return f"{guess}Known: {', '.join(names)}."


def strings(argument: str, given: Any) -> list[str]:
    """A list of strings, from several or from one.

    Raises:
        TypeError: Something given is no string.

    Example:
        >>> strings("captions", "a red cat")
        ['a red cat']
    """
    hint = "Pass a list of sentences."
    if not isinstance(given, (str, Iterable)):
        raise TypeError(wrong(argument, "strings", given, hint))
    given = [given] if isinstance(given, str) else list(given)
    for each in given:
        if not isinstance(each, str):
            raise TypeError(wrong(argument, "strings", each, hint))
    return given


def check_choice(argument: str, value: str, choices: Iterable[str]) -> None:
    """Raises `ValueError` unless `value` is one of `choices`."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(wrong(argument, "a known name", value, nearest(value, choices)))


def check_choices(argument: str, values: Sequence[str], choices: Iterable[str]) -> None:
    """Raises `ValueError` unless `values` is a list of some of `choices`, not empty."""
    choices = tuple(choices)
    if isinstance(values, str) or not values:
        known = f"Known: {', '.join(choices)}."
        raise ValueError(wrong(argument, f"a list of {argument}", values, known))
    for value in values:
        check_choice(argument, value, choices)


def check_int(argument: str, value: Any, low: int, high: int | None = None) -> None:
    """Raises `TypeError` or `ValueError` unless `value` is an integer in [low, high]."""
    bounds = f"an integer of at least {low}" if high is None else f"an integer in [{low}, {high}]"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(wrong(argument, bounds, value, "Pass a whole number."))
    if value < low or (high is not None and value > high):
        raise ValueError(wrong(argument, bounds, value, "Pass a number in that range."))


def check_real(argument: str, value: Any, low: float, high: float) -> None:
    """Raises `TypeError` or `ValueError` unless `value` is a finite number in [low, high]."""
    bounds = f"a number in [{low:g}, {high:g}]"
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(wrong(argument, bounds, value, "Pass a number."))
    if not low <= value <= high:  # nor is NaN
        raise ValueError(wrong(argument, bounds, value, "Pass a number in that range."))
