"""Word vectors that others have trained, put into an embedding."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kgen import checks
from kgen.text.vocabulary import PADDING, SUFFIX, UNKNOWN
from kgen.text.word_vector_files import WordVectorFile

MOST_UNREADABLE = 0.01  # share of the words; some published files have a few that are cut


@dataclass(frozen=True)
class WordVectors:
    """Vectors of some words.

    Attributes:
        dim: D, numbers in a vector.
        found: For each word that was found, float32 (D,).
    """

    dim: int
    found: dict[str, np.ndarray]


def words_of(vocabulary: Sequence[str]) -> list[str]:
    """The tokens that can have a vector: whole words and characters.

    Example:
        >>> words_of(["[PAD]", "[UNK]", "红", "red", "##s"])
        ['红', 'red']
    """
    return [t for t in vocabulary if t not in (PADDING, UNKNOWN) and not t.startswith(SUFFIX)]


def read_word_vectors(path: str | os.PathLike, words: Iterable[str]) -> WordVectors:
    """Reads the vectors of some words.

    A word in the file counts as the tokenizer would read it, in lower case and without accents,
    where the word itself is not there: of `Paris` and `PARIS`, `paris` gets the first. A word of
    several parts, as some files have it, is none of a vocabulary's. Numbers are looked at in the
    rows that are asked for, and counted in all rows of a text.

    Args:
        path: The file, UTF-8, in one of the formats of `kgen.text.word_vector_files`.
        words: Which are kept.

    Returns:
        Their vectors.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or something else; the message names file and line (of a
            binary file, the byte).
    """
    words = frozenset(words)
    exact, folded, unreadable, num = {}, {}, 0, 0
    with WordVectorFile(path) as file:
        for row in file.rows():
            word = row.word.decode("utf-8", "replace")
            num, unreadable = num + 1, unreadable + ("\ufffd" in word)
            place = exact if word in words else folded
            word = word if word in words else _folded(word)
            if word in words and word not in place:
                place[word] = file.numbers(row)
    if unreadable > MOST_UNREADABLE * num:
        raise ValueError(
            f"{path}: {unreadable} of {num} words are not UTF-8 text. Convert the file to UTF-8."
        )
    return WordVectors(file.dim, folded | exact)


def check_dimension(path: str | os.PathLike, embedding_dim: int) -> None:
    """Raises `ValueError` unless a file's vectors are as long as the embedding's.

    Reads the file's first line or two.
    """
    with WordVectorFile(path) as file:
        _check_same(file.dim, embedding_dim)


def fill_embedding(
    table: np.ndarray, vocabulary: Sequence[str], vectors: WordVectors
) -> tuple[np.ndarray, float]:
    """Puts word vectors into an embedding's first weights.

    Formula:
        row = vector · rms(table) / rms(all vectors that are put in)

        One factor for all: their lengths and angles keep their relations, and the layers above
        get what their first weights expect.

    Args:
        table: float32 (V, E). The embedding as it was drawn at random.
        vocabulary: V tokens.
        vectors: Vectors of some of them. Pieces of words (`##s`) are left at random.

    Returns:
        A new table, and the share of the vocabulary's words that were found, in [0, 1].

    Raises:
        ValueError: The vectors' D is not E, or all that were found are 0.

    Example:
        >>> vectors = WordVectors(2, {"red": np.array([3.0, -4.0], np.float32)})
        >>> vocabulary = ["[PAD]", "[UNK]", "red", "##s"]
        >>> table, share = fill_embedding(np.ones((4, 2)), vocabulary, vectors)
        >>> share, table[2].round(3).tolist()  # the vector's rms is √12.5
        (1.0, [0.849, -1.131])
    """
    _check_same(vectors.dim, table.shape[1])
    words = words_of(vocabulary)
    found = [word for word in words if word in vectors.found]
    if not found:
        return table.copy(), 0.0
    place = {token: n for n, token in enumerate(vocabulary)}
    rows = np.stack([vectors.found[word] for word in found])
    spread = _rms(rows)
    if not spread:
        raise ValueError(
            checks.wrong("data.word_vectors", "other than 0", "zeros alone", "Use another file.")
        )
    table = table.copy()
    table[[place[word] for word in found]] = rows * (_rms(table) / spread)
    return table, len(found) / len(words)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _check_same(dim, embedding_dim):
    if dim != embedding_dim:
        raise ValueError(
            checks.wrong(
                "text.embedding_dim",
                f"{dim}, as long as the word vectors are",
                embedding_dim,
                f"Pass --set text.embedding_dim={dim}.",
            )
        )


def _folded(word: str) -> str:
    """As the tokenizer normalises words."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).casefold())
    return "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
