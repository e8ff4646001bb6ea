"""The wordpieces a caption is cut into: learned from captions, read and written."""

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from kgen import checks, files
from kgen.text.chinese_words import is_chinese, learn_chinese_words

PADDING = "[PAD]"
UNKNOWN = "[UNK]"
SUFFIX = "##"
AT_ONCE = 20_000  # captions cut into words, so that a million of them need little memory
FEWEST = 2  # A word or piece seen once teaches nothing that its parts do not.


def learn_vocabulary(
    captions: Iterable[str], size: int, segmentation: str = "characters"
) -> tuple[str, ...]:
    """Learns wordpieces from captions; the same captions always give the same vocabulary.

    Every character seen becomes a token, so no word that was seen is unknown. The room left goes
    to whole words seen at least twice, most frequent first. Where they do not all fit, a quarter
    of that room is kept for pieces of the rarer words, found by merging frequent neighbours.

    Args:
        captions: Captions as the user wrote them.
        size: Most tokens in the vocabulary, padding and unknown included.
        segmentation: Chinese becomes `characters`, or also `words` of those, found in the
            captions.

    Returns:
        The tokens; a token's place is its id. `[PAD]` is 0 and `[UNK]` is 1. A token that
        continues a word starts with `##`.

    Raises:
        ValueError: The captions hold no word, or more different characters than fit into `size`.

    Source: Schuster and Nakajima 2012, section 2, where all pieces come from merging; here whole
        words come first, since captions repeat few of them.

    Example:
        >>> learn_vocabulary(["a red cat", "A red dog", "红猫 and 红狗"], 20)[:6]
        ('[PAD]', '[UNK]', '##a', '##d', '##e', '##g')
    """
    from kgen.text.tokenizer import split_words  # TensorFlow, which reading does without

    checks.check_int("size", size, 3)
    captions = list(captions)
    chinese = learn_chinese_words(captions) if segmentation == "words" else ()
    if chinese:
        chinese += tuple({sign for run in captions for sign in run if is_chinese(sign)})
    words = Counter()
    for first in range(0, len(captions), AT_ONCE):
        for of_caption in split_words(captions[first : first + AT_ONCE], chinese):
            words.update(of_caption)
    if not words:
        raise ValueError(
            checks.wrong("captions", "texts with at least one word", "none", "Check the file.")
        )
    characters = sorted({piece for word in words for piece in _spelled(word)})
    room = size - 2 - len(characters)
    if room < 0:
        hint = f"So many different characters: set text.vocabulary_size to at least {size - room}."
        raise ValueError(checks.wrong("size", f"at least {size - room}", size, hint))

    whole = [w for w, count in _by_frequency(words) if count >= FEWEST and len(w) > 1]
    if len(whole) > room:
        whole = whole[: room - room // 4]
    known = {*whole, *characters}
    rare = {w: count for w, count in words.items() if w not in known}
    pieces = _merged_pieces(rare, room - len(whole), known)
    return (PADDING, UNKNOWN, *characters, *whole, *pieces)


def _spelled(word: str) -> list[str]:
    """The parts that any word can be put together from; no Chinese one is marked by ##."""
    if is_chinese(word):
        return list(word)
    return [word[0], *(SUFFIX + character for character in word[1:])]


def _by_frequency(counts: Counter) -> list[tuple]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _merged_pieces(words: dict[str, int], room: int, known: set[str]) -> list[str]:
    """Up to `room` new pieces, by merging the most frequent neighbours in `words`, in rounds."""
    spellings = {word: _spelled(word) for word in words}
    pieces: list[str] = []
    while len(pieces) < room:
        pairs = Counter()
        for word, spelling in spellings.items():
            for pair in itertools.pairwise(spelling):
                pairs[pair] += words[word]
        at_once = max(1, (room - len(pieces)) // 8)
        best = {pair for pair, count in _by_frequency(pairs)[:at_once] if count >= FEWEST}
        if not best:
            break
        made = Counter()
        for word, spelling in spellings.items():
            spellings[word] = _merge(spelling, best, made, words[word])
        pieces += [piece for piece, _ in _by_frequency(made) if piece not in known]
        known = known | made.keys()
    return pieces


def _merge(spelling: list[str], best: set, made: Counter, count: int) -> list[str]:
    """Joins the neighbours in `best` from left to right and counts what it made."""
    merged = spelling[:1]
    for piece in spelling[1:]:
        if (merged[-1], piece) in best:
            merged[-1] += piece.removeprefix(SUFFIX)
            made[merged[-1]] += count
        else:
            merged.append(piece)
    return merged


def write_vocabulary(path: str | os.PathLike, vocabulary: Sequence[str]) -> None:
    """Writes one token a line, UTF-8, whole or not at all.

    Raises:
        ValueError: The vocabulary could not be read back; the message says why.
    """
    check_vocabulary(vocabulary)
    files.write_text(path, "".join(token + "\n" for token in vocabulary))


def read_vocabulary(path: str | os.PathLike) -> tuple[str, ...]:
    """Reads one token a line; the line's number, from 0, is the token's id.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no vocabulary; the message names file, line and what to do.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text. Save the file as UTF-8.") from None
    vocabulary = tuple(text.removesuffix("\n").split("\n"))
    check_vocabulary(vocabulary, os.fspath(path))
    return vocabulary


def check_vocabulary(vocabulary: Sequence[str], where: str = "vocabulary") -> None:
    """Raises `ValueError` unless `vocabulary` starts as it must and holds no token twice."""
    remade = "Write the file with `write_vocabulary`."
    if len(vocabulary) < 3:
        raise ValueError(
            f"{where}: expected at least 3 tokens, received {len(vocabulary)}. {remade}"
        )
    for line, token in enumerate((PADDING, UNKNOWN)):
        if vocabulary[line] != token:
            raise ValueError(
                f"{where}, line {line + 1}: expected {token}, received {vocabulary[line]!r}. "
                f"{remade}"
            )
    seen: dict[str, int] = {}
    for line, token in enumerate(vocabulary, start=1):
        if not token or token.split() != [token]:
            raise ValueError(
                f"{where}, line {line}: expected a token without blanks, received {token!r}. "
                f"{remade}"
            )
        if token in seen:
            raise ValueError(
                f"{where}, line {line}: {token!r} stands on line {seen[token]} already. Delete one."
            )
        seen[token] = line
