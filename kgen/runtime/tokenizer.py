"""Captions to token ids without TensorFlow, token for token as in the graph."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from kgen import checks, files
from kgen.model_files import VOCABULARY
from kgen.runtime.words import WordCutter
from kgen.text.caption_reader import CaptionReader
from kgen.text.vocabulary import SUFFIX, UNKNOWN, read_vocabulary

READING = "reading.json"
# No caption holds it once it is read, so no token can be found in it.
NOT_READ = "\0"


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
        places = {token: n for n, token in enumerate(self.vocabulary)}
        # In a stretch of Chinese the tokens after the first have no mark, as those of words have.
        self._unmarked = dict(enumerate(range(len(places))))
        for token, n in list(places.items()):
            if self._cutter.joins(token):
                self._unmarked[len(places)] = n
                places[SUFFIX + token] = len(places)
        model = WordPiece(places, unk_token=UNKNOWN, max_input_chars_per_word=2**31)
        self._tokenizer = Tokenizer(model)

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
        words = self._cutter(caption)
        known = [w if len(w.encode()) <= self._most_bytes else NOT_READ for w in words]
        cut = self._tokenizer.encode(known, is_pretokenized=True)
        ids = [self._unmarked[n] for n in cut.ids]
        texts = [
            words[n][start:end] if token_id != 1 else words[n].lower()
            for token_id, n, (start, end) in zip(ids, cut.word_ids, cut.offsets)
        ]
        follows = [self.vocabulary[n].startswith(SUFFIX) for n in ids[1:]] + [False]
        return [
            (token_id, text)
            for token_id, text, goes_on in zip(ids, texts, follows)
            if token_id not in self._stop_words or goes_on
        ]
