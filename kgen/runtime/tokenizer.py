"""Captions to token ids without TensorFlow, token for token as in the graph."""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from kgen import checks, files
from kgen.model_files import VOCABULARY
from kgen.runtime.words import WordCutter
from kgen.text.caption_reader import CaptionReader
from kgen.text.vocabulary import SUFFIX, read_vocabulary

READING = "reading.json"
UNKNOWN_ID = 1
WORDS_KEPT, LONGEST_KEPT = 4096, 32  # words, and their characters, of which tokens are kept


class RuntimeTokenizer(CaptionReader):
    """Cuts captions into wordpieces as `kgen.text.tokenizer.CaptionTokenizer` does.

    Args:
        vocabulary: Tokens in the order of their ids.
        reading: How captions are read, from `kgen.export.reading.reading_of`.

    Raises:
        ValueError: `reading` lacks something.

    Example:
        >>> tokenizer = RuntimeTokenizer.read("exported/litert")  # doctest: +SKIP
        >>> tokenizer(["美丽的日落景象"]).shape  # doctest: +SKIP
        (1, 32)
    """

    def __init__(self, vocabulary: Sequence[str], reading: dict):
        self.vocabulary = tuple(vocabulary)
        try:
            self.caption_length = int(reading["caption_length"])
            self._most_bytes = int(reading["most_bytes"])
            self._stop_words = frozenset(reading["stop_words"])
            self._cutter = WordCutter(reading, self.vocabulary)
        except (KeyError, TypeError, ValueError) as error:
            hint = "Export the model anew."
            raise ValueError(checks.wrong("reading", "whole", f"{error!r}", hint)) from None
        self._ids = {token: n for n, token in enumerate(self.vocabulary)}
        # In a stretch of Chinese the tokens after the first have no mark, as those of words have.
        for n, token in enumerate(self.vocabulary):
            if self._cutter.joins(token):
                self._ids[SUFFIX + token] = n
        self._longest = max(map(len, self.vocabulary))
        self._cut_kept = lru_cache(WORDS_KEPT)(self._cut)  # captions repeat their words

    @classmethod
    def read(cls, folder: str | os.PathLike) -> "RuntimeTokenizer":
        """The tokenizer in an export's folder.

        Raises:
            FileNotFoundError: A file is missing.
            ValueError: A file does not hold what it should.
        """
        vocabulary = read_vocabulary(Path(folder) / VOCABULARY)
        return cls(vocabulary, files.read_json(Path(folder) / READING))

    def __call__(self, captions: Sequence[str]) -> np.ndarray:
        """Gives the ids of captions.

        Returns:
            int32 (B, L), in [0, V). 0 is padding and stands only at the end.
        """
        token_ids = np.zeros((len(captions), self.caption_length), np.int32)
        for row, caption in zip(token_ids, captions):
            found = [token_id for token_id, _ in self.tokens(caption)[: self.caption_length]]
            row[: len(found)] = found
        return token_ids

    def tokens(self, caption: str) -> list[tuple[int, str]]:
        """(id, text under it) of all the tokens that a caption is read as, were L endless."""
        found = []
        for word in self._cutter(caption):
            found += (self._cut_kept if len(word) <= LONGEST_KEPT else self._cut)(word)
        follows = [self.vocabulary[token_id].startswith(SUFFIX) for token_id, _ in found[1:]]
        return [
            (token_id, text)
            for (token_id, text), goes_on in zip(found, [*follows, False])
            if token_id not in self._stop_words or goes_on
        ]

    def _cut(self, word):
        """The longest tokens that fit, from the word's start on.

        By hand, since a stretch of Chinese may be a whole page, in which tokenizers that take the
        rest of it for the first guess need the square of its length.
        """
        unknown = [(UNKNOWN_ID, word.lower())]
        if len(word.encode()) > self._most_bytes:
            return unknown
        found, start = [], 0
        while start < len(word):
            mark = SUFFIX if start else ""
            ends = range(min(len(word), start + self._longest), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self._ids), None)
            if end is None:
                return unknown
            found.append((self._ids[mark + word[start:end]], word[start:end]))
            start = end
        return found
